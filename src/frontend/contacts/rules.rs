//! What a write does to a contact list (`domain.md` 6, lync.md 5.2 and 5.3).

use super::super::config::ListLimits;
use super::super::data::ContactList;
use super::super::limits;
use crate::domain::Address;
use crate::domain::contact::{Contact, ContactError, DEFAULT_GROUP_NAME, Group, GroupId, GroupKind};
use crate::lync::contact_data;
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
pub fn apply(list: &mut ContactList, owner: &Address, most: &ListLimits, write: ContactWrite) -> Result<Done, ContactError> {
    match write {
        ContactWrite::SetContact(contact) => set_contact(list, owner, most, contact),
        ContactWrite::DeleteContact(uri) => {
            let at = list.contacts.iter().position(|c| c.uri == uri).ok_or(ContactError::ContactNotFound)?;
            list.contacts.remove(at);
            Ok(Done::step(list, vec![Change::DeleteContact(uri)]))
        }
        ContactWrite::AddGroup(group) => add_group(list, most, group),
        ContactWrite::ModifyGroup(group) => modify_group(list, group),
        ContactWrite::DeleteGroup(id) => delete_group(list, id),
    }
}

fn set_contact(list: &mut ContactList, owner: &Address, most: &ListLimits, mut contact: Contact) -> Result<Done, ContactError> {
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
    check_membership(list, &contact)?;
    match list.contacts.iter().position(|c| c.uri == contact.uri) {
        Some(at) if list.contacts[at] == contact => Ok(Done::default()),
        Some(at) => {
            list.contacts[at] = contact.clone();
            Ok(Done::step(list, vec![Change::ModifyContact(contact)]))
        }
        None if list.contacts.len() >= most.contacts => Err(ContactError::TooManyContacts),
        None => {
            list.contacts.push(contact.clone());
            Ok(Done::step(list, vec![Change::AddContact(contact)]))
        }
    }
}

/// People come into and out of groups that take contacts only (`domain.md` 6, rule 11).
fn check_membership(list: &ContactList, contact: &Contact) -> Result<(), ContactError> {
    let before = list.contacts.iter().find(|c| c.uri == contact.uri).map_or(&[][..], |c| &c.groups);
    let changed = |g: &&Group| before.contains(&g.id) != contact.groups.contains(&g.id);
    let fixed = list.groups.iter().filter(changed).any(|g| !g.kind().takes_contacts());
    if fixed { Err(ContactError::NotAllowedForGroup) } else { Ok(()) }
}

fn check_data(group: &Group) -> Result<(), ContactError> {
    let good = group.external_uri.len() <= limits::EXTERNAL_URI
        && group.extension.as_deref().is_none_or(contact_data::is_group_extension);
    if good { Ok(()) } else { Err(ContactError::InvalidData) }
}

fn check_name(list: &ContactList, name: &str, own: Option<GroupId>) -> Result<(), ContactError> {
    if name.trim().is_empty() || name.len() > limits::NAME {
        return Err(ContactError::InvalidName);
    }
    let taken = name == DEFAULT_GROUP_NAME || list.groups.iter().any(|g| Some(g.id) != own && g.name == name);
    if taken { Err(ContactError::DuplicateGroup) } else { Ok(()) }
}

fn add_group(list: &mut ContactList, most: &ListLimits, group: Group) -> Result<Done, ContactError> {
    check_name(list, &group.name, None)?;
    check_data(&group)?;
    let lists = || list.groups.iter().filter(|g| g.kind() == GroupKind::Distribution).count();
    match group.kind() {
        _ if list.groups.len() >= most.groups => return Err(ContactError::TooManyGroups),
        GroupKind::Distribution if lists() >= most.distribution_groups => return Err(ContactError::TooManyDistributionGroups),
        _ => {}
    }
    let group = Group { id: GroupId(list.next_group), ..group };
    list.next_group += 1;
    list.groups.push(group.clone());
    let id = group.id;
    Ok(Done { new_group: Some(id), ..Done::step(list, vec![Change::AddGroup(group)]) })
}

fn modify_group(list: &mut ContactList, group: Group) -> Result<Done, ContactError> {
    let at = list.groups.iter().position(|g| g.id == group.id).ok_or(ContactError::GroupNotFound)?;
    let known = &list.groups[at];
    // A writer that knows nothing of extensions leaves them as they are.
    let group = Group { extension: group.extension.or_else(|| known.extension.clone()), ..group };
    if *known == group {
        return Ok(Done::default());
    }
    if !known.kind().can_rename() || !group.kind().can_rename() {
        return Err(ContactError::NotAllowedForGroup);
    }
    check_name(list, &group.name, Some(group.id))?;
    check_data(&group)?;
    list.groups[at] = group.clone();
    Ok(Done::step(list, vec![Change::ModifyGroup(group)]))
}

/// Members leave the group first, then it goes; they stay on the list (`domain.md` 6, rule 9).
fn delete_group(list: &mut ContactList, id: GroupId) -> Result<Done, ContactError> {
    let at = list.groups.iter().position(|g| g.id == id).ok_or(ContactError::GroupNotFound)?;
    if !list.groups[at].kind().can_delete() {
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
    use crate::domain::contact::{FAVORITE_GROUP_NAME, FREQUENT_GROUP_NAME};

    fn a(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn me() -> Address {
        a("alice@contoso.com")
    }

    fn run(list: &mut ContactList, write: ContactWrite) -> Result<Done, ContactError> {
        apply(list, &me(), &ListLimits::default(), write)
    }

    fn contact(who: &str, groups: &[u32]) -> Contact {
        Contact { groups: groups.iter().map(|g| GroupId(*g)).collect(), ..Contact::new(a(who)) }
    }

    fn add(list: &mut ContactList, name: &str) -> GroupId {
        let write = ContactWrite::AddGroup(Group::new(GroupId(0), name));
        run(list, write).unwrap().new_group.unwrap()
    }

    #[test]
    fn groups_get_fresh_ids_that_are_never_used_again() {
        let mut list = ContactList::default();
        assert_eq!(add(&mut list, "A"), GroupId(2));
        assert_eq!(add(&mut list, "B"), GroupId(3));
        run(&mut list, ContactWrite::DeleteGroup(GroupId(3))).unwrap();
        assert_eq!(add(&mut list, "B"), GroupId(4));
        assert_eq!(list.delta, 5);
    }

    #[test]
    fn deleting_a_group_keeps_its_contacts() {
        let mut list = ContactList::default();
        let g = add(&mut list, "A");
        run(&mut list, ContactWrite::SetContact(contact("bob@contoso.com", &[1, g.0]))).unwrap();
        let done = run(&mut list, ContactWrite::DeleteGroup(g)).unwrap();
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
        let group = |id, name: &str| Group::new(GroupId(id), name);
        let named = |name: &str| ContactWrite::AddGroup(Group::new(GroupId(0), name));
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
            assert_eq!(run(&mut list, write), Err(error));
            assert_eq!(list, before);
        }
    }

    #[test]
    fn lists_have_an_end() {
        let mut list = ContactList::default();
        for i in 0..limits::GROUPS - 1 {
            add(&mut list, &format!("g{i}"));
        }
        let write = ContactWrite::AddGroup(Group::new(GroupId(0), "one more"));
        assert_eq!(run(&mut list, write), Err(ContactError::TooManyGroups));
        for i in 0..limits::CONTACTS {
            run(&mut list, ContactWrite::SetContact(contact(&format!("u{i}@contoso.com"), &[1]))).unwrap();
        }
        let write = ContactWrite::SetContact(contact("late@contoso.com", &[1]));
        assert_eq!(run(&mut list, write), Err(ContactError::TooManyContacts));
    }

    #[test]
    fn the_same_write_twice_is_one_change() {
        let mut list = ContactList::default();
        let write = ContactWrite::SetContact(contact("bob@contoso.com", &[1, 1]));
        assert_eq!(run(&mut list, write.clone()).unwrap().steps.len(), 1);
        assert_eq!(run(&mut list, write).unwrap(), Done::default());
        assert_eq!(list.delta, 2);
    }

    fn distribution(name: &str) -> ContactWrite {
        let extension = Some(contact_data::distribution(&a(&format!("{name}@contoso.com"))));
        ContactWrite::AddGroup(Group { extension, ..Group::new(GroupId(0), name) })
    }

    #[test]
    fn rule_11_only_custom_groups_are_renamed_and_only_they_and_the_favourites_take_contacts() {
        let mut list = ContactList::default();
        let favourites = add(&mut list, FAVORITE_GROUP_NAME);
        let frequent = add(&mut list, FREQUENT_GROUP_NAME);
        let dg = run(&mut list, distribution("team")).unwrap().new_group.unwrap();
        for id in [favourites, frequent, dg] {
            let renamed = ContactWrite::ModifyGroup(Group::new(id, "Other"));
            assert_eq!(run(&mut list, renamed), Err(ContactError::NotAllowedForGroup));
        }
        let own = add(&mut list, "Own");
        let reserved = ContactWrite::ModifyGroup(Group::new(own, FAVORITE_GROUP_NAME));
        assert_eq!(run(&mut list, reserved), Err(ContactError::NotAllowedForGroup));
        assert!(run(&mut list, ContactWrite::SetContact(contact("bob@contoso.com", &[favourites.0]))).is_ok());
        for id in [frequent, dg] {
            let put = ContactWrite::SetContact(contact("bob@contoso.com", &[id.0]));
            assert_eq!(run(&mut list, put), Err(ContactError::NotAllowedForGroup));
        }
        for id in [favourites, frequent] {
            assert_eq!(run(&mut list, ContactWrite::DeleteGroup(id)), Err(ContactError::NotAllowedForGroup));
        }
        assert!(run(&mut list, ContactWrite::DeleteGroup(dg)).is_ok());
    }

    #[test]
    fn a_writer_that_knows_no_extensions_leaves_them() {
        let mut list = ContactList::default();
        let xml = "<groupExtension><mine/></groupExtension>";
        let write = ContactWrite::AddGroup(Group { extension: Some(xml.into()), ..Group::new(GroupId(0), "Own") });
        let id = run(&mut list, write).unwrap().new_group.unwrap();
        run(&mut list, ContactWrite::ModifyGroup(Group::new(id, "Renamed"))).unwrap();
        assert_eq!(list.groups[1].extension.as_deref(), Some(xml));
        let broken = ContactWrite::AddGroup(Group { extension: Some("<x".into()), ..Group::new(GroupId(0), "Broken") });
        assert_eq!(run(&mut list, broken), Err(ContactError::InvalidData));
    }

    #[test]
    fn at_most_10_distribution_groups_and_as_many_contacts_and_groups_as_set() {
        let mut list = ContactList::default();
        for i in 0..10 {
            run(&mut list, distribution(&format!("dg{i}"))).unwrap();
        }
        assert_eq!(run(&mut list, distribution("dg10")), Err(ContactError::TooManyDistributionGroups));
        let few = ListLimits { contacts: 1, groups: 11, distribution_groups: 20 };
        assert_eq!(apply(&mut list, &me(), &few, distribution("dg10")), Err(ContactError::TooManyGroups));
        let put = |who: &str| ContactWrite::SetContact(contact(who, &[1]));
        assert!(apply(&mut list, &me(), &few, put("bob@contoso.com")).is_ok());
        assert_eq!(apply(&mut list, &me(), &few, put("carol@contoso.com")), Err(ContactError::TooManyContacts));
    }
}
