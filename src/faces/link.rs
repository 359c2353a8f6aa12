//! One endpoint on a real wire: joins the machine with sockets and the clock.

use crate::domain::Rng;
use crate::endpoint::user::{Config, Output, UserEndpoint};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, WebAnswer, WebRequest, WireRecord};
use crate::net::tls::{self, ConnectError, Trust};
use crate::net::{Clock, Incoming, Outgoing, http, stream, tcp};
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

type Answered = (u64, Result<WebAnswer, String>);
type Opened = Result<(Outgoing, String), ConnectError>;
type Opening = Pin<Box<dyn Future<Output = Opened> + Send>>;

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
    /// Answers over HTTP; there are never more than requests of the endpoint's own.
    web: (mpsc::UnboundedSender<Answered>, mpsc::UnboundedReceiver<Answered>),
}

impl Link {
    /// An endpoint that is not connected yet. `trust` is needed for TLS.
    pub fn new(config: Config, rng: Rng, clock: Clock, trust: Option<Trust>) -> Link {
        let (deliver, incoming) = mpsc::channel(INCOMING_QUEUE);
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
                    Output::Connect { host, port, tls } => self.open(host, port, tls),
                    Output::Send(bytes) => self.send(bytes),
                    Output::Close => {
                        self.socket = None;
                        self.opening = None;
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

    fn open(&mut self, host: String, port: u16, tls: bool) {
        self.generation += 1;
        let (generation, deliver) = (self.generation, self.deliver.clone());
        let trust = self.trust.clone().filter(|_| tls);
        self.opening = Some(Box::pin(async move {
            let (out, ends) = match trust {
                Some(trust) => {
                    let (socket, ends) = tls::connect(&host, port, &trust).await?;
                    (stream::start(socket, generation, deliver), ends)
                }
                None if tls => return Err(ConnectError::Tls("no certificate authority is known for TLS".into())),
                None => {
                    let (socket, ends) = tcp::connect(&host, port).await.map_err(ConnectError::Connection)?;
                    (stream::start(socket, generation, deliver), ends)
                }
            };
            Ok((out, ends.local.to_string()))
        }));
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

    fn on_opened(&mut self, opened: Opened) {
        self.opening = None;
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
async fn opened(opening: &mut Option<Opening>) -> Opened {
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
