//! The IM MCU: relays messages and typing among the devices in a conference (lync-conversations.md 4.5 and 4.6, MS-CONFIM).

use super::dialog::Dialog;
use super::live::Chat;
use super::{Conferencing, Key, Kind, Place, Timer};
use crate::domain::Address;
use crate::domain::conversation::TextFormat;
use crate::frontend::limits::MESSAGE_PATIENCE;
use crate::frontend::{Ctx, Incoming, RegistrationId, Reply, Token};
use crate::lync::diagnostics::MUTED;
use crate::lync::identity;
use crate::lync::im::{self, DeliveryReport, FailedRecipient, MessageSdp};
use crate::sip::multipart;
use crate::sip::{Method, Name};
use std::collections::HashMap;

/// Characters of a message's name.
const NAME_MAX: usize = 256;
pub(super) const ALTERNATIVE: &str = "multipart/alternative";

/// Messages whose receivers have not all answered.
#[derive(Debug, Default)]
pub(super) struct Messages {
    under_way: HashMap<u64, UnderWay>,
    by_token: HashMap<Token, (u64, Receiver)>,
    last: u64,
}

impl Messages {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.under_way.len()
    }
}

#[derive(Debug)]
struct UnderWay {
    key: Key,
    sender: Address,
    at: RegistrationId,
    /// The sender's chat dialog; when it is another one by now nobody waits for the report.
    tag: String,
    /// `Message-Id`.
    number: u64,
    waiting: usize,
    failed: Vec<(Address, u16)>,
    due: crate::domain::Time,
}

#[derive(Debug)]
struct Receiver {
    who: Address,
    at: RegistrationId,
    tag: String,
}

impl Conferencing {
    /// INVITE to the chat URI: only for devices that are in the conference. A second one replaces the first.
    pub(super) fn join_chat(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, key: Key) {
        let member = self.confs.get(&key).and_then(|c| c.member(&incoming.caller));
        let seated = member.is_some_and(|m| m.seats.iter().any(|s| s.registration == incoming.from));
        if !seated {
            return ctx.refuse(&incoming, 403, 3014, "Join the conference first");
        }
        if member.is_some_and(|m| m.waiting.is_some()) {
            return ctx.refuse(&incoming, 403, 3014, "You are waiting in the lobby");
        }
        let Some(dialog) = Dialog::open(ctx, &incoming) else { return ctx.respond_status(&incoming, 480) };
        ctx.respond(incoming.tx, self.chat_answer(ctx, &incoming, &dialog, &key));
        self.remember(&dialog, &key, &incoming.caller, incoming.from, Kind::Chat);
        // A client that names no types is taken for an old one that knows plain text alone.
        let multipart = MessageSdp::parse(&incoming.request.body).is_some_and(|s| s.accepts(ALTERNATIVE));
        let chat = Chat { dialog, multipart };
        let seat = self.confs.get_mut(&key).and_then(|c| c.seat_mut(&incoming.caller, incoming.from));
        let old = seat.and_then(|s| s.chat.replace(chat));
        if let Some(old) = old {
            self.forget(&old.dialog);
        }
        // Who comes by itself need not be called.
        let call = self.confs.get_mut(&key).and_then(|c| c.member_mut(&incoming.caller)).and_then(|m| m.call.take());
        if let Some(call) = call {
            self.hang_up(ctx, &key, &incoming.caller, call, Ok(()));
        }
        self.notify_present(ctx, &key, &incoming.caller);
    }

    /// A repeated INVITE in the dialog (session refresh).
    pub(super) fn chat_again(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, place: &Place, tag: &str) {
        let chat = self.confs.get_mut(&place.key).and_then(|c| c.chat_mut(&place.who, tag));
        let Some(dialog) = chat.map(|c| c.dialog.clone()) else {
            return ctx.respond_status(incoming, 481);
        };
        ctx.respond(incoming.tx, self.chat_answer(ctx, incoming, &dialog, &place.key));
    }

    fn chat_answer(&self, ctx: &Ctx<'_>, incoming: &Incoming, dialog: &Dialog, key: &Key) -> crate::sip::Response {
        let uri = self.chat_uri(key);
        let sdp = MessageSdp { port: ctx.config.port, ..MessageSdp::answer(&ctx.config.host, &uri) };
        dialog
            .response(&incoming.request, 200)
            .with(Name::Contact, format!("<{uri}>"))
            .with(Name::Supported, "ms-sender")
            .with(Name::Supported, im::ONCE)
            .with_body(im::sdp::CONTENT_TYPE, sdp.to_bytes())
    }

    fn chat_uri(&self, key: &Key) -> String {
        self.confs.get(key).map(|c| identity::mcu(&c.scheduled.uri, "chat")).unwrap_or_default()
    }

    /// A text: 202 with its number to the sender, the text to every other device, and one report when all have answered.
    pub(super) fn message(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, place: &Place) {
        if self.confs.get(&place.key).and_then(|c| c.member(&place.who)).is_some_and(|m| m.muted) {
            return ctx.refuse(&incoming, 403, MUTED, "You are muted");
        }
        let Some(live) = self.confs.get_mut(&place.key).and_then(|c| c.live.as_mut()) else {
            return ctx.respond_status(&incoming, 481);
        };
        let name = incoming.request.headers.get(&im::message_name()).map(|n| n.chars().take(NAME_MAX).collect::<String>());
        let again = name.is_some_and(|n| !live.remember(&place.who, n));
        live.last_message += 1;
        let number = live.last_message;
        let accepted = ctx.response(&incoming.request, 202).with(Name::MessageId, number.to_string());
        ctx.respond(incoming.tx, accepted);
        self.messages.last += 1;
        let id = self.messages.last;
        let due = ctx.now + MESSAGE_PATIENCE;
        // One that came before its sender's link broke has been relayed; only the report is wanted again.
        let sent = if again { Vec::new() } else { self.relay(ctx, &incoming, place) };
        let tag = incoming.request.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default();
        let under_way = UnderWay {
            key: place.key.clone(),
            sender: place.who.clone(),
            at: place.at,
            tag,
            number,
            waiting: sent.len(),
            failed: Vec::new(),
            due,
        };
        self.messages.under_way.insert(id, under_way);
        if sent.is_empty() {
            return self.report(ctx, id);
        }
        for (token, receiver) in sent {
            self.messages.by_token.insert(token, (id, receiver));
        }
        self.timers.insert((due, Timer::Report(id)));
    }

    /// Typing and other notices: 200 to the sender, a copy to every other device, no report.
    pub(super) fn typing(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, place: &Place) {
        ctx.respond_status(&incoming, 200);
        if self.confs.get(&place.key).and_then(|c| c.member(&place.who)).is_some_and(|m| !m.muted) {
            self.relay(ctx, &incoming, place);
        }
    }

    /// Sends a copy to every device in the chat but the sender's; the sender's other devices get one too.
    fn relay(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, place: &Place) -> Vec<(Token, Receiver)> {
        let Some(live) = self.confs.get_mut(&place.key).and_then(|c| c.live.as_mut()) else { return Vec::new() };
        let gruu = ctx.registration(place.at).map_or_else(|| place.who.to_string(), |r| r.gruu.clone());
        let sender = format!("<{gruu}>");
        let request = &incoming.request;
        let content_type = request.headers.get(&Name::ContentType).unwrap_or("text/plain; charset=UTF-8");
        // Made once, and only when somebody cannot take the whole.
        let name = request.headers.get(&im::message_name()).map(str::to_owned);
        let mut plain: Option<(String, Vec<u8>)> = None;
        let mut sent = Vec::new();
        for (who, member) in &mut live.members {
            for (at, chat) in member.chats_mut().filter(|c| c.0 != place.at) {
                let mut copy = chat.dialog.request(request.method.clone()).with(Name::MsSender, sender.clone());
                let (kind, body) = if chat.multipart || !multipart::is_type(content_type, ALTERNATIVE) {
                    (content_type, request.body.as_slice())
                } else {
                    let part = plain.get_or_insert_with(|| plain_part(content_type, &request.body));
                    (part.0.as_str(), part.1.as_slice())
                };
                if let Some(name) = &name {
                    copy.headers.push(im::message_name(), name.clone());
                }
                copy = copy.with_body(kind, body);
                let receiver = Receiver { who: who.clone(), at, tag: chat.dialog.tag.clone() };
                sent.push((ctx.send(at, copy), receiver));
            }
        }
        sent
    }

    /// A receiver's answer. Devices that are gone lose their place in the chat.
    pub(super) fn message_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        let status = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) => r.status,
            Reply::Timeout => 408,
            Reply::Lost => 480,
        };
        let Some((id, receiver)) = self.messages.by_token.remove(&token) else { return };
        if let Some(m) = self.messages.under_way.get_mut(&id) {
            m.waiting = m.waiting.saturating_sub(1);
            if status >= 300 {
                m.failed.push((receiver.who.clone(), status));
            }
            if m.waiting == 0 {
                self.report(ctx, id);
            }
        }
        if matches!(status, 408 | 480 | 481) {
            self.drop_gone(ctx, &receiver);
        }
    }

    fn drop_gone(&mut self, ctx: &mut Ctx<'_>, receiver: &Receiver) {
        // It may have a new dialog by now.
        let Some(place) = self.dialogs.get(&receiver.tag).cloned() else { return };
        if place.kind == Kind::Call {
            self.drop_call(ctx, &place.key, &receiver.who);
        } else {
            self.drop_chat(ctx, &place.key, &receiver.who, receiver.at);
        }
    }

    /// The one report of a message: who did not get it.
    pub(super) fn report(&mut self, ctx: &mut Ctx<'_>, id: u64) {
        let Some(m) = self.messages.under_way.remove(&id) else { return };
        self.timers.remove(&(m.due, Timer::Report(id)));
        let mut failed = m.failed;
        if m.waiting > 0 {
            let late: Vec<Token> = self.messages.by_token.iter().filter(|(_, v)| v.0 == id).map(|(t, _)| *t).collect();
            for token in late {
                if let Some((_, receiver)) = self.messages.by_token.remove(&token) {
                    failed.push((receiver.who.clone(), 408));
                    self.drop_gone(ctx, &receiver);
                }
            }
        }
        let Some(chat) = self.confs.get_mut(&m.key).and_then(|c| c.chat_mut(&m.sender, &m.tag)) else { return };
        let body = DeliveryReport { message_id: m.number.to_string(), failed: failed.into_iter().map(failure).collect() };
        let request = chat.dialog.request(Method::Benotify).with_body(im::report::CONTENT_TYPE, body.to_bytes());
        ctx.send_stateless(m.at, request);
    }

    /// Takes a device out of the chat without a word to it.
    pub(super) fn drop_chat(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, at: RegistrationId) {
        let seat = self.confs.get_mut(key).and_then(|c| c.seat_mut(who, at));
        if let Some(chat) = seat.and_then(|s| s.chat.take()) {
            self.forget(&chat.dialog);
            self.notify_present(ctx, key, who);
        }
    }

    /// The MCU starts anew: its calls end (BYE, as whoever stands before a dead one sends it), and nobody hears what became
    /// of messages under way.
    pub fn fail_im_mcu(&mut self, ctx: &mut Ctx<'_>) {
        self.messages = Messages { last: self.messages.last, ..Messages::default() };
        self.timers.retain(|t| !matches!(t.1, Timer::Report(_)));
        let keys: Vec<Key> = self.confs.iter().filter(|(_, c)| c.live.is_some()).map(|(k, _)| k.clone()).collect();
        for key in keys {
            self.end_chats(ctx, &key);
        }
    }

    fn end_chats(&mut self, ctx: &mut Ctx<'_>, key: &Key) {
        let Some(live) = self.confs.get_mut(key).and_then(|c| c.live.as_mut()) else { return };
        live.named.clear();
        let mut called = Vec::new();
        let mut gone = Vec::new();
        for (who, member) in &mut live.members {
            called.extend(member.call.as_ref().map(|_| who.clone()));
            for seat in &mut member.seats {
                if let Some(mut chat) = seat.chat.take() {
                    let bye = chat.dialog.request(Method::Bye);
                    ctx.send(seat.registration, bye);
                    gone.push((who.clone(), chat.dialog));
                }
            }
        }
        gone.iter().for_each(|(_, dialog)| self.forget(dialog));
        gone.dedup_by(|a, b| a.0 == b.0);
        for (who, _) in &gone {
            self.notify_present(ctx, key, who);
        }
        for who in called {
            let call = self.confs.get_mut(key).and_then(|c| c.member_mut(&who)).and_then(|m| m.call.take());
            let Some(call) = call else { continue };
            self.hang_up(ctx, key, &who, call, Err(crate::lync::cccp::FailureReason::OtherFailure));
            let alone = self.confs.get(key).and_then(|c| c.member(&who)).is_some_and(|m| m.seats.is_empty());
            if alone { self.remove_member(ctx, key, &who) } else { self.notify_present(ctx, key, &who) }
        }
    }

    #[cfg(test)]
    pub(super) fn no_messages(&self) -> bool {
        self.messages.under_way.is_empty() && self.messages.by_token.is_empty()
    }
}

/// The text for receivers that do not take alternatives; the whole when it has no readable text.
fn plain_part(content_type: &str, body: &[u8]) -> (String, Vec<u8>) {
    match im::message_text(content_type, body) {
        Some((TextFormat::Plain, text)) => (im::PLAIN.to_owned(), text.into_bytes()),
        _ => (content_type.to_owned(), body.to_vec()),
    }
}

fn failure((uri, status): (Address, u16)) -> FailedRecipient {
    let diagnostics = format!("6001;reason=\"{}\";component=\"ImMcu\"", crate::sip::message::reason_phrase(status));
    FailedRecipient { uri, status, diagnostics }
}
