//! The form of one contact: everything that can be said when adding (`domain.md` 2.7), and changed later.

use super::Editor;
use super::access::trial;
use super::addressbook::level_word;
use super::commands::people::set_level;
use super::door::{Door, Pending, Then};
use super::form::mark;
use super::limits::FIELD_CHARS;
use super::own;
use super::people::group_name;
use super::publishing::with_form;
use super::state::overlay::{FormDialog, FormKind, Overlay};
use super::state::{Field, FieldId, FieldValue, Form, People};
use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, DEFAULT_GROUP, GroupId};
use crate::domain::presence::Level;
use crate::endpoint::{Operation, OperationId, contact_data};

/// Levels in the order of the choice; the first is "what their network gets".
const LEVELS: [Option<Level>; 6] =
    [None, Some(Level::Personal), Some(Level::Workgroup), Some(Level::Colleagues), Some(Level::External), Some(Level::Blocked)];

/// Opens the form for somebody who is to be added, in these groups.
pub fn add(door: &mut Door<'_>, uri: Address, group: Option<GroupId>) {
    let groups = group.map(|g| group_name(&door.state.people, g)).unwrap_or_default();
    let mut fields = vec![text(FieldId::Alias, "Your name", "Empty: the name of their own card", "")];
    fields.push(text(FieldId::Groups, "Groups", "Names with commas between; empty: Other contacts", &groups));
    fields.push(level(None));
    fields.push(yes_no(FieldId::Presence, "Presence", ["subscribe", "do not"], true));
    fields.push(text(FieldId::Words, "Words", "A sentence for them, told with the news", ""));
    open(door, uri, true, fields);
}

/// Opens the form of a contact.
pub fn edit(door: &mut Door<'_>, uri: &Address) -> Result<(), String> {
    let people = &door.state.people;
    let c = people.contacts.get(uri).ok_or("this person is not on the list")?.clone();
    let names: Vec<String> = chosen(people, &c).into_iter().map(|g| group_name(people, g)).collect();
    let now = own::level_of(&door.state.own.replica, uri);
    let fields = vec![
        text(FieldId::Alias, "Your name", "Empty: the name of their own card", &c.name),
        text(FieldId::Groups, "Groups", "Names with commas between; empty: Other contacts", &names.join(", ")),
        level(now),
        yes_no(FieldId::Presence, "Presence", ["subscribe", "do not"], c.subscribed),
        yes_no(FieldId::Tag, "Tag", ["tagged", "no"], contact_data::is_tagged(&c)),
    ];
    open(door, uri.clone(), false, fields);
    Ok(())
}

/// The groups that somebody has put the person into; the server fills the others.
fn chosen(people: &People, contact: &Contact) -> Vec<GroupId> {
    let takes = |id: &GroupId| people.groups.iter().any(|g| g.id == *id && g.kind().takes_contacts());
    contact.groups.iter().copied().filter(|g| *g != DEFAULT_GROUP && takes(g)).collect()
}

fn open(door: &mut Door<'_>, uri: Address, adding: bool, fields: Vec<Field>) {
    let form = Form { fields, ..Form::default() };
    let name = door.name(&uri);
    let title = if adding { format!("Add {name}") } else { format!("{name} ({})", uri.bare()) };
    door.state.overlays.push(Overlay::Form(FormDialog { title, kind: FormKind::Contact { uri, adding }, form }));
}

fn field(id: FieldId, label: &'static str, help: &'static str, value: FieldValue) -> Field {
    Field { id, label, help, value, error: None, reading: None }
}

fn text(id: FieldId, label: &'static str, help: &'static str, value: &str) -> Field {
    field(id, label, help, FieldValue::Text(Editor::limited(value, FIELD_CHARS)))
}

fn yes_no(id: FieldId, label: &'static str, words: [&str; 2], yes: bool) -> Field {
    let options = words.map(str::to_owned).to_vec();
    field(id, label, "", FieldValue::Choice { options, at: usize::from(!yes) })
}

fn level(now: Option<Level>) -> Field {
    let options = LEVELS.iter().map(|l| l.map_or("automatic", level_word).to_owned()).collect();
    let at = LEVELS.iter().position(|l| *l == now).unwrap_or(0);
    field(FieldId::Level, "Level", "", FieldValue::Choice { options, at })
}

/// Adds or changes the person as the form says. What cannot be is marked, and the form stays.
pub fn save(door: &mut Door<'_>) -> Result<(), String> {
    if !door.state.link.is_up() {
        return Err("the list needs the server, and the link is down; what you wrote stays here".into());
    }
    let Some(Overlay::Form(d)) = door.state.overlays.last() else { return Ok(()) };
    let FormKind::Contact { uri, adding } = d.kind.clone() else { return Ok(()) };
    if d.form.saving.is_some() {
        return Err("it is being saved".into());
    }
    let form = d.form.clone();
    let last = match groups(&door.state.people, form.text(FieldId::Groups)) {
        Ok(groups) if adding => Some(put(door, uri, &form, groups)),
        Ok(groups) => change(door, &uri, &form, &groups),
        Err(e) => {
            with_form(door, |f| mark(f, FieldId::Groups, &e));
            return Ok(());
        }
    };
    match last {
        Some(id) => with_form(door, |f| (f.saving, f.error) = (Some(id), None)),
        None => {
            door.state.overlays.pop();
        }
    }
    Ok(())
}

/// The groups of these names. A name may have commas of its own; the longest name that fits counts.
fn groups(people: &People, names: &str) -> Result<Vec<GroupId>, String> {
    let mut found = Vec::new();
    let mut rest = names.trim();
    while !rest.is_empty() {
        let ends = rest.match_indices(',').map(|(at, _)| at).chain([rest.len()]);
        let named = |end: usize| people.groups.iter().find(|g| same(g.title(), &rest[..end])).map(|g| (g, end));
        let first = rest.split(',').next().unwrap_or(rest).trim();
        let (group, end) = ends.rev().find_map(named).ok_or_else(|| format!("there is no group “{first}”; n makes one"))?;
        if !group.kind().takes_contacts() {
            return Err(format!("nobody can be put into “{}”", group.title()));
        }
        found.push(group.id);
        rest = rest[end..].trim_start_matches([',', ' ']);
    }
    Ok(found)
}

fn same(title: &str, typed: &str) -> bool {
    title.trim().to_lowercase() == typed.trim().to_lowercase()
}

fn put(door: &mut Door<'_>, uri: Address, form: &Form, groups: Vec<GroupId>) -> OperationId {
    let name = uri.bare().to_owned();
    let level = LEVELS.get(form.choice(FieldId::Level)).copied().flatten();
    // A level that is to be shown on trial first goes its own way.
    let tried = level.is_some() && trial::is_wanted(door.state);
    let options = AddOptions {
        without_presence: form.choice(FieldId::Presence) == 1,
        level: level.filter(|_| !tried),
        note: form.text(FieldId::Words).trim().to_owned(),
        ..AddOptions::default()
    };
    let undo = vec![Operation::DeleteContact { uri: uri.clone() }];
    let pending = Pending::new(format!("Adding {name}")).done(format!("{name} is on the list")).undo(undo);
    let alias = form.text(FieldId::Alias).trim().to_owned();
    let asked = door.ask(Operation::AddContact { uri: uri.clone(), name: alias, groups, options }, pending.then(Then::Dialog));
    if tried {
        set_level(door, uri, level);
    }
    asked
}

/// Asks for what differs; the undo is what was before. Gives the last request, if there is one.
fn change(door: &mut Door<'_>, who: &Address, form: &Form, groups: &[GroupId]) -> Option<OperationId> {
    let c = door.state.people.contacts.get(who).cloned()?;
    let uri = || who.clone();
    let (mut steps, mut back) = (Vec::new(), Vec::new());
    let alias = form.text(FieldId::Alias).trim().to_owned();
    if alias != c.name {
        back.push(Operation::RenameContact { uri: uri(), name: c.name.clone() });
        steps.push(Operation::RenameContact { uri: uri(), name: alias });
    }
    let old = chosen(&door.state.people, &c);
    let join: Vec<GroupId> = groups.iter().copied().filter(|g| !old.contains(g) && *g != DEFAULT_GROUP).collect();
    let leave: Vec<GroupId> = old.iter().copied().filter(|g| !groups.contains(g)).collect();
    if !join.is_empty() || !leave.is_empty() {
        back.push(Operation::Regroup { uri: uri(), join: leave.clone(), leave: join.clone() });
        steps.push(Operation::Regroup { uri: uri(), join, leave });
    }
    let wanted = form.choice(FieldId::Presence) == 0;
    if wanted != c.subscribed {
        back.push(Operation::SetContactPresence { uri: uri(), wanted: c.subscribed });
        steps.push(Operation::SetContactPresence { uri: uri(), wanted });
    }
    let (was, tagged) = (contact_data::is_tagged(&c), form.choice(FieldId::Tag) == 0);
    if tagged != was {
        back.push(Operation::TagContact { uri: uri(), tagged: was });
        steps.push(Operation::TagContact { uri: uri(), tagged });
    }
    let before = own::level_of(&door.state.own.replica, who);
    let level = LEVELS.get(form.choice(FieldId::Level)).copied().flatten();
    if level != before && trial::is_wanted(door.state) {
        set_level(door, uri(), level);
    } else if level != before {
        back.push(Operation::SetLevel { uri: uri(), level: before });
        steps.push(Operation::SetLevel { uri: uri(), level });
    }
    let name = door.name(who);
    let last = steps.pop()?;
    let pending = || Pending::new(format!("Changing {name}")).then(Then::Dialog);
    for step in steps {
        door.ask(step, pending());
    }
    Some(door.ask(last, pending().done(format!("{name} is changed")).undo(back)))
}
