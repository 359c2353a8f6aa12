//! Members of a distribution group over SIP (docs/decisions/distribution-groups.md).
//!
//! The guide knows expansion only as an HTTPS service; this is the same question as a SERVICE to the domain, shaped like the
//! directory search beside it.

use super::soap::{SIP, body, envelope, method};
use super::xml::{Element, XmlError, parse_bool};
use crate::domain::Address;

/// Local name of the method.
pub const METHOD: &str = "expandGroup";

/// Most members taken from one answer.
pub const MAX_MEMBERS: usize = 1_000;

/// Asks for the members of one group, one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandGroup {
    /// Its mail address.
    pub email: Address,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Address of the person or the group.
    pub uri: Address,
    /// Name in the directory; may be empty.
    pub display_name: String,
    /// Title; may be empty.
    pub title: String,
    /// It is a distribution group itself.
    pub group: bool,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupMembers {
    /// Name of the group in the directory.
    pub name: String,
    /// Members in order.
    pub members: Vec<GroupMember>,
}

fn in_sip(name: &str) -> String {
    format!("{{{SIP}}}{name}")
}

impl ExpandGroup {
    /// The body of the SERVICE.
    pub fn to_bytes(&self) -> Vec<u8> {
        envelope([method(METHOD).with_leaf("email", self.email.bare())])
    }

    /// Reads the body of a SERVICE.
    pub fn parse(octets: &[u8]) -> Result<ExpandGroup, XmlError> {
        let body = body(octets)?;
        let email = body.child(METHOD).ok_or(XmlError::Missing(METHOD))?.child_value("email");
        let email = email.and_then(|e| Address::parse(&e).ok()).ok_or(XmlError::Missing("email"))?;
        Ok(ExpandGroup { email })
    }
}

impl GroupMembers {
    /// The body of the 200.
    pub fn to_bytes(&self) -> Vec<u8> {
        let row = |m: &GroupMember| {
            method("row")
                .with_attr(&in_sip("uri"), &m.uri)
                .with_attr(&in_sip("displayName"), &m.display_name)
                .with_attr(&in_sip("title"), &m.title)
                .with_attr(&in_sip("group"), m.group)
        };
        let head = method(METHOD).with_leaf("name", self.name.as_str()).with_leaf("returned", self.members.len().to_string());
        envelope([head, method("Array").with_attr(&in_sip("id"), "rows").with_all(self.members.iter().map(row))])
    }

    /// Reads the body of the 200; rows without a usable address are left out.
    pub fn parse(octets: &[u8]) -> Result<GroupMembers, XmlError> {
        let body = body(octets)?;
        let head = body.child(METHOD).ok_or(XmlError::Missing(METHOD))?;
        let row = |r: &Element| {
            Some(GroupMember {
                uri: Address::parse(r.attr("uri")?).ok()?,
                display_name: r.attr("displayName").unwrap_or("").to_owned(),
                title: r.attr("title").unwrap_or("").to_owned(),
                group: r.attr("group").and_then(parse_bool).unwrap_or(false),
            })
        };
        let members = body.child("Array").map(|a| a.children_named("row").filter_map(row).take(MAX_MEMBERS).collect());
        Ok(GroupMembers { name: head.child_text("name").unwrap_or_default(), members: members.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_round_trip() {
        let a = |text: &str| Address::parse(text).unwrap();
        let ask = ExpandGroup { email: a("team@contoso.com") };
        assert_eq!(ExpandGroup::parse(&ask.to_bytes()).unwrap(), ask);
        let member =
            |uri: &str, name: &str, group| GroupMember { uri: a(uri), display_name: name.into(), title: String::new(), group };
        let members = vec![member("bob@contoso.com", "Bob & <Co>", false), member("leads@contoso.com", "Leads", true)];
        let answer = GroupMembers { name: "The team".into(), members };
        assert_eq!(GroupMembers::parse(&answer.to_bytes()).unwrap(), answer);
        assert!(ExpandGroup::parse(b"<Envelope><Body><expandGroup/></Body></Envelope>").is_err());
        assert!(GroupMembers::parse(b"<Envelope><Body/></Envelope>").is_err());
    }
}
