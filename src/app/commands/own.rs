//! The Me pane.

use super::Command;
use crate::app::door::Door;
use crate::app::keymap::Mode;
use crate::app::state::overlay::{Choice, Overlay, Picker};
use crate::app::{own, publishing};

const HERE: &[Mode] = &[Mode::Me];

pub const COMMANDS: &[Command] = &[
    Command::new("reset-status", "Take the hand-set status back", HERE, |d, _| {
        own::reset_status(d);
        d.state.own.form.changed = false;
        Ok(())
    })
    .when(super::online),
    Command::new("revert-form", "Back to what is published", HERE, |d, _| {
        own::fill_form(d.state);
        d.say("Back to what is published");
        Ok(())
    }),
    Command::new("publications", "Show, change and delete what I publish", HERE, |d, _| publishing::list(d)),
    Command::new("publish-category", "Publish a category of my own making", &[Mode::Me, Mode::Anywhere], |d, _| {
        publishing::new(d);
        Ok(())
    }),
    Command::new("own-phones", "Set my phone numbers", HERE, |d, _| publishing::phones(d)),
    Command::new("view-as", "See exactly what a contact can see of me", HERE, |d, _| pick(d)),
];

fn pick(door: &mut Door<'_>) -> Result<(), String> {
    let mut people: Vec<_> = door.state.people.contacts.keys().map(|u| (door.state.name(u).to_owned(), u.clone())).collect();
    people.sort_by_key(|(n, _)| n.to_lowercase());
    if people.is_empty() {
        return Err("there is nobody on the list yet".into());
    }
    let rows = people.iter().map(|(n, u)| (n.clone(), u.bare().to_owned())).collect();
    let choices = people.into_iter().map(|(_, u)| Choice::ViewAs(u)).collect();
    door.state.overlays.push(Overlay::Picker(Picker { title: "View as".into(), rows, at: 0, choices }));
    Ok(())
}
