//! The one clock: monotone, anchored at the wall time of the start; and the operating system's randomness.
//!
//! A machine that slept has a wall clock far ahead of the monotone one: the difference is taken over, so that timers that
//! ran out meanwhile run out now and messages bear the right time. A wall clock that is set back changes nothing.

use crate::domain::{Rng, Time};
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall time this far ahead of ours means that the machine slept or its clock was put forward.
const SLEPT: Duration = Duration::from_secs(2);

/// Milliseconds taken over from the wall clock so far; one number for the process, as it has one wall clock.
static AHEAD: AtomicU64 = AtomicU64::new(0);

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
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = catch_up(wall, self.wall + self.started.elapsed(), Duration::from_millis(AHEAD.load(Ordering::Relaxed)));
        let ahead = AHEAD.fetch_max(millis(ahead), Ordering::Relaxed).max(millis(ahead));
        Time(millis(self.wall + self.started.elapsed()).saturating_add(ahead))
    }

    /// The moment of the runtime's clock at which `time` is reached.
    pub fn instant(&self, time: Time) -> tokio::time::Instant {
        let wall = Duration::from_millis(time.0.saturating_sub(AHEAD.load(Ordering::Relaxed)));
        let in_a_year = Duration::from_secs(365 * 24 * 3600);
        let after_start = wall.saturating_sub(self.wall).min(self.started.elapsed() + in_a_year);
        tokio::time::Instant::from_std(self.started + after_start)
    }
}

/// How much to add to the monotone time.
fn catch_up(wall: Duration, monotone: Duration, ahead: Duration) -> Duration {
    let gap = wall.saturating_sub(monotone + ahead);
    if gap > SLEPT { ahead + gap } else { ahead }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
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

/// The zone of this machine.
///
/// Where `/etc/localtime` points to is read directly: looking a zone up by its name goes through all directories of the zone
/// database first, which the first paint would have to wait for.
pub fn system_zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    linked_zone(Path::new("/etc/localtime")).unwrap_or_else(TimeZone::system)
}

/// The zone a link into the zone database names.
fn linked_zone(link: &Path) -> Option<TimeZone> {
    let file = std::fs::canonicalize(link).ok()?;
    let (_, name) = file.to_str()?.split_once("/zoneinfo/")?;
    TimeZone::tzif(name, &std::fs::read(&file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_into_the_zone_database_names_the_zone() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("localtime");
        assert_eq!(linked_zone(&link), None);
        let place = directory.path().join("zoneinfo/Europe");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("Berlin"), zone_file()).unwrap();
        std::os::unix::fs::symlink(place.join("Berlin"), &link).unwrap();
        let zone = linked_zone(&link).unwrap();
        assert_eq!(zone.iana_name(), Some("Europe/Berlin"));
    }

    /// A zone file (RFC 9636) of version 1: no transitions, one type, UTC+1.
    fn zone_file() -> Vec<u8> {
        let counts = [0u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
        [b"TZif".as_slice(), &[0; 16], &counts, &3600i32.to_be_bytes(), &[0, 0], b"CET\0"].concat()
    }

    #[test]
    fn sleep_is_caught_up_with_and_a_wall_clock_set_back_is_ignored() {
        let s = Duration::from_secs;
        assert_eq!(catch_up(s(1000), s(1000), s(0)), s(0));
        assert_eq!(catch_up(s(1001), s(1000), s(0)), s(0));
        assert_eq!(catch_up(s(5000), s(1000), s(0)), s(4000));
        assert_eq!(catch_up(s(5001), s(1001), s(4000)), s(4000));
        assert_eq!(catch_up(s(900), s(1000), s(4000)), s(4000));
    }

    #[test]
    fn time_never_runs_backwards_and_far_deadlines_are_harmless() {
        let clock = Clock::new();
        let (a, b) = (clock.now(), clock.now());
        assert!(a <= b);
        assert!(clock.instant(Time(u64::MAX)) > clock.instant(b));
    }
}
