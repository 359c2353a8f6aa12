//! Joining a conference: focus, subscription, lobby, chat (`lync-conversations.md` 4).

use super::desk::{Desk, Purpose};
use super::dialog::Dialog;
use super::docs;
use super::failure;
use super::im::acknowledge;
use super::mcu::Turn;
use super::roster::Applied;
use super::session::{Leg, Move, Session, Stage};
use super::state::Step;
use super::talk::Talk;
use crate::domain::Address;
use crate::domain::conversation::ConversationState as S;
use crate::endpoint::limits::{FOCUS_SESSION, JOIN_RETRY, ROSTER_RETRY};
use crate::endpoint::service::{Reply, Token};
use crate::endpoint::{Error, ErrorKind, Event, OperationId, Outcome};
use crate::lync::im;
use crate::sip::{Method, Name, Response, Uri};
use std::time::Duration;

impl Talk {
    /// Whether this conversation is in that conference, or on its way there.
    pub fn is_in(&self, focus: &str) -> bool {
        self.session.as_ref().is_some_and(|s| docs::same_uri(s.focus.as_str(), focus))
    }

    /// Starts to join without a passcode; `op` ends when the join does.
    pub fn join(
        &mut self,
        desk: &mut Desk<'_, '_>,
        focus: &str,
        op: Option<OperationId>,
        guests: Vec<(Address, Option<OperationId>)>,
    ) {
        self.join_with(desk, focus, None, op, guests);
    }

    /// Starts to join; `op` ends when the join does.
    pub fn join_with(
        &mut self,
        desk: &mut Desk<'_, '_>,
        focus: &str,
        passcode: Option<String>,
        op: Option<OperationId>,
        guests: Vec<(Address, Option<OperationId>)>,
    ) {
        self.revive();
        if self.state != S::Conferencing && !self.step(Step::Join) {
            self.complete(desk, op, Err(Error::new(ErrorKind::InvalidOperation, "a meeting cannot be joined from here now")));
            return;
        }
        let moving = if self.call.is_none() { None } else { self.peer.clone() };
        let Some(uri) = Uri::parse(focus) else {
            self.complete(desk, op, Err(Error::new(ErrorKind::InvalidArgument, "this is no meeting link")));
            self.step(Step::ConferenceFailed);
            return;
        };
        let mut session = Session::new(uri, moving);
        session.passcode = passcode;
        session.joins.extend(op);
        session.guests = guests;
        session.go(Move::Join);
        self.focus = Some(focus.to_owned());
        self.session = Some(session);
        self.call_focus(desk);
    }

    /// Sends (or sends again) the INVITE to the focus.
    pub(super) fn call_focus(&mut self, desk: &mut Desk<'_, '_>) {
        if !desk.ctx.online {
            self.fail_join(desk, Error::new(ErrorKind::Retryable, "you are not signed in; try again when you are"));
            return;
        }
        let id = desk.request_id();
        let me = desk.speaker(&self.id);
        let Some(s) = &mut self.session else { return };
        s.guid = docs::guid(desk.ctx.rng);
        s.join_at = None;
        let body = docs::add_user(s.focus.as_str(), &me.uri, &s.guid, &me.name, s.passcode.clone(), id);
        let request = desk.ctx.request(Method::Invite, &s.focus);
        let request = request
            .with(Name::Supported, "ms-sender")
            .with(Name::Supported, "timer")
            .with(Name::SessionExpires, FOCUS_SESSION.to_string())
            .with(Name::MsConversationId, self.wire.first().cloned().unwrap_or_default())
            .with_body(docs::CCCP, body);
        s.call = Leg::Inviting(desk.send(&self.id, Purpose::Focus, request));
    }

    /// The focus answered our INVITE.
    pub fn on_focus_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        let current = self.session.as_ref().is_some_and(|s| s.call.awaits(token));
        match reply {
            Reply::Response(r) if !r.is_final() => {}
            Reply::Response(r) if r.is_success() => self.on_focus_accepted(desk, token, current, &r),
            _ if !current => desk.sent.forget(token),
            Reply::Response(r) if matches!(r.status, 500 | 503 | 504) && self.retry_join(desk) => desk.sent.forget(token),
            Reply::Response(r) => {
                desk.sent.forget(token);
                self.fail_join(desk, failure::conference(&r));
            }
            Reply::Timeout => {
                desk.sent.forget(token);
                if !self.is_reconnecting() || !self.retry_join(desk) {
                    self.fail_join(desk, Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again"));
                }
            }
            // on_offline follows and decides.
            Reply::LinkLost => desk.sent.forget(token),
        }
    }

    fn is_reconnecting(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.stage == Stage::Reconnecting)
    }

    /// Tries again when the conference's server is not available: a few times to get in, without end to get back in
    /// (`domain.md` 8.5).
    fn retry_join(&mut self, desk: &Desk<'_, '_>) -> bool {
        let again = self.is_reconnecting();
        let Some(s) = &mut self.session else { return false };
        let wait = JOIN_RETRY.get(s.tries).or(JOIN_RETRY.last().filter(|_| again));
        let Some(wait) = wait else { return false };
        s.tries += 1;
        s.call = Leg::None;
        s.join_at = Some(desk.now() + *wait);
        true
    }

    fn on_focus_accepted(&mut self, desk: &mut Desk<'_, '_>, token: Token, current: bool, r: &Response) {
        let tag = r.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default();
        let Some(invite) = desk.sent.answered(token, &tag) else { return };
        let Some(dialog) = Dialog::caller(&invite, r) else { return };
        acknowledge(desk, &dialog, &invite);
        if !current {
            self.bye(desk, dialog);
            return;
        }
        let answer = docs::response(&r.body);
        if let Some(refusal) = answer.as_ref().and_then(|a| a.refusal()) {
            self.bye(desk, dialog);
            if let Some(s) = &mut self.session {
                s.call = Leg::None;
            }
            self.fail_join(desk, refusal);
            return;
        }
        let Some(s) = &mut self.session else { return };
        s.call = Leg::Up(Box::new(dialog));
        s.my_role = answer.and_then(|a| a.role).or(s.my_role);
        s.tries = 0;
        s.refresh_at = session_seconds(r).map(|seconds| desk.ctx.now + Duration::from_secs(seconds / 2));
        self.subscribe(desk);
    }

    /// Subscribes to the conference, or asks for the full document again.
    pub(super) fn subscribe(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(s) = &mut self.session else { return };
        if s.subscribing.is_some() || !desk.ctx.online {
            return;
        }
        s.subscribe_at = None;
        let request = match &mut s.subscription {
            Some(dialog) => dialog.request(desk.ctx, Method::Subscribe),
            None => desk.ctx.request(Method::Subscribe, &s.focus),
        };
        let request = request
            .with(Name::Event, "conference")
            .with(Name::Accept, docs::CONFERENCE_INFO)
            .with(Name::Supported, "com.microsoft.autoextend")
            .with(Name::Supported, "ms-benotify")
            .with(Name::ProxyRequire, "ms-benotify")
            .with(Name::Supported, "ms-piggyback-first-notify")
            .with(Name::Expires, "3600");
        s.subscribing = Some(desk.send(&self.id, Purpose::Subscribe, request));
    }

    /// The focus answered our SUBSCRIBE.
    pub fn on_subscribe_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        if matches!(&reply, Reply::Response(r) if !r.is_final()) {
            return;
        }
        let request = desk.sent.take_request(token);
        let now = desk.now();
        let Some(s) = self.session.as_mut().filter(|s| s.subscribing == Some(token)) else { return };
        s.subscribing = None;
        match reply {
            Reply::Response(r) if r.is_success() => {
                if s.subscription.is_none() {
                    s.subscription = request.and_then(|q| Dialog::caller(&q, &r));
                    s.roster.renew();
                }
                let seconds = u64::from(r.headers.expires().unwrap_or(3600).clamp(60, 86_400));
                s.subscribe_at = Some(now + Duration::from_secs(seconds * 9 / 10));
                if !r.body.is_empty() {
                    self.on_roster(desk, &r.body);
                }
            }
            Reply::Response(r) if self.state == S::Conferencing => self.fail_join(desk, failure::conference(&r)),
            Reply::Timeout if self.state == S::Conferencing => {
                self.fail_join(desk, Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again"));
            }
            _ => {
                s.subscription = None;
                s.subscribe_at = Some(now + ROSTER_RETRY);
            }
        }
    }

    /// A conference document came.
    pub(super) fn on_roster(&mut self, desk: &mut Desk<'_, '_>, body: &[u8]) {
        let me = desk.speaker(&self.id).uri;
        let Some(s) = &mut self.session else { return };
        match s.roster.apply(s.focus.as_str(), body) {
            Applied::Ignored => return,
            Applied::Gap => {
                self.subscribe(desk);
                return;
            }
            Applied::Merged => s.arrived(),
        }
        if let Some(role) = s.roster.role_of(&me) {
            s.my_role = Some(role);
        }
        if let Some(subject) = s.roster.subject().filter(|s| *s != self.roster_subject) {
            (self.subject, self.roster_subject) = (subject.clone(), subject);
        }
        if s.roster.is_in_lobby(&me, &s.guid) { self.enter_lobby(desk) } else { self.enter(desk) }
    }

    fn enter_lobby(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(s) = &mut self.session else { return };
        if !s.go(Move::Lobby) {
            return;
        }
        let joins = std::mem::take(&mut s.joins);
        self.step(Step::Lobby);
        self.complete_all(desk, joins, Ok(Outcome::Done));
    }

    /// We are in (again): bring the chat up, invite whom we were to invite.
    fn enter(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(s) = &mut self.session else { return };
        s.go(Move::Complete);
        if self.state == S::InLobby {
            self.step(Step::Admitted);
        }
        self.call_chat(desk);
        self.invite_guests(desk);
        let Some(s) = &mut self.session else { return };
        let has_chat = s.roster.chat_uri(s.focus.as_str()).is_some();
        if has_chat {
            s.turn(Turn::Activated);
        } else if s.roster.names_mcus() {
            s.turn(Turn::Absent);
            // This conference has no chat: being in the focus is all there is.
            s.chat = Leg::Dead;
            self.joined(desk);
        }
    }

    pub(super) fn call_chat(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(s) = &mut self.session else { return };
        if !matches!(s.chat, Leg::None) || s.chat_at.is_some() || s.stage != Stage::Connected || !desk.ctx.online {
            return;
        }
        let Some(uri) = s.roster.chat_uri(s.focus.as_str()).and_then(Uri::parse) else { return };
        s.chat_tries += 1;
        let request = desk.ctx.request(Method::Invite, &uri);
        let request = request
            .with(Name::Supported, "ms-sender")
            .with(Name::MsConversationId, self.wire.first().cloned().unwrap_or_default())
            .with_body("application/sdp", docs::offer(desk.ctx.me));
        s.chat = Leg::Inviting(desk.send(&self.id, Purpose::Chat, request));
    }

    /// The chat MCU answered our INVITE.
    pub fn on_chat_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        let now = desk.now();
        let current = self.session.as_ref().is_some_and(|s| s.chat.awaits(token));
        match reply {
            Reply::Response(r) if !r.is_final() => {}
            Reply::Response(r) if r.is_success() => {
                let tag = r.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default();
                let Some(invite) = desk.sent.answered(token, &tag) else { return };
                let Some(dialog) = Dialog::caller(&invite, &r) else { return };
                acknowledge(desk, &dialog, &invite);
                match self.session.as_mut().filter(|_| current) {
                    Some(s) => {
                        s.once = r.headers.has_token(&Name::Supported, im::ONCE);
                        s.turn(Turn::Activated);
                        s.chat = Leg::Up(Box::new(dialog));
                        s.chat_since = Some(now);
                        self.joined(desk);
                    }
                    None => self.bye(desk, dialog),
                }
            }
            Reply::LinkLost => desk.sent.forget(token),
            Reply::Response(_) | Reply::Timeout => {
                desk.sent.forget(token);
                if current {
                    self.chat_failed(desk);
                }
            }
        }
    }

    /// The way to the chat is gone. When that happened too often, what waits has failed, and it is said.
    pub(super) fn chat_failed(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        let Some(s) = &mut self.session else { return };
        s.lose_chat(now);
        if !matches!(s.chat, Leg::Dead) {
            return;
        }
        let sentence = "the chat of this meeting cannot be reached; the next text tries again";
        if s.moving.is_some() && self.state == S::Conferencing {
            self.fail_join(desk, Error::new(ErrorKind::ConferenceFailed, sentence));
            return;
        }
        let news = self.outbox.fail_all(sentence);
        self.tell(desk, news);
        desk.ctx.emit(Event::Notice(sentence.into()));
        self.joined(desk);
    }

    fn joined(&mut self, desk: &mut Desk<'_, '_>) {
        if !self.step(Step::Joined) && self.state != S::Conferenced {
            return;
        }
        // From here on it is a conference for good; a two-party call that moves along is the session's business.
        self.peer = None;
        let joins = self.session.as_mut().map(|s| std::mem::take(&mut s.joins)).unwrap_or_default();
        self.complete_all(desk, joins, Ok(Outcome::Done));
    }

    /// Refreshes the session of the focus dialog (RFC 4028).
    pub(super) fn refresh_session(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(s) = &mut self.session else { return };
        s.refresh_at = None;
        let Some(dialog) = s.call.dialog() else { return };
        let request = dialog
            .request(desk.ctx, Method::Update)
            .with(Name::Supported, "timer")
            .with(Name::SessionExpires, format!("{FOCUS_SESSION};refresher=uac"));
        desk.send(&self.id, Purpose::Refresh, request);
    }

    /// The focus answered a refresh. One that does not know us any more is joined again.
    pub fn on_refresh_reply(&mut self, desk: &mut Desk<'_, '_>, reply: Reply) {
        let now = desk.now();
        let Some(s) = self.session.as_mut().filter(|s| matches!(s.call, Leg::Up(_))) else { return };
        match reply {
            Reply::Response(r) if !r.is_final() => {}
            Reply::Response(r) if r.is_success() => {
                let seconds = session_seconds(&r).unwrap_or(FOCUS_SESSION);
                s.refresh_at = Some(now + Duration::from_secs(seconds / 2));
            }
            Reply::Response(r) if !matches!(r.status, 408 | 481) => {
                s.refresh_at = Some(now + Duration::from_secs(FOCUS_SESSION / 2));
            }
            Reply::Response(_) | Reply::Timeout => {
                self.lose_conference(desk);
                self.rejoin(desk);
            }
            Reply::LinkLost => {}
        }
    }
}

/// Seconds of a session timer whose refreshing is ours.
fn session_seconds(r: &Response) -> Option<u64> {
    let value = r.headers.get(&Name::SessionExpires)?;
    let seconds: u64 = value.split(';').next()?.trim().parse().ok()?;
    let theirs = value.to_ascii_lowercase().contains("refresher=uas");
    (!theirs).then(|| seconds.clamp(90, 86_400))
}
