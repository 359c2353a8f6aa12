//! The Wire pane: a ladder of SIP messages, and one of them in full.

use super::canvas::Canvas;
use super::{Drawn, edit_line, strings, words};
use crate::app::State;
use crate::app::event::Target;
use crate::app::state::{Pane, WireRecord};
use crate::text::{Line, Text};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Cells of the ladder.
const LADDER: u16 = 30;

/// The words on the pane's border.
pub fn title(state: &State) -> String {
    let w = &state.wire;
    match (w.paused, w.missed) {
        (true, n) => format!("Wire ─ paused, {n} missed"),
        _ if w.records.is_empty() => "Wire".into(),
        _ => format!("Wire ─ {} messages", w.records.len()),
    }
}

/// Draws the inside.
pub fn draw(c: &mut Canvas, area: Rect, state: &State, drawn: &mut Drawn) {
    let w = &state.wire;
    let mut area = area;
    if w.filtering || !w.filter.is_empty() {
        c.put(area.x + 1, area.y, 1, "/", c.theme.accent);
        let line = Rect { x: area.x + 2, width: area.width.saturating_sub(3), height: 1, ..area };
        edit_line(c, line, &w.filter, w.filtering && state.pane == Pane::Wire, drawn);
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let shown: Vec<&WireRecord> = w.shown().collect();
    if shown.is_empty() {
        let top = area.y + area.height.saturating_sub(2) / 2;
        let lines: &[&'static str] = if w.records.is_empty() { &strings::NO_WIRE } else { &["No message matches the filter."] };
        for (y, words) in (top..).zip(lines) {
            c.put_centred(area, y, *words, c.theme.quiet);
        }
        return;
    }
    let list = match (w.open, w.selected()) {
        (Some(scroll), Some(record)) => {
            let rows = if area.height < 14 { 0 } else { area.height / 3 };
            opened(c, Rect { y: area.y + rows, height: area.height - rows, ..area }, record, scroll, drawn);
            Rect { height: rows, ..area }
        }
        _ => area,
    };
    ladder(c, list, state, &shown, drawn);
}

fn ladder(c: &mut Canvas, area: Rect, state: &State, shown: &[&WireRecord], drawn: &mut Drawn) {
    let w = &state.wire;
    let at = w.selection.and_then(|n| shown.iter().position(|r| r.number == n)).unwrap_or(shown.len() - 1);
    let rows = usize::from(area.height);
    let top = super::keep_in_sight(w.top, Some(at), rows, shown.len());
    drawn.metrics.wire_rows = area.height;
    drawn.metrics.wire_top = top;
    for (y, (n, record)) in (area.y..area.bottom()).zip(shown.iter().enumerate().skip(top)) {
        let line = Rect { y, height: 1, ..area };
        rung(c, line, state, record);
        if n == at && state.pane == Pane::Wire {
            c.restyle(line, c.theme.selection);
        }
        drawn.targets.push((line, Target::Wire(record.number)));
    }
}

/// `09:41:07 ├── INVITE ────────────→│ bob@contoso.example        812`
fn rung(c: &mut Canvas, line: Rect, state: &State, r: &WireRecord) {
    let (mut x, y) = (line.x + 1, line.y);
    x += c.put(x, y, 8, words::clock_seconds(r.at, &state.view.zone), c.theme.quiet) + 1;
    let ladder = LADDER.min(line.width.saturating_sub(12) / 2).max(16);
    let style = if r.sent { c.theme.sent } else { c.theme.received };
    let (left, right) = (x, x + ladder - 1);
    c.rule(left + 1, y, ladder - 2, c.theme.border);
    c.cell(left, y, if r.sent { c.glyphs.tee_right } else { c.glyphs.vertical }, c.theme.border);
    c.cell(right, y, if r.sent { c.glyphs.vertical } else { c.glyphs.tee_left }, c.theme.border);
    let words = if r.sent || r.title == r.method { Line::new(&r.title) } else { Line::new(&format!("{} {}", r.title, r.method)) };
    let words = if r.title != r.method { Line::new(&format!("{} {}", r.title, r.method)) } else { words };
    let words = words.truncate(usize::from(ladder.saturating_sub(8)));
    let used = c.width(&words);
    let at = left + 3 + (ladder.saturating_sub(6 + used)) / 2;
    c.put(at - 1, y, 1, " ", style);
    c.put(at, y, used, &words, style);
    c.put(at + used, y, 1, " ", style);
    if r.sent {
        c.put(
            right - u16::try_from(c.glyphs.right.len().min(2)).unwrap_or(1).min(if c.glyphs.ascii { 2 } else { 1 }),
            y,
            2,
            c.glyphs.right,
            style,
        );
        c.cell(right, y, c.glyphs.vertical, c.theme.border);
    } else {
        c.put(left + 1, y, 2, c.glyphs.left, style);
    }
    let end = c.put_right(line.right() - 1, y, 8, r.size.to_string(), c.theme.quiet);
    let peer = r.peer.strip_prefix("sip:").unwrap_or(&r.peer);
    c.put(right + 2, y, end.saturating_sub(right + 3), Line::new(peer), Style::new());
}

fn opened(c: &mut Canvas, area: Rect, r: &WireRecord, scroll: u16, drawn: &mut Drawn) {
    c.titled_rule(area, area.y, if r.sent { "sent" } else { "received" }, c.theme.border);
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let mut lines: Vec<(Line, usize)> = Vec::new();
    let mut header = true;
    for raw in r.text.lines() {
        header &= !raw.is_empty();
        let name = if header && !lines.is_empty() { raw.find(':').unwrap_or(0) } else { 0 };
        for (n, line) in Text::plain(raw).wrap(usize::from(room.width.saturating_sub(2))).into_iter().enumerate() {
            lines.push((line, if n == 0 { name } else { 0 }));
        }
    }
    let max = lines.len().saturating_sub(usize::from(room.height));
    drawn.metrics.overlay_rows = room.height;
    drawn.metrics.overlay_max = u16::try_from(max).unwrap_or(u16::MAX);
    let top = usize::from(scroll).min(max);
    for (y, (n, (line, name))) in (room.y..room.bottom()).zip(lines.iter().enumerate().skip(top)) {
        let style = if n == 0 { c.theme.title_active } else { Style::new() };
        c.put(room.x + 1, y, room.width - 2, line, style);
        let cells = u16::try_from(*name).unwrap_or(0).min(room.width - 2);
        c.restyle(Rect { x: room.x + 1, y, width: cells, height: 1 }, c.theme.quiet);
    }
    if top < max {
        c.put_right(area.right() - 1, area.y, 12, format!("{} {} more", c.glyphs.down, max - top), c.theme.quiet);
    }
}
