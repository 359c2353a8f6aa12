//! Looking back: missed conversations, recipients, days, the tab of last time.

use super::*;
use crate::app::effect::{SavedTab, StoreRequest};
use crate::app::event::{Snapshot, StoreReply};
use crate::app::state::{Missed, Overlay, Thread};
use crate::domain::conversation::{ContextChannel, ContextState, Priority, Recipient};

fn picker(s: &Stage) -> Vec<String> {
    match s.state.overlays.last() {
        Some(Overlay::Picker(p)) => p.rows.iter().map(|r| format!("{} | {}", r.0, r.1)).collect(),
        other => panic!("{other:?}"),
    }
}

fn details(s: &Stage) -> String {
    match s.state.overlays.last() {
        Some(Overlay::Details { lines, .. }) => lines.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn missed_conversations_are_listed_new_ones_first_and_enter_answers() {
    let mut s = Stage::new();
    s.says(endpoint::Event::Missed { from: a("bob"), toast: "got a minute?".into() });
    s.now = Time(s.now.0 + 60_000);
    s.says(endpoint::Event::Missed { from: a("carol"), toast: String::new() });
    assert!(s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::SaveMissed(m)) if m.len() == 2)));
    s.keys("Alt-m");
    let rows = picker(&s);
    assert!(rows[0].starts_with("Carol Diaz | new, ") && rows[1].starts_with("Bob Kelly: got a minute? | "), "{rows:?}");
    assert!(!rows[1].contains("new"), "its tab is the one in sight");
    s.keys("Enter");
    assert!(s.tabs().contains("[Carol Diaz]"), "{}", s.tabs());
    s.keys("Alt-m");
    assert!(!picker(&s)[0].contains("new"), "its tab has been in sight");
    s.keys("j Enter");
    assert!(s.tabs().contains("[Bob Kelly]"), "{}", s.tabs());
}

#[test]
fn with_nothing_missed_the_list_says_so() {
    let mut s = Stage::new();
    s.keys("Alt-m");
    assert!(s.toast().contains("nobody"));
}

#[test]
fn the_details_of_a_message_name_who_has_it_and_who_has_not() {
    let mut s = Stage::new();
    s.keys("j Enter \"hi\" Enter");
    let id = s.state.conversations.current().unwrap().entries[0].id().clone();
    let recipients = vec![
        Recipient { uri: a("bob"), failure: None },
        Recipient { uri: a("carol"), failure: Some("no answer in time".into()) },
    ];
    s.says(endpoint::Event::Recipients { conversation: s.current_id(), message: id, recipients });
    s.keys("Esc d");
    let text = details(&s);
    assert!(
        text.contains("1 of 2 have it") && text.contains("+ Bob Kelly") && text.contains("- Carol Diaz: no answer in time"),
        "{text}"
    );
}

#[test]
fn a_day_is_gone_to_and_one_to_come_is_refused_with_the_words_kept() {
    let mut s = Stage::new();
    s.keys("j Enter");
    let id = s.current_id().0;
    s.message(&id, "1", "bob", "long ago");
    s.now = Time(s.now.0 + 3 * 86_400_000);
    s.message(&id, "2", "bob", "today");
    s.keys("Esc D \"today\" Enter");
    assert!(s.transcript().contains(">bob: today"), "{}", s.transcript());
    s.keys("Esc Esc D \"2999-01-01\" Enter");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Prompt(p)) if p.error.is_some() && p.line.text() == "2999-01-01"));
}

#[test]
fn ctrl_f_in_the_transcript_searches_everything() {
    let mut s = Stage::new();
    s.keys("j Enter Esc Ctrl-F \"numbers\" Enter");
    assert!(s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::Search { query, .. }) if query == "numbers")));
}

#[test]
fn after_a_restart_the_tab_of_last_time_is_shown() {
    let mut s = Stage::new();
    let tab = |who: &str| SavedTab { thread: Thread::Person(a(who)).key(), subject: String::new(), read_until: None };
    let snapshot = Snapshot {
        tabs: vec![tab("bob"), tab("carol")],
        shown: Some(Thread::Person(a("carol")).key()),
        missed: vec![Missed { from: a("dan"), toast: String::new(), at: Time(1), seen: true }],
        ..Snapshot::default()
    };
    s.event(Event::Store(StoreReply::Snapshot(Box::new(snapshot))));
    assert_eq!(s.tabs(), "Bob Kelly [Carol Diaz]");
    s.keys("Alt-m");
    assert_eq!(picker(&s).len(), 1);
    s.keys("Esc Alt-Left");
    assert!(s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::SaveShown(t)) if t.contains("bob"))));
}

#[test]
fn what_was_written_before_a_meeting_had_its_focus_moves_to_its_lasting_name() {
    let mut s = Stage::new();
    s.keys("Space");
    crate::app::commands::run(&mut crate::app::door::Door::new(&mut s.state, s.now), "meet-now", "Budget");
    let id = s.current_id().0;
    let before = s.state.conversations.current().unwrap().thread.key();
    let mut c = s.conversation(&id, &["bob"], ConversationState::Conferenced);
    c.focus = Some("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:X".into());
    s.says(endpoint::Event::Conversation(Box::new(c)));
    let moved = s.effects.iter().find_map(|e| match e {
        Effect::Store(_, StoreRequest::MoveThread { from, to }) => Some((from.clone(), to.clone())),
        _ => None,
    });
    let (from, to) = moved.expect("moved");
    assert!(from == before && from.starts_with("conv:") && to.starts_with("conf:"));
}

#[test]
fn a_new_subject_a_broken_way_and_an_attached_application_are_said_in_the_transcript() {
    let mut s = Stage::new();
    s.keys("j Enter \"hi\" Enter");
    let id = s.current_id().0;
    let mut c = s.conversation(&id, &["bob"], ConversationState::Established);
    c.subject = "Budget".into();
    let says = |s: &mut Stage, c: &Conversation| s.says(endpoint::Event::Conversation(Box::new(c.clone())));
    says(&mut s, &c);
    c.subject = "Lunch".into();
    c.recovering = true;
    c.priority = Priority::Urgent;
    c.context = Some(ContextChannel {
        state: ContextState::Established,
        application: "orders".into(),
        toast: "Order 12".into(),
        data: "<a/>".into(),
    });
    says(&mut s, &c);
    let text = s.transcript();
    for words in ["“Lunch”", "The way to Bob Kelly is broken", "now urgent", "orders is attached", "Order 12"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    s.keys("\"/context\" Enter");
    assert!(details(&s).contains("<a/>"));
}

#[test]
fn topic_and_priority_are_asked_of_the_endpoint_and_bad_ones_refused() {
    let mut s = Stage::new();
    s.keys("j Enter \"/topic Budget 2027\" Enter");
    assert!(s.asked().iter().any(|o| matches!(o, Operation::SetSubject { subject, .. } if subject == "Budget 2027")));
    s.keys("\"/priority urgent\" Enter");
    assert!(s.asked().iter().any(|o| matches!(o, Operation::SetPriority { priority: Priority::Urgent, .. })));
    s.keys("\"/priority asap\" Enter");
    assert_eq!(s.composer(), "/priority asap");
}

#[test]
fn calling_says_why_there_is_no_audio_and_what_to_do_instead() {
    let mut s = Stage::new();
    s.keys("j c");
    assert!(s.toast().contains("Bob Kelly") && s.toast().contains("no audio"), "{}", s.toast());
}

#[test]
fn without_a_configured_name_the_own_card_gives_it() {
    let mut s = Stage::new();
    s.state.account.name = String::new();
    let value = "<contactCard xmlns=\"http://schemas.microsoft.com/2006/09/sip/contactcard\"><identity><name><displayName>Alice Adams</displayName></name></identity></contactCard>";
    let key = crate::domain::presence::PublicationKey { category: "contactCard".into(), instance: 0, container: 0 };
    let publication = crate::domain::presence::Publication {
        key,
        version: 1,
        expiry: crate::domain::presence::Expiry::Static,
        publish_time: None,
        endpoint_id: None,
        value: value.into(),
    };
    let own = crate::domain::presence::SelfPresence { publications: vec![publication], ..Default::default() };
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    assert_eq!(s.state.name(&a("alice")), "Alice Adams");
}

#[test]
fn a_meeting_of_the_past_that_was_opened_from_the_search_can_be_gone_back_into() {
    let mut s = Stage::new();
    let focus = "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:ABC";
    let thread = Thread::Conference(focus.into());
    let message = InstantMessage {
        alone: None,
        id: MessageId("m".into()),
        author: a("bob"),
        at: NOW,
        body: "budget".into(),
        format: TextFormat::Plain,
        state: Delivery::Received,
    };
    let found = StoreReply::Found { query: "budget".into(), messages: vec![(thread.key(), message)] };
    s.event(Event::Store(found));
    s.keys("Enter Esc");
    s.effects.clear();
    s.keys("\"/rejoin\" Enter");
    let joins = s.asked().into_iter().any(|o| matches!(o, Operation::JoinConference { .. }));
    assert!(joins, "{}", s.toast());
}

#[test]
fn history_that_cannot_be_read_says_so_and_may_be_asked_for_again() {
    let mut s = Stage::new();
    s.keys("j Enter");
    let thread = s.state.conversations.current().unwrap().thread.key();
    assert!(s.state.conversations.current().unwrap().loading);
    s.event(Event::Store(StoreReply::NoHistory { thread, reason: "the disk is gone".into() }));
    assert!(!s.state.conversations.current().unwrap().loading);
    assert!(s.toast().contains("the disk is gone"));
}

#[test]
fn a_message_that_is_tried_again_waits_for_the_next_start_too() {
    let mut s = Stage::new();
    s.keys("j Enter \"hi\" Enter");
    let message = s.state.conversations.current().unwrap().entries[0].id().clone();
    let state = Delivery::Failed("no".into());
    s.says(endpoint::Event::MessageState { conversation: s.current_id(), message: message.clone(), state });
    s.effects.clear();
    s.keys("\"/retry\" Enter");
    let saved = |e: &Effect| matches!(e, Effect::Store(_, StoreRequest::SaveMessage { message: m, .. }) if m.id == message && m.state == Delivery::Queued);
    assert!(s.effects.iter().any(saved), "{:?}", s.effects);
}

#[test]
fn what_was_written_is_deleted_for_good_after_a_question() {
    let mut s = Stage::new();
    s.keys("j Enter \"a secret\" Enter");
    let id = s.state.conversations.current().unwrap().entries[0].id().clone();
    s.says(endpoint::Event::MessageState { conversation: s.current_id(), message: id, state: Delivery::Delivered });
    let deleted = |s: &Stage| s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::DeleteHistory { .. })));
    s.keys("\"/delete-history\" Enter");
    assert!(!deleted(&s));
    s.keys("y");
    assert!(deleted(&s));
    assert!(s.state.conversations.current().unwrap().entries.is_empty());
}

fn page(from: u64, until: u64) -> Vec<InstantMessage> {
    let one = |at: u64| InstantMessage {
        alone: None,
        id: MessageId(format!("n{at}")),
        author: a("bob"),
        at: Time(at),
        body: format!("said at {at}"),
        format: TextFormat::Plain,
        state: Delivery::Received,
    };
    (from..until).map(one).collect()
}

/// The last page that was asked for.
fn wanted(s: &mut Stage) -> Option<(Option<Time>, usize)> {
    let last = s.effects.iter().rev().find_map(|e| match e {
        Effect::Store(_, StoreRequest::LoadHistory { before, limit, .. }) => Some((*before, *limit)),
        _ => None,
    });
    s.effects.clear();
    last
}

fn answers(s: &mut Stage, messages: Vec<InstantMessage>, more: bool) {
    s.event(Event::Store(StoreReply::History { thread: Thread::Person(a("bob")).key(), messages, more }));
}

#[test]
fn a_found_message_of_a_closed_tab_is_reached_page_by_page_and_nothing_in_between_is_missing() {
    let mut s = Stage::new();
    let hit = page(150, 151).remove(0);
    s.event(Event::Store(StoreReply::Found { query: "150".into(), messages: vec![(Thread::Person(a("bob")).key(), hit)] }));
    s.keys("Enter");
    assert_eq!(wanted(&mut s), Some((None, 200)), "the newest first");
    answers(&mut s, page(800, 1000), true);
    assert_eq!(wanted(&mut s).map(|w| w.0), Some(Some(Time(800))), "then what lies between");
    answers(&mut s, page(300, 800), true);
    assert_eq!(wanted(&mut s).map(|w| w.0), Some(Some(Time(300))));
    answers(&mut s, page(100, 300), true);
    assert_eq!(wanted(&mut s), None);
    assert!(s.transcript().contains(">bob: said at 150\n"), "the very message");
    assert_eq!(s.state.conversations.current().unwrap().entries.len(), 900);
}

#[test]
fn a_day_in_the_middle_of_what_is_not_loaded_is_gone_to() {
    let mut s = Stage::new();
    s.keys("j Enter");
    let day = |d: u64| NOW.0 - NOW.0 % 86_400_000 - d * 86_400_000;
    answers(&mut s, page(day(1) + 1000, day(1) + 1010), true);
    s.effects.clear();
    s.keys("\"/day 3d ago\" Enter");
    assert_eq!(wanted(&mut s).map(|w| w.0), Some(Some(Time(day(1) + 1000))));
    let mut older = page(day(4), day(4) + 3);
    older.extend(page(day(3) + 5, day(3) + 8));
    older.extend(page(day(2), day(2) + 3));
    answers(&mut s, older, false);
    assert!(s.transcript().contains(&format!(">bob: said at {}", day(3) + 5)), "{}", s.transcript());
    s.keys("i \"/day today\" Enter");
    assert!(s.toast().contains("nothing was written here since then"), "{}", s.toast());
}

#[test]
fn what_lies_too_far_back_is_said_and_the_cursor_goes_to_no_other_message() {
    let mut s = Stage::new();
    s.keys("j Enter");
    answers(&mut s, page(100_000, 100_000 + crate::app::limits::LOOKED_BACK as u64), true);
    s.effects.clear();
    s.keys("\"/day 1970-01-01\" Enter");
    assert_eq!(wanted(&mut s), None);
    assert!(s.toast().contains("too far back"), "{}", s.toast());
    assert!(!s.transcript().contains('>'));
}
