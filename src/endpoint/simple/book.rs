//! The contact list and the document that keeps it (`resource-lists`), both ways. Groups are lists; membership is the same
//! entry in several lists; who is in no group stands in a list of its own name.

use super::list::List;
use crate::domain::Address;
use crate::domain::contact::{Contact, DEFAULT_GROUP, Group, GroupId};
use crate::simple::resource_lists::{Entry, Extra, ResourceLists, slug};
use std::collections::{BTreeMap, BTreeSet};

/// The list of those who are in no group.
const OTHERS: &str = "other";
/// Lists of other programs that are no groups of contacts (OMA presence).
const NO_GROUPS: [&str; 3] = ["oma_grantedcontacts", "oma_blockedcontacts", "oma_pocbuddylist"];

/// Which list is which group.
pub type Names = BTreeMap<GroupId, String>;

/// The contact list that a document holds. Groups keep the numbers they had in `old`.
pub fn read(document: &ResourceLists, old: &List, names: &mut Names) -> List {
    let mut list = List::new(Vec::new(), Vec::new());
    let mut found = Names::new();
    let mut next = old.free_id().0;
    let mut places = BTreeMap::new();
    for l in document.lists().into_iter().filter(|l| !NO_GROUPS.contains(&l.name.as_str())) {
        let id = if l.name == OTHERS {
            DEFAULT_GROUP
        } else {
            let same_list = names.iter().find(|(_, name)| **name == l.name).map(|(id, _)| *id);
            let named = |g: &&Group| g.id != DEFAULT_GROUP && g.name == l.display_name && !names.contains_key(&g.id);
            let known = same_list.or_else(|| old.groups.iter().find(named).map(|g| g.id)).filter(|id| !found.contains_key(id));
            let id = known.unwrap_or_else(|| {
                next += 1;
                GroupId(next - 1)
            });
            let mut group = old.groups.iter().find(|g| g.id == id).cloned().unwrap_or_else(|| Group::new(id, ""));
            group.name.clone_from(&l.display_name);
            list.groups.push(group);
            found.insert(id, l.name.clone());
            id
        };
        for e in l.entries {
            put(&mut list, &mut places, e, id);
        }
    }
    *names = found;
    list
}

/// `places`: where in the list somebody stands.
fn put(list: &mut List, places: &mut BTreeMap<Address, usize>, entry: Entry, group: GroupId) {
    let at = *places.entry(entry.who.clone()).or_insert_with(|| {
        let Extra { unwatched, data, extension } = entry.extra;
        list.contacts.push(Contact {
            subscribed: !unwatched,
            external_uri: data,
            extension: Some(extension).filter(|e| !e.is_empty()),
            ..Contact::new(entry.who)
        });
        list.contacts.len() - 1
    });
    let Some(contact) = list.contacts.get_mut(at) else { return };
    if contact.name.is_empty() {
        contact.name = entry.name;
    }
    if group != DEFAULT_GROUP && !contact.groups.contains(&group) {
        contact.groups.push(group);
    }
}

/// Makes the document hold the contact list; what it holds besides stays.
pub fn write(list: &List, names: &mut Names, document: &mut ResourceLists) {
    let gone: Vec<GroupId> = names.keys().copied().filter(|id| !list.groups.iter().any(|g| g.id == *id)).collect();
    for name in gone.iter().filter_map(|id| names.remove(id)) {
        document.remove_list(&name);
    }
    for group in list.groups.iter().filter(|g| g.id != DEFAULT_GROUP) {
        let name = names.entry(group.id).or_insert_with(|| {
            let mut taken = document.names();
            taken.push(OTHERS.to_owned());
            slug(&group.name, &taken)
        });
        document.set_list(name, &group.name);
    }
    if list.contacts.iter().any(in_no_group) {
        document.set_list(OTHERS, "Other contacts");
    }
    for l in document.lists().into_iter().filter(|l| !NO_GROUPS.contains(&l.name.as_str())) {
        let id = if l.name == OTHERS { Some(DEFAULT_GROUP) } else { names.iter().find(|n| *n.1 == l.name).map(|n| *n.0) };
        let Some(id) = id else { continue };
        let is_in = |c: &&Contact| c.groups.contains(&id) || (id == DEFAULT_GROUP && in_no_group(c));
        let entries: Vec<Entry> = list.contacts.iter().filter(is_in).map(entry).collect();
        let mut gone: BTreeSet<Address> = l.entries.into_iter().map(|e| e.who).collect();
        for e in &entries {
            gone.remove(&e.who);
        }
        document.change_entries(&l.name, &gone, &entries);
    }
}

fn in_no_group(c: &Contact) -> bool {
    c.groups.iter().all(|g| *g == DEFAULT_GROUP)
}

fn entry(c: &Contact) -> Entry {
    let extra =
        Extra { unwatched: !c.subscribed, data: c.external_uri.clone(), extension: c.extension.clone().unwrap_or_default() };
    Entry { who: c.uri.clone(), name: c.name.clone(), extra }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::AddOptions;
    use crate::endpoint::{Operation, Outcome};

    fn a(name: &str) -> Address {
        Address::parse(&format!("{name}@example.com")).unwrap()
    }

    fn filled() -> List {
        let mut list = List::new(Vec::new(), Vec::new());
        let mut group = |name: &str| match list.apply(&a("me"), &Operation::AddGroup { name: name.into() }).unwrap().0 {
            Outcome::Group(id) => id,
            other => panic!("{other:?}"),
        };
        let (work, friends) = (group("Work & play"), group("Friends"));
        let add = |name: &str, groups: Vec<GroupId>, options: AddOptions| Operation::AddContact {
            uri: a(name),
            name: name.to_uppercase(),
            groups,
            options,
        };
        let quiet =
            AddOptions { without_presence: true, data: "d".into(), extension: Some("<x/>".into()), ..AddOptions::default() };
        for o in [add("bob", vec![work, friends], quiet), add("carol", vec![], AddOptions::default())] {
            list.apply(&a("me"), &o).unwrap();
        }
        list
    }

    #[test]
    fn a_list_reads_back_as_itself_with_the_same_numbers() {
        let (list, mut names, mut document) = (filled(), Names::new(), ResourceLists::default());
        write(&list, &mut names, &mut document);
        let again = ResourceLists::parse(&document.to_bytes()).unwrap();
        assert_eq!(read(&again, &list, &mut names.clone()), list);
        // Also where only the names are known, as after a restart.
        assert_eq!(read(&again, &list, &mut Names::new()), list);
        assert_eq!(read(&again, &List::new(vec![], vec![]), &mut Names::new()).contacts.len(), 2);
    }

    #[test]
    fn changes_take_away_only_what_is_ours() {
        let (mut list, mut names, mut document) = (filled(), Names::new(), ResourceLists::default());
        write(&list, &mut names, &mut document);
        let foreign = "<x:mine xmlns:x='urn:x'/><list name='oma_blockedcontacts'><entry uri='sip:eve@example.com'/></list></resource-lists>";
        let text = String::from_utf8(document.to_bytes()).unwrap().replace("</resource-lists>", foreign);
        let mut document = ResourceLists::parse(text.as_bytes()).unwrap();
        let work = list.groups[1].id;
        list.apply(&a("me"), &Operation::DeleteGroup { id: work }).unwrap();
        list.apply(&a("me"), &Operation::DeleteContact { uri: a("carol") }).unwrap();
        write(&list, &mut names, &mut document);
        let text = String::from_utf8(document.to_bytes()).unwrap();
        assert!(!text.contains("Work") && !text.contains("carol") && text.contains("eve") && text.contains("urn:x"), "{text}");
        assert_eq!(read(&document, &list, &mut names), list);
    }
}
