//! `adsum group`: the distribution groups of a front end's directory.

use super::admin::{apply, open};
use super::cli::GroupCommand;
use crate::domain::Address;
use crate::domain::contact::DistributionGroup;
use crate::frontend::StoreOp;
use crate::store::server::FrontendStore;
use std::path::Path;

/// Carries out `adsum group …`.
///
/// # Errors
/// One sentence that says what failed.
pub fn run(data: &Path, what: GroupCommand) -> Result<(), String> {
    match what {
        GroupCommand::Add { address, name } => add(data, &parse(&address)?, &name),
        GroupCommand::Remove { address } => remove(data, &parse(&address)?),
        GroupCommand::List { json } => list(data, json),
        GroupCommand::Member { group, add, remove } => member(data, &parse(&group)?, &add, &remove),
    }
}

fn parse(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|e| e.to_string())
}

fn groups(store: &FrontendStore) -> Result<Vec<DistributionGroup>, String> {
    store.groups().map_err(|e| e.to_string())
}

fn find(store: &FrontendStore, address: &Address) -> Result<DistributionGroup, String> {
    let missing = || format!("there is no group {}; adsum group list shows all", address.bare());
    groups(store)?.into_iter().find(|g| g.address == *address).ok_or_else(missing)
}

fn add(data: &Path, address: &Address, name: &str) -> Result<(), String> {
    let mut store = open(data)?;
    let users = store.users().map_err(|e| e.to_string())?;
    if groups(&store)?.iter().any(|g| g.address == *address) || users.iter().any(|u| u.address == *address) {
        return Err(format!("{} exists already", address.bare()));
    }
    let name = if name.trim().is_empty() { address.user() } else { name.trim() };
    let group = DistributionGroup { address: address.clone(), name: name.to_owned(), members: Vec::new() };
    apply(data, &mut store, StoreOp::PutGroup(group))?;
    println!("The group {} is there; adsum group member {} --add ADDRESS fills it.", address.bare(), address.bare());
    Ok(())
}

fn remove(data: &Path, address: &Address) -> Result<(), String> {
    let mut store = open(data)?;
    find(&store, address)?;
    apply(data, &mut store, StoreOp::DeleteGroup(address.clone()))?;
    println!("The group {} is gone.", address.bare());
    Ok(())
}

fn list(data: &Path, json: bool) -> Result<(), String> {
    for g in groups(&open(data)?)? {
        let members: Vec<&str> = g.members.iter().map(Address::bare).collect();
        if json {
            println!("{}", serde_json::json!({ "address": g.address.bare(), "name": g.name, "members": members }));
        } else {
            println!("{:<32} {:<24} {}", g.address.bare(), g.name, members.join(", "));
        }
    }
    Ok(())
}

fn member(data: &Path, address: &Address, add: &[String], remove: &[String]) -> Result<(), String> {
    let mut store = open(data)?;
    let mut group = find(&store, address)?;
    let (all, users) = (groups(&store)?, store.users().map_err(|e| e.to_string())?);
    for who in add {
        let who = parse(who)?;
        let known = users.iter().any(|u| u.address == who) || all.iter().any(|g| g.address == who);
        if !known {
            return Err(format!("there is nobody called {}; nothing was changed", who.bare()));
        }
        if who == *address {
            return Err("a group cannot be its own member; nothing was changed".into());
        }
        if !group.members.contains(&who) {
            group.members.push(who);
        }
    }
    for who in remove {
        let who = parse(who)?;
        let before = group.members.len();
        group.members.retain(|m| *m != who);
        if group.members.len() == before {
            return Err(format!("{} is not in the group; nothing was changed", who.bare()));
        }
    }
    let count = group.members.len();
    apply(data, &mut store, StoreOp::PutGroup(group))?;
    println!("The group {} has {count} members.", address.bare());
    Ok(())
}
