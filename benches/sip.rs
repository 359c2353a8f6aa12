//! Parse and serialise, per message: `cargo bench --bench sip`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::sip::auth::signature_string;
use adsum::sip::{Framer, Message};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

const INVITE: &str = "INVITE sip:bob@contoso.com;opaque=user:epid:Qf0zQjsJ1l-10mUe1Vlp5gAA;gruu SIP/2.0\r\n\
Via: SIP/2.0/TLS 192.0.2.10:50001;branch=z9hG4bK5D1C33A10F2E4B6789AB\r\nFrom: \"Alice Example\" <sip:alice@contoso.com>;tag=1f0a55c6e2;epid=6c801b691b\r\n\
To: <sip:bob@contoso.com>\r\nMax-Forwards: 70\r\nCSeq: 1 INVITE\r\nUser-Agent: UCCAPI/15.0.4420.1017 OC/15.0.4420.1017\r\n\
Call-ID: c0ffee0000000000000000000000a11c\r\nContact: <sip:alice@contoso.com;opaque=user:epid:__VDsQiPo1C2Vjz8JRtbKAAA;gruu>\r\n\
Supported: ms-delayed-accept\r\nSupported: ms-renders-isf\r\nMs-Conversation-ID: AdEzT1Kx0Q\r\nRoster-Manager: sip:alice@contoso.com\r\n\
EndPoints: <sip:alice@contoso.com>, <sip:bob@contoso.com>\r\nContent-Type: application/sdp\r\nContent-Length: 108\r\n\r\n\
v=0\r\no=- 0 0 IN IP4 192.0.2.10\r\ns=session\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=message 5060 sip null\r\na=accept-types:te\r\n";

const RESPONSE: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.10:50001;branch=z9hG4bK5D1C33A10F2E4B6789AB\r\n\
From: <sip:alice@contoso.com>;tag=1f0a55c6e2;epid=6c801b691b\r\nTo: <sip:bob@contoso.com>;tag=b;epid=8248ca9ebb\r\n\
Call-ID: c0ffee0000000000000000000000a11c\r\nCSeq: 2 MESSAGE\r\nContent-Length: 0\r\n\r\n";

fn notify() -> String {
    let body = "<category name=\"state\"/>".repeat(860);
    let head = INVITE.split("\r\n").filter(|l| !l.starts_with("Content-Length") && !l.is_empty() && l.contains(": "));
    let head: Vec<_> = head.filter(|l| !l.contains('=') || l.contains(": ")).map(|l| l.replace("INVITE", "BENOTIFY")).collect();
    format!("BENOTIFY sip:bob@contoso.com SIP/2.0\r\n{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len())
}

fn message(name: &str) -> Vec<u8> {
    match name {
        "invite" => INVITE.into(),
        "response" => RESPONSE.into(),
        _ => notify().into(),
    }
}

const KINDS: [&str; 3] = ["invite", "response", "benotify 20 KiB"];

#[divan::bench(args = KINDS)]
fn parse(bencher: Bencher, kind: &str) {
    let bytes = message(kind);
    assert!(Message::parse(&bytes).is_ok());
    bencher
        .counter(ItemsCount::new(1usize))
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| Message::parse(black_box(&bytes)));
}

#[divan::bench(args = KINDS)]
fn serialise(bencher: Bencher, kind: &str) {
    let message = Message::parse(&message(kind)).ok();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| black_box(&message).as_ref().map(Message::to_bytes));
}

#[divan::bench(args = KINDS)]
fn frame(bencher: Bencher, kind: &str) {
    let bytes = message(kind);
    let mut framer = Framer::new();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        framer.push(black_box(&bytes));
        framer.next()
    });
}

#[divan::bench]
fn addresses_of_an_invite(bencher: Bencher) {
    let message = Message::parse(INVITE.as_bytes()).ok();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        let headers = black_box(&message).as_ref().map(Message::headers);
        headers.map(|h| (h.from(), h.to(), h.contact(), h.cseq()))
    });
}

#[divan::bench]
fn signature_text(bencher: Bencher) {
    let message = Message::parse(INVITE.as_bytes()).ok();
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| black_box(&message).as_ref().map(|m| signature_string(m, "0d1e2f30", "1", "realm", "target", 4)));
}

fn main() {
    divan::main();
}
