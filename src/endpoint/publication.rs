//! Own presence: the replica of everything the server keeps of us, and what we publish (`domain.md` 5.6, `lync.md` 6 and 7).
//!
//! Requests go one after another. Each is built from an intent at the moment it leaves; a version conflict builds it anew,
//! three times at most.

mod grammar;
mod intent;
mod notes;
mod preview;
#[cfg(test)]
mod rules_tests;
mod sharing;
mod sources;
#[cfg(test)]
mod tests;

use super::limits::*;
use super::registration::{diagnostics, diagnostics_reason};
use super::roaming::{Document, Heard, Roaming, State, Topic};
use super::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use super::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::domain::calendar::CalendarNow;
use crate::domain::presence::{MachineState, PhoneCall, PhoneLine, PublicationKey, SelfPresence};
use crate::domain::privacy::{Mode, Preference, wants_private};
use crate::domain::{Address, Rng, Time, manifest};
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::provisioning;
use crate::lync::publish::VersionFault;
use crate::lync::roaming::{self as wire, RoamingData};
use crate::sip::{Method, Request, Response, ServerTx, Uri};
use intent::{Built, Ground, Intent};
use std::collections::{BTreeMap, VecDeque};

const TOPIC: Topic = Topic { event: wire::EVENT, accept: wire::CONTENT_TYPE, extra: &[], content_type: wire::CONTENT_TYPE };

#[derive(Debug)]
struct Job {
    id: Option<OperationId>,
    intent: Intent,
    conflicts: u32,
    publication_versions: BTreeMap<PublicationKey, u32>,
    container_versions: BTreeMap<u32, u32>,
    delegates_version: Option<u32>,
}

impl Job {
    fn new(id: Option<OperationId>, intent: Intent) -> Job {
        Job {
            id,
            intent,
            conflicts: 0,
            publication_versions: BTreeMap::new(),
            container_versions: BTreeMap::new(),
            delegates_version: None,
        }
    }
}

/// Automatic publication (`domain.md` 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Automatic {
    Wanted,
    UnderWay,
    Published,
    WaitingForRetry(Time),
}

/// The service.
#[derive(Debug)]
pub struct Publications {
    roaming: Roaming,
    known: SelfPresence,
    /// The whole document has arrived on this registration.
    current: bool,
    told: bool,
    devices: (usize, bool),
    automatic: Automatic,
    machine: MachineState,
    location: String,
    phones: BTreeMap<PhoneLine, PhoneCall>,
    calendar: Option<Box<CalendarNow>>,
    /// Contacts and presence are there at the server (`domain.md` 4.3).
    services: bool,
    /// Active states published lately, and when one that was held back may go.
    lively: VecDeque<Time>,
    quiet_until: Option<Time>,
    queue: VecDeque<Job>,
    sent: Option<(Token, Job, Built)>,
    /// The contact list, once it is here.
    contacts: Option<Vec<Address>>,
    /// The administrator's word on privacy mode, once it is here.
    administrator: Option<Option<bool>>,
    /// The manifest was seen to on this registration.
    ordered: bool,
    privacy_told: (Preference, Option<bool>, Mode),
}

impl Publications {
    /// Nothing known.
    pub fn new(_rng: Rng) -> Publications {
        Publications {
            roaming: Roaming::new(TOPIC),
            known: SelfPresence::default(),
            current: false,
            told: false,
            devices: (0, false),
            automatic: Automatic::Wanted,
            machine: MachineState::Active,
            location: String::new(),
            phones: BTreeMap::new(),
            calendar: None,
            services: true,
            lively: VecDeque::new(),
            quiet_until: None,
            queue: VecDeque::new(),
            sent: None,
            contacts: None,
            administrator: None,
            ordered: false,
            privacy_told: (Preference::None, None, Mode::Standard),
        }
    }

    fn subscribe(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.online && ctx.me.allows(TOPIC.event) {
            let me = Uri::from(&ctx.me.uri);
            self.roaming.subscribe(ctx, &me, wire::subscribe_body(), None);
        }
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, heard: Heard) {
        match heard {
            Heard::Nothing => {}
            Heard::Document(Document { body, full, .. }) => match RoamingData::parse(&body) {
                Ok(data) => self.on_document(ctx, &data, full || !self.current),
                Err(_) => self.roaming.refresh_at(ctx.now + RESUBSCRIBE_SLOW),
            },
            Heard::Refused(status) => {
                let text = format!("The server refuses to show your own presence ({status}). Ask your administrator.");
                ctx.emit(Event::Notice(text));
                self.fail_all(ctx, ErrorKind::PublishSubscribeFailed, "The server keeps no presence for you.");
            }
            Heard::Lost => self.current = false,
        }
        self.pump(ctx);
    }

    fn on_document(&mut self, ctx: &mut Ctx<'_>, data: &RoamingData, full: bool) {
        let changed = if full { wire::replace(&mut self.known, data) } else { wire::apply(&mut self.known, data) };
        self.known.publications.truncate(MAX_PUBLICATIONS);
        self.tell(ctx, changed);
        if !self.current && full {
            self.current = true;
            self.queue.push_front(Job::new(None, Intent::BootstrapBlocked));
            self.queue.push_front(Job::new(None, Intent::BootstrapMembers));
        }
        self.order(ctx);
        if self.automatic == Automatic::Wanted && ctx.me.publish {
            self.automatic = Automatic::UnderWay;
            self.queue.push_back(Job::new(None, Intent::Automatic));
        }
    }

    /// Sees to the manifest once everything it depends on is known (`domain.md` 3.12: both subscriptions stand).
    fn order(&mut self, ctx: &mut Ctx<'_>) {
        let provisioned = self.administrator.is_some() || !ctx.me.allows(provisioning::EVENT);
        if self.current && !self.ordered && self.contacts.is_some() && provisioned {
            self.ordered = true;
            self.queue.push_back(Job::new(None, Intent::Manifest));
        }
        self.tell_privacy(ctx);
    }

    /// The manifest is to be seen to after a change, if its subject is known already.
    fn reorder(&mut self) {
        if self.ordered {
            self.queue.push_back(Job::new(None, Intent::Manifest));
        }
    }

    fn tell_privacy(&mut self, ctx: &mut Ctx<'_>) {
        if !self.current {
            return;
        }
        let administrator = self.administrator.flatten();
        let preference = sharing::preference(&self.known);
        let private = wants_private(preference, administrator);
        let people = sharing::people(&ctx.me.uri, &self.known, self.contacts.as_deref().unwrap_or_default());
        let in_order = self.ordered && manifest::corrections(&self.known.containers, &people, private).is_empty();
        let (.., was) = self.privacy_told;
        let mode = match self.ordered {
            true if in_order || was == Mode::settled(private) => Mode::settled(private),
            true => Mode::migrating(private),
            false => was,
        };
        let now = (preference, administrator, mode);
        if self.privacy_told != now {
            self.privacy_told = now;
            ctx.emit(Event::Privacy { preference, administrator, mode });
        }
    }

    fn ground<'a>(&'a self, ctx: &'a Ctx<'_>, job: &'a Job) -> Ground<'a> {
        Ground {
            me: ctx.me,
            now: ctx.now,
            known: &self.known,
            machine: self.machine,
            location: &self.location,
            phones: &self.phones,
            calendar: self.calendar.as_deref(),
            publication_versions: &job.publication_versions,
            container_versions: &job.container_versions,
            delegates_version: job.delegates_version,
            contacts: self.contacts.as_deref().unwrap_or_default(),
            administrator: self.administrator.flatten(),
        }
    }

    fn preview(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operations: &[Operation]) {
        if !self.told {
            let text = "What the server keeps of you is not known yet; try again in a moment.";
            ctx.complete(id, Err(Error::new(ErrorKind::Retryable, text)));
            return;
        }
        let job = Job::new(None, Intent::Manifest);
        let after = preview::preview(operations, &self.ground(ctx, &job));
        ctx.complete(id, after.map(|p| Outcome::Preview(Box::new(p))));
    }

    fn tell(&mut self, ctx: &mut Ctx<'_>, changed: bool) {
        if changed || !self.told {
            self.told = true;
            ctx.emit(Event::SelfPresence(Box::new(self.known.clone())));
        }
        let mut devices: Vec<u32> =
            self.known.publications.iter().filter(|p| p.key.category == "device").map(|p| p.key.instance).collect();
        devices.sort_unstable();
        devices.dedup();
        let best = self.best_device();
        let most_active = best.is_some_and(|e| e.eq_ignore_ascii_case(&ctx.me.instance));
        if (devices.len(), most_active) != self.devices {
            self.devices = (devices.len(), most_active);
            ctx.tell(InternalEvent::OwnDevices { count: devices.len(), most_active });
        }
    }

    /// Sends the next request if none is under way.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        while self.current && self.sent.is_none() && ctx.online {
            let Some(job) = self.queue.pop_front() else { return };
            let ground = self.ground(ctx, &job);
            match intent::build(&job.intent, &ground) {
                Err(error) => complete(ctx, &job, Err(error)),
                Ok(None) => complete(ctx, &job, Ok(Outcome::Done)),
                Ok(Some(built)) => {
                    let me = Uri::from(&ctx.me.uri);
                    let body = built.to_bytes(&ctx.me.uri);
                    let request = ctx.request(Method::Service, &me).with_body(built.content_type(), body);
                    let token = ctx.send(request);
                    self.sent = Some((token, job, built));
                }
            }
        }
    }

    fn on_publish_reply(&mut self, ctx: &mut Ctx<'_>, reply: Reply) {
        let Some((_, job, built)) = self.sent.take() else { return };
        match reply {
            Reply::Response(r) if r.is_success() => self.on_success(ctx, &job, &built, &r),
            Reply::Response(r) if r.status == 409 => self.on_conflict(ctx, job, &built, &r),
            Reply::Response(r) => {
                let why = diagnostics_reason(&r.headers).unwrap_or_else(|| r.reason.clone());
                let text = format!("The server refused to publish this: {why} ({}).", r.status);
                let detail = diagnostics(&r.headers).map(str::to_owned);
                self.give_up(ctx, &job, Error { kind: ErrorKind::FailureResponse, text, status: Some(r.status), detail });
            }
            Reply::Timeout => {
                // It may have been stored: the versions must be read again.
                self.roaming.refresh_at(ctx.now);
                self.give_up(ctx, &job, Error::new(ErrorKind::Timeout, "The server did not answer; try again."));
            }
            Reply::LinkLost => self.give_up(ctx, &job, Error::offline()),
        }
        self.pump(ctx);
    }

    fn on_success(&mut self, ctx: &mut Ctx<'_>, job: &Job, built: &Built, response: &Response) {
        let changed = match RoamingData::parse(&response.body) {
            Ok(data) => wire::apply(&mut self.known, &data),
            Err(_) => match built {
                // No document: the new versions are to be fetched.
                Built::Publish(_) => {
                    self.roaming.refresh_at(ctx.now);
                    false
                }
                _ => self.foresee(built),
            },
        };
        self.tell(ctx, changed);
        if job.intent == Intent::Automatic {
            self.automatic = Automatic::Published;
            if self.machine == MachineState::Active {
                self.lively.push_back(ctx.now);
            }
        }
        let access = |operation: &Operation| {
            use Operation as O;
            matches!(operation, O::SetLevel { .. } | O::ChangeMembers { .. } | O::SetDelegates { .. } | O::SetPrivacyMode { .. })
        };
        if matches!(&job.intent, Intent::Operation(operation) if access(operation)) {
            self.reorder();
        }
        self.tell_privacy(ctx);
        complete(ctx, job, Ok(Outcome::Done));
    }

    /// The notification about containers and watchers comes later and says the same (`lync.md` 7.2, 7.3).
    fn foresee(&mut self, built: &Built) -> bool {
        let before = self.known.clone();
        match built {
            Built::Members(containers) => {
                containers.iter().for_each(|c| preview::change_members(&mut self.known.containers, c));
            }
            Built::Delegates(set) => {
                let held = &mut self.known.delegates;
                for (who, add) in &set.changes {
                    held.members.retain(|m| m != who);
                    if *add {
                        held.members.push(who.clone());
                    }
                }
                held.version = set.version + 1;
            }
            Built::Acknowledge(who) => {
                self.known.subscribers.iter_mut().filter(|s| s.uri == *who).for_each(|s| s.acknowledged = true);
            }
            Built::Publish(_) => {}
        }
        self.known != before
    }

    fn on_conflict(&mut self, ctx: &mut Ctx<'_>, mut job: Job, built: &Built, response: &Response) {
        job.conflicts += 1;
        let fault = VersionFault::parse(&response.body);
        if job.conflicts >= MAX_CONFLICTS || fault.is_none() {
            self.current = false;
            self.roaming.refresh_at(ctx.now);
        }
        if job.conflicts >= MAX_CONFLICTS {
            let text = "Your presence is being changed elsewhere at the same time; try again in a moment.";
            let error = Error { status: Some(409), ..Error::new(ErrorKind::PublishSubscribeFailed, text) };
            self.give_up(ctx, &job, error);
            return;
        }
        for conflict in fault.into_iter().flat_map(|f| f.conflicts) {
            let Some(at) = conflict.index.checked_sub(1) else { continue };
            match built {
                Built::Publish(items) => {
                    if let Some(item) = items.get(at) {
                        job.publication_versions.insert(item.publication.key.clone(), conflict.current);
                    }
                }
                Built::Members(containers) => {
                    if let Some(c) = containers.get(at) {
                        job.container_versions.insert(c.id, conflict.current);
                    }
                }
                Built::Delegates(_) => job.delegates_version = Some(conflict.current),
                Built::Acknowledge(_) => {}
            }
        }
        self.queue.push_front(job);
    }

    fn give_up(&mut self, ctx: &mut Ctx<'_>, job: &Job, error: Error) {
        if job.intent == Intent::Automatic {
            self.automatic = Automatic::WaitingForRetry(ctx.now + PUBLISH_RETRY);
        }
        complete(ctx, job, Err(error));
    }

    fn fail_all(&mut self, ctx: &mut Ctx<'_>, kind: ErrorKind, text: &str) {
        let jobs: Vec<Job> = self.sent.take().map(|s| s.1).into_iter().chain(std::mem::take(&mut self.queue)).collect();
        for job in jobs {
            complete(ctx, &job, Err(Error::new(kind, text)));
        }
    }

    fn enqueue(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) {
        if !ctx.online {
            ctx.complete(id, Err(Error::offline()));
        } else if !self.services {
            ctx.complete(id, Err(unavailable()));
        } else if matches!(operation, Operation::PublishValues { .. }) && !self.current {
            let text = "Your own presence has not arrived from the server yet; try again in a moment.";
            ctx.complete(id, Err(Error::new(ErrorKind::InvalidOperation, text)));
        } else if self.roaming.state() == State::Refused || !ctx.me.allows(TOPIC.event) {
            let text = "This server keeps no presence for you, so nothing can be published.";
            ctx.complete(id, Err(Error::new(ErrorKind::InvalidOperation, text)));
        } else if self.queue.len() >= MAX_QUEUED {
            ctx.complete(id, Err(Error::crowded()));
        } else {
            self.queue.push_back(Job::new(Some(id), Intent::Operation(Box::new(operation.clone()))));
            self.pump(ctx);
        }
    }

    /// What this device does, remembered also while offline: the next sign-in publishes it.
    fn set_machine(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) {
        let before = (self.machine, self.location.clone());
        match operation {
            Operation::SetMachineState { state } => self.machine = *state,
            Operation::SetLocation { location } => {
                if let Err(error) = intent::check_text(location) {
                    ctx.complete(id, Err(error));
                    return;
                }
                self.location = location.trim().to_owned();
            }
            _ => {}
        }
        if before == (self.machine, self.location.clone()) || self.automatic != Automatic::Published || !ctx.online {
            ctx.complete(id, Ok(Outcome::Done));
            return;
        }
        if self.machine == MachineState::Active && before.0 != MachineState::Active {
            if let Some(until) = self.held_back(ctx) {
                self.quiet_until = Some(until);
                ctx.complete(id, Ok(Outcome::Done));
                return;
            }
            self.lively.push_back(ctx.now);
        } else if self.machine != MachineState::Active {
            self.quiet_until = None;
        }
        self.enqueue(ctx, id, operation);
    }

    /// What phones and the calendar say, remembered also while offline: the next sign-in publishes it.
    fn set_source(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) {
        match operation {
            Operation::SetPhoneState { line, call: Some(call) } => {
                self.phones.insert(line.clone(), *call);
            }
            Operation::SetPhoneState { line, call: None } => {
                self.phones.remove(line);
            }
            Operation::SetCalendar { calendar } => self.calendar = Some(calendar.clone()),
            _ => {}
        }
        if self.automatic == Automatic::Published && ctx.online && self.services {
            self.enqueue(ctx, id, operation);
        } else {
            ctx.complete(id, Ok(Outcome::Done));
        }
    }

    /// The endpoint that the server takes for the most active one; empty where it names none.
    fn best_device(&self) -> Option<String> {
        let states = self.known.publications.iter().filter(|p| p.key.category == "state");
        let best = states.filter_map(|p| StateValue::parse(&p.value)).find(|s| s.kind == StateKind::AggregateMachine)?;
        Some(best.endpoint_id.unwrap_or_default())
    }

    /// Until when an active state is held back (`domain.md` 5.3), if it is.
    fn held_back(&mut self, ctx: &Ctx<'_>) -> Option<Time> {
        self.lively.retain(|t| ctx.now.since(*t) < LIVELY_WINDOW);
        let mine = self.best_device()?.eq_ignore_ascii_case(&ctx.me.instance);
        (!mine && self.lively.len() >= LIVELY_STATES).then(|| self.lively.front().map(|t| *t + LIVELY_WINDOW))?
    }
}

fn complete(ctx: &mut Ctx<'_>, job: &Job, result: Result<Outcome, Error>) {
    if let Some(id) = job.id {
        ctx.complete(id, result);
    }
}

fn unavailable() -> Error {
    Error::new(ErrorKind::InvalidOperation, "The server keeps no presence just now; try again when it does.")
}

impl Service for Publications {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        match operation {
            Operation::SetMachineState { .. } | Operation::SetLocation { .. } => self.set_machine(ctx, id, operation),
            Operation::SetPhoneState { .. } | Operation::SetCalendar { .. } => self.set_source(ctx, id, operation),
            Operation::SetStatus { .. }
            | Operation::SetCustomStatus { .. }
            | Operation::SetWorkingHours { .. }
            | Operation::PublishValues { .. }
            | Operation::ResetStatus
            | Operation::SetNote { .. }
            | Operation::SetPhones { .. }
            | Operation::Publish { .. }
            | Operation::Unpublish { .. }
            | Operation::SetLevel { .. }
            | Operation::ChangeMembers { .. }
            | Operation::SetDelegates { .. }
            | Operation::SetPrivacyMode { .. }
            | Operation::AcknowledgeSubscriber { .. } => self.enqueue(ctx, id, operation),
            Operation::Preview { operations } => self.preview(ctx, id, operations),
            _ => return false,
        }
        true
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        match self.roaming.on_request(ctx, tx, request) {
            Ok(heard) => {
                self.hear(ctx, heard);
                Handled::Yes
            }
            Err(other) => other,
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if let Some(heard) = self.roaming.on_reply(ctx.now, token, &reply) {
            self.hear(ctx, heard);
        } else if self.sent.as_ref().is_some_and(|s| s.0 == token) && !matches!(&reply, Reply::Response(r) if !r.is_final()) {
            self.on_publish_reply(ctx, reply);
        }
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::ContactDeleted(uri) => {
                self.contacts.iter_mut().for_each(|all| all.retain(|c| c != uri));
                self.queue.push_back(Job::new(None, Intent::Forget(uri.clone())));
            }
            // In privacy mode a new contact gets a place of their own (`domain.md` 6 rule 15).
            InternalEvent::ContactPlaced { uri, level } => {
                self.contacts.iter_mut().filter(|all| !all.contains(uri)).for_each(|all| all.push(uri.clone()));
                if let Some(level) = level {
                    let level = Operation::SetLevel { uri: uri.clone(), level: Some(*level) };
                    self.queue.push_back(Job::new(None, Intent::Operation(Box::new(level))));
                }
                self.reorder();
            }
            InternalEvent::Wanted(contacts) => {
                self.contacts = Some(contacts.clone());
                self.order(ctx);
            }
            InternalEvent::Privacy(administrator) => {
                self.administrator = Some(*administrator);
                self.order(ctx);
            }
            _ => return,
        }
        self.pump(ctx);
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.current = false;
        (self.administrator, self.ordered) = (None, false);
        self.services = true;
        self.automatic = Automatic::Wanted;
        self.subscribe(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.current = false;
        self.automatic = Automatic::Wanted;
        self.lively.clear();
        self.quiet_until = None;
        // The registration may stand while the services are gone.
        self.services = !ctx.online;
        let error = if ctx.online { unavailable() } else { Error::offline() };
        self.fail_all(ctx, error.kind, &error.text);
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.unsubscribe(ctx);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.roaming.is_due(ctx.now) {
            self.subscribe(ctx);
        }
        if matches!(self.automatic, Automatic::WaitingForRetry(at) if at <= ctx.now) {
            self.automatic = Automatic::UnderWay;
            self.queue.push_back(Job::new(None, Intent::Automatic));
        }
        if self.quiet_until.is_some_and(|t| t <= ctx.now) {
            self.quiet_until = None;
            self.lively.push_back(ctx.now);
            self.queue.push_back(Job::new(None, Intent::Machine));
        }
        self.pump(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let retry = match self.automatic {
            Automatic::WaitingForRetry(at) => Some(at),
            _ => None,
        };
        let due = if self.roaming.is_pending() { None } else { self.roaming.poll_timeout() };
        [due, retry, self.quiet_until].into_iter().flatten().min()
    }
}
