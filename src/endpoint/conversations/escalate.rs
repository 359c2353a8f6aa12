//! From two people to a conference, and more people into one (`domain.md` 7.3, 8.4; `lync-conversations.md` 2.2).

use super::desk::{Desk, Purpose};
use super::dialog::Dialog;
use super::docs::{self, Order, Scheduled};
use super::failure;
use super::im::acknowledge;
use super::invitation::Reason;
use super::session::{Plan, Stage};
use super::state::Step;
use super::talk::{Call, Person, Talk};
use crate::domain::Address;
use crate::domain::conference::AccessLevel;
use crate::domain::conference_rules;
use crate::domain::conversation::{ConversationId, ConversationState as S, Priority, Role};
use crate::endpoint::service::{Reply, Token};
use crate::endpoint::{Error, ErrorKind, Event, OperationId, Outcome};
use crate::lync::identity;
use crate::sip::{Method, Name, Response, Uri};

impl Talk {
    /// Invites one more person.
    pub fn invite_person(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, who: &Address) {
        let error = |text: &str| Err(Error::new(ErrorKind::InvalidOperation, text));
        if who == desk.me() {
            return self.complete(desk, Some(op), error("you are in this conversation already"));
        }
        match self.state {
            S::Conferenced => {
                if let Some(s) = self.session.as_mut().filter(|s| s.stage == Stage::Connected) {
                    s.guests.push((who.clone(), Some(op)));
                    self.invite_guests(desk);
                } else {
                    let text = "the meeting is being joined again; try again in a moment";
                    self.complete(desk, Some(op), Err(Error::new(ErrorKind::Retryable, text)));
                }
            }
            S::Conferencing => match (&mut self.session, &mut self.plan) {
                (Some(s), _) => s.guests.push((who.clone(), Some(op))),
                (None, Some(plan)) => plan.guests.push((who.clone(), Some(op))),
                (None, None) => self.complete(desk, Some(op), error("this is not possible now")),
            },
            S::Idle | S::Established | S::Terminated if self.peer.is_some() => {
                if self.peer.as_ref().is_some_and(|p| p.uri == *who) {
                    return self.complete(desk, Some(op), error("this person is in the conversation already"));
                }
                self.revive();
                let peer = self.peer.iter().map(|p| (p.uri.clone(), None));
                let guests = peer.chain([(who.clone(), Some(op))]).collect();
                self.schedule(desk, None, guests);
            }
            S::InLobby => {
                self.complete(desk, Some(op), error("you are waiting in the lobby; people can be invited when you are in"))
            }
            _ => self.complete(desk, Some(op), error("people can be invited when the conversation stands")),
        }
    }

    /// Schedules an ad hoc conference and joins it when it is there.
    pub fn schedule(&mut self, desk: &mut Desk<'_, '_>, op: Option<OperationId>, guests: Vec<(Address, Option<OperationId>)>) {
        let waiting: Vec<_> = op.into_iter().chain(guests.iter().filter_map(|g| g.1)).collect();
        if !desk.ctx.online {
            let error = Error::new(ErrorKind::Retryable, "you are not signed in; try again when you are");
            return self.complete_all(desk, waiting, Err(error));
        }
        if !self.step(Step::Join) {
            let error = Error::new(ErrorKind::InvalidOperation, "no meeting can be started from here now");
            return self.complete_all(desk, waiting, Err(error));
        }
        match self.ask_factory(desk) {
            Some(token) => self.plan = Some(Plan { token, op, guests, again: false }),
            None => {
                let error = Error::new(ErrorKind::ConferenceFailed, "this server offers no meetings");
                self.fall_back(desk, &error);
                self.complete_all(desk, waiting, Err(error));
            }
        }
    }

    fn ask_factory(&mut self, desk: &mut Desk<'_, '_>) -> Option<Token> {
        let me = desk.speaker(&self.id).uri;
        // Somebody else's conferences are made at somebody else's factory.
        let factory = if me == *desk.me() { desk.facts.factory(desk.ctx.me) } else { identity::focus_factory(&me) };
        let uri = Uri::parse(&factory)?;
        let settings = conference_rules::ad_hoc(&self.subject, desk.now());
        let conference = conference_rules::new_id(desk.ctx.rng);
        let request_id = desk.request_id();
        let body = docs::add_conference(&factory, &me, request_id, &conference, &settings);
        let request = desk.ctx.request(Method::Service, &uri).with(Name::Supported, "ms-sender").with_body(docs::CCCP, body);
        Some(desk.send(&self.id, Purpose::Schedule, request))
    }

    /// The factory answered.
    pub fn on_schedule_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        if self.plan.as_ref().is_none_or(|p| p.token != token) {
            return;
        }
        let result = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) if r.is_success() => docs::scheduled(&r.body),
            Reply::Response(r) => Scheduled::Failed(failure::conference(&r)),
            Reply::Timeout => Scheduled::Failed(Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again")),
            // on_offline follows and decides.
            Reply::LinkLost => return,
        };
        let Some(mut plan) = self.plan.take() else { return };
        match result {
            Scheduled::Focus(focus) => self.join(desk, &focus, plan.op, plan.guests),
            Scheduled::IdTaken if !plan.again => {
                if let Some(token) = self.ask_factory(desk) {
                    (plan.token, plan.again) = (token, true);
                    self.plan = Some(plan);
                }
            }
            Scheduled::IdTaken => {
                self.schedule_failed(
                    desk,
                    plan,
                    Error::new(ErrorKind::ConferenceFailed, "no free meeting id was found; try again"),
                );
            }
            Scheduled::Failed(error) => self.schedule_failed(desk, plan, error),
        }
    }

    fn schedule_failed(&mut self, desk: &mut Desk<'_, '_>, plan: Plan, error: Error) {
        self.fall_back(desk, &error);
        let ops = plan.op.into_iter().chain(plan.guests.into_iter().filter_map(|g| g.1)).collect();
        self.complete_all(desk, ops, Err(error));
    }

    /// Invites everybody who waits to be invited.
    pub fn invite_guests(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(s) = self.session.as_mut().filter(|s| s.stage == Stage::Connected) else { return };
        let now = desk.now();
        let guests = std::mem::take(&mut s.guests);
        self.announce_guests(desk, &guests);
        for (who, op) in guests {
            let Some(s) = self.session.as_mut() else { return };
            let Some(uri) = Uri::parse(who.as_str()) else { continue };
            let body = docs::conference_invitation(s.focus.as_str(), &self.subject);
            let request = desk.ctx.request(Method::Invite, &uri);
            let request = request
                .with(Name::Supported, "ms-sender")
                .with(Name::Supported, "ms-conf-invite")
                .with(Name::MsConversationId, self.wire.first().cloned().unwrap_or_default())
                .with_body(docs::CONFERENCE_INVITE, body);
            let request =
                if self.priority == Priority::Normal { request } else { request.with(Name::Priority, self.priority.text()) };
            let token = desk.send(&self.id, Purpose::Invitation, request);
            s.invite(token, who, op, now);
        }
    }

    /// Tells the focus whom a leader invites, when they would have to wait otherwise.
    fn announce_guests(&mut self, desk: &mut Desk<'_, '_>, guests: &[(Address, Option<OperationId>)]) {
        let Some(access) =
            self.session.as_ref().filter(|s| s.my_role == Some(Role::Leader)).map(|s| s.roster.meeting(desk.me()).access)
        else {
            return;
        };
        let own = desk.me().host().to_owned();
        let waits = |who: &Address| match access {
            Some(AccessLevel::Invited) => true,
            Some(AccessLevel::SameEnterprise) => who.host() != own,
            _ => false,
        };
        for (who, _) in guests.iter().filter(|g| waits(&g.0)) {
            self.command_quietly(desk, &Order::Invited(who));
        }
    }

    /// Somebody answered our invitation. Gives back the conversation of a two-party call that could not be moved.
    pub fn on_invitation_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) -> Option<Box<Talk>> {
        if let Reply::Response(r) = &reply
            && !r.is_final()
        {
            let s = self.session.as_mut()?;
            let who = s.invited.get(&token)?.who.clone();
            match r.status {
                180 => s.asked(&who, Reason::Ringing, None),
                181 => s.asked(&who, Reason::Deflected, None),
                _ => {}
            }
            return None;
        }
        if let Reply::Response(r) = &reply
            && r.is_success()
        {
            self.greet_guest(desk, token, r);
        } else {
            desk.sent.forget(token);
        }
        let invited = self.session.as_mut()?.invited.remove(&token)?;
        let moving = self.session.as_ref()?.moving.as_ref().is_some_and(|p| p.uri == invited.who);
        let refusal = match &reply {
            Reply::Response(r) if r.is_success() => None,
            Reply::Response(r) => {
                let text = failure::undelivered(r, invited.who.bare());
                Some(failure::with_wire(ErrorKind::FailureResponse, text, r))
            }
            Reply::Timeout => Some(Error::new(ErrorKind::Timeout, format!("{} did not answer", invited.who.bare()))),
            Reply::LinkLost => Some(Error::new(ErrorKind::Retryable, "the connection was lost")),
        };
        let Some(refusal) = refusal else {
            self.session.as_mut()?.asked(&invited.who, Reason::Accepted, None);
            if moving {
                // They come along: the two-party call has done its work (2.2 step 7).
                self.hang_up(desk);
                self.moved();
            }
            self.complete(desk, invited.op, Ok(Outcome::Done));
            return None;
        };
        let deaf = matches!(&reply, Reply::Response(r) if matches!(r.status, 415 | 488));
        if deaf && !moving && self.dial_out(desk, &invited.who, invited.op) {
            return None;
        }
        let reason = match &reply {
            Reply::Response(r) if matches!(r.status, 603 | 605) => Reason::TerminatedRemotely,
            Reply::Response(r) if r.status == 487 => Reason::TerminatedLocally,
            _ => Reason::DeliverFailed,
        };
        self.session.as_mut()?.asked(&invited.who, reason, Some(&refusal.text));
        let derived = if moving { self.derive(desk, &refusal) } else { None };
        self.complete(desk, invited.op, Err(refusal));
        derived
    }

    /// Has the MCU call somebody, without an invitation before.
    pub fn call_in(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, who: &Address) {
        let refusal = match &mut self.session {
            None => "this is no meeting; a meeting can call people",
            Some(_) if who == desk.me() => "you are in this meeting already",
            Some(s) if s.roster.has(who) => "this person is in the meeting already",
            Some(s) if s.roster.chat_uri(s.focus.as_str()).is_none() => {
                "the chat of this meeting is being set up; try again in a moment"
            }
            Some(s) => {
                s.asked(who, Reason::Delivering, None);
                self.dial_out(desk, who, Some(op));
                return;
            }
        };
        self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidOperation, refusal)));
    }

    /// Whoever cannot take part by an invitation is called by the MCU (`domain.md` 8.4). False when that is not possible.
    fn dial_out(&mut self, desk: &mut Desk<'_, '_>, who: &Address, op: Option<OperationId>) -> bool {
        let guid = docs::guid(desk.ctx.rng);
        let Some(s) = self.session.as_mut() else { return false };
        let Some(mcu) = s.roster.chat_uri(s.focus.as_str()).map(str::to_owned) else { return false };
        s.asked(who, Reason::FallingBackToMcuDialOut, None);
        let order = Order::DialOut(who, &mcu, &guid);
        match (self.may_command(desk, &order), op) {
            (Ok(()), Some(op)) => self.command(desk, op, &order),
            (Ok(()), None) => self.command_quietly(desk, &order),
            (Err(error), op) => {
                if let Some(s) = &mut self.session {
                    s.asked(who, Reason::DeliverFailed, Some(&error.text));
                }
                self.complete(desk, op, Err(error));
            }
        }
        true
    }

    fn moved(&mut self) {
        if let Some(s) = &mut self.session {
            s.moving = None;
        }
    }

    fn greet_guest(&mut self, desk: &mut Desk<'_, '_>, token: Token, r: &Response) {
        let tag = r.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default();
        let Some(invite) = desk.sent.answered(token, &tag) else { return };
        let Some(mut dialog) = Dialog::caller(&invite, r) else { return };
        acknowledge(desk, &dialog, &invite);
        let bye = dialog.request(desk.ctx, Method::Bye);
        desk.send(&self.id, Purpose::Goodbye, bye);
    }

    /// The two-party call cannot move into the conference: it goes on in a conversation of its own (`domain.md` 7.3 rule 4).
    fn derive(&mut self, desk: &mut Desk<'_, '_>, why: &Error) -> Option<Box<Talk>> {
        let person: Person = self.session.as_mut()?.moving.take()?;
        let call = std::mem::take(&mut self.call);
        if call.is_none() {
            return None;
        }
        let name = person.uri.bare().to_owned();
        desk.ctx.emit(Event::Notice(format!("{name} could not be moved into the meeting: {why}")));
        let mut talk = Talk::new(ConversationId(desk.ctx.rng.hex(24)), Some(person), desk.now());
        talk.state = if matches!(call, Call::Up(_)) { S::Established } else { S::Establishing };
        talk.derived_from = Some((self.id.clone(), why.to_string()));
        talk.subject = self.subject.clone();
        talk.recovery = self.recovery.take();
        talk.spare = std::mem::take(&mut self.spare);
        talk.call = call;
        Some(Box::new(talk))
    }
}
