//! One conversation: its calls, its waiting messages, its conference, and how it looks from outside.

use super::context::Channel;
use super::desk::{Desk, Purpose};
use super::dialog::Dialog;
use super::outbox::{News, Outbox};
use super::recovery::Recovery;
use super::session::{Plan, Session};
use super::state::{self, Step};
use super::typing;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState, Invitation, Participant, Priority};
use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{GOODBYE_WAIT, MAX_SPARE_DIALOGS};
use crate::endpoint::service::Token;
use crate::sip::{Method, Request, ServerTx};

/// The other person of a two-party conversation.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Who.
    pub uri: Address,
    /// Name from the network; may be empty.
    pub name: String,
}

/// The two-party IM call.
#[derive(Debug, Default)]
pub(super) enum Call {
    /// None.
    #[default]
    None,
    /// Our INVITE waits for its answer.
    Inviting {
        /// Its transaction.
        token: Token,
        /// Its Call-ID, to decide when two invitations cross.
        call_id: String,
        /// When we give up.
        until: Time,
    },
    /// We answered 200; the ACK is to come.
    Accepting {
        /// The dialog.
        dialog: Box<Dialog>,
        /// When we give up.
        until: Time,
    },
    /// It stands.
    Up(Box<Dialog>),
}

impl Call {
    /// Its dialog, if there is one.
    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match self {
            Call::Accepting { dialog, .. } | Call::Up(dialog) => Some(dialog),
            _ => None,
        }
    }

    /// Whether a request belongs to its dialog.
    pub fn owns(&self, request: &Request) -> bool {
        matches!(self, Call::Accepting { dialog, .. } | Call::Up(dialog) if dialog.matches(request))
    }

    /// Whether nothing stands and nothing is tried.
    pub fn is_none(&self) -> bool {
        matches!(self, Call::None)
    }
}

/// Where a message call stands, in the words of `domain.md` 3.3; transfer and park belong to audio.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Idle,
    Incoming,
    Establishing,
    Established,
    Terminating,
    Terminated,
}

/// What a waiting invitation invites to.
#[derive(Debug)]
pub(super) enum RingKind {
    /// A two-party conversation.
    Messages,
    /// A conference: its focus.
    Conference(String),
}

/// An invitation nobody has answered yet.
#[derive(Debug)]
pub(super) struct Ring {
    /// Its transaction.
    pub tx: ServerTx,
    /// The INVITE.
    pub invite: Request,
    /// Our tag.
    pub tag: String,
    /// Who invites.
    pub from: Person,
    /// First words.
    pub toast: String,
    /// To what.
    pub kind: RingKind,
    /// When it is accepted by itself.
    pub auto: Option<Time>,
    /// When it is over.
    pub until: Time,
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Talk {
    /// Its name.
    pub id: ConversationId,
    /// `Ms-Conversation-ID`s it goes by on the wire; ours first.
    pub wire: Vec<String>,
    /// The other person, until it is a conference for good.
    pub peer: Option<Person>,
    /// Who was heard in a meeting that has called us.
    pub voices: Vec<Address>,
    /// Title.
    pub subject: String,
    /// The title the roster gave last; it must not undo a newer one.
    pub roster_subject: String,
    /// How much it matters.
    pub priority: Priority,
    /// Where it stands.
    pub state: ConversationState,
    /// The IM call.
    pub call: Call,
    /// Further dialogs that may still bring messages.
    pub spare: Vec<Dialog>,
    /// An invitation that waits.
    pub ring: Option<Ring>,
    /// Own messages.
    pub outbox: Outbox,
    /// Own typing.
    pub local: typing::Local,
    /// The last typing notice on the present dialog.
    pub typing_sent: Option<Token>,
    /// The others' typing.
    pub remote: typing::Remote,
    /// An ad hoc conference on its way.
    pub plan: Option<Plan>,
    /// The conference.
    pub session: Option<Session>,
    /// Its focus, also when it is over.
    pub focus: Option<String>,
    /// Why it ended.
    pub end_reason: Option<String>,
    /// The route to the other side is broken and being repaired.
    pub recovery: Option<Recovery>,
    /// Where its call comes from, if it could not move into a conference, and why.
    pub derived_from: Option<(ConversationId, String)>,
    /// The context channel.
    pub context: Option<Channel>,
    /// Goodbyes that wait for an answer.
    pub goodbyes: Vec<Token>,
    /// When goodbyes are not waited for any longer.
    pub goodbye_until: Option<Time>,
    /// The user has closed it: it is forgotten when it has ended.
    pub closed: bool,
    /// Last use.
    pub used: Time,
    shown: Option<Conversation>,
}

impl Talk {
    /// A conversation that is Idle.
    pub fn new(id: ConversationId, peer: Option<Person>, now: Time) -> Talk {
        Talk {
            wire: vec![id.0.clone()],
            id,
            peer,
            voices: Vec::new(),
            subject: String::new(),
            roster_subject: String::new(),
            priority: Priority::Normal,
            state: ConversationState::Idle,
            call: Call::None,
            spare: Vec::new(),
            ring: None,
            outbox: Outbox::default(),
            local: typing::Local::default(),
            typing_sent: None,
            remote: typing::Remote::default(),
            plan: None,
            session: None,
            focus: None,
            end_reason: None,
            recovery: None,
            derived_from: None,
            context: None,
            goodbyes: Vec::new(),
            goodbye_until: None,
            closed: false,
            used: now,
            shown: None,
        }
    }

    /// A meeting has called us: there is a call, but nobody to call back.
    pub fn is_called(&self) -> bool {
        self.peer.is_none() && self.session.is_none() && self.plan.is_none() && !self.call.is_none()
    }

    /// Takes a step of `domain.md` 3.2; an invalid one changes nothing.
    pub fn step(&mut self, step: Step) -> bool {
        match state::next(self.state, step) {
            Some(next) => {
                self.state = next;
                true
            }
            None => false,
        }
    }

    /// An ended conversation that goes on keeps its name and begins anew.
    pub fn revive(&mut self) {
        if self.is_over() {
            self.state = ConversationState::Idle;
            self.end_reason = None;
            self.goodbyes.clear();
            self.closed = false;
        }
    }

    /// Where the message call stands.
    #[cfg(test)]
    pub fn call_stage(&self) -> Stage {
        match (&self.call, &self.ring) {
            (Call::Up(_), _) => Stage::Established,
            (Call::Inviting { .. } | Call::Accepting { .. }, _) => Stage::Establishing,
            (Call::None, Some(_)) => Stage::Incoming,
            (Call::None, None) if !self.goodbyes.is_empty() => Stage::Terminating,
            (Call::None, None) if self.is_over() => Stage::Terminated,
            (Call::None, None) => Stage::Idle,
        }
    }

    /// Terminating or Terminated.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ConversationState::Terminated | ConversationState::Terminating)
    }

    /// Whether this person is the other side of a two-party conversation.
    pub fn is_with(&self, who: &Address) -> bool {
        self.session.is_none() && self.plan.is_none() && self.peer.as_ref().is_some_and(|p| p.uri == *who)
    }

    /// How the other side is called in sentences.
    pub fn peer_name(&self) -> String {
        self.peer.as_ref().map_or_else(|| "the meeting".into(), |p| p.uri.bare().to_owned())
    }

    /// Says what happened to messages.
    pub fn tell(&mut self, desk: &mut Desk<'_, '_>, news: News) {
        if !news.is_empty() {
            self.publish(desk);
        }
        for (message, state) in news {
            desk.ctx.emit(Event::MessageState { conversation: self.id.clone(), message, state });
        }
    }

    /// Says how the conversation looks, if that changed.
    pub fn publish(&mut self, desk: &mut Desk<'_, '_>) {
        let view = self.view(&desk.speaker(&self.id).uri);
        if self.shown.as_ref() != Some(&view) {
            self.shown = Some(view.clone());
            desk.ctx.emit(Event::Conversation(Box::new(view)));
        }
    }

    /// Ends the conversation: says goodbye on everything that stands. `reason` is set when it is not our own wish.
    pub fn terminate(&mut self, desk: &mut Desk<'_, '_>, reason: Option<String>) {
        // Said while there is still a way to say it.
        self.end_context(desk);
        if !self.step(Step::Terminate) {
            return;
        }
        self.end_reason = reason;
        if self.peer.is_none() {
            // Nobody can be invited anew to what waits for a meeting.
            let news = self.outbox.fail_all("the meeting was over before it could be sent");
            self.tell(desk, news);
        }
        self.hang_up(desk);
        self.leave(desk);
        self.remote.clear();
        self.local.sent();
        self.goodbye_until = Some(desk.now() + GOODBYE_WAIT);
        self.finish(desk.ctx.online);
    }

    /// Terminating is over when every goodbye is answered, or none can be.
    pub fn finish(&mut self, online: bool) {
        if self.state == ConversationState::Terminating && (self.goodbyes.is_empty() || !online) {
            self.goodbyes.clear();
            self.goodbye_until = None;
            self.step(Step::Done);
        }
    }

    /// Ends the two-party dialogs; a pending INVITE is cancelled.
    pub fn hang_up(&mut self, desk: &mut Desk<'_, '_>) {
        self.recovery = None;
        match std::mem::take(&mut self.call) {
            Call::None => {}
            Call::Inviting { token, .. } => desk.ctx.cancel(token),
            Call::Accepting { dialog, .. } | Call::Up(dialog) => self.bye(desk, *dialog),
        }
        for dialog in std::mem::take(&mut self.spare) {
            self.bye(desk, dialog);
        }
    }

    /// Says BYE on a dialog.
    pub fn bye(&mut self, desk: &mut Desk<'_, '_>, mut dialog: Dialog) {
        if desk.ctx.online {
            let request = dialog.request(desk.ctx, Method::Bye);
            let token = desk.send(&self.id, Purpose::Goodbye, request);
            self.goodbyes.push(token);
        }
    }

    /// Keeps a dialog that is not the one we send on.
    pub fn keep_spare(&mut self, desk: &mut Desk<'_, '_>, dialog: Dialog) {
        if self.spare.len() >= MAX_SPARE_DIALOGS {
            let oldest = self.spare.remove(0);
            self.bye(desk, oldest);
        }
        self.spare.push(dialog);
    }

    /// Whether a request belongs to a two-party dialog of this conversation.
    pub fn owns(&self, request: &Request) -> bool {
        self.call.owns(request) || self.spare.iter().any(|d| d.matches(request))
    }

    fn view(&self, me: &Address) -> Conversation {
        let session = self.session.as_ref();
        let invitation = self.ring.as_ref().map(|r| Invitation {
            from: r.from.uri.clone(),
            toast: r.toast.clone(),
            auto_accept: r.auto,
            conference: matches!(r.kind, RingKind::Conference(_)) || self.peer.is_none(),
            priority: self.priority,
        });
        let mut participants = session.filter(|s| s.has_roster()).map_or_else(|| self.two_party(), |s| s.participants(me));
        for p in &mut participants {
            p.typing = self.remote.is_typing(&p.uri);
        }
        Conversation {
            id: self.id.clone(),
            state: self.state,
            subject: self.subject.clone(),
            priority: self.priority,
            participants,
            focus: self.focus.clone().filter(|_| session.is_some() || self.is_over()),
            my_role: session.and_then(|s| s.my_role),
            locked: session.is_some_and(|s| s.is_locked()),
            meeting: session.map(|s| Box::new(s.meeting(me))).unwrap_or_default(),
            invitation,
            end_reason: self.end_reason.clone(),
            recovering: self.recovery.is_some(),
            derived_from: self.derived_from.clone(),
            context: self.context.as_ref().map(Channel::view),
        }
    }

    fn two_party(&self) -> Vec<Participant> {
        let up = matches!(self.call, Call::Accepting { .. } | Call::Up(_));
        let person =
            |p: &Person| Participant { display_name: p.name.clone(), has_messages: up, ..Participant::new(p.uri.clone()) };
        let voice = |who: &Address| Participant { has_messages: up, ..Participant::new(who.clone()) };
        self.peer.iter().map(person).chain(self.voices.iter().map(voice)).collect()
    }
}
