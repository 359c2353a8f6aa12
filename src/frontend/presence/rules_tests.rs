//! Rules of `domain.md` 5.4 to 5.6 that the server keeps: every expiry kind, registered categories, convergence.

use super::tests::{aggregate, by_hand, heard, item, machine, number, own, publish, ready, state, watch};
use crate::domain::presence::{Activity, Availability, Expiry, PublicationKey};
use crate::domain::{Rng, Time, instances};
use crate::frontend::testing::{World, address};
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::publish::PublishItem;
use crate::sip::{FlowId, Name};
use proptest::prelude::*;
use std::time::Duration;

fn note(expiry: Expiry) -> PublishItem {
    item("note", 0, 200, expiry, r#"<note><body type="personal" uri="">here</body></note>"#.into())
}

fn shows_note(w: &World, user: &str) -> bool {
    let key = PublicationKey { category: "note".into(), instance: 0, container: 200 };
    w.server.state().users[&address(user)].presence.find(&key).is_some()
}

/// Whether a notification came that empties the note.
fn note_gone(w: &mut World, flow: FlowId) -> bool {
    std::iter::from_fn(|| heard(w, flow))
        .any(|b| b.documents.iter().flat_map(|d| &d.categories).any(|c| c.name == "note" && c.value.is_none()))
}

#[test]
fn expiry_endpoint_ends_with_the_publishing_endpoint_and_watchers_are_told() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, one, two) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"), ready(&mut w, "bob", "e3"));
    publish(&mut w, one, vec![note(Expiry::Endpoint)]);
    watch(&mut w, alice, &[("bob", false)]);
    w.drop_connection(two);
    assert!(shows_note(&w, "bob") && !note_gone(&mut w, alice), "another endpoint takes nothing of it along");
    let three = ready(&mut w, "bob", "e4");
    w.drop_connection(one);
    assert!(!shows_note(&w, "bob") && note_gone(&mut w, alice));
    assert!(w.server.state().registrations.count(&address("bob")) == 1, "{three:?} is still there");
}

#[test]
fn expiry_user_ends_with_the_last_endpoint_and_watchers_are_told() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, one, two) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"), ready(&mut w, "bob", "e3"));
    publish(&mut w, one, vec![note(Expiry::User)]);
    watch(&mut w, alice, &[("bob", false)]);
    w.drop_connection(one);
    assert!(shows_note(&w, "bob") && !note_gone(&mut w, alice));
    w.drop_connection(two);
    assert!(!shows_note(&w, "bob") && note_gone(&mut w, alice));
}

#[test]
fn expiry_time_ends_after_its_seconds_and_watchers_are_told() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    publish(&mut w, bob, vec![note(Expiry::Time(60))]);
    watch(&mut w, alice, &[("bob", false)]);
    w.advance(Duration::from_secs(59));
    assert!(shows_note(&w, "bob") && !note_gone(&mut w, alice));
    w.advance(Duration::from_secs(1));
    assert!(!shows_note(&w, "bob") && note_gone(&mut w, alice));
}

#[test]
fn expiry_static_never_ends_by_itself() {
    let mut w = World::new(&["bob"]);
    let bob = ready(&mut w, "bob", "e2");
    publish(&mut w, bob, vec![note(Expiry::Static)]);
    w.drop_connection(bob);
    w.advance(Duration::from_secs(86_400 * 400));
    assert!(shows_note(&w, "bob"));
}

#[test]
fn every_end_of_a_state_is_aggregated_anew() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, one, two) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"), ready(&mut w, "bob", "e3"));
    watch(&mut w, alice, &[("bob", false)]);
    let mut meeting = StateValue::new(StateKind::Calendar);
    (meeting.availability, meeting.activity) = (Some(Availability::BUSY), Some(Activity::token("in-a-meeting")));
    publish(&mut w, one, state(instances::meeting("bob@contoso.com"), Expiry::Time(600), &meeting));
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(6500));
    w.advance(Duration::from_secs(600));
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(3500), "the meeting's time is over");
    let mut call = StateValue::new(StateKind::Phone);
    call.availability = Some(Availability(7000));
    publish(&mut w, two, state(instances::voice_call("sip:bob@contoso.com", "g"), Expiry::Endpoint, &call));
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(7000));
    w.drop_connection(two);
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(3500), "the calling device is gone");
}

#[test]
fn what_ended_while_nobody_served_is_gone_after_the_start() {
    let mut w = World::new(&["bob"]);
    let bob = ready(&mut w, "bob", "e2");
    publish(&mut w, bob, vec![note(Expiry::Time(60))]);
    let mut own = crate::frontend::presence::own::OwnPresence::new(
        w.server.state().users[&address("bob")].presence.snapshot().publications,
        Vec::new(),
        Vec::new(),
    );
    assert!(own.next_expiry().is_some(), "it is kept");
    own.expire(Time(w.now.0 + 61_000), &mut crate::frontend::presence::own::Touched::default());
    assert_eq!(own.next_expiry(), None);
}

#[test]
fn a_category_is_published_only_while_it_is_registered() {
    let mut w = World::new(&["bob"]);
    let bob = ready(&mut w, "bob", "e2");
    let mood = || item("mood", 0, 200, Expiry::Static, "<mood>fine</mood>".into());
    let no = publish(&mut w, bob, vec![mood()]);
    assert_eq!(no.status, 400);
    let why = no.headers.get(&Name::MsDiagnostics).unwrap().to_owned();
    assert!(why.contains("Category mood is not registered"), "{why}");
    w.server.set_categories(vec!["mood".into()]);
    assert_eq!(publish(&mut w, bob, vec![mood()]).status, 200);
    w.server.set_categories(Vec::new());
    assert_eq!(publish(&mut w, bob, vec![mood()]).status, 400);
    let there = |w: &mut World| {
        let data = own(w, bob);
        crate::lync::roaming::RoamingData::to_bytes(&data).windows(4).any(|w| w == b"mood")
    };
    assert!(there(&mut w), "what is published stays");
    let mut gone = mood();
    gone.delete = true;
    assert_eq!(publish(&mut w, bob, vec![gone]).status, 200, "and can be taken back");
    assert!(!there(&mut w));
}

#[test]
fn a_hostile_category_name_harms_no_header() {
    let mut w = World::new(&["bob"]);
    let bob = ready(&mut w, "bob", "e2");
    let name = "a\"; x=\"\r\nVia: b\u{1b}[31m";
    let no = publish(&mut w, bob, vec![item(name, 0, 200, Expiry::Static, "<x/>".into())]);
    assert_eq!(no.status, 400);
    assert!(!no.headers.get(&Name::MsDiagnostics).unwrap().contains(['\r', '\n', '\u{1b}']));
}

/// One publication of each kind, and which of three devices makes it.
#[derive(Clone, Debug)]
struct Deed {
    device: usize,
    what: u8,
    number: u32,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let numbers = || prop::sample::select(vec![3500u32, 5000, 6500, 9500, 12_500, 15_500, 18_500]);
    let one = move |what: u8| {
        (0usize..3, numbers(), any::<bool>())
            .prop_map(move |(device, number, there)| there.then_some(Deed { device, what, number }))
    };
    (one(0), one(1), one(2), one(3), one(4), one(5))
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect())
}

/// Machine states are each device's own; the others are the owner's, whoever writes them.
fn written(w: &World, flows: &[FlowId], d: &Deed) -> Vec<PublishItem> {
    let n = Availability(d.number);
    let source = |instance, kind, token: &str| {
        let value = StateValue { availability: Some(n), activity: Some(Activity::token(token)), ..StateValue::new(kind) };
        state(instance, Expiry::Time(9_000), &value)
    };
    match d.what {
        0..=2 => machine(w, flows[usize::from(d.what)], d.number),
        3 => by_hand(d.number),
        4 => source(instances::meeting("bob@contoso.com"), StateKind::Calendar, "in-a-meeting"),
        _ => source(instances::desk_phone("tel:+1"), StateKind::Phone, "on-the-phone"),
    }
}

fn result(deeds: &[Deed], seed: u64) -> Vec<Option<StateValue>> {
    let mut w = World::new(&["bob"]);
    let flows = ["e1", "e2", "e3"].map(|e| ready(&mut w, "bob", e));
    let mut order: Vec<&Deed> = deeds.iter().collect();
    let mut rng = Rng::seeded(seed);
    for i in (1..order.len()).rev() {
        order.swap(i, usize::try_from(rng.below(u64::try_from(i).unwrap() + 1)).unwrap());
    }
    for d in order {
        let items = written(&w, &flows, d);
        // A machine state is written by its own device, whichever was drawn.
        let by = if d.what < 3 { usize::from(d.what) } else { (d.device + usize::try_from(seed % 3).unwrap()) % 3 };
        assert_eq!(publish(&mut w, flows[by], items).status, 200);
    }
    let data = own(&mut w, flows[0]);
    [2, 3, 100, 200, 300, 400, 32_000].map(|c| aggregate(&data, c)).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn publishing_in_any_order_from_any_devices_converges_to_the_same_aggregate(deeds in deeds(), a: u64, b: u64) {
        prop_assert_eq!(result(&deeds, a), result(&deeds, b));
    }
}
