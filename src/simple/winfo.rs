//! `application/watcherinfo+xml` (RFC 3858): who watches, and who asks to.

use super::limits::WATCHERS_MAX;
use crate::domain::Address;
use crate::xml::{Element, XmlError};
use std::collections::BTreeMap;

/// Media type.
pub const CONTENT_TYPE: &str = "application/watcherinfo+xml";

/// Where a watcher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Waits for an answer.
    Pending,
    /// Asked while nobody was there to answer.
    Waiting,
    /// Watches.
    Active,
    /// Does not watch any more.
    Terminated,
}

/// One watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watcher {
    /// Who.
    pub uri: Address,
    /// Name; may be empty.
    pub display_name: String,
    /// Where they stand.
    pub standing: Standing,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatcherInfo {
    /// Counts documents of one subscription.
    pub version: u32,
    /// It replaces everything known.
    pub full: bool,
    /// By the server's ids.
    pub watchers: Vec<(String, Watcher)>,
}

/// Reads a document; entries that cannot be understood are left out.
pub fn parse(octets: &[u8]) -> Result<WatcherInfo, XmlError> {
    let root = Element::parse_root(octets, "watcherinfo")?;
    let lists = root.children_named("watcher-list").filter(|l| l.attr("package").is_none_or(|p| p == "presence"));
    let watchers = lists.flat_map(|l| l.children_named("watcher")).take(WATCHERS_MAX).filter_map(watcher).collect();
    Ok(WatcherInfo {
        version: root.attr_num("version").unwrap_or(0),
        full: root.attr("state").is_none_or(|s| s != "partial"),
        watchers,
    })
}

fn watcher(e: &Element) -> Option<(String, Watcher)> {
    let standing = match e.attr("status")? {
        "pending" => Standing::Pending,
        "waiting" => Standing::Waiting,
        "active" => Standing::Active,
        "terminated" => Standing::Terminated,
        _ => return None,
    };
    let uri = Address::parse(e.text().trim()).ok()?;
    let display_name = e.attr("display-name").unwrap_or("").to_owned();
    Some((e.attr("id").unwrap_or("").to_owned(), Watcher { uri, display_name, standing }))
}

/// The watchers one knows, kept up to date by documents.
#[derive(Clone, Debug, Default)]
pub struct Watchers {
    version: Option<u32>,
    known: BTreeMap<String, Watcher>,
}

impl Watchers {
    /// Takes a document in. `false`: one is missing in between, the subscription must be refreshed.
    pub fn apply(&mut self, info: WatcherInfo) -> bool {
        let in_order = self.version.is_some_and(|v| info.version == v.wrapping_add(1));
        if !info.full && !in_order {
            return false;
        }
        self.version = Some(info.version);
        if info.full {
            self.known.clear();
        }
        for (id, watcher) in info.watchers {
            if watcher.standing == Standing::Terminated {
                self.known.remove(&id);
            } else if self.known.len() < WATCHERS_MAX {
                self.known.insert(id, watcher);
            }
        }
        true
    }

    /// A new subscription starts counting anew.
    pub fn restart(&mut self) {
        self.version = None;
    }

    /// Everybody, once; somebody who asks goes before somebody who watches.
    pub fn all(&self) -> Vec<&Watcher> {
        let mut out: BTreeMap<&Address, &Watcher> = BTreeMap::new();
        for w in self.known.values() {
            let asks = matches!(w.standing, Standing::Pending | Standing::Waiting);
            if asks || !out.contains_key(&w.uri) {
                out.insert(&w.uri, w);
            }
        }
        out.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(version: u32, state: &str, watchers: &str) -> WatcherInfo {
        let text = format!(
            "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='{version}' state='{state}'>\
             <watcher-list resource='sip:alice@example.com' package='presence'>{watchers}</watcher-list></watcherinfo>"
        );
        parse(text.as_bytes()).unwrap()
    }

    fn one(id: &str, status: &str, who: &str) -> String {
        format!("<watcher id='{id}' event='subscribe' status='{status}' display-name='X'>sip:{who}@example.com</watcher>")
    }

    fn names(w: &Watchers) -> Vec<(String, Standing)> {
        w.all().iter().map(|w| (w.uri.user().to_owned(), w.standing)).collect()
    }

    #[test]
    fn partial_documents_merge_by_id_and_full_ones_replace() {
        let mut w = Watchers::default();
        assert!(w.apply(document(0, "full", &one("a", "active", "bob"))));
        assert!(w.apply(document(1, "partial", &one("b", "pending", "carol"))));
        assert_eq!(names(&w), [("bob".into(), Standing::Active), ("carol".into(), Standing::Pending)]);
        assert!(w.apply(document(2, "partial", &one("a", "terminated", "bob"))));
        assert_eq!(names(&w), [("carol".into(), Standing::Pending)]);
        assert!(w.apply(document(7, "full", "")));
        assert!(names(&w).is_empty());
    }

    #[test]
    fn a_gap_between_partial_documents_asks_for_a_refresh() {
        let mut w = Watchers::default();
        assert!(!w.apply(document(3, "partial", "")));
        assert!(w.apply(document(3, "full", "")));
        assert!(!w.apply(document(5, "partial", &one("a", "pending", "bob"))));
        assert!(names(&w).is_empty());
    }

    #[test]
    fn somebody_who_asks_from_one_device_and_watches_from_another_asks() {
        let mut w = Watchers::default();
        w.apply(document(0, "full", &(one("a", "waiting", "bob") + &one("b", "active", "bob") + &one("c", "dreaming", "eve"))));
        assert_eq!(names(&w), [("bob".into(), Standing::Waiting)]);
    }
}
