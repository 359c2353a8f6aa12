//! Scripts for conferences on the standard dialect: a focus that says what it is told to.

use super::*;
use crate::domain::conversation::{Conversation, ConversationState, Delivery, InvitationState, MessageId, Role};
use crate::endpoint::beside::{Beside, PipeAsk, PipeNews};
use crate::endpoint::testkit::Bench;
use crate::endpoint::{JoinTarget, Outcome};
use crate::simple::cpim::{self, Envelope, Wishes};
use std::time::Duration;

mod lasting;
mod rooms;

const ROOM: &str = "sip:room@conf.contoso.com";
const INFO: &str = "application/conference-info+xml";
const IN: &str = "Contact: <sip:room@conf.contoso.com>;isfocus\nAllow: INVITE, BYE, REFER, MESSAGE";

struct Room {
    bench: Bench,
    s: Conferences,
    invite: (Token, Request),
    subscribe: (Token, Request),
    cseq: u32,
    notified: u32,
}

fn who(name: &str) -> Address {
    Address::parse(&format!("{name}@contoso.com")).unwrap()
}

fn id() -> ConversationId {
    ConversationId("c1".into())
}

fn service(factory: Option<&str>) -> (Bench, Conferences) {
    let mut config = Config::new(who("alice"), "x");
    config.conference_factory = factory.map(str::to_owned);
    (Bench::new(crate::endpoint::service::ServiceId::Conferences), Conferences::new(&config))
}

fn join(link: &str) -> Operation {
    Operation::JoinConference { id: id(), target: JoinTarget::Link(link.into()), passcode: None }
}

fn user(name: &str, status: &str, roles: &str) -> String {
    let roles: String = roles.split_whitespace().map(|r| format!("<entry>{r}</entry>")).collect();
    let roles = if roles.is_empty() { roles } else { format!("<roles>{roles}</roles>") };
    format!(
        "<user entity='sip:{name}@contoso.com'><display-text>{name}</display-text>{roles}\
         <endpoint entity='sip:{name}@host'><status>{status}</status></endpoint></user>"
    )
}

fn roster(state: &str, version: u32, users: &str) -> String {
    format!(
        "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='{ROOM}' state='{state}' version='{version}'>\
         <conference-description><subject>Plans</subject></conference-description><users state='{state}'>{users}</users></conference-info>"
    )
}

fn last(events: &[Event]) -> Option<Conversation> {
    events.iter().rev().find_map(|e| match e {
        Event::Conversation(c) => Some((**c).clone()),
        _ => None,
    })
}

fn names(c: &Conversation) -> Vec<&str> {
    c.participants.iter().map(|p| p.uri.user()).collect()
}

impl Room {
    /// Alice is in, with bob, who leads.
    fn new() -> Room {
        Room::let_in(IN)
    }

    /// The same, with these headers in the answer.
    fn let_in(headers: &str) -> Room {
        let (mut bench, mut s) = service(None);
        let op = bench.operate(&mut s, join("room@conf.contoso.com"));
        let invite = bench.request();
        bench.answer(&mut s, &invite, 200, headers, "");
        assert_eq!(bench.request().1.method, Method::Ack);
        let subscribe = bench.request();
        assert_eq!(subscribe.1.method, Method::Subscribe);
        bench.answer(&mut s, &subscribe, 200, "Contact: <sip:room@conf.contoso.com>\nExpires: 3600", "");
        let mut room = Room { bench, s, invite, subscribe, cseq: 10, notified: 0 };
        room.notify(
            "active;expires=3600",
            &roster("full", 1, &(user("alice", "connected", "") + &user("bob", "connected", "moderator"))),
        );
        assert_eq!(room.bench.result(op), Some(Ok(Outcome::Done)));
        room
    }

    fn within(&mut self, method: Method, headers: &str, body: &str) -> u16 {
        let mut r = Request::new(method.clone(), Uri::parse("sip:alice@contoso.com").unwrap());
        self.cseq += 1;
        r.headers
            .push("To", self.invite.1.headers.get(&"From".into()).unwrap())
            .push("From", format!("<{ROOM}>;tag=srv1"))
            .push("Call-ID", self.invite.1.headers.call_id())
            .push("CSeq", format!("{} {method}", self.cseq));
        self.give(r, headers, body)
    }

    fn notify(&mut self, state: &str, body: &str) -> u16 {
        let mut r = Request::new(Method::Notify, Uri::parse("sip:alice@contoso.com").unwrap());
        self.notified += 1;
        r.headers
            .push("To", self.subscribe.1.headers.get(&"From".into()).unwrap())
            .push("From", format!("<{ROOM}>;tag=srv1"))
            .push("Call-ID", self.subscribe.1.headers.call_id())
            .push("CSeq", format!("{} NOTIFY", self.notified));
        self.give(r, &format!("Event: conference\nSubscription-State: {state}\nContent-Type: {INFO}"), body)
    }

    fn give(&mut self, mut r: Request, headers: &str, body: &str) -> u16 {
        for line in headers.lines() {
            let (name, value) = line.split_once(':').unwrap();
            r.headers.push(name, value.trim());
        }
        r.body = body.as_bytes().to_vec();
        let handled = self.bench.call(&mut self.s, |s, ctx| s.on_request(ctx, Some(ServerTx(9)), r));
        match handled {
            Handled::Yes => self.bench.answers.pop().map_or(0, |a| a.status),
            Handled::No(_) => 481,
        }
    }

    fn news(&mut self, number: u32, state: &str, line: &str) -> u16 {
        let headers = format!("Event: refer;id={number}\nSubscription-State: {state}\nContent-Type: message/sipfrag;version=2.0");
        self.within(Method::Notify, &headers, line)
    }

    fn looks(&self) -> Conversation {
        last(&self.bench.events).unwrap()
    }

    fn operate(&mut self, operation: Operation) -> OperationId {
        self.bench.operate(&mut self.s, operation)
    }
}

#[test]
fn one_comes_in_by_address_sees_who_is_there_and_leaves() {
    let (mut bench, mut s) = service(None);
    let op = bench.operate(&mut s, join("conf:sip:room@conf.contoso.com"));
    let invite = bench.request();
    assert_eq!((invite.1.method.clone(), invite.1.uri.as_str()), (Method::Invite, ROOM));
    assert_eq!(last(&bench.events).unwrap().state, ConversationState::Conferencing);
    bench.answer(&mut s, &invite, 200, IN, "");
    let ack = bench.request();
    assert_eq!((ack.1.method, ack.1.headers.get(&"CSeq".into())), (Method::Ack, Some("1 ACK")));
    let mut room = Room { invite, subscribe: bench.request(), bench, s, cseq: 1, notified: 0 };
    assert_eq!(room.subscribe.1.headers.get(&"Event".into()), Some("conference"));
    room.bench.answer(&mut room.s, &room.subscribe, 200, "Contact: <sip:room@conf.contoso.com>", "");
    assert_eq!(room.bench.result(op), None);
    let everybody = user("alice", "connected", "") + &user("bob", "connected", "moderator") + &user("carol", "alerting", "");
    assert_eq!(room.notify("active", &roster("full", 1, &everybody)), 200);
    assert_eq!(room.bench.result(op), Some(Ok(Outcome::Done)));
    let c = room.looks();
    assert_eq!((c.state, c.subject.as_str(), names(&c)), (ConversationState::Conferenced, "Plans", vec!["bob"]));
    assert_eq!((c.participants[0].role, c.my_role, c.focus.as_deref()), (Role::Leader, Some(Role::Attendee), Some(ROOM)));
    assert_eq!((c.meeting.invited[0].uri.user(), c.meeting.invited[0].reason.as_str()), ("carol", "ringing"));
    room.bench.sent.clear();
    let left = room.operate(Operation::EndConversation { conversation: id() });
    let methods: Vec<Method> = room.bench.sent.iter().map(|r| r.1.method.clone()).collect();
    assert_eq!(methods, [Method::Subscribe, Method::Bye]);
    assert_eq!(room.bench.result(left), Some(Ok(Outcome::Done)));
    assert_eq!((room.looks().state, room.looks().end_reason), (ConversationState::Terminated, None));
}

#[test]
fn changes_of_the_roster_merge_and_a_gap_fetches_it_whole() {
    let mut room = Room::new();
    let came = "<user entity='sip:carol@contoso.com'><endpoint entity='x'><status>connected</status></endpoint></user>";
    room.notify("active", &roster("partial", 2, came));
    assert_eq!(names(&room.looks()), ["bob", "carol"]);
    room.bench.sent.clear();
    room.notify("active", &roster("partial", 4, "<user entity='sip:bob@contoso.com' state='deleted'/>"));
    assert_eq!(names(&room.looks()), ["bob", "carol"]);
    room.bench.pass(&mut room.s, Duration::ZERO);
    let (_, refresh) = room.bench.request();
    assert_eq!((refresh.method, refresh.headers.call_id()), (Method::Subscribe, room.subscribe.1.headers.call_id()));
    room.notify("active", &roster("full", 5, &user("alice", "connected", "")));
    assert_eq!(names(&room.looks()), Vec::<&str>::new());
}

#[test]
fn each_refusal_has_a_sentence_of_its_own() {
    for (status, headers, words) in [
        (403, "", "does not let you in"),
        (404, "", "no such meeting"),
        (486, "", "full"),
        (488, "", "sound or pictures"),
        (503, "Retry-After: 240", "try again in 4 min"),
        (302, "Contact: <tel:+1900>", "moved"),
        (302, "Contact: <sip:room@conf.contoso.com>", "circle"),
    ] {
        let (mut bench, mut s) = service(None);
        let op = bench.operate(&mut s, join(ROOM));
        let mut invite = bench.request();
        bench.answer(&mut s, &invite, status, headers, "");
        if status == 488 {
            // Without anything for words, once more.
            invite = bench.request();
            assert!(!String::from_utf8_lossy(&invite.1.body).contains("m="));
            bench.answer(&mut s, &invite, status, headers, "");
        }
        let error = bench.result(op).unwrap().unwrap_err();
        assert!(error.text.contains(words), "{status}: {}", error.text);
        let c = last(&bench.events).unwrap();
        assert_eq!((c.state, c.end_reason.as_ref()), (ConversationState::Terminated, Some(&error.text)));
    }
}

#[test]
fn one_goes_where_one_is_sent_but_not_for_ever() {
    let (mut bench, mut s) = service(None);
    let op = bench.operate(&mut s, join(ROOM));
    for n in 0..5 {
        let invite = bench.request();
        bench.answer(&mut s, &invite, 302, &format!("Contact: <sip:room{n}@conf.contoso.com>"), "");
        assert_eq!(bench.result(op), None);
    }
    let invite = bench.request();
    assert_eq!(invite.1.uri.as_str(), "sip:room4@conf.contoso.com");
    bench.answer(&mut s, &invite, 302, "Contact: <sip:room5@conf.contoso.com>", "");
    assert!(bench.result(op).unwrap().unwrap_err().text.contains("circle"));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_busy_server_is_asked_again_when_it_said() {
    let (mut bench, mut s) = service(None);
    let op = bench.operate(&mut s, join(ROOM));
    let invite = bench.request();
    bench.answer(&mut s, &invite, 503, "Retry-After: 20", "");
    bench.pass(&mut s, Duration::from_secs(19));
    assert!(bench.sent.is_empty());
    bench.pass(&mut s, Duration::from_secs(1));
    let again = bench.request();
    assert_eq!((again.1.method.clone(), bench.result(op)), (Method::Invite, None));
    bench.answer(&mut s, &again, 200, IN, "");
    assert_eq!(bench.request().1.method, Method::Ack);
}

#[test]
fn a_telephone_is_no_meeting() {
    let (mut bench, mut s) = service(None);
    let op = bench.operate(&mut s, join(ROOM));
    let invite = bench.request();
    bench.answer(&mut s, &invite, 200, "Contact: <sip:room@conf.contoso.com>", "");
    assert_eq!([bench.request().1.method, bench.request().1.method], [Method::Ack, Method::Bye]);
    assert!(bench.result(op).unwrap().unwrap_err().text.contains("telephone"));
}

#[test]
fn who_leaves_while_the_server_thinks_takes_no_call_afterwards() {
    let (mut bench, mut s) = service(None);
    let op = bench.operate(&mut s, join(ROOM));
    let invite = bench.request();
    bench.operate(&mut s, Operation::EndConversation { conversation: id() });
    assert!(bench.result(op).unwrap().is_err());
    bench.answer(&mut s, &invite, 200, IN, "");
    assert_eq!([bench.request().1.method, bench.request().1.method], [Method::Ack, Method::Bye]);
    assert!(bench.sent.is_empty());
}

#[test]
fn a_focus_that_tells_no_roster_lets_one_in_all_the_same() {
    for refused in [true, false] {
        let (mut bench, mut s) = service(None);
        let op = bench.operate(&mut s, join(ROOM));
        let invite = bench.request();
        bench.answer(&mut s, &invite, 200, IN, "");
        let (_ack, subscribe) = (bench.request(), bench.request());
        if refused {
            bench.answer(&mut s, &subscribe, 489, "", "");
        } else {
            bench.pass(&mut s, Duration::from_secs(5));
        }
        assert_eq!(bench.result(op), Some(Ok(Outcome::Done)));
        assert_eq!(last(&bench.events).unwrap().state, ConversationState::Conferenced);
    }
}

#[test]
fn people_are_brought_in_by_the_focus_and_one_sees_how_far_that_got() {
    let mut room = Room::new();
    room.bench.sent.clear();
    let op = room.operate(Operation::Invite { conversation: id(), uri: who("carol") });
    let refer = room.bench.request();
    assert_eq!(refer.1.method, Method::Refer);
    assert_eq!(refer.1.headers.get(&"Refer-To".into()), Some("<sip:carol@contoso.com>"));
    assert_eq!(refer.1.headers.get(&"Referred-By".into()), Some("<sip:alice@contoso.com>"));
    let number = refer.1.headers.cseq().unwrap().number;
    room.bench.answer(&mut room.s, &refer, 202, "", "");
    assert_eq!(room.bench.result(op), Some(Ok(Outcome::Done)));
    let stands = |room: &Room| room.looks().meeting.invited.first().map(|i| (i.state, i.reason.clone()));
    assert_eq!(room.news(number, "active;expires=60", "SIP/2.0 180 Ringing\r\n"), 200);
    assert_eq!(stands(&room), Some((InvitationState::Delivering, "ringing".into())));
    assert_eq!(room.news(number, "terminated;reason=noresource", "SIP/2.0 603 Decline\r\n"), 200);
    assert_eq!(stands(&room), Some((InvitationState::Terminated, "carol@contoso.com declined".into())));
    assert_eq!(room.news(number, "terminated", "SIP/2.0 200 OK\r\n"), 481);
    // Asked once more, and this time they come.
    room.operate(Operation::Invite { conversation: id(), uri: who("carol") });
    let refer = room.bench.request();
    room.bench.answer(&mut room.s, &refer, 202, "", "");
    room.notify("active", &roster("partial", 2, &user("carol", "connected", "")));
    assert_eq!((names(&room.looks()), stands(&room)), (vec!["bob", "carol"], None));
}

#[test]
fn a_focus_that_brings_nobody_in_leaves_it_to_them() {
    let mut room = Room::new();
    room.bench.sent.clear();
    let op = room.operate(Operation::Invite { conversation: id(), uri: who("carol") });
    let refer = room.bench.request();
    room.bench.answer(&mut room.s, &refer, 501, "", "");
    let direct = room.bench.request();
    assert_eq!(
        (direct.1.uri.as_str(), direct.1.headers.get(&"Refer-To".into())),
        ("sip:carol@contoso.com", Some("<sip:room@conf.contoso.com>"))
    );
    room.bench.answer(&mut room.s, &direct, 405, "", "");
    let error = room.bench.result(op).unwrap().unwrap_err().text;
    assert!(error.contains("send them the address") && error.contains(ROOM), "{error}");
}

#[test]
fn somebody_is_taken_out_when_the_focus_says_so() {
    let mut room = Room::new();
    room.bench.sent.clear();
    let op = room.operate(Operation::Eject { conversation: id(), uri: who("bob") });
    let refer = room.bench.request();
    assert_eq!(refer.1.headers.get(&"Refer-To".into()), Some("<sip:bob@contoso.com;method=BYE>"));
    room.bench.answer(&mut room.s, &refer, 202, "", "");
    assert_eq!(room.bench.result(op), None);
    room.notify("active", &roster("partial", 2, "<user entity='sip:bob@contoso.com' state='deleted'/>"));
    assert_eq!(room.bench.result(op), Some(Ok(Outcome::Done)));
    let op = room.operate(Operation::EndConference { conversation: id() });
    let refer = room.bench.request();
    assert_eq!(refer.1.headers.get(&"Refer-To".into()), Some("<sip:room@conf.contoso.com;method=BYE>"));
    room.bench.answer(&mut room.s, &refer, 403, "", "");
    assert!(room.bench.result(op).unwrap().unwrap_err().text.contains("only leaders"));
    let op = room.operate(Operation::EndConference { conversation: id() });
    let refer = room.bench.request();
    room.bench.answer(&mut room.s, &refer, 202, "", "");
    room.within(Method::Bye, "", "");
    assert_eq!(room.bench.result(op), Some(Ok(Outcome::Done)));
}

#[test]
fn without_news_nobody_knows_what_became_of_it() {
    let mut room = Room::new();
    room.bench.sent.clear();
    let op = room.operate(Operation::Eject { conversation: id(), uri: who("bob") });
    let refer = room.bench.request();
    room.bench.answer(&mut room.s, &refer, 202, "", "");
    room.bench.pass(&mut room.s, Duration::from_secs(33));
    assert!(room.bench.result(op).unwrap().unwrap_err().text.contains("does not say"));
}

#[test]
fn words_go_in_envelopes_and_plain_where_those_are_refused() {
    let mut room = Room::new();
    room.bench.sent.clear();
    let say = |n: u32| Operation::SendMessage { conversation: id(), message: MessageId(format!("m{n}")), text: "hello".into() };
    let state = |room: &Room, n: u32| {
        room.bench.events.iter().rev().find_map(|e| match e {
            Event::MessageState { message, state, .. } if message.0 == format!("m{n}") => Some(state.clone()),
            _ => None,
        })
    };
    room.operate(say(1));
    let sent = room.bench.request();
    assert_eq!((sent.1.method.clone(), sent.1.headers.call_id()), (Method::Message, room.invite.1.headers.call_id()));
    let envelope = cpim::parse(&sent.1.body).unwrap();
    assert_eq!((envelope.from, envelope.to), (Some(who("alice")), Address::parse(ROOM).ok()));
    room.bench.answer(&mut room.s, &sent, 202, "", "");
    assert_eq!(state(&room, 1), Some(Delivery::Sent));
    room.operate(say(2));
    let sent = room.bench.request();
    room.bench.answer(&mut room.s, &sent, 415, "Accept: text/plain", "");
    let again = room.bench.request();
    assert_eq!(again.1.body, b"hello");
    room.bench.answer(&mut room.s, &again, 405, "", "");
    assert!(matches!(state(&room, 2), Some(Delivery::Failed(why)) if why.contains("passes no messages on")));
    let refused = room.operate(say(3));
    assert!(room.bench.result(refused).unwrap().is_err());
}

#[test]
fn words_of_others_are_shown_once_and_ones_own_do_not_come_back() {
    let mut room = Room::new();
    room.bench.sent.clear();
    room.operate(Operation::SendMessage { conversation: id(), message: MessageId("m1".into()), text: "mine".into() });
    let mine = String::from_utf8(room.bench.request().1.body).unwrap();
    let envelope = |from: &str, id: &str, media: &str, text: &str| {
        let e = Envelope {
            from: Some(who(from)),
            to: Address::parse(ROOM).ok(),
            at: None,
            id: Some(id.into()),
            wishes: Wishes::default(),
            notification: false,
            content_type: media.into(),
            content: text.into(),
        };
        String::from_utf8(cpim::write(&e)).unwrap()
    };
    let told = |room: &Room| {
        let all = room.bench.events.iter().filter_map(|e| match e {
            Event::Message { message, .. } => Some((message.author.user().to_owned(), message.body.clone())),
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    let typing = "<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>";
    let bob_types = |room: &Room| room.looks().participants[0].typing;
    assert_eq!(
        room.within(
            Method::Message,
            "Content-Type: message/cpim",
            &envelope("bob", "t", "application/im-iscomposing+xml", typing)
        ),
        200
    );
    assert!(bob_types(&room));
    let hi = envelope("bob", "x1", "text/plain", "hi");
    for body in [mine, hi.clone(), hi] {
        assert_eq!(room.within(Method::Message, "Content-Type: message/cpim", &body), 200);
    }
    assert!(!bob_types(&room));
    assert_eq!(room.within(Method::Message, "Content-Type: text/plain", "welcome"), 200);
    assert_eq!(room.within(Method::Message, "Content-Type: image/png", ""), 415);
    assert_eq!(told(&room), [("bob".to_owned(), "hi".to_owned()), ("room".into(), "welcome".into())]);
}

#[test]
fn being_thrown_out_and_the_end_are_told_apart_where_the_focus_says_which() {
    for (headers, booted, words) in [
        ("", false, "has ended, or you were removed"),
        ("Reason: SIP;cause=200;text=\"Time is up\"", false, "Time is up"),
        ("", true, "you were removed"),
    ] {
        let mut room = Room::new();
        if booted {
            let gone = "<user entity='sip:alice@contoso.com' state='partial'><endpoint entity='sip:alice@host' state='partial'>\
                        <status>disconnected</status><disconnection-method>booted</disconnection-method></endpoint></user>";
            room.notify("active", &roster("partial", 2, gone));
        }
        assert_eq!(room.within(Method::Bye, headers, ""), 200);
        assert!(room.looks().end_reason.unwrap().contains(words));
    }
    let mut room = Room::new();
    room.notify("active", &roster("deleted", 2, ""));
    assert_eq!(room.looks().end_reason.as_deref(), Some("the meeting has ended"));
}

#[test]
fn after_a_lost_link_one_is_in_again_in_the_place_of_the_old_call() {
    let mut room = Room::new();
    room.bench.sent.clear();
    room.bench.call(&mut room.s, |s, ctx| s.on_offline(ctx));
    assert!(room.looks().meeting.reconnecting);
    assert_eq!(room.looks().state, ConversationState::Conferenced);
    let old = room.invite.1.headers.clone();
    room.bench.call(&mut room.s, |s, ctx| s.on_online(ctx));
    let again = room.bench.request();
    let expected = format!("{};to-tag=srv1;from-tag={}", old.call_id(), old.from().unwrap().tag().unwrap());
    assert_eq!(again.1.headers.get(&"Replaces".into()), Some(expected.as_str()));
    room.bench.answer(&mut room.s, &again, 481, "", "");
    let plain = room.bench.request();
    assert_eq!(plain.1.headers.get(&"Replaces".into()), None);
    room.bench.answer(&mut room.s, &plain, 200, IN, "");
    let (_ack, subscribe) = (room.bench.request(), room.bench.request());
    (room.invite, room.subscribe, room.notified) = (plain, subscribe, 0);
    assert!(!room.looks().meeting.reconnecting);
    room.notify("active", &roster("full", 0, &(user("alice", "connected", "") + &user("carol", "connected", ""))));
    assert_eq!(names(&room.looks()), ["carol"]);
}

#[test]
fn a_new_meeting_is_made_by_the_factory_with_a_list_or_one_by_one() {
    for lists in [true, false] {
        let (mut bench, mut s) = service(Some("sip:factory@conf.contoso.com"));
        let invite = vec![who("bob"), who("carol")];
        let op = bench.operate(&mut s, Operation::MeetNow { id: id(), subject: "Plans".into(), invite });
        let mut asked = bench.request();
        assert_eq!(asked.1.headers.get(&"Require".into()), Some("recipient-list-invite"));
        assert!(String::from_utf8_lossy(&asked.1.body).contains("sip:carol@contoso.com"));
        if !lists {
            bench.answer(&mut s, &asked, 420, "Unsupported: recipient-list-invite", "");
            asked = bench.request();
            assert_eq!((asked.1.headers.get(&"Require".into()), asked.1.headers.get(&"Subject".into())), (None, Some("Plans")));
        }
        bench.answer(&mut s, &asked, 200, "Contact: <sip:c77@conf.contoso.com;transport=tcp>;isfocus", "");
        let (_ack, subscribe) = (bench.request(), bench.request());
        assert_eq!(subscribe.1.uri.as_str(), "sip:c77@conf.contoso.com;transport=tcp");
        let refers: Vec<_> = bench.sent.iter().filter_map(|r| r.1.headers.get(&"Refer-To".into()).map(str::to_owned)).collect();
        assert_eq!(refers.len(), if lists { 0 } else { 2 });
        bench.pass(&mut s, Duration::from_secs(5));
        assert_eq!(bench.result(op), Some(Ok(Outcome::Done)));
        let c = last(&bench.events).unwrap();
        assert_eq!((c.my_role, c.focus.as_deref()), (Some(Role::Leader), Some("sip:c77@conf.contoso.com;transport=tcp")));
    }
}

#[test]
fn without_a_factory_it_is_said_why_no_meeting_can_be_made() {
    let (mut bench, mut s) = service(None);
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    let missing = |bench: &Bench, f: Feature| {
        bench.events.iter().rev().find_map(|e| match e {
            Event::Missing { what, why } if *what == f => Some(why.clone()),
            _ => None,
        })
    };
    assert!(missing(&bench, Feature::GroupChats).unwrap().unwrap().contains("conference_factory"));
    assert!(missing(&bench, Feature::MeetingControls).unwrap().is_some());
    let op = bench.operate(&mut s, Operation::MeetNow { id: id(), subject: String::new(), invite: Vec::new() });
    assert!(bench.result(op).unwrap().unwrap_err().text.contains("conference_factory"));
    let (mut bench, mut s) = service(Some("sip:factory@conf.contoso.com"));
    bench.call(&mut s, |s, ctx| s.on_online(ctx));
    assert_eq!(missing(&bench, Feature::GroupChats), Some(None));
    let op = bench.operate(&mut s, Operation::MeetNow { id: id(), subject: String::new(), invite: Vec::new() });
    let asked = bench.request();
    bench.answer(&mut s, &asked, 404, "", "");
    assert!(bench.result(op).unwrap().is_err());
    assert!(missing(&bench, Feature::GroupChats).unwrap().unwrap().contains("makes no meetings"));
}

#[test]
fn a_conversation_of_two_becomes_a_meeting_only_when_that_stands() {
    for made in [true, false] {
        let (mut bench, mut s) = service(Some("sip:factory@conf.contoso.com"));
        let op = OperationId(77);
        let people = vec![who("bob"), who("carol")];
        let widen = InternalEvent::Widen { op, conversation: id(), subject: String::new(), people };
        bench.call(&mut s, |s, ctx| s.on_internal(ctx, &widen));
        let asked = bench.request();
        assert!(bench.events.is_empty());
        let say = Operation::SendMessage { conversation: id(), message: MessageId("m".into()), text: "hi".into() };
        assert!(!bench.call(&mut s, |s, ctx| s.on_operation(ctx, OperationId(5), &say)));
        if made {
            bench.answer(&mut s, &asked, 200, "Contact: <sip:c77@conf.contoso.com>;isfocus", "");
            assert!(bench.told.contains(&InternalEvent::Moved(id())));
            assert!(last(&bench.events).unwrap().focus.is_some());
            bench.pass(&mut s, Duration::from_secs(5));
            assert_eq!(bench.result(op), Some(Ok(Outcome::Done)));
        } else {
            bench.answer(&mut s, &asked, 403, "", "");
            assert!(bench.result(op).unwrap().is_err());
            assert_eq!((last(&bench.events), bench.told.len()), (None, 0));
        }
    }
}

fn call_of_focus(bench: &mut Bench, s: &mut Conferences, contact: &str) -> (Request, bool) {
    let mut r = Request::new(Method::Invite, Uri::parse("sip:alice@contoso.com").unwrap());
    r.headers
        .push("Via", "SIP/2.0/TLS conf;branch=z9hG4bKx")
        .push("From", "<sip:room@conf.contoso.com>;tag=f1")
        .push("To", "<sip:alice@contoso.com>")
        .push("Call-ID", "focus1")
        .push("CSeq", "1 INVITE")
        .push("Contact", contact)
        .push("Subject", "Plans")
        .push("Referred-By", "<sip:bob@contoso.com>")
        .push("Content-Type", "application/sdp");
    r.body = b"v=0\r\nm=audio 4000 RTP/AVP 8 0\r\nm=message 5 TCP/MSRP *\r\n".to_vec();
    let handled = bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(4)), r.clone()));
    (r, matches!(handled, Handled::Yes))
}

#[test]
fn a_focus_may_call_and_the_user_decides() {
    for accept in [true, false] {
        let (mut bench, mut s) = service(None);
        assert!(!call_of_focus(&mut bench, &mut s, "<sip:room@conf.contoso.com>").1);
        assert!(call_of_focus(&mut bench, &mut s, "<sip:room@conf.contoso.com>;isfocus").1);
        assert_eq!(bench.answers.pop().unwrap().status, 180);
        let c = last(&bench.events).unwrap();
        let invitation = c.invitation.clone().unwrap();
        assert_eq!((c.state, invitation.from, invitation.toast.as_str()), (ConversationState::Incoming, who("bob"), "Plans"));
        let conversation = c.id.clone();
        if accept {
            let op = bench.operate(&mut s, Operation::Accept { conversation });
            let answer = bench.answers.pop().unwrap();
            let sdp = String::from_utf8(answer.body.clone()).unwrap();
            assert_eq!(answer.status, 200);
            assert!(sdp.ends_with("m=audio 0 RTP/AVP 8\r\nm=message 0 TCP/MSRP *\r\n"), "{sdp}");
            let subscribe = bench.request();
            assert_eq!((subscribe.1.method.clone(), subscribe.1.uri.as_str()), (Method::Subscribe, ROOM));
            bench.answer(&mut s, &subscribe, 489, "", "");
            assert_eq!(bench.result(op), Some(Ok(Outcome::Done)));
        } else {
            bench.operate(&mut s, Operation::Decline { conversation });
            assert_eq!(bench.answers.pop().unwrap().status, 603);
            assert_eq!(last(&bench.events).unwrap().state, ConversationState::Terminated);
        }
    }
}

#[test]
fn a_call_taken_back_or_not_answered_is_a_missed_one() {
    for cancelled in [true, false] {
        let (mut bench, mut s) = service(None);
        let (invite, _) = call_of_focus(&mut bench, &mut s, "<sip:room@conf.contoso.com>;isfocus");
        if cancelled {
            bench.call(&mut s, |s, ctx| s.on_cancel(ctx, ServerTx(4), &invite));
        } else {
            bench.pass(&mut s, Duration::from_secs(200));
        }
        assert_eq!(bench.answers.pop().unwrap().status, if cancelled { 487 } else { 480 });
        assert!(bench.events.iter().any(|e| matches!(e, Event::Missed { from, .. } if *from == who("bob"))));
        assert_eq!(last(&bench.events).unwrap().state, ConversationState::Terminated);
    }
}

#[test]
fn people_on_the_list_may_send_one_to_a_meeting_and_hear_how_it_went() {
    let (mut bench, mut s) = service(None);
    let refer = |to: &str| {
        let mut r = Request::new(Method::Refer, Uri::parse("sip:alice@contoso.com").unwrap());
        r.headers
            .push("Via", "SIP/2.0/TLS bob;branch=z9hG4bKx")
            .push("From", "<sip:bob@contoso.com>;tag=b1")
            .push("To", "<sip:alice@contoso.com>")
            .push("Call-ID", "ref1")
            .push("CSeq", "4 REFER")
            .push("Contact", "<sip:bob@192.0.2.9>")
            .push("Refer-To", to);
        r
    };
    let give = |bench: &mut Bench, s: &mut Conferences, to: &str| {
        bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(6)), refer(to)));
        bench.answers.pop().unwrap().status
    };
    assert_eq!(give(&mut bench, &mut s, "<sip:room@conf.contoso.com>"), 403);
    bench.call(&mut s, |s, ctx| s.on_internal(ctx, &InternalEvent::Wanted(vec![who("bob")])));
    assert_eq!(give(&mut bench, &mut s, "<tel:+1900>"), 603);
    assert_eq!(give(&mut bench, &mut s, "<sip:room@conf.contoso.com>"), 202);
    let first = bench.request().1;
    assert_eq!((first.method.clone(), first.headers.get(&"Event".into())), (Method::Notify, Some("refer;id=4")));
    assert!(first.body.starts_with(b"SIP/2.0 100"));
    let c = last(&bench.events).unwrap();
    assert_eq!((c.state, c.invitation.unwrap().from), (ConversationState::Incoming, who("bob")));
    assert!(bench.sent.is_empty(), "nothing leaves before the user has agreed");
    bench.operate(&mut s, Operation::Accept { conversation: c.id });
    let invite = bench.request();
    assert_eq!((invite.1.method.clone(), invite.1.uri.as_str()), (Method::Invite, ROOM));
    bench.answer(&mut s, &invite, 200, IN, "");
    let told = bench.sent.iter().find(|r| r.1.method == Method::Notify).unwrap();
    assert!(told.1.body.starts_with(b"SIP/2.0 200") && told.1.uri.as_str() == "sip:bob@192.0.2.9");
}

#[test]
fn what_the_wire_cannot_say_is_refused_with_a_sentence() {
    let mut room = Room::new();
    for operation in [
        Operation::LockConference { conversation: id(), locked: true },
        Operation::SetRole { conversation: id(), uri: who("bob"), role: Role::Leader },
        Operation::Admit { conversation: id(), uris: vec![who("bob")], admit: true },
        Operation::Mute { conversation: id(), uri: who("bob"), muted: true },
        Operation::SetSubject { conversation: id(), subject: "x".into() },
    ] {
        let op = room.operate(operation);
        assert!(room.bench.result(op).unwrap().unwrap_err().text.contains("the server alone"));
    }
}

#[test]
fn addresses_of_meetings_are_read_in_every_form() {
    for text in
        ["room@conf.contoso.com", " <sip:room@conf.contoso.com> ", "conf:sip:room@conf.contoso.com", "SIP:room@conf.contoso.com"]
    {
        assert!(parse_conference(text).unwrap().eq_ignore_ascii_case(ROOM), "{text}");
    }
    assert_eq!(parse_conference("sips:room@h:5061;transport=tls").as_deref(), Some("sips:room@h:5061;transport=tls"));
    for bad in ["", "room", "sip:room", "https://h/a/b", "tel:+1", "sip:a@b?Replaces=x", "a b@c", "sip:@h"] {
        assert_eq!(parse_conference(bad), None, "{bad}");
    }
}
