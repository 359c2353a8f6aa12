//! Views, and who is in them (`domain.md` 5.10): counted by reference, the strongest wish wins.

use super::target::Stand;
use super::{Address, Ctx, MAX_CATEGORIES, MAX_CONTACTS, MAX_VIEWS, MIN_POLLING_INTERVAL, OperationId, Subscriptions};
use crate::domain::watching::{Mode, Standing, ViewId, ViewOptions};
use crate::endpoint::{Error, ErrorKind, Event, Outcome};
use std::collections::BTreeSet;

fn refuse(ctx: &mut Ctx<'_>, id: OperationId, text: &str) {
    ctx.complete(id, Err(Error::new(ErrorKind::InvalidOperation, text)));
}

impl Subscriptions {
    pub(super) fn open_view(&mut self, ctx: &mut Ctx<'_>, id: OperationId, view: &ViewId, options: &ViewOptions) {
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) = (self.categories.iter().collect(), options.categories.iter().collect());
        if options.mode != Mode::Polling && ours != theirs {
            return refuse(ctx, id, "Only a polling view chooses its categories; those of the others are fixed.");
        }
        if options.categories.is_empty() || options.categories.len() > MAX_CATEGORIES {
            return refuse(ctx, id, "A view asks for at least one category, and for not more than fifty.");
        }
        if options.interval < MIN_POLLING_INTERVAL {
            return refuse(ctx, id, "A view asks every ten seconds at most; take a longer interval.");
        }
        if !self.views.contains_key(view) && self.views.len() >= MAX_VIEWS {
            return refuse(ctx, id, "Too many views are open; close one.");
        }
        self.views.insert(view.clone(), options.clone());
        for uri in self.members(view) {
            self.settle(ctx, &uri, true);
        }
        self.poll(ctx);
        ctx.complete(id, Ok(Outcome::Done));
    }

    pub(super) fn close_view(&mut self, ctx: &mut Ctx<'_>, id: OperationId, view: &ViewId) {
        if *view == ViewId::contacts() {
            return refuse(ctx, id, "The view of the contact list is always there.");
        }
        for uri in self.members(view) {
            if let Some(t) = self.targets.get_mut(&uri) {
                t.views.remove(view);
            }
            self.settle(ctx, &uri, false);
        }
        self.views.remove(view);
        ctx.complete(id, Ok(Outcome::Done));
    }

    fn members(&self, view: &ViewId) -> Vec<Address> {
        self.targets.iter().filter(|(_, t)| t.views.contains_key(view)).map(|(uri, _)| uri.clone()).collect()
    }

    pub(super) fn watch(&mut self, ctx: &mut Ctx<'_>, id: OperationId, view: &ViewId, uris: &[Address]) {
        let new = uris.iter().filter(|u| !self.targets.contains_key(u)).count();
        if self.targets.len() + new > MAX_CONTACTS {
            return refuse(ctx, id, "Too many people are watched.");
        }
        if *view == ViewId::contacts() {
            return refuse(ctx, id, "Who is in the view of the contact list is decided by the contact list.");
        }
        if !self.views.contains_key(view) {
            if self.views.len() >= MAX_VIEWS {
                return refuse(ctx, id, "Too many views are open; close one.");
            }
            self.views.insert(view.clone(), ViewOptions { categories: self.categories.clone(), ..ViewOptions::default() });
        }
        for uri in uris {
            self.enter(ctx, uri, view, 1);
        }
        self.poll(ctx);
        ctx.complete(id, Ok(Outcome::Done));
    }

    pub(super) fn unwatch(&mut self, ctx: &mut Ctx<'_>, id: OperationId, view: &ViewId, uris: &[Address]) {
        for uri in uris.iter().filter(|_| *view != ViewId::contacts()) {
            if let Some(t) = self.targets.get_mut(uri)
                && let Some(n) = t.views.get_mut(view)
            {
                *n = n.saturating_sub(1);
                if *n == 0 {
                    t.views.remove(view);
                }
            }
            self.settle(ctx, uri, false);
        }
        ctx.complete(id, Ok(Outcome::Done));
    }

    /// The contact list's view holds exactly these.
    pub(super) fn set_wanted(&mut self, ctx: &mut Ctx<'_>) {
        let view = ViewId::contacts();
        let wanted: BTreeSet<Address> = self.wanted.iter().cloned().collect();
        for uri in self.members(&view).iter().filter(|u| !wanted.contains(*u)) {
            if let Some(t) = self.targets.get_mut(uri) {
                t.views.remove(&view);
            }
            self.settle(ctx, uri, false);
        }
        for uri in wanted {
            if !self.targets.get(&uri).is_some_and(|t| t.views.contains_key(&view)) {
                self.enter(ctx, &uri, &view, 0);
            }
        }
        self.poll(ctx);
    }

    /// Puts somebody into a view; `more`: references that are counted.
    fn enter(&mut self, ctx: &mut Ctx<'_>, uri: &Address, view: &ViewId, more: u32) {
        let known = self.targets.contains_key(uri);
        let t = self.targets.entry(uri.clone()).or_default();
        let n = t.views.entry(view.clone()).or_default();
        *n = n.saturating_add(more);
        // Whoever insists, or tells somebody of being on the list, asks even where only polling was left.
        let insists = self.views.get(view).is_some_and(|o| o.mode == Mode::Persistent);
        let tells = *view == ViewId::contacts() && self.fresh.contains_key(uri);
        t.limited &= !insists && !tells;
        if !known || t.stand == Stand::Terminated {
            self.set(ctx, uri, Stand::Idle);
        } else if tells && t.stand.is_held() {
            let place = t.place.clone();
            self.open.insert((place, uri.clone()));
        }
        self.settle(ctx, uri, true);
    }

    /// Brings somebody to where the views that want them want them. `at_once`: whoever is to be polled is asked for now.
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>, uri: &Address, at_once: bool) {
        let Some(t) = self.targets.get(uri) else { return };
        if t.views.is_empty() && t.stand != Stand::Terminated {
            return self.drop_target(ctx, uri);
        }
        let (polled, interval) = (t.is_polled(&self.views), t.interval(&self.views));
        match (polled, t.stand) {
            // Whoever comes while nobody can be asked is settled again when the link is back.
            (true, _) if !ctx.online => self.set(ctx, uri, Stand::Idle),
            (true, Stand::Idle | Stand::Subscribing | Stand::Subscribed | Stand::WaitingForRetry { .. }) => {
                self.leave_dialog(uri);
                self.set(ctx, uri, Stand::Polling { at: if at_once { ctx.now } else { ctx.now + interval } });
            }
            (true, Stand::Polling { at }) => {
                let latest = ctx.now + interval;
                self.set(ctx, uri, Stand::Polling { at: if at_once { ctx.now } else { at.min(latest) } });
            }
            (false, Stand::Polling { .. }) => self.set(ctx, uri, Stand::Idle),
            _ => {}
        }
    }

    /// No view wants this person any more.
    fn drop_target(&mut self, ctx: &mut Ctx<'_>, uri: &Address) {
        self.leave_dialog(uri);
        self.set(ctx, uri, Stand::Terminated);
        if self.targets.remove(uri).is_some_and(|t| t.told != Standing::Told) {
            ctx.emit(Event::Watching { uri: uri.clone(), standing: Standing::Told });
        }
        self.fresh.remove(uri);
    }
}
