//! Sizes beyond which text from the network is cut.

/// Characters of a single-line field that are looked at.
pub const FIELD_CHARS: usize = 1024;
/// Octets of a message that are looked at.
pub const BLOCK_OCTETS: usize = 64 * 1024;
/// Combining marks kept on one base character.
pub const MARKS: usize = 4;
/// Nested groups of an RTF text that keep their own state.
pub const RTF_DEPTH: usize = 64;
/// Octets of what an RTF field does that are looked at.
pub const RTF_FIELD: usize = 2048;
/// Characters of one HTML tag or entity that are looked at.
pub const TAG_CHARS: usize = 4096;
/// Links marked in one line.
pub const LINKS: usize = 64;
