//! Scheduling through the focus factory (`domain.md` 2.5, 8.6; `lync-conversations.md` 3).
//!
//! Every operation is one exchange or a short chain of them: an update reads the stored document first, because the
//! factory replaces it whole; a list reads the summaries and then each conference.

use super::limits::{MAX_CONFERENCES, MAX_QUEUED, PHONE_ID_MAX};
use super::service::{Ctx, InternalEvent, Reply, Service, Token};
use super::{Error, ErrorKind, Operation, OperationId, Outcome};
use crate::domain::conference::{Capabilities, Conference, ConferenceId, ConferenceSettings};
use crate::domain::conference_rules as rules;
use crate::domain::{Address, Rng, Time};
use crate::lync::cccp::{self, Answer, C3pRequest, C3pResponse, Command, ConferenceRecord, FailureReason};
use crate::lync::identity;
use crate::sip::{Method, Name, Response, Uri};
use std::collections::{BTreeMap, HashMap};

/// Conferences of a list asked for at once; servers refuse more than 20 open requests (`domain.md` 9).
const AT_ONCE: usize = 8;

/// Where an operation stands.
#[derive(Debug)]
enum Step {
    /// Capabilities are asked for.
    Capabilities,
    /// A conference is being scheduled under this id.
    Add { id: ConferenceId, settings: Box<ConferenceSettings>, again: bool },
    /// The stored document is read before it is changed.
    Read { settings: Box<ConferenceSettings>, again: bool },
    /// The changed document is on its way.
    Modify { record: Box<ConferenceRecord>, again: bool },
    /// One is being taken off the schedule.
    Cancel,
    /// One is being read.
    Get,
    /// One is looked up by its number.
    Find(String),
    /// A passcode is being checked.
    Verify,
    /// The summaries are asked for.
    List,
    /// One of a list is being read.
    Item,
}

#[derive(Debug)]
struct Listing {
    /// Still to be asked for.
    left: Vec<ConferenceId>,
    /// On their way.
    open: usize,
    found: Vec<Conference>,
}

/// The service.
#[derive(Debug, Default)]
pub struct Conferences {
    factory: Option<String>,
    capabilities: Option<Capabilities>,
    waiting: HashMap<Token, (OperationId, Step)>,
    lists: BTreeMap<OperationId, Listing>,
    request_id: u64,
}

impl Conferences {
    /// Nothing asked yet.
    pub fn new(_rng: Rng) -> Conferences {
        Conferences::default()
    }

    fn start(&mut self, ctx: &mut Ctx<'_>, op: OperationId, operation: &Operation) -> Result<(), Error> {
        use Operation as O;
        let (command, step) = match operation {
            O::ConferenceCapabilities => (Command::GetConferencingCapabilities, Step::Capabilities),
            O::ScheduleConference { settings } => {
                self.check(settings, ctx.now)?;
                add(rules::new_id(ctx.rng), settings.clone(), false)
            }
            O::UpdateConference { id, settings } => {
                check_id(id)?;
                self.check(settings, ctx.now)?;
                read(id.clone(), settings.clone(), false)
            }
            O::CancelConference { id } => (Command::CancelConference(checked(id)?), Step::Cancel),
            O::GetConference { id } => (Command::GetConference(checked(id)?), Step::Get),
            O::FindConference { phone_id } => {
                let digits: String = phone_id.chars().filter(|c| !c.is_whitespace()).collect();
                if digits.is_empty() || digits.len() > PHONE_ID_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(Error::new(ErrorKind::InvalidArgument, "the number of a meeting has digits only"));
                }
                (Command::FindConference(digits.clone()), Step::Find(digits))
            }
            O::VerifyPasscode { target, passcode } => {
                let conference = super::conversations::focus_of(target, &ctx.me.uri)?;
                (Command::VerifyPasscode { conference, passcode: passcode.clone() }, Step::Verify)
            }
            _ => (Command::GetConferences, Step::List),
        };
        self.send(ctx, op, command, step)
    }

    fn check(&self, settings: &ConferenceSettings, now: Time) -> Result<(), Error> {
        rules::check(settings, self.capabilities.as_ref(), now).map_err(invalid)
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, op: OperationId, command: Command, step: Step) -> Result<(), Error> {
        if !ctx.online {
            return Err(Error::new(ErrorKind::Retryable, "you are not signed in; try again when you are"));
        }
        if self.waiting.len() >= MAX_QUEUED {
            return Err(Error::new(ErrorKind::Retryable, "too many requests are pending; try again in a moment"));
        }
        let factory = self.factory.clone().unwrap_or_else(|| identity::focus_factory(&ctx.me.uri));
        let Some(uri) = Uri::parse(&factory) else {
            return Err(Error::new(ErrorKind::ConferenceFailed, "this server offers no meetings"));
        };
        self.request_id += 1;
        let body = C3pRequest::new(self.request_id, &factory, ctx.me.uri.as_str(), command).to_bytes();
        let request = ctx.request(Method::Service, &uri).with(Name::Supported, "ms-sender");
        let token = ctx.send(request.with_body(cccp::CONTENT_TYPE, body));
        self.waiting.insert(token, (op, step));
        Ok(())
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>, op: OperationId, result: Result<Outcome, Error>) {
        self.lists.remove(&op);
        ctx.complete(op, result);
    }

    /// Goes on with an operation, or ends it when that is not possible.
    fn go_on(&mut self, ctx: &mut Ctx<'_>, op: OperationId, (command, step): (Command, Step)) {
        if let Err(error) = self.send(ctx, op, command, step) {
            self.finish(ctx, op, Err(error));
        }
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, op: OperationId, step: Step, answer: Result<Answer, Failure>) {
        match (step, answer) {
            (Step::Add { settings, again: false, .. }, Err(Failure::Refused(FailureReason::ConferenceExists))) => {
                let next = add(rules::new_id(ctx.rng), *settings, true);
                self.go_on(ctx, op, next);
            }
            (Step::Modify { record, again: false }, Err(Failure::Refused(FailureReason::InvalidVersion))) => {
                let id = record.id.clone().unwrap_or_else(|| ConferenceId(String::new()));
                self.go_on(ctx, op, read(id, record.settings, true));
            }
            // One that was cancelled meanwhile is simply not in the list.
            (Step::Item, Err(Failure::Refused(_))) => self.item(ctx, op, None),
            (Step::Find(number), Err(failure)) => self.finish(ctx, op, Err(not_found(&number, failure))),
            (Step::Verify, Err(failure)) => self.finish(ctx, op, Err(not_verified(failure))),
            (_, Err(failure)) => self.finish(ctx, op, Err(failure.into())),
            (Step::Capabilities, Ok(Answer::Capabilities(c))) => {
                self.capabilities = Some(c.clone());
                self.finish(ctx, op, Ok(Outcome::Capabilities(c)));
            }
            (Step::Add { id, settings, .. }, Ok(Answer::Conference(record))) => {
                self.finish(ctx, op, whole(*record, Some(id), *settings));
            }
            (Step::Read { settings, again, .. }, Ok(Answer::Conference(mut record))) => {
                record.settings = *settings;
                self.go_on(ctx, op, (Command::ModifyConference(record.clone()), Step::Modify { record, again }));
            }
            (Step::Modify { record: sent, .. }, Ok(Answer::Conference(answer))) => {
                let merged = ConferenceRecord {
                    join_url: if answer.join_url.is_empty() { sent.join_url } else { answer.join_url },
                    uri: if answer.uri.is_empty() { sent.uri } else { answer.uri },
                    is_active: answer.is_active || sent.is_active,
                    last_update: answer.last_update.or(sent.last_update),
                    version: answer.version,
                    phone_id: answer.phone_id,
                    ..ConferenceRecord::default()
                };
                self.finish(ctx, op, whole(merged, sent.id, sent.settings));
            }
            (Step::Verify | Step::Cancel, Ok(_)) => self.finish(ctx, op, Ok(Outcome::Done)),
            (Step::Get | Step::Find(_), Ok(Answer::Conference(record))) => {
                let found = record.into_conference().ok_or_else(unreadable);
                self.finish(ctx, op, found.map(|c| Outcome::Conference(Box::new(c))));
            }
            (Step::List, Ok(Answer::Conferences(all))) => {
                let left = all.into_iter().filter_map(|r| r.into_conference()).map(|c| c.id).take(MAX_CONFERENCES).collect();
                self.lists.insert(op, Listing { left, open: 0, found: Vec::new() });
                self.fetch(ctx, op);
            }
            (Step::Item, Ok(Answer::Conference(record))) => self.item(ctx, op, record.into_conference()),
            (_, Ok(_)) => self.finish(ctx, op, Err(unreadable())),
        }
    }

    /// One conference of a list came, or is gone.
    fn item(&mut self, ctx: &mut Ctx<'_>, op: OperationId, found: Option<Conference>) {
        if let Some(list) = self.lists.get_mut(&op) {
            list.open = list.open.saturating_sub(1);
            list.found.extend(found);
        }
        self.fetch(ctx, op);
    }

    /// Asks for the next ones of a list, or ends it.
    fn fetch(&mut self, ctx: &mut Ctx<'_>, op: OperationId) {
        loop {
            let Some(list) = self.lists.get_mut(&op) else { return };
            if list.open >= AT_ONCE {
                return;
            }
            let Some(id) = list.left.pop() else { break };
            list.open += 1;
            if let Err(error) = self.send(ctx, op, Command::GetConference(id), Step::Item) {
                return self.finish(ctx, op, Err(error));
            }
        }
        if self.lists.get(&op).is_some_and(|l| l.open == 0)
            && let Some(mut list) = self.lists.remove(&op)
        {
            list.found.sort_by(|a, b| (a.settings.start, &a.id).cmp(&(b.settings.start, &b.id)));
            self.finish(ctx, op, Ok(Outcome::Conferences(list.found)));
        }
    }
}

impl Service for Conferences {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        use Operation as O;
        if !matches!(
            operation,
            O::ConferenceCapabilities
                | O::ScheduleConference { .. }
                | O::UpdateConference { .. }
                | O::CancelConference { .. }
                | O::GetConference { .. }
                | O::FindConference { .. }
                | O::VerifyPasscode { .. }
                | O::ListConferences
        ) {
            return false;
        }
        if let Err(error) = self.start(ctx, id, operation) {
            ctx.complete(id, Err(error));
        }
        true
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if matches!(&reply, Reply::Response(r) if !r.is_final()) {
            return;
        }
        let Some((op, step)) = self.waiting.remove(&token) else { return };
        if matches!(step, Step::Item) && !self.lists.contains_key(&op) {
            // The list has failed already.
            return;
        }
        self.answered(ctx, op, step, read_answer(reply));
    }

    fn on_internal(&mut self, _ctx: &mut Ctx<'_>, event: &InternalEvent) {
        if let InternalEvent::FocusFactory(uri) = event {
            self.factory = Some(uri.clone());
        }
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        // Pending requests have had their answer already; what is left has none coming.
        let ops: Vec<_> = std::mem::take(&mut self.waiting).into_values().map(|w| w.0).collect();
        let lists = std::mem::take(&mut self.lists);
        let mut open: Vec<_> = ops.into_iter().chain(lists.into_keys()).collect();
        open.sort();
        open.dedup();
        for op in open {
            ctx.complete(op, Err(Failure::Lost.into()));
        }
    }
}

/// Why an exchange brought nothing.
enum Failure {
    Refused(FailureReason),
    Sip(Box<Response>),
    Unreadable,
    Timeout,
    Lost,
}

impl From<Failure> for Error {
    fn from(f: Failure) -> Error {
        match f {
            Failure::Refused(reason) => {
                let mut e = Error::new(ErrorKind::ConferenceFailed, reason.text());
                e.detail = Some(reason.as_str().to_owned());
                e
            }
            Failure::Sip(r) => sip_error(&r),
            Failure::Unreadable => unreadable(),
            Failure::Timeout => Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again"),
            Failure::Lost => Error::link_lost(),
        }
    }
}

/// Why no conference was found by its number. Only servers like ours look them up.
fn not_found(number: &str, failure: Failure) -> Error {
    let text = match failure {
        Failure::Refused(FailureReason::ConferenceDoesNotExist) => {
            format!("no meeting has the number {number}; look into the invitation")
        }
        Failure::Refused(_) | Failure::Sip(_) | Failure::Unreadable => {
            "this server does not look meetings up by number; join by the link of the invitation".to_owned()
        }
        other => return other.into(),
    };
    Error::new(ErrorKind::ConferenceFailed, text)
}

/// Why a passcode will not do, or was not looked at.
fn not_verified(failure: Failure) -> Error {
    match failure {
        Failure::Refused(FailureReason::InvalidPasscode) => {
            Error::new(ErrorKind::AuthenticationFailed, "this is not the passcode of the meeting; look into the invitation")
        }
        Failure::Refused(reason @ FailureReason::PasscodeMissing) => Error::new(ErrorKind::AuthenticationFailed, reason.text()),
        Failure::Refused(reason @ (FailureReason::ConferenceDoesNotExist | FailureReason::InvalidConferenceId)) => {
            Failure::Refused(reason).into()
        }
        Failure::Refused(_) | Failure::Sip(_) | Failure::Unreadable => {
            Error::new(ErrorKind::InvalidOperation, "this server looks at passcodes only when somebody joins")
        }
        other => other.into(),
    }
}

fn read_answer(reply: Reply) -> Result<Answer, Failure> {
    match reply {
        Reply::Response(r) if r.is_success() => {
            C3pResponse::parse(&r.body).map_err(|_| Failure::Unreadable)?.into_result().map_err(Failure::Refused)
        }
        Reply::Response(r) => Err(Failure::Sip(Box::new(r))),
        Reply::Timeout => Err(Failure::Timeout),
        Reply::LinkLost => Err(Failure::Lost),
    }
}

fn sip_error(r: &Response) -> Error {
    let text = match r.status {
        403 => "the server does not let you schedule meetings; ask its administrator".to_owned(),
        404 | 480 | 481 | 501 => "this server offers no meetings".to_owned(),
        413 | 513 => "the meeting carries too much text; shorten it".to_owned(),
        500..=599 => "the meeting service is not available now; try again later".to_owned(),
        other => format!("the meeting service refused this ({other})"),
    };
    let detail = r.headers.get(&Name::MsDiagnostics).map(|d| d.chars().take(300).collect());
    Error { kind: ErrorKind::ConferenceFailed, text, status: Some(r.status), detail }
}

/// Organizer and id of whatever names a conference: a focus URI, `conf:`, a join link, or organizer and id.
pub fn parse_link(text: &str) -> Option<(Address, ConferenceId)> {
    identity::parse_join(text)
}

/// The focus URI of a conference.
pub fn focus_uri(organizer: &Address, id: &ConferenceId) -> String {
    identity::focus(organizer, id)
}

fn add(id: ConferenceId, settings: ConferenceSettings, again: bool) -> (Command, Step) {
    let record = ConferenceRecord::request(&id, &settings);
    (Command::AddConference(Box::new(record)), Step::Add { id, settings: Box::new(settings), again })
}

fn read(id: ConferenceId, settings: ConferenceSettings, again: bool) -> (Command, Step) {
    (Command::GetConference(id), Step::Read { settings: Box::new(settings), again })
}

/// The answers to scheduling and changing name the conference; the rest is what we sent.
fn whole(mut record: ConferenceRecord, id: Option<ConferenceId>, settings: ConferenceSettings) -> Result<Outcome, Error> {
    record.id = record.id.or(id);
    record.settings = settings;
    record.into_conference().map(|c| Outcome::Conference(Box::new(c))).ok_or_else(unreadable)
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Parsing, "the meeting's server answered with something unreadable")
}

fn invalid(e: rules::RuleError) -> Error {
    Error::new(ErrorKind::InvalidArgument, e.to_string())
}

fn check_id(id: &ConferenceId) -> Result<(), Error> {
    rules::check_id(id).map_err(invalid)
}

fn checked(id: &ConferenceId) -> Result<ConferenceId, Error> {
    check_id(id).map(|()| id.clone())
}

#[cfg(test)]
#[path = "conferences_tests.rs"]
mod tests;
