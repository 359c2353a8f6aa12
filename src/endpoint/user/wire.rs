//! The two ways onto the wire: the link, and beside a link of datagrams a stream for what is too large (RFC 3261 18.1.1).

use super::UserEndpoint;
use crate::domain::Time;
use crate::endpoint::config::{Dialect, Output};
use crate::endpoint::limits::{DATAGRAM_LIMIT, DATAGRAM_MOST};
use crate::endpoint::security::Verdict;
use crate::endpoint::service::{ServiceId, Token};
use crate::endpoint::{Direction, WireRecord};
use crate::sip::framing::{Frame, FrameError, Framer};
use crate::sip::{ClientTx, FlowId, Message, Method, Name, ParseError, Request, Server, Transport, Via};

/// The stream beside the link.
#[derive(Debug)]
pub(super) struct Aside {
    framer: Framer,
    /// A message came on it: the server takes streams.
    proven: bool,
    /// The server takes no streams; not tried again on this link.
    refused: bool,
}

impl Aside {
    pub fn new() -> Aside {
        Aside { framer: super::framer(), proven: false, refused: false }
    }
}

/// A request that may leave again, with credentials or another way.
#[derive(Debug)]
pub(super) struct Open {
    pub request: Request,
    /// How often it did.
    pub tries: u32,
    /// It left on the stream beside the link.
    aside: bool,
}

impl UserEndpoint {
    /// The DNS has answered: the servers of the domain, best first.
    pub fn handle_located(&mut self, now: Time, found: Vec<Server>) {
        self.now = now;
        let all: Vec<String> = found.iter().map(|s| format!("{s} ({})", s.transport)).collect();
        self.trace_note(format!("the DNS names: {}", if all.is_empty() { "no servers".into() } else { all.join(", ") }));
        self.registration.on_located(now, found);
        self.settle();
    }

    /// What came on the stream beside the link; an error when it could not be opened or is gone.
    pub fn handle_aside(&mut self, now: Time, came: Result<&[u8], String>) {
        self.now = now;
        match came {
            Ok(bytes) => self.framed_aside(bytes),
            Err(why) => {
                self.trace_note(format!("the connection for large requests is gone: {why}"));
                self.lose_aside();
            }
        }
        self.settle();
    }

    /// The next large request opens another one, unless this one has never brought anything.
    fn lose_aside(&mut self) {
        self.aside.refused |= !std::mem::take(&mut self.aside.proven);
        self.aside.framer = super::framer();
        self.layer.flow_closed(self.now, self.aside_flow());
    }

    fn framed_aside(&mut self, bytes: &[u8]) {
        self.aside.framer.push(bytes);
        while let Some(frame) = self.aside.framer.next() {
            match frame {
                Ok(Frame::KeepAlive) => {}
                Ok(Frame::Message(message)) => {
                    self.aside.proven = true;
                    self.receive_on(self.aside_flow(), true, *message);
                    self.settle();
                }
                Err(error) => self.on_bad_frame_aside(error),
            }
        }
    }

    fn on_bad_frame_aside(&mut self, error: FrameError) {
        self.trace_note(format!("dropped: {error}"));
        if let Some(answer) = error.answer {
            self.transmit_on(self.aside_flow(), Message::Response(*answer));
        }
        if error.fatal {
            self.outputs.push_back(Output::CloseAside);
            self.lose_aside();
        }
    }

    /// The flow of the stream beside the current link.
    pub(super) fn aside_flow(&self) -> FlowId {
        FlowId(u64::MAX - self.flow.0)
    }

    pub(super) fn connect(&mut self, server: Server, names: Vec<String>) {
        self.me.transport = server.transport;
        self.reliable = server.transport.is_reliable();
        self.framer = super::framer();
        self.flow = FlowId(self.flow.0 + 1);
        self.aside = Aside::new();
        self.trace_note(format!("connecting to {server} ({})", server.transport));
        let Server { host, port, transport } = server.clone();
        self.me.server = Some((server.clone(), names.clone()));
        self.server = Some(server);
        self.outputs.push_back(Output::Connect { host, port, transport, names });
    }

    /// Asks the DNS for the servers of the own domain.
    pub(super) fn locate(&mut self) {
        let dialect = if self.simple.is_some() { Dialect::Simple } else { Dialect::Lync };
        self.outputs.push_back(Output::Locate {
            domain: self.me.uri.host().to_owned(),
            dialect,
            transport: self.wanted_transport,
        });
    }

    /// Octets of a stream.
    pub(super) fn on_stream(&mut self, bytes: &[u8]) {
        self.framer.push(bytes);
        while self.linked {
            match self.framer.next() {
                None => break,
                Some(Ok(Frame::KeepAlive)) if self.simple.is_some() => self.outputs.push_back(Output::Send(b"\r\n".to_vec())),
                Some(Ok(Frame::KeepAlive)) => {}
                Some(Ok(Frame::Message(message))) => {
                    self.receive(*message);
                    self.settle();
                }
                Some(Err(error)) => self.on_bad_frame(error),
            }
        }
    }

    fn on_bad_frame(&mut self, error: FrameError) {
        self.trace_note(format!("dropped: {error}"));
        if let Some(answer) = error.answer {
            self.transmit(Message::Response(*answer));
        }
        if error.fatal {
            self.outputs.push_back(Output::Close);
            self.lose("the server sent something that is no SIP");
        }
    }

    /// One datagram; short ones and those that begin with a line break keep a way through routers open.
    pub(super) fn on_datagram(&mut self, bytes: &[u8]) {
        if bytes.len() <= 4 || matches!(bytes.first(), Some(b'\r' | b'\n' | 0)) {
            return;
        }
        match Message::parse(bytes) {
            Ok(message) => self.receive(message),
            Err(ParseError { fault, answer }) => {
                self.trace_note(format!("dropped: {fault}"));
                if let Some(answer) = answer {
                    self.transmit(Message::Response(*answer));
                }
            }
        }
    }

    pub(super) fn transmit(&mut self, message: Message) {
        self.transmit_on(self.flow, message);
    }

    pub(super) fn transmit_on(&mut self, flow: FlowId, mut message: Message) {
        if !self.linked {
            return;
        }
        // On a standard server what was signed is what is sent again, with the same credentials.
        if self.simple.is_none() {
            self.registration.sign(&mut message);
        }
        let bytes = message.to_bytes();
        if self.trace {
            self.outputs.push_back(Output::Trace(WireRecord::message(self.now, Direction::Sent, &bytes)));
        }
        match &self.server {
            Some(server) if flow == self.aside_flow() => {
                let (host, port) = (server.host.clone(), server.port);
                self.outputs.push_back(Output::SendAside { host, port, bytes });
            }
            _ => {
                self.outputs.push_back(Output::Send(bytes));
                self.registration.on_sent(self.now);
            }
        }
    }

    pub(super) fn receive(&mut self, message: Message) {
        self.receive_on(self.flow, self.reliable, message);
    }

    fn receive_on(&mut self, flow: FlowId, reliable: bool, message: Message) {
        if self.trace {
            let record = WireRecord::message(self.now, Direction::Received, &message.to_bytes());
            self.outputs.push_back(Output::Trace(record));
        }
        match self.registration.check(&message) {
            Verdict::Accept => self.layer.receive(self.now, flow, reliable, message),
            Verdict::Drop(why) => self.trace_note(format!("dropped the message above: {why}")),
        }
    }

    pub(super) fn send(&mut self, service: ServiceId, token: Token, request: Request, tries: u32) {
        self.send_by(service, token, request, tries, false);
    }

    /// `small`: as a datagram, large as it may be.
    fn send_by(&mut self, service: ServiceId, token: Token, mut request: Request, tries: u32, small: bool) {
        self.authorize(&mut request);
        let size = if self.reliable || small { 0 } else { Message::Request(request.clone()).to_bytes().len() };
        let aside = size > DATAGRAM_MOST && !(self.aside.refused && size <= DATAGRAM_LIMIT);
        if !self.reliable {
            set_via(&mut request, if aside { Transport::Tcp } else { Transport::Udp }, None);
        }
        let again = self.asked_by_request().then(|| request.clone());
        let flow = if aside { self.aside_flow() } else { self.flow };
        let tx = self.layer.send(self.now, flow, self.reliable || aside, request);
        self.sent.insert(tx, (service, token));
        if let Some(request) = again {
            self.open.insert(tx, Open { request, tries, aside });
        }
    }

    /// A request whose stream broke goes as a datagram after all, if it may; false when it may not. A message that the server
    /// may have had already would be read twice.
    pub(super) fn send_after_all(&mut self, tx: ClientTx) -> bool {
        let may = |o: &Open| o.aside && (self.aside.refused || o.request.method != Method::Message);
        if !self.linked || !self.open.get(&tx).is_some_and(may) {
            return false;
        }
        let Some(Open { mut request, tries, .. }) = self.open.remove(&tx) else { return false };
        if Message::Request(request.clone()).to_bytes().len() > DATAGRAM_LIMIT {
            return false;
        }
        let Some((service, token)) = self.sent.remove(&tx) else { return false };
        set_via(&mut request, Transport::Udp, Some(&self.rng.hex(20)));
        self.send_by(service, token, request, tries, true);
        true
    }
}

/// Changes transport and, where one is given, the branch of the top Via.
pub(super) fn set_via(request: &mut Request, transport: Transport, branch: Option<&str>) {
    let via = request.headers.get(&Name::Via).and_then(Via::parse).map(|mut via| {
        via.transport = transport.name().to_owned();
        if let Some(branch) = branch {
            via.params.set("branch", Some(&format!("z9hG4bK{branch}")));
        }
        via.to_string()
    });
    if let Some(via) = via {
        request.headers.replace_first(&Name::Via, via);
    }
}
