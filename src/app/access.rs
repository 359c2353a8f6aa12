//! Who may see what, in the Me pane: its sections as lines, and what can be done with them.
//!
//! Lines are derived from the replica of the own presence; [`settle`] rebuilds them when it, the section or the minute
//! changed. Changes go through [`trial::send`], which shows first what they would do when that is wanted.

pub mod change;
mod lines;
pub mod trial;

use super::commands::Step;
use super::door::Door;
use super::state::own::{About, Line, Section};
use super::state::{Pane, State};
use crate::domain::Address;
use crate::domain::access::SourceNetwork;
use crate::domain::presence::Level;
use crate::endpoint::Feature;
use crate::endpoint::sight::{self, Viewer};

/// Milliseconds of a minute: ages in the lines are told in minutes.
const MINUTE: u64 = 60_000;

/// Rebuilds the lines of the shown section when they went stale.
pub fn settle(state: &mut State) {
    let minute = state.view.now.0 / MINUTE;
    if state.own.section == Section::Status || (!state.own.dirty && state.own.minute == minute) {
        return;
    }
    let list = lines::of(state);
    let own = &mut state.own;
    (own.dirty, own.minute) = (false, minute);
    // The line one stands on is the thing it is about, wherever that stands now.
    let here = own.list.get(own.at).map(|l| l.about.clone()).filter(|a| *a != About::Nothing);
    let place = |about: About| list.iter().position(|l| l.about == about);
    own.at = own.wanted.take().and_then(place).or_else(|| here.and_then(place)).unwrap_or(own.at);
    own.at = own.at.min(list.len().saturating_sub(1));
    own.list = list;
    if !selectable(own.section, own.list.get(own.at)) {
        own.at = nearest(own.section, &own.list, own.at, 1).or_else(|| nearest(own.section, &own.list, own.at, -1)).unwrap_or(0);
    }
}

/// Goes to a section of the Me pane.
pub fn show(door: &mut Door<'_>, section: Section) -> Result<(), String> {
    let from = door.state.pane;
    super::commands::go(door, Pane::Me)?;
    let own = &mut door.state.own;
    let other = own.section != section;
    if other {
        (own.section, own.at, own.editing) = (section, 0, false);
        own.list.clear();
    }
    if from != Pane::Me || other {
        own.back = (from != Pane::Me).then_some(from);
    }
    own.dirty = true;
    Ok(())
}

/// To the next section (1) or the one before (-1).
pub fn turn(door: &mut Door<'_>, by: isize) -> Result<(), String> {
    let all = Section::ALL;
    let at = all.iter().position(|s| *s == door.state.own.section).unwrap_or(0);
    let len = isize::try_from(all.len()).unwrap_or(1);
    let to = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(len);
    show(door, usize::try_from(to).ok().and_then(|i| all.get(i).copied()).unwrap_or_default())
}

/// Back to where one came from, or to the status.
pub fn leave(door: &mut Door<'_>) -> Result<(), String> {
    match door.state.own.back.take() {
        Some(pane) => {
            show(door, Section::Status)?;
            door.state.own.back = None;
            super::commands::go(door, pane)
        }
        None => show(door, Section::Status),
    }
}

/// Moves in the lines of a section.
pub fn step(state: &mut State, step: Step) {
    let (rows, most) = (state.view.metrics.overlay_rows, usize::from(state.view.metrics.overlay_max));
    if state.own.section == Section::Status {
        state.own.scroll = step.apply(state.own.scroll.min(most), most + 1, rows);
        return;
    }
    settle(state);
    let rows = rows.max(5);
    let own = &mut state.own;
    let to = step.apply(own.at, own.list.len(), rows);
    let direction = if to < own.at { -1 } else { 1 };
    let found = nearest(own.section, &own.list, to, direction).or_else(|| nearest(own.section, &own.list, to, -direction));
    own.at = found.unwrap_or(own.at);
}

/// In the sight every line may be stood on, to scroll; elsewhere those that something can be done with.
fn selectable(section: Section, line: Option<&Line>) -> bool {
    line.is_some_and(|l| section == Section::View || l.about != About::Nothing)
}

fn nearest(section: Section, list: &[Line], from: usize, direction: isize) -> Option<usize> {
    let mut at = from;
    loop {
        if selectable(section, list.get(at)) {
            return Some(at);
        }
        at = at.checked_add_signed(direction).filter(|i| *i < list.len())?;
    }
}

impl State {
    /// The line of the section that has the keys.
    pub fn own_line(&self) -> Option<&Line> {
        (self.pane == Pane::Me && self.own.section != Section::Status).then(|| self.own.list.get(self.own.at))?
    }

    /// The person that level, block, card and view-as mean now: of the line in Me, else of the row in People.
    pub fn subject(&self) -> Option<&Address> {
        match self.own_line() {
            Some(line) => line.about.person(),
            None if self.pane == Pane::Me => None,
            None => self.people.selected_person(),
        }
    }

    /// Where somebody comes from, as far as is known.
    pub fn network_of(&self, who: &Address) -> SourceNetwork {
        match &self.account.address {
            Some(owner) => sight::network(owner, &self.own.replica, who),
            None => SourceNetwork::Everyone,
        }
    }
}

/// Shows what a viewer sees of me.
pub fn view_as(door: &mut Door<'_>, viewer: Viewer) -> Result<(), String> {
    if !door.state.own.loaded {
        return Err("what the server keeps of you is not known yet".into());
    }
    door.state.own.viewer = Some(viewer);
    show(door, Section::View)
}

/// Shows what a person sees of me.
pub fn view_as_person(door: &mut Door<'_>, uri: Address) -> Result<(), String> {
    let network = door.state.network_of(&uri);
    view_as(door, Viewer::Person { uri, network })
}

/// The viewer as if they came from the next kind of network.
pub fn other_network(door: &mut Door<'_>) -> Result<(), String> {
    const NEXT: [SourceNetwork; 4] =
        [SourceNetwork::SameEnterprise, SourceNetwork::Federated, SourceNetwork::PublicCloud, SourceNetwork::Everyone];
    let Some(Viewer::Person { network, .. }) = &mut door.state.own.viewer else {
        return Err("only a person comes from a network; v chooses one".into());
    };
    let at = NEXT.iter().position(|n| n == network).unwrap_or(0);
    *network = NEXT.get((at + 1) % NEXT.len()).copied().unwrap_or(SourceNetwork::Everyone);
    door.state.own.dirty = true;
    Ok(())
}

/// What a level shows, in a few words. Where nobody sees anything without one, levels are rules for presence documents.
pub fn level_shows(state: &State, level: Level) -> &'static str {
    if state.missing(Feature::DefaultAccess).is_some() {
        return match level {
            Level::Everyone => "nothing; they wait for your answer",
            Level::External => "whether you are there, nothing else",
            Level::Colleagues => "status and activity; no note, no place",
            Level::Workgroup | Level::Personal => "all you publish: status, note, place",
            Level::Blocked => "you look offline; they cannot reach you",
        };
    }
    match level {
        Level::Everyone => "your name and e-mail, nothing else",
        Level::External => "status, title, company; no note or place",
        Level::Colleagues => "status, note, calendar, work phone",
        Level::Workgroup => "also mobile and meetings; may interrupt",
        Level::Personal => "all phones; status, note, place, calendar",
        Level::Blocked => "your name; offline; they cannot write",
    }
}

/// What is asked before somebody is blocked.
pub fn block_question(state: &State, name: &str, who: &Address) -> String {
    // On a standard server nothing but this program turns them away.
    let here = if state.missing(Feature::DefaultAccess).is_some() { ", as long as this program runs" } else { "" };
    format!("Block {name} ({})? They see you offline and cannot write to you{here}.", who.bare())
}

/// A network in words.
pub fn network_name(network: SourceNetwork) -> &'static str {
    match network {
        SourceNetwork::SameEnterprise => "my organisation",
        SourceNetwork::Federated => "federated partner",
        SourceNetwork::PublicCloud => "public network",
        SourceNetwork::Everyone => "unknown network",
    }
}
