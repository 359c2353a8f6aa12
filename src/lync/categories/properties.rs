//! Whatever a value holds, it is read back from what is printed; and an edit leaves everything else in place.

use super::alerts::{Alerts, WhenDoNotDisturb};
use super::calendar::{CalendarContent, CalendarData, OwnWorkingHours};
use super::device::{Capability, Device, Services};
use super::made_by_server::{DoNotDisturbState, LegacyInterop};
use super::note::{NoteBody, Notes};
use super::options::{OtherOptions, RccOptions, Routing};
use super::own_data::{LineOfUser, MessageWaiting, OwnPhone, TelephonyMode, UserInformation, UserProperties};
use super::state::{StateKind, StateValue};
use super::value::Value;
use crate::domain::Time;
use crate::domain::calendar::{Busyness, FreeBusy, Transition, WorkingHours, WorkingPeriod};
use crate::domain::presence::{Activity, Availability, Card, CardLink, Note, Phone, PostalAddress};
use crate::lync::xml::Element;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use std::fmt::Debug;

/// Text without blanks at its ends, with everything that XML must escape.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äß漢<>&\"'][a-zA-Z0-9 äß漢<>&\"']{0,18}[a-zA-Z0-9äß漢<>&\"']"
}

fn word() -> impl Strategy<Value = String> {
    "[a-z][a-zA-Z0-9]{0,11}"
}

fn seconds() -> impl Strategy<Value = Time> {
    (0u64..4_000_000_000).prop_map(|s| Time(s * 1000))
}

/// Prints and reads back, alone and over a value with foreign elements in it.
fn check<V: Value + PartialEq + Debug>(value: &V) {
    let printed = value.to_xml();
    assert_eq!(V::parse(&printed).as_ref(), Some(value), "{printed}");
    let mut foreign = value.write();
    foreign.attrs.push(("x-foreign".into(), "kept".into()));
    foreign = foreign.with(Element::in_ns("foreign", "urn:x").with_attr("a", 1).with(Element::in_ns("deep", "urn:x")));
    let edited = value.edit(&foreign.to_string());
    assert_eq!(V::parse(&edited).as_ref(), Some(value), "{edited}");
    assert!(edited.contains("x-foreign=\"kept\"") && edited.contains("<deep/>"), "{edited}");
    assert_eq!(value.edit(&edited), edited, "an edit that changes nothing changes nothing");
}

fn capability() -> impl Strategy<Value = Capability> {
    (word(), any::<(bool, bool, bool)>(), 0u32..4).prop_map(|(name, (render, capture, publish), version)| Capability {
        name,
        render,
        capture,
        publish,
        version,
        availability: None,
        endpoint: None,
    })
}

fn activity() -> impl Strategy<Value = Activity> {
    (of(word()), vec((1u32..60_000, text()), 1..3), 0u32..9000, 9000u32..20_000).prop_map(|(token, custom, min, max)| Activity {
        token,
        custom,
        min,
        max,
    })
}

fn hours() -> impl Strategy<Value = WorkingHours> {
    let transition = || {
        (-60i32..60, 0u32..86_400, 1u8..6, 1u8..13, 0u8..7).prop_map(|(bias, at, order, month, weekday)| Transition {
            bias,
            at,
            order,
            month,
            weekday,
        })
    };
    let period = (vec(0u8..7, 0..5), 0u32..1441, 0u32..1441).prop_map(|(days, start, end)| WorkingPeriod { days, start, end });
    (-720i32..720, of(transition()), of(transition()), vec(period, 0..4))
        .prop_map(|(bias, standard, daylight, periods)| WorkingHours { bias, standard, daylight, periods })
}

fn note() -> impl Strategy<Value = Note> {
    (text(), any::<bool>(), of(seconds()), of(seconds())).prop_map(|(text, out_of_office, start, end)| Note {
        text,
        out_of_office,
        start,
        end,
    })
}

fn phone() -> impl Strategy<Value = Phone> {
    (word(), text(), text()).prop_map(|(kind, uri, display)| Phone { kind, uri, display })
}

fn address() -> impl Strategy<Value = PostalAddress> {
    (word(), text(), text(), text(), text(), word()).prop_map(|(kind, street, city, state, zip, country)| PostalAddress {
        kind,
        street,
        city,
        state,
        zip,
        country,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn states_print_and_read_back(
        kind in prop::sample::select(vec![StateKind::Machine, StateKind::User, StateKind::Calendar, StateKind::Phone,
            StateKind::Aggregate, StateKind::AggregateMachine, StateKind::Other("newState".into())]),
        (manual, uri, start, last) in (of(any::<bool>()), of(text()), of(seconds()), of(seconds())),
        (number, activity) in (of(0u32..20_000), of(activity())),
        (location, device, subject, place) in (of(text()), of(word()), of(text()), of(text())),
        (bias, zone, short, endpoint) in (of(-720i32..720), of(text()), of(word()), of(word())),
    ) {
        check(&StateValue {
            manual, uri, start, activity, location,
            availability: number.map(Availability),
            device: device.map(|d| d.to_lowercase()),
            time_zone_bias: bias, time_zone_name: zone, time_zone_abbreviation: short,
            last_active: last,
            meeting_subject: subject, meeting_location: place,
            endpoint_id: endpoint.map(|e| e.to_lowercase()),
            ..StateValue::new(kind)
        });
    }

    #[test]
    fn notes_and_note_histories_print_and_read_back(bodies in vec((note(), of(1u32..60_000)), 1..4)) {
        check(&Notes(bodies.into_iter().map(|(note, lcid)| NoteBody { note, lcid }).collect()));
    }

    #[test]
    fn contact_cards_print_and_read_back(
        (name, email, title, company) in (of(text()), of(text()), of(text()), of(text())),
        (department, office, entity, automaton) in (of(text()), of(text()), of(word()), any::<bool>()),
        phones in vec(phone(), 0..4), addresses in vec(address(), 0..3), urls in vec((word(), text()), 0..3), photo in of(text()),
    ) {
        let urls = urls.into_iter().filter(|u| u.0 != "photo").map(|(kind, uri)| CardLink { kind, uri });
        let links = urls.chain(photo.map(|uri| CardLink { kind: "photo".into(), uri })).collect();
        check(&Card { display_name: name, email, title, company, department, office, phones, addresses, links, entity, automaton });
    }

    #[test]
    fn calendar_data_and_working_hours_print_and_read_back(
        hours in hours(), mailbox in text(), start in seconds(), minutes in 1u32..600,
        slots in vec(prop::sample::select(vec![Busyness::Free, Busyness::Tentative, Busyness::Busy, Busyness::OutOfOffice]), 0..40),
    ) {
        check(&OwnWorkingHours(hours.clone()));
        let mut slots = slots;
        slots.resize(slots.len().div_ceil(4) * 4, Busyness::Free);
        for content in [
            CalendarContent::Hours(hours),
            CalendarContent::FreeBusy(FreeBusy { start, slot_minutes: minutes, slots }),
            CalendarContent::Empty,
        ] {
            check(&CalendarData { mailbox: mailbox.clone(), content });
        }
    }

    #[test]
    fn devices_and_services_print_and_read_back(
        capabilities in vec(capability(), 0..6), (id, uri, zone, machine) in (word(), text(), text(), text()),
        number in of(0u32..20_000), endpoint in of(word()),
    ) {
        let device = Device { endpoint_id: id.to_lowercase(), uri: uri.clone(), capabilities, timezone: zone, machine_name: machine };
        check(&device);
        let best = |c: &Capability| Capability { availability: number.map(Availability), endpoint: endpoint.clone(), ..c.clone() };
        let capabilities: Vec<_> = device.capabilities.iter().map(best).collect();
        let uri = if capabilities.is_empty() { String::new() } else { uri };
        check(&Services { uri, capabilities });
    }

    #[test]
    fn what_the_server_makes_prints_and_reads_back(number in 0u32..20_000, token in of(word()), dnd: bool, counts: (bool, u32, u32)) {
        check(&LegacyInterop { availability: Availability(number), token });
        check(&DoNotDisturbState { availability: dnd.then_some(Availability(9500)) });
        check(&MessageWaiting { waiting: counts.0, unread: counts.1, read: counts.2 });
    }

    #[test]
    fn options_print_and_read_back(
        name in word(), version in 0u32..9, flags in vec(word(), 0..4), forward: bool, kind in word(), target in of(text()),
        privacy in of(word()), entries in vec((word(), text()), 0..3), when in 0usize..3, alerts: (bool, bool),
    ) {
        check(&Routing { name, version, flags, client: "2.0.0.0".into() });
        check(&RccOptions { forward, target_type: kind, target });
        let entries = entries.into_iter().map(|(n, t)| (format!("x{n}"), t)).collect();
        check(&OtherOptions { privacy, entries });
        let when = [WhenDoNotDisturb::All, WhenDoNotDisturb::FromWorkgroup, WhenDoNotDisturb::None][when];
        check(&Alerts { when_do_not_disturb: when, additions: alerts.0, message_text: alerts.1 });
    }

    #[test]
    fn the_owners_data_print_and_read_back(
        lines in vec((word(), text(), of(word())), 0..3), mode in 0usize..4, address in of(text()), voice_mail: bool,
        phones in vec((word(), any::<(bool, bool)>(), text(), text()), 0..4),
    ) {
        let telephony = [TelephonyMode::None, TelephonyMode::Uc, TelephonyMode::Rcc, TelephonyMode::Dual][mode];
        let lines = lines.into_iter().map(|(kind, uri, server)| LineOfUser { kind, uri, server }).collect();
        check(&UserProperties { lines, telephony, address, voice_mail });
        let phone = |(kind, (publish, read_only), text, uri)| OwnPhone { kind, publish, read_only, text, uri };
        check(&UserInformation { phones: phones.into_iter().map(phone).collect() });
    }
}

#[test]
fn foreign_parts_of_a_repeated_element_stay_with_the_one_they_belong_to() {
    let two = r#"<contactCard><phone type="work" pin="1"><uri>tel:1</uri></phone><phone type="home" pin="2"><uri>tel:2</uri></phone></contactCard>"#;
    let home = Phone { kind: "home".into(), uri: "tel:3".into(), display: String::new() };
    let edited = Card { phones: vec![home], ..Card::default() }.edit(two);
    assert!(
        edited.contains(r#"<phone type="home" pin="2"><uri>tel:3</uri></phone>"#) && !edited.contains("pin=\"1\""),
        "{edited}"
    );
}
