//! Files from person to person: offering, answering, and how a transfer reads.

use super::door::{Door, Pending};
use super::effect::StoreRequest;
use super::sending;
use super::state::{Entry, QuestionKind, Scroll, State, Thread};
use super::{questions, tabs, talk};
use crate::domain::conversation::{Delivery, InstantMessage, MessageId, TextFormat};
use crate::domain::file::{Transfer, TransferId, TransferState, safe_name, size_words};
use crate::endpoint::{Feature, Operation};

/// Whether files can be sent here, and why not.
pub fn possible(state: &State) -> Result<(), &'static str> {
    if state.missing(Feature::Files).is_some() {
        return Err("this server has no file transfer that adsum knows; /limits says more");
    }
    if state.link.is_up() { Ok(()) } else { Err("this needs the server, and the link is down") }
}

/// `/send ~/report.pdf`
pub fn send(door: &mut Door<'_>, path: &str) -> Result<(), String> {
    let path = path.trim();
    if path.is_empty() {
        return Err("name the file: /send ~/report.pdf".into());
    }
    let at = door.state.conversations.at;
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    if !matches!(tab.thread, Thread::Person(_)) {
        return Err("files go to one person; open a conversation with them".into());
    }
    sending::start_if_needed(door, at)?;
    let transfer = TransferId(door.state.fresh_id());
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let conversation = tab.conversation.id.clone();
    let name = path.rsplit('/').next().unwrap_or(path);
    let pending = Pending::new(format!("Sending {name}"));
    door.ask(Operation::SendFile { conversation, transfer, path: path.to_owned() }, pending);
    Ok(())
}

/// Takes an offered file.
pub fn accept(door: &mut Door<'_>, transfer: TransferId) {
    door.state.questions.retain(|q| !asks_about(&q.kind, &transfer));
    door.ask(Operation::AcceptFile { transfer }, Pending::new("Taking the file"));
}

/// Declines an offered file, or breaks a transfer off.
pub fn end(door: &mut Door<'_>, transfer: TransferId) {
    door.state.questions.retain(|q| !asks_about(&q.kind, &transfer));
    door.ask(Operation::EndFile { transfer }, Pending::new("Ending the transfer"));
}

/// The transfer under the cursor of the transcript, else the newest that fits.
pub fn chosen(state: &State, fits: fn(&Transfer) -> bool) -> Option<TransferId> {
    let tab = state.conversations.current()?;
    let mine = |e: &Entry| e.transfer().filter(|t| fits(t)).map(|t| t.id.clone());
    let under = tab.cursor.as_ref().and_then(|id| tab.entries.iter().find(|e| e.id() == id)).and_then(mine);
    under.or_else(|| tab.entries.iter().rev().find_map(mine))
}

fn asks_about(kind: &QuestionKind, id: &TransferId) -> bool {
    matches!(kind, QuestionKind::File { transfer } if transfer.id == *id)
}

/// A file is offered, or got further.
pub fn heard(door: &mut Door<'_>, transfer: Transfer) {
    let known = door.state.conversations.find(&transfer.conversation);
    let at = known.unwrap_or_else(|| {
        let idle = tabs::idle(transfer.conversation.clone(), Some(&transfer.with), String::new());
        tabs::tab_of(door, Thread::Person(transfer.with.clone()), Some(idle))
    });
    let shown = talk::in_sight(door.state, at);
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return };
    let thread = tab.thread.key();
    let id = entry_id(&transfer.id);
    let before = tab.entries.iter_mut().rev().find(|e| *e.id() == id);
    let fresh = before.is_none();
    match before {
        Some(Entry::Transfer { transfer: old, .. }) => **old = transfer.clone(),
        Some(_) => return,
        None => {
            tab.entries.push(Entry::Transfer { id: id.clone(), transfer: Box::new(transfer.clone()) });
            if transfer.outgoing {
                (tab.scroll, tab.new_below, tab.unread_from) = (Scroll::default(), 0, None);
            } else if tab.scroll.anchor.is_some() {
                tab.new_below += 1;
            }
            if !transfer.outgoing && !shown {
                tab.unread_from = tab.unread_from.take().or(Some(id));
                tab.unread += 1;
            }
        }
    }
    if transfer.state != TransferState::Offered {
        door.state.questions.retain(|q| !asks_about(&q.kind, &transfer.id));
    } else if fresh && !transfer.outgoing {
        let title = format!("{} offers you a file", door.name(&transfer.with));
        talk::alert(door, &transfer.with, title, format!("{}, {}", transfer.name, size_words(transfer.size)));
        questions::push(door, QuestionKind::File { transfer: Box::new(transfer.clone()) });
    }
    if transfer.state.is_over() {
        keep(door, thread, &transfer);
    }
}

/// What is left of a transfer in the history.
fn keep(door: &mut Door<'_>, thread: String, transfer: &Transfer) {
    let own = door.state.account.address.clone().filter(|_| transfer.outgoing);
    let message = InstantMessage {
        alone: None,
        id: entry_id(&transfer.id),
        author: own.unwrap_or_else(|| transfer.with.clone()),
        at: transfer.at,
        body: plain(door.state, transfer),
        format: TextFormat::Plain,
        state: if transfer.outgoing { Delivery::Sent } else { Delivery::Received },
    };
    door.store(StoreRequest::SaveMessage { thread, message });
}

fn entry_id(id: &TransferId) -> MessageId {
    MessageId(id.0.clone())
}

/// Name and size, as the first line shows them; raw.
pub fn title(transfer: &Transfer) -> String {
    let name = if transfer.outgoing { transfer.name.clone() } else { safe_name(&transfer.name) };
    format!("{name} · {}", size_words(transfer.size))
}

/// Where it stands, for people.
pub fn standing(state: &State, transfer: &Transfer) -> String {
    let who = || state.name(&transfer.with).to_owned();
    let (size, out) = (transfer.size, transfer.outgoing);
    match &transfer.state {
        TransferState::Offered if out => format!("offered; {} has not answered yet", who()),
        TransferState::Offered => "Alt-y takes it, Alt-n declines".into(),
        TransferState::Starting => "making the way…".into(),
        TransferState::Running { octets } => {
            format!("{}% · {} of {}", percent(*octets, size), size_words(*octets), size_words(size))
        }
        TransferState::Done { path: Some(path) } => format!("saved as {path}"),
        TransferState::Done { path: None } => format!("{} has it", who()),
        TransferState::Declined if out => format!("{} does not want it", who()),
        TransferState::Declined => "you declined it".into(),
        TransferState::Cancelled { here: true } => "you broke it off".into(),
        TransferState::Cancelled { here: false } => format!("{} broke it off", who()),
        TransferState::Failed(why) => format!("not {}: {why}", if out { "sent" } else { "saved" }),
    }
}

/// How much of a whole, rounded down: 100 only when all is there.
pub fn percent(octets: u64, size: u64) -> u64 {
    if size == 0 { 100 } else { u64::try_from(u128::from(octets) * 100 / u128::from(size)).unwrap_or(100) }
}

/// All of it in one line.
pub fn plain(state: &State, transfer: &Transfer) -> String {
    format!("{} ({})", title(transfer), standing(state, transfer))
}
