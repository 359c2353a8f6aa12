//! Who may see what: members of containers, and watchers one has heard of (lync.md 7).

use super::super::limits;
use super::publish::{conflict, writer};
use super::{Ctx, Document, Incoming, Presence, StoreOp};
use crate::domain::Address;
use crate::domain::access;
use crate::domain::presence::{Container, Delegates, Subscriber};
use crate::lync::containers::{MemberChange, SetContainerMembers, SetSubscribers};
use crate::lync::delegates::{self, SetDelegates};
use crate::lync::publish::{Conflict, FAULT_TYPE, VersionFault};
use crate::lync::roaming::{self, RoamingData};
use crate::sip::Name;

impl Presence {
    pub(super) fn set_members(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let request = match SetContainerMembers::parse(&incoming.request.body) {
            Ok(request) => request,
            Err(error) => return ctx.refuse(incoming, 400, 2004, &error.to_string().replace('"', "'")),
        };
        if request.containers.iter().any(|c| !access::may_change(c.id)) {
            return ctx.refuse(incoming, 403, 2005, "The members of this container are fixed");
        }
        let (owner, writer) = (&incoming.caller, writer(ctx, incoming));
        let Some(user) = ctx.state.users.get_mut(owner) else { return ctx.respond_status(incoming, 404) };
        let own = &mut user.presence;
        let conflicts = conflicts(own, &request, &writer);
        if !conflicts.is_empty() {
            return conflict(ctx, incoming, VersionFault { conflicts }, "Container version out of date");
        }
        let added: usize = request.containers.iter().map(|c| c.changes.len()).sum();
        let most = own.containers.iter().map(|c| c.members.len()).max().unwrap_or(0);
        if own.containers.len() + request.containers.len() > limits::CONTAINERS || most + added > limits::MEMBERS {
            return ctx.refuse(incoming, 413, 2006, "Too many containers or members");
        }
        let mut touched: Vec<Container> = Vec::new();
        for change in &request.containers {
            touched.extend(apply(&mut own.containers, change.id, &change.changes));
            own.container_writers.retain(|w| w.0 != change.id);
            own.container_writers.push((change.id, writer.clone()));
        }
        own.containers.sort_by_key(|c| c.id);
        ctx.respond_status(incoming, 200);
        if touched.is_empty() {
            return;
        }
        for container in &touched {
            ctx.store(StoreOp::PutContainer { owner: owner.clone(), container: container.clone() });
        }
        let data = RoamingData { containers: Some(touched), ..RoamingData::default() };
        self.own.notify(ctx, owner, None, Document::new(roaming::CONTENT_TYPE, &data.to_bytes()));
        self.watched.levels_changed(ctx, owner);
    }

    pub(super) fn set_subscribers(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let request = match SetSubscribers::parse(&incoming.request.body) {
            Ok(request) => request,
            Err(error) => return ctx.refuse(incoming, 400, 2007, &error.to_string().replace('"', "'")),
        };
        let owner = &incoming.caller;
        let Some(user) = ctx.state.users.get_mut(owner) else { return ctx.respond_status(incoming, 404) };
        let mut changed: Vec<Subscriber> = Vec::new();
        for (who, acknowledged) in request.entries {
            if let Some(s) = user.presence.subscribers.iter_mut().find(|s| s.uri == who && s.acknowledged != acknowledged) {
                s.acknowledged = acknowledged;
                changed.push(s.clone());
            }
        }
        ctx.respond_status(incoming, 200);
        self.tell_subscribers(ctx, owner, changed);
    }

    pub(super) fn set_delegates(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let request = match SetDelegates::parse(&incoming.request.body) {
            Ok(request) => request,
            Err(error) => return ctx.refuse(incoming, 400, 2008, &error.to_string().replace('"', "'")),
        };
        let owner = &incoming.caller;
        if request.changes.iter().any(|(who, _)| who == owner) {
            return ctx.refuse(incoming, 403, 2009, "Nobody is their own delegate");
        }
        let Some(user) = ctx.state.users.get_mut(owner) else { return ctx.respond_status(incoming, 404) };
        let held = &mut user.presence.delegates;
        if request.version != held.version {
            let conflict = Conflict { index: 1, version: request.version, current: held.version };
            return refuse_version(ctx, incoming, conflict);
        }
        let mut members = held.members.clone();
        for (who, add) in request.changes {
            members.retain(|m| *m != who);
            if add {
                members.push(who);
            }
        }
        if members.len() > limits::DELEGATES {
            return ctx.refuse(incoming, 413, 2010, "Too many delegates");
        }
        let changed = members != held.members;
        if changed {
            *held = Delegates { version: held.version.saturating_add(1), members };
        }
        let delegates = held.clone();
        ctx.respond_status(incoming, 200);
        if changed {
            ctx.store(StoreOp::PutDelegates { owner: owner.clone(), delegates: delegates.clone() });
            let data = RoamingData { delegates: Some(delegates), ..RoamingData::default() };
            self.own.notify(ctx, owner, None, Document::new(roaming::CONTENT_TYPE, &data.to_bytes()));
        }
    }

    fn tell_subscribers(&mut self, ctx: &mut Ctx<'_>, owner: &Address, changed: Vec<Subscriber>) {
        announce(ctx, &mut self.own, owner, changed);
    }
}

fn refuse_version(ctx: &mut Ctx<'_>, incoming: &Incoming, conflict: Conflict) {
    let diagnostics =
        format!("{};reason=\"Delegate version is out of date\";source=\"{}\"", delegates::VERSION_DIAGNOSTICS, ctx.config.host);
    let response = ctx.response(&incoming.request, 409).with(Name::MsDiagnostics, diagnostics);
    let fault = VersionFault { conflicts: vec![conflict] };
    ctx.respond(incoming.tx, response.with_body(FAULT_TYPE, fault.to_bytes()));
}

/// Keeps changed watchers and tells the owner's endpoints of them.
pub(super) fn announce(ctx: &mut Ctx<'_>, own: &mut super::Dialogs, owner: &Address, changed: Vec<Subscriber>) {
    if changed.is_empty() {
        return;
    }
    for subscriber in &changed {
        ctx.store(StoreOp::PutSubscriber { owner: owner.clone(), subscriber: subscriber.clone() });
    }
    let data = RoamingData { owner: Some(owner.clone()), subscribers: Some(changed), ..RoamingData::default() };
    own.notify(ctx, owner, None, Document::new(roaming::CONTENT_TYPE, &data.to_bytes()));
}

fn conflicts(own: &super::own::OwnPresence, request: &SetContainerMembers, writer: &str) -> Vec<Conflict> {
    let version = |id: u32| own.containers.iter().find(|c| c.id == id).map_or(0, |c| c.version);
    let is_own = |id: u32| own.container_writers.iter().any(|w| w.0 == id && w.1 == writer);
    let wrong = request.containers.iter().enumerate().filter(|(_, c)| c.version != version(c.id) && !is_own(c.id));
    wrong.map(|(at, c)| Conflict { index: at + 1, version: c.version, current: version(c.id) }).collect()
}

/// Applies changes to one container; gives it back when it changed. Taking out who is not in does nothing.
fn apply(containers: &mut Vec<Container>, id: u32, changes: &[MemberChange]) -> Option<Container> {
    let at = match containers.iter().position(|c| c.id == id) {
        Some(at) => at,
        None => {
            containers.push(Container { id, version: 0, members: Vec::new() });
            containers.len() - 1
        }
    };
    let container = containers.get_mut(at)?;
    let before = container.members.clone();
    for change in changes {
        match change {
            MemberChange::Add(m) if container.members.contains(m) => {}
            MemberChange::Add(m) => container.members.push(m.clone()),
            MemberChange::Remove(m) => container.members.retain(|k| k != m),
        }
    }
    if container.members == before {
        return None;
    }
    container.version += 1;
    Some(container.clone())
}
