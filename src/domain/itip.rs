//! Meetings between people without a server that keeps them: calendar files (RFC 5545) and the invitations, answers and
//! cancellations that travel (RFC 5546).

mod clock;
pub mod read;
pub mod write;

pub use read::{Invitation, Method};

use super::Address;
use super::conference::{Conference, ConferenceId, PhoneNumber};

/// Longest UID that is kept.
pub const UID_MAX: usize = 255;

/// A meeting's title.
pub fn subject(c: &Conference) -> &str {
    if c.settings.subject.is_empty() { "Meeting without a subject" } else { &c.settings.subject }
}

/// What others open to join: the web link where there is one, else the focus as programs of its dialect take it.
pub fn link(c: &Conference) -> String {
    if !c.join_url.is_empty() {
        c.join_url.clone()
    } else if c.uri.contains(";opaque=app:conf:") {
        format!("conf:{}", c.uri)
    } else {
        c.uri.clone()
    }
}

/// The name of a meeting for all calendars. Ours are `id@host of the organizer`; those of other programs are kept whole.
pub fn uid(c: &Conference) -> String {
    match c.id.0.strip_suffix('@') {
        Some(foreign) => foreign.to_owned(),
        None if c.id.0.contains('@') => c.id.0.clone(),
        None => format!("{}@{}", c.id.0, c.organizer.host()),
    }
}

/// The other way: [`uid`] of a conference of this organizer with this id gives `uid` again.
pub fn id_of(uid: &str, organizer: &Address) -> ConferenceId {
    let ours = uid.strip_suffix(organizer.host()).and_then(|u| u.strip_suffix('@'));
    ConferenceId(match ours.filter(|u| !u.is_empty() && !u.contains('@')) {
        Some(own) => own.to_owned(),
        None if uid.contains('@') && !uid.ends_with('@') => uid.to_owned(),
        None => format!("{uid}@"),
    })
}

/// What somebody needs who calls: "+49 30 1234 (Berlin), conference number 123456".
pub fn by_phone(c: &Conference, phones: &[PhoneNumber]) -> String {
    let number = |p: &PhoneNumber| if p.region.is_empty() { p.number.clone() } else { format!("{} ({})", p.number, p.region) };
    let mut out: Vec<String> = phones.iter().map(number).collect();
    out.push(format!("conference number {}", c.phone_id));
    out.join(", ")
}

#[cfg(test)]
#[path = "itip/tests.rs"]
mod tests;
