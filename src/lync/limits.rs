//! Sizes and counts this room accepts.

/// Largest XML document in octets.
pub const XML_MAX_OCTETS: usize = 2 * 1024 * 1024;
/// Deepest nesting of elements.
pub const XML_MAX_DEPTH: usize = 64;
/// Most elements and texts in one document.
pub const XML_MAX_NODES: usize = 60_000;
/// Most attributes of one element.
pub const XML_MAX_ATTRIBUTES: usize = 64;
/// Longest namespace name; real ones have fewer than 80 characters.
pub const XML_MAX_NAMESPACE: usize = 256;
/// Most parts of one multipart body.
pub const MULTIPART_MAX_PARTS: usize = 1024;
/// Longest multipart boundary (RFC 2046 §5.1.1).
pub const BOUNDARY_MAX: usize = 70;
/// Longest head of one part of a multipart body.
pub const PART_HEAD_MAX: usize = 8 * 1024;
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
/// Most people kept of one conference's roster.
pub const ROSTER_MAX: usize = 5_000;
