//! Failed registrations in one sentence each (`lync.md` 2.6).

use crate::endpoint::user::Config;
use crate::endpoint::{Error, ErrorKind};
use crate::lync::diagnostics::Diagnostics;
use crate::sip::{Headers, Name, Response, Server, Transport, Uri};

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Yes, later.
    Retry,
    /// No: somebody has to change something first.
    Stop,
}

/// What went wrong, and what to do.
pub(super) fn explain(response: &Response, config: &Config) -> (Error, After) {
    let why = diagnostics_reason(&response.headers);
    let (code, uri) = (parsed(&response.headers).map(|d| d.code), config.uri.bare());
    let warned = response.headers.all(&Name::Warning).any(|w| w.trim_start().starts_with("310"));
    let because = why.as_deref().map(|w| format!(" ({w})")).unwrap_or_default();
    let (text, after) = match response.status {
        403 if warned || code.is_some_and(|c| (17_000..18_000).contains(&c)) => (
            format!(
                "The server does not admit this program's version “{}”{because}. Set another user agent in the account's settings.",
                config.user_agent
            ),
            After::Stop,
        ),
        403 => (format!("The server does not let {uri} sign in{because}. Ask your administrator."), After::Stop),
        404 => (
            format!("{uri} is not known on this server{because}. Check the address, or ask your administrator to enable it."),
            After::Stop,
        ),
        408 | 480 | 500..=599 => (
            format!(
                "The server cannot sign you in just now ({} {}){because}. Try again in a moment.",
                response.status, response.reason
            ),
            After::Retry,
        ),
        _ => (
            format!(
                "The server did not accept the sign-in ({} {}){because}. Ask your administrator.",
                response.status, response.reason
            ),
            After::Stop,
        ),
    };
    let kind = if response.status == 404 { ErrorKind::RegisterFailed } else { ErrorKind::FailureResponse };
    (Error { kind, text, status: Some(response.status), detail: diagnostics(&response.headers).map(str::to_owned) }, after)
}

/// `ms-diagnostics`, or its form for clients outside.
pub fn diagnostics(headers: &Headers) -> Option<&str> {
    headers.get(&Name::MsDiagnostics).or_else(|| headers.get(&Name::MsDiagnosticsPublic))
}

/// The same, taken apart.
fn parsed(headers: &Headers) -> Option<Diagnostics> {
    Diagnostics::parse(diagnostics(headers)?)
}

/// The words of the diagnostics.
pub fn diagnostics_reason(headers: &Headers) -> Option<String> {
    parsed(headers).map(|d| d.reason).filter(|r| !r.is_empty())
}

/// Where a redirect's Contact leads.
pub(super) fn target(uri: &Uri, now: Transport) -> Option<Server> {
    let transport = match uri.param("transport") {
        Some(t) => Transport::parse(t)?,
        None => now,
    };
    let host = uri.param("maddr").filter(|m| !m.is_empty()).unwrap_or_else(|| uri.host());
    // A server that asks a TLS client to go on without encryption is not obeyed.
    if host.is_empty() || (now == Transport::Tls && transport != Transport::Tls) {
        return None;
    }
    Some(Server::new(host, uri.port().unwrap_or(transport.port()), transport))
}
