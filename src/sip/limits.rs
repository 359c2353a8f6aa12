//! Sizes, counts and times of this room.

use std::time::Duration;

/// RFC 3261 T1: estimate of a round trip.
pub const T1: Duration = Duration::from_millis(500);
/// RFC 3261 T2: longest interval between retransmissions of non-INVITE requests and INVITE responses.
pub const T2: Duration = Duration::from_millis(4000);
/// RFC 3261 T4: longest time a message stays in the network.
pub const T4: Duration = Duration::from_millis(5000);
/// 64 × T1: after this a peer is taken for dead (Timers B, F, H, J, L, M).
pub const T1_64: Duration = Duration::from_millis(32_000);
/// Timer C: longest wait for a final response to INVITE after the last provisional one (RFC 3261 §16.6: more than 3 minutes).
pub const TIMER_C: Duration = Duration::from_secs(190);
/// Time the user of a server INVITE has before the layer sends 100 by itself (RFC 3261 §17.2.1).
pub const TRYING_AFTER: Duration = Duration::from_millis(200);
/// Transactions one flow may hold; beyond it answered ones are forgotten early, then new requests get 503.
pub const MAX_TRANSACTIONS_PER_FLOW: usize = 16_384;
/// Server transactions of the whole layer; beyond it new requests get 503.
pub const MAX_SERVER_TRANSACTIONS: usize = 262_144;

/// Octets of start line and headers, the empty line included.
pub const MAX_HEAD: usize = 64 * 1024;
/// Header lines of one message.
pub const MAX_HEADERS: usize = 256;
/// Octets of a body; contact lists and batched presence of large accounts run to megabytes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;
/// Octets of body memory reserved on the word of `Content-Length` alone.
pub const BODY_RESERVE: usize = 64 * 1024;

/// How long a Digest nonce of ours is good.
pub const DIGEST_NONCE_LIFE: Duration = Duration::from_secs(300);
/// Used nonces whose counts are remembered; older ones become stale early.
pub const DIGEST_MAX_NONCES: usize = 16_384;
/// Most parts of one multipart body.
pub const MULTIPART_MAX_PARTS: usize = 1024;
/// Longest multipart boundary (RFC 2046 §5.1.1).
pub const BOUNDARY_MAX: usize = 70;
/// Longest head of one part of a multipart body.
pub const PART_HEAD_MAX: usize = 8 * 1024;

/// Seconds a session of ours lasts without a refresh (RFC 4028).
pub const SESSION_EXPIRES: u32 = 1800;
/// Fewest seconds between refreshes we agree to (RFC 4028 §4).
pub const SESSION_MIN: u32 = 90;
/// 422 answers to one INVITE until it is given up.
pub const SESSION_TOO_SHORT_MOST: u32 = 3;
/// A session nobody refreshed is ended so long before its time, or a third of it (RFC 4028 §10).
pub const SESSION_END_BEFORE: Duration = Duration::from_secs(32);
/// How long the answer to a refresh may take: a transaction's life and a little.
pub const SESSION_REFRESH_ANSWER: Duration = Duration::from_secs(34);
/// Shortest wait between two tries to refresh.
pub const SESSION_RETRY_LEAST: Duration = Duration::from_secs(4);
