//! One person whose presence is wanted, and where the subscription to them stands.

use crate::domain::presence::{Freshness, Presence};
use crate::domain::watching::{Mode, POLLING_INTERVAL, Standing, ViewId, ViewOptions};
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::lync::categories::{WatchedCategories, merge_categories};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The views there are.
pub(super) type Views = BTreeMap<ViewId, ViewOptions>;

/// Where a person's presence is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The own server.
    #[default]
    Home,
    /// Another pool, by its URI.
    Pool(String),
    /// The person's own server.
    Person(Address),
}

/// States of `domain.md` 3.10. Terminating takes no time: what is under way is ended, and forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stand {
    /// To be asked for in the next batch.
    #[default]
    Idle,
    /// In the batch under way.
    Subscribing,
    /// The server tells every change.
    Subscribed,
    /// Asked for now and then.
    Polling {
        /// Next time.
        at: Time,
    },
    /// Put off.
    WaitingForRetry {
        /// Until then.
        at: Time,
    },
    /// Not to be had on this registration.
    Terminated,
}

impl Stand {
    /// When something is to be done.
    pub fn due(self) -> Option<Time> {
        match self {
            Stand::Polling { at } | Stand::WaitingForRetry { at } => Some(at),
            Stand::Idle | Stand::Subscribing | Stand::Subscribed | Stand::Terminated => None,
        }
    }

    /// Whether the server holds (or is asked to hold) a subscription.
    pub fn is_held(self) -> bool {
        matches!(self, Stand::Subscribing | Stand::Subscribed)
    }
}

/// A person, why they are watched, and what is known.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// Views the person is in, and how often.
    pub views: BTreeMap<ViewId, u32>,
    pub place: Place,
    pub stand: Stand,
    /// Refused as a watcher: polled where a view allows it.
    pub limited: bool,
    /// What was last said of the standing.
    pub told: Standing,
    pub presence: Presence,
}

impl Target {
    /// How the views together want it; `None`: no view wants it.
    pub fn mode(&self, views: &Views) -> Option<Mode> {
        self.views.keys().filter_map(|v| views.get(v)).map(|o| o.mode).max()
    }

    /// Whether it is to be polled.
    pub fn is_polled(&self, views: &Views) -> bool {
        self.limited || self.presence.card.automaton || self.mode(views) == Some(Mode::Polling)
    }

    /// Time between two questions: the shortest of its polling views.
    pub fn interval(&self, views: &Views) -> Duration {
        let polling = self.views.keys().filter_map(|v| views.get(v)).filter(|o| o.mode == Mode::Polling);
        polling.map(|o| o.interval).min().unwrap_or(POLLING_INTERVAL)
    }

    /// What to ask for: everything its views want.
    pub fn categories(&self, views: &Views, fixed: &[String]) -> BTreeSet<String> {
        let wanted = self.views.keys().filter_map(|v| views.get(v));
        wanted.flat_map(|o| if o.mode == Mode::Polling { o.categories.as_slice() } else { fixed }).cloned().collect()
    }

    /// Takes a document in; true when somebody looking would see a difference.
    pub fn merge(&mut self, document: &WatchedCategories, now: Time) -> bool {
        let mut next = self.presence.clone();
        merge_categories(&mut next, document, now);
        let at = next.freshness;
        // That the same was said, or published, again later is no news.
        if matches!(self.presence.freshness, Freshness::Known { .. }) {
            next.freshness = self.presence.freshness;
            let same = (next.availability, &next.activity) == (self.presence.availability, &self.presence.activity);
            next.since = if same { self.presence.since.or(next.since) } else { next.since };
        }
        let changed = next != self.presence;
        if changed {
            next.freshness = at;
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
