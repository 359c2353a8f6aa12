//! Writes of the contact list: SOAP over SERVICE (guide 5).

use super::contacts::{read_extension, read_group_ids, write_extension, write_group_extension, write_group_ids};
use super::xml::{Element, XmlError, parse_bool};
use crate::domain::Address;
use crate::domain::contact::{Contact, ContactError, Group, GroupId};

/// `Content-Type` of requests and answers.
pub const CONTENT_TYPE: &str = "application/SOAP+xml";

pub(super) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const SIP: &str = "http://schemas.microsoft.com/winrtc/2002/11/sip";

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactWrite {
    /// Add or change; groups are the complete new set.
    SetContact(Contact),
    /// Delete.
    DeleteContact(Address),
    /// New group; its id counts for nothing, the answer names the right one.
    AddGroup(Group),
    /// Rename.
    ModifyGroup(Group),
    /// Delete a group.
    DeleteGroup(GroupId),
}

/// A write and the list number its author believes current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRequest {
    /// What.
    pub write: ContactWrite,
    /// `deltaNum`; 0 when missing.
    pub delta: u32,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoapFault {
    /// e.g. `Client.BadCall.WrongDelta`
    pub code: String,
    /// Words.
    pub text: String,
}

/// `faultcode` for an outdated `deltaNum`.
pub const WRONG_DELTA: &str = "Client.BadCall.WrongDelta";

impl ContactRequest {
    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        let method = match &self.write {
            ContactWrite::SetContact(c) => method("setContact")
                .with_leaf("displayName", c.name.as_str())
                .with_leaf("groups", write_group_ids(&c.groups))
                .with_leaf("subscribed", c.subscribed.to_string())
                .with_leaf("URI", c.uri.as_str())
                .with_leaf("externalURI", c.external_uri.as_str())
                .with_opt(c.extension.as_deref().and_then(|x| write_extension(x, SIP))),
            ContactWrite::DeleteContact(uri) => method("deleteContact").with_leaf("URI", uri.as_str()),
            ContactWrite::AddGroup(g) => group(method("addGroup"), g),
            ContactWrite::ModifyGroup(g) => group(method("modifyGroup").with_leaf("groupID", g.id.0.to_string()), g),
            ContactWrite::DeleteGroup(id) => method("deleteGroup").with_leaf("groupID", id.0.to_string()),
        };
        envelope([method.with_leaf("deltaNum", self.delta.to_string())])
    }

    /// Reads the body of a SERVICE; elements in any order.
    pub fn parse(octets: &[u8]) -> Result<ContactRequest, XmlError> {
        let body = body(octets)?;
        let m = body.elements().next().ok_or(XmlError::Missing("method"))?;
        let uri = || {
            let text = m.child_value("URI").ok_or(XmlError::Missing("URI"))?;
            Address::parse(&text).map_err(|_| XmlError::Missing("URI"))
        };
        let id = || {
            let text = m.child_value("groupID").ok_or(XmlError::Missing("groupID"))?;
            text.parse().map(GroupId).map_err(|_| XmlError::Missing("groupID"))
        };
        let text = |name: &str| m.child_text(name).unwrap_or_default();
        let write = match m.name.as_str() {
            "setContact" => ContactWrite::SetContact(Contact {
                uri: uri()?,
                name: text("displayName"),
                groups: read_group_ids(&text("groups")),
                subscribed: parse_bool(&text("subscribed")).unwrap_or(true),
                external_uri: text("externalURI"),
                extension: m.child("contactExtension").and_then(read_extension),
            }),
            "deleteContact" => ContactWrite::DeleteContact(uri()?),
            "addGroup" => ContactWrite::AddGroup(read_group(m, GroupId(0))),
            "modifyGroup" => ContactWrite::ModifyGroup(read_group(m, id()?)),
            "deleteGroup" => ContactWrite::DeleteGroup(id()?),
            _ => return Err(XmlError::Unexpected { expected: "setContact", found: m.name.clone() }),
        };
        Ok(ContactRequest { write, delta: m.child_value("deltaNum").and_then(|d| d.parse().ok()).unwrap_or(0) })
    }
}

fn group(method: Element, g: &Group) -> Element {
    method
        .with_leaf("name", g.name.as_str())
        .with_leaf("externalURI", g.external_uri.as_str())
        .with_opt(g.extension.as_deref().and_then(|x| write_group_extension(x, SIP)))
}

fn read_group(m: &Element, id: GroupId) -> Group {
    let text = |name: &str| m.child_text(name).unwrap_or_default();
    Group {
        id,
        name: text("name"),
        external_uri: text("externalURI"),
        extension: m.child("groupExtension").and_then(read_extension),
    }
}

/// How a refusal goes over the wire: SIP status, number in `ms-diagnostics`, fault code (guide 5.4).
pub fn refusal(error: ContactError) -> (u16, u32, &'static str) {
    match error {
        ContactError::StaleDelta => (409, 2044, WRONG_DELTA),
        ContactError::ContactNotFound => (404, 2050, "Client.BadCall.ContactNotFound"),
        ContactError::GroupNotFound => (404, 2051, "Client.BadCall.GroupNotFound"),
        ContactError::DuplicateContact => (403, 2052, "Client.BadCall.DuplicateContact"),
        ContactError::DuplicateGroup => (403, 2053, "Client.BadCall.DuplicateGroup"),
        ContactError::TooManyContacts => (403, 2054, "Client.BadCall.TooManyContacts"),
        ContactError::TooManyGroups => (403, 2055, "Client.BadCall.TooManyGroups"),
        ContactError::NotAllowedForGroup => (403, 2056, "Client.BadCall.ReservedGroup"),
        ContactError::OwnAddress => (403, 2057, "Client.BadCall.OwnAddress"),
        ContactError::InvalidName => (400, 2058, "Client.BadCall.InvalidName"),
        ContactError::TooManyDistributionGroups => (403, 2059, "Client.BadCall.TooManyDistributionGroups"),
        ContactError::InvalidData => (400, 2062, "Client.BadCall.InvalidData"),
        ContactError::NotSubscribed => (403, 2063, "Client.BadCall.NotSubscribed"),
    }
}

/// The refusal that a fault names; `None` where the server has words of its own.
pub fn refused(fault: &SoapFault) -> Option<ContactError> {
    ContactError::ALL.into_iter().find(|e| refusal(*e).2 == fault.code)
}

/// Body of the 200 to `addGroup`.
pub fn add_group_answer(id: GroupId) -> Vec<u8> {
    envelope([method("addGroup").with_leaf("groupID", id.0.to_string())])
}

/// Group id in the 200 to `addGroup`.
pub fn parse_add_group_answer(octets: &[u8]) -> Option<GroupId> {
    body(octets).ok()?.child("addGroup")?.child_value("groupID")?.parse().ok().map(GroupId)
}

impl SoapFault {
    /// The body of an error response.
    pub fn to_bytes(&self) -> Vec<u8> {
        // faultcode and faultstring have no namespace (SOAP 1.1 §4.4).
        let fault = Element::in_ns("Fault", ENVELOPE)
            .with(Element::new("faultcode").with_text(self.code.as_str()))
            .with(Element::new("faultstring").with_text(self.text.as_str()));
        envelope([fault])
    }

    /// Reads the body of an error response, if it is one.
    pub fn parse(octets: &[u8]) -> Option<SoapFault> {
        let fault = body(octets).ok()?.child("Fault").cloned()?;
        Some(SoapFault {
            code: fault.child_text("faultcode").unwrap_or_default(),
            text: fault.child_text("faultstring").unwrap_or_default(),
        })
    }
}

pub(super) fn method(name: &str) -> Element {
    Element::in_ns(name, SIP)
}

pub(super) fn envelope(content: impl IntoIterator<Item = Element>) -> Vec<u8> {
    Element::in_ns("Envelope", ENVELOPE).with(Element::in_ns("Body", ENVELOPE).with_all(content)).to_bytes()
}

pub(super) fn body(octets: &[u8]) -> Result<Element, XmlError> {
    let root = Element::parse_root(octets, "Envelope")?;
    root.child("Body").cloned().ok_or(XmlError::Missing("Body"))
}

/// Local name of the method in a SOAP body (`setContact`, `directorySearch`, …).
pub fn method_name(octets: &[u8]) -> Option<String> {
    body(octets).ok()?.elements().next().map(|e| e.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/winrtc/2002/11/sip"><s:Body>
<m:setContact><m:displayName>Bobby</m:displayName><m:groups>1 3</m:groups><m:subscribed>true</m:subscribed><m:URI>sip:bob@contoso.com</m:URI><m:externalURI/><m:deltaNum>13</m:deltaNum></m:setContact>
</s:Body></s:Envelope>"#;

    #[test]
    fn the_example_reads() {
        let r = ContactRequest::parse(SET.as_bytes()).unwrap();
        let ContactWrite::SetContact(c) = &r.write else { panic!() };
        assert_eq!(
            (r.delta, c.name.as_str(), c.groups.as_slice(), c.subscribed),
            (13, "Bobby", &[GroupId(1), GroupId(3)][..], true)
        );
        assert_eq!(method_name(SET.as_bytes()).as_deref(), Some("setContact"));
    }

    #[test]
    fn every_write_round_trips() {
        let bob = Address::parse("bob@contoso.com").unwrap();
        let mut contact = Contact::new(bob.clone());
        contact.name = "B & <b>".into();
        contact.groups = vec![GroupId(2)];
        contact.extension = Some("<contactExtension><x xmlns=\"urn:x\" a=\"1\">t</x></contactExtension>".into());
        let group = Group { external_uri: "x".into(), ..Group::new(GroupId(3), "Vendors") };
        let xml = "<groupExtension groupType=\"dg\"><email>team@contoso.com</email></groupExtension>";
        let list = Group { extension: Some(xml.into()), ..Group::new(GroupId(0), "Team") };
        for write in [
            ContactWrite::SetContact(contact),
            ContactWrite::SetContact(Contact::new(bob.clone())),
            ContactWrite::DeleteContact(bob),
            ContactWrite::AddGroup(Group::new(GroupId(0), "Suppliers")),
            ContactWrite::AddGroup(list),
            ContactWrite::ModifyGroup(group),
            ContactWrite::DeleteGroup(GroupId(3)),
        ] {
            let r = ContactRequest { write, delta: 7 };
            assert_eq!(ContactRequest::parse(&r.to_bytes()).unwrap(), r);
        }
    }

    #[test]
    fn every_refusal_of_the_guide_is_told_apart_on_the_wire() {
        for error in ContactError::ALL {
            let fault = SoapFault { code: refusal(error).2.into(), text: error.to_string() };
            assert_eq!(refused(&SoapFault::parse(&fault.to_bytes()).unwrap()), Some(error));
            assert!((400..500).contains(&refusal(error).0));
        }
        assert_eq!(refused(&SoapFault { code: "Server.Own".into(), text: String::new() }), None);
    }

    #[test]
    fn answers_and_faults() {
        assert_eq!(parse_add_group_answer(&add_group_answer(GroupId(3))), Some(GroupId(3)));
        assert_eq!(parse_add_group_answer(b""), None);
        let f = SoapFault { code: WRONG_DELTA.into(), text: "deltaNum out of date".into() };
        assert_eq!(SoapFault::parse(&f.to_bytes()), Some(f));
        assert!(ContactRequest::parse(b"<Envelope><Body><setContact/></Body></Envelope>").is_err());
        assert!(ContactRequest::parse(b"<Envelope><Body><moveContact/></Body></Envelope>").is_err());
        assert!(ContactRequest::parse(b"<Envelope/>").is_err());
    }
}
