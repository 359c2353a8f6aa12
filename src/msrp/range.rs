//! `Byte-Range`: which octets of a message a chunk holds.

use std::fmt;

/// First octet (from 1), last octet and size of the whole; what is not known yet is a star on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// First octet, counted from 1.
    pub start: u64,
    /// Last octet.
    pub end: Option<u64>,
    /// Octets of the whole message.
    pub total: Option<u64>,
}

impl ByteRange {
    /// What a chunk without the header holds.
    pub const WHOLE: ByteRange = ByteRange { start: 1, end: None, total: None };

    /// Reads the header's value.
    pub fn parse(text: &str) -> Option<ByteRange> {
        let (range, total) = text.trim().split_once('/')?;
        let (start, end) = range.split_once('-')?;
        let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<u64>().ok()).flatten();
        let known = |t: &str| if t == "*" { Some(None) } else { number(t).map(Some) };
        let out = ByteRange { start: number(start)?, end: known(end)?, total: known(total)? };
        let before = out.start.checked_sub(1)?;
        let ordered = out.end.is_none_or(|e| e >= before);
        let inside = out.total.is_none_or(|t| out.end.is_none_or(|e| e <= t) && before <= t);
        (ordered && inside).then_some(out)
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = |n: Option<u64>| n.map_or("*".to_owned(), |n| n.to_string());
        write!(f, "{}-{}/{}", self.start, star(self.end), star(self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for good in ["1-86/104", "87-104/104", "1-*/*", "1-*/5", "1-0/0", "5-9/*"] {
            assert_eq!(ByteRange::parse(good).unwrap().to_string(), good);
        }
    }

    #[test]
    fn impossible_ranges_are_refused() {
        for bad in ["", "1", "1-2", "0-2/3", "3-1/9", "1-9/8", "9-9/3", "-1-2/3", "a-b/c", "1-+2/3", "99999999999999999999-1/1"] {
            assert_eq!(ByteRange::parse(bad), None, "{bad}");
        }
    }
}
