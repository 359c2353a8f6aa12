use super::*;
use crate::domain::Rng;
use crate::msrp::{Method, MsrpUri};
use proptest::prelude::*;

const HEAD: &str = "To-Path: msrp://a:1/x;tcp\r\nFrom-Path: msrp://b:2/y;tcp\r\n";

fn all(bytes: &[u8]) -> Vec<Result<Framed, Fault>> {
    let mut framer = Framer::default();
    framer.push(bytes);
    let mut out = Vec::new();
    while let Some(next) = framer.next() {
        let broken = next.is_err();
        out.push(next);
        if broken {
            break;
        }
    }
    out
}

fn frames(bytes: &[u8]) -> Vec<Frame> {
    all(bytes).into_iter().map(|f| f.unwrap().frame).collect()
}

fn send(tid: &str, rest: &str) -> Vec<u8> {
    format!("MSRP {tid} SEND\r\n{HEAD}{rest}").into_bytes()
}

#[test]
fn a_chunk_is_read() {
    let text =
        send("d93kswow", "Message-ID: m1\r\nByte-Range: 1-5/9\r\nContent-Type: text/plain\r\n\r\nhello\r\n-------d93kswow+\r\n");
    let f = &frames(&text)[0];
    assert_eq!((f.tid.as_str(), f.kind.clone(), f.message()), ("d93kswow", Kind::Request(Method::Send), "m1"));
    assert_eq!((f.body.as_deref(), f.flag), (Some(&b"hello"[..]), Flag::More));
    assert_eq!(f.range(), Some(ByteRange { start: 1, end: Some(5), total: Some(9) }));
    assert_eq!(f.to_bytes(), text);
}

#[test]
fn frames_without_content_are_read_with_and_without_an_empty_line() {
    for rest in ["-------abcd$\r\n", "\r\n-------abcd$\r\n"] {
        assert_eq!(frames(&send("abcd", rest))[0].body, None, "{rest:?}");
    }
    assert_eq!(frames(&send("abcd", "\r\n\r\n-------abcd$\r\n"))[0].body, Some(Vec::new()));
    let answer = format!("MSRP abcd 200 OK\r\n{HEAD}-------abcd$\r\n");
    assert_eq!(frames(answer.as_bytes())[0].kind, Kind::Response(200, "OK".into()));
}

#[test]
fn content_that_looks_like_an_end_is_content() {
    let body = "x\r\n-------abcd?\r\n-------abcd$ -------abcd\r\n";
    let text = send("abcd", &format!("Content-Type: text/plain\r\n\r\n{body}\r\n-------abcd$\r\n"));
    assert_eq!(frames(&text)[0].body.as_deref(), Some(body.as_bytes()));
}

#[test]
fn a_long_chunk_comes_in_parts_that_follow_each_other() {
    let body = "y".repeat(PART * 2 + 100);
    let mut text = send("abcd", &format!("Byte-Range: 101-*/*\r\nContent-Type: text/plain\r\n\r\n{body}\r\n-------abcd$\r\n"));
    text.extend(send("efgh", "-------efgh$\r\n"));
    let parts: Vec<Framed> = all(&text).into_iter().map(Result::unwrap).collect();
    let starts: Vec<u64> = parts[..3].iter().map(|p| p.frame.range().unwrap().start).collect();
    assert_eq!(starts, [101, 101 + PART as u64, 101 + 2 * PART as u64]);
    assert_eq!(parts.iter().map(|p| p.partial).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(parts[2].frame.flag, Flag::End);
    assert_eq!(parts[..3].iter().map(|p| p.frame.body.as_ref().unwrap().len()).sum::<usize>(), body.len());
}

#[test]
fn what_is_no_msrp_breaks_the_stream_with_a_reason() {
    let long = "X: ".to_owned() + &"y".repeat(HEAD_MOST);
    let many = "X: y\r\n".repeat(70);
    let bad: Vec<Vec<u8>> = vec![
        b"SIP/2.0 200 OK\r\n".to_vec(),
        b"MSRP a SEND\r\n".to_vec(),
        b"MSRP abcd send\r\n".to_vec(),
        b"MSRP abcd SEND\r\nTo-Path: msrp://a:1/x;tcp\r\n-------abcd$\r\n".to_vec(),
        b"MSRP abcd SEND\r\nTo-Path: http://a\r\nFrom-Path: msrp://b:2/y;tcp\r\n-------abcd$\r\n".to_vec(),
        send("abcd", "nocolon\r\n-------abcd$\r\n"),
        send("abcd", "-------abcd!\r\n"),
        send("abcd", "-------abcd$xx"),
        send("abcd", &long),
        send("abcd", &format!("{many}-------abcd$\r\n")),
        send("abcd", "Byte-Range: 9-1/3\r\nContent-Type: a/b\r\n\r\nx\r\n-------abcd$\r\n"),
        send("abcd", "X: \u{1}\r\n-------abcd$\r\n"),
        b"MSRP \xff\xff\xff\xff SEND\r\n".to_vec(),
    ];
    for text in bad {
        let out = all(&text);
        let shown = String::from_utf8_lossy(&text).chars().take(80).collect::<String>();
        assert!(matches!(out.last(), Some(Err(f)) if f.to_string().contains("MSRP")), "{shown} {out:?}");
    }
}

#[test]
fn a_truncated_frame_waits_and_says_nothing() {
    let text = send("abcd", "Message-ID: m\r\nContent-Type: text/plain\r\n\r\nhello\r\n-------abcd$\r\n");
    for cut in 0..text.len() {
        assert!(all(&text[..cut]).is_empty(), "{cut}");
    }
}

fn uri() -> impl Strategy<Value = MsrpUri> {
    ("[a-z]{1,8}(\\.[a-z]{2,5})?", 1u16.., "[a-zA-Z0-9]{1,16}", any::<bool>())
        .prop_map(|(host, port, session, tls)| MsrpUri::new(tls, &format!("{host}:{port}"), &session).unwrap())
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_it_is_cut(
        to in prop::collection::vec(uri(), 1..4),
        from in prop::collection::vec(uri(), 1..4),
        bodies in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..200)), 1..5),
        flag in prop::sample::select(vec![Flag::End, Flag::More, Flag::Abort]),
        seed: u64,
        steps in prop::collection::vec(1usize..60, 1..8),
    ) {
        let mut rng = Rng::seeded(seed);
        let sent: Vec<Frame> = bodies.into_iter().map(|body| {
            let frame = Frame::request(Method::Send, &mut rng, to.clone(), from.clone()).with("Message-ID", "m1");
            match body {
                Some(body) => frame.chunk(&mut rng, "application/x", body, flag),
                None => frame,
            }
        }).collect();
        let octets: Vec<u8> = sent.iter().flat_map(Frame::to_bytes).collect();
        let (mut framer, mut came, mut at) = (Framer::default(), Vec::new(), 0);
        for step in steps.iter().cycle() {
            if at >= octets.len() { break; }
            let end = (at + step).min(octets.len());
            framer.push(&octets[at..end]);
            at = end;
            while let Some(next) = framer.next() {
                came.push(next.unwrap().frame);
            }
        }
        prop_assert_eq!(came, sent);
    }

    #[test]
    fn nothing_makes_it_panic_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..200) {
        let mut text = send("abcd", "Byte-Range: 1-9/9\r\nContent-Type: a/b\r\n\r\nhello\r\n-------abcd$\r\n");
        let at = cut.min(text.len());
        text.splice(at..at, bytes);
        let out = all(&text);
        prop_assert!(out.len() <= text.len());
    }
}
