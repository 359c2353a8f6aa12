//! The door between a module and the server: what it may look up and what it may ask for.

use super::{Config, Reach, Registration, RegistrationId, State, StoreOp, User};
use crate::domain::{Address, Rng, Time};
use crate::sip::{FlowId, Method, Name, Request, Response, ServerTx, Uri};

/// Who gets a reply, a CANCEL or a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModuleId {
    /// REGISTER and security.
    Registrar,
    /// Contact lists.
    Contacts,
    /// Presence: publish, roaming self, subscriptions, provisioning.
    Presence,
    /// Directory search.
    Search,
    /// Requests between users.
    Routing,
    /// Focus factory, focus and IM MCU.
    Conferencing,
}

/// A module's name for a request it sent; comes back with the reply. Unique over all modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For looking into it.
    Debug,
    /// Sign-in, sign-out.
    Info,
    /// Somebody misbehaves.
    Warn,
}

/// A request of a signed-in endpoint, already authenticated.
#[derive(Debug)]
pub struct Incoming {
    /// The connection it came on.
    pub flow: FlowId,
    /// Answer it here; `None` for ACK and BENOTIFY.
    pub tx: Option<ServerTx>,
    /// The endpoint that sent it.
    pub from: RegistrationId,
    /// The user of that endpoint; equal to the From URI of the request.
    pub caller: Address,
    /// The request; credentials are already taken out.
    pub request: Request,
}

/// What comes of a request a module sent.
#[derive(Debug)]
pub enum Reply {
    /// Provisional or final.
    Response(Response),
    /// No final response in time (Timer B or F).
    Timeout,
    /// The endpoint's connection is gone.
    Lost,
}

/// What a module wants done, in order.
// Short-lived; boxing would cost every message an allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Action {
    /// Send a request in a transaction.
    Send {
        /// Who hears the reply.
        module: ModuleId,
        /// Under which name.
        token: Token,
        /// Down which connection.
        flow: FlowId,
        /// The request.
        request: Request,
    },
    /// Send without transaction (ACK of a 2xx, BENOTIFY).
    SendStateless(FlowId, Request),
    /// CANCEL an INVITE sent under this token, with this `Reason`.
    Cancel(Token, Option<String>),
    /// Answer.
    Respond(ServerTx, Response),
    /// Keep for ever.
    Store(StoreOp),
    /// Say something in the log. Never a body, a password or a key.
    Log(LogLevel, String),
    /// The connection goes after what is waiting has been sent.
    Close(FlowId),
    /// An endpoint is gone: tell all modules. Only the registrar says this.
    RegistrationLost(Box<Registration>),
    /// Aggregates of a user may have changed because an endpoint came. Only the registrar says this.
    RegistrationAdded(RegistrationId),
}

/// What a part of the front end hears. Entry points without a body need nothing done.
pub trait Module {
    /// An authenticated request for this module.
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming);
    /// CANCEL of an INVITE this module has not finally answered; the CANCEL is answered already, the module answers the INVITE 487.
    fn on_cancel(&mut self, _ctx: &mut Ctx<'_>, _tx: ServerTx, _cancel: Request) {}
    /// A reply to a request sent with [`Ctx::send`].
    fn on_reply(&mut self, _ctx: &mut Ctx<'_>, _token: Token, _reply: Reply) {}
    /// An endpoint signed in (not on refresh).
    fn on_registration_added(&mut self, _ctx: &mut Ctx<'_>, _id: RegistrationId) {}
    /// An endpoint signed out, expired or lost its connection; it is out of the look-up already.
    fn on_registration_lost(&mut self, _ctx: &mut Ctx<'_>, _registration: &Registration) {}
    /// An account was taken away; its endpoints are gone already.
    fn on_user_removed(&mut self, _ctx: &mut Ctx<'_>, _user: &Address) {}
    /// The time of [`Module::poll_timeout`] has come.
    fn on_timeout(&mut self, _ctx: &mut Ctx<'_>) {}
    /// When to call [`Module::on_timeout`].
    fn poll_timeout(&self) -> Option<Time> {
        None
    }
}

/// Made anew for each call of a module.
pub struct Ctx<'a> {
    /// The time of this call.
    pub now: Time,
    /// Randomness.
    pub rng: &'a mut Rng,
    /// Settings.
    pub config: &'a Config,
    /// Accounts and registrations.
    pub state: &'a mut State,
    /// Whose replies come back.
    pub module: ModuleId,
    /// What is to be done, in order.
    pub actions: &'a mut Vec<Action>,
    /// Source of tokens.
    pub next_token: &'a mut u64,
}

impl Ctx<'_> {
    /// One endpoint.
    pub fn registration(&self, id: RegistrationId) -> Option<&Registration> {
        self.state.registrations.get(id)
    }

    /// The endpoints of a user in the order they signed in.
    pub fn registrations_of(&self, user: &Address) -> impl Iterator<Item = &Registration> {
        self.state.registrations.of_user(user)
    }

    /// The endpoint a GRUU or registered Contact names.
    pub fn registration_by_uri(&self, uri: &Uri) -> Option<&Registration> {
        self.state.registrations.by_uri(uri)
    }

    /// An account.
    pub fn user(&self, address: &Address) -> Option<&User> {
        self.state.users.get(address)
    }

    /// Whether this is a trusted application speaking for itself.
    pub fn is_application(&self, address: &Address) -> bool {
        self.state.applications.contains_key(address)
    }

    /// Name for rosters and From: the record's, else the address.
    pub fn display_name(&self, address: &Address) -> String {
        let known = self.user(address).map(|u| u.record.display_name.clone()).filter(|n| !n.is_empty());
        let application = || self.state.applications.get(address).map(|a| a.display_name.clone()).filter(|n| !n.is_empty());
        known.or_else(application).unwrap_or_else(|| address.bare().to_owned())
    }

    /// Whether an invitation of `caller` reaches `owner` (block rules of `domain.md` 5.8).
    pub fn reach(&self, owner: &Address, caller: &Address) -> Reach {
        self.user(owner).map_or(Reach::Allow, |u| u.reach(self.config, caller))
    }

    /// Sends a request down an endpoint's connection; a Via of ours is put on top. The reply comes to `on_reply`.
    /// When the endpoint is gone the reply is [`Reply::Lost`], after this call has returned.
    pub fn send(&mut self, to: RegistrationId, request: Request) -> Token {
        let flow = self.registration(to).map_or(NO_FLOW, |r| r.flow);
        self.send_on(flow, request)
    }

    /// As [`Ctx::send`], to a connection.
    pub fn send_on(&mut self, flow: FlowId, mut request: Request) -> Token {
        *self.next_token += 1;
        let token = Token(*self.next_token);
        // Who has not signed in yet is asked nothing but over the connection that brought the REGISTER.
        let secure = self.state.registrations.on_flow(flow).next().is_none_or(|r| r.secure);
        self.push_via(&mut request, secure);
        self.actions.push(Action::Send { module: self.module, token, flow, request });
        token
    }

    /// Sends without transaction (ACK, BENOTIFY); a Via of ours is put on top. Lost when the endpoint is gone.
    pub fn send_stateless(&mut self, to: RegistrationId, mut request: Request) {
        if let Some((flow, secure)) = self.registration(to).map(|r| (r.flow, r.secure)) {
            self.push_via(&mut request, secure);
            self.actions.push(Action::SendStateless(flow, request));
        }
    }

    /// CANCELs an INVITE sent with [`Ctx::send`].
    pub fn cancel(&mut self, token: Token) {
        self.actions.push(Action::Cancel(token, None));
    }

    /// CANCELs an INVITE sent with [`Ctx::send`], with a `Reason` header.
    pub fn cancel_because(&mut self, token: Token, reason: &str) {
        self.actions.push(Action::Cancel(token, Some(reason.to_owned())));
    }

    /// Answers; nothing happens for requests that are never answered.
    pub fn respond(&mut self, tx: Option<ServerTx>, response: Response) {
        if let Some(tx) = tx {
            self.actions.push(Action::Respond(tx, response));
        }
    }

    /// Answers with a status, `Server` and nothing else. A To tag is added.
    pub fn respond_status(&mut self, incoming: &Incoming, status: u16) {
        let response = self.response(&incoming.request, status);
        self.respond(incoming.tx, response);
    }

    /// Answers with a status and `ms-diagnostics`.
    pub fn refuse(&mut self, incoming: &Incoming, status: u16, code: u32, reason: &str) {
        let host = &self.config.host;
        let text = format!("{code};reason=\"{reason}\";source=\"{host}\"");
        let response = self.response(&incoming.request, status).with(Name::MsDiagnostics, text);
        self.respond(incoming.tx, response);
    }

    /// As [`Ctx::refuse`], with one more header.
    pub fn refuse_with(&mut self, incoming: &Incoming, status: u16, code: u32, reason: &str, (name, value): (Name, &str)) {
        let host = &self.config.host;
        let text = format!("{code};reason=\"{reason}\";source=\"{host}\"");
        let response = self.response(&incoming.request, status).with(Name::MsDiagnostics, text).with(name, value);
        self.respond(incoming.tx, response);
    }

    /// A response with the headers every response has; a To tag is added where there is none.
    pub fn response(&mut self, request: &Request, status: u16) -> Response {
        let tag = self.rng.hex(16);
        request.response(status, &tag)
    }

    /// Keeps a change for ever.
    pub fn store(&mut self, op: StoreOp) {
        self.actions.push(Action::Store(op));
    }

    /// Says something in the log.
    pub fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.actions.push(Action::Log(level, text.into()));
    }

    /// The server's own Contact on the connection of an endpoint.
    pub fn contact(&self, flow_is_secure: bool) -> String {
        self.config.contact(flow_is_secure)
    }

    /// Puts our Via (with a fresh branch) on top.
    pub fn push_via(&mut self, request: &mut Request, secure: bool) {
        let branch = self.rng.hex(24);
        let (transport, port) = if secure { ("TLS", self.config.port) } else { ("TCP", self.config.tcp_port) };
        let via = format!("SIP/2.0/{transport} {}:{port};branch=z9hG4bK{branch}", self.config.host);
        request.headers.push_front(Name::Via, via);
    }

    /// A request of the server outside any dialog, with From, To, Max-Forwards, Call-ID and CSeq; Via comes on sending.
    pub fn request(&mut self, method: Method, target: &Uri, from: &str, to: &str) -> Request {
        let (tag, call_id) = (self.rng.hex(16), self.rng.hex(32));
        let cseq = format!("1 {method}");
        Request::new(method, target.clone())
            .with(Name::MaxForwards, "70")
            .with(Name::From, format!("<{from}>;tag={tag}"))
            .with(Name::To, format!("<{to}>"))
            .with(Name::CallId, call_id)
            .with(Name::CSeq, cseq)
    }
}

/// No flow has this number.
pub const NO_FLOW: FlowId = FlowId(u64::MAX);
