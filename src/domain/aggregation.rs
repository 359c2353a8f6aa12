//! One state from all devices and sources (`domain.md` 5.4).
//!
//! [`aggregate`] computes the state of one of the two aggregation containers, [`outputs`] says what is written where.
//! The order in which sources are given plays no role: ties are broken by publish time, then by instance id.

use super::Time;
use super::access::{AGGREGATION_CONTAINER as FIRST, BLOCKED_CONTAINER as BLOCKED, WORKGROUP_AGGREGATION_CONTAINER as SECOND};
use super::instances;
use super::presence::{Activity, Availability, AvailabilityClass, Expiry};
use serde::{Deserialize, Serialize};

mod why;

pub use why::{Explanation, Fate, Step};

/// What a state publication speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SourceKind {
    /// `userState`
    User,
    /// `machineState`
    Machine,
    /// `calendarState`; with a number it is a meeting, without one it is out of office
    Calendar,
    /// `phoneState`
    Phone,
}

/// The time zone of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeZone {
    /// Minutes west of UTC.
    pub bias: Option<i32>,
    /// Windows name.
    pub name: Option<String>,
    /// Abbreviation.
    pub abbreviation: Option<String>,
}

/// One unexpired state publication of an aggregation container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What it speaks of.
    pub kind: SourceKind,
    /// Instance id.
    pub instance: u32,
    /// When it was published.
    pub published: Time,
    /// The number, if any.
    pub availability: Option<Availability>,
    /// The activity, if any.
    pub activity: Option<Activity>,
    /// Endpoint of a machine state; may be empty.
    pub endpoint_id: String,
    /// computer, mobile, …
    pub device: Option<String>,
    /// Where the device is.
    pub location: Option<String>,
    /// Time zone of the device.
    pub time_zone: TimeZone,
    /// Title of the meeting.
    pub meeting_subject: Option<String>,
    /// Place of the meeting.
    pub meeting_location: Option<String>,
}

impl Source {
    /// A source with a number and nothing else.
    pub fn new(kind: SourceKind, instance: u32, published: Time, availability: Option<Availability>) -> Source {
        Source {
            kind,
            instance,
            published,
            availability,
            activity: None,
            endpoint_id: String::new(),
            device: None,
            location: None,
            time_zone: TimeZone::default(),
            meeting_subject: None,
            meeting_location: None,
        }
    }

    fn number(&self) -> u32 {
        self.availability.map_or(0, |a| a.0)
    }
}

/// The result for one aggregation container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    /// The number.
    pub availability: Availability,
    /// The activity that goes with it.
    pub activity: Option<Activity>,
    /// Last time the result was an active one; only with inactive results.
    pub last_active: Option<Time>,
    /// Type of the most active device.
    pub device: Option<String>,
    /// Where the most active computer is.
    pub location: Option<String>,
    /// Time zone of the most active device.
    pub time_zone: TimeZone,
    /// Title of the meeting, when the meeting decided.
    pub meeting_subject: Option<String>,
    /// Place of the meeting, when the meeting decided.
    pub meeting_location: Option<String>,
    /// Number and endpoint of the most active device.
    pub machine: Option<(Availability, String)>,
}

impl Aggregate {
    /// What is said of somebody without any device.
    pub fn offline(last_active: Option<Time>) -> Aggregate {
        Aggregate {
            availability: Availability::OFFLINE,
            activity: None,
            last_active,
            device: None,
            location: None,
            time_zone: TimeZone::default(),
            meeting_subject: None,
            meeting_location: None,
            machine: None,
        }
    }
}

/// The state of container 2 (`workgroup` false) or 3 (`workgroup` true) from its sources.
///
/// `remembered` is the last time the result was active; it is kept up to date here.
pub fn aggregate(sources: &[Source], workgroup: bool, now: Time, remembered: &mut Option<Time>) -> Aggregate {
    explain(sources, workgroup, now, remembered).0
}

/// As [`aggregate`], with the reasons.
pub fn explain(sources: &[Source], workgroup: bool, now: Time, remembered: &mut Option<Time>) -> (Aggregate, Explanation) {
    let (mut result, found) = decide(sources, workgroup);
    let active = matches!(
        result.availability.class(),
        AvailabilityClass::Available | AvailabilityClass::Busy | AvailabilityClass::DoNotDisturb
    );
    if active {
        *remembered = Some(now);
    } else {
        result.last_active = *remembered;
    }
    (result, found)
}

fn decide(sources: &[Source], workgroup: bool) -> (Aggregate, Explanation) {
    let out_of_office = newest(sources.iter().filter(|s| s.kind == SourceKind::Calendar && s.availability.is_none()));
    // Steps 1 and 2: the most active device.
    let machine = best_machine(sources, |_| true).filter(|m| m.number() < Availability::OFFLINE.0 - 500);
    let Some(m) = machine else {
        let mut result = Aggregate::offline(None);
        result.activity = out_of_office.and_then(|o| fitting(o, result.availability));
        let step = if of_kind(sources, SourceKind::Machine).next().is_none() { Step::NoDevice } else { Step::DevicesOff };
        let words = out_of_office.filter(|_| result.activity.is_some()).map(name);
        let found = why::Found { step, machine: None, user: None, meeting: None, base: None, words };
        return (result, found.explain(sources));
    };
    let user = newest(of_kind(sources, SourceKind::User)).map(|u| if workgroup { for_workgroup(u) } else { u.clone() });
    let user = user.as_ref();
    // Step 3: a status set by hand overrides a meeting that was already running.
    let meeting =
        of_kind(sources, SourceKind::Calendar).filter(|c| user.is_none_or(|u| c.published > u.published)).max_by_key(weight);
    // Steps 4 and 5: who decides.
    let by_hand = user.filter(|u| u.number() >= Availability::URGENT_ONLY.0);
    let phones = || of_kind(sources, SourceKind::Phone);
    let base = by_hand
        .or_else(|| phones().chain(meeting).chain(user).max_by_key(|s| (s.number(), rank(s.kind), s.published, s.instance)));
    // Step 6: what the device makes of it.
    let (number, step) = match base {
        None => (m.number(), Step::Device),
        Some(b) if by_hand.is_some() => (b.number(), Step::SetByHand),
        Some(b) if b.number() >= 9000 || m.number() < 4500 => (b.number(), Step::Highest),
        Some(b) if b.number() < 6000 => (m.number(), Step::DeviceNotInUse),
        Some(b) => (b.number().max(Availability::BUSY_IDLE.0), Step::BusyWithoutDevice),
    };
    let availability = Availability(number);
    // Step 7: the activity that fits, from the one who decided if it can.
    let fits = |s: &&Source| fitting(s, availability).is_some();
    let speaker = base
        .filter(fits)
        .or_else(|| newest(phones().filter(fits)))
        .or_else(|| meeting.filter(fits))
        .or_else(|| user.filter(fits))
        .or_else(|| out_of_office.filter(fits));
    let activity = speaker.and_then(|s| fitting(s, availability));
    let (base_name, words) = (base.map(name), speaker.map(name));
    let found = why::Found { step, machine: Some(m), user, meeting, base: base_name, words }.explain(sources);
    let from_meeting = base.filter(|b| b.kind == SourceKind::Calendar);
    let result = Aggregate {
        availability,
        activity,
        last_active: None,
        device: m.device.clone(),
        location: location(sources, availability),
        time_zone: m.time_zone.clone(),
        meeting_subject: from_meeting.and_then(|c| c.meeting_subject.clone()),
        meeting_location: from_meeting.and_then(|c| c.meeting_location.clone()),
        machine: Some((Availability(m.number()), m.endpoint_id.clone())),
    };
    let result = match availability.class() {
        AvailabilityClass::DoNotDisturb if workgroup => interruptible(result),
        // Who appears offline tells nothing of the device either.
        AvailabilityClass::Offline => Aggregate { device: None, time_zone: TimeZone::default(), ..result },
        _ => result,
    };
    (result, found)
}

/// What names a source within its container.
fn name(s: &Source) -> (SourceKind, u32) {
    (s.kind, s.instance)
}

/// Sources of a kind that have a number.
fn of_kind(sources: &[Source], kind: SourceKind) -> impl Iterator<Item = &Source> {
    sources.iter().filter(move |s| s.kind == kind && s.availability.is_some())
}

fn weight(s: &&Source) -> (u32, Time, u32) {
    (s.number(), s.published, s.instance)
}

fn newest<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<&'a Source> {
    sources.max_by_key(|s| (s.published, s.instance))
}

fn best_machine(sources: &[Source], wanted: impl Fn(&Source) -> bool) -> Option<&Source> {
    let machines = of_kind(sources, SourceKind::Machine).filter(|s| wanted(s));
    machines.min_by_key(|s| (s.number(), std::cmp::Reverse((s.published, s.instance))))
}

/// Among equal numbers a call says more than a meeting, a meeting more than a choice by hand.
fn rank(kind: SourceKind) -> u8 {
    match kind {
        SourceKind::Phone => 2,
        SourceKind::Calendar => 1,
        SourceKind::User | SourceKind::Machine => 0,
    }
}

fn fitting(source: &Source, with: Availability) -> Option<Activity> {
    source.activity.as_ref().filter(|a| a.fits(with) && (a.token.is_some() || !a.custom.is_empty())).cloned()
}

/// Location of the most active computer, while the user is not away.
fn location(sources: &[Source], result: Availability) -> Option<String> {
    if result.0 >= Availability::BE_RIGHT_BACK.0 - 500 {
        return None;
    }
    let computer = |s: &Source| s.device.as_deref().is_none_or(|d| d.eq_ignore_ascii_case("computer"));
    best_machine(sources, computer)?.location.clone().filter(|l| !l.is_empty())
}

/// The form of Do Not Disturb that lets the workgroup interrupt.
pub fn for_workgroup(user_state: &Source) -> Source {
    let mut s = user_state.clone();
    if s.availability.is_some_and(|a| a.class() == AvailabilityClass::DoNotDisturb) {
        s.availability = Some(Availability::URGENT_ONLY);
        s.activity = Some(Activity::token("urgent-interruptions-only"));
    }
    s
}

fn interruptible(mut result: Aggregate) -> Aggregate {
    result.availability = Availability::URGENT_ONLY;
    result.activity = Some(Activity::token("urgent-interruptions-only"));
    result
}

/// One capability of a device, or of all devices together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// text, voice, …
    pub name: String,
    /// Can show it.
    pub render: bool,
    /// Can make it.
    pub capture: bool,
    /// Whether callers are told.
    pub publish: bool,
    /// Version, 0 by default.
    pub version: u32,
    /// Number of the best device having it; `None` on a device itself.
    pub device_availability: Option<Availability>,
}

/// One `device` publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its endpoint id (instance UUID).
    pub endpoint_id: String,
    /// What it can do.
    pub capabilities: Vec<Capability>,
}

/// The capabilities of all devices together: for each the device with the lowest number that has it.
pub fn merge_capabilities(devices: &[Device], sources: &[Source]) -> Vec<Capability> {
    let number = |d: &Device| {
        let own = |s: &Source| !s.endpoint_id.is_empty() && s.endpoint_id.eq_ignore_ascii_case(&d.endpoint_id);
        best_machine(sources, own).or_else(|| best_machine(sources, |_| true)).and_then(|s| s.availability)
    };
    let mut out: Vec<Capability> = Vec::new();
    for device in devices {
        let available = number(device).unwrap_or(Availability::OFFLINE);
        for c in &device.capabilities {
            match out.iter_mut().find(|o| o.name == c.name) {
                Some(o) => {
                    o.render |= c.render;
                    o.capture |= c.capture;
                    o.publish |= c.publish;
                    o.version = o.version.max(c.version);
                    o.device_availability = o.device_availability.min(Some(available));
                }
                None => out.push(Capability { device_availability: Some(available), ..c.clone() }),
            }
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// What a run of the aggregation writes as one publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Category name.
    pub category: &'static str,
    /// Instance id.
    pub instance: u32,
    /// Container.
    pub container: u32,
    /// How long it holds.
    pub expiry: Expiry,
    /// What it says.
    pub value: Value,
}

/// The content of a written publication.
// Short-lived, a few dozen at a time.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `aggregateState`
    State(Aggregate),
    /// `aggregateMachineState`
    MachineState(Availability, String),
    /// `services`
    Services(Vec<Capability>),
    /// `legacyInterop`
    LegacyInterop(Availability),
    /// `dndState` while Do Not Disturb is set by hand
    DoNotDisturb(Availability),
    /// `dndState` otherwise
    NoDoNotDisturb,
    /// No content
    Empty,
}

/// Whether the newest status set by hand is Do Not Disturb.
pub fn dnd_by_hand(sources: &[Source]) -> bool {
    let user = newest(of_kind(sources, SourceKind::User));
    user.and_then(|u| u.availability).is_some_and(|a| a.class() == AvailabilityClass::DoNotDisturb)
}

/// Everything one run writes (`domain.md` 5.4, second table), from both aggregates.
pub fn outputs(first: &Aggregate, second: &Aggregate, capabilities: &[Capability], dnd_by_hand: bool) -> Vec<Written> {
    let mut out = Vec::with_capacity(32);
    let mut put =
        |category, instance, container, expiry, value| out.push(Written { category, instance, container, expiry, value });
    let (state, by_user) = (instances::AGGREGATE_STATE, Expiry::User);
    for (container, of) in [(FIRST, first), (SECOND, second), (300, second)] {
        put("state", state, container, by_user, Value::State(of.clone()));
    }
    for container in [200, 400] {
        put("state", state, container, by_user, Value::State(without_meeting(first)));
    }
    put("state", state, 100, by_user, Value::State(number_only(first)));
    put("state", instances::BLOCKED_STATE, BLOCKED, Expiry::Static, Value::State(Aggregate::offline(None)));
    let machine = first.machine.clone().unwrap_or((Availability::OFFLINE, String::new()));
    put("state", instances::AGGREGATE_MACHINE_STATE, FIRST, by_user, Value::MachineState(machine.0, machine.1));
    put("services", 0, FIRST, by_user, Value::Services(capabilities.to_vec()));
    let offline = first.availability.class() == AvailabilityClass::Offline;
    for container in [100, 200, 300, 400] {
        let seen = if offline { Vec::new() } else { capabilities.to_vec() };
        put("services", 0, container, by_user, Value::Services(seen));
    }
    put("services", 0, BLOCKED, by_user, Value::Empty);
    for (container, of) in [(100, first), (200, first), (300, second), (400, first)] {
        put("legacyInterop", instances::LEGACY_INTEROP, container, by_user, Value::LegacyInterop(of.availability));
    }
    put("legacyInterop", instances::LEGACY_INTEROP, BLOCKED, by_user, Value::LegacyInterop(Availability::OFFLINE));
    for container in [0, FIRST, SECOND, 100, 200, 300, 400] {
        let disturbs = dnd_by_hand && container != SECOND && container != 300;
        let value = if disturbs { Value::DoNotDisturb(Availability::DO_NOT_DISTURB) } else { Value::NoDoNotDisturb };
        put("dndState", 0, container, Expiry::Static, value);
    }
    out
}

fn without_meeting(of: &Aggregate) -> Aggregate {
    Aggregate { meeting_subject: None, meeting_location: None, ..of.clone() }
}

fn number_only(of: &Aggregate) -> Aggregate {
    Aggregate { availability: of.availability, ..Aggregate::offline(None) }
}

#[cfg(test)]
mod tests;
