use super::read::{TIMES_MAX, read};
use super::*;
use crate::domain::Time;
use crate::domain::conference::{Answer, ConferenceSettings, Invitee};
use crate::domain::conversation::Role;
use crate::domain::series::Series;
use std::collections::BTreeMap;

fn a(user: &str) -> Address {
    Address::parse(&format!("{user}@contoso.example")).unwrap()
}

fn at(text: &str) -> Time {
    Time::from_timestamp(text.parse().unwrap())
}

fn meeting() -> Conference {
    Conference {
        id: ConferenceId("6f0e5b9c11".into()),
        uri: "sip:alice@contoso.example".into(),
        join_url: String::new(),
        organizer: a("alice"),
        version: 2,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: BTreeMap::from([(a("bob"), Answer::Tentative)]),
        settings: ConferenceSettings {
            subject: "Sprint review".into(),
            start: Some(at("2026-12-01T10:00:00Z")),
            end: Some(at("2026-12-01T10:45:00Z")),
            time_zone: "Europe/Berlin".into(),
            participants: ["bob", "carol"].map(|u| Invitee { uri: a(u), role: Role::Attendee }).into(),
            ..ConferenceSettings::default()
        },
    }
}

fn reads(text: &str) -> Invitation {
    read(text, &|w| w.starts_with("sip:")).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn name(u: &Address) -> String {
    u.user().to_owned()
}

#[test]
fn what_is_sent_is_read_with_answers_and_place() {
    let text = write::request(&meeting(), &name, Time(0));
    assert!(!text.contains("VALARM") && !text.contains("VTIMEZONE"), "{text}");
    let i = reads(&text);
    assert_eq!((i.method, i.uid.as_str(), i.sequence), (Method::Request, "6f0e5b9c11@contoso.example", 2));
    assert_eq!(i.answers, [(a("bob"), Answer::Tentative), (a("carol"), Answer::Waiting)]);
    assert_eq!((i.link.as_deref(), i.odd), (Some("sip:alice@contoso.example"), None));
    assert_eq!((i.settings.start, i.settings.end), (meeting().settings.start, meeting().settings.end));
    assert_eq!(id_of(&i.uid, &a("alice")), meeting().id);
}

#[test]
fn a_series_keeps_its_zone_on_the_way() {
    let mut c = meeting();
    c.settings.series = Some(Series::new("FREQ=WEEKLY;COUNT=5"));
    let i = reads(&write::request(&c, &name, Time(0)));
    assert_eq!((i.settings.time_zone.as_str(), i.odd), ("Europe/Berlin", None));
    assert_eq!(i.settings.start, c.settings.start);
}

#[test]
fn an_answer_and_a_cancellation_name_the_meeting() {
    for (answer, word) in [(Answer::Accepted, "ACCEPTED"), (Answer::Tentative, "TENTATIVE"), (Answer::Declined, "DECLINED")] {
        let text = write::reply(&meeting(), &a("carol"), "Carol \"C\"\r\nX:1", answer, Time(0));
        assert!(text.contains(&format!("PARTSTAT={word}")) && !text.contains("\nX:1"), "{text}");
        let i = reads(&text);
        assert_eq!((i.method, i.sequence, i.answers), (Method::Reply, 2, vec![(a("carol"), answer)]));
    }
    let i = reads(&write::cancel(&meeting(), &name, Time(0)));
    assert_eq!((i.method, i.cancelled, i.sequence), (Method::Cancel, true, 3));
}

#[test]
fn an_answer_needs_no_time() {
    let text = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:7\r\nATTENDEE;PARTSTAT=accepted:sip:bob@contoso.example\r\n\
        END:VEVENT\r\nEND:VCALENDAR\r\n";
    let i = reads(text);
    assert_eq!((i.method, i.uid.as_str(), i.settings.start), (Method::Reply, "7", None));
    assert_eq!(i.answers, [(a("bob"), Answer::Accepted)]);
}

#[test]
fn names_of_other_calendars_come_back_as_they_were() {
    let organizer = a("alice");
    for uid in ["x@contoso.example", "x@elsewhere.example", "x", "x@", "a@b@contoso.example", "@contoso.example", "@"] {
        let c = Conference { id: id_of(uid, &organizer), ..meeting() };
        assert_eq!(super::uid(&c), uid);
    }
    assert_ne!(id_of("x", &organizer), id_of("x@contoso.example", &organizer));
}

#[test]
fn what_cannot_be_shown_as_it_is_meant_is_told() {
    let with = |line: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:7\r\nDTSTART:20261201T100000Z\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        reads(&text).odd
    };
    assert_eq!(with("SUMMARY:x"), None);
    assert_eq!(with(&format!("RRULE:FREQ=DAILY;COUNT={TIMES_MAX}")), None);
    assert!(with("RRULE:FREQ=DAILY;COUNT=1000000").unwrap().contains("1000 times"));
    assert!(with("RRULE:FREQ=SECONDLY").unwrap().contains("not known"));
    assert!(with("RRULE:FREQ=DAILY\r\nRDATE:20261205T100000Z").unwrap().contains("not known"));
    let dates = (0..600).map(|n| format!("20270101T{:02}{:02}00Z", n / 60, n % 60)).collect::<Vec<_>>().join(",");
    assert!(with(&format!("RRULE:FREQ=DAILY\r\nEXDATE:{dates}")).unwrap().contains("exceptions"));
    assert!(with("END:VEVENT\r\nBEGIN:VEVENT\r\nUID:8\r\nDTSTART:20261201T100000Z").unwrap().contains("more than one"));
}
