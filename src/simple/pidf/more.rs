//! What presence documents say beside the state: when it will change (timed status, RFC 4481), the time zone, cards (CIPID),
//! numbers to call, and what their programs can do (`simple.md` 4.2, 4.9).

use super::super::limits::PIDF_MAX_PARTS;
use super::super::time;
use crate::domain::Time;
use crate::domain::calendar::{Busyness, FreeBusy};
use crate::domain::presence::{CardLink, Phone};
use crate::xml::Element;

/// Minutes of a slot of what is known of the days ahead.
const SLOT_MINUTES: u32 = 15;
/// Most slots: a week.
const SLOTS_MAX: u64 = 7 * 24 * 4;
const SLOT: u64 = 15 * 60_000;

/// When something holds; open ends are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<Time>,
    pub until: Option<Time>,
}

impl Span {
    pub fn of(e: &Element) -> Span {
        Span { from: e.attr("from").and_then(time::parse), until: e.attr("until").and_then(time::parse) }
    }

    /// Whether it holds at this time.
    pub fn holds(&self, at: Time) -> bool {
        self.from.is_none_or(|f| f <= at) && self.until.is_none_or(|u| u > at)
    }
}

/// The days ahead, as far as tuples and persons tell them: from now on free but for what they name.
pub fn free_busy(root: &Element, at: Time) -> Option<FreeBusy> {
    let timed = root.children_named("tuple").take(PIDF_MAX_PARTS).flat_map(|t| t.children_named("timed-status"));
    let closed =
        timed.filter(|t| t.child_value("basic").as_deref() == Some("closed")).map(|t| (Span::of(t), Busyness::OutOfOffice));
    let persons = root.children_named("person").take(PIDF_MAX_PARTS).flat_map(|p| p.children_named("activities"));
    let named = persons.filter_map(|a| Some((Span::of(a), busyness(a)?)));
    let known: Vec<(Time, Time, Busyness)> = closed
        .chain(named)
        .filter_map(|(s, b)| Some((s.from.unwrap_or(at), s.until?, b)))
        .filter(|(from, until, _)| *until > at && from < until)
        .take(PIDF_MAX_PARTS)
        .collect();
    let end = known.iter().map(|k| k.1.0).max()?;
    let start = at.0 / SLOT * SLOT;
    let slots = (end - start).div_ceil(SLOT).min(SLOTS_MAX);
    let slot = |n: u64| {
        let (from, until) = (start + n * SLOT, start + (n + 1) * SLOT);
        let hits = known.iter().filter(|k| k.0.0 < until && k.1.0 > from);
        hits.map(|k| k.2).max_by_key(|b| *b as u8).unwrap_or(Busyness::Free)
    };
    Some(FreeBusy { start: Time(start), slot_minutes: SLOT_MINUTES, slots: (0..slots).map(slot).collect() })
}

fn busyness(activities: &Element) -> Option<Busyness> {
    let named = |names: &[&str]| activities.elements().any(|a| names.contains(&a.name.as_str()));
    if named(&["vacation", "holiday", "travel", "permanent-absence"]) {
        Some(Busyness::OutOfOffice)
    } else if named(&["busy", "meeting", "appointment", "presentation", "performance", "on-the-phone"]) {
        Some(Busyness::Busy)
    } else {
        None
    }
}

/// Minutes their clock is behind UTC.
pub fn time_zone_bias(person: &Element) -> Option<i32> {
    let minutes: i32 = person.child_value("time-offset")?.trim().parse().ok()?;
    (-840..=840).contains(&minutes).then_some(-minutes)
}

/// Pages of CIPID; they are shown and never fetched.
pub fn links(person: &Element) -> Vec<CardLink> {
    let link = |(name, kind): (&str, &str)| {
        let uri = person.child_value(name).filter(|u| u.starts_with("http://") || u.starts_with("https://"))?;
        Some(CardLink { kind: kind.to_owned(), uri })
    };
    [("homepage", "other"), ("card", "other"), ("icon", "photo"), ("map", "map"), ("sound", "sound")]
        .into_iter()
        .filter_map(link)
        .collect()
}

/// Numbers that can be called: contacts of tuples that are telephone addresses.
pub fn phones(root: &Element) -> Vec<Phone> {
    let contacts = root.children_named("tuple").take(PIDF_MAX_PARTS).filter_map(|t| t.child_value("contact"));
    let number = |uri: String| {
        let display = uri.strip_prefix("tel:")?.split(';').next().unwrap_or("").to_owned();
        (!display.is_empty()).then_some(Phone { kind: "work".into(), uri, display })
    };
    let mut out: Vec<Phone> = Vec::new();
    for phone in contacts.filter_map(number) {
        if !out.contains(&phone) {
            out.push(phone);
        }
    }
    out
}

/// What some open device can do, in our tokens; `text` is decided by the caller.
pub fn abilities(root: &Element) -> Vec<String> {
    let open = |t: &&Element| t.path(&["status", "basic"]).is_some_and(|b| b.text().trim() == "open");
    let can = |name: &str| {
        let all = root.children_named("tuple").take(PIDF_MAX_PARTS).filter(open).filter_map(|t| t.child("servcaps"));
        all.into_iter().any(|c| c.child_value(name).as_deref() == Some("true"))
    };
    let known = [("audio", "voice"), ("video", "video")];
    known.into_iter().filter(|k| can(k.0)).map(|k| k.1.to_owned()).collect()
}
