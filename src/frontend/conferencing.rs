//! Focus factory, focus and IM MCU (lync-conversations.md 3 to 5, `domain.md` 8).
//!
//! [`Conferencing`] keeps all conferences and knows which of the three a request is for: by its URI outside dialogs, by our
//! tag within them. Every 2xx that opens a dialog gets a tag of its own, so one look-up finds conference, person and device.

mod attendance;
mod control;
mod dial_out;
mod dialog;
mod factory;
mod focus;
mod im_mcu;
mod live;
mod notify;
#[cfg(test)]
mod tests;

pub use attendance::Attendance;

use super::{Ctx, Incoming, Module, Registration, RegistrationId, Reply, Running, StoreOp, Token};
use crate::domain::conference::{Conference, ConferenceId};
use crate::domain::{Address, Time};
use crate::lync::identity::{ConferenceUri, parse_conference_uri};
use crate::sip::{Method, Name};
use live::Conf;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Organizer, and the conference id in lower case.
type Key = (Address, String);

/// All conferences of this front end.
#[derive(Debug, Default)]
pub struct Conferencing {
    /// Ordered, so that those of one organizer lie together.
    confs: BTreeMap<Key, Conf>,
    /// By our tag.
    dialogs: HashMap<String, Place>,
    /// Conferences an endpoint is in.
    of_endpoint: HashMap<RegistrationId, BTreeSet<Key>>,
    messages: im_mcu::Messages,
    /// INVITEs of IM MCUs.
    calls: dial_out::Calls,
    /// Calls that are not decided, with the person called.
    asked: HashMap<(Key, Address), dial_out::Asked>,
    timers: BTreeSet<(Time, Timer)>,
}

/// Where a dialog of ours belongs.
#[derive(Clone, Debug)]
struct Place {
    key: Key,
    who: Address,
    at: RegistrationId,
    kind: Kind,
    call_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Focus,
    Subscription,
    Chat,
    /// A chat to which the IM MCU has called.
    Call,
}

/// Reasons to wake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The last one left a minute ago.
    Idle(Key),
    /// It ran when the front end stopped, and nobody has come back yet.
    Resumed(Key),
    /// Nobody decided about somebody in the lobby.
    Lobby(Key, Address),
    /// The receivers of a message had their time.
    Report(u64),
    /// The time after the last colleague left is over.
    Countdown(Key),
    /// Somebody who is called does not answer.
    Call(Key, Address),
    /// The session timer of a device's focus dialog ran out.
    Session(Key, Address, RegistrationId),
}

impl Conferencing {
    /// With what was kept. Those that ran go on when somebody comes back soon.
    pub fn new(conferences: Vec<Conference>, running: Vec<Running>) -> Conferencing {
        let mut confs: BTreeMap<Key, Conf> =
            conferences.into_iter().map(|c| (key_of(&c.organizer, &c.id.0), Conf::new(c))).collect();
        let mut timers = BTreeSet::new();
        for r in running {
            let key = key_of(&r.organizer, &r.id.0);
            if let Some(conf) = confs.get_mut(&key) {
                conf.resume(r);
                // The time is not known here; the first look at the clock begins the wait.
                timers.insert((Time(0), Timer::Resumed(key)));
            }
        }
        Conferencing { confs, timers, ..Conferencing::default() }
    }
}

impl Module for Conferencing {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        if incoming.tx.is_none() {
            // ACK of our 2xx, or a stray BENOTIFY: nothing depends on them.
            return;
        }
        let tag = incoming.request.headers.to().and_then(|t| t.tag().map(str::to_owned));
        match tag {
            Some(tag) => self.within_dialog(ctx, incoming, &tag),
            None => self.outside_dialog(ctx, incoming),
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if !self.call_reply(ctx, token, &reply) {
            self.message_reply(ctx, token, reply);
        }
    }

    fn on_registration_lost(&mut self, ctx: &mut Ctx<'_>, registration: &Registration) {
        for key in self.of_endpoint.remove(&registration.id).unwrap_or_default() {
            // An application may sit there as somebody else.
            let live = self.confs.get(&key).and_then(|c| c.live.as_ref());
            let here = live.iter().flat_map(|l| &l.members).filter(|(_, m)| m.is_at(registration.id));
            let people: Vec<Address> = here.map(|(who, _)| who.clone()).collect();
            for who in people {
                self.leave(ctx, &key, &who, registration.id);
            }
        }
    }

    fn on_user_removed(&mut self, ctx: &mut Ctx<'_>, user: &Address) {
        for key in self.keys_of(user) {
            self.end(ctx, &key, "The organizer's account was removed");
            self.confs.remove(&key);
        }
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(at) = self.poll_timeout().filter(|at| *at <= ctx.now) {
            let Some((_, timer)) = self.timers.pop_first() else { break };
            match timer {
                Timer::Idle(key) => self.idle(ctx, &key, at),
                Timer::Resumed(key) => self.resumed(ctx, &key),
                Timer::Lobby(key, who) => self.lobby_timeout(ctx, &key, &who, at),
                Timer::Report(id) => self.report(ctx, id),
                Timer::Call(key, who) => self.call_timeout(ctx, &key, &who),
                Timer::Countdown(key) => self.end(ctx, &key, "Everybody of the organizer's company has left"),
                Timer::Session(key, who, id) => self.session_over(ctx, &key, &who, id, at),
            }
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.timers.first().map(|t| t.0)
    }
}

impl Conferencing {
    fn outside_dialog(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        let Some(named) = parse_conference_uri(incoming.request.uri.as_str()) else {
            return ctx.refuse(&incoming, 404, 3012, "Invalid conference URI");
        };
        match (named, &incoming.request.method) {
            (ConferenceUri::Factory(owner), Method::Service) => self.factory(ctx, incoming, owner),
            (ConferenceUri::Focus(owner, id), Method::Invite) => self.join(ctx, incoming, key_of(&owner, &id.0)),
            (ConferenceUri::Focus(owner, id), Method::Subscribe) => self.subscribe(ctx, incoming, key_of(&owner, &id.0)),
            (ConferenceUri::Mcu(owner, id, kind), Method::Invite) if kind == "chat" => {
                self.join_chat(ctx, incoming, key_of(&owner, &id.0));
            }
            (ConferenceUri::Mcu(..), Method::Invite) => ctx.refuse(&incoming, 488, 3013, "This conference has no such MCU"),
            (_, Method::Options) => ctx.respond_status(&incoming, 200),
            (_, Method::Bye | Method::Info | Method::Message | Method::Update) => ctx.respond_status(&incoming, 481),
            _ => ctx.respond_status(&incoming, 405),
        }
    }

    fn within_dialog(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, tag: &str) {
        let found = self.dialogs.get(tag).filter(|p| p.who == incoming.caller && p.call_id == incoming.request.headers.call_id());
        let Some(place) = found.cloned() else {
            // A dialog that ended meanwhile: everybody may say goodbye to it.
            let unsubscribe = incoming.request.method == Method::Subscribe && incoming.request.headers.expires() == Some(0);
            let status = if incoming.request.method == Method::Bye || unsubscribe { 200 } else { 481 };
            return ctx.respond_status(&incoming, status);
        };
        match (place.kind, &incoming.request.method) {
            (Kind::Focus, Method::Bye) => {
                ctx.respond_status(&incoming, 200);
                self.leave(ctx, &place.key, &place.who, place.at);
            }
            (Kind::Focus, Method::Info) => self.command(ctx, incoming, &place),
            (Kind::Focus, Method::Invite | Method::Update) => self.refresh_session(ctx, &incoming, &place),
            (Kind::Subscription, Method::Subscribe) => self.resubscribe(ctx, incoming, &place),
            (Kind::Chat | Kind::Call, Method::Message) => self.message(ctx, incoming, &place),
            (Kind::Chat | Kind::Call, Method::Info) => self.typing(ctx, incoming, &place),
            (Kind::Call, Method::Bye) => {
                ctx.respond_status(&incoming, 200);
                self.drop_call(ctx, &place.key, &place.who);
            }
            (Kind::Chat, Method::Bye) => {
                ctx.respond_status(&incoming, 200);
                self.drop_chat(ctx, &place.key, &place.who, place.at);
            }
            (Kind::Chat | Kind::Call, Method::Invite) => self.chat_again(ctx, &incoming, &place, tag),
            (_, Method::Options | Method::Update) => ctx.respond_status(&incoming, 200),
            _ => ctx.respond_status(&incoming, 405),
        }
    }

    /// Enters a dialog of ours into the look-up.
    fn remember(&mut self, dialog: &dialog::Dialog, key: &Key, who: &Address, at: RegistrationId, kind: Kind) {
        let place = Place { key: key.clone(), who: who.clone(), at, kind, call_id: dialog.call_id.clone() };
        self.dialogs.insert(dialog.tag.clone(), place);
    }

    fn forget(&mut self, dialog: &dialog::Dialog) {
        self.dialogs.remove(&dialog.tag);
    }

    /// What people without an account must know to come in: the passcode, else the id.
    pub fn secret_for_guests(&self, organizer: &Address, id: &ConferenceId) -> Option<String> {
        let conference = &self.confs.get(&key_of(organizer, &id.0))?.scheduled;
        Some(conference.settings.passcode.clone().unwrap_or_else(|| conference.id.0.clone()))
    }

    fn keys_of(&self, organizer: &Address) -> Vec<Key> {
        let first = (organizer.clone(), String::new());
        self.confs.range(first..).map(|(k, _)| k).take_while(|k| k.0 == *organizer).cloned().collect()
    }
}

fn key_of(organizer: &Address, id: &str) -> Key {
    (organizer.clone(), id.to_ascii_lowercase())
}

/// Whether a `Supported` header names the token.
fn supports(incoming: &Incoming, token: &str) -> bool {
    incoming.request.headers.has_token(&Name::Supported, token)
}

impl Conferencing {
    /// Keeps what has changed of a running conference.
    fn keep_running(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        if let Some(conf) = self.confs.get_mut(key) {
            conf.keep_running(ctx);
        }
    }
}

/// Keeps a conference as scheduled.
fn keep(ctx: &mut Ctx<'_>, conf: &Conf) {
    ctx.store(StoreOp::PutConference(conf.scheduled.clone()));
}
