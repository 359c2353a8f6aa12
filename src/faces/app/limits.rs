//! Limits of the JSON lines.

use std::time::Duration;

/// Octets of one line of input; a longer one is skipped and answered.
pub const MAX_LINE: usize = 256 * 1024;
/// Requests that have no answer yet.
pub const MAX_OUTSTANDING: usize = 256;
/// Waits that wait at once.
pub const MAX_WAITS: usize = 64;
/// Lines that wait for a slow reader; events beyond are counted and dropped, answers are not.
pub const MAX_OUTPUT: usize = 10_000;
/// Lines of input that may wait.
pub const INPUT_QUEUE: usize = 64;
/// Lines handed to the writer at once.
pub const WRITER_QUEUE: usize = 64;
/// Ended conversations that a snapshot still shows.
pub const MAX_ENDED: usize = 100;
/// How long the goodbye may take at the end.
pub const GOODBYE: Duration = Duration::from_secs(5);
