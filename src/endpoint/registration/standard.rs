//! What is different on standard servers (`simple.md` 1.6 to 1.8): the Contact that the server really sees (RFC 3581), keep-alives
//! that are answered (RFC 5626), Service-Route (RFC 3608), and answers that want the same thing asked otherwise.

use super::request::DEFAULT_LIFETIME;
use super::{Registration, Step};
use crate::domain::Time;
use crate::endpoint::config::Dialect;
use crate::endpoint::limits::{DATAGRAM_KEEP_ALIVE, FIRST_KEEP_ALIVE, PONG_WAIT, RETRY_AFTER_MOST, STREAM_KEEP_ALIVE};
use crate::sip::header::split_quoted;
use crate::sip::{Method, Name, Request, Response, Uri, Via};
use std::time::Duration;

/// How often one REGISTER is asked otherwise.
const MOST_ADAPTIONS: u32 = 3;

/// Lifetime asked for over datagrams, in seconds: nothing but the next REGISTER shows that a server has forgotten us.
const DATAGRAM_LIFETIME: u64 = 120;

/// The longest lifetime that a server may insist on, in seconds.
const LONGEST_WANTED: u64 = 24 * 3600;

/// What a standard server has let us know.
#[derive(Debug, Default)]
pub(super) struct Standard {
    /// Our end of the link as the server sees it, `host:port`.
    seen: Option<String>,
    /// The Contact of the last REGISTER.
    announced: String,
    /// A Contact announced before the server told what it sees; it is taken back.
    taken_back: Option<String>,
    /// The server refused `outbound` (439, 420).
    plain: bool,
    adaptions: u32,
    /// Lifetime the server insists on, in seconds.
    wanted: Option<u64>,
    /// Keep-alives on this link are answered.
    pongs: bool,
    /// `Retry-After` of the last refusal.
    wait: Duration,
}

impl Standard {
    /// What was learned of the link before is of no use on a new one.
    pub fn new_link(&mut self) {
        *self = Standard { plain: self.plain, wanted: self.wanted, wait: self.wait, ..Standard::default() };
    }

    /// Keeps how long the server wants to be left alone.
    pub fn note_wait(&mut self, response: &Response) {
        self.wait = Duration::from_secs(response.headers.retry_after().unwrap_or(0).into()).min(RETRY_AFTER_MOST);
    }

    /// How long to wait at least before the next attempt.
    pub fn take_wait(&mut self) -> Duration {
        std::mem::take(&mut self.wait)
    }
}

impl Registration {
    pub(super) fn is_standard(&self) -> bool {
        self.config.dialect == Dialect::Simple
    }

    /// Names a certificate of the target may be for (RFC 5922): the own domain proves the server of this domain, wherever the
    /// DNS or the account says it stands. A host that the DNS named must lie in the domain to speak for itself.
    pub(super) fn names(&self) -> Vec<String> {
        let (host, domain) = (self.target.host.clone(), self.config.uri.host().to_owned());
        let inside = host.eq_ignore_ascii_case(&domain)
            || host.to_ascii_lowercase().ends_with(&format!(".{}", domain.to_ascii_lowercase()));
        let mut names = match (self.is_standard(), self.config.discover) {
            (_, true) if !inside => vec![domain],
            (true, true) => vec![domain, host],
            (false, true) => vec![host, domain],
            (true, false) => vec![host, domain],
            (false, false) => vec![host],
        };
        names.dedup();
        names
    }

    pub(super) fn first_keep_alive(&self) -> Duration {
        match (self.is_standard(), self.target.transport.is_reliable()) {
            (false, _) => FIRST_KEEP_ALIVE,
            (true, true) => STREAM_KEEP_ALIVE,
            (true, false) => DATAGRAM_KEEP_ALIVE,
        }
    }

    /// The next REGISTER. An endpoint that takes no calls and messages registers no Contact: it only proves who it is.
    pub(super) fn standard_register(&mut self, leave: bool) -> Request {
        let me = &self.config.uri;
        let (branch, tag) = (self.rng.hex(20), self.rng.hex(16));
        let usual = if self.target.transport.is_reliable() { DEFAULT_LIFETIME } else { DATAGRAM_LIFETIME };
        let lifetime = self.standard.wanted.unwrap_or(usual);
        let expires = if leave { 0 } else { lifetime };
        let mut r = Request::new(Method::Register, Uri::of_domain(me));
        r.headers
            .push(Name::Via, format!("SIP/2.0/{} {};branch=z9hG4bK{branch};rport", self.target.transport, self.local))
            .push(Name::From, format!("<{me}>;tag={tag}"))
            .push(Name::To, format!("<{me}>"))
            .push(Name::MaxForwards, "70")
            .push(Name::CallId, self.call_id.as_str())
            .push(Name::CSeq, format!("{} REGISTER", self.cseq))
            .push(Name::UserAgent, self.config.user_agent.as_str())
            .push(Name::Supported, if self.standard.plain { "path" } else { "path, outbound" })
            .push(Name::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY, INFO");
        if !self.config.talks {
            return r;
        }
        let contact = self.standard_contact();
        let flow = if self.standard.plain { "" } else { ";reg-id=1" };
        r.headers
            .push(Name::Contact, format!("<{contact}>;+sip.instance=\"<urn:uuid:{}>\"{flow};expires={expires}", self.instance));
        if let Some(old) = self.standard.taken_back.take() {
            r.headers.push(Name::Contact, format!("<{old}>;expires=0"));
        }
        r.headers.push(Name::Expires, expires.to_string());
        self.standard.announced = contact;
        r
    }

    /// Where a standard server reaches us: the user at our end of the link, as the server sees it.
    pub(super) fn standard_contact(&self) -> String {
        let place = self.standard.seen.as_deref().unwrap_or(&self.local);
        format!("sip:{}@{place};transport={}", self.config.uri.user(), self.target.transport.param())
    }

    /// Reads from the Via that comes back where our messages come from.
    pub(super) fn note_reflection(&mut self, response: &Response) {
        let Some(via) = response.headers.get(&Name::Via).and_then(Via::parse) else { return };
        let Some(port) = via.params.get("rport").and_then(|p| p.parse::<u16>().ok()).filter(|p| *p > 0) else { return };
        let (local_host, _) = self.local.rsplit_once(':').unwrap_or((&self.local, ""));
        let host = match via.params.get("received").filter(|r| !r.is_empty()) {
            Some(r) if r.contains(':') && !r.starts_with('[') => format!("[{r}]"),
            Some(r) => r.to_owned(),
            None => local_host.to_owned(),
        };
        self.standard.seen = Some(format!("{host}:{port}"));
    }

    /// The server has taken a Contact that it sees otherwise: announces the right one, once a link. False when all is well.
    pub(super) fn correct_contact(&mut self) -> bool {
        let wrong = self.config.talks && self.standard_contact() != self.standard.announced;
        if !wrong || self.standard.adaptions >= MOST_ADAPTIONS {
            return false;
        }
        self.standard.adaptions += 1;
        self.standard.taken_back = Some(self.standard.announced.clone());
        self.register_again();
        true
    }

    /// Asks otherwise what was refused; false when there is no other way.
    pub(super) fn adapt(&mut self, response: &Response) -> bool {
        if self.standard.adaptions >= MOST_ADAPTIONS {
            return false;
        }
        match response.status {
            423 => {
                let least = response.headers.get(&Name::MinExpires).and_then(|v| v.trim().parse::<u64>().ok());
                let Some(least) = least.filter(|l| (1..=LONGEST_WANTED).contains(l)) else { return false };
                self.standard.wanted = Some(least);
            }
            420 | 439 if !self.standard.plain => self.standard.plain = true,
            _ => return false,
        }
        self.standard.adaptions += 1;
        self.register_again();
        true
    }

    fn register_again(&mut self) {
        let mut request = self.register(false);
        if let Some(handshake) = &mut self.handshake {
            handshake.authorize(&mut request, &mut self.rng);
        }
        self.steps.push_back(Step::Register(request));
    }

    /// Keep-alives as the server wants them (RFC 5626 5.4).
    pub(super) fn note_flow_timer(&mut self, response: &Response) {
        let seconds = response.headers.get(&"Flow-Timer".into()).and_then(|v| v.trim().parse::<u64>().ok());
        if let Some(seconds) = seconds.filter(|s| (5..=3600).contains(s)) {
            self.keep_alive = Duration::from_millis(seconds * (800 + self.rng.below(200)));
        }
        self.standard.pongs |= response.headers.has_token(&Name::Require, "outbound");
    }

    /// A keep-alive left; where they are answered, this one has to be. They may leave more often than an answer may take: the
    /// first that is not answered counts.
    pub(super) fn expect_pong(&mut self, now: Time) {
        if self.is_standard() && self.standard.pongs && self.target.transport.is_reliable() {
            self.pong_until.get_or_insert(now + PONG_WAIT);
        }
    }

    /// Octets came: the link lives. A lone line break shows that keep-alives are answered here.
    pub fn on_received(&mut self, bytes: &[u8]) {
        self.pong_until = None;
        self.standard.pongs |= bytes == b"\r\n";
    }
}

/// The way of requests outside dialogs.
pub(super) fn service_route(response: &Response) -> Vec<String> {
    let name = Name::from("Service-Route");
    let values = response.headers.all(&name).flat_map(|v| split_quoted(v, ','));
    values.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect()
}
