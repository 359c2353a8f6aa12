//! The context channel on the wire (`domain.md` 3.8); its table is tested beside it.

use super::*;
use crate::domain::conversation::ContextState as C;
use crate::endpoint::ErrorKind;
use crate::lync::im::context::{ContextAction, ContextMessage};

const HEAD: &str = "Content-Type: application/x-adsum-context+xml";

fn open(data: &str) -> Operation {
    Operation::OpenContext { conversation: talk(), application: "orders".into(), toast: "Order 12".into(), data: data.into() }
}

fn said(request: &Request) -> ContextMessage {
    ContextMessage::parse(&request.body).unwrap()
}

fn word(action: ContextAction, id: &str, data: &str) -> String {
    let application = if action == ContextAction::Establish { "orders" } else { "" };
    let m = ContextMessage { action, id: id.into(), application: application.into(), toast: String::new(), data: data.into() };
    String::from_utf8(m.to_bytes()).unwrap()
}

/// A channel that we opened.
fn opened(r: &mut Rig) -> (Request, String) {
    let invite = r.established();
    let op = r.op(open("<order n=\"12\"/>"));
    let asked = r.sends("INFO");
    r.ok(&asked);
    assert_eq!(r.view().context.unwrap().state, C::Establishing);
    assert_eq!(r.result(op), None, "an answer alone is no acceptance: other clients answer everything");
    let id = said(&asked.1).id;
    r.in_dialog("INFO", &invite, HEAD, &word(ContextAction::Accept, &id, ""));
    assert_eq!(r.result(op), Some(Ok(Outcome::Done)));
    assert_eq!(r.view().context.unwrap().state, C::Established);
    (invite, id)
}

#[test]
fn a_channel_is_asked_for_accepted_used_and_ended() {
    let mut r = Rig::new();
    let (invite, id) = opened(&mut r);
    let op = r.op(Operation::SendContext { conversation: talk(), data: "any bytes".into() });
    let sent = r.sends("INFO");
    assert_eq!(said(&sent.1).data, "any bytes");
    assert_eq!(r.result(op), None);
    r.ok(&sent);
    assert_eq!(r.result(op), Some(Ok(Outcome::Done)));
    r.in_dialog("INFO", &invite, HEAD, &word(ContextAction::Data, &id, "back"));
    assert_eq!(r.view().context.unwrap().data, "back");
    r.done(Operation::CloseContext { conversation: talk() });
    assert_eq!(said(&r.sends("INFO").1).action, ContextAction::End);
    assert_eq!(r.view().context.unwrap().state, C::Terminated);
}

#[test]
fn a_channel_of_the_other_side_is_taken_and_its_data_shown() {
    let mut r = Rig::new();
    let invite = r.established();
    let tx = r.in_dialog("INFO", &invite, HEAD, &word(ContextAction::Establish, "9", "<a/>"));
    assert_eq!(r.answered(tx).status, 200);
    assert_eq!(said(&r.sends("INFO").1).action, ContextAction::Accept);
    let c = r.view().context.unwrap();
    assert_eq!((c.state, c.application.as_str(), c.data.as_str()), (C::Established, "orders", "<a/>"));
    let tx = r.in_dialog("INFO", &invite, HEAD, &word(ContextAction::Establish, "10", ""));
    assert_eq!(r.answered(tx).status, 486, "one at a time");
    r.in_dialog("INFO", &invite, HEAD, &word(ContextAction::End, "9", ""));
    assert_eq!(r.view().context.unwrap().state, C::Terminated);
}

#[test]
fn it_needs_a_conversation_that_stands() {
    let mut r = Rig::new();
    r.start("bob");
    let op = r.op(open(""));
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::InvalidOperation);
}

#[test]
fn nobody_who_accepts_within_32_s_is_a_failure() {
    let mut r = Rig::new();
    r.established();
    let op = r.op(open(""));
    let asked = r.sends("INFO");
    r.ok(&asked);
    r.pass(Duration::from_secs(32));
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(r.view().context.unwrap().state, C::Terminated);
}

#[test]
fn a_broken_route_makes_it_recover_and_come_back() {
    let mut r = Rig::new();
    opened(&mut r);
    r.say(1, "one");
    let one = r.sends("MESSAGE");
    r.reply(&one, 430, "", "");
    assert_eq!(r.view().context.unwrap().state, C::Recovering);
    let op = r.op(Operation::SendContext { conversation: talk(), data: "x".into() });
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    r.pass(Duration::from_secs(1));
    let probe = r.sends("INFO");
    r.ok(&probe);
    assert_eq!(r.view().context.unwrap().state, C::Established);
}

#[test]
fn it_ends_with_the_conversation() {
    let mut r = Rig::new();
    opened(&mut r);
    r.done(Operation::EndConversation { conversation: talk() });
    assert_eq!(said(&r.sends("INFO").1).action, ContextAction::End);
    r.sends("BYE");
    assert_eq!(r.view().context.unwrap().state, C::Terminated);
}

#[test]
fn what_breaks_a_limit_is_refused_both_ways() {
    let mut r = Rig::new();
    let invite = r.established();
    for bad in [open("<a>"), open(&"x".repeat(4000))] {
        let op = r.op(bad);
        assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::InvalidArgument);
    }
    assert!(r.sent.is_empty());
    let long = word(ContextAction::Establish, "9", "<a/>").replace("orders", &"o".repeat(51));
    let tx = r.in_dialog("INFO", &invite, HEAD, &long);
    assert_eq!(r.answered(tx).status, 413);
    let tx = r.in_dialog("INFO", &invite, HEAD, "<nonsense");
    assert_eq!(r.answered(tx).status, 400);
    let tx = r.in_dialog("INFO", &invite, HEAD, &word(ContextAction::Data, "77", "x"));
    assert_eq!(r.answered(tx).status, 481, "no such channel");
}
