//! Conversations as the endpoint reports them: rosters, messages, how far they got, what was missed.

use super::door::Door;
use super::effect::{Effect, StoreRequest};
use super::limits::{NAMES, NOTIFY_CHARS, REPEATED, TAB_MESSAGES};
use super::state::{Entry, Pane, Scroll, State, Tab, Thread};
use super::{alerts, alone, questions, recall, scroll, sending, tabs};
use crate::domain::conversation::{
    ContextState, Conversation, ConversationId, ConversationState, Delivery, InstantMessage, MessageId, Role,
};
use crate::domain::{Address, Time};
use std::collections::BTreeSet;

/// Takes a conversation, whole.
pub fn conversation(door: &mut Door<'_>, c: Conversation) {
    let asked = questions::invitation(door, &c);
    if asked {
        announce(door, &c);
    }
    let at = match door.state.conversations.find(&c.id) {
        Some(at) => at,
        None if c.state == ConversationState::Incoming => match same_person(door.state, &c) {
            Some(at) => at,
            None => return,
        },
        None if matches!(c.state, ConversationState::Terminating | ConversationState::Terminated | ConversationState::Idle) => {
            return;
        }
        None => open(door, &c),
    };
    let show = door.state.conversations.show_next.as_ref() == Some(&c.id) && c.state != ConversationState::Incoming;
    let thread_before = door.state.conversations.tabs.get(at).map(|t| t.thread.clone());
    take(door, at, c);
    let thread_after = door.state.conversations.tabs.get(at).map(|t| t.thread.clone());
    if let (Some(before), Some(after)) = (thread_before, thread_after)
        && before != after
    {
        // Only what had no lasting name moves; the talk of two people stays with the other person.
        if matches!(before, Thread::Conversation(_)) {
            if let Some(text) = door.state.conversations.drafts.remove(&before.key()) {
                door.state.conversations.drafts.insert(after.key(), text);
            }
            door.store(StoreRequest::MoveThread { from: before.key(), to: after.key() });
        }
        tabs::save_tabs(door);
    }
    if show {
        door.state.conversations.show_next = None;
        tabs::show(door, at);
    }
}

/// The tab of the other person of a two-party conversation.
fn same_person(state: &State, c: &Conversation) -> Option<usize> {
    if c.focus.is_some() || c.invitation.as_ref().is_some_and(|i| i.conference) {
        return None;
    }
    let thread = Thread::Person(c.participants.first()?.uri.clone());
    state.conversations.tabs.iter().position(|t| t.thread == thread)
}

fn thread_of(c: &Conversation) -> Thread {
    match (&c.focus, c.participants.as_slice()) {
        (Some(focus), _) => Thread::Conference(focus.clone()),
        (None, [one]) => Thread::Person(one.uri.clone()),
        _ => Thread::Conversation(c.id.clone()),
    }
}

fn open(door: &mut Door<'_>, c: &Conversation) -> usize {
    let mut fresh = c.clone();
    // The roster of a new tab is all news; `take` compares against nothing.
    fresh.participants.clear();
    tabs::tab_of(door, thread_of(c), Some(fresh))
}

/// Puts the new state into a tab and writes down what changed.
fn take(door: &mut Door<'_>, at: usize, c: Conversation) {
    let Some(tab) = door.state.conversations.tabs.get(at) else { return };
    let (old, same) = (tab.conversation.clone(), tab.conversation.id == c.id);
    let live = |s: ConversationState| {
        !matches!(s, ConversationState::Idle | ConversationState::Terminating | ConversationState::Terminated)
    };
    if !same && (tab.earlier.contains(&c.id) || live(old.state)) && !live(c.state) {
        // The end of an earlier conversation changes nothing in the present one.
        return;
    }
    let notices = news(door.state, &old, &c);
    remember_names(door.state, &c);
    let focus = c.focus.clone();
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    if !same {
        tab.earlier.retain(|id| *id != c.id);
        tab.earlier.push(old.id);
    }
    tab.started = c.state != ConversationState::Idle || tab.started;
    let subject = if c.subject.is_empty() { old.subject } else { c.subject.clone() };
    let keep = c.participants.is_empty() && focus.is_none() && matches!(tab.thread, Thread::Person(_));
    let participants = if keep { old.participants } else { c.participants.clone() };
    tab.conversation = Conversation { subject, participants, ..c };
    if let Some(focus) = focus {
        tab.thread = Thread::Conference(focus);
    }
    for text in notices {
        notice(door, at, text);
    }
}

/// What a roster calls people holds for their words after they have left, too.
fn remember_names(state: &mut State, c: &Conversation) {
    let named = c.participants.iter().filter(|p| !p.display_name.is_empty() && p.display_name != p.uri.bare());
    for p in named {
        let known = state.people.names.get(&p.uri).is_some_and(|n| *n == p.display_name);
        if !known && (state.people.names.len() < NAMES || state.people.names.contains_key(&p.uri)) {
            state.people.names.insert(p.uri.clone(), p.display_name.clone());
        }
    }
}

/// What changed between two states, as sentences.
fn news(state: &State, old: &Conversation, new: &Conversation) -> Vec<String> {
    let mut out = Vec::new();
    let was: BTreeSet<&Address> = old.participants.iter().filter(|p| !p.in_lobby).map(|p| &p.uri).collect();
    let is: BTreeSet<&Address> = new.participants.iter().filter(|p| !p.in_lobby).map(|p| &p.uri).collect();
    let name = |u: &Address| {
        let roster = new.participants.iter().chain(&old.participants).find(|p| p.uri == *u && !p.display_name.is_empty());
        state
            .people
            .name(u)
            .map(str::to_owned)
            .or_else(|| roster.map(|p| p.display_name.clone()))
            .unwrap_or_else(|| u.bare().to_owned())
    };
    let names = |all: Vec<&Address>| all.into_iter().map(name).collect::<Vec<_>>().join(", ");
    if new.focus.is_some() && old.state == ConversationState::Conferenced && new.state == ConversationState::Conferenced {
        let came: Vec<_> = is.difference(&was).copied().collect();
        let left: Vec<_> = was.difference(&is).copied().collect();
        if !came.is_empty() {
            out.push(format!("{} joined", names(came)));
        }
        if !left.is_empty() {
            out.push(format!("{} left", names(left)));
        }
        let gone = |p: &&crate::domain::conversation::Participant| p.in_lobby && !new.participants.iter().any(|n| n.uri == p.uri);
        for p in old.participants.iter().filter(gone) {
            out.push(format!("{} is no longer in the lobby", name(&p.uri)));
        }
        for p in new.participants.iter().filter(|p| p.in_lobby && !old.participants.iter().any(|o| o.uri == p.uri && o.in_lobby))
        {
            let how = if new.my_role == Some(Role::Leader) { "; /admit lets them in" } else { "" };
            out.push(format!("{} waits in the lobby{how}", name(&p.uri)));
        }
        out.extend(meeting_news(old, new, &name));
    }
    if old.state != new.state {
        match new.state {
            ConversationState::Conferenced if is.is_empty() => out.push("You are in the meeting, alone so far".into()),
            ConversationState::Conferenced => {
                out.push(format!("You are in the meeting with {}", names(is.iter().copied().collect())))
            }
            ConversationState::InLobby => out.push("You are in the lobby; somebody must let you in".into()),
            ConversationState::Terminated => match (&new.end_reason, new.focus.is_some()) {
                (Some(reason), _) => {
                    let named = old.participants.iter().fold(reason.clone(), |r, p| r.replace(p.uri.bare(), &name(&p.uri)));
                    out.push(sentence(&named))
                }
                (None, true) => out.push("You left the meeting; /rejoin goes back in".into()),
                (None, false) => {}
            },
            _ => {}
        }
    }
    if let (Some((_, why)), None) = (&new.derived_from, &old.derived_from) {
        out.push(format!("This goes on between the two of you; it could not move into the meeting: {why}"));
    }
    if old.recovering != new.recovering && new.state == ConversationState::Established {
        let other = names(is.iter().copied().collect());
        out.push(if new.recovering {
            format!("The way to {other} is broken; what you write waits until it is repaired")
        } else {
            format!("The way to {other} is open again")
        });
    }
    if old.priority != new.priority && !matches!(new.state, ConversationState::Idle) {
        out.push(format!("This conversation is now {}", new.priority.text()));
    }
    if old.id == new.id && !old.subject.is_empty() && old.subject != new.subject && !new.subject.is_empty() {
        out.push(format!("The subject is now “{}”", new.subject));
    }
    out.extend(context_news(old, new));
    if old.locked != new.locked && new.state == ConversationState::Conferenced {
        out.push(if new.locked { "The meeting is locked" } else { "The meeting is open again" }.into());
    }
    if old.my_role.is_some() && new.my_role.is_some() && old.my_role != new.my_role {
        let role = if new.my_role == Some(crate::domain::conversation::Role::Leader) { "a leader" } else { "an attendee" };
        out.push(format!("You are now {role}"));
    }
    out
}

/// With a capital at the beginning.
fn sentence(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// What leaders changed, who records, when it ends.
fn meeting_news(old: &Conversation, new: &Conversation, name: &dyn Fn(&Address) -> String) -> Vec<String> {
    let mut out = Vec::new();
    let (was, is) = (&old.meeting, &new.meeting);
    let locks = old.locked != new.locked;
    if let (Some(a), Some(b)) = (was.access, is.access)
        && a != b
        && !locks
        && let Some(words) = super::meetings::ACCESS.iter().find(|l| l.0 == b)
    {
        out.push(format!("Who gets in was changed: {}", words.1.to_lowercase()));
    }
    if was.mute_all != is.mute_all {
        out.push(if is.mute_all { "Newcomers are muted from now on" } else { "Newcomers are no longer muted" }.into());
    }
    if was.muted != is.muted {
        out.push(if is.muted { "You are muted: what you write is not passed on" } else { "You may write again" }.into());
    }
    for p in &new.participants {
        let before = old.participants.iter().find(|o| o.uri == p.uri).is_some_and(|o| o.recording);
        if p.recording != before {
            let words = if p.recording { "records this meeting" } else { "does not record any more" };
            out.push(format!("{} {words}", name(&p.uri)));
        }
    }
    match (was.ends_at, is.ends_at) {
        (None, Some(_)) => {
            out.push("The last colleague has left; the meeting will end unless one comes back".into());
        }
        (Some(_), None) => out.push("A colleague is back; the meeting goes on".into()),
        _ => {}
    }
    if was.reconnecting != is.reconnecting {
        out.push(if is.reconnecting { "The way to the meeting is lost; joining again" } else { "Back in the meeting" }.into());
    }
    out
}

/// What happened on the context channel.
fn context_news(old: &Conversation, new: &Conversation) -> Vec<String> {
    let mut out = Vec::new();
    let Some(c) = &new.context else { return out };
    let was = old.context.as_ref().filter(|o| o.application == c.application);
    let open = |s: ContextState| matches!(s, ContextState::Established | ContextState::Recovering);
    let was_open = was.is_some_and(|w| open(w.state));
    if open(c.state) && !was_open {
        let toast = if c.toast.is_empty() { String::new() } else { format!(": {}", c.toast) };
        out.push(format!("{} is attached to this conversation{toast}; /context shows its data", c.application));
    } else if !open(c.state) && was_open {
        out.push(format!("{} is no longer attached", c.application));
    } else if was_open && was.is_some_and(|w| w.data != c.data) {
        out.push(format!("{} sent data; /context shows them", c.application));
    }
    out
}

/// Writes a sentence into a transcript.
fn notice(door: &mut Door<'_>, at: usize, text: String) {
    let id = MessageId(door.state.fresh_id());
    let now = door.now;
    if let Some(tab) = door.state.conversations.tabs.get_mut(at) {
        tab.push(Entry::Notice { id, at: now, text });
    }
}

/// Takes a message of somebody, or of another of our own devices.
pub fn message(door: &mut Door<'_>, conversation: &ConversationId, mut message: InstantMessage) {
    let own = door.state.account.address.as_ref() == Some(&message.author);
    let at = match door.state.conversations.find(conversation) {
        Some(at) => at,
        None => {
            // The first words may come before the conversation itself.
            let thread = if own { Thread::Conversation(conversation.clone()) } else { Thread::Person(message.author.clone()) };
            let c = tabs::idle(conversation.clone(), Some(&message.author).filter(|_| !own), String::new());
            tabs::tab_of(door, thread, Some(c))
        }
    };
    let shown = in_sight(door.state, at);
    let mention = !own && (message.alone.is_some() || mentions(door.state, &scroll::plain(&message)));
    if own && message.state == Delivery::Received {
        message.state = Delivery::Sent;
    }
    let now = door.now;
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    if tab.entries.iter().rev().take(REPEATED).any(|e| *e.id() == message.id) {
        return;
    }
    tab.push(Entry::Message { message: message.clone(), mention });
    trim(tab);
    if tab.scroll.anchor.is_some() {
        tab.new_below += 1;
    }
    if !own && (!shown || tab.scroll.anchor.is_some()) {
        if tab.unread == 0 {
            tab.unread_from = Some(message.id.clone());
            // After a restart everything later than this counts as unread.
            tab.read_until = tab.read_until.or(Some(Time(message.at.0.saturating_sub(1))));
        }
        tab.unread += 1;
        tab.mentions += usize::from(mention);
    } else {
        tab.read_until = Some(message.at);
        if own {
            (tab.unread, tab.mentions, tab.unread_from) = (0, 0, None);
        }
    }
    let thread = tab.thread.clone();
    if let Thread::Person(uri) = &thread {
        door.state.people.recent.insert(uri.clone(), now.0);
        door.state.people.dirty |= door.state.people.sort == super::state::Sort::Recent;
    }
    door.store(StoreRequest::SaveMessage { thread: thread.key(), message: message.clone() });
    if !own && !shown {
        let title = alone::writer(door.state, &message);
        alert(door, &message.author, title, scroll::plain(&message));
    }
}

/// Drops the oldest entries of a very long tab; they are still in the store.
fn trim(tab: &mut Tab) {
    if tab.entries.len() > TAB_MESSAGES && tab.scroll == Scroll::default() && tab.go_to.is_none() {
        tab.entries.drain(..TAB_MESSAGES / 4);
        tab.more_history = true;
    }
}

/// Whether a tab is on the screen of a person who looks at it.
pub(super) fn in_sight(state: &State, at: usize) -> bool {
    state.view.focused && state.conversations.at == at && state.view.shows(Pane::Conversations, state.pane, state.main)
}

/// Whether a text names me: my address, my whole name, my first name after an @, or a chosen word.
fn mentions(state: &State, text: &str) -> bool {
    let low = text.to_lowercase();
    let name = state.account.name.to_lowercase();
    let first = name.split_whitespace().next().unwrap_or("").to_owned();
    let user = state.account.address.as_ref().map(|a| a.user().to_owned()).unwrap_or_default();
    let whole = |word: &str| {
        !word.is_empty()
            && low.match_indices(word).any(|(i, _)| {
                let before = low.get(..i).and_then(|t| t.chars().next_back());
                let after = low.get(i + word.len()..).and_then(|t| t.chars().next());
                !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
            })
    };
    let at = |word: &str| !word.is_empty() && whole(&format!("@{word}"));
    (name.contains(' ') && whole(&name))
        || at(&first)
        || at(&user)
        || state.options.mention.iter().any(|w| whole(&w.to_lowercase()))
}

/// Bell and notification for something out of sight; do-not-disturb silences all but pinned people.
pub(super) fn alert(door: &mut Door<'_>, from: &Address, title: String, body: String) {
    if !alerts::may_ring(door.state, from, is_pinned(door.state, from)) {
        return;
    }
    if door.state.options.bell {
        door.effects.push(Effect::Bell);
    }
    if door.state.options.notify && !door.state.view.focused {
        let body = if door.state.options.notify_text && alerts::shows_text(door.state) {
            body.chars().take(NOTIFY_CHARS).collect()
        } else {
            String::new()
        };
        door.effects.push(Effect::Notify { title, body });
    }
}

fn is_pinned(state: &State, uri: &Address) -> bool {
    let pinned = |name: &str| name == state.view.pinned_group || name == "Pinned" || name == "Pinned Contacts";
    let Some(c) = state.people.contacts.get(uri) else { return false };
    state.people.groups.iter().any(|g| pinned(&g.name) && c.groups.contains(&g.id))
}

fn announce(door: &mut Door<'_>, c: &Conversation) {
    let Some(i) = c.invitation.clone() else { return };
    let title = format!("{} {}", door.name(&i.from), if i.conference { "invites you to a meeting" } else { "writes to you" });
    alert(door, &i.from, title, i.toast);
}

/// One of our messages got further.
pub fn delivery(door: &mut Door<'_>, conversation: &ConversationId, id: &MessageId, state: Delivery) {
    // Later is better known: the tab named first, then wherever the message is.
    let tabs = &mut door.state.conversations.tabs;
    let named = tabs.iter().position(|t| t.conversation.id == *conversation || t.earlier.contains(conversation));
    let has = |t: &Tab| t.entries.iter().rev().any(|e| e.id() == id);
    let at = named.filter(|i| has(&tabs[*i])).or_else(|| tabs.iter().position(has));
    if let Some(Entry::Message { message, .. }) = at.and_then(|i| tabs[i].entries.iter_mut().rev().find(|e| e.id() == id)) {
        message.state = state.clone();
    }
    if let Delivery::Failed(reason) = &state {
        let key = door.state.keymap.any_keys_of("retry").unwrap_or("/retry");
        door.complain(format!("A message did not arrive: {reason} ({key} in the transcript or /retry sends it again)"));
    }
    door.store(StoreRequest::SetDelivery { message: id.clone(), state });
}

/// Somebody wanted to talk and nobody answered.
pub fn missed(door: &mut Door<'_>, from: Address, toast: &str) {
    let name = door.name(&from);
    let at = tabs::tab_of(door, Thread::Person(from.clone()), None);
    let words = toast.trim();
    let text = if words.is_empty() {
        format!("{name} wanted to talk with you")
    } else {
        format!("{name} wanted to talk with you: {words}")
    };
    notice(door, at, text.clone());
    let sight = in_sight(door.state, at);
    recall::note_missed(door, from.clone(), words, sight);
    if let Some(tab) = door.state.conversations.tabs.get_mut(at).filter(|_| !sight) {
        tab.unread += 1;
        tab.unread_from = tab.unread_from.take().or_else(|| tab.entries.last().map(|e| e.id().clone()));
    }
    alert(door, &from, text, String::new());
}

/// An operation for a message failed. The endpoint's own word about the message, if it came, is the better one.
pub fn not_sent(door: &mut Door<'_>, conversation: &ConversationId, id: &MessageId, reason: &str) {
    let all = door.state.conversations.tabs.iter().flat_map(|t| &t.entries);
    if all.filter_map(Entry::message).any(|m| m.id == *id && m.state == Delivery::Queued) {
        delivery(door, conversation, id, Delivery::Failed(reason.to_owned()));
    }
}

/// A conference could not be entered.
pub fn not_joined(door: &mut Door<'_>, id: &ConversationId, reason: &str) {
    let Some(at) = door.state.conversations.find(id) else { return };
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    if tab.conversation.state == ConversationState::Conferencing {
        tab.conversation.state = ConversationState::Terminated;
        notice(door, at, format!("You could not join: {reason}"));
    }
}

/// Sends a message of an earlier run.
pub fn resend(door: &mut Door<'_>, thread: &str, message: InstantMessage) {
    let Some(thread) = Thread::from_key(thread) else { return };
    let at = tabs::tab_of(door, thread, None);
    let id = message.id.clone();
    if let Err(reason) = sending::start_if_needed(door, at) {
        // A meeting of yesterday cannot be written into: the message stays, marked, and can be sent again after joining.
        let state = Delivery::Failed(reason);
        show_entry(door, at, message, &state);
        door.store(StoreRequest::SetDelivery { message: id, state });
        return;
    }
    let Some(conversation) = door.state.conversations.tabs.get(at).map(|t| t.conversation.id.clone()) else { return };
    let (text, alone) = (message.body.clone(), message.alone.clone());
    show_entry(door, at, message, &Delivery::Queued);
    sending::send_text(door, conversation, id, text, alone);
}

fn show_entry(door: &mut Door<'_>, at: usize, mut message: InstantMessage, state: &Delivery) {
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    match tab.entries.iter_mut().find(|e| *e.id() == message.id) {
        Some(Entry::Message { message, .. }) => message.state = state.clone(),
        _ => {
            message.state = state.clone();
            tab.entries.push(Entry::Message { message, mention: false });
        }
    }
}
