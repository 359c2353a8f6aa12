use super::*;
use crate::domain::Address;
use crate::domain::presence::{Level, Member, Note, Phone, UserStatus};
use crate::endpoint::service::ServiceId;
use crate::endpoint::testkit::Bench;
use crate::lync::publish::PublishRequest;
use std::time::Duration;

const ACTIVE: &str = "Expires: 45600\nsubscription-state: active;expires=45600\nms-piggyback-cseq: 1\nContent-Type: application/vnd-microsoft-roaming-self+xml\nContact: <sip:lync01.contoso.com:5061;transport=tls>";
const SELF: &str = r#"<roamingData xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:alice@contoso.com">
<category name="state" instance="536870912" publishTime="2014-01-15T09:12:04.310" container="2" version="7" expireType="static"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="userState" manual="true"><availability>6500</availability></state></category>
<category name="state" instance="0" publishTime="2014-01-15T09:12:04.310" container="32000" version="1" expireType="static"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>18500</availability></state></category>
<category name="note" instance="0" publishTime="2014-01-14T16:20:00.000" container="200" version="2" expireType="static"><note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">Back on Thursday</body></note></category>
</categories><containers xmlns="http://schemas.microsoft.com/2006/09/sip/containers"><container id="0" version="0"/><container id="100" version="1"><member type="federated"/></container><container id="200" version="1"><member type="sameEnterprise"/></container><container id="300" version="0"/><container id="400" version="2"><member type="user" value="bob@contoso.com"/></container><container id="32000" version="0"/></containers>
<subscribers xmlns="http://schemas.microsoft.com/2006/09/sip/presence-subscribers"><subscriber user="dave@contoso.com" displayName="Dave Example" acknowledged="false" type="sameEnterprise"><context/></subscriber></subscribers></roamingData>"#;

fn bob() -> Address {
    Address::parse("bob@contoso.com").unwrap()
}

pub(super) fn items(request: &Request) -> Vec<(String, u32, u32, u32, bool, String)> {
    let parsed = PublishRequest::parse(&request.body).unwrap();
    let one = |i: &crate::lync::publish::PublishItem| {
        let k = &i.publication.key;
        (k.category.clone(), k.instance, k.container, i.publication.version, i.delete, i.publication.value.clone())
    };
    parsed.items.iter().map(one).collect()
}

/// Signed in, automatic publication done.
pub(super) fn published() -> (Bench, Publications, Request) {
    let mut bench = Bench::new(ServiceId::Publication);
    let mut service = Publications::new(Rng::seeded(2));
    bench.call(&mut service, |s, ctx| s.on_online(ctx));
    let subscribe = bench.request();
    bench.answer(&mut service, &subscribe, 200, ACTIVE, SELF);
    let automatic = bench.request();
    bench.answer(&mut service, &automatic, 200, "", "<roamingData/>");
    (bench, service, subscribe.1)
}

#[test]
fn the_first_document_brings_the_automatic_publication() {
    let mut bench = Bench::new(ServiceId::Publication);
    let mut service = Publications::new(Rng::seeded(2));
    bench.call(&mut service, |s, ctx| s.on_online(ctx));
    let subscribe = bench.request();
    assert!(String::from_utf8_lossy(&subscribe.1.body).contains("roamingList"));
    bench.answer(&mut service, &subscribe, 200, ACTIVE, SELF);
    let (_, request) = bench.request();
    let all = items(&request);
    assert_eq!(
        all.iter().map(|i| (i.0.as_str(), i.2, i.3)).collect::<Vec<_>>(),
        [("device", 2, 0), ("state", 2, 0), ("state", 3, 0)]
    );
    assert_eq!(all[1].1 >> 28, 3);
    assert!(all[1].5.contains("machineState") && all[1].5.contains("3500"));
    assert!(bench.sent.is_empty(), "nothing is missing, so nothing is bootstrapped");
    assert!(
        matches!(&bench.take_events()[..], [Event::SelfPresence(p)] if p.publications.len() == 3 && p.subscribers.len() == 1)
    );
}

#[test]
fn a_new_account_gets_what_it_lacks() {
    let mut bench = Bench::new(ServiceId::Publication);
    let mut service = Publications::new(Rng::seeded(2));
    bench.call(&mut service, |s, ctx| s.on_online(ctx));
    let subscribe = bench.request();
    let empty = r#"<roamingData><categories uri="sip:alice@contoso.com"/><containers><container id="200" version="4"/></containers></roamingData>"#;
    bench.answer(&mut service, &subscribe, 200, ACTIVE, empty);
    let members = bench.request();
    let body = String::from_utf8_lossy(&members.1.body).into_owned();
    assert!(body.contains("sameEnterprise") && body.contains("federated") && body.contains("version=\"4\""), "{body}");
    bench.answer(&mut service, &members, 200, "", "");
    let blocked = bench.request();
    assert_eq!(items(&blocked.1)[0].2, 32_000);
    bench.answer(&mut service, &blocked, 200, "", "<roamingData/>");
    assert_eq!(items(&bench.request().1)[0].0, "device");
}

#[test]
fn do_not_disturb_is_rewritten_for_workgroup_and_replaces_the_other_kind() {
    let (mut bench, mut service, _) = published();
    let id = bench
        .operate(&mut service, Operation::SetStatus { status: UserStatus::DoNotDisturb, activity: String::new(), until: None });
    let sent = bench.request();
    let all = items(&sent.1);
    assert_eq!(all.len(), 3);
    assert!(all[0].1 == 0x2400_0000 && all[0].2 == 2 && all[0].5.contains("9500"));
    assert!(all[1].2 == 3 && all[1].5.contains("6900") && all[1].5.contains("urgent-interruptions-only"));
    assert!(all[2].1 == 0x2000_0000 && all[2].3 == 7 && all[2].4);
    assert!(String::from_utf8_lossy(&sent.1.body).contains("expires=\"86400\""));
    bench.answer(&mut service, &sent, 200, "", "<roamingData/>");
    assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
}

#[test]
fn a_conflict_is_told_after_three_refusals() {
    let (mut bench, mut service, _) = published();
    let note = Note { text: "Oslo".into(), out_of_office: false, start: None, end: None };
    let id = bench.operate(&mut service, Operation::SetNote { note: Some(note) });
    let fault = |cur: u32| {
        format!(
            r#"<Fault xmlns="http://schemas.microsoft.com/2006/09/sip/fault/"><Faultcode>Client.BadCall.WrongDelta</Faultcode><details><operation index="1" version="2" curVersion="{cur}"/></details></Fault>"#
        )
    };
    let mut sent = bench.request();
    assert_eq!(
        items(&sent.1).iter().map(|i| (i.2, i.3)).collect::<Vec<_>>(),
        [(200, 2), (300, 0), (400, 0), (100, 0), (32_000, 0), (200, 0), (300, 0), (400, 0), (100, 0), (32_000, 0)],
        "the note and the newest entry of its history"
    );
    for cur in [9, 10] {
        bench.answer(&mut service, &sent, 409, "", &fault(cur));
        assert_eq!(bench.result(id), None);
        sent = bench.request();
        assert_eq!(items(&sent.1)[0].3, cur);
    }
    bench.answer(&mut service, &sent, 409, "", &fault(11));
    assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::PublishSubscribeFailed);
    // The truth is fetched again.
    bench.pass(&mut service, Duration::ZERO);
    assert_eq!(bench.request().1.method, Method::Subscribe);
}

#[test]
fn a_level_is_changed_in_one_request() {
    let (mut bench, mut service, _) = published();
    bench.take_events();
    let id = bench.operate(&mut service, Operation::SetLevel { uri: bob(), level: Some(Level::Workgroup) });
    let sent = bench.request();
    let body = String::from_utf8_lossy(&sent.1.body).into_owned();
    assert!(
        body.contains("remove") && body.contains("add") && body.contains("id=\"400\"") && body.contains("id=\"300\""),
        "{body}"
    );
    bench.answer(&mut service, &sent, 200, "", "");
    let events = bench.take_events();
    let [Event::SelfPresence(p), Event::Completed { id: done, result: Ok(_) }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(*done, id);
    let c = p.containers.iter().find(|c| c.id == 300).unwrap();
    assert_eq!((c.version, c.members.as_slice()), (1, &[Member::User(bob())][..]));
    let again = bench.operate(&mut service, Operation::SetLevel { uri: bob(), level: Some(Level::Workgroup) });
    assert_eq!(bench.result(again), Some(Ok(Outcome::Done)));
    assert!(bench.sent.is_empty());
}

#[test]
fn one_request_at_a_time() {
    let (mut bench, mut service, _) = published();
    let first = bench.operate(&mut service, Operation::ResetStatus);
    let phones = vec![Phone { kind: "mobile".into(), uri: "tel:+1555".into(), display: String::new() }];
    let second = bench.operate(&mut service, Operation::SetPhones { phones });
    let third =
        bench.operate(&mut service, Operation::AcknowledgeSubscriber { uri: Address::parse("dave@contoso.com").unwrap() });
    for id in [first, second, third] {
        assert_eq!(bench.sent.len(), 1);
        assert_eq!(bench.result(id), None);
        let sent = bench.request();
        bench.answer(&mut service, &sent, 200, "", "<roamingData/>");
        assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
    }
}

#[test]
fn the_same_document_says_nothing_and_a_link_loss_ends_what_waits() {
    let (mut bench, mut service, subscribe) = published();
    bench.take_events();
    bench.notify(&mut service, &subscribe, wire::CONTENT_TYPE, SELF);
    assert_eq!(bench.take_events(), []);
    let id = bench.operate(&mut service, Operation::ResetStatus);
    bench.online = false;
    bench.call(&mut service, |s, ctx| s.on_offline(ctx));
    assert_eq!(bench.result(id).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    assert_eq!(service.poll_timeout(), None);
}

#[test]
fn a_failed_automatic_publication_is_tried_again_after_a_quarter_of_an_hour() {
    let mut bench = Bench::new(ServiceId::Publication);
    let mut service = Publications::new(Rng::seeded(2));
    bench.call(&mut service, |s, ctx| s.on_online(ctx));
    let subscribe = bench.request();
    bench.answer(&mut service, &subscribe, 200, ACTIVE, SELF);
    let automatic = bench.request();
    bench.answer(&mut service, &automatic, 503, "", "");
    bench.pass(&mut service, Duration::from_secs(899));
    assert!(bench.sent.is_empty());
    bench.pass(&mut service, Duration::from_secs(1));
    assert_eq!(items(&bench.request().1)[0].0, "device");
}
