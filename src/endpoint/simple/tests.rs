//! Scripts for the services of the standard dialect.

use super::contacts::Contacts;
use super::messages::Messages;
use super::publishing::Publishing;
use super::watching::Watching;
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, ConversationState, Delivery, MessageId};
use crate::domain::presence::{Availability, Freshness, MachineState, Presence, UserStatus};
use crate::endpoint::service::{InternalEvent, Reply, Service, ServiceId, Token};
use crate::endpoint::testkit::Bench;
use crate::endpoint::{Event, Operation, Outcome};
use crate::simple::cpim::{self, Envelope, Wishes};
use crate::simple::{composing, imdn};
use crate::sip::{Method, Request, ServerTx, Uri};
use std::time::Duration;

const PIDF: &str = "application/pidf+xml";

mod parts;

fn bob() -> Address {
    Address::parse("bob@contoso.com").unwrap()
}

fn open(note: &str) -> String {
    format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='a'><status><basic>open</basic></status><note>{note}</note></tuple></presence>"
    )
}

/// A NOTIFY in the dialog that `subscribe` began.
fn notify(bench: &mut Bench, s: &mut Watching, subscribe: &Request, cseq: u32, state: &str, body: &str) -> u16 {
    let mut r = Request::new(Method::Notify, Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("To", subscribe.headers.get(&"From".into()).unwrap())
        .push("From", "<sip:bob@contoso.com>;tag=srv1")
        .push("Call-ID", subscribe.headers.call_id())
        .push("CSeq", format!("{cseq} NOTIFY"))
        .push("Event", "presence")
        .push("Subscription-State", state)
        .push("Content-Type", PIDF);
    r.body = body.as_bytes().to_vec();
    bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    bench.answers.pop().unwrap().status
}

fn last_presence(bench: &mut Bench) -> Option<Presence> {
    bench.take_events().into_iter().rev().find_map(|e| match e {
        Event::Presence { presence, .. } => Some(*presence),
        _ => None,
    })
}

fn subscribed() -> (Bench, Watching, (Token, Request)) {
    let (mut bench, mut s) = (Bench::new(ServiceId::Subscription), Watching::default());
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &InternalEvent::Wanted(vec![bob()])));
    let sent = bench.request();
    (bench, s, sent)
}

#[test]
fn a_contact_is_subscribed_to_and_every_change_is_told_once() {
    let (mut bench, mut s, sent) = subscribed();
    assert_eq!((sent.1.method.clone(), sent.1.uri.as_str()), (Method::Subscribe, "sip:bob@contoso.com"));
    assert_eq!(sent.1.headers.get(&"Event".into()), Some("presence"));
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    assert_eq!(notify(&mut bench, &mut s, &sent.1, 1, "active;expires=3600", &open("here")), 200);
    let seen = last_presence(&mut bench).unwrap();
    assert_eq!((seen.availability, seen.note.unwrap().text.as_str()), (Some(Availability::AVAILABLE), "here"));
    assert_eq!(notify(&mut bench, &mut s, &sent.1, 2, "active;expires=3600", &open("here")), 200);
    assert_eq!(last_presence(&mut bench), None);
}

#[test]
fn a_notification_may_come_before_the_answer_and_one_of_an_unknown_dialog_is_refused() {
    let (mut bench, mut s, sent) = subscribed();
    assert_eq!(notify(&mut bench, &mut s, &sent.1, 1, "active", &open("")), 200);
    assert!(last_presence(&mut bench).is_some());
    let stranger = sent.1.clone().with("Call-ID", "x");
    let mut other = Request::new(Method::Subscribe, stranger.uri.clone());
    other.headers.push("From", "<sip:a@b>;tag=1").push("Call-ID", "other");
    assert_eq!(notify(&mut bench, &mut s, &other, 1, "active", ""), 481);
}

#[test]
fn an_empty_document_is_offline_and_pending_is_unknown() {
    let (mut bench, mut s, sent) = subscribed();
    bench.answer(&mut s, &sent, 202, "Contact: <sip:srv>", "");
    notify(&mut bench, &mut s, &sent.1, 1, "active", "");
    assert_eq!(last_presence(&mut bench).unwrap().availability, Some(Availability::OFFLINE));
    notify(&mut bench, &mut s, &sent.1, 2, "pending", "");
    assert_eq!(last_presence(&mut bench), Some(Presence::default()));
}

#[test]
fn a_subscription_is_refreshed_in_its_dialog_before_it_ends() {
    let (mut bench, mut s, sent) = subscribed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 600", "");
    notify(&mut bench, &mut s, &sent.1, 1, "active;expires=600", &open(""));
    bench.pass(&mut s, Duration::from_secs(600));
    let (_, refresh) = bench.request();
    assert_eq!(refresh.headers.call_id(), sent.1.headers.call_id());
    assert_eq!(refresh.headers.get(&"CSeq".into()), Some("2 SUBSCRIBE"));
}

#[test]
fn after_481_a_new_subscription_begins_and_a_rejection_is_not_asked_again_today() {
    let (mut bench, mut s, sent) = subscribed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 600", "");
    notify(&mut bench, &mut s, &sent.1, 1, "active;expires=600", &open(""));
    bench.pass(&mut s, Duration::from_secs(600));
    let refresh = bench.request();
    bench.answer(&mut s, &refresh, 481, "", "");
    bench.pass(&mut s, Duration::from_secs(1));
    let again = bench.request();
    assert_ne!(again.1.headers.call_id(), sent.1.headers.call_id());
    bench.answer(&mut s, &again, 200, "Contact: <sip:srv>", "");
    notify(&mut bench, &mut s, &again.1, 1, "terminated;reason=rejected", "");
    assert_eq!(last_presence(&mut bench), Some(Presence::default()));
    bench.pass(&mut s, Duration::from_secs(23 * 3600));
    assert!(bench.sent.is_empty());
}

#[test]
fn without_a_notification_for_32_s_the_subscription_has_failed() {
    let (mut bench, mut s, sent) = subscribed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    bench.pass(&mut s, Duration::from_secs(61));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(2));
    assert_ne!(bench.request().1.headers.call_id(), sent.1.headers.call_id());
}

#[test]
fn first_subscriptions_leave_one_by_one() {
    let (mut bench, mut s) = (Bench::new(ServiceId::Subscription), Watching::default());
    let all: Vec<Address> = (0..10).map(|n| Address::parse(&format!("u{n}@contoso.com")).unwrap()).collect();
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &InternalEvent::Wanted(all)));
    assert_eq!(bench.sent.len(), 1);
    bench.pass(&mut s, Duration::from_secs(1));
    assert_eq!(bench.sent.len(), 6);
    bench.pass(&mut s, Duration::from_secs(1));
    assert_eq!(bench.sent.len(), 10);
}

#[test]
fn without_the_server_what_was_known_is_stale() {
    let (mut bench, mut s, sent) = subscribed();
    notify(&mut bench, &mut s, &sent.1, 1, "active", &open(""));
    bench.online = false;
    bench.take_events();
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    assert!(matches!(last_presence(&mut bench).unwrap().freshness, Freshness::Stale { .. }));
    bench.online = true;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    bench.pass(&mut s, Duration::from_secs(1));
    assert_eq!(bench.request().1.method, Method::Subscribe);
}

fn publishing() -> (Bench, Publishing, (Token, Request)) {
    let (mut bench, mut s) = (Bench::new(ServiceId::Publication), Publishing::new(None));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let sent = bench.request();
    let watchers = bench.request();
    bench.answer(&mut s, &watchers, 489, "", "");
    (bench, s, sent)
}

fn text(r: &Request) -> String {
    String::from_utf8(r.body.clone()).unwrap()
}

#[test]
fn presence_is_published_at_sign_in_refreshed_without_a_body_and_removed_at_sign_out() {
    let (mut bench, mut s, first) = publishing();
    assert_eq!(first.1.method, Method::Publish);
    assert!(text(&first.1).contains("<basic>open</basic>") && first.1.headers.get(&"SIP-If-Match".into()).is_none());
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 600", "");
    bench.pass(&mut s, Duration::from_secs(510));
    let refresh = bench.request();
    assert_eq!((refresh.1.headers.get(&"SIP-If-Match".into()), refresh.1.body.len()), (Some("a.1"), 0));
    bench.answer(&mut s, &refresh, 200, "SIP-ETag: a.2\nExpires: 600", "");
    bench.call(&mut s, |s, ctx| s.on_sign_out(ctx));
    let last = bench.request().1;
    assert_eq!((last.headers.get(&"SIP-If-Match".into()), last.headers.get(&"Expires".into())), (Some("a.2"), Some("0")));
}

#[test]
fn changes_are_collected_and_publications_stand_apart() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    let busy = Operation::SetStatus { status: UserStatus::Busy, activity: String::new(), until: None };
    let status = bench.operate(&mut s, busy);
    let place = bench.operate(&mut s, Operation::SetLocation { location: "home".into() });
    bench.pass(&mut s, Duration::from_millis(2_900));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_millis(200));
    let change = bench.request();
    assert!(text(&change.1).contains("<rpid:busy/>") && text(&change.1).contains("home"));
    assert_eq!(bench.result(status), None);
    bench.answer(&mut s, &change, 200, "SIP-ETag: a.2\nExpires: 1800", "");
    assert_eq!((bench.result(status), bench.result(place)), (Some(Ok(Outcome::Done)), Some(Ok(Outcome::Done))));
}

#[test]
fn a_tag_the_server_has_forgotten_is_dropped_and_everything_said_again() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 600", "");
    bench.pass(&mut s, Duration::from_secs(510));
    let refresh = bench.request();
    bench.answer(&mut s, &refresh, 412, "", "");
    let again = bench.request().1;
    assert!(again.headers.get(&"SIP-If-Match".into()).is_none() && !again.body.is_empty());
}

#[test]
fn a_server_without_presence_is_said_once_and_left_alone() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 489, "", "");
    let id = bench.operate(&mut s, Operation::SetMachineState { state: MachineState::Idle });
    bench.pass(&mut s, Duration::from_secs(3600));
    assert!(bench.sent.is_empty());
    assert_eq!(bench.result(id), Some(Ok(Outcome::Done)));
}

#[test]
fn an_idle_device_does_not_hide_a_status_that_says_more() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    bench.operate(&mut s, Operation::SetMachineState { state: MachineState::Idle });
    let dnd = Operation::SetStatus { status: UserStatus::DoNotDisturb, activity: String::new(), until: None };
    bench.operate(&mut s, dnd);
    bench.pass(&mut s, Duration::from_secs(4));
    assert!(text(&bench.request().1).contains("<rpid:class>dnd</rpid:class>"));
}

#[test]
fn what_is_set_without_the_server_wakes_nobody_and_is_told_when_it_is_back() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 200, "SIP-ETag: a.1\nExpires: 1800", "");
    let set = |status| Operation::SetStatus { status, activity: String::new(), until: None };
    let waits = bench.operate(&mut s, set(UserStatus::Away));
    bench.online = false;
    bench.call(&mut s, |s, ctx| s.on_offline(ctx));
    assert_eq!(bench.result(waits), Some(Ok(Outcome::Done)));
    bench.operate(&mut s, set(UserStatus::BeRightBack));
    assert_eq!(s.poll_timeout(), None);
    bench.me.publish = false;
    bench.online = true;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    bench.pass(&mut s, Duration::from_secs(1));
    let published = bench.sent.iter().find(|r| r.1.method == Method::Publish).expect("nothing published");
    assert!(text(&published.1).contains("brb"), "{}", text(&published.1));
}

fn talk() -> ConversationId {
    ConversationId("c1".into())
}

fn talking() -> (Bench, Messages) {
    let (mut bench, mut s) = (Bench::new(ServiceId::Conversations), Messages::default());
    bench.operate(&mut s, Operation::StartConversation { id: talk(), with: bob(), subject: String::new() });
    (bench, s)
}

fn say(bench: &mut Bench, s: &mut Messages, name: &str) {
    let message = MessageId(name.into());
    bench.operate(s, Operation::SendMessage { conversation: talk(), message, text: format!("text {name}") });
}

fn states(bench: &mut Bench) -> Vec<(String, Delivery)> {
    states_in(bench.take_events())
}

fn states_in(events: Vec<Event>) -> Vec<(String, Delivery)> {
    let of = |e| match e {
        Event::MessageState { message, state, .. } => Some((message.0, state)),
        _ => None,
    };
    events.into_iter().filter_map(of).collect()
}

fn incoming(bench: &mut Bench, s: &mut Messages, call: &str, media: &str, headers: &str, body: &[u8]) -> u16 {
    let mut r = Request::new(Method::Message, Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("From", "<sip:bob@contoso.com>;tag=b")
        .push("To", "<sip:alice@contoso.com>")
        .push("Call-ID", call)
        .push("CSeq", "1 MESSAGE")
        .push("Content-Type", media);
    for line in headers.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        r.headers.push(name, value);
    }
    r.body = body.to_vec();
    bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    bench.answers.pop().unwrap().status
}

fn texts(bench: &mut Bench) -> Vec<String> {
    let of = |e| match e {
        Event::Message { message, .. } => Some(message.body),
        _ => None,
    };
    bench.take_events().into_iter().filter_map(of).collect()
}

#[test]
fn one_message_is_under_way_at_a_time_and_each_is_accounted_for() {
    let (mut bench, mut s) = talking();
    say(&mut bench, &mut s, "1");
    say(&mut bench, &mut s, "2");
    assert_eq!(bench.sent.len(), 1);
    let first = bench.request();
    assert_eq!(text(&first.1), "text 1");
    assert!(first.1.headers.contact().is_none());
    bench.answer(&mut s, &first, 200, "", "");
    let second = bench.request();
    bench.answer(&mut s, &second, 202, "", "");
    let events = bench.take_events();
    assert!(events.iter().any(|e| matches!(e, Event::Kept { message, .. } if message.0 == "2")));
    assert_eq!(states_in(events), [("1".into(), Delivery::Delivered), ("2".into(), Delivery::Sent)]);
}

#[test]
fn a_server_that_is_busy_is_tried_again_after_5_30_and_120_seconds() {
    let (mut bench, mut s) = talking();
    say(&mut bench, &mut s, "1");
    for wait in [5, 30, 120] {
        let sent = bench.request();
        bench.answer(&mut s, &sent, 503, "", "");
        bench.pass(&mut s, Duration::from_secs(wait - 1));
        assert!(bench.sent.is_empty());
        bench.pass(&mut s, Duration::from_secs(1));
    }
    let sent = bench.request();
    bench.answer(&mut s, &sent, 503, "", "");
    assert!(matches!(states(&mut bench)[..], [(_, Delivery::Failed(_))]));
}

#[test]
fn without_an_answer_nobody_knows_and_nothing_is_sent_twice() {
    let (mut bench, mut s) = talking();
    say(&mut bench, &mut s, "1");
    let sent = bench.request();
    bench.call(&mut s, |s, ctx| s.on_reply(ctx, sent.0, Reply::Timeout));
    assert!(bench.sent.is_empty());
    assert!(matches!(&states(&mut bench)[..], [(_, failed @ Delivery::Failed(_))] if failed.is_uncertain()));
}

#[test]
fn what_was_under_way_when_the_link_broke_is_not_sent_again_and_what_waits_is_sent_later() {
    let (mut bench, mut s) = talking();
    say(&mut bench, &mut s, "1");
    let sent = bench.request();
    say(&mut bench, &mut s, "2");
    bench.online = false;
    bench.call(&mut s, |s, ctx| {
        s.on_reply(ctx, sent.0, Reply::LinkLost);
        s.on_offline(ctx);
    });
    say(&mut bench, &mut s, "3");
    bench.pass(&mut s, Duration::from_secs(600));
    assert!(matches!(&states(&mut bench)[..], [(one, Delivery::Failed(why))] if one == "1" && why.contains("may or may not")));
    assert!(bench.sent.is_empty());
    bench.online = true;
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    for expected in ["text 2", "text 3"] {
        let next = bench.request();
        assert_eq!(text(&next.1), expected);
        bench.answer(&mut s, &next, 200, "", "");
    }
    assert!(bench.sent.is_empty());
}

#[test]
fn a_text_opens_a_conversation_and_comes_once() {
    let (mut bench, mut s) = (Bench::new(ServiceId::Conversations), Messages::default());
    assert_eq!(incoming(&mut bench, &mut s, "x1", "text/plain", "", b"hello"), 200);
    assert_eq!(incoming(&mut bench, &mut s, "x1", "text/plain", "", b"hello"), 200);
    assert_eq!(texts(&mut bench), ["hello"]);
    assert_eq!(incoming(&mut bench, &mut s, "x2", "image/png", "", b"..."), 415);
}

#[test]
fn what_a_server_kept_comes_with_its_own_time_and_without_its_prefix() {
    let (mut bench, mut s) = (Bench::new(ServiceId::Conversations), Messages::default());
    let body = b"[Offline message - Thu Jan  1 00:10:00 1970] see you";
    incoming(&mut bench, &mut s, "x1", "text/plain", "Date: Thu, 01 Jan 1970 00:10:00 GMT", body);
    let event = bench.take_events().into_iter().find_map(|e| match e {
        Event::Message { message, .. } => Some((message.body, message.at.secs())),
        _ => None,
    });
    assert_eq!(event, Some(("see you".into(), 600)));
}

#[test]
fn typing_shows_only_where_a_conversation_is_and_ends_by_itself() {
    let (mut bench, mut s) = talking();
    let active = composing::write(composing::Composing::Active(Duration::from_secs(60)));
    let types = |bench: &mut Bench| {
        bench.take_events().into_iter().rev().find_map(|e| match e {
            Event::Conversation(c) => Some(c.participants[0].typing),
            _ => None,
        })
    };
    incoming(&mut bench, &mut s, "t1", composing::CONTENT_TYPE, "", active.as_bytes());
    assert_eq!(types(&mut bench), Some(true));
    bench.pass(&mut s, Duration::from_secs(60));
    assert_eq!(types(&mut bench), Some(false));
    let mut alone = Messages::default();
    incoming(&mut bench, &mut alone, "t2", composing::CONTENT_TYPE, "", active.as_bytes());
    assert!(bench.take_events().is_empty());
}

#[test]
fn own_typing_is_told_at_once_and_not_again_where_it_was_refused() {
    let (mut bench, mut s) = talking();
    bench.operate(&mut s, Operation::Typing { conversation: talk(), active: true });
    let notice = bench.request();
    assert_eq!(notice.1.headers.get(&"Content-Type".into()), Some(composing::CONTENT_TYPE));
    bench.answer(&mut s, &notice, 415, "", "");
    bench.operate(&mut s, Operation::Typing { conversation: talk(), active: false });
    bench.operate(&mut s, Operation::Typing { conversation: talk(), active: true });
    assert!(bench.sent.is_empty());
}

fn envelope(content_type: &str, content: &str, from: &str) -> Vec<u8> {
    cpim::write(&Envelope {
        from: Address::parse(from).ok(),
        to: Address::parse("alice@contoso.com").ok(),
        at: None,
        id: Some("m17".into()),
        wishes: Wishes { delivery: true, ..Wishes::default() },
        notification: content_type == imdn::CONTENT_TYPE,
        content_type: content_type.into(),
        content: content.into(),
    })
}

#[test]
fn who_sends_envelopes_gets_envelopes_and_delivery_notices() {
    let (mut bench, mut s) = talking();
    incoming(&mut bench, &mut s, "e1", cpim::CONTENT_TYPE, "", &envelope("text/plain", "hi", "bob@contoso.com"));
    assert_eq!(texts(&mut bench), ["hi"]);
    let notice = cpim::parse(&bench.request().1.body).unwrap();
    assert_eq!(imdn::parse(&notice.content).unwrap().unwrap().message, "m17");
    say(&mut bench, &mut s, "1");
    let sent = bench.request();
    let id = cpim::parse(&sent.1.body).unwrap().id.unwrap();
    bench.answer(&mut s, &sent, 202, "", "");
    let delivered = imdn::Notice { message: id, at: None, disposition: imdn::Disposition::Delivered };
    let body = envelope(imdn::CONTENT_TYPE, &imdn::write(&delivered), "bob@contoso.com");
    incoming(&mut bench, &mut s, "e2", cpim::CONTENT_TYPE, "", &body);
    assert_eq!(states(&mut bench), [("1".into(), Delivery::Sent), ("1".into(), Delivery::Delivered)]);
    assert!(bench.sent.is_empty());
}

#[test]
fn an_envelope_that_is_refused_goes_out_again_as_plain_text() {
    let (mut bench, mut s) = talking();
    incoming(&mut bench, &mut s, "e1", cpim::CONTENT_TYPE, "", &envelope("text/plain", "hi", "bob@contoso.com"));
    bench.sent.clear();
    say(&mut bench, &mut s, "1");
    let sent = bench.request();
    bench.answer(&mut s, &sent, 415, "", "");
    assert_eq!(text(&bench.request().1), "text 1");
}

#[test]
fn strangers_are_bounded_and_those_we_wait_for_stay() {
    let (mut bench, mut s) = talking();
    say(&mut bench, &mut s, "1");
    let sent = bench.request();
    let most = crate::endpoint::limits::MAX_CONVERSATIONS;
    for n in 0..3 * most {
        let sender = format!("p{n}@contoso.com");
        let mut r = Request::new(Method::Message, Uri::parse("sip:alice@contoso.com").unwrap());
        r.headers.push("From", format!("<sip:{sender}>;tag=b")).push("Call-ID", format!("c{n}")).push("CSeq", "1 MESSAGE");
        r.headers.push("Content-Type", cpim::CONTENT_TYPE);
        r.body = envelope("text/plain", "hi", &sender);
        bench.now = bench.now + Duration::from_secs(1);
        bench.call(&mut s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    }
    let talks = |e: &Event, wanted| matches!(e, Event::Conversation(c) if c.state == wanted);
    let events = bench.take_events();
    let count = |wanted| events.iter().filter(|e| talks(e, wanted)).count();
    let (begun, ended) = (count(ConversationState::Established), count(ConversationState::Terminated));
    assert_eq!((begun, begun - ended), (3 * most + 1, most));
    bench.answer(&mut s, &sent, 200, "", "");
    assert_eq!(states(&mut bench), [("1".into(), Delivery::Delivered)]);
}

#[test]
fn an_envelope_that_is_not_believed_changes_nothing() {
    let (mut bench, mut s) = talking();
    incoming(&mut bench, &mut s, "e1", cpim::CONTENT_TYPE, "", &envelope("text/plain", "hi", "carol@contoso.com"));
    incoming(&mut bench, &mut s, "e2", cpim::CONTENT_TYPE, "", b"no envelope");
    say(&mut bench, &mut s, "1");
    assert_eq!(text(&bench.request().1), "text 1");
}

#[test]
fn an_envelope_in_another_persons_name_is_not_believed() {
    let (mut bench, mut s) = talking();
    incoming(&mut bench, &mut s, "e1", cpim::CONTENT_TYPE, "", &envelope("text/plain", "hi", "carol@contoso.com"));
    assert_eq!(texts(&mut bench), Vec::<String>::new());
}

#[test]
fn the_list_is_kept_here_with_the_rules_of_the_guide() {
    let (mut bench, mut s) = (Bench::new(ServiceId::Contacts), Contacts::new(Vec::new(), Vec::new(), None));
    let group = bench.operate(&mut s, Operation::AddGroup { name: "Work".into() });
    let Some(Ok(Outcome::Group(id))) = bench.result(group) else { panic!("no group") };
    let add = |groups: Vec<_>| Operation::AddContact { uri: bob(), name: "Bob".into(), groups, options: Default::default() };
    let added = bench.operate(&mut s, add(vec![id]));
    assert_eq!(bench.result(added), Some(Ok(Outcome::Done)));
    assert_eq!(bench.told.pop(), Some(InternalEvent::Wanted(vec![bob()])));
    let twice = bench.operate(&mut s, add(Vec::new()));
    assert!(bench.result(twice).unwrap().is_err());
    bench.operate(&mut s, Operation::DeleteGroup { id });
    let left = bench.take_events().into_iter().rev().find_map(|e| match e {
        Event::ContactChanged(c) => Some(c.groups),
        _ => None,
    });
    assert_eq!(left, Some(Vec::new()));
}

#[test]
fn a_server_that_ends_what_it_has_just_granted_is_not_asked_without_pause() {
    let (mut bench, mut s, sent) = subscribed();
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    assert_eq!(notify(&mut bench, &mut s, &sent.1, 1, "terminated;reason=timeout", ""), 200);
    bench.pass(&mut s, Duration::from_secs(29));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(2));
    assert_eq!(bench.request().1.method, Method::Subscribe);
}

#[test]
fn a_server_that_wants_to_be_left_alone_is_left_alone() {
    let (mut bench, mut s, sent) = subscribed();
    bench.answer(&mut s, &sent, 503, "Retry-After: 100 (busy)", "");
    bench.pass(&mut s, Duration::from_secs(99));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(2));
    assert_eq!(bench.request().1.method, Method::Subscribe);

    let (mut bench, mut s) = talking();
    say(&mut bench, &mut s, "a");
    let sent = bench.request();
    bench.answer(&mut s, &sent, 503, "Retry-After: 60", "");
    bench.pass(&mut s, Duration::from_secs(59));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(1));
    assert_eq!(bench.request().1.method, Method::Message);
}

#[test]
fn a_server_that_always_wants_a_longer_publication_is_asked_once_more_and_then_later() {
    let (mut bench, mut s, first) = publishing();
    bench.answer(&mut s, &first, 423, "Min-Expires: 3600", "");
    let longer = bench.request();
    assert_eq!(longer.1.headers.get(&"Expires".into()), Some("3600"));
    bench.answer(&mut s, &longer, 423, "Min-Expires: 7200", "");
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(120));
    assert_eq!(bench.request().1.method, Method::Publish);
}

#[test]
fn a_question_for_somebody_not_on_the_list_is_a_short_subscription() {
    let (mut bench, mut s) = (Bench::new(ServiceId::Subscription), Watching::default());
    let ask = || Operation::QueryPresence { uris: vec![bob()], categories: Vec::new() };
    let op = bench.operate(&mut s, ask());
    let (sent, cseq) = (bench.request(), 2);
    bench.answer(&mut s, &sent, 200, "Contact: <sip:srv>\nExpires: 3600", "");
    assert_eq!(bench.result(op), None);
    assert_eq!(notify(&mut bench, &mut s, &sent.1, cseq, "active;expires=3600", &open("here")), 200);
    let Some(Ok(Outcome::Presence(found))) = bench.result(op) else { panic!("{:?}", bench.result(op)) };
    assert_eq!((found[0].0.clone(), found[0].1.availability), (bob(), Some(Availability::AVAILABLE)));
    let gone = bench.request().1;
    assert_eq!((gone.method, gone.headers.expires()), (Method::Subscribe, Some(0)));
    assert!(bench.sent.is_empty());

    let op = bench.operate(&mut s, ask());
    bench.pass(&mut s, Duration::from_millis(200));
    let sent = bench.request();
    bench.answer(&mut s, &sent, 404, "", "");
    assert!(matches!(bench.result(op), Some(Err(e)) if e.text.contains("knows nobody")), "{:?}", bench.result(op));
    let op = bench.operate(&mut s, ask());
    bench.pass(&mut s, Duration::from_secs(5));
    assert!(matches!(bench.result(op), Some(Err(e)) if e.text.contains("in time")));
}

#[test]
fn a_word_of_the_server_itself_is_told_and_one_of_another_domain_is_not() {
    let (mut bench, mut s) = talking();
    let mut word = |from: &str| {
        let mut r = Request::new(Method::Message, Uri::parse("sip:alice@contoso.com").unwrap());
        r.headers.push("From", from).push("To", "<sip:alice@contoso.com>").push("Call-ID", "w").push("CSeq", "1 MESSAGE");
        r.headers.push("Content-Type", "text/plain");
        r.body = b"*** User bob is offline!".to_vec();
        bench.call(&mut s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
        let told = bench.take_events().iter().any(|e| matches!(e, Event::Notice(t) if t.contains("bob is offline")));
        (bench.answers.pop().unwrap().status, told)
    };
    assert_eq!(word("<sip:contoso.com>;tag=m"), (200, true));
    assert_eq!(word("<sip:elsewhere.example>;tag=m"), (400, false));
}
