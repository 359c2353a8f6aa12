//! What should happen outside: plain data, done by the runtime.

use super::password::Typed;
use super::state::{AccountId, Missed};
use crate::domain::conference::{Conference, Letter};
use crate::domain::contact::{Contact, Group};
use crate::domain::conversation::{Delivery, InstantMessage, MessageId};
use crate::domain::{Address, Time};
use crate::endpoint::{Operation, OperationId};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask an account's endpoint; [`crate::endpoint::Event::Completed`] answers with the same id.
    Endpoint {
        /// Whose endpoint.
        account: AccountId,
        /// Name of the request.
        id: OperationId,
        /// The request.
        operation: Operation,
    },
    /// Ask the store; some requests are answered with [`super::event::StoreReply`].
    Store(AccountId, StoreRequest),
    /// Put text on the terminal's clipboard (OSC 52).
    Copy(String),
    /// Open a link with the configured opener. Only http, https, mailto, sip, tel links get here.
    OpenUrl(String),
    /// Notify outside the screen (OSC 9 / 777); texts are raw.
    Notify {
        /// Who or what.
        title: String,
        /// Words.
        body: String,
    },
    /// Ring the bell.
    Bell,
    /// Write a file; answered with [`super::Event::FileWritten`].
    WriteFile {
        /// Where, relative to the working directory.
        path: String,
        /// What.
        contents: String,
    },
    /// Look whether the configured calendar has changed; if so, answered with [`super::Event::Calendar`].
    LookAtCalendar,
    /// Read a file; answered with [`super::Event::FileRead`].
    ReadFile {
        /// Where, relative to the working directory.
        path: String,
    },
    /// List the files whose paths begin so; answered with [`super::Event::Files`].
    ListFiles {
        /// What is written of the path.
        begin: String,
    },
    /// Hand the text to `$EDITOR`; answered with [`super::Event::Edited`].
    EditExternally(String),
    /// Begin anew with this password.
    SignInWith(Typed),
    /// Stop the process until the shell continues it.
    Suspend,
    /// Clear the terminal and draw all again.
    Redraw,
    /// Leave the program.
    Quit,
}

/// What the store is asked for, in our own words. `thread` is [`super::state::Thread::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreRequest {
    /// Keep a message (queued ones are the outbox). Idempotent by message id.
    SaveMessage {
        /// Thread key.
        thread: String,
        /// The message.
        message: InstantMessage,
    },
    /// A message got further.
    SetDelivery {
        /// Which.
        message: MessageId,
        /// How far.
        state: Delivery,
    },
    /// Older messages of a thread; answered with [`super::event::StoreReply::History`], oldest first.
    LoadHistory {
        /// Thread key.
        thread: String,
        /// Only messages before this moment; `None`: the newest.
        before: Option<Time>,
        /// At most so many.
        limit: usize,
    },
    /// Search all messages of the account; answered with [`super::event::StoreReply::Found`].
    Search {
        /// Words.
        query: String,
        /// At most so many.
        limit: usize,
    },
    /// Keep what is being written; an empty text forgets it.
    SaveDraft {
        /// Thread key.
        thread: String,
        /// The text.
        text: String,
    },
    /// Keep which tabs are open, in order, and their read position.
    SaveTabs(Vec<SavedTab>),
    /// Keep which tab is shown.
    SaveShown(String),
    /// Keep the list of missed conversations.
    SaveMissed(Vec<Missed>),
    /// A conversation got its lasting name: everything kept under the first key belongs to the second.
    MoveThread {
        /// The name it had.
        from: String,
        /// The name it has.
        to: String,
    },
    /// Keep the contact list for the next first paint.
    SaveContacts {
        /// Groups.
        groups: Vec<Group>,
        /// Contacts.
        contacts: Vec<Contact>,
    },
    /// Keep one contact that is new or changed.
    SaveContact(Contact),
    /// Forget one contact.
    RemoveContact(Address),
    /// Delete everything that was written in a thread, for good.
    DeleteHistory {
        /// Thread key.
        thread: String,
    },
    /// Keep one person's name and last presence for the next first paint.
    SavePresence {
        /// Who.
        uri: Address,
        /// What.
        presence: Box<crate::domain::presence::Presence>,
    },
    /// Keep the agenda for the next first paint: own meetings, and those of others that were kept.
    SaveMeetings {
        /// Own ones.
        own: Vec<Conference>,
        /// Those of others.
        kept: Vec<Conference>,
    },
    /// Keep what is still to be said of meetings.
    SaveLetters(Vec<Letter>),
    /// Keep for whom somebody waits.
    SaveAlerts(Vec<super::alerts::Alert>),
    /// Write a thread's history to a file; answered with [`super::Event::FileWritten`].
    Export {
        /// Thread key.
        thread: String,
        /// Where.
        path: String,
    },
}

/// An open tab as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SavedTab {
    /// Thread key.
    pub thread: String,
    /// Title.
    pub subject: String,
    /// The last message that was read.
    pub read_until: Option<Time>,
}
