//! What is offered to a focus that has no room for messages: a session in which nothing flows beside the signalling (RFC 3264 5:
//! an offer may have no media).

use crate::endpoint::service::Ctx;
use std::fmt::Write;

/// Media type of session descriptions.
pub(super) const SDP: &str = "application/sdp";
/// Most media of an offer that are answered.
const MEDIA_MAX: usize = 32;

/// The host of `host:port`, without brackets.
pub(super) fn host_of(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |p| p.0).trim_matches(['[', ']'])
}

/// Our descriptions in one call: they have one number, and a version that grows when what is said changes (RFC 3264 8).
#[derive(Debug)]
pub(super) struct Said {
    number: u64,
    version: u64,
    /// The last one.
    pub body: Vec<u8>,
}

impl Said {
    /// In a call that begins.
    pub fn new(ctx: &mut Ctx<'_>) -> Said {
        Said { number: ctx.rng.below(1 << 31) + 1, version: 1, body: Vec::new() }
    }

    /// Says what `write` makes of the number and the version.
    pub fn say(&mut self, write: impl Fn(u64, u64) -> Vec<u8>) -> Vec<u8> {
        let mut body = write(self.number, self.version);
        if !self.body.is_empty() && body != self.body {
            self.version += 1;
            body = write(self.number, self.version);
        }
        self.body.clone_from(&body);
        body
    }
}

fn head(ctx: &Ctx<'_>, number: u64, version: u64) -> String {
    let host = host_of(&ctx.me.sent_by);
    let family = if host.contains(':') { "IP6" } else { "IP4" };
    format!("v=0\r\no=- {number} {version} IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n")
}

/// An offer of nothing.
pub(super) fn offer(ctx: &Ctx<'_>, number: u64, version: u64) -> Vec<u8> {
    head(ctx, number, version).into_bytes()
}

/// The answer to an offer: every medium in it is declined. Without an offer, ours.
pub(super) fn answer(ctx: &Ctx<'_>, offered: &[u8], number: u64, version: u64) -> Vec<u8> {
    let mut sdp = head(ctx, number, version);
    for line in String::from_utf8_lossy(offered).lines().filter_map(|l| l.trim_end().strip_prefix("m=")).take(MEDIA_MAX) {
        let mut words = line.split_ascii_whitespace();
        if let (Some(kind), Some(_), Some(protocol)) = (words.next(), words.next(), words.next()) {
            let formats = words.next().unwrap_or("*");
            let _ = write!(sdp, "m={kind} 0 {protocol} {formats}\r\n");
        }
    }
    sdp.into_bytes()
}
