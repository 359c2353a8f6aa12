//! The three REGISTERs of NTLM from both sides (lync.md 3.3): empty token, CHALLENGE, AUTHENTICATE.

use super::ntlm::{self, Casing, Keys, NtHash};
use super::ntlm_message::{Authenticate, BITS_56, BITS_128, CHOSEN, Challenge, KEY_EXCHANGE, OFFERED, REQUIRED, target_info};
use super::{Association, AuthError, AuthHeader, LYNC_REALM, Role, hash};
use crate::domain::{Rng, Time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroize;

/// Highest protocol version known here (`[MS-SIPAE]` 2.2.1).
const VERSION: u8 = 4;

/// What a client signs in with.
#[derive(Clone, Debug)]
pub struct NtlmClient {
    user: String,
    domain: String,
    workstation: String,
    hash: NtHash,
}

impl NtlmClient {
    /// `login` is `DOMAIN\user` or a name to be sent whole with an empty domain (user principal name, sign-in address).
    pub fn new(login: &str, password: &str, workstation: &str) -> NtlmClient {
        let (domain, user) = login.split_once('\\').unwrap_or(("", login));
        NtlmClient {
            user: user.to_owned(),
            domain: domain.to_owned(),
            workstation: workstation.to_owned(),
            hash: NtHash::from_password(password),
        }
    }

    /// `Authorization` of the second REGISTER, from the token-less challenge: asks for a token.
    pub fn begin(offer: &AuthHeader) -> String {
        let out = AuthHeader::new(offer.scheme())
            .with("qop", "auth")
            .with("realm", offer.get("realm").unwrap_or(LYNC_REALM))
            .with("targetname", offer.get("targetname").unwrap_or(""))
            .with("gssapi-data", "");
        match version(offer) {
            2 => out.to_string(),
            v => out.with_bare("version", &v.to_string()).to_string(),
        }
    }

    /// From a challenge with a token: the association, and the token for [`Association::sign_with_token`].
    pub fn answer(&self, challenge: &AuthHeader, now: Time, rng: &mut Rng) -> Result<(Association, String), AuthError> {
        self.answer_with(challenge, ntlm::filetime(now), rng.array(), rng.array())
    }

    pub(super) fn answer_with(
        &self,
        header: &AuthHeader,
        filetime: [u8; 8],
        client_challenge: [u8; 8],
        mut session_key: [u8; 16],
    ) -> Result<(Association, String), AuthError> {
        let challenge = Challenge::parse(&token(header)?)?;
        if challenge.flags & REQUIRED != REQUIRED {
            return Err(AuthError::Unsupported);
        }
        let strength = if challenge.flags & BITS_128 != 0 { BITS_128 } else { challenge.flags & BITS_56 };
        let flags = CHOSEN | strength;
        let mut ntowf = self.hash.ntowf_v2(&self.user, &self.domain, Casing::Unicode);
        let filetime = challenge.timestamp().unwrap_or(filetime);
        let blob = ntlm::blob(filetime, client_challenge, &challenge.target_info);
        let proof = ntlm::proof(&ntowf, challenge.server_challenge, &blob);
        let mut base_key = ntlm::session_base_key(&ntowf, &proof);
        let message = Authenticate {
            flags,
            domain: self.domain.clone(),
            user: self.user.clone(),
            workstation: self.workstation.clone(),
            lm: ntlm::lm_response(&ntowf, challenge.server_challenge, client_challenge).to_vec(),
            nt: [proof.as_slice(), &blob].concat(),
            session_key: ntlm::exchange(&base_key, session_key).to_vec(),
            version: [5, 1, 0x28, 0x0A, 0, 0, 0, 15],
        };
        let keys = Keys::new(&session_key, flags);
        ntowf.zeroize();
        base_key.zeroize();
        session_key.zeroize();
        let opaque = header.get("opaque").unwrap_or("");
        let (realm, target) = (header.get("realm").unwrap_or(LYNC_REALM), header.get("targetname").unwrap_or(""));
        let association = Association::new(Role::Client, realm, target, opaque, version(header), keys);
        Ok((association, STANDARD.encode(message.to_bytes())))
    }
}

/// Lower of the peer's and our version; 2 where none is given.
fn version(header: &AuthHeader) -> u8 {
    header.get("version").and_then(|v| v.parse().ok()).unwrap_or(2).clamp(2, VERSION)
}

fn token(header: &AuthHeader) -> Result<Vec<u8>, AuthError> {
    let data = header.get("gssapi-data").ok_or(AuthError::Malformed)?;
    STANDARD.decode(data).map_err(|_| AuthError::Malformed)
}

/// Names a server calls itself by in its challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtlmTarget {
    /// `lync01.contoso.com`; also the `targetname`.
    pub dns_computer: String,
    /// `contoso.com`.
    pub dns_domain: String,
    /// `CONTOSO`.
    pub netbios_domain: String,
    /// `LYNC01`.
    pub netbios_computer: String,
}

impl NtlmTarget {
    /// From a host name and a domain; the NetBIOS names are their first labels.
    pub fn new(host: &str, domain: &str) -> NtlmTarget {
        let label = |name: &str| name.split('.').next().unwrap_or("").to_ascii_uppercase().chars().take(15).collect();
        NtlmTarget {
            dns_computer: host.to_owned(),
            dns_domain: domain.to_owned(),
            netbios_domain: label(domain),
            netbios_computer: label(host),
        }
    }
}

/// The challenging side.
#[derive(Clone, Debug)]
pub struct NtlmServer {
    target: NtlmTarget,
}

/// A challenge on its way; forget it after half a minute.
#[derive(Clone, Debug)]
pub struct PendingChallenge {
    target: NtlmTarget,
    opaque: String,
    server_challenge: [u8; 8],
}

/// A client that proved its password.
#[derive(Debug)]
pub struct Accepted {
    /// Signs and verifies from now on.
    pub association: Association,
    /// User name of the token, as sent.
    pub user: String,
    /// Domain of the token, as sent; may be empty.
    pub domain: String,
}

impl NtlmServer {
    /// With these names.
    pub fn new(target: NtlmTarget) -> NtlmServer {
        NtlmServer { target }
    }

    /// `WWW-Authenticate` without token.
    pub fn offer(&self) -> String {
        AuthHeader::new("NTLM")
            .with("realm", LYNC_REALM)
            .with("targetname", &self.target.dns_computer)
            .with_bare("version", &VERSION.to_string())
            .to_string()
    }

    /// Whether an `Authorization` asks for a token (`gssapi-data=""`).
    pub fn asks_for_token(header: &AuthHeader) -> bool {
        header.get("gssapi-data") == Some("")
    }

    /// `WWW-Authenticate` with token, and what is needed to judge the answer.
    pub fn challenge(&self, rng: &mut Rng) -> (PendingChallenge, String) {
        let pending = PendingChallenge {
            target: self.target.clone(),
            opaque: rng.hex(8).to_ascii_uppercase(),
            server_challenge: rng.array(),
        };
        let header = pending.header();
        (pending, header)
    }
}

impl PendingChallenge {
    /// The handle the client repeats.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }

    fn header(&self) -> String {
        AuthHeader::new("NTLM")
            .with("opaque", &self.opaque)
            .with("gssapi-data", &STANDARD.encode(self.message().to_bytes()))
            .with("targetname", &self.target.dns_computer)
            .with("realm", LYNC_REALM)
            .with_bare("version", &VERSION.to_string())
            .to_string()
    }

    fn message(&self) -> Challenge {
        let t = &self.target;
        Challenge {
            flags: OFFERED,
            server_challenge: self.server_challenge,
            target_name: ntlm::utf16(&t.netbios_domain),
            target_info: target_info(&[
                (2, &t.netbios_domain),
                (1, &t.netbios_computer),
                (4, &t.dns_domain),
                (3, &t.dns_computer),
            ]),
            version: [6, 1, 0xB1, 0x1D, 0, 0, 0, 15],
        }
    }

    /// Judges the client's token. `lookup` gets user and domain as they stand in it and gives the stored hash.
    /// With version 4 the same REGISTER is signed: verify it with the association afterwards.
    pub fn accept(&self, header: &AuthHeader, lookup: impl FnOnce(&str, &str) -> Option<NtHash>) -> Result<Accepted, AuthError> {
        let message = Authenticate::parse(&token(header)?)?;
        if message.flags & KEY_EXCHANGE == 0 || message.nt.len() < 16 + 28 || message.user.is_empty() {
            return Err(AuthError::Unsupported);
        }
        let encrypted: [u8; 16] = message.session_key.as_slice().try_into().map_err(|_| AuthError::Malformed)?;
        let (proof, blob) = message.nt.split_first_chunk::<16>().ok_or(AuthError::Malformed)?;
        let stored = lookup(&message.user, &message.domain).ok_or(AuthError::UnknownUser)?;
        for casing in [Casing::Unicode, Casing::Ascii] {
            let mut ntowf = stored.ntowf_v2(&message.user, &message.domain, casing);
            if !hash::same(proof, &ntlm::proof(&ntowf, self.server_challenge, blob)) {
                continue;
            }
            let mut base_key = ntlm::session_base_key(&ntowf, proof);
            let mut session_key = ntlm::exchange(&base_key, encrypted);
            let keys = Keys::new(&session_key, message.flags);
            ntowf.zeroize();
            base_key.zeroize();
            session_key.zeroize();
            let target = &self.target.dns_computer;
            let association = Association::new(Role::Server, LYNC_REALM, target, &self.opaque, version(header), keys);
            return Ok(Accepted { association, user: message.user, domain: message.domain });
        }
        Err(AuthError::WrongPassword)
    }
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
