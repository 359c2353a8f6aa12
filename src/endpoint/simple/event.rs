//! One subscription: SUBSCRIBE, NOTIFY and their dialog (RFC 6665; `simple.md` 4.1).

use super::request;
use crate::domain::{Address, Time};
use crate::endpoint::limits::{
    EVENT_AGAIN, EVENT_AGAIN_MOST, EVENT_EXPIRES, EVENT_NOTIFY_WAIT, EVENT_REJECTED_AGAIN, EVENT_UNREACHABLE_AGAIN,
    RETRY_AFTER_MOST,
};
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::sip::{Dialog, Method, Name, Params, Request, Response, ServerTx, Uri};
use std::time::Duration;

/// Option tag of lists (RFC 4662).
const EVENT_LIST: &str = "eventlist";

/// What is subscribed to.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// `Event`.
    pub event: &'static str,
    /// `Accept`.
    pub accept: &'static str,
    /// It is a list of people (RFC 4662); a server that takes it for one person refuses it.
    pub list: bool,
}

/// Where it stands (`simple.md` 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Not asked, or to be asked again at this time.
    Idle(Option<Time>),
    /// Asked.
    Asked,
    /// The other side has not agreed yet.
    Pending,
    /// It tells every change.
    Active,
    /// It will not tell; it is asked again, quietly, at this time.
    Refused(Option<Time>),
}

/// What came of a reply or a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing to tell.
    Nothing,
    /// A document of this type; an empty one says that nothing is published.
    Document(String, Vec<u8>),
    /// What was known is not any more.
    Lost,
    /// Refused: the status, or 0 when a notification said so.
    Refused(u16),
}

/// One subscription.
#[derive(Debug)]
pub struct Subscription {
    package: Package,
    to: Uri,
    stand: Stand,
    call_id: String,
    tag: String,
    request: Option<(Token, Request)>,
    dialog: Option<Dialog>,
    refresh_at: Option<Time>,
    /// A notification must have come by then.
    silent_until: Option<Time>,
    failures: u32,
    /// When this subscription was begun.
    asked_at: Time,
}

impl Subscription {
    /// Nothing asked yet.
    pub fn new(package: Package, to: &Address) -> Subscription {
        Subscription::at(package, Uri::from(to))
    }

    /// Nothing asked yet of whatever this URI names.
    pub fn at(package: Package, to: Uri) -> Subscription {
        Subscription {
            package,
            to,
            stand: Stand::Idle(Some(Time::default())),
            call_id: String::new(),
            tag: String::new(),
            request: None,
            dialog: None,
            refresh_at: None,
            silent_until: None,
            failures: 0,
            asked_at: Time::default(),
        }
    }

    /// Where it stands.
    pub fn stand(&self) -> Stand {
        self.stand
    }

    /// The link is gone, and the dialog with it.
    pub fn reset(&mut self) {
        self.forget();
        self.call_id.clear();
        self.stand = Stand::Idle(Some(Time::default()));
    }

    /// Whether asking, or asking again, is due.
    pub fn is_due(&self, now: Time) -> bool {
        self.poll_timeout().is_some_and(|t| t <= now)
    }

    /// Asks the server for everything again, then, where it has told something.
    pub fn refresh_at(&mut self, at: Time) {
        if self.dialog.is_some() {
            self.refresh_at = Some(at);
        }
    }

    /// When [`Subscription::on_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.stand {
            Stand::Idle(at) | Stand::Refused(at) => at,
            Stand::Asked | Stand::Pending | Stand::Active if self.request.is_some() => None,
            Stand::Asked | Stand::Pending | Stand::Active => [self.refresh_at, self.silent_until].into_iter().flatten().min(),
        }
    }

    /// Asks, refreshes, or gives up waiting for a notification.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>) -> Heard {
        if !self.is_due(ctx.now) {
            return Heard::Nothing;
        }
        if self.silent_until.is_some_and(|t| t <= ctx.now) {
            self.silent_until = None;
            return self.lost(ctx, EVENT_AGAIN);
        }
        let request = match &mut self.dialog {
            Some(dialog) => {
                let mut r = dialog.request(Method::Subscribe, request::via(ctx));
                r.headers.push(Name::Contact, format!("<{}>", ctx.me.contact)).push(Name::UserAgent, ctx.me.user_agent.as_str());
                r
            }
            None => {
                let r = request::request(ctx, Method::Subscribe, &self.to);
                self.call_id = r.headers.call_id().to_owned();
                self.tag = r.headers.from().and_then(|f| f.tag().map(str::to_owned)).unwrap_or_default();
                self.stand = Stand::Asked;
                self.asked_at = ctx.now;
                r
            }
        };
        self.send(ctx, request, EVENT_EXPIRES);
        Heard::Nothing
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, mut request: Request, expires: u32) {
        let headers = &mut request.headers;
        headers.push(Name::Event, self.package.event).push(Name::Accept, self.package.accept);
        headers.push(Name::Expires, expires.to_string());
        if self.package.list {
            headers.push(Name::Supported, EVENT_LIST);
        }
        self.request = Some((ctx.send(request.clone()), request));
    }

    /// Ends it; nothing is waited for.
    pub fn unsubscribe(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(dialog) = &mut self.dialog {
            let mut r = dialog.request(Method::Subscribe, request::via(ctx));
            r.headers.push(Name::Contact, format!("<{}>", ctx.me.contact));
            self.send(ctx, r, 0);
        }
        self.reset();
        self.stand = Stand::Idle(None);
    }

    /// A reply; `None`: to something else.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> Option<Heard> {
        self.request.as_ref().filter(|r| r.0 == token)?;
        let response = match reply {
            Reply::Response(r) if !r.is_final() => return Some(Heard::Nothing),
            Reply::Response(r) => r,
            Reply::Timeout => {
                self.request = None;
                return Some(self.lost(ctx, EVENT_AGAIN));
            }
            Reply::LinkLost => {
                self.request = None;
                return Some(Heard::Lost);
            }
        };
        let (_, request) = self.request.take()?;
        Some(if response.is_success() { self.granted(ctx, &request, response) } else { self.failed(ctx, response) })
    }

    fn granted(&mut self, ctx: &mut Ctx<'_>, request: &Request, response: &Response) -> Heard {
        match &mut self.dialog {
            Some(dialog) => dialog.answered(response),
            None => {
                self.dialog = Dialog::uac(request, response);
                if self.stand == Stand::Asked {
                    self.silent_until = Some(ctx.now + EVENT_NOTIFY_WAIT);
                }
            }
        }
        if let (Some(dialog), Some(cseq)) = (&mut self.dialog, response.headers.cseq()) {
            dialog.skip_local_cseq(cseq.number);
        }
        let first = request.headers.to().is_some_and(|t| t.tag().is_none());
        if self.package.list && first && !response.headers.has_token(&Name::Require, EVENT_LIST) {
            self.unsubscribe(ctx);
            self.stand = Stand::Refused(None);
            return Heard::Refused(0);
        }
        self.failures = 0;
        self.lives(ctx, response.headers.expires().unwrap_or(EVENT_EXPIRES));
        Heard::Nothing
    }

    /// The subscription ends in so many seconds: refresh before.
    fn lives(&mut self, ctx: &mut Ctx<'_>, seconds: u32) {
        let seconds = u64::from(seconds.clamp(2, EVENT_EXPIRES));
        let early = (seconds * 85 / 100).max(seconds.saturating_sub(120));
        let jitter = ctx.rng.below(early * 100 + 1);
        self.refresh_at = Some(ctx.now + Duration::from_millis(early * 1000 - jitter));
    }

    fn failed(&mut self, ctx: &mut Ctx<'_>, response: &Response) -> Heard {
        match response.status {
            423 => {
                let least = response.headers.get(&Name::MinExpires).and_then(|m| m.trim().parse().ok()).unwrap_or(EVENT_EXPIRES);
                self.lost(ctx, Duration::from_secs(u64::from(least.clamp(1, 60))))
            }
            // The dialog is unknown there: begin anew at once.
            481 if self.dialog.is_some() => self.lost(ctx, Duration::ZERO),
            403 | 603 => self.refused(ctx, response.status, Some(EVENT_REJECTED_AGAIN)),
            404 | 405 | 489 | 501 | 604 => self.refused(ctx, response.status, None),
            480 => self.lost(ctx, EVENT_UNREACHABLE_AGAIN),
            _ => self.lost(ctx, request::retry_after(response).max(EVENT_AGAIN)),
        }
    }

    fn refused(&mut self, ctx: &Ctx<'_>, status: u16, again: Option<Duration>) -> Heard {
        self.forget();
        self.stand = Stand::Refused(again.map(|d| ctx.now + d));
        Heard::Refused(status)
    }

    fn lost(&mut self, ctx: &Ctx<'_>, wait: Duration) -> Heard {
        // A server that ends at once what it has just granted would be asked without pause.
        let brief = ctx.now < self.asked_at + EVENT_AGAIN;
        let wait = if wait.is_zero() && brief { EVENT_AGAIN } else { wait };
        self.forget();
        let doubled = wait * (1 << self.failures.min(7));
        if !wait.is_zero() {
            self.failures += 1;
        }
        self.stand = Stand::Idle(Some(ctx.now + doubled.min(EVENT_AGAIN_MOST)));
        Heard::Lost
    }

    fn forget(&mut self) {
        (self.dialog, self.refresh_at, self.silent_until, self.request) = (None, None, None, None);
    }

    /// Whether a NOTIFY belongs here.
    pub fn owns(&self, request: &Request) -> bool {
        // Thousands of subscriptions are asked; the header with the tag is read by the one whose call it is.
        let call = !self.call_id.is_empty() && request.headers.call_id() == self.call_id;
        call && request.headers.to().and_then(|t| t.tag().map(|tag| tag == self.tag)).unwrap_or(false)
    }

    /// A NOTIFY of this subscription: always answered 200 first (`simple.md` 4.1).
    pub fn on_notify(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) -> Heard {
        let Some(state) = request.headers.get(&Name::SubscriptionState) else {
            answer(ctx, tx, request, 400);
            return Heard::Nothing;
        };
        if let Some(dialog) = &mut self.dialog
            && dialog.id().remote_tag == crate::sip::DialogId::of_request(request).remote_tag
            && dialog.receive(request).is_err()
        {
            answer(ctx, tx, request, 500);
            return Heard::Nothing;
        }
        answer(ctx, tx, request, 200);
        self.silent_until = None;
        let params = Params::parse(state);
        match state.split(';').next().unwrap_or("").trim() {
            "terminated" => self.terminated(ctx, params.get("reason").unwrap_or(""), params.get("retry-after")),
            "pending" => {
                self.stand = Stand::Pending;
                Heard::Lost
            }
            _ => {
                self.stand = Stand::Active;
                if let Some(seconds) = params.get("expires").and_then(|e| e.parse().ok()) {
                    let before = self.refresh_at;
                    self.lives(ctx, seconds);
                    // It may shorten our time, never stretch it.
                    self.refresh_at = [before, self.refresh_at].into_iter().flatten().min();
                }
                let media = request.headers.get(&Name::ContentType).unwrap_or("").to_owned();
                Heard::Document(media, request.body.clone())
            }
        }
    }

    fn terminated(&mut self, ctx: &Ctx<'_>, reason: &str, retry_after: Option<&str>) -> Heard {
        let wait = retry_after.and_then(|r| r.parse().ok()).map(|s| Duration::from_secs(s).min(RETRY_AFTER_MOST));
        match reason {
            "rejected" => self.refused(ctx, 0, Some(EVENT_REJECTED_AGAIN)),
            "noresource" | "invariant" => self.refused(ctx, 0, None),
            "deactivated" | "timeout" => self.lost(ctx, Duration::ZERO),
            _ => self.lost(ctx, wait.unwrap_or(EVENT_AGAIN).max(Duration::from_secs(1))),
        }
    }
}

fn answer(ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request, status: u16) {
    if let Some(tx) = tx {
        ctx.respond(tx, request.response(status, ""));
    }
}
