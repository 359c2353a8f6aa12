//! What a command works with: the state, the time, and the effects it leaves behind.

use super::access::trial::Trial;
use super::effect::{Effect, StoreRequest};
use super::limits::{TOAST, TOAST_UNDO};
use super::state::{State, Toast, ToastKind};
use crate::domain::conference::{Answer, ConferenceId};
use crate::domain::conversation::{ConversationId, MessageId};
use crate::domain::{Address, Time};
use crate::endpoint::{Error, Operation, OperationId};

/// Passed to every command.
pub struct Door<'a> {
    /// Everything the screen knows.
    pub state: &'a mut State,
    /// The time of the event.
    pub now: Time,
    /// What should happen outside, in order.
    pub effects: Vec<Effect>,
}

/// What is done when an operation ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// What was tried, as a gerund ("Deleting Bob Kelly"); empty: failures stay silent.
    pub what: String,
    /// What is said when it worked; empty: nothing.
    pub done: String,
    /// What takes it back again.
    pub undo: Vec<Operation>,
    /// Who comes into the group that is made again by the undo.
    pub members: Vec<Address>,
    /// What else is to be done.
    pub then: Then,
}

/// Something that was done and can be taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// What was done, as it was said.
    pub what: String,
    /// What takes it back, in order.
    pub operations: Vec<Operation>,
    /// Who comes into a group that is made again.
    pub members: Vec<Address>,
}

/// What else is to be done when an operation ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// Rows for the prompt that searches.
    Directory,
    /// The agenda was changed: fetch it again.
    Agenda,
    /// The agenda itself.
    AgendaList,
    /// The open form is saved.
    MeetingForm,
    /// The form over the panes is published.
    Dialog,
    /// The Me form is published (this was the last of its operations).
    OwnForm,
    /// The own presence as it would be: show the card.
    Trial(Box<Trial>),
    /// The next step of an import.
    Import,
    /// Members of a distribution group.
    Members(Address),
    /// Put these people into the new group.
    IntoGroup(Vec<Address>),
    /// A message: an operation that fails says so beside it.
    Message(ConversationId, MessageId),
    /// A conference is entered: when that fails, its tab says why.
    Join(ConversationId),
    /// Likewise by a link with this title; when the passcode is missing or wrong, it is asked for.
    JoinBy(ConversationId, crate::endpoint::JoinTarget, String),
    /// Everybody in this meeting knows that it is recorded: record into this file.
    Record(ConversationId, String),
    /// A conference is looked up by its number: join it.
    JoinFound,
    /// The passcode was looked at: join with it, or ask again.
    Verified(crate::endpoint::JoinTarget, String, String),
    /// What the server offers for meetings.
    Capabilities,
    /// A series was changed: show the agenda again.
    Series,
    /// The organizer of this meeting is told our answer.
    MeetingAnswer(ConferenceId, Answer),
}

impl Pending {
    /// Says what failed, nothing else.
    pub fn new(what: impl Into<String>) -> Pending {
        Pending { what: what.into(), done: String::new(), undo: Vec::new(), members: Vec::new(), then: Then::Nothing }
    }

    /// Says this when it worked.
    pub fn done(mut self, text: impl Into<String>) -> Pending {
        self.done = text.into();
        self
    }

    /// Offers to take it back.
    pub fn undo(mut self, operations: Vec<Operation>) -> Pending {
        self.undo = operations;
        self
    }

    /// Offers to make a deleted group again, with these people in it.
    pub fn undo_group(self, make: Operation, members: Vec<Address>) -> Pending {
        Pending { members, ..self.undo(vec![make]) }
    }

    /// Does this afterwards.
    pub fn then(mut self, then: Then) -> Pending {
        self.then = then;
        self
    }
}

impl<'a> Door<'a> {
    /// A door at this moment.
    pub fn new(state: &'a mut State, now: Time) -> Door<'a> {
        Door { state, now, effects: Vec::new() }
    }

    /// Asks the endpoint and remembers what to do with the answer.
    pub fn ask(&mut self, operation: Operation, pending: Pending) -> OperationId {
        self.state.last_operation += 1;
        let id = OperationId(self.state.last_operation);
        self.state.pending.insert(id, pending);
        self.effects.push(Effect::Endpoint { account: self.state.account.id.clone(), id, operation });
        id
    }

    /// Asks the endpoint; a failure is nobody's business (typing notices and the like).
    pub fn ask_quietly(&mut self, operation: Operation) {
        self.ask(operation, Pending::new(""));
    }

    /// Asks the store.
    pub fn store(&mut self, request: StoreRequest) {
        self.effects.push(Effect::Store(self.state.account.id.clone(), request));
    }

    /// Says that something worked.
    pub fn say(&mut self, text: impl Into<String>) {
        self.toast(ToastKind::Info, text.into(), Vec::new(), Vec::new());
    }

    /// Says that something did not work.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.toast(ToastKind::Error, text.into(), Vec::new(), Vec::new());
    }

    /// Says what failed and why; the SIP code and the diagnostics are one key away.
    pub fn failed(&mut self, what: &str, error: &Error) {
        let detail = details_of(format!("{what}: {}", error.text), error);
        self.toast(ToastKind::Error, format!("{what} did not work: {}", error.text), Vec::new(), detail);
    }

    /// Shows a toast.
    pub fn toast(&mut self, kind: ToastKind, text: String, undo: Vec<Operation>, detail: Vec<String>) {
        let until = self.now + if undo.is_empty() { TOAST } else { TOAST_UNDO };
        if !detail.is_empty() {
            self.state.last_error = detail.clone();
        }
        self.state.toast = Some(Toast { kind, text, until, undo, detail });
    }

    /// The name of a person, raw and owned.
    pub fn name(&self, uri: &Address) -> String {
        self.state.name(uri).to_owned()
    }
}

/// What failed, and what the server said of it.
pub fn details_of(what: String, error: &Error) -> Vec<String> {
    let status = error.status.map(|s| format!("The server answered with SIP status {s}."));
    let said = error.detail.as_ref().map(|d| format!("Its own words: {d}"));
    let ours = (status.is_none() && said.is_none()).then(|| "The server said no more about it.".to_owned());
    [Some(what), status, said, ours].into_iter().flatten().collect()
}
