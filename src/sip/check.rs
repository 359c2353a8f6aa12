//! What a well-formed request still lacks before anybody should act on it (RFC 3261 §8.2, RFC 4475 §3.3).

use super::header::Name;
use super::{Method, Request, Response};

/// Header fields of which every request has exactly one (RFC 3261 §8.1.1; Max-Forwards may be absent, RFC 4475 §3.4.1).
const SINGLE: [Name; 4] = [Name::From, Name::To, Name::CallId, Name::CSeq];

impl Request {
    /// Whether it has what a response and a transaction need: Via, exactly one From, To, Call-ID and CSeq, the latter with
    /// this method, and no second Max-Forwards.
    pub fn is_sound(&self) -> bool {
        let mut counts = [0usize; SINGLE.len()];
        let (mut via, mut hops) = (false, 0);
        for (name, _) in self.headers.iter() {
            match name {
                Name::Via => via = true,
                Name::MaxForwards => hops += 1,
                name => {
                    if let Some(count) = SINGLE.iter().position(|s| s == name).and_then(|i| counts.get_mut(i)) {
                        *count += 1;
                    }
                }
            }
        }
        via && hops <= 1 && counts == [1; SINGLE.len()] && self.headers.cseq().is_some_and(|c| c.method == self.method)
    }

    /// The refusal an endpoint owes: 400 unsound, 416 a Request-URI of another scheme than SIP, 420 a required option not
    /// in `supported`. `None` if there is nothing to refuse; ACK and CANCEL may require nothing (RFC 3261 §8.2.2.3).
    pub fn refusal(&self, supported: &[&str], to_tag: &str) -> Option<Response> {
        if !self.is_sound() {
            return Some(self.response(400, to_tag));
        }
        let scheme = self.uri.scheme();
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return Some(self.response(416, to_tag));
        }
        if matches!(self.method, Method::Ack | Method::Cancel) {
            return None;
        }
        let required = self.headers.all(&Name::Require).flat_map(|v| v.split(',')).map(str::trim).filter(|t| !t.is_empty());
        let unknown: Vec<&str> = required.filter(|t| !supported.iter().any(|s| s.eq_ignore_ascii_case(t))).collect();
        (!unknown.is_empty()).then(|| self.response(420, to_tag).with(Name::Unsupported, unknown.join(", ")))
    }
}
