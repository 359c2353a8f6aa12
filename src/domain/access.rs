//! Who sees which container, and who may reach the owner (`domain.md` 5.8).

use super::Address;
use super::presence::{Availability, AvailabilityClass, Container, Level, Member};
use serde::{Deserialize, Serialize};

/// Where a watcher comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceNetwork {
    /// Own enterprise.
    SameEnterprise,
    /// A federated partner.
    Federated,
    /// Public cloud.
    PublicCloud,
    /// Anybody else.
    Everyone,
}

/// The container of people who match nothing else.
pub const DEFAULT_CONTAINER: u32 = 0;
/// Own settings.
pub const SELF_CONTAINER: u32 = 1;
/// Sources for everybody but the workgroup.
pub const AGGREGATION_CONTAINER: u32 = 2;
/// Sources for the workgroup.
pub const WORKGROUP_AGGREGATION_CONTAINER: u32 = 3;
/// Blocked people.
pub const BLOCKED_CONTAINER: u32 = 32_000;
/// The highest number a container may have.
pub const HIGHEST_CONTAINER: u32 = 32_767;

/// Whether only the owner sees this container.
pub fn is_local_only(container: u32) -> bool {
    (SELF_CONTAINER..=WORKGROUP_AGGREGATION_CONTAINER).contains(&container)
}

/// Categories that act on callers and are never delivered (`domain.md` 5.5).
const PRIVATE: [&str; 2] = ["routing", "dndState"];

/// Whether watchers are told of a category at all.
pub fn is_delivered(category: &str) -> bool {
    !PRIVATE.contains(&category)
}

/// One change of the members of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Put a member into a container.
    Add(u32, Member),
    /// Take a member out of a container; who is not in stays out.
    Remove(u32, Member),
}

impl Change {
    /// The container that changes.
    pub fn container(&self) -> u32 {
        match self {
            Change::Add(id, _) | Change::Remove(id, _) => *id,
        }
    }

    /// What takes it back.
    pub fn undone(&self) -> Change {
        match self.clone() {
            Change::Add(id, m) => Change::Remove(id, m),
            Change::Remove(id, m) => Change::Add(id, m),
        }
    }
}

/// Whether the members of a container may be changed: not of the default one, nor of those only the owner sees.
pub fn may_change(container: u32) -> bool {
    container != DEFAULT_CONTAINER && !is_local_only(container) && container <= HIGHEST_CONTAINER
}

/// Where somebody stands, and what put them there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The container they see.
    pub container: u32,
    /// The member entry that names them; `None`: nothing does, so it is the default container.
    pub by: Option<Member>,
}

/// The container a watcher sees: the first kind of member that names it, and of that kind the highest id.
pub fn resolve(containers: &[Container], watcher: &Address, network: SourceNetwork) -> u32 {
    find(containers, watcher, network).map_or(DEFAULT_CONTAINER, |f| f.0)
}

/// As [`resolve`], with the entry that decides.
pub fn place(containers: &[Container], watcher: &Address, network: SourceNetwork) -> Place {
    let found = find(containers, watcher, network);
    Place { container: found.map_or(DEFAULT_CONTAINER, |f| f.0), by: found.map(|f| f.1.clone()) }
}

fn find<'a>(containers: &'a [Container], watcher: &Address, network: SourceNetwork) -> Option<(u32, &'a Member)> {
    let taking_part = containers.iter().filter(|c| c.id != DEFAULT_CONTAINER && !is_local_only(c.id));
    let hits = taking_part.flat_map(|c| c.members.iter().filter_map(|m| Some((rank(m, watcher, network)?, c.id, m))));
    hits.max_by_key(|(rank, id, _)| (*rank, *id)).map(|(_, id, m)| (id, m))
}

/// How exactly a member names the watcher; more is more exact.
fn rank(member: &Member, watcher: &Address, network: SourceNetwork) -> Option<u8> {
    match member {
        Member::User(a) => (a == watcher).then_some(5),
        Member::Domain(d) => d.eq_ignore_ascii_case(watcher.host()).then_some(4),
        Member::SameEnterprise => (network == SourceNetwork::SameEnterprise).then_some(3),
        Member::Federated => (network == SourceNetwork::Federated).then_some(2),
        Member::PublicCloud => (network == SourceNetwork::PublicCloud).then_some(1),
        Member::Everyone => None,
    }
}

impl Level {
    /// All of them, lowest container first.
    pub const ALL: [Level; 6] =
        [Level::Everyone, Level::External, Level::Colleagues, Level::Workgroup, Level::Personal, Level::Blocked];

    /// Its name.
    pub fn text(self) -> &'static str {
        match self {
            Level::Everyone => "Everyone",
            Level::External => "External",
            Level::Colleagues => "Colleagues",
            Level::Workgroup => "Workgroup",
            Level::Personal => "Personal",
            Level::Blocked => "Blocked",
        }
    }

    /// The level a container stands for; containers of one's own making have none.
    pub fn of_container(id: u32) -> Option<Level> {
        Some(match id {
            0 => Level::Everyone,
            100 => Level::External,
            200 => Level::Colleagues,
            300 => Level::Workgroup,
            400 => Level::Personal,
            32_000 => Level::Blocked,
            _ => return None,
        })
    }

    /// The container of the level.
    pub fn container(self) -> u32 {
        match self {
            Level::Everyone => 0,
            Level::External => 100,
            Level::Colleagues => 200,
            Level::Workgroup => 300,
            Level::Personal => 400,
            Level::Blocked => BLOCKED_CONTAINER,
        }
    }

    /// The container whose states decide what this level sees.
    pub fn source_container(self) -> u32 {
        if self == Level::Workgroup { WORKGROUP_AGGREGATION_CONTAINER } else { AGGREGATION_CONTAINER }
    }
}

/// Whether an invitation gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Yes.
    Allow,
    /// The owner does not want to be disturbed by this caller.
    DoNotDisturb,
    /// The caller is blocked; it must look as if the owner were offline.
    Blocked,
}

/// The block rules: `container` is what the caller resolves to, `seen` the owner's number for that level.
pub fn reach(container: u32, network: SourceNetwork, seen: Option<Availability>) -> Reach {
    let stranger = network == SourceNetwork::PublicCloud && container == DEFAULT_CONTAINER;
    if container == BLOCKED_CONTAINER || stranger {
        Reach::Blocked
    } else if seen.is_some_and(|a| a.class() == AvailabilityClass::DoNotDisturb) {
        Reach::DoNotDisturb
    } else {
        Reach::Allow
    }
}

/// The default containers of a new account (`domain.md` 5.6, rule 8).
pub fn default_containers() -> Vec<Container> {
    let none = |id| Container { id, version: 0, members: Vec::new() };
    let one = |id, member| Container { id, version: 1, members: vec![member] };
    vec![none(0), one(100, Member::Federated), one(200, Member::SameEnterprise), none(300), none(400), none(BLOCKED_CONTAINER)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn c(id: u32, members: Vec<Member>) -> Container {
        Container { id, version: 1, members }
    }

    #[test]
    fn the_most_exact_kind_of_member_wins_and_then_the_highest_container() {
        let bob = a("bob@contoso.com");
        let list = vec![
            c(100, vec![Member::User(bob.clone()), Member::Federated]),
            c(200, vec![Member::SameEnterprise]),
            c(400, vec![Member::Domain("CONTOSO.com".into())]),
        ];
        assert_eq!(resolve(&list, &bob, SourceNetwork::SameEnterprise), 100);
        assert_eq!(resolve(&list, &a("carol@contoso.com"), SourceNetwork::SameEnterprise), 400);
        assert_eq!(resolve(&list, &a("dave@other.com"), SourceNetwork::SameEnterprise), 200);
        assert_eq!(resolve(&list, &a("dave@other.com"), SourceNetwork::Federated), 100);
        assert_eq!(resolve(&list, &a("dave@other.com"), SourceNetwork::Everyone), 0);
        let both = vec![c(300, vec![Member::User(bob.clone())]), c(32_000, vec![Member::User(bob.clone())])];
        assert_eq!(resolve(&both, &bob, SourceNetwork::SameEnterprise), 32_000);
    }

    #[test]
    fn local_only_containers_never_take_part() {
        let bob = a("bob@contoso.com");
        let list = vec![
            c(1, vec![Member::User(bob.clone())]),
            c(2, vec![Member::SameEnterprise]),
            c(3, vec![Member::User(bob.clone())]),
        ];
        assert_eq!(resolve(&list, &bob, SourceNetwork::SameEnterprise), 0);
    }

    #[test]
    fn blocked_people_and_those_who_would_disturb_do_not_get_through() {
        let dnd = Some(Availability::DO_NOT_DISTURB);
        assert_eq!(reach(200, SourceNetwork::SameEnterprise, Some(Availability::BUSY)), Reach::Allow);
        assert_eq!(reach(200, SourceNetwork::SameEnterprise, dnd), Reach::DoNotDisturb);
        assert_eq!(reach(300, SourceNetwork::SameEnterprise, Some(Availability::URGENT_ONLY)), Reach::Allow);
        assert_eq!(reach(32_000, SourceNetwork::SameEnterprise, None), Reach::Blocked);
        assert_eq!(reach(0, SourceNetwork::PublicCloud, None), Reach::Blocked);
        assert_eq!(reach(0, SourceNetwork::Federated, None), Reach::Allow);
    }

    fn member() -> impl Strategy<Value = Member> {
        prop_oneof![
            prop::sample::select(vec!["a@x.com", "b@x.com", "a@y.com"]).prop_map(|s| Member::User(a(s))),
            prop::sample::select(vec!["x.com", "y.com"]).prop_map(|s| Member::Domain(s.into())),
            Just(Member::SameEnterprise),
            Just(Member::Federated),
            Just(Member::PublicCloud),
        ]
    }

    proptest! {
        #[test]
        fn resolution_follows_the_rules_of_the_guide_whatever_the_lists(
            lists in prop::collection::vec((prop::sample::select(vec![0u32, 1, 2, 3, 7, 100, 200, 300, 400, 32_000]),
                prop::collection::vec(member(), 0..4)), 0..8),
            who in prop::sample::select(vec!["a@x.com", "b@x.com", "a@y.com", "z@z.com"]),
            net in 0u8..4,
        ) {
            let network = [SourceNetwork::SameEnterprise, SourceNetwork::Federated, SourceNetwork::PublicCloud, SourceNetwork::Everyone][net as usize];
            let w = a(who);
            let list: Vec<Container> = lists.into_iter().map(|(id, m)| c(id, m)).collect();
            let hit = |f: &dyn Fn(&Member) -> bool| {
                list.iter().filter(|c| c.id > 3 && c.members.iter().any(f)).map(|c| c.id).max()
            };
            let rules: [&dyn Fn(&Member) -> bool; 5] = [
                &|m| matches!(m, Member::User(u) if *u == w),
                &|m| matches!(m, Member::Domain(d) if d == w.host()),
                &|m| *m == Member::SameEnterprise && network == SourceNetwork::SameEnterprise,
                &|m| *m == Member::Federated && network == SourceNetwork::Federated,
                &|m| *m == Member::PublicCloud && network == SourceNetwork::PublicCloud,
            ];
            let expected = rules.iter().find_map(|r| hit(*r)).unwrap_or(0);
            prop_assert_eq!(resolve(&list, &w, network), expected);
            let mut turned = list.clone();
            turned.reverse();
            prop_assert_eq!(resolve(&turned, &w, network), expected);
        }
    }
}
