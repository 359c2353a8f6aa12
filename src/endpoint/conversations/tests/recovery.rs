//! Broken routes (`domain.md` 7.4), people who are not signed in, the rows of 3.3 and 3.4 for messages.

use super::conference::{In, joined_as};
use super::*;
use crate::domain::conversation::{Priority, Recipient};

const SECOND: Duration = Duration::from_secs(1);
const KEEPS: &str = "Supported: adsum-kept-messages";

fn call_of(r: &Rig) -> super::super::talk::Stage {
    r.s.talks.get(&talk()).unwrap().call_stage()
}

#[test]
fn a_message_refused_with_430_is_held_and_leaves_when_the_route_is_healthy() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    r.say(2, "two");
    let (one, two) = (r.sends("MESSAGE"), r.sends("MESSAGE"));
    r.reply(&one, 430, "", "");
    r.reply(&two, 430, "", "");
    assert!(r.view().recovering);
    r.say(3, "three");
    assert!(r.sent.is_empty(), "held");
    r.deliveries();
    r.pass(SECOND);
    let probe = r.sends("INFO");
    assert!(String::from_utf8_lossy(&probe.1.body).contains("idle"), "it tells the other side nothing");
    r.ok(&probe);
    assert!(!r.view().recovering);
    for text in ["one", "two", "three"] {
        let sent = r.sends("MESSAGE");
        assert_eq!(sent.1.body, text.as_bytes());
        r.ok(&sent);
    }
    let last: Vec<_> = r.deliveries().into_iter().filter(|d| d.1 == Delivery::Delivered).map(|d| d.0).collect();
    assert_eq!(last, ["1", "2", "3"]);
}

#[test]
fn repair_is_tried_at_1_2_4_8_16_32_and_every_60_s_without_end() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    let one = r.sends("MESSAGE");
    r.reply(&one, 430, "", "");
    for wait in [1, 2, 4, 8, 16, 32, 60, 60, 60, 60] {
        r.pass(SECOND * (wait - 1));
        assert!(r.sent.is_empty(), "before {wait} s");
        r.pass(SECOND);
        let probe = r.sends("INFO");
        r.reply(&probe, 430, "", "");
    }
    assert!(r.deliveries().iter().all(|d| !matches!(d.1, Delivery::Failed(_))));
}

#[test]
fn a_side_that_has_forgotten_the_dialog_is_invited_anew_with_what_was_held() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    let one = r.sends("MESSAGE");
    r.reply(&one, 430, "", "");
    r.pass(SECOND);
    let probe = r.sends("INFO");
    r.reply(&probe, 481, "", "");
    let invite = r.sends("INVITE sip:bob@contoso.com");
    r.ok(&invite);
    assert_eq!(r.sends("MESSAGE").1.body, b"one");
}

#[test]
fn a_goodbye_in_the_name_of_a_side_that_stays_away_does_not_lose_what_is_held() {
    let mut r = Rig::new();
    let invite = r.established();
    r.say(1, "one");
    let one = r.sends("MESSAGE");
    r.reply(&one, 430, "", "");
    r.in_dialog("BYE", &invite, "", "");
    let again = r.sends("INVITE sip:bob@contoso.com");
    r.reply(&again, 480, KEEPS, "");
    let kept = r.sends("MESSAGE sip:bob@contoso.com");
    assert_eq!(kept.1.body, b"one");
}

#[test]
fn closing_the_conversation_is_the_users_own_limit() {
    let mut r = Rig::new();
    r.established();
    r.say(1, "one");
    let one = r.sends("MESSAGE");
    r.reply(&one, 430, "", "");
    r.done(Operation::EndConversation { conversation: talk() });
    r.sends("BYE");
    assert!(failed(1, r.deliveries().last().unwrap()).contains("ended"));
    r.pass(SECOND * 100);
    assert!(r.sent.is_empty());
}

#[test]
fn what_is_written_to_somebody_not_signed_in_is_left_with_the_server_until_it_reports() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let invite = r.sends("INVITE");
    r.reply(&invite, 480, KEEPS, "");
    let kept = r.sends("MESSAGE sip:bob@contoso.com");
    assert!(kept.1.headers.to().unwrap().tag().is_none(), "outside any dialog");
    let told = |r: &Rig| r.events.iter().any(|e| matches!(e, Event::Kept { message, .. } if message.0 == "1"));
    assert!(!told(&r), "nothing is kept before the server says so");
    r.reply(&kept, 202, "Message-Id: k1", "");
    assert!(told(&r));
    assert_eq!(r.deliveries(), [tell(1, Delivery::Sent)]);
    let view = r.view();
    assert_eq!(view.state, ConversationState::Terminated);
    assert!(view.end_reason.unwrap().contains("keeps"));
    let report = "<imdn xmlns=\"http://schemas.microsoft.com/rtc/2005/08/imdn\"><message-id>k1</message-id></imdn>";
    let tx = r.receive(&format!(
        "MESSAGE {GRUU} SIP/2.0\nFrom: <sip:bob@contoso.com>;tag=r\nTo: <sip:alice@contoso.com>\nCall-ID: k\nCSeq: 1 MESSAGE\nContent-Type: application/ms-imdn+xml\n\n{report}"
    ));
    assert_eq!(r.answered(tx).status, 200);
    assert_eq!(r.deliveries(), [tell(1, Delivery::Delivered)]);
}

#[test]
fn a_server_that_keeps_nothing_lets_the_message_fail_with_a_sentence() {
    let mut r = Rig::new();
    r.start("bob");
    r.say(1, "one");
    let invite = r.sends("INVITE");
    r.reply(&invite, 480, "", "");
    assert!(failed(1, &r.deliveries()[0]).contains("cannot be reached"));
    assert!(r.sent.is_empty());
}

#[test]
fn a_kept_message_carries_the_moment_of_its_writing() {
    let mut r = Rig::new();
    r.now = Time(1_700_000_000_000);
    let page = |date: &str| {
        format!(
            "MESSAGE {GRUU} SIP/2.0\nFrom: <sip:bob@contoso.com>;tag=r\nTo: <sip:alice@contoso.com>\nCall-ID: k\nCSeq: 1 MESSAGE\nDate: {date}\nContent-Type: text/plain\n\nhello"
        )
    };
    r.receive(&page("2023-11-14T20:00:00Z"));
    assert_eq!(r.messages()[0].at, Time(1_699_992_000_000));
    r.receive(&page("2033-11-14T20:00:00Z"));
    assert_eq!(r.messages()[0].at, r.now, "never in the future");
}

#[test]
fn priority_and_subject_are_said_with_the_invitation_and_taken_from_it() {
    let mut r = Rig::new();
    r.start("bob");
    r.done(Operation::SetPriority { conversation: talk(), priority: Priority::Urgent });
    r.done(Operation::SetSubject { conversation: talk(), subject: "Budget".into() });
    r.say(1, "one");
    let invite = r.sends("INVITE");
    let header = |n: &str| invite.1.headers.get(&n.into()).unwrap_or("").to_owned();
    assert_eq!((header("Priority").as_str(), header("Subject").as_str()), ("urgent", "Budget"));

    let mut r = Rig::with_devices(2);
    r.receive(&format!(
        "INVITE {GRUU} SIP/2.0\nFrom: {BOB}\nTo: <sip:alice@contoso.com>\nCall-ID: x\nCSeq: 1 INVITE\nContact: <sip:bob@contoso.com>\nPriority: emergency\nSubject: Fire\nMs-Conversation-ID: c9\nContent-Type: application/sdp\n\nv=0\no=- 0 0 IN IP4 1.2.3.4\ns=session\nc=IN IP4 1.2.3.4\nt=0 0\nm=message 5060 sip null\n"
    ));
    let view = r.view();
    assert_eq!((view.priority, view.subject.as_str()), (Priority::Emergency, "Fire"));
    assert_eq!(view.invitation.unwrap().priority, Priority::Emergency);
}

#[test]
fn a_new_subject_is_told_in_the_dialog_and_heard_there() {
    let mut r = Rig::new();
    let invite = r.established();
    r.done(Operation::SetSubject { conversation: talk(), subject: "  Lunch ".into() });
    let info = r.sends("INFO");
    assert_eq!(info.1.headers.get(&"Content-Type".into()), Some("application/xml+conversationinfo"));
    assert!(String::from_utf8_lossy(&info.1.body).contains("<Subject>Lunch</Subject>"));
    let body = "<ConversationInfo><From uri=\"sip:bob@contoso.com\"/><Subject>Dinner</Subject></ConversationInfo>";
    r.in_dialog("INFO", &invite, "Content-Type: application/xml+conversationinfo", body);
    assert_eq!(r.view().subject, "Dinner");
}

#[test]
fn a_subject_has_at_most_250_characters() {
    let mut r = Rig::new();
    r.start("bob");
    r.done(Operation::SetSubject { conversation: talk(), subject: "ä".repeat(400) });
    assert_eq!(r.view().subject.chars().count(), 250);
}

fn recipients(j: &mut In) -> Vec<(String, Option<String>)> {
    let found = j.rig.events.iter().position(|e| matches!(e, Event::Recipients { .. })).expect("no recipients");
    let Some(Event::Recipients { recipients, .. }) = j.rig.events.remove(found) else { panic!() };
    recipients.into_iter().map(|Recipient { uri, failure }| (uri.user().to_owned(), failure)).collect()
}

#[test]
fn in_a_conference_it_is_known_who_has_a_message_and_who_has_not() {
    let mut j = joined_as("attendee");
    j.rig.say(1, "one");
    let one = j.rig.sends("MESSAGE");
    j.rig.reply(&one, 202, "Message-Id: 14", "");
    let failed = "<recipient uri=\"&lt;sip:carol@contoso.com&gt;\"><status>408</status></recipient>";
    let report =
        format!("<imdn xmlns=\"http://schemas.microsoft.com/rtc/2005/08/imdn\"><message-id>14</message-id>{failed}</imdn>");
    j.chat_sends("BENOTIFY", "Content-Type: application/ms-imdn+xml", &report);
    let got = recipients(&mut j);
    assert_eq!(got, [("bob".to_owned(), None), ("carol".to_owned(), Some("no answer in time".to_owned()))]);
}

mod call {
    //! `domain.md` 3.3, the rows that a message call has, and 3.4: the flow is active exactly while it is established.

    use super::super::super::talk::Stage;
    use super::*;

    const SDP: &str = "v=0\no=- 0 0 IN IP4 1.2.3.4\ns=session\nc=IN IP4 1.2.3.4\nt=0 0\nm=message 5060 sip null\n";

    fn invited(r: &mut Rig) -> ServerTx {
        r.receive(&format!(
            "INVITE {GRUU} SIP/2.0\nFrom: {BOB}\nTo: <sip:alice@contoso.com>\nCall-ID: x\nCSeq: 1 INVITE\nContact: <sip:bob@contoso.com>\nMs-Conversation-ID: c1\nContent-Type: application/sdp\n\n{SDP}"
        ))
    }

    fn flows(r: &mut Rig) -> bool {
        r.s.talks.get_mut(&talk()).is_some_and(|t| t.route().is_some())
    }

    #[test]
    fn idle_establish_ringing_established_terminate_done() {
        let mut r = Rig::new();
        r.start("bob");
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Idle, false));
        r.say(1, "x");
        let invite = r.sends("INVITE");
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Establishing, false));
        r.reply(&invite, 180, "", "");
        assert_eq!(call_of(&r), Stage::Establishing);
        r.ok(&invite);
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Established, true));
        let message = r.sends("MESSAGE");
        r.ok(&message);
        r.done(Operation::EndConversation { conversation: talk() });
        let bye = r.sends("BYE");
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Terminating, false));
        r.ok(&bye);
        assert!(r.s.talks.is_empty(), "closed and over: forgotten");
    }

    #[test]
    fn establishing_fails() {
        let mut r = Rig::new();
        r.start("bob");
        r.say(1, "x");
        let invite = r.sends("INVITE");
        r.reply(&invite, 486, "", "");
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Terminated, false));
    }

    #[test]
    fn incoming_accept_established_remote_ends() {
        let mut r = Rig::with_devices(2);
        let tx = invited(&mut r);
        assert_eq!((call_of(&r), r.answered(tx).status), (Stage::Incoming, 180));
        r.done(Operation::Accept { conversation: talk() });
        let ok = r.answered(tx);
        assert_eq!((call_of(&r), ok.status), (Stage::Establishing, 200));
        let to = ok.headers.get(&"To".into()).unwrap().to_owned();
        let head = format!("From: {BOB}\nTo: {to}\nCall-ID: x");
        r.receive(&format!("ACK {GRUU} SIP/2.0\n{head}\nCSeq: 1 ACK\n\n"));
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Established, true));
        r.receive(&format!("BYE {GRUU} SIP/2.0\n{head}\nCSeq: 2 BYE\n\n"));
        assert_eq!((call_of(&r), flows(&mut r)), (Stage::Terminated, false));
    }

    #[test]
    fn incoming_decline_and_remote_cancels() {
        let mut r = Rig::with_devices(2);
        let tx = invited(&mut r);
        r.answered(tx);
        r.done(Operation::Decline { conversation: talk() });
        assert_eq!((call_of(&r), r.answered(tx).status), (Stage::Terminated, 603));
        let tx = invited(&mut r);
        r.answered(tx);
        assert_eq!(call_of(&r), Stage::Incoming);
        r.cancel(tx, "");
        assert_eq!((call_of(&r), r.answered(tx).status), (Stage::Terminated, 487));
    }
}
