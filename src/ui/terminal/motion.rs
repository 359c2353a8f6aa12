//! The shortest way for the cursor from here to there.

use std::io::Write;

/// Column and row, from 0.
pub type Spot = (u16, u16);

/// Writes the shortest motion; from an unknown place only an absolute one will do.
pub fn go(from: Option<Spot>, to: Spot, out: &mut Vec<u8>) {
    if from == Some(to) {
        return;
    }
    let mut best = absolute(to);
    if let Some((x, y)) = from {
        for candidate in [down_then_across((x, y), to), from_line_start(y, to)].into_iter().flatten() {
            if candidate.len() < best.len() {
                best = candidate;
            }
        }
    }
    out.extend_from_slice(&best);
}

/// Octets that [`go`] would write.
pub fn cost(from: Option<Spot>, to: Spot) -> usize {
    let mut out = Vec::new();
    go(from, to, &mut out);
    out.len()
}

/// CUP without the parameters that have their default.
fn absolute((x, y): Spot) -> Vec<u8> {
    let mut out = b"\x1b[".to_vec();
    if y > 0 {
        let _ = write!(out, "{}", y + 1);
    }
    if x > 0 {
        let _ = write!(out, ";{}", x + 1);
    }
    out.push(b'H');
    out
}

fn down_then_across((x, y): Spot, to: Spot) -> Option<Vec<u8>> {
    let mut out = vertical(y, to.1);
    across(x, to.0, &mut out);
    Some(out)
}

fn from_line_start(y: u16, to: Spot) -> Option<Vec<u8>> {
    let mut out = b"\r".to_vec();
    out.extend(vertical(y, to.1));
    across(0, to.0, &mut out);
    Some(out)
}

fn vertical(from: u16, to: u16) -> Vec<u8> {
    if from == to {
        return Vec::new();
    }
    let step = if to > from { relative(to - from, b'B') } else { relative(from - to, b'A') };
    let line = {
        let mut v = Vec::new();
        let _ = write!(v, "\x1b[{}d", to + 1);
        v
    };
    // In raw mode a line feed only goes down; the target row exists, so nothing scrolls.
    let feeds = if to > from && to - from <= 3 { Some(vec![b'\n'; usize::from(to - from)]) } else { None };
    [Some(step), Some(line), feeds].into_iter().flatten().min_by_key(Vec::len).unwrap_or_default()
}

fn across(from: u16, to: u16, out: &mut Vec<u8>) {
    if from == to {
        return;
    }
    if to < from && from - to <= 4 {
        out.extend(std::iter::repeat_n(b'\x08', usize::from(from - to)));
        return;
    }
    let step = if to > from { relative(to - from, b'C') } else { relative(from - to, b'D') };
    let mut column = Vec::new();
    let _ = write!(column, "\x1b[{}G", to + 1);
    out.extend(if column.len() < step.len() { column } else { step });
}

fn relative(n: u16, last: u8) -> Vec<u8> {
    let mut out = b"\x1b[".to_vec();
    if n > 1 {
        let _ = write!(out, "{n}");
    }
    out.push(last);
    out
}
