//! The INVITE dialogs of sessions: offers, answers, goodbyes.

use super::{End, Heard, Lasting, Purpose, Stage, Talk, TalkId, Talks, host_of, request, why};
use crate::domain::Address;
use crate::endpoint::limits::MAX_FILE;
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::endpoint::simple::lasting::{longer, too_short};
use crate::msrp::sdp::{self, Description, Direction, Line, Media};
use crate::sip::multipart::is_type;
use crate::sip::{Dialog, DialogId, Method, Name, Request, Response, ServerTx, Uri};

/// Cancelled or answered INVITEs for which something may still come.
const LATE: usize = 64;

impl Talks {
    /// Sends our INVITE, by the relay or as the one who will connect.
    pub(super) fn invite(&mut self, ctx: &mut Ctx<'_>, id: TalkId, way: Option<super::Way>) {
        let secure = ctx.me.transport == crate::sip::Transport::Tls;
        let Some(ours) = self.ours(ctx, id, way.as_ref(), secure) else {
            return self.finish(ctx, id, End::NoWay("the own address is malformed".into()));
        };
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let lines = vec![Line::Message(Box::new(ours.clone()))];
        let body = Description { lines }.write(host_of(&ctx.me.sent_by), talk.number, 1);
        let mut r = request::request(ctx, Method::Invite, &Uri::from(&talk.with));
        r.headers.push(Name::Accept, sdp::CONTENT_TYPE);
        talk.offer.put(&mut r.headers);
        let r = r.with_body(sdp::CONTENT_TYPE, body.clone());
        let token = ctx.send(r.clone());
        (talk.ours, talk.offered, talk.pipe, talk.said) = (Some(ours), true, way.map(|w| w.pipe), body);
        talk.stage = Stage::Inviting { token, request: Box::new(r) };
    }

    /// A reply; false when it is to something else.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        if let Some(id) = self.talks.iter().find(|t| t.1.lasting.awaits(token)).map(|t| *t.0) {
            self.on_refreshed(ctx, id, token, reply);
            return true;
        }
        let mine = |t: &Talk| matches!(t.stage, Stage::Inviting { token: t, .. } if t == token);
        let Some(id) = self.talks.iter().find(|t| mine(t.1)).map(|t| *t.0) else { return self.on_late(ctx, token, reply) };
        match reply {
            Reply::Response(r) if !r.is_final() => {}
            Reply::Response(r) if r.is_success() => self.accepted(ctx, id, r),
            Reply::Response(r) if self.invite_longer(ctx, id, r) => {}
            Reply::Response(r) => self.drop(ctx, id, End::Refused(r.status)),
            Reply::Timeout => self.drop(ctx, id, End::Refused(408)),
            Reply::LinkLost => self.drop(ctx, id, End::Lost("the connection to the server broke".into())),
        }
        true
    }

    /// The other side, or a proxy, wants to be asked for a longer time.
    fn invite_longer(&mut self, ctx: &mut Ctx<'_>, id: TalkId, response: &Response) -> bool {
        let Some(talk) = self.talks.get_mut(&id) else { return false };
        let Stage::Inviting { request, .. } = &talk.stage else { return false };
        let Some(again) = longer(ctx, &mut talk.offer, request, response) else { return false };
        let token = ctx.send(again.clone());
        talk.stage = Stage::Inviting { token, request: Box::new(again) };
        true
    }

    fn on_refreshed(&mut self, ctx: &mut Ctx<'_>, id: TalkId, token: Token, reply: &Reply) {
        let Some(Talk { lasting, dialog: Some(dialog), said, .. }) = self.talks.get_mut(&id) else { return };
        if let Some(ended) = lasting.on_reply(ctx, dialog, said, token, reply) {
            self.finish(ctx, id, End::Lost(why(ended).into()));
        }
    }

    fn accepted(&mut self, ctx: &mut Ctx<'_>, id: TalkId, response: &Response) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let Stage::Inviting { token, request } = &talk.stage else { return };
        let (token, request) = (*token, request.as_ref().clone());
        let Some(mut dialog) = dialog_of(&request, response) else { return self.drop(ctx, id, End::Refused(500)) };
        acknowledge(ctx, &dialog, response);
        self.note_late(token, request);
        let answer = Description::parse(&response.body).ok();
        let theirs = answer.as_ref().and_then(Description::message).map(|m| m.1.clone());
        let Some(talk) = self.talks.get_mut(&id) else { return };
        let Some(theirs) = theirs.filter(|t| fits(&talk.purpose, t)) else {
            goodbye(ctx, &mut dialog);
            return self.drop(ctx, id, End::Refused(488));
        };
        talk.dialog = Some(dialog);
        talk.lasting = Lasting::agreed(ctx.now, &talk.offer, response);
        let way = match (talk.pipe, self.wires.relay(ctx)) {
            (Some(pipe), super::Relay::Ready(way)) if way.pipe == pipe => Some(way),
            (None, _) => None,
            _ => return self.finish(ctx, id, End::Lost("the relay is gone".into())),
        };
        self.connect(ctx, id, way.as_ref(), &theirs);
    }

    /// Something came for an INVITE that is settled: another device has answered, or the answer comes again.
    fn on_late(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        let Some(at) = self.late.iter().position(|l| l.0 == token) else { return false };
        let Reply::Response(response) = reply else { return true };
        if !response.is_success() {
            return true;
        }
        let Some(mut dialog) = dialog_of(&self.late[at].1, response) else { return true };
        acknowledge(ctx, &dialog, response);
        let known = self.talks.values().filter_map(|t| t.dialog.as_ref()).any(|d| d.id() == dialog.id());
        if !known {
            goodbye(ctx, &mut dialog);
        }
        true
    }

    fn note_late(&mut self, token: Token, request: Request) {
        self.late.push_back((token, request));
        self.late.drain(..self.late.len().saturating_sub(LATE));
    }

    /// Takes a request of a session's dialog, or an INVITE that offers one; gives back what is neither.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Option<Request> {
        let dialog = DialogId::of_request(&request);
        let of = |t: &Talk| t.dialog.as_ref().is_some_and(|d| *d.id() == dialog);
        let Some(id) = self.talks.iter().find(|t| of(t.1)).map(|t| *t.0) else {
            let fresh = request.method == Method::Invite && request.headers.to().is_some_and(|t| t.tag().is_none());
            return if fresh { self.invited(ctx, tx, request) } else { Some(request) };
        };
        if let Some(d) = self.talks.get_mut(&id).and_then(|t| t.dialog.as_mut()) {
            let _ = d.receive(&request);
        }
        let tx = tx?;
        match request.method {
            Method::Bye => {
                ctx.respond(tx, request.response(200, ""));
                self.drop(ctx, id, End::Theirs);
            }
            Method::Invite | Method::Update => self.again(ctx, id, tx, &request),
            _ => return Some(request),
        }
        None
    }

    /// The other side refreshes the session: nothing of it changes.
    fn again(&mut self, ctx: &mut Ctx<'_>, id: TalkId, tx: ServerTx, request: &Request) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        if let Err(refusal) = talk.lasting.asked(ctx, request) {
            return ctx.respond(tx, refusal);
        }
        let mut response = request.response(200, "").with(Name::Contact, format!("<{}>", ctx.me.contact));
        response.headers.push(Name::Allow, request::ALLOW);
        talk.lasting.put(&mut response);
        let offer = Description::parse(&request.body).ok().and_then(|d| d.message().map(|m| m.0).map(|at| (d, at)));
        if let (Some(ours), false) = (&talk.ours, request.body.is_empty() && request.method == Method::Update) {
            let description = match offer {
                Some((offer, at)) => offer.answer(at, ours.clone()),
                None => Description { lines: vec![Line::Message(Box::new(ours.clone()))] },
            };
            talk.said = description.write(host_of(&ctx.me.sent_by), talk.number, 1);
            response = response.with_body(sdp::CONTENT_TYPE, talk.said.clone());
        }
        ctx.respond(tx, response);
    }

    fn invited(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Option<Request> {
        let media = request.headers.get(&Name::ContentType).unwrap_or("");
        if !is_type(media, sdp::CONTENT_TYPE) {
            return Some(request);
        }
        let (Some(tx), Ok(offer)) = (tx, Description::parse(&request.body)) else { return Some(request) };
        let Some((at, theirs)) = offer.message() else { return Some(request) };
        let from = request.headers.from().and_then(|f| Address::parse(&f.uri.to_string()).ok());
        let Some(from) = from else { return Some(request) };
        let purpose = match (&theirs.file, theirs.direction) {
            (Some(file), Direction::SendOnly | Direction::Both) => Purpose::Receive(file.clone()),
            (Some(_), _) => return self.turn_away(ctx, tx, &request, 488, "files are not fetched from here"),
            (None, _) => Purpose::Chat,
        };
        if !ctx.me.talks {
            return self.turn_away(ctx, tx, &request, 480, "");
        }
        let tag = ctx.rng.hex(16);
        if let Some(refusal) = too_short(ctx.now, &request, &tag) {
            ctx.respond(tx, refusal);
            return None;
        }
        if let Purpose::Receive(file) = &purpose {
            if file.size.is_none_or(|s| s > MAX_FILE) || file.range.is_some_and(|r| r.0 > 1) {
                return self.turn_away(ctx, tx, &request, 488, "the size of the file is missing or too large");
            }
        } else if !(theirs.takes("text/plain") || theirs.takes_wrapped("text/plain")) {
            return self.turn_away(ctx, tx, &request, 488, "only text can be talked about");
        }
        let rings = match &purpose {
            Purpose::Receive(file) => Some(file.clone()),
            _ => None,
        };
        let boxed = Box::new(request);
        let stage = match &rings {
            Some(_) => Stage::Ringing { tx, request: boxed.clone(), offer, at },
            None => Stage::Answering { tx, request: boxed.clone(), offer, at },
        };
        let Some(id) = self.add(ctx, from.clone(), purpose, stage) else {
            return self.turn_away(ctx, tx, &boxed, 486, "too many sessions are open");
        };
        match rings {
            Some(file) => {
                let tag = self.talks.get(&id).map(|t| t.tag.clone()).unwrap_or_default();
                let ringing = boxed.response(180, &tag).with(Name::Contact, format!("<{}>", ctx.me.contact));
                ctx.respond(tx, record_routed(ringing, &boxed));
                self.heard.push_back(Heard::Offered(id, from, file));
            }
            None => self.advance(ctx, id),
        }
        None
    }

    fn turn_away(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, request: &Request, status: u16, why: &str) -> Option<Request> {
        let mut response = request.response(status, &ctx.rng.hex(16));
        if !why.is_empty() {
            response.headers.push(Name::Warning, format!("399 adsum \"{why}\""));
        }
        ctx.respond(tx, response);
        None
    }

    /// The offered file is wanted.
    pub fn accept(&mut self, ctx: &mut Ctx<'_>, id: TalkId) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        talk.stage = match std::mem::replace(&mut talk.stage, Stage::Preparing) {
            Stage::Ringing { tx, request, offer, at } => Stage::Answering { tx, request, offer, at },
            other => other,
        };
        self.advance(ctx, id);
    }

    /// Answers their offer, by the relay or as the one who will connect.
    pub(super) fn answer(&mut self, ctx: &mut Ctx<'_>, id: TalkId, way: Option<super::Way>) {
        let Some(talk) = self.talks.get(&id) else { return };
        let Stage::Answering { tx, request, offer, at } = &talk.stage else { return };
        let (tx, request, offer, at) = (*tx, request.clone(), offer.clone(), *at);
        let Some(theirs) = offer.message().map(|m| m.1.clone()) else { return };
        let Some(ours) = self.ours(ctx, id, way.as_ref(), theirs.tls) else { return self.refuse(ctx, id, 488, "") };
        let Some(talk) = self.talks.get_mut(&id) else { return };
        // What was offered over TLS is answered so, whatever leads to our relay.
        let said = Media { tls: theirs.tls, ..ours.clone() };
        let body = offer.answer(at, said).write(host_of(&ctx.me.sent_by), talk.number, 1);
        let response = request.response(200, &talk.tag).with(Name::Contact, format!("<{}>", ctx.me.contact));
        let mut response =
            record_routed(response, &request).with(Name::Allow, request::ALLOW).with_body(sdp::CONTENT_TYPE, body.clone());
        talk.lasting = Lasting::accepting(ctx.now, &request);
        talk.lasting.put(&mut response);
        talk.dialog = Dialog::uas(&request, &response);
        (talk.ours, talk.said) = (Some(ours), body);
        ctx.respond(tx, response);
        self.connect(ctx, id, way.as_ref(), &theirs);
    }

    /// Refuses their offer.
    pub fn refuse(&mut self, ctx: &mut Ctx<'_>, id: TalkId, status: u16, why: &str) {
        if let Some(talk) = self.talks.get(&id)
            && let Stage::Ringing { tx, request, .. } | Stage::Answering { tx, request, .. } = &talk.stage
        {
            let mut response = request.response(status, &talk.tag);
            if !why.is_empty() {
                response.headers.push(Name::Warning, format!("399 adsum \"{}\"", why.replace(['"', '\\'], "'")));
            }
            ctx.respond(*tx, response);
        }
        self.drop(ctx, id, if status == 603 { End::Ours } else { End::NoWay(why.to_owned()) });
    }

    /// The INVITE of this transaction was cancelled.
    pub fn on_cancel(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx) -> bool {
        let of = |t: &Talk| matches!(&t.stage, Stage::Ringing { tx: t, .. } | Stage::Answering { tx: t, .. } if *t == tx);
        let Some(id) = self.talks.iter().find(|t| of(t.1)).map(|t| *t.0) else { return false };
        if let Some(Talk { stage: Stage::Ringing { request, .. } | Stage::Answering { request, .. }, tag, .. }) =
            self.talks.get(&id)
        {
            ctx.respond(tx, request.response(487, tag));
        }
        self.drop(ctx, id, End::Theirs);
        true
    }

    /// We end it.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, id: TalkId) {
        self.finish(ctx, id, End::Ours);
    }

    /// It is over, and the other side is told.
    pub(super) fn finish(&mut self, ctx: &mut Ctx<'_>, id: TalkId, end: End) {
        let Some(talk) = self.talks.get_mut(&id) else { return };
        match &mut talk.stage {
            Stage::Preparing => {}
            Stage::Inviting { token, request } => {
                ctx.cancel(*token);
                let late = (*token, request.as_ref().clone());
                self.note_late(late.0, late.1);
            }
            Stage::Ringing { tx, request, .. } | Stage::Answering { tx, request, .. } => {
                let status = if end == End::Ours { 603 } else { 480 };
                ctx.respond(*tx, request.response(status, &talk.tag));
            }
            Stage::Up => {
                if let Some(dialog) = &mut talk.dialog {
                    goodbye(ctx, dialog);
                }
            }
        }
        self.drop(ctx, id, end);
    }

    /// It is over; nobody needs to be told.
    pub(super) fn drop(&mut self, ctx: &mut Ctx<'_>, id: TalkId, end: End) {
        let Some(talk) = self.talks.remove(&id) else { return };
        if let Some(pipe) = talk.pipe {
            self.wires.close(ctx, pipe);
        }
        self.heard.push_back(Heard::Over(id, talk.with, end));
    }
}

/// Whether an answer is one to this wish.
fn fits(purpose: &Purpose, theirs: &Media) -> bool {
    match purpose {
        Purpose::Chat => theirs.takes("text/plain") || theirs.takes_wrapped("text/plain"),
        Purpose::Send(_) => !matches!(theirs.direction, Direction::SendOnly | Direction::Inactive),
        Purpose::Receive(_) => true,
    }
}

/// The dialog of a 2xx. The request may have left with another number since, for its credentials.
fn dialog_of(request: &Request, response: &Response) -> Option<Dialog> {
    let mut dialog = Dialog::uac(request, response)?;
    dialog.skip_local_cseq(response.headers.cseq()?.number);
    Some(dialog)
}

fn acknowledge(ctx: &mut Ctx<'_>, dialog: &Dialog, response: &Response) {
    let via = request::via(ctx);
    let cseq = response.headers.cseq().map_or(1, |c| c.number);
    let ack = dialog.ack(cseq, via).with(Name::UserAgent, ctx.me.user_agent.as_str());
    ctx.send_stateless(ack);
}

fn goodbye(ctx: &mut Ctx<'_>, dialog: &mut Dialog) {
    let via = request::via(ctx);
    let bye = dialog.request(Method::Bye, via).with(Name::UserAgent, ctx.me.user_agent.as_str());
    ctx.send(bye);
}

/// Proxies that want to stay on the way are named in the answer (RFC 3261 §12.1.1).
fn record_routed(mut response: Response, request: &Request) -> Response {
    for route in request.headers.all(&Name::RecordRoute) {
        response.headers.push(Name::RecordRoute, route);
    }
    response
}
