//! Scripts for the scheduler.

use super::*;
use crate::domain::Address;
use crate::domain::conference::{AccessLevel, Invitee};
use crate::domain::conversation::Role;
use crate::endpoint::service::ServiceId;
use crate::endpoint::testkit::Bench;
use crate::sip::Request;

const ID: &str = "K7M2Q9TX";
const FOCUS: &str = "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:";

fn bench() -> (Conferences, Bench) {
    (Conferences::default(), Bench::new(ServiceId::Conferences))
}

fn id() -> ConferenceId {
    ConferenceId(ID.into())
}

fn settings() -> ConferenceSettings {
    ConferenceSettings { subject: "Budget".into(), ..ConferenceSettings::default() }
}

fn asked(sent: &(Token, Request)) -> C3pRequest {
    assert_eq!(sent.1.uri.as_str(), "sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory");
    C3pRequest::parse(&sent.1.body).unwrap()
}

fn reply(s: &mut Conferences, b: &mut Bench, sent: &(Token, Request), answer: Answer) {
    let body = asked(sent).answer(answer).to_bytes();
    b.answer(s, sent, 200, "", &String::from_utf8(body).unwrap());
}

fn refuse(s: &mut Conferences, b: &mut Bench, sent: &(Token, Request), reason: FailureReason) {
    let body = asked(sent).fail(reason).to_bytes();
    b.answer(s, sent, 200, "", &String::from_utf8(body).unwrap());
}

fn stored(id: &str, version: u32, subject: &str) -> ConferenceRecord {
    ConferenceRecord {
        uri: format!("{FOCUS}{id}"),
        version,
        id: Some(ConferenceId(id.into())),
        join_url: format!("https://meet.contoso.com/alice/{id}"),
        settings: ConferenceSettings { subject: subject.into(), ..ConferenceSettings::default() },
        ..ConferenceRecord::default()
    }
}

fn error(b: &Bench, op: OperationId) -> Error {
    b.result(op).unwrap().unwrap_err()
}

#[test]
fn capabilities_are_kept_for_the_checks() {
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::ConferenceCapabilities);
    let sent = b.request();
    let offered = Capabilities { mcus: vec!["chat".into()], anonymous: false, phones: Vec::new() };
    reply(&mut s, &mut b, &sent, Answer::Capabilities(offered.clone()));
    assert_eq!(b.result(op), Some(Ok(Outcome::Capabilities(offered))));
    let everyone = ConferenceSettings { access: AccessLevel::Everyone, ..settings() };
    let op = b.operate(&mut s, Operation::ScheduleConference { settings: everyone });
    assert_eq!(error(&b, op).kind, ErrorKind::InvalidArgument);
    assert!(b.sent.is_empty());
}

#[test]
fn scheduling_gives_back_the_whole_conference() {
    let (mut s, mut b) = bench();
    let bob = Invitee { uri: Address::parse("bob@contoso.com").unwrap(), role: Role::Leader };
    let wanted = ConferenceSettings { participants: vec![bob], ..settings() };
    let op = b.operate(&mut s, Operation::ScheduleConference { settings: wanted.clone() });
    let sent = b.request();
    let Command::AddConference(record) = asked(&sent).command else { panic!() };
    let chosen = record.id.unwrap();
    rules::check_id(&chosen).unwrap();
    let mut answer = stored(&chosen.0, 1, "");
    answer.settings.participants.clear();
    reply(&mut s, &mut b, &sent, Answer::Conference(Box::new(answer)));
    let Some(Ok(Outcome::Conference(c))) = b.result(op) else { panic!() };
    assert_eq!((c.id, c.version, c.settings), (chosen, 1, wanted));
}

#[test]
fn a_taken_id_is_replaced_once() {
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::ScheduleConference { settings: settings() });
    let first = b.request();
    refuse(&mut s, &mut b, &first, FailureReason::ConferenceExists);
    let second = b.request();
    assert_ne!(asked(&first).command, asked(&second).command);
    refuse(&mut s, &mut b, &second, FailureReason::ConferenceExists);
    assert_eq!(error(&b, op).detail.as_deref(), Some("conferenceExists"));
}

#[test]
fn an_update_reads_changes_and_sends_back_with_the_version() {
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::UpdateConference { id: id(), settings: settings() });
    let read = b.request();
    assert_eq!(asked(&read).command, Command::GetConference(id()));
    reply(&mut s, &mut b, &read, Answer::Conference(Box::new(stored(ID, 4, "old"))));
    let change = b.request();
    let Command::ModifyConference(record) = asked(&change).command else { panic!() };
    assert_eq!((record.version, record.settings.subject.as_str()), (4, "Budget"));
    // Somebody was faster: once more from the beginning.
    refuse(&mut s, &mut b, &change, FailureReason::InvalidVersion);
    let read = b.request();
    reply(&mut s, &mut b, &read, Answer::Conference(Box::new(stored(ID, 5, "other"))));
    let change = b.request();
    reply(&mut s, &mut b, &change, Answer::Conference(Box::new(stored(ID, 6, ""))));
    let Some(Ok(Outcome::Conference(c))) = b.result(op) else { panic!() };
    assert_eq!((c.version, c.settings.subject.as_str()), (6, "Budget"));
}

#[test]
fn cancelling_and_reading_one() {
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::CancelConference { id: id() });
    let sent = b.request();
    reply(&mut s, &mut b, &sent, Answer::Done { keys: None });
    assert_eq!(b.result(op), Some(Ok(Outcome::Done)));
    let op = b.operate(&mut s, Operation::GetConference { id: id() });
    let sent = b.request();
    refuse(&mut s, &mut b, &sent, FailureReason::ConferenceDoesNotExist);
    assert!(error(&b, op).text.contains("does not exist"));
    let op = b.operate(&mut s, Operation::GetConference { id: ConferenceId("x".into()) });
    assert_eq!(error(&b, op).kind, ErrorKind::InvalidArgument);
}

#[test]
fn a_list_is_read_whole_a_few_at_a_time_and_without_those_cancelled_meanwhile() {
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::ListConferences);
    let sent = b.request();
    let ids: Vec<String> = (0..20).map(|n| format!("CONF{n:04}")).collect();
    reply(&mut s, &mut b, &sent, Answer::Conferences(ids.iter().map(|i| stored(i, 1, "")).collect()));
    let mut most = 0;
    while !b.sent.is_empty() {
        most = most.max(b.sent.len());
        let sent = b.request();
        let Command::GetConference(which) = asked(&sent).command else { panic!() };
        if which.0 == "CONF0003" {
            refuse(&mut s, &mut b, &sent, FailureReason::ConferenceDoesNotExist);
        } else {
            reply(&mut s, &mut b, &sent, Answer::Conference(Box::new(stored(&which.0, 2, "whole"))));
        }
    }
    let Some(Ok(Outcome::Conferences(all))) = b.result(op) else { panic!() };
    assert_eq!((most, all.len()), (AT_ONCE, 19));
    assert!(all.iter().all(|c| c.settings.subject == "whole"));
    let op = b.operate(&mut s, Operation::ListConferences);
    let sent = b.request();
    reply(&mut s, &mut b, &sent, Answer::Conferences(Vec::new()));
    assert_eq!(b.result(op), Some(Ok(Outcome::Conferences(Vec::new()))));
}

#[test]
fn every_failure_has_its_sentence_and_ends_the_operation() {
    for (status, words) in
        [(403, "does not let you"), (404, "no meetings"), (503, "not available"), (413, "shorten"), (400, "400")]
    {
        let (mut s, mut b) = bench();
        let op = b.operate(&mut s, Operation::ListConferences);
        let sent = b.request();
        b.answer(&mut s, &sent, status, "", "");
        assert!(error(&b, op).text.contains(words), "{status}");
    }
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::ListConferences);
    let sent = b.request();
    b.answer(&mut s, &sent, 200, "", "<nonsense");
    assert_eq!(error(&b, op).kind, ErrorKind::Parsing);
    let op = b.operate(&mut s, Operation::ListConferences);
    let sent = b.request();
    b.call(&mut s, |s, ctx| s.on_reply(ctx, sent.0, Reply::Timeout));
    assert_eq!(error(&b, op).kind, ErrorKind::Timeout);
    let op = b.operate(&mut s, Operation::ListConferences);
    b.online = false;
    b.call(&mut s, |s, ctx| s.on_offline(ctx));
    assert_eq!(error(&b, op).kind, ErrorKind::Retryable);
    let op = b.operate(&mut s, Operation::ListConferences);
    assert_eq!(error(&b, op).kind, ErrorKind::Retryable);
}

#[test]
fn a_list_that_breaks_in_the_middle_ends_once() {
    let (mut s, mut b) = bench();
    let op = b.operate(&mut s, Operation::ListConferences);
    let sent = b.request();
    reply(&mut s, &mut b, &sent, Answer::Conferences((0..3).map(|n| stored(&format!("CONF{n:04}"), 1, "")).collect()));
    let (one, two, three) = (b.request(), b.request(), b.request());
    b.answer(&mut s, &one, 503, "", "");
    b.answer(&mut s, &two, 503, "", "");
    reply(&mut s, &mut b, &three, Answer::Conference(Box::new(stored("CONF0000", 1, ""))));
    assert!(b.result(op).unwrap().is_err());
}

#[test]
fn the_provisioned_factory_is_used() {
    let (mut s, mut b) = bench();
    b.call(&mut s, |s, ctx| {
        s.on_internal(ctx, &InternalEvent::FocusFactory("sip:alice@contoso.com;gruu;opaque=app:conf:other".into()))
    });
    b.operate(&mut s, Operation::ListConferences);
    assert!(b.request().1.uri.as_str().ends_with("app:conf:other"));
}
