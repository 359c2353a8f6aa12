//! A broken route to the other side (`domain.md` 7.4), and people who are not signed in at all.
//!
//! 430 says that nobody got the message: it is held, and the other side is tried again and again, at growing distances and
//! without end, until it answers or says that it has forgotten the dialog. The user's own limit is closing the conversation.

use super::desk::{Desk, Purpose};
use super::docs;
use super::outbox::News;
use super::talk::{Call, Talk};
use super::{Conversations, failure};
use crate::domain::Time;
use crate::domain::conversation::{ConversationState as S, Delivery};
use crate::endpoint::Event;
use crate::endpoint::limits::{MAX_KEPT, RECOVERY_WAIT};
use crate::endpoint::service::{Reply, Token};
use crate::lync::im;
use crate::sip::{Method, Name, Response, Uri};

/// What stands for a Call-ID where a message leaves without a dialog.
pub(super) const KEPT: &str = "";

/// The repair of a route.
#[derive(Debug)]
pub(super) struct Recovery {
    tries: usize,
    /// When to try again; `None` while an answer is awaited.
    pub at: Option<Time>,
    probe: Option<Token>,
}

impl Recovery {
    fn wait(&mut self, now: Time) {
        let wait = RECOVERY_WAIT.get(self.tries).or(RECOVERY_WAIT.last()).copied().unwrap_or_default();
        self.tries += 1;
        (self.at, self.probe) = (Some(now + wait), None);
    }
}

impl Talk {
    /// A message came back with 430: it is held until the route is healthy.
    pub fn route_broken(&mut self, desk: &mut Desk<'_, '_>, token: Token) -> News {
        let on = self.outbox.dialog_of(token).unwrap_or("").to_owned();
        let current = self.route().is_some_and(|d| d.call_id() == on);
        let news = self.outbox.requeue(token);
        if current && self.state == S::Conferenced {
            // The IM MCU is the server itself; its chat is brought up anew.
            self.drop_conference_route(desk);
        } else if current && !self.spare.is_empty() {
            self.drop_broken(desk);
        } else if current {
            self.recover(desk.now());
        }
        news
    }

    /// The route is broken.
    pub fn recover(&mut self, now: Time) {
        if self.recovery.is_none() && matches!(self.call, Call::Up(_)) {
            let mut recovery = Recovery { tries: 0, at: None, probe: None };
            recovery.wait(now);
            self.recovery = Some(recovery);
            self.remote.clear();
        }
    }

    fn drop_broken(&mut self, desk: &mut Desk<'_, '_>) {
        if let Call::Up(dialog) = std::mem::take(&mut self.call) {
            self.bye(desk, *dialog);
        }
    }

    fn drop_conference_route(&mut self, desk: &mut Desk<'_, '_>) {
        self.chat_failed(desk);
    }

    /// Asks the other side for a sign of life when it is time: a typing notice that says nothing.
    pub fn recovery_on_time(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        if self.recovery.as_ref().is_none_or(|r| r.at.is_none_or(|at| at > now)) || !desk.ctx.online {
            return;
        }
        let Some(dialog) = self.call.dialog() else {
            self.recovery = None;
            return;
        };
        let request = dialog.request(desk.ctx, Method::Info).with_body("application/xml", docs::typing(false));
        let token = desk.send(&self.id, Purpose::Probe, request);
        if let Some(r) = &mut self.recovery {
            (r.at, r.probe) = (None, Some(token));
        }
    }

    /// The answer to the question for a sign of life.
    pub fn on_probe_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: &Reply) {
        if self.recovery.as_ref().is_none_or(|r| r.probe != Some(token)) {
            return;
        }
        match reply {
            Reply::Response(r) if !r.is_final() => {}
            Reply::Response(r) if r.status == 481 => self.forgotten(desk, r),
            Reply::Response(r) if !matches!(r.status, 408 | 430 | 480 | 500..=599) => self.recovery = None,
            Reply::Response(_) | Reply::Timeout => {
                if let Some(r) = &mut self.recovery {
                    r.wait(desk.now());
                }
            }
            // The whole link is gone, and with it the dialog.
            Reply::LinkLost => {}
        }
    }

    /// The other side is back and has forgotten the dialog: what is held leaves with a new invitation.
    fn forgotten(&mut self, desk: &mut Desk<'_, '_>, r: &Response) {
        self.recovery = None;
        self.call = Call::None;
        if !self.outbox.has_unsent() {
            let why = failure::undelivered(r, &self.peer_name());
            self.auto_terminate(desk, Some(why));
        }
    }

    /// The other side is not signed in and its server keeps messages: what waits goes there. False when it does not.
    pub fn leave_with_server(&mut self, desk: &mut Desk<'_, '_>, refusal: &Response) -> bool {
        let keeps = refusal.status == 480 && refusal.headers.has_token(&Name::Supported, im::KEEPS_MESSAGES);
        let to = self.peer.as_ref().and_then(|p| Uri::parse(p.uri.as_str()));
        let Some(to) = to.filter(|_| keeps && self.outbox.has_unsent()) else { return false };
        while let Some((message, part)) = self.outbox.next_part() {
            let request = desk.ctx.request(Method::Message, &to).with(Name::MsConversationId, self.wire_id());
            let request = request.with_body(docs::text_type(part.bare), part.text.clone());
            let token = desk.send(&self.id, Purpose::Message, request);
            let news = self.outbox.sent(desk.now(), token, KEPT, &message, part, false);
            self.tell(desk, news);
        }
        let why = format!("{} is not signed in; the server keeps what you write until then", self.peer_name());
        self.auto_terminate(desk, Some(why));
        true
    }

    /// The answer to a message that was left with the server.
    pub fn on_kept_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, r: &Response) {
        let news = match r.status {
            202 => {
                let report = r.headers.get(&Name::MessageId).map(|m| m.trim().to_owned());
                let message = self.outbox.kept(token);
                if let Some(whole) = message.clone().filter(|m| !self.outbox.holds(m)) {
                    desk.ctx.emit(Event::Kept { conversation: self.id.clone(), message: whole });
                }
                if let (Some(message), Some(report)) = (message, report) {
                    let kept = &mut desk.facts.kept;
                    if kept.len() >= MAX_KEPT {
                        kept.pop_front();
                    }
                    kept.push_back((report, self.id.clone(), message));
                }
                News::new()
            }
            200..=299 => self.outbox.confirm(token),
            413 | 513 if self.outbox.retry_split(token) => News::new(),
            _ => {
                let why = failure::undelivered(r, &self.peer_name());
                self.outbox.fail(token, &why)
            }
        };
        self.tell(desk, news);
    }
}

impl Conversations {
    /// The server has delivered what it kept, or could not.
    pub(super) fn on_kept_report(&mut self, desk: &mut Desk<'_, '_>, report: &docs::Report) {
        let kept = &mut desk.facts.kept;
        let Some(at) = kept.iter().position(|k| k.0 == report.message_id) else { return };
        let Some((_, conversation, message)) = kept.remove(at) else { return };
        let failed = report.failed.first().map(|(_, status)| failure::recipient(*status).to_owned());
        if failed.is_some() {
            kept.retain(|k| k.2 != message);
        } else if kept.iter().any(|k| k.2 == message) {
            return;
        }
        let state = failed.map_or(Delivery::Delivered, Delivery::Failed);
        desk.ctx.emit(Event::MessageState { conversation, message, state });
    }
}
