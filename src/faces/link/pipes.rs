//! Connections beside the link, for sessions.

use crate::endpoint::{PipeAsk, PipeId, PipeNews};
use crate::net::tls::Trust;
use crate::net::{Incoming, Outgoing, Over, dial};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Reads of all connections that may wait for the machine.
const INCOMING_QUEUE: usize = 32;

type Opened = (PipeId, Result<(Outgoing, String), String>);

/// All of an endpoint.
pub(super) struct Pipes {
    trust: Option<Trust>,
    /// `None` while one is being opened.
    open: BTreeMap<PipeId, Option<Outgoing>>,
    opened: (mpsc::UnboundedSender<Opened>, mpsc::UnboundedReceiver<Opened>),
    incoming: mpsc::Receiver<(PipeId, Incoming)>,
    deliver: mpsc::Sender<(PipeId, Incoming)>,
}

impl Pipes {
    pub fn new(trust: Option<Trust>) -> Pipes {
        let (deliver, incoming) = mpsc::channel(INCOMING_QUEUE);
        Pipes { trust, open: BTreeMap::new(), opened: mpsc::unbounded_channel(), incoming, deliver }
    }

    /// Does what is wanted; says what is to be told at once.
    pub fn ask(&mut self, pipe: PipeId, ask: PipeAsk) -> Option<PipeNews> {
        match ask {
            PipeAsk::Open { host, port, tls, pin } => {
                self.open.insert(pipe, None);
                let (tell, deliver, trust) = (self.opened.0.clone(), self.deliver.clone(), self.trust.clone());
                // Nobody waits any more when the link is gone.
                tokio::spawn(async move {
                    let _ = tell.send((pipe, open(pipe, &host, port, tls, pin, trust, deliver).await));
                });
                None
            }
            PipeAsk::Send(bytes) => {
                let out = self.open.get(&pipe)?.as_ref()?;
                if out.send(bytes) {
                    return None;
                }
                self.open.remove(&pipe);
                Some(PipeNews::Closed("the other side does not take what we send".into()))
            }
            PipeAsk::Close => {
                self.open.remove(&pipe);
                None
            }
        }
    }

    /// The next thing heard; reads wait while `hold`, and so does whoever sends them.
    pub async fn next(&mut self, hold: bool) -> (PipeId, PipeNews) {
        loop {
            let heard = tokio::select! {
                Some((pipe, opened)) = self.opened.1.recv() => self.on_opened(pipe, opened),
                Some((pipe, incoming)) = self.incoming.recv(), if !hold => self.on_incoming(pipe, incoming),
                else => std::future::pending().await,
            };
            if let Some(heard) = heard {
                return heard;
            }
        }
    }

    fn on_opened(&mut self, pipe: PipeId, opened: Result<(Outgoing, String), String>) -> Option<(PipeId, PipeNews)> {
        let place = self.open.get_mut(&pipe)?;
        match opened {
            Ok((out, local)) => {
                *place = Some(out);
                Some((pipe, PipeNews::Opened(local)))
            }
            Err(why) => {
                self.open.remove(&pipe);
                Some((pipe, PipeNews::Closed(why)))
            }
        }
    }

    fn on_incoming(&mut self, pipe: PipeId, incoming: Incoming) -> Option<(PipeId, PipeNews)> {
        self.open.get(&pipe)?;
        match incoming {
            Incoming::Bytes(bytes) => Some((pipe, PipeNews::Bytes(bytes))),
            Incoming::Closed(why) => {
                self.open.remove(&pipe);
                Some((pipe, PipeNews::Closed(why.unwrap_or_else(|| "the other side closed the connection".into()))))
            }
        }
    }
}

async fn open(
    pipe: PipeId,
    host: &str,
    port: u16,
    names: Option<Vec<String>>,
    pin: Option<String>,
    trust: Option<Trust>,
    deliver: mpsc::Sender<(PipeId, Incoming)>,
) -> Result<(Outgoing, String), String> {
    let dialed = match names {
        None => dial(Over::Tcp, host, port, pipe, deliver).await,
        Some(names) => {
            let trust = match (trust, pin) {
                (Some(trust), Some(pin)) => trust.pinned(&pin)?,
                (Some(trust), None) => trust,
                (None, _) => Trust::new(None)?,
            };
            dial(Over::Tls { names: &names, trust: Some(&trust) }, host, port, pipe, deliver).await
        }
    };
    let (out, ends) = dialed.map_err(|refused| refused.error.to_string())?;
    Ok((out, ends.local.to_string()))
}
