//! Who gets into a conference, and as what: the tables of `domain.md` 8.2 and 8.3. The focus decides by them, and the
//! page "who will get in" is written from them.

use super::Address;
use super::access::SourceNetwork;
use super::conference::{AccessLevel, AutomaticLeaders, ConferenceSettings};
use super::conversation::Role;

/// Somebody who wants in, as the admission table knows people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Joiner {
    /// Who scheduled it.
    Organizer,
    /// An application the server trusts.
    Trusted,
    /// Invited as a leader.
    Leader,
    /// Invited, of the own enterprise.
    Invited,
    /// Of the own enterprise.
    Colleague,
    /// Of a partner company.
    Federated,
    /// Anybody else.
    Anonymous,
    /// By phone.
    Gateway,
    /// Invited by a leader from inside.
    InvitedInside,
}

/// Where somebody who asks to be let in comes to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// In.
    Enter,
    /// In the lobby.
    Wait,
}

/// Why a passcode does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasscodeFault {
    /// None was given.
    Missing,
    /// Another one is right.
    Wrong,
}

impl Joiner {
    /// All, in the order of the table.
    pub const ALL: [Joiner; 9] = [
        Joiner::Organizer,
        Joiner::Trusted,
        Joiner::Leader,
        Joiner::Invited,
        Joiner::Colleague,
        Joiner::Federated,
        Joiner::Anonymous,
        Joiner::Gateway,
        Joiner::InvitedInside,
    ];

    /// What somebody is to a conference, by its list of participants and the network they come from.
    pub fn of(settings: &ConferenceSettings, organizer: &Address, who: &Address, network: SourceNetwork) -> Joiner {
        let invited = settings.participants.iter().find(|p| p.uri == *who);
        match (invited.map(|p| p.role), network) {
            _ if who == organizer => Joiner::Organizer,
            (Some(Role::Leader), _) => Joiner::Leader,
            (Some(Role::Attendee), SourceNetwork::SameEnterprise) => Joiner::Invited,
            (None, SourceNetwork::SameEnterprise) => Joiner::Colleague,
            (_, SourceNetwork::Federated) => Joiner::Federated,
            _ => Joiner::Anonymous,
        }
    }

    /// Of the own enterprise, as automatic leaders mean it.
    fn is_own(self) -> bool {
        matches!(self, Joiner::Organizer | Joiner::Invited | Joiner::Colleague)
    }

    /// Leads whatever the settings say.
    fn always_leads(self) -> bool {
        matches!(self, Joiner::Organizer | Joiner::Trusted | Joiner::Leader)
    }
}

/// The admission table.
pub fn admit(joiner: Joiner, access: AccessLevel, bypass: bool) -> Admission {
    use AccessLevel as A;
    use Joiner as J;
    let enter = match (joiner, access) {
        (J::Organizer | J::Trusted | J::Leader, _) => true,
        (_, A::Locked) => false,
        (_, A::Everyone) if joiner != J::Gateway => true,
        (J::Gateway, A::Everyone) => true,
        (J::Gateway, _) => bypass,
        (J::Invited | J::InvitedInside, _) => true,
        (J::Colleague, A::SameEnterprise) => true,
        _ => false,
    };
    if enter { Admission::Enter } else { Admission::Wait }
}

/// The level in force: unlocking brings the earlier one back; a conference that was scheduled locked has none below, and
/// opens for those invited.
pub fn effective(level: AccessLevel, locked: bool) -> AccessLevel {
    match (locked, level) {
        (true, _) => AccessLevel::Locked,
        (false, AccessLevel::Locked) => AccessLevel::Invited,
        (false, level) => level,
    }
}

/// The role on entry.
pub fn entry_role(joiner: Joiner, network: SourceNetwork, automatic: AutomaticLeaders) -> Role {
    let own = joiner.is_own() || network == SourceNetwork::SameEnterprise;
    let made = match automatic {
        AutomaticLeaders::Disabled => false,
        AutomaticLeaders::SameEnterprise => own,
        AutomaticLeaders::Everyone => true,
    };
    if joiner.always_leads() || made { Role::Leader } else { Role::Attendee }
}

/// Whether somebody must say the passcode: those who prove nothing else always, the others unless it is optional. Who
/// leads by name need not.
pub fn needs_passcode(joiner: Joiner, settings: &ConferenceSettings) -> bool {
    let set = settings.passcode.is_some();
    match joiner {
        Joiner::Organizer | Joiner::Trusted | Joiner::Leader => false,
        Joiner::Anonymous | Joiner::Gateway => set,
        _ => set && !settings.passcode_optional,
    }
}

/// Judges the passcode somebody gave.
pub fn check_passcode(joiner: Joiner, settings: &ConferenceSettings, given: Option<&str>) -> Result<(), PasscodeFault> {
    if !needs_passcode(joiner, settings) {
        return Ok(());
    }
    match given.map(str::trim).filter(|g| !g.is_empty()) {
        None => Err(PasscodeFault::Missing),
        Some(code) if settings.passcode.as_deref() == Some(code) => Ok(()),
        Some(_) => Err(PasscodeFault::Wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::Invitee;

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@contoso.com")).unwrap()
    }

    #[test]
    fn the_table_of_the_guide() {
        use AccessLevel::{Everyone, Invited, Locked, SameEnterprise};
        use Admission::{Enter, Wait};
        let table = [
            (Joiner::Organizer, false, [Enter, Enter, Enter, Enter]),
            (Joiner::Trusted, false, [Enter, Enter, Enter, Enter]),
            (Joiner::Leader, false, [Enter, Enter, Enter, Enter]),
            (Joiner::Invited, false, [Enter, Enter, Enter, Wait]),
            (Joiner::Colleague, false, [Enter, Enter, Wait, Wait]),
            (Joiner::Federated, false, [Enter, Wait, Wait, Wait]),
            (Joiner::Anonymous, false, [Enter, Wait, Wait, Wait]),
            (Joiner::Gateway, true, [Enter, Enter, Enter, Wait]),
            (Joiner::Gateway, false, [Enter, Wait, Wait, Wait]),
            (Joiner::InvitedInside, false, [Enter, Enter, Enter, Wait]),
        ];
        for (joiner, bypass, expected) in table {
            for (access, expected) in [Everyone, SameEnterprise, Invited, Locked].into_iter().zip(expected) {
                assert_eq!(admit(joiner, access, bypass), expected, "{joiner:?} {access:?} {bypass}");
            }
        }
    }

    #[test]
    fn people_are_told_apart_by_list_and_network() {
        let invitee = |name: &str, role| Invitee { uri: address(name), role };
        let settings = ConferenceSettings {
            participants: vec![invitee("leader", Role::Leader), invitee("invited", Role::Attendee)],
            ..ConferenceSettings::default()
        };
        use SourceNetwork as N;
        let of = |who: &str, network| Joiner::of(&settings, &address("organizer"), &address(who), network);
        assert_eq!(of("organizer", N::SameEnterprise), Joiner::Organizer);
        assert_eq!(of("leader", N::Federated), Joiner::Leader);
        assert_eq!(of("invited", N::SameEnterprise), Joiner::Invited);
        assert_eq!(of("invited", N::Federated), Joiner::Federated);
        assert_eq!(of("somebody", N::SameEnterprise), Joiner::Colleague);
        assert_eq!(of("somebody", N::PublicCloud), Joiner::Anonymous);
        assert_eq!(of("somebody", N::Everyone), Joiner::Anonymous);
    }

    #[test]
    fn locking_and_unlocking_go_back_to_the_earlier_level() {
        assert_eq!(effective(AccessLevel::SameEnterprise, true), AccessLevel::Locked);
        assert_eq!(effective(AccessLevel::SameEnterprise, false), AccessLevel::SameEnterprise);
        assert_eq!(effective(AccessLevel::Locked, false), AccessLevel::Invited);
    }

    #[test]
    fn leaders_are_the_organizer_the_named_and_those_the_settings_make() {
        use AutomaticLeaders as A;
        use SourceNetwork as N;
        let role = |automatic, joiner, network| entry_role(joiner, network, automatic);
        assert_eq!(role(A::Disabled, Joiner::Organizer, N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::Disabled, Joiner::Trusted, N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::Disabled, Joiner::Leader, N::Federated), Role::Leader);
        assert_eq!(role(A::Disabled, Joiner::Invited, N::SameEnterprise), Role::Attendee);
        assert_eq!(role(A::SameEnterprise, Joiner::Colleague, N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::SameEnterprise, Joiner::InvitedInside, N::SameEnterprise), Role::Leader);
        assert_eq!(role(A::SameEnterprise, Joiner::Federated, N::Federated), Role::Attendee);
        assert_eq!(role(A::Everyone, Joiner::Anonymous, N::Everyone), Role::Leader);
    }

    #[test]
    fn a_passcode_is_asked_of_strangers_always_and_of_others_unless_it_is_optional() {
        let mut s = ConferenceSettings { passcode: Some("4711".into()), ..ConferenceSettings::default() };
        assert_eq!(check_passcode(Joiner::Anonymous, &s, None), Err(PasscodeFault::Missing));
        assert_eq!(check_passcode(Joiner::Anonymous, &s, Some("12")), Err(PasscodeFault::Wrong));
        assert_eq!(check_passcode(Joiner::Anonymous, &s, Some(" 4711 ")), Ok(()));
        assert_eq!(check_passcode(Joiner::Colleague, &s, None), Ok(()));
        s.passcode_optional = false;
        assert_eq!(check_passcode(Joiner::Colleague, &s, None), Err(PasscodeFault::Missing));
        assert_eq!(check_passcode(Joiner::Leader, &s, None), Ok(()));
        s.passcode = None;
        assert_eq!(check_passcode(Joiner::Anonymous, &s, None), Ok(()));
    }
}
