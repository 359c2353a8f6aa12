//! Typing in both directions (`domain.md` 7.1): told at once and every 5 s; the other side's ends after 6 s.

use crate::domain::{Address, Time};
use crate::endpoint::limits::{MAX_TYPING, TYPING_LOCAL_END, TYPING_REFRESH, TYPING_REMOTE_END};
use std::collections::BTreeMap;

/// What to tell the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Typing.
    Type,
    /// Stopped.
    Idle,
}

/// Our own typing.
#[derive(Debug, Default)]
pub(super) struct Local(Option<(Time, Time)>);

impl Local {
    /// A key was pressed.
    pub fn key(&mut self, now: Time) -> Option<Notice> {
        match &mut self.0 {
            None => {
                self.0 = Some((now, now));
                Some(Notice::Type)
            }
            Some((told, key)) => {
                *key = now;
                let due = *told + TYPING_REFRESH <= now;
                due.then(|| {
                    *told = now;
                    Notice::Type
                })
            }
        }
    }

    /// The user stopped.
    pub fn stop(&mut self) -> Option<Notice> {
        self.0.take().map(|_| Notice::Idle)
    }

    /// A message left, which says as much as an idle notice.
    pub fn sent(&mut self) {
        self.0 = None;
    }

    /// Time passed.
    pub fn expire(&mut self, now: Time) -> Option<Notice> {
        let (told, key) = self.0.as_mut()?;
        if *key + TYPING_LOCAL_END <= now {
            return self.stop();
        }
        (*told + TYPING_REFRESH <= now).then(|| {
            *told = now;
            Notice::Type
        })
    }

    /// When to call [`Local::expire`].
    pub fn deadline(&self) -> Option<Time> {
        self.0.map(|(told, key)| (told + TYPING_REFRESH).min(key + TYPING_LOCAL_END))
    }
}

/// The others' typing.
#[derive(Debug, Default)]
pub(super) struct Remote(BTreeMap<Address, Time>);

impl Remote {
    /// A notice came.
    pub fn set(&mut self, now: Time, who: &Address, active: bool) {
        if !active {
            self.0.remove(who);
        } else if self.0.contains_key(who) || self.0.len() < MAX_TYPING {
            self.0.insert(who.clone(), now + TYPING_REMOTE_END);
        }
    }

    /// Whether this person types.
    pub fn is_typing(&self, who: &Address) -> bool {
        self.0.contains_key(who)
    }

    /// Forgets everybody.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Time passed.
    pub fn expire(&mut self, now: Time) {
        self.0.retain(|_, until| *until > now);
    }

    /// When to call [`Remote::expire`].
    pub fn deadline(&self) -> Option<Time> {
        self.0.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_told_at_once_and_then_every_5_s_while_keys_come() {
        let mut l = Local::default();
        let told: Vec<u64> = (0..=100).map(|n| n * 100).filter(|t| l.key(Time(*t)).is_some()).collect();
        assert_eq!(told, [0, 5000, 10_000]);
    }

    #[test]
    fn typing_ends_3_s_after_the_last_key() {
        let mut l = Local::default();
        l.key(Time(0));
        l.key(Time(1000));
        assert_eq!((l.deadline(), l.expire(Time(3999))), (Some(Time(4000)), None));
        assert_eq!((l.expire(Time(4000)), l.deadline()), (Some(Notice::Idle), None));
    }

    #[test]
    fn a_message_ends_typing_without_a_notice() {
        let mut l = Local::default();
        l.key(Time(0));
        l.sent();
        assert_eq!(l.stop(), None);
    }

    #[test]
    fn the_others_typing_ends_after_6_s() {
        let (mut r, bob) = (Remote::default(), Address::parse("bob@contoso.com").unwrap());
        r.set(Time(0), &bob, true);
        r.expire(Time(5999));
        assert!(r.is_typing(&bob));
        r.expire(Time(6000));
        assert!(!r.is_typing(&bob));
    }
}
