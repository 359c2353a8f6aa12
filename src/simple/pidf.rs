//! `application/pidf+xml`: presence documents (RFC 3863) with the data model (RFC 4479), RPID (RFC 4480), CIPID (RFC 4482)
//! and capabilities (RFC 5196). What is written keeps to the one form that brittle readers understand (`simple.md` 4.2):
//! literal prefixes, one activity before own words, nothing in front of them. What is read may be anything well-formed, of
//! several devices; the newest person and any open device win.

mod more;

use super::limits::{PIDF_MAX_PARTS, PIDF_MAX_TEXT};
use super::mapping::{self, Said};
use super::time;
use crate::domain::presence::{Activity, Availability, Card, CardLink, Freshness, Note, Presence};
use crate::domain::{Address, Time};
use crate::xml::{Element, PROLOGUE, XmlError, escaped};
use more::Span;

/// Media type; never with parameters.
pub const CONTENT_TYPE: &str = "application/pidf+xml";

/// Everything one device publishes of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The owner.
    pub entity: Address,
    /// Eight hexadecimal digits of the device's identity; the same across restarts, unlike any other device's.
    pub device: String,
    /// `urn:uuid:…` of the device.
    pub instance: String,
    /// The number.
    pub availability: Availability,
    /// The activity.
    pub activity: Option<Activity>,
    /// The note; empty: none.
    pub note: String,
    /// It is one for being out of office.
    pub out_of_office: bool,
    /// Where the owner is; empty: not told.
    pub location: String,
    /// The owner's name; empty: not told.
    pub display_name: String,
    /// Minutes east of UTC.
    pub time_offset: i32,
    /// Last activity of an idle device.
    pub last_active: Option<Time>,
    /// When this was made.
    pub at: Time,
}

/// The document of one device. `lcid` chooses among own words.
pub fn write(p: &Published, lcid: u32) -> String {
    let said = mapping::write(p.availability, p.activity.as_ref(), lcid);
    let entity = escaped(p.entity.as_str());
    let device = escaped(&p.device);
    let at = time::write(p.at);
    let mut out = String::with_capacity(1024);
    out.push_str(PROLOGUE);
    out.push_str("<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"");
    out.push_str(" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"");
    out.push_str(" xmlns:c=\"urn:ietf:params:xml:ns:pidf:cipid\" xmlns:caps=\"urn:ietf:params:xml:ns:pidf:caps\"");
    out.push_str(&format!(" entity=\"{entity}\"><tuple id=\"t-{device}\"><status><basic>"));
    out.push_str(if said.open { "open" } else { "closed" });
    out.push_str("</basic></status><caps:servcaps><caps:message>true</caps:message></caps:servcaps>");
    out.push_str(&format!("<dm:deviceID>{}</dm:deviceID>", escaped(&p.instance)));
    out.push_str(&format!("<contact priority=\"0.8\">{entity}</contact>"));
    leaf(&mut out, "note", &p.note);
    out.push_str(&format!("<timestamp>{at}</timestamp></tuple><dm:person id=\"p-{device}\">"));
    if !said.activities.is_empty() || said.other.is_some() {
        out.push_str("<rpid:activities>");
        said.activities.iter().for_each(|a| out.push_str(&format!("<rpid:{a}/>")));
        leaf(&mut out, "rpid:other", said.other.as_deref().unwrap_or(""));
        out.push_str("</rpid:activities>");
    }
    let absent = (p.out_of_office && !p.note.is_empty()).then_some(mapping::OUT_OF_OFFICE);
    leaf(&mut out, "rpid:class", said.class.or(absent).unwrap_or(""));
    if !p.location.is_empty() {
        out.push_str("<rpid:place-type>");
        leaf(&mut out, "rpid:other", &p.location);
        out.push_str("</rpid:place-type>");
    }
    out.push_str(&format!("<rpid:time-offset>{}</rpid:time-offset>", p.time_offset));
    out.push_str(&user_input(said.idle, p.last_active));
    leaf(&mut out, "c:display-name", &p.display_name);
    leaf(&mut out, "dm:note", &p.note);
    out.push_str(&format!("<dm:timestamp>{at}</dm:timestamp></dm:person></presence>"));
    out
}

fn user_input(idle: bool, last: Option<Time>) -> String {
    let last = last.map(|t| format!(" last-input=\"{}\"", time::write(t))).unwrap_or_default();
    if idle {
        format!("<rpid:user-input{last}>idle</rpid:user-input>")
    } else {
        "<rpid:user-input>active</rpid:user-input>".into()
    }
}

fn leaf(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(&format!("<{name}>{}</{name}>", escaped(text)));
    }
}

#[derive(Debug, Default)]
struct Tuple {
    id: String,
    open: Option<bool>,
    unwilling: bool,
    message: bool,
    note: String,
    at: Option<Time>,
}

#[derive(Debug, Default)]
struct Person {
    id: String,
    activities: Vec<String>,
    other: Option<String>,
    class: Option<String>,
    idle: bool,
    last_input: Option<Time>,
    place: Option<String>,
    display_name: Option<String>,
    note: String,
    at: Option<Time>,
    /// When the activities hold.
    span: Span,
    bias: Option<i32>,
    links: Vec<CardLink>,
    unwilling: bool,
}

/// Reads a document. An empty body is no document: the caller knows what it means. `at` is when it came.
pub fn read(octets: &[u8], at: Time) -> Result<Presence, XmlError> {
    Ok(read_root(&Element::parse_root(octets, "presence")?, at))
}

/// Reads the documents of several devices of one person as one; those that cannot be read are left out.
pub fn read_all(documents: &[Vec<u8>], at: Time) -> Result<Presence, XmlError> {
    let mut all = documents.iter().map(|d| Element::parse_root(d, "presence"));
    let first = all.next().unwrap_or(Err(XmlError::Missing("presence")));
    let root = all.fold(first, |root, next| match (root, next) {
        (Ok(mut root), Ok(next)) => {
            root.children.extend(next.children);
            Ok(root)
        }
        (Err(_), next) => next,
        (root, Err(_)) => root,
    })?;
    Ok(read_root(&root, at))
}

fn read_root(root: &Element, at: Time) -> Presence {
    let tuples = newest(root.children_named("tuple").take(PIDF_MAX_PARTS).map(tuple).collect(), |t| (&t.id, t.at));
    let persons = newest(root.children_named("person").take(PIDF_MAX_PARTS).map(|p| person(p, at)).collect(), |p| (&p.id, p.at));
    let open = tuples.iter().filter_map(|t| t.open).reduce(|a, b| a || b);
    let chosen = persons.iter().enumerate().max_by_key(|(n, p)| (p.at, *n)).map(|(_, p)| p);
    let mut activities = chosen.map(|p| p.activities.clone()).unwrap_or_default();
    let calls = persons.iter().any(|p| p.activities.iter().any(|a| a == ON_THE_PHONE));
    if calls && !activities.iter().any(|a| a == ON_THE_PHONE) {
        activities.push(ON_THE_PHONE.into());
    }
    let idle = !persons.is_empty() && persons.iter().all(|p| p.idle);
    let (availability, activity) = mapping::read(&Said {
        open,
        activities: &activities,
        other: chosen.and_then(|p| p.other.as_deref()),
        class: chosen.and_then(|p| p.class.as_deref()),
        idle,
        unwilling: (!tuples.is_empty() && tuples.iter().all(|t| t.unwilling)) || chosen.is_some_and(|p| p.unwilling),
    });
    let since = tuples.iter().filter_map(|t| t.at).chain(persons.iter().filter_map(|p| p.at)).max();
    let said = note(root, &tuples, &persons).map(|n| match chosen {
        Some(p) if is_away(p) => Note { out_of_office: true, start: p.span.from, end: p.span.until, ..n },
        _ => n,
    });
    let message = open == Some(true) && (tuples.iter().any(|t| t.message) || !has_capabilities(root));
    Presence {
        availability,
        activity,
        since,
        last_active: persons.iter().filter(|p| p.idle).filter_map(|p| p.last_input).max(),
        location: chosen.and_then(|p| p.place.clone()),
        note: said.clone().filter(|n| !n.out_of_office),
        oof_note: said.filter(|n| n.out_of_office),
        card: Card {
            display_name: persons.iter().rev().find_map(|p| p.display_name.clone()),
            phones: more::phones(root),
            links: chosen.map(|p| p.links.clone()).unwrap_or_default(),
            ..Card::default()
        },
        capabilities: message.then(|| "text".to_owned()).into_iter().chain(more::abilities(root)).collect(),
        time_zone_bias: chosen.and_then(|p| p.bias),
        free_busy: more::free_busy(root, at),
        freshness: Freshness::Known { at },
        ..Presence::default()
    }
}

const ON_THE_PHONE: &str = "on-the-phone";

/// Of those with one id only the last that is not older stays.
fn newest<T>(all: Vec<T>, key: impl Fn(&T) -> (&String, Option<Time>)) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for one in all {
        match kept.iter().position(|k| key(k).0 == key(&one).0) {
            Some(at) if key(&one).1 >= key(kept.get(at).unwrap_or(&one)).1 => {
                kept.remove(at);
                kept.push(one);
            }
            Some(_) => {}
            None => kept.push(one),
        }
    }
    kept
}

fn words(e: &Element, name: &str) -> Option<String> {
    e.child_value(name).map(|t| t.chars().take(PIDF_MAX_TEXT).collect())
}

fn basic(e: Option<&Element>) -> Option<bool> {
    match e?.child_value("basic")?.as_str() {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    }
}

fn tuple(e: &Element) -> Tuple {
    let capabilities = e.child("servcaps");
    Tuple {
        id: e.attr("id").unwrap_or("").to_owned(),
        open: basic(e.child("status")),
        unwilling: basic(e.child("willingness")) == Some(false),
        message: capabilities.and_then(|c| c.child_value("message")).as_deref() == Some("true"),
        note: words(e, "note").unwrap_or_default(),
        at: e.child_value("timestamp").and_then(|t| time::parse(&t)),
    }
}

fn has_capabilities(root: &Element) -> bool {
    root.children_named("tuple").any(|t| t.child("servcaps").is_some())
}

/// What a person element says of this moment.
fn person(e: &Element, at: Time) -> Person {
    let input = e.child("user-input");
    let activities = e.children_named("activities").find(|a| Span::of(a).holds(at));
    let named = activities.into_iter().flat_map(Element::elements).filter(|a| a.name != "other" && a.name != "note");
    Person {
        id: e.attr("id").unwrap_or("").to_owned(),
        activities: named.take(PIDF_MAX_PARTS).map(|a| a.name.clone()).collect(),
        other: activities.and_then(|a| words(a, "other")),
        class: words(e, "class"),
        idle: input.is_some_and(|i| i.text().trim() == "idle"),
        last_input: input.and_then(|i| i.attr("last-input")).and_then(time::parse),
        place: e.child("place-type").and_then(place),
        display_name: words(e, "display-name"),
        note: words(e, "note").unwrap_or_default(),
        at: e.child_value("timestamp").and_then(|t| time::parse(&t)),
        span: activities.map(Span::of).unwrap_or_default(),
        bias: more::time_zone_bias(e),
        links: more::links(e),
        unwilling: basic(e.child("overriding-willingness")) == Some(false),
    }
}

fn place(e: &Element) -> Option<String> {
    words(e, "other").or_else(|| e.elements().next().map(|p| p.name.replace('-', " ")))
}

/// Whether they say that they are out of office (`simple.md` 4.9).
fn is_away(p: &Person) -> bool {
    p.class.as_deref() == Some(mapping::OUT_OF_OFFICE) || p.activities.iter().any(|a| a == "vacation")
}

/// The newest note of a person, then of a tuple, then of the document.
fn note(root: &Element, tuples: &[Tuple], persons: &[Person]) -> Option<Note> {
    let of_person = persons.iter().filter(|p| !p.note.is_empty()).max_by_key(|p| p.at).map(|p| p.note.clone());
    let of_tuple = || tuples.iter().filter(|t| !t.note.is_empty()).max_by_key(|t| t.at).map(|t| t.note.clone());
    let text = of_person.or_else(of_tuple).or_else(|| words(root, "note"))?;
    Some(Note { text, out_of_office: false, start: None, end: None })
}

#[cfg(test)]
mod tests;
