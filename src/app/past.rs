//! Days gone by as people write them: "yesterday", "tue", "3d ago", "2 weeks ago", "2026-11-03", "3 nov", "nov 3 2025".

use crate::domain::Time;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The first moment of the day that `words` name, in `zone`.
pub fn day(words: &str, now: Time, zone: &TimeZone) -> Result<Time, String> {
    let today = now.timestamp().to_zoned(zone.clone()).date();
    let date = date(&words.trim().to_lowercase(), today).ok_or("write a day as 2026-11-03, 3 nov, yesterday, tue or 3d ago")?;
    if date > today {
        return Err("this day is still to come".into());
    }
    let start = date.to_zoned(zone.clone()).map_err(|e| e.to_string())?;
    Ok(Time::from_timestamp(start.timestamp()))
}

fn date(words: &str, today: Date) -> Option<Date> {
    match words {
        "today" => return Some(today),
        "yesterday" => return today.yesterday().ok(),
        _ => {}
    }
    if let Some(span) = words.strip_suffix("ago").and_then(|w| span(w.trim())) {
        return today.checked_sub(span).ok();
    }
    let weekday = words.strip_prefix("last ").unwrap_or(words);
    if let Some((_, day)) = DAYS.iter().find(|(name, _)| weekday.len() >= 3 && is_name(weekday, name)) {
        return today.nth_weekday(-1, *day).ok();
    }
    words.parse::<Date>().ok().or_else(|| written(words, today))
}

/// Whether `word` begins with a short name and goes on with letters only.
fn is_name(word: &str, name: &str) -> bool {
    word.strip_prefix(name).is_some_and(|rest| rest.chars().all(char::is_alphabetic))
}

/// "3d", "2 weeks", "1month"
fn span(words: &str) -> Option<Span> {
    let digits: String = words.chars().take_while(char::is_ascii_digit).collect();
    let number: i64 = digits.parse().ok()?;
    let number = if number > 100_000 { return None } else { number };
    match words.get(digits.len()..)?.trim().chars().next()? {
        'd' => Some(number.days()),
        'w' => Some(number.weeks()),
        'm' => Some(number.months()),
        'y' => Some(number.years()),
        _ => None,
    }
}

/// "3 nov", "nov 3", "3 november 2025"; without a year the last such day.
fn written(words: &str, today: Date) -> Option<Date> {
    let parts: Vec<&str> = words.split([' ', '.', ',']).filter(|p| !p.is_empty()).collect();
    let month = parts.iter().find_map(|p| MONTHS.iter().position(|m| is_name(p, m)))?;
    let month = i8::try_from(month).ok()? + 1;
    let mut numbers = parts.iter().filter_map(|p| p.parse::<i16>().ok());
    let day = i8::try_from(numbers.next()?).ok()?;
    match numbers.next() {
        Some(year) => Date::new(year, month, day).ok(),
        None => {
            let this = Date::new(today.year(), month, day).ok();
            this.filter(|d| *d <= today).or_else(|| Date::new(today.year() - 1, month, day).ok())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, in the afternoon.
    fn read(words: &str) -> Result<String, String> {
        let now = Time::from_timestamp("2026-11-21T15:04:05Z".parse().unwrap());
        day(words, now, &TimeZone::UTC).map(|t| t.timestamp().to_string())
    }

    #[test]
    fn days_are_read_in_every_spelling() {
        for (words, date) in [
            ("today", "2026-11-21"),
            ("Yesterday", "2026-11-20"),
            ("tue", "2026-11-17"),
            ("last Tuesday", "2026-11-17"),
            ("sat", "2026-11-14"),
            ("3d ago", "2026-11-18"),
            ("2 weeks ago", "2026-11-07"),
            ("1 month ago", "2026-10-21"),
            ("2026-11-03", "2026-11-03"),
            ("3 nov", "2026-11-03"),
            ("Nov 3", "2026-11-03"),
            ("24. december", "2025-12-24"),
            ("24 dec 2024", "2024-12-24"),
        ] {
            assert_eq!(read(words), Ok(format!("{date}T00:00:00Z")), "{words}");
        }
    }

    #[test]
    fn what_is_no_day_gone_by_is_refused_with_a_sentence() {
        assert!(read("soon").unwrap_err().contains("yesterday"));
        assert!(read("31 feb").is_err() && read("99999999999d ago").is_err() && read("").is_err());
        assert_eq!(read("2026-11-22"), Err("this day is still to come".into()));
    }
}
