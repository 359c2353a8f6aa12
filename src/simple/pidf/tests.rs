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
