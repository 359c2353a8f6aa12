//! Opening, closing and walking the tabs; sending what is written in them.

use super::Editor;
use super::door::{Door, Pending, Then};
use super::effect::{SavedTab, StoreRequest};
use super::limits::{COMPOSER_CHARS, HISTORY_PAGE, TABS};
use super::state::conversations::{Part, RosterView};
use super::state::overlay::{Confirm, Deed};
use super::state::{Entry, Overlay, Pane, QuestionKind, Scroll, State, Tab, Thread};
use super::{recall, recording, scroll};
use crate::domain::conference::ConferenceId;
use crate::domain::conference_rules;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState, Participant};
use crate::domain::watching::ViewId;
use crate::domain::{Address, Time};
use crate::endpoint::{self, Feature, JoinTarget, Operation};
use std::collections::BTreeSet;

/// A conversation nobody has opened yet.
pub fn idle(id: ConversationId, with: Option<&Address>, subject: String) -> Conversation {
    Conversation {
        id,
        state: ConversationState::Idle,
        subject,
        priority: crate::domain::conversation::Priority::Normal,
        participants: with.map(|uri| Participant::new(uri.clone())).into_iter().collect(),
        focus: None,
        my_role: None,
        locked: false,
        meeting: Box::default(),
        invitation: None,
        end_reason: None,
        recovering: false,
        derived_from: None,
        context: None,
    }
}

impl Tab {
    /// An empty tab.
    pub fn new(thread: Thread, conversation: Conversation) -> Tab {
        Tab {
            thread,
            conversation,
            entries: Vec::new(),
            more_history: false,
            loading: false,
            unread: 0,
            mentions: 0,
            unread_from: None,
            scroll: Scroll::default(),
            new_below: 0,
            cursor: None,
            marks: BTreeSet::new(),
            search: None,
            roster: RosterView::default(),
            recording: None,
            composer: Editor::limited("", COMPOSER_CHARS),
            sent: Vec::new(),
            recall: None,
            completion: None,
            composer_error: None,
            typing_sent: None,
            draft_changed: None,
            started: false,
            earlier: Vec::new(),
            watched: false,
            saved_draft: String::new(),
            read_until: None,
            passcode: None,
            go_to: None,
        }
    }

    /// Whether nothing goes through this tab's conversation any more.
    pub fn is_over(&self) -> bool {
        matches!(self.conversation.state, ConversationState::Terminating | ConversationState::Terminated)
    }
}

impl State {
    /// A fresh name.
    pub fn fresh_id(&mut self) -> String {
        self.rng.hex(32)
    }
}

/// Position of a thread's tab, opened if need be.
pub fn tab_of(door: &mut Door<'_>, thread: Thread, conversation: Option<Conversation>) -> usize {
    if let Some(at) = door.state.conversations.tabs.iter().position(|t| t.thread == thread) {
        return at;
    }
    let with = match &thread {
        Thread::Person(uri) => Some(uri.clone()),
        _ => None,
    };
    let mut conversation = match conversation {
        Some(c) => c,
        None => idle(ConversationId(door.state.fresh_id()), with.as_ref(), String::new()),
    };
    if let Thread::Conference(focus) = &thread {
        conversation.focus.get_or_insert_with(|| focus.clone());
    }
    let key = thread.key();
    let mut tab = Tab::new(thread, conversation);
    tab.loading = true;
    if let Some(text) = door.state.conversations.drafts.get(&key) {
        (tab.composer, tab.saved_draft) = (Editor::limited(text.clone(), COMPOSER_CHARS), text.clone());
    }
    door.store(StoreRequest::LoadHistory { thread: key, before: None, limit: HISTORY_PAGE });
    if let Some(uri) = with.filter(|u| !door.state.people.contacts.contains_key(u)) {
        tab.watched = true;
        door.ask_quietly(Operation::Watch { view: ViewId::conversations(), uris: vec![uri] });
    }
    let tabs = &mut door.state.conversations.tabs;
    if tabs.len() >= TABS {
        let idle = |t: &Tab| t.unread == 0 && t.composer.is_empty() && t.recording.is_none();
        let oldest = tabs.iter().position(idle).unwrap_or(0);
        recording::finish(door, oldest);
        save_draft(door, oldest);
        door.state.conversations.tabs.remove(oldest);
        door.state.conversations.at =
            door.state.conversations.at.saturating_sub(usize::from(oldest <= door.state.conversations.at));
    }
    door.state.conversations.tabs.push(tab);
    save_tabs(door);
    door.state.conversations.tabs.len() - 1
}

/// Shows a tab and gives its composer the keys.
pub fn show(door: &mut Door<'_>, at: usize) {
    leave(door);
    let state = &mut *door.state;
    state.conversations.at = at.min(state.conversations.tabs.len().saturating_sub(1));
    (state.conversations.part, state.conversations.normal) = (Part::Composer, false);
    (state.pane, state.main) = (Pane::Conversations, Pane::Conversations);
    if let Some(tab) = state.conversations.current_mut() {
        (tab.cursor, tab.search) = (None, None);
    }
    if let Some(key) = state.conversations.current().map(|t| t.thread.key()) {
        door.store(StoreRequest::SaveShown(key));
    }
    seen(door);
}

/// What happens when a tab is no longer looked at: the draft is kept, a read unread line goes.
fn leave(door: &mut Door<'_>) {
    let at = door.state.conversations.at;
    save_draft(door, at);
    if let Some(tab) = door.state.conversations.tabs.get_mut(at).filter(|t| t.unread == 0) {
        tab.unread_from = None;
    }
}

/// The shown tab is in sight: what is unread in it has been read, unless it is scrolled away.
pub fn seen(door: &mut Door<'_>) {
    let visible = door.state.view.focused && door.state.view.shows(Pane::Conversations, door.state.pane, door.state.main);
    let now = door.now;
    if visible {
        recall::saw_missed(door);
    }
    let Some(tab) = door.state.conversations.current_mut().filter(|_| visible) else { return };
    if tab.unread > 0 && tab.scroll.anchor.is_none() {
        (tab.unread, tab.mentions) = (0, 0);
        tab.read_until = tab.entries.last().map(Entry::at).or(Some(now));
        save_tabs(door);
    }
}

/// Asks for the presence of those in tabs of an earlier run who are not on the list.
pub fn watch_strangers(door: &mut Door<'_>) {
    let contacts = &door.state.people.contacts;
    let mut uris = Vec::new();
    for tab in door.state.conversations.tabs.iter_mut().filter(|t| !t.watched) {
        if let Thread::Person(uri) = &tab.thread
            && !contacts.contains_key(uri)
        {
            uris.push(uri.clone());
            tab.watched = true;
        }
    }
    if !uris.is_empty() {
        door.ask_quietly(Operation::Watch { view: ViewId::conversations(), uris });
    }
}

/// Opens the tab of a person.
pub fn open_person(door: &mut Door<'_>, uri: &Address) -> Result<(), String> {
    if door.state.account.address.as_ref() == Some(uri) {
        return Err("this is your own address".into());
    }
    let at = tab_of(door, Thread::Person(uri.clone()), None);
    show(door, at);
    Ok(())
}

/// Opens a conversation with several people.
pub fn open_group(door: &mut Door<'_>, subject: String, invite: Vec<Address>) -> Result<(), String> {
    let id = ConversationId(door.state.fresh_id());
    let mut conversation = idle(id.clone(), None, subject.clone());
    conversation.state = ConversationState::Conferencing;
    let at = tab_of(door, Thread::Conversation(id.clone()), Some(conversation));
    if let Some(tab) = door.state.conversations.tabs.get_mut(at) {
        (tab.started, tab.loading) = (true, false);
    }
    show(door, at);
    let pending = Pending::new("Starting the meeting").then(Then::Join(id.clone()));
    door.ask(Operation::MeetNow { id, subject, invite }, pending);
    Ok(())
}

/// Joins a conference and shows its tab.
pub fn join(door: &mut Door<'_>, target: JoinTarget, subject: String) -> Result<(), String> {
    join_with(door, target, subject, None)
}

/// Joins by what somebody typed: a link, or a number, which the server turns into one.
pub fn join_by_words(door: &mut Door<'_>, words: &str) -> Result<(), String> {
    let digits: String = words.chars().filter(|c| !c.is_whitespace()).collect();
    // Ids have eight characters and more.
    let is_number = (4..8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number && !names_meeting(door.state, words) {
        return Err(NO_LINK.into());
    }
    door.state.conversations.link = words.to_owned();
    if !is_number {
        return join(door, JoinTarget::Link(words.to_owned()), String::new());
    }
    let pending = Pending::new(format!("Looking for meeting {digits}")).then(Then::JoinFound);
    door.ask(Operation::FindConference { phone_id: digits }, pending);
    Ok(())
}

/// Whether words name a meeting here: a link, organizer and id, the id of one of mine, an address on standard servers.
fn names_meeting(state: &State, words: &str) -> bool {
    let own = || conference_rules::check_id(&ConferenceId(words.trim().to_owned())).is_ok();
    let room = || state.missing(Feature::MeetingRules).is_some() && endpoint::parse_conference(words).is_some();
    endpoint::parse_link(words).is_some() || own() || room()
}

const NO_LINK: &str =
    "this is no meeting link; paste the whole link, or write the organizer and the id, or the number for callers";

/// Has a passcode looked at before the meeting is joined with it.
pub fn verify(door: &mut Door<'_>, target: JoinTarget, subject: String, passcode: String) {
    let pending = Pending::new("Looking at the passcode").then(Then::Verified(target.clone(), subject, passcode.clone()));
    door.ask(Operation::VerifyPasscode { target, passcode: Some(passcode) }, pending);
}

/// Joins a conference with a passcode and shows its tab.
pub fn join_with(door: &mut Door<'_>, target: JoinTarget, subject: String, passcode: Option<String>) -> Result<(), String> {
    let id = ConversationId(door.state.fresh_id());
    // However the conference is named, it is one thread: a second try comes back to the same tab.
    let thread = match &target {
        JoinTarget::Link(link) => match endpoint::parse_link(link) {
            Some((organizer, conference)) => Thread::Conference(endpoint::focus_uri(&organizer, &conference)),
            // On standard servers the address is the name, however it was written.
            None => Thread::Conference(endpoint::parse_conference(link).unwrap_or_else(|| link.clone())),
        },
        JoinTarget::Conference(organizer, conference) => Thread::Conference(endpoint::focus_uri(organizer, conference)),
    };
    let subject_then = subject.clone();
    let at = tab_of(door, thread, Some(idle(id.clone(), None, subject)));
    if let Some(tab) = door.state.conversations.tabs.get_mut(at) {
        let live = matches!(
            tab.conversation.state,
            ConversationState::Conferencing | ConversationState::InLobby | ConversationState::Conferenced
        );
        if live {
            show(door, at);
            return Ok(());
        }
        if tab.conversation.id != id {
            let old = std::mem::replace(&mut tab.conversation.id, id.clone());
            tab.earlier.push(old);
        }
        (tab.started, tab.conversation.state) = (true, ConversationState::Conferencing);
        tab.passcode = passcode.clone();
    }
    show(door, at);
    let pending = Pending::new("Joining the meeting").then(Then::JoinBy(id.clone(), target.clone(), subject_then));
    door.ask(Operation::JoinConference { id, target, passcode }, pending);
    Ok(())
}

/// Invites one more person into a conversation.
pub fn invite(door: &mut Door<'_>, conversation: ConversationId, uri: Address) {
    let name = door.name(&uri);
    let pending = Pending::new(format!("Inviting {name}")).done(format!("{name} is invited"));
    door.ask(Operation::Invite { conversation, uri }, pending);
}

/// Has the meeting call somebody.
pub fn call_in(door: &mut Door<'_>, conversation: ConversationId, uri: Address) {
    let name = door.name(&uri);
    let pending = Pending::new(format!("Calling {name}")).done(format!("{name} is in the meeting"));
    door.ask(Operation::CallIn { conversation, uri }, pending);
}

/// Shows a found message in its thread.
pub fn go_to(door: &mut Door<'_>, thread: Thread, at: Time) -> Result<(), String> {
    let tab = tab_of(door, thread, None);
    show(door, tab);
    door.state.conversations.part = Part::Transcript;
    if let Some(t) = door.state.conversations.tabs.get_mut(tab) {
        t.go_to = Some(at);
    }
    scroll::go_on(door, tab);
    Ok(())
}

/// To a neighbouring tab.
pub fn step(door: &mut Door<'_>, by: isize) -> Result<(), String> {
    let len = door.state.conversations.tabs.len();
    if len > 0 {
        let len = isize::try_from(len).unwrap_or(isize::MAX);
        let at = isize::try_from(door.state.conversations.at).unwrap_or(0);
        show(door, usize::try_from((at + by).rem_euclid(len)).unwrap_or(0));
    }
    Ok(())
}

/// To the next tab with something unread; one that mentions me first.
pub fn next_unread(door: &mut Door<'_>) -> Result<(), String> {
    let c = &door.state.conversations;
    let len = c.tabs.len();
    let order = (1..=len).map(|i| (c.at + i) % len.max(1));
    let best = order.filter(|i| c.tabs[*i].unread > 0).min_by_key(|i| usize::from(c.tabs[*i].mentions == 0));
    let to = best.ok_or("nothing is unread")?;
    show(door, to);
    Ok(())
}

/// Closes the shown tab, asking first when something would be lost or a meeting goes on.
pub fn close_asking(door: &mut Door<'_>) -> Result<(), String> {
    let Some(tab) = door.state.conversations.current() else { return Ok(()) };
    let title = door.state.title(tab);
    let id = tab.conversation.id.clone();
    let meeting = tab.conversation.focus.is_some() && !tab.is_over();
    if meeting {
        let text = format!("Close {title}? You leave the meeting; it goes on without you.");
        door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Leave", then: Deed::CloseTab(id) }));
    } else {
        close(door, &id);
    }
    Ok(())
}

/// Closes a tab and ends its conversation; a draft is kept.
pub fn close(door: &mut Door<'_>, id: &ConversationId) {
    let Some(at) = door.state.conversations.find(id) else { return };
    recording::finish(door, at);
    save_draft(door, at);
    let tab = door.state.conversations.tabs.remove(at);
    if tab.started && !tab.is_over() {
        door.ask_quietly(Operation::EndConversation { conversation: tab.conversation.id.clone() });
    }
    if let (true, Thread::Person(uri)) = (tab.watched, tab.thread) {
        door.ask_quietly(Operation::Unwatch { view: ViewId::conversations(), uris: vec![uri] });
    }
    door.state
        .questions
        .retain(|q| !matches!(&q.kind, QuestionKind::Invitation { conversation, .. } if *conversation == tab.conversation.id));
    let c = &mut door.state.conversations;
    c.at = if at < c.at { c.at - 1 } else { c.at.min(c.tabs.len().saturating_sub(1)) };
    save_tabs(door);
    seen(door);
}

/// Keeps the open tabs.
pub fn save_tabs(door: &mut Door<'_>) {
    let kept = door.state.conversations.tabs.iter().filter(|t| !matches!(t.thread, Thread::Conversation(_)));
    let tabs = kept
        .map(|t| SavedTab { thread: t.thread.key(), subject: t.conversation.subject.clone(), read_until: t.read_until })
        .collect();
    door.store(StoreRequest::SaveTabs(tabs));
}

/// Keeps a tab's draft if it changed.
pub fn save_draft(door: &mut Door<'_>, at: usize) {
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    tab.draft_changed = None;
    if tab.saved_draft != tab.composer.text() {
        tab.saved_draft = tab.composer.text().to_owned();
        let (thread, text) = (tab.thread.key(), tab.saved_draft.clone());
        match text.is_empty() {
            true => door.state.conversations.drafts.remove(&thread),
            false => door.state.conversations.drafts.insert(thread.clone(), text.clone()),
        };
        door.store(StoreRequest::SaveDraft { thread, text });
    }
}

/// Keeps all drafts, the recordings and the tabs.
pub fn save_all(door: &mut Door<'_>) {
    for at in 0..door.state.conversations.tabs.len() {
        recording::finish(door, at);
        save_draft(door, at);
    }
    save_tabs(door);
}
