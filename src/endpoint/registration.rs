//! Signing in and staying signed in (`lync.md` 2 and 3, `domain.md` 3.1 and 4.2): one registration over one link.
//!
//! The machine builds REGISTERs and reads their answers; it sends nothing itself. After each call drain [`Registration::poll_step`].

mod answers;
mod course;
mod failure;
mod request;
mod standard;

use super::limits::*;
use super::security::{Handshake, Security, Verdict};
use super::servers::Servers;
use super::user::Config;
use super::{EndpointState, Error, ErrorKind, Event, OperationId, Outcome, Reason};
use crate::domain::{Rng, Time};
use crate::lync::registration::Notice;
use crate::simple::quirks;
use crate::sip::{Message, Method, Request, Response, Server};
use failure::After;
pub use failure::{diagnostics, diagnostics_reason};
use standard::Standard;
use std::collections::VecDeque;
use std::time::Duration;

/// What the registration wants done, in order.
#[derive(Debug)]
pub enum Step {
    /// Open the link there.
    Connect {
        /// Where, and how.
        server: Server,
        /// Names its certificate may be for.
        names: Vec<String>,
    },
    /// Ask the DNS for the servers of the own domain; answered by [`Registration::on_located`].
    Locate,
    /// Send a REGISTER and bring the reply.
    Register(Request),
    /// Close the link; every dialog on it is dead.
    Close,
    /// The registration stands: these are its facts.
    Online(Facts),
    /// The registration is gone.
    Offline,
    /// The facts of a refreshed registration, if they changed.
    Refreshed(Facts),
    /// The user signs out: services say goodbye while the link stands.
    Goodbye,
    /// Tell the user of the endpoint.
    Emit(Event),
    /// Send the four octets that keep the link alive.
    KeepAlive,
    /// Contacts and presence come (true) or go (false) while the registration stands (`lync.md` 2.5).
    UserServices(bool),
}

/// What a 200 to REGISTER told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// GRUU, or the contact itself where the server gives none.
    pub contact: String,
    /// `Server`.
    pub server: String,
    /// `Allow-Events`; `None`: the server did not say.
    pub events: Option<Vec<String>>,
    /// `Service-Route`: the way of requests outside dialogs (RFC 3608).
    pub routes: Vec<String>,
}

/// Where the registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not signed in; perhaps waiting to try again.
    Idle,
    /// The DNS is asked.
    Locating { until: Time },
    /// The link is being opened.
    Connecting { until: Time },
    /// REGISTER is under way on a new link.
    Registering,
    /// Signed in.
    Up { refresh_at: Time, renew_at: Time },
    /// Signed in, a refresh is under way.
    Refreshing { renew_at: Time },
    /// Deregistering.
    Leaving { until: Time },
}

/// The registration of one endpoint.
#[derive(Debug)]
pub struct Registration {
    config: Config,
    /// Instance UUID, made from the epid.
    instance: String,
    rng: Rng,
    state: EndpointState,
    phase: Phase,
    /// Signatures of the standing registration.
    security: Security,
    /// Authentication that is under way, on a new link or as a renewal.
    handshake: Option<Handshake>,
    target: Server,
    servers: Servers,
    /// Front ends this attempt has not tried yet.
    left: VecDeque<Server>,
    redirects: u32,
    local: String,
    call_id: String,
    cseq: u32,
    facts: Option<Facts>,
    standard: Standard,
    keep_alive: Duration,
    last_sent: Time,
    /// The server answers keep-alives; the last one must be answered by then.
    pong_until: Option<Time>,
    /// The registration has stood at least once since the user signed in.
    was_up: bool,
    failures: usize,
    retry_at: Option<Time>,
    signing_in: Vec<OperationId>,
    signing_out: Vec<OperationId>,
    steps: VecDeque<Step>,
}

impl Registration {
    /// A registration that is Idle.
    pub fn new(config: Config, mut rng: Rng) -> Registration {
        Registration {
            servers: Servers::new(&config, &mut rng),
            left: VecDeque::new(),
            target: Server::new(config.host.clone(), config.port, config.transport),
            instance: crate::lync::identity::instance_id(&config.epid),
            config,
            rng,
            state: EndpointState::Idle,
            phase: Phase::Idle,
            security: Security::None,
            handshake: None,
            redirects: 0,
            local: String::new(),
            call_id: String::new(),
            cseq: 0,
            facts: None,
            standard: Standard::default(),
            keep_alive: FIRST_KEEP_ALIVE,
            last_sent: Time::default(),
            pong_until: None,
            was_up: false,
            failures: 0,
            retry_at: None,
            signing_in: Vec::new(),
            signing_out: Vec::new(),
            steps: VecDeque::new(),
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

    /// Takes the challenge of a server that asks request by request; false when nothing answers it.
    pub fn challenged(&mut self, request: &Request, response: &Response) -> bool {
        match &mut self.security {
            Security::Digest(client) => client.challenged_for(request, response).is_ok(),
            _ => false,
        }
    }

    /// The server has taken a request with our credentials.
    pub fn trusted_by_server(&mut self) {
        if let Security::Digest(client) = &mut self.security {
            client.accepted();
        }
    }

    /// Puts Digest credentials on a request, but not on a REGISTER of a handshake, which has its own.
    pub fn authorize(&mut self, request: &mut Request) {
        let own = request.method == Method::Register && self.handshake.is_some();
        if let (Security::Digest(client), false) = (&mut self.security, own) {
            client.authorize(request, &mut self.rng);
        }
    }

    /// Signs a message that is about to leave. A REGISTER of a handshake carries its own credentials, or none on purpose.
    pub fn sign(&mut self, message: &mut Message) {
        let own = matches!(message, Message::Request(r) if r.method == Method::Register) && self.handshake.is_some();
        if !own {
            self.security.sign(message, &mut self.rng);
        }
    }

    /// Whether a message that came may be believed. Answers to REGISTER belong to the handshake, if one is under way.
    pub fn check(&mut self, message: &Message) -> Verdict {
        if let Message::Response(r) = message {
            let register = r.headers.cseq().is_some_and(|c| c.method == Method::Register);
            match &mut self.handshake {
                Some(handshake) if register => return handshake.check(r),
                _ if register && matches!(r.status, 401 | 407) => return Verdict::Accept,
                _ => {}
            }
        }
        self.security.check(message)
    }

    /// Sign in. While signing in, the operation joins the one under way; when signed in it is done.
    pub fn sign_in(&mut self, now: Time, id: OperationId) {
        match self.phase {
            Phase::Idle => {
                self.signing_in.push(id);
                // Whoever asks while the next try is awaited wants it now; what stood before is taken up again.
                self.was_up &= self.retry_at.is_some();
                self.begin(now);
            }
            Phase::Locating { .. } | Phase::Connecting { .. } | Phase::Registering => self.signing_in.push(id),
            Phase::Up { .. } | Phase::Refreshing { .. } => self.complete(id, Ok(Outcome::Done)),
            Phase::Leaving { .. } => {
                let busy = Error::new(ErrorKind::Retryable, "You are just signing out; sign in again in a moment.");
                self.complete(id, Err(busy));
            }
        }
    }

    /// Sign out. Repeating is harmless.
    pub fn sign_out(&mut self, now: Time, id: OperationId) {
        self.retry_at = None;
        self.signing_out.push(id);
        match self.phase {
            Phase::Idle => self.over(Reason::None),
            Phase::Locating { .. } | Phase::Connecting { .. } | Phase::Registering => {
                self.fail_sign_in(&Error::new(ErrorKind::OperationFailed, "Signing in was cancelled."));
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            Phase::Up { .. } | Phase::Refreshing { .. } => {
                self.set_state(EndpointState::Terminating, Reason::None);
                self.steps.push_back(Step::Goodbye);
                let request = self.register(true);
                self.steps.push_back(Step::Register(request));
                self.phase = Phase::Leaving { until: now + SIGN_OUT_WAIT };
            }
            Phase::Leaving { .. } => {}
        }
    }

    /// The link is open.
    pub fn on_connected(&mut self, now: Time, local: String) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        self.local = local;
        self.call_id = self.rng.hex(32);
        self.cseq = 0;
        self.last_sent = now;
        self.keep_alive = self.first_keep_alive();
        self.pong_until = None;
        self.standard.new_link();
        self.security = Security::None;
        self.phase = Phase::Registering;
        self.start_handshake();
    }

    /// The link could not be opened.
    pub fn on_connect_failed(&mut self, now: Time, error: Error) {
        if matches!(self.phase, Phase::Connecting { .. }) {
            // Another server may show the right certificate; without one it is for a person to decide.
            let retry = error.kind != ErrorKind::TlsFailed || !self.left.is_empty();
            self.attempt_failed(now, error, if retry { After::Retry } else { After::Stop });
        }
    }

    /// The link is gone.
    pub fn on_disconnected(&mut self, now: Time, reason: &str) {
        match self.phase {
            Phase::Idle | Phase::Locating { .. } => {}
            Phase::Connecting { .. } | Phase::Registering => {
                let target = &self.target;
                let text = format!("The connection to {target} broke while signing in ({reason}). Try again in a moment.");
                self.attempt_failed(now, Error::new(ErrorKind::ConnectionFailed, text), After::Retry);
            }
            Phase::Up { .. } | Phase::Refreshing { .. } => self.reestablish(now),
            Phase::Leaving { .. } => self.over(Reason::None),
        }
    }

    /// Something left on the link; the keep-alive clock starts anew.
    pub fn on_sent(&mut self, now: Time) {
        self.last_sent = now;
    }

    /// A final response to the last REGISTER.
    pub fn on_response(&mut self, now: Time, response: &Response) {
        if self.is_standard() {
            self.note_reflection(response);
        }
        match self.phase {
            Phase::Leaving { .. } => {
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            Phase::Registering => self.on_answer(now, response),
            Phase::Refreshing { renew_at } => match (response.status, &self.handshake) {
                (200..=299, None) => self.refreshed(now, response, renew_at),
                // The server has forgotten the association: authenticate anew on this link (lync.md 2.4).
                (401 | 407, None) => self.start_handshake(),
                _ => self.on_answer(now, response),
            },
            Phase::Idle | Phase::Locating { .. } | Phase::Connecting { .. } | Phase::Up { .. } => {}
        }
    }

    /// No answer to the last REGISTER.
    pub fn on_silence(&mut self, now: Time) {
        match self.phase {
            Phase::Registering => {
                self.steps.push_back(Step::Close);
                let target = &self.target;
                let shunned = quirks::shunned_by_kamailio(&self.config.user_agent).filter(|_| self.is_standard());
                let hint =
                    shunned.map(|word| format!(" Many servers do not answer programs called “{word}”: change user_agent."));
                let hint = hint.unwrap_or_default();
                let text = format!("{target} does not answer. Check the server's name and port, or try again later.{hint}");
                self.attempt_failed(now, Error::new(ErrorKind::Timeout, text), After::Retry);
            }
            Phase::Refreshing { .. } => {
                self.steps.push_back(Step::Close);
                self.reestablish(now);
            }
            Phase::Leaving { .. } => {
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            Phase::Idle | Phase::Locating { .. } | Phase::Connecting { .. } | Phase::Up { .. } => {}
        }
    }

    /// The server's word about the registration (`lync.md` 2.5).
    pub fn on_notify(&mut self, now: Time, request: &Request) {
        let why = diagnostics_reason(&request.headers);
        match Notice::parse(&String::from_utf8_lossy(&request.body)) {
            Notice::Rejected => self.thrown_out(now, Reason::OwnerDisabledOrRemoved, false),
            Notice::Unregistered => {
                let why = why.unwrap_or_else(|| "another program signed in with this device's identity".into());
                let text = format!("The server signed you out: {why}. Sign in again if you want to use this device.");
                self.thrown_out(now, Reason::Failed(Error::new(ErrorKind::RegisterFailed, text)), false);
            }
            Notice::Deactivated => {
                let text = "The server moves your account or goes down for a while; sign in again in a moment.";
                self.thrown_out(now, Reason::Failed(Error::new(ErrorKind::RegisterFailed, text)), true);
            }
            Notice::UserServicesUnavailable => self.steps.push_back(Step::UserServices(false)),
            Notice::PreferredRegistrarChange => self.move_to(now, request),
            Notice::Other => self.steps.push_back(Step::UserServices(true)),
        }
    }

    /// Fires what is due.
    pub fn on_timeout(&mut self, now: Time) {
        if self.retry_at.is_some_and(|t| t <= now) && self.phase == Phase::Idle {
            self.begin(now);
        }
        match self.phase {
            Phase::Locating { until } if until <= now => self.on_located(now, Vec::new()),
            Phase::Connecting { until } if until <= now => {
                self.steps.push_back(Step::Close);
                self.on_silent_link(now);
            }
            Phase::Up { renew_at, .. } if renew_at <= now => {
                self.phase = Phase::Refreshing { renew_at };
                self.start_handshake();
            }
            Phase::Up { refresh_at, renew_at } if refresh_at <= now => {
                self.phase = Phase::Refreshing { renew_at };
                let request = self.register(false);
                self.steps.push_back(Step::Register(request));
            }
            Phase::Leaving { until } if until <= now => {
                self.steps.push_back(Step::Close);
                self.over(Reason::None);
            }
            _ => {}
        }
        if self.pong_at().is_some_and(|t| t <= now) {
            self.pong_until = None;
            self.steps.push_back(Step::Close);
            self.on_disconnected(now, "it does not answer any more");
        }
        if self.keep_alive_at().is_some_and(|t| t <= now) {
            self.last_sent = now;
            self.steps.push_back(Step::KeepAlive);
            self.expect_pong(now);
        }
    }

    /// When to call [`Registration::on_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let phase = match self.phase {
            Phase::Idle => self.retry_at,
            Phase::Locating { until } | Phase::Connecting { until } | Phase::Leaving { until } => Some(until),
            Phase::Up { refresh_at, renew_at } => Some(refresh_at.min(renew_at)),
            Phase::Registering | Phase::Refreshing { .. } => None,
        };
        [phase, self.keep_alive_at(), self.pong_at()].into_iter().flatten().min()
    }

    fn keep_alive_at(&self) -> Option<Time> {
        self.stands().then(|| self.last_sent + self.keep_alive)
    }

    /// What a link that is gone owes is not asked of the next one.
    fn pong_at(&self) -> Option<Time> {
        self.pong_until.filter(|_| self.stands())
    }

    fn stands(&self) -> bool {
        matches!(self.phase, Phase::Up { .. } | Phase::Refreshing { .. })
    }

    fn on_silent_link(&mut self, now: Time) {
        let target = &self.target;
        let text = format!("No connection to {target}. Check the network, the server's name and port, or try again later.");
        self.attempt_failed(now, Error::new(ErrorKind::ConnectionFailed, text), After::Retry);
    }
}
