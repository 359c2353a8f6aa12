//! Cells of a text, by grapheme cluster.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Cells that `text` takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { clusters(text).map(|(_, w)| w).sum() }
}

/// The clusters of `text`, each with its cells.
///
/// A cluster never counts more than two cells, as terminals with cluster support draw it; the terminal writer does not
/// trust the cursor after the doubtful ones.
pub fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (g, w) = first(rest)?;
        rest = &rest[g.len()..];
        Some((g, w))
    })
}

/// The first cluster. A printable ASCII character before another ASCII character is one (UAX 29: nothing of ASCII but
/// CR LF belongs together), and most text is made of those.
fn first(text: &str) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    if bytes.first().is_some_and(is_printable) && bytes.get(1).is_none_or(u8::is_ascii) {
        return Some((&text[..1], 1));
    }
    text.graphemes(true).next().map(|g| (g, cluster_width(g)))
}

/// Printable ASCII.
pub(super) fn is_printable(octet: &u8) -> bool {
    matches!(octet, b' '..=b'~')
}

/// Cells of one cluster.
pub fn cluster_width(g: &str) -> usize {
    if g.len() == 1 { 1 } else { UnicodeWidthStr::width(g).min(2) }
}

/// The longest beginning of `text` of at most `cells`, and the cells it takes.
pub fn head(text: &str, cells: usize) -> (&str, usize) {
    let mut used = 0;
    let mut end = 0;
    for (g, w) in clusters(text) {
        if used + w > cells {
            break;
        }
        used += w;
        end += g.len();
    }
    (&text[..end], used)
}

/// `text` if it fits into `cells`, else its beginning and `mark`.
pub fn truncate(text: &str, cells: usize, mark: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(mark));
    let (kept, used) = head(text, room);
    if used + width(mark) > cells {
        return String::new();
    }
    let mut out = kept.trim_end().to_owned();
    out.push_str(mark);
    out
}
