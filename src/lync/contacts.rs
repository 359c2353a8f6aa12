//! The contact list on the wire: `contactList`, `contactDelta` (guide 4.1).

use super::limits::EXTENSION_MAX_OCTETS;
use super::xml::{Element, XmlError};
use crate::domain::Address;
use crate::domain::contact::{Contact, Group, GroupId};

/// Event package of the contact list.
pub const EVENT: &str = "vnd-microsoft-roaming-contacts";
/// `Content-Type` and `Accept` of the contact list.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-contacts+xml";

/// The whole list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactList {
    /// Number of the list's state, not 0.
    pub delta: u32,
    /// Groups, `~` first.
    pub groups: Vec<Group>,
    /// Contacts.
    pub contacts: Vec<Contact>,
    /// `migrated` when the list lives in Exchange (guide 5.7).
    pub ucs_mode: Option<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// New group.
    AddGroup(Group),
    /// Renamed group.
    ModifyGroup(Group),
    /// Group gone.
    DeleteGroup(GroupId),
    /// New contact.
    AddContact(Contact),
    /// Changed contact, whole.
    ModifyContact(Contact),
    /// Contact gone.
    DeleteContact(Address),
}

/// The way from one state of the list to a later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactDelta {
    /// Number after the changes.
    pub delta: u32,
    /// Number before; `None` when the sender names none.
    pub previous: Option<u32>,
    /// Changes in order.
    pub changes: Vec<Change>,
}

/// Either document of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactDocument {
    /// All.
    List(ContactList),
    /// Changes.
    Delta(ContactDelta),
}

impl ContactDocument {
    /// Reads either document; entries without a usable address or id are left out.
    pub fn parse(octets: &[u8]) -> Result<ContactDocument, XmlError> {
        let root = Element::parse(octets)?;
        let delta = root.attr_num("deltaNum").unwrap_or(0);
        match root.name.as_str() {
            "contactList" => Ok(ContactDocument::List(ContactList {
                delta,
                groups: root.children_named("group").filter_map(read_group).collect(),
                contacts: root.children_named("contact").filter_map(read_contact).collect(),
                ucs_mode: root.attr("ucsmode").map(str::to_owned),
            })),
            "contactDelta" => Ok(ContactDocument::Delta(ContactDelta {
                delta,
                previous: root.attr_num("prevDeltaNum"),
                changes: root.elements().filter_map(read_change).collect(),
            })),
            _ => Err(XmlError::Unexpected { expected: "contactList", found: root.name }),
        }
    }
}

impl ContactList {
    /// The document; addresses without `sip:` (a reader puts it in front blindly).
    pub fn to_bytes(&self) -> Vec<u8> {
        let root = Element::new("contactList").with_attr("deltaNum", self.delta);
        root.with_opt_attr("ucsmode", self.ucs_mode.as_deref())
            .with_all(self.groups.iter().map(|g| write_group("group", g)))
            .with_all(self.contacts.iter().map(|c| write_contact("contact", c, c.uri.bare())))
            .to_bytes()
    }
}

impl ContactDelta {
    /// The document; addresses with `sip:`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let root = Element::new("contactDelta").with_attr("deltaNum", self.delta);
        root.with_opt_attr("prevDeltaNum", self.previous).with_all(self.changes.iter().map(write_change)).to_bytes()
    }
}

fn read_change(e: &Element) -> Option<Change> {
    Some(match e.name.as_str() {
        "addedGroup" => Change::AddGroup(read_group(e)?),
        "modifiedGroup" => Change::ModifyGroup(read_group(e)?),
        "deletedGroup" => Change::DeleteGroup(GroupId(e.attr_num("id")?)),
        "addedContact" => Change::AddContact(read_contact(e)?),
        "modifiedContact" => Change::ModifyContact(read_contact(e)?),
        "deletedContact" => Change::DeleteContact(Address::parse(e.attr("uri")?).ok()?),
        _ => return None,
    })
}

fn write_change(c: &Change) -> Element {
    match c {
        Change::AddGroup(g) => write_group("addedGroup", g),
        Change::ModifyGroup(g) => write_group("modifiedGroup", g),
        Change::DeleteGroup(id) => Element::new("deletedGroup").with_attr("id", id.0),
        Change::AddContact(c) => write_contact("addedContact", c, c.uri.as_str()),
        Change::ModifyContact(c) => write_contact("modifiedContact", c, c.uri.as_str()),
        Change::DeleteContact(a) => Element::new("deletedContact").with_attr("uri", a),
    }
}

fn read_group(e: &Element) -> Option<Group> {
    Some(Group {
        id: GroupId(e.attr_num("id")?),
        name: e.attr("name").unwrap_or("").to_owned(),
        external_uri: e.attr("externalURI").unwrap_or("").to_owned(),
        extension: e.child("groupExtension").and_then(read_extension),
    })
}

fn write_group(name: &str, g: &Group) -> Element {
    Element::new(name)
        .with_attr("id", g.id.0)
        .with_attr("name", &g.name)
        .with_attr("externalURI", &g.external_uri)
        .with_opt(g.extension.as_deref().and_then(|x| write_group_extension(x, "")))
}

fn read_contact(e: &Element) -> Option<Contact> {
    Some(Contact {
        uri: Address::parse(e.attr("uri")?).ok()?,
        name: e.attr("name").unwrap_or("").to_owned(),
        groups: read_group_ids(e.attr("groups").unwrap_or("")),
        subscribed: e.attr_bool("subscribed").unwrap_or(true),
        external_uri: e.attr("externalURI").unwrap_or("").to_owned(),
        extension: e.child("contactExtension").and_then(read_extension),
    })
}

fn write_contact(name: &str, c: &Contact, uri: &str) -> Element {
    Element::new(name)
        .with_attr("uri", uri)
        .with_attr("name", &c.name)
        .with_attr("groups", write_group_ids(&c.groups))
        .with_attr("subscribed", c.subscribed)
        .with_attr("externalURI", &c.external_uri)
        .with_opt(c.extension.as_deref().and_then(|x| write_extension(x, "")))
}

/// Ids separated by spaces; a space at the end (real servers write one) does no harm.
pub(super) fn read_group_ids(text: &str) -> Vec<GroupId> {
    text.split_whitespace().filter_map(|t| t.parse().ok().map(GroupId)).collect()
}

/// Ids separated by single spaces, none at the end.
pub(super) fn write_group_ids(ids: &[GroupId]) -> String {
    ids.iter().map(|g| g.0.to_string()).collect::<Vec<_>>().join(" ")
}

/// The extension as text; an empty or oversized one is none.
pub(super) fn read_extension(e: &Element) -> Option<String> {
    let mut bare = e.clone();
    bare.ns = String::new();
    let text = bare.to_string();
    (!e.is_empty() && text.len() <= EXTENSION_MAX_OCTETS).then_some(text)
}

/// The extension as an element in the namespace of its surroundings.
pub(super) fn write_extension(text: &str, ns: &str) -> Option<Element> {
    Element::parse_root(text.as_bytes(), "contactExtension").ok().map(|e| e.with_ns(ns))
}

/// A group's extension as an element in the namespace of its surroundings.
pub(super) fn write_group_extension(text: &str, ns: &str) -> Option<Element> {
    Element::parse_root(text.as_bytes(), "groupExtension").ok().map(|e| e.with_ns(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"<contactList deltaNum="12">
<group id="1" name="~" externalURI=""/>
<group id="2" name="Project Falcon &amp; friends" externalURI=""/>
<contact uri="bob@contoso.com" name="" groups="1" subscribed="true" externalURI=""/>
<contact uri="carol@fabrikam.com" name="Carol (Fabrikam)" groups="1 2 " subscribed="true" externalURI=""><contactExtension><x a="1"/></contactExtension></contact>
<contact uri="broken"/>
</contactList>"#;

    const DELTA: &str = r#"<contactDelta deltaNum="13" prevDeltaNum="12">
<addedGroup id="3" name="Suppliers" externalURI=""/>
<modifiedGroup id="2" name="Project Falcon" externalURI=""/>
<addedContact uri="sip:dave@contoso.com" name="" groups="3" subscribed="true" externalURI=""/>
<modifiedContact uri="sip:bob@contoso.com" name="Bobby" groups="1 3" subscribed="true" externalURI=""/>
<deletedContact uri="sip:carol@fabrikam.com"/>
<deletedGroup id="4"/>
</contactDelta>"#;

    #[test]
    fn list_round_trip() {
        let ContactDocument::List(list) = ContactDocument::parse(LIST.as_bytes()).unwrap() else { panic!() };
        assert_eq!((list.delta, list.groups.len(), list.contacts.len()), (12, 2, 2));
        assert_eq!(list.contacts[1].groups, [GroupId(1), GroupId(2)]);
        assert_eq!(list.contacts[1].extension.as_deref(), Some("<contactExtension><x a=\"1\"/></contactExtension>"));
        let text = String::from_utf8(list.to_bytes()).unwrap();
        assert!(text.contains("uri=\"bob@contoso.com\"") && text.contains("groups=\"1 2\"") && !text.contains("sip:"), "{text}");
        assert_eq!(ContactDocument::parse(text.as_bytes()).unwrap(), ContactDocument::List(list));
    }

    #[test]
    fn a_groups_own_xml_survives() {
        let xml = r#"<groupExtension groupType="dg"><email>team@contoso.com</email></groupExtension>"#;
        let group = Group { extension: Some(xml.into()), ..Group::new(GroupId(2), "Team") };
        let list = ContactList { delta: 1, groups: vec![group], ..ContactList::default() };
        assert_eq!(ContactDocument::parse(&list.to_bytes()).unwrap(), ContactDocument::List(list));
    }

    #[test]
    fn delta_round_trip() {
        let ContactDocument::Delta(d) = ContactDocument::parse(DELTA.as_bytes()).unwrap() else { panic!() };
        assert_eq!((d.delta, d.previous, d.changes.len()), (13, Some(12), 6));
        let text = String::from_utf8(d.to_bytes()).unwrap();
        assert_eq!(text, DELTA.replace('\n', ""));
    }
}
