//! The address of a person or service.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A SIP address of record, normalised: `sip:user@host`, lower case, without port or parameters.
///
/// Equality follows `domain.md` 2.1: scheme, user and host compare without case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not an address; write it as name@domain")]
pub struct InvalidAddress(pub String);

impl Address {
    /// Reads `sip:user@host;…`, `sips:…` or `user@host`; parameters and port fall away.
    pub fn parse(text: &str) -> Result<Address, InvalidAddress> {
        let bad = || InvalidAddress(text.chars().take(80).collect());
        let t = text.trim().trim_start_matches('<').trim_end_matches('>');
        let lower = t.to_lowercase();
        let rest = lower.strip_prefix("sip:").or_else(|| lower.strip_prefix("sips:")).unwrap_or(&lower);
        let rest = rest.split([';', '?', '>']).next().unwrap_or("");
        let (user, host) = rest.rsplit_once('@').ok_or_else(bad)?;
        let user = user.split(':').next().unwrap_or("");
        let host = host.split(':').next().unwrap_or("");
        let ok = |s: &str| !s.is_empty() && !s.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"@,/\\".contains(c));
        if ok(user) && ok(host) && text.len() <= 454 { Ok(Address(format!("sip:{user}@{host}"))) } else { Err(bad()) }
    }

    /// With the scheme: `sip:alice@contoso.com`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the scheme: `alice@contoso.com`.
    pub fn bare(&self) -> &str {
        self.0.get(4..).unwrap_or("")
    }

    /// The part before the `@`.
    pub fn user(&self) -> &str {
        self.bare().rsplit_once('@').map_or("", |p| p.0)
    }

    /// The domain.
    pub fn host(&self) -> &str {
        self.bare().rsplit_once('@').map_or("", |p| p.1)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;
    fn try_from(s: String) -> Result<Address, InvalidAddress> {
        Address::parse(&s)
    }
}

impl From<Address> for String {
    fn from(a: Address) -> String {
        a.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_ignores_case_parameters_and_port() {
        let a = Address::parse("SIP:Alice@Contoso.com:5061;gruu;opaque=user:epid:x").unwrap();
        assert_eq!(a, Address::parse("alice@contoso.com").unwrap());
        assert_eq!((a.user(), a.host(), a.bare()), ("alice", "contoso.com", "alice@contoso.com"));
    }

    #[test]
    fn text_that_is_no_address_is_refused() {
        for bad in ["", "alice", "@host", "a@", "a b@c", "a@b@", "a\n@b"] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
    }
}
