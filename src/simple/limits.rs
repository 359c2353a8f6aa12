//! Sizes and counts this room accepts.

/// Most tuples, persons or devices read of one presence document.
pub const PIDF_MAX_PARTS: usize = 64;
/// Longest text taken from one element of a presence document.
pub const PIDF_MAX_TEXT: usize = 4 * 1024;
/// Most headers before the content of a CPIM message.
pub const CPIM_MAX_HEADERS: usize = 64;
/// Longest line of a CPIM head.
pub const CPIM_MAX_LINE: usize = 4 * 1024;
/// Longest id of a message that asks for delivery notices (RFC 5438).
pub const MESSAGE_ID_MAX: usize = 128;
/// Most watchers read of one document.
pub const WATCHERS_MAX: usize = 1_000;
/// Most resources read of one list notification.
pub const RESOURCES_MAX: usize = 2_000;
/// Most lists and entries kept of a resource-lists document.
pub const LIST_ENTRIES_MAX: usize = 5_000;
/// Most rules, and most people in one of them, read of a document of rules.
pub const RULES_MAX: usize = 2_000;
/// Most people kept of one conference (`simple.md` 5.2).
pub const CONFERENCE_USERS_MAX: usize = 1_000;
/// Most devices kept of one person in a conference.
pub const CONFERENCE_ENDPOINTS_MAX: usize = 16;
/// Most media kept of one device in a conference.
pub const CONFERENCE_MEDIA_MAX: usize = 16;
/// Most roles kept of one person in a conference.
pub const CONFERENCE_ROLES_MAX: usize = 16;
