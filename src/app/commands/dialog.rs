//! Keys of dialogs: accept, dismiss.

use super::Command;
use super::people::{delete_group_now, delete_now, prompt, put_into, set_level};
use super::slash::FOUND;
use crate::app::access::{self, change, trial};
use crate::app::door::{Door, Pending, Then};
use crate::app::effect::{Effect, StoreRequest};
use crate::app::keymap::Mode;
use crate::app::limits::FIELD_CHARS;
use crate::app::state::conversations::Part;
use crate::app::state::overlay::{Ask, Choice, Confirm, Deed, Overlay, Picker, Prompt};
use crate::app::state::{Pane, Thread};
use crate::app::{exchange, meetings, own, palette, publishing, questions, recall, scroll, tabs};
use crate::domain::Address;
use crate::domain::contact::AddOptions;
use crate::domain::presence::Member;
use crate::endpoint::{Feature, Operation};

const HERE: &[Mode] = &[Mode::Dialog, Mode::Line];

/// The commands of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("accept", "Do it", HERE, |d, _| accept(d)),
    Command::new("accept-row", "Take the selected row", HERE, |d, _| accept_row(d)),
    Command::new("try", "Show first who would see what differently", &[Mode::Dialog], |d, _| try_first(d)),
    Command::new("dismiss", "Close", HERE, |d, _| dismiss(d)),
    Command::new("delete-row", "Delete the selected publication", &[Mode::Dialog], |d, _| publishing::delete_asking(d)),
];

fn accept(door: &mut Door<'_>) -> Result<(), String> {
    if let Some(Overlay::Help(h)) = door.state.overlays.last_mut()
        && h.filtering
    {
        h.filtering = false;
        return Ok(());
    }
    match door.state.overlays.pop() {
        Some(Overlay::Palette(p)) => palette::choose(door, p),
        Some(Overlay::Confirm(c)) => confirmed(door, c),
        Some(Overlay::Prompt(p)) => answered(door, p),
        Some(Overlay::Picker(p)) => picked(door, p),
        Some(Overlay::DryRun(d)) => {
            trial::send_now(door, d.trial);
            Ok(())
        }
        Some(_) => Ok(()),
        None => {
            end_filter(door);
            Ok(())
        }
    }
}

/// Does what the dialog offers, on trial.
fn try_first(door: &mut Door<'_>) -> Result<(), String> {
    let can = match door.state.overlays.last() {
        Some(Overlay::Picker(p)) => p.tries(),
        Some(Overlay::Confirm(c)) => matches!(c.then, Deed::Block(_) | Deed::Clear(..)),
        _ => false,
    };
    if !can {
        return Err("there is nothing to try here".into());
    }
    door.state.own.once = true;
    let done = accept(door);
    door.state.own.once = false;
    done
}

/// Filter lines: Enter keeps the filter and gives the keys back to the list.
fn end_filter(door: &mut Door<'_>) {
    match door.state.pane {
        Pane::People => door.state.people.filtering = false,
        Pane::Wire => door.state.wire.filtering = false,
        _ if door.state.conversations.part == Part::Roster => roster_typed(door, false),
        _ => scroll::search_typed(door),
    }
}

/// In a prompt Tab takes the selected (or first) row into the line; elsewhere it accepts.
fn accept_row(door: &mut Door<'_>) -> Result<(), String> {
    match door.state.overlays.last_mut() {
        Some(Overlay::Prompt(p)) => {
            if let Some(row) = p.found.get(p.at.unwrap_or(0)) {
                p.line.set(row.uri.bare());
                (p.found, p.at) = (Vec::new(), None);
            }
            Ok(())
        }
        _ => accept(door),
    }
}

fn dismiss(door: &mut Door<'_>) -> Result<(), String> {
    if let Some(Overlay::Help(h)) = door.state.overlays.last_mut()
        && (h.filtering || !h.filter.is_empty())
    {
        h.filter.take();
        (h.filtering, h.scroll) = (false, 0);
        return Ok(());
    }
    if door.state.overlays.pop().is_some() {
        return Ok(());
    }
    let state = &mut *door.state;
    match state.pane {
        Pane::People => crate::app::people::clear_filter(state),
        Pane::Wire => {
            state.wire.filtering = false;
            state.wire.filter.take();
        }
        _ if state.conversations.part == Part::Roster => roster_typed(door, true),
        _ => {
            if let Some(tab) = state.conversations.current_mut() {
                tab.search = None;
            }
        }
    }
    Ok(())
}

/// The search of a roster is typed, or given up.
fn roster_typed(door: &mut Door<'_>, forget: bool) {
    if let Some(tab) = door.state.conversations.current_mut() {
        tab.roster.typing = false;
        if forget {
            tab.roster.query.take();
        }
    }
    let _ = super::motion_step(door, super::Step::First);
}

fn confirmed(door: &mut Door<'_>, confirm: Confirm) -> Result<(), String> {
    match confirm.then {
        Deed::DeleteContact(uri) => delete_now(door, uri)?,
        Deed::DeleteGroup(id) => delete_group_now(door, id),
        Deed::Import => exchange::start(door),
        Deed::Block(uri) => {
            questions::answer_watcher(door, &uri, Some(crate::domain::presence::Level::Blocked));
        }
        Deed::Clear(keys, who) => {
            let pending = Pending::new(format!("Clearing “{who}”")).done(format!("“{who}” is cleared"));
            trial::send(door, vec![Operation::Unpublish { keys }], pending);
        }
        Deed::CancelConference(id) => meetings::cancel_now(door, id),
        Deed::LeaveDialog => {
            door.state.overlays.pop();
        }
        Deed::Unpublish(key) => publishing::delete_now(door, key),
        Deed::ForgetMeeting(id) => meetings::forget(door, &id),
        Deed::DeleteHistory(thread) => recall::delete_history_now(door, &thread),
        Deed::LeaveForm => door.state.meetings.form = None,
        Deed::CloseTab(id) => tabs::close(door, &id),
        Deed::EndConference(conversation) => {
            door.ask(Operation::EndConference { conversation }, Pending::new("Ending the meeting").done("The meeting is over"));
        }
        Deed::Eject(conversation, people) => {
            for uri in people {
                let name = door.name(&uri);
                door.ask(
                    Operation::Eject { conversation: conversation.clone(), uri },
                    Pending::new(format!("Removing {name}")).done(format!("{name} was removed")),
                );
            }
        }
        Deed::Quit => super::general::quit_now(door)?,
    }
    Ok(())
}

/// Puts a prompt back with the reason its answer was not taken.
fn again(door: &mut Door<'_>, mut prompt: Prompt, error: impl Into<String>) -> Result<(), String> {
    prompt.error = Some(error.into());
    door.state.overlays.push(Overlay::Prompt(prompt));
    Ok(())
}

fn answered(door: &mut Door<'_>, p: Prompt) -> Result<(), String> {
    let text = p.line.text().trim().to_owned();
    match p.ask.clone() {
        Ask::Password if p.line.text().is_empty() => again(door, p, "Type the password"),
        Ask::Password => {
            crate::app::password::typed(door, p.line.text());
            Ok(())
        }
        Ask::ViewAs | Ask::Member(_) | Ask::Delegate if !text.contains('@') && p.at.is_none() => {
            match crate::app::people::person_by_words(door.state, &text) {
                Ok(uri) => person_chosen(door, p, uri),
                Err(_) => person(door, p, &text),
            }
        }
        Ask::AddContact(_)
        | Ask::Invite(_)
        | Ask::CallIn(_)
        | Ask::MessageTo
        | Ask::DistributionGroup
        | Ask::ViewAs
        | Ask::Member(_)
        | Ask::Delegate => person(door, p, &text),
        Ask::ImportContacts | Ask::ExportContacts if text.is_empty() => again(door, p, "A file needs a name"),
        Ask::ImportContacts => exchange::import(door, &text),
        Ask::ExportContacts => exchange::export(door, &text),
        Ask::Domain(_) if text.is_empty() || !text.contains('.') => again(door, p, "Type a domain, such as fabrikam.com"),
        Ask::Domain(id) => {
            change::put(door, id, Member::Domain(text.trim_start_matches('@').to_lowercase()));
            Ok(())
        }
        Ask::NewContainer => match change::container_typed(door, &text) {
            Ok(()) => Ok(()),
            Err(e) => again(door, p, e),
        },
        Ask::Alias(uri) => {
            let name = door.name(&uri);
            let old = door.state.people.contacts.get(&uri).map(|c| c.name.clone()).unwrap_or_default();
            let undo = vec![Operation::RenameContact { uri: uri.clone(), name: old }];
            let new = if text.is_empty() { uri.bare() } else { &text };
            let pending = Pending::new(format!("Renaming {name}")).done(format!("{name} is called {new} here")).undo(undo);
            door.ask(Operation::RenameContact { uri, name: text }, pending);
            Ok(())
        }
        Ask::NewGroup | Ask::RenameGroup(_) if text.is_empty() => again(door, p, "A group needs a name"),
        Ask::NewGroup | Ask::RenameGroup(_)
            if door.state.people.groups.iter().any(|g| g.name.to_lowercase() == text.to_lowercase()) =>
        {
            again(door, p, "A group of this name exists already")
        }
        Ask::NewGroup => {
            let marked: Vec<Address> = door.state.people.marks.iter().cloned().collect();
            let pending = Pending::new(format!("Making the group {text}")).done(format!("The group {text} is there"));
            door.ask(Operation::AddGroup { name: text }, pending.then(Then::IntoGroup(marked)));
            Ok(())
        }
        Ask::RenameGroup(id) => {
            let old = crate::app::people::group_name(&door.state.people, id);
            let pending = Pending::new(format!("Renaming {old}")).done(format!("{old} is called {text} now"));
            let pending = pending.undo(vec![Operation::RenameGroup { id, name: old }]);
            door.ask(Operation::RenameGroup { id, name: text }, pending);
            Ok(())
        }
        Ask::Search if text.is_empty() => again(door, p, "Type what to look for"),
        Ask::Search => {
            door.store(StoreRequest::Search { query: text, limit: FOUND });
            Ok(())
        }
        Ask::Day => match recall::go_to_day(door, &text) {
            Ok(()) => Ok(()),
            Err(reason) => again(door, p, reason),
        },
        Ask::Subject(conversation) => {
            super::slash::set_subject(door, conversation, text);
            Ok(())
        }
        Ask::Join if text.is_empty() => again(door, p, "Paste the link of the meeting"),
        Ask::Join => match tabs::join_by_words(door, &text) {
            Ok(()) => Ok(()),
            Err(reason) => again(door, p, reason),
        },
        Ask::Passcode(..) if text.is_empty() => again(door, p, "Type the passcode of the meeting"),
        Ask::Passcode(target, subject) => {
            tabs::verify(door, target, subject, text);
            Ok(())
        }
        Ask::ReadInvitation if text.is_empty() => again(door, p, "Say which file"),
        Ask::ReadInvitation => {
            door.effects.push(Effect::ReadFile { path: text });
            Ok(())
        }
        Ask::SaveWire | Ask::SaveInvitation(_) | Ask::SaveCancellation(_) if text.is_empty() => {
            again(door, p, "A file needs a name")
        }
        Ask::SaveWire => {
            let contents = crate::app::wire::export(door.state);
            door.effects.push(Effect::WriteFile { path: text, contents });
            Ok(())
        }
        Ask::SaveInvitation(id) => meetings::write_invitation(door, &id, text, false),
        Ask::SaveCancellation(id) => meetings::write_invitation(door, &id, text, true),
    }
}

/// A prompt that wants a person: a selected row, an address, or words that search the directory.
fn person(door: &mut Door<'_>, mut p: Prompt, text: &str) -> Result<(), String> {
    let row = p.at.and_then(|at| p.found.get(at)).cloned();
    let uri = match &row {
        Some(r) => Ok(r.uri.clone()),
        None => Address::parse(text),
    };
    match uri {
        Ok(uri) => person_chosen(door, p, uri),
        Err(_) if text.is_empty() => again(door, p, "Type a name or an address"),
        Err(e) if text.contains('@') => again(door, p, e.to_string()),
        Err(_) if door.state.missing(Feature::Directory).is_some() => {
            let text = format!("There is no directory here: write the whole address, such as {text}@{}", own_domain(door));
            again(door, p, text)
        }
        Err(_) if !door.state.link.is_up() => again(door, p, "The directory needs the server, and the link is down"),
        Err(_) => {
            let what = Pending::new("Searching the directory").then(Then::Directory);
            p.searching = Some(door.ask(Operation::SearchDirectory { query: text.to_owned() }, what));
            p.searched = text.to_owned();
            door.state.overlays.push(Overlay::Prompt(p));
            Ok(())
        }
    }
}

fn own_domain<'a>(door: &'a Door<'_>) -> &'a str {
    door.state.account.address.as_ref().map_or("example.org", Address::host)
}

/// What is typed in a prompt is searched while one types; what is already being asked is not asked again.
pub fn search_typed(door: &mut Door<'_>) {
    let up = door.state.link.is_up() && door.state.missing(Feature::Directory).is_none();
    let Some(Overlay::Prompt(p)) = door.state.overlays.last() else { return };
    let text = p.line.text().trim().to_owned();
    if !up || !p.ask.searches() || text.is_empty() || p.searched == text {
        return;
    }
    let id = door.ask(Operation::SearchDirectory { query: text.clone() }, Pending::new("").then(Then::Directory));
    if let Some(Overlay::Prompt(p)) = door.state.overlays.last_mut() {
        (p.searching, p.searched) = (Some(id), text);
    }
}

fn person_chosen(door: &mut Door<'_>, p: Prompt, uri: Address) -> Result<(), String> {
    let entry = p.found.iter().find(|f| f.uri == uri).cloned();
    let list = entry.as_ref().is_some_and(|e| e.group);
    if p.ask == Ask::DistributionGroup || (list && matches!(p.ask, Ask::AddContact(_))) {
        let name = entry.map(|e| e.display_name).filter(|n| !n.is_empty()).unwrap_or_else(|| uri.user().to_owned());
        let pending = Pending::new(format!("Adding {name}")).done(format!("The distribution group {name} is on the list"));
        door.ask(Operation::AddDistributionGroup { name, address: uri }, pending);
        return Ok(());
    }
    let own_address = door.state.account.address.as_ref() == Some(&uri);
    match p.ask.clone() {
        Ask::Member(_) | Ask::Delegate if own_address => again(door, p, "This is your own address"),
        Ask::ViewAs => access::view_as_person(door, uri),
        Ask::Member(id) => {
            change::put(door, id, Member::User(uri));
            Ok(())
        }
        Ask::Delegate => {
            change::delegate(door, uri);
            Ok(())
        }
        Ask::AddContact(_) if own_address => again(door, p, "This is your own address"),
        Ask::AddContact(_) if door.state.people.contacts.contains_key(&uri) => {
            let text = format!("{} is already on the list", door.name(&uri));
            again(door, p, text)
        }
        Ask::AddContact(group) => {
            let name = p.found.iter().find(|f| f.uri == uri).map_or(uri.bare().to_owned(), |f| f.display_name.clone());
            let undo = vec![Operation::DeleteContact { uri: uri.clone() }];
            let pending = Pending::new(format!("Adding {name}")).done(format!("{name} is on the list")).undo(undo);
            door.ask(
                Operation::AddContact {
                    uri,
                    name: String::new(),
                    groups: group.into_iter().collect(),
                    options: AddOptions::default(),
                },
                pending,
            );
            Ok(())
        }
        Ask::Invite(conversation) => {
            tabs::invite(door, conversation, uri);
            Ok(())
        }
        Ask::CallIn(conversation) => {
            tabs::call_in(door, conversation, uri);
            Ok(())
        }
        _ => tabs::open_person(door, &uri),
    }
}

fn picked(door: &mut Door<'_>, mut p: Picker) -> Result<(), String> {
    if p.at >= p.choices.len() {
        return Ok(());
    }
    match p.choices.swap_remove(p.at) {
        Choice::Status(status) => own::set_status(door, status, String::new(), None),
        Choice::CustomStatus(id) => own::set_custom_status(door, id, None),
        Choice::Publication(key) => publishing::edit(door, &key),
        Choice::NewPublication => publishing::new(door),
        Choice::ResetStatus => own::reset_status(door),
        Choice::Level(uri, level) => set_level(door, uri, level),
        Choice::Move(uri, from, to) => put_into(door, uri, Some(from), to)?,
        Choice::Copy(uri, to) => put_into(door, uri, None, to)?,
        Choice::EditOne(id, of) => meetings::edit_one(door, &id, of)?,
        Choice::EditSeries(id) => meetings::edit_form(door, &id)?,
        Choice::CancelOne(id, of) => meetings::cancel_one(door, &id, of)?,
        Choice::CancelSeries(id) => meetings::cancel_series_asking(door, &id)?,
        choice @ (Choice::JoinInvitation | Choice::KeepInvitation | Choice::ScheduleInvitation | Choice::ForgetInvitation) => {
            meetings::with_invitation(door, &choice)?
        }
        Choice::Access(level) => super::roster::set_access(door, level)?,
        Choice::Write(uri) => tabs::open_person(door, &uri)?,
        Choice::Open(url) => door.effects.push(Effect::OpenUrl(url)),
        Choice::GoTo(thread, at) => {
            if let Some(thread) = Thread::from_key(&thread) {
                tabs::go_to(door, thread, at)?;
            }
        }
        Choice::AlertWhen(whom, when) => super::alerts::actions(door, whom, when),
        Choice::AlertAct(whom, when, act, once) => super::alerts::make(door, whom, when, act, once)?,
        Choice::CancelAlert(id) => crate::app::alerts::cancel(door, id),
        Choice::ViewAs(viewer) => access::view_as(door, viewer)?,
        Choice::AskViewer => change::ask_viewer(door)?,
        Choice::AskMember(id) => {
            let title = format!("Who is to see {}", crate::endpoint::sight::container_name(id));
            prompt(door, Ask::Member(id), title, "Name, or address: name@domain", "");
        }
        Choice::AskDomain(id) => {
            let title = format!("Which domain is to see {}", crate::endpoint::sight::container_name(id));
            prompt(door, Ask::Domain(id), title, "Such as fabrikam.com", "");
        }
        Choice::Member(id, m) => change::put(door, id, m),
        Choice::Privacy(preference) => change::privacy(door, preference),
        Choice::Watcher { uri, level, add } => questions::answered(door, uri, level, add),
        Choice::AnswerMeeting(id, answer) => crate::app::invited::answer(door, &id, answer)?,
    }
    Ok(())
}

/// Asks for a file name.
pub fn ask_file(door: &mut Door<'_>, ask: Ask, title: &str, name: &str) {
    let name: String = name.chars().take(FIELD_CHARS).collect();
    prompt(door, ask, title, "Written into the directory where adsum was started, if no other is named", &name);
}
