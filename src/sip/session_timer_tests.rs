use super::*;
use crate::sip::{Method, Uri};

fn at(secs: u64) -> Time {
    Time(secs * 1000)
}

fn invite(headers: &[(&str, &str)]) -> Request {
    let mut r = Request::new(Method::Invite, Uri::parse("sip:bob@example.com").unwrap());
    for (name, value) in headers {
        r.headers.push(*name, value);
    }
    r
}

fn response(status: u16, headers: &[(&str, &str)]) -> Response {
    let mut r = Response::new(status);
    for (name, value) in headers {
        r.headers.push(*name, value);
    }
    r
}

fn agreed(value: &str) -> SessionTimer {
    Offer::default().settled(at(0), &response(200, &[("Session-Expires", value), ("Allow", "INVITE, UPDATE, BYE")]))
}

#[test]
fn the_offer_asks_for_half_an_hour() {
    let mut r = invite(&[]);
    Offer::default().put(&mut r.headers);
    let get = |n: &str| r.headers.get(&Name::parse(n)).map(str::to_owned);
    assert_eq!(get("Supported"), Some("timer".into()));
    assert_eq!((get("Session-Expires"), get("Min-SE")), (Some("1800".into()), Some("90".into())));
}

#[test]
fn a_422_raises_the_time_and_one_that_does_not_is_final() {
    let mut offer = Offer::default();
    assert!(!offer.refused(&response(422, &[("Min-SE", "600")])), "1800 is long enough for it");
    assert!(!offer.refused(&response(422, &[])));
    assert!(!offer.refused(&response(486, &[("Min-SE", "3600")])));
    assert!(offer.refused(&response(422, &[("Min-SE", "3600")])));
    let mut r = invite(&[]);
    Offer::default().put(&mut r.headers);
    offer.put(&mut r.headers);
    assert_eq!(r.headers.all(&Name::SessionExpires).collect::<Vec<_>>(), ["3600"]);
    assert_eq!(r.headers.all(&Name::MinSe).collect::<Vec<_>>(), ["3600"]);
    assert!(offer.refused(&response(422, &[("Min-SE", "3601")])));
    assert!(offer.refused(&response(422, &[("Min-SE", "3602")])));
    assert!(!offer.refused(&response(422, &[("Min-SE", "3603")])), "it will not end");
}

#[test]
fn the_refresher_refreshes_at_half_time_and_goes_on() {
    let mut t = agreed("1800;refresher=uac");
    assert_eq!(t.method(), Method::Update);
    assert_eq!((t.poll_timeout(), t.due(at(899))), (Some(at(900)), None));
    assert_eq!((t.due(at(900)), t.due(at(901))), (Some(Due::Refresh), None), "not twice");
    let mut update = invite(&[]);
    t.put_on_request(&mut update.headers);
    assert_eq!(update.headers.get(&Name::SessionExpires), Some("1800;refresher=uac"));
    let ok = response(200, &[("Session-Expires", "1200;refresher=uac"), ("Allow", "INVITE")]);
    assert_eq!(t.refreshed(at(901), Some(&ok)), Refreshed::Alive);
    assert_eq!((t.method(), t.poll_timeout()), (Method::Invite, Some(at(901 + 600))));
}

#[test]
fn the_other_side_ends_a_session_nobody_refreshes() {
    let mut t = agreed("1800;refresher=uas");
    assert_eq!((t.poll_timeout(), t.due(at(1767))), (Some(at(1768)), None));
    assert_eq!((t.due(at(1768)), t.due(at(1769)), t.poll_timeout()), (Some(Due::End), None, None), "said once");
    let short = agreed("90;refresher=uas");
    assert_eq!(short.poll_timeout(), Some(at(60)), "a third of the time is less than 32 s");
}

#[test]
fn without_a_word_of_the_other_side_there_is_no_timer() {
    let mut t = Offer::default().settled(at(0), &response(200, &[]));
    assert_eq!((t.seconds(), t.poll_timeout(), t.due(at(1_000_000))), (None, None, None));
    let mut r = response(200, &[]);
    t.put_on_response(&mut r.headers);
    assert_eq!(r.headers.get(&Name::SessionExpires), None);
}

#[test]
fn an_answer_of_a_few_seconds_does_not_make_us_send_without_pause() {
    assert_eq!(agreed("1;refresher=uac").poll_timeout(), Some(at(45)));
    assert_eq!(agreed("0;refresher=uas").poll_timeout(), Some(at(60)));
    assert_eq!(agreed("99999999999;refresher=uas").seconds(), Some(u32::MAX));
    assert_eq!(agreed("-5;refresher=uas").seconds(), None);
}

#[test]
fn a_refresh_that_meets_a_lost_session_ends_it_and_other_errors_are_tried_again_until_the_end() {
    for lost in [Some(response(481, &[])), Some(response(408, &[])), None] {
        let mut t = agreed("1800;refresher=uac");
        t.due(at(900));
        assert_eq!(t.refreshed(at(901), lost.as_ref()), Refreshed::End);
        assert_eq!(t.poll_timeout(), None);
    }
    let mut t = agreed("1800;refresher=uac");
    t.due(at(900));
    assert_eq!(t.refreshed(at(900), Some(&response(503, &[]))), Refreshed::Alive);
    assert_eq!(t.poll_timeout(), Some(at(900 + 434)));
    let mut now = at(900);
    let mut tries = 0;
    while let Some(next) = t.poll_timeout() {
        now = next;
        match t.due(now) {
            Some(Due::Refresh) => assert_eq!(t.refreshed(now, Some(&response(500, &[]))), Refreshed::Alive),
            other => assert_eq!(other, Some(Due::End)),
        }
        tries += 1;
        assert!(tries < 20);
    }
    assert_eq!(now, at(1768));
}

#[test]
fn update_that_is_not_known_becomes_an_invite_and_422_raises_a_running_timer() {
    let mut t = agreed("1800;refresher=uac");
    t.due(at(900));
    assert_eq!(t.refreshed(at(900), Some(&response(405, &[]))), Refreshed::Alive);
    assert_eq!(t.method(), Method::Invite);
    assert_eq!(t.refreshed(at(900), Some(&response(422, &[("Min-SE", "2000")]))), Refreshed::Again);
    let mut r = invite(&[]);
    t.put_on_request(&mut r.headers);
    assert_eq!(r.headers.get(&Name::SessionExpires), Some("2000;refresher=uac"));
    assert_eq!(r.headers.get(&Name::MinSe), Some("2000"));
    assert_eq!(t.refreshed(at(900), Some(&response(422, &[("Min-SE", "2000")]))), Refreshed::Alive, "it asks what it has");
}

#[test]
fn the_called_side_lets_the_caller_refresh_unless_it_is_asked_to() {
    let caller = [("Supported", "timer"), ("Session-Expires", "600"), ("Allow", "INVITE, UPDATE")];
    let mut t = SessionTimer::accept(at(0), &invite(&caller)).unwrap();
    let mut ok = response(200, &[]);
    t.put_on_response(&mut ok.headers);
    assert_eq!(ok.headers.get(&Name::SessionExpires), Some("600;refresher=uac"));
    assert!(ok.headers.has_token(&Name::Require, "timer"));
    assert_eq!(t.poll_timeout(), Some(at(568)));
    // Its refresh comes.
    t.peer_refreshes(at(300), &invite(&caller)).unwrap();
    assert_eq!((t.poll_timeout(), t.due(at(700))), (Some(at(868)), None));

    let asked = [("k", "100rel, timer"), ("x", "600;refresher=uas")];
    let mut t = SessionTimer::accept(at(0), &invite(&asked)).unwrap();
    let mut ok = response(200, &[]);
    t.put_on_response(&mut ok.headers);
    assert_eq!(ok.headers.get(&Name::SessionExpires), Some("600;refresher=uas"));
    assert_eq!((t.due(at(300)), t.method()), (Some(Due::Refresh), Method::Invite));
    let mut refresh = invite(&[]);
    t.put_on_request(&mut refresh.headers);
    assert_eq!(refresh.headers.get(&Name::SessionExpires), Some("600;refresher=uac"), "seen from this request");
}

#[test]
fn a_caller_that_asks_too_often_is_refused_and_one_that_cannot_be_is_not_followed() {
    let quick = invite(&[("Supported", "timer"), ("Session-Expires", "30")]);
    assert_eq!(SessionTimer::accept(at(0), &quick).unwrap_err(), 90);
    let mut running = agreed("1800;refresher=uac");
    assert_eq!(running.peer_refreshes(at(10), &quick), Err(90));
    assert_eq!(running.poll_timeout(), Some(at(900)), "as it was");

    let proxied = SessionTimer::accept(at(0), &invite(&[("Session-Expires", "30")])).unwrap();
    assert_eq!(proxied.seconds(), None);
    let mut proxied = SessionTimer::accept(at(0), &invite(&[("Session-Expires", "1800")])).unwrap();
    let mut ok = response(200, &[]);
    proxied.put_on_response(&mut ok.headers);
    assert_eq!(ok.headers.get(&Name::SessionExpires), Some("1800;refresher=uas"));
    assert_eq!(ok.headers.get(&Name::Require), None, "the caller does not know it");
    assert_eq!(proxied.due(at(900)), Some(Due::Refresh));
}

#[test]
fn two_sides_keep_a_session_alive_and_notice_the_death_of_one() {
    let offer = Offer::default();
    let mut r = invite(&[("Allow", "INVITE, UPDATE")]);
    offer.put(&mut r.headers);
    let mut b = SessionTimer::accept(at(0), &r).unwrap();
    let mut ok = response(200, &[("Allow", "INVITE, UPDATE")]);
    b.put_on_response(&mut ok.headers);
    let mut a = offer.settled(at(0), &ok);
    let mut now = at(0);
    for _ in 0..5 {
        now = a.poll_timeout().min(b.poll_timeout()).unwrap();
        assert_eq!((a.due(now), b.due(now)), (Some(Due::Refresh), None));
        let mut update = invite(&[("Allow", "INVITE, UPDATE")]);
        a.put_on_request(&mut update.headers);
        b.peer_refreshes(now, &update).unwrap();
        let mut ok = response(200, &[]);
        b.put_on_response(&mut ok.headers);
        assert_eq!(a.refreshed(now, Some(&ok)), Refreshed::Alive);
    }
    assert_eq!(now, at(5 * 900));
    // a dies: b alone comes to the end.
    let end = b.poll_timeout().unwrap();
    assert_eq!((b.due(end), end), (Some(Due::End), at(5 * 900 + 1768)));
}
