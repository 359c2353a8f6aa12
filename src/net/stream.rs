//! One connection as two tasks: octets in, octets out, bounded on both sides.

use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// Octets read at once.
const READ_SIZE: usize = 16 * 1024;

/// Writes that may wait for a slow peer; one more closes the connection.
const WRITE_QUEUE: usize = 1024;

/// What a connection says. `closed` comes exactly once and is the last.
#[derive(Debug)]
pub enum Incoming {
    /// Octets in the order of the wire.
    Bytes(Vec<u8>),
    /// The connection is over: why, in words, or `None` when the peer closed it in order.
    Closed(Option<String>),
}

/// The sending half; dropping it closes the connection after what is queued.
#[derive(Clone, Debug)]
pub struct Outgoing(mpsc::Sender<Vec<u8>>);

impl Outgoing {
    /// Queues octets. `false` when the peer does not keep up or is gone; the connection should be given up then.
    pub fn send(&self, bytes: Vec<u8>) -> bool {
        self.0.try_send(bytes).is_ok()
    }
}

/// Any connected octet stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Addresses of both ends.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The peer's.
    pub peer: SocketAddr,
}

/// Starts the two tasks of a connection; `deliver` hears everything that comes in and returns `false` to stop reading.
pub fn start(stream: impl Stream, mut deliver: impl FnMut(Incoming) -> bool + Send + 'static) -> Outgoing {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (tx, mut rx) = mpsc::channel::<Vec<u8>>(WRITE_QUEUE);
    let writing = tokio::spawn(async move {
        while let Some(mut bytes) = rx.recv().await {
            // One system call for all that waits.
            while bytes.len() < READ_SIZE {
                match rx.try_recv() {
                    Ok(more) => bytes.extend_from_slice(&more),
                    Err(_) => break,
                }
            }
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                break;
            }
        }
        // The peer may be gone already; nothing is left to be told then.
        let _ = writer.shutdown().await;
    });
    tokio::spawn(async move {
        let mut buffer = vec![0; READ_SIZE];
        let reason = loop {
            match reader.read(&mut buffer).await {
                Ok(0) => break None,
                Ok(n) => {
                    if !deliver(Incoming::Bytes(buffer[..n].to_vec())) {
                        break None;
                    }
                }
                Err(e) => break Some(e.to_string()),
            }
        };
        deliver(Incoming::Closed(reason));
        writing.abort();
    });
    Outgoing(tx)
}
