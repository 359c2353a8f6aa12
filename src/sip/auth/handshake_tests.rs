use super::*;
use crate::sip::auth::{VerifyError, signature_string};
use crate::sip::header::Name;
use crate::sip::{Message, Response};

const CHALLENGE_B64: &str = "TlRMTVNTUAACAAAADgAOADgAAABVgpjiAQIDBAUGBwgAAAAAAAAAAGgAaABGAAAABgGxHQAAAA9DAE8ATgBUAE8AUwBPAAIADgBDAE8ATgBUAE8AUwBPAAEADABMAFkATgBDADAAMQAEABYAYwBvAG4AdABvAHMAbwAuAGMAbwBtAAMAJABsAHkAbgBjADAAMQAuAGMAbwBuAHQAbwBzAG8ALgBjAG8AbQAAAAAA";
const AUTHENTICATE_B64: &str = "TlRMTVNTUAADAAAAGAAYAGoAAACYAJgAggAAAA4ADgBIAAAACgAKAFYAAAAKAAoAYAAAABAAEAAaAQAAVYKYYgUBKAoAAAAPQwBPAE4AVABPAFMATwBhAGwAaQBjAGUAaABvAHMAdAAxABqcqp24v4VkX4Gmgu9D/LGhoqOkpaanqKu0ZbI5wGfnvN53Peo8YyIBAQAAAAAAAACQ0za3NMMBoaKjpKWmp6gAAAAAAgAOAEMATwBOAFQATwBTAE8AAQAMAEwAWQBOAEMAMAAxAAQAFgBjAG8AbgB0AG8AcwBvAC4AYwBvAG0AAwAkAGwAeQBuAGMAMAAxAC4AYwBvAG4AdABvAHMAbwAuAGMAbwBtAAAAAAAAAAAAej3dzFQxo7q/+c3wnLv0ug==";

const REGISTER: &str = "REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/tls 192.0.2.10:50001;branch=z9hG4bK77E1D0C2B3A495867f10\r\n\
    From: <sip:alice@contoso.com>;tag=4a2b44d131;epid=6c801b691b\r\nTo: <sip:alice@contoso.com>\r\nMax-Forwards: 70\r\nCSeq: 3 REGISTER\r\n\
    Call-ID: c0ffee0000000000000000000000a11c\r\nEvent: registration\r\nContent-Length: 0\r\n\r\n";

const OK: &str = "SIP/2.0 200 OK\r\nFrom: <sip:alice@contoso.com>;tag=4a2b44d131;epid=6c801b691b\r\n\
    To: <sip:alice@contoso.com>;tag=7F0A11AA22BB33CC44DD55EE66FF7788\r\nCall-ID: c0ffee0000000000000000000000a11c\r\nCSeq: 3 REGISTER\r\n\
    Expires: 600\r\nContent-Length: 0\r\n\r\n";

fn message(text: &str) -> Message {
    Message::parse(text.as_bytes()).unwrap()
}

fn target() -> NtlmTarget {
    NtlmTarget::new("lync01.contoso.com", "contoso.com")
}

fn pending() -> PendingChallenge {
    PendingChallenge { target: target(), opaque: "5D3A90C4".into(), server_challenge: [1, 2, 3, 4, 5, 6, 7, 8] }
}

fn pair() -> (Association, Association) {
    let header = AuthHeader::parse(&pending().header()).unwrap();
    let client = NtlmClient::new("CONTOSO\\alice", "Passw0rd!", "host1");
    let challenge = [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8];
    let time = [0x00, 0x90, 0xd3, 0x36, 0xb7, 0x34, 0xc3, 0x01];
    let (association, token) = client.answer_with(&header, time, challenge, std::array::from_fn(|i| 0x10 + i as u8)).unwrap();
    assert_eq!(token, AUTHENTICATE_B64);
    let answer = AuthHeader::new("NTLM").with("gssapi-data", &token).with_bare("version", "4");
    let accepted = pending().accept(&answer, |user, domain| {
        assert_eq!((user, domain), ("alice", "CONTOSO"));
        Some(NtHash::from_password("Passw0rd!"))
    });
    let accepted = accepted.unwrap();
    assert_eq!((accepted.user.as_str(), accepted.domain.as_str()), ("alice", "CONTOSO"));
    (association, accepted.association)
}

#[test]
fn challenge_token_of_the_vector() {
    let header = pending().header();
    let expected = format!(
        "NTLM opaque=\"5D3A90C4\", gssapi-data=\"{CHALLENGE_B64}\", targetname=\"lync01.contoso.com\", realm=\"SIP Communications Service\", version=4"
    );
    assert_eq!(header, expected);
    let bytes = STANDARD.decode(CHALLENGE_B64).unwrap();
    assert_eq!(Challenge::parse(&bytes).unwrap().to_bytes(), bytes);
}

#[test]
fn authenticate_token_round_trips() {
    let bytes = STANDARD.decode(AUTHENTICATE_B64).unwrap();
    let message = Authenticate::parse(&bytes).unwrap();
    assert_eq!((message.user.as_str(), message.workstation.as_str(), message.flags), ("alice", "host1", 0x6298_8255));
    assert_eq!(message.to_bytes(), bytes);
}

#[test]
fn first_answer_asks_for_a_token() {
    let server = NtlmServer::new(target());
    assert_eq!(server.offer(), "NTLM realm=\"SIP Communications Service\", targetname=\"lync01.contoso.com\", version=4");
    let begin = NtlmClient::begin(&AuthHeader::parse(&server.offer()).unwrap());
    assert_eq!(
        begin,
        "NTLM qop=\"auth\", realm=\"SIP Communications Service\", targetname=\"lync01.contoso.com\", gssapi-data=\"\", version=4"
    );
    assert!(NtlmServer::asks_for_token(&AuthHeader::parse(&begin).unwrap()));
}

#[test]
fn signatures_of_the_vector() {
    let (client, server) = pair();
    let register = message(REGISTER);
    let text = signature_string(&register, "0d1e2f30", "1", LYNC_REALM, "lync01.contoso.com", 4);
    assert_eq!(
        text,
        "<NTLM><0d1e2f30><1><SIP Communications Service><lync01.contoso.com><c0ffee0000000000000000000000a11c><3><REGISTER>\
         <sip:alice@contoso.com><4a2b44d131><sip:alice@contoso.com><><><><>"
    );
    let keys = Keys::new(&std::array::from_fn(|i| 0x10 + i as u8), 0x6298_8255);
    assert_eq!(hash::hex(&keys.client.mac(text.as_bytes())).to_uppercase(), "0100000007E3C28237540B9864000000");
    let text = signature_string(&message(OK), "8C1D2E3F", "1", LYNC_REALM, "lync01.contoso.com", 4);
    assert!(text.ends_with("<7F0A11AA22BB33CC44DD55EE66FF7788><><><600><200>"));
    assert_eq!(hash::hex(&keys.server.mac(text.as_bytes())).to_uppercase(), "010000004EB46E38312891D464000000");

    let mut register = register;
    register.headers_mut().push(
        Name::Authorization,
        "NTLM qop=\"auth\", opaque=\"5D3A90C4\", realm=\"SIP Communications Service\", targetname=\"lync01.contoso.com\", gssapi-data=\"x\", version=4, crand=\"0d1e2f30\", cnum=\"1\", response=\"0100000007E3C28237540B9864000000\"",
    );
    let mut server = server;
    assert_eq!(server.verify(&register), Ok(()));
    assert_eq!(server.verify(&register), Err(VerifyError::Replayed));
    let mut ok = message(OK);
    ok.headers_mut().push(
        Name::AuthenticationInfo,
        "NTLM rspauth=\"010000004EB46E38312891D464000000\", srand=\"8C1D2E3F\", snum=\"1\", opaque=\"5D3A90C4\", qop=\"auth\", targetname=\"lync01.contoso.com\", realm=\"SIP Communications Service\"",
    );
    let mut client = client;
    assert_eq!(client.verify(&ok), Ok(()));
}

#[test]
fn both_sides_understand_each_other_and_nobody_else() {
    let mut rng = Rng::seeded(1);
    let (mut client, mut server) = pair();
    let mut register = message(REGISTER);
    client.sign_with_token(&mut register, &mut rng, "TOKEN");
    assert!(register.headers().get(&Name::Authorization).unwrap().contains("gssapi-data=\"TOKEN\", version=4, crand="));
    assert_eq!(server.verify(&register), Ok(()));
    for _ in 0..300 {
        let mut ok = message(OK);
        server.sign(&mut ok, &mut rng);
        assert_eq!(client.verify(&Message::parse(&ok.to_bytes()).unwrap()), Ok(()));
        assert_eq!(client.verify(&ok), Err(VerifyError::Replayed));
    }
    let mut request = message(REGISTER);
    client.sign(&mut request, &mut rng);
    for (name, value) in [
        (Name::CSeq, "4 REGISTER"),
        (Name::CallId, "other"),
        (Name::From, "<sip:alice@contoso.com>;tag=other"),
        (Name::From, "<sip:eve@contoso.com>;tag=4a2b44d131"),
        (Name::To, "<sip:bob@contoso.com>"),
        (Name::Expires, "0"),
        (Name::PAssertedIdentity, "<sip:eve@contoso.com>"),
        (Name::PPreferredIdentity, "<tel:+1>"),
    ] {
        let mut changed = request.clone();
        changed.headers_mut().set(name.clone(), value);
        assert_eq!(server.verify(&changed), Err(VerifyError::Wrong), "{name:?}");
    }
    assert_eq!(server.verify(&request), Ok(()));
    assert_eq!(server.verify(&message(REGISTER)), Err(VerifyError::Missing));
}

#[test]
fn relayed_messages_lose_the_senders_signature() {
    let mut rng = Rng::seeded(1);
    let (mut client, mut server) = pair();
    let mut request = message(REGISTER);
    client.sign(&mut request, &mut rng);
    server.sign(&mut request, &mut rng);
    assert_eq!(request.headers().get(&Name::Authorization), None);
    assert_eq!(client.verify(&request), Ok(()));
}

#[test]
fn responses_of_a_client_are_signed_like_its_requests() {
    let mut rng = Rng::seeded(1);
    let (mut client, mut server) = pair();
    let mut ok = message(OK);
    client.sign(&mut ok, &mut rng);
    assert_eq!(server.verify(&ok), Ok(()));
}

#[test]
fn identities_enter_the_signature() {
    let mut m = Message::Response(Response::new(200));
    m.headers_mut()
        .push(Name::PPreferredIdentity, "<sip:p@x>")
        .push(Name::PAssertedIdentity, "\"A, B\" <sip:a@x;user=phone>, <tel:+49>");
    let text = signature_string(&m, "r", "1", "R", "T", 4);
    assert_eq!(text, "<NTLM><r><1><R><T><><><><><><><><sip:a@x;user=phone><tel:+49><><200>");
    assert_eq!(signature_string(&m, "r", "1", "R", "T", 2), "<NTLM><r><1><R><T><><><><><><><><200>");
}

#[test]
fn login_forms() {
    for (login, user, domain) in
        [("CONTOSO\\alice", "alice", "CONTOSO"), ("alice@contoso.com", "alice@contoso.com", ""), ("alice", "alice", "")]
    {
        let client = NtlmClient::new(login, "pw", "h");
        let mut rng = Rng::seeded(3);
        let (pending, header) = NtlmServer::new(target()).challenge(&mut rng);
        let header = AuthHeader::parse(&header).unwrap();
        let (_, token) = client.answer(&header, Time(1_700_000_000_000), &mut rng).unwrap();
        let answer = AuthHeader::new("NTLM").with("gssapi-data", &token);
        let accepted = pending.accept(&answer, |_, _| Some(NtHash::from_password("pw"))).unwrap();
        assert_eq!((accepted.user.as_str(), accepted.domain.as_str()), (user, domain));
        let wrong = pending.accept(&answer, |_, _| Some(NtHash::from_password("pW"))).unwrap_err();
        assert_eq!(wrong, AuthError::WrongPassword);
        assert_eq!(pending.accept(&answer, |_, _| None).unwrap_err(), AuthError::UnknownUser);
    }
}

#[test]
fn mutated_tokens_are_refused_without_harm() {
    let mut rng = Rng::seeded(5);
    for text in [CHALLENGE_B64, AUTHENTICATE_B64] {
        let bytes = STANDARD.decode(text).unwrap();
        for _ in 0..5_000 {
            let mut b = bytes.clone();
            for _ in 0..=rng.below(4) {
                let at = rng.below(b.len() as u64) as usize;
                b[at] = rng.u64() as u8;
            }
            b.truncate(rng.below(b.len() as u64 * 2) as usize);
            if let Ok(c) = Challenge::parse(&b) {
                c.timestamp();
            }
            let header = AuthHeader::new("NTLM").with("gssapi-data", &STANDARD.encode(&b));
            let _ = pending().accept(&header, |_, _| Some(NtHash::from_password("x")));
            let _ = NtlmClient::new("a", "b", "c").answer(&header, Time(0), &mut rng);
        }
    }
}
