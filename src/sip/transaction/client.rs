//! Client transactions (RFC 3261 §17.1, RFC 6026).

use super::timer::{Armed, Timer};
use super::{ClientTx, Event, Failure, FlowId, Layer, Transmit, key};
use crate::domain::Time;
use crate::sip::header::{Name, Via};
use crate::sip::limits::{T1, T1_64, T2, T4, TIMER_C};
use crate::sip::{Message, Method, Request, Response};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing heard yet: Calling (INVITE) or Trying.
    Calling,
    Proceeding,
    /// INVITE with a 2xx.
    Accepted,
    Completed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancel {
    No,
    /// Wanted, but nothing was heard yet (RFC 3261 §9.1).
    Queued,
    Sent,
}

#[derive(Debug)]
pub(super) struct Client {
    flow: FlowId,
    reliable: bool,
    method: Method,
    state: State,
    cancel: Cancel,
    key: String,
    call_id: String,
    cseq: u32,
    /// Kept whole on datagrams, without body for an INVITE on a stream (for ACK and CANCEL), else not at all.
    request: Option<Box<Request>>,
    /// The ACK of a non-2xx final, on datagrams.
    ack: Option<Box<Request>>,
    /// CANCEL made by the layer: its outcome concerns nobody.
    silent: bool,
    interval: Duration,
    repeat: Option<Armed>,
    end: Option<Armed>,
}

impl Client {
    pub fn awaits_final(&self) -> bool {
        !self.silent && matches!(self.state, State::Calling | State::Proceeding)
    }

    fn is_invite(&self) -> bool {
        self.method == Method::Invite
    }
}

impl Layer {
    /// Sends a request; adds a branch to the top Via where it has none. ACK for 2xx and BENOTIFY: [`Layer::send_stateless`];
    /// given here they are sent all the same, and nothing will be heard of them.
    pub fn send(&mut self, now: Time, flow: FlowId, reliable: bool, request: Request) -> ClientTx {
        self.start(now, flow, reliable, request, false)
    }

    /// Cancels an INVITE (after its first provisional response, RFC 3261 §9.1). Nothing happens after a final response.
    pub fn cancel(&mut self, now: Time, tx: ClientTx) {
        let Some(client) = self.clients.get_mut(&tx.0) else { return };
        if !client.is_invite() || client.cancel != Cancel::No {
            return;
        }
        match client.state {
            State::Calling => client.cancel = Cancel::Queued,
            State::Proceeding => self.send_cancel(now, tx.0),
            State::Accepted | State::Completed => {}
        }
    }

    /// As [`Layer::cancel`], with a `Reason` (RFC 3326) on the CANCEL.
    pub fn cancel_because(&mut self, now: Time, tx: ClientTx, reason: &str) {
        if let Some(invite) = self.clients.get_mut(&tx.0).and_then(|c| c.request.as_mut()) {
            invite.headers.set(Name::Reason, reason);
        }
        self.cancel(now, tx);
    }

    fn start(&mut self, now: Time, flow: FlowId, reliable: bool, mut request: Request, silent: bool) -> ClientTx {
        let branch = self.ensure_branch(&mut request);
        if matches!(request.method, Method::Ack | Method::Benotify) {
            self.last_id += 1;
            self.transmits.push_back(Transmit { flow, message: Message::Request(request) });
            return ClientTx(self.last_id);
        }
        let id = self.next_id(flow);
        let key = key::client(flow, &branch, &request.method);
        let invite = request.method == Method::Invite;
        let kept = match (reliable, invite) {
            (false, _) => Some(Box::new(request.clone())),
            (true, true) => {
                let kept = Request { body: Vec::new(), ..request.clone() };
                Some(Box::new(kept))
            }
            (true, false) => None,
        };
        let mut client = Client {
            flow,
            reliable,
            method: request.method.clone(),
            state: State::Calling,
            cancel: Cancel::No,
            key: key.clone(),
            call_id: request.headers.call_id().to_owned(),
            cseq: request.headers.cseq().map_or(0, |c| c.number),
            request: kept,
            ack: None,
            silent,
            interval: T1,
            repeat: None,
            end: None,
        };
        self.timers.arm(id, &mut client.end, now + T1_64, if invite { Timer::B } else { Timer::F });
        if !reliable {
            self.timers.arm(id, &mut client.repeat, now + T1, if invite { Timer::A } else { Timer::E });
        }
        self.clients.insert(id, client);
        self.client_keys.insert(key, id);
        self.transmits.push_back(Transmit { flow, message: Message::Request(request) });
        ClientTx(id)
    }

    fn ensure_branch(&mut self, request: &mut Request) -> String {
        let via = key::top_via(&request.headers);
        if let Some(branch) = key::branch(via) {
            return branch.to_owned();
        }
        let branch = format!("{}{}", key::COOKIE, self.rng.hex(24));
        if let Some(mut parsed) = Via::parse(via) {
            parsed.params.set("branch", Some(&branch));
            request.headers.replace_first(&Name::Via, parsed.to_string());
        }
        branch
    }

    pub(super) fn receive_response(&mut self, now: Time, flow: FlowId, response: Response) {
        let Some(id) = self.find_client(flow, &response) else { return };
        let Some(client) = self.clients.get(&id) else { return };
        if client.is_invite() { self.invite_response(now, id, response) } else { self.other_response(now, id, response) }
    }

    fn find_client(&self, flow: FlowId, response: &Response) -> Option<u64> {
        let cseq = response.headers.cseq()?;
        if let Some(branch) = key::branch(key::top_via(&response.headers)) {
            let id = *self.client_keys.get(&key::client(flow, branch, &cseq.method))?;
            return self.clients.get(&id).filter(|c| c.method == cseq.method).map(|_| id);
        }
        // A peer that dropped our branch: its flow is small enough to look through.
        let call_id = response.headers.call_id();
        self.flows.get(&flow)?.iter().copied().find(|id| {
            let client = self.clients.get(id);
            client.is_some_and(|c| c.call_id == call_id && c.cseq == cseq.number && c.method == cseq.method)
        })
    }

    fn invite_response(&mut self, now: Time, id: u64, response: Response) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        match (c.state, response.status) {
            (State::Calling | State::Proceeding, 100..=199) => {
                self.timers.disarm(id, &mut c.repeat);
                if c.cancel != Cancel::Sent && (c.state == State::Calling || response.status > 100) {
                    self.timers.arm(id, &mut c.end, now + TIMER_C, Timer::C);
                }
                c.state = State::Proceeding;
                let queued = c.cancel == Cancel::Queued;
                self.hand_up(id, response);
                if queued {
                    self.send_cancel(now, id);
                }
            }
            (State::Calling | State::Proceeding | State::Accepted, 200..=299) => {
                if c.state != State::Accepted {
                    self.timers.disarm(id, &mut c.repeat);
                    self.timers.arm(id, &mut c.end, now + T1_64, Timer::M);
                    c.state = State::Accepted;
                    c.request = None;
                }
                self.hand_up(id, response);
            }
            (State::Calling | State::Proceeding, 300..) => {
                self.timers.disarm(id, &mut c.repeat);
                let ack = c.request.take().map(|r| ack_for(&r, &response));
                let (flow, reliable) = (c.flow, c.reliable);
                if reliable {
                    self.end_client(id);
                } else {
                    c.state = State::Completed;
                    c.ack = ack.clone().map(Box::new);
                    self.timers.arm(id, &mut c.end, now + T1_64, Timer::D);
                }
                if let Some(ack) = ack {
                    self.transmits.push_back(Transmit { flow, message: Message::Request(ack) });
                }
                self.hand_up(id, response);
            }
            (State::Completed, 300..) => {
                if let Some(ack) = c.ack.as_deref().cloned() {
                    self.transmits.push_back(Transmit { flow: c.flow, message: Message::Request(ack) });
                }
            }
            _ => {}
        }
    }

    fn other_response(&mut self, now: Time, id: u64, response: Response) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        if c.state == State::Completed {
            return;
        }
        let silent = c.silent;
        if response.is_final() {
            self.timers.disarm(id, &mut c.repeat);
            if c.reliable {
                self.end_client(id);
            } else {
                c.state = State::Completed;
                c.request = None;
                self.timers.arm(id, &mut c.end, now + T4, Timer::K);
            }
        } else {
            c.state = State::Proceeding;
            c.interval = T2;
        }
        if !silent {
            self.hand_up(id, response);
        }
    }

    fn hand_up(&mut self, id: u64, response: Response) {
        self.events.push_back(Event::Response { tx: ClientTx(id), response });
    }

    fn send_cancel(&mut self, now: Time, id: u64) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        c.cancel = Cancel::Sent;
        self.timers.arm(id, &mut c.end, now + T1_64, Timer::Cancelled);
        let (flow, reliable) = (c.flow, c.reliable);
        if let Some(cancel) = c.request.as_deref().map(cancel_for) {
            self.start(now, flow, reliable, cancel, true);
        }
    }

    pub(super) fn client_timer(&mut self, now: Time, id: u64, timer: Timer) {
        let Some(c) = self.clients.get_mut(&id) else { return };
        match timer {
            Timer::A | Timer::E => {
                c.repeat = None;
                let doubled = c.interval * 2;
                c.interval = if timer == Timer::E { doubled.min(T2) } else { doubled };
                let at = now + c.interval;
                self.timers.arm(id, &mut c.repeat, at, timer);
                if let Some(request) = c.request.as_deref().cloned() {
                    self.transmits.push_back(Transmit { flow: c.flow, message: Message::Request(request) });
                }
            }
            Timer::C => {
                c.end = None;
                self.send_cancel(now, id);
            }
            _ => {
                c.end = None;
                let failed = c.awaits_final();
                self.end_client(id);
                if failed {
                    self.events.push_back(Event::Failed { tx: ClientTx(id), failure: Failure::Timeout });
                }
            }
        }
    }

    pub(super) fn end_client(&mut self, id: u64) -> Option<Client> {
        let mut client = self.clients.remove(&id)?;
        self.timers.disarm(id, &mut client.repeat);
        self.timers.disarm(id, &mut client.end);
        if self.client_keys.get(&client.key) == Some(&id) {
            self.client_keys.remove(&client.key);
        }
        self.leave_flow(client.flow, id);
        Some(client)
    }
}

/// ACK for a non-2xx final (RFC 3261 §17.1.1.3): the INVITE's own Via, the response's To.
fn ack_for(invite: &Request, response: &Response) -> Request {
    let mut ack = derived(invite, Method::Ack);
    if let Some(to) = response.headers.get(&Name::To) {
        ack.headers.set(Name::To, to);
    }
    ack
}

/// CANCEL of an INVITE (RFC 3261 §9.1).
fn cancel_for(invite: &Request) -> Request {
    let mut cancel = derived(invite, Method::Cancel);
    if let Some(reason) = invite.headers.get(&Name::Reason) {
        cancel.headers.push(Name::Reason, reason);
    }
    cancel
}

fn derived(invite: &Request, method: Method) -> Request {
    let number = invite.headers.cseq().map_or(0, |c| c.number);
    let mut out = Request::new(method.clone(), invite.uri.clone());
    out.headers.push(Name::Via, key::top_via(&invite.headers));
    for (name, value) in invite.headers.iter() {
        match name {
            Name::From | Name::To | Name::CallId | Name::MaxForwards | Name::Route | Name::UserAgent => {
                out.headers.push(name.clone(), value);
            }
            Name::CSeq => {
                out.headers.push(Name::CSeq, format!("{number} {method}"));
            }
            _ => {}
        }
    }
    out
}
