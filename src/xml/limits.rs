//! Sizes and counts of XML documents accepted.

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
