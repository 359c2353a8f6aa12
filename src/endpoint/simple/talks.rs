//! Sessions for messages and files (`simple.md` 3.5, 3.6): an INVITE dialog whose description leads to an MSRP session, by
//! the relay where there is one. Nothing here knows what is said in them: who began a session hears of it by [`Heard`].
//!
//! Without a relay we open no door of our own: we connect to the other side, if it can be reached.

mod dialog;
#[cfg(test)]
mod tests;
mod wires;

use super::lasting::{Ended, Lasting};
use super::request;
use crate::domain::{Address, Time};
use crate::endpoint::beside::{PipeId, PipeNews, RelayPlace};
use crate::endpoint::limits::{FILE_PAUSE, MAX_TALKS, OFFER_WAIT, TALK_IDLE, TALK_LINGER, TALK_TOUCH, TALK_WAIT};
use crate::endpoint::service::{Ctx, Token};
use crate::msrp::sdp::{Description, Direction, File, Media, Setup};
use crate::msrp::{self, Kind, MsrpUri, Session};
use crate::sip::session_timer::Offer;
use crate::sip::{Dialog, Request, ServerTx};
use std::collections::{BTreeMap, VecDeque};
use wires::{News, Relay, Way, Wires};

/// Types we take as they are, and within an envelope.
const ACCEPT: &[&str] = &["message/cpim", "text/plain", "text/html", "application/im-iscomposing+xml", "message/imdn+xml"];
const WRAPPED: &[&str] = &["text/plain", "text/html", "application/im-iscomposing+xml", "message/imdn+xml"];

/// One session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TalkId(u64);

/// What a session is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// Messages both ways.
    Chat,
    /// This file goes to the other side.
    Send(File),
    /// This file comes.
    Receive(File),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The other side, or a server, refused it with this status; 408: nobody answered.
    Refused(u16),
    /// It has no way: why.
    NoWay(String),
    /// The connection broke, or the dialog: why.
    Lost(String),
    /// The other side has ended it.
    Theirs,
    /// We have.
    Ours,
}

/// What a session says.
#[derive(Debug)]
pub(super) enum Heard {
    /// Somebody offers a file; it waits for [`Talks::accept`] or [`Talks::end`].
    Offered(TalkId, Address, File),
    /// Messages can go.
    Up(TalkId, Address),
    /// Something happened in it.
    Said(TalkId, Address, msrp::Event),
    /// It is over.
    Over(TalkId, Address, End),
}

#[derive(Debug)]
enum Stage {
    /// Our INVITE waits for the relay.
    Preparing,
    /// Our INVITE is on its way.
    Inviting { token: Token, request: Box<Request> },
    /// Theirs waits for a person.
    Ringing { tx: ServerTx, request: Box<Request>, offer: Description, at: usize },
    /// Theirs waits for the relay.
    Answering { tx: ServerTx, request: Box<Request>, offer: Description, at: usize },
    /// Both sides know each other.
    Up,
}

#[derive(Debug)]
struct Talk {
    with: Address,
    purpose: Purpose,
    stage: Stage,
    /// Name of our end.
    name: String,
    /// Our tag, where they have invited us.
    tag: String,
    /// Our part of the description, once it was said.
    ours: Option<Media>,
    /// Their part.
    theirs: Option<Media>,
    /// It was our offer.
    offered: bool,
    dialog: Option<Dialog>,
    session: Option<Session>,
    pipe: Option<PipeId>,
    until: Option<Time>,
    /// The last message, or the beginning.
    used: Time,
    /// The number of our description (RFC 4566 §5.2).
    number: u64,
    /// Our description as it was said.
    said: Vec<u8>,
    /// How long the session is to last without a word (RFC 4028), and what was agreed.
    offer: Offer,
    lasting: Lasting,
}

/// All sessions of an endpoint.
#[derive(Debug)]
pub(super) struct Talks {
    wires: Wires,
    talks: BTreeMap<TalkId, Talk>,
    /// INVITEs that were cancelled, or whose answer was taken: what else comes for them is ended.
    late: VecDeque<(Token, Request)>,
    heard: VecDeque<Heard>,
    next: u64,
}

impl Default for Talks {
    fn default() -> Talks {
        Talks::new(RelayPlace::None, "", "")
    }
}

impl Talks {
    pub fn new(place: RelayPlace, login: &str, password: &str) -> Talks {
        let wires = Wires::new(place, login, password);
        Talks { wires, talks: BTreeMap::new(), late: VecDeque::new(), heard: VecDeque::new(), next: 0 }
    }

    /// Whether texts are worth a session: without a relay hardly anybody can be reached.
    pub fn begins_for_texts(&self) -> bool {
        self.wires.has_place()
    }

    /// Begins a session; `None` when there are too many.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>, with: &Address, purpose: Purpose) -> Option<TalkId> {
        let id = self.add(ctx, with.clone(), purpose, Stage::Preparing)?;
        self.advance(ctx, id);
        Some(id)
    }

    fn add(&mut self, ctx: &mut Ctx<'_>, with: Address, purpose: Purpose, stage: Stage) -> Option<TalkId> {
        if self.talks.len() >= MAX_TALKS {
            return None;
        }
        self.next += 1;
        let id = TalkId(self.next);
        let wait = if matches!(purpose, Purpose::Chat) { TALK_WAIT } else { OFFER_WAIT };
        let talk = Talk {
            with,
            purpose,
            stage,
            name: wires::session_name(ctx.rng),
            tag: ctx.rng.hex(16),
            ours: None,
            theirs: None,
            offered: false,
            dialog: None,
            session: None,
            pipe: None,
            until: Some(ctx.now + wait),
            used: ctx.now,
            number: ctx.rng.below(1 << 31) + 1,
            said: Vec::new(),
            offer: Offer::default(),
            lasting: Lasting::default(),
        };
        self.talks.insert(id, talk);
        Some(id)
    }

    /// The machine of a session that stands.
    pub fn session(&mut self, id: TalkId) -> Option<&mut Session> {
        self.talks.get_mut(&id).filter(|t| matches!(t.stage, Stage::Up)).and_then(|t| t.session.as_mut())
    }

    /// The session for messages with somebody, and whether it stands.
    pub fn chat_with(&self, who: &Address) -> Option<(TalkId, bool)> {
        let mine = self.talks.iter().filter(|t| t.1.with == *who && matches!(t.1.purpose, Purpose::Chat));
        mine.map(|t| (*t.0, matches!(t.1.stage, Stage::Up))).max_by_key(|t| t.1)
    }

    /// Whether the other side of a session takes this type.
    pub fn takes(&self, id: TalkId, media: &str) -> bool {
        self.talks.get(&id).and_then(|t| t.theirs.as_ref()).is_some_and(|t| t.takes(media))
    }

    /// All is said in this session: the other side may end it, soon we do.
    pub fn linger(&mut self, now: Time, id: TalkId) {
        if let Some(talk) = self.talks.get_mut(&id) {
            talk.until = Some(now + TALK_LINGER);
        }
    }

    /// A message goes, so the session is not idle.
    pub fn used(&mut self, now: Time, id: TalkId) {
        if let Some(talk) = self.talks.get_mut(&id) {
            talk.used = now;
        }
    }

    /// The next thing heard; frames that are ready leave before.
    pub fn poll(&mut self, ctx: &mut Ctx<'_>) -> Option<Heard> {
        self.pump(ctx);
        self.heard.pop_front()
    }

    /// Lets the sessions take turns, one frame each, until nothing is ready.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        let mut some = true;
        while std::mem::take(&mut some) {
            for (id, talk) in &mut self.talks {
                let Some(session) = &mut talk.session else { continue };
                if let Some(pipe) = talk.pipe.filter(|p| self.wires.is_ready(*p))
                    && let Some(frame) = session.poll_frame(ctx.now)
                {
                    self.wires.send(ctx, pipe, &frame);
                    some = true;
                }
                while let Some(event) = session.poll_event() {
                    if matches!(event, msrp::Event::Answered { code: 408 | 481, .. }) {
                        let why = "the other side does not answer any more".to_owned();
                        talk.until = Some(ctx.now);
                        ctx.note(why);
                        continue;
                    }
                    if matches!(event, msrp::Event::Message { .. } | msrp::Event::Part { .. }) {
                        talk.used = ctx.now;
                    }
                    self.heard.push_back(Heard::Said(*id, talk.with.clone(), event));
                }
            }
        }
    }

    /// Goes on with a session that waits for the relay.
    fn advance(&mut self, ctx: &mut Ctx<'_>, id: TalkId) {
        let Some(talk) = self.talks.get(&id) else { return };
        match &talk.stage {
            Stage::Preparing => match self.wires.relay(ctx) {
                Relay::Pending => {}
                Relay::Ready(way) => self.invite(ctx, id, Some(way)),
                Relay::Absent(_) => self.invite(ctx, id, None),
            },
            Stage::Answering { offer, at, .. } => {
                let Some((_, theirs)) = offer.message().filter(|m| m.0 == *at) else { return };
                let reachable = matches!(theirs.setup, Some(Setup::Either | Setup::Passive));
                if reachable && theirs.path.len() == 1 {
                    return self.answer(ctx, id, None);
                }
                let relayed = theirs.path.len() > 1;
                match self.wires.relay(ctx) {
                    Relay::Pending => {}
                    Relay::Ready(way) => self.answer(ctx, id, Some(way)),
                    Relay::Absent(_) if reachable || relayed => self.answer(ctx, id, None),
                    Relay::Absent(why) => self.refuse(ctx, id, 488, &format!("no way for messages: {why}")),
                }
            }
            _ => {}
        }
    }

    /// Our part of the description.
    fn ours(&self, ctx: &Ctx<'_>, id: TalkId, way: Option<&Way>, tls: bool) -> Option<Media> {
        let talk = self.talks.get(&id)?;
        let path = match way {
            Some(way) => {
                let own = MsrpUri::new(way.tls, &way.local, &talk.name)?;
                way.path.iter().cloned().chain([own]).collect()
            }
            None => vec![MsrpUri::new(tls, &format!("{}:9", host_of(&ctx.me.sent_by)), &talk.name)?],
        };
        let mut media = match &talk.purpose {
            Purpose::Chat => Media::new(path, ACCEPT, WRAPPED),
            Purpose::Send(_) | Purpose::Receive(_) => Media::new(path, &["*"], &[]),
        };
        media.setup = way.is_none().then_some(Setup::Active);
        match &talk.purpose {
            Purpose::Chat => media.max_size = Some(msrp::limits::MESSAGE_MOST),
            Purpose::Send(file) => (media.direction, media.file) = (Direction::SendOnly, Some(file.clone())),
            Purpose::Receive(file) => (media.direction, media.file) = (Direction::ReceiveOnly, Some(file.clone())),
        }
        Some(media)
    }

    /// Both descriptions are known: the session begins.
    fn connect(&mut self, ctx: &mut Ctx<'_>, id: TalkId, way: Option<&Way>, theirs: &Media) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let Some(ours) = &talk.ours else { return };
        let mut session = Session::new(ours.path.clone(), theirs.path.clone(), ctx.rng.fork()).begun(ctx.now);
        if let Purpose::Receive(file) = &talk.purpose {
            session = session.in_parts(file.size.unwrap_or(0));
        }
        // Whoever connects, or has offered, speaks first, so that the other side knows the connection (RFC 4975 §5.4).
        if talk.offered || way.is_none() {
            session.touch(ctx.now);
        }
        (talk.stage, talk.session, talk.until, talk.used) = (Stage::Up, Some(session), None, ctx.now);
        talk.theirs = Some(theirs.clone());
        let with = talk.with.clone();
        talk.pipe = match (way, theirs.path.first()) {
            (Some(way), _) => Some(way.pipe),
            (None, Some(first)) => Some(self.wires.direct(ctx, first, theirs.fingerprint.as_deref().and_then(pin))),
            (None, None) => None,
        };
        self.heard.push_back(Heard::Up(id, with));
    }

    /// Something is heard of a connection.
    pub fn on_pipe(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, news: PipeNews) {
        let news = self.wires.on_pipe(ctx, pipe, news);
        self.on_news(ctx, news);
    }

    fn on_news(&mut self, ctx: &mut Ctx<'_>, all: Vec<News>) {
        for news in all {
            match news {
                News::Open => {}
                News::Relay => {
                    let waiting: Vec<TalkId> = self.talks.keys().copied().collect();
                    for id in waiting {
                        self.advance(ctx, id);
                    }
                }
                News::Gone(pipe, why) => {
                    let gone: Vec<TalkId> = self.talks.iter().filter(|t| t.1.pipe == Some(pipe)).map(|t| *t.0).collect();
                    for id in gone {
                        self.finish(ctx, id, End::Lost(why.clone()));
                    }
                }
                News::Frame(pipe, framed) => {
                    let name = framed.frame.to.first().map_or("", MsrpUri::session);
                    let mine = self.talks.values_mut().find(|t| t.pipe == Some(pipe) && t.name == name);
                    match mine.and_then(|t| t.session.as_mut()) {
                        Some(session) => session.handle_frame(ctx.now, framed.frame, framed.partial),
                        None if matches!(framed.frame.kind, Kind::Request(ref m) if *m != msrp::Method::Report) => {
                            let answer = framed.frame.response(481, "No such session");
                            self.wires.send(ctx, pipe, &answer);
                        }
                        None => {}
                    }
                }
            }
        }
    }

    /// The link is gone: what was not settled yet is over, and so are sessions for messages, which begin anew when they are
    /// needed. Files go on.
    pub fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.late.clear();
        let over = |t: &Talk| !matches!(t.stage, Stage::Up) || matches!(t.purpose, Purpose::Chat);
        let ids: Vec<TalkId> = self.talks.iter().filter(|t| over(t.1)).map(|t| *t.0).collect();
        for id in ids {
            self.drop(ctx, id, End::Lost("the connection to the server broke".into()));
        }
    }

    /// The user signs out.
    pub fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        let ids: Vec<TalkId> = self.talks.keys().copied().collect();
        for id in ids {
            self.end(ctx, id);
        }
        self.wires.close_all(ctx);
    }

    /// Gives up what takes too long, touches what is quiet, ends what nobody uses.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        let pipes: Vec<PipeId> = self.talks.values().filter_map(|t| t.pipe).collect();
        let waiting = self.talks.values().any(|t| t.pipe.is_none());
        let news = self.wires.on_timeout(ctx, &|pipe| waiting || pipes.contains(&pipe));
        self.on_news(ctx, news);
        let ids: Vec<TalkId> = self.talks.keys().copied().collect();
        for id in ids {
            let Some(talk) = self.talks.get_mut(&id) else { continue };
            let chat = matches!(talk.purpose, Purpose::Chat);
            if let Some(session) = &mut talk.session {
                session.handle_timeout(ctx.now);
                if session.touched() + TALK_TOUCH <= ctx.now {
                    session.touch(ctx.now);
                }
            }
            let busy = talk.session.as_ref().is_some_and(Session::busy);
            let ended = match &mut talk.dialog {
                Some(dialog) => talk.lasting.on_time(ctx, dialog, &talk.said),
                None => None,
            };
            if let Some(ended) = ended {
                self.finish(ctx, id, End::Lost(why(ended).into()));
            } else if talk.until.is_some_and(|t| t <= ctx.now) {
                let end = match talk.stage {
                    Stage::Up => End::Lost("the other side does not answer any more".into()),
                    _ => End::Refused(408),
                };
                self.finish(ctx, id, end);
            } else if chat && !busy && talk.session.is_some() && talk.used + TALK_IDLE <= ctx.now {
                self.finish(ctx, id, End::Ours);
            } else if !chat && talk.session.is_some() && talk.used + FILE_PAUSE <= ctx.now {
                self.finish(ctx, id, End::Lost("nothing moved for too long".into()));
            }
        }
    }

    /// When [`Talks::on_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let each = |t: &Talk| {
            let session = t.session.as_ref();
            let idle = match t.purpose {
                Purpose::Chat => session.filter(|s| !s.busy()).map(|_| t.used + TALK_IDLE),
                Purpose::Send(_) | Purpose::Receive(_) => session.map(|_| t.used + FILE_PAUSE),
            };
            let touch = session.map(|s| s.touched() + TALK_TOUCH);
            [t.until, idle, touch, session.and_then(Session::poll_timeout), t.lasting.deadline()].into_iter().flatten().min()
        };
        self.talks.values().filter_map(each).chain(self.wires.poll_timeout()).min()
    }
}

/// Why a session that was not refreshed is over.
fn why(ended: Ended) -> &'static str {
    match ended {
        Ended::Silent => "the other side was silent for too long",
        Ended::Forgotten => "the other side has forgotten the session",
    }
}

/// `host` of `host:port`.
fn host_of(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |p| p.0)
}

/// A fingerprint of a description as a link takes it; other hashes than SHA-256 are left to the authorities.
fn pin(fingerprint: &str) -> Option<String> {
    let (hash, digits) = fingerprint.split_once(' ')?;
    hash.eq_ignore_ascii_case("sha-256").then(|| format!("sha256:{}", digits.replace(':', "").to_ascii_lowercase()))
}
