//! Translates what the terminal library reports into the application's own words.

use crate::app::event::{Event, Key, KeyCode};
use crossterm::event::{Event as Term, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers};

/// An event of the terminal as one of the application; `None` for those without meaning here. Mouse events need the map
/// of the screen and are translated by the caller.
pub fn translate(event: Term) -> Option<Event> {
    match event {
        Term::Key(key) => translate_key(key).map(Event::Key),
        Term::Paste(text) => Some(Event::Paste(text)),
        Term::FocusGained => Some(Event::Focus(true)),
        Term::FocusLost => Some(Event::Focus(false)),
        // Sizes come with a signal of their own.
        Term::Mouse(_) | Term::Resize(..) => None,
    }
}

fn translate_key(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let code = match key.code {
        Code::Char(c) => KeyCode::Char(c),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Insert => KeyCode::Insert,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::F(n) => KeyCode::F(n),
        _ => return None,
    };
    let has = |m| key.modifiers.contains(m);
    let character = matches!(code, KeyCode::Char(_) | KeyCode::BackTab);
    Some(Key {
        code,
        ctrl: has(KeyModifiers::CONTROL),
        alt: has(KeyModifiers::ALT),
        shift: has(KeyModifiers::SHIFT) && !character,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_belongs_to_the_character_and_to_no_other_name() {
        let key = |code, m| translate(Term::Key(KeyEvent::new(code, m)));
        let plain = Key::char('G');
        assert_eq!(key(Code::Char('G'), KeyModifiers::SHIFT), Some(Event::Key(plain)));
        assert_eq!(key(Code::Left, KeyModifiers::ALT), Some(Event::Key(Key { alt: true, ..Key::plain(KeyCode::Left) })));
        let release = KeyEvent::new_with_kind(Code::Char('a'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(translate(Term::Key(release)), None);
    }
}
