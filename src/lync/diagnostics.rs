//! `ms-diagnostics` and its siblings: `code;reason="…";source="…"` (guide 2.6, conversations guide 0.6).

use std::fmt;

/// A conference with a passcode was joined without one. This number and the following are our own, for expected failures
/// (`domain.md` 4.6).
pub const PASSCODE_MISSING: u32 = 61_001;
/// A conference was joined with a wrong passcode.
pub const PASSCODE_WRONG: u32 = 61_002;
/// Somebody who is muted wrote.
pub const MUTED: u32 = 61_003;
/// A conference was joined after its time.
pub const CONFERENCE_OVER: u32 = 61_004;
/// An instance of an application takes no new conversations.
pub const DRAINING: u32 = 61_005;

/// One diagnostics header value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// Number, with the ranges of guide 2.6.
    pub code: u32,
    /// Words for a person; may be empty.
    pub reason: String,
    /// Server that says it; may be empty.
    pub source: String,
    /// Other pairs.
    pub other: Vec<(String, String)>,
}

impl Diagnostics {
    /// A number and its words.
    pub fn new(code: u32, reason: &str) -> Diagnostics {
        Diagnostics { code, reason: reason.into(), ..Diagnostics::default() }
    }

    /// Names the server that says it.
    pub fn from_source(mut self, source: &str) -> Diagnostics {
        self.source = source.into();
        self
    }

    /// Reads a header value; `None` without a number in front.
    pub fn parse(text: &str) -> Option<Diagnostics> {
        let t = text.trim();
        let end = t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
        let mut d = Diagnostics { code: t.get(..end)?.parse().ok()?, ..Diagnostics::default() };
        for (name, value) in pairs(t.get(end..).unwrap_or("")) {
            match name.to_ascii_lowercase().as_str() {
                "reason" => d.reason = value,
                "source" => d.source = value,
                _ => d.other.push((name, value)),
            }
        }
        Some(d)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        let fixed = [("reason", &self.reason), ("source", &self.source)];
        let other = self.other.iter().map(|(n, v)| (n.as_str(), v));
        for (name, value) in fixed.into_iter().filter(|p| !p.1.is_empty()).chain(other) {
            write!(f, ";{name}=\"")?;
            for c in value.chars().filter(|c| !c.is_control()) {
                if matches!(c, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

/// `;name=value` pairs where a value may be a quoted string with `;` inside.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut piece = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars().chain([';']) {
        match c {
            _ if escaped => {
                piece.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                if let Some((n, v)) = piece.split_once('=') {
                    out.push((n.trim().to_owned(), v.trim().to_owned()));
                }
                piece.clear();
            }
            _ => piece.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        let d = Diagnostics::parse("3014;reason=\"Failed; \\\"auth\\\".\";source=\"fe1.contoso.example\";x=1").unwrap();
        assert_eq!((d.code, d.reason.as_str(), d.source.as_str()), (3014, "Failed; \"auth\".", "fe1.contoso.example"));
        assert_eq!(d.other, [("x".to_owned(), "1".to_owned())]);
        assert_eq!(Diagnostics::parse(&d.to_string()), Some(d));
        assert_eq!(Diagnostics::new(2044, "Old").to_string(), "2044;reason=\"Old\"");
        assert_eq!(Diagnostics::parse("51004; reason=\"Action\"").unwrap().reason, "Action");
        assert_eq!(Diagnostics::parse("nothing"), None);
        assert_eq!(Diagnostics::parse("99999999999"), None);
    }
}
