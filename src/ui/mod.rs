//! The screen: drawing as a function of the state, and the terminal under it.
//!
//! Contract: [`Screen::draw`] changes nothing but the buffer. Call [`State::settle`] before it, and give what it measured to
//! [`State::measured`] after it; what the mouse can hit comes back as areas with their targets, the topmost last.

pub mod canvas;
mod card;
mod conversations;
mod form;
pub mod glyphs;
mod layout;
mod me;
mod meetings;
mod overlay;
mod people;
mod status;
pub mod strings;
pub mod terminal;
pub mod theme;
mod wire;
pub mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::app::event::Target;
use crate::app::state::{Layout, Metrics, Pane};
use crate::app::{Editor, State};
use crate::domain::presence::AvailabilityClass;
use crate::text::width::clusters;
use crate::text::{Line, Text};
use canvas::Canvas;
use glyphs::Glyphs;
use layout::Areas;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use terminal::hyperlinks::Hyperlinks;
use theme::Theme;

/// Styles and signs of one terminal.
#[derive(Clone, Debug)]
pub struct Screen {
    theme: Theme,
    glyphs: Glyphs,
}

/// What drawing found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// Sizes and positions, for [`State::measured`].
    pub metrics: Metrics,
    /// What the mouse can hit; a later entry lies over an earlier one.
    pub targets: Vec<(Rect, Target)>,
    /// Where the terminal's cursor stands; `None`: hidden.
    pub cursor: Option<(u16, u16)>,
    /// What the links on the screen lead to.
    pub links: Hyperlinks,
}

impl Drawn {
    /// What lies under a cell.
    pub fn target(&self, x: u16, y: u16) -> Option<&Target> {
        self.targets.iter().rev().find(|(r, _)| r.contains((x, y).into())).map(|(_, t)| t)
    }
}

impl Screen {
    /// The screen for a view's options: theme, NO_COLOR, ASCII.
    pub fn new(theme: Theme, ascii: bool, no_color: bool) -> Screen {
        let theme = if no_color { theme.without_colours() } else { theme };
        Screen { theme, glyphs: if ascii { glyphs::ASCII } else { glyphs::UNICODE } }
    }

    /// The screen as [`State`] wants it.
    pub fn of(state: &State) -> Screen {
        Screen::new(Theme::named(&state.view.theme), state.view.ascii, state.view.no_color)
    }

    /// Draws everything.
    pub fn draw(&self, state: &State, buffer: &mut Buffer) -> Drawn {
        let area = buffer.area;
        let mut drawn = Drawn { metrics: state.view.metrics.clone(), ..Drawn::default() };
        let mut canvas = Canvas { buffer, theme: &self.theme, glyphs: &self.glyphs, links: Hyperlinks::default() };
        paint(&mut canvas, area, state, &mut drawn);
        drawn.links = canvas.links;
        drawn
    }
}

fn paint(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    if c.theme.text != Style::new() {
        c.fill(area, c.theme.text);
    }
    if state.view.layout() == Layout::TooSmall {
        for (y, line) in (area.y..area.bottom()).zip(Text::plain(strings::TOO_SMALL).wrap(usize::from(area.width.max(1)))) {
            c.put(area.x, y, area.width, line, Style::new());
        }
        return;
    }
    let areas = Areas::of(state, area);
    status::status_line(c, areas.status, state);
    borders(c, &areas, state);
    if areas.people.width > 0 {
        people::draw(c, areas.people, state, drawn);
    }
    if areas.main.width > 0 {
        main_pane(c, &areas, state, drawn);
    }
    if let Some(q) = state.question() {
        card::question(c, &areas, state, q, drawn);
    }
    status::hint_line(c, areas.hints, &crate::app::help::hints(state));
    if let Some(t) = &state.toast {
        status::toast(c, areas.toast, state, t);
    }
    if !state.overlays.is_empty() {
        drawn.cursor = None;
    }
    for (n, o) in state.overlays.iter().enumerate() {
        overlay::draw(c, areas.body, state, o, n + 1 == state.overlays.len(), drawn);
    }
}

/// The pane that fills the space beside People.
fn main_shown(state: &State) -> Pane {
    if state.view.layout() == Layout::Narrow { state.pane } else { state.main }
}

fn main_pane(c: &mut Canvas, areas: &Areas, state: &State, drawn: &mut Drawn) {
    let pane = main_shown(state);
    drawn.targets.push((areas.main, Target::Pane(pane)));
    // Conversations make room for a question at their top, other panes at their foot.
    let above = Rect { height: areas.main.height - card::question_rows(state, areas.main), ..areas.main };
    match pane {
        Pane::Meetings => meetings::draw(c, above, state, drawn),
        Pane::Me => me::draw(c, above, state, drawn),
        Pane::Wire => wire::draw(c, above, state, drawn),
        Pane::Conversations | Pane::People => conversations::draw(c, areas, state, drawn),
    }
}

/// The frame with the names of the panes on its upper line.
fn borders(c: &mut Canvas, areas: &Areas, state: &State) {
    let (body, style) = (areas.body, c.theme.border);
    c.frame(body, style);
    let active = |pane: Pane| if state.pane == pane { c.theme.title_active } else { c.theme.title };
    if areas.people.width > 0 {
        let style = active(Pane::People);
        pane_title(c, areas.people, &people::title(state), style);
    }
    if areas.main.width == 0 {
        return;
    }
    if areas.people.width > 0 {
        split(c, body, areas.main.x - 1, style);
    }
    if areas.third.width > 0 {
        split(c, body, areas.third.x - 1, style);
    }
    let pane = main_shown(state);
    let title_style = active(pane);
    match pane {
        Pane::Conversations | Pane::People => conversations::tab_bar(c, areas, state),
        Pane::Meetings => pane_title(c, areas.main, &meetings::title(state), title_style),
        Pane::Me => pane_title(c, areas.main, "Me", title_style),
        Pane::Wire => pane_title(c, areas.main, &wire::title(state), title_style),
    }
}

fn pane_title(c: &mut Canvas, inside: Rect, words: &str, style: Style) {
    let room = inside.width.saturating_sub(2);
    let words = if c.glyphs.ascii { words.replace('─', "-") } else { words.to_owned() };
    let used = c.put(inside.x + 1, inside.y - 1, room, words, style);
    c.put(inside.x, inside.y - 1, 1, " ", style);
    c.put(inside.x + 1 + used, inside.y - 1, 1, " ", style);
}

/// A vertical line through the frame.
fn split(c: &mut Canvas, body: Rect, x: u16, style: Style) {
    c.cell(x, body.y, c.glyphs.tee_down, style);
    c.post(x, body.y + 1, body.height.saturating_sub(2), style);
    c.cell(x, body.bottom() - 1, c.glyphs.tee_up, style);
}

/// The style of a presence.
fn presence_style(theme: &Theme, class: AvailabilityClass, blocked: bool) -> Style {
    match class {
        _ if blocked => theme.blocked,
        AvailabilityClass::Unknown => theme.unknown,
        AvailabilityClass::Available => theme.available,
        AvailabilityClass::AvailableIdle => theme.idle,
        AvailabilityClass::Busy | AvailabilityClass::BusyIdle => theme.busy,
        AvailabilityClass::DoNotDisturb => theme.do_not_disturb,
        AvailabilityClass::BeRightBack | AvailabilityClass::Away => theme.away,
        AvailabilityClass::Offline => theme.offline,
    }
}

/// Says in a pane why there is nothing in it.
fn explain(c: &mut canvas::Canvas, area: ratatui::layout::Rect, lines: &[&'static str]) {
    let mut y = area.y + 1;
    for words in lines {
        y = tell(c, area, y, words, c.theme.quiet);
    }
}

/// Sentences of any length from `y` on, wrapped; gives the row after them.
fn tell(c: &mut canvas::Canvas, area: ratatui::layout::Rect, y: u16, text: &str, style: ratatui::style::Style) -> u16 {
    let lines = Text::plain(text).wrap(usize::from(area.width.saturating_sub(3)));
    let end = area.bottom().min(y.saturating_add(u16::try_from(lines.len()).unwrap_or(u16::MAX)));
    for (y, line) in (y..end).zip(lines) {
        c.put(area.x + 2, y, area.width.saturating_sub(2), line, style);
    }
    end
}

/// The first row to show so that `selected` is in sight and no room is wasted.
fn keep_in_sight(top: usize, selected: Option<usize>, rows: usize, all: usize) -> usize {
    let mut top = top.min(all.saturating_sub(rows));
    if let Some(s) = selected {
        if s < top {
            top = s;
        } else if rows > 0 && s >= top + rows {
            top = s + 1 - rows;
        }
    }
    top
}

/// A one-line editor that scrolls sideways; with the keys, the cursor stands in it.
fn edit_line(c: &mut Canvas, area: Rect, editor: &Editor, has_keys: bool, drawn: &mut Drawn) {
    if area.width < 2 {
        return;
    }
    let l = crate::text::edit::layout(&editor.text().replace('\n', " "), editor.cursor(), usize::from(u16::MAX));
    let line = l.rows.first().cloned().unwrap_or_default();
    let room = usize::from(area.width) - 1;
    let skip = if has_keys { l.column.saturating_sub(room) } else { 0 };
    let mut x = 0;
    let mut shown = String::new();
    for (g, w) in clusters(line.as_str()) {
        if x >= skip && x + w <= skip + room + 1 {
            shown.push_str(g);
        }
        x += w;
    }
    put_verbatim(c, area.x, area.y, area.width, &shown);
    if has_keys {
        let column = u16::try_from(l.column - skip).unwrap_or(0);
        drawn.cursor = Some((area.x + column.min(area.width - 1), area.y));
    }
}

/// Writes already cleaned text with its blanks kept, for editors.
fn put_verbatim(c: &mut Canvas, x: u16, y: u16, room: u16, shown: &str) {
    c.put(x, y, room, crate::text::edit::row(shown), Style::new());
}

/// Joins words with the sign between parts of a sentence.
fn joined(parts: &[String]) -> Line {
    Line::new(&parts.iter().map(|p| Line::new(p).to_string()).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · "))
}
