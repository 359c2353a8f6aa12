//! The Me pane.

use super::{Arg, Command};
use crate::app::access::{self, change};
use crate::app::door::Door;
use crate::app::keymap::Mode;
use crate::app::people::person_by_words;
use crate::app::state::own::{About, Section};
use crate::app::state::{Pane, State};
use crate::app::{own, publishing};
use crate::endpoint::Feature;
use crate::endpoint::sight::Viewer;

const HERE: &[Mode] = &[Mode::Me];
const LIST: &[Mode] = &[Mode::MeList];
const BOTH: &[Mode] = &[Mode::Me, Mode::MeList];
const EYES: &[Mode] = &[Mode::Me, Mode::MeList, Mode::People];
const ALL: &[Mode] = &[Mode::Me, Mode::MeList, Mode::Anywhere];

pub const COMMANDS: &[Command] = &[
    Command::new("reset-status", "Take the hand-set status back", HERE, |d, _| {
        own::reset_status(d);
        Ok(())
    })
    .needs(Feature::OwnPresence)
    .when(super::online),
    Command::new("revert-form", "Back to what is published", HERE, |d, _| {
        own::fill_form(d.state);
        d.say("Back to what is published");
        Ok(())
    }),
    Command::new("publications", "Show, change and delete what I publish", HERE, |d, _| publishing::list(d))
        .needs(Feature::Categories),
    Command::new("publish-category", "Publish a category of my own making", &[Mode::Me, Mode::Anywhere], |d, _| {
        publishing::new(d);
        Ok(())
    })
    .needs(Feature::Categories),
    Command::new("own-phones", "Set my phone numbers", HERE, |d, _| publishing::phones(d)).needs(Feature::Phones),
    Command::new("try-form", "Show first who would see what differently, then publish", HERE, |d, _| {
        d.state.own.once = true;
        let done = own::publish(d);
        d.state.own.once = false;
        done
    })
    .needs(Feature::OwnPresence)
    .when(super::online),
    Command::new("view-as", "See exactly what a contact, a level or a stranger sees of me", EYES, view_as)
        .typed("view-as", Arg::Person(false)),
    Command::new("me-status", "My status, note and place", ALL, |d, _| access::show(d, Section::Status)),
    Command::new("me-containers", "Who may see what: levels, members, delegates, privacy mode", ALL, |d, _| {
        access::show(d, Section::Access)
    })
    .typed("containers", Arg::None),
    Command::new("me-watchers", "Who watches me", ALL, |d, _| access::show(d, Section::Watchers)).typed("watchers", Arg::None),
    Command::new("me-view", "What somebody sees of me", LIST, |d, _| access::show(d, Section::View)),
    Command::new("me-why", "Why I am shown as I am: my devices and sources, and which one decides", ALL, |d, _| {
        access::show(d, Section::Why)
    })
    .typed("why", Arg::None),
    Command::new("next-section", "The next section of Me", BOTH, |d, _| access::turn(d, 1)),
    Command::new("previous-section", "The section of Me before", BOTH, |d, _| access::turn(d, -1)),
    Command::new("leave-section", "Back", LIST, |d, _| access::leave(d)),
    Command::new("open-line", "Change what stands on this line", LIST, |d, _| change::open(d)).when(on_line),
    Command::new("add-member", "Put a person, a domain or a network in here", LIST, |d, _| change::add(d))
        .needs(Feature::Levels)
        .when(super::online),
    Command::new("remove-line", "Take this member or delegate out; clear this stuck source", LIST, |d, _| change::remove(d))
        .when(removable),
    Command::new("new-container", "Make a container of my own", LIST, |d, _| change::ask_container(d))
        .needs(Feature::Containers)
        .when(super::online),
    Command::new("privacy-mode", "Choose whether only contacts see more than my name", LIST, |d, _| change::pick_privacy(d))
        .needs(Feature::Containers)
        .when(super::online),
    Command::new("other-network", "Look as if they came from another network", LIST, |d, _| access::other_network(d))
        .needs(Feature::Containers),
    Command::new("toggle-preview", "Show before every change who would see what differently, or not", BOTH, |d, _| {
        d.state.own.preview = !d.state.own.preview;
        let on = d.state.own.preview;
        d.say(if on { "Every change is shown on trial before it is sent" } else { "Changes are sent at once" });
        Ok(())
    })
    .typed("dry-run", Arg::None),
];

/// Needs a line that something can be done with.
fn on_line(state: &State) -> Result<(), &'static str> {
    let about = state.own_line().is_some_and(|l| l.about != About::Nothing);
    if about || state.own.section == Section::View { Ok(()) } else { Err("nothing here can be changed") }
}

/// Needs a line that can be taken away.
fn removable(state: &State) -> Result<(), &'static str> {
    super::online(state)?;
    let about = state.own_line().map(|l| &l.about);
    let held = matches!(about, Some(About::Member(..) | About::Delegate(_) | About::Source { here: false, .. }));
    let here = matches!(about, Some(About::Source { .. }));
    match (held, here) {
        (true, _) => Ok(()),
        (false, true) => Err("this device speaks for itself and would say the same again; Alt-s sets a status"),
        (false, false) => Err("there is nothing to take away on this line"),
    }
}

fn view_as(door: &mut Door<'_>, words: &str) -> Result<(), String> {
    if let Some(why) = [Feature::OwnPresence, Feature::Levels].into_iter().find_map(|f| door.state.missing(f)) {
        return Err(why.to_owned());
    }
    if !words.trim().is_empty() {
        let uri = person_by_words(door.state, words)?;
        return access::view_as_person(door, uri);
    }
    if door.state.pane == Pane::Me && door.state.own.section == Section::View {
        return change::pick_viewer(door);
    }
    if let Some(uri) = door.state.subject().cloned() {
        return access::view_as_person(door, uri);
    }
    match door.state.own_line().map(|l| l.about.clone()) {
        Some(About::Container(id) | About::Member(id, _)) => access::view_as(door, Viewer::Container(id)),
        _ => change::pick_viewer(door),
    }
}
