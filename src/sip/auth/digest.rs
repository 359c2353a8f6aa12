//! Digest authentication (RFC 7616, RFC 8760, RFC 3261 §22), both sides: MD5, SHA-256 and SHA-512-256, with and
//! without `-sess`; quality `auth`, or none for servers of RFC 2069.

use super::hash::{hex, hmac_sha256, md5, same, sha256, sha512_256};
use super::window::Window;
use super::{AuthError, AuthHeader};
use crate::domain::{Rng, Time};
use crate::sip::header::Name;
use crate::sip::limits::{DIGEST_MAX_NONCES, DIGEST_NONCE_LIFE};
use crate::sip::{Method, Request, Response};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A hash function of Digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Algorithm {
    Md5,
    Md5Sess,
    Sha256,
    Sha256Sess,
    Sha512_256,
    Sha512_256Sess,
}

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Md5,
    Algorithm::Md5Sess,
    Algorithm::Sha256,
    Algorithm::Sha256Sess,
    Algorithm::Sha512_256,
    Algorithm::Sha512_256Sess,
];

impl Algorithm {
    /// From its name; any case. MD5 is meant where none is given.
    pub fn parse(name: Option<&str>) -> Option<Algorithm> {
        match name {
            None => Some(Algorithm::Md5),
            Some(n) => ALGORITHMS.into_iter().find(|a| a.as_str().eq_ignore_ascii_case(n)),
        }
    }

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
            Algorithm::Sha512_256 => "SHA-512-256",
            Algorithm::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess | Algorithm::Sha512_256Sess)
    }

    fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => hex(&md5(&[text.as_bytes()])),
            Algorithm::Sha256 | Algorithm::Sha256Sess => hex(&sha256(&[text.as_bytes()])),
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => hex(&sha512_256(&[text.as_bytes()])),
        }
    }
}

/// `H(user:realm:password)`: as good as the password for this realm; what a server stores.
#[derive(Clone)]
pub struct Ha1(Zeroizing<String>);

impl Ha1 {
    /// From a password.
    pub fn new(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Ha1 {
        let mut text = format!("{user}:{realm}:{password}");
        let out = Ha1(algorithm.hash(&text).into());
        text.zeroize();
        out
    }

    /// From hexadecimal digits, as stored.
    pub fn from_hex(text: &str) -> Ha1 {
        Ha1(text.to_ascii_lowercase().into())
    }

    /// Hexadecimal digits, for storing.
    pub fn as_hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(…)")
    }
}

struct Terms<'a> {
    algorithm: Algorithm,
    nonce: &'a str,
    /// `nc`, `cnonce` and `qop`, where there is a quality.
    quality: Option<(&'a str, &'a str, &'a str)>,
    cnonce: &'a str,
}

/// The `response` value.
fn response(ha1: &Ha1, method: &str, uri: &str, t: &Terms<'_>) -> String {
    let h = |text: &str| t.algorithm.hash(text);
    let mut a1 =
        if t.algorithm.is_session() { h(&format!("{}:{}:{}", ha1.as_hex(), t.nonce, t.cnonce)) } else { ha1.as_hex().to_owned() };
    let a2 = h(&format!("{method}:{uri}"));
    let mut text = match t.quality {
        Some((nc, cnonce, qop)) => format!("{a1}:{}:{nc}:{cnonce}:{qop}:{a2}", t.nonce),
        None => format!("{a1}:{}:{a2}", t.nonce),
    };
    let out = h(&text);
    a1.zeroize();
    text.zeroize();
    out
}

/// Answers challenges, and goes on with their nonces unasked.
#[derive(Clone)]
pub struct DigestClient {
    user: String,
    password: Zeroizing<String>,
    sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
struct Session {
    proxy: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    named_algorithm: bool,
    quality: bool,
    count: u32,
    /// A request with this nonce was accepted.
    proven: bool,
    /// Only the registrar has asked: other requests go on to other people, who need not see an answer to it.
    registrar: bool,
}

impl fmt::Debug for DigestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestClient").field("user", &self.user).finish_non_exhaustive()
    }
}

impl DigestClient {
    /// For one account.
    pub fn new(user: &str, password: &str) -> DigestClient {
        DigestClient { user: user.to_owned(), password: password.to_owned().into(), sessions: Vec::new() }
    }

    /// Takes the challenges of a 401 or 407: per realm the topmost one known here. The request is then to be sent anew
    /// (CSeq and branch new). `WrongPassword` when a realm refuses again and does not say `stale`.
    pub fn challenged(&mut self, response: &Response) -> Result<(), AuthError> {
        let mut taken: Vec<Session> = Vec::new();
        let register = response.headers.cseq().is_some_and(|c| c.method == Method::Register);
        for (name, proxy) in [(Name::WwwAuthenticate, false), (Name::ProxyAuthenticate, true)] {
            for challenge in AuthHeader::all(&response.headers, &name, "Digest") {
                let Some(mut session) = Session::from_challenge(&challenge, proxy) else { continue };
                if taken.iter().any(|s| s.realm == session.realm && s.proxy == proxy) {
                    continue;
                }
                let stale = challenge.get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true"));
                let known = self.sessions.iter().find(|s| s.realm == session.realm && s.proxy == proxy);
                if known.is_some_and(|s| s.count > 0 && !s.proven) && !stale {
                    return Err(AuthError::WrongPassword);
                }
                session.registrar = register && known.is_none_or(|k| k.registrar);
                taken.push(session);
            }
        }
        if taken.is_empty() {
            return Err(AuthError::Unsupported);
        }
        self.sessions.retain(|s| !taken.iter().any(|t| t.realm == s.realm && t.proxy == s.proxy));
        self.sessions.append(&mut taken);
        Ok(())
    }

    /// The same for a request that left among others: what it carried decides. A request without credentials for a realm
    /// whose nonce came meanwhile leaves again with those; a refused nonce that was never proven means a wrong password.
    pub fn challenged_for(&mut self, request: &Request, response: &Response) -> Result<(), AuthError> {
        let mut usable = false;
        let register = request.method == Method::Register;
        for (asked, answered, proxy) in
            [(Name::WwwAuthenticate, Name::Authorization, false), (Name::ProxyAuthenticate, Name::ProxyAuthorization, true)]
        {
            let carried: Vec<AuthHeader> = AuthHeader::all(&request.headers, &answered, "Digest").collect();
            let mut realms: Vec<String> = Vec::new();
            for challenge in AuthHeader::all(&response.headers, &asked, "Digest") {
                let Some(mut session) = Session::from_challenge(&challenge, proxy) else { continue };
                if realms.contains(&session.realm) {
                    continue;
                }
                realms.push(session.realm.clone());
                usable = true;
                let of_realm = |h: &&AuthHeader| h.get("realm") == Some(session.realm.as_str());
                let used = carried.iter().find(of_realm).and_then(|h| h.get("nonce"));
                let known = self.sessions.iter_mut().find(|s| s.realm == session.realm && s.proxy == proxy);
                let stale = challenge.get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true"));
                session.registrar = register && known.as_ref().is_none_or(|k| k.registrar);
                match known {
                    Some(known) if used != Some(known.nonce.as_str()) => {
                        known.registrar &= register;
                        continue;
                    }
                    Some(known) if !known.proven && !stale => return Err(AuthError::WrongPassword),
                    _ => {}
                }
                self.sessions.retain(|s| s.realm != session.realm || s.proxy != proxy);
                self.sessions.push(session);
            }
        }
        if usable { Ok(()) } else { Err(AuthError::Unsupported) }
    }

    /// Whether there is a challenge to answer.
    pub fn is_challenged(&self) -> bool {
        !self.sessions.is_empty()
    }

    /// A request with our credentials was accepted: later challenges of its realms are no sign of a wrong password.
    pub fn accepted(&mut self) {
        self.sessions.iter_mut().for_each(|s| s.proven |= s.count > 0);
    }

    /// Puts credentials for all known realms on a request, in place of old ones.
    pub fn authorize(&mut self, request: &mut Request, rng: &mut Rng) {
        request.headers.remove(&Name::Authorization);
        request.headers.remove(&Name::ProxyAuthorization);
        let (method, register) = (request.method.as_str().to_owned(), request.method == Method::Register);
        for (name, value) in self.answers(&method, request.uri.as_str(), rng, |s| register || !s.registrar) {
            request.headers.push(name, value);
        }
    }

    /// Credentials for all known realms, each with the header that carries it.
    pub fn credentials(&mut self, method: &str, uri: &str, rng: &mut Rng) -> Vec<(Name, String)> {
        self.answers(method, uri, rng, |_| true)
    }

    fn answers(&mut self, method: &str, uri: &str, rng: &mut Rng, of: impl Fn(&Session) -> bool) -> Vec<(Name, String)> {
        let mut out = Vec::new();
        for session in self.sessions.iter_mut().filter(|s| of(s)) {
            let name = if session.proxy { Name::ProxyAuthorization } else { Name::Authorization };
            let ha1 = Ha1::new(session.algorithm, &self.user, &session.realm, &self.password);
            let cnonce = rng.hex(16);
            out.push((name, session.credentials(&self.user, &ha1, method, uri, &cnonce)));
        }
        out
    }
}

impl Session {
    fn from_challenge(challenge: &AuthHeader, proxy: bool) -> Option<Session> {
        let algorithm = challenge.get("algorithm");
        let qop = challenge.get("qop");
        let quality = qop.is_some_and(|q| q.split(',').any(|t| t.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !quality {
            return None;
        }
        Some(Session {
            proxy,
            realm: challenge.get("realm")?.to_owned(),
            nonce: challenge.get("nonce")?.to_owned(),
            opaque: challenge.get("opaque").map(str::to_owned),
            algorithm: Algorithm::parse(algorithm)?,
            named_algorithm: algorithm.is_some(),
            quality,
            count: 0,
            proven: false,
            registrar: false,
        })
    }

    fn credentials(&mut self, user: &str, ha1: &Ha1, method: &str, uri: &str, cnonce: &str) -> String {
        self.count += 1;
        let nc = format!("{:08x}", self.count);
        let quality = self.quality.then_some((nc.as_str(), cnonce, "auth"));
        let terms = Terms { algorithm: self.algorithm, nonce: &self.nonce, quality, cnonce };
        let mut out = AuthHeader::new("Digest")
            .with("username", user)
            .with("realm", &self.realm)
            .with("nonce", &self.nonce)
            .with("uri", uri)
            .with("response", &response(ha1, method, uri, &terms));
        if self.named_algorithm {
            out = out.with_bare("algorithm", self.algorithm.as_str());
        }
        if self.quality {
            out = out.with_bare("qop", "auth").with_bare("nc", &nc);
        }
        if self.quality || self.algorithm.is_session() {
            out = out.with("cnonce", cnonce);
        }
        if let Some(opaque) = &self.opaque {
            out = out.with("opaque", opaque);
        }
        out.to_string()
    }
}

/// Why credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// Parameters are missing or cannot be read: 400.
    #[error("the credentials are malformed")]
    Malformed,
    /// The nonce is too old or was not made here: challenge with `stale`.
    #[error("the nonce is not valid any more")]
    Stale,
    /// This nonce count was used before.
    #[error("the credentials were used before")]
    Replayed,
    /// No such user.
    #[error("the user is not known")]
    UnknownUser,
    /// The response does not fit.
    #[error("the password is wrong")]
    WrongPassword,
}

/// Challenges and judges. Nonces carry their time and a keyed check, so that a nonce costs memory only once it is used.
pub struct DigestServer {
    realm: String,
    secret: [u8; 32],
    used: BTreeMap<String, Window>,
    /// Nonces up to this time were dropped from `used`.
    forgotten: u64,
}

impl fmt::Debug for DigestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestServer").field("realm", &self.realm).finish_non_exhaustive()
    }
}

impl Drop for DigestServer {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl DigestServer {
    /// For one realm.
    pub fn new(realm: &str, rng: &mut Rng) -> DigestServer {
        DigestServer { realm: realm.to_owned(), secret: rng.array(), used: BTreeMap::new(), forgotten: 0 }
    }

    /// The protection space.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Challenges, best first: SHA-256, then MD5. `stale` tells a client that its password was not the trouble.
    pub fn challenges(&self, now: Time, stale: bool, rng: &mut Rng) -> [String; 2] {
        let nonce = self.nonce(now, &rng.hex(8));
        [Algorithm::Sha256, Algorithm::Md5].map(|algorithm| {
            let mut out = AuthHeader::new("Digest").with("realm", &self.realm).with("nonce", &nonce).with("qop", "auth");
            out = out.with_bare("algorithm", algorithm.as_str());
            if stale { out.with_bare("stale", "true").to_string() } else { out.to_string() }
        })
    }

    fn nonce(&self, at: Time, salt: &str) -> String {
        let body = format!("{:013x}{salt}", at.0);
        let check = hmac_sha256(&self.secret, &[body.as_bytes()]);
        format!("{body}{}", hex(&check[..12]))
    }

    fn nonce_time(&self, nonce: &str) -> Option<Time> {
        let at = Time(u64::from_str_radix(nonce.get(..13)?, 16).ok()?);
        same(nonce.as_bytes(), self.nonce(at, nonce.get(13..21)?).as_bytes()).then_some(at)
    }

    /// Judges credentials for a request with this method; gives the user name. `stored` gets the user name and whose
    /// `H(A1)` is needed (never a `-sess` kind).
    pub fn verify(
        &mut self,
        now: Time,
        method: &str,
        credentials: &AuthHeader,
        stored: impl FnOnce(&str, Algorithm) -> Option<Ha1>,
    ) -> Result<String, DigestError> {
        let need = |name: &str| credentials.get(name).ok_or(DigestError::Malformed);
        let (user, nonce, uri, given) = (need("username")?, need("nonce")?, need("uri")?, need("response")?);
        let algorithm = Algorithm::parse(credentials.get("algorithm")).ok_or(DigestError::Malformed)?;
        let (qop, nc, cnonce) = (need("qop")?, need("nc")?, need("cnonce")?);
        let count = u32::from_str_radix(nc, 16).map_err(|_| DigestError::Malformed)?;
        if !qop.eq_ignore_ascii_case("auth") || need("realm")? != self.realm {
            return Err(DigestError::Malformed);
        }
        let at = self.nonce_time(nonce).ok_or(DigestError::Stale)?;
        if now.since(at) > DIGEST_NONCE_LIFE || at.0 <= self.forgotten {
            return Err(DigestError::Stale);
        }
        let stored_as = match algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => Algorithm::Md5,
            Algorithm::Sha256 | Algorithm::Sha256Sess => Algorithm::Sha256,
            // Neither offered nor stored by this side.
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => return Err(DigestError::Malformed),
        };
        let ha1 = stored(user, stored_as).ok_or(DigestError::UnknownUser)?;
        let terms = Terms { algorithm, nonce, quality: Some((nc, cnonce, qop)), cnonce };
        let expected = response(&ha1, method, uri, &terms);
        if !same(expected.as_bytes(), given.to_ascii_lowercase().as_bytes()) {
            return Err(DigestError::WrongPassword);
        }
        if !self.used.entry(nonce.to_owned()).or_default().accept(u64::from(count)) {
            return Err(DigestError::Replayed);
        }
        self.forget(now);
        Ok(user.to_owned())
    }

    /// Drops expired nonces, and the oldest others while there are too many. Nonces sort by time.
    fn forget(&mut self, now: Time) {
        while let Some((oldest, _)) = self.used.first_key_value() {
            let at = oldest.get(..13).and_then(|t| u64::from_str_radix(t, 16).ok()).unwrap_or(0);
            let expired = now.since(Time(at)) > DIGEST_NONCE_LIFE;
            if !expired && self.used.len() <= DIGEST_MAX_NONCES {
                return;
            }
            self.used.pop_first();
            if !expired {
                self.forgotten = self.forgotten.max(at);
            }
        }
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
