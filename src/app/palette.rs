//! The palette: go to any person, conversation, meeting or command by a few letters.

use super::commands;
use super::door::Door;
use super::keymap::Mode;
use super::limits::PALETTE_ROWS;
use super::state::overlay::{Overlay, Palette, PaletteRow, PaletteTarget};
use super::state::{Pane, State};
use super::{meetings, tabs, when};
use crate::domain::Address;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
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
    let mut rows = best(all(state), &query);
    rows.extend(stranger(state, &query));
    if let Some(Overlay::Palette(p)) = state.overlays.last_mut() {
        (p.rows, p.at) = (rows, 0);
    }
}

/// Somebody who is not on the list, by the whole address.
fn stranger(state: &State, query: &str) -> Option<PaletteRow> {
    let uri = Address::parse(query).ok().filter(|_| query.contains('@'))?;
    let known = state.people.contacts.contains_key(&uri) || state.account.address.as_ref() == Some(&uri);
    let (label, detail) = (format!("Write to {}", uri.bare()), "not on your list".to_owned());
    (!known).then(|| PaletteRow { target: PaletteTarget::Person(uri), label, detail, unavailable: None, matched: Vec::new() })
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
        let unavailable = c.check(state).err();
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
    let mut finder = Finder::new(query);
    let mut scored: Vec<_> = rows.into_iter().enumerate().filter_map(|(i, r)| Some((finder.score(&r)?, i, r))).collect();
    scored.sort_by_key(|(score, i, _)| (std::cmp::Reverse(*score), *i));
    scored.truncate(PALETTE_ROWS);
    let mut out: Vec<PaletteRow> = scored.into_iter().map(|(_, _, r)| r).collect();
    out.iter_mut().for_each(|r| r.matched = finder.matched(r));
    out
}

/// Finds what was typed: its letters in a name, its words in what else stands there.
struct Finder {
    matcher: Matcher,
    letters: Pattern,
    words: Pattern,
    buffer: Vec<char>,
}

impl Finder {
    fn new(query: &str) -> Finder {
        let (case, form) = (CaseMatching::Ignore, Normalization::Smart);
        let (letters, words) = (Pattern::parse(query, case, form), Pattern::new(query, case, form, AtomKind::Substring));
        Finder { matcher: Matcher::new(Config::DEFAULT), letters, words, buffer: Vec::new() }
    }

    /// How well a row fits; a name before an address or an explanation, people and conversations before commands.
    fn score(&mut self, row: &PaletteRow) -> Option<u32> {
        let command = matches!(row.target, PaletteTarget::Command(_));
        let by_name = self.letters.score(Utf32Str::new(name(row), &mut self.buffer), &mut self.matcher);
        let beside = match row.target {
            PaletteTarget::Person(_) => &row.detail,
            _ => &row.label,
        };
        let score = by_name.or_else(|| {
            let words = self.words.score(Utf32Str::new(beside, &mut self.buffer), &mut self.matcher)?;
            Some(words / 2)
        })?;
        let lift = if command { 0 } else { 20 };
        let held = if row.unavailable.is_some() { 20 } else { 0 };
        Some((score + lift).saturating_sub(held))
    }

    /// The characters of the label that were found.
    fn matched(&mut self, row: &PaletteRow) -> Vec<u32> {
        let mut out = Vec::new();
        let by_name = self.letters.indices(Utf32Str::new(name(row), &mut self.buffer), &mut self.matcher, &mut out);
        if by_name.is_none() {
            out.clear();
            self.words.indices(Utf32Str::new(&row.label, &mut self.buffer), &mut self.matcher, &mut out);
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// A command's name without its explanation; other rows are names.
fn name(row: &PaletteRow) -> &str {
    match row.target {
        PaletteTarget::Command(name) => name,
        _ => &row.label,
    }
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
    command.check(door.state)?;
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
