//! The machine of one signed-in user or trusted application: it owns the link's octets, transactions, signatures and services.
//!
//! Contract: after every call that takes `now`, drain [`UserEndpoint::poll_output`] and [`UserEndpoint::poll_event`], then
//! wait until [`UserEndpoint::poll_timeout`] or new input. The link is single: [`Output::Connect`] opens it and is answered by
//! [`UserEndpoint::handle_connected`] or [`UserEndpoint::handle_connect_failed`]; [`Output::Close`] ends it without an answer.

mod dispatch;
#[cfg(test)]
mod tests;
mod under_way;
mod wire;

pub use under_way::UnderWay;

pub use super::config::{Config, Dialect, EndpointKind, Output};

use super::application;
use super::conferences::Conferences;
use super::contacts::Contacts;
use super::conversations::Conversations;
use super::directory::Directory;
use super::provisioning::Provisioning;
use super::publication::Publications;
use super::registration::{Facts, Step};
use super::security;
use super::service::{Action, Ctx, Identity, InternalEvent, Reply, Service, ServiceId, Token};
use super::simple;
use super::standing::Standing;
use super::subscription::Subscriptions;
use super::web::{Next, Web, WebAnswer};
use super::{EndpointState, Error, ErrorKind, Event, Feature, FileNews, Operation, OperationId, PipeId, PipeNews};
use crate::domain::file::TransferId;
use crate::domain::{Rng, Time};
use crate::sip::framing::Framer;
use crate::sip::{ClientTx, FlowId, Layer, Server, ServerTx, Transport};
use std::collections::{BTreeMap, VecDeque};
use wire::{Aside, Open};

/// One endpoint: a user's, or an application's where the configuration says so.
#[derive(Debug)]
pub struct UserEndpoint {
    now: Time,
    rng: Rng,
    me: Identity,
    online: bool,
    trace: bool,
    kind: EndpointKind,
    /// In the order in which they are asked.
    services: &'static [ServiceId],
    registration: Standing,
    register: Option<ClientTx>,
    framer: Framer,
    layer: Layer,
    flow: FlowId,
    /// Where the link leads.
    server: Option<Server>,
    /// The link is a stream.
    reliable: bool,
    aside: Aside,
    /// As the account wants it.
    wanted_transport: Transport,
    linked: bool,
    next_token: u64,
    sent: BTreeMap<ClientTx, (ServiceId, Token)>,
    /// Answered INVITEs whose further 2xx (of other forks) may still come, and until when.
    answered: VecDeque<(Time, ClientTx)>,
    invites: BTreeMap<ServerTx, ServiceId>,
    actions: Vec<Action>,
    events: VecDeque<Event>,
    outputs: VecDeque<Output>,
    contacts: Contacts,
    publications: Publications,
    subscriptions: Subscriptions,
    provisioning: Provisioning,
    directory: Directory,
    conversations: Conversations,
    conferences: Conferences,
    /// The services of the standard dialect stand in the places of those above.
    simple: Option<Box<simple::Services>>,
    /// What is missing was told.
    told_missing: bool,
    /// What was due until then the services have been told, and nothing has happened since: one that left something due would
    /// wake the endpoint for ever.
    told: Option<Time>,
    /// HTTP requests under way.
    web: Web,
    /// Requests that may leave again (`simple.md` 1.9).
    open: BTreeMap<ClientTx, Open>,
}

impl UserEndpoint {
    /// A machine that is Idle.
    pub fn new(config: Config, mut rng: Rng) -> UserEndpoint {
        let (categories, wanted_transport) = (config.categories.clone(), config.transport);
        let simple = (config.dialect == Dialect::Simple).then(|| Box::new(simple::Services::new(&config)));
        let (login, password) = (security::digest_user(&config), config.password.clone());
        UserEndpoint {
            now: Time::default(),
            me: identity(&config),
            online: false,
            trace: config.trace,
            kind: config.kind,
            services: application::services(&config),
            registration: Standing::new(config, rng.fork()),
            register: None,
            framer: framer(),
            layer: Layer::new(rng.fork()),
            flow: FlowId(0),
            server: None,
            reliable: true,
            aside: Aside::new(),
            wanted_transport,
            linked: false,
            next_token: 0,
            sent: BTreeMap::new(),
            answered: VecDeque::new(),
            invites: BTreeMap::new(),
            actions: Vec::new(),
            events: VecDeque::new(),
            outputs: VecDeque::new(),
            contacts: Contacts::new(rng.fork()),
            publications: Publications::new(rng.fork()),
            subscriptions: Subscriptions::new(categories, rng.fork()),
            provisioning: Provisioning::default(),
            directory: Directory::default(),
            conversations: Conversations::new(rng.fork()),
            conferences: Conferences::new(rng.fork()),
            simple,
            told_missing: false,
            told: None,
            web: Web::new(&login, &password, rng.fork()),
            open: BTreeMap::new(),
            rng,
        }
    }

    /// State of `domain.md` 3.1.
    pub fn state(&self) -> EndpointState {
        self.registration.state()
    }

    /// Starts an operation; it ends with exactly one [`Event::Completed`] of this id.
    pub fn operate(&mut self, now: Time, id: OperationId, operation: Operation) {
        self.now = now;
        if let Some(error) = application::refusal(self.kind, &operation) {
            self.events.push_back(Event::Completed { id, result: Err(error) });
            return;
        }
        match operation {
            Operation::Drain => self.drain(id),
            Operation::SignIn => self.registration.sign_in(now, id),
            Operation::SignOut => self.registration.sign_out(now, id),
            operation => self.offer(id, &operation),
        }
        self.settle();
    }

    /// No new work from now on; `settle` ends the endpoint when nothing runs any more.
    fn drain(&mut self, id: OperationId) {
        if let Standing::Trusted(trusted) = &mut self.registration
            && trusted.drain(id)
        {
            self.each(|service, ctx| service.on_internal(ctx, &InternalEvent::Draining));
        }
    }

    fn offer(&mut self, id: OperationId, operation: &Operation) {
        let taken = self.services.iter().any(|s| self.call(*s, |service, ctx| service.on_operation(ctx, id, operation)));
        if !taken {
            let why = if operation.is_about_files() { NO_FILES } else { "This is not possible just now." };
            let error = Error::new(ErrorKind::InvalidOperation, why);
            self.events.push_back(Event::Completed { id, result: Err(error) });
        }
    }

    /// The link is open; `local` is our side as `host:port`.
    pub fn handle_connected(&mut self, now: Time, local: String) {
        self.now = now;
        self.linked = true;
        self.me.sent_by = local.clone();
        self.registration.on_connected(now, local);
        self.settle();
    }

    /// The link could not be opened.
    pub fn handle_connect_failed(&mut self, now: Time, error: Error) {
        self.now = now;
        self.trace_note(format!("no connection: {error}"));
        self.registration.on_connect_failed(now, error);
        self.settle();
    }

    /// Octets came: some of a stream, or one whole datagram.
    pub fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.now = now;
        if !self.linked {
            return;
        }
        self.registration.on_received(bytes);
        if self.reliable {
            self.on_stream(bytes);
        } else {
            self.on_datagram(bytes);
        }
        self.settle();
    }

    /// The other side closed the link, or it broke.
    pub fn handle_disconnected(&mut self, now: Time, reason: String) {
        self.now = now;
        if self.linked {
            self.trace_note(format!("connection lost: {reason}"));
            self.lose(&reason);
        }
        self.settle();
    }

    /// The answer to an [`Output::Web`], or the sentence that says why none came.
    pub fn handle_web(&mut self, now: Time, id: u64, answer: Result<WebAnswer, String>) {
        self.now = now;
        self.trace_note(match &answer {
            Ok(a) => format!("HTTP {} ({} octets)", a.status, a.body.len()),
            Err(why) => format!("HTTP: {why}"),
        });
        match self.web.answered(id, answer.as_ref().ok()) {
            Next::Nothing => {}
            Next::Again(request) => self.ask_web(request),
            Next::For(service, token) => self.call(service, |s, ctx| s.on_web(ctx, token, answer)),
        }
        self.settle();
    }

    /// Something is heard of a connection beside the link.
    pub fn handle_pipe(&mut self, now: Time, pipe: PipeId, news: PipeNews) {
        self.now = now;
        // Each knows its own connections and leaves the others alone.
        let at: &[ServiceId] =
            if self.simple.is_some() { &[ServiceId::Conferences, ServiceId::Conversations] } else { &[ServiceId::Conversations] };
        for service in at {
            let news = news.clone();
            self.call(*service, |s, ctx| s.on_pipe(ctx, pipe, news));
        }
        self.settle();
    }

    /// Something is heard of a file.
    pub fn handle_file(&mut self, now: Time, transfer: &TransferId, news: FileNews) {
        self.now = now;
        self.call(ServiceId::Conversations, |s, ctx| s.on_file(ctx, transfer, news));
        self.settle();
    }

    /// The time of [`UserEndpoint::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        self.layer.handle_timeout(now);
        self.forget_answered();
        self.registration.on_timeout(now);
        self.settle();
        for s in self.services {
            self.call(*s, |service, ctx| {
                if service.poll_timeout().is_some_and(|t| t <= ctx.now) {
                    service.on_timeout(ctx);
                }
            });
        }
        self.told = Some(now);
        self.settle();
    }

    /// When to call [`UserEndpoint::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let services: [&dyn Service; 7] = [
            &self.contacts,
            &self.publications,
            &self.subscriptions,
            &self.provisioning,
            &self.directory,
            &self.conversations,
            &self.conferences,
        ];
        let simple = self.simple.iter().flat_map(|s| s.all());
        let services = services.into_iter().chain(simple).filter_map(Service::poll_timeout);
        let services = services.filter(|t| self.told.is_none_or(|told| *t > told));
        services.chain(self.layer.poll_timeout()).chain(self.registration.poll_timeout()).min()
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
        let service: &mut dyn Service = match (id, &mut self.simple) {
            (id, Some(simple)) => simple.service(id),
            (ServiceId::Contacts, None) => &mut self.contacts,
            (ServiceId::Publication, None) => &mut self.publications,
            (ServiceId::Subscription, None) => &mut self.subscriptions,
            (ServiceId::Provisioning, None) => &mut self.provisioning,
            (ServiceId::Directory, None) => &mut self.directory,
            (ServiceId::Conversations, None) => &mut self.conversations,
            // On this dialect the server keeps the meetings.
            (ServiceId::Conferences | ServiceId::Scheduling, None) => &mut self.conferences,
        };
        self.told = None;
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

    /// Does what the registration and the services asked for, until nothing is left to do.
    fn settle(&mut self) {
        loop {
            if let Some(step) = self.registration.poll_step() {
                self.step(step);
            } else if let Some(t) = self.layer.poll_transmit() {
                self.transmit_on(t.flow, t.message);
            } else if let Some(event) = self.layer.poll_event() {
                self.on_layer(event);
            } else if self.actions.is_empty() {
                match &mut self.registration {
                    Standing::Trusted(trusted) if drained(trusted.state(), &self.conversations) => trusted.leave(self.now),
                    _ => return,
                }
            }
            for action in std::mem::take(&mut self.actions) {
                self.act(action);
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Locate => self.locate(),
            Step::Connect { server, names } => self.connect(server, names),
            Step::Register(mut request) => {
                self.authorize(&mut request);
                self.register = Some(self.layer.send(self.now, self.flow, self.reliable, request));
            }
            Step::Close => self.close(),
            Step::Online(facts) => {
                self.note(facts);
                self.online = true;
                self.tell_missing();
                self.each(|service, ctx| service.on_online(ctx));
            }
            Step::Refreshed(facts) => self.note(facts),
            Step::Offline => self.go_offline(),
            Step::Goodbye => self.goodbye(),
            Step::Emit(event) => self.events.push_back(event),
            Step::KeepAlive => self.outputs.push_back(Output::Send(b"\r\n\r\n".to_vec())),
            Step::UserServices(there) => self.user_services(there),
        }
    }

    /// What the dialect itself cannot, once.
    fn tell_missing(&mut self) {
        if self.simple.is_none() && !std::mem::replace(&mut self.told_missing, true) {
            self.events.push_back(Event::Missing { what: Feature::Files, why: Some(NO_FILES.into()) });
        }
    }

    fn note(&mut self, facts: Facts) {
        self.me.contact = facts.contact;
        self.me.events = facts.events;
        self.me.routes = facts.routes;
    }

    /// Contacts and presence went or came back while the registration stands (`domain.md` 4.3).
    fn user_services(&mut self, there: bool) {
        for s in [ServiceId::Contacts, ServiceId::Publication, ServiceId::Subscription] {
            self.call(s, |service, ctx| if there { service.on_online(ctx) } else { service.on_offline(ctx) });
        }
        if !there {
            let text = "Contacts and presence are unavailable on the server just now; messages still work.";
            self.events.push_back(Event::Notice(text.into()));
        }
    }

    fn each(&mut self, mut f: impl FnMut(&mut dyn Service, &mut Ctx<'_>)) {
        for s in self.services {
            self.call(*s, |service, ctx| f(service, ctx));
        }
    }

    /// Services say goodbye; what they send leaves before the deregistration that follows.
    fn goodbye(&mut self) {
        self.each(|service, ctx| service.on_sign_out(ctx));
        for action in std::mem::take(&mut self.actions) {
            self.act(action);
        }
        while let Some(t) = self.layer.poll_transmit() {
            self.transmit_on(t.flow, t.message);
        }
    }

    fn go_offline(&mut self) {
        if !self.online {
            return;
        }
        self.online = false;
        self.answered.clear();
        self.open.clear();
        for (_, (s, token)) in std::mem::take(&mut self.sent) {
            self.call(s, |service, ctx| service.on_reply(ctx, token, Reply::LinkLost));
        }
        self.invites.clear();
        self.each(|service, ctx| service.on_offline(ctx));
    }

    fn close(&mut self) {
        self.linked = false;
        self.register = None;
        self.layer.flow_closed(self.now, self.flow);
        self.layer.flow_closed(self.now, self.aside_flow());
        self.outputs.push_back(Output::Close);
    }

    fn lose(&mut self, reason: &str) {
        self.linked = false;
        self.register = None;
        self.layer.flow_closed(self.now, self.flow);
        self.layer.flow_closed(self.now, self.aside_flow());
        self.registration.on_disconnected(self.now, reason);
    }
}

/// Why no files go here.
const NO_FILES: &str = "Files go only over standard SIP: this server has no way for them that adsum knows. Send a link.";

/// Whether a drain is complete.
fn drained(state: EndpointState, conversations: &Conversations) -> bool {
    state == EndpointState::Draining && conversations.running() == 0
}

fn identity(config: &Config) -> Identity {
    Identity {
        uri: config.uri.clone(),
        display_name: config.display_name.clone(),
        epid: config.epid.clone(),
        instance: crate::lync::identity::instance_id(&config.epid),
        contact: config.uri.to_string(),
        sent_by: "0.0.0.0".into(),
        transport: config.transport,
        routes: Vec::new(),
        user_agent: config.user_agent.clone(),
        events: None,
        machine_name: config.machine_name.clone(),
        utc_offset_minutes: config.utc_offset_minutes,
        publish: config.publish,
        talks: config.talks,
        custom_statuses: config.custom_statuses.clone(),
        lcid: config.lcid,
        server: None,
    }
}

fn framer() -> Framer {
    Framer::with_max_body(super::limits::MAX_MESSAGE_BYTES)
}
