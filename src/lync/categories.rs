//! The values of presence categories, and the document a watcher receives (guide 6.4, 6.6, 8.2, 8.3).

pub mod alerts;
pub mod calendar;
pub mod card;
pub mod device;
pub mod made_by_server;
pub mod note;
pub mod options;
pub mod own_data;
mod seen;
pub mod state;
pub mod value;

use super::roaming::{CATEGORIES, value_element};
use super::time;
use super::xml::{Element, XmlError};
use crate::domain::access::is_delivered;
use crate::domain::presence::{Freshness, Presence, Publication};
use crate::domain::{Address, Time};
use state::{StateKind, StateValue};
use value::Value;

/// `Content-Type` of the document.
pub const CONTENT_TYPE: &str = "application/msrtc-event-categories+xml";

/// One category instance as a watcher sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedCategory {
    /// Category name.
    pub name: String,
    /// Instance; `None` with an emptied category.
    pub instance: Option<u32>,
    /// When it was published.
    pub publish_time: Option<Time>,
    /// Payload; `None`: emptied.
    pub value: Option<Element>,
}

/// What a watcher gets about one person; a category that occurs replaces what was known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedCategories {
    /// Whose.
    pub uri: Address,
    /// Instances.
    pub categories: Vec<WatchedCategory>,
}

impl WatchedCategories {
    /// A document that says nothing yet.
    pub fn new(uri: Address) -> WatchedCategories {
        WatchedCategories { uri, categories: Vec::new() }
    }

    /// What somebody who sees `container` gets of `categories` out of everything published; a category without anything
    /// there is said to be empty. Front end and "View as" both call this.
    pub fn seen<'a, C: AsRef<str>>(
        owner: Address,
        categories: &[C],
        container: u32,
        published: impl Iterator<Item = &'a Publication> + Clone,
    ) -> WatchedCategories {
        let mut document = WatchedCategories::new(owner);
        for category in categories.iter().map(AsRef::as_ref).filter(|c| is_delivered(c)) {
            let before = document.categories.len();
            published
                .clone()
                .filter(|p| p.key.container == container && p.key.category == category)
                .for_each(|p| document.push(p));
            if document.categories.len() == before {
                document.push_empty(category);
            }
        }
        document
    }

    /// Adds a publication as a watcher may see it: without container and version.
    pub fn push(&mut self, p: &Publication) {
        self.categories.push(WatchedCategory {
            name: p.key.category.clone(),
            instance: Some(p.key.instance),
            publish_time: p.publish_time,
            value: value_element(&p.value),
        });
    }

    /// Says that nothing of this category is left.
    pub fn push_empty(&mut self, category: &str) {
        self.categories.push(WatchedCategory { name: category.into(), instance: None, publish_time: None, value: None });
    }

    /// Reads a document.
    pub fn parse(octets: &[u8]) -> Result<WatchedCategories, XmlError> {
        WatchedCategories::from_element(&Element::parse_root(octets, "categories")?)
    }

    /// Reads a document from its root.
    pub fn from_element(root: &Element) -> Result<WatchedCategories, XmlError> {
        let uri = root.attr("uri").and_then(|u| Address::parse(u).ok()).ok_or(XmlError::Missing("uri"))?;
        let read = |e: &Element| {
            Some(WatchedCategory {
                name: e.attr("name").filter(|n| !n.is_empty())?.to_owned(),
                instance: e.attr_num("instance"),
                // A server says with the epoch that nobody ever published.
                publish_time: e.attr("publishTime").and_then(time::parse).filter(|t| *t != Time::default()),
                value: e.elements().next().cloned(),
            })
        };
        Ok(WatchedCategories { uri, categories: root.children_named("category").filter_map(read).collect() })
    }

    /// Writes the document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let write = |c: &WatchedCategory| {
            Element::in_ns("category", CATEGORIES)
                .with_attr("name", &c.name)
                .with_opt_attr("instance", c.instance)
                .with_opt_attr("publishTime", c.publish_time.map(time::publish_time))
                .with_opt(c.value.clone())
        };
        let root = Element::in_ns("categories", CATEGORIES).with_attr("uri", &self.uri);
        root.with_all(self.categories.iter().map(write)).to_bytes()
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a WatchedCategory> {
        self.categories.iter().filter(move |c| c.name == name)
    }

    fn touches(&self, name: &str) -> bool {
        self.of(name).next().is_some()
    }
}

/// Takes a document into what is known about its person. Doing it twice changes nothing but the time of knowing.
pub fn merge_categories(known: &mut Presence, doc: &WatchedCategories, now: Time) {
    if doc.touches("state") {
        merge_state(known, doc);
    }
    if doc.touches("note") {
        merge_notes(known, doc);
    }
    if doc.touches("contactCard") {
        known.card = card::merge(doc.of("contactCard").filter_map(|c| Some((c.instance.unwrap_or(0), c.value.as_ref()?))));
    }
    if doc.touches("services") {
        let all =
            doc.of("services").filter_map(|c| c.value.as_ref()).filter_map(device::Services::read).flat_map(|s| s.capabilities);
        let mut names: Vec<String> = all.filter(|c| c.render).map(|c| c.name).collect();
        names.sort();
        names.dedup();
        known.capabilities = names;
    }
    seen::merge(known, doc);
    known.freshness = Freshness::Known { at: now };
}

/// The aggregate counts; other kinds only when a foreign server sends nothing else, the newest of them.
fn merge_state(known: &mut Presence, doc: &WatchedCategories) {
    let all = doc.of("state").filter_map(|c| Some((StateValue::read(c.value.as_ref()?)?, c.publish_time)));
    let best = all
        .filter(|(s, _)| s.availability.is_some())
        .max_by_key(|(s, at)| (s.kind == StateKind::Aggregate, at.unwrap_or_default()));
    let (s, since) = best.map_or((None, None), |(s, at)| (Some(s), at));
    let s = s.unwrap_or_else(|| StateValue::new(StateKind::Aggregate));
    known.availability = s.availability;
    known.activity = s.activity.filter(|a| s.availability.is_none_or(|n| a.fits(n)));
    known.since = since.filter(|t| *t != Time::default());
    known.last_active = s.last_active;
    known.location = s.location;
    known.device = s.device;
    known.meeting_subject = s.meeting_subject;
    known.meeting_location = s.meeting_location;
}

/// The newest note of each type.
fn merge_notes(known: &mut Presence, doc: &WatchedCategories) {
    known.note = None;
    known.oof_note = None;
    let mut instances: Vec<_> = doc.of("note").collect();
    instances.sort_by_key(|c| c.publish_time);
    for c in instances {
        for n in c.value.as_ref().map(note::read).unwrap_or_default() {
            let place = if n.out_of_office { &mut known.oof_note } else { &mut known.note };
            *place = Some(n);
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
