//! MESSAGE from others: texts, envelopes, typing, notices (`simple.md` 3.1 to 3.4).

use super::{Messages, message};
use crate::domain::conversation::{Delivery, InstantMessage, MessageId, TextFormat};
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{MAX_NAME, MESSAGE_REMEMBERED, MESSAGES_REMEMBERED};
use crate::endpoint::service::{Ctx, InternalEvent};
use crate::endpoint::simple::scheduling::CALENDAR;
use crate::simple::composing::{self, Composing};
use crate::simple::cpim::{self, Envelope, Wishes};
use crate::simple::imdn::{self, Disposition, Notice};
use crate::simple::quirks::without_store_prefix;
use crate::sip::multipart::is_type;
use crate::sip::{Name, Request, ServerTx, Uri};
use std::collections::VecDeque;
use std::time::Duration;

/// What is understood, for 415.
const ACCEPT: &str = "text/plain, text/html, text/calendar, message/cpim, application/im-iscomposing+xml, message/imdn+xml";
/// A sender's clock may be ahead by so much, and a message kept for later may be as old as the other.
const AHEAD: Duration = Duration::from_secs(300);
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// A word of the server is shown up to here.
const NOTICE_CHARS: usize = 200;
/// A typing notice older than this was kept by a server that should not have.
pub(in crate::endpoint::simple) const OLD_TYPING: Duration = Duration::from_secs(60);

/// Messages that came lately.
#[derive(Debug, Default)]
pub(super) struct Seen(VecDeque<(Time, String)>);

impl Seen {
    /// Whether this is the first time.
    fn first(&mut self, now: Time, key: String) -> bool {
        while self.0.front().is_some_and(|f| f.0 + MESSAGE_REMEMBERED <= now) || self.0.len() >= MESSAGES_REMEMBERED {
            self.0.pop_front();
        }
        let known = self.0.iter().any(|s| s.1 == key);
        if !known {
            self.0.push_back((now, key));
        }
        !known
    }
}

impl Messages {
    pub(super) fn receive(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let from = request.headers.from().and_then(|f| Address::parse(&f.uri.to_string()).ok());
        let Some(from) = from else {
            let told = self.take_word_of_the_server(ctx, request);
            return answer(ctx, tx, request, if told { 200 } else { 400 });
        };
        let media = request.headers.get(&Name::ContentType).unwrap_or("text/plain").to_owned();
        let known = ["text/plain", "text/html", cpim::CONTENT_TYPE, composing::CONTENT_TYPE, imdn::CONTENT_TYPE];
        if !known.iter().any(|k| is_type(&media, k)) {
            return answer(ctx, tx, request, 415);
        }
        let cseq = request.headers.cseq().map_or(0, |c| c.number);
        // Whoever sends chooses how long it is.
        let call: String = request.headers.call_id().chars().take(MAX_NAME).collect();
        let first = self.seen.first(ctx.now, format!("{from} {call} {cseq}"));
        answer(ctx, tx, request, 200);
        if first {
            let sent = request.headers.get(&Name::Date).and_then(written);
            self.take(ctx, &from, &media, &request.body, sent);
        }
    }

    /// The server itself has something to say, such as that it keeps a message: its address is the domain alone.
    fn take_word_of_the_server(&mut self, ctx: &mut Ctx<'_>, request: &Request) -> bool {
        let plain = is_type(request.headers.get(&Name::ContentType).unwrap_or("text/plain"), "text/plain");
        let own = |uri: &Uri| uri.user().is_none() && uri.host().eq_ignore_ascii_case(ctx.me.uri.host());
        let told = plain && request.headers.from().is_some_and(|f| own(&f.uri));
        if told {
            ctx.emit(Event::Notice(String::from_utf8_lossy(&request.body).trim().chars().take(NOTICE_CHARS).collect()));
        }
        told
    }

    pub(super) fn take(&mut self, ctx: &mut Ctx<'_>, from: &Address, media: &str, body: &[u8], sent: Option<Time>) {
        if is_type(media, composing::CONTENT_TYPE) {
            self.take_typing(ctx, from, body, sent);
        } else if is_type(media, imdn::CONTENT_TYPE) {
            self.take_notice(ctx, from, body);
        } else if is_type(media, CALENDAR) {
            ctx.tell(InternalEvent::Calendar { from: from.clone(), text: String::from_utf8_lossy(body).into_owned() });
        } else if is_type(media, cpim::CONTENT_TYPE) {
            let Ok(envelope) = cpim::parse(body) else { return };
            // Only the SIP sender was checked by the server; an envelope of somebody else is not believed.
            if envelope.from.as_ref().is_some_and(|f| f != from) || is_type(&envelope.content_type, cpim::CONTENT_TYPE) {
                return;
            }
            if let Some(habits) = self.habits_of(from) {
                habits.envelopes = true;
            }
            if !envelope.notification && is_type(&envelope.content_type, "text/plain") {
                self.acknowledge(ctx, from, &envelope);
                // What was sent again by another way is the same message.
                let name = envelope.id.as_ref();
                if name.is_some_and(|n| !self.seen.first(ctx.now, format!("{from} named {n}"))) {
                    return;
                }
            }
            self.take(ctx, from, &envelope.content_type, &envelope.content, envelope.at.or(sent));
        } else {
            let format = if is_type(media, "text/html") { TextFormat::Html } else { TextFormat::Plain };
            self.take_text(ctx, from, format, body, sent);
        }
    }

    fn take_text(&mut self, ctx: &mut Ctx<'_>, from: &Address, format: TextFormat, body: &[u8], sent: Option<Time>) {
        let text = String::from_utf8_lossy(body);
        let text = if sent.is_some() { without_store_prefix(&text) } else { &text };
        let at = sent.filter(|s| *s <= ctx.now + AHEAD && *s + KEPT >= ctx.now).map_or(ctx.now, |s| s.min(ctx.now));
        let conversation = self.conversation_with(ctx, from);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.used = ctx.now;
            chat.set_typing(ctx, None);
        }
        let id = MessageId(ctx.rng.hex(32));
        let body = text.to_owned();
        let message = InstantMessage { id, author: from.clone(), at, body, format, state: Delivery::Received, alone: None };
        ctx.emit(Event::Message { conversation, message });
    }

    fn take_typing(&mut self, ctx: &mut Ctx<'_>, from: &Address, body: &[u8], sent: Option<Time>) {
        if sent.is_some_and(|s| s + OLD_TYPING < ctx.now) {
            return;
        }
        let lasts = match composing::parse(body) {
            Ok(Composing::Active(lasts)) => Some(lasts),
            _ => None,
        };
        // Typing alone opens no conversation.
        if let Some(chat) = self.chats.values_mut().find(|c| c.with == *from) {
            chat.set_typing(ctx, lasts);
        }
    }

    fn take_notice(&mut self, ctx: &mut Ctx<'_>, from: &Address, body: &[u8]) {
        let Ok(Some(notice)) = imdn::parse(body) else { return };
        let state = match notice.disposition {
            Disposition::Delivered | Disposition::Displayed => Delivery::Delivered,
            Disposition::Failed => Delivery::Failed(format!("{}'s program says that it did not arrive", from.bare())),
            Disposition::Stored | Disposition::Forbidden => return,
        };
        let mine = self.chats.values_mut().filter(|c| c.with == *from);
        for chat in mine {
            if chat.noticed(ctx, &notice.message, state.clone()) {
                return;
            }
        }
    }

    /// Tells the sender that the message is here, if they want to know.
    fn acknowledge(&mut self, ctx: &mut Ctx<'_>, to: &Address, envelope: &Envelope) {
        let Some(id) = envelope.id.as_ref().filter(|_| envelope.wishes.delivery) else { return };
        let notice = Notice { message: id.clone(), at: envelope.at, disposition: Disposition::Delivered };
        let reply = Envelope {
            from: Some(ctx.me.uri.clone()),
            to: Some(to.clone()),
            at: Some(ctx.now),
            id: Some(ctx.rng.hex(24)),
            wishes: Wishes::default(),
            notification: true,
            content_type: imdn::CONTENT_TYPE.into(),
            content: imdn::write(&notice).into_bytes(),
        };
        let reply = cpim::write(&reply);
        if self.aside_in(ctx, to, cpim::CONTENT_TYPE, &reply) {
            return;
        }
        let r = message(ctx, to).with_body(cpim::CONTENT_TYPE, reply);
        // Whether it arrives is of no consequence.
        ctx.send(r);
    }
}

fn answer(ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request, status: u16) {
    let Some(tx) = tx else { return };
    let tag = ctx.rng.hex(16);
    let mut response = request.response(status, &tag);
    if status == 415 {
        response.headers.push(Name::Accept, ACCEPT);
    }
    ctx.respond(tx, response);
}

/// A `Date` header.
pub(in crate::endpoint::simple) fn written(value: &str) -> Option<Time> {
    jiff::fmt::rfc2822::parse(value.trim()).ok().map(|z| Time::from_timestamp(z.timestamp()))
}
