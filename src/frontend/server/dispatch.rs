//! Which module a request belongs to, and the check that comes before it.

use super::super::applications;
use super::super::ctx::Incoming;
use super::super::guests;
use super::super::security::Proof;
use super::super::{Registration, registrar};
use super::{LogLevel, ModuleId, Output, Server};
use crate::domain::{Address, Time};
use crate::sip::{FlowId, Message, Method, Name, Request, Response, ServerTx, Uri};

impl Server {
    /// A request as the transaction layer hands it up.
    pub(super) fn on_request(&mut self, now: Time, flow: FlowId, tx: Option<ServerTx>, request: Request) {
        let Some(f) = self.flows.get_mut(&flow) else { return };
        if let Some(application) = f.application.clone() {
            return self.on_trusted(now, flow, tx, request, &application);
        }
        if request.method == Method::Register {
            return self.on_register(now, flow, tx, request);
        }
        if f.associations.is_empty()
            && let Some(user) = guests::sender(&request)
        {
            return self.on_guest(now, flow, tx, request, user);
        }
        let message = Message::Request(request);
        let checked = f.associations.check(&message);
        let Message::Request(request) = message else { return };
        match checked {
            Ok(who) => self.hand_on(now, flow, tx, request, who),
            Err(status) => self.refuse(now, flow, tx, &request, status),
        }
    }

    /// A request on an application's connection.
    fn on_trusted(&mut self, now: Time, flow: FlowId, tx: Option<ServerTx>, mut request: Request, application: &Address) {
        let caller = match applications::caller(&self.state, application, &request) {
            Ok(caller) => caller,
            Err(status) => return self.refuse(now, flow, tx, &request, status),
        };
        let mut from = None;
        self.with_registrar(now, |_, ctx| from = applications::seat(ctx, flow, application, &request));
        self.run_actions(now);
        let Some(from) = from else { return self.refuse(now, flow, tx, &request, 400) };
        if request.method == Method::Register {
            // Its certificate has said more than a registration could.
            return self.refuse(now, flow, tx, &request, 405);
        }
        if let (Method::Options, Some(tx), true) = (&request.method, tx, self.is_for_server(&request.uri)) {
            let gruu = self.state.registrations.get(from).map(|r| format!("<{}>", r.gruu)).unwrap_or_default();
            let response = request.response(200, &self.rng.hex(16)).with(Name::Allow, ALLOW).with(Name::Contact, gruu);
            return self.layer.respond(now, tx, response);
        }
        request.headers.remove(&Name::PAssertedIdentity);
        if caller != *application {
            let name = request.headers.from().map(|f| f.display).unwrap_or_default();
            let quoted = if name.is_empty() { String::new() } else { format!("\"{}\" ", name.replace(['"', '\\'], "")) };
            request.headers.push(Name::PAssertedIdentity, format!("{quoted}<{caller}>"));
        }
        self.hand_to_module(now, Incoming { flow, tx, from, caller, request });
    }

    /// The sender is who it says; is it signed in, too?
    fn hand_on(&mut self, now: Time, flow: FlowId, tx: Option<ServerTx>, mut request: Request, who: (Address, String)) {
        let (caller, epid) = who;
        let here = |r: &&Registration| r.user == caller && (r.epid == epid || !r.lync);
        let from = self.state.registrations.on_flow(flow).find(here).map(|r| r.id);
        let Some(from) = from else {
            return self.refuse(now, flow, tx, &request, 403);
        };
        // What somebody asserts of themselves is no assertion of ours.
        for name in [Name::Authorization, Name::ProxyAuthorization, Name::PAssertedIdentity] {
            request.headers.remove(&name);
        }
        self.hand_to_module(now, Incoming { flow, tx, from, caller, request });
    }

    pub(super) fn hand_to_module(&mut self, now: Time, incoming: Incoming) {
        if self.answered_here(now, incoming.tx, &incoming.request) {
            return;
        }
        let module = self.module_for(&incoming.request);
        if incoming.request.method == Method::Invite
            && let Some(tx) = incoming.tx
        {
            self.owners.insert(tx, (module, incoming.flow));
        }
        self.with_module(now, module, |m, ctx| m.on_request(ctx, incoming));
    }

    /// OPTIONS to the server itself, and methods nobody knows.
    fn answered_here(&mut self, now: Time, tx: Option<ServerTx>, request: &Request) -> bool {
        let status = match &request.method {
            Method::Options if self.is_for_server(&request.uri) => 200,
            Method::Publish | Method::Prack | Method::Register => 501,
            Method::Other(_) => 501,
            _ => return false,
        };
        let mut response = request.response(status, &self.rng.hex(16));
        response.headers.push(Name::Allow, ALLOW);
        if let Some(tx) = tx {
            self.layer.respond(now, tx, response);
        }
        true
    }

    fn is_for_server(&self, uri: &Uri) -> bool {
        uri.user().is_none()
    }

    fn module_for(&self, request: &Request) -> ModuleId {
        let opaque = request.uri.param("opaque").unwrap_or("");
        if opaque.get(..9).is_some_and(|o| o.eq_ignore_ascii_case("app:conf:")) {
            return ModuleId::Conferencing;
        }
        match request.method {
            Method::Subscribe => match event_of(request).as_str() {
                "vnd-microsoft-roaming-contacts" => ModuleId::Contacts,
                _ => ModuleId::Presence,
            },
            Method::Service if self.is_for_server(&request.uri) => ModuleId::Search,
            Method::Service if is_soap(request) => ModuleId::Contacts,
            Method::Service => ModuleId::Presence,
            _ => ModuleId::Routing,
        }
    }

    fn on_register(&mut self, now: Time, flow: FlowId, tx: Option<ServerTx>, request: Request) {
        let Some(f) = self.flows.get_mut(&flow) else { return };
        let (tx, peer, secure) = match tx {
            Some(tx) => (tx, f.peer.clone(), f.secure),
            None => return,
        };
        if let Err(refusal) = registrar::check(&request, &self.config) {
            return self.layer.respond(now, tx, refusal.response(&request, &self.config, &mut self.rng));
        }
        let account = registrar::account(&request).and_then(|a| self.state.users.get(&a)).map(|u| &u.record);
        if account.is_none() && registrar::tell_unknown(&peer) {
            let refusal = registrar::Refusal::unknown_user();
            return self.layer.respond(now, tx, refusal.response(&request, &self.config, &mut self.rng));
        }
        let message = Message::Request(request);
        let proof = f.associations.register(now, &mut self.rng, &mut self.security, account, &message);
        let Message::Request(request) = message else { return };
        match proof {
            Proof::Given => {
                f.faults = 0;
                self.with_registrar(now, |registrar, ctx| registrar.register(ctx, tx, flow, secure, &request));
            }
            Proof::Asked(challenges) => {
                let response = registrar::challenge(&request, challenges, now, &mut self.rng);
                self.layer.respond(now, tx, response);
            }
            Proof::Wrong(challenges) => {
                self.outputs.push_back(Output::Log(LogLevel::Warn, format!("{peer}: wrong credentials")));
                let response = registrar::challenge(&request, challenges, now, &mut self.rng);
                self.layer.respond(now, tx, response);
                self.count_fault(flow);
            }
        }
    }

    /// Answers a request that did not get through the check.
    pub(super) fn refuse(&mut self, now: Time, flow: FlowId, tx: Option<ServerTx>, request: &Request, status: u16) {
        self.count_fault(flow);
        let Some(tx) = tx else { return };
        let mut response: Response = request.response(status, &self.rng.hex(16));
        if status == 401 {
            let lync = registrar::is_lync(&request.headers);
            for (name, value) in self.security.challenges(now, lync, false, &mut self.rng) {
                response.headers.push(name, value);
            }
        }
        self.layer.respond(now, tx, response);
    }
}

/// Methods the front end and the endpoints behind it understand.
pub const ALLOW: &str =
    "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, OPTIONS, SUBSCRIBE, NOTIFY, BENOTIFY, SERVICE, REFER, UPDATE, REGISTER";

/// The event package of a SUBSCRIBE, lower case, without parameters.
pub fn event_of(request: &Request) -> String {
    let event = request.headers.get(&Name::Event).unwrap_or("");
    event.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn is_soap(request: &Request) -> bool {
    let t = request.headers.get(&Name::ContentType).unwrap_or("");
    t.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/soap+xml")
}
