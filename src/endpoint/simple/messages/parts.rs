//! A text that is too long for one request and goes in no session is cut into parts, `(1/3) …` (`simple.md` 3.1): what is above
//! 1300 octets may be lost on its way to the other side (RFC 3428 8).

use crate::endpoint::limits::{DATAGRAM_MOST, MAX_TEXT_PARTS, PART_CREDENTIALS, PART_LEAST};
use crate::sip::{Message, Request};
use std::collections::VecDeque;
use unicode_segmentation::UnicodeSegmentation;

/// What is left of a text that goes in parts; the first is the next, or under way.
#[derive(Debug)]
pub(super) struct Parts {
    rest: VecDeque<String>,
    all: usize,
    /// A server keeps one of them for later.
    pub kept: bool,
}

impl Parts {
    /// Cuts a text into parts of so many octets; `None`: there would be too many.
    pub fn of(text: &str, room: usize) -> Option<Parts> {
        // The number before each part is no longer than this.
        let pieces = cut(text, room.saturating_sub("(99/99) ".len()).max(PART_LEAST));
        let all = pieces.len();
        let numbered = pieces.into_iter().enumerate().map(|(at, piece)| format!("({}/{all}) {piece}", at + 1));
        (all <= MAX_TEXT_PARTS).then(|| Parts { rest: numbered.collect(), all, kept: false })
    }

    /// The one that is next.
    pub fn next(&self) -> &str {
        self.rest.front().map_or("", String::as_str)
    }

    /// The first one has arrived; whether there are others.
    pub fn arrived(&mut self) -> bool {
        self.rest.pop_front();
        !self.rest.is_empty()
    }

    /// Why not all of it arrived.
    pub fn broken(&self, why: String) -> String {
        match self.all - self.rest.len() {
            0 => why,
            1 => format!("only the first of its {} parts arrived: {why}", self.all),
            n => format!("only the first {n} of its {} parts arrived: {why}", self.all),
        }
    }
}

/// Octets for a text in this request, whose body it will be.
pub(super) fn room(request: &Request) -> usize {
    let head = Message::Request(request.clone().with_body("text/plain;charset=UTF-8", Vec::new())).to_bytes().len();
    DATAGRAM_MOST.saturating_sub(head + PART_CREDENTIALS)
}

/// Pieces of at most so many octets, cut between what people see as letters, and behind a blank where there is one in the
/// last quarter. A single letter that is longer stays whole.
fn cut(text: &str, most: usize) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut end, mut blank) = (0, 0, 0);
    for (at, letter) in text.grapheme_indices(true) {
        if at > start && at + letter.len() - start > most {
            let here = if blank > start + most / 4 * 3 { blank } else { end };
            out.extend(text.get(start..here));
            start = here;
        }
        end = at + letter.len();
        if letter.chars().all(char::is_whitespace) {
            blank = end;
        }
    }
    out.extend(text.get(start..));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_behind_blanks_and_nothing_of_it_is_lost() {
        let text = "the quick brown fox jumps over the lazy dog ".repeat(40);
        let pieces = cut(&text, 200);
        assert!(pieces.iter().all(|p| p.len() <= 200 && p.ends_with(' ')), "{pieces:?}");
        assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn letters_of_several_characters_stay_whole() {
        let family = "👨‍👩‍👧‍👦";
        let text = family.repeat(30);
        let pieces = cut(&text, 120);
        assert!(pieces.iter().all(|p| p.len() % family.len() == 0 && p.len() <= 120), "{pieces:?}");
        assert_eq!(pieces.concat(), text);
        // A letter with more accents than fit into a part is still one letter.
        let odd = format!("e{}", "\u{301}".repeat(200));
        assert_eq!(cut(&odd, 100), [odd.as_str()]);
        assert_eq!(cut("", 100), [""]);
    }

    #[test]
    fn the_parts_are_numbered_and_fit_and_too_many_are_refused() {
        let text = "ab ".repeat(500);
        let parts = Parts::of(&text, 300).unwrap();
        assert!(parts.rest.iter().all(|p| p.len() <= 300));
        assert_eq!(parts.next().get(..8), Some("(1/6) ab"));
        let bare: String = parts.rest.iter().map(|p| p.split_once(") ").unwrap().1).collect();
        assert_eq!(bare, text);
        assert!(Parts::of(&"x".repeat(300 * MAX_TEXT_PARTS), 300).is_none());
    }

    #[test]
    fn what_broke_off_says_how_much_arrived() {
        let mut parts = Parts::of(&"ab ".repeat(500), 300).unwrap();
        assert_eq!(parts.broken("gone".into()), "gone");
        assert!(parts.arrived());
        assert_eq!(parts.broken("gone".into()), "only the first of its 6 parts arrived: gone");
        assert!((0..4).all(|_| parts.arrived()));
        assert_eq!(parts.broken("gone".into()), "only the first 5 of its 6 parts arrived: gone");
        assert!(!parts.arrived());
    }
}
