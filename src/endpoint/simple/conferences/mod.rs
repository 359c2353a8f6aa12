//! Conferences with a focus (RFC 4579, RFC 4575; `simple.md` 5): joining by address, the roster, words between its people,
//! bringing somebody in and taking them out, new conferences by a factory.
//!
//! Contract: the service of [`Service`]. Each conference one is in, or is asked into, is one `Meeting`; whatever happens to it
//! ends with `settle`, which says how it looks if that changed, then ends the operations that are done.

mod failure;
mod inbound;
mod join;
mod media;
mod meeting;
mod operate;
mod refer;
mod room;
mod roster;
mod stay;
#[cfg(test)]
mod tests;
mod words;

pub use operate::parse_conference;

use crate::domain::conversation::ConversationId;
use crate::domain::{Address, Time};
use crate::endpoint::beside::{PipeId, PipeNews};
use crate::endpoint::config::Config;
use crate::endpoint::event::Feature;
use crate::endpoint::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId};
use crate::sip::{Dialog, Method, Request, Response, ServerTx, Uri};
use meeting::Meeting;
use std::collections::{BTreeMap, BTreeSet};

/// Why no conference can be made here.
const NO_FACTORY: &str = "No place that makes meetings is named for this account (conference_factory in the configuration). \
                          A meeting of others is joined by its address: /join.";
/// The place that was named makes none.
const BAD_FACTORY: &str = "The place named in conference_factory makes no meetings. Ask the administrator for its address.";
/// What a focus of this dialect cannot be told.
const NO_CONTROLS: &str = "Standard meetings know no lobby, no passcode, no access level and no muting by others, and roles are given by \
                           the server alone. /eject and /end are asked of the server, which decides.";

/// The service.
#[derive(Debug)]
pub struct Conferences {
    meetings: BTreeMap<ConversationId, Meeting>,
    /// INVITEs that were given up; one that is answered all the same is ended.
    abandoned: BTreeMap<Token, Request>,
    factory: Option<Uri>,
    /// People on the list: they may ask us into conferences.
    contacts: BTreeSet<Address>,
}

impl Conferences {
    /// No conferences yet.
    pub fn new(config: &Config) -> Conferences {
        Conferences {
            meetings: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            factory: config.conference_factory.as_deref().and_then(Uri::parse),
            contacts: BTreeSet::new(),
        }
    }

    /// Does something with one of them, and says how it looks afterwards.
    fn with<R>(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, f: impl FnOnce(&mut Meeting, &mut Ctx<'_>) -> R) -> Option<R> {
        let meeting = self.meetings.get_mut(id)?;
        let result = f(meeting, ctx);
        self.settle(ctx, id);
        Some(result)
    }

    fn settle(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId) {
        let Some(meeting) = self.meetings.get_mut(id) else { return };
        if meeting.settle(ctx) {
            self.abandoned.extend(meeting.abandoned.take());
            self.meetings.remove(id);
        }
    }

    /// The one that something belongs to.
    fn find(&self, of: impl Fn(&Meeting) -> bool) -> Option<ConversationId> {
        self.meetings.values().find(|m| of(m)).map(|m| m.id.clone())
    }

    fn ids(&self) -> Vec<ConversationId> {
        self.meetings.keys().cloned().collect()
    }

    /// An INVITE that was given up has got an answer.
    fn too_late(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) {
        let Reply::Response(response) = reply else {
            self.abandoned.remove(&token);
            return;
        };
        let Some(invite) = self.abandoned.get(&token) else { return };
        if response.is_success() {
            part(ctx, invite, response);
        }
        if response.is_final() && !response.is_success() {
            self.abandoned.remove(&token);
        }
    }
}

/// Takes a call that nobody wants any more, and ends it.
fn part(ctx: &mut Ctx<'_>, invite: &Request, response: &Response) {
    let Some(mut dialog) = Dialog::uac(invite, response) else { return };
    join::acknowledge(ctx, &mut dialog, response);
    let bye = meeting::in_dialog(ctx, &mut dialog, Method::Bye);
    ctx.send(bye);
}

impl Service for Conferences {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        self.operate(ctx, id, operation)
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        self.receive(ctx, tx, request)
    }

    fn on_cancel(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, _cancel: &Request) {
        if let Some(id) = self.find(|m| m.rings(tx)) {
            self.with(ctx, &id, |m, ctx| m.withdrawn(ctx));
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if self.abandoned.contains_key(&token) {
            return self.too_late(ctx, token, &reply);
        }
        for id in self.ids() {
            if self.with(ctx, &id, |m, ctx| m.replied(ctx, token, &reply)) == Some(true) {
                return;
            }
        }
    }

    fn on_pipe(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, news: PipeNews) {
        if let Some(id) = self.find(|m| m.room.as_ref().is_some_and(|r| r.has(pipe))) {
            self.with(ctx, &id, |m, ctx| m.on_pipe(ctx, news));
        }
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::Wanted(people) => self.contacts = people.iter().cloned().collect(),
            InternalEvent::Widen { op, conversation, subject, people } => {
                self.widen(ctx, *op, conversation, subject, people.clone());
            }
            _ => {}
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        let why = self.factory.is_none().then(|| NO_FACTORY.to_owned());
        ctx.emit(Event::Missing { what: Feature::GroupChats, why });
        ctx.emit(Event::Missing { what: Feature::MeetingControls, why: Some(NO_CONTROLS.into()) });
        for id in self.ids() {
            self.with(ctx, &id, |m, ctx| m.rejoin(ctx));
        }
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.abandoned.clear();
        for id in self.ids() {
            self.with(ctx, &id, |m, ctx| m.link_lost(ctx));
        }
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        for id in self.ids() {
            self.with(ctx, &id, |m, ctx| m.leave(ctx, None));
        }
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        let due: Vec<_> =
            self.meetings.values().filter(|m| m.deadline().is_some_and(|t| t <= ctx.now)).map(|m| m.id.clone()).collect();
        for id in due {
            self.with(ctx, &id, |m, ctx| m.on_time(ctx));
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.meetings.values().filter_map(Meeting::deadline).min()
    }
}

/// What this wire cannot say in a conference.
fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("Standard meetings cannot {what}; the server alone decides that."))
}
