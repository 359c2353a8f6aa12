//! The table of `simple.md` 4.9, row by row, both ways; each test is named after its rows.

use super::*;

/// What is written: open, activities, class, idle.
type Written = (bool, &'static [&'static str], Option<&'static str>, bool);

fn written(n: u32) -> (bool, Vec<&'static str>, Option<&'static str>, bool) {
    let r = write(Availability(n), None, 1033);
    (r.open, r.activities, r.class, r.idle)
}

#[test]
fn rows_of_availability_write() {
    let rows: &[(&[u32], Written)] = &[
        (&[3000, 3500, 4499], (true, &[], None, false)),
        (&[4500, 5000, 5999], (true, &[], None, true)),
        (&[6000, 6500, 7499], (true, &["busy"], None, false)),
        (&[7500, 8000, 8999], (true, &["busy"], None, true)),
        (&[9000, 9500, 11_999], (true, &["busy"], Some("dnd"), false)),
        (&[12_000, 12_500, 14_999], (true, &["away"], Some("brb"), false)),
        (&[15_000, 15_500, 17_999], (true, &["away"], None, false)),
        (&[18_000, 18_500], (false, &[], None, false)),
    ];
    for (numbers, expected) in rows {
        for n in *numbers {
            let (open, activities, class, idle) = written(*n);
            assert_eq!((open, activities.as_slice(), class, idle), *expected, "{n}");
        }
    }
}

fn read_of(open: Option<bool>, activity: &str, class: Option<&str>, other: Option<&str>, idle: bool) -> Option<u32> {
    let activities: Vec<String> = activity.split(' ').filter(|a| !a.is_empty()).map(str::to_owned).collect();
    let said = Said { open, activities: &activities, other, class, idle, unwilling: false };
    read(&said).0.map(|a| a.0)
}

#[test]
fn rows_of_availability_read_back() {
    let open = |activity, class, idle| read_of(Some(true), activity, class, None, idle);
    assert_eq!((open("", None, false), open("", None, true)), (Some(3500), Some(5000)));
    for name in ["busy", "meeting", "on-the-phone", "appointment", "presentation", "performance", "working"] {
        assert_eq!((open(name, None, false), open(name, None, true)), (Some(6500), Some(7500)), "{name}");
    }
    assert_eq!(open("busy", Some("dnd"), false), Some(9500));
    for words in ["dnd", "Do not disturb"] {
        assert_eq!(read_of(Some(true), "", None, Some(words), false), Some(9500), "{words}");
    }
    assert_eq!(open("away", Some("brb"), false), Some(12_500));
    for name in [
        "away",
        "meal",
        "breakfast",
        "dinner",
        "in-transit",
        "shopping",
        "sleeping",
        "travel",
        "vacation",
        "holiday",
        "permanent-absence",
    ] {
        assert_eq!(open(name, None, false), Some(15_500), "{name}");
    }
    assert_eq!((read_of(Some(false), "busy", None, None, false), read_of(None, "", None, None, false)), (Some(18_500), None));
}

#[test]
fn rows_of_tokens_write_and_read_back() {
    let rows = [
        (6500, "on-the-phone", "on-the-phone", None),
        (7000, "in-a-conference", "on-the-phone", Some("conference")),
        (6500, "in-a-meeting", "meeting", None),
        (9500, "in-presentation", "presentation", Some("dnd")),
        (15_500, "out-of-office", "vacation", None),
        (15_500, "off-work", "away", Some("off-work")),
        (6900, "urgent-interruptions-only", "busy", Some("urgent-only")),
    ];
    for (number, token, name, class) in rows {
        let r = write(Availability(number), Some(&Activity::token(token)), 1033);
        assert_eq!((r.activities.as_slice(), r.class), ([name].as_slice(), class), "{token}");
        let names = [name.to_owned()];
        let said = Said { open: Some(true), activities: &names, class, ..Said::default() };
        assert_eq!(read(&said).1.and_then(|a| a.token).as_deref(), Some(token));
    }
}

#[test]
fn row_of_lunch_and_row_of_own_words() {
    let words = |text: &str| Activity { token: None, custom: vec![(1033, text.into())], min: 0, max: u32::MAX };
    let lunch = write(Availability::AWAY, Some(&words("Out to lunch")), 1033);
    assert_eq!(lunch.activities, ["meal"]);
    let meal = ["meal".to_owned()];
    let said = Said { open: Some(true), activities: &meal, ..Said::default() };
    assert_eq!(read(&said).1.unwrap().text(1033), Some("Out to lunch"));
    let own = write(Availability::BUSY, Some(&words("In the lab")), 1033);
    assert_eq!((own.activities.as_slice(), own.other.as_deref()), (["busy"].as_slice(), Some("In the lab")));
}
