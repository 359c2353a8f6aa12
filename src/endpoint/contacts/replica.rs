//! Our copy of the list and what a document changes in it.

use crate::domain::Address;
use crate::domain::contact::{Contact, Group, GroupId};
use crate::endpoint::Event;
use crate::endpoint::limits::{MAX_CONTACTS, MAX_GROUPS};
use crate::lync::contacts::{Change, ContactDelta, ContactDocument, ContactList};
use std::collections::BTreeMap;

/// What a document did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// Small changes, as events.
    Events(Vec<Event>),
    /// The whole list came.
    Whole {
        /// It differs from what we held.
        changed: bool,
    },
    /// A change was missed: the whole list is needed.
    Gap,
    /// The list lives in Exchange (`lync.md` 5.7).
    Elsewhere,
}

/// The list as the server last said it.
#[derive(Debug, Default)]
pub(super) struct Replica {
    delta: u32,
    groups: BTreeMap<GroupId, Group>,
    contacts: BTreeMap<Address, Contact>,
}

impl Replica {
    /// Number of the last document applied.
    pub fn delta(&self) -> u32 {
        self.delta
    }

    pub fn contact(&self, uri: &Address) -> Option<&Contact> {
        self.contacts.get(uri)
    }

    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    pub fn group_named(&self, name: &str) -> Option<&Group> {
        self.groups.values().find(|g| g.name == name)
    }

    /// Everybody whose presence is wanted.
    pub fn wanted(&self) -> Vec<Address> {
        self.contacts.values().filter(|c| c.subscribed).map(|c| c.uri.clone()).collect()
    }

    /// The whole list as one event.
    pub fn list(&self) -> Event {
        Event::ContactList {
            groups: self.groups.values().cloned().collect(),
            contacts: self.contacts.values().cloned().collect(),
        }
    }

    pub fn apply(&mut self, notice: ContactDocument) -> Applied {
        match notice {
            ContactDocument::List(list) => self.replace(list),
            ContactDocument::Delta(delta) => self.change(delta),
        }
    }

    fn replace(&mut self, list: ContactList) -> Applied {
        if list.ucs_mode.as_deref() == Some("migrated") {
            return Applied::Elsewhere;
        }
        let groups: BTreeMap<_, _> = list.groups.into_iter().take(MAX_GROUPS).map(|g| (g.id, g)).collect();
        let contacts: BTreeMap<_, _> = list.contacts.into_iter().take(MAX_CONTACTS).map(|c| (c.uri.clone(), c)).collect();
        let changed = groups != self.groups || contacts != self.contacts;
        (self.groups, self.contacts, self.delta) = (groups, contacts, list.delta);
        Applied::Whole { changed }
    }

    fn change(&mut self, delta: ContactDelta) -> Applied {
        if delta.delta <= self.delta {
            return Applied::Events(Vec::new());
        }
        if delta.previous.is_some_and(|p| p != self.delta) {
            return Applied::Gap;
        }
        self.delta = delta.delta;
        Applied::Events(delta.changes.into_iter().flat_map(|c| self.one(c)).collect())
    }

    fn one(&mut self, change: Change) -> Vec<Event> {
        match change {
            Change::AddGroup(group) | Change::ModifyGroup(group) => {
                let room = self.groups.len() < MAX_GROUPS || self.groups.contains_key(&group.id);
                if !room || self.groups.get(&group.id) == Some(&group) {
                    return Vec::new();
                }
                self.groups.insert(group.id, group.clone());
                vec![Event::GroupChanged(group)]
            }
            Change::AddContact(contact) | Change::ModifyContact(contact) => {
                let room = self.contacts.len() < MAX_CONTACTS || self.contacts.contains_key(&contact.uri);
                if !room || self.contacts.get(&contact.uri) == Some(&contact) {
                    return Vec::new();
                }
                self.contacts.insert(contact.uri.clone(), contact.clone());
                vec![Event::ContactChanged(contact)]
            }
            Change::DeleteContact(uri) => self.contacts.remove(&uri).map(|_| Event::ContactRemoved(uri)).into_iter().collect(),
            Change::DeleteGroup(id) => self.remove_group(id),
        }
    }

    /// Contacts of a removed group stay (`domain.md` 6 rule 9), also where the server does not say so.
    fn remove_group(&mut self, id: GroupId) -> Vec<Event> {
        let mut events = Vec::new();
        for contact in self.contacts.values_mut().filter(|c| c.groups.contains(&id)) {
            contact.groups.retain(|g| *g != id);
            events.push(Event::ContactChanged(contact.clone()));
        }
        if self.groups.remove(&id).is_some() {
            events.push(Event::GroupRemoved(id));
        }
        events
    }
}
