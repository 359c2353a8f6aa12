//! How long the session of an INVITE dialog lasts (RFC 4028; `simple.md` 1.10): refreshes of ours and of the other side.
//!
//! Whoever owns the dialog keeps one of these beside it, calls it at its time, with replies and with every re-INVITE and
//! UPDATE of the other side, and ends the dialog with BYE when it says so.

use super::request::{self, ALLOW};
use crate::domain::Time;
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::msrp::sdp::CONTENT_TYPE;
use crate::sip::session_timer::{Due, Offer, Refreshed};
use crate::sip::{Dialog, Method, Name, Request, Response, SessionTimer};

/// Why a session is to be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The other side did not refresh it, or did not answer a refresh.
    Silent,
    /// The other side knows it no more.
    Forgotten,
}

/// The timer of one dialog, and the refresh of ours that is under way.
#[derive(Debug)]
pub(super) struct Lasting {
    timer: SessionTimer,
    asked: Option<Token>,
    /// The last re-INVITE: its 2xx may come again, and wants an ACK each time.
    invited: Option<Token>,
}

impl Default for Lasting {
    fn default() -> Lasting {
        Lasting { timer: SessionTimer::none(), asked: None, invited: None }
    }
}

impl Lasting {
    /// Our INVITE was accepted.
    pub fn agreed(now: Time, offer: &Offer, response: &Response) -> Lasting {
        Lasting { timer: offer.settled(now, response), ..Lasting::default() }
    }

    /// We accept an INVITE; one that wants too short a time was refused before ([`too_short`]).
    pub fn accepting(now: Time, request: &Request) -> Lasting {
        Lasting { timer: SessionTimer::accept(now, request).unwrap_or(SessionTimer::none()), ..Lasting::default() }
    }

    /// When [`Lasting::on_time`] is due.
    pub fn deadline(&self) -> Option<Time> {
        self.timer.poll_timeout()
    }

    /// Refreshes when it is time; `said` is the description we gave last.
    pub fn on_time(&mut self, ctx: &mut Ctx<'_>, dialog: &mut Dialog, said: &[u8]) -> Option<Ended> {
        match self.timer.due(ctx.now)? {
            Due::End => return Some(Ended::Silent),
            Due::Refresh if ctx.online => self.refresh(ctx, dialog, said),
            Due::Refresh => {}
        }
        None
    }

    fn refresh(&mut self, ctx: &mut Ctx<'_>, dialog: &mut Dialog, said: &[u8]) {
        let method = self.timer.method();
        let via = request::via(ctx);
        let mut r = dialog.request(method.clone(), via);
        r.headers
            .push(Name::Contact, format!("<{}>", ctx.me.contact))
            .push(Name::UserAgent, ctx.me.user_agent.as_str())
            .push(Name::Allow, ALLOW);
        self.timer.put_on_request(&mut r.headers);
        let invite = method == Method::Invite;
        let token = ctx.send(if invite { r.with_body(CONTENT_TYPE, said.to_vec()) } else { r });
        self.asked = Some(token);
        if invite {
            self.invited = Some(token);
        }
    }

    /// Whether a reply is to a refresh of ours.
    pub fn awaits(&self, token: Token) -> bool {
        self.asked == Some(token) || self.invited == Some(token)
    }

    /// A reply to a refresh of ours.
    pub fn on_reply(
        &mut self,
        ctx: &mut Ctx<'_>,
        dialog: &mut Dialog,
        said: &[u8],
        token: Token,
        reply: &Reply,
    ) -> Option<Ended> {
        let response = match reply {
            Reply::Response(r) if !r.is_final() => return None,
            Reply::Response(r) => Some(r),
            Reply::Timeout => None,
            // It is sent again while there is time.
            Reply::LinkLost => {
                self.asked = None;
                return None;
            }
        };
        if let Some(r) = response {
            // It may have left with another number, for its credentials.
            dialog.skip_local_cseq(r.headers.cseq().map_or(0, |c| c.number));
            if r.is_success() && self.invited == Some(token) {
                acknowledge(ctx, dialog, r);
            }
        }
        if self.asked != Some(token) {
            return None;
        }
        self.asked = None;
        if let Some(r) = response {
            dialog.answered(r);
        }
        match self.timer.refreshed(ctx.now, response) {
            Refreshed::Alive => None,
            Refreshed::Again => {
                self.refresh(ctx, dialog, said);
                None
            }
            Refreshed::End if response.is_some_and(|r| r.status == 481) => Some(Ended::Forgotten),
            Refreshed::End => Some(Ended::Silent),
        }
    }

    /// The other side sends INVITE or UPDATE within the dialog; `Err`: how that is refused.
    pub fn asked(&mut self, ctx: &Ctx<'_>, request: &Request) -> Result<(), Response> {
        if request.method == Method::Invite && self.asked.is_some() && self.asked == self.invited {
            // Both at once (RFC 3261 14.2).
            return Err(request.response(491, ""));
        }
        self.timer.peer_refreshes(ctx.now, request).map_err(|least| refusal(request, "", least))
    }

    /// Puts what is agreed on our 2xx.
    pub fn put(&self, response: &mut Response) {
        self.timer.put_on_response(&mut response.headers);
    }
}

/// The refusal of an INVITE that wants to be refreshed too often, with our tag.
pub(super) fn too_short(now: Time, request: &Request, tag: &str) -> Option<Response> {
    SessionTimer::accept(now, request).err().map(|least| refusal(request, tag, least))
}

fn refusal(request: &Request, tag: &str, least: u32) -> Response {
    request.response(422, tag).with(Name::MinSe, least.to_string())
}

/// The INVITE once more after a 422 that names a longer time; `None` when that is of no use.
pub(super) fn longer(ctx: &mut Ctx<'_>, offer: &mut Offer, request: &Request, response: &Response) -> Option<Request> {
    if !offer.refused(response) {
        return None;
    }
    let mut r = request.clone();
    let number = response.headers.cseq().map_or(1, |c| c.number).saturating_add(1);
    r.headers.set(Name::CSeq, format!("{number} {}", r.method));
    r.headers.set(Name::Via, request::via(ctx));
    offer.put(&mut r.headers);
    Some(r)
}

fn acknowledge(ctx: &mut Ctx<'_>, dialog: &Dialog, response: &Response) {
    let via = request::via(ctx);
    let number = response.headers.cseq().map_or(1, |c| c.number);
    let ack = dialog.ack(number, via).with(Name::UserAgent, ctx.me.user_agent.as_str());
    ctx.send_stateless(ack);
}
