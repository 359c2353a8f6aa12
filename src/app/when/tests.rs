use super::*;

/// Saturday 21 November 2026, 09:30 in Berlin (UTC+1).
fn now() -> Time {
    Time::from_timestamp("2026-11-21T08:30:20Z".parse().unwrap())
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn shown(text: &str) -> String {
    match slot(text, now(), &berlin()) {
        Ok((s, rest)) => {
            let at = |t: Time| t.timestamp().to_zoned(s.zone.clone());
            let minutes = s.end.since(s.start).as_secs() / 60;
            format!("{} +{minutes} |{rest}", at(s.start).strftime("%a %Y-%m-%d %H:%M"))
        }
        Err(e) => format!("! {e}"),
    }
}

#[test]
fn times_as_people_write_them() {
    for (text, expected) in [
        ("tomorrow 10:00 1h", "Sun 2026-11-22 10:00 +60 |"),
        ("tomorrow 10:00 1h Budget review", "Sun 2026-11-22 10:00 +60 |Budget review"),
        ("tomorrow at 10", "Sun 2026-11-22 10:00 +60 |"),
        ("next tue 9", "Tue 2026-11-24 09:00 +60 |"),
        ("tue 9", "Tue 2026-11-24 09:00 +60 |"),
        ("sat 9", "! Sat 21 Nov 2026, 09:00 is over already"),
        ("sat 10", "Sat 2026-11-21 10:00 +60 |"),
        ("next sat 10", "Sat 2026-11-28 10:00 +60 |"),
        ("2026-12-01 14:00 45m", "Tue 2026-12-01 14:00 +45 |"),
        ("2026-12-01 14:00 45m Europe/London", "Tue 2026-12-01 14:00 +45 |"),
        ("in 2h", "Sat 2026-11-21 11:30 +60 |"),
        ("in 2h 30m", "Sat 2026-11-21 11:30 +30 |"),
        ("in 45 minutes Call", "Sat 2026-11-21 10:15 +60 |Call"),
        ("in 3 days 8:15", "Tue 2026-11-24 08:15 +60 |"),
        ("10:00", "Sat 2026-11-21 10:00 +60 |"),
        ("9:00", "Sun 2026-11-22 09:00 +60 |"),
        ("9am", "Sun 2026-11-22 09:00 +60 |"),
        ("3pm 90min", "Sat 2026-11-21 15:00 +90 |"),
        ("3 pm", "Sat 2026-11-21 15:00 +60 |"),
        ("12am", "Sun 2026-11-22 00:00 +60 |"),
        ("noon", "Sat 2026-11-21 12:00 +60 |"),
        ("today 16:00-17:30 Retro", "Sat 2026-11-21 16:00 +90 |Retro"),
        ("today 23:30 to 0:30", "Sat 2026-11-21 23:30 +60 |"),
        ("mon from 10 to 11:15", "Mon 2026-11-23 10:00 +75 |"),
        ("1 dec 9:00", "Tue 2026-12-01 09:00 +60 |"),
        ("dec 1 2027 9:00", "Wed 2027-12-01 09:00 +60 |"),
        ("3rd jan 9:00", "Sun 2027-01-03 09:00 +60 |"),
        ("1.12. 9:00", "Tue 2026-12-01 09:00 +60 |"),
        ("1.12.2026 9.30", "Tue 2026-12-01 09:30 +60 |"),
        ("on friday at 17:00 for 2 hours", "Fri 2026-11-27 17:00 +120 |"),
        ("tomorrow 10 1h30m", "Sun 2026-11-22 10:00 +90 |"),
        ("tomorrow 10 1h30 x", "Sun 2026-11-22 10:00 +90 |x"),
        ("tomorrow 10 1.5h", "Sun 2026-11-22 10:00 +90 |"),
        ("tomorrow 10 5 people sync", "Sun 2026-11-22 10:00 +60 |5 people sync"),
        ("now 15m Stand-up", "Sat 2026-11-21 09:30 +15 |Stand-up"),
        ("next week 10:00", "Sat 2026-11-28 10:00 +60 |"),
        ("10:00 Monday planning", "Mon 2026-11-23 10:00 +60 |planning"),
        ("tomorrow 10:00 UTC", "Sun 2026-11-22 10:00 +60 |"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_is_missing_is_said() {
    assert_eq!(shown(""), "! say when, such as “tomorrow 10:00 1h”, “next tue 9” or “in 2h”");
    assert_eq!(shown("Budget"), "! say when, such as “tomorrow 10:00 1h”, “next tue 9” or “in 2h”");
    assert_eq!(shown("tomorrow"), "! add a time of day, such as 10:00");
    assert_eq!(shown("2020-01-01 10:00"), "! Wed 1 Jan 2020, 10:00 is over already");
    assert_eq!(shown("tomorrow 25:00"), "! add a time of day, such as 10:00");
}

#[test]
fn zones_change_the_moment() {
    let at = |text| slot(text, now(), &berlin()).unwrap().0.start.timestamp().to_string();
    assert_eq!(at("2026-12-01 14:00"), "2026-12-01T13:00:00Z");
    assert_eq!(at("2026-12-01 14:00 America/New_York"), "2026-12-01T19:00:00Z");
    assert_eq!(at("2026-12-01 14:00 +05:30"), "2026-12-01T08:30:00Z");
    assert_eq!(zone_by_name("Mars/Olympus"), None);
}

#[test]
fn hours_that_a_clock_change_skips_move_forward() {
    let s = slot("2027-03-28 02:30 30m", now(), &berlin()).unwrap().0;
    assert_eq!(s.start.timestamp().to_string(), "2027-03-28T01:30:00Z");
}

#[test]
fn until_takes_moments_and_lengths() {
    let at = |text| {
        let (t, rest) = until(text, now(), &berlin()).unwrap();
        format!("{} |{rest}", t.timestamp().to_zoned(berlin()).strftime("%a %H:%M"))
    };
    assert_eq!(at("15:00 In the lab"), "Sat 15:00 |In the lab");
    assert_eq!(at("9:00"), "Sun 09:00 |");
    assert_eq!(at("2h"), "Sat 11:30 |");
    assert_eq!(at("tomorrow"), "Sun 23:59 |");
    assert_eq!(at("fri 17:00 travelling"), "Fri 17:00 |travelling");
    assert!(until("lunch", now(), &berlin()).is_err());
    // What begins now begins with the minute that runs.
    let minute = Time(now().0 / 60_000 * 60_000);
    for late in [0, 1, 59_999] {
        let begin = slot("now 1h", Time(minute.0 + late), &berlin()).unwrap().0;
        assert_eq!((begin.start, begin.end), (minute, Time(minute.0 + 3_600_000)));
    }
}

#[test]
fn what_is_written_is_read_back() {
    let (s, _) = slot("2026-12-01 14:00 1h15m", now(), &berlin()).unwrap();
    let text = write(s.start, Some(s.end), &berlin());
    assert_eq!(text, "2026-12-01 14:00 1h15m");
    assert_eq!(slot(&text, now(), &berlin()).unwrap().0, s);
    assert_eq!(describe(s.start, Some(s.end), &berlin()), "Tue 1 Dec 2026, 14:00 to 15:15 (Europe/Berlin)");
}
