//! The table of commands, and what belongs to it (`domain.md` 8.2, 8.3).

use super::*;
use crate::lync::cccp::{Change, Mute};

fn change(f: impl FnOnce(&mut Change)) -> Command {
    let mut change = Change { conference: FOCUS.into(), ..Change::default() };
    f(&mut change);
    Command::Change(Box::new(change))
}

fn mute(user: &str, muted: bool) -> Command {
    Command::Mute(Box::new(Mute {
        conference: FOCUS.into(),
        mcu: CHAT.into(),
        user: address(user),
        endpoint: String::new(),
        media: "1".into(),
        kind: "chat".into(),
        muted,
    }))
}

fn result(b: &mut TestBench, all: &mut [&mut Client], at: RegistrationId) -> Result<Answer, FailureReason> {
    command_result(&settle(b, all), at).into_result()
}

#[test]
fn attendees_may_mute_themselves_and_say_that_they_record_and_nothing_else() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let everything = [
        Command::ModifyConferenceLock { conference: FOCUS.into(), locked: true },
        Command::ModifyUserRoles { conference: FOCUS.into(), user: address("carol"), role: Role::Leader },
        Command::SetLobbyAccess { conference: FOCUS.into(), users: vec![address("carol")], granted: true },
        Command::DeleteUser { conference: FOCUS.into(), user: address("carol") },
        Command::EndConference { conference: FOCUS.into() },
        change(|c| c.access = Some(AccessLevel::Everyone)),
        change(|c| c.leaders = Some(AutomaticLeaders::Everyone)),
        change(|c| c.lobby_bypass = Some(true)),
        change(|c| c.announcements = Some(true)),
        change(|c| c.mute_all = Some(true)),
        change(|c| c.invited = vec![address("dave")]),
        mute("carol", true),
    ];
    for command in everything {
        assert_eq!(bob.command(&mut b, command.clone()).status, 403, "{command:?}");
    }
    for command in [mute("bob", true), mute("bob", false), change(|c| c.recording = Some(true))] {
        assert_eq!(bob.command(&mut b, command).status, 202);
        let all = &mut [&mut alice, &mut bob, &mut carol];
        assert!(
            {
                let at = all[1].at;
                result(&mut b, all, at)
            }
            .is_ok()
        );
    }
    assert!(alice.sees("bob").unwrap().recording);
}

#[test]
fn whoever_is_muted_is_not_heard_until_somebody_may_unmute_them() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    assert_eq!(alice.command(&mut b, mute("bob", true)).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert!(carol.sees("bob").unwrap().is_muted());
    let tx = bob.say(&mut b, "hello?");
    let refused = b.response(tx);
    assert_eq!(refused.status, 403);
    assert!(refused.headers.get(&Name::MsDiagnostics).unwrap().starts_with("61003"));
    assert_eq!(bob.command(&mut b, mute("bob", false)).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    let tx = bob.say(&mut b, "hello!");
    assert_eq!(b.response(tx).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
}

#[test]
fn mute_all_spares_the_caller_catches_newcomers_and_bars_unmuting_until_it_is_allowed_or_over() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    assert_eq!(alice.command(&mut b, change(|c| c.mute_all = Some(true))).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert!(!bob.sees("alice").unwrap().is_muted() && bob.sees("bob").unwrap().is_muted());
    let mut dave = Client::new(&mut b, "dave", 5);
    dave.join(&mut b);
    dave.chat(&mut b);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert!(alice.sees("dave").unwrap().is_muted());
    assert_eq!(bob.command(&mut b, mute("bob", false)).status, 202);
    let all = &mut [&mut alice, &mut bob, &mut carol, &mut dave];
    assert_eq!(
        {
            let at = all[1].at;
            result(&mut b, all, at)
        },
        Err(FailureReason::Forbidden)
    );
    assert_eq!(alice.command(&mut b, change(|c| c.self_unmute = Some(true))).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert_eq!(bob.command(&mut b, mute("bob", false)).status, 202);
    let all = &mut [&mut alice, &mut bob, &mut carol, &mut dave];
    assert!(
        {
            let at = all[1].at;
            result(&mut b, all, at)
        }
        .is_ok()
    );
    // At the end everybody stays as they are and may unmute; newcomers are not muted.
    let off = change(|c| (c.mute_all, c.self_unmute) = (Some(false), Some(false)));
    assert_eq!(alice.command(&mut b, off).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert!(alice.sees("carol").unwrap().is_muted());
    assert_eq!(carol.command(&mut b, mute("carol", false)).status, 202);
    let mut erin = Client::new(&mut b, "erin", 6);
    erin.join(&mut b);
    erin.chat(&mut b);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave, &mut erin]);
    assert!(!alice.sees("carol").unwrap().is_muted() && !alice.sees("erin").unwrap().is_muted());
}

#[test]
fn opening_the_access_level_lets_newcomers_in_but_not_those_who_wait_already() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    assert_eq!(alice.command(&mut b, change(|c| c.access = Some(AccessLevel::Invited))).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    let told = bob.state.as_ref().unwrap().description.clone().unwrap();
    assert_eq!(told.admission_policy.as_deref(), Some("closedAuthenticated"));
    let mut dave = Client::new(&mut b, "dave", 5);
    dave.join(&mut b);
    assert!(dave.sees("dave").unwrap().in_lobby());
    assert_eq!(alice.command(&mut b, change(|c| c.access = Some(AccessLevel::SameEnterprise))).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert!(dave.sees("dave").unwrap().in_lobby());
    let mut erin = Client::new(&mut b, "erin", 6);
    erin.join(&mut b);
    assert!(!erin.sees("erin").unwrap().in_lobby());
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave, &mut erin]);
    // The change is gone when everybody is.
    let end = Command::EndConference { conference: FOCUS.into() };
    assert_eq!(alice.command(&mut b, change(|c| c.access = Some(AccessLevel::Locked))).status, 202);
    assert_eq!(alice.command(&mut b, end).status, 202);
    b.got.clear();
    let mut frank = Client::new(&mut b, "frank", 7);
    frank.join(&mut b);
    assert!(!frank.sees("frank").unwrap().in_lobby());
}

#[test]
fn whom_a_leader_invites_from_inside_need_not_wait() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let command = change(|c| (c.access, c.invited) = (Some(AccessLevel::Invited), vec![address("dave")]));
    assert_eq!(alice.command(&mut b, command).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    let mut dave = Client::new(&mut b, "dave", 5);
    dave.join(&mut b);
    assert!(!dave.sees("dave").unwrap().in_lobby());
}

#[test]
fn a_missing_and_a_wrong_passcode_are_told_apart() {
    let mut b = bench();
    let mut alice = Client::new(&mut b, "alice", 1);
    let settings =
        ConferenceSettings { passcode: Some("4711".into()), passcode_optional: false, ..ConferenceSettings::default() };
    scheduled(&mut b, alice.at, settings);
    assert_eq!(alice.join(&mut b), Role::Leader);
    let mut bob = Client::new(&mut b, "bob", 2);
    for (given, code) in [(None, "61001"), (Some("4712"), "61002")] {
        let refused = bob.join_as(&mut b, |add| add.pass_code = given.map(str::to_owned));
        assert_eq!(refused.status, 403);
        assert!(refused.headers.get(&Name::MsDiagnostics).unwrap().starts_with(code));
    }
    assert_eq!(bob.join_as(&mut b, |add| add.pass_code = Some("4711".into())).status, 200);
}

#[test]
fn alone_without_a_colleague_the_others_have_ten_minutes() {
    let mut b = bench();
    let mut alice = Client::new(&mut b, "alice", 1);
    scheduled(&mut b, alice.at, ConferenceSettings { access: AccessLevel::Everyone, ..ConferenceSettings::default() });
    let (home, away) = (b.config.domains.clone(), vec!["fabrikam.com".to_owned()]);
    b.config.domains = away.clone();
    let mut bob = Client::new(&mut b, "bob", 2);
    bob.join(&mut b);
    let ends = |c: &Client| c.state.as_ref().unwrap().description.clone().unwrap().ends_at.unwrap_or_default();
    assert!(!ends(&bob).is_empty());
    b.config.domains = home;
    alice.join(&mut b);
    settle(&mut b, &mut [&mut alice, &mut bob]);
    assert!(ends(&bob).is_empty(), "a colleague came");
    b.config.domains = away;
    alice.bye(&mut b, "focus");
    settle(&mut b, &mut [&mut bob]);
    assert!(!ends(&bob).is_empty());
    b.pass(10 * 60 + 1);
    assert!(b.got.iter().any(|g| g.at == bob.at && g.request.method.as_str() == "BYE"));
}

#[test]
fn a_device_that_does_not_refresh_its_session_is_gone() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    b.pass(1000);
    let tag = bob.focus.clone();
    let refresh = bob.request(&b, "UPDATE", FOCUS, "focus", &tag).with("Supported", "timer");
    let tx = b.send(bob.at, refresh);
    assert_eq!(b.response(tx).headers.get(&Name::SessionExpires), Some("1800;refresher=uac"));
    b.got.clear();
    b.pass(900);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert!(bob.sees("bob").is_some() && bob.sees("alice").is_none() && bob.sees("carol").is_none());
}

#[test]
fn a_message_that_comes_again_under_its_name_is_answered_and_not_relayed() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    for round in 0..2 {
        let tag = bob.chat.clone();
        let mut request = bob.request(&b, "MESSAGE", CHAT, "chat", &tag).with_body("text/plain; charset=UTF-8", "once");
        request.headers.push(crate::lync::im::message_name(), "m1.0");
        let tx = b.send(bob.at, request);
        assert_eq!(b.response(tx).status, 202);
        let rest = settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
        let copies = rest.iter().filter(|g| g.request.method.as_str() == "MESSAGE").count();
        assert_eq!(copies, if round == 0 { 2 } else { 0 });
    }
}

#[test]
fn what_leaders_changed_outlives_the_front_end_and_ends_with_the_conference() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let kept =
        |b: &TestBench| b.stored.iter().filter(|o| matches!(o, StoreOp::PutRunning(_) | StoreOp::DeleteRunning { .. })).count();
    assert_eq!(kept(&b), 0, "it runs as it was scheduled");
    let all = [
        mute("bob", true),
        Command::ModifyUserRoles { conference: FOCUS.into(), user: address("carol"), role: Role::Leader },
        change(|c| c.access = Some(AccessLevel::Invited)),
    ];
    for command in all {
        assert_eq!(alice.command(&mut b, command).status, 202);
        settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    }
    let mut dave = Client::new(&mut b, "dave", 5);
    dave.join(&mut b);
    let admit = Command::SetLobbyAccess { conference: FOCUS.into(), users: vec![address("dave")], granted: true };
    assert_eq!(alice.command(&mut b, admit).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    let Some(StoreOp::PutRunning(running)) = b.stored.last().cloned() else { panic!("{:?}", b.stored) };
    let scheduled = b.module.confs.values().map(|c| c.scheduled.clone()).collect();

    // Another front end takes over; everybody comes again.
    b.module = Conferencing::new(scheduled, vec![running]);
    b.pass(1);
    let mut roles = Vec::new();
    for client in [&mut alice, &mut bob, &mut carol, &mut dave] {
        roles.push(client.join(&mut b));
        client.chat(&mut b);
    }
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert_eq!(roles, [Role::Leader, Role::Attendee, Role::Leader, Role::Attendee]);
    assert!(alice.sees("bob").unwrap().is_muted() && !alice.sees("dave").unwrap().is_muted());
    assert!(!alice.sees("dave").unwrap().in_lobby(), "let in before");
    let mut erin = Client::new(&mut b, "erin", 6);
    erin.join(&mut b);
    assert!(erin.sees("erin").unwrap().in_lobby(), "the access level is the one they chose");
    for client in [&mut alice, &mut bob, &mut carol, &mut dave, &mut erin] {
        client.bye(&mut b, "focus");
    }
    b.pass(61);
    assert!(matches!(b.stored.last(), Some(StoreOp::DeleteRunning { .. })));
}

#[test]
fn a_conference_to_which_nobody_comes_back_is_over() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    assert_eq!(alice.command(&mut b, change(|c| c.access = Some(AccessLevel::Locked))).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    let Some(StoreOp::PutRunning(running)) = b.stored.last().cloned() else { panic!() };
    let scheduled = b.module.confs.values().map(|c| c.scheduled.clone()).collect();
    b.module = Conferencing::new(scheduled, vec![running]);
    b.pass(14 * 60);
    assert!(b.module.confs.values().all(|c| c.live.is_some()));
    b.pass(2 * 60);
    assert!(b.module.confs.values().all(|c| c.live.is_none()));
    assert!(matches!(b.stored.last(), Some(StoreOp::DeleteRunning { .. })));
}

#[test]
fn leaving_does_not_unmute() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    assert_eq!(alice.command(&mut b, mute("bob", true)).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    bob.bye(&mut b, "focus");
    bob.join(&mut b);
    bob.chat(&mut b);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert!(alice.sees("bob").unwrap().is_muted());
}
