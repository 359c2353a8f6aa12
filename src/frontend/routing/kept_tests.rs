//! Messages for people who are not signed in.

use super::kept::Kept;
use super::*;
use crate::frontend::StoreOp;
use crate::frontend::bench::{Bench, Got, address};
use crate::frontend::limits::{KEPT_BYTES, KEPT_FOR, KEPT_PER_USER};
use crate::lync::im::DeliveryReport;

const BOB: &str = "sip:bob@contoso.com";

fn bench() -> Bench<Routing> {
    let mut b = Bench::new(Routing::default());
    b.user("bob");
    b
}

fn page(b: &Bench<Routing>, from: RegistrationId, kind: &str, body: Vec<u8>) -> Request {
    let headers = [
        ("From", "<sip:alice@contoso.com>;tag=a1"),
        ("To", "<sip:bob@contoso.com>"),
        ("Call-ID", "p1"),
        ("CSeq", "1 MESSAGE"),
        ("Ms-Conversation-ID", "c1"),
    ];
    b.request(from, "MESSAGE", BOB, &headers).with_body(kind, body)
}

/// alice leaves a text for bob; the name the front end gives it.
fn leave(b: &mut Bench<Routing>, alice: RegistrationId, text: &str) -> String {
    let request = page(b, alice, "text/plain; charset=UTF-8", text.as_bytes().to_vec());
    let tx = b.send(alice, request);
    let answer = b.response(tx);
    assert_eq!(answer.status, 202);
    answer.headers.get(&Name::MessageId).unwrap().to_owned()
}

fn text(got: &Got) -> String {
    String::from_utf8_lossy(&got.request.body).into_owned()
}

#[test]
fn what_is_left_for_somebody_is_delivered_in_order_at_the_next_sign_in_and_reported() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    let (one, _two) = (leave(&mut b, alice, "one"), leave(&mut b, alice, "two"));
    b.quiet();
    let bob = b.sign_in("bob", 2);
    let first = b.next();
    assert_eq!((first.at, text(&first).as_str()), (bob, "one"));
    let header = |n: &str| first.request.headers.get(&n.into()).unwrap_or("").to_owned();
    assert_eq!((header("Ms-Conversation-ID").as_str(), header("Date").len()), ("c1", "2026-09-01T17:00:00Z".len()));
    assert_eq!(first.request.headers.from().unwrap().uri.address(), Some(address("alice")));
    b.quiet();
    b.answer(&first, 200, "b1");
    let (report, second) = (b.next(), b.next());
    assert_eq!(report.at, alice);
    let told = DeliveryReport::parse(&report.request.body).unwrap();
    assert_eq!((told.message_id, told.failed.len()), (one, 0));
    assert_eq!(text(&second), "two");
    b.answer(&second, 200, "b1");
    b.answer(&report, 200, "a1");
    let report = b.next();
    b.answer(&report, 200, "a1");
    b.quiet();
    assert_eq!(b.module.under_way().0, 0);
}

#[test]
fn a_device_that_goes_before_it_answers_gets_it_again_the_next_time() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    leave(&mut b, alice, "one");
    b.sign_in("bob", 2);
    let first = b.next();
    b.answer(&first, 480, "x");
    b.quiet();
    b.sign_in("bob", 3);
    assert_eq!(text(&b.next()), "one");
}

#[test]
fn a_message_refused_by_its_reader_is_reported_as_failed() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    leave(&mut b, alice, "one");
    b.sign_in("bob", 2);
    let first = b.next();
    b.answer(&first, 415, "x");
    let report = b.next();
    assert_eq!(DeliveryReport::parse(&report.request.body).unwrap().failed[0].status, 415);
}

#[test]
fn only_what_a_person_wrote_is_kept_and_an_invitation_hears_that_messages_are() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    for kind in ["image/gif", "application/ms-imdn+xml", "text/x-msmsgsinvite"] {
        let request = page(&b, alice, kind, b"x".to_vec());
        let tx = b.send(alice, request);
        assert_eq!(b.response(tx).status, 480, "{kind}");
    }
    let headers =
        [("From", "<sip:alice@contoso.com>;tag=a1"), ("To", "<sip:bob@contoso.com>"), ("Call-ID", "i"), ("CSeq", "1 INVITE")];
    let request = b.request(alice, "INVITE", BOB, &headers);
    let tx = b.send(alice, request);
    let answer = b.response(tx);
    assert!(answer.status == 480 && answer.headers.has_token(&Name::Supported, im::KEEPS_MESSAGES));
}

#[test]
fn messages_have_64_kb_and_200_wait_for_one_person() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    let request = page(&b, alice, "text/plain", vec![b'x'; KEPT_BYTES + 1]);
    let tx = b.send(alice, request);
    assert_eq!(b.response(tx).status, 413);
    for _ in 0..KEPT_PER_USER {
        leave(&mut b, alice, "x");
    }
    let request = page(&b, alice, "text/plain", b"one more".to_vec());
    let tx = b.send(alice, request);
    assert_eq!(b.response(tx).status, 480);
}

#[test]
fn after_30_days_a_message_waits_no_longer() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    leave(&mut b, alice, "old");
    b.pass(KEPT_FOR.as_secs());
    let alice = b.sign_in("alice", 4);
    leave(&mut b, alice, "new");
    b.sign_in("bob", 2);
    assert_eq!(text(&b.next()), "new");
}

#[test]
fn a_box_full_of_what_is_too_old_takes_new_messages() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    for _ in 0..KEPT_PER_USER {
        leave(&mut b, alice, "old");
    }
    b.pass(KEPT_FOR.as_secs());
    let alice = b.sign_in("alice", 4);
    leave(&mut b, alice, "new");
    let deleted = b.stored.iter().filter(|s| matches!(s, StoreOp::DeleteKept { .. })).count();
    assert_eq!(deleted, KEPT_PER_USER);
}

#[test]
fn a_restart_forgets_nothing() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    leave(&mut b, alice, "one");
    let kept: Vec<_> = b.stored.iter().filter_map(|s| if let StoreOp::PutKept(m) = s { Some(m.clone()) } else { None }).collect();
    let mut after = Kept::default();
    after.load(kept.clone());
    let mut b = Bench::new(Routing { kept: after, ..Routing::default() });
    b.sign_in("bob", 2);
    let got = b.next();
    assert_eq!(text(&got), "one");
    b.answer(&got, 200, "b1");
    assert!(b.stored.contains(&StoreOp::DeleteKept { to: address("bob"), id: kept[0].id.clone() }));
}
