//! Sessions that are refreshed, or not (RFC 4028).

use super::*;
use crate::sip::Name;

fn in_session(seed: u64) -> World {
    let mut w = world(seed);
    w.say("m", &long());
    w.run();
    assert_eq!(w.texts_at_bob().len(), 1);
    w
}

impl World {
    /// Keeps the session in use for so many seconds.
    fn talk_for(&mut self, seconds: u64) {
        for n in 0..seconds / 60 {
            self.say(&format!("t{n}"), "still here");
            self.pass(Duration::from_secs(60));
        }
    }

    fn header(&self, method: &Sip, name: &Name) -> Option<String> {
        let sent = self.sides[0].asked.iter().rev().find(|r| r.1.method == *method)?;
        sent.1.headers.get(name).map(str::to_owned)
    }
}

#[test]
fn both_agree_on_half_an_hour_and_the_caller_refreshes_by_update() {
    let mut w = in_session(1);
    assert_eq!(w.header(&Sip::Invite, &Name::SessionExpires).as_deref(), Some("1800"));
    w.talk_for(880);
    assert_eq!(w.sent(&Sip::Update), 0);
    w.talk_for(3600);
    assert_eq!((w.sent(&Sip::Update), w.sent(&Sip::Bye), w.sent(&Sip::Invite)), (4, 0, 1));
    assert_eq!(w.header(&Sip::Update, &Name::SessionExpires).as_deref(), Some("1800;refresher=uac"));
    assert_eq!(w.sides[1].asked.iter().filter(|r| matches!(r.1.method, Sip::Update | Sip::Bye)).count(), 0);
}

#[test]
fn one_whose_other_side_died_is_ended_and_the_words_go_another_way() {
    let mut w = in_session(2);
    w.refuse_refresh = Some(481);
    w.talk_for(960);
    assert_eq!((w.sent(&Sip::Update), w.sent(&Sip::Bye)), (1, 1));
    w.refuse_refresh = None;
    w.say("after", "by a request");
    w.run();
    assert!(w.sent(&Sip::Message) > 0);
    assert_eq!(w.state_of("after"), Some(Delivery::Delivered));
}

#[test]
fn where_refreshes_get_lost_both_sides_say_goodbye_in_time() {
    let mut w = in_session(3);
    w.refuse_refresh = Some(0);
    w.talk_for(1740);
    assert_eq!((w.sent(&Sip::Update) > 0, w.sent(&Sip::Bye)), (true, 0));
    w.talk_for(60);
    let byes = w.sides.iter().flat_map(|s| &s.asked).filter(|r| r.1.method == Sip::Bye).count();
    assert!((1..=2).contains(&byes), "{byes}");
}

#[test]
fn an_invite_that_wants_to_be_refreshed_too_often_is_refused_with_the_least_time() {
    let mut bob = side("bob");
    let mut r = Request::new(Sip::Invite, crate::sip::Uri::parse("sip:bob@contoso.com").unwrap());
    r.headers
        .push("To", "<sip:bob@contoso.com>")
        .push("From", "<sip:alice@contoso.com>;tag=a")
        .push("Call-ID", "x")
        .push("CSeq", "1 INVITE")
        .push("Supported", "timer")
        .push("Session-Expires", "40")
        .push("Content-Type", "application/sdp");
    r.body = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=message 9 TCP/MSRP *\r\n\
               a=path:msrp://192.0.2.1:9/abc;tcp\r\na=setup:passive\r\na=accept-types:text/plain\r\n"
        .to_vec();
    bob.bench.call(&mut bob.s, |s, ctx| s.on_request(ctx, Some(ServerTx(1)), r));
    let answer = bob.bench.answers.pop().unwrap();
    assert_eq!((answer.status, answer.headers.get(&Name::MinSe)), (422, Some("90")));
}
