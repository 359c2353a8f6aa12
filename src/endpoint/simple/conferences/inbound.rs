//! What comes from the network: calls of a focus, people who send us to one, everything within a conference.

use super::meeting::{Meeting, Stage, Unacknowledged};
use super::refer::Report;
use super::room::Room;
use super::{Conferences, media};
use crate::domain::Address;
use crate::domain::conversation::ConversationId;
use crate::endpoint::limits::{INVITE_WAIT, MAX_INVITATIONS, MAX_NAME};
use crate::endpoint::service::{Ctx, Handled};
use crate::endpoint::simple::lasting::{Lasting, too_short};
use crate::endpoint::simple::request::ALLOW;
use crate::endpoint::{Event, OperationId, Outcome};
use crate::msrp::sdp::Description;
use crate::simple::refer::{self, ReferTo};
use crate::sip::{Dialog, Method, Name, Params, Request, Response, ServerTx};
use std::time::Duration;

impl Conferences {
    pub(super) fn receive(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        if let Some(id) = self.find(|m| m.owns(&request)) {
            if request.method == Method::Refer {
                self.sent_on(ctx, tx, &request, true);
            } else {
                self.with(ctx, &id, |m, ctx| m.in_call(ctx, tx, &request));
            }
            return Handled::Yes;
        }
        let outside = request.headers.to().is_none_or(|t| t.tag().is_none());
        match request.method {
            Method::Notify => {
                let news = |m: &Meeting| m.subscription.as_ref().is_some_and(|s| s.owns(&request));
                if let Some(id) = self.find(news) {
                    self.with(ctx, &id, |m, ctx| m.notified(ctx, tx, &request));
                } else if let Some(id) = self.find(|m| m.owns_news(&request)) {
                    self.with(ctx, &id, |m, ctx| m.progress(ctx, tx, &request));
                } else {
                    return Handled::No(request);
                }
            }
            Method::Invite if outside && refer::is_focus(&request.headers) && tx.is_some() => self.called(ctx, tx, request),
            Method::Refer if outside => self.sent_on(ctx, tx, &request, false),
            // A focus that speaks outside of the call.
            Method::Message if outside => {
                let from = request.headers.from().and_then(|f| f.uri.address());
                let speaks = |m: &Meeting| matches!(m.stage, Stage::In(_)) && from.is_some() && m.name.address() == from;
                let Some(id) = self.find(speaks) else { return Handled::No(request) };
                self.with(ctx, &id, |m, ctx| m.hear(ctx, tx, &request));
            }
            _ => return Handled::No(request),
        }
        Handled::Yes
    }

    fn ringing(&self) -> usize {
        self.meetings.values().filter(|m| matches!(m.stage, Stage::Called { .. } | Stage::Sent { .. })).count()
    }

    /// A focus calls us into its conference.
    fn called(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) {
        let Some(tx) = tx else { return };
        let (name, caller) = (refer::conference_uri(&request.headers), request.headers.from().and_then(|f| f.uri.address()));
        let (Some(name), Some(caller)) = (name, caller) else { return answer(ctx, Some(tx), &request, 400) };
        if let Some(id) = self.find(|m| m.is_joined() && m.name == name) {
            // We asked to be called, or the focus repairs what broke: no need to ask.
            self.with(ctx, &id, |m, ctx| m.take_call(ctx, tx, &request));
            return;
        }
        if self.ringing() >= MAX_INVITATIONS
            || self.find(|m| matches!(&m.stage, Stage::Called { .. }) && m.name == name).is_some()
        {
            return answer(ctx, Some(tx), &request, 486);
        }
        if let Some(refusal) = too_short(ctx.now, &request, &ctx.rng.hex(16)) {
            return ctx.respond(tx, refusal);
        }
        let from = referred_by(&request).unwrap_or(caller);
        let ring = request.response(180, &ctx.rng.hex(16));
        // The answer that follows has the same tag.
        let tag = ring.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default();
        ctx.respond(tx, ring.with(Name::Contact, format!("<{}>", ctx.me.contact)));
        let stage = Stage::Called { tx, request: Box::new(request), until: ctx.now + INVITE_WAIT };
        let subject = subject(&stage);
        let id = ConversationId(ctx.rng.hex(32));
        let mut meeting = Meeting::new(id.clone(), name, &subject, stage);
        (meeting.from, meeting.tag) = (Some(from), tag);
        self.meetings.insert(id.clone(), meeting);
        self.settle(ctx, &id);
    }

    /// Somebody sends us to a conference. The user is asked, and only people on the list may ask.
    fn sent_on(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request, in_call: bool) {
        let from = request.headers.from().and_then(|f| f.uri.address());
        let Some(ReferTo { uri, bye: false }) = refer::refer_to(&request.headers) else {
            return answer(ctx, tx, request, if request.headers.get(&Name::ReferTo).is_some() { 603 } else { 400 });
        };
        let Some(from) = from.filter(|f| in_call || self.contacts.contains(f)) else {
            return answer(ctx, tx, request, 403);
        };
        if self.ringing() >= MAX_INVITATIONS {
            return answer(ctx, tx, request, 486);
        }
        let Some(tx) = tx else { return };
        let tag = ctx.rng.hex(16);
        let accepted = request.response(202, &tag).with(Name::Contact, format!("<{}>", ctx.me.contact));
        let quiet = in_call || request.headers.get(&Name::Other("Refer-Sub".into())).is_some_and(|v| v.trim() == "false");
        let accepted = if quiet { accepted.with("Refer-Sub", "false") } else { accepted };
        let report = Dialog::uas(request, &accepted).filter(|_| !quiet);
        let number = request.headers.cseq().map_or(1, |c| c.number);
        ctx.respond(tx, accepted);
        let known = self.find(|m| m.name == uri);
        let id = known.unwrap_or_else(|| ConversationId(ctx.rng.hex(32)));
        let until = ctx.now + INVITE_WAIT;
        let meeting = self.meetings.entry(id.clone()).or_insert_with(|| Meeting::new(id.clone(), uri, "", Stage::Sent { until }));
        if meeting.report.is_none() {
            meeting.report = report.map(|dialog| Report { dialog, number });
        }
        if let Stage::Sent { .. } = meeting.stage {
            meeting.from = referred_by(request).filter(|_| in_call).or(Some(from));
            if let Some(s) = request.headers.get(&Name::Subject) {
                meeting.subject = s.chars().take(MAX_NAME).collect();
            }
            meeting.tell_sender(ctx, 100);
        } else {
            meeting.tell_sender(ctx, if meeting.is_joined() { 200 } else { 100 });
        }
        self.settle(ctx, &id);
    }
}

impl Meeting {
    /// The user wants to come in.
    pub fn accept(&mut self, ctx: &mut Ctx<'_>, op: OperationId) {
        match std::mem::replace(&mut self.stage, Stage::Over(None)) {
            Stage::Called { tx, request, .. } => {
                self.take_call(ctx, tx, &request);
                self.joins.push(op);
            }
            Stage::Sent { .. } => {
                self.joins.push(op);
                self.ask(ctx);
            }
            other => {
                self.stage = other;
                self.complete(Some(op), Ok(Outcome::Done));
            }
        }
    }

    /// The user does not want to.
    pub fn decline(&mut self, ctx: &mut Ctx<'_>, op: OperationId) {
        if let Stage::Called { tx, request, .. } = std::mem::replace(&mut self.stage, Stage::Over(None)) {
            self.refuse_call(ctx, tx, &request, 603);
        }
        self.end(ctx, None);
        self.complete(Some(op), Ok(Outcome::Done));
    }

    /// Answers a call of the focus.
    pub fn refuse_call(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, request: &Request, status: u16) {
        let refusal = request.response(status, &self.tag);
        ctx.respond(tx, refusal);
    }

    /// The focus takes its call back.
    pub fn withdrawn(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Called { tx, request, .. } = std::mem::replace(&mut self.stage, Stage::Over(None)) {
            self.refuse_call(ctx, tx, &request, 487);
        }
        self.missed(ctx);
        self.end(ctx, Some("the invitation was withdrawn".into()));
    }

    /// Nobody answered here.
    pub fn missed(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(from) = self.from.clone() {
            let toast = if self.subject.is_empty() { "invited you to a meeting".to_owned() } else { self.subject.clone() };
            ctx.emit(Event::Missed { from, toast });
        }
    }

    /// Lets a call of the focus in: the first one, or one that takes the place of a broken one.
    pub fn take_call(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, request: &Request) {
        if self.tag.is_empty() {
            self.tag = ctx.rng.hex(16);
        }
        if let Some(refusal) = too_short(ctx.now, request, &self.tag) {
            return ctx.respond(tx, refusal);
        }
        self.close_room(ctx, super::stay::BROKEN);
        self.room = Room::new(ctx);
        let taken = self.room.as_mut().and_then(|r| r.answer(ctx, &request.body));
        if taken.is_none() {
            self.room = None;
        }
        (self.said, self.lasting) = (None, Lasting::accepting(ctx.now, request));
        let tag = self.tag.clone();
        let response = self.accepted(ctx, request, &tag, taken);
        let Some(dialog) = Dialog::uas(request, &response) else { return answer(ctx, Some(tx), request, 400) };
        self.respond_until_acknowledged(ctx, tx, response);
        let takes = request.headers.get(&Name::Allow).is_none() || request.headers.has_token(&Name::Allow, "MESSAGE");
        self.words.allowed = takes;
        self.stand(ctx, dialog);
    }

    /// The focus refreshes the call, or describes the session anew within it.
    pub fn asked_anew(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let Some(tx) = tx else { return };
        if let Err(refusal) = self.lasting.asked(ctx, request) {
            return ctx.respond(tx, refusal);
        }
        if request.method == Method::Update && request.body.is_empty() {
            let mut response = self.agreed(ctx, request, "");
            self.lasting.put(&mut response);
            return ctx.respond(tx, response);
        }
        let same = self.room.as_ref().is_some_and(|r| r.is_described(&request.body));
        let taken =
            if same { self.room.as_mut().and_then(|r| r.answer(ctx, &request.body)) } else { self.move_room(ctx, request) };
        let response = self.accepted(ctx, request, "", taken);
        if request.method == Method::Invite {
            self.respond_until_acknowledged(ctx, tx, response);
        } else {
            ctx.respond(tx, response);
        }
    }

    /// A room that describes itself anew is opened anew.
    fn move_room(&mut self, ctx: &mut Ctx<'_>, request: &Request) -> Option<Description> {
        let mut room = self.room.as_ref().and_then(|_| Room::new(ctx));
        let taken = room.as_mut().and_then(|r| r.answer(ctx, &request.body));
        if taken.is_some() {
            self.close_room(ctx, super::stay::BROKEN);
            self.room = room;
        }
        taken
    }

    /// The 200 to an INVITE, with what we say to its description.
    fn accepted(&mut self, ctx: &mut Ctx<'_>, request: &Request, tag: &str, taken: Option<Description>) -> Response {
        let said = self.said.get_or_insert_with(|| media::Said::new(ctx));
        let sdp = said.say(|number, version| match (&taken, &self.room) {
            (Some(taken), _) => taken.write(media::host_of(&ctx.me.sent_by), number, version),
            // It asks what we have.
            (None, Some(room)) if request.body.is_empty() => room.offer(ctx, number, version),
            (None, _) => media::answer(ctx, &request.body, number, version),
        });
        let mut response = self.agreed(ctx, request, tag);
        self.lasting.put(&mut response);
        response = response.with_body(media::SDP, sdp);
        response
    }

    fn agreed(&self, ctx: &Ctx<'_>, request: &Request, tag: &str) -> Response {
        let mut response = request.response(200, tag);
        for route in request.headers.all(&Name::RecordRoute) {
            response.headers.push(Name::RecordRoute, route);
        }
        response.headers.push(Name::Contact, format!("<{}>", ctx.me.contact)).push(Name::Allow, ALLOW);
        response
    }

    /// Datagrams get lost: a 2xx to an INVITE leaves again until its ACK comes.
    fn respond_until_acknowledged(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, response: Response) {
        ctx.respond(tx, response.clone());
        if !ctx.me.transport.is_reliable() {
            let wait = Duration::from_millis(500);
            self.unacknowledged = Some(Unacknowledged { tx, response, at: ctx.now + wait, wait });
        }
    }
}

fn subject(stage: &Stage) -> String {
    let Stage::Called { request, .. } = stage else { return String::new() };
    request.headers.get(&Name::Subject).unwrap_or("").chars().take(MAX_NAME).collect()
}

fn referred_by(request: &Request) -> Option<Address> {
    let value = request.headers.get(&Name::ReferredBy)?;
    crate::sip::NameAddr::parse(value)?.uri.address()
}

/// The words of a `Reason` header.
pub(super) fn reason(request: &Request) -> Option<String> {
    let params = Params::parse(request.headers.get(&Name::Reason)?);
    params.get("text").map(|t| t.chars().take(MAX_NAME).collect()).filter(|t: &String| !t.is_empty())
}

/// Answers without a body.
pub(super) fn answer(ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request, status: u16) {
    let Some(tx) = tx else { return };
    let tag = ctx.rng.hex(16);
    let response = request.response(status, &tag);
    ctx.respond(tx, response);
}
