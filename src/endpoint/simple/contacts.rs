//! The contact list: in documents of the server where there is XCAP, else here, kept by whoever owns the endpoint, who gives
//! it back at the next start. Rules and errors are those of `domain.md` 6.
//!
//! On the server one write is under way at a time. What was written elsewhere meanwhile is fetched, the wish is worked in
//! once more, and if that fails again it is said (`simple.md` 4.8).

use super::book::{self, Names};
use super::list::List;
use super::listing::Listing;
use super::remote::{News, Remote};
use crate::domain::Time;
use crate::domain::contact::{Contact, ContactError, Group};
use crate::endpoint::event::Feature;
use crate::endpoint::limits::MAX_QUEUED;
use crate::endpoint::service::{Ctx, InternalEvent, Service, Token};
use crate::endpoint::web::{WebAnswer, WebPlace};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::simple::resource_lists::ResourceLists;
use crate::simple::xcap::Document;
use std::collections::VecDeque;

/// An operation that waits for its turn.
#[derive(Debug)]
struct Waiting {
    id: OperationId,
    operation: Operation,
    tried: bool,
}

/// A write under way: what it makes of the list.
#[derive(Debug)]
struct Write {
    job: Option<Waiting>,
    list: List,
    names: Names,
    document: ResourceLists,
    outcome: Outcome,
    events: Vec<Event>,
}

/// The list as the server keeps it.
#[derive(Debug)]
struct Kept {
    remote: Remote,
    /// As it was fetched or written last; `None`: not known on this registration.
    document: Option<ResourceLists>,
    names: Names,
    queue: VecDeque<Waiting>,
    write: Option<Write>,
    /// Why the server cannot be asked.
    away: Option<Error>,
    /// Contacts as one subscription.
    listing: Listing,
}

/// The service.
#[derive(Debug)]
pub struct Contacts {
    list: List,
    /// The screen has a list.
    told: bool,
    kept: Option<Kept>,
}

impl Contacts {
    /// With the list of last time, and where the server keeps it.
    pub fn new(groups: Vec<Group>, contacts: Vec<Contact>, xcap: Option<WebPlace>) -> Contacts {
        let kept = xcap.map(|place| Kept {
            remote: Remote::new(place.clone(), Document::ResourceLists),
            document: None,
            names: Names::new(),
            queue: VecDeque::new(),
            write: None,
            away: None,
            listing: Listing::new(place),
        });
        Contacts { list: List::new(groups, contacts), told: false, kept }
    }

    fn say_all(&mut self, ctx: &mut Ctx<'_>) {
        self.say_list(ctx);
        self.say_wanted(ctx);
    }

    fn say_list(&mut self, ctx: &mut Ctx<'_>) {
        self.told = true;
        ctx.emit(self.list.event());
    }

    /// Presence needs to know whom to watch; with one subscription for all first the list on the server is brought up to date.
    fn say_wanted(&mut self, ctx: &mut Ctx<'_>) {
        let wanted = self.list.wanted();
        match &mut self.kept {
            Some(kept) if ctx.online && kept.document.is_some() => kept.listing.want(ctx, wanted),
            _ => ctx.tell(InternalEvent::Wanted(wanted)),
        }
    }

    fn say_away(&mut self, ctx: &mut Ctx<'_>, why: Option<Error>) {
        let Some(kept) = &mut self.kept else { return };
        if kept.away != why {
            let text = why
                .as_ref()
                .map(|e| format!("{} This is the list as it was known last; it can be changed when the server is back.", e.text));
            ctx.emit(Event::Missing { what: Feature::ServerList, why: text });
        }
        kept.away = why;
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, news: News) {
        let Some(kept) = &mut self.kept else { return };
        match news {
            News::Fetched(body) => match body.map_or(Ok(None), |b| ResourceLists::parse(&b).map(Some)) {
                Ok(document) => self.fetched(ctx, document),
                Err(e) => {
                    let text = format!("The contact list on {} cannot be read: {e}.", kept.remote.place());
                    self.away(ctx, Error::new(ErrorKind::Parsing, text));
                }
            },
            News::Unchanged => {
                self.say_away(ctx, None);
                self.pump(ctx);
            }
            News::Written => self.written(ctx),
            News::Conflict(words) => {
                if let Some(Write { job: Some(mut job), .. }) = kept.write.take() {
                    if job.tried {
                        ctx.complete(job.id, Err(clash(&words)));
                    } else {
                        job.tried = true;
                        kept.queue.push_front(job);
                    }
                }
                kept.remote.fetch(ctx);
            }
            News::Refused(error) => {
                if let Some(Write { job: Some(job), .. }) = kept.write.take() {
                    ctx.complete(job.id, Err(error));
                }
                self.pump(ctx);
            }
            News::Away(error) => self.away(ctx, error),
        }
    }

    fn away(&mut self, ctx: &mut Ctx<'_>, error: Error) {
        let Some(kept) = &mut self.kept else { return };
        let job = kept.write.take().and_then(|w| w.job);
        for job in job.into_iter().chain(std::mem::take(&mut kept.queue)) {
            ctx.complete(job.id, Err(error.clone()));
        }
        self.say_away(ctx, Some(error));
        if !self.told {
            self.say_list(ctx);
        }
        self.say_wanted(ctx);
    }

    /// The list has come; the first one on a new server is ours.
    fn fetched(&mut self, ctx: &mut Ctx<'_>, document: Option<ResourceLists>) {
        self.say_away(ctx, None);
        let Some(kept) = &mut self.kept else { return };
        let first = kept.document.is_none();
        match document {
            Some(document) => {
                let list = book::read(&document, &self.list, &mut kept.names);
                kept.document = Some(document);
                if list != self.list || !self.told {
                    self.list = list;
                    self.say_list(ctx);
                }
                self.say_wanted(ctx);
            }
            None => {
                kept.document = Some(ResourceLists::default());
                kept.names.clear();
                if !self.told {
                    self.say_list(ctx);
                }
                if first && !self.list.contacts.is_empty() {
                    let list = self.list.clone();
                    self.write(ctx, None, list, Outcome::Done, Vec::new());
                } else {
                    self.say_wanted(ctx);
                }
            }
        }
        self.pump(ctx);
    }

    fn write(&mut self, ctx: &mut Ctx<'_>, job: Option<Waiting>, list: List, outcome: Outcome, events: Vec<Event>) {
        let Some(kept) = &mut self.kept else { return };
        let (mut names, mut document) = (kept.names.clone(), kept.document.clone().unwrap_or_default());
        book::write(&list, &mut names, &mut document);
        kept.remote.write(ctx, document.to_bytes());
        kept.write = Some(Write { job, list, names, document, outcome, events });
    }

    fn written(&mut self, ctx: &mut Ctx<'_>) {
        let Some(kept) = &mut self.kept else { return };
        let Some(write) = kept.write.take() else { return };
        let before = self.list.wanted();
        (kept.document, kept.names, self.list) = (Some(write.document), write.names, write.list);
        write.events.into_iter().for_each(|e| ctx.emit(e));
        if let Some(job) = write.job {
            tell_rules(ctx, &job.operation);
            ctx.complete(job.id, Ok(write.outcome));
        }
        if before != self.list.wanted() || !self.kept.as_ref().is_some_and(|k| k.listing.was_wanted()) {
            self.say_wanted(ctx);
        }
        self.pump(ctx);
    }

    /// Starts the next write.
    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        loop {
            let Some(kept) = &mut self.kept else { return };
            if kept.document.is_none() || kept.write.is_some() || kept.remote.is_busy() {
                return;
            }
            let Some(job) = kept.queue.pop_front() else { return };
            let mut list = self.list.clone();
            match list.apply(&ctx.me.uri, &job.operation) {
                Ok((outcome, events)) if list == self.list => {
                    events.into_iter().for_each(|e| ctx.emit(e));
                    ctx.complete(job.id, Ok(outcome));
                }
                Ok((outcome, events)) => return self.write(ctx, Some(job), list, outcome, events),
                Err(e) => ctx.complete(job.id, Err(e.into())),
            }
        }
    }

    fn change(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) {
        match &mut self.kept {
            None => {
                let before = self.list.wanted();
                let result = self.list.apply(&ctx.me.uri, operation).map(|(outcome, events)| {
                    events.into_iter().for_each(|e| ctx.emit(e));
                    outcome
                });
                if before != self.list.wanted() {
                    self.say_wanted(ctx);
                }
                if result.is_ok() {
                    tell_rules(ctx, operation);
                }
                ctx.complete(id, result.map_err(Into::into));
            }
            Some(_) if !ctx.online => ctx.complete(id, Err(ContactError::NotSubscribed.into())),
            Some(kept) => match &kept.away {
                Some(error) => ctx.complete(id, Err(error.clone())),
                None if kept.queue.len() >= MAX_QUEUED => {
                    ctx.complete(id, Err(Error::crowded()));
                }
                None => {
                    kept.queue.push_back(Waiting { id, operation: operation.clone(), tried: false });
                    self.pump(ctx);
                }
            },
        }
    }
}

/// Who may see what follows the list (`domain.md` 6, rules 8 and 15).
fn tell_rules(ctx: &mut Ctx<'_>, operation: &Operation) {
    match operation {
        Operation::DeleteContact { uri } => ctx.tell(InternalEvent::ContactDeleted(uri.clone())),
        Operation::AddContact { uri, options, .. } if options.level.is_some() => {
            ctx.tell(InternalEvent::ContactPlaced { uri: uri.clone(), level: options.level });
        }
        _ => {}
    }
}

fn clash(words: &str) -> Error {
    let why = if words.is_empty() { String::new() } else { format!(" ({words})") };
    let text = format!("The contact list was changed elsewhere at the same moment, twice{why}. It is fetched anew; try again.");
    Error::new(ErrorKind::Retryable, text)
}

fn refuse(ctx: &mut Ctx<'_>, id: OperationId, what: &str) -> bool {
    ctx.complete(id, Err(super::cannot(what)));
    true
}

impl Service for Contacts {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        match operation {
            Operation::RefreshContacts => {
                self.say_all(ctx);
                if let Some(kept) = self.kept.as_mut().filter(|k| ctx.online && !k.remote.is_busy()) {
                    kept.remote.fetch(ctx);
                }
                ctx.complete(id, Ok(Outcome::Done));
            }
            Operation::SearchDirectory { .. } => return refuse(ctx, id, "directory to search"),
            Operation::AddDistributionGroup { .. } | Operation::ExpandGroup { .. } => {
                return refuse(ctx, id, "distribution groups");
            }
            operation if List::takes(operation) => self.change(ctx, id, operation),
            _ => return false,
        }
        true
    }

    fn on_web(&mut self, ctx: &mut Ctx<'_>, token: Token, answer: Result<WebAnswer, String>) {
        let Some(kept) = &mut self.kept else { return };
        match kept.remote.on_web(ctx, token, &answer) {
            Some(news) => self.hear(ctx, news),
            None => kept.listing.on_web(ctx, token, &answer),
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.kept {
            Some(kept) => {
                kept.document = None;
                kept.listing.reset();
                kept.remote.fetch(ctx);
                // What was known last is shown at once; that nobody is known would be no news.
                if !self.list.contacts.is_empty() {
                    self.say_list(ctx);
                }
            }
            None => {
                let why = "The contact list is kept on this computer: no server for it (xcap) is named in the configuration.";
                ctx.emit(Event::Missing { what: Feature::ServerList, why: Some(why.into()) });
                self.say_all(ctx);
            }
        }
    }

    fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        let Some(kept) = &mut self.kept else { return };
        kept.remote.reset();
        kept.listing.reset();
        kept.document = None;
        let job = kept.write.take().and_then(|w| w.job);
        for job in job.into_iter().chain(std::mem::take(&mut kept.queue)) {
            ctx.complete(job.id, Err(Error::offline()));
        }
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        let Some(kept) = self.kept.as_mut().filter(|_| ctx.online) else { return };
        if kept.remote.is_due(ctx.now) {
            kept.remote.fetch(ctx);
        }
        kept.listing.on_timeout(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        let kept = self.kept.as_ref()?;
        [kept.remote.poll_timeout(), kept.listing.poll_timeout()].into_iter().flatten().min()
    }
}
