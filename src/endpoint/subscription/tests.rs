use super::*;
use crate::domain::presence::{Availability, Freshness};
use crate::domain::watching::DEFAULT_CATEGORIES;
use crate::endpoint::service::ServiceId;
use crate::endpoint::testkit::Bench;
use std::time::Duration;

const ACTIVE: &str = "Expires: 28800\nsubscription-state: active;expires=28800\nms-piggyback-cseq: 1\nContent-Type: multipart/related;type=\"application/rlmi+xml\";start=resourceList;boundary=rlmi-7f31c0d2b4e94a55\nContact: <sip:lync01.contoso.com:5061;transport=tls>";
pub(super) const ONE: &str = "Expires: 28800\nsubscription-state: active;expires=28800\nms-piggyback-cseq: 1\nContent-Type: application/msrtc-event-categories+xml\nContact: <sip:lync01.contoso.com:5061;transport=tls>";
const BODY: &str = r#"--rlmi-7f31c0d2b4e94a55
Content-Transfer-Encoding: binary
Content-ID: resourceList
Content-Type: application/rlmi+xml

<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:alice@contoso.com" version="0" fullState="false">
<resource uri="sip:bob@contoso.com"><instance id="0" state="active" cid="bob@contoso.com"/></resource>
<resource uri="sip:carol@fabrikam.com"><instance id="0" state="resubscribe"/></resource>
<resource uri="sip:eve@contoso.com"><instance id="0" state="terminated" statusCode="404" reason="x"/></resource>
</list>
--rlmi-7f31c0d2b4e94a55
Content-Transfer-Encoding: binary
Content-ID: bob@contoso.com
Content-Type: application/msrtc-event-categories+xml

<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com"><category name="state" instance="1" publishTime="2014-01-15T09:20:11.417"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>3500</availability><device>computer</device></state></category><category name="contactCard" instance="0" publishTime="2014-01-10T08:00:00.000"><contactCard xmlns="http://schemas.microsoft.com/2006/09/sip/contactcard"><identity><name><displayName>Bob Example</displayName></name><email>bob@contoso.com</email></identity></contactCard></category><category name="note" instance="0" publishTime="2014-01-15T08:00:00.000"><note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">In the Oslo office</body></note></category></categories>
--rlmi-7f31c0d2b4e94a55--
"#;
pub(super) const BUSY: &str = r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:bob@contoso.com"><category name="state" instance="1" publishTime="2014-01-15T09:41:00.003"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>6500</availability><activity token="on-the-phone" minAvailability="6500" maxAvailability="8999"/></state></category></categories>"#;

/// What persistent views ask for.
pub(super) const ACTIVE_CATEGORIES: [&str; 5] = DEFAULT_CATEGORIES;

pub(super) fn service() -> Subscriptions {
    Subscriptions::new(DEFAULT_CATEGORIES.map(String::from).to_vec(), Rng::seeded(2))
}

pub(super) fn who(name: &str) -> Address {
    Address::parse(name).unwrap()
}

/// An answer that is only a list.
pub(super) const LIST_ONLY: &str = "Expires: 28800\nsubscription-state: active;expires=28800\nms-piggyback-cseq: 1\nContent-Type: application/rlmi+xml\nContact: <sip:lync01.contoso.com:5061;transport=tls>";

/// The list, each person with the `state` of the instance and whatever stands behind it.
pub(super) fn list(people: &[(&str, &str)]) -> String {
    let rows = people
        .iter()
        .map(|(who, state)| format!("<resource uri=\"sip:{who}\"><instance id=\"0\" state=\"{state}\"/></resource>"));
    format!(
        "<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:alice@contoso.com\" version=\"0\" fullState=\"false\">{}</list>",
        rows.collect::<String>()
    )
}

fn presences(bench: &mut Bench) -> Vec<Event> {
    bench.take_events().into_iter().filter(|e| matches!(e, Event::Presence { .. })).collect()
}

pub(super) fn asked(request: &Request) -> (Action, Vec<(String, bool)>) {
    let batch = BatchRequest::parse(&request.body).unwrap();
    (batch.action, batch.resources.iter().map(|r| (r.uri.bare().to_owned(), r.context.is_some())).collect())
}

pub(super) fn wanted(bench: &mut Bench, s: &mut Subscriptions, uris: &[&str]) {
    let event = InternalEvent::Wanted(uris.iter().map(|u| who(u)).collect());
    bench.call(s, |s, ctx| s.on_internal(ctx, &event));
}

/// Bob, Carol (elsewhere) and Eve (unknown) asked for and answered.
fn subscribed() -> (Bench, Subscriptions, Request) {
    let mut bench = Bench::new(ServiceId::Subscription);
    let mut s = service();
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    assert!(bench.sent.is_empty(), "nobody to ask for");
    wanted(&mut bench, &mut s, &["bob@contoso.com", "carol@fabrikam.com", "eve@contoso.com"]);
    let sent = bench.request();
    assert_eq!(sent.1.headers.get(&"Require".into()), Some("adhoclist, categoryList"));
    bench.answer(&mut s, &sent, 200, ACTIVE, &BODY.replace('\n', "\r\n"));
    (bench, s, sent.1)
}

#[test]
fn the_answer_says_everything_and_a_change_only_what_changed() {
    let (mut bench, mut s, subscribe) = subscribed();
    let events = presences(&mut bench);
    let [Event::Presence { uri, presence }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((uri.bare(), presence.availability), ("bob@contoso.com", Some(Availability::AVAILABLE)));
    assert_eq!(presence.card.display_name.as_deref(), Some("Bob Example"));
    assert_eq!(presence.note.as_ref().unwrap().text, "In the Oslo office");
    bench.now = bench.now + Duration::from_secs(5);
    for _ in 0..2 {
        bench.notify(&mut s, &subscribe, "application/msrtc-event-categories+xml", BUSY);
    }
    let events = bench.take_events();
    let [Event::Presence { presence, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(presence.availability, Some(Availability::BUSY));
    assert_eq!(presence.note.as_ref().unwrap().text, "In the Oslo office");
    assert!(matches!(presence.freshness, Freshness::Known { at } if at == bench.now));
}

#[test]
fn people_of_other_pools_are_asked_for_at_their_own_server_within_ten_seconds() {
    let (mut bench, mut s, _) = subscribed();
    bench.take_events();
    bench.pass(&mut s, Duration::from_secs(10));
    let direct = bench.request();
    assert_eq!((direct.1.uri.as_str(), direct.1.headers.expires()), ("sip:carol@fabrikam.com", None));
    assert_eq!(direct.1.headers.get(&"Require".into()), None);
    let carol = BUSY.replace("bob@contoso.com", "carol@fabrikam.com");
    bench.answer(&mut s, &direct, 200, ONE, &carol);
    let events = bench.take_events();
    let [Event::Watching { standing: Standing::Told, .. }, Event::Presence { uri, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(uri.bare(), "carol@fabrikam.com");
    // A person's own server speaks for nobody else.
    bench.notify(&mut s, &direct.1, "application/msrtc-event-categories+xml", BUSY);
    assert_eq!(bench.take_events(), []);
}

#[test]
fn people_of_one_pool_are_asked_for_in_one_batch() {
    let mut bench = Bench::new(ServiceId::Subscription);
    let mut s = service();
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    wanted(&mut bench, &mut s, &["bob@contoso.com", "carol@contoso.com"]);
    let sent = bench.request();
    let pool = "sip:pool02.contoso.com@contoso.com;gruu;opaque=srvr:HomeServer:x";
    let there = format!("resubscribe\" poolFqdn=\"{pool}");
    bench.answer(&mut s, &sent, 200, LIST_ONLY, &list(&[("bob@contoso.com", &there), ("carol@contoso.com", &there)]));
    // The dialog at home holds nobody and ends.
    assert_eq!(bench.request().1.headers.expires(), Some(0));
    bench.pass(&mut s, Duration::from_secs(10));
    let asked: Vec<_> =
        std::mem::take(&mut bench.sent).into_iter().map(|(_, r)| (r.uri.as_str().to_owned(), asked(&r).1)).collect();
    assert!(asked.iter().all(|(uri, _)| uri == pool), "{asked:?}");
    assert!(!asked[0].1[0].1);
}

#[test]
fn new_contacts_are_added_in_the_dialog_with_context() {
    let (mut bench, mut s, subscribe) = subscribed();
    bench.call(&mut s, |s, ctx| {
        s.on_internal(ctx, &InternalEvent::ContactAdded { uri: who("dave@contoso.com"), words: String::new() })
    });
    wanted(&mut bench, &mut s, &["bob@contoso.com", "dave@contoso.com"]);
    let add = bench.request();
    assert_eq!(add.1.headers.call_id(), subscribe.headers.call_id());
    assert_eq!(asked(&add.1), (Action::Subscribe, vec![("dave@contoso.com".into(), true)]));
    bench.answer(&mut s, &add, 200, ONE, &BUSY.replace("bob@", "dave@"));
    // Carol and Eve left the list, but were never in the dialog for good.
    assert!(bench.sent.is_empty());
    wanted(&mut bench, &mut s, &["dave@contoso.com"]);
    assert_eq!(asked(&bench.request().1), (Action::Unsubscribe, vec![("bob@contoso.com".into(), false)]));
}

#[test]
fn a_thousand_people_go_in_batches_and_are_renewed() {
    let mut bench = Bench::new(ServiceId::Subscription);
    let mut s = service();
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let all: Vec<String> = (0..250).map(|i| format!("u{i}@contoso.com")).collect();
    wanted(&mut bench, &mut s, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let mut counts = Vec::new();
    while !bench.sent.is_empty() {
        let sent = bench.request();
        counts.push(asked(&sent.1).1.len());
        bench.answer(&mut s, &sent, 200, ONE, "");
    }
    assert_eq!(counts, [100, 100, 50]);
    bench.pass(&mut s, Duration::from_secs(28_680));
    let again = bench.request();
    assert_eq!(asked(&again.1).1.len(), 100);
    assert_eq!(again.1.headers.get(&"CSeq".into()), Some("4 SUBSCRIBE"));
}

#[test]
fn watching_counts() {
    let mut bench = Bench::new(ServiceId::Subscription);
    let mut s = service();
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let zoe = vec![who("zoe@contoso.com")];
    bench.operate(&mut s, Operation::Watch { view: ViewId::conversations(), uris: zoe.clone() });
    let sent = bench.request();
    bench.answer(&mut s, &sent, 200, ONE, "");
    bench.operate(&mut s, Operation::Watch { view: ViewId::conversations(), uris: zoe.clone() });
    bench.operate(&mut s, Operation::Unwatch { view: ViewId::conversations(), uris: zoe.clone() });
    assert!(bench.sent.is_empty());
    bench.operate(&mut s, Operation::Unwatch { view: ViewId::conversations(), uris: zoe.clone() });
    // Nobody is left: the subscription itself ends.
    assert_eq!(bench.request().1.headers.expires(), Some(0));
    assert_eq!(s.poll_timeout(), None);
}

#[test]
fn a_lost_link_makes_knowledge_stale_until_it_is_told_again() {
    let (mut bench, mut s, _) = subscribed();
    bench.take_events();
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    let events = bench.take_events();
    assert!(
        matches!(&events[..], [Event::Presence { presence, .. }] if presence.freshness == Freshness::Stale { since: bench.now })
    );
    bench.online = true;
    bench.sent.clear();
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let sent = bench.request();
    bench.answer(&mut s, &sent, 200, ACTIVE, &BODY.replace('\n', "\r\n"));
    assert!(
        matches!(&presences(&mut bench)[..], [Event::Presence { presence, .. }] if matches!(presence.freshness, Freshness::Known { .. }))
    );
}

#[test]
fn a_dialog_the_server_forgot_is_made_anew() {
    let (mut bench, mut s, subscribe) = subscribed();
    bench.pass(&mut s, Duration::from_secs(28_680));
    bench.sent.retain(|(_, r)| r.headers.call_id() == subscribe.headers.call_id());
    let renewal = bench.request();
    bench.answer(&mut s, &renewal, 481, "", "");
    bench.pass(&mut s, Duration::from_secs(1));
    let again = bench.request();
    assert_ne!(again.1.headers.call_id(), subscribe.headers.call_id());
}
