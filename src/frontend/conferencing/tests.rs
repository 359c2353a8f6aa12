use super::*;
use crate::domain::conference::{AccessLevel, AutomaticLeaders, ConferenceSettings, Invitee};
use crate::domain::conversation::Role;
use crate::frontend::bench::{Bench, Got, address};
use crate::lync::cccp::{AddUser, Answer, C3pRequest, C3pResponse, Code, Command, ConferenceRecord, FailureReason};
use crate::lync::confinfo::{Applied, ConferenceInfo, apply};
use crate::lync::identity;
use crate::lync::im::{DeliveryReport, MessageSdp};
use crate::sip::{NameAddr, Request, Response, ServerTx};

mod control;
mod dial_out;

const ID: &str = "K7M2Q9TX";
const FOCUS: &str = "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:K7M2Q9TX";
const CHAT: &str = "sip:alice@contoso.com;gruu;opaque=app:conf:chat:id:K7M2Q9TX";

type TestBench = Bench<Conferencing>;

fn bench() -> TestBench {
    Bench::new(Conferencing::default())
}

fn conference_id() -> crate::domain::conference::ConferenceId {
    crate::domain::conference::ConferenceId(ID.into())
}

/// Nothing is due but the session timers of those inside.
fn only_sessions(b: &TestBench) -> bool {
    b.module.timers.iter().all(|t| matches!(t.1, Timer::Session(..)))
}

/// SERVICE to alice's factory.
fn service(b: &mut TestBench, from: RegistrationId, command: Command) -> Result<Answer, FailureReason> {
    let response = service_raw(b, from, command);
    assert_eq!(response.status, 200);
    C3pResponse::parse(&response.body).unwrap().into_result()
}

fn service_raw(b: &mut TestBench, from: RegistrationId, command: Command) -> Response {
    service_of(b, from, "alice", command)
}

fn service_of(b: &mut TestBench, from: RegistrationId, owner: &str, command: Command) -> Response {
    let uri = identity::focus_factory(&address(owner));
    let user = b.state.registrations.get(from).unwrap().user.clone();
    let body = C3pRequest::new(1, &uri, user.as_str(), command).to_bytes();
    let (me, to) = (format!("<{user}>;tag=s1"), format!("<{uri}>"));
    let headers = [("From", me.as_str()), ("To", to.as_str()), ("Call-ID", "s"), ("CSeq", "1 SERVICE")];
    let request = b.request(from, "SERVICE", &uri, &headers).with_body("application/cccp+xml", body);
    let tx = b.send(from, request);
    b.response(tx)
}

fn scheduled(b: &mut TestBench, alice: RegistrationId, settings: ConferenceSettings) {
    let record = ConferenceRecord::request(&conference_id(), &settings);
    service(b, alice, Command::AddConference(Box::new(record))).unwrap();
}

/// A client of the test: one device in the conference.
struct Client {
    at: RegistrationId,
    name: &'static str,
    focus: String,
    chat: String,
    subscription: String,
    cseq: u32,
    state: Option<ConferenceInfo>,
}

impl Client {
    fn new(b: &mut TestBench, name: &'static str, device: u64) -> Client {
        let at = b.sign_in(name, device);
        Client { at, name, focus: String::new(), chat: String::new(), subscription: String::new(), cseq: 0, state: None }
    }

    /// A request of this client; `tag` is the server's tag inside a dialog.
    fn request(&mut self, b: &TestBench, method: &str, uri: &str, kind: &str, tag: &str) -> Request {
        self.cseq += 1;
        let to = if tag.is_empty() { format!("<{uri}>") } else { format!("<{uri}>;tag={tag}") };
        let from = format!("<{}>;tag={kind}{}", address(self.name), self.at.0);
        let (call, cseq) = (format!("{kind}-{}", self.at.0), format!("{} {method}", self.cseq));
        let headers = [("From", from.as_str()), ("To", to.as_str()), ("Call-ID", call.as_str()), ("CSeq", cseq.as_str())];
        b.request(self.at, method, uri, &headers)
    }

    fn join_with(&mut self, b: &mut TestBench, lobby_capable: bool) -> Response {
        self.join_as(b, |add| add.lobby_capable = lobby_capable)
    }

    fn join_as(&mut self, b: &mut TestBench, change: impl FnOnce(&mut AddUser)) -> Response {
        let mut add = AddUser::join(FOCUS, &address(self.name), "", &format!("{{GUID-{}}}", self.at.0));
        change(&mut add);
        let body = C3pRequest::new(7, FOCUS, address(self.name).as_str(), Command::AddUser(Box::new(add))).to_bytes();
        let request =
            self.request(b, "INVITE", FOCUS, "focus", "").with("Supported", "timer").with_body("application/cccp+xml", body);
        let tx = b.send(self.at, request);
        let response = b.response(tx);
        self.focus = tag(&response);
        response
    }

    /// Joins the focus and subscribes; the role granted.
    fn join(&mut self, b: &mut TestBench) -> Role {
        let response = self.join_with(b, true);
        assert_eq!(response.status, 200, "{response:?}");
        self.subscribe(b);
        match C3pResponse::parse(&response.body).unwrap().into_result() {
            Ok(Answer::User { role, .. }) => role,
            other => panic!("{other:?}"),
        }
    }

    fn subscribe(&mut self, b: &mut TestBench) {
        let request = self
            .request(b, "SUBSCRIBE", FOCUS, "sub", "")
            .with("Event", "conference")
            .with("Supported", "ms-benotify")
            .with("Supported", "ms-piggyback-first-notify");
        let tx = b.send(self.at, request);
        let response = b.response(tx);
        assert_eq!((response.status, response.headers.get(&Name::MsPiggybackCseq)), (200, Some("1")));
        assert_eq!(response.headers.get(&Name::Event), Some("conference"));
        self.subscription = tag(&response);
        self.state = None;
        let document = ConferenceInfo::parse(&response.body).unwrap();
        assert_eq!(apply(&mut self.state, document), Applied::Applied);
    }

    fn chat(&mut self, b: &mut TestBench) {
        let sdp = MessageSdp::offer("192.0.2.1").to_bytes();
        self.chat_with(b, sdp);
    }

    fn chat_with(&mut self, b: &mut TestBench, sdp: Vec<u8>) {
        let request = self.request(b, "INVITE", CHAT, "chat", "").with_body("application/sdp", sdp);
        let tx = b.send(self.at, request);
        let response = b.response(tx);
        assert_eq!(response.status, 200);
        assert!(MessageSdp::parse(&response.body).is_some());
        self.chat = tag(&response);
    }

    fn say(&mut self, b: &mut TestBench, text: &str) -> Option<ServerTx> {
        let tag = self.chat.clone();
        let request = self.request(b, "MESSAGE", CHAT, "chat", &tag).with_body("text/plain; charset=UTF-8", text);
        b.send(self.at, request)
    }

    fn command(&mut self, b: &mut TestBench, command: Command) -> Response {
        let body = C3pRequest::new(9, FOCUS, address(self.name).as_str(), command).to_bytes();
        let tag = self.focus.clone();
        let request = self.request(b, "INFO", FOCUS, "focus", &tag).with_body("application/cccp+xml", body);
        let tx = b.send(self.at, request);
        b.response(tx)
    }

    fn bye(&mut self, b: &mut TestBench, kind: &str) {
        let (uri, tag) = if kind == "chat" { (CHAT, self.chat.clone()) } else { (FOCUS, self.focus.clone()) };
        let request = self.request(b, "BYE", uri, kind, &tag);
        let tx = b.send(self.at, request);
        assert_eq!(b.response(tx).status, 200);
    }

    fn sees(&self, name: &str) -> Option<&crate::lync::confinfo::User> {
        self.state.as_ref()?.user(&address(name))
    }

    fn sees_chat(&self, name: &str) -> bool {
        self.sees(name).is_some_and(|u| u.connected_to("chat"))
    }
}

fn tag(response: &Response) -> String {
    response.headers.to().and_then(|t| t.tag().map(str::to_owned)).unwrap_or_default()
}

/// Lets the clients take their notifications; returns what else came.
fn settle(b: &mut TestBench, clients: &mut [&mut Client]) -> Vec<Got> {
    let mut rest = Vec::new();
    for got in std::mem::take(&mut b.got) {
        let notification = got.request.headers.get(&Name::Event) == Some("conference");
        let client = clients.iter_mut().find(|c| c.at == got.at);
        match client {
            Some(client) if notification && !got.request.body.is_empty() => {
                assert_eq!(got.request.method.as_str(), "BENOTIFY");
                assert_eq!(got.request.headers.from().unwrap().tag(), Some(client.subscription.as_str()));
                let document = ConferenceInfo::parse(&got.request.body).unwrap();
                assert_eq!(apply(&mut client.state, document), Applied::Applied, "{}", client.name);
            }
            _ => rest.push(got),
        }
    }
    rest
}

fn methods(rest: &[Got]) -> Vec<(u64, &str)> {
    rest.iter().map(|g| (g.at.0, g.request.method.as_str())).collect()
}

/// alice, bob and carol in a conference with chat.
fn three(b: &mut TestBench) -> [Client; 3] {
    let mut all = [Client::new(b, "alice", 1), Client::new(b, "bob", 2), Client::new(b, "carol", 3)];
    scheduled(b, all[0].at, ConferenceSettings { subject: "Budget".into(), ..ConferenceSettings::default() });
    for client in &mut all {
        client.join(b);
        client.chat(b);
    }
    let [a, bo, c] = &mut all;
    assert!(settle(b, &mut [a, bo, c]).is_empty());
    all
}

#[test]
fn the_factory_says_what_it_offers_and_serves_its_organizer_alone() {
    let mut b = bench();
    let (alice, bob) = (b.sign_in("alice", 1), b.sign_in("bob", 2));
    match service(&mut b, alice, Command::GetConferencingCapabilities) {
        Ok(Answer::Capabilities(c)) => assert_eq!(c.mcus, ["chat"]),
        other => panic!("{other:?}"),
    }
    let refused = service_raw(&mut b, bob, Command::GetConferences);
    assert_eq!(refused.status, 403);
    assert!(refused.headers.get(&Name::MsDiagnostics).unwrap().starts_with("3014;"));
    let mut broken = b.request(alice, "SERVICE", &identity::focus_factory(&address("alice")), &[("To", "<sip:x>")]);
    broken.body = b"<request".to_vec();
    let tx = b.send(alice, broken);
    let response = b.response(tx);
    assert_eq!(response.status, 400);
    assert!(response.headers.get(&Name::MsDiagnostics).unwrap().starts_with("3006;"));
}

#[test]
fn a_conference_is_scheduled_listed_changed_by_version_and_deleted() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    let settings =
        ConferenceSettings { subject: "Budget".into(), time_zone: "Europe/Oslo".into(), ..ConferenceSettings::default() };
    let record = ConferenceRecord::request(&conference_id(), &settings);
    let Ok(Answer::Conference(made)) = service(&mut b, alice, Command::AddConference(Box::new(record.clone()))) else { panic!() };
    assert_eq!((made.uri.as_str(), made.version, made.settings.time_zone.as_str()), (FOCUS, 1, "Europe/Oslo"));
    assert!(matches!(b.stored.last(), Some(StoreOp::PutConference(c)) if c.settings == settings));
    let again = service(&mut b, alice, Command::AddConference(Box::new(record)));
    assert_eq!(again, Err(FailureReason::ConferenceExists));
    let mut change = *made.clone();
    change.settings.subject = "Second round".into();
    let Ok(Answer::Conference(changed)) = service(&mut b, alice, Command::ModifyConference(Box::new(change.clone()))) else {
        panic!()
    };
    assert_eq!(changed.version, 2);
    assert_eq!(service(&mut b, alice, Command::ModifyConference(Box::new(change))), Err(FailureReason::InvalidVersion));
    match service(&mut b, alice, Command::GetConferences) {
        Ok(Answer::Conferences(all)) => assert_eq!((all.len(), all[0].settings.subject.as_str()), (1, "Second round")),
        other => panic!("{other:?}"),
    }
    match service(&mut b, alice, Command::GetConference(conference_id())) {
        Ok(Answer::Conference(c)) => assert_eq!((c.version, c.is_active), (2, false)),
        other => panic!("{other:?}"),
    }
    service(&mut b, alice, Command::CancelConference(conference_id())).unwrap();
    assert!(matches!(b.stored.last(), Some(StoreOp::DeleteConference { .. })));
    let gone = service(&mut b, alice, Command::GetConference(conference_id()));
    assert_eq!(gone, Err(FailureReason::ConferenceDoesNotExist));
}

#[test]
fn unusable_settings_are_refused_with_their_reason() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    let year = std::time::Duration::from_secs(370 * 86_400);
    let bob = Invitee { uri: address("bob"), role: Role::Attendee };
    let cases: [(ConferenceSettings, FailureReason); 4] = [
        (ConferenceSettings { expiry: Some(b.now - year), ..ConferenceSettings::default() }, FailureReason::InvalidExpiryTime),
        (
            ConferenceSettings { mcus: vec!["chat".into(), "audio-video".into()], ..ConferenceSettings::default() },
            FailureReason::McuTypeNotAvailable,
        ),
        (
            ConferenceSettings { participants: vec![bob.clone(), bob], ..ConferenceSettings::default() },
            FailureReason::InvalidUserEntity,
        ),
        (
            ConferenceSettings { subject: "x".repeat(251), ..ConferenceSettings::default() },
            FailureReason::NotificationDataTooLarge,
        ),
    ];
    for (settings, reason) in cases {
        let record = ConferenceRecord::request(&conference_id(), &settings);
        assert_eq!(service(&mut b, alice, Command::AddConference(Box::new(record))), Err(reason));
    }
    assert!(b.stored.is_empty());
    // Clients of old that were told nothing ask for nothing.
    let nothing = ConferenceSettings { mcus: Vec::new(), ..ConferenceSettings::default() };
    scheduled(&mut b, alice, nothing);
    assert!(matches!(b.stored.last(), Some(StoreOp::PutConference(c)) if c.settings.mcus == ["chat"]));
}

#[test]
fn a_conference_with_phone_access_has_a_number_by_which_others_find_it() {
    let mut b = bench();
    let (alice, bob) = (b.sign_in("alice", 1), b.sign_in("bob", 2));
    let open = ConferenceSettings {
        subject: "Budget".into(),
        access: AccessLevel::Everyone,
        passcode: Some("4711".into()),
        passcode_optional: false,
        phone_access: true,
        ..ConferenceSettings::default()
    };
    let record = ConferenceRecord::request(&conference_id(), &open);
    let Ok(Answer::Conference(made)) = service(&mut b, alice, Command::AddConference(Box::new(record))) else { panic!() };
    let number = made.phone_id.clone();
    assert!(number.len() == 6 && number.bytes().all(|d| d.is_ascii_digit()), "{number}");
    assert!(matches!(b.stored.last(), Some(StoreOp::PutConference(c)) if c.phone_id == number));
    // Everybody asks at the own factory.
    let ask = |b: &mut TestBench, command| C3pResponse::parse(&service_of(b, bob, "bob", command).body).unwrap().into_result();
    let Ok(Answer::Conference(found)) = ask(&mut b, Command::FindConference(number.clone())) else { panic!() };
    assert_eq!((found.uri.as_str(), found.phone_id.as_str(), found.settings.passcode_optional), (FOCUS, number.as_str(), false));
    assert_eq!((found.settings.passcode.clone(), found.settings.participants.len()), (None, 0), "only what a caller may know");
    let gone = Err(FailureReason::ConferenceDoesNotExist);
    assert_eq!(ask(&mut b, Command::FindConference("1".into())), gone);
    assert_eq!(ask(&mut b, Command::FindConference(String::new())), gone);
    let verify = |code: Option<&str>| Command::VerifyPasscode { conference: FOCUS.into(), passcode: code.map(str::to_owned) };
    assert!(ask(&mut b, verify(Some("4711"))).is_ok());
    assert_eq!(ask(&mut b, verify(Some("4712"))), Err(FailureReason::InvalidPasscode));
    assert_eq!(ask(&mut b, verify(None)), Err(FailureReason::PasscodeMissing));
    assert!(service(&mut b, alice, verify(None)).is_ok(), "who leads need not say it");
    // The number stays while callers are let in, and goes with them.
    let mut change = *made;
    change.settings.subject = "Second round".into();
    let Ok(Answer::Conference(same)) = service(&mut b, alice, Command::ModifyConference(Box::new(change))) else { panic!() };
    assert_eq!(same.phone_id, number);
    let mut change = *same;
    change.settings.access = AccessLevel::Invited;
    let Ok(Answer::Conference(closed)) = service(&mut b, alice, Command::ModifyConference(Box::new(change))) else { panic!() };
    assert_eq!((closed.phone_id.as_str(), closed.settings.phone_access), ("", false));
    assert_eq!(ask(&mut b, Command::FindConference(number)), gone);
}

#[test]
fn a_conference_whose_time_is_over_goes() {
    let mut b = bench();
    let alice = b.sign_in("alice", 1);
    scheduled(&mut b, alice, ConferenceSettings::default());
    b.pass(2 * 86_400);
    assert_eq!(service(&mut b, alice, Command::GetConferences), Ok(Answer::Conferences(Vec::new())));
    assert!(matches!(b.stored.last(), Some(StoreOp::DeleteConference { .. })));
}

#[test]
fn everybody_sees_everybody_come_with_chat_and_go() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    for client in [&alice, &bob, &carol] {
        for name in ["alice", "bob", "carol"] {
            assert!(client.sees_chat(name), "{} does not see {name}", client.name);
        }
    }
    assert_eq!(alice.sees("alice").unwrap().role, Some(Role::Leader));
    assert_eq!(alice.sees("bob").unwrap().role, Some(Role::Attendee));
    let state = bob.state.as_ref().unwrap();
    assert_eq!((state.entity.as_str(), state.mcu("chat")), (FOCUS, Some(CHAT)));
    assert_eq!(state.description.as_ref().unwrap().subject.as_deref(), Some("Budget"));
    bob.bye(&mut b, "focus");
    let rest = settle(&mut b, &mut [&mut alice, &mut carol]);
    // Out of the MCU too, for clients that say goodbye to the focus alone.
    assert_eq!(methods(&rest), [(bob.at.0, "BYE")]);
    bob.bye(&mut b, "chat");
    assert!(alice.sees("bob").is_none() && carol.sees("bob").is_none());
    b.sign_out(carol.at, false);
    let rest = settle(&mut b, &mut [&mut alice]);
    assert!(rest.is_empty(), "{rest:?}");
    assert!(alice.sees("carol").is_none());
}

#[test]
fn the_last_one_out_leaves_the_conference_inactive_after_a_minute() {
    let mut b = bench();
    let mut alice = Client::new(&mut b, "alice", 1);
    scheduled(&mut b, alice.at, ConferenceSettings::default());
    alice.join(&mut b);
    let lock = Command::ModifyConferenceLock { conference: FOCUS.into(), locked: true };
    assert_eq!(alice.command(&mut b, lock).status, 202);
    alice.bye(&mut b, "focus");
    b.got.clear();
    assert!(b.module.poll_timeout().is_some());
    b.pass(59);
    let mut bob = Client::new(&mut b, "bob", 2);
    assert_eq!(bob.join_with(&mut b, false).status, 403);
    b.pass(2);
    assert!(b.module.confs.values().all(|c| c.live.is_none()));
    assert_eq!(bob.join_with(&mut b, false).status, 200);
    assert!(only_sessions(&b));
    bob.bye(&mut b, "focus");
    b.pass(61);
    assert!(b.module.dialogs.is_empty() && b.module.of_endpoint.is_empty() && b.module.timers.is_empty());
}

#[test]
fn joins_that_cannot_be_are_refused_with_diagnostics() {
    let mut b = bench();
    let (mut alice, mut bob) = (Client::new(&mut b, "alice", 1), Client::new(&mut b, "bob", 2));
    let missing = alice.join_with(&mut b, true);
    assert_eq!(missing.status, 404);
    assert!(missing.headers.get(&Name::MsDiagnostics).unwrap().starts_with("3003;"));
    scheduled(&mut b, alice.at, ConferenceSettings { access: AccessLevel::Locked, ..ConferenceSettings::default() });
    let closed = bob.join_with(&mut b, false);
    assert_eq!(closed.status, 403);
    assert!(closed.headers.get(&Name::MsDiagnostics).unwrap().starts_with("3014;"));
    let add = AddUser::join(FOCUS, &address("alice"), "", "{G}");
    let body = C3pRequest::new(7, FOCUS, address("bob").as_str(), Command::AddUser(Box::new(add))).to_bytes();
    let request = bob.request(&b, "INVITE", FOCUS, "focus", "").with_body("application/cccp+xml", body);
    let tx = b.send(bob.at, request);
    assert_eq!(b.response(tx).status, 403);
    let request = bob.request(&b, "INVITE", CHAT, "chat", "");
    let tx = b.send(bob.at, request);
    assert_eq!(b.response(tx).status, 403);
    let request = bob.request(&b, "SUBSCRIBE", FOCUS, "sub", "").with("Event", "conference");
    let tx = b.send(bob.at, request);
    assert_eq!(b.response(tx).status, 403);
    b.quiet();
}

#[test]
fn without_piggyback_and_benotify_the_state_follows_as_notify() {
    let mut b = bench();
    let mut alice = Client::new(&mut b, "alice", 1);
    scheduled(&mut b, alice.at, ConferenceSettings::default());
    let joined = alice.join_with(&mut b, true);
    assert_eq!(joined.headers.get(&Name::SessionExpires), Some("1800;refresher=uac"));
    assert!(joined.headers.get(&Name::Contact).unwrap().contains(";isfocus"));
    let request = alice.request(&b, "SUBSCRIBE", FOCUS, "sub", "").with("Event", "conference");
    let tx = b.send(alice.at, request);
    let ok = b.response(tx);
    assert!(ok.body.is_empty() && ok.headers.get(&Name::MsPiggybackCseq).is_none());
    let notify = b.next();
    assert_eq!(notify.request.method.as_str(), "NOTIFY");
    assert_eq!(notify.request.headers.cseq().unwrap().number, 1);
    assert_eq!(ConferenceInfo::parse(&notify.request.body).unwrap().version, 1);
    b.answer(&notify, 200, "");
    // Renewal in the dialog brings the whole state again.
    let request = alice.request(&b, "SUBSCRIBE", FOCUS, "sub", &tag(&ok)).with("Event", "conference");
    let tx = b.send(alice.at, request);
    assert_eq!(b.response(tx).status, 200);
    assert_eq!(ConferenceInfo::parse(&b.next().request.body).unwrap().version, 2);
}

#[test]
fn a_goodbye_with_a_foreign_call_id_ends_the_subscription() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let request = bob.request(&b, "SUBSCRIBE", FOCUS, "other", "").with("Event", "conference").with("Expires", "0");
    let tx = b.send(bob.at, request);
    let ok = b.response(tx);
    assert_eq!((ok.status, ok.headers.get(&Name::SubscriptionState)), (200, Some("terminated;expires=0")));
    carol.bye(&mut b, "chat");
    assert!(settle(&mut b, &mut [&mut alice, &mut carol]).is_empty());
    assert!(!alice.sees_chat("carol") && alice.sees("carol").is_some());
}

#[test]
fn a_message_reaches_everybody_else_and_one_report_says_who_missed_it() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let tx = bob.say(&mut b, "Shall we start?");
    let accepted = b.response(tx);
    assert_eq!((accepted.status, accepted.headers.get(&Name::MessageId)), (202, Some("1")));
    let copies = [b.next(), b.next()];
    for (copy, to) in copies.iter().zip([&alice, &carol]) {
        assert_eq!((copy.at, copy.request.body.as_slice()), (to.at, b"Shall we start?".as_slice()));
        let sender = NameAddr::parse(copy.request.headers.get(&Name::MsSender).unwrap()).unwrap();
        assert_eq!(sender.uri.address(), Some(address("bob")));
        assert_eq!(copy.request.headers.from().unwrap().tag(), Some(to.chat.as_str()));
    }
    b.answer(&copies[0], 200, "");
    b.quiet();
    b.reply(&copies[1], Reply::Timeout);
    let rest = settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert_eq!(methods(&rest), [(bob.at.0, "BENOTIFY")]);
    let report = DeliveryReport::parse(&rest[0].request.body).unwrap();
    assert_eq!((report.message_id.as_str(), report.failed.len()), ("1", 1));
    assert_eq!((&report.failed[0].uri, report.failed[0].status), (&address("carol"), 408));
    assert_eq!(rest[0].request.headers.from().unwrap().tag(), Some(bob.chat.as_str()));
    // Who did not answer is out of the chat, but still in the conference.
    assert!(!alice.sees_chat("carol") && alice.sees("carol").is_some());
    let tx = bob.say(&mut b, "Again");
    assert_eq!(b.response(tx).headers.get(&Name::MessageId), Some("2"));
    let copy = b.next();
    assert_eq!(copy.at, alice.at);
    b.answer(&copy, 200, "");
    let report = DeliveryReport::parse(&b.next().request.body).unwrap();
    assert!(report.failed.is_empty());
    b.quiet();
    assert!(b.module.no_messages());
    let stale = carol.say(&mut b, "hello?");
    assert_eq!(b.response(stale).status, 481);
}

#[test]
fn the_senders_other_device_gets_the_message_and_silence_is_reported_after_a_minute() {
    let mut b = bench();
    let [alice, mut bob, carol] = three(&mut b);
    let mut second = Client::new(&mut b, "bob", 4);
    second.join(&mut b);
    second.chat(&mut b);
    b.got.clear();
    let tx = bob.say(&mut b, "hi");
    b.response(tx);
    let copies: Vec<Got> = b.got.drain(..).collect();
    assert_eq!(methods(&copies), [(alice.at.0, "MESSAGE"), (second.at.0, "MESSAGE"), (carol.at.0, "MESSAGE")]);
    b.answer(&copies[0], 200, "");
    b.answer(&copies[1], 200, "");
    b.pass(61);
    let report = b.got.iter().find(|g| g.at == bob.at && g.request.headers.get(&Name::Event).is_none()).unwrap();
    let report = DeliveryReport::parse(&report.request.body).unwrap();
    assert_eq!((report.failed.len(), report.failed[0].status), (1, 408));
    assert!(b.module.no_messages() && only_sessions(&b));
}

#[test]
fn alone_in_the_chat_the_report_comes_at_once() {
    let mut b = bench();
    let mut alice = Client::new(&mut b, "alice", 1);
    scheduled(&mut b, alice.at, ConferenceSettings::default());
    alice.join(&mut b);
    alice.chat(&mut b);
    settle(&mut b, &mut [&mut alice]);
    let tx = alice.say(&mut b, "anybody?");
    assert_eq!(b.response(tx).status, 202);
    assert!(DeliveryReport::parse(&b.next().request.body).unwrap().failed.is_empty());
    b.quiet();
}

#[test]
fn typing_reaches_the_others_without_a_report() {
    let mut b = bench();
    let [alice, mut bob, carol] = three(&mut b);
    let tag = bob.chat.clone();
    let body = crate::lync::im::typing::keyboard_activity(true);
    let request = bob.request(&b, "INFO", CHAT, "chat", &tag).with_body("application/xml", body);
    let tx = b.send(bob.at, request);
    assert_eq!(b.response(tx).status, 200);
    let copies = [b.next(), b.next()];
    assert_eq!((copies[0].at, copies[1].at), (alice.at, carol.at));
    assert!(copies.iter().all(|c| c.request.method.as_str() == "INFO" && c.request.headers.get(&Name::MsSender).is_some()));
    b.answer(&copies[0], 200, "");
    b.reply(&copies[1], Reply::Timeout);
    b.quiet();
}

#[test]
fn alternatives_go_whole_to_those_who_take_them_and_as_text_to_the_others() {
    let mut b = bench();
    let mut all = [Client::new(&mut b, "alice", 1), Client::new(&mut b, "bob", 2), Client::new(&mut b, "carol", 3)];
    scheduled(&mut b, all[0].at, ConferenceSettings::default());
    all.iter_mut().for_each(|c| {
        c.join(&mut b);
    });
    let [alice, bob, carol] = &mut all;
    alice.chat(&mut b);
    bob.chat(&mut b);
    let plain = MessageSdp { accept_types: vec!["text/plain".into()], ..MessageSdp::offer("192.0.2.3") };
    carol.chat_with(&mut b, plain.to_bytes());
    b.got.clear();
    let body = "--x\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nfine\r\n--x\r\nContent-Type: text/html\r\n\r\n<b>fine</b>\r\n--x--\r\n";
    let tag = bob.chat.clone();
    let request =
        bob.request(&b, "MESSAGE", CHAT, "chat", &tag).with_body("multipart/alternative;boundary=\"x\"", body.as_bytes());
    b.send(bob.at, request);
    let (whole, text) = (b.next(), b.next());
    assert_eq!((whole.at, whole.request.body.as_slice()), (alice.at, body.as_bytes()));
    assert_eq!((text.at, text.request.body.as_slice()), (carol.at, b"fine".as_slice()));
    assert_eq!(text.request.headers.get(&Name::ContentType), Some("text/plain; charset=UTF-8"));
}

fn command_result(rest: &[Got], at: RegistrationId) -> C3pResponse {
    let info = rest.iter().find(|g| g.at == at && g.request.method.as_str() == "INFO").expect("the result of the command");
    C3pResponse::parse(&info.request.body).unwrap()
}

#[test]
fn a_presenter_ejects_somebody_in_the_order_old_clients_need() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let eject = |user| Command::DeleteUser { conference: FOCUS.into(), user: address(user) };
    assert_eq!(bob.command(&mut b, eject("carol")).status, 403);
    b.quiet();
    assert_eq!(alice.command(&mut b, eject("carol")).status, 202);
    let rest = settle(&mut b, &mut [&mut alice, &mut bob]);
    assert_eq!(methods(&rest), [(carol.at.0, "BYE"), (carol.at.0, "BENOTIFY"), (carol.at.0, "BYE"), (alice.at.0, "INFO")]);
    let tags: Vec<_> = rest.iter().map(|g| g.request.headers.from().unwrap().tag().unwrap().to_owned()).collect();
    assert_eq!(tags[..3], [carol.chat.clone(), carol.subscription.clone(), carol.focus.clone()]);
    assert_eq!(rest[1].request.headers.get(&Name::SubscriptionState), Some("terminated;expires=0"));
    assert!(rest[2].request.headers.get(&Name::MsDiagnostics).unwrap().contains("removed you"));
    let result = command_result(&rest, alice.at);
    assert_eq!((result.code, result.request_id.as_str(), result.command.as_str()), (Code::Success, "9", "deleteUser"));
    assert!(alice.sees("carol").is_none() && bob.sees("carol").is_none());
    assert_eq!(alice.command(&mut b, eject("carol")).status, 202);
    let rest = settle(&mut b, &mut [&mut alice, &mut bob]);
    assert_eq!(command_result(&rest, alice.at).into_result(), Err(FailureReason::UserDoesNotExist));
    // She may come back.
    assert_eq!(carol.join_with(&mut b, true).status, 200);
}

#[test]
fn promotion_shows_in_the_roster_and_survives_coming_back() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let promote = |user: &str, role| Command::ModifyUserRoles { conference: FOCUS.into(), user: address(user), role };
    assert_eq!(bob.command(&mut b, promote("bob", Role::Leader)).status, 403);
    assert_eq!(alice.command(&mut b, promote("bob", Role::Leader)).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    for client in [&alice, &bob, &carol] {
        assert_eq!(client.sees("bob").unwrap().role, Some(Role::Leader));
        assert!(client.sees_chat("bob"));
    }
    assert_eq!(bob.command(&mut b, promote("alice", Role::Attendee)).status, 202);
    let rest = settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert_eq!(command_result(&rest, bob.at).into_result(), Err(FailureReason::Forbidden));
    bob.bye(&mut b, "focus");
    settle(&mut b, &mut [&mut alice, &mut carol]);
    assert_eq!(bob.join(&mut b), Role::Leader);
}

#[test]
fn a_lock_is_seen_by_all_and_makes_newcomers_wait_until_a_presenter_decides() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let lock = |locked| Command::ModifyConferenceLock { conference: FOCUS.into(), locked };
    assert_eq!(alice.command(&mut b, lock(true)).status, 202);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert!(bob.state.as_ref().unwrap().locked());
    let mut dave = Client::new(&mut b, "dave", 5);
    dave.join(&mut b);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert!(dave.sees("dave").unwrap().in_lobby());
    assert!(dave.sees("alice").is_none() && dave.state.as_ref().unwrap().mcu("chat").is_none());
    assert!(alice.sees("dave").unwrap().in_lobby());
    assert!(bob.sees("dave").unwrap().in_lobby(), "attendees may look into the lobby, too");
    let request = dave.request(&b, "INVITE", CHAT, "chat", "");
    let tx = b.send(dave.at, request);
    assert_eq!(b.response(tx).status, 403);
    assert_eq!(dave.command(&mut b, lock(false)).status, 403);
    let access = |user: &str, granted| Command::SetLobbyAccess { conference: FOCUS.into(), users: vec![address(user)], granted };
    assert_eq!(bob.command(&mut b, access("dave", true)).status, 403);
    assert_eq!(alice.command(&mut b, access("dave", true)).status, 202);
    let rest = settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    assert_eq!(command_result(&rest, alice.at).code, Code::Success);
    assert!(!dave.sees("dave").unwrap().in_lobby() && dave.sees("alice").is_some());
    assert_eq!(dave.state.as_ref().unwrap().mcu("chat"), Some(CHAT));
    assert!(bob.sees("dave").is_some() && !alice.sees("dave").unwrap().in_lobby());
    dave.chat(&mut b);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol, &mut dave]);
    // Once let in, a device that had to reconnect need not wait again.
    b.sign_out(dave.at, false);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    let mut dave = Client::new(&mut b, "dave", 5);
    dave.join(&mut b);
    assert!(!dave.sees("dave").unwrap().in_lobby());
    b.got.clear();
    // Denied, and timed out.
    let mut erin = Client::new(&mut b, "erin", 6);
    erin.join(&mut b);
    b.got.clear();
    assert_eq!(alice.command(&mut b, access("erin", false)).status, 202);
    let rest = settle(&mut b, &mut []);
    assert!(rest.iter().any(|g| g.at == erin.at && g.request.method.as_str() == "BYE"));
    let mut frank = Client::new(&mut b, "frank", 7);
    frank.join(&mut b);
    b.got.clear();
    b.pass(15 * 60 + 1);
    let bye = b.got.iter().find(|g| g.at == frank.at && g.request.method.as_str() == "BYE").unwrap();
    assert!(bye.request.headers.get(&Name::MsDiagnostics).unwrap().contains("Nobody let you in"));
}

#[test]
fn ending_throws_everybody_out_and_keeps_the_schedule() {
    let mut b = bench();
    let [mut alice, bob, carol] = three(&mut b);
    let end = Command::EndConference { conference: FOCUS.into() };
    assert_eq!(alice.command(&mut b, end).status, 202);
    let rest: Vec<Got> = b.got.drain(..).collect();
    assert_eq!(methods(&rest)[0], (alice.at.0, "INFO"));
    for at in [alice.at, bob.at, carol.at] {
        let byes = rest.iter().filter(|g| g.at == at && g.request.method.as_str() == "BYE").count();
        assert_eq!(byes, 2);
    }
    assert!(b.module.dialogs.is_empty() && b.module.of_endpoint.is_empty() && b.module.timers.is_empty());
    match service(&mut b, alice.at, Command::GetConference(conference_id())) {
        Ok(Answer::Conference(c)) => assert!(!c.is_active),
        other => panic!("{other:?}"),
    }
    alice.bye(&mut b, "focus");
    assert_eq!(alice.join(&mut b), Role::Leader);
    assert!(matches!(service(&mut b, alice.at, Command::CancelConference(conference_id())), Ok(Answer::Done { .. })));
    assert!(b.got.iter().any(|g| g.at == alice.at && g.request.method.as_str() == "BYE"));
}

#[test]
fn joining_again_takes_the_old_seat() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let old_chat = bob.chat.clone();
    assert_eq!(bob.join(&mut b), Role::Attendee);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert_eq!(alice.sees("bob").unwrap().endpoints.len(), 1);
    assert!(!alice.sees_chat("bob"));
    bob.chat(&mut b);
    assert_ne!(bob.chat, old_chat);
    settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]);
    assert!(alice.sees_chat("bob"));
    // Three dialogs for each of three devices, none of the old ones.
    assert_eq!(b.module.dialogs.len(), 9);
}

#[test]
fn a_changed_title_reaches_those_inside() {
    let mut b = bench();
    let [mut alice, mut bob, mut carol] = three(&mut b);
    let Ok(Answer::Conference(mut record)) = service(&mut b, alice.at, Command::GetConference(conference_id())) else { panic!() };
    assert!(record.is_active);
    record.settings.subject = "Budget, second round".into();
    record.settings.automatic_leaders = AutomaticLeaders::SameEnterprise;
    service(&mut b, alice.at, Command::ModifyConference(record)).unwrap();
    assert!(settle(&mut b, &mut [&mut alice, &mut bob, &mut carol]).is_empty());
    assert_eq!(bob.state.as_ref().unwrap().description.as_ref().unwrap().subject.as_deref(), Some("Budget, second round"));
    let mut dave = Client::new(&mut b, "dave", 5);
    assert_eq!(dave.join(&mut b), Role::Leader);
}

#[test]
fn an_account_that_goes_takes_its_conferences_along() {
    let mut b = bench();
    let [_, bob, _] = three(&mut b);
    b.remove_user("alice");
    assert!(b.got.iter().any(|g| g.at == bob.at && g.request.method.as_str() == "BYE"));
    assert!(b.module.confs.is_empty());
}
