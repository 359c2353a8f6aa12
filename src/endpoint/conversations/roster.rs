//! Who is in a conference, kept from its documents.

use crate::domain::Address;
use crate::domain::conversation::{Participant, Role};

/// What became of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// It is in.
    Merged,
    /// Known already.
    Stale,
    /// Something before it is missing.
    Gap,
    /// Not for us, or no document.
    Unreadable,
}

/// Where somebody is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the conference, or not in the roster yet.
    Inside,
    /// In the lobby.
    Lobby,
}

/// The roster.
#[derive(Debug, Default)]
pub(super) struct Roster {}

impl Roster {
    pub fn is_known(&self) -> bool {
        false
    }
    pub fn participants(&self, _me: &Address) -> Vec<Participant> {
        Vec::new()
    }
    pub fn is_locked(&self) -> bool {
        false
    }
    pub fn expect_anything(&mut self) {}
    pub fn apply(&mut self, _focus: &str, _body: &[u8]) -> Applied {
        Applied::Unreadable
    }
    pub fn role_of(&self, _who: &Address) -> Option<Role> {
        None
    }
    pub fn subject(&self) -> Option<&str> {
        None
    }
    pub fn place_of(&self, _who: &Address) -> Place {
        Place::Inside
    }
    pub fn chat_uri(&self) -> Option<&str> {
        None
    }
    pub fn names_mcus(&self) -> bool {
        false
    }
}
