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

fn head(ctx: &mut Ctx<'_>) -> String {
    let host = host_of(&ctx.me.sent_by);
    let family = if host.contains(':') { "IP6" } else { "IP4" };
    let session = ctx.rng.below(1 << 31);
    format!("v=0\r\no=- {session} 1 IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n")
}

/// An offer of nothing.
pub(super) fn offer(ctx: &mut Ctx<'_>) -> Vec<u8> {
    head(ctx).into_bytes()
}

/// The answer to an offer: every medium in it is declined. Without an offer, ours.
pub(super) fn answer(ctx: &mut Ctx<'_>, offered: &[u8]) -> Vec<u8> {
    let mut sdp = head(ctx);
    for line in String::from_utf8_lossy(offered).lines().filter_map(|l| l.trim_end().strip_prefix("m=")).take(MEDIA_MAX) {
        let mut words = line.split_ascii_whitespace();
        if let (Some(kind), Some(_), Some(protocol)) = (words.next(), words.next(), words.next()) {
            let formats = words.next().unwrap_or("*");
            let _ = write!(sdp, "m={kind} 0 {protocol} {formats}\r\n");
        }
    }
    sdp.into_bytes()
}
