//! Bodies of conferences (`lync-conversations.md` 2.2, 3, 4, 5).

use crate::domain::conference::{ConferenceId, ConferenceSettings};
use crate::domain::conversation::Role;
use crate::domain::{Address, Rng};
use crate::endpoint::{Error, ErrorKind, JoinTarget};
use crate::lync::identity;

/// Content type of C3P.
pub(in super::super) const CCCP: &str = "application/cccp+xml";
/// Content type of conference state.
pub(in super::super) const CONFERENCE_INFO: &str = "application/conference-info+xml";
/// Content type of an invitation into a conference.
pub(in super::super) const CONFERENCE_INVITE: &str = "application/ms-conf-invite+xml";

pub(in super::super) use identity::same_uri;

/// An invitation into a conference.
pub(in super::super) struct ConferenceOffer {
    /// The focus.
    pub focus: String,
    /// Title.
    pub subject: String,
    /// Messages are offered.
    pub messages: bool,
    /// Audio is offered.
    pub audio: bool,
}

/// A command to the focus.
pub(in super::super) enum Order<'a> {
    /// Lock or unlock.
    Lock(bool),
    /// Throw out.
    Eject(&'a Address),
    /// Promote or demote.
    Role(&'a Address, Role),
    /// Let in or deny.
    Admit(&'a Address, bool),
    /// End for everyone.
    End,
}

/// A C3P response.
pub(in super::super) struct Answer {
    /// Of which request.
    pub request_id: u32,
    /// More will come.
    pub is_pending: bool,
    /// Granted role, in the answer to addUser.
    pub role: Option<Role>,
    failure: Option<String>,
}

impl Answer {
    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<Error> {
        let reason = self.failure.as_ref()?;
        let mut error = Error::new(ErrorKind::ConferenceFailed, refusal_text(reason));
        error.detail = Some(reason.chars().take(100).collect());
        Some(error)
    }
}

/// What the factory made of our wish.
pub(in super::super) enum Scheduled {
    /// The conference stands: its focus.
    Focus(String),
    /// The id is in use.
    IdTaken,
    /// It cannot be.
    Failed(Error),
}

/// Reads an invitation.
pub(in super::super) fn conference_offer(_body: &[u8]) -> Option<ConferenceOffer> {
    None
}
/// Writes an invitation.
pub(in super::super) fn conference_invitation(_focus: &str, _subject: &str) -> String {
    String::new()
}
/// A GUID in braces.
pub(in super::super) fn guid(_rng: &mut Rng) -> String {
    String::new()
}
/// addUser.
pub(in super::super) fn add_user(_focus: &str, _me: &Address, _guid: &str, _name: &str, _id: u32) -> Vec<u8> {
    Vec::new()
}
/// addConference.
pub(in super::super) fn add_conference(_f: &str, _me: &Address, _id: u32, _c: &ConferenceId, _s: &ConferenceSettings) -> Vec<u8> {
    Vec::new()
}
/// A command.
pub(in super::super) fn order(_focus: &str, _me: &Address, _id: u32, _order: &Order<'_>) -> Vec<u8> {
    Vec::new()
}
/// Reads a response.
pub(in super::super) fn response(_body: &[u8]) -> Option<Answer> {
    None
}
/// Reads the factory's answer.
pub(in super::super) fn scheduled(_body: &[u8]) -> Scheduled {
    Scheduled::IdTaken
}
/// The focus somebody wants to join.
pub(in super::super) fn focus_of(_t: &JoinTarget, _me: &Address) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidArgument, "this is no meeting link"))
}
fn refusal_text(_r: &str) -> String {
    String::new()
}
