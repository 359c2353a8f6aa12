//! One SUBSCRIBE usage of this dialect (`lync.md` 4): piggybacked first document, BENOTIFY, renewal in the dialog,
//! and the waiting of `domain.md` 3.9. What is in the documents is the service's business.

use super::limits::*;
use super::service::{Ctx, Handled, Reply, Token};
use crate::domain::Time;
use crate::sip::{Method, Name, NameAddr, Request, Response, ServerTx, Uri};
use std::time::Duration;

/// States of `domain.md` 3.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing asked.
    Idle,
    /// Asked, no answer yet.
    Subscribing,
    /// The server sends what changes.
    Subscribed,
    /// To be asked again at this time.
    WaitingForRetry(Time),
    /// Refused for good.
    Refused,
}

/// What a subscription is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// `Event`.
    pub event: &'static str,
    /// `Accept`.
    pub accept: &'static str,
    /// Further headers.
    pub extra: &'static [(&'static str, &'static str)],
    /// `Content-Type` of the body.
    pub content_type: &'static str,
}

/// A document of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `Content-Type` as it came.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// It came as the answer to our SUBSCRIBE and so is complete.
    pub full: bool,
}

/// What a subscription has to say to its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing new.
    Nothing,
    /// A document.
    Document(Document),
    /// The server refuses; the final status.
    Refused(u16),
    /// It ended; it will be tried again.
    Lost,
}

#[derive(Clone, Debug)]
struct Dialog {
    call_id: String,
    local: String,
    remote: String,
    remote_tag: Option<String>,
    target: Uri,
    cseq: u32,
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Roaming {
    topic: Topic,
    state: State,
    dialog: Option<Dialog>,
    pending: Option<Token>,
    renew_at: Option<Time>,
    failures: u32,
    /// The wait after repeated failures.
    slow: Duration,
}

impl Roaming {
    /// Idle.
    pub fn new(topic: Topic) -> Roaming {
        Roaming { topic, state: State::Idle, dialog: None, pending: None, renew_at: None, failures: 0, slow: RESUBSCRIBE_SLOW }
    }

    /// Idle; tries again soon however often it fails (`domain.md` 3.10: within 10 s).
    pub fn eager(topic: Topic) -> Roaming {
        Roaming { slow: RESUBSCRIBE_WAIT, ..Roaming::new(topic) }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether a request is under way.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the server holds a dialog for it.
    pub fn has_dialog(&self) -> bool {
        self.dialog.as_ref().is_some_and(|d| d.remote_tag.is_some())
    }

    /// Whether a renewal or another try is due.
    pub fn is_due(&self, now: Time) -> bool {
        self.pending.is_none() && self.poll_timeout().is_some_and(|t| t <= now)
    }

    /// When it wants to be subscribed again.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::WaitingForRetry(at) => Some(at),
            State::Subscribed => self.renew_at,
            State::Idle | State::Subscribing | State::Refused => None,
        }
    }

    /// Sends SUBSCRIBE, in the dialog if there is one. `to`: whom (usually ourselves). Returns the token, or `None` while one is under way.
    pub fn subscribe(&mut self, ctx: &mut Ctx<'_>, to: &Uri, body: Vec<u8>, expires: Option<u32>) -> Option<Token> {
        if self.pending.is_some() {
            return None;
        }
        let mut request = self.request(ctx, to);
        if let Some(expires) = expires {
            request.headers.push(Name::Expires, expires.to_string());
        }
        if !body.is_empty() {
            request = request.with_body(self.topic.content_type, body);
        }
        let token = ctx.send(request);
        self.pending = Some(token);
        if self.state != State::Subscribed {
            self.state = State::Subscribing;
        }
        Some(token)
    }

    /// Ends it at the server (`Expires: 0`) and forgets it. The answer does not matter.
    pub fn unsubscribe(&mut self, ctx: &mut Ctx<'_>) {
        if self.has_dialog() && ctx.online {
            let to = self.dialog.as_ref().map(|d| d.target.clone());
            if let Some(to) = to {
                let mut request = self.request(ctx, &to);
                request.headers.push(Name::Expires, "0");
                ctx.send(request);
            }
        }
        self.reset();
    }

    /// Forgets everything: the link is gone.
    pub fn reset(&mut self) {
        self.state = State::Idle;
        self.dialog = None;
        self.pending = None;
        self.renew_at = None;
        self.failures = 0;
    }

    /// A new subscription is to be made soon (a gap, a conflict, the server's wish).
    pub fn start_over(&mut self, at: Time) {
        self.dialog = None;
        self.pending = None;
        self.renew_at = None;
        self.state = State::WaitingForRetry(at);
    }

    /// Ask for the full state at once, in the dialog.
    pub fn refresh_at(&mut self, at: Time) {
        match self.state {
            State::Subscribed => self.renew_at = Some(at),
            State::WaitingForRetry(_) => self.state = State::WaitingForRetry(at),
            State::Idle | State::Subscribing | State::Refused => {}
        }
    }

    /// A reply; `None` when the token is not ours.
    pub fn on_reply(&mut self, now: Time, token: Token, reply: &Reply) -> Option<Heard> {
        if self.pending != Some(token) {
            return None;
        }
        Some(match reply {
            Reply::Response(r) if !r.is_final() => Heard::Nothing,
            Reply::Response(r) if r.is_success() => self.accepted(now, r),
            Reply::Response(r) => self.rejected(now, r),
            Reply::Timeout => self.lost(now + self.wait()),
            Reply::LinkLost => {
                self.reset();
                Heard::Nothing
            }
        })
    }

    /// A NOTIFY or BENOTIFY; handed back when it belongs to another dialog.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Result<Heard, Handled> {
        if !matches!(request.method, Method::Notify | Method::Benotify) || !self.owns(&request) {
            return Err(Handled::No(request));
        }
        if let Some(tx) = tx {
            ctx.respond(tx, request.response(200, ""));
        }
        let state = request.headers.get(&Name::SubscriptionState).unwrap_or("").trim().to_ascii_lowercase();
        self.note_remote(&request);
        if state.starts_with("terminated") {
            return Ok(self.lost(ctx.now + RESUBSCRIBE_WAIT));
        }
        if let Some(expires) = expires_of(&state) {
            // com.microsoft.autoextend: each notification starts the clock anew.
            self.renew_at = Some(renewal(ctx.now, expires));
        }
        if request.body.is_empty() {
            return Ok(Heard::Nothing);
        }
        let content_type = request.headers.get(&Name::ContentType).unwrap_or("").to_owned();
        Ok(Heard::Document(Document { content_type, body: request.body, full: false }))
    }

    fn owns(&self, request: &Request) -> bool {
        let Some(d) = &self.dialog else { return false };
        let to_tag = request.headers.to().and_then(|t| t.tag().map(str::to_owned));
        let local_tag = NameAddr::parse(&d.local).and_then(|l| l.tag().map(str::to_owned));
        d.call_id == request.headers.call_id() && (to_tag.is_none() || to_tag == local_tag)
    }

    /// A NOTIFY may overtake the 200 that names the dialog.
    fn note_remote(&mut self, request: &Request) {
        let Some(d) = self.dialog.as_mut().filter(|d| d.remote_tag.is_none()) else { return };
        if let Some(from) = request.headers.from() {
            d.remote_tag = from.tag().map(str::to_owned);
            d.remote = from.to_string();
        }
    }

    fn request(&mut self, ctx: &mut Ctx<'_>, to: &Uri) -> Request {
        let mut r = ctx.request(Method::Subscribe, to);
        match &mut self.dialog {
            Some(d) if d.remote_tag.is_some() => {
                d.cseq += 1;
                r.uri = d.target.clone();
                r.headers
                    .set(Name::From, d.local.clone())
                    .set(Name::To, d.remote.clone())
                    .set(Name::CallId, d.call_id.clone())
                    .set(Name::CSeq, format!("{} SUBSCRIBE", d.cseq));
            }
            _ => {
                self.dialog = Some(Dialog {
                    call_id: r.headers.call_id().to_owned(),
                    local: r.headers.get(&Name::From).unwrap_or("").to_owned(),
                    remote: NameAddr::new(to.clone()).to_string(),
                    remote_tag: None,
                    target: to.clone(),
                    cseq: 1,
                });
            }
        }
        r.headers.push(Name::Event, self.topic.event).push(Name::Accept, self.topic.accept);
        for (name, value) in self.topic.extra {
            r.headers.push(*name, *value);
        }
        r.headers
            .push(Name::Supported, "com.microsoft.autoextend")
            .push(Name::Supported, "ms-benotify")
            .push(Name::ProxyRequire, "ms-benotify")
            .push(Name::Supported, "ms-piggyback-first-notify");
        r
    }

    fn accepted(&mut self, now: Time, response: &Response) -> Heard {
        self.pending = None;
        self.failures = 0;
        let state = response.headers.get(&Name::SubscriptionState).unwrap_or("").to_ascii_lowercase();
        let expires = response.headers.expires().or_else(|| expires_of(&state)).unwrap_or(3600);
        if expires == 0 || state.starts_with("terminated") {
            self.dialog = None;
            self.state = State::Idle;
            self.renew_at = None;
        } else {
            self.state = State::Subscribed;
            self.renew_at = Some(renewal(now, expires));
            if let Some(d) = &mut self.dialog {
                if let Some(to) = response.headers.to() {
                    d.remote_tag = to.tag().map(str::to_owned);
                    d.remote = to.to_string();
                }
                if let Some(contact) = response.headers.contact() {
                    d.target = contact.uri;
                }
            }
        }
        if response.body.is_empty() {
            return Heard::Nothing;
        }
        let content_type = response.headers.get(&Name::ContentType).unwrap_or("").to_owned();
        Heard::Document(Document { content_type, body: response.body.clone(), full: true })
    }

    fn rejected(&mut self, now: Time, response: &Response) -> Heard {
        match response.status {
            // Gone at the server: a new dialog at once, but not in a circle.
            481 if self.has_dialog() && self.failures == 0 => self.lost(now),
            408 | 480 | 481 | 500..=599 | 401 | 407 => {
                let asked = response.headers.retry_after();
                let wait = asked.map_or(self.wait(), |s| Duration::from_secs(u64::from(s.clamp(1, 3600))));
                self.lost(now + wait)
            }
            status => {
                self.reset();
                self.state = State::Refused;
                Heard::Refused(status)
            }
        }
    }

    fn lost(&mut self, again_at: Time) -> Heard {
        self.failures = self.failures.saturating_add(1);
        self.start_over(again_at);
        Heard::Lost
    }

    fn wait(&self) -> Duration {
        if self.failures == 0 { RESUBSCRIBE_WAIT } else { self.slow }
    }
}

fn expires_of(subscription_state: &str) -> Option<u32> {
    subscription_state.split(';').find_map(|p| p.trim().strip_prefix("expires="))?.trim().parse().ok().filter(|e| *e > 0)
}

fn renewal(now: Time, expires: u32) -> Time {
    let lives = Duration::from_secs(u64::from(expires));
    if lives > LONG_SUBSCRIPTION { now + lives - RENEW_BEFORE } else { now + lives }
}
