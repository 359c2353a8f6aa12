//! Commands typed into the composer; the same table as all others.

use super::{Arg, Command, STATUSES, all, in_tab, nearest, online};
use crate::app::door::{Door, Pending};
use crate::app::effect::StoreRequest;
use crate::app::people::person_by_words;
use crate::app::state::overlay::{Ask, Confirm, Deed, Overlay};
use crate::app::state::{Pane, State};
use crate::app::{meetings, own, sending, tabs, when};
use crate::domain::conversation::{ConversationId, ConversationState, Role};
use crate::domain::presence::{Note, UserStatus};
use crate::endpoint::{JoinTarget, Operation};

const NOWHERE: &[crate::app::keymap::Mode] = &[];

/// Hits shown by `/search`.
const FOUND: usize = 50;

/// The commands of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("status", "Set my status", NOWHERE, status).typed("status", Arg::Status).when(online),
    Command::new("note", "Set my note; alone it clears it", NOWHERE, note).typed("note", Arg::Words("words", false)).when(online),
    Command::new("away", "I am away", NOWHERE, |d, a| quick(d, UserStatus::Away, a))
        .typed("away", Arg::Words("words", false))
        .when(online),
    Command::new("back", "I am back: take the hand-set status back", NOWHERE, |d, _| {
        own::reset_status(d);
        Ok(())
    })
    .typed("back", Arg::None)
    .when(online),
    Command::new("location", "Say where I am", NOWHERE, |d, a| {
        d.ask(
            Operation::SetLocation { location: a.trim().to_owned() },
            Pending::new("Setting the location").done("Location set"),
        );
        Ok(())
    })
    .typed("location", Arg::Words("place", false))
    .when(online),
    Command::new("meet", "Schedule a meeting with the people of this conversation", NOWHERE, meetings::meet)
        .typed("meet", Arg::Meeting)
        .when(online),
    Command::new("meet-now", "Start a meeting now", &[crate::app::keymap::Mode::Anywhere], meet_now)
        .typed("meetnow", Arg::Words("subject", false))
        .when(online),
    Command::new("join-link", "Join a meeting by its link", NOWHERE, join).typed("join", Arg::Words("link", false)).when(online),
    Command::new("rejoin", "Go back into this meeting", NOWHERE, |d, _| rejoin(d))
        .typed("rejoin", Arg::None)
        .when(in_meeting_tab),
    Command::new("invite", "Invite somebody into this conversation", NOWHERE, invite)
        .typed("invite", Arg::Person(false))
        .when(in_tab_online),
    Command::new("leave", "Leave this conversation", NOWHERE, |d, _| leave(d)).typed("leave", Arg::None).when(in_tab),
    Command::new("lock", "Lock this meeting", NOWHERE, |d, _| lock(d, true)).typed("lock", Arg::None).when(leading),
    Command::new("unlock", "Unlock this meeting", NOWHERE, |d, _| lock(d, false)).typed("unlock", Arg::None).when(leading),
    Command::new("promote", "Make somebody a leader", NOWHERE, |d, a| role(d, a, Role::Leader))
        .typed("promote", Arg::Person(true))
        .when(leading),
    Command::new("demote", "Make somebody an attendee", NOWHERE, |d, a| role(d, a, Role::Attendee))
        .typed("demote", Arg::Person(true))
        .when(leading),
    Command::new("eject", "Remove somebody from this meeting", NOWHERE, eject).typed("eject", Arg::Person(true)).when(leading),
    Command::new("end-meeting", "End this meeting for everybody", &[crate::app::keymap::Mode::Roster], |d, _| end(d))
        .typed("end", Arg::None)
        .when(leading),
    Command::new("search", "Search everything that was written", NOWHERE, search).typed("search", Arg::Words("words", true)),
    Command::new("export", "Write this conversation into a file", NOWHERE, export)
        .typed("export", Arg::Words("file", false))
        .when(in_tab),
    Command::new("action", "Say what I do", NOWHERE, |d, a| {
        let name = d.state.account.name.clone();
        sending::say(d, &format!("* {name} {}", a.trim()))
    })
    .typed("me", Arg::Words("action", true))
    .when(in_tab),
];

/// Runs a typed line. When it cannot be done, the reason stands in the composer and the text stays there.
pub fn typed(door: &mut Door<'_>, line: &str) -> Result<(), String> {
    let at = door.state.conversations.at;
    let result = run_line(door, line);
    let Some(tab) = door.state.conversations.tabs.get_mut(at) else { return Ok(()) };
    match result {
        // A command may have taken the tab away or another text may stand there by now.
        Ok(()) if tab.composer.text().trim_end() == line => sending::remember_sent(tab),
        Ok(()) => {}
        Err(reason) => tab.composer_error = Some(reason),
    }
    tabs::save_draft(door, at);
    Ok(())
}

fn run_line(door: &mut Door<'_>, line: &str) -> Result<(), String> {
    let body = line.strip_prefix('/').unwrap_or(line);
    let (word, args) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let word = word.to_lowercase();
    let command = all().find(|c| c.slash == Some(&word)).ok_or_else(|| unknown(&word))?;
    (command.available)(door.state)?;
    if command.args.needed() && args.trim().is_empty() {
        return Err(format!("write /{word} {}", command.args.usage()));
    }
    (command.run)(door, args)
}

fn unknown(word: &str) -> String {
    let near = nearest(word, all().filter_map(|c| c.slash));
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

/// Needs a conference in which I am a leader.
pub(super) fn leading(state: &State) -> Result<(), &'static str> {
    let tab = state.conversations.current().ok_or("no conversation is open")?;
    let c = &tab.conversation;
    if c.focus.is_none() || c.state != ConversationState::Conferenced {
        return Err("this is no meeting, or you are not in it");
    }
    if c.my_role == Some(Role::Leader) { Ok(()) } else { Err("only leaders of the meeting may do this") }
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
    let note = (!text.is_empty()).then(|| Note { text: text.to_owned(), out_of_office: false, start: None, end: None });
    let done = if note.is_some() { "Note published" } else { "Note cleared" };
    door.ask(Operation::SetNote { note }, Pending::new("Publishing the note").done(done));
    Ok(())
}

fn meet_now(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let marked: Vec<_> = std::mem::take(&mut door.state.people.marks).into_iter().collect();
    tabs::open_group(door, args.trim().to_owned(), marked)
}

fn join(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let link = args.trim();
    if link.is_empty() {
        let hint = "https://…/organizer/id, conf:… or sip:…;gruu;opaque=app:conf:focus:id:…";
        super::people::prompt(door, Ask::Join, "Join a meeting", hint, "");
        return Ok(());
    }
    tabs::join(door, JoinTarget::Link(link.to_owned()), String::new())
}

fn rejoin(door: &mut Door<'_>) -> Result<(), String> {
    let tab = door.state.conversations.current().ok_or("no conversation is open")?;
    let (focus, subject) = (tab.conversation.focus.clone().ok_or("this is no meeting")?, tab.conversation.subject.clone());
    tabs::join(door, JoinTarget::Link(focus), subject)
}

fn invite(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let id = current(door)?;
    if args.trim().is_empty() {
        super::people::prompt(door, Ask::Invite(id), "Invite", "An address, or a name to search the directory", "");
        return Ok(());
    }
    let uri = person_by_words(door.state, args)?;
    let at = door.state.conversations.at;
    sending::start_if_needed(door, at)?;
    let id = current(door)?;
    tabs::invite(door, id, uri);
    Ok(())
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
