//! Time zones by the names people and calendars give them.

use jiff::tz::TimeZone;

/// A zone by its IANA name, `UTC`, `Z` or an offset such as `+02:00`.
pub fn zone_by_name(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Some(TimeZone::UTC);
    }
    if let Some(offset) = offset(name) {
        return Some(offset);
    }
    if let Some((_, full)) = SHORT.iter().find(|(short, _)| *short == name) {
        return zone_by_name(full);
    }
    name.contains('/').then(|| TimeZone::get(name).ok()).flatten()
}

/// The name by which [`zone_by_name`] finds a zone again: its IANA name, else its offset from UTC.
pub fn name_of(zone: &TimeZone) -> String {
    if let Some(name) = zone.iana_name() {
        return name.to_owned();
    }
    let seconds = zone.to_fixed_offset().map_or(0, |o| o.seconds());
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What people write for a zone, where it is not its name; only in capitals, as these letters are words, too.
const SHORT: [(&str, &str); 14] = [
    ("GMT", "UTC"),
    ("WET", "Europe/Lisbon"),
    ("BST", "Europe/London"),
    ("CET", "Europe/Berlin"),
    ("CEST", "Europe/Berlin"),
    ("EET", "Europe/Helsinki"),
    ("EEST", "Europe/Helsinki"),
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CDT", "America/Chicago"),
    ("MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("JST", "Asia/Tokyo"),
];

fn offset(name: &str) -> Option<TimeZone> {
    let rest = name.strip_prefix("UTC").unwrap_or(name);
    let (sign, digits) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(d), _) => (1, d),
        (_, Some(d)) => (-1, d),
        _ => return None,
    };
    let (h, m) = digits.split_once(':').unwrap_or((digits, "0"));
    let minutes = i32::from(h.parse::<u8>().ok()?) * 60 + i32::from(m.parse::<u8>().ok()?);
    let seconds = minutes * 60 * sign;
    jiff::tz::Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_beyond_all_zones_is_none() {
        assert!(zone_by_name("+99999999").is_none() && zone_by_name("UTC+1:99999999").is_none() && zone_by_name("+99").is_none());
        assert!(zone_by_name("UTC-03:30").is_some());
    }

    #[test]
    fn a_zone_is_found_again_by_its_name() {
        for name in ["Europe/Berlin", "UTC+02:00", "UTC-03:30"] {
            assert_eq!(name_of(&zone_by_name(name).unwrap()), name);
        }
        assert_eq!(name_of(&zone_by_name("+2").unwrap()), "UTC+02:00");
        assert_eq!(name_of(&zone_by_name("CEST").unwrap()), "Europe/Berlin");
        assert!(zone_by_name("cest").is_none() && zone_by_name("MET").is_none());
    }
}
