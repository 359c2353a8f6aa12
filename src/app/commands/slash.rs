//! Commands typed into the composer; the same table as all others.

use super::{Arg, Command, STATUSES, all, in_tab, nearest, online};
use crate::app::Editor;
use crate::app::access::trial;
use crate::app::door::{Door, Pending};
use crate::app::effect::StoreRequest;
use crate::app::limits::COMPOSER_CHARS;
use crate::app::people::person_by_words;
use crate::app::state::overlay::{Ask, Confirm, Deed, Overlay};
use crate::app::state::{Pane, State};
use crate::app::{meetings, own, recall, sending, tabs, when};
use crate::domain::conversation::{ContextState, ConversationId, ConversationState, Priority, Role};
use crate::domain::presence::{Note, UserStatus};
use crate::endpoint::{Feature, JoinTarget, Operation};

const NOWHERE: &[crate::app::keymap::Mode] = &[];

/// Hits shown by `/search`.
pub const FOUND: usize = 50;

/// The commands of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("status", "Set my status", NOWHERE, status)
        .typed("status", Arg::Status)
        .needs(Feature::OwnPresence)
        .when(online),
    Command::new("note", "Set my note; alone it shows it, - takes it away", NOWHERE, note)
        .typed("note", Arg::Words("words", false))
        .needs(Feature::OwnPresence)
        .when(online),
    Command::new("away", "I am away", NOWHERE, |d, a| quick(d, UserStatus::Away, a))
        .typed("away", Arg::Words("words", false))
        .needs(Feature::OwnPresence)
        .when(online),
    Command::new("back", "I am back: take the hand-set status back", NOWHERE, |d, _| {
        own::reset_status(d);
        Ok(())
    })
    .typed("back", Arg::None)
    .needs(Feature::OwnPresence)
    .when(online),
    Command::new("location", "Say where I am", NOWHERE, |d, a| {
        let location = a.trim().to_owned();
        let pending = Pending::new("Setting the location").done("Location set");
        trial::send(d, vec![Operation::SetLocation { location }], pending);
        Ok(())
    })
    .typed("location", Arg::Words("place", false))
    .needs(Feature::OwnPresence)
    .when(online),
    Command::new("meet", "Schedule a meeting with the people of this conversation", NOWHERE, meetings::meet)
        .typed("meet", Arg::Meeting)
        .when(online),
    Command::new("meet-now", "Start a meeting now", &[crate::app::keymap::Mode::Anywhere], meet_now)
        .typed("meetnow", Arg::Words("subject", false))
        .when(gathering),
    Command::new("join-link", "Join a meeting by its link or number", NOWHERE, join)
        .typed("join", Arg::Words("link or number", false))
        .when(online),
    Command::new("rejoin", "Go back into this meeting", NOWHERE, |d, _| rejoin(d))
        .typed("rejoin", Arg::None)
        .when(in_meeting_tab),
    Command::new("invite", "Invite somebody into this conversation", NOWHERE, invite)
        .typed("invite", Arg::Person(false))
        .when(inviting),
    Command::new("nickname", "Take another name in this chat room; alone it gives it back", NOWHERE, nickname)
        .typed("nick", Arg::Words("name", false))
        .when(named),
    Command::new("topic", "Change the subject of this conversation", NOWHERE, topic)
        .typed("topic", Arg::Words("subject", false))
        .needs(Feature::Subjects)
        .when(in_tab_online),
    Command::new("priority", "Say how much this conversation matters", NOWHERE, priority)
        .typed("priority", Arg::Words("emergency, urgent, normal or non-urgent", true))
        .needs(Feature::Subjects)
        .when(in_tab),
    Command::new("missed", "Missed conversations", &[crate::app::keymap::Mode::Anywhere], |d, _| recall::show_missed(d))
        .typed("missed", Arg::None),
    Command::new("context", "Show or send data of the application attached here", NOWHERE, context)
        .typed("context", Arg::Words("open NAME, send DATA or close", false))
        .needs(Feature::Contexts)
        .when(in_tab),
    Command::new(
        "call",
        "Call this person",
        &[crate::app::keymap::Mode::People, crate::app::keymap::Mode::Transcript],
        |d, _| call(d),
    )
    .typed("call", Arg::None),
    Command::new("hang-up", "End the call", NOWHERE, |_, _| Err(NO_CALL.into())).typed("hangup", Arg::None),
    Command::new("hold", "Hold or retrieve the call", NOWHERE, |_, _| Err(NO_CALL.into())).typed("hold", Arg::None),
    Command::new("leave", "Leave this conversation", NOWHERE, |d, _| leave(d)).typed("leave", Arg::None).when(in_tab),
    Command::new("lock", "Lock this meeting", NOWHERE, |d, _| lock(d, true)).typed("lock", Arg::None).when(controlling),
    Command::new("unlock", "Unlock this meeting", NOWHERE, |d, _| lock(d, false)).typed("unlock", Arg::None).when(controlling),
    Command::new("promote", "Make somebody a leader", NOWHERE, |d, a| role(d, a, Role::Leader))
        .typed("promote", Arg::Person(true))
        .when(controlling),
    Command::new("demote", "Make somebody an attendee", NOWHERE, |d, a| role(d, a, Role::Attendee))
        .typed("demote", Arg::Person(true))
        .when(controlling),
    Command::new("eject", "Remove somebody from this meeting", NOWHERE, eject).typed("eject", Arg::Person(true)).when(leading),
    Command::new("end-meeting", "End this meeting for everybody", &[crate::app::keymap::Mode::Roster], |d, _| end(d))
        .typed("end", Arg::None)
        .when(leading),
    Command::new("search", "Search everything that was written", NOWHERE, search).typed("search", Arg::Words("words", true)),
    Command::new("export", "Write this conversation into a file", NOWHERE, export).typed("export", Arg::File(false)).when(in_tab),
    Command::new("action", "Say what I do", NOWHERE, |d, a| {
        let name = d.state.account.name.clone();
        sending::say(d, &format!("* {name} {}", a.trim()))
    })
    .typed("me", Arg::Words("action", true))
    .when(in_tab),
];

/// Runs a typed line. When it cannot be done, the reason stands in the composer and the text stays there.
pub fn typed(door: &mut Door<'_>, line: &str) -> Result<(), String> {
    let Some(tab) = door.state.conversations.current_mut() else { return Err("no conversation is open".into()) };
    // What the command leaves behind, and keeps when it closes the tab, is not the command itself.
    let written = std::mem::replace(&mut tab.composer, Editor::limited("", COMPOSER_CHARS));
    let thread = tab.thread.clone();
    let result = run_line(door, line);
    let Some(at) = door.state.conversations.tabs.iter().position(|t| t.thread == thread) else { return Ok(()) };
    let tab = &mut door.state.conversations.tabs[at];
    match result {
        Ok(()) => sending::note_sent(tab, written.text().to_owned()),
        Err(reason) => (tab.composer, tab.composer_error) = (written, Some(reason)),
    }
    tabs::save_draft(door, at);
    Ok(())
}

fn run_line(door: &mut Door<'_>, line: &str) -> Result<(), String> {
    let body = line.strip_prefix('/').unwrap_or(line);
    let (word, args) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let word = word.to_lowercase();
    let command = all().find(|c| c.slash == Some(&word)).ok_or_else(|| unknown(&word))?;
    command.check(door.state)?;
    if command.args.needed() && args.trim().is_empty() {
        return Err(format!("write /{word} {}", command.args.usage()));
    }
    (command.run)(door, args)
}

fn unknown(word: &str) -> String {
    let by_name = all().find(|c| c.name == word).and_then(|c| c.slash);
    let near = by_name.or_else(|| nearest(word, all().filter_map(|c| c.slash)));
    match near {
        Some(n) => format!("there is no command /{word}; did you mean /{n}?"),
        None => format!("there is no command /{word}; F1 lists them, // sends a text that begins with a slash"),
    }
}

fn in_tab_online(state: &State) -> Result<(), &'static str> {
    in_tab(state).and_then(|()| online(state))
}

pub(super) fn in_meeting_tab(state: &State) -> Result<(), &'static str> {
    let tab = state.conversations.current().ok_or("no conversation is open")?;
    tab.conversation.focus.as_ref().map(|_| ()).ok_or("this is no meeting")
}

/// Needs a conference in which I am a leader; where nobody says who leads, the server decides.
pub(super) fn leading(state: &State) -> Result<(), &'static str> {
    let tab = state.conversations.current().ok_or("no conversation is open")?;
    let c = &tab.conversation;
    if c.focus.is_none() || c.state != ConversationState::Conferenced {
        return Err("this is no meeting, or you are not in it");
    }
    if c.my_role == Some(Role::Attendee) { Err("only leaders of the meeting may do this") } else { Ok(()) }
}

/// Needs a server that lets leaders run a conference, too.
pub(super) fn controlling(state: &State) -> Result<(), &'static str> {
    controls(state).and_then(|()| leading(state))
}

/// Needs a server on which a conference can be run.
pub(super) fn controls(state: &State) -> Result<(), &'static str> {
    match state.missing(Feature::MeetingControls) {
        Some(_) => Err("meetings on this server cannot do that; /limits says why"),
        None => Ok(()),
    }
}

/// Needs a conference in which people may have names of their own.
fn named(state: &State) -> Result<(), &'static str> {
    in_meeting_tab(state)?;
    match state.missing(Feature::MeetingControls) {
        Some(_) => Ok(()),
        None => Err("in meetings on this server everybody has their own name"),
    }
}

/// Needs a server that makes conferences.
fn gathering(state: &State) -> Result<(), &'static str> {
    online(state)?;
    match state.missing(Feature::GroupChats) {
        Some(_) => Err("no meeting can be made on this server; /limits says why, /join enters one of others"),
        None => Ok(()),
    }
}

/// Needs a conference, or a conversation that can become one.
fn inviting(state: &State) -> Result<(), &'static str> {
    in_tab_online(state)?;
    if in_meeting_tab(state).is_ok() { Ok(()) } else { gathering(state) }
}

pub(super) fn current(door: &Door<'_>) -> Result<ConversationId, String> {
    door.state.conversations.current().map(|t| t.conversation.id.clone()).ok_or_else(|| "no conversation is open".into())
}

/// The words for a status and how many words they were.
fn status_word(text: &str) -> Option<(UserStatus, &str)> {
    const MORE: [(&str, UserStatus); 9] = [
        ("dnd", UserStatus::DoNotDisturb),
        ("do-not-disturb", UserStatus::DoNotDisturb),
        ("brb", UserStatus::BeRightBack),
        ("be-right-back", UserStatus::BeRightBack),
        ("online", UserStatus::Available),
        ("free", UserStatus::Available),
        ("offline", UserStatus::AppearOffline),
        ("invisible", UserStatus::AppearOffline),
        ("off-work", UserStatus::OffWork),
    ];
    let low = text.to_lowercase();
    let all = STATUSES.iter().map(|(s, w)| (w.to_lowercase(), *s)).chain(MORE.iter().map(|(w, s)| ((*w).to_owned(), *s)));
    all.filter_map(|(w, s)| {
        let rest = low.strip_prefix(&w)?;
        (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| (s, text.get(w.len()..).unwrap_or("").trim_start()))
    })
    .max_by_key(|(_, rest)| text.len() - rest.len())
}

/// `/status busy until 15:00 In the lab`
fn status(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let args = args.trim();
    if args.eq_ignore_ascii_case("reset") {
        own::reset_status(door);
        return Ok(());
    }
    if status_word(args).is_none() {
        let (id, rest) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
        if door.state.own.custom.iter().any(|c| c.id == id) {
            let (until, _) = timed(door, rest)?;
            own::set_custom_status(door, id.to_owned(), until);
            return Ok(());
        }
    }
    let (status, rest) = status_word(args).ok_or_else(|| {
        let near = nearest(args.split_whitespace().next().unwrap_or(""), STATUSES.iter().map(|s| s.1));
        let hint = near.map(|n| format!("; did you mean {}?", n.to_lowercase())).unwrap_or_default();
        format!("a status is available, busy, dnd, brb, away, off work, appear offline or reset{hint}")
    })?;
    quick(door, status, rest)
}

fn quick(door: &mut Door<'_>, status: UserStatus, rest: &str) -> Result<(), String> {
    let (until, activity) = timed(door, rest)?;
    own::set_status(door, status, activity.to_owned(), until);
    Ok(())
}

/// An end ("until 15:00", "for 1h") at the beginning of the words, and the words behind it.
fn timed<'a>(door: &Door<'_>, rest: &'a str) -> Result<(Option<crate::domain::Time>, &'a str), String> {
    let rest = rest.trim();
    match ["until ", "till ", "for "].iter().find_map(|w| rest.strip_prefix(w)) {
        Some(t) => when::until(t, door.now, &door.state.view.zone).map(|(at, words)| (Some(at), words)),
        None => Ok((None, rest)),
    }
}

fn note(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let text = args.trim();
    let before = own::note(door.state);
    if text.is_empty() {
        door.say(match before {
            Some(note) => format!("Your note is “{}”; /note - takes it away", note.text),
            None => "You have no note; /note and some words set one".to_owned(),
        });
        return Ok(());
    }
    let note = (text != "-").then(|| Note { text: text.to_owned(), out_of_office: false, start: None, end: None });
    let done = if note.is_some() { "Note published" } else { "Note taken away" };
    let pending = Pending::new("Publishing the note").done(done).undo(vec![Operation::SetNote { note: before }]);
    trial::send(door, vec![Operation::SetNote { note }], pending);
    Ok(())
}

fn meet_now(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let marked: Vec<_> = std::mem::take(&mut door.state.people.marks).into_iter().collect();
    tabs::open_group(door, args.trim().to_owned(), marked)
}

fn join(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let link = args.trim();
    if link.is_empty() {
        let hint = match door.state.missing(Feature::MeetingRules) {
            Some(_) => "sip:room@conference.example.org, or a link",
            None => "Its link (https://…, conf:…, sip:…), organizer and id, or the number for callers",
        };
        let last = door.state.conversations.link.clone();
        super::people::prompt(door, Ask::Join, "Join a meeting", hint, &last);
        return Ok(());
    }
    tabs::join_by_words(door, link)
}

fn rejoin(door: &mut Door<'_>) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let (focus, subject) = (tab.conversation.focus.clone().ok_or("this is no meeting")?, tab.conversation.subject.clone());
    let passcode = tab.passcode.clone();
    tabs::join_with(door, JoinTarget::Link(focus), subject, passcode)
}

fn invite(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let id = current(door)?;
    if args.trim().is_empty() {
        super::people::prompt(door, Ask::Invite(id), "Invite", super::people::whom(door.state, super::roster::ANYBODY), "");
        return Ok(());
    }
    let uri = person_by_words(door.state, args)?;
    let at = door.state.conversations.at;
    sending::start_if_needed(door, at)?;
    let id = current(door)?;
    tabs::invite(door, id, uri);
    Ok(())
}

/// `/nick Alice W.`
fn nickname(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let (conversation, name) = (current(door)?, args.trim().to_owned());
    let done = if name.is_empty() { "Your nickname is given back".to_owned() } else { format!("You are {name} here now") };
    door.ask(Operation::SetNickname { conversation, name }, Pending::new("Asking for the nickname").done(done));
    Ok(())
}

/// `/topic Budget 2027`
fn topic(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let at = door.state.conversations.at;
    sending::start_if_needed(door, at)?;
    let (id, subject) = door
        .state
        .conversations
        .current()
        .map(|t| (t.conversation.id.clone(), t.conversation.subject.clone()))
        .ok_or("no conversation is open")?;
    if args.trim().is_empty() {
        let hint = "The other side sees it, too";
        super::people::prompt(door, Ask::Subject(id), "Subject of this conversation", hint, &subject);
        return Ok(());
    }
    set_subject(door, id, args.trim().to_owned());
    Ok(())
}

/// Changes the subject of a conversation.
pub fn set_subject(door: &mut Door<'_>, conversation: ConversationId, subject: String) {
    let at = door.state.conversations.find(&conversation);
    if let Some(tab) = at.and_then(|at| door.state.conversations.tabs.get_mut(at)) {
        tab.conversation.subject = subject.clone();
    }
    door.ask(
        Operation::SetSubject { conversation, subject },
        Pending::new("Changing the subject").done("The subject is changed"),
    );
    tabs::save_tabs(door);
}

/// `/priority urgent`
fn priority(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let words = "a conversation is emergency, urgent, normal or non-urgent";
    let priority = Priority::parse(args).ok_or(words)?;
    let at = door.state.conversations.at;
    sending::start_if_needed(door, at)?;
    let conversation = current(door)?;
    let done = format!("This conversation is {}; the next invitation says so", priority.text());
    door.ask(Operation::SetPriority { conversation, priority }, Pending::new("Changing the priority").done(done));
    Ok(())
}

/// `/context`, `/context open orders`, `/context send <order n="12"/>`, `/context close`
fn context(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let conversation = current(door)?;
    let (word, rest) = args.trim().split_once(char::is_whitespace).unwrap_or((args.trim(), ""));
    let rest = rest.trim();
    match word {
        "" => show_context(door),
        "open" => {
            let application = if rest.is_empty() { "notes" } else { rest }.to_owned();
            let operation = Operation::OpenContext { conversation, application, toast: String::new(), data: String::new() };
            door.ask(operation, Pending::new("Opening the context channel").done("The context channel is open"));
            Ok(())
        }
        "send" => {
            let operation = Operation::SendContext { conversation, data: rest.to_owned() };
            door.ask(operation, Pending::new("Sending the data").done("The other side has the data"));
            Ok(())
        }
        "close" => {
            door.ask(Operation::CloseContext { conversation }, Pending::new("Closing the context channel"));
            Ok(())
        }
        _ => Err("write /context, /context open NAME, /context send DATA or /context close".into()),
    }
}

fn show_context(door: &mut Door<'_>) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let Some(c) = tab.conversation.context.as_ref().filter(|c| c.state != ContextState::Terminated) else {
        return Err("no application is attached to this conversation".into());
    };
    let state = match c.state {
        ContextState::Establishing => "the other side is asked",
        ContextState::Recovering => "the way to the other side is being repaired",
        _ => "open",
    };
    let mut lines = vec![format!("Application: {}", c.application), format!("State: {state}")];
    if !c.toast.is_empty() {
        lines.push(format!("Says: {}", c.toast));
    }
    lines.push(String::new());
    match c.data.as_str() {
        "" => lines.push("No data have come.".into()),
        data => lines.extend(data.lines().map(str::to_owned)),
    }
    door.state.overlays.push(Overlay::Details { title: "Context".into(), lines, scroll: 0 });
    Ok(())
}

/// Why nothing can be said about a call.
const NO_CALL: &str = "there is no call: adsum carries no audio yet";

fn call(door: &mut Door<'_>) -> Result<(), String> {
    let from_list = (door.state.pane == Pane::People).then(|| door.state.people.selected_person()).flatten();
    let in_tab = door.state.conversations.current().and_then(|t| match &t.thread {
        crate::app::state::Thread::Person(uri) => Some(uri),
        _ => None,
    });
    let who = from_list.or(in_tab).map(|uri| door.state.name(uri).to_owned());
    Err(match who {
        Some(name) => {
            format!("adsum carries no audio yet; the card of {name} shows phone numbers")
        }
        None => "adsum carries no audio yet; this conversation has messages only".into(),
    })
}

fn leave(door: &mut Door<'_>) -> Result<(), String> {
    let conversation = current(door)?;
    door.ask(Operation::EndConversation { conversation }, Pending::new("Leaving"));
    Ok(())
}

fn lock(door: &mut Door<'_>, locked: bool) -> Result<(), String> {
    let conversation = current(door)?;
    let (what, done) = if locked { ("Locking", "The meeting is locked") } else { ("Unlocking", "The meeting is open") };
    door.ask(Operation::LockConference { conversation, locked }, Pending::new(what).done(done));
    Ok(())
}

/// Somebody of the present conversation.
pub(super) fn participant(door: &Door<'_>, args: &str) -> Result<crate::domain::Address, String> {
    let uri = person_by_words(door.state, args)?;
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let here = tab.conversation.participants.iter().any(|p| p.uri == uri);
    if here { Ok(uri) } else { Err(format!("{} is not in this meeting", door.name(&uri))) }
}

fn role(door: &mut Door<'_>, args: &str, role: Role) -> Result<(), String> {
    let (conversation, uri) = (current(door)?, participant(door, args)?);
    let name = door.name(&uri);
    let done = format!("{name} is now {}", if role == Role::Leader { "a leader" } else { "an attendee" });
    door.ask(Operation::SetRole { conversation, uri, role }, Pending::new(format!("Changing the role of {name}")).done(done));
    Ok(())
}

fn eject(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let (conversation, uri) = (current(door)?, participant(door, args)?);
    let text = format!("Remove {} from this meeting?", door.name(&uri));
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Remove", then: Deed::Eject(conversation, vec![uri]) }));
    Ok(())
}

fn end(door: &mut Door<'_>) -> Result<(), String> {
    let id = current(door)?;
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let text = format!("End {} for everybody?", door.state.title(tab));
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "End it", then: Deed::EndConference(id) }));
    Ok(())
}

fn search(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    door.store(StoreRequest::Search { query: args.trim().to_owned(), limit: FOUND });
    Ok(())
}

fn export(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let thread = tab.thread.key();
    let path = match args.trim() {
        "" => format!("{}.txt", meetings::file_name(&door.state.title(tab))),
        path => path.to_owned(),
    };
    door.store(StoreRequest::Export { thread, path });
    door.state.pane = Pane::Conversations;
    Ok(())
}
