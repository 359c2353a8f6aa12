//! What commands print: a line for people, or one JSON object a line (docs/json.md).

use super::view::View;
use crate::app::addressbook::level_word;
use crate::domain::Address;
use crate::domain::contact::{Contact, Group, GroupKind};
use crate::domain::presence::{Availability, AvailabilityClass, Freshness, Note, Presence};
use crate::endpoint::contact_data;
use crate::endpoint::event::DirectoryEntry;
use crate::text::Line;
use serde_json::{Value, json};

/// Windows locale whose texts are printed.
const LCID: u32 = 1033;

/// Prints one thing: `words` for people, `value` with `--json`.
///
/// # Errors
/// When standard output cannot be written; a reader that has gone away is no error.
pub fn print(json: bool, words: &str, value: &Value) -> Result<(), String> {
    let line = if json { format!("{value}\n") } else { format!("{words}\n") };
    crate::faces::print(line.as_bytes())
}

/// What a command did.
///
/// # Errors
/// As [`print`].
pub fn done(json: bool, words: &str, mut value: Value) -> Result<(), String> {
    if let Some(object) = value.as_object_mut() {
        object.insert("done".into(), Value::Bool(true));
    }
    print(json, words, &value)
}

/// A contact.
pub fn contact(view: &View, c: &Contact) -> Value {
    json!({
        "address": c.uri.bare(),
        "name": view.name(&c.uri),
        "alias": none_if_empty(&c.name),
        "groups": view.groups_of(c),
        "presence": c.subscribed,
        "tagged": contact_data::is_tagged(c),
        "level": view.level(&c.uri).map(level_word),
        "data": none_if_empty(&c.external_uri),
        "extension": c.extension,
    })
}

/// A contact as a row.
pub fn contact_row(view: &View, c: &Contact) -> String {
    let name = Line::new(&view.name(&c.uri)).truncate(28);
    let groups = Line::new(&view.groups_of(c).join(", "));
    let tag = if contact_data::is_tagged(c) { "*" } else { " " };
    format!("{tag} {} {:<32} {groups}", padded(&name, 28), c.uri.bare())
}

/// A group.
pub fn group(view: &View, g: &Group) -> Value {
    json!({
        "id": g.id.0,
        "name": g.title(),
        "kind": g.kind().word(),
        "address": contact_data::distribution_address(g).map(|a| a.bare().to_owned()),
        "contacts": members(view, g),
    })
}

/// A group as a row.
pub fn group_row(view: &View, g: &Group) -> String {
    let more = match contact_data::distribution_address(g) {
        Some(address) => address.bare().to_owned(),
        None => members(view, g).to_string(),
    };
    format!("{} {:<13} {more}", padded(&Line::new(g.title()).truncate(32), 32), g.kind().word())
}

fn members(view: &View, g: &Group) -> usize {
    let bare = |c: &&Contact| !c.groups.iter().any(|id| view.groups.contains_key(id));
    let all = view.contacts.values();
    all.filter(|c| c.groups.contains(&g.id) || (g.kind() == GroupKind::Default && bare(c))).count()
}

/// A row of the directory.
pub fn entry(e: &DirectoryEntry) -> Value {
    json!({
        "address": e.uri.bare(),
        "name": none_if_empty(&e.display_name),
        "kind": if e.group { "distribution" } else { "person" },
        "title": none_if_empty(&e.title),
        "email": none_if_empty(&e.email),
        "office": none_if_empty(&e.office),
        "phone": none_if_empty(&e.phone),
        "company": none_if_empty(&e.company),
        "place": none_if_empty(&e.place),
    })
}

/// A row of the directory for people.
pub fn entry_row(e: &DirectoryEntry) -> String {
    let name = if e.display_name.is_empty() { e.uri.bare() } else { &e.display_name };
    format!("{} {:<32} {}", padded(&Line::new(name).truncate(28), 28), e.uri.bare(), Line::new(&e.title))
}

/// Somebody's presence.
pub fn presence(uri: &Address, name: &str, p: Option<&Presence>) -> Value {
    let Some(p) = p else {
        return json!({ "address": uri.bare(), "name": name, "known": false, "availability": "unknown" });
    };
    let time = |t: Option<crate::domain::Time>| t.map(|t| t.timestamp().to_string());
    json!({
        "address": uri.bare(),
        "name": name,
        "known": matches!(p.freshness, Freshness::Known { .. }),
        "availability": availability(p),
        "number": p.availability.map(|a| a.0),
        "activity": p.activity.as_ref().and_then(|a| a.text(LCID)),
        "since": time(p.since),
        "last_active": time(p.last_active),
        "note": p.note.as_ref().map(|n| n.text.clone()),
        "out_of_office_note": p.oof_note.as_ref().map(|n| n.text.clone()),
        "location": p.location,
        "device": p.device,
        "meeting": p.meeting_subject,
        "meeting_location": p.meeting_location,
        "capabilities": p.capabilities,
        "title": p.card.title,
        "company": p.card.company,
        "department": p.card.department,
        "office": p.card.office,
        "email": p.card.email,
    })
}

/// Somebody's presence for people.
pub fn presence_row(uri: &Address, name: &str, p: Option<&Presence>) -> String {
    let mut parts = vec![p.and_then(|p| p.availability).map_or("Presence unknown", |a| a.class().text()).to_owned()];
    if let Some(p) = p {
        parts.extend(p.activity.as_ref().and_then(|a| a.text(LCID)).map(str::to_owned));
        parts.extend(p.location.clone().map(|l| format!("at {l}")));
        parts.extend(p.note.as_ref().or(p.oof_note.as_ref()).map(|n| format!("“{}”", n.text)));
    }
    let words: Vec<String> = parts.iter().map(|w| Line::new(w).to_string()).collect();
    format!("{} {:<32} {}", padded(&Line::new(name).truncate(28), 28), uri.bare(), words.join(" · "))
}

/// The word for what is known of somebody's availability.
pub fn availability(p: &Presence) -> &'static str {
    p.availability.map_or("unknown", word)
}

/// The word for an availability.
pub fn word(a: Availability) -> &'static str {
    match a.class() {
        AvailabilityClass::Unknown => "unknown",
        AvailabilityClass::Available => "available",
        AvailabilityClass::AvailableIdle => "inactive",
        AvailabilityClass::Busy => "busy",
        AvailabilityClass::BusyIdle => "busy-inactive",
        AvailabilityClass::DoNotDisturb => "do-not-disturb",
        AvailabilityClass::BeRightBack => "be-right-back",
        AvailabilityClass::Away => "away",
        AvailabilityClass::Offline => "offline",
    }
}

/// A note.
pub fn note(n: Option<&Note>) -> Value {
    let time = |t: Option<crate::domain::Time>| t.map(|t| t.timestamp().to_string());
    match n {
        Some(n) => json!({ "note": n.text, "out_of_office": n.out_of_office, "start": time(n.start), "end": time(n.end) }),
        None => json!({ "note": null }),
    }
}

/// Cells of text and blanks up to `cells`.
pub fn padded(line: &Line, cells: usize) -> String {
    format!("{line}{}", " ".repeat(cells.saturating_sub(line.width())))
}

fn none_if_empty(text: &str) -> Option<&str> {
    Some(text).filter(|t| !t.is_empty())
}
