//! The machine: flows, transactions and the way of a request to its module.
//!
//! Contract: after every call that takes `now`, drain [`Server::poll_output`], then wait until [`Server::poll_timeout`]
//! or new input.

mod dispatch;
mod flows;
mod guests;
mod under_way;

pub(super) use dispatch::event_of;
pub use under_way::UnderWay;

use super::contacts::Contacts;
use super::ctx::NO_FLOW;
use super::presence::Presence;
use super::registrar::Registrar;
use super::search::Search;
use super::security::Security;
use super::timers::Timers;
use super::{
    Action, Config, Ctx, Data, LogLevel, Module, ModuleId, Reply, State, StoreOp, Token, TrustedApplication, User, UserData,
    UserRecord,
};
use crate::domain::contact::DistributionGroup;
use crate::domain::{Address, Rng, Time};
use crate::frontend::conferencing::Conferencing;
use crate::frontend::routing::Routing;
use crate::sip::framing::{Frame, FrameError};
use crate::sip::limits::T1_64;
use crate::sip::transaction::{Event, Failure};
use crate::sip::{ClientTx, FlowId, Layer, Message, Method, Name, ServerTx, Transmit};
use flows::{Flow, Flows};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// What the adapter does for the machine.
// Short-lived; the adapter takes each at once.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Output {
    /// Octets for a connection.
    Send(FlowId, Vec<u8>),
    /// Close a connection once everything before has been written; no `handle_closed` is needed.
    Close(FlowId),
    /// Keep a change for ever.
    Store(StoreOp),
    /// A line for the log.
    Log(LogLevel, String),
}

/// All modules in the order in which they hear that an endpoint came or went.
const MODULES: [ModuleId; 6] =
    [ModuleId::Registrar, ModuleId::Contacts, ModuleId::Presence, ModuleId::Search, ModuleId::Routing, ModuleId::Conferencing];

/// The front end of one or more domains.
#[derive(Debug)]
pub struct Server {
    config: Config,
    rng: Rng,
    security: Security,
    layer: Layer,
    flows: Flows,
    flow_timers: Timers<FlowId>,
    state: State,
    registrar: Registrar,
    contacts: Contacts,
    presence: Presence,
    search: Search,
    routing: Routing,
    conferencing: Conferencing,
    next_token: u64,
    sent: HashMap<ClientTx, (ModuleId, Token)>,
    tokens: HashMap<Token, ClientTx>,
    /// Unanswered INVITEs: whose they are, and where they came from.
    owners: HashMap<ServerTx, (ModuleId, FlowId)>,
    actions: Vec<Action>,
    /// Answered INVITEs whose further 2xx (of other forks) may still come, and until when.
    answered: VecDeque<(Time, ClientTx)>,
    closing: Vec<FlowId>,
    outputs: VecDeque<Output>,
}

impl Server {
    /// A front end with what was kept.
    pub fn new(config: Config, data: Data, mut rng: Rng) -> Server {
        let mut server = Server {
            layer: Layer::new(rng.fork()),
            security: Security::new(&config, &mut rng),
            rng,
            flows: Flows::new(),
            flow_timers: Timers::default(),
            state: State::default(),
            registrar: Registrar::default(),
            contacts: Contacts::default(),
            presence: Presence::default(),
            search: Search,
            routing: Routing::new(data.kept),
            conferencing: Conferencing::new(data.conferences, data.running),
            next_token: 0,
            sent: HashMap::new(),
            tokens: HashMap::new(),
            owners: HashMap::new(),
            actions: Vec::new(),
            answered: VecDeque::new(),
            closing: Vec::new(),
            outputs: VecDeque::new(),
            config,
        };
        server.state.categories = data.categories.into_iter().collect();
        for user in data.users {
            server.load(user);
        }
        server.state.groups = data.groups.into_iter().map(|g| (g.address.clone(), g)).collect();
        for application in data.applications {
            server.state.applications.insert(application.address.clone(), application);
        }
        server
    }

    fn load(&mut self, data: UserData) {
        let address = data.record.address.clone();
        self.state.users.insert(address.clone(), User::new(data));
        self.presence.loaded(&mut self.state, &address);
    }

    /// A connection was accepted. `peer` is for the log and Via, `secure` means TLS.
    pub fn handle_open(&mut self, now: Time, flow: FlowId, peer: String, secure: bool) {
        let f = Flow::new(now, peer, secure);
        self.flow_timers.arm(f.deadline(false), flow);
        self.flows.insert(flow, f);
    }

    /// Likewise, from somebody who showed a certificate with this SHA-256 fingerprint and holds its key.
    pub fn handle_open_with(&mut self, now: Time, flow: FlowId, peer: String, certificate: &str) {
        self.handle_open(now, flow, peer, true);
        let application = self.state.application_of(certificate, now);
        if let Some(f) = self.flows.get_mut(&flow) {
            if application.is_none() {
                let text = format!("{}: its certificate {certificate} is not one of a trusted application", f.peer);
                self.outputs.push_back(Output::Log(LogLevel::Info, text));
            }
            f.application = application;
        }
    }

    /// Octets came.
    pub fn handle_bytes(&mut self, now: Time, flow: FlowId, bytes: &[u8]) {
        let Some(f) = self.flows.get_mut(&flow) else { return };
        f.seen = now;
        f.framer.push(bytes);
        while let Some(frame) = self.flows.get_mut(&flow).and_then(|f| f.framer.next()) {
            match frame {
                Ok(Frame::KeepAlive) => {}
                Ok(Frame::Message(message)) => {
                    self.layer.receive(now, flow, true, *message);
                    self.pump(now);
                }
                Err(error) => self.refuse_frame(now, flow, error),
            }
        }
        self.pump(now);
    }

    fn refuse_frame(&mut self, now: Time, flow: FlowId, error: FrameError) {
        let peer = self.flows.get(&flow).map_or("", |f| f.peer.as_str());
        self.outputs.push_back(Output::Log(LogLevel::Warn, format!("{peer}: message refused: {error}")));
        if let Some(answer) = error.answer {
            self.layer.send_stateless(flow, Message::Response(*answer));
        }
        if error.fatal {
            self.closing.push(flow);
        } else {
            self.count_fault(flow);
        }
        self.pump(now);
    }

    /// Somebody who goes on sending what is refused loses the connection.
    fn count_fault(&mut self, flow: FlowId) {
        let Some(f) = self.flows.get_mut(&flow) else { return };
        f.faults += 1;
        if f.faults >= super::limits::FAULTS_PER_FLOW {
            self.closing.push(flow);
        }
    }

    /// The connection is gone.
    pub fn handle_closed(&mut self, now: Time, flow: FlowId) {
        self.drop_flow(now, flow);
        self.pump(now);
    }

    fn drop_flow(&mut self, now: Time, flow: FlowId) {
        if self.flows.remove(&flow).is_none() {
            return;
        }
        self.layer.flow_closed(now, flow);
        self.owners.retain(|_, owner| owner.1 != flow);
        let gone: Vec<_> = self.state.registrations.on_flow(flow).map(|r| r.id).collect();
        for id in gone {
            self.with_registrar(now, |registrar, ctx| registrar.end(ctx, id));
        }
    }

    /// Due timers fire.
    pub fn handle_timeout(&mut self, now: Time) {
        self.layer.handle_timeout(now);
        self.forget_answered(now);
        while let Some(flow) = self.flow_timers.pop_due(now) {
            self.check_flow(now, flow);
        }
        for module in MODULES {
            if self.module(module).poll_timeout().is_some_and(|t| t <= now) {
                self.with_module(now, module, |m, ctx| m.on_timeout(ctx));
            }
        }
        self.pump(now);
    }

    fn check_flow(&mut self, now: Time, flow: FlowId) {
        let signed_in = self.state.registrations.on_flow(flow).next().is_some();
        let Some(f) = self.flows.get_mut(&flow) else { return };
        f.associations.forget_old(now);
        let deadline = f.deadline(signed_in);
        if deadline > now {
            self.flow_timers.arm(deadline, flow);
        } else {
            self.outputs.push_back(Output::Log(LogLevel::Info, format!("{}: closed after a long silence", f.peer)));
            self.closing.push(flow);
        }
    }

    /// When to call [`Server::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let modules = MODULES.iter().filter_map(|m| self.module_ref(*m).poll_timeout());
        modules.chain(self.layer.poll_timeout()).chain(self.flow_timers.next()).min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Accounts and registrations, for tests and for `doctor`.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Adds an account, or gives an existing one other values (a new password ends none of its sessions).
    pub fn put_user(&mut self, now: Time, record: UserRecord) {
        self.actions.push(Action::Store(StoreOp::PutUser(record.clone())));
        match self.state.users.get_mut(&record.address) {
            Some(user) => {
                let address = record.address.clone();
                user.record = record;
                self.with_presence(now, |presence, ctx| presence.record_changed(ctx, &address));
            }
            None => self.load(UserData::new(record)),
        }
        self.pump(now);
    }

    /// The category names that may be published besides those of the dialect. What is published under others stays until
    /// it ends or is deleted.
    pub fn set_categories(&mut self, names: Vec<String>) {
        let wanted: BTreeSet<String> = names.into_iter().collect();
        let gone = self.state.categories.difference(&wanted).cloned().map(StoreOp::DeleteCategory);
        let new = wanted.difference(&self.state.categories).cloned().map(StoreOp::PutCategory);
        let ops: Vec<StoreOp> = gone.chain(new).collect();
        self.outputs.extend(ops.into_iter().map(Output::Store));
        self.state.categories = wanted;
    }

    /// Takes an account away; its endpoints are told and lose their connections.
    pub fn remove_user(&mut self, now: Time, address: &Address) {
        let ids: Vec<_> = self.state.registrations.of_user(address).map(|r| r.id).collect();
        for id in ids {
            self.with_registrar(now, |registrar, ctx| registrar.dismiss(ctx, id, crate::lync::registration::Notice::Rejected));
        }
        if self.state.users.remove(address).is_some() {
            self.actions.push(Action::Store(StoreOp::RemoveUser(address.clone())));
            for module in MODULES {
                self.with_module(now, module, |m, ctx| m.on_user_removed(ctx, address));
            }
        }
        self.pump(now);
    }

    /// Takes over the distribution groups as they are now.
    pub fn set_groups(&mut self, groups: Vec<DistributionGroup>) {
        self.state.groups = groups.into_iter().map(|g| (g.address.clone(), g)).collect();
    }

    /// Lets the IM MCU die and start again, alone, to try the recovery of `domain.md` 8.5: the conferences and their focus go
    /// on, every chat ends, and what the MCU knew of messages is forgotten.
    pub fn fail_im_mcu(&mut self, now: Time) {
        let (rng, config, state) = (&mut self.rng, &self.config, &mut self.state);
        let (actions, next_token) = (&mut self.actions, &mut self.next_token);
        let mut ctx = Ctx { now, rng, config, state, module: ModuleId::Conferencing, actions, next_token };
        self.conferencing.fail_im_mcu(&mut ctx);
        self.pump(now);
    }

    /// Trusts an application from now on, or gives it another name or certificate; connections with an old one end.
    pub fn put_application(&mut self, now: Time, application: TrustedApplication) {
        self.end_application(now, &application.address);
        self.actions.push(Action::Store(StoreOp::PutApplication(application.clone())));
        self.state.applications.insert(application.address.clone(), application);
        self.pump(now);
    }

    /// Trusts an application no longer; its connections end.
    pub fn remove_application(&mut self, now: Time, address: &Address) {
        self.end_application(now, address);
        if self.state.applications.remove(address).is_some() {
            self.actions.push(Action::Store(StoreOp::RemoveApplication(address.clone())));
        }
        self.pump(now);
    }

    fn end_application(&mut self, now: Time, address: &Address) {
        let flows: Vec<_> = self.flows.iter().filter(|(_, f)| f.application.as_ref() == Some(address)).map(|f| *f.0).collect();
        self.closing.extend(flows);
        self.pump(now);
    }

    /// Works until nothing is left to do.
    fn pump(&mut self, now: Time) {
        loop {
            self.run_actions(now);
            if let Some(event) = self.layer.poll_event() {
                self.on_event(now, event);
                continue;
            }
            while let Some(transmit) = self.layer.poll_transmit() {
                self.transmit(transmit);
            }
            if self.closing.is_empty() && self.actions.is_empty() {
                break;
            }
            for flow in std::mem::take(&mut self.closing) {
                if self.flows.contains_key(&flow) {
                    self.outputs.push_back(Output::Close(flow));
                    self.drop_flow(now, flow);
                }
            }
        }
    }

    /// The one place where messages leave: signed for the endpoint that gets them.
    fn transmit(&mut self, transmit: Transmit) {
        let Some(flow) = self.flows.get_mut(&transmit.flow) else { return };
        let mut message = transmit.message;
        if let Message::Response(r) = &mut message {
            r.headers.set(Name::Server, super::registrar::SERVER);
        }
        flow.associations.sign(&mut self.rng, &mut message);
        self.outputs.push_back(Output::Send(transmit.flow, message.to_bytes()));
    }

    fn on_event(&mut self, now: Time, event: Event) {
        match event {
            Event::Request { flow, tx, request } => self.on_request(now, flow, tx, request),
            Event::Cancelled { tx, cancel } => {
                if let Some((module, _)) = self.owners.get(&tx).copied() {
                    self.with_module(now, module, |m, ctx| m.on_cancel(ctx, tx, cancel));
                }
            }
            Event::Response { tx, mut response } => {
                response.headers.remove(&Name::Authorization);
                response.headers.remove(&Name::ProxyAuthorization);
                let invite = response.headers.cseq().is_some_and(|c| c.method == Method::Invite);
                let more = invite && response.is_success();
                if more {
                    self.answered.push_back((now + T1_64, tx));
                }
                let last = response.is_final() && !more;
                self.reply(now, tx, Reply::Response(response), last);
                self.forget_answered(now);
            }
            Event::Failed { tx, failure } => {
                let reply = if failure == Failure::Timeout { Reply::Timeout } else { Reply::Lost };
                self.reply(now, tx, reply, true);
            }
        }
    }

    /// Transactions of answered INVITEs that are over in the layer, too.
    fn forget_answered(&mut self, now: Time) {
        while let Some((_, tx)) = self.answered.front().copied().filter(|a| a.0 <= now) {
            self.answered.pop_front();
            if let Some((_, token)) = self.sent.remove(&tx) {
                self.tokens.remove(&token);
            }
        }
    }

    fn reply(&mut self, now: Time, tx: ClientTx, reply: Reply, last: bool) {
        let Some((module, token)) = self.sent.get(&tx).copied() else { return };
        if last {
            self.sent.remove(&tx);
            self.tokens.remove(&token);
        }
        self.with_module(now, module, |m, ctx| m.on_reply(ctx, token, reply));
    }

    fn run_actions(&mut self, now: Time) {
        while !self.actions.is_empty() {
            for action in std::mem::take(&mut self.actions) {
                self.run(now, action);
            }
        }
    }

    fn run(&mut self, now: Time, action: Action) {
        match action {
            Action::Send { module, token, flow, .. } if flow == NO_FLOW || !self.flows.contains_key(&flow) => {
                self.with_module(now, module, |m, ctx| m.on_reply(ctx, token, Reply::Lost));
            }
            Action::Send { module, token, flow, request } => {
                let tx = self.layer.send(now, flow, true, request);
                self.sent.insert(tx, (module, token));
                self.tokens.insert(token, tx);
            }
            Action::SendStateless(flow, request) => self.layer.send_stateless(flow, Message::Request(request)),
            Action::Cancel(token, reason) => match (self.tokens.get(&token), reason) {
                (Some(tx), Some(reason)) => self.layer.cancel_because(now, *tx, &reason),
                (Some(tx), None) => self.layer.cancel(now, *tx),
                (None, _) => {}
            },
            Action::Respond(tx, response) => {
                if response.is_final() {
                    self.owners.remove(&tx);
                }
                self.layer.respond(now, tx, response);
            }
            Action::Store(op) => self.outputs.push_back(Output::Store(op)),
            Action::Log(level, text) => self.outputs.push_back(Output::Log(level, text)),
            Action::Close(flow) => self.closing.push(flow),
            Action::RegistrationLost(r) => {
                for m in MODULES {
                    self.with_module(now, m, |module, ctx| module.on_registration_lost(ctx, &r));
                }
            }
            Action::RegistrationAdded(id) => {
                for m in MODULES {
                    self.with_module(now, m, |module, ctx| module.on_registration_added(ctx, id));
                }
            }
        }
    }

    fn module(&mut self, module: ModuleId) -> &mut dyn Module {
        match module {
            ModuleId::Registrar => &mut self.registrar,
            ModuleId::Contacts => &mut self.contacts,
            ModuleId::Presence => &mut self.presence,
            ModuleId::Search => &mut self.search,
            ModuleId::Routing => &mut self.routing,
            ModuleId::Conferencing => &mut self.conferencing,
        }
    }

    fn module_ref(&self, module: ModuleId) -> &dyn Module {
        match module {
            ModuleId::Registrar => &self.registrar,
            ModuleId::Contacts => &self.contacts,
            ModuleId::Presence => &self.presence,
            ModuleId::Search => &self.search,
            ModuleId::Routing => &self.routing,
            ModuleId::Conferencing => &self.conferencing,
        }
    }

    /// Lets a module do something; what it asks for is done by the next [`Server::run_actions`].
    fn with_module(&mut self, now: Time, id: ModuleId, call: impl FnOnce(&mut dyn Module, &mut Ctx<'_>)) {
        let (rng, config, state) = (&mut self.rng, &self.config, &mut self.state);
        let (actions, next_token) = (&mut self.actions, &mut self.next_token);
        let mut ctx = Ctx { now, rng, config, state, module: id, actions, next_token };
        let module: &mut dyn Module = match id {
            ModuleId::Registrar => &mut self.registrar,
            ModuleId::Contacts => &mut self.contacts,
            ModuleId::Presence => &mut self.presence,
            ModuleId::Search => &mut self.search,
            ModuleId::Routing => &mut self.routing,
            ModuleId::Conferencing => &mut self.conferencing,
        };
        call(module, &mut ctx);
    }

    fn with_registrar(&mut self, now: Time, call: impl FnOnce(&mut Registrar, &mut Ctx<'_>)) {
        let (rng, config, state) = (&mut self.rng, &self.config, &mut self.state);
        let (actions, next_token) = (&mut self.actions, &mut self.next_token);
        let mut ctx = Ctx { now, rng, config, state, module: ModuleId::Registrar, actions, next_token };
        call(&mut self.registrar, &mut ctx);
    }

    fn with_presence(&mut self, now: Time, call: impl FnOnce(&mut Presence, &mut Ctx<'_>)) {
        let (rng, config, state) = (&mut self.rng, &self.config, &mut self.state);
        let (actions, next_token) = (&mut self.actions, &mut self.next_token);
        let mut ctx = Ctx { now, rng, config, state, module: ModuleId::Presence, actions, next_token };
        call(&mut self.presence, &mut ctx);
    }
}
