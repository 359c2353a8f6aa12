//! Import and export of the list in the screen: a plan is shown first, then done step by step.

use super::addressbook::{self, Book, Format, List, plan};
use super::commands::people::prompt;
use super::door::{Door, Pending, Then};
use super::effect::Effect;
use super::own;
use super::state::State;
use super::state::overlay::{Ask, Confirm, Deed, Overlay};
use crate::domain::Address;
use crate::endpoint::Operation;
use std::collections::VecDeque;

/// Mistakes shown in the plan; the rest is counted.
const SHOWN: usize = 4;

/// Why no second import begins.
const UNDER_WAY: &str = "an import is under way; read the next file when it has ended";

/// An import under way.
#[derive(Clone, Debug, Default)]
pub struct Import {
    book: Book,
    /// What is to be asked next.
    steps: VecDeque<Operation>,
    /// Groups are made; people come next.
    grouped: bool,
    done: usize,
    failed: usize,
}

/// The list as files see it.
fn with_list<T>(state: &State, work: impl FnOnce(&List<'_>) -> T) -> T {
    let level = |a: &Address| own::level_of(&state.own.replica, a);
    let card = |a: &Address| state.people.presence.get(a).map(|p| p.card.clone());
    work(&List {
        owner: state.account.address.as_ref().map_or("", Address::bare).to_owned(),
        groups: state.people.groups.iter().collect(),
        contacts: state.people.contacts.values().collect(),
        level: &level,
        card: &card,
    })
}

/// Asks for a file to write, or writes the one that is named.
pub fn export(door: &mut Door<'_>, file: &str) -> Result<(), String> {
    let file = file.trim();
    if file.is_empty() {
        let hint = "JSON with everything; vCard when the name ends in .vcf";
        prompt(door, Ask::ExportContacts, "Write the contact list", hint, "contacts.json");
        return Ok(());
    }
    let contents = with_list(door.state, |list| addressbook::write(Format::of_file(file), list));
    door.effects.push(Effect::WriteFile { path: file.to_owned(), contents });
    Ok(())
}

/// Asks for a file to read, or reads the one that is named.
pub fn import(door: &mut Door<'_>, file: &str) -> Result<(), String> {
    let file = file.trim();
    if file.is_empty() {
        prompt(door, Ask::ImportContacts, "Take contacts from a file", "JSON or vCard; what will be done is shown first", "");
        return Ok(());
    }
    if door.state.import.is_some() {
        return Err(UNDER_WAY.into());
    }
    door.state.importing = Some(file.to_owned());
    door.effects.push(Effect::ReadFile { path: file.to_owned() });
    Ok(())
}

/// The file is here: shows what would be done.
pub fn file_read(door: &mut Door<'_>, path: &str, contents: Result<String, String>) {
    door.state.importing = None;
    let book = match contents.and_then(|text| addressbook::read(&text)) {
        Ok(book) => book,
        Err(e) => return door.complain(format!("{path}: {e}")),
    };
    let plan = with_list(door.state, |list| plan::plan(&book, list));
    let mut text = format!("{path}: {}.", plan.summary());
    for mistake in plan.mistakes.iter().take(SHOWN) {
        text.push_str(&format!("\n{mistake}"));
    }
    if plan.mistakes.len() > SHOWN {
        text.push_str(&format!("\nand {} more", plan.mistakes.len() - SHOWN));
    }
    if plan.is_empty() {
        let lines = text.lines().map(str::to_owned).collect();
        door.state.overlays.push(Overlay::Details { title: "Nothing to import".into(), lines, scroll: 0 });
        return;
    }
    door.state.import_book = Some(book);
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Import", then: Deed::Import }));
}

/// Begins: groups first, so that people find them.
pub fn start(door: &mut Door<'_>) {
    if door.state.import.is_some() {
        return door.complain(UNDER_WAY);
    }
    let Some(book) = door.state.import_book.take() else { return };
    let plan = with_list(door.state, |list| plan::plan(&book, list));
    let steps = plan.groups.iter().map(plan::make_group).collect();
    door.state.import = Some(Import { book, steps, ..Import::default() });
    next(door);
}

/// One step has ended.
pub fn stepped(door: &mut Door<'_>, worked: bool) {
    if let Some(import) = &mut door.state.import {
        if worked { import.done += 1 } else { import.failed += 1 }
    }
    next(door);
}

fn next(door: &mut Door<'_>) {
    loop {
        let Some(mut import) = door.state.import.take() else { return };
        if let Some(step) = import.steps.pop_front() {
            door.state.import = Some(import);
            door.ask(step, Pending::new("Importing").then(Then::Import));
            return;
        }
        if import.grouped {
            let failed = if import.failed > 0 { format!(", {} did not work", import.failed) } else { String::new() };
            return door.say(format!("Imported: {} changes{failed}", import.done));
        }
        import.grouped = true;
        let own_address = door.state.account.address.clone();
        let people = import.book.contacts.iter().filter(|c| Some(&c.address) != own_address.as_ref());
        import.steps = with_list(door.state, |list| people.flat_map(|c| plan::steps(c, list)).collect());
        door.state.import = Some(import);
    }
}
