//! `adsum contacts import` and `export`.

use super::session::Session;
use super::{Job, job, output};
use crate::app::addressbook::{self, Book, Format, List, MAX_FILE, plan};
use crate::domain::Address;
use crate::domain::presence::Level;
use crate::endpoint::Operation;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// How long cards for a vCard file may take; who has none by then is written without.
const CARDS_WAIT: Duration = Duration::from_secs(5);

/// Reads the file; the job shows the plan and carries it out.
pub fn import(file: &Path, dry_run: bool, json: bool) -> Result<Job, String> {
    let book = addressbook::read(&read(file)?).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(job(move |s| carry_out(s, &book, dry_run, json)))
}

fn read(file: &Path) -> Result<String, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", file.display());
    let mut bytes = Vec::new();
    let most = MAX_FILE as u64 + 1;
    if file.as_os_str() == "-" {
        std::io::stdin().take(most).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        std::fs::File::open(file).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    }
    String::from_utf8(bytes).map_err(|_| format!("{}: this is no UTF-8 text", file.display()))
}

/// The list of a session as files see it.
fn with_list<T>(s: &Session, work: impl FnOnce(&List<'_>) -> T) -> T {
    let level = |a: &Address| s.view.level(a).filter(|l| *l != Level::Everyone);
    let card = |a: &Address| s.view.presence.get(a).map(|p| p.card.clone());
    work(&List {
        owner: s.account.address.bare().to_owned(),
        groups: s.view.groups.values().collect(),
        contacts: s.view.contacts.values().collect(),
        level: &level,
        card: &card,
    })
}

fn carry_out(s: &mut Session, book: &Book, dry_run: bool, json: bool) -> Result<(), String> {
    s.list()?;
    s.own()?;
    let planned = with_list(s, |list| plan::plan(book, list));
    for mistake in &planned.mistakes {
        eprintln!("adsum: {mistake}");
    }
    if dry_run {
        return output::print(json, &format!("Would be done: {}.", planned.summary()), &value(&planned, true));
    }
    let mut failures: Vec<(String, String)> = Vec::new();
    for group in &planned.groups {
        attempt(s, plan::make_group(group), &group.name, &mut failures);
    }
    for contact in &book.contacts {
        if contact.address == s.account.address {
            continue;
        }
        for step in with_list(s, |list| plan::steps(contact, list)) {
            attempt(s, step, contact.address.bare(), &mut failures);
        }
    }
    for (what, why) in &failures {
        eprintln!("adsum: {what}: {why}");
    }
    // What was planned and did not work was not imported.
    let failed: BTreeSet<String> = failures.iter().map(|f| f.0.clone()).collect();
    let done = planned.without(&failed);
    let not = if failed.is_empty() { String::new() } else { format!(", {} did not work", failed.len()) };
    let mut value = value(&done, false);
    value["failed"] = json!(failed);
    let nothing = done.is_empty() && done.same == 0 && done.mistakes.is_empty() && !failed.is_empty();
    let imported = if nothing { "nothing".to_owned() } else { done.summary() };
    output::done(json, &format!("Imported: {imported}{not}."), value)?;
    match failures.len() {
        0 => Ok(()),
        n => Err(format!("{n} of the changes did not work; run the import again when their cause is gone")),
    }
}

/// A plan, or what became of it, for scripts.
fn value(plan: &plan::Plan, dry_run: bool) -> serde_json::Value {
    let bare = |all: &[Address]| all.iter().map(|a| a.bare().to_owned()).collect::<Vec<_>>();
    json!({
        "new_groups": plan.groups.iter().map(|g| g.name.clone()).collect::<Vec<_>>(),
        "new": bare(&plan.new),
        "changed": bare(&plan.changed),
        "same": plan.same,
        "mistakes": plan.mistakes.iter().map(|m| json!({ "line": m.line, "text": m.text })).collect::<Vec<_>>(),
        "dry_run": dry_run,
    })
}

fn attempt(s: &mut Session, operation: Operation, what: &str, failures: &mut Vec<(String, String)>) {
    if let Err(e) = s.ask(operation) {
        failures.push((what.to_owned(), e.to_string()));
    }
}

/// Writes the list to a file or to standard output.
pub fn export(s: &mut Session, file: &Path, vcard: bool) -> Result<(), String> {
    let name = file.display().to_string();
    let format = if vcard { Format::Vcard } else { Format::of_file(&name) };
    s.list()?;
    s.own()?;
    if format == Format::Vcard {
        s.within(CARDS_WAIT, |v| v.contacts.values().all(|c| !c.subscribed || v.presence.contains_key(&c.uri)).then_some(()))?;
    }
    let text = with_list(s, |list| addressbook::write(format, list));
    if name == "-" {
        return crate::faces::print(text.as_bytes());
    }
    std::fs::write(file, text).map_err(|e| format!("{name}: {e}"))?;
    output::print(false, &format!("{} contacts are in {name}.", s.view.contacts.len()), &json!(null))
}
