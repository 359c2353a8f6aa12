//! Client and server transactions (RFC 3261 §17), over any number of flows.
//!
//! Contract: after every call that takes `now`, drain [`Layer::poll_transmit`] and [`Layer::poll_event`], then wait until
//! [`Layer::poll_timeout`] or new input. The layer signs and serialises nothing: it hands out whole messages.
//!
//! On streams nothing is ever retransmitted and finished transactions end at once, but two: a server INVITE with a non-2xx
//! final stays for a while to swallow an ACK that may or may not come, and an INVITE with a 2xx stays for further 2xx
//! responses of other forks (RFC 6026). A server transaction on a stream waits for its answer as long as the flow lives.

mod client;
mod key;
mod server;
#[cfg(test)]
mod tests;
mod timer;

pub use timer::Timer;

use super::{Message, Request, Response};
use crate::domain::{Rng, Time};
use client::Client;
use server::Server;
use std::collections::{BTreeSet, HashMap, VecDeque};
use timer::Table;

/// One transport connection (or, on datagrams, one peer address).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

/// A client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientTx(pub u64);

/// A server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTx(pub u64);

/// A message to send.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Where.
    pub flow: FlowId,
    /// What.
    pub message: Message,
}

/// What the user of transactions hears.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new request. `tx` is `None` for those that are never answered (ACK, BENOTIFY).
    Request {
        /// Where it came from.
        flow: FlowId,
        /// Answer it with [`Layer::respond`].
        tx: Option<ServerTx>,
        /// The request.
        request: Request,
    },
    /// CANCEL for an INVITE without final answer; the CANCEL itself is answered already, the user answers the INVITE 487.
    Cancelled {
        /// The INVITE's transaction.
        tx: ServerTx,
        /// The CANCEL (for its `Reason`).
        cancel: Request,
    },
    /// A provisional or final response. A 2xx to INVITE is handed up for every retransmission.
    Response {
        /// Transaction.
        tx: ClientTx,
        /// The response.
        response: Response,
    },
    /// No final response will come.
    Failed {
        /// Transaction.
        tx: ClientTx,
        /// Why.
        failure: Failure,
    },
}

/// Why a client transaction ended without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Timer B or F.
    Timeout,
    /// The flow closed.
    Transport,
}

/// All transactions of one element.
#[derive(Debug)]
pub struct Layer {
    rng: Rng,
    last_id: u64,
    clients: HashMap<u64, Client>,
    client_keys: HashMap<String, u64>,
    servers: HashMap<u64, Server>,
    server_keys: HashMap<String, u64>,
    flows: HashMap<FlowId, BTreeSet<u64>>,
    timers: Table,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Layer {
    /// No transactions.
    pub fn new(rng: Rng) -> Layer {
        Layer {
            rng,
            last_id: 0,
            clients: HashMap::new(),
            client_keys: HashMap::new(),
            servers: HashMap::new(),
            server_keys: HashMap::new(),
            flows: HashMap::new(),
            timers: Table::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes a message from a flow. `reliable` is true for TCP and TLS.
    ///
    /// Requests without Via, From, To, Call-ID or CSeq, or whose CSeq names another method, are answered 400 here.
    /// Responses that match nothing are dropped.
    pub fn receive(&mut self, now: Time, flow: FlowId, reliable: bool, message: Message) {
        match message {
            Message::Request(r) => self.receive_request(now, flow, reliable, r),
            Message::Response(r) => self.receive_response(now, flow, r),
        }
    }

    /// Sends a message without a transaction.
    pub fn send_stateless(&mut self, flow: FlowId, message: Message) {
        self.transmits.push_back(Transmit { flow, message });
    }

    /// A flow is gone: its client transactions fail, its server transactions end.
    pub fn flow_closed(&mut self, _now: Time, flow: FlowId) {
        for id in self.flows.remove(&flow).unwrap_or_default() {
            self.end_server(id);
            let Some(client) = self.end_client(id) else { continue };
            if client.awaits_final() {
                self.events.push_back(Event::Failed { tx: ClientTx(id), failure: Failure::Transport });
            }
        }
        self.transmits.retain(|t| t.flow != flow);
    }

    /// Fires due timers.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((id, timer)) = self.timers.pop_due(now) {
            match timer {
                Timer::A | Timer::B | Timer::C | Timer::Cancelled | Timer::D => self.client_timer(now, id, timer),
                Timer::E | Timer::F | Timer::K | Timer::M => self.client_timer(now, id, timer),
                Timer::G | Timer::H | Timer::I | Timer::J | Timer::L | Timer::Trying => self.server_timer(now, id, timer),
            }
        }
    }

    /// When to call [`Layer::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// Next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Transactions held, finished ones that still absorb repetitions included.
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next_id(&mut self, flow: FlowId) -> u64 {
        self.last_id += 1;
        self.flows.entry(flow).or_default().insert(self.last_id);
        self.last_id
    }

    fn leave_flow(&mut self, flow: FlowId, id: u64) {
        if let Some(ids) = self.flows.get_mut(&flow) {
            ids.remove(&id);
            if ids.is_empty() {
                self.flows.remove(&flow);
            }
        }
    }
}
