//! The owner's presence as colleagues see it.

use crate::domain::presence::{Activity, Availability, Expiry, Freshness, Note, Presence, SelfPresence};
use crate::domain::{Time, access};
use crate::endpoint::published::{self, PublishedState, Source};
use std::time::Duration;

/// Containers whose aggregate is looked for, the most telling first.
const CONTAINERS: [u32; 3] = [200, access::AGGREGATION_CONTAINER, 100];

/// What the owner has set by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct ByHand {
    /// The number.
    pub availability: Availability,
    /// The activity beside it.
    pub activity: Option<Activity>,
    /// When it ends by itself.
    pub until: Option<Time>,
}

/// The state that was set by hand, if one was.
pub fn by_hand(own: &SelfPresence) -> Option<ByHand> {
    let states = own.publications.iter().filter_map(|p| Some((p, published::state(p)?)));
    let (publication, state) = states.into_iter().find(|(_, s)| s.source == Source::User)?;
    let until = match (publication.expiry, publication.publish_time) {
        (Expiry::Time(seconds), Some(since)) => Some(since + Duration::from_secs(seconds.into())),
        _ => None,
    };
    Some(ByHand { availability: state.availability?, activity: state.activity, until })
}

/// Whether any device of the owner is signed in and says so.
pub fn is_anywhere(own: &SelfPresence) -> bool {
    own.publications.iter().filter_map(published::state).any(|s| s.source == Source::Machine)
}

/// What others see.
pub fn seen(own: &SelfPresence, now: Time) -> Presence {
    let aggregate = CONTAINERS.iter().find_map(|c| aggregate(own, *c));
    let notes: Vec<Note> =
        own.publications.iter().filter(|p| p.key.container == CONTAINERS[0]).filter_map(published::note).collect();
    let note = |out: bool| notes.iter().find(|n| n.out_of_office == out && !n.text.is_empty()).cloned();
    let mut seen = Presence { freshness: Freshness::Known { at: now }, ..Presence::default() };
    (seen.note, seen.oof_note) = (note(false), note(true));
    if let Some((state, since)) = aggregate {
        seen.availability = state.availability;
        seen.activity = state.activity;
        seen.location = state.location;
        seen.device = state.device;
        // The server's own beginning is no moment in anybody's life.
        seen.since = since.filter(|t| t.0 > 0);
    }
    seen
}

fn aggregate(own: &SelfPresence, container: u32) -> Option<(PublishedState, Option<Time>)> {
    let here = own.publications.iter().filter(|p| p.key.container == container);
    here.filter_map(|p| Some((published::state(p)?, p.publish_time))).find(|(s, _)| s.source == Source::Aggregate)
}
