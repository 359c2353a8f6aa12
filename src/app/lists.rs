//! Distribution groups in the list: opened on demand, one level at a time, read-only (`domain.md` 6, rule 13).

use super::door::{Door, Pending, Then};
use super::state::people::{Expansion, RowId};
use crate::domain::Address;
use crate::domain::contact::GroupId;
use crate::domain::watching::ViewId;
use crate::endpoint::event::DirectoryEntry;
use crate::endpoint::{Operation, contact_data};
use std::time::Duration;

/// Members that were not looked at for so long are asked for anew (`domain.md` 6, rule 5).
pub const UNUSED: Duration = Duration::from_secs(5 * 60);

/// Members whose presence is watched while a group is open.
const WATCHED: usize = 100;

fn view() -> ViewId {
    ViewId("lists".into())
}

/// The mail address behind the selected row, if it is a distribution group or one inside.
pub fn selected(door: &Door<'_>) -> Option<Address> {
    match door.state.people.selection.as_ref()? {
        RowId::Group(id) => of_group(door, *id),
        RowId::List(_, address) => Some(address.clone()),
        RowId::Contact(..) => None,
    }
}

fn of_group(door: &Door<'_>, id: GroupId) -> Option<Address> {
    contact_data::distribution_address(door.state.people.groups.iter().find(|g| g.id == id)?)
}

/// Opens a distribution group; what is known and fresh is shown at once.
pub fn open(door: &mut Door<'_>, address: Address) {
    let now = door.now;
    let people = &mut door.state.people;
    people.open_lists.insert(address.clone());
    people.dirty = true;
    let fresh = people.expansions.get(&address).is_some_and(|e| e.loading || now.since(e.used) < UNUSED);
    let known = people.expansions.entry(address.clone()).or_default();
    known.used = now;
    if fresh {
        return watch(door, &address, true);
    }
    known.loading = true;
    known.problem = None;
    let pending = Pending::new("").then(Then::Members(address.clone()));
    door.ask(Operation::ExpandGroup { address }, pending);
}

/// Closes it.
pub fn close(door: &mut Door<'_>, address: &Address) {
    if door.state.people.open_lists.remove(address) {
        watch(door, address, false);
    }
    let now = door.now;
    if let Some(e) = door.state.people.expansions.get_mut(address) {
        e.used = now;
    }
    door.state.people.dirty = true;
}

/// The members are here.
pub fn members(door: &mut Door<'_>, address: &Address, members: Vec<DirectoryEntry>) {
    let now = door.now;
    let people = &mut door.state.people;
    for m in members.iter().filter(|m| !m.display_name.is_empty()) {
        people.names.insert(m.uri.clone(), m.display_name.clone());
    }
    people.expansions.insert(address.clone(), Expansion { members, used: now, ..Expansion::default() });
    people.dirty = true;
    if people.open_lists.contains(address) {
        watch(door, address, true);
    }
}

/// They did not come.
pub fn failed(door: &mut Door<'_>, address: &Address, why: &str) {
    if let Some(e) = door.state.people.expansions.get_mut(address) {
        (e.loading, e.problem) = (false, Some(why.to_owned()));
        // The next look asks again.
        e.used = crate::domain::Time(0);
    }
    door.state.people.dirty = true;
    door.complain(why.to_owned());
}

/// Presence of those who are no contacts is watched while the group is open.
fn watch(door: &mut Door<'_>, address: &Address, on: bool) {
    let people = &mut door.state.people;
    let Some(e) = people.expansions.get_mut(address) else { return };
    if e.watched == on {
        return;
    }
    e.watched = on;
    let contacts = &people.contacts;
    let own = door.state.account.address.as_ref();
    let strangers = e.members.iter().filter(|m| !m.group && !contacts.contains_key(&m.uri) && Some(&m.uri) != own);
    let uris: Vec<Address> = if on {
        let uris: Vec<Address> = strangers.take(WATCHED).map(|m| m.uri.clone()).collect();
        e.asked = uris.clone();
        uris
    } else {
        std::mem::take(&mut e.asked)
    };
    if !uris.is_empty() {
        let view = view();
        door.ask_quietly(if on { Operation::Watch { view, uris } } else { Operation::Unwatch { view, uris } });
    }
}
