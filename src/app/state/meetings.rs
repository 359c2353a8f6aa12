//! Agenda and the form that schedules.

use crate::app::Editor;
use crate::domain::conference::{Conference, ConferenceId};
use crate::endpoint::OperationId;

/// The Meetings pane.
#[derive(Clone, Debug, Default)]
pub struct Meetings {
    /// The list came from the server.
    pub loaded: bool,
    /// Own conferences, by start; those without a start last.
    pub list: Vec<Conference>,
    /// The selected one.
    pub selection: Option<ConferenceId>,
    /// First row shown.
    pub top: usize,
    /// The selected one is shown with all details.
    pub details: bool,
    /// The open form.
    pub form: Option<Form>,
}

impl Meetings {
    /// The selected conference.
    pub fn selected(&self) -> Option<&Conference> {
        let id = self.selection.as_ref()?;
        self.list.iter().find(|c| c.id == *id)
    }
}

/// A form: rows of fields, one of which has the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    /// The conference being changed; `None`: a new one.
    pub editing: Option<ConferenceId>,
    /// Fields in order.
    pub fields: Vec<Field>,
    /// Position of the field with the keys.
    pub at: usize,
    /// Something was changed since it was opened.
    pub changed: bool,
    /// The request that is saving it.
    pub saving: Option<OperationId>,
    /// Why it was not saved.
    pub error: Option<String>,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What it is.
    pub id: FieldId,
    /// The label.
    pub label: &'static str,
    /// One line of help, shown while it has the keys.
    pub help: &'static str,
    /// What is in it.
    pub value: FieldValue,
    /// Why it cannot be saved so.
    pub error: Option<String>,
    /// How it is understood ("Sun 22 Nov 2026, 10:00 to 11:00").
    pub reading: Option<String>,
}

/// Names of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FieldId {
    Subject,
    When,
    Zone,
    Access,
    Invitees,
    Description,
    Status,
    Activity,
    Until,
    Note,
    NoteKind,
    NoteFrom,
    NoteUntil,
    Location,
    Category,
    Instance,
    Containers,
    Expiry,
    Lasts,
    Value,
    PhoneWork,
    PhoneMobile,
    PhoneHome,
    PhoneOther,
}

/// What is in a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Text.
    Text(Editor),
    /// One of several, by position.
    Choice {
        /// The words of all.
        options: Vec<String>,
        /// Which.
        at: usize,
    },
}

impl Form {
    /// A field by name.
    pub fn field(&self, id: FieldId) -> Option<&Field> {
        self.fields.iter().find(|f| f.id == id)
    }

    /// The text of a field; empty for others.
    pub fn text(&self, id: FieldId) -> &str {
        match self.field(id).map(|f| &f.value) {
            Some(FieldValue::Text(e)) => e.text(),
            _ => "",
        }
    }

    /// The chosen position of a field; 0 for others.
    pub fn choice(&self, id: FieldId) -> usize {
        match self.field(id).map(|f| &f.value) {
            Some(FieldValue::Choice { at, .. }) => *at,
            _ => 0,
        }
    }
}
