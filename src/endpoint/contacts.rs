//! The contact list: replica of the server's, and the operations of `domain.md` 6.
//!
//! One write is under way at a time; it carries the number of the list it was made from. A refused write fetches the list
//! anew and is tried once more against it. Operations complete after the change has arrived as a notification.

mod replica;
#[cfg(test)]
mod tests;
mod write;

use super::limits::*;
use super::roaming::{Document, Heard, Roaming, State, Topic};
use super::service::{Ctx, Handled, InternalEvent, Reply, Service, Token};
use super::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::domain::contact::ContactError;
use crate::domain::{Address, Rng, Time};
use crate::lync::contacts::{self as wire, ContactDocument};
use crate::lync::soap;
use crate::sip::{Method, Request, ServerTx, Uri};
use replica::{Applied, Replica};
use std::collections::VecDeque;

const TOPIC: Topic =
    Topic { event: wire::EVENT, accept: wire::CONTENT_TYPE, extra: &[("Supported", "ms-ucs")], content_type: wire::CONTENT_TYPE };

/// An operation that waits for its turn.
#[derive(Debug)]
struct Waiting {
    id: OperationId,
    operation: Operation,
    tried: bool,
}

/// The write under way.
#[derive(Debug)]
enum Write {
    /// Sent; no answer yet.
    Asked { token: Token, job: Waiting, delta: u32 },
    /// Accepted; the notification is still to come.
    Accepted { job: Waiting, outcome: Outcome, delta: u32, until: Time },
}

/// The service.
#[derive(Debug)]
pub struct Contacts {
    roaming: Roaming,
    replica: Replica,
    /// The list has arrived on this registration.
    current: bool,
    /// It has been told at least once.
    told: bool,
    refreshing: Vec<OperationId>,
    queue: VecDeque<Waiting>,
    write: Option<Write>,
    wanted: Option<Vec<Address>>,
}

impl Contacts {
    /// An empty list that has not arrived.
    pub fn new(_rng: Rng) -> Contacts {
        Contacts {
            roaming: Roaming::new(TOPIC),
            replica: Replica::default(),
            current: false,
            told: false,
            refreshing: Vec::new(),
            queue: VecDeque::new(),
            write: None,
            wanted: None,
        }
    }

    fn subscribe(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.online && ctx.me.allows(TOPIC.event) {
            let me = Uri::from(&ctx.me.uri);
            self.roaming.subscribe(ctx, &me, Vec::new(), None);
        }
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, heard: Heard) {
        match heard {
            Heard::Nothing => {}
            Heard::Document(document) => self.on_document(ctx, &document),
            Heard::Refused(488) => ctx.emit(Event::Notice(
                "Your contact list is kept in Exchange, which this program cannot reach; the list stays empty.".into(),
            )),
            Heard::Refused(status) => {
                ctx.emit(Event::Notice(format!("The server refuses the contact list ({status}). Ask your administrator.")));
                self.end_refresh(ctx, false);
            }
            Heard::Lost => {
                self.current = false;
                self.end_refresh(ctx, false);
            }
        }
        if !self.told && self.roaming.state() != State::Subscribing {
            // What was wanted before the list came has nothing to be checked against.
            for job in std::mem::take(&mut self.queue) {
                ctx.complete(job.id, Err(ContactError::NotSubscribed.into()));
            }
        }
        self.pump(ctx);
    }

    fn on_document(&mut self, ctx: &mut Ctx<'_>, document: &Document) {
        let notice = match ContactDocument::parse(&document.body) {
            Ok(notice) => notice,
            Err(_) => {
                // Unreadable: what we hold may be out of date, so the whole is asked for once more, later.
                self.roaming.refresh_at(ctx.now + RESUBSCRIBE_SLOW);
                return;
            }
        };
        match self.replica.apply(notice) {
            Applied::Events(events) => events.into_iter().for_each(|e| ctx.emit(e)),
            Applied::Whole { changed } => {
                if changed || !self.told {
                    self.told = true;
                    ctx.emit(self.replica.list());
                }
                self.current = true;
                self.end_refresh(ctx, true);
            }
            Applied::Gap => self.refresh(ctx),
            Applied::Elsewhere => ctx.emit(Event::Notice(
                "Your contact list is kept in Exchange, which this program cannot reach; the list stays empty.".into(),
            )),
        }
        self.tell_wanted(ctx);
        self.finish_accepted(ctx);
    }

    fn tell_wanted(&mut self, ctx: &mut Ctx<'_>) {
        if !self.told {
            return;
        }
        let wanted = self.replica.wanted();
        if self.wanted.as_ref() != Some(&wanted) {
            self.wanted = Some(wanted.clone());
            ctx.tell(InternalEvent::Wanted(wanted));
        }
    }

    /// Asks for the whole list; writes wait for it.
    fn refresh(&mut self, ctx: &mut Ctx<'_>) {
        self.current = false;
        match self.roaming.state() {
            State::Subscribed | State::Idle | State::Refused => self.subscribe(ctx),
            State::Subscribing | State::WaitingForRetry(_) => {}
        }
    }

    fn end_refresh(&mut self, ctx: &mut Ctx<'_>, arrived: bool) {
        for id in std::mem::take(&mut self.refreshing) {
            let result = if arrived { Ok(Outcome::Done) } else { Err(ContactError::NotSubscribed.into()) };
            ctx.complete(id, result);
        }
    }

    /// The write whose notification has come is done.
    fn finish_accepted(&mut self, ctx: &mut Ctx<'_>) {
        let arrived = matches!(&self.write, Some(Write::Accepted { delta, .. }) if self.current && self.replica.delta() > *delta);
        if arrived {
            self.complete_accepted(ctx);
        }
    }

    fn complete_accepted(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(Write::Accepted { job, outcome, .. }) = self.write.take() {
            match &job.operation {
                Operation::DeleteContact { uri } => ctx.tell(InternalEvent::ContactDeleted(uri.clone())),
                Operation::AddContact { uri, options, .. } => {
                    ctx.tell(InternalEvent::ContactPlaced { uri: uri.clone(), level: options.level });
                }
                _ => {}
            }
            ctx.complete(job.id, Ok(outcome));
        }
    }

    /// Sends the next write if nothing stands in its way.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        while self.current && self.write.is_none() && ctx.online {
            let Some(job) = self.queue.pop_front() else { return };
            match write::build(&job.operation, &self.replica, &ctx.me.uri) {
                Err(error) => ctx.complete(job.id, Err(error)),
                Ok(None) => ctx.complete(job.id, Ok(Outcome::Done)),
                Ok(Some(body)) => {
                    if let (Operation::AddContact { uri, options, .. }, false) = (&job.operation, job.tried)
                        && !options.without_presence
                    {
                        ctx.tell(InternalEvent::ContactAdded { uri: uri.clone(), words: options.note.clone() });
                    }
                    let me = Uri::from(&ctx.me.uri);
                    let request = ctx.request(Method::Service, &me).with_body(soap::CONTENT_TYPE, body);
                    let token = ctx.send(request);
                    self.write = Some(Write::Asked { token, job, delta: self.replica.delta() });
                }
            }
        }
    }

    fn on_write_reply(&mut self, ctx: &mut Ctx<'_>, reply: Reply) {
        let Some(Write::Asked { mut job, delta, .. }) = self.write.take() else { return };
        match reply {
            Reply::Response(r) if r.is_success() => {
                let outcome = write::outcome(&job.operation, &r);
                self.write = Some(Write::Accepted { job, outcome, delta, until: ctx.now + SETTLE_WAIT });
                self.finish_accepted(ctx);
            }
            // Usually a stale number; the fresh list says whether the intent still makes sense (lync.md 5.4).
            Reply::Response(_) if !job.tried => {
                job.tried = true;
                self.queue.push_front(job);
                self.refresh(ctx);
            }
            Reply::Response(r) => {
                self.refresh(ctx);
                ctx.complete(job.id, Err(write::failure(&job.operation, &r)));
            }
            Reply::Timeout => {
                self.refresh(ctx);
                let error = Error::new(ErrorKind::Timeout, "The server did not answer; the contact list is fetched again.");
                ctx.complete(job.id, Err(error));
            }
            Reply::LinkLost => ctx.complete(job.id, Err(Error::offline())),
        }
        self.pump(ctx);
    }
}

impl Service for Contacts {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        if matches!(operation, Operation::RefreshContacts) {
            if ctx.online {
                self.refreshing.push(id);
                self.refresh(ctx);
            } else {
                ctx.complete(id, Err(Error::offline()));
            }
            return true;
        }
        if !write::is_mine(operation) {
            return false;
        }
        if !ctx.online {
            ctx.complete(id, Err(Error::offline()));
        } else if self.roaming.state() == State::Refused || (!self.told && self.roaming.state() != State::Subscribing) {
            ctx.complete(id, Err(ContactError::NotSubscribed.into()));
        } else if self.queue.len() >= MAX_QUEUED {
            ctx.complete(id, Err(Error::crowded()));
        } else {
            self.queue.push_back(Waiting { id, operation: operation.clone(), tried: false });
            self.pump(ctx);
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
        } else if matches!(&self.write, Some(Write::Asked { token: t, .. }) if *t == token) && is_final(&reply) {
            self.on_write_reply(ctx, reply);
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.current = false;
        self.subscribe(ctx);
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.current = false;
        for id in std::mem::take(&mut self.refreshing) {
            ctx.complete(id, Err(Error::offline()));
        }
        match self.write.take() {
            Some(Write::Asked { job, .. }) => ctx.complete(job.id, Err(Error::offline())),
            // The server has said yes: the next full list will show it.
            Some(Write::Accepted { job, outcome, .. }) => ctx.complete(job.id, Ok(outcome)),
            None => {}
        }
        for job in std::mem::take(&mut self.queue) {
            ctx.complete(job.id, Err(Error::offline()));
        }
    }

    fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.unsubscribe(ctx);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.roaming.is_due(ctx.now) {
            self.subscribe(ctx);
        }
        if matches!(&self.write, Some(Write::Accepted { until, .. }) if *until <= ctx.now) {
            self.complete_accepted(ctx);
            self.refresh(ctx);
        }
        self.pump(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let settle = match &self.write {
            Some(Write::Accepted { until, .. }) => Some(*until),
            _ => None,
        };
        let due = if self.roaming.is_pending() { None } else { self.roaming.poll_timeout() };
        [due, settle].into_iter().flatten().min()
    }
}

fn is_final(reply: &Reply) -> bool {
    !matches!(reply, Reply::Response(r) if !r.is_final())
}
