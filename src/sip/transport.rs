//! What carries messages (RFC 3261 §18), and which server they go to.

use std::fmt;

/// A transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TLS over TCP.
    #[default]
    Tls,
    /// TCP without encryption.
    Tcp,
    /// Datagrams without encryption.
    Udp,
}

impl Transport {
    /// From a URI parameter or a Via; any case.
    pub fn parse(name: &str) -> Option<Transport> {
        [Transport::Tls, Transport::Tcp, Transport::Udp].into_iter().find(|t| t.name().eq_ignore_ascii_case(name))
    }

    /// As in a Via.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tls => "TLS",
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        }
    }

    /// As in a URI parameter.
    pub fn param(self) -> &'static str {
        match self {
            Transport::Tls => "tls",
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        }
    }

    /// What is sent arrives, or the connection is known to be gone.
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// The port where none is named.
    pub fn port(self) -> u16 {
        if self == Transport::Tls { 5061 } else { 5060 }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place that speaks SIP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How it is spoken to.
    pub transport: Transport,
}

impl Server {
    /// A server.
    pub fn new(host: impl Into<String>, port: u16, transport: Transport) -> Server {
        Server { host: host.into(), port, transport }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
