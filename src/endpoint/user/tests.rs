//! Sign-in scripts: the endpoint against literal answers, signed by the other half of the handshake.

use super::*;
use crate::domain::Address;
use crate::domain::presence::UserStatus;
use crate::endpoint::{EndpointState as S, Outcome, Reason};
use crate::sip::auth::{Association, AuthHeader, DigestServer, Ha1, NtHash, NtlmServer, NtlmTarget, PendingChallenge};
use crate::sip::{Message, Method, Name, Request, Response};
use std::time::Duration;

#[path = "standard_tests.rs"]
mod standard;

const T0: Time = Time(1_700_000_000_000);
const SIGN_IN: OperationId = OperationId(1);

/// A server made of literal messages; only its signatures are computed.
struct Script {
    endpoint: UserEndpoint,
    now: Time,
    ntlm: NtlmServer,
    rng: Rng,
    pending: Option<PendingChallenge>,
    association: Option<Association>,
    events: Vec<Event>,
    outputs: Vec<Output>,
    notes: Vec<String>,
}

impl Script {
    fn new(change: impl FnOnce(&mut Config)) -> Script {
        let mut config = Config::new(Address::parse("alice@contoso.com").unwrap(), "Passw0rd!");
        config.login = Some("CONTOSO\\alice".into());
        config.host = "lync01.contoso.com".into();
        config.epid = "6c801b691b".into();
        change(&mut config);
        Script {
            endpoint: UserEndpoint::new(config, Rng::seeded(7)),
            now: T0,
            ntlm: NtlmServer::new(NtlmTarget::new("lync01.contoso.com", "contoso.com")),
            rng: Rng::seeded(8),
            pending: None,
            association: None,
            events: Vec::new(),
            outputs: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(e) = self.endpoint.poll_event() {
            self.events.push(e);
        }
        while let Some(o) = self.endpoint.poll_output() {
            match o {
                Output::Trace(record) => self.notes.push(record.text),
                o => self.outputs.push(o),
            }
        }
    }

    fn operate(&mut self, id: OperationId, operation: Operation) {
        self.endpoint.operate(self.now, id, operation);
        self.drain();
    }

    fn output(&mut self) -> Output {
        assert!(!self.outputs.is_empty(), "nothing to do");
        self.outputs.remove(0)
    }

    fn connect(&mut self) {
        assert!(matches!(self.output(), Output::Connect { .. }));
        self.endpoint.handle_connected(self.now, "192.0.2.10:50001".into());
        self.drain();
    }

    fn request(&mut self) -> Request {
        loop {
            match self.output() {
                Output::Send(bytes) if bytes == b"\r\n\r\n" => {}
                Output::Send(bytes) => match Message::parse(&bytes).unwrap() {
                    Message::Request(r) => return r,
                    Message::Response(r) => panic!("a response: {r:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    }

    /// Sends a message of the server; signed when the association stands.
    fn send(&mut self, message: Message) {
        let mut message = message;
        let signed = !matches!(&message, Message::Response(r) if matches!(r.status, 401));
        if let (Some(a), true) = (&mut self.association, signed) {
            a.sign(&mut message, &mut self.rng);
        }
        self.endpoint.handle_bytes(self.now, &message.to_bytes());
        self.drain();
    }

    fn answer(&mut self, request: &Request, status: u16, headers: &[(&str, &str)]) {
        let mut response = request.response(status, "srv");
        for (n, v) in headers {
            response.headers.push(*n, *v);
        }
        self.send(Message::Response(response));
    }

    fn granted(&mut self, request: &Request, expires: &str) {
        self.answer(
            request,
            200,
            &[
                ("Contact", "<sip:192.0.2.10:50001;transport=tls>;expires=600;+sip.instance=\"<urn:uuid:b143f5ff-8f08-50a3-b656-3cfc251b5b28>\";gruu=\"sip:alice@contoso.com;opaque=user:epid:__VDsQiPo1C2Vjz8JRtbKAAA;gruu\""),
                ("Expires", expires),
                ("ms-keep-alive", "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300"),
                ("Allow-Events", "vnd-microsoft-provisioning"),
                ("Supported", "msrtc-event-categories"),
                ("Server", "RTC/5.0"),
            ],
        );
    }

    /// The two challenges; returns the REGISTER with the proof.
    fn challenge(&mut self) -> Request {
        let first = self.request();
        assert_eq!(first.method, Method::Register);
        assert!(first.headers.get(&Name::Authorization).is_none());
        let offer = self.ntlm.offer();
        self.answer(&first, 401, &[("WWW-Authenticate", &offer)]);
        let second = self.request();
        let asked = AuthHeader::find(&second.headers, &Name::Authorization, "NTLM").unwrap();
        assert!(NtlmServer::asks_for_token(&asked));
        assert_eq!(second.headers.call_id(), first.headers.call_id());
        assert_eq!(second.headers.cseq().unwrap().number, first.headers.cseq().unwrap().number + 1);
        let (pending, challenge) = self.ntlm.challenge(&mut self.rng);
        self.pending = Some(pending);
        self.answer(&second, 401, &[("WWW-Authenticate", &challenge)]);
        self.request()
    }

    fn prove(&mut self, third: &Request) {
        let header = AuthHeader::find(&third.headers, &Name::Authorization, "NTLM").unwrap();
        let lookup = |user: &str, _: &str| (user == "alice").then(|| NtHash::from_password("Passw0rd!"));
        let pending = self.pending.take().unwrap();
        let mut accepted = pending.accept(&header, lookup).unwrap();
        accepted.association.verify(&Message::Request(third.clone())).unwrap();
        self.association = Some(accepted.association);
    }

    fn sign_in(&mut self) {
        self.operate(SIGN_IN, Operation::SignIn);
        self.connect();
        let third = self.challenge();
        self.prove(&third);
        self.granted(&third, "600");
    }

    fn states(&mut self) -> Vec<S> {
        let states = self.events.iter().filter_map(|e| match e {
            Event::State { state, .. } => Some(*state),
            _ => None,
        });
        let states = states.collect();
        self.events.clear();
        states
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.endpoint.poll_timeout().filter(|t| *t <= end) {
            self.now = at.max(self.now);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn last_reason(&self) -> Option<(Reason, Option<Time>)> {
        self.events.iter().rev().find_map(|e| match e {
            Event::State { reason, retry_at, .. } => Some((reason.clone(), *retry_at)),
            _ => None,
        })
    }
}

#[test]
fn three_registers_sign_in() {
    let mut s = Script::new(|_| {});
    s.sign_in();
    assert!(s.events.iter().any(
        |e| matches!(e, Event::SignedIn { gruu, server } if gruu.contains("__VDsQiPo1C2Vjz8JRtbKAAA") && server == "RTC/5.0")
    ));
    assert!(matches!(s.events.last(), Some(Event::Completed { id: SIGN_IN, result: Ok(Outcome::Done) })));
    assert_eq!(s.states(), [S::Establishing, S::Established]);
    // No subscription is granted but provisioning's, so nothing else leaves.
    assert!(!s.notes.join("\n").contains("gssapi-data=\"T"), "a token reached the trace");
    // Signing in again is done at once.
    s.operate(OperationId(2), Operation::SignIn);
    assert!(matches!(s.events.last(), Some(Event::Completed { id: OperationId(2), result: Ok(_) })));
}

#[test]
fn the_registration_is_refreshed_and_the_link_kept_alive() {
    let mut s = Script::new(|_| {});
    s.sign_in();
    s.outputs.clear();
    s.pass(Duration::from_secs(300));
    assert_eq!(s.outputs, [Output::Send(b"\r\n\r\n".to_vec())]);
    s.pass(Duration::from_secs(270));
    let refresh = s.request();
    assert!(refresh.headers.get(&Name::Authorization).unwrap().contains("cnum="));
    s.states();
    s.granted(&refresh, "600");
    assert_eq!(s.states(), []);
    s.pass(Duration::from_secs(569));
    s.outputs.clear();
    s.pass(Duration::from_secs(1));
    assert_eq!(s.request().method, Method::Register);
}

#[test]
fn the_association_is_renewed_on_the_same_link() {
    let mut s = Script::new(|_| {});
    s.operate(SIGN_IN, Operation::SignIn);
    s.connect();
    let third = s.challenge();
    s.prove(&third);
    s.granted(&third, "86400");
    s.states();
    s.outputs.clear();
    s.pass(Duration::from_secs(8 * 3600 - 300));
    s.outputs.retain(|o| !matches!(o, Output::Send(b) if b == b"\r\n\r\n"));
    let third = s.challenge();
    s.prove(&third);
    s.granted(&third, "86400");
    assert_eq!(s.states(), []);
    assert_eq!(s.endpoint.state(), S::Established);
}

#[test]
fn signing_in_while_the_next_try_is_awaited_tries_at_once() {
    let mut s = Script::new(|c| c.reconnect = true);
    s.sign_in();
    s.states();
    s.outputs.clear();
    s.endpoint.handle_disconnected(s.now, "reset".into());
    s.drain();
    assert!(matches!(s.output(), Output::Connect { .. }));
    s.endpoint.handle_connect_failed(s.now, Error::new(ErrorKind::ConnectionFailed, "no route"));
    s.drain();
    assert!(s.endpoint.poll_timeout().is_some_and(|t| t > s.now), "the next try is awaited");
    s.outputs.clear();
    s.operate(OperationId(9), Operation::SignIn);
    assert!(matches!(s.output(), Output::Connect { .. }));
}

#[test]
fn a_wrong_password_ends_idle_with_a_sentence() {
    let mut s = Script::new(|c| c.reconnect = true);
    s.operate(SIGN_IN, Operation::SignIn);
    s.connect();
    let third = s.challenge();
    let offer = s.ntlm.offer();
    s.answer(&third, 401, &[("WWW-Authenticate", &offer)]);
    let (reason, retry) = s.last_reason().unwrap();
    let Reason::Failed(error) = reason else { panic!() };
    assert_eq!((error.kind, retry), (ErrorKind::AuthenticationFailed, None));
    assert!(error.text.contains("password"), "{}", error.text);
    assert_eq!(s.output(), Output::Close);
    assert!(matches!(
        s.events.iter().find(|e| matches!(e, Event::Completed { .. })),
        Some(Event::Completed { id: SIGN_IN, result: Err(_) })
    ));
    assert_eq!(s.states(), [S::Establishing, S::Idle]);
    assert_eq!(s.endpoint.poll_timeout(), None);
}

#[test]
fn a_lost_link_is_tried_once_at_once_and_then_given_up() {
    let mut s = Script::new(|_| {});
    s.sign_in();
    s.states();
    s.outputs.clear();
    s.endpoint.handle_disconnected(s.now, "reset".into());
    s.drain();
    assert_eq!(s.states(), [S::Reestablishing]);
    assert!(matches!(s.output(), Output::Connect { .. }));
    s.endpoint.handle_connect_failed(s.now, Error::new(ErrorKind::ConnectionFailed, "no route"));
    s.drain();
    assert_eq!(s.last_reason(), Some((Reason::RegistrationRefreshFailed, None)));
    assert_eq!(s.states(), [S::Terminating, S::Terminated]);
    // The same machine signs in again.
    s.association = None;
    s.sign_in();
    assert_eq!(s.states(), [S::Establishing, S::Established]);
}

#[test]
fn a_lost_link_that_comes_back_is_a_full_sign_in() {
    let mut s = Script::new(|_| {});
    s.sign_in();
    s.states();
    s.outputs.clear();
    s.association = None;
    s.endpoint.handle_disconnected(s.now, "reset".into());
    s.drain();
    s.connect();
    let third = s.challenge();
    s.prove(&third);
    s.granted(&third, "600");
    assert_eq!(s.last_reason(), Some((Reason::RegistrationRefreshSucceeded, None)));
    assert_eq!(s.states(), [S::Reestablishing, S::Established]);
}

#[test]
fn with_reconnect_the_waits_grow() {
    let mut s = Script::new(|c| c.reconnect = true);
    s.operate(SIGN_IN, Operation::SignIn);
    for (least, most) in [(5, 6), (10, 12), (30, 36), (60, 72), (60, 72)] {
        assert!(matches!(s.output(), Output::Connect { .. }));
        s.endpoint.handle_connect_failed(s.now, Error::new(ErrorKind::ConnectionFailed, "refused"));
        s.drain();
        let at = s.last_reason().unwrap().1.unwrap();
        assert!((least..=most).contains(&at.since(s.now).as_secs()), "{least}: {:?}", at.since(s.now));
        s.pass(at.since(s.now));
    }
    // A person's wish comes before the wait; signing out ends it.
    s.outputs.clear();
    s.operate(OperationId(3), Operation::SignOut);
    assert_eq!(s.endpoint.state(), S::Terminated);
    assert_eq!(s.endpoint.poll_timeout(), None);
}

#[test]
fn a_redirect_is_followed_but_not_for_ever() {
    let mut s = Script::new(|_| {});
    s.operate(SIGN_IN, Operation::SignIn);
    for _ in 0..5 {
        s.connect();
        let first = s.request();
        s.answer(&first, 301, &[("Contact", "<sip:lync02.contoso.com:5062;transport=tls>")]);
        assert_eq!(s.output(), Output::Close);
        assert_eq!(
            s.outputs[0],
            Output::Connect {
                host: "lync02.contoso.com".into(),
                port: 5062,
                transport: Transport::Tls,
                names: vec!["lync02.contoso.com".into()]
            }
        );
    }
    s.connect();
    let first = s.request();
    s.answer(&first, 301, &[("Contact", "<sip:lync02.contoso.com:5062;transport=tls>")]);
    assert_eq!(s.states(), [S::Establishing, S::Idle]);
}

#[test]
fn failures_say_what_to_do() {
    for (status, headers, kind, words) in [
        (
            404,
            vec![("ms-diagnostics", "1003;reason=\"User does not exist\"")],
            ErrorKind::RegisterFailed,
            "not known on this server",
        ),
        (403, vec![("Warning", "310 lync01 \"client version\"")], ErrorKind::FailureResponse, "user agent"),
        (403, vec![("ms-diagnostics", "17001;reason=\"blocked\"")], ErrorKind::FailureResponse, "user agent"),
        (403, vec![], ErrorKind::FailureResponse, "administrator"),
        (503, vec![], ErrorKind::FailureResponse, "in a moment"),
    ] {
        let mut s = Script::new(|_| {});
        s.operate(SIGN_IN, Operation::SignIn);
        s.connect();
        let first = s.request();
        s.answer(&first, status, &headers);
        let Some((Reason::Failed(error), None)) = s.last_reason() else { panic!() };
        assert!(error.kind == kind && error.text.contains(words), "{error:?}");
        assert_eq!(error.status, Some(status));
    }
    let mut s = Script::new(|_| {});
    s.operate(SIGN_IN, Operation::SignIn);
    s.connect();
    let first = s.request();
    s.answer(&first, 401, &[("WWW-Authenticate", "TLS-DSK realm=\"SIP Communications Service\", targetname=\"x\", version=4")]);
    let Some((Reason::Failed(error), None)) = s.last_reason() else { panic!() };
    assert!(error.text.contains("TLS-DSK"), "{error:?}");
}

#[test]
fn a_silent_server_is_given_up() {
    let mut s = Script::new(|_| {});
    s.operate(SIGN_IN, Operation::SignIn);
    s.connect();
    s.request();
    s.pass(Duration::from_secs(32));
    let Some((Reason::Failed(error), None)) = s.last_reason() else { panic!() };
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(s.output(), Output::Close);
}

#[test]
fn unsigned_and_wrongly_signed_messages_are_dropped() {
    let mut s = Script::new(|_| {});
    s.sign_in();
    s.outputs.clear();
    s.events.clear();
    let mut options = Request::new(Method::Options, crate::sip::Uri::parse("sip:alice@contoso.com").unwrap());
    options
        .headers
        .push("Via", "SIP/2.0/TLS 192.0.2.5:5061;branch=z9hG4bK1")
        .push("From", "<sip:x@contoso.com>;tag=1")
        .push("To", "<sip:alice@contoso.com>")
        .push("Call-ID", "c1")
        .push("CSeq", "1 OPTIONS")
        .push("Max-Forwards", "70");
    let association = s.association.take();
    s.send(Message::Request(options.clone()));
    assert!(s.outputs.is_empty() && s.notes.last().unwrap().contains("no signature"));
    s.association = association;
    let mut signed = Message::Request(options.clone());
    s.association.as_mut().unwrap().sign(&mut signed, &mut s.rng);
    signed.headers_mut().set("CSeq", "2 OPTIONS");
    s.endpoint.handle_bytes(s.now, &signed.to_bytes());
    s.drain();
    assert!(s.outputs.is_empty() && s.notes.last().unwrap().contains("does not fit"), "{:?}", s.notes.last());
    s.send(Message::Request(options));
    assert!(matches!(&s.outputs[..], [Output::Send(b)] if b.starts_with(b"SIP/2.0 200")));
}

#[test]
fn the_server_may_end_the_registration() {
    for (event, state, last) in [
        ("deregistered;event=rejected", S::Terminated, Reason::OwnerDisabledOrRemoved),
        ("registered;event=userservices-unavailable", S::Established, Reason::None),
    ] {
        let mut s = Script::new(|_| {});
        s.sign_in();
        let mut notice = Request::new(Method::Benotify, crate::sip::Uri::parse("sip:192.0.2.10:50001").unwrap());
        notice
            .headers
            .push("Via", "SIP/2.0/TLS 192.0.2.5:5061;branch=z9hG4bK2")
            .push("From", "<sip:alice@contoso.com>;tag=srv")
            .push("To", "<sip:alice@contoso.com>;tag=x")
            .push("Call-ID", "c2")
            .push("CSeq", "2 BENOTIFY")
            .push("Event", "registration-notify");
        notice.body = event.into();
        s.send(Message::Request(notice));
        assert_eq!(s.endpoint.state(), state);
        assert_eq!(s.last_reason().unwrap().0, last);
    }
}

#[test]
fn signing_out_deregisters_and_closes() {
    let mut s = Script::new(|_| {});
    s.sign_in();
    s.outputs.clear();
    s.states();
    s.operate(OperationId(9), Operation::SignOut);
    let leave = s.request();
    assert_eq!(leave.headers.expires(), Some(0));
    s.answer(&leave, 200, &[("Expires", "0")]);
    assert_eq!(s.output(), Output::Close);
    assert!(matches!(s.events.last(), Some(Event::Completed { id: OperationId(9), result: Ok(_) })));
    assert_eq!(s.states(), [S::Terminating, S::Terminated]);
    s.association = None;
    s.sign_in();
    assert_eq!(s.endpoint.state(), S::Established);
    // Without an answer it ends by itself.
    s.operate(OperationId(10), Operation::SignOut);
    s.pass(Duration::from_secs(3));
    assert_eq!(s.endpoint.state(), S::Terminated);
}

#[test]
fn digest_signs_in_where_ntlm_is_not_offered() {
    let mut s = Script::new(|_| {});
    let mut rng = Rng::seeded(3);
    let mut digest = DigestServer::new("contoso.com", &mut rng);
    s.operate(SIGN_IN, Operation::SignIn);
    s.connect();
    let first = s.request();
    let challenges = digest.challenges(s.now, false, &mut rng);
    s.answer(&first, 401, &[("WWW-Authenticate", &challenges[0]), ("WWW-Authenticate", &challenges[1])]);
    let second = s.request();
    let header = AuthHeader::find(&second.headers, &Name::Authorization, "Digest").unwrap();
    let stored = |user: &str, algorithm| (user == "alice").then(|| Ha1::new(algorithm, user, "contoso.com", "Passw0rd!"));
    assert_eq!(digest.verify(s.now, "REGISTER", &header, stored).unwrap(), "alice");
    s.granted(&second, "600");
    assert_eq!(s.states(), [S::Establishing, S::Established]);
}

#[test]
fn what_can_be_done_only_with_the_link_does_not_wake_without_it() {
    let mut s = Script::new(|config| config.dialect = Dialect::Simple);
    s.operate(OperationId(9), Operation::SetStatus { status: UserStatus::Busy, activity: String::new(), until: None });
    let due = s.endpoint.poll_timeout().unwrap();
    s.now = due;
    s.endpoint.handle_timeout(due);
    assert_eq!(s.endpoint.poll_timeout().filter(|t| *t <= due), None);
}
