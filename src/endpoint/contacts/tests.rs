use super::*;
use crate::domain::contact::{AddOptions, Contact, DEFAULT_GROUP, Group, GroupId};
use crate::endpoint::service::{InternalEvent, ServiceId};
use crate::endpoint::testkit::Bench;
use std::time::Duration;

const LIST: &str = r#"<contactList deltaNum="12"><group id="1" name="~" externalURI=""/><group id="2" name="Project Falcon &amp; friends" externalURI=""/><contact uri="bob@contoso.com" name="" groups="1" subscribed="true" externalURI=""/><contact uri="carol@fabrikam.com" name="Carol (Fabrikam)" groups="1 2" subscribed="true" externalURI=""><contactExtension/></contact></contactList>"#;
const ACTIVE: &str = "Expires: 45600\nsubscription-state: active;expires=45600\nms-piggyback-cseq: 1\nContent-Type: application/vnd-microsoft-roaming-contacts+xml\nContact: <sip:lync01.contoso.com:5061;transport=tls>";

fn bob() -> Address {
    Address::parse("bob@contoso.com").unwrap()
}

fn dave() -> Address {
    Address::parse("dave@contoso.com").unwrap()
}

/// A service whose list has arrived, and its SUBSCRIBE.
fn subscribed() -> (Bench, Contacts, Request) {
    let mut bench = Bench::new(ServiceId::Contacts);
    let mut contacts = Contacts::new(Rng::seeded(2));
    bench.call(&mut contacts, |s, ctx| s.on_online(ctx));
    let sent = bench.request();
    bench.answer(&mut contacts, &sent, 200, ACTIVE, LIST);
    (bench, contacts, sent.1)
}

fn delta(from: u32, change: &str) -> String {
    format!(r#"<contactDelta deltaNum="{}" prevDeltaNum="{from}">{change}</contactDelta>"#, from + 1)
}

#[test]
fn the_first_document_is_the_list() {
    let (mut bench, mut contacts, subscribe) = subscribed();
    let events = bench.take_events();
    let [Event::ContactList { groups, contacts: people }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((groups.len(), people.len()), (2, 2));
    assert_eq!(people[1].groups, [GroupId(1), GroupId(2)]);
    assert!(matches!(&bench.told[..], [InternalEvent::Wanted(w)] if w.len() == 2));
    assert_eq!(subscribe.headers.get(&"Event".into()), Some("vnd-microsoft-roaming-contacts"));
    // Renewal 120 s before the end, in the dialog; the same list says nothing new.
    bench.pass(&mut contacts, Duration::from_secs(45_480));
    let again = bench.request();
    assert_eq!(again.1.headers.call_id(), subscribe.headers.call_id());
    assert_eq!(again.1.headers.get(&"CSeq".into()), Some("2 SUBSCRIBE"));
    assert_eq!(again.1.uri.as_str(), "sip:lync01.contoso.com:5061;transport=tls");
    bench.answer(&mut contacts, &again, 200, ACTIVE, LIST);
    assert_eq!(bench.take_events(), []);
}

#[test]
fn a_change_arrives_once() {
    let (mut bench, mut contacts, subscribe) = subscribed();
    bench.take_events();
    let change =
        delta(12, r#"<modifiedContact uri="sip:bob@contoso.com" name="Bobby" groups="1 2" subscribed="true" externalURI=""/>"#);
    bench.notify(&mut contacts, &subscribe, wire::CONTENT_TYPE, &change);
    bench.notify(&mut contacts, &subscribe, wire::CONTENT_TYPE, &change);
    let want = Contact { name: "Bobby".into(), groups: vec![GroupId(1), GroupId(2)], ..Contact::new(bob()) };
    assert_eq!(bench.take_events(), [Event::ContactChanged(want)]);
}

#[test]
fn a_gap_fetches_the_whole_list() {
    let (mut bench, mut contacts, subscribe) = subscribed();
    bench.take_events();
    bench.notify(&mut contacts, &subscribe, wire::CONTENT_TYPE, &delta(14, r#"<deletedContact uri="sip:bob@contoso.com"/>"#));
    assert_eq!(bench.take_events(), []);
    let again = bench.request();
    bench.answer(&mut contacts, &again, 200, ACTIVE, &LIST.replace("12", "15"));
    assert_eq!(bench.take_events(), []);
}

#[test]
fn what_is_wanted_while_the_list_is_on_its_way_waits_for_it() {
    let mut bench = Bench::new(ServiceId::Contacts);
    let mut contacts = Contacts::new(Rng::seeded(2));
    bench.call(&mut contacts, |s, ctx| s.on_online(ctx));
    let add =
        || Operation::AddContact { uri: dave(), name: String::new(), groups: vec![GroupId(2)], options: AddOptions::default() };
    bench.operate(&mut contacts, add());
    let subscribe = bench.request();
    bench.answer(&mut contacts, &subscribe, 200, ACTIVE, LIST);
    assert_eq!(bench.request().1.method, Method::Service);
    // Where no list comes, the wish ends with it.
    let mut bench = Bench::new(ServiceId::Contacts);
    let mut contacts = Contacts::new(Rng::seeded(2));
    bench.call(&mut contacts, |s, ctx| s.on_online(ctx));
    let id = bench.operate(&mut contacts, add());
    let subscribe = bench.request();
    bench.answer(&mut contacts, &subscribe, 403, "", "");
    let events = bench.take_events();
    assert!(events.contains(&Event::Completed { id, result: Err(ContactError::NotSubscribed.into()) }), "{events:?}");
}

#[test]
fn an_operation_ends_after_its_notification() {
    let (mut bench, mut contacts, subscribe) = subscribed();
    let id = bench.operate(
        &mut contacts,
        Operation::AddContact { uri: dave(), name: String::new(), groups: vec![GroupId(2)], options: AddOptions::default() },
    );
    let sent = bench.request();
    let body = String::from_utf8(sent.1.body.clone()).unwrap();
    assert!(body.contains("setContact") && body.contains(">12<") && body.contains("sip:dave@contoso.com"), "{body}");
    assert!(bench.told.contains(&InternalEvent::ContactAdded { uri: dave(), words: String::new() }));
    bench.answer(&mut contacts, &sent, 200, "", "");
    assert_eq!(bench.result(id), None);
    bench.take_events();
    let change = delta(12, r#"<addedContact uri="sip:dave@contoso.com" name="" groups="2" subscribed="true" externalURI=""/>"#);
    bench.notify(&mut contacts, &subscribe, wire::CONTENT_TYPE, &change);
    let events = bench.take_events();
    assert!(matches!(&events[..], [Event::ContactChanged(_), Event::Completed { result: Ok(Outcome::Done), .. }]), "{events:?}");
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    let (mut bench, mut contacts, _) = subscribed();
    let refused = [
        (
            Operation::AddContact { uri: bob(), name: String::new(), groups: vec![], options: AddOptions::default() },
            ContactError::DuplicateContact,
        ),
        (
            Operation::AddContact {
                uri: Address::parse("alice@contoso.com").unwrap(),
                name: String::new(),
                groups: vec![],
                options: AddOptions::default(),
            },
            ContactError::OwnAddress,
        ),
        (
            Operation::AddContact { uri: dave(), name: String::new(), groups: vec![GroupId(9)], options: AddOptions::default() },
            ContactError::GroupNotFound,
        ),
        (Operation::DeleteContact { uri: dave() }, ContactError::ContactNotFound),
        (Operation::AddGroup { name: "Project Falcon & friends".into() }, ContactError::DuplicateGroup),
        (Operation::AddGroup { name: "~".into() }, ContactError::NotAllowedForGroup),
        (Operation::AddGroup { name: " ".into() }, ContactError::InvalidName),
        (Operation::RenameGroup { id: DEFAULT_GROUP, name: "x".into() }, ContactError::NotAllowedForGroup),
        (Operation::DeleteGroup { id: DEFAULT_GROUP }, ContactError::NotAllowedForGroup),
        (Operation::DeleteGroup { id: GroupId(7) }, ContactError::GroupNotFound),
    ];
    for (operation, error) in refused {
        let id = bench.operate(&mut contacts, operation);
        assert_eq!(bench.result(id), Some(Err(error.into())));
    }
    assert!(bench.sent.is_empty());
}

#[test]
fn a_stale_number_is_replayed_once_against_the_fresh_list() {
    let (mut bench, mut contacts, _) = subscribed();
    let id = bench.operate(&mut contacts, Operation::RenameContact { uri: bob(), name: "Bobby".into() });
    let first = bench.request();
    bench.answer(&mut contacts, &first, 409, "ms-diagnostics: 2044;reason=\"Wrong delta number\"", "");
    assert_eq!(bench.result(id), None);
    let fetch = bench.request();
    bench.answer(&mut contacts, &fetch, 200, ACTIVE, &LIST.replace("deltaNum=\"12\"", "deltaNum=\"20\""));
    let second = bench.request();
    assert!(String::from_utf8(second.1.body.clone()).unwrap().contains(">20<"));
    bench.answer(&mut contacts, &second, 409, "", "");
    assert_eq!(bench.result(id).unwrap().unwrap_err().text, ContactError::StaleDelta.to_string());
}

#[test]
fn a_new_group_brings_its_id_and_a_deleted_one_leaves_its_people() {
    let (mut bench, mut contacts, subscribe) = subscribed();
    let id = bench.operate(&mut contacts, Operation::AddGroup { name: "Suppliers".into() });
    let sent = bench.request();
    let change = delta(12, r#"<addedGroup id="3" name="Suppliers" externalURI=""/>"#);
    bench.notify(&mut contacts, &subscribe, wire::CONTENT_TYPE, &change);
    let answer = String::from_utf8(soap::add_group_answer(GroupId(3))).unwrap();
    bench.answer(&mut contacts, &sent, 200, "Content-Type: application/SOAP+xml", &answer);
    assert_eq!(bench.result(id), Some(Ok(Outcome::Group(GroupId(3)))));
    bench.take_events();
    bench.notify(&mut contacts, &subscribe, wire::CONTENT_TYPE, &delta(13, r#"<deletedGroup id="2"/>"#));
    let events = bench.take_events();
    let [Event::ContactChanged(carol), Event::GroupRemoved(GroupId(2))] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(carol.groups, [GroupId(1)]);
    assert!(!events.contains(&Event::GroupChanged(Group::new(GroupId(2), ""))));
}

#[test]
fn a_lost_link_ends_what_waits() {
    let (mut bench, mut contacts, _) = subscribed();
    let first = bench.operate(&mut contacts, Operation::RenameContact { uri: bob(), name: "B".into() });
    let second = bench.operate(&mut contacts, Operation::AddGroup { name: "G".into() });
    bench.online = false;
    bench.call(&mut contacts, |s, ctx| s.on_offline(ctx));
    for id in [first, second] {
        assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    }
    let third = bench.operate(&mut contacts, Operation::AddGroup { name: "G".into() });
    assert_eq!(bench.result(third).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    assert_eq!(contacts.poll_timeout(), None);
}

#[test]
fn a_subscription_that_ends_is_made_again() {
    let (mut bench, mut contacts, subscribe) = subscribed();
    bench.take_events();
    let mut bye = Request::new(Method::Benotify, Uri::parse("sip:alice@contoso.com").unwrap());
    bye.headers
        .push("To", subscribe.headers.get(&"From".into()).unwrap())
        .push("Call-ID", subscribe.headers.call_id())
        .push("subscription-state", "terminated;expires=0");
    bench.call(&mut contacts, |s, ctx| s.on_request(ctx, None, bye));
    assert!(bench.sent.is_empty());
    bench.pass(&mut contacts, Duration::from_secs(10));
    let again = bench.request();
    assert_ne!(again.1.headers.call_id(), subscribe.headers.call_id());
    bench.answer(&mut contacts, &again, 200, ACTIVE, LIST);
    assert_eq!(bench.take_events(), []);
}
