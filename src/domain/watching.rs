//! How the presence of others is asked for: views, their modes, and where each person in them stands (`domain.md` 3.10, 5.10).

use super::Time;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Categories a view asks for when it says nothing else (`domain.md` 5.10).
pub const DEFAULT_CATEGORIES: [&str; 5] = ["calendarData", "contactCard", "note", "services", "state"];
/// A polling view asks this often when it says nothing else (`domain.md` 5.10).
pub const POLLING_INTERVAL: Duration = Duration::from_secs(300);

/// Names a view: a set of people whose presence is wanted for one purpose. The same person may be in several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewId(pub String);

impl ViewId {
    /// Everybody on the contact list; it is there by itself, and the only one that tells people they were added.
    pub fn contacts() -> ViewId {
        ViewId("contacts".into())
    }

    /// People one talks with.
    pub fn conversations() -> ViewId {
        ViewId("conversations".into())
    }

    /// People found by a search.
    pub fn search() -> ViewId {
        ViewId("search".into())
    }

    /// People somebody waits for.
    pub fn alerts() -> ViewId {
        ViewId("alerts".into())
    }
}

/// How a view wants its people's presence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Asked for again and again.
    Polling,
    /// Told at once where the server grants it, else polled.
    #[default]
    Default,
    /// Told at once, or not at all.
    Persistent,
}

/// How a view asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewOptions {
    /// At once, now and then, or as it can be had.
    pub mode: Mode,
    /// Wanted categories. Only a polling view may choose: the others share one subscription, fixed when the endpoint is made.
    pub categories: Vec<String>,
    /// Time between two questions of a polling view.
    pub interval: Duration,
}

impl Default for ViewOptions {
    fn default() -> ViewOptions {
        let categories = DEFAULT_CATEGORIES.map(String::from).to_vec();
        ViewOptions { mode: Mode::Default, categories, interval: POLLING_INTERVAL }
    }
}

/// Where one person stands, as far as somebody looking should know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Every change is told at once (or is about to be).
    #[default]
    Told,
    /// Asked for again and again.
    Polled {
        /// Time between two questions.
        interval: Duration,
    },
    /// The server has put us off.
    Waiting {
        /// Asked for again then.
        until: Time,
    },
    /// Nothing can be had; one sentence says why.
    Failed {
        /// Why.
        reason: String,
    },
}

/// How many watchers a presentity may have when each watches so many categories (`domain.md` 5.10, integer part).
pub fn watchers_allowed(category_subscriptions: usize, categories: usize) -> usize {
    category_subscriptions / categories.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_are_the_integer_part_of_subscriptions_by_categories() {
        assert_eq!(watchers_allowed(1000, 5), 200);
        assert_eq!(watchers_allowed(1000, 6), 166);
        assert_eq!(watchers_allowed(3, 5), 0);
        assert_eq!(watchers_allowed(3000, 0), 3000);
    }

    #[test]
    fn a_view_that_says_nothing_takes_what_it_can_get_of_the_default_categories_every_five_minutes() {
        let options = ViewOptions::default();
        assert_eq!((options.mode, options.interval), (Mode::Default, Duration::from_secs(300)));
        assert_eq!(options.categories, ["calendarData", "contactCard", "note", "services", "state"]);
    }
}
