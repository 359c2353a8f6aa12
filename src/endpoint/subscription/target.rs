//! One person whose presence is wanted.

use crate::domain::presence::{Freshness, Presence};
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::lync::categories::{WatchedCategories, merge_categories};

/// Where the subscription to one person stands (`domain.md` 3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// To be asked for in the next batch.
    New,
    /// In the batch under way.
    Asked,
    /// The server tells every change.
    Subscribed,
    /// Asked for now and then.
    Polled {
        /// Next time.
        at: Time,
        /// At the person's own server.
        direct: bool,
    },
    /// The server knows nothing of them.
    Gone {
        /// When to ask again; `None`: not on this registration.
        again_at: Option<Time>,
    },
}

/// A person, why they are watched, and what is known.
#[derive(Debug)]
pub(super) struct Target {
    pub contact: bool,
    pub watches: u32,
    pub stand: Stand,
    pub presence: Presence,
}

impl Default for Target {
    fn default() -> Target {
        Target { contact: false, watches: 0, stand: Stand::New, presence: Presence::default() }
    }
}

impl Target {
    /// Takes a document in; true when somebody looking would see a difference.
    pub fn merge(&mut self, document: &WatchedCategories, now: Time) -> bool {
        let mut next = self.presence.clone();
        merge_categories(&mut next, document, now);
        let mut same = next.clone();
        // That the same was said again later is no news.
        if let (Freshness::Known { .. }, Freshness::Known { .. }) = (self.presence.freshness, next.freshness) {
            same.freshness = self.presence.freshness;
        }
        let changed = same != self.presence;
        if changed {
            self.presence = next;
        }
        changed
    }

    /// The link is gone: what was known becomes stale. True when that changed something.
    pub fn doubt(&mut self, now: Time) -> bool {
        let known = matches!(self.presence.freshness, Freshness::Known { .. });
        if known {
            self.presence.freshness = Freshness::Stale { since: now };
        }
        known
    }

    /// Nothing is known any more. True when something was.
    pub fn forget(&mut self) -> bool {
        let nothing = Presence::default();
        let changed = self.presence != nothing;
        self.presence = nothing;
        changed
    }

    pub fn event(&self, uri: &Address) -> Event {
        Event::Presence { uri: uri.clone(), presence: Box::new(self.presence.clone()) }
    }
}
