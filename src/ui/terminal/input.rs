//! What a terminal sends when somebody types, pastes or points: octets in, words out, no waiting.
//!
//! Contract: [`Parser::feed`] takes what one read has brought. A sequence may come in several reads; only a lone ESC at the
//! end of one is the key of that name, as no terminal sends ESC apart from what belongs to it.

use crate::app::event::{Key, KeyCode};
use std::str;

const ESC: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Longest sequence that is waited for; what is longer was none.
const SEQUENCE: usize = 64;

/// Octets of a paste that are handed over at once; the rest follows as another paste.
const PASTE: usize = 1024 * 1024;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A key.
    Key(Key),
    /// Text from the clipboard.
    Paste(String),
    /// The window has (or has lost) the keyboard.
    Focus(bool),
    /// The mouse, at column and row from 0.
    Mouse(Pointed, u16, u16),
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointed {
    /// The left button went down.
    Click,
    /// One notch of the wheel.
    WheelUp,
    /// One notch of the wheel.
    WheelDown,
}

/// Keeps what is not complete yet.
#[derive(Debug, Default)]
pub struct Parser {
    waiting: Vec<u8>,
    pasting: bool,
}

/// What stands at the beginning of some octets.
enum Step {
    /// It takes so many octets; `None` has no meaning here.
    Known(usize, Option<Heard>),
    /// Its end has not come yet.
    Incomplete,
}

impl Parser {
    /// Takes what was read.
    pub fn feed(&mut self, octets: &[u8]) -> Vec<Heard> {
        self.waiting.extend_from_slice(octets);
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = waiting.as_slice();
        let mut heard = Vec::new();
        while !rest.is_empty() {
            let step = if self.pasting { self.paste(rest) } else { one(rest) };
            let Step::Known(used, meaning) = step else { break };
            if rest.get(..used) == Some(b"\x1b[200~") {
                self.pasting = true;
            }
            heard.extend(meaning);
            rest = rest.get(used..).unwrap_or_default();
        }
        if !self.pasting && (rest == [ESC] || rest.len() > SEQUENCE) {
            heard.push(Heard::Key(Key::plain(KeyCode::Esc)));
            rest = &[];
        }
        self.waiting.extend_from_slice(rest);
        heard
    }

    fn paste(&mut self, octets: &[u8]) -> Step {
        let end = octets.windows(PASTE_END.len()).position(|w| w == PASTE_END);
        let text = |octets: &[u8]| Some(Heard::Paste(String::from_utf8_lossy(octets).into_owned()));
        match end {
            Some(at) => {
                self.pasting = false;
                Step::Known(at + PASTE_END.len(), text(&octets[..at]))
            }
            None if octets.len() > PASTE => Step::Known(PASTE, text(&octets[..PASTE])),
            None => Step::Incomplete,
        }
    }
}

fn key(key: Key, used: usize) -> Step {
    Step::Known(used, Some(Heard::Key(key)))
}

fn one(octets: &[u8]) -> Step {
    match octets {
        [ESC, b'[', rest @ ..] => control_sequence(rest),
        [ESC, b'O', rest @ ..] => match rest.first() {
            Some(last) => Step::Known(3, letter(*last).map(|code| Heard::Key(Key::plain(code)))),
            None => Step::Incomplete,
        },
        [ESC, ESC, ..] => key(Key::plain(KeyCode::Esc), 1),
        [ESC, rest @ ..] => match plain(rest) {
            Some((k, used)) => key(Key { alt: true, ..k }, used + 1),
            None if rest.len() < 4 => Step::Incomplete,
            None => Step::Known(1, None),
        },
        _ => match plain(octets) {
            Some((k, used)) => key(k, used),
            None if octets.len() < 4 && str::from_utf8(octets).is_err_and(|e| e.error_len().is_none()) => Step::Incomplete,
            None => Step::Known(1, None),
        },
    }
}

/// A key that is no sequence, and its octets.
fn plain(octets: &[u8]) -> Option<(Key, usize)> {
    let control = |c: u8| Key { ctrl: true, ..Key::char(char::from(c)) };
    Some(match *octets.first()? {
        b'\r' => (Key::plain(KeyCode::Enter), 1),
        b'\t' => (Key::plain(KeyCode::Tab), 1),
        0x7f => (Key::plain(KeyCode::Backspace), 1),
        0 => (control(b' '), 1),
        ESC => return None,
        c @ 1..=0x1a => (control(c - 1 + b'a'), 1),
        c @ 0x1c..=0x1f => (control(c - 0x1c + b'4'), 1),
        c if c.is_ascii() => (Key::char(char::from(c)), 1),
        _ => {
            let valid = match str::from_utf8(octets.get(..4).unwrap_or(octets)) {
                Ok(text) => text,
                Err(e) => str::from_utf8(octets.get(..e.valid_up_to())?).ok()?,
            };
            let c = valid.chars().next()?;
            (Key::char(c), c.len_utf8())
        }
    })
}

/// What follows CSI.
fn control_sequence(rest: &[u8]) -> Step {
    let used = |n: usize| n + 2;
    match rest {
        // The Linux console's function keys.
        [b'[', last, ..] => Step::Known(used(2), function(*last, b'A').map(|code| Heard::Key(Key::plain(code)))),
        [b'['] => Step::Incomplete,
        _ => {
            let Some(end) = rest.iter().position(|c| (0x40..=0x7e).contains(c)) else { return Step::Incomplete };
            let parameters = rest.get(..end).unwrap_or_default();
            Step::Known(used(end + 1), sequence(parameters, rest[end]))
        }
    }
}

fn sequence(parameters: &[u8], last: u8) -> Option<Heard> {
    let text = str::from_utf8(parameters).ok()?;
    if let Some(mouse) = text.strip_prefix('<') {
        return pointed(mouse, last);
    }
    // Further parts of a parameter (after a colon) tell apart what is one key here.
    let mut numbers = text.split(';').map(|p| p.split(':').next().unwrap_or_default().parse::<u32>().unwrap_or(1));
    let (first, modifiers) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
    let code = match last {
        b'I' => return Some(Heard::Focus(true)),
        b'O' => return Some(Heard::Focus(false)),
        b'~' => numbered(first)?,
        b'u' => return typed(first).map(|code| Heard::Key(with(code, modifiers))),
        _ => letter(last)?,
    };
    Some(Heard::Key(with(code, modifiers)))
}

fn with(code: KeyCode, modifiers: u32) -> Key {
    let bits = modifiers.saturating_sub(1);
    let character = matches!(code, KeyCode::Char(_) | KeyCode::BackTab);
    Key { code, shift: bits & 1 != 0 && !character, alt: bits & 2 != 0, ctrl: bits & 4 != 0 }
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'Z' => KeyCode::BackTab,
        b'P'..=b'S' => return function(last, b'P'),
        _ => return None,
    })
}

fn function(last: u8, first: u8) -> Option<KeyCode> {
    last.checked_sub(first).filter(|n| *n < 5).map(|n| KeyCode::F(n + 1))
}

fn numbered(n: u32) -> Option<KeyCode> {
    Some(match n {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(u8::try_from(n - 10).ok()?),
        17..=21 => KeyCode::F(u8::try_from(n - 11).ok()?),
        23 | 24 => KeyCode::F(u8::try_from(n - 12).ok()?),
        _ => return None,
    })
}

/// A key named by its character, as some terminals do for those that have no sequence of old.
fn typed(n: u32) -> Option<KeyCode> {
    Some(match n {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        127 => KeyCode::Backspace,
        _ => KeyCode::Char(char::from_u32(n).filter(|c| !c.is_control())?),
    })
}

fn pointed(parameters: &str, last: u8) -> Option<Heard> {
    let mut numbers = parameters.split(';').map(str::parse::<u16>);
    let (button, x, y) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    // Bits 2 to 4 are Shift, Alt and Ctrl; bit 5 says that it moves.
    let what = match (button & !0b1_1100, last) {
        (0, b'M') => Pointed::Click,
        (64, b'M') => Pointed::WheelUp,
        (65, b'M') => Pointed::WheelDown,
        _ => return None,
    };
    Some(Heard::Mouse(what, x.saturating_sub(1), y.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(octets: &[u8]) -> Vec<Heard> {
        Parser::default().feed(octets)
    }

    fn names(octets: &[u8]) -> String {
        let name = |h: Heard| match h {
            Heard::Key(k) => k.to_string(),
            other => format!("{other:?}"),
        };
        heard(octets).into_iter().map(name).collect::<Vec<_>>().join(" ")
    }

    fn key(code: KeyCode, modifiers: &str) -> Heard {
        let has = |c| modifiers.contains(c);
        Heard::Key(Key { code, ctrl: has('c'), alt: has('a'), shift: has('s') })
    }

    #[test]
    fn every_key_of_the_usual_terminals_is_known() {
        use KeyCode::*;
        for (octets, wanted) in [
            ("a", key(Char('a'), "")),
            ("G", key(Char('G'), "")),
            ("é", key(Char('é'), "")),
            ("😀", key(Char('😀'), "")),
            ("\r", key(Enter, "")),
            ("\n", key(Char('j'), "c")),
            ("\t", key(Tab, "")),
            ("\x7f", key(Backspace, "")),
            ("\x08", key(Char('h'), "c")),
            ("\x00", key(Char(' '), "c")),
            ("\x01", key(Char('a'), "c")),
            ("\x1f", key(Char('7'), "c")),
            ("\x1b", key(Esc, "")),
            ("\x1by", key(Char('y'), "a")),
            ("\x1bé", key(Char('é'), "a")),
            ("\x1b\r", key(Enter, "a")),
            ("\x1b\x7f", key(Backspace, "a")),
            ("\x1b\x02", key(Char('b'), "ca")),
            ("\x1b[A", key(Up, "")),
            ("\x1bOB", key(Down, "")),
            ("\x1b[1;5C", key(Right, "c")),
            ("\x1b[1;4D", key(Left, "as")),
            ("\x1b[H", key(Home, "")),
            ("\x1b[4~", key(End, "")),
            ("\x1b[2~", key(Insert, "")),
            ("\x1b[3;3~", key(Delete, "a")),
            ("\x1b[5~", key(PageUp, "")),
            ("\x1b[6;2~", key(PageDown, "s")),
            ("\x1b[Z", key(BackTab, "")),
            ("\x1bOP", key(F(1), "")),
            ("\x1b[1;2S", key(F(4), "s")),
            ("\x1b[[E", key(F(5), "")),
            ("\x1b[15~", key(F(5), "")),
            ("\x1b[17~", key(F(6), "")),
            ("\x1b[21~", key(F(10), "")),
            ("\x1b[24;5~", key(F(12), "c")),
            ("\x1b[13;3u", key(Enter, "a")),
            ("\x1b[97;5u", key(Char('a'), "c")),
            ("\x1b[I", Heard::Focus(true)),
            ("\x1b[O", Heard::Focus(false)),
            ("\x1b[<0;10;5M", Heard::Mouse(Pointed::Click, 9, 4)),
            ("\x1b[<64;1;1M", Heard::Mouse(Pointed::WheelUp, 0, 0)),
            ("\x1b[<65;1;1M", Heard::Mouse(Pointed::WheelDown, 0, 0)),
        ] {
            assert_eq!(heard(octets.as_bytes()), [wanted], "{octets:?}");
        }
    }

    #[test]
    fn keys_that_come_together_are_told_apart() {
        assert_eq!(names(b"ab\x1b[A\x1bx\x1b\x1b[B"), names(b"ab\x1b[A") + " " + &names(b"\x1bx\x1b") + " " + &names(b"\x1b[B"));
    }

    #[test]
    fn what_is_cut_by_a_read_is_put_together() {
        let all = "x\u{e9}\x1b[1;5C😀\x1b[200~two\nlines\x1b[201~y\x1b[<0;10;5M".as_bytes();
        let whole = heard(all);
        assert_eq!(whole.len(), 7);
        for cut in 1..all.len() {
            let mut parser = Parser::default();
            // An ESC that ends a read is the key, so that is no place to cut.
            let pasting = (19..34).contains(&cut);
            if all[cut - 1] == ESC && !pasting {
                continue;
            }
            let mut parts = parser.feed(&all[..cut]);
            parts.extend(parser.feed(&all[cut..]));
            assert_eq!(parts, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_paste_is_text_whatever_it_contains() {
        assert_eq!(heard(b"\x1b[200~a\x1b[Ab\x07\xff\x1b[201~"), [Heard::Paste("a\x1b[Ab\x07\u{fffd}".into())]);
        let mut parser = Parser::default();
        assert_eq!(parser.feed(&[b"\x1b[200~".as_slice(), &vec![b'x'; PASTE + 1]].concat()).len(), 1);
        assert_eq!(parser.feed(b"\x1b[201~z").len(), 2);
    }

    #[test]
    fn what_means_nothing_is_passed_over() {
        for octets in
            [&b"\xff"[..], b"\x1b[?1;2c", b"\x1b[99~", b"\x1b[<35;1;1M", b"\x1b[<0;1;1m", b"\x1b[<0;x;1M", b"\x1bOz", b"\xc3("]
        {
            let after = heard(&[octets, b"k"].concat());
            assert_eq!(after.last(), Some(&key(KeyCode::Char('k'), "")), "{octets:?}");
        }
        // A sequence without an end does not hold up the keys for ever.
        assert!(!heard(&[b"\x1b[".as_slice(), &[b'1'; 80]].concat()).is_empty());
    }
}
