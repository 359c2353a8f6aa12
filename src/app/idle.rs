//! What this device says of itself: active, idle after 5 minutes without a key, away after 10.

use super::door::Door;
use super::event::Event;
use super::limits::{AWAY_AFTER, IDLE_AFTER};
use super::state::State;
use crate::domain::Time;
use crate::domain::presence::MachineState;
use crate::endpoint::Operation;

/// Whether an event shows that somebody sits here.
pub fn is_human(event: &Event) -> bool {
    matches!(event, Event::Key(_) | Event::Paste(_) | Event::Mouse(_) | Event::Focus(true) | Event::Edited(_) | Event::Resumed)
}

/// Publishes the device's state when it changed. A human event resets the clock.
pub fn watch(door: &mut Door<'_>, human: bool) {
    let now = door.now;
    if human || door.state.last_input.is_none() {
        door.state.last_input = Some(now);
    }
    let quiet = door.state.last_input.map(|t| now.since(t)).unwrap_or_default();
    let state = match () {
        () if quiet >= AWAY_AFTER => MachineState::Away,
        () if quiet >= IDLE_AFTER => MachineState::Idle,
        () => MachineState::Active,
    };
    if state != door.state.machine && door.state.link.is_up() {
        door.state.machine = state;
        door.ask_quietly(Operation::SetMachineState { state });
    }
}

/// A sign-in publishes an active device; the next look says the truth again.
pub fn signed_in(state: &mut State) {
    state.machine = MachineState::Active;
}

/// When the device's state changes next without a key.
pub fn deadline(state: &State) -> Option<Time> {
    let last = state.last_input.filter(|_| state.link.is_up())?;
    match state.machine {
        MachineState::Active => Some(last + IDLE_AFTER),
        MachineState::Idle => Some(last + AWAY_AFTER),
        MachineState::Away => None,
    }
}
