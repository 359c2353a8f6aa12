//! `adsum groups …`

use super::cli::Groups;
use super::session::Session;
use super::{Job, address, job, output};
use crate::domain::Address;
use crate::domain::contact::{ContactError, GroupId};
use crate::endpoint::{Operation, Outcome, contact_data};
use serde_json::json;

/// Checks the words; the job does it.
pub fn prepare(what: Groups) -> Result<Job, String> {
    Ok(match what {
        Groups::List { out } => job(move |s| list(s, out.json)),
        Groups::Add { name, distribution, out } => {
            let operation = match distribution {
                Some(a) => Operation::AddDistributionGroup { name: name.clone(), address: address(&a)? },
                None => Operation::AddGroup { name: name.clone() },
            };
            job(move |s| add(s, &name, operation, out.json))
        }
        Groups::Rename { name, to, out } => job(move |s| {
            let id = find(s, &name)?;
            s.ask(Operation::RenameGroup { id, name: to.clone() })?;
            told(s, id, &format!("The group “{name}” is called “{to}” now."), out.json)
        }),
        Groups::Remove { name, out } => job(move |s| {
            let id = find(s, &name)?;
            s.ask(Operation::DeleteGroup { id })?;
            let words = format!("The group “{name}” is deleted; its contacts stay.");
            output::done(out.json, &words, json!({ "id": id.0, "name": name }))
        }),
        Groups::Expand { name, out } => job(move |s| expand(s, &name, out.json)),
    })
}

fn list(s: &mut Session, json: bool) -> Result<(), String> {
    s.list()?;
    s.view.groups.values().try_for_each(|g| output::print(json, &output::group_row(&s.view, g), &output::group(&s.view, g)))
}

fn find(s: &mut Session, name: &str) -> Result<GroupId, String> {
    s.list()?;
    s.view.group(name).map(|g| g.id)
}

fn add(s: &mut Session, name: &str, operation: Operation, json: bool) -> Result<(), String> {
    s.list()?;
    let Outcome::Group(id) = s.ask(operation)? else { return Err("the server did not name the new group".into()) };
    told(s, id, &format!("The group “{name}” is there."), json)
}

fn told(s: &Session, id: GroupId, words: &str, json: bool) -> Result<(), String> {
    let group = s.view.groups.get(&id).ok_or_else(|| ContactError::GroupNotFound.to_string())?;
    output::done(json, words, output::group(&s.view, group))
}

fn expand(s: &mut Session, name: &str, json: bool) -> Result<(), String> {
    s.list()?;
    let address = match s.view.group(name) {
        Ok(group) => contact_data::distribution_address(group).ok_or(format!("“{name}” is no distribution group"))?,
        Err(none) => Address::parse(name).map_err(|_| none)?,
    };
    let Outcome::Found(rows) = s.ask(Operation::ExpandGroup { address })? else {
        return Err("the server gave no members".into());
    };
    rows.iter().try_for_each(|r| output::print(json, &output::entry_row(r), &output::entry(r)))
}
