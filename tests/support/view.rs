//! What somebody knows who only hears an endpoint's events; it checks on the way that events bring news.

use adsum::domain::contact::{Contact, Group, GroupId};
use adsum::domain::conversation::{Conversation, ConversationId, Delivery, InstantMessage, MessageId, Recipient};
use adsum::domain::presence::{Freshness, Presence, SelfPresence};
use adsum::domain::privacy::Mode;
use adsum::domain::watching::{Standing, ViewId};
use adsum::domain::{Address, Time};
use adsum::endpoint::{EndpointState, Error, Event, OperationId, Outcome, Reason};
use std::collections::BTreeMap;

/// A replica made of events.
#[derive(Debug, Default)]
pub struct View {
    pub state: Option<EndpointState>,
    pub reason: Option<Reason>,
    pub retry_at: Option<Time>,
    pub gruu: Option<String>,
    pub has_list: bool,
    pub groups: BTreeMap<GroupId, Group>,
    pub contacts: BTreeMap<Address, Contact>,
    pub presence: BTreeMap<Address, Presence>,
    pub own: Option<SelfPresence>,
    pub privacy: Option<Mode>,
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub messages: BTreeMap<ConversationId, Vec<InstantMessage>>,
    /// How far our own messages got.
    pub deliveries: BTreeMap<MessageId, Delivery>,
    /// Every text as it was told, repetitions included.
    pub heard: Vec<(ConversationId, InstantMessage)>,
    pub recipients: BTreeMap<MessageId, Vec<Recipient>>,
    /// Missed conversations.
    pub missed: Vec<(Address, String)>,
    pub notices: Vec<String>,
    /// How presence comes, where it does not come at once.
    pub standing: BTreeMap<Address, Standing>,
    /// Who left which view, and why.
    pub left: Vec<(ViewId, Address, String)>,
    pub results: BTreeMap<OperationId, Result<Outcome, Error>>,
    /// Every event, for a failing test's report.
    pub count: usize,
}

impl View {
    /// Takes an event in. Panics when it says what was known already.
    pub fn apply(&mut self, event: Event) {
        self.count += 1;
        match event {
            Event::State { state, reason, retry_at } => {
                self.state = Some(state);
                self.reason = Some(reason);
                self.retry_at = retry_at;
            }
            Event::SignedIn { gruu, .. } => self.gruu = Some(gruu),
            Event::ContactList { groups, contacts } => {
                self.has_list = true;
                self.groups = groups.into_iter().map(|g| (g.id, g)).collect();
                self.contacts = contacts.into_iter().map(|c| (c.uri.clone(), c)).collect();
            }
            Event::ContactChanged(contact) => {
                assert_ne!(self.contacts.get(&contact.uri), Some(&contact), "no news");
                self.contacts.insert(contact.uri.clone(), contact);
            }
            Event::ContactRemoved(uri) => assert!(self.contacts.remove(&uri).is_some(), "removed twice: {uri}"),
            Event::GroupChanged(group) => {
                assert_ne!(self.groups.get(&group.id), Some(&group), "no news");
                self.groups.insert(group.id, group);
            }
            Event::GroupRemoved(id) => assert!(self.groups.remove(&id).is_some(), "removed twice: {id:?}"),
            Event::Presence { uri, presence } => {
                assert_ne!(self.presence.get(&uri), Some(&*presence), "no news of {uri}");
                self.presence.insert(uri, *presence);
            }
            Event::Watching { uri, standing } => {
                assert_ne!(self.standing.get(&uri), Some(&standing), "no news of how {uri} is watched");
                self.standing.insert(uri, standing);
            }
            Event::TargetLeft { view, uri, reason } => self.left.push((view, uri, reason)),
            Event::SelfPresence(own) => {
                assert_ne!(self.own.as_ref(), Some(&*own), "no news of oneself");
                self.own = Some(*own);
            }
            Event::Privacy { mode, .. } => self.privacy = Some(mode),
            Event::Conversation(conversation) => {
                assert_ne!(self.conversations.get(&conversation.id), Some(&*conversation), "no news of a conversation");
                self.conversations.insert(conversation.id.clone(), *conversation);
            }
            Event::Message { conversation, message } => {
                self.heard.push((conversation.clone(), message.clone()));
                let all = self.messages.entry(conversation).or_default();
                match all.iter_mut().find(|m| m.id == message.id) {
                    Some(known) => *known = message,
                    None => all.push(message),
                }
            }
            Event::MessageState { conversation, message, state } => self.note_delivery(&conversation, &message, state),
            Event::Kept { .. } => {}
            Event::Recipients { message, recipients, .. } => drop(self.recipients.insert(message, recipients)),
            Event::Transfer(_) => {}
            Event::Missed { from, toast } => self.missed.push((from, toast)),
            Event::Missing { why, .. } => self.notices.extend(why),
            // Meetings among people are their endpoints' own affair.
            Event::Meeting { .. } | Event::Letters(_) => {}
            Event::Notice(text) => self.notices.push(text),
            Event::Completed { id, result } => {
                assert!(self.results.insert(id, result).is_none(), "{id:?} ended twice");
            }
        }
    }

    fn note_delivery(&mut self, conversation: &ConversationId, message: &MessageId, state: Delivery) {
        let all = self.messages.entry(conversation.clone()).or_default();
        if let Some(m) = all.iter_mut().find(|m| m.id == *message) {
            m.state = state.clone();
        }
        assert_ne!(self.deliveries.get(message), Some(&state), "no news of {message:?}");
        self.deliveries.insert(message.clone(), state);
    }

    /// Availability number known of somebody, if it is fresh.
    pub fn availability(&self, who: &Address) -> Option<u32> {
        let p = self.presence.get(who)?;
        matches!(p.freshness, Freshness::Known { .. }).then(|| p.availability.map(|a| a.0))?
    }

    /// Personal note known of somebody.
    pub fn note(&self, who: &Address) -> Option<&str> {
        self.presence.get(who)?.note.as_ref().map(|n| n.text.as_str())
    }

    /// The texts of a conversation in order of arrival.
    pub fn texts(&self, conversation: &ConversationId) -> Vec<&str> {
        self.messages.get(conversation).map(|all| all.iter().map(|m| m.body.as_str()).collect()).unwrap_or_default()
    }
}
