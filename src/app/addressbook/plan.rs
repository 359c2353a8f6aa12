//! What an import would do, before it does it.

use super::{Book, BookContact, BookGroup, List, Mistake};
use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, DEFAULT_GROUP, GroupId};
use crate::endpoint::{Operation, contact_data};
use std::collections::BTreeSet;

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Groups to be made first.
    pub groups: Vec<BookGroup>,
    /// People to be added.
    pub new: Vec<Address>,
    /// People who are changed.
    pub changed: Vec<Address>,
    /// People who are as the file says.
    pub same: usize,
    /// What cannot be used.
    pub mistakes: Vec<Mistake>,
}

impl Plan {
    /// Nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.new.is_empty() && self.changed.is_empty()
    }

    /// "2 groups, 3 new, 1 changed, 4 as they are, 1 cannot be read"
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        let mut add = |n: usize, one: &str, many: &str| {
            if n > 0 {
                parts.push(format!("{n} {}", if n == 1 { one } else { many }));
            }
        };
        add(self.groups.len(), "new group", "new groups");
        add(self.new.len(), "new contact", "new contacts");
        add(self.changed.len(), "changed", "changed");
        add(self.same, "as it is", "as they are");
        add(self.mistakes.len(), "mistake", "mistakes");
        if parts.is_empty() { "the file names nobody".into() } else { parts.join(", ") }
    }

    /// What is left of it when some groups (by name) and people did not work.
    pub fn without(&self, failed: &BTreeSet<String>) -> Plan {
        let people = |all: &[Address]| all.iter().filter(|a| !failed.contains(a.bare())).cloned().collect();
        Plan {
            groups: self.groups.iter().filter(|g| !failed.contains(&g.name)).cloned().collect(),
            new: people(&self.new),
            changed: people(&self.changed),
            ..self.clone()
        }
    }
}

/// Compares a file with the list.
pub fn plan(book: &Book, list: &List<'_>) -> Plan {
    let mut plan = Plan { mistakes: book.mistakes.clone(), ..Plan::default() };
    let named = book.contacts.iter().flat_map(|c| c.groups.iter().flatten());
    let named = named.map(|name| BookGroup { name: name.clone(), address: None });
    for group in book.groups.iter().cloned().chain(named) {
        let there = list.group(&group.name).is_some() || plan.groups.iter().any(|g| g.name == group.name);
        if !there && !group.name.trim().is_empty() {
            plan.groups.push(group);
        }
    }
    for c in &book.contacts {
        if c.address.bare() == list.owner {
            plan.mistakes.push(Mistake { line: 0, text: format!("{} is your own address", list.owner) });
            continue;
        }
        match list.contacts.iter().find(|k| k.uri == c.address) {
            None => plan.new.push(c.address.clone()),
            Some(_) if steps(c, list).is_empty() && !joins_new(c, &plan.groups) => plan.same += 1,
            Some(_) => plan.changed.push(c.address.clone()),
        }
    }
    plan
}

fn joins_new(c: &BookContact, new: &[BookGroup]) -> bool {
    c.groups.iter().flatten().any(|name| new.iter().any(|g| g.name == *name))
}

/// What makes a new group.
pub fn make_group(group: &BookGroup) -> Operation {
    match &group.address {
        Some(address) => Operation::AddDistributionGroup { name: group.name.clone(), address: address.clone() },
        None => Operation::AddGroup { name: group.name.clone() },
    }
}

/// What brings one person to what the file says, once the groups are there. Empty: nothing is to be done.
pub fn steps(c: &BookContact, list: &List<'_>) -> Vec<Operation> {
    match list.contacts.iter().find(|k| k.uri == c.address) {
        None => vec![add(c, list)],
        Some(known) => change(c, known, list),
    }
}

fn add(c: &BookContact, list: &List<'_>) -> Operation {
    let tagged = c.tagged.unwrap_or(false);
    let extension = c.extension.clone().flatten();
    let options = AddOptions {
        without_presence: c.presence == Some(false),
        data: c.data.clone().unwrap_or_default(),
        // An extension without room for the tag goes as it is.
        extension: contact_data::with_tag(extension.as_deref(), tagged).unwrap_or(extension),
        level: c.level,
        note: String::new(),
    };
    let groups = c.groups.as_deref().map(|g| ids(g, list)).unwrap_or_default();
    Operation::AddContact { uri: c.address.clone(), name: c.name.clone().unwrap_or_default(), groups, options }
}

fn ids(names: &[String], list: &List<'_>) -> Vec<GroupId> {
    let mut ids: Vec<GroupId> =
        names.iter().filter_map(|n| list.group(n)).filter(|g| g.kind().takes_contacts()).map(|g| g.id).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn change(c: &BookContact, known: &Contact, list: &List<'_>) -> Vec<Operation> {
    let uri = || known.uri.clone();
    let mut out = Vec::new();
    if let Some(name) = c.name.as_ref().filter(|n| **n != known.name) {
        out.push(Operation::RenameContact { uri: uri(), name: name.clone() });
    }
    if let Some(names) = &c.groups {
        let wanted = ids(names, list);
        let mut there: Vec<GroupId> = known.groups.iter().copied().filter(|g| *g != DEFAULT_GROUP).collect();
        // Groups that people cannot be put into are not the file's to say.
        there.retain(|id| list.groups.iter().any(|g| g.id == *id && g.kind().takes_contacts()));
        there.sort();
        if wanted != there {
            out.push(Operation::Regroup {
                uri: uri(),
                join: wanted.iter().copied().filter(|g| !there.contains(g)).collect(),
                leave: there.iter().copied().filter(|g| !wanted.contains(g)).collect(),
            });
        }
    }
    if let Some(wanted) = c.presence.filter(|p| *p != known.subscribed) {
        out.push(Operation::SetContactPresence { uri: uri(), wanted });
    }
    let bare = contact_data::with_tag(known.extension.as_deref(), false).flatten();
    let tagged = contact_data::is_tagged(known);
    let data = c.data.as_ref().is_some_and(|d| *d != known.external_uri);
    if data || c.extension.as_ref().is_some_and(|x| *x != bare) {
        let extension = c.extension.clone().unwrap_or(bare);
        out.push(Operation::SetContactData {
            uri: uri(),
            data: c.data.clone().unwrap_or_else(|| known.external_uri.clone()),
            extension: contact_data::with_tag(extension.as_deref(), tagged).unwrap_or(extension),
        });
    }
    if let Some(tagged) = c.tagged.filter(|t| *t != tagged) {
        out.push(Operation::TagContact { uri: uri(), tagged });
    }
    if let Some(level) = c.level.filter(|l| (list.level)(&known.uri) != Some(*l)) {
        out.push(Operation::SetLevel { uri: uri(), level: Some(level) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_work_is_not_counted_as_done() {
        let a = |name: &str| Address::parse(&format!("{name}@contoso.com")).unwrap();
        let group = |name: &str| BookGroup { name: name.into(), address: None };
        let plan = Plan {
            groups: vec![group("Team"), group("Friends")],
            new: vec![a("bob"), a("carol"), a("dan")],
            changed: vec![a("erin")],
            same: 2,
            ..Plan::default()
        };
        let failed = ["Friends", "carol@contoso.com", "erin@contoso.com"].map(str::to_owned).into();
        assert_eq!(plan.without(&failed).summary(), "1 new group, 2 new contacts, 2 as they are");
        assert_eq!(plan.without(&BTreeSet::new()), plan);
    }
}
