//! Dialogs over the panes.

use super::canvas::Canvas;
use super::{Drawn, card, edit_line, form};
use crate::app::event::Target;
use crate::app::state::Overlay;
use crate::app::state::overlay::{Ask, Confirm, DryRun, FormDialog, FormKind, Help, Palette, PaletteTarget, Picker, Prompt};
use crate::app::{Editor, State};
use crate::domain::Address;
use crate::endpoint::event::DirectoryEntry;
use crate::text::width::clusters;
use crate::text::{Line, Text};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws one dialog; the topmost has the keys.
pub fn draw(c: &mut Canvas, body: Rect, state: &State, overlay: &Overlay, top: bool, drawn: &mut Drawn) {
    match overlay {
        Overlay::Palette(p) => palette(c, body, p, top, drawn),
        Overlay::Help(h) => help(c, body, h, top, drawn),
        Overlay::Confirm(q) => confirm(c, body, q),
        Overlay::Prompt(p) => prompt(c, body, state, p, top, drawn),
        Overlay::Picker(p) => picker(c, body, p, drawn),
        Overlay::Card { uri, scroll } => contact(c, body, state, uri, *scroll, drawn),
        Overlay::Form(d) => form_dialog(c, body, d, top, drawn),
        Overlay::DryRun(d) => dry_run(c, body, d, drawn),
        Overlay::Details { title, lines, scroll } => details(c, body, title, lines, *scroll, drawn),
    }
}

/// A box in the middle of `body`; its inside.
fn window(c: &mut Canvas, body: Rect, width: u16, height: u16, title: impl Into<super::canvas::Label>) -> Rect {
    let (width, height) = (width.min(body.width), height.clamp(3, body.height.max(3)));
    let area = Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height.saturating_sub(height)) / 3, width, height };
    c.fill(area, c.theme.overlay);
    c.frame(area, c.theme.accent);
    let used = c.put(area.x + 2, area.y, width - 4, title, c.theme.title_active);
    if used > 0 {
        c.put(area.x + 1, area.y, 1, " ", Style::new());
        c.put(area.x + 2 + used, area.y, 1, " ", Style::new());
    }
    Rect { x: area.x + 1, y: area.y + 1, width: width - 2, height: height - 2 }
}

fn rows(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn palette(c: &mut Canvas, body: Rect, p: &Palette, top: bool, drawn: &mut Drawn) {
    let inside = window(c, body, 96, rows(p.rows.len()).saturating_add(4).min(body.height * 4 / 5).max(6), "Go to");
    c.put(inside.x + 1, inside.y, 1, ">", c.theme.accent);
    edit_line(c, Rect { x: inside.x + 3, width: inside.width - 4, height: 1, ..inside }, &p.query, top, drawn);
    let list = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
    c.rule(inside.x, inside.y + 1, inside.width, c.theme.border);
    drawn.metrics.overlay_rows = list.height;
    if p.rows.is_empty() {
        c.put(list.x + 1, list.y, list.width - 2, "Nothing is called so.", c.theme.quiet);
    }
    let first = super::keep_in_sight(0, Some(p.at), usize::from(list.height), p.rows.len());
    for (y, (n, row)) in (list.y..list.bottom()).zip(p.rows.iter().enumerate().skip(first)) {
        let line = Rect { y, height: 1, ..list };
        let sign = match row.target {
            PaletteTarget::Person(_) => "@",
            PaletteTarget::Tab(_) => c.glyphs.mail,
            PaletteTarget::Meeting(_) => c.glyphs.meeting,
            PaletteTarget::Command(_) => ":",
        };
        let style = if row.unavailable.is_some() { c.theme.quiet } else { Style::new() };
        c.put(list.x + 1, y, 1, sign, c.theme.quiet);
        let remark = row.unavailable.as_ref().unwrap_or(&row.detail);
        let end = c.put_right(list.right() - 1, y, list.width / 2, remark.clone(), c.theme.quiet);
        let label = Line::new(&row.label);
        c.put(list.x + 3, y, end.saturating_sub(list.x + 4), &label, style);
        mark(c, list.x + 3, y, end.saturating_sub(list.x + 4), &label, &row.matched);
        if n == p.at {
            c.restyle(line, c.theme.selection);
        }
        drawn.targets.push((line, Target::OverlayRow(n)));
    }
}

/// Shows which characters matched; positions count characters.
fn mark(c: &mut Canvas, x: u16, y: u16, room: u16, label: &Line, matched: &[u32]) {
    let mut at = 0u32;
    let mut column = 0u16;
    for (g, w) in clusters(label.as_str()) {
        let n = u32::try_from(g.chars().count()).unwrap_or(1);
        let w = u16::try_from(w).unwrap_or(1);
        if (at..at + n).any(|i| matched.contains(&i)) && column + w <= room {
            c.restyle(Rect { x: x + column, y, width: w, height: 1 }, c.theme.accent);
        }
        at += n;
        column += w;
    }
}

fn help(c: &mut Canvas, body: Rect, h: &Help, top: bool, drawn: &mut Drawn) {
    let all = h.sections.iter().flat_map(|s| &s.1);
    let keys = all.clone().map(|r| c.width(r.0.clone())).max().unwrap_or(8).clamp(8, 24);
    let longest = all.clone().map(|r| crate::text::width(&r.1)).max().unwrap_or(0);
    let lines = help_lines(h);
    let width = keys.saturating_add(8).saturating_add(rows(longest)).clamp(76, 120);
    let height = rows(all.count() + 2 * h.sections.len());
    let mut inside = window(c, body, width, height.saturating_add(1), "Help");
    if h.filtering || !h.filter.is_empty() {
        c.put(inside.x + 1, inside.y, 1, "/", c.theme.accent);
        let line = Rect { x: inside.x + 3, width: inside.width - 4, height: 1, ..inside };
        edit_line(c, line, &h.filter, top && h.filtering, drawn);
        inside = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    }
    if lines.is_empty() {
        c.put(inside.x + 3, inside.y, inside.width - 4, "No key and no command is described so.", c.theme.quiet);
    }
    let top = scrolled(lines.len(), h.scroll, inside, drawn);
    for (y, (key, words)) in (inside.y..inside.bottom()).zip(lines.into_iter().skip(top)) {
        if key.is_empty() {
            c.put(inside.x + 1, y, inside.width - 2, &words, c.theme.group);
        } else {
            c.put(inside.x + 3, y, keys, &key, c.theme.key);
            c.put(inside.x + 5 + keys, y, inside.width.saturating_sub(keys + 6), &words, Style::new());
        }
    }
    more(c, inside, drawn.metrics.overlay_max, top);
}

/// Keys and words of every row; titles and the blank rows between the sections are without keys.
fn help_lines(h: &Help) -> Vec<(Line, Line)> {
    let mut lines = Vec::new();
    for (title, entries) in h.shown() {
        if !lines.is_empty() {
            lines.push((Line::default(), Line::default()));
        }
        lines.push((Line::default(), Line::new(title)));
        lines.extend(entries.into_iter().map(|(k, w)| (Line::new(k), Line::new(w))));
    }
    lines
}

/// The first line to show of a scrolled text, noting how far it can go.
fn scrolled(lines: usize, scroll: u16, inside: Rect, drawn: &mut Drawn) -> usize {
    let max = lines.saturating_sub(usize::from(inside.height));
    drawn.metrics.overlay_rows = inside.height;
    drawn.metrics.overlay_max = rows(max);
    usize::from(scroll).min(max)
}

fn more(c: &mut Canvas, inside: Rect, max: u16, top: usize) {
    let left = usize::from(max).saturating_sub(top);
    if left > 0 {
        let words = format!("{} {left} more", c.glyphs.down);
        let x = c.put_right(inside.right() - 2, inside.bottom(), 14, words, c.theme.quiet);
        c.put(x.saturating_sub(1), inside.bottom(), 1, " ", Style::new());
        c.put(inside.right() - 2, inside.bottom(), 1, " ", Style::new());
    }
}

/// Who would see what differently; long words wrap under themselves.
fn dry_run(c: &mut Canvas, body: Rect, d: &DryRun, drawn: &mut Drawn) {
    let width = 76.min(body.width);
    let label = (width / 3).clamp(8, 20);
    let room = usize::from(width.saturating_sub(label + 6));
    let mut rows_: Vec<(Line, Line)> = Vec::new();
    for (what, words) in &d.lines {
        if words.is_empty() {
            rows_.push((Line::new(what), Line::default()));
            continue;
        }
        for (n, line) in Text::plain(words).wrap(room).into_iter().enumerate() {
            rows_.push((if n == 0 { Line::new(what) } else { Line::default() }, line));
        }
    }
    let inside = window(c, body, width, rows(rows_.len()).saturating_add(5), "Dry run: nothing is sent yet");
    c.put(inside.x + 1, inside.y, inside.width - 2, "Who would see what differently:", c.theme.quiet);
    let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(3), ..inside };
    let top = scrolled(rows_.len(), d.scroll, list, drawn);
    for (y, (what, words)) in (list.y..list.bottom()).zip(rows_.into_iter().skip(top)) {
        let heading = words.is_empty();
        let style = if heading { c.theme.group } else { c.theme.quiet };
        let (x, room) = if heading { (list.x + 1, list.width - 2) } else { (list.x + 3, label) };
        c.put(x, y, room, &what, style);
        c.put(list.x + label + 4, y, list.width.saturating_sub(label + 5), &words, Style::new());
    }
    more(c, inside, drawn.metrics.overlay_max, top);
    let y = inside.bottom() - 1;
    let mut x = inside.x + 1;
    for (key, words) in [("Enter", "send it"), ("Esc", "cancel")] {
        x += c.put(x, y, 6, key, c.theme.key) + 1;
        x += c.put(x, y, inside.right().saturating_sub(x), words, c.theme.hint) + 3;
    }
}

fn confirm(c: &mut Canvas, body: Rect, q: &Confirm) {
    let width = 56.min(body.width);
    let lines = Text::plain(&q.text).wrap(usize::from(width.saturating_sub(4)));
    let inside = window(c, body, width, rows(lines.len()) + 4, "");
    for (y, line) in (inside.y..).zip(&lines) {
        c.put(inside.x + 1, y, inside.width - 2, line, Style::new());
    }
    let y = inside.bottom() - 1;
    let mut x = inside.x + 1;
    for (key, words, style) in [("y", q.yes, c.theme.error), ("n", "Keep", c.theme.hint)] {
        x += c.put(x, y, 3, key, c.theme.key) + 1;
        x += c.put(x, y, inside.right() - x, words, style) + 3;
    }
}

/// What the directory says of the selected row.
fn found_details(e: &DirectoryEntry) -> Line {
    let parts = [&e.title, &e.company, &e.office, &e.phone, &e.place, &e.email].map(|p| p.as_str());
    Line::new(&parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · "))
}

fn prompt(c: &mut Canvas, body: Rect, state: &State, p: &Prompt, top: bool, drawn: &mut Drawn) {
    let found = rows(p.found.len()).min(10);
    let detail = p.at.and_then(|at| p.found.get(at)).map(found_details).filter(|d| !d.is_empty());
    let more = u16::from(detail.is_some()) * 2;
    let extra = if found > 0 { found + 1 + more } else { 0 };
    let inside = window(c, body, 64, 5 + extra, p.title.clone());
    c.put(inside.x + 1, inside.y, 1, ">", c.theme.accent);
    let hidden = (p.ask == Ask::Password).then(|| masked(&p.line, c.glyphs.ascii));
    let line = hidden.as_ref().unwrap_or(&p.line);
    edit_line(c, Rect { x: inside.x + 3, width: inside.width - 4, height: 1, ..inside }, line, top, drawn);
    let (words, style) = match (&p.error, p.searching) {
        (Some(e), _) => (e.clone(), c.theme.error),
        (None, Some(_)) => ("Searching the directory…".to_owned(), c.theme.quiet),
        (None, None) => (p.hint.clone(), c.theme.quiet),
    };
    // Below it there is an empty row, for what is longer.
    let said = Text::plain(&words).wrap(usize::from(inside.width.saturating_sub(2)));
    for (y, line) in (inside.y + 1..inside.bottom().min(inside.y + 3)).zip(said) {
        c.put(inside.x + 1, y, inside.width - 2, line, style);
    }
    let list = Rect { y: inside.y + 3, height: inside.height.saturating_sub(3 + more), ..inside };
    if let Some(detail) = detail.filter(|_| inside.height > 6) {
        c.put(inside.x + 1, inside.bottom() - 1, inside.width - 2, &detail, c.theme.quiet);
    }
    let first = super::keep_in_sight(0, p.at, usize::from(list.height), p.found.len());
    for (y, (n, entry)) in (list.y..list.bottom()).zip(p.found.iter().enumerate().skip(first)) {
        let name = if entry.display_name.is_empty() { Line::new(entry.uri.bare()) } else { Line::new(&entry.display_name) };
        let known = state.people.contacts.contains_key(&entry.uri);
        let remark = if known { "on your list".to_owned() } else { directory_remark(&entry.title, &entry.uri) };
        let end = c.put_right(list.right() - 1, y, list.width / 2, remark, c.theme.quiet);
        c.put(list.x + 3, y, end.saturating_sub(list.x + 4), &name, Style::new());
        let line = Rect { y, height: 1, ..list };
        if p.at == Some(n) {
            c.restyle(line, c.theme.selection);
        }
        drawn.targets.push((line, Target::OverlayRow(n)));
    }
}

/// As many signs as were typed, the cursor where it is.
fn masked(line: &Editor, ascii: bool) -> Editor {
    let count = |text: &str| clusters(text).count();
    let all = count(line.text());
    let after = all - count(line.text().get(..line.cursor()).unwrap_or("")).min(all);
    let mut out = Editor::new(if ascii { "*" } else { "•" }.repeat(all));
    (0..after).for_each(|_| out.left());
    out
}

fn directory_remark(title: &str, uri: &Address) -> String {
    if title.is_empty() { uri.bare().to_owned() } else { format!("{} · {}", Line::new(title), uri.bare()) }
}

fn picker(c: &mut Canvas, body: Rect, p: &Picker, drawn: &mut Drawn) {
    let widest = |of: fn(&(String, String)) -> &String| p.rows.iter().map(|r| c.width(of(r).clone())).max().unwrap_or(0);
    let (labels, remarks) = (widest(|r| &r.0), widest(|r| &r.1));
    let width = labels.saturating_add(remarks).saturating_add(8).clamp(32, 100);
    let inside = window(c, body, width, rows(p.rows.len()).saturating_add(2), p.title.clone());
    let labels = labels.min(inside.width / 2);
    drawn.metrics.overlay_rows = inside.height;
    let first = super::keep_in_sight(0, Some(p.at), usize::from(inside.height), p.rows.len());
    for (y, (n, (words, remark))) in (inside.y..inside.bottom()).zip(p.rows.iter().enumerate().skip(first)) {
        let line = Rect { y, height: 1, ..inside };
        let end = c.put_right(inside.right() - 1, y, inside.width.saturating_sub(labels + 5), remark.clone(), c.theme.quiet);
        c.put(inside.x + 2, y, end.saturating_sub(inside.x + 3), words.clone(), Style::new());
        if n == p.at {
            c.restyle(line, c.theme.selection);
        }
        drawn.targets.push((line, Target::OverlayRow(n)));
    }
}

fn contact(c: &mut Canvas, body: Rect, state: &State, uri: &Address, scroll: u16, drawn: &mut Drawn) {
    let width = 60.min(body.width);
    let lines = card::height(state, uri, width.saturating_sub(2));
    let inside = window(c, body, width, rows(lines).saturating_add(2), "Card");
    let top = scrolled(lines, scroll, inside, drawn);
    card::rows(c, inside, state, uri, top);
    more(c, inside, drawn.metrics.overlay_max, top);
}

fn form_dialog(c: &mut Canvas, body: Rect, d: &FormDialog, top: bool, drawn: &mut Drawn) {
    let contact = matches!(d.kind, FormKind::Contact { .. });
    // Every field and room for what is said under two of them.
    let height = if contact { rows(d.form.fields.len()).saturating_add(8) } else { body.height.saturating_sub(2) };
    let inside = window(c, body, if contact { 72 } else { 90 }, height, Line::new(&d.title));
    let room = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), height: inside.height.saturating_sub(2), ..inside };
    let active = top && d.form.saving.is_none();
    form::draw(c, room, &d.form, active, active, drawn);
    let (words, style) = match (&d.form.error, d.form.saving) {
        (Some(e), _) => (Text::plain(e).wrap(usize::from(inside.width.saturating_sub(2))), c.theme.error),
        (None, Some(_)) => (vec![Line::new("Publishing…")], c.theme.quiet),
        (None, None) => (
            vec![Line::new(if contact {
                "Ctrl-S saves · Tab goes on · Esc leaves"
            } else {
                "Ctrl-S publishes · Tab goes on · Esc leaves"
            })],
            c.theme.quiet,
        ),
    };
    let first = inside.bottom().saturating_sub(rows(words.len().min(2)));
    for (y, line) in (first..inside.bottom()).zip(&words) {
        c.put(inside.x + 1, y, inside.width.saturating_sub(2), line, style);
    }
}

/// A raw line in rows that all begin where its first one does.
fn indented(raw: &str, cells: usize) -> impl Iterator<Item = (u16, Line)> {
    let words = raw.trim_start_matches(' ');
    let indent = (raw.len() - words.len()).min(cells / 2);
    Text::plain(words).wrap(cells - indent).into_iter().map(move |line| (rows(indent), line))
}

fn details(c: &mut Canvas, body: Rect, title: &str, raw: &[String], scroll: u16, drawn: &mut Drawn) {
    let width = 76.min(body.width);
    let lines: Vec<(u16, Line)> = raw.iter().flat_map(|l| indented(l, usize::from(width.saturating_sub(4)))).collect();
    let inside = window(c, body, width, rows(lines.len()).saturating_add(2), Line::new(title));
    let top = scrolled(lines.len(), scroll, inside, drawn);
    for (y, (indent, line)) in (inside.y..inside.bottom()).zip(lines.iter().skip(top)) {
        c.put(inside.x + 1 + indent, y, inside.width.saturating_sub(2 + indent), line, Style::new());
    }
    more(c, inside, drawn.metrics.overlay_max, top);
}
