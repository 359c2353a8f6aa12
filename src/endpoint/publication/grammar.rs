//! The publication grammar: where a value goes when only category and value are given (`domain.md` 5.5, 5.6 rules 6 and 7, 5.7).

use super::intent::{Ground, NOTE_HIDDEN, NOTE_SHOWN, SOURCES};
use crate::domain::instances;
use crate::domain::presence::{AvailabilityClass, Expiry, GrammarValue};
use crate::endpoint::limits::TIMED_STATUS_SECS;
use crate::endpoint::{Error, ErrorKind};
use crate::lync::Element;
use crate::lync::categories::calendar::{CalendarContent, CalendarData};
use crate::lync::categories::card;
use crate::lync::categories::note::{self, Notes};
use crate::lync::categories::options::{OtherOptions, Routing};
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::categories::value::Value;
use crate::lync::publish::PublishItem;
use crate::lync::xml::Node;

/// The owner's own container.
const SELF: u32 = 1;
/// Where the rules for callers stand (`domain.md` 5.5).
const ROUTING: [u32; 5] = [0, 100, 200, 300, 400];
/// The container of blocked people.
const BLOCKED: u32 = 32_000;
/// What the server alone writes.
const OF_SERVER: [&str; 7] = ["services", "legacyInterop", "dndState", "mwi", "userProperties", "contacts", "groups"];

/// All values as one request; all of it or nothing.
pub(super) fn items(ground: &Ground<'_>, values: &[GrammarValue]) -> Result<Vec<PublishItem>, Error> {
    if values.is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "Name what is to be published."));
    }
    let mut out: Vec<PublishItem> = Vec::new();
    for value in values {
        let items = one(ground, value)?;
        if items.iter().any(|i| out.iter().any(|o| o.publication.key == i.publication.key)) {
            let text = format!("{} is named twice; publish one after the other.", value.category);
            return Err(Error::new(ErrorKind::InvalidArgument, text));
        }
        out.extend(items);
    }
    Ok(out)
}

fn one(ground: &Ground<'_>, v: &GrammarValue) -> Result<Vec<PublishItem>, Error> {
    let category = v.category.as_str();
    if OF_SERVER.contains(&category) {
        let text = format!("The server publishes {category} itself.");
        return Err(Error::new(ErrorKind::InvalidOperation, text));
    }
    let root = Element::parse(v.value.as_bytes()).map_err(|e| {
        let text = format!("The value of {category} is no well-formed XML: {e}.");
        Error::new(ErrorKind::InvalidArgument, text)
    })?;
    let place = |instance, containers: &[u32], expiry| -> Vec<PublishItem> {
        containers.iter().map(|c| ground.put(category, instance, *c, expiry, v.value.clone())).collect()
    };
    match category {
        "state" => state(ground, &root),
        "note" => notes(ground, &root),
        "noteHistory" => Ok(shown_and_hidden(ground, category, v.instance.unwrap_or(0), &v.value, &note::to_xml(None))),
        "contactCard" => card_instance(ground, v, &root),
        "calendarData" => calendar(ground, &root),
        "workingHours" | "rccOptions" | "userInformation" | "alerts" => Ok(place(0, &[SELF], Expiry::Static)),
        "otherOptions" => {
            let options = OtherOptions::read(&root).ok_or_else(|| wrong(category))?;
            Ok(place(v.instance.unwrap_or(options.instance()), &[SELF], Expiry::Static))
        }
        "device" => Ok(place(instances::device(&ground.me.contact), &[SOURCES[0]], Expiry::Endpoint)),
        "routing" => {
            let mut items = place(v.instance.unwrap_or(0), &ROUTING, Expiry::Static);
            items.push(ground.put(category, v.instance.unwrap_or(0), BLOCKED, Expiry::Static, Routing::block().to_xml()));
            Ok(items)
        }
        other => {
            let text = format!("The grammar does not know {other}; publish it with container and instance given.");
            Err(Error::new(ErrorKind::InvalidOperation, text))
        }
    }
}

fn wrong(category: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("This is no value of {category}."))
}

fn state(ground: &Ground<'_>, root: &Element) -> Result<Vec<PublishItem>, Error> {
    let value = StateValue::read(root).ok_or_else(|| wrong("state"))?;
    let invalid = |text: &str| Err(Error::new(ErrorKind::InvalidOperation, text));
    let bound = |instance| ground.source(instance, Expiry::Endpoint, &value);
    match value.kind {
        StateKind::User => {
            let class = value.availability.ok_or_else(|| wrong("state"))?.class();
            let timed = matches!(class, AvailabilityClass::Busy | AvailabilityClass::BusyIdle | AvailabilityClass::DoNotDisturb);
            Ok(ground.user_state(&value, timed.then_some(TIMED_STATUS_SECS)))
        }
        StateKind::Machine => Ok(bound(instances::machine_state(&ground.me.contact))),
        StateKind::Phone => Ok(bound(instances::voice_call(&ground.me.uri.to_string(), &ground.me.contact))),
        StateKind::Calendar => invalid("Calendar states come from the calendar only; set one in the configuration."),
        StateKind::Aggregate | StateKind::AggregateMachine => invalid("The server computes this state itself."),
        StateKind::Other(_) => Err(wrong("state")),
    }
}

fn notes(ground: &Ground<'_>, root: &Element) -> Result<Vec<PublishItem>, Error> {
    let all = Notes::read(root).ok_or_else(|| wrong("note"))?;
    let mut kinds: Vec<bool> = all.0.iter().map(|b| b.note.out_of_office).collect();
    kinds.dedup();
    match kinds.as_slice() {
        [] => Ok(ground.no_note()),
        [out_of_office] => Ok(ground.note_value(*out_of_office, all.0.iter().filter_map(|b| b.note.end).max(), root.to_string())),
        _ => Err(Error::new(ErrorKind::InvalidArgument, "Publish the personal and the out-of-office note one after the other.")),
    }
}

/// A value for those who may see it, and another for those who may not (the note's containers).
pub(super) fn shown_and_hidden(
    ground: &Ground<'_>,
    category: &str,
    instance: u32,
    shown: &str,
    hidden: &str,
) -> Vec<PublishItem> {
    let shown = NOTE_SHOWN.map(|c| ground.put(category, instance, c, Expiry::Static, shown.to_owned()));
    shown.into_iter().chain(ground.hidden(category, instance, hidden)).collect()
}

impl Ground<'_> {
    /// The empty values for containers 100 and 32000; they need no second writing.
    pub(super) fn hidden(&self, category: &str, instance: u32, value: &str) -> impl Iterator<Item = PublishItem> {
        let all = NOTE_HIDDEN.map(|c| self.put(category, instance, c, Expiry::Static, value.to_owned()));
        all.into_iter().filter(|i| i.publication.version == 0)
    }
}

/// The table of `domain.md` 5.7. Where it is silent, colleagues see the instance and strangers do not.
fn card_instance(ground: &Ground<'_>, v: &GrammarValue, root: &Element) -> Result<Vec<PublishItem>, Error> {
    if root.name != "contactCard" {
        return Err(wrong("contactCard"));
    }
    let instance = v
        .instance
        .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "A part of the contact card needs its instance, 1 to 6."))?;
    let without = |names: &[&str]| {
        let mut e = root.clone();
        e.children.retain(|n| !matches!(n, Node::Element(c) if names.contains(&c.name.as_str())));
        e.to_string()
    };
    let whole = root.to_string();
    let nothing = String::new;
    let by_container = match instance {
        card::OWN_PHONES => return Ok(ground.phone_items(&card::read(root).phones)),
        card::ADDRESSES | card::ENTITY => [nothing(), whole.clone(), whole.clone(), whole],
        card::ADDRESS_BOOK => [without(&["office", "phone"]), whole.clone(), whole.clone(), whole],
        card::VOICE_MAIL => [whole.clone(), whole.clone(), whole.clone(), whole],
        card::TITLE => [without(&["office"]), whole.clone(), whole.clone(), whole],
        card::IDENTITY => {
            let text = "Name and mail address of the card are kept by the administrator.";
            return Err(Error::new(ErrorKind::InvalidOperation, text));
        }
        _ => return Err(Error::new(ErrorKind::InvalidArgument, "The contact card has the instances 0 to 6.")),
    };
    let levels = [100, 200, 300, 400].into_iter().zip(by_container).chain([(BLOCKED, nothing())]);
    Ok(levels.map(|(c, value)| ground.put("contactCard", instance, c, Expiry::Static, value)).collect())
}

fn calendar(ground: &Ground<'_>, root: &Element) -> Result<Vec<PublishItem>, Error> {
    let data = CalendarData::read(root).filter(|_| root.name == CalendarData::ROOT).ok_or_else(|| wrong("calendarData"))?;
    match &data.content {
        CalendarContent::Hours(hours) => Ok(ground.working_hours(hours)),
        CalendarContent::FreeBusy(free) => Ok(ground.free_busy(free)),
        CalendarContent::Empty => Err(wrong("calendarData")),
    }
}
