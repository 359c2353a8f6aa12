//! Sequences besides drawing: window title, bell, notifications, clipboard. Each takes sanitised text.

use crate::text::Line;
use base64::Engine;

/// Octets of a title or notification.
const TITLE: usize = 200;
/// Octets of a clipboard text; longer ones are refused by many terminals (OSC 52).
pub const CLIPBOARD: usize = 74_994;

/// BEL.
pub const BELL: &[u8] = b"\x07";

/// Window title (OSC 2).
pub fn title(text: &Line) -> Vec<u8> {
    format!("\x1b]2;{}\x07", short(text)).into_bytes()
}

/// A desktop notification (OSC 9, and OSC 777 with title and words apart).
pub fn notify(title: &Line, words: &Line) -> Vec<u8> {
    let (t, w) = (short(title).replace(';', ","), short(words).replace(';', ","));
    format!("\x1b]9;{t}: {w}\x07\x1b]777;notify;{t};{w}\x07").into_bytes()
}

/// Puts text on the clipboard (OSC 52); `None` if it is too long.
pub fn copy(text: &str) -> Option<Vec<u8>> {
    let coded = base64::engine::general_purpose::STANDARD.encode(text);
    (coded.len() <= CLIPBOARD).then(|| format!("\x1b]52;c;{coded}\x07").into_bytes())
}

/// Hands `sequence` through tmux to the terminal outside.
pub fn through_tmux(sequence: &[u8]) -> Vec<u8> {
    let mut out = b"\x1bPtmux;".to_vec();
    for &b in sequence {
        if b == 0x1b {
            out.push(b);
        }
        out.push(b);
    }
    out.extend_from_slice(b"\x1b\\");
    out
}

fn short(text: &Line) -> String {
    text.as_str().chars().take(TITLE).collect()
}
