//! Messages by sessions: texts too long for a single request, and all texts while a session stands (`simple.md` 3.5, 3.7).

use super::chat::Chat;
use super::{Messages, enveloped};
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, Delivery};
use crate::endpoint::limits::{SESSIONS_FAILED, SESSIONS_REFUSED};
use crate::endpoint::service::Ctx;
use crate::endpoint::simple::talks::{End, Heard, Purpose, TalkId};
use crate::msrp::Event;
use crate::simple::cpim;
use crate::simple::imdn;
use crate::sip::multipart::is_type;

/// What becomes of the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It leaves as a request.
    Request,
    /// It leaves in this session.
    Session(TalkId),
    /// It waits for a session.
    Wait,
}

impl Messages {
    /// The way of the next message of a conversation; a session is begun where one is needed.
    pub(super) fn way(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId) -> Way {
        let Some(chat) = self.chats.get(id) else { return Way::Request };
        let Some(next) = chat.ready(ctx.now) else { return Way::Request };
        let (long, with) = (next.is_long(), chat.with.clone());
        if next.in_parts() {
            return Way::Request;
        }
        match self.talks.chat_with(&with) {
            Some((talk, true)) => return Way::Session(talk),
            Some((_, false)) => return if long { Way::Wait } else { Way::Request },
            None => {}
        }
        let never = self.habits.get(&with).and_then(|h| h.no_sessions_until).is_some_and(|t| t > ctx.now);
        if !long || never || !self.talks.begins_for_texts() {
            return Way::Request;
        }
        match self.talks.begin(ctx, &with, Purpose::Chat) {
            Some(_) => Way::Wait,
            None => Way::Request,
        }
    }

    /// Sends the next message in a session.
    pub(super) fn say_in(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, talk: TalkId) {
        let wraps = self.talks.takes(talk, cpim::CONTENT_TYPE);
        let Some(chat) = self.chats.get_mut(id) else { return };
        let with = chat.with.clone();
        let Some(next) = chat.next(ctx.now) else { return };
        let name = next.notice_id(ctx.rng).to_owned();
        next.go_in_session();
        let (media, body) = if wraps {
            (cpim::CONTENT_TYPE, cpim::write(&enveloped(ctx, &with, &name, &next.text)))
        } else {
            ("text/plain;charset=UTF-8", next.text.clone().into_bytes())
        };
        chat.session = Some(talk);
        self.talks.used(ctx.now, talk);
        if let Some(session) = self.talks.session(talk) {
            session.send(ctx.now, &name, media, body, true);
        }
    }

    /// Sends something small in a session, if one stands and takes it.
    pub(super) fn aside_in(&mut self, ctx: &mut Ctx<'_>, with: &Address, media: &str, body: &[u8]) -> bool {
        let Some((talk, true)) = self.talks.chat_with(with) else { return false };
        if !self.talks.takes(talk, media) {
            return false;
        }
        let name = ctx.rng.hex(16);
        let session = self.talks.session(talk);
        session.is_some_and(|s| s.send(ctx.now, &name, media, body.to_vec(), false))
    }

    /// Takes in what the sessions say.
    pub(super) fn hear(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(heard) = self.talks.poll(ctx) {
            match heard {
                Heard::Offered(talk, with, file) => {
                    let conversation = self.conversation_with(ctx, &with);
                    self.files.offered(ctx, &mut self.talks, talk, with, conversation, file);
                }
                Heard::Up(talk, with) if !self.files.up(ctx, &mut self.talks, talk) => self.talk_up(ctx, talk, &with),
                Heard::Said(talk, with, event) => {
                    if let Some(event) = self.files.said(ctx, &mut self.talks, talk, event) {
                        self.talk_said(ctx, &with, event);
                    }
                }
                Heard::Over(talk, with, end) if !self.files.over(ctx, talk, &end) => self.talk_over(ctx, talk, &with, &end),
                Heard::Up(..) | Heard::Over(..) => {}
            }
        }
    }

    fn talk_up(&mut self, ctx: &mut Ctx<'_>, talk: TalkId, with: &Address) {
        let wraps = self.talks.takes(talk, cpim::CONTENT_TYPE);
        if let Some(habits) = self.habits_of(with) {
            habits.no_sessions_until = None;
            habits.envelopes |= wraps;
        }
        self.pump_with(ctx, with);
    }

    fn pump_with(&mut self, ctx: &mut Ctx<'_>, with: &Address) {
        let ids: Vec<ConversationId> = self.chats.values().filter(|c| c.with == *with).map(|c| c.id.clone()).collect();
        for id in ids {
            self.pump(ctx, &id);
        }
    }

    fn talk_said(&mut self, ctx: &mut Ctx<'_>, with: &Address, event: Event) {
        match event {
            Event::Message { media, body, .. } => self.take_in_session(ctx, with, &media, &body),
            Event::Sent { id } => self.settle(ctx, with, &id, Delivery::Sent),
            Event::Delivered { id } => self.settle(ctx, with, &id, Delivery::Delivered),
            Event::Failed { id, code, .. } => self.settle(ctx, with, &id, Delivery::Failed(why(code, with.bare()))),
            Event::Broken { why, .. } => ctx.note(format!("a message of {} did not come whole: {why}", with.bare())),
            Event::Part { .. } | Event::Progress { .. } | Event::Wants { .. } | Event::Answered { .. } => {}
        }
    }

    fn take_in_session(&mut self, ctx: &mut Ctx<'_>, with: &Address, media: &str, body: &[u8]) {
        let known = ["text/", cpim::CONTENT_TYPE, crate::simple::composing::CONTENT_TYPE, imdn::CONTENT_TYPE];
        if known.iter().any(|k| media.starts_with(k) || is_type(media, k)) {
            self.take(ctx, with, media, body, None);
        }
    }

    /// One of our messages got further.
    fn settle(&mut self, ctx: &mut Ctx<'_>, with: &Address, name: &str, state: Delivery) {
        for chat in self.chats.values_mut().filter(|c| c.with == *with) {
            if chat.session.is_some() && chat.is_under_way(name) {
                if state == Delivery::Sent {
                    // The relay has it, which is not the other side: until the receipt it may have to leave again.
                    chat.tell(ctx, state);
                    return;
                }
                chat.session = None;
                chat.finish(ctx, state);
                break;
            }
            if chat.noticed(ctx, name, state.clone()) {
                break;
            }
        }
        self.pump_with(ctx, with);
    }

    fn talk_over(&mut self, ctx: &mut Ctx<'_>, talk: TalkId, with: &Address, end: &End) {
        if let End::Lost(why) = end {
            ctx.note(format!("the session with {} is over: {why}", with.bare()));
        }
        let rest = match end {
            // Who does not know what a session is, does not know it tomorrow either.
            End::Refused(405 | 415 | 488 | 501 | 505 | 606) => Some(SESSIONS_REFUSED),
            End::Refused(_) | End::NoWay(_) | End::Lost(_) => Some(SESSIONS_FAILED),
            End::Theirs | End::Ours => None,
        };
        if let (Some(rest), Some(habits)) = (rest, self.habits_of(with)) {
            habits.no_sessions_until = Some(ctx.now + rest);
        }
        for chat in self.chats.values_mut().filter(|c| c.session == Some(talk)) {
            chat.session = None;
            chat.try_again(ctx.now);
        }
        self.pump_with(ctx, with);
    }
}

impl Chat {
    /// Whether the message under way has this name.
    fn is_under_way(&self, name: &str) -> bool {
        self.under_way_name() == Some(name)
    }
}

/// Why a message did not arrive.
fn why(code: u16, who: &str) -> String {
    match code {
        403 => format!("{who} or the server refuses it"),
        408 => "no receipt came; it may or may not have arrived".into(),
        413 => format!("it is too long for {who}'s program; send it in parts"),
        415 => format!("{who}'s program cannot show it"),
        481 | 506 => "the session with them is over; send it again".into(),
        code => format!("the other side answered {code}"),
    }
}
