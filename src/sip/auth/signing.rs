//! Signatures on messages (`[MS-SIPAE]`; lync.md 3.4 to 3.6): the string that is signed, and the association that signs it.

use super::hash::{same, unhex};
use super::ntlm::{DirectionKeys, Keys};
use super::window::Window;
use super::{AuthHeader, hash};
use crate::domain::Rng;
use crate::sip::header::{Headers, Name};
use crate::sip::{Message, syntax};

const SCHEME: &str = "NTLM";

/// Which side of an association we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs with `Authorization`, on requests and responses alike.
    Client,
    /// Signs with `Authentication-Info`.
    Server,
}

/// Why a signature was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// No signature of this association.
    #[error("the message is not signed")]
    Missing,
    /// A signature that cannot be read.
    #[error("the signature is malformed")]
    Malformed,
    /// It does not fit the message.
    #[error("the signature is wrong")]
    Wrong,
    /// Its number came before.
    #[error("the signed message came before")]
    Replayed,
}

/// A security association: keys and counters of one registration.
#[derive(Clone, Debug)]
pub struct Association {
    role: Role,
    realm: String,
    target: String,
    opaque: String,
    version: u8,
    keys: Keys,
    next: u64,
    window: Window,
}

impl Association {
    pub(super) fn new(role: Role, realm: &str, target: &str, opaque: &str, version: u8, keys: Keys) -> Association {
        let (realm, target, opaque) = (realm.to_owned(), target.to_owned(), opaque.to_owned());
        Association { role, realm, target, opaque, version, keys, next: 1, window: Window::default() }
    }

    /// The server's handle of it.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }

    /// Protocol version, 2 to 4.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Signs a message that is about to leave; nothing that is signed may change afterwards. Signatures of other
    /// associations on it (a relayed message) are taken off.
    pub fn sign(&mut self, message: &mut Message, rng: &mut Rng) {
        let value = match self.role {
            Role::Client => {
                let base = self.credentials();
                self.signed(message, &rng.hex(8), base)
            }
            Role::Server => self.info(message, &rng.hex(8).to_ascii_uppercase()),
        };
        self.place(message, value.to_string());
    }

    /// Signs the REGISTER that carries the AUTHENTICATE token (base64). Before version 4 that one has no signature.
    pub fn sign_with_token(&mut self, message: &mut Message, rng: &mut Rng, token: &str) {
        let mut value = self.credentials().with("gssapi-data", token);
        if self.version > 2 {
            value = value.with_bare("version", &self.version.to_string());
        }
        if self.version >= 4 {
            value = self.signed(message, &rng.hex(8), value);
        }
        self.place(message, value.to_string());
    }

    fn place(&self, message: &mut Message, value: String) {
        strip(message.headers_mut());
        let name = match self.role {
            Role::Client => Name::Authorization,
            Role::Server => Name::AuthenticationInfo,
        };
        message.headers_mut().push(name, value);
    }

    fn credentials(&self) -> AuthHeader {
        let out = AuthHeader::new(SCHEME).with("qop", "auth").with("opaque", &self.opaque);
        out.with("realm", &self.realm).with("targetname", &self.target)
    }

    fn signed(&mut self, message: &Message, rand: &str, value: AuthHeader) -> AuthHeader {
        let (number, mac) = self.mac(message, rand);
        value.with("crand", rand).with("cnum", &number).with("response", &mac)
    }

    fn info(&mut self, message: &Message, rand: &str) -> AuthHeader {
        let (number, mac) = self.mac(message, rand);
        let out = AuthHeader::new(SCHEME).with("rspauth", &mac).with("srand", rand).with("snum", &number);
        let out = out.with("opaque", &self.opaque).with("qop", "auth");
        out.with("targetname", &self.target).with("realm", &self.realm)
    }

    fn mac(&mut self, message: &Message, rand: &str) -> (String, String) {
        let number = self.next.to_string();
        self.next += 1;
        let parts = Signed { scheme: SCHEME, rand, number: &number, realm: &self.realm, target: &self.target };
        let text = signed_text(message, &parts, self.version);
        let mac = hash::hex(&self.own_keys().mac(text.as_bytes())).to_ascii_uppercase();
        (number, mac)
    }

    fn own_keys(&self) -> &DirectionKeys {
        match self.role {
            Role::Client => &self.keys.client,
            Role::Server => &self.keys.server,
        }
    }

    /// Verifies a message that came from the other side, and counts it as seen.
    pub fn verify(&mut self, message: &Message) -> Result<(), VerifyError> {
        let header = self.find(message.headers()).ok_or(VerifyError::Missing)?;
        let [rand, number, mac] = match self.role {
            Role::Client => ["srand", "snum", "rspauth"],
            Role::Server => ["crand", "cnum", "response"],
        };
        let (Some(rand), Some(number), Some(mac)) = (header.get(rand), header.get(number), header.get(mac)) else {
            return Err(VerifyError::Missing);
        };
        let count: u64 = number.parse().map_err(|_| VerifyError::Malformed)?;
        let mac = unhex(mac).ok_or(VerifyError::Malformed)?;
        let (realm, target) = (header.get("realm").unwrap_or(&self.realm), header.get("targetname").unwrap_or(&self.target));
        let parts = Signed { scheme: header.scheme(), rand, number, realm, target };
        let text = signed_text(message, &parts, self.version);
        let keys = match self.role {
            Role::Client => &self.keys.server,
            Role::Server => &self.keys.client,
        };
        if !same(&mac, &keys.mac(text.as_bytes())) {
            return Err(VerifyError::Wrong);
        }
        if self.window.accept(count) { Ok(()) } else { Err(VerifyError::Replayed) }
    }

    fn find(&self, headers: &Headers) -> Option<AuthHeader> {
        let names: &[Name] = match self.role {
            Role::Client => &[Name::AuthenticationInfo, Name::ProxyAuthenticationInfo],
            Role::Server => &[Name::Authorization, Name::ProxyAuthorization],
        };
        let mine = |h: &AuthHeader| h.get("opaque").is_none_or(|o| o.eq_ignore_ascii_case(&self.opaque));
        names.iter().flat_map(|n| AuthHeader::all(headers, n, SCHEME)).find(mine)
    }
}

/// Takes signatures and credentials off.
fn strip(headers: &mut Headers) {
    for name in [Name::Authorization, Name::ProxyAuthorization, Name::AuthenticationInfo, Name::ProxyAuthenticationInfo] {
        headers.remove(&name);
    }
}

struct Signed<'a> {
    scheme: &'a str,
    rand: &'a str,
    number: &'a str,
    realm: &'a str,
    target: &'a str,
}

/// The text a signature covers; `rand`, `number`, `realm` and `target` as in the header that carries the signature.
pub fn signature_string(message: &Message, rand: &str, number: &str, realm: &str, target: &str, version: u8) -> String {
    signed_text(message, &Signed { scheme: SCHEME, rand, number, realm, target }, version)
}

fn signed_text(message: &Message, s: &Signed<'_>, version: u8) -> String {
    let h = message.headers();
    let get = |name: &Name| h.get(name).unwrap_or("").trim();
    let (from, to) = (get(&Name::From), get(&Name::To));
    let (number, method) = get(&Name::CSeq).split_once([' ', '\t']).unwrap_or(("", ""));
    let method = match message {
        Message::Request(r) => r.method.as_str(),
        Message::Response(_) => method.trim(),
    };
    let mut out = String::with_capacity(256);
    let mut add = |field: &str| {
        out.push('<');
        out.push_str(field);
        out.push('>');
    };
    for field in [s.scheme, s.rand, s.number, s.realm, s.target, get(&Name::CallId), number, method] {
        add(field);
    }
    add(syntax::raw_uri(from));
    add(syntax::raw_tag(from));
    if version > 2 {
        add(syntax::raw_uri(to));
    }
    add(syntax::raw_tag(to));
    if version > 2 {
        let (sip, tel) = identities(h);
        add(sip);
        add(tel);
    }
    add(get(&Name::Expires));
    if let Message::Response(r) = message {
        add(&r.status.to_string());
    }
    out
}

/// SIP and telephone URI of `P-Asserted-Identity`, else of `P-Preferred-Identity`.
fn identities(headers: &Headers) -> (&str, &str) {
    let asserted = headers.get(&Name::PAssertedIdentity).is_some();
    let name = if asserted { Name::PAssertedIdentity } else { Name::PPreferredIdentity };
    let (mut sip, mut tel) = ("", "");
    for (_, value) in headers.iter().filter(|h| *h.0 == name) {
        for one in crate::sip::header::split_quoted(value, ',') {
            let uri = syntax::raw_uri(one.trim());
            let scheme = uri.split(':').next().unwrap_or("");
            match scheme.to_ascii_lowercase().as_str() {
                "sip" | "sips" if sip.is_empty() => sip = uri,
                "tel" if tel.is_empty() => tel = uri,
                _ => {}
            }
        }
    }
    (sip, tel)
}
