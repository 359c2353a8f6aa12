//! Asking once: polls of those who are not told at once, and queries (`domain.md` 5.10).

use super::branch::{self, topic};
use super::target::{Place, Stand};
use super::{Address, BATCH_SIZE, Ctx, MAX_CATEGORIES, MAX_ELSEWHERE, MAX_QUERIED, MAX_QUEUED, RESUBSCRIBE_WAIT, Subscriptions};
use crate::domain::Time;
use crate::domain::presence::Presence;
use crate::endpoint::roaming::{Document, Heard, Roaming};
use crate::endpoint::service::{Reply, Token};
use crate::endpoint::{Error, ErrorKind, OperationId, Outcome};
use crate::lync::batch::{self as wire, Action, InstanceState, Resource};
use crate::lync::categories::merge_categories;
use crate::sip::Uri;
use std::collections::{BTreeMap, BTreeSet};

/// A question under way.
#[derive(Debug)]
pub(super) struct Poll {
    roaming: Roaming,
    place: Place,
    uris: Vec<Address>,
    /// For whom; `None`: for the views.
    query: Option<OperationId>,
}

/// A query under way.
#[derive(Debug, Default)]
pub(super) struct Query {
    categories: Vec<String>,
    found: BTreeMap<Address, Presence>,
}

impl Subscriptions {
    /// Those whose time has come: put off no longer, or to be asked for once more.
    pub(super) fn wake(&mut self, ctx: &mut Ctx<'_>) {
        let put_off =
            |s: &Self, uri: &Address| matches!(s.targets.get(uri).map(|t| t.stand), Some(Stand::WaitingForRetry { .. }));
        for uri in self.due(ctx.now) {
            if put_off(self, &uri) {
                self.set(ctx, &uri, Stand::Idle);
            }
        }
    }

    fn due(&self, now: Time) -> Vec<Address> {
        self.timers.iter().take_while(|(at, _)| *at <= now).map(|(_, uri)| uri.clone()).collect()
    }

    /// One-shot subscriptions for those whose time has come; those beyond the limit come a little later.
    pub(super) fn poll(&mut self, ctx: &mut Ctx<'_>) {
        if !ctx.online {
            return;
        }
        let mut groups: BTreeMap<(Place, Vec<String>), Vec<Address>> = BTreeMap::new();
        let mut elsewhere = self.polls.iter().filter(|p| p.place != Place::Home).count();
        for uri in self.due(ctx.now) {
            let Some(t) = self.targets.get(&uri).filter(|t| matches!(t.stand, Stand::Polling { .. })) else { continue };
            let key = (t.place.clone(), t.categories(&self.views, &self.categories).into_iter().collect());
            let home = t.place == Place::Home;
            let interval = t.interval(&self.views);
            let group = groups.entry(key).or_default();
            let fits = Self::may_ask(ctx) && group.len() < BATCH_SIZE && (home || !group.is_empty() || elsewhere < MAX_ELSEWHERE);
            if fits {
                elsewhere += usize::from(!home && group.is_empty());
                group.push(uri.clone());
            }
            self.set(ctx, &uri, Stand::Polling { at: ctx.now + if fits { interval } else { RESUBSCRIBE_WAIT.min(interval) } });
        }
        for ((place, categories), uris) in groups.into_iter().filter(|(_, uris)| !uris.is_empty()) {
            self.send_poll(ctx, place, uris, categories, None);
        }
    }

    fn send_poll(
        &mut self,
        ctx: &mut Ctx<'_>,
        place: Place,
        uris: Vec<Address>,
        categories: Vec<String>,
        query: Option<OperationId>,
    ) {
        let resources = uris.iter().map(|uri| Resource { uri: uri.clone(), context: None }).collect();
        let body = self.body(&ctx.me.uri, Action::Subscribe, resources, categories);
        let mut roaming = Roaming::new(topic(&place));
        roaming.subscribe(ctx, &branch::uri(&place, &ctx.me.uri), body, Some(0));
        self.polls.push(Poll { roaming, place, uris, query });
    }

    pub(super) fn on_poll_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) {
        let now = ctx.now;
        let heard = self.polls.iter_mut().enumerate().find_map(|(i, p)| Some((i, p.roaming.on_reply(now, token, reply)?)));
        let Some((at, heard)) = heard else { return };
        if self.polls[at].roaming.is_pending() {
            return;
        }
        let poll = self.polls.remove(at);
        match (poll.query, heard) {
            (Some(id), heard) => self.on_query_reply(ctx, id, &poll, heard),
            (None, Heard::Document(document)) => self.on_document(ctx, &poll.place, &document),
            (None, Heard::Refused(status)) => {
                poll.uris.iter().for_each(|uri| self.refused(ctx, uri, Some(status), None));
            }
            (None, Heard::Lost) => {
                for uri in &poll.uris {
                    if self.targets.get(uri).is_some_and(|t| matches!(t.stand, Stand::Polling { .. })) {
                        self.set(ctx, uri, Stand::Polling { at: ctx.now + RESUBSCRIBE_WAIT });
                    }
                }
            }
            (None, Heard::Nothing) => {}
        }
        self.pump(ctx);
    }

    pub(super) fn query(&mut self, ctx: &mut Ctx<'_>, id: OperationId, uris: &[Address], categories: &[String]) {
        let all: BTreeSet<Address> = uris.iter().cloned().collect();
        let refused = if !Self::may_ask(ctx) {
            Some(Error::offline())
        } else if all.len() > MAX_QUERIED || categories.len() > MAX_CATEGORIES {
            Some(Error::new(ErrorKind::InvalidArgument, "So many cannot be asked for at once; ask for fewer."))
        } else if self.queries.len() >= MAX_QUEUED {
            Some(Error::new(ErrorKind::Retryable, "Too many questions are waiting; try again in a moment."))
        } else {
            None
        };
        if let Some(error) = refused {
            return ctx.complete(id, Err(error));
        }
        let categories = if categories.is_empty() { self.categories.clone() } else { categories.to_vec() };
        self.queries.insert(id, Query { categories: categories.clone(), found: BTreeMap::new() });
        let all: Vec<Address> = all.into_iter().collect();
        for batch in all.chunks(BATCH_SIZE) {
            self.send_poll(ctx, Place::Home, batch.to_vec(), categories.clone(), Some(id));
        }
        self.finish_query(ctx, id);
    }

    fn on_query_reply(&mut self, ctx: &mut Ctx<'_>, id: OperationId, poll: &Poll, heard: Heard) {
        match heard {
            Heard::Document(document) => self.on_query_document(ctx, id, poll, &document),
            Heard::Refused(404 | 604) if poll.place != Place::Home => {}
            Heard::Refused(status) if poll.place == Place::Home => {
                let mut error = Error::new(ErrorKind::PublishSubscribeFailed, "The server refuses to tell this presence.");
                error.status = Some(status);
                return self.end_query(ctx, id, Err(error));
            }
            Heard::Lost if poll.place == Place::Home => {
                let text = "The server did not answer in time; try again.";
                return self.end_query(ctx, id, Err(Error::new(ErrorKind::Timeout, text)));
            }
            Heard::Refused(_) | Heard::Lost | Heard::Nothing => {}
        }
        self.finish_query(ctx, id);
    }

    fn on_query_document(&mut self, ctx: &mut Ctx<'_>, id: OperationId, poll: &Poll, document: &Document) {
        let body = wire::parse_presence(&document.content_type, &document.body);
        let Some(query) = self.queries.get_mut(&id) else { return };
        for document in body.documents.iter().filter(|d| poll.uris.contains(&d.uri)) {
            merge_categories(query.found.entry(document.uri.clone()).or_default(), document, ctx.now);
        }
        let categories = query.categories.clone();
        for (uri, state) in body.list.into_iter().flat_map(|l| l.resources) {
            let InstanceState::Resubscribe { pool } = state else { continue };
            if poll.place == Place::Home && poll.uris.contains(&uri) {
                let place = pool.filter(|p| Uri::parse(p).is_some()).map_or(Place::Person(uri.clone()), Place::Pool);
                self.send_poll(ctx, place, vec![uri], categories.clone(), Some(id));
            }
        }
    }

    fn finish_query(&mut self, ctx: &mut Ctx<'_>, id: OperationId) {
        if self.polls.iter().any(|p| p.query == Some(id)) {
            return;
        }
        if let Some(query) = self.queries.remove(&id) {
            ctx.complete(id, Ok(Outcome::Presence(query.found.into_iter().collect())));
        }
    }

    fn end_query(&mut self, ctx: &mut Ctx<'_>, id: OperationId, result: Result<Outcome, Error>) {
        self.polls.retain(|p| p.query != Some(id));
        if self.queries.remove(&id).is_some() {
            ctx.complete(id, result);
        }
    }

    /// The link is gone.
    pub(super) fn end_queries(&mut self, ctx: &mut Ctx<'_>) {
        for id in std::mem::take(&mut self.queries).into_keys() {
            let error = Error::new(ErrorKind::Retryable, "The connection was lost; ask again when you are signed in.");
            ctx.complete(id, Err(error));
        }
    }
}
