use super::*;
use crate::domain::Rng;
use crate::msrp::frame::Flag;
use crate::msrp::limits::{ANSWER_WAIT, CHUNK, PAUSE_MOST, REPORT_WAIT, WINDOW};
use proptest::prelude::*;
use std::time::Duration;

fn uri(text: &str) -> MsrpUri {
    MsrpUri::parse(text).unwrap()
}

/// Alice and bob with a relay each; the wire between them is a queue.
struct Pair {
    now: Time,
    alice: Session,
    bob: Session,
}

fn pair(bob: fn(Session) -> Session) -> Pair {
    let here = vec![uri("msrp://ra:1/r1;tcp"), uri("msrp://a:1/alice;tcp")];
    let there = vec![uri("msrp://rb:1/r2;tcp"), uri("msrp://b:1/bob;tcp")];
    let alice = Session::new(here.clone(), there.clone(), Rng::seeded(1));
    Pair { now: Time(1000), alice, bob: bob(Session::new(there, here, Rng::seeded(2))) }
}

impl Pair {
    /// Lets all that is ready cross over, both ways, answers included.
    fn run(&mut self) -> (Vec<Event>, Vec<Event>) {
        let (mut at_alice, mut at_bob) = (Vec::new(), Vec::new());
        loop {
            let (a, b) = (self.alice.poll_frame(self.now), self.bob.poll_frame(self.now));
            let idle = a.is_none() && b.is_none();
            // A relay turns the paths; here they stay as they are, which the machines do not mind.
            a.into_iter().for_each(|f| self.bob.handle_frame(self.now, f, false));
            b.into_iter().for_each(|f| self.alice.handle_frame(self.now, f, false));
            at_alice.extend(std::iter::from_fn(|| self.alice.poll_event()));
            at_bob.extend(std::iter::from_fn(|| self.bob.poll_event()));
            if idle {
                return (at_alice, at_bob);
            }
        }
    }
}

#[test]
fn a_long_text_goes_in_chunks_and_its_receipt_comes_back() {
    let mut p = pair(|s| s);
    let text = "grüße ".repeat(2000).into_bytes();
    assert!(p.alice.send(p.now, "m1", "text/plain", text.clone(), true));
    let (alice, bob) = p.run();
    assert_eq!(bob, [Event::Message { id: "m1".into(), media: "text/plain".into(), body: text }]);
    assert_eq!(alice.last(), Some(&Event::Delivered { id: "m1".into() }));
    assert!(!p.alice.busy() && p.alice.poll_timeout().is_none());
}

#[test]
fn the_first_two_headers_are_the_paths_by_way_of_both_relays() {
    let mut p = pair(|s| s);
    p.alice.send(p.now, "m1", "text/plain", b"x".to_vec(), false);
    let frame = p.alice.poll_frame(p.now).unwrap();
    let text = String::from_utf8(frame.to_bytes()).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[1], "To-Path: msrp://ra:1/r1;tcp msrp://rb:1/r2;tcp msrp://b:1/bob;tcp");
    assert_eq!(lines[2], "From-Path: msrp://a:1/alice;tcp");
}

#[test]
fn no_more_chunks_leave_than_the_window_allows() {
    let mut p = pair(|s| s);
    p.alice.send(p.now, "m1", "text/plain", vec![b'x'; CHUNK * WINDOW * 2], false);
    let out: Vec<Frame> = std::iter::from_fn(|| p.alice.poll_frame(p.now)).collect();
    assert_eq!(out.len(), WINDOW);
    let answer = out[0].response(200, "OK");
    p.alice.handle_frame(p.now, answer.clone(), false);
    // The same answer once more, as some relays let it come, opens nothing.
    p.alice.handle_frame(p.now, answer, false);
    assert_eq!(std::iter::from_fn(|| p.alice.poll_frame(p.now)).count(), 1);
}

#[test]
fn a_long_content_is_asked_for_piece_by_piece_and_handed_on_in_order() {
    let mut p = pair(|s| s.in_parts(10_000_000));
    let content: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    p.alice.send_long(p.now, "f", "application/x", content.len() as u64);
    let (mut got, mut progress, mut pieces, mut delivered) = (Vec::new(), Vec::new(), 0, false);
    loop {
        let (alice, bob) = p.run();
        if alice.is_empty() && bob.is_empty() {
            break;
        }
        for e in bob {
            let Event::Part { offset, data, total, .. } = e else { panic!("{e:?}") };
            assert_eq!((offset, total), (got.len() as u64, Some(1_000_000)));
            got.extend(data);
            p.bob.settled("f", got.len() as u64);
        }
        for e in alice {
            match e {
                Event::Wants { offset, octets, .. } => {
                    pieces += 1;
                    let from = offset as usize;
                    p.alice.feed("f", &content[from..from + octets]);
                }
                Event::Progress { octets, .. } => progress.push(octets),
                Event::Delivered { .. } => delivered = true,
                Event::Sent { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(got == content && delivered && pieces > 10, "{} {delivered} {pieces}", got.len());
    assert!(progress.is_sorted());
}

#[test]
fn a_receiver_that_writes_nothing_stops_the_sender() {
    let mut p = pair(|s| s.in_parts(100_000_000));
    p.alice.send_long(p.now, "f", "application/x", 50_000_000);
    let mut came = 0;
    for settled in [true, false] {
        for _ in 0..400 {
            let (alice, bob) = p.run();
            for e in alice {
                if let Event::Wants { octets, .. } = e {
                    p.alice.feed("f", &vec![7; octets]);
                }
            }
            for e in bob {
                if let Event::Part { data, .. } = e {
                    came += data.len() as u64;
                    if settled && came < 1_000_000 {
                        p.bob.settled("f", came);
                    }
                }
            }
        }
    }
    assert!((1_000_000..1_600_000).contains(&came), "{came}");
}

#[test]
fn chunks_in_any_order_and_over_each_other_are_put_together() {
    let mut p = pair(|s| s);
    let blank = Frame::request(Method::Send, &mut Rng::seeded(3), vec![uri("msrp://b:1/bob;tcp")], vec![uri("msrp://a:1/a;tcp")]);
    let chunk = |range: &str, body: &str, flag| {
        let f = blank.clone().with("Message-ID", "m").with("Byte-Range", range);
        f.chunk(&mut Rng::seeded(4), "text/plain", body.as_bytes().to_vec(), flag)
    };
    p.bob.handle_frame(p.now, chunk("6-*/*", "world", Flag::End), false);
    assert_eq!(p.bob.poll_event(), None);
    p.bob.handle_frame(p.now, chunk("1-3/*", "hel", Flag::More), false);
    p.bob.handle_frame(p.now, chunk("3-5/10", "lo ", Flag::More), false);
    let Some(Event::Message { body, .. }) = p.bob.poll_event() else { panic!() };
    assert_eq!(String::from_utf8(body).unwrap(), "helo world"[..10].to_owned());
}

#[test]
fn what_is_too_large_or_has_gaps_or_is_hostile_is_stopped() {
    let chunk = |id: &str, range: &str, body: &[u8]| {
        let f = Frame::request(Method::Send, &mut Rng::seeded(3), vec![uri("msrp://b:1/bob;tcp")], vec![uri("msrp://a:1/a;tcp")]);
        f.with("Message-ID", id).with("Byte-Range", range).chunk(&mut Rng::seeded(4), "a/b", body.to_vec(), Flag::More)
    };
    let code = |s: &mut Session| match s.poll_frame(Time(0)).map(|f| f.kind) {
        Some(Kind::Response(code, _)) => code,
        other => panic!("{other:?}"),
    };
    let mut whole = pair(|s| s).bob;
    whole.handle_frame(Time(0), chunk("m1", "1-3/99999999999", b"abc"), false);
    assert_eq!(code(&mut whole), 413);
    whole.handle_frame(Time(0), chunk("m1", "4-6/*", b"abc"), false);
    assert_eq!(code(&mut whole), 413, "it stays refused");
    whole.handle_frame(Time(0), chunk("", "1-3/3", b"abc"), false);
    assert_eq!(code(&mut whole), 400);
    whole.handle_frame(Time(0), chunk("m2", "18446744073709551615-*/*", b"abc"), false);
    assert_eq!(code(&mut whole), 413);
    for n in 0..20 {
        whole.handle_frame(Time(0), chunk(&format!("x{n}"), "1-*/*", b"abc"), false);
    }
    let codes: Vec<u16> = (0..20).map(|_| code(&mut whole)).collect();
    assert_eq!(codes.iter().filter(|c| **c == 413).count(), 4, "{codes:?}");
    let mut parts = pair(|s| s.in_parts(100)).bob;
    parts.handle_frame(Time(0), chunk("f", "5-9/90", b"abcde"), false);
    assert_eq!(code(&mut parts), 413);
    assert!(matches!(parts.poll_event(), Some(Event::Broken { why: "a part of it is missing", .. })));
}

#[test]
fn silence_and_refusals_are_told_once() {
    let mut p = pair(|s| s);
    p.alice.send(p.now, "m1", "text/plain", vec![b'x'; CHUNK * 3], true);
    while p.alice.poll_frame(p.now).is_some() {}
    let due = p.alice.poll_timeout().unwrap();
    assert_eq!(due, p.now + ANSWER_WAIT);
    p.alice.handle_timeout(due);
    assert!(matches!(p.alice.poll_event(), Some(Event::Failed { code: 408, .. })));
    assert_eq!((p.alice.poll_event(), p.alice.poll_timeout()), (None, None));

    p.alice.send(p.now, "m2", "text/plain", b"x".to_vec(), true);
    let chunk = p.alice.poll_frame(p.now).unwrap();
    p.alice.handle_frame(p.now, chunk.response(200, "OK"), false);
    assert!(matches!(p.alice.poll_event(), Some(Event::Progress { octets: 1, .. })));
    assert!(matches!(p.alice.poll_event(), Some(Event::Sent { .. })));
    assert_eq!(p.alice.poll_timeout(), Some(p.now + REPORT_WAIT));
    p.alice.handle_timeout(p.now + REPORT_WAIT);
    assert!(matches!(p.alice.poll_event(), Some(Event::Failed { code: 408, .. })));

    p.alice.send(p.now, "m3", "text/plain", vec![b'x'; CHUNK * (WINDOW + 9)], true);
    let first = p.alice.poll_frame(p.now).unwrap();
    p.alice.handle_frame(p.now, first.response(413, "no more"), false);
    assert!(matches!(p.alice.poll_event(), Some(Event::Failed { code: 413, .. })));
    assert_eq!(p.alice.poll_frame(p.now).unwrap().flag, Flag::Abort);
    assert!(p.alice.poll_frame(p.now).is_none() && p.alice.poll_event().is_none());
}

#[test]
fn a_message_that_stops_coming_is_given_up() {
    let mut p = pair(|s| s);
    p.alice.send(p.now, "m1", "text/plain", vec![b'x'; CHUNK * 2], true);
    let chunk = p.alice.poll_frame(p.now).unwrap();
    p.bob.handle_frame(p.now, chunk, false);
    assert_eq!(p.bob.poll_timeout(), Some(p.now + PAUSE_MOST));
    p.bob.handle_timeout(p.now + PAUSE_MOST + Duration::from_secs(1));
    assert!(matches!(p.bob.poll_event(), Some(Event::Broken { why: "it stopped coming", .. })));
}

#[test]
fn other_requests_are_asked_and_answered() {
    let mut p = pair(|s| s);
    let tid = p.alice.ask(p.now, Method::Nickname, &[("Use-Nickname", "\"Alice\"".into())]);
    p.alice.touch(p.now);
    let (alice, bob) = p.run();
    assert_eq!(alice[0], Event::Answered { tid, code: 501, words: "Unknown method".into() });
    assert!(matches!(alice[1], Event::Answered { code: 200, .. }) && bob.is_empty());
}

proptest! {
    #[test]
    fn any_content_arrives_as_it_left(body in prop::collection::vec(any::<u8>(), 0..9000)) {
        let mut p = pair(|s| s);
        p.alice.send(p.now, "m1", "a/b", body.clone(), true);
        let (alice, bob) = p.run();
        prop_assert_eq!(bob, vec![Event::Message { id: "m1".into(), media: "a/b".into(), body }]);
        prop_assert_eq!(alice.last(), Some(&Event::Delivered { id: "m1".into() }));
    }
}
