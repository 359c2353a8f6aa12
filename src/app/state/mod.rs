//! What the screen shows: a tree of small plain structs, no I/O, no clock.

pub mod conversations;
pub mod meetings;
pub mod overlay;
pub mod own;
pub mod people;
pub mod view;
pub mod wire;

pub use conversations::{Conversations, Entry, Missed, Scroll, Tab, Thread};
pub use meetings::{Field, FieldId, FieldValue, Form, Meetings};
pub use overlay::{Overlay, Question, QuestionKind, Toast, ToastKind};
pub use own::{Own, OwnEndpoint};
pub use people::{People, Row, RowId, Sort};
pub use view::{Layout, Metrics, Options, View};
pub use wire::{Wire, WireRecord};

use crate::app::alerts::Alerts;
use crate::app::door::{Pending, Undo};
use crate::app::event::Key;
use crate::app::keymap::Keymap;
use crate::app::limits::DRAFT_PAUSE;
use crate::domain::conversation::InstantMessage;
use crate::domain::presence::{Activity, Availability, MachineState, Note};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::{EndpointState, Feature, OperationId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names one signed-in account.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub String);

/// Everything the screen knows.
#[derive(Clone, Debug)]
pub struct State {
    /// The account shown.
    pub account: Account,
    /// The way to the server.
    pub link: Link,
    /// The pane that has the keys.
    pub pane: Pane,
    /// The pane that fills the space beside People (never [`Pane::People`]).
    pub main: Pane,
    /// Size, options, clock.
    pub view: View,
    /// Contacts and groups.
    pub people: People,
    /// Tabs.
    pub conversations: Conversations,
    /// Agenda.
    pub meetings: Meetings,
    /// What I publish.
    pub own: Own,
    /// What this server cannot do, and why in a sentence.
    pub missing: BTreeMap<Feature, String>,
    /// For whom I wait.
    pub alerts: Alerts,
    /// SIP traffic.
    pub wire: Wire,
    /// Dialogs over the panes; the last is on top and has the keys.
    pub overlays: Vec<Overlay>,
    /// Questions that wait for Alt-y / Alt-n / Alt-l; the first not postponed one is shown as a card.
    pub questions: Vec<Question>,
    /// Which question is shown, and how it came there.
    pub shown_question: super::questions::Shown,
    /// The row over the hint line.
    pub toast: Option<Toast>,
    /// What can be taken back, the newest last.
    pub undo: Vec<Undo>,
    /// What was read to be imported, and waits for a yes.
    pub import_book: Option<crate::app::addressbook::Book>,
    /// An import under way.
    pub import: Option<crate::app::exchange::Import>,
    /// The file of contacts that is being read.
    pub importing: Option<String>,
    /// When what is typed in a prompt is searched in the directory.
    pub search_due: Option<Time>,
    /// Source of message and conversation names.
    pub rng: Rng,
    /// Number of the last operation.
    pub last_operation: u64,
    /// What to do when operations end.
    pub pending: BTreeMap<OperationId, Pending>,
    /// Messages of an earlier run that wait for the link, with their thread keys.
    pub outbox: Vec<(String, InstantMessage)>,
    /// Watchers who were asked about (`false`) or acknowledged as contacts (`true`) in this session.
    pub acknowledging: BTreeSet<(Address, bool)>,
    /// When somebody touched a key last.
    pub last_input: Option<Time>,
    /// What this device has said of itself.
    pub machine: MachineState,
    /// Details of the last error, for reading up.
    pub last_error: Vec<String>,
    /// What every key means.
    pub keymap: Arc<Keymap>,
    /// Keys of an unfinished chord.
    pub chord: Vec<Key>,
    /// What people chose in the config.
    pub options: Options,
}

/// Whose screen this is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Name of the account.
    pub id: AccountId,
    /// Own address; `None` before an account is chosen.
    pub address: Option<Address>,
    /// Own display name; may be empty.
    pub name: String,
    /// The name was not configured: it is the one on the own contact card.
    pub name_from_card: bool,
    /// A trusted application's: without contacts and presence of its own.
    pub application: bool,
    /// A guest's without an account: the link of the meeting it came for.
    pub guest: Option<String>,
    /// Own availability as others see it (aggregated).
    pub availability: Option<Availability>,
    /// Own activity.
    pub activity: Option<Activity>,
    /// Own personal note.
    pub note: Option<Note>,
}

/// The way to the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// State of the endpoint.
    pub state: EndpointState,
    /// Why it is not up; one sentence.
    pub problem: Option<String>,
    /// The problem that was last said in full.
    pub told: Option<String>,
    /// When the next try is made.
    pub retry_at: Option<Time>,
    /// Host shown in the status line.
    pub server: String,
    /// `tls` or `tcp`.
    pub transport: String,
    /// Round-trip time in milliseconds.
    pub round_trip: Option<u32>,
    /// Since when the link is down.
    pub down_since: Option<Time>,
    /// It has been up in this run of the program.
    pub was_up: bool,
}

impl Link {
    /// Whether the server can be asked now.
    pub fn is_up(&self) -> bool {
        self.state == EndpointState::Established
    }
}

/// The panes of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Pane {
    People,
    Conversations,
    Meetings,
    Me,
    Wire,
}

impl Pane {
    /// All, in the order of Alt-1 to Alt-5.
    pub const ALL: [Pane; 5] = [Pane::People, Pane::Conversations, Pane::Meetings, Pane::Me, Pane::Wire];

    /// The word on the border.
    pub fn title(self) -> &'static str {
        match self {
            Pane::People => "People",
            Pane::Conversations => "Conversations",
            Pane::Meetings => "Meetings",
            Pane::Me => "Me",
            Pane::Wire => "Wire",
        }
    }
}

impl State {
    /// Why this server cannot do it, if it cannot.
    pub fn missing(&self, what: Feature) -> Option<&str> {
        self.missing.get(&what).map(String::as_str)
    }

    /// An empty screen for an account.
    pub fn new(account: Account, view: View, rng: Rng) -> State {
        State {
            account,
            link: Link {
                state: EndpointState::Idle,
                problem: None,
                told: None,
                retry_at: None,
                server: String::new(),
                transport: "tls".into(),
                round_trip: None,
                down_since: None,
                was_up: false,
            },
            pane: Pane::People,
            main: Pane::Conversations,
            view,
            people: People::default(),
            conversations: Conversations::default(),
            meetings: Meetings::default(),
            own: Own::default(),
            missing: BTreeMap::new(),
            alerts: Alerts::default(),
            wire: Wire::default(),
            overlays: Vec::new(),
            questions: Vec::new(),
            shown_question: super::questions::Shown::default(),
            toast: None,
            undo: Vec::new(),
            import_book: None,
            import: None,
            importing: None,
            search_due: None,
            rng,
            last_operation: 0,
            pending: BTreeMap::new(),
            last_input: None,
            machine: MachineState::Active,
            last_error: Vec::new(),
            outbox: Vec::new(),
            acknowledging: BTreeSet::new(),
            keymap: Arc::new(Keymap::defaults()),
            chord: Vec::new(),
            options: Options::default(),
        }
    }

    /// The name to show for an address, raw: alias, card name, roster name, else `user@host`.
    pub fn name<'a>(&'a self, uri: &'a Address) -> &'a str {
        if self.account.address.as_ref() == Some(uri) {
            return if self.account.name.is_empty() { uri.bare() } else { &self.account.name };
        }
        self.people.name(uri).or_else(|| self.conversations.roster_name(uri)).unwrap_or(uri.bare())
    }

    /// The name to show for a tab, raw: the person, the subject, or who is in it.
    pub fn title(&self, tab: &Tab) -> String {
        const NAMED: usize = 3;
        match (&tab.thread, tab.conversation.subject.as_str()) {
            (Thread::Person(uri), _) => self.name(uri).to_owned(),
            // On standard servers the address of a room is a name.
            (Thread::Conference(focus), "") if tab.conversation.participants.is_empty() && !focus.contains(";gruu;") => focus
                .trim_start_matches("sip:")
                .trim_start_matches("sips:")
                .split([';', '@'])
                .next()
                .unwrap_or("Meeting")
                .to_owned(),
            (_, "") if tab.conversation.participants.is_empty() => "Meeting".to_owned(),
            (_, "") => {
                let names: Vec<&str> = tab.conversation.participants.iter().take(NAMED).map(|p| self.name(&p.uri)).collect();
                names.join(", ")
            }
            (_, subject) => subject.to_owned(),
        }
    }

    /// Messages nobody has read yet, over all tabs.
    pub fn unread(&self) -> usize {
        self.conversations.tabs.iter().map(|t| t.unread).sum()
    }

    /// The question shown as a card now.
    pub fn question(&self) -> Option<&Question> {
        self.questions.iter().find(|q| !q.postponed)
    }

    /// Rebuilds derived rows that went stale; call once before drawing.
    pub fn settle(&mut self) {
        self.people.settle(&self.view);
        self.meetings.settle(self.view.now);
        crate::app::questions::settle(self);
        crate::app::access::settle(self);
    }

    /// Takes back what the screen measured while drawing.
    pub fn measured(&mut self, metrics: Metrics) {
        if let (Some(tab), Some(scroll)) = (self.conversations.current_mut(), &metrics.transcript_scroll) {
            tab.scroll = scroll.clone();
        }
        self.people.top = metrics.people_top;
        self.meetings.top = metrics.meetings_top;
        self.wire.top = metrics.wire_top;
        self.view.metrics = metrics;
    }

    /// When [`super::Event::Tick`] should come next.
    pub fn next_deadline(&self) -> Option<Time> {
        let minute = Time((self.view.now.0 / 60_000 + 1) * 60_000);
        let drafts = self.conversations.tabs.iter().filter_map(|t| t.draft_changed).min().map(|t| t + DRAFT_PAUSE);
        [
            Some(minute),
            self.search_due,
            self.toast.as_ref().map(|t| t.until),
            drafts,
            crate::app::idle::deadline(self),
            crate::app::calendar::deadline(self),
            crate::app::reminders::deadline(self),
            crate::app::alerts::deadline(self),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
