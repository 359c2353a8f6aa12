use super::*;
use crate::app::state::FieldId;
use crate::app::state::own::About;
use crate::domain::contact::AddOptions;
use crate::domain::conversation::Invitation;
use crate::domain::presence::{
    Container, Expiry, Level, Member, Publication, PublicationKey, SelfPresence, Subscriber, UserStatus,
};
use crate::lync::categories::state::{StateKind, StateValue};

fn publication(instance: u32, container: u32, value: String, endpoint: Option<&str>) -> Publication {
    Publication {
        key: PublicationKey { category: "state".into(), instance, container },
        version: 1,
        expiry: Expiry::Endpoint,
        publish_time: Some(NOW),
        endpoint_id: endpoint.map(str::to_owned),
        value,
    }
}

fn replica(user: Option<Availability>, devices: &[Availability], result: Availability) -> SelfPresence {
    let mut publications = Vec::new();
    for (i, d) in devices.iter().enumerate() {
        let instance = 0x3000_0000 + u32::try_from(i).unwrap();
        publications.push(publication(instance, 2, StateValue::machine(*d).to_xml(), Some(&format!("device-{i}"))));
    }
    publications.extend(user.map(|u| publication(0x2000_0000, 2, StateValue::user(u).to_xml(), None)));
    publications.push(publication(
        1,
        2,
        StateValue { kind: StateKind::Aggregate, ..StateValue::aggregate(result) }.to_xml(),
        None,
    ));
    SelfPresence { publications, ..SelfPresence::default() }
}

fn rows(s: &Stage) -> String {
    let all = s.state.own.endpoints.iter().chain(&s.state.own.states);
    all.map(|e| format!("{}{} {}", if e.wins { ">" } else { "" }, e.source, e.availability.0)).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_source_that_decides_is_named() {
    use Availability as A;
    for (user, devices, result, expected) in [
        (None, vec![A::AVAILABLE], A::AVAILABLE, ">machineState 3500"),
        (None, vec![A::AWAY, A::AVAILABLE], A::AVAILABLE, ">machineState 3500, machineState 15500"),
        (Some(A::BUSY), vec![A::AVAILABLE], A::BUSY, "machineState 3500, >userState 6500"),
        (Some(A::BUSY), vec![A::AWAY], A::BUSY_IDLE, "machineState 15500, >userState 6500"),
        (Some(A::AWAY), vec![A::AVAILABLE], A::AWAY, "machineState 3500, >userState 15500"),
        (Some(A::AVAILABLE), vec![A::IDLE], A::IDLE, ">machineState 5000, userState 3500"),
        (Some(A::DO_NOT_DISTURB), vec![A::IDLE], A::DO_NOT_DISTURB, "machineState 5000, >userState 9500"),
    ] {
        let mut s = Stage::new();
        s.says(endpoint::Event::SelfPresence(Box::new(replica(user, &devices, result))));
        assert_eq!(rows(&s), expected);
        assert_eq!(s.state.account.availability, Some(result));
        assert!(!s.state.own.reason.is_empty());
    }
}

#[test]
fn a_status_set_by_hand_after_the_meeting_began_decides() {
    let mut own = replica(Some(Availability::BUSY), &[Availability::AVAILABLE], Availability::BUSY);
    let meeting = StateValue { kind: StateKind::Calendar, ..StateValue::user(Availability::BUSY) };
    own.publications
        .push(Publication { publish_time: Some(Time(NOW.0 - 60_000)), ..publication(0x4000_0001, 2, meeting.to_xml(), None) });
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    assert_eq!(rows(&s), "machineState 3500, >userState 6500, calendarState 6500");
    assert_eq!(s.state.own.reason, "What you set by hand decides.");
}

#[test]
fn the_form_shows_what_is_published_and_publishes_what_differs() {
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::new(replica(
        Some(Availability::BUSY),
        &[Availability::AVAILABLE],
        Availability::BUSY,
    ))));
    s.keys("Alt-4");
    assert_eq!(s.state.own.form.choice(FieldId::Status), 1);
    s.keys("Space j Enter \"In the lab\" Enter Enter \"15:00\" Enter Enter \"Back at 3\" Ctrl-S");
    assert_eq!(
        s.asked(),
        [
            Operation::SetStatus {
                status: UserStatus::DoNotDisturb,
                activity: "In the lab".into(),
                until: Some(Time(1_795_273_200_000))
            },
            Operation::SetNote {
                note: Some(crate::domain::presence::Note {
                    text: "Back at 3".into(),
                    out_of_office: false,
                    start: None,
                    end: None
                })
            },
        ]
    );
    assert!(!s.state.own.editing);
}

#[test]
fn an_end_that_is_no_time_is_refused_and_the_form_stays() {
    let mut s = Stage::new();
    s.keys("Alt-4 j j Enter \"lunch\" Ctrl-S");
    assert!(s.asked().is_empty());
    let form = &s.state.own.form;
    assert!(form.fields[form.at].id == FieldId::Until && form.fields[form.at].error.is_some());
}

#[test]
fn the_status_menu_sets_and_resets() {
    let mut s = Stage::new();
    s.keys("Alt-s j Enter");
    assert_eq!(s.asked(), [Operation::SetStatus { status: UserStatus::Busy, activity: String::new(), until: None }]);
    s.keys("Alt-s G Enter");
    assert_eq!(s.asked(), [Operation::ResetStatus]);
}

#[test]
fn an_invitation_comes_before_a_watcher_who_can_wait() {
    let mut s = Stage::new();
    let own = SelfPresence { subscribers: vec![Subscriber::new(a("zed"), "Zed")], ..SelfPresence::default() };
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    for id in ["c1", "c2"] {
        let mut c = s.conversation(id, &["carol"], ConversationState::Incoming);
        let toast = "got a minute?".into();
        c.invitation =
            Some(Invitation { from: a("carol"), toast, auto_accept: None, conference: false, priority: Default::default() });
        s.says(endpoint::Event::Conversation(Box::new(c)));
    }
    s.effects.clear();
    s.now = s.now + std::time::Duration::from_secs(2);
    s.keys("Alt-y Alt-n");
    let named = |id: &str| ConversationId(id.into());
    let wanted = [Operation::Accept { conversation: named("c1") }, Operation::Decline { conversation: named("c2") }];
    assert_eq!(s.asked(), wanted);
    assert!(matches!(s.state.question().map(|q| &q.kind), Some(QuestionKind::Watcher { .. })));
}

#[test]
fn a_new_watcher_is_a_question_and_a_contact_is_not() {
    let mut s = Stage::new();
    let watcher = |user: &str| Subscriber::new(a(user), "Zed");
    let own = SelfPresence { subscribers: vec![watcher("zed"), watcher("bob")], ..SelfPresence::default() };
    s.says(endpoint::Event::SelfPresence(Box::new(own.clone())));
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    assert_eq!((s.state.questions.len(), s.asked()), (1, vec![Operation::AcknowledgeSubscriber { uri: a("bob") }]));
    s.keys("Alt-y Esc");
    assert_eq!((s.state.questions.len(), s.asked()), (1, vec![]), "a dialog that is left answers nothing");
    s.keys("Alt-y Enter");
    assert!(s.state.questions.is_empty());
    let add = Operation::AddContact { uri: a("zed"), name: String::new(), groups: Vec::new(), options: AddOptions::default() };
    assert_eq!(s.asked(), [Operation::AcknowledgeSubscriber { uri: a("zed") }, add]);
}

#[test]
fn what_a_contact_sees_is_what_their_container_holds() {
    let mut s = Stage::new();
    let seen = publication(1, 300, StateValue::aggregate(Availability::URGENT_ONLY).to_xml(), None);
    let containers = vec![Container { id: Level::Workgroup.container(), version: 1, members: vec![Member::User(a("bob"))] }];
    s.says(endpoint::Event::SelfPresence(Box::new(SelfPresence {
        publications: vec![seen],
        containers,
        ..SelfPresence::default()
    })));
    s.keys("Alt-4 v Enter");
    let lines: Vec<String> = s.state.own.list.iter().map(|l| format!("{}: {}", l.label, l.words)).collect();
    assert_eq!(lines[0], "Bob Kelly: sees Workgroup: named there");
    assert!(lines.contains(&"Status: Busy".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"Activity: Urgent interruptions only".to_owned())
            || lines.contains(&"Reaching you: messages and calls get through".to_owned())
    );
}

#[test]
fn nobody_on_the_list_is_asked_about_even_if_the_watcher_is_told_before_the_list() {
    let mut s = Stage::empty();
    let own = SelfPresence { subscribers: vec![Subscriber::new(a("bob"), "Bob")], ..SelfPresence::default() };
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    assert!(s.state.questions.is_empty());
    let contacts = vec![crate::domain::contact::Contact::new(a("bob"))];
    s.says(endpoint::Event::ContactList { groups: Vec::new(), contacts });
    assert!(s.state.questions.is_empty());
    assert!(s.asked().contains(&Operation::AcknowledgeSubscriber { uri: a("bob") }));
}

#[test]
fn a_watcher_who_is_put_on_the_list_is_asked_about_no_more() {
    let mut s = Stage::new();
    let own = SelfPresence { subscribers: vec![Subscriber::new(a("zed"), "Zed")], ..SelfPresence::default() };
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    assert_eq!(s.state.questions.len(), 1);
    s.says(endpoint::Event::ContactChanged(crate::domain::contact::Contact::new(a("zed"))));
    assert!(s.state.questions.is_empty());
    assert!(s.asked().contains(&Operation::AcknowledgeSubscriber { uri: a("zed") }));
}

/// Signed in with everything known of oneself.
fn known() -> Stage {
    let mut s = Stage::new();
    let own = SelfPresence {
        containers: crate::domain::access::default_containers(),
        subscribers: vec![Subscriber::new(a("zed"), "Zed")],
        ..replica(None, &[Availability::AVAILABLE], Availability::AVAILABLE)
    };
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    s.effects.clear();
    s
}

#[test]
fn a_watcher_is_accepted_at_a_level_and_acknowledged() {
    let mut s = known();
    s.keys("Alt-y \"w\" Enter");
    let level = Operation::SetLevel { uri: a("zed"), level: Some(Level::Workgroup) };
    assert_eq!(s.asked(), [Operation::AcknowledgeSubscriber { uri: a("zed") }, level]);
}

#[test]
fn a_watcher_is_blocked_after_a_word_and_acknowledged() {
    let mut s = known();
    s.keys("Alt-n");
    assert_eq!(s.asked(), []);
    s.keys("y");
    let level = Operation::SetLevel { uri: a("zed"), level: Some(Level::Blocked) };
    assert_eq!(s.asked(), [Operation::AcknowledgeSubscriber { uri: a("zed") }, level]);
    assert!(s.state.questions.is_empty());
}

#[test]
fn members_of_every_kind_go_into_a_container_and_out_of_it() {
    use crate::domain::access::Change;
    let mut s = known();
    s.keys("Alt-4 C j");
    let at = |s: &Stage| s.state.own.list[s.state.own.at].about.clone();
    assert_eq!(at(&s), crate::app::state::own::About::Container(400));
    s.keys("a Enter \"bob\" Enter");
    let changes = vec![Change::Add(400, Member::User(a("bob")))];
    assert_eq!(s.asked(), [Operation::ChangeMembers { changes }]);
    s.keys("a j Enter \"nonsense\" Enter");
    assert_eq!(s.asked(), []);
    s.keys("Ctrl-U \"fabrikam.com\" Enter");
    let changes = vec![Change::Add(400, Member::Domain("fabrikam.com".into()))];
    assert_eq!(s.asked(), [Operation::ChangeMembers { changes }]);
    s.keys("a j j Enter");
    let changes = vec![Change::Remove(200, Member::SameEnterprise), Change::Add(400, Member::SameEnterprise)];
    assert_eq!(s.asked(), [Operation::ChangeMembers { changes }]);
    s.keys("n Enter j j j Enter");
    let changes = vec![Change::Remove(100, Member::Federated), Change::Add(500, Member::Federated)];
    assert_eq!(s.asked(), [Operation::ChangeMembers { changes }]);
    s.keys("n Ctrl-U \"2\" Enter");
    assert_eq!(s.asked(), [], "the members of container 2 are fixed");
    s.keys("Esc j j j");
    s.keys("x");
    assert_eq!(s.asked(), [Operation::ChangeMembers { changes: vec![Change::Remove(200, Member::SameEnterprise)] }]);
}

#[test]
fn delegates_come_and_privacy_mode_is_chosen_from_the_containers() {
    use crate::domain::privacy::Preference;
    let mut s = known();
    s.keys("Alt-4 C m g Enter");
    assert_eq!(s.asked(), [Operation::SetPrivacyMode { preference: Preference::Private }]);
    s.keys("G Enter \"bob\" Enter");
    assert_eq!(s.asked(), [Operation::SetDelegates { add: vec![a("bob")], remove: vec![] }]);
}

#[test]
fn a_change_on_trial_is_shown_first_and_then_sent_or_dropped() {
    let mut s = known();
    s.keys("g j p Tab");
    let asked = s.operations();
    let (id, Operation::Preview { operations }) = asked.last().cloned().unwrap() else { panic!("{asked:?}") };
    assert!(matches!(operations.as_slice(), [Operation::SetLevel { .. }]));
    s.effects.clear();
    let mut after = s.state.own.replica.clone();
    after.containers[4].members.push(Member::User(a("bob")));
    s.says(endpoint::Event::Completed { id, result: Ok(Outcome::Preview(Box::new(after))) });
    let Some(Overlay::DryRun(d)) = s.state.overlays.last() else { panic!() };
    assert_eq!(d.lines[0].0, "Bob Kelly: Colleagues → Personal");
    s.keys("Esc");
    assert_eq!(s.asked(), []);
    s.state.own.preview = true;
    s.keys("p Enter");
    assert!(matches!(s.asked().as_slice(), [Operation::Preview { .. }]), "with dry runs on nothing goes out untried");
}

#[test]
fn a_stuck_source_is_cleared_and_this_device_is_not() {
    let mut s = Stage::new();
    let mut own = replica(None, &[Availability::AVAILABLE, Availability::AWAY], Availability::AVAILABLE);
    for p in own.publications.clone().into_iter().filter(|p| p.key.container == 2) {
        own.publications
            .push(Publication { key: crate::domain::presence::PublicationKey { container: 3, ..p.key.clone() }, ..p });
    }
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    s.keys("Alt-4 y G x y");
    let asked = s.asked();
    let [Operation::Unpublish { keys }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(keys.iter().map(|k| k.container).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_device_without_keys_goes_idle_and_then_away_and_comes_back() {
    use crate::domain::presence::MachineState;
    let mut s = Stage::new();
    s.keys("j");
    let step = |s: &mut Stage, seconds: u64| {
        s.now = s.now + std::time::Duration::from_secs(seconds);
        s.event(Event::Tick);
        s.asked()
    };
    assert_eq!(step(&mut s, 299), []);
    assert_eq!(step(&mut s, 1), [Operation::SetMachineState { state: MachineState::Idle }]);
    assert_eq!(step(&mut s, 10), []);
    assert_eq!(step(&mut s, 290), [Operation::SetMachineState { state: MachineState::Away }]);
    s.keys("k");
    assert_eq!(s.asked(), [Operation::SetMachineState { state: MachineState::Active }]);
}

/// What is tried without anything being sent, as of the last request.
fn tried(s: &mut Stage) -> Vec<Operation> {
    match s.asked().as_slice() {
        [Operation::Preview { operations }] => operations.clone(),
        other => panic!("sent at once: {other:?}"),
    }
}

fn shown(s: &mut Stage) {
    let after = s.state.own.replica.clone();
    s.finishes(Ok(Outcome::Preview(Box::new(after))));
    assert!(matches!(s.state.overlays.last(), Some(Overlay::DryRun(_))), "{}", s.toast());
}

#[test]
fn nothing_that_is_tried_first_goes_out_before_the_yes() {
    let mut s = known();
    s.state.own.preview = true;
    s.keys("g j Enter \"/note lunch\" Enter");
    assert!(matches!(tried(&mut s).as_slice(), [Operation::SetNote { note: Some(_) }]));
    shown(&mut s);
    s.keys("Enter");
    assert!(matches!(s.asked().as_slice(), [Operation::SetNote { .. }]));
    s.keys("\"/location lab\" Enter");
    assert!(matches!(tried(&mut s).as_slice(), [Operation::SetLocation { location }] if location == "lab"));
    let d = &mut crate::app::door::Door::new(&mut s.state, s.now);
    crate::app::own::set_custom_status(d, "lab".into(), None);
    s.effects.extend(std::mem::take(&mut d.effects));
    assert!(matches!(tried(&mut s).as_slice(), [Operation::SetCustomStatus { .. }]));
}

#[test]
fn phones_are_tried_first_and_their_form_stays_until_they_are_published() {
    let mut s = known();
    s.state.own.preview = true;
    crate::app::commands::run(&mut crate::app::door::Door::new(&mut s.state, s.now), "own-phones", "");
    s.keys("\"123\" Ctrl-S");
    assert!(matches!(tried(&mut s).as_slice(), [Operation::SetPhones { .. }]));
    shown(&mut s);
    s.keys("Esc");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Form(_))), "what was typed is still there");
    s.keys("Ctrl-S");
    tried(&mut s);
    shown(&mut s);
    s.keys("Enter");
    assert!(matches!(s.asked().as_slice(), [Operation::SetPhones { .. }]));
    s.finishes(Ok(Outcome::Done));
    assert!(s.state.overlays.is_empty());
}

#[test]
fn a_new_watcher_who_is_blocked_on_trial_is_asked_about_until_it_is_done() {
    let mut s = known();
    assert_eq!(s.state.questions.len(), 1);
    s.keys("Alt-n Tab");
    let steps = tried(&mut s);
    assert!(matches!(steps.as_slice(), [Operation::AcknowledgeSubscriber { .. }, Operation::SetLevel { .. }]), "{steps:?}");
    assert_eq!(s.state.questions.len(), 1);
    shown(&mut s);
    s.keys("Esc");
    assert_eq!(s.state.questions.len(), 1, "dropped: nothing has happened");
    s.keys("Alt-n Tab");
    tried(&mut s);
    shown(&mut s);
    s.keys("Enter");
    assert_eq!(s.asked(), steps);
    assert!(s.state.questions.is_empty());
}

#[test]
fn the_selection_stays_with_its_person_when_another_device_adds_somebody() {
    let member = |s: &Stage| s.state.own_line().map(|l| l.about.clone());
    let mut s = known();
    let with = |people: &[&str], s: &Stage| {
        let mut own = s.state.own.replica.clone();
        let c = own.containers.iter_mut().find(|c| c.id == Level::Workgroup.container()).unwrap();
        c.members = people.iter().map(|u| Member::User(a(u))).collect();
        own
    };
    let own = with(&["dan"], &s);
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    s.keys("Alt-4 C");
    let dan = About::Member(Level::Workgroup.container(), Member::User(a("dan")));
    while member(&s) != Some(dan.clone()) {
        s.keys("j");
    }
    let own = with(&["carol", "dan"], &s);
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
    assert_eq!(member(&s), Some(dan));
}

#[test]
fn the_note_is_shown_set_taken_away_and_given_back() {
    let mut s = Stage::new();
    s.keys("j Enter \"/note\" Enter");
    assert_eq!((s.asked(), s.toast()), (vec![], "You have no note; /note and some words set one"));
    let note = crate::domain::presence::Note { text: "lunch".into(), out_of_office: false, start: None, end: None };
    s.state.account.note = Some(note.clone());
    s.keys("\"/note\" Enter");
    assert_eq!((s.asked(), s.toast()), (vec![], "Your note is “lunch”; /note - takes it away"));
    s.keys("\"/note -\" Enter");
    assert_eq!(s.asked(), [Operation::SetNote { note: None }]);
    s.finishes(Ok(Outcome::Done));
    s.keys("Alt-u");
    assert_eq!(s.asked(), [Operation::SetNote { note: Some(note) }]);
}

#[test]
fn a_key_meant_for_a_question_that_went_away_does_not_answer_the_next() {
    let mut s = Stage::new();
    let watcher = |user: &str| Question { kind: QuestionKind::Watcher { uri: a(user), name: String::new() }, postponed: false };
    s.state.questions = vec![watcher("frank"), watcher("gina")];
    s.event(Event::Tick);
    s.state.questions.remove(0);
    s.event(Event::Tick);
    s.keys("Alt-n");
    assert!(s.state.overlays.is_empty() && s.toast().contains("once more"), "{}", s.toast());
    s.keys("Alt-n");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Confirm(_))));
}
