//! What must be true when the storm is over.

use crate::company::Company;
use adsum::domain::Address;
use adsum::domain::conversation::{Conversation, ConversationState as S, Delivery, Participant};
use adsum::domain::presence::{Freshness, Presence, SelfPresence};
use adsum::endpoint::user::UnderWay;
use adsum::endpoint::{EndpointState, Operation, Outcome};
use adsum::frontend::{Reach, User, server};
use adsum::lync::batch::DEFAULT_CATEGORIES;
use adsum::lync::categories::{WatchedCategories, merge_categories};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

/// Wake-ups of one endpoint with all that follows in an hour without anything to do.
const WAKE_UPS_PER_HOUR: u64 = 100;

/// Collects what is wrong.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn same<T: PartialEq + Debug>(&mut self, what: impl FnOnce() -> String, got: &T, wanted: &T) {
        if got != wanted {
            self.0.push(format!("{}:\n  is        {got:?}\n  should be {wanted:?}", what()));
        }
    }

    fn check(&mut self, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.0.push(what());
        }
    }
}

/// Everybody is signed in and knows what the server knows.
pub fn agreement(c: &Company) -> Vec<String> {
    let mut f = Findings::default();
    for client in 0..c.world.clients.len() {
        let state = c.world.clients[client].endpoint.state();
        f.same(|| format!("state of {}", c.name(client)), &state, &EndpointState::Established);
        lists(c, client, &mut f);
        own_presence(c, client, &mut f);
        others(c, client, &mut f);
        conversations(c, client, &mut f);
    }
    attendance(c, &mut f);
    kept(c, &mut f);
    messages(c, &mut f);
    for asked in &c.asked {
        let done = c.world.result(asked.client, asked.id).is_some();
        f.check(done, || format!("{} never ended: {}", c.name(asked.client), asked.what));
    }
    f.0
}

fn user<'a>(c: &'a Company, who: &Address) -> Option<&'a User> {
    c.world.server.state().users.get(who)
}

fn lists(c: &Company, client: usize, f: &mut Findings) {
    let Some(owner) = user(c, &c.world.clients[client].address) else { return };
    let view = c.world.view(client);
    let groups: BTreeMap<_, _> = owner.contacts.groups.iter().map(|g| (g.id, g.clone())).collect();
    let contacts: BTreeMap<_, _> = owner.contacts.contacts.iter().map(|k| (k.uri.clone(), k.clone())).collect();
    f.same(|| format!("groups of {}", c.name(client)), &view.groups, &groups);
    f.same(|| format!("contacts of {}", c.name(client)), &view.contacts, &contacts);
}

fn own_presence(c: &Company, client: usize, f: &mut Findings) {
    let Some(owner) = user(c, &c.world.clients[client].address) else { return };
    let Some(known) = &c.world.view(client).own else {
        return f.0.push(format!("{} knows nothing of its own presence", c.name(client)));
    };
    let (known, kept) = (sorted(known), sorted(&owner.presence.snapshot()));
    let missing: Vec<_> = kept.publications.iter().filter(|p| !known.publications.contains(p)).collect();
    let more: Vec<_> = known.publications.iter().filter(|p| !kept.publications.contains(p)).collect();
    f.same(|| format!("own publications of {}", c.name(client)), &more, &missing);
    f.same(|| format!("containers of {}", c.name(client)), &known.containers, &kept.containers);
    f.same(|| format!("subscribers of {}", c.name(client)), &known.subscribers, &kept.subscribers);
}

fn sorted(own: &SelfPresence) -> SelfPresence {
    let mut own = own.clone();
    own.publications.sort_by(|a, b| a.key.cmp(&b.key));
    own.containers.sort_by_key(|k| k.id);
    own.containers.iter_mut().for_each(|k| k.members.sort());
    own.subscribers.sort_by(|a, b| a.uri.cmp(&b.uri));
    own
}

/// What `watcher` must know of `owner`: what the server shows at the watcher's level.
fn shown(c: &Company, owner: &User, watcher: &Address) -> Presence {
    let container = owner.container_for(&c.world.server_config, watcher);
    let mut document = WatchedCategories::new(owner.record.address.clone());
    for category in DEFAULT_CATEGORIES {
        owner.presence.in_container(category, container).for_each(|p| document.push(p));
    }
    let mut presence = Presence::default();
    merge_categories(&mut presence, &document, c.world.now);
    presence
}

fn others(c: &Company, client: usize, f: &mut Findings) {
    let me = &c.world.clients[client].address;
    let view = c.world.view(client);
    let watched = c.watched.iter().filter(|w| w.0 == client).map(|w| &w.1);
    let wanted: BTreeSet<&Address> = view.contacts.keys().chain(watched).collect();
    for who in wanted {
        let Some(owner) = user(c, who) else { continue };
        let Some(known) = view.presence.get(who) else {
            f.0.push(format!("{} knows nothing of {who}", c.name(client)));
            continue;
        };
        f.check(matches!(known.freshness, Freshness::Known { .. }), || format!("{} has old news of {who}", c.name(client)));
        let mut right = shown(c, owner, me);
        right.freshness = known.freshness;
        // When something was published anew with the same words is no news to watchers.
        right.since = known.since;
        f.same(|| format!("{who} as {} sees them", c.name(client)), known, &right);
    }
}

fn conversations(c: &Company, client: usize, f: &mut Findings) {
    let view = c.world.view(client);
    for t in view.conversations.values() {
        let settled = !matches!(t.state, S::Incoming | S::Establishing | S::Conferencing | S::Terminating);
        f.check(settled, || format!("{} is stuck: {t:?}", c.name(client)));
        if matches!(t.state, S::Conferenced | S::InLobby) {
            roster(c, client, t, f);
        }
    }
}

fn roster(c: &Company, client: usize, t: &Conversation, f: &mut Findings) {
    let me = &c.world.clients[client].address;
    let focus = t.focus.clone().unwrap_or_default();
    let all = c.world.server.conferences();
    let Some(there) = all.iter().find(|a| a.conference.uri == focus) else {
        return f.0.push(format!("{} is in a conference that does not exist: {focus}", c.name(client)));
    };
    let Some(mine) = there.participants.iter().find(|p| p.uri == *me) else {
        return f.0.push(format!("{} believes to be in {focus}, the focus does not", c.name(client)));
    };
    f.same(|| format!("{} waits in the lobby of {focus}", c.name(client)), &(t.state == S::InLobby), &mine.in_lobby);
    if mine.in_lobby {
        return;
    }
    let sees = |p: &&Participant| p.uri != *me;
    let mut known: Vec<Participant> = t.participants.iter().map(|p| Participant { typing: false, ..p.clone() }).collect();
    known.sort_by(|a, b| a.uri.cmp(&b.uri));
    let right: Vec<Participant> = there.participants.iter().filter(sees).cloned().collect();
    f.same(|| format!("roster of {focus} at {}", c.name(client)), &known, &right);
    f.same(|| format!("own role of {} in {focus}", c.name(client)), &t.my_role, &Some(mine.role));
    f.same(|| format!("lock of {focus} at {}", c.name(client)), &t.locked, &there.locked);
}

/// Whoever the focus counts in knows that.
fn attendance(c: &Company, f: &mut Findings) {
    for a in c.world.server.conferences() {
        for p in &a.participants {
            let here = |i: usize| {
                let mut all = c.world.view(i).conversations.values();
                let inside = |t: &Conversation| matches!(t.state, S::Conferenced | S::InLobby);
                // Who was called in knows it as an ordinary conversation, by the title it had then; only meetings have such.
                let titled = |t: &Conversation| t.subject.starts_with("Subject ") || t.subject == "Now";
                let called = |t: &Conversation| t.state == S::Established && t.focus.is_none() && titled(t);
                let there = |t: &Conversation| inside(t) && t.focus.as_ref() == Some(&a.conference.uri);
                c.world.clients[i].address == p.uri && all.any(|t| there(t) || called(t))
            };
            let known = (0..c.world.clients.len()).any(here);
            f.check(known, || format!("{} counts {} in, who does not know", a.conference.uri, p.uri));
        }
    }
}

/// A crash now would lose nothing that must outlive it.
fn kept(c: &Company, f: &mut Findings) {
    for kept in &c.world.kept.users {
        let Some(user) = user(c, &kept.record.address) else { continue };
        f.same(|| format!("kept contacts of {}", kept.record.address), &kept.contacts, &user.contacts);
    }
    let mut kept: Vec<_> = c.world.kept.conferences.iter().map(|k| (&k.uri, k.version, &k.settings)).collect();
    kept.sort_by_key(|k| k.0.clone());
    let live = c.world.server.conferences();
    let mut live: Vec<_> = live.iter().map(|a| (&a.conference.uri, a.conference.version, &a.conference.settings)).collect();
    live.sort_by_key(|k| k.0.clone());
    f.same(|| "kept conferences".into(), &kept, &live);
}

/// Each message arrived at most once anywhere, and where its author was told that it arrived, it did.
fn messages(c: &Company, f: &mut Findings) {
    for w in &c.written {
        let state = c.world.view(w.client).messages[&w.conversation].iter().find(|m| m.id == w.message).map(|m| m.state.clone());
        let refused =
            c.asked.iter().filter(|a| a.client == w.client && a.what.contains(&format!("MessageId(\"{}\")", w.message.0)));
        let refused = refused.filter_map(|a| c.world.result(w.client, a.id)).any(Result::is_err);
        let name = || format!("{} of {}", w.text, c.name(w.client));
        let heard: Vec<usize> = (0..c.world.clients.len()).map(|i| times(c, i, &w.text)).collect();
        for (i, times) in heard.iter().enumerate() {
            f.check(*times <= 1, || format!("{} was heard {times} times by {}", name(), c.name(i)));
        }
        f.check(!refused || heard.iter().all(|n| *n == 0), || format!("{} was refused and heard", name()));
        match state {
            Some(Delivery::Delivered) => delivered(c, w, &heard, f),
            Some(Delivery::Failed(_)) => {}
            // In a conference the report may be lost with the link, or come to somebody who has left.
            Some(Delivery::Sent) if c.world.clients[w.client].breaks > w.breaks[w.client] || !inside(c, w) => {}
            _ if refused => {}
            other => f.0.push(format!("{} ended as {other:?}", name())),
        }
    }
}

fn inside(c: &Company, w: &crate::company::Written) -> bool {
    c.world.view(w.client).conversations.get(&w.conversation).is_some_and(|t| t.state == S::Conferenced)
}

fn times(c: &Company, client: usize, text: &str) -> usize {
    c.world.view(client).heard.iter().filter(|(_, m)| m.body == text).count()
}

fn delivered(c: &Company, w: &crate::company::Written, heard: &[usize], f: &mut Findings) {
    let me = &c.world.clients[w.client].address;
    let somebody = (0..heard.len()).any(|i| heard[i] > 0 && c.world.clients[i].address != *me);
    let t = c.world.view(w.client).conversations.get(&w.conversation);
    let conference = t.is_some_and(|t| t.focus.is_some());
    f.check(somebody || conference, || format!("{} of {} arrived nowhere", w.text, c.name(w.client)));
    for i in w.hearers.iter().filter(|i| c.world.clients[**i].breaks == w.breaks[**i]) {
        let mut all = c.world.view(*i).conversations.values();
        let still = all.any(|k| k.state == S::Conferenced && k.focus.is_some() && k.focus == t.and_then(|t| t.focus.clone()));
        f.check(heard[*i] == 1 || !still, || format!("{} of {} did not reach {}", w.text, c.name(w.client), c.name(*i)));
    }
}

/// Whoever believes to be in a conversation says something there, and it must get through.
pub fn words(c: &mut Company) -> Vec<String> {
    let first = c.written.len();
    for client in 0..c.world.clients.len() {
        let all = c.world.view(client).conversations.values();
        let live = all.filter(|t| matches!(t.state, S::Established | S::Conferenced)).map(|t| t.id.clone());
        for conversation in live.collect::<Vec<_>>() {
            c.say(client, &conversation);
        }
    }
    c.run(Duration::from_secs(100));
    let mut f = Findings::default();
    for w in c.written.iter().skip(first).filter(|w| must_arrive(c, w)) {
        let state = c.world.view(w.client).messages[&w.conversation].iter().find(|m| m.id == w.message).map(|m| m.state.clone());
        // Who was called in hears that they are muted only by this.
        if matches!(&state, Some(Delivery::Failed(why)) if why.contains("you are muted")) {
            continue;
        }
        f.same(|| format!("{} of {} in {}", w.text, c.name(w.client), w.conversation.0), &state, &Some(Delivery::Delivered));
    }
    messages(c, &mut f);
    f.0
}

/// In a conference it must. A person alone at one device who may be disturbed must get it, too.
fn must_arrive(c: &Company, w: &crate::company::Written) -> bool {
    let Some(t) = c.world.view(w.client).conversations.get(&w.conversation) else { return true };
    let (Some(other), None) = (t.participants.first(), &t.focus) else { return true };
    let devices = c.world.clients.iter().filter(|k| k.address == other.uri).count();
    let me = &c.world.clients[w.client].address;
    devices == 1 && user(c, &other.uri).is_some_and(|u| u.reach(&c.world.server_config, me) == Reach::Allow)
}

/// Everybody asks for the own conferences: they are those of the server.
pub fn schedules(c: &mut Company) -> Vec<String> {
    let asked: Vec<_> = (0..c.world.clients.len()).map(|i| c.operate(i, Operation::ListConferences)).collect();
    c.run(Duration::from_secs(20));
    let mut f = Findings::default();
    for (client, id) in asked.into_iter().enumerate() {
        let me = c.world.clients[client].address.clone();
        let all = c.world.server.conferences().into_iter().map(|a| a.conference).filter(|k| k.organizer == me);
        let mut right: Vec<_> = all.map(|k| (k.uri, k.version, k.is_active, k.settings)).collect();
        right.sort_by_key(|k| k.0.clone());
        let known = match c.world.result(client, id) {
            Some(Ok(Outcome::Conferences(all))) => all.clone(),
            other => {
                f.0.push(format!("{} could not list: {other:?}", c.name(client)));
                continue;
            }
        };
        let mut known: Vec<_> = known.into_iter().map(|k| (k.uri, k.version, k.is_active, k.settings)).collect();
        known.sort_by_key(|k| k.0.clone());
        f.same(|| format!("conferences of {}", c.name(client)), &known, &right);
    }
    f.0
}

/// Everybody signs out: nobody waits for anything any more, and the server knows it.
pub fn night(c: &mut Company) -> Vec<String> {
    for client in 0..c.world.clients.len() {
        c.operate(client, Operation::SignOut);
    }
    c.run(Duration::from_secs(60));
    let mut f = Findings::default();
    for client in 0..c.world.clients.len() {
        let endpoint = &c.world.clients[client].endpoint;
        f.same(|| format!("state of {} at night", c.name(client)), &endpoint.state(), &EndpointState::Terminated);
        f.same(|| format!("next timer of {} at night", c.name(client)), &endpoint.poll_timeout(), &None);
    }
    f.same(|| "registrations at night".into(), &c.world.server.state().registrations.len(), &0);
    f.0
}

/// Nobody talks any more: nothing is open, nothing is awaited, and hardly anything happens.
pub fn rest(c: &mut Company) -> Vec<String> {
    // A poll of presence may be on its way just now.
    c.world.settle();
    let mut f = Findings::default();
    for client in 0..c.world.clients.len() {
        let open = c.world.clients[client].endpoint.under_way();
        f.same(|| format!("left open at {}", c.name(client)), &open, &UnderWay::default());
        for t in c.world.view(client).conversations.values() {
            f.same(|| format!("{} in {}", c.name(client), t.id.0), &t.state, &S::Terminated);
        }
    }
    f.same(|| "left open at the server".into(), &c.world.server.under_way(), &server::UnderWay::default());
    for asked in &c.asked {
        let done = c.world.result(asked.client, asked.id).is_some();
        f.check(done, || format!("{} never ended: {}", c.name(asked.client), asked.what));
    }
    let before = c.world.steps;
    c.run(Duration::from_secs(3600));
    let (woken, most) = (c.world.steps - before, WAKE_UPS_PER_HOUR * c.world.clients.len() as u64);
    f.check(woken <= most, || format!("{woken} wake-ups in an hour of rest, at most {most} are right"));
    f.0
}
