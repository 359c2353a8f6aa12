//! Presence of others: one subscription for each person (RFC 3856; `simple.md` 4.1, 4.3).

use super::cannot;
use super::event::{Heard, Package, Stand, Subscription};
use crate::domain::presence::{Availability, Card, Freshness, Presence};
use crate::domain::watching::ViewId;
use crate::domain::{Address, Time};
use crate::endpoint::limits::{EVENT_PACE, MAX_CONTACTS};
use crate::endpoint::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::simple::pidf;
use crate::sip::multipart::is_type;
use crate::sip::{Method, Name, Request, ServerTx};
use std::collections::{BTreeMap, BTreeSet};

const PRESENCE: Package = Package { event: "presence", accept: pidf::CONTENT_TYPE };

#[derive(Debug)]
struct Target {
    views: BTreeMap<ViewId, u32>,
    subscription: Subscription,
    presence: Presence,
}

/// The service.
#[derive(Debug, Default)]
pub struct Watching {
    targets: BTreeMap<Address, Target>,
    /// The next first subscription may leave then.
    next_at: Time,
    waits: bool,
}

impl Watching {
    fn target(&mut self, uri: &Address) -> &mut Target {
        self.targets.entry(uri.clone()).or_insert_with(|| Target {
            views: BTreeMap::new(),
            subscription: Subscription::new(PRESENCE, uri),
            presence: Presence::default(),
        })
    }

    fn set_wanted(&mut self, ctx: &mut Ctx<'_>, wanted: &[Address]) {
        let wanted: BTreeSet<&Address> = wanted.iter().take(MAX_CONTACTS).collect();
        for uri in &wanted {
            self.target(uri).views.insert(ViewId::contacts(), 1);
        }
        for (_, t) in self.targets.iter_mut().filter(|(uri, _)| !wanted.contains(uri)) {
            t.views.remove(&ViewId::contacts());
        }
        self.drop_unused(ctx);
    }

    fn drop_unused(&mut self, ctx: &mut Ctx<'_>) {
        self.targets.retain(|_, t| {
            let used = !t.views.is_empty();
            if !used && ctx.online {
                t.subscription.unsubscribe(ctx);
            }
            used
        });
    }

    /// Asks for everybody who is due, first subscriptions one by one.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        self.waits = false;
        if !ctx.online {
            return;
        }
        let mut heard = Vec::new();
        for (uri, t) in &mut self.targets {
            if !t.subscription.is_due(ctx.now) {
                continue;
            }
            let first = matches!(t.subscription.stand(), Stand::Idle(_) | Stand::Refused(_));
            if first && self.next_at > ctx.now {
                self.waits = true;
                continue;
            }
            if first {
                self.next_at = ctx.now + EVENT_PACE;
            }
            heard.push((uri.clone(), t.subscription.on_timeout(ctx)));
        }
        for (uri, heard) in heard {
            self.hear(ctx, &uri, heard);
        }
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, uri: &Address, heard: Heard) {
        let Some(t) = self.targets.get_mut(uri) else { return };
        let mut next = match heard {
            Heard::Nothing => return,
            Heard::Document(_, body) if body.is_empty() => nothing_published(ctx.now),
            Heard::Document(media, body) if is_type(&media, pidf::CONTENT_TYPE) => match pidf::read(&body, ctx.now) {
                Ok(presence) => presence,
                Err(_) => return,
            },
            Heard::Document(..) => return,
            Heard::Refused(_) => Presence::default(),
            Heard::Lost if matches!(t.subscription.stand(), Stand::Pending) => Presence::default(),
            Heard::Lost => match t.presence.freshness {
                Freshness::Known { .. } => Presence { freshness: Freshness::Stale { since: ctx.now }, ..t.presence.clone() },
                _ => return,
            },
        };
        // A document of somebody who is away carries no name; they are still who they were.
        if next.card == Card::default() {
            next.card.clone_from(&t.presence.card);
        }
        if differs(&t.presence, &next) {
            t.presence = next;
            ctx.emit(Event::Presence { uri: uri.clone(), presence: Box::new(t.presence.clone()) });
        }
    }

    fn watch(&mut self, view: &ViewId, uris: &[Address]) -> Result<Outcome, Error> {
        if self.targets.len() + uris.len() > MAX_CONTACTS {
            return Err(Error::new(ErrorKind::InvalidOperation, "Too many people are watched."));
        }
        for uri in uris {
            *self.target(uri).views.entry(view.clone()).or_default() += 1;
        }
        Ok(Outcome::Done)
    }

    fn unwatch(&mut self, ctx: &mut Ctx<'_>, view: &ViewId, uris: &[Address]) -> Result<Outcome, Error> {
        for uri in uris {
            let Some(t) = self.targets.get_mut(uri) else { continue };
            if let Some(count) = t.views.get_mut(view) {
                *count = count.saturating_sub(1);
            }
            t.views.retain(|_, count| *count > 0);
        }
        self.drop_unused(ctx);
        Ok(Outcome::Done)
    }

    fn close_view(&mut self, ctx: &mut Ctx<'_>, view: &ViewId) -> Result<Outcome, Error> {
        self.targets.values_mut().for_each(|t| _ = t.views.remove(view));
        self.drop_unused(ctx);
        Ok(Outcome::Done)
    }

    /// Of those who are watched what is known; a single question to others is not asked on this wire.
    fn known(&self, uris: &[Address]) -> Result<Outcome, Error> {
        let known = |uri: &Address| self.targets.get(uri).map(|t| (uri.clone(), t.presence.clone()));
        let found: Vec<_> = uris.iter().filter_map(known).collect();
        if found.is_empty() && !uris.is_empty() {
            Err(cannot("single questions for presence; add the person first"))
        } else {
            Ok(Outcome::Presence(found))
        }
    }
}

/// Active without a document: nothing is published, which is what somebody who is away looks like.
fn nothing_published(now: Time) -> Presence {
    Presence { availability: Some(Availability::OFFLINE), freshness: Freshness::Known { at: now }, ..Presence::default() }
}

/// Whether somebody looking would see a difference; that the same was said again later is none.
fn differs(old: &Presence, new: &Presence) -> bool {
    let both_known = matches!((old.freshness, new.freshness), (Freshness::Known { .. }, Freshness::Known { .. }));
    let freshness = if both_known { old.freshness } else { new.freshness };
    *old != Presence { freshness, ..new.clone() }
}

impl Service for Watching {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        let result = match operation {
            // Everybody is told every change here; a view that would ask now and then loses nothing by it.
            Operation::OpenView { .. } => Ok(Outcome::Done),
            Operation::CloseView { view } => self.close_view(ctx, view),
            Operation::Watch { view, uris } => self.watch(view, uris),
            Operation::Unwatch { view, uris } => self.unwatch(ctx, view, uris),
            Operation::QueryPresence { uris, .. } => self.known(uris),
            _ => return false,
        };
        ctx.complete(id, result);
        self.pump(ctx);
        true
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        if let InternalEvent::Wanted(wanted) = event {
            self.set_wanted(ctx, wanted);
            self.pump(ctx);
        }
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        let presence = request.headers.get(&Name::Event).is_some_and(|e| is_type(e, PRESENCE.event));
        if request.method != Method::Notify || !presence {
            return Handled::No(request);
        }
        let Some((uri, t)) = self.targets.iter_mut().find(|(_, t)| t.subscription.owns(&request)) else {
            if let Some(tx) = tx {
                ctx.respond(tx, request.response(481, ""));
            }
            return Handled::Yes;
        };
        let uri = uri.clone();
        let heard = t.subscription.on_notify(ctx, tx, &request);
        self.hear(ctx, &uri, heard);
        Handled::Yes
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        let found =
            self.targets.iter_mut().find_map(|(uri, t)| Some((uri.clone(), t.subscription.on_reply(ctx, token, &reply)?)));
        if let Some((uri, heard)) = found {
            self.hear(ctx, &uri, heard);
        }
        self.pump(ctx);
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.pump(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        let all: Vec<Address> = self.targets.keys().cloned().collect();
        for uri in all {
            if let Some(t) = self.targets.get_mut(&uri) {
                t.subscription.reset();
            }
            self.hear(ctx, &uri, Heard::Lost);
        }
        self.waits = false;
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.targets.values_mut().for_each(|t| t.subscription.unsubscribe(ctx));
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.pump(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let due = self.targets.values().filter_map(|t| t.subscription.poll_timeout());
        due.map(|t| if self.waits { t.max(self.next_at) } else { t }).min()
    }
}
