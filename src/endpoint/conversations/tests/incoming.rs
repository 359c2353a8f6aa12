//! Conversations others begin.

use super::*;
use crate::domain::conversation::TextFormat;

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// Bob's INVITE.
fn invite(call: &str, conversation: &str) -> String {
    format!(
        "INVITE {GRUU} SIP/2.0
         From: \"Bob Ode\" {BOB}
         To: <sip:alice@contoso.com>
         Call-ID: {call}
         CSeq: 1 INVITE
         Contact: <sip:bob@contoso.com;opaque=user:epid:Tt7;gruu>
         ms-text-format: text/plain; charset=UTF-8; ms-body=SGkh
         Ms-Conversation-ID: {conversation}
         Subject: Budget
         Content-Type: application/sdp

v=0
o=- 0 0 IN IP4 192.0.2.44
s=session
c=IN IP4 192.0.2.44
t=0 0
m=message 5060 sip null
a=accept-types:text/plain
"
    )
}

/// A request of bob in the dialog whose 200 is `ours`.
fn bob(method: &str, ours: &Response, head: &str, body: &str) -> String {
    let to = ours.headers.get(&"To".into()).unwrap();
    let call = ours.headers.call_id();
    format!("{method} {GRUU} SIP/2.0\nFrom: {BOB}\nTo: {to}\nCall-ID: {call}\nCSeq: 2 {method}\n{head}\n\n{body}")
}

#[test]
fn a_single_endpoint_accepts_at_once() {
    let mut r = Rig::new();
    let tx = r.receive(&invite("x", "w1"));
    let ok = r.answered(tx);
    assert_eq!(ok.status, 200);
    assert!(ok.headers.get(&"To".into()).unwrap().ends_with(";epid=6c801b691b"));
    assert!(String::from_utf8_lossy(&ok.body).contains("m=message 5060 sip sip:alice@contoso.com"));
    let view = r.view();
    assert_eq!((view.state, view.id.0.as_str(), view.subject.as_str()), (ConversationState::Establishing, "w1", "Budget"));
    assert_eq!(view.participants[0].display_name, "Bob Ode");
    r.receive(&bob("ACK", &ok, "", ""));
    assert_eq!(r.state(), ConversationState::Established);
    let tx = r.receive(&bob("MESSAGE", &ok, "Content-Type: text/plain; charset=UTF-8", "Hi!"));
    assert_eq!(r.answered(tx).status, 200);
    let message = r.messages().remove(0);
    assert_eq!((message.body.as_str(), message.author, message.state), ("Hi!", who("bob"), Delivery::Received));
    // The answer goes the same way.
    let id = ConversationId("w1".into());
    r.done(Operation::SendMessage { conversation: id, message: MessageId("9".into()), text: "Hello".into() });
    r.sends("MESSAGE sip:bob@contoso.com;opaque=user:epid:Tt7;gruu");
}

#[test]
fn several_endpoints_ring_and_the_user_decides() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    assert_eq!(r.answered(tx).status, 180);
    let view = r.view();
    let invitation = view.invitation.unwrap();
    assert_eq!((view.state, invitation.toast.as_str(), invitation.auto_accept), (ConversationState::Incoming, "Hi!", None));
    r.done(Operation::Accept { conversation: talk() });
    assert_eq!(r.answered(tx).status, 200);
    let view = r.view();
    assert_eq!((view.state, view.invitation), (ConversationState::Establishing, None));
}

#[test]
fn declining_answers_603() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    r.answered(tx);
    r.done(Operation::Decline { conversation: talk() });
    assert_eq!(r.answered(tx).status, 603);
    assert_eq!(r.state(), ConversationState::Terminated);
    assert!(!r.events.iter().any(|e| matches!(e, Event::Missed { .. })));
}

#[test]
fn the_most_active_endpoint_accepts_after_10_s() {
    let mut r = Rig::with_devices(2);
    r.start("carol");
    let tx = r.receive(&invite("x", "w1"));
    assert_eq!(r.answered(tx).status, 180);
    assert_eq!(r.view().invitation.unwrap().auto_accept, Some(r.now + Duration::from_secs(10)));
    r.pass(Duration::from_secs(10));
    assert_eq!(r.answered(tx).status, 200);
}

#[test]
fn of_endpoints_nobody_uses_the_most_active_accepts_a_little_later() {
    let mut r = Rig::with_devices(2);
    r.most_active_of(2, true);
    let tx = r.receive(&invite("x", "w1"));
    assert_eq!(r.answered(tx).status, 180);
    r.pass(Duration::from_secs(12));
    assert_eq!(r.answered(tx).status, 200);
    assert!(!r.events.iter().any(|e| matches!(e, Event::Missed { .. })));
}

#[test]
fn answering_in_words_accepts() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    r.answered(tx);
    r.say(1, "yes?");
    let ok = r.answered(tx);
    assert_eq!(ok.status, 200);
    r.receive(&bob("ACK", &ok, "", ""));
    assert_eq!(r.sends("MESSAGE").1.body, b"yes?");
}

#[test]
fn an_invitation_nobody_answers_is_missed_after_60_s() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    r.answered(tx);
    r.pass(Duration::from_secs(60));
    assert_eq!(r.answered(tx).status, 480);
    assert!(r.events.contains(&Event::Missed { from: who("bob"), toast: "Hi!".into() }));
    assert_eq!(r.state(), ConversationState::Terminated);
}

#[test]
fn an_invitation_accepted_elsewhere_ends_silently() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    r.answered(tx);
    r.cancel(tx, ELSEWHERE);
    assert_eq!(r.answered(tx).status, 487);
    let view = r.view();
    assert_eq!((view.state, view.end_reason), (ConversationState::Terminated, None));
    assert!(r.events.is_empty());
}

#[test]
fn an_invitation_withdrawn_is_missed() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    r.answered(tx);
    r.cancel(tx, "");
    assert_eq!(r.answered(tx).status, 487);
    assert!(r.events.iter().any(|e| matches!(e, Event::Missed { .. })));
}

#[test]
fn a_bye_before_the_answer_is_a_withdrawal_too() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&invite("x", "c1"));
    r.answered(tx);
    let bye = r.receive(&format!("BYE {GRUU} SIP/2.0\nFrom: {BOB}\nTo: <sip:alice@contoso.com>\nCall-ID: x\nCSeq: 2 BYE"));
    assert_eq!((r.answered(bye).status, r.answered(tx).status), (200, 487));
}

#[test]
fn a_second_invitation_replaces_the_dialog_and_unconfirmed_texts_move_over() {
    let mut r = Rig::with_devices(2);
    r.established();
    r.say(1, "one");
    r.say(2, "two");
    let (one, two) = (r.sends("MESSAGE"), r.sends("MESSAGE"));
    r.deliveries();
    let tx = r.receive(&invite("new", "another"));
    let ok = r.answered(tx);
    assert_eq!(ok.status, 200, "an open conversation needs no question");
    r.sends("BYE");
    assert!(r.deliveries().is_empty(), "they may still be answered");
    r.receive(&bob("ACK", &ok, "", ""));
    assert!(r.sent.is_empty());
    r.reply(&one, 481, "", "");
    let moved = r.sends("MESSAGE");
    assert_eq!((moved.1.body.as_slice(), moved.1.headers.call_id()), (&b"one"[..], "new"));
    assert_eq!(r.deliveries(), [tell(1, Delivery::Queued), tell(1, Delivery::Sent)]);
    r.ok(&moved);
    r.ok(&two);
    assert_eq!(r.deliveries(), [tell(1, Delivery::Delivered), tell(2, Delivery::Delivered)]);
    // Of this one nobody knows whether it was read: it is not repeated.
    r.say(3, "three");
    let three = r.sends("MESSAGE");
    let tx = r.receive(&invite("newest", "another"));
    r.answered(tx);
    r.deliveries();
    r.reply(&three, 480, "", "");
    assert!(failed(3, &r.deliveries()[0]).contains("unknown"));
    assert_eq!(r.state(), ConversationState::Established);
}

#[test]
fn crossing_invitations_agree_on_the_lower_call_id() {
    // Ours is made of hexadecimal digits: "." sorts before, "~" after them.
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let ours = r.sends("INVITE");
    let tx = r.receive(&invite(".", "w1"));
    let ok = r.answered(tx);
    assert_eq!((ok.status, r.cancelled.clone()), (200, vec![ours.0]));
    r.receive(&bob("ACK", &ok, "", ""));
    r.sends("MESSAGE sip:bob@contoso.com;opaque=user:epid:Tt7;gruu");
    r.ok(&ours);
    r.acks();
    r.sends("BYE");

    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let ours = r.sends("INVITE");
    let tx = r.receive(&invite("~", "w1"));
    let ok = r.answered(tx);
    assert_eq!((ok.status, r.cancelled.len(), r.sent.len()), (200, 0, 0));
    r.ok(&ours);
    r.sends("MESSAGE");
    // What comes on the other dialog is read all the same, and its end ends nothing.
    r.receive(&bob("MESSAGE", &ok, "Content-Type: text/plain", "x"));
    assert_eq!(r.messages().len(), 1);
    r.receive(&bob("BYE", &ok, "", ""));
    assert_eq!(r.state(), ConversationState::Established);
}

#[test]
fn an_ack_that_never_comes_ends_the_call() {
    let mut r = Rig::new();
    r.receive(&invite("x", "c1"));
    r.pass(Duration::from_secs(32));
    let bye = r.sends("BYE");
    r.ok(&bye);
    assert_eq!(r.state(), ConversationState::Terminated);
}

#[test]
fn a_message_without_dialog_opens_a_conversation_and_the_answer_invites() {
    let mut r = Rig::new();
    let tx = r.receive(&format!(
        "MESSAGE sip:alice@contoso.com SIP/2.0\nFrom: {BOB}\nTo: <sip:alice@contoso.com>\nCall-ID: p\nCSeq: 1 MESSAGE\n\
         Ms-Conversation-ID: c1\nContent-Type: text/html\n\n<b>Hi</b>"
    ));
    assert_eq!(r.answered(tx).status, 200);
    let message = r.messages().remove(0);
    assert_eq!((message.body.as_str(), message.format), ("<b>Hi</b>", TextFormat::Html));
    assert_eq!(r.state(), ConversationState::Idle);
    r.say(1, "hello");
    r.sends("INVITE sip:bob@contoso.com");
}

#[test]
fn the_plainest_readable_part_of_a_message_is_taken() {
    let mut r = Rig::new();
    let ours = r.established();
    let body = "--b\nContent-Type: text/html\n\n<p>x</p>\n--b\nContent-Type: text/plain; charset=UTF-8\n\nx\n--b--";
    let tx = r.in_dialog("MESSAGE", &ours, "Content-Type: multipart/alternative;boundary=\"b\"", body);
    assert_eq!(r.answered(tx).status, 200);
    assert_eq!(r.messages()[0].body, "x");
    let tx = r.in_dialog("MESSAGE", &ours, "Content-Type: text/rtf", "{\\rtf1 x}");
    assert_eq!((r.answered(tx).status, r.messages()[0].format), (200, TextFormat::Rtf));
    for other in ["image/gif", "text/x-msmsgsinvite; charset=UTF-8", "multipart/alternative"] {
        let tx = r.in_dialog("MESSAGE", &ours, &format!("Content-Type: {other}"), "?");
        let refusal = r.answered(tx);
        assert_eq!(refusal.status, 415, "{other}");
        assert!(refusal.headers.get(&"Accept".into()).unwrap().contains("text/plain"));
    }
    assert!(r.messages().is_empty());
}

#[test]
fn audio_is_declined_with_a_reason() {
    let mut r = Rig::new();
    let tx = r.receive(&invite("x", "c1").replace("m=message 5060 sip null", "m=audio 50052 RTP/SAVP 0"));
    let refusal = r.answered(tx);
    assert_eq!(refusal.status, 488);
    assert!(refusal.headers.get(&"ms-client-diagnostics".into()).is_some());
    assert!(r.events.is_empty());
}

#[test]
fn a_stranger_cannot_enter_somebody_elses_conversation_by_its_name() {
    let mut r = Rig::new();
    r.established();
    let tx = r.receive(&invite("x", "c1").replace("sip:bob@", "sip:mallory@"));
    assert_eq!(r.answered(tx).status, 200);
    let view = r.view();
    assert_ne!(view.id, talk());
    assert_eq!(view.participants[0].uri, who("mallory"));
}

#[test]
fn a_session_refresh_is_answered_and_moves_the_target() {
    let mut r = Rig::new();
    let tx = r.receive(&invite("x", "c1"));
    let ok = r.answered(tx);
    r.receive(&bob("ACK", &ok, "", ""));
    let tx = r.receive(&bob("INVITE", &ok, "Contact: <sip:bob@192.0.2.99:5061;transport=tls>", ""));
    assert_eq!(r.answered(tx).status, 200);
    r.say(1, "there?");
    r.sends("MESSAGE sip:bob@192.0.2.99:5061;transport=tls");
}

#[test]
fn requests_for_dialogs_we_do_not_know_are_left_to_others() {
    let mut r = Rig::new();
    for method in ["BYE", "INFO", "NOTIFY", "UPDATE"] {
        let text =
            format!("{method} {GRUU} SIP/2.0\nFrom: {BOB}\nTo: <sip:alice@contoso.com>;tag=gone\nCall-ID: q\nCSeq: 5 {method}");
        assert!(matches!(r.offer(&text).0, Handled::No(_)), "{method}");
    }
    // A message on a dialog that an earlier link took away is read, not refused.
    let tx = r.receive(&format!(
        "MESSAGE {GRUU} SIP/2.0\nFrom: {BOB}\nTo: <sip:alice@contoso.com>;tag=gone\nCall-ID: q\nCSeq: 5 MESSAGE\n\
         Content-Type: text/plain\n\nstill there?"
    ));
    assert_eq!((r.answered(tx).status, r.messages().len()), (200, 1));
}

#[test]
fn conversations_are_bounded() {
    let mut r = Rig::new();
    for n in 0..600 {
        r.receive(&invite(&format!("x{n}"), &format!("w{n}")).replace("sip:bob@", &format!("sip:p{n}@")));
    }
    assert!(r.s.talks.len() <= crate::endpoint::limits::MAX_CONVERSATIONS);
}

#[test]
fn of_two_crossing_dialogs_the_dead_one_is_ended_and_the_other_goes_on() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let ours = r.sends("INVITE");
    let tx = r.receive(&invite("~", "w1"));
    r.answered(tx);
    r.ok(&ours);
    r.acks();
    let message = r.sends("MESSAGE");
    r.reply(&message, 480, "", "");
    r.sends("BYE");
    assert_eq!(r.state(), ConversationState::Established);
    r.say(2, "two");
    r.sends("MESSAGE sip:bob@contoso.com;opaque=user:epid:Tt7;gruu");
}
