//! One way to a server, whatever is spoken over.

use super::judge::Facts;
use super::stream::{self, Ends, Incoming, Outgoing};
use super::tls::{self, Trust};
use super::{tcp, udp};
use tokio::sync::mpsc;

/// Why a connection did not come up; one sentence each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody knows the host.
    #[error("{0}")]
    NoHost(String),
    /// The way there.
    #[error("{0}")]
    Connection(String),
    /// The certificate, or TLS itself.
    #[error("{0}")]
    Tls(String),
}

/// A connection that did not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub error: ConnectError,
    /// The certificate that was shown, where one was.
    pub certificate: Option<Box<Facts>>,
}

impl From<ConnectError> for Refused {
    fn from(error: ConnectError) -> Refused {
        Refused { error, certificate: None }
    }
}

/// What is spoken over.
#[derive(Clone, Copy, Debug)]
pub enum Over<'a> {
    /// TLS.
    Tls {
        /// Names of which the certificate must have one; the first is asked for.
        names: &'a [String],
        /// Whom to trust; without anybody there is no connection.
        trust: Option<&'a Trust>,
    },
    /// TCP.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Connects to `host:port` and starts the tasks of the connection: what comes goes to `deliver` under the name `tag`.
///
/// # Errors
/// One sentence that says what failed and what to do.
pub async fn dial<T: Copy + Send + 'static>(
    over: Over<'_>,
    host: &str,
    port: u16,
    tag: T,
    deliver: mpsc::Sender<(T, Incoming)>,
) -> Result<(Outgoing, Ends), Refused> {
    Ok(match over {
        Over::Tls { trust: None, .. } => {
            return Err(ConnectError::Tls("no certificate authority is known for TLS".into()).into());
        }
        Over::Tls { names, trust: Some(trust) } => {
            let (socket, ends) = tls::attempt(host, port, names, trust).await?;
            (stream::start(socket, tag, deliver), ends)
        }
        Over::Tcp => {
            let (socket, ends) = tcp::connect(host, port).await?;
            (stream::start(socket, tag, deliver), ends)
        }
        Over::Udp => {
            let (socket, ends) = udp::connect(host, port).await?;
            (udp::start(socket, tag, deliver), ends)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_that_nobody_knows_is_told_from_a_server_that_does_not_listen() {
        let free = tcp::listen("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        for over in [Over::Tcp, Over::Tls { names: &[], trust: None }, Over::Udp] {
            let (deliver, _came) = mpsc::channel::<((), Incoming)>(1);
            let nobody = dial(over, "nobody.invalid", 5060, (), deliver.clone()).await.err().map(|r| r.error);
            let silent = dial(over, "127.0.0.1", free, (), deliver).await.err().map(|r| r.error);
            match over {
                Over::Tls { .. } => assert!(matches!(nobody, Some(ConnectError::Tls(_))), "{nobody:?}"),
                _ => assert!(matches!(nobody, Some(ConnectError::NoHost(_))), "{nobody:?}"),
            }
            assert_eq!(matches!(silent, Some(ConnectError::Connection(_))), matches!(over, Over::Tcp), "{silent:?}");
        }
    }
}
