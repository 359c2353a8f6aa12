//! Requests inside (and, for MESSAGE, outside) dialogs, and the answers to ours.

use super::desk::{Desk, Purpose};
use super::dialog::Dialog;
use super::docs::{self, Content};
use super::im::acknowledge;
use super::ring::Caller;
use super::talk::{Call, Talk};
use super::{Conversations, failure};
use crate::domain::conversation::{ConversationId, ConversationState as S, Delivery, InstantMessage, MessageId, TextFormat};
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{MAX_CONVERSATION_ID, MAX_PARTICIPANTS, MAX_TEXT_BYTES};
use crate::endpoint::service::{Handled, Reply, Token};
use crate::sip::{Method, Name, NameAddr, Request, Response, ServerTx};

impl Conversations {
    /// Any request but INVITE and CANCEL.
    pub(super) fn inbound(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: Request) -> Handled {
        if self.on_guest_request(desk, tx, &request) {
            return Handled::Yes;
        }
        let owner = self.talks.values_mut().find(|t| t.owns_any(&request)).map(|t| t.id.clone());
        match owner {
            Some(id) => {
                if let Some(talk) = self.talks.get_mut(&id) {
                    talk.on_dialog_request(desk, tx, &request);
                }
                self.publish(desk, &id);
                Handled::Yes
            }
            None => self.on_stray(desk, tx, request),
        }
    }

    /// Requests that belong to no dialog of ours.
    fn on_stray(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: Request) -> Handled {
        match request.method {
            // Outside any dialog (RFC 3428), or in one that we lost with an earlier link: read it all the same.
            Method::Message => self.on_page_message(desk, tx, &request),
            // Some callers give up with a BYE instead of CANCEL (0.5 item 6).
            Method::Bye => {
                let call_id = request.headers.call_id().to_owned();
                let ringing = |t: &&mut Talk| t.ring.as_ref().is_some_and(|r| r.invite.headers.call_id() == call_id);
                let Some(talk) = self.talks.values_mut().find(ringing) else { return Handled::No(request) };
                desk.answer(tx, &request, 200);
                talk.end_ring(desk, 487, true);
                let id = talk.id.clone();
                self.publish(desk, &id);
            }
            _ => return Handled::No(request),
        }
        Handled::Yes
    }

    fn on_page_message(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request) {
        let Some(caller) = Caller::of(request) else {
            desk.answer(tx, request, 400);
            return;
        };
        match docs::content(request) {
            Content::Unsupported => refuse_type(desk, tx, request),
            Content::Text { format, body } => {
                desk.answer(tx, request, 200);
                if desk.facts.came_before(request, &caller.person.uri) {
                    return;
                }
                let id = self.talk_for(desk, &caller, true);
                let origin = Origin::of(request, &caller.person.uri, desk);
                if let Some(talk) = self.talks.get_mut(&id) {
                    talk.revive();
                    talk.receive_of(desk, &caller.person.uri, format, body, origin);
                }
                self.publish(desk, &id);
            }
            Content::Report(report) => {
                desk.answer(tx, request, 200);
                self.on_kept_report(desk, &report);
            }
            _ => desk.answer(tx, request, 200),
        }
    }

    fn on_guest_request(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request) -> bool {
        let Some(at) = self.guests.iter().position(|g| g.dialog.matches(request)) else { return false };
        if request.method == Method::Bye {
            self.guests.remove(at);
        }
        desk.answer(tx, request, 200);
        true
    }

    /// The answer to one of our requests.
    pub(super) fn replied(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        if let Reply::Response(r) = &reply
            && r.is_success()
            && self.on_further_2xx(desk, token, r)
        {
            return;
        }
        let last = !matches!(&reply, Reply::Response(r) if !r.is_final());
        let Some((id, purpose)) = desk.sent.owner(token, last) else { return };
        let Some(talk) = self.talks.get_mut(&id) else {
            // The conversation is gone; a 2xx still needs its ACK and BYE.
            self.on_orphan_2xx(desk, &id, token, &reply);
            return;
        };
        match purpose {
            Purpose::Invite => talk.on_invite_reply(desk, token, reply),
            Purpose::Message => talk.on_message_reply(desk, token, reply),
            Purpose::Typing => talk.on_typing_reply(desk, token, &reply),
            Purpose::Probe => talk.on_probe_reply(desk, token, &reply),
            Purpose::Context => talk.on_context_reply(desk, token, &reply),
            Purpose::Goodbye if last => {
                talk.goodbyes.retain(|t| *t != token);
                talk.finish(desk.ctx.online);
            }
            Purpose::Goodbye => {}
            Purpose::Focus => talk.on_focus_reply(desk, token, reply),
            Purpose::Subscribe => talk.on_subscribe_reply(desk, token, reply),
            Purpose::Chat => talk.on_chat_reply(desk, token, reply),
            Purpose::Refresh => talk.on_refresh_reply(desk, reply),
            Purpose::Command(request) => talk.on_command_reply(desk, request, reply),
            Purpose::Schedule => talk.on_schedule_reply(desk, token, reply),
            Purpose::Invitation => {
                if let Some(derived) = talk.on_invitation_reply(desk, token, reply) {
                    let id = derived.id.clone();
                    self.insert(desk, *derived);
                    self.publish(desk, &id);
                }
            }
        }
        self.publish(desk, &id);
    }

    /// A 2xx after the first one: the same again wants its ACK again, one of another fork wants ACK and BYE.
    fn on_further_2xx(&mut self, desk: &mut Desk<'_, '_>, token: Token, r: &Response) -> bool {
        let Some((invite, tag)) = desk.sent.earlier(token) else { return false };
        let (invite, tag) = (invite.clone(), tag.to_owned());
        if let Some(mut dialog) = Dialog::caller(&invite, r) {
            acknowledge(desk, &dialog, &invite);
            if dialog.remote_tag() != tag {
                let bye = dialog.request(desk.ctx, Method::Bye);
                desk.ctx.send(bye);
            }
        }
        true
    }

    fn on_orphan_2xx(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, token: Token, reply: &Reply) {
        let r = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) if r.is_success() => r,
            _ => return desk.sent.forget(token),
        };
        let Some(invite) = desk.sent.take_request(token).filter(|q| q.method == Method::Invite) else { return };
        desk.sent.keep_answered(token, &invite, "");
        if let Some(mut dialog) = Dialog::caller(&invite, r) {
            acknowledge(desk, &dialog, &invite);
            let bye = dialog.request(desk.ctx, Method::Bye);
            desk.send(id, Purpose::Goodbye, bye);
        }
    }
}

impl Talk {
    /// Whether a request belongs to any dialog of this conversation.
    pub fn owns_any(&self, request: &Request) -> bool {
        self.owns(request) || self.session.as_ref().is_some_and(|s| s.owns(request))
    }

    /// A request in one of our dialogs.
    pub fn on_dialog_request(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request) {
        self.used = desk.now();
        if self.session.as_ref().is_some_and(|s| s.owns(request)) {
            self.on_conference_request(desk, tx, request);
            return;
        }
        if request.method != Method::Bye && self.call.owns(request) {
            self.confirm_call();
        }
        let author = self.peer.as_ref().map(|p| p.uri.clone()).or_else(|| self.sender(request));
        if let (Method::Message | Method::Info, None, Some(author)) = (&request.method, &self.peer, &author) {
            self.heard(author, desk.me());
        }
        match (&request.method, author) {
            (Method::Ack, _) => {}
            // The report of the IM MCU that has called us.
            (Method::Benotify | Method::Notify, Some(author)) if self.peer.is_none() => {
                self.on_message(desk, tx, request, &author)
            }
            (Method::Message, Some(author)) => self.on_message(desk, tx, request, &author),
            (Method::Info, Some(author)) => self.on_info(desk, tx, request, &author),
            (Method::Bye, _) => {
                desk.answer(tx, request, 200);
                self.on_bye(desk, request);
            }
            _ => desk.answer(tx, request, 200),
        }
    }

    /// A MESSAGE, from a person or through the chat MCU.
    pub fn on_message(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request, author: &Address) {
        if desk.facts.came_before(request, author) {
            return desk.answer(tx, request, 200);
        }
        match docs::content(request) {
            Content::Text { format, body } => {
                desk.answer(tx, request, 200);
                self.receive(desk, author, format, body);
            }
            Content::Typing(active) => {
                desk.answer(tx, request, 200);
                self.remote.set(desk.now(), author, active && author != desk.me());
            }
            Content::Report(report) => {
                desk.answer(tx, request, 200);
                self.on_report(desk, &report);
            }
            Content::Unsupported => refuse_type(desk, tx, request),
        }
    }

    /// A text arrived.
    pub fn receive(&mut self, desk: &mut Desk<'_, '_>, author: &Address, format: TextFormat, body: String) {
        let origin = Origin { id: MessageId(format!("in-{}", desk.ctx.rng.hex(24))), at: desk.now() };
        self.receive_of(desk, author, format, body, origin);
    }

    /// A text arrived that was written at another time: the server kept it while we were away.
    fn receive_of(
        &mut self,
        desk: &mut Desk<'_, '_>,
        author: &Address,
        format: TextFormat,
        mut body: String,
        Origin { id, at }: Origin,
    ) {
        let mut end = body.len().min(MAX_TEXT_BYTES);
        while !body.is_char_boundary(end) {
            end -= 1;
        }
        body.truncate(end);
        self.used = desk.now();
        self.remote.set(desk.now(), author, false);
        self.publish(desk);
        // What another of our own devices wrote is no news from somebody else.
        let state = if *author == desk.speaker(&self.id).uri { Delivery::Delivered } else { Delivery::Received };
        let message = InstantMessage { id, author: author.clone(), at, body, format, state, alone: None };
        desk.ctx.emit(Event::Message { conversation: self.id.clone(), message });
    }

    /// An INFO in an IM dialog: typing, or a new subject.
    pub fn on_info(&mut self, desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request, author: &Address) {
        if let Some(said) = docs::context_of(request) {
            self.on_context(desk, tx, request, said);
            return;
        }
        desk.answer(tx, request, 200);
        if let Some(active) = docs::typing_of(request) {
            self.remote.set(desk.now(), author, active && author != desk.me());
        } else if let Some(subject) = docs::subject_of(request) {
            self.subject = subject;
        }
    }

    /// The other side ended a two-party dialog. Unanswered messages keep waiting for their own answers.
    fn on_bye(&mut self, desk: &mut Desk<'_, '_>, request: &Request) {
        self.spare.retain(|d| !d.matches(request));
        if !self.call.owns(request) {
            return;
        }
        self.call = Call::None;
        if self.recovery.take().is_some() && self.outbox.has_unsent() {
            // The other side was away for too long; what was held leaves with a new invitation.
            return;
        }
        if matches!(self.state, S::Established | S::Establishing) {
            let why = failure::diagnostic_reason(&request.headers);
            let why = why.unwrap_or_else(|| format!("{} left the conversation", self.peer_name()));
            self.remote.clear();
            self.auto_terminate(desk, Some(why));
        }
    }

    /// In a meeting that has called us nobody is known but by their words.
    fn heard(&mut self, author: &Address, me: &Address) {
        if author != me && !self.voices.contains(author) && self.voices.len() < MAX_PARTICIPANTS {
            self.voices.push(author.clone());
        }
    }

    /// The author of a message that came through an MCU.
    pub fn sender(&self, request: &Request) -> Option<Address> {
        let named = request.headers.get(&Name::MsSender).and_then(NameAddr::parse).and_then(|n| n.uri.address());
        named.or_else(|| request.headers.from()?.uri.address())
    }
}

/// Name and time of a text.
struct Origin {
    id: MessageId,
    at: Time,
}

impl Origin {
    /// Of a text outside dialogs. One that the server kept has the same name each time it comes, also after a restart here.
    fn of(request: &Request, author: &Address, desk: &mut Desk<'_, '_>) -> Origin {
        let name = request.headers.get(&crate::lync::im::message_name()).filter(|n| n.len() <= MAX_CONVERSATION_ID);
        let id = name.map_or_else(|| format!("in-{}", desk.ctx.rng.hex(24)), |n| format!("kept-{}-{n}", author.bare()));
        Origin { id: MessageId(id), at: written_at(request, desk.now()) }
    }
}

/// When a kept message was written: its `Date`, never in the future.
fn written_at(request: &Request, now: Time) -> Time {
    let date = request.headers.get(&Name::Date).and_then(crate::lync::time::parse);
    date.filter(|at| *at < now).unwrap_or(now)
}

fn refuse_type(desk: &mut Desk<'_, '_>, tx: Option<ServerTx>, request: &Request) {
    let Some(tx) = tx else { return };
    let tag = desk.tag();
    let refusal = request.response(415, &tag).with(Name::Accept, docs::ACCEPT_TYPES.replace(' ', ", "));
    desk.ctx.respond(tx, refusal);
}
