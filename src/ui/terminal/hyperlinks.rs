//! Links that the terminal itself opens (OSC 8). A cell carries a mark in its underline colour, which nothing else uses; what a
//! mark leads to is told beside the cells, because a cell has no room for it.

use crate::text::links::Hyperlink;
use ratatui::style::Color;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Octets around the address that begin and end a link.
pub const FRAME: usize = 14;

/// What the marks on one screen lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hyperlinks(BTreeMap<u32, Hyperlink>);

/// The same, handed to the writer of a frame while it is drawn.
pub type Shared = Arc<Mutex<Hyperlinks>>;

impl Hyperlinks {
    /// Notes a link; the mark for its cells. It is the same for the same address in every frame, unless another address
    /// on the same screen has taken it: a mark leads to one address only.
    pub fn mark(&mut self, link: Hyperlink) -> Color {
        // FNV-1a, cut to what a colour holds.
        let hash = link.as_str().bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        let mut mark = (hash ^ (hash >> 24)) & 0x00ff_ffff;
        while self.0.get(&mark).is_some_and(|taken| *taken != link) {
            mark = (mark + 1) & 0x00ff_ffff;
        }
        self.0.insert(mark, link);
        let [_, r, g, b] = mark.to_be_bytes();
        Color::Rgb(r, g, b)
    }

    /// Where a mark leads.
    pub fn get(&self, mark: Color) -> Option<&str> {
        let Color::Rgb(r, g, b) = mark else { return None };
        self.0.get(&u32::from_be_bytes([0, r, g, b])).map(Hyperlink::as_str)
    }

    /// Whether some mark leads elsewhere than it did before.
    pub fn contradicts(&self, before: &Hyperlinks) -> bool {
        self.0.iter().any(|(mark, link)| before.0.get(mark).is_some_and(|old| old != link))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Begins a link, or ends the present one.
pub fn change(to: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b]8;;");
    out.extend_from_slice(to.unwrap_or("").as_bytes());
    out.extend_from_slice(b"\x1b\\");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two addresses with the same hash.
    fn alike() -> (Hyperlink, Hyperlink) {
        let mut seen = std::collections::HashMap::new();
        for n in 0.. {
            let link = Hyperlink::new(&format!("https://example.org/{n}")).unwrap();
            if let Some(other) = seen.insert(Hyperlinks::default().mark(link.clone()), link.clone()) {
                return (other, link);
            }
        }
        unreachable!()
    }

    #[test]
    fn addresses_with_one_hash_keep_apart() {
        let (one, other) = alike();
        let mut links = Hyperlinks::default();
        let (a, b) = (links.mark(one.clone()), links.mark(other.clone()));
        assert_ne!(a, b);
        assert_eq!((links.get(a), links.get(b)), (Some(one.as_str()), Some(other.as_str())));
        assert_eq!(links.mark(one.clone()), a);
        let mut alone = Hyperlinks::default();
        assert_eq!(alone.mark(other), a);
        assert!(alone.contradicts(&links) && !links.contradicts(&links.clone()));
    }
}
