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
    name.contains('/').then(|| TimeZone::get(name).ok()).flatten()
}

fn offset(name: &str) -> Option<TimeZone> {
    let rest = name.strip_prefix("UTC").unwrap_or(name);
    let (sign, digits) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(d), _) => (1, d),
        (_, Some(d)) => (-1, d),
        _ => return None,
    };
    let (h, m) = digits.split_once(':').unwrap_or((digits, "0"));
    let seconds = (h.parse::<i32>().ok()? * 60 + m.parse::<i32>().ok()?) * 60 * sign;
    jiff::tz::Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}
