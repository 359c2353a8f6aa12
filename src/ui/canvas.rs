//! The only way to the cells: everything written is a text of the program or has passed the gate of `text`.

use super::glyphs::{Glyphs, asciify};
use super::terminal::hyperlinks::Hyperlinks;
use super::theme::Theme;
use crate::text::links::Hyperlink;
use crate::text::width::clusters;
use crate::text::{Line, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Something that may be drawn.
#[derive(Clone, Debug)]
pub enum Label {
    /// A text of the program.
    Own(&'static str),
    /// A text that passed the gate.
    Clean(Line),
}

impl From<&'static str> for Label {
    fn from(s: &'static str) -> Label {
        Label::Own(s)
    }
}

impl From<Line> for Label {
    fn from(l: Line) -> Label {
        Label::Clean(l)
    }
}

impl From<&Line> for Label {
    fn from(l: &Line) -> Label {
        Label::Clean(l.clone())
    }
}

/// A composed text passes the gate once more, whatever its parts were.
impl From<String> for Label {
    fn from(s: String) -> Label {
        Label::Clean(Line::new(&s))
    }
}

impl Label {
    fn text(&self) -> &str {
        match self {
            Label::Own(s) => s,
            Label::Clean(l) => l.as_str(),
        }
    }
}

/// A piece of a row: text and style.
pub type Span = (Label, Style);

/// Cells, styles and signs.
pub struct Canvas<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// Styles.
    pub theme: &'a Theme,
    /// Signs.
    pub glyphs: &'a Glyphs,
    /// Links that the terminal opens by itself.
    pub links: Hyperlinks,
}

impl Canvas<'_> {
    /// Writes `text` at a place, at most `cells` wide, ended by an ellipsis if it is longer; the cells used.
    pub fn put(&mut self, x: u16, y: u16, cells: u16, text: impl Into<Label>, style: Style) -> u16 {
        let label = text.into();
        self.write(x, y, cells, label.text(), style)
    }

    /// Writes pieces one after the other within `cells`; the cells used.
    pub fn spans(&mut self, x: u16, y: u16, cells: u16, spans: impl IntoIterator<Item = Span>) -> u16 {
        let mut used = 0;
        for (label, style) in spans {
            used += self.write(x + used, y, cells - used, label.text(), style);
            if used >= cells {
                break;
            }
        }
        used
    }

    /// Writes `text` so that it ends at column `end` (exclusive); the column where it starts.
    pub fn put_right(&mut self, end: u16, y: u16, cells: u16, text: impl Into<Label>, style: Style) -> u16 {
        let label = text.into();
        let w = self.measure(label.text()).min(cells);
        let x = end.saturating_sub(w);
        self.write(x, y, w, label.text(), style);
        x
    }

    /// Writes `text` in the middle of `area`'s row `y`.
    pub fn put_centred(&mut self, area: Rect, y: u16, text: impl Into<Label>, style: Style) {
        let label = text.into();
        let w = self.measure(label.text()).min(area.width);
        self.write(area.x + (area.width - w) / 2, y, w, label.text(), style);
    }

    /// Cells that a text takes here.
    pub fn width(&self, text: impl Into<Label>) -> u16 {
        self.measure(text.into().text())
    }

    /// Fills an area with blanks of a style.
    pub fn fill(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            // A wide cluster that would reach in from the left goes as a whole.
            if let Some(c) = area.left().checked_sub(1).and_then(|x| self.buffer.cell_mut((x, y)))
                && width(c.symbol()) == 2
            {
                c.set_symbol(" ");
            }
            for x in area.left()..area.right() {
                self.buffer[(x, y)].reset();
                self.buffer[(x, y)].set_style(style);
            }
        }
    }

    /// Changes the style of what is there.
    pub fn restyle(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Lets the terminal open a link where its words stand.
    pub fn link(&mut self, area: Rect, link: Hyperlink) {
        let style = Style::new().underline_color(self.links.mark(link));
        self.restyle(area, style);
    }

    /// A horizontal line.
    pub fn rule(&mut self, x: u16, y: u16, cells: u16, style: Style) {
        for i in x..x.saturating_add(cells) {
            self.cell(i, y, self.glyphs.horizontal, style);
        }
    }

    /// A vertical line.
    pub fn post(&mut self, x: u16, y: u16, rows: u16, style: Style) {
        for i in y..y.saturating_add(rows) {
            self.cell(x, i, self.glyphs.vertical, style);
        }
    }

    /// A rule with words in its middle.
    pub fn titled_rule(&mut self, area: Rect, y: u16, words: impl Into<Label>, style: Style) {
        let label = words.into();
        let w = self.measure(label.text()).min(area.width.saturating_sub(4));
        let left = (area.width - w - 2) / 2;
        self.rule(area.x, y, left, style);
        self.write(area.x + left + 1, y, w, label.text(), style);
        self.rule(area.x + left + w + 2, y, area.width - left - w - 2, style);
    }

    /// A box with its four corners.
    pub fn frame(&mut self, area: Rect, style: Style) {
        if area.width < 2 || area.height < 2 {
            return;
        }
        let (r, b) = (area.right() - 1, area.bottom() - 1);
        self.rule(area.x + 1, area.y, area.width - 2, style);
        self.rule(area.x + 1, b, area.width - 2, style);
        self.post(area.x, area.y + 1, area.height - 2, style);
        self.post(r, area.y + 1, area.height - 2, style);
        for (x, y, g) in [
            (area.x, area.y, self.glyphs.top_left),
            (r, area.y, self.glyphs.top_right),
            (area.x, b, self.glyphs.bottom_left),
            (r, b, self.glyphs.bottom_right),
        ] {
            self.cell(x, y, g, style);
        }
    }

    /// One sign in one cell.
    pub fn cell(&mut self, x: u16, y: u16, sign: &'static str, style: Style) {
        if let Some(c) = self.buffer.cell_mut((x, y)) {
            c.set_symbol(sign);
            c.set_style(style);
        }
    }

    fn measure(&self, text: &str) -> u16 {
        let w = if self.glyphs.ascii { width(&asciify(text)) } else { width(text) };
        u16::try_from(w).unwrap_or(u16::MAX)
    }

    fn write(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        let right = self.buffer.area.right();
        if y >= self.buffer.area.bottom() || x >= right {
            return 0;
        }
        let cells = usize::from(cells.min(right - x));
        let plain;
        let text = if self.glyphs.ascii {
            plain = asciify(text);
            plain.as_str()
        } else {
            text
        };
        let shortened;
        let text = if text.len() > cells && width(text) > cells {
            shortened = crate::text::truncate(text, cells, self.glyphs.ellipsis);
            shortened.as_str()
        } else {
            text
        };
        let mut at = x;
        for (g, w) in clusters(text) {
            let w = u16::try_from(w).unwrap_or(2);
            if w == 0 {
                continue;
            }
            if let Some(c) = self.buffer.cell_mut((at, y)) {
                c.set_symbol(g);
                c.set_style(style);
            }
            if w == 2
                && let Some(c) = self.buffer.cell_mut((at + 1, y))
            {
                c.reset();
                c.set_style(style);
            }
            at += w;
        }
        at - x
    }
}
