//! Scripts for what the screen is told of the own presence on a standard server.

use super::publishing::Publishing;
use crate::domain::Time;
use crate::domain::access::SourceNetwork;
use crate::domain::calendar::{Appointment, Busyness, CalendarNow};
use crate::domain::presence::{Availability, CustomStatus, Level, Member, Note, SelfPresence, UserStatus};
use crate::endpoint::event::Feature;
use crate::endpoint::service::{Service, ServiceId, Token};
use crate::endpoint::sight::{Viewer, sight};
use crate::endpoint::testkit::Bench;
use crate::endpoint::why::why;
use crate::endpoint::{Event, Operation};
use crate::sip::{Method, Request};
use std::time::Duration;

/// Signed in; the first PUBLISH.
fn publishing() -> (Bench, Publishing, (Token, Request)) {
    let (mut bench, mut s) = (Bench::new(ServiceId::Publication), Publishing::new(None));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let first = bench.request();
    bench.sent.clear();
    (bench, s, first)
}

fn own(bench: &Bench) -> SelfPresence {
    let of = |e: &Event| if let Event::SelfPresence(own) = e { Some((**own).clone()) } else { None };
    bench.events.iter().rev().find_map(of).unwrap()
}

fn missing(bench: &Bench, feature: Feature) -> Option<String> {
    let of = |e: &Event| match e {
        Event::Missing { what, why } if *what == feature => Some(why.clone()),
        _ => None,
    };
    bench.events.iter().rev().find_map(of).flatten()
}

fn status(status: UserStatus, words: &str) -> Operation {
    Operation::SetStatus { status, activity: words.into(), until: None }
}

fn seen_at(bench: &Bench, level: Level) -> Vec<(String, String)> {
    let replica = own(bench);
    let seen = sight(&bench.me.uri, &replica, Viewer::Container(level.container()), bench.now);
    seen.facts.into_iter().map(|f| (f.what, f.words)).collect()
}

#[test]
fn this_device_stands_among_the_own_ones_and_decides() {
    let (bench, ..) = publishing();
    let why = why(&own(&bench), &bench.me.contact, bench.now);
    let decider = why.decider().unwrap();
    assert_eq!((decider.who.as_str(), decider.here, decider.availability), ("This device", true, Some(Availability::AVAILABLE)));
}

#[test]
fn what_is_set_by_hand_is_a_source_of_its_own_and_can_be_cleared() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    bench.operate(&mut s, status(UserStatus::DoNotDisturb, ""));
    let told = why(&own(&bench), &bench.me.contact, bench.now);
    let by_hand = told.decider().unwrap().clone();
    assert_eq!((by_hand.who.as_str(), by_hand.availability), ("Set by hand", Some(Availability::DO_NOT_DISTURB)));
    assert!(by_hand.ends.is_some(), "it ends by itself");
    bench.operate(&mut s, Operation::Unpublish { keys: by_hand.keys });
    let told = why(&own(&bench), &bench.me.contact, bench.now);
    assert_eq!(told.decider().unwrap().who, "This device");
}

#[test]
fn each_level_sees_what_its_rule_lets_through() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    bench.operate(&mut s, status(UserStatus::Busy, "In the lab"));
    bench.operate(&mut s, Operation::SetLocation { location: "Room 3".into() });
    let note = Note { text: "back at 3".into(), out_of_office: false, start: None, end: None };
    bench.operate(&mut s, Operation::SetNote { note: Some(note) });
    let what = |level| seen_at(&bench, level).into_iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(what(Level::Personal), ["Status", "Activity", "Note", "Location"]);
    assert_eq!(what(Level::Workgroup), what(Level::Personal));
    assert_eq!(what(Level::Colleagues), ["Status", "Activity"]);
    assert_eq!(seen_at(&bench, Level::External), [("Status".to_owned(), "Available".to_owned())], "a service tells no more");
    assert_eq!(seen_at(&bench, Level::Blocked), [("Status".to_owned(), "Offline".to_owned())]);
    assert_eq!(what(Level::Everyone), Vec::<String>::new());
}

#[test]
fn somebody_on_a_level_sees_what_it_shows() {
    let (bench, ..) = publishing();
    let bob = crate::domain::Address::parse("bob@contoso.com").unwrap();
    let level = crate::domain::presence::Container {
        id: Level::Colleagues.container(),
        version: 0,
        members: vec![Member::User(bob.clone())],
    };
    let replica = SelfPresence { containers: vec![level], ..own(&bench) };
    let viewer = Viewer::Person { uri: bob, network: SourceNetwork::SameEnterprise };
    assert_eq!(sight(&bench.me.uri, &replica, viewer, bench.now).presence.availability, Some(Availability::AVAILABLE));
}

#[test]
fn a_server_that_takes_no_presence_is_told_and_nothing_is_pretended() {
    for answer in [404, 405, 489, 501, 403] {
        let (mut bench, mut s, first) = publishing();
        bench.answer(&mut s, &first, answer, "", "");
        let why = missing(&bench, Feature::OwnPresence).unwrap();
        assert!(why.contains("sees your status"), "{why}");
        assert_eq!(seen_at(&bench, Level::Personal), [], "nobody sees anything");
        let id = bench.operate(&mut s, status(UserStatus::Busy, ""));
        assert_eq!(bench.result(id).unwrap().unwrap_err().text, why);
        bench.pass(&mut s, Duration::from_secs(3600));
        assert!(bench.sent.is_empty());
        bench.call(&mut s, |s, ctx| s.on_online(ctx));
        assert_eq!(missing(&bench, Feature::OwnPresence), None, "it is asked anew with the next registration");
    }
}

#[test]
fn freeswitch_forgets_what_nobody_watches_and_is_told_again() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 404, "User-Agent: FreeSWITCH-mod_sofia/1.10", "");
    assert_eq!(missing(&bench, Feature::OwnPresence), None);
    bench.pass(&mut s, Duration::from_secs(700));
    assert!(bench.sent.iter().any(|r| r.1.method == Method::Publish && !r.1.body.is_empty()));
}

#[test]
fn a_note_is_told_when_it_begins_and_taken_back_when_it_ends() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    let at = |secs: u64| Some(Time(1_000_000 + secs * 1000));
    let note = Note { text: "on the train".into(), out_of_office: false, start: at(60), end: at(120) };
    bench.operate(&mut s, Operation::SetNote { note: Some(note) });
    let mut said = |seconds| {
        bench.pass(&mut s, Duration::from_secs(seconds));
        let sent = bench.request();
        bench.answer(&mut s, &sent, 200, "SIP-ETag: a.2\nExpires: 1800", "");
        String::from_utf8(sent.1.body).unwrap().contains("on the train")
    };
    assert!(!said(10));
    assert!(said(60));
    assert!(!said(60));
}

#[test]
fn where_no_rules_are_kept_nothing_is_said_of_who_sees_nothing() {
    let (bench, ..) = publishing();
    assert_eq!(missing(&bench, Feature::DefaultAccess), None);
    assert!(missing(&bench, Feature::Levels).unwrap().contains("xcap"));
}

#[test]
fn a_status_of_ones_own_making_is_told_in_its_words_and_an_unknown_one_refused() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    let texts = vec![(1033, "In the lab".to_owned())];
    bench.me.custom_statuses = vec![CustomStatus { id: "lab".into(), status: UserStatus::Busy, texts }];
    bench.operate(&mut s, Operation::SetCustomStatus { id: "lab".into(), until: None });
    bench.pass(&mut s, Duration::from_secs(4));
    assert!(String::from_utf8(bench.request().1.body).unwrap().contains("In the lab"));
    let id = bench.operate(&mut s, Operation::SetCustomStatus { id: "den".into(), until: None });
    assert!(bench.result(id).unwrap().unwrap_err().text.contains("den"));
}

#[test]
fn a_meeting_of_the_calendar_is_told_while_nothing_is_set_by_hand() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    let meeting = Appointment {
        start: bench.now,
        end: bench.now + Duration::from_secs(3600),
        busy: Busyness::Busy,
        subject: "Budget".into(),
        place: String::new(),
    };
    let now = CalendarNow { meeting: Some(meeting), ..CalendarNow::default() };
    bench.operate(&mut s, Operation::SetCalendar { calendar: Box::new(now) });
    assert_eq!(why(&own(&bench), &bench.me.contact, bench.now).decider().unwrap().who, "Calendar");
    bench.pass(&mut s, Duration::from_secs(4));
    let sent = bench.request();
    bench.answer(&mut s, &sent, 200, "SIP-ETag: a.2\nExpires: 1800", "");
    assert!(String::from_utf8(sent.1.body).unwrap().contains("<rpid:meeting/>"));
    bench.operate(&mut s, status(UserStatus::Available, ""));
    bench.pass(&mut s, Duration::from_secs(4));
    assert!(!String::from_utf8(bench.request().1.body).unwrap().contains("meeting"));
}
