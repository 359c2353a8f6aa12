//! iCalendar text (RFC 5545) as appointments: recurrences unfolded, exceptions and time zones applied.

use super::{Appointment, Busyness};
use crate::domain::Time;
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarProperty, ICalendarStatus, ICalendarTransparency, ICalendarValue,
};
use calcard::{Entry, Parser};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Occurrences unfolded of one recurring event: more than a century of days.
const OCCURRENCES: usize = 40_000;
/// Recurring events of one file.
const RECURRING: usize = 2_000;
/// Appointments kept of one file.
const APPOINTMENTS: usize = 10_000;
/// Characters kept of a title or place.
const WORDS: usize = 256;

/// The appointments that touch the time from `from` to `until`. `zone` (an IANA name) is the zone of times without one.
///
/// # Errors
/// When the text is no iCalendar; one sentence that goes on after "the file".
pub fn read(text: &str, zone: &str, from: Time, until: Time) -> Result<Vec<Appointment>, String> {
    let zone = Tz::from_str(zone).unwrap_or(Tz::UTC);
    let mut parser = Parser::new(text);
    let mut found = false;
    let mut out = Vec::new();
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => {
                found = true;
                unfold(calendar, zone, from, until, &mut out);
            }
            Entry::TooManyComponents => return Err("has too many entries".into()),
            Entry::Eof => break,
            // One broken entry does not spoil the others.
            _ => {}
        }
    }
    if !found {
        return Err("is no iCalendar file".into());
    }
    out.sort_by_key(|a| (a.start, a.end));
    out.truncate(APPOINTMENTS);
    Ok(out)
}

/// Each recurring event is unfolded with its exceptions alone, so that an endless one starves no other.
fn unfold(calendar: ICalendar, zone: Tz, from: Time, until: Time, out: &mut Vec<Appointment>) {
    let mut series: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut singles: Vec<usize> = Vec::new();
    for (at, c) in calendar.components.iter().enumerate().filter(|(_, c)| c.component_type.is_event()) {
        match c.uid().filter(|_| c.is_recurrent_or_override()) {
            Some(uid) => series.entry(uid.to_owned()).or_default().push(at),
            None => singles.push(at),
        }
    }
    let mut stage = calendar.clone();
    // Events leave the stage and come back in turns; zones stay, and positions with them.
    for c in stage.components.iter_mut().filter(|c| c.component_type.has_time_ranges()) {
        c.component_type = calcard::icalendar::ICalendarComponentType::Other(String::new());
    }
    let mut play = |members: &[usize]| {
        for at in members {
            stage.components[*at].component_type = calendar.components[*at].component_type.clone();
        }
        for event in stage.expand_dates(zone, OCCURRENCES).events {
            let (start, end) = event.timestamps();
            let source = usize::try_from(event.comp_id).ok().and_then(|id| calendar.components.get(id));
            out.extend(source.and_then(|c| appointment(c, start, end)).filter(|a| a.end > from && a.start < until));
        }
        for at in members {
            stage.components[*at].component_type = calcard::icalendar::ICalendarComponentType::Other(String::new());
        }
    };
    play(&singles);
    series.values().take(RECURRING).for_each(|members| play(members));
}

fn appointment(c: &ICalendarComponent, start: i64, end: i64) -> Option<Appointment> {
    if matches!(c.status(), Some(ICalendarStatus::Cancelled)) {
        return None;
    }
    let time = |seconds: i64| u64::try_from(seconds).ok()?.checked_mul(1000).map(Time);
    Some(Appointment {
        start: time(start)?,
        end: time(end.max(start))?,
        busy: busyness(c),
        subject: words(c, &ICalendarProperty::Summary),
        place: words(c, &ICalendarProperty::Location),
    })
}

fn words(c: &ICalendarComponent, property: &ICalendarProperty) -> String {
    let text = c.property(property).and_then(|e| e.values.first()).and_then(ICalendarValue::as_text).unwrap_or("");
    text.trim().chars().take(WORDS).collect()
}

/// What the calendar program says of it, else what follows from the standard's own properties.
fn busyness(c: &ICalendarComponent) -> Busyness {
    let texts = |name: &str| -> Vec<String> {
        let here = c.entries.iter().filter(|e| e.name.as_str().eq_ignore_ascii_case(name));
        here.flat_map(|e| &e.values).filter_map(|v| v.as_text()).map(|t| t.trim().to_uppercase()).collect()
    };
    match texts("X-MICROSOFT-CDO-BUSYSTATUS").first().map(String::as_str) {
        Some("OOF") => return Busyness::OutOfOffice,
        Some("BUSY") => return Busyness::Busy,
        Some("TENTATIVE") => return Busyness::Tentative,
        Some("FREE" | "WORKINGELSEWHERE") => return Busyness::Free,
        _ => {}
    }
    if texts("CATEGORIES").iter().any(|t| matches!(t.as_str(), "OOF" | "OUT OF OFFICE" | "OUT-OF-OFFICE")) {
        return Busyness::OutOfOffice;
    }
    if matches!(c.transparency(), Some(ICalendarTransparency::Transparent)) {
        return Busyness::Free;
    }
    if matches!(c.status(), Some(ICalendarStatus::Tentative)) { Busyness::Tentative } else { Busyness::Busy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::from_timestamp(text.parse().unwrap())
    }

    fn calendar(events: &[&str]) -> String {
        let events: Vec<String> = events.iter().map(|e| format!("BEGIN:VEVENT\n{e}\nEND:VEVENT\n")).collect();
        format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}END:VCALENDAR\n", events.concat())
    }

    fn read_in(text: &str, from: &str, until: &str) -> Vec<(String, Busyness, String)> {
        let all = read(text, "Europe/Berlin", time(from), time(until)).unwrap();
        all.into_iter().map(|a| (a.start.timestamp().to_string(), a.busy, a.subject)).collect()
    }

    fn starts(event: &str, from: &str, until: &str) -> Vec<String> {
        read_in(&calendar(&[event]), from, until).into_iter().map(|a| a.0).collect()
    }

    #[test]
    fn how_taken_the_time_is_follows_the_program_then_the_category_then_the_standard() {
        let busy = |lines: &str| {
            let event = format!("UID:1\nDTSTART:20260303T090000Z\nDTEND:20260303T100000Z\n{lines}");
            read_in(&calendar(&[&event]), "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z").first().map(|a| a.1)
        };
        assert_eq!(busy("X-MICROSOFT-CDO-BUSYSTATUS:OOF"), Some(Busyness::OutOfOffice));
        assert_eq!(busy("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE\nTRANSP:OPAQUE"), Some(Busyness::Tentative));
        assert_eq!(busy("X-MICROSOFT-CDO-BUSYSTATUS:FREE"), Some(Busyness::Free));
        assert_eq!(busy("CATEGORIES:Private,Out of office"), Some(Busyness::OutOfOffice));
        assert_eq!(busy("TRANSP:TRANSPARENT"), Some(Busyness::Free));
        assert_eq!(busy("STATUS:TENTATIVE"), Some(Busyness::Tentative));
        assert_eq!(busy("SUMMARY:x"), Some(Busyness::Busy));
        assert_eq!(busy("STATUS:CANCELLED"), None);
    }

    #[test]
    fn recurrences_keep_their_local_hour_and_their_exceptions() {
        let weekly = "UID:1\nDTSTART;TZID=Europe/Berlin:20200106T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEXDATE;TZID=Europe/Berlin:20260316T100000\nSUMMARY:Stand-up";
        let moved = "UID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260323T100000\nDTSTART;TZID=Europe/Berlin:20260323T140000\nDURATION:PT1H\nSUMMARY:Stand-up\\, later";
        let seen = read_in(&calendar(&[weekly, moved]), "2026-03-09T00:00:00Z", "2026-04-04T00:00:00Z");
        let seen: Vec<(&str, &str)> = seen.iter().map(|a| (a.0.as_str(), a.2.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("2026-03-09T09:00:00Z", "Stand-up"),
                ("2026-03-23T13:00:00Z", "Stand-up, later"),
                ("2026-03-30T08:00:00Z", "Stand-up"),
            ],
            "summer time has begun before the last"
        );
    }

    #[test]
    fn zones_of_windows_floating_times_and_whole_days_are_understood() {
        let day = ("2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z");
        let windows =
            "UID:1\nDTSTART;TZID=W. Europe Standard Time:20260701T100000\nDTEND;TZID=W. Europe Standard Time:20260701T110000";
        assert_eq!(starts(windows, day.0, day.1), ["2026-07-01T08:00:00Z"]);
        let floating = "UID:1\nDTSTART:20260701T100000\nDTEND:20260701T110000";
        assert_eq!(starts(floating, day.0, day.1), ["2026-07-01T08:00:00Z"]);
        let whole = calendar(&["UID:1\nDTSTART;VALUE=DATE:20260701"]);
        let all = read(&whole, "Europe/Berlin", time(day.0), time(day.1)).unwrap();
        assert_eq!((all[0].start, all[0].end), (time("2026-06-30T22:00:00Z"), time("2026-07-01T22:00:00Z")));
    }

    #[test]
    fn an_endless_rule_starves_no_other() {
        let endless = "UID:1\nDTSTART:20200101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY\nSUMMARY:endless";
        let daily = "UID:2\nDTSTART:20200101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:daily";
        let never = "UID:3\nDTSTART:20200101T090000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30";
        let seen = read_in(&calendar(&[endless, never, daily]), "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z");
        assert_eq!(seen.iter().map(|a| a.2.as_str()).collect::<Vec<_>>(), ["daily"]);
    }

    #[test]
    fn what_is_no_calendar_says_so_and_a_broken_entry_spoils_nothing() {
        let at = (time("2026-03-03T00:00:00Z"), time("2026-03-04T00:00:00Z"));
        assert_eq!(read("hello\nworld\n", "UTC", at.0, at.1), Err("is no iCalendar file".into()));
        assert_eq!(read("", "UTC", at.0, at.1), Err("is no iCalendar file".into()));
        let broken = "UID:1\nDTSTART:yesterday\nRRULE:FREQ=SOMETIMES\nSUMMARY:broken";
        let good = "UID:2\nDTSTART:20260303T090000Z\nDTEND:20260303T100000Z\nSUMMARY:good";
        let seen = read_in(&calendar(&[broken, good]), "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z");
        assert_eq!(seen.iter().map(|a| a.2.as_str()).collect::<Vec<_>>(), ["good"]);
        assert_eq!(read(&calendar(&[]), "UTC", at.0, at.1), Ok(Vec::new()));
    }
}
