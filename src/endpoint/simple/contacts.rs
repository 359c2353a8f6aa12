//! The contact list where the server keeps none: it lives here and is kept by whoever owns the endpoint, who gives it back
//! at the next start. Rules and errors are those of `domain.md` 6.

use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, ContactError, DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::endpoint::limits::MAX_CONTACTS;
use crate::endpoint::service::{Ctx, InternalEvent, Service};
use crate::endpoint::{Event, Operation, OperationId, Outcome};
use crate::lync::contact_data;

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
            groups.insert(0, Group::new(DEFAULT_GROUP, DEFAULT_GROUP_NAME));
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

    fn add(
        &mut self,
        ctx: &mut Ctx<'_>,
        uri: &Address,
        name: &str,
        groups: &[GroupId],
        options: &AddOptions,
    ) -> Result<Outcome, ContactError> {
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
        let contact = Contact {
            name: name.to_owned(),
            groups: groups.to_vec(),
            subscribed: !options.without_presence,
            external_uri: options.data.clone(),
            extension: options.extension.clone(),
            uri: uri.clone(),
        };
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
        let group = Group::new(id, name.trim());
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

fn refuse(ctx: &mut Ctx<'_>, id: OperationId, what: &str) -> bool {
    ctx.complete(id, Err(super::cannot(what)));
    true
}

impl Service for Contacts {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        use Operation as O;
        let result = match operation {
            O::RefreshContacts => {
                self.say_all(ctx);
                Ok(Outcome::Done)
            }
            O::AddContact { uri, name, groups, options } => self.add(ctx, uri, name, groups, options),
            O::Regroup { uri, join, leave } => self.check_groups(join).and_then(|()| {
                self.change(ctx, uri, |c| {
                    c.groups.retain(|g| !leave.contains(g) && !join.contains(g));
                    c.groups.extend_from_slice(join);
                })
            }),
            O::TagContact { uri, tagged } => self.contact(uri).map(|c| c.extension.clone()).and_then(|old| {
                let new = contact_data::with_tag(old.as_deref(), *tagged).ok_or(ContactError::InvalidData)?;
                self.change(ctx, uri, |c| c.extension = new)
            }),
            O::SetContactPresence { uri, wanted } => {
                let done = self.change(ctx, uri, |c| c.subscribed = *wanted);
                self.say_wanted(ctx);
                done
            }
            O::SetContactData { uri, data, extension } => self.change(ctx, uri, |c| {
                c.external_uri.clone_from(data);
                c.extension.clone_from(extension);
            }),
            O::RenameContact { uri, name } => self.change(ctx, uri, |c| c.name.clone_from(name)),
            O::SetContactGroups { uri, groups } => {
                self.check_groups(groups).and_then(|()| self.change(ctx, uri, |c| c.groups.clone_from(groups)))
            }
            O::DeleteContact { uri } => self.delete(ctx, uri),
            O::AddGroup { name } => self.add_group(ctx, name),
            O::RenameGroup { id, name } => self.rename_group(ctx, *id, name),
            O::DeleteGroup { id } => self.delete_group(ctx, *id),
            O::SearchDirectory { .. } => return refuse(ctx, id, "directory to search"),
            O::AddDistributionGroup { .. } | O::ExpandGroup { .. } => return refuse(ctx, id, "distribution groups"),
            _ => return false,
        };
        ctx.complete(id, result.map_err(Into::into));
        true
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.say_all(ctx);
    }
}
