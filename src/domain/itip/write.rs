//! A meeting as an iCalendar file (RFC 5545), and as what travels between people (RFC 5546).

use super::{by_phone, link, subject, uid};
use crate::domain::conference::{Answer, Conference, ConferenceSettings, PhoneNumber};
use crate::domain::conversation::Role;
use crate::domain::zone::zone_by_name;
use crate::domain::{Address, Time};
use calcard::icalendar::ICalendar;
use jiff::tz::TimeZone;

/// Minutes before the beginning at which calendars shall remind.
const ALARM_MINUTES: u32 = 15;

/// Octets of a content line before it is folded (RFC 5545 §3.1).
const FOLD: usize = 75;

/// The invitation as an iCalendar file. `name` gives the names of people; `phones` can be called where callers may come.
pub fn calendar(c: &Conference, phones: &[PhoneNumber], name: &dyn Fn(&Address) -> String, now: Time) -> String {
    file(c, phones, name, now, Use { cancelled: false, sent: false })
}

/// The file that takes the invitation back.
pub fn cancellation(c: &Conference, name: &dyn Fn(&Address) -> String, now: Time) -> String {
    file(c, &[], name, now, Use { cancelled: true, sent: false })
}

/// The invitation as it is sent (METHOD:REQUEST): without alarms, which are everybody's own, and in UTC unless it repeats.
pub fn request(c: &Conference, name: &dyn Fn(&Address) -> String, now: Time) -> String {
    file(c, &[], name, now, Use { cancelled: false, sent: true })
}

/// What is sent when the meeting is taken back (METHOD:CANCEL).
pub fn cancel(c: &Conference, name: &dyn Fn(&Address) -> String, now: Time) -> String {
    file(c, &[], name, now, Use { cancelled: true, sent: true })
}

/// The answer of somebody who was invited (METHOD:REPLY).
pub fn reply(c: &Conference, who: &Address, name: &str, answer: Answer, now: Time) -> String {
    let mut lines = begin("REPLY");
    lines.extend(["BEGIN:VEVENT".to_owned(), format!("UID:{}", escape(&uid(c))), format!("SEQUENCE:{}", c.version)]);
    lines.push(format!("DTSTAMP:{}", stamp(now)));
    lines.extend(c.settings.start.map(|t| format!("DTSTART:{}", stamp(t))));
    lines.push(person("ORGANIZER", "", "", &c.organizer));
    lines.push(person("ATTENDEE", &format!(";PARTSTAT={}", answer.participation()), name, who));
    lines.push(format!("SUMMARY:{}", escape(subject(c))));
    lines.extend(["END:VEVENT".to_owned(), "END:VCALENDAR".into()]);
    lines.iter().map(|l| fold(l)).collect()
}

/// What a file is for.
#[derive(Clone, Copy)]
struct Use {
    cancelled: bool,
    sent: bool,
}

fn begin(method: &str) -> Vec<String> {
    vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".into(),
        "PRODID:-//adsum//adsum//EN".into(),
        "CALSCALE:GREGORIAN".into(),
        format!("METHOD:{method}"),
    ]
}

fn file(
    c: &Conference,
    phones: &[PhoneNumber],
    name: &dyn Fn(&Address) -> String,
    now: Time,
    Use { cancelled, sent }: Use,
) -> String {
    let mut s = c.settings.clone();
    if sent && s.series.is_none() {
        s.time_zone = "UTC".into();
    }
    let s = &s;
    let start = s.start.unwrap_or(now);
    let end = s.end.unwrap_or(start + std::time::Duration::from_secs(3600));
    let mut lines = begin(if cancelled { "CANCEL" } else { "REQUEST" });
    let mut event = |start: Time, end: Time, subject: &str, of: Option<Time>| {
        lines.push("BEGIN:VEVENT".into());
        lines.extend(head(c, now, cancelled));
        lines.push(moment(s, "DTSTART", start));
        lines.push(moment(s, "DTEND", end));
        match of {
            Some(of) => lines.push(moment(s, "RECURRENCE-ID", of)),
            None => lines.extend(rule(s)),
        }
        lines.push(format!("SUMMARY:{}", escape(subject)));
        lines.extend(body(c, phones, name, sent));
        lines.push(format!("STATUS:{}", if cancelled { "CANCELLED" } else { "CONFIRMED" }));
        if !sent {
            lines.push("TRANSP:OPAQUE".into());
        }
        if !cancelled && !sent {
            lines.extend(alarm(subject));
        }
        lines.push("END:VEVENT".into());
    };
    event(start, end, subject(c), None);
    for m in s.series.iter().flat_map(|x| &x.moved).filter(|_| !cancelled) {
        let own = if m.subject.is_empty() { subject(c) } else { &m.subject };
        event(m.start, m.end, own, Some(m.of));
    }
    lines.push("END:VCALENDAR".into());
    let text: String = lines.iter().map(|l| fold(l)).collect();
    with_zones(text)
}

fn head(c: &Conference, now: Time, cancelled: bool) -> [String; 3] {
    [
        format!("UID:{}", escape(&uid(c))),
        // Taking back is one step more.
        format!("SEQUENCE:{}", c.version.saturating_add(u32::from(cancelled))),
        format!("DTSTAMP:{}", stamp(c.last_update.unwrap_or(now))),
    ]
}

/// The zone a meeting is planned in, where a name can stand in a file.
fn zone_of(s: &ConferenceSettings) -> Option<TimeZone> {
    zone_by_name(&s.time_zone).filter(|z| z.iana_name().is_some_and(|n| n != "UTC" && n != "Etc/UTC" && n.contains('/')))
}

/// A moment: in its zone, so that a series keeps its hour when the clocks change, else in UTC.
fn moment(s: &ConferenceSettings, property: &str, t: Time) -> String {
    match zone_of(s) {
        Some(zone) => {
            let local = t.timestamp().to_zoned(zone.clone());
            format!("{property};TZID={}:{}", zone.iana_name().unwrap_or("UTC"), local.strftime("%Y%m%dT%H%M%S"))
        }
        _ => format!("{property}:{}", stamp(t)),
    }
}

fn rule(s: &ConferenceSettings) -> Vec<String> {
    let Some(series) = s.series.as_ref().filter(|x| x.is_plausible()) else { return Vec::new() };
    let mut out = vec![format!("RRULE:{}", series.rule)];
    out.extend(series.cancelled.iter().map(|t| moment(s, "EXDATE", *t)));
    out
}

fn body(c: &Conference, phones: &[PhoneNumber], name: &dyn Fn(&Address) -> String, sent: bool) -> Vec<String> {
    let s = &c.settings;
    let link = link(c);
    let mut lines = vec![person("ORGANIZER", "", &name(&c.organizer), &c.organizer)];
    for p in &s.participants {
        let role = if p.role == Role::Leader { "CHAIR" } else { "REQ-PARTICIPANT" };
        let answer = c.answers.get(&p.uri).copied().unwrap_or_default().participation();
        lines.push(person("ATTENDEE", &format!(";ROLE={role};PARTSTAT={answer};RSVP=TRUE"), &name(&p.uri), &p.uri));
    }
    let mut description = s.description.clone();
    if !sent {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&format!("Join: {link}"));
        if let Some(passcode) = &s.passcode {
            description.push_str(&format!("\nPasscode: {passcode}"));
        }
        if !c.phone_id.is_empty() {
            description.push_str(&format!("\nBy phone: {}", by_phone(c, phones)));
        }
    }
    if !description.is_empty() {
        lines.push(format!("DESCRIPTION:{}", escape(&description)));
    }
    lines.push(format!("LOCATION:{}", escape(&link)));
    // These properties hold a URI, which is not text and is not escaped; one with control codes is left out.
    if !link.chars().any(|ch| ch.is_control() || ch.is_whitespace()) {
        lines.push(if sent { format!("CONFERENCE;VALUE=URI;FEATURE=CHAT;LABEL=Join:{link}") } else { format!("URL:{link}") });
    }
    if !sent && !c.phone_id.is_empty() {
        lines.extend(phones.iter().filter_map(call));
    }
    lines
}

/// A number that can be called (RFC 7986 §5.11), where it is one.
fn call(p: &PhoneNumber) -> Option<String> {
    let digits: String = p.number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let global = digits.len() > 1 && digits.starts_with('+') && !digits[1..].contains('+');
    let region: String = p.region.chars().filter(|c| !c.is_control() && *c != '"').collect();
    global.then(|| format!("CONFERENCE;VALUE=URI;FEATURE=PHONE;LABEL=\"{region}\":tel:{digits}"))
}

fn alarm(subject: &str) -> [String; 5] {
    [
        "BEGIN:VALARM".into(),
        "ACTION:DISPLAY".into(),
        format!("DESCRIPTION:{}", escape(subject)),
        format!("TRIGGER:-PT{ALARM_MINUTES}M"),
        "END:VALARM".into(),
    ]
}

/// Adds the rules of the zones that are named (RFC 5545 §3.6.5 wants them beside).
fn with_zones(text: String) -> String {
    let Ok(mut calendar) = ICalendar::parse(&text) else { return text };
    if calendar.add_missing_timezones() == 0 {
        return text;
    }
    let zones: String = section(&calendar.to_string(), "VTIMEZONE");
    text.replacen("BEGIN:VEVENT\r\n", &format!("{zones}BEGIN:VEVENT\r\n"), 1)
}

/// All components of a name in a printed calendar, whole.
fn section(text: &str, name: &str) -> String {
    let (begin, end) = (format!("BEGIN:{name}"), format!("END:{name}"));
    let mut inside = false;
    let mut out = String::new();
    for line in text.lines() {
        inside |= line.trim_end() == begin;
        if inside {
            out.push_str(line.trim_end());
            out.push_str("\r\n");
        }
        inside &= line.trim_end() != end;
    }
    out
}

fn person(property: &str, parameters: &str, name: &str, uri: &Address) -> String {
    // A quoted parameter value cannot hold a quote or a control code (RFC 5545 §3.2).
    let name: String = name.chars().filter(|c| *c != '"' && !c.is_control()).collect();
    let name = if name.is_empty() { name } else { format!(";CN=\"{name}\"") };
    format!("{property}{name}{parameters}:{uri}")
}

fn stamp(t: Time) -> String {
    t.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Escapes a TEXT value (RFC 5545 §3.3.11); control codes but line feeds fall away.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Folds a line at 75 octets without cutting a character, and ends it.
fn fold(line: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for c in line.chars() {
        if width + c.len_utf8() > FOLD {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::{ConferenceId, Invitee};

    fn conference() -> Conference {
        let a = |t: &str| Address::parse(t).unwrap();
        Conference {
            id: ConferenceId("7FQ3K2".into()),
            uri: "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:7FQ3K2".into(),
            join_url: "https://contoso.example/alice/7FQ3K2".into(),
            organizer: a("alice@contoso.example"),
            version: 2,
            last_update: None,
            is_active: false,
            phone_id: String::new(),
            answers: Default::default(),
            settings: ConferenceSettings {
                subject: "Budget; next steps, äöü and a rather long title that must be folded somewhere".into(),
                description: "Bring numbers\nand cake".into(),
                start: Some(Time(1_796_119_200_000)),
                end: Some(Time(1_796_121_900_000)),
                time_zone: "Europe/Berlin".into(),
                participants: vec![
                    Invitee { uri: a("bob@contoso.example"), role: Role::Attendee },
                    Invitee { uri: a("carol@contoso.example"), role: Role::Leader },
                ],
                ..ConferenceSettings::default()
            },
        }
    }

    #[test]
    fn the_calendar_file_is_folded_and_escaped() {
        let ics = calendar(&conference(), &[], &|u| format!("Name of \"{}\"", u.user()), Time(0));
        assert!(ics.lines().all(|l| l.len() <= FOLD), "{ics}");
        assert!(ics.split("\r\n").all(|l| !l.contains('\n')));
        let whole = ics.replace("\r\n ", "");
        assert!(whole.contains("SUMMARY:Budget\\; next steps\\, äöü and a rather long title that must be folded somewhere\r\n"));
        assert!(whole.contains("DTSTART;TZID=Europe/Berlin:20261201T110000\r\nDTEND;TZID=Europe/Berlin:20261201T114500\r\n"));
        assert!(whole.contains("METHOD:REQUEST\r\n") && whole.contains("TRIGGER:-PT15M\r\n"));
        assert!(whole.contains("ORGANIZER;CN=\"Name of alice\":sip:alice@contoso.example\r\n"));
        assert!(
            whole.contains(
                "ATTENDEE;CN=\"Name of carol\";ROLE=CHAIR;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:sip:carol@contoso.example\r\n"
            )
        );
        assert!(whole.contains("DESCRIPTION:Bring numbers\\nand cake\\n\\nJoin: https://contoso.example/alice/7FQ3K2\r\n"));
        assert!(whole.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && whole.ends_with("END:VCALENDAR\r\n"));
    }

    #[test]
    fn callers_find_the_numbers_in_the_file() {
        let mut c = conference();
        c.phone_id = "964731".into();
        let phone = |region: &str, number: &str| PhoneNumber { region: region.into(), number: number.into() };
        let ics =
            calendar(&c, &[phone("Berlin", "+49 30 12\r\n34"), phone("odd", "ask at the desk")], &|u| u.to_string(), Time(0));
        let whole = ics.replace("\r\n ", "");
        assert!(whole.contains("CONFERENCE;VALUE=URI;FEATURE=PHONE;LABEL=\"Berlin\":tel:+49301234\r\n"), "{whole}");
        assert!(whole.contains("(Berlin)") && whole.contains("conference number 964731\r\n"), "{whole}");
        assert!(!whole.contains("tel:ask") && whole.matches("FEATURE=PHONE").count() == 1);
        c.phone_id.clear();
        assert!(!calendar(&c, &[phone("Berlin", "+49301234")], &|u| u.to_string(), Time(0)).contains("tel:"));
    }

    #[test]
    fn a_hostile_title_adds_no_lines() {
        let mut c = conference();
        c.settings.subject = "x\r\nATTENDEE:mailto:evil@example.com\u{1b}[2J".into();
        let ics = calendar(&c, &[], &|u| format!("{}\r\nX-EVIL:1", u.user()), Time(0));
        assert!(!ics.split("\r\n").any(|l| l.starts_with("ATTENDEE:") || l.starts_with("X-EVIL")), "{ics}");
        assert!(!ics.contains('\u{1b}'));
    }
}
