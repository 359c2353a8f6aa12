//! Commands to a running meeting: by key in the roster, for those marked or under the cursor, and by slash with a name.

use super::Command;
use super::slash::{controlling, controls, current, in_meeting_tab, leading, participant};
use crate::app::alone;
use crate::app::commands::Arg;
use crate::app::door::{Door, Pending};
use crate::app::keymap::Mode;
use crate::app::roster;
use crate::app::state::State;
use crate::app::state::conversations::Part;
use crate::app::state::overlay::{Ask, Choice, Confirm, Deed, Overlay, Picker};
use crate::app::{recording, tabs};
use crate::domain::Address;
use crate::domain::conference::{AccessLevel, AutomaticLeaders};
use crate::domain::conversation::{Conversation, ConversationState, MeetingChange, Role};
use crate::endpoint::Operation;

/// Words under a question for a person.
pub(super) const ANYBODY: &str = "An address, or a name to search the directory";

const HERE: &[Mode] = &[Mode::Roster];
const NOWHERE: &[Mode] = &[];

/// The commands of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("roster", "Go to the people of this meeting, or back", &[Mode::Anywhere, Mode::Roster], |d, _| {
        d.state.pane = crate::app::state::Pane::Conversations;
        d.state.main = d.state.pane;
        roster::toggle(d.state)
    })
    .typed("roster", Arg::None)
    .when(super::in_tab),
    Command::new("roster-search", "Search the roster", HERE, |d, _| {
        if let Some(t) = d.state.conversations.current_mut() {
            t.roster.typing = true;
        }
        Ok(())
    }),
    Command::new("roster-message", "Write to this person alone", HERE, |d, _| {
        let uri = one(d)?;
        tabs::open_person(d, &uri)
    })
    .when(somebody),
    Command::new("private", "Write to one person of this meeting; the others do not get it", NOWHERE, alone::say)
        .typed("private", Arg::PersonAndWords)
        .when(alone::possible),
    Command::new("write-privately", "Write to this person within the meeting; the others do not get it", HERE, |d, _| {
        alone::begin(d)
    })
    .when(|s| somebody(s).and_then(|()| alone::possible(s))),
    Command::new("roster-leave", "Back to writing", HERE, |d, _| {
        roster::leave(d.state);
        Ok(())
    }),
    Command::new("admit", "Let people in from the lobby; all with “all”", HERE, |d, a| admit(d, a, true))
        .typed("admit", Arg::Words("name or all", false))
        .when(controlling),
    Command::new("deny", "Do not let people in from the lobby; all with “all”", HERE, |d, a| admit(d, a, false))
        .typed("deny", Arg::Words("name or all", false))
        .when(controlling),
    Command::new("admit-all", "Let everybody in from the lobby", HERE, |d, _| admit(d, "all", true)).when(controlling),
    Command::new("deny-all", "Let nobody in from the lobby", HERE, |d, _| admit(d, "all", false)).when(controlling),
    Command::new("toggle-role", "Make a leader an attendee, or the other way round", HERE, |d, _| toggle_role(d))
        .when(controlling),
    Command::new("eject-here", "Remove from this meeting", HERE, |d, _| eject(d)).when(leading),
    Command::new("mute", "Take away somebody's word; alone: your own", NOWHERE, |d, a| mute(d, a, true))
        .typed("mute", Arg::Words("name", false))
        .when(muting),
    Command::new("unmute", "Give the word back", NOWHERE, |d, a| mute(d, a, false))
        .typed("unmute", Arg::Words("name", false))
        .when(muting),
    Command::new("toggle-mute", "Mute or unmute", HERE, |d, _| toggle_mute(d)).when(muting),
    Command::new("mute-all", "Mute everybody but me, newcomers too; or end that", HERE, |d, _| mute_all(d))
        .typed("muteall", Arg::None)
        .when(controlling),
    Command::new("self-unmute", "Attendees may unmute themselves: on or off", NOWHERE, |d, a| {
        switch(
            d,
            a,
            |c| c.meeting.self_unmute,
            "Attendees may unmute themselves",
            |on| MeetingChange { self_unmute: Some(on), ..MeetingChange::default() },
        )
    })
    .typed("selfunmute", Arg::Words("on or off", false))
    .when(controlling),
    Command::new("toggle-lock", "Lock or unlock this meeting", HERE, |d, _| {
        let locked = meeting(d)?.locked;
        super::try_run(d, if locked { "unlock" } else { "lock" }, "")
    })
    .when(controlling),
    Command::new("access", "Who gets into this meeting from now on", HERE, access)
        .typed("access", Arg::Words("company, invited, everyone or locked", false))
        .when(controlling),
    Command::new("leaders", "Who leads on entry: nobody, company or everyone", NOWHERE, leaders)
        .typed("leaders", Arg::Words("nobody, company or everyone", true))
        .when(controlling),
    Command::new("phone-lobby", "Phone callers skip the lobby: on or off", NOWHERE, |d, a| {
        switch(
            d,
            a,
            |c| c.meeting.lobby_bypass,
            "Phone callers skip the lobby",
            |on| MeetingChange { lobby_bypass: Some(on), ..MeetingChange::default() },
        )
    })
    .typed("bypass", Arg::Words("on or off", false))
    .when(controlling),
    Command::new("announce", "Announce who comes and goes: on or off", NOWHERE, |d, a| {
        switch(
            d,
            a,
            |c| c.meeting.announcements,
            "Comings and goings are announced",
            |on| MeetingChange { announcements: Some(on), ..MeetingChange::default() },
        )
    })
    .typed("announce", Arg::Words("on or off", false))
    .when(controlling),
    Command::new("record", "Record what is written into a file, and tell everybody; again: stop", HERE, recording::toggle)
        .typed("record", Arg::File(false))
        .when(recordable),
    Command::new("invite-here", "Invite somebody into this meeting", HERE, |d, _| {
        let id = current(d)?;
        super::people::prompt(d, Ask::Invite(id), "Invite", super::people::whom(d.state, ANYBODY), "");
        Ok(())
    })
    .when(in_meeting_tab),
    Command::new("call-in", "Have the meeting call somebody whose program takes no invitations", HERE, call_in)
        .typed("callin", Arg::Person(false))
        .when(leading),
];

fn call_in(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let id = current(door)?;
    if args.trim().is_empty() {
        super::people::prompt(door, Ask::CallIn(id), "Call in", super::people::whom(door.state, ANYBODY), "");
        return Ok(());
    }
    let uri = crate::app::people::person_by_words(door.state, args)?;
    tabs::call_in(door, id, uri);
    Ok(())
}

/// Needs a conference that I am in.
fn inside(state: &State) -> Result<(), &'static str> {
    in_meeting_tab(state)?;
    let there = state.conversations.current().is_some_and(|t| t.conversation.state == ConversationState::Conferenced);
    if there { Ok(()) } else { Err("you are not in this meeting") }
}

/// Needs a conference that I am in, on a server that lets people be muted.
fn muting(state: &State) -> Result<(), &'static str> {
    inside(state).and_then(|()| controls(state))
}

/// Needs a conference that I am in, or one that I still record.
fn recordable(state: &State) -> Result<(), &'static str> {
    if state.conversations.current().is_some_and(|t| t.recording.is_some()) { Ok(()) } else { inside(state) }
}

/// Needs somebody in the roster.
fn somebody(state: &State) -> Result<(), &'static str> {
    if roster::chosen(state).is_empty() { Err("nobody is selected") } else { Ok(()) }
}

fn meeting(door: &Door<'_>) -> Result<Conversation, String> {
    door.state.conversations.current().map(|t| t.conversation.clone()).ok_or_else(|| "no conversation is open".into())
}

fn one(door: &Door<'_>) -> Result<Address, String> {
    roster::chosen(door.state).into_iter().next().ok_or_else(|| "nobody is selected".into())
}

/// Whom a command is for: the named one, or those of the roster when it has the keys.
fn named(door: &Door<'_>, args: &str) -> Result<Vec<Address>, String> {
    if !args.trim().is_empty() {
        return participant(door, args).map(|u| vec![u]);
    }
    let here = door.state.conversations.part == Part::Roster;
    let chosen = if here { roster::chosen(door.state) } else { Vec::new() };
    if chosen.is_empty() { Err("say who: a name or an address".into()) } else { Ok(chosen) }
}

fn names(door: &Door<'_>, people: &[Address]) -> String {
    match people {
        [a] => door.name(a),
        [a, b] => format!("{} and {}", door.name(a), door.name(b)),
        [a, rest @ ..] => format!("{} and {} others", door.name(a), rest.len()),
        [] => "nobody".into(),
    }
}

fn admit(door: &mut Door<'_>, args: &str, admit: bool) -> Result<(), String> {
    let c = meeting(door)?;
    let waiting: Vec<Address> = c.participants.iter().filter(|p| p.in_lobby).map(|p| p.uri.clone()).collect();
    let by_key = door.state.conversations.part == Part::Roster;
    let uris = match args.trim() {
        _ if waiting.is_empty() => return Err("nobody waits in the lobby".into()),
        "all" => waiting,
        // There is only one who can be meant.
        "" if waiting.len() == 1 && !by_key => waiting,
        words => {
            let chosen: Vec<Address> = named(door, words)?.into_iter().filter(|u| waiting.contains(u)).collect();
            if chosen.is_empty() {
                return Err("this person does not wait in the lobby".into());
            }
            chosen
        }
    };
    let who = names(door, &uris);
    let (what, done) = match admit {
        true => (format!("Letting {who} in"), format!("{who} may come in")),
        false => (format!("Turning {who} away"), format!("{who} {} turned away", if uris.len() > 1 { "were" } else { "was" })),
    };
    unmark(door);
    door.ask(Operation::Admit { conversation: c.id, uris, admit }, Pending::new(what).done(done));
    Ok(())
}

fn unmark(door: &mut Door<'_>) {
    if let Some(t) = door.state.conversations.current_mut() {
        t.roster.marks.clear();
    }
}

fn toggle_role(door: &mut Door<'_>) -> Result<(), String> {
    let c = meeting(door)?;
    for uri in named(door, "")? {
        let Some(p) = c.participants.iter().find(|p| p.uri == uri && !p.in_lobby) else {
            return Err(format!("{} is not in this meeting yet", door.name(&uri)));
        };
        let role = if p.role == Role::Leader { Role::Attendee } else { Role::Leader };
        let name = door.name(&uri);
        let done = format!("{name} is now {}", if role == Role::Leader { "a leader" } else { "an attendee" });
        let pending = Pending::new(format!("Changing the role of {name}")).done(done);
        door.ask(Operation::SetRole { conversation: c.id.clone(), uri, role }, pending);
    }
    unmark(door);
    Ok(())
}

fn eject(door: &mut Door<'_>) -> Result<(), String> {
    let c = meeting(door)?;
    let people = named(door, "")?;
    let text = format!("Remove {} from this meeting?", names(door, &people));
    let then = Deed::Eject(c.id, people);
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Remove", then }));
    Ok(())
}

fn mute(door: &mut Door<'_>, args: &str, muted: bool) -> Result<(), String> {
    let me = door.state.account.address.clone();
    let people = match (args.trim(), door.state.conversations.part, me) {
        ("", Part::Composer | Part::Transcript, Some(me)) | ("me", _, Some(me)) => vec![me],
        (words, ..) => named(door, words)?,
    };
    ask_mute(door, people, |_| muted)
}

fn toggle_mute(door: &mut Door<'_>) -> Result<(), String> {
    let c = meeting(door)?;
    let people = named(door, "")?;
    ask_mute(door, people, |uri| !c.participants.iter().any(|p| p.uri == *uri && p.muted))
}

fn ask_mute(door: &mut Door<'_>, people: Vec<Address>, muted: impl Fn(&Address) -> bool) -> Result<(), String> {
    let c = meeting(door)?;
    let me = door.state.account.address.clone();
    for uri in people {
        let muted = muted(&uri);
        let own = Some(&uri) == me.as_ref();
        if !own && c.my_role != Some(Role::Leader) {
            return Err("only leaders of the meeting may mute others; /mute alone mutes you".into());
        }
        let name = if own { "you".to_owned() } else { door.name(&uri) };
        let verb = if muted { "Muting" } else { "Unmuting" };
        door.ask(Operation::Mute { conversation: c.id.clone(), uri, muted }, Pending::new(format!("{verb} {name}")));
    }
    unmark(door);
    Ok(())
}

fn mute_all(door: &mut Door<'_>) -> Result<(), String> {
    let on = !meeting(door)?.meeting.mute_all;
    let done = if on {
        "Everybody but you is muted, newcomers too"
    } else {
        "Newcomers are not muted any more; those muted may unmute themselves"
    };
    change(door, "Changing who may write", done, MeetingChange { mute_all: Some(on), ..MeetingChange::default() })
}

pub(crate) fn change(door: &mut Door<'_>, what: &str, done: &str, change: MeetingChange) -> Result<(), String> {
    let conversation = current(door)?;
    door.ask(Operation::ChangeConference { conversation, change }, Pending::new(what).done(done));
    Ok(())
}

/// "on", "off", or nothing to turn it round.
fn switch(
    door: &mut Door<'_>,
    args: &str,
    is: fn(&Conversation) -> bool,
    words: &str,
    make: fn(bool) -> MeetingChange,
) -> Result<(), String> {
    let on = match args.trim().to_lowercase().as_str() {
        "" => !is(&meeting(door)?),
        "on" | "yes" => true,
        "off" | "no" => false,
        other => return Err(format!("“{other}” is neither on nor off")),
    };
    let done = format!("{words}: {}", if on { "yes" } else { "no" });
    change(door, "Changing the meeting", &done, make(on))
}

/// The words for access levels in slash commands.
const LEVELS: [(AccessLevel, &str, &str); 4] = [
    (AccessLevel::SameEnterprise, "company", "Everybody of the company gets in"),
    (AccessLevel::Invited, "invited", "Only those invited get in"),
    (AccessLevel::Everyone, "everyone", "Everyone with the link gets in"),
    (AccessLevel::Locked, "locked", "Nobody gets in without being let in"),
];

fn access(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let word = args.trim().to_lowercase();
    if word.is_empty() {
        let now = meeting(door)?.meeting.access;
        let rows = LEVELS.iter().map(|l| (l.2.to_owned(), if Some(l.0) == now { "now".to_owned() } else { String::new() }));
        let at = LEVELS.iter().position(|l| Some(l.0) == now).unwrap_or(0);
        let choices = LEVELS.iter().map(|l| Choice::Access(l.0)).collect();
        let picker = Picker { title: "Who gets in from now on".into(), rows: rows.collect(), at, choices };
        door.state.overlays.push(Overlay::Picker(picker));
        return Ok(());
    }
    let level = LEVELS.iter().find(|l| l.1 == word).ok_or("the choices are company, invited, everyone and locked")?;
    set_access(door, level.0)
}

/// Changes who gets into the present meeting.
pub fn set_access(door: &mut Door<'_>, level: AccessLevel) -> Result<(), String> {
    let waiting = meeting(door)?.participants.iter().any(|p| p.in_lobby);
    let words = LEVELS.iter().find(|l| l.0 == level).map_or("", |l| l.2);
    let more = if waiting { "; who waits already must still be let in" } else { "" };
    let change_to = MeetingChange { access: Some(level), ..MeetingChange::default() };
    change(door, "Changing who gets in", &format!("{words}{more}"), change_to)
}

fn leaders(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let (level, words) = match args.trim().to_lowercase().as_str() {
        "nobody" | "none" | "off" => (AutomaticLeaders::Disabled, "Nobody becomes a leader by coming in"),
        "company" => (AutomaticLeaders::SameEnterprise, "People of the company lead when they come in"),
        "everyone" => (AutomaticLeaders::Everyone, "Everybody leads when they come in"),
        _ => return Err("the choices are nobody, company and everyone".into()),
    };
    change(door, "Changing who leads", words, MeetingChange { automatic_leaders: Some(level), ..MeetingChange::default() })
}
