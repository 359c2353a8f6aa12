//! What an endpoint asks for beside its link: further connections, and files. Each is named by who asks, and answered by
//! [`super::UserEndpoint::handle_pipe`] and [`super::UserEndpoint::handle_file`].

use crate::domain::file::TransferId;

/// A connection beside the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipeId(pub u64);

/// What is wanted of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipeAsk {
    /// Open it.
    Open {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// With TLS: names its certificate may be for, the first of which is asked for.
        tls: Option<Vec<String>>,
        /// Only this certificate will do: `sha256:` and hexadecimal digits.
        pin: Option<String>,
    },
    /// Send octets.
    Send(Vec<u8>),
    /// Close it after what is queued; nothing more is heard of it.
    Close,
}

/// What is heard of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipeNews {
    /// It is open; our side as `host:port`.
    Opened(String),
    /// Octets came.
    Bytes(Vec<u8>),
    /// It could not be opened, or is gone: why. The last that is heard.
    Closed(String),
}

/// What is wanted of a file. One question at a time is asked about each transfer, but for [`FileAsk::Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAsk {
    /// Look at a file that is to be sent: answered with [`FileNews::Looked`]. It stays open.
    Look {
        /// Where, as the person has written it.
        path: String,
    },
    /// Read from it: answered with [`FileNews::Read`].
    Read {
        /// From here.
        offset: u64,
        /// So many.
        octets: usize,
    },
    /// Make room for a file that comes: answered with [`FileNews::Ready`].
    Receive {
        /// Its name; harmless.
        name: String,
        /// Octets.
        size: u64,
    },
    /// Write what comes next: answered with [`FileNews::Written`].
    Write(Vec<u8>),
    /// All has come: compare it with its size and hash and give it its name; answered with [`FileNews::Kept`].
    Keep {
        /// SHA-1, where the sender has told it.
        sha1: Option<[u8; 20]>,
    },
    /// Close it; what has come is thrown away. Not answered.
    Drop,
}

/// What is heard of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileNews {
    /// This is it.
    Looked {
        /// Its name without folders.
        name: String,
        /// Octets.
        size: u64,
        /// SHA-1 of the whole.
        sha1: [u8; 20],
    },
    /// These octets stand there.
    Read(Vec<u8>),
    /// It can come.
    Ready,
    /// So many octets are written.
    Written(u64),
    /// It is complete and lies here.
    Kept {
        /// Where.
        path: String,
    },
    /// It did not work: why, in a sentence. The last that is heard.
    Failed(String),
}

/// Where a relay for messages in sessions is (RFC 4976).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RelayPlace {
    /// The SIP server is asked, at its own address.
    #[default]
    Server,
    /// Here.
    At {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// Over TLS.
        tls: bool,
    },
    /// There is none.
    None,
}

impl RelayPlace {
    /// Reads the setting: `msrps://host:port`, `msrp://host:port`, `none`, or nothing for the SIP server.
    ///
    /// # Errors
    /// A sentence that says how it is written.
    pub fn parse(text: &str) -> Result<RelayPlace, String> {
        match text.trim() {
            "" | "server" => Ok(RelayPlace::Server),
            "none" | "off" => Ok(RelayPlace::None),
            place => match crate::msrp::MsrpUri::parse(place) {
                Some(uri) => Ok(RelayPlace::At { host: uri.host().to_owned(), port: uri.port(), tls: uri.tls() }),
                None => Err(format!("“{place}” is no relay; write msrps://host:port, or none")),
            },
        }
    }
}

/// What the owner of an endpoint is to do for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Something with a connection.
    Pipe(PipeId, PipeAsk),
    /// Something with a file.
    File(TransferId, FileAsk),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_of_the_relay_is_read() {
        assert_eq!(RelayPlace::parse(" "), Ok(RelayPlace::Server));
        assert_eq!(RelayPlace::parse("none"), Ok(RelayPlace::None));
        let at = RelayPlace::At { host: "r.example.com".into(), port: 2855, tls: true };
        assert_eq!(RelayPlace::parse("msrps://r.example.com;tcp"), Ok(at));
        assert!(RelayPlace::parse("https://x").unwrap_err().contains("msrps://host:port"));
    }
}
