//! The owner's presence as colleagues see it.

use crate::domain::presence::{Freshness, Note, Presence, SelfPresence};
use crate::domain::{Time, access};
use crate::endpoint::published::{self, PublishedState, Source};

/// Containers whose aggregate is looked for, the most telling first.
const CONTAINERS: [u32; 3] = [200, access::AGGREGATION_CONTAINER, 100];

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
        seen.since = since;
    }
    seen
}

fn aggregate(own: &SelfPresence, container: u32) -> Option<(PublishedState, Option<Time>)> {
    let here = own.publications.iter().filter(|p| p.key.container == container);
    here.filter_map(|p| Some((published::state(p)?, p.publish_time))).find(|(s, _)| s.source == Source::Aggregate)
}
