//! People without an account in conferences: endpoints and the front end joined in one process, on a virtual clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::Address;
use adsum::domain::conference::{AccessLevel, Conference, ConferenceSettings};
use adsum::domain::conversation::{ConversationId, ConversationState, MessageId, Role};
use adsum::endpoint::{EndpointKind, ErrorKind, JoinTarget, Operation, Outcome};
use std::time::Duration;
use support::world::{World, address};

fn id(name: &str) -> ConversationId {
    ConversationId(name.into())
}

/// Alice schedules and joins; a guest has a link and no account.
fn meeting(seed: u64, access: AccessLevel, passcode: Option<&str>) -> (World, usize, usize, Conference) {
    let mut w = World::signed_in(seed, &["alice", "bob"]);
    let settings = ConferenceSettings { access, passcode: passcode.map(str::to_owned), ..ConferenceSettings::default() };
    let Ok(Outcome::Conference(c)) = w.done(0, Operation::ScheduleConference { settings }) else { panic!("no schedule") };
    w.done(0, join("m", &c, None)).unwrap();
    let guest = guest(&mut w, "g1", "Gwen Guest");
    (w, 0, guest, *c)
}

fn guest(w: &mut World, user: &str, name: &str) -> usize {
    let uri = Address::parse(&format!("{user}@anonymous.invalid")).unwrap();
    let guest = w.endpoint_with(user, |config| {
        (config.kind, config.uri, config.display_name) = (EndpointKind::Guest, uri, name.to_owned());
    });
    w.done(guest, Operation::SignIn).unwrap();
    guest
}

fn join(talk: &str, c: &Conference, passcode: Option<&str>) -> Operation {
    Operation::JoinConference { id: id(talk), target: JoinTarget::Link(c.uri.clone()), passcode: passcode.map(str::to_owned) }
}

fn state(w: &World, at: usize, talk: &str) -> ConversationState {
    w.view(at).conversations[&id(talk)].state
}

fn write(w: &mut World, at: usize, talk: &str, text: &str) {
    let message = Operation::SendMessage { conversation: id(talk), message: MessageId(text.into()), text: text.into() };
    w.operate(at, message);
    w.settle();
}

#[test]
fn a_guest_comes_in_with_the_link_alone_and_talks() {
    let (mut w, alice, guest, c) = meeting(1, AccessLevel::Everyone, None);
    w.done(guest, join("g", &c, None)).unwrap();
    assert_eq!(state(&w, guest, "g"), ConversationState::Conferenced);
    let seen = &w.view(alice).conversations[&id("m")].participants;
    assert_eq!((seen.len(), seen[0].display_name.as_str(), seen[0].role), (1, "Gwen Guest", Role::Attendee));
    write(&mut w, guest, "g", "hello from outside");
    assert_eq!(w.view(alice).heard.last().unwrap().1.body, "hello from outside");
    write(&mut w, alice, "m", "welcome");
    assert_eq!(w.view(guest).heard.last().unwrap().1.body, "welcome");
}

#[test]
fn the_passcode_decides() {
    let (mut w, _, guest, c) = meeting(2, AccessLevel::Everyone, Some("4711"));
    let missing = w.done(guest, join("g", &c, None)).unwrap_err();
    assert_eq!((missing.kind, missing.text.as_str()), (ErrorKind::AuthenticationFailed, "this meeting needs its passcode"));
    let wrong = w.done(guest, join("g", &c, Some("4712"))).unwrap_err();
    assert!(wrong.kind == ErrorKind::AuthenticationFailed && wrong.text.contains("not the passcode"), "{}", wrong.text);
    w.done(guest, join("g", &c, Some("4711"))).unwrap();
    assert_eq!(state(&w, guest, "g"), ConversationState::Conferenced);
}

#[test]
fn a_guest_waits_in_the_lobby_where_strangers_do() {
    let (mut w, alice, guest, c) = meeting(3, AccessLevel::SameEnterprise, None);
    w.done(guest, join("g", &c, None)).unwrap();
    assert_eq!(state(&w, guest, "g"), ConversationState::InLobby);
    let uris = vec![w.view(alice).conversations[&id("m")].participants[0].uri.clone()];
    w.done(alice, Operation::Admit { conversation: id("m"), uris, admit: true }).unwrap();
    assert_eq!(state(&w, guest, "g"), ConversationState::Conferenced);
}

#[test]
fn a_guest_reaches_its_meeting_and_nothing_else() {
    let (mut w, _, guest, c) = meeting(4, AccessLevel::Everyone, None);
    let gone = Conference { uri: c.uri.replace(&c.id.0, "NOTTHERE1"), ..c.clone() };
    assert_eq!(w.done(guest, join("x", &gone, None)).unwrap_err().status, Some(404));
    w.done(guest, join("g", &c, None)).unwrap();
    let with = address("bob");
    let alone = w.done(guest, Operation::StartConversation { id: id("b"), with, subject: String::new() }).unwrap_err();
    assert!(alone.text.contains("without an account"), "{}", alone.text);
    let settings = ConferenceSettings { access: AccessLevel::Everyone, ..ConferenceSettings::default() };
    let Ok(Outcome::Conference(other)) = w.done(1, Operation::ScheduleConference { settings }) else { panic!("no schedule") };
    assert_eq!(w.done(guest, join("o", &other, None)).unwrap_err().status, Some(403));
}

#[test]
fn a_guest_comes_back_after_its_link_broke() {
    let (mut w, alice, guest, c) = meeting(5, AccessLevel::Everyone, Some("4711"));
    w.done(guest, join("g", &c, Some("4711"))).unwrap();
    w.cut(guest);
    w.run(Duration::from_secs(90));
    w.settle();
    assert_eq!(state(&w, guest, "g"), ConversationState::Conferenced);
    assert_eq!(w.view(alice).conversations[&id("m")].participants.len(), 1);
    write(&mut w, alice, "m", "there again?");
    assert_eq!(w.view(guest).heard.last().unwrap().1.body, "there again?");
}
