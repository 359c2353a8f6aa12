//! The rules that keep container members in order: who stands where, and where strays belong (`domain.md` 5.8).

use super::Address;
use super::access::{BLOCKED_CONTAINER, Change, SourceNetwork, is_local_only, resolve};
use super::presence::{Container, Member};

/// Somebody with a place of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub uri: Address,
    /// Where from.
    pub network: SourceNetwork,
    /// May act for the owner; outranks being a contact.
    pub delegate: bool,
}

/// Where delegates stand, and nowhere else.
const DELEGATES: u32 = 300;

/// The container that contacts of a network fall back to.
pub fn default_container(network: SourceNetwork) -> u32 {
    if network == SourceNetwork::SameEnterprise { 200 } else { 100 }
}

/// What must change so that the lists follow the manifest. `private`: only contacts may stand in visible containers.
/// Containers 0 and 32000 do not care about doubles; applying the result once is enough.
pub fn corrections(containers: &[Container], people: &[Person], private: bool) -> Vec<Change> {
    let mut out = networks(containers, private);
    // People are judged by what the networks get then.
    let mut then = containers.to_vec();
    apply(&mut then, &out);
    for person in people {
        place(&mut out, &then, person, private);
    }
    out
}

/// Entries that are no persons.
fn networks(containers: &[Container], private: bool) -> Vec<Change> {
    let mut out = Vec::new();
    for (member, home) in [(Member::SameEnterprise, 200), (Member::Federated, 100)] {
        let held = holding(containers, &member);
        if private {
            out.extend(held.into_iter().map(|id| Change::Remove(id, member.clone())));
        } else if held.len() != 1 {
            settle(&mut out, held, &member, home);
        }
    }
    let cloud = holding(containers, &Member::PublicCloud);
    if private || cloud.len() > 1 {
        out.extend(cloud.into_iter().map(|id| Change::Remove(id, Member::PublicCloud)));
    }
    if private {
        for c in containers.iter().filter(|c| is_visible(c.id)) {
            let domains = c.members.iter().filter(|m| matches!(m, Member::Domain(_)));
            out.extend(domains.map(|m| Change::Remove(c.id, m.clone())));
        }
    }
    out
}

fn place(out: &mut Vec<Change>, containers: &[Container], person: &Person, private: bool) {
    let member = Member::User(person.uri.clone());
    let blocked = containers.iter().any(|c| c.id == BLOCKED_CONTAINER && c.members.contains(&member));
    let held = holding(containers, &member);
    if person.delegate {
        if blocked {
            out.push(Change::Remove(BLOCKED_CONTAINER, member.clone()));
        }
        if held.as_slice() != [DELEGATES] {
            settle(out, held, &member, DELEGATES);
        }
        return;
    }
    let home = default_container(person.network);
    let by_network = without(containers, person, &member);
    match held.as_slice() {
        [] if private && !blocked => out.push(Change::Add(home, member)),
        [] => {}
        // An entry that changes nothing is redundant.
        [one] if !private && *one == by_network => out.push(Change::Remove(*one, member)),
        [_] => {}
        _ if !private && by_network == home => out.extend(held.into_iter().map(|id| Change::Remove(id, member.clone()))),
        _ => settle(out, held, &member, home),
    }
}

/// What somebody would see without an entry of their own in a visible container.
fn without(containers: &[Container], person: &Person, member: &Member) -> u32 {
    let mut rest = containers.to_vec();
    rest.iter_mut().filter(|c| is_visible(c.id)).for_each(|c| c.members.retain(|m| m != member));
    resolve(&rest, &person.uri, person.network)
}

/// Out of everywhere, into `home`.
fn settle(out: &mut Vec<Change>, held: Vec<u32>, member: &Member, home: u32) {
    let there = held.contains(&home);
    out.extend(held.into_iter().filter(|id| *id != home).map(|id| Change::Remove(id, member.clone())));
    if !there {
        out.push(Change::Add(home, member.clone()));
    }
}

fn is_visible(id: u32) -> bool {
    id != 0 && id != BLOCKED_CONTAINER && !is_local_only(id)
}

fn holding(containers: &[Container], member: &Member) -> Vec<u32> {
    containers.iter().filter(|c| is_visible(c.id) && c.members.contains(member)).map(|c| c.id).collect()
}

/// Carries corrections out on lists.
pub fn apply(containers: &mut Vec<Container>, corrections: &[Change]) {
    for correction in corrections {
        let id = correction.container();
        if !containers.iter().any(|c| c.id == id) {
            containers.push(Container { id, version: 0, members: Vec::new() });
        }
        for c in containers.iter_mut().filter(|c| c.id == id) {
            match correction {
                Change::Add(_, m) if !c.members.contains(m) => c.members.push(m.clone()),
                Change::Add(..) => {}
                Change::Remove(_, m) => c.members.retain(|k| k != m),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::access::default_containers;
    use super::*;
    use proptest::prelude::*;

    fn person(uri: &str, network: SourceNetwork, delegate: bool) -> Person {
        Person { uri: Address::parse(uri).unwrap(), network, delegate }
    }

    fn user(uri: &str) -> Member {
        Member::User(Address::parse(uri).unwrap())
    }

    #[test]
    fn default_containers_are_in_order() {
        let bob = person("bob@x.com", SourceNetwork::SameEnterprise, false);
        assert_eq!(corrections(&default_containers(), &[bob], false), []);
    }

    #[test]
    fn missing_and_double_entries_go_home() {
        let mut c = default_containers();
        c.iter_mut().for_each(|c| c.members.clear());
        let first = corrections(&c, &[], false);
        apply(&mut c, &first);
        assert_eq!(c.iter().find(|c| c.id == 200).unwrap().members, [Member::SameEnterprise]);
        assert_eq!(c.iter().find(|c| c.id == 100).unwrap().members, [Member::Federated]);
        apply(&mut c, &[Change::Add(300, user("bob@x.com")), Change::Add(400, user("bob@x.com"))]);
        let bob = person("bob@x.com", SourceNetwork::SameEnterprise, false);
        let expected = [Change::Remove(300, user("bob@x.com")), Change::Remove(400, user("bob@x.com"))];
        assert_eq!(corrections(&c, &[bob], false), expected);
    }

    #[test]
    fn a_contact_in_two_visible_containers_goes_to_the_default_of_the_network() {
        let mut c = default_containers();
        c.iter_mut().filter(|c| c.id == 100).for_each(|c| c.members.clear());
        apply(&mut c, &[Change::Add(400, Member::Federated)]);
        apply(&mut c, &[Change::Add(300, user("f@y.com")), Change::Add(200, user("f@y.com"))]);
        let first = corrections(&c, &[person("f@y.com", SourceNetwork::Federated, false)], false);
        apply(&mut c, &first);
        assert_eq!(resolve(&c, &Address::parse("f@y.com").unwrap(), SourceNetwork::Federated), 100);
    }

    #[test]
    fn redundant_members_go_from_100_to_400_and_stay_in_32000() {
        let mut c = default_containers();
        apply(&mut c, &[Change::Add(200, user("bob@x.com")), Change::Add(BLOCKED_CONTAINER, user("eve@x.com"))]);
        let people = ["bob@x.com", "eve@x.com"].map(|u| person(u, SourceNetwork::SameEnterprise, false));
        assert_eq!(corrections(&c, &people, false), [Change::Remove(200, user("bob@x.com"))]);
    }

    #[test]
    fn a_delegate_stands_in_300_only_and_outranks_the_contact() {
        let mut c = default_containers();
        apply(&mut c, &[Change::Add(400, user("d@x.com")), Change::Add(BLOCKED_CONTAINER, user("d@x.com"))]);
        let first = corrections(&c, &[person("d@x.com", SourceNetwork::SameEnterprise, true)], false);
        apply(&mut c, &first);
        let of: Vec<u32> = c.iter().filter(|c| c.members.contains(&user("d@x.com"))).map(|c| c.id).collect();
        assert_eq!(of, [300]);
    }

    #[test]
    fn there_is_exactly_one_entry_of_the_enterprise_and_of_partners_and_at_most_one_of_the_public_cloud() {
        let mut c = default_containers();
        let strays = [
            Change::Add(400, Member::SameEnterprise),
            Change::Add(300, Member::Federated),
            Change::Add(300, Member::PublicCloud),
            Change::Add(100, Member::PublicCloud),
        ];
        apply(&mut c, &strays);
        let first = corrections(&c, &[], false);
        apply(&mut c, &first);
        assert_eq!(holding(&c, &Member::SameEnterprise), [200]);
        assert_eq!(holding(&c, &Member::Federated), [100]);
        assert!(holding(&c, &Member::PublicCloud).is_empty());
        apply(&mut c, &[Change::Add(100, Member::PublicCloud)]);
        assert_eq!(corrections(&c, &[], false), [], "one entry is in order");
    }

    #[test]
    fn in_privacy_mode_networks_and_domains_stand_in_32000_only() {
        let mut c = default_containers();
        let strays = [
            Change::Add(400, Member::Domain("q.com".into())),
            Change::Add(100, Member::PublicCloud),
            Change::Add(BLOCKED_CONTAINER, Member::Domain("evil.com".into())),
            Change::Add(BLOCKED_CONTAINER, Member::PublicCloud),
        ];
        apply(&mut c, &strays);
        let first = corrections(&c, &[], true);
        apply(&mut c, &first);
        assert!(c.iter().filter(|c| c.id != BLOCKED_CONTAINER).all(|c| c.members.is_empty()), "{c:?}");
        assert_eq!(c.iter().find(|c| c.id == BLOCKED_CONTAINER).unwrap().members.len(), 2);
    }

    #[test]
    fn delegates_stand_in_the_workgroup_and_private_people_let_nobody_in_but_contacts() {
        let mut c = default_containers();
        let people = [person("d@x.com", SourceNetwork::SameEnterprise, true), person("f@y.com", SourceNetwork::Federated, false)];
        let first = corrections(&c, &people, true);
        apply(&mut c, &first);
        let seen = |who: &Person| resolve(&c, &who.uri, who.network);
        assert_eq!((seen(&people[0]), seen(&people[1])), (300, 100));
        assert_eq!(resolve(&c, &Address::parse("z@x.com").unwrap(), SourceNetwork::SameEnterprise), 0);
    }

    proptest! {
        #[test]
        fn one_round_restores_order_whatever_was_there(
            lists in prop::collection::vec((prop::sample::select(vec![100u32, 200, 300, 400, 32_000]), 0usize..6), 0..14),
            delegate: bool, private: bool,
        ) {
            let all = [Member::SameEnterprise, Member::Federated, Member::PublicCloud, Member::Domain("q.com".into()), user("a@x.com"), user("b@y.com")];
            let mut c = default_containers();
            for (id, m) in lists {
                apply(&mut c, &[Change::Add(id, all[m].clone())]);
            }
            let people = [person("a@x.com", SourceNetwork::SameEnterprise, delegate), person("b@y.com", SourceNetwork::Federated, false)];
            let first = corrections(&c, &people, private);
            apply(&mut c, &first);
            prop_assert_eq!(corrections(&c, &people, private), vec![]);
            if delegate {
                prop_assert_eq!(holding(&c, &user("a@x.com")), vec![300]);
            }
        }
    }
}
