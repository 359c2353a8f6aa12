//! A meeting calls people who take part by an ordinary conversation: front end and endpoints on one virtual wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::conference::{Conference, ConferenceSettings};
use adsum::domain::conversation::{Conversation, ConversationId, ConversationState as S, Delivery, MessageId};
use adsum::endpoint::{JoinTarget, Operation, Outcome};
use std::time::Duration;
use support::world::{World, address};

fn id(name: &str) -> ConversationId {
    ConversationId(name.into())
}

fn say(talk: &ConversationId, message: &str, text: &str) -> Operation {
    Operation::SendMessage { conversation: talk.clone(), message: MessageId(message.into()), text: text.into() }
}

fn meeting(w: &mut World) -> Conference {
    let settings = ConferenceSettings { subject: "Budget".into(), ..ConferenceSettings::default() };
    let Ok(Outcome::Conference(c)) = w.done(0, Operation::ScheduleConference { settings }) else { panic!() };
    let join = Operation::JoinConference { id: id("a"), target: JoinTarget::Link(c.uri.clone()), passcode: None };
    assert_eq!(w.done(0, join), Ok(Outcome::Done), "{}", w.report(0));
    w.settle();
    *c
}

fn talk(w: &World, client: usize) -> Conversation {
    let all = &w.view(client).conversations;
    let mut live = all.values().filter(|c| c.state != S::Terminated);
    live.next().unwrap_or_else(|| panic!("{}", w.report(client))).clone()
}

fn people(c: &Conversation) -> Vec<&str> {
    c.participants.iter().map(|p| p.uri.user()).collect()
}

fn call(who: &str) -> Operation {
    Operation::CallIn { conversation: id("a"), uri: address(who) }
}

#[test]
fn somebody_who_was_called_talks_with_the_meeting_until_one_hangs_up() {
    let mut w = World::signed_in(31, &["alice", "bob"]);
    meeting(&mut w);
    assert_eq!(w.done(0, call("bob")), Ok(Outcome::Done), "{}", w.report(0));
    w.settle();
    let (alice, bob) = (talk(&w, 0), talk(&w, 1));
    assert_eq!((people(&alice), alice.participants[0].has_messages), (vec!["bob"], true));
    assert_eq!((bob.state, bob.subject.as_str(), bob.focus.as_deref()), (S::Established, "Budget", None));
    w.operate(0, say(&id("a"), "a1", "hello bob"));
    w.settle();
    assert_eq!(w.view(1).texts(&bob.id), ["hello bob"], "{}", w.report(1));
    w.operate(1, say(&bob.id, "b1", "hello meeting"));
    w.settle();
    assert_eq!(w.view(0).texts(&id("a")), ["hello meeting"], "{}", w.report(0));
    let delivered = |client: usize, m: &str| w.view(client).deliveries.get(&MessageId(m.into())).cloned();
    assert_eq!((delivered(0, "a1"), delivered(1, "b1")), (Some(Delivery::Delivered), Some(Delivery::Delivered)));
    assert_eq!(people(&talk(&w, 1)), ["alice"], "known by her words");
    // Her own conversation with him is another one.
    w.operate(0, Operation::StartConversation { id: id("own"), with: address("bob"), subject: String::new() });
    w.operate(0, say(&id("own"), "a2", "in private"));
    w.settle();
    assert!(!w.view(1).texts(&bob.id).contains(&"in private"));
    w.done(1, Operation::EndConversation { conversation: bob.id.clone() }).unwrap();
    w.settle();
    assert!(people(&w.view(0).conversations[&id("a")]).is_empty());
    // Once more, and thrown out.
    assert_eq!(w.done(0, call("bob")), Ok(Outcome::Done));
    w.settle();
    w.done(0, Operation::Eject { conversation: id("a"), uri: address("bob") }).unwrap();
    w.settle();
    assert!(people(&w.view(0).conversations[&id("a")]).is_empty());
    let over = w.view(1).conversations.values().filter(|c| c.subject == "Budget");
    assert!(over.clone().count() > 0 && over.clone().all(|c| c.state == S::Terminated), "{}", w.report(1));
}

#[test]
fn all_devices_ring_and_the_first_takes_the_call() {
    let mut w = World::signed_in(32, &["alice", "bob"]);
    let second = w.endpoint("bob");
    w.operate(second, Operation::SignIn);
    w.settle();
    meeting(&mut w);
    let op = w.operate(0, call("bob"));
    w.run(Duration::from_secs(1));
    let ringing: Vec<_> = [1, second].map(|i| talk(&w, i)).into_iter().collect();
    assert!(ringing.iter().all(|c| c.state == S::Incoming), "{ringing:?}");
    assert!(people(&w.view(0).conversations[&id("a")]).is_empty(), "not there before the call is taken");
    w.done(second, Operation::Accept { conversation: ringing[1].id.clone() }).unwrap();
    w.settle();
    assert_eq!(w.result(0, op), Some(&Ok(Outcome::Done)), "{}", w.report(0));
    assert!(w.view(1).conversations.values().all(|c| c.state == S::Terminated));
    assert_eq!(people(&w.view(0).conversations[&id("a")]), ["bob"]);
    // Its link breaks: the meeting loses it, and it knows.
    w.cut(second);
    w.run(Duration::from_secs(90));
    assert!(people(&w.view(0).conversations[&id("a")]).is_empty());
    assert!(w.view(second).conversations.values().all(|c| c.state == S::Terminated), "{}", w.report(second));
}

#[test]
fn the_leader_hears_why_nobody_came() {
    let mut w = World::signed_in(33, &["alice", "bob"]);
    let second = w.endpoint("bob");
    w.operate(second, Operation::SignIn);
    w.settle();
    meeting(&mut w);
    let op = w.operate(0, call("bob"));
    w.run(Duration::from_secs(1));
    let bob = talk(&w, 1);
    w.done(1, Operation::Decline { conversation: bob.id }).unwrap();
    w.settle();
    let error = w.result(0, op).unwrap().as_ref().unwrap_err().clone();
    assert_eq!((error.text.as_str(), error.detail.as_deref()), ("this person declined", Some("userDeclined")));
    for client in [1, second] {
        w.done(client, Operation::SignOut).unwrap();
    }
    w.settle();
    let error = w.done(0, call("bob")).unwrap_err();
    assert_eq!(error.text, "this person is not signed in");
    let invited = &talk(&w, 0).meeting.invited;
    assert_eq!(invited.iter().map(|i| i.reason.as_str()).collect::<Vec<_>>(), ["this person is not signed in"]);
}
