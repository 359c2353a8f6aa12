//! Authentication of one registration: the handshake inside REGISTER, then the signature on every message (`lync.md` 3).

use super::user::Config;
use super::{Error, ErrorKind};
use crate::domain::{Rng, Time};
use crate::sip::{Message, Request, Response};

/// What stands after a handshake.
#[derive(Debug, Default)]
pub enum Security {
    /// Nothing: messages go as they are.
    #[default]
    None,
}

/// What became of an incoming message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be believed.
    Accept,
    /// It must not; the reason.
    Drop(&'static str),
}

/// How a handshake goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The request carries the answer and is to be sent.
    Answer,
}

/// A handshake under way.
#[derive(Debug)]
pub struct Handshake {}

impl Security {
    /// Signs a message that is about to leave.
    pub fn sign(&mut self, _message: &mut Message, _rng: &mut Rng) {}

    /// Checks a message that came.
    pub fn check(&mut self, _message: &Message) -> Verdict {
        Verdict::Accept
    }
}

impl Handshake {
    /// Nothing exchanged yet.
    pub fn new(_config: &Config) -> Handshake {
        Handshake {}
    }

    /// Answers a challenge by adding credentials to `request`.
    pub fn answer(&mut self, _now: Time, _challenge: &Response, _request: &mut Request, _rng: &mut Rng) -> Result<Progress, Error> {
        Err(Error::new(ErrorKind::AuthenticationFailed, "no way to sign in"))
    }

    /// Checks the final answer to the handshake.
    pub fn check(&mut self, _response: &Response) -> Verdict {
        Verdict::Accept
    }

    /// The handshake succeeded.
    pub fn finish(self) -> Security {
        Security::None
    }
}
