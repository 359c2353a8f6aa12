//! The IM MCU calls people (lync-conversations.md 5.6).

use super::*;
use crate::frontend::Reply;
use crate::lync::cccp::DialOut;
use crate::lync::confinfo::EndpointStatus;

const GUID: &str = "{D2A6C0B4-7E19-4B55-9C3F-08E1F7A2B6C4}";

fn call(user: &str) -> AddUser {
    let mut add = AddUser::join(FOCUS, &address(user), "", GUID);
    add.lobby_capable = false;
    add.dial_out = Some(DialOut { mcu: CHAT.into(), target: address(user).to_string() });
    add
}

fn command(user: &str) -> Command {
    Command::AddUser(Box::new(call(user)))
}

/// Lets alice's notifications in; her commands' results, and what others got.
fn rest(b: &mut TestBench, alice: &mut Client) -> (Vec<Result<Answer, FailureReason>>, Vec<Got>) {
    let (own, others): (Vec<_>, Vec<_>) = settle(b, &mut [alice]).into_iter().partition(|g| g.at == alice.at);
    let results = own.iter().filter(|g| g.request.method == Method::Info);
    (results.map(|g| C3pResponse::parse(&g.request.body).unwrap().into_result()).collect(), others)
}

fn leader(b: &mut TestBench) -> Client {
    let mut alice = Client::new(b, "alice", 1);
    scheduled(b, alice.at, ConferenceSettings { subject: "Budget".into(), ..ConferenceSettings::default() });
    alice.join(b);
    alice.chat(b);
    assert!(settle(b, &mut [&mut alice]).is_empty());
    alice
}

fn stage(alice: &Client, name: &str) -> Option<EndpointStatus> {
    let endpoint = alice.sees(name)?.endpoints.first()?;
    assert_eq!((endpoint.entity.as_str(), endpoint.session.as_str()), (GUID, "chat"));
    assert_eq!(endpoint.joining_method.as_deref(), Some("dialed-out"));
    Some(endpoint.status.clone())
}

fn pick_up(b: &mut TestBench, invite: &Got, tag: &str) {
    let body = MessageSdp::answer("192.0.2.7", "sip:dave@contoso.com").to_bytes();
    let response = invite.request.response(200, tag).with_body("application/sdp", body);
    b.reply(invite, Reply::Response(response));
}

/// A request of dave's in the dialog that the MCU opened.
fn from_dave(b: &TestBench, at: RegistrationId, invite: &Got, method: &str, body: &str) -> Request {
    let headers = &invite.request.headers;
    let (them, me) = (headers.get(&Name::From).unwrap(), format!("{};tag=d1", headers.get(&Name::To).unwrap()));
    let cseq = format!("7 {method}");
    let head = [("From", me.as_str()), ("To", them), ("Call-ID", headers.call_id()), ("CSeq", cseq.as_str())];
    b.request(at, method, CHAT, &head).with_body("text/plain; charset=UTF-8", body)
}

#[test]
fn somebody_is_called_talks_and_hangs_up() {
    let mut b = bench();
    let mut alice = leader(&mut b);
    let (first, second) = (b.sign_in("dave", 7), b.sign_in("dave", 8));
    assert_eq!(alice.command(&mut b, command("dave")).status, 202);
    let (results, invites) = rest(&mut b, &mut alice);
    assert!(results.is_empty(), "not decided yet");
    assert_eq!(methods(&invites), [(first.0, "INVITE"), (second.0, "INVITE")]);
    let invite = &invites[0].request;
    let from = invite.headers.from().unwrap();
    assert_eq!((from.uri.as_str(), from.display.as_str()), (CHAT, "Budget"));
    assert_eq!(invite.headers.get(&Name::Contact), Some(format!("<{CHAT}>").as_str()));
    assert!(MessageSdp::parse(&invite.body).is_some());
    assert_eq!(invites[1].request.headers.from().unwrap().tag(), from.tag());
    assert_eq!(stage(&alice, "dave"), Some(EndpointStatus::DialingOut));
    let twice = alice.command(&mut b, command("dave"));
    assert_eq!((twice.status, rest(&mut b, &mut alice).0), (202, vec![Err(FailureReason::UserExists)]));

    b.answer(&invites[1], 180, "d2");
    rest(&mut b, &mut alice);
    assert_eq!(stage(&alice, "dave"), Some(EndpointStatus::Alerting));
    pick_up(&mut b, &invites[0], "d1");
    assert!(b.cancels.iter().any(|c| Some(c.0) == invites[1].token && c.1.as_deref().unwrap().contains("elsewhere")));
    let (results, others) = rest(&mut b, &mut alice);
    assert!(matches!(results.as_slice(), [Ok(_)]), "{results:?}");
    assert_eq!(methods(&others), [(first.0, "ACK")]);
    assert_eq!(others[0].request.headers.cseq().unwrap().number, invite.headers.cseq().unwrap().number);
    assert_eq!(stage(&alice, "dave"), Some(EndpointStatus::Connected));
    // The other device was too late to be cancelled.
    pick_up(&mut b, &invites[1], "d2");
    assert_eq!(methods(&rest(&mut b, &mut alice).1), [(second.0, "ACK"), (second.0, "BYE")]);

    alice.say(&mut b, "hello dave");
    b.answers.clear();
    let (_, heard) = rest(&mut b, &mut alice);
    assert_eq!(methods(&heard), [(first.0, "MESSAGE")]);
    assert_eq!(
        (heard[0].request.body.as_slice(), heard[0].request.headers.to().unwrap().tag()),
        (&b"hello dave"[..], Some("d1"))
    );
    b.answer(&heard[0], 200, "d1");
    rest(&mut b, &mut alice);
    let said = from_dave(&b, first, &invites[0], "MESSAGE", "hello all");
    let tx = b.send(first, said);
    assert_eq!(b.response(tx).status, 202);
    let heard = settle(&mut b, &mut [&mut alice]);
    assert_eq!((heard[0].at, heard[0].request.body.as_slice()), (alice.at, &b"hello all"[..]));
    assert!(heard[0].request.headers.get(&Name::MsSender).unwrap().contains("dave@contoso.com"));
    b.answer(&heard[0], 200, "a1");
    let (_, report) = rest(&mut b, &mut alice);
    assert_eq!(methods(&report), [(first.0, "BENOTIFY")]);

    let bye = from_dave(&b, first, &invites[0], "BYE", "");
    let tx = b.send(first, bye);
    assert_eq!(b.response(tx).status, 200);
    rest(&mut b, &mut alice);
    assert!(alice.sees("dave").is_none());
    assert!(b.module.calls.is_empty() && b.module.asked.is_empty() && b.module.no_messages());
    assert!(!b.module.of_endpoint.contains_key(&first) && only_sessions(&b));
}

#[test]
fn who_does_not_come_disappears_and_the_leader_hears_why() {
    let mut b = bench();
    let mut alice = leader(&mut b);
    let dave = b.sign_in("dave", 7);
    let cases = [
        (Some(603), FailureReason::UserDeclined),
        (Some(486), FailureReason::UserBusy),
        (Some(480), FailureReason::UserUnavailable),
        (Some(488), FailureReason::UserTakesNoMessages),
        (None, FailureReason::UserDoesNotAnswer),
    ];
    for (status, reason) in cases {
        assert_eq!(alice.command(&mut b, command("dave")).status, 202);
        let (_, invites) = rest(&mut b, &mut alice);
        assert_eq!(methods(&invites), [(dave.0, "INVITE")]);
        match status {
            Some(status) => b.answer(&invites[0], status, "d1"),
            None => {
                b.pass(46);
                assert!(b.cancels.iter().any(|c| Some(c.0) == invites[0].token));
                b.answer(&invites[0], 487, "d1");
            }
        }
        let (results, others) = rest(&mut b, &mut alice);
        assert_eq!((results, others.len()), (vec![Err(reason)], 0), "{status:?}");
        assert!(alice.sees("dave").is_none(), "{status:?}");
    }
    b.sign_out(dave, true);
    for (who, reason) in [("dave", FailureReason::UserUnavailable), ("nobody", FailureReason::InvalidUserEntity)] {
        assert_eq!(alice.command(&mut b, command(who)).status, 202);
        assert_eq!(rest(&mut b, &mut alice).0, [Err(reason)], "{who}");
    }
    assert!(b.module.calls.is_empty() && b.module.asked.is_empty() && only_sessions(&b));
}

#[test]
fn only_leaders_have_people_called_and_not_those_who_block_them() {
    let mut b = bench();
    let [mut alice, mut bob, _] = three(&mut b);
    b.sign_in("dave", 7);
    let refused = bob.command(&mut b, command("dave"));
    assert_eq!(refused.status, 403);
    assert!(refused.headers.get(&Name::MsDiagnostics).unwrap().starts_with("3015"));
    let elsewhere = AddUser { dial_out: Some(DialOut { mcu: "sip:other@x".into(), target: String::new() }), ..call("dave") };
    assert_eq!(alice.command(&mut b, Command::AddUser(Box::new(elsewhere))).status, 202);
    assert_eq!(rest(&mut b, &mut alice).0, [Err(FailureReason::McuTypeNotAvailable)]);
    // Bob is inside already.
    assert_eq!(alice.command(&mut b, command("bob")).status, 202);
    assert_eq!(rest(&mut b, &mut alice).0, [Err(FailureReason::UserExists)]);
}

#[test]
fn who_was_called_is_muted_thrown_out_and_gone_with_the_device() {
    let mut b = bench();
    let mut alice = leader(&mut b);
    let dave = b.sign_in("dave", 7);
    let dial = |b: &mut TestBench, alice: &mut Client| {
        assert_eq!(alice.command(b, command("dave")).status, 202);
        let (_, invites) = rest(b, alice);
        let invite = invites.into_iter().next().unwrap();
        pick_up(b, &invite, "d1");
        rest(b, alice);
        assert_eq!(stage(alice, "dave"), Some(EndpointStatus::Connected));
        invite
    };
    let invite = dial(&mut b, &mut alice);
    let eject = Command::DeleteUser { conference: FOCUS.into(), user: address("dave") };
    assert_eq!(alice.command(&mut b, eject).status, 202);
    let (results, others) = rest(&mut b, &mut alice);
    assert!(matches!(results.as_slice(), [Ok(_)]));
    assert_eq!(methods(&others), [(dave.0, "BYE")]);
    assert_eq!(others[0].request.headers.call_id(), invite.request.headers.call_id());
    assert!(alice.sees("dave").is_none());

    dial(&mut b, &mut alice);
    // Coming by itself it needs the call no more.
    let mut own = Client { at: dave, ..Client::new(&mut b, "dave", 9) };
    own.join(&mut b);
    own.chat(&mut b);
    let others = settle(&mut b, &mut [&mut alice, &mut own]);
    assert_eq!(methods(&others), [(dave.0, "BYE")]);
    assert!(alice.sees_chat("dave") && alice.sees("dave").unwrap().endpoints.iter().all(|e| e.entity != GUID));
    own.bye(&mut b, "focus");
    settle(&mut b, &mut [&mut alice]);

    dial(&mut b, &mut alice);
    b.sign_out(dave, false);
    rest(&mut b, &mut alice);
    assert!(alice.sees("dave").is_none());

    // The meeting ends while it rings.
    let dave = b.sign_in("dave", 10);
    assert_eq!(alice.command(&mut b, command("dave")).status, 202);
    let (_, invites) = rest(&mut b, &mut alice);
    let end = Command::EndConference { conference: FOCUS.into() };
    assert_eq!(alice.command(&mut b, end).status, 202);
    let ringing = invites.iter().find(|g| g.at == dave).unwrap();
    assert!(b.cancels.iter().any(|c| Some(c.0) == ringing.token));
    b.answer(ringing, 487, "d1");
    let other = invites.iter().find(|g| g.at != dave).map(|g| g.token);
    assert!(other.is_none() || b.cancels.iter().any(|c| Some(c.0) == other.flatten()));
}
