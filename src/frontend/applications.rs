//! Trusted applications (`domain.md` 2.2, 4.1): services that do not register. The certificate of a TLS connection says which
//! application is at its other end; everything on that connection is believed, also when it speaks as one of our people.

use super::ctx::{Action, Ctx, LogLevel};
use super::registrations::{Registration, RegistrationId};
use super::security;
use super::state::State;
use crate::domain::{Address, Time};
use crate::sip::{FlowId, Name, Request, Uri};
use serde::{Deserialize, Serialize};

/// One application the administration trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedApplication {
    /// Its address.
    pub address: Address,
    /// Name that others see.
    #[serde(default)]
    pub display_name: String,
    /// SHA-256 of its certificates, lower-case hexadecimal; any one of them will do.
    pub fingerprints: Vec<String>,
    /// When a certificate of our own making runs out; none: it was pinned and holds until it is removed.
    #[serde(default)]
    pub until: Option<Time>,
}

impl TrustedApplication {
    /// Whether it may come in with this certificate now.
    pub fn admits(&self, fingerprint: &str, now: Time) -> bool {
        self.fingerprints.iter().any(|f| f.eq_ignore_ascii_case(fingerprint)) && self.until.is_none_or(|t| now < t)
    }
}

impl State {
    /// The application a certificate belongs to.
    pub fn application_of(&self, fingerprint: &str, now: Time) -> Option<Address> {
        self.applications.values().find(|a| a.admits(fingerprint, now)).map(|a| a.address.clone())
    }
}

/// Who sends a request on an application's connection: the application, or one of our people it speaks as. `Err`: the status
/// that refuses it.
pub fn caller(state: &State, application: &Address, request: &Request) -> Result<Address, u16> {
    let from = request.headers.from().and_then(|f| f.uri.address()).ok_or(400u16)?;
    if from == *application || state.users.contains_key(&from) { Ok(from) } else { Err(403) }
}

/// The application's place among the endpoints; made by its first request on a connection, since that names its Contact.
/// `None` when the request has no usable one.
pub fn seat(ctx: &mut Ctx<'_>, flow: FlowId, application: &Address, request: &Request) -> Option<RegistrationId> {
    let here = ctx.state.registrations.on_flow(flow).find(|r| r.trusted).map(|r| r.id);
    if here.is_some() {
        return here;
    }
    let contact = request.headers.contact()?.uri;
    let epid = security::epid(request.headers.get(&Name::From));
    // The same instance on a new connection: the old one is dead, whether or not that was noticed.
    let old = ctx.state.registrations.by_epid(application, &epid).map(|r| r.id);
    if let Some(gone) = old.and_then(|id| ctx.state.registrations.remove(id)) {
        ctx.actions.push(Action::RegistrationLost(Box::new(gone)));
    }
    let name = if epid.is_empty() { ctx.rng.hex(10) } else { epid.clone() };
    let gruu = format!("{application};opaque=srvr:adsum:{name};gruu");
    let id = ctx.state.registrations.add(Registration {
        id: RegistrationId(0),
        user: application.clone(),
        epid,
        instance: String::new(),
        contact: Uri::parse(&gruu).unwrap_or(contact),
        gruu,
        flow,
        secure: true,
        expires: Time(u64::MAX),
        lync: true,
        trusted: true,
        call_id: request.headers.call_id().to_owned(),
        dialog_from: request.headers.get(&Name::From).unwrap_or("").to_owned(),
        cseq: 0,
        user_agent: request.headers.get(&Name::UserAgent).unwrap_or("").chars().take(200).collect(),
        since: ctx.now,
    });
    ctx.log(LogLevel::Info, format!("{application} is here"));
    ctx.actions.push(Action::RegistrationAdded(id));
    Some(id)
}
