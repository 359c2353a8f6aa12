//! Cards: invitations and new watchers, answered with Alt-y, Alt-n, Alt-l.

use super::access::{block_question, level_shows, trial};
use super::alerts;
use super::commands::people::set_level_after;
use super::door::{Door, Pending};
use super::limits::{NEW_QUESTION, QUESTIONS};
use super::state::overlay::{Choice, Confirm, Deed, Overlay, Picker};
use super::state::people::Loaded;
use super::state::{Question, QuestionKind, State};
use super::{files, invited, tabs};
use crate::domain::conference::Answer as MeetingAnswer;
use crate::domain::contact::AddOptions;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState};
use crate::domain::presence::Level;
use crate::domain::{Address, Time, access};
use crate::endpoint::sight::container_name;
use crate::endpoint::{Feature, Operation};

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Alt-y
    Yes,
    /// Alt-n
    No,
    /// Alt-l: put it off; when all are put off, bring them back.
    Later,
    /// Alt-t: neither yes nor no, to an invitation.
    Maybe,
}

/// The question that is shown, so that an answer meant for the one before does not reach it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    name: Option<String>,
    /// It took the place of one that nobody had answered, then.
    replaced: Option<Time>,
    /// The one before was answered.
    answered: bool,
}

/// Notes which question is shown now.
pub fn settle(state: &mut State) {
    let name = state.question().map(|q| match &q.kind {
        QuestionKind::Invitation { conversation, .. } => format!("i{}", conversation.0),
        QuestionKind::Reminder { slot } => format!("r{}{:?}", slot.id.0, slot.of),
        QuestionKind::Meeting { id, .. } => format!("m{}", id.0),
        QuestionKind::File { transfer } => format!("f{:?}", transfer.id),
        QuestionKind::Watcher { uri, .. } => format!("w{}", uri.as_str()),
    });
    let shown = &mut state.shown_question;
    if shown.name != name {
        let by_itself = shown.name.is_some() && !shown.answered;
        *shown = Shown { name, replaced: by_itself.then_some(state.view.now), answered: false };
    }
}

/// Answers the question shown.
pub fn answer(door: &mut Door<'_>, answer: Answer) -> Result<(), String> {
    let shown = &mut door.state.shown_question;
    if shown.replaced.take().is_some_and(|at| door.now < at + NEW_QUESTION) {
        return Err("another question has just come here: press the key once more if you mean it".into());
    }
    shown.answered = true;
    let questions = &mut door.state.questions;
    let Some(at) = questions.iter().position(|q| !q.postponed) else {
        questions.iter_mut().for_each(|q| q.postponed = false);
        return Ok(());
    };
    if answer == Answer::Later {
        questions[at].postponed = true;
        return Ok(());
    }
    if answer == Answer::Maybe && !matches!(questions[at].kind, QuestionKind::Meeting { .. }) {
        return Err("this is answered with yes or no".into());
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
        QuestionKind::File { transfer } => {
            if yes {
                files::accept(door, transfer.id);
            } else {
                files::end(door, transfer.id);
            }
            Ok(())
        }
        QuestionKind::Reminder { slot } if yes => super::meetings::join_slot(door, &slot.id),
        QuestionKind::Reminder { .. } => Ok(()),
        QuestionKind::Meeting { id, changed } => {
            let said = if yes { MeetingAnswer::Accepted } else { MeetingAnswer::Declined };
            let said = if answer == Answer::Maybe { MeetingAnswer::Tentative } else { said };
            let told = invited::answer(door, &id, said);
            if told.is_err() {
                door.state.questions.insert(at, Question { kind: QuestionKind::Meeting { id, changed }, postponed: false });
            }
            told
        }
        QuestionKind::Watcher { uri, name } => {
            // It is asked until it is answered: the dialog may be left.
            let title = if name.is_empty() { uri.bare().to_owned() } else { name.clone() };
            let kind = QuestionKind::Watcher { uri: uri.clone(), name };
            door.state.questions.insert(at, Question { kind, postponed: false });
            if yes {
                return pick_answer(door, uri);
            }
            let text = block_question(door.state, &title, &uri);
            door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Block", then: Deed::Block(uri) }));
            Ok(())
        }
    }
}

/// Asks at which level a new watcher is accepted.
pub fn pick_answer(door: &mut Door<'_>, uri: Address) -> Result<(), String> {
    let name = door.name(&uri);
    let network = door.state.network_of(&uri);
    let now = container_name(access::resolve(&door.state.own.replica.containers, &uri, network));
    let answer = |level, add| Choice::Watcher { uri: uri.clone(), level, add };
    let mut rows = vec![
        (format!("{now}, as now"), "and on my list too".to_owned()),
        (format!("{now}, as now"), "not on my list".to_owned()),
    ];
    let mut choices = vec![answer(None, true), answer(None, false)];
    if answers_open(door) {
        rows = vec![(Level::Colleagues.text().to_owned(), "and on my list too".to_owned())];
        choices = vec![answer(Some(Level::Colleagues), true)];
    }
    for level in [Level::Personal, Level::Workgroup, Level::Colleagues, Level::External, Level::Blocked] {
        rows.push((level.text().to_owned(), level_shows(door.state, level).to_owned()));
        choices.push(answer(Some(level), false));
    }
    if door.state.people.contacts.contains_key(&uri) {
        rows.remove(0);
        choices.remove(0);
    }
    let title = format!("{name} watches you: what may they see");
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

/// A new watcher is answered: acknowledged, put on a level, put on the list.
pub fn answered(door: &mut Door<'_>, uri: Address, level: Option<Level>, add: bool) {
    answer_watcher(door, &uri, level);
    if add && !door.state.people.contacts.contains_key(&uri) {
        let name = door.name(&uri);
        let pending = Pending::new(format!("Adding {name}"))
            .done(format!("{name} is on the list"))
            .undo(vec![Operation::DeleteContact { uri: uri.clone() }]);
        door.ask(Operation::AddContact { uri, name: String::new(), groups: Vec::new(), options: AddOptions::default() }, pending);
    }
}

/// Acknowledges a watcher and puts them on a level. Where an acknowledgement itself lets somebody in, the level alone is
/// the answer: nobody sees more for a moment than they are to see.
pub fn answer_watcher(door: &mut Door<'_>, uri: &Address, level: Option<Level>) {
    let waits = door.state.own.replica.subscribers.iter().any(|s| s.uri == *uri && !s.acknowledged);
    let mut operations = Vec::new();
    if waits && !(level.is_some() && answers_open(door)) {
        operations.push(Operation::AcknowledgeSubscriber { uri: uri.clone() });
    }
    match level {
        Some(_) => set_level_after(door, operations, uri.clone(), level),
        None if operations.is_empty() => ask_no_more(door, uri),
        None => trial::send(door, operations, Pending::new("")),
    }
}

/// Whether nobody sees anything before they are answered.
fn answers_open(door: &Door<'_>) -> bool {
    door.state.missing(Feature::DefaultAccess).is_some()
}

/// An answer is on its way: the one it is about is asked about no more.
pub fn settled(door: &mut Door<'_>, operation: &Operation) {
    if let Operation::AcknowledgeSubscriber { uri } | Operation::SetLevel { uri, .. } = operation {
        ask_no_more(door, uri);
    }
}

fn ask_no_more(door: &mut Door<'_>, uri: &Address) {
    door.state.questions.retain(|q| !matches!(&q.kind, QuestionKind::Watcher { uri: asked, .. } if asked == uri));
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

/// Asks about watchers who wait for an answer; forgets those answered elsewhere. Contacts are acknowledged without asking,
/// and so nobody is asked about before the list is here.
pub fn watchers(door: &mut Door<'_>) {
    if door.state.people.loaded != Loaded::Known || !door.state.own.loaded {
        return;
    }
    // Where nobody can answer nobody is asked; the section of watchers says why.
    if door.state.missing(Feature::Levels).is_some() {
        return;
    }
    let subscribers = door.state.own.replica.subscribers.clone();
    let people = &door.state.people.contacts;
    let open = |uri: &Address| subscribers.iter().any(|s| s.uri == *uri && !s.acknowledged) && !people.contains_key(uri);
    door.state.questions.retain(|q| !matches!(&q.kind, QuestionKind::Watcher { uri, .. } if !open(uri)));
    for s in subscribers.iter().filter(|s| !s.acknowledged) {
        let contact = door.state.people.contacts.contains_key(&s.uri);
        let asked = door.state.questions.iter().any(|q| matches!(&q.kind, QuestionKind::Watcher { uri, .. } if *uri == s.uri));
        // Who was asked about and came onto the list meanwhile is acknowledged, once.
        let first = door.state.acknowledging.insert((s.uri.clone(), contact));
        match contact {
            true if first => door.ask_quietly(Operation::AcknowledgeSubscriber { uri: s.uri.clone() }),
            false if first && !asked && alerts::shows_additions(door.state) => {
                push(door, QuestionKind::Watcher { uri: s.uri.clone(), name: s.display_name.clone() })
            }
            _ => {}
        }
    }
}

/// Asks one more question, behind those that matter as much, before those that can wait longer.
pub fn push(door: &mut Door<'_>, kind: QuestionKind) {
    let questions = &mut door.state.questions;
    if questions.len() >= QUESTIONS {
        let most = questions.iter().map(|q| patience(&q.kind)).max();
        let oldest = questions.iter().position(|q| Some(patience(&q.kind)) == most).unwrap_or(0);
        questions.remove(oldest);
    }
    let at = questions.iter().position(|q| patience(&q.kind) > patience(&kind)).unwrap_or(questions.len());
    questions.insert(at, Question { kind, postponed: false });
}

/// How long a question can wait: somebody rings, a meeting begins, somebody has put us on a list.
fn patience(kind: &QuestionKind) -> u8 {
    match kind {
        QuestionKind::Invitation { .. } | QuestionKind::File { .. } => 0,
        QuestionKind::Reminder { .. } => 1,
        QuestionKind::Meeting { .. } => 2,
        QuestionKind::Watcher { .. } => 3,
    }
}
