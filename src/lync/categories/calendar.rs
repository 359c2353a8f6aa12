//! `calendarData` and `workingHours` values: working hours, and free-busy time packed two bits a slot (domain guide 5.5).

use super::value::Value;
use crate::domain::calendar::{Busyness, FreeBusy, Transition, WorkingHours, WorkingPeriod};
use crate::lync::limits::FREE_BUSY_SLOTS;
use crate::lync::time;
use crate::lync::xml::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const CALENDAR: &str = "http://schemas.microsoft.com/2006/09/sip/calendarData";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
const HOURS: &str = "WorkingHours";
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A `calendarData` value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarData {
    /// Whose: a mail address.
    pub mailbox: String,
    /// What.
    pub content: CalendarContent,
}

/// What a `calendarData` value tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarContent {
    /// When the owner works (instance 0).
    Hours(WorkingHours),
    /// When the owner is free.
    FreeBusy(FreeBusy),
    /// Nothing, as in containers 100 and 32000.
    Empty,
}

impl Value for CalendarData {
    const ROOT: &'static str = "calendarData";
    const KNOWN: &'static [&'static str] = &[
        "mailboxID",
        HOURS,
        "freeBusy",
        "startTime",
        "granularity",
        "encodingVersion",
        "TimeZone",
        "Bias",
        "StandardTime",
        "DaylightTime",
        "Time",
        "DayOrder",
        "Month",
        "DayOfWeek",
        "WorkingPeriodArray",
        "WorkingPeriod",
        "StartTimeInMinutes",
        "EndTimeInMinutes",
    ];

    fn read(root: &Element) -> Option<CalendarData> {
        let hours = root.child(HOURS).and_then(read_hours).map(CalendarContent::Hours);
        let free = || root.child("freeBusy").and_then(read_free_busy).map(CalendarContent::FreeBusy);
        Some(CalendarData {
            mailbox: root.attr("mailboxID").unwrap_or("").to_owned(),
            content: hours.or_else(free).unwrap_or(CalendarContent::Empty),
        })
    }

    fn write(&self) -> Element {
        let root = Element::in_ns("calendarData", CALENDAR).with_attr("mailboxID", &self.mailbox);
        match &self.content {
            CalendarContent::Hours(h) => root.with(write_hours(h)),
            CalendarContent::FreeBusy(f) => root.with(write_free_busy(f)),
            CalendarContent::Empty => root,
        }
    }
}

/// A `workingHours` value (container 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnWorkingHours(pub WorkingHours);

impl Value for OwnWorkingHours {
    const ROOT: &'static str = "workingHours";
    const KNOWN: &'static [&'static str] = &[
        HOURS,
        "TimeZone",
        "Bias",
        "StandardTime",
        "DaylightTime",
        "Time",
        "DayOrder",
        "Month",
        "DayOfWeek",
        "WorkingPeriodArray",
        "WorkingPeriod",
        "StartTimeInMinutes",
        "EndTimeInMinutes",
    ];

    fn read(root: &Element) -> Option<OwnWorkingHours> {
        root.child(HOURS).and_then(read_hours).map(OwnWorkingHours)
    }

    fn write(&self) -> Element {
        Element::in_ns("workingHours", CALENDAR).with(write_hours(&self.0))
    }
}

fn write_free_busy(f: &FreeBusy) -> Element {
    Element::in_ns("freeBusy", CALENDAR)
        .with_attr("startTime", time::seconds_z(f.start))
        .with_attr("granularity", format!("PT{}M", f.slot_minutes))
        .with_attr("encodingVersion", 1)
        .with_text(STANDARD.encode(pack(&f.slots)))
}

fn read_free_busy(e: &Element) -> Option<FreeBusy> {
    let minutes = e.attr("granularity").and_then(minutes).unwrap_or(15);
    let packed: String = e.text().split_whitespace().collect();
    if packed.len() > FREE_BUSY_SLOTS / 3 + 4 {
        return None;
    }
    let slots = unpack(&STANDARD.decode(packed).ok()?);
    Some(FreeBusy { start: e.attr("startTime").and_then(time::parse)?, slot_minutes: minutes, slots })
}

/// `PT15M`, `PT1H`
fn minutes(granularity: &str) -> Option<u32> {
    let (number, unit) = granularity.strip_prefix("PT")?.split_at_checked(granularity.len().checked_sub(3)?)?;
    let number: u32 = number.parse().ok()?;
    let minutes = match unit {
        "M" => number,
        "H" => number.checked_mul(60)?,
        _ => return None,
    };
    (1..=24 * 60).contains(&minutes).then_some(minutes)
}

/// Two bits a slot, the first in the lowest bits of the first octet, as known clients read it.
pub fn pack(slots: &[Busyness]) -> Vec<u8> {
    let bits = |b: &Busyness| match b {
        Busyness::Free => 0u8,
        Busyness::Tentative => 1,
        Busyness::Busy => 2,
        Busyness::OutOfOffice => 3,
    };
    slots.chunks(4).map(|four| four.iter().rev().fold(0, |octet, b| octet << 2 | bits(b))).collect()
}

/// The opposite of [`pack`]; the last octet may bring up to three free slots too many.
pub fn unpack(octets: &[u8]) -> Vec<Busyness> {
    const BY_BITS: [Busyness; 4] = [Busyness::Free, Busyness::Tentative, Busyness::Busy, Busyness::OutOfOffice];
    octets.iter().flat_map(|o| [0, 2, 4, 6].map(|shift| BY_BITS[usize::from(o >> shift & 3)])).collect()
}

fn write_hours(h: &WorkingHours) -> Element {
    let transition = |name: &str, t: &Transition| {
        let day = DAYS.get(usize::from(t.weekday)).copied().unwrap_or("Sunday");
        Element::in_ns(name, TYPES)
            .with_leaf("Bias", t.bias.to_string())
            .with_leaf("Time", format!("{:02}:{:02}:{:02}", t.at / 3600, t.at / 60 % 60, t.at % 60))
            .with_leaf("DayOrder", t.order.to_string())
            .with_leaf("Month", t.month.to_string())
            .with_leaf("DayOfWeek", day)
    };
    let zone = Element::in_ns("TimeZone", TYPES)
        .with_leaf("Bias", h.bias.to_string())
        .with_opt(h.standard.as_ref().map(|t| transition("StandardTime", t)))
        .with_opt(h.daylight.as_ref().map(|t| transition("DaylightTime", t)));
    let period = |p: &WorkingPeriod| {
        let days: Vec<&str> = p.days.iter().filter_map(|d| DAYS.get(usize::from(*d)).copied()).collect();
        Element::in_ns("WorkingPeriod", TYPES)
            .with_leaf("DayOfWeek", days.join(" "))
            .with_leaf("StartTimeInMinutes", p.start.to_string())
            .with_leaf("EndTimeInMinutes", p.end.to_string())
    };
    let periods = Element::in_ns("WorkingPeriodArray", TYPES).with_all(h.periods.iter().map(period));
    Element::in_ns(HOURS, TYPES).with(zone).with(periods)
}

fn read_hours(e: &Element) -> Option<WorkingHours> {
    let number = |e: &Element, name| e.child_text(name).and_then(|t| t.parse::<i32>().ok());
    let weekday = |name: &str| DAYS.iter().position(|d| d.eq_ignore_ascii_case(name)).and_then(|d| u8::try_from(d).ok());
    let transition = |t: &Element| {
        let at = t.child_text("Time")?;
        let mut parts = at.split(':').map(|p| p.parse::<u32>().ok().filter(|p| *p < 60));
        let (h, m, s) = (parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0));
        let small = |name| number(t, name).and_then(|n| u8::try_from(n).ok());
        Some(Transition {
            bias: number(t, "Bias")?,
            at: h * 3600 + m * 60 + s,
            order: small("DayOrder")?,
            month: small("Month")?,
            weekday: weekday(&t.child_text("DayOfWeek")?)?,
        })
    };
    let period = |p: &Element| {
        let minutes = |name| number(p, name).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= 24 * 60);
        Some(WorkingPeriod {
            days: p.child_text("DayOfWeek")?.split_whitespace().filter_map(weekday).collect(),
            start: minutes("StartTimeInMinutes")?,
            end: minutes("EndTimeInMinutes")?,
        })
    };
    let zone = e.child("TimeZone");
    let periods = e.child("WorkingPeriodArray")?.children_named("WorkingPeriod").filter_map(period);
    Some(WorkingHours {
        bias: zone.and_then(|z| number(z, "Bias")).unwrap_or(0),
        standard: zone.and_then(|z| z.child("StandardTime")).and_then(transition),
        daylight: zone.and_then(|z| z.child("DaylightTime")).and_then(transition),
        periods: periods.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Time;

    const FREE: &str = r#"<calendarData xmlns="http://schemas.microsoft.com/2006/09/sip/calendarData" mailboxID="alice@contoso.com"><freeBusy startTime="2014-01-15T00:00:00Z" granularity="PT15M" encodingVersion="1">KAAA</freeBusy></calendarData>"#;
    const HOURS_TEXT: &str = r#"<calendarData xmlns="http://schemas.microsoft.com/2006/09/sip/calendarData" mailboxID="alice@contoso.com"><WorkingHours xmlns="http://schemas.microsoft.com/exchange/services/2006/types"><TimeZone><Bias>-60</Bias><StandardTime><Bias>0</Bias><Time>03:00:00</Time><DayOrder>5</DayOrder><Month>10</Month><DayOfWeek>Sunday</DayOfWeek></StandardTime><DaylightTime><Bias>-60</Bias><Time>02:00:00</Time><DayOrder>5</DayOrder><Month>3</Month><DayOfWeek>Sunday</DayOfWeek></DaylightTime></TimeZone><WorkingPeriodArray><WorkingPeriod><DayOfWeek>Monday Tuesday Wednesday Thursday Friday</DayOfWeek><StartTimeInMinutes>540</StartTimeInMinutes><EndTimeInMinutes>1050</EndTimeInMinutes></WorkingPeriod></WorkingPeriodArray></WorkingHours></calendarData>"#;

    #[test]
    fn the_examples_of_the_guide_read_and_print_as_they_are() {
        let free = CalendarData::parse(FREE).unwrap();
        let CalendarContent::FreeBusy(f) = &free.content else { panic!("{free:?}") };
        assert_eq!((f.slot_minutes, f.slots.len()), (15, 12));
        assert_eq!(f.at(Time(f.start.0 + 15 * 60_000)), Some(Busyness::Busy));
        assert_eq!(free.to_xml(), FREE);
        let hours = CalendarData::parse(HOURS_TEXT).unwrap();
        let CalendarContent::Hours(h) = &hours.content else { panic!("{hours:?}") };
        assert_eq!((h.periods[0].days.as_slice(), h.periods[0].start), (&[1, 2, 3, 4, 5][..], 9 * 60));
        assert_eq!(hours.to_xml(), HOURS_TEXT);
    }

    #[test]
    fn free_is_00_tentative_01_busy_10_out_of_office_11_from_the_lowest_bits_on() {
        use Busyness::{Busy, Free, OutOfOffice, Tentative};
        assert_eq!(pack(&[Free, Tentative, Busy, OutOfOffice, Tentative]), [0b1110_0100, 0b01]);
        assert_eq!(unpack(&[0b1110_0100]), [Free, Tentative, Busy, OutOfOffice]);
    }

    #[test]
    fn bad_free_busy_is_none() {
        let broken = [("KAAA", "!!"), ("PT15M", "PT0M"), ("PT15M", "PTM"), ("2014-01-15T00:00:00Z", "soon")];
        for (from, to) in broken {
            let data = CalendarData::parse(&FREE.replace(from, to)).unwrap();
            let kept = matches!(&data.content, CalendarContent::FreeBusy(f) if f.slot_minutes == 15);
            assert!(data.content == CalendarContent::Empty || kept, "{from}");
        }
        let long = FREE.replace("KAAA", &"KAAA".repeat(100_000));
        assert_eq!(CalendarData::parse(&long).unwrap().content, CalendarContent::Empty);
    }
}
