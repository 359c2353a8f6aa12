//! `application/resource-lists+xml` (RFC 4826): the contact list as an XCAP document. Unknown elements and their order
//! survive every edit, as other programs keep theirs there.

use super::limits::LIST_ENTRIES_MAX;
use crate::domain::Address;
use crate::xml::{Element, Node, XmlError};
use std::collections::{BTreeMap, BTreeSet};

/// Media type.
pub const CONTENT_TYPE: &str = "application/resource-lists+xml";
const NS: &str = "urn:ietf:params:xml:ns:resource-lists";
/// Namespace of our own element.
const OWN: &str = "urn:adsum:contact";

/// The document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceLists(Element);

/// A group as the document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Short name; the key.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Who is in it.
    pub entries: Vec<Entry>,
}

/// One person in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub who: Address,
    /// Name for people; may be empty.
    pub name: String,
    /// What other programs do not know.
    pub extra: Extra,
}

/// What is kept of a contact beside its name, in an element of our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// Their presence is not wanted.
    pub unwatched: bool,
    /// Free data; may be empty.
    pub data: String,
    /// XML of the contact as text; may be empty.
    pub extension: String,
}

impl Default for ResourceLists {
    fn default() -> Self {
        ResourceLists(Element::in_ns("resource-lists", NS))
    }
}

impl ResourceLists {
    /// Reads a document.
    pub fn parse(octets: &[u8]) -> Result<ResourceLists, XmlError> {
        Element::parse_root(octets, "resource-lists").map(ResourceLists)
    }

    /// The document as octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_document().into_bytes()
    }

    /// All groups; entries that are no addresses are not listed (but kept).
    pub fn lists(&self) -> Vec<List> {
        let mut left = LIST_ENTRIES_MAX;
        let mut out = Vec::new();
        for e in self.0.children_named("list") {
            let entries: Vec<_> = e.children_named("entry").filter_map(entry).take(left).collect();
            left -= entries.len();
            let name = e.attr("name").unwrap_or("").to_owned();
            let display_name = e.child_value("display-name").unwrap_or_else(|| name.clone());
            out.push(List { name, display_name, entries });
        }
        out
    }

    /// Makes a group, or gives one another name for people.
    pub fn set_list(&mut self, name: &str, display_name: &str) {
        let list = match self.list(name) {
            Some(list) => list,
            None => {
                self.0.children.push(Node::Element(Element::in_ns("list", NS).with_attr("name", name)));
                let Some(list) = self.list(name) else { return };
                list
            }
        };
        set_display_name(list, display_name);
    }

    /// Takes a group away with its entries. Nothing happens if it is not there.
    pub fn remove_list(&mut self, name: &str) {
        self.0.children.retain(|n| !matches!(n, Node::Element(e) if e.name == "list" && e.attr("name") == Some(name)));
    }

    /// Takes people out of a group, puts others into it, and says something else of those who are in it. Nothing happens if
    /// the group is not there.
    pub fn change_entries(&mut self, list: &str, gone: &BTreeSet<Address>, entries: &[Entry]) {
        let Some(list) = self.list(list) else { return };
        let mut wanted: BTreeMap<&Address, &Entry> = entries.iter().map(|e| (&e.who, e)).collect();
        list.children.retain_mut(|n| {
            let Node::Element(e) = n else { return true };
            let Some(who) = who(e) else { return true };
            if let Some(entry) = wanted.remove(&who) {
                describe(e, entry);
            }
            !gone.contains(&who)
        });
        for entry in entries.iter().filter(|e| wanted.remove(&e.who).is_some()) {
            let mut e = Element::in_ns("entry", NS).with_attr("uri", format!("sip:{}", entry.who.bare()));
            describe(&mut e, entry);
            list.children.push(Node::Element(e));
        }
    }

    /// The short names of all groups.
    pub fn names(&self) -> Vec<String> {
        self.0.children_named("list").map(|e| e.attr("name").unwrap_or("").to_owned()).collect()
    }

    fn list(&mut self, name: &str) -> Option<&mut Element> {
        self.0.children.iter_mut().find_map(|n| match n {
            Node::Element(e) if e.name == "list" && e.attr("name") == Some(name) => Some(e),
            _ => None,
        })
    }
}

fn entry(e: &Element) -> Option<Entry> {
    let who = who(e)?;
    let own = e.elements().find(|c| c.ns == OWN);
    let extra = own.map(|own| Extra {
        unwatched: own.attr_bool("presence") == Some(false),
        data: own.attr("data").unwrap_or("").to_owned(),
        extension: own.text(),
    });
    Some(Entry { who, name: e.child_value("display-name").unwrap_or_default(), extra: extra.unwrap_or_default() })
}

fn set_extra(e: &mut Element, extra: &Extra) {
    e.children.retain(|n| !matches!(n, Node::Element(c) if c.ns == OWN));
    if *extra != Extra::default() {
        let data = (!extra.data.is_empty()).then_some(&extra.data);
        let own = Element::in_ns("contact", OWN).with_attr("presence", !extra.unwatched).with_opt_attr("data", data);
        e.children.push(Node::Element(own.with_text(&extra.extension)));
    }
}

/// Whose entry it is.
fn who(e: &Element) -> Option<Address> {
    if e.name == "entry" { e.attr("uri").and_then(|u| Address::parse(u).ok()) } else { None }
}

fn describe(e: &mut Element, entry: &Entry) {
    set_display_name(e, &entry.name);
    set_extra(e, &entry.extra);
}

/// The schema wants the name first.
fn set_display_name(e: &mut Element, text: &str) {
    let at = e.children.iter().position(|n| matches!(n, Node::Element(c) if c.name == "display-name"));
    if let Some(at) = at {
        e.children.remove(at);
    }
    if !text.is_empty() {
        e.children.insert(at.unwrap_or(0), Node::Element(Element::in_ns("display-name", NS).with_text(text)));
    }
}

/// A short name for a new group that no other has: letters and digits of its name for people, without `/`, quotes and
/// everything else that selectors and servers stumble over.
pub fn slug(display_name: &str, taken: &[String]) -> String {
    let mut base: String = display_name.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    base.make_ascii_lowercase();
    if base.is_empty() {
        base.push_str("group");
    }
    let free = |name: &String| !taken.contains(name);
    let numbered = (2..).map(|n: u32| format!("{base}{n}"));
    std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists' xmlns:x='urn:x'>\
        <list name='friends'><display-name>Friends</display-name><entry uri='sip:Bob@example.com'><display-name>Bob Berg</display-name>\
        <x:birthday>1 May</x:birthday></entry><entry uri='sip:carol@example.com'/><entry uri='tel:+47'/></list><x:colour>blue</x:colour></resource-lists>";

    fn bob() -> Address {
        Address::parse("bob@example.com").unwrap()
    }

    fn put(d: &mut ResourceLists, list: &str, entry: Entry) {
        d.change_entries(list, &BTreeSet::new(), &[entry]);
    }

    fn named(who: Address, name: &str) -> Entry {
        Entry { who, name: name.into(), extra: Extra::default() }
    }

    #[test]
    fn what_others_do_not_know_is_kept_in_an_element_of_our_own() {
        let mut d = ResourceLists::parse(DOCUMENT.as_bytes()).unwrap();
        let extra = Extra { unwatched: true, data: "a\"b".into(), extension: "<x>1</x>".into() };
        let entry = Entry { extra, ..named(bob(), "Bob") };
        put(&mut d, "friends", entry.clone());
        assert_eq!(ResourceLists::parse(&d.to_bytes()).unwrap().lists()[0].entries[0], entry);
        put(&mut d, "friends", named(bob(), "Bob"));
        assert!(!d.0.to_string().contains(OWN) && d.0.to_string().contains("1 May"));
    }

    #[test]
    fn groups_and_people_are_read() {
        let lists = ResourceLists::parse(DOCUMENT.as_bytes()).unwrap().lists();
        assert_eq!(lists.len(), 1);
        assert_eq!((lists[0].name.as_str(), lists[0].display_name.as_str()), ("friends", "Friends"));
        let people: Vec<(&str, &str)> = lists[0].entries.iter().map(|e| (e.who.user(), e.name.as_str())).collect();
        assert_eq!(people, [("bob", "Bob Berg"), ("carol", "")]);
    }

    #[test]
    fn edits_keep_what_they_do_not_know() {
        let mut d = ResourceLists::parse(DOCUMENT.as_bytes()).unwrap();
        put(&mut d, "friends", named(bob(), "Robert"));
        d.set_list("work", "Work & play");
        put(&mut d, "work", named(bob(), ""));
        d.change_entries("friends", &BTreeSet::from([Address::parse("carol@example.com").unwrap()]), &[]);
        let again = ResourceLists::parse(&d.to_bytes()).unwrap();
        assert_eq!(again, d);
        let text = again.0.to_string();
        for kept in ["1 May", "blue", "tel:+47"] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        let lists = again.lists();
        assert_eq!(lists[0].entries, [named(bob(), "Robert")]);
        assert_eq!((lists[1].display_name.as_str(), lists[1].entries.len()), ("Work & play", 1));
    }

    #[test]
    fn a_group_that_is_removed_takes_only_its_own_entries() {
        let mut d = ResourceLists::parse(DOCUMENT.as_bytes()).unwrap();
        d.set_list("work", "Work");
        put(&mut d, "work", named(bob(), ""));
        d.remove_list("friends");
        d.remove_list("nothing");
        assert_eq!(d.lists().iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["work"]);
    }

    #[test]
    fn short_names_are_plain_and_unique() {
        assert_eq!(slug("Friends & \"family\"/", &[]), "friendsfamily");
        assert_eq!(slug("김", &["group".into(), "group2".into()]), "group3");
    }
}
