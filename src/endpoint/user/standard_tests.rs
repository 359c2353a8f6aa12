//! Standard servers: credentials request by request, the ways of RFC 3581, 3608 and 5626, datagrams, and bad luck.

use super::*;
use crate::domain::conversation::{ConversationId, Delivery, MessageId};
use crate::endpoint::event::Error;
use crate::sip::{Server, Uri};

/// A standard server that asks for credentials request by request.
fn standard(change: impl FnOnce(&mut Config)) -> (Script, DigestServer) {
    let (mut s, digest) = unconnected(change);
    s.connect();
    (s, digest)
}

fn unconnected(change: impl FnOnce(&mut Config)) -> (Script, DigestServer) {
    let mut s = Script::new(|config| {
        config.dialect = Dialect::Simple;
        config.relay = crate::endpoint::RelayPlace::None;
        config.login = None;
        change(config);
    });
    let digest = DigestServer::new("contoso.com", &mut s.rng);
    s.operate(SIGN_IN, Operation::SignIn);
    (s, digest)
}

impl Script {
    fn ask_for_password(&mut self, digest: &DigestServer, request: &Request, proxy: bool, stale: bool) {
        let [challenge, _] = digest.challenges(self.now, stale, &mut self.rng);
        let (status, name) = if proxy { (407, "Proxy-Authenticate") } else { (401, "WWW-Authenticate") };
        self.answer(request, status, &[(name, &challenge)]);
    }

    fn requests(&mut self) -> Vec<Request> {
        let mut out = Vec::new();
        for output in std::mem::take(&mut self.outputs) {
            if let Output::Send(bytes) = output
                && let Ok(Message::Request(r)) = Message::parse(&bytes)
            {
                out.push(r);
            }
        }
        out
    }

    fn standard_sign_in(&mut self, digest: &DigestServer) {
        let first = self.request();
        self.ask_for_password(digest, &first, false, false);
        let second = self.request();
        let contact = second.headers.get(&Name::Contact).unwrap().to_owned();
        self.answer(&second, 200, &[("Contact", &contact)]);
        assert_eq!(self.endpoint.state(), S::Established);
    }
}

#[test]
fn requests_that_left_together_are_each_sent_again_with_credentials() {
    let (mut s, digest) = standard(|_| {});
    s.standard_sign_in(&digest);
    s.requests();
    let (talk, with) = (crate::domain::conversation::ConversationId("c".into()), Address::parse("bob@contoso.com").unwrap());
    s.operate(OperationId(2), Operation::StartConversation { id: talk.clone(), with, subject: String::new() });
    let message = crate::domain::conversation::MessageId("m".into());
    s.operate(OperationId(3), Operation::SendMessage { conversation: talk.clone(), message, text: "hello".into() });
    s.operate(OperationId(4), Operation::Typing { conversation: talk, active: true });
    let sent = s.requests();
    assert_eq!(sent.len(), 2);
    for request in &sent {
        s.ask_for_password(&digest, request, true, false);
    }
    let again = s.requests();
    assert_eq!(again.len(), 2, "the second refusal is none of the password");
    let counts: Vec<_> = again
        .iter()
        .map(|r| AuthHeader::find(&r.headers, &Name::ProxyAuthorization, "Digest").unwrap())
        .map(|h| (h.get("nonce").unwrap().to_owned(), h.get("nc").unwrap().to_owned()))
        .collect();
    assert_eq!(counts[0].0, counts[1].0);
    assert_eq!((counts[0].1.as_str(), counts[1].1.as_str()), ("00000001", "00000002"));
    s.ask_for_password(&digest, &again[0], true, false);
    assert!(s.requests().is_empty(), "refused with the password: it is not tried again");
}

/// What a server says that sees us elsewhere.
fn seen_at(request: &Request, status: u16, received: &str, rport: &str) -> Response {
    let mut response = request.response(status, "srv");
    let via = response.headers.get(&Name::Via).unwrap().replace(";rport", &format!(";received={received};rport={rport}"));
    response.headers.replace_first(&Name::Via, via);
    response
}

fn contact(request: &Request) -> &str {
    request.headers.get(&Name::Contact).unwrap()
}

fn sent(s: &mut Script, method: &Method) -> Vec<Request> {
    s.requests().into_iter().filter(|r| r.method == *method).collect()
}

fn write(s: &mut Script, text: &str) {
    let (talk, with) = (ConversationId("c".into()), Address::parse("bob@contoso.com").unwrap());
    s.operate(OperationId(2), Operation::StartConversation { id: talk.clone(), with, subject: String::new() });
    let message = MessageId(format!("m{}", text.len()));
    s.operate(OperationId(3), Operation::SendMessage { conversation: talk, message, text: text.into() });
}

#[test]
fn the_contact_is_where_the_server_sees_us() {
    let (mut s, digest) = standard(|_| {});
    let first = s.request();
    assert!(contact(&first).starts_with("<sip:alice@192.0.2.10:50001;transport=tls>"));
    let [challenge, _] = digest.challenges(s.now, false, &mut s.rng);
    let asked = seen_at(&first, 401, "198.51.100.7", "40112").with("WWW-Authenticate", challenge);
    s.send(Message::Response(asked));
    let second = s.request();
    assert!(contact(&second).starts_with("<sip:alice@198.51.100.7:40112;transport=tls>"), "{}", contact(&second));
    assert_eq!(second.headers.all(&Name::Contact).count(), 1);
}

#[test]
fn a_contact_that_was_taken_too_soon_is_corrected_and_taken_back() {
    let (mut s, _) = standard(|_| {});
    let first = s.request();
    s.send(Message::Response(seen_at(&first, 200, "198.51.100.7", "40112")));
    let second = s.request();
    let contacts: Vec<&str> = second.headers.all(&Name::Contact).collect();
    assert!(contacts[0].contains("@198.51.100.7:40112") && contacts[1] == "<sip:alice@192.0.2.10:50001;transport=tls>;expires=0");
    assert_eq!(second.headers.call_id(), first.headers.call_id());
    s.send(Message::Response(seen_at(&second, 200, "198.51.100.7", "40112")));
    assert_eq!(s.endpoint.state(), S::Established);
    assert!(sent(&mut s, &Method::Register).is_empty());
}

#[test]
fn requests_outside_dialogs_take_the_way_the_server_names() {
    let (mut s, _) = standard(|_| {});
    let first = s.request();
    let (a, b) = ("<sip:a.contoso.com;lr>", "<sip:b.contoso.com;transport=tls;lr>");
    s.answer(&first, 200, &[("Service-Route", &format!("{a}, {b}"))]);
    write(&mut s, "hello");
    let message = sent(&mut s, &Method::Message).remove(0);
    assert_eq!(message.headers.all(&Name::Route).collect::<Vec<_>>(), [a, b]);
    s.pass(Duration::from_secs(600));
    let refresh = sent(&mut s, &Method::Register).remove(0);
    assert!(refresh.headers.get(&Name::Route).is_none());
}

#[test]
fn what_a_server_will_not_have_is_asked_otherwise() {
    let (mut s, digest) = standard(|_| {});
    let first = s.request();
    s.answer(&first, 423, &[("Min-Expires", "1800")]);
    let longer = s.request();
    assert!(contact(&longer).ends_with(";expires=1800"));
    s.answer(&longer, 439, &[]);
    let plain = s.request();
    assert!(!contact(&plain).contains("reg-id") && plain.headers.get(&Name::Supported) == Some("path"));
    s.ask_for_password(&digest, &plain, false, false);
    let last = s.request();
    assert!(contact(&last).ends_with(";expires=1800"));
    s.answer(&last, 423, &[("Min-Expires", "3600")]);
    let with_password = s.request();
    assert!(with_password.headers.get(&Name::Authorization).is_some());
    s.answer(&with_password, 423, &[("Min-Expires", "7200")]);
    assert!(matches!(s.last_reason(), Some((Reason::Failed(_), None))), "not for ever");
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    let (mut s, _) = standard(|config| config.reconnect = true);
    let first = s.request();
    s.answer(&first, 503, &[("Retry-After", "120 (maintenance);duration=60")]);
    let Some((Reason::Failed(error), Some(at))) = s.last_reason() else { panic!("{:?}", s.events) };
    assert!(error.text.contains("503") && at >= s.now + Duration::from_secs(120), "{error}");
}

#[test]
fn a_server_that_asks_for_the_password_for_ever_is_given_up() {
    let (mut s, digest) = standard(|_| {});
    for _ in 0..4 {
        let request = s.request();
        s.ask_for_password(&digest, &request, false, true);
    }
    let request = s.request();
    s.ask_for_password(&digest, &request, false, true);
    assert!(s.requests().is_empty());
    let Some((Reason::Failed(Error { text, .. }), _)) = s.last_reason() else { panic!("{:?}", s.events) };
    assert!(text.contains("again and again"), "{text}");
}

#[test]
fn keep_alives_that_are_answered_once_must_be_answered() {
    let (mut s, digest) = standard(|_| {});
    s.standard_sign_in(&digest);
    s.requests();
    s.pass(Duration::from_secs(51));
    assert!(s.outputs.contains(&Output::Send(b"\r\n\r\n".to_vec())));
    s.pass(Duration::from_secs(20));
    assert_eq!(s.endpoint.state(), S::Established, "this server has never answered one");
    s.endpoint.handle_bytes(s.now, b"\r\n");
    let pinged = (0..120).any(|_| {
        s.outputs.clear();
        s.pass(Duration::from_secs(1));
        s.outputs.contains(&Output::Send(b"\r\n\r\n".to_vec()))
    });
    assert!(pinged && s.endpoint.state() == S::Established);
    s.pass(Duration::from_secs(10));
    assert_eq!(s.endpoint.state(), S::Reestablishing);
}

/// Signed in where keep-alives leave every 4 to 5 s and are answered (RFC 5626).
fn on_a_short_flow() -> Script {
    let (mut s, digest) = standard(|_| {});
    let first = s.request();
    s.ask_for_password(&digest, &first, false, false);
    let second = s.request();
    s.answer(&second, 200, &[("Contact", contact(&second)), ("Flow-Timer", "5"), ("Require", "outbound")]);
    for r in s.requests() {
        s.answer(&r, 200, &[("SIP-ETag", "e"), ("Expires", "600")]);
    }
    s
}

#[test]
fn a_server_that_wants_keep_alives_often_gets_them_and_must_answer() {
    let mut s = on_a_short_flow();
    for _ in 0..12 {
        s.outputs.clear();
        s.pass(Duration::from_secs(5));
        assert!(s.outputs.contains(&Output::Send(b"\r\n\r\n".to_vec())));
        s.endpoint.handle_bytes(s.now, b"\r\n");
    }
    assert_eq!(s.endpoint.state(), S::Established);
    // Further ones leave before the first would have to be answered; they give it no more time.
    s.pass(Duration::from_secs(20));
    assert_eq!(s.endpoint.state(), S::Reestablishing);
}

#[test]
fn an_answer_that_a_lost_link_owes_is_not_asked_of_the_next() {
    let mut s = on_a_short_flow();
    s.pass(Duration::from_secs(5));
    s.endpoint.handle_disconnected(s.now, "reset".into());
    s.drain();
    s.outputs.clear();
    s.pass(Duration::from_secs(20));
    assert_eq!((s.endpoint.state(), s.outputs.len()), (S::Reestablishing, 0), "it is still being connected");
}

#[test]
fn a_ping_of_the_server_is_answered() {
    let (mut s, digest) = standard(|_| {});
    s.standard_sign_in(&digest);
    s.outputs.clear();
    s.endpoint.handle_bytes(s.now, b"\r\n\r\n");
    s.drain();
    assert_eq!(s.outputs, [Output::Send(b"\r\n".to_vec())]);
}

#[test]
fn servers_of_the_dns_are_tried_in_their_order() {
    let (mut s, _) = unconnected(|config| config.discover = true);
    assert!(matches!(s.output(), Output::Locate { domain, transport: Transport::Tls, .. } if domain == "contoso.com"));
    let server = |host: &str, port| Server::new(host, port, Transport::Tls);
    s.endpoint.handle_located(s.now, vec![server("a.contoso.com", 5062), server("b.example.net", 5061)]);
    s.drain();
    let Output::Connect { host, port, names, .. } = s.output() else { panic!() };
    assert_eq!((host.as_str(), port, names), ("a.contoso.com", 5062, vec!["contoso.com".to_owned(), "a.contoso.com".into()]));
    s.endpoint.handle_connect_failed(s.now, Error::new(ErrorKind::ConnectionFailed, "nobody"));
    s.drain();
    let Output::Connect { host, names, .. } = s.output() else { panic!() };
    // A host outside the domain does not speak for itself.
    assert_eq!((host.as_str(), names), ("b.example.net", vec!["contoso.com".to_owned()]));
}

#[test]
fn a_server_that_is_busy_leads_to_the_next_one_of_the_dns() {
    let (mut s, digest) = unconnected(|config| config.discover = true);
    s.output();
    let server = |host: &str| Server::new(host, 5061, Transport::Tls);
    s.endpoint.handle_located(s.now, vec![server("a.contoso.com"), server("b.contoso.com")]);
    s.drain();
    s.connect();
    let first = s.request();
    s.answer(&first, 503, &[("Retry-After", "120")]);
    let next = s.outputs.iter().find_map(|o| if let Output::Connect { host, .. } = o { Some(host.clone()) } else { None });
    assert_eq!(next.as_deref(), Some("b.contoso.com"), "{:?}", s.outputs);
    s.outputs.retain(|o| matches!(o, Output::Connect { .. }));
    s.connect();
    s.standard_sign_in(&digest);
}

#[test]
fn a_path_that_the_server_tells_is_its_own_affair() {
    let (mut s, _) = standard(|_| {});
    let first = s.request();
    assert!(first.headers.has_token(&Name::Supported, "path"));
    s.answer(&first, 200, &[("Path", "<sip:edge.contoso.com;lr;ob>"), ("Contact", contact(&first))]);
    assert_eq!(s.endpoint.state(), S::Established);
    write(&mut s, "hello");
    assert!(sent(&mut s, &Method::Message).remove(0).headers.get(&Name::Route).is_none());
}

#[test]
fn of_several_challenges_the_topmost_that_is_known_is_answered() {
    let (mut s, _) = standard(|_| {});
    let first = s.request();
    let with =
        |algorithm: &str| format!("Digest realm=\"contoso.com\", nonce=\"n1\", qop=\"auth,auth-int\", algorithm={algorithm}");
    let (unknown, better, usual) = (with("SHA3-512"), with("SHA-256"), with("MD5"));
    let name = "WWW-Authenticate";
    s.answer(&first, 401, &[(name, "Basic realm=\"contoso.com\""), (name, &unknown), (name, &better), (name, &usual)]);
    let second = s.request();
    assert_eq!(second.headers.all(&Name::Authorization).count(), 1);
    let answer = AuthHeader::find(&second.headers, &Name::Authorization, "Digest").unwrap();
    assert_eq!((answer.get("algorithm"), answer.get("qop")), (Some("SHA-256"), Some("auth")));
}

#[test]
fn without_an_answer_of_the_dns_the_domain_is_tried() {
    let (mut s, _) = unconnected(|config| {
        config.discover = true;
        config.host = "contoso.com".into();
    });
    s.pass(Duration::from_secs(15));
    s.outputs.remove(0);
    assert!(matches!(s.output(), Output::Connect { host, port: 5061, .. } if host == "contoso.com"));
}

#[test]
fn who_takes_no_messages_registers_no_contact() {
    let (mut s, digest) = standard(|config| config.talks = false);
    let first = s.request();
    assert!(first.headers.get(&Name::Contact).is_none());
    s.ask_for_password(&digest, &first, false, false);
    let second = s.request();
    s.answer(&second, 200, &[]);
    assert_eq!(s.endpoint.state(), S::Established);
}

fn datagrams() -> (Script, DigestServer) {
    let (mut s, digest) = standard(|config| config.transport = Transport::Udp);
    s.standard_sign_in(&digest);
    for r in s.requests() {
        s.answer(&r, 200, &[("SIP-ETag", "e"), ("Expires", "600")]);
    }
    s.requests();
    envelope(&mut s);
    (s, digest)
}

/// Bob writes in an envelope; what goes to him in one is larger than its text.
fn envelope(s: &mut Script) {
    let body = "From: <sip:bob@contoso.com>\r\nTo: <sip:alice@contoso.com>\r\n\r\nContent-Type: text/plain\r\n\r\nhello";
    let text = format!(
        "MESSAGE sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKbob\r\nFrom: <sip:bob@contoso.com>;tag=1\r\n\
         To: <sip:alice@contoso.com>\r\nCall-ID: bob\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: message/cpim\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    s.endpoint.handle_bytes(s.now, text.as_bytes());
    s.drain();
    (s.outputs, s.events) = (Vec::new(), Vec::new());
}

#[test]
fn datagrams_are_sent_again_until_they_are_answered() {
    let (mut s, _) = datagrams();
    write(&mut s, "hello");
    let first = sent(&mut s, &Method::Message).remove(0);
    assert!(first.headers.get(&Name::Via).unwrap().starts_with("SIP/2.0/UDP 192.0.2.10:50001;"));
    s.pass(Duration::from_millis(500));
    let again = sent(&mut s, &Method::Message);
    assert_eq!(again, std::slice::from_ref(&first), "the same octets, credentials included");
    s.answer(&first, 200, &[]);
    s.pass(Duration::from_secs(10));
    assert!(sent(&mut s, &Method::Message).is_empty());
}

#[test]
fn requests_of_the_server_over_datagrams_are_answered_once_more_when_they_come_once_more() {
    let (mut s, _) = datagrams();
    let mut options = Request::new(Method::Options, Uri::parse("sip:alice@192.0.2.10").unwrap());
    options
        .headers
        .push(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa")
        .push(Name::From, "<sip:pinger@contoso.com>;tag=1")
        .push(Name::To, "<sip:alice@contoso.com>")
        .push(Name::CallId, "ping")
        .push(Name::CSeq, "1 OPTIONS");
    for _ in 0..2 {
        s.outputs.clear();
        s.endpoint.handle_bytes(s.now, &Message::Request(options.clone()).to_bytes());
        s.drain();
        assert!(matches!(&s.outputs[..], [Output::Send(b)] if b.starts_with(b"SIP/2.0 200 OK")), "{:?}", s.outputs);
    }
    s.outputs.clear();
    for junk in [&b"\0\0\0\0"[..], b"\r\n", b"hello", b"SIP/2.0 200 OK\r\n\r\n"] {
        s.endpoint.handle_bytes(s.now, junk);
    }
    s.drain();
    assert_eq!((s.outputs.len(), s.endpoint.state()), (0, S::Established));
}

fn aside(s: &mut Script) -> Request {
    let found = s.outputs.iter().position(|o| matches!(o, Output::SendAside { .. })).expect("nothing aside");
    let Output::SendAside { bytes, .. } = s.outputs.remove(found) else { unreachable!() };
    let Ok(Message::Request(r)) = Message::parse(&bytes) else { panic!() };
    r
}

#[test]
fn a_request_too_large_for_a_datagram_takes_a_stream() {
    let (mut s, digest) = datagrams();
    write(&mut s, &"x".repeat(700));
    let first = aside(&mut s);
    assert!(first.headers.get(&Name::Via).unwrap().starts_with("SIP/2.0/TCP "));
    let [challenge, _] = digest.challenges(s.now, false, &mut s.rng);
    let asked = first.response(407, "srv").with("Proxy-Authenticate", challenge);
    s.endpoint.handle_aside(s.now, Ok(&Message::Response(asked).to_bytes()));
    s.drain();
    let second = aside(&mut s);
    assert!(second.headers.get(&Name::ProxyAuthorization).is_some());
    s.events.clear();
    s.endpoint.handle_aside(s.now, Ok(&Message::Response(second.response(200, "srv")).to_bytes()));
    s.drain();
    assert!(s.events.iter().any(|e| matches!(e, Event::MessageState { .. })));
}

#[test]
fn where_there_is_no_stream_large_requests_are_datagrams_after_all() {
    let (mut s, _) = datagrams();
    write(&mut s, &"x".repeat(700));
    let first = aside(&mut s);
    s.endpoint.handle_aside(s.now, Err("nothing listens".into()));
    s.drain();
    let second = sent(&mut s, &Method::Message).remove(0);
    assert!(second.headers.get(&Name::Via).unwrap().starts_with("SIP/2.0/UDP "));
    assert_ne!(second.headers.get(&Name::Via), first.headers.get(&Name::Via));
    s.answer(&second, 200, &[]);
    write(&mut s, &"y".repeat(699));
    assert_eq!(sent(&mut s, &Method::Message).len(), 1);
    assert!(!s.outputs.iter().any(|o| matches!(o, Output::SendAside { .. })));
}

#[test]
fn a_stream_that_brings_no_sip_any_more_is_closed_and_the_next_request_opens_another() {
    let (mut s, _) = datagrams();
    write(&mut s, &"x".repeat(700));
    let first = aside(&mut s);
    s.endpoint.handle_aside(s.now, Ok(&Message::Response(first.response(200, "srv")).to_bytes()));
    s.drain();
    write(&mut s, &"y".repeat(699));
    aside(&mut s);
    (s.outputs, s.events) = (Vec::new(), Vec::new());
    s.endpoint.handle_aside(s.now, Ok(&b"HTTP/1.1 400 Bad Request\r\n".repeat(8000)));
    s.drain();
    assert!(s.outputs.contains(&Output::CloseAside), "{:?}", s.notes.last());
    // The server takes streams, so it may have had this one.
    let failed = |e: &Event| matches!(e, Event::MessageState { state: Delivery::Failed(_), .. });
    assert!(s.events.iter().any(failed) && sent(&mut s, &Method::Message).is_empty());
    write(&mut s, &"z".repeat(698));
    let third = aside(&mut s);
    s.endpoint.handle_aside(s.now, Ok(&Message::Response(third.response(200, "srv")).to_bytes()));
    s.drain();
    assert!(matches!(s.events.last(), Some(Event::MessageState { state: Delivery::Delivered, .. })));
}

#[test]
fn what_needs_a_stream_where_there_is_none_is_not_tried_for_ever() {
    let (mut s, _) = datagrams();
    let bob = crate::domain::conference::Invitee {
        uri: Address::parse("bob@contoso.com").unwrap(),
        role: crate::domain::conversation::Role::Attendee,
    };
    let hour = Duration::from_secs(3600);
    let settings = crate::domain::conference::ConferenceSettings {
        start: Some(s.now + hour),
        end: Some(s.now + hour * 2),
        // Each needs two octets in a calendar.
        description: ",".repeat(4096),
        participants: vec![bob],
        ..Default::default()
    };
    s.operate(OperationId(2), Operation::ScheduleConference { settings });
    let mut tries = 0;
    for _ in 0..60 {
        while let Some(at) = s.outputs.iter().position(|o| matches!(o, Output::SendAside { .. })) {
            s.outputs.remove(at);
            tries += 1;
            s.endpoint.handle_aside(s.now, Err("nothing listens".into()));
            s.drain();
        }
        s.pass(Duration::from_secs(1));
    }
    assert_eq!(tries, 3, "at once, after 5 s and after 30 s more");
}

#[test]
fn requests_nobody_wants_are_answered_as_they_should() {
    let (mut s, digest) = standard(|_| {});
    s.standard_sign_in(&digest);
    s.requests();
    let cases = [
        ("NOTIFY", "sip:alice@192.0.2.10", "Event: presence\r\nSubscription-State: active\r\n", "481"),
        ("NOTIFY", "sip:alice@192.0.2.10", "Event: refer\r\nSubscription-State: active\r\n", "481"),
        ("BYE", "sip:alice@192.0.2.10", "", "481"),
        ("OPTIONS", "sip:alice@192.0.2.10", "", "200"),
        ("SUBSCRIBE", "sip:alice@192.0.2.10", "Event: presence\r\n", "489"),
        ("REGISTER", "sip:contoso.com", "", "405"),
        ("JUMP", "sip:alice@192.0.2.10", "", "501"),
        ("OPTIONS", "sip:alice@192.0.2.10", "Require: nothing-we-know\r\n", "420"),
        ("OPTIONS", "soap.beep://192.0.2.10", "", "416"),
        ("INVITE", "sip:alice@192.0.2.10", "Content-Type: application/sdp\r\n", "488"),
    ];
    for (i, (method, uri, more, status)) in cases.into_iter().enumerate() {
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK{i}\r\nFrom: <sip:bob@contoso.com>;tag=1\r\n\
             To: <sip:alice@contoso.com>\r\nCall-ID: c{i}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n"
        );
        s.outputs.clear();
        s.endpoint.handle_bytes(s.now, text.as_bytes());
        s.drain();
        let [Output::Send(bytes)] = &s.outputs[..] else { panic!("{method} {uri}: {:?}", s.outputs) };
        let answer = String::from_utf8_lossy(bytes);
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{method} {uri}: {answer}");
        assert_eq!(answer.contains("\r\nAllow: "), matches!(status, "200" | "405" | "501"), "{answer}");
    }
    assert_eq!(s.endpoint.state(), S::Established);
}

#[test]
fn a_call_is_declined_with_words_and_told() {
    let (mut s, digest) = standard(|_| {});
    s.standard_sign_in(&digest);
    s.requests();
    s.events.clear();
    for branch in ["a", "b"] {
        let text = format!(
            "INVITE sip:alice@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK{branch}\r\n\
             From: <sip:bob@contoso.com>;tag=1\r\nTo: <sip:alice@contoso.com>\r\nCall-ID: {branch}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        s.outputs.clear();
        s.endpoint.handle_bytes(s.now, text.as_bytes());
        s.drain();
        let Output::Send(bytes) = s.output() else { panic!() };
        let answer = String::from_utf8(bytes).unwrap();
        assert!(answer.starts_with("SIP/2.0 488 This program takes no calls yet\r\n"), "{answer}");
        assert!(answer.contains("\r\nWarning: 399 "), "{answer}");
    }
    let told = s.events.iter().filter(|e| matches!(e, Event::Missed { from, .. } if from.bare() == "bob@contoso.com")).count();
    assert_eq!(told, 1, "who calls again at once is told once");
}
