//! One endpoint on a real wire: joins the machine with sockets and the clock.

use super::locate;
use crate::domain::Rng;
use crate::endpoint::user::{Config, Dialect, Output, UserEndpoint};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, WebAnswer, WebRequest, WireRecord};
use crate::net::dns::Resolver;
use crate::net::tls::{self, ConnectError, Trust};
use crate::net::{Clock, Incoming, Outgoing, entropy, http, stream, tcp, udp};
use crate::sip::{Server, Transport};
use std::future::Future;
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

/// Both ends of a queue within a link.
type Ends<T> = (mpsc::UnboundedSender<T>, mpsc::UnboundedReceiver<T>);

type Answered = (u64, Result<WebAnswer, String>);
type Opened = Result<(Outgoing, String), ConnectError>;
type Opening = Pin<Box<dyn Future<Output = Step> + Send>>;

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
    /// Being opened; this waits for it.
    Opening(Vec<Vec<u8>>),
    Open(Outgoing),
}

/// What happened to the stream beside the link of this generation.
enum Beside {
    Opened(Outgoing),
    Came(Incoming),
}

/// An endpoint and its socket.
pub struct Link {
    endpoint: UserEndpoint,
    clock: Clock,
    trust: Option<Trust>,
    socket: Option<Outgoing>,
    opening: Option<Opening>,
    /// Counts sockets, so that the last words of an old one are not taken for those of the new.
    generation: u64,
    incoming: mpsc::Receiver<(u64, Incoming)>,
    deliver: mpsc::Sender<(u64, Incoming)>,
    aside: Aside,
    beside: Ends<(u64, Beside)>,
    /// Asked instead of the system's name servers.
    resolver: Option<Resolver>,
    /// Answers over HTTP; there are never more than requests of the endpoint's own.
    web: Ends<Answered>,
}

impl Link {
    /// An endpoint that is not connected yet. `trust` is needed for TLS.
    pub fn new(config: Config, rng: Rng, clock: Clock, trust: Option<Trust>) -> Link {
        let (deliver, incoming) = mpsc::channel(INCOMING_QUEUE);
        // Whoever made the configuration has looked at the address.
        let resolver = Resolver::named(&config.name_server).ok();
        let endpoint = UserEndpoint::new(config, rng);
        Link {
            endpoint,
            clock,
            trust,
            socket: None,
            opening: None,
            generation: 0,
            incoming,
            deliver,
            aside: Aside::None,
            beside: mpsc::unbounded_channel(),
            resolver,
            web: mpsc::unbounded_channel(),
        }
    }

    /// Runs until `operations` closes; hands everything that happens to `say`.
    pub async fn run(
        mut self,
        mut operations: mpsc::UnboundedReceiver<(OperationId, Operation)>,
        mut say: impl FnMut(LinkEvent),
    ) {
        loop {
            self.drain(&mut say);
            let due = self.endpoint.poll_timeout().map(|t| self.clock.instant(t));
            tokio::select! {
                operation = operations.recv() => match operation {
                    Some((id, operation)) => self.endpoint.operate(self.clock.now(), id, operation),
                    None => return,
                },
                Some((generation, incoming)) = self.incoming.recv() => self.on_incoming(generation, incoming),
                Some((generation, what)) = self.beside.1.recv() => self.on_beside(generation, what),
                Some((id, answer)) = self.web.1.recv() => self.endpoint.handle_web(self.clock.now(), id, answer),
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
                        self.generation += 1;
                    }
                    Output::Web(request) => self.ask_web(request),
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
        self.generation += 1;
        self.aside = Aside::None;
        let (generation, deliver, trust) = (self.generation, self.deliver.clone(), self.trust.clone());
        let open = async move {
            let (out, ends) = match (transport, trust) {
                (Transport::Tls, Some(trust)) => {
                    let (socket, ends) = tls::connect(&host, port, &names, &trust).await?;
                    (stream::start(socket, generation, deliver), ends)
                }
                (Transport::Tls, None) => {
                    return Err(ConnectError::Tls("no certificate authority is known for TLS".into()));
                }
                (Transport::Tcp, _) => {
                    let (socket, ends) = tcp::connect(&host, port).await.map_err(ConnectError::Connection)?;
                    (stream::start(socket, generation, deliver), ends)
                }
                (Transport::Udp, _) => {
                    let (socket, ends) = udp::connect(&host, port).await.map_err(ConnectError::Connection)?;
                    (udp::start(socket, generation, deliver), ends)
                }
            };
            Ok((out, ends.local.to_string()))
        };
        self.opening = Some(Box::pin(async move { Step::Opened(open.await) }));
    }

    /// A request too large for a datagram; the stream for it is opened with the first.
    fn send_aside(&mut self, host: String, port: u16, bytes: Vec<u8>) {
        match &mut self.aside {
            Aside::Open(out) => {
                if !out.send(bytes) {
                    self.aside = Aside::None;
                    self.endpoint.handle_aside(self.clock.now(), Err("it takes nothing any more".into()));
                }
            }
            Aside::Opening(waiting) => waiting.push(bytes),
            Aside::None => {
                self.aside = Aside::Opening(vec![bytes]);
                let (generation, tell) = (self.generation, self.beside.0.clone());
                // Nobody listens any more when the link is gone.
                tokio::spawn(async move {
                    let socket = match tcp::connect(&host, port).await {
                        Ok((socket, _)) => socket,
                        Err(why) => {
                            let _ = tell.send((generation, Beside::Came(Incoming::Closed(Some(why)))));
                            return;
                        }
                    };
                    let (deliver, mut came) = mpsc::channel(INCOMING_QUEUE);
                    let _ = tell.send((generation, Beside::Opened(stream::start(socket, (), deliver))));
                    while let Some(((), incoming)) = came.recv().await {
                        let _ = tell.send((generation, Beside::Came(incoming)));
                    }
                });
            }
        }
    }

    fn on_beside(&mut self, generation: u64, what: Beside) {
        if generation != self.generation {
            return;
        }
        match (what, std::mem::take(&mut self.aside)) {
            (Beside::Opened(out), Aside::Opening(waiting)) => {
                // A stream that breaks at once says so by its end.
                for bytes in waiting {
                    out.send(bytes);
                }
                self.aside = Aside::Open(out);
            }
            (Beside::Opened(_), other) => self.aside = other,
            (Beside::Came(Incoming::Bytes(bytes)), aside) => {
                self.aside = aside;
                self.endpoint.handle_aside(self.clock.now(), Ok(&bytes));
            }
            (Beside::Came(Incoming::Closed(why)), _) => {
                let why = why.unwrap_or_else(|| "the server closed it".into());
                self.endpoint.handle_aside(self.clock.now(), Err(why));
            }
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
            self.generation += 1;
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
                    ConnectError::Connection(_) => ErrorKind::ConnectionFailed,
                    ConnectError::Tls(_) => ErrorKind::TlsFailed,
                };
                let error = Error::new(kind, failed.to_string());
                self.endpoint.handle_connect_failed(self.clock.now(), error);
            }
        }
    }

    fn on_incoming(&mut self, generation: u64, incoming: Incoming) {
        if generation != self.generation {
            return;
        }
        match incoming {
            Incoming::Bytes(bytes) => self.endpoint.handle_bytes(self.clock.now(), &bytes),
            Incoming::Closed(reason) => {
                self.socket = None;
                self.generation += 1;
                let reason = reason.unwrap_or_else(|| "the server closed the connection".into());
                self.endpoint.handle_disconnected(self.clock.now(), reason);
            }
        }
    }
}

/// Waits for a connection that is being opened; for ever when there is none.
async fn opened(opening: &mut Option<Opening>) -> Step {
    match opening {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Waits until `due`; for ever when nothing is due.
pub async fn sleep(due: Option<tokio::time::Instant>) {
    match due {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
