//! A test bench for one module: signed-in endpoints without sockets, transactions or signatures, on a virtual clock.

use super::{
    Action, Config, ContactList, Ctx, Incoming, Module, ModuleId, Registration, RegistrationId, Reply, State, StoreOp, Token,
    User, UserData, UserRecord,
};
use crate::domain::{Address, Rng, Time, access};
use crate::sip::{FlowId, Name, Request, Response, ServerTx, Uri};
use std::collections::VecDeque;
use std::time::Duration;

/// A request that reached an endpoint; `token` is `None` for those never answered.
#[derive(Clone, Debug)]
pub struct Got {
    pub at: RegistrationId,
    pub token: Option<Token>,
    pub request: Request,
}

/// One module with everything around it.
pub struct Bench<M> {
    pub module: M,
    pub now: Time,
    pub state: State,
    pub config: Config,
    rng: Rng,
    next_token: u64,
    next_tx: u64,
    /// Requests that reached endpoints, in order.
    pub got: VecDeque<Got>,
    /// Responses of the module, in order.
    pub answers: VecDeque<(ServerTx, Response)>,
    /// INVITEs cancelled, with the Reason.
    pub cancels: Vec<(Token, Option<String>)>,
    /// What is to be kept.
    pub stored: Vec<StoreOp>,
}

pub fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@contoso.com")).unwrap()
}

impl<M: Module> Bench<M> {
    pub fn new(module: M) -> Bench<M> {
        Bench {
            module,
            now: Time(1_000_000_000_000),
            state: State::default(),
            config: Config::new("fe1.contoso.com", 5061, "contoso.com"),
            rng: Rng::seeded(1),
            next_token: 0,
            next_tx: 0,
            got: VecDeque::new(),
            answers: VecDeque::new(),
            cancels: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// An account.
    pub fn user(&mut self, name: &str) {
        let record = UserRecord {
            address: address(name),
            display_name: name.to_uppercase(),
            email: String::new(),
            title: String::new(),
            company: String::new(),
            department: String::new(),
            office: String::new(),
            phone: String::new(),
            automaton: false,
            nt_hash: [0; 16],
            ha1_md5: String::new(),
            ha1_sha256: String::new(),
        };
        let data = UserData {
            record,
            contacts: ContactList::default(),
            publications: Vec::new(),
            containers: access::default_containers(),
            subscribers: Vec::new(),
            delegates: Default::default(),
        };
        self.state.users.insert(address(name), User::new(data));
    }

    /// Signs an endpoint in (the account is made if needed); flow and epid come from `device`.
    pub fn sign_in(&mut self, name: &str, device: u64) -> RegistrationId {
        if !self.state.users.contains_key(&address(name)) {
            self.user(name);
        }
        let id = self.state.registrations.add(Registration {
            id: RegistrationId(0),
            user: address(name),
            epid: format!("ep{device}"),
            instance: String::new(),
            gruu: format!("sip:{name}@contoso.com;opaque=user:epid:{device};gruu"),
            contact: Uri::parse(&format!("sip:192.0.2.{device}:5061;transport=tls")).unwrap(),
            flow: FlowId(device),
            expires: self.now + Duration::from_secs(7200),
            lync: true,
            trusted: false,
            dialog_from: format!("<sip:{name}@contoso.com>;tag=r"),
            secure: false,
            call_id: String::new(),
            cseq: 1,
            user_agent: String::new(),
            since: self.now,
        });
        self.call(|m, ctx| m.on_registration_added(ctx, id));
        id
    }

    /// Takes an endpoint away: by its own wish, or because its connection broke.
    pub fn sign_out(&mut self, id: RegistrationId, by_wish: bool) {
        let mut gone = self.state.registrations.remove(id).unwrap();
        if by_wish {
            gone.expires = self.now;
        }
        self.call(|m, ctx| m.on_registration_lost(ctx, &gone));
    }

    /// Takes an account away, with all its endpoints.
    pub fn remove_user(&mut self, name: &str) {
        let who = address(name);
        let ids: Vec<_> = self.state.registrations.of_user(&who).map(|r| r.id).collect();
        ids.into_iter().for_each(|id| self.sign_out(id, true));
        self.state.users.remove(&who);
        self.call(|m, ctx| m.on_user_removed(ctx, &who));
    }

    pub fn gruu(&self, id: RegistrationId) -> String {
        self.state.registrations.get(id).unwrap().gruu.clone()
    }

    /// A request of an endpoint with Via, Max-Forwards, Contact; the rest comes from `headers`.
    pub fn request(&self, from: RegistrationId, method: &str, uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut r = Request::new(crate::sip::Method::parse(method).unwrap(), Uri::parse(uri).unwrap());
        r.headers.push(Name::Via, format!("SIP/2.0/TLS 192.0.2.9:1;from={}", from.0));
        r.headers.push(Name::MaxForwards, "70");
        r.headers.push(Name::Contact, format!("<{}>", self.gruu(from)));
        for (name, value) in headers {
            r.headers.push(*name, *value);
        }
        r
    }

    /// Hands a request to the module; `None` for ACK and BENOTIFY.
    pub fn send(&mut self, from: RegistrationId, request: Request) -> Option<ServerTx> {
        let r = self.state.registrations.get(from).unwrap();
        let (flow, caller) = (r.flow, r.user.clone());
        let silent = matches!(request.method, crate::sip::Method::Ack | crate::sip::Method::Benotify);
        self.next_tx += 1;
        let tx = (!silent).then_some(ServerTx(self.next_tx));
        self.call(|m, ctx| m.on_request(ctx, Incoming { flow, tx, from, caller, request }));
        tx
    }

    /// The endpoint answers what it got; the tag is its own.
    pub fn answer(&mut self, got: &Got, status: u16, tag: &str) {
        let registration = self.state.registrations.get(got.at).map(|r| r.gruu.clone()).unwrap_or_default();
        let response = got.request.response(status, tag).with(Name::Contact, format!("<{registration}>"));
        self.reply(got, Reply::Response(response));
    }

    pub fn reply(&mut self, got: &Got, reply: Reply) {
        let token = got.token.expect("a request that is answered");
        self.call(|m, ctx| m.on_reply(ctx, token, reply));
    }

    /// CANCEL from the caller.
    pub fn cancel(&mut self, tx: ServerTx, cancel: Request) {
        self.call(|m, ctx| m.on_cancel(ctx, tx, cancel));
    }

    /// Lets time pass, firing the module's timers on the way.
    pub fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.module.poll_timeout().filter(|t| *t <= end) {
            self.now = at.max(self.now);
            self.call(|m, ctx| m.on_timeout(ctx));
        }
        self.now = end;
    }

    /// The next request that reached somebody.
    pub fn next(&mut self) -> Got {
        self.got.pop_front().expect("a request should have been sent")
    }

    /// The next response of the module to `tx`, which must be the oldest one.
    pub fn response(&mut self, tx: Option<ServerTx>) -> Response {
        let (to, response) = self.answers.pop_front().expect("a response should have been sent");
        assert_eq!(Some(to), tx, "{response:?}");
        response
    }

    /// Nothing more was sent.
    pub fn quiet(&self) {
        assert!(self.got.is_empty(), "{:?}", self.got);
        assert!(self.answers.is_empty(), "{:?}", self.answers);
    }

    fn call(&mut self, f: impl FnOnce(&mut M, &mut Ctx<'_>)) {
        let mut actions = Vec::new();
        let mut ctx = Ctx {
            now: self.now,
            rng: &mut self.rng,
            config: &self.config,
            state: &mut self.state,
            module: ModuleId::Routing,
            actions: &mut actions,
            next_token: &mut self.next_token,
        };
        f(&mut self.module, &mut ctx);
        self.run(actions);
    }

    fn run(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { token, flow, request, .. } => match self.on_flow(flow) {
                    Some(at) => self.got.push_back(Got { at, token: Some(token), request }),
                    None => self.call(|m, ctx| m.on_reply(ctx, token, Reply::Lost)),
                },
                Action::SendStateless(flow, request) => {
                    if let Some(at) = self.on_flow(flow) {
                        self.got.push_back(Got { at, token: None, request });
                    }
                }
                Action::Cancel(token, reason) => self.cancels.push((token, reason)),
                Action::Respond(tx, response) => self.answers.push_back((tx, response)),
                Action::Store(op) => self.stored.push(op),
                _ => {}
            }
        }
    }

    fn on_flow(&self, flow: FlowId) -> Option<RegistrationId> {
        self.state.registrations.on_flow(flow).next().map(|r| r.id)
    }
}
