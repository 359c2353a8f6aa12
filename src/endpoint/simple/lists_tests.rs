//! Scripts for contacts on an XCAP server, and for the subscription to all of them.

use super::contacts::Contacts;
use super::watching::Watching;
use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact};
use crate::domain::presence::{Availability, Presence};
use crate::domain::watching::Standing;
use crate::endpoint::event::Feature;
use crate::endpoint::service::{InternalEvent, Service, ServiceId, Token};
use crate::endpoint::testkit::Bench;
use crate::endpoint::web::{WebPlace, WebRequest};
use crate::endpoint::{Event, Operation, OperationId, Outcome};
use crate::sip::{Method, Request, ServerTx, Uri};
use std::time::Duration;

fn a(name: &str) -> Address {
    Address::parse(&format!("{name}@contoso.com")).unwrap()
}

fn document(entries: &[&str]) -> String {
    let entries: String = entries.iter().map(|e| format!("<entry uri='sip:{e}@contoso.com'/>")).collect();
    format!("<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list name='other'>{entries}</list></resource-lists>")
}

fn add(name: &str) -> Operation {
    Operation::AddContact { uri: a(name), name: String::new(), groups: Vec::new(), options: AddOptions::default() }
}

fn header<'a>(r: &'a WebRequest, name: &str) -> Option<&'a str> {
    r.headers.iter().find(|h| h.0 == name).map(|h| h.1.as_str())
}

fn body(r: &(Token, WebRequest)) -> String {
    String::from_utf8(r.1.body.clone()).unwrap()
}

fn service(known: &[&str]) -> (Bench, Contacts) {
    let known = known.iter().map(|n| Contact::new(a(n))).collect();
    let place = WebPlace::parse("http://xcap.contoso.com/root").unwrap();
    let (mut bench, mut s) = (Bench::new(ServiceId::Contacts), Contacts::new(Vec::new(), known, Some(place)));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    (bench, s)
}

/// Signed in with bob on the server's list, and everything settled.
fn settled() -> (Bench, Contacts) {
    let (mut bench, mut s) = service(&[]);
    let get = bench.web();
    bench.answer_web(&mut s, &get, 200, "\"1\"", &document(&["bob"]));
    let services = bench.web();
    bench.answer_web(&mut s, &services, 404, "", "");
    let put = bench.web();
    bench.answer_web(&mut s, &put, 200, "\"r1\"", "");
    bench.take_events();
    bench.told.clear();
    (bench, s)
}

fn people(bench: &mut Bench) -> Vec<String> {
    let lists = bench.take_events().into_iter().rev();
    let list = lists.filter_map(|e| if let Event::ContactList { contacts, .. } = e { Some(contacts) } else { None }).next();
    list.unwrap_or_default().iter().map(|c| c.uri.user().to_owned()).collect()
}

fn why(bench: &mut Bench, id: OperationId) -> String {
    bench.result(id).unwrap().unwrap_err().text
}

#[test]
fn the_list_comes_from_the_server_and_is_offered_as_one_subscription() {
    let (mut bench, mut s) = service(&["old"]);
    assert_eq!(people(&mut bench), ["old"]);
    let get = bench.web();
    assert_eq!((get.1.method, get.1.path.as_str()), ("GET", "/root/resource-lists/users/sip:alice@contoso.com/index"));
    bench.answer_web(&mut s, &get, 200, "\"1\"", &document(&["bob", "carol"]));
    assert_eq!(people(&mut bench), ["bob", "carol"]);
    assert!(bench.told.is_empty(), "nobody is asked for before the list stands: {:?}", bench.told);
    let services = bench.web();
    assert_eq!(services.1.path, "/root/rls-services/users/sip:alice@contoso.com/index");
    bench.answer_web(&mut s, &services, 404, "", "");
    let put = bench.web();
    assert!(body(&put).contains("sip:alice-adsum@contoso.com") && body(&put).contains("sip:carol@contoso.com"), "{}", body(&put));
    bench.answer_web(&mut s, &put, 201, "\"r1\"", "");
    let members = vec![a("bob"), a("carol")];
    let list = InternalEvent::List { service: Some(a("alice-adsum")), members: members.clone() };
    assert_eq!(bench.told, [list, InternalEvent::Wanted(members)]);
}

fn lists_told(bench: &mut Bench) -> usize {
    bench.take_events().iter().filter(|e| matches!(e, Event::ContactList { .. })).count()
}

#[test]
fn an_empty_list_is_told_when_the_server_has_said_so_or_cannot_be_asked() {
    for (status, text) in [(200, document(&[])), (404, String::new()), (503, String::new())] {
        let (mut bench, mut s) = service(&[]);
        assert_eq!(lists_told(&mut bench), 0, "nobody knows yet");
        let get = bench.web();
        bench.answer_web(&mut s, &get, status, "\"1\"", &text);
        assert_eq!(lists_told(&mut bench), 1, "{status}");
    }
}

#[test]
fn a_server_that_knows_no_list_gets_the_one_that_was_kept_here() {
    let (mut bench, mut s) = service(&["old"]);
    let get = bench.web();
    bench.answer_web(&mut s, &get, 404, "", "");
    let put = bench.web();
    assert_eq!((put.1.method, header(&put.1, "If-None-Match")), ("PUT", Some("*")));
    assert!(body(&put).contains("sip:old@contoso.com"));
}

#[test]
fn a_change_is_written_over_what_was_read_and_told_when_it_stands() {
    let (mut bench, mut s) = settled();
    let id = bench.operate(&mut s, add("dave"));
    let put = bench.web();
    assert_eq!(header(&put.1, "If-Match"), Some("\"1\""));
    assert!(body(&put).contains("sip:bob@contoso.com") && body(&put).contains("sip:dave@contoso.com"));
    assert_eq!((bench.result(id), bench.events.len()), (None, 0));
    bench.answer_web(&mut s, &put, 200, "\"2\"", "");
    assert!(matches!(&bench.events[0], Event::ContactChanged(c) if c.uri == a("dave")));
    assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
}

#[test]
fn what_was_written_elsewhere_meanwhile_is_merged_once_and_then_it_is_said() {
    let (mut bench, mut s) = settled();
    let id = bench.operate(&mut s, add("dave"));
    let put = bench.web();
    bench.answer_web(&mut s, &put, 412, "", "");
    let get = bench.web();
    assert_eq!((get.1.method, header(&get.1, "If-None-Match")), ("GET", None));
    bench.answer_web(&mut s, &get, 200, "\"7\"", &document(&["bob", "erin"]));
    let services = bench.web();
    assert!(services.1.path.contains("rls-services") || services.1.path.contains("resource-lists"));
    let again = if services.1.path.contains("resource-lists") { services } else { bench.web() };
    assert_eq!(header(&again.1, "If-Match"), Some("\"7\""));
    assert!(body(&again).contains("erin") && body(&again).contains("dave"), "{}", body(&again));
    let conflict = "<xcap-error xmlns='urn:ietf:params:xml:ns:xcap-error'><uniqueness-failure phrase='twice'/></xcap-error>";
    bench.answer_web(&mut s, &again, 409, "", conflict);
    assert!(why(&mut bench, id).contains("twice"));
}

#[test]
fn a_merge_that_makes_no_sense_any_more_is_refused_by_the_lists_own_rules() {
    let (mut bench, mut s) = settled();
    let id = bench.operate(&mut s, add("dave"));
    let put = bench.web();
    bench.answer_web(&mut s, &put, 412, "", "");
    let get = bench.web();
    bench.answer_web(&mut s, &get, 200, "\"7\"", &document(&["bob", "dave"]));
    assert!(why(&mut bench, id).contains("already on the list"));
}

#[test]
fn without_the_server_the_last_list_is_shown_and_changes_are_refused_with_the_reason() {
    let (mut bench, mut s) = service(&["old"]);
    let get = bench.web();
    bench.call(&mut s, |s, ctx| s.on_web(ctx, get.0, Err("nothing listens there".into())));
    let missing =
        |e: &Event| matches!(e, Event::Missing { what: Feature::ServerList, why: Some(w) } if w.contains("nothing listens"));
    assert!(bench.events.iter().any(missing), "{:?}", bench.events);
    assert_eq!(bench.told, [InternalEvent::Wanted(vec![a("old")])]);
    let id = bench.operate(&mut s, add("dave"));
    assert!(why(&mut bench, id).contains("cannot be reached"));
    bench.pass(&mut s, Duration::from_secs(61));
    let again = bench.web();
    bench.answer_web(&mut s, &again, 200, "\"1\"", &document(&["bob"]));
    assert!(bench.events.contains(&Event::Missing { what: Feature::ServerList, why: None }));
}

#[test]
fn an_unreadable_list_is_told_and_never_overwritten() {
    let (mut bench, mut s) = service(&["old"]);
    let get = bench.web();
    bench.answer_web(&mut s, &get, 200, "\"1\"", "<resource-lists");
    let id = bench.operate(&mut s, add("dave"));
    assert!(why(&mut bench, id).contains("cannot be read"));
    assert!(bench.web.is_empty());
}

#[test]
fn where_lists_are_not_taken_people_are_asked_for_one_by_one() {
    let (mut bench, mut s) = service(&[]);
    let get = bench.web();
    bench.answer_web(&mut s, &get, 200, "\"1\"", &document(&["bob"]));
    let services = bench.web();
    bench.answer_web(&mut s, &services, 405, "", "");
    assert_eq!(bench.told[0], InternalEvent::List { service: None, members: Vec::new() });
    assert_eq!(bench.told[1], InternalEvent::Wanted(vec![a("bob")]));
}

const TYPE: &str = "multipart/related;type=\"application/rlmi+xml\";start=\"<1>\";boundary=\"B\"";

fn rlmi(head: &str, resources: &str) -> String {
    format!(
        "--B\r\nContent-ID: <1>\r\nContent-Type: application/rlmi+xml\r\n\r\n<list xmlns='urn:ietf:params:xml:ns:rlmi' \
         uri='sip:alice-adsum@contoso.com' {head}>{resources}</list>\r\n--B\r\nContent-ID: <b>\r\nContent-Type: application/pidf+xml\r\n\r\n\
         <presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='a'><status><basic>open</basic></status></tuple></presence>\r\n--B--\r\n"
    )
}

fn notify(bench: &mut Bench, s: &mut Watching, subscribe: &Request, cseq: u32, body: &str) -> u16 {
    let mut r = Request::new(Method::Notify, Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("To", subscribe.headers.get(&"From".into()).unwrap())
        .push("From", "<sip:alice-adsum@contoso.com>;tag=srv1")
        .push("Call-ID", subscribe.headers.call_id())
        .push("CSeq", format!("{cseq} NOTIFY"))
        .push("Event", "presence")
        .push("Subscription-State", "active;expires=3600")
        .push("Content-Type", TYPE);
    r.body = body.as_bytes().to_vec();
    bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    bench.answers.pop().unwrap().status
}

/// A list with bob, carol and dave, just asked for.
fn listed() -> (Bench, Watching, (Token, Request)) {
    let (mut bench, mut s) = (Bench::new(ServiceId::Subscription), Watching::default());
    let members = vec![a("bob"), a("carol"), a("dave")];
    let list = InternalEvent::List { service: Some(a("alice-adsum")), members: members.clone() };
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &list));
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &InternalEvent::Wanted(members)));
    let sent = bench.request();
    assert!(bench.sent.is_empty(), "one subscription is enough");
    (bench, s, sent)
}

fn seen(bench: &mut Bench) -> Vec<(String, Option<Availability>)> {
    let of =
        |e| if let Event::Presence { uri, presence } = e { Some((uri.user().to_owned(), presence.availability)) } else { None };
    bench.take_events().into_iter().filter_map(of).collect()
}

#[test]
fn one_subscription_tells_of_all_contacts() {
    let (mut bench, mut s, sent) = listed();
    assert_eq!(
        (sent.1.uri.as_str(), sent.1.headers.get(&"Supported".into())),
        ("sip:alice-adsum@contoso.com", Some("eventlist"))
    );
    bench.answer(&mut s, &sent, 200, "Contact: <sip:rls>\nExpires: 3600\nRequire: eventlist", "");
    let resources = "<resource uri='sip:bob@contoso.com'><instance id='1' state='active' cid='b'/></resource>\
        <resource uri='sip:carol@contoso.com'><instance id='1' state='pending'/></resource><resource uri='sip:dave@contoso.com'/>";
    assert_eq!(notify(&mut bench, &mut s, &sent.1, 1, &rlmi("version='1' fullState='true'", resources)), 200);
    let waits = |e: &Event| matches!(e, Event::Watching { uri, standing: Standing::Failed { .. } } if *uri == a("carol"));
    assert!(bench.events.iter().any(waits));
    assert_eq!(seen(&mut bench), [("bob".into(), Some(Availability::AVAILABLE))]);
    bench.pass(&mut s, Duration::from_secs(16));
    assert_eq!(seen(&mut bench), [("dave".into(), Some(Availability::OFFLINE))], "silence is an answer after a while");
    let later = "<resource uri='sip:dave@contoso.com'><instance id='1' state='active' cid='b'/></resource>";
    notify(&mut bench, &mut s, &sent.1, 2, &rlmi("version='2' fullState='false'", later));
    assert_eq!(seen(&mut bench), [("dave".into(), Some(Availability::AVAILABLE))]);
    assert!(bench.sent.is_empty());
    notify(&mut bench, &mut s, &sent.1, 3, &rlmi("version='9' fullState='false'", later));
    bench.pass(&mut s, Duration::from_millis(1));
    assert_eq!(bench.request().1.headers.get(&"CSeq".into()), Some("2 SUBSCRIBE"), "a gap is asked for");
}

#[test]
fn a_server_that_takes_the_list_for_a_person_is_asked_for_each() {
    let (mut bench, mut s, sent) = listed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    assert_eq!(bench.request().1.headers.get(&"Expires".into()), Some("0"), "the list is left");
    bench.pass(&mut s, Duration::from_secs(1));
    let asked: Vec<String> = bench.sent.iter().map(|r| r.1.uri.as_str().to_owned()).collect();
    assert_eq!(asked, ["sip:bob@contoso.com", "sip:carol@contoso.com", "sip:dave@contoso.com"]);
    assert!(bench.events.iter().any(|e| matches!(e, Event::Missing { what: Feature::PresenceLists, why: Some(_) })));
}

#[test]
fn a_list_that_never_told_anything_is_given_up_and_one_that_did_is_asked_for_again() {
    let (mut bench, mut s, sent) = listed();
    bench.answer(&mut s, &sent, 500, "", "");
    assert_eq!(bench.request().1.uri.as_str(), "sip:bob@contoso.com");

    let (mut bench, mut s, sent) = listed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:rls>\nExpires: 600\nRequire: eventlist", "");
    let one = "<resource uri='sip:bob@contoso.com'><instance id='2' state='active' cid='b'/></resource>";
    notify(&mut bench, &mut s, &sent.1, 1, &rlmi("version='1' fullState='true'", one));
    for tried in 0..2 {
        bench.pass(&mut s, Duration::from_secs(600));
        let asked = bench.request();
        assert!(!asked.1.uri.as_str().contains("bob@"), "{tried}: {}", asked.1.uri.as_str());
        bench.answer(&mut s, &asked, 500, "", "");
    }
    assert_eq!(bench.request().1.uri.as_str(), "sip:bob@contoso.com");
}

#[test]
fn several_devices_of_one_person_are_seen_as_one() {
    let (mut bench, mut s, sent) = listed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:rls>\nRequire: eventlist", "");
    let two = "<resource uri='sip:bob@contoso.com'><instance id='1' state='terminated' reason='noresource'/>\
        <instance id='2' state='active' cid='b'/></resource>";
    notify(&mut bench, &mut s, &sent.1, 1, &rlmi("version='1' fullState='true'", two));
    assert_eq!(seen(&mut bench), [("bob".into(), Some(Availability::AVAILABLE))]);
}

#[test]
fn without_the_link_listed_people_are_stale_and_the_list_is_asked_for_anew() {
    let (mut bench, mut s, sent) = listed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:rls>\nRequire: eventlist", "");
    let one = "<resource uri='sip:bob@contoso.com'><instance id='2' state='active' cid='b'/></resource>";
    notify(&mut bench, &mut s, &sent.1, 1, &rlmi("version='1' fullState='true'", one));
    bench.take_events();
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    let stale = |p: &Presence| matches!(p.freshness, crate::domain::presence::Freshness::Stale { .. });
    assert!(bench.take_events().iter().any(|e| matches!(e, Event::Presence { presence, .. } if stale(presence))));
    bench.online = true;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    assert_eq!(bench.sent.len(), 1);
    assert_eq!(bench.request().1.uri.as_str(), "sip:alice-adsum@contoso.com");
}
