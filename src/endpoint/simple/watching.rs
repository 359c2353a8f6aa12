//! Presence of others: one subscription for each person (RFC 3856; `simple.md` 4.1, 4.3).

mod list;

use super::event::{Heard, Package, Stand, Subscription};
use crate::domain::presence::{Availability, Card, Freshness, Presence};
use crate::domain::watching::{Standing, ViewId};
use crate::domain::{Address, Time};
use crate::endpoint::limits::{EVENT_PACE, MAX_CONTACTS, QUERY_WAIT};
use crate::endpoint::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use crate::endpoint::{Error, ErrorKind, Event, Feature, Operation, OperationId, Outcome};
use crate::simple::pidf;
use crate::sip::multipart::is_type;
use crate::sip::{Method, Name, Request, ServerTx};
use list::{List, Said, Told};
use std::collections::{BTreeMap, BTreeSet};

const PRESENCE: Package = Package { event: "presence", accept: pidf::CONTENT_TYPE, list: false };

#[derive(Debug)]
struct Target {
    views: BTreeMap<ViewId, u32>,
    subscription: Subscription,
    presence: Presence,
    standing: Standing,
}

/// The service.
#[derive(Debug, Default)]
pub struct Watching {
    targets: BTreeMap<Address, Target>,
    /// The next first subscription may leave then.
    next_at: Time,
    waits: bool,
    /// The contacts as one subscription.
    list: Option<List>,
    /// This server has no lists for us, on this registration.
    singly: bool,
    /// Questions asked once, each a view that is closed with the answer.
    queries: Vec<Query>,
}

/// A question for the presence of people, asked once (`domain.md` 5.10).
#[derive(Debug)]
struct Query {
    id: OperationId,
    uris: Vec<Address>,
    view: ViewId,
    /// Who has not answered until then is not waited for.
    until: Time,
}

impl Watching {
    fn target(&mut self, uri: &Address) -> &mut Target {
        self.targets.entry(uri.clone()).or_insert_with(|| Target {
            views: BTreeMap::new(),
            subscription: Subscription::new(PRESENCE, uri),
            presence: Presence::default(),
            standing: Standing::Told,
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

    /// Whether the list tells of somebody.
    fn is_listed(&self, uri: &Address) -> bool {
        self.list.as_ref().is_some_and(|l| l.covers(uri))
    }

    /// The contacts can be had as one, or not.
    fn set_list(&mut self, ctx: &mut Ctx<'_>, service: Option<&Address>, members: &[Address]) {
        let members: BTreeSet<Address> = members.iter().take(MAX_CONTACTS).cloned().collect();
        match (service.filter(|_| !self.singly), &mut self.list) {
            (Some(service), Some(list)) if list.is(service) => list.set_members(ctx, members),
            (Some(service), list) => *list = Some(List::new(service.clone(), members)),
            (None, list) => {
                if let Some(mut list) = list.take().filter(|_| ctx.online) {
                    list.subscription.unsubscribe(ctx);
                }
            }
        }
        // Whom the list tells of needs no subscription more.
        let Some(list) = &self.list else { return };
        for (_, t) in self.targets.iter_mut().filter(|(uri, _)| list.covers(uri)) {
            if ctx.online && matches!(t.subscription.stand(), Stand::Asked | Stand::Pending | Stand::Active) {
                t.subscription.unsubscribe(ctx);
            }
            t.subscription.reset();
        }
    }

    fn told(&mut self, ctx: &mut Ctx<'_>, told: Told) {
        match told {
            Told::People(people) => {
                for (uri, said) in people {
                    self.said(ctx, &uri, &said);
                }
            }
            Told::Lost => {
                let listed: Vec<Address> = self.targets.keys().filter(|u| self.is_listed(u)).cloned().collect();
                listed.iter().for_each(|uri| self.stale(ctx, uri));
            }
            Told::Unsupported => {
                (self.list, self.singly) = (None, true);
                let why = "This server does not tell of all contacts at once; each is asked for on its own.";
                ctx.emit(Event::Missing { what: Feature::PresenceLists, why: Some(why.into()) });
                self.pump(ctx);
            }
        }
    }

    fn said(&mut self, ctx: &mut Ctx<'_>, uri: &Address, said: &Said) {
        match said {
            Said::Documents(all) => {
                if let Ok(presence) = pidf::read_all(all, ctx.now) {
                    self.show(ctx, uri, presence);
                }
                self.stand(ctx, uri, Standing::Told);
            }
            Said::Silent => {
                self.show(ctx, uri, nothing_published(ctx.now));
                self.stand(ctx, uri, Standing::Told);
            }
            Said::Pending => {
                self.show(ctx, uri, Presence::default());
                self.stand(ctx, uri, failed(PENDING));
            }
            Said::Refused => {
                self.show(ctx, uri, Presence::default());
                self.stand(ctx, uri, failed(REFUSED));
            }
        }
    }

    fn stand(&mut self, ctx: &mut Ctx<'_>, uri: &Address, standing: Standing) {
        let Some(t) = self.targets.get_mut(uri).filter(|t| t.standing != standing) else { return };
        t.standing = standing.clone();
        ctx.emit(Event::Watching { uri: uri.clone(), standing });
    }

    fn stale(&mut self, ctx: &mut Ctx<'_>, uri: &Address) {
        let Some(t) = self.targets.get(uri) else { return };
        if let Freshness::Known { .. } = t.presence.freshness {
            let stale = Presence { freshness: Freshness::Stale { since: ctx.now }, ..t.presence.clone() };
            self.show(ctx, uri, stale);
        }
    }

    fn show(&mut self, ctx: &mut Ctx<'_>, uri: &Address, mut next: Presence) {
        let Some(t) = self.targets.get_mut(uri) else { return };
        // A document of somebody who is away carries no name; they are still who they were.
        if next.card == Card::default() {
            next.card.clone_from(&t.presence.card);
        }
        if differs(&t.presence, &next) {
            t.presence = next;
            ctx.emit(Event::Presence { uri: uri.clone(), presence: Box::new(t.presence.clone()) });
        }
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
        if let Some(list) = self.list.as_mut().filter(|l| l.poll_timeout().is_some_and(|t| t <= ctx.now)) {
            let told = list.on_timeout(ctx);
            self.told(ctx, told);
        }
        let mut heard = Vec::new();
        for (uri, t) in &mut self.targets {
            if self.list.as_ref().is_some_and(|l| l.covers(uri)) || !t.subscription.is_due(ctx.now) {
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
        let Some(t) = self.targets.get(uri) else { return };
        let pending = matches!(t.subscription.stand(), Stand::Pending);
        match heard {
            Heard::Nothing => {}
            Heard::Document(_, body) if body.is_empty() => self.said(ctx, uri, &Said::Silent),
            Heard::Document(media, body) if is_type(&media, pidf::CONTENT_TYPE) => {
                self.said(ctx, uri, &Said::Documents(vec![body]));
            }
            Heard::Document(..) => {}
            Heard::Refused(404 | 604) => {
                self.show(ctx, uri, Presence::default());
                self.stand(ctx, uri, failed("The server knows nobody of this address."));
            }
            Heard::Refused(405 | 489 | 501) => {
                self.show(ctx, uri, Presence::default());
                self.stand(ctx, uri, failed("Their server tells no presence."));
            }
            Heard::Refused(_) => self.said(ctx, uri, &Said::Refused),
            Heard::Lost if pending => self.said(ctx, uri, &Said::Pending),
            Heard::Lost => self.stale(ctx, uri),
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

    /// Asks once: a short subscription to whoever is not watched already, as some servers refuse one without any length.
    fn query(&mut self, ctx: &mut Ctx<'_>, id: OperationId, uris: &[Address]) -> Result<(), Error> {
        let view = ViewId(format!("query {}", id.0));
        self.watch(&view, uris)?;
        self.queries.push(Query { id, uris: uris.to_vec(), view, until: ctx.now + QUERY_WAIT });
        Ok(())
    }

    /// Ends the questions that are answered, or have waited long enough.
    fn answer_queries(&mut self, ctx: &mut Ctx<'_>) {
        let is_told = |uri: &Address| {
            let told = |t: &Target| matches!(t.presence.freshness, Freshness::Known { .. }) || t.standing != Standing::Told;
            self.targets.get(uri).is_none_or(told)
        };
        let (done, open) = std::mem::take(&mut self.queries)
            .into_iter()
            .partition(|q: &Query| q.until <= ctx.now || !ctx.online || q.uris.iter().all(is_told));
        self.queries = open;
        for query in done {
            let result = self.found(&query.uris, ctx.online);
            self.targets.values_mut().for_each(|t| _ = t.views.remove(&query.view));
            self.drop_unused(ctx);
            ctx.complete(query.id, result);
        }
    }

    /// What is known of these people; a reason when that is nothing at all.
    fn found(&self, uris: &[Address], online: bool) -> Result<Outcome, Error> {
        let targets = || uris.iter().filter_map(|uri| Some((uri, self.targets.get(uri)?)));
        let known = |t: &Target| !matches!(t.presence.freshness, Freshness::Unknown);
        let found: Vec<_> = targets().filter(|(_, t)| known(t)).map(|(uri, t)| (uri.clone(), t.presence.clone())).collect();
        let reason = targets().find_map(|(_, t)| match &t.standing {
            Standing::Failed { reason } => Some(reason.clone()),
            _ => None,
        });
        match reason {
            _ if !found.is_empty() || uris.is_empty() => Ok(Outcome::Presence(found)),
            Some(reason) => Err(Error::new(ErrorKind::PublishSubscribeFailed, reason)),
            None if online => Err(Error::new(ErrorKind::Timeout, "Nobody answered in time; their presence is not known.")),
            None => Err(Error::new(ErrorKind::Retryable, "You are not connected to the server just now.")),
        }
    }
}

const PENDING: &str = "They have not agreed yet that you see their presence.";
const REFUSED: &str = "They do not let you see their presence.";

fn failed(reason: &str) -> Standing {
    Standing::Failed { reason: reason.into() }
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
        if let Operation::QueryPresence { uris, .. } = operation {
            if let Err(e) = self.query(ctx, id, uris) {
                ctx.complete(id, Err(e));
            }
            self.pump(ctx);
            self.answer_queries(ctx);
            return true;
        }
        let result = match operation {
            // Everybody is told every change here; a view that would ask now and then loses nothing by it.
            Operation::OpenView { .. } => Ok(Outcome::Done),
            Operation::CloseView { view } => self.close_view(ctx, view),
            Operation::Watch { view, uris } => self.watch(view, uris),
            Operation::Unwatch { view, uris } => self.unwatch(ctx, view, uris),
            _ => return false,
        };
        ctx.complete(id, result);
        self.pump(ctx);
        true
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::Wanted(wanted) => self.set_wanted(ctx, wanted),
            InternalEvent::List { service, members } => self.set_list(ctx, service.as_ref(), members),
            _ => return,
        }
        self.pump(ctx);
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        let presence = request.headers.get(&Name::Event).is_some_and(|e| is_type(e, PRESENCE.event));
        if request.method != Method::Notify || !presence {
            return Handled::No(request);
        }
        if let Some(list) = self.list.as_mut().filter(|l| l.subscription.owns(&request)) {
            let heard = list.subscription.on_notify(ctx, tx, &request);
            let told = list.hear(ctx, heard);
            self.told(ctx, told);
            self.answer_queries(ctx);
            return Handled::Yes;
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
        self.answer_queries(ctx);
        Handled::Yes
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if let Some(list) = &mut self.list
            && let Some(heard) = list.subscription.on_reply(ctx, token, &reply)
        {
            let told = list.hear(ctx, heard);
            return self.told(ctx, told);
        }
        let found =
            self.targets.iter_mut().find_map(|(uri, t)| Some((uri.clone(), t.subscription.on_reply(ctx, token, &reply)?)));
        if let Some((uri, heard)) = found {
            self.hear(ctx, &uri, heard);
        }
        self.pump(ctx);
        self.answer_queries(ctx);
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.singly = false;
        self.pump(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        let all: Vec<Address> = self.targets.keys().cloned().collect();
        for uri in all {
            if let Some(t) = self.targets.get_mut(&uri) {
                t.subscription.reset();
            }
            self.stale(ctx, &uri);
        }
        self.waits = false;
        self.list.iter_mut().for_each(List::reset);
        self.answer_queries(ctx);
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.targets.values_mut().for_each(|t| t.subscription.unsubscribe(ctx));
        self.list.iter_mut().for_each(|l| l.subscription.unsubscribe(ctx));
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.pump(ctx);
        self.answer_queries(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let singly = self.targets.iter().filter(|(uri, _)| !self.is_listed(uri));
        let due = singly.filter_map(|(_, t)| t.subscription.poll_timeout());
        let due = due.map(|t| if self.waits { t.max(self.next_at) } else { t });
        let queries = self.queries.iter().map(|q| q.until);
        due.chain(self.list.as_ref().and_then(List::poll_timeout)).chain(queries).min()
    }
}
