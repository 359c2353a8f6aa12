use crate::domain::contact::{Contact, Group, GroupId};
use crate::frontend::StoreOp;
use crate::frontend::testing::{World, address, in_dialog};
use crate::lync::contacts::{CONTENT_TYPE, Change, ContactDelta, ContactDocument, EVENT};
use crate::lync::soap::{self, ContactRequest, ContactWrite, SoapFault};
use crate::sip::{FlowId, Method, Name, Request, Response};

const ME: &str = "sip:alice@contoso.com";

fn subscribe(w: &mut World, flow: FlowId) -> (Request, Response) {
    let request = w.subscription(flow, ME, EVENT, ("", vec![]));
    let ok = w.ask(flow, request.clone());
    (request, ok)
}

fn write(w: &mut World, flow: FlowId, delta: u32, write: ContactWrite) -> Response {
    w.service(flow, soap::CONTENT_TYPE, ContactRequest { write, delta }.to_bytes())
}

fn bob() -> ContactWrite {
    ContactWrite::SetContact(Contact { groups: vec![GroupId(1)], ..Contact::new(address("bob")) })
}

fn group(name: &str) -> ContactWrite {
    ContactWrite::AddGroup(Group::new(GroupId(0), name))
}

fn delta(w: &mut World, flow: FlowId) -> ContactDelta {
    let request = w.next(flow).expect("no notification");
    assert_eq!((request.method.clone(), request.headers.get(&Name::Event)), (Method::Benotify, Some(EVENT)));
    match ContactDocument::parse(&request.body).unwrap() {
        ContactDocument::Delta(d) => d,
        ContactDocument::List(_) => panic!("a whole list"),
    }
}

#[test]
fn a_new_account_has_the_default_group_and_the_list_rides_in_the_answer() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let (_, ok) = subscribe(&mut w, flow);
    assert_eq!((ok.status, ok.headers.get(&Name::ContentType)), (200, Some(CONTENT_TYPE)));
    assert_eq!(ok.headers.get(&Name::from("ms-piggyback-cseq")), Some("1"));
    assert!(ok.headers.get(&Name::SubscriptionState).unwrap().starts_with("active;expires="));
    let ContactDocument::List(list) = ContactDocument::parse(&ok.body).unwrap() else { panic!() };
    assert_eq!((list.delta, list.groups[0].name.as_str(), list.contacts.len()), (1, "~", 0));
    assert!(w.all_signed());
}

#[test]
fn changes_reach_every_endpoint_and_the_store() {
    let mut w = World::new(&["alice", "bob"]);
    let (one, two) = (w.sign_in("alice", "e1"), w.sign_in("alice", "e2"));
    subscribe(&mut w, one);
    subscribe(&mut w, two);
    let ok = write(&mut w, one, 1, group("Suppliers"));
    assert_eq!(soap::parse_add_group_answer(&ok.body), Some(GroupId(2)));
    for flow in [one, two] {
        let d = delta(&mut w, flow);
        assert_eq!((d.delta, d.previous), (2, Some(1)));
        assert!(matches!(&d.changes[..], [Change::AddGroup(g)] if g.name == "Suppliers"));
    }
    assert_eq!(write(&mut w, two, 2, bob()).status, 200);
    for flow in [one, two] {
        let request = w.clients[&flow].inbox.iter().find_map(|m| match m {
            crate::sip::Message::Request(r) => Some(r.headers.get(&Name::CSeq).unwrap().to_owned()),
            crate::sip::Message::Response(_) => None,
        });
        assert_eq!(request.as_deref(), Some("3 BENOTIFY"));
        assert_eq!(delta(&mut w, flow).delta, 3);
    }
    let last = w.stored.iter().rev().find_map(|s| match s {
        StoreOp::PutContacts { list, .. } => Some(list.clone()),
        _ => None,
    });
    assert_eq!(last.unwrap().contacts.len(), 1);
    assert!(w.all_signed());
}

#[test]
fn deleting_a_group_goes_out_in_two_steps() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    subscribe(&mut w, flow);
    write(&mut w, flow, 1, group("A"));
    let both = ContactWrite::SetContact(Contact { groups: vec![GroupId(1), GroupId(2)], ..Contact::new(address("bob")) });
    write(&mut w, flow, 2, both);
    w.clear();
    assert_eq!(write(&mut w, flow, 3, ContactWrite::DeleteGroup(GroupId(2))).status, 200);
    let (left, gone) = (delta(&mut w, flow), delta(&mut w, flow));
    assert!(matches!(&left.changes[..], [Change::ModifyContact(c)] if c.groups == [GroupId(1)]));
    assert_eq!((left.delta, gone.delta, gone.previous, gone.changes), (4, 5, Some(4), vec![Change::DeleteGroup(GroupId(2))]));
    // The author, who has not read the two numbers yet, may go on at once.
    assert_eq!(write(&mut w, flow, 4, group("B")).status, 200);
}

#[test]
fn a_write_that_missed_another_endpoints_change_is_refused_and_nothing_else_is() {
    let mut w = World::new(&["alice"]);
    let (one, two) = (w.sign_in("alice", "e1"), w.sign_in("alice", "e2"));
    assert_eq!(write(&mut w, one, 1, group("A")).status, 200);
    let no = write(&mut w, two, 1, group("B"));
    assert_eq!(no.status, 409);
    assert_eq!(SoapFault::parse(&no.body).unwrap().code, soap::WRONG_DELTA);
    assert!(no.headers.get(&Name::MsDiagnostics).unwrap().starts_with("2044"));
    // Not counting up between own writes, and counting refused ones, both are forgiven.
    assert_eq!(write(&mut w, one, 1, group("C")).status, 200);
    assert_eq!(write(&mut w, one, 9, group("D")).status, 200);
    assert_eq!(write(&mut w, two, 4, group("B")).status, 200);
}

#[test]
fn refusals_name_their_reason() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let rename = |id, name: &str| ContactWrite::ModifyGroup(Group::new(GroupId(id), name));
    let own = ContactWrite::SetContact(Contact::new(address("alice")));
    for (what, status) in [
        (ContactWrite::DeleteContact(address("bob")), 404),
        (rename(9, "x"), 404),
        (rename(1, "x"), 403),
        (ContactWrite::DeleteGroup(GroupId(1)), 403),
        (group("~"), 403),
        (group(""), 400),
        (own, 403),
    ] {
        assert_eq!(write(&mut w, flow, 1, what).status, status);
    }
    assert_eq!(w.service(flow, soap::CONTENT_TYPE, b"<not xml".to_vec()).status, 400);
    let to_bob = w
        .request(flow, Method::Service, "sip:bob@contoso.com")
        .with_body(soap::CONTENT_TYPE, ContactRequest { write: bob(), delta: 1 }.to_bytes());
    assert_eq!(w.ask(flow, to_bob).status, 403);
    assert!(w.all_signed());
}

#[test]
fn renewal_answers_with_the_whole_list_and_expires_zero_ends_it() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let (first, ok) = subscribe(&mut w, flow);
    write(&mut w, flow, 1, bob());
    w.clear();
    let again = in_dialog(&first, &ok, 2);
    let full = w.ask(flow, again);
    assert_eq!(full.headers.get(&Name::To), ok.headers.get(&Name::To));
    let ContactDocument::List(list) = ContactDocument::parse(&full.body).unwrap() else { panic!() };
    assert_eq!((list.delta, list.contacts.len()), (2, 1));
    let mut end = in_dialog(&first, &ok, 3);
    end.headers.set(Name::Expires, "0");
    let over = w.ask(flow, end);
    assert_eq!(
        (over.status, over.body.len(), over.headers.get(&Name::SubscriptionState)),
        (200, 0, Some("terminated;expires=0"))
    );
    write(&mut w, flow, 2, group("A"));
    assert!(w.next(flow).is_none());
}

#[test]
fn a_client_that_cannot_take_the_body_in_the_answer_gets_notify() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", "e1");
    let request = w.request(flow, Method::Subscribe, ME).with(Name::Event, EVENT);
    let ok = w.ask(flow, request);
    assert_eq!((ok.status, ok.body.len()), (200, 0));
    let notify = w.next(flow).unwrap();
    assert_eq!(notify.method, Method::Notify);
    assert!(matches!(ContactDocument::parse(&notify.body), Ok(ContactDocument::List(_))));
    let refusal = notify.response(481, "");
    let mut message = crate::sip::Message::Response(refusal);
    let mut rng = w.rng.fork();
    w.clients.get_mut(&flow).unwrap().association.as_mut().unwrap().sign(&mut message, &mut rng);
    w.bytes(flow, &message.to_bytes());
    write(&mut w, flow, 1, group("A"));
    assert!(w.next(flow).is_none());
}
