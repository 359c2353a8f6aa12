use crate::frontend::testing::{World, address};
use crate::lync::registration::{REGISTRATION_EVENT_TYPE, own_gruu};
use crate::lync::{contacts, identity};
use crate::sip::auth::{DigestClient, NtlmClient};
use crate::sip::{Message, Method, Name, Request, Uri};
use std::time::Duration;

const EPID: &str = "6c801b691b";

#[test]
fn three_registers_sign_in_and_everything_after_is_signed() {
    let mut w = World::new(&["alice"]);
    for (epid, login) in [("e1", "alice"), ("e2", "CONTOSO\\alice"), ("e3", "alice@contoso.com"), (EPID, "Alice")] {
        let flow = w.connect("alice", epid);
        let ok = w.handshake(flow, login, "secret");
        assert_eq!(ok.status, 200);
        assert_eq!(ok.headers.get(&Name::Expires), Some("7200"));
        assert!(ok.headers.all(&Name::Supported).any(|s| s == "msrtc-event-categories"));
        assert!(!ok.headers.get(&Name::AllowEvents).unwrap().contains(' '));
        assert!(ok.headers.get(&Name::MsKeepAlive).unwrap().contains("timeout=300"));
        let instance = identity::instance_id(epid);
        let gruu = own_gruu(ok.headers.all(&Name::Contact), &instance).unwrap();
        assert_eq!(gruu, identity::gruu(&address("alice"), &instance));
    }
    assert_eq!(w.server.state().registrations.count(&address("alice")), 4);
    assert!(w.all_signed());
}

#[test]
fn a_refresh_keeps_the_endpoint_and_repeats_what_the_client_needs() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", EPID);
    let before: Vec<_> = w.server.state().registrations.iter().map(|r| r.id).collect();
    w.idle(flow, 7000);
    let request = w.register(flow, None);
    let ok = w.ask(flow, request);
    assert_eq!((ok.status, ok.headers.get(&Name::Expires)), (200, Some("7200")));
    assert!(ok.headers.get(&Name::PresenceState).unwrap().contains("refreshed"));
    assert_eq!(ok.headers.all(&Name::Supported).count(), 2);
    assert_eq!(w.server.state().registrations.iter().map(|r| r.id).collect::<Vec<_>>(), before);
    w.advance(Duration::from_secs(100));
    assert_eq!(w.server.state().registrations.len(), 1);
    assert!(w.all_signed());
}

#[test]
fn a_registration_that_is_not_refreshed_ends() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", EPID);
    w.idle(flow, 7300);
    assert!(w.server.state().registrations.is_empty());
}

#[test]
fn a_wrong_password_is_refused_and_an_unknown_user_looks_the_same() {
    let mut w = World::new(&["alice"]);
    for (user, login) in [("alice", "alice"), ("nobody", "nobody"), ("alice", "bob")] {
        let flow = w.connect(user, EPID);
        let no = w.handshake(flow, login, "wrong");
        assert_eq!(no.status, 401);
        assert!(!no.headers.get(&Name::WwwAuthenticate).unwrap().contains("gssapi-data"));
    }
    assert!(w.server.state().registrations.is_empty());
    assert!(w.logged.iter().all(|l| !l.contains("wrong\"")), "no password in the log");
}

#[test]
fn somebody_on_this_host_is_told_that_the_user_does_not_exist() {
    let mut w = World::new(&["alice"]);
    let flow = w.connect("nobody", EPID);
    w.server.handle_open(w.now, flow, "127.0.0.1:4000".into(), false);
    let request = w.register(flow, None);
    let no = w.ask(flow, request);
    assert_eq!(no.status, 404);
    assert!(no.headers.get(&Name::MsDiagnostics).unwrap().starts_with("1003"));
}

#[test]
fn registers_that_break_the_rules_get_their_answers() {
    let mut w = World::new(&["alice"]);
    let flow = w.connect("alice", EPID);
    let mut status = |change: &dyn Fn(&mut Request)| {
        let mut request = w.register(flow, None);
        change(&mut request);
        w.ask(flow, request).status
    };
    assert_eq!(
        status(&|r| {
            r.headers.set(Name::Event, "presence");
        }),
        489
    );
    let old = "adhoclist, msrtc-event-categories";
    assert_eq!(
        status(&|r| {
            r.headers.set(Name::Supported, old);
        }),
        421
    );
    assert_eq!(
        status(&|r| {
            r.headers.set(Name::Expires, "30");
        }),
        423
    );
    assert_eq!(
        status(&|r| {
            r.headers.set(Name::To, "<sip:bob@contoso.com>");
        }),
        403
    );
    let nameless = |r: &mut Request| {
        r.headers.set(Name::From, "<sip:alice@contoso.com>;tag=1");
        r.headers.set(Name::Contact, "<sip:192.0.2.1:1>");
    };
    assert_eq!(status(&nameless), 400);
    let foreign = |r: &mut Request| {
        r.headers.set(Name::From, "<sip:alice@elsewhere.com>;tag=1;epid=1");
        r.headers.set(Name::To, "<sip:alice@elsewhere.com>");
    };
    assert_eq!(status(&foreign), 404);
}

#[test]
fn the_same_device_on_another_connection_takes_over() {
    let mut w = World::new(&["alice"]);
    let one = w.sign_in("alice", EPID);
    let two = w.sign_in("alice", EPID);
    assert_eq!(w.server.state().registrations.len(), 1);
    let notice = w.next(one).unwrap();
    assert_eq!((notice.method.clone(), notice.headers.get(&Name::Event)), (Method::Benotify, Some("registration-notify")));
    assert_eq!(notice.headers.get(&Name::ContentType), Some(REGISTRATION_EVENT_TYPE));
    assert_eq!(notice.body, b"deregistered;event=unregistered");
    assert!(w.next(two).is_none());
    assert!(w.all_signed());
    // What the old connection still asks is refused; it is closed after a while.
    let request = w.subscription(one, "sip:alice@contoso.com", contacts::EVENT, ("", vec![]));
    assert_eq!(w.ask(one, request).status, 403);
}

#[test]
fn the_ninth_endpoint_takes_the_place_of_the_oldest() {
    let mut w = World::new(&["alice"]);
    let first = w.sign_in("alice", "dev0");
    for i in 1..9 {
        w.sign_in("alice", &format!("dev{i}"));
    }
    assert_eq!(w.server.state().registrations.count(&address("alice")), 8);
    assert!(w.next(first).unwrap().headers.get(&Name::MsDiagnosticsPublic).unwrap().starts_with("4140"));
}

#[test]
fn signing_out_ends_the_endpoint_without_contact_in_the_answer() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", EPID);
    let request = w.register(flow, Some(0));
    let ok = w.ask(flow, request);
    assert_eq!((ok.status, ok.headers.get(&Name::Expires)), (200, Some("0")));
    assert!(ok.headers.get(&Name::Contact).is_none());
    assert!(w.server.state().registrations.is_empty());
    assert!(w.all_signed());
}

#[test]
fn an_unsigned_register_makes_a_new_association_and_keeps_the_endpoint() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", EPID);
    let before: Vec<_> = w.server.state().registrations.iter().map(|r| r.id).collect();
    let old = w.clients.get_mut(&flow).unwrap().association.take().unwrap();
    let ok = w.handshake(flow, "alice", "secret");
    assert_eq!(ok.status, 200);
    assert_eq!(w.server.state().registrations.iter().map(|r| r.id).collect::<Vec<_>>(), before);
    assert_ne!(w.clients[&flow].association.as_ref().unwrap().opaque(), old.opaque());
    let request = w.subscription(flow, "sip:alice@contoso.com", contacts::EVENT, ("", vec![]));
    assert_eq!(w.ask(flow, request).status, 200);
}

#[test]
fn messages_without_or_with_wrong_signature_are_refused() {
    let mut w = World::new(&["alice", "bob"]);
    let flow = w.sign_in("alice", EPID);
    let request = w.subscription(flow, "sip:alice@contoso.com", contacts::EVENT, ("", vec![]));
    let call_id = request.headers.call_id().to_owned();
    w.bytes(flow, &Message::Request(request.clone()).to_bytes());
    assert_eq!(w.answer(flow, &call_id).unwrap().status, 401);
    // Signed, then changed.
    let mut message = Message::Request(request);
    let mut rng = w.rng.fork();
    w.clients.get_mut(&flow).unwrap().association.as_mut().unwrap().sign(&mut message, &mut rng);
    message.headers_mut().set(Name::From, "<sip:bob@contoso.com>;tag=1;epid=6c801b691b");
    message.headers_mut().set(Name::Via, "SIP/2.0/TLS 192.0.2.10:1;branch=z9hG4bKother");
    w.bytes(flow, &message.to_bytes());
    assert_eq!(w.answer(flow, &call_id).unwrap().status, 401);
    // Properly signed in somebody else's name.
    let mut forged = w.subscription(flow, "sip:bob@contoso.com", contacts::EVENT, ("", vec![]));
    forged.headers.set(Name::From, "<sip:bob@contoso.com>;tag=1;epid=6c801b691b");
    assert_eq!(w.ask(flow, forged).status, 403);
}

#[test]
fn a_half_open_handshake_is_forgotten() {
    let mut w = World::new(&["alice"]);
    let flow = w.connect("alice", EPID);
    let request = w.register(flow, None);
    let offered = w.ask(flow, request);
    let offer = crate::sip::auth::AuthHeader::find(&offered.headers, &Name::WwwAuthenticate, "NTLM").unwrap();
    let request = w.register(flow, None).with(Name::Authorization, NtlmClient::begin(&offer));
    let challenged = w.ask(flow, request);
    let challenge = crate::sip::auth::AuthHeader::find(&challenged.headers, &Name::WwwAuthenticate, "NTLM").unwrap();
    w.advance(Duration::from_secs(31));
    let client = NtlmClient::new("alice", "secret", "host1");
    let (mut association, token) = client.answer(&challenge, w.now, &mut w.rng).unwrap();
    let mut message = Message::Request(w.register(flow, None));
    association.sign_with_token(&mut message, &mut w.rng, &token);
    let call_id = message.headers().call_id().to_owned();
    w.bytes(flow, &message.to_bytes());
    assert_eq!(w.answer(flow, &call_id).unwrap().status, 401);
}

#[test]
fn a_connection_without_sign_in_is_closed() {
    let mut w = World::new(&["alice"]);
    let flow = w.connect("alice", EPID);
    w.advance(Duration::from_secs(59));
    assert!(w.closed.is_empty());
    w.advance(Duration::from_secs(2));
    assert_eq!(w.closed, [flow]);
    assert_eq!(w.server.poll_timeout(), None);
}

fn standard_register(w: &mut World, cseq: u32, expires: u32) -> Request {
    let branch = w.rng.hex(10);
    let mut r = Request::new(Method::Register, Uri::parse("sip:contoso.com").unwrap());
    r.headers
        .push(Name::Via, format!("SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK{branch}"))
        .push(Name::From, "<sip:bob@contoso.com>;tag=1")
        .push(Name::To, "<sip:bob@contoso.com>")
        .push(Name::MaxForwards, "70")
        .push(Name::CallId, "standard")
        .push(Name::CSeq, format!("{cseq} REGISTER"))
        .push(Name::Contact, "<sip:bob@192.0.2.9:5060;transport=tcp>")
        .push(Name::Expires, expires.to_string());
    r
}

#[test]
fn a_standard_client_signs_in_with_digest_and_nothing_is_signed() {
    let mut w = World::new(&["bob"]);
    let flow = w.connect("bob", "");
    let request = standard_register(&mut w, 1, 600);
    let no = w.ask(flow, request);
    assert_eq!(no.status, 401);
    let challenges: Vec<_> = no.headers.all(&Name::WwwAuthenticate).collect();
    assert!(challenges[0].contains("SHA-256") && challenges[1].contains("MD5"));
    for (cseq, drop_sha) in [(2, false), (4, true)] {
        let mut no = no.clone();
        if drop_sha {
            let md5 = no.headers.all(&Name::WwwAuthenticate).last().unwrap().to_owned();
            no.headers.set(Name::WwwAuthenticate, md5);
        }
        let mut digest = DigestClient::new("bob", "secret");
        digest.challenged(&no).unwrap();
        let mut request = standard_register(&mut w, cseq, 600);
        if drop_sha {
            // A fresh nonce: this one's counts are used.
            let again = w.ask(flow, request.clone());
            let mut only = again.clone();
            only.headers.set(Name::WwwAuthenticate, again.headers.all(&Name::WwwAuthenticate).last().unwrap());
            digest = DigestClient::new("bob", "secret");
            digest.challenged(&only).unwrap();
            request = standard_register(&mut w, cseq + 1, 600);
        }
        digest.authorize(&mut request, &mut w.rng);
        let ok = w.ask(flow, request);
        assert_eq!(ok.status, 200, "{ok:?}");
        assert!(ok.headers.get(&Name::Contact).unwrap().starts_with("<sip:bob@192.0.2.9:5060;transport=tcp>;expires=600"));
        assert!(ok.headers.get(&Name::AuthenticationInfo).is_none());
    }
    assert_eq!(w.server.state().registrations.len(), 1);
    let mut options = w.request(flow, Method::Options, "sip:contoso.com");
    options.headers.set(Name::From, "<sip:bob@contoso.com>;tag=2");
    options.headers.remove(&Name::Contact);
    assert_eq!(w.ask(flow, options).status, 200);
    let mut wrong = DigestClient::new("bob", "guess");
    wrong.challenged(&no).unwrap();
    let mut request = standard_register(&mut w, 9, 600);
    wrong.authorize(&mut request, &mut w.rng);
    assert_eq!(w.ask(flow, request).status, 401);
}

#[test]
fn a_removed_user_is_told_and_gone() {
    let mut w = World::new(&["alice"]);
    let flow = w.sign_in("alice", EPID);
    w.server.remove_user(w.now, &address("alice"));
    w.drain();
    assert_eq!(w.next(flow).unwrap().body, b"deregistered;event=rejected");
    assert!(w.server.state().registrations.is_empty());
    assert!(w.stored.contains(&crate::frontend::StoreOp::RemoveUser(address("alice"))));
}
