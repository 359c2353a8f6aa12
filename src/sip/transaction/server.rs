//! Server transactions (RFC 3261 §17.2, RFC 6026).

use super::timer::{Armed, Timer};
use super::{Event, FlowId, Layer, ServerTx, Transmit, key};
use crate::domain::Time;
use crate::sip::header::Name;
use crate::sip::limits::{MAX_SERVER_TRANSACTIONS, MAX_TRANSACTIONS_PER_FLOW, T1, T1_64, T2, T4, TRYING_AFTER};
use crate::sip::syntax::raw_tag;
use crate::sip::{Message, Method, Request, Response};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not answered finally: Trying or Proceeding.
    Waiting,
    /// INVITE with a 2xx.
    Accepted,
    Completed,
    /// INVITE with a non-2xx final and its ACK.
    Confirmed,
}

#[derive(Debug)]
pub(super) struct Server {
    flow: FlowId,
    reliable: bool,
    invite: bool,
    state: State,
    key: String,
    call_id: String,
    from_tag: String,
    cseq: u32,
    /// To tag of responses so far, for the answer to CANCEL.
    to_tag: String,
    cancelled: bool,
    /// The 100 to send by ourselves.
    trying: Option<Box<Response>>,
    /// Last response, to be repeated on datagrams.
    last: Option<Box<Response>>,
    interval: Duration,
    repeat: Option<Armed>,
    end: Option<Armed>,
}

impl Layer {
    pub(super) fn receive_request(&mut self, now: Time, flow: FlowId, reliable: bool, request: Request) {
        let answered = !matches!(request.method, Method::Ack | Method::Benotify);
        if !request.is_sound() {
            if answered {
                self.refuse(flow, &request, 400);
            }
            return;
        }
        match request.method {
            Method::Ack => self.receive_ack(now, flow, request),
            Method::Cancel => self.receive_cancel(flow, request),
            Method::Benotify => self.events.push_back(Event::Request { flow, tx: None, request }),
            _ => self.receive_new(now, flow, reliable, request),
        }
    }

    fn receive_new(&mut self, now: Time, flow: FlowId, reliable: bool, request: Request) {
        let key = key::server(flow, &request);
        if let Some(&id) = self.server_keys.get(&key) {
            if !self.is_resend(id) {
                self.repeat_response(id);
                return;
            }
            self.end_server(id);
        }
        if !self.make_room(flow) {
            self.refuse(flow, &request, 503);
            return;
        }
        let id = self.next_id(flow);
        let invite = request.method == Method::Invite;
        let mut server = Server {
            flow,
            reliable,
            invite,
            state: State::Waiting,
            key: key.clone(),
            call_id: if invite { request.headers.call_id().to_owned() } else { String::new() },
            from_tag: if invite { from_tag(&request).to_owned() } else { String::new() },
            cseq: request.headers.cseq().map_or(0, |c| c.number),
            to_tag: String::new(),
            cancelled: false,
            trying: invite.then(|| Box::new(request.response(100, ""))),
            last: None,
            interval: T1,
            repeat: None,
            end: None,
        };
        if invite {
            self.timers.arm(id, &mut server.repeat, now + TRYING_AFTER, Timer::Trying);
        }
        self.servers.insert(id, server);
        self.server_keys.insert(key, id);
        self.events.push_back(Event::Request { flow, tx: Some(ServerTx(id)), request });
    }

    /// On streams nothing is retransmitted, so what looks like a repetition of a refused request was sent anew on purpose
    /// (pidgin-sipe signs again after 401 and keeps CSeq and Via).
    fn is_resend(&self, id: u64) -> bool {
        self.servers.get(&id).is_some_and(|s| s.reliable && matches!(s.state, State::Completed | State::Confirmed))
    }

    fn repeat_response(&mut self, id: u64) {
        let Some(s) = self.servers.get(&id) else { return };
        let repeats = matches!(s.state, State::Waiting | State::Completed);
        if let (true, Some(last)) = (repeats, s.last.as_deref()) {
            self.transmits.push_back(Transmit { flow: s.flow, message: Message::Response(last.clone()) });
        }
    }

    /// Whether one more server transaction fits; forgets an old answered one of the flow if that helps.
    fn make_room(&mut self, flow: FlowId) -> bool {
        if self.servers.len() >= MAX_SERVER_TRANSACTIONS {
            return false;
        }
        let Some(ids) = self.flows.get(&flow).filter(|ids| ids.len() >= MAX_TRANSACTIONS_PER_FLOW) else { return true };
        let answered = |id: &u64| self.servers.get(id).is_some_and(|s| s.state != State::Waiting);
        let Some(oldest) = ids.iter().copied().take(64).find(answered) else { return false };
        self.end_server(oldest);
        true
    }

    fn refuse(&mut self, flow: FlowId, request: &Request, status: u16) {
        let tag = self.rng.hex(8);
        self.transmits.push_back(Transmit { flow, message: Message::Response(request.response(status, &tag)) });
    }

    /// The INVITE an ACK or CANCEL belongs to: by key, or by Call-ID, From tag and CSeq number for peers whose Via differs.
    fn find_invite(&self, flow: FlowId, request: &Request) -> Option<u64> {
        if let Some(&id) = self.server_keys.get(&key::server(flow, request)) {
            return Some(id);
        }
        let branch = key::branch(key::top_via(&request.headers));
        if branch.is_some_and(key::is_unique) {
            return None;
        }
        let (call_id, tag) = (request.headers.call_id(), from_tag(request));
        let cseq = request.headers.cseq()?.number;
        let same = |s: &Server| s.invite && s.cseq == cseq && s.call_id == call_id && s.from_tag == tag;
        self.flows.get(&flow)?.iter().copied().find(|id| self.servers.get(id).is_some_and(same))
    }

    fn receive_ack(&mut self, now: Time, flow: FlowId, request: Request) {
        let id = self.find_invite(flow, &request);
        let server = id.and_then(|id| self.servers.get_mut(&id).map(|s| (id, s)));
        match server {
            Some((id, s)) if s.state == State::Completed => {
                if s.reliable {
                    self.end_server(id);
                    return;
                }
                s.state = State::Confirmed;
                s.last = None;
                self.timers.disarm(id, &mut s.repeat);
                self.timers.arm(id, &mut s.end, now + T4, Timer::I);
            }
            Some((_, s)) if s.state == State::Confirmed || s.state == State::Waiting => {}
            _ => self.events.push_back(Event::Request { flow, tx: None, request }),
        }
    }

    fn receive_cancel(&mut self, flow: FlowId, request: Request) {
        let Some(id) = self.find_invite(flow, &request) else {
            self.refuse(flow, &request, 481);
            return;
        };
        let fresh = self.rng.hex(8);
        let Some(s) = self.servers.get_mut(&id) else { return };
        if s.to_tag.is_empty() {
            s.to_tag = fresh;
        }
        let ok = request.response(200, &s.to_tag);
        let tell = s.state == State::Waiting && !s.cancelled;
        s.cancelled = true;
        self.transmits.push_back(Transmit { flow, message: Message::Response(ok) });
        if tell {
            self.events.push_back(Event::Cancelled { tx: ServerTx(id), cancel: request });
        }
    }

    /// Sends a response. Unknown or finished transactions are ignored.
    pub fn respond(&mut self, now: Time, tx: ServerTx, response: Response) {
        let id = tx.0;
        let Some(s) = self.servers.get_mut(&id) else { return };
        let success = response.is_success();
        match s.state {
            State::Waiting => {}
            State::Accepted if success => {}
            _ => return,
        }
        if s.invite && s.state == State::Waiting {
            self.timers.disarm(id, &mut s.repeat);
            s.trying = None;
            if let (true, Some(to)) = (s.to_tag.is_empty(), response.headers.get(&Name::To)) {
                s.to_tag = raw_tag(to).to_owned();
            }
        }
        let flow = s.flow;
        let stays_with_user = s.invite && success;
        if !s.reliable && !stays_with_user {
            s.last = Some(Box::new(response.clone()));
        }
        if response.is_final() && s.state == State::Waiting {
            self.finish(now, id, success);
        }
        self.transmits.push_back(Transmit { flow, message: Message::Response(response) });
    }

    fn finish(&mut self, now: Time, id: u64, success: bool) {
        let Some(s) = self.servers.get_mut(&id) else { return };
        s.state = if s.invite && success { State::Accepted } else { State::Completed };
        match (s.invite, success, s.reliable) {
            (true, true, _) => {
                s.last = None;
                self.timers.arm(id, &mut s.end, now + T1_64, Timer::L);
            }
            (true, false, reliable) => {
                self.timers.arm(id, &mut s.end, now + T1_64, Timer::H);
                if !reliable {
                    self.timers.arm(id, &mut s.repeat, now + T1, Timer::G);
                }
            }
            (false, _, true) => self.end_server(id),
            (false, _, false) => self.timers.arm(id, &mut s.end, now + T1_64, Timer::J),
        }
    }

    pub(super) fn server_timer(&mut self, now: Time, id: u64, timer: Timer) {
        let Some(s) = self.servers.get_mut(&id) else { return };
        match timer {
            Timer::Trying => {
                s.repeat = None;
                let Some(trying) = s.trying.take() else { return };
                if !s.reliable {
                    s.last = Some(trying.clone());
                }
                self.transmits.push_back(Transmit { flow: s.flow, message: Message::Response(*trying) });
            }
            Timer::G => {
                s.repeat = None;
                s.interval = (s.interval * 2).min(T2);
                let at = now + s.interval;
                self.timers.arm(id, &mut s.repeat, at, Timer::G);
                self.repeat_response(id);
            }
            _ => {
                s.end = None;
                self.end_server(id);
            }
        }
    }

    pub(super) fn end_server(&mut self, id: u64) {
        let Some(mut server) = self.servers.remove(&id) else { return };
        self.timers.disarm(id, &mut server.repeat);
        self.timers.disarm(id, &mut server.end);
        if self.server_keys.get(&server.key) == Some(&id) {
            self.server_keys.remove(&server.key);
        }
        self.leave_flow(server.flow, id);
    }
}

fn from_tag(request: &Request) -> &str {
    raw_tag(request.headers.get(&Name::From).unwrap_or(""))
}
