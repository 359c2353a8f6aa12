//! One's own presence: one document per device, published with an entity tag (RFC 3903; `simple.md` 4.5).

use super::access::Access;
use super::own::{self, ByHand};
use super::{cannot, request};
use crate::domain::calendar::Appointment;
use crate::domain::presence::{
    Activity, Availability, MachineState, Note, Publication, PublicationKey, SelfPresence, UserStatus,
};
use crate::domain::{Time, instances};
use crate::endpoint::event::Feature;
use crate::endpoint::limits::{EVENT_AGAIN, PUBLISH_EXPIRES, PUBLISH_PACE, PUBLISH_SETTLE, TIMED_STATUS_SECS};
use crate::endpoint::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use crate::endpoint::web::{WebAnswer, WebPlace};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::simple::pidf::{self, Published};
use crate::simple::quirks;
use crate::sip::{Method, Name, Request, Response, ServerTx, Uri};
use std::time::Duration;

/// English (United States), whose own words are published.
const LCID: u32 = 1033;
/// What this wire never has.
const MISSING: [(Feature, &str); 8] = [
    (Feature::Directory, "Standard SIP has no directory: people are added by their whole address."),
    (Feature::DistributionGroups, "Standard SIP has no distribution groups."),
    (
        Feature::Containers,
        "Standard SIP knows levels for people and domains; it has no privacy mode, no networks and no containers of one's own.",
    ),
    (Feature::Delegates, "Standard SIP has no people who act for you."),
    (Feature::Phones, "Standard presence has no place for your phone numbers."),
    (Feature::Subjects, "Conversations of standard SIP have no subject and no priority."),
    (Feature::Contexts, "Standard SIP attaches no applications to conversations."),
    (
        Feature::Categories,
        "Standard presence carries status, note, place and time zone; of the calendar only the meeting that goes on, and no working hours.",
    ),
];
const NO_PRESENCE: &str = "This server takes no presence: nobody sees your status, note or place.";
const NOT_YOURS: &str = "The server does not let you tell your presence; ask its administrator. Nobody sees your status.";
const ETAG: &str = "SIP-ETag";
const IF_MATCH: &str = "SIP-If-Match";

/// What a PUBLISH under way carries.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    /// A whole document.
    Document,
    /// Nothing: the same goes on.
    Refresh,
}

/// The service.
#[derive(Debug)]
pub struct Publishing {
    access: Access,
    /// Own sources as they were told last.
    told: Vec<Publication>,
    by_hand: Option<ByHand>,
    machine: MachineState,
    machine_since: Time,
    /// The meeting that goes on, as the calendar says.
    meeting: Option<Appointment>,
    note: Option<Note>,
    /// The note begins or ends then.
    turns: Option<Time>,
    location: String,
    etag: Option<String>,
    under_way: Option<(Token, Body)>,
    /// Something is to be published then; only while there is a registration.
    due: Option<Time>,
    /// Something is to be published with the next registration.
    unsaid: bool,
    refresh_at: Option<Time>,
    last: Option<Time>,
    /// Why the server takes nothing, on this registration.
    refused: Option<String>,
    waiting: Vec<OperationId>,
    sent_for: Vec<OperationId>,
    /// Lifetime of the last request, in seconds.
    asked: u32,
    failures: u32,
}

impl Publishing {
    /// Nothing set; with the place of the rules, if there is one.
    pub fn new(xcap: Option<WebPlace>) -> Publishing {
        Publishing {
            access: Access::new(xcap),
            told: Vec::new(),
            by_hand: None,
            machine: MachineState::Active,
            machine_since: Time::default(),
            meeting: None,
            note: None,
            turns: None,
            location: String::new(),
            etag: None,
            under_way: None,
            due: None,
            unsaid: false,
            refresh_at: None,
            last: None,
            refused: None,
            waiting: Vec::new(),
            sent_for: Vec::new(),
            asked: PUBLISH_EXPIRES,
            failures: 0,
        }
    }

    /// What is true now: the hand-set status where the device is there to support it, else the meeting that goes on, else what
    /// the device does.
    fn state(&self, now: Time) -> (Availability, Option<Activity>) {
        let machine = own::of_machine(self.machine);
        match self.by_hand.as_ref().filter(|s| s.until.is_none_or(|u| u > now)) {
            Some(set) if set.availability > machine || self.machine == MachineState::Active => {
                (set.availability, set.activity.clone())
            }
            None if self.meeting.is_some() && machine < Availability::BUSY => {
                (Availability::BUSY, Some(Activity::token("in-a-meeting")))
            }
            _ => (machine, None),
        }
    }

    fn document(&self, ctx: &Ctx<'_>) -> String {
        let (availability, activity) = self.state(ctx.now);
        let note = self.note.as_ref().filter(|n| n.end.is_none_or(|e| e > ctx.now) && n.start.is_none_or(|s| s <= ctx.now));
        let published = Published {
            entity: ctx.me.uri.clone(),
            device: ctx.me.instance.chars().filter(char::is_ascii_hexdigit).take(8).collect(),
            instance: format!("urn:uuid:{}", ctx.me.instance),
            availability,
            activity,
            note: note.map(|n| n.text.clone()).unwrap_or_default(),
            out_of_office: note.is_some_and(|n| n.out_of_office),
            location: self.location.clone(),
            display_name: ctx.me.display_name.clone(),
            time_offset: ctx.me.utc_offset_minutes,
            last_active: (self.machine != MachineState::Active).then_some(self.machine_since),
            at: ctx.now,
        };
        pidf::write(&published, LCID)
    }

    /// Something changed: tell the screen at once and the server soon.
    fn changed(&mut self, ctx: &mut Ctx<'_>) {
        let moments = self.note.iter().flat_map(|n| [n.start, n.end]).flatten();
        self.turns = moments.filter(|t| *t > ctx.now).min();
        self.tell(ctx);
        if !ctx.online {
            self.unsaid = true;
            return;
        }
        let settled = ctx.now + PUBLISH_SETTLE;
        let paced = self.last.map_or(settled, |l| settled.max(l + PUBLISH_PACE));
        self.due = Some(self.due.map_or(paced, |d| d.max(settled).min(paced)));
    }

    /// One's own sources, in the form every screen of ours reads.
    fn tell(&mut self, ctx: &mut Ctx<'_>) {
        let publications = self.publications(ctx);
        self.told.clone_from(&publications);
        ctx.emit(Event::SelfPresence(Box::new(SelfPresence {
            publications,
            containers: self.access.containers(),
            subscribers: self.access.subscribers(&ctx.me.uri),
            ..SelfPresence::default()
        })));
    }

    /// Tells what the server said, but not while half of it is still to come.
    fn tell_rest(&mut self, ctx: &mut Ctx<'_>) {
        if !self.access.is_waiting() {
            self.tell(ctx);
        }
    }

    fn publications(&self, ctx: &Ctx<'_>) -> Vec<Publication> {
        let (availability, activity) = self.state(ctx.now);
        own::publications(&own::Own {
            contact: &ctx.me.contact,
            instance: &ctx.me.instance,
            now: ctx.now,
            machine: self.machine,
            machine_since: self.machine_since,
            by_hand: self.by_hand.as_ref(),
            meeting: self.meeting.as_ref(),
            told: self.refused.is_none().then_some((availability, activity)),
            note: self.note.as_ref(),
            location: &self.location,
        })
    }

    /// What the levels would be.
    fn preview(&self, ctx: &Ctx<'_>, operations: &[Operation]) -> Result<Outcome, Error> {
        use Operation as O;
        if operations.iter().any(|o| !matches!(o, O::SetLevel { .. } | O::ChangeMembers { .. } | O::AcknowledgeSubscriber { .. }))
        {
            return Err(cannot("way to try a change of your status; levels can be tried"));
        }
        let containers = self.access.preview(&ctx.me.uri, operations)?;
        let subscribers = self.access.subscribers(&ctx.me.uri);
        Ok(Outcome::Preview(Box::new(SelfPresence {
            publications: self.told.clone(),
            containers,
            subscribers,
            ..SelfPresence::default()
        })))
    }

    fn set_status(&mut self, ctx: &Ctx<'_>, status: UserStatus, words: &str, until: Option<Time>) {
        let (availability, token) = status.state();
        let own = Activity { token: None, custom: vec![(LCID, words.to_owned())], min: 0, max: u32::MAX };
        let activity = if words.is_empty() { token.map(Activity::token) } else { Some(own) };
        let timed = matches!(status, UserStatus::Busy | UserStatus::DoNotDisturb);
        let until = until.or_else(|| timed.then(|| ctx.now + Duration::from_secs(TIMED_STATUS_SECS.into())));
        self.by_hand = Some(ByHand { availability, activity, until, at: ctx.now });
    }

    /// A status of one's own making.
    fn set_custom(&mut self, ctx: &Ctx<'_>, id: &str, until: Option<Time>) -> Result<(), Error> {
        let Some(custom) = ctx.me.custom_statuses.iter().find(|c| c.id == id).cloned() else {
            return Err(Error::new(ErrorKind::NotFound, format!("There is no custom status “{id}” in the configuration.")));
        };
        self.set_status(ctx, custom.status, "", until);
        if let Some(set) = &mut self.by_hand {
            set.activity = Some(Activity { token: None, custom: custom.texts, min: 0, max: u32::MAX });
        }
        Ok(())
    }

    fn publish(&mut self, ctx: &mut Ctx<'_>, body: Body, expires: u32) {
        let me = Uri::from(&ctx.me.uri);
        let mut r = request::request(ctx, Method::Publish, &me);
        r.headers.push(Name::Event, "presence").push(Name::Expires, expires.to_string());
        if let Some(etag) = &self.etag {
            r.headers.push(Name::from(IF_MATCH), etag.as_str());
        }
        if body == Body::Document {
            r = r.with_body(pidf::CONTENT_TYPE, self.document(ctx).into_bytes());
            self.sent_for.append(&mut self.waiting);
            self.due = None;
        }
        self.last = Some(ctx.now);
        self.asked = expires;
        self.refresh_at = None;
        self.under_way = Some((ctx.send(r), body));
    }

    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        if !ctx.online || self.under_way.is_some() || self.refused.is_some() {
            return;
        }
        if self.due.is_some_and(|d| d <= ctx.now) {
            self.publish(ctx, Body::Document, PUBLISH_EXPIRES);
        } else if self.refresh_at.is_some_and(|d| d <= ctx.now) {
            let body = if self.etag.is_some() { Body::Refresh } else { Body::Document };
            self.publish(ctx, body, PUBLISH_EXPIRES);
        }
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, body: &Body, response: &Response) {
        match response.status {
            200..=299 => {
                self.failures = 0;
                self.etag = response.headers.get(&Name::from(ETAG)).map(|e| e.trim().to_owned());
                let lives = u64::from(response.headers.expires().unwrap_or(PUBLISH_EXPIRES).clamp(2, PUBLISH_EXPIRES));
                self.refresh_at = Some(ctx.now + Duration::from_millis(lives * 850));
                self.complete(ctx, &Ok(Outcome::Done));
            }
            // The tag is unknown there: begin anew with everything.
            412 | 400 if self.etag.is_some() => {
                self.etag = None;
                self.again(ctx, Duration::ZERO);
            }
            404 if quirks::forgets_what_nobody_watches(request::product(response)) => {
                self.refresh_at = Some(ctx.now + Duration::from_secs(u64::from(PUBLISH_EXPIRES)));
                self.complete(ctx, &Ok(Outcome::Done));
            }
            405 | 404 | 489 | 501 => self.refuse(ctx, response.status, NO_PRESENCE),
            403 => self.refuse(ctx, response.status, NOT_YOURS),
            423 => {
                let least = response.headers.get(&Name::MinExpires).and_then(|m| m.trim().parse().ok()).unwrap_or(3600);
                // Once: a server that always wants more would be asked without pause.
                if self.asked == PUBLISH_EXPIRES && least > PUBLISH_EXPIRES {
                    self.publish(ctx, body.clone(), least);
                } else {
                    self.try_later(ctx, request::retry_after(response));
                }
            }
            _ => self.try_later(ctx, request::retry_after(response)),
        }
    }

    /// The server takes no presence of ours: nothing is told to anybody.
    fn refuse(&mut self, ctx: &mut Ctx<'_>, status: u16, why: &str) {
        self.complete(ctx, &Err(Error { status: Some(status), ..Error::new(ErrorKind::PublishSubscribeFailed, why) }));
        (self.refused, self.due) = (Some(why.to_owned()), None);
        ctx.emit(Event::Missing { what: Feature::OwnPresence, why: Some(why.into()) });
        self.tell(ctx);
    }

    /// What was sent goes out again.
    fn again(&mut self, ctx: &Ctx<'_>, wait: Duration) {
        self.waiting.append(&mut self.sent_for);
        self.due = Some(ctx.now + wait);
    }

    fn try_later(&mut self, ctx: &mut Ctx<'_>, least: Duration) {
        self.failures += 1;
        let text = "The server could not take your presence just now; it is told again by itself.";
        self.complete(ctx, &Err(Error::new(ErrorKind::Retryable, text)));
        let wait = EVENT_AGAIN * (1 << self.failures.min(6));
        self.due = Some(ctx.now + wait.max(least));
    }

    fn complete(&mut self, ctx: &mut Ctx<'_>, result: &Result<Outcome, Error>) {
        for id in std::mem::take(&mut self.sent_for) {
            ctx.complete(id, result.clone());
        }
    }
}

/// Whether this takes the status back that was set by hand.
fn resets(operation: &Operation) -> bool {
    let by_hand = |k: &PublicationKey| [instances::USER_STATE, instances::TIMED_USER_STATE].contains(&k.instance);
    matches!(operation, Operation::Unpublish { keys, .. } if !keys.is_empty() && keys.iter().all(by_hand))
}

impl Service for Publishing {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        let own = matches!(
            operation,
            Operation::SetStatus { .. }
                | Operation::SetCustomStatus { .. }
                | Operation::ResetStatus
                | Operation::SetNote { .. }
                | Operation::SetLocation { .. }
        );
        if let Some(why) = self.refused.as_ref().filter(|_| own && ctx.online) {
            ctx.complete(id, Err(Error::new(ErrorKind::InvalidOperation, why.clone())));
            return true;
        }
        match operation {
            Operation::SetStatus { status, activity, until } => self.set_status(ctx, *status, activity, *until),
            Operation::SetCustomStatus { id: custom, until } => {
                if let Err(e) = self.set_custom(ctx, custom, *until) {
                    ctx.complete(id, Err(e));
                    return true;
                }
            }
            Operation::SetCalendar { calendar } => self.meeting.clone_from(&calendar.meeting),
            Operation::ResetStatus => self.by_hand = None,
            Operation::SetNote { note } => self.note = note.clone(),
            Operation::SetLocation { location } => self.location = location.clone(),
            Operation::SetMachineState { state } => (self.machine, self.machine_since) = (*state, ctx.now),
            Operation::SetPhones { .. } => {
                ctx.complete(id, Err(cannot("place for your phone numbers")));
                return true;
            }
            unpublish if resets(unpublish) => self.by_hand = None,
            Operation::Publish { .. } | Operation::Unpublish { .. } => {
                ctx.complete(id, Err(cannot("presence categories")));
                return true;
            }
            Operation::SetLevel { .. } | Operation::AcknowledgeSubscriber { .. } | Operation::ChangeMembers { .. } => {
                self.access.change(ctx, Some(id), operation);
                return true;
            }
            Operation::Preview { operations } => {
                let result = self.preview(ctx, operations);
                ctx.complete(id, result);
                return true;
            }
            Operation::SetDelegates { .. } => {
                ctx.complete(id, Err(cannot("people who act for you")));
                return true;
            }
            Operation::SetPrivacyMode { .. } => {
                ctx.complete(id, Err(cannot("privacy mode; nobody sees you before you put them on a level")));
                return true;
            }
            _ => return false,
        }
        self.changed(ctx);
        if ctx.online && self.refused.is_none() {
            self.waiting.push(id);
        } else {
            // It is told with the next sign-in.
            ctx.complete(id, Ok(Outcome::Done));
        }
        self.pump(ctx);
        true
    }

    fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: Request) -> Handled {
        if self.access.turns_away(ctx, tx, &request) {
            return Handled::Yes;
        }
        match self.access.on_request(ctx, tx, &request) {
            None => return Handled::No(request),
            Some(true) => self.tell_rest(ctx),
            Some(false) => {}
        }
        Handled::Yes
    }

    fn on_web(&mut self, ctx: &mut Ctx<'_>, token: Token, answer: Result<WebAnswer, String>) {
        if self.access.on_web(ctx, token, &answer) {
            self.tell(ctx);
        }
    }

    fn on_internal(&mut self, ctx: &mut Ctx<'_>, event: &InternalEvent) {
        match event {
            InternalEvent::ContactPlaced { uri, level: Some(level) } => {
                self.access.change(ctx, None, &Operation::SetLevel { uri: uri.clone(), level: Some(*level) });
            }
            // Who is off the list loses what they were given; who is blocked stays so.
            InternalEvent::ContactDeleted(uri) => self.access.forget(ctx, uri),
            _ => {}
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        match self.access.on_reply(ctx, token, &reply) {
            None => {}
            Some(true) => return self.tell_rest(ctx),
            Some(false) => return,
        }
        let Some((_, body)) = self.under_way.take_if(|u| u.0 == token) else { return };
        match reply {
            Reply::Response(r) if !r.is_final() => self.under_way = Some((token, body)),
            Reply::Response(r) => self.answered(ctx, &body, &r),
            Reply::Timeout => self.try_later(ctx, Duration::ZERO),
            // Too large for a datagram, and there is no stream.
            Reply::LinkLost if ctx.online => self.try_later(ctx, Duration::ZERO),
            Reply::LinkLost => self.again(ctx, Duration::ZERO),
        }
        self.pump(ctx);
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        (self.etag, self.under_way) = (None, None);
        if self.refused.take().is_some() {
            ctx.emit(Event::Missing { what: Feature::OwnPresence, why: None });
        }
        if self.machine_since == Time::default() {
            self.machine_since = ctx.now;
        }
        for (what, why) in MISSING {
            ctx.emit(Event::Missing { what, why: Some(why.into()) });
        }
        if std::mem::take(&mut self.unsaid) || ctx.me.publish {
            self.due = Some(ctx.now);
        }
        self.pump(ctx);
        self.access.on_online(ctx);
        self.tell_rest(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.access.on_offline(ctx);
        self.unsaid |= self.due.is_some();
        (self.due, self.under_way, self.refresh_at, self.etag) = (None, None, None, None);
        // As what is set without a registration, it is told with the next one.
        self.sent_for.append(&mut self.waiting);
        self.complete(ctx, &Ok(Outcome::Done));
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.access.on_sign_out(ctx);
        if self.etag.is_some() && self.under_way.is_none() {
            self.publish(ctx, Body::Refresh, 0);
        }
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.access.on_timeout(ctx) {
            self.tell_rest(ctx);
        }
        if self.by_hand.as_ref().is_some_and(|s| s.until.is_some_and(|u| u <= ctx.now)) {
            self.by_hand = None;
            self.changed(ctx);
        }
        if self.turns.is_some_and(|t| t <= ctx.now) {
            self.changed(ctx);
        }
        self.pump(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let until = self.by_hand.as_ref().and_then(|s| s.until);
        let idle = self.under_way.is_none() && self.refused.is_none();
        let own = [self.due, self.refresh_at].into_iter().flatten().min().filter(|_| idle);
        [until, self.turns, own, self.access.poll_timeout()].into_iter().flatten().min()
    }
}
