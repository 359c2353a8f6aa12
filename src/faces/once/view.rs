//! What a one-shot session has heard, and how it names things.

use crate::domain::Address;
use crate::domain::contact::{Contact, Group, GroupId};
use crate::domain::conversation::{Delivery, MessageId};
use crate::domain::presence::{Level, Member, Presence, SelfPresence};
use crate::endpoint::Event;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Everything heard.
#[derive(Debug, Default)]
pub struct View {
    /// The contact list has come.
    pub listed: bool,
    /// Groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Contacts.
    pub contacts: BTreeMap<Address, Contact>,
    /// Presence of others.
    pub presence: HashMap<Address, Presence>,
    /// Own presence.
    pub own: Option<SelfPresence>,
    /// How far messages got.
    pub deliveries: HashMap<MessageId, Delivery>,
    /// Messages that the server keeps until their readers are there.
    pub kept: HashSet<MessageId>,
    /// Sentences of the endpoint that belong to no operation.
    pub notices: Vec<String>,
}

impl View {
    /// Takes an event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::ContactList { groups, contacts } => {
                self.listed = true;
                self.groups = groups.iter().map(|g| (g.id, g.clone())).collect();
                self.contacts = contacts.iter().map(|c| (c.uri.clone(), c.clone())).collect();
            }
            Event::ContactChanged(c) => drop(self.contacts.insert(c.uri.clone(), c.clone())),
            Event::ContactRemoved(uri) => drop(self.contacts.remove(uri)),
            Event::GroupChanged(g) => drop(self.groups.insert(g.id, g.clone())),
            Event::GroupRemoved(id) => drop(self.groups.remove(id)),
            Event::Presence { uri, presence } => drop(self.presence.insert(uri.clone(), (**presence).clone())),
            Event::SelfPresence(own) => self.own = Some((**own).clone()),
            Event::MessageState { message, state, .. } => drop(self.deliveries.insert(message.clone(), state.clone())),
            Event::Kept { message, .. } => drop(self.kept.insert(message.clone())),
            Event::Notice(text) => self.notices.push(text.clone()),
            _ => {}
        }
    }

    /// A group by its name (case counts only where two differ in nothing else) or by `#` and its number.
    ///
    /// # Errors
    /// When there is none; the sentence names those that are.
    pub fn group(&self, name: &str) -> Result<&Group, String> {
        let by_id = name.strip_prefix('#').and_then(|n| n.parse().ok()).and_then(|n| self.groups.get(&GroupId(n)));
        let exact = || self.groups.values().find(|g| g.title() == name || g.name == name);
        let low = name.to_lowercase();
        let loose = || self.groups.values().find(|g| g.title().to_lowercase() == low);
        by_id.or_else(exact).or_else(loose).ok_or_else(|| {
            let names: Vec<String> = self.groups.values().map(|g| format!("“{}”", g.title())).collect();
            format!("there is no group “{name}”; there are {}", names.join(", "))
        })
    }

    /// A contact.
    ///
    /// # Errors
    /// When the person is not on the list.
    pub fn contact(&self, uri: &Address) -> Result<&Contact, String> {
        self.contacts.get(uri).ok_or_else(|| format!("{} is not on the list", uri.bare()))
    }

    /// Names of a contact's groups.
    pub fn groups_of(&self, contact: &Contact) -> Vec<String> {
        contact.groups.iter().filter_map(|g| self.groups.get(g)).map(|g| g.title().to_owned()).collect()
    }

    /// The name of somebody: alias, card, address.
    pub fn name(&self, uri: &Address) -> String {
        let alias = self.contacts.get(uri).map(|c| c.name.clone()).filter(|n| !n.is_empty());
        let card = || self.presence.get(uri)?.card.display_name.clone().filter(|n| !n.is_empty());
        alias.or_else(card).unwrap_or_else(|| uri.bare().to_owned())
    }

    /// The level a person was put on.
    pub fn level(&self, uri: &Address) -> Option<Level> {
        let containers = self.own.iter().flat_map(|o| &o.containers);
        let holding = containers.filter(|c| c.members.contains(&Member::User(uri.clone())));
        holding.filter_map(|c| Level::of_container(c.id)).max()
    }
}
