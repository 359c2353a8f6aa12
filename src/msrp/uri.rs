//! MSRP URIs (RFC 4975 §6), kept verbatim.

use super::limits::PATH_MOST;
use std::fmt;

/// `msrps://user@host:port/session;tcp`
#[derive(Clone, Debug)]
pub struct MsrpUri {
    text: String,
    tls: bool,
    host: (usize, usize),
    port: Option<u16>,
    session: Option<(usize, usize)>,
}

impl MsrpUri {
    /// Reads one; `None` when it is no MSRP URI.
    pub fn parse(text: &str) -> Option<MsrpUri> {
        if !text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"')) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "msrp" => false,
            "msrps" => true,
            _ => return None,
        };
        let start = scheme.len() + 3;
        let authority = rest.split(['/', ';']).next()?;
        let user = authority.rfind('@').map_or(0, |at| at + 1);
        let place = &authority[user..];
        let (host, port) = match place.rsplit_once(':') {
            Some((h, p)) if !h.contains(':') || h.ends_with(']') => (h, Some(p.parse().ok()?)),
            _ => (place, None),
        };
        if host.is_empty() {
            return None;
        }
        let host = (start + user, start + user + host.len());
        let after = &rest[authority.len()..];
        let session = after.strip_prefix('/').map(|s| s.split(';').next().unwrap_or(""));
        let at = start + authority.len() + 1;
        let session = session.filter(|s| !s.is_empty()).map(|s| (at, at + s.len()));
        Some(MsrpUri { text: text.to_owned(), tls, host, port, session })
    }

    /// One of our own; `place` is `host:port`.
    pub fn new(tls: bool, place: &str, session: &str) -> Option<MsrpUri> {
        let slash = if session.is_empty() { "" } else { "/" };
        MsrpUri::parse(&format!("msrp{}://{place}{slash}{session};tcp", if tls { "s" } else { "" }))
    }

    /// As it stood on the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Over TLS.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        self.text[self.host.0..self.host.1].trim_start_matches('[').trim_end_matches(']')
    }

    /// Port; 2855 where none is written.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(2855)
    }

    /// The session's name; empty for a relay that is asked for one.
    pub fn session(&self) -> &str {
        self.session.map_or("", |(from, to)| &self.text[from..to])
    }
}

impl PartialEq for MsrpUri {
    /// RFC 4975 §6.1: the user part and parameters do not count, the session's name does to the letter.
    fn eq(&self, other: &MsrpUri) -> bool {
        self.tls == other.tls
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port() == other.port()
            && self.session() == other.session()
    }
}

impl Eq for MsrpUri {}

impl fmt::Display for MsrpUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads a path: URIs with spaces between; `None` when one of them is none, or there are too many or none at all.
pub fn path(text: &str) -> Option<Vec<MsrpUri>> {
    let all: Option<Vec<MsrpUri>> = text.split(' ').filter(|u| !u.is_empty()).take(PATH_MOST + 1).map(MsrpUri::parse).collect();
    all.filter(|p| !p.is_empty() && p.len() <= PATH_MOST)
}

/// Writes a path.
pub fn write_path(path: &[MsrpUri]) -> String {
    path.iter().map(MsrpUri::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_found() {
        let u = MsrpUri::parse("msrps://alice@Relay.example.com:2856/jui787s2f;tcp").unwrap();
        assert_eq!((u.tls(), u.host(), u.port(), u.session()), (true, "Relay.example.com", 2856, "jui787s2f"));
        let u = MsrpUri::parse("msrp://[2001:db8::1]/a;tcp;x=1").unwrap();
        assert_eq!((u.tls(), u.host(), u.port(), u.session()), (false, "2001:db8::1", 2855, "a"));
        assert_eq!(MsrpUri::parse("msrp://h:1;tcp").unwrap().session(), "");
    }

    #[test]
    fn equality_is_that_of_the_standard() {
        let same = |a: &str, b: &str| MsrpUri::parse(a).unwrap() == MsrpUri::parse(b).unwrap();
        assert!(same("msrp://H:2855/x;tcp", "MSRP://u@h/x;tcp"));
        assert!(!same("msrp://h/x;tcp", "msrp://h/X;tcp"));
        assert!(!same("msrp://h/x;tcp", "msrps://h/x;tcp"));
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in ["", "sip:a@b", "msrp://", "msrp://;tcp", "msrp://h:99999/x", "msrp://h/a b", "msrp://h/\u{1b}", "msrp:/h"] {
            assert!(MsrpUri::parse(bad).is_none(), "{bad}");
        }
        assert!(path("").is_none());
        assert!(path(&"msrp://h/x;tcp ".repeat(PATH_MOST + 1)).is_none());
        assert_eq!(path("msrp://a/1;tcp msrp://b/2;tcp").unwrap().len(), 2);
    }
}
