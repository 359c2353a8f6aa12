//! A writer that knows what the terminal shows, where its cursor is and what it writes with.
//!
//! Contract: [`Writer::draw`] lets somebody draw a frame from nothing, compares it with what the terminal shows and sends the
//! difference in one `write`. A frame that changes nothing sends nothing.

use super::hyperlinks::{self, Hyperlinks, Shared};
use super::motion::{self, Spot};
use super::pen::{self, Pen};
use super::scroll::Frames;
use crate::text::width::cluster_width;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use std::io::{self, Write};

/// Frames longer than this are bracketed by synchronised output; shorter ones arrive in one piece anyway.
const SYNCHRONISE_FROM: usize = 256;
const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";
const SAVE: &[u8] = b"\x1b7";
const RESTORE: &[u8] = b"\x1b8";

/// The writer.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    size: Size,
    /// Where frames are drawn.
    canvas: Buffer,
    /// What the terminal shows.
    shown: Vec<Cell>,
    /// What it shall show.
    next: Vec<Cell>,
    /// Changed columns of each row: first, one past the last.
    dirty: Vec<(u16, u16)>,
    /// Where the terminal's cursor is, if that is sure.
    cursor: Option<Spot>,
    pen: Option<Pen>,
    visible: Option<bool>,
    wanted_visible: bool,
    wanted: Spot,
    clear: bool,
    /// Sequences that go out ahead of the next frame: title, bell, clipboard.
    extra: Vec<u8>,
    frame: Vec<u8>,
    written: u64,
    /// What the links on the wanted screen lead to.
    links: Shared,
}

impl<W: Write> Writer<W> {
    /// A terminal of `size` about which nothing is known yet; the first flush clears it.
    pub fn new(out: W, size: Size) -> Writer<W> {
        let mut w = Writer {
            out,
            size,
            canvas: Buffer::default(),
            shown: Vec::new(),
            next: Vec::new(),
            dirty: Vec::new(),
            cursor: None,
            pen: None,
            visible: None,
            wanted_visible: true,
            wanted: (0, 0),
            clear: true,
            extra: Vec::new(),
            frame: Vec::new(),
            written: 0,
            links: Shared::default(),
        };
        w.resize(size);
        w
    }

    /// The terminal has a size, perhaps a new one; everything is painted again.
    pub fn resize(&mut self, size: Size) {
        if size == self.size && !self.next.is_empty() {
            return self.forget();
        }
        self.size = size;
        let cells = usize::from(size.width) * usize::from(size.height);
        self.canvas = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        self.next = vec![Cell::EMPTY; cells];
        self.dirty = vec![(u16::MAX, 0); usize::from(size.height)];
        self.forget();
    }

    /// Somebody else wrote to the terminal (a shell, an editor): clear it and paint everything again.
    ///
    /// What was wanted stays wanted, so that no new drawing is needed.
    pub fn forget(&mut self) {
        self.shown = vec![Cell::EMPTY; self.next.len()];
        self.dirty.iter_mut().for_each(|d| *d = (0, self.size.width));
        (self.cursor, self.pen, self.visible, self.clear) = (None, None, None, true);
    }

    /// Sends `sequence` with the next flush. It must neither move the cursor nor change attributes.
    pub fn append(&mut self, sequence: &[u8]) {
        self.extra.extend_from_slice(sequence);
    }

    /// Where to say, while a frame is drawn, what its links lead to.
    pub fn links(&self) -> Shared {
        Shared::clone(&self.links)
    }

    /// Octets written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Where the octets go.
    pub fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Lets `f` draw a frame and say where the cursor stands (`None`: hidden), and sends what has changed.
    ///
    /// # Errors
    /// When the terminal takes nothing; everything is painted again then.
    pub fn draw(&mut self, f: impl FnOnce(&mut Buffer) -> Option<(u16, u16)>) -> io::Result<()> {
        self.canvas.reset();
        let before = self.known_links();
        let cursor = f(&mut self.canvas);
        if self.known_links().contradicts(&before) {
            // The terminal would keep the old address of cells that look the same.
            self.forget();
        }
        let canvas = std::mem::take(&mut self.canvas);
        for y in 0..self.size.height {
            self.want_row(y, &canvas);
        }
        self.canvas = canvas;
        self.wanted_visible = cursor.is_some();
        if let Some((x, y)) = cursor {
            self.wanted = (x.min(self.size.width.saturating_sub(1)), y.min(self.size.height.saturating_sub(1)));
        }
        let (start, start_pen) = (self.cursor, self.pen);
        self.paint();
        let painted = self.frame.len();
        let saved = self.place_cursor(start, start_pen, painted);
        self.send(saved)
    }

    fn known_links(&self) -> Hyperlinks {
        self.links.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn want_row(&mut self, y: u16, canvas: &Buffer) {
        let (from, to) = (self.index(0, y), self.index(0, y + 1));
        let mut at = from;
        while let Some(cell) = canvas.content.get(at).filter(|_| at < to) {
            if !wants(&self.next[at], cell) {
                self.want(u16::try_from(at - from).unwrap_or(u16::MAX), y, cell);
            }
            // What stands behind a wide cluster does not show.
            at += cluster_width(cell.symbol()).max(1);
        }
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.width) + usize::from(x)
    }

    fn want(&mut self, x: u16, y: u16, cell: &Cell) {
        if x >= self.size.width || y >= self.size.height {
            return;
        }
        let at = self.index(x, y);
        let (mut symbol, mut columns) = (cell.symbol(), cluster_width(cell.symbol()));
        if columns == 0 || (columns == 2 && x + 1 >= self.size.width) {
            (symbol, columns) = (" ", 1);
        }
        let end = at + columns;
        self.unpair(at, end, y);
        let to = &mut self.next[at];
        to.set_symbol(symbol);
        let pen = Pen::of(cell);
        (to.fg, to.bg, to.modifier, to.underline_color) = (pen.fg, pen.bg, pen.mods, pen.link);
        if columns == 2 {
            // The second cell of a wide cluster has no text of its own.
            let head = self.next[at].clone();
            self.next[at + 1] = head;
            self.next[at + 1].set_symbol("");
        }
        self.touch(x, y, u16::try_from(columns).unwrap_or(1));
    }

    /// Blanks what would be left of wide clusters of which the cells `from..to` take one half.
    fn unpair(&mut self, from: usize, to: usize, y: u16) {
        let row = self.index(0, y);
        let mut orphans = [None, None];
        if self.next[from].symbol().is_empty() && from > row {
            orphans[0] = Some(from - 1);
        }
        if to < row + usize::from(self.size.width) && self.next[to].symbol().is_empty() {
            orphans[1] = Some(to);
        }
        for i in orphans.into_iter().flatten() {
            self.next[i].reset();
            self.touch(u16::try_from(i - row).unwrap_or(0), y, 1);
        }
    }

    fn touch(&mut self, x: u16, y: u16, columns: u16) {
        let d = &mut self.dirty[usize::from(y)];
        *d = (d.0.min(x), d.1.max(x + columns));
    }

    /// Brings the terminal from `shown` to `next`; the octets are appended to `frame`.
    fn paint(&mut self) {
        if std::mem::take(&mut self.clear) {
            pen::change(self.pen, Pen::DEFAULT, &mut self.frame);
            self.frame.extend_from_slice(b"\x1b[H\x1b[2J");
            (self.pen, self.cursor) = (Some(Pen::DEFAULT), Some((0, 0)));
        } else {
            self.scroll();
        }
        for y in 0..self.size.height {
            let (from, to) = std::mem::replace(&mut self.dirty[usize::from(y)], (u16::MAX, 0));
            if from < to {
                self.paint_row(y, from, to.min(self.size.width));
            }
        }
        // Saving and restoring the cursor does not cover links.
        if let Some(pen) = self.pen.filter(|p| p.link != Color::Reset) {
            self.set_pen(Pen { link: Color::Reset, ..pen });
        }
    }

    /// Moves lines that are wanted elsewhere, if that saves octets.
    fn scroll(&mut self) {
        let frames = Frames { shown: &self.shown, next: &self.next, size: self.size };
        let Some(shift) = frames.shift(&self.dirty) else { return };
        if !self.pen.is_some_and(Pen::erases_plain) {
            self.set_pen(Pen::DEFAULT);
        }
        shift.write(&mut self.frame);
        self.cursor = Some((0, 0));
        shift.apply(&mut self.shown, usize::from(self.size.width));
        self.dirty.get_mut(shift.rows()).unwrap_or_default().fill((0, self.size.width));
    }

    fn paint_row(&mut self, y: u16, from: u16, to: u16) {
        let mut x = from;
        while x < to {
            let at = self.index(x, y);
            let symbol = self.next[at].symbol();
            if same(&self.shown[at], &self.next[at]) || symbol.is_empty() {
                let n = self.next[at].clone();
                self.shown[at] = n;
                x += 1;
            } else if symbol == " " {
                x = self.paint_blanks(x, y);
            } else {
                x = self.paint_cluster(x, y);
            }
        }
    }

    /// Paints the run of equal blanks that starts at `x`; the column after it.
    fn paint_blanks(&mut self, x: u16, y: u16) -> u16 {
        let at = self.index(x, y);
        let pen = Pen::of(&self.next[at]);
        let row_end = self.index(self.size.width - 1, y) + 1;
        let run = self.next[at..row_end].iter().take_while(|c| c.symbol() == " " && Pen::of(c) == pen).count();
        let changed = (0..run).rev().find(|i| !same(&self.shown[at + i], &self.next[at + i])).map_or(1, |i| i + 1);
        let plain = pen == Pen::DEFAULT;
        let erase = if plain && at + run == row_end && changed > 2 {
            Some((b"\x1b[K".to_vec(), run))
        } else if plain && changed > 5 {
            Some((format!("\x1b[{changed}X").into_bytes(), changed))
        } else {
            None
        };
        let done = match erase {
            Some((sequence, n)) => {
                self.go(x, y);
                if !self.pen.is_some_and(Pen::erases_plain) {
                    self.set_pen(pen);
                }
                self.frame.extend_from_slice(&sequence);
                n
            }
            None => {
                self.go(x, y);
                self.set_pen_for_blank(pen);
                self.frame.extend(std::iter::repeat_n(b' ', changed));
                self.advance(x, y, u16::try_from(changed).unwrap_or(u16::MAX), true);
                changed
            }
        };
        self.shown[at..at + done].clone_from_slice(&self.next[at..at + done]);
        x + u16::try_from(done).unwrap_or(u16::MAX)
    }

    fn paint_cluster(&mut self, x: u16, y: u16) -> u16 {
        let at = self.index(x, y);
        let symbol = self.next[at].symbol().to_owned();
        let columns = cluster_width(&symbol).max(1);
        let sure = is_sure(&symbol);
        self.go(x, y);
        self.set_pen(Pen::of(&self.next[at]));
        if !sure && columns == 2 && self.shown[at + 1].symbol() != " " {
            // Should the terminal draw it narrow, nothing old may show beside it.
            self.frame.extend_from_slice(b"  \x08\x08");
        }
        self.frame.extend_from_slice(symbol.as_bytes());
        let end = (at + columns).min(self.next.len());
        self.shown[at..end].clone_from_slice(&self.next[at..end]);
        let columns = u16::try_from(columns).unwrap_or(1);
        self.advance(x, y, columns, sure);
        x + columns
    }

    /// The cursor went over `columns`. Behind the last column it hangs between two places, and after a cluster on
    /// whose width terminals disagree it may be anywhere.
    fn advance(&mut self, x: u16, y: u16, columns: u16, sure: bool) {
        let x = x.saturating_add(columns);
        self.cursor = if sure && x < self.size.width { Some((x, y)) } else { None };
    }

    /// Moves the cursor, or writes what stands between again where that is shorter.
    fn go(&mut self, x: u16, y: u16) {
        if let Some((cx, cy)) = self.cursor
            && cy == y
            && cx < x
        {
            let between = self.index(cx, y)..self.index(x, y);
            let cost = motion::cost(self.cursor, (x, y));
            if self.rewriting_costs(between.clone()).is_some_and(|c| c <= cost) {
                for c in &self.shown[between] {
                    self.frame.extend_from_slice(c.symbol().as_bytes());
                }
                self.cursor = Some((x, y));
            }
        }
        motion::go(self.cursor, (x, y), &mut self.frame);
        self.cursor = Some((x, y));
    }

    /// Octets of writing these unchanged cells with the present pen; `None` if that would not look the same.
    fn rewriting_costs(&self, cells: std::ops::Range<usize>) -> Option<usize> {
        let pen = self.pen?;
        let mut cost = 0;
        for c in self.shown.get(cells)? {
            let fits = if c.symbol() == " " { pen.same_on_blank(Pen::of(c)) } else { pen == Pen::of(c) };
            if !fits || !is_sure(c.symbol()) || cluster_width(c.symbol()) != 1 || cost > 16 {
                return None;
            }
            cost += c.symbol().len();
        }
        Some(cost)
    }

    fn set_pen(&mut self, pen: Pen) {
        let open = self.pen.map_or(Color::Reset, |p| p.link);
        if open != pen.link {
            // A panic in between would have left the table whole: it is only ever replaced.
            let links = self.links.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let (was, is) = (links.get(open).is_some(), links.get(pen.link));
            if was || is.is_some() {
                hyperlinks::change(is, &mut self.frame);
            }
        }
        pen::change(self.pen, pen, &mut self.frame);
        self.pen = Some(pen);
    }

    fn set_pen_for_blank(&mut self, pen: Pen) {
        if !self.pen.is_some_and(|p| p.same_on_blank(pen)) {
            self.set_pen(pen);
        }
    }

    /// Brings the cursor to its place after painting from `start`: back by DECRC if that is shorter.
    fn place_cursor(&mut self, start: Option<Spot>, start_pen: Option<Pen>, painted: usize) -> bool {
        if self.visible != Some(self.wanted_visible) {
            self.frame.extend_from_slice(if self.wanted_visible { b"\x1b[?25h" } else { b"\x1b[?25l" });
            self.visible = Some(self.wanted_visible);
        }
        if !self.wanted_visible || self.cursor == Some(self.wanted) {
            return false;
        }
        let back = painted > 0 && start == Some(self.wanted) && start_pen.is_some();
        if back && motion::cost(self.cursor, self.wanted) > SAVE.len() + RESTORE.len() {
            (self.cursor, self.pen) = (start, start_pen);
            return true;
        }
        let (x, y) = self.wanted;
        self.go(x, y);
        false
    }

    fn send(&mut self, saved: bool) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.extra);
        let synchronise = self.frame.len() > SYNCHRONISE_FROM;
        for (wanted, part) in
            [(synchronise, SYNC_BEGIN), (saved, SAVE), (true, &self.frame[..]), (saved, RESTORE), (synchronise, SYNC_END)]
        {
            if wanted {
                all.extend_from_slice(part);
            }
        }
        self.frame.clear();
        if all.is_empty() {
            return Ok(());
        }
        self.written += u64::try_from(all.len()).unwrap_or(0);
        let sent = self.out.write_all(&all).and_then(|()| self.out.flush());
        all.clear();
        self.extra = all;
        if sent.is_err() {
            // How much of it arrived is not known.
            self.forget();
        }
        sent
    }
}

/// Whether two cells look the same. `want` has taken from blanks what does not show.
fn same(a: &Cell, b: &Cell) -> bool {
    a.symbol() == b.symbol() && a.fg == b.fg && a.bg == b.bg && a.modifier == b.modifier && a.underline_color == b.underline_color
}

/// Whether `next` is what `cell` asks for. Nearly all cells of nearly all frames are one octet and stay as they are.
fn wants(next: &Cell, cell: &Cell) -> bool {
    let same_text = match (next.symbol().as_bytes(), cell.symbol().as_bytes()) {
        ([a], [b]) => a == b,
        (a, b) => a == b,
    };
    same_text && Pen::of(cell) == (Pen { fg: next.fg, bg: next.bg, mods: next.modifier, link: next.underline_color })
}

/// Whether every terminal moves its cursor over this cluster by the columns we count.
fn is_sure(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return false };
    matches!(c,
        ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' | '\u{370}'..='\u{373}' | '\u{384}'..='\u{482}' | '\u{48a}'..='\u{52f}'
        | '\u{1e00}'..='\u{1fff}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20bf}' | '\u{2190}'..='\u{2193}'
        | '\u{21b5}'..='\u{21ff}' | '\u{2200}'..='\u{22ff}' | '\u{2302}' | '\u{2500}'..='\u{25a9}' | '\u{25ac}'..='\u{25b5}'
        | '\u{25b7}'..='\u{25bf}' | '\u{25c1}'..='\u{25fa}' | '\u{2713}' | '\u{2717}'
        | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}')
}
