//! The contact list as such: groups, contacts, and what may be done to them (`domain.md` 6), wherever it is kept.

use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, ContactError, DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::endpoint::limits::MAX_CONTACTS;
use crate::endpoint::{Event, Operation, Outcome};
use crate::lync::contact_data;

/// The list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Groups; the default one is always there.
    pub groups: Vec<Group>,
    /// Contacts.
    pub contacts: Vec<Contact>,
}

/// What an operation did.
pub type Applied = Result<(Outcome, Vec<Event>), ContactError>;

impl List {
    /// With the default group, whatever else.
    pub fn new(mut groups: Vec<Group>, contacts: Vec<Contact>) -> List {
        if !groups.iter().any(|g| g.id == DEFAULT_GROUP) {
            groups.insert(0, Group::new(DEFAULT_GROUP, DEFAULT_GROUP_NAME));
        }
        List { groups, contacts }
    }

    /// Everybody whose presence is wanted.
    pub fn wanted(&self) -> Vec<Address> {
        self.contacts.iter().filter(|c| c.subscribed).map(|c| c.uri.clone()).collect()
    }

    /// The list as an event.
    pub fn event(&self) -> Event {
        Event::ContactList { groups: self.groups.clone(), contacts: self.contacts.clone() }
    }

    /// Whether an operation changes the list.
    pub fn takes(operation: &Operation) -> bool {
        use Operation as O;
        matches!(
            operation,
            O::AddContact { .. }
                | O::Regroup { .. }
                | O::TagContact { .. }
                | O::SetContactPresence { .. }
                | O::SetContactData { .. }
                | O::RenameContact { .. }
                | O::SetContactGroups { .. }
                | O::DeleteContact { .. }
                | O::AddGroup { .. }
                | O::RenameGroup { .. }
                | O::DeleteGroup { .. }
        )
    }

    /// Does what the operation wants.
    pub fn apply(&mut self, me: &Address, operation: &Operation) -> Applied {
        use Operation as O;
        match operation {
            O::AddContact { uri, name, groups, options } => self.add(me, uri, name, groups, options),
            O::Regroup { uri, join, leave } => self.check_groups(join).and_then(|()| {
                self.change(uri, |c| {
                    c.groups.retain(|g| !leave.contains(g) && !join.contains(g));
                    c.groups.extend_from_slice(join);
                })
            }),
            O::TagContact { uri, tagged } => {
                let old = self.contact(uri)?.extension.clone();
                let new = contact_data::with_tag(old.as_deref(), *tagged).ok_or(ContactError::InvalidData)?;
                self.change(uri, |c| c.extension = new)
            }
            O::SetContactPresence { uri, wanted } => self.change(uri, |c| c.subscribed = *wanted),
            O::SetContactData { uri, data, extension } => self.change(uri, |c| {
                c.external_uri.clone_from(data);
                c.extension.clone_from(extension);
            }),
            O::RenameContact { uri, name } => self.change(uri, |c| c.name.clone_from(name)),
            O::SetContactGroups { uri, groups } => {
                self.check_groups(groups).and_then(|()| self.change(uri, |c| c.groups.clone_from(groups)))
            }
            O::DeleteContact { uri } => self.delete(uri),
            O::AddGroup { name } => self.add_group(name),
            O::RenameGroup { id, name } => self.rename_group(*id, name),
            O::DeleteGroup { id } => self.delete_group(*id),
            _ => Err(ContactError::InvalidData),
        }
    }

    fn contact(&mut self, uri: &Address) -> Result<&mut Contact, ContactError> {
        self.contacts.iter_mut().find(|c| c.uri == *uri).ok_or(ContactError::ContactNotFound)
    }

    fn check_groups(&self, groups: &[GroupId]) -> Result<(), ContactError> {
        let known = |g: &GroupId| self.groups.iter().any(|k| k.id == *g);
        if groups.iter().all(known) { Ok(()) } else { Err(ContactError::GroupNotFound) }
    }

    fn own_group(&mut self, id: GroupId) -> Result<&mut Group, ContactError> {
        if id == DEFAULT_GROUP {
            return Err(ContactError::NotAllowedForGroup);
        }
        self.groups.iter_mut().find(|g| g.id == id).ok_or(ContactError::GroupNotFound)
    }

    fn free_name(&self, name: &str, but: Option<GroupId>) -> Result<(), ContactError> {
        let taken = self.groups.iter().any(|g| Some(g.id) != but && g.name.eq_ignore_ascii_case(name.trim()));
        if taken { Err(ContactError::DuplicateGroup) } else { Ok(()) }
    }

    fn add(&mut self, me: &Address, uri: &Address, name: &str, groups: &[GroupId], options: &AddOptions) -> Applied {
        if uri == me {
            return Err(ContactError::OwnAddress);
        }
        if self.contacts.iter().any(|c| c.uri == *uri) {
            return Err(ContactError::DuplicateContact);
        }
        if self.contacts.len() >= MAX_CONTACTS {
            return Err(ContactError::TooManyContacts);
        }
        self.check_groups(groups)?;
        let contact = Contact {
            name: name.to_owned(),
            groups: groups.to_vec(),
            subscribed: !options.without_presence,
            external_uri: options.data.clone(),
            extension: options.extension.clone(),
            uri: uri.clone(),
        };
        self.contacts.push(contact.clone());
        Ok((Outcome::Done, vec![Event::ContactChanged(contact)]))
    }

    fn change(&mut self, uri: &Address, f: impl FnOnce(&mut Contact)) -> Applied {
        let contact = self.contact(uri)?;
        f(contact);
        Ok((Outcome::Done, vec![Event::ContactChanged(contact.clone())]))
    }

    fn delete(&mut self, uri: &Address) -> Applied {
        self.contact(uri)?;
        self.contacts.retain(|c| c.uri != *uri);
        Ok((Outcome::Done, vec![Event::ContactRemoved(uri.clone())]))
    }

    fn add_group(&mut self, name: &str) -> Applied {
        self.free_name(name, None)?;
        let id = self.free_id();
        let group = Group::new(id, name.trim());
        self.groups.push(group.clone());
        Ok((Outcome::Group(id), vec![Event::GroupChanged(group)]))
    }

    /// A number that no group has.
    pub fn free_id(&self) -> GroupId {
        GroupId(self.groups.iter().map(|g| g.id.0).max().unwrap_or(1).saturating_add(1))
    }

    fn rename_group(&mut self, id: GroupId, name: &str) -> Applied {
        self.free_name(name, Some(id))?;
        let group = self.own_group(id)?;
        group.name = name.trim().to_owned();
        Ok((Outcome::Done, vec![Event::GroupChanged(group.clone())]))
    }

    fn delete_group(&mut self, id: GroupId) -> Applied {
        self.own_group(id)?;
        self.groups.retain(|g| g.id != id);
        let mut events = Vec::new();
        for contact in self.contacts.iter_mut().filter(|c| c.groups.contains(&id)) {
            contact.groups.retain(|g| *g != id);
            events.push(Event::ContactChanged(contact.clone()));
        }
        events.push(Event::GroupRemoved(id));
        Ok((Outcome::Done, events))
    }
}
