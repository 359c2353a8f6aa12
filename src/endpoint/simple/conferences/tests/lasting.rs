//! The call with a focus that is refreshed, or not (RFC 4028).

use super::*;
use crate::sip::Name;

const UPDATES: &str = "Contact: <sip:room@conf.contoso.com>;isfocus\nAllow: INVITE, BYE, REFER, MESSAGE, UPDATE";

fn agreed(rest: &str, expires: &str) -> Room {
    let mut room = Room::let_in(&format!("{rest}\nSession-Expires: {expires}\nRequire: timer"));
    room.bench.sent.clear();
    room
}

impl Room {
    /// Requests of this method that left since the last question.
    fn left(&mut self, method: &Method) -> Vec<(Token, Request)> {
        let (these, others) = std::mem::take(&mut self.bench.sent).into_iter().partition(|s| s.1.method == *method);
        self.bench.sent = others;
        these
    }

    fn pass(&mut self, seconds: u64) {
        self.bench.pass(&mut self.s, Duration::from_secs(seconds));
    }

    fn answer(&mut self, sent: &(Token, Request), status: u16, headers: &str) {
        self.bench.answer(&mut self.s, sent, status, headers, "");
    }

    /// The answer to a request within the call.
    fn asks(&mut self, method: Method, headers: &str, body: &str) -> crate::sip::Response {
        self.bench.answers.clear();
        let before = self.cseq;
        let mut r = Request::new(method.clone(), Uri::parse("sip:alice@contoso.com").unwrap());
        self.cseq = before + 1;
        r.headers
            .push("To", self.invite.1.headers.get(&"From".into()).unwrap())
            .push("From", format!("<{ROOM}>;tag=srv1"))
            .push("Call-ID", self.invite.1.headers.call_id())
            .push("CSeq", format!("{} {method}", self.cseq));
        self.give_quietly(r, headers, body);
        self.bench.answers.remove(0)
    }

    fn give_quietly(&mut self, mut r: Request, headers: &str, body: &str) {
        for line in headers.lines() {
            let (name, value) = line.split_once(':').unwrap();
            r.headers.push(name, value.trim());
        }
        r.body = body.as_bytes().to_vec();
        self.bench.call(&mut self.s, |s, ctx| s.on_request(ctx, Some(ServerTx(9)), r));
    }
}

fn get<'a>(headers: &'a crate::sip::Headers, name: &Name) -> Option<&'a str> {
    headers.get(name)
}

#[test]
fn the_focus_is_asked_for_half_an_hour_and_longer_when_it_wants_that() {
    let (mut bench, mut s) = service(None);
    bench.operate(&mut s, join(ROOM));
    let first = bench.request();
    assert!(first.1.headers.has_token(&Name::Supported, "timer"));
    assert_eq!((get(&first.1.headers, &Name::SessionExpires), get(&first.1.headers, &Name::MinSe)), (Some("1800"), Some("90")));
    bench.answer(&mut s, &first, 422, "Min-SE: 3600", "");
    let again = bench.request();
    assert_eq!((get(&again.1.headers, &Name::SessionExpires), get(&again.1.headers, &Name::MinSe)), (Some("3600"), Some("3600")));
    assert_eq!((again.1.headers.call_id(), again.1.headers.get(&Name::CSeq)), (first.1.headers.call_id(), Some("2 INVITE")));
    assert_eq!((&again.1.body, again.1.headers.get(&Name::From)), (&first.1.body, first.1.headers.get(&Name::From)));
    assert_ne!(again.1.headers.get(&Name::Via), first.1.headers.get(&Name::Via));
    bench.answer(&mut s, &again, 200, IN, "");
    assert_eq!(bench.request().1.headers.get(&Name::CSeq), Some("2 ACK"));
    // One that goes on raising is given up.
    let (mut bench, mut s) = service(None);
    let refused = bench.operate(&mut s, join(ROOM));
    for least in 3601..=3604 {
        let invite = bench.request();
        bench.answer(&mut s, &invite, 422, &format!("Min-SE: {least}"), "");
    }
    assert!(bench.sent.is_empty(), "it would go on for ever");
    assert!(matches!(bench.result(refused), Some(Err(_))));
}

#[test]
fn the_call_is_refreshed_at_half_time_by_update_where_the_focus_takes_it() {
    let mut room = agreed(UPDATES, "600;refresher=uac");
    room.pass(299);
    assert!(room.left(&Method::Update).is_empty());
    room.pass(1);
    let update = room.left(&Method::Update).remove(0);
    assert_eq!(get(&update.1.headers, &Name::SessionExpires), Some("600;refresher=uac"));
    assert!(update.1.body.is_empty() && update.1.headers.get(&Name::Contact).is_some());
    // It left again with credentials, under the next number.
    let mut challenged = update.clone();
    challenged.1.headers.set(Name::CSeq, "9 UPDATE");
    room.answer(&challenged, 200, "Session-Expires: 600;refresher=uac");
    room.pass(300);
    let next = room.left(&Method::Update);
    assert_eq!(next[0].1.headers.get(&Name::CSeq), Some("10 UPDATE"));
    assert_eq!(room.looks().state, ConversationState::Conferenced);
}

#[test]
fn elsewhere_it_is_refreshed_by_the_invite_that_was_sent_word_for_word() {
    let mut room = agreed(IN, "600;refresher=uac");
    room.pass(300);
    let again = room.left(&Method::Invite).remove(0);
    assert_eq!(again.1.body, room.invite.1.body, "also the version in o= is that of last time");
    assert_eq!(again.1.headers.get(&Name::ContentType), Some("application/sdp"));
    room.answer(&again, 200, "Session-Expires: 600;refresher=uac");
    let ack = room.left(&Method::Ack).remove(0);
    assert_eq!(ack.1.headers.cseq().unwrap().number, again.1.headers.cseq().unwrap().number);
    // The answer comes again.
    room.answer(&again, 200, "Session-Expires: 600;refresher=uac");
    assert_eq!(room.left(&Method::Ack).len(), 1);
    room.pass(300);
    assert_eq!(room.left(&Method::Invite).len(), 1, "and so on");
    assert!(room.left(&Method::Bye).is_empty());
}

#[test]
fn a_focus_that_forbids_update_after_all_gets_the_invite() {
    let mut room = agreed(UPDATES, "600;refresher=uac");
    room.pass(300);
    let update = room.left(&Method::Update).remove(0);
    room.answer(&update, 405, "");
    room.pass(150);
    assert_eq!((room.left(&Method::Invite).len(), room.left(&Method::Bye).len()), (1, 0));
}

#[test]
fn a_focus_that_has_forgotten_us_or_is_silent_is_left_and_it_is_said_why() {
    for (status, words) in [(Some(481), "does not know you any more"), (Some(408), "for too long"), (None, "for too long")] {
        let mut room = agreed(UPDATES, "600;refresher=uac");
        room.pass(300);
        let update = room.left(&Method::Update).remove(0);
        match status {
            Some(status) => room.answer(&update, status, ""),
            None => room.bench.call(&mut room.s, |s, ctx| s.on_reply(ctx, update.0, Reply::Timeout)),
        }
        assert_eq!(room.left(&Method::Bye).len(), 1, "{status:?}");
        let c = room.looks();
        assert_eq!(c.state, ConversationState::Terminated);
        assert!(c.end_reason.unwrap().contains(words), "{status:?}");
    }
}

#[test]
fn a_focus_that_was_to_refresh_and_does_not_is_left_before_the_time_is_over() {
    let mut room = agreed(IN, "600;refresher=uas");
    room.pass(567);
    assert!(room.left(&Method::Bye).is_empty() && room.left(&Method::Invite).is_empty());
    room.pass(1);
    assert_eq!(room.left(&Method::Bye).len(), 1);
    assert!(room.looks().end_reason.unwrap().contains("has not answered for too long"));
}

#[test]
fn refreshes_of_the_focus_are_answered_and_change_nothing() {
    let mut room = agreed(IN, "600;refresher=uas");
    room.pass(300);
    let ok = room.asks(Method::Update, "Supported: timer\nSession-Expires: 600;refresher=uac", "");
    assert_eq!((ok.status, get(&ok.headers, &Name::SessionExpires)), (200, Some("600;refresher=uac")));
    assert!(ok.headers.has_token(&Name::Require, "timer") && ok.body.is_empty());
    room.pass(567);
    let ok = room.asks(Method::Invite, "Supported: timer\nSession-Expires: 600;refresher=uas", "v=0\r\n");
    assert_eq!((ok.status, get(&ok.headers, &Name::SessionExpires)), (200, Some("600;refresher=uas")));
    let id = |body: &[u8]| String::from_utf8_lossy(body).lines().find(|l| l.starts_with("o=")).unwrap().to_owned();
    let (said, ours) = (id(&ok.body), id(&room.invite.1.body));
    let words = |o: &str| o.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&said)[1], words(&ours)[1], "one number for the whole call");
    // Now it is ours to refresh.
    room.pass(300);
    assert_eq!((room.left(&Method::Invite).len(), room.left(&Method::Bye).len()), (1, 0));
    let short = room.asks(Method::Update, "Supported: timer\nSession-Expires: 60", "");
    assert_eq!((short.status, get(&short.headers, &Name::MinSe)), (422, Some("90")));
}

#[test]
fn two_invites_at_once_are_one_too_many() {
    let mut room = agreed(IN, "600;refresher=uac");
    room.pass(300);
    assert_eq!(room.left(&Method::Invite).len(), 1);
    assert_eq!(room.asks(Method::Invite, "Supported: timer", "v=0\r\n").status, 491);
}

#[test]
fn a_focus_that_calls_is_refused_when_it_wants_too_short_a_time() {
    let (mut bench, mut s) = service(None);
    let called = |short: bool, bench: &mut Bench, s: &mut Conferences| {
        let mut r = Request::new(Method::Invite, Uri::parse("sip:alice@contoso.com").unwrap());
        r.headers
            .push("To", "<sip:alice@contoso.com>")
            .push("From", format!("<{ROOM}>;tag=f1"))
            .push("Call-ID", if short { "c1" } else { "c2" })
            .push("CSeq", "1 INVITE")
            .push("Contact", format!("<{ROOM}>;isfocus"))
            .push("Supported", "timer")
            .push("Session-Expires", if short { "30" } else { "90;refresher=uac" });
        bench.call(s, |s, ctx| s.on_request(ctx, Some(ServerTx(3)), r));
    };
    called(true, &mut bench, &mut s);
    let refused = bench.answers.pop().unwrap();
    assert_eq!((refused.status, get(&refused.headers, &Name::MinSe)), (422, Some("90")));
    assert!(last(&bench.events).is_none(), "nobody is asked");
    called(false, &mut bench, &mut s);
    let conversation = last(&bench.events).unwrap().id;
    bench.operate(&mut s, Operation::Accept { conversation });
    let ok = bench.answers.pop().unwrap();
    assert_eq!((ok.status, get(&ok.headers, &Name::SessionExpires)), (200, Some("90;refresher=uac")));
    bench.sent.clear();
    bench.pass(&mut s, Duration::from_secs(61));
    assert!(bench.sent.iter().any(|r| r.1.method == Method::Bye), "it does not refresh");
}

#[test]
fn a_chat_room_that_refreshes_itself_stays_open() {
    let sdp = |port: u16| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=message {port} TCP/MSRP *\r\n\
             a=path:msrp://192.0.2.9:{port}/room;tcp\r\na=setup:passive\r\na=accept-types:message/cpim\r\n\
             a=accept-wrapped-types:text/plain\r\na=chatroom\r\n"
        )
    };
    let (mut bench, mut s) = service(None);
    bench.operate(&mut s, join("room@conf.contoso.com"));
    let invite = bench.request();
    let headers = format!("{IN}\nContent-Type: application/sdp\nSession-Expires: 600;refresher=uas");
    bench.answer(&mut s, &invite, 200, &headers, &sdp(2855));
    bench.request();
    let mut room = Room { subscribe: bench.request(), invite, bench, s, cseq: 1, notified: 0 };
    let opened = |room: &mut Room| {
        let asks = std::mem::take(&mut room.bench.beside);
        asks.into_iter().filter(|b| matches!(b, Beside::Pipe(_, PipeAsk::Open { .. } | PipeAsk::Close))).count()
    };
    assert_eq!(opened(&mut room), 1);
    let refresh = "Supported: timer\nSession-Expires: 600;refresher=uac\nContent-Type: application/sdp";
    let ok = room.asks(Method::Invite, refresh, &sdp(2855));
    assert_eq!((ok.status, opened(&mut room)), (200, 0));
    assert_eq!(ok.body, room.invite.1.body, "unchanged, and so is its version");
    let ok = room.asks(Method::Invite, refresh, &sdp(2856));
    assert_eq!(opened(&mut room), 2, "it moved: the old way is closed, a new one opened");
    let o = String::from_utf8_lossy(&ok.body).lines().nth(1).unwrap().to_owned();
    assert!(o.contains(" 2 IN "), "another description is another version: {o}");
}
