//! Limits and times of this room, in one place.

use std::time::Duration;

/// Back-off between sign-in attempts after a lost link (`lync.md` 13.1); the last one repeats.
pub const BACK_OFF: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(60)];
/// Largest addition of chance to a back-off, in parts of a hundred.
pub const BACK_OFF_JITTER_PERCENT: u64 = 20;
/// A registration is refreshed this long before it ends.
pub const REFRESH_BEFORE: Duration = Duration::from_secs(30);
/// A registration shorter than this is refreshed at half its time.
pub const SHORT_REGISTRATION: Duration = Duration::from_secs(60);
/// Life of a security association (`lync.md` 3.11): 8 h less the safety margin.
pub const ASSOCIATION_LIFE: Duration = Duration::from_secs(8 * 3600 - 5 * 60);
/// Redirects followed in one sign-in.
pub const MAX_REDIRECTS: u32 = 5;
/// Keep-alive before the server has said a number (`lync.md` 1.3).
pub const FIRST_KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a sign-out waits for the answer.
pub const SIGN_OUT_WAIT: Duration = Duration::from_secs(3);
/// How long a connection may take (the link reports failure; this guards against one that never does).
pub const CONNECT_WAIT: Duration = Duration::from_secs(30);
/// A subscription longer than this is renewed [`RENEW_BEFORE`] its end, a shorter one at its end (`lync.md` 4).
pub const LONG_SUBSCRIPTION: Duration = Duration::from_secs(240);
/// See [`LONG_SUBSCRIPTION`].
pub const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// How long an accepted write waits for its notification before the whole list is fetched.
pub const SETTLE_WAIT: Duration = Duration::from_secs(5);
/// Wait before a refused or ended subscription is tried again (`domain.md` 3.9, 3.10).
pub const RESUBSCRIBE_WAIT: Duration = Duration::from_secs(10);
/// Wait when the server names a longer trouble.
pub const RESUBSCRIBE_SLOW: Duration = Duration::from_secs(60);
/// Automatic publication is tried again after this (`domain.md` 3.11).
pub const PUBLISH_RETRY: Duration = Duration::from_secs(15 * 60);
/// A publication is rebuilt after conflicts at most this often (`domain.md` 5.6 rule 2).
pub const MAX_CONFLICTS: u32 = 3;
/// People in one batch subscription (`lync.md` 8.4).
pub const BATCH_SIZE: usize = 100;
/// Polling interval for automata (`domain.md` 5.10).
pub const POLL_INTERVAL: Duration = Duration::from_secs(300);
/// Operations that may wait in one service.
pub const MAX_QUEUED: usize = 256;
/// Rows asked of the directory.
pub const DIRECTORY_ROWS: u32 = 100;
/// Octets of one wire record kept for the Wire pane.
pub const MAX_TRACE_BYTES: usize = 64 * 1024;
/// Octets of one incoming message.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Publications of ours accepted from the server.
pub const MAX_PUBLICATIONS: usize = 2_000;
/// Contacts accepted from the server.
pub const MAX_CONTACTS: usize = 10_000;
/// Busy and Do Not Disturb by hand last this long (`domain.md` 9).
pub const TIMED_STATUS_SECS: u32 = 24 * 3600;
