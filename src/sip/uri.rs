//! URIs, kept verbatim and taken apart on demand (RFC 3261 §19).

use crate::domain::Address;
use std::fmt;

/// A URI exactly as it stood on the wire. Unknown schemes are kept as opaque text.
#[derive(Clone, Debug)]
pub struct Uri(Box<str>);

impl Uri {
    /// Takes the text of a URI without angle brackets. `None` when it has no scheme or contains white space,
    /// control characters, `<`, `>` or `"`.
    pub fn parse(text: &str) -> Option<Uri> {
        let (scheme, rest) = text.split_once(':')?;
        let scheme_ok = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        let bad = |b: u8| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 0x7f);
        if !scheme_ok || rest.is_empty() || rest.bytes().any(bad) {
            return None;
        }
        if !rest.is_ascii() && rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        Some(Uri(text.into()))
    }

    /// Whether `?name=value` headers follow the parameters of a SIP URI.
    pub fn has_headers(&self) -> bool {
        let sip = self.scheme().eq_ignore_ascii_case("sip") || self.scheme().eq_ignore_ascii_case("sips");
        sip && self.host_and_rest().contains('?')
    }

    /// The exact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme as written.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |p| p.0)
    }

    fn after_scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |p| p.1)
    }

    /// User part (may contain `;` parameters of its own), if any.
    pub fn user(&self) -> Option<&str> {
        let (user, _) = self.after_scheme().split_once('@')?;
        Some(user.split(':').next().unwrap_or(user))
    }

    fn host_and_rest(&self) -> &str {
        let s = self.after_scheme();
        s.split_once('@').map_or(s, |p| p.1)
    }

    fn hostport(&self) -> &str {
        self.host_and_rest().split([';', '?']).next().unwrap_or("")
    }

    /// Host as written, IPv6 with its brackets.
    pub fn host(&self) -> &str {
        let hp = self.hostport();
        match hp.rfind(']') {
            Some(end) => hp.get(..=end).unwrap_or(hp),
            None => hp.split(':').next().unwrap_or(hp),
        }
    }

    /// Port, if written.
    pub fn port(&self) -> Option<u16> {
        self.hostport().get(self.host().len()..)?.strip_prefix(':')?.parse().ok()
    }

    /// URI parameters in order: name as written and value, if any.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let rest = self.host_and_rest().split('?').next().unwrap_or("");
        rest.split(';').skip(1).filter(|p| !p.is_empty()).map(|p| match p.split_once('=') {
            Some((n, v)) => (n, Some(v)),
            None => (p, None),
        })
    }

    /// Value of a parameter (names compare without case); `Some("")` for one without value.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.unwrap_or(""))
    }

    /// The user's address of record this URI belongs to (a GRUU names its user too), if it has a user part.
    pub fn address(&self) -> Option<Address> {
        Address::parse(&format!("sip:{}@{}", self.user()?, self.host())).ok()
    }
}

impl From<&Address> for Uri {
    /// An address is always a URI: its parser refuses what a URI may not contain.
    fn from(address: &Address) -> Uri {
        Uri(address.as_str().into())
    }
}

impl Uri {
    /// The URI of an address's domain: `sip:contoso.com`.
    pub fn of_domain(address: &Address) -> Uri {
        Uri(format!("sip:{}", address.host()).into())
    }
}

impl PartialEq for Uri {
    /// Scheme and host without case, user without case (`domain.md` 2.1), port, and all parameters in any order without case.
    fn eq(&self, other: &Uri) -> bool {
        let norm = |u: &Uri| {
            let mut p: Vec<String> = u.params().map(|(n, v)| format!("{n}={}", v.unwrap_or("")).to_lowercase()).collect();
            p.sort();
            (u.scheme().to_lowercase(), u.user().map(str::to_lowercase), u.host().to_lowercase(), u.port(), p)
        };
        self.0 == other.0 || norm(self) == norm(other)
    }
}

impl Eq for Uri {}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
