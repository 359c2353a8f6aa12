//! The contact list where the server keeps none: it lives here and is kept by whoever owns the endpoint, who gives it back
//! at the next start. Rules and errors are those of `domain.md` 6.

use crate::domain::Address;
use crate::domain::contact::{Contact, ContactError, DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::endpoint::limits::MAX_CONTACTS;
use crate::endpoint::service::{Ctx, InternalEvent, Service};
use crate::endpoint::{Event, Operation, OperationId, Outcome};

/// The service.
#[derive(Debug)]
pub struct Contacts {
    groups: Vec<Group>,
    contacts: Vec<Contact>,
}

impl Contacts {
    /// With the list of last time.
    pub fn new(groups: Vec<Group>, contacts: Vec<Contact>) -> Contacts {
        let mut groups = groups;
        if !groups.iter().any(|g| g.id == DEFAULT_GROUP) {
            groups.insert(0, Group { id: DEFAULT_GROUP, name: DEFAULT_GROUP_NAME.into(), external_uri: String::new() });
        }
        Contacts { groups, contacts }
    }

    fn say_all(&self, ctx: &mut Ctx<'_>) {
        ctx.emit(Event::ContactList { groups: self.groups.clone(), contacts: self.contacts.clone() });
        self.say_wanted(ctx);
    }

    fn say_wanted(&self, ctx: &mut Ctx<'_>) {
        ctx.tell(InternalEvent::Wanted(self.contacts.iter().filter(|c| c.subscribed).map(|c| c.uri.clone()).collect()));
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

    fn add(&mut self, ctx: &mut Ctx<'_>, uri: &Address, name: &str, groups: &[GroupId]) -> Result<Outcome, ContactError> {
        if *uri == ctx.me.uri {
            return Err(ContactError::OwnAddress);
        }
        if self.contacts.iter().any(|c| c.uri == *uri) {
            return Err(ContactError::DuplicateContact);
        }
        if self.contacts.len() >= MAX_CONTACTS {
            return Err(ContactError::TooManyContacts);
        }
        self.check_groups(groups)?;
        let contact = Contact { name: name.to_owned(), groups: groups.to_vec(), ..Contact::new(uri.clone()) };
        self.contacts.push(contact.clone());
        ctx.emit(Event::ContactChanged(contact));
        self.say_wanted(ctx);
        Ok(Outcome::Done)
    }

    fn change(&mut self, ctx: &mut Ctx<'_>, uri: &Address, f: impl FnOnce(&mut Contact)) -> Result<Outcome, ContactError> {
        let contact = self.contact(uri)?;
        f(contact);
        let changed = contact.clone();
        ctx.emit(Event::ContactChanged(changed));
        Ok(Outcome::Done)
    }

    fn delete(&mut self, ctx: &mut Ctx<'_>, uri: &Address) -> Result<Outcome, ContactError> {
        self.contact(uri)?;
        self.contacts.retain(|c| c.uri != *uri);
        ctx.emit(Event::ContactRemoved(uri.clone()));
        self.say_wanted(ctx);
        Ok(Outcome::Done)
    }

    fn add_group(&mut self, ctx: &mut Ctx<'_>, name: &str) -> Result<Outcome, ContactError> {
        self.free_name(name, None)?;
        let id = GroupId(self.groups.iter().map(|g| g.id.0).max().unwrap_or(1).saturating_add(1));
        let group = Group { id, name: name.trim().to_owned(), external_uri: String::new() };
        self.groups.push(group.clone());
        ctx.emit(Event::GroupChanged(group));
        Ok(Outcome::Group(id))
    }

    fn rename_group(&mut self, ctx: &mut Ctx<'_>, id: GroupId, name: &str) -> Result<Outcome, ContactError> {
        self.free_name(name, Some(id))?;
        let group = self.own_group(id)?;
        group.name = name.trim().to_owned();
        let changed = group.clone();
        ctx.emit(Event::GroupChanged(changed));
        Ok(Outcome::Done)
    }

    fn delete_group(&mut self, ctx: &mut Ctx<'_>, id: GroupId) -> Result<Outcome, ContactError> {
        self.own_group(id)?;
        self.groups.retain(|g| g.id != id);
        for contact in self.contacts.iter_mut().filter(|c| c.groups.contains(&id)) {
            contact.groups.retain(|g| *g != id);
            ctx.emit(Event::ContactChanged(contact.clone()));
        }
        ctx.emit(Event::GroupRemoved(id));
        Ok(Outcome::Done)
    }
}

impl Service for Contacts {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        use Operation as O;
        let result = match operation {
            O::RefreshContacts => {
                self.say_all(ctx);
                Ok(Outcome::Done)
            }
            O::AddContact { uri, name, groups } => self.add(ctx, uri, name, groups),
            O::RenameContact { uri, name } => self.change(ctx, uri, |c| c.name.clone_from(name)),
            O::SetContactGroups { uri, groups } => {
                self.check_groups(groups).and_then(|()| self.change(ctx, uri, |c| c.groups.clone_from(groups)))
            }
            O::DeleteContact { uri } => self.delete(ctx, uri),
            O::AddGroup { name } => self.add_group(ctx, name),
            O::RenameGroup { id, name } => self.rename_group(ctx, *id, name),
            O::DeleteGroup { id } => self.delete_group(ctx, *id),
            O::SearchDirectory { .. } => {
                ctx.complete(id, Err(super::cannot("directory to search")));
                return true;
            }
            _ => return false,
        };
        ctx.complete(id, result.map_err(Into::into));
        true
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.say_all(ctx);
    }
}
