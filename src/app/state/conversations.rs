//! Tabs: transcript, roster, composer.

use crate::app::Editor;
use crate::domain::conversation::{Conversation, ConversationId, InstantMessage, MessageId, Recipient};
use crate::domain::file::Transfer;
use crate::domain::{Address, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What a tab's history belongs to; survives the conversations that come and go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thread {
    /// One other person.
    Person(Address),
    /// A conference, by its focus URI.
    Conference(String),
    /// A conversation of many that is no conference yet.
    Conversation(ConversationId),
}

impl Thread {
    /// The key under which the store keeps it.
    pub fn key(&self) -> String {
        match self {
            Thread::Person(a) => a.as_str().to_owned(),
            Thread::Conference(f) => format!("conf:{f}"),
            Thread::Conversation(id) => format!("conv:{}", id.0),
        }
    }

    /// Reads [`Thread::key`] back.
    pub fn from_key(key: &str) -> Option<Thread> {
        if let Some(f) = key.strip_prefix("conf:") {
            return Some(Thread::Conference(f.to_owned()));
        }
        if let Some(id) = key.strip_prefix("conv:") {
            return Some(Thread::Conversation(ConversationId(id.to_owned())));
        }
        Address::parse(key).ok().map(Thread::Person)
    }
}

/// Which part of the pane has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Writing.
    #[default]
    Composer,
    /// Reading.
    Transcript,
    /// The people of a meeting.
    Roster,
}

/// How the roster of a tab is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RosterView {
    /// The person under the cursor.
    pub cursor: Option<Address>,
    /// Marked people.
    pub marks: BTreeSet<Address>,
    /// What is searched; empty: everybody.
    pub query: Editor,
    /// The search line has the keys.
    pub typing: bool,
}

/// The Conversations pane.
#[derive(Clone, Debug, Default)]
pub struct Conversations {
    /// Tabs in order.
    pub tabs: Vec<Tab>,
    /// Position of the shown tab.
    pub at: usize,
    /// Which part has the keys.
    pub part: Part,
    /// The composer is in vi's normal mode (with `composer.keys = "vi"`).
    pub normal: bool,
    /// An accepted invitation whose tab is shown as soon as it opens.
    pub show_next: Option<ConversationId>,
    /// Who wanted to talk while nobody answered, oldest first.
    pub missed: Vec<Missed>,
    /// The link or number typed last, while nothing came of it.
    pub link: String,
    /// What is being written, by thread key, whether its tab is open or not.
    pub drafts: BTreeMap<String, String>,
    /// What became of own messages in conferences, oldest first.
    pub recipients: Vec<(MessageId, Vec<Recipient>)>,
}

/// Somebody wanted to talk and nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Missed {
    /// Who.
    pub from: Address,
    /// First words, raw; may be empty.
    pub toast: String,
    /// When.
    pub at: Time,
    /// The tab of this person was in sight since.
    pub seen: bool,
}

impl Conversations {
    /// The shown tab.
    pub fn current(&self) -> Option<&Tab> {
        self.tabs.get(self.at)
    }

    /// The shown tab.
    pub fn current_mut(&mut self) -> Option<&mut Tab> {
        self.tabs.get_mut(self.at)
    }

    /// The tab of a conversation.
    pub fn find(&self, id: &ConversationId) -> Option<usize> {
        self.tabs.iter().position(|t| t.conversation.id == *id || t.earlier.contains(id))
    }

    /// A name some roster gives for this address, raw.
    pub fn roster_name(&self, uri: &Address) -> Option<&str> {
        let mut all = self.tabs.iter().flat_map(|t| &t.conversation.participants);
        all.find(|p| p.uri == *uri && !p.display_name.is_empty()).map(|p| p.display_name.as_str())
    }
}

/// One tab.
#[derive(Clone, Debug)]
pub struct Tab {
    /// What the history belongs to.
    pub thread: Thread,
    /// The conversation as it stands; state Idle while none is open.
    pub conversation: Conversation,
    /// Transcript, oldest first.
    pub entries: Vec<Entry>,
    /// Still older messages are in the store.
    pub more_history: bool,
    /// They are being fetched.
    pub loading: bool,
    /// Messages not read yet.
    pub unread: usize,
    /// Unread ones that mention me.
    pub mentions: usize,
    /// The unread line stands before this entry.
    pub unread_from: Option<MessageId>,
    /// Position of the transcript.
    pub scroll: Scroll,
    /// Messages that arrived below the window ("↓ 3 new").
    pub new_below: usize,
    /// The message the transcript keys act on.
    pub cursor: Option<MessageId>,
    /// Marked messages.
    pub marks: BTreeSet<MessageId>,
    /// Search in this transcript.
    pub search: Option<Search>,
    /// How the roster is looked at.
    pub roster: RosterView,
    /// A recording that has begun.
    pub recording: Option<Recording>,
    /// What is being written.
    pub composer: Editor,
    /// Sent lines for recall, oldest first.
    pub sent: Vec<String>,
    /// Position in `sent` while recalling.
    pub recall: Option<usize>,
    /// Completion in progress.
    pub completion: Option<Completion>,
    /// Why the last slash command did not work; the text is still in the composer.
    pub composer_error: Option<String>,
    /// When our own typing was reported last; `None`: not typing.
    pub typing_sent: Option<Time>,
    /// When the draft changed first since it was kept last.
    pub draft_changed: Option<Time>,
    /// The endpoint knows this conversation.
    pub started: bool,
    /// Earlier conversations whose stragglers belong here.
    pub earlier: Vec<ConversationId>,
    /// We asked for the presence of the other person, who is no contact.
    pub watched: bool,
    /// The draft as the store has it.
    pub saved_draft: String,
    /// A found message to go to once its page is here.
    pub go_to: Option<Time>,
    /// The last read message's time.
    pub read_until: Option<Time>,
    /// The passcode this meeting was joined with last.
    pub passcode: Option<String>,
}

/// What was written in a meeting since it is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The file it goes into.
    pub path: String,
    /// All of it so far.
    pub entries: Vec<Entry>,
}

impl Tab {
    /// How many others are in the conversation; who waits in the lobby is not.
    pub fn inside(&self) -> usize {
        self.conversation.participants.iter().filter(|p| !p.in_lobby).count()
    }

    /// Writes something new at the end.
    pub fn push(&mut self, entry: Entry) {
        if let Some(r) = &mut self.recording {
            r.entries.push(entry.clone());
        }
        self.entries.push(entry);
    }
}

/// Position of a transcript. Rows are counted upwards: `up` rows lie between the bottom of the window and the last row
/// of `anchor`; negative values lie below it. `None` follows the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The entry the position is bound to.
    pub anchor: Option<MessageId>,
    /// Rows above the anchor's last row.
    pub up: i64,
}

/// One thing in a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A message; its text is raw.
    Message {
        /// The message.
        message: InstantMessage,
        /// It mentions me.
        mention: bool,
    },
    /// A file on its way, or one that was; its texts are raw.
    Transfer {
        /// Its name.
        id: MessageId,
        /// The file.
        transfer: Box<Transfer>,
    },
    /// Something that happened ("Carol Diaz joined"); may contain raw names.
    Notice {
        /// Its name.
        id: MessageId,
        /// When.
        at: Time,
        /// The words.
        text: String,
    },
}

impl Entry {
    /// Its name.
    pub fn id(&self) -> &MessageId {
        match self {
            Entry::Message { message, .. } => &message.id,
            Entry::Notice { id, .. } | Entry::Transfer { id, .. } => id,
        }
    }

    /// Its time.
    pub fn at(&self) -> Time {
        match self {
            Entry::Message { message, .. } => message.at,
            Entry::Notice { at, .. } => *at,
            Entry::Transfer { transfer, .. } => transfer.at,
        }
    }

    /// The message, if it is one.
    pub fn message(&self) -> Option<&InstantMessage> {
        match self {
            Entry::Message { message, .. } => Some(message),
            Entry::Notice { .. } | Entry::Transfer { .. } => None,
        }
    }

    /// The file, if it is one.
    pub fn transfer(&self) -> Option<&Transfer> {
        match self {
            Entry::Transfer { transfer, .. } => Some(transfer),
            _ => None,
        }
    }
}

/// Search in a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// What is searched; highlighted in the transcript.
    pub query: Editor,
    /// The search line has the keys.
    pub typing: bool,
}

/// Tab completion in progress; the next Tab takes the next candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Where the completed word starts, as octet offset.
    pub from: usize,
    /// Candidates, with what to show beside each.
    pub candidates: Vec<(String, String)>,
    /// Which is in the composer now.
    pub at: usize,
}
