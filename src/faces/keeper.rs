//! Joins the application's store requests with the store's own words.
//!
//! The application keeps transcripts by thread key; the store uses the same key for conversation and transcript.

use crate::app::effect::{SavedTab, StoreRequest};
use crate::app::event::{Snapshot, StoreReply};
use crate::domain::conference::Conference;
use crate::domain::conversation::{ConversationId, Delivery, InstantMessage, MessageId, TextFormat};
use crate::domain::{Address, Time};
use crate::endpoint::config::KnownMeetings;
use crate::store::client::{
    AccountId, Answer, Cursor, Peer, Query, QueuedMessage, SavedConversation, Snapshot as Stored, Worker, WorkerReply, Write,
};
use crate::store::limits::MAX_PAGE;
use std::collections::{HashMap, HashSet};

/// Messages of each open tab that the first paint has at hand.
pub const TAIL: usize = 100;

/// Messages of a transcript that an export writes at most.
const EXPORT_LIMIT: usize = 1_000_000;

/// The setting that holds meetings of others, as JSON.
const KEPT_MEETINGS: &str = "kept-meetings";
/// The setting that holds what is still to be said of meetings, as JSON.
const LETTERS: &str = "unsent-letters";
/// Setting that holds the thread key of the shown tab.
const SHOWN: &str = "shown-tab";
/// Setting that holds the missed conversations.
const MISSED: &str = "missed";
/// Setting that holds the alerts.
const ALERTS: &str = "alerts";

/// What waits for an answer of the store.
#[derive(Debug)]
enum Pending {
    History {
        thread: String,
        limit: usize,
    },
    Found {
        query: String,
    },
    /// Pages so far, the newest first.
    Export {
        thread: String,
        path: String,
        pages: Vec<Vec<InstantMessage>>,
    },
}

/// A finished export: where, and the lines.
#[derive(Debug, PartialEq)]
pub struct Export {
    /// Thread key.
    pub thread: String,
    /// File to write.
    pub path: String,
    /// The messages, oldest first.
    pub messages: Vec<InstantMessage>,
}

/// What an answer of the store means to the application.
#[derive(Debug)]
pub enum Kept {
    /// For the application.
    Reply(StoreReply),
    /// A file is to be written.
    Export(Export),
    /// Nothing to tell.
    Nothing,
}

/// The application's side of one account's store.
#[derive(Debug)]
pub struct Keeper {
    worker: Worker,
    account: AccountId,
    pending: HashMap<u64, Pending>,
    next: u64,
    open: HashSet<String>,
    /// The oldest message each transcript has shown, so that paging goes on exactly there.
    oldest: HashMap<String, Cursor>,
}

impl Keeper {
    /// A keeper of an account whose tabs at the start are those of `snapshot`.
    pub fn new(worker: Worker, account: AccountId, snapshot: &Stored) -> Keeper {
        let open = snapshot.tabs.iter().map(|t| t.conversation.id.0.clone()).collect();
        let first = |t: &crate::store::client::Tab| t.tail.first().map(|m| (t.conversation.id.0.clone(), m.cursor));
        let oldest = snapshot.tabs.iter().filter_map(first).collect();
        Keeper { worker, account, pending: HashMap::new(), next: 0, open, oldest }
    }

    /// Does one request.
    pub fn request(&mut self, request: StoreRequest) {
        match request {
            StoreRequest::SaveMessage { thread, message } => self.save_message(thread, message),
            StoreRequest::SetDelivery { message, state } => self.set_delivery(message, state),
            StoreRequest::SaveDraft { thread, text } => self.write(Write::Draft { conversation: ConversationId(thread), text }),
            StoreRequest::SaveTabs(tabs) => self.save_tabs(tabs),
            StoreRequest::SaveShown(thread) => {
                self.write(Write::Setting { name: SHOWN.into(), value: Some(thread) });
            }
            StoreRequest::SaveMissed(all) => {
                self.write(Write::Setting { name: MISSED.into(), value: serde_json::to_string(&all).ok() });
            }
            StoreRequest::MoveThread { from, to } => {
                if let Some(oldest) = self.oldest.remove(&from) {
                    self.oldest.entry(to.clone()).or_insert(oldest);
                }
                self.write(Write::MovePeer { from: Peer(from), to: Peer(to) });
            }
            StoreRequest::SaveContacts { groups, contacts } => self.write(Write::ContactList { groups, contacts }),
            StoreRequest::SaveContact(contact) => self.write(Write::Contact(contact)),
            StoreRequest::RemoveContact(uri) => self.write(Write::RemoveContact(uri)),
            StoreRequest::DeleteHistory { thread } => {
                self.oldest.remove(&thread);
                self.write(Write::DeleteHistory { peer: Peer(thread) });
            }
            StoreRequest::SavePresence { uri, presence } => self.write(Write::Presence { uri, presence }),
            StoreRequest::SaveAlerts(all) => {
                // Plain data always writes.
                let value = serde_json::to_string(&all).ok().filter(|_| !all.is_empty());
                self.write(Write::Setting { name: ALERTS.into(), value });
            }
            StoreRequest::LoadHistory { thread, before, limit } => self.load(thread, before, limit),
            StoreRequest::Search { query, limit } => {
                let ask = Query::Search { text: query.clone(), peer: None, limit };
                self.ask(Pending::Found { query }, ask);
            }
            StoreRequest::SaveMeetings { own, kept } => {
                self.write(Write::Meetings(own));
                // What cannot be written as text is not kept; nothing of ours is such.
                let value = serde_json::to_string(&kept).ok();
                self.write(Write::Setting { name: KEPT_MEETINGS.into(), value });
            }
            StoreRequest::SaveLetters(all) => {
                // Plain data always writes.
                let value = serde_json::to_string(&all).ok().filter(|_| !all.is_empty());
                self.write(Write::Setting { name: LETTERS.into(), value });
            }
            StoreRequest::Export { thread, path } => {
                let ask = Query::Page { peer: Peer(thread.clone()), before: None, limit: MAX_PAGE };
                self.ask(Pending::Export { thread, path, pages: Vec::new() }, ask);
            }
        }
    }

    /// Translates what the worker said.
    pub fn reply(&mut self, reply: WorkerReply) -> Kept {
        let (id, answer) = match reply {
            WorkerReply::Trouble(e) => return Kept::Reply(StoreReply::Failed(e.to_string())),
            WorkerReply::Recovered => return Kept::Nothing,
            WorkerReply::Answer(id, answer) => (id, answer),
        };
        let Some(pending) = self.pending.remove(&id) else { return Kept::Nothing };
        match (pending, answer) {
            (Pending::History { thread, .. }, Err(e)) => Kept::Reply(StoreReply::NoHistory { thread, reason: e.to_string() }),
            (_, Err(e)) => Kept::Reply(StoreReply::Failed(e.to_string())),
            (Pending::History { thread, limit }, Ok(Answer::Page(page))) => {
                if let Some(first) = page.first() {
                    self.oldest.insert(thread.clone(), first.cursor);
                }
                let more = page.len() >= limit;
                let messages = page.into_iter().map(|s| s.message).collect();
                Kept::Reply(StoreReply::History { thread, messages, more })
            }
            (Pending::Found { query }, Ok(Answer::Found(found))) => {
                let messages = found.into_iter().map(|s| (s.peer.0, s.message)).collect();
                Kept::Reply(StoreReply::Found { query, messages })
            }
            (Pending::Export { thread, path, mut pages }, Ok(Answer::Page(page))) => {
                let (first, whole) = (page.first().map(|s| s.cursor), page.len() >= MAX_PAGE);
                pages.push(page.into_iter().map(|s| s.message).collect());
                if whole && pages.len() * MAX_PAGE < EXPORT_LIMIT {
                    let ask = Query::Page { peer: Peer(thread.clone()), before: first, limit: MAX_PAGE };
                    self.ask(Pending::Export { thread, path, pages }, ask);
                    return Kept::Nothing;
                }
                Kept::Export(Export { thread, path, messages: pages.into_iter().rev().flatten().collect() })
            }
            _ => Kept::Nothing,
        }
    }

    fn save_message(&mut self, thread: String, message: InstantMessage) {
        if message.state == Delivery::Queued {
            self.write(Write::Enqueue(QueuedMessage {
                message: message.id.clone(),
                conversation: ConversationId(thread.clone()),
                peer: Peer(thread.clone()),
                text: message.body.clone(),
                at: message.at,
                alone: message.alone.clone(),
            }));
        }
        self.write(Write::Message { conversation: ConversationId(thread.clone()), peer: Peer(thread), message });
    }

    fn set_delivery(&mut self, message: MessageId, state: Delivery) {
        if state != Delivery::Queued {
            self.write(Write::Dequeue(message.clone()));
        }
        self.write(Write::Delivery { message, state });
    }

    fn save_tabs(&mut self, tabs: Vec<SavedTab>) {
        let now: HashSet<String> = tabs.iter().map(|t| t.thread.clone()).collect();
        let gone: Vec<String> = self.open.difference(&now).cloned().collect();
        for thread in gone {
            self.write(Write::ForgetConversation(ConversationId(thread)));
        }
        for (position, tab) in (0..).zip(tabs) {
            self.write(Write::Conversation(SavedConversation {
                id: ConversationId(tab.thread.clone()),
                peer: Peer(tab.thread),
                subject: tab.subject,
                participants: Vec::new(),
                focus: None,
                open: true,
                position,
                used: tab.read_until.unwrap_or_default(),
                last_read: None,
            }));
        }
        self.open = now;
    }

    fn load(&mut self, thread: String, before: Option<Time>, limit: usize) {
        // The store brings no more at once, and a page that is not full is the last.
        let limit = limit.min(MAX_PAGE);
        let known = self.oldest.get(&thread).copied();
        let before = before.map(|t| known.filter(|c| c.0 == t.0).unwrap_or(Cursor(t.0, 0)));
        let ask = Query::Page { peer: Peer(thread.clone()), before, limit };
        self.ask(Pending::History { thread, limit }, ask);
    }

    fn ask(&mut self, pending: Pending, query: Query) {
        self.next += 1;
        self.pending.insert(self.next, pending);
        self.worker.query(self.next, &self.account, query);
    }

    fn write(&self, write: Write) {
        self.worker.write(&self.account, write);
    }
}

/// Meetings of others as they were kept; a list that another version wrote is no loss.
pub fn kept_meetings(stored: &Stored) -> Vec<Conference> {
    written(stored, KEPT_MEETINGS)
}

/// Everything an endpoint has to know of meetings on a server that keeps none.
pub fn known_meetings(stored: &Stored) -> KnownMeetings {
    KnownMeetings { own: stored.meetings.clone(), invited: kept_meetings(stored), letters: written(stored, LETTERS) }
}

fn written<T: serde::de::DeserializeOwned>(stored: &Stored, setting: &str) -> Vec<T> {
    let kept = stored.settings.iter().find(|s| s.0 == setting);
    kept.and_then(|s| serde_json::from_str(&s.1).ok()).unwrap_or_default()
}

/// The store's snapshot in the application's words; `owner` wrote what waits in the outbox.
pub fn snapshot(stored: Stored, owner: &Address) -> Snapshot {
    let kept = kept_meetings(&stored);
    let mut out = Snapshot { groups: stored.groups, contacts: stored.contacts, presence: stored.presence, ..Snapshot::default() };
    for tab in stored.tabs {
        let thread = tab.conversation.id.0;
        let read_until = Some(tab.conversation.used).filter(|t| t.0 > 0);
        out.tabs.push(SavedTab { thread: thread.clone(), subject: tab.conversation.subject, read_until });
        out.messages.push((thread, tab.tail.into_iter().map(|s| s.message).collect()));
    }
    out.meetings = stored.meetings;
    out.kept_meetings = kept;
    for (name, value) in stored.settings {
        match name.as_str() {
            SHOWN => out.shown = Some(value),
            // A list that another version wrote is no loss.
            MISSED => out.missed = serde_json::from_str(&value).unwrap_or_default(),
            ALERTS => out.alerts = serde_json::from_str(&value).unwrap_or_default(),
            _ => {}
        }
    }
    out.drafts = stored.drafts.into_iter().map(|(id, text)| (id.0, text)).collect();
    out.outbox = stored
        .outbox
        .into_iter()
        .map(|q| {
            let (id, at, body, author) = (q.message, q.at, q.text, owner.clone());
            let (format, state) = (TextFormat::Plain, Delivery::Queued);
            (q.conversation.0, InstantMessage { id, author, at, body, format, state, alone: q.alone })
        })
        .collect();
    out
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
