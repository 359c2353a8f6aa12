//! A scripted client on the real octets: signs in, signs and checks every message, on a virtual clock.

use super::{Config, Data, Output, Server, StoreOp, UserData, UserRecord};
use crate::domain::{Address, Rng, Time};
use crate::lync::registration::{client_contact, own_gruu};
use crate::lync::{identity, registration};
use crate::sip::auth::{Association, AuthHeader, NtlmClient, NtlmServer};
use crate::sip::framing::{Frame, Framer};
use crate::sip::{FlowId, Message, Method, Name, NameAddr, Request, Response, Uri};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

pub fn address(user: &str) -> Address {
    Address::parse(&format!("{user}@contoso.com")).unwrap()
}

/// A server, its clients by flow, and what it stored.
pub struct World {
    pub server: Server,
    pub now: Time,
    pub clients: HashMap<FlowId, Client>,
    pub stored: Vec<StoreOp>,
    pub logged: Vec<String>,
    pub closed: Vec<FlowId>,
    pub rng: Rng,
    last: u64,
}

pub struct Client {
    pub user: Address,
    pub epid: String,
    pub gruu: String,
    pub association: Option<Association>,
    framer: Framer,
    pub inbox: VecDeque<Message>,
    pub call_id: String,
    pub cseq: u32,
    pub unsigned: usize,
}

impl World {
    pub fn new(users: &[&str]) -> World {
        let users = users.iter().map(|u| UserData::new(UserRecord::new(address(u), &format!("{u} Example"), "secret"))).collect();
        World::with(Data { users, ..Data::default() })
    }

    pub fn with(data: Data) -> World {
        let server = Server::new(Config::new("fe1.contoso.com", 5061, "contoso.com"), data, Rng::seeded(1));
        World {
            server,
            now: Time(1_700_000_000_000),
            clients: HashMap::new(),
            stored: Vec::new(),
            logged: Vec::new(),
            closed: Vec::new(),
            rng: Rng::seeded(2),
            last: 0,
        }
    }

    /// A connection for a device of a user; nothing is sent yet.
    pub fn connect(&mut self, user: &str, epid: &str) -> FlowId {
        self.last += 1;
        let flow = FlowId(self.last);
        let client = Client {
            user: address(user),
            epid: epid.into(),
            gruu: String::new(),
            association: None,
            framer: Framer::new(),
            inbox: VecDeque::new(),
            call_id: format!("reg{}", self.last),
            cseq: 0,
            unsigned: 0,
        };
        self.clients.insert(flow, client);
        self.server.handle_open(self.now, flow, "192.0.2.7:5000".into(), true);
        flow
    }

    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(t) = self.server.poll_timeout().filter(|t| *t <= end) {
            self.now = self.now.max(t);
            self.server.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Time passes while the client keeps its connection alive.
    pub fn idle(&mut self, flow: FlowId, seconds: u64) {
        for left in (0..=seconds).step_by(300) {
            self.advance(Duration::from_secs((seconds - left).min(300)));
            self.bytes(flow, b"\r\n\r\n");
        }
    }

    pub fn bytes(&mut self, flow: FlowId, bytes: &[u8]) {
        self.server.handle_bytes(self.now, flow, bytes);
        self.drain();
    }

    pub fn drop_connection(&mut self, flow: FlowId) {
        self.server.handle_closed(self.now, flow);
        self.clients.remove(&flow);
        self.drain();
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send(flow, bytes) => self.arrive(flow, &bytes),
                Output::Close(flow) => self.closed.push(flow),
                Output::Store(op) => self.stored.push(op),
                Output::Log(_, text) => self.logged.push(text),
            }
        }
    }

    fn arrive(&mut self, flow: FlowId, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(&flow) else { return };
        client.framer.push(bytes);
        while let Some(frame) = client.framer.next() {
            let Frame::Message(message) = frame.unwrap() else { continue };
            if let Some(association) = &mut client.association {
                let exempt = matches!(&*message, Message::Response(r) if r.status < 200 || r.status == 401);
                if !exempt && association.verify(&message).is_err() {
                    client.unsigned += 1;
                }
            }
            client.inbox.push_back(*message);
        }
    }

    /// Signs and sends.
    pub fn send(&mut self, flow: FlowId, request: Request) {
        let mut message = Message::Request(request);
        if let Some(association) = &mut self.clients.get_mut(&flow).unwrap().association {
            association.sign(&mut message, &mut self.rng);
        }
        self.bytes(flow, &message.to_bytes());
    }

    /// Sends and gives the final answer; notifications stay in the inbox.
    pub fn ask(&mut self, flow: FlowId, request: Request) -> Response {
        let call_id = request.headers.call_id().to_owned();
        self.send(flow, request);
        self.answer(flow, &call_id).expect("no answer")
    }

    pub fn answer(&mut self, flow: FlowId, call_id: &str) -> Option<Response> {
        let inbox = &mut self.clients.get_mut(&flow)?.inbox;
        let fits = |m: &Message| matches!(m, Message::Response(r) if r.is_final() && r.headers.call_id() == call_id);
        let at = inbox.iter().position(fits)?;
        match inbox.remove(at) {
            Some(Message::Response(r)) => Some(r),
            _ => None,
        }
    }

    /// The next request that came to a client.
    pub fn next(&mut self, flow: FlowId) -> Option<Request> {
        let inbox = &mut self.clients.get_mut(&flow)?.inbox;
        let at = inbox.iter().position(|m| matches!(m, Message::Request(_)))?;
        match inbox.remove(at) {
            Some(Message::Request(r)) => Some(r),
            _ => None,
        }
    }

    /// All requests that came, thrown away.
    pub fn clear(&mut self) {
        self.clients.values_mut().for_each(|c| c.inbox.clear());
    }

    pub fn register(&mut self, flow: FlowId, expires: Option<u32>) -> Request {
        let tag = self.rng.hex(10);
        let branch = self.rng.hex(16);
        let c = self.clients.get_mut(&flow).unwrap();
        c.cseq += 1;
        let contact = client_contact(&format!("192.0.2.10:{}", 50_000 + flow.0), "tls", &identity::instance_id(&c.epid));
        let mut r = Request::new(Method::Register, Uri::parse("sip:contoso.com").unwrap());
        r.headers
            .push(Name::Via, format!("SIP/2.0/tls 192.0.2.10:50001;branch=z9hG4bK{branch}"))
            .push(Name::From, format!("<{}>;tag={tag};epid={}", c.user, c.epid))
            .push(Name::To, format!("<{}>", c.user))
            .push(Name::MaxForwards, "70")
            .push(Name::CallId, c.call_id.clone())
            .push(Name::CSeq, format!("{} REGISTER", c.cseq))
            .push(Name::Contact, contact)
            .push(Name::Supported, "gruu-10, adhoclist, msrtc-event-categories, com.microsoft.msrtc.presence")
            .push(Name::Event, "registration")
            .push(Name::MsKeepAlive, registration::KEEP_ALIVE_OFFER);
        if let Some(e) = expires {
            r.headers.push(Name::Expires, e.to_string());
        }
        r
    }

    /// The three REGISTERs.
    pub fn handshake(&mut self, flow: FlowId, login: &str, password: &str) -> Response {
        let request = self.register(flow, None);
        let call_id = request.headers.call_id().to_owned();
        self.bytes(flow, &Message::Request(request).to_bytes());
        let offered = self.answer(flow, &call_id).unwrap();
        if offered.status != 401 {
            return offered;
        }
        let offer = AuthHeader::find(&offered.headers, &Name::WwwAuthenticate, "NTLM").unwrap();
        assert!(!NtlmServer::asks_for_token(&offer));
        let request = self.register(flow, None).with(Name::Authorization, NtlmClient::begin(&offer));
        self.bytes(flow, &Message::Request(request).to_bytes());
        let challenged = self.answer(flow, &call_id).unwrap();
        let challenge = AuthHeader::find(&challenged.headers, &Name::WwwAuthenticate, "NTLM").unwrap();
        let client = NtlmClient::new(login, password, "host1");
        let (mut association, token) = client.answer(&challenge, self.now, &mut self.rng).unwrap();
        let mut message = Message::Request(self.register(flow, None));
        association.sign_with_token(&mut message, &mut self.rng, &token);
        self.clients.get_mut(&flow).unwrap().association = Some(association);
        self.bytes(flow, &message.to_bytes());
        self.answer(flow, &call_id).unwrap()
    }

    /// Signs a device in.
    pub fn sign_in(&mut self, user: &str, epid: &str) -> FlowId {
        let flow = self.connect(user, epid);
        let ok = self.handshake(flow, user, "secret");
        assert_eq!(ok.status, 200, "{ok:?}");
        let gruu = own_gruu(ok.headers.all(&Name::Contact), &identity::instance_id(epid)).unwrap();
        self.clients.get_mut(&flow).unwrap().gruu = gruu;
        flow
    }

    /// A request of a signed-in client to somebody.
    pub fn request(&mut self, flow: FlowId, method: Method, to: &str) -> Request {
        let (tag, call_id, branch) = (self.rng.hex(10), self.rng.hex(20), self.rng.hex(16));
        let c = &self.clients[&flow];
        Request::new(method.clone(), Uri::parse(to).unwrap())
            .with(Name::Via, format!("SIP/2.0/tls 192.0.2.10:50001;branch=z9hG4bK{branch}"))
            .with(Name::From, format!("<{}>;tag={tag};epid={}", c.user, c.epid))
            .with(Name::To, format!("<{to}>"))
            .with(Name::MaxForwards, "70")
            .with(Name::CallId, call_id)
            .with(Name::CSeq, format!("1 {method}"))
            .with(Name::Contact, format!("<{}>", c.gruu))
    }

    /// A request to oneself with a body.
    pub fn service(&mut self, flow: FlowId, content_type: &str, body: Vec<u8>) -> Response {
        let me = self.clients[&flow].user.to_string();
        let request = self.request(flow, Method::Service, &me).with_body(content_type, body);
        self.ask(flow, request)
    }

    /// SUBSCRIBE as a Lync client writes it.
    pub fn subscription(&mut self, flow: FlowId, to: &str, event: &str, body: (&str, Vec<u8>)) -> Request {
        let mut r = self.request(flow, Method::Subscribe, to);
        r.headers
            .push(Name::Event, event)
            .push(Name::Supported, "com.microsoft.autoextend")
            .push(Name::Supported, "ms-benotify")
            .push(Name::ProxyRequire, "ms-benotify")
            .push(Name::Supported, "ms-piggyback-first-notify");
        if body.1.is_empty() { r } else { r.with_body(body.0, body.1) }
    }

    /// Nobody got a message with a missing or wrong signature.
    pub fn all_signed(&self) -> bool {
        self.clients.values().all(|c| c.unsigned == 0)
    }
}

/// A later request in the dialog that an answered SUBSCRIBE made.
pub fn in_dialog(first: &Request, answer: &Response, cseq: u32) -> Request {
    let mut r = first.clone();
    r.headers.set(Name::To, answer.headers.get(&Name::To).unwrap());
    r.headers.set(Name::CSeq, format!("{cseq} {}", first.method));
    r.headers.set(Name::Via, format!("SIP/2.0/tls 192.0.2.10:50001;branch=z9hG4bKnext{cseq}"));
    if let Some(contact) = answer.headers.get(&Name::Contact).and_then(NameAddr::parse) {
        r.uri = contact.uri;
    }
    r
}
