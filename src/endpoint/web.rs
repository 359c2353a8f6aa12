//! HTTP beside the link, for services that keep documents on a server (XCAP): requests leave through the owner of the
//! endpoint, which has the sockets; the account's credentials are put on here when the server asks for them.

use super::limits::MAX_CHALLENGES;
use super::service::{ServiceId, Token};
use crate::domain::Rng;
use crate::sip::auth::DigestClient;
use crate::sip::{Name, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// One request; every one is answered by one [`WebAnswer`], or by the sentence that says why none came.
#[derive(Clone, PartialEq, Eq)]
pub struct WebRequest {
    /// Its name; given by the endpoint.
    pub id: u64,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// With TLS.
    pub tls: bool,
    /// `GET`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Path as it goes on the wire.
    pub path: String,
    /// Headers besides those of the transport.
    pub headers: Vec<(String, String)>,
    /// Body; may be empty.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for WebRequest {
    /// Without headers, which may carry credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebRequest({} {} {}:{}{})", self.id, self.method, self.host, self.port, self.path)
    }
}

/// Where documents are kept: an `http://` or `https://` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPlace {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// With TLS.
    pub tls: bool,
    /// Path without a slash at its end; may be empty.
    pub path: String,
}

impl WebPlace {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, and how it should look.
    pub fn parse(text: &str) -> Result<WebPlace, String> {
        let wrong = || format!("“{text}” is no address of documents; write it like https://xcap.example.org/xcap-root");
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(wrong)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match authority.rsplit_once(':') {
            Some((h, p)) if !h.contains(':') || h.ends_with(']') => (h, Some(p)),
            _ => (authority, None),
        };
        let port = match port {
            Some(p) => p.parse().ok().filter(|p| *p > 0).ok_or_else(wrong)?,
            None if tls => 443,
            None => 80,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty()
            || host.contains('@')
            || rest.chars().any(|c| c.is_whitespace() || c.is_control() || "?#\"".contains(c))
        {
            return Err(wrong());
        }
        Ok(WebPlace { host: host.to_owned(), port, tls, path: path.trim_end_matches('/').to_owned() })
    }
}

impl std::fmt::Display for WebPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}

/// What the server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebAnswer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl WebAnswer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|h| h.0.eq_ignore_ascii_case(name)).map(|h| h.1.as_str())
    }
}

#[derive(Debug)]
struct Open {
    service: ServiceId,
    token: Token,
    request: WebRequest,
    tries: u32,
    /// It left with credentials.
    carried: bool,
}

/// What becomes of an answer.
#[derive(Debug)]
pub(super) enum Next {
    /// Nobody waits for it.
    Nothing,
    /// It leaves again with credentials.
    Again(WebRequest),
    /// It is for this service.
    For(ServiceId, Token),
}

/// Requests under way.
#[derive(Debug)]
pub(super) struct Web {
    user: String,
    password: Zeroizing<String>,
    digest: DigestClient,
    /// The server wants the plain password (told only under TLS).
    basic: bool,
    open: BTreeMap<u64, Open>,
    next: u64,
    rng: Rng,
}

impl Web {
    pub fn new(user: &str, password: &str, rng: Rng) -> Web {
        Web {
            user: user.to_owned(),
            password: password.to_owned().into(),
            digest: DigestClient::new(user, password),
            basic: false,
            open: BTreeMap::new(),
            next: 0,
            rng,
        }
    }

    /// The request as it leaves.
    pub fn send(&mut self, service: ServiceId, token: Token, request: WebRequest) -> WebRequest {
        self.leave(Open { service, token, request, tries: 0, carried: false })
    }

    fn leave(&mut self, mut open: Open) -> WebRequest {
        self.next += 1;
        let mut out = WebRequest { id: self.next, ..open.request.clone() };
        let bare = out.headers.len();
        if self.basic && out.tls {
            let plain = Zeroizing::new(format!("{}:{}", self.user, *self.password));
            out.headers.push(("Authorization".into(), format!("Basic {}", STANDARD.encode(plain.as_bytes()))));
        } else {
            let credentials = self.digest.credentials(out.method, &out.path, &mut self.rng);
            out.headers.extend(credentials.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)));
        }
        open.carried = out.headers.len() > bare;
        self.open.insert(self.next, open);
        out
    }

    /// An answer came, or none will.
    pub fn answered(&mut self, id: u64, answer: Option<&WebAnswer>) -> Next {
        let Some(mut open) = self.open.remove(&id) else { return Next::Nothing };
        match answer {
            // What left without credentials, before those of another request were known, leaves again with these.
            Some(a) if a.status == 401 && !open.carried && self.has_credentials(open.request.tls) => {
                Next::Again(self.leave(open))
            }
            Some(a) if a.status == 401 && open.tries < MAX_CHALLENGES && self.challenged(a, open.request.tls) => {
                open.tries += 1;
                Next::Again(self.leave(open))
            }
            Some(a) => {
                if a.status != 401 {
                    self.digest.accepted();
                }
                Next::For(open.service, open.token)
            }
            None => Next::For(open.service, open.token),
        }
    }

    fn has_credentials(&self, tls: bool) -> bool {
        (self.basic && tls) || self.digest.is_challenged()
    }

    /// Whether the challenge can be answered: Digest always, the plain password only where TLS covers it.
    fn challenged(&mut self, answer: &WebAnswer, tls: bool) -> bool {
        let mut challenge = Response::new(401);
        for (name, value) in answer.headers.iter().filter(|h| h.0.eq_ignore_ascii_case("WWW-Authenticate")) {
            challenge.headers.push(Name::parse(name), value);
        }
        if self.digest.challenged(&challenge).is_ok() {
            return true;
        }
        let offers =
            challenge.headers.all(&Name::WwwAuthenticate).any(|v| v.get(..6).is_some_and(|s| s.eq_ignore_ascii_case("basic ")));
        let first = !self.basic;
        self.basic |= offers && tls;
        offers && tls && first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_mistakes_are_told() {
        let place = WebPlace::parse("http://127.0.0.1:15062/xcap-root/").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.tls, place.path.as_str()), ("127.0.0.1", 15062, false, "/xcap-root"));
        assert_eq!(
            WebPlace::parse("https://[::1]").unwrap(),
            WebPlace { host: "::1".into(), port: 443, tls: true, path: "".into() }
        );
        for bad in ["xcap.example.org", "ftp://x/", "http://", "http://x:0/", "http://me@x/", "http://x/a b", "http://x/?a"] {
            assert!(WebPlace::parse(bad).unwrap_err().contains("https://"), "{bad}");
        }
    }

    fn get(tls: bool) -> WebRequest {
        WebRequest {
            id: 0,
            host: "x".into(),
            port: 80,
            tls,
            method: "GET",
            path: "/root/a".into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn refused(challenge: &str) -> WebAnswer {
        WebAnswer { status: 401, headers: vec![("www-authenticate".into(), challenge.into())], body: Vec::new() }
    }

    fn authorization(r: &WebRequest) -> Option<&str> {
        r.headers.iter().find(|h| h.0 == "Authorization").map(|h| h.1.as_str())
    }

    fn again(next: Next) -> WebRequest {
        let Next::Again(r) = next else { panic!("{next:?}") };
        r
    }

    const DIGEST: &str = "Digest realm=\"xcap\", nonce=\"n1\", qop=\"auth\"";

    #[test]
    fn a_challenged_request_leaves_again_with_credentials_and_later_ones_carry_them_at_once() {
        let mut web = Web::new("alice", "secret", Rng::seeded(1));
        let first = web.send(ServiceId::Contacts, Token(7), get(false));
        assert_eq!(authorization(&first), None);
        let second = again(web.answered(first.id, Some(&refused(DIGEST))));
        let credentials = authorization(&second).unwrap();
        assert!(credentials.starts_with("Digest username=\"alice\"") && credentials.contains("uri=\"/root/a\""), "{credentials}");
        let done = web.answered(second.id, Some(&WebAnswer { status: 200, ..WebAnswer::default() }));
        assert!(matches!(done, Next::For(ServiceId::Contacts, Token(7))), "{done:?}");
        assert!(authorization(&web.send(ServiceId::Contacts, Token(8), get(false))).unwrap().contains("nc=00000002"));
    }

    #[test]
    fn a_wrong_password_is_told_and_not_tried_for_ever() {
        let mut web = Web::new("alice", "wrong", Rng::seeded(1));
        let first = web.send(ServiceId::Contacts, Token(1), get(false));
        let second = again(web.answered(first.id, Some(&refused(DIGEST))));
        assert!(matches!(web.answered(second.id, Some(&refused(DIGEST))), Next::For(..)));
    }

    #[test]
    fn requests_that_left_together_are_all_answered() {
        let mut web = Web::new("alice", "secret", Rng::seeded(1));
        let (one, two) =
            (web.send(ServiceId::Contacts, Token(1), get(false)), web.send(ServiceId::Contacts, Token(2), get(false)));
        again(web.answered(one.id, Some(&refused(DIGEST))));
        let second = again(web.answered(two.id, Some(&refused("Digest realm=\"xcap\", nonce=\"n2\", qop=\"auth\""))));
        assert!(authorization(&second).is_some());
        assert!(matches!(web.answered(second.id, Some(&refused(DIGEST))), Next::For(..)), "now the password is wrong");
    }

    #[test]
    fn the_plain_password_leaves_only_under_tls() {
        let mut web = Web::new("alice", "secret", Rng::seeded(1));
        let open = web.send(ServiceId::Contacts, Token(1), get(false));
        assert!(matches!(web.answered(open.id, Some(&refused("Basic realm=\"x\""))), Next::For(..)));
        let safe = web.send(ServiceId::Contacts, Token(2), get(true));
        let second = again(web.answered(safe.id, Some(&refused("Basic realm=\"x\""))));
        assert_eq!(authorization(&second), Some("Basic YWxpY2U6c2VjcmV0"));
        assert_eq!(authorization(&web.send(ServiceId::Contacts, Token(3), get(false))), None);
    }
}
