//! Who gets into a conference, and as what (`domain.md` 8.2 and 8.3).

use crate::domain::Address;
use crate::domain::access::SourceNetwork;
use crate::domain::conference::{AccessLevel, AutomaticLeaders, Conference};
use crate::domain::conversation::Role;

/// Where somebody who asks to be let in comes to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Enter,
    Wait,
}

/// The admission table. `locked` is the state of the running conference, which begins as the scheduled level says.
pub(super) fn admit(conference: &Conference, locked: bool, who: &Address, network: SourceNetwork) -> Admission {
    let settings = &conference.settings;
    let invited = settings.participants.iter().find(|p| p.uri == *who);
    if *who == conference.organizer || invited.is_some_and(|p| p.role == Role::Leader) {
        return Admission::Enter;
    }
    let own = network == SourceNetwork::SameEnterprise;
    let enter = match effective(settings.access, locked) {
        AccessLevel::Everyone => true,
        AccessLevel::SameEnterprise => own,
        AccessLevel::Invited => own && invited.is_some(),
        AccessLevel::Locked => false,
    };
    if enter { Admission::Enter } else { Admission::Wait }
}

/// Unlocking brings the scheduled level back; a conference that was scheduled locked has none below, and opens for those invited.
pub(super) fn effective(scheduled: AccessLevel, locked: bool) -> AccessLevel {
    match (locked, scheduled) {
        (true, _) => AccessLevel::Locked,
        (false, AccessLevel::Locked) => AccessLevel::Invited,
        (false, level) => level,
    }
}

/// The role on entry.
pub(super) fn entry_role(conference: &Conference, who: &Address, network: SourceNetwork) -> Role {
    let settings = &conference.settings;
    let named = settings.participants.iter().any(|p| p.uri == *who && p.role == Role::Leader);
    let automatic = match settings.automatic_leaders {
        AutomaticLeaders::Disabled => false,
        AutomaticLeaders::SameEnterprise => network == SourceNetwork::SameEnterprise,
        AutomaticLeaders::Everyone => true,
    };
    if *who == conference.organizer || named || automatic { Role::Leader } else { Role::Attendee }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::{ConferenceId, ConferenceSettings, Invitee};

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@contoso.com")).unwrap()
    }

    fn conference(access: AccessLevel) -> Conference {
        let invitee = |name: &str, role| Invitee { uri: address(name), role };
        Conference {
            id: ConferenceId("K7M2Q9TX".into()),
            uri: String::new(),
            join_url: String::new(),
            organizer: address("organizer"),
            version: 1,
            last_update: None,
            is_active: false,
            settings: ConferenceSettings {
                access,
                participants: vec![invitee("leader", Role::Leader), invitee("invited", Role::Attendee)],
                ..ConferenceSettings::default()
            },
        }
    }

    #[test]
    fn the_table_of_the_guide() {
        use AccessLevel::{Everyone, Invited, Locked, SameEnterprise};
        use Admission::{Enter, Wait};
        let own = SourceNetwork::SameEnterprise;
        let table = [
            ("organizer", own, [Enter, Enter, Enter, Enter]),
            ("leader", own, [Enter, Enter, Enter, Enter]),
            ("invited", own, [Enter, Enter, Enter, Wait]),
            ("colleague", own, [Enter, Enter, Wait, Wait]),
            ("partner", SourceNetwork::Federated, [Enter, Wait, Wait, Wait]),
            ("anonymous", SourceNetwork::Everyone, [Enter, Wait, Wait, Wait]),
        ];
        for (who, network, expected) in table {
            for (access, expected) in [Everyone, SameEnterprise, Invited, Locked].into_iter().zip(expected) {
                let c = conference(access);
                assert_eq!(admit(&c, access == Locked, &address(who), network), expected, "{who} {access:?}");
            }
        }
    }

    #[test]
    fn locking_and_unlocking_go_back_to_the_earlier_level() {
        let c = conference(AccessLevel::SameEnterprise);
        let colleague = address("colleague");
        assert_eq!(admit(&c, true, &colleague, SourceNetwork::SameEnterprise), Admission::Wait);
        assert_eq!(admit(&c, false, &colleague, SourceNetwork::SameEnterprise), Admission::Enter);
        assert_eq!(effective(AccessLevel::Locked, false), AccessLevel::Invited);
    }

    #[test]
    fn leaders_are_the_organizer_the_named_and_those_the_settings_make() {
        let role = |automatic, who: &str, network| {
            let mut c = conference(AccessLevel::Everyone);
            c.settings.automatic_leaders = automatic;
            entry_role(&c, &address(who), network)
        };
        use AutomaticLeaders as A;
        use SourceNetwork as N;
        assert_eq!(role(A::Disabled, "organizer", N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::Disabled, "leader", N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::Disabled, "invited", N::SameEnterprise), Role::Attendee);
        assert_eq!(role(A::SameEnterprise, "colleague", N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::SameEnterprise, "partner", N::Federated), Role::Attendee);
        assert_eq!(role(A::Everyone, "partner", N::Federated), Role::Leader);
    }
}
