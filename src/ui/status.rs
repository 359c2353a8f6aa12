//! The status line, the toast row and the hint line.

use super::canvas::{Canvas, Label, Span};
use super::presence_style;
use super::words;
use crate::app::State;
use crate::app::state::{Toast, ToastKind};
use crate::domain::presence::AvailabilityClass;
use crate::text::{Line, Text};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// ` ● Alice Adams · Available · “note”        server ⇅ tls 12ms  ✉ 3  09:42`
pub fn status_line(c: &mut Canvas, area: Rect, state: &State) {
    let end = right_part(c, area, state);
    let room = end.saturating_sub(area.x + 3);
    let a = &state.account;
    let up = state.link.is_up();
    let class = match (up, a.availability) {
        (true, Some(v)) => v.class(),
        (true, None) => AvailabilityClass::Unknown,
        (false, _) => AvailabilityClass::Offline,
    };
    let style = presence_style(c.theme, class, false);
    c.put(area.x + 1, area.y, 2, c.glyphs.presence(class, false), style);
    let name = match (&a.address, a.name.as_str()) {
        (None, _) => "No account".to_owned(),
        (Some(u), "") => u.bare().to_owned(),
        (Some(_), n) => n.to_owned(),
    };
    let activity = a.activity.as_ref().and_then(|x| x.text(1033)).map(str::to_owned);
    let words = if up && a.guest.is_some() {
        "Guest".to_owned()
    } else if up {
        activity.unwrap_or_else(|| class.text().to_owned())
    } else {
        words::link_state(state.link.state).to_owned()
    };
    let mut spans: Vec<Span> = vec![(name.into(), c.theme.title_active), (" · ".into(), c.theme.quiet), (words.into(), style)];
    if let Some(problem) = state.link.problem.as_ref().filter(|_| !up) {
        spans.push((" · ".into(), c.theme.quiet));
        spans.push((problem.clone().into(), c.theme.error));
    } else if let Some(note) = a.note.as_ref().filter(|n| !n.text.is_empty()) {
        spans.push((" · ".into(), c.theme.quiet));
        spans.push((Line::new(&format!("“{}”", Line::new(&note.text))).into(), c.theme.quiet));
    }
    put_with_spaces(c, area.x + 3, area.y, room, spans);
}

/// A separator keeps its blanks: they are cells of the program, not of a name.
fn put_with_spaces(c: &mut Canvas, x: u16, y: u16, room: u16, spans: Vec<Span>) {
    c.spans(x, y, room, spans);
}

/// Server, link, unread, clock; the column where it starts.
fn right_part(c: &mut Canvas, area: Rect, state: &State) -> u16 {
    let q = c.theme.quiet;
    let mut end = c.put_right(area.right() - 1, area.y, 5, words::clock(state.view.now, &state.view.zone), Style::new());
    let unread = state.unread();
    if unread > 0 {
        let style = c.theme.accent;
        end = c.put_right(end - 3, area.y, 10, format!("{} {unread}", c.glyphs.mail), style);
    }
    if area.width < 60 {
        return end - 1;
    }
    let l = &state.link;
    let words: Vec<String> = if l.is_up() {
        let trip = l.round_trip.map(|t| format!(" {t}ms")).unwrap_or_default();
        let host: String = if l.server.is_empty() { String::new() } else { format!("{} ", Line::new(&l.server).truncate(30)) };
        vec![format!("{host}{} {}{trip}", c.glyphs.link, l.transport)]
    } else {
        let server = Line::new(&l.server).truncate(24);
        let next = l.retry_at.map(|t| format!("next try {}", words::clock_seconds(t, &state.view.zone)));
        next.into_iter().chain((!server.is_empty() && area.width >= 100).then(|| server.to_string())).collect()
    };
    for w in words.into_iter().rev() {
        let style = if l.is_up() { q } else { c.theme.warning };
        end = c.put_right(end.saturating_sub(3), area.y, 44, w, style);
    }
    end.saturating_sub(2)
}

/// Rows of a toast whose words are too long for one.
const TOAST_ROWS: usize = 4;

/// What happened just now.
pub fn toast(c: &mut Canvas, area: Rect, state: &State, toast: &Toast) {
    let style = match toast.kind {
        ToastKind::Info => c.theme.good,
        ToastKind::Error => c.theme.error,
    };
    let mut keys = Vec::new();
    if !toast.undo.is_empty() {
        keys.push(key_and(state, "undo-last", "undo"));
    }
    if !toast.detail.is_empty() {
        keys.push(key_and(state, "error-details", "details"));
    }
    let keys = keys.join(" · ");
    let sign = if toast.kind == ToastKind::Error { c.glyphs.failed } else { c.glyphs.sent };
    let beside = if keys.is_empty() { 0 } else { c.width(keys.clone()) + 1 };
    let whole = area.width.saturating_sub(4);
    let mut lines = vec![Line::new(&toast.text)];
    if c.width(toast.text.clone()) + beside > whole {
        lines = Text::plain(&toast.text).wrap(usize::from(whole)).into_iter().take(TOAST_ROWS).collect();
    }
    // The keys stand at the end of the last row, or below it.
    let last = lines.last().map_or(0, |l| c.width(l.clone()));
    let rows = u16::try_from(lines.len()).unwrap_or(1) + u16::from(!keys.is_empty() && last + beside > whole);
    // What is longer than a row takes that of the hints first, unless a dialog needs its keys there.
    let below = rows > 1 && state.overlays.is_empty() && area.bottom() < c.buffer.area.bottom();
    let bottom = area.bottom() + u16::from(below);
    let area = Rect { y: bottom.saturating_sub(rows), height: rows, ..area };
    c.fill(area, c.theme.text);
    c.put(area.x + 1, area.y, 2, sign, style);
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        c.put(area.x + 3, y, whole, line, style);
    }
    if !keys.is_empty() {
        c.put_right(area.right() - 1, area.bottom() - 1, area.width / 2, keys, c.theme.key);
    }
}

fn key_and(state: &State, command: &str, words: &str) -> String {
    let key = state.keymap.keys_of(&state.modes(), command).unwrap_or_default();
    format!("{key} {words}")
}

/// The keys that work now.
pub fn hint_line(c: &mut Canvas, area: Rect, hints: &[(String, String)]) {
    let mut x = area.x + 1;
    let end = area.right().saturating_sub(1);
    let need = |(key, words): &(String, String)| c.width(Label::from(key.clone())) + 1 + c.width(Label::from(words.clone()));
    // The way to all the other keys stays when the row is short.
    let (last, mut shown) = match hints.split_last() {
        Some((last, before)) if last.1 == "help" => (Some(last), before.iter().collect::<Vec<_>>()),
        _ => (None, hints.iter().collect()),
    };
    let mut room = end.saturating_sub(x + last.map_or(0, |l| need(l) + 3)) + 3;
    shown.truncate(
        shown
            .iter()
            .take_while(|h| {
                let cells = need(h) + 3;
                let fits = cells <= room;
                room = room.saturating_sub(cells);
                fits
            })
            .count(),
    );
    for (n, (key, words)) in shown.into_iter().chain(last).enumerate() {
        let (key, words) = (Label::from(key.clone()), Label::from(words.clone()));
        let gap = if n > 0 { 3 } else { 0 };
        if n > 0 {
            c.put(x + 1, area.y, 1, c.glyphs.dot, c.theme.hint);
            x += gap;
        }
        x += c.put(x, area.y, end - x, key, c.theme.key) + 1;
        x += c.put(x, area.y, end - x, words, c.theme.hint);
    }
}
