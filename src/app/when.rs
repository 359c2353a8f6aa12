//! Times as people write them: "tomorrow 10:00 1h", "next tue 9", "2026-12-01 14:00 45m", "in 2h", "until 15:00".
//!
//! Words are taken from the left as long as they belong to a time; the rest is returned untouched (a subject, an activity).

mod words;

use crate::domain::Time;
pub use crate::domain::zone::{name_of as zone_name, zone_by_name};
use jiff::civil::{Date, Time as Clock};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use words::{Parts, read};

/// Length of a meeting when none is given, in minutes.
pub const DEFAULT_MINUTES: i64 = 60;
/// A stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// When it begins.
    pub start: Time,
    /// When it ends.
    pub end: Time,
    /// Zone it was meant in.
    pub zone: TimeZone,
    /// A length or an end was written (otherwise [`DEFAULT_MINUTES`]).
    pub has_length: bool,
}

/// Reads a beginning with a length from the left of `text`; returns it with the words that follow.
pub fn slot<'a>(text: &'a str, now: Time, zone: &TimeZone) -> Result<(Slot, &'a str), String> {
    let (parts, rest) = read(text, now, zone);
    let zone = parts.zone.clone().unwrap_or_else(|| zone.clone());
    let here = now.timestamp().to_zoned(zone.clone());
    let start = moment(&parts, &here)?;
    if start.timestamp() < here.timestamp() - 60.seconds() {
        return Err(format!("{} is over already", start.strftime("%a %-d %b %Y, %H:%M")));
    }
    let end = match (parts.minutes, parts.end) {
        (Some(m), _) => start.checked_add(m.minutes()).map_err(|_| "this is too far away".to_owned())?,
        (None, Some(clock)) => end_at(&start, clock)?,
        (None, None) => start.checked_add(DEFAULT_MINUTES.minutes()).map_err(|_| "this is too far away".to_owned())?,
    };
    let has_length = parts.minutes.is_some() || parts.end.is_some();
    Ok((
        Slot { start: Time::from_timestamp(start.timestamp()), end: Time::from_timestamp(end.timestamp()), zone, has_length },
        rest,
    ))
}

/// Reads one moment ("15:00", "tomorrow 9", "in 2h", "1h") from the left of `text`; returns it with the words that follow.
pub fn until<'a>(text: &'a str, now: Time, zone: &TimeZone) -> Result<(Time, &'a str), String> {
    let (mut parts, rest) = read(text, now, zone);
    let here = now.timestamp().to_zoned(parts.zone.clone().unwrap_or_else(|| zone.clone()));
    if parts.clock.is_none() && parts.after.is_none() && parts.date.is_none() {
        // A bare length means from now on.
        parts.after = parts.minutes.map(|m| m.minutes());
    }
    if parts.clock.is_none() && parts.date.is_some() {
        parts.clock = Clock::new(23, 59, 0, 0).ok();
    }
    let at = moment(&parts, &here)?;
    if at.timestamp() <= here.timestamp() {
        return Err(format!("{} is over already", at.strftime("%a %-d %b, %H:%M")));
    }
    Ok((Time::from_timestamp(at.timestamp()), rest))
}

/// "Sun 22 Nov 2026, 10:00 to 11:00 (Europe/Berlin)"
pub fn describe(start: Time, end: Option<Time>, zone: &TimeZone) -> String {
    let s = start.timestamp().to_zoned(zone.clone());
    let name = zone.iana_name().map_or_else(|| s.strftime("UTC%:z").to_string(), str::to_owned);
    let end = end.map(|e| e.timestamp().to_zoned(zone.clone())).map_or(String::new(), |e| {
        if e.date() == s.date() { e.strftime(" to %H:%M").to_string() } else { e.strftime(" to %a %-d %b, %H:%M").to_string() }
    });
    format!("{}{end} ({name})", s.strftime("%a %-d %b %Y, %H:%M"))
}

/// A slot as it would be typed again: "2026-12-01 14:00 45m".
pub fn write(start: Time, end: Option<Time>, zone: &TimeZone) -> String {
    let s = start.timestamp().to_zoned(zone.clone());
    let minutes = end.map_or(DEFAULT_MINUTES.unsigned_abs(), |e| e.since(start).as_secs() / 60);
    let length = match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m}m"),
        (h, 0) => format!("{h}h"),
        (h, m) => format!("{h}h{m}m"),
    };
    format!("{} {length}", s.strftime("%Y-%m-%d %H:%M"))
}

fn moment(p: &Parts, now: &Zoned) -> Result<Zoned, String> {
    let far = |_| "this is too far away".to_owned();
    if p.now {
        return Ok(whole_minute(now));
    }
    if let Some(span) = p.after {
        let days = span.get_days() != 0 || span.get_weeks() != 0;
        let at = now.checked_add(span).map_err(far)?;
        return match p.clock {
            Some(c) if days => at.date().to_datetime(c).to_zoned(now.time_zone().clone()).map_err(far),
            _ => Ok(whole_minute(&at)),
        };
    }
    let clock = p.clock.ok_or_else(|| match p.date {
        Some(_) => "add a time of day, such as 10:00".to_owned(),
        None => "say when, such as “tomorrow 10:00 1h”, “next tue 9” or “in 2h”".to_owned(),
    })?;
    let on = |date: Date| date.to_datetime(clock).to_zoned(now.time_zone().clone()).map_err(far);
    match p.date {
        Some(date) => on(date),
        None => {
            let today = on(now.date())?;
            if today.timestamp() > now.timestamp() { Ok(today) } else { on(now.date().checked_add(1.days()).map_err(far)?) }
        }
    }
}

fn whole_minute(at: &Zoned) -> Zoned {
    let seconds = at.timestamp().as_second().div_euclid(60) * 60;
    Timestamp::from_second(seconds).map_or_else(|_| at.clone(), |t| t.to_zoned(at.time_zone().clone()))
}

fn end_at(start: &Zoned, clock: Clock) -> Result<Zoned, String> {
    let far = |_| "this is too far away".to_owned();
    let end = start.date().to_datetime(clock).to_zoned(start.time_zone().clone()).map_err(far)?;
    if end.timestamp() > start.timestamp() {
        return Ok(end);
    }
    let next = start.date().checked_add(1.days()).map_err(far)?;
    next.to_datetime(clock).to_zoned(start.time_zone().clone()).map_err(far)
}

#[cfg(test)]
mod tests;
