//! Sizes, counts and times of MSRP.

use std::time::Duration;

/// Octets of content in one chunk of ours: every chunk has this size, so that sessions that share a connection take turns.
/// Relays take no more than about 8000 (`simple.md` 3.5).
pub const CHUNK: usize = 2048;

/// Octets of the start line and headers of one frame.
pub const HEAD_MOST: usize = 8 * 1024;

/// Headers of one frame.
pub const HEADERS_MOST: usize = 64;

/// Octets of content that are handed on at once; a longer chunk comes in several parts.
pub const PART: usize = 64 * 1024;

/// URIs in one path.
pub const PATH_MOST: usize = 16;

/// Shortest and longest transaction id (RFC 4975 §9).
pub const IDENT: std::ops::RangeInclusive<usize> = 4..=32;

/// Chunks of one session that may be without an answer.
pub const WINDOW: usize = 64;

/// Octets that may be on their way beyond what the other side has reported, once it reports as it goes.
pub const AHEAD: u64 = 256 * 1024;

/// So often the receiver of something long says how far it got.
pub const REPORT_EVERY: u64 = 64 * 1024;

/// Octets of a long content that are asked for at once.
pub const PIECE: usize = 64 * 1024;

/// How long an answer to a chunk may take.
pub const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// How long the report of success may take after the last chunk.
pub const REPORT_WAIT: Duration = Duration::from_secs(60);

/// How long a message that has begun may pause.
pub const PAUSE_MOST: Duration = Duration::from_secs(60);

/// Messages that may be coming in at once in one session.
pub const INCOMING_MOST: usize = 16;

/// Messages that may wait to leave in one session.
pub const OUTGOING_MOST: usize = 64;

/// Octets of a message that is put together in memory.
pub const MESSAGE_MOST: u64 = 256 * 1024;

/// Media lines in a session description.
pub const MEDIA_MOST: usize = 32;

/// Octets of a session description.
pub const SDP_MOST: usize = 64 * 1024;
