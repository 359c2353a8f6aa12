//! The people of the shown conference as a list with the keys: order, search, marks.

use super::commands::Step;
use super::state::conversations::{Part, RosterView, Tab};
use super::state::{State, Thread};
use crate::domain::Address;
use crate::domain::conversation::{Participant, Role};
use std::cmp::Reverse;

/// One row of the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// Somebody inside.
    Inside(&'a Participant),
    /// Somebody in the lobby.
    Lobby(&'a Participant),
    /// Somebody who was asked to come: who, and how far that got.
    Invited(&'a Address, &'a str),
}

impl Row<'_> {
    /// Who.
    pub fn uri(&self) -> &Address {
        match self {
            Row::Inside(p) | Row::Lobby(p) => &p.uri,
            Row::Invited(uri, _) => uri,
        }
    }
}

/// The rows that fit the search: who waits in the lobby first, then leaders, then the others, then those invited.
pub fn rows<'a>(state: &State, tab: &'a Tab) -> Vec<Row<'a>> {
    let c = &tab.conversation;
    let query = tab.roster.query.text().trim().to_lowercase();
    let fits = |uri: &Address| query.is_empty() || state.name(uri).to_lowercase().contains(&query) || uri.bare().contains(&query);
    let mut people: Vec<&Participant> = c.participants.iter().filter(|p| fits(&p.uri)).collect();
    people.sort_by_key(|p| (!p.in_lobby, Reverse(p.role == Role::Leader), state.name(&p.uri).to_lowercase()));
    let person = |p: &'a Participant| if p.in_lobby { Row::Lobby(p) } else { Row::Inside(p) };
    let invited = c.meeting.invited.iter().filter(|i| fits(&i.uri)).map(|i| Row::Invited(&i.uri, &i.reason));
    people.into_iter().map(person).chain(invited).collect()
}

/// Moves the cursor.
pub fn step(state: &mut State, step: Step) {
    let Some(tab) = state.conversations.current() else { return };
    let all: Vec<Address> = rows(state, tab).iter().map(|r| r.uri().clone()).collect();
    let at = tab.roster.cursor.as_ref().and_then(|c| all.iter().position(|u| u == c));
    let to = at.map_or(0, |at| step.apply(at, all.len(), state.view.metrics.transcript_rows));
    if let Some(tab) = state.conversations.current_mut() {
        tab.roster.cursor = all.get(to).cloned();
    }
}

/// Gives the roster the keys, or takes them away again.
pub fn toggle(state: &mut State) -> Result<(), String> {
    if state.conversations.part == Part::Roster {
        leave(state);
        return Ok(());
    }
    let tab = state.conversations.current().ok_or("no conversation is open")?;
    if matches!(tab.thread, Thread::Person(_)) {
        return Err("a conversation of two has no roster; /invite makes it a meeting".into());
    }
    state.conversations.part = Part::Roster;
    state.view.third_column = true;
    if state.conversations.current().is_some_and(|t| t.roster.cursor.is_none()) {
        step(state, Step::First);
    }
    Ok(())
}

/// Back to the composer; the search is forgotten.
pub fn leave(state: &mut State) {
    state.conversations.part = Part::Composer;
    if let Some(tab) = state.conversations.current_mut() {
        tab.roster = RosterView { cursor: tab.roster.cursor.take(), ..RosterView::default() };
    }
}

/// Marks or unmarks the person under the cursor and goes on.
pub fn mark(state: &mut State) {
    if let Some(view) = state.conversations.current_mut().map(|t| &mut t.roster)
        && let Some(uri) = view.cursor.clone()
        && !view.marks.remove(&uri)
    {
        view.marks.insert(uri);
    }
    step(state, Step::By(1));
}

/// The people a command is for: those marked, else the one under the cursor; of those in sight.
pub fn chosen(state: &State) -> Vec<Address> {
    let Some(tab) = state.conversations.current() else { return Vec::new() };
    let all: Vec<Address> = rows(state, tab).iter().map(|r| r.uri().clone()).collect();
    let marked: Vec<Address> = all.iter().filter(|u| tab.roster.marks.contains(*u)).cloned().collect();
    if !marked.is_empty() {
        return marked;
    }
    all.into_iter().filter(|u| tab.roster.cursor.as_ref() == Some(u)).collect()
}
