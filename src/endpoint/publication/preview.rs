//! What the server would hold after operations, worked out without asking it: the requests they would become, applied to
//! the replica, and the aggregation run over the result.

use super::intent::{self, Built, Ground, Intent};
use crate::domain::access::DEFAULT_CONTAINER;
use crate::domain::presence::{Container, MachineState, SelfPresence};
use crate::domain::{Address, Time};
use crate::endpoint::{Error, Operation};
use crate::lync::aggregate;
use crate::lync::containers::{ContainerChange, MemberChange};
use crate::lync::publish::PublishItem;
use std::collections::BTreeMap;

/// The replica after some operations and the corrections that follow them.
pub(super) fn preview(operations: &[Operation], ground: &Ground<'_>) -> Result<SelfPresence, Error> {
    let mut after = ground.known.clone();
    let (mut machine, mut location) = (ground.machine, ground.location.to_owned());
    for operation in operations {
        match operation {
            Operation::SetMachineState { state } => machine = *state,
            Operation::SetLocation { location: new } => location = new.trim().to_owned(),
            _ => {}
        }
        take(&mut after, &Intent::Operation(Box::new(operation.clone())), ground, machine, &location)?;
    }
    take(&mut after, &Intent::Manifest, ground, machine, &location)?;
    Ok(after)
}

fn take(
    after: &mut SelfPresence,
    intent: &Intent,
    ground: &Ground<'_>,
    machine: MachineState,
    location: &str,
) -> Result<(), Error> {
    let (publication_versions, container_versions) = (BTreeMap::new(), BTreeMap::new());
    let now = ground.now;
    let here = Ground {
        known: after,
        machine,
        location,
        publication_versions: &publication_versions,
        container_versions: &container_versions,
        delegates_version: None,
        ..*ground
    };
    if let Some(built) = intent::build(intent, &here)? {
        apply(after, &built, &ground.me.uri, &ground.me.instance, now);
    }
    Ok(())
}

/// Does to a replica what the server would do with a request.
fn apply(after: &mut SelfPresence, built: &Built, owner: &Address, endpoint: &str, now: Time) {
    match built {
        Built::Publish(items) => {
            items.iter().for_each(|item| publish(after, item, endpoint, now));
            aggregate::settle(&mut after.publications, owner, now);
        }
        Built::Members(changes) => changes.iter().for_each(|c| change_members(&mut after.containers, c)),
        Built::Acknowledge(who) => {
            after.subscribers.iter_mut().filter(|s| s.uri == *who).for_each(|s| s.acknowledged = true);
        }
        Built::Delegates(set) => {
            for (who, add) in &set.changes {
                after.delegates.members.retain(|m| m != who);
                if *add {
                    after.delegates.members.push(who.clone());
                }
            }
        }
    }
}

fn publish(after: &mut SelfPresence, item: &PublishItem, endpoint: &str, now: Time) {
    after.publications.retain(|p| p.key != item.publication.key);
    if item.delete {
        return;
    }
    let mut p = item.publication.clone();
    p.version += 1;
    p.publish_time = Some(now);
    p.endpoint_id = (p.expiry == crate::domain::presence::Expiry::Endpoint).then(|| endpoint.to_owned());
    after.publications.push(p);
}

/// Applies the changes of one container, which is made if it is not there.
pub(super) fn change_members(containers: &mut Vec<Container>, change: &ContainerChange) {
    if change.id == DEFAULT_CONTAINER {
        return;
    }
    let at = containers.iter().position(|c| c.id == change.id).unwrap_or_else(|| {
        containers.push(Container { id: change.id, version: 0, members: Vec::new() });
        containers.len() - 1
    });
    let Some(c) = containers.get_mut(at) else { return };
    c.version = change.version + 1;
    for member in &change.changes {
        match member {
            MemberChange::Add(m) if !c.members.contains(m) => c.members.push(m.clone()),
            MemberChange::Add(_) => {}
            MemberChange::Remove(m) => c.members.retain(|k| k != m),
        }
    }
    containers.sort_by_key(|c| c.id);
}
