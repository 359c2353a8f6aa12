//! The two-party IM call, our side of it: invite, send what waits, hear what became of it (`lync-conversations.md` 1).

use super::desk::{Desk, Purpose};
use super::dialog::Dialog;
use super::outbox::{News, UNKNOWN};
use super::recovery::KEPT;
use super::state::Step;
use super::talk::{Call, Talk};
use super::typing::Notice;
use super::{docs, failure};
use crate::domain::conversation::{ConversationState as S, Priority};
use crate::endpoint::limits::INVITE_WAIT;
use crate::endpoint::service::{Reply, Token};
use crate::lync::im;
use crate::sip::{Method, Name, Request, Response, Uri};

/// What we understand, one token per line (0.5 item 8).
const SUPPORTED: [&str; 5] =
    ["ms-sender", "ms-conf-invite", "ms-delayed-accept", "ms-embedded-first-message", "com.microsoft.rtc-multiparty"];
/// Methods we answer in dialogs.
const ALLOW: &str = "INVITE, BYE, ACK, CANCEL, INFO, MESSAGE, UPDATE, NOTIFY, BENOTIFY";

impl Talk {
    /// Sends what can be sent; invites the other side when that is what the waiting messages need.
    pub fn pump(&mut self, desk: &mut Desk<'_, '_>) {
        if !desk.ctx.online {
            return;
        }
        while self.outbox.has_unsent() && self.route().is_some() {
            let Some((message, part)) = self.outbox.next_part() else { break };
            let Some(dialog) = self.route() else { break };
            let mut request = dialog.request(desk.ctx, Method::Message).with_body(docs::text_type(part.bare), part.text.clone());
            let once = self.session.as_ref().is_some_and(|s| s.once) && self.state == S::Conferenced;
            if once {
                request.headers.push(im::message_name(), part.name.clone());
            }
            let call_id = request.headers.call_id().to_owned();
            let token = desk.send(&self.id, Purpose::Message, request);
            self.local.sent();
            let news = self.outbox.sent(desk.now(), token, &call_id, &message, part, once);
            self.tell(desk, news);
        }
        if self.call.is_none() && self.use_spare() {
            self.pump(desk);
        } else if self.outbox.has_unsent() && self.needs_invite() {
            self.invite(desk);
        }
    }

    /// The dialog messages leave on: the conference's chat, or the two-party call unless the conference is on its way.
    pub fn route(&mut self) -> Option<&mut Dialog> {
        match self.state {
            S::Conferenced => self.session.as_mut()?.chat_dialog(),
            S::Established if self.recovery.is_none() => match &mut self.call {
                Call::Up(dialog) => Some(dialog),
                _ => None,
            },
            _ => None,
        }
    }

    fn needs_invite(&self) -> bool {
        let free = self.call.is_none() && self.ring.is_none() && self.session.is_none() && self.plan.is_none();
        free && self.peer.is_some() && matches!(self.state, S::Idle | S::Established | S::Terminated)
    }

    fn invite(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(peer) = &self.peer else { return };
        let Some(to) = Uri::parse(peer.uri.as_str()) else { return };
        let (me, them) = (desk.speaker(&self.id).uri, peer.uri.clone());
        let mut request = desk.ctx.request(Method::Invite, &to);
        for token in SUPPORTED {
            request.headers.push(Name::Supported, token);
        }
        if let Some(toast) = self.outbox.first_text().map(docs::toast) {
            request.headers.push(Name::MsTextFormat, toast);
        }
        request.headers.push(Name::MsConversationId, self.wire_id());
        if !self.subject.is_empty() {
            request.headers.push(Name::Subject, self.subject.clone());
        }
        if self.priority != Priority::Normal {
            request.headers.push(Name::Priority, self.priority.text());
        }
        request.headers.push(Name::RosterManager, me.as_str());
        request.headers.push(Name::EndPoints, format!("<{me}>, <{them}>"));
        request.headers.push(Name::Allow, ALLOW);
        let request = request.with_body("application/sdp", docs::offer(desk.ctx.me));
        let call_id = request.headers.call_id().to_owned();
        self.revive();
        self.step(Step::Establish);
        let token = desk.send(&self.id, Purpose::Invite, request);
        self.call = Call::Inviting { token, call_id, until: desk.now() + INVITE_WAIT };
    }

    /// The name this conversation goes by on the wire.
    pub fn wire_id(&self) -> String {
        self.wire.first().cloned().unwrap_or_default()
    }

    /// The answer to a two-party INVITE.
    pub fn on_invite_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        let current = matches!(&self.call, Call::Inviting { token: t, .. } if *t == token);
        match reply {
            Reply::Response(r) if !r.is_final() => {}
            Reply::Response(r) if r.is_success() => self.on_accepted(desk, token, current, &r),
            Reply::Response(r) => {
                desk.sent.forget(token);
                if current {
                    let why = failure::undelivered(&r, &self.peer_name());
                    self.call = Call::None;
                    if !self.leave_with_server(desk, &r) {
                        self.call_failed(desk, why);
                    }
                }
            }
            Reply::Timeout => {
                desk.sent.forget(token);
                if current {
                    self.call = Call::None;
                    let why = format!("{} did not answer; try again later", self.peer_name());
                    self.call_failed(desk, why);
                }
            }
            Reply::LinkLost => {
                desk.sent.forget(token);
                if current {
                    self.call = Call::None;
                    self.step(Step::CallEnded);
                }
            }
        }
    }

    fn on_accepted(&mut self, desk: &mut Desk<'_, '_>, token: Token, current: bool, response: &Response) {
        let tag = response.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default();
        let Some(invite) = desk.sent.answered(token, &tag) else { return };
        let Some(dialog) = Dialog::caller(&invite, response) else {
            if current {
                self.call = Call::None;
                self.call_failed(desk, "the other side's answer could not be understood".into());
            }
            return;
        };
        acknowledge(desk, &dialog, &invite);
        if !current {
            // Cancelled or replaced meanwhile.
            self.bye(desk, dialog);
            return;
        }
        self.call = Call::Up(Box::new(dialog));
        self.step(Step::Established);
        if response.headers.has_token(&Name::Supported, "ms-text-format") {
            let news = self.outbox.take_embedded();
            self.tell(desk, news);
        }
    }

    /// The call cannot be: what waits for it has failed, and the conversation ends when nothing else is left.
    pub fn call_failed(&mut self, desk: &mut Desk<'_, '_>, why: String) {
        let news = self.outbox.fail_all(&why);
        self.tell(desk, news);
        self.auto_terminate(desk, Some(why));
    }

    /// Auto-termination (3.2): only when no call and no conference is left.
    pub fn auto_terminate(&mut self, desk: &mut Desk<'_, '_>, why: Option<String>) {
        if self.call.is_none() && self.session.is_none() && self.plan.is_none() && self.ring.is_none() && !self.use_spare() {
            self.terminate(desk, why);
        }
    }

    /// Goes on with another dialog that stands. False when there is none.
    pub fn use_spare(&mut self) -> bool {
        let Some(spare) = self.spare.pop() else { return false };
        self.call = Call::Up(Box::new(spare));
        if self.state == S::Idle {
            self.step(Step::Establish);
        }
        self.step(Step::Established);
        true
    }

    /// The answer to a MESSAGE.
    pub fn on_message_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: Reply) {
        let news = match reply {
            // Given up meanwhile: its answer says nothing any more.
            _ if self.outbox.dialog_of(token).is_none() => News::new(),
            Reply::Response(r) if self.outbox.dialog_of(token) == Some(KEPT) => return self.on_kept_reply(desk, token, &r),
            Reply::Response(r) if !r.is_final() => News::new(),
            Reply::Response(r) => self.message_answer(desk, token, &r),
            // It waits for the next link, with everything else that is known by name.
            Reply::LinkLost if self.outbox.may_repeat(token) => News::new(),
            Reply::Timeout | Reply::LinkLost => self.outbox.fail(token, UNKNOWN),
        };
        self.tell(desk, news);
    }

    fn message_answer(&mut self, desk: &mut Desk<'_, '_>, token: Token, r: &Response) -> News {
        let muted = self.state == S::Conferenced && failure::says_muted(r);
        let why = if muted { failure::MUTED.to_owned() } else { failure::undelivered(r, &self.peer_name()) };
        match r.status {
            202 => match r.headers.get(&Name::MessageId) {
                Some(report) => {
                    let audience = self.audience(desk.me());
                    self.outbox.accept(desk.now(), token, report.trim(), audience)
                }
                None => self.outbox.confirm(token),
            },
            200..=299 => self.outbox.confirm(token),
            415 if self.outbox.retry_bare(token) => News::new(),
            413 | 513 if self.outbox.retry_split(token) => News::new(),
            430 => self.route_broken(desk, token),
            408 | 480 | 481 => self.dialog_answered_dead(desk, token, r.status, &why),
            _ => self.outbox.fail(token, &why),
        }
    }

    /// 408, 480 or 481 to a message. Only 481 says for certain that nobody read it: only then it may leave again.
    fn dialog_answered_dead(&mut self, desk: &mut Desk<'_, '_>, token: Token, status: u16, why: &str) -> News {
        let on = self.outbox.dialog_of(token).unwrap_or("").to_owned();
        let current = self.route().is_some_and(|d| d.call_id() == on);
        let conference = self.state == S::Conferenced;
        if current && !conference && self.spare.is_empty() {
            return self.dialog_dead(desk, why);
        }
        let news = if status == 481 { self.outbox.requeue(token) } else { self.outbox.fail(token, UNKNOWN) };
        if current {
            // Another two-party dialog stands, or the chat of the conference can be brought up again.
            self.drop_route(desk);
        }
        news
    }

    /// The dialog we send on is dead. Its unanswered messages did not arrive; the next text invites anew.
    pub fn dialog_dead(&mut self, desk: &mut Desk<'_, '_>, why: &str) -> News {
        let Call::Up(dialog) = std::mem::take(&mut self.call) else { return News::new() };
        let news = self.outbox.fail_on(dialog.call_id(), why);
        self.bye(desk, *dialog);
        if self.peer.is_none() || !self.outbox.has_unsent() {
            self.auto_terminate(desk, Some(why.to_owned()));
        }
        news
    }

    fn drop_route(&mut self, desk: &mut Desk<'_, '_>) {
        match &self.session {
            Some(_) if self.state == S::Conferenced => self.chat_failed(desk),
            // Whoever is between us may still hold the dialog for the other side's return.
            _ => {
                if let Call::Up(dialog) = std::mem::take(&mut self.call) {
                    self.bye(desk, *dialog);
                }
            }
        }
    }

    /// Sends a typing notice where messages would go.
    pub fn send_typing(&mut self, desk: &mut Desk<'_, '_>, notice: Option<Notice>) {
        let Some(notice) = notice.filter(|_| desk.ctx.online) else { return };
        let Some(dialog) = self.route() else { return };
        let body = docs::typing(notice == Notice::Type);
        let request = dialog.request(desk.ctx, Method::Info).with_body("application/xml", body);
        self.typing_sent = Some(desk.send(&self.id, Purpose::Typing, request));
    }

    /// Tells the other side the title.
    pub fn send_subject(&mut self, desk: &mut Desk<'_, '_>) {
        if !desk.ctx.online {
            return;
        }
        let (kind, body) = docs::subject(desk.me(), &self.subject);
        let Some(dialog) = self.route() else { return };
        let request = dialog.request(desk.ctx, Method::Info).with_body(kind, body);
        desk.send(&self.id, Purpose::Typing, request);
    }

    /// The answer to a typing notice: only a dead dialog matters.
    pub fn on_typing_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: &Reply) {
        let Reply::Response(r) = reply else { return };
        if self.typing_sent != Some(token) {
            return;
        }
        if r.status == 430 && self.state == S::Established {
            return self.recover(desk.now());
        }
        if !matches!(r.status, 408 | 480 | 481) || self.route().is_none() {
            return;
        }
        if self.state == S::Conferenced || !self.spare.is_empty() {
            return self.drop_route(desk);
        }
        let why = failure::undelivered(r, &self.peer_name());
        let news = self.dialog_dead(desk, &why);
        self.tell(desk, news);
    }
}

/// Sends the ACK of a 2xx.
pub(super) fn acknowledge(desk: &mut Desk<'_, '_>, dialog: &Dialog, invite: &Request) {
    let cseq = invite.headers.cseq().map_or(1, |c| c.number);
    let ack = dialog.ack(desk.ctx, cseq);
    desk.ctx.send_stateless(ack);
}
