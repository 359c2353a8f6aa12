//! Conversations we begin.

use super::*;
use crate::endpoint::ErrorKind;

const S5: Duration = Duration::from_secs(5);

#[test]
fn starting_a_conversation_sends_nothing_and_the_first_text_invites() {
    let mut r = Rig::new();
    r.start("bob");
    assert_eq!(r.state(), ConversationState::Idle);
    assert!(r.sent.is_empty());
    r.say(1, "Hi Bob");
    assert_eq!(r.state(), ConversationState::Establishing);
    let (_, invite) = r.sends("INVITE sip:bob@contoso.com");
    let header = |n: &str| invite.headers.get(&n.into()).unwrap_or("").to_owned();
    assert_eq!(header("Ms-Conversation-ID"), "c1");
    assert_eq!(header("ms-text-format"), "text/plain; charset=UTF-8;ms-body=SGkgQm9i");
    assert_eq!(header("EndPoints"), "<sip:alice@contoso.com>, <sip:bob@contoso.com>");
    assert!(String::from_utf8_lossy(&invite.body).contains("m=message 5060 sip null\r\n"));
}

#[test]
fn texts_wait_for_the_dialog_and_leave_in_order() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    r.say(2, "two");
    let invite = r.sends("INVITE");
    r.reply(&invite, 180, "", "");
    assert!(r.sent.is_empty() && r.deliveries().is_empty());
    r.reply(&invite, 200, "Contact: <sip:bob@contoso.com;opaque=user:epid:Tt7;gruu>", "");
    assert_eq!(r.acks().headers.get(&"CSeq".into()), Some("1 ACK"));
    let one = r.sends("MESSAGE sip:bob@contoso.com;opaque=user:epid:Tt7;gruu");
    let two = r.sends("MESSAGE");
    assert_eq!((one.1.body.as_slice(), two.1.body.as_slice()), (&b"one"[..], &b"two"[..]));
    assert_eq!(one.1.headers.get(&"CSeq".into()), Some("2 MESSAGE"));
    assert_eq!(r.deliveries(), [tell(1, Delivery::Sent), tell(2, Delivery::Sent)]);
    assert_eq!(r.state(), ConversationState::Established);
    r.ok(&one);
    r.ok(&two);
    assert_eq!(r.deliveries(), [tell(1, Delivery::Delivered), tell(2, Delivery::Delivered)]);
    r.say(3, "three");
    r.sends("MESSAGE");
}

#[test]
fn a_text_shown_from_the_invitation_is_not_sent_again() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let invite = r.sends("INVITE");
    r.reply(&invite, 200, "Supported: ms-text-format", "");
    assert!(r.sent.is_empty());
    assert_eq!(r.deliveries(), [tell(1, Delivery::Delivered)]);
}

#[test]
fn every_refusal_of_the_invitation_fails_what_waits() {
    for (status, words) in [
        (480, "cannot be reached"),
        (408, "cannot be reached"),
        (486, "disturbed"),
        (488, "kind of message"),
        (415, "kind of message"),
        (403, "allow"),
        (404, "nobody"),
        (500, "not available"),
        (503, "not available"),
        (504, "not available"),
        (603, "declined"),
        (606, "refused"),
    ] {
        let mut r = Rig::new();
        r.start("bob");
        r.say(1, "one");
        r.say(2, "two");
        let invite = r.sends("INVITE");
        r.reply(&invite, status, "", "");
        let news = r.deliveries();
        assert!(failed(1, &news[0]).contains(words) && failed(2, &news[1]).contains(words), "{status}: {news:?}");
        let view = r.view();
        assert_eq!(view.state, ConversationState::Terminated);
        assert!(view.end_reason.unwrap().contains(words));
        // Nothing is repeated by itself; the next text invites again.
        assert!(r.sent.is_empty());
        r.say(3, "three");
        r.sends("INVITE");
        assert_eq!(r.state(), ConversationState::Establishing);
    }
}

#[test]
fn refusals_of_a_message_fail_it_alone() {
    for (status, head, words) in [
        (486, "", "disturbed"),
        (488, "", "kind of message"),
        (606, "Warning: 309 lcs.microsoft.com \"Message contents not allowed by policy\"", "policy"),
        (500, "", "not available"),
        (603, "", "declined"),
        (403, "", "allow"),
        (404, "", "nobody"),
    ] {
        let mut r = Rig::new();
        r.established();
        r.say(1, "one");
        let message = r.sends("MESSAGE");
        r.reply(&message, status, head, "");
        let news = r.deliveries();
        assert!(failed(1, &news[1]).contains(words), "{status}: {news:?}");
        r.say(2, "two");
        r.sends("MESSAGE");
    }
}

#[test]
fn a_dead_dialog_fails_its_messages_and_the_next_text_invites_anew() {
    for status in [408, 480, 481] {
        let mut r = Rig::new();
        r.established();
        r.say(1, "one");
        r.say(2, "two");
        let one = r.sends("MESSAGE");
        r.reply(&one, status, "", "");
        let news = r.deliveries();
        assert!(failed(1, &news[2]).contains("reached") && failed(2, &news[3]).contains("reached"));
        r.sends("MESSAGE");
        let bye = r.sends("BYE");
        r.ok(&bye);
        assert_eq!(r.state(), ConversationState::Terminated);
        r.say(3, "three");
        let invite = r.sends("INVITE");
        assert_eq!(invite.1.headers.get(&"Ms-Conversation-ID".into()), Some("c1"));
    }
}

#[test]
fn a_refused_type_is_tried_once_as_bare_text() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    let message = r.sends("MESSAGE");
    r.reply(&message, 415, "", "");
    let again = r.sends("MESSAGE");
    assert_eq!(again.1.headers.get(&"Content-Type".into()), Some("text/plain"));
    r.reply(&again, 415, "", "");
    assert!(failed(1, &r.deliveries()[1]).contains("kind of message"));
    assert!(r.sent.is_empty());
}

#[test]
fn a_text_too_long_for_the_server_is_split_and_sent_again() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "abcdefgh");
    let message = r.sends("MESSAGE");
    r.reply(&message, 413, "", "");
    let (a, b) = (r.sends("MESSAGE"), r.sends("MESSAGE"));
    assert_eq!([a.1.body.clone(), b.1.body.clone()].concat(), b"abcdefgh");
    r.ok(&a);
    r.ok(&b);
    assert_eq!(r.deliveries().last(), Some(&tell(1, Delivery::Delivered)));
}

#[test]
fn no_answer_within_60_s_is_unknown_and_never_repeated() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    let message = r.sends("MESSAGE");
    r.pass(Duration::from_secs(60));
    assert!(failed(1, &r.deliveries()[1]).contains("unknown whether it arrived"));
    r.ok(&message);
    assert!(r.deliveries().is_empty() && r.sent.is_empty());
}

#[test]
fn the_transaction_timing_out_says_the_same() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    let message = r.sends("MESSAGE");
    r.fails(&message, Reply::Timeout);
    assert!(failed(1, &r.deliveries()[1]).contains("unknown whether it arrived"));
}

#[test]
fn texts_written_offline_leave_after_the_next_sign_in() {
    let mut r = Rig::new();
    r.online = false;
    r.start("bob");
    r.say(1, "one");
    assert!(r.sent.is_empty());
    r.back_online();
    let invite = r.sends("INVITE");
    r.ok(&invite);
    r.sends("MESSAGE");
    assert_eq!(r.deliveries(), [tell(1, Delivery::Sent)]);
}

#[test]
fn a_lost_link_leaves_no_message_in_doubt_and_none_twice() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "in flight");
    r.deliveries();
    r.link_lost();
    assert!(failed(1, &r.deliveries()[0]).contains("unknown whether it arrived"));
    r.say(2, "offline");
    r.back_online();
    let invite = r.sends("INVITE");
    assert!(r.sent.is_empty());
    r.ok(&invite);
    let message = r.sends("MESSAGE");
    assert_eq!(message.1.body, b"offline");
    assert!(r.sent.is_empty());
}

#[test]
fn a_link_lost_while_inviting_invites_again() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    r.link_lost();
    assert!(r.deliveries().is_empty());
    assert_eq!(r.state(), ConversationState::Idle);
    r.back_online();
    r.sends("INVITE");
    assert_eq!(r.state(), ConversationState::Establishing);
}

#[test]
fn typing_is_told_at_once_and_every_5_s_and_ends_3_s_after_the_last_key() {
    let mut r = Rig::new();
    r.established();
    let key = |r: &mut Rig| r.done(Operation::Typing { conversation: talk(), active: true });
    key(&mut r);
    let info = r.sends("INFO");
    let body = String::from_utf8(info.1.body.clone()).unwrap();
    assert_eq!(body, "<?xml version=\"1.0\"?><KeyboardActivity> <status status=\"type\" /></KeyboardActivity>");
    for _ in 0..4 {
        r.pass(Duration::from_secs(1));
        key(&mut r);
    }
    assert!(r.sent.is_empty());
    r.pass(Duration::from_secs(1));
    r.sends("INFO");
    r.pass(Duration::from_secs(3));
    let idle = r.sends("INFO");
    assert!(String::from_utf8(idle.1.body).unwrap().contains("idle"));
    r.pass(S5);
    assert!(r.sent.is_empty() && r.s.poll_timeout().is_none());
}

#[test]
fn typing_is_not_told_before_the_dialog_stands_and_a_message_ends_it() {
    let mut r = Rig::new();
    r.start("bob");
    r.done(Operation::Typing { conversation: talk(), active: true });
    assert!(r.sent.is_empty());
    let mut r = Rig::new();
    r.established();
    r.done(Operation::Typing { conversation: talk(), active: true });
    r.sends("INFO");
    r.say(1, "one");
    let message = r.sends("MESSAGE");
    r.ok(&message);
    r.pass(S5);
    assert!(r.sent.is_empty());
}

#[test]
fn the_others_typing_shows_for_6_s_or_until_the_message() {
    let mut r = Rig::new();
    let invite = r.established();
    let typing = "<KeyboardActivity><status status=\"type\"/></KeyboardActivity>";
    let tx = r.in_dialog("INFO", &invite, "Content-Type: application/xml", typing);
    assert_eq!(r.answered(tx).status, 200);
    assert!(r.view().participants[0].typing);
    r.pass(Duration::from_secs(6));
    assert!(!r.view().participants[0].typing);
    r.in_dialog("INFO", &invite, "Content-Type: application/xml", typing);
    r.in_dialog("MESSAGE", &invite, "Content-Type: text/plain", "done");
    assert!(!r.view().participants[0].typing);
    let composing = "<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>";
    r.in_dialog("MESSAGE", &invite, "Content-Type: application/im-iscomposing+xml", composing);
    assert!(r.view().participants[0].typing);
    assert_eq!(r.messages().len(), 1);
}

#[test]
fn the_other_side_leaving_ends_the_conversation_until_the_next_text() {
    let mut r = Rig::new();
    let invite = r.established();
    let tx = r.in_dialog("BYE", &invite, "", "");
    assert_eq!(r.answered(tx).status, 200);
    let view = r.view();
    assert_eq!(view.state, ConversationState::Terminated);
    assert!(view.end_reason.unwrap().contains("left"));
    r.say(1, "again");
    r.sends("INVITE");
    let view = r.view();
    assert_eq!((view.state, view.end_reason), (ConversationState::Establishing, None));
}

#[test]
fn ending_says_bye_and_is_over_with_the_answer() {
    let mut r = Rig::new();
    r.established();
    r.done(Operation::EndConversation { conversation: talk() });
    let bye = r.sends("BYE");
    assert_eq!(r.state(), ConversationState::Terminating);
    r.reply(&bye, 481, "", "");
    let view = r.view();
    assert_eq!((view.state, view.end_reason), (ConversationState::Terminated, None));
    r.done(Operation::EndConversation { conversation: talk() });
}

#[test]
fn a_goodbye_nobody_answers_is_given_up() {
    let mut r = Rig::new();
    r.established();
    r.done(Operation::EndConversation { conversation: talk() });
    r.pass(S5);
    assert_eq!(r.state(), ConversationState::Terminated);
}

#[test]
fn ending_before_the_answer_cancels_and_a_late_acceptance_gets_ack_and_bye() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let invite = r.sends("INVITE");
    r.done(Operation::EndConversation { conversation: talk() });
    assert_eq!(r.cancelled, [invite.0]);
    assert!(failed(1, &r.deliveries()[0]).contains("ended"));
    assert_eq!(r.state(), ConversationState::Terminated);
    r.ok(&invite);
    r.acks();
    r.sends("BYE");
    assert!(r.sent.is_empty());
}

#[test]
fn a_second_acceptance_of_another_fork_gets_ack_and_bye_and_the_same_again_only_ack() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let invite = r.sends("INVITE");
    r.ok(&invite);
    r.acks();
    r.sends("MESSAGE");
    r.ok(&invite);
    r.acks();
    assert!(r.sent.is_empty());
    let other = invite.1.response(200, "fork2");
    r.call(|s, ctx| s.on_reply(ctx, invite.0, Reply::Response(other)));
    r.acks();
    let bye = r.sends("BYE");
    assert!(bye.1.headers.get(&"To".into()).unwrap().contains("fork2"));
}

#[test]
fn an_invitation_nobody_answers_is_cancelled() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let invite = r.sends("INVITE");
    r.reply(&invite, 180, "", "");
    r.pass(Duration::from_secs(120));
    assert_eq!(r.cancelled, [invite.0]);
    assert!(failed(1, &r.deliveries()[0]).contains("did not answer"));
}

#[test]
fn operations_that_cannot_be_say_so() {
    let mut r = Rig::new();
    let mut refused = |operation: Operation| {
        let id = r.op(operation);
        r.result(id).unwrap().unwrap_err().kind
    };
    let text = |t: &str| Operation::SendMessage { conversation: talk(), message: MessageId("1".into()), text: t.into() };
    assert_eq!(refused(text("hello")), ErrorKind::InvalidOperation);
    let start = |with: &str| Operation::StartConversation { id: talk(), with: who(with), subject: String::new() };
    assert_eq!(refused(start("alice")), ErrorKind::InvalidArgument);
    assert_eq!(refused(Operation::Accept { conversation: talk() }), ErrorKind::InvalidOperation);
    assert_eq!(refused(Operation::LockConference { conversation: talk(), locked: true }), ErrorKind::InvalidOperation);
    r.start("bob");
    let id = r.op(text(""));
    assert_eq!(r.result(id).unwrap().unwrap_err().kind, ErrorKind::InvalidArgument);
    let id = r.op(start("carol"));
    assert_eq!(r.result(id).unwrap().unwrap_err().kind, ErrorKind::InvalidOperation);
}

#[test]
fn signing_out_says_goodbye_everywhere() {
    let mut r = Rig::new();
    r.established();
    r.call(|s, ctx| s.on_sign_out(ctx));
    r.sends("BYE");
    r.link_lost();
    assert_eq!(r.state(), ConversationState::Terminated);
}

#[test]
fn the_same_state_is_said_once() {
    let mut r = Rig::new();
    let invite = r.established();
    for _ in 0..3 {
        r.in_dialog(
            "INFO",
            &invite,
            "Content-Type: application/xml",
            "<KeyboardActivity><status status='idle'/></KeyboardActivity>",
        );
    }
    r.start("bob");
    assert!(r.events.is_empty(), "{:?}", r.events);
}

#[test]
fn an_invitation_taken_back_leaves_nothing_behind() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "hi");
    let invite = r.sends("INVITE");
    r.done(Operation::EndConversation { conversation: talk() });
    r.reply(&invite, 487, "", "");
    assert_eq!((r.s.remembered(), r.s.dialogs()), (0, 0));
}
