//! The course of a registration from state to state (`domain.md` 3.1, 4.2): begin, lose, try again, give up, end.

use super::failure::{self, After};
use super::{Phase, Registration, Step};
use crate::domain::Time;
use crate::endpoint::limits::{BACK_OFF, CONNECT_WAIT, LOCATE_WAIT};
use crate::endpoint::security::Security;
use crate::endpoint::{EndpointState, Error, Event, OperationId, Outcome, Reason, standing};
use crate::sip::{NameAddr, Request, Server};
use std::time::Duration;

impl Registration {
    /// A fresh sign-in at the configured server.
    pub(super) fn begin(&mut self, now: Time) {
        self.retry_at = None;
        self.redirects = 0;
        self.set_state(EndpointState::Establishing, Reason::None);
        if self.config.discover {
            self.phase = Phase::Locating { until: now + LOCATE_WAIT };
            self.steps.push_back(Step::Locate);
        } else {
            self.first(now);
        }
    }

    /// The DNS has answered; with nothing, those servers are tried that are known.
    pub fn on_located(&mut self, now: Time, found: Vec<Server>) {
        if matches!(self.phase, Phase::Locating { .. }) {
            if !found.is_empty() {
                self.servers.replace(found);
            }
            self.first(now);
        }
    }

    fn first(&mut self, now: Time) {
        self.left = self.servers.round(now, None);
        if let Some(server) = self.left.pop_front() {
            self.target = server;
        }
        self.connect(now);
    }

    pub(super) fn connect(&mut self, now: Time) {
        self.handshake = None;
        self.phase = Phase::Connecting { until: now + CONNECT_WAIT };
        self.steps.push_back(Step::Connect { names: self.names(), server: self.target.clone() });
    }

    /// The registration was lost: one attempt, at once, at the own registrar and then at the others of the pool
    /// (`domain.md` 4.2).
    pub(super) fn reestablish(&mut self, now: Time) {
        self.left = self.servers.round(now, Some(&self.target));
        self.left.pop_front();
        self.steps.push_back(Step::Offline);
        self.security = Security::None;
        self.set_state(EndpointState::Reestablishing, Reason::None);
        self.redirects = 0;
        self.connect(now);
    }

    /// A front end did not work; the next one of the pool, if there is one.
    fn try_next(&mut self, now: Time) -> bool {
        self.servers.failed(now, &self.target);
        let Some(server) = self.left.pop_front() else { return false };
        self.target = server;
        self.connect(now);
        true
    }

    /// An attempt to register failed for good.
    pub(super) fn attempt_failed(&mut self, now: Time, error: Error, after: After) {
        self.handshake = None;
        self.security = Security::None;
        if after == After::Retry {
            let refreshing = matches!(self.phase, Phase::Refreshing { .. });
            if refreshing {
                // The registrar does not want us just now; another of the pool may.
                self.left = self.servers.round(now, Some(&self.target));
                self.left.pop_front();
            }
            if refreshing && !self.left.is_empty() {
                self.steps.push_back(Step::Offline);
                self.set_state(EndpointState::Reestablishing, Reason::None);
            }
            if self.try_next(now) {
                return;
            }
        }
        let stood = self.state == EndpointState::Reestablishing;
        if matches!(self.phase, Phase::Refreshing { .. }) {
            self.steps.push_back(Step::Offline);
        }
        let had_stood = stood || matches!(self.phase, Phase::Refreshing { .. });
        self.phase = Phase::Idle;
        self.facts = None;
        if after == After::Retry && self.config.reconnect {
            let back_off = self.back_off();
            self.retry_at = Some(now + back_off.max(self.standard.take_wait()));
        }
        self.fail_sign_in(&error);
        if had_stood {
            let reason = match after {
                After::Retry => Reason::RegistrationRefreshFailed,
                After::Stop => Reason::Failed(error),
            };
            self.set_state(EndpointState::Terminating, reason.clone());
            self.set_state(EndpointState::Terminated, reason);
        } else {
            self.set_state(EndpointState::Idle, Reason::Failed(error));
        }
    }

    /// The server ended the registration.
    pub(super) fn thrown_out(&mut self, now: Time, reason: Reason, retry: bool) {
        if !matches!(self.phase, Phase::Up { .. } | Phase::Refreshing { .. }) {
            return;
        }
        self.steps.push_back(Step::Offline);
        self.steps.push_back(Step::Close);
        self.phase = Phase::Idle;
        self.security = Security::None;
        self.handshake = None;
        if retry && self.config.reconnect {
            self.retry_at = Some(now + self.back_off());
        }
        self.set_state(EndpointState::Terminating, reason.clone());
        self.set_state(EndpointState::Terminated, reason);
    }

    pub(super) fn move_to(&mut self, now: Time, request: &Request) {
        let wanted = request.headers.get(&"P-Preferred-Registrar".into()).and_then(NameAddr::parse);
        let Some(target) = wanted.and_then(|n| failure::target(&n.uri, self.target.transport)) else { return };
        if matches!(self.phase, Phase::Up { .. } | Phase::Refreshing { .. }) {
            self.steps.push_back(Step::Close);
            self.target = target;
            self.reestablish(now);
        }
    }

    pub(super) fn over(&mut self, reason: Reason) {
        if self.state != EndpointState::Terminated {
            if matches!(self.phase, Phase::Leaving { .. }) {
                self.steps.push_back(Step::Offline);
            }
            self.set_state(EndpointState::Terminating, reason.clone());
            self.phase = Phase::Idle;
            self.security = Security::None;
            self.handshake = None;
            self.facts = None;
        }
        self.set_state(EndpointState::Terminated, reason);
        for id in std::mem::take(&mut self.signing_out) {
            self.complete(id, Ok(Outcome::Done));
        }
    }

    pub(super) fn fail_sign_in(&mut self, error: &Error) {
        for id in std::mem::take(&mut self.signing_in) {
            self.complete(id, Err(error.clone()));
        }
    }

    pub(super) fn back_off(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        standing::wait(&BACK_OFF, self.failures, &mut self.rng)
    }

    /// Emits the state when it changed, or when its reason or next try has something to say.
    pub(super) fn set_state(&mut self, state: EndpointState, reason: Reason) {
        if self.state == state && reason == Reason::None && self.retry_at.is_none() {
            return;
        }
        self.state = state;
        let retry_at = self.retry_at;
        self.emit(Event::State { state, reason, retry_at });
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.steps.push_back(Step::Emit(event));
    }

    pub(super) fn complete(&mut self, id: OperationId, result: Result<Outcome, Error>) {
        self.emit(Event::Completed { id, result });
    }
}
