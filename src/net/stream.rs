//! One connection as two tasks: octets in, octets out, bounded on both sides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Octets read at once.
const READ_SIZE: usize = 16 * 1024;

/// Writes that may wait for a slow peer; one more closes the connection.
const WRITE_QUEUE: usize = 1024;

/// Octets that may wait for a slow peer.
const WRITE_OCTETS: usize = 8 * 1024 * 1024;

/// How long a peer may take nothing of what is sent to it.
const PATIENCE: Duration = Duration::from_secs(30);

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
pub struct Outgoing {
    queue: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

impl Outgoing {
    /// A sending half and the queue behind it.
    pub(super) fn queue() -> (Outgoing, Queue) {
        let (tx, rx) = mpsc::channel::<Vec<u8>>(WRITE_QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        (Outgoing { queue: tx, waiting: waiting.clone() }, Queue { queue: rx, waiting })
    }

    /// Queues octets. `false` when the peer does not keep up or is gone; the connection should be given up then.
    pub fn send(&self, bytes: Vec<u8>) -> bool {
        let octets = bytes.len();
        if self.waiting.fetch_add(octets, Ordering::Relaxed) > WRITE_OCTETS {
            return false;
        }
        self.queue.try_send(bytes).is_ok()
    }
}

/// What waits to be sent, one piece after the other.
#[derive(Debug)]
pub(super) struct Queue {
    queue: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// The next piece; `None` when nobody can send any more.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let bytes = self.queue.recv().await?;
        self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        Some(bytes)
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
    let waiting = Arc::new(AtomicUsize::new(0));
    let mut writing = tokio::spawn(write(writer, rx, waiting.clone(), PATIENCE));
    tokio::spawn(async move {
        // When the writing half has ended the connection is over, also for a peer that would keep it open.
        let reason = tokio::select! {
            reason = read(reader, tag, &deliver) => reason,
            reason = &mut writing => reason.unwrap_or_default(),
        };
        // Nobody listens any more when the receiving side is gone; then nobody misses the news either.
        let _ = deliver.send((tag, Incoming::Closed(reason))).await;
        writing.abort();
    });
    Outgoing { queue: tx, waiting }
}

/// Writes until nobody can send any more. Says why when it ends for another reason.
async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    patience: Duration,
) -> Option<String> {
    while let Some(mut bytes) = queue.recv().await {
        // One system call for all that waits.
        while bytes.len() < READ_SIZE {
            match queue.try_recv() {
                Ok(more) => bytes.extend_from_slice(&more),
                Err(_) => break,
            }
        }
        for piece in bytes.chunks(READ_SIZE) {
            let written = async {
                writer.write_all(piece).await?;
                writer.flush().await
            };
            match timeout(patience, written).await {
                Ok(Ok(())) => {}
                Ok(Err(e)) => return Some(e.to_string()),
                Err(_) => return Some("the other side takes nothing any more".into()),
            }
        }
        waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    // The peer may be gone already; nothing is left to be told then.
    let _ = timeout(patience, writer.shutdown()).await;
    None
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    #[tokio::test]
    async fn octets_arrive_in_order_and_the_end_comes_once() {
        let (ours, mut theirs) = duplex(64);
        let (tx, mut rx) = mpsc::channel(4);
        let out = start(ours, 7, tx);
        assert!(out.send(b"hello ".to_vec()) && out.send(b"you".to_vec()));
        let mut read = [0; 9];
        theirs.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"hello you");
        theirs.write_all(b"back").await.unwrap();
        assert!(matches!(rx.recv().await, Some((7, Incoming::Bytes(b))) if b == b"back"));
        drop(theirs);
        assert!(matches!(rx.recv().await, Some((7, Incoming::Closed(None)))));
        assert!(rx.recv().await.is_none());
    }

    #[tokio::test]
    async fn dropping_the_sending_half_closes_after_what_is_queued() {
        let (ours, mut theirs) = duplex(8);
        let (tx, mut rx) = mpsc::channel(4);
        let out = start(ours, (), tx);
        assert!(out.send(vec![b'x'; 100]));
        drop(out);
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 100);
        assert!(matches!(rx.recv().await, Some(((), Incoming::Closed(None)))));
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_noticed() {
        let (ours, _theirs) = duplex(8);
        let (tx, _rx) = mpsc::channel(4);
        let out = start(ours, (), tx);
        let queued = (0..WRITE_QUEUE * 2).take_while(|_| out.send(vec![0; 16])).count();
        assert!(queued <= WRITE_QUEUE + 1, "{queued}");
        let (ours, _theirs) = duplex(8);
        let (tx, _rx) = mpsc::channel(4);
        let out = start(ours, (), tx);
        let queued = (0..100).take_while(|_| out.send(vec![0; WRITE_OCTETS / 4])).count();
        assert!(queued <= 6, "{queued}");
    }

    #[tokio::test]
    async fn a_stuck_write_ends_with_a_reason() {
        let (ours, _theirs) = duplex(8);
        let (tx, rx) = mpsc::channel(4);
        tx.try_send(vec![0; 16]).unwrap();
        let reason = write(ours, rx, Arc::new(AtomicUsize::new(16)), Duration::ZERO).await;
        assert!(reason.unwrap().contains("takes nothing"));
    }
}
