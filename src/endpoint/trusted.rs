//! How an application stands on its front ends (`domain.md` 3.1, 4.1, 4.2): it does not register. Its certificate says who it
//! is, an OPTIONS says that the front end agrees, and another one from time to time that it is still there.
//!
//! A lost front end is never the end: another one is tried after 1, 2, 4 … 60 seconds for as long as it takes.

mod course;
#[cfg(test)]
mod tests;

use super::config::{Config, EndpointKind};
use super::limits::{APPLICATION_PROBE, FIRST_KEEP_ALIVE, SIGN_OUT_WAIT};
use super::registration::{Step, diagnostics, diagnostics_reason};
use super::servers::Servers;
use super::{EndpointState, Error, ErrorKind, OperationId, Outcome, Reason};
use crate::domain::{Rng, Time};
use crate::lync::cccp::{C3pRequest, Command};
use crate::lync::identity;
use crate::lync::registration::Notice;
use crate::sip::auth::DigestClient;
use crate::sip::{Method, Name, Request, Response, Server, Uri};
use std::collections::VecDeque;

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No link; perhaps waiting to try again.
    Idle,
    /// The link is being opened.
    Connecting { until: Time },
    /// The first OPTIONS on a new link is out.
    Greeting,
    /// All is well.
    Up { probe_at: Time },
    /// An OPTIONS is out.
    Probing,
    /// The last OPTIONS is out: what was sent before it has arrived when it is answered.
    Leaving { until: Time },
}

/// The standing of one application endpoint.
#[derive(Debug)]
pub(super) struct Trusted {
    config: Config,
    rng: Rng,
    state: EndpointState,
    phase: Phase,
    servers: Servers,
    target: Server,
    /// Front ends the first attempt has not tried yet.
    left: VecDeque<Server>,
    local: String,
    call_id: String,
    cseq: u32,
    contact: String,
    last_sent: Time,
    failures: usize,
    retry_at: Option<Time>,
    signing_in: Vec<OperationId>,
    /// Drains and sign-outs: both end when everything has.
    ending: Vec<OperationId>,
    steps: VecDeque<Step>,
    /// What a guest shows with the request that is about to leave again.
    proof: Option<DigestClient>,
}

impl Trusted {
    /// An endpoint that is Idle.
    pub fn new(config: Config, mut rng: Rng) -> Trusted {
        Trusted {
            servers: Servers::new(&config, &mut rng),
            target: Server::new(config.host.clone(), config.port, config.transport),
            config,
            rng,
            state: EndpointState::Idle,
            phase: Phase::Idle,
            left: VecDeque::new(),
            local: String::new(),
            call_id: String::new(),
            cseq: 0,
            contact: String::new(),
            last_sent: Time::default(),
            failures: 0,
            retry_at: None,
            signing_in: Vec::new(),
            ending: Vec::new(),
            steps: VecDeque::new(),
            proof: None,
        }
    }

    /// The endpoint's state.
    pub fn state(&self) -> EndpointState {
        self.state
    }

    /// The next thing to do.
    pub fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Establish.
    pub fn sign_in(&mut self, now: Time, id: OperationId) {
        match (self.state, self.phase) {
            (EndpointState::Idle | EndpointState::Terminated, Phase::Idle) => {
                self.signing_in.push(id);
                self.begin(now);
            }
            (EndpointState::Idle | EndpointState::Establishing | EndpointState::Reestablishing, _) => self.signing_in.push(id),
            (EndpointState::Established, _) => self.complete(id, Ok(Outcome::Done)),
            _ => {
                let text = "this endpoint is ending; establish it again when it has ended";
                self.complete(id, Err(Error::new(ErrorKind::InvalidOperation, text)));
            }
        }
    }

    /// Terminate. Repeating is harmless.
    pub fn sign_out(&mut self, now: Time, id: OperationId) {
        self.ending.push(id);
        self.leave(now);
    }

    /// Drain: the endpoint calls [`Trusted::leave`] when nothing runs any more.
    pub fn drain(&mut self, id: OperationId) -> bool {
        match self.state {
            EndpointState::Established | EndpointState::Reestablishing => {
                self.ending.push(id);
                self.set_state(EndpointState::Draining, Reason::None);
                true
            }
            EndpointState::Draining | EndpointState::Terminating => {
                self.ending.push(id);
                false
            }
            EndpointState::Terminated => {
                self.complete(id, Ok(Outcome::Done));
                false
            }
            EndpointState::Idle | EndpointState::Establishing => {
                let text = "this endpoint is not established, so it has nothing to drain; establish it first, or end it";
                self.complete(id, Err(Error::new(ErrorKind::InvalidOperation, text)));
                false
            }
        }
    }

    /// Ends the endpoint: goodbyes first, while the link stands.
    pub fn leave(&mut self, now: Time) {
        self.retry_at = None;
        match self.phase {
            Phase::Up { .. } | Phase::Probing => {
                self.set_state(EndpointState::Terminating, Reason::None);
                self.steps.push_back(Step::Goodbye);
                let request = self.options();
                self.steps.push_back(Step::Register(request));
                self.phase = Phase::Leaving { until: now + SIGN_OUT_WAIT };
            }
            Phase::Leaving { .. } => {}
            Phase::Idle | Phase::Connecting { .. } | Phase::Greeting => {
                self.fail_sign_in(&Error::new(ErrorKind::OperationFailed, "Signing in was cancelled."));
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
        }
    }

    /// The link is open.
    pub fn on_connected(&mut self, now: Time, local: String) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        self.contact = self.config.uri.to_string();
        self.local = local;
        self.call_id = self.rng.hex(32);
        self.cseq = 0;
        self.last_sent = now;
        if self.config.kind == EndpointKind::Guest {
            // Nobody asks a guest anything before it wants into a conference.
            let transport = self.config.transport.name().to_ascii_lowercase();
            self.contact = format!("sip:{}@{};transport={transport}", self.config.uri.user(), self.local);
            return self.established(now, None, String::new());
        }
        self.phase = Phase::Greeting;
        let request = self.options();
        self.steps.push_back(Step::Register(request));
    }

    /// The link could not be opened.
    pub fn on_connect_failed(&mut self, now: Time, error: Error) {
        if matches!(self.phase, Phase::Connecting { .. }) {
            self.attempt_failed(now, error);
        }
    }

    /// The link is gone.
    pub fn on_disconnected(&mut self, now: Time, reason: &str) {
        match self.phase {
            Phase::Idle => {}
            Phase::Connecting { .. } | Phase::Greeting => {
                let target = &self.target;
                let text = format!(
                    "The connection to {target} broke before it answered ({reason}). Is the certificate one it knows (adsum trust)?"
                );
                self.attempt_failed(now, Error::new(ErrorKind::ConnectionFailed, text));
            }
            Phase::Up { .. } | Phase::Probing => self.lost(now),
            Phase::Leaving { .. } => self.over(Reason::None),
        }
    }

    /// Something left on the link; the keep-alive clock starts anew.
    pub fn on_sent(&mut self, now: Time) {
        self.last_sent = now;
    }

    /// The answer to an OPTIONS.
    pub fn on_response(&mut self, now: Time, response: &Response) {
        match (self.phase, response.status) {
            (Phase::Leaving { .. }, _) => {
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            (Phase::Greeting, 200..=299) => {
                let contact = response.headers.contact().map(|c| c.uri.to_string());
                let server = response.headers.get(&Name::Server).unwrap_or("").to_owned();
                self.established(now, contact, server);
            }
            (Phase::Probing, 200..=299) => self.phase = Phase::Up { probe_at: now + APPLICATION_PROBE },
            (Phase::Greeting | Phase::Probing, 401 | 403 | 404 | 407) => self.distrusted(response),
            (Phase::Greeting, _) => {
                self.steps.push_back(Step::Close);
                let target = &self.target;
                let text = format!("{target} cannot serve just now ({} {}).", response.status, response.reason);
                self.attempt_failed(now, Error { status: Some(response.status), ..Error::new(ErrorKind::FailureResponse, text) });
            }
            (Phase::Probing, _) => {
                self.steps.push_back(Step::Close);
                self.lost(now);
            }
            (Phase::Idle | Phase::Connecting { .. } | Phase::Up { .. }, _) => {}
        }
    }

    /// No answer to an OPTIONS.
    pub fn on_silence(&mut self, now: Time) {
        match self.phase {
            Phase::Greeting => {
                self.steps.push_back(Step::Close);
                let target = &self.target;
                let text = format!("{target} does not answer.");
                self.attempt_failed(now, Error::new(ErrorKind::Timeout, text));
            }
            Phase::Probing => {
                self.steps.push_back(Step::Close);
                self.lost(now);
            }
            Phase::Leaving { .. } => {
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            Phase::Idle | Phase::Connecting { .. } | Phase::Up { .. } => {}
        }
    }

    /// The front end's word about this endpoint: it is not trusted any more, or the front end goes down.
    pub fn on_notify(&mut self, now: Time, request: &Request) {
        match Notice::parse(&String::from_utf8_lossy(&request.body)) {
            Notice::Rejected => {
                self.steps.push_back(Step::Close);
                self.over(Reason::OwnerDisabledOrRemoved);
            }
            Notice::Unregistered | Notice::Deactivated if matches!(self.phase, Phase::Up { .. } | Phase::Probing) => {
                self.steps.push_back(Step::Close);
                self.lost(now);
            }
            _ => {}
        }
    }

    /// Fires what is due.
    pub fn on_timeout(&mut self, now: Time) {
        if self.phase == Phase::Idle && self.retry_at.is_some_and(|t| t <= now) {
            self.retry(now);
        }
        match self.phase {
            Phase::Connecting { until } if until <= now => {
                self.steps.push_back(Step::Close);
                let target = &self.target;
                let text = format!("No connection to {target}. Check the network, the name and the port.");
                self.attempt_failed(now, Error::new(ErrorKind::ConnectionFailed, text));
            }
            Phase::Up { probe_at } if probe_at <= now => {
                self.phase = Phase::Probing;
                let request = self.options();
                self.steps.push_back(Step::Register(request));
            }
            Phase::Leaving { until } if until <= now => {
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            _ => {}
        }
        if self.keep_alive_at().is_some_and(|t| t <= now) {
            self.last_sent = now;
            self.steps.push_back(Step::KeepAlive);
        }
    }

    /// When to call [`Trusted::on_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let phase = match self.phase {
            Phase::Idle => self.retry_at,
            Phase::Connecting { until } | Phase::Leaving { until } => Some(until),
            Phase::Up { probe_at } => Some(probe_at),
            Phase::Greeting | Phase::Probing => None,
        };
        [phase, self.keep_alive_at()].into_iter().flatten().min()
    }

    fn keep_alive_at(&self) -> Option<Time> {
        matches!(self.phase, Phase::Up { .. } | Phase::Probing).then(|| self.last_sent + FIRST_KEEP_ALIVE)
    }

    /// Takes the challenge to a guest's join: who knows the passcode, or where there is none the id, may come in.
    pub fn challenged(&mut self, request: &Request, response: &Response) -> bool {
        if self.config.kind != EndpointKind::Guest {
            return false;
        }
        let Some((_, conference)) = identity::parse_focus(request.uri.as_str()) else { return false };
        let said = match C3pRequest::parse(&request.body).map(|r| r.command) {
            Ok(Command::AddUser(add)) => add.pass_code,
            _ => None,
        };
        let mut digest = DigestClient::new(request.uri.as_str(), &said.unwrap_or(conference.0));
        let usable = digest.challenged(response).is_ok();
        self.proof = usable.then_some(digest);
        usable
    }

    /// Puts a guest's proof on the request that was challenged.
    pub fn authorize(&mut self, request: &mut Request) {
        if let Some(mut proof) = self.proof.take() {
            proof.authorize(request, &mut self.rng);
        }
    }

    /// The question whether we are known here.
    fn options(&mut self) -> Request {
        self.cseq += 1;
        let me = &self.config.uri;
        let (branch, tag) = (self.rng.hex(20), self.rng.hex(10));
        let mut r = Request::new(Method::Options, Uri::of_domain(me));
        r.headers
            .push(Name::Via, format!("SIP/2.0/TLS {};branch=z9hG4bK{branch}", self.local))
            .push(Name::From, format!("<{me}>;tag={tag};epid={}", self.config.epid))
            .push(Name::To, format!("<{}>", Uri::of_domain(me)))
            .push(Name::MaxForwards, "70")
            .push(Name::CallId, self.call_id.clone())
            .push(Name::CSeq, format!("{} OPTIONS", self.cseq))
            .push(Name::UserAgent, self.config.user_agent.clone())
            .push(Name::Contact, format!("<{}>", self.contact));
        r
    }
}
