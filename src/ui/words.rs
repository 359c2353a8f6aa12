//! Presence, times and dates in words.

use crate::app::State;
use crate::app::state::View;
use crate::domain::conversation::ConversationState;
use crate::domain::outlook::{Outlook, outlook};
use crate::domain::presence::{AvailabilityClass, Freshness, Member, Presence, UserStatus};
use crate::domain::watching::Standing;
use crate::domain::{Address, Time};
use crate::endpoint::EndpointState;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Container of blocked people (`domain.md` 5.8).
const BLOCKED: u32 = 32000;

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

/// The range of a presence; unknown when nothing was told, and when what was told may be wrong by now.
pub fn class(presence: Option<&Presence>) -> AvailabilityClass {
    presence.filter(|p| !matches!(p.freshness, Freshness::Stale { .. })).map_or(AvailabilityClass::Unknown, last_class)
}

/// The range that was told last.
fn last_class(p: &Presence) -> AvailabilityClass {
    p.availability.map_or(AvailabilityClass::Unknown, |a| a.class())
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
pub fn short(presence: Option<&Presence>, blocked: bool, view: &View) -> String {
    let Some(p) = presence else { return String::new() };
    if blocked {
        return "Blocked".into();
    }
    if let Freshness::Stale { since } = p.freshness {
        return match (last_class(p), span(view.now.since(since))) {
            (AvailabilityClass::Unknown, _) => String::new(),
            (last, ago) => format!("was {} {ago}", few(last)).trim_end().to_owned(),
        };
    }
    let class = class(presence);
    let idle = || span(p.last_active.or(p.since).map_or(Duration::ZERO, |t| view.now.since(t)));
    let with = |words: &str| format!("{words} {}", idle()).trim_end().to_owned();
    if class == AvailabilityClass::Offline {
        let ago = idle();
        return if ago.is_empty() { String::new() } else { format!("{ago} ago") };
    }
    if let Some(words) = p.activity.as_ref().and_then(|a| a.text(view.locale)) {
        return words.to_owned();
    }
    match class {
        AvailabilityClass::Available => note(p).map(|n| format!("“{n}”")).unwrap_or_default(),
        AvailabilityClass::AvailableIdle | AvailabilityClass::BeRightBack | AvailabilityClass::Away => with(few(class)),
        AvailabilityClass::Unknown => String::new(),
        _ => few(class).into(),
    }
}

/// A range where there is little room.
fn few(class: AvailabilityClass) -> &'static str {
    match class {
        AvailabilityClass::AvailableIdle => "Idle",
        AvailabilityClass::DoNotDisturb => "DND",
        AvailabilityClass::BeRightBack => "BRB",
        other => other.text(),
    }
}

/// The same for narrow columns: the sign says the state, the words only what it does not.
pub fn shorter(presence: Option<&Presence>, blocked: bool, view: &View) -> String {
    let known = presence.filter(|_| !blocked && class(presence) != AvailabilityClass::Offline);
    if let Some(Freshness::Stale { since }) = known.map(|p| p.freshness) {
        let ago = span(view.now.since(since));
        return if ago.is_empty() { String::new() } else { format!("{ago} ago") };
    }
    match known.and_then(Presence::suffix) {
        Some("Voice Only") => return "Voice".into(),
        Some("No IM") => return "No IM".into(),
        _ => {}
    }
    let token = known.and_then(|p| p.activity.as_ref()).and_then(|a| a.token.as_deref());
    match token {
        Some("in-a-meeting") => "Meeting".into(),
        Some("on-the-phone") => "Call".into(),
        Some("in-a-conference") => "Confer.".into(),
        Some("in-presentation") => "Present".into(),
        Some("urgent-interruptions-only") => "Urgent".into(),
        Some("out-of-office") => "Out".into(),
        _ => {
            let words = short(presence, blocked, view);
            let last = words.strip_suffix(" ago").unwrap_or(&words);
            ["Away ", "Idle ", "BRB "].iter().find_map(|w| last.strip_prefix(w)).unwrap_or(last).to_owned()
        }
    }
}

/// The state in a word or two: `Busy, in a meeting · No IM`; raw.
pub fn state_words(presence: Option<&Presence>, blocked: bool, locale: u32) -> String {
    if blocked {
        return "Blocked".into();
    }
    let Some(p) = presence else { return AvailabilityClass::Unknown.text().into() };
    if matches!(p.freshness, Freshness::Stale { .. }) {
        return AvailabilityClass::Unknown.text().into();
    }
    let words = told_words(p, locale);
    // "Mobile" has its place among the devices.
    match p.suffix().filter(|s| *s != "Mobile") {
        Some(suffix) => format!("{words}, {suffix}"),
        None => words,
    }
}

/// State and activity as they were told.
fn told_words(p: &Presence, locale: u32) -> String {
    let base = last_class(p).text();
    match p.activity.as_ref().and_then(|a| a.text(locale)) {
        Some(activity) if !activity.eq_ignore_ascii_case(base) => {
            let mut chars = activity.chars();
            let first: String = chars.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
            format!("{base}, {first}{}", chars.as_str())
        }
        _ => base.to_owned(),
    }
}

/// A person's story: state, since when, meeting, place, device, note; raw parts.
pub fn story(presence: Option<&Presence>, blocked: bool, view: &View) -> Vec<String> {
    let mut parts = vec![state_words(presence, blocked, view.locale)];
    let Some(p) = presence else { return parts };
    if let Freshness::Stale { since } = p.freshness {
        if last_class(p) != AvailabilityClass::Unknown {
            parts.push(format!("{} when last heard of, {}", told_words(p, view.locale), moment(since, view.now, &view.zone)));
        }
    } else {
        parts.extend(since_words(p, view));
        if let Some(s) = p.meeting_subject.as_deref().filter(|s| !s.is_empty()) {
            let place = p.meeting_location.as_deref().filter(|l| !l.is_empty());
            parts.push(place.map_or(s.to_owned(), |l| format!("{s} ({l})")));
        }
        parts.extend(outlook_words(p, view));
        parts.extend(p.location.clone().filter(|l| !l.is_empty()));
        if p.device.as_deref().is_some_and(|d| d.eq_ignore_ascii_case("mobile")) {
            parts.push("on mobile".into());
        }
    }
    parts.extend(note(p).map(|n| format!("“{n}”")));
    parts
}

/// Since when the state holds: with idle and away states the time of the last activity (`domain.md` 5.2).
fn since_words(p: &Presence, view: &View) -> Option<String> {
    use AvailabilityClass as C;
    let inactive = matches!(last_class(p), C::AvailableIdle | C::BusyIdle | C::BeRightBack | C::Away | C::Offline);
    if let Some(t) = p.last_active.filter(|_| inactive) {
        let ago = span(view.now.since(t));
        return (!ago.is_empty()).then(|| format!("last active {ago} ago"));
    }
    let t = p.since.filter(|t| view.now.since(*t) >= Duration::from_secs(60))?;
    let same_day = day_of(t, &view.zone) == day_of(view.now, &view.zone);
    Some(format!("since {}", if same_day { clock(t, &view.zone) } else { moment(t, view.now, &view.zone) }))
}

/// How long they are free, or not: `free until 15:00`.
fn outlook_words(p: &Presence, view: &View) -> Option<String> {
    let at = |t: Time| {
        let same_day = day_of(t, &view.zone) == day_of(view.now, &view.zone);
        if same_day { clock(t, &view.zone) } else { moment(t, view.now, &view.zone) }
    };
    match outlook(p.free_busy.as_ref(), p.working_hours.as_ref(), p.time_zone_bias, view.now)? {
        Outlook::Free(until) => Some(format!("free until {}", at(until))),
        Outlook::Busy(until) => Some(format!("until {}", at(until))),
        Outlook::OffHours => Some("outside their working hours".into()),
    }
}

/// How presence comes, where it does not come at once: for the card.
pub fn standing(standing: &Standing, view: &View) -> Option<String> {
    match standing {
        Standing::Told => None,
        Standing::Polled { interval } => Some(format!("asked for every {}", span(*interval))),
        Standing::Waiting { until } => Some(format!("the server asks to wait until {}", clock_seconds(*until, &view.zone))),
        Standing::Failed { reason } => Some(reason.clone()),
    }
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

/// A conversation's state in words, where it is worth saying: one of two people begins anew with the next message.
pub fn conversation_state(state: ConversationState, meeting: bool) -> Option<&'static str> {
    match state {
        ConversationState::Idle | ConversationState::Established | ConversationState::Conferenced => None,
        ConversationState::Incoming => Some("invites you"),
        ConversationState::Establishing => Some("connecting…"),
        ConversationState::Conferencing => Some("joining…"),
        ConversationState::InLobby => Some("waiting in the lobby"),
        ConversationState::Terminating => Some("leaving…"),
        ConversationState::Terminated => meeting.then_some("you are out"),
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

    fn view(now: Time) -> View {
        View { now, ..View::default() }
    }

    fn known(number: Availability, now: Time) -> Presence {
        Presence { availability: Some(number), freshness: Freshness::Known { at: now }, ..Presence::default() }
    }

    #[test]
    fn presence_is_told_in_few_words() {
        let v = view(Time(100_000_000));
        let mut p = Presence { last_active: Some(Time(100_000_000 - 720_000)), ..known(Availability::AWAY, v.now) };
        assert_eq!(short(Some(&p), false, &v), "Away 12m");
        assert_eq!(short(Some(&p), true, &v), "Blocked");
        p.availability = Some(Availability::BUSY);
        p.activity = Some(Activity::token("in-a-meeting"));
        assert_eq!(short(Some(&p), false, &v), "In a meeting");
        assert_eq!(state_words(Some(&p), false, v.locale), "Busy, in a meeting");
        assert_eq!(short(None, false, &v), "");
    }

    #[test]
    fn the_text_is_blocked_else_the_tokens_else_the_viewers_language_else_the_ranges() {
        let v = View { locale: 1031, ..view(Time(100_000_000)) };
        let texts = vec![(1033, "Writing".to_owned()), (1031, "Schreiben".to_owned())];
        let own = Activity { token: None, custom: texts, min: 0, max: u32::MAX };
        let mut p = Presence { activity: Some(own.clone()), ..known(Availability::BUSY, v.now) };
        assert_eq!(short(Some(&p), true, &v), "Blocked");
        assert_eq!(short(Some(&p), false, &v), "Schreiben");
        assert_eq!(short(Some(&p), false, &View { locale: 1036, ..v.clone() }), "Busy");
        p.activity = Some(Activity { token: Some("on-the-phone".into()), ..own });
        assert_eq!(short(Some(&p), false, &v), "In a call");
    }

    #[test]
    fn no_im_voice_only_and_mobile_stand_behind_the_state() {
        let v = view(Time(100_000_000));
        let offline = Some(Availability::OFFLINE);
        let mut p = Presence { im: offline, ..known(Availability::AVAILABLE, v.now) };
        assert_eq!(state_words(Some(&p), false, v.locale), "Available, Voice Only");
        p.availability = Some(Availability::IDLE);
        assert_eq!(p.suffix(), Some("Voice Only"));
        for number in [Availability::BUSY, Availability::BUSY_IDLE, Availability::DO_NOT_DISTURB, Availability::AWAY] {
            p.availability = Some(number);
            assert_eq!(p.suffix(), Some("No IM"), "{number:?}");
        }
        p.availability = Some(Availability::OFFLINE);
        assert_eq!(p.suffix(), None, "somebody offline cannot be reached anyway");
        let mobile = Presence { device: Some("mobile".into()), ..known(Availability::AVAILABLE, v.now) };
        assert_eq!(mobile.suffix(), Some("Mobile"));
        assert_eq!(known(Availability::AVAILABLE, v.now).suffix(), None);
    }

    #[test]
    fn inactive_time_is_now_minus_last_active_for_idle_be_right_back_away_and_offline() {
        let v = view(Time(100_000_000));
        let p = |number| Presence { last_active: Some(Time(v.now.0 - 720_000)), ..known(number, v.now) };
        use Availability as A;
        for number in [A::IDLE, A::BUSY_IDLE, A::BE_RIGHT_BACK, A::AWAY, A::OFFLINE] {
            assert!(story(Some(&p(number)), false, &v).contains(&"last active 12m ago".to_owned()), "{number:?}");
        }
        for number in [A::AVAILABLE, A::BUSY, A::DO_NOT_DISTURB] {
            assert!(!story(Some(&p(number)), false, &v).iter().any(|s| s.contains("active 12m")), "{number:?}");
        }
    }

    #[test]
    fn without_the_server_presence_is_unknown_and_says_what_was_known_and_how_old_it_is() {
        let v = view(Time(100_000_000));
        let stale = Freshness::Stale { since: Time(v.now.0 - 300_000) };
        let p = Presence { freshness: stale, ..known(Availability::BUSY, v.now) };
        assert_eq!(class(Some(&p)), AvailabilityClass::Unknown);
        assert_eq!(short(Some(&p), false, &v), "was Busy 5m");
        assert_eq!(shorter(Some(&p), false, &v), "5m ago");
        assert_eq!(story(Some(&p), false, &v), ["Presence unknown", "Busy when last heard of, Today 03:41"]);
    }
}
