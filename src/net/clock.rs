//! The one clock: monotone, anchored at the wall time of the start; and the operating system's randomness.

use crate::domain::{Rng, Time};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Gives [`Time`] that never runs backwards, also when the wall clock is set back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Duration,
}

impl Clock {
    /// Anchors the clock now.
    pub fn new() -> Clock {
        Clock { started: Instant::now(), wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }

    /// Milliseconds since 1970 as this clock counts them.
    pub fn now(&self) -> Time {
        Time(u64::try_from((self.wall + self.started.elapsed()).as_millis()).unwrap_or(u64::MAX))
    }

    /// The moment of the runtime's clock at which `time` is reached.
    pub fn instant(&self, time: Time) -> tokio::time::Instant {
        let wall = Duration::from_millis(time.0);
        tokio::time::Instant::from_std(self.started + wall.saturating_sub(self.wall))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}

/// A generator seeded by the operating system.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn entropy() -> std::io::Result<Rng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(Rng::from_entropy(seed))
}
