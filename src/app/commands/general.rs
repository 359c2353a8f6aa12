//! Commands that work anywhere.

use super::{Command, always};
use crate::app::door::{Door, Pending, Then, Undo};
use crate::app::effect::Effect;
use crate::app::keymap::Mode;
use crate::app::limits::NORMAL_COLUMNS;
use crate::app::state::conversations::Part;
use crate::app::state::overlay::{Choice, Confirm, Deed, Help, Overlay, Picker};
use crate::app::state::{Pane, State};
use crate::app::{help, palette, password, publishing, questions, sending, tabs};
use crate::domain::presence::UserStatus;
use crate::endpoint::{Feature, Operation};

const HERE: &[Mode] = &[Mode::Anywhere];

pub const COMMANDS: &[Command] = &[
    Command::new("people", "Go to People", HERE, |d, _| go(d, Pane::People)),
    Command::new("conversations", "Go to Conversations", HERE, |d, _| go(d, Pane::Conversations)),
    Command::new("meetings", "Go to Meetings", HERE, |d, _| go(d, Pane::Meetings)),
    Command::new("me", "Go to Me", HERE, |d, _| go(d, Pane::Me)),
    Command::new("wire", "Go to the Wire", HERE, |d, _| go(d, Pane::Wire)),
    Command::new("next-pane", "Go between People and the pane beside it", HERE, next_pane),
    Command::new("toggle-people", "Show or hide the People column", HERE, toggle_people),
    Command::new("toggle-roster", "Show or hide the third column (roster or card)", HERE, |d, _| {
        d.state.view.third_column = !d.state.view.third_column;
        Ok(())
    }),
    Command::new("palette", "Go to a person, conversation, meeting or command", HERE, |d, _| {
        palette::open(d.state);
        Ok(())
    }),
    Command::new("help", "Show the keys of this place", HERE, show_help).typed("help", super::Arg::Words("command", false)),
    Command::new("next-unread", "Go to the next unread conversation", HERE, |d, _| tabs::next_unread(d)).when(any_unread),
    Command::new("next-tab", "Go to the next tab", HERE, |d, _| tabs::step(d, 1)).when(super::in_tab),
    Command::new("previous-tab", "Go to the tab before", HERE, |d, _| tabs::step(d, -1)).when(super::in_tab),
    Command::new("close-tab", "Close this tab", HERE, |d, _| tabs::close_asking(d))
        .when(super::in_tab)
        .typed("close", super::Arg::None),
    Command::new("status-menu", "Set my status quickly", HERE, status_menu).needs(Feature::OwnPresence),
    Command::new("answer-yes", "Accept what is asked", HERE, |d, _| questions::answer(d, questions::Answer::Yes))
        .when(any_question),
    Command::new("answer-no", "Decline what is asked", HERE, |d, _| questions::answer(d, questions::Answer::No))
        .when(any_question),
    Command::new("answer-maybe", "Answer that you may come", HERE, |d, _| questions::answer(d, questions::Answer::Maybe))
        .when(any_question),
    Command::new("answer-later", "Put the question off, or bring it back", HERE, |d, _| {
        questions::answer(d, questions::Answer::Later)
    })
    .when(|s| if s.questions.is_empty() { Err("nothing is asked") } else { Ok(()) }),
    Command::new("undo-last", "Take back what was just done", HERE, undo).when(can_undo),
    Command::new("error-details", "Show the SIP code and diagnostics of the last error", HERE, details)
        .when(|s| if s.last_error.is_empty() { Err("nothing has failed") } else { Ok(()) }),
    Command::new("server-limits", "Show what this server cannot do, and why", HERE, limits)
        .when(|s| if s.missing.is_empty() { Err("nothing is known that this server could not do") } else { Ok(()) })
        .typed("limits", super::Arg::None),
    Command::new("reconnect", "Try to sign in again at once", HERE, |d, _| {
        d.ask(Operation::SignIn, Pending::new("").then(Then::Nothing));
        d.say("Signing in…");
        Ok(())
    })
    .when(|s| if s.link.is_up() { Err("you are signed in") } else { Ok(()) })
    .typed("reconnect", super::Arg::None),
    Command::new("password", "Type the password again, and sign in with it", HERE, |d, _| {
        password::ask(d);
        Ok(())
    })
    .when(password::possible)
    .typed("password", super::Arg::None),
    Command::new("interrupt", "Close the dialog, or empty the line", HERE, interrupt),
    Command::new("redraw", "Draw the screen again", HERE, |d, _| effect(d, Effect::Redraw)),
    Command::new("suspend", "Suspend to the shell", HERE, |d, _| effect(d, Effect::Suspend)),
    Command::new("quit", "Quit", HERE, quit).typed("quit", super::Arg::None).when(always),
];

/// Gives a pane the keys.
pub fn go(door: &mut Door<'_>, pane: Pane) -> Result<(), String> {
    let state = &mut *door.state;
    state.pane = pane;
    if pane == Pane::People {
        if state.view.people_hidden && state.view.columns >= NORMAL_COLUMNS {
            state.view.people_hidden = false;
        }
    } else {
        state.main = pane;
    }
    if pane == Pane::Me && !state.own.editing && !state.own.form.changed {
        crate::app::own::fill_form(state);
    }
    if pane == Pane::Conversations {
        state.conversations.part = Part::Composer;
    }
    tabs::seen(door);
    Ok(())
}

fn next_pane(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let to = if door.state.pane == Pane::People { door.state.main } else { Pane::People };
    go(door, to)
}

fn toggle_people(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let state = &mut *door.state;
    state.view.people_hidden = !state.view.people_hidden;
    let beside = state.view.columns >= NORMAL_COLUMNS;
    if state.view.people_hidden && state.pane == Pane::People && beside {
        state.pane = state.main;
    }
    Ok(())
}

fn show_help(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let sections = help::sections(door.state);
    door.state.overlays.push(Overlay::Help(Help { sections, ..Help::default() }));
    Ok(())
}

fn any_unread(state: &State) -> Result<(), &'static str> {
    if state.unread() > 0 { Ok(()) } else { Err("nothing is unread") }
}

fn any_question(state: &State) -> Result<(), &'static str> {
    state.question().map(|_| ()).ok_or("nothing is asked")
}

/// The words for a status, in menus and slash commands.
pub const STATUSES: [(UserStatus, &str); 7] = [
    (UserStatus::Available, "Available"),
    (UserStatus::Busy, "Busy"),
    (UserStatus::DoNotDisturb, "Do not disturb"),
    (UserStatus::BeRightBack, "Be right back"),
    (UserStatus::Away, "Away"),
    (UserStatus::OffWork, "Off work"),
    (UserStatus::AppearOffline, "Appear offline"),
];

fn status_menu(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let mut rows: Vec<_> = STATUSES.iter().map(|(_, t)| ((*t).to_owned(), String::new())).collect();
    let mut choices: Vec<_> = STATUSES.iter().map(|(s, _)| Choice::Status(*s)).collect();
    let lcid = door.state.options.lcid;
    rows.extend(door.state.own.custom.iter().map(|c| (c.text(lcid).to_owned(), c.id.clone())));
    choices.extend(door.state.own.custom.iter().map(|c| Choice::CustomStatus(c.id.clone())));
    rows.push(("Reset".into(), "as my devices say".into()));
    choices.push(Choice::ResetStatus);
    door.state.overlays.push(Overlay::Picker(Picker { title: "My status".into(), rows, at: 0, choices }));
    Ok(())
}

fn can_undo(state: &State) -> Result<(), &'static str> {
    if state.undo.is_empty() { Err("there is nothing to take back") } else { Ok(()) }
}

fn undo(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let Some(Undo { what, operations, members }) = door.state.undo.pop() else { return Ok(()) };
    door.state.toast = None;
    let last = operations.len().saturating_sub(1);
    for (i, operation) in operations.into_iter().enumerate() {
        let mut pending = Pending::new("Taking it back");
        if matches!(operation, Operation::AddGroup { .. } | Operation::AddDistributionGroup { .. }) {
            pending = pending.then(Then::IntoGroup(members.clone()));
        }
        door.ask(operation, if i == last { pending.done(format!("Taken back: {what}")) } else { pending });
    }
    Ok(())
}

fn details(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let lines = door.state.last_error.clone();
    door.state.overlays.push(Overlay::Details { title: "What went wrong".into(), lines, scroll: 0 });
    Ok(())
}

fn limits(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let lines = door.state.missing.values().map(|why| format!("· {why}")).collect();
    door.state.overlays.push(Overlay::Details { title: "What this server cannot do".into(), lines, scroll: 0 });
    Ok(())
}

/// Ctrl-C never throws a person out: it closes what is open, else empties the line (Ctrl-_ brings it back).
fn interrupt(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    match door.state.overlays.last() {
        Some(Overlay::Form(_)) => {
            publishing::leave(door);
            return Ok(());
        }
        Some(_) => {
            door.state.overlays.pop();
            return Ok(());
        }
        None => {}
    }
    let empty = door.state.editor_mut().is_none_or(|e| e.is_empty());
    if empty {
        let key = door.state.keymap.any_keys_of("quit").unwrap_or("/quit");
        door.say(format!("{key} quits"));
    } else {
        crate::app::typing::with_editor(door, |e| e.set(""));
    }
    Ok(())
}

fn effect(door: &mut Door<'_>, effect: Effect) -> Result<(), String> {
    door.effects.push(effect);
    Ok(())
}

fn quit(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let waiting = sending::unsent(door.state);
    if waiting == 0 {
        return quit_now(door);
    }
    let text = match waiting {
        1 => "One message has not been sent yet. It is kept and sent at the next start. Quit?".to_owned(),
        n => format!("{n} messages have not been sent yet. They are kept and sent at the next start. Quit?"),
    };
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Quit", then: Deed::Quit }));
    Ok(())
}

/// Leaves, keeping drafts and tabs.
pub fn quit_now(door: &mut Door<'_>) -> Result<(), String> {
    tabs::save_all(door);
    door.effects.push(Effect::Quit);
    Ok(())
}
