//! REGISTER: sign-in, refresh, sign-out, replacement and expiry (lync.md 2).

use super::registrations::{Registration, RegistrationId};
use super::security::{self, Challenges};
use super::timers::Timers;
use super::{Action, Config, Ctx, Incoming, LogLevel, Module, limits};
use crate::domain::{Address, Rng, Time};
use crate::lync::diagnostics::Diagnostics;
use crate::lync::identity;
use crate::lync::registration::{self, Notice};
use crate::sip::{FlowId, Headers, Method, Name, NameAddr, Request, Response, ServerTx, Uri};
use std::time::Duration;

/// `Server` of every answer: the generation whose dialect is spoken here.
pub const SERVER: &str = "RTC/5.0 adsum";

/// Keeps registrations alive and ends them.
#[derive(Debug, Default)]
pub struct Registrar {
    timers: Timers<RegistrationId>,
}

/// Why a REGISTER is refused before anybody has proven anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    diagnostics: Option<(u32, &'static str)>,
    extra: Option<(Name, String)>,
}

impl Refusal {
    fn new(status: u16, code: u32, reason: &'static str) -> Refusal {
        Refusal { status, diagnostics: Some((code, reason)), extra: None }
    }

    /// No such account.
    pub fn unknown_user() -> Refusal {
        Refusal::new(404, 1003, "User does not exist")
    }

    /// The response.
    pub fn response(&self, request: &Request, config: &Config, rng: &mut Rng) -> Response {
        let mut r = request.response(self.status, &rng.hex(16));
        if let Some((code, reason)) = self.diagnostics {
            r.headers.push(Name::MsDiagnostics, Diagnostics::new(code, reason).from_source(&config.host).to_string());
        }
        if let Some((name, value)) = &self.extra {
            r.headers.push(name.clone(), value.clone());
        }
        r
    }
}

/// Whether the sender speaks the Lync dialect.
pub fn is_lync(headers: &Headers) -> bool {
    headers.has_token(&Name::Supported, "msrtc-event-categories")
        || headers.get(&Name::Event).is_some_and(|e| e.eq_ignore_ascii_case("registration"))
        || !security::epid(headers.get(&Name::From)).is_empty()
}

/// The account a REGISTER is for.
pub fn account(request: &Request) -> Option<Address> {
    request.headers.to()?.uri.address()
}

/// Whether somebody who asks for an unknown account is told so. Others see the same as with a wrong password.
pub fn tell_unknown(peer: &str) -> bool {
    let host = peer.trim_start_matches('[');
    host.starts_with("127.") || host.starts_with("::1") || host.starts_with("localhost")
}

/// What can be said of a REGISTER without knowing who sends it.
pub fn check(request: &Request, config: &Config) -> Result<(), Refusal> {
    let h = &request.headers;
    let bad = |reason| Err(Refusal { extra: None, ..Refusal::new(400, 4010, reason) });
    let Some(from) = h.from().and_then(|f| f.uri.address()) else { return bad("From names no user") };
    let Some(to) = account(request) else { return bad("To names no user") };
    if from != to {
        return Err(Refusal::new(403, 4003, "Only the user itself can register"));
    }
    if !config.is_local(to.host()) {
        return Err(Refusal::unknown_user());
    }
    if h.get(&Name::Event).is_some_and(|e| !e.trim().eq_ignore_ascii_case("registration")) {
        return Err(Refusal::new(489, 4055, "Event is not registration"));
    }
    if h.has_token(&Name::Supported, "msrtc-event-categories") && !h.has_token(&Name::Supported, "gruu-10") {
        let extra = Some((Name::Require, "gruu-10".to_owned()));
        return Err(Refusal { extra, ..Refusal::new(421, 2057, "gruu-10 is needed with msrtc-event-categories") });
    }
    let contact = h.get(&Name::Contact).unwrap_or("");
    let named = registration::contact_instance(contact).is_some() || !security::epid(h.get(&Name::From)).is_empty();
    if is_lync(h) && !named {
        return bad("Neither epid nor sip.instance");
    }
    if contact != "*" && !contact.is_empty() && NameAddr::parse(contact).is_none() {
        return bad("Contact is malformed");
    }
    match asked(request) {
        Some(n) if n > 0 && n < limits::REGISTRATION_MIN_EXPIRES => {
            let extra = Some((Name::MinExpires, limits::REGISTRATION_MIN_EXPIRES.to_string()));
            Err(Refusal { status: 423, diagnostics: None, extra })
        }
        _ => Ok(()),
    }
}

/// 401 with challenges and the server's clock.
pub fn challenge(request: &Request, challenges: Challenges, now: Time, rng: &mut Rng) -> Response {
    let mut r = request.response(401, &rng.hex(32));
    r.headers.push(Name::Date, now.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    for (name, value) in challenges {
        r.headers.push(name, value);
    }
    r
}

/// Seconds asked for: `expires` of the Contact, else the header.
fn asked(request: &Request) -> Option<u32> {
    let contact = request.headers.get(&Name::Contact).and_then(NameAddr::parse);
    let param = contact.and_then(|c| c.params.get("expires").and_then(|e| e.parse().ok()));
    param.or_else(|| request.headers.expires())
}

impl Registrar {
    /// An authenticated REGISTER.
    pub fn register(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, flow: FlowId, secure: bool, request: &Request) {
        let Some(user) = account(request) else { return };
        let contact_value = request.headers.get(&Name::Contact).unwrap_or("").trim();
        let epid = security::epid(request.headers.get(&Name::From));
        let instance = registration::contact_instance(contact_value).unwrap_or_default();
        let existing = find(ctx, &user, &epid, &instance, contact_value, flow);
        if asked(request) == Some(0) {
            return self.sign_out(ctx, tx, request, &user, contact_value, existing);
        }
        let (Some(contact), false) = (request.headers.contact().map(|c| c.uri), contact_value.is_empty()) else {
            return answer(ctx, tx, request, &user, None, "refreshed");
        };
        let most = ctx.config.registration_expires;
        let expires = asked(request).unwrap_or(most).clamp(limits::REGISTRATION_MIN_EXPIRES.min(most), most);
        let until = ctx.now + Duration::from_secs(u64::from(expires) + REGISTRATION_GRACE);
        let cseq = request.headers.cseq().map_or(0, |c| c.number);
        if let Some(id) = existing.filter(|id| ctx.registration(*id).is_some_and(|r| r.flow == flow)) {
            if let Some(r) = ctx.state.registrations.get_mut(id) {
                (r.expires, r.contact, r.cseq) = (until, contact, cseq);
                r.call_id.clear();
                r.call_id.push_str(request.headers.call_id());
            }
            return answer(ctx, tx, request, &user, Some(expires), "refreshed");
        }
        if let Some(old) = existing {
            self.dismiss(ctx, old, Notice::Unregistered);
        }
        self.make_room(ctx, &user);
        let lync = is_lync(&request.headers);
        let instance_or = if instance.is_empty() { identity::instance_id(&epid) } else { instance.clone() };
        let gruu = match lync {
            true => identity::gruu(&user, &instance_or),
            false => format!("{user};opaque=user:epid:{};gruu", ctx.rng.hex(24)),
        };
        let fresh = Registration {
            id: RegistrationId(0),
            user: user.clone(),
            epid,
            instance,
            gruu,
            contact,
            flow,
            secure,
            expires: until,
            lync,
            trusted: false,
            call_id: request.headers.call_id().to_owned(),
            cseq,
            user_agent: request.headers.get(&Name::UserAgent).unwrap_or("").chars().take(200).collect(),
            since: ctx.now,
            dialog_from: request.headers.get(&Name::From).unwrap_or("").to_owned(),
        };
        let id = ctx.state.registrations.add(fresh);
        self.timers.arm(until, id);
        ctx.log(LogLevel::Info, format!("{user} signed in"));
        answer(ctx, tx, request, &user, Some(expires), "added");
        ctx.actions.push(Action::RegistrationAdded(id));
    }

    /// The ninth endpoint of an owner takes the place of the oldest.
    fn make_room(&mut self, ctx: &mut Ctx<'_>, user: &Address) {
        while ctx.state.registrations.count(user) >= limits::ENDPOINTS_PER_OWNER {
            let Some(oldest) = ctx.registrations_of(user).next().map(|r| r.id) else { return };
            self.dismiss(ctx, oldest, Notice::Unregistered);
        }
    }

    fn sign_out(
        &mut self,
        ctx: &mut Ctx<'_>,
        tx: ServerTx,
        request: &Request,
        user: &Address,
        contact: &str,
        existing: Option<RegistrationId>,
    ) {
        let ids: Vec<_> = match existing {
            // RFC 3261 §10.2.2: all bindings; those of Lync clients are their own.
            _ if contact == "*" => ctx.registrations_of(user).filter(|r| !r.lync).map(|r| r.id).collect(),
            found => found.into_iter().collect(),
        };
        for id in ids {
            // Modules tell a sign-out from a lost connection by the time of expiry.
            if let Some(r) = ctx.state.registrations.get_mut(id) {
                r.expires = ctx.now;
            }
            self.end(ctx, id);
        }
        let response = ctx.response(request, 200).with(Name::Expires, "0");
        ctx.respond(Some(tx), response);
        ctx.log(LogLevel::Info, format!("{user} signed out"));
    }

    /// Takes an endpoint out and tells the modules.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, id: RegistrationId) {
        if let Some(gone) = ctx.state.registrations.remove(id) {
            ctx.actions.push(Action::RegistrationLost(Box::new(gone)));
        }
    }

    /// Tells an endpoint that it is signed out, and signs it out (lync.md 2.5).
    pub fn dismiss(&mut self, ctx: &mut Ctx<'_>, id: RegistrationId, notice: Notice) {
        let Some(r) = ctx.registration(id).filter(|r| r.lync).cloned() else { return self.end(ctx, id) };
        let reason = match notice {
            Notice::Rejected => "User disabled",
            Notice::Deactivated => "The server is going away",
            _ => "The endpoint was registered elsewhere",
        };
        let diagnostics = Diagnostics::new(notice.code(), reason).to_string();
        let from = format!("<{}>;tag={}", r.user, ctx.rng.hex(16));
        let mut request = Request::new(Method::Benotify, r.contact.clone());
        request
            .headers
            .push(Name::MaxForwards, "70")
            .push(Name::To, r.dialog_from.clone())
            .push(Name::From, from)
            .push(Name::CallId, r.call_id.clone())
            .push(Name::CSeq, "2 BENOTIFY")
            .push(Name::Event, "registration-notify")
            .push(Name::SubscriptionState, "terminated;expires=0")
            .push(Name::MsDiagnosticsPublic, diagnostics);
        let request = request.with_body(registration::REGISTRATION_EVENT_TYPE, notice.to_string());
        ctx.send_stateless(id, request);
        ctx.log(LogLevel::Info, format!("{}: {reason}", r.user));
        self.end(ctx, id);
    }
}

impl Module for Registrar {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        ctx.respond_status(&incoming, 501);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(id) = self.timers.pop_due(ctx.now) {
            match ctx.registration(id).map(|r| r.expires) {
                Some(until) if until > ctx.now => self.timers.arm(until, id),
                Some(_) => self.end(ctx, id),
                None => {}
            }
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.timers.next()
    }
}

/// Seconds beyond what was granted, for a refresh on its way.
const REGISTRATION_GRACE: u64 = 32;

/// The registration a REGISTER speaks of: same instance, same epid, or (without either) same Contact on this connection.
fn find(ctx: &Ctx<'_>, user: &Address, epid: &str, instance: &str, contact: &str, flow: FlowId) -> Option<RegistrationId> {
    let uri: Option<Uri> = NameAddr::parse(contact).map(|c| c.uri);
    let same = |r: &&Registration| match (instance.is_empty(), epid.is_empty()) {
        (false, _) if !r.instance.is_empty() => r.instance.eq_ignore_ascii_case(instance),
        (_, false) => r.epid.eq_ignore_ascii_case(epid),
        _ => r.flow == flow && Some(&r.contact) == uri.as_ref(),
    };
    ctx.registrations_of(user).find(same).map(|r| r.id)
}

/// 200 with the Contact of every endpoint of the user.
fn answer(ctx: &mut Ctx<'_>, tx: ServerTx, request: &Request, user: &Address, expires: Option<u32>, action: &str) {
    let mut r = ctx.response(request, 200);
    if is_lync(&request.headers) {
        r.headers
            .push(Name::MsKeepAlive, registration::keep_alive_answer(limits::KEEP_ALIVE))
            .push(Name::PresenceState, format!("register-action=\"{action}\""))
            .push(Name::AllowEvents, registration::ALLOW_EVENTS)
            .push(Name::Supported, "adhoclist")
            .push(Name::Supported, "msrtc-event-categories");
    }
    let now = ctx.now;
    for e in ctx.registrations_of(user) {
        let left = u32::try_from(e.expires.since(now).as_secs().saturating_sub(REGISTRATION_GRACE)).unwrap_or(0);
        let contact = match e.lync {
            true if !e.instance.is_empty() => registration::granted_contact(e.contact.as_str(), left, &e.instance, &e.user),
            _ => format!("<{}>;expires={left};gruu=\"{}\"", e.contact, e.gruu),
        };
        r.headers.push(Name::Contact, contact);
    }
    if let Some(expires) = expires {
        r.headers.push(Name::Expires, expires.to_string());
    }
    ctx.respond(Some(tx), r);
}

#[cfg(test)]
mod tests;
