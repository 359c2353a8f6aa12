//! Working hours and languages of the configuration, in the numbers of the dialect.

use crate::domain::Time;
use crate::domain::calendar::{Transition, WorkingHours, WorkingPeriod};
use jiff::tz::TimeZone;

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Names of languages and the Windows locale ids that travel.
const LOCALES: [(&str, u32); 24] = [
    ("cs-CZ", 1029),
    ("da-DK", 1030),
    ("de-DE", 1031),
    ("el-GR", 1032),
    ("en-GB", 2057),
    ("en-US", 1033),
    ("es-ES", 3082),
    ("fi-FI", 1035),
    ("fr-FR", 1036),
    ("he-IL", 1037),
    ("hu-HU", 1038),
    ("it-IT", 1040),
    ("ja-JP", 1041),
    ("ko-KR", 1042),
    ("nb-NO", 1044),
    ("nl-NL", 1043),
    ("pl-PL", 1045),
    ("pt-BR", 1046),
    ("pt-PT", 2070),
    ("ru-RU", 1049),
    ("sv-SE", 1053),
    ("tr-TR", 1055),
    ("uk-UA", 1058),
    ("zh-CN", 2052),
];

/// The Windows locale id of a language: its name (`de-DE`, `de`) or the number itself.
pub fn lcid(name: &str) -> Option<u32> {
    if let Ok(number) = name.parse::<u32>() {
        return (number > 0).then_some(number);
    }
    let exact = LOCALES.iter().find(|l| l.0.eq_ignore_ascii_case(name));
    let language = || {
        let wanted = name.to_ascii_lowercase();
        // English without a country is American.
        let all = || LOCALES.iter().filter(|l| l.0.split('-').next() == Some(wanted.as_str()));
        all().find(|l| l.1 < 2048).or_else(|| all().next())
    };
    exact.or_else(language).map(|l| l.1)
}

/// A weekday by the beginning of its English name: 0 is Sunday.
pub fn weekday(name: &str) -> Option<u8> {
    let low = name.to_lowercase();
    let at = DAYS.iter().position(|d| low.starts_with(d))?;
    u8::try_from(at).ok()
}

/// `09:00` as minutes after midnight; `24:00` is the end of a day.
pub fn minutes(clock: &str) -> Option<u32> {
    let (h, m) = clock.split_once(':')?;
    let (h, m): (u32, u32) = (h.parse().ok()?, m.parse().ok()?);
    (m < 60 && h * 60 + m <= 24 * 60).then_some(h * 60 + m)
}

/// Working hours in a zone, with the changes of the clock that follow `now`.
pub fn working_hours(periods: Vec<WorkingPeriod>, zone: &TimeZone, now: Time) -> WorkingHours {
    let here = zone.to_offset_info(now.timestamp());
    let changes: Vec<_> = zone.following(now.timestamp()).take(2).collect();
    let winter = changes.iter().find(|c| !c.dst().is_dst()).map(|c| c.offset());
    let standard = winter.filter(|_| here.dst().is_dst()).unwrap_or(here.offset()).seconds() / 60;
    let change = |dst: bool| {
        let c = changes.iter().find(|c| c.dst().is_dst() == dst)?;
        // Its hour is told by the clock that ends with it.
        let before = zone.to_offset(c.timestamp() - jiff::SignedDuration::from_secs(1));
        let local = before.to_datetime(c.timestamp());
        let order = if local.day() + 7 > local.days_in_month() { 5 } else { (local.day() - 1) / 7 + 1 };
        Some(Transition {
            bias: standard - c.offset().seconds() / 60,
            at: u32::try_from(i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60).unwrap_or(0),
            order: u8::try_from(order).unwrap_or(5),
            month: u8::try_from(local.month()).unwrap_or(1),
            weekday: u8::try_from(local.weekday().to_sunday_zero_offset()).unwrap_or(0),
        })
    };
    let both = changes.iter().any(|c| c.dst().is_dst()) && changes.iter().any(|c| !c.dst().is_dst());
    let (winter, summer) = if both { (change(false), change(true)) } else { (None, None) };
    WorkingHours { bias: -standard, standard: winter, daylight: summer, periods }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_days_and_clocks_are_read() {
        assert_eq!(
            (lcid("de-DE"), lcid("EN"), lcid("1036"), lcid("pt"), lcid("xx")),
            (Some(1031), Some(1033), Some(1036), Some(1046), None)
        );
        assert_eq!((weekday("Mon"), weekday("sunday"), weekday("x")), (Some(1), Some(0), None));
        assert_eq!((minutes("09:30"), minutes("24:00"), minutes("24:01"), minutes("9")), (Some(570), Some(1440), None, None));
    }

    #[test]
    fn the_zone_is_told_as_the_dialect_wants_it() {
        for now in ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"] {
            let now = Time::from_timestamp(now.parse().unwrap());
            let berlin = working_hours(Vec::new(), &TimeZone::get("Europe/Berlin").unwrap(), now);
            assert_eq!(berlin.bias, -60);
            assert_eq!(berlin.standard, Some(Transition { bias: 0, at: 3 * 3600, order: 5, month: 10, weekday: 0 }));
            assert_eq!(berlin.daylight, Some(Transition { bias: -60, at: 2 * 3600, order: 5, month: 3, weekday: 0 }));
            let utc = working_hours(Vec::new(), &TimeZone::UTC, now);
            assert_eq!((utc.bias, utc.standard, utc.daylight), (0, None, None));
        }
    }
}
