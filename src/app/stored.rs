//! What the store says: the snapshot of the last run, pages of history, search results.

use super::Editor;
use super::door::Door;
use super::event::{Snapshot, StoreReply};
use super::limits::COMPOSER_CHARS;
use super::state::overlay::{Choice, Overlay, Picker};
use super::state::people::Loaded;
use super::state::{Entry, Tab, Thread};
use super::{alerts, heard, meetings, scroll, tabs};
use crate::domain::Time;
use crate::domain::conversation::{ConversationId, InstantMessage, MessageId};
use crate::domain::presence::Freshness;
use std::collections::HashSet;

/// Takes an answer of the store.
pub fn reply(door: &mut Door<'_>, reply: StoreReply) {
    match reply {
        StoreReply::Snapshot(s) => snapshot(door, *s),
        StoreReply::History { thread, messages, more } => history(door, &thread, messages, more),
        StoreReply::Found { query, messages } => found(door, &query, messages),
        StoreReply::NoHistory { thread, reason } => {
            let tabs = &mut door.state.conversations.tabs;
            if let Some(tab) = Thread::from_key(&thread).and_then(|t| tabs.iter_mut().find(|x| x.thread == t)) {
                (tab.loading, tab.go_to) = (false, None);
            }
            door.complain(format!("What was written earlier cannot be read: {reason}"));
        }
        StoreReply::Failed(reason) => door.complain(format!("History and drafts cannot be kept: {reason}")),
    }
}

/// First paint: what was known when the program ended. Comes before the network; what the network said already wins.
fn snapshot(door: &mut Door<'_>, s: Snapshot) {
    let state = &mut *door.state;
    if state.people.loaded == Loaded::Nothing {
        state.people.groups = s.groups;
        state.people.contacts = s.contacts.into_iter().map(|c| (c.uri.clone(), c)).collect();
        state.people.loaded = Loaded::Cached;
    }
    let now = door.now;
    for (uri, mut presence) in s.presence {
        let since = match presence.freshness {
            Freshness::Known { at } => at,
            Freshness::Stale { since } => since,
            Freshness::Unknown => now,
        };
        presence.freshness = Freshness::Stale { since };
        state.people.presence.entry(uri).or_insert(presence);
    }
    state.people.dirty = true;
    let me = state.account.address.clone();
    for saved in s.tabs {
        let Some(thread) = Thread::from_key(&saved.thread) else { continue };
        if state.conversations.tabs.iter().any(|t| t.thread == thread) {
            continue;
        }
        let with = match &thread {
            Thread::Person(uri) => Some(uri.clone()),
            _ => None,
        };
        let mut c = tabs::idle(ConversationId(state.fresh_id()), with.as_ref(), saved.subject);
        if let Thread::Conference(focus) = &thread {
            c.focus = Some(focus.clone());
        }
        let mut tab = Tab::new(thread, c);
        (tab.read_until, tab.more_history) = (saved.read_until, true);
        state.conversations.tabs.push(tab);
    }
    for (thread, messages) in s.messages {
        let Some(tab) = Thread::from_key(&thread).and_then(|t| state.conversations.tabs.iter_mut().find(|x| x.thread == t))
        else {
            continue;
        };
        if let (Thread::Person(uri), Some(last)) = (&tab.thread, messages.last()) {
            state.people.recent.insert(uri.clone(), last.at.0);
        }
        let read = tab.read_until.unwrap_or(Time(u64::MAX));
        let unread: Vec<&InstantMessage> = messages.iter().filter(|m| m.at > read && Some(&m.author) != me.as_ref()).collect();
        (tab.unread, tab.unread_from) = (unread.len(), unread.first().map(|m| m.id.clone()));
        tab.entries = messages.into_iter().map(|message| Entry::Message { message, mention: false }).collect();
    }
    for (thread, text) in s.drafts {
        state.conversations.drafts.insert(thread.clone(), text.clone());
        let Some(tab) = Thread::from_key(&thread).and_then(|t| state.conversations.tabs.iter_mut().find(|x| x.thread == t))
        else {
            continue;
        };
        if tab.composer.is_empty() {
            tab.composer = Editor::limited(text.clone(), COMPOSER_CHARS);
            tab.saved_draft = text;
        }
    }
    if state.conversations.missed.is_empty() {
        state.conversations.missed = s.missed;
    }
    // The tab of last time, unless somebody has chosen one already.
    let shown = s.shown.and_then(|key| Thread::from_key(&key));
    let at = shown.and_then(|t| state.conversations.tabs.iter().position(|x| x.thread == t));
    if let Some(at) = at.filter(|_| state.conversations.at == 0) {
        state.conversations.at = at;
    }
    state.outbox.extend(s.outbox);
    if !state.meetings.loaded {
        state.meetings.list = s.meetings;
    }
    (state.meetings.kept, state.meetings.built_for) = (s.kept_meetings, None);
    tabs::watch_strangers(door);
    heard::send_outbox(door);
    alerts::restore(door, s.alerts);
}

fn history(door: &mut Door<'_>, thread: &str, messages: Vec<InstantMessage>, more: bool) {
    let me = door.state.account.address.clone();
    let reading = door.state.conversations.at;
    let Some(at) = Thread::from_key(thread).and_then(|t| door.state.conversations.tabs.iter().position(|x| x.thread == t)) else {
        return;
    };
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    let known: HashSet<MessageId> = {
        let page: HashSet<&MessageId> = messages.iter().map(|m| &m.id).collect();
        tab.entries.iter().map(Entry::id).filter(|id| page.contains(id)).cloned().collect()
    };
    // A message still queued from an earlier run is sent by the outbox; here it is only shown.
    let fresh: Vec<Entry> = messages
        .into_iter()
        .filter(|m| !known.contains(&m.id))
        .map(|message| Entry::Message { message, mention: false })
        .collect();
    let first = tab.entries.is_empty();
    tab.entries.splice(0..0, fresh);
    tab.entries.sort_by_key(Entry::at);
    (tab.loading, tab.more_history) = (false, more);
    if first && tab.sent.is_empty() {
        let own = tab.entries.iter().filter_map(Entry::message).filter(|m| Some(&m.author) == me.as_ref());
        tab.sent = own.map(|m| m.body.clone()).collect::<Vec<_>>().into_iter().rev().take(super::limits::RECALL).rev().collect();
    }
    scroll::go_on(door, at);
    if at == reading {
        tabs::seen(door);
    }
}

fn found(door: &mut Door<'_>, query: &str, messages: Vec<(String, InstantMessage)>) {
    if messages.is_empty() {
        door.complain(format!("Nothing that was written contains “{query}”"));
        return;
    }
    let zone = door.state.view.zone.clone();
    let (mut rows, mut choices) = (Vec::new(), Vec::new());
    for (thread, m) in messages {
        let at = m.at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let line = scroll::plain(&m).lines().next().unwrap_or("").to_owned();
        rows.push((line, format!("{}, {at}", door.state.name(&m.author))));
        choices.push(Choice::GoTo(thread, m.at));
    }
    let title = format!("Found: {}", meetings::plural(rows.len(), "message"));
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
}
