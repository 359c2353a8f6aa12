//! The form of one contact: everything that can be said when adding (`domain.md` 2.7), and changed later.

use super::Editor;
use super::addressbook::level_word;
use super::door::{Door, Pending};
use super::form::mark;
use super::limits::FIELD_CHARS;
use super::own;
use super::people::group_name;
use super::state::overlay::{FormDialog, FormKind, Overlay};
use super::state::{Field, FieldId, FieldValue, Form, People};
use crate::domain::Address;
use crate::domain::contact::{AddOptions, DEFAULT_GROUP, GroupId};
use crate::domain::presence::Level;
use crate::endpoint::{Operation, contact_data};

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
    let names: Vec<String> = c.groups.iter().filter(|g| **g != DEFAULT_GROUP).map(|g| group_name(people, *g)).collect();
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
    let Some(Overlay::Form(mut d)) = door.state.overlays.pop() else { return Ok(()) };
    let FormKind::Contact { uri, adding } = d.kind.clone() else { return Ok(()) };
    match groups(&door.state.people, d.form.text(FieldId::Groups)) {
        Ok(groups) if adding => put(door, uri, &d.form, groups),
        Ok(groups) => change(door, &uri, &d.form, &groups),
        Err(e) => {
            mark(&mut d.form, FieldId::Groups, &e);
            door.state.overlays.push(Overlay::Form(d));
        }
    }
    Ok(())
}

/// The groups of these names.
fn groups(people: &People, names: &str) -> Result<Vec<GroupId>, String> {
    let mut found = Vec::new();
    for name in names.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        let low = name.to_lowercase();
        let group = people.groups.iter().find(|g| g.title().to_lowercase() == low);
        let group = group.ok_or_else(|| format!("there is no group “{name}”; n makes one"))?;
        if !group.kind().takes_contacts() {
            return Err(format!("nobody can be put into “{name}”"));
        }
        found.push(group.id);
    }
    Ok(found)
}

fn put(door: &mut Door<'_>, uri: Address, form: &Form, groups: Vec<GroupId>) {
    let name = uri.bare().to_owned();
    let options = AddOptions {
        without_presence: form.choice(FieldId::Presence) == 1,
        level: LEVELS.get(form.choice(FieldId::Level)).copied().flatten(),
        note: form.text(FieldId::Words).trim().to_owned(),
        ..AddOptions::default()
    };
    let undo = vec![Operation::DeleteContact { uri: uri.clone() }];
    let pending = Pending::new(format!("Adding {name}")).done(format!("{name} is on the list")).undo(undo);
    let alias = form.text(FieldId::Alias).trim().to_owned();
    door.ask(Operation::AddContact { uri, name: alias, groups, options }, pending);
}

/// Asks for what differs; the undo is what was before.
fn change(door: &mut Door<'_>, who: &Address, form: &Form, groups: &[GroupId]) {
    let Some(c) = door.state.people.contacts.get(who).cloned() else { return };
    let uri = || who.clone();
    let (mut steps, mut back) = (Vec::new(), Vec::new());
    let alias = form.text(FieldId::Alias).trim().to_owned();
    if alias != c.name {
        back.push(Operation::RenameContact { uri: uri(), name: c.name.clone() });
        steps.push(Operation::RenameContact { uri: uri(), name: alias });
    }
    let old: Vec<GroupId> = c.groups.iter().copied().filter(|g| *g != DEFAULT_GROUP).collect();
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
    if level != before {
        back.push(Operation::SetLevel { uri: uri(), level: before });
        steps.push(Operation::SetLevel { uri: uri(), level });
    }
    let name = door.name(who);
    let last = steps.len().saturating_sub(1);
    for (n, step) in steps.into_iter().enumerate() {
        let pending = Pending::new(format!("Changing {name}"));
        let done = || format!("{name} is changed");
        door.ask(step, if n == last { pending.done(done()).undo(std::mem::take(&mut back)) } else { pending });
    }
}
