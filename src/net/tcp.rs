//! TCP without TLS: connect and listen.

use super::dial::ConnectError;
use super::stream::Ends;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// How long a connection may take to come up.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Connects to `host:port`.
///
/// # Errors
/// One sentence that says what failed and what to do.
pub async fn connect(host: &str, port: u16) -> Result<(TcpStream, Ends), ConnectError> {
    let attempt = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await;
    let stream = match attempt {
        Err(_) => {
            return Err(ConnectError::Connection(format!("{host}:{port} does not answer; check the address and the network")));
        }
        Ok(Err(e)) => return Err(explain(host, port, &e)),
        Ok(Ok(stream)) => stream,
    };
    // Small messages must not wait for each other; without it the connection works all the same.
    let _ = stream.set_nodelay(true);
    let ends = ends(&stream).map_err(|e| explain(host, port, &e))?;
    Ok((stream, ends))
}

/// Both addresses of a connected socket.
///
/// # Errors
/// When the peer is gone already.
pub fn ends(stream: &TcpStream) -> std::io::Result<Ends> {
    Ok(Ends { local: stream.local_addr()?, peer: stream.peer_addr()? })
}

fn explain(host: &str, port: u16, error: &std::io::Error) -> ConnectError {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    ConnectError::Connection(match error.kind() {
        ConnectionRefused => format!("nothing listens at {host}:{port}; is the server running, and is the port right?"),
        HostUnreachable | NetworkUnreachable => format!("there is no way to {host}; check the network"),
        // The system's resolver has no kind of its own.
        _ if error.to_string().contains("lookup") => {
            return ConnectError::NoHost(format!("there is no host named {host}; check the server's name"));
        }
        _ => format!("cannot connect to {host}:{port}: {error}"),
    })
}

/// Listens at `address` (`127.0.0.1:0` picks a free port).
///
/// # Errors
/// One sentence that says what failed and what to do.
pub async fn listen(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => format!("{address} is in use already; stop the other program or choose another port"),
        std::io::ErrorKind::PermissionDenied => format!("not allowed to listen at {address}; choose a port above 1023"),
        _ => format!("cannot listen at {address}: {e}"),
    })
}
