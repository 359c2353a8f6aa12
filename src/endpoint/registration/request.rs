//! REGISTER requests and the facts in their answers (`lync.md` 2.1, 2.3).

use super::Registration;
use crate::endpoint::config::Dialect;
use crate::lync::registration as wire;
use crate::sip::header::split_quoted;
use crate::sip::{Method, Name, NameAddr, Request, Response, Uri};
use std::time::Duration;

/// Lifetime where the server names none, in seconds.
pub(super) const DEFAULT_LIFETIME: u64 = 600;
const LONGEST_LIFETIME: u64 = 24 * 3600;

impl Registration {
    /// The next REGISTER, without credentials. `leave`: with `Expires: 0`.
    pub(super) fn register(&mut self, leave: bool) -> Request {
        self.cseq += 1;
        if self.config.dialect == Dialect::Simple {
            return self.standard_register(leave);
        }
        let me = &self.config.uri;
        let transport = self.target.transport;
        let (branch, tag) = (self.rng.hex(20), self.rng.hex(10));
        let mut r = Request::new(Method::Register, Uri::of_domain(me));
        r.headers
            .push(Name::Via, format!("SIP/2.0/{transport} {};branch=z9hG4bK{branch}", self.local))
            .push(Name::From, format!("<{me}>;tag={tag};epid={}", self.config.epid))
            .push(Name::To, format!("<{me}>"))
            .push(Name::MaxForwards, "70")
            .push(Name::CallId, self.call_id.clone())
            .push(Name::CSeq, format!("{} REGISTER", self.cseq))
            .push(Name::UserAgent, self.config.user_agent.clone())
            .push(Name::Contact, wire::client_contact(&self.local, transport.param(), &self.instance))
            .push(Name::Supported, "gruu-10, adhoclist, msrtc-event-categories, com.microsoft.msrtc.presence")
            .push(Name::Supported, "ms-forking")
            .push(Name::Event, "registration")
            .push(Name::AllowEvents, "presence")
            .push(Name::MsKeepAlive, wire::KEEP_ALIVE_OFFER);
        if leave {
            r.headers.push(Name::Expires, "0");
        }
        r
    }

    /// What others reach us by where the server gives no GRUU.
    pub(super) fn ip_contact(&self) -> String {
        if self.config.dialect == Dialect::Simple {
            return self.standard_contact();
        }
        let transport = self.target.transport;
        let contact = NameAddr::parse(&wire::client_contact(&self.local, transport.param(), &self.instance));
        contact.map_or_else(|| self.config.uri.to_string(), |c| c.uri.to_string())
    }
}

/// The GRUU the server gave to our instance.
pub(super) fn gruu(response: &Response, instance: &str) -> Option<String> {
    let values = response.headers.all(&Name::Contact).flat_map(|v| split_quoted(v, ','));
    wire::own_gruu(values, instance).filter(|g| Uri::parse(g).is_some())
}

/// Seconds until the registration ends: `Expires`, else that of our Contact, else a guess. On standard servers our Contact
/// knows better.
pub(super) fn lifetime(response: &Response, instance: &str, standard: bool) -> u64 {
    let contact = || {
        let mut values = response.headers.all(&Name::Contact).flat_map(|v| split_quoted(v, ','));
        let own = values.find(|v| wire::contact_instance(v).is_some_and(|i| i.eq_ignore_ascii_case(instance)))?;
        NameAddr::parse(own)?.params.get("expires")?.parse().ok()
    };
    let header = response.headers.expires().map(u64::from);
    let named = if standard { contact().or(header) } else { header.or_else(contact) };
    named.filter(|s| *s > 0).unwrap_or(DEFAULT_LIFETIME).min(LONGEST_LIFETIME)
}

/// `ms-keep-alive: UAS; …; timeout=300` (`lync.md` 1.3).
pub(super) fn keep_alive(response: &Response) -> Option<Duration> {
    let seconds = wire::keep_alive_timeout(response.headers.get(&Name::MsKeepAlive)?)?;
    (1..=86_400).contains(&seconds).then(|| Duration::from_secs(u64::from(seconds)))
}
