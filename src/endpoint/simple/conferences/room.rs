//! Words by an MSRP session with a focus that is a chat room (RFC 7701; `simple.md` 3.6). We connect to the room, as rooms
//! stand where everybody reaches them; its relay, if any, is its own matter.

use super::media::{SDP, host_of};
use super::meeting::Meeting;
use crate::domain::conversation::{Delivery, MessageId};
use crate::endpoint::beside::{PipeAsk, PipeId, PipeNews};
use crate::endpoint::service::Ctx;
use crate::endpoint::{Error, ErrorKind, Event, OperationId, Outcome};
use crate::msrp::sdp::{Description, Line, Media, Setup};
use crate::msrp::{self, Framer, Kind, Method, MsrpUri, Session};
use crate::simple::{composing, cpim};
use crate::sip::multipart::is_type;
use crate::sip::{Response, Transport};
use std::collections::BTreeMap;

/// What we take: envelopes, and in them texts and who types.
const ACCEPT: &[&str] = &[cpim::CONTENT_TYPE];
const WRAPPED: &[&str] = &["text/plain", "text/html", composing::CONTENT_TYPE];
/// What a room may let people do, and what is asked for.
const NICKNAME: &str = "nickname";
const PRIVATE: &str = "private-messages";
/// What helps where words go only through the room.
pub(super) const REENTER: &str = "leave the meeting and join it again to write in it";
/// Longest nickname, in characters.
const NICKNAME_MOST: usize = 64;

/// The way of words through a chat room.
#[derive(Debug)]
pub(super) struct Room {
    ours: Media,
    theirs: Option<Media>,
    session: Option<Session>,
    pipe: Option<PipeId>,
    open: bool,
    framer: Framer,
    /// A nickname that was asked for: its transaction.
    naming: Option<(String, OperationId)>,
    /// Messages of ours that the room has not taken yet.
    leaving: BTreeMap<String, MessageId>,
}

impl Room {
    /// Our side of it; nothing is opened yet.
    pub fn new(ctx: &mut Ctx<'_>) -> Option<Room> {
        let tls = ctx.me.transport == Transport::Tls;
        let own = MsrpUri::new(tls, &format!("{}:9", host_of(&ctx.me.sent_by)), &ctx.rng.hex(20))?;
        let mut ours = Media::new(vec![own], ACCEPT, WRAPPED);
        (ours.setup, ours.max_size) = (Some(Setup::Active), Some(msrp::limits::MESSAGE_MOST));
        ours.chatroom = Some(vec![NICKNAME.into(), PRIVATE.into()]);
        Some(Room {
            ours,
            theirs: None,
            session: None,
            pipe: None,
            open: false,
            framer: Framer::default(),
            naming: None,
            leaving: BTreeMap::new(),
        })
    }

    /// The description that offers it.
    pub fn offer(&self, ctx: &Ctx<'_>, number: u64, version: u64) -> Vec<u8> {
        let lines = vec![Line::Message(Box::new(self.ours.clone()))];
        Description { lines }.write(host_of(&ctx.me.sent_by), number, version)
    }

    /// Takes the room's answer; false when it has none for words.
    pub fn answered(&mut self, ctx: &mut Ctx<'_>, media: &str, body: &[u8]) -> bool {
        let description = Description::parse(body).ok().filter(|_| is_type(media, SDP));
        let Some((_, theirs)) = description.as_ref().and_then(Description::message) else { return false };
        self.connect(ctx, theirs);
        true
    }

    /// The answer to the room's own offer; `None` when it has nothing for words, or nothing that we can reach. A room that
    /// is where it was stays open.
    pub fn answer(&mut self, ctx: &mut Ctx<'_>, body: &[u8]) -> Option<Description> {
        let offer = Description::parse(body).ok()?;
        let (at, theirs) = offer.message()?;
        if !self.is_at(theirs) {
            if !matches!(theirs.setup, Some(Setup::Either | Setup::Passive)) {
                return None;
            }
            self.connect(ctx, theirs);
        }
        Some(offer.answer(at, self.ours.clone()))
    }

    fn is_at(&self, place: &Media) -> bool {
        self.pipe.is_some() && self.theirs.as_ref().is_some_and(|t| t.path == place.path)
    }

    /// Whether an offer describes this room as it is.
    pub fn is_described(&self, body: &[u8]) -> bool {
        Description::parse(body).is_ok_and(|d| d.message().is_some_and(|m| self.is_at(m.1)))
    }

    fn connect(&mut self, ctx: &mut Ctx<'_>, theirs: &Media) {
        let Some(first) = theirs.path.first() else { return };
        let mut session = Session::new(self.ours.path.clone(), theirs.path.clone(), ctx.rng.fork());
        // Whoever connects speaks first, so that the room knows the connection (RFC 4975 §5.4).
        session.touch(ctx.now);
        let (host, port) = (first.host().to_owned(), first.port());
        let tls = first.tls().then(|| vec![host.clone()]);
        let pin = theirs.fingerprint.as_deref().and_then(pin);
        self.pipe = Some(ctx.open_pipe(PipeAsk::Open { host, port, tls, pin }));
        (self.session, self.theirs) = (Some(session), Some(theirs.clone()));
    }

    /// Whether this connection is ours.
    pub fn has(&self, pipe: PipeId) -> bool {
        self.pipe == Some(pipe)
    }

    /// Whether the room lets people do this.
    fn offers(&self, what: &str) -> bool {
        let all = self.theirs.as_ref().and_then(|t| t.chatroom.as_ref());
        all.is_some_and(|all| all.iter().any(|a| a.eq_ignore_ascii_case(what)))
    }

    /// Begins to send; false when too much waits.
    pub fn send(&mut self, ctx: &Ctx<'_>, id: &str, body: Vec<u8>, message: Option<MessageId>) -> bool {
        // What waits until the connection stands can still go another way.
        let Some(session) = self.session.as_mut().filter(|_| self.open) else { return false };
        let taken = session.send(ctx.now, id, cpim::CONTENT_TYPE, body, false);
        if let Some(message) = message.filter(|_| taken) {
            self.leaving.insert(id.to_owned(), message);
        }
        taken
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<crate::domain::Time> {
        self.session.as_ref().and_then(Session::poll_timeout)
    }

    /// Closes the way; gives what has not arrived.
    pub fn close(self, ctx: &mut Ctx<'_>) -> (Vec<MessageId>, Option<OperationId>) {
        if let Some(pipe) = self.pipe {
            ctx.pipe(pipe, PipeAsk::Close);
        }
        (self.leaving.into_values().collect(), self.naming.map(|n| n.1))
    }

    /// Frames that are ready leave; gives what the session says.
    fn turn(&mut self, ctx: &mut Ctx<'_>) -> Vec<msrp::Event> {
        let (Some(session), Some(pipe)) = (&mut self.session, self.pipe) else { return Vec::new() };
        while let Some(frame) = self.open.then(|| session.poll_frame(ctx.now)).flatten() {
            ctx.pipe(pipe, PipeAsk::Send(frame.to_bytes()));
        }
        std::iter::from_fn(|| session.poll_event()).collect()
    }

    /// Octets came; why they are none of this protocol.
    fn take(&mut self, ctx: &mut Ctx<'_>, bytes: &[u8]) -> Result<(), msrp::Fault> {
        self.framer.push(bytes);
        while let Some(next) = self.framer.next() {
            let framed = next?;
            let (Some(session), Some(pipe)) = (&mut self.session, self.pipe) else { return Ok(()) };
            let mine =
                framed.frame.to.first().is_some_and(|to| self.ours.path.last().is_some_and(|own| own.session() == to.session()));
            if mine {
                session.handle_frame(ctx.now, framed.frame, framed.partial);
            } else if matches!(framed.frame.kind, Kind::Request(ref m) if *m != Method::Report) {
                let answer = framed.frame.response(481, "No such session");
                ctx.pipe(pipe, PipeAsk::Send(answer.to_bytes()));
            }
        }
        Ok(())
    }
}

impl Meeting {
    /// Something is heard of the connection to the room.
    pub fn on_pipe(&mut self, ctx: &mut Ctx<'_>, news: PipeNews) {
        let Some(room) = &mut self.room else { return };
        match news {
            PipeNews::Opened(_) => room.open = true,
            PipeNews::Bytes(bytes) => {
                if let Err(fault) = room.take(ctx, &bytes) {
                    self.tell_gone(ctx, &fault.to_string());
                    self.close_room(ctx, "the chat room speaks something that is not understood");
                }
            }
            PipeNews::Closed(why) => {
                self.tell_gone(ctx, &why);
                if let Some(room) = &mut self.room {
                    room.pipe = None;
                }
                self.close_room(ctx, "the connection to the chat room broke; it may or may not have arrived");
            }
        }
    }

    fn tell_gone(&mut self, ctx: &mut Ctx<'_>, why: &str) {
        let then = if self.words.allowed { "what is written goes another way now" } else { REENTER };
        ctx.emit(Event::Notice(format!("The connection to the chat room is gone ({why}); {then}")));
        self.room_gone = true;
    }

    /// Something of the room is due.
    pub fn room_on_time(&mut self, now: crate::domain::Time) {
        if let Some(session) = self.room.as_mut().and_then(|r| r.session.as_mut()) {
            session.handle_timeout(now);
        }
    }

    /// Words go by requests from now on, where the focus takes those.
    pub fn close_room(&mut self, ctx: &mut Ctx<'_>, why: &str) {
        let Some(room) = self.room.take() else { return };
        let (lost, naming) = room.close(ctx);
        for message in lost {
            let state = Delivery::Failed(why.to_owned());
            ctx.emit(Event::MessageState { conversation: self.id.clone(), message, state });
        }
        self.complete(naming, Err(Error::new(ErrorKind::OperationFailed, why)));
    }

    /// What the room says.
    pub fn turn_room(&mut self, ctx: &mut Ctx<'_>) {
        let Some(room) = &mut self.room else { return };
        for event in room.turn(ctx) {
            match event {
                msrp::Event::Message { media, body, .. } if is_type(&media, cpim::CONTENT_TYPE) => self.open(ctx, &body),
                msrp::Event::Sent { id } | msrp::Event::Delivered { id } => self.left_room(ctx, &id, Delivery::Sent),
                msrp::Event::Failed { id, code, .. } => self.left_room(ctx, &id, Delivery::Failed(refusal(code))),
                msrp::Event::Answered { tid, code, .. } => self.named(&tid, code),
                _ => {}
            }
        }
    }

    fn left_room(&mut self, ctx: &mut Ctx<'_>, id: &str, state: Delivery) {
        if let Some(message) = self.room.as_mut().and_then(|r| r.leaving.remove(id)) {
            ctx.emit(Event::MessageState { conversation: self.id.clone(), message, state });
        }
    }

    /// Whether the room passes words on to one person alone.
    pub fn takes_private_words(&self) -> bool {
        self.room.as_ref().is_some_and(|r| r.offers(PRIVATE))
    }

    /// Asks for a name in the room; an empty one gives it back.
    pub fn take_nickname(&mut self, ctx: &mut Ctx<'_>, op: OperationId, name: &str) -> Result<(), Error> {
        let refuse = |text: &str| Error::new(ErrorKind::InvalidOperation, text);
        let room = self.room.as_mut().filter(|r| r.offers(NICKNAME)).ok_or_else(|| refuse("this meeting knows no nicknames"))?;
        let session = room.session.as_mut().ok_or_else(|| refuse("the chat room is not reached yet; try again"))?;
        if room.naming.is_some() {
            return Err(refuse("another nickname is being asked for; wait for its answer"));
        }
        let name: String = name.chars().filter(|c| !c.is_control() && *c != '"' && *c != '\\').take(NICKNAME_MOST).collect();
        let tid = session.ask(ctx.now, Method::Nickname, &[("Use-Nickname", format!("\"{}\"", name.trim()))]);
        room.naming = Some((tid, op));
        Ok(())
    }

    fn named(&mut self, tid: &str, code: u16) {
        let Some(room) = &mut self.room else { return };
        let Some((_, op)) = room.naming.take_if(|n| n.0 == tid) else { return };
        let text = match code {
            200 => return self.complete(Some(op), Ok(Outcome::Done)),
            403 => "the meeting does not let you take this nickname",
            408 => "the chat room did not answer; try again",
            424 => "the chat room cannot read this nickname; choose a plainer one",
            425 => "somebody else has this nickname; choose another",
            _ => "the chat room refused the nickname",
        };
        self.complete(Some(op), Err(Error::new(ErrorKind::ConferenceFailed, text)));
    }
}

/// Why the room did not take a message.
fn refusal(code: u16) -> String {
    match code {
        403 => "the meeting does not let you write".into(),
        404 => "they are not in the meeting any more".into(),
        408 => "no answer came; it may or may not have arrived".into(),
        413 => "it is too long for the chat room; send it in parts".into(),
        415 => "the chat room cannot pass this kind of message on".into(),
        428 => "this chat room has no private messages".into(),
        code => format!("the chat room refused it ({code})"),
    }
}

/// The certificate that a description names.
fn pin(fingerprint: &str) -> Option<String> {
    let (hash, digits) = fingerprint.split_once(' ')?;
    hash.eq_ignore_ascii_case("sha-256").then(|| format!("sha256:{}", digits.replace(':', "").to_ascii_lowercase()))
}

/// Whether a refusal may be one of the words, not of the whole session.
pub(super) fn may_go_without(response: &Response) -> bool {
    matches!(response.status, 415 | 488 | 606)
}
