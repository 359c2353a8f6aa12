//! Who watches, and who may: watcher information (RFC 3857) and the rules that answer it (`pres-rules`, RFC 5025), which are
//! levels of privacy here (`simple.md` 4.6, 4.8, 4.9).
//!
//! Nobody sees anything before a rule names them, so acknowledging somebody without a level puts them on [`GRANTED`].

use super::event::{Heard, Package, Subscription};
use super::messages::inbound::{OLD_TYPING, written};
use super::remote::{News, Remote};
use crate::domain::access::{BLOCKED_CONTAINER, Change};
use crate::domain::presence::{Container, Level, Member, Subscriber};
use crate::domain::{Address, Time};
use crate::endpoint::event::Feature;
use crate::endpoint::limits::MAX_QUEUED;
use crate::endpoint::service::{Ctx, Reply, Token};
use crate::endpoint::web::{WebAnswer, WebPlace};
use crate::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use crate::simple::pres_rules::{self, PresRules};
use crate::simple::winfo::{self, Standing, Watchers};
use crate::simple::xcap::Document;
use crate::sip::multipart::is_type;
use crate::sip::{Method, Name, Request, ServerTx};
use std::collections::VecDeque;

/// What somebody gets who is let in without a word on how much.
const GRANTED: Level = Level::Colleagues;
const PACKAGE: Package = Package { event: "presence.winfo", accept: winfo::CONTENT_TYPE, list: false };
const NO_RULES: &str = "Who may see you is decided by the server: no place for your rules (xcap) is named in the configuration.";
const NO_WATCHERS: &str = "This server does not tell who watches you.";
const CLOSED: &str = "On this server nobody sees anything of you before you put them on a level.";

/// A change of the rules that waits for its turn; `None`: nobody waits for its end.
#[derive(Debug)]
struct Waiting {
    id: Option<OperationId>,
    operation: Operation,
    tried: bool,
}

/// The rules on the server.
#[derive(Debug)]
struct Rules {
    remote: Remote,
    /// As they were fetched or written last; `None`: not known on this registration.
    document: Option<PresRules>,
    queue: VecDeque<Waiting>,
    write: Option<(Waiting, PresRules)>,
    away: Option<Error>,
}

/// Watchers and rules.
#[derive(Debug)]
pub struct Access {
    winfo: Option<Subscription>,
    watchers: Watchers,
    rules: Option<Rules>,
    /// Who is blocked, as far as was known last.
    blocked: Vec<Member>,
}

/// What the rules say after an operation.
fn applied(rules: &PresRules, me: &Address, operation: &Operation) -> Result<PresRules, Error> {
    let mut out = rules.clone();
    match operation {
        Operation::SetLevel { uri, level } => out.set(&Member::User(uri.clone()), *level),
        Operation::AcknowledgeSubscriber { uri } if !out.names(uri) => out.set(&Member::User(uri.clone()), Some(GRANTED)),
        Operation::AcknowledgeSubscriber { .. } => {}
        Operation::ChangeMembers { changes } => {
            for change in changes {
                let (Change::Add(id, member) | Change::Remove(id, member)) = change;
                if !pres_rules::is_level(*id) {
                    return Err(super::cannot("containers of one's own making"));
                }
                let member = match member {
                    Member::User(_) | Member::Domain(_) | Member::Everyone => member.clone(),
                    Member::SameEnterprise => Member::Domain(me.host().to_owned()),
                    Member::Federated | Member::PublicCloud => {
                        return Err(super::cannot("networks to name in a rule; name a domain instead"));
                    }
                };
                let there = out.containers().iter().any(|c| c.id == *id && c.members.contains(&member));
                match change {
                    Change::Add(..) => out.set(&member, Level::of_container(*id)),
                    Change::Remove(..) if there => out.set(&member, None),
                    Change::Remove(..) => {}
                }
            }
        }
        _ => {}
    }
    Ok(out)
}

impl Access {
    /// With the place of the rules, if there is one.
    pub fn new(xcap: Option<WebPlace>) -> Access {
        let rules = xcap.map(|place| Rules {
            remote: Remote::new(place, Document::PresRules),
            document: None,
            queue: VecDeque::new(),
            write: None,
            away: None,
        });
        Access { winfo: None, watchers: Watchers::default(), rules, blocked: Vec::new() }
    }

    fn document(&self) -> Option<&PresRules> {
        self.rules.as_ref()?.document.as_ref()
    }

    /// Whether the rules are about to arrive.
    pub fn is_waiting(&self) -> bool {
        self.rules.as_ref().is_some_and(|r| r.document.is_none() && r.remote.is_busy())
    }

    /// Levels and who stands on them.
    pub fn containers(&self) -> Vec<Container> {
        self.document().map(PresRules::containers).unwrap_or_default()
    }

    /// What the levels would be after these operations.
    pub fn preview(&self, me: &Address, operations: &[Operation]) -> Result<Vec<Container>, Error> {
        let start = self.document().cloned().unwrap_or_default();
        operations.iter().try_fold(start, |rules, o| applied(&rules, me, o)).map(|r| r.containers())
    }

    /// Watchers; those who wait and are named by no rule have no answer yet.
    pub fn subscribers(&self, me: &Address) -> Vec<Subscriber> {
        let named = self.document().map(PresRules::named).unwrap_or_default();
        let one = |w: &winfo::Watcher| Subscriber {
            acknowledged: w.standing == Standing::Active || named.holds(&w.uri),
            ..Subscriber::new(w.uri.clone(), w.display_name.clone())
        };
        self.watchers.all().into_iter().filter(|w| w.uri != *me).map(one).collect()
    }

    /// A change of the rules.
    pub fn change(&mut self, ctx: &mut Ctx<'_>, id: Option<OperationId>, operation: &Operation) {
        let refusal = match &self.rules {
            None => Some(Error::new(ErrorKind::InvalidOperation, NO_RULES)),
            Some(_) if !ctx.online => Some(Error::offline()),
            Some(rules) if rules.queue.len() >= MAX_QUEUED => Some(Error::crowded()),
            Some(rules) => rules.away.clone(),
        };
        match (refusal, &mut self.rules) {
            (None, Some(rules)) => {
                rules.queue.push_back(Waiting { id, operation: operation.clone(), tried: false });
                self.pump(ctx);
            }
            (refusal, _) => end(ctx, id, Err(refusal.unwrap_or_else(|| Error::new(ErrorKind::InvalidOperation, NO_RULES)))),
        }
    }

    /// Somebody is off the contact list: they lose what they were given; who is blocked stays so.
    pub fn forget(&mut self, ctx: &mut Ctx<'_>, who: &Address) {
        let member = Member::User(who.clone());
        let given = |c: &Container| c.id != BLOCKED_CONTAINER && c.members.contains(&member);
        if self.containers().iter().any(given) {
            self.change(ctx, None, &Operation::SetLevel { uri: who.clone(), level: None });
        }
    }

    fn pump(&mut self, ctx: &mut Ctx<'_>) {
        let Some(rules) = &mut self.rules else { return };
        while let (Some(document), false) = (&rules.document, rules.remote.is_busy()) {
            let Some(job) = rules.queue.pop_front() else { return };
            match applied(document, &ctx.me.uri, &job.operation) {
                Ok(same) if same == *document => end(ctx, job.id, Ok(Outcome::Done)),
                Ok(changed) => {
                    rules.remote.write(ctx, changed.to_bytes());
                    rules.write = Some((job, changed));
                }
                Err(e) => end(ctx, job.id, Err(e)),
            }
        }
    }

    /// An answer over HTTP; true: what is known has changed.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_>, token: Token, answer: &Result<WebAnswer, String>) -> bool {
        let waited = self.is_waiting();
        let Some(rules) = &mut self.rules else { return false };
        let Some(news) = rules.remote.on_web(ctx, token, answer) else { return false };
        let before = rules.document.clone();
        match news {
            News::Fetched(body) => match body.map_or(Ok(PresRules::default()), |b| PresRules::parse(&b)) {
                Ok(document) => {
                    rules.document = Some(document);
                    rules.say_away(ctx, None);
                }
                Err(e) => {
                    let text = format!("The rules on {} cannot be read: {e}.", rules.remote.place());
                    rules.fail(ctx, Error::new(ErrorKind::Parsing, text));
                }
            },
            News::Unchanged => rules.say_away(ctx, None),
            News::Written => {
                if let Some((job, document)) = rules.write.take() {
                    rules.document = Some(document);
                    end(ctx, job.id, Ok(Outcome::Done));
                }
                // Some servers tell of watchers whose standing changed by a rule only when they are asked.
                self.winfo.iter_mut().for_each(|w| w.refresh_at(ctx.now));
            }
            News::Conflict(words) => {
                if let Some((mut job, _)) = rules.write.take() {
                    if job.tried {
                        end(ctx, job.id, Err(clash(&words)));
                    } else {
                        job.tried = true;
                        rules.queue.push_front(job);
                    }
                }
                rules.remote.fetch(ctx);
            }
            News::Refused(error) => {
                if let Some((job, _)) = rules.write.take() {
                    end(ctx, job.id, Err(error));
                }
            }
            News::Away(error) => rules.fail(ctx, error),
        }
        self.pump(ctx);
        self.note_blocked();
        self.document() != before.as_ref() || (waited && !self.is_waiting())
    }

    /// While the rules are away the last word stands.
    fn note_blocked(&mut self) {
        let Some(document) = self.document() else { return };
        let blocked = document.containers().into_iter().filter(|c| c.id == BLOCKED_CONTAINER);
        self.blocked = blocked.flat_map(|c| c.members).collect();
    }

    fn is_blocked(&self, who: &Address) -> bool {
        self.blocked.iter().any(|m| match m {
            Member::User(u) => u == who,
            Member::Domain(d) => d.eq_ignore_ascii_case(who.host()),
            _ => false,
        })
    }

    /// The rules keep presence from those who are blocked; this keeps their messages, invitations and calls from the owner.
    /// They meet nobody, as their view of the owner says, and nothing of theirs is shown.
    pub fn turns_away(&self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) -> bool {
        let reaches = matches!(request.method, Method::Invite | Method::Message | Method::Refer);
        let from = request.headers.from().and_then(|f| f.uri.address());
        if !reaches || !from.is_some_and(|f| self.is_blocked(&f)) {
            return false;
        }
        // A server that kept the message would bring it again and again until it is taken.
        let sent = request.headers.get(&Name::Date).and_then(written);
        let kept = request.method == Method::Message && sent.is_some_and(|s| s + OLD_TYPING < ctx.now);
        if let Some(tx) = tx {
            let tag = ctx.rng.hex(16);
            ctx.respond(tx, request.response(if kept { 200 } else { 480 }, &tag));
        }
        true
    }

    /// A reply to the subscription; `None`: to something else.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> Option<bool> {
        let heard = self.winfo.as_mut()?.on_reply(ctx, token, reply)?;
        Some(self.hear(ctx, heard))
    }

    /// A notification, if it is one of this package; true: what is known has changed.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) -> Option<bool> {
        let event = request.headers.get(&Name::Event).unwrap_or("");
        if request.method != Method::Notify || !is_type(event, PACKAGE.event) {
            return None;
        }
        let Some(winfo) = self.winfo.as_mut().filter(|w| w.owns(request)) else {
            if let Some(tx) = tx {
                ctx.respond(tx, request.response(481, ""));
            }
            return Some(false);
        };
        let heard = winfo.on_notify(ctx, tx, request);
        Some(self.hear(ctx, heard))
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, heard: Heard) -> bool {
        match heard {
            Heard::Document(media, body) if is_type(&media, winfo::CONTENT_TYPE) => {
                let Ok(info) = winfo::parse(&body) else { return false };
                if !self.watchers.apply(info) {
                    self.winfo.iter_mut().for_each(|w| w.refresh_at(ctx.now));
                }
                true
            }
            Heard::Refused(_) => {
                ctx.emit(Event::Missing { what: Feature::Watchers, why: Some(NO_WATCHERS.into()) });
                false
            }
            Heard::Lost => {
                self.watchers.restart();
                false
            }
            Heard::Nothing | Heard::Document(..) => false,
        }
    }

    pub fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.watchers = Watchers::default();
        self.winfo = Some(Subscription::new(PACKAGE, &ctx.me.uri));
        match &mut self.rules {
            Some(rules) => {
                rules.remote.fetch(ctx);
                ctx.emit(Event::Missing { what: Feature::DefaultAccess, why: Some(CLOSED.into()) });
            }
            None => ctx.emit(Event::Missing { what: Feature::Levels, why: Some(NO_RULES.into()) }),
        }
        self.on_timeout(ctx);
    }

    pub fn on_offline(&mut self, ctx: &mut Ctx<'_>) {
        self.winfo = None;
        let Some(rules) = &mut self.rules else { return };
        rules.remote.reset();
        rules.document = None;
        let job = rules.write.take().map(|w| w.0);
        for job in job.into_iter().chain(std::mem::take(&mut rules.queue)) {
            let text = "The connection was lost before the rules were written; try again when you are signed in.";
            end(ctx, job.id, Err(Error::new(ErrorKind::Retryable, text)));
        }
    }

    pub fn on_sign_out(&mut self, ctx: &mut Ctx<'_>) {
        self.winfo.iter_mut().for_each(|w| w.unsubscribe(ctx));
    }

    /// True: what is known has changed.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if !ctx.online {
            return false;
        }
        if let Some(rules) = self.rules.as_mut().filter(|r| r.remote.is_due(ctx.now)) {
            rules.remote.fetch(ctx);
        }
        match self.winfo.as_mut().map(|w| w.on_timeout(ctx)) {
            Some(heard) => self.hear(ctx, heard),
            None => false,
        }
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        let rules = self.rules.as_ref().and_then(|r| r.remote.poll_timeout());
        [rules, self.winfo.as_ref().and_then(Subscription::poll_timeout)].into_iter().flatten().min()
    }
}

impl Rules {
    fn fail(&mut self, ctx: &mut Ctx<'_>, error: Error) {
        let job = self.write.take().map(|w| w.0);
        for job in job.into_iter().chain(std::mem::take(&mut self.queue)) {
            end(ctx, job.id, Err(error.clone()));
        }
        self.say_away(ctx, Some(error));
    }

    fn say_away(&mut self, ctx: &mut Ctx<'_>, why: Option<Error>) {
        if self.away != why {
            let text = why.as_ref().map(|e| format!("{} Levels can be changed when it is back.", e.text));
            ctx.emit(Event::Missing { what: Feature::Levels, why: text });
        }
        self.away = why;
    }
}

fn end(ctx: &mut Ctx<'_>, id: Option<OperationId>, result: Result<Outcome, Error>) {
    match (id, result) {
        (Some(id), result) => ctx.complete(id, result),
        (None, Err(e)) => ctx.emit(Event::Notice(format!("The level could not be set: {}", e.text))),
        (None, Ok(_)) => {}
    }
}

fn clash(words: &str) -> Error {
    let why = if words.is_empty() { String::new() } else { format!(" ({words})") };
    let text = format!("The rules were changed elsewhere at the same moment, twice{why}. They are fetched anew; try again.");
    Error::new(ErrorKind::Retryable, text)
}
