//! What subscribers hear: whole states and changes, each with its own version numbers (lync-conversations.md 4.3).
//!
//! A change always carries the complete element of each person it is about, since old clients take what is missing for gone.
//! Who waits in the lobby is seen by everybody inside and by itself, and sees nobody else. Hidden members are in nobody's
//! roster but that of their like.

use super::live::{Call, Conf, Member, Seat, Stage, Subscription};
use super::{Conferencing, Key};
use crate::domain::Address;
use crate::frontend::limits::CONFERENCE_SUBSCRIPTION;
use crate::frontend::{Ctx, RegistrationId};
use crate::lync::cccp::record::{autopromote, policy};
use crate::lync::confinfo::{
    CONTENT_TYPE, ConferenceInfo, ConferenceState, Description, EVENT, ElementState, Endpoint, EndpointStatus, EntityView,
    McuUri, Organizer, User, Users,
};
use crate::lync::{identity, time};
use crate::sip::{Method, Name};

impl Conferencing {
    /// Somebody came, changed, or is no longer on one of its devices.
    pub(super) fn notify_present(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address) {
        let Some(conf) = self.confs.get_mut(key) else { return };
        let Some(member) = conf.member(who) else { return };
        let user = user(who, member);
        let hidden = member.hidden;
        if member.waiting.is_some() {
            let mut own = conf.document_for(ctx, who);
            conf.tell(ctx, |viewer, _| viewer == who, &mut own);
            let mut change = ConferenceInfo::user_changes("", 0, vec![user]);
            conf.tell(ctx, |viewer, m| viewer != who && m.waiting.is_none(), &mut change);
        } else {
            let mut change = ConferenceInfo::user_changes("", 0, vec![user]);
            conf.tell(ctx, |_, m| m.waiting.is_none() && (!hidden || m.hidden), &mut change);
        }
    }

    /// Somebody left.
    pub(super) fn notify_gone(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, hidden: bool) {
        let Some(conf) = self.confs.get_mut(key) else { return };
        let mut change = ConferenceInfo::user_changes("", 0, vec![User::gone(who.clone())]);
        conf.tell(ctx, |_, m| m.waiting.is_none() && (!hidden || m.hidden), &mut change);
    }

    /// Who gets in, who leads, who is muted, or when it ends was changed.
    pub(super) fn notify_settings(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        let Some(conf) = self.confs.get_mut(key) else { return };
        let mut change = ConferenceInfo::partial("", 0);
        change.description = Some(conf.running());
        conf.tell(ctx, |_, m| m.waiting.is_none(), &mut change);
    }

    /// The conference was locked or unlocked.
    pub(super) fn notify_lock(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        let Some(conf) = self.confs.get_mut(key) else { return };
        let mut change = ConferenceInfo::lock_change("", 0, &identity::mcu(&conf.scheduled.uri, "chat"), conf.is_locked());
        conf.tell(ctx, |_, m| m.waiting.is_none(), &mut change);
    }

    /// Everything to everybody.
    pub(super) fn notify_all(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        let live = self.confs.get(key).and_then(|c| c.live.as_ref());
        let people: Vec<Address> = live.map(|l| l.members.keys().cloned().collect()).unwrap_or_default();
        for who in people {
            self.notify_whole(ctx, key, &who);
        }
    }

    /// Everything to one person.
    pub(super) fn notify_whole(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address) {
        let Some(conf) = self.confs.get_mut(key) else { return };
        let mut document = conf.document_for(ctx, who);
        conf.tell(ctx, |viewer, _| viewer == who, &mut document);
    }
}

impl Conf {
    fn is_locked(&self) -> bool {
        self.live.as_ref().is_some_and(|l| l.locked)
    }

    /// Sends a document to the devices of those it is for.
    fn tell(&mut self, ctx: &mut Ctx<'_>, whom: impl Fn(&Address, &Member) -> bool, document: &mut ConferenceInfo) {
        let Some(live) = &mut self.live else { return };
        for (_, member) in live.members.iter_mut().filter(|(who, m)| whom(who, m)) {
            for seat in &mut member.seats {
                if let Some(subscription) = &mut seat.subscription {
                    subscription.notify(ctx, seat.registration, document);
                }
            }
        }
    }

    /// The whole state as one person may see it.
    pub(super) fn document_for(&self, ctx: &Ctx<'_>, viewer: &Address) -> ConferenceInfo {
        let me = self.member(viewer);
        let waits = me.is_some_and(|m| m.waiting.is_some());
        let sees = |who: &Address, m: &Member| {
            let shown = !m.hidden || me.is_some_and(|me| me.hidden);
            who == viewer || (!waits && shown)
        };
        let members = self.live.iter().flat_map(|l| &l.members);
        let users = members.filter(|(who, m)| sees(who, m)).map(|(who, m)| user(who, m)).collect();
        let chat = identity::mcu(&self.scheduled.uri, "chat");
        let view = EntityView {
            entity: chat.clone(),
            state: ElementState::Full,
            media: vec!["chat".into()],
            locked: Some(self.is_locked()),
        };
        ConferenceInfo {
            entity: self.scheduled.uri.clone(),
            state: ElementState::Full,
            version: 0,
            description: Some(self.description(ctx, (!waits).then_some(chat))),
            conference: Some(self.state(if waits { 1 } else { self.count() })),
            users: Some(Users { state: ElementState::Full, users }),
            views: Some(if waits { Vec::new() } else { vec![view] }),
        }
    }

    fn description(&self, ctx: &Ctx<'_>, chat: Option<String>) -> Description {
        let c = &self.scheduled;
        Description {
            subject: Some(c.settings.subject.clone()),
            uris: chat.map(|uri| vec![McuUri { uri, purpose: "chat".into() }]),
            conference_id: Some(c.id.0.clone()),
            organizer: Some(Organizer { display_name: ctx.display_name(&c.organizer), uri: c.organizer.clone() }),
            join_url: (!c.join_url.is_empty()).then(|| c.join_url.clone()),
            phone_id: (!c.phone_id.is_empty()).then(|| c.phone_id.clone()),
            ..self.running()
        }
    }

    /// What leaders may change while it runs.
    fn running(&self) -> Description {
        let Some(live) = &self.live else { return Description::default() };
        Description {
            admission_policy: Some(policy(live.access).to_owned()),
            autopromote: Some(autopromote(live.leaders).to_owned()),
            lobby_bypass: Some(live.lobby_bypass),
            announcements: Some(live.announcements),
            mute_all: Some(live.mute_all),
            self_unmute: Some(live.self_unmute),
            ends_at: Some(live.ends_at.map(time::publish_time).unwrap_or_default()),
            ..Description::default()
        }
    }

    fn state(&self, count: usize) -> ConferenceState {
        ConferenceState { user_count: u32::try_from(count).ok(), active: Some(true), locked: Some(self.is_locked()) }
    }

    fn count(&self) -> usize {
        self.live.iter().flat_map(|l| l.members.values()).filter(|m| m.is_inside() && m.is_there()).count()
    }
}

/// A person with all devices.
fn user(who: &Address, member: &Member) -> User {
    let waiting = member.waiting.is_some();
    let called = member.call.iter().map(|c| called(c, member.muted));
    let endpoints = member.seats.iter().flat_map(|s| endpoints(s, waiting, member.muted)).chain(called).collect();
    User { endpoints, recording: member.recording, ..User::new(who.clone(), &member.display, member.role) }
}

fn endpoints(seat: &Seat, waiting: bool, muted: bool) -> Vec<Endpoint> {
    let connection = |session: &str| Endpoint { uri: Some(seat.gruu.clone()), ..Endpoint::connected(&seat.entity, session) };
    let status = if waiting { EndpointStatus::OnHold } else { EndpointStatus::Connected };
    let mut out = vec![Endpoint { status, ..connection("focus") }];
    let chat = |muted: bool| {
        let mut endpoint = connection("chat").with_chat();
        endpoint.media.iter_mut().for_each(|m| m.status = muted.then(|| "recvonly".to_owned()));
        endpoint
    };
    out.extend(seat.chat.iter().map(|_| chat(muted)));
    out
}

/// The chat of somebody whom the IM MCU calls.
fn called(call: &Call, muted: bool) -> Endpoint {
    let (status, uri) = match &call.stage {
        Stage::Dialing => (EndpointStatus::DialingOut, None),
        Stage::Ringing => (EndpointStatus::Alerting, None),
        Stage::Up { gruu, .. } => (EndpointStatus::Connected, Some(gruu.clone())),
    };
    let chat = Endpoint::connected(&call.entity, "chat").with_chat();
    let mut out = Endpoint { status, uri, joining_method: Some("dialed-out".into()), ..chat };
    out.media.iter_mut().for_each(|m| m.status = muted.then(|| "recvonly".to_owned()));
    out
}

impl Subscription {
    /// Sends a document as the next version, with the conference spelled as this subscriber spells it.
    pub(super) fn notify(&mut self, ctx: &mut Ctx<'_>, at: RegistrationId, document: &mut ConferenceInfo) {
        let body = self.next(document);
        self.send(ctx, at, &format!("active;expires={CONFERENCE_SUBSCRIPTION}"), Some(body));
    }

    /// The next version of a document.
    pub(super) fn next(&mut self, document: &mut ConferenceInfo) -> Vec<u8> {
        self.version += 1;
        document.version = self.version;
        document.entity.clone_from(&self.entity);
        document.to_bytes()
    }

    /// The last notification.
    pub(super) fn terminate(&mut self, ctx: &mut Ctx<'_>, at: RegistrationId) {
        self.send(ctx, at, "terminated;expires=0", None);
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, at: RegistrationId, state: &str, body: Option<Vec<u8>>) {
        let method = if self.best_effort { Method::Benotify } else { Method::Notify };
        let mut request = self.dialog.request(method).with(Name::Event, EVENT).with(Name::SubscriptionState, state);
        if let Some(body) = body {
            request = request.with_body(CONTENT_TYPE, body);
        }
        if self.best_effort {
            ctx.send_stateless(at, request);
        } else {
            // Nobody waits for the answer: a client that is gone is noticed by its connection.
            ctx.send(at, request);
        }
    }
}
