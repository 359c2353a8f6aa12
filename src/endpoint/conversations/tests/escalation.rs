//! From two people to more, and invitations into conferences.

use super::conference::{CHAT, FOCUS, accept_focus, c3p, full, inside, joined_as};
use super::*;
use crate::endpoint::ErrorKind;
use crate::lync::cccp::Command;

fn invite_carol() -> Operation {
    Operation::Invite { conversation: talk(), uri: who("carol") }
}

/// The factory's answer to the request.
fn scheduled(r: &mut Rig) {
    let service = r.sends("SERVICE sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory");
    let request = c3p(&service.1);
    let Command::AddConference(record) = &request.command else { panic!("{request:?}") };
    assert_eq!(record.settings.expiry, Some(r.now + Duration::from_secs(8 * 3600)));
    let answer = format!(
        "<response xmlns=\"urn:ietf:params:xml:ns:cccp\" requestId=\"{}\" from=\"x\" to=\"y\" code=\"success\"><addConference>\
         <conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"{FOCUS}\" version=\"1\"/></addConference></response>",
        request.request_id
    );
    r.reply(&service, 200, "", &answer);
}

fn enter(r: &mut Rig) {
    scheduled(r);
    accept_focus(r, "presenter");
    let subscribe = r.sends("SUBSCRIBE");
    r.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>"), &full(1, ""));
}

/// An invitation into the conference.
fn conference_invite(from: &str, conversation: &str, media: &str) -> String {
    format!(
        "INVITE {GRUU} SIP/2.0\nFrom: <sip:{from}@contoso.com>;tag=t\nTo: <sip:alice@contoso.com>\nCall-ID: inv\nCSeq: 1 INVITE\n\
         Contact: <sip:{from}@192.0.2.44>\nMs-Conversation-ID: {conversation}\nContent-Type: application/ms-conf-invite+xml\n\n\
         <Conferencing version=\"2.0\"><focus-uri>{FOCUS}</focus-uri><subject>Budget</subject>{media}</Conferencing>"
    )
}

const IM: &str = "<im available=\"true\"><first-im/></im>";

#[test]
fn a_third_person_makes_it_a_conference() {
    let mut r = Rig::new();
    r.established();
    let op = r.op(invite_carol());
    assert_eq!(r.state(), ConversationState::Conferencing);
    r.say(1, "waits");
    enter(&mut r);
    let chat = r.sends(&format!("INVITE {CHAT}"));
    let bob = r.sends("INVITE sip:bob@contoso.com");
    let carol = r.sends("INVITE sip:carol@contoso.com");
    for invitation in [&bob, &carol] {
        let body = String::from_utf8_lossy(&invitation.1.body).into_owned();
        assert!(body.contains(&format!("<focus-uri>{FOCUS}</focus-uri>")) && body.contains("available=\"true\""), "{body}");
        assert_eq!(invitation.1.headers.get(&"Ms-Conversation-ID".into()), Some("c1"));
        assert_eq!(invitation.1.headers.get(&"Content-Type".into()), Some("application/ms-conf-invite+xml"));
    }
    r.ok(&chat);
    assert_eq!(r.state(), ConversationState::Conferenced);
    assert_eq!(r.sends(&format!("MESSAGE {CHAT}")).1.body, b"waits");
    // Bob comes along: his invitation dialog and the two-party call have done their work.
    r.ok(&bob);
    r.sends("BYE");
    let old = r.sends("BYE");
    assert_ne!(old.1.headers.call_id(), bob.1.headers.call_id());
    assert_eq!(r.result(op), None);
    r.ok(&carol);
    r.sends("BYE");
    assert_eq!(r.result(op), Some(Ok(Outcome::Done)));
    assert!(r.sent.is_empty());
}

#[test]
fn a_conference_that_cannot_be_scheduled_leaves_the_two_party_call() {
    let mut r = Rig::new();
    r.established();
    let op = r.op(invite_carol());
    r.say(1, "waits");
    let service = r.sends("SERVICE");
    r.reply(&service, 503, "", "");
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::ConferenceFailed);
    assert_eq!(r.state(), ConversationState::Established);
    assert_eq!(r.sends("MESSAGE sip:bob@contoso.com").1.body, b"waits");
}

#[test]
fn a_conference_that_cannot_be_joined_leaves_the_two_party_call() {
    let mut r = Rig::new();
    r.established();
    let op = r.op(invite_carol());
    r.say(1, "waits");
    scheduled(&mut r);
    let focus = r.sends("INVITE");
    r.reply(&focus, 404, "", "");
    assert!(r.result(op).unwrap().is_err());
    assert_eq!(r.state(), ConversationState::Established);
    assert_eq!(r.sends("MESSAGE sip:bob@contoso.com").1.body, b"waits");
}

#[test]
fn a_taken_conference_id_is_replaced_once() {
    let mut r = Rig::new();
    r.established();
    r.op(invite_carol());
    let first = r.sends("SERVICE");
    let taken = "<response xmlns=\"urn:ietf:params:xml:ns:cccp\" requestId=\"1\" from=\"x\" to=\"y\" code=\"failure\"><addConference reason=\"conferenceExists\"/></response>";
    r.reply(&first, 200, "", taken);
    let second = r.sends("SERVICE");
    assert_ne!(c3p(&first.1).command, c3p(&second.1).command);
    r.reply(&second, 200, "", taken);
    assert_eq!(r.state(), ConversationState::Established);
}

#[test]
fn a_peer_who_does_not_come_along_keeps_a_conversation_of_their_own() {
    let mut r = Rig::new();
    let call = r.established();
    r.op(invite_carol());
    enter(&mut r);
    let chat = r.sends("INVITE");
    r.ok(&chat);
    let bob = r.sends("INVITE sip:bob@contoso.com");
    r.view();
    r.reply(&bob, 603, "", "");
    let mut told = r.events.iter().filter_map(|e| match e {
        Event::Conversation(c) if c.id != talk() => Some(c.as_ref().clone()),
        _ => None,
    });
    let derived = told.next_back().unwrap();
    assert_eq!((derived.state, derived.participants[0].uri.clone()), (ConversationState::Established, who("bob")));
    r.in_dialog("MESSAGE", &call, "Content-Type: text/plain", "not me");
    let there = r.events.iter().any(|e| matches!(e, Event::Message { conversation, .. } if *conversation == derived.id));
    assert!(there);
}

#[test]
fn more_people_are_invited_from_inside() {
    let mut j = joined_as("attendee");
    let carol = j.rig.op(invite_carol());
    let invitation = j.rig.sends("INVITE sip:carol@contoso.com");
    j.rig.reply(&invitation, 180, "", "");
    j.rig.ok(&invitation);
    j.rig.acks();
    j.rig.sends("BYE");
    assert_eq!(j.rig.result(carol), Some(Ok(Outcome::Done)));
    let dave = j.rig.op(Operation::Invite { conversation: talk(), uri: who("dave") });
    let invitation = j.rig.sends("INVITE sip:dave@contoso.com");
    j.rig.reply(&invitation, 486, "", "");
    assert!(j.rig.result(dave).unwrap().unwrap_err().text.contains("disturbed"));
    let erin = j.rig.op(Operation::Invite { conversation: talk(), uri: who("erin") });
    j.rig.sends("INVITE sip:erin@contoso.com");
    j.rig.pass(Duration::from_secs(120));
    assert_eq!(j.rig.result(erin).unwrap().unwrap_err().kind, ErrorKind::Timeout);
}

#[test]
fn meeting_now_schedules_joins_and_invites() {
    let mut r = Rig::new();
    let invite = vec![who("bob"), who("carol"), who("alice")];
    let op = r.op(Operation::MeetNow { id: talk(), subject: "Lunch".into(), invite });
    enter(&mut r);
    let chat = r.sends(&format!("INVITE {CHAT}"));
    r.sends("INVITE sip:bob@contoso.com");
    r.sends("INVITE sip:carol@contoso.com");
    assert!(r.sent.is_empty());
    r.ok(&chat);
    assert_eq!(r.result(op), Some(Ok(Outcome::Done)));
    assert_eq!(r.state(), ConversationState::Conferenced);
}

#[test]
fn offline_nothing_is_scheduled() {
    let mut r = Rig::new();
    r.online = false;
    let op = r.op(Operation::MeetNow { id: talk(), subject: String::new(), invite: Vec::new() });
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::Retryable);
}

#[test]
fn an_invitation_to_a_meeting_asks_also_at_a_single_endpoint() {
    let mut r = Rig::new();
    r.established();
    let tx = r.receive(&conference_invite("bob", "w1", IM));
    assert_eq!(r.answered(tx).status, 180);
    let view = r.view();
    assert_eq!((view.state, view.invitation.unwrap().auto_accept), (ConversationState::Incoming, None));
    assert_ne!(view.id, talk(), "the meeting is not the conversation we have");
    r.done(Operation::Accept { conversation: view.id });
    assert_eq!(r.answered(tx).status, 200);
    r.sends(&format!("INVITE {FOCUS}"));
    assert_eq!(r.state(), ConversationState::Conferencing);
    // The inviter does not free the dialog: we do.
    r.pass(Duration::from_secs(30));
    r.sends("BYE sip:bob@192.0.2.44");
}

#[test]
fn an_escalated_conversation_keeps_its_window_and_loses_its_call() {
    let mut r = Rig::new();
    let call = r.established();
    let tx = r.receive(&conference_invite("bob", "c1", IM));
    assert_eq!(r.answered(tx).status, 200);
    let view = r.view();
    assert_eq!((view.id, view.state), (talk(), ConversationState::Conferencing));
    accept_focus(&mut r, "attendee");
    let subscribe = r.sends("SUBSCRIBE");
    r.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>"), &full(1, &inside("bob", "presenter")));
    let chat = r.sends("INVITE");
    r.in_dialog("MESSAGE", &call, "Content-Type: text/plain", "see you there");
    assert_eq!(r.messages().len(), 1);
    let bye = r.in_dialog("BYE", &call, "", "");
    assert_eq!(r.answered(bye).status, 200);
    r.ok(&chat);
    let view = r.view();
    assert_eq!((view.id, view.state), (talk(), ConversationState::Conferenced));
    r.say(1, "here");
    r.sends(&format!("MESSAGE {CHAT}"));
}

#[test]
fn an_escalation_that_fails_here_returns_to_the_call() {
    let mut r = Rig::new();
    r.established();
    r.receive(&conference_invite("bob", "c1", IM));
    let focus = r.sends("INVITE");
    r.reply(&focus, 403, "", "");
    assert_eq!(r.state(), ConversationState::Established);
    r.say(1, "could not come");
    r.sends("MESSAGE sip:bob@contoso.com");
}

#[test]
fn several_endpoints_show_a_card_and_accept_after_15_s() {
    let mut r = Rig::with_devices(2);
    let tx = r.receive(&conference_invite("bob", "c1", IM));
    assert_eq!(r.answered(tx).status, 180);
    let view = r.view();
    let card = view.invitation.unwrap();
    assert!(card.conference && card.toast == "Budget" && view.subject == "Budget");
    assert_eq!((view.state, card.auto_accept), (ConversationState::Incoming, Some(r.now + Duration::from_secs(15))));
    r.pass(Duration::from_secs(15));
    assert_eq!(r.answered(tx).status, 200);
    r.sends(&format!("INVITE {FOCUS}"));
    assert_eq!(r.state(), ConversationState::Conferencing);
}

#[test]
fn an_invitation_with_audio_always_asks() {
    let mut r = Rig::new();
    let tx = r.receive(&conference_invite("bob", "c1", "<im available=\"true\"/><audio available=\"true\"/>"));
    assert_eq!(r.answered(tx).status, 180);
    r.done(Operation::Decline { conversation: talk() });
    assert_eq!(r.answered(tx).status, 603);
    assert_eq!(r.state(), ConversationState::Terminated);
}

#[test]
fn an_invitation_to_where_we_are_already_is_accepted_and_changes_nothing() {
    let mut j = joined_as("attendee");
    let tx = j.rig.receive(&conference_invite("bob", "w9", IM));
    assert_eq!(j.rig.answered(tx).status, 200);
    assert!(j.rig.sent.is_empty() && j.rig.events.is_empty());
}

#[test]
fn an_invitation_that_names_no_focus_is_refused() {
    let mut r = Rig::new();
    let tx = r.receive(&conference_invite("bob", "c1", IM).replace(FOCUS, "sip:bob@contoso.com"));
    assert_eq!(r.answered(tx).status, 488);
    assert!(r.events.is_empty() && r.sent.is_empty());
}
