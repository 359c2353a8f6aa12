//! Agenda and the form that schedules.

use crate::app::Editor;
use crate::domain::Time;
use crate::domain::conference::{Capabilities, Conference, ConferenceId, ConferenceSettings, PhoneNumber};
use crate::endpoint::OperationId;
use std::collections::{BTreeMap, BTreeSet};

/// The Meetings pane.
#[derive(Clone, Debug, Default)]
pub struct Meetings {
    /// The list came from the server.
    pub loaded: bool,
    /// Own conferences, by start; those without a start last.
    pub list: Vec<Conference>,
    /// Meetings of others, read from calendar files.
    pub kept: Vec<Conference>,
    /// Rows of the agenda, by beginning; see [`Meetings::settle`].
    pub agenda: Vec<Slot>,
    /// The day for which the rows were built; `None`: they went stale.
    pub built_for: Option<u64>,
    /// The times of those that repeat, as they were computed last.
    pub series: BTreeMap<ConferenceId, Computed>,
    /// When the next card may be due; the past: look now.
    pub remind_at: Option<Time>,
    /// The selected one.
    pub selection: Option<ConferenceId>,
    /// Which of its times is selected, if it repeats.
    pub occurrence: Option<Time>,
    /// What the server offers; `None`: it was not asked yet.
    pub capabilities: Option<Capabilities>,
    /// Cards that were shown: meeting, which of its times, and for which moment.
    pub reminded: BTreeSet<(ConferenceId, Option<Time>, Time)>,
    /// An invitation that was read from a file and waits for a decision.
    pub read: Option<Box<crate::app::calendar_file::Invitation>>,
    /// First row shown.
    pub top: usize,
    /// The selected one is shown with all details.
    pub details: bool,
    /// The open form.
    pub form: Option<Form>,
}

/// The rows of one meeting that repeats, and what they were computed from.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The day.
    pub day: u64,
    /// The meeting.
    pub settings: ConferenceSettings,
    /// Its rows.
    pub slots: Vec<Slot>,
}

/// One row of the agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which meeting.
    pub id: ConferenceId,
    /// Which of its times, if it repeats: the beginning as the rule gives it.
    pub of: Option<Time>,
    /// When it begins.
    pub start: Option<Time>,
    /// When it ends.
    pub end: Option<Time>,
    /// Title, raw.
    pub subject: String,
}

impl Meetings {
    /// Numbers by which meetings can be called.
    pub fn phones(&self) -> &[PhoneNumber] {
        self.capabilities.as_ref().map_or(&[], |c| &c.phones)
    }

    /// The selected conference.
    pub fn selected(&self) -> Option<&Conference> {
        self.find(self.selection.as_ref()?)
    }

    /// The selected row.
    pub fn slot(&self) -> Option<&Slot> {
        self.agenda.get(self.at()?)
    }

    /// A meeting, own or kept.
    pub fn find(&self, id: &ConferenceId) -> Option<&Conference> {
        self.list.iter().chain(&self.kept).find(|c| c.id == *id)
    }
}

/// A form: rows of fields, one of which has the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    /// The conference being changed; `None`: a new one.
    pub editing: Option<ConferenceId>,
    /// Which of its times alone is changed, if it repeats.
    pub occurrence: Option<Time>,
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
    Bypass,
    Leaders,
    Passcode,
    PasscodeNeeded,
    Phone,
    Announcements,
    Media,
    Repeat,
    ForgetAfter,
    Invitees,
    Description,
    /// Data for programs.
    Data,
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
    Alias,
    Groups,
    Level,
    Presence,
    Tag,
    Words,
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
