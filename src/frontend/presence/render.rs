//! What the server itself publishes for a user: the aggregates, and the card from the directory.

use super::own::{OwnPresence, Touched};
use crate::domain::access::{AGGREGATION_CONTAINER, WORKGROUP_AGGREGATION_CONTAINER};
use crate::domain::presence::{Card, Expiry, Phone, PublicationKey};
use crate::domain::{Address, Time};
use crate::frontend::UserRecord;
use crate::lync::aggregate;
use crate::lync::categories::card;

/// Computes both aggregates and writes what changed.
pub fn run(own: &mut OwnPresence, owner: &Address, now: Time, touched: &mut Touched) {
    let (first, second) = (own.sources(AGGREGATION_CONTAINER), own.sources(WORKGROUP_AGGREGATION_CONTAINER));
    let devices = own.devices();
    let run = aggregate::run(owner, now, [&first, &second], &devices, &mut own.active);
    (own.seen, own.seen_by_workgroup) = (Some(run.first.availability), Some(run.second.availability));
    for w in run.written {
        own.put_server(now, w.key, w.expiry, w.value, touched);
    }
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
