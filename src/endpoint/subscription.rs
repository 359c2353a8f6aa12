//! Presence of others: one batch subscription for all contacts and everybody watched (`lync.md` 8, `domain.md` 3.10, 5.10).
//!
//! People are asked for in batches, one request at a time, in one dialog. Bots and people of other pools are polled.

mod target;
#[cfg(test)]
mod tests;

use super::limits::*;
use super::roaming::{Document, Heard, Roaming, State, Topic};
use super::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use super::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::domain::{Address, Rng, Time};
use crate::lync::batch::{self as wire, Action, BatchRequest, InstanceState, Resource};
use crate::sip::{Request, ServerTx, Uri};
use std::collections::{BTreeMap, BTreeSet};
use target::{Stand, Target};

const REQUIRE: &[(&str, &str)] = &[("Require", "adhoclist, categoryList"), ("Supported", "eventlist")];
const TOPIC: Topic = Topic { event: wire::EVENT, accept: wire::ACCEPT, extra: REQUIRE, content_type: wire::CONTENT_TYPE };
/// To somebody's own server there is no list to require (`lync.md` 8.5).
const DIRECT: Topic = Topic { extra: &[], ..TOPIC };
/// Polls to single people that may be under way at once.
const MAX_DIRECT_POLLS: usize = 10;

/// The service.
#[derive(Debug)]
pub struct Subscriptions {
    roaming: Roaming,
    targets: BTreeMap<Address, Target>,
    /// Put on the list by hand and not asked for yet.
    fresh: BTreeSet<Address>,
    asked: Vec<Address>,
    removals: BTreeSet<Address>,
    polls: Vec<(Roaming, Vec<Address>)>,
    next_action: u64,
}

impl Subscriptions {
    /// Nobody watched.
    pub fn new(mut rng: Rng) -> Subscriptions {
        Subscriptions {
            roaming: Roaming::new(TOPIC),
            targets: BTreeMap::new(),
            fresh: BTreeSet::new(),
            asked: Vec::new(),
            removals: BTreeSet::new(),
            polls: Vec::new(),
            next_action: 1 + rng.below(1 << 24),
        }
    }

    fn may_ask(ctx: &Ctx<'_>) -> bool {
        ctx.online && ctx.me.allows(TOPIC.event)
    }

    /// Sends the next batch, if one is needed and none is under way.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        let waits = matches!(self.roaming.state(), State::WaitingForRetry(at) if at > ctx.now);
        if !Self::may_ask(ctx) || self.roaming.is_pending() || waits || self.roaming.state() == State::Refused {
            return;
        }
        let new: Vec<Address> =
            self.targets.iter().filter(|(_, t)| t.stand == Stand::New).map(|(a, _)| a.clone()).take(BATCH_SIZE).collect();
        if !new.is_empty() {
            self.ask(ctx, new);
        } else if !self.roaming.has_dialog() {
            self.removals.clear();
        } else if !self.removals.is_empty() {
            let mut gone: Vec<Address> = self.removals.iter().take(BATCH_SIZE).cloned().collect();
            self.removals.retain(|a| !gone.contains(a));
            self.send_batch(ctx, Action::Unsubscribe, gone.drain(..).map(|uri| Resource { uri, context: false }).collect());
        } else if self.targets.is_empty() {
            self.roaming.unsubscribe(ctx);
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, new: Vec<Address>) {
        let mut resources = Vec::with_capacity(new.len());
        for uri in &new {
            if let Some(t) = self.targets.get_mut(uri) {
                t.stand = Stand::Asked;
            }
            self.removals.remove(uri);
            resources.push(Resource { uri: uri.clone(), context: self.fresh.remove(uri) });
        }
        self.asked = new;
        self.send_batch(ctx, Action::Subscribe, resources);
    }

    fn send_batch(&mut self, ctx: &mut Ctx<'_>, action: Action, resources: Vec<Resource>) {
        let body = self.body(&ctx.me.uri, action, resources);
        let me = Uri::from(&ctx.me.uri);
        self.roaming.subscribe(ctx, &me, body, None);
    }

    fn body(&mut self, me: &Address, action: Action, resources: Vec<Resource>) -> Vec<u8> {
        self.next_action += 1;
        BatchRequest { action, ..BatchRequest::subscribe(me, self.next_action, resources) }.to_bytes()
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, heard: Heard) {
        match heard {
            Heard::Nothing => self.answered(ctx, None),
            Heard::Document(document) => self.answered(ctx, Some(&document)),
            Heard::Refused(status) => {
                self.asked.clear();
                ctx.emit(Event::Notice(format!(
                    "The server refuses to tell the presence of others ({status}). Ask your administrator."
                )));
            }
            Heard::Lost => {
                self.asked.clear();
                self.ask_all_again();
                self.doubt(ctx);
            }
        }
        self.pump(ctx);
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, document: Option<&Document>) {
        if !self.roaming.is_pending() {
            for uri in std::mem::take(&mut self.asked) {
                if let Some(t) = self.targets.get_mut(&uri).filter(|t| t.stand == Stand::Asked) {
                    t.stand = Stand::Subscribed;
                }
            }
        }
        if let Some(document) = document {
            self.on_document(ctx, document);
        }
    }

    fn on_document(&mut self, ctx: &mut Ctx<'_>, document: &Document) {
        let body = wire::parse_presence(&document.content_type, &document.body);
        for (uri, state) in body.list.into_iter().flat_map(|l| l.resources) {
            self.on_instance(ctx, &uri, &state);
        }
        for categories in &body.documents {
            let Some(t) = self.targets.get_mut(&categories.uri) else { continue };
            if t.merge(categories, ctx.now) {
                ctx.emit(t.event(&categories.uri));
            }
            if t.presence.card.automaton && matches!(t.stand, Stand::Subscribed | Stand::Asked) {
                t.stand = Stand::Polled { at: ctx.now + POLL_INTERVAL, direct: false };
                self.removals.insert(categories.uri.clone());
            }
        }
    }

    fn on_instance(&mut self, ctx: &mut Ctx<'_>, uri: &Address, state: &InstanceState) {
        let Some(t) = self.targets.get_mut(uri) else { return };
        match state {
            InstanceState::Active => {}
            InstanceState::Resubscribe { .. } => {
                if !matches!(t.stand, Stand::Polled { direct: true, .. }) {
                    t.stand = Stand::Polled { at: ctx.now, direct: true };
                }
            }
            InstanceState::Terminated { status, .. } => {
                let for_good = matches!(status, Some(403 | 404 | 604));
                t.stand = Stand::Gone { again_at: (!for_good).then(|| ctx.now + RESUBSCRIBE_SLOW) };
                if t.forget() {
                    ctx.emit(t.event(uri));
                }
            }
        }
    }

    /// Everybody has to be asked for in a new dialog.
    fn ask_all_again(&mut self) {
        for t in self.targets.values_mut().filter(|t| !matches!(t.stand, Stand::Polled { .. })) {
            t.stand = Stand::New;
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

    fn set_wanted(&mut self, wanted: &[Address]) {
        let wanted: BTreeSet<&Address> = wanted.iter().collect();
        for uri in &wanted {
            self.targets.entry((*uri).clone()).or_default().contact = true;
        }
        let gone: Vec<Address> =
            self.targets.iter().filter(|(a, t)| t.contact && !wanted.contains(a)).map(|(a, _)| a.clone()).collect();
        for uri in gone {
            if let Some(t) = self.targets.get_mut(&uri) {
                t.contact = false;
            }
            self.drop_unused(&uri);
        }
    }

    fn drop_unused(&mut self, uri: &Address) {
        if self.targets.get(uri).is_none_or(|t| t.contact || t.watches > 0) {
            return;
        }
        let gone = self.targets.remove(uri);
        if gone.is_some_and(|t| matches!(t.stand, Stand::Subscribed | Stand::Asked)) {
            self.removals.insert(uri.clone());
        }
    }

    fn watch(&mut self, ctx: &mut Ctx<'_>, id: OperationId, uris: &[Address]) {
        let new = uris.iter().filter(|u| !self.targets.contains_key(u)).count();
        if self.targets.len() + new > MAX_CONTACTS {
            ctx.complete(id, Err(Error::new(ErrorKind::InvalidOperation, "Too many people are watched.")));
            return;
        }
        for uri in uris {
            let t = self.targets.entry(uri.clone()).or_default();
            t.watches = t.watches.saturating_add(1);
        }
        ctx.complete(id, Ok(Outcome::Done));
    }

    fn unwatch(&mut self, ctx: &mut Ctx<'_>, id: OperationId, uris: &[Address]) {
        for uri in uris {
            if let Some(t) = self.targets.get_mut(uri) {
                t.watches = t.watches.saturating_sub(1);
            }
            self.drop_unused(uri);
        }
        ctx.complete(id, Ok(Outcome::Done));
    }

    /// One-shot subscriptions for those whose time has come.
    fn poll(&mut self, ctx: &mut Ctx<'_>) {
        if !Self::may_ask(ctx) {
            return;
        }
        let direct_under_way = self.polls.iter().filter(|p| p.1.len() == 1).count();
        let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
        for (uri, t) in &mut self.targets {
            let Stand::Polled { at, direct } = &mut t.stand else { continue };
            if *at > ctx.now {
                continue;
            }
            let (list, most) = if *direct {
                (&mut elsewhere, MAX_DIRECT_POLLS.saturating_sub(direct_under_way))
            } else {
                (&mut here, BATCH_SIZE)
            };
            // Those beyond the limit come a little later.
            *at = ctx.now + if list.len() < most { POLL_INTERVAL } else { RESUBSCRIBE_WAIT };
            if list.len() < most {
                list.push(uri.clone());
            }
        }
        let me = Uri::from(&ctx.me.uri);
        if !here.is_empty() {
            self.send_poll(ctx, TOPIC, &me, here);
        }
        for uri in elsewhere {
            self.send_poll(ctx, DIRECT, &Uri::from(&uri), vec![uri.clone()]);
        }
    }

    fn send_poll(&mut self, ctx: &mut Ctx<'_>, topic: Topic, to: &Uri, uris: Vec<Address>) {
        let resources = uris.iter().map(|uri| Resource { uri: uri.clone(), context: false }).collect();
        let body = self.body(&ctx.me.uri, Action::Subscribe, resources);
        let mut roaming = Roaming::new(topic);
        roaming.subscribe(ctx, to, body, Some(0));
        self.polls.push((roaming, uris));
    }

    fn on_poll_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) {
        let mut heard = None;
        self.polls.retain_mut(|(roaming, _)| match roaming.on_reply(ctx.now, token, reply) {
            Some(h) => {
                let over = !roaming.is_pending();
                heard = Some(h);
                !over
            }
            None => true,
        });
        if let Some(Heard::Document(document)) = heard {
            self.on_document(ctx, &document);
        }
    }
}

impl Service for Subscriptions {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        match operation {
            Operation::Watch { uris } => self.watch(ctx, id, uris),
            Operation::Unwatch { uris } => self.unwatch(ctx, id, uris),
            _ => return false,
        }
        self.pump(ctx);
        true
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::Wanted(wanted) => {
                self.set_wanted(wanted);
                self.pump(ctx);
            }
            InternalEvent::ContactAdded(uri) if self.fresh.len() < MAX_QUEUED => {
                self.fresh.insert(uri.clone());
            }
            _ => {}
        }
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        match self.roaming.on_request(ctx, tx, request) {
            Ok(heard) => {
                self.hear(ctx, heard);
                Handled::Yes
            }
            Err(other) => other,
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        match self.roaming.on_reply(ctx.now, token, &reply) {
            Some(heard) => self.hear(ctx, heard),
            None => self.on_poll_reply(ctx, token, &reply),
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.ask_all_again();
        self.pump(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.polls.clear();
        self.asked.clear();
        self.removals.clear();
        self.ask_all_again();
        self.doubt(ctx);
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.unsubscribe(ctx);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.roaming.is_due(ctx.now) {
            if self.targets.is_empty() {
                self.roaming.unsubscribe(ctx);
            } else if self.roaming.state() == State::Subscribed {
                for t in self.targets.values_mut().filter(|t| t.stand == Stand::Subscribed) {
                    t.stand = Stand::New;
                }
                // Nobody but polled people left: the dialog has no use.
                if !self.targets.values().any(|t| t.stand == Stand::New) {
                    self.roaming.unsubscribe(ctx);
                }
            } else if !self.targets.values().any(|t| t.stand == Stand::New) {
                self.roaming.reset();
            }
        }
        for t in self.targets.values_mut() {
            if matches!(t.stand, Stand::Gone { again_at: Some(at) } if at <= ctx.now) {
                t.stand = Stand::New;
            }
        }
        self.poll(ctx);
        self.pump(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let due = if self.roaming.is_pending() { None } else { self.roaming.poll_timeout() };
        let targets = self.targets.values().filter_map(|t| match t.stand {
            Stand::Polled { at, .. } => Some(at),
            Stand::Gone { again_at } => again_at,
            Stand::New | Stand::Asked | Stand::Subscribed => None,
        });
        targets.chain(due).min()
    }
}
