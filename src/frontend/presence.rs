//! Presence: what users publish, who sees it, and everybody who is told (lync.md 4.2, 4.3, 6 to 8; `domain.md` 5).

pub mod own;
pub mod publish;
mod render;
mod sharing;
mod subscriptions;

use super::dialog::{self, Dialog, Dialogs, Document};
use super::{Ctx, Incoming, Module, Registration, RegistrationId, Reply, State, StoreOp, Token};
use crate::domain::presence::Publication;
use crate::domain::{Address, Time};
use crate::frontend::server::event_of;
use crate::frontend::timers::Timers;
use crate::lync::roaming::{self, CategoryEntry, RoamingData};
use crate::lync::{containers, delegates, identity, provisioning, publish as publishing};
use crate::sip::{Method, Name, Request};
use own::Touched;
use subscriptions::Subscriptions;

/// Publications, containers and subscriptions of everybody.
#[derive(Debug, Default)]
pub struct Presence {
    own: Dialogs,
    watched: Subscriptions,
    expiries: Timers<Address>,
}

impl Module for Presence {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        match incoming.request.method {
            Method::Subscribe => self.subscribe(ctx, incoming),
            Method::Service if !to_self(&incoming) => ctx.respond_status(&incoming, 403),
            Method::Service => match content_type(&incoming.request).as_str() {
                t if t == publishing::CONTENT_TYPE => self.publish(ctx, &incoming),
                t if t == containers::MEMBERS_TYPE => self.set_members(ctx, &incoming),
                t if t == containers::SUBSCRIBERS_TYPE => self.set_subscribers(ctx, &incoming),
                t if t == delegates::CONTENT_TYPE => self.set_delegates(ctx, &incoming),
                _ => ctx.respond_status(&incoming, 415),
            },
            _ => ctx.respond_status(&incoming, 501),
        }
    }

    fn on_reply(&mut self, _ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        self.own.on_reply(token, &reply);
        self.watched.on_reply(token, &reply);
    }

    fn on_registration_lost(&mut self, ctx: &mut Ctx<'_>, registration: &Registration) {
        self.own.end_registration(registration.id, &registration.user);
        self.watched.end_registration(registration.id);
        let last = ctx.state.registrations.count(&registration.user) == 0;
        let mut touched = Touched::default();
        if let Some(user) = ctx.state.users.get_mut(&registration.user) {
            user.presence.end_endpoint(registration.id, last, &mut touched);
        }
        self.settle(ctx, &registration.user, touched, None);
    }

    fn on_user_removed(&mut self, ctx: &mut Ctx<'_>, user: &Address) {
        self.watched.end_target(ctx, user);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.own.expire(ctx.now);
        self.watched.expire(ctx.now);
        while let Some(owner) = self.expiries.pop_due(ctx.now) {
            let mut touched = Touched::default();
            let now = ctx.now;
            let Some(user) = ctx.state.users.get_mut(&owner) else { continue };
            user.presence.expire(now, &mut touched);
            user.presence.armed = None;
            arm(&mut self.expiries, &mut user.presence, &owner);
            self.settle(ctx, &owner, touched, None);
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        [self.own.next(), self.watched.next(), self.expiries.next()].into_iter().flatten().min()
    }
}

impl Presence {
    /// An account was loaded or made: what the server says of it comes into being.
    pub fn loaded(&mut self, state: &mut State, address: &Address) {
        let Some(user) = state.users.get_mut(address) else { return };
        let mut touched = Touched::default();
        render::write_card(&mut user.presence, &user.record, Time::default(), &mut touched);
        render::run(&mut user.presence, address, Time::default(), &mut touched);
        arm(&mut self.expiries, &mut user.presence, address);
    }

    /// Name or card data of an account changed.
    pub fn record_changed(&mut self, ctx: &mut Ctx<'_>, address: &Address) {
        let mut touched = Touched::default();
        let now = ctx.now;
        if let Some(user) = ctx.state.users.get_mut(address) {
            render::write_card(&mut user.presence, &user.record, now, &mut touched);
        }
        self.settle(ctx, address, touched, None);
    }

    fn subscribe(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        match event_of(&incoming.request).as_str() {
            "presence" => self.watched.subscribe(ctx, &incoming, &mut self.own),
            _ if !to_self(&incoming) => ctx.respond_status(&incoming, 403),
            roaming::EVENT => self.subscribe_own(ctx, &incoming),
            provisioning::EVENT => provision(ctx, &incoming),
            _ => ctx.respond_status(&incoming, 489),
        }
    }

    fn subscribe_own(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let expires = dialog::granted(ctx, &incoming.request);
        let known = self.own.knows(&Dialog::key(incoming.from, &incoming.request));
        if known && expires == 0 {
            return self.own.subscribe(ctx, incoming, 0, Document::NONE);
        }
        if !known && self.own.count(&incoming.caller, incoming.from) >= super::limits::SUBSCRIPTIONS_PER_ENDPOINT {
            return ctx.respond_status(incoming, 403);
        }
        let Some(user) = ctx.state.users.get(&incoming.caller) else { return ctx.respond_status(incoming, 404) };
        let mut data = RoamingData::full(&incoming.caller, &user.presence.snapshot());
        let parts = roaming::parse_subscribe(&incoming.request.body);
        let asked = |name: &str| parts.iter().any(|p| p.eq_ignore_ascii_case(name));
        data.categories = data.categories.filter(|_| asked("categories"));
        data.containers = data.containers.filter(|_| asked("containers"));
        data.subscribers = data.subscribers.filter(|_| asked("subscribers"));
        data.delegates = data.delegates.filter(|_| asked("delegates"));
        self.own.subscribe(ctx, incoming, expires, Document::new(roaming::CONTENT_TYPE, &data.to_bytes()));
    }

    /// After a change of somebody's publications: aggregation, storing, and everybody is told. `publisher` has heard
    /// already.
    fn settle(&mut self, ctx: &mut Ctx<'_>, owner: &Address, mut touched: Touched, publisher: Option<RegistrationId>) {
        self.aggregate(ctx, owner, &mut touched);
        self.tell(ctx, owner, touched, publisher);
    }

    fn aggregate(&mut self, ctx: &mut Ctx<'_>, owner: &Address, touched: &mut Touched) {
        let now = ctx.now;
        if touched.sources
            && let Some(user) = ctx.state.users.get_mut(owner)
        {
            render::run(&mut user.presence, owner, now, touched);
        }
    }

    fn tell(&mut self, ctx: &mut Ctx<'_>, owner: &Address, touched: Touched, publisher: Option<RegistrationId>) {
        for op in touched.store_ops(owner) {
            ctx.store(op);
        }
        if touched.names.is_empty() {
            return;
        }
        if self.own.any(owner)
            && let Some(body) = own_document(ctx, owner, &touched)
        {
            self.own.notify(ctx, owner, publisher, Document::new(roaming::CONTENT_TYPE, &body));
        }
        self.watched.changed(ctx, owner, &touched.visible);
    }
}

/// Sees to it that the next timed publication ends in time.
fn arm(expiries: &mut Timers<Address>, own: &mut own::OwnPresence, owner: &Address) {
    if let Some(next) = own.next_expiry()
        && own.armed.is_none_or(|t| t > next)
    {
        own.armed = Some(next);
        expiries.arm(next, owner.clone());
    }
}

/// The complete state of the categories that were touched.
fn own_document(ctx: &Ctx<'_>, owner: &Address, touched: &Touched) -> Option<Vec<u8>> {
    let user = ctx.state.users.get(owner)?;
    let names: Vec<&str> = touched.names.iter().map(String::as_str).collect();
    let of: Vec<Publication> = user.presence.of_categories(&names).cloned().collect();
    let mut data = RoamingData::categories(owner, &names, &of);
    let left = |category: &str, container| of.iter().any(|p| p.key.category == category && p.key.container == container);
    let gone = |category: &str| !of.iter().any(|p| p.key.category == category);
    let empty = touched.places.iter().filter(|(category, container)| !left(category, *container) && !gone(category));
    let empty =
        empty.map(|(category, container)| CategoryEntry::EmptyContainer { category: category.clone(), container: *container });
    data.categories.get_or_insert_default().extend(empty);
    Some(data.to_bytes())
}

/// What this front end offers: the user's own focus factory.
fn provision(ctx: &mut Ctx<'_>, incoming: &Incoming) {
    let asked = provisioning::parse_request(&incoming.request.body).unwrap_or_default();
    let offer = provisioning::Provisioning {
        focus_factory: Some(identity::focus_factory(&incoming.caller)),
        privacy: ctx.config.privacy,
        ..provisioning::Provisioning::default()
    };
    let body = offer.to_bytes(&asked);
    let mut dialog = Dialog::new(ctx, incoming.from, &incoming.request, 0);
    dialog.accept(ctx, incoming.tx, &incoming.request, Document::new(provisioning::CONTENT_TYPE, &body));
}

/// Whether a request is about the sender itself.
fn to_self(incoming: &Incoming) -> bool {
    incoming.request.headers.to().and_then(|t| t.uri.address()).as_ref() == Some(&incoming.caller)
}

fn content_type(request: &Request) -> String {
    let t = request.headers.get(&Name::ContentType).unwrap_or("");
    t.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

#[cfg(test)]
mod leaks;
#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod tests;
