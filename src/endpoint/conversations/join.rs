//! Joining a conference and staying in it: focus, subscription, chat, lobby, recovery (`lync-conversations.md` 4).

use super::desk::{Desk, Purpose};
use super::dialog::Dialog;
use super::docs;
use super::failure;
use super::im::acknowledge;
use super::roster::Applied;
use super::session::{Leg, Move, Session, Stage};
use super::state::Step;
use super::talk::{Call, Talk};
use crate::domain::Address;
use crate::domain::conversation::ConversationState as S;
use crate::endpoint::limits::{JOIN_RETRY, MAX_CHAT_TRIES, ROSTER_RETRY};
use crate::endpoint::service::{Reply, Token};
use crate::endpoint::{Error, ErrorKind, Event, OperationId, Outcome};
use crate::sip::{Method, Name, Request, Response, ServerTx, Uri};
use std::time::Duration;

impl Talk {
    /// Whether this conversation is in that conference, or on its way there.
    pub fn is_in(&self, focus: &str) -> bool {
        self.session.as_ref().is_some_and(|s| docs::same_uri(s.focus.as_str(), focus))
    }

    /// Starts to join; `op` ends when the join does.
    pub fn join(
        &mut self,
        desk: &mut Desk<'_, '_>,
        focus: &str,
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
        session.joins.extend(op);
        session.guests = guests;
        session.go(Move::Join);
        self.focus = Some(focus.to_owned());
        self.session = Some(session);
        self.call_focus(desk);
    }

    /// Sends (or sends again) the INVITE to the focus.
    fn call_focus(&mut self, desk: &mut Desk<'_, '_>) {
        if !desk.ctx.online {
            self.fail_join(desk, Error::new(ErrorKind::Retryable, "you are not signed in; try again when you are"));
            return;
        }
        let id = desk.request_id();
        let Some(s) = &mut self.session else { return };
        s.guid = docs::guid(desk.ctx.rng);
        s.join_at = None;
        let body = docs::add_user(s.focus.as_str(), desk.me(), &s.guid, &desk.ctx.me.display_name, id);
        let request = desk.ctx.request(Method::Invite, &s.focus);
        let request = request
            .with(Name::Supported, "ms-sender")
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
                self.fail_join(desk, Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again"));
            }
            // on_offline follows and decides.
            Reply::LinkLost => desk.sent.forget(token),
        }
    }

    fn retry_join(&mut self, desk: &Desk<'_, '_>) -> bool {
        let Some(s) = &mut self.session else { return false };
        let Some(wait) = JOIN_RETRY.get(s.tries) else { return false };
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
        self.subscribe(desk);
    }

    /// Subscribes to the conference, or asks for the full document again.
    fn subscribe(&mut self, desk: &mut Desk<'_, '_>) {
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
    fn on_roster(&mut self, desk: &mut Desk<'_, '_>, body: &[u8]) {
        let Some(s) = &mut self.session else { return };
        match s.roster.apply(s.focus.as_str(), body) {
            Applied::Ignored => return,
            Applied::Gap => {
                self.subscribe(desk);
                return;
            }
            Applied::Merged => {}
        }
        if let Some(role) = s.roster.role_of(desk.me()) {
            s.my_role = Some(role);
        }
        if let Some(subject) = s.roster.subject() {
            self.subject = subject;
        }
        if s.roster.is_in_lobby(desk.me(), &s.guid) { self.enter_lobby(desk) } else { self.enter(desk) }
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
        if s.roster.chat_uri(s.focus.as_str()).is_none() && s.roster.names_mcus() {
            // This conference has no chat: being in the focus is all there is.
            s.chat = Leg::Dead;
            self.joined(desk);
        }
    }

    fn call_chat(&mut self, desk: &mut Desk<'_, '_>) {
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

    fn chat_failed(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        let Some(s) = &mut self.session else { return };
        s.lose_chat(now);
        if s.chat_tries < MAX_CHAT_TRIES {
            return;
        }
        let sentence = "the chat of this meeting cannot be reached; leave and join again";
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

    /// The join cannot be: back to the two-party call if there is one, else the conversation ends.
    pub fn fail_join(&mut self, desk: &mut Desk<'_, '_>, error: Error) {
        let Some(mut session) = self.session.take() else { return };
        session.go(Move::Fail);
        let mut ops = std::mem::take(&mut session.joins);
        ops.extend(session.guests.drain(..).filter_map(|g| g.1));
        let (done, failed) = self.abandon(desk, session);
        ops.extend(failed);
        match self.state {
            S::Conferencing => self.fall_back(desk, &error),
            S::InLobby => {
                self.step(Step::ConferenceFailed);
                self.auto_terminate(desk, Some(error.text.clone()));
            }
            _ => self.terminate(desk, Some(error.text.clone())),
        }
        self.complete_all(desk, done, Ok(Outcome::Done));
        self.complete_all(desk, ops, Err(error));
    }

    /// The rows of 3.2 for a conference that failed while it was being joined.
    pub fn fall_back(&mut self, desk: &mut Desk<'_, '_>, error: &Error) {
        match self.call {
            Call::Up(_) | Call::Accepting { .. } => {
                self.step(Step::CannotEscalate);
            }
            Call::Inviting { .. } => {
                self.step(Step::ConferenceFailedEstablishing);
            }
            Call::None => {
                self.step(Step::ConferenceFailed);
                if self.peer.is_none() || !self.outbox.has_unsent() {
                    self.auto_terminate(desk, Some(error.text.clone()));
                }
            }
        }
    }

    /// Says goodbye on everything of a session. Returns its pending operations: those that have got what they wanted by
    /// this end, and those that have not.
    fn abandon(&mut self, desk: &mut Desk<'_, '_>, mut session: Session) -> (Vec<OperationId>, Vec<OperationId>) {
        if let Some(mut dialog) = session.subscription.take().filter(|_| desk.ctx.online) {
            let end = dialog.request(desk.ctx, Method::Subscribe).with(Name::Event, "conference").with(Name::Expires, "0");
            let token = desk.send(&self.id, Purpose::Goodbye, end);
            self.goodbyes.push(token);
        }
        for leg in [session.call, session.chat] {
            match leg {
                Leg::Up(dialog) => self.bye(desk, *dialog),
                Leg::Inviting(token) => desk.ctx.cancel(token),
                Leg::None | Leg::Dead => {}
            }
        }
        for token in session.invited.keys() {
            desk.ctx.cancel(*token);
        }
        let invites = session.invited.into_values().filter_map(|i| i.op);
        let (ends, others): (Vec<_>, Vec<_>) = session.commands.into_values().partition(|c| c.ends);
        let failed = invites.chain(others.into_iter().map(|c| c.op)).chain(session.joins).collect();
        (ends.into_iter().map(|c| c.op).collect(), failed)
    }

    /// Leaves the conference, if there is one.
    pub fn leave(&mut self, desk: &mut Desk<'_, '_>) {
        let error = Error::new(ErrorKind::OperationFailed, "the conversation has ended");
        if let Some(plan) = self.plan.take() {
            let ops = plan.op.into_iter().chain(plan.guests.into_iter().filter_map(|g| g.1)).collect();
            self.complete_all(desk, ops, Err(error.clone()));
        }
        if let Some(mut session) = self.session.take() {
            session.go(Move::End);
            let waiting: Vec<_> = session.guests.drain(..).filter_map(|g| g.1).collect();
            let (done, failed) = self.abandon(desk, session);
            self.complete_all(desk, done, Ok(Outcome::Done));
            self.complete_all(desk, waiting.into_iter().chain(failed).collect(), Err(error));
        }
    }

    /// The focus ended our part: ejected, denied, or the conference is over.
    pub fn disconnected(&mut self, desk: &mut Desk<'_, '_>, request: &Request) {
        let why = failure::diagnostic_reason(&request.headers).unwrap_or_else(|| "the meeting has ended".into());
        if let Some(s) = &mut self.session {
            // The focus takes us out of its MCUs itself; nothing is left to say there.
            s.call = Leg::None;
            s.subscription = None;
        }
        let news = self.outbox.fail_all(&why);
        self.tell(desk, news);
        if matches!(self.state, S::Conferencing | S::InLobby) {
            self.fail_join(desk, Error::new(ErrorKind::ConferenceFailed, why));
        } else {
            self.terminate(desk, Some(why));
        }
    }

    /// A request in the focus, subscription or chat dialog.
    pub fn on_conference_request(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request) {
        let Some(s) = &mut self.session else { return };
        if s.owns_subscription(request) {
            desk.answer(tx, request, 200);
            self.on_notify(desk, request);
        } else if s.owns_chat(request) {
            self.on_chat_request(desk, tx, request);
        } else {
            match request.method {
                Method::Ack => {}
                Method::Info => {
                    desk.answer(tx, request, 200);
                    self.on_command_result(desk, &request.body);
                }
                Method::Bye => {
                    desk.answer(tx, request, 200);
                    self.disconnected(desk, request);
                }
                _ => desk.answer(tx, request, 200),
            }
        }
    }

    fn on_notify(&mut self, desk: &mut Desk<'_, '_>, request: &Request) {
        let state = request.headers.get(&Name::SubscriptionState).unwrap_or("active");
        if !request.body.is_empty() && state.contains("active") {
            self.on_roster(desk, &request.body);
        }
        if state.trim().to_ascii_lowercase().starts_with("terminated")
            && let Some(s) = &mut self.session
        {
            // A BYE follows when we are out; otherwise the roster is subscribed again.
            s.subscription = None;
            s.subscribe_at = Some(desk.now() + ROSTER_RETRY);
        }
    }

    fn on_chat_request(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request) {
        let author = self.sender(request);
        match (&request.method, author) {
            (Method::Ack, _) => {}
            (Method::Bye, _) => {
                desk.answer(tx, request, 200);
                let now = desk.now();
                if let Some(s) = &mut self.session {
                    s.lose_chat(now);
                }
            }
            (Method::Info, Some(author)) => self.on_info(desk, tx, request, &author),
            (Method::Message | Method::Notify | Method::Benotify, Some(author)) => self.on_message(desk, tx, request, &author),
            _ => desk.answer(tx, request, 200),
        }
    }

    /// The link went: what we are in is joined again after the next sign-in; what was on its way has failed.
    pub fn lose_conference(&mut self, desk: &mut Desk<'_, '_>) {
        let error = Error::new(ErrorKind::Retryable, "the connection was lost; try again when you are signed in");
        if let Some(plan) = self.plan.take() {
            let ops = plan.op.into_iter().chain(plan.guests.into_iter().filter_map(|g| g.1)).collect();
            self.fall_back(desk, &error);
            self.complete_all(desk, ops, Err(error.clone()));
        }
        if self.state == S::Conferencing {
            self.fail_join(desk, error);
            return;
        }
        let Some(s) = &mut self.session else { return };
        s.go(Move::Recover);
        (s.call, s.chat) = (Leg::None, Leg::None);
        (s.subscription, s.subscribing) = (None, None);
        (s.subscribe_at, s.chat_at, s.join_at, s.chat_tries, s.tries) = (None, None, None, 0, 0);
        let mut ops: Vec<_> = std::mem::take(&mut s.commands).into_values().map(|c| c.op).collect();
        ops.extend(std::mem::take(&mut s.invited).into_values().filter_map(|i| i.op));
        ops.extend(std::mem::take(&mut s.guests).into_iter().filter_map(|g| g.1));
        self.complete_all(desk, ops, Err(error));
    }

    /// Signed in again: joins again what the lost link took away.
    pub fn rejoin(&mut self, desk: &mut Desk<'_, '_>) {
        if self.session.as_ref().is_some_and(|s| s.stage == Stage::Reconnecting && matches!(s.call, Leg::None)) {
            self.call_focus(desk);
        }
    }

    /// Due things of the conference.
    pub fn conference_on_time(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        let Some(s) = &mut self.session else { return };
        let late: Vec<u32> = s.commands.iter().filter(|(_, c)| c.until <= now).map(|(id, _)| *id).collect();
        let ops: Vec<_> = late.iter().filter_map(|id| s.commands.remove(id)).map(|c| c.op).collect();
        let unanswered: Vec<Token> = s.invited.iter().filter(|(_, i)| i.until <= now).map(|(t, _)| *t).collect();
        let people: Vec<_> = unanswered.iter().filter_map(|t| s.invited.remove(t)).filter_map(|i| i.op).collect();
        let due = |t: Option<crate::domain::Time>| t.is_some_and(|t| t <= now);
        let (join, subscribe, chat) = (due(s.join_at), due(s.subscribe_at), due(s.chat_at));
        if chat {
            s.chat_at = None;
        }
        for token in unanswered {
            desk.ctx.cancel(token);
        }
        self.complete_all(desk, ops, Err(Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again")));
        self.complete_all(desk, people, Err(Error::new(ErrorKind::Timeout, "nobody answered the invitation")));
        if join {
            self.call_focus(desk);
        }
        if subscribe {
            self.subscribe(desk);
        }
        if chat {
            self.call_chat(desk);
        }
    }

    /// Ends operations, after the conversation has said how it looks.
    pub fn complete_all(&mut self, desk: &mut Desk<'_, '_>, ops: Vec<OperationId>, result: Result<Outcome, Error>) {
        for op in ops {
            self.complete(desk, Some(op), result.clone());
        }
    }

    /// Ends an operation, after the conversation has said how it looks.
    pub fn complete(&mut self, desk: &mut Desk<'_, '_>, op: Option<OperationId>, result: Result<Outcome, Error>) {
        if let Some(op) = op {
            self.publish(desk);
            desk.ctx.complete(op, result);
        }
    }
}
