//! Conversations, messages and participants (`domain.md` 2.3, 2.4, 3.2, 7.1).

use super::conference::{AccessLevel, AutomaticLeaders};
use super::{Address, Time};
use serde::{Deserialize, Serialize};

/// A conversation's name: the value of `Ms-Conversation-ID`, the same on every dialog of one conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConversationId(pub String);

/// A message's name, chosen by whoever first holds it; unique in one account's store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(pub String);

/// States of `domain.md` 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversationState {
    /// Nothing established yet, or everything ended.
    Idle,
    /// Somebody invites us.
    Incoming,
    /// The first call is being established.
    Establishing,
    /// Two-party, established.
    Established,
    /// Joining a conference.
    Conferencing,
    /// Waiting for admission.
    InLobby,
    /// In the conference.
    Conferenced,
    /// Ending.
    Terminating,
    /// Ended.
    Terminated,
}

/// How much a conversation matters to the one who began it (`domain.md` 2.3; the SIP `Priority` header).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// Life or property is in danger.
    Emergency,
    /// Soon.
    Urgent,
    /// As usual.
    #[default]
    Normal,
    /// When there is time.
    NonUrgent,
}

impl Priority {
    /// All, the most pressing first.
    pub const ALL: [Priority; 4] = [Priority::Emergency, Priority::Urgent, Priority::Normal, Priority::NonUrgent];

    /// The value of the `Priority` header, which is the word on the screen, too.
    pub fn text(self) -> &'static str {
        match self {
            Priority::Emergency => "emergency",
            Priority::Urgent => "urgent",
            Priority::Normal => "normal",
            Priority::NonUrgent => "non-urgent",
        }
    }

    /// Reads a header value or a typed word; `None` for any other.
    pub fn parse(text: &str) -> Option<Priority> {
        let low = text.trim().to_ascii_lowercase();
        Priority::ALL.into_iter().find(|p| p.text() == low).or(match low.as_str() {
            "high" | "important" => Some(Priority::Urgent),
            "low" | "nonurgent" => Some(Priority::NonUrgent),
            _ => None,
        })
    }
}

/// States of a context channel (`domain.md` 3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContextState {
    /// None yet.
    Idle,
    /// The other side was asked.
    Establishing,
    /// Data can be sent.
    Established,
    /// The way is broken and being repaired.
    Recovering,
    /// Ending.
    Terminating,
    /// Ended.
    Terminated,
}

/// A data pipe attached to a conversation (`domain.md` 3.8): what an application says beside the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextChannel {
    /// Where it stands.
    pub state: ContextState,
    /// The application it belongs to; at most 50 characters, raw.
    pub application: String,
    /// One line for a person; at most 80 characters, raw, may be empty.
    pub toast: String,
    /// The last data of the other side, raw; empty before any came.
    pub data: String,
}

/// What became of one message at one recipient of a conference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Who.
    pub uri: Address,
    /// Why they do not have it; `None`: they do.
    pub failure: Option<String>,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextFormat {
    /// `text/plain`
    Plain,
    /// `text/html`
    Html,
    /// `text/rtf`
    Rtf,
}

/// One instant message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstantMessage {
    /// Its name.
    pub id: MessageId,
    /// Who wrote it.
    pub author: Address,
    /// When it was written or arrived.
    pub at: Time,
    /// The text as it came; show it only through the `text` room.
    pub body: String,
    /// What `body` is.
    pub format: TextFormat,
    /// Where it stands.
    pub state: Delivery,
    /// Whom alone it went to; `None`: everybody in the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Address>,
}

/// How far a message got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// Written, waiting for the link or the other side's acceptance.
    Queued,
    /// Given to the server.
    Sent,
    /// The other side (two-party) or everybody (conference) has it.
    Delivered,
    /// It did not arrive; the sentence says why.
    Failed(String),
    /// It came from somebody else.
    Received,
}

/// How the reasons of failures end of which nobody knows whether they are any: sending again could double the message.
const UNCERTAIN: [&str; 2] = ["it may or may not have arrived", "it is unknown whether it arrived"];

impl Delivery {
    /// It failed, and yet the other side may have it.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Delivery::Failed(why) if UNCERTAIN.iter().any(|u| why.ends_with(u)))
    }
}

/// Role in a conference (`domain.md` 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Leader (presenter).
    Leader,
    /// Attendee.
    Attendee,
}

/// One person in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub uri: Address,
    /// Name as the roster says it; may be empty.
    pub display_name: String,
    /// Conference role.
    pub role: Role,
    /// Connected to the IM MCU (or to the two-party IM call).
    pub has_messages: bool,
    /// Waiting in the lobby.
    pub in_lobby: bool,
    /// Typing now.
    pub typing: bool,
    /// May not write or speak until unmuted.
    pub muted: bool,
    /// Records the conference, and says so.
    pub recording: bool,
}

impl Participant {
    /// Somebody of whom nothing but the address is known.
    pub fn new(uri: Address) -> Participant {
        Participant {
            uri,
            display_name: String::new(),
            role: Role::Attendee,
            has_messages: false,
            in_lobby: false,
            typing: false,
            muted: false,
            recording: false,
        }
    }
}

/// What is true of a whole running conference, as far as its focus tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingState {
    /// Who gets in directly.
    pub access: Option<AccessLevel>,
    /// Phone callers skip the lobby.
    pub lobby_bypass: bool,
    /// Who becomes leader on entry.
    pub automatic_leaders: Option<AutomaticLeaders>,
    /// Comings and goings are announced.
    pub announcements: bool,
    /// Newcomers are muted, and all but leaders were.
    pub mute_all: bool,
    /// Attendees may unmute themselves although all are muted.
    pub self_unmute: bool,
    /// I am muted.
    pub muted: bool,
    /// I record, and the others are told.
    pub recording: bool,
    /// The last colleague has left: the conference ends then.
    pub ends_at: Option<Time>,
    /// The way to the focus is lost and being repaired.
    pub reconnecting: bool,
    /// Who scheduled it.
    pub organizer: Option<Address>,
    /// Link for people; may be empty.
    pub join_url: String,
    /// People asked to come who have not.
    pub invited: Vec<Invitee>,
    /// One may write to one person of it alone.
    #[serde(default)]
    pub private_messages: bool,
}

/// What a leader changes while a conference runs; `None` stays. It is forgotten when the last one has left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingChange {
    /// Who gets in directly.
    pub access: Option<AccessLevel>,
    /// Phone callers skip the lobby.
    pub lobby_bypass: Option<bool>,
    /// Who becomes leader on entry.
    pub automatic_leaders: Option<AutomaticLeaders>,
    /// Announce comings and goings.
    pub announcements: Option<bool>,
    /// Mute everybody else and newcomers, or end that.
    pub mute_all: Option<bool>,
    /// Let attendees unmute themselves while all are muted.
    pub self_unmute: Option<bool>,
    /// Tell everybody that I record, or no longer; attendees may, too.
    pub recording: Option<bool>,
}

/// Somebody who was asked into a running conference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitee {
    /// Who.
    pub uri: Address,
    /// How far the invitation got.
    pub state: InvitationState,
    /// Why it stands so, when there is a reason to say.
    pub reason: String,
}

/// States of `domain.md` 3.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvitationState {
    /// Not sent yet.
    Idle,
    /// On its way, or ringing.
    Delivering,
    /// We are the invited side, and have not answered.
    Incoming,
    /// Answered, failed or withdrawn; being cleaned up.
    Terminating,
    /// Over.
    Terminated,
}

/// A conversation as it stands; sent whole with every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its name.
    pub id: ConversationId,
    /// State machine of `domain.md` 3.2.
    pub state: ConversationState,
    /// Title; may be empty.
    pub subject: String,
    /// How much it matters.
    pub priority: Priority,
    /// The others: one in two-party, all visible ones in a conference (without ourselves).
    pub participants: Vec<Participant>,
    /// Set once it is a conference: the focus URI.
    pub focus: Option<String>,
    /// Own role in the conference.
    pub my_role: Option<Role>,
    /// The conference is locked.
    pub locked: bool,
    /// What else is true of the conference.
    #[serde(default)]
    pub meeting: Box<MeetingState>,
    /// For [`ConversationState::Incoming`]: who invites and the toast text, and until when we may answer.
    pub invitation: Option<Invitation>,
    /// Why it ended, in words, when it did not end by our own wish.
    pub end_reason: Option<String>,
    /// The way to the other side is broken and being repaired (`domain.md` 7.4); what is written waits.
    pub recovering: bool,
    /// The conversation whose call could not move into a conference and goes on here, and why (`domain.md` 7.3 rule 4).
    pub derived_from: Option<(ConversationId, String)>,
    /// Its context channel, once there is one.
    pub context: Option<ContextChannel>,
}

/// An invitation that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Who invites.
    pub from: Address,
    /// First words; may be empty.
    pub toast: String,
    /// When it is accepted by itself (`domain.md` 7.1: 10 s, 8.4: 15 s); `None`: it waits until it times out.
    pub auto_accept: Option<Time>,
    /// An invitation into a conference.
    pub conference: bool,
    /// How much it matters to the one who invites.
    pub priority: Priority,
}
