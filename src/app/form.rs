//! Forms: walking the fields, choosing, checking what was written.

use super::door::Door;
use super::state::{FieldId, FieldValue, Form, Pane};
use super::when;
use crate::endpoint::published;

impl Form {
    /// To the next field (`by` 1) or the one before (-1), going round.
    pub fn walk(&mut self, by: isize) {
        let len = isize::try_from(self.fields.len()).unwrap_or(0);
        if len > 0 {
            let at = isize::try_from(self.at).unwrap_or(0);
            self.at = usize::try_from((at + by).rem_euclid(len)).unwrap_or(0);
        }
    }

    /// The next or previous choice of the field with the keys; `false` if it is no choice.
    pub fn choose(&mut self, by: isize) -> bool {
        let Some(FieldValue::Choice { options, at }) = self.fields.get_mut(self.at).map(|f| &mut f.value) else { return false };
        let len = isize::try_from(options.len()).unwrap_or(1).max(1);
        *at = usize::try_from((isize::try_from(*at).unwrap_or(0) + by).rem_euclid(len)).unwrap_or(0);
        self.changed = true;
        true
    }

    /// Sets how a field is understood, or why it is not.
    pub fn check(&mut self, id: FieldId, result: Result<Option<String>, String>) {
        if let Some(f) = self.fields.iter_mut().find(|f| f.id == id) {
            (f.reading, f.error) = match result {
                Ok(reading) => (reading, None),
                Err(e) => (None, Some(e)),
            };
        }
    }
}

/// Marks a field as wrong and gives it the keys.
pub fn mark(form: &mut Form, id: FieldId, error: &str) {
    form.check(id, Err(error.to_owned()));
    form.at = form.fields.iter().position(|f| f.id == id).unwrap_or(form.at);
}

/// The next or previous choice of the field with the keys, and what it means; `false` if it is no choice.
pub fn choose(door: &mut Door<'_>, by: isize) -> bool {
    let chosen = door.state.form_mut().is_some_and(|f| f.choose(by));
    if chosen {
        changed(door);
    }
    chosen
}

/// A field was changed: show how it is understood.
pub fn changed(door: &mut Door<'_>) {
    let (now, zone, pane) = (door.now, door.state.view.zone.clone(), door.state.pane);
    if pane == Pane::Meetings && door.state.overlays.is_empty() {
        super::meetings::check(door);
    }
    let Some(form) = door.state.form_mut() else { return };
    (form.changed, form.error) = (true, None);
    for id in [FieldId::Until, FieldId::NoteFrom, FieldId::NoteUntil, FieldId::Lasts] {
        let text = form.text(id).trim().to_owned();
        if form.field(id).is_some() {
            let reading = |t: crate::domain::Time| when::describe(t, None, &zone);
            let result = if text.is_empty() { Ok(None) } else { when::until(&text, now, &zone).map(|(t, _)| Some(reading(t))) };
            form.check(id, result);
        }
    }
    if form.field(FieldId::Value).is_some() {
        let value = form.text(FieldId::Value).to_owned();
        form.check(FieldId::Value, published::check_value(&value).map(|()| None));
    }
}

impl Form {
    /// Up or down within a text of several lines; `false` when there is no further line.
    pub fn line(&mut self, down: bool) -> bool {
        match self.fields.get_mut(self.at).map(|f| &mut f.value) {
            Some(FieldValue::Text(e)) if e.text().contains('\n') => {
                if down {
                    e.down()
                } else {
                    e.up()
                }
            }
            _ => false,
        }
    }
}
