//! Scripts on a virtual clock: at so many milliseconds something comes in, then exactly these things go out.

use super::*;
use crate::sip::header::Name;
use crate::sip::{Method, Uri};
use std::time::Duration;

const FLOW: FlowId = FlowId(1);

struct Script {
    layer: Layer,
    reliable: bool,
    now: Time,
    last: Option<Message>,
    server: Option<ServerTx>,
}

fn script(reliable: bool) -> Script {
    Script { layer: Layer::new(Rng::seeded(1)), reliable, now: Time(0), last: None, server: None }
}

fn request(method: Method, branch: &str) -> Request {
    let via = if branch.is_empty() { "SIP/2.0/tls h:1".into() } else { format!("SIP/2.0/TCP h:1;branch={branch}") };
    Request::new(method.clone(), Uri::parse("sip:bob@contoso.com").unwrap())
        .with(Name::Via, via)
        .with(Name::From, "<sip:alice@contoso.com>;tag=a;epid=1")
        .with(Name::To, "<sip:bob@contoso.com>")
        .with(Name::CallId, "call")
        .with(Name::CSeq, format!("7 {method}"))
        .with_body("text/plain", "hello")
}

impl Script {
    fn send(&mut self, request: Request) -> ClientTx {
        self.layer.send(self.now, FLOW, self.reliable, request)
    }

    fn receive(&mut self, message: impl Into<Message>) {
        self.layer.receive(self.now, FLOW, self.reliable, message.into());
    }

    fn respond(&mut self, status: u16) {
        let tx = self.server.unwrap();
        let r = request(Method::Invite, "x").response(status, "b");
        self.layer.respond(self.now, tx, r);
    }

    /// A response to the last request that went out.
    fn answer(&mut self, status: u16) {
        let Some(Message::Request(r)) = self.last.clone() else { panic!("nothing to answer") };
        self.receive(r.response(status, "b"));
    }

    /// What goes out and up, in order, `>` before messages.
    fn out(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(t) = self.layer.poll_transmit() {
            match &t.message {
                Message::Request(r) => {
                    out.push(format!(">{}", r.method));
                    self.last = Some(t.message);
                }
                Message::Response(r) => out.push(format!(">{} {}", r.status, r.headers.cseq().unwrap().method)),
            }
        }
        while let Some(e) = self.layer.poll_event() {
            out.push(match e {
                Event::Request { tx, request, .. } => {
                    self.server = tx.or(self.server);
                    format!("{} {}", request.method, if tx.is_some() { "tx" } else { "-" })
                }
                Event::Cancelled { .. } => "cancelled".into(),
                Event::Response { response, .. } => response.status.to_string(),
                Event::Failed { failure, .. } => format!("{failure:?}"),
            });
        }
        out
    }

    fn expect(&mut self, expected: &[&str]) -> &mut Script {
        assert_eq!(self.out(), expected, "at {} ms", self.now.0);
        self
    }

    /// Runs timers up to `ms`; gives `time:what` for all that happened.
    fn run_to(&mut self, ms: u64) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(at) = self.layer.poll_timeout().filter(|t| t.0 <= ms) {
            assert!(at >= self.now, "a deadline in the past");
            self.now = at;
            self.layer.handle_timeout(at);
            out.extend(self.out().into_iter().map(|o| format!("{}:{o}", at.0)));
        }
        self.now = Time(ms);
        out
    }
}

impl From<Request> for Message {
    fn from(r: Request) -> Message {
        Message::Request(r)
    }
}

impl From<Response> for Message {
    fn from(r: Response) -> Message {
        Message::Response(r)
    }
}

#[test]
fn invite_on_datagrams_repeats_by_timer_a_and_fails_by_timer_b() {
    let mut s = script(false);
    s.send(request(Method::Invite, ""));
    s.expect(&[">INVITE"]);
    let times: Vec<_> = s.run_to(100_000);
    let expected = ["500", "1500", "3500", "7500", "15500", "31500"].map(|t| format!("{t}:>INVITE"));
    assert_eq!(times[..6], expected);
    assert_eq!(times[6..], ["32000:Timeout"]);
    assert!(s.layer.is_empty());
}

#[test]
fn non_invite_on_datagrams_repeats_by_timer_e_and_fails_by_timer_f() {
    let mut s = script(false);
    s.send(request(Method::Message, ""));
    s.expect(&[">MESSAGE"]);
    let times = s.run_to(100_000);
    let expected = [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500].map(|t| format!("{t}:>MESSAGE"));
    assert_eq!(times[..10], expected);
    assert_eq!(times[10..], ["32000:Timeout"]);
}

#[test]
fn provisional_slows_timer_e_down_and_timer_k_absorbs() {
    let mut s = script(false);
    s.send(request(Method::Message, ""));
    s.out();
    s.answer(100);
    s.expect(&["100"]);
    assert_eq!(s.run_to(9_000), ["500:>MESSAGE", "4500:>MESSAGE", "8500:>MESSAGE"]);
    s.answer(200);
    s.expect(&["200"]);
    s.answer(200);
    s.expect(&[]);
    assert_eq!(s.layer.poll_timeout(), Some(Time(14_000)));
    assert_eq!(s.run_to(60_000), [""; 0]);
    assert!(s.layer.is_empty());
}

#[test]
fn streams_never_repeat_and_forget_at_once() {
    let mut s = script(true);
    s.send(request(Method::Message, ""));
    s.expect(&[">MESSAGE"]);
    assert_eq!(s.run_to(31_999), [""; 0]);
    s.answer(200);
    s.expect(&["200"]);
    assert!(s.layer.is_empty());
    assert_eq!(s.layer.poll_timeout(), None);
}

#[test]
fn no_answer_on_a_stream_is_a_timeout() {
    let mut s = script(true);
    s.send(request(Method::Invite, ""));
    s.expect(&[">INVITE"]);
    assert_eq!(s.run_to(100_000), ["32000:Timeout"]);
}

#[test]
fn refused_invite_is_acknowledged_by_the_layer() {
    let mut s = script(true);
    s.send(request(Method::Invite, "").with(Name::Route, "<sip:p;lr>"));
    s.out();
    s.answer(180);
    s.answer(486);
    s.expect(&[">ACK", "180", "486"]);
    let Some(Message::Request(ack)) = &s.last else { panic!() };
    assert_eq!(ack.headers.get(&Name::To), Some("<sip:bob@contoso.com>;tag=b"));
    assert_eq!(ack.headers.get(&Name::CSeq), Some("7 ACK"));
    assert_eq!(ack.headers.get(&Name::Route), Some("<sip:p;lr>"));
    assert_eq!(ack.headers.all(&Name::Via).count(), 1);
    assert!(ack.body.is_empty() && ack.headers.get(&Name::ContentType).is_none());
    assert!(s.layer.is_empty());
}

#[test]
fn timer_d_repeats_the_ack_on_datagrams() {
    let mut s = script(false);
    s.send(request(Method::Invite, ""));
    s.out();
    let invite = s.last.clone();
    s.answer(486);
    s.expect(&[">ACK", "486"]);
    s.last = invite;
    s.answer(486);
    s.expect(&[">ACK"]);
    assert_eq!(s.run_to(60_000), [""; 0]);
    assert!(s.layer.is_empty());
}

#[test]
fn every_2xx_to_an_invite_comes_up_while_timer_m_runs() {
    for reliable in [true, false] {
        let mut s = script(reliable);
        s.send(request(Method::Invite, ""));
        s.out();
        s.answer(200);
        s.answer(200);
        s.expect(&["200", "200"]);
        s.answer(486);
        s.answer(180);
        s.expect(&[]);
        s.run_to(32_000);
        assert!(s.layer.is_empty());
        s.answer(200);
        s.expect(&[]);
    }
}

#[test]
fn cancel_waits_for_the_first_provisional() {
    let mut s = script(true);
    let tx = s.send(request(Method::Invite, ""));
    s.expect(&[">INVITE"]);
    s.layer.cancel(s.now, tx);
    s.expect(&[]);
    let invite = s.last.clone();
    s.answer(100);
    s.expect(&[">CANCEL", "100"]);
    let Some(Message::Request(cancel)) = s.last.clone() else { panic!() };
    let Some(Message::Request(sent)) = &invite else { panic!() };
    assert_eq!(cancel.headers.get(&Name::Via), sent.headers.get(&Name::Via));
    assert_eq!(cancel.headers.get(&Name::CSeq), Some("7 CANCEL"));
    s.layer.cancel(s.now, tx);
    s.answer(200);
    s.expect(&[]);
    s.last = invite;
    s.answer(487);
    s.expect(&[">ACK", "487"]);
    assert!(s.layer.is_empty());
}

#[test]
fn a_cancelled_invite_without_final_response_ends() {
    let mut s = script(true);
    let tx = s.send(request(Method::Invite, ""));
    s.out();
    s.answer(180);
    s.layer.cancel(s.now, tx);
    s.expect(&[">CANCEL", "180"]);
    assert_eq!(s.run_to(40_000), ["32000:Timeout"]);
    assert!(s.layer.is_empty());
}

#[test]
fn a_2xx_may_win_against_cancel() {
    let mut s = script(true);
    let tx = s.send(request(Method::Invite, ""));
    s.out();
    let invite = s.last.clone();
    s.answer(180);
    s.layer.cancel(s.now, tx);
    s.out();
    s.last = invite;
    s.answer(200);
    s.expect(&["200"]);
    s.layer.cancel(s.now, tx);
    s.expect(&[]);
}

#[test]
fn timer_c_cancels_what_rings_for_minutes() {
    let mut s = script(true);
    s.send(request(Method::Invite, ""));
    s.out();
    let invite = s.last.clone();
    s.answer(100);
    s.expect(&["100"]);
    assert_eq!(s.run_to(180_000), [""; 0]);
    s.last = invite;
    s.answer(180);
    s.expect(&["180"]);
    assert_eq!(s.run_to(500_000), ["370000:>CANCEL", "402000:Timeout"]);
}

#[test]
fn responses_without_branch_match_by_call_id_and_cseq() {
    let mut s = script(true);
    s.send(request(Method::Message, ""));
    s.out();
    let mut r = request(Method::Message, "").response(200, "b");
    s.receive(r.clone());
    s.expect(&["200"]);
    s.send(request(Method::Message, ""));
    s.out();
    r.headers.set(Name::CSeq, "8 MESSAGE");
    s.receive(r);
    s.expect(&[]);
}

#[test]
fn a_response_from_another_flow_is_nobodys() {
    let mut s = script(true);
    s.send(request(Method::Message, "z9hG4bKq"));
    s.out();
    let r = request(Method::Message, "z9hG4bKq").response(200, "b");
    s.layer.receive(s.now, FlowId(2), true, r.into());
    s.expect(&[]);
}

#[test]
fn server_non_invite_repeats_its_answer_on_datagrams_until_timer_j() {
    let mut s = script(false);
    let r = request(Method::Message, "z9hG4bK1");
    s.receive(r.clone());
    s.expect(&["MESSAGE tx"]);
    s.receive(r.clone());
    s.expect(&[]);
    s.respond(200);
    s.respond(404);
    s.expect(&[">200 INVITE"]);
    s.receive(r.clone());
    s.expect(&[">200 INVITE"]);
    assert_eq!(s.run_to(32_000), [""; 0]);
    s.receive(r);
    s.expect(&["MESSAGE tx"]);
}

#[test]
fn server_on_a_stream_may_answer_much_later() {
    let mut s = script(true);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.expect(&["INVITE tx"]);
    assert_eq!(s.run_to(600_000), ["200:>100 INVITE"]);
    s.respond(180);
    s.respond(200);
    s.expect(&[">180 INVITE", ">200 INVITE"]);
    s.respond(200);
    s.expect(&[">200 INVITE"]);
    s.run_to(700_000);
    assert!(s.layer.is_empty());
}

#[test]
fn a_prompt_answer_needs_no_trying() {
    let mut s = script(true);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.out();
    s.now = Time(199);
    s.respond(180);
    s.expect(&[">180 INVITE"]);
    assert_eq!(s.run_to(60_000), [""; 0]);
}

#[test]
fn refused_invite_repeats_by_timer_g_until_acknowledged() {
    let mut s = script(false);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.out();
    s.respond(486);
    s.expect(&[">486 INVITE"]);
    assert_eq!(s.run_to(4_000), ["500:>486 INVITE", "1500:>486 INVITE", "3500:>486 INVITE"]);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.expect(&[">486 INVITE"]);
    s.receive(request(Method::Ack, "z9hG4bK1"));
    s.receive(request(Method::Ack, "z9hG4bK1"));
    s.expect(&[]);
    assert_eq!(s.layer.poll_timeout(), Some(Time(9_000)));
    s.run_to(9_000);
    assert!(s.layer.is_empty());
}

#[test]
fn timer_h_ends_the_wait_for_an_ack() {
    let mut s = script(false);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.out();
    s.respond(486);
    s.out();
    assert_eq!(s.run_to(60_000).len(), 10);
    assert!(s.layer.is_empty());
}

#[test]
fn on_streams_an_ack_is_absorbed_but_not_needed() {
    let mut s = script(true);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.out();
    s.respond(486);
    s.expect(&[">486 INVITE"]);
    s.receive(request(Method::Ack, "z9hG4bK1"));
    s.expect(&[]);
    assert!(s.layer.is_empty());

    s.receive(request(Method::Invite, "z9hG4bK2"));
    s.out();
    s.respond(486);
    s.out();
    assert_eq!(s.run_to(60_000), [""; 0]);
    assert!(s.layer.is_empty());
}

#[test]
fn an_ack_of_a_2xx_goes_up() {
    for branch in ["z9hG4bKother", ""] {
        let mut s = script(true);
        s.receive(request(Method::Invite, branch));
        s.out();
        s.respond(200);
        s.out();
        s.receive(request(Method::Ack, branch));
        s.expect(&["ACK -"]);
    }
}

#[test]
fn cancel_is_answered_here_and_told_once() {
    for branch in ["z9hG4bK1", ""] {
        let mut s = script(true);
        s.receive(request(Method::Invite, branch));
        s.out();
        s.receive(request(Method::Cancel, branch));
        s.expect(&[">200 CANCEL", "cancelled"]);
        s.receive(request(Method::Cancel, branch));
        s.expect(&[">200 CANCEL"]);
        s.respond(487);
        s.expect(&[">487 INVITE"]);
    }
}

#[test]
fn cancel_of_a_peer_whose_branches_differ() {
    let mut s = script(true);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.out();
    s.receive(request(Method::Cancel, ""));
    s.expect(&[">200 CANCEL", "cancelled"]);
}

#[test]
fn cancel_of_nothing_is_481_and_after_the_answer_too_late() {
    let mut s = script(true);
    s.receive(request(Method::Cancel, "z9hG4bK1"));
    s.expect(&[">481 CANCEL"]);
    s.receive(request(Method::Invite, "z9hG4bK1"));
    s.out();
    s.respond(200);
    s.out();
    s.receive(request(Method::Cancel, "z9hG4bK1"));
    s.expect(&[">200 CANCEL"]);
}

#[test]
fn requests_without_branch_are_told_apart_by_cseq() {
    let mut s = script(true);
    let mut r = request(Method::Message, "");
    s.receive(r.clone());
    s.receive(r.clone());
    s.expect(&["MESSAGE tx"]);
    r.headers.set(Name::CSeq, "8 MESSAGE");
    s.receive(r);
    s.expect(&["MESSAGE tx"]);
}

#[test]
fn a_refused_request_may_come_again_on_a_stream() {
    let mut s = script(true);
    for method in [Method::Message, Method::Invite] {
        for _ in 0..3 {
            s.receive(request(method.clone(), "z9hG4bK1"));
            s.expect(&[if method == Method::Invite { "INVITE tx" } else { "MESSAGE tx" }]);
            s.respond(401);
            s.expect(&[">401 INVITE"]);
        }
    }
}

#[test]
fn unanswerable_and_unsound_requests() {
    let mut s = script(true);
    s.receive(request(Method::Benotify, "z9hG4bK1"));
    s.expect(&["BENOTIFY -"]);
    let mut r = request(Method::Options, "z9hG4bK1");
    r.headers.set(Name::CSeq, "7 INVITE");
    s.receive(r);
    s.expect(&[">400 INVITE"]);
    let mut r = request(Method::Ack, "z9hG4bK1");
    r.headers.remove(&Name::To);
    s.receive(r);
    s.expect(&[]);
    assert!(s.layer.is_empty());
}

#[test]
fn a_closed_flow_takes_its_transactions_along() {
    let mut s = script(false);
    s.send(request(Method::Invite, ""));
    s.send(request(Method::Message, ""));
    s.receive(request(Method::Message, "z9hG4bK1"));
    s.layer.send(s.now, FlowId(2), false, request(Method::Message, ""));
    s.out();
    s.layer.flow_closed(s.now, FLOW);
    s.expect(&["Transport", "Transport"]);
    assert_eq!(s.layer.len(), 1);
    s.respond(200);
    s.expect(&[]);
    assert_eq!(s.run_to(40_000).last().map(String::as_str), Some("32000:Timeout"));
    assert!(s.layer.is_empty() && s.layer.flows.is_empty() && s.layer.client_keys.is_empty());
}

#[test]
fn floods_are_bounded() {
    let mut s = script(true);
    let mut refused = 0;
    for i in 0..crate::sip::limits::MAX_TRANSACTIONS_PER_FLOW + 5 {
        s.receive(request(Method::Message, &format!("z9hG4bK{i}")));
        refused += s.out().iter().filter(|o| o.starts_with(">503")).count();
    }
    assert_eq!(refused, 5);
    s.layer.flow_closed(s.now, FLOW);
    assert!(s.layer.is_empty() && s.layer.server_keys.is_empty());
}

#[test]
fn branches_are_added_where_missing_and_kept_where_given() {
    let mut s = script(true);
    s.send(request(Method::Message, ""));
    s.out();
    let Some(Message::Request(r)) = &s.last else { panic!() };
    let via = r.headers.get(&Name::Via).unwrap();
    assert!(via.starts_with("SIP/2.0/tls h:1;branch=z9hG4bK") && via.len() > 50, "{via}");
    s.send(request(Method::Message, "z9hG4bKmine"));
    s.out();
    let Some(Message::Request(r)) = &s.last else { panic!() };
    assert_eq!(r.headers.get(&Name::Via), Some("SIP/2.0/TCP h:1;branch=z9hG4bKmine"));
}

/// Two layers over a link that loses and repeats messages: every request gets its answer, every one is seen once, and
/// nothing is left behind.
#[test]
fn lossy_datagrams_deliver_once_or_time_out() {
    for seed in 0..50 {
        let mut rng = Rng::seeded(seed);
        let (mut a, mut b) = (Layer::new(rng.fork()), Layer::new(rng.fork()));
        let mut now = Time(0);
        let mut link: Vec<(Time, bool, Message)> = Vec::new();
        let (mut seen, mut done) = (0, 0);
        for i in 0..20 {
            let method = if i % 2 == 0 { Method::Invite } else { Method::Message };
            a.send(now, FLOW, false, request(method, "").with(Name::Subject, i.to_string()));
        }
        loop {
            for (to_b, layer) in [(true, &mut a), (false, &mut b)] {
                while let Some(t) = layer.poll_transmit() {
                    for _ in 0..rng.below(3).min(1) + rng.below(4) / 3 {
                        link.push((now + Duration::from_millis(rng.below(200)), to_b, t.message.clone()));
                    }
                }
            }
            while let Some(e) = b.poll_event() {
                if let Event::Request { tx: Some(tx), request, .. } = e {
                    seen += 1;
                    let status = if rng.below(2) == 0 { 486 } else { 404 };
                    b.respond(now, tx, request.response(status, "b"));
                }
            }
            while let Some(e) = a.poll_event() {
                match e {
                    Event::Response { response, .. } if response.is_final() => done += 1,
                    Event::Failed { .. } => done += 1,
                    _ => {}
                }
            }
            let due = link.iter().map(|l| l.0).chain(a.poll_timeout()).chain(b.poll_timeout()).min();
            let Some(at) = due else { break };
            now = at.max(now);
            a.handle_timeout(now);
            b.handle_timeout(now);
            let (ready, rest) = link.into_iter().partition(|l: &(Time, bool, Message)| l.0 <= now);
            link = rest;
            for (_, to_b, message) in ready {
                if to_b { &mut b } else { &mut a }.receive(now, FLOW, false, message);
            }
        }
        assert_eq!(done, 20, "seed {seed}");
        assert!(seen <= 20, "seed {seed}: {seen}");
        assert!(a.is_empty() && b.is_empty(), "seed {seed}");
    }
}
