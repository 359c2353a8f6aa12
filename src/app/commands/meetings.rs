//! The agenda and its form.

use super::Command;
use crate::app::door::Door;
use crate::app::invited::{my_answer, pick_answer};
use crate::app::keymap::Mode;
use crate::app::meetings::{
    ask_read, ask_write, ask_write_cancellation, cancel_asking, copy_invitation, edit, join, leave_form, new_form, save,
    who_gets_in,
};
use crate::app::state::{FieldId, Overlay, Pane, State};
use crate::app::{own, publishing};
use crate::endpoint::Feature;

const HERE: &[Mode] = &[Mode::Meetings];
const FORM: &[Mode] = &[Mode::Form];
const FIELDS: &[Mode] = &[Mode::Form, Mode::Me];

pub const COMMANDS: &[Command] = &[
    Command::new("open-meeting", "Show the details; again, join", HERE, |d, _| open(d)).when(chosen),
    Command::new("new-meeting", "Schedule a meeting", &[Mode::Meetings, Mode::Anywhere], |d, _| {
        let marked: Vec<_> = d.state.people.marks.iter().cloned().collect();
        new_form(d, &marked);
        Ok(())
    }),
    Command::new("edit-meeting", "Change this meeting, or one of its times", HERE, |d, _| edit(d)).when(chosen),
    Command::new("cancel-meeting", "Cancel this meeting, or one of its times", HERE, |d, _| cancel_asking(d)).when(chosen),
    Command::new("who-gets-in", "Tell in full who will get in", &[Mode::Meetings, Mode::Form], |d, _| who_gets_in(d)).when(|s| {
        match s.missing(Feature::MeetingRules) {
            Some(_) => Err("on this server nobody is kept out of a meeting: whoever has the link or address may come"),
            None if s.meetings.form.is_some() => Ok(()),
            None => chosen(s),
        }
    }),
    Command::new("answer-meeting", "Answer this invitation: accept, tentative, decline", HERE, |d, _| pick_answer(d))
        .when(answerable),
    Command::new("read-invitation", "Read an invitation from a calendar file: to join, keep or schedule", HERE, |d, a| {
        if a.trim().is_empty() {
            ask_read(d);
        } else {
            d.effects.push(crate::app::Effect::ReadFile { path: a.trim().to_owned() });
        }
        Ok(())
    })
    .typed("ics", super::Arg::File(false)),
    Command::new("join-meeting", "Join this meeting", HERE, |d, _| join(d)).when(chosen_online),
    Command::new("copy-invitation", "Copy the invitation", HERE, |d, _| copy_invitation(d)).when(chosen),
    Command::new("write-invitation", "Write the invitation as a calendar file", HERE, |d, _| ask_write(d)).when(chosen),
    Command::new("write-cancellation", "Write the calendar file that takes the meeting back", HERE, |d, _| {
        ask_write_cancellation(d)
    })
    .when(chosen),
    Command::new("next-field", "To the next field", FIELDS, |d, _| walk(d, 1)),
    Command::new("previous-field", "To the field before", FIELDS, |d, _| walk(d, -1)),
    Command::new("enter-field", "Edit the field, or go on to the next", FIELDS, |d, _| enter(d)),
    Command::new("toggle-field", "The next choice", &[Mode::Me], |d, _| choose(d, 1)),
    Command::new("choose-back", "The choice before", &[Mode::Me], |d, _| choose(d, -1)),
    Command::new("save", "Save or publish", FIELDS, |d, _| match d.state.overlays.last() {
        Some(Overlay::Form(_)) => publishing::save(d),
        _ if d.state.pane == Pane::Me => own::publish(d),
        _ => save(d),
    }),
    Command::new("line-down", "Down a line, or to the next field", FORM, |d, _| line(d, true)),
    Command::new("line-up", "Up a line, or to the field before", FORM, |d, _| line(d, false)),
    Command::new("leave-form", "Leave the form or field", FORM, |d, _| leave(d)),
];

fn answerable(state: &State) -> Result<(), &'static str> {
    let asked = state
        .meetings
        .selected()
        .is_some_and(|c| state.account.address.as_ref() != Some(&c.organizer) && my_answer(state, c).is_some());
    if asked { Ok(()) } else { Err("nobody waits for an answer to this meeting") }
}

fn chosen(state: &State) -> Result<(), &'static str> {
    state.meetings.selected().map(|_| ()).ok_or("no meeting is selected; n makes one")
}

fn chosen_online(state: &State) -> Result<(), &'static str> {
    chosen(state).and_then(|()| super::online(state))
}

fn open(door: &mut Door<'_>) -> Result<(), String> {
    if door.state.meetings.details {
        return super::try_run(door, "join-meeting", "");
    }
    door.state.meetings.details = true;
    Ok(())
}

fn walk(door: &mut Door<'_>, by: isize) -> Result<(), String> {
    if let Some(f) = door.state.form_mut() {
        f.walk(by);
    }
    Ok(())
}

fn choose(door: &mut Door<'_>, by: isize) -> Result<(), String> {
    if door.state.pane == Pane::Me && door.state.overlays.is_empty() {
        own::takes(door.state)?;
    }
    if !crate::app::form::choose(door, by) && door.state.form_mut().is_some() {
        door.state.own.editing = true;
    }
    Ok(())
}

fn line(door: &mut Door<'_>, down: bool) -> Result<(), String> {
    if door.state.form_mut().is_some_and(|f| f.line(down)) {
        return Ok(());
    }
    walk(door, if down { 1 } else { -1 })
}

/// In the Me pane Enter opens a text field for editing and closes it again; in a form it goes on.
fn enter(door: &mut Door<'_>) -> Result<(), String> {
    if !door.state.overlays.is_empty() {
        let lines = door.state.form_mut().is_some_and(|f| f.fields.get(f.at).is_some_and(|f| f.id == FieldId::Value));
        if lines {
            crate::app::typing::insert(door, "\n");
            return Ok(());
        }
        return walk(door, 1);
    }
    if door.state.pane == Pane::Me {
        if door.state.own.editing {
            door.state.own.editing = false;
            return walk(door, 1);
        }
        return choose(door, 1);
    }
    walk(door, 1)
}

fn leave(door: &mut Door<'_>) -> Result<(), String> {
    if !door.state.overlays.is_empty() {
        publishing::leave(door);
        return Ok(());
    }
    if door.state.pane == Pane::Me {
        door.state.own.editing = false;
        return Ok(());
    }
    leave_form(door)
}
