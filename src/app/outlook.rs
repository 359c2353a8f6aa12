//! "Who will get in", in plain words: the admission table of the domain, read for one meeting's settings.

use crate::domain::Address;
use crate::domain::access::SourceNetwork;
use crate::domain::admission::{Admission, Joiner, admit, effective, entry_role, needs_passcode};
use crate::domain::conference::{AccessLevel, ConferenceSettings};
use crate::domain::conversation::Role;

/// The page: headings with the people they hold; headings without people are left out.
pub fn page(s: &ConferenceSettings, organizer: &Address, name: &dyn Fn(&Address) -> String) -> Vec<(&'static str, String)> {
    let bypass = s.lobby_bypass;
    let level = s.access;
    let there: Vec<Joiner> = Joiner::ALL.into_iter().filter(|j| exists(*j, s)).collect();
    let all = |keep: &dyn Fn(Joiner) -> bool| {
        let words: Vec<String> = there.iter().copied().filter(|j| keep(*j)).flat_map(|j| people(j, s, organizer, name)).collect();
        words.join(", ")
    };
    let network = |j: Joiner| match j {
        Joiner::Federated => SourceNetwork::Federated,
        Joiner::Anonymous | Joiner::Gateway => SourceNetwork::Everyone,
        _ => SourceNetwork::SameEnterprise,
    };
    let mut page = vec![
        ("Come in directly", all(&|j| admit(j, level, bypass) == Admission::Enter)),
        ("Wait in the lobby until a leader lets them in", all(&|j| admit(j, level, bypass) == Admission::Wait)),
        ("Must say the passcode first", all(&|j| needs_passcode(j, s))),
        ("Lead", all(&|j| entry_role(j, network(j), s.automatic_leaders) == Role::Leader)),
    ];
    if level == AccessLevel::Locked {
        let below = effective(level, false);
        page.push(("Once it is unlocked, come in directly", all(&|j| admit(j, below, bypass) == Admission::Enter)));
    }
    page.retain(|p| !p.1.is_empty());
    page
}

/// The page as one sentence, for the form.
pub fn sentence(s: &ConferenceSettings) -> &'static str {
    match (s.access, s.passcode.is_some()) {
        (AccessLevel::SameEnterprise, _) => "Everyone of your company gets in; others wait in the lobby.",
        (AccessLevel::Locked, _) => "Only you and leaders get in; everyone else waits in the lobby.",
        (AccessLevel::Invited, _) => "Only the invited get in; everyone else waits in the lobby.",
        (AccessLevel::Everyone, false) => "Everyone with the link gets in.",
        (AccessLevel::Everyone, true) => "Everyone with the link gets in, strangers with the passcode.",
    }
}

fn exists(j: Joiner, s: &ConferenceSettings) -> bool {
    let invited = |role: Role| s.participants.iter().any(|p| p.role == role);
    match j {
        Joiner::Leader => invited(Role::Leader),
        Joiner::Invited => invited(Role::Attendee),
        Joiner::Gateway => s.phone_access,
        _ => true,
    }
}

fn people(j: Joiner, s: &ConferenceSettings, organizer: &Address, name: &dyn Fn(&Address) -> String) -> Vec<String> {
    let own = |who: &Address| who.host() == organizer.host();
    let named = |role: Role| {
        let of = s.participants.iter().filter(move |p| p.role == role);
        // People of other companies who are invited as attendees are only that: people of other companies.
        of.filter(|p| role == Role::Leader || own(&p.uri)).map(|p| name(&p.uri)).collect::<Vec<_>>()
    };
    match j {
        Joiner::Organizer => vec!["the organizer".into()],
        Joiner::Trusted => vec!["services the server trusts".into()],
        Joiner::Leader => named(Role::Leader),
        Joiner::Invited => named(Role::Attendee),
        Joiner::Colleague => vec![format!("everybody of {}", organizer.host())],
        Joiner::Federated => vec!["people of partner companies".into()],
        Joiner::Anonymous => vec!["strangers with the link".into()],
        Joiner::Gateway => vec!["callers by phone".into()],
        Joiner::InvitedInside => vec!["whom a leader invites from inside".into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::{AutomaticLeaders, Invitee};

    fn a(user: &str) -> Address {
        Address::parse(&format!("{user}@contoso.com")).unwrap()
    }

    fn told(s: &ConferenceSettings) -> Vec<String> {
        page(s, &a("alice"), &|u| u.user().to_owned()).into_iter().map(|(h, w)| format!("{h}: {w}")).collect()
    }

    #[test]
    fn the_page_says_for_everybody_what_the_table_decides() {
        let mut s = ConferenceSettings {
            access: AccessLevel::Invited,
            participants: vec![Invitee { uri: a("bob"), role: Role::Attendee }, Invitee { uri: a("carol"), role: Role::Leader }],
            ..ConferenceSettings::default()
        };
        assert_eq!(
            told(&s),
            [
                "Come in directly: the organizer, services the server trusts, carol, bob, whom a leader invites from inside",
                "Wait in the lobby until a leader lets them in: everybody of contoso.com, people of partner companies, \
                 strangers with the link",
                "Lead: the organizer, services the server trusts, carol",
            ]
        );
        s.access = AccessLevel::Everyone;
        s.passcode = Some("4711".into());
        s.phone_access = true;
        s.automatic_leaders = AutomaticLeaders::SameEnterprise;
        let page = told(&s);
        assert!(page[0].contains("strangers with the link, callers by phone") && page.len() == 3, "{page:?}");
        assert_eq!(page[1], "Must say the passcode first: strangers with the link, callers by phone");
        assert!(page[2].contains("everybody of contoso.com"));
    }

    #[test]
    fn a_locked_meeting_tells_what_comes_after_unlocking() {
        let s = ConferenceSettings { access: AccessLevel::Locked, ..ConferenceSettings::default() };
        let page = told(&s);
        assert!(page[0].starts_with("Come in directly: the organizer, services the server trusts"), "{page:?}");
        assert!(page.last().unwrap().starts_with("Once it is unlocked"));
    }
}
