//! Scripts for watchers and the rules that answer them.

use super::publishing::Publishing;
use crate::domain::Address;
use crate::domain::access::Change;
use crate::domain::presence::{Level, Member, SelfPresence};
use crate::endpoint::event::Feature;
use crate::endpoint::service::{InternalEvent, Service, ServiceId, Token};
use crate::endpoint::testkit::Bench;
use crate::endpoint::web::{WebPlace, WebRequest};
use crate::endpoint::{Event, Operation, Outcome};
use crate::sip::{Method, Request, ServerTx, Uri};
use std::time::Duration;

fn a(name: &str) -> Address {
    Address::parse(&format!("{name}@contoso.com")).unwrap()
}

/// Signed in; the subscription to one's own watchers, and the first question for the rules.
fn service(xcap: bool) -> (Bench, Publishing, (Token, Request)) {
    let place = xcap.then(|| WebPlace::parse("http://xcap.contoso.com/root").unwrap());
    let (mut bench, mut s) = (Bench::new(ServiceId::Publication), Publishing::new(place));
    bench.me.publish = false;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let sent = bench.request();
    (bench, s, sent)
}

fn ruled(rules: Option<&str>) -> (Bench, Publishing, (Token, Request)) {
    let (mut bench, mut s, sent) = service(true);
    let get = bench.web();
    assert_eq!((get.1.method, get.1.path.as_str()), ("GET", "/root/pres-rules/users/sip:alice@contoso.com/index"));
    bench.answer_web(&mut s, &get, if rules.is_some() { 200 } else { 404 }, "\"1\"", rules.unwrap_or(""));
    (bench, s, sent)
}

fn winfo(version: u32, state: &str, watchers: &[(&str, &str)]) -> String {
    let one = |(who, status): &(&str, &str)| {
        format!("<watcher id='{who}' event='subscribe' status='{status}'>sip:{who}@contoso.com</watcher>")
    };
    let all: String = watchers.iter().map(one).collect();
    format!(
        "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='{version}' state='{state}'>\
         <watcher-list resource='sip:alice@contoso.com' package='presence'>{all}</watcher-list></watcherinfo>"
    )
}

fn notify(bench: &mut Bench, s: &mut Publishing, subscribe: &Request, cseq: u32, body: &str) -> u16 {
    let mut r = Request::new(Method::Notify, Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("To", subscribe.headers.get(&"From".into()).unwrap())
        .push("From", "<sip:alice@contoso.com>;tag=srv1")
        .push("Call-ID", subscribe.headers.call_id())
        .push("CSeq", format!("{cseq} NOTIFY"))
        .push("Event", "presence.winfo")
        .push("Subscription-State", "active;expires=3600")
        .push("Content-Type", "application/watcherinfo+xml");
    r.body = body.as_bytes().to_vec();
    bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    bench.answers.pop().unwrap().status
}

fn own(bench: &mut Bench) -> SelfPresence {
    let of = |e: &Event| if let Event::SelfPresence(own) = e { Some((**own).clone()) } else { None };
    bench.events.iter().rev().find_map(of).unwrap()
}

fn waiting(bench: &mut Bench) -> Vec<String> {
    own(bench).subscribers.iter().filter(|s| !s.acknowledged).map(|s| s.uri.user().to_owned()).collect()
}

fn members(own: &SelfPresence, level: Level) -> Vec<Member> {
    own.containers.iter().find(|c| c.id == level.container()).unwrap().members.clone()
}

fn body(r: &(Token, WebRequest)) -> String {
    String::from_utf8(r.1.body.clone()).unwrap()
}

fn level(who: &str, level: Option<Level>) -> Operation {
    Operation::SetLevel { uri: a(who), level }
}

#[test]
fn watchers_are_told_and_those_who_wait_are_answered_by_a_rule() {
    let (mut bench, mut s, sent) = ruled(None);
    assert_eq!((sent.1.method.clone(), sent.1.headers.get(&"Event".into())), (Method::Subscribe, Some("presence.winfo")));
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    assert_eq!(notify(&mut bench, &mut s, &sent.1, 1, &winfo(0, "full", &[("bob", "active"), ("eve", "pending")])), 200);
    assert_eq!(waiting(&mut bench), ["eve"]);
    notify(&mut bench, &mut s, &sent.1, 2, &winfo(1, "partial", &[("dan", "waiting")]));
    assert_eq!(waiting(&mut bench), ["dan", "eve"]);
    let id = bench.operate(&mut s, level("eve", Some(Level::Workgroup)));
    let put = bench.web();
    assert_eq!(put.1.method, "PUT");
    assert!(body(&put).contains("<one id=\"sip:eve@contoso.com\"/>") && body(&put).contains("allow"), "{}", body(&put));
    bench.answer_web(&mut s, &put, 200, "\"2\"", "");
    assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
    assert_eq!(waiting(&mut bench), ["dan"]);
    assert_eq!(members(&own(&mut bench), Level::Workgroup), [Member::User(a("eve"))]);
    bench.pass(&mut s, Duration::from_millis(1));
    assert_eq!(bench.request().1.headers.get(&"CSeq".into()), Some("2 SUBSCRIBE"), "where they stand now is asked for");
}

#[test]
fn somebody_acknowledged_without_a_word_is_let_in_and_somebody_named_stays_where_they_are() {
    let (mut bench, mut s, _) = ruled(None);
    bench.operate(&mut s, level("eve", Some(Level::Blocked)));
    let put = bench.web();
    bench.answer_web(&mut s, &put, 200, "\"2\"", "");
    let id = bench.operate(&mut s, Operation::AcknowledgeSubscriber { uri: a("eve") });
    assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
    assert!(bench.web.is_empty());
    bench.operate(&mut s, Operation::AcknowledgeSubscriber { uri: a("dan") });
    let put = bench.web();
    bench.answer_web(&mut s, &put, 200, "\"3\"", "");
    assert_eq!(members(&own(&mut bench), Level::Colleagues), [Member::User(a("dan"))]);
    assert_eq!(members(&own(&mut bench), Level::Blocked), [Member::User(a("eve"))]);
}

#[test]
fn rules_changed_elsewhere_are_merged_once_and_then_it_is_said() {
    let (mut bench, mut s, _) = ruled(None);
    let id = bench.operate(&mut s, level("eve", Some(Level::Blocked)));
    let put = bench.web();
    bench.answer_web(&mut s, &put, 412, "", "");
    let get = bench.web();
    let theirs = "<ruleset xmlns='urn:ietf:params:xml:ns:common-policy'><rule id='x'><conditions><identity><one id='sip:dan@contoso.com'/>\
        </identity></conditions><actions><sub-handling xmlns='urn:ietf:params:xml:ns:pres-rules'>allow</sub-handling></actions></rule></ruleset>";
    bench.answer_web(&mut s, &get, 200, "\"9\"", theirs);
    let again = bench.web();
    assert!(body(&again).contains("dan@contoso.com") && body(&again).contains("eve@contoso.com"));
    bench.answer_web(&mut s, &again, 412, "", "");
    assert!(bench.result(id).unwrap().unwrap_err().text.contains("changed elsewhere"));
}

#[test]
fn oneself_is_told_when_the_rules_are_here_or_cannot_be_had() {
    let told = |bench: &Bench| bench.events.iter().any(|e| matches!(e, Event::SelfPresence(_)));
    for status in [200, 404, 503] {
        let (mut bench, mut s, sent) = service(true);
        notify(&mut bench, &mut s, &sent.1, 1, &winfo(0, "full", &[("bob", "active")]));
        assert!(!told(&bench), "half of it would be taken for all");
        let get = bench.web();
        bench.answer_web(&mut s, &get, status, "\"1\"", "<ruleset xmlns='urn:ietf:params:xml:ns:common-policy'/>");
        assert!(told(&bench), "{status}");
    }
}

#[test]
fn without_a_place_for_rules_levels_are_missing_and_why_is_told() {
    let (mut bench, mut s, _) = service(false);
    let told = |f: Feature| bench.events.iter().any(|e| matches!(e, Event::Missing { what, why: Some(_) } if *what == f));
    assert!(told(Feature::Levels) && told(Feature::Delegates) && told(Feature::Directory));
    let id = bench.operate(&mut s, level("eve", Some(Level::Blocked)));
    assert!(bench.result(id).unwrap().unwrap_err().text.contains("xcap"));
}

#[test]
fn a_server_without_watcher_information_says_so() {
    let (mut bench, mut s, sent) = ruled(None);
    bench.answer(&mut s, &sent, 489, "", "");
    assert!(bench.events.iter().any(|e| matches!(e, Event::Missing { what: Feature::Watchers, why: Some(_) })));
    bench.pass(&mut s, Duration::from_secs(600));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_missing_notification_asks_for_all_watchers() {
    let (mut bench, mut s, sent) = ruled(None);
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    notify(&mut bench, &mut s, &sent.1, 1, &winfo(0, "full", &[("bob", "active")]));
    notify(&mut bench, &mut s, &sent.1, 2, &winfo(5, "partial", &[("eve", "pending")]));
    bench.pass(&mut s, Duration::from_millis(1));
    assert_eq!(bench.request().1.headers.get(&"CSeq".into()), Some("2 SUBSCRIBE"));
}

#[test]
fn notifications_of_an_unknown_dialog_are_refused() {
    let (mut bench, mut s, sent) = ruled(None);
    let other = Request::new(Method::Subscribe, sent.1.uri.clone()).with("From", "<sip:x@y>;tag=1").with("Call-ID", "other");
    assert_eq!(notify(&mut bench, &mut s, &other, 1, ""), 481);
}

#[test]
fn members_and_domains_move_between_levels_and_what_the_wire_cannot_say_is_refused() {
    let (mut bench, mut s, _) = ruled(None);
    let change = |changes| Operation::ChangeMembers { changes };
    bench.operate(&mut s, change(vec![Change::Add(200, Member::SameEnterprise), Change::Add(32_000, Member::User(a("eve")))]));
    let put = bench.web();
    bench.answer_web(&mut s, &put, 200, "\"2\"", "");
    let now = own(&mut bench);
    assert_eq!(members(&now, Level::Colleagues), [Member::Domain("contoso.com".into())]);
    assert_eq!(members(&now, Level::Blocked), [Member::User(a("eve"))]);
    for wrong in [Change::Add(500, Member::Everyone), Change::Add(200, Member::Federated)] {
        let id = bench.operate(&mut s, change(vec![wrong]));
        assert!(bench.result(id).unwrap().is_err());
    }
    let id = bench.operate(&mut s, Operation::Preview { operations: vec![level("eve", Some(Level::Personal))] });
    let Some(Ok(Outcome::Preview(after))) = bench.result(id) else { panic!("no preview") };
    assert_eq!(members(&after, Level::Personal), [Member::User(a("eve"))]);
    assert!(bench.web.is_empty(), "a trial writes nothing");
}

#[test]
fn the_contact_list_places_people_and_takes_what_it_gave() {
    let (mut bench, mut s, _) = ruled(None);
    let placed = InternalEvent::ContactPlaced { uri: a("bob"), level: Some(Level::Personal) };
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &placed));
    let put = bench.web();
    bench.answer_web(&mut s, &put, 200, "\"2\"", "");
    assert_eq!(members(&own(&mut bench), Level::Personal), [Member::User(a("bob"))]);
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &InternalEvent::ContactDeleted(a("bob"))));
    let put = bench.web();
    assert!(!body(&put).contains("bob"), "{}", body(&put));
}

#[test]
fn changes_that_wait_end_with_the_link() {
    let (mut bench, mut s, _) = service(true);
    let id = bench.operate(&mut s, level("eve", Some(Level::Blocked)));
    assert_eq!(bench.result(id), None);
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    assert!(bench.result(id).unwrap().is_err());
}

/// A request of somebody; `None`: nobody has answered it.
fn reaches(bench: &mut Bench, s: &mut Publishing, from: &str, method: Method, date: &str) -> Option<u16> {
    let mut r = Request::new(method.clone(), Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("From", format!("<sip:{from}>;tag=b"))
        .push("To", "<sip:alice@contoso.com>;tag=made-up")
        .push("Call-ID", "c")
        .push("CSeq", format!("1 {method}"));
    if !date.is_empty() {
        r.headers.push("Date", date);
    }
    bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    bench.answers.pop().map(|r| r.status)
}

#[test]
fn who_is_blocked_reaches_nobody_while_the_rules_are_away_too() {
    let (mut bench, mut s, _) = ruled(None);
    for member in [Member::User(a("mallory")), Member::Domain("spam.example".into())] {
        let changes = vec![Change::Add(Level::Blocked.container(), member)];
        bench.operate(&mut s, Operation::ChangeMembers { changes });
        let put = bench.web();
        bench.answer_web(&mut s, &put, 200, "\"2\"", "");
    }
    for method in [Method::Message, Method::Invite, Method::Refer] {
        assert_eq!(reaches(&mut bench, &mut s, "mallory@contoso.com", method.clone(), ""), Some(480));
        assert_eq!(reaches(&mut bench, &mut s, "x@spam.example", method.clone(), ""), Some(480));
        assert_eq!(reaches(&mut bench, &mut s, "bob@contoso.com", method, ""), None, "others pass");
    }
    // What a server had kept would come again and again.
    let old = "Thu, 01 Jan 1970 00:00:00 GMT";
    assert_eq!(reaches(&mut bench, &mut s, "mallory@contoso.com", Method::Message, old), Some(200));
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    assert_eq!(reaches(&mut bench, &mut s, "mallory@contoso.com", Method::Message, ""), Some(480));
}
