//! Who has proven what on a connection (lync.md 3): NTLM with signed messages for Lync clients, Digest without for others.

use super::{Config, UserRecord, limits};
use crate::domain::{Address, Rng, Time};
use crate::sip::auth::PendingChallenge;
use crate::sip::auth::{Algorithm, Association, AuthHeader, DigestError, DigestServer, Ha1, NtHash, NtlmServer, NtlmTarget};
use crate::sip::{Message, Name, NameAddr};

/// Challenge headers of a 401.
pub type Challenges = Vec<(Name, String)>;

/// Handshakes one connection may have begun at once.
const PENDING: usize = 4;

/// What makes and judges challenges; one per front end.
#[derive(Debug)]
pub struct Security {
    ntlm: NtlmServer,
    digest: DigestServer,
}

/// What came of a REGISTER's credentials.
#[derive(Debug, PartialEq, Eq)]
pub enum Proof {
    /// The sender is who it says.
    Given,
    /// Nothing yet, or one step more is needed.
    Asked(Challenges),
    /// The proof was wrong.
    Wrong(Challenges),
}

/// The security associations of one connection.
#[derive(Debug, Default)]
pub struct Associations {
    pending: Vec<(PendingChallenge, Time)>,
    proven: Vec<Proven>,
}

#[derive(Debug)]
struct Proven {
    user: Address,
    epid: String,
    since: Time,
    /// `None`: Digest, nothing is signed.
    signing: Option<Association>,
}

impl Security {
    /// For a front end with these names.
    pub fn new(config: &Config, rng: &mut Rng) -> Security {
        let domain = config.domains.first().map_or("", String::as_str);
        let target = NtlmTarget { netbios_domain: config.netbios_domain.clone(), ..NtlmTarget::new(&config.host, domain) };
        Security { ntlm: NtlmServer::new(target), digest: DigestServer::new(domain, rng) }
    }

    /// Judges what a guest says it knows of a conference (lync-conversations.md 4.9).
    pub fn judge_guest(&mut self, now: Time, given: &AuthHeader, focus: &str, secret: &str) -> Result<(), DigestError> {
        let realm = self.digest.realm().to_owned();
        let stored = |user: &str, algorithm: Algorithm| {
            crate::lync::identity::same_uri(user, focus).then(|| Ha1::new(algorithm, user, &realm, secret))
        };
        self.digest.verify(now, "INVITE", given, stored).map(drop)
    }

    /// Token-less challenges: NTLM for Lync clients (an unknown scheme beside it does no good there), Digest for others.
    pub fn challenges(&self, now: Time, lync: bool, stale: bool, rng: &mut Rng) -> Challenges {
        if lync {
            return vec![(Name::WwwAuthenticate, self.ntlm.offer())];
        }
        self.digest.challenges(now, stale, rng).into_iter().map(|c| (Name::WwwAuthenticate, c)).collect()
    }
}

impl Associations {
    /// Nobody has proven anything.
    pub fn is_empty(&self) -> bool {
        self.proven.is_empty()
    }

    /// Drops half-open handshakes and associations whose time is long over.
    pub fn forget_old(&mut self, now: Time) {
        self.pending.retain(|p| now.since(p.1) < limits::HALF_OPEN);
        self.proven.retain(|p| now.since(p.since) < limits::SA_LIFETIME + limits::SA_GRACE);
    }

    /// Judges the credentials of a REGISTER. `account` is the one its From names, if there is one.
    pub fn register(
        &mut self,
        now: Time,
        rng: &mut Rng,
        security: &mut Security,
        account: Option<&UserRecord>,
        register: &Message,
    ) -> Proof {
        let lync = super::registrar::is_lync(register.headers());
        let Some(value) = register.headers().get(&Name::Authorization).and_then(AuthHeader::parse) else {
            return Proof::Asked(security.challenges(now, lync, false, rng));
        };
        if value.scheme().eq_ignore_ascii_case("Digest") {
            return self.digest(now, rng, security, account, register, &value);
        }
        if !value.scheme().eq_ignore_ascii_case("NTLM") {
            return Proof::Asked(security.challenges(now, lync, false, rng));
        }
        if NtlmServer::asks_for_token(&value) {
            return self.begin(now, rng, security);
        }
        let again = |rng: &mut Rng| security.challenges(now, true, false, rng);
        let proven = match value.get("gssapi-data") {
            Some(_) => self.finish(now, account, register, &value),
            None => match self.refresh(now, register) {
                // An association that is over or unknown is no wrong password.
                false => return Proof::Asked(again(rng)),
                true => account.is_some(),
            },
        };
        if proven { Proof::Given } else { Proof::Wrong(again(rng)) }
    }

    fn begin(&mut self, now: Time, rng: &mut Rng, security: &Security) -> Proof {
        self.forget_old(now);
        if self.pending.len() >= PENDING {
            self.pending.remove(0);
        }
        let (pending, header) = security.ntlm.challenge(rng);
        self.pending.push((pending, now));
        Proof::Asked(vec![(Name::WwwAuthenticate, header)])
    }

    fn finish(&mut self, now: Time, account: Option<&UserRecord>, register: &Message, value: &AuthHeader) -> bool {
        self.forget_old(now);
        let opaque = value.get("opaque").unwrap_or("");
        let Some(at) = self.pending.iter().position(|p| p.0.opaque().eq_ignore_ascii_case(opaque)) else { return false };
        let (pending, _) = self.pending.remove(at);
        let known = |user: &str, _domain: &str| account.filter(|a| names(a, user)).map(|a| NtHash::from_bytes(a.nt_hash));
        let Ok(accepted) = pending.accept(value, known) else { return false };
        let mut signing = accepted.association;
        // From version 4 on this REGISTER is signed already.
        if signing.version() >= 4 && signing.verify(register).is_err() {
            return false;
        }
        let Some(account) = account else { return false };
        self.add(now, account.address.clone(), epid(register.headers().get(&Name::From)), Some(signing));
        true
    }

    fn refresh(&mut self, now: Time, register: &Message) -> bool {
        let user = register.headers().from().and_then(|f| f.uri.address());
        self.signer(register).is_some_and(|p| {
            let valid = now.since(p.since) < limits::SA_LIFETIME && Some(&p.user) == user.as_ref();
            valid && p.signing.as_mut().is_some_and(|s| s.verify(register).is_ok())
        })
    }

    fn digest(
        &mut self,
        now: Time,
        rng: &mut Rng,
        security: &mut Security,
        account: Option<&UserRecord>,
        register: &Message,
        value: &AuthHeader,
    ) -> Proof {
        let stored = |user: &str, algorithm: Algorithm| {
            let account = account.filter(|a| names(a, user))?;
            Some(Ha1::from_hex(if algorithm == Algorithm::Sha256 { &account.ha1_sha256 } else { &account.ha1_md5 }))
        };
        match security.digest.verify(now, "REGISTER", value, stored) {
            Ok(_) => {
                let Some(account) = account else { return Proof::Wrong(Vec::new()) };
                self.add(now, account.address.clone(), epid(register.headers().get(&Name::From)), None);
                Proof::Given
            }
            Err(DigestError::Stale | DigestError::Replayed) => Proof::Asked(security.challenges(now, false, true, rng)),
            Err(_) => Proof::Wrong(security.challenges(now, false, false, rng)),
        }
    }

    fn add(&mut self, now: Time, user: Address, epid: String, signing: Option<Association>) {
        self.proven.retain(|p| p.user != user || p.epid != epid);
        if self.proven.len() >= limits::ENDPOINTS_PER_FLOW {
            self.proven.remove(0);
        }
        self.proven.push(Proven { user, epid, since: now, signing });
    }

    /// Checks a request that is no REGISTER: gives user and epid of its sender, or the status that refuses it.
    pub fn check(&mut self, request: &Message) -> Result<(Address, String), u16> {
        let from = request.headers().from().and_then(|f| f.uri.address()).ok_or(400u16)?;
        let proven = self.signer(request).ok_or(401u16)?;
        if let Some(signing) = &mut proven.signing
            && signing.verify(request).is_err()
        {
            return Err(401);
        }
        if proven.user == from { Ok((proven.user.clone(), proven.epid.clone())) } else { Err(403) }
    }

    /// The association a message from the client speaks of: by its handle; where there is but one, that one.
    fn signer(&mut self, message: &Message) -> Option<&mut Proven> {
        if self.proven.len() <= 1 {
            return self.proven.first_mut();
        }
        let header = message.headers().get(&Name::Authorization).and_then(AuthHeader::parse);
        let opaque = header.as_ref().and_then(|h| h.get("opaque"));
        let from = message.headers().get(&Name::From);
        self.proven.iter_mut().find(|p| match (&p.signing, opaque) {
            (Some(s), Some(o)) => s.opaque().eq_ignore_ascii_case(o),
            (None, _) => {
                p.epid == epid(from) && from.and_then(NameAddr::parse).and_then(|f| f.uri.address()).as_ref() == Some(&p.user)
            }
            (Some(_), None) => false,
        })
    }

    /// Signs a message that leaves for the endpoint. Provisional answers and challenges go unsigned.
    pub fn sign(&mut self, rng: &mut Rng, message: &mut Message) {
        if matches!(message, Message::Response(r) if !r.is_final() || r.status == 401) {
            return;
        }
        let at = match self.proven.len() {
            0 => return,
            1 => 0,
            _ => self.recipient(message),
        };
        if let Some(signing) = self.proven.get_mut(at).and_then(|p| p.signing.as_mut()) {
            signing.sign(message, rng);
        }
    }

    /// Whose of several endpoints on the connection a message is: the one its From (of an answer) or To names.
    fn recipient(&self, message: &Message) -> usize {
        let name = if matches!(message, Message::Response(_)) { Name::From } else { Name::To };
        let value = message.headers().get(&name);
        let epid = epid(value);
        let user = value.and_then(NameAddr::parse).and_then(|n| n.uri.address());
        let exact = self.proven.iter().position(|p| p.epid == epid && Some(&p.user) == user.as_ref());
        exact.or_else(|| self.proven.iter().position(|p| Some(&p.user) == user.as_ref())).unwrap_or(0)
    }
}

/// The `epid` of a From or To value; empty without one.
pub fn epid(value: Option<&str>) -> String {
    value.and_then(NameAddr::parse).and_then(|n| n.params.get("epid").map(str::to_owned)).unwrap_or_default()
}

/// Whether a login name (`alice`, or the whole address) is this account's.
fn names(account: &UserRecord, login: &str) -> bool {
    login.eq_ignore_ascii_case(account.address.user()) || login.eq_ignore_ascii_case(account.address.bare())
}
