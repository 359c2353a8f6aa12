use super::*;
use crate::app::effect::StoreRequest;
use crate::domain::conversation::Invitation;

/// Alice talks with Bob; the conversation is up.
fn with_bob() -> Stage {
    let mut s = Stage::new();
    s.keys("j Enter \"hi\" Enter");
    let id = s.current_id().0;
    let c = s.conversation(&id, &["bob"], ConversationState::Established);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.effects.clear();
    s
}

#[test]
fn nothing_leaves_before_the_first_message_and_then_all_of_it() {
    let mut s = Stage::new();
    s.keys("j Enter");
    assert_eq!(s.asked(), []);
    s.keys("\"did the numbers land?\" Enter");
    assert_eq!(s.transcript(), "alice: did the numbers land? …");
    assert_eq!(s.composer(), "");
    let asked = s.operations();
    let [(_, Operation::StartConversation { with, id, .. }), (_, Operation::SendMessage { conversation, text, message })] =
        asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    assert_eq!((with, text.as_str()), (&a("bob"), "did the numbers land?"));
    assert_eq!(id, conversation);
    assert!(
        s.effects.iter().any(
            |e| matches!(e, Effect::Store(_, StoreRequest::SaveMessage { thread, .. }) if thread == "sip:bob@contoso.example")
        )
    );
    let (c, m) = (conversation.clone(), message.clone());
    s.says(endpoint::Event::MessageState { conversation: c.clone(), message: m.clone(), state: Delivery::Sent });
    assert_eq!(s.transcript(), "alice: did the numbers land? ✓");
    s.says(endpoint::Event::MessageState { conversation: c, message: m, state: Delivery::Delivered });
    assert_eq!(s.transcript(), "alice: did the numbers land? ✓✓");
}

#[test]
fn a_failed_message_says_why_and_is_sent_again_under_its_name() {
    let mut s = with_bob();
    let Some(Entry::Message { message, .. }) = s.state.conversations.current().unwrap().entries.first().cloned() else {
        panic!()
    };
    let c = s.current_id();
    s.says(endpoint::Event::MessageState {
        conversation: c.clone(),
        message: message.id.clone(),
        state: Delivery::Failed("Bob is offline".into()),
    });
    assert_eq!(s.transcript(), "alice: hi ✗");
    assert!(s.toast().contains("Bob is offline"));
    s.effects.clear();
    s.keys("Esc R");
    assert_eq!(s.asked(), [Operation::SendMessage { conversation: c, message: message.id, text: "hi".into() }]);
    assert_eq!(s.transcript(), ">alice: hi …");
}

#[test]
fn unread_messages_wait_behind_a_line() {
    let mut s = with_bob();
    let id = s.current_id().0;
    s.keys("Alt-3");
    s.message(&id, "1", "bob", "yes");
    s.message(&id, "2", "bob", "@Alice look");
    assert_eq!(s.tabs(), "[Bob Kelly(2)]");
    assert!(s.effects.contains(&Effect::Bell));
    s.keys("Alt-a");
    assert_eq!((s.tabs().as_str(), s.state.pane), ("[Bob Kelly]", Pane::Conversations));
    assert_eq!(s.transcript(), sketch("|alice: hi …\n|---\n|bob: yes\n|bob: @Alice look !"));
    s.keys("\"ok\" Enter");
    assert!(!s.transcript().contains("---"));
}

#[test]
fn a_message_that_comes_twice_stands_once() {
    let mut s = with_bob();
    let id = s.current_id().0;
    s.message(&id, "1", "bob", "yes");
    s.message(&id, "1", "bob", "yes");
    assert_eq!(s.transcript(), sketch("|alice: hi …\n|bob: yes"));
}

#[test]
fn the_window_stays_where_it_is_while_messages_arrive() {
    let mut s = with_bob();
    let id = s.current_id().0;
    s.message(&id, "1", "bob", "one");
    s.keys("PgUp");
    s.message(&id, "2", "bob", "two");
    let tab = s.state.conversations.current().unwrap();
    assert_eq!((tab.new_below, tab.unread, tab.scroll.anchor.as_ref().unwrap().0.as_str()), (1, 1, "1"));
    s.keys("Esc G");
    let tab = s.state.conversations.current().unwrap();
    assert_eq!((tab.new_below, tab.unread, &tab.scroll.anchor), (0, 0, &None));
}

#[test]
fn pasting_never_sends_and_control_codes_fall_away() {
    let mut s = with_bob();
    s.event(Event::Paste("two\r\nlines\u{1b}[2J\n".into()));
    assert_eq!(s.composer(), "two\nlines[2J\n");
    assert!(s.operations().iter().all(|(_, o)| matches!(o, Operation::Typing { .. })));
}

#[test]
fn typing_is_told_at_most_once_a_second() {
    let mut s = with_bob();
    let typing = |s: &mut Stage| s.asked().len();
    s.keys("\"abc\"");
    assert_eq!(typing(&mut s), 1);
    s.now = s.now + std::time::Duration::from_millis(1100);
    s.keys("\"def\"");
    assert_eq!(typing(&mut s), 1);
    s.keys("Ctrl-U \"/note\"");
    assert_eq!(typing(&mut s), 0);
}

#[test]
fn a_draft_is_kept_after_a_pause_and_when_the_tab_is_left() {
    let mut s = with_bob();
    let drafts = |s: &mut Stage| {
        let of = |e: Effect| match e {
            Effect::Store(_, StoreRequest::SaveDraft { text, .. }) => Some(text),
            _ => None,
        };
        std::mem::take(&mut s.effects).into_iter().filter_map(of).collect::<Vec<_>>()
    };
    s.keys("\"half a tho\"");
    assert!(drafts(&mut s).is_empty());
    s.now = s.state.next_deadline().unwrap();
    s.event(Event::Tick);
    assert_eq!(drafts(&mut s), ["half a tho"]);
    s.event(Event::Tick);
    assert!(drafts(&mut s).is_empty());
    s.keys("\"ught\"");
    s.event(Event::Terminate);
    assert_eq!(drafts(&mut s), ["half a thought"]);
}

#[test]
fn a_closed_tab_opens_again_with_its_draft_and_never_with_the_command_that_closed_it() {
    let mut s = with_bob();
    s.keys("\"half a thought\" Alt-w");
    assert_eq!(s.tabs(), "");
    s.keys("Alt-1 Enter");
    assert_eq!((s.tabs().as_str(), s.composer()), ("[Bob Kelly]", "half a thought"));
    s.effects.clear();
    s.keys("Ctrl-U \"/close\" Enter");
    assert_eq!(s.tabs(), "");
    let mut kept = s.effects.iter().filter_map(|e| match e {
        Effect::Store(_, StoreRequest::SaveDraft { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(kept.next_back(), Some(""));
    s.keys("Alt-1 Enter");
    assert_eq!((s.tabs().as_str(), s.composer()), ("[Bob Kelly]", ""));
}

#[test]
fn sent_lines_are_recalled_on_an_empty_line() {
    let mut s = with_bob();
    s.keys("\"two\" Enter Up");
    assert_eq!(s.composer(), "two");
    s.keys("Up");
    assert_eq!(s.composer(), "hi");
    s.keys("Down Down");
    assert_eq!(s.composer(), "");
    s.keys("\"x\" Up");
    assert_eq!(s.composer(), "x");
}

#[test]
fn tab_completes_names_emoji_and_commands() {
    let mut s = with_bob();
    s.keys("\"@car\" Tab");
    assert_eq!(s.composer(), "@Carol Diaz ");
    s.keys("\":thumbsup\" Tab");
    assert_eq!(s.composer(), "@Carol Diaz 👍");
    s.keys("Ctrl-U \"/stat\" Tab");
    assert_eq!(s.composer(), "/status ");
    s.keys("Ctrl-U \"/lo\" Tab");
    assert_eq!(s.composer(), "/location ");
    s.keys("Tab");
    assert_eq!(s.composer(), "/lock ");
    s.keys("Shift-Tab");
    assert_eq!(s.composer(), "/location ");
}

#[test]
fn an_emoji_written_in_full_needs_no_tab() {
    let mut s = with_bob();
    s.keys("\"at 10:30: well :Tada: :nothing:\"");
    assert_eq!(s.composer(), "at 10:30: well 🎉 :nothing:");
    s.keys("Ctrl-U \":tada:\" Ctrl-_");
    assert_eq!(s.composer(), ":tada:");
    s.event(Event::Paste(":tada:".into()));
    assert_eq!(s.composer(), ":tada::tada:");
}

#[test]
fn a_mistyped_command_is_answered_and_the_text_stays() {
    let mut s = with_bob();
    s.keys("\"/stauts busy\" Enter");
    assert_eq!(s.composer(), "/stauts busy");
    let error = s.state.conversations.current().unwrap().composer_error.clone().unwrap();
    assert_eq!(error, "there is no command /stauts; did you mean /status?");
    s.keys("Ctrl-U \"//is a path\" Enter");
    assert!(s.transcript().ends_with("alice: /is a path …"));
}

#[test]
fn slash_commands_do_what_keys_do() {
    let mut s = with_bob();
    s.keys("\"/status busy until 15:00 In the lab\" Enter");
    let until = Some(Time(1_795_273_200_000));
    assert_eq!(
        s.asked().last(),
        Some(&Operation::SetStatus { status: crate::domain::presence::UserStatus::Busy, activity: "In the lab".into(), until })
    );
    assert_eq!(s.composer(), "");
    s.keys("\"/invite carol\" Enter");
    assert_eq!(s.asked().last(), Some(&Operation::Invite { conversation: s.current_id(), uri: a("carol") }));
    s.keys("\"/lock\" Enter");
    assert_eq!((s.asked(), s.composer()), (vec![], "/lock"));
    s.keys("Ctrl-U \"/me waves\" Enter");
    assert!(s.transcript().ends_with("alice: * Alice Adams waves …"));
}

#[test]
fn an_invitation_is_a_card_that_steals_no_keys() {
    let mut s = Stage::new();
    let mut c = s.conversation("c1", &["carol"], ConversationState::Incoming);
    c.invitation = Some(Invitation {
        from: a("carol"),
        toast: "got a minute?".into(),
        auto_accept: None,
        conference: false,
        priority: Default::default(),
    });
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    assert_eq!((s.state.questions.len(), s.state.conversations.tabs.len()), (1, 0));
    s.keys("j");
    assert_eq!(s.state.people.selected_person(), Some(&a("bob")));
    s.effects.clear();
    s.keys("Alt-l");
    assert!(s.state.question().is_none());
    s.keys("Alt-l Alt-y");
    assert_eq!(s.asked(), [Operation::Accept { conversation: ConversationId("c1".into()) }]);
    c.state = ConversationState::Established;
    c.invitation = None;
    s.says(endpoint::Event::Conversation(Box::new(c)));
    assert_eq!((s.tabs().as_str(), s.state.pane), ("[Carol Diaz]", Pane::Conversations));
    s.message("c1", "m1", "carol", "got a minute?");
    assert_eq!(s.transcript(), "carol: got a minute?");
}

#[test]
fn a_declined_or_withdrawn_invitation_leaves_nothing() {
    let mut s = Stage::new();
    let mut c = s.conversation("c1", &["carol"], ConversationState::Incoming);
    c.invitation = Some(Invitation {
        from: a("carol"),
        toast: String::new(),
        auto_accept: None,
        conference: false,
        priority: Default::default(),
    });
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    s.effects.clear();
    s.keys("Alt-n");
    assert_eq!(s.asked(), [Operation::Decline { conversation: ConversationId("c1".into()) }]);
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    c.state = ConversationState::Terminated;
    s.says(endpoint::Event::Conversation(Box::new(c)));
    assert_eq!((s.state.questions.len(), s.tabs().as_str()), (0, ""));
    s.says(endpoint::Event::Missed { from: a("dan"), toast: "call me".into() });
    assert_eq!(s.tabs(), "[dan@contoso.example]");
    assert_eq!(s.transcript(), "-- dan@contoso.example wanted to talk with you: call me");
}

#[test]
fn a_new_conversation_with_the_same_person_goes_on_in_the_same_tab() {
    let mut s = with_bob();
    let first = s.current_id().0;
    let c = s.conversation(&first, &["bob"], ConversationState::Terminated);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    let c = s.conversation("c2", &["bob"], ConversationState::Established);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.message("c2", "1", "bob", "again");
    s.message(&first, "0", "bob", "a straggler");
    assert_eq!(s.tabs(), "[Bob Kelly]");
    assert_eq!(s.transcript(), sketch("|alice: hi …\n|bob: again\n|bob: a straggler"));
    assert_eq!(s.current_id().0, "c2");
}

#[test]
fn writing_into_an_ended_conversation_starts_a_new_one() {
    let mut s = with_bob();
    let first = s.current_id();
    let c = s.conversation(&first.0.clone(), &["bob"], ConversationState::Terminated);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.effects.clear();
    s.keys("\"still there?\" Enter");
    let asked = s.asked();
    let Some(Operation::StartConversation { id, with, .. }) = asked.first() else { panic!("{asked:?}") };
    assert!(*id != first && *with == a("bob"));
}

#[test]
fn a_conversation_becomes_a_meeting_and_its_people_come_and_go() {
    let mut s = with_bob();
    let id = s.current_id().0;
    let mut c = s.conversation(&id, &["bob"], ConversationState::Conferenced);
    c.focus = Some("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:X".into());
    c.my_role = Some(crate::domain::conversation::Role::Leader);
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    let carol = s.conversation("x", &["carol"], ConversationState::Idle).participants.remove(0);
    c.participants.push(carol);
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    c.participants.remove(0);
    s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    let expected = "
        |alice: hi …
        |-- You are in the meeting with Bob Kelly
        |-- Carol Diaz joined
        |-- Bob Kelly left";
    assert_eq!(s.transcript(), sketch(expected));
    assert!(matches!(s.state.conversations.current().unwrap().thread, Thread::Conference(_)));
    s.effects.clear();
    s.keys("\"/eject carol\" Enter Enter");
    assert_eq!(s.asked(), [Operation::Eject { conversation: ConversationId(id), uri: a("carol") }]);
}

#[test]
fn do_not_disturb_silences_all_but_pinned_people() {
    let mut s = with_bob();
    s.keys("Alt-3");
    s.state.account.availability = Some(Availability::DO_NOT_DISTURB);
    let id = s.current_id().0;
    s.effects.clear();
    s.message(&id, "1", "bob", "urgent");
    assert!(s.effects.contains(&Effect::Bell));
    s.effects.clear();
    let c = s.conversation("c9", &["carol"], ConversationState::Established);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.message("c9", "2", "carol", "chat");
    assert!(!s.effects.contains(&Effect::Bell));
}

#[test]
fn reading_searches_quotes_copies_and_opens_links() {
    let mut s = with_bob();
    let id = s.current_id().0;
    s.message(&id, "1", "bob", "see https://wiki.contoso.example/q3 please");
    s.message(&id, "2", "bob", "thanks");
    s.keys("Esc / \"WIKI\" Enter");
    assert!(s.transcript().contains(">bob: see"));
    s.effects.clear();
    s.keys("Enter");
    assert_eq!(s.effects, [Effect::OpenUrl("https://wiki.contoso.example/q3".into())]);
    s.effects.clear();
    s.keys("v v y");
    assert_eq!(
        s.effects[0],
        Effect::Copy("08:30 Bob Kelly: see https://wiki.contoso.example/q3 please\n08:30 Bob Kelly: thanks".into())
    );
    s.keys("r");
    assert_eq!(s.composer(), "> Bob Kelly: see https://wiki.contoso.example/q3 please\n> Bob Kelly: thanks\n");
}

#[test]
fn quitting_asks_while_something_is_unsent() {
    let mut s = with_bob();
    s.keys("Ctrl-Q");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Confirm(_))));
    s.keys("Esc");
    assert!(!s.effects.contains(&Effect::Quit));
    s.keys("Ctrl-Q y");
    assert!(s.effects.contains(&Effect::Quit));
}

#[test]
fn history_of_another_device_counts_as_read() {
    let mut s = with_bob();
    let id = s.current_id().0;
    s.keys("Alt-3");
    s.message(&id, "1", "bob", "yes");
    assert_eq!(s.state.unread(), 1);
    s.message(&id, "2", "alice", "answered from the desk");
    assert_eq!(s.state.unread(), 0);
    assert!(s.transcript().ends_with("alice: answered from the desk ✓"));
}

#[test]
fn a_message_whose_operation_fails_says_so() {
    let mut s = with_bob();
    s.keys("\"still there?\" Enter");
    s.completes(Err(Error::new(endpoint::ErrorKind::OperationFailed, "this conversation is over")));
    assert!(s.transcript().ends_with("alice: still there? ✗"));
}

#[test]
fn a_meeting_that_cannot_be_joined_says_why_in_its_tab() {
    let mut s = with_bob();
    s.keys("\"/join https://contoso.example/bob/K7M2Q9TX\" Enter");
    s.completes(Err(Error::new(endpoint::ErrorKind::ConferenceFailed, "it is locked")));
    assert_eq!(s.transcript(), "-- You could not join: it is locked");
    assert!(s.state.conversations.current().unwrap().is_over());
}

#[test]
fn writing_back_accepts_an_invitation() {
    let mut s = with_bob();
    let first = s.current_id().0;
    let c = s.conversation(&first, &["bob"], ConversationState::Terminated);
    s.says(endpoint::Event::Conversation(Box::new(c)));
    let mut c = s.conversation("c2", &["bob"], ConversationState::Incoming);
    c.invitation = Some(Invitation {
        from: a("bob"),
        toast: "back".into(),
        auto_accept: None,
        conference: false,
        priority: Default::default(),
    });
    s.says(endpoint::Event::Conversation(Box::new(c)));
    s.effects.clear();
    s.keys("\"hello\" Enter");
    assert_eq!(s.asked().first(), Some(&Operation::Accept { conversation: ConversationId("c2".into()) }));
    assert!(s.state.questions.is_empty());
}

#[test]
fn control_c_closes_and_empties_but_never_quits() {
    let mut s = with_bob();
    s.keys("Ctrl-K Ctrl-C \"text\" Ctrl-C");
    assert_eq!((s.composer(), s.state.overlays.len()), ("", 0));
    s.keys("Ctrl-C");
    assert_eq!(s.toast(), "Ctrl-Q quits");
}

#[test]
fn the_composer_has_vi_keys_when_wanted() {
    let mut s = with_bob();
    s.state.options.vi = true;
    s.keys("\"helo world\" Esc");
    assert_eq!(s.state.mode(), crate::app::keymap::Mode::Vi);
    s.keys("0 l l i \"l\" Esc A \"!\" Esc");
    assert_eq!(s.composer(), "hello world!");
    s.keys("d d");
    assert_eq!(s.composer(), "");
    s.keys("u Enter");
    assert!(s.transcript().ends_with("alice: hello world! …"));
    s.keys("Esc");
    assert_eq!(s.state.mode(), crate::app::keymap::Mode::Transcript);
}
