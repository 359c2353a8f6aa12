//! Numbers seen already, over a sliding window.

/// Width of the window (`[MS-SIPAE]`; lync.md 3.2).
const WIDTH: u64 = 256;

/// Accepts every number once as long as it is not 256 or more behind the highest.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    highest: u64,
    /// Bit `i`: `highest - i` was seen.
    seen: [u64; 4],
}

impl Window {
    /// Whether the number is new; it is not any more afterwards.
    pub fn accept(&mut self, number: u64) -> bool {
        if number > self.highest {
            self.shift(number - self.highest);
            self.highest = number;
        }
        let back = self.highest - number;
        if back >= WIDTH {
            return false;
        }
        let (word, bit) = ((back / 64) as usize, 1 << (back % 64));
        let Some(word) = self.seen.get_mut(word) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn shift(&mut self, by: u64) {
        if by >= WIDTH {
            self.seen = [0; 4];
            return;
        }
        let (words, bits) = ((by / 64) as usize, by % 64);
        let old = self.seen;
        let at = |i: usize| old.get(i).copied().unwrap_or(0);
        for (i, word) in self.seen.iter_mut().enumerate() {
            let low = i.checked_sub(words).map_or(0, at);
            let carry = i.checked_sub(words + 1).map_or(0, at);
            *word = if bits == 0 { low } else { (low << bits) | (carry >> (64 - bits)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_once_and_nothing_too_old() {
        let mut w = Window::default();
        assert!(w.accept(1) && !w.accept(1));
        assert!(w.accept(70) && w.accept(3) && !w.accept(3) && !w.accept(1));
        assert!(w.accept(300) && w.accept(45) && !w.accept(44) && !w.accept(70));
        assert!(w.accept(10_000) && !w.accept(300) && w.accept(9_999));
        assert!(w.accept(u64::MAX) && !w.accept(u64::MAX) && !w.accept(0));
    }

    #[test]
    fn same_as_a_set() {
        let mut rng = crate::domain::Rng::seeded(7);
        let (mut w, mut set, mut top) = (Window::default(), std::collections::HashSet::new(), 1_000);
        for _ in 0..20_000 {
            top += rng.below(3) * rng.below(40);
            let n = top - rng.below(260);
            let highest: u64 = set.iter().copied().max().unwrap_or(0).max(n);
            let expected = highest - n < 256 && set.insert(n);
            assert_eq!(w.accept(n), expected, "{n}");
            set.retain(|s| highest - s < 256);
        }
    }
}
