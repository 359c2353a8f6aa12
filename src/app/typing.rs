//! Which line of text has the keys, and what follows when it changes.

use super::door::Door;
use super::keymap::Mode;
use super::limits::{SEARCH_CHARS, SEARCH_PAUSE, TYPING_RESEND};
use super::state::conversations::Part;
use super::state::own::Section;
use super::state::{FieldId, FieldValue, Form, Overlay, Pane, State};
use super::{Editor, completion, form, palette};
use crate::domain::conversation::ConversationState;
use crate::endpoint::Operation;

impl State {
    /// The place that has the keys.
    pub fn mode(&self) -> Mode {
        if let Some(top) = self.overlays.last() {
            return match top {
                Overlay::Palette(_) | Overlay::Prompt(_) => Mode::Line,
                Overlay::Form(_) => Mode::Form,
                Overlay::Help(h) if h.filtering => Mode::Line,
                _ => Mode::Dialog,
            };
        }
        match self.pane {
            Pane::People if self.people.filtering => Mode::Line,
            Pane::People => Mode::People,
            Pane::Conversations => match self.conversations.current() {
                Some(t) if t.roster.typing && self.conversations.part == Part::Roster => Mode::Line,
                Some(_) if self.conversations.part == Part::Roster => Mode::Roster,
                Some(t) if t.search.as_ref().is_some_and(|s| s.typing) => Mode::Line,
                Some(_) if self.conversations.part == Part::Composer => match self.options.vi && self.conversations.normal {
                    true => Mode::Vi,
                    false => Mode::Composer,
                },
                _ => Mode::Transcript,
            },
            Pane::Meetings if self.meetings.form.is_some() => Mode::Form,
            Pane::Meetings => Mode::Meetings,
            Pane::Me if self.own.section != Section::Status => Mode::MeList,
            Pane::Me if self.own.editing => Mode::Form,
            Pane::Me => Mode::Me,
            Pane::Wire if self.wire.filtering => Mode::Line,
            Pane::Wire => Mode::Wire,
        }
    }

    /// The places asked for a key, the most particular first.
    pub fn modes(&self) -> Vec<Mode> {
        let mode = self.mode();
        if mode.takes_text() { vec![mode, Mode::Edit, Mode::Anywhere] } else { vec![mode, Mode::Anywhere] }
    }

    /// The line of text that has the keys, for drawing the cursor and for editing.
    pub fn editor_mut(&mut self) -> Option<&mut Editor> {
        match self.mode() {
            Mode::Line => match self.overlays.last_mut() {
                Some(Overlay::Palette(p)) => Some(&mut p.query),
                Some(Overlay::Prompt(p)) => Some(&mut p.line),
                Some(Overlay::Help(h)) => Some(&mut h.filter),
                Some(_) => None,
                None => match self.pane {
                    Pane::People => Some(&mut self.people.filter),
                    Pane::Wire => Some(&mut self.wire.filter),
                    _ if self.conversations.part == Part::Roster => self.conversations.current_mut().map(|t| &mut t.roster.query),
                    _ => self.conversations.current_mut()?.search.as_mut().map(|s| &mut s.query),
                },
            },
            Mode::Composer | Mode::Vi => self.conversations.current_mut().map(|t| &mut t.composer),
            Mode::Form => match self.form_mut().and_then(|f| f.fields.get_mut(f.at)).map(|f| &mut f.value) {
                Some(FieldValue::Text(e)) => Some(e),
                _ => None,
            },
            _ => None,
        }
    }

    /// The form over the panes, else the form of the pane in use.
    pub fn form_mut(&mut self) -> Option<&mut Form> {
        if let Some(top) = self.overlays.last_mut() {
            return if let Overlay::Form(d) = top { Some(&mut d.form) } else { None };
        }
        match self.pane {
            Pane::Meetings => self.meetings.form.as_mut(),
            Pane::Me => Some(&mut self.own.form),
            _ => None,
        }
    }
}

/// Changes the line that has the keys, and does what follows from the change.
pub fn with_editor(door: &mut Door<'_>, change: impl FnOnce(&mut Editor)) {
    let Some(editor) = door.state.editor_mut() else { return };
    let before = editor.text().to_owned();
    change(editor);
    if editor.text() != before {
        changed(door);
    }
}

/// Inserts typed or pasted text.
pub fn insert(door: &mut Door<'_>, text: &str) {
    let of_lines = |f: &mut Form| f.fields.get(f.at).is_some_and(|f| f.id == FieldId::Value);
    let one_line = door.state.mode() != Mode::Composer && !door.state.form_mut().is_some_and(of_lines);
    let text = if one_line { text.replace(['\r', '\n'], " ") } else { text.to_owned() };
    let emoji = text == ":" && door.state.mode() == Mode::Composer;
    with_editor(door, |e| {
        e.insert(&text);
        if emoji {
            completion::close_emoji(e);
        }
    });
}

fn changed(door: &mut Door<'_>) {
    match door.state.mode() {
        Mode::Line => match door.state.overlays.last_mut() {
            Some(Overlay::Palette(_)) => palette::refresh(door.state),
            Some(Overlay::Prompt(p)) => {
                (p.error, p.at) = (None, None);
                let wanted = p.ask.searches() && p.line.text().trim().chars().count() >= SEARCH_CHARS;
                door.state.search_due = wanted.then(|| door.now + SEARCH_PAUSE);
            }
            Some(Overlay::Help(h)) => h.scroll = 0,
            Some(_) => {}
            None => filter_changed(door.state),
        },
        Mode::Composer | Mode::Vi => composer_changed(door),
        Mode::Form => form::changed(door),
        _ => {}
    }
}

fn filter_changed(state: &mut State) {
    match state.pane {
        Pane::People => (state.people.dirty, state.people.to_first) = (true, true),
        Pane::Wire => state.wire.selection = None,
        _ => {}
    }
}

fn composer_changed(door: &mut Door<'_>) {
    let (now, typing_wanted) = (door.now, door.state.options.typing);
    let Some(tab) = door.state.conversations.current_mut() else { return };
    tab.completion = None;
    tab.composer_error = None;
    tab.recall = None;
    tab.draft_changed.get_or_insert(now);
    let text = tab.composer.text();
    let talking = matches!(tab.conversation.state, ConversationState::Established | ConversationState::Conferenced);
    if !typing_wanted || !talking || text.is_empty() || text.starts_with('/') {
        return;
    }
    if tab.typing_sent.is_none_or(|t| now.since(t) >= TYPING_RESEND) {
        tab.typing_sent = Some(now);
        let conversation = tab.conversation.id.clone();
        door.ask_quietly(Operation::Typing { conversation, active: true });
    }
}
