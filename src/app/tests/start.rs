use super::*;
use crate::app::effect::SavedTab;
use crate::app::event::{Snapshot, StoreReply};
use crate::app::state::people::Loaded;
use crate::endpoint::ErrorKind;

fn message(id: &str, from: &str, at: u64, body: &str, state: Delivery) -> InstantMessage {
    InstantMessage {
        alone: None,
        id: MessageId(id.into()),
        author: a(from),
        at: Time(at),
        body: body.into(),
        format: TextFormat::Plain,
        state,
    }
}

fn snapshot() -> Snapshot {
    let bob = "sip:bob@contoso.example".to_owned();
    Snapshot {
        contacts: vec![Contact::new(a("bob"))],
        presence: vec![(
            a("bob"),
            Box::new(Presence {
                availability: Some(Availability::BUSY),
                freshness: Freshness::Known { at: Time(5) },
                ..Presence::default()
            }),
        )],
        tabs: vec![SavedTab { thread: bob.clone(), subject: String::new(), read_until: Some(Time(10)) }],
        messages: vec![(
            bob.clone(),
            vec![
                message("1", "bob", 5, "old", Delivery::Received),
                message("2", "bob", 20, "new", Delivery::Received),
                message("3", "alice", 30, "unsent", Delivery::Queued),
            ],
        )],
        drafts: vec![(bob.clone(), "half a".into())],
        outbox: vec![(bob, message("3", "alice", 30, "unsent", Delivery::Queued))],
        ..Snapshot::default()
    }
}

#[test]
fn the_first_paint_comes_from_the_store_and_says_it_may_be_old() {
    let mut s = Stage::empty();
    s.state.link.state = EndpointState::Establishing;
    s.event(Event::Store(StoreReply::Snapshot(Box::new(snapshot()))));
    assert_eq!(s.state.people.loaded, Loaded::Cached);
    assert_eq!(s.state.people.presence[&a("bob")].freshness, Freshness::Stale { since: Time(5) });
    assert_eq!((s.tabs().as_str(), s.composer()), ("[bob@contoso.example(1)]", "half a"));
    assert_eq!(s.transcript(), sketch("|bob: old\n|---\n|bob: new\n|alice: unsent …"));
    assert!(s.operations().is_empty());
}

#[test]
fn the_outbox_of_an_earlier_run_is_sent_once_the_link_stands() {
    let mut s = Stage::empty();
    s.state.link.state = EndpointState::Establishing;
    s.event(Event::Store(StoreReply::Snapshot(Box::new(snapshot()))));
    s.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
    let asked = s.asked();
    assert!(matches!(&asked[0], Operation::StartConversation { with, .. } if *with == a("bob")));
    assert!(matches!(&asked[1], Operation::SendMessage { message, text, .. } if message.0 == "3" && text == "unsent"));
    assert_eq!(s.transcript().matches("unsent").count(), 1);
    s.says(endpoint::Event::State { state: EndpointState::Reestablishing, reason: Reason::None, retry_at: None });
    s.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
    assert!(!s.asked().iter().any(|o| matches!(o, Operation::SendMessage { .. })));
}

#[test]
fn the_presence_of_strangers_in_the_tabs_of_last_time_is_asked_for() {
    let mut s = Stage::empty();
    let tab = |who: &str| SavedTab { thread: format!("sip:{who}@contoso.example"), subject: String::new(), read_until: None };
    let snapshot = Snapshot { contacts: vec![Contact::new(a("bob"))], tabs: vec![tab("bob"), tab("zoe")], ..Snapshot::default() };
    s.event(Event::Store(StoreReply::Snapshot(Box::new(snapshot))));
    assert!(matches!(&s.asked()[..], [Operation::Watch { uris, .. }] if *uris == [a("zoe")]), "bob is on the list");
}

#[test]
fn older_pages_are_fetched_when_the_top_is_reached() {
    let mut s = Stage::empty();
    s.event(Event::Store(StoreReply::Snapshot(Box::new(snapshot()))));
    s.effects.clear();
    s.keys("Alt-2 Esc g");
    let wanted = crate::app::effect::StoreRequest::LoadHistory {
        thread: "sip:bob@contoso.example".into(),
        before: Some(Time(5)),
        limit: 200,
    };
    assert!(s.effects.contains(&Effect::Store(AccountId("work".into()), wanted)));
    let page = vec![message("0", "alice", 1, "oldest", Delivery::Delivered)];
    s.event(Event::Store(StoreReply::History { thread: "sip:bob@contoso.example".into(), messages: page, more: false }));
    assert!(s.transcript().starts_with("alice: oldest ✓✓\n>bob: old"), "{}", s.transcript());
}

#[test]
fn search_results_lead_to_their_message() {
    let mut s = Stage::empty();
    s.event(Event::Store(StoreReply::Snapshot(Box::new(snapshot()))));
    let hit = message("2", "bob", 20, "new", Delivery::Received);
    s.event(Event::Store(StoreReply::Found { query: "new".into(), messages: vec![("sip:bob@contoso.example".into(), hit)] }));
    s.keys("Enter");
    assert!(s.transcript().contains(">bob: new"));
}

#[test]
fn the_same_keys_from_the_same_seed_make_the_same_state() {
    let run = || {
        let mut s = Stage::new();
        s.keys("j Enter \"one\" Enter Alt-1 j j Enter \"two\" Enter");
        (format!("{:?}", s.effects), s.tabs(), s.transcript())
    };
    assert_eq!(run(), run());
}

fn refused(s: &mut Stage) {
    let error = Error { status: Some(401), ..Error::new(ErrorKind::AuthenticationFailed, "The server refused the password.") };
    s.says(endpoint::Event::State { state: EndpointState::Idle, reason: Reason::Failed(error), retry_at: None });
}

fn starting() -> Stage {
    let mut s = Stage::new();
    s.state.link.was_up = false;
    s.state.link.state = EndpointState::Establishing;
    s
}

#[test]
fn a_password_that_is_refused_at_the_start_is_typed_again_on_the_screen() {
    let mut s = starting();
    refused(&mut s);
    let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!("{:?}", s.state.overlays) };
    assert!(p.title.contains("alice@contoso.example") && p.error.is_some());
    s.keys("Enter");
    assert!(s.state.overlays.last().is_some(), "an empty one is none");
    s.effects.clear();
    s.keys("\" s3cret \" Enter");
    assert_eq!(s.effects, [Effect::SignInWith(crate::app::password::Typed::new(" s3cret "))], "blanks belong to it");
    assert!(!format!("{:?}", s.effects).contains("s3cret"));
    refused(&mut s);
    assert!(s.state.overlays.last().is_some(), "and once more");
    s.keys("Esc");
    assert!(s.state.overlays.is_empty());
    s.keys("Ctrl-K \"password: \" Enter");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Prompt(p)) if p.ask == crate::app::state::overlay::Ask::Password));
}

#[test]
fn who_is_writing_or_was_signed_in_is_not_asked_for_a_password_by_itself() {
    let mut s = starting();
    s.keys("Alt-1 g j Enter \"half a text\"");
    s.state.overlays.clear();
    refused(&mut s);
    assert!(s.state.overlays.is_empty());
    let mut s = Stage::new();
    refused(&mut s);
    assert!(s.state.overlays.is_empty() && s.state.link.was_up);
}
