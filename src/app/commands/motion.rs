//! Moving, filtering, marking and copying: the same words in every list.

use super::Command;
use crate::app::door::Door;
use crate::app::effect::Effect;
use crate::app::keymap::Mode;
use crate::app::state::conversations::Part;
use crate::app::state::{Overlay, Pane, State};
use crate::app::{agenda, people, roster, scroll};

const LISTS: &[Mode] = &[
    Mode::People,
    Mode::Transcript,
    Mode::Roster,
    Mode::Meetings,
    Mode::Me,
    Mode::MeList,
    Mode::Wire,
    Mode::Dialog,
    Mode::Line,
    Mode::Composer,
];

pub const COMMANDS: &[Command] = &[
    Command::new("down", "One down", LISTS, |d, _| step(d, Step::By(1))),
    Command::new("up", "One up", LISTS, |d, _| step(d, Step::By(-1))),
    Command::new("page-down", "One page down", LISTS, |d, _| step(d, Step::Page(1))),
    Command::new("page-up", "One page up", LISTS, |d, _| step(d, Step::Page(-1))),
    Command::new("first", "To the first", LISTS, |d, _| step(d, Step::First)),
    Command::new("last", "To the last", LISTS, |d, _| step(d, Step::Last)),
    Command::new("filter", "Filter as typed", &[Mode::People, Mode::Wire, Mode::Dialog], filter),
    Command::new("clear", "Clear filter, marks or details", &[Mode::People, Mode::Meetings, Mode::Wire], clear),
    Command::new("mark", "Mark or unmark", &[Mode::People, Mode::Transcript, Mode::Roster], mark),
    Command::new("copy", "Copy to the clipboard", &[Mode::Transcript, Mode::Wire], copy),
];

/// A movement in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many rows down (negative: up).
    By(i64),
    /// So many pages down (negative: up).
    Page(i64),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Step {
    /// The new position in a list of `len` rows of which `rows` are in sight.
    pub fn apply(self, at: usize, len: usize, rows: u16) -> usize {
        let last = i64::try_from(len.saturating_sub(1)).unwrap_or(0);
        let at = i64::try_from(at).unwrap_or(0);
        let page = i64::from(rows.max(2)) - 1;
        let to = match self {
            Step::By(n) => at + n,
            Step::Page(n) => at + n * page,
            Step::First => 0,
            Step::Last => last,
        };
        usize::try_from(to.clamp(0, last)).unwrap_or(0)
    }
}

/// Moves in the list that has the keys.
pub fn step(door: &mut Door<'_>, step: Step) -> Result<(), String> {
    if door.state.overlays.last().is_some() {
        overlay(door.state, step);
        return Ok(());
    }
    match door.state.pane {
        Pane::People => people::step(door.state, step),
        Pane::Conversations if door.state.conversations.part == Part::Roster => roster::step(door.state, step),
        Pane::Conversations => scroll::step(door, step),
        Pane::Meetings => agenda::step(door.state, step),
        Pane::Me => crate::app::access::step(door.state, step),
        Pane::Wire => wire(door.state, step),
    }
    Ok(())
}

fn overlay(state: &mut State, step: Step) {
    let (rows, most) = (state.view.metrics.overlay_rows, usize::from(state.view.metrics.overlay_max));
    match state.overlays.last_mut() {
        Some(Overlay::Palette(p)) => p.at = step.apply(p.at, p.rows.len(), rows),
        Some(Overlay::Picker(p)) => p.at = step.apply(p.at, p.rows.len(), rows),
        Some(Overlay::Prompt(p)) if !p.found.is_empty() => {
            p.at = match (p.at, step) {
                (None, Step::By(1)) => Some(0),
                (None, _) | (Some(0), Step::By(-1)) => None,
                (Some(at), _) => Some(step.apply(at, p.found.len(), rows)),
            }
        }
        Some(Overlay::Help(h)) => h.scroll = text(h.scroll, step, rows, most),
        Some(Overlay::DryRun(d)) => d.scroll = text(d.scroll, step, rows, most),
        Some(Overlay::Card { scroll, .. } | Overlay::Details { scroll, .. }) => *scroll = text(*scroll, step, rows, most),
        _ => {}
    }
}

fn text(at: u16, step: Step, rows: u16, most: usize) -> u16 {
    u16::try_from(step.apply(usize::from(at), most + 1, rows)).unwrap_or(at)
}

fn wire(state: &mut State, step: Step) {
    let (rows, most) = (state.view.metrics.overlay_rows, usize::from(state.view.metrics.overlay_max));
    if let Some(scroll) = state.wire.open.as_mut() {
        *scroll = text(*scroll, step, rows, most);
        return;
    }
    let shown: Vec<u64> = state.wire.shown().map(|r| r.number).collect();
    let last = shown.len().saturating_sub(1);
    let at = state.wire.selection.and_then(|n| shown.iter().position(|s| *s == n)).unwrap_or(last);
    let to = step.apply(at, shown.len(), state.view.metrics.wire_rows);
    // At the end the selection follows what comes.
    state.wire.selection = if to == last { None } else { shown.get(to).copied() };
}

fn filter(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    match door.state.overlays.last_mut() {
        Some(Overlay::Help(h)) => {
            h.filtering = true;
            return Ok(());
        }
        Some(_) => return Err("only the help is filtered; a list for choosing is short".into()),
        None => {}
    }
    match door.state.pane {
        Pane::People => door.state.people.filtering = true,
        Pane::Wire => (door.state.wire.filtering, door.state.wire.open) = (true, None),
        _ => {}
    }
    Ok(())
}

fn clear(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let state = &mut *door.state;
    match state.pane {
        Pane::People if !state.people.filter.is_empty() => {
            people::clear_filter(state);
        }
        Pane::People => state.people.marks.clear(),
        Pane::Meetings => state.meetings.details = false,
        Pane::Wire if state.wire.open.is_some() => state.wire.open = None,
        Pane::Wire => {
            state.wire.filter.take();
        }
        _ => {}
    }
    Ok(())
}

fn mark(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    match door.state.pane {
        Pane::People => people::mark(door.state),
        Pane::Conversations if door.state.conversations.part == Part::Roster => {
            roster::mark(door.state);
            Ok(())
        }
        _ => {
            scroll::mark(door.state);
            Ok(())
        }
    }
}

fn copy(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let text = match door.state.pane {
        Pane::Wire => door.state.wire.selected().map(|r| r.text.to_string()).ok_or("there is nothing to copy")?,
        _ => scroll::text_to_copy(door.state).ok_or("there is nothing to copy")?,
    };
    door.effects.push(Effect::Copy(text));
    door.say("Copied");
    Ok(())
}
