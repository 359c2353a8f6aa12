//! Reading an invitation: an iCalendar file (RFC 5545) as this program or another one wrote it, or what somebody sent
//! (RFC 5546).

use super::UID_MAX;
use super::clock::Clock;
use crate::domain::conference::{Answer, ConferenceSettings, Invitee};
use crate::domain::conference_rules::{DESCRIPTION_MAX, PARTICIPANTS_MAX, PASSCODE_MAX, SUBJECT_MAX};
use crate::domain::conversation::Role;
use crate::domain::series::{EXCEPTIONS_MAX, Moved, Series};
use crate::domain::{Address, Time};
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarProperty as P, ICalendarValue,
};
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// Octets of a file that is taken.
const FILE_MAX: usize = 1024 * 1024;
/// Characters of a strange name that a sentence repeats.
const NAME_SHOWN: usize = 60;

/// Most times of one rule (`COUNT`) that is sent to us.
pub const TIMES_MAX: u32 = 1000;

/// What a calendar wants (METHOD).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Nothing is said, or it is published.
    Publish,
    /// Invites, or changes an invitation.
    Request,
    /// Answers one.
    Reply,
    /// Takes one back.
    Cancel,
    /// Counters, refreshes, and what else there is.
    Other,
}

/// What a file invites to.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// What it wants.
    pub method: Method,
    /// UID, cut at [`UID_MAX`]; may be empty.
    pub uid: String,
    /// What those invited have said, as far as the file tells.
    pub answers: Vec<(Address, Answer)>,
    /// It is about this one time of a series alone (RECURRENCE-ID), named by its beginning as the rule gives it.
    pub of: Option<Time>,
    /// What of it could not be understood though it matters, in a sentence.
    pub odd: Option<&'static str>,
    /// The file takes the invitation back (METHOD:CANCEL).
    pub cancelled: bool,
    /// SEQUENCE.
    pub sequence: u32,
    /// Who invites, if the file says it.
    pub organizer: Option<Address>,
    /// The first thing in it that names a conference.
    pub link: Option<String>,
    /// Title, times, people, and how it repeats.
    pub settings: ConferenceSettings,
}

/// Reads what somebody sent; times without a zone count as UTC. `is_link` knows what names a conference.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read(text: &str, is_link: &dyn Fn(&str) -> bool) -> Result<Invitation, String> {
    read_in(text, &TimeZone::UTC, is_link)
}

/// Reads a file; its times without a zone are those of `here`.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read_in(text: &str, here: &TimeZone, is_link: &dyn Fn(&str) -> bool) -> Result<Invitation, String> {
    if text.len() > FILE_MAX {
        return Err("this is too large for an invitation".into());
    }
    let calendar = ICalendar::parse(text).map_err(|_| "this is no calendar file; an invitation ends in .ics".to_owned())?;
    let events: Vec<&ICalendarComponent> = calendar.components.iter().filter(|c| c.component_type.is_event()).collect();
    let main = events.iter().find(|e| !e.has_property(&P::RecurrenceId)).or(events.first());
    let event = *main.ok_or("there is no meeting in this file")?;
    let clock = Clock::new(&calendar, here);
    if let Some(zone) = events.iter().find_map(|e| clock.unknown_zone(e)) {
        let zone: String = zone.chars().take(NAME_SHOWN).collect();
        return Err(format!("the time zone “{zone}” is not known here; ask for a file that names one such as Europe/Berlin"));
    }
    let method = method(calendar.components.iter().find_map(|c| value(c, &P::Method)).as_deref());
    let span = clock.span(event);
    // Answers and cancellations need not repeat the time.
    if span.is_none() && !matches!(method, Method::Reply | Method::Cancel) {
        return Err("the meeting in this file has no time".into());
    }
    let status = value(event, &P::Status);
    let is = |v: &Option<Cow<'_, str>>, word: &str| v.as_ref().is_some_and(|v| v.eq_ignore_ascii_case(word));
    let description = value(event, &P::Description).unwrap_or_default().into_owned();
    let organizer = value(event, &P::Organizer).and_then(|o| address(&o));
    let link = link(event, &description, is_link);
    let series = series(event, &events, &clock);
    let settings = ConferenceSettings {
        subject: value(event, &P::Summary).unwrap_or(Cow::Borrowed("Meeting")).chars().take(SUBJECT_MAX).collect(),
        passcode: passcode(&description),
        description: cut(about(&description)),
        start: span.map(|s| s.0),
        end: span.map(|(start, end)| end.max(Time(start.0.saturating_add(60_000)))),
        time_zone: clock.zone(event),
        participants: people(event, organizer.as_ref()),
        series,
        ..ConferenceSettings::default()
    };
    let sequence = event.property(&P::Sequence).and_then(|e| e.values.first()).and_then(ICalendarValue::as_integer);
    Ok(Invitation {
        method,
        uid: value(event, &P::Uid).unwrap_or_default().chars().take(UID_MAX).collect(),
        answers: answers(event),
        of: clock.moment(event, &P::RecurrenceId),
        odd: odd(event, &events, settings.series.as_ref()),
        cancelled: method == Method::Cancel || is(&status, "CANCELLED"),
        sequence: sequence.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        organizer,
        link,
        settings,
    })
}

fn method(text: Option<&str>) -> Method {
    let is = |word: &str| text.is_some_and(|t| t.eq_ignore_ascii_case(word));
    match text {
        None => Method::Publish,
        _ if is("PUBLISH") => Method::Publish,
        _ if is("REQUEST") => Method::Request,
        _ if is("REPLY") => Method::Reply,
        _ if is("CANCEL") => Method::Cancel,
        _ => Method::Other,
    }
}

/// What matters and was left out: a rule that is not known here or gives too many times, and too many exceptions.
fn odd(c: &ICalendarComponent, events: &[&ICalendarComponent], series: Option<&Series>) -> Option<&'static str> {
    let repeats = c.has_property(&P::Rrule) || c.has_property(&P::Rdate) || c.has_property(&P::Exrule);
    let count = |rule: &str| rule.split(';').find_map(|p| p.strip_prefix("COUNT=")).map(|n| n.parse().unwrap_or(u32::MAX));
    let dates: usize = c.properties(&P::Exdate).map(|e| e.values.len()).sum();
    let onwards = |e: &&ICalendarComponent| {
        e.property(&P::RecurrenceId).is_some_and(|r| r.parameter(&ICalendarParameterName::Range).is_some())
    };
    if events.iter().any(onwards) {
        return Some("it changes a series from one of its times on");
    }
    if !repeats {
        return (events.len() > 1).then_some("there is more than one meeting in it");
    }
    match series {
        None => Some("it repeats in a way that is not known here"),
        Some(s) if count(&s.rule).is_some_and(|n| n > TIMES_MAX) => Some("it repeats more than 1000 times"),
        Some(_) if dates + events.len() > EXCEPTIONS_MAX => Some("too many of its times are exceptions"),
        Some(_) if c.has_property(&P::Rdate) || c.has_property(&P::Exrule) => Some("it repeats in a way that is not known here"),
        Some(_) => None,
    }
}

fn value<'a>(c: &'a ICalendarComponent, property: &P) -> Option<Cow<'a, str>> {
    c.property(property)?.values.first()?.as_text().map(Cow::Borrowed).filter(|t| !t.trim().is_empty())
}

/// `sip:` and `mailto:` name people; other schemes do not.
fn address(text: &str) -> Option<Address> {
    let t = text.trim();
    let bare = t.get(..7).filter(|s| s.eq_ignore_ascii_case("mailto:")).map_or(t, |_| t.get(7..).unwrap_or(""));
    Address::parse(bare).ok()
}

fn people(c: &ICalendarComponent, organizer: Option<&Address>) -> Vec<Invitee> {
    let mut out: Vec<Invitee> = Vec::new();
    for entry in c.properties(&P::Attendee) {
        let Some(uri) = entry.values.first().and_then(ICalendarValue::as_text).and_then(address) else { continue };
        let chair = entry.parameter(&ICalendarParameterName::Role).and_then(|r| r.as_text());
        let role = if chair.is_some_and(|r| r.eq_ignore_ascii_case("CHAIR")) { Role::Leader } else { Role::Attendee };
        if Some(&uri) != organizer && !out.iter().any(|i| i.uri == uri) && out.len() < PARTICIPANTS_MAX {
            out.push(Invitee { uri, role });
        }
    }
    out
}

fn answers(c: &ICalendarComponent) -> Vec<(Address, Answer)> {
    let one = |entry: &ICalendarEntry| {
        let uri = entry.values.first().and_then(ICalendarValue::as_text).and_then(address)?;
        let said = entry.parameter(&ICalendarParameterName::Partstat).and_then(|p| p.as_text());
        Some((uri, said.map_or(Answer::Waiting, Answer::of_participation)))
    };
    c.properties(&P::Attendee).filter_map(one).take(PARTICIPANTS_MAX).collect()
}

fn series(c: &ICalendarComponent, events: &[&ICalendarComponent], clock: &Clock<'_>) -> Option<Series> {
    let ICalendarValue::RecurrenceRule(rule) = c.property(&P::Rrule)?.values.first()? else { return None };
    let mut s = Series::new(&rule.to_string());
    for at in c.properties(&P::Exdate).take(EXCEPTIONS_MAX).flat_map(|e| clock.moments(e)).take(EXCEPTIONS_MAX) {
        s.cancel(at);
    }
    let subject = value(c, &P::Summary);
    for other in events.iter().filter(|e| e.has_property(&P::RecurrenceId)).take(EXCEPTIONS_MAX) {
        let Some(of) = clock.moment(other, &P::RecurrenceId) else { continue };
        if value(other, &P::Status).is_some_and(|v| v.eq_ignore_ascii_case("CANCELLED")) {
            s.cancel(of);
        } else if let Some((start, end)) = clock.span(other) {
            let own = value(other, &P::Summary).filter(|t| subject.as_ref() != Some(t));
            let subject = own.map(|t| t.chars().take(SUBJECT_MAX).collect()).unwrap_or_default();
            s.change(Moved { of, start, end, subject });
        }
    }
    s.is_plausible().then_some(s)
}

/// Whatever names a conference: the place, the link, or a word of the description.
fn link(c: &ICalendarComponent, description: &str, is_link: &dyn Fn(&str) -> bool) -> Option<String> {
    let places = [value(c, &P::Conference), value(c, &P::Url), value(c, &P::Location), Some(Cow::Borrowed(description))];
    let texts: Vec<Cow<'_, str>> = places.into_iter().flatten().collect();
    let words = texts.iter().flat_map(|t| t.split(|ch: char| ch.is_whitespace() || ch == '"'));
    words.map(|w| w.trim_matches(['<', '>', '(', ')', ',', '.'])).find(|w| is_link(w)).map(str::to_owned)
}

/// "Passcode: 4711" in the description.
fn passcode(description: &str) -> Option<String> {
    let line = description.lines().find_map(|l| l.trim().strip_prefix("Passcode:"))?.trim();
    let ok = !line.is_empty() && line.len() <= PASSCODE_MAX && line.bytes().all(|b| b.is_ascii_alphanumeric());
    ok.then(|| line.to_owned())
}

/// The description without the lines that say how to join.
fn about(description: &str) -> String {
    let how = |l: &&str| !["Join:", "Passcode:", "By phone:"].iter().any(|w| l.trim_start().starts_with(w));
    description.lines().filter(how).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn cut(mut text: String) -> String {
    let mut end = text.len().min(DESCRIPTION_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
