use super::*;
use crate::domain::presence::{Availability, Member};
use crate::frontend::bench::{Bench, Got, address};
use crate::sip::Response;

const BOB: &str = "sip:bob@contoso.com";

fn bench() -> Bench<Routing> {
    Bench::new(Routing::default())
}

fn invite(b: &Bench<Routing>, from: RegistrationId, call: &str) -> Request {
    let headers = [
        ("From", "<sip:alice@contoso.com>;tag=a1;epid=e1"),
        ("To", "<sip:bob@contoso.com>"),
        ("Call-ID", call),
        ("CSeq", "1 INVITE"),
        ("Authorization", "NTLM secret"),
    ];
    b.request(from, "INVITE", BOB, &headers)
}

/// A request of alice in the dialog with bob's tag.
fn in_dialog(b: &Bench<Routing>, from: RegistrationId, method: &str, uri: &str, cseq: u32) -> Request {
    let (cseq, body) = (format!("{cseq} {method}"), b"hello".to_vec());
    let headers = [
        ("From", "<sip:alice@contoso.com>;tag=a1;epid=e1"),
        ("To", "<sip:bob@contoso.com>;tag=b1"),
        ("Call-ID", "c1"),
        ("CSeq", cseq.as_str()),
    ];
    b.request(from, method, uri, &headers).with_body("text/plain", body)
}

/// alice talks to bob's second device.
fn established(b: &mut Bench<Routing>) -> [RegistrationId; 3] {
    let ids = [b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3)];
    let request = invite(b, ids[0], "c1");
    let tx = b.send(ids[0], request);
    let (first, second) = (b.next(), b.next());
    b.answer(&second, 200, "b1");
    assert_eq!(b.response(tx).status, 200);
    b.answer(&first, 487, "x");
    b.quiet();
    assert!(b.module.forks.is_empty());
    b.cancels.clear();
    ids
}

#[test]
fn an_invitation_reaches_every_device_and_the_first_yes_wins() {
    let mut b = bench();
    let (alice, d1, d2) = (b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3));
    let request = invite(&b, alice, "c1");
    let tx = b.send(alice, request);
    let (first, second) = (b.next(), b.next());
    assert_eq!((first.at, second.at), (d1, d2));
    assert_eq!(first.request.uri.as_str(), "sip:192.0.2.2:5061;transport=tls");
    assert_eq!(first.request.headers.all(&Name::Via).count(), 2);
    assert_eq!(first.request.headers.get(&Name::Authorization), None);
    assert_eq!(first.request.headers.get(&Name::MaxForwards), Some("69"));
    b.answer(&first, 180, "b0");
    assert_eq!(b.response(tx).status, 180);
    b.answer(&second, 200, "b1");
    let ok = b.response(tx);
    assert_eq!((ok.status, ok.headers.all(&Name::Via).count()), (200, 1));
    assert!(ok.headers.get(&Name::Via).unwrap().contains("from="));
    let [(token, reason)] = b.cancels.as_slice() else { panic!("{:?}", b.cancels) };
    assert_eq!((Some(*token), reason.as_deref()), (first.token, Some("SIP;cause=200;text=\"Call completed elsewhere\"")));
    b.answer(&first, 487, "b0");
    b.quiet();
}

#[test]
fn a_yes_that_comes_too_late_is_acknowledged_and_ended() {
    let mut b = bench();
    let (alice, ..) = (b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3));
    let request = invite(&b, alice, "c1");
    let tx = b.send(alice, request);
    let (first, second) = (b.next(), b.next());
    b.answer(&second, 200, "b1");
    b.response(tx);
    b.answer(&first, 200, "b0");
    let (ack, bye) = (b.next(), b.next());
    assert_eq!((ack.request.method.as_str(), ack.at, ack.token), ("ACK", first.at, None));
    assert_eq!((bye.request.method.as_str(), bye.at), ("BYE", first.at));
    assert_eq!(bye.request.headers.to().unwrap().tag(), Some("b0"));
    assert_eq!(bye.request.headers.cseq().unwrap().number, 2);
    b.answer(&bye, 200, "");
    b.quiet();
    assert!(b.module.forks.is_empty());
}

#[test]
fn the_best_refusal_goes_back_after_all_have_spoken() {
    for (answers, best) in [([480, 486], 486), ([408, 480], 480), ([486, 415], 486), ([487, 408], 408)] {
        let mut b = bench();
        let (alice, ..) = (b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3));
        let request = invite(&b, alice, "c1");
        let tx = b.send(alice, request);
        let (first, second) = (b.next(), b.next());
        b.answer(&first, answers[0], "x");
        b.quiet();
        b.answer(&second, answers[1], "y");
        assert_eq!(b.response(tx).status, best);
        assert!(b.module.forks.is_empty());
    }
}

#[test]
fn a_decline_on_one_device_ends_the_ringing_everywhere() {
    let mut b = bench();
    let (alice, ..) = (b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3));
    let request = invite(&b, alice, "c1");
    let tx = b.send(alice, request);
    let (first, second) = (b.next(), b.next());
    b.answer(&first, 603, "x");
    assert_eq!(b.response(tx).status, 603);
    assert_eq!(b.cancels.len(), 1);
    assert_eq!(Some(b.cancels[0].0), second.token);
    b.reply(&second, Reply::Timeout);
    b.quiet();
    assert!(b.module.forks.is_empty());
}

#[test]
fn nobody_there_unknown_blocked_and_do_not_disturb_are_told_apart_as_the_rules_say() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    b.user("bob");
    let status = |b: &mut Bench<Routing>, uri: &str| -> Response {
        let mut request = invite(b, alice, "c1");
        request.uri = crate::sip::Uri::parse(uri).unwrap();
        let tx = b.send(alice, request);
        b.response(tx)
    };
    let offline = status(&mut b, BOB);
    assert_eq!(offline.status, 480);
    assert!(offline.headers.get(&Name::MsDiagnostics).is_some());
    assert_eq!(status(&mut b, "sip:ocschat@contoso.com").status, 404);
    assert_eq!(status(&mut b, "sip:someone@elsewhere.org").status, 404);
    b.sign_in("bob", 2);
    let bob = b.state.users.get_mut(&address("bob")).unwrap();
    bob.presence.seen = Some(Availability::DO_NOT_DISTURB);
    assert_eq!(status(&mut b, BOB).status, 486);
    let bob = b.state.users.get_mut(&address("bob")).unwrap();
    bob.presence.seen = None;
    bob.presence.containers.last_mut().unwrap().members.push(Member::User(address("alice")));
    let blocked = status(&mut b, BOB);
    assert_eq!((blocked.status, blocked.headers.get(&Name::MsDiagnostics)), (480, offline.headers.get(&Name::MsDiagnostics)));
    assert_eq!(status(&mut b, "sip:bob@contoso.com;opaque=user:epid:2;gruu").status, 480);
    b.quiet();
}

#[test]
fn requests_of_a_dialog_reach_the_device_that_accepted_whatever_uri_they_name() {
    let mut b = bench();
    let [alice, _, bob] = established(&mut b);
    for uri in [BOB, "sip:bob@contoso.com;opaque=user:epid:3;gruu", "sip:bob@192.0.2.3:5061;transport=tls"] {
        let request = in_dialog(&b, alice, "ACK", uri, 1);
        assert_eq!(b.send(alice, request), None);
        let got = b.next();
        assert_eq!((got.at, got.request.method.as_str()), (bob, "ACK"));
        let request = in_dialog(&b, alice, "MESSAGE", uri, 2);
        let tx = b.send(alice, request);
        let got = b.next();
        assert_eq!((got.at, got.request.body.as_slice()), (bob, b"hello".as_slice()));
        b.answer(&got, 200, "");
        assert_eq!(b.response(tx).status, 200);
    }
    // And back from bob, who names alice by her address.
    let back = [
        ("From", "<sip:bob@contoso.com>;tag=b1"),
        ("To", "<sip:alice@contoso.com>;tag=a1"),
        ("Call-ID", "c1"),
        ("CSeq", "1 INFO"),
    ];
    let request = b.request(bob, "INFO", "sip:alice@contoso.com", &back);
    b.send(bob, request);
    assert_eq!(b.next().at, alice);
}

#[test]
fn a_stranger_cannot_speak_in_somebody_elses_dialog() {
    let mut b = bench();
    established(&mut b);
    let mallory = b.sign_in("mallory", 9);
    let request = in_dialog(&b, mallory, "BYE", BOB, 7);
    let tx = b.send(mallory, request);
    assert_eq!(b.response(tx).status, 200);
    b.quiet();
    assert!(!b.module.dialogs.is_empty());
}

#[test]
fn bye_ends_the_dialog_and_a_bye_to_nobody_is_answered() {
    let mut b = bench();
    let [alice, ..] = established(&mut b);
    let request = in_dialog(&b, alice, "BYE", BOB, 2);
    let tx = b.send(alice, request);
    let got = b.next();
    b.answer(&got, 200, "");
    assert_eq!(b.response(tx).status, 200);
    assert!(b.module.dialogs.is_empty() && b.module.forks.is_empty());
    let request = in_dialog(&b, alice, "BYE", BOB, 3);
    let tx = b.send(alice, request);
    assert_eq!(b.response(tx).status, 200);
    let request = in_dialog(&b, alice, "MESSAGE", BOB, 4);
    let tx = b.send(alice, request);
    assert_eq!(b.response(tx).status, 481);
}

#[test]
fn a_dialog_that_the_other_side_does_not_know_is_forgotten() {
    let mut b = bench();
    let [alice, ..] = established(&mut b);
    let request = in_dialog(&b, alice, "INFO", BOB, 2);
    let tx = b.send(alice, request);
    let got = b.next();
    b.answer(&got, 481, "");
    assert_eq!(b.response(tx).status, 481);
    assert!(b.module.dialogs.is_empty());
}

#[test]
fn a_bye_before_the_answer_is_a_cancel() {
    let mut b = bench();
    let (alice, _) = (b.sign_in("alice", 1), b.sign_in("bob", 2));
    let request = invite(&b, alice, "c1");
    let tx = b.send(alice, request);
    let ringing = b.next();
    let headers =
        [("From", "<sip:alice@contoso.com>;tag=a1"), ("To", "<sip:bob@contoso.com>"), ("Call-ID", "c1"), ("CSeq", "2 BYE")];
    let bye = b.request(alice, "BYE", BOB, &headers);
    let bye_tx = b.send(alice, bye.clone());
    assert_eq!(b.response(tx).status, 487);
    assert_eq!(b.response(bye_tx).status, 200);
    assert_eq!(b.cancels, vec![(ringing.token.unwrap(), None)]);
    b.answer(&ringing, 487, "x");
    b.quiet();
    assert!(b.module.forks.is_empty());
    let bye_tx = b.send(alice, bye);
    assert_eq!(b.response(bye_tx).status, 481);
}

#[test]
fn a_bye_without_tag_that_crossed_the_answer_ends_the_dialog_too() {
    let mut b = bench();
    let [alice, _, bob] = established(&mut b);
    let headers =
        [("From", "<sip:alice@contoso.com>;tag=a1"), ("To", "<sip:bob@contoso.com>"), ("Call-ID", "c1"), ("CSeq", "2 BYE")];
    let bye = b.request(alice, "BYE", BOB, &headers);
    let tx = b.send(alice, bye);
    assert_eq!(b.response(tx).status, 200);
    let got = b.next();
    assert_eq!((got.at, got.request.headers.to().unwrap().tag()), (bob, Some("b1")));
    assert!(b.module.dialogs.is_empty());
}

#[test]
fn cancel_stops_all_forks_with_the_callers_reason() {
    let mut b = bench();
    let (alice, ..) = (b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3));
    let request = invite(&b, alice, "c1");
    let tx = b.send(alice, request);
    let (first, second) = (b.next(), b.next());
    let cancel = b.request(alice, "CANCEL", BOB, &[("Reason", "SIP;cause=487")]);
    b.cancel(tx.unwrap(), cancel);
    assert_eq!(b.response(tx).status, 487);
    assert_eq!(b.cancels.len(), 2);
    assert_eq!(b.cancels[0].1.as_deref(), Some("SIP;cause=487"));
    b.answer(&first, 487, "x");
    b.answer(&second, 200, "late");
    let (ack, bye) = (b.next(), b.next());
    assert_eq!((ack.request.method.as_str(), bye.request.method.as_str()), ("ACK", "BYE"));
    b.quiet();
}

#[test]
fn a_message_without_dialog_goes_to_all_devices_and_one_yes_is_enough() {
    let mut b = bench();
    let (alice, ..) = (b.sign_in("alice", 1), b.sign_in("bob", 2), b.sign_in("bob", 3));
    let headers =
        [("From", "<sip:alice@contoso.com>;tag=a1"), ("To", "<sip:bob@contoso.com>"), ("Call-ID", "m1"), ("CSeq", "1 MESSAGE")];
    let request = b.request(alice, "MESSAGE", BOB, &headers);
    let tx = b.send(alice, request);
    let (first, second) = (b.next(), b.next());
    b.answer(&first, 480, "x");
    b.answer(&second, 200, "y");
    assert_eq!(b.response(tx).status, 200);
    b.quiet();
    assert!(b.cancels.is_empty() && b.module.forks.is_empty() && b.module.dialogs.is_empty());
}

#[test]
fn a_lost_connection_ends_its_dialogs_after_a_minute() {
    let mut b = bench();
    let [alice, _, bob] = established(&mut b);
    b.sign_out(bob, false);
    b.pass(59);
    b.quiet();
    b.pass(2);
    let bye: Got = b.next();
    assert_eq!((bye.at, bye.request.method.as_str()), (alice, "BYE"));
    assert_eq!(bye.request.headers.from().unwrap().tag(), Some("b1"));
    assert_eq!(bye.request.headers.to().unwrap().tag(), Some("a1"));
    b.answer(&bye, 481, "");
    assert!(b.module.dialogs.is_empty());
    assert_eq!(b.module.poll_timeout(), None);
}

#[test]
fn a_device_that_comes_back_in_time_keeps_its_dialogs() {
    let mut b = bench();
    let [alice, _, bob] = established(&mut b);
    b.sign_out(bob, false);
    let request = in_dialog(&b, alice, "MESSAGE", BOB, 2);
    let tx = b.send(alice, request);
    assert_eq!(b.response(tx).status, 430);
    b.pass(30);
    let bob = b.sign_in("bob", 3);
    b.pass(100);
    b.quiet();
    let request = in_dialog(&b, alice, "MESSAGE", "sip:192.0.2.3:5061", 3);
    b.send(alice, request);
    assert_eq!(b.next().at, bob);
    b.sign_out(bob, true);
    let bye = b.next();
    assert_eq!((bye.at, bye.request.method.as_str()), (alice, "BYE"));
    assert!(b.module.dialogs.is_empty());
}

#[test]
fn a_caller_that_goes_away_leaves_nobody_ringing() {
    let mut b = bench();
    let (alice, _) = (b.sign_in("alice", 1), b.sign_in("bob", 2));
    let request = invite(&b, alice, "c1");
    b.send(alice, request);
    let ringing = b.next();
    b.sign_out(alice, false);
    assert_eq!(b.cancels.len(), 1);
    b.answer(&ringing, 200, "late");
    assert_eq!((b.next().request.method.as_str(), b.next().request.method.as_str()), ("ACK", "BYE"));
    b.quiet();
}

#[test]
fn too_many_hops_are_refused() {
    let mut b = bench();
    let (alice, _) = (b.sign_in("alice", 1), b.sign_in("bob", 2));
    let mut request = invite(&b, alice, "c1");
    request.headers.set(Name::MaxForwards, "0");
    let tx = b.send(alice, request);
    assert_eq!(b.response(tx).status, 483);
}

#[test]
fn a_dialog_that_both_sides_lost_is_forgotten_unless_one_remembers_it() {
    for remembered in [false, true] {
        let mut b = bench();
        let [alice, _, bob] = established(&mut b);
        b.sign_out(bob, false);
        let bob = b.sign_in("bob", 3);
        if remembered {
            let (from, to) = ("<sip:bob@contoso.com>;tag=b1", "<sip:alice@contoso.com>;tag=a1");
            let headers = [("From", from), ("To", to), ("Call-ID", "c1"), ("CSeq", "2 INFO")];
            let info = b.request(bob, "INFO", "sip:alice@contoso.com", &headers);
            b.send(bob, info);
            let got = b.next();
            b.answer(&got, 200, "");
        }
        b.sign_out(alice, false);
        b.sign_in("alice", 1);
        assert_eq!(b.module.dialogs.is_empty(), !remembered);
    }
}
