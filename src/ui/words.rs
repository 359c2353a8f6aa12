//! Presence, times and dates in words.

use crate::app::State;
use crate::domain::conversation::ConversationState;
use crate::domain::presence::{AvailabilityClass, Freshness, Level, Member, Presence, UserStatus};
use crate::domain::{Address, Time};
use crate::endpoint::EndpointState;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Container of blocked people (`domain.md` 5.8).
const BLOCKED: u32 = 32000;
/// Locale id for activities in own words: English (United States).
const LOCALE: u32 = 1033;

/// `3m`, `2h`, `5d`; empty below a minute, and beyond ten years (a server that does not know says 1601 or 1970).
pub fn span(d: Duration) -> String {
    match d.as_secs() / 60 {
        0 => String::new(),
        m @ 1..=59 => format!("{m}m"),
        m @ 60..=1439 => format!("{}h", m / 60),
        m @ 1440..=5_256_000 => format!("{}d", m / 1440),
        _ => String::new(),
    }
}

/// `09:41`.
pub fn clock(t: Time, zone: &TimeZone) -> String {
    t.timestamp().to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// `09:41:07`.
pub fn clock_seconds(t: Time, zone: &TimeZone) -> String {
    t.timestamp().to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// The civil day a moment falls on, as a number that orders and compares.
pub fn day_of(t: Time, zone: &TimeZone) -> i32 {
    let d = t.timestamp().to_zoned(zone.clone()).date();
    i32::from(d.year()) * 512 + i32::from(d.month()) * 32 + i32::from(d.day())
}

/// `Today`, `Yesterday`, `Tomorrow`, `Mon 16 Nov`, with the year when it is another.
pub fn day(t: Time, now: Time, zone: &TimeZone) -> String {
    let (date, today) = (t.timestamp().to_zoned(zone.clone()).date(), now.timestamp().to_zoned(zone.clone()).date());
    if date == today {
        "Today".into()
    } else if today.yesterday().is_ok_and(|y| y == date) {
        "Yesterday".into()
    } else if today.tomorrow().is_ok_and(|m| m == date) {
        "Tomorrow".into()
    } else if date.year() == today.year() {
        date.strftime("%a %-d %b").to_string()
    } else {
        date.strftime("%a %-d %b %Y").to_string()
    }
}

/// `Today 09:41`, `Mon 16 Nov 09:41`.
pub fn moment(t: Time, now: Time, zone: &TimeZone) -> String {
    format!("{} {}", day(t, now, zone), clock(t, zone))
}

/// The range of a presence; unknown when nothing was told.
pub fn class(presence: Option<&Presence>) -> AvailabilityClass {
    presence.and_then(|p| p.availability).map_or(AvailabilityClass::Unknown, |a| a.class())
}

/// Whether the knowledge may be out of date.
pub fn is_stale(state: &State, presence: Option<&Presence>) -> bool {
    !state.link.is_up() || presence.is_some_and(|p| matches!(p.freshness, Freshness::Stale { .. }))
}

/// Whether I block this person.
pub fn is_blocked(state: &State, uri: &Address) -> bool {
    let blocked = state.own.replica.containers.iter().find(|c| c.id == BLOCKED);
    blocked.is_some_and(|c| c.members.iter().any(|m| matches!(m, Member::User(u) if u == uri)))
}

/// The few words beside a name in a list; raw.
pub fn short(presence: Option<&Presence>, blocked: bool, now: Time) -> String {
    let Some(p) = presence else { return String::new() };
    let class = class(Some(p));
    let idle = || span(p.last_active.or(p.since).map_or(Duration::ZERO, |t| now.since(t)));
    let with = |words: &str| format!("{words} {}", idle()).trim_end().to_owned();
    if blocked {
        return "Blocked".into();
    }
    if class == AvailabilityClass::Offline {
        let ago = idle();
        return if ago.is_empty() { String::new() } else { format!("{ago} ago") };
    }
    if let Some(words) = p.activity.as_ref().and_then(|a| a.text(LOCALE)) {
        return words.to_owned();
    }
    match class {
        AvailabilityClass::Available => note(p).map(|n| format!("“{n}”")).unwrap_or_default(),
        AvailabilityClass::AvailableIdle => with("Idle"),
        AvailabilityClass::Busy | AvailabilityClass::BusyIdle => "Busy".into(),
        AvailabilityClass::DoNotDisturb => "DND".into(),
        AvailabilityClass::BeRightBack => with("BRB"),
        AvailabilityClass::Away => with("Away"),
        AvailabilityClass::Offline | AvailabilityClass::Unknown => String::new(),
    }
}

/// The same for narrow columns: the sign says the state, the words only what it does not.
pub fn shorter(presence: Option<&Presence>, blocked: bool, now: Time) -> String {
    let token = presence.and_then(|p| p.activity.as_ref()).and_then(|a| a.token.as_deref());
    match token.filter(|_| !blocked && class(presence) != AvailabilityClass::Offline) {
        Some("in-a-meeting") => "Meeting".into(),
        Some("on-the-phone") => "Call".into(),
        Some("in-a-conference") => "Confer.".into(),
        Some("in-presentation") => "Present".into(),
        Some("urgent-interruptions-only") => "Urgent".into(),
        Some("out-of-office") => "Out".into(),
        _ => {
            let words = short(presence, blocked, now);
            let last = words.strip_suffix(" ago").unwrap_or(&words);
            ["Away ", "Idle ", "BRB "].iter().find_map(|w| last.strip_prefix(w)).unwrap_or(last).to_owned()
        }
    }
}

/// The state in a word or two: `Busy, in a meeting`; raw.
pub fn state_words(presence: Option<&Presence>, blocked: bool) -> String {
    if blocked {
        return "Blocked".into();
    }
    let base = class(presence).text();
    match presence.and_then(|p| p.activity.as_ref()).and_then(|a| a.text(LOCALE)) {
        Some(activity) if !activity.eq_ignore_ascii_case(base) => {
            let mut chars = activity.chars();
            let first: String = chars.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
            format!("{base}, {first}{}", chars.as_str())
        }
        _ => base.to_owned(),
    }
}

/// A person's story: state, since when, meeting, place, device, note; raw parts.
pub fn story(presence: Option<&Presence>, blocked: bool, now: Time, zone: &TimeZone) -> Vec<String> {
    let mut parts = vec![state_words(presence, blocked)];
    let Some(p) = presence else { return parts };
    let class = class(presence);
    let inactive = matches!(
        class,
        AvailabilityClass::AvailableIdle
            | AvailabilityClass::BusyIdle
            | AvailabilityClass::BeRightBack
            | AvailabilityClass::Away
            | AvailabilityClass::Offline
    );
    if let Some(t) = p.last_active.filter(|_| inactive) {
        let ago = span(now.since(t));
        if !ago.is_empty() {
            parts.push(format!("last active {ago} ago"));
        }
    } else if let Some(t) = p.since.filter(|t| now.since(*t) >= Duration::from_secs(60)) {
        let same_day = day_of(t, zone) == day_of(now, zone);
        parts.push(format!("since {}", if same_day { clock(t, zone) } else { moment(t, now, zone) }));
    }
    if let Some(s) = p.meeting_subject.as_deref().filter(|s| !s.is_empty()) {
        let place = p.meeting_location.as_deref().filter(|l| !l.is_empty());
        parts.push(place.map_or(s.to_owned(), |l| format!("{s} ({l})")));
    }
    parts.extend(p.location.clone().filter(|l| !l.is_empty()));
    if p.device.as_deref().is_some_and(|d| d.eq_ignore_ascii_case("mobile")) {
        parts.push("on mobile".into());
    }
    parts.extend(note(p).map(|n| format!("“{n}”")));
    if let Freshness::Stale { since } = p.freshness {
        parts.push(format!("as of {}", moment(since, now, zone)));
    }
    parts
}

/// The note to show: out of office before personal; raw.
pub fn note(p: &Presence) -> Option<&str> {
    let oof = p.oof_note.as_ref().map(|n| n.text.as_str()).filter(|t| !t.is_empty());
    oof.or_else(|| p.note.as_ref().map(|n| n.text.as_str()).filter(|t| !t.is_empty()))
}

/// The link in a word.
pub fn link_state(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Idle => "not signed in",
        EndpointState::Establishing => "signing in…",
        EndpointState::Established => "signed in",
        EndpointState::Reestablishing => "connecting again…",
        EndpointState::Draining | EndpointState::Terminating => "signing out…",
        EndpointState::Terminated => "signed out",
    }
}

/// A conversation's state in words, where it is worth saying.
pub fn conversation_state(state: ConversationState) -> Option<&'static str> {
    match state {
        ConversationState::Idle | ConversationState::Established | ConversationState::Conferenced => None,
        ConversationState::Incoming => Some("invites you"),
        ConversationState::Establishing => Some("connecting…"),
        ConversationState::Conferencing => Some("joining…"),
        ConversationState::InLobby => Some("waiting in the lobby"),
        ConversationState::Terminating => Some("leaving…"),
        ConversationState::Terminated => Some("ended"),
    }
}

/// The name of a hand-set status.
pub fn status(s: UserStatus) -> &'static str {
    match s {
        UserStatus::Available => "Available",
        UserStatus::Busy => "Busy",
        UserStatus::DoNotDisturb => "Do not disturb",
        UserStatus::BeRightBack => "Be right back",
        UserStatus::Away => "Away",
        UserStatus::OffWork => "Off work",
        UserStatus::AppearOffline => "Appear offline",
    }
}

/// The name of a privacy level.
pub fn level(l: Level) -> &'static str {
    match l {
        Level::Everyone => "Everyone",
        Level::External => "External",
        Level::Colleagues => "Colleagues",
        Level::Workgroup => "Workgroup",
        Level::Personal => "Friends and family",
        Level::Blocked => "Blocked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::presence::{Activity, Availability};

    #[test]
    fn days_are_named_from_now() {
        let zone = TimeZone::UTC;
        let now = Time::from_timestamp("2026-11-21T09:00:00Z".parse().unwrap());
        let at = |s: &str| day(Time::from_timestamp(s.parse().unwrap()), now, &zone);
        assert_eq!(at("2026-11-21T00:00:00Z"), "Today");
        assert_eq!(at("2026-11-20T23:59:00Z"), "Yesterday");
        assert_eq!(at("2026-11-22T23:59:00Z"), "Tomorrow");
        assert_eq!(at("2026-11-16T08:00:00Z"), "Mon 16 Nov");
        assert_eq!(at("2025-11-16T08:00:00Z"), "Sun 16 Nov 2025");
    }

    #[test]
    fn presence_is_told_in_few_words() {
        let now = Time(100_000_000);
        let mut p = Presence {
            availability: Some(Availability::AWAY),
            last_active: Some(Time(100_000_000 - 720_000)),
            ..Presence::default()
        };
        assert_eq!(short(Some(&p), false, now), "Away 12m");
        assert_eq!(short(Some(&p), true, now), "Blocked");
        p.availability = Some(Availability::BUSY);
        p.activity = Some(Activity::token("in-a-meeting"));
        assert_eq!(short(Some(&p), false, now), "In a meeting");
        assert_eq!(state_words(Some(&p), false), "Busy, in a meeting");
        assert_eq!(short(None, false, now), "");
    }
}
