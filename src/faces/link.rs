//! One endpoint on a real wire: joins the machine with sockets and the clock.

pub mod files;
mod pipes;

use super::locate;
use crate::domain::Rng;
use crate::endpoint::user::{Config, Dialect, Output, UserEndpoint};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, WebAnswer, WebRequest, WireRecord};
use crate::net::dns::Resolver;
use crate::net::tls::Trust;
use crate::net::{Clock, ConnectError, Incoming, Outgoing, Over, dial, entropy, http};
use crate::sip::{Server, Transport};
use files::Files;
use pipes::Pipes;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use tokio::sync::mpsc;

/// What an endpoint on the wire says.
#[derive(Debug)]
pub enum LinkEvent {
    /// The endpoint spoke.
    Endpoint(Event),
    /// A message crossed the wire.
    Wire(WireRecord),
}

/// The way in: dropping it ends the task.
pub type Operations = mpsc::UnboundedSender<(OperationId, Operation)>;

/// Reads that may wait for the machine.
const INCOMING_QUEUE: usize = 64;

type Answered = (u64, Result<WebAnswer, String>);
type Opened = Result<(Outgoing, String), ConnectError>;
type Opening<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// The number and the sending half of a stream beside the link.
type Beside = Result<(u64, Outgoing), String>;

/// What was waited for before there is a socket.
enum Step {
    Located(Vec<Server>),
    Opened(Opened),
}

/// The stream beside a link of datagrams.
#[derive(Default)]
enum Aside {
    #[default]
    None,
    /// Being opened; this waits for it, and there is never more than requests of the endpoint's own.
    Opening(Opening<Beside>, Vec<Vec<u8>>),
    /// By its number.
    Open(u64, Outgoing),
}

/// An endpoint and its socket.
pub struct Link {
    endpoint: UserEndpoint,
    clock: Clock,
    trust: Option<Trust>,
    socket: Option<Outgoing>,
    opening: Option<Opening<Step>>,
    /// Sockets are numbered, so that the last words of an old one are not taken for those of a new one.
    last_number: u64,
    /// That of the link.
    number: u64,
    incoming: mpsc::Receiver<(u64, Incoming)>,
    deliver: mpsc::Sender<(u64, Incoming)>,
    aside: Aside,
    /// Asked instead of the system's name servers.
    resolver: Option<Resolver>,
    /// Answers over HTTP; there are never more than requests of the endpoint's own.
    web: (mpsc::UnboundedSender<Answered>, mpsc::UnboundedReceiver<Answered>),
    pipes: Pipes,
    files: Files,
}

impl Link {
    /// An endpoint that is not connected yet. `trust` is needed for TLS.
    pub fn new(config: Config, mut rng: Rng, clock: Clock, trust: Option<Trust>) -> Link {
        let (deliver, incoming) = mpsc::channel(INCOMING_QUEUE);
        // Whoever made the configuration has looked at the address.
        let resolver = Resolver::named(&config.name_server).ok();
        let files = Files::new(files::default_folder(), rng.fork());
        let endpoint = UserEndpoint::new(config, rng);
        let pipes = Pipes::new(trust.clone());
        Link {
            endpoint,
            clock,
            trust,
            socket: None,
            opening: None,
            last_number: 0,
            number: 0,
            incoming,
            deliver,
            aside: Aside::None,
            resolver,
            web: mpsc::unbounded_channel(),
            pipes,
            files,
        }
    }

    /// Files that come are kept in this folder.
    #[must_use]
    pub fn keeping_files_in(mut self, folder: PathBuf) -> Link {
        self.files.keep_in(folder);
        self
    }

    /// Runs until `operations` closes; hands everything that happens to `say`.
    pub async fn run(
        mut self,
        mut operations: mpsc::UnboundedReceiver<(OperationId, Operation)>,
        mut say: impl FnMut(LinkEvent),
    ) {
        loop {
            self.drain(&mut say);
            let full = self.files.is_full();
            let due = self.endpoint.poll_timeout().map(|t| self.clock.instant(t));
            tokio::select! {
                operation = operations.recv() => match operation {
                    Some((id, operation)) => self.endpoint.operate(self.clock.now(), id, operation),
                    None => return,
                },
                Some((number, incoming)) = self.incoming.recv() => self.on_incoming(number, incoming),
                beside = beside(&mut self.aside) => self.on_beside(beside),
                Some((id, answer)) = self.web.1.recv() => self.endpoint.handle_web(self.clock.now(), id, answer),
                (pipe, news) = self.pipes.next(full) => self.endpoint.handle_pipe(self.clock.now(), pipe, news),
                (transfer, news) = self.files.next() => self.endpoint.handle_file(self.clock.now(), &transfer, news),
                opened = opened(&mut self.opening) => self.on_opened(opened),
                () = sleep(due) => self.endpoint.handle_timeout(self.clock.now()),
            }
        }
    }

    fn drain(&mut self, say: &mut impl FnMut(LinkEvent)) {
        loop {
            if let Some(output) = self.endpoint.poll_output() {
                match output {
                    Output::Locate { domain, dialect, transport } => self.locate(domain, dialect, transport),
                    Output::Connect { host, port, transport, names } => self.open(host, port, transport, names),
                    Output::SendAside { host, port, bytes } => self.send_aside(host, port, bytes),
                    Output::Send(bytes) => self.send(bytes),
                    Output::Close => {
                        self.socket = None;
                        self.opening = None;
                        self.aside = Aside::None;
                        self.number = self.next_number();
                    }
                    Output::CloseAside => self.aside = Aside::None,
                    Output::Web(request) => self.ask_web(request),
                    Output::Beside(crate::endpoint::Beside::Pipe(pipe, ask)) => {
                        if let Some(news) = self.pipes.ask(pipe, ask) {
                            self.endpoint.handle_pipe(self.clock.now(), pipe, news);
                        }
                    }
                    Output::Beside(crate::endpoint::Beside::File(transfer, ask)) => self.files.ask(transfer, ask),
                    Output::Trace(record) => say(LinkEvent::Wire(record)),
                }
            } else if let Some(event) = self.endpoint.poll_event() {
                say(LinkEvent::Endpoint(event));
            } else {
                return;
            }
        }
    }

    fn locate(&mut self, domain: String, dialect: Dialect, transport: Transport) {
        let resolver = self.resolver.clone().unwrap_or_else(Resolver::system);
        self.opening = Some(Box::pin(async move {
            let found = match entropy() {
                Ok(mut rng) => locate::servers(&resolver, &domain, dialect == Dialect::Lync, Some(transport), &mut rng).await,
                Err(_) => Vec::new(),
            };
            Step::Located(found)
        }));
    }

    fn open(&mut self, host: String, port: u16, transport: Transport, names: Vec<String>) {
        self.number = self.next_number();
        self.aside = Aside::None;
        let (number, deliver, trust) = (self.number, self.deliver.clone(), self.trust.clone());
        let open = async move {
            let over = over(transport, &names, trust.as_ref());
            let (out, ends) = dial(over, &host, port, number, deliver).await.map_err(|refused| refused.error)?;
            Ok((out, ends.local.to_string()))
        };
        self.opening = Some(Box::pin(async move { Step::Opened(open.await) }));
    }

    /// A request too large for a datagram; the stream for it is opened with the first.
    fn send_aside(&mut self, host: String, port: u16, bytes: Vec<u8>) {
        match &mut self.aside {
            Aside::Open(_, out) => {
                if !out.send(bytes) {
                    self.aside = Aside::None;
                    self.endpoint.handle_aside(self.clock.now(), Err("it takes nothing any more".into()));
                }
            }
            Aside::Opening(_, waiting) => waiting.push(bytes),
            Aside::None => {
                let (number, deliver) = (self.next_number(), self.deliver.clone());
                let open = async move {
                    let opened = dial(Over::Tcp, &host, port, number, deliver).await;
                    opened.map(|(out, _)| (number, out)).map_err(|refused| refused.error.to_string())
                };
                self.aside = Aside::Opening(Box::pin(open), vec![bytes]);
            }
        }
    }

    fn on_beside(&mut self, beside: Beside) {
        let Aside::Opening(_, waiting) = std::mem::take(&mut self.aside) else { return };
        match beside {
            Ok((number, out)) => {
                // A stream that breaks at once says so by its end.
                for bytes in waiting {
                    out.send(bytes);
                }
                self.aside = Aside::Open(number, out);
            }
            Err(why) => self.endpoint.handle_aside(self.clock.now(), Err(why)),
        }
    }

    /// HTTP goes on connections of its own, beside the link.
    fn ask_web(&mut self, request: WebRequest) {
        let (trust, answers, id) = (self.trust.clone(), self.web.0.clone(), request.id);
        let WebRequest { host, port, tls, path, headers, body, .. } = request;
        let ask = http::Ask { host, port, tls, method: request.method.into(), path, headers, body };
        tokio::spawn(async move {
            let answer = http::exchange(&ask, trust.as_ref()).await;
            let answer = answer.map(|a| WebAnswer { status: a.status, headers: a.headers, body: a.body });
            // Nobody waits any more when the link is gone.
            let _ = answers.send((id, answer));
        });
    }

    fn send(&mut self, bytes: Vec<u8>) {
        let sent = self.socket.as_ref().is_some_and(|s| s.send(bytes));
        if !sent && self.socket.take().is_some() {
            self.number = self.next_number();
            self.endpoint.handle_disconnected(self.clock.now(), "the server does not take what we send".into());
        }
    }

    fn on_opened(&mut self, step: Step) {
        self.opening = None;
        let opened = match step {
            Step::Located(found) => return self.endpoint.handle_located(self.clock.now(), found),
            Step::Opened(opened) => opened,
        };
        match opened {
            Ok((socket, local)) => {
                self.socket = Some(socket);
                self.endpoint.handle_connected(self.clock.now(), local);
            }
            Err(failed) => {
                let kind = match failed {
                    ConnectError::NoHost(_) | ConnectError::Connection(_) => ErrorKind::ConnectionFailed,
                    ConnectError::Tls(_) => ErrorKind::TlsFailed,
                };
                let error = Error::new(kind, failed.to_string());
                self.endpoint.handle_connect_failed(self.clock.now(), error);
            }
        }
    }

    fn on_incoming(&mut self, number: u64, incoming: Incoming) {
        let now = self.clock.now();
        let beside = matches!(&self.aside, Aside::Open(n, _) if *n == number);
        match incoming {
            Incoming::Bytes(bytes) if beside => self.endpoint.handle_aside(now, Ok(&bytes)),
            Incoming::Closed(reason) if beside => {
                self.aside = Aside::None;
                self.endpoint.handle_aside(now, Err(reason.unwrap_or_else(|| "the server closed it".into())));
            }
            _ if number != self.number => {}
            Incoming::Bytes(bytes) => self.endpoint.handle_bytes(now, &bytes),
            Incoming::Closed(reason) => {
                self.socket = None;
                self.number = self.next_number();
                let reason = reason.unwrap_or_else(|| "the server closed the connection".into());
                self.endpoint.handle_disconnected(now, reason);
            }
        }
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

/// How a server is to be spoken to.
pub fn over<'a>(transport: Transport, names: &'a [String], trust: Option<&'a Trust>) -> Over<'a> {
    match transport {
        Transport::Tls => Over::Tls { names, trust },
        Transport::Tcp => Over::Tcp,
        Transport::Udp => Over::Udp,
    }
}

/// Waits for a connection that is being opened; for ever when there is none.
async fn opened(opening: &mut Option<Opening<Step>>) -> Step {
    match opening {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// The same for the stream beside the link.
async fn beside(aside: &mut Aside) -> Beside {
    match aside {
        Aside::Opening(future, _) => future.await,
        Aside::None | Aside::Open(..) => std::future::pending().await,
    }
}

/// Waits until `due`; for ever when nothing is due.
pub async fn sleep(due: Option<tokio::time::Instant>) {
    match due {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::{ConferenceSettings, Invitee};
    use crate::domain::conversation::Role;
    use crate::domain::{Address, Time};
    use crate::endpoint::EndpointState;
    use crate::sip::framing::{Frame, Framer};
    use crate::sip::{Message, Name};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UdpSocket};

    /// What a server says that takes everything.
    fn yes(message: Message) -> Option<Vec<u8>> {
        let Message::Request(r) = message else { return None };
        let mut response = r.response(200, "srv");
        let contact = r.headers.get(&Name::Contact).unwrap_or("<sip:srv@127.0.0.1>").to_owned();
        response.headers.push(Name::Contact, contact).push(Name::Expires, "600").push("SIP-ETag", "e");
        Some(Message::Response(response).to_bytes())
    }

    /// A server at one port: datagrams, and streams that it closes after one answer.
    async fn server() -> u16 {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(place).await.unwrap();
        tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            loop {
                let (n, from) = udp.recv_from(&mut buffer).await.unwrap();
                if let Some(answer) = Message::parse(&buffer[..n]).ok().and_then(yes) {
                    udp.send_to(&answer, from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let mut framer = Framer::new();
                let answer = loop {
                    if let Some(Ok(Frame::Message(m))) = framer.next() {
                        break yes(*m).unwrap();
                    }
                    let mut buffer = [0; 1024];
                    let n = stream.read(&mut buffer).await.unwrap();
                    framer.push(&buffer[..n]);
                };
                stream.write_all(&answer).await.unwrap();
            }
        });
        place.port()
    }

    #[tokio::test]
    async fn large_requests_have_streams_beside_the_datagrams_one_after_the_other() {
        let mut config = Config::new(Address::parse("alice@127.0.0.1").unwrap(), "secret");
        (config.dialect, config.transport, config.trace) = (Dialect::Simple, Transport::Udp, true);
        config.relay = crate::endpoint::RelayPlace::None;
        (config.host, config.port) = ("127.0.0.1".into(), server().await);
        let (operations, wanted) = mpsc::unbounded_channel();
        let (say, mut said) = mpsc::unbounded_channel();
        tokio::spawn(Link::new(config, Rng::seeded(1), Clock::new(), None).run(wanted, move |event| {
            let _ = say.send(event);
        }));
        // Texts are cut to fit; calendars are not.
        let say = |n: u64| {
            let settings = ConferenceSettings {
                description: "x".repeat(3000),
                start: Some(Time(4_000_000_000_000)),
                end: Some(Time(4_000_003_600_000)),
                participants: vec![Invitee { uri: Address::parse("bob@127.0.0.1").unwrap(), role: Role::Attendee }],
                ..ConferenceSettings::default()
            };
            operations.send((OperationId(n), Operation::ScheduleConference { settings })).unwrap();
        };
        operations.send((OperationId(100), Operation::SignIn)).unwrap();
        let (mut planned, mut closed) = (0, 0);
        while planned < 3 || closed < 3 {
            match said.recv().await.unwrap() {
                LinkEvent::Endpoint(Event::State { state: EndpointState::Established, .. }) => say(1),
                LinkEvent::Endpoint(Event::Completed { id: OperationId(1..=3), result }) => {
                    result.unwrap();
                    planned += 1;
                }
                LinkEvent::Wire(record) if record.text.contains("for large requests is gone") => {
                    closed += 1;
                    say(closed + 1);
                }
                _ => {}
            }
        }
    }
}
