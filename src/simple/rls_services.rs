//! `application/rls-services+xml` (RFC 4826): lists of people that can be subscribed to as one. Services of other programs
//! stay as they are.

use super::limits::LIST_ENTRIES_MAX;
use crate::domain::Address;
use crate::xml::{Element, Node, XmlError};

/// Media type.
pub const CONTENT_TYPE: &str = "application/rls-services+xml";
const NS: &str = "urn:ietf:params:xml:ns:rls-services";
const LISTS_NS: &str = "urn:ietf:params:xml:ns:resource-lists";

/// The document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RlsServices(Element);

impl Default for RlsServices {
    fn default() -> Self {
        RlsServices(Element::in_ns("rls-services", NS))
    }
}

impl RlsServices {
    /// Reads a document.
    pub fn parse(octets: &[u8]) -> Result<RlsServices, XmlError> {
        Element::parse_root(octets, "rls-services").map(RlsServices)
    }

    /// The document as octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_document().into_bytes()
    }

    /// Who is on the list of this service; `None`: there is no such service.
    pub fn members(&self, service: &Address) -> Option<Vec<Address>> {
        let found = self.0.children_named("service").find(|e| is_service(e, service))?;
        let entries = found.child("list")?.children_named("entry").take(LIST_ENTRIES_MAX);
        Some(entries.filter_map(|e| Address::parse(e.attr("uri")?).ok()).collect())
    }

    /// Makes a service for the presence of these people, or gives it these. The entries stand in the service itself: a
    /// reference to another document is what servers follow least.
    pub fn set(&mut self, service: &Address, members: &[Address]) {
        let entry = |a: &Address| Element::in_ns("entry", LISTS_NS).with_attr("uri", format!("sip:{}", a.bare()));
        let list = Element::in_ns("list", NS).with_all(members.iter().map(entry));
        let packages = Element::in_ns("packages", NS).with_leaf("package", "presence");
        let made = Element::in_ns("service", NS).with_attr("uri", format!("sip:{}", service.bare())).with(list).with(packages);
        let place = self.0.children.iter().position(|n| matches!(n, Node::Element(e) if is_service(e, service)));
        match place {
            Some(at) => self.0.children[at] = Node::Element(made),
            None => self.0.children.push(Node::Element(made)),
        }
    }
}

fn is_service(e: &Element, service: &Address) -> bool {
    e.name == "service" && e.attr("uri").and_then(|u| Address::parse(u).ok()).as_ref() == Some(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn a_service_is_made_and_changed_beside_those_of_others() {
        let other = "<rls-services xmlns='urn:ietf:params:xml:ns:rls-services'><service uri='sip:alice-work@example.com'>\
            <resource-list>http://x/y</resource-list><packages><package>presence</package></packages></service></rls-services>";
        let mut d = RlsServices::parse(other.as_bytes()).unwrap();
        let ours = a("alice-adsum@example.com");
        assert_eq!(d.members(&ours), None);
        d.set(&ours, &[a("bob@example.com")]);
        d.set(&ours, &[a("bob@example.com"), a("carol@example.com")]);
        let again = RlsServices::parse(&d.to_bytes()).unwrap();
        assert_eq!(again.members(&ours), Some(vec![a("bob@example.com"), a("carol@example.com")]));
        let text = String::from_utf8(again.to_bytes()).unwrap();
        assert!(
            text.contains("http://x/y") && text.matches("<service").count() == 2 + text.matches("<services").count(),
            "{text}"
        );
        assert!(text.contains("<entry xmlns=\"urn:ietf:params:xml:ns:resource-lists\" uri=\"sip:bob@example.com\"/>"), "{text}");
    }
}
