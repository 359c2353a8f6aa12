//! Authentication of one registration: the handshake inside REGISTER, then the signature on every message (`lync.md` 3).

use super::limits::MAX_CHALLENGES;
use super::user::Config;
use super::{Error, ErrorKind};
use crate::domain::{Rng, Time};
use crate::sip::auth::{Association, AuthError, AuthHeader, DigestClient, NtlmClient, VerifyError};
use crate::sip::{Headers, Message, Method, Name, Request, Response};

/// What stands after a handshake.
#[derive(Debug, Default)]
pub enum Security {
    /// Nothing: messages go as they are.
    #[default]
    None,
    /// Every message carries a signature, both ways.
    Ntlm(Box<Association>),
    /// Requests carry credentials; answers are believed.
    Digest(Box<DigestClient>),
}

/// What became of an incoming message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be believed.
    Accept,
    /// It must not; the reason.
    Drop(&'static str),
}

impl Security {
    /// Signs a message that is about to leave.
    pub fn sign(&mut self, message: &mut Message, rng: &mut Rng) {
        match (self, message) {
            (Security::Ntlm(association), message) => association.sign(message, rng),
            (Security::Digest(client), Message::Request(request)) if request.method != Method::Cancel => {
                client.authorize(request, rng);
            }
            _ => {}
        }
    }

    /// Checks a message that came (`lync.md` 3.5): provisional responses and challenges need no signature.
    pub fn check(&mut self, message: &Message) -> Verdict {
        let Security::Ntlm(association) = self else { return Verdict::Accept };
        if matches!(message, Message::Response(r) if r.status < 200 || matches!(r.status, 401 | 407)) {
            return Verdict::Accept;
        }
        verdict(association.verify(message))
    }
}

fn verdict(result: Result<(), VerifyError>) -> Verdict {
    match result {
        Ok(()) => Verdict::Accept,
        Err(VerifyError::Missing) => Verdict::Drop("it carries no signature of this server"),
        Err(VerifyError::Malformed) => Verdict::Drop("its signature cannot be read"),
        Err(VerifyError::Wrong) => Verdict::Drop("its signature does not fit"),
        Err(VerifyError::Replayed) => Verdict::Drop("it is a repetition of an earlier message"),
    }
}

#[derive(Debug)]
enum Stage {
    /// The plain REGISTER is out.
    Start,
    /// The empty token is out.
    Asked,
    /// The proof is out.
    Proven(Box<Association>),
    /// Digest credentials are out.
    Digest(Box<DigestClient>),
}

/// A handshake under way.
#[derive(Debug)]
pub struct Handshake {
    login: String,
    password: zeroize::Zeroizing<String>,
    workstation: String,
    stage: Stage,
    /// How often Digest credentials were asked for anew.
    refusals: u32,
}

impl Handshake {
    /// Nothing exchanged yet.
    pub fn new(config: &Config) -> Handshake {
        Handshake {
            login: config.login.clone().unwrap_or_else(|| config.uri.bare().to_owned()),
            password: config.password.clone(),
            workstation: config.machine_name.clone(),
            stage: Stage::Start,
            refusals: 0,
        }
    }

    /// Answers a challenge by adding credentials to `request`, the next REGISTER.
    pub fn answer(&mut self, now: Time, challenge: &Response, request: &mut Request, rng: &mut Rng) -> Result<(), Error> {
        let ntlm = ntlm_challenge(&challenge.headers);
        match (&mut self.stage, ntlm) {
            (Stage::Start, Some((header, _))) => {
                request.headers.push(Name::Authorization, NtlmClient::begin(&header));
                self.stage = Stage::Asked;
                Ok(())
            }
            (Stage::Asked, Some((header, true))) => self.prove(now, &header, request, rng),
            (Stage::Start, None) => self.digest(challenge, request, rng),
            (Stage::Digest(client), _) => {
                self.refusals += 1;
                if self.refusals > MAX_CHALLENGES {
                    return Err(endless());
                }
                client.challenged(challenge).map_err(|e| explain(e, &self.login))?;
                client.authorize(request, rng);
                Ok(())
            }
            (Stage::Asked | Stage::Proven(_), _) => Err(wrong_password(&self.login)),
        }
    }

    fn prove(&mut self, now: Time, challenge: &AuthHeader, request: &mut Request, rng: &mut Rng) -> Result<(), Error> {
        let client = NtlmClient::new(&self.login, &self.password, &self.workstation);
        let (mut association, token) = client.answer(challenge, now, rng).map_err(|e| explain(e, &self.login))?;
        let mut message = Message::Request(request.clone());
        association.sign_with_token(&mut message, rng, &token);
        if let Message::Request(signed) = message {
            *request = signed;
        }
        self.stage = Stage::Proven(Box::new(association));
        Ok(())
    }

    fn digest(&mut self, challenge: &Response, request: &mut Request, rng: &mut Rng) -> Result<(), Error> {
        let mut client = DigestClient::new(user_of(&self.login), &self.password);
        client.challenged(challenge).map_err(|_| unsupported(&challenge.headers))?;
        client.authorize(request, rng);
        self.stage = Stage::Digest(Box::new(client));
        Ok(())
    }

    /// Puts credentials that were asked for already on a further REGISTER.
    pub fn authorize(&mut self, request: &mut Request, rng: &mut Rng) {
        if let Stage::Digest(client) = &mut self.stage {
            client.authorize(request, rng);
        }
    }

    /// Checks an answer to a REGISTER of this handshake. Only a success after the proof carries a signature; where a
    /// server leaves it out there (`lync.md` 3.5), it is believed.
    pub fn check(&mut self, response: &Response) -> Verdict {
        match &mut self.stage {
            Stage::Proven(association) if response.status >= 200 && !matches!(response.status, 401 | 407) => {
                match association.verify(&Message::Response(response.clone())) {
                    Err(VerifyError::Missing) => Verdict::Accept,
                    result => verdict(result),
                }
            }
            _ => Verdict::Accept,
        }
    }

    /// The handshake succeeded.
    pub fn finish(self) -> Security {
        match self.stage {
            Stage::Proven(association) => Security::Ntlm(association),
            Stage::Digest(mut client) => {
                client.accepted();
                Security::Digest(client)
            }
            Stage::Start | Stage::Asked => Security::None,
        }
    }
}

/// The user name that Digest asks for.
pub fn digest_user(config: &Config) -> String {
    user_of(config.login.as_deref().unwrap_or(config.uri.bare())).to_owned()
}

/// Digest knows no domains: of CONTOSO\alice and alice@contoso.com the user is alice.
fn user_of(login: &str) -> &str {
    login.rsplit('\\').next().and_then(|u| u.split('@').next()).unwrap_or("")
}

/// The NTLM challenge, and whether it carries a token.
fn ntlm_challenge(headers: &Headers) -> Option<(AuthHeader, bool)> {
    let header = [Name::WwwAuthenticate, Name::ProxyAuthenticate].iter().find_map(|n| AuthHeader::find(headers, n, "NTLM"))?;
    let token = header.get("gssapi-data").is_some_and(|d| !d.is_empty());
    Some((header, token))
}

fn explain(error: AuthError, login: &str) -> Error {
    match error {
        AuthError::WrongPassword | AuthError::UnknownUser => wrong_password(login),
        AuthError::Malformed | AuthError::Unsupported => Error::new(
            ErrorKind::AuthenticationFailed,
            "The server's way of checking the password is not known to this program. Ask your administrator to allow NTLM version 2.",
        ),
    }
}

fn endless() -> Error {
    let text = "The server asks for the password again and again without saying that it is wrong. Tell whoever runs the server.";
    Error { status: Some(401), ..Error::new(ErrorKind::AuthenticationFailed, text) }
}

fn wrong_password(login: &str) -> Error {
    let text = format!("The server refused the password of {login}. Check the password and the sign-in name.");
    Error { status: Some(401), ..Error::new(ErrorKind::AuthenticationFailed, text) }
}

fn unsupported(headers: &Headers) -> Error {
    let offered: Vec<String> =
        headers.all(&Name::WwwAuthenticate).filter_map(AuthHeader::parse).map(|h| h.scheme().to_owned()).collect();
    let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
    let text = format!("The server offers {offered} for signing in; this program knows NTLM and Digest. Ask your administrator.");
    Error::new(ErrorKind::AuthenticationFailed, text)
}
