//! The transcript: only what is in sight is cleaned, wrapped and drawn.
//!
//! While the end is followed, the window does not move with every message. Its top stands on an entry whose position is
//! a multiple of half the rows it has beside an empty composer (one that grows must not move it); new messages fill the
//! free rows below, and when they are full the top moves on to the next such entry. A slow link then carries the new
//! message and not the whole transcript again.

use crate::app::State;
use crate::app::event::Target;
use crate::app::state::Pane;
use crate::app::state::conversations::{Entry, Part, Scroll, Tab, Thread};
use crate::app::{alone, files};
use crate::domain::Address;
use crate::domain::conversation::{Delivery, InstantMessage};
use crate::domain::file::{Transfer, TransferState};
use crate::text::links::Hyperlink;
use crate::text::{Line, Link, Text, width};
use crate::ui::canvas::Canvas;
use crate::ui::terminal::hyperlinks::FRAME;
use crate::ui::{Drawn, strings, words};
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::collections::HashMap;
use std::time::Duration;

/// Names that may decide the width of the column of names.
const NAMES_MEASURED: usize = 64;

/// Messages of one author closer than this stand under one name.
const TOGETHER: Duration = Duration::from_secs(300);
/// Octets that links may add to one message on its way to the terminal.
const LINK_OCTETS: usize = 150;
/// Cells kept free at the right edge for the state of own messages.
const STATE_CELLS: u16 = 4;
/// Rows that the reason of a failure takes.
const REASON_ROWS: usize = 4;
/// Cells of the bar that shows how much of a file has crossed.
const BAR_CELLS: u16 = 24;

/// Draws the window; `most` are the rows it would have beside an empty composer.
pub fn draw(c: &mut Canvas, area: Rect, most: u16, state: &State, tab: &Tab, drawn: &mut Drawn) {
    let rows = usize::from(area.height);
    drawn.metrics.transcript_rows = area.height;
    if tab.entries.is_empty() {
        let words = if tab.loading { "Reading the history…" } else { strings::NO_MESSAGES };
        c.put(area.x + 1, area.y + area.height.min(2) / 2, area.width.saturating_sub(2), words, c.theme.quiet);
        drawn.metrics.transcript_scroll = Some(Scroll::default());
        drawn.metrics.first_visible = None;
        drawn.metrics.last_visible = None;
        drawn.metrics.at_top = true;
        return;
    }
    let step = usize::from(most / 2).max(1);
    let mut page = Page { state, tab, columns: Columns::of(area.width, state, tab), step, known: HashMap::new() };
    let window = page.window(rows);
    report(&window, &page, drawn);
    let mut y = area.y;
    let mut skip = window.skip;
    for i in window.first..=window.last {
        let start = y;
        for (n, row) in page.take(i, i == window.first).into_iter().enumerate() {
            if n < skip {
                continue;
            }
            if y >= area.bottom() {
                break;
            }
            page.draw_row(c, Rect { y, height: 1, ..area }, i, row);
            y += 1;
        }
        skip = 0;
        if y > start {
            let id = tab.entries[i].id().clone();
            drawn.targets.push((Rect { y: start, height: y - start, ..area }, Target::Message(id)));
        }
    }
}

fn report(window: &Window, page: &Page, drawn: &mut Drawn) {
    let id = |i: usize| page.tab.entries.get(i).map(|e| e.id().clone());
    let m = &mut drawn.metrics;
    m.first_visible = id(window.first);
    m.last_visible = id(window.last);
    m.at_top = window.first == 0 && window.skip == 0;
    m.first_cut = window.skip > 0;
    m.transcript_scroll = Some(match window.follows {
        true => Scroll::default(),
        false => Scroll { anchor: id(window.last), up: i64::try_from(window.hidden).unwrap_or(0) },
    });
    m.transcript_bottom = Some(Scroll { anchor: id(window.last), up: window.bottom });
}

/// Where the columns of a message begin.
#[derive(Clone, Copy)]
struct Columns {
    name: u16,
    name_cells: u16,
    text: u16,
    text_cells: u16,
}

impl Columns {
    fn of(cells: u16, state: &State, tab: &Tab) -> Columns {
        let most = if cells >= 70 {
            14
        } else if cells >= 50 {
            10
        } else {
            6
        };
        let mut longest = match &tab.thread {
            Thread::Person(uri) => width(Line::new(state.name(uri)).as_str()),
            _ => 0,
        };
        // Those who have left keep their names: a meeting that is over has no participants but still authors.
        let present = tab.conversation.participants.iter().take(NAMES_MEASURED).map(|p| &p.uri);
        let wrote = tab.entries.iter().rev().take(NAMES_MEASURED).filter_map(Entry::message).map(|m| &m.author);
        let mine = state.account.address.as_ref();
        let mut last = mine;
        for uri in present.chain(wrote).filter(|uri| Some(*uri) != mine) {
            if last.replace(uri) == Some(uri) {
                continue;
            }
            longest = longest.max(width(Line::new(state.name(uri)).as_str()));
        }
        let name_cells = u16::try_from(longest).unwrap_or(most).clamp(4, most);
        let (name, text) = (7, 7 + name_cells + if cells >= 50 { 2 } else { 1 });
        Columns { name, name_cells, text, text_cells: cells.saturating_sub(text + STATE_CELLS).max(8) }
    }
}

/// What is in sight.
struct Window {
    first: usize,
    last: usize,
    /// Rows of `first` above the window.
    skip: usize,
    /// Rows of `last` below the window.
    hidden: usize,
    follows: bool,
    /// The lower edge of the window counted from the last row of `last`; negative when rows below it are free.
    bottom: i64,
}

/// One row of an entry.
enum Row {
    Day(String),
    Unread(usize),
    Text {
        line: Line,
        links: Vec<(Link, Option<Hyperlink>)>,
        first: bool,
        last: bool,
        named: bool,
        timed: bool,
        /// Cells of the mark it begins with: it went to one person alone.
        alone: u16,
    },
    Reason(Line),
    Notice {
        line: Line,
        first: bool,
    },
    /// A file: its name, or where it stands.
    File {
        line: Line,
        first: bool,
    },
    /// How much of a file has crossed, and that in words.
    Bar {
        percent: u64,
        words: Line,
    },
    /// Why a file did not cross.
    Broken(Line),
}

struct Page<'a> {
    state: &'a State,
    tab: &'a Tab,
    columns: Columns,
    /// The top rests on multiples of this.
    step: usize,
    /// Rows of entries that were measured.
    known: HashMap<usize, Vec<Row>>,
}

impl Page<'_> {
    fn window(&mut self, rows: usize) -> Window {
        let anchored = self.tab.scroll.anchor.as_ref().and_then(|a| self.tab.entries.iter().rposition(|e| e.id() == a));
        let window = match anchored {
            Some(at) => self.scrolled(at, self.tab.scroll.up, rows),
            None => self.following(rows),
        };
        self.with_cursor(window, rows)
    }

    /// The end, resting on an entry at a round position.
    fn following(&mut self, rows: usize) -> Window {
        let last = self.tab.entries.len() - 1;
        let (first, used) = self.up_from(last, 0, rows);
        let (mut top, mut height) = (first, used);
        // `first` may stick out at the top; then it cannot be the resting place.
        if height > rows {
            height -= self.height(top);
            top += 1;
        }
        while top <= last && top > 0 && !top.is_multiple_of(self.step) {
            height -= self.height(top);
            top += 1;
        }
        if top <= last {
            let bottom = -i64::try_from(rows.saturating_sub(height)).unwrap_or(0);
            return Window { first: top, last, skip: 0, hidden: 0, follows: true, bottom };
        }
        Window { first, last, skip: used.saturating_sub(rows), hidden: 0, follows: true, bottom: 0 }
    }

    /// The window whose lower edge lies `up` rows above the last row of entry `at`.
    fn scrolled(&mut self, at: usize, up: i64, rows: usize) -> Window {
        let end = self.tab.entries.len() - 1;
        let (mut last, mut hidden) = (at, up);
        while hidden < 0 {
            if last == end {
                return self.following(rows);
            }
            last += 1;
            hidden += i64::try_from(self.height(last)).unwrap_or(0);
        }
        let mut hidden = usize::try_from(hidden).unwrap_or(0);
        while hidden >= self.height(last) && last > 0 {
            hidden -= self.height(last);
            last -= 1;
        }
        if last == end && hidden == 0 {
            return self.following(rows);
        }
        let (first, used) = self.up_from(last, hidden, rows);
        if used < rows {
            return self.starting_at(0, rows);
        }
        Window { first, last, skip: used - rows, hidden, follows: false, bottom: i64::try_from(hidden).unwrap_or(0) }
    }

    /// The window whose first row is the first row of entry `first`.
    fn starting_at(&mut self, first: usize, rows: usize) -> Window {
        let mut used = 0;
        for last in first..self.tab.entries.len() {
            used += self.height(last);
            if used >= rows {
                let hidden = used - rows;
                return Window { first, last, skip: 0, hidden, follows: false, bottom: i64::try_from(hidden).unwrap_or(0) };
            }
        }
        self.following(rows)
    }

    /// The first entry of a window that ends `hidden` rows above the end of `last`, and the rows from there.
    fn up_from(&mut self, last: usize, hidden: usize, rows: usize) -> (usize, usize) {
        let mut first = last;
        let mut used = self.height(last).saturating_sub(hidden);
        while used < rows && first > 0 {
            first -= 1;
            used += self.height(first);
        }
        (first, used)
    }

    /// Moves the window just so far that the message the keys act on is in sight. One that is taller than the window is
    /// entered from the side the cursor comes from, and read row by row.
    fn with_cursor(&mut self, window: Window, rows: usize) -> Window {
        if self.state.conversations.part != Part::Transcript {
            return window;
        }
        let Some(id) = &self.tab.cursor else { return window };
        let Some(at) = self.tab.entries.iter().rposition(|e| e.id() == id) else { return window };
        let tall = self.height(at) > rows;
        if at < window.first || (at == window.first && window.skip > 0 && !tall) {
            return if tall { self.scrolled(at, 0, rows) } else { self.starting_at(at, rows) };
        }
        if at > window.last || (at == window.last && window.hidden > 0 && !tall) {
            return if tall { self.starting_at(at, rows) } else { self.scrolled(at, 0, rows) };
        }
        window
    }

    fn height(&mut self, i: usize) -> usize {
        if let Some(rows) = self.known.get(&i) {
            return rows.len();
        }
        let rows = self.rows(i, false);
        let h = rows.len();
        self.known.insert(i, rows);
        h
    }

    /// The rows of an entry for drawing them.
    fn take(&mut self, i: usize, first_in_sight: bool) -> Vec<Row> {
        let known = if first_in_sight { None } else { self.known.remove(&i) };
        known.unwrap_or_else(|| self.rows(i, first_in_sight))
    }

    /// The rows of an entry, separators above it included.
    fn rows(&self, i: usize, first_in_sight: bool) -> Vec<Row> {
        let entry = &self.tab.entries[i];
        let before = i.checked_sub(1).and_then(|b| self.tab.entries.get(b));
        let zone = &self.state.view.zone;
        let mut rows = Vec::new();
        let new_day = before.is_none_or(|b| words::day_of(b.at(), zone) != words::day_of(entry.at(), zone));
        if new_day {
            rows.push(Row::Day(words::day(entry.at(), self.state.view.now, zone)));
        }
        let unread = self.tab.unread_from.as_ref() == Some(entry.id());
        if unread {
            let others = self.tab.entries[i..].iter().filter_map(Entry::message).filter(|m| m.state == Delivery::Received);
            rows.push(Row::Unread(others.count()));
        }
        match entry {
            Entry::Notice { text, .. } => {
                let lines = Text::plain(text).wrap(usize::from(self.columns.text_cells));
                rows.extend(lines.into_iter().enumerate().map(|(n, line)| Row::Notice { line, first: n == 0 }));
            }
            Entry::Transfer { transfer, .. } => self.file_rows(transfer, &mut rows),
            Entry::Message { message, .. } => {
                let named = first_in_sight || new_day || unread || !follows(before, message);
                let timed = named || before.is_none_or(|b| words::clock(b.at(), zone) != words::clock(entry.at(), zone));
                self.message_rows(message, named, timed, &mut rows);
            }
        }
        rows
    }

    fn message_rows(&self, message: &InstantMessage, named: bool, timed: bool, rows: &mut Vec<Row>) {
        let mut text = Text::message(&message.body, message.format);
        if let Some(words) = action(&text) {
            let name = Line::new(self.state.name(&message.author));
            text = Text::plain(&format!("* {name} {words}"));
        }
        let alone = alone::mark(self.state, message).map(|m| format!("({})", Line::new(&m)));
        if let Some(mark) = &alone {
            text = Text::plain(&format!("{mark} {}", text.as_str()));
        }
        let lines = text.wrap_with_links(usize::from(self.columns.text_cells));
        let end = lines.len() - 1;
        let mut budget = LINK_OCTETS;
        rows.extend(lines.into_iter().enumerate().map(|(n, (line, links))| Row::Text {
            line,
            links: links.into_iter().map(|l| told(l, &mut budget)).collect(),
            first: n == 0,
            last: n == end,
            named: named && n == 0,
            timed: timed && n == 0,
            alone: alone.as_ref().filter(|_| n == 0).map_or(0, |mark| u16::try_from(width(mark)).unwrap_or(u16::MAX)),
        }));
        if let Delivery::Failed(reason) = &message.state {
            let words = format!("not delivered: {}", Line::new(reason));
            let cells = self.columns.text_cells + STATE_CELLS - 1;
            rows.extend(Text::plain(&words).wrap(usize::from(cells)).into_iter().take(REASON_ROWS).map(Row::Reason));
        }
    }

    fn file_rows(&self, transfer: &Transfer, rows: &mut Vec<Row>) {
        let cells = usize::from(self.columns.text_cells);
        let name = Text::plain(&files::title(transfer)).wrap(cells);
        rows.extend(name.into_iter().enumerate().map(|(n, line)| Row::File { line, first: n == 0 }));
        let standing = files::standing(self.state, transfer);
        if let TransferState::Running { octets } = transfer.state {
            rows.push(Row::Bar { percent: files::percent(octets, transfer.size), words: Line::new(&standing) });
            return;
        }
        let failed = matches!(transfer.state, TransferState::Failed(_));
        let row = |line| if failed { Row::Broken(line) } else { Row::Notice { line, first: false } };
        rows.extend(Text::plain(&standing).wrap(cells).into_iter().map(row));
    }

    fn draw_row(&self, c: &mut Canvas, line: Rect, i: usize, row: Row) {
        let entry = &self.tab.entries[i];
        let (x, y) = (line.x, line.y);
        let text_x = x + self.columns.text;
        match row {
            Row::Day(words) => c.titled_rule(Rect { x: x + 1, width: line.width - 2, ..line }, y, words, c.theme.border),
            Row::Unread(n) => {
                let words = if n == 0 { "unread".to_owned() } else { format!("{n} unread") };
                c.titled_rule(Rect { x: x + 1, width: line.width - 2, ..line }, y, words, c.theme.accent);
            }
            Row::Notice { line: words, first } => {
                if first {
                    self.time(c, x, y, entry);
                }
                c.put(text_x, y, self.columns.text_cells, &words, c.theme.quiet);
            }
            Row::File { line: words, first } => {
                if let Some(transfer) = entry.transfer().filter(|_| first) {
                    self.time(c, x, y, entry);
                    let mine = self.state.account.address.as_ref().filter(|_| transfer.outgoing);
                    self.author(c, x, y, mine.unwrap_or(&transfer.with));
                    self.gutter(c, x, y, entry);
                }
                c.put(text_x, y, self.columns.text_cells, &words, c.theme.title_active);
            }
            Row::Broken(line) => {
                c.put(text_x, y, self.columns.text_cells, &line, c.theme.error);
            }
            Row::Bar { percent, words } => {
                let told = u16::try_from(width(words.as_str())).unwrap_or(u16::MAX).saturating_add(2);
                let cells = self.columns.text_cells.saturating_sub(told).min(BAR_CELLS);
                let full = u16::try_from(percent * u64::from(cells) / 100).unwrap_or(cells).min(cells);
                let used = c.put(text_x, y, full, c.glyphs.bar_full.repeat(full.into()), c.theme.accent);
                c.put(text_x + used, y, cells - full, c.glyphs.bar_rest.repeat((cells - full).into()), c.theme.quiet);
                let gap = if cells == 0 { 0 } else { cells + 2 };
                c.put(text_x + gap, y, self.columns.text_cells - gap, &words, c.theme.quiet);
            }
            Row::Reason(reason) => {
                c.put(text_x, y, self.columns.text_cells + STATE_CELLS - 1, reason, c.theme.error);
            }
            Row::Text { line: words, links, first, last, named, timed, alone } => {
                let Entry::Message { message, mention } = entry else { return };
                if timed {
                    self.time(c, x, y, entry);
                }
                if named {
                    self.name(c, x, y, message);
                }
                let base = if *mention { c.theme.mention } else { Style::new() };
                c.put(text_x, y, self.columns.text_cells, &words, base);
                let area = Rect { x: text_x, y, width: alone.min(self.columns.text_cells), height: 1 };
                c.restyle(area, c.theme.accent);
                mark_links(c, text_x, y, &words, links);
                self.mark_found(c, text_x, y, &words);
                if last {
                    let style = match message.state {
                        Delivery::Failed(_) => c.theme.error,
                        _ => c.theme.quiet,
                    };
                    c.put_right(line.right() - 1, y, 2, c.glyphs.delivery(&message.state), style);
                }
                if first || self.is_cursor(entry) {
                    self.gutter(c, x, y, entry);
                }
            }
        }
    }

    fn time(&self, c: &mut Canvas, x: u16, y: u16, entry: &Entry) {
        c.put(x + 1, y, 5, words::clock(entry.at(), &self.state.view.zone), c.theme.quiet);
    }

    fn name(&self, c: &mut Canvas, x: u16, y: u16, message: &InstantMessage) {
        self.author(c, x, y, &message.author);
    }

    fn author(&self, c: &mut Canvas, x: u16, y: u16, author: &Address) {
        let mine = self.state.account.address.as_ref() == Some(author);
        let (name, style) = if mine {
            (Line::new("me"), c.theme.me)
        } else {
            (Line::new(self.state.name(author)), c.theme.author(author.as_str()))
        };
        c.put(x + self.columns.name, y, self.columns.name_cells, &name, style);
    }

    fn is_cursor(&self, entry: &Entry) -> bool {
        let reading = self.state.pane == Pane::Conversations && self.state.conversations.part == Part::Transcript;
        reading && self.tab.cursor.as_ref() == Some(entry.id())
    }

    /// The sign of the message the keys act on, or of a marked one.
    fn gutter(&self, c: &mut Canvas, x: u16, y: u16, entry: &Entry) {
        if self.is_cursor(entry) {
            c.put(x, y, 1, c.glyphs.cursor, c.theme.accent);
        } else if self.tab.marks.contains(entry.id()) {
            c.put(x, y, 1, c.glyphs.marked, c.theme.accent);
        }
    }

    fn mark_found(&self, c: &mut Canvas, x: u16, y: u16, words: &Line) {
        let Some(search) = &self.tab.search else { return };
        let needle = search.query.text().to_lowercase();
        let hay = words.as_str().to_lowercase();
        // Where lower case has other lengths the places would not fit; such rare lines are not marked.
        if needle.is_empty() || hay.len() != words.as_str().len() {
            return;
        }
        for (at, found) in hay.match_indices(&needle) {
            let (from, cells) = (cells(words, 0, at), cells(words, at, at + found.len()));
            c.restyle(Rect { x: x + from, y, width: cells, height: 1 }, c.theme.found);
        }
    }
}

/// A link, and whether the terminal is told of it: while the octets of this message last.
fn told(link: Link, budget: &mut usize) -> (Link, Option<Hyperlink>) {
    let cost = link.target.len() + FRAME;
    let hyperlink = Hyperlink::new(&link.target).filter(|_| cost <= *budget);
    if hyperlink.is_some() {
        *budget -= cost;
    }
    (link, hyperlink)
}

fn mark_links(c: &mut Canvas, x: u16, y: u16, words: &Line, links: Vec<(Link, Option<Hyperlink>)>) {
    for (l, hyperlink) in links {
        let (from, cells) = (cells(words, 0, l.start), cells(words, l.start, l.end));
        let area = Rect { x: x + from, y, width: cells, height: 1 };
        c.restyle(area, c.theme.link);
        if let Some(hyperlink) = hyperlink {
            c.link(area, hyperlink);
        }
    }
}

/// Cells of a part of a line; 0 where the octets cut a character.
fn cells(line: &Line, from: usize, to: usize) -> u16 {
    line.as_str().get(from..to).and_then(|s| u16::try_from(width(s)).ok()).unwrap_or(0)
}

/// Whether `message` continues what the entry before it began.
fn follows(before: Option<&Entry>, message: &InstantMessage) -> bool {
    before.and_then(Entry::message).is_some_and(|b| b.author == message.author && message.at.since(b.at) < TOGETHER)
}

/// The words of a `/me` message.
fn action(text: &Text) -> Option<&str> {
    text.as_str().strip_prefix("/me ")
}
