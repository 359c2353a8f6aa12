//! Meetings that repeat (RFC 5545 §3.3.10): one conference with a rule, without the times that were cancelled, and with
//! those that were moved. The rule is kept as text; who expands it knows calendars.

use super::Time;
use serde::{Deserialize, Serialize};

/// Octets of a rule.
pub const RULE_MAX: usize = 500;
/// Times of one series that may be cancelled or moved.
pub const EXCEPTIONS_MAX: usize = 500;

/// How often a meeting may repeat; nobody meets hourly.
const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
/// Parts that give several times on one day: a few of them together name every second of a year.
const WITHIN_A_DAY: [&str; 3] = ["BYHOUR", "BYMINUTE", "BYSECOND"];

/// How a meeting repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Value of RRULE: `FREQ=WEEKLY;BYDAY=TU;COUNT=10`.
    pub rule: String,
    /// Beginnings, as the rule gives them, that do not take place (EXDATE).
    pub cancelled: Vec<Time>,
    /// Times that differ from the rule (RECURRENCE-ID).
    pub moved: Vec<Moved>,
}

/// One time of a series that differs from the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Beginning as the rule gives it; names this time for ever.
    pub of: Time,
    /// When it begins instead.
    pub start: Time,
    /// When it ends.
    pub end: Time,
    /// Another title; empty: the series'.
    pub subject: String,
}

impl Series {
    /// A series without exceptions.
    pub fn new(rule: &str) -> Series {
        Series { rule: rule.trim().trim_start_matches("RRULE:").to_uppercase(), ..Series::default() }
    }

    /// Whether the rule has the shape of one; whoever expands it finds out the rest.
    pub fn is_plausible(&self) -> bool {
        let letter = |c: char| c.is_ascii_alphanumeric() || "=;,+-".contains(c);
        let parts = || self.rule.split(';').map(|p| p.split('=').next().unwrap_or(p));
        let repeated = parts().enumerate().any(|(n, name)| parts().take(n).any(|before| before == name));
        self.rule.len() <= RULE_MAX
            && !repeated
            && !parts().any(|name| WITHIN_A_DAY.contains(&name))
            && self.rule.split(';').filter_map(|p| p.strip_prefix("FREQ=")).any(|f| FREQUENCIES.contains(&f))
            && self.rule.chars().all(letter)
            && self.cancelled.len() + self.moved.len() <= EXCEPTIONS_MAX
    }

    /// Cancels one time, named by its beginning as the rule gives it.
    pub fn cancel(&mut self, of: Time) {
        self.moved.retain(|m| m.of != of);
        if !self.cancelled.contains(&of) {
            self.cancelled.push(of);
            self.cancelled.sort();
        }
    }

    /// Moves or renames one time.
    pub fn change(&mut self, moved: Moved) {
        self.cancelled.retain(|c| *c != moved.of);
        self.moved.retain(|m| m.of != moved.of);
        self.moved.push(moved);
        self.moved.sort_by_key(|m| m.of);
    }

    /// The changed form of one time.
    pub fn moved(&self, of: Time) -> Option<&Moved> {
        self.moved.iter().find(|m| m.of == of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_is_cancelled_or_moved_never_both() {
        let mut s = Series::new("RRULE:FREQ=DAILY");
        let moved = Moved { of: Time(5), start: Time(6), end: Time(7), subject: String::new() };
        s.change(moved.clone());
        s.cancel(Time(5));
        s.cancel(Time(5));
        assert_eq!((s.moved.len(), s.cancelled.as_slice()), (0, &[Time(5)][..]));
        s.change(moved);
        assert_eq!((s.moved.len(), s.cancelled.len()), (1, 0));
        assert_eq!(s.rule, "FREQ=DAILY");
    }

    #[test]
    fn only_what_looks_like_a_rule_is_one() {
        assert!(Series::new("FREQ=WEEKLY;BYDAY=TU,-1FR;UNTIL=20270101T000000Z").is_plausible());
        for bad in [
            "",
            "weekly",
            "FREQ=NEVER",
            "FREQ=HOURLY",
            "COUNT=3",
            "FREQ=DAILY\r\nATTENDEE:x",
            "FREQ=DAILY;X=\"",
            "FREQ=DAILY;BYHOUR=1,2",
            "FREQ=YEARLY;BYSECOND=1",
            "FREQ=DAILY;FREQ=DAILY",
        ] {
            assert!(!Series::new(bad).is_plausible(), "{bad:?}");
        }
    }
}
