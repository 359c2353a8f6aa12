//! The messages of RFC 4475 and what they should come to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::sip::header::Via;
use adsum::sip::{Fault, Frame, Framer, Message, Method, Name, Request};

enum Verdict {
    /// Well-formed, and nothing to object to.
    Accept,
    /// Well-formed, but an endpoint answers with this status.
    Refuse(u16),
    /// Malformed: this status where it can be answered.
    Broken(Fault, u16),
    /// A malformed response: dropped.
    Drop(Fault),
}

use Verdict::{Accept, Broken, Drop, Refuse};

const TABLE: [(&str, &[u8], Verdict); 49] = [
    ("wsinv", include_bytes!("data/rfc4475/wsinv.dat"), Accept),
    ("intmeth", include_bytes!("data/rfc4475/intmeth.dat"), Accept),
    ("esc01", include_bytes!("data/rfc4475/esc01.dat"), Accept),
    ("escnull", include_bytes!("data/rfc4475/escnull.dat"), Accept),
    ("esc02", include_bytes!("data/rfc4475/esc02.dat"), Accept),
    ("lwsdisp", include_bytes!("data/rfc4475/lwsdisp.dat"), Accept),
    ("longreq", include_bytes!("data/rfc4475/longreq.dat"), Accept),
    ("dblreq", include_bytes!("data/rfc4475/dblreq.dat"), Accept),
    ("semiuri", include_bytes!("data/rfc4475/semiuri.dat"), Accept),
    ("transports", include_bytes!("data/rfc4475/transports.dat"), Accept),
    ("mpart01", include_bytes!("data/rfc4475/mpart01.dat"), Accept),
    ("unreason", include_bytes!("data/rfc4475/unreason.dat"), Accept),
    ("noreason", include_bytes!("data/rfc4475/noreason.dat"), Accept),
    ("badinv01", include_bytes!("data/rfc4475/badinv01.dat"), Broken(Fault::HeaderValue("Via"), 400)),
    ("clerr", include_bytes!("data/rfc4475/clerr.dat"), Broken(Fault::Truncated, 400)),
    ("ncl", include_bytes!("data/rfc4475/ncl.dat"), Broken(Fault::Length, 400)),
    ("scalar02", include_bytes!("data/rfc4475/scalar02.dat"), Broken(Fault::HeaderValue("CSeq"), 400)),
    ("scalarlg", include_bytes!("data/rfc4475/scalarlg.dat"), Drop(Fault::HeaderValue("CSeq"))),
    ("quotbal", include_bytes!("data/rfc4475/quotbal.dat"), Broken(Fault::HeaderValue("To"), 400)),
    ("ltgtruri", include_bytes!("data/rfc4475/ltgtruri.dat"), Broken(Fault::RequestUri, 400)),
    ("lwsruri", include_bytes!("data/rfc4475/lwsruri.dat"), Broken(Fault::RequestUri, 400)),
    ("lwsstart", include_bytes!("data/rfc4475/lwsstart.dat"), Broken(Fault::RequestUri, 400)),
    ("trws", include_bytes!("data/rfc4475/trws.dat"), Broken(Fault::StartLine, 400)),
    ("escruri", include_bytes!("data/rfc4475/escruri.dat"), Broken(Fault::RequestUri, 400)),
    // Nobody here needs the Date of a request, so its zone is ignored (RFC 4475 §3.1.2.12).
    ("baddate", include_bytes!("data/rfc4475/baddate.dat"), Accept),
    ("regbadct", include_bytes!("data/rfc4475/regbadct.dat"), Broken(Fault::HeaderValue("Contact"), 400)),
    ("badaspec", include_bytes!("data/rfc4475/badaspec.dat"), Broken(Fault::HeaderValue("To"), 400)),
    ("baddn", include_bytes!("data/rfc4475/baddn.dat"), Broken(Fault::HeaderValue("From"), 400)),
    ("badvers", include_bytes!("data/rfc4475/badvers.dat"), Broken(Fault::Version, 505)),
    ("mismatch01", include_bytes!("data/rfc4475/mismatch01.dat"), Broken(Fault::Method, 400)),
    ("mismatch02", include_bytes!("data/rfc4475/mismatch02.dat"), Broken(Fault::Method, 400)),
    ("bigcode", include_bytes!("data/rfc4475/bigcode.dat"), Drop(Fault::StartLine)),
    ("badbranch", include_bytes!("data/rfc4475/badbranch.dat"), Accept),
    ("insuf", include_bytes!("data/rfc4475/insuf.dat"), Refuse(400)),
    ("unkscm", include_bytes!("data/rfc4475/unkscm.dat"), Refuse(416)),
    ("novelsc", include_bytes!("data/rfc4475/novelsc.dat"), Refuse(416)),
    ("unksm2", include_bytes!("data/rfc4475/unksm2.dat"), Accept),
    ("bext01", include_bytes!("data/rfc4475/bext01.dat"), Refuse(420)),
    ("invut", include_bytes!("data/rfc4475/invut.dat"), Accept),
    ("regaut01", include_bytes!("data/rfc4475/regaut01.dat"), Accept),
    ("multi01", include_bytes!("data/rfc4475/multi01.dat"), Refuse(400)),
    ("mcl01", include_bytes!("data/rfc4475/mcl01.dat"), Broken(Fault::Length, 400)),
    ("bcast", include_bytes!("data/rfc4475/bcast.dat"), Accept),
    ("zeromf", include_bytes!("data/rfc4475/zeromf.dat"), Accept),
    ("cparam01", include_bytes!("data/rfc4475/cparam01.dat"), Accept),
    ("cparam02", include_bytes!("data/rfc4475/cparam02.dat"), Accept),
    ("regescrt", include_bytes!("data/rfc4475/regescrt.dat"), Accept),
    ("sdp01", include_bytes!("data/rfc4475/sdp01.dat"), Accept),
    ("inv2543", include_bytes!("data/rfc4475/inv2543.dat"), Accept),
];

fn bytes(name: &str) -> &'static [u8] {
    TABLE.iter().find(|t| t.0 == name).unwrap().1
}

fn message(name: &str) -> Message {
    Message::parse(bytes(name)).unwrap()
}

fn request(name: &str) -> Request {
    match message(name) {
        Message::Request(r) => r,
        Message::Response(_) => panic!("{name} is a response"),
    }
}

#[test]
fn every_message_gets_its_verdict() {
    for (name, bytes, verdict) in TABLE {
        let parsed = Message::parse(bytes);
        match (verdict, parsed) {
            (Accept, Ok(Message::Request(r))) => assert_eq!(r.refusal(&[], "t"), None, "{name}"),
            (Accept, Ok(Message::Response(_))) => {}
            (Refuse(status), Ok(Message::Request(r))) => {
                assert_eq!(r.refusal(&[], "t").map(|r| r.status), Some(status), "{name}");
            }
            (Broken(fault, status), Err(e)) => {
                assert_eq!(e.fault, fault, "{name}");
                assert_eq!(e.answer.map(|a| a.status), Some(status), "{name}");
            }
            (Drop(fault), Err(e)) => assert_eq!((e.fault, e.answer), (fault, None), "{name}"),
            (_, parsed) => panic!("{name}: {parsed:?}"),
        }
    }
}

#[test]
fn accepted_messages_survive_a_round_trip() {
    for (name, bytes, verdict) in TABLE {
        if matches!(verdict, Accept | Refuse(_)) {
            let first = Message::parse(bytes).unwrap();
            assert_eq!(Message::parse(&first.to_bytes()).unwrap(), first, "{name}");
        }
    }
}

#[test]
fn the_framer_agrees_where_the_message_frames_itself() {
    for (name, bytes, verdict) in TABLE {
        if matches!(verdict, Accept | Refuse(_)) && name != "inv2543" {
            let mut framer = Framer::new();
            framer.push(bytes);
            let frame = framer.next().unwrap();
            assert_eq!(frame, Ok(Frame::Message(Box::new(message(name)))), "{name}");
        }
    }
}

#[test]
fn on_streams_lost_framing_closes_and_a_long_body_waits() {
    for (name, fault) in [("ncl", Fault::Length), ("mcl01", Fault::Length), ("inv2543", Fault::LengthMissing)] {
        let mut framer = Framer::new();
        framer.push(bytes(name));
        let error = framer.next().unwrap().unwrap_err();
        assert_eq!((error.fault, error.fatal), (fault, true), "{name}");
    }
    let mut framer = Framer::new();
    framer.push(bytes("clerr"));
    assert_eq!(framer.next(), None);
}

#[test]
fn folding_and_white_space() {
    let r = request("wsinv");
    let to = r.headers.to().unwrap();
    assert_eq!((to.uri.as_str(), to.tag()), ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n")));
    let from = r.headers.from().unwrap();
    assert_eq!((from.display.as_str(), from.tag()), ("J Rosenberg \\\"", Some("98asjd8")));
    assert_eq!(r.headers.cseq().unwrap().number, 9);
    assert_eq!(r.headers.get(&Name::Subject), Some(""));
    assert_eq!(r.headers.get(&Name::from("newfangledheader")), Some("newfangled value continued newfangled value"));
    assert_eq!(r.headers.get(&Name::from("UnknownHeaderWithUnusualValue")), Some(";;,,;;,;"));
    let vias: Vec<Via> = r
        .headers
        .all(&Name::Via)
        .flat_map(|v| adsum::sip::header::split_quoted(v, ','))
        .map(|v| Via::parse(v).unwrap())
        .collect();
    let branches: Vec<_> = vias.iter().map(|v| v.branch().unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!((vias[1].transport.as_str(), vias[1].sent_by.as_str()), ("TCP", "spindle.example.com"));
    let contact = r.headers.contact().unwrap();
    assert_eq!(contact.display, "Quoted string \"\"");
    assert_eq!((contact.params.get("newparam"), contact.params.get("q")), (Some("newvalue"), Some("0.33")));
}

#[test]
fn unusual_characters_stay_as_they_are() {
    let r = request("intmeth");
    assert_eq!(r.method, Method::Other("!interesting-Method0123456789_*+`.%indeed'~".into()));
    assert_eq!(r.uri.host(), "example.com");
    assert_eq!(r.headers.to().unwrap().display, "BEL:\u{7} NUL:\0 DEL:\u{7f}");
    assert_eq!(r.headers.from().unwrap().tag(), Some("_token~1'+`*%!-."));
    assert_eq!(r.headers.call_id(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert!(matches!(message("unreason"), Message::Response(r) if r.reason.starts_with("= 2**3 * 5**2 но сто")));
    assert!(matches!(message("noreason"), Message::Response(r) if r.reason.is_empty() && r.status == 100));
}

#[test]
fn users_with_parameters_and_escapes() {
    assert_eq!(request("semiuri").uri.user(), Some("user;par=u%40example.net"));
    assert_eq!(request("esc01").uri.host(), "example.net");
    assert_eq!(request("esc02").headers.all(&Name::Contact).count(), 2);
    assert_eq!(request("esc02").method.as_str(), "RE%47IST%45R");
}

#[test]
fn contact_parameters_belong_to_the_right_one() {
    let outside = request("cparam01").headers.contact().unwrap();
    assert_eq!((outside.params.get("unknownparam"), outside.uri.param("unknownparam")), (Some(""), None));
    let inside = request("cparam02").headers.contact().unwrap();
    assert_eq!((inside.params.get("unknownparam"), inside.uri.param("unknownparam")), (None, Some("")));
    assert_eq!(request("regescrt").headers.contact().unwrap().uri.host(), "example.com");
}

#[test]
fn bodies_are_cut_at_their_length() {
    assert!(request("dblreq").body.is_empty());
    let body = request("mpart01").body;
    assert_eq!(body.len(), 553);
    assert!(body.contains(&0) && body.ends_with(b"--7a9cbec02ceef655--\r\n"));
    assert_eq!(request("inv2543").body.len(), 105);
}

#[test]
fn unsupported_options_are_named() {
    let refusal = request("bext01").refusal(&[], "t").unwrap();
    assert_eq!(refusal.headers.get(&Name::Unsupported), Some("nothingSupportsThis, nothingSupportsThisEither"));
    assert_eq!(request("bext01").refusal(&["nothingsupportsthis", "nothingSupportsThisEither"], "t"), None);
}
