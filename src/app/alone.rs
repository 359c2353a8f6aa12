//! Words to one person of a chat room that the others do not get (RFC 7701 section 6).

use super::door::Door;
use super::limits::COMPOSER_CHARS;
use super::state::State;
use super::state::conversations::Part;
use super::{Editor, roster, sending};
use crate::domain::Address;
use crate::domain::conversation::{ConversationState, InstantMessage, Participant};

/// How a message is marked that went to one person alone; `None` for all others.
pub fn mark(state: &State, message: &InstantMessage) -> Option<String> {
    let to = message.alone.as_ref()?;
    let me = state.account.address.as_ref() == Some(to);
    Some(if me { "to you alone".into() } else { format!("to {} alone", state.name(to)) })
}

/// The writer's name, and the mark behind it: how lists of messages begin a line.
pub fn writer(state: &State, message: &InstantMessage) -> String {
    let name = state.name(&message.author);
    match mark(state, message) {
        Some(mark) => format!("{name} ({mark})"),
        None => name.to_owned(),
    }
}

/// Needs a room that passes words on to one person alone.
pub fn possible(state: &State) -> Result<(), &'static str> {
    let c = &state.conversations.current().ok_or("no conversation is open")?.conversation;
    match (c.state, c.meeting.private_messages) {
        (ConversationState::Conferenced, true) => Ok(()),
        (ConversationState::Conferenced, false) => Err("this meeting has no private messages; open a conversation with them"),
        _ if c.focus.is_some() => Err("you are not in this meeting"),
        _ => Err("this is no meeting; what you write here goes to one person anyway"),
    }
}

/// `/private Carol shall we?`
pub fn say(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let (to, text) = addressee(door.state, args.trim().trim_start_matches('@'))?;
    if text.is_empty() {
        return Err(format!("say what: /private {} and the words", door.name(&to)));
    }
    sending::say_to(door, text, Some(to))
}

/// Begins the command to the person under the cursor of the roster in the composer.
pub fn begin(door: &mut Door<'_>) -> Result<(), String> {
    let who = roster::chosen(door.state).into_iter().next().ok_or("nobody is selected")?;
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    if !tab.composer.text().trim().is_empty() {
        return Err("something is being written already; send it first, or take it away".into());
    }
    // Where two have one name, the address tells them apart.
    let name = door.name(&who);
    let is_clear = addressee(door.state, &name).is_ok_and(|found| found.0 == who);
    let begun = format!("/private {} ", if is_clear { &name } else { who.bare() });
    roster::leave(door.state);
    door.state.conversations.part = Part::Composer;
    if let Some(tab) = door.state.conversations.current_mut() {
        tab.composer = Editor::limited(&begun, COMPOSER_CHARS);
    }
    Ok(())
}

/// Whom the words begin with, and the rest. The longest name wins: names have spaces, and one may begin another.
fn addressee<'a>(state: &State, words: &'a str) -> Result<(Address, &'a str), String> {
    let people: &[Participant] = state.conversations.current().map_or(&[], |t| &t.conversation.participants);
    let mut best: Vec<(usize, &Address)> = Vec::new();
    for p in people {
        let names = [state.name(&p.uri), p.display_name.as_str(), p.uri.user(), p.uri.bare(), p.uri.as_str()];
        let firsts = names[..2].iter().filter_map(|n| n.split_whitespace().next());
        // “Carol (Boss)”: her name, and the one she chose here.
        let chosen =
            names[..2].iter().filter_map(|n| n.strip_suffix(')')?.rsplit_once(" (")).flat_map(|(name, nick)| [name, nick]);
        let longest = names.iter().copied().chain(firsts).chain(chosen).filter_map(|n| begins(words, n)).max();
        best.extend(longest.map(|l| (l, &p.uri)));
    }
    let length = best.iter().map(|b| b.0).max().unwrap_or(0);
    let mut found = best.iter().filter(|b| b.0 == length).map(|b| b.1);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok((one.clone(), words.get(length..).unwrap_or("").trim_start_matches([':', ',']).trim_start())),
        (Some(one), Some(other)) => {
            Err(format!("that may be {} or {}; write the address, such as {}", state.name(one), state.name(other), one.bare()))
        }
        _ => {
            let word = words.split_whitespace().next().unwrap_or("");
            Err(match word {
                "" => "say to whom: /private NAME and the words".into(),
                word => format!("nobody in this meeting is called “{word}”; Alt-p shows who is in it"),
            })
        }
    }
}

/// How many octets of the words are this name, in letters of whatever case; the name must end where a word does.
fn begins(words: &str, name: &str) -> Option<usize> {
    let name = name.trim();
    let mut rest = words.char_indices();
    for wanted in name.chars() {
        let (_, c) = rest.next()?;
        if !c.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    let end = rest.next();
    let ends = end.is_none_or(|(_, c)| c.is_whitespace() || c == ':' || c == ',');
    (ends && !name.is_empty()).then(|| end.map_or(words.len(), |(at, _)| at))
}
