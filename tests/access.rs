//! Who may see what (`domain.md` 5.8), between endpoints and the front end: what "View as" shows equals what a second
//! signed-in user really receives, at every level.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::access::{Change, SourceNetwork};
use adsum::domain::contact::AddOptions;
use adsum::domain::presence::{
    Activity, Availability, Expiry, Freshness, Level, Member, Note, Phone, Presence, Publication, PublicationKey, UserStatus,
};
use adsum::domain::privacy::{Mode, Preference};
use adsum::domain::{Address, instances};
use adsum::endpoint::sight::{self, Affected, Sight, Viewer};
use adsum::endpoint::why;
use adsum::endpoint::{ErrorKind, Operation, Outcome};
use adsum::frontend;
use adsum::lync::categories::state::{StateKind, StateValue};
use support::world::{World, address};

const ALICE: usize = 0;
const BOB: usize = 1;

fn add(name: &str) -> Operation {
    Operation::AddContact { uri: address(name), name: String::new(), groups: Vec::new(), options: AddOptions::default() }
}

fn status(status: UserStatus) -> Operation {
    Operation::SetStatus { status, activity: String::new(), until: None }
}

fn note(text: &str, out_of_office: bool) -> Operation {
    Operation::SetNote { note: Some(Note { text: text.into(), out_of_office, start: None, end: None }) }
}

fn level(who: &str, level: Option<Level>) -> Operation {
    Operation::SetLevel { uri: address(who), level }
}

fn publication(category: &str, instance: u32, container: u32, value: &str) -> Publication {
    let key = PublicationKey { category: category.into(), instance, container };
    Publication { key, version: 0, expiry: Expiry::Static, publish_time: None, endpoint_id: None, value: value.into() }
}

/// Alice publishes something of everything; Bob and Carol watch her.
fn rich(seed: u64) -> World {
    let mut w = World::new(seed, &["alice", "bob", "carol"]);
    let alice = w.kept.users.iter_mut().find(|u| u.record.address == address("alice")).unwrap();
    alice.record.title = "Account manager".into();
    alice.record.company = "Contoso".into();
    alice.record.office = "B 2.14".into();
    alice.record.phone = "tel:+15551230100".into();
    w.crash();
    for name in ["alice", "bob", "carol"] {
        let i = w.endpoint(name);
        w.done(i, Operation::SignIn).unwrap();
    }
    w.done(BOB, add("alice")).unwrap();
    w.done(2, add("alice")).unwrap();
    let phone =
        |kind: &str, n: u32| Phone { kind: kind.into(), uri: format!("tel:+1555123{n:04}"), display: format!("{kind} {n}") };
    w.done(ALICE, Operation::SetPhones { phones: vec![phone("mobile", 199), phone("home", 200), phone("other", 201)] }).unwrap();
    w.done(ALICE, note("Back on Thursday", false)).unwrap();
    w.done(ALICE, Operation::SetLocation { location: "Building 34".into() }).unwrap();
    w.done(ALICE, Operation::Publish { publications: meeting() }).unwrap();
    let hours = r#"<calendarData xmlns="http://schemas.microsoft.com/2006/09/sip/calendarData" mailboxID="alice@contoso.com"><freeBusy startTime="2014-01-15T00:00:00Z" granularity="PT15M" encodingVersion="1">KAAA</freeBusy></calendarData>"#;
    let shown = [200, 300, 400].map(|c| publication("calendarData", instances::free_busy("alice@contoso.com"), c, hours));
    w.done(ALICE, Operation::Publish { publications: shown.to_vec() }).unwrap();
    w
}

/// A meeting that began now, as a calendar would publish it.
fn meeting() -> Vec<Publication> {
    let mut value = StateValue::new(StateKind::Calendar);
    value.availability = Some(Availability::BUSY);
    value.activity = Some(Activity::token("in-a-meeting"));
    value.meeting_subject = Some("Budget".into());
    value.meeting_location = Some("Room 7".into());
    [2, 3].map(|c| publication("state", instances::meeting("alice@contoso.com"), c, &value.to_xml())).to_vec()
}

/// What Alice's program says `who` sees.
fn view_as(w: &World, who: &str) -> Sight {
    let own = w.view(ALICE).own.as_ref().unwrap();
    let network = sight::network(&address("alice"), own, &address(who));
    sight::sight(&address("alice"), own, Viewer::Person { uri: address(who), network }, w.now)
}

/// As somebody who sees a container would.
fn through(w: &World, container: u32) -> Sight {
    let own = w.view(ALICE).own.as_ref().unwrap();
    sight::sight(&address("alice"), own, Viewer::Container(container), w.now)
}

/// What somebody really received of Alice.
fn received(w: &World, client: usize) -> Presence {
    let known = w.view(client).presence.get(&address("alice")).cloned().unwrap_or_default();
    Presence { freshness: Freshness::Unknown, ..known }
}

fn assert_same(w: &World, client: usize, who: &str, case: &str) {
    let shown = Presence { freshness: Freshness::Unknown, ..view_as(w, who).presence };
    assert_eq!(shown, received(w, client), "{case}\n{}", w.report(client));
}

#[test]
fn view_as_equals_what_a_second_signed_in_user_really_receives_for_every_level() {
    let mut w = rich(1);
    let levels = [Level::Personal, Level::Workgroup, Level::Colleagues, Level::External, Level::Blocked];
    for set in [UserStatus::Available, UserStatus::DoNotDisturb, UserStatus::Away, UserStatus::Busy] {
        w.done(ALICE, status(set)).unwrap();
        for l in levels {
            w.done(ALICE, level("bob", Some(l))).unwrap();
            let view = view_as(&w, "bob");
            assert_eq!(view.level, Some(l));
            assert_same(&w, BOB, "bob", &format!("{set:?} {l:?}"));
            assert_same(&w, 2, "carol", &format!("the colleague beside, {set:?} {l:?}"));
        }
        w.done(ALICE, note(&format!("set to {set:?}"), false)).unwrap();
        w.done(ALICE, level("bob", None)).unwrap();
        assert_same(&w, BOB, "bob", "back to the network's level");
    }
    // Somebody whom no container names: privacy mode, and not on the list.
    w.done(ALICE, Operation::SetPrivacyMode { preference: Preference::Private }).unwrap();
    assert_eq!(view_as(&w, "bob").level, Some(Level::Everyone));
    assert_same(&w, BOB, "bob", "a stranger");
    w.done(ALICE, status(UserStatus::DoNotDisturb)).unwrap();
    assert_same(&w, BOB, "bob", "a stranger, after a change");
    // A container of one's own making shows what is published into it.
    let text =
        r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">for the few</body></note>"#;
    w.done(ALICE, Operation::ChangeMembers { changes: vec![Change::Add(500, Member::User(address("bob")))] }).unwrap();
    w.done(ALICE, Operation::Publish { publications: vec![publication("note", 0, 500, text)] }).unwrap();
    assert_eq!(view_as(&w, "bob").container, 500);
    assert_eq!(view_as(&w, "bob").presence.note.as_ref().map(|n| n.text.as_str()), Some("for the few"));
    assert_same(&w, BOB, "bob", "a container of one's own making");
}

const ALL: [Level; 6] = [Level::Everyone, Level::External, Level::Colleagues, Level::Workgroup, Level::Personal, Level::Blocked];

/// At which levels, from Everyone to Blocked, something is seen.
fn seen_at(w: &World, what: impl Fn(&Sight) -> bool) -> [bool; 6] {
    ALL.map(|l| what(&through(w, l.container())))
}

fn fact(s: &Sight, label: &str) -> bool {
    s.facts.iter().any(|f| f.what == label)
}

#[test]
fn what_each_level_sees_is_the_table_of_the_guide() {
    let mut w = rich(2);
    let (no, yes) = (false, true);
    for (what, expected) in [
        ("Name", [yes, yes, yes, yes, yes, yes]),
        ("E-mail", [yes, yes, yes, yes, yes, yes]),
        ("Title", [no, yes, yes, yes, yes, no]),
        ("Company", [no, yes, yes, yes, yes, no]),
        ("Office", [no, no, yes, yes, yes, no]),
        ("Work phone", [no, no, yes, yes, yes, no]),
        ("Mobile phone", [no, no, no, yes, yes, no]),
        ("Home phone", [no, no, no, no, yes, no]),
        ("Other phone", [no, no, no, no, yes, no]),
        ("Status", [no, yes, yes, yes, yes, yes]),
        ("Activity", [no, no, yes, yes, yes, no]),
        ("Location", [no, no, yes, yes, yes, no]),
        ("Device", [no, no, yes, yes, yes, no]),
        ("Note", [no, no, yes, yes, yes, no]),
        ("Free and busy times", [no, no, yes, yes, yes, no]),
        ("Meeting", [no, no, no, yes, no, no]),
        ("Meeting place", [no, no, no, yes, no, no]),
        ("Can", [no, yes, yes, yes, yes, no]),
    ] {
        assert_eq!(seen_at(&w, |s| fact(s, what)), expected, "{what}\n{:?}", ALL.map(|l| through(&w, l.container()).facts));
    }
    let numbers = |w: &World| ALL.map(|l| through(w, l.container()).presence.availability.map(|a| a.0));
    assert_eq!(numbers(&w), [None, Some(6500), Some(6500), Some(6500), Some(6500), Some(18_500)]);
    // May break through Do Not Disturb: the workgroup only.
    w.done(ALICE, status(UserStatus::DoNotDisturb)).unwrap();
    assert_eq!(numbers(&w), [None, Some(9500), Some(9500), Some(6900), Some(9500), Some(18_500)]);
    // What is hidden is named with those who see it.
    let external = through(&w, 100);
    let hidden = external.hidden.iter().find(|h| h.what == "Note").unwrap();
    assert_eq!(hidden.why, "only Colleagues, Workgroup and Personal may see it");
    assert!(through(&w, 32_000).hidden.iter().all(|h| h.why.starts_with("blocked people see only")));
}

#[test]
fn an_out_of_office_note_is_seen_from_colleagues_on() {
    let mut w = rich(3);
    w.done(ALICE, note("On leave, ask Dave", true)).unwrap();
    assert_eq!(seen_at(&w, |s| fact(s, "Out-of-office note")), [false, false, true, true, true, false]);
    assert_same(&w, BOB, "bob", "with an out-of-office note");
}

#[test]
fn a_preview_is_what_really_comes_of_it() {
    let mut w = rich(4);
    for operation in [
        status(UserStatus::DoNotDisturb),
        note("in the lab", false),
        level("bob", Some(Level::Personal)),
        level("bob", Some(Level::Blocked)),
        Operation::ChangeMembers { changes: vec![Change::Add(700, Member::Domain("fabrikam.com".into()))] },
        Operation::ResetStatus,
        Operation::SetDelegates { add: vec![address("bob")], remove: vec![] },
        Operation::SetPrivacyMode { preference: Preference::Private },
    ] {
        let tried = w.done(ALICE, Operation::Preview { operations: vec![operation.clone()] });
        let Ok(Outcome::Preview(after)) = tried else { panic!("{tried:?}") };
        let before = w.view(ALICE).own.clone().unwrap();
        w.done(ALICE, operation.clone()).unwrap();
        let really = w.view(ALICE).own.clone().unwrap();
        assert_ne!(before, really, "{operation:?} changed something");
        let eyes = |own: &adsum::domain::presence::SelfPresence, who: &str| {
            let network = SourceNetwork::SameEnterprise;
            let s = sight::sight(&address("alice"), own, Viewer::Person { uri: address(who), network }, w.now);
            (s.container, s.facts)
        };
        for who in ["bob", "carol", "zoe@fabrikam.com"] {
            assert_eq!(eyes(&after, who), eyes(&really, who), "{operation:?} for {who}");
        }
    }
}

#[test]
fn a_dry_run_names_levels_and_people_who_would_see_something_else() {
    let mut w = rich(5);
    let before = w.view(ALICE).own.clone().unwrap();
    let tried = |w: &mut World, operation| match w.done(ALICE, Operation::Preview { operations: vec![operation] }) {
        Ok(Outcome::Preview(after)) => sight::differences(&address("alice"), &before, &after, [address("bob")], w.now),
        other => panic!("{other:?}"),
    };
    let blocked = tried(&mut w, level("bob", Some(Level::Blocked)));
    assert_eq!(blocked.len(), 1, "{blocked:?}");
    assert_eq!(blocked[0].who, Affected::Person(address("bob"), 200, 32_000));
    assert!(blocked[0].changes.iter().any(|c| c.what == "Status" && c.after.as_deref() == Some("Offline")));
    assert!(blocked[0].changes.iter().any(|c| c.what == "Note" && c.after.is_none()));
    let busy = tried(&mut w, note("in the lab", false));
    assert_eq!(busy.len(), 1, "{busy:?}");
    assert_eq!(busy[0].who, Affected::Containers(vec![200, 300, 400]));
    assert_eq!(w.view(ALICE).own.as_ref(), Some(&before), "nothing was sent");
}

#[test]
fn the_explanation_agrees_with_what_the_server_computed() {
    let mut w = rich(6);
    let second = w.endpoint("alice");
    w.done(second, Operation::SignIn).unwrap();
    for set in [UserStatus::Available, UserStatus::DoNotDisturb, UserStatus::Away, UserStatus::Busy, UserStatus::AppearOffline] {
        w.done(ALICE, status(set)).unwrap();
        let why = why::why(w.view(ALICE).own.as_ref().unwrap(), "", w.now);
        assert!(why.results.iter().all(|r| r.server_says.is_none()), "{set:?}: {why:?}");
    }
    w.done(ALICE, Operation::ResetStatus).unwrap();
    let why = why::why(w.view(ALICE).own.as_ref().unwrap(), "", w.now);
    // The meeting decides; clearing it leaves the devices.
    let decider = why.decider().unwrap().clone();
    assert_eq!(decider.who, "Calendar");
    w.done(second, Operation::Unpublish { keys: decider.keys }).unwrap();
    let why = why::why(w.view(ALICE).own.as_ref().unwrap(), "", w.now);
    assert_eq!(why.results[0].availability, Availability::AVAILABLE);
    assert_eq!(w.view(BOB).availability(&address("alice")), Some(3500));
}

#[test]
fn delegates_stand_in_the_workgroup_whatever_was_before() {
    let mut w = rich(7);
    w.done(ALICE, level("bob", Some(Level::Personal))).unwrap();
    w.done(ALICE, Operation::SetDelegates { add: vec![address("bob")], remove: vec![] }).unwrap();
    w.settle();
    assert_eq!(view_as(&w, "bob").container, 300, "{:?}", w.view(ALICE).own.as_ref().unwrap().containers);
    let error = w.done(ALICE, level("bob", Some(Level::Blocked))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidOperation);
    assert_same(&w, BOB, "bob", "a delegate");
    // It is kept, and the other devices know.
    w.crash();
    let second = w.endpoint("alice");
    w.done(second, Operation::SignIn).unwrap();
    assert_eq!(w.view(second).own.as_ref().unwrap().delegates.members, [address("bob")]);
    w.done(second, Operation::SetDelegates { add: vec![], remove: vec![address("bob")] }).unwrap();
    w.settle();
    assert!(w.view(ALICE).own.as_ref().unwrap().delegates.members.is_empty(), "{}", w.report(ALICE));
}

#[test]
fn two_devices_changing_delegates_at_once_both_succeed() {
    let mut w = rich(8);
    let second = w.endpoint("alice");
    w.done(second, Operation::SignIn).unwrap();
    let a = w.operate(ALICE, Operation::SetDelegates { add: vec![address("bob")], remove: vec![] });
    let b = w.operate(second, Operation::SetDelegates { add: vec![address("carol")], remove: vec![] });
    w.settle();
    assert_eq!((w.result(ALICE, a), w.result(second, b)), (Some(&Ok(Outcome::Done)), Some(&Ok(Outcome::Done))));
    let mut both = w.view(ALICE).own.as_ref().unwrap().delegates.members.clone();
    both.sort();
    assert_eq!(both, [address("bob"), address("carol")]);
}

#[test]
fn privacy_mode_shuts_strangers_out_gives_contacts_a_place_and_is_undone() {
    let mut w = rich(9);
    w.done(ALICE, add("carol")).unwrap();
    w.done(ALICE, Operation::SetPrivacyMode { preference: Preference::Private }).unwrap();
    w.settle();
    assert_eq!(w.view(ALICE).privacy, Some(Mode::Private));
    let containers = |w: &World| w.view(ALICE).own.as_ref().unwrap().containers.clone();
    assert!(!containers(&w).iter().any(|c| c.members.contains(&Member::SameEnterprise)));
    assert_eq!((view_as(&w, "bob").container, view_as(&w, "carol").container), (0, 200));
    assert_same(&w, BOB, "bob", "shut out");
    assert_same(&w, 2, "carol", "a contact");
    // A contact added now gets a place, and loses it when deleted (`domain.md` 6 rule 15).
    w.done(ALICE, add("bob")).unwrap();
    w.settle();
    assert_eq!(view_as(&w, "bob").container, 200);
    assert_same(&w, BOB, "bob", "added");
    w.done(ALICE, Operation::DeleteContact { uri: address("bob") }).unwrap();
    w.settle();
    assert_eq!(view_as(&w, "bob").container, 0);
    // A second device finds it so and leaves it so.
    let second = w.endpoint("alice");
    w.done(second, Operation::SignIn).unwrap();
    w.settle();
    assert_eq!(w.view(second).privacy, Some(Mode::Private));
    assert_eq!(view_as(&w, "bob").container, 0);
    w.done(ALICE, Operation::SetPrivacyMode { preference: Preference::Standard }).unwrap();
    w.settle();
    assert_eq!(w.view(ALICE).privacy, Some(Mode::Standard));
    assert_eq!((view_as(&w, "bob").container, view_as(&w, "carol").container), (200, 200));
    let named = containers(&w).iter().flat_map(|c| c.members.clone()).filter(|m| matches!(m, Member::User(_))).count();
    assert_eq!(named, 0, "entries that say what the network says anyway are gone");
    assert_same(&w, BOB, "bob", "open again");
}

#[test]
fn the_administrators_privacy_mode_migrates_everybody_who_did_not_choose_standard() {
    let mut config = frontend::Config::new("fe.contoso.com", 5061, "contoso.com");
    config.privacy = Some(true);
    let mut w = World::with_config(10, &["alice", "bob"], config);
    for name in ["alice", "bob"] {
        let i = w.endpoint(name);
        w.done(i, Operation::SignIn).unwrap();
    }
    w.settle();
    assert_eq!(w.view(ALICE).privacy, Some(Mode::Private), "{}", w.report(ALICE));
    assert_eq!(view_as(&w, "bob").container, 0);
    w.done(ALICE, Operation::SetPrivacyMode { preference: Preference::Standard }).unwrap();
    w.settle();
    assert_eq!((w.view(ALICE).privacy, view_as(&w, "bob").container), (Some(Mode::Standard), 200));
}

#[test]
fn members_that_make_no_sense_are_refused_in_words() {
    let mut w = rich(11);
    for member in [Member::User(address("alice")), Member::Everyone, Member::Domain("no domain".into())] {
        let e = w.done(ALICE, Operation::ChangeMembers { changes: vec![Change::Add(400, member)] }).unwrap_err();
        assert_eq!(e.kind, ErrorKind::InvalidArgument);
    }
    for container in [0, 1, 2, 3, 32_768] {
        let changes = vec![Change::Add(container, Member::User(address("bob")))];
        let e = w.done(ALICE, Operation::ChangeMembers { changes }).unwrap_err();
        assert!(e.text.contains("fixed"), "{}", e.text);
    }
    // Taking out who is not in is no error.
    let changes = vec![Change::Remove(400, Member::User(address("bob")))];
    assert_eq!(w.done(ALICE, Operation::ChangeMembers { changes }), Ok(Outcome::Done));
}

#[test]
fn watchers_are_told_with_network_and_time_and_blocked_ones_not_at_all() {
    let mut w = World::signed_in(12, &["alice", "bob", "carol"]);
    w.done(ALICE, level("carol", Some(Level::Blocked))).unwrap();
    w.done(BOB, add("alice")).unwrap();
    w.done(2, add("alice")).unwrap();
    let watchers = w.view(ALICE).own.as_ref().unwrap().subscribers.clone();
    assert_eq!(watchers.len(), 1, "who is blocked prompts nobody: {watchers:?}");
    assert_eq!((watchers[0].uri.clone(), watchers[0].network), (address("bob"), Some(SourceNetwork::SameEnterprise)));
    assert!(watchers[0].since.is_some());
    let _: Address = watchers[0].uri.clone();
}
