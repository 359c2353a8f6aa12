//! The owner's own presence: `vnd-microsoft-roaming-self` (guide 4.3). The same document answers a publication.

use super::containers::{read_member, write_member};
use super::xml::{Element, XmlError};
use super::{delegates, time};
use crate::domain::Address;
use crate::domain::access::SourceNetwork;
use crate::domain::presence::{Container, Delegates, Expiry, Publication, PublicationKey, SelfPresence, Subscriber};

/// Event package.
pub const EVENT: &str = "vnd-microsoft-roaming-self";
/// `Content-Type` and `Accept`.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-self+xml";

const ROAMING: &str = "http://schemas.microsoft.com/2006/09/sip/roaming-self";
const ROAMING_EX: &str = "http://schemas.microsoft.com/2007/09/sip/roaming-self-ex";
pub(super) const CATEGORIES: &str = "http://schemas.microsoft.com/2006/09/sip/categories";
const CONTAINERS: &str = "http://schemas.microsoft.com/2006/09/sip/containers";
pub(super) const SUBSCRIBERS: &str = "http://schemas.microsoft.com/2006/09/sip/presence-subscribers";

/// One entry of the categories part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CategoryEntry {
    /// A publication.
    Published(Publication),
    /// Nothing of this category is left in this container.
    EmptyContainer {
        /// Category.
        category: String,
        /// Container.
        container: u32,
    },
    /// Nothing of this category is left anywhere.
    Gone(String),
}

/// The document; a part that is absent did not change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoamingData {
    /// `categories/@uri`.
    pub owner: Option<Address>,
    /// Publications; every category and container that is touched is complete.
    pub categories: Option<Vec<CategoryEntry>>,
    /// Containers, each complete.
    pub containers: Option<Vec<Container>>,
    /// Watchers, to be added or updated.
    pub subscribers: Option<Vec<Subscriber>>,
    /// Delegates, complete.
    pub delegates: Option<Delegates>,
}

/// Body of the SUBSCRIBE: categories, containers, subscribers, delegates.
pub fn subscribe_body() -> Vec<u8> {
    let roaming = |kind: &str| Element::in_ns("roaming", ROAMING).with_attr("type", kind);
    Element::in_ns("roamingList", ROAMING)
        .with_all(["categories", "containers", "subscribers"].map(roaming))
        .with(Element::in_ns("roamingEx", ROAMING_EX).with_attr("type", "delegates"))
        .to_bytes()
}

/// Part names a SUBSCRIBE asks for; all three when the body is empty or unreadable.
pub fn parse_subscribe(octets: &[u8]) -> Vec<String> {
    let asked = Element::parse_root(octets, "roamingList")
        .map(|r| r.elements().filter_map(|e| e.attr("type").map(str::to_owned)).collect::<Vec<_>>());
    match asked {
        Ok(a) if !a.is_empty() => a,
        _ => ["categories", "containers", "subscribers"].map(String::from).to_vec(),
    }
}

impl RoamingData {
    /// Everything somebody has.
    pub fn full(owner: &Address, p: &SelfPresence) -> RoamingData {
        RoamingData {
            owner: Some(owner.clone()),
            categories: Some(p.publications.iter().cloned().map(CategoryEntry::Published).collect()),
            containers: Some(p.containers.clone()),
            subscribers: Some(p.subscribers.clone()),
            delegates: Some(p.delegates.clone()),
        }
    }

    /// The complete state of some categories; one that has nothing left is reported as gone.
    pub fn categories(owner: &Address, names: &[&str], publications: &[Publication]) -> RoamingData {
        let mut entries = Vec::new();
        for name in names {
            let mut of: Vec<_> = publications.iter().filter(|p| p.key.category == **name).cloned().collect();
            if of.is_empty() {
                entries.push(CategoryEntry::Gone((*name).to_owned()));
            }
            entries.extend(of.drain(..).map(CategoryEntry::Published));
        }
        RoamingData { owner: Some(owner.clone()), categories: Some(entries), ..RoamingData::default() }
    }

    /// Reads the document; unreadable entries are left out.
    pub fn parse(octets: &[u8]) -> Result<RoamingData, XmlError> {
        Ok(RoamingData::from_element(&Element::parse_root(octets, "roamingData")?))
    }

    /// Reads the document from its root.
    pub fn from_element(root: &Element) -> RoamingData {
        let categories = root.child("categories");
        RoamingData {
            owner: categories.and_then(|c| Address::parse(c.attr("uri")?).ok()),
            categories: categories.map(|c| c.children_named("category").filter_map(read_entry).collect()),
            containers: root.child("containers").map(|c| c.children_named("container").filter_map(read_container).collect()),
            subscribers: root.child("subscribers").map(|c| c.children_named("subscriber").filter_map(read_subscriber).collect()),
            delegates: root.child("delegates").map(delegates::read),
        }
    }

    /// Writes the document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let categories = self.categories.as_ref().map(|entries| {
            Element::in_ns("categories", CATEGORIES)
                .with_opt_attr("uri", self.owner.as_ref())
                .with_all(entries.iter().map(write_entry))
        });
        let containers =
            self.containers.as_ref().map(|c| Element::in_ns("containers", CONTAINERS).with_all(c.iter().map(write_container)));
        let subscribers = self.subscribers.as_ref().map(|s| {
            let entry = |s: &Subscriber| write_subscriber(s, self.owner.as_ref());
            Element::in_ns("subscribers", SUBSCRIBERS).with_all(s.iter().map(entry))
        });
        Element::in_ns("roamingData", ROAMING)
            .with_opt(categories)
            .with_opt(containers)
            .with_opt(subscribers)
            .with_opt(self.delegates.as_ref().map(delegates::write))
            .to_bytes()
    }
}

/// Takes a document into what is known (guide 4.3, rules 1 to 4). Doing it twice changes nothing.
/// Returns whether anything changed.
pub fn apply(known: &mut SelfPresence, data: &RoamingData) -> bool {
    let before = known.clone();
    if let Some(entries) = &data.categories {
        apply_categories(&mut known.publications, entries);
    }
    for c in data.containers.iter().flatten() {
        match known.containers.iter_mut().find(|k| k.id == c.id) {
            Some(k) => *k = c.clone(),
            None => known.containers.push(c.clone()),
        }
    }
    for s in data.subscribers.iter().flatten() {
        match known.subscribers.iter_mut().find(|k| k.uri == s.uri) {
            Some(k) => *k = s.clone(),
            None => known.subscribers.push(s.clone()),
        }
    }
    if let Some(d) = &data.delegates {
        known.delegates = d.clone();
    }
    known.publications.sort_by(|a, b| a.key.cmp(&b.key));
    known.containers.sort_by_key(|c| c.id);
    *known != before
}

/// Takes the answer to a (re-)SUBSCRIBE: parts that are present replace all of their kind.
/// Returns whether anything changed.
pub fn replace(known: &mut SelfPresence, data: &RoamingData) -> bool {
    let before = known.clone();
    if data.categories.is_some() {
        known.publications.clear();
    }
    if data.containers.is_some() {
        known.containers.clear();
    }
    if data.subscribers.is_some() {
        known.subscribers.clear();
    }
    apply(known, data);
    *known != before
}

fn apply_categories(known: &mut Vec<Publication>, entries: &[CategoryEntry]) {
    known.retain(|p| {
        !entries.iter().any(|e| match e {
            CategoryEntry::Published(n) => n.key.category == p.key.category && n.key.container == p.key.container,
            CategoryEntry::EmptyContainer { category, container } => *category == p.key.category && *container == p.key.container,
            CategoryEntry::Gone(category) => *category == p.key.category,
        })
    });
    for e in entries {
        if let CategoryEntry::Published(p) = e {
            known.retain(|k| k.key != p.key);
            known.push(p.clone());
        }
    }
}

fn read_entry(e: &Element) -> Option<CategoryEntry> {
    let category = e.attr("name").filter(|n| !n.is_empty())?.to_owned();
    let container = e.attr_num("container");
    let (instance, container) = match (e.attr_num("instance"), container) {
        (Some(i), Some(c)) => (i, c),
        (None, Some(container)) => return Some(CategoryEntry::EmptyContainer { category, container }),
        (None, None) => return Some(CategoryEntry::Gone(category)),
        (Some(_), None) => return None,
    };
    Some(CategoryEntry::Published(Publication {
        key: PublicationKey { category, instance, container },
        version: e.attr_num("version").unwrap_or(0),
        expiry: read_expiry(e),
        publish_time: e.attr("publishTime").and_then(time::parse),
        endpoint_id: e.attr("endpointId").map(str::to_lowercase),
        value: e.elements().next().map(Element::to_string).unwrap_or_default(),
    }))
}

fn write_entry(e: &CategoryEntry) -> Element {
    let category = |name: &str| Element::in_ns("category", CATEGORIES).with_attr("name", name);
    match e {
        CategoryEntry::Gone(name) => category(name),
        CategoryEntry::EmptyContainer { category: name, container } => category(name).with_attr("container", container),
        CategoryEntry::Published(p) => {
            let head = category(&p.key.category).with_attr("instance", p.key.instance);
            let head = head.with_opt_attr("publishTime", p.publish_time.map(time::publish_time));
            let head = head.with_attr("container", p.key.container).with_attr("version", p.version);
            let head = write_expiry(head, p.expiry);
            head.with_opt_attr("endpointId", p.endpoint_id.as_deref().map(str::to_uppercase)).with_opt(value_element(&p.value))
        }
    }
}

/// A stored value as an element; a value that does not read is left out.
pub(super) fn value_element(value: &str) -> Option<Element> {
    if value.trim().is_empty() { None } else { Element::parse(value.as_bytes()).ok() }
}

pub(super) fn read_expiry(e: &Element) -> Expiry {
    match e.attr("expireType").unwrap_or("endpoint") {
        t if t.eq_ignore_ascii_case("static") => Expiry::Static,
        t if t.eq_ignore_ascii_case("user") => Expiry::User,
        t if t.eq_ignore_ascii_case("time") => Expiry::Time(e.attr_num("expires").unwrap_or(0)),
        _ => Expiry::Endpoint,
    }
}

pub(super) fn write_expiry(e: Element, x: Expiry) -> Element {
    match x {
        Expiry::Endpoint => e.with_attr("expireType", "endpoint"),
        Expiry::Static => e.with_attr("expireType", "static"),
        Expiry::User => e.with_attr("expireType", "user"),
        Expiry::Time(s) => e.with_attr("expireType", "time").with_attr("expires", s),
    }
}

fn read_container(e: &Element) -> Option<Container> {
    Some(Container {
        id: e.attr_num("id")?,
        version: e.attr_num("version").unwrap_or(0),
        members: e.children_named("member").filter_map(read_member).collect(),
    })
}

fn write_container(c: &Container) -> Element {
    let members = c.members.iter().map(|m| write_member(Element::in_ns("member", CONTAINERS), m));
    Element::in_ns("container", CONTAINERS).with_attr("id", c.id).with_attr("version", c.version).with_all(members)
}

fn read_subscriber(e: &Element) -> Option<Subscriber> {
    Some(Subscriber {
        uri: Address::parse(e.attr("user")?).ok()?,
        display_name: e.attr("displayName").unwrap_or("").to_owned(),
        acknowledged: e.attr_bool("acknowledged").unwrap_or(false),
        network: e.attr("type").and_then(read_network),
        since: e.attr("since").and_then(time::parse),
        words: super::batch::read_context(e).unwrap_or_default(),
    })
}

fn write_subscriber(s: &Subscriber, owner: Option<&Address>) -> Element {
    let here = owner.is_none_or(|o| o.host() == s.uri.host());
    let guess = if here { SourceNetwork::SameEnterprise } else { SourceNetwork::Federated };
    let kind = network_word(s.network.unwrap_or(guess));
    Element::in_ns("subscriber", SUBSCRIBERS)
        .with_attr("user", s.uri.bare())
        .with_attr("displayName", &s.display_name)
        .with_attr("acknowledged", s.acknowledged)
        .with_attr("type", kind)
        .with_opt_attr("since", s.since.map(time::publish_time))
        .with(Element::in_ns("context", SUBSCRIBERS).with_text(s.words.as_str()))
}

fn read_network(word: &str) -> Option<SourceNetwork> {
    [SourceNetwork::SameEnterprise, SourceNetwork::Federated, SourceNetwork::PublicCloud, SourceNetwork::Everyone]
        .into_iter()
        .find(|n| network_word(*n).eq_ignore_ascii_case(word))
}

fn network_word(network: SourceNetwork) -> &'static str {
    match network {
        SourceNetwork::SameEnterprise => "sameEnterprise",
        SourceNetwork::Federated => "federated",
        SourceNetwork::PublicCloud => "publicCloud",
        SourceNetwork::Everyone => "unknown",
    }
}

#[cfg(test)]
mod tests;
