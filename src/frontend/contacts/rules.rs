//! What a write does to a contact list (`domain.md` 6, lync.md 5.2 and 5.3).

use super::super::data::ContactList;
use super::super::limits;
use crate::domain::Address;
use crate::domain::contact::{Contact, ContactError, DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::lync::contacts::Change;
use crate::lync::soap::ContactWrite;

/// What came of a write.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Changes in steps; the list's number has risen by one for each.
    pub steps: Vec<Vec<Change>>,
    /// The group made.
    pub new_group: Option<GroupId>,
}

impl Done {
    fn step(list: &mut ContactList, changes: Vec<Change>) -> Done {
        let mut done = Done::default();
        done.add(list, changes);
        done
    }

    fn add(&mut self, list: &mut ContactList, changes: Vec<Change>) {
        list.delta += 1;
        self.steps.push(changes);
    }
}

/// Applies one write as a whole or not at all. A write that changes nothing succeeds without a step.
pub fn apply(list: &mut ContactList, owner: &Address, write: ContactWrite) -> Result<Done, ContactError> {
    match write {
        ContactWrite::SetContact(contact) => set_contact(list, owner, contact),
        ContactWrite::DeleteContact(uri) => {
            let at = list.contacts.iter().position(|c| c.uri == uri).ok_or(ContactError::ContactNotFound)?;
            list.contacts.remove(at);
            Ok(Done::step(list, vec![Change::DeleteContact(uri)]))
        }
        ContactWrite::AddGroup { name, external_uri } => add_group(list, name, external_uri),
        ContactWrite::ModifyGroup(group) => modify_group(list, group),
        ContactWrite::DeleteGroup(id) => delete_group(list, id),
    }
}

fn set_contact(list: &mut ContactList, owner: &Address, mut contact: Contact) -> Result<Done, ContactError> {
    if contact.uri == *owner {
        return Err(ContactError::OwnAddress);
    }
    if contact.name.len() > limits::NAME || contact.external_uri.len() > limits::EXTERNAL_URI {
        return Err(ContactError::InvalidName);
    }
    if contact.groups.iter().any(|g| !list.groups.iter().any(|k| k.id == *g)) {
        return Err(ContactError::GroupNotFound);
    }
    let mut seen = Vec::new();
    contact.groups.retain(|g| {
        !seen.contains(g) && {
            seen.push(*g);
            true
        }
    });
    contact.extension = contact.extension.filter(|x| x.len() <= limits::CONTACT_EXTENSION);
    match list.contacts.iter().position(|c| c.uri == contact.uri) {
        Some(at) if list.contacts[at] == contact => Ok(Done::default()),
        Some(at) => {
            list.contacts[at] = contact.clone();
            Ok(Done::step(list, vec![Change::ModifyContact(contact)]))
        }
        None if list.contacts.len() >= limits::CONTACTS => Err(ContactError::TooManyContacts),
        None => {
            list.contacts.push(contact.clone());
            Ok(Done::step(list, vec![Change::AddContact(contact)]))
        }
    }
}

fn check_name(list: &ContactList, name: &str, own: Option<GroupId>) -> Result<(), ContactError> {
    if name.trim().is_empty() || name.len() > limits::NAME {
        return Err(ContactError::InvalidName);
    }
    let taken = name == DEFAULT_GROUP_NAME || list.groups.iter().any(|g| Some(g.id) != own && g.name == name);
    if taken { Err(ContactError::DuplicateGroup) } else { Ok(()) }
}

fn add_group(list: &mut ContactList, name: String, external_uri: String) -> Result<Done, ContactError> {
    check_name(list, &name, None)?;
    if list.groups.len() >= limits::GROUPS {
        return Err(ContactError::TooManyGroups);
    }
    if external_uri.len() > limits::EXTERNAL_URI {
        return Err(ContactError::InvalidName);
    }
    let group = Group { id: GroupId(list.next_group), name, external_uri };
    list.next_group += 1;
    list.groups.push(group.clone());
    let id = group.id;
    Ok(Done { new_group: Some(id), ..Done::step(list, vec![Change::AddGroup(group)]) })
}

fn modify_group(list: &mut ContactList, group: Group) -> Result<Done, ContactError> {
    let at = list.groups.iter().position(|g| g.id == group.id).ok_or(ContactError::GroupNotFound)?;
    if group.id == DEFAULT_GROUP {
        return Err(ContactError::NotAllowedForGroup);
    }
    check_name(list, &group.name, Some(group.id))?;
    if group.external_uri.len() > limits::EXTERNAL_URI {
        return Err(ContactError::InvalidName);
    }
    if list.groups[at] == group {
        return Ok(Done::default());
    }
    list.groups[at] = group.clone();
    Ok(Done::step(list, vec![Change::ModifyGroup(group)]))
}

/// Members leave the group first, then it goes; they stay on the list (`domain.md` 6, rule 9).
fn delete_group(list: &mut ContactList, id: GroupId) -> Result<Done, ContactError> {
    let at = list.groups.iter().position(|g| g.id == id).ok_or(ContactError::GroupNotFound)?;
    if id == DEFAULT_GROUP {
        return Err(ContactError::NotAllowedForGroup);
    }
    let mut left = Vec::new();
    for c in list.contacts.iter_mut().filter(|c| c.groups.contains(&id)) {
        c.groups.retain(|g| *g != id);
        left.push(Change::ModifyContact(c.clone()));
    }
    let mut done = Done::default();
    if !left.is_empty() {
        done.add(list, left);
    }
    list.groups.remove(at);
    done.add(list, vec![Change::DeleteGroup(id)]);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn me() -> Address {
        a("alice@contoso.com")
    }

    fn contact(who: &str, groups: &[u32]) -> Contact {
        Contact { groups: groups.iter().map(|g| GroupId(*g)).collect(), ..Contact::new(a(who)) }
    }

    fn add(list: &mut ContactList, name: &str) -> GroupId {
        let write = ContactWrite::AddGroup { name: name.into(), external_uri: String::new() };
        apply(list, &me(), write).unwrap().new_group.unwrap()
    }

    #[test]
    fn groups_get_fresh_ids_that_are_never_used_again() {
        let mut list = ContactList::default();
        assert_eq!(add(&mut list, "A"), GroupId(2));
        assert_eq!(add(&mut list, "B"), GroupId(3));
        apply(&mut list, &me(), ContactWrite::DeleteGroup(GroupId(3))).unwrap();
        assert_eq!(add(&mut list, "B"), GroupId(4));
        assert_eq!(list.delta, 5);
    }

    #[test]
    fn deleting_a_group_keeps_its_contacts() {
        let mut list = ContactList::default();
        let g = add(&mut list, "A");
        apply(&mut list, &me(), ContactWrite::SetContact(contact("bob@contoso.com", &[1, g.0]))).unwrap();
        let done = apply(&mut list, &me(), ContactWrite::DeleteGroup(g)).unwrap();
        assert_eq!(done.steps.len(), 2);
        assert_eq!(done.steps[0], [Change::ModifyContact(contact("bob@contoso.com", &[1]))]);
        assert_eq!(done.steps[1], [Change::DeleteGroup(g)]);
        assert_eq!((list.delta, list.contacts.len()), (5, 1));
    }

    #[test]
    fn what_the_rules_forbid_changes_nothing() {
        let mut list = ContactList::default();
        add(&mut list, "A");
        let before = list.clone();
        let group = |id, name: &str| Group { id: GroupId(id), name: name.into(), external_uri: String::new() };
        let named = |name: &str| ContactWrite::AddGroup { name: name.into(), external_uri: String::new() };
        for (write, error) in [
            (ContactWrite::SetContact(contact("alice@contoso.com", &[])), ContactError::OwnAddress),
            (ContactWrite::SetContact(contact("bob@contoso.com", &[9])), ContactError::GroupNotFound),
            (ContactWrite::DeleteContact(a("bob@contoso.com")), ContactError::ContactNotFound),
            (named("A"), ContactError::DuplicateGroup),
            (named("~"), ContactError::DuplicateGroup),
            (named(" "), ContactError::InvalidName),
            (named(&"x".repeat(257)), ContactError::InvalidName),
            (ContactWrite::ModifyGroup(group(1, "X")), ContactError::NotAllowedForGroup),
            (ContactWrite::ModifyGroup(group(7, "X")), ContactError::GroupNotFound),
            (ContactWrite::DeleteGroup(GroupId(1)), ContactError::NotAllowedForGroup),
            (ContactWrite::DeleteGroup(GroupId(7)), ContactError::GroupNotFound),
        ] {
            assert_eq!(apply(&mut list, &me(), write), Err(error));
            assert_eq!(list, before);
        }
    }

    #[test]
    fn lists_have_an_end() {
        let mut list = ContactList::default();
        for i in 0..limits::GROUPS - 1 {
            add(&mut list, &format!("g{i}"));
        }
        let write = ContactWrite::AddGroup { name: "one more".into(), external_uri: String::new() };
        assert_eq!(apply(&mut list, &me(), write), Err(ContactError::TooManyGroups));
        for i in 0..limits::CONTACTS {
            apply(&mut list, &me(), ContactWrite::SetContact(contact(&format!("u{i}@contoso.com"), &[1]))).unwrap();
        }
        let write = ContactWrite::SetContact(contact("late@contoso.com", &[1]));
        assert_eq!(apply(&mut list, &me(), write), Err(ContactError::TooManyContacts));
    }

    #[test]
    fn the_same_write_twice_is_one_change() {
        let mut list = ContactList::default();
        let write = ContactWrite::SetContact(contact("bob@contoso.com", &[1, 1]));
        assert_eq!(apply(&mut list, &me(), write.clone()).unwrap().steps.len(), 1);
        assert_eq!(apply(&mut list, &me(), write).unwrap(), Done::default());
        assert_eq!(list.delta, 2);
    }
}
