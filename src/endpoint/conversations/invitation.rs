//! An invitation of ours into a conference, row by row as `domain.md` 3.7 lists it.

use crate::domain::conversation::InvitationState as S;

/// Why an invitation moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It leaves.
    Delivering,
    /// The other side rings.
    Ringing,
    /// It goes to somebody else.
    Deflected,
    /// The MCU calls them instead.
    FallingBackToMcuDialOut,
    /// They come.
    Accepted,
    /// It cannot be delivered, or they do not come.
    DeliverFailed,
    /// We took it back.
    TerminatedLocally,
    /// The other side took it back.
    TerminatedRemotely,
}

/// The state after a reason; `None` for one that is not possible, which changes nothing.
pub(super) fn next(state: S, reason: Reason) -> Option<S> {
    use Reason as R;
    Some(match (state, reason) {
        (S::Idle, R::Delivering | R::Ringing) => S::Delivering,
        (S::Delivering, R::Ringing | R::Deflected | R::FallingBackToMcuDialOut) => S::Delivering,
        (S::Delivering, R::Accepted | R::DeliverFailed | R::TerminatedLocally | R::TerminatedRemotely) => S::Terminating,
        (S::Incoming, R::TerminatedLocally | R::TerminatedRemotely) => S::Terminating,
        (S::Terminating, R::Accepted | R::DeliverFailed | R::TerminatedLocally | R::TerminatedRemotely) => S::Terminated,
        _ => return None,
    })
}

impl Reason {
    /// As the roster says it.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Delivering => "invited",
            Reason::Ringing => "rings",
            Reason::Deflected => "passed on",
            Reason::FallingBackToMcuDialOut => "is called by the meeting",
            Reason::Accepted => "comes",
            Reason::DeliverFailed => "not reached",
            Reason::TerminatedLocally => "taken back",
            Reason::TerminatedRemotely => "declined",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASONS: [Reason; 8] = [
        Reason::Delivering,
        Reason::Ringing,
        Reason::Deflected,
        Reason::FallingBackToMcuDialOut,
        Reason::Accepted,
        Reason::DeliverFailed,
        Reason::TerminatedLocally,
        Reason::TerminatedRemotely,
    ];

    fn row(state: S, to: S, listed: &[Reason]) {
        for reason in REASONS {
            assert_eq!(next(state, reason), listed.contains(&reason).then_some(to), "{state:?} {reason:?}");
        }
    }

    #[test]
    fn the_table_of_the_guide_and_nothing_else() {
        use Reason as R;
        let over = [R::Accepted, R::DeliverFailed, R::TerminatedLocally, R::TerminatedRemotely];
        row(S::Idle, S::Delivering, &[R::Delivering, R::Ringing]);
        row(S::Incoming, S::Terminating, &over[2..]);
        row(S::Terminating, S::Terminated, &over);
        row(S::Terminated, S::Terminated, &[]);
        for reason in REASONS {
            let wanted = match reason {
                R::Ringing | R::Deflected | R::FallingBackToMcuDialOut => Some(S::Delivering),
                R::Delivering => None,
                _ => Some(S::Terminating),
            };
            assert_eq!(next(S::Delivering, reason), wanted, "{reason:?}");
        }
    }
}
