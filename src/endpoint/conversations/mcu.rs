//! Our part at an MCU, row by row as `domain.md` 3.6 lists it.

/// States of an MCU session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mcu {
    /// Nothing is known of the MCU yet.
    #[default]
    Idle,
    /// It can be called and commanded.
    Active,
    /// It or the way to it failed.
    Retrying,
    /// The conference has no such MCU.
    Terminated,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The conference is joined and the MCU is there.
    Activated,
    /// The conference has no such MCU.
    Absent,
    /// The MCU ended its call, or the focus is being reconnected.
    Failed,
}

const ROWS: &[(Mcu, Turn, Mcu)] = &[
    (Mcu::Idle, Turn::Activated, Mcu::Active),
    (Mcu::Idle, Turn::Absent, Mcu::Terminated),
    (Mcu::Active, Turn::Failed, Mcu::Retrying),
    (Mcu::Retrying, Turn::Activated, Mcu::Active),
];

/// The state after a turn; one that is not listed changes nothing.
pub(super) fn next(state: Mcu, turn: Turn) -> Mcu {
    ROWS.iter().find(|r| r.0 == state && r.1 == turn).map_or(state, |r| r.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_guide_and_nothing_else() {
        let listed = [
            (Mcu::Idle, Turn::Activated, Mcu::Active),
            (Mcu::Idle, Turn::Absent, Mcu::Terminated),
            (Mcu::Active, Turn::Failed, Mcu::Retrying),
            (Mcu::Retrying, Turn::Activated, Mcu::Active),
        ];
        for state in [Mcu::Idle, Mcu::Active, Mcu::Retrying, Mcu::Terminated] {
            for turn in [Turn::Activated, Turn::Absent, Turn::Failed] {
                let wanted = listed.iter().find(|r| r.0 == state && r.1 == turn).map_or(state, |r| r.2);
                assert_eq!(next(state, turn), wanted, "{state:?} {turn:?}");
            }
        }
    }
}
