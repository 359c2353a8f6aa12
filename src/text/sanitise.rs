//! What may reach a cell (control codes, direction overrides, invisible characters).
//!
//! Replacement is visible where a person should notice that something was tried (control codes, overrides, private use),
//! and silent where the character merely has nothing to show.

use super::limits::{BLOCK_OCTETS, FIELD_CHARS, MARKS};
use super::width::is_printable;

const REPLACEMENT: char = '\u{fffd}';

/// One line: breaks and tabs become spaces, runs of spaces one, ends trimmed.
pub fn field(raw: &str) -> String {
    if is_clean(raw) {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len().min(FIELD_CHARS));
    let mut gate = Gate::default();
    for c in raw.chars().take(FIELD_CHARS) {
        match gate.pass(c) {
            Some('\n' | ' ') if out.ends_with(' ') || out.is_empty() => {}
            Some('\n') => out.push(' '),
            Some(c) => out.push(c),
            None => {}
        }
    }
    out.truncate(out.trim_end_matches(is_idle_at_end).len());
    out
}

/// Whether a field stays as it is: most names and notes do, and looking costs less than copying character by character.
fn is_clean(raw: &str) -> bool {
    let edges = raw.starts_with(' ') || raw.ends_with(' ');
    raw.len() <= FIELD_CHARS && raw.bytes().all(|b| is_printable(&b)) && !edges && !raw.contains("  ")
}

/// A block: CR LF, CR, LF and the Unicode separators become `\n`; empty lines at both ends fall away.
pub fn block(raw: &str) -> String {
    let mut end = raw.len().min(BLOCK_OCTETS);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let raw = &raw[..end];
    if raw.bytes().all(|b| is_printable(&b) || b == b'\n') {
        return trimmed(raw).to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut gate = Gate::default();
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        match gate.pass(c) {
            Some(' ') if c == '\t' => out.push_str("    "),
            Some(c) => out.push(c),
            None => {}
        }
    }
    trimmed(&out).to_owned()
}

/// Without empty lines at both ends.
fn trimmed(block: &str) -> &str {
    block.trim_end_matches(|c| c == '\n' || is_idle_at_end(c)).trim_start_matches('\n')
}

/// Whether nothing is lost without `c` at the end; a joiner there would join what the screen writes next.
fn is_idle_at_end(c: char) -> bool {
    matches!(c, ' ' | '\u{200c}' | '\u{200d}')
}

/// Whether `c` can stand in a cell as it is.
pub fn is_drawable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{7f}'..='\u{a0}' | '\u{ad}' => false,
        '\u{a1}'..='\u{2ff}' => true,
        '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => true, // only in the company `Gate` allows
        '\u{e0020}'..='\u{e007f}' => true,                         // likewise: flags of regions
        _ => printable(c),
    }
}

/// Assigned, and neither control, format, private use nor a space other than U+0020.
///
/// The standard library keeps exactly this table for `Debug`; a character that it escapes in second place (where
/// combining marks are allowed) is not printable.
fn printable(c: char) -> bool {
    let mut buf = [0u8; 5];
    buf[0] = b'x';
    let n = c.encode_utf8(&mut buf[1..]).len();
    std::str::from_utf8(&buf[..=n]).is_ok_and(|s| s.escape_debug().nth(1) == Some(c))
}

/// What stands before the present character, as far as the rules need it.
#[derive(Default)]
struct Gate {
    last: Option<char>,
    marks: usize,
    flag: bool,
}

impl Gate {
    /// The character to write, if any; `\n` for every kind of line break.
    fn pass(&mut self, c: char) -> Option<char> {
        let out = self.judge(c);
        if let Some(o) = out {
            self.flag = o == '\u{1f3f4}' || (self.flag && matches!(o, '\u{e0020}'..='\u{e007f}'));
            self.last = Some(o);
        }
        out
    }

    fn judge(&mut self, c: char) -> Option<char> {
        match c {
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => self.base('\n'),
            '\t' => self.base(' '),
            ' '..='~' => self.base(c),
            '\0'..='\u{1f}' => self.base(char::from_u32(0x2400 + c as u32).unwrap_or(REPLACEMENT)),
            '\u{7f}' => self.base('\u{2421}'),
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => self.base(REPLACEMENT),
            '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => self.base(' '),
            // Fillers that take a cell and show nothing, and characters with nothing to show.
            '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' => self.base(' '),
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' => None,
            '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{17b4}' | '\u{17b5}' => None,
            '\u{200c}' | '\u{200d}' => self.joiner(c),
            '\u{fe0e}' | '\u{fe0f}' => self.selector(c),
            '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' | '\u{fff9}'..='\u{fffb}' => None,
            '\u{e0020}'..='\u{e007f}' => (self.flag).then_some(c),
            _ if is_mark(c) => self.mark(c),
            _ if is_drawable(c) => self.base(c),
            _ => self.base(REPLACEMENT),
        }
    }

    fn base(&mut self, c: char) -> Option<char> {
        self.marks = 0;
        Some(c)
    }

    /// Joiners are kept inside emoji sequences and the scripts that need them; between Latin letters they only deceive.
    fn joiner(&mut self, c: char) -> Option<char> {
        let company = self.last.is_some_and(|l| l as u32 >= 0x0590 && l != '\u{200c}' && l != '\u{200d}' && l != REPLACEMENT);
        company.then_some(c)
    }

    fn selector(&mut self, c: char) -> Option<char> {
        let base = self.last.is_some_and(|l| !l.is_ascii() && l != '\u{fe0f}' && l != '\u{fe0e}');
        let keycap = self.last.is_some_and(|l| l.is_ascii_digit() || l == '#' || l == '*');
        (base || keycap).then_some(c)
    }

    /// A mark needs something to stand on, and not too many of its kind.
    fn mark(&mut self, c: char) -> Option<char> {
        let stands = self.last.is_some_and(|l| l != ' ' && l != '\n');
        if !stands || self.marks >= MARKS {
            return None;
        }
        self.marks += 1;
        Some(c)
    }
}

/// Characters without a cell of their own that stand on the one before: what `Debug` escapes only in first place.
fn is_mark(c: char) -> bool {
    (c as u32) >= 0x300 && unicode_width::UnicodeWidthChar::width(c) == Some(0) && printable(c)
}
