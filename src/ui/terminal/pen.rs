//! The attributes that the terminal writes with, and the shortest way from one set to another (ECMA-48 §8.3.117).

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use std::io::Write;

/// Colours and attributes of the next character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pen {
    pub fg: Color,
    pub bg: Color,
    pub mods: Modifier,
    /// The mark of a link that the terminal opens; `Reset`: none.
    pub link: Color,
}

impl Pen {
    /// What SGR 0 gives.
    pub const DEFAULT: Pen = Pen { fg: Color::Reset, bg: Color::Reset, mods: Modifier::empty(), link: Color::Reset };

    /// The pen a cell needs; a blank needs only what shows on a blank.
    pub fn of(cell: &Cell) -> Pen {
        let pen = Pen { fg: cell.fg, bg: cell.bg, mods: cell.modifier, link: cell.underline_color };
        if cell.symbol() == " " { pen.on_blank() } else { pen }
    }

    fn on_blank(self) -> Pen {
        let mods = self.mods & (Modifier::UNDERLINED | Modifier::REVERSED | Modifier::CROSSED_OUT);
        let fg = if mods.is_empty() { Color::Reset } else { self.fg };
        Pen { fg, bg: self.bg, mods, link: Color::Reset }
    }

    /// Whether a blank written with `self` looks like one written with `wanted`.
    pub fn same_on_blank(self, wanted: Pen) -> bool {
        self.link == Color::Reset && self.on_blank() == wanted.on_blank()
    }

    /// Whether erasing with this pen leaves a plain blank on every terminal, with or without "back colour erase".
    pub fn erases_plain(self) -> bool {
        self.link == Color::Reset && self.on_blank() == Pen::DEFAULT
    }
}

const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Writes the shorter of "change what differs" and "reset, then set"; links are not its business.
pub fn change(from: Option<Pen>, to: Pen, out: &mut Vec<u8>) {
    let to = Pen { link: Color::Reset, ..to };
    change_style(from.map(|f| Pen { link: Color::Reset, ..f }), to, out);
}

fn change_style(from: Option<Pen>, to: Pen, out: &mut Vec<u8>) {
    if from == Some(to) {
        return;
    }
    let mut fresh = Vec::with_capacity(24);
    if to != Pen::DEFAULT {
        fresh.push(b';'); // an empty first parameter is 0
        set(Pen::DEFAULT, to, &mut fresh);
        fresh.pop();
    }
    let mut delta = Vec::with_capacity(24);
    if let Some(from) = from {
        let off = clear(from, to, &mut delta);
        set(Pen { mods: off, ..from }, to, &mut delta);
        delta.pop();
    }
    let best = if from.is_some() && delta.len() <= fresh.len() { &delta } else { &fresh };
    out.extend_from_slice(b"\x1b[");
    out.extend_from_slice(best);
    out.push(b'm');
}

/// Switches off what `to` lacks; what is on afterwards.
fn clear(from: Pen, to: Pen, out: &mut Vec<u8>) -> Modifier {
    let mut on = from.mods;
    for (m, _, code) in ATTRIBUTES {
        if on.contains(m) && !to.mods.contains(m) {
            number(out, code);
            // One code ends both of a pair, such as bold and dim.
            ATTRIBUTES.iter().filter(|a| a.2 == code).for_each(|a| on.remove(a.0));
        }
    }
    on
}

/// Switches on what `from` lacks.
fn set(from: Pen, to: Pen, out: &mut Vec<u8>) {
    for (m, code, _) in ATTRIBUTES {
        if to.mods.contains(m) && !from.mods.contains(m) {
            number(out, code);
        }
    }
    if from.fg != to.fg {
        colour(out, to.fg, 30);
    }
    if from.bg != to.bg {
        colour(out, to.bg, 40);
    }
}

fn number(out: &mut Vec<u8>, n: u8) {
    let _ = write!(out, "{n};");
}

fn colour(out: &mut Vec<u8>, c: Color, base: u8) {
    let bright = base + 60;
    match c {
        Color::Reset => number(out, base + 9),
        Color::Black => number(out, base),
        Color::Red => number(out, base + 1),
        Color::Green => number(out, base + 2),
        Color::Yellow => number(out, base + 3),
        Color::Blue => number(out, base + 4),
        Color::Magenta => number(out, base + 5),
        Color::Cyan => number(out, base + 6),
        Color::Gray => number(out, base + 7),
        Color::DarkGray => number(out, bright),
        Color::LightRed => number(out, bright + 1),
        Color::LightGreen => number(out, bright + 2),
        Color::LightYellow => number(out, bright + 3),
        Color::LightBlue => number(out, bright + 4),
        Color::LightMagenta => number(out, bright + 5),
        Color::LightCyan => number(out, bright + 6),
        Color::White => number(out, bright + 7),
        Color::Indexed(n) => {
            let _ = write!(out, "{};5;{n};", base + 8);
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(out, "{};2;{r};{g};{b};", base + 8);
        }
    }
}
