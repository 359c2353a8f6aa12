//! What the server itself publishes for a user: the aggregates, and the card from the directory.

use super::own::{OwnPresence, Touched};
use crate::domain::access::{AGGREGATION_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER};
use crate::domain::aggregation::{self, Aggregate, Capability, Value};
use crate::domain::presence::{Card, Expiry, Phone, PublicationKey};
use crate::domain::{Address, Time};
use crate::frontend::UserRecord;
use crate::lync::categories::card;
use crate::lync::categories::device::{Capability as WireCapability, Services};
use crate::lync::categories::state::{StateKind, StateValue, dnd_state, legacy_interop};

/// Computes both aggregates and writes what changed.
pub fn run(own: &mut OwnPresence, owner: &Address, now: Time, touched: &mut Touched) {
    let (first, second) = (own.sources(AGGREGATION_CONTAINER), own.sources(WORKGROUP_AGGREGATION_CONTAINER));
    let one = aggregation::aggregate(&first, false, now, &mut own.active[0]);
    let two = aggregation::aggregate(&second, true, now, &mut own.active[1]);
    let capabilities = aggregation::merge_capabilities(&own.devices(), &first);
    (own.seen, own.seen_by_workgroup) = (Some(one.availability), Some(two.availability));
    for w in aggregation::outputs(&one, &two, &capabilities, aggregation::dnd_by_hand(&first)) {
        let key = PublicationKey { category: w.category.to_owned(), instance: w.instance, container: w.container };
        own.put_server(now, key, w.expiry, value(&w.value, owner), touched);
    }
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
        availability: c.device_availability,
    };
    Services { uri: owner.to_string(), capabilities: capabilities.iter().map(wire).collect() }.to_xml()
}

/// Identity for everybody, address book data by level (`domain.md` 5.7), and the owner's telephony mode.
pub fn write_card(own: &mut OwnPresence, record: &UserRecord, now: Time, touched: &mut Touched) {
    let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let mut put = |category: &str, instance, container, value| {
        let key = PublicationKey { category: category.to_owned(), instance, container };
        own.put_server(now, key, Expiry::Static, value, touched);
    };
    let email = if record.email.is_empty() { record.address.bare().to_owned() } else { record.email.clone() };
    let identity = Card {
        display_name: some(&record.display_name).or_else(|| some(record.address.user())),
        email: Some(email),
        automaton: record.automaton,
        ..Card::default()
    };
    let identity = card::to_xml(&identity);
    for container in [0, 100, 200, 300, 400, 32_000] {
        put("contactCard", 0, container, identity.clone());
    }
    let outside = Card { title: some(&record.title), company: some(&record.company), ..Card::default() };
    let phone = Phone { kind: "work".into(), uri: record.phone.clone(), display: String::new() };
    let inside = Card {
        office: some(&record.office),
        department: some(&record.department),
        phones: if record.phone.is_empty() { Vec::new() } else { vec![phone] },
        ..outside.clone()
    };
    if inside != Card::default() {
        put("contactCard", 3, 100, card::to_xml(&outside));
        for container in [200, 300, 400] {
            put("contactCard", 3, container, card::to_xml(&inside));
        }
    }
    let mode = r#"<userProperties xmlns="http://schemas.microsoft.com/2006/09/sip/categories"><telephonyMode>None</telephonyMode></userProperties>"#;
    put("userProperties", 0, 1, mode.to_owned());
}
