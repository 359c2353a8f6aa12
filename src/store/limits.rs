//! Sizes and times of the store.

use std::time::Duration;

/// How long SQLite waits for another process that writes.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages of a database kept in memory, in KiB.
pub const PAGE_CACHE_KIB: i64 = 512;

/// Most messages one page or search brings.
pub const MAX_PAGE: usize = 500;

/// Messages that may wait for the search index. Most of what indexing costs is by transaction, so they are taken together; a
/// search takes them all first.
pub const INDEX_LAG: i64 = 64;

/// Writes that one transaction takes from the queue.
pub const MAX_BATCH: usize = 256;

/// Writes kept in memory while the disk is full.
pub const MAX_RETAINED: usize = 10_000;

/// When kept writes are tried again.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Words of a search that count.
pub const MAX_SEARCH_TERMS: usize = 16;

/// How long the keyring may take to answer a probe or a question.
pub const KEYRING_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest password taken from a command, in octets.
pub const MAX_PASSWORD: usize = 4096;
