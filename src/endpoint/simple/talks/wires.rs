//! The connections of sessions: one to the relay, which all share (RFC 4976), and one for each side that is reached
//! directly. A relay that is not there is not asked again for a while.

use crate::domain::{Rng, Time};
use crate::endpoint::beside::{PipeAsk, PipeId, PipeNews, RelayPlace};
use crate::endpoint::limits::{RELAY_AGAIN, RELAY_EXPIRES, RELAY_IDLE, RELAY_WAIT};
use crate::endpoint::service::Ctx;
use crate::msrp::framer::Framed;
use crate::msrp::{Flag, Frame, Framer, Kind, Method, MsrpUri, uri};
use crate::sip::auth::DigestClient;
use crate::sip::{Name, Response};
use std::collections::BTreeMap;

/// How the other side reaches us by the relay.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The connection.
    pub pipe: PipeId,
    /// The relay's part of our path.
    pub path: Vec<MsrpUri>,
    /// Our end of the connection, `host:port`.
    pub local: String,
    /// Over TLS.
    pub tls: bool,
}

/// Whether there is a relay.
#[derive(Debug)]
pub(super) enum Relay {
    /// It can be used.
    Ready(Way),
    /// It is being asked.
    Pending,
    /// There is none: why.
    Absent(String),
}

/// What happened to the connections.
#[derive(Debug)]
pub(super) enum News {
    /// The relay can be used, or it cannot: look again.
    Relay,
    /// A direct connection is open.
    Open,
    /// A connection is gone: why.
    Gone(PipeId, String),
    /// A frame came.
    Frame(PipeId, Box<Framed>),
}

#[derive(Debug)]
enum Stand {
    /// Being opened.
    Opening,
    /// AUTH is under way: its transaction, how often it was asked, and how long the answer may take.
    Asking { tid: String, tries: u32, until: Time },
    /// Frames can go.
    Ready,
}

#[derive(Debug)]
struct Wire {
    /// The relay's own URI; `None`: it leads to the other side.
    relay: Option<MsrpUri>,
    framer: Framer,
    stand: Stand,
    local: String,
    path: Vec<MsrpUri>,
    refresh_at: Option<Time>,
    idle_since: Option<Time>,
    opened_by: Time,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Wires {
    place: RelayPlace,
    digest: DigestClient,
    wires: BTreeMap<PipeId, Wire>,
    /// There is no relay: why, and when to ask again.
    absent: Option<(Time, String)>,
}

impl Wires {
    pub fn new(place: RelayPlace, login: &str, password: &str) -> Wires {
        Wires { place, digest: DigestClient::new(login, password), wires: BTreeMap::new(), absent: None }
    }

    /// Whether a relay may be there at all.
    pub fn has_place(&self) -> bool {
        self.place != RelayPlace::None
    }

    /// The relay, opened and asked where that has not happened.
    pub fn relay(&mut self, ctx: &mut Ctx<'_>) -> Relay {
        if let Some((pipe, wire)) = self.wires.iter().find(|w| w.1.relay.is_some()) {
            return if matches!(wire.stand, Stand::Ready) || !wire.path.is_empty() {
                let tls = wire.relay.as_ref().is_some_and(MsrpUri::tls);
                Relay::Ready(Way { pipe: *pipe, path: wire.path.clone(), local: wire.local.clone(), tls })
            } else {
                Relay::Pending
            };
        }
        if let Some((_, why)) = self.absent.as_ref().filter(|a| a.0 > ctx.now) {
            return Relay::Absent(why.clone());
        }
        let (host, port, tls, names) = match (&self.place, &ctx.me.server) {
            (RelayPlace::None, _) | (RelayPlace::Server, None) => return Relay::Absent("no relay is configured".into()),
            (RelayPlace::At { host, port, tls }, _) => (host.clone(), *port, *tls, vec![host.clone()]),
            (RelayPlace::Server, Some((server, names))) => {
                let tls = server.transport == crate::sip::Transport::Tls;
                (server.host.clone(), server.port, tls, names.clone())
            }
        };
        let host_text = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let Some(relay) = MsrpUri::new(tls, &format!("{host_text}:{port}"), "") else {
            return Relay::Absent("the relay's name is malformed".into());
        };
        ctx.note(format!("asking {relay} for a relay"));
        let pipe = ctx.open_pipe(PipeAsk::Open { host, port, tls: tls.then_some(names), pin: None });
        self.wires.insert(pipe, Wire::new(Some(relay), ctx.now));
        Relay::Pending
    }

    /// A connection straight to the first URI of the other side's path.
    pub fn direct(&mut self, ctx: &mut Ctx<'_>, to: &MsrpUri, pin: Option<String>) -> PipeId {
        let host = to.host().to_owned();
        let tls = to.tls().then(|| vec![host.clone()]);
        let pipe = ctx.open_pipe(PipeAsk::Open { host, port: to.port(), tls, pin });
        self.wires.insert(pipe, Wire::new(None, ctx.now));
        pipe
    }

    /// Whether frames can go by this connection.
    pub fn is_ready(&self, pipe: PipeId) -> bool {
        self.wires.get(&pipe).is_some_and(|w| matches!(w.stand, Stand::Ready) || !w.path.is_empty())
    }

    /// Puts a frame on a connection.
    pub fn send(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, frame: &Frame) {
        if worth_telling(frame) {
            ctx.note(format!("> {frame}"));
        }
        ctx.pipe(pipe, PipeAsk::Send(frame.to_bytes()));
    }

    /// Closes a connection, unless it is that of the relay.
    pub fn close(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId) {
        if self.wires.get(&pipe).is_some_and(|w| w.relay.is_none()) {
            self.wires.remove(&pipe);
            ctx.pipe(pipe, PipeAsk::Close);
        }
    }

    /// Closes all.
    pub fn close_all(&mut self, ctx: &mut Ctx<'_>) {
        for pipe in std::mem::take(&mut self.wires).into_keys() {
            ctx.pipe(pipe, PipeAsk::Close);
        }
        self.absent = None;
    }

    /// Something is heard of a connection.
    pub fn on_pipe(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, news: PipeNews) -> Vec<News> {
        let Some(wire) = self.wires.get_mut(&pipe) else { return Vec::new() };
        match news {
            PipeNews::Opened(local) => {
                wire.local = local;
                if wire.relay.is_some() {
                    self.ask(ctx, pipe, 0);
                    return Vec::new();
                }
                wire.stand = Stand::Ready;
                vec![News::Open]
            }
            PipeNews::Closed(why) => self.gone(ctx, pipe, why),
            PipeNews::Bytes(bytes) => {
                wire.framer.push(&bytes);
                self.frames(ctx, pipe)
            }
        }
    }

    fn frames(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId) -> Vec<News> {
        let mut out = Vec::new();
        while let Some(next) = self.wires.get_mut(&pipe).and_then(|w| w.framer.next()) {
            match next {
                Ok(framed) => {
                    if worth_telling(&framed.frame) {
                        ctx.note(format!("< {}", framed.frame));
                    }
                    if self.is_answer_to_auth(pipe, &framed.frame) {
                        out.extend(self.answered(ctx, pipe, &framed.frame));
                    } else {
                        out.push(News::Frame(pipe, Box::new(framed)));
                    }
                }
                Err(fault) => {
                    ctx.pipe(pipe, PipeAsk::Close);
                    out.extend(self.gone(ctx, pipe, fault.to_string()));
                }
            }
        }
        out
    }

    fn is_answer_to_auth(&self, pipe: PipeId, frame: &Frame) -> bool {
        let stand = self.wires.get(&pipe).map(|w| &w.stand);
        matches!((&frame.kind, stand), (Kind::Response(..), Some(Stand::Asking { tid, .. })) if *tid == frame.tid)
    }

    fn gone(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, why: String) -> Vec<News> {
        let Some(wire) = self.wires.remove(&pipe) else { return Vec::new() };
        ctx.note(format!("a connection for sessions is gone: {why}"));
        let mut out = vec![News::Gone(pipe, why.clone())];
        if wire.relay.is_some() {
            // One that worked is asked again as soon as it is needed.
            self.absent = wire.path.is_empty().then(|| (ctx.now + RELAY_AGAIN, why));
            out.push(News::Relay);
        }
        out
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, tries: u32) {
        let Some(wire) = self.wires.get_mut(&pipe) else { return };
        let Some(relay) = wire.relay.clone() else { return };
        let Some(own) = MsrpUri::new(relay.tls(), &wire.local, &ctx.rng.hex(20)) else { return };
        let mut frame = Frame::request(Method::Auth, ctx.rng, vec![relay.clone()], vec![own]);
        for (name, value) in self.digest.credentials("AUTH", relay.as_str(), ctx.rng) {
            frame = frame.with(name.as_str(), value);
        }
        wire.stand = Stand::Asking { tid: frame.tid.clone(), tries, until: ctx.now + RELAY_WAIT };
        self.send(ctx, pipe, &frame);
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, frame: &Frame) -> Vec<News> {
        let Some(wire) = self.wires.get_mut(&pipe) else { return Vec::new() };
        let Stand::Asking { tries, .. } = wire.stand else { return Vec::new() };
        let Kind::Response(code, words) = &frame.kind else { return Vec::new() };
        match code {
            200 => {
                self.digest.accepted();
                let Some(path) = frame.header("Use-Path").and_then(uri::path) else {
                    return self.refused(ctx, pipe, "the relay named no path".into());
                };
                let expires = frame.header("Expires").and_then(|e| e.trim().parse().ok()).unwrap_or(RELAY_EXPIRES);
                wire.refresh_at = Some(ctx.now + std::time::Duration::from_secs(expires.clamp(10, 86_400)) * 4 / 5);
                (wire.path, wire.stand) = (path, Stand::Ready);
                vec![News::Relay]
            }
            401 if tries < 2 && self.challenged(frame) => {
                self.ask(ctx, pipe, tries + 1);
                Vec::new()
            }
            401 | 403 => self.refused(ctx, pipe, "the relay does not take your password".into()),
            code => {
                let words = words.trim().to_owned();
                self.refused(ctx, pipe, format!("the relay answered {code} {words}").trim_end().to_owned())
            }
        }
    }

    fn challenged(&mut self, frame: &Frame) -> bool {
        let mut challenge = Response::new(401);
        for (_, value) in frame.headers.iter().filter(|h| h.0.eq_ignore_ascii_case("WWW-Authenticate")) {
            challenge.headers.push(Name::WwwAuthenticate, value);
        }
        self.digest.challenged(&challenge).is_ok()
    }

    fn refused(&mut self, ctx: &mut Ctx<'_>, pipe: PipeId, why: String) -> Vec<News> {
        ctx.pipe(pipe, PipeAsk::Close);
        self.gone(ctx, pipe, why)
    }

    /// Asks the relay again before its path ends, gives up what does not answer, closes what nobody uses.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, used: &dyn Fn(PipeId) -> bool) -> Vec<News> {
        let mut out = Vec::new();
        let all: Vec<PipeId> = self.wires.keys().copied().collect();
        for pipe in all {
            let Some(wire) = self.wires.get_mut(&pipe) else { continue };
            wire.idle_since = if used(pipe) { None } else { wire.idle_since.or(Some(ctx.now)) };
            let late = match wire.stand {
                Stand::Opening => wire.opened_by <= ctx.now,
                Stand::Asking { until, .. } => until <= ctx.now,
                Stand::Ready => false,
            };
            if late {
                out.extend(self.refused(ctx, pipe, "it does not answer".into()));
            } else if wire.idle_since.is_some_and(|t| t + RELAY_IDLE <= ctx.now) {
                self.wires.remove(&pipe);
                ctx.pipe(pipe, PipeAsk::Close);
            } else if wire.refresh_at.is_some_and(|t| t <= ctx.now) {
                wire.refresh_at = None;
                self.ask(ctx, pipe, 0);
            }
        }
        out
    }

    /// When [`Wires::on_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let each = |w: &Wire| {
            let wait = match w.stand {
                Stand::Opening => Some(w.opened_by),
                Stand::Asking { until, .. } => Some(until),
                Stand::Ready => None,
            };
            [wait, w.refresh_at, w.idle_since.map(|t| t + RELAY_IDLE)].into_iter().flatten().min()
        };
        self.wires.values().filter_map(each).min()
    }
}

impl Wire {
    fn new(relay: Option<MsrpUri>, now: Time) -> Wire {
        Wire {
            relay,
            framer: Framer::default(),
            stand: Stand::Opening,
            local: String::new(),
            path: Vec::new(),
            refresh_at: None,
            idle_since: Some(now),
            opened_by: now + crate::endpoint::limits::CONNECT_WAIT,
        }
    }
}

/// The chunks in the middle of a long message, and their answers, would hide everything else.
fn worth_telling(frame: &Frame) -> bool {
    match &frame.kind {
        Kind::Request(Method::Send) => frame.flag != Flag::More || frame.range().is_none_or(|r| r.start == 1),
        Kind::Request(Method::Report) => frame.range().is_none_or(|r| r.end == r.total),
        Kind::Request(_) => true,
        Kind::Response(code, _) => *code != 200 || frame.header("Use-Path").is_some(),
    }
}

/// A name for a session of ours that nobody guesses (RFC 4975 §14.1: at least 80 bits).
pub(super) fn session_name(rng: &mut Rng) -> String {
    rng.hex(24)
}
