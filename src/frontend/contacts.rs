//! The contact store: roaming contacts and the SOAP writes (lync.md 4.1 and 5, `domain.md` 6).

mod rules;

use super::dialog::{self, Dialog, Dialogs, Document};
use super::{Ctx, Incoming, Module, Registration, RegistrationId, Reply, StoreOp, Token};
use crate::domain::contact::ContactError;
use crate::domain::{Address, Time};
use crate::lync::contacts::{CONTENT_TYPE, ContactDelta, ContactList};
use crate::lync::soap::{self, ContactRequest, SoapFault};
use crate::sip::{Method, Name};
use std::collections::{HashMap, VecDeque};

/// Changes whose author is remembered, per owner.
const REMEMBERED: usize = 128;

/// The contact lists of everybody.
#[derive(Debug, Default)]
pub struct Contacts {
    dialogs: Dialogs,
    /// Which endpoint made which number of the list.
    authors: HashMap<Address, VecDeque<(u32, RegistrationId)>>,
}

impl Module for Contacts {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        let to_self = incoming.request.headers.to().and_then(|t| t.uri.address()).as_ref() == Some(&incoming.caller);
        match incoming.request.method {
            _ if !to_self => ctx.respond_status(&incoming, 403),
            Method::Subscribe => self.subscribe(ctx, &incoming),
            Method::Service => self.write(ctx, &incoming),
            _ => ctx.respond_status(&incoming, 501),
        }
    }

    fn on_reply(&mut self, _ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        self.dialogs.on_reply(token, &reply);
    }

    fn on_registration_lost(&mut self, ctx: &mut Ctx<'_>, registration: &Registration) {
        self.dialogs.end_registration(registration.id, &registration.user);
        if ctx.state.registrations.count(&registration.user) == 0 {
            self.authors.remove(&registration.user);
        }
    }

    fn on_user_removed(&mut self, _ctx: &mut Ctx<'_>, user: &Address) {
        self.authors.remove(user);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.dialogs.expire(ctx.now);
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.dialogs.next()
    }
}

impl Contacts {
    fn subscribe(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let expires = dialog::granted(ctx, &incoming.request);
        let known = self.dialogs.knows(&Dialog::key(incoming.from, &incoming.request));
        if !known && self.dialogs.count(&incoming.caller, incoming.from) >= super::limits::SUBSCRIPTIONS_PER_ENDPOINT {
            return ctx.respond_status(incoming, 403);
        }
        if known && expires == 0 {
            return self.dialogs.subscribe(ctx, incoming, 0, Document::NONE);
        }
        let Some(user) = ctx.state.users.get(&incoming.caller) else { return ctx.respond_status(incoming, 404) };
        let list = ContactList {
            delta: user.contacts.delta,
            groups: user.contacts.groups.clone(),
            contacts: user.contacts.contacts.clone(),
            ucs_mode: None,
        };
        self.dialogs.subscribe(ctx, incoming, expires, Document::new(CONTENT_TYPE, &list.to_bytes()));
    }

    fn write(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let request = match ContactRequest::parse(&incoming.request.body) {
            Ok(request) => request,
            Err(error) => return ctx.refuse(incoming, 400, 2000, &error.to_string().replace('"', "'")),
        };
        let owner = &incoming.caller;
        let Some(user) = ctx.state.users.get_mut(owner) else { return ctx.respond_status(incoming, 404) };
        let before = user.contacts.delta;
        if self.is_stale(owner, incoming.from, request.delta, before) {
            return fail(ctx, incoming, ContactError::StaleDelta);
        }
        let done = match rules::apply(&mut user.contacts, owner, &ctx.config.lists, request.write) {
            Ok(done) => done,
            Err(error) => return fail(ctx, incoming, error),
        };
        let (list, after) = (user.contacts.clone(), user.contacts.delta);
        let mut response = ctx.response(&incoming.request, 200);
        if let Some(id) = done.new_group {
            response = response.with_body(soap::CONTENT_TYPE, soap::add_group_answer(id));
        }
        ctx.respond(incoming.tx, response);
        if after == before {
            return;
        }
        ctx.store(StoreOp::PutContacts { owner: owner.clone(), list });
        self.remember(owner, before, after, incoming.from);
        // Deleting a group goes out in two steps, each with a number of its own.
        for (delta, changes) in (before + 1..).zip(done.steps) {
            let body = ContactDelta { delta, previous: Some(delta - 1), changes }.to_bytes();
            self.dialogs.notify(ctx, owner, None, Document::new(CONTENT_TYPE, &body));
        }
    }

    /// Whether the author has not seen a change that another endpoint made. A number ahead of ours is forgiven (a client
    /// that counts writes we have refused), one behind only while all later changes are the author's own.
    fn is_stale(&self, owner: &Address, from: RegistrationId, claimed: u32, current: u32) -> bool {
        if claimed >= current {
            return false;
        }
        let own = |delta: u32| self.authors.get(owner).is_some_and(|a| a.iter().any(|e| *e == (delta, from)));
        current - claimed > REMEMBERED as u32 || !(claimed + 1..=current).all(own)
    }

    fn remember(&mut self, owner: &Address, before: u32, after: u32, from: RegistrationId) {
        let authors = self.authors.entry(owner.clone()).or_default();
        authors.extend((before + 1..=after).map(|delta| (delta, from)));
        let surplus = authors.len().saturating_sub(REMEMBERED);
        authors.drain(..surplus);
    }
}

/// The answer to a refused write (lync.md 5.4).
fn fail(ctx: &mut Ctx<'_>, incoming: &Incoming, error: ContactError) {
    let (status, number, code) = soap::refusal(error);
    let body = SoapFault { code: code.into(), text: error.to_string() }.to_bytes();
    let diagnostics = format!("{number};reason=\"{error}\";source=\"{}\"", ctx.config.host);
    let response = ctx.response(&incoming.request, status).with(Name::MsDiagnostics, diagnostics);
    ctx.respond(incoming.tx, response.with_body(soap::CONTENT_TYPE, body));
}

#[cfg(test)]
mod tests;
