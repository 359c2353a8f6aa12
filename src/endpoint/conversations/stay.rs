//! Being in a conference: what the focus and the chat send, losing the link, leaving, being thrown out
//! (`lync-conversations.md` 4.3, 4.6, 5.2; `domain.md` 3.2, 3.5).

use super::desk::{Desk, Purpose};
use super::failure;
use super::invitation::Reason;
use super::mcu::Turn;
use super::session::{Leg, Move, Session, Stage};
use super::state::Step;
use super::talk::{Call, Talk};
use crate::domain::Time;
use crate::domain::conversation::ConversationState as S;
use crate::endpoint::limits::ROSTER_RETRY;
use crate::endpoint::service::Token;
use crate::endpoint::{Error, ErrorKind, OperationId, Outcome};
use crate::sip::{Method, Name, Request, ServerTx};

impl Talk {
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
        let failed = invites.chain(others.into_iter().filter_map(|c| c.op)).chain(session.joins).collect();
        (ends.into_iter().filter_map(|c| c.op).collect(), failed)
    }

    /// Leaves the conference, if there is one.
    pub fn leave(&mut self, desk: &mut Desk<'_, '_>) {
        let error = match &self.end_reason {
            Some(why) => Error::new(ErrorKind::ConferenceFailed, format!("the meeting was over before it was done: {why}")),
            None => Error::new(ErrorKind::OperationFailed, "you left before it was done"),
        };
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
                // Nothing more will be heard of what was on its way; it leaves again where the MCU knows what came before.
                let news = self.outbox.link_lost(now);
                self.tell(desk, news);
                self.chat_failed(desk);
            }
            (Method::Info, Some(author)) => self.on_info(desk, tx, request, &author),
            (Method::Message | Method::Notify | Method::Benotify, Some(author)) => self.on_message(desk, tx, request, &author),
            _ => desk.answer(tx, request, 200),
        }
    }

    /// The link went: what we are in is joined again after the next sign-in; what was on its way has failed.
    pub fn lose_conference(&mut self, desk: &mut Desk<'_, '_>) {
        let error = Error::link_lost();
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
        s.turn(Turn::Failed);
        s.refresh_at = None;
        (s.call, s.chat) = (Leg::None, Leg::None);
        (s.subscription, s.subscribing) = (None, None);
        (s.subscribe_at, s.chat_at, s.join_at, s.chat_tries, s.tries) = (None, None, None, 0, 0);
        let open: Vec<u32> = s.commands.keys().copied().collect();
        let lost = open.into_iter().filter_map(|id| s.command_over(id, Some("the connection was lost")));
        let mut ops: Vec<_> = lost.filter_map(|c| c.op).collect();
        for i in std::mem::take(&mut s.invited).into_values() {
            s.asked(&i.who, Reason::DeliverFailed, Some("the connection was lost"));
            ops.extend(i.op);
        }
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
        let over = late.iter().filter_map(|id| s.command_over(*id, Some("no answer"))).collect::<Vec<_>>();
        let ops: Vec<_> = over.into_iter().filter_map(|c| c.op).collect();
        let unanswered: Vec<Token> = s.invited.iter().filter(|(_, i)| i.until <= now).map(|(t, _)| *t).collect();
        let silent: Vec<_> = unanswered.iter().filter_map(|t| s.invited.remove(t)).collect();
        silent.iter().for_each(|i| s.asked(&i.who, Reason::DeliverFailed, Some("no answer")));
        let people: Vec<_> = silent.into_iter().filter_map(|i| i.op).collect();
        let due = |t: Option<Time>| t.is_some_and(|t| t <= now);
        let (join, subscribe, chat, refresh) = (due(s.join_at), due(s.subscribe_at), due(s.chat_at), due(s.refresh_at));
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
        if refresh {
            self.refresh_session(desk);
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
