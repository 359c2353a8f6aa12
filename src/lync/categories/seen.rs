//! What a watcher reads besides state, notes and card: who can be written to, and when.

use super::calendar::{CalendarContent, CalendarData};
use super::value::Value;
use super::{WatchedCategories, device, state};
use crate::domain::presence::{Availability, Presence};

/// Takes those parts of a document in.
pub(super) fn merge(known: &mut Presence, doc: &WatchedCategories) {
    if doc.touches("services") {
        known.im = im_availability(doc);
    }
    if doc.touches("state") {
        let mut values = doc.of("state").filter_map(|c| state::StateValue::read(c.value.as_ref()?));
        known.time_zone_bias = values.find(|s| s.availability.is_some()).and_then(|s| s.time_zone_bias);
    }
    if doc.touches("calendarData") {
        (known.free_busy, known.working_hours) = (None, None);
        for data in doc.of("calendarData").filter_map(|c| CalendarData::read(c.value.as_ref()?)) {
            match data.content {
                CalendarContent::Hours(hours) => known.working_hours = Some(hours),
                CalendarContent::FreeBusy(free) => known.free_busy = Some(free),
                CalendarContent::Empty => {}
            }
        }
    }
}

/// How available the best device for instant messages is; without one it counts as Offline (`domain.md` 5.2).
fn im_availability(doc: &WatchedCategories) -> Option<Availability> {
    let values = doc.of("services").filter_map(|c| c.value.as_ref());
    let all: Vec<device::Capability> = values.filter_map(device::Services::read).flat_map(|s| s.capabilities).collect();
    if all.is_empty() {
        return None;
    }
    match all.iter().find(|c| c.name == "text" && c.render) {
        Some(text) => text.availability,
        None => Some(Availability::OFFLINE),
    }
}
