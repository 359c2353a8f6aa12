//! The front end on real sockets: listeners, connections, the store and the administration's door.

use super::link::sleep;
use crate::domain::Rng;
use crate::frontend::{Config, Data, LogLevel, Output, Server, StoreOp};
use crate::net::{Clock, Incoming, Outgoing, stream, tcp};
use crate::sip::FlowId;
use std::collections::HashMap;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Reads of all connections that may wait for the machine.
const INCOMING_QUEUE: usize = 4096;

/// Connections that may be open at once.
const MAX_CONNECTIONS: usize = 20_000;

/// A front end with its sockets.
pub struct Host {
    server: Server,
    clock: Clock,
    flows: HashMap<FlowId, Outgoing>,
    next_flow: u64,
    incoming: mpsc::Receiver<(FlowId, Incoming)>,
    deliver: mpsc::Sender<(FlowId, Incoming)>,
    keep: Box<dyn FnMut(StoreOp) + Send>,
}

impl Host {
    /// A front end that keeps its changes with `keep`.
    pub fn new(config: Config, data: Data, rng: Rng, clock: Clock, keep: impl FnMut(StoreOp) + Send + 'static) -> Host {
        let (deliver, incoming) = mpsc::channel(INCOMING_QUEUE);
        let server = Server::new(config, data, rng);
        Host { server, clock, flows: HashMap::new(), next_flow: 1, incoming, deliver, keep: Box::new(keep) }
    }

    /// Serves until `stop` is told or dropped.
    pub async fn run(mut self, tcp: TcpListener, mut stop: oneshot::Receiver<()>) {
        loop {
            self.drain();
            let due = self.server.poll_timeout().map(|t| self.clock.instant(t));
            tokio::select! {
                accepted = tcp.accept() => {
                    if let Ok((socket, _)) = accepted {
                        self.accept(socket);
                    }
                }
                Some((flow, incoming)) = self.incoming.recv() => self.on_incoming(flow, incoming),
                () = sleep(due) => self.server.handle_timeout(self.clock.now()),
                _ = &mut stop => break,
            }
        }
        self.drain();
    }

    fn accept(&mut self, socket: tokio::net::TcpStream) {
        let Ok(ends) = tcp::ends(&socket) else { return };
        if self.flows.len() >= MAX_CONNECTIONS {
            tracing::warn!(peer = %ends.peer, "too many connections; this one is refused");
            return;
        }
        // Small messages must not wait for each other; without it the connection works all the same.
        let _ = socket.set_nodelay(true);
        let flow = FlowId(self.next_flow);
        self.next_flow += 1;
        self.flows.insert(flow, stream::start(socket, flow, self.deliver.clone()));
        self.server.handle_open(self.clock.now(), flow, ends.peer.to_string(), false);
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

fn log(level: LogLevel, text: &str) {
    match level {
        LogLevel::Debug => tracing::debug!("{text}"),
        LogLevel::Info => tracing::info!("{text}"),
        LogLevel::Warn => tracing::warn!("{text}"),
    }
}
