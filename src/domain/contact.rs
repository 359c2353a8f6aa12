//! Contacts and groups (`domain.md` 2.7 and 6).

use super::Address;
use super::presence::Level;
use serde::{Deserialize, Serialize};

/// A group's number, given by the server; 1 is the default group `~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u32);

/// The default group, shown as "Other Contacts" (`domain.md` 6, rule 12).
pub const DEFAULT_GROUP: GroupId = GroupId(1);

/// The reserved name of the default group.
pub const DEFAULT_GROUP_NAME: &str = "~";

/// Reserved name of the group of favourites (`domain.md` 6, rule 12).
pub const FAVORITE_GROUP_NAME: &str = "Pinned Contacts";

/// Reserved name of the group of people one talks to most (`domain.md` 6, rule 12).
pub const FREQUENT_GROUP_NAME: &str = "Most Used Contacts";

/// A named collection of contacts; membership lives in the contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Number from the server.
    pub id: GroupId,
    /// Name as stored; `~` for the default group.
    pub name: String,
    /// Free data of other clients, kept unchanged (`externalURI`).
    pub external_uri: String,
    /// XML of the group (`groupExtension`, at most 1024 octets), kept unchanged.
    #[serde(default)]
    pub extension: Option<String>,
}

/// What a group is; derived from its data and the reserved names (`domain.md` 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GroupKind {
    /// Made by the owner: may be renamed, deleted and filled freely.
    Custom,
    /// "Pinned Contacts": accepts contacts, keeps its name.
    Favorite,
    /// "Most Used Contacts": nobody puts people there.
    Frequent,
    /// A mailing list of the directory: its members are read-only.
    Distribution,
    /// `~`, shown as "Other Contacts".
    Default,
}

impl GroupKind {
    /// Whether the owner may give it another name.
    pub fn can_rename(self) -> bool {
        self == GroupKind::Custom
    }

    /// Whether the owner may take it off the list (a distribution group goes on in the directory).
    pub fn can_delete(self) -> bool {
        matches!(self, GroupKind::Custom | GroupKind::Distribution)
    }

    /// Whether people may be put into it and taken out of it.
    pub fn takes_contacts(self) -> bool {
        matches!(self, GroupKind::Custom | GroupKind::Favorite | GroupKind::Default)
    }

    /// The word for it in output that programs read.
    pub fn word(self) -> &'static str {
        match self {
            GroupKind::Custom => "custom",
            GroupKind::Favorite => "favorite",
            GroupKind::Frequent => "frequent",
            GroupKind::Distribution => "distribution",
            GroupKind::Default => "default",
        }
    }
}

impl Group {
    /// A group with nothing but an id and a name.
    pub fn new(id: GroupId, name: impl Into<String>) -> Group {
        Group { id, name: name.into(), external_uri: String::new(), extension: None }
    }

    /// What it is.
    pub fn kind(&self) -> GroupKind {
        if self.id == DEFAULT_GROUP || self.name == DEFAULT_GROUP_NAME {
            return GroupKind::Default;
        }
        if self.extension.as_deref().is_some_and(is_distribution) {
            return GroupKind::Distribution;
        }
        match self.name.as_str() {
            FAVORITE_GROUP_NAME => GroupKind::Favorite,
            FREQUENT_GROUP_NAME => GroupKind::Frequent,
            _ => GroupKind::Custom,
        }
    }

    /// The name for people; raw.
    pub fn title(&self) -> &str {
        if self.kind() == GroupKind::Default { "Other contacts" } else { &self.name }
    }
}

/// Whether a `groupExtension` names a distribution group. Only the start tag counts; who reads the rest parses it.
fn is_distribution(extension: &str) -> bool {
    let tag = extension.split('>').next().unwrap_or("");
    tag.starts_with("<groupExtension") && (tag.contains("groupType=\"dg\"") || tag.contains("groupType='dg'"))
}

/// What may be said beside alias and groups when a contact is added (`domain.md` 2.7, add options).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOptions {
    /// Do not subscribe to their presence.
    pub without_presence: bool,
    /// Free data (`externalURI`).
    pub data: String,
    /// XML of other programs (`contactExtension`).
    pub extension: Option<String>,
    /// The level they are put on; `None`: what their network gets.
    pub level: Option<Level>,
    /// A sentence for them, told with the news that they were added; may be empty.
    pub note: String,
}

/// A mailing list of the directory with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionGroup {
    /// Its mail address.
    pub address: Address,
    /// Its name in the directory.
    pub name: String,
    /// People, and further distribution groups, in order.
    pub members: Vec<Address>,
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
    #[error("the list is full; delete somebody first")]
    TooManyContacts,
    /// Over the group limit.
    #[error("there are too many groups; delete one first")]
    TooManyGroups,
    /// Over the limit of distribution groups.
    #[error("there are too many distribution groups on the list; take one off first")]
    TooManyDistributionGroups,
    /// The list changed meanwhile.
    #[error("the list was changed elsewhere meanwhile; try again")]
    StaleDelta,
    /// The kind of group does not allow it (rules 11 and 12).
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
    /// Data that is no well-formed XML, or too long.
    #[error("the extra data must be well-formed XML of at most 1024 characters")]
    InvalidData,
}

impl ContactError {
    /// All of them.
    pub const ALL: [ContactError; 13] = [
        ContactError::DuplicateContact,
        ContactError::DuplicateGroup,
        ContactError::ContactNotFound,
        ContactError::GroupNotFound,
        ContactError::TooManyContacts,
        ContactError::TooManyGroups,
        ContactError::TooManyDistributionGroups,
        ContactError::StaleDelta,
        ContactError::NotAllowedForGroup,
        ContactError::OwnAddress,
        ContactError::NotSubscribed,
        ContactError::InvalidName,
        ContactError::InvalidData,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_group_follows_from_its_data_and_the_reserved_names() {
        let named = |name: &str| Group::new(GroupId(5), name).kind();
        assert_eq!(Group::new(DEFAULT_GROUP, "x").kind(), GroupKind::Default);
        assert_eq!(named("~"), GroupKind::Default);
        assert_eq!(named("Pinned Contacts"), GroupKind::Favorite);
        assert_eq!(named("Most Used Contacts"), GroupKind::Frequent);
        assert_eq!(named("Team"), GroupKind::Custom);
        let xml = "<groupExtension groupType=\"dg\"><email>team@contoso.com</email></groupExtension>";
        let dg = Group { extension: Some(xml.into()), ..Group::new(GroupId(5), "Team") };
        assert_eq!(dg.kind(), GroupKind::Distribution);
        let other = Group { extension: Some("<groupExtension groupType=\"x\">dg</groupExtension>".into()), ..dg };
        assert_eq!(other.kind(), GroupKind::Custom);
    }

    #[test]
    fn rule_11_only_custom_groups_change_freely_and_the_favourites_accept_contacts() {
        use GroupKind::*;
        let allowed =
            [Custom, Favorite, Frequent, Distribution, Default].map(|k| (k.can_rename(), k.can_delete(), k.takes_contacts()));
        let expected =
            [(true, true, true), (false, false, true), (false, false, false), (false, true, false), (false, false, true)];
        assert_eq!(allowed, expected);
    }
}
