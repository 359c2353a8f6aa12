//! What reaches a watcher is a function of their container and what is published there, and nothing is sent that says
//! nothing new: property tests over changes in any order.

use super::tests::{heard, item, publish, put_members, ready, watch};
use crate::domain::access;
use crate::domain::presence::{Availability, Expiry, Member, Note, SelfPresence};
use crate::domain::{Time, instances};
use crate::frontend::testing::{World, address};
use crate::lync::batch::DEFAULT_CATEGORIES;
use crate::lync::categories::state::StateValue;
use crate::lync::categories::{WatchedCategories, note};
use crate::lync::containers::MemberChange::{Add, Remove};
use crate::lync::publish::PublishItem;
use crate::sip::FlowId;
use proptest::prelude::*;
use std::collections::BTreeMap;

const CONTAINERS: [u32; 6] = [100, 200, 300, 400, 500, 32_000];

#[derive(Clone, Debug)]
enum Deed {
    /// Alice stands in this container by name, and in no other.
    Name(Option<u32>),
    /// Her domain stands in this container, and in no other.
    Domain(Option<u32>),
    /// A note for these containers; `None` takes it away.
    Note(Option<u8>, Vec<u32>),
    /// A status by hand; 0 takes it back.
    Status(u32),
    /// Something of a category that no watcher is ever told.
    Private(u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    let container = || prop::option::of(prop::sample::select(CONTAINERS.to_vec()));
    prop_oneof![
        container().prop_map(Deed::Name),
        container().prop_map(Deed::Domain),
        (prop::option::of(0u8..3), prop::sample::subsequence(CONTAINERS.to_vec(), 1..4)).prop_map(|(n, c)| Deed::Note(n, c)),
        prop::sample::select(vec![0u32, 3500, 6500, 9500, 15_500]).prop_map(Deed::Status),
        (0u8..3).prop_map(Deed::Private),
    ]
}

fn only_in(w: &mut World, bob: FlowId, member: &Member, wanted: Option<u32>) {
    let held = w.server.state().users[&address("bob")].presence.containers.clone();
    let out = held.iter().filter(|c| access::may_change(c.id) && Some(c.id) != wanted && c.members.contains(member));
    let mut changes: Vec<_> = out.map(|c| (c.id, Remove(member.clone()))).collect();
    changes.extend(wanted.map(|id| (id, Add(member.clone()))));
    if !changes.is_empty() {
        assert_eq!(put_members(w, bob, changes).status, 200);
    }
}

fn gone(mut i: PublishItem) -> PublishItem {
    (i.delete, i.publication.value) = (true, String::new());
    i
}

fn perform(w: &mut World, bob: FlowId, deed: &Deed) {
    match deed {
        Deed::Name(to) => only_in(w, bob, &Member::User(address("alice")), *to),
        Deed::Domain(to) => only_in(w, bob, &Member::Domain("contoso.com".into()), *to),
        Deed::Note(text, containers) => {
            let words = |n: u8| Note { text: format!("note {n}"), out_of_office: false, start: None, end: None };
            let one = |c: &u32| match text {
                Some(n) => item("note", 0, *c, Expiry::Static, note::to_xml(Some(&words(*n)))),
                None => gone(item("note", 0, *c, Expiry::Static, String::new())),
            };
            publish(w, bob, containers.iter().map(one).collect());
        }
        Deed::Status(number) => {
            let value = StateValue::user(Availability(*number)).to_xml();
            let both = [2, 3].map(|c| item("state", instances::USER_STATE, c, Expiry::Static, value.clone()));
            let both = if *number == 0 { both.map(gone) } else { both };
            publish(w, bob, both.to_vec());
        }
        Deed::Private(n) => {
            let value = format!("<routing xmlns=\"x\"><n>{n}</n></routing>");
            publish(w, bob, CONTAINERS.map(|c| item("routing", 0, c, Expiry::Static, value.clone())).to_vec());
        }
    }
}

type Known = BTreeMap<String, Vec<(u32, Option<Time>, String)>>;

/// What a document says of each category it names.
fn said(document: &WatchedCategories) -> Known {
    let mut out = Known::new();
    for c in &document.categories {
        let entry = out.entry(c.name.clone()).or_default();
        if let (Some(instance), Some(value)) = (c.instance, &c.value) {
            entry.push((instance, c.publish_time.filter(|t| c.name == "state" && *t != Time::default()), value.to_string()));
        }
    }
    out.values_mut().for_each(|v| v.sort());
    out
}

/// What somebody must know who sees a container of `own`.
fn due(own: &SelfPresence, container: u32) -> Known {
    said(&WatchedCategories::seen(address("bob"), &DEFAULT_CATEGORIES, container, own.publications.iter()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn what_a_watcher_receives_is_a_function_of_level_and_publications_only_and_never_one_document_too_many(
        deeds in prop::collection::vec(deed(), 1..16),
    ) {
        let mut w = World::new(&["alice", "bob"]);
        let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
        let (_, answer) = watch(&mut w, alice, &[("bob", false)]);
        let first = super::tests::read(&answer.headers, &answer.body);
        let mut known = said(&first.documents[0]);
        w.clear();
        for deed in &deeds {
            perform(&mut w, bob, deed);
            while let Some(body) = heard(&mut w, alice) {
                for document in &body.documents {
                    for (category, content) in said(document) {
                        prop_assert!(access::is_delivered(&category), "{category} is private");
                        prop_assert_ne!(known.get(&category), Some(&content), "{} was no news after {:?}", category, deed);
                        known.insert(category, content);
                    }
                }
            }
            let user = &w.server.state().users[&address("bob")];
            let network = access::SourceNetwork::SameEnterprise;
            let container = access::resolve(&user.presence.containers, &address("alice"), network);
            prop_assert_eq!(&known, &due(&user.presence.snapshot(), container), "after {:?}", deed);
        }
    }
}
