use super::*;
use crate::domain::conference::AccessLevel;
use crate::domain::conversation::{InvitationState, Invitee, MeetingChange, Role};

/// Alice leads a meeting with Bob and Carol; Dan and Erin wait.
fn meeting() -> Stage {
    let mut s = Stage::new();
    let mut c = s.conversation("m", &["bob", "carol", "dan", "erin"], ConversationState::Conferenced);
    c.focus = Some("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX".into());
    c.my_role = Some(Role::Leader);
    for p in &mut c.participants {
        p.in_lobby = matches!(p.uri.user(), "dan" | "erin");
        p.has_messages = !p.in_lobby;
    }
    c.meeting.access = Some(AccessLevel::SameEnterprise);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.keys("Alt-2 Alt-p");
    s.effects.clear();
    s
}

fn id() -> ConversationId {
    ConversationId("m".into())
}

#[test]
fn every_command_has_its_key_in_the_roster() {
    let mut s = meeting();
    // Who waits stands first.
    s.keys("a");
    assert_eq!(s.asked(), [Operation::Admit { conversation: id(), uris: vec![a("dan")], admit: true }]);
    s.keys("Space Space D");
    assert_eq!(s.asked(), [Operation::Admit { conversation: id(), uris: vec![a("dan"), a("erin")], admit: false }]);
    s.keys("g Space Space a");
    assert_eq!(s.asked(), [Operation::Admit { conversation: id(), uris: vec![a("dan"), a("erin")], admit: true }]);
    s.keys("G k p");
    assert_eq!(s.asked(), [Operation::SetRole { conversation: id(), uri: a("bob"), role: Role::Leader }]);
    s.keys("m");
    assert_eq!(s.asked(), [Operation::Mute { conversation: id(), uri: a("bob"), muted: true }]);
    s.keys("l");
    assert_eq!(s.asked(), [Operation::LockConference { conversation: id(), locked: true }]);
    s.keys("M");
    let change = MeetingChange { mute_all: Some(true), ..MeetingChange::default() };
    assert_eq!(s.asked(), [Operation::ChangeConference { conversation: id(), change }]);
    s.keys("v Down Enter");
    let change = MeetingChange { access: Some(AccessLevel::Invited), ..MeetingChange::default() };
    assert_eq!(s.asked(), [Operation::ChangeConference { conversation: id(), change }]);
    s.keys("x");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Confirm(c)) if c.text == "Remove Bob Kelly from this meeting?"));
    s.keys("y");
    assert_eq!(s.asked(), [Operation::Eject { conversation: id(), uri: a("bob") }]);
    s.keys("E y");
    assert_eq!(s.asked(), [Operation::EndConference { conversation: id() }]);
}

#[test]
fn the_roster_is_searched_and_left() {
    let mut s = meeting();
    s.keys("/ \"car\" Enter m");
    assert_eq!(s.asked(), [Operation::Mute { conversation: id(), uri: a("carol"), muted: true }]);
    s.keys("Esc");
    assert_eq!(s.state.mode(), crate::app::keymap::Mode::Composer);
    s.keys("\"still here\"");
    assert_eq!(s.composer(), "still here");
}

#[test]
fn slash_commands_do_the_same() {
    let mut s = meeting();
    s.keys("Esc \"/admit all\" Enter");
    assert_eq!(s.asked(), [Operation::Admit { conversation: id(), uris: vec![a("dan"), a("erin")], admit: true }]);
    s.keys("\"/mute\" Enter");
    assert_eq!(s.asked(), [Operation::Mute { conversation: id(), uri: a("alice"), muted: true }]);
    s.keys("\"/access everyone\" Enter");
    let change = MeetingChange { access: Some(AccessLevel::Everyone), ..MeetingChange::default() };
    assert_eq!(s.asked(), [Operation::ChangeConference { conversation: id(), change }]);
    s.keys("\"/leaders company\" Enter");
    assert!(matches!(&s.asked()[..], [Operation::ChangeConference { change, .. }] if change.automatic_leaders.is_some()));
    s.keys("\"/access moon\" Enter");
    assert_eq!(s.composer(), "/access moon", "what was typed stays");
    assert!(s.state.conversations.current().unwrap().composer_error.as_ref().unwrap().contains("company, invited"));
}

#[test]
fn recording_is_told_to_all_and_ends_in_a_file() {
    let mut s = meeting();
    s.message("m", "1", "bob", "before");
    s.keys("r");
    assert!(matches!(&s.asked()[..], [Operation::ChangeConference { change, .. }] if change.recording == Some(true)));
    s.message("m", "2", "bob", "not yet");
    s.keys("r");
    assert_eq!((s.asked(), s.toast()), (vec![], "the recording is about to begin"));
    s.finishes(Ok(Outcome::Done));
    s.message("m", "3", "bob", "for the record");
    s.effects.clear();
    s.keys("r");
    let file = written(&s).unwrap();
    assert!(file.contains("Bob Kelly: for the record") && !file.contains("before") && !file.contains("not yet"), "{file}");
    assert!(matches!(&s.asked()[..], [Operation::ChangeConference { change, .. }] if change.recording == Some(false)));
}

/// What was written into a file.
fn written(s: &Stage) -> Option<String> {
    s.effects.iter().find_map(|e| match e {
        Effect::WriteFile { contents, .. } => Some(contents.clone()),
        _ => None,
    })
}

fn recording() -> Stage {
    let mut s = meeting();
    s.message("m", "1", "bob", "before");
    s.keys("r");
    s.finishes(Ok(Outcome::Done));
    s.message("m", "2", "bob", "for the record");
    s.effects.clear();
    s
}

#[test]
fn a_recording_that_the_server_refuses_never_began() {
    let mut s = meeting();
    s.keys("r");
    s.completes(Err(Error::new(endpoint::ErrorKind::FailureResponse, "not here")));
    s.effects.clear();
    s.keys("r");
    assert!(matches!(&s.asked()[..], [Operation::ChangeConference { change, .. }] if change.recording == Some(true)));
}

#[test]
fn a_recording_is_written_when_the_meeting_ends_for_us_and_when_the_program_does() {
    let mut s = recording();
    let mut c = s.state.conversations.current().unwrap().conversation.clone();
    c.state = ConversationState::Terminated;
    c.end_reason = Some("Bob has ended the meeting".into());
    s.says(endpoint::Event::Conversation(Box::new(c)));
    let file = written(&s).unwrap();
    assert!(file.contains("for the record") && file.contains("ended the meeting"), "{file}");
    for leave in [Event::Terminate, Event::Key(parse_key("Alt-w").unwrap())] {
        let mut s = recording();
        s.event(leave);
        s.keys("y");
        assert!(written(&s).unwrap().contains("for the record"));
    }
}

#[test]
fn what_was_before_the_recording_does_not_get_into_it_by_looking_back() {
    let mut s = recording();
    let thread = s.state.conversations.current().unwrap().thread.key();
    let messages = (0..50).map(|n| InstantMessage {
        alone: None,
        id: MessageId(format!("h{n}")),
        author: a("bob"),
        at: Time(n),
        body: "long ago".into(),
        format: TextFormat::Plain,
        state: Delivery::Received,
    });
    let messages = messages.collect();
    s.event(Event::Store(crate::app::event::StoreReply::History { thread, messages, more: false }));
    s.keys("r");
    let file = written(&s).unwrap();
    assert!(file.contains("for the record") && !file.contains("long ago"), "{file}");
}

#[test]
fn an_attendee_is_told_why_not() {
    let mut s = meeting();
    let mut c = s.state.conversations.current().unwrap().conversation.clone();
    c.my_role = Some(Role::Attendee);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    for key in ["a", "p", "x", "l", "M", "v", "E"] {
        s.keys(key);
        assert!(s.toast().contains("only leaders"), "{key}: {}", s.toast());
    }
    s.keys("G m");
    assert!(s.toast().contains("only leaders of the meeting may mute others"), "{}", s.toast());
    assert!(s.asked().is_empty());
}

#[test]
fn what_others_do_in_the_meeting_is_written_down() {
    let mut s = meeting();
    let mut c = s.state.conversations.current().unwrap().conversation.clone();
    c.participants.retain(|p| p.uri.user() != "erin");
    c.participants[0].recording = true;
    c.meeting.access = Some(AccessLevel::Invited);
    c.meeting.muted = true;
    c.meeting.ends_at = Some(Time(NOW.0 + 600_000));
    c.meeting.invited = vec![Invitee { uri: a("frank"), state: InvitationState::Delivering, reason: "rings".into() }];
    s.says(endpoint::Event::Conversation(Box::new(c)));
    let text = s.transcript();
    for part in [
        "erin@contoso.example is no longer in the lobby",
        "Bob Kelly records this meeting",
        "Who gets in was changed: only those invited",
        "You are muted",
        "The last colleague has left",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let rows = crate::app::roster::rows(&s.state, s.state.conversations.current().unwrap());
    assert!(matches!(rows.last(), Some(crate::app::roster::Row::Invited(u, "rings")) if u.user() == "frank"));
}

#[test]
fn who_has_left_keeps_the_name_of_the_roster() {
    let mut s = Stage::new();
    let mut c = s.conversation("m", &["zed"], ConversationState::Conferenced);
    c.focus = Some("sip:zed@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX".into());
    c.participants[0].display_name = "Zed Zander".into();
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    s.message("m", "m1", "zed", "goodbye");
    c.participants.clear();
    s.says(endpoint::Event::Conversation(Box::new(c)));
    assert_eq!(s.state.name(&a("zed")), "Zed Zander");
}
