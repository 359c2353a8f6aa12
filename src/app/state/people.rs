//! Contacts, groups and presence as the People pane shows them.

use crate::app::Editor;
use crate::domain::contact::{Contact, DEFAULT_GROUP, Group, GroupId};
use crate::domain::presence::Presence;
use crate::domain::watching::Standing;
use crate::domain::{Address, Time};
use crate::endpoint::event::DirectoryEntry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How contacts are ordered within a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Most available first, then name.
    Status,
    /// By name: rows stay where they are when presence changes.
    #[default]
    Name,
    /// Last talked to first, then name.
    Recent,
}

/// Where the list came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loaded {
    /// Nothing is known.
    #[default]
    Nothing,
    /// From the store of the last run.
    Cached,
    /// From the server.
    Known,
}

/// Names one row; selection survives every change of order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    /// A group's heading.
    Group(GroupId),
    /// A contact within a group.
    Contact(GroupId, Address),
    /// A distribution group inside another one.
    List(GroupId, Address),
}

/// What is known of an opened distribution group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expansion {
    /// Members, groups inside among them.
    pub members: Vec<DirectoryEntry>,
    /// They are on their way.
    pub loading: bool,
    /// Why they did not come.
    pub problem: Option<String>,
    /// When somebody looked last.
    pub used: Time,
    /// The presence of members is watched.
    pub watched: bool,
    /// Whose.
    pub asked: Vec<Address>,
}

/// One row of the list, in drawing order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A group's heading; the default group has the name `~` and is shown as "Other contacts".
    Group {
        /// Which.
        id: GroupId,
        /// Name, raw.
        name: String,
        /// Members online.
        online: usize,
        /// Members.
        total: usize,
        /// Closed.
        folded: bool,
    },
    /// A contact.
    Contact {
        /// In which group.
        group: GroupId,
        /// Who.
        uri: Address,
    },
    /// A distribution group inside another one.
    List {
        /// In which group of the list.
        group: GroupId,
        /// Its mail address.
        address: Address,
        /// Name, raw.
        name: String,
        /// Closed.
        folded: bool,
    },
}

impl Row {
    /// The row's name.
    pub fn id(&self) -> RowId {
        match self {
            Row::Group { id, .. } => RowId::Group(*id),
            Row::Contact { group, uri } => RowId::Contact(*group, uri.clone()),
            Row::List { group, address, .. } => RowId::List(*group, address.clone()),
        }
    }

    /// Whether this is the row's name; costs less than making the name.
    pub fn is(&self, id: &RowId) -> bool {
        match (self, id) {
            (Row::Group { id, .. }, RowId::Group(wanted)) => id == wanted,
            (Row::Contact { group, uri }, RowId::Contact(wanted, who)) => group == wanted && uri == who,
            (Row::List { group, address, .. }, RowId::List(wanted, who)) => group == wanted && address == who,
            _ => false,
        }
    }
}

/// The People pane.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Where the list came from.
    pub loaded: Loaded,
    /// Groups in the server's order.
    pub groups: Vec<Group>,
    /// Contacts.
    pub contacts: BTreeMap<Address, Contact>,
    /// Presence of contacts and watched people.
    pub presence: HashMap<Address, Box<Presence>>,
    /// How presence comes of those of whom it does not come at once.
    pub standing: HashMap<Address, Standing>,
    /// Closed groups.
    pub folded: BTreeSet<GroupId>,
    /// The filter being typed or in force; empty: none.
    pub filter: Editor,
    /// The filter line has the keys.
    pub filtering: bool,
    /// Order.
    pub sort: Sort,
    /// Offline contacts are hidden.
    pub hide_offline: bool,
    /// The selected row.
    pub selection: Option<RowId>,
    /// Marked people.
    pub marks: BTreeSet<Address>,
    /// First row shown.
    pub top: usize,
    /// Rows in drawing order; derived by [`super::State::settle`].
    pub rows: Vec<Row>,
    /// Contacts online and contacts altogether; derived.
    pub counts: (usize, usize),
    /// Something changed that the rows depend on.
    pub dirty: bool,
    /// The next rebuild selects the first person (the filter changed).
    pub to_first: bool,
    /// A row that is selected as soon as it appears (a new group, a contact on the move).
    pub wanted: Option<RowId>,
    /// Opened distribution groups, by mail address.
    pub expansions: BTreeMap<Address, Expansion>,
    /// Those that are open now.
    pub open_lists: BTreeSet<Address>,
    /// Names of people who are no contacts, as directories say them; raw.
    pub names: HashMap<Address, String>,
    /// When somebody was talked to last, for [`Sort::Recent`]: larger is later.
    pub recent: HashMap<Address, u64>,
}

impl People {
    /// Alias or card name, raw; `None` if neither is known.
    pub fn name(&self, uri: &Address) -> Option<&str> {
        let alias = self.contacts.get(uri).map(|c| c.name.as_str()).filter(|n| !n.is_empty());
        let card = || self.presence.get(uri)?.card.display_name.as_deref().filter(|n| !n.is_empty());
        alias.or_else(card).or_else(|| self.names.get(uri).map(String::as_str))
    }

    /// What is known of somebody's presence.
    pub fn presence_of(&self, uri: &Address) -> Option<&Presence> {
        self.presence.get(uri).map(AsRef::as_ref)
    }

    /// The group names of a contact; the default group when it is in none.
    pub fn groups_of(&self, contact: &Contact) -> Vec<GroupId> {
        let known: Vec<GroupId> = contact.groups.iter().copied().filter(|g| self.groups.iter().any(|k| k.id == *g)).collect();
        if known.is_empty() { vec![DEFAULT_GROUP] } else { known }
    }

    /// The person of the selected row.
    pub fn selected_person(&self) -> Option<&Address> {
        match self.selection.as_ref()? {
            RowId::Contact(_, uri) => Some(uri),
            RowId::Group(_) | RowId::List(..) => None,
        }
    }

    /// The group of the selected row (of a contact: the one it is shown in).
    pub fn selected_group(&self) -> Option<GroupId> {
        match self.selection.as_ref()? {
            RowId::Contact(g, _) | RowId::Group(g) | RowId::List(g, _) => Some(*g),
        }
    }
}
