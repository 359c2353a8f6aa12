//! What a refusal of a focus means for a person.

use crate::endpoint::simple::request::retry_after;
use crate::endpoint::{Error, ErrorKind};
use crate::sip::Response;
use std::time::Duration;

/// The server sends one from place to place.
pub(super) const CIRCLE: &str = "the meeting's server sends us round in a circle; tell its administrator";
/// The address is a telephone's.
pub(super) const NO_FOCUS: &str = "a telephone answered there, not a meeting; check the address";
/// No answer at all.
pub(super) const SILENCE: &str = "the meeting's server did not answer; try again";
/// The link broke while something was asked.
pub(super) const LOST: &str = "the connection was lost before it was done; try again";

/// An error of this room with the status that said it.
pub(super) fn error(text: impl Into<String>, status: Option<u16>) -> Error {
    Error { kind: ErrorKind::ConferenceFailed, text: text.into(), status, detail: None }
}

/// Why a conference could not be joined.
pub(super) fn joining(response: &Response) -> Error {
    let wait = retry_after(response);
    let text = match response.status {
        300..=399 => "the meeting has moved to where it cannot be followed; ask for its new address".into(),
        401 | 407 => "the meeting's server does not take your name and password; ask its administrator".into(),
        403 => "the meeting does not let you in; ask whoever runs it".into(),
        404 | 410 | 604 => "there is no such meeting, or it has ended; check the address".into(),
        408 | 504 => SILENCE.into(),
        415 | 488 | 606 => {
            "this meeting carries only sound or pictures, which cannot be sent from here; join it with a phone".into()
        }
        482 | 483 => CIRCLE.into(),
        486 | 600 => "the meeting is full; try again later".into(),
        603 => "the meeting's server declined; ask whoever runs the meeting".into(),
        480 => "the meeting cannot be reached now; try again later".into(),
        500..=599 if !wait.is_zero() => format!("the meeting's server is busy; try again in {}", in_words(wait)),
        500..=599 => "the meeting's server is not available now; try again later".into(),
        status => format!("the meeting's server refused ({status})"),
    };
    error(text, Some(response.status))
}

/// Why somebody could not be brought in.
pub(super) fn inviting(status: u16, who: &str) -> String {
    match status {
        403 => format!("the meeting's server does not let you bring {who} in"),
        404 | 604 => format!("the server knows no {who}"),
        405 | 501 => {
            format!("neither the meeting's server nor {who}'s program brings people in by itself; send them the address")
        }
        408 => format!("{who} did not answer"),
        480 | 481 => format!("{who} is not there"),
        415 | 488 | 606 => format!("{who}'s program takes no meetings of this kind"),
        486 | 600 => format!("{who} is busy"),
        487 => "the invitation was withdrawn".into(),
        603 => format!("{who} declined"),
        500..=599 => "the service is not available now; try again later".into(),
        status => format!("{who} did not come ({status})"),
    }
}

/// Why somebody could not be taken out, or the conference not be ended.
pub(super) fn removing(status: u16) -> String {
    match status {
        403 | 603 => "only leaders may do this, says the meeting's server".into(),
        404 | 480 | 481 | 604 => "they are not in the meeting any more".into(),
        405 | 501 => "this meeting's server cannot do that".into(),
        408 => SILENCE.into(),
        500..=599 => "the meeting's server is not available now; try again later".into(),
        status => format!("the meeting's server refused ({status})"),
    }
}

/// Why a message did not reach the conference.
pub(super) fn undelivered(response: &Response) -> String {
    match response.status {
        403 | 603 => "the meeting does not let you write".into(),
        405 | 415 | 488 | 501 => "this meeting passes no messages on".into(),
        404 | 410 | 481 => "you are not in this meeting any more; /rejoin goes back in".into(),
        408 => "no answer came; it may or may not have arrived".into(),
        413 | 513 => "it is too long for the meeting's server; send it in parts".into(),
        500..=599 => "the meeting's server could not take it; try again later".into(),
        status => format!("the meeting's server answered {status}"),
    }
}

/// `40 s`, `2 min`
fn in_words(wait: Duration) -> String {
    match wait.as_secs() {
        s @ 0..=90 => format!("{s} s"),
        s => format!("{} min", s.div_ceil(60)),
    }
}
