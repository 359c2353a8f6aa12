//! Contacts and groups (`domain.md` 2.7 and 6).

use super::Address;
use serde::{Deserialize, Serialize};

/// A group's number, given by the server; 1 is the default group `~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u32);

/// The default group, shown as "Other Contacts" (`domain.md` 6, rule 12).
pub const DEFAULT_GROUP: GroupId = GroupId(1);

/// The reserved name of the default group.
pub const DEFAULT_GROUP_NAME: &str = "~";

/// A named collection of contacts; membership lives in the contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Number from the server.
    pub id: GroupId,
    /// Name as stored; `~` for the default group.
    pub name: String,
    /// Free data of other clients, kept unchanged (`externalURI`).
    pub external_uri: String,
}

/// A person or service on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Identity.
    pub uri: Address,
    /// Alias given by the owner; empty means the contact card's name.
    pub name: String,
    /// Groups it is in; empty means the default group.
    pub groups: Vec<GroupId>,
    /// Whether presence is wanted.
    pub subscribed: bool,
    /// Data of other clients, kept unchanged.
    pub external_uri: String,
    /// XML of other clients (at most 1024 octets), kept unchanged.
    pub extension: Option<String>,
}

impl Contact {
    /// A contact with nothing but an address.
    pub fn new(uri: Address) -> Contact {
        Contact { uri, name: String::new(), groups: Vec::new(), subscribed: true, external_uri: String::new(), extension: None }
    }
}

/// Why a change of the list is refused (`domain.md` 6, error kinds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ContactError {
    /// The address is already on the list.
    #[error("this person is already on the list")]
    DuplicateContact,
    /// A group of that name exists.
    #[error("a group of this name exists already")]
    DuplicateGroup,
    /// No such contact.
    #[error("this person is not on the list")]
    ContactNotFound,
    /// No such group.
    #[error("this group does not exist any more")]
    GroupNotFound,
    /// Over the contact limit.
    #[error("the list is full")]
    TooManyContacts,
    /// Over the group limit.
    #[error("there are too many groups")]
    TooManyGroups,
    /// The list changed meanwhile.
    #[error("the list was changed elsewhere meanwhile; try again")]
    StaleDelta,
    /// The default group cannot be renamed or deleted.
    #[error("this group cannot be changed")]
    NotAllowedForGroup,
    /// One cannot be one's own contact.
    #[error("this is your own address")]
    OwnAddress,
    /// The contact list is not here yet.
    #[error("the contact list has not arrived yet")]
    NotSubscribed,
    /// A name that is empty or too long (1 to 256 octets).
    #[error("the name must have 1 to 256 characters")]
    InvalidName,
}
