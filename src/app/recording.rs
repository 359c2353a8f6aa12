//! Recording a meeting: what is written goes into a file, and everybody in the meeting is told while it does.
//!
//! It begins when the server has taken the word of it, collects what comes from then on, and is written when it is ended,
//! when the meeting is over for us, when its tab is closed and when the program ends.

use super::alone;
use super::commands::roster::change;
use super::door::{Door, Pending, Then};
use super::effect::Effect;
use super::limits::RECORDED;
use super::meetings::file_name;
use super::scroll;
use super::state::conversations::Recording;
use super::state::{Entry, State};
use crate::domain::conversation::{ConversationId, ConversationState, MeetingChange};
use crate::endpoint::Operation;

/// Begins to record, or stops and writes the file.
pub fn toggle(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let (at, id) = (door.state.conversations.at, tab.conversation.id.clone());
    if tab.recording.is_some() {
        let inside = tab.conversation.state == ConversationState::Conferenced;
        finish(door, at);
        if inside {
            change(door, "Ending the recording", "", MeetingChange { recording: Some(false), ..MeetingChange::default() })?;
        }
        return Ok(());
    }
    if door.state.pending.values().any(|p| matches!(&p.then, Then::Record(asked, _) if *asked == id)) {
        return Err("the recording is about to begin".into());
    }
    let path = match args.trim() {
        "" => format!("{}-{}.txt", file_name(&door.state.title(tab)), door.now.timestamp().strftime("%Y%m%d-%H%M%S")),
        path => path.to_owned(),
    };
    let change = MeetingChange { recording: Some(true), ..MeetingChange::default() };
    let done = format!("Recording; everybody is told. Again: stop and write {path}");
    let pending = Pending::new("Recording").done(done).then(Then::Record(id.clone(), path));
    door.ask(Operation::ChangeConference { conversation: id, change }, pending);
    Ok(())
}

/// The server has told everybody: from now on what is written is kept.
pub fn begin(door: &mut Door<'_>, conversation: &ConversationId, path: String) {
    let Some(at) = door.state.conversations.find(conversation) else { return };
    if let Some(tab) = door.state.conversations.tabs.get_mut(at).filter(|t| t.recording.is_none()) {
        tab.recording = Some(Recording { path, entries: Vec::new() });
    }
}

/// Writes what was recorded in a tab, if anything is, and ends it.
pub fn finish(door: &mut Door<'_>, at: usize) {
    let Some(r) = door.state.conversations.tabs.get_mut(at).and_then(|t| t.recording.take()) else { return };
    let contents = r.entries.iter().map(|e| line(door.state, e)).collect();
    door.effects.push(Effect::WriteFile { path: r.path, contents });
}

/// Ends the recordings of meetings that we are in no longer, and one that grew too long.
pub fn watch(door: &mut Door<'_>) {
    for at in 0..door.state.conversations.tabs.len() {
        let tab = &door.state.conversations.tabs[at];
        let Some(length) = tab.recording.as_ref().map(|r| r.entries.len()) else { continue };
        if tab.conversation.state != ConversationState::Conferenced {
            finish(door, at);
        } else if length >= RECORDED {
            let conversation = tab.conversation.id.clone();
            finish(door, at);
            let change = MeetingChange { recording: Some(false), ..MeetingChange::default() };
            let pending =
                Pending::new("Ending the recording").done("The recording is full and was written; /record begins another");
            door.ask(Operation::ChangeConference { conversation, change }, pending);
        }
    }
}

fn line(state: &State, entry: &Entry) -> String {
    let at = entry.at().timestamp().to_zoned(state.view.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    match entry {
        Entry::Message { message, .. } => {
            format!("{at} {}: {}\n", alone::writer(state, message), scroll::plain(message).replace('\n', "\n    "))
        }
        Entry::Notice { text, .. } => format!("{at} * {text}\n"),
        Entry::Transfer { transfer, .. } => format!("{at} * {}\n", super::files::plain(state, transfer)),
    }
}
