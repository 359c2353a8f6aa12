//! What programs keep in the free XML of contacts and groups: tags and distribution groups (`domain.md` 6, rules 13 and 14).

use super::limits::EXTENSION_MAX_OCTETS;
use super::xml::{Element, Node};
use crate::domain::Address;
use crate::domain::contact::{Contact, Group};

const CONTACT: &str = "contactExtension";
const SETTINGS: &str = "contactSettings";
const GROUP: &str = "groupExtension";

/// Whether somebody asked to be told about this contact: `tag="true"` on `contactSettings`.
pub fn is_tagged(contact: &Contact) -> bool {
    let extension = contact.extension.as_deref().and_then(|x| Element::parse_root(x.as_bytes(), CONTACT).ok());
    extension.as_ref().and_then(|e| e.child(SETTINGS)?.attr_bool("tag")).unwrap_or(false)
}

/// The extension with the tag set or taken away; all other XML stays. `None`: there is no room for it.
pub fn with_tag(extension: Option<&str>, tagged: bool) -> Option<Option<String>> {
    let mut root = match extension {
        Some(x) => Element::parse_root(x.as_bytes(), CONTACT).ok()?,
        None => Element::new(CONTACT),
    };
    let ns = root.ns.clone();
    if tagged && root.child(SETTINGS).is_none() {
        root.children.push(Node::Element(Element::in_ns(SETTINGS, &ns)));
    }
    for child in &mut root.children {
        if let Node::Element(e) = child
            && e.name == SETTINGS
        {
            e.attrs.retain(|a| a.0 != "tag");
            if tagged {
                e.attrs.push(("tag".into(), "true".into()));
            }
        }
    }
    // Settings that say nothing any more need not stay.
    root.children.retain(|n| !matches!(n, Node::Element(e) if e.name == SETTINGS && e.attrs.is_empty() && e.is_empty()));
    if root.is_empty() {
        return Some(None);
    }
    let text = root.to_string();
    (text.len() <= EXTENSION_MAX_OCTETS).then_some(Some(text))
}

/// Whether a text can stand as a contact's extension.
pub fn is_extension(text: &str) -> bool {
    text.len() <= EXTENSION_MAX_OCTETS && Element::parse_root(text.as_bytes(), CONTACT).is_ok()
}

/// Whether a text can stand as a group's extension.
pub fn is_group_extension(text: &str) -> bool {
    text.len() <= EXTENSION_MAX_OCTETS && Element::parse_root(text.as_bytes(), GROUP).is_ok()
}

/// The extension that makes a group a distribution group.
pub fn distribution(address: &Address) -> String {
    Element::new(GROUP).with_attr("groupType", "dg").with(Element::new("email").with_text(address.bare())).to_string()
}

/// The mail address of a distribution group.
pub fn distribution_address(group: &Group) -> Option<Address> {
    let root = Element::parse_root(group.extension.as_deref()?.as_bytes(), GROUP).ok()?;
    let wanted = root.attr("groupType") == Some("dg");
    wanted.then(|| Address::parse(&root.child_value("email")?).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::{GroupId, GroupKind};

    fn contact(extension: &str) -> Contact {
        Contact { extension: Some(extension.into()), ..Contact::new(Address::parse("bob@contoso.com").unwrap()) }
    }

    #[test]
    fn rule_14_a_tag_is_an_attribute_of_contact_settings_and_other_xml_is_kept() {
        let other = r#"<contactExtension><x xmlns="urn:x" a="1">t</x><contactSettings contactId="7"/></contactExtension>"#;
        let tagged = with_tag(Some(other), true).unwrap().unwrap();
        assert!(tagged.contains(r#"<contactSettings contactId="7" tag="true"/>"#), "{tagged}");
        assert!(tagged.contains(r#"<x xmlns="urn:x" a="1">t</x>"#) && is_tagged(&contact(&tagged)));
        assert_eq!(with_tag(Some(&tagged), true).unwrap().unwrap(), tagged);
        // Untagging takes the attribute away and nothing else.
        assert_eq!(with_tag(Some(&tagged), false).unwrap().unwrap(), other);
    }

    #[test]
    fn a_contact_without_data_is_tagged_and_untagged_without_a_trace() {
        let tagged = with_tag(None, true).unwrap().unwrap();
        assert_eq!(tagged, r#"<contactExtension><contactSettings tag="true"/></contactExtension>"#);
        assert_eq!(with_tag(Some(&tagged), false), Some(None));
        assert_eq!(with_tag(None, false), Some(None));
        assert!(!is_tagged(&contact(r#"<contactExtension><contactSettings tag="false"/></contactExtension>"#)));
    }

    #[test]
    fn a_tag_that_finds_no_room_or_broken_xml_is_refused() {
        let full = format!("<contactExtension><x>{}</x></contactExtension>", "y".repeat(970));
        assert_eq!(with_tag(Some(&full), true), None);
        assert_eq!(with_tag(Some("<contactExtension>"), true), None);
        assert!(!is_extension("<a/>") && !is_extension("no xml") && is_extension(&full));
    }

    #[test]
    fn rule_13_a_distribution_group_is_known_by_its_data() {
        let address = Address::parse("team@contoso.com").unwrap();
        let xml = distribution(&address);
        assert_eq!(xml, r#"<groupExtension groupType="dg"><email>team@contoso.com</email></groupExtension>"#);
        let group = Group { extension: Some(xml), ..Group::new(GroupId(2), "Team") };
        assert_eq!((group.kind(), distribution_address(&group)), (GroupKind::Distribution, Some(address)));
        assert_eq!(distribution_address(&Group::new(GroupId(2), "Team")), None);
    }
}
