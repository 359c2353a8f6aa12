//! Why a transaction wakes up, and the table of deadlines.

use crate::domain::Time;
use std::collections::BTreeSet;

/// One variant per reason to wake (RFC 3261 §17 and appendix A, RFC 6026).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Retransmit INVITE; T1, doubling. Datagrams only.
    A,
    /// No response at all to INVITE; 64 T1. Stops with the first response.
    B,
    /// No final response to INVITE long after a provisional one; the layer cancels by itself. Restarts with each 101–199.
    C,
    /// A cancelled INVITE got no final response within 64 T1 (RFC 3261 §9.1).
    Cancelled,
    /// Absorb retransmitted non-2xx finals of INVITE; 32 s on datagrams, none on streams.
    D,
    /// Retransmit a non-INVITE request; T1, doubling up to T2. Datagrams only.
    E,
    /// No final response to a non-INVITE request; 64 T1.
    F,
    /// Retransmit a non-2xx final of INVITE; T1, doubling up to T2. Datagrams only.
    G,
    /// No ACK for a non-2xx final; 64 T1. On streams it only bounds how long a late ACK is absorbed: some peers send none.
    H,
    /// Absorb retransmitted ACKs; T4 on datagrams, none on streams.
    I,
    /// Absorb retransmitted non-INVITE requests; 64 T1 on datagrams, none on streams.
    J,
    /// Absorb retransmitted responses of non-INVITE; T4 on datagrams, none on streams.
    K,
    /// A server INVITE answered 2xx: further 2xx may be sent, retransmitted INVITEs are absorbed; 64 T1 (RFC 6026).
    L,
    /// A client INVITE answered 2xx: further 2xx (retransmitted or of other forks) are handed up; 64 T1 (RFC 6026).
    M,
    /// The user has not answered an INVITE for 200 ms: send 100.
    Trying,
}

/// Deadlines by time; exact, so an idle layer wakes nobody.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeSet<(Time, u64, Timer)>);

/// A deadline a transaction has in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Armed {
    pub at: Time,
    pub timer: Timer,
}

impl Table {
    /// Puts `timer` in `slot` in place of what was there.
    pub fn arm(&mut self, id: u64, slot: &mut Option<Armed>, at: Time, timer: Timer) {
        self.disarm(id, slot);
        self.0.insert((at, id, timer));
        *slot = Some(Armed { at, timer });
    }

    /// Empties `slot`.
    pub fn disarm(&mut self, id: u64, slot: &mut Option<Armed>) {
        if let Some(a) = slot.take() {
            self.0.remove(&(a.at, id, a.timer));
        }
    }

    /// Next due one, taken out.
    pub fn pop_due(&mut self, now: Time) -> Option<(u64, Timer)> {
        let first = *self.0.first()?;
        (first.0 <= now).then(|| {
            self.0.pop_first();
            (first.1, first.2)
        })
    }

    /// Earliest deadline.
    pub fn next(&self) -> Option<Time> {
        self.0.first().map(|f| f.0)
    }
}
