//! `adsum contacts …`

use super::cli::Contacts;
use super::session::Session;
use super::{Job, address, import, job, level, output};
use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, DEFAULT_GROUP};
use crate::endpoint::{Operation, Outcome};
use serde_json::json;
use std::time::Duration;

/// How long the card of somebody may take before what is known without it is shown.
const CARD_WAIT: Duration = Duration::from_secs(3);

/// Checks the words; the job does it.
pub fn prepare(what: Contacts) -> Result<Job, String> {
    Ok(match what {
        Contacts::List { group, out } => job(move |s| list(s, group.as_deref(), out.json)),
        Contacts::Show { address: who, out } => {
            let who = address(&who)?;
            job(move |s| show(s, &who, out.json))
        }
        Contacts::Add { address: who, alias, group, level: wanted, no_presence, note, out } => {
            let (who, wanted) = (address(&who)?, wanted.map(|l| level(&l)).transpose()?.flatten());
            let options = AddOptions { without_presence: no_presence, level: wanted, note, ..AddOptions::default() };
            job(move |s| add(s, who, alias, &group, options, out.json))
        }
        Contacts::Remove { address: who, out } => {
            let who = address(&who)?;
            job(move |s| {
                s.own()?;
                change(s, &who, "deleted", out.json, |_, _| Ok(Operation::DeleteContact { uri: who.clone() }))
            })
        }
        Contacts::Rename { address: who, alias, out } => {
            let who = address(&who)?;
            job(move |s| {
                change(s, &who, "renamed", out.json, |_, _| Ok(Operation::RenameContact { uri: who.clone(), name: alias }))
            })
        }
        Contacts::Move { address: who, to, from, out } => {
            let who = address(&who)?;
            job(move |s| {
                change(s, &who, "moved", out.json, |s, c| {
                    let to = s.view.group(&to)?.id;
                    let leave = match &from {
                        Some(name) => vec![s.view.group(name)?.id],
                        None => takeable(s, c).into_iter().filter(|g| *g != to).collect(),
                    };
                    Ok(Operation::Regroup { uri: who.clone(), join: vec![to], leave })
                })
            })
        }
        Contacts::Copy { address: who, to, out } => {
            let who = address(&who)?;
            job(move |s| {
                change(s, &who, "copied", out.json, |s, _| {
                    let join = vec![s.view.group(&to)?.id];
                    Ok(Operation::Regroup { uri: who.clone(), join, leave: Vec::new() })
                })
            })
        }
        Contacts::Tag { address: who, out } => tag(address(&who)?, true, out.json),
        Contacts::Untag { address: who, out } => tag(address(&who)?, false, out.json),
        Contacts::Search { query, out } => {
            let query = query.join(" ");
            if query.trim().is_empty() {
                return Err("write a name or the beginning of an address".into());
            }
            job(move |s| search(s, query, out.json))
        }
        Contacts::Import { file, dry_run, out } => import::import(&file, dry_run, out.json)?,
        Contacts::Export { file, vcard } => job(move |s| import::export(s, &file, vcard)),
    })
}

fn takeable(s: &Session, c: &Contact) -> Vec<crate::domain::contact::GroupId> {
    let takes = |id| s.view.groups.get(id).is_some_and(|g| g.kind().takes_contacts());
    c.groups.iter().filter(|g| takes(g) && **g != DEFAULT_GROUP).copied().collect()
}

fn tag(who: Address, tagged: bool, json: bool) -> Job {
    let word = if tagged { "tagged" } else { "no longer tagged" };
    job(move |s| change(s, &who, word, json, |_, _| Ok(Operation::TagContact { uri: who.clone(), tagged })))
}

/// Does something to a contact and prints what it is then.
fn change(
    s: &mut Session,
    who: &Address,
    word: &str,
    json: bool,
    operation: impl FnOnce(&Session, &Contact) -> Result<Operation, String>,
) -> Result<(), String> {
    s.list()?;
    let before = s.view.contact(who)?.clone();
    let operation = operation(s, &before)?;
    s.ask(operation)?;
    let contact = s.view.contacts.get(who).unwrap_or(&before);
    output::done(json, &format!("{} is {word}.", who.bare()), output::contact(&s.view, contact))
}

fn list(s: &mut Session, group: Option<&str>, json: bool) -> Result<(), String> {
    s.list()?;
    s.own()?;
    let only = group.map(|g| s.view.group(g).map(|g| g.id)).transpose()?;
    let bare = |c: &Contact| !c.groups.iter().any(|g| s.view.groups.contains_key(g));
    let within = |c: &&Contact| only.is_none_or(|g| c.groups.contains(&g) || (g == DEFAULT_GROUP && bare(c)));
    let mut all: Vec<&Contact> = s.view.contacts.values().filter(within).collect();
    all.sort_by_key(|c| (s.view.name(&c.uri).to_lowercase(), c.uri.clone()));
    all.into_iter().try_for_each(|c| output::print(json, &output::contact_row(&s.view, c), &output::contact(&s.view, c)))
}

fn show(s: &mut Session, who: &Address, json: bool) -> Result<(), String> {
    s.list()?;
    s.own()?;
    let contact = s.view.contact(who)?.clone();
    s.within(CARD_WAIT, |v| v.presence.get(who).map(|_| ()))?;
    let presence = s.view.presence.get(who);
    let mut value = output::presence(who, &s.view.name(who), presence);
    if let (Some(all), serde_json::Value::Object(more)) = (value.as_object_mut(), output::contact(&s.view, &contact)) {
        all.extend(more.into_iter().map(|(k, v)| if k == "presence" { ("subscribed".into(), v) } else { (k, v) }));
    }
    if json {
        return output::print(true, "", &value);
    }
    let rows = value.as_object().into_iter().flatten().filter_map(|(k, v)| match v {
        serde_json::Value::Null => None,
        serde_json::Value::String(t) => Some(format!("{k:<20} {}", crate::text::Line::new(t))),
        serde_json::Value::Array(a) if a.is_empty() => None,
        serde_json::Value::Array(a) => {
            let words: Vec<&str> = a.iter().filter_map(|w| w.as_str()).collect();
            Some(format!("{k:<20} {}", crate::text::Line::new(&words.join(", "))))
        }
        other => Some(format!("{k:<20} {other}")),
    });
    rows.into_iter().try_for_each(|r| output::print(false, &r, &value))
}

fn add(s: &mut Session, who: Address, alias: String, groups: &[String], options: AddOptions, json: bool) -> Result<(), String> {
    s.list()?;
    let groups = groups.iter().map(|g| s.view.group(g).map(|g| g.id)).collect::<Result<Vec<_>, _>>()?;
    let level = options.level;
    s.ask(Operation::AddContact { uri: who.clone(), name: alias, groups, options })?;
    if level.is_some() {
        // The endpoint puts them there by itself; this waits for it and tells what stands against it.
        s.ask(Operation::SetLevel { uri: who.clone(), level })?;
    }
    let contact = s.view.contact(&who)?;
    output::done(json, &format!("{} is on the list.", who.bare()), output::contact(&s.view, contact))
}

fn search(s: &mut Session, query: String, json: bool) -> Result<(), String> {
    let Outcome::Found(rows) = s.ask(Operation::SearchDirectory { query: query.clone() })? else {
        return Err("the server gave no answer to the search".into());
    };
    if rows.is_empty() && !json {
        return output::print(false, &format!("The directory knows nobody called “{query}”."), &json!(null));
    }
    rows.iter().try_for_each(|r| output::print(json, &output::entry_row(r), &output::entry(r)))
}
