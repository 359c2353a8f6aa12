//! Aggregation over documents (`domain.md` 5.4): publications become sources, results become publications. The front end
//! runs it for everybody, a client runs the same on its replica to know why, and what a change would do.

use super::categories::device::{self, Capability as WireCapability, Services};
use super::categories::made_by_server::{dnd_state, legacy_interop};
use super::categories::state::{StateKind, StateValue};
use super::categories::value::Value as _;
use crate::domain::access::{AGGREGATION_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER};
use crate::domain::aggregation::{self, Aggregate, Capability, Device, Explanation, Source, SourceKind, TimeZone, Value};
use crate::domain::presence::{Expiry, Publication, PublicationKey};
use crate::domain::{Address, Time};

/// What a publication says to the aggregation; `None` when it says nothing to it.
pub fn source(p: &Publication) -> Option<Source> {
    let container = p.key.container;
    if p.key.category != "state" || !(container == AGGREGATION_CONTAINER || container == WORKGROUP_AGGREGATION_CONTAINER) {
        return None;
    }
    let s = StateValue::parse(&p.value)?;
    let kind = match s.kind {
        StateKind::Machine => SourceKind::Machine,
        StateKind::User => SourceKind::User,
        StateKind::Calendar => SourceKind::Calendar,
        StateKind::Phone => SourceKind::Phone,
        StateKind::Aggregate | StateKind::AggregateMachine | StateKind::Other(_) => return None,
    };
    Some(Source {
        kind,
        instance: p.key.instance,
        published: p.publish_time.unwrap_or_default(),
        availability: s.availability,
        activity: s.activity,
        endpoint_id: p.endpoint_id.clone().or(s.endpoint_id).unwrap_or_default(),
        device: s.device,
        location: s.location,
        time_zone: TimeZone { bias: s.time_zone_bias, name: s.time_zone_name, abbreviation: s.time_zone_abbreviation },
        meeting_subject: s.meeting_subject,
        meeting_location: s.meeting_location,
    })
}

/// The device a publication speaks of.
pub fn device(p: &Publication) -> Option<Device> {
    let d = device::Device::parse(&p.value)?;
    let capability = |c: WireCapability| Capability {
        name: c.name,
        render: c.render,
        capture: c.capture,
        publish: c.publish,
        version: c.version,
        device_availability: None,
    };
    Some(Device { endpoint_id: d.endpoint_id, capabilities: d.capabilities.into_iter().map(capability).collect() })
}

/// One publication the aggregation writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub key: PublicationKey,
    /// How long it holds.
    pub expiry: Expiry,
    /// The document.
    pub value: String,
}

/// Both aggregates, and everything that is written of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Container 2.
    pub first: Aggregate,
    /// Container 3.
    pub second: Aggregate,
    /// Why each of the two is what it is.
    pub why: [Explanation; 2],
    /// What is written.
    pub written: Vec<Written>,
}

/// Computes both aggregates of `owner` from the sources of containers 2 and 3. `active` remembers when each result was
/// active last.
pub fn run(owner: &Address, now: Time, sources: [&[Source]; 2], devices: &[Device], active: &mut [Option<Time>; 2]) -> Run {
    let [of_first, of_second] = sources;
    let [active_first, active_second] = active;
    let (first, why_first) = aggregation::explain(of_first, false, now, active_first);
    let (second, why_second) = aggregation::explain(of_second, true, now, active_second);
    let capabilities = aggregation::merge_capabilities(devices, of_first);
    let outputs = aggregation::outputs(&first, &second, &capabilities, aggregation::dnd_by_hand(of_first));
    let written = outputs.into_iter().map(|w| Written {
        key: PublicationKey { category: w.category.to_owned(), instance: w.instance, container: w.container },
        expiry: w.expiry,
        value: value(&w.value, owner),
    });
    let written = written.collect();
    Run { first, second, why: [why_first, why_second], written }
}

fn value(value: &Value, owner: &Address) -> String {
    match value {
        Value::State(a) => state(a).to_xml(),
        Value::MachineState(number, endpoint) => {
            let mut s = StateValue::new(StateKind::AggregateMachine);
            s.availability = Some(*number);
            s.endpoint_id = Some(endpoint.clone()).filter(|e| !e.is_empty());
            s.to_xml()
        }
        Value::Services(capabilities) => services(owner, capabilities),
        Value::LegacyInterop(number) => legacy_interop(*number, None),
        Value::DoNotDisturb(_) => dnd_state(true),
        Value::NoDoNotDisturb => dnd_state(false),
        Value::Empty => Services::default().to_xml(),
    }
}

fn state(a: &Aggregate) -> StateValue {
    let mut s = StateValue::aggregate(a.availability);
    s.activity = a.activity.clone();
    s.last_active = a.last_active;
    s.device = a.device.clone();
    s.location = a.location.clone();
    (s.time_zone_bias, s.time_zone_name) = (a.time_zone.bias, a.time_zone.name.clone());
    s.time_zone_abbreviation = a.time_zone.abbreviation.clone();
    (s.meeting_subject, s.meeting_location) = (a.meeting_subject.clone(), a.meeting_location.clone());
    s
}

fn services(owner: &Address, capabilities: &[Capability]) -> String {
    let wire = |c: &Capability| WireCapability {
        name: c.name.clone(),
        render: c.render,
        capture: c.capture,
        publish: c.publish,
        version: c.version,
        endpoint: None,
        availability: c.device_availability,
    };
    Services { uri: owner.to_string(), capabilities: capabilities.iter().map(wire).collect() }.to_xml()
}

/// Runs the aggregation on a replica and writes the results into it, as the server would after a change.
pub fn settle(publications: &mut Vec<Publication>, owner: &Address, now: Time) -> Run {
    let of = |container| publications.iter().filter(|p| p.key.container == container).filter_map(source).collect::<Vec<_>>();
    let (first, second) = (of(AGGREGATION_CONTAINER), of(WORKGROUP_AGGREGATION_CONTAINER));
    let devices: Vec<Device> = publications
        .iter()
        .filter(|p| p.key.category == "device" && p.key.container == AGGREGATION_CONTAINER)
        .filter_map(device)
        .collect();
    let mut active = [remembered(publications, AGGREGATION_CONTAINER), remembered(publications, WORKGROUP_AGGREGATION_CONTAINER)];
    let run = run(owner, now, [&first, &second], &devices, &mut active);
    for w in &run.written {
        match publications.iter_mut().find(|p| p.key == w.key) {
            Some(p) if p.value == w.value => {}
            Some(p) => (p.value, p.publish_time) = (w.value.clone(), Some(now)),
            None => publications.push(Publication {
                key: w.key.clone(),
                version: 1,
                expiry: w.expiry,
                publish_time: Some(now),
                endpoint_id: None,
                value: w.value.clone(),
            }),
        }
    }
    run
}

/// When the result of a container was active last, as far as it shows: the aggregate says so while it is inactive.
fn remembered(publications: &[Publication], container: u32) -> Option<Time> {
    let held = publications.iter().filter(|p| p.key.category == "state" && p.key.container == container);
    let aggregate = held.filter_map(|p| Some((p, StateValue::parse(&p.value)?))).find(|(_, s)| s.kind == StateKind::Aggregate);
    aggregate.and_then(|(p, s)| s.last_active.or(p.publish_time))
}
