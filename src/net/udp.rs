//! Datagrams with one peer, in the place of a connection: what is queued leaves as one datagram each, what comes is told whole.

use super::dial::ConnectError;
use super::stream::{Ends, Incoming, Outgoing};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// The largest datagram there is.
const LARGEST: usize = 65_535;

/// A socket for `host:port` alone.
///
/// # Errors
/// One sentence that says what failed and what to do.
pub async fn connect(host: &str, port: u16) -> Result<(UdpSocket, Ends), ConnectError> {
    let named = |e: std::io::Error| ConnectError::NoHost(format!("there is no host named {host}; check the server's name ({e})"));
    let mut failed = format!("{host} has no address; check the server's name");
    for peer in tokio::net::lookup_host((host, port)).await.map_err(named)? {
        let any = if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let attempt = async {
            let socket = UdpSocket::bind(any).await?;
            socket.connect(peer).await?;
            let ends = Ends { local: socket.local_addr()?, peer };
            Ok::<_, std::io::Error>((socket, ends))
        };
        match attempt.await {
            Ok(found) => return Ok(found),
            Err(e) => failed = format!("cannot send datagrams to {host}:{port}: {e}"),
        }
    }
    Err(ConnectError::Connection(failed))
}

/// Starts the task of a socket. A peer that says that nobody listens is a closed connection.
pub fn start<T: Copy + Send + 'static>(socket: UdpSocket, tag: T, deliver: mpsc::Sender<(T, Incoming)>) -> Outgoing {
    let (out, mut queue) = Outgoing::queue();
    tokio::spawn(async move {
        let mut buffer = vec![0; LARGEST];
        let reason = loop {
            tokio::select! {
                bytes = queue.next() => match bytes {
                    Some(bytes) => if let Err(e) = socket.send(&bytes).await { break e },
                    None => return,
                },
                came = socket.recv(&mut buffer) => match came {
                    Ok(n) => {
                        let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                        if deliver.send((tag, Incoming::Bytes(bytes))).await.is_err() {
                            return;
                        }
                    }
                    Err(e) => break e,
                },
            }
        };
        let text = match reason.kind() {
            std::io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
            _ => reason.to_string(),
        };
        // Nobody misses the news when the receiving side is gone.
        let _ = deliver.send((tag, Incoming::Closed(Some(text)))).await;
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_go_and_come_whole_and_a_closed_port_is_told() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let (socket, ends) = connect("127.0.0.1", port).await.unwrap();
        assert_eq!(ends.peer.port(), port);
        let (deliver, mut came) = mpsc::channel(4);
        let out = start(socket, (), deliver);
        assert!(out.send(b"one".to_vec()) && out.send(b"two".to_vec()));
        let mut buffer = [0; 16];
        for expected in ["one", "two"] {
            let (n, from) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..n], expected.as_bytes());
            server.send_to(expected.as_bytes(), from).await.unwrap();
            assert!(matches!(came.recv().await, Some((_, Incoming::Bytes(b))) if b == expected.as_bytes()));
        }
        drop(server);
        out.send(b"three".to_vec());
        assert!(matches!(came.recv().await, Some((_, Incoming::Closed(Some(why)))) if why.contains("nobody listens")));
    }
}
