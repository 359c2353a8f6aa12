//! The client's store: one database per data directory, account id in every row.
//!
//! [`Store`] is the synchronous door (first paint, command line, tests); [`Worker`] puts one behind a thread and a queue for
//! the screen. Writes are plain data ([`Write`]), so a batch of them is one transaction.

mod memory;
mod schema;
mod search;
mod sqlite;
#[cfg(test)]
mod tests;
mod worker;

pub use memory::Forgetful;
pub use sqlite::Sqlite;
pub use worker::{Worker, WorkerReply};

use super::Error;
use crate::domain::conference::Conference;
use crate::domain::contact::{Contact, Group};
use crate::domain::conversation::{ConversationId, Delivery, InstantMessage, MessageId};
use crate::domain::presence::Presence;
use crate::domain::{Address, Time};
use serde::{Deserialize, Serialize};

/// Which account a row belongs to: the address without scheme, `alice@contoso.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub String);

impl From<&Address> for AccountId {
    fn from(address: &Address) -> AccountId {
        AccountId(address.bare().to_owned())
    }
}

/// Whom a transcript is with: the other person's address, or the focus URI of a conference. History of one person stays
/// together under it, whatever conversation id each talk had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Peer(pub String);

impl From<&Address> for Peer {
    fn from(address: &Address) -> Peer {
        Peer(address.as_str().to_owned())
    }
}

/// A message as history keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Conversation it was said in.
    pub conversation: ConversationId,
    /// Transcript it belongs to.
    pub peer: Peer,
    /// The message.
    pub message: InstantMessage,
    /// Where paging goes on from; 0 when it was never stored.
    pub cursor: Cursor,
}

/// A place in a transcript: (server time in ms, row).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cursor(pub u64, pub i64);

/// A conversation tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedConversation {
    /// Its name.
    pub id: ConversationId,
    /// Transcript it shows.
    pub peer: Peer,
    /// Title; may be empty.
    pub subject: String,
    /// The others.
    pub participants: Vec<Address>,
    /// Focus URI, once it is a conference.
    pub focus: Option<String>,
    /// Shown as a tab.
    pub open: bool,
    /// Place among the tabs.
    pub position: u32,
    /// Last use.
    pub used: Time,
    /// The unread line stands below this message.
    pub last_read: Option<MessageId>,
}

/// A message that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// Its name (the same as in history).
    pub message: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// To whom.
    pub peer: Peer,
    /// Plain text.
    pub text: String,
    /// When it was written.
    pub at: Time,
    /// Whom alone it goes to; `None`: everybody there.
    pub alone: Option<Address>,
}

/// An open tab with what its first paint needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tab {
    /// The conversation.
    pub conversation: SavedConversation,
    /// The newest messages, oldest first.
    pub tail: Vec<Stored>,
}

/// Everything the first paint shows, before the network answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Groups as last known.
    pub groups: Vec<Group>,
    /// Contacts as last known.
    pub contacts: Vec<Contact>,
    /// Presence as last known (show it as stale).
    pub presence: Vec<(Address, Box<Presence>)>,
    /// Open tabs in order.
    pub tabs: Vec<Tab>,
    /// Unsent texts of composers.
    pub drafts: Vec<(ConversationId, String)>,
    /// Messages that wait, in the order they were written.
    pub outbox: Vec<QueuedMessage>,
    /// Own conferences as last known.
    pub meetings: Vec<Conference>,
    /// Settings such as `epid`.
    pub settings: Vec<(String, String)>,
}

/// One change. Repeating it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// A message is new or got further; body and time of a known one are kept.
    Message {
        /// Where.
        conversation: ConversationId,
        /// Transcript.
        peer: Peer,
        /// What.
        message: InstantMessage,
    },
    /// A message got further; unknown ones are ignored.
    Delivery {
        /// Which.
        message: MessageId,
        /// How far.
        state: Delivery,
    },
    /// A tab is new or changed.
    Conversation(SavedConversation),
    /// Forget a tab; its history stays.
    ForgetConversation(ConversationId),
    /// Delete a transcript for good.
    DeleteHistory {
        /// Which.
        peer: Peer,
    },
    /// Everything of one transcript belongs to another.
    MovePeer {
        /// The name it had.
        from: Peer,
        /// The name it has.
        to: Peer,
    },
    /// The composer's text; empty forgets it.
    Draft {
        /// Where.
        conversation: ConversationId,
        /// Text.
        text: String,
    },
    /// A message waits to be sent.
    Enqueue(QueuedMessage),
    /// It waits no longer.
    Dequeue(MessageId),
    /// The whole list replaces what was known; presence of people who left it is forgotten.
    ContactList {
        /// Groups.
        groups: Vec<Group>,
        /// Contacts.
        contacts: Vec<Contact>,
    },
    /// A contact is new or changed.
    Contact(Contact),
    /// A contact is gone.
    RemoveContact(Address),
    /// Somebody's presence.
    Presence {
        /// Who.
        uri: Address,
        /// What.
        presence: Box<Presence>,
    },
    /// All own conferences replace what was known.
    Meetings(Vec<Conference>),
    /// A setting; `None` forgets it.
    Setting {
        /// Name.
        name: String,
        /// Value.
        value: Option<String>,
    },
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// Messages before a place (`None`: the newest), oldest first.
    Page {
        /// Transcript.
        peer: Peer,
        /// Place of the oldest message already known.
        before: Option<Cursor>,
        /// How many at most.
        limit: usize,
    },
    /// Messages that contain all words (beginnings of words count), newest first.
    Search {
        /// Words, as a person types them.
        text: String,
        /// Only in this transcript.
        peer: Option<Peer>,
        /// How many at most.
        limit: usize,
    },
    /// Transcripts, the last used first.
    Transcripts {
        /// How many at most.
        limit: usize,
    },
    /// Answered when everything before it is saved.
    Sync,
}

/// What a question brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// For [`Query::Page`]; fewer than asked for means the beginning is reached.
    Page(Vec<Stored>),
    /// For [`Query::Search`].
    Found(Vec<Stored>),
    /// For [`Query::Transcripts`]: whom with, time of the newest message, how many messages.
    Transcripts(Vec<(Peer, Time, u64)>),
    /// For [`Query::Sync`].
    Synced,
}

/// A place to keep things, synchronous.
pub trait Store: Send {
    /// What the first paint needs, with the newest `tail` messages of each open tab.
    fn snapshot(&mut self, account: &AccountId, tail: usize) -> Result<Snapshot, Error>;
    /// Applies all writes or none.
    fn write(&mut self, writes: &[(AccountId, Write)]) -> Result<(), Error>;
    /// Answers.
    fn query(&mut self, account: &AccountId, query: &Query) -> Result<Answer, Error>;
}
