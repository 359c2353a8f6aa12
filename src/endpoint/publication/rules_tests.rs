//! The rules and numbers of `domain.md` 5.3, 5.5, 5.6 and 5.7 that an endpoint keeps.

use super::tests::{items, published};
use super::*;
use crate::domain::calendar::{Appointment, Busyness, FreeBusy, WorkingHours, WorkingPeriod};
use crate::domain::instances;
use crate::domain::presence::{CustomStatus, GrammarValue, Note, Phone, Publication, UserStatus};
use crate::endpoint::testkit::Bench;
use std::time::Duration;

/// Category, instance, container, taken away, value.
type Written = (String, u32, u32, bool, String);

fn wrote(bench: &mut Bench) -> Vec<Written> {
    let sent = bench.request();
    items(&sent.1)
        .into_iter()
        .map(|(category, instance, container, _, delete, value)| (category, instance, container, delete, value))
        .collect()
}

/// Answers as the server would: everything that was written is there now, at this time.
fn accept(bench: &mut Bench, service: &mut Publications) -> Vec<Written> {
    let sent = bench.request();
    let all = items(&sent.1);
    let at = crate::lync::time::publish_time(bench.now);
    let mut out = String::new();
    for (category, instance, container, version, delete, value) in &all {
        let v = version + 1;
        if !delete {
            out += &format!(
                r#"<category name="{category}" instance="{instance}" publishTime="{at}" container="{container}" version="{v}" expireType="static">{value}</category>"#
            );
        }
    }
    // What was there in other places of these categories stays there.
    for p in &service.known.publications {
        let k = &p.key;
        let touched = all.iter().any(|i| (&i.0, i.1, i.2) == (&k.category, k.instance, k.container));
        let time = p.publish_time.map(crate::lync::time::publish_time).unwrap_or_default();
        if !touched {
            out += &format!(
                r#"<category name="{}" instance="{}" publishTime="{time}" container="{}" version="{}" expireType="static">{}</category>"#,
                k.category, k.instance, k.container, p.version, p.value
            );
        }
    }
    let doc = format!(
        r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:alice@contoso.com">{out}</categories></roamingData>"#
    );
    bench.answer(service, &sent, 200, "", &doc);
    all.into_iter()
        .map(|(category, instance, container, _, delete, value)| (category, instance, container, delete, value))
        .collect()
}

fn places(written: &[Written], category: &str) -> Vec<(u32, u32, bool)> {
    written.iter().filter(|w| w.0 == category).map(|w| (w.1, w.2, w.4.is_empty())).collect()
}

fn publish(
    bench: &mut Bench,
    service: &mut Publications,
    category: &str,
    instance: Option<u32>,
    value: &str,
) -> Result<Vec<Written>, ErrorKind> {
    let value = GrammarValue { category: category.into(), instance, value: value.into() };
    let id = bench.operate(service, Operation::PublishValues { values: vec![value] });
    match bench.result(id) {
        Some(Err(e)) => Err(e.kind),
        Some(Ok(_)) => Ok(Vec::new()),
        None => Ok(accept(bench, service)),
    }
}

fn note(text: &str) -> Note {
    Note { text: text.into(), out_of_office: false, start: None, end: None }
}

#[test]
fn the_grammar_supplies_containers_and_instances() {
    let (mut bench, mut s, _) = published();
    let (b, s) = (&mut bench, &mut s);
    let own = [("workingHours", 0), ("rccOptions", 0), ("userInformation", 0), ("alerts", 0)];
    for (category, instance) in own {
        let w = publish(b, s, category, None, &format!("<{category}/>")).unwrap();
        assert_eq!(places(&w, category), [(instance, 1, false)], "{category}");
    }
    let w = publish(
        b,
        s,
        "otherOptions",
        None,
        "<otherOptions><privacyModeUserSelection>private</privacyModeUserSelection></otherOptions>",
    );
    assert_eq!(places(&w.unwrap(), "otherOptions"), [(2, 1, false)]);
    let w = publish(b, s, "routing", None, "<routing><preamble/></routing>").unwrap();
    assert_eq!(places(&w, "routing").iter().map(|p| p.1).collect::<Vec<_>>(), [0, 100, 200, 300, 400, 32_000]);
    assert!(w.last().unwrap().4.contains("block"), "the rule of container 32000 blocks");
    let w = publish(b, s, "note", None, r#"<note><body type="personal">x</body></note>"#).unwrap();
    let seen: Vec<_> = w.iter().map(|w| (w.1, w.2, w.4.contains("body"))).collect();
    assert_eq!(seen, [(0, 200, true), (0, 300, true), (0, 400, true), (0, 100, false), (0, 32_000, false)]);
    let w = publish(b, s, "note", None, r#"<note><body type="OOF">x</body></note>"#).unwrap();
    assert!(w.iter().all(|w| w.1 == instances::out_of_office_note("alice@contoso.com")));
    let w = publish(b, s, "device", None, "<device/>").unwrap();
    assert_eq!(places(&w, "device"), [(instances::device(&b.me.contact), 2, false)]);
}

#[test]
fn the_grammar_writes_a_state_to_2_and_rewritten_to_3() {
    let (mut bench, mut s, _) = published();
    let user = |number: u32| {
        format!(
            r#"<state xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="userState" manual="true"><availability>{number}</availability></state>"#
        )
    };
    for (number, instance, third) in [
        (9000, 0x2400_0000, 6900),
        (11_999, 0x2400_0000, 6900),
        (6500, 0x2400_0000, 6500),
        (12_000, 0x2000_0000, 12_000),
        (3500, 0x2000_0000, 3500),
    ] {
        let w = publish(&mut bench, &mut s, "state", None, &user(number)).unwrap();
        let written: Vec<_> = w.iter().filter(|w| !w.3).collect();
        assert_eq!(written.iter().map(|w| (w.1, w.2)).collect::<Vec<_>>(), [(instance, 2), (instance, 3)]);
        assert!(written[0].4.contains(&format!(">{number}<")) && written[1].4.contains(&format!(">{third}<")), "{number}");
        let other: Vec<_> = w.iter().filter(|w| w.3).map(|w| w.1).collect();
        assert!(other.iter().all(|i| *i == 0x4400_0000 - instance), "the other kind goes: {other:?}");
    }
    let calendar = user(6500).replace("userState", "calendarState");
    assert_eq!(publish(&mut bench, &mut s, "state", None, &calendar), Err(ErrorKind::InvalidOperation));
    let aggregate = user(6500).replace("userState", "aggregateState");
    assert_eq!(publish(&mut bench, &mut s, "state", None, &aggregate), Err(ErrorKind::InvalidOperation));
}

#[test]
fn the_grammar_refuses_what_it_does_not_know() {
    let (mut bench, mut s, _) = published();
    for (category, instance, value, kind) in [
        ("mood", None, "<mood/>", ErrorKind::InvalidOperation),
        ("services", None, "<services/>", ErrorKind::InvalidOperation),
        ("mwi", None, "<mwi/>", ErrorKind::InvalidOperation),
        ("note", None, "<note>", ErrorKind::InvalidArgument),
        ("contactCard", None, "<contactCard/>", ErrorKind::InvalidArgument),
        ("contactCard", Some(0), "<contactCard/>", ErrorKind::InvalidOperation),
        ("contactCard", Some(7), "<contactCard/>", ErrorKind::InvalidArgument),
        ("state", None, "<other/>", ErrorKind::InvalidArgument),
    ] {
        assert_eq!(publish(&mut bench, &mut s, category, instance, value), Err(kind), "{category} {instance:?}");
    }
    assert!(bench.sent.is_empty());
}

#[test]
fn the_grammar_needs_the_self_subscription() {
    let mut bench = Bench::new(crate::endpoint::service::ServiceId::Publication);
    let mut s = Publications::new(Rng::seeded(2));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    assert_eq!(publish(&mut bench, &mut s, "alerts", None, "<alerts/>"), Err(ErrorKind::InvalidOperation));
}

#[test]
fn publishing_is_an_invalid_operation_while_user_services_are_away() {
    let (mut bench, mut s, _) = published();
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    let id = bench.operate(&mut s, Operation::SetNote { note: Some(note("x")) });
    assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::InvalidOperation);
}

#[test]
fn the_parts_of_the_card_go_where_the_table_says() {
    let (mut bench, mut s, _) = published();
    let card = |inside: &str| format!("<contactCard>{inside}</contactCard>");
    let full = card("<title>Boss</title><office>B2</office><phone type=\"work\"><uri>tel:1</uri></phone>");
    let by_container = |w: Vec<Written>| -> Vec<(u32, String)> { w.into_iter().map(|w| (w.2, w.4)).collect() };
    let w = by_container(publish(&mut bench, &mut s, "contactCard", Some(6), &full).unwrap());
    assert_eq!(
        w.iter().map(|w| (w.0, w.1.contains("Boss"), w.1.contains("B2"))).collect::<Vec<_>>(),
        [(100, true, false), (200, true, true), (300, true, true), (400, true, true), (32_000, false, false)]
    );
    let w = by_container(publish(&mut bench, &mut s, "contactCard", Some(3), &full).unwrap());
    assert_eq!((w[0].1.contains("tel:1"), w[1].1.contains("tel:1")), (false, true), "the work phone is for colleagues");
    let w =
        by_container(publish(&mut bench, &mut s, "contactCard", Some(4), &card("<url type=\"voicemail\">sip:v</url>")).unwrap());
    assert_eq!(w.iter().map(|w| w.1.contains("sip:v")).collect::<Vec<_>>(), [true, true, true, true, false]);
}

#[test]
fn cell_phones_are_for_the_workgroup_and_all_phones_for_friends() {
    let (mut bench, mut s, _) = published();
    let phone = |kind: &str| Phone { kind: kind.into(), uri: format!("tel:{kind}"), display: String::new() };
    let phones = ["mobile", "home", "other"].map(phone).to_vec();
    bench.operate(&mut s, Operation::SetPhones { phones });
    let w = accept(&mut bench, &mut s);
    let seen = |container: u32| {
        let card = w.iter().find(|w| w.0 == "contactCard" && w.2 == container).unwrap();
        ["tel:mobile", "tel:home", "tel:other"].map(|p| card.4.contains(p))
    };
    let expected = [(100, [false; 3]), (200, [false; 3]), (300, [true, false, false]), (400, [true; 3]), (32_000, [false; 3])];
    assert!(expected.iter().all(|(c, e)| seen(*c) == *e));
    let own = w.iter().find(|w| w.0 == "userInformation").unwrap();
    assert!(own.2 == 1 && own.4.contains("tel:home"), "the owner's other devices know them all");
}

#[test]
fn a_custom_status_carries_its_texts_and_an_unknown_one_is_not_found() {
    let (mut bench, mut s, _) = published();
    let texts = vec![(1033, "In the lab".to_owned()), (1031, "Im Labor".to_owned())];
    bench.me.custom_statuses = vec![CustomStatus { id: "lab".into(), status: UserStatus::Busy, texts }];
    bench.operate(&mut s, Operation::SetCustomStatus { id: "lab".into(), until: None });
    let w = accept(&mut bench, &mut s);
    assert!(
        w[0].1 == 0x2400_0000 && w[0].4.contains(">6500<") && w[0].4.contains("Im Labor") && w[0].4.contains("LCID=\"1033\"")
    );
    let id = bench.operate(&mut s, Operation::SetCustomStatus { id: "den".into(), until: None });
    let error = bench.result(id).unwrap().unwrap_err();
    assert!(error.kind == ErrorKind::NotFound && error.text.contains("lab"), "{error}");
}

#[test]
fn busy_for_an_hour_ends_after_3600_seconds_and_a_time_over_is_refused() {
    let (mut bench, mut s, _) = published();
    let set = |until| Operation::SetStatus { status: UserStatus::Busy, activity: String::new(), until };
    let until = bench.now + Duration::from_secs(3600);
    bench.operate(&mut s, set(Some(until)));
    let sent = bench.request();
    assert!(String::from_utf8_lossy(&sent.1.body).contains("expireType=\"time\" expires=\"3600\""));
    bench.answer(&mut s, &sent, 200, "", "<roamingData/>");
    let id = bench.operate(&mut s, set(Some(bench.now)));
    assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::InvalidArgument);
}

#[test]
fn the_note_history_keeps_three_and_merges_within_30_seconds() {
    let (mut bench, mut s, _) = published();
    let mut write = |text: &str, after: u64| {
        bench.pass(&mut s, Duration::from_secs(after));
        bench.operate(&mut s, Operation::SetNote { note: Some(note(text)) });
        accept(&mut bench, &mut s);
        let history = (0..5).map_while(|i| {
            let of = |p: &&Publication| p.key == PublicationKey { category: "noteHistory".into(), instance: i, container: 200 };
            let p = s.known.publications.iter().find(of)?;
            crate::lync::categories::note::parse(&p.value).map(|n| n.text)
        });
        history.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(write("one", 0), "one");
    assert_eq!(write("two", 30), "two one");
    assert_eq!(write("too", 29), "too one", "corrected within half a minute");
    assert_eq!(write("three", 30), "three too one");
    assert_eq!(write("four", 31), "four three too");
}

#[test]
fn a_note_with_an_end_ends_and_one_that_ends_before_it_begins_is_refused() {
    let (mut bench, mut s, _) = published();
    let end = bench.now + Duration::from_secs(600);
    let away = Note { out_of_office: true, end: Some(end), ..note("Ask Dave") };
    bench.operate(&mut s, Operation::SetNote { note: Some(away) });
    let sent = bench.request();
    let body = String::from_utf8_lossy(&sent.1.body).into_owned();
    assert!(body.contains("expires=\"600\"") && body.contains("type=\"OOF\"") && !body.contains("noteHistory"), "{body}");
    bench.answer(&mut s, &sent, 200, "", "<roamingData/>");
    for (start, end) in [(None, bench.now), (Some(end), end)] {
        let id = bench.operate(&mut s, Operation::SetNote { note: Some(Note { start, end: Some(end), ..note("x") }) });
        assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_call_is_6500_on_the_phone_a_conference_7000_and_its_end_takes_it_away() {
    let (mut bench, mut s, _) = published();
    let instance = instances::voice_call("sip:alice@contoso.com", &bench.me.contact);
    for (call, number, token) in [(PhoneCall::Call, "6500", "on-the-phone"), (PhoneCall::Conference, "7000", "in-a-conference")] {
        bench.operate(&mut s, Operation::SetPhoneState { line: PhoneLine::Voip, call: Some(call) });
        let w = accept(&mut bench, &mut s);
        assert_eq!(places(&w, "state"), [(instance, 2, false), (instance, 3, false)]);
        assert!(w[0].4.contains("phoneState") && w[0].4.contains(number) && w[0].4.contains(token));
    }
    let id = bench.operate(&mut s, Operation::SetPhoneState { line: PhoneLine::Voip, call: None });
    let w = accept(&mut bench, &mut s);
    assert!(w.len() == 2 && w.iter().all(|w| w.3));
    assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
}

#[test]
fn a_call_goes_on_over_a_lost_link() {
    let (mut bench, mut s, _) = published();
    bench.operate(&mut s, Operation::SetPhoneState { line: PhoneLine::Voip, call: Some(PhoneCall::Call) });
    accept(&mut bench, &mut s);
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    bench.online = true;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let subscribe = bench.request();
    let active =
        "Expires: 45600\nsubscription-state: active;expires=45600\nms-piggyback-cseq: 1\nContact: <sip:l:5061;transport=tls>";
    let doc = r#"<roamingData><categories uri="sip:alice@contoso.com"><category name="state" instance="0" container="32000" version="1"><state/></category></categories><containers><container id="100" version="1"><member type="federated"/></container><container id="200" version="1"><member type="sameEnterprise"/></container></containers></roamingData>"#;
    bench.answer(&mut s, &subscribe, 200, active, doc);
    let w = wrote(&mut bench);
    assert!(w.iter().any(|w| w.4.contains("phoneState")) && w.iter().any(|w| w.4.contains("machineState")), "{w:?}");
}

fn appointment(bench: &Bench, busy: Busyness) -> Appointment {
    let (start, end) = (bench.now, bench.now + Duration::from_secs(1800));
    Appointment { start, end, busy, subject: "Budget".into(), place: "Room 7".into() }
}

#[test]
fn a_meeting_is_published_once_until_its_end_and_an_absence_has_no_number() {
    let (mut bench, mut s, _) = published();
    let slots = vec![Busyness::Free, Busyness::Busy, Busyness::Free, Busyness::OutOfOffice];
    let calendar = CalendarNow {
        meeting: Some(appointment(&bench, Busyness::Busy)),
        out_of_office: Some(appointment(&bench, Busyness::OutOfOffice)),
        free_busy: Some(FreeBusy { start: bench.now, slot_minutes: 15, slots }),
    };
    let set = |c: &CalendarNow| Operation::SetCalendar { calendar: Box::new(c.clone()) };
    bench.operate(&mut s, set(&calendar));
    let body = String::from_utf8_lossy(&bench.sent[0].1.body).into_owned();
    assert!(body.contains("expireType=\"time\" expires=\"1800\""), "{body}");
    let w = accept(&mut bench, &mut s);
    let (meeting, away, free) = (
        instances::meeting("alice@contoso.com"),
        instances::out_of_office_period("alice@contoso.com"),
        instances::free_busy("alice@contoso.com"),
    );
    assert_eq!(places(&w, "state"), [(meeting, 2, false), (meeting, 3, false), (away, 2, false), (away, 3, false)]);
    assert!(
        w[0].4.contains("in-a-meeting") && w[0].4.contains("Budget") && w[0].4.contains("Room 7") && w[0].4.contains(">6500<")
    );
    assert!(w[2].4.contains("minAvailability=\"12000\"") && !w[2].4.contains("<availability>"));
    assert_eq!(
        places(&w, "calendarData").iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(),
        [200, 300, 400, 100, 32_000].map(|c| (free, c))
    );
    // The same again is nothing: a status set by hand since then must go on outweighing the meeting.
    let id = bench.operate(&mut s, set(&calendar));
    assert_eq!((bench.result(id), bench.sent.len()), (Some(Ok(Outcome::Done)), 0));
    bench.operate(&mut s, set(&CalendarNow { free_busy: calendar.free_busy.clone(), ..CalendarNow::default() }));
    let w = accept(&mut bench, &mut s);
    assert!(w.len() == 4 && w.iter().all(|w| w.3), "both are taken away: {w:?}");
}

#[test]
fn working_hours_go_to_those_who_may_see_the_calendar_and_to_the_own_devices() {
    let (mut bench, mut s, _) = published();
    let periods = vec![WorkingPeriod { days: vec![1, 2], start: 540, end: 1020 }];
    let hours = WorkingHours { bias: -60, standard: None, daylight: None, periods };
    bench.operate(&mut s, Operation::SetWorkingHours { hours: Some(hours.clone()) });
    let w = accept(&mut bench, &mut s);
    assert_eq!(
        places(&w, "calendarData").iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(),
        [1, 200, 300, 400, 100, 32_000].map(|c| (0, c))
    );
    assert_eq!(places(&w, "workingHours"), [(0, 1, false)]);
    let again = bench.operate(&mut s, Operation::SetWorkingHours { hours: Some(hours) });
    assert_eq!((bench.result(again), bench.sent.len()), (Some(Ok(Outcome::Done)), 0));
}

#[test]
fn deleting_nothing_is_success() {
    let (mut bench, mut s, _) = published();
    let nothing = PublicationKey { category: "mood".into(), instance: 0, container: 200 };
    for operation in
        [Operation::Unpublish { keys: vec![nothing] }, Operation::SetPhoneState { line: PhoneLine::Voip, call: None }]
    {
        let id = bench.operate(&mut s, operation);
        assert_eq!((bench.result(id), bench.sent.len()), (Some(Ok(Outcome::Done)), 0));
    }
}

#[test]
fn grammar_free_publishing_checks_the_xml_the_container_and_the_key_before_it_sends() {
    let (mut bench, mut s, _) = published();
    let p = |category: &str, container, value: &str| Publication {
        key: PublicationKey { category: category.into(), instance: 0, container },
        version: 0,
        expiry: crate::domain::presence::Expiry::Static,
        publish_time: None,
        endpoint_id: None,
        value: value.into(),
    };
    for publications in [
        vec![],
        vec![p("mood", 200, "<mood>")],
        vec![p("mood", 32_768, "<mood/>")],
        vec![p("", 200, "<mood/>")],
        vec![p("mood", 200, "<mood/>"), p("mood", 200, "<mood/>")],
    ] {
        let id = bench.operate(&mut s, Operation::Publish { publications });
        assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::InvalidArgument);
    }
    bench.operate(&mut s, Operation::Publish { publications: vec![p("mood", 200, ""), p("mood", 32_767, "<mood/>")] });
    assert_eq!(wrote(&mut bench).len(), 2);
}

/// Another device is the most active one.
fn other_is_best(bench: &mut Bench, s: &mut Publications, subscribe: &Request) {
    let doc = r#"<roamingData><categories uri="sip:alice@contoso.com"><category name="state" instance="268435456" container="2" version="1"><state xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateMachineState" endpointId="ffffffff-8f08-50a3-b656-3cfc251b5b28"><availability>3500</availability></state></category></categories></roamingData>"#;
    bench.notify(s, subscribe, wire::CONTENT_TYPE, doc);
}

#[test]
fn a_lively_device_that_is_not_the_best_holds_its_fourth_active_state_back_for_three_minutes() {
    let (mut bench, mut s, subscribe) = published();
    other_is_best(&mut bench, &mut s, &subscribe);
    let mut turn = |bench: &mut Bench, state| {
        bench.operate(&mut s, Operation::SetMachineState { state });
        let sent = !bench.sent.is_empty();
        if sent {
            let request = bench.request();
            bench.answer(&mut s, &request, 200, "", "<roamingData/>");
        }
        bench.pass(&mut s, Duration::from_secs(10));
        sent
    };
    // The sign-in was the first active state.
    for expected in [true, true, false] {
        assert!(turn(&mut bench, MachineState::Idle));
        assert_eq!(turn(&mut bench, MachineState::Active), expected);
    }
    assert_eq!(s.poll_timeout(), Some(Time(1_000_000) + Duration::from_secs(180)), "three minutes after the first");
    bench.pass(&mut s, Duration::from_secs(180));
    assert!(wrote(&mut bench)[0].4.contains(">3500<"), "then it says what is true");
}

#[test]
fn a_held_back_active_state_is_forgotten_when_the_device_goes_idle() {
    let (mut bench, mut s, subscribe) = published();
    other_is_best(&mut bench, &mut s, &subscribe);
    for state in [
        MachineState::Idle,
        MachineState::Active,
        MachineState::Idle,
        MachineState::Active,
        MachineState::Idle,
        MachineState::Active,
        MachineState::Idle,
    ] {
        bench.operate(&mut s, Operation::SetMachineState { state });
        while !bench.sent.is_empty() {
            let request = bench.request();
            bench.answer(&mut s, &request, 200, "", "<roamingData/>");
        }
    }
    bench.pass(&mut s, Duration::from_secs(400));
    assert!(bench.sent.is_empty());
}
