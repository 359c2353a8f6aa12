//! The focus: who joins, subscribes, commands, leaves (lync-conversations.md 4 and 5, `domain.md` 8).

use super::dialog::Dialog;
use super::factory::ends;
use super::live::{Live, Member, Seat, Subscription};
use super::{Conferencing, Key, Kind, Place, Timer, supports};
use crate::domain::access::SourceNetwork;
use crate::domain::admission::{Admission, Joiner, PasscodeFault, admit, check_passcode, entry_role};
use crate::domain::conference::AccessLevel;
use crate::domain::conversation::Role;
use crate::domain::{Address, Time};
use crate::frontend::guests;
use crate::frontend::limits as L;
use crate::frontend::state::network_of;
use crate::frontend::{Ctx, Incoming, RegistrationId};
use crate::lync::cccp::{self, AddUser, Answer, C3pRequest, Command, FailureReason};
use crate::lync::diagnostics::{CONFERENCE_OVER, Diagnostics, PASSCODE_MISSING, PASSCODE_WRONG};
use crate::lync::{confinfo, identity};
use crate::sip::{Method, Name, Response};

/// Longest name of a device in a conference, in octets.
pub(super) const ENTITY_MAX: usize = 128;

/// `ms-diagnostics` of a BYE from the focus.
const REMOVED: u32 = 3190;

impl Conferencing {
    /// INVITE with `addUser`.
    pub(super) fn join(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, key: Key) {
        let request = match C3pRequest::parse(&incoming.request.body) {
            Ok(r) => r,
            Err(e) => return ctx.refuse(&incoming, 400, 3006, &format!("The request cannot be read: {e}")),
        };
        let Command::AddUser(add) = &request.command else {
            return ctx.refuse(&incoming, 400, 3007, "An invitation to a focus must add its user");
        };
        let waits = match self.may_join(ctx, &incoming, &key, add) {
            Ok(waits) => waits,
            Err((status, code, reason)) => return ctx.refuse(&incoming, status, code, reason),
        };
        let Some(dialog) = Dialog::open(ctx, &incoming) else { return ctx.respond_status(&incoming, 480) };
        let role = self.take_seat(ctx, &incoming, &key, add, dialog.clone(), waits);
        let focus = self.confs.get(&key).map(|c| c.scheduled.uri.clone()).unwrap_or_default();
        let answer = request.answer(Answer::User { conference: focus, user: incoming.caller.to_string(), role });
        let ok = dialog.response(&incoming.request, 200).with(Name::Contact, contact(&incoming));
        ctx.respond(incoming.tx, session(&incoming, ok).with_body(cccp::CONTENT_TYPE, answer.to_bytes()));
        self.notify_present(ctx, &key, &incoming.caller);
    }

    /// Whether the joiner must wait in the lobby, or why it cannot join: status, `ms-diagnostics`, words.
    fn may_join(
        &self,
        ctx: &Ctx<'_>,
        incoming: &Incoming,
        key: &Key,
        add: &AddUser,
    ) -> Result<Option<Time>, (u16, u32, &'static str)> {
        if add.dial_out.is_some() {
            return Err((400, 3007, "An invitation to a focus must add its own user"));
        }
        if add.user != incoming.caller {
            return Err((403, 3002, "Only oneself can be added"));
        }
        if add.endpoint.is_empty() || add.endpoint.len() > ENTITY_MAX {
            return Err((400, 3009, "The endpoint has no usable name"));
        }
        let gone = (404, 3003, "This conference does not exist or has ended");
        let conf = self.confs.get(key).ok_or(gone)?;
        if !identity::same_uri(&add.conference, &conf.scheduled.uri) {
            return Err((400, 3003, "The request names another conference"));
        }
        if conf.live.is_none() && ends(&conf.scheduled) < ctx.now {
            return Err((404, CONFERENCE_OVER, "This conference is over"));
        }
        let who = &incoming.caller;
        if let Some(member) = conf.member(who) {
            let again = member.seats.iter().any(|s| s.registration == incoming.from);
            let full = !again && member.seats.len() >= L::CONFERENCE_SEATS;
            return if full { Err((486, 3014, "You have joined from too many devices")) } else { Ok(member.waiting) };
        }
        if ctx.is_application(who) {
            // A trusted participant is let in everywhere (`domain.md` 8.2).
            return Ok(None);
        }
        let live = conf.live.as_ref();
        if live.is_some_and(|l| l.members.len() >= L::CONFERENCE_SIZE) {
            return Err((486, 3014, "The conference is full"));
        }
        let settings = &conf.scheduled.settings;
        let joiner = conf.joiner(who, network_of(ctx.config, who));
        // A guest has proven to know it before it came here.
        let given = if guests::is_guest(who) { settings.passcode.as_deref() } else { add.pass_code.as_deref() };
        match check_passcode(joiner, settings, given) {
            Ok(()) => {}
            Err(PasscodeFault::Missing) => return Err((403, PASSCODE_MISSING, "This conference needs a passcode")),
            Err(PasscodeFault::Wrong) => return Err((403, PASSCODE_WRONG, "The passcode is wrong")),
        }
        let level = live.map_or(settings.access, Live::level);
        let bypass = live.map_or(settings.lobby_bypass, |l| l.lobby_bypass);
        let was_in = live.is_some_and(|l| l.admitted.contains(who) || l.roles.get(who) == Some(&Role::Leader));
        match admit(joiner, level, bypass) {
            Admission::Wait if !was_in && add.lobby_capable => Ok(Some(ctx.now + L::LOBBY_WAIT)),
            Admission::Wait if !was_in && level == AccessLevel::Locked => Err((403, 3014, "The conference is locked")),
            Admission::Wait if !was_in => Err((403, 3014, "The conference is not open to you")),
            _ => Ok(None),
        }
    }

    /// Seats a device, in the place of an older one of the same registration. Returns the role granted.
    fn take_seat(
        &mut self,
        ctx: &mut Ctx<'_>,
        incoming: &Incoming,
        key: &Key,
        add: &AddUser,
        focus: Dialog,
        waits: Option<Time>,
    ) -> Role {
        let who = &incoming.caller;
        self.remember(&focus, key, who, incoming.from, Kind::Focus);
        self.of_endpoint.entry(incoming.from).or_default().insert(key.clone());
        let display = if guests::is_guest(who) { guests::name(&add.display_name) } else { ctx.display_name(who) };
        let gruu = ctx.registration(incoming.from).map(|r| r.gruu.clone()).unwrap_or_default();
        let network = network_of(ctx.config, who);
        let Some(conf) = self.confs.get_mut(key) else { return Role::Attendee };
        let joiner = if ctx.is_application(who) { Joiner::Trusted } else { conf.joiner(who, network) };
        let live = conf.begin();
        let entry = entry_role(joiner, network, live.leaders);
        if let Some(at) = live.idle_at.take() {
            self.timers.remove(&(at, Timer::Idle(key.clone())));
        }
        let role = live.roles.get(who).copied().unwrap_or(entry);
        let muted = waits.is_none() && !live.members.contains_key(who) && live.mutes(who, role);
        let hidden = joiner == Joiner::Trusted;
        let new = || Member { display, role, waiting: waits, muted, recording: false, hidden, seats: Vec::new(), call: None };
        let member = live.members.entry(who.clone()).or_insert_with(new);
        let role = member.role;
        let old = member.seats.iter().position(|s| s.registration == incoming.from).map(|at| member.seats.remove(at));
        let seat = Seat {
            entity: add.endpoint.clone(),
            registration: incoming.from,
            gruu,
            focus,
            subscription: None,
            chat: None,
            session_ends: None,
        };
        member.seats.push(seat);
        if let Some(at) = waits {
            self.timers.insert((at, Timer::Lobby(key.clone(), who.clone())));
        }
        // The device has begun anew, so it does not know its old dialogs any more.
        if let Some(old) = old {
            self.forget_seat(&old);
        }
        self.watch_session(ctx, &incoming.request, key, who, incoming.from);
        self.count_colleagues(ctx, key);
        self.keep_running(ctx, key);
        role
    }

    /// SUBSCRIBE outside a dialog: the first one, or the goodbye of a client that uses a new Call-ID for it.
    pub(super) fn subscribe(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, key: Key) {
        let event = incoming.request.headers.get(&Name::Event).unwrap_or("");
        if !event.split(';').next().is_some_and(|e| e.trim().eq_ignore_ascii_case(confinfo::EVENT)) {
            return ctx.respond_status(&incoming, 489);
        }
        if incoming.request.headers.expires() == Some(0) {
            return self.unsubscribe(ctx, &incoming, &key);
        }
        if !self.confs.contains_key(&key) {
            return ctx.refuse(&incoming, 404, 3003, "This conference does not exist or has ended");
        }
        let seated = self.confs.get_mut(&key).and_then(|c| c.seat_mut(&incoming.caller, incoming.from)).is_some();
        if !seated {
            return ctx.refuse(&incoming, 403, 3014, "Join the conference first");
        }
        let Some(dialog) = Dialog::open(ctx, &incoming) else { return ctx.respond_status(&incoming, 480) };
        self.remember(&dialog, &key, &incoming.caller, incoming.from, Kind::Subscription);
        let best_effort = supports(&incoming, "ms-benotify");
        let entity = incoming.request.headers.to().map_or_else(String::new, |t| t.uri.to_string());
        let new = Subscription { dialog, entity, version: 0, best_effort };
        let seat = self.confs.get_mut(&key).and_then(|c| c.seat_mut(&incoming.caller, incoming.from));
        if let Some(old) = seat.and_then(|s| s.subscription.replace(new)) {
            self.forget(&old.dialog);
        }
        self.subscribed(ctx, &incoming, &key);
    }

    /// SUBSCRIBE in the dialog: renewal brings the whole state again (RFC 4575 §3.5), Expires 0 ends it.
    pub(super) fn resubscribe(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, place: &Place) {
        if incoming.request.headers.expires() == Some(0) {
            self.unsubscribe(ctx, &incoming, &place.key);
        } else {
            self.subscribed(ctx, &incoming, &place.key);
        }
    }

    /// 200 with the whole state inside, or followed by it.
    fn subscribed(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, key: &Key) {
        let Some(conf) = self.confs.get_mut(key) else { return ctx.respond_status(incoming, 481) };
        let mut document = conf.document_for(ctx, &incoming.caller);
        let seat = conf.seat_mut(&incoming.caller, incoming.from);
        let Some(subscription) = seat.and_then(|s| s.subscription.as_mut()) else { return ctx.respond_status(incoming, 481) };
        let state = format!("active;expires={}", L::CONFERENCE_SUBSCRIPTION);
        let ok = subscription
            .dialog
            .response(&incoming.request, 200)
            .with(Name::Contact, contact(incoming))
            .with(Name::Expires, L::CONFERENCE_SUBSCRIPTION.to_string())
            .with(Name::Event, confinfo::EVENT)
            .with(Name::SubscriptionState, state)
            .with(Name::Supported, "ms-benotify")
            .with(Name::Supported, "ms-piggyback-first-notify");
        if supports(incoming, "ms-piggyback-first-notify") {
            let cseq = subscription.dialog.piggyback();
            let body = subscription.next(&mut document);
            let ok = ok.with(Name::MsPiggybackCseq, cseq.to_string());
            ctx.respond(incoming.tx, ok.with_body(confinfo::CONTENT_TYPE, body));
        } else {
            ctx.respond(incoming.tx, ok);
            subscription.notify(ctx, incoming.from, &mut document);
        }
    }

    fn unsubscribe(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, key: &Key) {
        let seat = self.confs.get_mut(key).and_then(|c| c.seat_mut(&incoming.caller, incoming.from));
        if let Some(old) = seat.and_then(|s| s.subscription.take()) {
            self.forget(&old.dialog);
        }
        let ok = ctx
            .response(&incoming.request, 200)
            .with(Name::Contact, contact(incoming))
            .with(Name::Expires, "0")
            .with(Name::Event, confinfo::EVENT)
            .with(Name::SubscriptionState, "terminated;expires=0");
        ctx.respond(incoming.tx, ok);
    }

    /// Re-INVITE or UPDATE of the session timer.
    pub(super) fn refresh_session(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, place: &Place) {
        self.watch_session(ctx, &incoming.request, &place.key, &place.who, place.at);
        let ok = ctx.response(&incoming.request, 200).with(Name::Contact, contact(incoming));
        ctx.respond(incoming.tx, session(incoming, ok));
    }

    pub(super) fn lobby_timeout(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, at: Time) {
        if self.confs.get(key).and_then(|c| c.member(who)).is_some_and(|m| m.waiting == Some(at)) {
            self.kick(ctx, key, who, "Nobody let you in");
            self.keep_running(ctx, key);
        }
    }

    /// One device leaves by its own wish or because it is gone; with the last one the person leaves.
    pub(super) fn leave(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, at: RegistrationId) {
        let Some(member) = self.confs.get_mut(key).and_then(|c| c.member_mut(who)) else { return };
        let Some(place) = member.seats.iter().position(|s| s.registration == at) else {
            return self.drop_call(ctx, key, who);
        };
        let mut seat = member.seats.remove(place);
        let last = member.seats.is_empty();
        let call = if last { member.call.take() } else { None };
        // Leaving the focus is leaving the MCUs too (lync-conversations.md 5.7).
        if let Some(chat) = &mut seat.chat {
            let bye = chat.dialog.request(Method::Bye);
            ctx.send(at, bye);
        }
        self.vacate(key, &seat);
        if let Some(call) = call {
            self.hang_up(ctx, key, who, call, Err(FailureReason::UserDoesNotExist));
        }
        if last { self.remove_member(ctx, key, who) } else { self.notify_present(ctx, key, who) }
    }

    /// Throws a person out with all devices; `false` when it is not in. It may come back unless the conference is locked.
    pub(super) fn kick(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, reason: &str) -> bool {
        let Some(live) = self.confs.get_mut(key).and_then(|c| c.live.as_mut()) else { return false };
        let Some(member) = live.members.get_mut(who) else { return false };
        let seats = std::mem::take(&mut member.seats);
        let call = member.call.take();
        live.admitted.remove(who);
        for mut seat in seats {
            seat.close(ctx, reason);
            self.vacate(key, &seat);
        }
        if let Some(call) = call {
            self.hang_up(ctx, key, who, call, Err(FailureReason::UserDoesNotExist));
        }
        self.remove_member(ctx, key, who);
        true
    }

    /// Ends it for everybody. What is scheduled stays.
    pub(super) fn end(&mut self, ctx: &mut Ctx<'_>, key: &Key, reason: &str) {
        let Some(live) = self.confs.get_mut(key).and_then(|c| c.live.take()) else { return };
        if let Some(at) = live.idle_at {
            self.timers.remove(&(at, Timer::Idle(key.clone())));
        }
        if let Some(at) = live.ends_at {
            self.timers.remove(&(at, Timer::Countdown(key.clone())));
        }
        for (who, member) in live.members {
            if let Some(at) = member.waiting {
                self.timers.remove(&(at, Timer::Lobby(key.clone(), who.clone())));
            }
            if let Some(call) = member.call {
                self.hang_up(ctx, key, &who, call, Err(FailureReason::ConferenceDoesNotExist));
            }
            for mut seat in member.seats {
                seat.close(ctx, reason);
                self.vacate(key, &seat);
            }
        }
        self.keep_running(ctx, key);
    }

    /// Nobody came back: what was changed while it ran is forgotten.
    pub(super) fn idle(&mut self, ctx: &mut Ctx<'_>, key: &Key, at: Time) {
        if let Some(conf) = self.confs.get_mut(key)
            && conf.live.as_ref().is_some_and(|l| l.idle_at == Some(at) && l.members.is_empty())
        {
            conf.live = None;
            conf.keep_running(ctx);
        }
    }

    /// Endpoints that were in it when the front end stopped have some time to come back.
    pub(super) fn resumed(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        let live = self.confs.get_mut(key).and_then(|c| c.live.as_mut());
        if let Some(live) = live.filter(|l| l.members.is_empty() && l.idle_at.is_none()) {
            let at = ctx.now + L::CONFERENCE_RESUME;
            live.idle_at = Some(at);
            self.timers.insert((at, Timer::Idle(key.clone())));
        }
    }

    pub(super) fn remove_member(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address) {
        let Some(live) = self.confs.get_mut(key).and_then(|c| c.live.as_mut()) else { return };
        let Some(member) = live.members.remove(who) else { return };
        if let Some(at) = member.waiting {
            self.timers.remove(&(at, Timer::Lobby(key.clone(), who.clone())));
        }
        if live.members.is_empty() {
            if let Some(at) = live.ends_at.take() {
                self.timers.remove(&(at, Timer::Countdown(key.clone())));
            }
            let at = ctx.now + L::CONFERENCE_IDLE;
            live.idle_at = Some(at);
            self.timers.insert((at, Timer::Idle(key.clone())));
        }
        self.notify_gone(ctx, key, who, member.hidden);
        self.count_colleagues(ctx, key);
    }

    /// The conference ends some time after the last colleague has left, unless one comes back (`domain.md` 8.3).
    pub(super) fn count_colleagues(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        let Some(live) = self.confs.get_mut(key).and_then(|c| c.live.as_mut()) else { return };
        let inside = || live.members.iter().filter(|(_, m)| m.is_inside() && m.is_there());
        let own = inside().any(|(who, _)| network_of(ctx.config, who) == SourceNetwork::SameEnterprise);
        let others = inside().next().is_some() && !own;
        match (others, live.ends_at) {
            (true, None) => {
                let at = ctx.now + L::CONFERENCE_COUNTDOWN;
                live.ends_at = Some(at);
                self.timers.insert((at, Timer::Countdown(key.clone())));
            }
            (false, Some(at)) => {
                live.ends_at = None;
                self.timers.remove(&(at, Timer::Countdown(key.clone())));
            }
            _ => return,
        }
        self.notify_settings(ctx, key);
    }

    /// The session timer of a focus dialog (RFC 4028): a device that offered it and does not refresh is gone.
    fn watch_session(&mut self, ctx: &Ctx<'_>, request: &crate::sip::Request, key: &Key, who: &Address, at: RegistrationId) {
        let offered = request.headers.has_token(&Name::Supported, "timer");
        let Some(seat) = self.confs.get_mut(key).and_then(|c| c.seat_mut(who, at)) else { return };
        let timer = |at: Time| (at, Timer::Session(key.clone(), who.clone(), seat.registration));
        if let Some(old) = seat.session_ends {
            self.timers.remove(&timer(old));
        }
        let ends =
            offered.then(|| ctx.now + std::time::Duration::from_secs(u64::from(L::FOCUS_SESSION)) + L::FOCUS_SESSION_GRACE);
        if let Some(ends) = ends {
            self.timers.insert(timer(ends));
        }
        if let Some(seat) = self.confs.get_mut(key).and_then(|c| c.seat_mut(who, at)) {
            seat.session_ends = ends;
        }
    }

    /// Nothing was heard of a device for a whole session.
    pub(super) fn session_over(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, id: RegistrationId, at: Time) {
        let seat = self.confs.get_mut(key).and_then(|c| c.seat_mut(who, id));
        if seat.is_some_and(|s| s.session_ends == Some(at)) {
            self.leave(ctx, key, who, id);
        }
    }

    /// Takes a seat that nobody sits on any more out of all look-ups.
    fn vacate(&mut self, key: &Key, seat: &Seat) {
        self.forget_seat(seat);
        self.leave_endpoint(key, seat.registration);
    }

    /// Nothing of this conference hangs on the endpoint any more.
    pub(super) fn leave_endpoint(&mut self, key: &Key, at: RegistrationId) {
        if let Some(keys) = self.of_endpoint.get_mut(&at) {
            keys.remove(key);
            if keys.is_empty() {
                self.of_endpoint.remove(&at);
            }
        }
    }

    fn forget_seat(&mut self, seat: &Seat) {
        if let Some(place) = self.dialogs.get(&seat.focus.tag)
            && let Some(at) = seat.session_ends
        {
            self.timers.remove(&(at, Timer::Session(place.key.clone(), place.who.clone(), seat.registration)));
        }
        self.forget(&seat.focus);
        seat.subscription.iter().for_each(|s| self.forget(&s.dialog));
        seat.chat.iter().for_each(|c| self.forget(&c.dialog));
    }
}

impl Seat {
    /// The order an ejected client needs: out of the chat, last notification, out of the focus (lync-conversations.md 5.2).
    fn close(&mut self, ctx: &mut Ctx<'_>, reason: &str) {
        if let Some(chat) = &mut self.chat {
            let bye = chat.dialog.request(Method::Bye);
            ctx.send(self.registration, bye);
        }
        if let Some(subscription) = &mut self.subscription {
            subscription.terminate(ctx, self.registration);
        }
        let why = Diagnostics::new(REMOVED, reason).from_source(&ctx.config.host).to_string();
        let bye = self.focus.request(Method::Bye).with(Name::MsDiagnostics, why);
        ctx.send(self.registration, bye);
    }
}

/// The focus as it was addressed: clients find their conference by this very text.
fn contact(incoming: &Incoming) -> String {
    let focus = incoming.request.headers.to().map_or_else(|| incoming.request.uri.to_string(), |t| t.uri.to_string());
    format!("<{focus}>;isfocus")
}

/// Session timer headers, for clients that offered them (a client that did not must not be asked, lync-conversations.md 4.2).
fn session(incoming: &Incoming, response: Response) -> Response {
    if !supports(incoming, "timer") {
        return response;
    }
    response
        .with(Name::Supported, "timer")
        .with(Name::Require, "timer")
        .with(Name::SessionExpires, format!("{};refresher=uac", L::FOCUS_SESSION))
}
