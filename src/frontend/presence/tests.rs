use crate::domain::presence::{Activity, Availability, Expiry, Member, Note, Publication, PublicationKey};
use crate::domain::{Address, instances};
use crate::frontend::StoreOp;
use crate::frontend::testing::{World, address, in_dialog};
use crate::lync::batch::{self, Action, BatchRequest, InstanceState, PresenceBody, Resource, parse_presence};
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::categories::{self, note};
use crate::lync::containers::{
    ContainerChange, MEMBERS_TYPE, MemberChange, SUBSCRIBERS_TYPE, SetContainerMembers, SetSubscribers,
};
use crate::lync::publish::{CONTENT_TYPE as PUBLISH, PublishItem, PublishRequest, VersionFault};
use crate::lync::roaming::{self, CategoryEntry, RoamingData};
use crate::lync::{identity, provisioning};
use crate::sip::{FlowId, Method, Name, Request, Response};
use std::time::Duration;

pub(super) fn item(category: &str, instance: u32, container: u32, expiry: Expiry, value: String) -> PublishItem {
    let key = PublicationKey { category: category.into(), instance, container };
    let publication = Publication { key, version: 0, expiry, publish_time: None, endpoint_id: None, value };
    PublishItem { publication, delete: false }
}

pub(super) fn state(instance: u32, expiry: Expiry, value: &StateValue) -> Vec<PublishItem> {
    [2, 3].map(|c| item("state", instance, c, expiry, value.to_xml())).to_vec()
}

pub(super) fn machine(w: &World, flow: FlowId, number: u32) -> Vec<PublishItem> {
    state(instances::machine_state(&w.clients[&flow].gruu), Expiry::Endpoint, &StateValue::machine(Availability(number)))
}

pub(super) fn by_hand(number: u32) -> Vec<PublishItem> {
    state(instances::USER_STATE, Expiry::Static, &StateValue::user(Availability(number)))
}

pub(super) fn publish(w: &mut World, flow: FlowId, items: Vec<PublishItem>) -> Response {
    let owner = w.clients[&flow].user.clone();
    w.service(flow, PUBLISH, PublishRequest { owner, items }.to_bytes())
}

pub(super) fn ready(w: &mut World, user: &str, epid: &str) -> FlowId {
    let flow = w.sign_in(user, epid);
    let items = machine(w, flow, 3500);
    assert_eq!(publish(w, flow, items).status, 200);
    flow
}

pub(super) fn own(w: &mut World, flow: FlowId) -> RoamingData {
    let me = w.clients[&flow].user.to_string();
    let request = w.subscription(flow, &me, roaming::EVENT, (roaming::CONTENT_TYPE, roaming::subscribe_body()));
    let ok = w.ask(flow, request);
    assert_eq!(ok.status, 200);
    RoamingData::parse(&ok.body).unwrap()
}

fn batch(w: &mut World, flow: FlowId, people: &[(&str, bool)]) -> Request {
    let me = w.clients[&flow].user.clone();
    let resources = people.iter().map(|(p, context)| Resource { uri: address(p), context: context.then(String::new) }).collect();
    let body = BatchRequest::subscribe(&me, 1, resources).to_bytes();
    let mut r = w.subscription(flow, &me.to_string(), batch::EVENT, (batch::CONTENT_TYPE, body));
    r.headers.push(Name::Require, "adhoclist, categoryList");
    r
}

pub(super) fn watch(w: &mut World, flow: FlowId, people: &[(&str, bool)]) -> (Request, Response) {
    let request = batch(w, flow, people);
    let ok = w.ask(flow, request.clone());
    assert_eq!(ok.status, 200, "{ok:?}");
    (request, ok)
}

pub(super) fn read(headers: &crate::sip::Headers, body: &[u8]) -> PresenceBody {
    let read = parse_presence(headers.get(&Name::ContentType).unwrap_or(""), body);
    assert_eq!(read.broken, 0);
    read
}

/// The next notification about presence, as documents.
pub(super) fn heard(w: &mut World, flow: FlowId) -> Option<PresenceBody> {
    loop {
        let r = w.next(flow)?;
        if r.headers.get(&Name::Event) == Some("presence") {
            assert_eq!(r.method, Method::Benotify);
            return Some(read(&r.headers, &r.body));
        }
    }
}

pub(super) fn number(body: &PresenceBody, of: &str) -> Option<u32> {
    let doc = body.documents.iter().find(|d| d.uri == address(of))?;
    let mut known = crate::domain::presence::Presence::default();
    categories::merge_categories(&mut known, doc, crate::domain::Time(1));
    known.availability.map(|a| a.0)
}

pub(super) fn aggregate(data: &RoamingData, container: u32) -> Option<StateValue> {
    data.categories.iter().flatten().find_map(|e| match e {
        CategoryEntry::Published(p) if p.key == PublicationKey { category: "state".into(), instance: 1, container } => {
            StateValue::parse(&p.value)
        }
        _ => None,
    })
}

fn members(container: u32, version: u32, changes: Vec<MemberChange>) -> ContainerChange {
    ContainerChange { id: container, version, changes }
}

/// Changes members with the versions the server has, each container named once.
pub(super) fn put_members(w: &mut World, flow: FlowId, changes: Vec<(u32, MemberChange)>) -> Response {
    let held = w.server.state().users[&w.clients[&flow].user].presence.containers.clone();
    let version = |id: u32| held.iter().find(|c| c.id == id).map_or(0, |c| c.version);
    let containers = changes.into_iter().map(|(id, change)| members(id, version(id), vec![change])).collect();
    w.service(flow, MEMBERS_TYPE, SetContainerMembers { containers }.to_bytes())
}

fn put_into(w: &mut World, flow: FlowId, container: u32, who: &str) -> Response {
    let version =
        w.server.state().users[&w.clients[&flow].user].presence.containers.iter().find(|c| c.id == container).unwrap().version;
    let change = members(container, version, vec![MemberChange::Add(Member::User(address(who)))]);
    w.service(flow, MEMBERS_TYPE, SetContainerMembers { containers: vec![change] }.to_bytes())
}

#[test]
fn a_new_account_has_its_default_containers_and_is_offline() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let data = own(&mut w, flow);
    let containers = data.containers.clone().unwrap();
    let of = |id: u32| containers.iter().find(|c| c.id == id).unwrap().members.clone();
    assert_eq!((of(200), of(100)), (vec![Member::SameEnterprise], vec![Member::Federated]));
    assert_eq!(aggregate(&data, 2).unwrap().availability, Some(Availability::OFFLINE));
    let cards = data
        .categories
        .iter()
        .flatten()
        .filter(|e| matches!(e, CategoryEntry::Published(p) if p.key.category == "contactCard" && p.key.instance == 0));
    assert_eq!(cards.count(), 6);
    let blocked = data.categories.iter().flatten().any(|e| matches!(e, CategoryEntry::Published(p) if p.key.container == 32_000 && p.key.category == "state" && p.key.instance == 0 && p.value.contains("18500")));
    assert!(blocked && w.all_signed());
}

#[test]
fn the_answer_to_a_publication_shows_versions_and_aggregates_and_other_endpoints_hear() {
    let mut w = World::new(&["alice"]);
    let (one, two) = (w.sign_in("alice", "e1"), w.sign_in("alice", "e2"));
    own(&mut w, one);
    own(&mut w, two);
    let mut items = machine(&w, one, 3500);
    items.extend(by_hand(6500));
    let ok = publish(&mut w, one, items);
    assert_eq!((ok.status, ok.headers.get(&Name::ContentType)), (200, Some(roaming::CONTENT_TYPE)));
    let data = RoamingData::parse(&ok.body).unwrap();
    assert_eq!(aggregate(&data, 2).unwrap().availability, Some(Availability::BUSY));
    let mine = data.categories.iter().flatten().find_map(|e| match e {
        CategoryEntry::Published(p) if p.key.instance == instances::USER_STATE && p.key.container == 2 => Some(p.clone()),
        _ => None,
    });
    assert_eq!(mine.unwrap().version, 1);
    assert!(w.next(one).is_none(), "the publisher has heard already");
    let told = w.next(two).unwrap();
    assert_eq!((told.method.clone(), told.headers.get(&Name::CSeq)), (Method::Benotify, Some("2 BENOTIFY")));
    assert_eq!(RoamingData::parse(&told.body).unwrap().categories, data.categories);
    let kept = w.stored.iter().filter(
        |s| matches!(s, StoreOp::PutPublication { publication, .. } if publication.key.instance == instances::USER_STATE),
    );
    assert_eq!(kept.count(), 2);
    assert!(
        !w.stored
            .iter()
            .any(|s| matches!(s, StoreOp::PutPublication { publication, .. } if publication.expiry == Expiry::Endpoint))
    );
}

#[test]
fn versions_count_between_endpoints_only_and_nobody_asks_for_ever() {
    let mut w = World::new(&["alice"]);
    let (one, two) = (w.sign_in("alice", "e1"), w.sign_in("alice", "e2"));
    for _ in 0..3 {
        assert_eq!(publish(&mut w, one, by_hand(6500)).status, 200);
    }
    let no = publish(&mut w, two, by_hand(3500));
    assert_eq!(no.status, 409);
    let fault = VersionFault::parse(&no.body).unwrap();
    assert_eq!(fault.conflicts.iter().map(|c| (c.index, c.version, c.current)).collect::<Vec<_>>(), [(1, 0, 3), (2, 0, 3)]);
    let mut items = by_hand(3500);
    items.iter_mut().for_each(|i| i.publication.version = 3);
    assert_eq!(publish(&mut w, two, items).status, 200);
    assert_eq!(publish(&mut w, one, by_hand(6500)).status, 409);
    assert_eq!(publish(&mut w, one, by_hand(6500)).status, 200, "the same again is let through");
}

#[test]
fn deleting_what_is_not_there_succeeds_and_deleting_the_status_resets_it() {
    let mut w = World::new(&["alice"]);
    let flow = ready(&mut w, "alice", "e1");
    let gone = |mut i: PublishItem| {
        i.delete = true;
        i
    };
    let note = item("note", 0, 200, Expiry::Static, String::new());
    assert_eq!(publish(&mut w, flow, vec![gone(note)]).status, 200);
    publish(&mut w, flow, by_hand(12_500));
    let ok = publish(&mut w, flow, by_hand(0).into_iter().map(gone).collect());
    assert_eq!(aggregate(&RoamingData::parse(&ok.body).unwrap(), 2).unwrap().availability, Some(Availability::AVAILABLE));
}

#[test]
fn requests_that_break_the_rules_are_refused_as_a_whole() {
    let mut w = World::new(&["alice", "bob"]);
    let flow = ready(&mut w, "alice", "e1");
    let good = || by_hand(6500);
    let with = |bad: PublishItem| good().into_iter().chain([bad]).collect::<Vec<_>>();
    let text = || "<x/>".to_string();
    for (items, status) in [
        (with(item("nonsense", 0, 2, Expiry::Static, text())), 400),
        (with(item("note", 0, 40_000, Expiry::Static, text())), 400),
        (with(item("state", 1, 2, Expiry::User, text())), 403),
        (with(item("legacyInterop", 1, 200, Expiry::User, text())), 403),
        (with(by_hand(3500).remove(0)), 400),
        (with(item("note", 0, 200, Expiry::Static, format!("<x>{}</x>", "y".repeat(40_000)))), 413),
    ] {
        assert_eq!(publish(&mut w, flow, items).status, status);
    }
    let body = PublishRequest { owner: address("bob"), items: good() }.to_bytes();
    assert_eq!(w.service(flow, PUBLISH, body).status, 403);
    assert_eq!(w.service(flow, PUBLISH, b"<publish><publications".to_vec()).status, 400);
    assert_eq!(aggregate(&own(&mut w, flow), 2).unwrap().availability, Some(Availability::AVAILABLE));
}

#[test]
fn watchers_get_what_their_container_shows_and_only_what_changed() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    let (_, ok) = watch(&mut w, alice, &[("bob", false), ("nobody", false)]);
    assert!(ok.headers.get(&Name::ContentType).unwrap().contains("application/rlmi+xml"));
    assert_eq!(ok.headers.get(&Name::from("ms-piggyback-cseq")), Some("1"));
    let body = read(&ok.headers, &ok.body);
    let list = body.list.clone().unwrap();
    assert_eq!(list.resources[0].1, InstanceState::Active);
    assert!(matches!(list.resources[1].1, InstanceState::Terminated { status: Some(404), .. }));
    assert_eq!(number(&body, "bob"), Some(3500));
    assert!(!String::from_utf8_lossy(&ok.body).contains("container="));

    publish(&mut w, bob, by_hand(6500));
    let told = heard(&mut w, alice).unwrap();
    assert_eq!(number(&told, "bob"), Some(6500));
    assert!(told.documents[0].categories.iter().all(|c| c.name == "state"), "{told:?}");
    // The same once more changes nothing for anybody but the owner's other endpoints.
    publish(&mut w, bob, by_hand(6500));
    assert!(heard(&mut w, alice).is_none());
    let mut note = Note { text: "Back soon".into(), out_of_office: false, start: None, end: None };
    for text in ["Back soon", "Back later"] {
        note.text = text.into();
        let items = [200, 300, 400].map(|c| item("note", 0, c, Expiry::Static, note::to_xml(Some(&note)))).to_vec();
        publish(&mut w, bob, items);
        let told = heard(&mut w, alice).unwrap();
        assert_eq!(told.documents[0].categories.len(), 1);
        assert!(heard(&mut w, alice).is_none());
    }
    assert!(w.all_signed());
}

#[test]
fn a_lost_endpoint_takes_its_publications_along() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, one, two) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"), ready(&mut w, "bob", "e3"));
    let away = machine(&w, two, 15_500);
    publish(&mut w, two, away);
    watch(&mut w, alice, &[("bob", false)]);
    w.drop_connection(one);
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(15_500));
    w.drop_connection(two);
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(18_500));
    let items = w.server.state().users[&address("bob")].presence.snapshot().publications;
    assert!(!items.iter().any(|p| p.expiry == Expiry::Endpoint));
}

#[test]
fn do_not_disturb_looks_different_to_the_workgroup_and_ends_by_itself() {
    let mut w = World::new(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"), ready(&mut w, "carol", "e3"));
    assert_eq!(put_into(&mut w, bob, 300, "carol").status, 200);
    watch(&mut w, alice, &[("bob", false)]);
    watch(&mut w, carol, &[("bob", false)]);
    let dnd = state(instances::TIMED_USER_STATE, Expiry::Time(86_400), &StateValue::user(Availability::DO_NOT_DISTURB));
    publish(&mut w, bob, by_hand(3500));
    publish(&mut w, bob, dnd);
    let (seen, team) = (heard(&mut w, alice).unwrap(), heard(&mut w, carol).unwrap());
    assert_eq!((number(&seen, "bob"), number(&team, "bob")), (Some(9500), Some(6900)));
    let held = &w.server.state().users[&address("bob")].presence;
    assert!(held.find(&PublicationKey { category: "state".into(), instance: instances::USER_STATE, container: 2 }).is_none());
    w.clear();
    for hour in 0..25 * 12 {
        w.advance(Duration::from_secs(300));
        if hour % 20 == 19 {
            for flow in [alice, bob, carol] {
                let request = w.register(flow, None);
                assert_eq!(w.ask(flow, request).status, if hour * 300 < 8 * 3600 { 200 } else { 401 });
                if w.clients[&flow].unsigned == 0 && hour * 300 >= 8 * 3600 {
                    w.clients.get_mut(&flow).unwrap().association = None;
                    let user = w.clients[&flow].user.user().to_owned();
                    assert_eq!(w.handshake(flow, &user, "secret").status, 200);
                }
            }
            if hour * 300 > 8 * 3600 {
                break;
            }
        }
        for flow in [alice, bob, carol] {
            w.bytes(flow, b"\r\n\r\n");
        }
    }
    assert_eq!(w.server.state().registrations.len(), 3);
}

#[test]
fn a_timed_status_ends() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    watch(&mut w, alice, &[("bob", false)]);
    let busy = state(instances::TIMED_USER_STATE, Expiry::Time(100), &StateValue::user(Availability::BUSY));
    publish(&mut w, bob, busy);
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(6500));
    w.advance(Duration::from_secs(99));
    assert!(heard(&mut w, alice).is_none());
    w.advance(Duration::from_secs(2));
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(3500));
    assert!(w.stored.iter().any(|s| matches!(s, StoreOp::DeletePublication { .. })));
}

#[test]
fn another_level_brings_fresh_categories() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    own(&mut w, bob);
    let n = Note { text: "Hello".into(), out_of_office: false, start: None, end: None };
    publish(&mut w, bob, [200, 300, 400].map(|c| item("note", 0, c, Expiry::Static, note::to_xml(Some(&n)))).to_vec());
    watch(&mut w, alice, &[("bob", false)]);
    w.clear();
    assert_eq!(put_into(&mut w, bob, 32_000, "alice").status, 200);
    let told = RoamingData::parse(&w.next(bob).unwrap().body).unwrap();
    assert_eq!(told.containers.unwrap()[0].members, [Member::User(address("alice"))]);
    let blocked = heard(&mut w, alice).unwrap();
    assert_eq!(number(&blocked, "bob"), Some(18_500));
    assert!(blocked.documents[0].categories.iter().any(|c| c.name == "note" && c.value.is_none()));
    // Nothing that happens now reaches somebody who is blocked.
    publish(&mut w, bob, by_hand(6500));
    assert!(heard(&mut w, alice).is_none());
    let state = w.server.state();
    assert_eq!(
        state.users[&address("bob")].reach(&crate::frontend::Config::new("h", 1, "contoso.com"), &address("alice")),
        crate::frontend::Reach::Blocked
    );
    assert!(
        w.stored
            .iter()
            .any(|s| matches!(s, StoreOp::PutContainer { container, .. } if container.id == 32_000 && container.version == 1))
    );
    let bad = SetContainerMembers { containers: vec![members(0, 0, vec![MemberChange::Add(Member::Everyone)])] };
    assert_eq!(w.service(bob, MEMBERS_TYPE, bad.to_bytes()).status, 403);
}

#[test]
fn containers_of_another_endpoint_have_versions() {
    let mut w = World::new(&["alice"]);
    let (one, two) = (w.sign_in("alice", "e1"), w.sign_in("alice", "e2"));
    let change = |who: &str, version| {
        let changes = vec![MemberChange::Add(Member::User(address(who)))];
        SetContainerMembers { containers: vec![members(400, version, changes)] }.to_bytes()
    };
    assert_eq!(w.service(one, MEMBERS_TYPE, change("bob", 0)).status, 200);
    let no = w.service(two, MEMBERS_TYPE, change("carol", 0));
    assert_eq!((no.status, VersionFault::parse(&no.body).unwrap().conflicts[0].current), (409, 1));
    assert_eq!(w.service(two, MEMBERS_TYPE, change("carol", 1)).status, 200);
}

#[test]
fn being_added_is_told_once_and_acknowledged() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    own(&mut w, bob);
    watch(&mut w, alice, &[("bob", true)]);
    let told = RoamingData::parse(&w.next(bob).unwrap().body).unwrap();
    let s = &told.subscribers.unwrap()[0];
    assert_eq!((s.uri.clone(), s.display_name.as_str(), s.acknowledged), (address("alice"), "alice Example", false));
    watch(&mut w, alice, &[("bob", true)]);
    assert!(w.next(bob).is_none());
    assert_eq!(w.service(bob, SUBSCRIBERS_TYPE, SetSubscribers::acknowledge(&address("alice")).to_bytes()).status, 200);
    let told = RoamingData::parse(&w.next(bob).unwrap().body).unwrap();
    assert!(told.subscribers.unwrap()[0].acknowledged);
    assert!(w.stored.iter().any(|s| matches!(s, StoreOp::PutSubscriber { subscriber, .. } if subscriber.acknowledged)));
}

#[test]
fn the_list_of_a_dialog_grows_shrinks_renews_and_ends() {
    let mut w = World::new(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"), ready(&mut w, "carol", "e3"));
    let (first, ok) = watch(&mut w, alice, &[("bob", false)]);
    let mut more = in_dialog(&first, &ok, 2);
    more.body =
        BatchRequest::subscribe(&address("alice"), 2, vec![Resource { uri: address("carol"), context: Some(String::new()) }])
            .to_bytes();
    let added = w.ask(alice, more);
    let body = read(&added.headers, &added.body);
    assert_eq!(body.documents.iter().map(|d| d.uri.clone()).collect::<Vec<Address>>(), [address("carol")]);
    for (flow, who) in [(bob, "bob"), (carol, "carol")] {
        publish(&mut w, flow, by_hand(6500));
        assert_eq!(number(&heard(&mut w, alice).unwrap(), who), Some(6500));
    }
    let mut renew = in_dialog(&first, &ok, 3);
    renew.body.clear();
    renew.headers.remove(&Name::ContentType);
    let full = w.ask(alice, renew);
    assert_eq!(read(&full.headers, &full.body).documents.len(), 2);
    let mut less = in_dialog(&first, &ok, 4);
    let one = BatchRequest {
        action: Action::Unsubscribe,
        ..BatchRequest::subscribe(&address("alice"), 3, vec![Resource { uri: address("bob"), context: None }])
    };
    less.body = one.to_bytes();
    assert_eq!(w.ask(alice, less).status, 200);
    publish(&mut w, bob, by_hand(12_500));
    assert!(heard(&mut w, alice).is_none());
    let mut end = in_dialog(&first, &ok, 5);
    end.headers.set(Name::Expires, "0");
    end.body.clear();
    let over = w.ask(alice, end);
    assert_eq!((over.status, over.body.len()), (200, 0));
    publish(&mut w, carol, by_hand(12_500));
    assert!(heard(&mut w, alice).is_none());
}

#[test]
fn a_poll_is_one_answer_and_a_single_subscription_one_document() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    let mut poll = batch(&mut w, alice, &[("bob", false)]);
    poll.headers.set(Name::Expires, "0");
    let once = w.ask(alice, poll);
    assert_eq!(once.headers.get(&Name::SubscriptionState), Some("terminated;expires=0"));
    assert_eq!(number(&read(&once.headers, &once.body), "bob"), Some(3500));
    publish(&mut w, bob, by_hand(6500));
    assert!(heard(&mut w, alice).is_none());

    let body = BatchRequest::subscribe(&address("alice"), 1, vec![Resource { uri: address("bob"), context: None }]).to_bytes();
    let single = w.subscription(alice, "sip:bob@contoso.com", batch::EVENT, (batch::CONTENT_TYPE, body));
    let ok = w.ask(alice, single);
    assert_eq!(ok.headers.get(&Name::ContentType), Some(categories::CONTENT_TYPE));
    assert_eq!(number(&read(&ok.headers, &ok.body), "bob"), Some(6500));
    let nobody = w.subscription(alice, "sip:nobody@contoso.com", batch::EVENT, ("", vec![]));
    assert_eq!(w.ask(alice, nobody).status, 404);
}

#[test]
fn a_presentity_has_a_limit_of_watchers() {
    let names: Vec<String> = (0..30).map(|i| format!("u{i}")).collect();
    let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
    all.push("bob");
    let mut w = World::new(&all);
    let (mut refused, mut taken) = (0, 0);
    for name in &names {
        for device in 0..7 {
            let flow = w.sign_in(name, &format!("{name}d{device}"));
            let (_, ok) = watch(&mut w, flow, &[("bob", false)]);
            match read(&ok.headers, &ok.body).list.unwrap().resources[0].1 {
                InstanceState::Active => taken += 1,
                _ => refused += 1,
            }
        }
    }
    assert_eq!((taken, refused), (200, 10));
}

#[test]
fn provisioning_names_the_users_own_focus_factory() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let body = (provisioning::CONTENT_TYPE, provisioning::request_body());
    let mut request = w.subscription(flow, "sip:alice@contoso.com", provisioning::EVENT, body);
    request.headers.set(Name::Expires, "0");
    let ok = w.ask(flow, request);
    let p = provisioning::Provisioning::parse(&ok.body).unwrap();
    assert_eq!(p.focus_factory, Some(identity::focus_factory(&address("alice"))));
    assert_eq!(ok.headers.get(&Name::SubscriptionState), Some("terminated;expires=0"));
}

#[test]
fn other_events_methods_and_types_get_their_answers() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let me = "sip:alice@contoso.com";
    let unknown = w.subscription(flow, me, "dialog", ("", vec![]));
    assert_eq!(w.ask(flow, unknown).status, 489);
    let options = w.request(flow, Method::Options, "sip:contoso.com");
    let ok = w.ask(flow, options);
    assert_eq!(ok.status, 200);
    assert!(ok.headers.get(&Name::Allow).unwrap().contains("SERVICE"));
    let odd = w.request(flow, Method::Other("FROBNICATE".into()), me);
    assert_eq!(w.ask(flow, odd).status, 501);
    assert_eq!(w.service(flow, "application/x-unknown", b"x".to_vec()).status, 415);
    let empty = batch(&mut w, flow, &[]);
    assert_eq!(w.ask(flow, empty).status, 200);
    assert!(w.all_signed());
}

#[test]
fn what_is_kept_is_there_after_a_restart() {
    let mut w = World::new(&["alice", "bob"]);
    let alice = ready(&mut w, "alice", "e1");
    publish(&mut w, alice, by_hand(12_500));
    put_into(&mut w, alice, 400, "bob");
    let mut data = crate::frontend::Data::default();
    for user in ["alice", "bob"] {
        let held = &w.server.state().users[&address(user)];
        let mut u = crate::frontend::UserData::new(held.record.clone());
        for op in &w.stored {
            match op {
                StoreOp::PutPublication { owner, publication } if *owner == address(user) => {
                    u.publications.retain(|p| p.key != publication.key);
                    u.publications.push(publication.clone());
                }
                StoreOp::PutContainer { owner, container } if *owner == address(user) => {
                    u.containers.retain(|c| c.id != container.id);
                    u.containers.push(container.clone());
                }
                _ => {}
            }
        }
        data.users.push(u);
    }
    let mut again = World::with(data);
    let alice = ready(&mut again, "alice", "e1");
    let data = own(&mut again, alice);
    assert_eq!(aggregate(&data, 2).unwrap().availability, Some(Availability::BE_RIGHT_BACK));
    assert!(data.containers.unwrap().iter().any(|c| c.id == 400 && c.version == 1));
}

#[test]
fn hostile_octets_disturb_nobody_else() {
    let mut w = World::new(&["alice", "bob"]);
    let (alice, bob) = (ready(&mut w, "alice", "e1"), ready(&mut w, "bob", "e2"));
    watch(&mut w, alice, &[("bob", false)]);
    let evil = w.connect("eve", "e9");
    w.bytes(evil, b"\0\xff\xfe nonsense\r\n\r\n");
    w.bytes(evil, &[b'A'; 300_000]);
    assert!(w.closed.contains(&evil));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><publish>&b;</publish>";
    assert_eq!(w.service(alice, PUBLISH, bomb.as_bytes().to_vec()).status, 400);
    let deep = "<a>".repeat(10_000);
    assert_eq!(w.service(alice, PUBLISH, deep.into_bytes()).status, 400);
    publish(&mut w, bob, by_hand(6500));
    assert_eq!(number(&heard(&mut w, alice).unwrap(), "bob"), Some(6500));
    let stranger = w.connect("eve", "e10");
    for _ in 0..60 {
        let request = w.request(stranger, Method::Message, "sip:alice@contoso.com");
        w.send(stranger, request.with(Name::Contact, "<sip:x@y>"));
    }
    assert!(w.closed.contains(&stranger));
    let _ = (Activity::token("x"), StateKind::User);
}
