//! Reading an invitation: an iCalendar file (RFC 5545) as this program or another one wrote it.

use crate::domain::conference::{ConferenceSettings, Invitee};
use crate::domain::conference_rules::{DESCRIPTION_MAX, PARTICIPANTS_MAX, PASSCODE_MAX, SUBJECT_MAX};
use crate::domain::conversation::Role;
use crate::domain::series::{EXCEPTIONS_MAX, Moved, Series};
use crate::domain::{Address, Time};
use crate::endpoint::parse_link;
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarProperty as P, ICalendarValue,
};
use std::borrow::Cow;
use std::time::Duration;

/// Octets of a file that is taken.
const FILE_MAX: usize = 1024 * 1024;
/// Length of a meeting whose file does not say it.
const LENGTH: Duration = Duration::from_secs(3600);

/// What a file invites to.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
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

/// Reads a file.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read(text: &str) -> Result<Invitation, String> {
    if text.len() > FILE_MAX {
        return Err("this is too large for an invitation".into());
    }
    let calendar = ICalendar::parse(text).map_err(|_| "this is no calendar file; an invitation ends in .ics".to_owned())?;
    let events: Vec<&ICalendarComponent> = calendar.components.iter().filter(|c| c.component_type.is_event()).collect();
    let main = events.iter().find(|e| !e.has_property(&P::RecurrenceId)).or(events.first());
    let event = *main.ok_or("there is no meeting in this file")?;
    let clock = Clock(&calendar);
    let (start, end) = clock.span(event).ok_or("the meeting in this file has no time")?;
    let method = calendar.components.iter().find_map(|c| value(c, &P::Method));
    let status = value(event, &P::Status);
    let is = |v: &Option<Cow<'_, str>>, word: &str| v.as_ref().is_some_and(|v| v.eq_ignore_ascii_case(word));
    let description = value(event, &P::Description).unwrap_or_default().into_owned();
    let organizer = value(event, &P::Organizer).and_then(|o| address(&o));
    let link = link(event, &description);
    let settings = ConferenceSettings {
        subject: value(event, &P::Summary).unwrap_or(Cow::Borrowed("Meeting")).chars().take(SUBJECT_MAX).collect(),
        passcode: passcode(&description),
        description: cut(about(&description)),
        start: Some(start),
        end: Some(end.max(Time(start.0 + 60_000))),
        time_zone: clock.zone(event),
        participants: people(event, organizer.as_ref()),
        series: series(event, &events, &clock),
        ..ConferenceSettings::default()
    };
    let sequence = event.property(&P::Sequence).and_then(|e| e.values.first()).and_then(ICalendarValue::as_integer);
    Ok(Invitation {
        cancelled: is(&method, "CANCEL") || is(&status, "CANCELLED"),
        sequence: sequence.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        organizer,
        link,
        settings,
    })
}

/// The times of a file, in its own zones.
struct Clock<'a>(&'a ICalendar);

impl Clock<'_> {
    /// All values of a property as moments.
    fn moments(&self, entry: &ICalendarEntry) -> Vec<Time> {
        let tz = self.0.build_tz_resolver().with_default(Tz::UTC).resolve_or_default(entry.tz_id());
        let moment = |v: &ICalendarValue| {
            let at = v.as_partial_date_time()?.to_date_time_with_tz(tz)?;
            u64::try_from(at.timestamp()).ok().map(|s| Time(s.saturating_mul(1000)))
        };
        entry.values.iter().filter_map(moment).collect()
    }

    fn moment(&self, c: &ICalendarComponent, property: &P) -> Option<Time> {
        self.moments(c.property(property)?).first().copied()
    }

    /// Beginning and end of an event.
    fn span(&self, c: &ICalendarComponent) -> Option<(Time, Time)> {
        let start = self.moment(c, &P::Dtstart)?;
        let duration = c.property(&P::Duration).and_then(|e| match e.values.first()? {
            ICalendarValue::Duration(d) => u64::try_from(d.as_seconds()).ok().map(Duration::from_secs),
            _ => None,
        });
        let end = self.moment(c, &P::Dtend).or(duration.map(|d| start + d)).unwrap_or(start + LENGTH);
        Some((start, end))
    }

    /// Name of the zone an event is planned in.
    fn zone(&self, c: &ICalendarComponent) -> String {
        let named = c.property(&P::Dtstart).and_then(ICalendarEntry::tz_id);
        let tz = named.map(|n| self.0.build_tz_resolver().with_default(Tz::UTC).resolve_or_default(Some(n)));
        let name = tz.and_then(|t| t.name().map(Cow::into_owned)).filter(|n| super::when::zone_by_name(n).is_some());
        name.unwrap_or_else(|| "UTC".into())
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

fn series(c: &ICalendarComponent, events: &[&ICalendarComponent], clock: &Clock<'_>) -> Option<Series> {
    let ICalendarValue::RecurrenceRule(rule) = c.property(&P::Rrule)?.values.first()? else { return None };
    let mut s = Series::new(&rule.to_string());
    for at in c.properties(&P::Exdate).flat_map(|e| clock.moments(e)).take(EXCEPTIONS_MAX) {
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
fn link(c: &ICalendarComponent, description: &str) -> Option<String> {
    let places = [value(c, &P::Url), value(c, &P::Location), Some(Cow::Borrowed(description))];
    let texts: Vec<Cow<'_, str>> = places.into_iter().flatten().collect();
    let words = texts.iter().flat_map(|t| t.split(|ch: char| ch.is_whitespace() || ch == '"'));
    words.map(|w| w.trim_matches(['<', '>', '(', ')', ',', '.'])).find(|w| parse_link(w).is_some()).map(str::to_owned)
}

/// "Passcode: 4711" in the description.
fn passcode(description: &str) -> Option<String> {
    let line = description.lines().find_map(|l| l.trim().strip_prefix("Passcode:"))?.trim();
    let ok = !line.is_empty() && line.len() <= PASSCODE_MAX && line.bytes().all(|b| b.is_ascii_alphanumeric());
    ok.then(|| line.to_owned())
}

/// The description without the lines that say how to join.
fn about(description: &str) -> String {
    let how = |l: &&str| !["Join:", "Passcode:"].iter().any(|w| l.trim_start().starts_with(w));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::invitation;
    use crate::domain::conference::{Conference, ConferenceId};

    fn a(user: &str) -> Address {
        Address::parse(&format!("{user}@contoso.example")).unwrap()
    }

    fn at(text: &str) -> Time {
        Time::from_timestamp(text.parse().unwrap())
    }

    fn conference() -> Conference {
        Conference {
            id: ConferenceId("7FQ3K2AB".into()),
            uri: "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:7FQ3K2AB".into(),
            join_url: String::new(),
            organizer: a("alice"),
            version: 3,
            last_update: None,
            is_active: false,
            phone_id: String::new(),
            settings: ConferenceSettings {
                subject: "Budget; next, äöü".into(),
                description: "Bring numbers\nand cake".into(),
                start: Some(at("2026-12-01T10:00:00Z")),
                end: Some(at("2026-12-01T10:45:00Z")),
                time_zone: "Europe/Berlin".into(),
                passcode: Some("4711".into()),
                participants: vec![
                    Invitee { uri: a("bob"), role: Role::Attendee },
                    Invitee { uri: a("carol"), role: Role::Leader },
                ],
                ..ConferenceSettings::default()
            },
        }
    }

    fn written(c: &Conference) -> Invitation {
        let text = invitation::calendar(c, &|u| u.user().to_owned(), Time(0));
        read(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let c = conference();
        let i = written(&c);
        assert_eq!(i.settings, c.settings);
        assert_eq!((i.organizer, i.sequence, i.cancelled), (Some(a("alice")), 3, false));
        assert_eq!(parse_link(&i.link.unwrap()), Some((a("alice"), c.id)));
    }

    #[test]
    fn a_series_is_read_back_with_its_exceptions() {
        let mut c = conference();
        let mut s = Series::new("FREQ=WEEKLY;COUNT=5;BYDAY=TU");
        s.cancel(at("2026-12-08T10:00:00Z"));
        let (of, start, end) = (at("2026-12-15T10:00:00Z"), at("2026-12-16T12:00:00Z"), at("2026-12-16T13:00:00Z"));
        s.change(Moved { of, start, end, subject: "Later this time".into() });
        c.settings.series = Some(s.clone());
        let mut read = written(&c).settings.series.unwrap();
        // The order of a rule's parts has no meaning.
        let parts = |r: &str| r.split(';').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(parts(&read.rule), parts(&s.rule));
        read.rule = s.rule.clone();
        assert_eq!(read, s);
    }

    #[test]
    fn a_file_of_another_program_is_understood() {
        let text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n\
            DTSTART;TZID=W. Europe Standard Time:20261201T110000\r\nDURATION:PT30M\r\nSUMMARY:Sync\r\n\
            ORGANIZER;CN=Alice:mailto:alice@contoso.example\r\nATTENDEE;ROLE=REQ-PARTICIPANT:MAILTO:bob@contoso.example\r\n\
            DESCRIPTION:Join online <https://meet.contoso.example/alice/K7M2Q9TX>\\nbye\r\n\
            END:VEVENT\r\nEND:VCALENDAR\r\n";
        let i = read(text).unwrap();
        assert_eq!(i.link.as_deref(), Some("https://meet.contoso.example/alice/K7M2Q9TX"));
        let s = &i.settings;
        assert_eq!((s.start, s.end), (Some(at("2026-12-01T10:00:00Z")), Some(at("2026-12-01T10:30:00Z"))));
        assert_eq!((s.subject.as_str(), s.participants[0].uri.user(), s.time_zone.as_str()), ("Sync", "bob", "Europe/Berlin"));
    }

    #[test]
    fn a_cancellation_says_so() {
        let text = invitation::cancellation(&conference(), &|u| u.user().to_owned(), Time(0));
        assert!(read(&text).unwrap().cancelled);
    }

    #[test]
    fn what_is_no_invitation_gets_a_sentence() {
        for bad in ["", "hello", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nEND:VCARD\r\n", "\0\u{1b}[2J"] {
            assert!(!read(bad).unwrap_err().is_empty(), "{bad:?}");
        }
        let no_time = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(read(no_time).unwrap_err(), "the meeting in this file has no time");
    }
}
