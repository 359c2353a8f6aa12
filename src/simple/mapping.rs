//! How availability and activities are said with RPID (RFC 4480), and read back: the table of `simple.md` 4.9.

use crate::domain::presence::{Activity, Availability, AvailabilityClass};

/// `class` of somebody whose note says that they are out of office, whatever their state.
pub const OUT_OF_OFFICE: &str = "out-of-office";
/// Own words for a meal, as others say it.
const LUNCH: &str = "Out to lunch";

/// A state in the words of RPID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpid {
    /// `basic` is open.
    pub open: bool,
    /// Names of activities, the most telling one first.
    pub activities: Vec<&'static str>,
    /// Own words (`other`).
    pub other: Option<String>,
    /// `class` of the person.
    pub class: Option<&'static str>,
    /// `user-input` is idle.
    pub idle: bool,
}

/// Says a state in the words of RPID. `lcid` chooses among own words.
pub fn write(availability: Availability, activity: Option<&Activity>, lcid: u32) -> Rpid {
    use AvailabilityClass as C;
    let activity = activity.filter(|a| a.fits(availability));
    let token = activity.and_then(|a| a.token.as_deref());
    let class = availability.class();
    let (name, kind) = match token {
        Some("on-the-phone") => (Some("on-the-phone"), None),
        Some("in-a-conference") => (Some("on-the-phone"), Some("conference")),
        Some("in-a-meeting") => (Some("meeting"), None),
        Some("in-presentation") => (Some("presentation"), None),
        Some("out-of-office") => (Some("vacation"), None),
        Some("off-work") => (Some("away"), Some("off-work")),
        Some("urgent-interruptions-only") => (Some("busy"), Some("urgent-only")),
        Some("out-to-lunch") => (Some("meal"), None),
        None if is_lunch(activity, lcid) && class == C::Away => (Some("meal"), None),
        _ => match class {
            C::Unknown | C::Available | C::AvailableIdle | C::Offline => (None, None),
            C::Busy | C::BusyIdle | C::DoNotDisturb => (Some("busy"), None),
            C::BeRightBack | C::Away => (Some("away"), None),
        },
    };
    Rpid {
        open: class != C::Offline,
        activities: name.into_iter().collect(),
        other: activity.filter(|a| a.token.is_none()).and_then(|a| a.text(lcid)).map(str::to_owned),
        class: match class {
            C::DoNotDisturb => Some("dnd"),
            C::BeRightBack => Some("brb"),
            _ => kind,
        },
        idle: matches!(class, C::AvailableIdle | C::BusyIdle),
    }
}

fn is_lunch(activity: Option<&Activity>, lcid: u32) -> bool {
    activity.and_then(|a| a.text(lcid)).is_some_and(|t| t.eq_ignore_ascii_case(LUNCH))
}

/// What others say, in their words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// `basic`; `None`: neither open nor closed.
    pub open: Option<bool>,
    /// Names of activities.
    pub activities: &'a [String],
    /// Own words.
    pub other: Option<&'a str>,
    /// `class`.
    pub class: Option<&'a str>,
    /// Every device is idle.
    pub idle: bool,
    /// Some service is not willing (OMA `willingness` closed).
    pub unwilling: bool,
}

/// The number and the activity that others mean.
pub fn read(said: &Said<'_>) -> (Option<Availability>, Option<Activity>) {
    match said.open {
        Some(true) => {}
        Some(false) => return (Some(Availability::OFFLINE), None),
        None => return (None, None),
    }
    let is = |names: &[&str]| said.activities.iter().any(|a| names.contains(&a.as_str()));
    let wants_peace = |t: &str| t.eq_ignore_ascii_case("dnd") || t.eq_ignore_ascii_case("do not disturb");
    let number = if said.class == Some("dnd") || said.unwilling || said.other.is_some_and(wants_peace) {
        Availability::DO_NOT_DISTURB
    } else if said.class == Some("brb") {
        Availability::BE_RIGHT_BACK
    } else if said.class == Some("urgent-only") {
        Availability::URGENT_ONLY
    } else if is(AWAY) {
        Availability::AWAY
    } else if is(BUSY) {
        if said.idle { BUSY_IDLE } else { Availability::BUSY }
    } else if said.idle {
        Availability::IDLE
    } else {
        Availability::AVAILABLE
    };
    (Some(number), activity(said, &is))
}

/// What `simple.md` 4.9 makes of somebody busy whose devices are idle.
const BUSY_IDLE: Availability = Availability(7500);
const BUSY: &[&str] = &["busy", "meeting", "on-the-phone", "appointment", "presentation", "performance", "working"];
const AWAY: &[&str] = &[
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
];

fn activity(said: &Said<'_>, is: &dyn Fn(&[&str]) -> bool) -> Option<Activity> {
    let token = |t: &str| Some(Activity { token: Some(t.to_owned()), custom: Vec::new(), min: 0, max: u32::MAX });
    match said.class {
        Some("conference") if is(&["on-the-phone"]) => return token("in-a-conference"),
        Some("off-work") => return token("off-work"),
        Some("urgent-only") => return token("urgent-interruptions-only"),
        _ => {}
    }
    for (name, known) in [
        ("on-the-phone", "on-the-phone"),
        ("meeting", "in-a-meeting"),
        ("presentation", "in-presentation"),
        ("vacation", "out-of-office"),
    ] {
        if is(&[name]) {
            return token(known);
        }
    }
    let words = said.other.map(str::to_owned).or_else(|| said.activities.iter().find_map(|a| plain_words(a)))?;
    Some(Activity { token: None, custom: vec![(0, words)], min: 0, max: u32::MAX })
}

/// Words for activities that have no token here; those that only repeat the number have none.
fn plain_words(name: &str) -> Option<String> {
    match name {
        "away" | "busy" | "unknown" | "other" => None,
        "meal" => Some(LUNCH.into()),
        "breakfast" | "dinner" => Some("Out to eat".into()),
        "in-transit" | "travel" | "steering" => Some("On the way".into()),
        name => {
            let mut words = name.replace('-', " ");
            words.get_mut(..1)?.make_ascii_uppercase();
            Some(words)
        }
    }
}

#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use super::*;

    fn round(availability: Availability, activity: Option<Activity>) -> (Option<Availability>, Option<Activity>) {
        let r = write(availability, activity.as_ref(), 1033);
        let names: Vec<String> = r.activities.iter().map(|a| (*a).to_owned()).collect();
        let said = Said {
            open: Some(r.open),
            activities: &names,
            other: r.other.as_deref(),
            class: r.class,
            idle: r.idle,
            unwilling: false,
        };
        read(&said)
    }

    #[test]
    fn every_class_of_availability_comes_back_as_itself() {
        for n in [3500, 5000, 6500, 7500, 9500, 12_500, 15_500, 18_500] {
            assert_eq!(round(Availability(n), None), (Some(Availability(n)), None), "{n}");
        }
    }

    #[test]
    fn every_token_comes_back_as_itself() {
        for (n, token) in [
            (6500, "on-the-phone"),
            (7000, "in-a-conference"),
            (6500, "in-a-meeting"),
            (9500, "in-presentation"),
            (15_500, "out-of-office"),
            (15_500, "off-work"),
            (6900, "urgent-interruptions-only"),
        ] {
            let (number, activity) = round(Availability(n), Some(Activity::token(token)));
            assert_eq!(number.unwrap().class(), Availability(n).class(), "{token}");
            assert_eq!(activity.unwrap().token.as_deref(), Some(token));
        }
    }

    #[test]
    fn own_words_stand_beside_the_number() {
        let words = Activity { token: None, custom: vec![(1033, "In the lab".into())], min: 0, max: u32::MAX };
        let (number, activity) = round(Availability::BUSY, Some(words));
        assert_eq!(number, Some(Availability::BUSY));
        assert_eq!(activity.unwrap().text(1033), Some("In the lab"));
    }

    #[test]
    fn an_activity_out_of_its_limits_is_not_said() {
        assert_eq!(write(Availability::AVAILABLE, Some(&Activity::token("on-the-phone")), 1033).activities, Vec::<&str>::new());
    }

    #[test]
    fn neither_open_nor_closed_is_unknown() {
        assert_eq!(read(&Said::default()), (None, None));
    }
}
