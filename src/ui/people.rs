//! The People pane: groups, contacts, presence.

use super::canvas::Canvas;
use super::strings;
use super::words;
use super::{Drawn, presence_style};
use crate::app::State;
use crate::app::event::Target;
use crate::app::state::people::Loaded;
use crate::app::state::{Pane, Row, Thread};
use crate::domain::Address;
use crate::domain::contact::DEFAULT_GROUP_NAME;
use crate::endpoint::Feature;
use crate::text::Line;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Rows of an empty list before what else is to be said.
const EMPTY_ROWS: u16 = 5;

/// The words on the pane's border.
pub fn title(state: &State) -> String {
    let local = if state.missing(Feature::ServerList).is_some() { " · local" } else { "" };
    match state.people.counts {
        (_, 0) => format!("People{local}"),
        (online, all) if local.is_empty() => format!("People ─ {online}/{all} online"),
        (online, all) => format!("People ─ {online}/{all}{local}"),
    }
}

/// Draws the inside.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    if state.account.application {
        drawn.targets.push((area, Target::Pane(Pane::People)));
        return super::explain(c, area, &strings::PEOPLE_APPLICATION);
    }
    if state.account.guest.is_some() {
        drawn.targets.push((area, Target::Pane(Pane::People)));
        return super::explain(c, area, &strings::PEOPLE_GUEST);
    }
    let p = &state.people;
    let list = if p.filtering || !p.filter.is_empty() { filter_line(c, area, state, drawn) } else { area };
    let rows = usize::from(list.height);
    let selected = p.selection.as_ref().and_then(|s| p.rows.iter().position(|r| r.is(s)));
    let top = super::keep_in_sight(p.top, selected, rows, p.rows.len());
    drawn.metrics.people_rows = list.height;
    drawn.metrics.people_top = top;
    drawn.targets.push((area, Target::Pane(Pane::People)));
    if p.rows.is_empty() {
        let lines: &[&'static str] = match p.loaded {
            // What the last run knew may be nothing; the server has not been heard.
            Loaded::Nothing | Loaded::Cached if p.filter.is_empty() && state.link.is_up() => &strings::PEOPLE_WAITING,
            Loaded::Nothing => &strings::PEOPLE_WAITING,
            _ if !p.filter.is_empty() => &strings::PEOPLE_FILTERED,
            _ if !state.link.is_up() => &strings::PEOPLE_EMPTY[..1],
            _ => &strings::PEOPLE_EMPTY,
        };
        super::explain(c, list, lines);
        if let Some(why) = state.missing(Feature::ServerList).filter(|_| p.loaded != Loaded::Nothing && p.filter.is_empty()) {
            super::tell(c, list, list.y + EMPTY_ROWS, why, c.theme.quiet);
        }
    }
    for (y, row) in (list.y..list.bottom()).zip(p.rows.iter().skip(top)) {
        let line = Rect { y, height: 1, ..list };
        match row {
            Row::Group { name, online, total, folded, .. } => group(c, line, name, *online, *total, *folded),
            Row::List { name, folded, .. } => list_inside(c, line, name, *folded),
            Row::Contact { uri, .. } => contact(c, line, state, uri),
        }
        let id = row.id();
        if p.selection.as_ref() == Some(&id) {
            let style = if state.pane == Pane::People { c.theme.selection } else { c.theme.selection_idle };
            let cells = if state.pane == Pane::People { line } else { Rect::default() };
            c.restyle(cells, style);
        }
        drawn.targets.push((line, Target::Person(id)));
    }
    scroll_marks(c, list, top, p.rows.len());
}

/// Signs on the right edge when rows lie beyond it.
fn scroll_marks(c: &mut Canvas, list: Rect, top: usize, all: usize) {
    let below = all.saturating_sub(top + usize::from(list.height));
    if below > 0 && list.height > 2 {
        let words = format!("{} {below} more", c.glyphs.down);
        let w = c.width(words.clone()) + 2;
        c.put(list.right().saturating_sub(w), list.bottom(), w, format!(" {words} "), c.theme.border);
    }
}

fn filter_line(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) -> Rect {
    let p = &state.people;
    let style = if p.filtering { c.theme.accent } else { c.theme.quiet };
    c.put(area.x + 1, area.y, 1, "/", style);
    let room = area.width.saturating_sub(3);
    super::edit_line(
        c,
        Rect { x: area.x + 2, width: room, height: 1, ..area },
        &p.filter,
        p.filtering && state.pane == Pane::People,
        drawn,
    );
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

fn group(c: &mut Canvas, line: Rect, name: &str, online: usize, total: usize, folded: bool) {
    let name = if name == DEFAULT_GROUP_NAME { Line::new("Other contacts") } else { Line::new(name) };
    c.put(line.x + 1, line.y, 1, if folded { c.glyphs.folded } else { c.glyphs.open }, c.theme.quiet);
    let start = c.put_right(line.right().saturating_sub(1), line.y, 9, format!("{online}/{total}"), c.theme.quiet);
    c.put(line.x + 3, line.y, start.saturating_sub(line.x + 4), &name, c.theme.group);
}

/// A distribution group inside another.
fn list_inside(c: &mut Canvas, line: Rect, name: &str, folded: bool) {
    c.put(line.x + 3, line.y, 1, if folded { c.glyphs.folded } else { c.glyphs.open }, c.theme.quiet);
    c.put(line.x + 5, line.y, line.width.saturating_sub(6), Line::new(name), c.theme.group);
}

fn contact(c: &mut Canvas, line: Rect, state: &State, uri: &Address) {
    let presence = state.people.presence_of(uri);
    let blocked = words::is_blocked(state, uri);
    let class = words::class(presence);
    let stale = words::is_stale(state, presence);
    let faint = |s: Style| if stale { s.add_modifier(Modifier::DIM) } else { s };
    if state.people.marks.contains(uri) {
        c.put(line.x + 1, line.y, 1, c.glyphs.marked, c.theme.accent);
    } else if unread(state, uri) {
        c.put(line.x + 1, line.y, 1, c.glyphs.mail, c.theme.accent);
    } else if crate::app::alerts::waits_for(state, uri) {
        c.put(line.x + 1, line.y, 1, c.glyphs.awaited, c.theme.quiet);
    }
    c.put(line.x + 3, line.y, 2, c.glyphs.presence(class, blocked), faint(presence_style(c.theme, class, blocked)));
    let name = Line::new(state.name(uri));
    let room = line.width.saturating_sub(6);
    let few = if room < 24 { words::shorter } else { words::short };
    let mut words = few(presence, blocked, &state.view);
    if presence.and_then(|p| p.device.as_deref()).is_some_and(|d| d.eq_ignore_ascii_case("mobile")) {
        words = format!("{}{}{words}", c.glyphs.mobile, if words.is_empty() { "" } else { " " });
    }
    let name_room = if words.is_empty() { room } else { name_cells(room) };
    c.put(line.x + 5, line.y, name_room, &name, faint(Style::new()));
    if !words.is_empty() {
        c.put(line.x + 6 + name_room, line.y, room - name_room - 1, words, faint(c.theme.quiet));
    }
}

/// Cells of the name column.
fn name_cells(room: u16) -> u16 {
    room.saturating_sub(match room {
        40.. => 20,
        24.. => 11,
        _ => 8,
    })
}

fn unread(state: &State, uri: &Address) -> bool {
    state.conversations.tabs.iter().any(|t| t.unread > 0 && matches!(&t.thread, Thread::Person(a) if a == uri))
}
