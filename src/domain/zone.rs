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
}
