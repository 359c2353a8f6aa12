//! Scripts for the table of `domain.md` 3.10, for views and modes (5.10), and for floods.

use super::tests::{ACTIVE_CATEGORIES, BUSY, LIST_ONLY, ONE, asked, list, service, wanted, who};
use super::*;
use crate::domain::presence::Freshness;
use crate::endpoint::service::ServiceId;
use crate::endpoint::testkit::Bench;
use crate::endpoint::{ErrorKind, Outcome};

const BOT: &str = r#"<categories uri="sip:bob@contoso.com"><category name="contactCard" instance="0"><contactCard><automaton>true</automaton></contactCard></category></categories>"#;
const POLLED: &str = "Expires: 0\nsubscription-state: terminated;expires=0\nContent-Type: application/msrtc-event-categories+xml";
const FULL: &str = "terminated\" statusCode=\"403\" reason=\"too many watchers";

fn online() -> (Bench, Subscriptions) {
    let mut bench = Bench::new(ServiceId::Subscription);
    let mut s = service();
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    (bench, s)
}

fn view(name: &str) -> ViewId {
    ViewId(name.into())
}

fn open(bench: &mut Bench, s: &mut Subscriptions, name: &str, mode: Mode, interval: u64) -> OperationId {
    let options = ViewOptions { mode, interval: Duration::from_secs(interval), ..ViewOptions::default() };
    bench.operate(s, Operation::OpenView { view: view(name), options })
}

fn watch(bench: &mut Bench, s: &mut Subscriptions, name: &str, uri: &str) {
    bench.operate(s, Operation::Watch { view: view(name), uris: vec![who(uri)] });
}

fn unwatch(bench: &mut Bench, s: &mut Subscriptions, name: &str, uri: &str) {
    bench.operate(s, Operation::Unwatch { view: view(name), uris: vec![who(uri)] });
}

fn stand(s: &Subscriptions, uri: &str) -> Option<&'static str> {
    s.targets.get(&who(uri)).map(|t| match t.stand {
        Stand::Idle => "Idle",
        Stand::Subscribing => "Subscribing",
        Stand::Subscribed => "Subscribed",
        Stand::Polling { .. } => "Polling",
        Stand::WaitingForRetry { .. } => "WaitingForRetry",
        Stand::Terminated => "Terminated",
    })
}

const BOB: &str = "bob@contoso.com";

#[test]
fn nobody_is_polled_while_offline_and_everybody_afterwards() {
    let (mut bench, mut s) = online();
    open(&mut bench, &mut s, "v", Mode::Polling, 300);
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    watch(&mut bench, &mut s, "v", BOB);
    assert_eq!(s.poll_timeout(), None, "nothing can be done before the link is back");
    bench.online = true;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    assert_eq!(asked(&bench.request().1).1, [(BOB.to_owned(), false)]);
    assert_eq!(stand(&s, BOB), Some("Polling"));
}

/// Bob in a view of this mode, and the server has said that all is well.
fn bob_in(mode: Mode) -> (Bench, Subscriptions, Request) {
    let (mut bench, mut s) = online();
    open(&mut bench, &mut s, "v", mode, 300);
    watch(&mut bench, &mut s, "v", BOB);
    let sent = bench.request();
    assert_eq!(stand(&s, BOB), Some("Subscribing"));
    bench.answer(&mut s, &sent, 200, ONE, BUSY);
    assert_eq!(stand(&s, BOB), Some("Subscribed"));
    bench.take_events();
    (bench, s, sent.1)
}

/// The first answer names Bob in this state.
fn bob_answered(mode: Mode, state: &str) -> (Bench, Subscriptions) {
    let (mut bench, mut s) = online();
    open(&mut bench, &mut s, "v", mode, 300);
    watch(&mut bench, &mut s, "v", BOB);
    let sent = bench.request();
    bench.take_events();
    bench.answer(&mut s, &sent, 200, LIST_ONLY, &list(&[(BOB, state)]));
    bench.sent.clear();
    (bench, s)
}

#[test]
fn idle_goes_to_subscribing_in_default_and_persistent_mode() {
    bob_in(Mode::Default);
    bob_in(Mode::Persistent);
}

#[test]
fn idle_goes_to_polling_in_polling_mode_and_is_asked_for_every_interval() {
    let (mut bench, mut s) = online();
    open(&mut bench, &mut s, "v", Mode::Polling, 300);
    watch(&mut bench, &mut s, "v", BOB);
    assert_eq!(stand(&s, BOB), Some("Polling"));
    let first = bench.request();
    assert_eq!(first.1.headers.expires(), Some(0), "a poll is no subscription and is not counted as a watcher");
    bench.answer(&mut s, &first, 200, POLLED, BUSY);
    bench.pass(&mut s, Duration::from_secs(299));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(1));
    assert_eq!(bench.request().1.headers.expires(), Some(0));
}

#[test]
fn subscribing_goes_to_polling_when_the_target_is_an_automaton() {
    for mode in [Mode::Default, Mode::Persistent] {
        let (mut bench, mut s) = online();
        open(&mut bench, &mut s, "v", mode, 300);
        watch(&mut bench, &mut s, "v", BOB);
        let sent = bench.request();
        bench.answer(&mut s, &sent, 200, ONE, BOT);
        assert_eq!(stand(&s, BOB), Some("Polling"));
        bench.sent.clear();
        bench.pass(&mut s, Duration::from_secs(300));
        assert!(bench.sent.iter().any(|(_, r)| r.headers.expires() == Some(0)));
    }
}

#[test]
fn subscribing_goes_to_polling_when_the_watcher_limit_is_reached_in_default_mode() {
    let (mut bench, mut s) = bob_answered(Mode::Default, FULL);
    assert_eq!(stand(&s, BOB), Some("Polling"));
    bench.pass(&mut s, Duration::ZERO);
    let poll = bench.request();
    assert_eq!(poll.1.headers.expires(), Some(0));
    bench.answer(&mut s, &poll, 200, POLLED, BUSY);
    let events = bench.take_events();
    assert!(events.iter().any(|e| matches!(e, Event::Presence { .. })), "{events:?}");
    assert!(events.iter().any(|e| matches!(e, Event::Watching { standing: Standing::Polled { .. }, .. })));
}

#[test]
fn persistent_mode_is_refused_over_the_watcher_limit_and_the_target_leaves_with_a_reason() {
    let (mut bench, s) = bob_answered(Mode::Persistent, FULL);
    assert_eq!(stand(&s, BOB), Some("Terminated"));
    let events = bench.take_events();
    let left = events.iter().find_map(|e| match e {
        Event::TargetLeft { view, reason, .. } => Some((view.0.as_str(), reason.as_str())),
        _ => None,
    });
    assert_eq!(left, Some(("v", "Too many people watch this person already.")));
}

#[test]
fn subscribing_waits_when_the_target_lives_in_another_pool_or_is_to_be_asked_later() {
    for state in ["resubscribe", "terminated\" statusCode=\"480", "terminated\" statusCode=\"503"] {
        let (mut bench, mut s) = bob_answered(Mode::Default, state);
        assert_eq!(stand(&s, BOB), Some("WaitingForRetry"), "{state}");
        bench.pass(&mut s, Duration::from_secs(10));
        assert_eq!(stand(&s, BOB), Some("Subscribing"), "{state}");
    }
}

#[test]
fn subscribing_that_fails_terminates_and_the_target_leaves_the_view() {
    let (mut bench, s) = bob_answered(Mode::Default, "terminated\" statusCode=\"404");
    assert_eq!(stand(&s, BOB), Some("Terminated"));
    assert!(bench.take_events().iter().any(|e| matches!(e, Event::TargetLeft { .. })));
}

#[test]
fn subscribed_waits_on_480_481_504_and_when_the_server_asks_to_resubscribe() {
    for state in
        ["terminated\" statusCode=\"480", "terminated\" statusCode=\"481", "terminated\" statusCode=\"504", "resubscribe"]
    {
        let (mut bench, mut s, subscribe) = bob_in(Mode::Default);
        bench.notify(&mut s, &subscribe, "application/rlmi+xml", &list(&[(BOB, state)]));
        assert_eq!(stand(&s, BOB), Some("WaitingForRetry"), "{state}");
        let events = bench.take_events();
        let stale = |e: &Event| matches!(e, Event::Presence { presence, .. } if presence.freshness == Freshness::Stale { since: bench.now });
        assert!(events.iter().any(stale), "{events:?}");
        bench.pass(&mut s, Duration::from_secs(10));
        assert_eq!(stand(&s, BOB), Some("Subscribing"), "within ten seconds");
    }
}

#[test]
fn subscribed_goes_to_polling_when_downgraded() {
    let (mut bench, mut s, subscribe) = bob_in(Mode::Default);
    bench.notify(&mut s, &subscribe, "application/rlmi+xml", &list(&[(BOB, FULL)]));
    assert_eq!(stand(&s, BOB), Some("Polling"));
}

#[test]
fn subscribed_waiting_and_polling_end_when_the_view_ends() {
    let (mut bench, mut s, _) = bob_in(Mode::Default);
    bench.operate(&mut s, Operation::CloseView { view: view("v") });
    assert_eq!(stand(&s, BOB), None);
    assert_eq!(bench.request().1.headers.expires(), Some(0));
    let (mut bench, mut s) = bob_answered(Mode::Default, "terminated\" statusCode=\"480");
    unwatch(&mut bench, &mut s, "v", BOB);
    assert_eq!(stand(&s, BOB), None);
    let (mut bench, mut s) = bob_answered(Mode::Default, FULL);
    unwatch(&mut bench, &mut s, "v", BOB);
    assert_eq!((stand(&s, BOB), s.timers.len()), (None, 0));
}

#[test]
fn what_3_10_does_not_list_changes_nothing() {
    let (mut bench, mut s, subscribe) = bob_in(Mode::Default);
    // Nobody wants Carol: what is said of her goes by.
    for state in ["active", "resubscribe", "terminated", FULL] {
        bench.notify(&mut s, &subscribe, "application/rlmi+xml", &list(&[("carol@contoso.com", state)]));
    }
    unwatch(&mut bench, &mut s, "no such view", BOB);
    unwatch(&mut bench, &mut s, "v", "carol@contoso.com");
    bench.pass(&mut s, Duration::from_secs(60));
    assert_eq!((stand(&s, BOB), s.targets.len(), bench.sent.len()), (Some("Subscribed"), 1, 0));
}

#[test]
fn one_person_in_several_views_is_counted_by_reference() {
    let (mut bench, mut s, _) = bob_in(Mode::Default);
    for _ in 0..2 {
        watch(&mut bench, &mut s, "conversations", BOB);
    }
    wanted(&mut bench, &mut s, &[BOB]);
    unwatch(&mut bench, &mut s, "v", BOB);
    unwatch(&mut bench, &mut s, "conversations", BOB);
    wanted(&mut bench, &mut s, &[]);
    assert!(bench.sent.is_empty(), "one reference is left");
    unwatch(&mut bench, &mut s, "conversations", BOB);
    assert_eq!(bench.request().1.headers.expires(), Some(0));
}

#[test]
fn the_strongest_wish_of_the_views_wins() {
    let (mut bench, mut s, _) = bob_in(Mode::Default);
    open(&mut bench, &mut s, "slow", Mode::Polling, 600);
    open(&mut bench, &mut s, "quick", Mode::Polling, 60);
    watch(&mut bench, &mut s, "slow", BOB);
    watch(&mut bench, &mut s, "quick", BOB);
    assert_eq!((stand(&s, BOB), bench.sent.len()), (Some("Subscribed"), 0));
    unwatch(&mut bench, &mut s, "v", BOB);
    assert_eq!(stand(&s, BOB), Some("Polling"));
    bench.pass(&mut s, Duration::ZERO);
    bench.sent.clear();
    bench.pass(&mut s, Duration::from_secs(60));
    assert_eq!(bench.sent.len(), 1, "the shortest interval counts");
    bench.sent.clear();
    watch(&mut bench, &mut s, "v", BOB);
    assert_eq!(stand(&s, BOB), Some("Subscribing"));
}

#[test]
fn categories_are_fixed_but_for_polling_views_and_queries() {
    let (mut bench, mut s) = online();
    let few = |mode| ViewOptions { mode, categories: vec!["state".into()], ..ViewOptions::default() };
    for mode in [Mode::Default, Mode::Persistent] {
        let id = bench.operate(&mut s, Operation::OpenView { view: view("v"), options: few(mode) });
        assert!(matches!(bench.result(id), Some(Err(e)) if e.kind == ErrorKind::InvalidOperation));
    }
    bench.operate(&mut s, Operation::OpenView { view: view("v"), options: few(Mode::Polling) });
    watch(&mut bench, &mut s, "v", BOB);
    let categories = |r: &Request| BatchRequest::parse(&r.body).unwrap().categories;
    assert_eq!(categories(&bench.request().1), ["state"]);
    // They may be changed later, and another view of the same person adds to them.
    let two = ViewOptions { categories: vec!["state".into(), "note".into()], ..few(Mode::Polling) };
    bench.operate(&mut s, Operation::OpenView { view: view("v"), options: two });
    assert_eq!(categories(&bench.request().1), ["note", "state"]);
    bench.operate(&mut s, Operation::QueryPresence { uris: vec![who(BOB)], categories: vec!["contactCard".into()] });
    assert_eq!(categories(&bench.request().1), ["contactCard"]);
    bench.operate(&mut s, Operation::Watch { view: view("w"), uris: vec![who("carol@contoso.com")] });
    assert_eq!(categories(&bench.request().1), ACTIVE_CATEGORIES);
}

#[test]
fn a_query_asks_once_and_brings_what_was_found() {
    let (mut bench, mut s) = online();
    let uris = vec![who(BOB), who("carol@fabrikam.com"), who("eve@contoso.com")];
    let id = bench.operate(&mut s, Operation::QueryPresence { uris, categories: Vec::new() });
    let sent = bench.request();
    assert_eq!(sent.1.headers.expires(), Some(0));
    let home = list(&[(BOB, "active"), ("carol@fabrikam.com", "resubscribe"), ("eve@contoso.com", FULL)]);
    let (kind, both) = ("multipart/related;type=\"application/rlmi+xml\";start=resourceList;boundary=b", |list: &str| {
        let part = |kind: &str, body: &str| format!("--b\r\nContent-Type: {kind}\r\n\r\n{body}\r\n");
        format!("{}{}--b--\r\n", part("application/rlmi+xml", list), part("application/msrtc-event-categories+xml", BUSY))
    });
    bench.answer(&mut s, &sent, 200, &POLLED.replace("application/msrtc-event-categories+xml", kind), &both(&home));
    assert_eq!(bench.result(id), None, "Carol is asked for at her own server");
    let direct = bench.request();
    assert_eq!(direct.1.uri.as_str(), "sip:carol@fabrikam.com");
    bench.answer(&mut s, &direct, 200, POLLED, &BUSY.replace(BOB, "carol@fabrikam.com"));
    let Some(Ok(Outcome::Presence(found))) = bench.result(id) else { panic!("{:?}", bench.events) };
    assert_eq!(found.iter().map(|f| f.0.bare()).collect::<Vec<_>>(), [BOB, "carol@fabrikam.com"]);
    assert!(!bench.events.iter().any(|e| matches!(e, Event::Presence { .. })), "a query is no view");
    bench.pass(&mut s, Duration::from_secs(3600));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_query_without_the_server_is_refused_and_one_that_loses_the_link_fails() {
    let (mut bench, mut s) = online();
    let ask = Operation::QueryPresence { uris: vec![who(BOB)], categories: Vec::new() };
    let id = bench.operate(&mut s, ask.clone());
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    assert!(matches!(bench.result(id), Some(Err(e)) if e.kind == ErrorKind::Retryable));
    let id = bench.operate(&mut s, ask);
    assert!(matches!(bench.result(id), Some(Err(e)) if e.kind == ErrorKind::Retryable));
}

#[test]
fn views_for_conversations_and_search_carry_no_context() {
    let (mut bench, mut s) = online();
    // Putting Zoe on the list failed; she is merely talked with.
    bench.call(&mut s, |s, ctx| {
        s.on_internal(ctx, &InternalEvent::ContactAdded { uri: who("zoe@contoso.com"), words: String::new() })
    });
    watch(&mut bench, &mut s, "conversations", "zoe@contoso.com");
    watch(&mut bench, &mut s, "search", "zoe@contoso.com");
    let sent = bench.request();
    assert_eq!(asked(&sent.1).1, [("zoe@contoso.com".to_owned(), false)]);
    bench.answer(&mut s, &sent, 200, ONE, "");
    // Now she is on the list: she is told, though her presence is already known.
    bench.call(&mut s, |s, ctx| {
        s.on_internal(ctx, &InternalEvent::ContactAdded { uri: who("zoe@contoso.com"), words: String::new() })
    });
    wanted(&mut bench, &mut s, &["zoe@contoso.com"]);
    assert_eq!(asked(&bench.request().1).1, [("zoe@contoso.com".to_owned(), true)]);
}

#[test]
fn a_contact_nobody_knows_is_asked_for_again_with_the_next_registration() {
    let (mut bench, mut s) = online();
    wanted(&mut bench, &mut s, &[BOB]);
    let sent = bench.request();
    bench.answer(&mut s, &sent, 200, LIST_ONLY, &list(&[(BOB, "terminated\" statusCode=\"404")]));
    assert!(bench.take_events().iter().any(|e| matches!(e, Event::Watching { standing: Standing::Failed { .. }, .. })));
    bench.sent.clear();
    bench.pass(&mut s, Duration::from_secs(3600));
    assert!(bench.sent.is_empty());
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let sent = bench.request();
    bench.answer(&mut s, &sent, 200, ONE, BUSY);
    assert!(bench.take_events().iter().any(|e| matches!(e, Event::Watching { standing: Standing::Told, .. })));
}

#[test]
fn a_flood_of_the_same_notification_says_nothing() {
    let (mut bench, mut s, subscribe) = bob_in(Mode::Default);
    bench.notify(&mut s, &subscribe, "application/msrtc-event-categories+xml", BUSY);
    let later = BUSY.replace("2014-01-15T09:41:00.003", "2014-01-15T09:59:59.000");
    for _ in 0..1000 {
        bench.notify(&mut s, &subscribe, "application/msrtc-event-categories+xml", BUSY);
        // The same words, published anew, are no news either.
        bench.notify(&mut s, &subscribe, "application/msrtc-event-categories+xml", &later);
    }
    assert_eq!((bench.take_events(), bench.sent.len()), (Vec::new(), 0));
}

#[test]
fn a_notification_that_was_heard_before_something_else_happened_counts_again() {
    let (mut bench, mut s, subscribe) = bob_in(Mode::Default);
    let available = BUSY.replace("6500</", "3500</");
    for body in [&available, &BUSY.to_owned(), &available] {
        bench.notify(&mut s, &subscribe, "application/msrtc-event-categories+xml", body);
    }
    let numbers: Vec<_> = bench
        .take_events()
        .iter()
        .filter_map(|e| match e {
            Event::Presence { presence, .. } => presence.availability.map(|a| a.0),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [3500, 6500, 3500]);
}
