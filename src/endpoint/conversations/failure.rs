//! What a refusal means for a person (`lync-conversations.md` 1.6, 9).

use crate::domain::Address;
use crate::endpoint::{Error, ErrorKind};
use crate::lync::diagnostics;
use crate::sip::{Name, Response};

/// Why a text did not arrive.
pub(super) fn undelivered(response: &Response, who: &str) -> String {
    match response.status {
        403 => format!("{who} may not be written to; {}", "the server or the other side does not allow it"),
        404 | 604 => format!("there is nobody called {who}; check the address"),
        408 | 480 | 481 | 430 => format!("{who} cannot be reached now; try again later"),
        413 | 513 => "the message is too long; send it in pieces".into(),
        415 | 488 => format!("{who} cannot receive this kind of message"),
        486 | 600 => format!("{who} does not want to be disturbed"),
        487 => "the invitation was withdrawn".into(),
        606 if warning(response) == Some(309) => "the content policy does not allow it; take links and files out".into(),
        603 | 605 => format!("{who} declined"),
        500..=599 => "the service is not available now; try again later".into(),
        other => format!("the server refused it ({other} {})", reason(response)),
    }
}

/// Why a message of somebody who is muted does not leave.
pub(super) const MUTED: &str = "you are muted in this meeting; a leader can unmute you";

/// Whether a refusal says that the sender is muted.
pub(super) fn says_muted(response: &Response) -> bool {
    diagnostic_number(response) == Some(diagnostics::MUTED)
}

/// Why one of several recipients does not have a message.
pub(super) fn recipient(status: u16) -> &'static str {
    match status {
        408 => "no answer in time",
        404 | 430 | 480 | 481 | 604 => "cannot be reached now",
        403 => "may not be written to",
        413 | 513 => "the message is too long there",
        415 | 488 => "cannot receive this kind of message",
        486 | 600 => "does not want to be disturbed",
        603 | 605 => "declined it",
        500..=599 => "the service there is not available",
        _ => "refused it",
    }
}

/// Why a conference could not be joined or commanded.
pub(super) fn conference(response: &Response) -> Error {
    let number = diagnostic_number(response);
    if let Some(text) = passcode(number) {
        return with_wire(ErrorKind::AuthenticationFailed, text.into(), response);
    }
    let text = match (response.status, number) {
        (404, Some(diagnostics::CONFERENCE_OVER)) => "this meeting is over; ask its organizer for a new one".into(),
        (_, Some(3015)) => "only leaders may do this".into(),
        (403, Some(diagnostics::MUTED)) => MUTED.into(),
        (403, _) => "the meeting does not admit you; ask its organizer".into(),
        (404 | 604, _) => "there is no such meeting, or it has ended; check the link".into(),
        (408, _) => "the meeting's server did not answer; try again".into(),
        (480 | 486, _) => "the meeting is full or cannot be reached; try again later".into(),
        (481, _) => "you are no longer in this meeting; join again".into(),
        (500..=599, _) => "the meeting's server is not available now; try again later".into(),
        (603, _) => "this meeting cannot do that".into(),
        (other, _) => format!("the server refused it ({other} {})", reason(response)),
    };
    with_wire(ErrorKind::ConferenceFailed, text, response)
}

/// What is wrong with the passcode, if that is what was refused.
fn passcode(number: Option<u32>) -> Option<&'static str> {
    match number? {
        diagnostics::PASSCODE_MISSING => Some("this meeting needs its passcode"),
        diagnostics::PASSCODE_WRONG => Some("this is not the passcode of the meeting; look into the invitation"),
        _ => None,
    }
}

/// An error with the response's status and diagnostics.
pub(super) fn with_wire(kind: ErrorKind, text: String, response: &Response) -> Error {
    let detail = response.headers.get(&Name::MsDiagnostics).or_else(|| response.headers.get(&Name::MsDiagnosticsPublic));
    Error { kind, text, status: Some(response.status), detail: detail.map(|d| d.chars().take(300).collect()) }
}

/// The reason words of `ms-diagnostics` (0.6), shortened.
pub(super) fn diagnostic_reason(headers: &crate::sip::Headers) -> Option<String> {
    let value = headers.get(&Name::MsDiagnostics).or_else(|| headers.get(&Name::MsDiagnosticsPublic))?;
    let params = crate::sip::Params::parse(value);
    params.get("reason").filter(|r| !r.is_empty()).map(|r| r.chars().take(200).collect())
}

/// How a person without a known name is called.
pub(super) fn name_of(who: &Address) -> &str {
    who.bare()
}

fn reason(response: &Response) -> String {
    diagnostic_reason(&response.headers).unwrap_or_else(|| response.reason.chars().take(80).collect())
}

fn diagnostic_number(response: &Response) -> Option<u32> {
    let value = response.headers.get(&Name::MsDiagnostics)?;
    value.split(';').next()?.trim().parse().ok()
}

fn warning(response: &Response) -> Option<u32> {
    response.headers.get(&Name::Warning)?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_table_says_something_of_its_own() {
        let say = |status: u16| undelivered(&Response::new(status), "bob@contoso.com");
        assert!(say(480).contains("cannot be reached") && say(408) == say(480) && say(481) == say(480));
        assert!(say(486).contains("disturbed"));
        assert!(say(415).contains("kind of message") && say(488) == say(415));
        assert!(say(403).contains("allow"));
        assert!(say(404).contains("nobody"));
        assert!(say(413).contains("too long"));
        assert!(say(503).contains("try again") && say(500) == say(504));
        assert!(say(603).contains("declined"));
    }

    #[test]
    fn content_policy_is_recognised_by_its_warning() {
        let r = Response::new(606).with(Name::Warning, "309 lcs.microsoft.com \"Message contents not allowed by policy\"");
        assert!(undelivered(&r, "bob").contains("policy"));
        assert!(!undelivered(&Response::new(606), "bob").contains("policy"));
    }

    #[test]
    fn the_diagnostic_reason_is_shown_for_unknown_answers() {
        let r = Response::new(499).with(Name::MsDiagnostics, "4005;reason=\"Destination URI not enabled\";source=\"fe1\"");
        assert!(undelivered(&r, "bob").contains("Destination URI not enabled"));
        assert_eq!(conference(&r).detail.as_deref(), Some("4005;reason=\"Destination URI not enabled\";source=\"fe1\""));
    }
}
