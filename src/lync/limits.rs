//! Sizes and counts this room accepts.

/// Most text octets carried in `ms-body` (conversations guide 1.4).
pub const TOAST_MAX_OCTETS: usize = 1024;
/// Longest conference id (conversations guide 0.4).
pub const CONFERENCE_ID_MAX: usize = 32;
/// Shortest conference id.
pub const CONFERENCE_ID_MIN: usize = 8;
/// Most resources one batch subscription should name (guide 8.4).
pub const BATCH_MAX_RESOURCES: usize = 100;
/// Largest contact extension in octets (guide 5.3).
pub const EXTENSION_MAX_OCTETS: usize = 1024;
/// Most octets of the words for somebody who was added to a list.
pub const CONTEXT_MAX_OCTETS: usize = 512;
/// Most people kept of one conference's roster.
pub const ROSTER_MAX: usize = 5_000;
/// Most slots read of one free-busy value.
pub const FREE_BUSY_SLOTS: usize = 20_000;
/// Most phones, addresses and links read of one contact card.
pub const CARD_ENTRIES: usize = 100;
/// Phone numbers of a conferencing server that are kept.
pub const PHONES_MAX: usize = 200;
