//! Conversations: two-party messages, conferences one takes part in, invitations both ways (`domain.md` 3.2, 7, 8;
//! `lync-conversations.md` 1, 2, 4, 5).
//!
//! Contract: the service of [`Service`]. Each conversation is one `Talk`; whatever happens to it ends with `publish`, which
//! says how it looks if that changed, before any completion or message that belongs to it. Texts wait in the talk's outbox
//! until a dialog stands and leave it exactly once.

mod context;
mod control;
mod desk;
mod dialog;
mod docs;
mod escalate;
mod failure;
mod im;
mod inbound;
mod invitation;
mod join;
mod mcu;
mod operate;
mod outbox;
mod recovery;
mod report;
mod ring;
mod roster;
mod session;
mod state;
mod stay;
mod talk;
#[cfg(test)]
mod tests;
mod typing;

use super::limits::{INVITATION_FREE, MAX_CONVERSATIONS};
use super::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use super::{Error, ErrorKind, JoinTarget, Operation, OperationId};
use crate::domain::conversation::{ConversationId, ConversationState};
use crate::domain::{Address, Rng, Time};
use crate::sip::{Method, Request, ServerTx};
use desk::{Desk, Facts, Purpose, Sent};
use dialog::Dialog;
use std::collections::BTreeMap;
use talk::{Call, Talk};

/// The dialog of an invitation into a conference that we accepted; freed soon (2.2 step 8).
#[derive(Debug)]
struct Guest {
    dialog: Dialog,
    talk: ConversationId,
    since: Time,
}

/// The service.
#[derive(Debug, Default)]
pub struct Conversations {
    talks: BTreeMap<ConversationId, Talk>,
    guests: Vec<Guest>,
    sent: Sent,
    facts: Facts,
}

impl Conversations {
    /// No conversations.
    pub fn new(_rng: Rng) -> Conversations {
        Conversations::default()
    }

    /// Conversations with something to lose: a call, a conference, an invitation, or words on their way.
    pub fn running(&self) -> usize {
        self.talks.values().filter(|t| t.is_running()).count()
    }

    /// Requests whose answer is awaited or may still come again.
    pub fn remembered(&self) -> usize {
        self.sent.len()
    }

    /// Dialogs with other people, those of invitations into conferences included.
    pub fn dialogs(&self) -> usize {
        let call = |t: &Talk| usize::from(matches!(t.call, Call::Accepting { .. } | Call::Up(_)));
        self.guests.len() + self.talks.values().map(|t| call(t) + t.spare.len()).sum::<usize>()
    }

    /// Calls `f` with the working place taken apart from the rest.
    fn at_desk<R>(&mut self, ctx: &mut Ctx<'_>, f: impl FnOnce(&mut Conversations, &mut Desk<'_, '_>) -> R) -> R {
        let (mut sent, mut facts) = (std::mem::take(&mut self.sent), std::mem::take(&mut self.facts));
        let result = f(self, &mut Desk { ctx, sent: &mut sent, facts: &mut facts });
        (self.sent, self.facts) = (sent, facts);
        result
    }

    /// Sends what the conversation can send now, and says how it looks.
    fn publish(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId) {
        if let Some(talk) = self.talks.get_mut(id) {
            talk.pump(desk);
            talk.settle_context();
            talk.publish(desk);
        }
        self.forget_if_over(id, false);
    }

    /// A conversation that the user closed, or that never concerned them, is forgotten when it has ended.
    fn forget_if_over(&mut self, id: &ConversationId, unwanted: bool) {
        let over = |t: &Talk| t.state == ConversationState::Terminated && (t.closed || unwanted) && t.outbox.is_empty();
        if self.talks.get(id).is_some_and(over) {
            self.facts.acting.remove(id);
            self.talks.remove(id);
        }
    }

    /// Keeps a conversation; over the limit the longest unused ended one goes.
    fn insert(&mut self, desk: &mut Desk<'_, '_>, talk: Talk) {
        if self.talks.len() >= MAX_CONVERSATIONS {
            let oldest = self.talks.values().min_by_key(|t| (!t.is_over(), t.used)).map(|t| t.id.clone());
            if let Some(mut old) = oldest.and_then(|id| self.talks.remove(&id)) {
                old.terminate(desk, Some("too many conversations are open".into()));
                old.publish(desk);
            }
        }
        self.talks.insert(talk.id.clone(), talk);
    }

    fn ids(&self) -> Vec<ConversationId> {
        self.talks.keys().cloned().collect()
    }

    fn free_guests(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        let (old, young): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.guests).into_iter().partition(|g| g.since + INVITATION_FREE <= now);
        self.guests = young;
        for mut guest in old {
            let bye = guest.dialog.request(desk.ctx, Method::Bye);
            desk.send(&guest.talk, Purpose::Goodbye, bye);
        }
    }
}

impl Service for Conversations {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        self.at_desk(ctx, |this, desk| this.operate(desk, id, operation))
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        let outside = request.headers.to().is_none_or(|to| to.tag().is_none());
        if !ctx.me.talks && outside {
            return Handled::No(request);
        }
        self.at_desk(ctx, |this, desk| match (&request.method, tx) {
            (Method::Invite, Some(tx)) => this.on_invite(desk, tx, request),
            _ => this.inbound(desk, tx, request),
        })
    }

    fn on_cancel(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, cancel: &Request) {
        self.at_desk(ctx, |this, desk| this.on_cancelled(desk, tx, cancel));
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        self.at_desk(ctx, |this, desk| this.replied(desk, token, reply));
    }

    fn on_internal(&mut self, _ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::FocusFactory(uri) => self.facts.focus_factory = Some(uri.clone()),
            InternalEvent::Draining => self.facts.draining = true,
            InternalEvent::OwnDevices { count, most_active } => {
                (self.facts.devices, self.facts.most_active) = (*count, *most_active);
            }
            _ => {}
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.at_desk(ctx, |this, desk| {
            for id in this.ids() {
                if let Some(talk) = this.talks.get_mut(&id) {
                    talk.rejoin(desk);
                }
                this.publish(desk, &id);
            }
        });
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.guests.clear();
        self.sent.clear();
        self.at_desk(ctx, |this, desk| {
            for id in this.ids() {
                if let Some(talk) = this.talks.get_mut(&id) {
                    talk.link_lost(desk);
                }
                this.publish(desk, &id);
            }
        });
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.at_desk(ctx, |this, desk| {
            for id in this.ids() {
                if let Some(talk) = this.talks.get_mut(&id) {
                    talk.end_ring(desk, 480, false);
                    talk.terminate(desk, None);
                    talk.publish(desk);
                }
            }
            for mut guest in std::mem::take(&mut this.guests) {
                let bye = guest.dialog.request(desk.ctx, Method::Bye);
                desk.send(&guest.talk, Purpose::Goodbye, bye);
            }
        });
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.at_desk(ctx, |this, desk| {
            this.free_guests(desk);
            let now = desk.now();
            let due: Vec<_> =
                this.talks.values().filter(|t| t.deadline().is_some_and(|d| d <= now)).map(|t| t.id.clone()).collect();
            for id in due {
                if this.talks.get(&id).and_then(|t| t.ring.as_ref()).is_some_and(|r| r.auto.is_some_and(|a| a <= now)) {
                    this.accept_ring(desk, &id);
                }
                if let Some(talk) = this.talks.get_mut(&id) {
                    talk.on_time(desk);
                }
                this.publish(desk, &id);
            }
        });
    }

    fn poll_timeout(&self) -> Option<Time> {
        let guests = self.guests.iter().map(|g| g.since + INVITATION_FREE);
        self.talks.values().filter_map(Talk::deadline).chain(guests).min()
    }
}

impl Talk {
    /// Something would be lost if the endpoint ended now.
    fn is_running(&self) -> bool {
        match self.state {
            ConversationState::Terminated => false,
            ConversationState::Idle => self.plan.is_some() || !self.outbox.is_empty(),
            _ => true,
        }
    }

    /// The link is gone: all dialogs are dead; what was never sent waits on.
    fn link_lost(&mut self, desk: &mut Desk<'_, '_>) {
        let news = self.outbox.link_lost(desk.now());
        self.tell(desk, news);
        let called = self.is_called();
        self.call = Call::None;
        self.recovery = None;
        self.lose_context(desk);
        self.spare.clear();
        self.remote.clear();
        self.local.sent();
        self.step(state::Step::CallEnded);
        self.end_ring(desk, 480, true);
        self.lose_conference(desk);
        if called {
            self.terminate(desk, Some("the meeting lost you with the connection; somebody inside can call you again".into()));
        }
        self.finish(false);
    }

    /// The earliest moment something is due.
    fn deadline(&self) -> Option<Time> {
        let call = match &self.call {
            Call::Inviting { until, .. } | Call::Accepting { until, .. } => Some(*until),
            _ => None,
        };
        let parts = [
            call,
            self.ring_deadline(),
            self.outbox.deadline(),
            self.local.deadline(),
            self.remote.deadline(),
            self.goodbye_until,
            self.recovery.as_ref().and_then(|r| r.at),
            self.context.as_ref().and_then(context::Channel::deadline),
            self.session.as_ref().and_then(|s| s.deadline()),
        ];
        parts.into_iter().flatten().min()
    }

    fn on_time(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        let news = self.outbox.expire(now);
        self.tell(desk, news);
        let notice = self.local.expire(now);
        self.send_typing(desk, notice);
        self.remote.expire(now);
        if self.ring.as_ref().is_some_and(|r| r.until <= now) {
            self.end_ring(desk, 480, true);
        }
        if self.goodbye_until.is_some_and(|t| t <= now) {
            self.goodbyes.clear();
            self.goodbye_until = None;
            self.finish(true);
        }
        self.call_on_time(desk);
        self.recovery_on_time(desk);
        self.context_on_time(desk);
        self.conference_on_time(desk);
    }

    fn call_on_time(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        match &self.call {
            Call::Inviting { token, until, .. } if *until <= now => {
                desk.ctx.cancel(*token);
                self.call = Call::None;
                let why = format!("{} did not answer; try again later", self.peer_name());
                self.call_failed(desk, why);
            }
            Call::Accepting { until, .. } if *until <= now => {
                if let Call::Accepting { dialog, .. } = std::mem::take(&mut self.call) {
                    self.bye(desk, *dialog);
                }
                self.auto_terminate(desk, Some("the other side went away while the conversation was set up".into()));
            }
            _ => {}
        }
    }
}

/// The focus somebody wants to join or ask about.
pub(super) fn focus_of(target: &JoinTarget, me: &Address) -> Result<String, Error> {
    docs::focus_of(target, me)
}

/// An operation names a conversation that is not here.
fn no_such() -> Error {
    Error::new(ErrorKind::InvalidOperation, "no such conversation is open; start it, or start it again if it is over")
}
