//! What has not arrived when the program ends leaves after the next sign-in.

use super::*;
use crate::domain::conference::{Letter, Says};

/// The letters as they were told last.
fn letters(bench: &Bench) -> Vec<Letter> {
    let told = bench.events.iter().rev().find_map(|e| if let Event::Letters(l) = e { Some(l.clone()) } else { None });
    told.unwrap_or_default()
}

/// The program ends without another word and begins again.
fn again(bench: &mut Bench, s: &mut Scheduling) -> (Bench, Scheduling) {
    let letters = letters(bench);
    let invited = s.invited.values().cloned().collect();
    let meetings = KnownMeetings { own: listed(bench, s), invited, letters };
    // What is kept passes through a file.
    let text = serde_json::to_string(&meetings.letters).unwrap();
    let meetings = KnownMeetings { letters: serde_json::from_str(&text).unwrap(), ..meetings };
    let kept = Event::Letters(meetings.letters.clone());
    let mut s = Scheduling::new(&Config { meetings, ..config() });
    let mut next = Bench::new(ServiceId::Scheduling);
    (next.now, next.events) = (bench.now, vec![kept]);
    next.call(&mut s, |s, ctx| s.on_online(ctx));
    (next, s)
}

/// Bob and carol are invited and have it.
fn invited() -> (Bench, Scheduling, Conference) {
    let (mut bench, mut s) = scene();
    let c = schedule(&mut bench, &mut s, &["bob", "carol"]);
    assert_eq!(letters(&bench).len(), 2);
    leaves(&mut bench, &mut s, 200);
    assert_eq!(letters(&bench), []);
    (bench, s, c)
}

#[test]
fn a_change_that_was_not_answered_leaves_again() {
    let (mut bench, mut s, c) = invited();
    let settings = ConferenceSettings { subject: "Retrospective".into(), ..c.settings.clone() };
    bench.operate(&mut s, Operation::UpdateConference { id: c.id.clone(), settings });
    let first = bench.request();
    bench.answer(&mut s, &first, 200, "", "");
    bench.pass(&mut s, Duration::from_millis(200));
    assert_eq!(bench.request().1.uri.as_str(), "sip:carol@contoso.com", "no answer to this one");
    assert_eq!(letters(&bench), [Letter { to: a("carol"), meeting: c.id.clone(), says: Says::Invitation }]);
    let (mut bench, mut s) = again(&mut bench, &mut s);
    let sent = leaves(&mut bench, &mut s, 200);
    let [only] = &sent[..] else { panic!("{sent:?}") };
    let i = calendar(only);
    assert_eq!((only.uri.as_str(), i.sequence, i.settings.subject.as_str()), ("sip:carol@contoso.com", 1, "Retrospective"));
    assert!(bench.events.iter().any(|e| matches!(e, Event::Letters(l) if l.is_empty())), "now it is there");
}

#[test]
fn a_cancellation_that_was_not_answered_leaves_again_and_only_with_what_its_reader_knows() {
    let (mut bench, mut s, c) = invited();
    bench.online = false;
    bench.operate(&mut s, Operation::CancelConference { id: c.id.clone() });
    assert!(bench.sent.is_empty());
    assert_eq!(letters(&bench).len(), 2);
    let (mut bench, mut s) = again(&mut bench, &mut s);
    let first = bench.request();
    let i = calendar(&first.1);
    assert_eq!((i.method, i.uid.as_str()), (Wants::Cancel, crate::domain::itip::uid(&c).as_str()));
    assert!(!String::from_utf8_lossy(&first.1.body).contains("carol@"), "bob need not hear who else it was");
    // Bob's program takes no calendars, and the program here ends once more.
    bench.answer(&mut s, &first, 415, "", "");
    let (mut bench, mut s) = again(&mut bench, &mut s);
    assert_eq!(leaves(&mut bench, &mut s, 200).len(), 2);
    assert_eq!(letters(&bench), []);
    let (mut bench, mut s) = again(&mut bench, &mut s);
    assert!(leaves(&mut bench, &mut s, 200).is_empty());
}

#[test]
fn nobody_is_told_that_a_meeting_of_the_past_is_cancelled() {
    let (mut bench, mut s, c) = invited();
    bench.online = false;
    bench.operate(&mut s, Operation::CancelConference { id: c.id });
    bench.now = Time(bench.now.0 + 3 * HOUR);
    let (mut bench, mut s) = again(&mut bench, &mut s);
    assert!(leaves(&mut bench, &mut s, 200).is_empty());
    assert!(bench.events.iter().any(|e| matches!(e, Event::Letters(l) if l.is_empty())));
}

#[test]
fn an_answer_said_again_for_a_new_version_is_kept_one_that_is_waited_for_is_not() {
    let (mut bench, mut s) = scene();
    let c = bobs(0, bench.now.0 + HOUR);
    comes(&mut bench, &mut s, "bob", &invites(&c));
    let id = news(&mut bench)[0].0.id.clone();
    bench.operate(&mut s, Operation::AnswerMeeting { id: id.clone(), answer: Answer::Accepted });
    assert_eq!(letters(&bench), [], "whoever answers sees that it did not arrive");
    let sent = bench.request();
    bench.answer(&mut s, &sent, 200, "", "");
    bench.pass(&mut s, Duration::from_secs(1));
    let renamed = Conference { version: 1, settings: ConferenceSettings { subject: "Other".into(), ..c.settings.clone() }, ..c };
    comes(&mut bench, &mut s, "bob", &invites(&renamed));
    assert_eq!(letters(&bench), [Letter { to: a("bob"), meeting: id, says: Says::Answered(Answer::Accepted) }]);
    let (mut bench, _s) = again(&mut bench, &mut s);
    assert_eq!(calendar(&bench.request().1).answers, [(a("alice"), Answer::Accepted)]);
}
