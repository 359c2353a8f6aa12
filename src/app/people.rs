//! The rows of the People pane, and moving among them.

use super::commands::Step;
use super::state::people::{People, Row, RowId, Sort};
use super::state::{State, View};
use crate::domain::Address;
use crate::domain::contact::{DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::domain::presence::{AvailabilityClass, Freshness, Presence};
use crate::endpoint::contact_data;
use crate::endpoint::event::DirectoryEntry;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How available somebody is for sorting and counting: smaller is more; [`OFFLINE`] and up counts as offline.
fn rank(presence: Option<&Presence>) -> u8 {
    if presence.is_some_and(|p| matches!(p.freshness, Freshness::Stale { .. })) {
        return STALE;
    }
    match presence.and_then(|p| p.availability).map(|a| a.class()) {
        Some(AvailabilityClass::Available) => 0,
        Some(AvailabilityClass::AvailableIdle) => 1,
        Some(AvailabilityClass::Busy) => 2,
        Some(AvailabilityClass::BusyIdle) => 3,
        Some(AvailabilityClass::DoNotDisturb) => 4,
        Some(AvailabilityClass::BeRightBack) => 5,
        Some(AvailabilityClass::Away) => 6,
        Some(AvailabilityClass::Offline) => OFFLINE,
        Some(AvailabilityClass::Unknown) | None => OFFLINE + 1,
    }
}

const OFFLINE: u8 = 10;
/// Without the server nobody's presence is known; nobody leaves the list for that.
const STALE: u8 = OFFLINE + 2;

struct Person<'a> {
    uri: &'a Address,
    rank: u8,
    name: String,
    recent: u64,
}

impl People {
    /// Rebuilds the rows if something changed.
    pub fn settle(&mut self, _view: &View) {
        if !self.dirty {
            return;
        }
        self.dirty = false;
        let before = self.selection.as_ref().and_then(|id| self.rows.iter().position(|r| r.is(id)));
        let rows = self.build();
        self.rows = rows;
        self.select_again(before);
    }

    fn build(&mut self) -> Vec<Row> {
        let words: Vec<String> = self.filter.text().split_whitespace().map(str::to_lowercase).collect();
        let filtered = !words.is_empty();
        let mut members: BTreeMap<GroupId, Vec<Person<'_>>> = BTreeMap::new();
        let (mut online, mut all) = (0, 0);
        for c in self.contacts.values() {
            let name = self.name(&c.uri).unwrap_or(c.uri.bare()).to_lowercase();
            let rank = rank(self.presence_of(&c.uri));
            all += 1;
            online += usize::from(rank < OFFLINE);
            if filtered && !words.iter().all(|w| name.contains(w) || c.uri.bare().contains(w)) {
                continue;
            }
            let recent = self.recent.get(&c.uri).copied().unwrap_or(0);
            for g in self.groups_of(c) {
                members.entry(g).or_default().push(Person { uri: &c.uri, rank, name: name.clone(), recent });
            }
        }
        let mut rows = Vec::with_capacity(all + self.groups.len());
        for group in self.ordered_groups() {
            let mut people = members.remove(&group.id).unwrap_or_default();
            if people.is_empty() && (filtered || group.id == DEFAULT_GROUP) {
                continue;
            }
            match self.sort {
                Sort::Status => people.sort_by(|a, b| (a.rank, &a.name, a.uri).cmp(&(b.rank, &b.name, b.uri))),
                Sort::Name => people.sort_by(|a, b| (&a.name, a.uri).cmp(&(&b.name, b.uri))),
                Sort::Recent => people.sort_by(|a, b| (Reverse(a.recent), &a.name).cmp(&(Reverse(b.recent), &b.name))),
            }
            if let Some(address) = contact_data::distribution_address(&group) {
                self.list_rows(&group, &address, filtered, &mut rows);
                continue;
            }
            let folded = !filtered && self.folded.contains(&group.id);
            let here = people.iter().filter(|p| p.rank < OFFLINE).count();
            rows.push(Row::Group { id: group.id, name: group.name.clone(), online: here, total: people.len(), folded });
            if !folded {
                let shown = people.into_iter().filter(|p| filtered || !self.hide_offline || p.rank < OFFLINE || p.rank == STALE);
                rows.extend(shown.map(|p| Row::Contact { group: group.id, uri: p.uri.clone() }));
            }
        }
        self.counts = (online, all);
        rows
    }

    /// A distribution group with what is open of it.
    fn list_rows(&self, group: &Group, address: &Address, filtered: bool, rows: &mut Vec<Row>) {
        if filtered {
            return;
        }
        let members = |a: &Address| self.expansions.get(a).map_or(&[][..], |e| &e.members);
        let online = members(address).iter().filter(|m| rank(self.presence_of(&m.uri)) < OFFLINE).count();
        let folded = !self.open_lists.contains(address);
        let (id, total) = (group.id, members(address).len());
        rows.push(Row::Group { id, name: group.name.clone(), online, total, folded });
        // Everybody once: a row has one name, and groups that contain each other come to an end.
        let mut shown = BTreeSet::new();
        let mut waiting: Vec<&DirectoryEntry> = if folded { Vec::new() } else { members(address).iter().rev().collect() };
        while let Some(m) = waiting.pop() {
            if !shown.insert(&m.uri) {
                continue;
            }
            if !m.group {
                rows.push(Row::Contact { group: id, uri: m.uri.clone() });
                continue;
            }
            let folded = m.uri == *address || !self.open_lists.contains(&m.uri);
            let name = if m.display_name.is_empty() { m.uri.bare().to_owned() } else { m.display_name.clone() };
            rows.push(Row::List { group: id, address: m.uri.clone(), name, folded });
            if !folded {
                waiting.extend(members(&m.uri).iter().rev());
            }
        }
    }

    /// The server's order with "Other contacts" at the end.
    fn ordered_groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.groups.iter().filter(|g| g.id != DEFAULT_GROUP).cloned().collect();
        groups.push(Group::new(DEFAULT_GROUP, DEFAULT_GROUP_NAME));
        groups
    }

    /// Keeps the selection on its row; when that is gone, on the row that took its place.
    fn select_again(&mut self, before: Option<usize>) {
        let to_first = std::mem::take(&mut self.to_first);
        if to_first {
            let first = self.rows.iter().find(|r| matches!(r, Row::Contact { .. })).or(self.rows.first());
            self.selection = first.map(Row::id);
            return;
        }
        let arrived = self.wanted.take_if(|w| self.rows.iter().any(|r| r.is(w)));
        self.selection = arrived.or(self.selection.take());
        let there = self.selection.as_ref().is_some_and(|id| self.rows.iter().any(|r| r.is(id)));
        if there {
            return;
        }
        // The same person in another group is nearer than a neighbour.
        let same = self
            .selected_person()
            .cloned()
            .and_then(|u| self.rows.iter().find(|r| matches!(r, Row::Contact { uri, .. } if *uri == u)).map(Row::id));
        let at = before.unwrap_or(0).min(self.rows.len().saturating_sub(1));
        self.selection = same.or_else(|| self.rows.get(at).map(Row::id));
    }

    /// Position of the selected row.
    pub fn position(&self) -> usize {
        self.selection.as_ref().and_then(|id| self.rows.iter().position(|r| r.is(id))).unwrap_or(0)
    }
}

/// Whether a change of presence moves rows or counts, so that they must be rebuilt.
pub fn moves_rows(sort: Sort, old: Option<&Presence>, new: &Presence) -> bool {
    let (was, is) = (rank(old), rank(Some(new)));
    let moved = if sort == Sort::Status { was != is } else { (was < OFFLINE) != (is < OFFLINE) };
    moved || old.and_then(|o| o.card.display_name.as_ref()) != new.card.display_name.as_ref()
}

/// Moves the selection.
pub fn step(state: &mut State, step: Step) {
    state.settle();
    let people = &mut state.people;
    let to = step.apply(people.position(), people.rows.len(), state.view.metrics.people_rows);
    people.selection = people.rows.get(to).map(Row::id);
}

/// Ends the filter; whoever is selected stays in sight.
pub fn clear_filter(state: &mut State) {
    let people = &mut state.people;
    people.filtering = false;
    people.filter.take();
    if let Some(RowId::Contact(group, _)) = people.selection {
        people.folded.remove(&group);
    }
    people.dirty = true;
}

/// Marks or unmarks the selected person and goes one down.
pub fn mark(state: &mut State) -> Result<(), String> {
    let uri = state.people.selected_person().cloned().ok_or("no person is selected")?;
    if !state.people.marks.remove(&uri) {
        state.people.marks.insert(uri);
    }
    step(state, Step::By(1));
    Ok(())
}

/// Closes the group of the selected row, and selects its heading.
pub fn fold(state: &mut State) {
    if let Some(group) = state.people.selected_group() {
        state.people.folded.insert(group);
        state.people.selection = Some(RowId::Group(group));
        state.people.dirty = true;
    }
}

/// Opens the group of the selected row.
pub fn unfold(state: &mut State) {
    if let Some(group) = state.people.selected_group() {
        state.people.folded.remove(&group);
        state.people.dirty = true;
    }
}

/// A group's name as shown, raw.
pub fn group_name(people: &People, id: GroupId) -> String {
    if id == DEFAULT_GROUP {
        return "Other contacts".into();
    }
    people.groups.iter().find(|g| g.id == id).map_or_else(|| "this group".into(), |g| g.name.clone())
}

/// The person meant by typed words: an address, or the one contact whose name or address begins so.
pub fn person_by_words(state: &State, words: &str) -> Result<Address, String> {
    let words = words.trim().trim_start_matches('@');
    if let Ok(a) = Address::parse(words) {
        return Ok(a);
    }
    let low = words.to_lowercase();
    if low.is_empty() {
        return Err("say who: a name or an address".into());
    }
    let known = state
        .people
        .contacts
        .keys()
        .chain(state.conversations.tabs.iter().flat_map(|t| t.conversation.participants.iter().map(|p| &p.uri)));
    let mut hits: Vec<&Address> = known
        .filter(|u| {
            let name = state.name(u).to_lowercase();
            name == low || name.starts_with(&low) || u.user() == low || name.split_whitespace().any(|w| w.starts_with(&low))
        })
        .collect();
    hits.sort();
    hits.dedup();
    let exact: Vec<&Address> = hits.iter().copied().filter(|u| state.name(u).to_lowercase() == low || u.user() == low).collect();
    match (exact.as_slice(), hits.as_slice()) {
        ([one], _) | ([], [one]) => Ok((*one).clone()),
        ([], []) => Err(format!("nobody on the list is called “{words}”; write the whole address")),
        (_, many) => {
            let names: Vec<String> = many.iter().take(4).map(|u| state.name(u).to_owned()).collect();
            Err(format!("“{words}” may be {}; write more of the name", names.join(" or ")))
        }
    }
}
