//! How an endpoint stands on its server: a user registers, an application is trusted by its certificate. Both machines build
//! requests and read answers and send nothing themselves; the endpoint drains [`Standing::poll_step`] after each call.

use super::config::{Config, EndpointKind};
use super::limits::BACK_OFF_JITTER_PERCENT;
use super::registration::{Registration, Step};
use super::security::Verdict;
use super::trusted::Trusted;
use super::{EndpointState, Error, OperationId};
use crate::domain::{Rng, Time};
use crate::sip::{Message, Request, Response, Server};
use std::time::Duration;

/// One of the two.
#[derive(Debug)]
pub(super) enum Standing {
    /// A user's.
    Registered(Box<Registration>),
    /// An application's.
    Trusted(Box<Trusted>),
}

macro_rules! either {
    ($self:ident, $s:ident => $call:expr) => {
        match $self {
            Standing::Registered($s) => $call,
            Standing::Trusted($s) => $call,
        }
    };
}

impl Standing {
    /// As the configuration wants it.
    pub fn new(config: Config, rng: Rng) -> Standing {
        match config.kind {
            EndpointKind::User => Standing::Registered(Box::new(Registration::new(config, rng))),
            EndpointKind::Application | EndpointKind::Guest => Standing::Trusted(Box::new(Trusted::new(config, rng))),
        }
    }

    pub fn state(&self) -> EndpointState {
        either!(self, s => s.state())
    }

    pub fn poll_step(&mut self) -> Option<Step> {
        either!(self, s => s.poll_step())
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        either!(self, s => s.poll_timeout())
    }

    pub fn on_timeout(&mut self, now: Time) {
        either!(self, s => s.on_timeout(now));
    }

    pub fn sign_in(&mut self, now: Time, id: OperationId) {
        either!(self, s => s.sign_in(now, id));
    }

    pub fn sign_out(&mut self, now: Time, id: OperationId) {
        either!(self, s => s.sign_out(now, id));
    }

    pub fn on_connected(&mut self, now: Time, local: String) {
        either!(self, s => s.on_connected(now, local));
    }

    pub fn on_connect_failed(&mut self, now: Time, error: Error) {
        either!(self, s => s.on_connect_failed(now, error));
    }

    pub fn on_disconnected(&mut self, now: Time, reason: &str) {
        either!(self, s => s.on_disconnected(now, reason));
    }

    pub fn on_sent(&mut self, now: Time) {
        either!(self, s => s.on_sent(now));
    }

    /// The DNS has answered.
    pub fn on_located(&mut self, now: Time, found: Vec<Server>) {
        if let Standing::Registered(r) = self {
            r.on_located(now, found);
        }
    }

    /// Octets came on the link.
    pub fn on_received(&mut self, bytes: &[u8]) {
        if let Standing::Registered(r) = self {
            r.on_received(bytes);
        }
    }

    /// A final response to the last request of ours.
    pub fn on_response(&mut self, now: Time, response: &Response) {
        either!(self, s => s.on_response(now, response));
    }

    /// No answer to it.
    pub fn on_silence(&mut self, now: Time) {
        either!(self, s => s.on_silence(now));
    }

    /// Takes the challenge of a server that asks request by request; false when nothing answers it.
    pub fn challenged(&mut self, request: &Request, response: &Response) -> bool {
        match self {
            Standing::Registered(r) => r.challenged(request, response),
            Standing::Trusted(t) => t.challenged(request, response),
        }
    }

    /// The server has taken a request with our credentials.
    pub fn trusted_by_server(&mut self) {
        if let Standing::Registered(r) = self {
            r.trusted_by_server();
        }
    }

    /// Puts the credentials on a request that a standard server will ask them for.
    pub fn authorize(&mut self, request: &mut Request) {
        either!(self, s => s.authorize(request));
    }

    /// Signs a message that is about to leave; an application's connection vouches for all that is on it.
    pub fn sign(&mut self, message: &mut Message) {
        if let Standing::Registered(r) = self {
            r.sign(message);
        }
    }

    /// Whether a message that came may be believed.
    pub fn check(&mut self, message: &Message) -> Verdict {
        match self {
            Standing::Registered(r) => r.check(message),
            Standing::Trusted(_) => Verdict::Accept,
        }
    }

    /// The server's word about the registration.
    pub fn on_notify(&mut self, now: Time, request: &Request) {
        either!(self, s => s.on_notify(now, request));
    }
}

/// How long to wait after this many failures in a row (one or more): a step of the list, and by chance a little more, so that
/// endpoints that lost the same server do not come back all at once.
pub(super) fn wait(steps: &[Duration], failures: usize, rng: &mut Rng) -> Duration {
    let at = failures.min(steps.len()).saturating_sub(1);
    let step = steps.get(at).copied().unwrap_or_default();
    let most = u64::try_from(step.as_millis()).unwrap_or(0) * BACK_OFF_JITTER_PERCENT / 100;
    step + Duration::from_millis(rng.below(most + 1))
}
