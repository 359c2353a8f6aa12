//! What happens to the application: keys, the endpoint's words, answers of the store.

use super::effect::SavedTab;
use super::state::{AccountId, Missed, WireRecord};
use crate::domain::calendar::Appointment;
use crate::domain::conference::Conference;
use crate::domain::contact::{Contact, Group};
use crate::domain::conversation::InstantMessage;
use crate::domain::presence::Presence;
use crate::domain::{Address, Time};
use std::fmt;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted (bracketed paste).
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The mouse did something.
    Mouse(Mouse),
    /// The terminal window got (`true`) or lost the focus.
    Focus(bool),
    /// Time passed: sent when [`super::State::next_deadline`] is reached.
    Tick,
    /// An endpoint said something.
    Endpoint {
        /// Whose endpoint.
        account: AccountId,
        /// What.
        event: crate::endpoint::Event,
    },
    /// The link got this round-trip time, in milliseconds.
    RoundTrip(u32),
    /// A SIP message went over the wire.
    Wire(WireRecord),
    /// The store answers.
    Store(StoreReply),
    /// A file was written, or why not.
    FileWritten {
        /// Which.
        path: String,
        /// The reason it was not.
        error: Option<String>,
    },
    /// The calendar was read: the days around now, or why not.
    Calendar(Result<Vec<Appointment>, String>),
    /// A file was read, or why not.
    FileRead {
        /// Which.
        path: String,
        /// What is in it, or the reason.
        contents: Result<String, String>,
    },
    /// The files whose paths begin so: names in their folder, folders with a slash at the end.
    Files {
        /// What was written of the path.
        begin: String,
        /// In order.
        names: Vec<String>,
    },
    /// The text comes back from `$EDITOR`; `None`: the editor failed.
    Edited(Option<String>),
    /// The process was asked to end (SIGTERM, SIGHUP).
    Terminate,
    /// The process continues after a suspend.
    Resumed,
}

/// An answer of the store.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreReply {
    /// What was known when the program ended last; comes first, before the network.
    Snapshot(Box<Snapshot>),
    /// Messages of a thread, oldest first.
    History {
        /// Thread key.
        thread: String,
        /// The page.
        messages: Vec<InstantMessage>,
        /// Whether still older ones exist.
        more: bool,
    },
    /// Search results, newest first, each with its thread key.
    Found {
        /// What was searched.
        query: String,
        /// Results.
        messages: Vec<(String, InstantMessage)>,
    },
    /// A page of history could not be read.
    NoHistory {
        /// Thread key.
        thread: String,
        /// One sentence.
        reason: String,
    },
    /// The store failed; one sentence.
    Failed(String),
}

/// Everything needed for the first paint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Groups.
    pub groups: Vec<Group>,
    /// Contacts.
    pub contacts: Vec<Contact>,
    /// Last known presence; shown greyed.
    pub presence: Vec<(Address, Box<Presence>)>,
    /// Open tabs, in order.
    pub tabs: Vec<SavedTab>,
    /// Thread key of the tab shown last.
    pub shown: Option<String>,
    /// Missed conversations, oldest first.
    pub missed: Vec<Missed>,
    /// Newest messages of the open tabs, oldest first, by thread key.
    pub messages: Vec<(String, Vec<InstantMessage>)>,
    /// Drafts by thread key.
    pub drafts: Vec<(String, String)>,
    /// Messages that were never given to the server, by thread key.
    pub outbox: Vec<(String, InstantMessage)>,
    /// Own meetings as last known.
    pub meetings: Vec<Conference>,
    /// Meetings of others that were kept.
    pub kept_meetings: Vec<Conference>,
    /// For whom somebody waits.
    pub alerts: Vec<super::alerts::Alert>,
}

/// A key with its modifiers; independent of the terminal library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// With Control.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift (only for keys that are no characters).
    pub shift: bool,
}

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum KeyCode {
    /// A character as typed (upper case when shifted).
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    /// F1 to F12
    F(u8),
}

impl Key {
    /// A key without modifiers.
    pub fn plain(code: KeyCode) -> Key {
        Key { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    pub fn char(c: char) -> Key {
        Key::plain(KeyCode::Char(c))
    }
}

impl fmt::Display for Key {
    /// As shown to people and written in the keymap: `Ctrl-K`, `Alt-Enter`, `j`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, word) in [(self.ctrl, "Ctrl-"), (self.alt, "Alt-"), (self.shift, "Shift-")] {
            if on {
                f.write_str(word)?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.ctrl => write!(f, "{}", c.to_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// The mouse, already translated by the screen into what lies under it.
#[derive(Clone, Debug, PartialEq)]
pub enum Mouse {
    /// Click on something the screen named as a target.
    Click(Target),
    /// Wheel over a pane: lines down (negative: up).
    Wheel(super::state::Pane, i32),
}

/// What a click can hit; the screen returns a map of areas to these.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A pane as a whole: gets the focus.
    Pane(super::state::Pane),
    /// A row of the People list.
    Person(super::state::RowId),
    /// A tab, by position.
    Tab(usize),
    /// A message of the transcript.
    Message(crate::domain::conversation::MessageId),
    /// The composer.
    Composer,
    /// A meeting.
    Meeting(crate::domain::conference::ConferenceId, Option<Time>),
    /// A field of the open form, by position.
    Field(usize),
    /// A row of the topmost overlay, by position.
    OverlayRow(usize),
    /// A wire record, by number.
    Wire(u64),
    /// A command by name (hint line, card buttons).
    Command(String),
}
