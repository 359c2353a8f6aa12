//! Looking back: missed conversations, what became of a message, other days, the whole history.

use super::door::Door;
use super::effect::StoreRequest;
use super::limits::{MISSED, RECIPIENTS};
use super::state::overlay::{Ask, Choice, Confirm, Deed, Overlay, Picker};
use super::state::{Missed, Thread};
use super::{commands, tabs};
use crate::domain::Address;
use crate::domain::conversation::{Delivery, MessageId, Recipient};

/// Keeps who wanted to talk while nobody answered.
pub fn note_missed(door: &mut Door<'_>, from: Address, toast: &str, seen: bool) {
    let missed = &mut door.state.conversations.missed;
    if missed.len() >= MISSED {
        missed.remove(0);
    }
    missed.push(Missed { from, toast: toast.to_owned(), at: door.now, seen });
    save_missed(door);
}

/// The tab of a person is in sight: what was missed of them is missed no longer.
pub fn saw_missed(door: &mut Door<'_>) {
    let Some(Thread::Person(uri)) = door.state.conversations.current().map(|t| t.thread.clone()) else { return };
    let unseen = door.state.conversations.missed.iter_mut().filter(|m| m.from == uri && !m.seen);
    if unseen.map(|m| m.seen = true).count() > 0 {
        save_missed(door);
    }
}

fn save_missed(door: &mut Door<'_>) {
    let all = door.state.conversations.missed.clone();
    door.store(StoreRequest::SaveMissed(all));
}

/// The list of missed conversations, newest first; Enter answers.
pub fn show_missed(door: &mut Door<'_>) -> Result<(), String> {
    if door.state.conversations.missed.is_empty() {
        return Err("nobody has tried to reach you in vain".into());
    }
    let zone = door.state.view.zone.clone();
    let (mut rows, mut choices) = (Vec::new(), Vec::new());
    for m in door.state.conversations.missed.iter().rev() {
        let at = m.at.timestamp().to_zoned(zone.clone()).strftime("%a %-d %b, %H:%M").to_string();
        let name = door.state.name(&m.from);
        let new = if m.seen { "" } else { "new, " };
        let words = m.toast.lines().next().unwrap_or("");
        rows.push((if words.is_empty() { name.to_owned() } else { format!("{name}: {words}") }, format!("{new}{at}")));
        choices.push(Choice::Write(m.from.clone()));
    }
    let unseen = door.state.conversations.missed.iter().filter(|m| !m.seen).count();
    let title = if unseen > 0 { format!("Missed conversations ({unseen} new)") } else { "Missed conversations".into() };
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

/// Keeps what became of a message at each recipient.
pub fn recipients(door: &mut Door<'_>, message: MessageId, recipients: Vec<Recipient>) {
    let known = &mut door.state.conversations.recipients;
    known.retain(|r| r.0 != message);
    if known.len() >= RECIPIENTS {
        known.remove(0);
    }
    known.push((message, recipients));
}

/// Says everything that is known of the message under the cursor, or of the last own one.
pub fn show_details(door: &mut Door<'_>) -> Result<(), String> {
    let state = &*door.state;
    let tab = state.conversations.current().ok_or("no conversation is open")?;
    let mine = state.account.address.as_ref();
    let chosen = tab.cursor.as_ref().and_then(|id| tab.entries.iter().find(|e| e.id() == id)).and_then(|e| e.message());
    let last = || tab.entries.iter().rev().filter_map(|e| e.message()).find(|m| Some(&m.author) == mine);
    let message = chosen.or_else(last).ok_or("choose a message first (Esc, then j and k)")?;
    let at = message.at.timestamp().to_zoned(state.view.zone.clone()).strftime("%A %-d %B %Y, %H:%M:%S").to_string();
    let mut lines = vec![format!("From: {} <{}>", state.name(&message.author), message.author.bare()), format!("When: {at}")];
    lines.push(match &message.state {
        Delivery::Queued => "State: waits for the link or for the other side".into(),
        Delivery::Sent => "State: with the server".into(),
        Delivery::Delivered => "State: arrived".into(),
        Delivery::Failed(reason) => format!("State: did not arrive; {reason}"),
        Delivery::Received => "State: received".to_owned(),
    });
    if let Some((_, all)) = state.conversations.recipients.iter().find(|r| r.0 == message.id) {
        let failed = all.iter().filter(|r| r.failure.is_some()).count();
        lines.push(String::new());
        lines.push(format!("{} of {} have it:", all.len() - failed, all.len()));
        for r in all {
            let sign = if r.failure.is_none() { "+" } else { "-" };
            let why = r.failure.as_ref().map(|f| format!(": {f}")).unwrap_or_default();
            lines.push(format!("{sign} {}{why}", state.name(&r.uri)));
        }
    }
    door.state.overlays.push(Overlay::Details { title: "Message".into(), lines, scroll: 0 });
    Ok(())
}

/// Asks for words to look for in everything that was written.
pub fn ask_search(door: &mut Door<'_>) -> Result<(), String> {
    let words = door.state.conversations.current().and_then(|t| t.search.as_ref()).map(|s| s.query.text().to_owned());
    let hint = "In all conversations; beginnings of words count";
    commands::people::prompt(door, Ask::Search, "Search everything", hint, &words.unwrap_or_default());
    Ok(())
}

/// Asks for a day to go to.
pub fn ask_day(door: &mut Door<'_>) -> Result<(), String> {
    let hint = "2026-11-03, 3 nov, yesterday, tue, 3d or 2w ago";
    commands::people::prompt(door, Ask::Day, "Go to a day", hint, "");
    Ok(())
}

/// Goes to the first message of a day in the shown tab.
pub fn go_to_day(door: &mut Door<'_>, words: &str) -> Result<(), String> {
    let day = super::past::day(words, door.now, &door.state.view.zone)?;
    let thread = door.state.conversations.current().map(|t| t.thread.clone()).ok_or("no conversation is open")?;
    tabs::go_to(door, thread, day)
}

/// Asks before everything that was written in the shown conversation is deleted here.
pub fn delete_history(door: &mut Door<'_>) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let title = door.state.title(tab);
    let text = format!("Delete all that was written in {title}, here and for good? Others keep theirs.");
    let then = Deed::DeleteHistory(tab.thread.clone());
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Delete", then }));
    Ok(())
}

/// Deletes it. What still waits to be sent stays.
pub fn delete_history_now(door: &mut Door<'_>, thread: &Thread) {
    if let Some(tab) = door.state.conversations.tabs.iter_mut().find(|t| t.thread == *thread) {
        tab.entries.retain(|e| e.message().is_some_and(|m| m.state == Delivery::Queued));
        (tab.cursor, tab.search, tab.unread_from) = (None, None, None);
        (tab.unread, tab.mentions, tab.more_history) = (0, 0, false);
    }
    door.store(StoreRequest::DeleteHistory { thread: thread.key() });
    door.say("Deleted");
}
