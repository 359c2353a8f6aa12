//! Words in a conference whose focus passes messages on: MESSAGE within the call, in an envelope that names the writer
//! (`simple.md` 3.4, 5.4).

use super::inbound::answer;
use super::meeting::{Meeting, Stage, in_dialog};
use super::roster;
use crate::domain::conversation::{ConversationId, Delivery, InstantMessage, MessageId, TextFormat};
use crate::domain::{Address, Time};
use crate::endpoint::limits::{COMPOSING_IDLE, COMPOSING_REFRESH, MAX_QUEUED, MAX_SEEN, MESSAGE_AGAIN};
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::endpoint::simple::request;
use crate::endpoint::{Error, ErrorKind, Event};
use crate::simple::composing::{self, Composing};
use crate::simple::cpim::{self, Envelope, Wishes};
use crate::sip::multipart::is_type;
use crate::sip::{Method, Name, NameAddr, Request, ServerTx};
use std::collections::{BTreeMap, VecDeque};

/// Why nothing can be written any more.
const GONE: &str = "the connection to the chat room is gone; leave the meeting and join it again";
/// Why nobody can be written to alone.
const NO_PRIVATE: &str = "this meeting passes no messages on to one person alone";
const PLAIN: &str = "text/plain;charset=UTF-8";

/// One message of ours that has not left, or is on its way.
#[derive(Debug)]
struct Outgoing {
    message: MessageId,
    text: String,
    /// Who alone gets it.
    alone: Option<Address>,
    /// Its name in the envelope.
    id: String,
    tries: usize,
    not_before: Time,
}

/// Words of one conference.
#[derive(Debug)]
pub(super) struct Words {
    queue: VecDeque<Outgoing>,
    under_way: Option<Token>,
    typing_sent: Option<Token>,
    /// The focus takes messages at all.
    pub allowed: bool,
    /// It takes no envelopes.
    plain: bool,
    /// Names of messages seen or written, to know one that comes again.
    seen: VecDeque<String>,
    /// Last told, last key.
    typing: Option<(Time, Time)>,
    typists: BTreeMap<Address, Time>,
}

impl Default for Words {
    fn default() -> Self {
        Words {
            queue: VecDeque::new(),
            under_way: None,
            typing_sent: None,
            allowed: true,
            plain: false,
            seen: VecDeque::new(),
            typing: None,
            typists: BTreeMap::new(),
        }
    }
}

impl Words {
    /// Whether somebody types.
    pub fn types(&self, who: &Address) -> bool {
        self.typists.contains_key(who)
    }

    /// Whether a reply to this is still to come.
    pub fn awaits(&self, token: Token) -> bool {
        self.under_way == Some(token) || self.typing_sent == Some(token)
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let waits = self.queue.front().filter(|o| self.under_way.is_none() && o.tries > 0).map(|o| o.not_before);
        let typing = self.typing.map(|(told, key)| (told + COMPOSING_REFRESH).min(key + COMPOSING_IDLE));
        self.typists.values().copied().chain(waits).chain(typing).min()
    }

    /// Forgets who has stopped typing.
    pub fn on_time(&mut self, now: Time) {
        self.typists.retain(|_, until| *until > now);
    }

    /// The link is gone: what was under way may have arrived, so it is not sent again by itself.
    pub fn link_lost(&mut self, ctx: &mut Ctx<'_>, conversation: &ConversationId) {
        if self.under_way.take().is_some() {
            let why = "the connection broke; it may or may not have arrived".into();
            self.finish(ctx, conversation, Delivery::Failed(why));
        }
        (self.typing, self.typing_sent) = (None, None);
        self.typists.clear();
    }

    /// Nothing more can leave.
    pub fn fail_all(&mut self, ctx: &mut Ctx<'_>, conversation: &ConversationId, why: &str) {
        self.under_way = None;
        while !self.queue.is_empty() {
            self.finish(ctx, conversation, Delivery::Failed(why.to_owned()));
        }
        self.typists.clear();
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>, conversation: &ConversationId, state: Delivery) {
        if let Some(o) = self.queue.pop_front() {
            ctx.emit(Event::MessageState { conversation: conversation.clone(), message: o.message, state });
        }
    }

    /// Whether this name comes for the first time.
    fn first(&mut self, name: String) -> bool {
        if self.seen.contains(&name) {
            return false;
        }
        self.seen.push_back(name);
        self.seen.drain(..self.seen.len().saturating_sub(MAX_SEEN));
        true
    }
}

impl Meeting {
    /// Keeps a text for sending.
    pub fn say(&mut self, ctx: &mut Ctx<'_>, message: &MessageId, text: &str, alone: Option<&Address>) -> Result<(), Error> {
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "there is nothing to send"));
        }
        if let Some(to) = alone {
            self.may_write_alone(ctx, to)?;
        }
        if !self.words.allowed && self.room.is_none() {
            let text = if self.room_gone { GONE } else { "this meeting passes no messages on" };
            return Err(Error::new(ErrorKind::InvalidOperation, text));
        }
        if self.words.queue.len() >= MAX_QUEUED {
            let text = "too many messages are waiting here; send it again when they have left";
            return Err(Error::new(ErrorKind::Retryable, text));
        }
        let id = ctx.rng.hex(24);
        self.words.first(id.clone());
        let (text, alone) = (text.to_owned(), alone.cloned());
        let outgoing = Outgoing { message: message.clone(), text, alone, id, tries: 0, not_before: Time::default() };
        self.words.queue.push_back(outgoing);
        self.words.typing = None;
        Ok(())
    }

    /// Whether one person of the room can be written to, and why not.
    fn may_write_alone(&self, ctx: &Ctx<'_>, to: &Address) -> Result<(), Error> {
        let refuse = |text: &str| Err(Error::new(ErrorKind::InvalidOperation, text));
        if !self.takes_private_words() {
            return refuse(NO_PRIVATE);
        }
        if *to == ctx.me.uri {
            return refuse("that is you; name somebody else in the meeting");
        }
        if !roster::has(&self.roster, to) {
            return refuse("they are not in the meeting");
        }
        Ok(())
    }

    /// Words to one person that have no room to go through any more go nowhere: the others must not get them.
    fn drop_private(&mut self, ctx: &mut Ctx<'_>) {
        while self.words.under_way.is_none() && self.words.queue.front().is_some_and(|o| o.alone.is_some()) {
            self.words.finish(ctx, &self.id, Delivery::Failed(NO_PRIVATE.into()));
        }
    }

    /// Sends the next text, and says who types, when that can be.
    pub fn pump(&mut self, ctx: &mut Ctx<'_>) {
        if !ctx.online || !matches!(self.stage, Stage::In(_)) {
            return;
        }
        self.tell_typing(ctx);
        if !self.takes_private_words() {
            self.drop_private(ctx);
        }
        if self.room.is_some() {
            return self.pump_room(ctx);
        }
        let ready = self.words.queue.front().filter(|o| self.words.under_way.is_none() && o.not_before <= ctx.now);
        if let Some((text, id)) = ready.map(|o| (o.text.clone(), o.id.clone())) {
            self.words.under_way = self.send_words(ctx, PLAIN, text.into_bytes(), id);
        }
    }

    /// Everything goes into the room; it keeps the order.
    fn pump_room(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(o) = self.words.queue.front() {
            let mut envelope = self.enveloped(ctx, PLAIN, o.text.clone().into_bytes(), &o.id);
            envelope.to = o.alone.clone().or(envelope.to);
            let body = cpim::write(&envelope);
            let (id, message) = (o.id.clone(), o.message.clone());
            if !self.room.as_mut().is_some_and(|r| r.send(ctx, &id, body, Some(message))) {
                return;
            }
            self.words.queue.pop_front();
        }
    }

    /// An envelope of ours for everybody.
    fn enveloped(&self, ctx: &Ctx<'_>, media: &str, content: Vec<u8>, id: &str) -> Envelope {
        Envelope {
            from: Some(ctx.me.uri.clone()),
            to: self.name.address(),
            at: Some(ctx.now),
            id: Some(id.to_owned()),
            wishes: Wishes::default(),
            notification: false,
            content_type: media.to_owned(),
            content,
        }
    }

    fn send_words(&mut self, ctx: &mut Ctx<'_>, media: &str, body: Vec<u8>, id: String) -> Option<Token> {
        let (media, body) = if self.words.plain {
            (media.to_owned(), body)
        } else {
            (cpim::CONTENT_TYPE.to_owned(), cpim::write(&self.enveloped(ctx, media, body, &id)))
        };
        let Stage::In(dialog) = &mut self.stage else { return None };
        let r = in_dialog(ctx, dialog, Method::Message);
        Some(ctx.send(r.with_body(&media, body)))
    }

    /// A key was pressed, or the line is empty again.
    pub fn type_here(&mut self, ctx: &mut Ctx<'_>, active: bool) {
        let told = self.words.typing.map(|t| t.0);
        self.words.typing = match (active, told) {
            (true, told) => Some((told.unwrap_or_default(), ctx.now)),
            (false, Some(_)) => Some((ctx.now, Time::default())),
            (false, None) => None,
        };
    }

    fn tell_typing(&mut self, ctx: &mut Ctx<'_>) {
        let Some((told, key)) = self.words.typing else { return };
        // Without an envelope nobody would know who types.
        let silent = if self.room.is_some() { false } else { !self.words.allowed || self.words.plain };
        if silent {
            self.words.typing = None;
            return;
        }
        let notice = if key + COMPOSING_IDLE <= ctx.now {
            self.words.typing = None;
            Composing::Idle
        } else if told + COMPOSING_REFRESH <= ctx.now {
            self.words.typing = Some((ctx.now, key));
            Composing::Active(COMPOSING_REFRESH)
        } else {
            return;
        };
        let id = ctx.rng.hex(24);
        self.words.first(id.clone());
        let content = composing::write(notice).into_bytes();
        if self.room.is_some() {
            let body = cpim::write(&self.enveloped(ctx, composing::CONTENT_TYPE, content, &id));
            self.room.as_mut().map(|r| r.send(ctx, &id, body, None));
            return;
        }
        self.words.typing_sent = self.send_words(ctx, composing::CONTENT_TYPE, content, id);
    }

    /// The answer to a text; false when it is to something else.
    pub fn words_replied(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        if self.words.typing_sent.take_if(|t| *t == token).is_some() {
            return true;
        }
        if self.words.under_way.take_if(|t| *t == token).is_none() {
            return false;
        }
        match reply {
            Reply::Response(r) if r.is_success() => self.words.finish(ctx, &self.id, Delivery::Sent),
            Reply::Response(r) if r.status == 415 && !self.words.plain => self.words.plain = true,
            Reply::Response(r) if matches!(r.status, 500 | 502..=504) => {
                let tries = self.words.queue.front().map_or(0, |o| o.tries);
                match (MESSAGE_AGAIN.get(tries), self.words.queue.front_mut()) {
                    (Some(wait), Some(o)) => {
                        o.tries += 1;
                        o.not_before = ctx.now + request::retry_after(r).max(*wait);
                    }
                    _ => self.words.finish(ctx, &self.id, Meeting::undeliverable(reply)),
                }
            }
            reply => {
                if matches!(reply, Reply::Response(r) if matches!(r.status, 405 | 501)) {
                    self.words.allowed = false;
                }
                self.words.finish(ctx, &self.id, Meeting::undeliverable(reply));
            }
        }
        true
    }

    /// Words that the focus passes on.
    pub fn hear(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let media = request.headers.get(&Name::ContentType).unwrap_or("text/plain").to_owned();
        let known = ["text/plain", "text/html", cpim::CONTENT_TYPE, composing::CONTENT_TYPE];
        if !known.iter().any(|k| is_type(&media, k)) {
            return answer(ctx, tx, request, 415);
        }
        answer(ctx, tx, request, 200);
        let cseq = request.headers.cseq().map_or(0, |c| c.number);
        if !self.words.first(format!("{} {cseq}", request.headers.call_id())) {
            return;
        }
        if is_type(&media, cpim::CONTENT_TYPE) {
            return self.open(ctx, &request.body);
        }
        // Without an envelope the focus itself speaks, unless the server names somebody.
        let asserted = request.headers.get(&Name::PAssertedIdentity).and_then(NameAddr::parse).and_then(|n| n.uri.address());
        let Some(author) = asserted.or_else(|| self.name.address()) else { return };
        self.tell(ctx, author, None, None, &media, &request.body);
    }

    pub fn open(&mut self, ctx: &mut Ctx<'_>, body: &[u8]) {
        let Ok(envelope) = cpim::parse(body) else { return };
        if envelope.notification || is_type(&envelope.content_type, cpim::CONTENT_TYPE) {
            return;
        }
        // One's own words may come back.
        if envelope.id.as_ref().is_some_and(|id| !self.words.first(id.clone())) {
            return;
        }
        let Some(author) = envelope.from.clone().or_else(|| self.name.address()) else { return };
        let at = envelope.at.filter(|at| *at <= ctx.now);
        // Where nobody can be written to alone, some write every copy to whom it goes.
        let alone = envelope.to.filter(|to| *to == ctx.me.uri && self.takes_private_words());
        self.tell(ctx, author, alone, at, &envelope.content_type, &envelope.content);
    }

    fn tell(&mut self, ctx: &mut Ctx<'_>, author: Address, alone: Option<Address>, at: Option<Time>, media: &str, body: &[u8]) {
        if is_type(media, composing::CONTENT_TYPE) {
            match composing::parse(body) {
                Ok(Composing::Active(lasts)) if author != ctx.me.uri && self.words.typists.len() < MAX_QUEUED => {
                    self.words.typists.insert(author, ctx.now + lasts);
                }
                _ => drop(self.words.typists.remove(&author)),
            }
            return;
        }
        let format = match (is_type(media, "text/html"), is_type(media, "text/plain")) {
            (true, _) => TextFormat::Html,
            (_, true) => TextFormat::Plain,
            _ => return,
        };
        self.words.typists.remove(&author);
        let message = InstantMessage {
            id: MessageId(ctx.rng.hex(32)),
            author,
            at: at.unwrap_or(ctx.now),
            body: String::from_utf8_lossy(body).into_owned(),
            format,
            state: Delivery::Received,
            alone,
        };
        ctx.emit(Event::Message { conversation: self.id.clone(), message });
    }
}
