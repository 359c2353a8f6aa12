//! The palette: go to any person, conversation, meeting or command by a few letters.

use super::commands;
use super::door::Door;
use super::keymap::Mode;
use super::limits::PALETTE_ROWS;
use super::state::overlay::{Overlay, Palette, PaletteRow, PaletteTarget};
use super::state::{Pane, State};
use super::{meetings, tabs, when};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Opens the palette.
pub fn open(state: &mut State) {
    state.overlays.push(Overlay::Palette(Palette::default()));
    refresh(state);
}

/// Finds the rows for what is typed.
pub fn refresh(state: &mut State) {
    let Some(Overlay::Palette(p)) = state.overlays.last() else { return };
    let query = p.query.text().trim().to_owned();
    let rows = best(all(state), &query);
    if let Some(Overlay::Palette(p)) = state.overlays.last_mut() {
        (p.rows, p.at) = (rows, 0);
    }
}

/// Everything one can go to: open conversations, people, meetings, commands.
fn all(state: &State) -> Vec<PaletteRow> {
    let row =
        |target, label: String, detail: String| PaletteRow { target, label, detail, unavailable: None, matched: Vec::new() };
    let mut rows = Vec::new();
    for t in &state.conversations.tabs {
        let detail = if t.unread > 0 { format!("conversation, {} unread", t.unread) } else { "conversation".into() };
        rows.push(row(PaletteTarget::Tab(t.conversation.id.clone()), state.title(t), detail));
    }
    for uri in state.people.contacts.keys() {
        rows.push(row(PaletteTarget::Person(uri.clone()), state.name(uri).to_owned(), uri.bare().to_owned()));
    }
    for c in state.meetings.list.iter().chain(&state.meetings.kept) {
        let time = c
            .settings
            .start
            .map_or_else(|| "meeting".into(), |s| format!("meeting, {}", when::describe(s, None, &state.view.zone)));
        rows.push(row(PaletteTarget::Meeting(c.id.clone()), meetings::subject(c).to_owned(), time));
    }
    for c in commands::all().filter(|c| listed(c)) {
        let keys = state.keymap.any_keys_of(c.name);
        let detail = keys.map(str::to_owned).or_else(|| c.slash.map(|s| format!("/{s} {}", c.args.usage()))).unwrap_or_default();
        let unavailable = (c.available)(state).err().map(str::to_owned);
        rows.push(PaletteRow { unavailable, ..row(PaletteTarget::Command(c.name), format!("{}: {}", c.name, c.help), detail) });
    }
    rows
}

/// Movements and keys of a line of text make no sense from the palette.
fn listed(c: &commands::Command) -> bool {
    const NOT: [&str; 10] = [
        "palette",
        "recall-up",
        "recall-down",
        "complete",
        "complete-back",
        "new-line",
        "send",
        "toggle-field",
        "choose-back",
        "enter-field",
    ];
    let inner = |m: &Mode| matches!(m, Mode::Edit | Mode::Dialog | Mode::Line);
    let moves = c.places.contains(&Mode::Line) || (c.places.iter().any(inner) && c.places.iter().all(inner));
    !moves && !NOT.contains(&c.name)
}

fn best(rows: Vec<PaletteRow>, query: &str) -> Vec<PaletteRow> {
    if query.is_empty() {
        return rows.into_iter().filter(|r| r.unavailable.is_none()).take(PALETTE_ROWS).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut scored: Vec<(u32, usize, PaletteRow)> = Vec::new();
    let mut buffer = Vec::new();
    for (i, row) in rows.into_iter().enumerate() {
        let label = pattern.score(Utf32Str::new(&row.label, &mut buffer), &mut matcher);
        // What stands beside the label (an address) finds too, but less well.
        let detail =
            || pattern.score(Utf32Str::new(&row.detail, &mut Vec::new()), &mut Matcher::new(Config::DEFAULT)).map(|s| s / 2);
        if let Some(score) = label.or_else(|| matches!(row.target, PaletteTarget::Person(_)).then(detail).flatten()) {
            // People and conversations before commands of the same fit.
            let lift = if matches!(row.target, PaletteTarget::Command(_)) { 0 } else { 20 };
            let held = if row.unavailable.is_some() { 20 } else { 0 };
            scored.push(((score + lift).saturating_sub(held), i, row));
        }
    }
    scored.sort_by_key(|(score, i, _)| (std::cmp::Reverse(*score), *i));
    scored.truncate(PALETTE_ROWS);
    let mut out: Vec<PaletteRow> = scored.into_iter().map(|(_, _, r)| r).collect();
    for row in &mut out {
        pattern.indices(Utf32Str::new(&row.label, &mut buffer), &mut matcher, &mut row.matched);
        row.matched.sort_unstable();
        row.matched.dedup();
    }
    out
}

/// Goes where the selected row leads.
pub fn choose(door: &mut Door<'_>, palette: Palette) -> Result<(), String> {
    let Some(row) = palette.rows.into_iter().nth(palette.at) else { return Ok(()) };
    match row.target {
        PaletteTarget::Person(uri) => tabs::open_person(door, &uri),
        PaletteTarget::Tab(id) => {
            if let Some(at) = door.state.conversations.find(&id) {
                tabs::show(door, at);
            }
            Ok(())
        }
        PaletteTarget::Meeting(id) => {
            (door.state.pane, door.state.main) = (Pane::Meetings, Pane::Meetings);
            let m = &mut door.state.meetings;
            (m.selection, m.occurrence) = (Some(id), None);
            // Of a series the time that is highlighted, as if one had gone to its row.
            m.settle(door.now);
            if let Some(at) = m.at() {
                m.select(at);
            }
            door.state.meetings.details = true;
            Ok(())
        }
        PaletteTarget::Command(name) => from_palette(door, name),
    }
}

/// A command that needs words is put into the composer for them; others run.
fn from_palette(door: &mut Door<'_>, name: &'static str) -> Result<(), String> {
    let command = commands::find(name).ok_or("this command does not exist")?;
    (command.available)(door.state)?;
    match (command.slash, command.args.needed()) {
        (Some(slash), true) if door.state.conversations.current().is_some() => {
            let at = door.state.conversations.at;
            tabs::show(door, at);
            if let Some(tab) = door.state.conversations.current_mut() {
                tab.composer.set(format!("/{slash} "));
            }
            Ok(())
        }
        (Some(slash), true) => Err(format!("open a conversation and write /{slash} {}", command.args.usage())),
        _ => (command.run)(door, ""),
    }
}
