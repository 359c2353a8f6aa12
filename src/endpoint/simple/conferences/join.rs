//! Coming in: INVITE to the focus, wherever it sends us, until the roster is here (RFC 4579 5.1 to 5.5).

use super::meeting::{Meeting, Stage, in_dialog};
use super::room::{Room, may_go_without};
use super::{BAD_FACTORY, failure, media, part};
use crate::domain::Address;
use crate::endpoint::limits::{EVENT_NOTIFY_WAIT, INVITE_WAIT, JOIN_RETRY, MAX_REDIRECTS, ROSTER_WAIT};
use crate::endpoint::service::{Ctx, InternalEvent, Reply};
use crate::endpoint::simple::event::{Package, Subscription};
use crate::endpoint::simple::lasting::{Lasting, longer};
use crate::endpoint::simple::request;
use crate::endpoint::{Error, Event, Feature, Outcome};
use crate::simple::{conference, refer};
use crate::sip::multipart::{self, Part};
use crate::sip::session_timer::Offer;
use crate::sip::{Dialog, DialogId, Method, Name, Request, Response, Uri};
use std::time::Duration;

const PACKAGE: Package = Package { event: conference::EVENT, accept: conference::CONTENT_TYPE, list: false };

/// How we try to come in.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Who is asked next.
    pub target: Uri,
    /// Who was asked before and sent us on.
    visited: Vec<Uri>,
    tries: usize,
    /// People the factory is to invite itself.
    pub list: Vec<Address>,
    /// Nothing is offered for words.
    bare: bool,
    /// The call that this one takes the place of.
    pub replaces: Option<DialogId>,
    /// How long the call is to last without a word.
    offer: Offer,
}

impl Attempt {
    /// The first one.
    pub fn at(target: Uri) -> Attempt {
        Attempt { target, visited: Vec::new(), tries: 0, list: Vec::new(), bare: false, replaces: None, offer: Offer::default() }
    }

    /// Goes where we are sent; false when we have been there, or were sent on too often.
    fn follow(&mut self, to: Uri) -> bool {
        let from = std::mem::replace(&mut self.target, to);
        self.visited.push(from);
        !self.visited.contains(&self.target) && u32::try_from(self.visited.len()).is_ok_and(|n| n <= MAX_REDIRECTS)
    }
}

impl Meeting {
    /// Asks the focus.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>) {
        if !ctx.online {
            self.stage = Stage::Lost { was: None };
            return;
        }
        let target = self.attempt.target.clone();
        let mut r = request::request(ctx, Method::Invite, &target);
        if !self.subject.is_empty() {
            r.headers.push(Name::Subject, self.subject.as_str());
        }
        r.headers.push(Name::Supported, "replaces").push(Name::AllowEvents, "conference, refer");
        self.attempt.offer.put(&mut r.headers);
        if let Some(from) = &self.from {
            r.headers.push(Name::ReferredBy, format!("<{from}>"));
        }
        if let Some(old) = &self.attempt.replaces {
            // The tags as the focus sees them (RFC 3891 3).
            let value = format!("{};to-tag={};from-tag={}", old.call_id, old.remote_tag, old.local_tag);
            r.headers.push("Replaces", value);
        }
        self.room_gone = false;
        self.room = if self.attempt.bare { None } else { Room::new(ctx) };
        let mut said = media::Said::new(ctx);
        let sdp = said.say(|number, version| match &self.room {
            Some(room) => room.offer(ctx, number, version),
            None => media::offer(ctx, number, version),
        });
        self.said = Some(said);
        let r = if self.attempt.list.is_empty() { r.with_body(media::SDP, sdp) } else { self.with_list(ctx, r, sdp) };
        let token = ctx.send(r.clone());
        self.stage = Stage::Asking { token, request: Box::new(r), until: ctx.now + INVITE_WAIT };
    }

    /// With the people whom the factory is to invite (RFC 5366).
    fn with_list(&self, ctx: &mut Ctx<'_>, mut r: Request, sdp: Vec<u8>) -> Request {
        r.headers.push(Name::Require, refer::LIST_INVITE);
        let mut list = Part::new(crate::simple::resource_lists::CONTENT_TYPE, refer::recipients(&self.attempt.list));
        list.headers.push(("Content-Disposition".into(), refer::RECIPIENT_LIST.into()));
        let parts = [Part::new(media::SDP, sdp), list];
        let boundary = multipart::boundary(&ctx.rng.hex(12), &parts);
        r.with_body(&format!("multipart/mixed;boundary=\"{boundary}\""), multipart::build(&boundary, &parts))
    }

    /// What the focus says to our INVITE.
    pub fn asked(&mut self, ctx: &mut Ctx<'_>, reply: &Reply) {
        let response = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) => r,
            Reply::Timeout => return self.refused(ctx, failure::error(failure::SILENCE, None)),
            Reply::LinkLost => {
                self.stage = Stage::Lost { was: self.attempt.replaces.take() };
                return;
            }
        };
        match response.status {
            200..=299 => self.enter(ctx, response),
            300..=399 => self.redirected(ctx, response),
            // A focus without lists: the people are asked one by one.
            420 if !self.attempt.list.is_empty() => {
                let people = std::mem::take(&mut self.attempt.list);
                self.guests.extend(people.into_iter().map(|p| (p, None)));
                self.ask(ctx);
            }
            422 if self.ask_longer(ctx, response) => {}
            // No room for messages there: the call alone.
            _ if may_go_without(response) && !std::mem::replace(&mut self.attempt.bare, true) => self.ask(ctx),
            // Our old call is unknown there, or cannot be replaced.
            400 | 420 | 481 | 501 if self.attempt.replaces.take().is_some() => self.ask(ctx),
            500 | 503 | 504 => self.try_later(ctx, response),
            _ => self.refused(ctx, failure::joining(response)),
        }
    }

    /// The focus, or a proxy, wants to be asked for a longer time.
    fn ask_longer(&mut self, ctx: &mut Ctx<'_>, response: &Response) -> bool {
        let Stage::Asking { request, .. } = &self.stage else { return false };
        let Some(again) = longer(ctx, &mut self.attempt.offer, request, response) else { return false };
        let token = ctx.send(again.clone());
        self.stage = Stage::Asking { token, request: Box::new(again), until: ctx.now + INVITE_WAIT };
        true
    }

    fn redirected(&mut self, ctx: &mut Ctx<'_>, response: &Response) {
        let to = response.headers.contact().map(|c| c.uri).filter(|u| is_sip(u) && !u.has_headers());
        let Some(to) = to else { return self.refused(ctx, failure::joining(response)) };
        if !self.attempt.follow(to) {
            return self.refused(ctx, failure::error(failure::CIRCLE, Some(response.status)));
        }
        if self.made {
            // A factory may name the new conference so (RFC 4579 5.4).
            self.name = self.attempt.target.clone();
        }
        self.ask(ctx);
    }

    fn try_later(&mut self, ctx: &mut Ctx<'_>, response: &Response) {
        let wait = request::retry_after(response);
        match JOIN_RETRY.get(self.attempt.tries) {
            Some(usual) if wait <= JOIN_RETRY.last().copied().unwrap_or(Duration::ZERO) => {
                self.attempt.tries += 1;
                self.stage = Stage::Waiting { at: ctx.now + wait.max(*usual) };
            }
            _ => self.refused(ctx, failure::joining(response)),
        }
    }

    /// We do not get in.
    fn refused(&mut self, ctx: &mut Ctx<'_>, error: Error) {
        if self.made && !self.settled && matches!(error.status, Some(404 | 405 | 410 | 501 | 604)) {
            ctx.emit(Event::Missing { what: Feature::GroupChats, why: Some(BAD_FACTORY.into()) });
        }
        let text = error.text.clone();
        self.fail(ctx, error, Some(text));
    }

    /// The focus has let us in.
    fn enter(&mut self, ctx: &mut Ctx<'_>, response: &Response) {
        let Stage::Asking { request, .. } = &self.stage else { return };
        if !refer::is_focus(&response.headers) {
            part(ctx, request, response);
            return self.refused(ctx, failure::error(failure::NO_FOCUS, None));
        }
        let Some(mut dialog) = Dialog::uac(request, response) else {
            return self.refused(ctx, failure::error("the meeting's server answered with something unreadable", None));
        };
        acknowledge(ctx, &mut dialog, response);
        self.lasting = Lasting::agreed(ctx.now, &self.attempt.offer, response);
        if self.made
            && self.subscription.is_none()
            && let Some(name) = refer::conference_uri(&response.headers)
        {
            self.name = name;
        }
        let media = response.headers.get(&Name::ContentType).unwrap_or("");
        if !self.room.as_mut().is_some_and(|r| r.answered(ctx, media, &response.body)) {
            self.room = None;
        }
        self.words.allowed = response.headers.get(&Name::Allow).is_none() || response.headers.has_token(&Name::Allow, "MESSAGE");
        self.stand(ctx, dialog);
    }

    /// The call with the focus stands.
    pub fn stand(&mut self, ctx: &mut Ctx<'_>, dialog: Dialog) {
        self.stage = Stage::In(Box::new(dialog));
        self.attempt = Attempt::at(self.name.clone());
        self.roster.renew();
        self.settle_by = Some(ctx.now + ROSTER_WAIT);
        let name = &self.name;
        let subscription = self.subscription.get_or_insert_with(|| Subscription::at(PACKAGE, name.clone()));
        subscription.reset();
        subscription.on_timeout(ctx);
        self.tell_sender(ctx, 200);
        if std::mem::take(&mut self.silent) {
            ctx.tell(InternalEvent::Moved(self.id.clone()));
        }
        for (who, op) in std::mem::take(&mut self.guests) {
            self.bring(ctx, &who, op);
        }
    }

    /// The roster is here, or does not come: whoever waits for being in has waited enough.
    pub fn arrived(&mut self) {
        self.settle_by = None;
        self.settled = true;
        for op in std::mem::take(&mut self.joins) {
            self.complete(Some(op), Ok(Outcome::Done));
        }
    }

    /// A further 2xx to the INVITE that brought us in: the same again, or another place that took the call.
    pub fn answered_again(&mut self, ctx: &mut Ctx<'_>, invite: &Request, response: &Response) {
        match &mut self.stage {
            Stage::In(dialog) if dialog.id().remote_tag == DialogId::of_response(response).remote_tag => {
                acknowledge(ctx, dialog, response);
            }
            _ => part(ctx, invite, response),
        }
    }

    /// The link is back: in again, in the place of the call that died with it.
    pub fn rejoin(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Lost { was } = &mut self.stage {
            self.attempt.replaces = was.take();
            self.ask(ctx);
        }
    }

    /// The link is gone, and the calls with it.
    pub fn link_lost(&mut self, ctx: &mut Ctx<'_>) {
        self.unacknowledged = None;
        self.lasting = Lasting::default();
        self.report = None;
        self.close_room(ctx, super::stay::BROKEN);
        self.words.link_lost(ctx, &self.id);
        if let Some(s) = &mut self.subscription {
            s.reset();
        }
        for r in std::mem::take(&mut self.referrals) {
            self.complete(r.op, Err(failure::error(failure::LOST, None)));
        }
        match std::mem::replace(&mut self.stage, Stage::Over(None)) {
            Stage::In(dialog) => self.stage = Stage::Lost { was: Some(dialog.id().clone()) },
            Stage::Asking { .. } | Stage::Waiting { .. } => self.stage = Stage::Lost { was: self.attempt.replaces.take() },
            Stage::Called { .. } | Stage::Sent { .. } => {
                self.missed(ctx);
                self.stage = Stage::Over(Some("the invitation was lost with the connection".into()));
            }
            other => self.stage = other,
        }
    }

    /// Leaves, or stops trying to come in; `op` ends with that.
    pub fn leave(&mut self, ctx: &mut Ctx<'_>, op: Option<crate::endpoint::OperationId>) {
        if let Some(mut s) = self.subscription.take() {
            s.unsubscribe(ctx);
        }
        match std::mem::replace(&mut self.stage, Stage::Over(None)) {
            Stage::In(mut dialog) if ctx.online => {
                let bye = in_dialog(ctx, &mut dialog, Method::Bye);
                ctx.send(bye);
            }
            Stage::Asking { token, request, .. } => {
                ctx.cancel(token);
                self.abandoned = Some((token, *request));
            }
            Stage::Called { tx, request, .. } => self.refuse_call(ctx, tx, &request, 480),
            _ => {}
        }
        self.end(ctx, None);
        self.complete(op, Ok(Outcome::Done));
    }

    /// Nobody asked any more answers.
    pub fn give_up_asking(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Asking { token, request, .. } = std::mem::replace(&mut self.stage, Stage::Over(None)) {
            ctx.cancel(token);
            self.abandoned = Some((token, *request));
        }
        self.refused(ctx, failure::error(failure::SILENCE, None));
    }
}

/// The ACK of a 2xx; further requests count from the number that was answered.
pub(super) fn acknowledge(ctx: &mut Ctx<'_>, dialog: &mut Dialog, response: &Response) {
    let number = response.headers.cseq().map_or(1, |c| c.number);
    dialog.skip_local_cseq(number);
    let via = request::via(ctx);
    let ack = dialog.ack(number, via);
    ctx.send_stateless(ack);
}

/// Whether we may be sent there without asking anybody.
fn is_sip(uri: &Uri) -> bool {
    ["sip", "sips"].iter().any(|s| uri.scheme().eq_ignore_ascii_case(s)) && uri.user().is_some()
}

/// A whole roster is not asked for more often than this.
pub(super) const WHOLE_AGAIN: Duration = Duration::from_secs(5);

const _: () = assert!(ROSTER_WAIT.as_secs() < EVENT_NOTIFY_WAIT.as_secs());
