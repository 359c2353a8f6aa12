//! The publications of one owner: versions, expiry, and what a change touches (`domain.md` 5.6).

use super::super::{RegistrationId, StoreOp};
use crate::domain::access::default_containers;
use crate::domain::aggregation::{Device, Source};
use crate::domain::presence::{
    Availability, Container, Delegates, Expiry, Publication, PublicationKey, SelfPresence, Subscriber,
};
use crate::domain::{Address, Time};
use crate::lync::aggregate;
use std::collections::BTreeSet;
use std::time::Duration;

/// One publication and what the server knows beside it.
#[derive(Clone, Debug)]
pub struct Item {
    /// As published.
    pub publication: Publication,
    /// The device that wrote it last: epid or instance; `None` after a restart.
    pub writer: Option<String>,
    /// The endpoint it ends with.
    pub registration: Option<RegistrationId>,
    /// Made by the server, not kept, not writable.
    pub server: bool,
    /// A refused write (writer, version): the same again is let through, so that nobody asks for ever.
    pub refused: Option<(String, u32)>,
    /// What it says to the aggregation; computed when it is stored.
    pub(super) source: Option<Source>,
}

/// Presence of one owner as the server keeps it.
#[derive(Debug, Default)]
pub struct OwnPresence {
    items: Vec<Item>,
    /// All containers.
    pub containers: Vec<Container>,
    /// Who changed a container last.
    pub container_writers: Vec<(u32, String)>,
    /// Watchers, acknowledged or not.
    pub subscribers: Vec<Subscriber>,
    /// Who may act for the owner.
    pub delegates: Delegates,
    /// The aggregate everybody but the workgroup sees.
    pub seen: Option<Availability>,
    /// The aggregate the workgroup sees.
    pub seen_by_workgroup: Option<Availability>,
    /// When the results were active last.
    pub active: [Option<Time>; 2],
    /// The wake-up that stands for timed publications.
    pub armed: Option<Time>,
}

/// What a change touched.
#[derive(Debug, Default)]
pub struct Touched {
    /// Categories whose publications changed in any way: the owner hears of them.
    pub names: BTreeSet<String>,
    /// The same with their containers: one that became empty is named so.
    pub places: BTreeSet<(String, u32)>,
    /// Category and container where something a watcher sees changed.
    pub visible: BTreeSet<(String, u32)>,
    /// A source of the aggregation changed.
    pub sources: bool,
    kept: Vec<Publication>,
    dropped: Vec<PublicationKey>,
}

impl Touched {
    fn touch(&mut self, key: &PublicationKey, visible: bool) {
        if !self.names.contains(&key.category) {
            self.names.insert(key.category.clone());
        }
        self.places.insert((key.category.clone(), key.container));
        if visible {
            self.visible.insert((key.category.clone(), key.container));
        }
        self.sources |= (key.container == 2 || key.container == 3) && (key.category == "state" || key.category == "device");
    }

    /// What must be kept for ever.
    pub fn store_ops(&self, owner: &Address) -> Vec<StoreOp> {
        let kept = self.kept.iter().map(|p| StoreOp::PutPublication { owner: owner.clone(), publication: p.clone() });
        let dropped = self.dropped.iter().map(|k| StoreOp::DeletePublication { owner: owner.clone(), key: k.clone() });
        kept.chain(dropped).collect()
    }
}

/// Whether a publication outlives sessions.
fn is_kept(expiry: Expiry) -> bool {
    matches!(expiry, Expiry::Static | Expiry::Time(_))
}

impl OwnPresence {
    /// As loaded. Default containers that were never changed need not be kept.
    pub fn new(publications: Vec<Publication>, mut containers: Vec<Container>, subscribers: Vec<Subscriber>) -> OwnPresence {
        let missing = default_containers().into_iter().filter(|d| !containers.iter().any(|c| c.id == d.id)).collect::<Vec<_>>();
        containers.extend(missing);
        containers.sort_by_key(|c| c.id);
        let items = publications.into_iter().filter(|p| is_kept(p.expiry)).map(Item::loaded).collect();
        OwnPresence { items, containers, subscribers, ..OwnPresence::default() }
    }

    /// One publication.
    pub fn find(&self, key: &PublicationKey) -> Option<&Item> {
        self.items.iter().find(|i| i.publication.key == *key)
    }

    /// One publication, to note a refusal.
    pub fn find_mut(&mut self, key: &PublicationKey) -> Option<&mut Item> {
        self.items.iter_mut().find(|i| i.publication.key == *key)
    }

    /// How many publications there are that the server did not make.
    pub fn count(&self) -> usize {
        self.items.iter().filter(|i| !i.server).count()
    }

    /// Everything of some categories.
    pub fn of_categories<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Publication> {
        self.items.iter().map(|i| &i.publication).filter(|p| names.contains(&p.key.category.as_str()))
    }

    /// Everything.
    pub fn publications(&self) -> impl Iterator<Item = &Publication> + Clone {
        self.items.iter().map(|i| &i.publication)
    }

    /// What a container holds of one category.
    pub fn in_container<'a>(&'a self, category: &'a str, container: u32) -> impl Iterator<Item = &'a Publication> {
        let here = move |p: &&Publication| p.key.container == container && p.key.category == category;
        self.items.iter().map(|i| &i.publication).filter(here)
    }

    /// Everything, as the owner sees it.
    pub fn snapshot(&self) -> SelfPresence {
        SelfPresence {
            publications: self.items.iter().map(|i| i.publication.clone()).collect(),
            containers: self.containers.clone(),
            subscribers: self.subscribers.clone(),
            delegates: self.delegates.clone(),
        }
    }

    /// Stores a publication; its version rises by one.
    pub fn put(&mut self, now: Time, mut item: Item, touched: &mut Touched) {
        let old = self.items.iter().position(|i| i.publication.key == item.publication.key);
        let before = old.and_then(|at| self.items.get(at));
        item.publication.version = before.map_or(0, |b| b.publication.version).saturating_add(1);
        item.publication.publish_time = Some(now);
        item.source = aggregate::source(&item.publication);
        let visible = before.is_none_or(|b| b.publication.value != item.publication.value);
        let was_kept = before.is_some_and(|b| !b.server && is_kept(b.publication.expiry));
        touched.touch(&item.publication.key, visible);
        if !item.server && is_kept(item.publication.expiry) {
            touched.kept.push(item.publication.clone());
        } else if was_kept {
            touched.dropped.push(item.publication.key.clone());
        }
        match old.and_then(|at| self.items.get_mut(at)) {
            Some(place) => *place = item,
            None => self.items.push(item),
        }
    }

    /// Writes what the server says, unless it says so already.
    pub fn put_server(&mut self, now: Time, key: PublicationKey, expiry: Expiry, value: String, touched: &mut Touched) {
        if self.find(&key).is_some_and(|i| i.publication.value == value) {
            return;
        }
        let publication = Publication { key, version: 0, expiry, publish_time: None, endpoint_id: None, value };
        self.put(now, Item { server: true, ..Item::loaded(publication) }, touched);
    }

    /// Takes a publication away; nothing happens where there is none.
    pub fn remove(&mut self, key: &PublicationKey, touched: &mut Touched) {
        self.remove_where(|i| i.publication.key == *key, touched);
    }

    fn remove_where(&mut self, gone: impl Fn(&Item) -> bool, touched: &mut Touched) {
        self.items.retain(|i| {
            let goes = gone(i);
            if goes {
                touched.touch(&i.publication.key, true);
                if !i.server && is_kept(i.publication.expiry) {
                    touched.dropped.push(i.publication.key.clone());
                }
            }
            !goes
        });
    }

    /// An endpoint is gone; `last` when the owner has no other.
    pub fn end_endpoint(&mut self, registration: RegistrationId, last: bool, touched: &mut Touched) {
        self.remove_where(
            |i| match i.publication.expiry {
                Expiry::Endpoint => i.registration == Some(registration) || last,
                Expiry::User => last && !i.server,
                Expiry::Static | Expiry::Time(_) => false,
            },
            touched,
        );
    }

    /// Timed publications whose time is over end.
    pub fn expire(&mut self, now: Time, touched: &mut Touched) {
        self.remove_where(|i| i.expires_at().is_some_and(|t| t <= now), touched);
    }

    /// When the next timed publication ends.
    pub fn next_expiry(&self) -> Option<Time> {
        self.items.iter().filter_map(Item::expires_at).min()
    }

    /// Sources of an aggregation container.
    pub fn sources(&self, container: u32) -> Vec<Source> {
        self.items.iter().filter(|i| i.publication.key.container == container).filter_map(|i| i.source.clone()).collect()
    }

    /// All devices.
    pub fn devices(&self) -> Vec<Device> {
        self.in_container("device", 2).filter_map(aggregate::device).collect()
    }
}

impl Item {
    /// A publication whose writer is not known.
    pub fn loaded(publication: Publication) -> Item {
        let source = aggregate::source(&publication);
        Item { publication, writer: None, registration: None, server: false, refused: None, source }
    }

    fn expires_at(&self) -> Option<Time> {
        match self.publication.expiry {
            Expiry::Time(seconds) => {
                Some(self.publication.publish_time.unwrap_or_default() + Duration::from_secs(u64::from(seconds)))
            }
            _ => None,
        }
    }
}
