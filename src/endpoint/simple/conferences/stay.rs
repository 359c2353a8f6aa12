//! Being in: replies, notifications of the roster, time.

use super::meeting::{Meeting, Stage};
use super::{failure, roster};
use crate::domain::conversation::Delivery;
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::endpoint::simple::conferences::join::WHOLE_AGAIN;
use crate::endpoint::simple::event::Heard;
use crate::endpoint::simple::lasting::Ended;
use crate::simple::conference::{self, Applied, Document};
use crate::sip::multipart::is_type;
use crate::sip::{Method, Request, ServerTx};
use std::time::Duration;

/// What was on its way when the connection went.
pub(super) const BROKEN: &str = "the connection broke; it may or may not have arrived";
/// Longest wait between two tries of an answer that is not acknowledged (T2).
const T2: Duration = Duration::from_secs(4);
/// The other side does not acknowledge our answer at all (64 T1).
const UNACKNOWLEDGED: Duration = Duration::from_secs(32);

impl Meeting {
    /// A reply to something of ours; false when it is not of this conference.
    pub fn replied(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        if matches!(&self.stage, Stage::Asking { token: t, .. } if *t == token) {
            if let (Reply::Response(r), Stage::Asking { request, .. }) = (reply, &self.stage)
                && r.is_success()
            {
                self.came_in_by = Some((token, request.clone()));
            }
            self.asked(ctx, reply);
            return true;
        }
        if let Some((by, invite)) = &self.came_in_by
            && *by == token
        {
            let invite = invite.clone();
            if let Reply::Response(r) = reply
                && r.is_success()
            {
                self.answered_again(ctx, &invite, r);
            }
            return true;
        }
        if self.lasting.awaits(token) {
            self.refreshed(ctx, token, reply);
            return true;
        }
        if let Some(subscription) = &mut self.subscription
            && let Some(heard) = subscription.on_reply(ctx, token, reply)
        {
            self.heard(ctx, heard);
            return true;
        }
        let provisional = matches!(reply, Reply::Response(r) if !r.is_final());
        provisional && self.awaits(token) || self.referral_replied(ctx, token, reply) || self.words_replied(ctx, token, reply)
    }

    /// A notification of the roster.
    pub fn notified(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        if let Some(subscription) = &mut self.subscription {
            let heard = subscription.on_notify(ctx, tx, request);
            self.heard(ctx, heard);
        }
    }

    fn heard(&mut self, ctx: &mut Ctx<'_>, heard: Heard) {
        match heard {
            Heard::Document(media, body) if is_type(&media, conference::CONTENT_TYPE) => self.take(ctx, &body),
            // A focus that tells no roster: we are in all the same.
            Heard::Refused(_) => self.arrived(),
            Heard::Lost => {
                // What is told from now on may be another subscription's.
                self.roster.renew();
            }
            Heard::Document(..) | Heard::Nothing => {}
        }
    }

    fn take(&mut self, ctx: &mut Ctx<'_>, body: &[u8]) {
        let Ok(document) = Document::parse(body) else { return };
        match self.roster.apply(document) {
            Applied::Applied => {
                self.see_who_came();
                self.arrived();
            }
            Applied::Ignored => {}
            Applied::Gap if self.whole_after.is_none_or(|t| t <= ctx.now) => {
                self.whole_after = Some(ctx.now + WHOLE_AGAIN);
                if let Some(s) = &mut self.subscription {
                    s.refresh_at(ctx.now);
                }
            }
            Applied::Gap => {
                if let (Some(s), Some(at)) = (&mut self.subscription, self.whole_after) {
                    s.refresh_at(at);
                }
            }
            Applied::Over => self.over(ctx, "the meeting has ended"),
        }
    }

    /// The focus has ended our part.
    pub fn dismissed(&mut self, ctx: &mut Ctx<'_>, reason: Option<String>) {
        let thrown_out = roster::thrown_out(&self.roster, &ctx.me.uri);
        let why = match reason {
            _ if thrown_out => "you were removed from the meeting".to_owned(),
            Some(words) => format!("the meeting has ended for you: {words}"),
            None => "the meeting has ended, or you were removed from it".to_owned(),
        };
        if let Some(mut s) = self.subscription.take() {
            s.unsubscribe(ctx);
        }
        self.end(ctx, Some(why));
    }

    fn over(&mut self, ctx: &mut Ctx<'_>, why: &str) {
        self.leave(ctx, None);
        self.stage = Stage::Over(Some(why.to_owned()));
    }

    /// Something is due.
    pub fn on_time(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now;
        match &self.stage {
            Stage::Asking { until, .. } if *until <= now => self.give_up_asking(ctx),
            Stage::Waiting { at } if *at <= now => self.ask(ctx),
            Stage::Called { until, .. } | Stage::Sent { until } if *until <= now => {
                self.missed(ctx);
                self.leave(ctx, None);
            }
            _ => {}
        }
        if self.settle_by.is_some_and(|t| t <= now) {
            self.arrived();
        }
        if matches!(self.stage, Stage::In(_))
            && let Some(s) = &mut self.subscription
        {
            let heard = s.on_timeout(ctx);
            self.heard(ctx, heard);
        }
        self.answer_again(ctx);
        self.last(ctx);
        self.referrals_on_time(ctx);
        self.words.on_time(now);
        self.room_on_time(now);
    }

    /// Refreshes the call with the focus, or ends one that nobody refreshes (RFC 4028).
    fn last(&mut self, ctx: &mut Ctx<'_>) {
        let (Stage::In(dialog), Some(said)) = (&mut self.stage, &self.said) else { return };
        if let Some(ended) = self.lasting.on_time(ctx, dialog, &said.body) {
            self.over(ctx, why(ended));
        }
    }

    fn refreshed(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) {
        let (Stage::In(dialog), Some(said)) = (&mut self.stage, &self.said) else { return };
        if let Some(ended) = self.lasting.on_reply(ctx, dialog, &said.body, token, reply) {
            self.over(ctx, why(ended));
        }
    }

    /// Repeats an answer that was not acknowledged yet; without any acknowledgement there is no call.
    fn answer_again(&mut self, ctx: &mut Ctx<'_>) {
        let Some(u) = self.unacknowledged.as_mut().filter(|u| u.at <= ctx.now) else { return };
        if u.wait >= UNACKNOWLEDGED {
            return self.over(ctx, "the meeting's server does not hear you; /rejoin goes back in");
        }
        // 0.5, 1, 2, 4, 4 … seconds; `wait` counts them all.
        let next = (u.wait + Duration::from_millis(500)).min(T2);
        u.wait += next;
        u.at = ctx.now + next;
        let (tx, response) = (u.tx, u.response.clone());
        ctx.respond(tx, response);
    }

    /// What becomes of words that cannot be passed on any more.
    pub fn undeliverable(reply: &Reply) -> Delivery {
        match reply {
            Reply::Response(r) => Delivery::Failed(failure::undelivered(r)),
            Reply::Timeout => Delivery::Failed("no answer came; it may or may not have arrived".into()),
            Reply::LinkLost => Delivery::Failed(BROKEN.into()),
        }
    }

    /// A request within the call with the focus.
    pub fn in_call(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let misfit = self.dialog().and_then(|d| d.receive(request).err());
        if let Some(misfit) = misfit {
            return super::inbound::answer(ctx, tx, request, misfit.status());
        }
        match request.method {
            Method::Ack => self.unacknowledged = None,
            Method::Bye => {
                super::inbound::answer(ctx, tx, request, 200);
                let reason = super::inbound::reason(request);
                self.dismissed(ctx, reason);
            }
            Method::Message => self.hear(ctx, tx, request),
            Method::Invite | Method::Update => self.asked_anew(ctx, tx, request),
            Method::Notify => self.progress(ctx, tx, request),
            Method::Info | Method::Options => super::inbound::answer(ctx, tx, request, 200),
            _ => super::inbound::answer(ctx, tx, request, 405),
        }
    }
}

/// Why a call that was not refreshed is over.
fn why(ended: Ended) -> &'static str {
    match ended {
        Ended::Silent => "the meeting's server has not answered for too long; /rejoin goes back in",
        Ended::Forgotten => "the meeting's server does not know you any more; /rejoin goes back in",
    }
}
