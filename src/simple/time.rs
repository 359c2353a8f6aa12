//! Time as RFC 3339 writes it.

use crate::domain::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-03-03T09:14:58Z`.
pub fn write(t: Time) -> String {
    t.timestamp().to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Any number of fraction digits, any offset; `None` without one, as RFC 3339 wants it.
pub fn parse(text: &str) -> Option<Time> {
    let t = text.trim();
    if t.len() > 64 {
        return None;
    }
    t.parse::<Timestamp>().ok().map(Time::from_timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_whatever_its_offset() {
        let t = parse("2026-03-03T09:14:58Z").unwrap();
        assert_eq!(write(t), "2026-03-03T09:14:58Z");
        assert_eq!(parse(" 2026-03-03T10:14:58.000+01:00"), Some(t));
        assert_eq!(parse("yesterday"), None);
    }
}
