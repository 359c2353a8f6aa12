//! The machine: flows, transactions and the way of a request to its module.
//!
//! Contract: after every call that takes `now`, drain [`Server::poll_output`], then wait until [`Server::poll_timeout`]
//! or new input.

use super::ctx::NO_FLOW;
use super::{Action, Config, Ctx, Data, Incoming, LogLevel, Module, ModuleId, Reply, State, StoreOp, Token, User};
use crate::domain::{Rng, Time};
use crate::frontend::conferencing::Conferencing;
use crate::frontend::routing::Routing;
use crate::sip::{ClientTx, FlowId, Layer, ServerTx};
use std::collections::{HashMap, VecDeque};

/// What the adapter does for the machine.
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

/// The front end of one or more domains.
#[derive(Debug)]
pub struct Server {
    config: Config,
    rng: Rng,
    layer: Layer,
    state: State,
    routing: Routing,
    conferencing: Conferencing,
    next_token: u64,
    sent: HashMap<ClientTx, (ModuleId, Token)>,
    tokens: HashMap<Token, ClientTx>,
    owners: HashMap<ServerTx, ModuleId>,
    actions: Vec<Action>,
    outputs: VecDeque<Output>,
}

impl Server {
    /// A front end with what was kept.
    pub fn new(config: Config, data: Data, mut rng: Rng) -> Server {
        let users = data.users.into_iter().map(|u| (u.record.address.clone(), User::new(u))).collect();
        Server {
            config,
            layer: Layer::new(rng.fork()),
            rng,
            state: State { users, ..State::default() },
            routing: Routing::default(),
            conferencing: Conferencing::new(data.conferences),
            next_token: 0,
            sent: HashMap::new(),
            tokens: HashMap::new(),
            owners: HashMap::new(),
            actions: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// A connection was accepted. `peer` is for the log and Via, `secure` means TLS.
    pub fn handle_open(&mut self, _now: Time, _flow: FlowId, _peer: String, _secure: bool) {}

    /// Octets came.
    pub fn handle_bytes(&mut self, _now: Time, _flow: FlowId, _bytes: &[u8]) {}

    /// The connection is gone.
    pub fn handle_closed(&mut self, now: Time, flow: FlowId) {
        self.layer.flow_closed(now, flow);
        self.pump(now);
    }

    /// Due timers fire.
    pub fn handle_timeout(&mut self, now: Time) {
        self.layer.handle_timeout(now);
        self.pump(now);
    }

    /// When to call [`Server::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.layer.poll_timeout(), self.routing.poll_timeout(), self.conferencing.poll_timeout()].into_iter().flatten().min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Accounts and registrations, for tests and for `doctor`.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn pump(&mut self, now: Time) {
        loop {
            let Some(event) = self.layer.poll_event() else { break };
            let _ = event;
            self.run_actions(now);
        }
    }

    /// Lets a module do something, then does what it asked for.
    fn with_module(&mut self, now: Time, module: ModuleId, call: impl FnOnce(&mut dyn Module, &mut Ctx<'_>)) {
        let mut ctx = Ctx {
            now,
            rng: &mut self.rng,
            config: &self.config,
            state: &mut self.state,
            module,
            actions: &mut self.actions,
            next_token: &mut self.next_token,
        };
        let target: &mut dyn Module = match module {
            ModuleId::Conferencing => &mut self.conferencing,
            _ => &mut self.routing,
        };
        call(target, &mut ctx);
        self.run_actions(now);
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
            Action::Send { module, token, flow, .. } if flow == NO_FLOW => {
                self.with_module(now, module, |m, ctx| m.on_reply(ctx, token, Reply::Lost));
            }
            Action::Send { module, token, flow, request } => {
                let tx = self.layer.send(now, flow, true, request);
                self.sent.insert(tx, (module, token));
                self.tokens.insert(token, tx);
            }
            Action::SendStateless(flow, request) => self.layer.send_stateless(flow, crate::sip::Message::Request(request)),
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
            Action::Close(flow) => self.outputs.push_back(Output::Close(flow)),
            Action::RegistrationLost(r) => {
                for m in [ModuleId::Routing, ModuleId::Conferencing] {
                    self.with_module(now, m, |module, ctx| module.on_registration_lost(ctx, &r));
                }
            }
            Action::RegistrationAdded(id) => {
                for m in [ModuleId::Routing, ModuleId::Conferencing] {
                    self.with_module(now, m, |module, ctx| module.on_registration_added(ctx, id));
                }
            }
        }
    }

    /// Hands an authenticated request to its module.
    #[allow(dead_code)]
    fn dispatch(&mut self, now: Time, incoming: Incoming) {
        self.with_module(now, ModuleId::Routing, |m, ctx| m.on_request(ctx, incoming));
    }
}
