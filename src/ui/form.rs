//! Forms: labels, fields, how a field is understood, errors.

use super::canvas::Canvas;
use super::{Drawn, edit_line};
use crate::app::event::Target;
use crate::app::state::{Field, FieldId, FieldValue, Form};
use crate::text::{Text, edit};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Cells of the label column.
const LABEL: u16 = 14;
/// Rows a text field grows to.
const FIELD_ROWS: usize = 4;
/// Rows a publication's value grows to.
const VALUE_ROWS: usize = 12;

/// Draws a form's fields from the top of `area`, so that the field with the keys is in sight; the rows used.
///
/// `active`: the form has the keys; `editing`: so has the text in its field.
pub fn draw(c: &mut Canvas, area: Rect, form: &Form, active: bool, editing: bool, drawn: &mut Drawn) -> u16 {
    let label = LABEL.min(area.width / 3);
    let heights: Vec<u16> = form.fields.iter().map(|f| height(f, area.width - label)).collect();
    // Fields above the one with the keys give way when there is no room.
    let mut first = 0;
    let until = form.at.min(heights.len().saturating_sub(1));
    while first < until && heights[first..=until].iter().sum::<u16>() > area.height {
        first += 1;
    }
    let mut y = area.y;
    for (n, (field, h)) in form.fields.iter().zip(&heights).enumerate().skip(first) {
        if y + h > area.bottom() && n > until {
            break;
        }
        let row = Rect { y, height: (*h).min(area.bottom() - y), ..area };
        let active = active && n == form.at;
        draw_field(c, row, label, field, (active, active && editing), drawn);
        drawn.targets.push((row, Target::Field(n)));
        y += row.height;
        if y >= area.bottom() {
            break;
        }
    }
    y - area.y
}

fn height(field: &Field, cells: u16) -> u16 {
    let remarks = remarks(field, cells).len();
    let text = match &field.value {
        FieldValue::Text(e) if is_long(field) => rows(e, cells).rows.len().clamp(1, most(field)),
        _ => 1,
    };
    u16::try_from(text + remarks).unwrap_or(1)
}

/// A text that is shown on several rows: one with lines, and always a publication's value.
fn is_long(field: &Field) -> bool {
    match &field.value {
        FieldValue::Text(e) => field.id == FieldId::Value || e.text().contains('\n'),
        FieldValue::Choice { .. } => false,
    }
}

fn most(field: &Field) -> usize {
    if field.id == FieldId::Value { VALUE_ROWS } else { FIELD_ROWS }
}

fn rows(editor: &crate::app::Editor, cells: u16) -> edit::Layout {
    edit::layout(editor.text(), editor.cursor(), usize::from(cells.saturating_sub(3)))
}

/// What stands under a field: its error, else how it is understood.
fn remarks(field: &Field, cells: u16) -> Vec<crate::text::Line> {
    let words = field.error.as_deref().or(field.reading.as_deref());
    words.map(|w| Text::plain(w).wrap(usize::from(cells.saturating_sub(6)))).unwrap_or_default().into_iter().take(2).collect()
}

fn draw_field(c: &mut Canvas, area: Rect, label: u16, field: &Field, (active, editing): (bool, bool), drawn: &mut Drawn) {
    let style = if active { c.theme.title_active } else { c.theme.quiet };
    if active {
        c.put(area.x, area.y, 1, c.glyphs.cursor, c.theme.accent);
    }
    c.put(area.x + 1, area.y, label.saturating_sub(2), field.label, style);
    let value = Rect { x: area.x + label, width: area.width - label, ..area };
    let mut y = area.y + 1;
    match &field.value {
        FieldValue::Choice { options, at } => choice(c, value, options, *at, active),
        FieldValue::Text(editor) if is_long(field) && !editor.is_empty() => {
            let l = rows(editor, value.width);
            let shown = l.rows.len().min(most(field)).min(usize::from(area.height));
            let top = if editing { (l.row + 1).saturating_sub(shown) } else { 0 };
            for (n, row) in (0u16..).zip(l.rows.iter().skip(top).take(shown)) {
                c.put(value.x, value.y + n, value.width, row, Style::new());
            }
            y = area.y + u16::try_from(shown).unwrap_or(1);
            if editing {
                let (x, row) = (u16::try_from(l.column).unwrap_or(0), u16::try_from(l.row - top).unwrap_or(0));
                drawn.cursor = Some(((value.x + x).min(area.right() - 1), value.y + row));
            }
        }
        FieldValue::Text(editor) => {
            if editor.is_empty() {
                c.put(value.x, value.y, value.width - 1, field.help, c.theme.border);
            }
            edit_line(c, Rect { width: value.width - 1, height: 1, ..value }, editor, editing, drawn);
        }
    }
    let (sign, style) = match field.error {
        Some(_) => (c.glyphs.failed, c.theme.error),
        None => (c.glyphs.right, c.theme.good),
    };
    for (n, line) in remarks(field, value.width).into_iter().enumerate() {
        if y >= area.bottom() {
            break;
        }
        if n == 0 {
            c.put(value.x, y, 2, sign, style);
        }
        c.put(value.x + 3, y, value.width - 4, line, style);
        y += 1;
    }
}

fn choice(c: &mut Canvas, area: Rect, options: &[String], at: usize, active: bool) {
    let total: u16 = options.iter().map(|o| c.width(o.clone()) + 3).sum();
    if total > area.width {
        // Only the chosen one, with its place among all.
        let words = options.get(at).cloned().unwrap_or_default();
        let style = if active { c.theme.selection } else { Style::new() };
        let used = c.put(area.x, area.y, area.width.saturating_sub(7), words, style);
        c.put(area.x + used + 2, area.y, 5, format!("{}/{}", at + 1, options.len()), c.theme.quiet);
        return;
    }
    let mut x = area.x;
    for (n, words) in options.iter().enumerate() {
        let style = match (n == at, active) {
            (true, true) => c.theme.selection,
            (true, false) => c.theme.title_active,
            (false, _) => c.theme.quiet,
        };
        if n == at && !active {
            c.put(x, area.y, 1, c.glyphs.wins, c.theme.accent);
        }
        x += 1 + c.put(x + 1, area.y, area.right() - x - 1, words.clone(), style) + 2;
    }
}
