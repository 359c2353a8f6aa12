//! Presence of others: batch and single subscriptions, filtered for each watcher (lync.md 8, `domain.md` 5.8 and 5.10).

use super::super::dialog::{self, Dialog, DialogKey, Dialogs, Document};
use super::super::state::network_of;
use super::super::timers::Timers;
use super::super::{Ctx, Incoming, RegistrationId, Reply, Token, User, limits};
use super::sharing::announce;
use crate::domain::access::{self, BLOCKED_CONTAINER};
use crate::domain::presence::{Publication, Subscriber};
use crate::domain::{Address, Time};
use crate::lync::batch::{self, Action, BatchRequest, InstanceState, Resource, ResourceList};
use crate::lync::categories::{self, WatchedCategories};
use crate::sip::Name;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct WatchId(u64);

/// One dialog of a watcher.
#[derive(Debug)]
struct Watch {
    key: DialogKey,
    dialog: Dialog,
    watcher: Address,
    categories: Vec<String>,
    /// Whom it watches, and the container it sees of them.
    targets: HashMap<Address, u32>,
    until: Time,
    /// The wake-up that stands for it.
    armed: Option<Time>,
}

/// All dialogs of all watchers.
#[derive(Debug, Default)]
pub struct Subscriptions {
    watches: HashMap<WatchId, Watch>,
    by_key: HashMap<DialogKey, WatchId>,
    by_endpoint: HashMap<RegistrationId, Vec<WatchId>>,
    by_target: HashMap<Address, Vec<WatchId>>,
    asked: HashMap<Token, WatchId>,
    timers: Timers<WatchId>,
    last: u64,
}

/// A container and the categories of it that are told.
type Shown<'a> = (u32, Vec<&'a str>);

/// What a SUBSCRIBE wants, whichever form it has.
struct Wish {
    action: Action,
    resources: Vec<Resource>,
    categories: Vec<String>,
    /// The watcher asks at the contact's own address: answered by one document.
    single: bool,
}

impl Subscriptions {
    /// A SUBSCRIBE for presence. `own` is told of new watchers.
    pub fn subscribe(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, own: &mut Dialogs) {
        let key = Dialog::key(incoming.from, &incoming.request);
        let known = self.by_key.get(&key).copied();
        let expires = dialog::granted(ctx, &incoming.request);
        let wish = match self.wish(incoming, known) {
            Ok(wish) => wish,
            Err(status) => return ctx.respond_status(incoming, status),
        };
        if let (Some(id), true) = (known, expires == 0) {
            return self.finish(ctx, incoming, id);
        }
        if wish.resources.len() > limits::BATCH_RESOURCES {
            return ctx.respond_status(incoming, 413);
        }
        if expires == 0 {
            return poll(ctx, incoming, &wish);
        }
        let id = match known {
            Some(id) => id,
            None => match self.open(ctx, incoming, &key, expires) {
                Some(id) => id,
                None => return ctx.respond_status(incoming, 403),
            },
        };
        if let Some(w) = self.watches.get_mut(&id) {
            w.dialog.refresh(&incoming.request, expires);
            w.until = ctx.now + grace(expires);
            if !wish.categories.is_empty() {
                w.categories.clone_from(&wish.categories);
            }
            if w.armed.is_none_or(|t| t > w.until) {
                w.armed = Some(w.until);
                self.timers.arm(w.until, id);
            }
        }
        match wish.action {
            Action::Subscribe => self.add(ctx, incoming, id, &wish, own),
            Action::Unsubscribe => self.remove(ctx, incoming, id, &wish),
        }
    }

    fn wish(&self, incoming: &Incoming, known: Option<WatchId>) -> Result<Wish, u16> {
        let request = &incoming.request;
        let to = request.headers.to().and_then(|t| t.uri.address()).ok_or(400u16)?;
        let single = to != incoming.caller;
        let default = || batch::DEFAULT_CATEGORIES.map(String::from).to_vec();
        if !request.body.is_empty() {
            let b = BatchRequest::parse(&request.body).map_err(|_| 400u16)?;
            let categories = if b.categories.is_empty() { default() } else { b.categories };
            return Ok(Wish { action: b.action, resources: b.resources, categories, single });
        }
        if let Some(w) = known.and_then(|id| self.watches.get(&id)) {
            let resources = w.targets.keys().map(|t| Resource { uri: t.clone(), context: None }).collect();
            return Ok(Wish { action: Action::Subscribe, resources, categories: Vec::new(), single });
        }
        let accept = request.headers.get(&Name::Accept);
        if accept.is_some_and(|a| !a.contains("msrtc-event-categories")) {
            return Err(406);
        }
        if request.headers.expires() == Some(0) || single {
            let resources = if single { vec![Resource { uri: to, context: None }] } else { Vec::new() };
            return Ok(Wish { action: Action::Subscribe, resources, categories: default(), single });
        }
        Err(400)
    }

    fn open(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, key: &DialogKey, expires: u32) -> Option<WatchId> {
        let of_endpoint = self.by_endpoint.entry(incoming.from).or_default();
        if of_endpoint.len() >= limits::SUBSCRIPTIONS_PER_ENDPOINT {
            return None;
        }
        self.last += 1;
        let id = WatchId(self.last);
        of_endpoint.push(id);
        let dialog = Dialog::new(ctx, incoming.from, &incoming.request, expires);
        let watcher = incoming.caller.clone();
        let targets = HashMap::new();
        self.watches.insert(
            id,
            Watch { key: key.clone(), dialog, watcher, categories: Vec::new(), targets, until: ctx.now, armed: None },
        );
        self.by_key.insert(key.clone(), id);
        Some(id)
    }

    /// Adds people to the list of the dialog and answers with everything about exactly these.
    fn add(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, id: WatchId, wish: &Wish, own: &mut Dialogs) {
        let mut entries = Vec::with_capacity(wish.resources.len());
        let mut documents = Vec::with_capacity(wish.resources.len());
        for resource in &wish.resources {
            let state = self.watch(ctx, id, resource);
            if let (InstanceState::Active, Some(w)) = (&state, self.watches.get(&id)) {
                documents.extend(ctx.user(&resource.uri).map(|u| view(u, container_of(w, &resource.uri), &w.categories)));
                if let Some(words) = &resource.context {
                    prompt(ctx, &resource.uri, &w.watcher.clone(), words, own);
                }
            }
            entries.push((resource.uri.clone(), state));
        }
        self.answer(ctx, incoming, id, wish.single, entries, documents);
    }

    fn watch(&mut self, ctx: &Ctx<'_>, id: WatchId, resource: &Resource) -> InstanceState {
        let terminated = |status, reason: &str| InstanceState::Terminated { status: Some(status), reason: Some(reason.into()) };
        let Some(user) = ctx.user(&resource.uri) else { return terminated(404, "no such user") };
        let Some(w) = self.watches.get_mut(&id) else { return terminated(500, "no dialog") };
        let container = user.container_for(ctx.config, &w.watcher);
        if w.targets.insert(resource.uri.clone(), container).is_some() {
            return InstanceState::Active;
        }
        let watchers = self.by_target.entry(resource.uri.clone()).or_default();
        let wants = w.categories.len();
        let watched: usize = watchers.iter().filter_map(|id| self.watches.get(id)).map(|w| w.categories.len().max(1)).sum();
        if !ctx.config.policy(&user.record).takes(watched, wants) {
            if let Some(w) = self.watches.get_mut(&id) {
                w.targets.remove(&resource.uri);
            }
            return terminated(403, batch::TOO_MANY_WATCHERS);
        }
        watchers.push(id);
        InstanceState::Active
    }

    fn remove(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, id: WatchId, wish: &Wish) {
        let mut entries = Vec::new();
        for resource in &wish.resources {
            if let Some(w) = self.watches.get_mut(&id) {
                w.targets.remove(&resource.uri);
            }
            self.forget_target(&resource.uri, id);
            let state = InstanceState::Terminated { status: None, reason: Some("unsubscribed".into()) };
            entries.push((resource.uri.clone(), state));
        }
        self.answer(ctx, incoming, id, wish.single, entries, Vec::new());
    }

    fn answer(
        &mut self,
        ctx: &mut Ctx<'_>,
        incoming: &Incoming,
        id: WatchId,
        single: bool,
        entries: Vec<(Address, InstanceState)>,
        documents: Vec<WatchedCategories>,
    ) {
        let empty = self.watches.get(&id).is_some_and(|w| w.targets.is_empty());
        if single && empty && entries.iter().any(|e| matches!(e.1, InstanceState::Terminated { status: Some(404), .. })) {
            self.end(id);
            return ctx.respond_status(incoming, 404);
        }
        let (kind, body) = body(ctx, &incoming.caller, single, entries, &documents);
        if let Some(w) = self.watches.get_mut(&id) {
            let document = Document::new(&kind, &body).eventlist();
            if let Some(token) = w.dialog.accept(ctx, incoming.tx, &incoming.request, document) {
                self.asked.insert(token, id);
            }
        }
    }

    /// `Expires: 0` in the dialog.
    fn finish(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, id: WatchId) {
        if let Some(w) = self.watches.get_mut(&id) {
            w.dialog.refresh(&incoming.request, 0);
            w.dialog.accept(ctx, incoming.tx, &incoming.request, Document::NONE);
        }
        self.end(id);
    }

    /// Somebody's publications changed: who sees a changed category in a changed container is told of it.
    pub fn changed(&mut self, ctx: &mut Ctx<'_>, owner: &Address, visible: &BTreeSet<(String, u32)>) {
        let Some(ids) = self.by_target.get(owner).filter(|_| !visible.is_empty()) else { return };
        // Watchers of one container with the same wishes get the same octets.
        let mut made: Vec<(Shown<'_>, Vec<u8>)> = Vec::new();
        for id in ids {
            let Some(w) = self.watches.get_mut(id) else { continue };
            let container = container_of(w, owner);
            let wanted = |c: &str| w.categories.iter().any(|k| k == c) && access::is_delivered(c);
            let names: Vec<&str> = visible.iter().filter(|v| v.1 == container && wanted(&v.0)).map(|v| v.0.as_str()).collect();
            if names.is_empty() {
                continue;
            }
            let wish = (container, names);
            let at = match made.iter().position(|m| m.0 == wish) {
                Some(at) => at,
                None => {
                    let Some(user) = ctx.state.users.get(owner) else { return };
                    let document = view(user, container, &wish.1);
                    made.push((wish, document.to_bytes()));
                    made.len() - 1
                }
            };
            let Some((_, octets)) = made.get(at) else { continue };
            w.until = w.until.max(ctx.now + grace(w.dialog.expires));
            let document = Document::new(categories::CONTENT_TYPE, octets).eventlist();
            if let Some(token) = w.dialog.notify(ctx, document) {
                self.asked.insert(token, *id);
            }
        }
    }

    /// Members of somebody's containers changed: who is at another level now gets what differs there.
    pub fn levels_changed(&mut self, ctx: &mut Ctx<'_>, owner: &Address) {
        for id in self.by_target.get(owner).cloned().unwrap_or_default() {
            let Some(w) = self.watches.get_mut(&id) else { continue };
            let Some(user) = ctx.state.users.get(owner) else { return };
            let (old, new) = (container_of(w, owner), user.container_for(ctx.config, &w.watcher));
            if old == new {
                continue;
            }
            w.targets.insert(owner.clone(), new);
            let differing: Vec<&str> = w.categories.iter().map(String::as_str).filter(|c| differs(user, c, old, new)).collect();
            if differing.is_empty() {
                continue;
            }
            let octets = view(user, new, &differing).to_bytes();
            if let Some(token) = w.dialog.notify(ctx, Document::new(categories::CONTENT_TYPE, &octets).eventlist()) {
                self.asked.insert(token, id);
            }
        }
    }

    /// An answer to a NOTIFY; one that refuses ends the dialog.
    pub fn on_reply(&mut self, token: Token, reply: &Reply) {
        let refused = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) => !r.is_success() && r.status != 401,
            Reply::Timeout | Reply::Lost => true,
        };
        if let Some(id) = self.asked.remove(&token)
            && refused
        {
            self.end(id);
        }
    }

    /// An endpoint is gone: so are its dialogs.
    pub fn end_registration(&mut self, registration: RegistrationId) {
        for id in self.by_endpoint.remove(&registration).unwrap_or_default() {
            self.end(id);
        }
    }

    /// Somebody is no user any more.
    pub fn end_target(&mut self, ctx: &mut Ctx<'_>, target: &Address) {
        for id in self.by_target.remove(target).unwrap_or_default() {
            let Some(w) = self.watches.get_mut(&id) else { continue };
            w.targets.remove(target);
            let mut gone = WatchedCategories::new(target.clone());
            w.categories.iter().for_each(|c| gone.push_empty(c));
            let octets = gone.to_bytes();
            if let Some(token) = w.dialog.notify(ctx, Document::new(categories::CONTENT_TYPE, &octets).eventlist()) {
                self.asked.insert(token, id);
            }
        }
    }

    fn end(&mut self, id: WatchId) {
        let Some(w) = self.watches.remove(&id) else { return };
        self.by_key.remove(&w.key);
        if let Some(ids) = self.by_endpoint.get_mut(&w.key.0) {
            ids.retain(|i| *i != id);
            if ids.is_empty() {
                self.by_endpoint.remove(&w.key.0);
            }
        }
        for target in w.targets.keys() {
            self.forget_target(target, id);
        }
    }

    fn forget_target(&mut self, target: &Address, id: WatchId) {
        if let Some(ids) = self.by_target.get_mut(target) {
            ids.retain(|i| *i != id);
            if ids.is_empty() {
                self.by_target.remove(target);
            }
        }
    }

    /// Dialogs that were not renewed end.
    pub fn expire(&mut self, now: Time) {
        while let Some(id) = self.timers.pop_due(now) {
            match self.watches.get_mut(&id) {
                Some(w) if w.until > now => {
                    w.armed = Some(w.until);
                    self.timers.arm(w.until, id);
                }
                Some(_) => self.end(id),
                None => {}
            }
        }
    }

    /// When to call [`Subscriptions::expire`].
    pub fn next(&self) -> Option<Time> {
        self.timers.next()
    }
}

fn grace(expires: u32) -> Duration {
    Duration::from_secs(u64::from(expires) + 32)
}

fn container_of(w: &Watch, target: &Address) -> u32 {
    w.targets.get(target).copied().unwrap_or(0)
}

/// One document per person, or for a subscription to a single person just that.
fn body(
    ctx: &mut Ctx<'_>,
    caller: &Address,
    single: bool,
    resources: Vec<(Address, InstanceState)>,
    documents: &[WatchedCategories],
) -> (String, Vec<u8>) {
    if let (true, Some(document)) = (single, documents.first()) {
        return (categories::CONTENT_TYPE.to_owned(), document.to_bytes());
    }
    let list = ResourceList { uri: caller.clone(), version: 0, full: false, resources };
    batch::build_presence(&ctx.rng.hex(16), &list, documents)
}

/// `Expires: 0` without a dialog: one answer and nothing more.
fn poll(ctx: &mut Ctx<'_>, incoming: &Incoming, wish: &Wish) {
    let (mut entries, mut documents) = (Vec::new(), Vec::new());
    for resource in &wish.resources {
        let state = match ctx.user(&resource.uri) {
            Some(user) => {
                let container = user.container_for(ctx.config, &incoming.caller);
                documents.push(view(user, container, &wish.categories));
                InstanceState::Active
            }
            None => InstanceState::Terminated { status: Some(404), reason: Some("no such user".into()) },
        };
        entries.push((resource.uri.clone(), state));
    }
    if wish.single && documents.is_empty() {
        return ctx.respond_status(incoming, 404);
    }
    let (kind, octets) = body(ctx, &incoming.caller, wish.single, entries, &documents);
    let mut dialog = Dialog::new(ctx, incoming.from, &incoming.request, 0);
    dialog.accept(ctx, incoming.tx, &incoming.request, Document::new(&kind, &octets).eventlist());
}

/// What a container shows of some categories; one without anything is said to be empty.
fn view<C: AsRef<str>>(user: &User, container: u32, categories: &[C]) -> WatchedCategories {
    WatchedCategories::seen(user.record.address.clone(), categories, container, user.presence.publications())
}

/// Whether two containers show different things of a category. Of a state it counts, too, since when it holds.
fn differs(user: &User, category: &str, one: u32, two: u32) -> bool {
    let content = |container| {
        let since = |p: &Publication| p.publish_time.filter(|_| category == "state");
        let said = |p: &Publication| (p.key.instance, since(p), p.value.clone());
        let mut all: Vec<_> = user.presence.in_container(category, container).map(said).collect();
        all.sort();
        all
    };
    access::is_delivered(category) && content(one) != content(two)
}

/// Tells somebody that they were added to a list, once (`domain.md` 5.10). Blocked people's additions go unsaid.
fn prompt(ctx: &mut Ctx<'_>, owner: &Address, watcher: &Address, words: &str, own: &mut Dialogs) {
    let display_name = ctx.display_name(watcher);
    let config = ctx.config;
    let Some(user) = ctx.state.users.get_mut(owner) else { return };
    if owner == watcher || user.container_for(config, watcher) == BLOCKED_CONTAINER {
        return;
    }
    let list = &mut user.presence.subscribers;
    let waiting = list.iter().filter(|s| !s.acknowledged).count();
    if list.iter().any(|s| s.uri == *watcher) || !config.policy(&user.record).asks(waiting) {
        return;
    }
    let network = Some(network_of(config, watcher));
    let subscriber =
        Subscriber { network, since: Some(ctx.now), words: words.to_owned(), ..Subscriber::new(watcher.clone(), display_name) };
    list.push(subscriber.clone());
    announce(ctx, own, owner, vec![subscriber]);
}
