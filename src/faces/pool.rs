//! Several front ends on one data directory (docs/decisions/pool.md): one of them works, the others bring it their
//! connections, and when it ends one of them works in its place.
//!
//! Who holds the lock works. A member connects a socket of its own to the working front end for each of its clients, says in
//! one line who that is, and passes octets on both ways.

use super::server::accept;
use crate::net::{certificates, tcp};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

/// File in the data directory whose lock the working front end holds.
const LOCK: &str = "pool.lock";
/// Socket at which it takes the connections of the others.
pub const MEMBERS: &str = "pool.sock";
/// Longest line that says whose connection it is.
const MAX_GREETING: u64 = 4096;
/// Connections one member brings at once.
const MAX_RELAYED: usize = 20_000;
/// How long a member tries to reach a working front end for one client; a new one needs a moment to begin.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Where a connection comes from.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Address of the client, for the log.
    pub peer: String,
    /// It came over TLS.
    pub secure: bool,
    /// Fingerprint of the certificate it showed.
    pub certificate: Option<String>,
}

/// The right to work; dropping it lets another front end of the pool work.
#[derive(Debug)]
pub struct Turn(#[allow(dead_code)] File);

/// What became of the wish to work.
pub enum Place {
    /// This front end works.
    Working(Turn),
    /// Another one does; this one is next when the receiver is told.
    Member(oneshot::Receiver<Turn>),
}

/// Takes the place that is free.
///
/// # Errors
/// When the lock file cannot be used.
pub fn take_place(data: &Path) -> Result<Place, String> {
    let path = data.join(LOCK);
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let file = crate::store::private_file(&path)
        .map_err(|e| e.to_string())
        .and_then(|_| File::options().read(true).write(true).open(&path).map_err(failed))?;
    match file.try_lock() {
        Ok(()) => Ok(Place::Working(Turn(file))),
        Err(TryLockError::WouldBlock) => {
            let (tell, told) = oneshot::channel();
            std::thread::Builder::new()
                .name("pool".into())
                .spawn(move || {
                    if file.lock().is_ok() {
                        // Nobody listens when the program ends.
                        let _ = tell.send(Turn(file));
                    }
                })
                .map_err(failed)?;
            Ok(Place::Member(told))
        }
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

/// The working front end's door of this name. Only one front end works on the data, so a file that is there is left over;
/// whoever is just ending may still hold it open.
///
/// # Errors
/// When the socket cannot be made.
pub fn door(data: &Path, name: &str) -> Result<UnixListener, String> {
    let path = data.join(name);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {e}", path.display())),
        _ => {}
    }
    UnixListener::bind(&path).map_err(|e| format!("{}: {e}", path.display()))
}

/// What a member says of the connection it brings.
///
/// # Errors
/// When it says nothing that can be read.
pub async fn greeted(socket: UnixStream) -> Result<(BufReader<UnixStream>, Origin), String> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    (&mut reader).take(MAX_GREETING).read_line(&mut line).await.map_err(|e| e.to_string())?;
    let origin = serde_json::from_str(&line).map_err(|e| e.to_string())?;
    Ok((reader, origin))
}

/// Brings connections to whoever works, until this front end is next (`Some`) or is told to end.
pub async fn bring(
    data: &Path,
    plain: &TcpListener,
    tls: &(TcpListener, TlsAcceptor),
    mut next: oneshot::Receiver<Turn>,
    stop: &mut oneshot::Receiver<()>,
) -> Option<Turn> {
    let path = Arc::new(data.join(MEMBERS));
    let places = Arc::new(Semaphore::new(MAX_RELAYED));
    loop {
        let (socket, acceptor) = tokio::select! {
            turn = &mut next => return turn.ok(),
            _ = &mut *stop => return None,
            socket = accept(Some(plain)) => (socket, None),
            socket = accept(Some(&tls.0)) => (socket, Some(tls.1.clone())),
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let path = path.clone();
        tokio::spawn(async move {
            relay(socket, acceptor, &path).await;
            drop(place);
        });
    }
}

async fn relay(socket: TcpStream, acceptor: Option<TlsAcceptor>, path: &PathBuf) {
    let Ok(ends) = tcp::ends(&socket) else { return };
    let peer = ends.peer.to_string();
    match acceptor {
        None => pass_on(socket, Origin { peer, secure: false, certificate: None }, path).await,
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await {
            Ok(Ok(socket)) => {
                let certificate = certificates::of_peer(&socket);
                pass_on(socket, Origin { peer, secure: true, certificate }, path).await;
            }
            Ok(Err(e)) => tracing::info!(%peer, "TLS handshake failed: {e}"),
            Err(_) => tracing::info!(%peer, "TLS handshake took too long"),
        },
    }
}

async fn pass_on(mut client: impl crate::net::Stream, origin: Origin, path: &PathBuf) {
    let Some(mut worker) = reach(path).await else {
        tracing::warn!(peer = origin.peer, "no front end of the pool works; the connection is closed");
        return;
    };
    let Ok(mut greeting) = serde_json::to_vec(&origin) else { return };
    greeting.push(b'\n');
    if worker.write_all(&greeting).await.is_ok() {
        // Whichever side ends first, the other one's connection ends with it.
        let _ = copy_bidirectional(&mut client, &mut worker).await;
    }
}

async fn reach(path: &PathBuf) -> Option<UnixStream> {
    for _ in 0..TRIES {
        if let Ok(socket) = UnixStream::connect(path).await {
            return Some(socket);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_works_and_the_next_follows_when_its_turn_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let Place::Working(turn) = take_place(dir.path()).unwrap() else { panic!("nobody else is there") };
        let Place::Member(next) = take_place(dir.path()).unwrap() else { panic!("somebody works already") };
        drop(turn);
        next.await.unwrap();
    }

    #[tokio::test]
    async fn a_member_says_whose_connection_it_brings() {
        let dir = tempfile::tempdir().unwrap();
        let door = door(dir.path(), MEMBERS).unwrap();
        let mut bringer = reach(&dir.path().join(MEMBERS)).await.unwrap();
        let origin = Origin { peer: "192.0.2.1:5".into(), secure: true, certificate: Some("ab".into()) };
        let line = format!("{}\nOPTIONS", serde_json::to_string(&origin).unwrap());
        bringer.write_all(line.as_bytes()).await.unwrap();
        drop(bringer);
        let (mut rest, heard) = greeted(door.accept().await.unwrap().0).await.unwrap();
        let mut octets = String::new();
        rest.read_to_string(&mut octets).await.unwrap();
        assert_eq!((heard, octets.as_str()), (origin, "OPTIONS"));
    }
}
