//! Meetings that repeat: from words to a rule of RFC 5545 and back, and the times a rule gives.

use super::when;
use crate::domain::Time;
use crate::domain::conference::ConferenceSettings;
use crate::domain::series::Series;
use calcard::icalendar::ICalendar;
use jiff::ToSpan;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Times of one rule that are computed; a daily meeting of 27 years.
const TIMES_MAX: usize = 10_000;
/// Times that are computed at first; a weekly meeting of a year.
const TIMES_FIRST: usize = 64;
/// How many times as many are computed when those do not reach.
const TIMES_MORE: usize = 8;
/// Times of one series shown in the agenda.
pub const SHOWN: usize = 60;

/// One time of a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Beginning as the rule gives it; names this time of a series.
    pub of: Time,
    /// When it begins.
    pub start: Time,
    /// When it ends.
    pub end: Time,
    /// A title of its own; empty: the series'.
    pub subject: String,
}

/// The times of a meeting that touch `from..until`, by beginning; one that does not repeat has at most one.
pub fn occurrences(s: &ConferenceSettings, from: Time, until: Time, most: usize) -> Vec<Occurrence> {
    let Some(start) = s.start else { return Vec::new() };
    let end = s.end.unwrap_or(start);
    let Some(series) = &s.series else {
        let only = Occurrence { of: start, start, end, subject: String::new() };
        return if end >= from && start < until { vec![only] } else { Vec::new() };
    };
    if !series.is_plausible() {
        return Vec::new();
    }
    let length = end.since(start);
    let zone = when::zone_by_name(&s.time_zone).unwrap_or(TimeZone::UTC);
    let exceptions: BTreeSet<Time> = series.cancelled.iter().copied().chain(series.moved.iter().map(|m| m.of)).collect();
    let mut out: Vec<Occurrence> = Vec::new();
    // What is asked for is mostly near the beginning: a rule is followed only as far as that.
    let mut computed = TIMES_FIRST;
    loop {
        let times = times(start, &zone, &series.rule, computed);
        let all = times.len() < computed || computed >= TIMES_MAX || times.last().is_some_and(|t| *t >= until);
        let regular = times.into_iter().filter(|t| !exceptions.contains(t) && *t + length >= from && *t < until);
        out.extend(regular.map(|t| Occurrence { of: t, start: t, end: t + length, subject: String::new() }));
        if all || out.len() >= most {
            break;
        }
        out.clear();
        computed = (computed * TIMES_MORE).min(TIMES_MAX);
    }
    let moved = series.moved.iter().filter(|m| m.end >= from && m.start < until);
    out.extend(moved.map(|m| Occurrence { of: m.of, start: m.start, end: m.end, subject: m.subject.clone() }));
    out.sort_by_key(|o| (o.start, o.of));
    out.truncate(most);
    out
}

/// The first beginnings a rule gives, exceptions apart; none when it cannot be read.
fn times(start: Time, zone: &TimeZone, rule: &str, most: usize) -> Vec<Time> {
    let local = start.timestamp().to_zoned(zone.clone());
    let begin = match zone.iana_name().filter(|n| *n != "UTC") {
        Some(name) => format!("DTSTART;TZID={name}:{}", local.strftime("%Y%m%dT%H%M%S")),
        None => format!("DTSTART:{}", start.timestamp().strftime("%Y%m%dT%H%M%SZ")),
    };
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\n{begin}\r\nDURATION:PT1H\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let Ok(calendar) = ICalendar::parse(&text) else { return Vec::new() };
    let found = calendar.expand_dates(calcard::common::timezone::Tz::UTC, most).events;
    let mut out: Vec<Time> =
        found.iter().filter_map(|e| u64::try_from(e.start.timestamp()).ok()).map(|s| Time(s.saturating_mul(1000))).collect();
    out.sort();
    out.dedup();
    out
}

/// The first time of a series from its written beginning on, whatever was cancelled: "every mon" written on a Sunday begins
/// on the Monday.
pub fn first(s: &ConferenceSettings) -> Option<Time> {
    let zone = when::zone_by_name(&s.time_zone).unwrap_or(TimeZone::UTC);
    times(s.start?, &zone, &s.series.as_ref()?.rule, 1).first().copied()
}

/// When the last time of a series ends; `None`: it goes on without end, or for longer than anybody computes.
pub fn ends(s: &ConferenceSettings) -> Option<Time> {
    let rule = &s.series.as_ref()?.rule;
    let bounded = rule.split(';').any(|p| p.starts_with("COUNT=") || p.starts_with("UNTIL="));
    if !bounded {
        return None;
    }
    occurrences(s, Time(0), Time(u64::MAX), TIMES_MAX).iter().map(|o| o.end).max()
}

const DAYS: [(&str, Weekday, &str); 7] = [
    ("MO", Weekday::Monday, "monday"),
    ("TU", Weekday::Tuesday, "tuesday"),
    ("WE", Weekday::Wednesday, "wednesday"),
    ("TH", Weekday::Thursday, "thursday"),
    ("FR", Weekday::Friday, "friday"),
    ("SA", Weekday::Saturday, "saturday"),
    ("SU", Weekday::Sunday, "sunday"),
];

fn day(word: &str) -> Option<&'static str> {
    let word = word.trim_end_matches('s');
    DAYS.iter().find(|d| word.len() >= 3 && d.2.starts_with(word)).map(|d| d.0)
}

/// Reads "every day", "weekdays", "every 2 weeks", "every tue and thu", "monthly", each with "until 2027-01-31" or
/// "10 times"; or a rule as RFC 5545 writes it. Nothing: `None`.
pub fn read(text: &str, now: Time, zone: &TimeZone) -> Result<Option<Series>, String> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("no") || text.eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    let rule = match text.to_uppercase().contains("FREQ=") {
        true => text.to_uppercase().trim_start_matches("RRULE:").to_owned(),
        false => rule_of(&text.to_lowercase(), now, zone).ok_or_else(|| {
            format!(
                "“{text}” is no repetition; write “every tue”, “every 2 weeks 10 times”, “weekdays until 2027-01-31” or FREQ=…"
            )
        })?,
    };
    let series = Series::new(&rule);
    if !series.is_plausible() {
        return Err("this rule is not understood; each part may stand in it once, and a meeting has one time a day".into());
    }
    if times(now, zone, &series.rule, 1).is_empty() {
        return Err("this repetition gives no times at all; look at it again".into());
    }
    Ok(Some(series))
}

fn rule_of(text: &str, now: Time, zone: &TimeZone) -> Option<String> {
    let (text, end) = match text.split_once(" until ") {
        Some((head, date)) => {
            let date = date.trim().parse::<jiff::civil::Date>().ok().or_else(|| {
                let (t, _) = when::until(date, now, zone).ok()?;
                Some(t.timestamp().to_zoned(zone.clone()).date())
            })?;
            // The last day counts whole.
            let last = date.at(23, 59, 59, 0).to_zoned(zone.clone()).ok()?;
            (head.to_owned(), format!(";UNTIL={}", last.timestamp().strftime("%Y%m%dT%H%M%SZ")))
        }
        None => count(text),
    };
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect();
    let words = words.strip_prefix(&["every"]).or_else(|| words.strip_prefix(&["each"])).unwrap_or(&words);
    let rule = match words {
        ["day"] | ["daily"] => "FREQ=DAILY".to_owned(),
        ["weekday" | "weekdays"] | ["workday" | "workdays"] => "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        ["week"] | ["weekly"] => "FREQ=WEEKLY".to_owned(),
        ["month"] | ["monthly"] => "FREQ=MONTHLY".to_owned(),
        ["year"] | ["yearly"] => "FREQ=YEARLY".to_owned(),
        ["fortnight"] | ["other", "week"] => "FREQ=WEEKLY;INTERVAL=2".to_owned(),
        [n, unit] if n.parse::<u16>().is_ok_and(|n| (1..=100).contains(&n)) => {
            format!("FREQ={};INTERVAL={n}", frequency(unit)?)
        }
        [nth, weekday] if ordinal(nth).is_some() => format!("FREQ=MONTHLY;BYDAY={}{}", ordinal(nth)?, day(weekday)?),
        [nth, weekday, "of", "the", "month"] if ordinal(nth).is_some() => {
            format!("FREQ=MONTHLY;BYDAY={}{}", ordinal(nth)?, day(weekday)?)
        }
        days => {
            let named: Option<Vec<&str>> = days.iter().filter(|w| **w != "and" && **w != "on").map(|w| day(w)).collect();
            let named = named.filter(|n| !n.is_empty())?;
            format!("FREQ=WEEKLY;BYDAY={}", named.join(","))
        }
    };
    Some(rule + &end)
}

/// "10 times", "10x" at the end.
fn count(text: &str) -> (String, String) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |w: &str| w.parse::<u16>().ok().filter(|n| (1..=1000).contains(n));
    match words.as_slice() {
        [head @ .., n, "times" | "time"] if number(n).is_some() => (head.join(" "), format!(";COUNT={n}")),
        [head @ .., nx] if nx.strip_suffix('x').and_then(number).is_some() => {
            (head.join(" "), format!(";COUNT={}", nx.trim_end_matches('x')))
        }
        _ => (text.to_owned(), String::new()),
    }
}

fn frequency(unit: &str) -> Option<&'static str> {
    Some(match unit.trim_end_matches('s') {
        "day" => "DAILY",
        "week" => "WEEKLY",
        "month" => "MONTHLY",
        "year" => "YEARLY",
        _ => return None,
    })
}

fn ordinal(word: &str) -> Option<i8> {
    Some(match word {
        "first" | "1st" => 1,
        "second" | "2nd" => 2,
        "third" | "3rd" => 3,
        "fourth" | "4th" => 4,
        "last" => -1,
        _ => return None,
    })
}

/// A rule in words: "every 2 weeks on Tuesday, 10 times"; one with rarer parts as it is written.
pub fn words(rule: &str) -> String {
    let part = |name: &str| rule.split(';').find_map(|p| p.strip_prefix(name)).map(|v| v.trim_start_matches('='));
    let known = ["FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL", "WKST"];
    let (Some(freq), true) = (part("FREQ"), rule.split(';').all(|p| known.iter().any(|k| p.split('=').next() == Some(k)))) else {
        return rule.to_owned();
    };
    let unit = match freq {
        "DAILY" => "day",
        "WEEKLY" => "week",
        "MONTHLY" => "month",
        "YEARLY" => "year",
        _ => return rule.to_owned(),
    };
    let mut out = match part("INTERVAL").and_then(|n| n.parse::<u16>().ok()).unwrap_or(1) {
        1 => format!("every {unit}"),
        n => format!("every {n} {unit}s"),
    };
    if part("BYDAY") == Some("MO,TU,WE,TH,FR") && out == "every week" {
        out = "every weekday".into();
    } else if let Some(days) = part("BYDAY") {
        let names: Option<Vec<String>> = days.split(',').map(day_words).collect();
        let Some(names) = names else { return rule.to_owned() };
        let _ = write!(out, " on {}", names.join(" and "));
    }
    if let Some(n) = part("COUNT") {
        let _ = write!(out, ", {n} times");
    }
    if let Some(d) = part("UNTIL").and_then(|u| u.get(..8)) {
        let _ = write!(out, ", until {}-{}-{}", d.get(..4).unwrap_or(""), d.get(4..6).unwrap_or(""), d.get(6..).unwrap_or(""));
    }
    out
}

fn day_words(text: &str) -> Option<String> {
    let (n, code) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let name = DAYS.iter().find(|d| d.0 == code)?.2;
    let name = format!("{}{}", name.get(..1)?.to_uppercase(), name.get(1..)?);
    let nth = match n {
        "" => return Some(name),
        "1" => "first",
        "2" => "second",
        "3" => "third",
        "4" => "fourth",
        "-1" => "last",
        _ => return None,
    };
    Some(format!("the {nth} {name}"))
}

/// A rule as it would be typed again.
pub fn write(rule: &str) -> String {
    let said = words(rule).replace(" on the ", " ").replace("every month first", "every first").replace(" on ", " ");
    // Only words that lead back to the same rule are offered.
    let back = read(&said.replace(", until", " until").replace(',', ""), Time(0), &TimeZone::UTC);
    match back {
        Ok(Some(s)) if s.rule == rule => said.replace(", until", " until").replace(',', ""),
        _ => rule.to_owned(),
    }
}

/// How far ahead the agenda looks.
pub fn horizon(now: Time) -> Time {
    let day = now.timestamp().to_zoned(TimeZone::UTC);
    day.checked_add(92.days()).map_or(now, |t| Time::from_timestamp(t.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_795_254_660_000);

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn rule(text: &str) -> String {
        read(text, NOW, &berlin()).unwrap().unwrap().rule
    }

    #[test]
    fn words_become_rules() {
        for (text, wanted) in [
            ("every day", "FREQ=DAILY"),
            ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            ("every tue and thu", "FREQ=WEEKLY;BYDAY=TU,TH"),
            ("every 2 weeks 10 times", "FREQ=WEEKLY;INTERVAL=2;COUNT=10"),
            ("weekly 4x", "FREQ=WEEKLY;COUNT=4"),
            ("every first monday", "FREQ=MONTHLY;BYDAY=1MO"),
            ("last fri of the month", "FREQ=MONTHLY;BYDAY=-1FR"),
            ("monthly until 2027-01-31", "FREQ=MONTHLY;UNTIL=20270131T225959Z"),
            ("RRULE:freq=weekly;byday=we", "FREQ=WEEKLY;BYDAY=WE"),
        ] {
            assert_eq!(rule(text), wanted, "{text}");
        }
        assert_eq!(read("", NOW, &berlin()), Ok(None));
        for bad in ["every blue moon", "sometimes", "FREQ=NEVER", "every 0 days", "FREQ=DAILY;UNTIL=20200101T000000Z"] {
            assert!(read(bad, NOW, &berlin()).is_err(), "{bad}");
        }
    }

    #[test]
    fn rules_become_words() {
        assert_eq!(words("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=10"), "every 2 weeks on Tuesday, 10 times");
        assert_eq!(words("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20270131T225959Z"), "every weekday, until 2027-01-31");
        assert_eq!(words("FREQ=MONTHLY;BYDAY=-1FR"), "every month on the last Friday");
        assert_eq!(words("FREQ=YEARLY;BYMONTH=4"), "FREQ=YEARLY;BYMONTH=4");
        for text in ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=WEEKLY;INTERVAL=2;COUNT=10", "FREQ=YEARLY;BYMONTH=4"] {
            assert_eq!(rule(&write(text)), text, "{}", write(text));
        }
    }

    fn weekly(rule: &str) -> ConferenceSettings {
        let start: jiff::Timestamp = "2026-10-20T08:00:00Z".parse().unwrap();
        let start = Time::from_timestamp(start);
        ConferenceSettings {
            start: Some(start),
            end: Some(Time(start.0 + 3_600_000)),
            time_zone: "Europe/Berlin".into(),
            series: Some(Series::new(rule)),
            ..ConferenceSettings::default()
        }
    }

    fn starts(s: &ConferenceSettings) -> Vec<String> {
        occurrences(s, Time(0), Time(u64::MAX), 100).iter().map(|o| o.start.timestamp().to_string()).collect()
    }

    #[test]
    fn ten_in_the_morning_stays_ten_in_the_morning_when_the_clocks_change() {
        let s = weekly("FREQ=WEEKLY;COUNT=3");
        assert_eq!(starts(&s), ["2026-10-20T08:00:00Z", "2026-10-27T09:00:00Z", "2026-11-03T09:00:00Z"]);
        assert_eq!(ends(&s).unwrap().timestamp().to_string(), "2026-11-03T10:00:00Z");
        assert_eq!(ends(&weekly("FREQ=WEEKLY")), None);
    }

    #[test]
    fn cancelled_times_are_missing_and_moved_ones_stand_elsewhere() {
        let mut s = weekly("FREQ=WEEKLY;COUNT=3");
        let all = occurrences(&s, Time(0), Time(u64::MAX), 100);
        let series = s.series.as_mut().unwrap();
        series.cancel(all[0].of);
        let moved = Time(all[1].start.0 + 86_400_000);
        series.change(crate::domain::series::Moved { of: all[1].of, start: moved, end: moved, subject: "Late".into() });
        assert_eq!(starts(&s), ["2026-10-28T09:00:00Z", "2026-11-03T09:00:00Z"]);
        assert_eq!(occurrences(&s, Time(0), Time(u64::MAX), 100)[0].subject, "Late");
    }

    #[test]
    fn a_series_begins_on_the_first_day_its_rule_names() {
        let s = weekly("FREQ=WEEKLY;BYDAY=TH");
        assert_eq!(first(&s).unwrap().timestamp().to_string(), "2026-10-22T08:00:00Z");
    }

    #[test]
    fn a_rule_of_every_second_of_a_year_is_refused_and_never_followed() {
        let list = |n: u32| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        let hostile = format!("FREQ=YEARLY;BYYEARDAY={};BYHOUR={};BYMINUTE={};BYSECOND=1", list(9), list(24), list(60));
        assert!(occurrences(&weekly(&hostile), Time(0), Time(u64::MAX), 5).is_empty());
        assert!(read("FREQ=DAILY;BYHOUR=9,10", NOW, &berlin()).unwrap_err().contains("one time a day"));
    }

    #[test]
    fn a_time_far_along_the_rule_is_found() {
        let s = weekly("FREQ=DAILY");
        let from = Time(s.start.unwrap().0 + 3000 * 86_400_000);
        let found = occurrences(&s, from, Time(from.0 + 2 * 86_400_000), 5);
        assert!(found.len() >= 2 && found[0].end >= from, "{found:?}");
    }

    #[test]
    fn a_window_and_a_limit_bound_an_endless_series() {
        let s = weekly("FREQ=DAILY");
        let from = Time(s.start.unwrap().0 + 400 * 86_400_000);
        assert_eq!(occurrences(&s, from, Time(u64::MAX), 5).len(), 5);
        assert!(occurrences(&s, from, Time(from.0 + 3 * 86_400_000), 50).len() <= 4);
    }
}
