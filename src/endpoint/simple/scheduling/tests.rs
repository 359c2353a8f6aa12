//! Alice schedules on a server that keeps nothing; bob and carol are played by hand.

use super::*;
use crate::domain::conference::Invitee;
use crate::domain::conversation::Role;
use crate::domain::itip::read::read;
use crate::domain::itip::{Invitation, Method as Wants, write};
use crate::domain::series::Series;
use crate::endpoint::config::KnownMeetings;
use crate::endpoint::service::ServiceId;
use crate::endpoint::testkit::Bench;
use crate::sip::Uri;
use std::time::Duration;

#[path = "kept_tests.rs"]
mod kept;

const HOUR: u64 = 3_600_000;

fn a(user: &str) -> Address {
    Address::parse(&format!("{user}@contoso.com")).unwrap()
}

fn config() -> Config {
    Config { dialect: crate::endpoint::Dialect::Simple, ..Config::new(a("alice"), "") }
}

fn scene() -> (Bench, Scheduling) {
    (Bench::new(ServiceId::Scheduling), Scheduling::new(&config()))
}

fn settings(people: &[&str], start: u64) -> ConferenceSettings {
    ConferenceSettings {
        subject: "Sprint review".into(),
        start: Some(Time(start)),
        end: Some(Time(start + HOUR)),
        time_zone: "Europe/Berlin".into(),
        participants: people.iter().map(|u| Invitee { uri: a(u), role: Role::Attendee }).collect(),
        ..ConferenceSettings::default()
    }
}

fn schedule(bench: &mut Bench, s: &mut Scheduling, people: &[&str]) -> Conference {
    let start = bench.now.0 + HOUR;
    let op = bench.operate(s, Operation::ScheduleConference { settings: settings(people, start) });
    let Some(Ok(Outcome::Conference(c))) = bench.result(op) else { panic!("{:?}", bench.result(op)) };
    *c
}

fn listed(bench: &mut Bench, s: &mut Scheduling) -> Vec<Conference> {
    let op = bench.operate(s, Operation::ListConferences);
    let Some(Ok(Outcome::Conferences(list))) = bench.result(op) else { panic!() };
    list
}

fn calendar(request: &Request) -> Invitation {
    read(std::str::from_utf8(&request.body).unwrap(), &|w| w.starts_with("sip:")).unwrap()
}

/// Everything that leaves within a second, answered with this status.
fn leaves(bench: &mut Bench, s: &mut Scheduling, status: u16) -> Vec<Request> {
    let mut out = Vec::new();
    for _ in 0..20 {
        while !bench.sent.is_empty() {
            let sent = bench.request();
            bench.answer(s, &sent, status, "", "");
            out.push(sent.1);
        }
        bench.pass(s, Duration::from_millis(200));
    }
    out
}

fn comes(bench: &mut Bench, s: &mut Scheduling, from: &str, text: &str) -> u16 {
    let mut r = Request::new(Method::Message, Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("From", format!("<sip:{from}@contoso.com>;tag=b"))
        .push("To", "<sip:alice@contoso.com>")
        .push("Call-ID", format!("c{}", bench.now.0))
        .push("CSeq", "1 MESSAGE")
        .push("Content-Type", "text/calendar; charset=utf-8; method=REQUEST");
    r.body = text.as_bytes().to_vec();
    bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    bench.answers.pop().unwrap().status
}

fn news(bench: &mut Bench) -> Vec<(Conference, News)> {
    let of = |e| match e {
        Event::Meeting { meeting, news } => Some((*meeting, news)),
        _ => None,
    };
    bench.take_events().into_iter().filter_map(of).collect()
}

fn notices(bench: &mut Bench) -> Vec<String> {
    let of = |e| match e {
        Event::Notice(text) => Some(text),
        _ => None,
    };
    bench.take_events().into_iter().filter_map(of).collect()
}

/// A meeting of bob to which alice is invited.
fn bobs(version: u32, start: u64) -> Conference {
    Conference {
        id: ConferenceId("B0B5MEET".into()),
        uri: "sip:bob@contoso.com".into(),
        join_url: String::new(),
        organizer: a("bob"),
        version,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: BTreeMap::new(),
        settings: settings(&["alice", "carol"], start),
    }
}

fn invites(c: &Conference) -> String {
    write::request(c, &|_| String::new(), Time(1_000_000))
}

#[test]
fn a_meeting_is_kept_here_and_each_is_invited_by_a_calendar() {
    let (mut bench, mut s) = scene();
    let c = schedule(&mut bench, &mut s, &["bob", "carol", "alice"]);
    assert_eq!((c.uri.as_str(), c.version, c.settings.participants.len()), ("sip:alice@contoso.com", 0, 2));
    let sent = leaves(&mut bench, &mut s, 200);
    assert_eq!(sent.iter().map(|r| r.uri.as_str()).collect::<Vec<_>>(), ["sip:bob@contoso.com", "sip:carol@contoso.com"]);
    let media = sent[0].headers.get(&Name::ContentType).unwrap();
    assert_eq!(media, "text/calendar; charset=utf-8; method=REQUEST; component=VEVENT");
    let i = calendar(&sent[0]);
    assert_eq!((i.method, i.sequence, i.link.as_deref()), (Wants::Request, 0, Some("sip:alice@contoso.com")));
    assert_eq!((i.settings.start, i.settings.subject.as_str()), (c.settings.start, "Sprint review"));
    let list = listed(&mut bench, &mut s);
    assert!(list[0].answers.values().all(|a| *a == Answer::Waiting), "{:?}", list[0].answers);
}

#[test]
fn invitations_keep_the_pace_of_the_server() {
    let (mut bench, mut s) = scene();
    let people: Vec<String> = (0..40).map(|n| format!("u{n}")).collect();
    schedule(&mut bench, &mut s, &people.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(bench.sent.len(), 1);
    bench.pass(&mut s, Duration::from_secs(2));
    assert_eq!(bench.sent.len(), 11);
}

#[test]
fn answers_are_shown_once_and_only_of_those_invited() {
    let (mut bench, mut s) = scene();
    let c = schedule(&mut bench, &mut s, &["bob", "carol"]);
    leaves(&mut bench, &mut s, 200);
    news(&mut bench);
    let yes = write::reply(&c, &a("bob"), "Bob", Answer::Accepted, bench.now);
    assert_eq!(comes(&mut bench, &mut s, "bob", &yes), 200);
    assert!(
        matches!(&news(&mut bench)[..], [(c, News::Answered(who))] if *who == a("bob") && c.answers[who] == Answer::Accepted)
    );
    assert_eq!((comes(&mut bench, &mut s, "bob", &yes), news(&mut bench).len()), (200, 0));
    let forged = write::reply(&c, &a("carol"), "Carol", Answer::Declined, bench.now);
    assert_eq!(comes(&mut bench, &mut s, "mallory", &forged), 403);
    assert!(notices(&mut bench)[0].contains("in the name of carol@contoso.com"));
    let crasher = write::reply(&c, &a("mallory"), "M", Answer::Accepted, bench.now);
    assert_eq!(comes(&mut bench, &mut s, "mallory", &crasher), 403);
    assert!(notices(&mut bench)[0].contains("is not invited"));
    assert_eq!(listed(&mut bench, &mut s)[0].answers[&a("carol")], Answer::Waiting);
}

#[test]
fn another_time_asks_everybody_again_and_another_title_nobody() {
    let (mut bench, mut s) = scene();
    let c = schedule(&mut bench, &mut s, &["bob", "carol"]);
    leaves(&mut bench, &mut s, 200);
    let yes = write::reply(&c, &a("bob"), "Bob", Answer::Accepted, bench.now);
    comes(&mut bench, &mut s, "bob", &yes);
    let renamed = ConferenceSettings { subject: "Review".into(), ..c.settings.clone() };
    bench.operate(&mut s, Operation::UpdateConference { id: c.id.clone(), settings: renamed.clone() });
    let sent = leaves(&mut bench, &mut s, 200);
    assert_eq!(sent.iter().map(|r| calendar(r).sequence).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(listed(&mut bench, &mut s)[0].answers[&a("bob")], Answer::Accepted);

    let start = bench.now.0 + 3 * HOUR;
    let moved = ConferenceSettings { start: Some(Time(start)), end: Some(Time(start + HOUR)), ..renamed };
    bench.operate(&mut s, Operation::UpdateConference { id: c.id.clone(), settings: moved });
    leaves(&mut bench, &mut s, 200);
    let list = listed(&mut bench, &mut s);
    assert_eq!((list[0].version, list[0].answers[&a("bob")]), (2, Answer::Waiting));
    // An answer to the time before counts no more.
    assert_eq!(comes(&mut bench, &mut s, "bob", &yes), 200);
    assert_eq!(listed(&mut bench, &mut s)[0].answers[&a("bob")], Answer::Waiting);
}

#[test]
fn who_is_taken_out_and_who_had_a_cancelled_meeting_is_told() {
    let (mut bench, mut s) = scene();
    let c = schedule(&mut bench, &mut s, &["bob", "carol"]);
    leaves(&mut bench, &mut s, 200);
    let without = ConferenceSettings { participants: c.settings.participants[1..].to_vec(), ..c.settings.clone() };
    bench.operate(&mut s, Operation::UpdateConference { id: c.id.clone(), settings: without });
    let sent = leaves(&mut bench, &mut s, 200);
    let wants: Vec<(String, Wants)> = sent.iter().map(|r| (r.uri.as_str().to_owned(), calendar(r).method)).collect();
    assert_eq!(wants, [("sip:bob@contoso.com".into(), Wants::Cancel), ("sip:carol@contoso.com".into(), Wants::Request)]);
    bench.operate(&mut s, Operation::CancelConference { id: c.id.clone() });
    let sent = leaves(&mut bench, &mut s, 200);
    assert_eq!(sent.len(), 1);
    let i = calendar(&sent[0]);
    assert_eq!((i.method, i.cancelled, i.sequence), (Wants::Cancel, true, 2));
    assert!(listed(&mut bench, &mut s).is_empty());
    let op = bench.operate(&mut s, Operation::GetConference { id: c.id });
    assert!(matches!(bench.result(op), Some(Err(e)) if e.kind == ErrorKind::NotFound));
}

#[test]
fn a_program_without_calendars_gets_the_facts_in_words() {
    let (mut bench, mut s) = scene();
    schedule(&mut bench, &mut s, &["bob"]);
    let sent = bench.request();
    bench.answer(&mut s, &sent, 415, "Accept: text/plain", "");
    bench.pass(&mut s, Duration::from_secs(1));
    let words = bench.request();
    let text = String::from_utf8(words.1.body.clone()).unwrap();
    assert!(text.starts_with("Invitation: Sprint review\nWhen: Thu 1 Jan 1970, 02:16 to 03:16 (Europe/Berlin)\n"), "{text}");
    assert!(text.contains("Where: sip:alice@contoso.com\n"));
    bench.answer(&mut s, &words, 200, "", "");
    assert_eq!(listed(&mut bench, &mut s)[0].answers[&a("bob")], Answer::Told);
}

#[test]
fn an_invitation_that_meets_nobody_is_told_and_a_busy_server_is_tried_again() {
    let (mut bench, mut s) = scene();
    schedule(&mut bench, &mut s, &["bob"]);
    let sent = bench.request();
    bench.answer(&mut s, &sent, 503, "", "");
    bench.pass(&mut s, Duration::from_secs(5));
    let sent = bench.request();
    bench.answer(&mut s, &sent, 404, "", "");
    assert!(notices(&mut bench)[0].contains("bob@contoso.com is not invited to “Sprint review”"));
    assert_eq!(listed(&mut bench, &mut s)[0].answers[&a("bob")], Answer::Failed);
}

#[test]
fn an_invitation_too_large_for_the_link_is_given_up_in_the_end() {
    let (mut bench, mut s) = scene();
    schedule(&mut bench, &mut s, &["bob"]);
    for wait in [5, 30, 120] {
        let sent = bench.request();
        bench.call(&mut s, |s, ctx| s.on_reply(ctx, sent.0, Reply::LinkLost));
        assert!(bench.sent.is_empty());
        bench.pass(&mut s, Duration::from_secs(wait));
    }
    let sent = bench.request();
    bench.call(&mut s, |s, ctx| s.on_reply(ctx, sent.0, Reply::LinkLost));
    assert!(notices(&mut bench)[0].contains("bob@contoso.com is not invited to “Sprint review”"));
}

#[test]
fn a_restart_keeps_the_list_and_sends_what_had_not_left() {
    let (mut bench, mut s) = scene();
    let c = schedule(&mut bench, &mut s, &["bob", "carol"]);
    let first = bench.request();
    bench.answer(&mut s, &first, 200, "", "");
    let own = listed(&mut bench, &mut s);
    let meetings = KnownMeetings { own, invited: vec![bobs(3, bench.now.0 + HOUR)], letters: Vec::new() };
    let mut s = Scheduling::new(&Config { meetings, ..config() });
    let mut bench = Bench::new(ServiceId::Scheduling);
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let sent = leaves(&mut bench, &mut s, 202);
    assert_eq!(sent.iter().map(|r| r.uri.as_str()).collect::<Vec<_>>(), ["sip:carol@contoso.com"]);
    assert_eq!(listed(&mut bench, &mut s)[0].id, c.id);
    let older = invites(&bobs(2, bench.now.0 + 2 * HOUR));
    assert_eq!(comes(&mut bench, &mut s, "bob", &older), 400);
}

#[test]
fn an_invitation_is_asked_about_once_answered_and_changed() {
    let (mut bench, mut s) = scene();
    let c = bobs(0, bench.now.0 + HOUR);
    assert_eq!(comes(&mut bench, &mut s, "bob", &invites(&c)), 200);
    let [(got, News::Invited)] = &news(&mut bench)[..] else { panic!() };
    assert_eq!((&got.organizer, got.uri.as_str(), got.answers[&a("alice")]), (&a("bob"), "sip:bob@contoso.com", Answer::Waiting));
    let id = got.id.clone();
    comes(&mut bench, &mut s, "bob", &invites(&c));
    assert!(news(&mut bench).is_empty());

    let op = bench.operate(&mut s, Operation::AnswerMeeting { id: id.clone(), answer: Answer::Accepted });
    assert_eq!(bench.result(op), None);
    let sent = bench.request();
    assert_eq!(calendar(&sent.1).answers, [(a("alice"), Answer::Accepted)]);
    bench.answer(&mut s, &sent, 200, "", "");
    assert_eq!(bench.result(op), Some(Ok(Outcome::Done)));

    // Another title: what was said is said again of the new version; another time: it is asked again.
    let mut renamed = bobs(1, bench.now.0 + HOUR);
    renamed.settings = ConferenceSettings { subject: "Review".into(), ..c.settings.clone() };
    comes(&mut bench, &mut s, "bob", &invites(&renamed));
    assert!(matches!(&news(&mut bench)[..], [(c, News::Changed { again: false })] if c.settings.subject == "Review"));
    let sent = leaves(&mut bench, &mut s, 200);
    assert_eq!((calendar(&sent[0]).sequence, calendar(&sent[0]).method), (1, Wants::Reply));
    let moved = bobs(2, bench.now.0 + 5 * HOUR);
    comes(&mut bench, &mut s, "bob", &invites(&moved));
    assert!(matches!(&news(&mut bench)[..], [(c, News::Changed { again: true })] if c.answers[&a("alice")] == Answer::Waiting));
    let off = write::cancel(&moved, &|_| String::new(), bench.now);
    comes(&mut bench, &mut s, "bob", &off);
    assert!(matches!(&news(&mut bench)[..], [(_, News::Cancelled)]));
    let op = bench.operate(&mut s, Operation::AnswerMeeting { id, answer: Answer::Accepted });
    assert!(matches!(bench.result(op), Some(Err(e)) if e.kind == ErrorKind::NotFound));
}

#[test]
fn an_answer_that_does_not_arrive_is_told() {
    let (mut bench, mut s) = scene();
    comes(&mut bench, &mut s, "bob", &invites(&bobs(0, 2_000_000)));
    let (c, _) = news(&mut bench).remove(0);
    for (status, words) in [(480, "not there"), (503, "503"), (415, "cannot show")] {
        let op = bench.operate(&mut s, Operation::AnswerMeeting { id: c.id.clone(), answer: Answer::Declined });
        let sent = bench.request();
        bench.answer(&mut s, &sent, status, "", "");
        assert!(matches!(bench.result(op), Some(Err(e)) if e.text.contains(words)), "{status} {:?}", bench.result(op));
        bench.pass(&mut s, Duration::from_secs(1));
    }
    let op = bench.operate(&mut s, Operation::AnswerMeeting { id: c.id.clone(), answer: Answer::Declined });
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    assert!(matches!(bench.result(op), Some(Err(e)) if e.kind == ErrorKind::Retryable));
}

#[test]
fn hostile_calendars_are_refused_each_with_its_sentence() {
    let (mut bench, mut s) = scene();
    let mine = schedule(&mut bench, &mut s, &["bob"]);
    leaves(&mut bench, &mut s, 200);
    let c = bobs(5, bench.now.0 + HOUR);
    comes(&mut bench, &mut s, "bob", &invites(&c));
    let endless = |rule: &str| {
        let mut c = bobs(9, bench.now.0 + HOUR);
        (c.id, c.settings.series) = (ConferenceId("OTHER123".into()), Some(Series::new("FREQ=DAILY")));
        invites(&c).replace("RRULE:FREQ=DAILY", &format!("RRULE:{rule}"))
    };
    let taken_over = Conference { organizer: a("mallory"), version: 9, ..c.clone() };
    let of_mine = Conference { organizer: a("mallory"), version: 9, ..mine.clone() };
    let later = Conference { version: 9, ..c.clone() };
    let huge = format!("{}{}", invites(&c), "X-FILL:1\r\n".repeat(10_000));
    let cases: Vec<(&str, String, u16, &str)> = vec![
        ("bob", huge, 413, "too large"),
        ("bob", "hello".into(), 400, "cannot be read"),
        ("bob", endless("FREQ=DAILY;COUNT=1000000"), 400, "more than 1000 times"),
        ("bob", endless("FREQ=SECONDLY"), 400, "not known here"),
        ("mallory", invites(&later), 403, "in the name of bob"),
        ("mallory", invites(&taken_over), 403, "tried to change “Sprint review” of bob"),
        ("mallory", invites(&of_mine), 403, "tried to change “Sprint review” of alice"),
        ("mallory", write::cancel(&later, &|_| String::new(), bench.now), 403, "in the name of bob"),
        ("bob", invites(&bobs(4, bench.now.0 + HOUR)), 400, "older form"),
        ("bob", invites(&c).replace("METHOD:REQUEST", "METHOD:COUNTER"), 400, "neither invites"),
        ("bob", invites(&c).replace("UID:B0B5MEET@contoso.com", "UID:"), 400, "no name"),
    ];
    bench.take_events();
    for (from, text, status, words) in cases {
        assert_eq!(comes(&mut bench, &mut s, from, &text), status, "{words}");
        let said = notices(&mut bench);
        assert!(said.len() == 1 && said[0].contains(words), "{words}: {said:?}");
    }
    let op = bench.operate(&mut s, Operation::GetConference { id: c.id.clone() });
    assert!(matches!(bench.result(op), Some(Ok(Outcome::Conference(k))) if k.version == 5 && k.organizer == a("bob")));
    assert_eq!(listed(&mut bench, &mut s)[0].version, 0);
}

#[test]
fn one_time_of_a_series_is_moved_and_cancelled() {
    let (mut bench, mut s) = scene();
    let start = bench.now.0 + HOUR;
    let mut c = bobs(0, start);
    c.settings.series = Some(Series::new("FREQ=WEEKLY"));
    comes(&mut bench, &mut s, "bob", &invites(&c));
    news(&mut bench);
    let stamp = Time(start + 7 * 24 * HOUR).timestamp().strftime("%Y%m%dT%H%M%SZ").to_string();
    let one = |method: &str, line: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:B0B5MEET@contoso.com\r\nSEQUENCE:1\r\n\
             RECURRENCE-ID:{stamp}\r\nORGANIZER:sip:bob@contoso.com\r\n{line}SUMMARY:Sprint review\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    comes(&mut bench, &mut s, "bob", &one("REQUEST", "DTSTART:19700110T100000Z\r\nDTEND:19700110T110000Z\r\n"));
    let (got, _) = news(&mut bench).remove(0);
    assert_eq!(got.settings.series.as_ref().unwrap().moved.len(), 1);
    comes(&mut bench, &mut s, "bob", &one("CANCEL", ""));
    let (got, what) = news(&mut bench).remove(0);
    let series = got.settings.series.as_ref().unwrap();
    assert_eq!((series.moved.len(), series.cancelled.len(), what), (0, 1, News::Changed { again: false }));
}

#[test]
fn what_the_wire_cannot_say_is_refused() {
    let (mut bench, mut s) = scene();
    let start = bench.now.0 + HOUR;
    let bad = [
        ConferenceSettings { passcode: Some("4711".into()), ..settings(&["bob"], start) },
        ConferenceSettings { start: None, end: None, ..settings(&["bob"], start) },
    ];
    for settings in bad {
        let op = bench.operate(&mut s, Operation::ScheduleConference { settings });
        assert!(matches!(bench.result(op), Some(Err(_))));
    }
    assert!(bench.sent.is_empty());
}
