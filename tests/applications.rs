//! Trusted applications and people: endpoints and the front end joined in one process, on a virtual clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::Rng;
use adsum::domain::conversation::{ConversationId, ConversationState, Delivery, MessageId, Role};
use adsum::endpoint::{EndpointState, JoinTarget, Operation};
use std::time::Duration;
use support::world::{World, address};

fn id(name: &str) -> ConversationId {
    ConversationId(name.into())
}

fn start(w: &mut World, from: usize, conversation: &str, with: &str) {
    let started =
        w.done(from, Operation::StartConversation { id: id(conversation), with: address(with), subject: String::new() });
    started.unwrap();
}

fn say(w: &mut World, from: usize, conversation: &str, message: &str) -> Option<Delivery> {
    let text = format!("text of {message}");
    w.operate(from, Operation::SendMessage { conversation: id(conversation), message: MessageId(message.into()), text });
    w.settle();
    w.view(from).deliveries.get(&MessageId(message.into())).cloned()
}

/// Bob's and Carol's endpoints, and an instance of an application, all signed in.
fn company(seed: u64) -> (World, usize, usize, usize) {
    let mut w = World::signed_in(seed, &["bob", "carol"]);
    let app = w.application("echo");
    w.done(app, Operation::SignIn).unwrap();
    (w, 0, 1, app)
}

fn state(w: &World, at: usize) -> EndpointState {
    w.clients[at].endpoint.state()
}

#[test]
fn an_application_writes_and_is_written_to() {
    let (mut w, bob, _, app) = company(1);
    start(&mut w, app, "a", "bob");
    assert_eq!(say(&mut w, app, "a", "m1"), Some(Delivery::Delivered));
    assert_eq!(w.view(bob).heard.last().unwrap().1.author, address("echo"));
    start(&mut w, bob, "b", "echo");
    assert_eq!(say(&mut w, bob, "b", "m2"), Some(Delivery::Delivered));
    assert_eq!(w.view(app).heard.last().unwrap().1.author, address("bob"));
}

#[test]
fn an_application_speaks_as_one_of_our_people_and_as_nobody_else() {
    let (mut w, bob, _, app) = company(2);
    let as_whom = |who: &str, c: &str| Operation::Impersonate {
        conversation: id(c),
        uri: address(who),
        name: "Carol by proxy".into(),
        phone: String::new(),
    };
    w.done(app, as_whom("carol", "a")).unwrap();
    start(&mut w, app, "a", "bob");
    assert_eq!(say(&mut w, app, "a", "m1"), Some(Delivery::Delivered));
    let heard = &w.view(bob).heard.last().unwrap();
    assert_eq!(heard.1.author, address("carol"));
    // The answer finds the application, not Carol.
    let there = heard.0.clone();
    let before = w.view(app).heard.len();
    let back = Operation::SendMessage { conversation: there, message: MessageId("m2".into()), text: "yes?".into() };
    w.operate(bob, back);
    w.settle();
    assert_eq!(w.view(app).heard.len(), before + 1);
    assert!(w.view(1).heard.is_empty());
    // Once it has begun it is too late, and strangers cannot be spoken for.
    assert!(w.done(app, as_whom("carol", "a")).is_err());
    w.done(app, as_whom("mallory@fabrikam.com", "x")).unwrap();
    start(&mut w, app, "x", "bob");
    assert!(matches!(say(&mut w, app, "x", "m3"), Some(Delivery::Failed(_))));
}

#[test]
fn a_certificate_nobody_trusts_gets_nowhere_and_a_removed_application_ends() {
    let (mut w, _, _, app) = company(3);
    let stranger = w.application("other");
    w.distrust("other");
    assert!(w.done(stranger, Operation::SignIn).is_err());
    w.distrust("echo");
    w.run(Duration::from_secs(5));
    w.settle();
    assert_eq!(state(&w, app), EndpointState::Terminated);
}

#[test]
fn a_trusted_participant_leads_unseen() {
    let (mut w, bob, carol, app) = company(4);
    w.agreed(bob, Operation::MeetNow { id: id("meet"), subject: "Plan".into(), invite: vec![address("carol")] }).unwrap();
    w.settle();
    w.done(bob, Operation::LockConference { conversation: id("meet"), locked: true }).unwrap();
    let focus = w.view(bob).conversations[&id("meet")].focus.clone().unwrap();
    w.done(app, Operation::JoinConference { id: id("spy"), target: JoinTarget::Link(focus), passcode: None }).unwrap();
    let seen = &w.view(app).conversations[&id("spy")];
    assert_eq!((seen.state, seen.my_role, seen.participants.len()), (ConversationState::Conferenced, Some(Role::Leader), 2));
    let roster: Vec<_> = w.view(bob).conversations[&id("meet")].participants.iter().map(|p| p.uri.clone()).collect();
    assert_eq!(roster, [address("carol")]);
    assert_eq!(say(&mut w, app, "spy", "m1"), Some(Delivery::Delivered));
    assert_eq!(w.view(carol).heard.last().unwrap().1.author, address("echo"));
    w.done(app, Operation::Eject { conversation: id("spy"), uri: address("carol") }).unwrap();
    w.settle();
    assert!(w.view(bob).conversations[&id("meet")].participants.is_empty());
    w.done(app, Operation::EndConversation { conversation: id("spy") }).unwrap();
    w.settle();
    assert_eq!(w.view(bob).conversations[&id("meet")].state, ConversationState::Conferenced);
}

#[test]
fn a_draining_instance_finishes_and_sends_newcomers_to_another() {
    let (mut w, bob, carol, first) = company(5);
    start(&mut w, bob, "b", "echo");
    assert_eq!(say(&mut w, bob, "b", "m1"), Some(Delivery::Delivered));
    let second = w.application("echo");
    w.done(second, Operation::SignIn).unwrap();
    let drain = w.operate(first, Operation::Drain);
    w.settle();
    assert_eq!(state(&w, first), EndpointState::Draining);
    // What runs goes on, newcomers are sent to the other instance, own new work is refused.
    assert_eq!(say(&mut w, bob, "b", "m2"), Some(Delivery::Delivered));
    start(&mut w, carol, "c", "echo");
    assert_eq!(say(&mut w, carol, "c", "m3"), Some(Delivery::Delivered));
    assert_eq!((w.view(first).heard.len(), w.view(second).heard.len()), (2, 1));
    let new = Operation::StartConversation { id: id("n"), with: address("carol"), subject: String::new() };
    assert!(w.done(first, new).is_err());
    assert!(w.result(first, drain).is_none());
    w.done(bob, Operation::EndConversation { conversation: id("b") }).unwrap();
    w.run(Duration::from_secs(5));
    assert_eq!(w.result(first, drain), Some(&Ok(adsum::endpoint::Outcome::Done)));
    assert_eq!(state(&w, first), EndpointState::Terminated);
}

#[test]
fn an_application_survives_a_hundred_front_end_deaths() {
    for seed in 0..2 {
        let (mut w, _, _, app) = company(100 + seed);
        let mut rng = Rng::seeded(seed);
        for death in 0..100 {
            w.down = true;
            w.crash();
            w.run(Duration::from_millis(rng.below(200_000)));
            w.down = false;
            // The longest wait between two attempts, with its jitter, and a moment to come in.
            w.run(Duration::from_secs(75));
            assert_eq!(state(&w, app), EndpointState::Established, "seed {seed}, death {death}\n{}", w.report(app));
            if death % 10 == 9 {
                let (name, message) = (format!("c{death}"), format!("m{death}"));
                start(&mut w, app, &name, "bob");
                assert_eq!(say(&mut w, app, &name, &message), Some(Delivery::Delivered), "seed {seed}, death {death}");
                start(&mut w, 1, &name, "echo");
                assert_eq!(say(&mut w, 1, &name, &format!("r{death}")), Some(Delivery::Delivered), "seed {seed}, death {death}");
            }
        }
    }
}
