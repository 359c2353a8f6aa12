use super::*;

const NOW: Time = Time(1_772_529_304_000);

fn published() -> Published {
    Published {
        entity: Address::parse("bob@example.com").unwrap(),
        device: "7d1c2a60".into(),
        instance: "urn:uuid:7d1c2a60-5f3e-4b7c-9a01-2f6f0e5b9c99".into(),
        availability: Availability::BUSY,
        activity: Some(Activity::token("in-a-meeting")),
        note: "At <the> office & back".into(),
        out_of_office: false,
        location: "Oslo \"office\"".into(),
        display_name: "Bob Berg".into(),
        time_offset: 60,
        last_active: None,
        at: NOW,
    }
}

fn document(inner: &str) -> Presence {
    let text = format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model' \
         xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:bob@example.com'>{inner}</presence>"
    );
    read(text.as_bytes(), NOW).unwrap()
}

#[test]
fn what_is_published_is_what_a_watcher_reads() {
    let p = published();
    let seen = read(write(&p, 1033).as_bytes(), NOW).unwrap();
    assert_eq!(seen.availability, Some(Availability::BUSY));
    assert_eq!(seen.activity.unwrap().token.as_deref(), Some("in-a-meeting"));
    assert_eq!(seen.note.unwrap().text, p.note);
    assert_eq!(seen.location.as_deref(), Some(p.location.as_str()));
    assert_eq!(seen.card.display_name.as_deref(), Some("Bob Berg"));
    assert_eq!(seen.since, Some(NOW));
    assert_eq!(seen.capabilities, ["text"]);
}

#[test]
fn what_is_published_has_the_literal_forms_that_simple_readers_search_for() {
    let mut p = published();
    (p.activity, p.availability) = (None, Availability::AWAY);
    let text = write(&p, 1033);
    for part in ["<basic>open</basic>", "<rpid:away/>", "<tuple id=\"t-7d1c2a60\">", "<dm:note>", "<dm:person id=\"p-7d1c2a60\">"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("DOCTYPE"));
}

#[test]
fn offline_is_closed_and_idle_says_since_when() {
    let mut p = published();
    (p.activity, p.availability) = (None, Availability::OFFLINE);
    assert!(write(&p, 1033).contains("<basic>closed</basic>"));
    (p.availability, p.last_active) = (Availability::IDLE, Some(Time(NOW.0 - 600_000)));
    let seen = read(write(&p, 1033).as_bytes(), NOW).unwrap();
    assert_eq!((seen.availability, seen.last_active), (Some(Availability::IDLE), p.last_active));
}

#[test]
fn any_open_device_makes_the_person_available_and_the_newest_person_speaks() {
    let seen = document(
        "<tuple id='a'><status><basic>closed</basic></status></tuple>\
         <tuple id='b'><status><basic>open</basic></status></tuple>\
         <d:person id='p1'><r:activities><r:busy/></r:activities><d:note>old</d:note><d:timestamp>2026-03-03T09:00:00Z</d:timestamp></d:person>\
         <d:person id='p2'><r:activities><r:away/></r:activities><d:note>new</d:note><d:timestamp>2026-03-03T09:10:00Z</d:timestamp></d:person>",
    );
    assert_eq!(seen.availability, Some(Availability::AWAY));
    assert_eq!(seen.note.unwrap().text, "new");
}

#[test]
fn a_call_on_any_device_is_told() {
    let seen = document(
        "<tuple id='b'><status><basic>open</basic></status></tuple>\
         <d:person id='p1'><r:activities><r:on-the-phone/></r:activities></d:person>\
         <d:person id='p2'><d:timestamp>2026-03-03T09:10:00Z</d:timestamp></d:person>",
    );
    assert_eq!(seen.availability, Some(Availability::BUSY));
    assert_eq!(seen.activity.unwrap().text(1033), Some("In a call"));
}

#[test]
fn idle_only_when_every_person_element_is_idle() {
    let one = "<tuple id='b'><status><basic>open</basic></status></tuple><d:person id='p1'><r:user-input>idle</r:user-input></d:person>";
    assert_eq!(document(one).availability, Some(Availability::IDLE));
    assert_eq!(document(&format!("{one}<d:person id='p2'/>")).availability, Some(Availability::AVAILABLE));
}

#[test]
fn an_older_part_with_the_same_id_is_dropped() {
    let seen = document(
        "<tuple id='a'><status><basic>closed</basic></status><timestamp>2026-03-03T09:10:00Z</timestamp></tuple>\
         <tuple id='a'><status><basic>open</basic></status><timestamp>2026-03-03T09:00:00Z</timestamp></tuple>",
    );
    assert_eq!(seen.availability, Some(Availability::OFFLINE));
}

#[test]
fn states_of_telephone_systems_and_odd_values_read_without_harm() {
    let seen = document("<tuple id='100'><status><basic>unknown</basic></status><note>Ready</note></tuple>");
    assert_eq!((seen.availability, seen.note.unwrap().text.as_str()), (None, "Ready"));
    assert_eq!(document("").availability, None);
    assert!(read(b"<presence><tuple>", NOW).is_err());
    assert!(read(b"<!DOCTYPE x [<!ENTITY a 'b'>]><presence>&a;</presence>", NOW).is_err());
}

#[test]
fn every_class_of_availability_crosses_the_wire() {
    for class in [3500, 5000, 6500, 9500, 12_500, 15_500] {
        let mut p = published();
        (p.activity, p.availability) = (None, Availability(class));
        let seen = read(write(&p, 1033).as_bytes(), NOW).unwrap().availability.map(Availability::class);
        assert_eq!(seen, Some(Availability(class).class()));
    }
}

#[test]
fn what_holds_at_another_time_is_no_state_of_now_but_of_the_days_ahead() {
    let at = |minutes: u64| time::write(Time(NOW.0 + minutes * 60_000));
    let p = document(&format!(
        "<tuple id='a'><status><basic>open</basic></status><t:timed-status xmlns:t='urn:ietf:params:xml:ns:pidf:timed-status' \
         from='{}' until='{}'><t:basic>closed</t:basic></t:timed-status></tuple>\
         <d:person id='p'><r:activities from='{}' until='{}'><r:meeting/></r:activities></d:person>",
        at(120),
        at(180),
        at(30),
        at(60)
    ));
    assert_eq!((p.availability, p.activity), (Some(Availability::AVAILABLE), None));
    let days = p.free_busy.unwrap();
    let busy_at = |minutes: u64| {
        let slot = (NOW.0 + minutes * 60_000 - days.start.0) / (u64::from(days.slot_minutes) * 60_000);
        days.slots[usize::try_from(slot).unwrap()]
    };
    use crate::domain::calendar::Busyness as B;
    assert_eq!([busy_at(0), busy_at(40), busy_at(100), busy_at(150)], [B::Free, B::Busy, B::Free, B::OutOfOffice]);
    let past = document(
        "<tuple id='a'><status><basic>open</basic></status></tuple><d:person id='p'>\
        <r:activities until='2020-01-01T00:00:00Z'><r:meeting/></r:activities></d:person>",
    );
    assert_eq!((past.activity, past.free_busy), (None, None));
}

#[test]
fn a_note_of_somebody_out_of_office_is_one_and_ends_with_the_vacation() {
    let p = document(
        "<tuple id='a'><status><basic>open</basic></status></tuple><d:person id='p'><r:activities until='2030-01-01T00:00:00Z'>\
         <r:vacation/></r:activities><d:note>Back in January</d:note></d:person>",
    );
    assert_eq!((p.availability, p.note), (Some(Availability::AWAY), None));
    let note = p.oof_note.unwrap();
    assert_eq!((note.text.as_str(), note.end), ("Back in January", time::parse("2030-01-01T00:00:00Z")));
    let mut own = published();
    (own.out_of_office, own.availability, own.activity) = (true, Availability::AVAILABLE, None);
    let seen = read(write(&own, 1033).as_bytes(), NOW).unwrap();
    assert_eq!((seen.availability, seen.note), (Some(Availability::AVAILABLE), None));
    assert_eq!(seen.oof_note.unwrap().text, own.note);
}

#[test]
fn cards_numbers_zones_and_abilities_are_read_and_nothing_dangerous_among_them() {
    let p = document(
        "<tuple id='a'><status><basic>open</basic></status><x:servcaps xmlns:x='urn:ietf:params:xml:ns:pidf:caps'>\
         <x:audio>true</x:audio><x:message>true</x:message><x:video>false</x:video></x:servcaps></tuple>\
         <tuple id='b'><status><basic>open</basic></status><contact>tel:+4722334455;ext=5</contact></tuple>\
         <d:person id='p'><r:time-offset>60</r:time-offset><c:homepage xmlns:c='urn:ietf:params:xml:ns:pidf:cipid'>https://example.com/bob\
         </c:homepage><c:icon xmlns:c='urn:ietf:params:xml:ns:pidf:cipid'>file:///etc/passwd</c:icon></d:person>",
    );
    assert_eq!(p.card.phones.iter().map(|p| p.display.as_str()).collect::<Vec<_>>(), ["+4722334455"]);
    assert_eq!(p.card.links.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!((p.time_zone_bias, p.capabilities), (Some(-60), vec!["text".to_owned(), "voice".to_owned()]));
    let far = document("<d:person id='p'><r:time-offset>99999</r:time-offset></d:person>");
    assert_eq!(far.time_zone_bias, None);
}

#[test]
fn documents_of_several_devices_are_one_person() {
    let one = |basic: &str, id: &str| {
        format!("<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='{id}'><status><basic>{basic}</basic></status></tuple></presence>")
            .into_bytes()
    };
    let all = [one("closed", "a"), b"<broken".to_vec(), one("open", "b")];
    assert_eq!(read_all(&all, NOW).unwrap().availability, Some(Availability::AVAILABLE));
    assert!(read_all(&[b"<broken".to_vec()], NOW).is_err() && read_all(&[], NOW).is_err());
}

#[test]
fn a_document_that_names_another_encoding_and_is_utf_8_all_the_same_is_read() {
    let text = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='a'>\
                <status><basic>open</basic></status><note>Grüße</note></tuple></presence>";
    let seen = read_all(&[text.as_bytes().to_vec()], Time(0)).unwrap();
    assert_eq!(seen.note.unwrap().text, "Grüße");
}
