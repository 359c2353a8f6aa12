//! What an endpoint says.

use super::OperationId;
use crate::domain::conference::{Capabilities, Conference, Letter, News};
use crate::domain::contact::{Contact, ContactError, Group, GroupId};
use crate::domain::conversation::{Conversation, ConversationId, Delivery, InstantMessage, MessageId, Recipient};
use crate::domain::file::Transfer;
use crate::domain::presence::{Presence, SelfPresence};
use crate::domain::privacy::{Mode, Preference};
use crate::domain::watching::{Standing, ViewId};
use crate::domain::{Address, Time};
use serde::{Deserialize, Serialize};

/// States of `domain.md` 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointState {
    /// Not signed in.
    Idle,
    /// Signing in.
    Establishing,
    /// Signed in.
    Established,
    /// The registration was lost; trying again.
    Reestablishing,
    /// Finishing conversations (application endpoints).
    Draining,
    /// Signing out.
    Terminating,
    /// Over.
    Terminated,
}

/// Why the state is what it is (`domain.md` 2.1, `last_reason`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// By own wish.
    None,
    /// The account was disabled or removed.
    OwnerDisabledOrRemoved,
    /// Re-registration failed.
    RegistrationRefreshFailed,
    /// Re-registration succeeded.
    RegistrationRefreshSucceeded,
    /// More than 8 endpoints.
    TooManyActiveEndpoints,
    /// Something else: why, and what to do.
    Failed(Error),
}

/// The kinds of `domain.md` 4.6 in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum ErrorKind {
    InvalidArgument,
    InvalidOperation,
    Retryable,
    AuthenticationFailed,
    RegisterFailed,
    ConnectionFailed,
    TlsFailed,
    FailureResponse,
    Timeout,
    OperationFailed,
    NotFound,
    ConferenceFailed,
    PublishSubscribeFailed,
    Contact,
    Parsing,
}

/// A failure: one sentence for a person, and the details for the one who wants them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    /// Kind.
    pub kind: ErrorKind,
    /// What failed, why, what to do.
    pub text: String,
    /// SIP status, if a response said it.
    pub status: Option<u16>,
    /// `ms-diagnostics` or other detail.
    pub detail: Option<String>,
}

impl Error {
    /// An error without wire details.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Error {
        Error { kind, text: text.into(), status: None, detail: None }
    }

    /// There is no registration just now.
    pub fn offline() -> Error {
        Error::new(ErrorKind::Retryable, "You are not connected to the server just now; try again when you are signed in.")
    }

    /// The registration went before the answer came.
    pub fn link_lost() -> Error {
        Error::new(ErrorKind::Retryable, "the connection was lost; try again when you are signed in")
    }

    /// A queue of ours is full.
    pub fn crowded() -> Error {
        Error::new(ErrorKind::Retryable, "Too many changes are waiting; try again in a moment.")
    }
}

impl From<ContactError> for Error {
    fn from(e: ContactError) -> Error {
        Error::new(ErrorKind::Contact, e.to_string())
    }
}

/// One row of a directory search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// Address.
    pub uri: Address,
    /// Name.
    pub display_name: String,
    /// Title; may be empty.
    pub title: String,
    /// E-mail; may be empty.
    pub email: String,
    /// Office; may be empty.
    pub office: String,
    /// Phone; may be empty.
    pub phone: String,
    /// Company; may be empty.
    pub company: String,
    /// City, state and country, as far as known.
    pub place: String,
    /// It is a distribution group.
    pub group: bool,
}

impl DirectoryEntry {
    /// An entry with nothing but an address and a name.
    pub fn new(uri: Address, display_name: impl Into<String>) -> DirectoryEntry {
        DirectoryEntry {
            uri,
            display_name: display_name.into(),
            title: String::new(),
            email: String::new(),
            office: String::new(),
            phone: String::new(),
            company: String::new(),
            place: String::new(),
            group: false,
        }
    }
}

/// What an operation brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The new group.
    Group(GroupId),
    /// Directory rows, or the members of a distribution group.
    Found(Vec<DirectoryEntry>),
    /// Conference capabilities.
    Capabilities(Capabilities),
    /// A conference.
    Conference(Box<Conference>),
    /// Own conferences.
    Conferences(Vec<Conference>),
    /// What was found of those asked for; people nobody knows are missing.
    Presence(Vec<(Address, Presence)>),
    /// Own presence as it would be.
    Preview(Box<SelfPresence>),
}

/// What a server may be unable to do. [`Event::Missing`] says why, so that the screen can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Feature {
    /// Keeping the contact list.
    ServerList,
    /// Taking the own presence.
    OwnPresence,
    /// Searching for people.
    Directory,
    /// Mailing lists as groups.
    DistributionGroups,
    /// Levels of privacy for single people.
    Levels,
    /// Showing something to people who have no level: they wait until they are answered.
    DefaultAccess,
    /// Telling who watches.
    Watchers,
    /// Privacy mode, own containers and the levels of whole networks.
    Containers,
    /// People who act for the owner.
    Delegates,
    /// Phone numbers of the own card.
    Phones,
    /// Own categories, free-busy time and working hours.
    Categories,
    /// Meetings that the server keeps.
    Meetings,
    /// Saying who gets into a meeting, who leads it, and what they must know.
    MeetingRules,
    /// Making conversations of more than two.
    GroupChats,
    /// Running a conference: lobby, lock, roles, muting.
    MeetingControls,
    /// Other people's presence as one subscription.
    PresenceLists,
    /// Sending files.
    Files,
    /// A subject and a priority of a conversation.
    Subjects,
    /// Applications beside a conversation.
    Contexts,
}

/// One thing that happened. Repeating the same state emits nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The endpoint's state.
    State {
        /// New state.
        state: EndpointState,
        /// Why.
        reason: Reason,
        /// When the next try is made, while Reestablishing or waiting for the link.
        retry_at: Option<Time>,
    },
    /// Signed in as this: GRUU and own instance.
    SignedIn {
        /// Own GRUU.
        gruu: String,
        /// `Server` header.
        server: String,
    },
    /// The full contact list replaces what was known.
    ContactList {
        /// Groups.
        groups: Vec<Group>,
        /// Contacts.
        contacts: Vec<Contact>,
    },
    /// A contact is new or changed.
    ContactChanged(Contact),
    /// A contact is gone.
    ContactRemoved(Address),
    /// A group is new or changed.
    GroupChanged(Group),
    /// A group is gone.
    GroupRemoved(GroupId),
    /// Somebody's presence, whole.
    Presence {
        /// Who.
        uri: Address,
        /// What.
        presence: Box<Presence>,
    },
    /// How somebody's presence comes to us now.
    Watching {
        /// Who.
        uri: Address,
        /// How.
        standing: Standing,
    },
    /// Somebody's presence cannot be had in the way a view wants it: they have left the view.
    TargetLeft {
        /// Which view.
        view: ViewId,
        /// Who.
        uri: Address,
        /// One sentence.
        reason: String,
    },
    /// Own presence as the server keeps it, whole.
    SelfPresence(Box<SelfPresence>),
    /// Privacy mode: the wish, the administrator's setting (`None`: none), and what is so.
    Privacy {
        /// What the user chose.
        preference: Preference,
        /// What the administrator says.
        administrator: Option<bool>,
        /// What is so.
        mode: Mode,
    },
    /// A conversation is new or changed, whole.
    Conversation(Box<Conversation>),
    /// A file is offered, or got further; whole.
    Transfer(Box<Transfer>),
    /// Somebody wrote (or another of our own devices did).
    Message {
        /// Where.
        conversation: ConversationId,
        /// What.
        message: InstantMessage,
    },
    /// One of our messages got further.
    MessageState {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
        /// How far.
        state: Delivery,
    },
    /// The server has all of one of our messages and keeps it until its reader is there; it is told as Delivered then, if this
    /// endpoint still runs.
    Kept {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
    },
    /// Which participants of a conference have one of our messages, and which have not.
    Recipients {
        /// Where.
        conversation: ConversationId,
        /// Which message.
        message: MessageId,
        /// Everybody it was meant for.
        recipients: Vec<Recipient>,
    },
    /// A conversation was missed: nobody answered here or elsewhere.
    Missed {
        /// From whom.
        from: Address,
        /// First words.
        toast: String,
    },
    /// A meeting that people keep among themselves is new, changed, answered or called off.
    Meeting {
        /// The meeting, whole.
        meeting: Box<Conference>,
        /// What is new.
        news: News,
    },
    /// Words about meetings that have not reached their receivers, all of them: they are to be kept, and handed back at the
    /// next start ([`crate::endpoint::config::KnownMeetings`]).
    Letters(Vec<Letter>),
    /// The server cannot do something (`why` in a sentence), or can after all (`None`). What was never told missing is there.
    Missing {
        /// What.
        what: Feature,
        /// Why, and what to do about it.
        why: Option<String>,
    },
    /// Something a person should read that belongs to no operation.
    Notice(String),
    /// An operation ended.
    Completed {
        /// Which.
        id: OperationId,
        /// How.
        result: Result<Outcome, Error>,
    },
}
