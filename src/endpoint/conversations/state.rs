//! The conversation's state machine, row by row as `domain.md` 3.2 lists it.

use crate::domain::conversation::ConversationState;

/// What can happen to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The first call is being established (outgoing), or the bound call was accepted (incoming).
    Establish,
    /// The first call stands.
    Established,
    /// A call ended while others were about to be established.
    CallEnded,
    /// A conference is being joined.
    Join,
    /// The conference is joined, or the calls are escalated.
    Joined,
    /// Placed in the lobby.
    Lobby,
    /// Let in from the lobby.
    Admitted,
    /// The established calls cannot be escalated.
    CannotEscalate,
    /// The conference failed while a call was being established.
    ConferenceFailedEstablishing,
    /// The conference failed, denied, or the lobby timed out.
    ConferenceFailed,
    /// Ended by wish, by disconnection, by ejection, or because nothing is left (auto-termination).
    Terminate,
    /// Everything is cleaned up.
    Done,
}

use ConversationState as S;

const ROWS: &[(S, Step, S)] = &[
    (S::Idle, Step::Establish, S::Establishing),
    (S::Idle, Step::Join, S::Conferencing),
    (S::Idle, Step::Terminate, S::Terminating),
    (S::Incoming, Step::Establish, S::Establishing),
    (S::Incoming, Step::Join, S::Conferencing),
    (S::Incoming, Step::Terminate, S::Terminating),
    (S::Establishing, Step::Established, S::Established),
    (S::Establishing, Step::CallEnded, S::Idle),
    (S::Establishing, Step::Terminate, S::Terminating),
    (S::Established, Step::Join, S::Conferencing),
    (S::Established, Step::Terminate, S::Terminating),
    (S::Conferencing, Step::Joined, S::Conferenced),
    (S::Conferencing, Step::Lobby, S::InLobby),
    (S::Conferencing, Step::CannotEscalate, S::Established),
    (S::Conferencing, Step::ConferenceFailedEstablishing, S::Establishing),
    (S::Conferencing, Step::ConferenceFailed, S::Idle),
    (S::Conferencing, Step::Terminate, S::Terminating),
    (S::InLobby, Step::Admitted, S::Conferenced),
    (S::InLobby, Step::ConferenceFailed, S::Idle),
    (S::InLobby, Step::Terminate, S::Terminating),
    // Not in the guide's table, but in that of the session (3.5): joined again after a lost link, into the lobby.
    (S::Conferenced, Step::Lobby, S::InLobby),
    (S::Conferenced, Step::Terminate, S::Terminating),
    (S::Terminating, Step::Done, S::Terminated),
];

/// The state after `step`, or `None` for an invalid one, which changes nothing.
pub(super) fn next(state: ConversationState, step: Step) -> Option<ConversationState> {
    ROWS.iter().find(|r| r.0 == state && r.1 == step).map(|r| r.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! rows {
        ($($name:ident: $from:ident, $step:ident => $to:ident;)*) => {
            $(#[test] fn $name() { assert_eq!(next(S::$from, Step::$step), Some(S::$to)); })*

            #[test]
            fn anything_not_listed_is_invalid() {
                let listed = [$((S::$from, Step::$step)),*];
                let states = [S::Idle, S::Incoming, S::Establishing, S::Established, S::Conferencing, S::InLobby, S::Conferenced,
                    S::Terminating, S::Terminated];
                let steps = [Step::Establish, Step::Established, Step::CallEnded, Step::Join, Step::Joined, Step::Lobby,
                    Step::Admitted, Step::CannotEscalate, Step::ConferenceFailedEstablishing, Step::ConferenceFailed,
                    Step::Terminate, Step::Done];
                for state in states {
                    for step in steps {
                        assert_eq!(next(state, step).is_some(), listed.contains(&(state, step)), "{state:?} {step:?}");
                    }
                }
            }
        };
    }

    rows! {
        idle_first_call_establishes: Idle, Establish => Establishing;
        idle_join_conference: Idle, Join => Conferencing;
        idle_terminate: Idle, Terminate => Terminating;
        incoming_accept_bound_call: Incoming, Establish => Establishing;
        incoming_join_conference: Incoming, Join => Conferencing;
        incoming_terminate: Incoming, Terminate => Terminating;
        establishing_first_call_established: Establishing, Established => Established;
        establishing_a_call_ends_while_others_are_about_to_be_established: Establishing, CallEnded => Idle;
        establishing_auto_termination: Establishing, Terminate => Terminating;
        established_join_escalation: Established, Join => Conferencing;
        established_terminate: Established, Terminate => Terminating;
        conferencing_joined_or_calls_escalated: Conferencing, Joined => Conferenced;
        conferencing_placed_in_lobby: Conferencing, Lobby => InLobby;
        conferencing_established_calls_cannot_be_escalated: Conferencing, CannotEscalate => Established;
        conferencing_conference_failure_one_establishing: Conferencing, ConferenceFailedEstablishing => Establishing;
        conferencing_conference_failure_otherwise: Conferencing, ConferenceFailed => Idle;
        conferencing_terminate: Conferencing, Terminate => Terminating;
        in_lobby_admitted: InLobby, Admitted => Conferenced;
        in_lobby_conference_failure: InLobby, ConferenceFailed => Idle;
        in_lobby_terminate: InLobby, Terminate => Terminating;
        conferenced_joined_again_into_the_lobby: Conferenced, Lobby => InLobby;
        conferenced_terminate_disconnected_ejected: Conferenced, Terminate => Terminating;
        terminating_done: Terminating, Done => Terminated;
    }
}
