//! Laying out text that is being written, with the place of the cursor.

use super::Line;
use super::sanitise;
use super::width::{clusters, is_printable, width};
use std::borrow::Cow;

/// What an editor shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Rows, at least one.
    pub rows: Vec<Line>,
    /// Row of the cursor.
    pub row: usize,
    /// Cells before the cursor in its row.
    pub column: usize,
}

/// Breaks `text` into rows of at most `cells`, between words where there is a space; `cursor` is an octet offset.
///
/// Every row leaves room for the cursor behind its last cluster.
pub fn layout(text: &str, cursor: usize, cells: usize) -> Layout {
    let cells = cells.max(3) - 1;
    let mut l = Layout { rows: Vec::new(), row: 0, column: 0 };
    let mut row = String::new();
    let mut used = 0;
    // Where the row may be broken: octets and cells of it up to behind its last space.
    let mut space: Option<(usize, usize)> = None;
    let mut placed = false;
    let mut next = 0;
    for (g, _) in clusters(text) {
        let at = next;
        next += g.len();
        if at >= cursor && !placed {
            (l.row, l.column, placed) = (l.rows.len(), used, true);
        }
        if matches!(g, "\n" | "\r\n" | "\r") {
            l.rows.push(Line(std::mem::take(&mut row)));
            (used, space) = (0, None);
            continue;
        }
        let shown = cluster(g);
        let w = width(&shown);
        // One space may stand in the cell kept for the cursor, so that no row begins with it.
        let hangs = g == " " && used == cells;
        if used + w > cells && !row.is_empty() && !hangs {
            let (keep, kept_cells) = space.take().filter(|s| s.0 < row.len() && g != " ").unwrap_or((row.len(), used));
            let rest = row.split_off(keep);
            if placed
                && l.row == l.rows.len()
                && l.column >= kept_cells
                && (l.column > kept_cells || !rest.is_empty() || at == cursor)
            {
                (l.row, l.column) = (l.row + 1, l.column - kept_cells);
            }
            l.rows.push(Line(std::mem::replace(&mut row, rest)));
            used -= kept_cells;
        }
        row.push_str(&shown);
        used += w;
        if g == " " {
            space = Some((row.len(), used));
        }
    }
    if !placed {
        (l.row, l.column) = (l.rows.len(), used);
    }
    l.rows.push(Line(row));
    l
}

/// One row of an editor as it is shown: cleaned, its blanks kept.
pub fn row(text: &str) -> Line {
    Line(clusters(text).map(|(g, _)| cluster(g)).collect())
}

/// One cluster made fit for a cell, spaces kept.
fn cluster(g: &str) -> Cow<'_, str> {
    if g == "\t" {
        return " ".into();
    }
    if g.len() == 1 && g.bytes().all(|b| is_printable(&b)) {
        return g.into();
    }
    let clean = sanitise::field(g);
    if clean.is_empty() { "\u{fffd}".into() } else { clean.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(l: &Layout) -> Vec<&str> {
        l.rows.iter().map(Line::as_str).collect()
    }

    #[test]
    fn the_cursor_follows_the_words_it_stands_in() {
        let l = layout("did the numbers land", 20, 12);
        assert_eq!(rows(&l), ["did the ", "numbers ", "land"]);
        assert_eq!((l.row, l.column), (2, 4));
        let l = layout("did the numbers land", 9, 12);
        assert_eq!((l.row, l.column), (1, 1));
        let l = layout("did the numbers land", 8, 12);
        assert_eq!((l.row, l.column), (1, 0));
    }

    #[test]
    fn line_ends_and_wide_clusters_count() {
        let l = layout("a\n日本\n", 9, 10);
        assert_eq!(rows(&l), ["a", "日本", ""]);
        assert_eq!((l.row, l.column), (2, 0));
        let l = layout("a\n日本", 5, 10);
        assert_eq!((l.row, l.column), (1, 2));
        assert_eq!(layout("", 0, 10), Layout { rows: vec![Line::default()], row: 0, column: 0 });
    }

    #[test]
    fn a_long_word_is_cut() {
        let l = layout("aaaaaaaaaaaa", 12, 6);
        assert_eq!(rows(&l), ["aaaaa", "aaaaa", "aa"]);
        assert_eq!((l.row, l.column), (2, 2));
    }
}
