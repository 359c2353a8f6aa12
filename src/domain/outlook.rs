//! How long somebody is free, or is not, as their calendar and their working hours say (`domain.md` 5.5).

use super::Time;
use super::calendar::{Busyness, FreeBusy, WorkingHours};
use std::time::Duration;

const DAY: u64 = 86_400_000;
const MINUTE: u64 = 60_000;

/// What the next hours bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing stands against it until then: an appointment, or the end of the working hours.
    Free(Time),
    /// An appointment goes on until then.
    Busy(Time),
    /// It is not the time at which they work.
    OffHours,
}

/// The outlook at `now`; `bias`: minutes their clock is behind UTC now. `None`: nothing is told that reaches far enough.
pub fn outlook(free_busy: Option<&FreeBusy>, hours: Option<&WorkingHours>, bias: Option<i32>, now: Time) -> Option<Outlook> {
    let change = free_busy.and_then(|f| next_change(f, now));
    if let Some((busy, until)) = change
        && busy >= Busyness::Busy
    {
        return Some(Outlook::Busy(until));
    }
    let ends = match hours.map(|h| (h, working(h, bias.unwrap_or(h.bias), now))) {
        Some((h, None)) if !h.periods.is_empty() => return Some(Outlook::OffHours),
        Some((_, ends)) => ends,
        None => None,
    };
    change.map(|c| c.1).into_iter().chain(ends).min().map(Outlook::Free)
}

/// How taken `now` is, and when that is over. Tentative time counts as free.
fn next_change(f: &FreeBusy, now: Time) -> Option<(Busyness, Time)> {
    let slot = u64::from(f.slot_minutes.max(1)) * MINUTE;
    let at = usize::try_from(now.0.checked_sub(f.start.0)? / slot).ok()?;
    let taken = |b: Busyness| b >= Busyness::Busy;
    let current = *f.slots.get(at)?;
    let more = f.slots.iter().skip(at).take_while(|b| taken(**b) == taken(current)).count();
    let after = at + more;
    // The end of what is told is no end of being free.
    (after < f.slots.len() || taken(current)).then(|| (current, Time(f.start.0 + slot * after as u64)))
}

/// The end of the working period that goes on; `None`: none does.
fn working(hours: &WorkingHours, bias: i32, now: Time) -> Option<Time> {
    let shift = Duration::from_secs(u64::from(bias.unsigned_abs()) * 60);
    let shift = u64::try_from(shift.as_millis()).ok()?;
    let local = if bias >= 0 { now.0.checked_sub(shift)? } else { now.0.checked_add(shift)? };
    // 1 January 1970 was a Thursday.
    let weekday = u8::try_from((local / DAY + 4) % 7).ok()?;
    let minute = u32::try_from(local % DAY / MINUTE).ok()?;
    let going_on = |p: &&super::calendar::WorkingPeriod| p.days.contains(&weekday) && (p.start..p.end).contains(&minute);
    let end = hours.periods.iter().find(going_on)?.end;
    Some(Time(now.0 - local % DAY + u64::from(end) * MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::WorkingPeriod;

    fn at(text: &str) -> Time {
        Time::from_timestamp(text.parse().unwrap())
    }

    fn calendar(slots: &str) -> FreeBusy {
        let slots = slots.chars().map(|c| match c {
            'b' => Busyness::Busy,
            't' => Busyness::Tentative,
            'o' => Busyness::OutOfOffice,
            _ => Busyness::Free,
        });
        FreeBusy { start: at("2026-11-20T08:00:00Z"), slot_minutes: 15, slots: slots.collect() }
    }

    #[test]
    fn somebody_is_free_until_the_next_appointment_and_busy_until_its_end() {
        let f = calendar("....tt..bbbo..");
        let see = |t: &str| outlook(Some(&f), None, None, at(t));
        assert_eq!(see("2026-11-20T08:05:00Z"), Some(Outlook::Free(at("2026-11-20T10:00:00Z"))));
        assert_eq!(see("2026-11-20T10:10:00Z"), Some(Outlook::Busy(at("2026-11-20T11:00:00Z"))));
        assert_eq!(see("2026-11-20T11:05:00Z"), None, "nobody knows what comes after");
        assert_eq!(see("2026-11-21T11:05:00Z"), None);
        assert_eq!(see("2026-11-20T07:00:00Z"), None);
    }

    #[test]
    fn working_hours_are_those_of_the_contacts_own_clock() {
        let periods = vec![WorkingPeriod { days: vec![1, 2, 3, 4, 5], start: 540, end: 1020 }];
        let hours = WorkingHours { bias: 480, standard: None, daylight: None, periods };
        let see = |bias, t: &str| outlook(None, Some(&hours), bias, at(t));
        // Friday 20 November: 9:00 to 17:00 in Seattle is 17:00 to 1:00 UTC.
        assert_eq!(see(None, "2026-11-20T16:59:00Z"), Some(Outlook::OffHours));
        assert_eq!(see(None, "2026-11-20T17:00:00Z"), Some(Outlook::Free(at("2026-11-21T01:00:00Z"))));
        assert_eq!(see(Some(-60), "2026-11-20T15:59:00Z"), Some(Outlook::Free(at("2026-11-20T16:00:00Z"))));
        assert_eq!(see(Some(-60), "2026-11-21T12:00:00Z"), Some(Outlook::OffHours), "Saturday");
        let f = calendar("........bb..");
        let both = outlook(Some(&f), Some(&hours), Some(-60), at("2026-11-20T09:00:00Z"));
        assert_eq!(both, Some(Outlook::Free(at("2026-11-20T10:00:00Z"))), "the appointment comes first");
    }
}
