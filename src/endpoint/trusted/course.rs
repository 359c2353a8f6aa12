//! The course from state to state: begin, lose, try again, end.

use super::{Phase, Trusted, diagnostics, diagnostics_reason};
use crate::domain::Time;
use crate::endpoint::config::EndpointKind;
use crate::endpoint::limits::{APPLICATION_BACK_OFF, APPLICATION_PROBE, CONNECT_WAIT};
use crate::endpoint::registration::{Facts, Step};
use crate::endpoint::{EndpointState, Error, ErrorKind, Event, OperationId, Outcome, Reason, standing};
use crate::sip::{Response, Server};
use std::time::Duration;

impl Trusted {
    /// The first attempt goes through all front ends at once.
    pub(super) fn begin(&mut self, now: Time) {
        self.retry_at = None;
        self.failures = 0;
        self.left = self.servers.round(now, None);
        self.set_state(EndpointState::Establishing, Reason::None);
        self.next(now);
    }

    fn next(&mut self, now: Time) {
        if let Some(server) = self.left.pop_front() {
            self.connect(now, server);
        }
    }

    fn connect(&mut self, now: Time, server: Server) {
        self.target = server;
        self.phase = Phase::Connecting { until: now + CONNECT_WAIT };
        let server = self.target.clone();
        self.steps.push_back(Step::Connect { names: vec![server.host.clone()], server });
    }

    /// One more attempt to come back.
    pub(super) fn retry(&mut self, now: Time) {
        self.retry_at = None;
        if let Some(server) = self.servers.round(now, None).pop_front() {
            self.connect(now, server);
        }
    }

    pub(super) fn established(&mut self, now: Time, contact: Option<String>, server: String) {
        let guest = self.config.kind == EndpointKind::Guest;
        self.phase = Phase::Up { probe_at: if guest { Time(u64::MAX) } else { now + APPLICATION_PROBE } };
        self.servers.stood(&self.target);
        self.failures = 0;
        if let Some(gruu) = contact.filter(|c| c.contains(";gruu")) {
            self.contact = gruu;
        }
        let facts = Facts { contact: self.contact.clone(), server, events: None, routes: Vec::new() };
        self.steps.push_back(Step::Online(facts.clone()));
        match self.state {
            EndpointState::Draining => {}
            EndpointState::Reestablishing => {
                self.set_state(EndpointState::Established, Reason::RegistrationRefreshSucceeded);
            }
            _ => self.set_state(EndpointState::Established, Reason::None),
        }
        self.emit(Event::SignedIn { gruu: facts.contact, server: facts.server });
        for id in std::mem::take(&mut self.signing_in) {
            self.complete(id, Ok(Outcome::Done));
        }
    }

    /// The front end went away while all was well.
    pub(super) fn lost(&mut self, now: Time) {
        self.steps.push_back(Step::Offline);
        self.phase = Phase::Idle;
        if self.state == EndpointState::Draining {
            return self.over(Reason::RegistrationRefreshFailed);
        }
        self.servers.failed(now, &self.target);
        self.failures = 0;
        self.retry_at = Some(now + self.back_off());
        self.set_state(EndpointState::Reestablishing, Reason::None);
    }

    /// A front end did not let us in.
    pub(super) fn attempt_failed(&mut self, now: Time, error: Error) {
        self.phase = Phase::Idle;
        self.servers.failed(now, &self.target);
        match self.state {
            EndpointState::Establishing if !self.left.is_empty() => self.next(now),
            EndpointState::Establishing => {
                if self.config.reconnect {
                    self.retry_at = Some(now + self.back_off());
                }
                self.fail_sign_in(&error);
                self.set_state(EndpointState::Idle, Reason::Failed(error));
            }
            EndpointState::Reestablishing => {
                self.retry_at = Some(now + self.back_off());
                self.set_state(EndpointState::Reestablishing, Reason::Failed(error));
            }
            EndpointState::Idle => {
                self.retry_at = Some(now + self.back_off());
                self.set_state(EndpointState::Idle, Reason::Failed(error));
            }
            _ => self.over(Reason::RegistrationRefreshFailed),
        }
    }

    /// The front end does not trust us (any more): no other one of the pool will.
    pub(super) fn distrusted(&mut self, response: &Response) {
        let because = diagnostics_reason(&response.headers).map(|w| format!(" ({w})")).unwrap_or_default();
        let target = &self.target;
        let text = format!(
            "{target} does not trust this certificate as {}{because}. Add it there with: adsum trust add {0}",
            self.config.uri.bare()
        );
        let detail = diagnostics(&response.headers).map(str::to_owned);
        let error = Error { kind: ErrorKind::AuthenticationFailed, text, status: Some(response.status), detail };
        self.steps.push_back(Step::Close);
        self.left.clear();
        self.fail_sign_in(&error);
        if matches!(self.state, EndpointState::Establishing | EndpointState::Idle) {
            self.phase = Phase::Idle;
            self.set_state(EndpointState::Idle, Reason::Failed(error));
        } else {
            self.over(Reason::OwnerDisabledOrRemoved);
        }
    }

    pub(super) fn over(&mut self, reason: Reason) {
        self.retry_at = None;
        self.left.clear();
        if matches!(self.phase, Phase::Up { .. } | Phase::Probing | Phase::Leaving { .. }) {
            self.steps.push_back(Step::Offline);
        }
        self.phase = Phase::Idle;
        let ended = Error::new(ErrorKind::OperationFailed, "The endpoint has ended.");
        self.fail_sign_in(&ended);
        if self.state != EndpointState::Terminated {
            self.set_state(EndpointState::Terminating, reason.clone());
            self.set_state(EndpointState::Terminated, reason);
        }
        for id in std::mem::take(&mut self.ending) {
            self.complete(id, Ok(Outcome::Done));
        }
    }

    pub(super) fn fail_sign_in(&mut self, error: &Error) {
        for id in std::mem::take(&mut self.signing_in) {
            self.complete(id, Err(error.clone()));
        }
    }

    fn back_off(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        standing::wait(&APPLICATION_BACK_OFF, self.failures, &mut self.rng)
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
