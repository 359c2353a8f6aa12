//! Cards before meetings begin, answered with Alt-y to join.

use super::door::Door;
use super::effect::Effect;
use super::state::meetings::Slot;
use super::state::{Question, QuestionKind, State};
use crate::domain::Time;
use crate::domain::conversation::ConversationState;
use std::time::Duration;

/// Nothing is said of a meeting that began longer ago.
const TOO_LATE: Duration = Duration::from_secs(5 * 60);

/// The moments of a meeting at which somebody is reminded.
fn moments<'a>(state: &'a State, slot: &Slot) -> impl Iterator<Item = Time> + use<'a> {
    let start = slot.start.filter(|_| !super::invited::declined(state, &slot.id));
    state.options.remind.iter().filter_map(move |m| Some(Time(start?.0.saturating_sub(u64::from(*m) * 60_000))))
}

/// When the next card is due.
pub fn deadline(state: &State) -> Option<Time> {
    state.meetings.remind_at.filter(|t| *t > state.view.now)
}

/// Shows the cards that are due, and takes away those whose meeting is over, running without us, or gone.
pub fn pass(door: &mut Door<'_>) {
    door.state.meetings.settle(door.now);
    let now = door.now;
    retain(door.state, now);
    if door.state.meetings.remind_at.is_none_or(|t| t > now) {
        return;
    }
    let state = &*door.state;
    let open = state.meetings.agenda.iter().filter(|s| s.start.is_some_and(|t| t + TOO_LATE > now));
    let due: Vec<(Slot, Time)> = open.filter_map(|s| Some((s.clone(), moments(state, s).filter(|t| *t <= now).max()?))).collect();
    let next = state.meetings.agenda.iter().flat_map(|s| moments(state, s)).filter(|t| *t > now).min();
    door.state.meetings.remind_at = next;
    for (slot, moment) in due {
        if !door.state.meetings.reminded.insert((slot.id.clone(), slot.of.or(slot.start), moment)) || joined(door.state, &slot) {
            continue;
        }
        remind(door, slot);
    }
}

fn remind(door: &mut Door<'_>, slot: Slot) {
    let same = |q: &&mut Question| matches!(&q.kind, QuestionKind::Reminder { slot: s } if s.id == slot.id && s.of == slot.of);
    if let Some(known) = door.state.questions.iter_mut().find(same) {
        known.postponed = false;
    } else {
        super::questions::push(door, QuestionKind::Reminder { slot: slot.clone() });
    }
    if door.state.options.bell {
        door.effects.push(Effect::Bell);
    }
    if door.state.options.notify && !door.state.view.focused {
        door.effects.push(Effect::Notify { title: slot.subject.clone(), body: words(&slot, door.now) });
    }
}

fn retain(state: &mut State, now: Time) {
    if !state.questions.iter().any(|q| matches!(q.kind, QuestionKind::Reminder { .. })) {
        return;
    }
    let gone = |slot: &Slot| {
        let there = state.meetings.agenda.iter().any(|s| s.id == slot.id && s.of == slot.of && s.start == slot.start);
        !there || slot.end.or(slot.start).is_some_and(|t| t <= now) || joined(state, slot)
    };
    let keep: Vec<bool> =
        state.questions.iter().map(|q| !matches!(&q.kind, QuestionKind::Reminder { slot } if gone(slot))).collect();
    let mut keep = keep.into_iter();
    state.questions.retain(|_| keep.next().unwrap_or(true));
}

/// Whether we are in the meeting already.
fn joined(state: &State, slot: &Slot) -> bool {
    let Some(c) = state.meetings.find(&slot.id) else { return false };
    state.conversations.tabs.iter().any(|t| {
        let live = matches!(
            t.conversation.state,
            ConversationState::Conferencing | ConversationState::InLobby | ConversationState::Conferenced
        );
        live && t.conversation.focus.as_deref().is_some_and(|f| f.eq_ignore_ascii_case(&c.uri))
    })
}

/// "begins in 5 minutes", "begins now", "began 2 minutes ago"
pub fn words(slot: &Slot, now: Time) -> String {
    let Some(start) = slot.start else { return String::new() };
    let minutes = |d: Duration| {
        let n = d.as_secs().div_ceil(60);
        if n == 1 { "1 minute".to_owned() } else { format!("{n} minutes") }
    };
    match (start.since(now), now.since(start)) {
        (ahead, _) if !ahead.is_zero() => format!("begins in {}", minutes(ahead)),
        (_, ago) if ago < Duration::from_secs(60) => "begins now".into(),
        (_, ago) => format!("began {} ago", minutes(ago)),
    }
}
