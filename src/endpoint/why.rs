//! Why am I shown as I am: every source of my state, what it said, when, and what became of it (`domain.md` 5.4).
//! The reasons come from the same run of the aggregation that the front end makes, over the replica of my own presence.

use crate::domain::access::{AGGREGATION_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER};
use crate::domain::aggregation::{self, Explanation, Fate, Source, SourceKind, Step};
use crate::domain::presence::{Availability, Expiry, Publication, PublicationKey, SelfPresence};
use crate::domain::{Time, instances};
use crate::lync::aggregate;
use crate::lync::categories::device::Device;
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::categories::value::Value as _;
use serde::Serialize;
use std::time::Duration;

/// Locale of words without one of their own (en-US).
const LCID: u32 = 1033;

/// The explanation of both aggregates: what all but the workgroup see, and what the workgroup sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// One for container 2, one for container 3.
    pub results: Vec<Verdict>,
}

/// One aggregate and how it came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// 2 or 3.
    pub container: u32,
    /// Who sees this, in words.
    pub seen_by: &'static str,
    /// The number.
    pub availability: Availability,
    /// The words that go with it; empty: those of the number.
    pub activity: String,
    /// What the server itself says, where that differs.
    pub server_says: Option<Availability>,
    /// The step of the rule that decided.
    pub step: Step,
    /// That step in one sentence.
    pub rule: String,
    /// Every source, the deciding one first, then the devices.
    pub rows: Vec<Row>,
}

/// One source of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its publications in containers 2 and 3: what clearing it deletes.
    pub keys: Vec<PublicationKey>,
    /// What it is.
    pub kind: SourceKind,
    /// Who says it, in words; a device's name is raw.
    pub who: String,
    /// This very device.
    pub here: bool,
    /// What it says.
    pub availability: Option<Availability>,
    /// Its words; raw, may be empty.
    pub activity: String,
    /// computer, mobile … and place; raw, may be empty.
    pub place: String,
    /// When it was published.
    pub published: Option<Time>,
    /// When it ends by itself; `None`: see `expiry`.
    pub ends: Option<Time>,
    /// How it ends.
    pub expiry: Expiry,
    /// What became of it.
    pub fate: Fate,
    /// The same in one sentence.
    pub reason: String,
}

impl Row {
    /// Whether this source makes the result.
    pub fn decides(&self) -> bool {
        self.fate == Fate::Decides
    }
}

impl Why {
    /// The source that decides what most people see.
    pub fn decider(&self) -> Option<&Row> {
        self.results.first()?.rows.iter().find(|r| r.decides())
    }
}

/// Explains the state of the owner of `replica`. `gruu` names this device; empty when it is not known.
pub fn why(replica: &SelfPresence, gruu: &str, now: Time) -> Why {
    let of = |(container, workgroup, seen_by)| explain(replica, gruu, now, container, workgroup, seen_by);
    let both =
        [(AGGREGATION_CONTAINER, false, "everybody but the workgroup"), (WORKGROUP_AGGREGATION_CONTAINER, true, "the workgroup")];
    Why { results: both.into_iter().map(of).collect() }
}

fn explain(replica: &SelfPresence, gruu: &str, now: Time, container: u32, workgroup: bool, seen_by: &'static str) -> Verdict {
    let (held, sources): (Vec<&Publication>, Vec<Source>) = replica
        .publications
        .iter()
        .filter(|p| p.key.container == container)
        .filter_map(|p| Some((p, aggregate::source(p)?)))
        .unzip();
    let (value, found) = aggregation::explain(&sources, workgroup, now, &mut None);
    let rows = held.iter().zip(&sources).zip(&found.fates);
    let mut rows: Vec<Row> = rows.map(|((p, s), fate)| row(replica, gruu, p, s, *fate)).collect();
    rows.sort_by_key(|r| (!r.decides(), r.kind != SourceKind::Machine, r.availability, std::cmp::Reverse(r.published)));
    let said = published_aggregate(replica, container);
    Verdict {
        container,
        seen_by,
        availability: value.availability,
        activity: value.activity.as_ref().and_then(|a| a.text(LCID)).unwrap_or_default().to_owned(),
        server_says: said.filter(|a| *a != value.availability),
        step: found.step,
        rule: rule(&found, &sources, value.availability),
        rows,
    }
}

/// What the server wrote for a container.
fn published_aggregate(replica: &SelfPresence, container: u32) -> Option<Availability> {
    let held = replica.publications.iter().filter(|p| p.key.category == "state" && p.key.container == container);
    held.filter_map(|p| StateValue::parse(&p.value)).find(|s| s.kind == StateKind::Aggregate)?.availability
}

fn row(replica: &SelfPresence, gruu: &str, p: &Publication, s: &Source, fate: Fate) -> Row {
    let here = !gruu.is_empty() && (p.key.instance == instances::machine_state(gruu) || super::published::is_by(gruu, p));
    let same = |k: &PublicationKey| {
        k.category == "state"
            && k.instance == p.key.instance
            && [AGGREGATION_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER].contains(&k.container)
    };
    let place: Vec<&str> = [s.device.as_deref(), s.location.as_deref()].into_iter().flatten().filter(|w| !w.is_empty()).collect();
    Row {
        keys: replica.publications.iter().map(|p| &p.key).filter(|k| same(k)).cloned().collect(),
        kind: s.kind,
        who: who(replica, s, here),
        here,
        availability: s.availability,
        activity: s.activity.as_ref().and_then(|a| a.text(LCID)).unwrap_or_default().to_owned(),
        place: place.join(" · "),
        published: p.publish_time,
        ends: match p.expiry {
            Expiry::Time(seconds) => p.publish_time.map(|t| t + Duration::from_secs(u64::from(seconds))),
            _ => None,
        },
        expiry: p.expiry,
        fate,
        reason: reason(fate, s.kind).to_owned(),
    }
}

fn who(replica: &SelfPresence, s: &Source, here: bool) -> String {
    match s.kind {
        SourceKind::Machine if here => "This device".into(),
        SourceKind::Machine => machine_name(replica, &s.endpoint_id).unwrap_or_else(|| "Another device".into()),
        SourceKind::User => "Set by hand".into(),
        SourceKind::Calendar if s.availability.is_none() => "Out of office".into(),
        SourceKind::Calendar => "Calendar".into(),
        SourceKind::Phone => "Call".into(),
    }
}

fn machine_name(replica: &SelfPresence, endpoint: &str) -> Option<String> {
    let devices = replica.publications.iter().filter(|p| p.key.category == "device").filter_map(|p| Device::parse(&p.value));
    let mut own = devices.filter(|d| !endpoint.is_empty() && d.endpoint_id.eq_ignore_ascii_case(endpoint));
    own.next().map(|d| d.machine_name).filter(|n| !n.is_empty())
}

/// The step in words.
fn rule(found: &Explanation, sources: &[Source], result: Availability) -> String {
    let base = found.base.and_then(|i| sources.get(i)).map_or("A device", |s| decider(s.kind));
    let devices = sources.iter().filter(|s| s.kind == SourceKind::Machine).count();
    match found.step {
        Step::NoDevice => "No device is signed in, so you are offline whatever else is set.".into(),
        Step::DevicesOff => "Every device says it is off, so you are offline whatever else is set.".into(),
        Step::SetByHand => "What you set by hand stands above devices, meetings and calls.".into(),
        Step::Device if devices == 1 => "Only your device says anything, so it decides.".into(),
        Step::Device => "Nothing but devices says anything, so the most active one decides.".into(),
        Step::Highest if result.0 < 6000 => format!("{base} says so, a device is in use, and no meeting or call says busier."),
        Step::Highest => format!("{base} says the busiest, and that wins."),
        Step::DeviceNotInUse => "Available was set by hand, but no device is in use, so the most active device decides.".into(),
        Step::BusyWithoutDevice => format!("{base} says busy; no device is in use, so it shows as busy and inactive."),
    }
}

fn decider(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::User => "What you set by hand",
        SourceKind::Calendar => "Your calendar",
        SourceKind::Phone => "A call",
        SourceKind::Machine => "A device",
    }
}

fn reason(fate: Fate, kind: SourceKind) -> &'static str {
    match fate {
        Fate::Decides if kind == SourceKind::Machine => "decides: no device is more active",
        Fate::Decides => "decides",
        Fate::InUse => "the most active device; place and time zone are its",
        Fate::LessActive => "another device is more active",
        Fate::SpokeEarlier => "another device is as active and spoke later",
        Fate::Off => "says it is off",
        Fate::NobodyThere => "counts only while a device is signed in",
        Fate::Replaced => "a newer status took its place",
        Fate::BeforeHand => "it began before you set your status, which stands above it",
        Fate::BelowHand => "what you set by hand stands above it",
        Fate::Lower => "something else says busier",
        Fate::NoDeviceInUse => "says available, but no device is in use",
        Fate::GivesWords => "has no number of its own; its words are shown",
        Fate::WordsDoNotFit => "its words show only from Be Right Back on",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lync::categories::state::StateValue;

    const NOW: Time = Time(1_750_000_000_000);

    fn state(instance: u32, container: u32, value: &StateValue, expiry: Expiry, at: u64) -> Publication {
        Publication {
            key: PublicationKey { category: "state".into(), instance, container },
            version: 1,
            expiry,
            publish_time: Some(Time(NOW.0 - at * 1000)),
            endpoint_id: (expiry == Expiry::Endpoint).then(|| format!("{instance:08x}-0000-0000-0000-000000000000")),
            value: value.to_xml(),
        }
    }

    fn replica(states: &[(u32, StateValue, Expiry, u64)]) -> SelfPresence {
        let both = states.iter().flat_map(|(i, v, e, at)| [2, 3].map(|c| state(*i, c, v, *e, *at)));
        let mut publications: Vec<Publication> = both.collect();
        let owner = crate::domain::Address::parse("me@contoso.com").unwrap();
        aggregate::settle(&mut publications, &owner, NOW);
        SelfPresence { publications, ..SelfPresence::default() }
    }

    #[test]
    fn each_source_is_listed_with_its_age_its_end_and_what_became_of_it() {
        let r = replica(&[
            (0x3000_0001, StateValue::machine(Availability::AVAILABLE), Expiry::Endpoint, 60),
            (0x3000_0002, StateValue::machine(Availability::AWAY), Expiry::Endpoint, 3600),
            (instances::TIMED_USER_STATE, StateValue::user(Availability::DO_NOT_DISTURB), Expiry::Time(7200), 30),
        ]);
        let w = why(&r, "", NOW);
        let [all, workgroup] = w.results.as_slice() else { panic!() };
        assert_eq!((all.availability, workgroup.availability), (Availability::DO_NOT_DISTURB, Availability::URGENT_ONLY));
        assert_eq!((all.step, workgroup.step), (Step::SetByHand, Step::SetByHand));
        assert_eq!((all.server_says, workgroup.server_says), (None, None));
        let fates: Vec<Fate> = all.rows.iter().map(|r| r.fate).collect();
        assert_eq!(fates, [Fate::Decides, Fate::InUse, Fate::LessActive]);
        assert_eq!(all.rows[0].ends, Some(Time(NOW.0 - 30_000 + 7_200_000)));
        assert_eq!(all.rows[0].keys.len(), 2, "clearing it deletes it from both containers");
        assert_eq!(w.decider().map(|r| r.kind), Some(SourceKind::User));
    }

    #[test]
    fn a_server_of_other_rules_is_told_apart() {
        let mut r = replica(&[(0x3000_0001, StateValue::machine(Availability::AVAILABLE), Expiry::Endpoint, 60)]);
        for p in r.publications.iter_mut().filter(|p| p.key.instance == 1) {
            p.value = StateValue::aggregate(Availability::AWAY).to_xml();
        }
        assert_eq!(why(&r, "", NOW).results[0].server_says, Some(Availability::AWAY));
    }
}
