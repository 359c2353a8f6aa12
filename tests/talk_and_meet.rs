//! People talk and meet: endpoints and the front end joined in one process, on a virtual clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::conference::{AccessLevel, ConferenceSettings};
use adsum::domain::conversation::{ConversationId, ConversationState, Delivery, InstantMessage, MessageId, Role, TextFormat};
use adsum::endpoint::{JoinTarget, Operation, Outcome};
use std::time::Duration;
use support::world::{World, address};

fn conversation(name: &str) -> ConversationId {
    ConversationId(name.into())
}

fn start(w: &mut World, from: usize, id: &str, with: &str) {
    let start = Operation::StartConversation { id: conversation(id), with: address(with), subject: "Lunch".into() };
    w.operate(from, start);
}

/// What one writes is known at once; the endpoint only says how far it got.
fn say(w: &mut World, from: usize, id: &ConversationId, message: &str, text: &str) {
    let (at, client) = (w.now, &mut w.clients[from]);
    let written = InstantMessage {
        alone: None,
        id: MessageId(message.into()),
        author: client.address.clone(),
        at,
        body: text.into(),
        format: TextFormat::Plain,
        state: Delivery::Queued,
    };
    client.view.messages.entry(id.clone()).or_default().push(written);
    w.operate(from, Operation::SendMessage { conversation: id.clone(), message: MessageId(message.into()), text: text.into() });
}

fn delivery(w: &World, at: usize, id: &ConversationId, message: &str) -> Option<Delivery> {
    w.view(at).messages.get(id)?.iter().find(|m| m.id.0 == message).map(|m| m.state.clone())
}

/// The conversation of an endpoint in which this text was heard.
fn heard(w: &World, at: usize, text: &str) -> Option<ConversationId> {
    let all = &w.view(at).messages;
    all.iter().find(|(_, m)| m.iter().any(|m| m.body == text)).map(|(id, _)| id.clone())
}

fn state(w: &World, at: usize, id: &ConversationId) -> Option<ConversationState> {
    w.view(at).conversations.get(id).map(|c| c.state)
}

#[test]
fn a_message_reaches_a_person_and_the_answer_comes_back() {
    let mut w = World::signed_in(1, &["alice", "bob"]);
    start(&mut w, 0, "c1", "bob");
    say(&mut w, 0, &conversation("c1"), "m1", "Hi Bob");
    w.settle();
    w.run(Duration::from_secs(15));
    let there = heard(&w, 1, "Hi Bob").unwrap_or_else(|| panic!("{}", w.report(1)));
    assert_eq!(delivery(&w, 0, &conversation("c1"), "m1"), Some(Delivery::Delivered), "{}", w.report(0));
    say(&mut w, 1, &there, "m2", "Hello Alice");
    w.settle();
    assert_eq!(heard(&w, 0, "Hello Alice"), Some(conversation("c1")));
    assert_eq!(delivery(&w, 1, &there, "m2"), Some(Delivery::Delivered));
    w.operate(0, Operation::Typing { conversation: conversation("c1"), active: true });
    w.settle();
    assert!(w.view(1).conversations[&there].participants.iter().any(|p| p.typing));
    w.operate(0, Operation::EndConversation { conversation: conversation("c1") });
    w.settle();
}

#[test]
fn two_devices_of_one_person_and_one_answers() {
    let mut w = World::signed_in(2, &["alice", "bob"]);
    let second = w.endpoint("bob");
    w.operate(second, Operation::SignIn);
    w.settle();
    start(&mut w, 0, "c1", "bob");
    say(&mut w, 0, &conversation("c1"), "m1", "Hi Bob");
    w.settle();
    let ringing = w.view(second).conversations.values().find(|c| c.state == ConversationState::Incoming).cloned();
    let ringing = ringing.unwrap_or_else(|| panic!("{}", w.report(second)));
    w.operate(second, Operation::Accept { conversation: ringing.id.clone() });
    w.settle();
    assert_eq!(heard(&w, second, "Hi Bob"), Some(ringing.id));
    assert!(w.view(1).missed.is_empty(), "the other device knows that it was answered");
    assert_eq!(delivery(&w, 0, &conversation("c1"), "m1"), Some(Delivery::Delivered));
}

#[test]
fn nobody_at_home_is_told_and_the_message_is_kept() {
    let mut w = World::new(3, &["alice", "bob"]);
    let alice = w.endpoint("alice");
    w.done(alice, Operation::SignIn).unwrap();
    start(&mut w, alice, "c1", "bob");
    say(&mut w, alice, &conversation("c1"), "m1", "Hi Bob");
    w.settle();
    assert_eq!(delivery(&w, alice, &conversation("c1"), "m1"), Some(Delivery::Sent), "{}", w.report(alice));
    assert!(w.view(alice).conversations[&conversation("c1")].end_reason.is_some());
}

fn schedule(w: &mut World, who: usize, settings: ConferenceSettings) -> adsum::domain::conference::Conference {
    match w.done(who, Operation::ScheduleConference { settings }) {
        Ok(Outcome::Conference(c)) => *c,
        other => panic!("{other:?}\n{}", w.report(who)),
    }
}

#[test]
fn a_meeting_is_scheduled_changed_listed_cancelled_and_survives_a_crash() {
    let mut w = World::signed_in(4, &["alice", "bob"]);
    w.done(0, Operation::ConferenceCapabilities).unwrap();
    let settings = ConferenceSettings {
        subject: "Budget".into(),
        start: Some(w.now),
        end: Some(w.now + Duration::from_secs(3600)),
        ..ConferenceSettings::default()
    };
    let made = schedule(&mut w, 0, settings.clone());
    let changed = ConferenceSettings { subject: "Budget 2".into(), ..settings };
    match w.done(0, Operation::UpdateConference { id: made.id.clone(), settings: changed.clone() }) {
        Ok(Outcome::Conference(c)) => assert_eq!((c.version, &c.settings), (2, &changed)),
        other => panic!("{other:?}\n{}", w.report(0)),
    }
    w.crash();
    w.run(Duration::from_secs(120));
    match w.done(0, Operation::ListConferences) {
        Ok(Outcome::Conferences(all)) => assert_eq!(all.iter().map(|c| &c.settings).collect::<Vec<_>>(), [&changed]),
        other => panic!("{other:?}\n{}", w.report(0)),
    }
    w.done(0, Operation::CancelConference { id: made.id }).unwrap();
    assert_eq!(w.done(0, Operation::ListConferences), Ok(Outcome::Conferences(Vec::new())));
}

fn join(w: &mut World, who: usize, uri: &str) -> ConversationId {
    let id = conversation(&format!("meeting-{who}"));
    let done = w.done(who, Operation::JoinConference { id: id.clone(), target: JoinTarget::Link(uri.into()), passcode: None });
    assert!(done.is_ok(), "{done:?}\n{}", w.report(who));
    id
}

#[test]
fn three_people_meet_write_leave_and_the_last_one_ends_it() {
    let mut w = World::signed_in(5, &["alice", "bob", "carol"]);
    let made = schedule(&mut w, 0, ConferenceSettings { subject: "Budget".into(), ..ConferenceSettings::default() });
    let ids = [0, 1, 2].map(|who| join(&mut w, who, &made.uri));
    w.settle();
    for (who, id) in ids.iter().enumerate() {
        let c = &w.view(who).conversations[id];
        assert_eq!((c.state, c.participants.len()), (ConversationState::Conferenced, 2), "{}", w.report(who));
        assert!(c.participants.iter().all(|p| p.has_messages));
        assert_eq!(c.subject, "Budget");
        assert_eq!(c.my_role, Some(if who == 0 { Role::Leader } else { Role::Attendee }));
    }
    say(&mut w, 1, &ids[1], "m1", "Shall we start?");
    w.settle();
    for who in [0, 2] {
        assert!(w.view(who).texts(&ids[who]).contains(&"Shall we start?"), "{}", w.report(who));
        assert_eq!(w.view(who).messages[&ids[who]][0].author, address("bob"));
    }
    assert_eq!(delivery(&w, 1, &ids[1], "m1"), Some(Delivery::Delivered), "{}", w.report(1));
    w.done(2, Operation::EndConversation { conversation: ids[2].clone() }).unwrap();
    assert_eq!(w.view(0).conversations[&ids[0]].participants.len(), 1);
    w.done(0, Operation::EndConference { conversation: ids[0].clone() }).unwrap();
    w.settle();
    assert_eq!(state(&w, 1, &ids[1]), Some(ConversationState::Terminated), "{}", w.report(1));
}

#[test]
fn a_locked_meeting_has_a_lobby_and_its_presenter_the_power() {
    let mut w = World::signed_in(6, &["alice", "bob", "carol"]);
    let made = schedule(&mut w, 0, ConferenceSettings { access: AccessLevel::Locked, ..ConferenceSettings::default() });
    let alice = join(&mut w, 0, &made.uri);
    let bob = join(&mut w, 1, &made.uri);
    assert_eq!(state(&w, 1, &bob), Some(ConversationState::InLobby), "{}", w.report(1));
    assert!(w.view(0).conversations[&alice].participants.iter().any(|p| p.uri == address("bob") && p.in_lobby));
    let admit = |uri: &str, admit| Operation::Admit { conversation: alice.clone(), uris: vec![address(uri)], admit };
    w.done(0, admit("bob", true)).unwrap();
    w.settle();
    assert_eq!(state(&w, 1, &bob), Some(ConversationState::Conferenced), "{}", w.report(1));
    assert!(w.view(0).conversations[&alice].participants.iter().all(|p| !p.in_lobby && p.has_messages), "{}", w.report(1));
    let carol = join(&mut w, 2, &made.uri);
    w.done(0, admit("carol", false)).unwrap();
    w.settle();
    assert_eq!(state(&w, 2, &carol), Some(ConversationState::Terminated));
    w.done(0, Operation::SetRole { conversation: alice.clone(), uri: address("bob"), role: Role::Leader }).unwrap();
    w.settle();
    assert_eq!(w.view(1).conversations[&bob].my_role, Some(Role::Leader));
    w.done(1, Operation::LockConference { conversation: bob.clone(), locked: false }).unwrap();
    assert!(!w.view(0).conversations[&alice].locked);
    let eject = Operation::Eject { conversation: alice.clone(), uri: address("bob") };
    w.done(0, eject).unwrap();
    w.settle();
    assert_eq!(state(&w, 1, &bob), Some(ConversationState::Terminated));
    assert!(w.view(1).conversations[&bob].end_reason.is_some());
}

#[test]
fn a_talk_of_two_becomes_a_meeting_of_three() {
    let mut w = World::signed_in(7, &["alice", "bob", "carol"]);
    start(&mut w, 0, "c1", "bob");
    say(&mut w, 0, &conversation("c1"), "m1", "Hi Bob");
    w.settle();
    w.run(Duration::from_secs(15));
    let bob = heard(&w, 1, "Hi Bob").unwrap();
    let invited = w.agreed(0, Operation::Invite { conversation: conversation("c1"), uri: address("carol") });
    assert!(invited.is_ok(), "{invited:?}\n{}", w.report(0));
    w.run(Duration::from_secs(30));
    for (who, id) in [(0, &conversation("c1")), (1, &bob)] {
        let c = &w.view(who).conversations[id];
        assert_eq!((c.state, c.participants.len()), (ConversationState::Conferenced, 2), "{}", w.report(who));
    }
    say(&mut w, 0, &conversation("c1"), "m2", "Now all of us");
    w.settle();
    assert!(heard(&w, 1, "Now all of us").is_some() && heard(&w, 2, "Now all of us").is_some(), "{}", w.report(2));
}

#[test]
fn a_meeting_goes_on_after_everybodys_link_broke() {
    let mut w = World::signed_in(8, &["alice", "bob"]);
    let made = schedule(&mut w, 0, ConferenceSettings::default());
    let ids = [0, 1].map(|who| join(&mut w, who, &made.uri));
    w.cut(1);
    w.run(Duration::from_secs(90));
    assert_eq!(state(&w, 1, &ids[1]), Some(ConversationState::Conferenced), "{}", w.report(1));
    assert!(w.view(0).conversations[&ids[0]].participants.iter().all(|p| p.has_messages));
    say(&mut w, 0, &ids[0], "m1", "Still there?");
    w.settle();
    assert!(w.view(1).texts(&ids[1]).contains(&"Still there?"));
    w.crash();
    w.run(Duration::from_secs(180));
    for who in [0, 1] {
        assert_eq!(state(&w, who, &ids[who]), Some(ConversationState::Conferenced), "{}", w.report(who));
    }
}

#[test]
fn a_meeting_is_found_by_its_number_and_its_passcode_checked_before_the_join() {
    let mut w = World::signed_in(9, &["alice", "bob"]);
    let settings = ConferenceSettings {
        access: AccessLevel::Everyone,
        passcode: Some("4711".into()),
        passcode_optional: false,
        phone_access: true,
        ..ConferenceSettings::default()
    };
    let made = schedule(&mut w, 0, settings);
    assert_eq!(made.phone_id.len(), 6);
    let find = |phone_id: &str| Operation::FindConference { phone_id: phone_id.into() };
    let Ok(Outcome::Conference(found)) = w.done(1, find(&made.phone_id)) else { panic!("{}", w.report(1)) };
    assert_eq!((&found.uri, &found.settings.passcode), (&made.uri, &None));
    assert_eq!(w.done(1, find("1")).unwrap_err().text, "no meeting has the number 1; look into the invitation");
    assert_eq!(w.done(1, find("12a")).unwrap_err().text, "the number of a meeting has digits only");
    let verify = |passcode: Option<&str>| Operation::VerifyPasscode {
        target: JoinTarget::Link(made.uri.clone()),
        passcode: passcode.map(str::to_owned),
    };
    assert_eq!(w.done(1, verify(Some("4711"))), Ok(Outcome::Done));
    assert_eq!(
        w.done(1, verify(Some("1"))).unwrap_err().text,
        "this is not the passcode of the meeting; look into the invitation"
    );
    assert_eq!(w.done(1, verify(None)).unwrap_err().text, "this meeting needs its passcode");
    assert_eq!(w.done(0, verify(None)), Ok(Outcome::Done));
}

#[test]
fn the_im_mcu_dies_alone_and_everybody_goes_on_with_nothing_lost_or_twice() {
    let mut w = World::signed_in(10, &["alice", "bob", "carol"]);
    let made = schedule(&mut w, 0, ConferenceSettings::default());
    let ids = [0, 1, 2].map(|who| join(&mut w, who, &made.uri));
    say(&mut w, 0, &ids[0], "m1", "before");
    w.settle();
    // One message is on its way when it dies, one is written while it is away.
    say(&mut w, 0, &ids[0], "m2", "while it dies");
    w.fail_im_mcu();
    w.run(Duration::from_millis(100));
    let focus = |w: &World, who: usize| w.view(who).conversations[&ids[who]].clone();
    assert!((0..3).all(|who| focus(&w, who).state == ConversationState::Conferenced), "{}", w.report(0));
    assert!(focus(&w, 0).participants.len() == 2 && focus(&w, 0).participants.iter().all(|p| !p.has_messages), "{}", w.report(0));
    say(&mut w, 1, &ids[1], "m3", "while it is away");
    w.run(Duration::from_secs(30));
    for who in 0..3 {
        assert!(focus(&w, who).participants.iter().all(|p| p.has_messages), "{}", w.report(who));
    }
    let times = |who: usize, text: &str| w.view(who).heard.iter().filter(|h| h.1.body == text).count();
    for (author, text) in [(0, "before"), (0, "while it dies"), (1, "while it is away")] {
        for who in (0..3).filter(|who| *who != author) {
            assert_eq!(times(who, text), 1, "“{text}” at {who}\n{}", w.report(who));
        }
    }
    for m in ["m1", "m2", "m3"] {
        let author = usize::from(m == "m3");
        assert_eq!(w.view(author).deliveries.get(&MessageId(m.into())), Some(&Delivery::Delivered), "{m}");
    }
}

#[test]
fn a_front_end_that_takes_over_knows_who_is_muted_and_who_was_let_in() {
    let mut w = World::signed_in(11, &["alice", "bob", "carol"]);
    let made = schedule(&mut w, 0, ConferenceSettings { access: AccessLevel::Locked, ..ConferenceSettings::default() });
    let ids = [0, 1, 2].map(|who| join(&mut w, who, &made.uri));
    let uris = vec![address("bob"), address("carol")];
    w.done(0, Operation::Admit { conversation: ids[0].clone(), uris, admit: true }).unwrap();
    w.done(0, Operation::Mute { conversation: ids[0].clone(), uri: address("bob"), muted: true }).unwrap();
    w.done(0, Operation::SetRole { conversation: ids[0].clone(), uri: address("carol"), role: Role::Leader }).unwrap();
    w.crash();
    w.run(Duration::from_secs(180));
    for (who, id) in ids.iter().enumerate() {
        assert_eq!(state(&w, who, id), Some(ConversationState::Conferenced), "{}", w.report(who));
    }
    let seen = &w.view(0).conversations[&ids[0]].participants;
    let of = |name: &str| seen.iter().find(|p| p.uri == address(name)).unwrap();
    assert!(of("bob").muted && !of("carol").muted && of("carol").role == Role::Leader, "{seen:?}");
}
