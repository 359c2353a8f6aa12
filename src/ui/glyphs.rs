//! Signs of the screen, with their ASCII stand-ins.

use crate::domain::conversation::Delivery;
use crate::domain::presence::AvailabilityClass;

/// A set of signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Glyphs {
    /// Whether this is the ASCII set.
    pub ascii: bool,
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub top_left: &'static str,
    pub top_right: &'static str,
    pub bottom_left: &'static str,
    pub bottom_right: &'static str,
    pub tee_down: &'static str,
    pub tee_up: &'static str,
    pub tee_right: &'static str,
    pub tee_left: &'static str,
    pub open: &'static str,
    pub folded: &'static str,
    pub ellipsis: &'static str,
    pub dot: &'static str,
    pub mail: &'static str,
    pub meeting: &'static str,
    pub link: &'static str,
    pub down: &'static str,
    pub cursor: &'static str,
    pub bar_full: &'static str,
    pub bar_rest: &'static str,
    pub marked: &'static str,
    pub awaited: &'static str,
    pub mobile: &'static str,
    pub sent: &'static str,
    pub delivered: &'static str,
    pub failed: &'static str,
    pub queued: &'static str,
    pub right: &'static str,
    pub left: &'static str,
    pub locked: &'static str,
    pub leader: &'static str,
    pub wins: &'static str,
}

/// The ordinary set.
pub const UNICODE: Glyphs = Glyphs {
    ascii: false,
    horizontal: "─",
    vertical: "│",
    top_left: "┌",
    top_right: "┐",
    bottom_left: "└",
    bottom_right: "┘",
    tee_down: "┬",
    tee_up: "┴",
    tee_right: "├",
    tee_left: "┤",
    open: "▾",
    folded: "▸",
    ellipsis: "…",
    dot: "·",
    mail: "✉",
    meeting: "⌂",
    link: "⇅",
    down: "↓",
    cursor: "▌",
    bar_full: "━",
    bar_rest: "─",
    marked: "✓",
    awaited: "◷",
    mobile: "▯",
    sent: "✓",
    delivered: "✓✓",
    failed: "✗",
    queued: "…",
    right: "→",
    left: "←",
    locked: "⊘",
    leader: "★",
    wins: "▸",
};

/// Stand-ins for terminals without Unicode.
pub const ASCII: Glyphs = Glyphs {
    ascii: true,
    horizontal: "-",
    vertical: "|",
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    tee_down: "+",
    tee_up: "+",
    tee_right: "+",
    tee_left: "+",
    open: "v",
    folded: ">",
    ellipsis: "~",
    dot: "-",
    mail: "@",
    meeting: "%",
    link: "<>",
    down: "v",
    cursor: ">",
    bar_full: "=",
    bar_rest: "-",
    marked: "*",
    awaited: "w",
    mobile: "m",
    sent: "v",
    delivered: "vv",
    failed: "x",
    queued: "..",
    right: "->",
    left: "<-",
    locked: "!",
    leader: "*",
    wins: ">",
};

impl Glyphs {
    /// The sign of a presence.
    pub fn presence(&self, class: AvailabilityClass, blocked: bool) -> &'static str {
        let (unicode, ascii) = match class {
            _ if blocked => ("⛔", "!"),
            AvailabilityClass::Available => ("●", "+"),
            AvailabilityClass::Busy => ("■", "#"),
            AvailabilityClass::DoNotDisturb => ("⊖", "-"),
            AvailabilityClass::BeRightBack | AvailabilityClass::Away => ("◐", "~"),
            AvailabilityClass::AvailableIdle | AvailabilityClass::BusyIdle => ("◍", "="),
            AvailabilityClass::Offline => ("○", "."),
            AvailabilityClass::Unknown => ("◌", "?"),
        };
        if self.ascii { ascii } else { unicode }
    }

    /// The sign of a message's state; nothing for what others wrote.
    pub fn delivery(&self, state: &Delivery) -> &'static str {
        match state {
            Delivery::Queued => self.queued,
            Delivery::Sent => self.sent,
            Delivery::Delivered => self.delivered,
            Delivery::Failed(_) => self.failed,
            Delivery::Received => "",
        }
    }
}

/// Plain signs for the typographic ones that the program's own sentences use.
pub fn asciify(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '“' | '”' => out.push('"'),
            '‘' | '’' => out.push('\''),
            '…' => out.push_str(".."),
            '·' | '–' | '—' => out.push('-'),
            '←' => out.push_str("Left"),
            '→' => out.push_str("Right"),
            '↑' => out.push_str("Up"),
            '↓' => out.push_str("Down"),
            '×' => out.push('x'),
            c => out.push(c),
        }
    }
    out
}
