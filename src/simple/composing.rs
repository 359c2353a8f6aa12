//! `application/im-iscomposing+xml` (RFC 3994): somebody is typing.

use crate::xml::{Element, XmlError};
use std::time::Duration;

/// Media type.
pub const CONTENT_TYPE: &str = "application/im-iscomposing+xml";
const NS: &str = "urn:ietf:params:xml:ns:im-iscomposing";
/// How long `active` holds when the sender does not say (RFC 3994 §3.3).
const REFRESH: u64 = 120;

/// A notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Composing {
    /// Typing; holds so long unless renewed.
    Active(Duration),
    /// Not typing.
    Idle,
}

/// The notice; the octets end up in a MESSAGE. `refresh` is at least 60 s by the RFC.
pub fn write(notice: Composing) -> String {
    let state = |s: &str| Element::in_ns("isComposing", NS).with_leaf("state", s);
    let root = match notice {
        Composing::Active(refresh) => {
            state("active").with_leaf("contenttype", "text/plain").with_leaf("refresh", refresh.as_secs().max(60).to_string())
        }
        Composing::Idle => state("idle"),
    };
    root.to_document()
}

/// Reads a notice; unknown states are idle.
pub fn parse(octets: &[u8]) -> Result<Composing, XmlError> {
    let root = Element::parse_root(octets, "isComposing")?;
    if root.child_value("state").as_deref() != Some("active") {
        return Ok(Composing::Idle);
    }
    let refresh = root.child_value("refresh").and_then(|r| r.parse().ok()).unwrap_or(REFRESH);
    Ok(Composing::Active(Duration::from_secs(refresh.clamp(1, 3600))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_read_back() {
        for notice in [Composing::Active(Duration::from_secs(90)), Composing::Idle] {
            assert_eq!(parse(write(notice).as_bytes()), Ok(notice));
        }
    }

    #[test]
    fn active_holds_two_minutes_unless_said_otherwise_and_unknown_states_are_idle() {
        let with = |s: &str| parse(format!("<isComposing xmlns='{NS}'><state>{s}</state></isComposing>").as_bytes());
        assert_eq!(with("active"), Ok(Composing::Active(Duration::from_secs(120))));
        assert_eq!(with("dancing"), Ok(Composing::Idle));
        assert!(parse(b"<isComposing>").is_err());
    }
}
