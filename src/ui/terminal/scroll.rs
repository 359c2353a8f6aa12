//! Lines that only move: found by comparing what is shown with what is wanted, moved by a scrolling region (DECSTBM, ECMA-48
//! IND and RI by way of LF and ESC M), which every terminal and multiplexer knows. Left and right margins are not so common;
//! so whole rows move, and what stands beside the moving text is painted again where that still costs less.

use super::pen::Pen;
use ratatui::buffer::Cell;
use ratatui::layout::Size;
use std::io::Write;
use std::ops::Range;

/// Rows that text moves by at most; a page further hardly anything stays in sight.
const MOST: usize = 8;

/// Rows that have to differ; a single one cannot have moved.
const ROWS: usize = 2;

/// Cells that have to be saved: the sequences cost about half of that.
const WORTH: i64 = 48;

/// Rows `top..bottom` move up (or down) by `by`; what moves out is gone, what is left behind is blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    top: usize,
    bottom: usize,
    by: usize,
    up: bool,
}

/// What is on the screen and what shall be.
#[derive(Clone, Copy)]
pub struct Frames<'a> {
    pub shown: &'a [Cell],
    pub next: &'a [Cell],
    pub size: Size,
}

impl Frames<'_> {
    /// The shift that saves most, if one is worth it. `dirty` are the columns of each row that may differ.
    pub fn shift(&self, dirty: &[(u16, u16)]) -> Option<Shift> {
        let changed: Vec<(usize, Range<usize>)> = (0..).zip(dirty).filter_map(|(y, d)| self.changed(y, d)).collect();
        if changed.len() < ROWS {
            return None;
        }
        let found = |by: usize, up: bool| changed.iter().filter(|(y, xs)| self.moved(*y, xs, by, up)).count();
        let all = (1..=MOST).flat_map(|by| [(by, true), (by, false)]);
        let (rows, by, up) = all.map(|(by, up)| (found(by, up), by, up)).max_by_key(|(n, by, _)| (*n, MOST - by))?;
        if rows == 0 { None } else { self.best(by, up) }
    }

    /// The columns of a row between the first and the last difference.
    fn changed(&self, y: usize, dirty: &(u16, u16)) -> Option<(usize, Range<usize>)> {
        let columns = usize::from(dirty.0)..usize::from(dirty.1.min(self.size.width));
        let mut differing = columns.filter(|x| self.row(self.shown, y).get(*x) != self.row(self.next, y).get(*x));
        let first = differing.next()?;
        let last = differing.next_back().unwrap_or(first);
        Some((y, first..last + 1))
    }

    fn row<'a>(&self, cells: &'a [Cell], y: usize) -> &'a [Cell] {
        let width = usize::from(self.size.width);
        cells.get(y * width..(y + 1) * width).unwrap_or_default()
    }

    /// The row that comes to `y`.
    fn source(&self, y: usize, by: usize, up: bool) -> Option<usize> {
        let from = if up { y + by } else { y.checked_sub(by)? };
        (from < usize::from(self.size.height)).then_some(from)
    }

    /// Whether these columns of row `y` stand in the row they would come from. Blanks are everywhere and prove nothing.
    fn moved(&self, y: usize, columns: &Range<usize>, by: usize, up: bool) -> bool {
        let wanted = self.row(self.next, y).get(columns.clone()).unwrap_or_default();
        let from = self.source(y, by, up).and_then(|from| self.row(self.shown, from).get(columns.clone()));
        from == Some(wanted) && wanted.iter().any(|c| c.symbol() != " ")
    }

    /// The rows for which a shift saves most.
    fn best(&self, by: usize, up: bool) -> Option<Shift> {
        let (mut best, mut best_sum) = (0..0, 0);
        let (mut start, mut sum) = (0, 0i64);
        for y in 0..usize::from(self.size.height) {
            let gain = self.source(y, by, up).map_or(i64::MIN / 2, |from| self.gain(y, from));
            if sum <= 0 {
                (start, sum) = (y, 0);
            }
            sum = sum.saturating_add(gain);
            if sum > best_sum {
                (best, best_sum) = (start..y + 1, sum);
            }
        }
        let (top, bottom) = if up { (best.start, best.end + by) } else { (best.start.saturating_sub(by), best.end) };
        let shift = Shift { top, bottom, by, up };
        let left: i64 = shift.blank().map(|y| self.gain_of_blank(y)).sum();
        (best_sum + left >= WORTH).then_some(shift)
    }

    /// Cells of row `y` that need no painting when row `from` comes there, less those that then do.
    fn gain(&self, y: usize, from: usize) -> i64 {
        let (wanted, here, there) = (self.row(self.next, y), self.row(self.shown, y), self.row(self.shown, from));
        let each = wanted.iter().zip(here).zip(there).map(|((w, h), t)| i64::from(w == t) - i64::from(w == h));
        each.sum()
    }

    fn gain_of_blank(&self, y: usize) -> i64 {
        let blank = |w: &Cell| w.symbol() == " " && Pen::of(w) == Pen::DEFAULT;
        let each =
            self.row(self.next, y).iter().zip(self.row(self.shown, y)).map(|(w, h)| i64::from(blank(w)) - i64::from(w == h));
        each.sum()
    }
}

impl Shift {
    /// The rows that are blank afterwards.
    fn blank(&self) -> Range<usize> {
        if self.up { self.bottom - self.by..self.bottom } else { self.top..self.top + self.by }
    }

    /// All rows that change.
    pub fn rows(&self) -> Range<usize> {
        self.top..self.bottom
    }

    /// The sequences; the pen must be one that erases plainly. The cursor is in the upper left corner afterwards.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (line, step): (usize, &[u8]) = if self.up { (self.bottom, b"\n") } else { (self.top + 1, b"\x1bM") };
        // Writing to a vector cannot fail.
        let _ = write!(out, "\x1b[{};{}r\x1b[{line}H", self.top + 1, self.bottom);
        (0..self.by).for_each(|_| out.extend_from_slice(step));
        out.extend_from_slice(b"\x1b[r");
    }

    /// Does to `shown` what the terminal does.
    pub fn apply(&self, shown: &mut [Cell], width: usize) {
        let Some(cells) = shown.get_mut(self.top * width..self.bottom * width) else { return };
        let gone = self.by * width;
        if self.up {
            cells.rotate_left(gone);
        } else {
            cells.rotate_right(gone);
        }
        let blank = self.blank();
        let blank = (blank.start - self.top) * width..(blank.end - self.top) * width;
        cells.get_mut(blank).unwrap_or_default().fill(Cell::EMPTY);
    }
}
