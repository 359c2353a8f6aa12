//! What a calendar says of its owner: appointments, free and busy time, working hours (`domain.md` 5.3, 5.5).

pub mod ics;

use super::Time;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Minutes of one free-busy slot that is published.
pub const SLOT_MINUTES: u32 = 15;
/// How far ahead free-busy time is published.
pub const FREE_BUSY_AHEAD: Duration = Duration::from_secs(7 * 86_400);

/// How taken a time is; the stronger wins where appointments overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Busyness {
    /// 00
    #[default]
    Free,
    /// 01
    Tentative,
    /// 10
    Busy,
    /// 11
    OutOfOffice,
}

/// One occurrence of an appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// First moment.
    pub start: Time,
    /// First moment after it.
    pub end: Time,
    /// How it takes the time.
    pub busy: Busyness,
    /// Title; may be empty.
    pub subject: String,
    /// Where; may be empty.
    pub place: String,
}

/// Free and busy time as slots of equal length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeBusy {
    /// Start of the first slot.
    pub start: Time,
    /// Minutes of a slot, at least 1.
    pub slot_minutes: u32,
    /// One after another.
    pub slots: Vec<Busyness>,
}

/// What is published of a calendar at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarNow {
    /// The busy appointment that goes on.
    pub meeting: Option<Appointment>,
    /// The out-of-office period that goes on.
    pub out_of_office: Option<Appointment>,
    /// The days ahead.
    pub free_busy: Option<FreeBusy>,
}

/// A change between standard and daylight-saving time, as calendars of the dialect write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Minutes added to the bias of the zone from here on.
    pub bias: i32,
    /// Seconds after midnight, local.
    pub at: u32,
    /// Which of its weekdays in the month, from 1; 5 is the last.
    pub order: u8,
    /// Month, from 1.
    pub month: u8,
    /// Weekday: 0 is Sunday.
    pub weekday: u8,
}

/// Hours on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingPeriod {
    /// Weekdays: 0 is Sunday.
    pub days: Vec<u8>,
    /// Minutes after midnight.
    pub start: u32,
    /// Minutes after midnight.
    pub end: u32,
}

/// When somebody works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// Minutes west of UTC.
    pub bias: i32,
    /// When standard time begins; `None`: the bias holds all year.
    pub standard: Option<Transition>,
    /// When daylight-saving time begins.
    pub daylight: Option<Transition>,
    /// The hours.
    pub periods: Vec<WorkingPeriod>,
}

impl Appointment {
    /// Whether it goes on at a moment.
    pub fn covers(&self, at: Time) -> bool {
        self.start <= at && at < self.end
    }
}

/// What `appointments` say at `now`. Of several meetings the one that began last is named.
pub fn at(appointments: &[Appointment], now: Time) -> CalendarNow {
    let going_on = |busy| appointments.iter().filter(move |a| a.busy == busy && a.covers(now)).max_by_key(|a| (a.start, a.end));
    CalendarNow {
        meeting: going_on(Busyness::Busy).cloned(),
        out_of_office: going_on(Busyness::OutOfOffice).cloned(),
        free_busy: Some(free_busy(appointments, now)),
    }
}

/// The next moment at which [`at`] says something else: a start or an end, or the next day's slots.
pub fn next_change(appointments: &[Appointment], now: Time) -> Option<Time> {
    let taking = appointments.iter().filter(|a| a.busy >= Busyness::Busy);
    taking.flat_map(|a| [a.start, a.end]).filter(|t| *t > now).min()
}

/// Slots from the last midnight (UTC) on, so that what is published changes once a day only.
fn free_busy(appointments: &[Appointment], now: Time) -> FreeBusy {
    let day = Time(now.0 - now.0 % 86_400_000);
    let slot = u64::from(SLOT_MINUTES) * 60_000;
    let count = usize::try_from(u64::try_from(FREE_BUSY_AHEAD.as_millis()).unwrap_or(0) / slot).unwrap_or(0);
    let mut slots = vec![Busyness::Free; count];
    for a in appointments.iter().filter(|a| a.end > day && a.end > a.start) {
        let first = usize::try_from(a.start.0.saturating_sub(day.0) / slot).unwrap_or(count);
        let after = usize::try_from((a.end.0 - day.0).div_ceil(slot)).unwrap_or(count);
        for s in slots.iter_mut().take(after.min(count)).skip(first) {
            *s = (*s).max(a.busy);
        }
    }
    FreeBusy { start: day, slot_minutes: SLOT_MINUTES, slots }
}

impl FreeBusy {
    /// How taken a moment is; `None` outside the slots.
    pub fn at(&self, time: Time) -> Option<Busyness> {
        let slot = u64::from(self.slot_minutes.max(1)) * 60_000;
        let index = time.0.checked_sub(self.start.0)? / slot;
        self.slots.get(usize::try_from(index).ok()?).copied()
    }

    /// Until when it stays as it is at `time`; `None` outside, or when it never changes within the slots.
    pub fn until(&self, time: Time) -> Option<Time> {
        let slot = u64::from(self.slot_minutes.max(1)) * 60_000;
        let index = usize::try_from(time.0.checked_sub(self.start.0)? / slot).ok()?;
        let now = *self.slots.get(index)?;
        let next = self.slots.iter().skip(index).position(|s| *s != now)? + index;
        Some(Time(self.start.0 + slot * u64::try_from(next).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    fn appointment(start: u64, end: u64, busy: Busyness, subject: &str) -> Appointment {
        Appointment { start: Time(start), end: Time(end), busy, subject: subject.into(), place: String::new() }
    }

    #[test]
    fn a_meeting_counts_from_its_start_to_its_end_and_the_latest_is_named() {
        let all = [
            appointment(DAY + 9 * HOUR, DAY + 12 * HOUR, Busyness::Busy, "Workshop"),
            appointment(DAY + 10 * HOUR, DAY + 11 * HOUR, Busyness::Busy, "Budget"),
            appointment(DAY, 3 * DAY, Busyness::OutOfOffice, "Leave"),
            appointment(DAY + 9 * HOUR, DAY + 10 * HOUR, Busyness::Tentative, "Maybe"),
        ];
        let subject = |t: u64| at(&all, Time(t)).meeting.map(|m| m.subject);
        assert_eq!(subject(DAY + 9 * HOUR - 1), None);
        assert_eq!(subject(DAY + 9 * HOUR).as_deref(), Some("Workshop"));
        assert_eq!(subject(DAY + 10 * HOUR).as_deref(), Some("Budget"));
        assert_eq!(subject(DAY + 11 * HOUR).as_deref(), Some("Workshop"));
        assert_eq!(subject(DAY + 12 * HOUR), None);
        assert!(at(&all, Time(2 * DAY)).out_of_office.is_some() && at(&all, Time(3 * DAY)).out_of_office.is_none());
        let starts: Vec<u64> =
            std::iter::successors(Some(Time(0)), |t| next_change(&all, *t)).skip(1).map(|t| t.0 / HOUR).collect();
        assert_eq!(starts, [24, 33, 34, 35, 36, 72], "starts and ends, and nothing for what is tentative");
    }

    #[test]
    fn slots_begin_at_midnight_and_the_stronger_wins() {
        let all = [
            appointment(DAY + 10 * HOUR + 60_000, DAY + 11 * HOUR, Busyness::Busy, ""),
            appointment(DAY + 10 * HOUR, DAY + 12 * HOUR, Busyness::Tentative, ""),
        ];
        let f = free_busy(&all, Time(DAY + 20 * HOUR));
        assert_eq!((f.start, f.slots.len()), (Time(DAY), 7 * 96));
        let seen = |t: u64| f.at(Time(DAY + t));
        assert_eq!(seen(10 * HOUR - 1), Some(Busyness::Free));
        assert_eq!(seen(10 * HOUR), Some(Busyness::Busy), "a slot is as taken as its strongest minute");
        assert_eq!((seen(11 * HOUR), seen(12 * HOUR)), (Some(Busyness::Tentative), Some(Busyness::Free)));
        assert_eq!(f.until(Time(DAY + 10 * HOUR)), Some(Time(DAY + 11 * HOUR)));
        assert_eq!((f.at(Time(0)), f.until(Time(DAY + 13 * HOUR))), (None, None));
    }
}
