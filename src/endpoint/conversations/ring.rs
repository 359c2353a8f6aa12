//! Invitations that come in: matched to a conversation, shown, accepted, declined, missed (`lync-conversations.md` 1.7).

use super::desk::Desk;
use super::dialog::Dialog;
use super::docs::{self, Offer};
use super::state::Step;
use super::talk::{Call, Person, Ring, RingKind, Talk};
use super::{Conversations, failure};
use crate::domain::conversation::{ConversationId, ConversationState as S, Priority};
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{ACK_WAIT, CONFERENCE_AUTO_ACCEPT, MAX_CONVERSATION_ID, MAX_INVITATIONS, MAX_NAME, RING_WAIT};
use crate::endpoint::service::Handled;
use crate::lync::diagnostics::{self, Diagnostics};
use crate::lync::identity;
use crate::sip::{Name, Request, Response, ServerTx};

/// What makes an invitation ours to judge.
pub(super) struct Caller {
    /// Who.
    pub person: Person,
    /// `Ms-Conversation-ID`, if it can be a name.
    pub conversation: Option<String>,
    /// It is the IM MCU of a conference of this person's; its messages come from many.
    pub is_mcu: bool,
}

impl Caller {
    /// Reads who invites; `None` when From is no person.
    pub fn of(request: &Request) -> Option<Caller> {
        let from = request.headers.from()?;
        let uri = from.uri.address()?;
        let name = from.display.chars().take(MAX_NAME).collect();
        let id = request.headers.get(&Name::MsConversationId).map(str::trim);
        let usable = |id: &&str| !id.is_empty() && id.len() <= MAX_CONVERSATION_ID;
        let is_mcu = identity::is_mcu(from.uri.as_str());
        Some(Caller { person: Person { uri, name }, conversation: id.filter(usable).map(str::to_owned), is_mcu })
    }
}

impl Conversations {
    /// An INVITE.
    pub(super) fn on_invite(&mut self, desk: &mut Desk<'_, '_>, tx: ServerTx, request: Request) -> Handled {
        if let Some(talk) = self.talks.values_mut().find(|t| t.owns_any(&request)) {
            talk.on_reinvite(desk, tx, &request);
            return Handled::Yes;
        }
        if request.headers.to().is_some_and(|t| t.tag().is_some()) {
            return Handled::No(request);
        }
        let Some(caller) = Caller::of(&request) else {
            desk.answer(Some(tx), &request, 400);
            return Handled::Yes;
        };
        if desk.facts.draining && !self.goes_on(&caller) {
            let tag = desk.tag();
            // Its server asks another instance (`domain.md` 3.1).
            let why = Diagnostics::new(diagnostics::DRAINING, "This instance takes no new conversations");
            let refusal = request.response(503, &tag).with("ms-client-diagnostics", why.to_string());
            desk.ctx.respond(tx, refusal);
            return Handled::Yes;
        }
        match docs::offer_of(&request) {
            Offer::Messages => self.on_message_invite(desk, tx, request, caller),
            Offer::Conference(invitation) => self.on_conference_invite(desk, tx, request, caller, invitation),
            Offer::Other => {
                let tag = desk.tag();
                let refusal = request.response(488, &tag);
                desk.ctx.respond(tx, refusal.with("ms-client-diagnostics", "52063;reason=\"Only messages are supported here\""));
            }
        }
        Handled::Yes
    }

    /// Whether an invitation belongs to a conversation that runs already; a draining endpoint finishes those.
    fn goes_on(&self, caller: &Caller) -> bool {
        let named = |t: &Talk| caller.conversation.as_ref().is_some_and(|id| t.wire.contains(id));
        self.talks.values().any(|t| !t.is_over() && t.is_with(&caller.person.uri) && (named(t) || t.is_live()))
    }

    fn on_message_invite(&mut self, desk: &mut Desk<'_, '_>, tx: ServerTx, request: Request, caller: Caller) {
        let id = if caller.is_mcu { self.talk_of_meeting(desk, &caller) } else { self.talk_for(desk, &caller, true) };
        let Some(talk) = self.talks.get_mut(&id) else { return };
        talk.greet(desk, &request, &caller);
        let toast = if caller.is_mcu { talk.subject.clone() } else { docs::toast_of(&request) };
        let tag = desk.tag();
        let at_once = desk.facts.is_only_device() || talk.is_live();
        let ring = Ring {
            tx,
            tag,
            from: caller.person,
            toast,
            kind: RingKind::Messages,
            auto: desk.facts.accepts_after(desk.now()).map(|wait| desk.now() + wait),
            until: desk.now() + RING_WAIT,
            invite: request,
        };
        if at_once {
            talk.accept_call(desk, ring)
        } else {
            talk.ring(desk, ring)
        }
        self.publish(desk, &id);
    }

    fn on_conference_invite(
        &mut self,
        desk: &mut Desk<'_, '_>,
        tx: ServerTx,
        request: Request,
        caller: Caller,
        invitation: docs::ConferenceOffer,
    ) {
        let tag = desk.tag();
        if let Some(talk) = self.talks.values_mut().find(|t| t.is_in(&invitation.focus)) {
            // Already there, or on the way.
            talk.used = desk.now();
            let id = talk.id.clone();
            self.accept_guest(desk, tx, &request, &tag, id);
            return;
        }
        // A meeting that is named apart from our conversation with its inviter has a window of its own.
        let id = self.talk_for(desk, &caller, caller.conversation.is_none());
        let Some(talk) = self.talks.get_mut(&id) else { return };
        talk.greet(desk, &request, &caller);
        if talk.subject.is_empty() {
            talk.subject = invitation.subject.chars().take(MAX_NAME).collect();
        }
        // A call rings even where its messages would not.
        let at_once = talk.is_live() && invitation.messages && !invitation.audio;
        let ring = Ring {
            tx,
            tag,
            from: caller.person,
            toast: invitation.subject,
            kind: RingKind::Conference(invitation.focus),
            auto: (invitation.messages && !desk.facts.is_only_device()).then(|| desk.now() + CONFERENCE_AUTO_ACCEPT),
            until: desk.now() + RING_WAIT,
            invite: request,
        };
        if at_once {
            self.accept_conference(desk, &id, ring);
        } else {
            talk.ring(desk, ring);
        }
        self.publish(desk, &id);
    }

    /// Accepts the waiting invitation of a conversation. False when there is none.
    pub(super) fn accept_ring(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId) -> bool {
        let Some(talk) = self.talks.get_mut(id) else { return false };
        let Some(ring) = talk.ring.take() else { return false };
        match ring.kind {
            RingKind::Messages => talk.accept_call(desk, ring),
            RingKind::Conference(_) => self.accept_conference(desk, id, ring),
        }
        true
    }

    fn accept_conference(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, ring: Ring) {
        self.accept_guest(desk, ring.tx, &ring.invite, &ring.tag, id.clone());
        let RingKind::Conference(focus) = ring.kind else { return };
        if let Some(talk) = self.talks.get_mut(id) {
            talk.join(desk, &focus, None, Vec::new());
        }
        self.end_rings_for(desk, &focus, id);
    }

    /// Other invitations to a meeting that we join under this name ask the user nothing any more. One device has one seat
    /// in a meeting: accepted later by themselves they would take the seat away from this conversation.
    pub(super) fn end_rings_for(&mut self, desk: &mut Desk<'_, '_>, focus: &str, id: &ConversationId) {
        let same = |r: &Ring| matches!(&r.kind, RingKind::Conference(f) if docs::same_uri(f, focus));
        let ringing = self.talks.values().filter(|t| t.id != *id && t.ring.as_ref().is_some_and(same));
        for other in ringing.map(|t| t.id.clone()).collect::<Vec<_>>() {
            let Some(ring) = self.talks.get_mut(&other).and_then(|t| t.ring.take()) else { continue };
            self.accept_guest(desk, ring.tx, &ring.invite, &ring.tag, id.clone());
            if let Some(talk) = self.talks.get_mut(&other).filter(|t| t.state == S::Incoming) {
                talk.terminate(desk, None);
            }
            self.publish(desk, &other);
            self.forget_if_over(&other, true);
        }
    }

    /// Answers 200 to an invitation into a conference; its dialog has done its work then (2.2 step 8).
    fn accept_guest(&mut self, desk: &mut Desk<'_, '_>, tx: ServerTx, request: &Request, tag: &str, id: ConversationId) {
        let response = accepted(desk, request, tag);
        if let Some(dialog) = Dialog::callee(request, &response) {
            if self.guests.len() >= MAX_INVITATIONS {
                self.guests.remove(0);
            }
            self.guests.push(super::Guest { dialog, talk: id, since: desk.now() });
        }
        desk.ctx.respond(tx, response);
    }

    /// The conversation an invitation belongs to: by its id, else by the person if that will do, else a new one.
    pub(super) fn talk_for(&mut self, desk: &mut Desk<'_, '_>, caller: &Caller, person_will_do: bool) -> ConversationId {
        let who = &caller.person.uri;
        let theirs = |t: &&Talk| t.is_with(who) && !t.closed;
        let named = |t: &&Talk| caller.conversation.as_ref().is_some_and(|id| t.wire.contains(id));
        let by_name = self.talks.values().find(|t| theirs(t) && named(t));
        let by_person = || {
            self.talks.values().filter(|t| person_will_do && theirs(t)).max_by_key(|t| (!t.is_over(), !t.call.is_none(), t.used))
        };
        if let Some(talk) = by_name.or_else(by_person) {
            return talk.id.clone();
        }
        let wanted = caller.conversation.clone().map(ConversationId).filter(|id| !self.talks.contains_key(id));
        let id = wanted.unwrap_or_else(|| ConversationId(desk.ctx.rng.hex(24)));
        let mut talk = Talk::new(id.clone(), Some(caller.person.clone()), desk.now());
        if let Some(wire) = &caller.conversation {
            talk.wire = vec![wire.clone()];
        }
        self.insert(desk, talk);
        id
    }

    /// A meeting that calls us gets a window of its own, whatever we have with its organizer.
    fn talk_of_meeting(&mut self, desk: &mut Desk<'_, '_>, caller: &Caller) -> ConversationId {
        let wanted = caller.conversation.clone().map(ConversationId).filter(|id| !self.talks.contains_key(id));
        let id = wanted.unwrap_or_else(|| ConversationId(desk.ctx.rng.hex(24)));
        let mut talk = Talk::new(id.clone(), None, desk.now());
        talk.subject.clone_from(&caller.person.name);
        self.insert(desk, talk);
        id
    }

    /// Our INVITE's CANCEL came for a waiting invitation.
    pub(super) fn on_cancelled(&mut self, desk: &mut Desk<'_, '_>, tx: ServerTx, cancel: &Request) {
        let Some(talk) = self.talks.values_mut().find(|t| t.ring.as_ref().is_some_and(|r| r.tx == tx)) else { return };
        let elsewhere = cancel.headers.all(&Name::Reason).any(|r| {
            let r = r.to_ascii_lowercase();
            r.contains("cause=200") || r.contains("elsewhere")
        });
        talk.end_ring(desk, 487, !elsewhere);
        let id = talk.id.clone();
        self.publish(desk, &id);
        self.forget_if_over(&id, elsewhere);
    }
}

impl Talk {
    /// The user is in this conversation already: further invitations of the same person need no question.
    fn is_live(&self) -> bool {
        matches!(self.state, S::Established | S::Establishing) || !self.call.is_none()
    }

    /// Takes what an INVITE says of the conversation.
    fn greet(&mut self, desk: &Desk<'_, '_>, request: &Request, caller: &Caller) {
        self.used = desk.now();
        if let (Some(peer), false) = (&mut self.peer, caller.person.name.is_empty()) {
            peer.name = caller.person.name.clone();
        }
        self.priority = request.headers.get(&Name::Priority).and_then(Priority::parse).unwrap_or(self.priority);
        if let Some(subject) = request.headers.get(&Name::Subject).filter(|s| !s.is_empty()) {
            self.subject = subject.chars().take(MAX_NAME).collect();
        }
        if let Some(wire) = &caller.conversation
            && !self.wire.contains(wire)
        {
            // Both names stay known: the other side may use either for a later conference.
            self.wire.truncate(3);
            self.wire.push(wire.clone());
        }
    }

    /// Lets an invitation wait for the user.
    fn ring(&mut self, desk: &mut Desk<'_, '_>, ring: Ring) {
        if self.ring.is_some() {
            self.end_ring(desk, 486, false);
        }
        self.revive();
        if matches!(self.state, S::Idle) {
            self.state = S::Incoming;
        }
        let ringing = ring.invite.response(180, &ring.tag);
        desk.ctx.respond(ring.tx, ringing);
        self.ring = Some(ring);
    }

    /// Accepts an IM call. An older dialog of this conversation gives way.
    pub fn accept_call(&mut self, desk: &mut Desk<'_, '_>, ring: Ring) {
        let response = accepted(desk, &ring.invite, &ring.tag).with_body("application/sdp", docs::answer(desk.ctx.me));
        let Some(dialog) = Dialog::callee(&ring.invite, &response) else {
            desk.answer(Some(ring.tx), &ring.invite, 400);
            return;
        };
        desk.ctx.respond(ring.tx, response);
        self.revive();
        let until = desk.now() + ACK_WAIT;
        match std::mem::take(&mut self.call) {
            Call::None => {}
            Call::Inviting { token, call_id, until } if call_id.as_str() < ring.invite.headers.call_id() => {
                // Both invited at once: the lower Call-ID stays the one to send on, on both sides.
                self.call = Call::Inviting { token, call_id, until };
                self.keep_spare(desk, dialog);
                return;
            }
            Call::Inviting { token, .. } => desk.ctx.cancel(token),
            Call::Accepting { dialog: old, .. } | Call::Up(old) => {
                // What is unanswered there waits for its answer: said not to have been read, it leaves again on the new one.
                self.bye(desk, *old);
                self.typing_sent = None;
            }
        }
        self.call = Call::Accepting { dialog: Box::new(dialog), until };
        if self.state != S::Established {
            self.step(Step::Establish);
        }
    }

    /// The ACK came, or anything else that proves that the 200 arrived.
    pub fn confirm_call(&mut self) {
        if let Call::Accepting { dialog, .. } = &mut self.call {
            self.call = Call::Up(dialog.clone());
            self.step(Step::Established);
        }
    }

    /// Ends a waiting invitation with this answer; `missed`: the user did not get to it.
    pub fn end_ring(&mut self, desk: &mut Desk<'_, '_>, status: u16, missed: bool) {
        let Some(ring) = self.ring.take() else { return };
        let answer: Response = ring.invite.response(status, &ring.tag);
        desk.ctx.respond(ring.tx, answer);
        if missed {
            desk.ctx.emit(Event::Missed { from: ring.from.uri, toast: ring.toast });
        }
        if self.state == S::Incoming {
            let why = missed.then(|| format!("you missed a conversation with {}", self.peer_name()));
            self.terminate(desk, why);
        }
    }

    /// A refresh or a moved target inside a dialog.
    fn on_reinvite(&mut self, desk: &mut Desk<'_, '_>, tx: ServerTx, request: &Request) {
        if let Some(d) = self.call.dialog().filter(|d| d.matches(request)) {
            d.refresh(request);
        }
        let response = accepted(desk, request, "").with_body("application/sdp", docs::answer(desk.ctx.me));
        desk.ctx.respond(tx, response);
    }

    /// When a waiting invitation needs us.
    pub fn ring_deadline(&self) -> Option<Time> {
        self.ring.as_ref().map(|r| r.auto.map_or(r.until, |a| a.min(r.until)))
    }
}

/// A 200 with our Contact and what we understand.
fn accepted(desk: &Desk<'_, '_>, request: &Request, tag: &str) -> Response {
    request
        .response(200, tag)
        .with(Name::Contact, format!("<{}>", desk.ctx.me.contact))
        .with(Name::Supported, "com.microsoft.rtc-multiparty")
        .with(Name::Supported, "ms-sender")
        .with(Name::UserAgent, desk.ctx.me.user_agent.clone())
}

/// How somebody is called in a sentence.
pub(super) fn called(who: &Address) -> &str {
    failure::name_of(who)
}
