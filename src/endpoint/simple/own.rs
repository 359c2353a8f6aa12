//! One's own presence as the publications that every screen of ours reads: what this device and its owner say, and what a
//! watcher of each level sees of it (`simple.md` 4.9; the transformations are those of `pres_rules`).

use crate::domain::access::{AGGREGATION_CONTAINER, BLOCKED_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER};
use crate::domain::calendar::Appointment;
use crate::domain::presence::{
    Activity, Availability, AvailabilityClass, Expiry, Level, MachineState, Note, Publication, PublicationKey,
};
use crate::domain::{Time, instances};
use crate::lync::categories::note as notes;
use crate::lync::categories::state::{StateKind, StateValue};

/// A status that was set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    pub availability: Availability,
    pub activity: Option<Activity>,
    pub until: Option<Time>,
    pub at: Time,
}

/// All that is known of oneself here.
#[derive(Debug)]
pub struct Own<'a> {
    /// The own Contact, which names this device.
    pub contact: &'a str,
    /// The own instance.
    pub instance: &'a str,
    pub now: Time,
    pub machine: MachineState,
    pub machine_since: Time,
    pub by_hand: Option<&'a ByHand>,
    /// The meeting that goes on.
    pub meeting: Option<&'a Appointment>,
    /// What the server tells others; `None`: nothing.
    pub told: Option<(Availability, Option<Activity>)>,
    pub note: Option<&'a Note>,
    pub location: &'a str,
}

/// What a device says by itself.
pub fn of_machine(machine: MachineState) -> Availability {
    match machine {
        MachineState::Active => Availability::AVAILABLE,
        MachineState::Idle => Availability::IDLE,
        MachineState::Away => Availability::AWAY,
    }
}

/// The publications.
pub fn publications(own: &Own<'_>) -> Vec<Publication> {
    let mut out = sources(own);
    if let Some((availability, activity)) = &own.told {
        out.extend(seen(own, *availability, activity.as_ref()));
    }
    out
}

fn one(own: &Own<'_>, category: &str, instance: u32, container: u32, at: Time, value: String) -> Publication {
    Publication {
        key: PublicationKey { category: category.into(), instance, container },
        version: 1,
        expiry: Expiry::Endpoint,
        publish_time: Some(at),
        endpoint_id: Some(own.instance.to_owned()),
        value,
    }
}

/// What is said: by this device, and by hand.
fn sources(own: &Own<'_>) -> Vec<Publication> {
    let location = Some(own.location.to_owned()).filter(|l| !l.is_empty());
    let machine = StateValue { location, ..StateValue::machine(of_machine(own.machine)) };
    let mut all = vec![(instances::machine_state(own.contact), own.machine_since, Expiry::Endpoint, machine)];
    if let Some(set) = own.by_hand {
        let ends = set.until.map(|u| u.since(set.at).as_secs().try_into().unwrap_or(u32::MAX));
        let instance = if ends.is_some() { instances::TIMED_USER_STATE } else { instances::USER_STATE };
        let value = StateValue { activity: set.activity.clone(), ..StateValue::user(set.availability) };
        all.push((instance, set.at, ends.map_or(Expiry::Endpoint, Expiry::Time), value));
    }
    if let Some(meeting) = own.meeting {
        let value = StateValue {
            availability: Some(Availability::BUSY),
            activity: Some(Activity::token("in-a-meeting")),
            meeting_subject: Some(meeting.subject.clone()).filter(|s| !s.is_empty()),
            ..StateValue::new(StateKind::Calendar)
        };
        all.push((instances::meeting(own.contact), meeting.start, Expiry::Endpoint, value));
    }
    let both = |(instance, at, expiry, value): (u32, Time, Expiry, StateValue)| {
        [AGGREGATION_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER]
            .map(|container| Publication { expiry, ..one(own, "state", instance, container, at, value.to_xml()) })
    };
    all.into_iter().flat_map(both).collect()
}

/// What watchers of each level see.
fn seen(own: &Own<'_>, availability: Availability, activity: Option<&Activity>) -> Vec<Publication> {
    let state = |container, value: &StateValue| one(own, "state", instances::AGGREGATE_STATE, container, own.now, value.to_xml());
    let status = StateValue { activity: activity.cloned(), ..StateValue::new(StateKind::Aggregate) };
    let status = StateValue { availability: Some(availability), ..status };
    // Whether somebody is there is all that a service tells.
    let open = availability.class() != AvailabilityClass::Offline;
    let there = if open { Availability::AVAILABLE } else { Availability::OFFLINE };
    let mut out = vec![
        state(Level::Colleagues.container(), &status),
        state(Level::External.container(), &StateValue::aggregate(there)),
        state(BLOCKED_CONTAINER, &StateValue::aggregate(Availability::OFFLINE)),
    ];
    let placed = StateValue { location: Some(own.location.to_owned()).filter(|l| !l.is_empty()), ..status };
    for level in [Level::Personal, Level::Workgroup] {
        out.push(state(level.container(), &placed));
        out.extend(own.note.map(|n| one(own, "note", 0, level.container(), own.now, notes::to_xml(Some(n)))));
    }
    out
}
