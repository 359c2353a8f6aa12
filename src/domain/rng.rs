//! Randomness that is handed in: a seeded stream, so that a run replays from its seed.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// A seeded cryptographic stream for tags, branches, nonces, keys and jitter.
///
/// Real runs seed it with 32 octets of the operating system, tests with a number.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// A stream from 32 octets of entropy.
    pub fn from_entropy(seed: [u8; 32]) -> Rng {
        Rng(ChaCha12Rng::from_seed(seed))
    }

    /// A repeatable stream, for tests and for `--seed`.
    pub fn seeded(seed: u64) -> Rng {
        Rng(ChaCha12Rng::seed_from_u64(seed))
    }

    /// A stream of its own for another machine, derived from this one.
    pub fn fork(&mut self) -> Rng {
        Rng::from_entropy(self.array())
    }

    /// The next number.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to but not including `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.0.next_u64() % n }
    }

    /// `N` random octets.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill_bytes(&mut out);
        out
    }

    /// `n` lower-case hexadecimal digits.
    pub fn hex(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from_digit((self.0.next_u32() % 16).min(15), 16).unwrap_or('0')).collect()
    }
}
