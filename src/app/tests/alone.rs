use super::*;

/// Alice is in a chat room with Bob, Carol and two of the same first name.
fn room() -> Stage {
    let mut s = Stage::new();
    let mut c = s.conversation("m", &["bob", "carol", "ann.a", "ann.b"], ConversationState::Conferenced);
    c.focus = Some("sip:room@conf.contoso.example".into());
    c.meeting.private_messages = true;
    for (p, name) in c.participants.iter_mut().zip(["Bob Kelly", "Carol (The Boss)", "Ann Able", "Ann Baker"]) {
        p.display_name = name.into();
    }
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.keys("Alt-2");
    s.effects.clear();
    s
}

fn privately(asked: &[Operation]) -> Option<(&str, &str)> {
    match asked {
        [Operation::SendPrivately { to, text, .. }] => Some((to.user(), text)),
        _ => None,
    }
}

#[test]
fn words_to_one_person_go_to_whom_they_name() {
    for (typed, who, said) in [
        ("bob shall we?", "bob", "shall we?"),
        ("@Bob Kelly shall we?", "bob", "shall we?"),
        ("BOB: yes", "bob", "yes"),
        ("ann able hi", "ann.a", "hi"),
        ("carol hi", "carol", "hi"),
        ("the boss hi", "carol", "hi"),
        ("ann.b@contoso.example hi there", "ann.b", "hi there"),
    ] {
        let mut s = room();
        s.keys(&format!("\"/private {typed}\" Enter"));
        assert_eq!(privately(&s.asked()), Some((who, said)), "{typed}");
        assert_eq!(s.composer(), "");
    }
}

#[test]
fn who_is_meant_must_be_clear_and_there() {
    for (typed, words) in [
        ("ann hi", "may be Ann Able or Ann Baker"),
        ("mallory hi", "nobody in this meeting is called “mallory”"),
        ("bobby hi", "nobody in this meeting is called “bobby”"),
        ("bob", "say what"),
    ] {
        let mut s = room();
        s.keys(&format!("\"/private {typed}\" Enter"));
        let tab = s.state.conversations.current().unwrap();
        assert!(tab.composer_error.as_ref().is_some_and(|e| e.contains(words)), "{typed}: {:?}", tab.composer_error);
        assert_eq!(s.composer(), format!("/private {typed}"));
        assert!(s.asked().is_empty() && !s.transcript().contains("alice:"));
    }
}

#[test]
fn where_the_room_has_no_private_messages_the_words_stay_in_the_composer() {
    let mut s = room();
    let mut c = s.state.conversations.current().unwrap().conversation.clone();
    c.meeting.private_messages = false;
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.effects.clear();
    s.keys("\"/private bob hi\" Enter");
    assert_eq!(s.composer(), "/private bob hi");
    assert!(s.asked().is_empty());
}

#[test]
fn the_roster_begins_words_to_whom_it_shows() {
    let mut s = room();
    s.keys("Alt-p w");
    assert_eq!(s.composer(), "/private Ann Able ");
    s.keys("\"hi\" Enter");
    assert_eq!(privately(&s.asked()), Some(("ann.a", "hi")));
}

#[test]
fn a_failed_private_message_is_sent_again_to_the_same_person() {
    let mut s = room();
    s.keys("\"/private carol hi\" Enter");
    let Some(Operation::SendPrivately { message, .. }) = s.asked().pop() else { panic!("nothing was sent") };
    let conversation = s.current_id();
    s.says(endpoint::Event::MessageState { conversation, message, state: Delivery::Failed("gone".into()) });
    s.keys("Esc R");
    assert_eq!(privately(&s.asked()), Some(("carol", "hi")), "{}", s.transcript());
}

#[test]
fn private_words_are_marked_wherever_they_are_read() {
    let mut s = room();
    s.state.view.focused = false;
    s.effects.clear();
    let message = InstantMessage {
        id: MessageId("x".into()),
        author: a("bob"),
        at: s.now,
        body: "psst".into(),
        format: TextFormat::Plain,
        state: Delivery::Received,
        alone: Some(a("alice")),
    };
    let shown = s.state.conversations.current().unwrap().conversation.id.clone();
    s.says(endpoint::Event::Message { conversation: shown, message: message.clone() });
    let notified = s.effects.iter().any(|e| matches!(e, Effect::Notify { title, .. } if title.contains("(to you alone)")));
    assert!(notified, "{:?}", s.effects);
    assert!(s.transcript().ends_with("bob: psst !"), "{}", s.transcript());
    let kept = |e: &Effect| matches!(e, Effect::Store(_, StoreRequest::SaveMessage { message, .. }) if message.alone == Some(a("alice")));
    assert!(s.effects.iter().any(kept));
    assert_eq!(crate::app::alone::writer(&s.state, &message), "Bob Kelly (to you alone)");
}
