//! Client and server transactions (RFC 3261 §17), over any number of flows.
//!
//! Contract: after every call that takes `now`, drain [`Layer::poll_transmit`] and [`Layer::poll_event`], then wait until
//! [`Layer::poll_timeout`] or new input. The layer signs and serialises nothing: it hands out whole messages.

use super::{Message, Request, Response};
use crate::domain::{Rng, Time};

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
}

impl Layer {
    /// No transactions.
    pub fn new(rng: Rng) -> Layer {
        Layer { rng }
    }

    /// Takes a message from a flow. `reliable` is true for TCP and TLS.
    pub fn receive(&mut self, _now: Time, _flow: FlowId, _reliable: bool, _message: Message) {}

    /// Sends a request; adds a branch to the top Via where it has none. ACK for 2xx and BENOTIFY: [`Layer::send_stateless`].
    pub fn send(&mut self, _now: Time, _flow: FlowId, _reliable: bool, _request: Request) -> ClientTx {
        ClientTx(self.rng.u64())
    }

    /// Sends a message without a transaction.
    pub fn send_stateless(&mut self, _flow: FlowId, _message: Message) {}

    /// Cancels an INVITE (after its first provisional response, RFC 3261 §9.1). Nothing happens after a final response.
    pub fn cancel(&mut self, _now: Time, _tx: ClientTx) {}

    /// Sends a response. Unknown or finished transactions are ignored.
    pub fn respond(&mut self, _now: Time, _tx: ServerTx, _response: Response) {}

    /// A flow is gone: its client transactions fail, its server transactions end.
    pub fn flow_closed(&mut self, _now: Time, _flow: FlowId) {}

    /// Fires due timers.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// When to call [`Layer::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    /// Next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }
}
