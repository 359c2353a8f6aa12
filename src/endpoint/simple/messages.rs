//! Messages one by one (RFC 3428; `simple.md` 3): no dialogs, one under way for each person, typing and delivery notices
//! where the other side has shown that it knows them.

mod chat;
pub(super) mod inbound;
mod parts;
mod session;

use super::calls::Calls;
use super::files::Files;
use super::talks::Talks;
use super::{cannot, request};
use crate::domain::conversation::{ConversationId, Delivery, MessageId};
use crate::domain::file::TransferId;
use crate::domain::{Address, Time};
use crate::endpoint::beside::{FileNews, PipeId, PipeNews};
use crate::endpoint::config::Config;
use crate::endpoint::limits::{
    COMPOSING_IDLE, COMPOSING_REFRESH, FORMAT_REFUSED, HABITS_REMEMBERED, MAX_CONVERSATIONS, MESSAGE_AGAIN,
};
use crate::endpoint::security;
use crate::endpoint::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::simple::composing::{self, Composing};
use crate::simple::cpim::{self, Envelope, Wishes};
use crate::sip::{Method, Name, Request, Response, ServerTx, Uri};
use chat::{Chat, Outgoing};
use inbound::Seen;
use session::Way;
use std::collections::{BTreeMap, BTreeSet};

/// What somebody's programs are known to take.
#[derive(Clone, Copy, Debug, Default)]
struct Habits {
    /// They sent an envelope themselves.
    envelopes: bool,
    /// They refused one; not before then again.
    no_envelopes_until: Option<Time>,
    /// They refused a typing notice.
    no_typing_until: Option<Time>,
    /// They came into no session; not before then again.
    no_sessions_until: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message { envelope: bool },
    Typing,
}

/// The service.
#[derive(Debug, Default)]
pub struct Messages {
    chats: BTreeMap<ConversationId, Chat>,
    habits: BTreeMap<Address, Habits>,
    sent: BTreeMap<Token, (ConversationId, Kind)>,
    seen: Seen,
    calls: Calls,
    talks: Talks,
    files: Files,
}

impl Messages {
    /// For this account.
    pub fn new(config: &Config) -> Messages {
        let talks = Talks::new(config.relay.clone(), &security::digest_user(config), &config.password);
        Messages { talks, ..Messages::default() }
    }

    /// Who talks in a two-party conversation.
    fn partner(&self, id: &ConversationId) -> Result<Address, Error> {
        self.chats.get(id).map(|c| c.with.clone()).ok_or_else(no_such)
    }

    fn operate(&mut self, ctx: &mut Ctx<'_>, operation: &Operation) -> Option<Result<Outcome, Error>> {
        use Operation as O;
        Some(match operation {
            O::StartConversation { id, with, subject } => self.start(ctx, id, with, subject),
            O::SendMessage { conversation, message, text } => self.say(ctx, conversation, message, text),
            O::Typing { conversation, active } => self.type_at(ctx, conversation, *active),
            O::AcceptFile { transfer } => self.files.accept(ctx, transfer),
            O::EndFile { transfer } => self.files.end(ctx, &mut self.talks, transfer),
            O::EndConversation { conversation } => {
                if let Some(mut chat) = self.chats.remove(conversation) {
                    if let Some((talk, _)) = self.talks.chat_with(&chat.with) {
                        self.talks.end(ctx, talk);
                    }
                    chat.end(ctx, None);
                }
                Ok(Outcome::Done)
            }
            O::Accept { .. } | O::Decline { .. } => {
                Err(Error::new(ErrorKind::InvalidOperation, "there is no invitation to answer any more"))
            }
            O::Invite { .. } | O::CallIn { .. } => Err(no_such()),
            O::FindConference { .. } | O::VerifyPasscode { .. } => Err(cannot("conferences that are looked up at a factory")),
            O::LockConference { .. }
            | O::Eject { .. }
            | O::SetRole { .. }
            | O::Admit { .. }
            | O::EndConference { .. }
            | O::Mute { .. }
            | O::ChangeConference { .. } => Err(cannot("conferences that could be controlled")),
            _ => return None,
        })
    }

    fn start(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, with: &Address, subject: &str) -> Result<Outcome, Error> {
        if *with == ctx.me.uri {
            return Err(Error::new(ErrorKind::InvalidArgument, "this is your own address; choose somebody else"));
        }
        if !self.chats.contains_key(id) {
            self.keep(ctx, Chat::new(id.clone(), with.clone()));
        }
        let chat = self.chats.get_mut(id).ok_or_else(no_such)?;
        if chat.with != *with {
            return Err(Error::new(ErrorKind::InvalidOperation, "this conversation is with somebody else"));
        }
        if !subject.is_empty() {
            chat.subject = subject.to_owned();
        }
        chat.publish(ctx);
        Ok(Outcome::Done)
    }

    fn say(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, message: &MessageId, text: &str) -> Result<Outcome, Error> {
        let chat = self.chats.get_mut(id).ok_or_else(no_such)?;
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "there is nothing to send"));
        }
        if !chat.push(Outgoing::new(message.clone(), text)) {
            return Err(Error::new(
                ErrorKind::Retryable,
                "too many messages are waiting here; send it again when they have left",
            ));
        }
        (chat.typing, chat.used) = (None, ctx.now);
        self.pump(ctx, id);
        Ok(Outcome::Done)
    }

    fn type_at(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, active: bool) -> Result<Outcome, Error> {
        let chat = self.chats.get_mut(id).ok_or_else(no_such)?;
        let notice = match (&mut chat.typing, active) {
            (None, true) => {
                chat.typing = Some((ctx.now, ctx.now));
                Some(Composing::Active(COMPOSING_REFRESH))
            }
            (Some((_, key)), true) => {
                *key = ctx.now;
                None
            }
            (Some(_), false) => {
                chat.typing = None;
                Some(Composing::Idle)
            }
            (None, false) => None,
        };
        if let Some(notice) = notice {
            self.tell_typing(ctx, id, notice);
        }
        Ok(Outcome::Done)
    }

    fn tell_typing(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, notice: Composing) {
        let Some(chat) = self.chats.get(id).filter(|_| ctx.online) else { return };
        let habits = self.habits.get(&chat.with).copied().unwrap_or_default();
        if habits.no_typing_until.is_some_and(|t| t > ctx.now) {
            return;
        }
        let with = chat.with.clone();
        if self.aside_in(ctx, &with, composing::CONTENT_TYPE, composing::write(notice).as_bytes()) {
            return;
        }
        let Some(chat) = self.chats.get(id) else { return };
        let mut r = message(ctx, &chat.with);
        // A server that keeps messages for later has no use for these.
        r.headers.push(Name::Expires, "0");
        let r = r.with_body(composing::CONTENT_TYPE, composing::write(notice).into_bytes());
        let token = ctx.send(r);
        self.sent.insert(token, (id.clone(), Kind::Typing));
    }

    /// Sends the next message of a conversation, if none is under way.
    fn pump(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId) {
        if !ctx.online {
            return;
        }
        match self.way(ctx, id) {
            Way::Request => self.request(ctx, id),
            Way::Session(talk) => self.say_in(ctx, id, talk),
            Way::Wait => {}
        }
    }

    /// Sends the next message as a request of its own.
    fn request(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId) {
        let Some(chat) = self.chats.get_mut(id).filter(|_| ctx.online) else { return };
        let with = chat.with.clone();
        let habits = self.habits.get(&with).copied().unwrap_or_default();
        let envelope = habits.envelopes && habits.no_envelopes_until.is_none_or(|t| t <= ctx.now);
        let Some(next) = chat.next(ctx.now) else { return };
        let mut r = message(ctx, &with);
        r.headers.push(Name::Date, date(ctx.now));
        if next.is_for_parts() {
            // An envelope would take a third of each.
            let Some(part) = next.part(parts::room(&r)) else {
                chat.finish(ctx, Delivery::Failed(TOO_LONG.into()));
                return self.pump(ctx, id);
            };
            let token = ctx.send(r.with_body(PLAIN, part));
            self.sent.insert(token, (id.clone(), Kind::Message { envelope: false }));
            return;
        }
        let (media, body) = if envelope {
            let name = next.notice_id(ctx.rng).to_owned();
            (cpim::CONTENT_TYPE, cpim::write(&enveloped(ctx, &with, &name, &next.text)))
        } else {
            (PLAIN, next.text.clone().into_bytes())
        };
        let token = ctx.send(r.with_body(media, body));
        self.sent.insert(token, (id.clone(), Kind::Message { envelope }));
    }

    fn replied(&mut self, ctx: &mut Ctx<'_>, id: &ConversationId, kind: Kind, reply: &Reply) {
        let Some(chat) = self.chats.get_mut(id) else { return };
        let with = chat.with.clone();
        match (kind, reply) {
            (Kind::Typing, Reply::Response(r)) if matches!(r.status, 405 | 415 | 501) => {
                if let Some(habits) = self.habits_of(&with) {
                    habits.no_typing_until = Some(ctx.now + FORMAT_REFUSED);
                }
            }
            (Kind::Typing, _) => {}
            (Kind::Message { envelope: true }, Reply::Response(r)) if r.status == 415 => {
                chat.try_again(ctx.now);
                if let Some(habits) = self.habits_of(&with) {
                    habits.no_envelopes_until = Some(ctx.now + FORMAT_REFUSED);
                }
                self.pump(ctx, id);
            }
            (Kind::Message { .. }, reply) => {
                outcome(chat, ctx, reply);
                self.pump(ctx, id);
            }
        }
    }
}

/// Type of a text without an envelope.
const PLAIN: &str = "text/plain;charset=UTF-8";
/// Why a text does not leave.
const TOO_LONG: &str = "it is too long for messages, and no session with them can be made; send it as a file or shorter";

/// What became of the message under way.
fn outcome(chat: &mut Chat, ctx: &mut Ctx<'_>, reply: &Reply) {
    // Without an answer nobody knows whether it was read: sending it again could double it.
    let r = match reply {
        Reply::Response(r) => r,
        Reply::Timeout => return chat.finish(ctx, Delivery::Failed("no answer came; it may or may not have arrived".into())),
        Reply::LinkLost => {
            return chat.finish(ctx, Delivery::Failed("the connection broke; it may or may not have arrived".into()));
        }
    };
    match r.status {
        200..=299 if chat.part_arrived(ctx.now, r.status == 202) => {}
        202 => chat.kept(ctx),
        200..=299 if chat.is_partly_kept() => chat.kept(ctx),
        413 | 513 if chat.shorten(ctx.now) => {}
        200..=299 => chat.finish(ctx, Delivery::Delivered),
        500 | 502..=504 => match MESSAGE_AGAIN.get(chat.tries()) {
            Some(wait) => chat.try_again(ctx.now + request::retry_after(r).max(*wait)),
            None => chat.finish(ctx, Delivery::Failed("the server could not take it; try again later".into())),
        },
        _ => chat.finish(ctx, Delivery::Failed(why(r, chat.with.bare()))),
    }
}

/// Why a message was refused, in words.
pub(super) fn why(r: &Response, who: &str) -> String {
    match r.status {
        403 | 603 => format!("{who} or the server refuses it"),
        404 | 410 | 604 => format!("the server knows no {who}"),
        408 => "no answer came; it may or may not have arrived".into(),
        413 | 513 => "it is too long for the server; send it in parts".into(),
        415 => format!("{who}'s program cannot show it"),
        480 => format!("{who} is not there and the server keeps no messages"),
        status => format!("the server answered {status}"),
    }
}

/// A text in its envelope, with the wish to hear what becomes of it.
fn enveloped(ctx: &Ctx<'_>, to: &Address, name: &str, text: &str) -> Envelope {
    Envelope {
        from: Some(ctx.me.uri.clone()),
        to: Some(to.clone()),
        at: Some(ctx.now),
        id: Some(name.to_owned()),
        wishes: Wishes { delivery: true, failure: true, display: false },
        notification: false,
        content_type: "text/plain; charset=utf-8".into(),
        content: text.as_bytes().to_vec(),
    }
}

fn message(ctx: &mut Ctx<'_>, to: &Address) -> Request {
    request::request(ctx, Method::Message, &Uri::from(to))
}

/// `Tue, 03 Mar 2026 09:15:04 GMT` (RFC 3261 §20.17).
pub(super) fn date(at: Time) -> String {
    at.timestamp().to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn no_such() -> Error {
    Error::new(ErrorKind::InvalidOperation, "this conversation is over; start it again")
}

impl Service for Messages {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        if let Operation::Invite { conversation, uri } = operation
            && let Some(chat) = self.chats.get(conversation)
        {
            let (conversation, subject) = (conversation.clone(), chat.subject.clone());
            let people = vec![chat.with.clone(), uri.clone()];
            ctx.tell(InternalEvent::Widen { op: id, conversation, subject, people });
            return true;
        }
        if let Operation::SendFile { conversation, transfer, path } = operation {
            match self.partner(conversation) {
                Ok(with) => self.files.send(ctx, id, with, conversation, transfer, path),
                Err(e) => ctx.complete(id, Err(e)),
            }
            return true;
        }
        let Some(result) = self.operate(ctx, operation) else { return false };
        ctx.complete(id, result);
        self.hear(ctx);
        true
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        let Some(request) = self.talks.on_request(ctx, tx, request) else {
            self.hear(ctx);
            return Handled::Yes;
        };
        if request.method == Method::Invite {
            self.calls.decline(ctx, tx, &request);
            return Handled::Yes;
        }
        if request.method != Method::Message {
            return Handled::No(request);
        }
        self.receive(ctx, tx, &request);
        self.hear(ctx);
        Handled::Yes
    }

    fn on_cancel(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, _cancel: &Request) {
        self.talks.on_cancel(ctx, tx);
        self.hear(ctx);
    }

    fn on_pipe(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, news: PipeNews) {
        self.talks.on_pipe(ctx, pipe, news);
        self.hear(ctx);
    }

    fn on_file(&mut self, ctx: &mut Ctx<'_>, transfer: &TransferId, news: FileNews) {
        self.files.on_file(ctx, &mut self.talks, transfer, news);
        self.hear(ctx);
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.talks.on_sign_out(ctx);
        self.hear(ctx);
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if self.talks.on_reply(ctx, token, &reply) {
            return self.hear(ctx);
        }
        if matches!(&reply, Reply::Response(r) if !r.is_final()) {
            return;
        }
        if let Some((id, kind)) = self.sent.remove(&token) {
            self.replied(ctx, &id, kind, &reply);
        }
        self.hear(ctx);
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        // From now on it is a conference; what was not sent yet is said not to have been.
        if let InternalEvent::Moved(id) = event
            && let Some(mut chat) = self.chats.remove(id)
        {
            chat.give_up(ctx, "the conversation became a meeting before it left; send it again");
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        let all: Vec<ConversationId> = self.chats.keys().cloned().collect();
        for id in all {
            self.pump(ctx, &id);
        }
        self.hear(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.sent.clear();
        self.talks.on_offline(ctx);
        self.hear(ctx);
        for chat in self.chats.values_mut() {
            chat.link_lost(ctx);
        }
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        let all: Vec<ConversationId> = self.chats.keys().cloned().collect();
        for id in all {
            let Some(chat) = self.chats.get_mut(&id) else { continue };
            chat.expire(ctx);
            let notice = match chat.typing {
                Some((_, key)) if key + COMPOSING_IDLE <= ctx.now => {
                    chat.typing = None;
                    Some(Composing::Idle)
                }
                Some((told, key)) if told + COMPOSING_REFRESH <= ctx.now => {
                    chat.typing = Some((ctx.now, key));
                    Some(Composing::Active(COMPOSING_REFRESH))
                }
                _ => None,
            };
            if let Some(notice) = notice {
                self.tell_typing(ctx, &id, notice);
            }
            self.pump(ctx, &id);
        }
        self.talks.on_timeout(ctx);
        self.hear(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.chats.values().filter_map(Chat::deadline).chain(self.talks.poll_timeout()).min()
    }
}

impl Messages {
    /// Says something to the user of the endpoint and keeps the conversation it belongs to.
    fn conversation_with(&mut self, ctx: &mut Ctx<'_>, who: &Address) -> ConversationId {
        if let Some(chat) = self.chats.values().find(|c| c.with == *who) {
            return chat.id.clone();
        }
        let id = ConversationId(ctx.rng.hex(32));
        let mut chat = Chat::new(id.clone(), who.clone());
        chat.publish(ctx);
        self.keep(ctx, chat);
        id
    }

    /// Keeps a conversation; over the limit the one goes in which nothing was written for the longest time.
    fn keep(&mut self, ctx: &mut Ctx<'_>, mut chat: Chat) {
        if self.chats.len() >= MAX_CONVERSATIONS {
            let oldest = self.chats.values().min_by_key(|c| (!c.is_idle(), c.used)).map(|c| c.id.clone());
            if let Some(mut old) = oldest.and_then(|id| self.chats.remove(&id)) {
                old.end(ctx, Some("too many conversations are open".into()));
            }
        }
        chat.used = ctx.now;
        self.chats.insert(chat.id.clone(), chat);
    }

    /// What somebody's programs take; over the limit those are forgotten with whom there is no conversation.
    fn habits_of(&mut self, who: &Address) -> Option<&mut Habits> {
        if self.habits.len() >= HABITS_REMEMBERED && !self.habits.contains_key(who) {
            let partners: BTreeSet<&Address> = self.chats.values().map(|c| &c.with).collect();
            self.habits.retain(|a, _| partners.contains(a));
        }
        let room = self.habits.len() < HABITS_REMEMBERED || self.habits.contains_key(who);
        room.then(|| self.habits.entry(who.clone()).or_default())
    }

    fn emit_state(ctx: &mut Ctx<'_>, conversation: &ConversationId, message: &MessageId, state: Delivery) {
        ctx.emit(Event::MessageState { conversation: conversation.clone(), message: message.clone(), state });
    }
}
