//! Keys as they are written: `Ctrl-K`, `Alt-Enter`, `Shift-Tab`, `F1`, `Space`, `g`.

use super::event::{Key, KeyCode};

/// Reads `Ctrl-K`, `Alt-Enter`, `Shift-Tab`, `F1`, `Space`, `g`.
pub fn parse_key(text: &str) -> Option<Key> {
    let mut key = Key::char(' ');
    let mut rest = text;
    loop {
        let lower = rest.to_lowercase();
        let (on, len) = match () {
            () if lower.starts_with("ctrl-") && rest.len() > 5 => (&mut key.ctrl, 5),
            () if lower.starts_with("alt-") && rest.len() > 4 => (&mut key.alt, 4),
            () if lower.starts_with("shift-") && rest.len() > 6 => (&mut key.shift, 6),
            () => break,
        };
        *on = true;
        rest = rest.get(len..)?;
    }
    key.code = code(rest)?;
    if let KeyCode::Char(c) = key.code {
        let upper = key.shift && !key.ctrl;
        key.shift = false;
        key.code = KeyCode::Char(if key.ctrl {
            c.to_lowercase().next()?
        } else if upper {
            c.to_uppercase().next()?
        } else {
            c
        });
    }
    if key.code == KeyCode::Tab && key.shift {
        (key.code, key.shift) = (KeyCode::BackTab, false);
    }
    Some(key)
}

fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.clone().next()) {
        return match c {
            '←' => Some(KeyCode::Left),
            '→' => Some(KeyCode::Right),
            '↑' => Some(KeyCode::Up),
            '↓' => Some(KeyCode::Down),
            c if c.is_control() || c.is_whitespace() => None,
            c => Some(KeyCode::Char(c)),
        };
    }
    Some(match name.to_lowercase().as_str() {
        "enter" | "return" => KeyCode::Enter,
        "esc" | "escape" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "space" => KeyCode::Char(' '),
        "backspace" => KeyCode::Backspace,
        "delete" | "del" => KeyCode::Delete,
        "insert" | "ins" => KeyCode::Insert,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pgup" | "pageup" => KeyCode::PageUp,
        "pgdn" | "pagedown" | "pgdown" => KeyCode::PageDown,
        f => KeyCode::F(f.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n))?),
    })
}
