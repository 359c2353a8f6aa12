//! The one gate for text that other people control.
//!
//! Contract: [`Line`] and [`Text`] can only be made by the functions here, and what they hold contains no control code,
//! no direction override and no line break outside the breaks of [`Text`]. The `ui` room draws nothing else, so nothing
//! a stranger wrote can move the cursor, imitate a line of the screen or reverse the text beside it.
//! Widths are measured by grapheme cluster, and only here.

pub mod edit;
pub mod html;
pub mod limits;
pub mod links;
pub mod rtf;
pub mod sanitise;
pub mod width;
pub mod wrap;

pub use links::{Link, links};
pub use width::{truncate, width};

use crate::domain::conversation::TextFormat;
use std::fmt;

/// One sanitised line: a name, a note, a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(String);

impl Line {
    /// Cleans a single-line field: line breaks and tabs become spaces, runs of spaces one space, ends are trimmed.
    pub fn new(raw: &str) -> Line {
        Line(sanitise::field(raw))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Cells it takes.
    pub fn width(&self) -> usize {
        width(&self.0)
    }

    /// Nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most `cells` wide, ended by “…” where something was left out.
    pub fn truncate(&self, cells: usize) -> Line {
        Line(truncate(&self.0, cells, "…"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Line {
    fn from(raw: &str) -> Line {
        Line::new(raw)
    }
}

impl AsRef<str> for Line {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A sanitised text of several lines: a message, a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Cleans plain text; its line breaks stay, tabs become spaces.
    pub fn plain(raw: &str) -> Text {
        Text(sanitise::block(raw))
    }

    /// Reads `text/html`.
    pub fn html(raw: &str) -> Text {
        Text(sanitise::block(&html::to_text(raw)))
    }

    /// Reads `text/rtf`.
    pub fn rtf(raw: &str) -> Text {
        Text(sanitise::block(&rtf::to_text(raw)))
    }

    /// Reads a message body.
    pub fn message(body: &str, format: TextFormat) -> Text {
        match format {
            TextFormat::Plain => Text::plain(body),
            TextFormat::Html => Text::html(body),
            TextFormat::Rtf => Text::rtf(body),
        }
    }

    /// The whole text with `\n` between lines.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its lines as they are.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        self.0.split('\n').map(|l| Line(l.to_owned()))
    }

    /// Its lines broken to at most `cells`; always at least one.
    pub fn wrap(&self, cells: usize) -> Vec<Line> {
        wrap::wrap(&self.0, cells).into_iter().map(|l| Line(l.to_owned())).collect()
    }

    /// Its lines broken to at most `cells`, each with what of the links stands in it. A link that a break cuts keeps its whole
    /// target in every piece.
    pub fn wrap_with_links(&self, cells: usize) -> Vec<(Line, Vec<Link>)> {
        let mut all = Vec::new();
        let mut at = 0;
        for line in self.0.split('\n') {
            all.extend(links(line).into_iter().map(|l| Link { start: l.start + at, end: l.end + at, target: l.target }));
            at += line.len() + 1;
        }
        let piece = |row: &str| {
            // Rows are slices of the text.
            let from = (row.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize);
            let to = from + row.len();
            let here = all.iter().filter(|l| l.start < to && l.end > from);
            let cut = |l: &Link| Link { start: l.start.max(from) - from, end: l.end.min(to) - from, target: l.target.clone() };
            (Line(row.to_owned()), here.map(cut).collect())
        };
        wrap::wrap(&self.0, cells).into_iter().map(piece).collect()
    }

    /// How many lines [`Text::wrap`] gives.
    pub fn height(&self, cells: usize) -> usize {
        wrap::wrap(&self.0, cells).len()
    }

    /// Everything on one line, for tabs, toasts and previews.
    pub fn one_line(&self) -> Line {
        Line::new(&self.0)
    }
}

#[cfg(test)]
mod tests;
