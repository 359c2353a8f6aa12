//! Presence of others: views of people, counted by reference, over one batch subscription at the own server and one more
//! for every other place (`lync.md` 8, `domain.md` 3.10, 5.10).
//!
//! People are asked for in batches, one request at a time in each dialog. Bots, people in polling views and people whose
//! server takes no more watchers are polled. A person who cannot be had leaves the view that wanted them.

mod branch;
#[cfg(test)]
mod machine_tests;
mod poll;
mod target;
#[cfg(test)]
mod tests;
mod views;

use super::limits::*;
use super::roaming::{Document, Heard, State};
use super::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use super::{Event, Operation, OperationId};
use crate::domain::watching::{Mode, Standing, ViewId, ViewOptions};
use crate::domain::{Address, Rng, Time};
use crate::lync::batch::{self as wire, Action, BatchRequest, InstanceState, Resource};
use crate::sip::{Request, ServerTx, Uri};
use branch::Branch;
use poll::{Poll, Query};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use target::{Place, Stand, Target, Views};

/// The service.
#[derive(Debug)]
pub struct Subscriptions {
    /// What persistent views ask for.
    categories: Vec<String>,
    targets: BTreeMap<Address, Target>,
    views: Views,
    branches: BTreeMap<Place, Branch>,
    /// To be asked for in the next request to their place.
    open: BTreeSet<(Place, Address)>,
    /// When those who are polled or put off come next.
    timers: BTreeSet<(Time, Address)>,
    /// Everybody on the contact list.
    wanted: Vec<Address>,
    /// Put on the list by hand and not asked for yet.
    fresh: BTreeMap<Address, String>,
    polls: Vec<Poll>,
    queries: BTreeMap<OperationId, Query>,
    next_action: u64,
    /// The last notification, while nothing else has happened: its like again says nothing.
    last: Option<Document>,
}

impl Subscriptions {
    /// Nobody watched; persistent views ask for these categories.
    pub fn new(categories: Vec<String>, mut rng: Rng) -> Subscriptions {
        Subscriptions {
            categories,
            targets: BTreeMap::new(),
            views: BTreeMap::from([(ViewId::contacts(), ViewOptions::default())]),
            branches: BTreeMap::new(),
            open: BTreeSet::new(),
            timers: BTreeSet::new(),
            wanted: Vec::new(),
            fresh: BTreeMap::new(),
            polls: Vec::new(),
            queries: BTreeMap::new(),
            next_action: 1 + rng.below(1 << 24),
            last: None,
        }
    }

    fn may_ask(ctx: &Ctx<'_>) -> bool {
        ctx.online && ctx.me.allows(wire::EVENT)
    }

    /// Brings somebody to another state, and says so when it matters to somebody looking.
    fn set(&mut self, ctx: &mut Ctx<'_>, uri: &Address, stand: Stand) {
        let Some(t) = self.targets.get_mut(uri) else { return };
        if let Some(at) = t.stand.due() {
            self.timers.remove(&(at, uri.clone()));
        }
        t.stand = stand;
        if let Some(at) = stand.due() {
            self.timers.insert((at, uri.clone()));
        }
        let key = (t.place.clone(), uri.clone());
        if stand == Stand::Idle {
            self.open.insert(key);
        } else if !stand.is_held() {
            self.open.remove(&key);
        }
        if let Some(b) = self.branches.get_mut(&t.place) {
            if stand.is_held() {
                b.members.insert(uri.clone());
            } else {
                b.members.remove(uri);
            }
        }
        let standing = match stand {
            Stand::Subscribed => Standing::Told,
            Stand::Polling { .. } => Standing::Polled { interval: t.interval(&self.views) },
            Stand::WaitingForRetry { at } => Standing::Waiting { until: at },
            Stand::Idle | Stand::Subscribing | Stand::Terminated => return,
        };
        if t.told != standing {
            t.told = standing.clone();
            ctx.emit(Event::Watching { uri: uri.clone(), standing });
        }
    }

    /// Takes somebody out of the dialog that holds them.
    fn leave_dialog(&mut self, uri: &Address) {
        let Some(t) = self.targets.get(uri) else { return };
        if let Some(b) = self.branches.get_mut(&t.place)
            && b.members.remove(uri)
        {
            b.removals.insert(uri.clone());
        }
    }

    /// Sends what is to be sent and may be sent now.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        if !Self::may_ask(ctx) {
            return;
        }
        let mut places: BTreeSet<Place> = self.branches.keys().cloned().collect();
        places.extend(self.open.iter().map(|(place, _)| place.clone()));
        let mut elsewhere = self.branches.iter().filter(|(p, b)| **p != Place::Home && b.roaming.is_pending()).count();
        for place in places {
            if place == Place::Home || elsewhere < MAX_ELSEWHERE {
                self.pump_at(ctx, &place);
                let pending = self.branches.get(&place).is_some_and(|b| b.roaming.is_pending());
                elsewhere += usize::from(place != Place::Home && pending);
            }
        }
    }

    fn pump_at(&mut self, ctx: &mut Ctx<'_>, place: &Place) {
        let b = self.branches.entry(place.clone()).or_insert_with(|| Branch::new(place));
        let waits = matches!(b.roaming.state(), State::WaitingForRetry(at) if at > ctx.now);
        if b.roaming.is_pending() || waits || b.roaming.state() == State::Refused {
            return;
        }
        let open = self.open.iter().filter(|(p, _)| p == place).take(BATCH_SIZE);
        let new: Vec<Address> = open.map(|(_, uri)| uri.clone()).collect();
        if !new.is_empty() {
            self.ask(ctx, place, new);
        } else if !b.roaming.has_dialog() {
            b.removals.clear();
            self.branches.remove(place);
        } else if b.members.is_empty() {
            b.roaming.unsubscribe(ctx);
            self.branches.remove(place);
        } else if !b.removals.is_empty() {
            let gone: Vec<Address> = b.removals.iter().take(BATCH_SIZE).cloned().collect();
            b.removals.retain(|a| !gone.contains(a));
            let resources = gone.into_iter().map(|uri| Resource { uri, context: None }).collect();
            self.send_batch(ctx, place, Action::Unsubscribe, resources);
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, place: &Place, new: Vec<Address>) {
        let mut resources = Vec::with_capacity(new.len());
        for uri in &new {
            self.open.remove(&(place.clone(), uri.clone()));
            let Some(t) = self.targets.get(uri) else { continue };
            // Only being on the list is told to people; being talked with or searched for is not (`domain.md` 5.10).
            let context = if t.views.contains_key(&ViewId::contacts()) { self.fresh.remove(uri) } else { None };
            resources.push(Resource { uri: uri.clone(), context });
            if t.stand != Stand::Subscribed {
                self.set(ctx, uri, Stand::Subscribing);
            }
        }
        if let Some(b) = self.branches.get_mut(place) {
            b.removals.retain(|uri| !new.contains(uri));
            b.asked = new;
        }
        self.send_batch(ctx, place, Action::Subscribe, resources);
    }

    fn send_batch(&mut self, ctx: &mut Ctx<'_>, place: &Place, action: Action, resources: Vec<Resource>) {
        let body = self.body(&ctx.me.uri, action, resources, self.categories.clone());
        let to = branch::uri(place, &ctx.me.uri);
        if let Some(b) = self.branches.get_mut(place) {
            b.roaming.subscribe(ctx, &to, body, None);
        }
    }

    fn body(&mut self, me: &Address, action: Action, resources: Vec<Resource>, categories: Vec<String>) -> Vec<u8> {
        self.next_action += 1;
        BatchRequest { action, categories, ..BatchRequest::subscribe(me, self.next_action, resources) }.to_bytes()
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, place: &Place, heard: Heard) {
        match heard {
            Heard::Nothing => self.answered(ctx, place, None),
            Heard::Document(document) => self.answered(ctx, place, Some(&document)),
            Heard::Refused(status) => self.refused_whole(ctx, place, status),
            Heard::Lost => self.lost(ctx, place),
        }
        self.pump(ctx);
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, place: &Place, document: Option<&Document>) {
        if let Some(b) = self.branches.get_mut(place).filter(|b| !b.roaming.is_pending()) {
            for uri in std::mem::take(&mut b.asked) {
                if self.targets.get(&uri).is_some_and(|t| t.stand == Stand::Subscribing) {
                    self.set(ctx, &uri, Stand::Subscribed);
                }
            }
        }
        if let Some(document) = document {
            self.on_document(ctx, place, document);
        }
    }

    /// The server takes no subscription at all.
    fn refused_whole(&mut self, ctx: &mut Ctx<'_>, place: &Place, status: u16) {
        if *place == Place::Home {
            let text = format!("The server refuses to tell the presence of others ({status}). Ask your administrator.");
            ctx.emit(Event::Notice(text));
        }
        let waiting = self.open.iter().filter(|(p, _)| p == place).map(|(_, uri)| uri.clone());
        let mut all: BTreeSet<Address> = waiting.collect();
        if let Some(b) = self.branches.get_mut(place) {
            b.asked.clear();
            all.append(&mut b.members);
        }
        for uri in all {
            self.refused(ctx, &uri, Some(status), None);
        }
        if *place != Place::Home {
            self.branches.remove(place);
        }
    }

    /// The dialog is gone; the way to make it anew is open again soon.
    fn lost(&mut self, ctx: &mut Ctx<'_>, place: &Place) {
        let Some(b) = self.branches.get_mut(place) else { return };
        b.asked.clear();
        b.removals.clear();
        let at = b.roaming.poll_timeout().unwrap_or(ctx.now + RESUBSCRIBE_WAIT);
        for uri in std::mem::take(&mut b.members) {
            self.put_off(ctx, &uri, at);
        }
        let open: Vec<Address> = self.open.iter().filter(|(p, _)| p == place).map(|(_, uri)| uri.clone()).collect();
        for uri in open {
            self.set(ctx, &uri, Stand::WaitingForRetry { at });
        }
    }

    /// Asked for again at `at`; until then what is known may be wrong.
    fn put_off(&mut self, ctx: &mut Ctx<'_>, uri: &Address, at: Time) {
        let Some(t) = self.targets.get_mut(uri) else { return };
        if t.doubt(ctx.now) {
            ctx.emit(t.event(uri));
        }
        self.set(ctx, uri, Stand::WaitingForRetry { at });
    }

    fn on_document(&mut self, ctx: &mut Ctx<'_>, place: &Place, document: &Document) {
        let body = wire::parse_presence(&document.content_type, &document.body);
        for (uri, state) in body.list.into_iter().flat_map(|l| l.resources).filter(|(uri, _)| speaks_for(place, uri)) {
            self.on_instance(ctx, place, &uri, &state);
        }
        for categories in body.documents.iter().filter(|d| speaks_for(place, &d.uri)) {
            let Some(t) = self.targets.get_mut(&categories.uri) else { continue };
            if t.merge(categories, ctx.now) {
                ctx.emit(t.event(&categories.uri));
                self.settle(ctx, &categories.uri, false);
            }
        }
    }

    fn on_instance(&mut self, ctx: &mut Ctx<'_>, place: &Place, uri: &Address, state: &InstanceState) {
        let Some(t) = self.targets.get(uri) else { return };
        match state {
            InstanceState::Active => {}
            InstanceState::Resubscribe { pool } => self.lives_elsewhere(ctx, place, uri, pool.as_deref()),
            // "Come back later", or the server ended what we still want.
            InstanceState::Terminated { status: Some(408 | 480 | 481 | 500..=599), .. } if t.stand.is_held() => {
                let at = soon(ctx);
                self.put_off(ctx, uri, at);
            }
            InstanceState::Terminated { status: None, .. } if t.stand == Stand::Subscribed => {
                let at = soon(ctx);
                self.put_off(ctx, uri, at);
            }
            InstanceState::Terminated { status: None | Some(408 | 480 | 481 | 500..=599), .. } => {}
            InstanceState::Terminated { status, reason } => self.refused(ctx, uri, *status, reason.as_deref()),
        }
    }

    /// Somebody is to be asked for at another pool, or at their own server.
    fn lives_elsewhere(&mut self, ctx: &mut Ctx<'_>, place: &Place, uri: &Address, pool: Option<&str>) {
        let there = match pool.filter(|p| Uri::parse(p).is_some()) {
            Some(pool) => Place::Pool(pool.to_owned()),
            None => Place::Person(uri.clone()),
        };
        let polled = self.targets.get(uri).is_some_and(|t| matches!(t.stand, Stand::Polling { .. }));
        if !polled {
            let at = soon(ctx);
            self.put_off(ctx, uri, at);
        }
        // A server that sends us in a circle is asked again later, no more.
        if there != *place {
            if let Some(t) = self.targets.get_mut(uri) {
                t.place = there;
            }
            if polled {
                self.set(ctx, uri, Stand::Polling { at: ctx.now });
            }
        }
    }

    /// One person was refused (`status`: SIP, if it was said).
    fn refused(&mut self, ctx: &mut Ctx<'_>, uri: &Address, status: Option<u16>, reason: Option<&str>) {
        let Some(t) = self.targets.get_mut(uri) else { return };
        let text = match (status, reason) {
            (Some(404 | 604), _) => "The server knows nobody with this address.".to_owned(),
            (Some(403), Some(limits)) if limits == wire::TOO_MANY_WATCHERS => "Too many people watch this person already.".into(),
            (Some(status), _) => format!("The server does not tell this person's presence ({status})."),
            (None, _) => "The server does not tell this person's presence.".into(),
        };
        let for_good = matches!(status, Some(404 | 604)) || matches!(t.stand, Stand::Polling { .. });
        t.limited = !for_good;
        let views = &self.views;
        let leaving: Vec<ViewId> =
            t.views.keys().filter(|v| for_good || views.get(v).is_some_and(|o| o.mode == Mode::Persistent)).cloned().collect();
        for view in leaving {
            t.views.remove(&view);
            ctx.emit(Event::TargetLeft { view, uri: uri.clone(), reason: text.clone() });
        }
        if self.targets.get(uri).is_some_and(|t| !t.views.is_empty()) {
            return self.set(ctx, uri, Stand::Polling { at: ctx.now });
        }
        self.fail(ctx, uri, text);
    }

    /// Nothing is to be had of somebody; people on the list are asked for again with the next registration.
    fn fail(&mut self, ctx: &mut Ctx<'_>, uri: &Address, reason: String) {
        self.set(ctx, uri, Stand::Terminated);
        let Some(t) = self.targets.get_mut(uri) else { return };
        let standing = Standing::Failed { reason };
        if t.forget() {
            ctx.emit(t.event(uri));
        }
        if t.told != standing {
            t.told = standing.clone();
            ctx.emit(Event::Watching { uri: uri.clone(), standing });
        }
    }

    /// What was known may be wrong by now.
    fn doubt(&mut self, ctx: &mut Ctx<'_>) {
        for (uri, t) in &mut self.targets {
            if t.doubt(ctx.now) {
                ctx.emit(t.event(uri));
            }
        }
    }

    /// Everybody begins anew.
    fn begin_again(&mut self, ctx: &mut Ctx<'_>) {
        self.branches.clear();
        self.last = None;
        for uri in self.targets.keys().cloned().collect::<Vec<_>>() {
            self.set(ctx, &uri, Stand::Idle);
            if let Some(t) = self.targets.get_mut(&uri) {
                self.open.remove(&(std::mem::take(&mut t.place), uri.clone()));
                t.limited = false;
                self.open.insert((Place::Home, uri));
            }
        }
    }

    /// Everybody of a dialog whose time is over is asked for again.
    fn renew(&mut self, ctx: &mut Ctx<'_>) {
        for (place, b) in &mut self.branches {
            if b.roaming.is_due(ctx.now) && b.roaming.state() == State::Subscribed {
                self.open.extend(b.members.iter().map(|uri| (place.clone(), uri.clone())));
                if b.members.is_empty() {
                    b.roaming.unsubscribe(ctx);
                }
            } else if b.roaming.is_due(ctx.now) && !self.open.iter().any(|(p, _)| p == place) {
                b.roaming.reset();
            }
        }
    }
}

/// A moment within the ten seconds of `domain.md` 3.10.
fn soon(ctx: &mut Ctx<'_>) -> Time {
    let most = u64::try_from(RESUBSCRIBE_WAIT.as_millis()).unwrap_or(10_000);
    ctx.now + Duration::from_millis(1 + ctx.rng.below(most))
}

/// A person's own server speaks for nobody else.
fn speaks_for(place: &Place, uri: &Address) -> bool {
    !matches!(place, Place::Person(who) if who != uri)
}

impl Service for Subscriptions {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        self.last = None;
        match operation {
            Operation::OpenView { view, options } => self.open_view(ctx, id, view, options),
            Operation::CloseView { view } => self.close_view(ctx, id, view),
            Operation::Watch { view, uris } => self.watch(ctx, id, view, uris),
            Operation::Unwatch { view, uris } => self.unwatch(ctx, id, view, uris),
            Operation::QueryPresence { uris, categories } => self.query(ctx, id, uris, categories),
            _ => return false,
        }
        self.pump(ctx);
        true
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::Wanted(wanted) => {
                self.last = None;
                self.wanted.clone_from(wanted);
                self.set_wanted(ctx);
                self.pump(ctx);
            }
            InternalEvent::ContactAdded { uri, words } if self.fresh.len() < MAX_QUEUED => {
                self.fresh.insert(uri.clone(), words.clone());
            }
            _ => {}
        }
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        let mut offered = (tx, request);
        for (place, b) in &mut self.branches {
            match b.roaming.on_request(ctx, offered.0, offered.1) {
                Ok(Heard::Document(document)) if self.last.as_ref() == Some(&document) => return Handled::Yes,
                Ok(heard) => {
                    self.last = match &heard {
                        Heard::Document(d) if d.body.len() <= MAX_REMEMBERED => Some(d.clone()),
                        _ => None,
                    };
                    let place = place.clone();
                    self.hear(ctx, &place, heard);
                    return Handled::Yes;
                }
                Err(Handled::No(request)) => offered = (tx, request),
                Err(other) => return other,
            }
        }
        Handled::No(offered.1)
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        self.last = None;
        let now = ctx.now;
        let heard = self.branches.iter_mut().find_map(|(p, b)| Some((p.clone(), b.roaming.on_reply(now, token, &reply)?)));
        match heard {
            Some((place, heard)) => self.hear(ctx, &place, heard),
            None => self.on_poll_reply(ctx, token, &reply),
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.begin_again(ctx);
        // Those who failed on the last registration may be had on this one.
        self.set_wanted(ctx);
        for uri in self.targets.keys().cloned().collect::<Vec<_>>() {
            self.settle(ctx, &uri, true);
        }
        self.pump(ctx);
        self.poll(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.polls.clear();
        self.end_queries(ctx);
        self.begin_again(ctx);
        self.doubt(ctx);
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.branches.values_mut().for_each(|b| b.roaming.unsubscribe(ctx));
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.last = None;
        self.renew(ctx);
        self.wake(ctx);
        self.pump(ctx);
        self.poll(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let due = self.branches.values().filter(|b| !b.roaming.is_pending()).filter_map(|b| b.roaming.poll_timeout());
        due.chain(self.timers.first().map(|(at, _)| *at)).min()
    }
}
