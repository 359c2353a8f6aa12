//! From the composer to the endpoint: sending, starting conversations when needed, sending again.

use super::commands;
use super::door::{Door, Pending, Then};
use super::effect::StoreRequest;
use super::limits::RECALL;
use super::state::{Entry, Question, QuestionKind, Scroll, State, Tab, Thread};
use super::tabs::{idle, save_draft};
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, ConversationState, Delivery, InstantMessage, MessageId, TextFormat};
use crate::endpoint::Operation;

/// Sends what is written in the shown tab: a slash command or a message.
pub fn send(door: &mut Door<'_>) -> Result<(), String> {
    let Some(tab) = door.state.conversations.current_mut() else { return Err("no conversation is open".into()) };
    let text = tab.composer.text().trim_end().to_owned();
    if text.trim().is_empty() {
        return Ok(());
    }
    if text.starts_with('/') && !text.starts_with("//") {
        return commands::slash::typed(door, &text);
    }
    let text = text.strip_prefix('/').map_or(text.clone(), str::to_owned);
    say(door, &text)?;
    if let Some(tab) = door.state.conversations.current_mut() {
        remember_sent(tab);
    }
    let at = door.state.conversations.at;
    save_draft(door, at);
    Ok(())
}

/// Empties the composer, keeping its text for recall.
pub fn remember_sent(tab: &mut Tab) {
    let text = tab.composer.take();
    note_sent(tab, text);
}

/// Keeps a line for recall; nothing is being written any more.
pub fn note_sent(tab: &mut Tab, text: String) {
    (tab.recall, tab.completion, tab.composer_error, tab.typing_sent) = (None, None, None, None);
    if tab.sent.last() != Some(&text) {
        tab.sent.push(text);
    }
    if tab.sent.len() > RECALL {
        tab.sent.remove(0);
    }
}

/// Sends a text in the shown tab.
pub fn say(door: &mut Door<'_>, text: &str) -> Result<(), String> {
    say_to(door, text, None)
}

/// Sends a text in the shown tab, to one person of a conference alone where somebody is named.
pub fn say_to(door: &mut Door<'_>, text: &str, alone: Option<Address>) -> Result<(), String> {
    let at = door.state.conversations.at;
    let author = door.state.account.address.clone().ok_or("no account is signed in")?;
    start_if_needed(door, at)?;
    let id = MessageId(door.state.fresh_id());
    let now = door.now;
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return Ok(()) };
    let message = InstantMessage {
        id: id.clone(),
        author,
        at: now,
        body: text.to_owned(),
        format: TextFormat::Plain,
        state: Delivery::Queued,
        alone: alone.clone(),
    };
    tab.push(Entry::Message { message: message.clone(), mention: false });
    (tab.scroll, tab.new_below, tab.unread_from, tab.cursor) = (Scroll::default(), 0, None, None);
    let (thread, conversation) = (tab.thread.key(), tab.conversation.id.clone());
    if let Thread::Person(uri) = &tab.thread {
        let uri = uri.clone();
        door.state.people.recent.insert(uri, now.0);
    }
    door.store(StoreRequest::SaveMessage { thread, message });
    send_text(door, conversation, id, text.to_owned(), alone);
    Ok(())
}

/// Hands a text to the endpoint.
pub fn send_text(door: &mut Door<'_>, conversation: ConversationId, message: MessageId, text: String, alone: Option<Address>) {
    let pending = Pending::new("").then(Then::Message(conversation.clone(), message.clone()));
    let operation = match alone {
        Some(to) => Operation::SendPrivately { conversation, to, message, text },
        None => Operation::SendMessage { conversation, message, text },
    };
    door.ask(operation, pending);
}

/// Makes sure the endpoint knows a conversation for this tab.
pub fn start_if_needed(door: &mut Door<'_>, at: usize) -> Result<(), String> {
    let fresh = ConversationId(door.state.fresh_id());
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return Ok(()) };
    if tab.conversation.state == ConversationState::Incoming {
        // Writing back is accepting.
        let conversation = tab.conversation.id.clone();
        let mine = |q: &Question| matches!(&q.kind, QuestionKind::Invitation { conversation: c, .. } if *c == conversation);
        door.state.questions.retain(|q| !mine(q));
        door.ask(Operation::Accept { conversation }, Pending::new("Accepting"));
        return Ok(());
    }
    if tab.started && !tab.is_over() {
        return Ok(());
    }
    match tab.thread.clone() {
        Thread::Person(with) => {
            if tab.is_over() {
                let subject = tab.conversation.subject.clone();
                let old = std::mem::replace(&mut tab.conversation, idle(fresh, Some(&with), subject));
                tab.earlier.push(old.id);
            }
            tab.started = true;
            let (id, subject) = (tab.conversation.id.clone(), tab.conversation.subject.clone());
            door.ask_quietly(Operation::StartConversation { id, with, subject });
            Ok(())
        }
        _ => Err("you are not in this meeting; /rejoin goes back in, and the text stays here".into()),
    }
}

/// Sends a failed message again.
pub fn retry(door: &mut Door<'_>, at: usize, id: &MessageId) -> Result<(), String> {
    start_if_needed(door, at)?;
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return Ok(()) };
    let conversation = tab.conversation.id.clone();
    let entry = tab.entries.iter_mut().find(|e| e.id() == id);
    let Some(Entry::Message { message, .. }) = entry else { return Err("this is no message".into()) };
    if !matches!(message.state, Delivery::Failed(_)) {
        return Err("this message has not failed".into());
    }
    message.state = Delivery::Queued;
    let (text, alone, message, thread) = (message.body.clone(), message.alone.clone(), message.clone(), tab.thread.key());
    // Saved anew and not only marked, so that it waits for the next start too.
    door.store(StoreRequest::SaveMessage { thread, message });
    send_text(door, conversation, id.clone(), text, alone);
    Ok(())
}

/// Messages the server has not taken yet.
pub fn unsent(state: &State) -> usize {
    let all = state.conversations.tabs.iter().flat_map(|t| &t.entries);
    all.filter(|e| e.message().is_some_and(|m| m.state == Delivery::Queued)).count()
}
