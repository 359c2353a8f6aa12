//! Endpoints and the front end together, without a socket: signing in, contacts, presence, notes, levels.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::Rng;
use adsum::domain::contact::{AddOptions, ContactError, GroupId};
use adsum::domain::presence::{Freshness, Level, MachineState, Note, UserStatus};
use adsum::domain::watching::ViewId;
use adsum::endpoint::{EndpointState, ErrorKind, Operation, Outcome, Reason};
use std::time::Duration;
use support::world::{STORM, World, address};

fn add(name: &str) -> Operation {
    Operation::AddContact { uri: address(name), name: String::new(), groups: Vec::new(), options: AddOptions::default() }
}

fn status(status: UserStatus) -> Operation {
    Operation::SetStatus { status, activity: String::new(), until: None }
}

fn note(text: &str) -> Operation {
    Operation::SetNote { note: Some(Note { text: text.into(), out_of_office: false, start: None, end: None }) }
}

#[test]
fn signing_in_brings_the_list_and_publishes_the_device() {
    let w = World::signed_in(1, &["alice"]);
    let v = w.view(0);
    assert_eq!(v.state, Some(EndpointState::Established), "{}", w.report(0));
    assert!(v.has_list && v.groups.contains_key(&GroupId(1)) && v.contacts.is_empty());
    let own = v.own.as_ref().unwrap();
    let kinds = |c: &str| own.publications.iter().filter(|p| p.key.category == c).count();
    assert_eq!(kinds("device"), 1, "{}", w.report(0));
    assert!(kinds("state") >= 3);
    // All that is missing on this front end are files.
    assert!(matches!(&v.notices[..], [files] if files.starts_with("Files go only")), "{:?}", v.notices);
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_told_in_a_sentence() {
    let mut w = World::new(2, &["alice"]);
    let wrong = w.endpoint_with("alice", |c| c.password = "nope".to_owned().into());
    let nobody = w.endpoint("nobody");
    for i in [wrong, nobody] {
        let error = w.done(i, Operation::SignIn).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::AuthenticationFailed | ErrorKind::RegisterFailed), "{error:?}");
        assert_eq!(w.view(i).state, Some(EndpointState::Idle));
        assert_eq!(w.view(i).retry_at, None);
    }
}

#[test]
fn a_contact_is_added_seen_moved_renamed_and_deleted() {
    let mut w = World::signed_in(3, &["alice", "bob"]);
    assert_eq!(w.done(0, add("bob")), Ok(Outcome::Done));
    let bob = address("bob");
    assert_eq!(w.view(0).availability(&bob), Some(3500), "{}", w.report(0));
    assert_eq!(w.view(0).presence[&bob].card.display_name.as_deref(), Some("Bob Example"));
    // Bob is told who added him.
    assert!(w.view(1).own.as_ref().unwrap().subscribers.iter().any(|s| s.uri == address("alice") && !s.acknowledged));
    w.done(1, Operation::AcknowledgeSubscriber { uri: address("alice") }).unwrap();
    assert!(!w.view(1).own.as_ref().unwrap().subscribers.iter().any(|s| !s.acknowledged));

    let Ok(Outcome::Group(team)) = w.done(0, Operation::AddGroup { name: "Team".into() }) else { panic!() };
    w.done(0, Operation::SetContactGroups { uri: bob.clone(), groups: vec![team] }).unwrap();
    w.done(0, Operation::RenameContact { uri: bob.clone(), name: "Bobby".into() }).unwrap();
    w.done(0, Operation::RenameGroup { id: team, name: "The team".into() }).unwrap();
    let contact = &w.view(0).contacts[&bob];
    assert_eq!((contact.name.as_str(), contact.groups.as_slice()), ("Bobby", &[team][..]));
    assert_eq!(w.view(0).groups[&team].name, "The team");
    w.done(0, Operation::DeleteGroup { id: team }).unwrap();
    assert!(w.view(0).contacts.contains_key(&bob) && !w.view(0).groups.contains_key(&team));
    assert_eq!(w.done(0, add("bob")), Err(ContactError::DuplicateContact.into()));
    w.done(0, Operation::DeleteContact { uri: bob.clone() }).unwrap();
    assert!(w.view(0).contacts.is_empty());
    w.done(0, Operation::RefreshContacts).unwrap();
    assert!(w.view(0).contacts.is_empty());
}

#[test]
fn two_devices_of_one_person_see_the_same() {
    let mut w = World::signed_in(4, &["alice", "bob"]);
    let second = w.endpoint("alice");
    w.done(second, Operation::SignIn).unwrap();
    // Both change the list at once; the one that is late is replayed.
    let a = w.operate(0, add("bob"));
    let b = w.operate(second, Operation::AddGroup { name: "Team".into() });
    w.settle();
    assert_eq!(w.result(0, a), Some(&Ok(Outcome::Done)), "{}", w.report(0));
    assert!(matches!(w.result(second, b), Some(Ok(Outcome::Group(_)))), "{}", w.report(second));
    assert_eq!(w.view(0).contacts, w.view(second).contacts);
    assert_eq!(w.view(0).groups, w.view(second).groups);
    assert_eq!(w.view(0).groups.len(), 2);
    // And the status: set here, seen there; both at once leaves one of them for both.
    w.operate(0, status(UserStatus::Busy));
    w.operate(second, status(UserStatus::Away));
    w.settle();
    let (first, other) = (w.view(0).own.clone().unwrap(), w.view(second).own.clone().unwrap());
    assert_eq!(first.publications, other.publications);
    assert_eq!(first.containers, other.containers);
    let aggregate = w.view(second).own.as_ref().unwrap().publications.iter().filter(|p| p.key.category == "device").count();
    assert_eq!(aggregate, 2);
}

#[test]
fn presence_notes_and_levels_reach_the_watcher() {
    let mut w = World::signed_in(5, &["alice", "bob"]);
    w.done(0, add("bob")).unwrap();
    let bob = address("bob");
    for (set, number) in [
        (UserStatus::Busy, 6500),
        (UserStatus::DoNotDisturb, 9500),
        (UserStatus::BeRightBack, 12_500),
        (UserStatus::Away, 15_500),
        (UserStatus::AppearOffline, 18_500),
        (UserStatus::Available, 3500),
    ] {
        w.done(1, status(set)).unwrap();
        assert_eq!(w.view(0).availability(&bob), Some(number), "{set:?}\n{}", w.report(0));
    }
    w.done(1, Operation::ResetStatus).unwrap();
    w.done(1, Operation::SetMachineState { state: MachineState::Idle }).unwrap();
    assert_eq!(w.view(0).availability(&bob), Some(5000));
    w.done(1, Operation::SetMachineState { state: MachineState::Active }).unwrap();
    w.done(1, note("In Oslo")).unwrap();
    assert_eq!(w.view(0).note(&bob), Some("In Oslo"));
    w.done(1, note("In Rome")).unwrap();
    assert_eq!(w.view(0).note(&bob), Some("In Rome"));
    w.done(1, Operation::SetNote { note: None }).unwrap();
    assert_eq!(w.view(0).note(&bob), None);
    assert!(!w.view(1).own.as_ref().unwrap().publications.iter().any(|p| p.key.category == "note" && p.key.container == 200));
    w.done(1, note("Home")).unwrap();
    w.done(1, Operation::SetLocation { location: "office".into() }).unwrap();
    assert_eq!(w.view(0).presence[&bob].location.as_deref(), Some("office"));

    w.done(1, status(UserStatus::DoNotDisturb)).unwrap();
    w.done(1, Operation::SetLevel { uri: address("alice"), level: Some(Level::Workgroup) }).unwrap();
    assert_eq!(w.view(0).availability(&bob), Some(6900), "{}", w.report(0));
    w.done(1, Operation::SetLevel { uri: address("alice"), level: Some(Level::Blocked) }).unwrap();
    assert_eq!(w.view(0).availability(&bob), Some(18_500));
    assert_eq!(w.view(0).note(&bob), None);
    w.done(1, Operation::SetLevel { uri: address("alice"), level: None }).unwrap();
    assert_eq!(w.view(0).availability(&bob), Some(9500));
    assert_eq!(w.view(0).note(&bob), Some("Home"));
    w.done(1, Operation::SignOut).unwrap();
    assert_eq!(w.view(0).availability(&bob), Some(18_500));
}

#[test]
fn watching_somebody_who_is_no_contact() {
    let mut w = World::signed_in(6, &["alice", "bob"]);
    let bob = address("bob");
    w.done(0, Operation::Watch { view: ViewId::conversations(), uris: vec![bob.clone()] }).unwrap();
    assert_eq!(w.view(0).availability(&bob), Some(3500));
    assert!(w.view(1).own.as_ref().unwrap().subscribers.is_empty(), "watching tells nobody");
    w.done(0, Operation::Unwatch { view: ViewId::conversations(), uris: vec![bob.clone()] }).unwrap();
    let before = w.view(0).count;
    w.done(1, status(UserStatus::Busy)).unwrap();
    assert_eq!(w.view(0).count, before);
}

#[test]
fn the_directory_is_searched() {
    let mut w = World::signed_in(7, &["alice", "bob", "bobby", "carol"]);
    let Ok(Outcome::Found(rows)) = w.done(0, Operation::SearchDirectory { query: "bo".into() }) else { panic!() };
    let found: Vec<&str> = rows.iter().map(|r| r.uri.user()).collect();
    assert_eq!(found, ["bob", "bobby"], "{}", w.report(0));
}

#[test]
fn a_lost_link_makes_presence_stale_and_comes_back() {
    let mut w = World::signed_in(8, &["alice", "bob"]);
    w.done(0, add("bob")).unwrap();
    let bob = address("bob");
    w.cut(0);
    w.run(Duration::from_millis(4));
    assert_eq!(w.view(0).state, Some(EndpointState::Reestablishing));
    assert!(matches!(w.view(0).presence[&bob].freshness, Freshness::Stale { .. }));
    let late = w.operate(0, add("carol"));
    assert_eq!(w.result(0, late).unwrap().as_ref().unwrap_err().kind, ErrorKind::Retryable);
    w.settle();
    assert_eq!(w.view(0).state, Some(EndpointState::Established));
    assert_eq!(w.view(0).reason, Some(Reason::RegistrationRefreshSucceeded));
    assert_eq!(w.view(0).availability(&bob), Some(3500));
    assert_eq!(w.view(0).contacts.len(), 1);
}

#[test]
fn a_crashed_server_is_found_again_with_everything_it_kept() {
    let mut w = World::signed_in(9, &["alice", "bob"]);
    w.done(0, add("bob")).unwrap();
    w.done(1, status(UserStatus::Busy)).unwrap();
    w.done(1, note("Rebooting")).unwrap();
    let contacts = w.view(0).contacts.clone();
    w.crash();
    w.settle();
    assert_eq!(w.view(0).contacts, contacts);
    assert_eq!(w.view(0).availability(&address("bob")), Some(6500), "{}", w.report(0));
    assert_eq!(w.view(0).note(&address("bob")), Some("Rebooting"));
}

#[test]
fn hours_pass_quietly() {
    let mut w = World::signed_in(10, &["alice", "bob"]);
    w.done(0, add("bob")).unwrap();
    let before = (w.view(0).count, w.view(1).count);
    w.run(Duration::from_secs(26 * 3600));
    assert_eq!(w.view(0).state, Some(EndpointState::Established), "{}", w.report(0));
    assert_eq!((w.view(0).count, w.view(1).count), before, "renewals bring no news\n{}", w.report(0));
    w.done(1, status(UserStatus::BeRightBack)).unwrap();
    assert_eq!(w.view(0).availability(&address("bob")), Some(12_500));
}

#[test]
fn a_storm_ends_in_agreement() {
    for seed in 0..20 {
        let mut w = World::signed_in(100 + seed, &["alice", "bob"]);
        let second = w.endpoint("alice");
        w.operate(second, Operation::SignIn);
        w.weather = STORM;
        for (i, operation) in [
            (0, add("bob")),
            (second, Operation::AddGroup { name: "Team".into() }),
            (1, status(UserStatus::Busy)),
            (0, note("stormy")),
            (1, note("windy")),
            (second, status(UserStatus::BeRightBack)),
        ] {
            w.operate(i, operation);
            w.run(Duration::from_millis(700));
        }
        w.run(Duration::from_secs(60));
        w.weather = support::world::FINE;
        w.run(Duration::from_secs(200));
        w.settle();
        for i in 0..3 {
            assert_eq!(w.view(i).state, Some(EndpointState::Established), "seed {seed}\n{}", w.report(i));
            let open = w.clients[i].view.results.len() as u64;
            assert!(open > 0);
        }
        assert_eq!(w.view(0).contacts, w.view(second).contacts, "seed {seed}");
        assert_eq!(w.view(0).groups, w.view(second).groups, "seed {seed}");
        let a = w.view(0).own.as_ref().unwrap();
        let b = w.view(second).own.as_ref().unwrap();
        assert_eq!(a.publications, b.publications, "seed {seed}\n{}", w.report(0));
        if w.view(0).contacts.contains_key(&address("bob")) {
            let seen = w.view(0).availability(&address("bob"));
            assert_eq!(seen, w.view(second).availability(&address("bob")), "seed {seed}");
        }
    }
}

/// One change of a list by chance.
fn some_change(rng: &mut Rng, v: &support::view::View) -> Operation {
    let people = ["bob", "carol", "dan", "erin"];
    let uri = address(people[rng.below(4) as usize]);
    let groups: Vec<GroupId> = v.groups.keys().copied().filter(|g| g.0 != 1).collect();
    let group =
        |rng: &mut Rng| groups.get(rng.below(groups.len().max(1) as u64) as usize).copied().into_iter().collect::<Vec<_>>();
    match rng.below(9) {
        0 | 1 => Operation::AddContact { uri, name: String::new(), groups: group(rng), options: AddOptions::default() },
        2 => Operation::RenameContact { uri, name: format!("n{}", rng.below(9)) },
        3 | 4 => Operation::Regroup { uri, join: group(rng), leave: group(rng) },
        5 => Operation::TagContact { uri, tagged: rng.below(2) == 0 },
        6 => Operation::AddGroup { name: format!("g{}", rng.below(5)) },
        7 => match group(rng).first() {
            Some(id) => Operation::RenameGroup { id: *id, name: format!("g{}", rng.below(9)) },
            None => Operation::DeleteContact { uri },
        },
        _ => match group(rng).first() {
            Some(id) => Operation::DeleteGroup { id: *id },
            None => Operation::DeleteContact { uri },
        },
    }
}

#[test]
fn contacts_edited_on_two_devices_at_once_converge() {
    for seed in 0..40 {
        let mut w = World::signed_in(1000 + seed, &["alice", "bob", "carol", "dan"]);
        let second = w.endpoint("alice");
        w.done(second, Operation::SignIn).unwrap();
        let mut rng = Rng::seeded(seed);
        for _ in 0..12 {
            // Several at once on both devices, so that numbers are stale again and again.
            for device in [0, second, 0, second] {
                let change = some_change(&mut rng, w.view(device));
                w.operate(device, change);
            }
            w.settle();
        }
        assert_eq!(w.view(0).contacts, w.view(second).contacts, "seed {seed}");
        assert_eq!(w.view(0).groups, w.view(second).groups, "seed {seed}");
        let held = &w.server.state().users[&address("alice")].contacts;
        let server: Vec<_> = held.contacts.iter().map(|c| (c.uri.clone(), c.clone())).collect();
        assert_eq!(server.len(), w.view(0).contacts.len(), "seed {seed}");
        assert!(server.iter().all(|(uri, c)| w.view(0).contacts.get(uri) == Some(c)), "seed {seed}");
    }
}

#[test]
fn a_move_redone_on_a_fresh_copy_keeps_what_the_other_device_did() {
    let mut w = World::signed_in(60, &["alice", "bob"]);
    let second = w.endpoint("alice");
    w.done(second, Operation::SignIn).unwrap();
    let group = |w: &mut World, name: &str| match w.done(0, Operation::AddGroup { name: name.into() }) {
        Ok(Outcome::Group(id)) => id,
        other => panic!("{other:?}"),
    };
    let (a, b, c) = (group(&mut w, "A"), group(&mut w, "B"), group(&mut w, "C"));
    let bob = address("bob");
    w.done(0, Operation::AddContact { uri: bob.clone(), name: String::new(), groups: vec![a], options: AddOptions::default() })
        .unwrap();
    // Moved here, copied there, at the same moment.
    let moved = w.operate(0, Operation::Regroup { uri: bob.clone(), join: vec![b], leave: vec![a] });
    let copied = w.operate(second, Operation::Regroup { uri: bob.clone(), join: vec![c], leave: vec![] });
    w.settle();
    assert_eq!((w.result(0, moved), w.result(second, copied)), (Some(&Ok(Outcome::Done)), Some(&Ok(Outcome::Done))));
    assert_eq!(w.view(0).contacts[&bob].groups, [b, c]);
    assert_eq!(w.view(second).contacts[&bob].groups, [b, c]);
}

#[test]
fn rule_7_the_other_side_is_told_with_the_words_and_rule_8_deleting_takes_the_level_back() {
    let mut w = World::signed_in(61, &["alice", "bob"]);
    let bob = address("bob");
    let options = AddOptions { level: Some(Level::Workgroup), note: "from the fair".into(), ..AddOptions::default() };
    w.done(0, Operation::AddContact { uri: bob.clone(), name: String::new(), groups: vec![], options }).unwrap();
    w.settle();
    let told = w.view(1).own.as_ref().unwrap().subscribers.iter().find(|s| s.uri == address("alice")).cloned().unwrap();
    assert_eq!((told.acknowledged, told.words.as_str()), (false, "from the fair"));
    let named = |w: &World| {
        let own = w.view(0).own.clone().unwrap();
        let user = adsum::domain::presence::Member::User(bob.clone());
        own.containers.iter().filter(|c| c.members.contains(&user)).map(|c| c.id).collect::<Vec<_>>()
    };
    assert_eq!(named(&w), [300]);
    w.done(0, Operation::DeleteContact { uri: bob.clone() }).unwrap();
    w.settle();
    assert_eq!(named(&w), [0; 0]);
    // Who is blocked stays blocked.
    w.done(0, Operation::AddContact { uri: bob.clone(), name: String::new(), groups: vec![], options: AddOptions::default() })
        .unwrap();
    w.done(0, Operation::SetLevel { uri: bob.clone(), level: Some(Level::Blocked) }).unwrap();
    w.done(0, Operation::DeleteContact { uri: bob.clone() }).unwrap();
    w.settle();
    assert_eq!(named(&w), [32_000]);
}
