//! Conferences we take part in.

use super::*;
use crate::domain::conference::ConferenceId;
use crate::domain::conversation::{InvitationState, Role};
use crate::endpoint::{ErrorKind, JoinTarget};
use crate::lync::cccp::{C3pRequest, Command};

pub(super) const FOCUS: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:K7M2Q9TX";
pub(super) const CHAT: &str = "sip:bob@contoso.com;gruu;opaque=app:conf:chat:id:K7M2Q9TX";
const ROSTER: &str = "Event: conference\nContent-Type: application/conference-info+xml";

/// One person of a roster: name, role, sessions and their status.
pub(super) fn user(name: &str, role: &str, sessions: &[(&str, &str)]) -> String {
    let ends: String = sessions
        .iter()
        .map(|(s, status)| format!("<endpoint entity=\"{{{name}}}\" session-type=\"{s}\"><status>{status}</status></endpoint>"))
        .collect();
    format!(
        "<user entity=\"sip:{name}@contoso.com\" state=\"full\"><display-text>{name}</display-text><roles><entry>{role}</entry></roles>{ends}</user>"
    )
}

pub(super) fn inside(name: &str, role: &str) -> String {
    user(name, role, &[("focus", "connected"), ("chat", "connected")])
}

fn document(state: &str, version: u32, inner: &str) -> String {
    format!(
        "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"{FOCUS}\" state=\"{state}\" version=\"{version}\">{inner}</conference-info>"
    )
}

pub(super) fn full(version: u32, users: &str) -> String {
    let uris = format!("<conf-uris><entry><uri>{CHAT}</uri><purpose>chat</purpose></entry></conf-uris>");
    let head = format!("<conference-description><subject>Budget</subject>{uris}</conference-description>");
    document("full", version, &format!("{head}<users state=\"full\">{users}</users>"))
}

fn partial(version: u32, users: &str) -> String {
    document("partial", version, &format!("<users state=\"partial\">{users}</users>"))
}

fn lobby() -> String {
    let me = user("alice", "attendee", &[("focus", "on-hold")]);
    document(
        "full",
        1,
        &format!("<conference-description><subject>Budget</subject></conference-description><users state=\"full\">{me}</users>"),
    )
}

pub(super) fn c3p(request: &Request) -> C3pRequest {
    C3pRequest::parse(&request.body).unwrap()
}

fn success(request: &Request, inner: &str) -> String {
    let r = c3p(request);
    format!(
        "<response xmlns=\"urn:ietf:params:xml:ns:cccp\" requestId=\"{}\" from=\"{}\" to=\"{}\" code=\"success\">{inner}</response>",
        r.request_id, r.to, r.from
    )
}

/// Alice in the conference with bob, and the requests that began her three dialogs.
pub(super) struct In {
    pub rig: Rig,
    pub focus: Request,
    pub roster: Request,
    pub chat: Request,
}

pub(super) fn accept_focus(rig: &mut Rig, role: &str) -> (Token, Request) {
    let invite = rig.sends(&format!("INVITE {FOCUS}"));
    let granted = format!(
        "<addUser><user xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:alice@contoso.com\"><roles><entry>{role}</entry></roles></user></addUser>"
    );
    let body = success(&invite.1, &granted);
    rig.reply(&invite, 200, &format!("Contact: <{FOCUS}>;isfocus\nContent-Type: application/cccp+xml"), &body);
    assert!(rig.acks().uri.as_str().contains("focus:id"));
    invite
}

pub(super) fn joined_as(role: &str) -> In {
    let mut rig = Rig::new();
    let op = rig.op(join());
    assert_eq!(rig.state(), ConversationState::Conferencing);
    let focus = accept_focus(&mut rig, role);
    let subscribe = rig.sends(&format!("SUBSCRIBE {FOCUS}"));
    rig.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>\nExpires: 3600\n{ROSTER}"), &full(1, &inside("bob", "presenter")));
    let chat = rig.sends(&format!("INVITE {CHAT}"));
    assert_eq!(rig.result(op), None);
    rig.ok(&chat);
    rig.acks();
    assert_eq!(rig.result(op), Some(Ok(Outcome::Done)));
    let view = rig.view();
    assert_eq!((view.state, view.focus.as_deref()), (ConversationState::Conferenced, Some(FOCUS)));
    In { rig, focus: focus.1, roster: subscribe.1, chat: chat.1 }
}

fn join() -> Operation {
    Operation::JoinConference { id: talk(), target: JoinTarget::Link(FOCUS.into()), passcode: None }
}

impl In {
    fn notify(&mut self, body: &str) {
        let roster = self.roster.clone();
        self.rig.in_dialog("BENOTIFY", &roster, ROSTER, body);
    }

    pub(super) fn chat_sends(&mut self, method: &str, head: &str, body: &str) -> ServerTx {
        let chat = self.chat.clone();
        self.rig.in_dialog(method, &chat, head, body)
    }

    fn focus_sends(&mut self, method: &str, head: &str, body: &str) -> ServerTx {
        let focus = self.focus.clone();
        self.rig.in_dialog(method, &focus, head, body)
    }

    fn names(&mut self) -> Vec<String> {
        self.rig.view().participants.into_iter().map(|p| p.uri.user().to_owned()).collect()
    }
}

#[test]
fn joining_goes_focus_roster_chat() {
    let mut r = Rig::new();
    r.op(join());
    let invite = accept_focus(&mut r, "attendee");
    match c3p(&invite.1).command {
        Command::AddUser(user) => {
            assert!(user.lobby_capable && user.conference == FOCUS && user.user == who("alice"));
            assert_eq!((user.endpoint.len(), user.role), (38, Role::Attendee));
        }
        other => panic!("{other:?}"),
    }
    let subscribe = r.sends("SUBSCRIBE");
    let has = |n: &str, v: &str| subscribe.1.headers.has_token(&n.into(), v);
    assert!(has("Event", "conference") && has("Supported", "ms-piggyback-first-notify") && has("Supported", "ms-benotify"));
    let j = joined_as("presenter");
    assert_eq!(j.roster.headers.get(&"Expires".into()), Some("3600"));
}

#[test]
fn every_form_of_link_leads_to_the_focus() {
    for link in
        [FOCUS, "conf:sip:bob@contoso.com;gruu;opaque=app:conf:focus:id:K7M2Q9TX?x=y", "https://meet.contoso.com/bob/K7M2Q9TX"]
    {
        let mut r = Rig::new();
        r.op(Operation::JoinConference { id: talk(), target: JoinTarget::Link(link.into()), passcode: None });
        r.sends(&format!("INVITE {FOCUS}"));
    }
    let mut r = Rig::new();
    r.op(Operation::JoinConference {
        id: talk(),
        target: JoinTarget::Conference(who("bob"), ConferenceId("K7M2Q9TX".into())),
        passcode: None,
    });
    r.sends(&format!("INVITE {FOCUS}"));
    let op = r.op(Operation::JoinConference {
        id: ConversationId("c2".into()),
        target: JoinTarget::Link("hello".into()),
        passcode: None,
    });
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::InvalidArgument);
}

#[test]
fn a_refused_join_says_why_and_ends() {
    for (status, words) in [(404, "no such meeting"), (403, "does not admit"), (486, "full"), (408, "did not answer")] {
        let mut r = Rig::new();
        let op = r.op(join());
        let invite = r.sends("INVITE");
        r.reply(&invite, status, "ms-diagnostics: 3012;reason=\"Invalid conference URI\"", "");
        let view = r.view();
        assert_eq!(view.state, ConversationState::Terminated);
        assert!(view.end_reason.unwrap().contains(words), "{status}");
        let error = r.result(op).unwrap().unwrap_err();
        assert_eq!((error.kind, error.status), (ErrorKind::ConferenceFailed, Some(status)));
    }
}

#[test]
fn a_success_that_carries_a_failure_is_a_failure() {
    let mut r = Rig::new();
    let op = r.op(join());
    let invite = r.sends("INVITE");
    let body = success(&invite.1, "<addUser reason=\"maximumMeetingSizeExceeded\"/>").replace("\"success\"", "\"failure\"");
    r.reply(&invite, 200, "Content-Type: application/cccp+xml", &body);
    r.acks();
    r.sends("BYE");
    assert!(r.result(op).unwrap().unwrap_err().text.contains("full"));
}

#[test]
fn an_unavailable_server_is_tried_again_after_5_15_and_30_s() {
    let mut r = Rig::new();
    let op = r.op(join());
    for wait in [5, 15, 30] {
        let invite = r.sends("INVITE");
        r.reply(&invite, 503, "", "");
        r.pass(Duration::from_secs(wait - 1));
        assert!(r.sent.is_empty());
        r.pass(Duration::from_secs(1));
    }
    let invite = r.sends("INVITE");
    r.reply(&invite, 503, "", "");
    assert!(r.result(op).unwrap().is_err());
}

#[test]
fn the_roster_follows_its_documents() {
    let mut j = joined_as("presenter");
    j.notify(&partial(2, &inside("carol", "attendee")));
    assert_eq!(j.names(), ["bob", "carol"]);
    // Once more the same, then a change that has been seen already.
    j.notify(&partial(2, "<user entity=\"sip:bob@contoso.com\" state=\"deleted\"/>"));
    assert!(j.rig.events.is_empty());
    j.notify(&partial(3, "<user entity=\"sip:bob@contoso.com\" state=\"deleted\"/>"));
    assert_eq!(j.names(), ["carol"]);
    j.notify(&document("partial", 4, "<conference-state><locked>true</locked></conference-state>"));
    assert!(j.rig.view().locked);
    j.notify(&partial(5, &inside("alice", "attendee")));
    assert_eq!(j.rig.view().my_role, Some(Role::Attendee));
}

#[test]
fn a_gap_asks_for_the_full_roster_in_the_same_subscription() {
    let mut j = joined_as("presenter");
    j.notify(&partial(4, &inside("carol", "attendee")));
    let again = j.rig.sends("SUBSCRIBE");
    assert_eq!(again.1.headers.call_id(), j.roster.headers.call_id());
    j.notify(&partial(5, &inside("dave", "attendee")));
    assert!(j.rig.sent.is_empty());
    j.rig.reply(&again, 200, "Expires: 3600", &full(6, &(inside("bob", "presenter") + &inside("carol", "attendee"))));
    assert_eq!(j.names(), ["bob", "carol"]);
}

#[test]
fn the_subscription_is_renewed_and_made_anew_when_it_ends() {
    let mut j = joined_as("presenter");
    j.rig.pass(Duration::from_secs(3240));
    let renewal = j.rig.sends("SUBSCRIBE");
    assert!(renewal.1.headers.get(&"To".into()).unwrap().contains("tag=srv"));
    j.rig.reply(&renewal, 481, "", "");
    j.rig.pass(Duration::from_secs(5));
    let anew = j.rig.sends("SUBSCRIBE");
    assert!(!anew.1.headers.get(&"To".into()).unwrap().contains("tag="));
}

#[test]
fn hostile_documents_change_nothing() {
    let mut j = joined_as("presenter");
    for bad in [
        "",
        "<",
        "<conference-info/>",
        "<x xmlns='urn:y'/>",
        &full(9, "").replace("K7M2Q9TX\" state", "ABCDEFGH\" state"),
        &"<a>".repeat(9000),
    ] {
        j.notify(bad);
        j.focus_sends("INFO", "Content-Type: application/cccp+xml", bad);
        let tx = j.chat_sends("MESSAGE", "Content-Type: application/ms-imdn+xml", bad);
        j.rig.answered(tx);
    }
    assert!(j.rig.events.is_empty() && j.rig.sent.is_empty());
    // A chat MCU that belongs to another conference is not believed.
    let mut r = Rig::new();
    r.op(join());
    accept_focus(&mut r, "attendee");
    let subscribe = r.sends("SUBSCRIBE");
    let elsewhere = full(1, "")
        .replace("sip:bob@contoso.com;gruu;opaque=app:conf:chat", "sip:mallory@evil.example;gruu;opaque=app:conf:chat");
    r.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>"), &elsewhere);
    assert!(r.sent.is_empty());
}

#[test]
fn the_lobby_waits_until_a_leader_decides() {
    let enter = |r: &mut Rig| {
        let op = r.op(join());
        let focus = accept_focus(r, "attendee");
        let subscribe = r.sends("SUBSCRIBE");
        r.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>\n{ROSTER}"), &lobby());
        assert_eq!(r.result(op), Some(Ok(Outcome::Done)));
        assert_eq!(r.state(), ConversationState::InLobby);
        assert!(r.sent.is_empty());
        (focus.1, subscribe.1)
    };
    let mut r = Rig::new();
    let (_, roster) = enter(&mut r);
    r.say(1, "may I?");
    let both = inside("bob", "presenter") + &user("alice", "attendee", &[("focus", "connected")]);
    r.in_dialog("BENOTIFY", &roster, ROSTER, &full(2, &both));
    assert_eq!(r.state(), ConversationState::Conferenced);
    let chat = r.sends(&format!("INVITE {CHAT}"));
    assert!(r.sent.is_empty());
    r.ok(&chat);
    assert_eq!(r.sends("MESSAGE").1.body, b"may I?");

    let mut r = Rig::new();
    let (focus, _) = enter(&mut r);
    r.in_dialog("BYE", &focus, "ms-diagnostics: 3014;reason=\"A leader did not let you in\"", "");
    for bye in std::mem::take(&mut r.sent) {
        r.ok(&bye);
    }
    let view = r.view();
    assert_eq!((view.state, view.end_reason.as_deref()), (ConversationState::Terminated, Some("A leader did not let you in")));
}

#[test]
fn a_text_is_sent_with_the_202_and_delivered_with_the_report() {
    let mut j = joined_as("attendee");
    j.rig.say(1, "one");
    j.rig.say(2, "two");
    j.rig.say(3, "three");
    let (one, two, three) = (j.rig.sends(&format!("MESSAGE {CHAT}")), j.rig.sends("MESSAGE"), j.rig.sends("MESSAGE"));
    j.rig.deliveries();
    j.rig.reply(&one, 202, "Message-Id: 14", "");
    j.rig.reply(&two, 202, "Message-Id: 15", "");
    j.rig.reply(&three, 202, "", "");
    assert_eq!(j.rig.deliveries(), [tell(3, Delivery::Delivered)], "no report follows a 202 without Message-Id");
    let report = |id: u32, who: &str| {
        format!("<imdn xmlns=\"http://schemas.microsoft.com/rtc/2005/08/imdn\"><message-id>{id}</message-id>{who}</imdn>")
    };
    j.chat_sends("BENOTIFY", "Content-Type: application/ms-imdn+xml", &report(14, ""));
    assert_eq!(j.rig.deliveries(), [tell(1, Delivery::Delivered)]);
    let carol = "<recipient uri=\"&lt;sip:carol@contoso.com&gt;\"><status>408</status></recipient>";
    let dave = "<recipient uri=\"&lt;sip:dave@contoso.com&gt;\"><status>200</status></recipient>";
    j.chat_sends("BENOTIFY", "Content-Type: application/ms-imdn+xml", &report(15, &format!("{carol}{dave}")));
    assert_eq!(failed(2, &j.rig.deliveries()[0]), "it did not reach carol@contoso.com");
}

#[test]
fn a_report_that_never_comes_leaves_the_message_sent() {
    let mut j = joined_as("attendee");
    j.rig.say(1, "one");
    let one = j.rig.sends("MESSAGE");
    j.rig.reply(&one, 202, "Message-Id: 14", "");
    j.rig.pass(Duration::from_secs(300));
    assert_eq!(j.rig.deliveries(), [tell(1, Delivery::Sent)]);
}

#[test]
fn texts_come_from_their_authors_also_from_our_own_other_device() {
    let mut j = joined_as("attendee");
    let typing = "<KeyboardActivity><status status=\"type\"/></KeyboardActivity>";
    j.chat_sends("INFO", "Ms-Sender: <sip:bob@contoso.com>\nContent-Type: application/xml", typing);
    assert!(j.rig.view().participants[0].typing);
    let bob = "Ms-Sender: <sip:bob@contoso.com;opaque=user:epid:Tt7;gruu>\nContent-Type: text/plain";
    let tx = j.chat_sends("MESSAGE", bob, "Shall we start?");
    assert_eq!(j.rig.answered(tx).status, 200);
    assert!(!j.rig.view().participants[0].typing);
    j.chat_sends("MESSAGE", "Ms-Sender: <sip:alice@contoso.com>\nContent-Type: text/plain", "from my phone");
    let got = j.rig.messages();
    assert_eq!((got[0].author.clone(), got[0].state.clone()), (who("bob"), Delivery::Received));
    assert_eq!((got[1].author.clone(), got[1].state.clone()), (who("alice"), Delivery::Delivered));
    j.rig.done(Operation::Typing { conversation: talk(), active: true });
    j.rig.sends(&format!("INFO {CHAT}"));
}

#[test]
fn commands_go_to_the_focus_and_end_with_its_report() {
    let orders = [
        (Operation::LockConference { conversation: talk(), locked: true }, "modifyConferenceLock"),
        (Operation::Eject { conversation: talk(), uri: who("bob") }, "deleteUser"),
        (Operation::SetRole { conversation: talk(), uri: who("bob"), role: Role::Leader }, "modifyUserRoles"),
        (Operation::Admit { conversation: talk(), uris: vec![who("bob")], admit: true }, "setLobbyAccess"),
        (Operation::EndConference { conversation: talk() }, "deleteConference"),
    ];
    let mut j = joined_as("presenter");
    for (operation, name) in orders {
        let op = j.rig.op(operation);
        let info = j.rig.sends(&format!("INFO {FOCUS}"));
        assert_eq!(c3p(&info.1).command.name(), name);
        j.rig.reply(&info, 202, "", "");
        assert_eq!(j.rig.result(op), None);
        let done = success(&info.1, &format!("<{name}/>"));
        let pending = done.replace("\"success\"", "\"pending\"");
        j.focus_sends("INFO", "Content-Type: application/cccp+xml", &pending);
        assert_eq!(j.rig.result(op), None);
        let tx = j.focus_sends("INFO", "Content-Type: application/cccp+xml", &done);
        assert_eq!(j.rig.answered(tx).status, 200);
        assert_eq!(j.rig.result(op), Some(Ok(Outcome::Done)));
    }
}

#[test]
fn commands_fail_with_a_sentence() {
    let mut j = joined_as("presenter");
    let lock = Operation::LockConference { conversation: talk(), locked: true };
    let op = j.rig.op(lock.clone());
    let info = j.rig.sends("INFO");
    j.rig.reply(&info, 202, "", "");
    let refusal = success(&info.1, "<modifyConferenceLock reason=\"forbidden\"/>").replace("\"success\"", "\"failure\"");
    j.focus_sends("INFO", "Content-Type: application/cccp+xml", &refusal);
    assert_eq!(j.rig.result(op).unwrap().unwrap_err().text, "only a leader may do this");
    for status in [403, 481, 503, 603] {
        let op = j.rig.op(lock.clone());
        let info = j.rig.sends("INFO");
        j.rig.reply(&info, status, "", "");
        assert_eq!(j.rig.result(op).unwrap().unwrap_err().status, Some(status));
    }
    let op = j.rig.op(lock.clone());
    let info = j.rig.sends("INFO");
    j.rig.reply(&info, 202, "", "");
    j.rig.pass(Duration::from_secs(60));
    assert_eq!(j.rig.result(op).unwrap().unwrap_err().kind, ErrorKind::Timeout);
    let mut j = joined_as("attendee");
    let op = j.rig.op(lock);
    assert_eq!(j.rig.result(op).unwrap().unwrap_err().text, "only leaders may do this");
}

#[test]
fn twenty_commands_may_be_unanswered_and_no_more() {
    let mut j = joined_as("presenter");
    let lock = Operation::LockConference { conversation: talk(), locked: true };
    let mut out = Vec::new();
    for _ in 0..20 {
        let op = j.rig.op(lock.clone());
        out.push((op, j.rig.sends(&format!("INFO {FOCUS}"))));
    }
    let late = j.rig.op(lock.clone());
    let refusal = j.rig.result(late).unwrap().unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Retryable);
    assert_eq!(refusal.text, "20 requests to this meeting are unanswered; try again when one has been answered");
    assert!(j.rig.sent.is_empty());
    let (op, info) = &out[0];
    j.rig.reply(info, 202, "", "");
    j.focus_sends("INFO", "Content-Type: application/cccp+xml", &success(&info.1, "<modifyConferenceLock/>"));
    assert_eq!(j.rig.result(*op), Some(Ok(Outcome::Done)));
    j.rig.op(lock);
    j.rig.sends(&format!("INFO {FOCUS}"));
}

#[test]
fn a_conference_that_vanishes_ends_its_commands_with_its_reason() {
    let mut j = joined_as("presenter");
    let op = j.rig.op(Operation::LockConference { conversation: talk(), locked: true });
    let info = j.rig.sends("INFO");
    j.rig.reply(&info, 202, "", "");
    j.focus_sends("BYE", "ms-diagnostics: 3190;reason=\"The organizer cancelled the conference\"", "");
    let error = j.rig.result(op).unwrap().unwrap_err();
    let text = "the meeting was over before it was done: The organizer cancelled the conference";
    assert_eq!((error.kind, error.text.as_str()), (ErrorKind::ConferenceFailed, text));
    let mut j = joined_as("presenter");
    let op = j.rig.op(Operation::Eject { conversation: talk(), uri: who("bob") });
    let info = j.rig.sends("INFO");
    j.rig.reply(&info, 481, "", "");
    assert_eq!(j.rig.result(op).unwrap().unwrap_err().text, "you are no longer in this meeting; join again");
}

#[test]
fn who_knows_no_meetings_is_called_by_the_mcu_and_the_roster_says_how_that_went() {
    let mut j = joined_as("presenter");
    for (answer, ends) in [("success", InvitationState::Terminating), ("failure", InvitationState::Terminating)] {
        let op = j.rig.op(Operation::Invite { conversation: talk(), uri: who("zoe") });
        let invite = j.rig.sends("INVITE sip:zoe@contoso.com");
        j.rig.reply(&invite, 488, "", "");
        let info = j.rig.sends(&format!("INFO {FOCUS}"));
        assert!(c3p(&info.1).command.name() == "addUser");
        let asked = j.rig.view().meeting.invited.clone();
        assert_eq!((asked[0].state, asked[0].reason.as_str()), (InvitationState::Delivering, "is called by the meeting"));
        j.rig.reply(&info, 202, "", "");
        let body = success(&info.1, "<addUser reason=\"otherFailure\"/>").replace("\"success\"", &format!("\"{answer}\""));
        j.focus_sends("INFO", "Content-Type: application/cccp+xml", &body);
        assert_eq!(j.rig.result(op).unwrap().is_ok(), answer == "success");
        let asked = j.rig.view().meeting.invited.clone();
        let words = if answer == "success" { "comes" } else { "the server refused the command" };
        assert_eq!((asked[0].state, asked[0].reason.as_str()), (ends, words));
    }
}

#[test]
fn being_thrown_out_ends_with_the_reason() {
    let mut j = joined_as("attendee");
    let tx = j.chat_sends("BYE", "", "");
    assert_eq!(j.rig.answered(tx).status, 200);
    let roster = j.roster.clone();
    j.rig.in_dialog("BENOTIFY", &roster, "Event: conference\nSubscription-State: terminated;expires=0", "");
    let tx = j.focus_sends("BYE", "ms-diagnostics: 51004;reason=\"Removed by presenter\"", "");
    assert_eq!(j.rig.answered(tx).status, 200);
    let view = j.rig.view();
    assert_eq!((view.state, view.end_reason.as_deref()), (ConversationState::Terminated, Some("Removed by presenter")));
    assert_eq!(view.focus.as_deref(), Some(FOCUS));
    j.rig.pass(Duration::from_secs(600));
    assert!(j.rig.sent.is_empty() && j.rig.s.poll_timeout().is_none());
    // Writing there needs a new join, which may use the same conversation.
    let op = j.rig.op(Operation::SendMessage { conversation: talk(), message: MessageId("1".into()), text: "x".into() });
    assert!(j.rig.result(op).unwrap().unwrap_err().text.contains("join it again"));
    j.rig.op(join());
    assert_eq!(j.rig.state(), ConversationState::Conferencing);
}

#[test]
fn ending_for_everyone_succeeds_also_when_the_goodbye_comes_first() {
    let mut j = joined_as("presenter");
    let op = j.rig.op(Operation::EndConference { conversation: talk() });
    let info = j.rig.sends("INFO");
    j.rig.reply(&info, 202, "", "");
    j.focus_sends("BYE", "", "");
    assert_eq!(j.rig.result(op), Some(Ok(Outcome::Done)));
    for bye in std::mem::take(&mut j.rig.sent) {
        j.rig.ok(&bye);
    }
    assert_eq!(j.rig.state(), ConversationState::Terminated);
}

#[test]
fn leaving_unsubscribes_and_says_goodbye_to_focus_and_chat() {
    let mut j = joined_as("attendee");
    j.rig.done(Operation::EndConversation { conversation: talk() });
    let end = j.rig.sends("SUBSCRIBE");
    assert_eq!(end.1.headers.get(&"Expires".into()), Some("0"));
    let focus = j.rig.sends(&format!("BYE {FOCUS}"));
    let chat = j.rig.sends(&format!("BYE {CHAT}"));
    assert_eq!(j.rig.state(), ConversationState::Terminating);
    for sent in [end, focus, chat] {
        j.rig.ok(&sent);
    }
    let view = j.rig.view();
    assert_eq!((view.state, view.end_reason), (ConversationState::Terminated, None));
}

#[test]
fn a_lost_chat_is_brought_up_again_and_texts_wait_for_it() {
    let mut j = joined_as("attendee");
    j.chat_sends("BYE", "", "");
    j.rig.say(1, "still there?");
    assert!(j.rig.sent.is_empty());
    j.rig.pass(Duration::from_secs(2));
    let chat = j.rig.sends(&format!("INVITE {CHAT}"));
    j.rig.ok(&chat);
    j.rig.sends("MESSAGE");
}

#[test]
fn a_chat_that_cannot_be_reached_fails_the_texts_after_some_tries() {
    let mut j = joined_as("attendee");
    j.chat_sends("BYE", "", "");
    j.rig.say(1, "hello?");
    for _ in 0..2 {
        j.rig.pass(Duration::from_secs(2));
        let chat = j.rig.sends("INVITE");
        j.rig.reply(&chat, 480, "", "");
    }
    j.rig.pass(Duration::from_secs(60));
    assert!(j.rig.sent.is_empty());
    assert!(failed(1, &j.rig.deliveries()[0]).contains("chat"));
}

#[test]
fn after_a_lost_link_the_conference_is_joined_again_with_new_dialogs() {
    let mut j = joined_as("presenter");
    let lock = j.rig.op(Operation::LockConference { conversation: talk(), locked: true });
    j.rig.say(1, "in flight");
    j.rig.link_lost();
    assert_eq!(j.rig.result(lock).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    let op = j.rig.op(Operation::LockConference { conversation: talk(), locked: true });
    assert_eq!(j.rig.result(op).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    j.rig.say(2, "offline");
    j.rig.deliveries();
    j.rig.back_online();
    let again = accept_focus(&mut j.rig, "presenter");
    assert_ne!(again.1.headers.call_id(), j.focus.headers.call_id());
    let subscribe = j.rig.sends("SUBSCRIBE");
    let people = inside("bob", "presenter") + &inside("carol", "attendee");
    j.rig.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>"), &full(1, &people));
    let chat = j.rig.sends("INVITE");
    j.rig.ok(&chat);
    assert_eq!(j.rig.sends("MESSAGE").1.body, b"offline");
    assert_eq!(j.names(), ["bob", "carol"]);
    assert_eq!(j.rig.deliveries(), [tell(2, Delivery::Sent)]);
}

#[test]
fn a_text_the_mcu_would_know_by_name_is_sent_again_when_the_link_broke_before_the_answer() {
    let mut j = joined_as("presenter");
    let names = |r: &Request| r.headers.get(&crate::lync::im::message_name()).unwrap_or_default().to_owned();
    let again = |j: &mut In| {
        j.rig.link_lost();
        j.rig.back_online();
        accept_focus(&mut j.rig, "presenter");
        let subscribe = j.rig.sends("SUBSCRIBE");
        j.rig.reply(&subscribe, 200, &format!("Contact: <{FOCUS}>"), &full(1, &inside("bob", "presenter")));
        let chat = j.rig.sends("INVITE");
        j.rig.reply(&chat, 200, &format!("Contact: <{CHAT}>\nSupported: {}", crate::lync::im::ONCE), "");
        j.rig.acks();
    };
    again(&mut j);
    j.rig.say(1, "in flight");
    let first = j.rig.sent.back().cloned().unwrap();
    j.rig.deliveries();
    again(&mut j);
    let second = j.rig.sends("MESSAGE");
    assert_eq!((&second.1.body, names(&second.1)), (&first.1.body, names(&first.1)));
    assert!(!names(&second.1).is_empty());
    assert_eq!(j.rig.deliveries(), [tell(1, Delivery::Queued), tell(1, Delivery::Sent)]);
}

#[test]
fn a_conference_that_is_over_meanwhile_ends_after_the_lost_link() {
    let mut j = joined_as("presenter");
    j.rig.link_lost();
    j.rig.back_online();
    let again = j.rig.sends("INVITE");
    j.rig.reply(&again, 404, "", "");
    assert_eq!(j.rig.state(), ConversationState::Terminated);
}

#[test]
fn a_link_lost_while_joining_fails_the_join() {
    let mut r = Rig::new();
    let op = r.op(join());
    r.link_lost();
    assert_eq!(r.result(op).unwrap().unwrap_err().kind, ErrorKind::Retryable);
    assert_eq!(r.state(), ConversationState::Terminated);
    r.back_online();
    assert!(r.sent.is_empty());
}

#[test]
fn joining_twice_is_joining_once() {
    let mut j = joined_as("attendee");
    j.rig.done(join());
    let op = j.rig.op(Operation::JoinConference {
        id: ConversationId("c2".into()),
        target: JoinTarget::Link(FOCUS.into()),
        passcode: None,
    });
    assert!(j.rig.result(op).unwrap().unwrap_err().text.contains("already"));
}
