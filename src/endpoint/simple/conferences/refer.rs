//! Bringing people in and taking them out by REFER, and what becomes of it (RFC 4579 5.5 to 5.12, RFC 3515); telling
//! whoever sent us here how our own coming went.

use super::inbound::answer;
use super::meeting::{Meeting, Stage, in_dialog};
use super::{failure, roster};
use crate::domain::conversation::{InvitationState, Invitee};
use crate::domain::{Address, Time};
use crate::endpoint::limits::{INVITE_WAIT, MAX_ASKED, REFER_WAIT};
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::endpoint::simple::request;
use crate::endpoint::{ErrorKind, OperationId, Outcome};
use crate::simple::refer::{self, SIPFRAG};
use crate::sip::{Dialog, Method, Name, Params, Request, ServerTx, Uri};

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The focus is to bring somebody in.
    Bring,
    /// Somebody is to come by themselves, as the focus brings nobody in.
    Come,
    /// The focus is to take somebody out.
    Remove,
    /// The focus is to take everybody out.
    End,
}

/// One thing asked of the focus, or of somebody.
#[derive(Debug)]
pub(super) struct Referral {
    wish: Wish,
    who: Address,
    pub op: Option<OperationId>,
    token: Token,
    call_id: String,
    /// Number of the REFER, by which its news are told apart.
    number: Option<u32>,
    heard: bool,
    /// No news until then: nobody knows.
    pub until: Time,
}

impl Referral {
    /// Whether it ends with the conference, successfully.
    pub fn ends(&self) -> bool {
        self.wish == Wish::End
    }

    /// Whether nobody waits for it any more.
    pub fn is_report_only(&self) -> bool {
        self.op.is_none()
    }
}

/// News of our own coming, for whoever sent us.
#[derive(Debug)]
pub(super) struct Report {
    pub dialog: Dialog,
    /// Number of their REFER.
    pub number: u32,
}

impl Meeting {
    /// Asks the focus to bring somebody in.
    pub fn bring(&mut self, ctx: &mut Ctx<'_>, who: &Address, op: Option<OperationId>) {
        if roster::has(&self.roster, who) {
            return self.complete(op, Ok(Outcome::Done));
        }
        let to = refer::invite(&Uri::from(who));
        self.refer(ctx, Wish::Bring, who, &to, op);
    }

    /// Asks the focus to take somebody out.
    pub fn remove(&mut self, ctx: &mut Ctx<'_>, who: &Address, op: OperationId) {
        let known = self.roster.users.iter().find(|u| Address::parse(&u.entity).as_ref() == Ok(who));
        let uri = known.and_then(|u| Uri::parse(&u.entity)).unwrap_or_else(|| Uri::from(who));
        self.refer(ctx, Wish::Remove, who, &refer::remove(&uri), Some(op));
    }

    /// Asks the focus to take everybody out.
    pub fn end_for_all(&mut self, ctx: &mut Ctx<'_>, op: OperationId) {
        let me = ctx.me.uri.clone();
        let to = refer::remove(&self.name);
        self.refer(ctx, Wish::End, &me, &to, Some(op));
    }

    fn refer(&mut self, ctx: &mut Ctx<'_>, wish: Wish, who: &Address, to: &str, op: Option<OperationId>) {
        let me = ctx.me.uri.clone();
        let r = match (&mut self.stage, wish) {
            (_, Wish::Come) => request::request(ctx, Method::Refer, &Uri::from(who)),
            (Stage::In(dialog), _) => in_dialog(ctx, dialog, Method::Refer),
            _ => {
                let error = failure::error("you are not in the meeting now; try again when you are", None);
                return self.complete(op, Err(error));
            }
        };
        let mut r = r.with(Name::ReferTo, to).with(Name::ReferredBy, format!("<{me}>"));
        if wish == Wish::Come {
            r.headers.push(Name::Subject, roster::subject(&self.roster).unwrap_or_else(|| self.subject.clone()));
        }
        let call_id = r.headers.call_id().to_owned();
        let token = ctx.send(r);
        if matches!(wish, Wish::Bring | Wish::Come) {
            self.note(who, InvitationState::Delivering, "invited");
        }
        let until = ctx.now + INVITE_WAIT;
        self.referrals.push(Referral { wish, who: who.clone(), op, token, call_id, number: None, heard: false, until });
    }

    /// An invitation got further.
    fn note(&mut self, who: &Address, state: InvitationState, reason: &str) {
        let now = Invitee { uri: who.clone(), state, reason: reason.to_owned() };
        match self.invited.iter().position(|i| i.uri == *who) {
            Some(at) => self.invited[at] = now,
            None if self.invited.len() < MAX_ASKED => self.invited.push(now),
            None => {}
        }
    }

    /// Whether a reply to this is still to come.
    pub fn awaits(&self, token: Token) -> bool {
        self.referrals.iter().any(|r| r.token == token) || self.words.awaits(token)
    }

    /// The answer to a REFER; false when it is to something else.
    pub fn referral_replied(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        let Some(at) = self.referrals.iter().position(|r| r.token == token) else { return false };
        match reply {
            Reply::Response(r) if r.is_success() => {
                let referral = &mut self.referrals[at];
                referral.number = r.headers.cseq().map(|c| c.number);
                referral.until = referral.until.min(ctx.now + REFER_WAIT);
                let invites = matches!(referral.wish, Wish::Bring | Wish::Come);
                let silent =
                    r.headers.get(&Name::Other("Refer-Sub".into())).is_some_and(|v| v.trim().eq_ignore_ascii_case("false"));
                // Whoever is invited may take their time; the operation does not.
                if let Some(op) = referral.op.take_if(|_| invites || silent) {
                    self.complete(Some(op), Ok(Outcome::Done));
                }
                if silent {
                    self.referrals.remove(at);
                }
            }
            Reply::Response(r) => self.referral_failed(ctx, at, r.status),
            Reply::Timeout => self.referral_failed(ctx, at, 408),
            Reply::LinkLost => {
                let referral = self.referrals.remove(at);
                self.complete(referral.op, Err(failure::error(failure::LOST, None)));
            }
        }
        true
    }

    fn referral_failed(&mut self, ctx: &mut Ctx<'_>, at: usize, status: u16) {
        let referral = self.referrals.remove(at);
        let who = referral.who.bare().to_owned();
        match referral.wish {
            // The focus brings nobody in: they are asked to come by themselves.
            Wish::Bring if matches!(status, 405 | 501) && !referral.heard => {
                let to = refer::invite(&self.name);
                self.refer(ctx, Wish::Come, &referral.who, &to, referral.op);
            }
            Wish::Bring | Wish::Come => {
                let why = match (referral.wish, status) {
                    (Wish::Bring, 408) if !referral.heard => failure::SILENCE.to_owned(),
                    // Their program follows nobody.
                    (Wish::Come, 489 | 603) if !referral.heard => failure::inviting(501, &who),
                    _ => failure::inviting(status, &who),
                };
                let why = if referral.wish == Wish::Come && why.ends_with("the address") {
                    format!("{why}: {}", self.name)
                } else {
                    why
                };
                self.note(&referral.who, InvitationState::Terminated, &why);
                self.complete(referral.op, Err(failure::error(why, Some(status))));
            }
            Wish::Remove | Wish::End => {
                let mut error = failure::error(failure::removing(status), Some(status));
                if referral.wish == Wish::End && matches!(status, 405 | 501) {
                    error.text = "this meeting ends when all have left; its server ends it for nobody".into();
                    error.kind = ErrorKind::InvalidOperation;
                }
                self.complete(referral.op, Err(error));
            }
        }
    }

    /// Whether these news are of something asked here.
    pub fn owns_news(&self, request: &Request) -> bool {
        request.method == Method::Notify && self.news_of(request).is_some()
    }

    fn news_of(&self, request: &Request) -> Option<usize> {
        let event = request.headers.get(&Name::Event)?;
        if !event.split(';').next()?.trim().eq_ignore_ascii_case(refer::EVENT) {
            return None;
        }
        let id: Option<u32> = Params::parse(event).get("id").and_then(|i| i.trim().parse().ok());
        let mine = |r: &&Referral| r.call_id == request.headers.call_id();
        let exact = self.referrals.iter().position(|r| mine(&r) && r.number.is_some() && r.number == id);
        // The id may be missing on the first, and the first may come before the answer.
        exact.or_else(|| self.referrals.iter().position(|r| mine(&r) && (id.is_none() || r.number.is_none())))
    }

    /// News of something asked.
    pub fn progress(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let Some(at) = self.news_of(request) else { return answer(ctx, tx, request, 481) };
        answer(ctx, tx, request, 200);
        let over = request.headers.get(&Name::SubscriptionState).is_some_and(|s| s.trim_start().starts_with("terminated"));
        let Some((status, _)) = refer::progress(&request.body) else {
            if over {
                self.nobody_knows(at);
            }
            return;
        };
        let referral = &mut self.referrals[at];
        referral.heard = true;
        match status {
            100..=199 => {
                referral.until = ctx.now + INVITE_WAIT;
                let (who, invites) = (referral.who.clone(), matches!(referral.wish, Wish::Bring | Wish::Come));
                if invites {
                    self.note(&who, InvitationState::Delivering, if status == 180 { "ringing" } else { "called" });
                }
                if over {
                    self.nobody_knows(at);
                }
            }
            200..=299 => {
                let referral = self.referrals.remove(at);
                if matches!(referral.wish, Wish::Bring | Wish::Come) {
                    self.note(&referral.who, InvitationState::Terminated, "accepted");
                }
                self.complete(referral.op, Ok(Outcome::Done));
            }
            status => self.referral_failed(ctx, at, status),
        }
    }

    /// The focus says no more of it.
    fn nobody_knows(&mut self, at: usize) {
        let referral = self.referrals.remove(at);
        match referral.wish {
            Wish::Bring | Wish::Come => {
                self.note(&referral.who, InvitationState::Terminated, "the server does not say what became of it");
                self.complete(referral.op, Ok(Outcome::Done));
            }
            Wish::Remove if !roster::has(&self.roster, &referral.who) => self.complete(referral.op, Ok(Outcome::Done)),
            Wish::Remove | Wish::End => {
                self.complete(referral.op, Err(failure::error("the meeting's server does not say what became of it", None)));
            }
        }
    }

    /// The roster has changed: who is gone has been taken out, who is in has come.
    pub fn see_who_came(&mut self) {
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.referrals)
            .into_iter()
            .partition(|r| r.wish == Wish::Remove && !roster::has(&self.roster, &r.who));
        self.referrals = left;
        for r in gone {
            self.complete(r.op, Ok(Outcome::Done));
        }
        // Somebody who came and left again was not invited in vain.
        let roster = &self.roster;
        self.invited.retain(|i| !roster::has(roster, &i.uri));
    }

    /// Without news for too long nobody knows what became of it.
    pub fn referrals_on_time(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(at) = self.referrals.iter().position(|r| r.until <= ctx.now) {
            self.nobody_knows(at);
        }
    }

    /// Tells whoever sent us here how far we got.
    pub fn tell_sender(&mut self, ctx: &mut Ctx<'_>, status: u16) {
        let Some(report) = self.report.as_mut().filter(|_| ctx.online) else { return };
        let done = status >= 200;
        let mut r = in_dialog(ctx, &mut report.dialog, Method::Notify);
        let state = if done { "terminated;reason=noresource" } else { "active;expires=180" };
        r.headers.push(Name::Event, format!("{};id={}", refer::EVENT, report.number)).push(Name::SubscriptionState, state);
        ctx.send(r.with_body(SIPFRAG, refer::write_progress(status)));
        if done {
            self.report = None;
        }
    }
}
