//! What went over the wire, for the Wire pane: readable, with secrets masked.

use super::limits::MAX_TRACE_BYTES;
use crate::domain::Time;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Sent,
    /// From the server.
    Received,
    /// A note of the endpoint itself (a dropped message, a lost link).
    Note,
}

/// One message, or a note about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRecord {
    /// When.
    pub at: Time,
    /// Which way.
    pub direction: Direction,
    /// The text, credentials replaced by `…`.
    pub text: String,
}

impl WireRecord {
    /// A record of octets as they went; secrets are masked and long bodies cut.
    pub fn message(at: Time, direction: Direction, bytes: &[u8]) -> WireRecord {
        WireRecord { at, direction, text: mask(&String::from_utf8_lossy(bytes)) }
    }

    /// A note.
    pub fn note(at: Time, text: impl Into<String>) -> WireRecord {
        WireRecord { at, direction: Direction::Note, text: text.into() }
    }
}

/// Parameters of authentication headers that could help an attacker, and conference passcodes.
const SECRET_PARAMETERS: [&str; 5] = ["gssapi-data", "response", "rspauth", "cnonce", "nonce"];

/// The text without credentials: values of authentication parameters become `…`.
pub fn mask(text: &str) -> String {
    let (head, body) = match text.find("\r\n\r\n") {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut out = String::with_capacity(text.len().min(MAX_TRACE_BYTES));
    for (i, line) in head.split("\r\n").enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let name = line.split(':').next().unwrap_or("").to_ascii_lowercase();
        if name.contains("authorization") || name.contains("authenticat") {
            out.push_str(&mask_parameters(line));
        } else {
            out.push_str(line);
        }
    }
    out.push_str(&mask_elements(&body.replace("\r\n", "\n")));
    if out.len() > MAX_TRACE_BYTES {
        let mut end = MAX_TRACE_BYTES;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push_str("\n…");
    }
    out
}

fn mask_parameters(line: &str) -> String {
    let mut out = line.to_owned();
    for name in SECRET_PARAMETERS {
        let mut from = 0;
        while let Some(at) = find_parameter(&out, name, from) {
            let end = out.get(at..).and_then(|rest| rest.find('"')).map_or(out.len(), |n| at + n);
            if end > at {
                out.replace_range(at..end, "…");
            }
            from = at + 1;
            while !out.is_char_boundary(from) {
                from += 1;
            }
        }
    }
    out
}

/// Start of the value of `name="`, searched from `from`, where `name` begins a word.
fn find_parameter(line: &str, name: &str, from: usize) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let wanted = format!("{name}=\"");
    let mut start = from;
    loop {
        let at = start + lower.get(start..)?.find(&wanted)?;
        let word_start = at == 0 || lower.as_bytes().get(at - 1).is_some_and(|b| !b.is_ascii_alphanumeric() && *b != b'-');
        if word_start {
            return Some(at + wanted.len());
        }
        start = at + wanted.len();
    }
}

/// Conference passcodes inside bodies (`<pstn-access><id/><passcode>…`).
fn mask_elements(body: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(body.len()), body);
    while let Some(open) = rest.find("passcode>") {
        let (before, after) = rest.split_at(open + "passcode>".len());
        out.push_str(before);
        rest = after;
        if !before.ends_with("/passcode>") && !before.trim_end_matches("passcode>").ends_with('/') {
            let end = rest.find('<').unwrap_or(rest.len());
            if end > 0 {
                out.push('…');
            }
            rest = rest.get(end..).unwrap_or("");
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_reach_the_pane() {
        let text = "REGISTER sip:a SIP/2.0\r\nAuthorization: NTLM qop=\"auth\", gssapi-data=\"SECRET\", crand=\"1\", response=\"0100\"\r\nSubject: response=\"x\"\r\n\r\n<a><passcode>1234</passcode></a>";
        let shown = mask(text);
        assert!(!shown.contains("SECRET") && !shown.contains("0100") && !shown.contains("1234"), "{shown}");
        assert!(
            shown.contains("crand=\"1\"")
                && shown.contains("Subject: response=\"x\"")
                && shown.contains("<passcode>…</passcode>")
        );
        let digest =
            mask("A b SIP/2.0\r\nAuthorization: Digest username=\"al\", nonce=\"n1\", cnonce=\"c1\", response=\"r1\"\r\n\r\n");
        assert!(!digest.contains("n1") && !digest.contains("c1") && !digest.contains("r1"), "{digest}");
    }
}
