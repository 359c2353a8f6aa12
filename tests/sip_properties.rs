//! Properties of the message codec: what is written is read back, nothing makes it panic, and on plain messages rsip agrees.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::sip::header::{NameAddr, Params, Via};
use adsum::sip::{Frame, Framer, Message, Method, Name, Request, Response, Uri};
use proptest::prelude::*;

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}"
}

fn value() -> impl Strategy<Value = String> {
    // No white space at the ends: it is no part of a value.
    "[!-~äöß€😀]([ -~äöß€😀]{0,40}[!-~äöß€😀])?"
}

fn uri() -> impl Strategy<Value = Uri> {
    ("sips?", "[a-z0-9.]{1,10}", "[a-z0-9.]{1,12}", proptest::option::of(1u16..), proptest::collection::vec(token(), 0..3))
        .prop_map(|(scheme, user, host, port, params)| {
            let port = port.map(|p| format!(":{p}")).unwrap_or_default();
            let params: String = params.iter().map(|p| format!(";{p}=epid:{p}")).collect();
            Uri::parse(&format!("{scheme}:{user}@{host}{port}{params}")).unwrap()
        })
}

prop_compose! {
    fn message()(
        method in token(),
        uri in uri(),
        status in proptest::option::of(100u16..700),
        tag in token(),
        cseq in 0u32..1 << 31,
        display in "[ -~äö€]{0,20}",
        extra in proptest::collection::vec((token(), value()), 0..12),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) -> Message {
        let method = Method::parse(&method).unwrap();
        let from = NameAddr { display, uri: uri.clone(), params: Params(vec![("tag".into(), Some(tag))]) };
        let mut headers = adsum::sip::Headers::new();
        headers
            .push(Name::Via, "SIP/2.0/TLS 192.0.2.10:50001;branch=z9hG4bK1")
            .push(Name::From, from.to_string())
            .push(Name::To, format!("<{uri}>"))
            .push(Name::CallId, "abc@def")
            .push(Name::CSeq, format!("{cseq} {method}"));
        for (name, value) in extra {
            headers.push(format!("X-{name}").as_str(), value);
        }
        match status {
            Some(status) => Message::Response(Response { headers, body, ..Response::new(status) }),
            None => Message::Request(Request { method, uri, headers, body }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn written_messages_are_read_back(m in message()) {
        prop_assert_eq!(Message::parse(&m.to_bytes()).unwrap(), m.clone());
        prop_assert!(m.headers().from().is_some());
    }

    #[test]
    fn streams_may_be_cut_anywhere(messages in proptest::collection::vec(message(), 1..4), size in 1usize..200) {
        let stream: Vec<u8> = messages.iter().flat_map(Message::to_bytes).collect();
        let mut framer = Framer::new();
        let mut got = Vec::new();
        for chunk in stream.chunks(size) {
            framer.push(chunk);
            while let Some(frame) = framer.next() {
                if let Frame::Message(m) = frame.unwrap() {
                    got.push(*m);
                }
            }
        }
        prop_assert_eq!(got, messages);
        prop_assert_eq!(framer.pending(), 0);
    }

    #[test]
    fn mutated_messages_do_no_harm(m in message(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..8)) {
        let mut bytes = m.to_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => bytes.splice(at..at, *b"\r\n ").for_each(drop),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        use_everything(&bytes);
    }

    #[test]
    fn any_octets_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        use_everything(&bytes);
    }

    #[test]
    fn any_values_do_no_harm(text in "\\PC{0,60}") {
        let _ = (NameAddr::parse(&text), Via::parse(&text), Params::parse(&text), adsum::sip::auth::AuthHeader::parse(&text));
        if let Some(uri) = Uri::parse(&text) {
            let _ = (uri.user(), uri.host(), uri.port(), uri.params().count(), uri.address(), uri.has_headers());
            prop_assert_eq!(&Uri::parse(uri.as_str()).unwrap(), &uri);
        }
    }

    #[test]
    fn no_value_starts_a_line_of_its_own(text in any::<String>()) {
        let mut m = Message::Response(Response { reason: text.clone(), ..Response::new(200) });
        m.headers_mut().push("X-Text", text);
        let parsed = Message::parse(&m.to_bytes()).unwrap();
        prop_assert_eq!(parsed.headers().len(), 1);
    }

    #[test]
    fn rsip_agrees_on_plain_messages(
        method in prop::sample::select(vec!["INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "MESSAGE", "INFO", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE"]),
        user in "[a-z]{1,8}", host in "[a-z]{1,8}\\.example", cseq in 1u32..1 << 31, tag in "[a-z0-9]{1,10}",
        subject in "[A-Za-z0-9]([A-Za-z0-9 ]{0,20}[A-Za-z0-9])?", body in "[a-z ]{0,50}",
    ) {
        let request = Request::new(Method::parse(method).unwrap(), Uri::parse(&format!("sip:{user}@{host}")).unwrap())
            .with(Name::Via, format!("SIP/2.0/TCP {host}:5060;branch=z9hG4bK{tag}"))
            .with(Name::From, format!("<sip:{user}@{host}>;tag={tag}"))
            .with(Name::To, format!("<sip:{user}@{host}>"))
            .with(Name::CallId, format!("{tag}@{host}"))
            .with(Name::CSeq, format!("{cseq} {method}"))
            .with(Name::Subject, subject)
            .with_body("text/plain", body.clone());
        let bytes = Message::Request(request.clone()).to_bytes();
        let rsip::SipMessage::Request(theirs) = rsip::SipMessage::try_from(bytes.as_slice()).unwrap() else {
            panic!("rsip reads a response")
        };
        prop_assert_eq!(theirs.method.to_string(), method);
        prop_assert_eq!(theirs.uri.to_string(), request.uri.as_str());
        prop_assert_eq!(&theirs.body, body.as_bytes());
        let ours: Vec<String> = request.headers.iter().map(|(n, v)| format!("{}: {v}", n.as_str())).collect();
        let their_lines: Vec<String> = theirs.headers.iter().map(|h| h.to_string()).filter(|h| !h.starts_with("Content-Length")).collect();
        prop_assert_eq!(their_lines, ours);
    }
}

fn use_everything(bytes: &[u8]) {
    if let Ok(m) = Message::parse(bytes) {
        let again = Message::parse(&m.to_bytes()).unwrap();
        assert_eq!(again, m);
        let h = m.headers();
        let _ = (h.from(), h.to(), h.contact(), h.cseq(), h.expires());
        let _ = h.all(&Name::Via).map(Via::parse).count();
        let _ = adsum::sip::auth::signature_string(&m, "", "", "", "", 4);
        if let Message::Request(r) = m {
            let _ = (r.refusal(&[], "t"), r.response(200, "t"), adsum::sip::DialogId::of_request(&r));
        }
    }
    let mut framer = Framer::new();
    framer.push(bytes);
    while framer.next().is_some() {}
}
