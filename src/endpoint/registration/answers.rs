//! Answers to REGISTER: challenges, redirects, success (`lync.md` 2.2, 2.3, 2.6).

use super::failure::{self, After};
use super::{Facts, Phase, Registration, Step, request, standard};
use crate::domain::Time;
use crate::endpoint::limits::{ASSOCIATION_LIFE, MAX_REDIRECTS, REFRESH_BEFORE, SHORT_REGISTRATION};
use crate::endpoint::security::{Handshake, Security};
use crate::endpoint::{EndpointState, Error, ErrorKind, Event, Outcome, Reason};
use crate::sip::{Name, Response};
use std::time::Duration;

impl Registration {
    pub(super) fn start_handshake(&mut self) {
        self.handshake = Some(Handshake::new(&self.config));
        let request = self.register(false);
        self.steps.push_back(Step::Register(request));
    }

    pub(super) fn on_answer(&mut self, now: Time, response: &Response) {
        match response.status {
            200..=299 => self.registered(now, response),
            401 | 407 if self.handshake.is_none() => self.start_handshake(),
            401 | 407 => self.on_challenge(now, response),
            301 | 302 | 305 => self.on_redirect(now, response),
            _ if self.is_standard() && self.adapt(response) => {}
            _ => {
                self.standard.note_wait(response);
                let (error, after) = failure::explain(response, &self.config);
                self.steps.push_back(Step::Close);
                self.attempt_failed(now, error, after);
            }
        }
    }

    pub(super) fn on_challenge(&mut self, now: Time, response: &Response) {
        let Some(mut handshake) = self.handshake.take() else { return };
        let mut request = self.register(false);
        match handshake.answer(now, response, &mut request, &mut self.rng) {
            Ok(()) => {
                self.handshake = Some(handshake);
                self.steps.push_back(Step::Register(request));
            }
            Err(error) => {
                self.steps.push_back(Step::Close);
                self.attempt_failed(now, error, After::Stop);
            }
        }
    }

    pub(super) fn on_redirect(&mut self, now: Time, response: &Response) {
        let target = response.headers.contact().map(|c| c.uri).and_then(|u| failure::target(&u, self.target.transport));
        self.redirects += 1;
        self.steps.push_back(Step::Close);
        match target {
            Some(target) if self.redirects <= MAX_REDIRECTS => {
                self.target = target;
                if matches!(self.phase, Phase::Refreshing { .. }) {
                    self.steps.push_back(Step::Offline);
                    self.security = Security::None;
                    self.set_state(EndpointState::Reestablishing, Reason::None);
                }
                self.connect(now);
            }
            _ => {
                let text = "The servers send this sign-in round in a circle. Ask your administrator, or name your home server in the account's settings.";
                self.attempt_failed(now, Error::new(ErrorKind::RegisterFailed, text), After::Stop);
            }
        }
    }

    pub(super) fn registered(&mut self, now: Time, response: &Response) {
        let Some(facts) = self.facts_of(response) else {
            let text = format!("{} is too old a server for this program: it must be OCS 2007 or later.", self.target.host);
            self.steps.push_back(Step::Close);
            self.attempt_failed(now, Error::new(ErrorKind::RegisterFailed, text), After::Stop);
            return;
        };
        let renewal = matches!(self.phase, Phase::Refreshing { .. });
        if let Some(handshake) = self.handshake.take() {
            self.security = handshake.finish();
        }
        if self.is_standard() && !renewal && self.correct_contact() {
            return;
        }
        self.note_times(now, response, now + ASSOCIATION_LIFE);
        if renewal {
            self.note_facts(facts);
            return;
        }
        self.failures = 0;
        self.left.clear();
        self.servers.stood(&self.target);
        let again = self.was_up;
        self.was_up = true;
        self.facts = Some(facts.clone());
        self.steps.push_back(Step::Online(facts.clone()));
        let reason = if again { Reason::RegistrationRefreshSucceeded } else { Reason::None };
        self.set_state(EndpointState::Established, reason);
        self.emit(Event::SignedIn { gruu: facts.contact, server: facts.server });
        for id in std::mem::take(&mut self.signing_in) {
            self.complete(id, Ok(Outcome::Done));
        }
    }

    pub(super) fn refreshed(&mut self, now: Time, response: &Response, renew_at: Time) {
        self.note_times(now, response, renew_at);
        if let Some(facts) = self.facts_of(response) {
            self.note_facts(facts);
        }
    }

    pub(super) fn note_facts(&mut self, facts: Facts) {
        if self.facts.as_ref() != Some(&facts) {
            self.facts = Some(facts.clone());
            self.steps.push_back(Step::Refreshed(facts));
        }
    }

    pub(super) fn note_times(&mut self, now: Time, response: &Response, renew_at: Time) {
        let lives = Duration::from_secs(request::lifetime(response, &self.instance, self.is_standard()));
        let refresh_at = if lives < SHORT_REGISTRATION { now + lives / 2 } else { now + lives - REFRESH_BEFORE };
        self.phase = Phase::Up { refresh_at, renew_at };
        if let Some(keep) = request::keep_alive(response) {
            self.keep_alive = keep;
        }
        if self.is_standard() {
            self.note_flow_timer(response);
        }
    }

    /// `None` when the server cannot do what this program needs.
    pub(super) fn facts_of(&self, response: &Response) -> Option<Facts> {
        let headers = &response.headers;
        let server = headers.get(&Name::Server).unwrap_or("").to_owned();
        let categories = headers.has_token(&Name::Supported, "msrtc-event-categories");
        if !categories && (server.starts_with("RTC/1") || server.starts_with("RTC/2")) {
            return None;
        }
        let events = headers.get(&Name::AllowEvents).is_some().then(|| {
            let all = headers.all(&Name::AllowEvents).flat_map(|v| v.split(','));
            all.map(|e| e.trim().to_ascii_lowercase()).collect()
        });
        let contact = request::gruu(response, &self.instance).unwrap_or_else(|| self.ip_contact());
        let routes = if self.is_standard() { standard::service_route(response) } else { Vec::new() };
        Some(Facts { contact, server, events, routes })
    }
}
