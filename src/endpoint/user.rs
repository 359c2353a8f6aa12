//! The machine of one signed-in user: it owns the link's octets, transactions, signatures and services.
//!
//! Contract: after every call that takes `now`, drain [`UserEndpoint::poll_output`] and [`UserEndpoint::poll_event`], then
//! wait until [`UserEndpoint::poll_timeout`] or new input. The link is single: [`Output::Connect`] opens it and is answered by
//! [`UserEndpoint::handle_connected`] or [`UserEndpoint::handle_connect_failed`]; [`Output::Close`] ends it without an answer.

use super::conferences::Conferences;
use super::contacts::Contacts;
use super::conversations::Conversations;
use super::directory::Directory;
use super::publication::Publications;
use super::service::{Action, Ctx, Handled, Identity, InternalEvent, Reply, Service, ServiceId, Token};
use super::subscription::Subscriptions;
use super::{Error, ErrorKind, Event, Operation, OperationId, WireRecord};
use crate::domain::{Address, Rng, Time};
use crate::sip::transaction::{self, Failure};
use crate::sip::{ClientTx, FlowId, Layer, Message, Method, Request, Response, ServerTx};
use std::collections::{HashMap, VecDeque};
use zeroize::Zeroizing;

/// Everything an endpoint must know to sign in.
#[derive(Clone)]
pub struct Config {
    /// Own address.
    pub uri: Address,
    /// `DOMAIN\user` or `user@domain`; `None`: the address.
    pub login: Option<String>,
    /// The password; wiped when dropped.
    pub password: Zeroizing<String>,
    /// Server host.
    pub host: String,
    /// Server port.
    pub port: u16,
    /// TLS, or plain TCP.
    pub tls: bool,
    /// 10 hexadecimal digits, chosen once per installation (`lync.md` 1.4).
    pub epid: String,
    /// Own name for others; may be empty.
    pub display_name: String,
    /// `User-Agent`.
    pub user_agent: String,
    /// Name of this computer, in the NTLM message and in the device publication.
    pub machine_name: String,
    /// Minutes east of UTC, for the device publication.
    pub utc_offset_minutes: i32,
    /// Publish device and machine state at sign-in (`domain.md` 3.11).
    pub publish: bool,
    /// Sign in again by itself, with back-off, after a lost link or an unreachable server.
    pub reconnect: bool,
}

impl Config {
    /// The usual settings for TLS on 5061 of the address's own domain.
    pub fn new(uri: Address, password: &str) -> Config {
        Config {
            host: uri.host().to_owned(),
            uri,
            login: None,
            password: Zeroizing::new(password.to_owned()),
            port: 5061,
            tls: true,
            epid: "0000000000".into(),
            display_name: String::new(),
            user_agent: concat!("adsum/", env!("CARGO_PKG_VERSION")).into(),
            machine_name: "terminal".into(),
            utc_offset_minutes: 0,
            publish: true,
            reconnect: false,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("uri", &self.uri)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// What the machine wants from the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open the link.
    Connect {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// TLS, or plain TCP.
        tls: bool,
    },
    /// Send octets on the link.
    Send(Vec<u8>),
    /// Close the link.
    Close,
    /// For the Wire pane.
    Trace(WireRecord),
}

/// The order in which services are asked.
const SERVICES: [ServiceId; 6] = [
    ServiceId::Contacts,
    ServiceId::Publication,
    ServiceId::Subscription,
    ServiceId::Directory,
    ServiceId::Conversations,
    ServiceId::Conferences,
];

/// One user's endpoint.
#[derive(Debug)]
pub struct UserEndpoint {
    config: Config,
    now: Time,
    rng: Rng,
    me: Identity,
    online: bool,
    layer: Layer,
    flow: FlowId,
    next_token: u64,
    sent: HashMap<ClientTx, (ServiceId, Token)>,
    invites: HashMap<ServerTx, ServiceId>,
    actions: Vec<Action>,
    events: VecDeque<Event>,
    outputs: VecDeque<Output>,
    contacts: Contacts,
    publications: Publications,
    subscriptions: Subscriptions,
    directory: Directory,
    conversations: Conversations,
    conferences: Conferences,
}

impl UserEndpoint {
    /// A machine that is Idle.
    pub fn new(config: Config, mut rng: Rng) -> UserEndpoint {
        let me = Identity {
            uri: config.uri.clone(),
            display_name: config.display_name.clone(),
            epid: config.epid.clone(),
            instance: String::new(),
            contact: String::new(),
            sent_by: "0.0.0.0".into(),
            transport: if config.tls { "TLS" } else { "TCP" },
            user_agent: config.user_agent.clone(),
        };
        UserEndpoint {
            now: Time::default(),
            me,
            online: false,
            layer: Layer::new(rng.fork()),
            flow: FlowId(0),
            next_token: 0,
            sent: HashMap::new(),
            invites: HashMap::new(),
            actions: Vec::new(),
            events: VecDeque::new(),
            outputs: VecDeque::new(),
            contacts: Contacts::new(rng.fork()),
            publications: Publications::new(rng.fork()),
            subscriptions: Subscriptions::new(rng.fork()),
            directory: Directory::default(),
            conversations: Conversations::new(rng.fork()),
            conferences: Conferences::new(rng.fork()),
            rng,
            config,
        }
    }

    /// Starts an operation; it ends with exactly one [`Event::Completed`] of this id.
    pub fn operate(&mut self, now: Time, id: OperationId, operation: Operation) {
        self.now = now;
        let taken = SERVICES.into_iter().any(|s| self.call(s, |service, ctx| service.on_operation(ctx, id, &operation)));
        if !taken {
            let error = Error::new(ErrorKind::InvalidOperation, "this is not possible now");
            self.events.push_back(Event::Completed { id, result: Err(error) });
        }
        self.settle();
    }

    /// The link is open; `local` is our side as `host:port`.
    pub fn handle_connected(&mut self, now: Time, local: String) {
        self.now = now;
        self.me.sent_by = local;
        self.settle();
    }

    /// The link could not be opened.
    pub fn handle_connect_failed(&mut self, now: Time, _error: Error) {
        self.now = now;
        self.settle();
    }

    /// Octets came.
    pub fn handle_bytes(&mut self, now: Time, _bytes: &[u8]) {
        self.now = now;
        self.settle();
    }

    /// The other side closed the link, or it broke.
    pub fn handle_disconnected(&mut self, now: Time, _reason: String) {
        self.now = now;
        self.layer.flow_closed(now, self.flow);
        self.settle();
    }

    /// The time of [`UserEndpoint::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        self.layer.handle_timeout(now);
        for s in SERVICES {
            self.call(s, |service, ctx| {
                if service.poll_timeout().is_some_and(|t| t <= ctx.now) {
                    service.on_timeout(ctx);
                }
            });
        }
        self.settle();
    }

    /// When to call [`UserEndpoint::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let services: [&dyn Service; 6] =
            [&self.contacts, &self.publications, &self.subscriptions, &self.directory, &self.conversations, &self.conferences];
        services.iter().filter_map(|s| s.poll_timeout()).chain(self.layer.poll_timeout()).min()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn call<R>(&mut self, id: ServiceId, f: impl FnOnce(&mut dyn Service, &mut Ctx<'_>) -> R) -> R {
        let service: &mut dyn Service = match id {
            ServiceId::Contacts => &mut self.contacts,
            ServiceId::Publication => &mut self.publications,
            ServiceId::Subscription => &mut self.subscriptions,
            ServiceId::Directory => &mut self.directory,
            ServiceId::Conversations => &mut self.conversations,
            ServiceId::Conferences => &mut self.conferences,
        };
        let mut ctx = Ctx {
            now: self.now,
            rng: &mut self.rng,
            me: &self.me,
            service: id,
            online: self.online,
            actions: &mut self.actions,
            next_token: &mut self.next_token,
        };
        f(service, &mut ctx)
    }

    /// Does what the services asked for, until nothing is left to do.
    fn settle(&mut self) {
        loop {
            let actions = std::mem::take(&mut self.actions);
            let idle = actions.is_empty();
            for action in actions {
                self.act(action);
            }
            while let Some(t) = self.layer.poll_transmit() {
                self.transmit(t.message);
            }
            match self.layer.poll_event() {
                Some(event) => self.on_layer(event),
                None if idle && self.actions.is_empty() => return,
                None => {}
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { service, token, request } => {
                let tx = self.layer.send(self.now, self.flow, true, request);
                self.sent.insert(tx, (service, token));
            }
            Action::SendStateless(request) => self.layer.send_stateless(self.flow, Message::Request(request)),
            Action::Cancel(service, token) => {
                let found = self.sent.iter().find(|(_, v)| **v == (service, token)).map(|(tx, _)| *tx);
                if let Some(tx) = found {
                    self.layer.cancel(self.now, tx);
                }
            }
            Action::Respond(tx, response) => {
                if response.is_final() {
                    self.invites.remove(&tx);
                }
                self.layer.respond(self.now, tx, response);
            }
            Action::Emit(event) => self.events.push_back(event),
            Action::Internal(from, event) => self.tell(from, &event),
        }
    }

    fn tell(&mut self, from: ServiceId, event: &InternalEvent) {
        for s in SERVICES.into_iter().filter(|s| *s != from) {
            self.call(s, |service, ctx| service.on_internal(ctx, event));
        }
    }

    fn transmit(&mut self, message: Message) {
        self.outputs.push_back(Output::Send(message.to_bytes()));
    }

    fn on_layer(&mut self, event: transaction::Event) {
        match event {
            transaction::Event::Request { tx, request, .. } => self.on_request(tx, request),
            transaction::Event::Cancelled { tx, cancel } => {
                if let Some(s) = self.invites.get(&tx).copied() {
                    self.call(s, |service, ctx| service.on_cancel(ctx, tx, &cancel));
                }
            }
            transaction::Event::Response { tx, response } => self.on_response(tx, response),
            transaction::Event::Failed { tx, failure } => {
                let reply = match failure {
                    Failure::Timeout => Reply::Timeout,
                    Failure::Transport => Reply::LinkLost,
                };
                if let Some((s, token)) = self.sent.remove(&tx) {
                    self.call(s, |service, ctx| service.on_reply(ctx, token, reply));
                }
            }
        }
    }

    fn on_response(&mut self, tx: ClientTx, response: Response) {
        // A 2xx to INVITE may come again (another fork), so the entry of an INVITE stays until its transaction fails or the link goes.
        let keep =
            !response.is_final() || response.headers.cseq().is_some_and(|c| c.method == Method::Invite && response.is_success());
        let Some((s, token)) = (if keep { self.sent.get(&tx).copied() } else { self.sent.remove(&tx) }) else {
            return;
        };
        self.call(s, |service, ctx| service.on_reply(ctx, token, Reply::Response(response)));
    }

    fn on_request(&mut self, tx: Option<ServerTx>, mut request: Request) {
        let invite = request.method == Method::Invite;
        for s in SERVICES {
            match self.call(s, |service, ctx| service.on_request(ctx, tx, request)) {
                Handled::Yes => {
                    if let (true, Some(tx)) = (invite, tx) {
                        self.invites.insert(tx, s);
                    }
                    return;
                }
                Handled::No(back) => request = back,
            }
        }
        if let Some(tx) = tx {
            let response = answer_to_stranger(&request, &self.rng.hex(10));
            self.layer.respond(self.now, tx, response);
        }
    }
}

/// What a request gets that no service wanted (`lync.md` 11, last lines).
fn answer_to_stranger(request: &Request, tag: &str) -> Response {
    match request.method {
        Method::Notify => request.response(200, tag),
        Method::Options => {
            request.response(200, tag).with("Allow", "INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, OPTIONS, NOTIFY, BENOTIFY, REFER")
        }
        Method::Message | Method::Info | Method::Bye | Method::Refer | Method::Update => request.response(481, tag),
        Method::Invite => request.response(480, tag),
        _ => request.response(501, tag),
    }
}
