//! The front end on real sockets: listeners, connections, the store and the administration's door.

use super::link::sleep;
use super::pool::{self, Origin};
use crate::domain::contact::DistributionGroup;
use crate::domain::{Address, Rng};
use crate::frontend::{Config, Data, LogLevel, Output, Server, StoreOp, TrustedApplication, UserRecord};
use crate::net::{Clock, Ends, Incoming, Outgoing, certificates, stream, tcp};
use crate::sip::FlowId;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Reads of all connections that may wait for the machine.
const INCOMING_QUEUE: usize = 4096;

/// Connections that may be open at once.
const MAX_CONNECTIONS: usize = 20_000;

/// TLS handshakes that may be under way at once.
const MAX_HANDSHAKES: usize = 256;

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Where people come in.
#[derive(Default)]
pub struct Sockets {
    /// TCP without TLS.
    pub tcp: Option<TcpListener>,
    /// TLS.
    pub tls: Option<(TcpListener, TlsAcceptor)>,
    /// Other front ends of the pool bring their connections here.
    pub members: Option<UnixListener>,
    /// A connection here means that the accounts have changed on disk.
    pub control: Option<UnixListener>,
}

/// What the administration may change while the front end runs.
pub struct Administered {
    /// All accounts.
    pub users: Vec<UserRecord>,
    /// All distribution groups.
    pub groups: Vec<DistributionGroup>,
    /// All trusted applications.
    pub applications: Vec<TrustedApplication>,
    /// All registered category names.
    pub categories: Vec<String>,
}

/// Reads accounts, distribution groups and categories anew.
pub type Accounts = Box<dyn FnMut() -> Result<Administered, String> + Send>;

type Secured = (TlsStream<TcpStream>, Ends);
type Relayed = (BufReader<UnixStream>, Origin);

/// A front end with its sockets.
pub struct Host {
    server: Server,
    clock: Clock,
    flows: HashMap<FlowId, Outgoing>,
    next_flow: u64,
    incoming: mpsc::Receiver<(FlowId, Incoming)>,
    deliver: mpsc::Sender<(FlowId, Incoming)>,
    secured: mpsc::Receiver<Secured>,
    handshakes: mpsc::Sender<Secured>,
    relayed: mpsc::Receiver<Relayed>,
    greetings: mpsc::Sender<Relayed>,
    keep: Box<dyn FnMut(StoreOp) + Send>,
    accounts: Option<Accounts>,
}

impl Host {
    /// A front end that keeps its changes with `keep`.
    pub fn new(config: Config, data: Data, rng: Rng, clock: Clock, keep: impl FnMut(StoreOp) + Send + 'static) -> Host {
        let (deliver, incoming) = mpsc::channel(INCOMING_QUEUE);
        let (handshakes, secured) = mpsc::channel(MAX_HANDSHAKES);
        let (greetings, relayed) = mpsc::channel(MAX_HANDSHAKES);
        let server = Server::new(config, data, rng);
        let (flows, keep) = (HashMap::new(), Box::new(keep));
        Host {
            server,
            clock,
            flows,
            next_flow: 1,
            incoming,
            deliver,
            secured,
            handshakes,
            relayed,
            greetings,
            keep,
            accounts: None,
        }
    }

    /// Reads the accounts with `accounts` whenever the control socket says so.
    pub fn with_accounts(mut self, accounts: Accounts) -> Host {
        self.accounts = Some(accounts);
        self
    }

    /// Serves until `stop` is told or dropped.
    pub async fn run(mut self, sockets: Sockets, mut stop: oneshot::Receiver<()>) {
        let tls = sockets.tls.as_ref();
        loop {
            self.drain();
            let due = self.server.poll_timeout().map(|t| self.clock.instant(t));
            tokio::select! {
                socket = accept(sockets.tcp.as_ref()) => self.open_plain(socket),
                socket = accept(tls.map(|t| &t.0)) => {
                    if let Some((_, acceptor)) = tls {
                        self.shake_hands(socket, acceptor.clone());
                    }
                }
                Some((socket, ends)) = self.secured.recv() => self.open_secured(socket, ends),
                socket = member(sockets.members.as_ref()) => self.greet(socket),
                Some((socket, origin)) = self.relayed.recv() => self.open(socket, origin),
                () = called(sockets.control.as_ref()) => self.reload(),
                Some((flow, incoming)) = self.incoming.recv() => self.on_incoming(flow, incoming),
                () = sleep(due) => self.server.handle_timeout(self.clock.now()),
                _ = &mut stop => break,
            }
        }
        self.drain();
    }

    fn open_plain(&mut self, socket: TcpStream) {
        if let Ok(ends) = tcp::ends(&socket) {
            self.open(socket, Origin { peer: ends.peer.to_string(), secure: false, certificate: None });
        }
    }

    fn open_secured(&mut self, socket: TlsStream<TcpStream>, ends: Ends) {
        let certificate = certificates::of_peer(&socket);
        self.open(socket, Origin { peer: ends.peer.to_string(), secure: true, certificate });
    }

    /// Shakes hands aside, so that a slow or hostile peer keeps nobody else waiting.
    fn shake_hands(&self, socket: TcpStream, acceptor: TlsAcceptor) {
        let (Ok(ends), Ok(place)) = (tcp::ends(&socket), self.handshakes.clone().try_reserve_owned()) else { return };
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await {
                Ok(Ok(secured)) => drop(place.send((secured, ends))),
                Ok(Err(e)) => tracing::info!(peer = %ends.peer, "TLS handshake failed: {e}"),
                Err(_) => tracing::info!(peer = %ends.peer, "TLS handshake took too long"),
            }
        });
    }

    /// Hears aside what another front end of the pool says of a connection it brings.
    fn greet(&self, socket: UnixStream) {
        let Ok(place) = self.greetings.clone().try_reserve_owned() else { return };
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, pool::greeted(socket)).await {
                Ok(Ok(relayed)) => drop(place.send(relayed)),
                Ok(Err(e)) => tracing::warn!("a connection of the pool is refused: {e}"),
                Err(_) => tracing::warn!("a connection of the pool says nothing"),
            }
        });
    }

    fn open(&mut self, socket: impl stream::Stream, origin: Origin) {
        if self.flows.len() >= MAX_CONNECTIONS {
            tracing::warn!(peer = %origin.peer, "too many connections; this one is refused");
            return;
        }
        let flow = FlowId(self.next_flow);
        self.next_flow += 1;
        self.flows.insert(flow, stream::start(socket, flow, self.deliver.clone()));
        let now = self.clock.now();
        match origin.certificate.filter(|_| origin.secure) {
            Some(certificate) => self.server.handle_open_with(now, flow, origin.peer, &certificate),
            None => self.server.handle_open(now, flow, origin.peer, origin.secure),
        }
    }

    fn on_incoming(&mut self, flow: FlowId, incoming: Incoming) {
        if !self.flows.contains_key(&flow) {
            return;
        }
        let now = self.clock.now();
        match incoming {
            Incoming::Bytes(bytes) => self.server.handle_bytes(now, flow, &bytes),
            Incoming::Closed(_) => {
                self.flows.remove(&flow);
                self.server.handle_closed(now, flow);
            }
        }
    }

    fn reload(&mut self) {
        match self.accounts.as_mut().map(|read| read()) {
            Some(Ok(Administered { users, groups, categories, applications })) => {
                self.replace_applications(applications);
                self.server.set_categories(categories);
                self.replace_accounts(users);
                self.server.set_groups(groups);
            }
            Some(Err(e)) => tracing::error!("the accounts cannot be read again: {e}"),
            None => {}
        }
    }

    fn replace_applications(&mut self, wanted: Vec<TrustedApplication>) {
        let now = self.clock.now();
        let known = &self.server.state().applications;
        let gone: Vec<Address> = known.keys().filter(|a| !wanted.iter().any(|w| w.address == **a)).cloned().collect();
        let fresh: Vec<_> = wanted.into_iter().filter(|w| known.get(&w.address) != Some(w)).collect();
        for address in gone {
            self.server.remove_application(now, &address);
        }
        for application in fresh {
            self.server.put_application(now, application);
        }
    }

    /// Takes over what is new or changed; who is missing is signed out and removed.
    fn replace_accounts(&mut self, records: Vec<UserRecord>) {
        let now = self.clock.now();
        let wanted: HashSet<Address> = records.iter().map(|r| r.address.clone()).collect();
        let gone: Vec<Address> = self.server.state().users.keys().filter(|a| !wanted.contains(*a)).cloned().collect();
        for address in gone {
            self.server.remove_user(now, &address);
        }
        for record in records {
            if self.server.state().users.get(&record.address).is_none_or(|u| u.record != record) {
                self.server.put_user(now, record);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send(flow, bytes) => {
                    let sent = self.flows.get(&flow).is_none_or(|out| out.send(bytes));
                    if !sent && self.flows.remove(&flow).is_some() {
                        self.server.handle_closed(self.clock.now(), flow);
                    }
                }
                Output::Close(flow) => {
                    self.flows.remove(&flow);
                }
                Output::Store(op) => (self.keep)(op),
                Output::Log(level, text) => log(level, &text),
            }
        }
    }
}

/// The next connection; waits for ever without a listener, and after an error (too many open files) a moment.
pub(super) async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                // Small messages must not wait for each other; without it the connection works all the same.
                let _ = socket.set_nodelay(true);
                return socket;
            }
            Err(e) => {
                tracing::warn!("cannot accept a connection: {e}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The next connection that another front end of the pool brings.
async fn member(listener: Option<&UnixListener>) -> UnixStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The next call of the administration.
async fn called(control: Option<&UnixListener>) {
    match control {
        Some(control) if control.accept().await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

fn log(level: LogLevel, text: &str) {
    match level {
        LogLevel::Debug => tracing::debug!("{text}"),
        LogLevel::Info => tracing::info!("{text}"),
        LogLevel::Warn => tracing::warn!("{text}"),
    }
}
