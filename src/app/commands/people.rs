//! The contact manager.

use super::{Command, listing, on_person, online};
use crate::app::access::{block_question, level_shows, trial};
use crate::app::door::{Door, Pending, Then};
use crate::app::keymap::Mode;
use crate::app::people::{fold, group_name, unfold};
use crate::app::state::overlay::{Ask, Choice, Confirm, Deed, Overlay, Picker, Prompt};
use crate::app::state::people::Sort;
use crate::app::state::{RowId, State};
use crate::app::{contact_form, exchange, lists, own, tabs};
use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, DEFAULT_GROUP, FAVORITE_GROUP_NAME, Group, GroupId, GroupKind};
use crate::domain::presence::Level;
use crate::endpoint::{Feature, Operation, contact_data};

const HERE: &[Mode] = &[Mode::People];
/// Where a line may be a person.
const PERSON: &[Mode] = &[Mode::People, Mode::MeList];

/// The commands of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("fold", "Close the group", HERE, |d, _| {
        match lists::selected(d) {
            Some(address) => lists::close(d, &address),
            None => fold(d.state),
        }
        Ok(())
    }),
    Command::new("unfold", "Open the group; a distribution group shows its members", HERE, |d, _| {
        match lists::selected(d) {
            Some(address) => lists::open(d, address),
            None => unfold(d.state),
        }
        Ok(())
    }),
    Command::new("message", "Write to this person, or to all marked", HERE, message).typed("msg", super::Arg::Person(true)),
    Command::new("add-contact", "Add a contact: search the directory or type an address", HERE, add).when(listing),
    Command::new("rename-contact", "Change the name this contact has on my list", HERE, |d, _| rename_contact(d))
        .when(person_online),
    Command::new("remove-from-group", "Take this contact out of this group", HERE, |d, _| remove_from_group(d))
        .when(person_online),
    Command::new("delete-contact", "Delete this contact from the list", HERE, |d, _| delete_contact(d)).when(person_online),
    Command::new("new-group", "Make a group", HERE, |d, _| {
        prompt(d, Ask::NewGroup, "New group", "Its name", "");
        Ok(())
    })
    .when(listing),
    Command::new("rename-group", "Rename this group", HERE, |d, _| rename_group(d)).when(own_name),
    Command::new("delete-group", "Delete this group; its contacts stay", HERE, |d, _| delete_group(d)).when(own_group),
    Command::new("move-to-group", "Move this contact to another group", HERE, |d, _| pick_group(d, true)).when(person_online),
    Command::new("copy-to-group", "Put this contact into another group too", HERE, |d, _| pick_group(d, false))
        .when(person_online),
    Command::new("edit-contact", "Change everything about this contact", HERE, |d, _| {
        let uri = selected(d)?.0;
        contact_form::edit(d, &uri)
    })
    .when(person_online),
    Command::new("tag", "Tag or untag this contact, on all my devices", HERE, |d, _| tag(d)).when(person_online),
    Command::new("pin", "Put this contact into “Pinned Contacts”, or take them out", HERE, |d, _| pin(d)).when(person_online),
    Command::new("add-distribution-group", "Put a distribution group of the directory on the list", HERE, |d, _| {
        let hint = "Its name searches the directory; or its mail address";
        prompt(d, Ask::DistributionGroup, "Add a distribution group", hint, "");
        Ok(())
    })
    .needs(Feature::DistributionGroups)
    .when(listing),
    Command::new("add-with-options", "Choose name, groups, level and words before adding", &[Mode::Line], |d, _| options(d))
        .when(adding),
    Command::new("refresh-contacts", "Fetch the contact list again", &[Mode::Anywhere], |d, _| {
        d.ask(Operation::RefreshContacts, Pending::new("Fetching the list").done("The list is fresh from the server"));
        Ok(())
    })
    .when(listing),
    Command::new("import-contacts", "Take contacts from a file (JSON or vCard)", &[Mode::Anywhere], exchange::import)
        .typed("import", super::Arg::File(false))
        .when(listing),
    Command::new("export-contacts", "Write the contact list to a file (JSON or vCard)", &[Mode::Anywhere], exchange::export)
        .typed("export-contacts", super::Arg::File(false)),
    Command::new("privacy-level", "Choose what this person may see of me", PERSON, |d, _| pick_level(d))
        .needs(Feature::Levels)
        .when(person_online),
    Command::new("block", "Block or unblock this person", PERSON, |d, _| block(d)).needs(Feature::Levels).when(person_online),
    Command::new("card", "Show this person's card", HERE, |d, _| card(d)).when(on_person),
    Command::new("sort", "Sort by status, name, or last talk", HERE, |d, _| sort(d)),
    Command::new("toggle-offline", "Show or hide people who are offline", HERE, |d, _| {
        d.state.people.hide_offline = !d.state.people.hide_offline;
        d.state.people.dirty = true;
        let hidden = d.state.people.hide_offline;
        d.say(if hidden { "Offline people are hidden" } else { "Offline people are shown" });
        Ok(())
    }),
];

fn person_online(state: &State) -> Result<(), &'static str> {
    on_person(state).and_then(|()| online(state))
}

fn own_group(state: &State) -> Result<(), &'static str> {
    online(state)?;
    match state.people.selected_group() {
        None => Err("no group is selected"),
        Some(DEFAULT_GROUP) => Err("“Other contacts” cannot be changed"),
        Some(id) => match kind(state, id) {
            Some(GroupKind::Favorite) => Err("“Pinned Contacts” keeps its name and place"),
            Some(GroupKind::Frequent) => Err("“Most Used Contacts” is kept by the server"),
            _ => Ok(()),
        },
    }
}

fn kind(state: &State, id: GroupId) -> Option<GroupKind> {
    state.people.groups.iter().find(|g| g.id == id).map(Group::kind)
}

fn own_name(state: &State) -> Result<(), &'static str> {
    own_group(state)?;
    match state.people.selected_group().and_then(|id| kind(state, id)) {
        Some(GroupKind::Distribution) => Err("a distribution group keeps the name it has on the list"),
        _ => Ok(()),
    }
}

fn selected(door: &Door<'_>) -> Result<(Address, String), String> {
    let uri = door.state.subject().cloned().ok_or("no person is selected")?;
    let name = door.name(&uri);
    Ok((uri, name))
}

/// Opens a one-line question.
pub fn prompt(door: &mut Door<'_>, ask: Ask, title: impl Into<String>, hint: &str, text: &str) {
    let line = crate::app::Editor::limited(text, crate::app::limits::FIELD_CHARS);
    door.state.overlays.push(Overlay::Prompt(Prompt {
        ask,
        title: title.into(),
        hint: hint.into(),
        line,
        error: None,
        found: Vec::new(),
        at: None,
        searching: None,
        searched: String::new(),
    }));
}

fn message(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    if !args.trim().is_empty() {
        let uri = crate::app::people::person_by_words(door.state, args)?;
        return tabs::open_person(door, &uri);
    }
    let marked: Vec<Address> = door.state.people.marks.iter().cloned().collect();
    match marked.as_slice() {
        [] => match door.state.people.selection.clone() {
            Some(RowId::Contact(_, uri)) => tabs::open_person(door, &uri),
            Some(RowId::Group(_) | RowId::List(..)) if lists::selected(door).is_some() => {
                let address = lists::selected(door).ok_or("no group is selected")?;
                if door.state.people.open_lists.contains(&address) {
                    lists::close(door, &address);
                } else {
                    lists::open(door, address);
                }
                Ok(())
            }
            Some(RowId::List(..)) => Ok(()),
            Some(RowId::Group(g)) => {
                if door.state.people.folded.contains(&g) {
                    unfold(door.state)
                } else {
                    fold(door.state)
                }
                Ok(())
            }
            None => Err("no person is selected".into()),
        },
        [one] => {
            door.state.people.marks.clear();
            tabs::open_person(door, one)
        }
        _ => {
            online(door.state)?;
            door.state.people.marks.clear();
            tabs::open_group(door, String::new(), marked)
        }
    }
}

/// The words under a question for a person; only where there is a directory may it be a name.
pub fn whom(state: &State, with_directory: &'static str) -> &'static str {
    if state.missing(Feature::Directory).is_some() { "The whole address: name@domain" } else { with_directory }
}

fn add(door: &mut Door<'_>, _: &str) -> Result<(), String> {
    let takes = |g: &GroupId| *g != DEFAULT_GROUP && kind(door.state, *g).is_some_and(GroupKind::takes_contacts);
    let group = door.state.people.selected_group().filter(takes);
    let hint = whom(door.state, "Address (name@domain) adds; a name searches the directory");
    prompt(door, Ask::AddContact(group), "Add a contact", hint, "");
    Ok(())
}

fn rename_contact(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    let alias = door.state.people.contacts.get(&uri).map(|c| c.name.clone()).unwrap_or_default();
    prompt(door, Ask::Alias(uri), format!("Name for {name}"), "Empty: the name of their own card", &alias);
    Ok(())
}

fn contact(door: &Door<'_>, uri: &Address) -> Result<Contact, String> {
    door.state.people.contacts.get(uri).cloned().ok_or_else(|| "this person is not on the list".into())
}

fn remove_from_group(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    let group = door.state.people.selected_group().unwrap_or(DEFAULT_GROUP);
    if group == DEFAULT_GROUP {
        return Err(format!("{name} is in no group; D deletes the contact"));
    }
    contact(door, &uri)?;
    let title = group_name(&door.state.people, group);
    let pending = Pending::new(format!("Removing {name} from {title}"))
        .done(format!("{name} is no longer in {title}"))
        .undo(vec![Operation::Regroup { uri: uri.clone(), join: vec![group], leave: Vec::new() }]);
    door.ask(Operation::Regroup { uri, join: Vec::new(), leave: vec![group] }, pending);
    Ok(())
}

fn delete_contact(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    let text = format!("Delete {name} ({}) from the list and from all groups?", uri.bare());
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Delete", then: Deed::DeleteContact(uri) }));
    Ok(())
}

/// Deletes a contact, offering to put it back.
pub fn delete_now(door: &mut Door<'_>, uri: Address) -> Result<(), String> {
    let c = contact(door, &uri)?;
    let name = door.name(&uri);
    let pending = Pending::new(format!("Deleting {name}")).done(format!("{name} is deleted")).undo(vec![Operation::AddContact {
        uri: uri.clone(),
        name: c.name,
        groups: c.groups,
        options: AddOptions {
            without_presence: !c.subscribed,
            data: c.external_uri,
            extension: c.extension,
            level: own::level_of(&door.state.own.replica, &uri).filter(|l| *l != Level::Blocked),
            note: String::new(),
        },
    }]);
    door.ask(Operation::DeleteContact { uri }, pending);
    Ok(())
}

fn rename_group(door: &mut Door<'_>) -> Result<(), String> {
    let id = door.state.people.selected_group().ok_or("no group is selected")?;
    let name = group_name(&door.state.people, id);
    prompt(door, Ask::RenameGroup(id), "Rename group", "Its new name", &name);
    Ok(())
}

fn delete_group(door: &mut Door<'_>) -> Result<(), String> {
    let id = door.state.people.selected_group().ok_or("no group is selected")?;
    let name = group_name(&door.state.people, id);
    let people = door.state.people.contacts.values().filter(|c| c.groups.contains(&id)).count();
    let text = match people {
        0 => format!("Delete the empty group {name}?"),
        1 => format!("Delete the group {name}? Its one contact stays on the list."),
        n => format!("Delete the group {name}? Its {n} contacts stay on the list."),
    };
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Delete", then: Deed::DeleteGroup(id) }));
    Ok(())
}

fn pick_group(door: &mut Door<'_>, moving: bool) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    let c = contact(door, &uri)?;
    let from = door.state.people.selected_group().unwrap_or(DEFAULT_GROUP);
    let to: Vec<_> = door
        .state
        .people
        .groups
        .iter()
        .filter(|g| g.id != DEFAULT_GROUP && g.kind().takes_contacts() && !c.groups.contains(&g.id))
        .cloned()
        .collect();
    if to.is_empty() {
        return Err("there is no other group; n makes one".into());
    }
    let choose = |g: GroupId| if moving { Choice::Move(uri.clone(), from, g) } else { Choice::Copy(uri.clone(), g) };
    let choices = to.iter().map(|g| choose(g.id)).collect();
    let rows = to.into_iter().map(|g| (g.name, String::new())).collect();
    let title = format!("{} {name} to", if moving { "Move" } else { "Copy" });
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

/// Puts a contact into a group, taking it out of another when it is a move.
pub fn put_into(door: &mut Door<'_>, uri: Address, from: Option<GroupId>, to: GroupId) -> Result<(), String> {
    contact(door, &uri)?;
    let leave: Vec<GroupId> = from.into_iter().filter(|g| *g != to).collect();
    let back: Vec<GroupId> = leave.iter().copied().filter(|g| *g != DEFAULT_GROUP).collect();
    let (name, title) = (door.name(&uri), group_name(&door.state.people, to));
    let pending = Pending::new(format!("Moving {name} to {title}"))
        .done(format!("{name} is in {title}"))
        .undo(vec![Operation::Regroup { uri: uri.clone(), join: back, leave: vec![to] }]);
    if from.is_some() {
        door.state.people.wanted = Some(RowId::Contact(to, uri.clone()));
    }
    door.ask(Operation::Regroup { uri, join: vec![to], leave }, pending);
    Ok(())
}

fn tag(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    let tagged = !contact_data::is_tagged(&contact(door, &uri)?);
    let words = if tagged { format!("{name} is tagged") } else { format!("{name} is no longer tagged") };
    let pending = Pending::new(format!("Tagging {name}"))
        .done(words)
        .undo(vec![Operation::TagContact { uri: uri.clone(), tagged: !tagged }]);
    door.ask(Operation::TagContact { uri, tagged }, pending);
    Ok(())
}

/// Into the group of favourites or out of it; the first one pinned brings the group.
fn pin(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    let groups = contact(door, &uri)?.groups;
    let favourites = door.state.people.groups.iter().find(|g| g.kind() == GroupKind::Favorite).map(|g| g.id);
    match favourites {
        Some(id) if groups.contains(&id) => {
            let pending = Pending::new(format!("Unpinning {name}"))
                .done(format!("{name} is no longer pinned"))
                .undo(vec![Operation::Regroup { uri: uri.clone(), join: vec![id], leave: Vec::new() }]);
            door.ask(Operation::Regroup { uri, join: Vec::new(), leave: vec![id] }, pending);
        }
        Some(id) => put_into(door, uri, None, id)?,
        None => {
            let pending = Pending::new(format!("Pinning {name}")).done(format!("{name} is pinned"));
            door.ask(Operation::AddGroup { name: FAVORITE_GROUP_NAME.into() }, pending.then(Then::IntoGroup(vec![uri])));
        }
    }
    Ok(())
}

/// Whether somebody is being added just now.
fn adding(state: &State) -> Result<(), &'static str> {
    match state.overlays.last() {
        Some(Overlay::Prompt(p)) if matches!(p.ask, Ask::AddContact(_)) => online(state),
        _ => Err("this belongs to adding a contact"),
    }
}

fn options(door: &mut Door<'_>) -> Result<(), String> {
    let Some(Overlay::Prompt(p)) = door.state.overlays.last() else { return Ok(()) };
    let row = p.at.and_then(|at| p.found.get(at)).map(|r| r.uri.clone());
    let uri = row.map_or_else(|| Address::parse(p.line.text()), Ok).map_err(|_| "choose a person first, or write the address")?;
    if door.state.people.contacts.contains_key(&uri) {
        return Err("this person is already on the list; E changes them".into());
    }
    let Ask::AddContact(group) = p.ask.clone() else { return Ok(()) };
    door.state.overlays.pop();
    contact_form::add(door, uri, group);
    Ok(())
}

/// Takes a group off the list, offering to make it again with its people.
pub fn delete_group_now(door: &mut Door<'_>, id: GroupId) {
    let people = &door.state.people;
    let Some(group) = people.groups.iter().find(|g| g.id == id).cloned() else { return };
    let members = people.contacts.values().filter(|c| c.groups.contains(&id)).map(|c| c.uri.clone()).collect();
    let name = group.title().to_owned();
    let make = match contact_data::distribution_address(&group) {
        Some(address) => Operation::AddDistributionGroup { name: name.clone(), address },
        None => Operation::AddGroup { name: name.clone() },
    };
    let pending = Pending::new(format!("Deleting the group {name}")).done(format!("The group {name} is deleted"));
    door.ask(Operation::DeleteGroup { id }, pending.undo_group(make, members));
}

const LEVELS: [Level; 5] = [Level::Personal, Level::Workgroup, Level::Colleagues, Level::External, Level::Blocked];

fn pick_level(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, _) = selected(door)?;
    pick_level_of(door, uri)
}

/// Asks what a person may see.
pub fn pick_level_of(door: &mut Door<'_>, uri: Address) -> Result<(), String> {
    let name = door.name(&uri);
    let now = own::level_of(&door.state.own.replica, &uri);
    let mut rows: Vec<_> = LEVELS.iter().map(|l| (l.text().to_owned(), level_shows(door.state, *l).to_owned())).collect();
    let mut choices: Vec<_> = LEVELS.iter().map(|l| Choice::Level(uri.clone(), Some(*l))).collect();
    rows.push(("Automatic".into(), "what their network gets".into()));
    choices.push(Choice::Level(uri, None));
    let at = now.and_then(|n| LEVELS.iter().position(|l| *l == n)).unwrap_or(LEVELS.len());
    door.state.overlays.push(Overlay::Picker(Picker { title: format!("What {name} may see"), rows, at, choices }));
    Ok(())
}

/// Puts a person on a level.
pub fn set_level(door: &mut Door<'_>, uri: Address, level: Option<Level>) {
    set_level_after(door, Vec::new(), uri, level);
}

/// Does something of the own presence first, then puts a person on a level.
pub fn set_level_after(door: &mut Door<'_>, mut first: Vec<Operation>, uri: Address, level: Option<Level>) {
    let name = door.name(&uri);
    let before = own::level_of(&door.state.own.replica, &uri);
    let text = match level {
        Some(Level::Blocked) => format!("{name} is blocked"),
        Some(l) => format!("{name} is now on the level {}", l.text()),
        None => format!("{name} sees what their network sees"),
    };
    let pending = Pending::new(format!("Changing the level of {name}"))
        .done(text)
        .undo(vec![Operation::SetLevel { uri: uri.clone(), level: before }]);
    first.push(Operation::SetLevel { uri, level });
    trial::send(door, first, pending);
}

fn block(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, name) = selected(door)?;
    if own::level_of(&door.state.own.replica, &uri) == Some(Level::Blocked) {
        set_level(door, uri, None);
        return Ok(());
    }
    let text = block_question(door.state, &name, &uri);
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Block", then: Deed::Block(uri) }));
    Ok(())
}

fn card(door: &mut Door<'_>) -> Result<(), String> {
    let (uri, _) = selected(door)?;
    door.state.overlays.push(Overlay::Card { uri, scroll: 0 });
    Ok(())
}

fn sort(door: &mut Door<'_>) -> Result<(), String> {
    let (next, text) = match door.state.people.sort {
        Sort::Status => (Sort::Name, "Sorted by name"),
        Sort::Name => (Sort::Recent, "Sorted by last talk"),
        Sort::Recent => (Sort::Status, "Sorted by status"),
    };
    (door.state.people.sort, door.state.people.dirty) = (next, true);
    door.say(text);
    Ok(())
}
