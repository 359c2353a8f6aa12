//! XCAP (RFC 4825): where documents are, and what a server says when it refuses one. Documents are read and written whole,
//! with the tag they were read with: selectors of elements are where servers differ most (`simple.md` 4.8).

use crate::domain::Address;
use crate::xml::Element;

/// Longest sentence taken from a conflict report.
const PHRASE_MAX: usize = 300;

/// Documents in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// Contacts and their groups (RFC 4826).
    ResourceLists,
    /// Lists that can be subscribed to as one (RFC 4826).
    RlsServices,
    /// Who may see what (RFC 5025).
    PresRules,
}

impl Document {
    /// Media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Document::ResourceLists => super::resource_lists::CONTENT_TYPE,
            Document::RlsServices => super::rls_services::CONTENT_TYPE,
            Document::PresRules => super::pres_rules::CONTENT_TYPE,
        }
    }

    /// The path below `root` of this user's document. One form only: servers take others for other documents.
    pub fn path(self, root: &str, user: &Address) -> String {
        let auid = match self {
            Document::ResourceLists => "resource-lists",
            Document::RlsServices => "rls-services",
            Document::PresRules => "pres-rules",
        };
        format!("{root}/{auid}/users/{}/index", encoded(&format!("sip:{}", user.bare())))
    }
}

/// One segment of a path.
fn encoded(segment: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b);
    let octet = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    segment.bytes().map(octet).collect()
}

/// Why a document was refused (409), in the server's words or ours; empty when it does not say.
pub fn conflict(body: &[u8]) -> String {
    let Ok(root) = Element::parse_root(body, "xcap-error") else { return String::new() };
    let Some(e) = root.elements().next() else { return String::new() };
    let said: String = e.attr("phrase").unwrap_or("").trim().chars().take(PHRASE_MAX).collect();
    if said.is_empty() { e.name.replace('-', " ") } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_where_servers_look_for_them() {
        let alice = Address::parse("sip:alice@example.com").unwrap();
        assert_eq!(Document::ResourceLists.path("/root", &alice), "/root/resource-lists/users/sip:alice@example.com/index");
        let odd = Address::parse("sip:a%20b@example.com").unwrap();
        assert!(!Document::PresRules.path("", &odd).contains(' '));
        assert_eq!(encoded("a/b ü?"), "a%2Fb%20%C3%BC%3F");
    }

    #[test]
    fn a_conflict_is_told_in_the_servers_words() {
        let report = |e: &str| format!("<xcap-error xmlns='urn:ietf:params:xml:ns:xcap-error'>{e}</xcap-error>").into_bytes();
        assert_eq!(conflict(&report("<no-parent phrase='list does not exist'/>")), "list does not exist");
        assert_eq!(conflict(&report("<schema-validation-error/>")), "schema validation error");
        assert_eq!(conflict(b"<html>"), "");
    }
}
