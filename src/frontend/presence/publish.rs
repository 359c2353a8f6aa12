//! SERVICE with a `publish` document (lync.md 6.1 and 6.2, `domain.md` 5.6).

use super::super::limits;
use super::own::{Item, Touched};
use super::{Ctx, Incoming, Presence, own_document};
use crate::domain::instances;
use crate::domain::presence::{Expiry, PublicationKey};
use crate::lync::publish::{Conflict, FAULT_TYPE, PublishRequest, VERSION_DIAGNOSTICS, VersionFault};
use crate::lync::roaming;
use crate::sip::Name;

/// Category names that are always registered (`domain.md` 5.5).
pub const CATEGORIES: [&str; 19] = [
    "state",
    "note",
    "noteHistory",
    "contactCard",
    "calendarData",
    "workingHours",
    "device",
    "services",
    "dndState",
    "legacyInterop",
    "routing",
    "rccOptions",
    "userProperties",
    "userInformation",
    "alerts",
    "otherOptions",
    "mwi",
    "contacts",
    "groups",
];

impl Presence {
    pub(super) fn publish(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let request = match PublishRequest::parse(&incoming.request.body) {
            Ok(request) => request,
            Err(error) => return ctx.refuse(incoming, 400, 2001, &error.to_string().replace('"', "'")),
        };
        if request.owner != incoming.caller {
            return ctx.refuse(incoming, 403, 2002, "Only the owner publishes");
        }
        if let Err((status, reason)) = allowed(ctx, &request) {
            return ctx.refuse(incoming, status, 2003, &reason);
        }
        let writer = writer(ctx, incoming);
        let conflicts = conflicts(ctx, &request, &writer);
        if !conflicts.is_empty() {
            return conflict(ctx, incoming, VersionFault { conflicts }, "Publication version out of date");
        }
        let mut touched = Touched::default();
        store(ctx, incoming, request, &writer, &mut touched);
        self.aggregate(ctx, &incoming.caller, &mut touched);
        if let Some(user) = ctx.state.users.get_mut(&incoming.caller) {
            super::arm(&mut self.expiries, &mut user.presence, &incoming.caller);
        }
        let body = own_document(ctx, &incoming.caller, &touched).unwrap_or_default();
        let response = ctx.response(&incoming.request, 200).with_body(roaming::CONTENT_TYPE, body);
        ctx.respond(incoming.tx, response);
        self.tell(ctx, &incoming.caller, touched, Some(incoming.from));
    }
}

/// What names a device over its sessions.
pub(super) fn writer(ctx: &Ctx<'_>, incoming: &Incoming) -> String {
    let named = ctx.registration(incoming.from).map(|r| if r.epid.is_empty() { r.instance.clone() } else { r.epid.clone() });
    named.unwrap_or_default()
}

fn allowed(ctx: &Ctx<'_>, request: &PublishRequest) -> Result<(), (u16, String)> {
    let no = |status: u16, reason: &str| Err((status, reason.to_owned()));
    let Some(user) = ctx.user(&request.owner) else { return no(404, "User does not exist") };
    if request.items.len() > limits::PUBLICATIONS_PER_REQUEST || user.presence.count() > limits::PUBLICATIONS {
        return no(413, "Too many publications");
    }
    for (at, item) in request.items.iter().enumerate() {
        let (p, key) = (&item.publication, &item.publication.key);
        let known = CATEGORIES.contains(&key.category.as_str()) || ctx.state.categories.contains(&key.category);
        if !known && !item.delete {
            let name: String = key.category.chars().filter(|c| c.is_ascii_graphic() && *c != '"').take(64).collect();
            return Err((400, format!("Category {name} is not registered with the server")));
        }
        if key.container > 32_767 {
            return no(400, "Containers are numbered from 0 to 32767");
        }
        if p.value.len() > limits::PUBLICATION_VALUE {
            return no(413, "Publication is too large");
        }
        if request.items.iter().take(at).any(|i| i.publication.key == *key) {
            return no(400, "A publication occurs twice");
        }
        if is_of_server(key) && !item.delete {
            return no(403, "The server publishes this itself");
        }
    }
    Ok(())
}

/// Keys only the server writes.
fn is_of_server(key: &PublicationKey) -> bool {
    match key.category.as_str() {
        "services" | "legacyInterop" | "dndState" | "mwi" | "contacts" | "groups" => true,
        "contactCard" => key.instance == 0,
        "state" => {
            [instances::BLOCKED_STATE, instances::AGGREGATE_STATE, instances::AGGREGATE_MACHINE_STATE].contains(&key.instance)
        }
        _ => false,
    }
}

/// Items whose version another device has moved on. The same device may always write again what it wrote, and who insists
/// after one refusal is let through: known clients repeat for ever (lync.md 6.2).
fn conflicts(ctx: &mut Ctx<'_>, request: &PublishRequest, writer: &str) -> Vec<Conflict> {
    let Some(user) = ctx.state.users.get_mut(&request.owner) else { return Vec::new() };
    let mut out = Vec::new();
    for (at, item) in request.items.iter().enumerate() {
        let version = item.publication.version;
        let Some(held) = user.presence.find_mut(&item.publication.key) else { continue };
        let current = held.publication.version;
        let own = held.writer.as_deref() == Some(writer);
        let insists = held.refused.as_ref().is_some_and(|r| r.0 == writer && r.1 == version);
        if version != current && !own && !insists && !held.server {
            held.refused = Some((writer.to_owned(), version));
            out.push(Conflict { index: at + 1, version, current });
        }
    }
    out
}

fn store(ctx: &mut Ctx<'_>, incoming: &Incoming, request: PublishRequest, writer: &str, touched: &mut Touched) {
    let endpoint = ctx.registration(incoming.from).map(|r| r.instance.to_lowercase()).filter(|i| !i.is_empty());
    let now = ctx.now;
    let Some(user) = ctx.state.users.get_mut(&request.owner) else { return };
    let named: Vec<PublicationKey> = request.items.iter().map(|i| i.publication.key.clone()).collect();
    for item in request.items {
        let mut p = item.publication;
        let over = matches!(p.expiry, Expiry::Time(0));
        if item.delete || over {
            if user.presence.find(&p.key).is_some_and(|i| !i.server) {
                user.presence.remove(&p.key, touched);
            }
            continue;
        }
        // One kind of status set by hand takes the place of the other (`domain.md` 5.3).
        if let Some(other) = other_user_state(&p.key).filter(|o| !named.contains(o)) {
            user.presence.remove(&other, touched);
        }
        p.endpoint_id = if p.expiry == Expiry::Endpoint { endpoint.clone() } else { None };
        let registration = (p.expiry == Expiry::Endpoint).then_some(incoming.from);
        let item = Item { writer: Some(writer.to_owned()), registration, ..Item::loaded(p) };
        user.presence.put(now, item, touched);
    }
}

fn other_user_state(key: &PublicationKey) -> Option<PublicationKey> {
    let instance = match key.instance {
        instances::USER_STATE => instances::TIMED_USER_STATE,
        instances::TIMED_USER_STATE => instances::USER_STATE,
        _ => return None,
    };
    (key.category == "state").then(|| PublicationKey { instance, ..key.clone() })
}

/// 409 with the versions that are true.
pub(super) fn conflict(ctx: &mut Ctx<'_>, incoming: &Incoming, fault: VersionFault, reason: &str) {
    let diagnostics = format!("{VERSION_DIAGNOSTICS};reason=\"{reason}\";source=\"{}\"", ctx.config.host);
    let response = ctx.response(&incoming.request, 409).with(Name::MsDiagnostics, diagnostics);
    ctx.respond(incoming.tx, response.with_body(FAULT_TYPE, fault.to_bytes()));
}
