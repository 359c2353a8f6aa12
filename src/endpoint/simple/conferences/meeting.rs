//! One conference: where it stands, who is in it, what is under way.

use super::join::Attempt;
use super::media::Said;
use super::refer::{Referral, Report};
use super::room::Room;
use super::roster;
use super::words::Words;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState, Invitation, Invitee, MeetingState, Priority};
use crate::domain::{Address, Time};
use crate::endpoint::limits::MAX_ASKED;
use crate::endpoint::service::{Ctx, Token};
use crate::endpoint::simple::event::Subscription;
use crate::endpoint::simple::lasting::Lasting;
use crate::endpoint::simple::request;
use crate::endpoint::{Error, Event, OperationId, Outcome};
use crate::simple::conference::Conference;
use crate::sip::{Dialog, DialogId, Method, Name, Request, Response, ServerTx, Uri};

/// Where it stands.
#[derive(Debug)]
pub(super) enum Stage {
    /// The focus was asked.
    Asking { token: Token, request: Box<Request>, until: Time },
    /// The focus is asked again then.
    Waiting { at: Time },
    /// The focus calls us.
    Called { tx: ServerTx, request: Box<Request>, until: Time },
    /// Somebody sends us there.
    Sent { until: Time },
    /// We are in.
    In(Box<Dialog>),
    /// The link is gone; we were in as this.
    Lost { was: Option<DialogId> },
    /// It is over; when not by own wish, why.
    Over(Option<String>),
}

/// A 2xx of ours that waits for its ACK (datagrams get lost).
#[derive(Debug)]
pub(super) struct Unacknowledged {
    pub tx: ServerTx,
    pub response: Response,
    pub at: Time,
    pub wait: std::time::Duration,
}

/// The conference.
#[derive(Debug)]
pub(super) struct Meeting {
    pub id: ConversationId,
    /// Its address, by which it is known and joined again.
    pub name: Uri,
    pub subject: String,
    pub stage: Stage,
    pub attempt: Attempt,
    /// We made it.
    pub made: bool,
    /// Nothing is said of it before it stands: the conversation is still one of two.
    pub silent: bool,
    /// Who asks us in.
    pub from: Option<Address>,
    /// Our tag where the focus calls us.
    pub tag: String,
    /// Ends when we are in.
    pub joins: Vec<OperationId>,
    /// Who is to come as soon as we are in.
    pub guests: Vec<(Address, Option<OperationId>)>,
    /// Whoever waits for being in is told, at the latest then.
    pub settled: bool,
    pub settle_by: Option<Time>,
    pub roster: Conference,
    pub subscription: Option<Subscription>,
    /// A whole roster was asked for; not again before then.
    pub whole_after: Option<Time>,
    pub referrals: Vec<Referral>,
    /// Whom we asked to come, and how far that got.
    pub invited: Vec<Invitee>,
    /// To whom we owe news of how our own coming went.
    pub report: Option<Report>,
    pub words: Words,
    /// Words go by a session of their own.
    pub room: Option<Room>,
    /// There was a room, and its connection broke.
    pub room_gone: bool,
    /// The INVITE that was let in; further answers to it may come.
    pub came_in_by: Option<(Token, Box<Request>)>,
    pub unacknowledged: Option<Unacknowledged>,
    /// Our descriptions in the call with the focus.
    pub said: Option<Said>,
    /// How long that call lasts without a word.
    pub lasting: Lasting,
    /// An INVITE that was given up.
    pub abandoned: Option<(Token, Request)>,
    /// Operations that are done, told after the state.
    done: Vec<(OperationId, Result<Outcome, Error>)>,
    shown: Option<Conversation>,
}

impl Meeting {
    /// One that will be asked into.
    pub fn new(id: ConversationId, name: Uri, subject: &str, stage: Stage) -> Meeting {
        Meeting {
            id,
            attempt: Attempt::at(name.clone()),
            name,
            subject: subject.to_owned(),
            stage,
            made: false,
            silent: false,
            from: None,
            tag: String::new(),
            joins: Vec::new(),
            guests: Vec::new(),
            settled: false,
            settle_by: None,
            roster: Conference::default(),
            subscription: None,
            whole_after: None,
            referrals: Vec::new(),
            invited: Vec::new(),
            report: None,
            words: Words::default(),
            room: None,
            room_gone: false,
            came_in_by: None,
            unacknowledged: None,
            said: None,
            lasting: Lasting::default(),
            abandoned: None,
            done: Vec::new(),
            shown: None,
        }
    }

    /// An operation has ended; it is told after the state it led to.
    pub fn complete(&mut self, op: Option<OperationId>, result: Result<Outcome, Error>) {
        self.done.extend(op.map(|op| (op, result)));
    }

    /// The dialog with the focus, while we are in.
    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match &mut self.stage {
            Stage::In(dialog) => Some(dialog),
            _ => None,
        }
    }

    /// Whether a request belongs to the dialog with the focus.
    pub fn owns(&self, request: &Request) -> bool {
        matches!(&self.stage, Stage::In(d) if *d.id() == DialogId::of_request(request))
    }

    /// Whether this call of the focus is the one that rings.
    pub fn rings(&self, ringing: ServerTx) -> bool {
        matches!(&self.stage, Stage::Called { tx, .. } if *tx == ringing)
    }

    /// Whether we are in, or were and will be again.
    pub fn is_joined(&self) -> bool {
        matches!(self.stage, Stage::In(_) | Stage::Lost { .. })
    }

    /// It ends here; `why` when not by own wish.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, why: Option<String>) {
        let error = super::failure::error(why.clone().unwrap_or_else(|| "you left before it was done".into()), None);
        self.fail(ctx, error, why);
    }

    /// It ends here: whoever waits for something hears this error.
    pub fn fail(&mut self, ctx: &mut Ctx<'_>, error: Error, why: Option<String>) {
        let ended = std::mem::take(&mut self.referrals).into_iter().filter(|r| !r.is_report_only());
        let (ends, others): (Vec<_>, Vec<_>) = ended.partition(Referral::ends);
        ends.into_iter().for_each(|r| self.complete(r.op, Ok(Outcome::Done)));
        let guests = std::mem::take(&mut self.guests).into_iter().filter_map(|g| g.1);
        let waiting: Vec<_> =
            std::mem::take(&mut self.joins).into_iter().chain(guests).chain(others.into_iter().filter_map(|r| r.op)).collect();
        waiting.into_iter().for_each(|op| self.complete(Some(op), Err(error.clone())));
        self.close_room(ctx, &error.text);
        self.words.fail_all(ctx, &self.id, &error.text);
        self.tell_sender(ctx, error.status.unwrap_or(603));
        self.stage = Stage::Over(why);
    }

    /// Sends what can be sent, says how it looks if that changed, ends what is done. True when it is over.
    pub fn settle(&mut self, ctx: &mut Ctx<'_>) -> bool {
        self.pump(ctx);
        self.turn_room(ctx);
        let over = matches!(self.stage, Stage::Over(_));
        if !self.silent {
            let looks = self.looks(ctx);
            if self.shown.as_ref() != Some(&looks) {
                ctx.emit(Event::Conversation(Box::new(looks.clone())));
                self.shown = Some(looks);
            }
        }
        for (op, result) in std::mem::take(&mut self.done) {
            ctx.complete(op, result);
        }
        over
    }

    fn looks(&self, ctx: &Ctx<'_>) -> Conversation {
        let me = &ctx.me.uri;
        let state = match &self.stage {
            Stage::Asking { .. } | Stage::Waiting { .. } if !self.settled => ConversationState::Conferencing,
            Stage::Called { .. } | Stage::Sent { .. } => ConversationState::Incoming,
            Stage::In(_) if !self.settled => ConversationState::Conferencing,
            Stage::Lost { .. } if !self.settled => ConversationState::Conferencing,
            Stage::Over(_) => ConversationState::Terminated,
            _ => ConversationState::Conferenced,
        };
        let incoming = state == ConversationState::Incoming;
        let live = !incoming && state != ConversationState::Terminated;
        let mut participants = if live { roster::participants(&self.roster, me) } else { Vec::new() };
        for p in &mut participants {
            p.typing = self.words.types(&p.uri);
        }
        Conversation {
            id: self.id.clone(),
            state,
            subject: roster::subject(&self.roster).unwrap_or_else(|| self.subject.clone()),
            participants,
            focus: Some(self.name.to_string()),
            my_role: if live { roster::own_role(&self.roster, me, self.made) } else { None },
            locked: self.roster.status.locked,
            meeting: Box::new(self.meeting_state(me)),
            invitation: self.invitation(incoming),
            end_reason: match &self.stage {
                Stage::Over(why) => why.clone(),
                _ => None,
            },
            priority: Priority::default(),
            recovering: false,
            derived_from: None,
            context: None,
        }
    }

    fn meeting_state(&self, me: &Address) -> MeetingState {
        let asked = self.invited.iter().filter(|i| !roster::has(&self.roster, &i.uri)).cloned();
        let mut invited: Vec<Invitee> = asked.collect();
        for called in roster::called(&self.roster, me) {
            if !invited.iter().any(|i| i.uri == called.uri) && invited.len() < MAX_ASKED {
                invited.push(called);
            }
        }
        MeetingState {
            reconnecting: self.settled && !matches!(self.stage, Stage::In(_) | Stage::Over(_)),
            join_url: self.roster.web_page.chars().take(crate::endpoint::limits::MAX_NAME).collect(),
            invited,
            private_messages: self.takes_private_words(),
            ..MeetingState::default()
        }
    }

    fn invitation(&self, incoming: bool) -> Option<Invitation> {
        let from = self.from.clone().filter(|_| incoming)?;
        Some(Invitation { from, toast: self.subject.clone(), auto_accept: None, conference: true, priority: Priority::default() })
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let stage = match &self.stage {
            Stage::Asking { until, .. } | Stage::Called { until, .. } | Stage::Sent { until } => Some(*until),
            Stage::Waiting { at } => Some(*at),
            _ => None,
        };
        let inside = matches!(self.stage, Stage::In(_));
        let subscription = self.subscription.as_ref().filter(|_| inside).and_then(Subscription::poll_timeout);
        let again = self.unacknowledged.as_ref().map(|u| u.at);
        let room = self.room.as_ref().and_then(Room::deadline);
        let lasting = self.lasting.deadline().filter(|_| inside);
        let parts = [stage, subscription, self.settle_by, self.words.deadline(), again, room, lasting];
        parts.into_iter().flatten().chain(self.referrals.iter().map(|r| r.until)).min()
    }
}

/// A request in a dialog, with everything such a request carries.
pub(super) fn in_dialog(ctx: &mut Ctx<'_>, dialog: &mut Dialog, method: Method) -> Request {
    let mut r = dialog.request(method, request::via(ctx));
    r.headers.push(Name::Contact, format!("<{}>", ctx.me.contact)).push(Name::UserAgent, ctx.me.user_agent.as_str());
    r
}
