//! Words to times: each taker looks at the next words and says how many of them it understood.

use super::zone_by_name;
use crate::domain::Time;
use jiff::civil::{Date, Time as Clock, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

/// Longest meeting, in minutes.
const MOST_MINUTES: i64 = 14 * 24 * 60;

/// What was understood so far.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) date: Option<Date>,
    pub(super) clock: Option<Clock>,
    pub(super) after: Option<Span>,
    pub(super) minutes: Option<i64>,
    pub(super) end: Option<Clock>,
    pub(super) zone: Option<TimeZone>,
    pub(super) now: bool,
}

struct Words<'a> {
    text: &'a str,
    list: Vec<(usize, &'a str)>,
    at: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Words<'a> {
        let start = text.as_ptr() as usize;
        let list = text.split_whitespace().map(|w| (w.as_ptr() as usize - start, w)).collect();
        Words { text, list, at: 0 }
    }

    fn word(&self, ahead: usize) -> Option<String> {
        self.list.get(self.at + ahead).map(|(_, w)| w.trim_end_matches(',').to_lowercase())
    }

    fn raw(&self) -> Option<&'a str> {
        self.list.get(self.at).map(|(_, w)| w.trim_end_matches(','))
    }

    fn rest(&self) -> &'a str {
        self.list.get(self.at).map_or("", |(i, _)| self.text.get(*i..).unwrap_or("").trim_end())
    }
}

/// Reads words from the left as long as they belong to a time; returns what was understood and the rest.
pub(super) fn read<'a>(text: &'a str, now: Time, zone: &TimeZone) -> (Parts, &'a str) {
    let mut parts = Parts::default();
    let mut words = Words::new(text);
    let today = |p: &Parts| now.timestamp().to_zoned(p.zone.clone().unwrap_or_else(|| zone.clone())).date();
    while words.at < words.list.len() {
        let date = today(&parts);
        let taken =
            [take_relative, take_date, take_clock, take_length, take_zone].iter().find_map(|take| take(&words, &mut parts, date));
        match taken {
            Some(n) => words.at += n,
            None => break,
        }
    }
    (parts, words.rest())
}

/// Each taker says how many words it took.
type Taken = Option<usize>;

/// "now", "in 2h", "in 45 min", "in 3 days"
fn take_relative(w: &Words<'_>, p: &mut Parts, _: Date) -> Taken {
    if p.after.is_some() || p.now || p.clock.is_some() {
        return None;
    }
    match w.word(0)?.as_str() {
        "now" if p.date.is_none() => {
            p.now = true;
            Some(1)
        }
        "in" => {
            let (span, n) = long_span(&w.word(1)?, w.word(2).as_deref())?;
            p.after = Some(span);
            Some(1 + n)
        }
        _ => None,
    }
}

/// "2h", "90min", "3 days", "2 weeks"
fn long_span(first: &str, second: Option<&str>) -> Option<(Span, usize)> {
    if let Some(m) = minutes(first) {
        return Some((m.minutes(), 1));
    }
    let n: i64 = match first {
        "a" | "an" | "one" => 1,
        other => other.parse().ok().filter(|n| (0..=1000).contains(n))?,
    };
    let span = match second?.trim_end_matches('s') {
        "m" | "min" | "minute" => n.minutes(),
        "h" | "hr" | "hour" => n.hours(),
        "d" | "day" => n.days(),
        "w" | "week" => n.weeks(),
        _ => return None,
    };
    Some((span, 2))
}

/// "today", "tomorrow", "tue", "next tue", "on tuesday", "2026-12-01", "1 dec", "dec 1 2026", "1.12.", "1.12.2026"
fn take_date(w: &Words<'_>, p: &mut Parts, today: Date) -> Taken {
    if p.date.is_some() || p.now {
        return None;
    }
    let skip = usize::from(matches!(w.word(0)?.as_str(), "on"));
    let (date, n) = date_at(w, skip, today)?;
    p.date = Some(date);
    Some(skip + n)
}

fn date_at(w: &Words<'_>, at: usize, today: Date) -> Option<(Date, usize)> {
    let word = w.word(at)?;
    match word.as_str() {
        "today" | "tonight" => return Some((today, 1)),
        "tomorrow" | "tmr" | "tom" => return Some((today.checked_add(1.days()).ok()?, 1)),
        "next" => {
            let next = w.word(at + 1)?;
            if next == "week" {
                return Some((today.checked_add(1.weeks()).ok()?, 2));
            }
            return Some((in_next_week(today, weekday(&next)?)?, 2));
        }
        "this" => return Some((coming(today, weekday(&w.word(at + 1)?)?)?, 2)),
        _ => {}
    }
    if let Some(day) = weekday(&word) {
        return Some((coming(today, day)?, 1));
    }
    if let Ok(date) = word.parse::<Date>() {
        return (word.len() == 10).then_some((date, 1));
    }
    if let Some(date) = dotted(&word, today) {
        return Some((date, 1));
    }
    let (day, month) = match (day_number(&word), month(&word)) {
        (Some(d), _) => (d, month(&w.word(at + 1)?)?),
        (_, Some(m)) => (day_number(&w.word(at + 1)?)?, m),
        _ => return None,
    };
    let year = w.word(at + 2).and_then(|y| y.parse::<i16>().ok()).filter(|y| (2000..=9999).contains(y));
    match year {
        Some(y) => Some((Date::new(y, month, day).ok()?, 3)),
        None => Some((this_or_next_year(today, month, day)?, 2)),
    }
}

/// The named day, today included.
fn coming(today: Date, day: Weekday) -> Option<Date> {
    if today.weekday() == day { Some(today) } else { today.nth_weekday(1, day).ok() }
}

/// The named day of the week that begins on the next Monday.
fn in_next_week(today: Date, day: Weekday) -> Option<Date> {
    let monday = today.nth_weekday(1, Weekday::Monday).ok()?;
    coming(monday, day)
}

fn this_or_next_year(today: Date, month: i8, day: i8) -> Option<Date> {
    let this = Date::new(today.year(), month, day).ok();
    this.filter(|d| *d >= today).or_else(|| Date::new(today.year() + 1, month, day).ok())
}

/// "1.12." and "1.12.2026"
fn dotted(word: &str, today: Date) -> Option<Date> {
    let mut numbers = word.split('.');
    let (day, month, year) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?, numbers.next()?);
    if numbers.next().is_some() {
        return None;
    }
    if year.is_empty() { this_or_next_year(today, month, day) } else { Date::new(year.parse().ok()?, month, day).ok() }
}

fn day_number(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches('.');
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|s| digits.strip_suffix(s)).unwrap_or(digits);
    digits.parse().ok().filter(|d| (1..=31).contains(d))
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = MONTHS.iter().position(|m| word.len() >= 3 && m.starts_with(word.trim_end_matches('.')))?;
    i8::try_from(at + 1).ok()
}

fn weekday(word: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    DAYS.iter().find(|(n, _)| word.len() >= 3 && (n.starts_with(word) || *n == word)).map(|d| d.1)
}

/// "10:00", "at 10", "9am", "noon", "10-11:30", "from 10 to 11", "until 11:00"
fn take_clock(w: &Words<'_>, p: &mut Parts, _: Date) -> Taken {
    let word = w.word(0)?;
    let after_hours = p.after.is_some_and(|s| s.get_days() == 0 && s.get_weeks() == 0);
    if p.clock.is_some() || after_hours || p.now {
        let to = matches!(word.as_str(), "to" | "until" | "till" | "-" | "–");
        if to && p.end.is_none() && p.minutes.is_none() {
            p.end = Some(clock(&w.word(1)?, true)?);
            return Some(2);
        }
        return None;
    }
    let lead = usize::from(matches!(word.as_str(), "at" | "from"));
    let first = w.word(lead)?;
    if let Some((a, b)) = first.split_once(['-', '–']).filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
        let (from, to) = (clock(a, true)?, clock(b, true)?);
        (p.clock, p.end) = (Some(from), Some(to));
        return Some(lead + 1);
    }
    // "9 am" and "9 h" in two words
    let half = w.word(lead + 1).filter(|h| matches!(h.as_str(), "am" | "pm"));
    if let Some(c) = half.and_then(|h| clock(&format!("{first}{h}"), true)) {
        p.clock = Some(c);
        return Some(lead + 2);
    }
    let unit = w.word(lead + 1).is_some_and(|u| long_span("1", Some(&u)).is_some() && first.parse::<i64>().is_ok());
    if unit {
        return None;
    }
    p.clock = Some(clock(&first, true)?);
    Some(lead + 1)
}

fn clock(word: &str, bare: bool) -> Option<Clock> {
    match word {
        "noon" => return Clock::new(12, 0, 0, 0).ok(),
        "midnight" => return Clock::new(0, 0, 0, 0).ok(),
        _ => {}
    }
    let (digits, shift) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(d), _) => (d, Some(0)),
        (_, Some(d)) => (d, Some(12)),
        _ => (word, None),
    };
    let (hour, minute) = match digits.split_once([':', '.']) {
        Some((h, m)) if m.len() == 2 => (h.parse::<i8>().ok()?, m.parse::<i8>().ok()?),
        Some(_) => return None,
        None if bare && digits.len() <= 2 => (digits.parse::<i8>().ok()?, 0),
        None => return None,
    };
    let hour = match shift {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(s) => hour % 12 + s,
        None => hour,
    };
    Clock::new(hour, minute, 0, 0).ok()
}

/// "1h", "45m", "1h30", "1h30m", "90min", "1.5h", "for 2 hours"
fn take_length(w: &Words<'_>, p: &mut Parts, _: Date) -> Taken {
    if p.minutes.is_some() || p.end.is_some() {
        return None;
    }
    let lead = usize::from(w.word(0)? == "for");
    let first = w.word(lead)?;
    if let Some(m) = minutes(&first) {
        p.minutes = Some(m);
        return Some(lead + 1);
    }
    let n: f64 = first.parse().ok()?;
    let unit = match w.word(lead + 1)?.trim_end_matches('s') {
        "m" | "min" | "minute" => 1.0,
        "h" | "hr" | "hour" => 60.0,
        _ => return None,
    };
    p.minutes = Some(length(n * unit)?);
    Some(lead + 2)
}

fn minutes(word: &str) -> Option<i64> {
    let number = |s: &str| s.replace(',', ".").parse::<f64>().ok().filter(|_| s.starts_with(|c: char| c.is_ascii_digit()));
    for unit in ["minutes", "minute", "mins", "min", "m"] {
        if let Some(head) = word.strip_suffix(unit) {
            return match head.split_once('h') {
                Some((h, m)) => length(number(h)? * 60.0 + number(m)?),
                None => length(number(head)?),
            };
        }
    }
    for unit in ["hours", "hour", "hrs", "hr", "h"] {
        if let Some(head) = word.strip_suffix(unit) {
            return length(number(head)? * 60.0);
        }
    }
    let (h, m) = word.split_once('h')?;
    length(number(h)? * 60.0 + number(m)?)
}

#[allow(clippy::cast_possible_truncation)]
fn length(minutes: f64) -> Option<i64> {
    let whole = minutes.round() as i64;
    (1..=MOST_MINUTES).contains(&whole).then_some(whole)
}

/// "Europe/Berlin", "UTC", "+02:00"
fn take_zone(w: &Words<'_>, p: &mut Parts, _: Date) -> Taken {
    if p.zone.is_some() || !(p.clock.is_some() || p.date.is_some()) {
        return None;
    }
    p.zone = Some(zone_by_name(w.raw()?.trim_matches(['(', ')']))?);
    Some(1)
}
