//! The calendar that speaks for me: when it is looked at, and what it says now.

use super::door::Door;
use super::effect::Effect;
use super::state::State;
use crate::domain::Time;
use crate::domain::calendar::{self, Appointment};
use crate::endpoint::Operation;

const MINUTE: u64 = 60_000;

/// Looks at the file once a minute, when the clock on the screen moves anyway, and tells what has changed.
pub fn watch(door: &mut Door<'_>) {
    let now = door.now;
    let c = &mut door.state.own.calendar;
    if c.path.is_empty() {
        return;
    }
    let minute = now.0 / MINUTE;
    if c.looked != Some(minute) {
        c.looked = Some(minute);
        door.effects.push(Effect::LookAtCalendar);
    }
    tell(door);
}

/// Tells the endpoint what the calendar says at this moment, when that has changed.
fn tell(door: &mut Door<'_>) {
    let c = &door.state.own.calendar;
    if !c.read || !door.state.link.is_up() {
        return;
    }
    let says = calendar::at(&c.appointments, door.now);
    if c.told.as_ref() == Some(&says) {
        return;
    }
    door.state.own.calendar.told = Some(says.clone());
    door.ask_quietly(Operation::SetCalendar { calendar: Box::new(says) });
}

/// The calendar was read. One that cannot be read any more says what it said last, and why is told once.
pub fn heard(door: &mut Door<'_>, result: Result<Vec<Appointment>, String>) {
    let c = &mut door.state.own.calendar;
    match result {
        Ok(appointments) => {
            (c.appointments, c.read, c.problem) = (appointments, true, None);
            tell(door);
        }
        Err(problem) => {
            let told = c.problem.as_ref() == Some(&problem);
            c.problem = Some(problem.clone());
            if !told {
                door.complain(problem);
            }
        }
    }
}

/// A new registration is told everything again; the endpoint writes only what differs.
pub fn signed_in(door: &mut Door<'_>) {
    door.state.own.calendar.told = None;
    if let Some(hours) = door.state.own.hours.clone() {
        door.ask_quietly(Operation::SetWorkingHours { hours: Some(hours) });
    }
}

/// When the calendar says something else without being changed.
pub fn deadline(state: &State) -> Option<Time> {
    let c = &state.own.calendar;
    if !state.link.is_up() || !c.read {
        return None;
    }
    calendar::next_change(&c.appointments, state.view.now)
}
