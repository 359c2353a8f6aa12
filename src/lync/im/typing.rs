//! Typing notices: `KeyboardActivity` in INFO, `isComposing` in MESSAGE (conversations guide 1.5).

use crate::lync::xml::Element;

/// `Content-Type` of `KeyboardActivity`.
pub const CONTENT_TYPE: &str = "application/xml";
/// `Content-Type` of `isComposing` (RFC 3994).
pub const COMPOSING_TYPE: &str = "application/im-iscomposing+xml";

/// Body of a typing INFO, byte for byte as known clients write it.
pub fn keyboard_activity(typing: bool) -> Vec<u8> {
    let status = if typing { "type" } else { "idle" };
    format!("<?xml version=\"1.0\"?><KeyboardActivity> <status status=\"{status}\" /></KeyboardActivity>").into_bytes()
}

/// Reads either form; `None` when the body is something else.
pub fn parse(octets: &[u8]) -> Option<bool> {
    let root = Element::parse(octets).ok()?;
    match root.name.as_str() {
        "KeyboardActivity" => Some(root.child("status")?.attr("status")?.eq_ignore_ascii_case("type")),
        "isComposing" => Some(root.child_value("state").is_some_and(|s| s.eq_ignore_ascii_case("active"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read() {
        assert_eq!(keyboard_activity(true).len(), 83);
        assert_eq!(parse(&keyboard_activity(true)), Some(true));
        assert_eq!(parse(&keyboard_activity(false)), Some(false));
        let composing = "<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>";
        assert_eq!(parse(composing.as_bytes()), Some(true));
        assert_eq!(parse(b"<x/>"), None);
    }
}
