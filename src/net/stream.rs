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

/// Starts the two tasks of a connection. What comes in goes to `deliver` under the name `tag`; a full channel stops the
/// reading, so that a fast peer waits for us instead of filling our memory.
pub fn start<T: Copy + Send + 'static>(stream: impl Stream, tag: T, deliver: mpsc::Sender<(T, Incoming)>) -> Outgoing {
    let (reader, writer) = tokio::io::split(stream);
    let (tx, rx) = mpsc::channel::<Vec<u8>>(WRITE_QUEUE);
    let mut writing = tokio::spawn(write(writer, rx));
    tokio::spawn(async move {
        // When the writing half has ended the connection is over, also for a peer that would keep it open.
        let reason = tokio::select! {
            reason = read(reader, tag, &deliver) => reason,
            _ = &mut writing => None,
        };
        // Nobody listens any more when the receiving side is gone; then nobody misses the news either.
        let _ = deliver.send((tag, Incoming::Closed(reason))).await;
        writing.abort();
    });
    Outgoing(tx)
}

async fn write(mut writer: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(mut bytes) = queue.recv().await {
        // One system call for all that waits.
        while bytes.len() < READ_SIZE {
            match queue.try_recv() {
                Ok(more) => bytes.extend_from_slice(&more),
                Err(_) => break,
            }
        }
        if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
    // The peer may be gone already; nothing is left to be told then.
    let _ = writer.shutdown().await;
}

async fn read<T: Copy>(mut reader: impl AsyncRead + Unpin, tag: T, deliver: &mpsc::Sender<(T, Incoming)>) -> Option<String> {
    let mut buffer = vec![0; READ_SIZE];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) => return None,
            Ok(n) => deliver.send((tag, Incoming::Bytes(buffer[..n].to_vec()))).await.ok()?,
            Err(e) => return Some(e.to_string()),
        }
    }
}
