//! The one door: an event comes in, the state changes, effects go out.

use super::commands::{self, Step};
use super::door::Door;
use super::effect::Effect;
use super::event::{Event, Key, KeyCode, Mouse, Target};
use super::keymap::{Found, Mode};
use super::limits::DRAFT_PAUSE;
use super::state::conversations::Part;
use super::state::{FieldValue, Overlay, Pane, RowId, State};
use super::{alerts, calendar, completion, exchange, heard, idle, people, recording, scroll, stored, tabs, typing};
use crate::domain::Time;

/// Takes one event. Afterwards, before drawing, call [`State::settle`].
pub fn update(state: &mut State, now: Time, event: Event) -> Vec<Effect> {
    if !shows(state, &event) {
        if let Event::Wire(record) = event {
            state.wire.push(record);
        }
        // The clock stands as well: the next thing that shows moves it, and draws.
        return Vec::new();
    }
    state.view.now = now;
    let mut door = Door::new(state, now);
    let d = &mut door;
    let human = idle::is_human(&event);
    match event {
        Event::Key(key) => press(d, key),
        Event::Paste(text) => typing::insert(d, &text),
        Event::Resize(columns, rows) => (d.state.view.columns, d.state.view.rows) = (columns, rows),
        Event::Mouse(mouse) => point(d, mouse),
        Event::Focus(focused) => {
            d.state.view.focused = focused;
            tabs::seen(d);
        }
        Event::Tick => {}
        Event::Endpoint { account, event } => {
            // One account is shown; what another one says is kept by the runtime.
            if account == d.state.account.id {
                heard::event(d, event);
            }
        }
        Event::RoundTrip(ms) => d.state.link.round_trip = Some(ms),
        Event::Wire(record) => d.state.wire.push(record),
        Event::Store(reply) => stored::reply(d, reply),
        Event::FileWritten { path, error: None } => d.say(format!("Written: {path}")),
        Event::FileWritten { path, error: Some(e) } => d.complain(format!("{path} could not be written: {e}")),
        Event::Calendar(result) => calendar::heard(d, result),
        Event::FileRead { path, contents } if d.state.importing.as_ref() == Some(&path) => {
            exchange::file_read(d, &path, contents)
        }
        Event::FileRead { path, contents: Ok(text) } => super::meetings::file_read(d, &path, &text),
        Event::FileRead { path, contents: Err(e) } => d.complain(format!("{path} could not be read: {e}")),
        Event::Files { begin, names } => completion::files(d, &begin, names),
        Event::Edited(Some(text)) => edited(d, &text),
        Event::Edited(None) => d.complain("The editor could not be started; set $EDITOR"),
        Event::Terminate => {
            tabs::save_all(d);
            d.effects.push(Effect::Quit);
        }
        Event::Resumed => d.effects.push(Effect::Redraw),
    }
    pass(d);
    recording::watch(d);
    alerts::watch(d);
    idle::watch(d, human);
    calendar::watch(d);
    door.effects
}

/// What time brings: toasts go, drafts are kept.
fn pass(door: &mut Door<'_>) {
    let now = door.now;
    if door.state.toast.as_ref().is_some_and(|t| t.until <= now) {
        door.state.toast = None;
    }
    super::reminders::pass(door);
    if door.state.search_due.is_some_and(|t| t <= now) {
        door.state.search_due = None;
        commands::dialog::search_typed(door);
    }
    for at in 0..door.state.conversations.tabs.len() {
        let due = door.state.conversations.tabs[at].draft_changed.is_some_and(|t| now >= t + DRAFT_PAUSE);
        if due {
            tabs::save_draft(door, at);
        }
    }
}

/// Whether an event can change what is on the screen; one that cannot costs no frame.
pub fn shows(state: &State, event: &Event) -> bool {
    match event {
        Event::Wire(_) => state.pane == Pane::Wire || state.main == Pane::Wire,
        Event::RoundTrip(ms) => state.link.round_trip != Some(*ms),
        _ => true,
    }
}

fn press(door: &mut Door<'_>, key: Key) {
    door.state.settle();
    let modes = door.state.modes();
    let mut keys = std::mem::take(&mut door.state.chord);
    keys.push(key);
    match door.state.keymap.clone().look_up(&modes, &keys) {
        Found::Command(name) => commands::run(door, name, ""),
        Found::More(_) => door.state.chord = keys,
        // A chord that leads nowhere is forgotten; its last key counts by itself.
        Found::Nothing if keys.len() > 1 => press(door, key),
        Found::Nothing => text(door, key, modes.first().copied().unwrap_or(Mode::Anywhere)),
    }
}

fn text(door: &mut Door<'_>, key: Key, mode: Mode) {
    let typed = match key.code {
        KeyCode::Char(c) if !key.ctrl && !key.alt => Some(c),
        _ => None,
    };
    let Some(c) = typed.filter(|_| mode.takes_text() || mode == Mode::Dialog) else {
        return door.complain(unknown(door.state, key, mode));
    };
    if mode == Mode::Form && choice(door, c) {
        return;
    }
    if mode.takes_text() {
        typing::insert(door, c.encode_utf8(&mut [0; 4]));
    } else if mode == Mode::Dialog {
        jump(door, c);
    }
}

/// What is said of a key that means nothing here.
fn unknown(state: &State, key: Key, mode: Mode) -> String {
    let keys = state.keymap.keys_of(&state.modes(), "help").unwrap_or("/help");
    let on_text = || state.own.form.fields.get(state.own.form.at).is_some_and(|f| matches!(f.value, FieldValue::Text(_)));
    let edit = state.keymap.keys_of(&[mode], "enter-field").filter(|_| mode == Mode::Me && on_text());
    match edit {
        Some(edit) => format!("{edit} opens this field for writing; {keys} lists the keys"),
        None => format!("{key} does nothing here; {keys} lists the keys"),
    }
}

/// In a form the blank goes through the choices of a choice field.
fn choice(door: &mut Door<'_>, c: char) -> bool {
    c == ' ' && super::form::choose(door, 1)
}

/// In a picker a letter goes to the next row that begins with it.
fn jump(door: &mut Door<'_>, c: char) {
    if let Some(Overlay::Picker(p)) = door.state.overlays.last_mut() {
        let low = c.to_lowercase().to_string();
        let len = p.rows.len();
        let hit = (1..=len).map(|i| (p.at + i) % len.max(1)).find(|i| p.rows[*i].0.to_lowercase().starts_with(&low));
        p.at = hit.unwrap_or(p.at);
    }
}

fn edited(door: &mut Door<'_>, text: &str) {
    door.effects.push(Effect::Redraw);
    if let Some(tab) = door.state.conversations.current_mut() {
        tab.composer.set("");
        tab.composer.insert(text.trim_end_matches('\n'));
        tab.draft_changed = Some(door.now);
    }
}

fn point(door: &mut Door<'_>, mouse: Mouse) {
    door.state.settle();
    match mouse {
        Mouse::Click(target) => click(door, target),
        Mouse::Wheel(pane, lines) => wheel(door, pane, i64::from(lines)),
    }
}

fn wheel(door: &mut Door<'_>, pane: Pane, lines: i64) {
    if !door.state.overlays.is_empty() || pane == door.state.pane && pane != Pane::Conversations {
        let _ = commands::motion_step(door, Step::By(lines));
    } else if pane == Pane::People {
        people::step(door.state, Step::By(lines));
    } else if pane == Pane::Conversations {
        let part = std::mem::replace(&mut door.state.conversations.part, Part::Composer);
        scroll::step(door, Step::By(lines));
        door.state.conversations.part = part;
    }
}

fn click(door: &mut Door<'_>, target: Target) {
    match target {
        Target::Pane(pane) => {
            let _ = commands::go(door, pane);
        }
        Target::Person(row) => {
            let again = door.state.people.selection.as_ref() == Some(&row) && door.state.pane == Pane::People;
            let _ = commands::go(door, Pane::People);
            let group = matches!(row, RowId::Group(_));
            door.state.people.selection = Some(row);
            if again || group {
                commands::run(door, "message", "");
            }
        }
        Target::Tab(at) => tabs::show(door, at),
        Target::Message(id) => {
            let _ = commands::go(door, Pane::Conversations);
            door.state.conversations.part = Part::Transcript;
            if let Some(tab) = door.state.conversations.current_mut() {
                if tab.scroll.anchor.is_none() {
                    tab.scroll.anchor = tab.entries.last().map(|e| e.id().clone());
                }
                tab.cursor = Some(id);
            }
        }
        Target::Composer => {
            let _ = commands::go(door, Pane::Conversations);
        }
        Target::Meeting(id, of) => {
            let _ = commands::go(door, Pane::Meetings);
            (door.state.meetings.selection, door.state.meetings.occurrence) = (Some(id), of);
        }
        Target::Field(at) => {
            if let Some(f) = door.state.form_mut().filter(|f| at < f.fields.len()) {
                f.at = at;
            }
        }
        Target::OverlayRow(at) => overlay_row(door, at),
        Target::Wire(number) => {
            let _ = commands::go(door, Pane::Wire);
            door.state.wire.selection = Some(number);
        }
        Target::Command(name) => commands::run(door, &name, ""),
    }
}

fn overlay_row(door: &mut Door<'_>, at: usize) {
    match door.state.overlays.last_mut() {
        Some(Overlay::Palette(p)) => p.at = at,
        Some(Overlay::Picker(p)) => p.at = at,
        Some(Overlay::Prompt(p)) => p.at = Some(at),
        _ => return,
    }
    commands::run(door, "accept", "");
}
