//! Cards: invitations and new watchers, answered with Alt-y, Alt-n, Alt-l.

use super::alerts;
use super::door::{Door, Pending};
use super::limits::QUESTIONS;
use super::state::{Question, QuestionKind};
use super::tabs;
use crate::domain::contact::AddOptions;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState};
use crate::domain::presence::Subscriber;
use crate::endpoint::Operation;

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Alt-y
    Yes,
    /// Alt-n
    No,
    /// Alt-l: put it off; when all are put off, bring them back.
    Later,
}

/// Answers the question shown.
pub fn answer(door: &mut Door<'_>, answer: Answer) -> Result<(), String> {
    let questions = &mut door.state.questions;
    let Some(at) = questions.iter().position(|q| !q.postponed) else {
        questions.iter_mut().for_each(|q| q.postponed = false);
        return Ok(());
    };
    if answer == Answer::Later {
        questions[at].postponed = true;
        return Ok(());
    }
    let question = questions.remove(at);
    let yes = answer == Answer::Yes;
    match question.kind {
        QuestionKind::Invitation { conversation, .. } if yes => accept(door, conversation),
        QuestionKind::Invitation { conversation, from, .. } => {
            let name = door.name(&from);
            door.ask(
                Operation::Decline { conversation },
                Pending::new(format!("Declining {name}")).done(format!("{name} was told no")),
            );
            Ok(())
        }
        QuestionKind::Reminder { slot } if yes => super::meetings::join_slot(door, &slot.id),
        QuestionKind::Reminder { .. } => Ok(()),
        QuestionKind::Watcher { uri, name } => {
            door.ask_quietly(Operation::AcknowledgeSubscriber { uri: uri.clone() });
            if yes && !door.state.people.contacts.contains_key(&uri) {
                let name = if name.is_empty() { uri.bare().to_owned() } else { name };
                let pending = Pending::new(format!("Adding {name}"))
                    .done(format!("{name} is on the list"))
                    .undo(vec![Operation::DeleteContact { uri: uri.clone() }]);
                door.ask(
                    Operation::AddContact { uri, name: String::new(), groups: Vec::new(), options: AddOptions::default() },
                    pending,
                );
            }
            Ok(())
        }
    }
}

fn accept(door: &mut Door<'_>, conversation: ConversationId) -> Result<(), String> {
    door.ask(Operation::Accept { conversation: conversation.clone() }, Pending::new("Accepting"));
    match door.state.conversations.find(&conversation) {
        Some(at) => tabs::show(door, at),
        // The tab opens when the conversation reports that it goes on.
        None => door.state.conversations.show_next = Some(conversation),
    }
    Ok(())
}

/// Asks about an invitation, once; forgets the question when the invitation is over.
pub fn invitation(door: &mut Door<'_>, c: &Conversation) -> bool {
    let questions = &mut door.state.questions;
    let known =
        questions.iter().position(|q| matches!(&q.kind, QuestionKind::Invitation { conversation, .. } if *conversation == c.id));
    let waiting = c.invitation.as_ref().filter(|_| c.state == ConversationState::Incoming);
    match (known, waiting) {
        (Some(at), None) => {
            questions.remove(at);
            false
        }
        (None, Some(i)) => {
            push(
                door,
                QuestionKind::Invitation {
                    conversation: c.id.clone(),
                    from: i.from.clone(),
                    toast: if alerts::shows_text(door.state) { i.toast.clone() } else { String::new() },
                    subject: c.subject.clone(),
                    conference: i.conference,
                    auto_accept: i.auto_accept,
                    priority: i.priority,
                },
            );
            true
        }
        _ => false,
    }
}

/// Asks about watchers who wait for an answer; forgets those answered elsewhere. Contacts are acknowledged without asking.
pub fn watchers(door: &mut Door<'_>, subscribers: &[Subscriber]) {
    let open = |uri| subscribers.iter().any(|s| s.uri == uri && !s.acknowledged);
    door.state.questions.retain(|q| !matches!(&q.kind, QuestionKind::Watcher { uri, .. } if !open(uri.clone())));
    for s in subscribers.iter().filter(|s| !s.acknowledged) {
        let asked = door.state.questions.iter().any(|q| matches!(&q.kind, QuestionKind::Watcher { uri, .. } if *uri == s.uri));
        if asked || !door.state.acknowledging.insert(s.uri.clone()) {
            continue;
        }
        if door.state.people.contacts.contains_key(&s.uri) {
            door.ask_quietly(Operation::AcknowledgeSubscriber { uri: s.uri.clone() });
        } else if alerts::shows_additions(door.state) {
            push(door, QuestionKind::Watcher { uri: s.uri.clone(), name: s.display_name.clone() });
        }
    }
}

/// Asks one more question.
pub fn push(door: &mut Door<'_>, kind: QuestionKind) {
    if door.state.questions.len() >= QUESTIONS {
        door.state.questions.remove(0);
    }
    door.state.questions.push(Question { kind, postponed: false });
}
