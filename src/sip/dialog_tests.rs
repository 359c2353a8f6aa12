use super::*;
use crate::sip::Message;

const INVITE: &str = "INVITE sip:bob@contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\n\
    From: \"Alice\" <sip:alice@contoso.com>;tag=a;epid=6c801b691b\r\nTo: <sip:bob@contoso.com>\r\nCall-ID: c\r\nCSeq: 5 INVITE\r\n\
    Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nContact: <sip:alice@contoso.com;opaque=user:epid:X;gruu>\r\nContent-Length: 0\r\n\r\n";

fn invite() -> Request {
    match Message::parse(INVITE.as_bytes()).unwrap() {
        Message::Request(r) => r,
        Message::Response(_) => panic!(),
    }
}

fn ok(to: &str) -> Response {
    let mut ok = invite().response(200, "").with(Name::Contact, "<sip:bob@contoso.com;opaque=user:epid:Y;gruu>");
    ok.headers.set(Name::To, to);
    ok.headers.push(Name::RecordRoute, "<sip:p1;lr>, <sip:p2;lr>");
    ok
}

const TO: &str = "<sip:bob@contoso.com>;tag=b;epid=8248ca9ebb";

#[test]
fn both_ends_agree_and_keep_texts() {
    let mut a = Dialog::uac(&invite(), &ok(TO)).unwrap();
    let mut b = Dialog::uas(&invite(), &ok(TO)).unwrap();
    assert_eq!((a.is_early(), b.is_early()), (false, false));
    let bye = a.request(Method::Bye, "SIP/2.0/TCP a;branch=z9hG4bK2");
    assert_eq!(bye.uri.as_str(), "sip:bob@contoso.com;opaque=user:epid:Y;gruu");
    assert_eq!(bye.headers.get(&Name::CSeq), Some("6 BYE"));
    assert_eq!(bye.headers.get(&Name::To), Some(TO));
    assert_eq!(bye.headers.get(&Name::From), Some("\"Alice\" <sip:alice@contoso.com>;tag=a;epid=6c801b691b"));
    assert_eq!(bye.headers.all(&Name::Route).collect::<Vec<_>>(), ["<sip:p2;lr>", "<sip:p1;lr>"]);
    assert_eq!(b.receive(&bye), Ok(()));
    let info = b.request(Method::Info, "SIP/2.0/TCP b;branch=z9hG4bK3");
    assert_eq!(info.headers.all(&Name::Route).collect::<Vec<_>>(), ["<sip:p1;lr>", "<sip:p2;lr>"]);
    assert_eq!(info.headers.get(&Name::CSeq), Some("1 INFO"));
    assert_eq!(a.receive(&info), Ok(()));
    assert_eq!(b.receive(&info), Err(Misfit::OtherDialog));
}

#[test]
fn gaps_are_fine_steps_back_are_not() {
    let mut b = Dialog::uas(&invite(), &ok(TO)).unwrap();
    let mut a = Dialog::uac(&invite(), &ok(TO)).unwrap();
    let early = a.request(Method::Info, "v");
    a.skip_local_cseq(900);
    let late = a.request(Method::Message, "v");
    assert_eq!(late.headers.get(&Name::CSeq), Some("901 MESSAGE"));
    assert_eq!(b.receive(&late), Ok(()));
    assert_eq!(b.receive(&early).map_err(Misfit::status), Err(500));
    assert_eq!(b.receive(&a.ack(5, "v")), Ok(()));
}

#[test]
fn reinvites_move_the_target() {
    let mut a = Dialog::uac(&invite(), &ok(TO)).unwrap();
    let mut b = Dialog::uas(&invite(), &ok(TO)).unwrap();
    let again = a.request(Method::Invite, "v").with(Name::Contact, "<sip:alice@192.0.2.1>");
    assert_eq!(b.receive(&again), Ok(()));
    assert_eq!(b.target().as_str(), "sip:alice@192.0.2.1");
    let message = a.request(Method::Message, "v").with(Name::Contact, "<sip:elsewhere>");
    assert_eq!(b.receive(&message), Ok(()));
    assert_eq!(b.target().as_str(), "sip:alice@192.0.2.1");
}

#[test]
fn strict_routers_get_their_form() {
    let mut ok = ok(TO);
    ok.headers.set(Name::RecordRoute, "<sip:p1;lr>, <sip:strict>");
    let ack = Dialog::uac(&invite(), &ok).unwrap().ack(5, "v");
    assert_eq!(ack.uri.as_str(), "sip:strict");
    let routes: Vec<_> = ack.headers.all(&Name::Route).collect();
    assert_eq!(routes, ["<sip:p1;lr>", "<sip:bob@contoso.com;opaque=user:epid:Y;gruu>"]);
    assert_eq!(ack.headers.get(&Name::CSeq), Some("5 ACK"));
}

#[test]
fn early_dialogs_need_a_tag() {
    let mut ringing = ok(TO);
    ringing.status = 180;
    let mut a = Dialog::uac(&invite(), &ringing).unwrap();
    assert!(a.is_early());
    a.answered(&ok(TO));
    assert!(!a.is_early());
    ringing.headers.set(Name::To, "<sip:bob@contoso.com>");
    assert_eq!(Dialog::uac(&invite(), &ringing), None);
}
