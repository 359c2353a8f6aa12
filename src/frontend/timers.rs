//! Deadlines of many things in one heap.
//!
//! A thing may stand in the heap with an earlier time than its real deadline: whoever is woken looks at the thing and
//! arms it again. So moving a deadline later (every keep-alive, every refresh) costs nothing.

use crate::domain::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Deadlines of things named by `K`.
#[derive(Debug)]
pub struct Timers<K: Ord> {
    heap: BinaryHeap<Reverse<(Time, K)>>,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Timers { heap: BinaryHeap::new() }
    }
}

impl<K: Ord> Timers<K> {
    /// Wakes `key` at `at`.
    pub fn arm(&mut self, at: Time, key: K) {
        self.heap.push(Reverse((at, key)));
    }

    /// The next wake-up.
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|e| e.0.0)
    }

    /// The next thing whose time has come.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|e| e.0.1)
    }

    /// How many wake-ups stand.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// None stands.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_things_come_in_order_of_time() {
        let mut t = Timers::default();
        t.arm(Time(30), 'c');
        t.arm(Time(10), 'a');
        t.arm(Time(20), 'b');
        assert_eq!(t.next(), Some(Time(10)));
        assert_eq!((t.pop_due(Time(20)), t.pop_due(Time(20)), t.pop_due(Time(20))), (Some('a'), Some('b'), None));
        assert_eq!(t.len(), 1);
    }
}
