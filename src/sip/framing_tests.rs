use super::*;
use crate::sip::Name;

const MESSAGE: &str = "MESSAGE sip:bob@contoso.com SIP/2.0\r\nv: SIP/2.0/tls 192.0.2.10:50001\r\nf: <sip:alice@contoso.com>;tag=1;epid=6c\r\n\
    t: <sip:bob@contoso.com>\r\ni: abc\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n";

fn framed(bytes: &[u8]) -> Vec<Result<Frame, FrameError>> {
    let mut f = Framer::new();
    f.push(bytes);
    std::iter::from_fn(|| f.next()).collect()
}

#[test]
fn same_frames_however_the_stream_is_cut() {
    let stream = format!(
        "\r\n\r\n{MESSAGE}Content-Type: text/plain\r\nl: 5\r\n\r\nhello\r\n\r\n\r\n{MESSAGE}\r\n{MESSAGE}Content-Length: 2\r\n\r\nhi"
    );
    let whole = framed(stream.as_bytes());
    assert_eq!(whole.len(), 5);
    assert_eq!(whole[0], Ok(Frame::KeepAlive));
    assert_eq!(whole[2], Ok(Frame::KeepAlive));
    for size in [1, 2, 3, 7, 64] {
        let mut f = Framer::new();
        let mut got = Vec::new();
        for chunk in stream.as_bytes().chunks(size) {
            f.push(chunk);
            got.extend(std::iter::from_fn(|| f.next()));
        }
        assert_eq!(got, whole, "chunks of {size}");
        assert_eq!(f.pending(), 0);
    }
}

#[test]
fn a_refused_message_with_known_length_does_not_end_the_stream() {
    let bad = MESSAGE.replace("CSeq: 1 MESSAGE", "CSeq: x MESSAGE");
    let got = framed(format!("{bad}Content-Length: 3\r\n\r\nabc{MESSAGE}\r\n").as_bytes());
    let error = got[0].clone().unwrap_err();
    assert!(!error.fatal);
    assert_eq!(error.answer.map(|a| a.status), Some(400));
    assert!(matches!(got[1], Ok(Frame::Message(_))));
}

#[test]
fn lost_framing_is_fatal() {
    for (head, fault) in [
        ("Content-Type: text/plain\r\n\r\n", Fault::LengthMissing),
        ("Content-Length: 1x\r\n\r\n", Fault::Length),
        ("Content-Length: +1\r\n\r\n", Fault::Length),
        ("Content-Length: -1\r\n\r\n", Fault::Length),
        ("Content-Length: 1\r\nl: 2\r\n\r\n", Fault::Length),
        ("Content-Length: 99999999999999999999999\r\n\r\n", Fault::Length),
        ("Content-Length: 99999999\r\n\r\n", Fault::BodyTooLong),
        ("X: a\nY: b\r\n\r\n", Fault::LineBreak),
        ("X: a\rY: b\r\n\r\n", Fault::LineBreak),
    ] {
        let got = framed(format!("{MESSAGE}{head}{MESSAGE}\r\n").as_bytes());
        assert_eq!(got.len(), 1, "{head:?}");
        let error = got[0].clone().unwrap_err();
        assert_eq!((error.fault, error.fatal), (fault, true));
    }
}

#[test]
fn heads_and_header_counts_have_limits() {
    let mut f = Framer::new();
    f.push(MESSAGE.as_bytes());
    let mut seen = None;
    for _ in 0..2000 {
        f.push(&[b'x'; 64]);
        if let Some(e) = f.next() {
            seen = Some(e);
            break;
        }
    }
    assert_eq!(seen.unwrap().unwrap_err().fault, Fault::HeadTooLong);
    let many = format!("{MESSAGE}{}\r\n", "X: y\r\n".repeat(300));
    assert_eq!(framed(many.as_bytes())[0].clone().unwrap_err().fault, Fault::TooManyHeaders);
}

#[test]
fn line_breaks_alone_are_half_a_keep_alive_or_nothing() {
    let mut f = Framer::new();
    f.push(b"\r\n");
    assert_eq!(f.next(), None);
    f.push(b"\r\n");
    assert_eq!(f.next(), Some(Ok(Frame::KeepAlive)));
    f.push(b"\r\n");
    f.push(MESSAGE.as_bytes());
    f.push(b"\r\n");
    let Some(Ok(Frame::Message(m))) = f.next() else { panic!() };
    assert_eq!(m.headers().get(&Name::CallId), Some("abc"));
}
