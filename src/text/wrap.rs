//! Breaking text into lines: between words, between ideographs, and inside what is longer than a line.

use super::width::{clusters, width};

/// Lines of at most `cells` each. Spaces at a break are left at the end of the upper line's source and not drawn.
///
/// Every non-space character comes out exactly once, in order.
pub fn wrap(text: &str, cells: usize) -> Vec<&str> {
    let cells = cells.max(2);
    let mut out = Vec::new();
    for line in text.split('\n') {
        if line.len() <= cells && line.is_ascii() {
            out.push(line.trim_end());
        } else {
            wrap_line(line, cells, &mut out);
        }
    }
    out
}

fn wrap_line<'a>(line: &'a str, cells: usize, out: &mut Vec<&'a str>) {
    let before = out.len();
    let mut rest = line;
    while !rest.is_empty() {
        let cut = cut(rest, cells);
        let (head, tail) = rest.split_at(cut);
        out.push(head.trim_end());
        rest = tail.trim_start_matches(' ');
    }
    if out.len() == before {
        out.push("");
    }
}

/// Octets of `text` that go on the present line; at least one cluster.
fn cut(text: &str, cells: usize) -> usize {
    let mut used = 0;
    let mut at = 0;
    let mut best = None;
    let mut word = None;
    let mut inked = false;
    let mut previous = "";
    for (g, w) in clusters(text) {
        if inked && at > 0 && may_break(previous, g) {
            best = Some(at);
            if previous != "/" {
                word = best;
            }
        }
        // A space may hang over the edge: it is not drawn.
        if used + w > cells && g != " " {
            return match best {
                // A link that fits on a line of its own stays whole, so that it can be clicked and copied.
                Some(b) if word != Some(b) => word.filter(|start| fits(&text[*start..], cells)).unwrap_or(b),
                Some(b) => b,
                None if at == 0 => g.len(),
                None => at,
            };
        }
        inked |= g != " ";
        used += w;
        at += g.len();
        previous = g;
    }
    at
}

/// Whether what stands before the next space fits in one line.
fn fits(text: &str, cells: usize) -> bool {
    width(text.split(' ').next().unwrap_or("")) <= cells
}

/// Whether a line may end between two clusters.
fn may_break(before: &str, after: &str) -> bool {
    if after == " " {
        return false;
    }
    if before == " " {
        return true;
    }
    if matches!(before, "-" | "/" | "–" | "—") && after.chars().all(char::is_alphanumeric) {
        return before != "/" || !after.starts_with('/');
    }
    (wide(before) && !opens(before) && !closes(after)) || (wide(after) && !opens(before) && !closes(after))
}

fn wide(g: &str) -> bool {
    g.len() > 1 && width(g) == 2
}

/// Marks that must not begin a line.
fn closes(g: &str) -> bool {
    g.chars().next().is_some_and(|c| "、。，．！？：；）」』】〉》’”%)]}!?,.:;…ー々".contains(c))
}

/// Marks that must not end a line.
fn opens(g: &str) -> bool {
    g.chars().next().is_some_and(|c| "（「『【〈《‘“([{".contains(c))
}
