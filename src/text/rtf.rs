//! `text/rtf` of old clients to plain text: words, `\par`, `\line`, `\tab`, `\'hh` (code page 1252), `\uN` with `\ucN`.
//! Destinations (fonts, colours, pictures, `\*`) are skipped; where a field leads stands behind its words. One pass, bounded depth.

use super::limits::{RTF_DEPTH, RTF_FIELD};

/// Plain text with `\n`; not yet sanitised. Text that is not RTF comes back as it is.
pub fn to_text(rtf: &str) -> String {
    if !rtf.trim_start().starts_with("{\\rtf") {
        return rtf.to_owned();
    }
    let mut r = Reader {
        out: String::new(),
        state: State { hidden: false, skip: 1, field: Field::Outside },
        stack: Vec::new(),
        drop: 0,
        high: None,
        deep: 0,
        instruction: String::new(),
        words_at: 0,
    };
    let mut rest = rtf;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '{' => r.open(rest),
            '}' => r.close(rest),
            '\\' => r.control(&rest[1..]),
            '\r' | '\n' => &rest[1..],
            _ => {
                r.text(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    r.out
}

#[derive(Clone, Copy)]
struct State {
    hidden: bool,
    /// Stand-in characters that follow each `\uN`.
    skip: usize,
    field: Field,
}

/// Which part of a field is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Outside,
    /// What the field does, such as `HYPERLINK "https://…"`.
    Instruction,
    /// The words that stand for it.
    Words,
}

struct Reader {
    out: String,
    state: State,
    stack: Vec<State>,
    /// Stand-in characters still to drop.
    drop: usize,
    /// First half of a surrogate pair.
    high: Option<u32>,
    /// Groups opened beyond the depth that is kept.
    deep: usize,
    /// The instruction of the field that is read.
    instruction: String,
    /// Where in `out` the words of that field begin.
    words_at: usize,
}

impl Reader {
    fn open<'a>(&mut self, rest: &'a str) -> &'a str {
        self.drop = 0;
        if self.stack.len() < RTF_DEPTH {
            self.stack.push(self.state);
        } else {
            self.deep += 1;
        }
        &rest[1..]
    }

    fn close<'a>(&mut self, rest: &'a str) -> &'a str {
        self.drop = 0;
        if self.deep > 0 {
            self.deep -= 1;
        } else if let Some(s) = self.stack.pop() {
            let ended = self.state.field;
            self.state = s;
            if ended == Field::Words && s.field != Field::Words {
                self.leads();
            }
        }
        &rest[1..]
    }

    /// Writes where a field leads behind its words, unless they say it themselves.
    fn leads(&mut self) {
        let instruction = std::mem::take(&mut self.instruction);
        let Some(target) = target(&instruction) else { return };
        let words = self.out.get(self.words_at..).unwrap_or_default();
        if !words.contains(target) {
            self.out.push_str(&format!(" ({target})"));
        }
    }

    fn text(&mut self, c: char) {
        if self.drop > 0 {
            self.drop -= 1;
        } else if self.state.field == Field::Instruction {
            if self.instruction.len() < RTF_FIELD {
                self.instruction.push(c);
            }
        } else if !self.state.hidden {
            self.out.push(c);
        }
    }

    /// Reads what follows a backslash.
    fn control<'a>(&mut self, rest: &'a str) -> &'a str {
        let Some(c) = rest.chars().next() else { return "" };
        let after = &rest[c.len_utf8()..];
        match c {
            '\\' | '{' | '}' => self.text(c),
            '~' => self.text(' '),
            '_' => self.text('-'),
            '*' => self.state.hidden = true,
            '\r' | '\n' => self.text('\n'),
            '\'' => {
                if let Some(hex) = after.get(..2).and_then(|h| u8::from_str_radix(h, 16).ok()) {
                    self.text(windows_1252(hex));
                    return &after[2..];
                }
            }
            c if c.is_ascii_alphabetic() => return self.word(rest),
            _ => {}
        }
        after
    }

    /// Reads a control word with its number and its one closing space.
    fn word<'a>(&mut self, rest: &'a str) -> &'a str {
        let len = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, tail) = rest.split_at(len);
        let sign = usize::from(tail.starts_with('-'));
        let digits = tail.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let used = if digits > 0 { sign + digits } else { 0 };
        let number: Option<i64> = tail[..used].parse().ok();
        let tail = &tail[used..];
        match name {
            "par" | "line" | "sect" | "page" | "row" => self.text('\n'),
            "tab" | "cell" => self.text('\t'),
            "emdash" => self.text('—'),
            "endash" => self.text('–'),
            "lquote" => self.text('‘'),
            "rquote" => self.text('’'),
            "ldblquote" => self.text('“'),
            "rdblquote" => self.text('”'),
            "bullet" => self.text('•'),
            "fldinst" => {
                self.instruction.clear();
                self.state.field = Field::Instruction;
            }
            "fldrslt" => {
                self.words_at = self.out.len();
                self.state.field = Field::Words;
            }
            "uc" => self.state.skip = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(8),
            "u" => self.unicode(number.unwrap_or(0)),
            "fonttbl" | "colortbl" | "stylesheet" | "info" | "pict" | "object" | "header" | "footer" | "generator" => {
                self.state.hidden = true;
            }
            "bin" => {
                let n = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
                return tail.get(n.saturating_add(1)..).unwrap_or("");
            }
            _ => {}
        }
        tail.strip_prefix(' ').unwrap_or(tail)
    }

    /// `\uN`: a signed 16-bit UTF-16 unit, then `skip` stand-ins.
    fn unicode(&mut self, n: i64) {
        let unit = u32::try_from(n.rem_euclid(0x1_0000)).unwrap_or(0xfffd);
        self.drop = 0;
        let c = match (self.high.take(), unit) {
            (_, 0xd800..=0xdbff) => {
                self.high = Some(unit);
                None
            }
            (Some(h), 0xdc00..=0xdfff) => char::from_u32(0x1_0000 + ((h - 0xd800) << 10) + (unit - 0xdc00)),
            _ => Some(char::from_u32(unit).unwrap_or('\u{fffd}')),
        };
        if let Some(c) = c {
            self.text(c);
        }
        self.drop = self.state.skip;
    }
}

/// Where `HYPERLINK "https://…"` leads; nothing for other fields and places inside the document.
fn target(instruction: &str) -> Option<&str> {
    let rest = instruction.trim().strip_prefix("HYPERLINK")?.trim_start();
    let target = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    (target.contains("://") || target.starts_with("mailto:")).then_some(target)
}

/// The upper rows of code page 1252; the rest is Latin-1.
fn windows_1252(b: u8) -> char {
    const ROW: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    if (0x80..0xa0).contains(&b) { ROW[usize::from(b - 0x80)] } else { char::from(b) }
}
