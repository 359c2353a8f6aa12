//! One conversation without dialogs: what waits, what is under way, who types.

use super::Messages;
use super::parts::Parts;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState, Delivery, MessageId, Participant};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{COMPOSING_IDLE, COMPOSING_REFRESH, MAX_QUEUED, PAGE_TEXT, PART_LEAST, PART_PACE};
use crate::endpoint::service::Ctx;
use crate::endpoint::simple::talks::TalkId;
use std::collections::VecDeque;
use std::time::Duration;

/// Messages whose delivery notices may still come.
const AWAITED: usize = 100;

/// One message of ours.
#[derive(Debug)]
pub(super) struct Outgoing {
    message: MessageId,
    pub text: String,
    notice: Option<String>,
    tries: usize,
    not_before: Time,
    /// It left in a session under its name, which was not confirmed.
    in_session: bool,
    /// A server found it too long.
    too_long: bool,
    parts: Option<Parts>,
}

impl Outgoing {
    pub fn new(message: MessageId, text: &str) -> Outgoing {
        Outgoing {
            message,
            text: text.to_owned(),
            notice: None,
            tries: 0,
            not_before: Time::default(),
            in_session: false,
            too_long: false,
            parts: None,
        }
    }

    /// Too long for a single request.
    pub fn is_long(&self) -> bool {
        self.text.len() > PAGE_TEXT
    }

    /// It leaves in a session.
    pub fn go_in_session(&mut self) {
        self.in_session = true;
    }

    /// Whether requests carry it in parts. One that may have come through a session already leaves whole under the same name,
    /// so that it is shown once.
    pub fn is_for_parts(&self) -> bool {
        self.in_parts() || self.too_long || self.is_long() && !self.in_session
    }

    fn is_cuttable(&self) -> bool {
        !self.in_parts() && !self.too_long && self.text.len() > 2 * PART_LEAST
    }

    /// Whether some of its parts have left.
    pub fn in_parts(&self) -> bool {
        self.parts.is_some()
    }

    /// The part that leaves now, with so many octets; `None`: it is too long for that.
    pub fn part(&mut self, room: usize) -> Option<String> {
        if self.parts.is_none() {
            self.parts = Parts::of(&self.text, room);
        }
        self.parts.as_ref().map(|p| p.next().to_owned())
    }

    /// The id delivery notices name; the same however often it is sent.
    pub fn notice_id(&mut self, rng: &mut Rng) -> &str {
        self.notice.get_or_insert_with(|| rng.hex(24))
    }
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Chat {
    pub id: ConversationId,
    pub with: Address,
    pub subject: String,
    /// When something was last written, here or there.
    pub used: Time,
    /// Last told, last key.
    pub typing: Option<(Time, Time)>,
    queue: VecDeque<Outgoing>,
    under_way: bool,
    /// The session the one under way left in.
    pub session: Option<TalkId>,
    awaited: VecDeque<(String, MessageId)>,
    types_until: Option<Time>,
    shown: Option<Conversation>,
}

impl Chat {
    pub fn new(id: ConversationId, with: Address) -> Chat {
        Chat {
            id,
            with,
            subject: String::new(),
            used: Time::default(),
            typing: None,
            queue: VecDeque::new(),
            under_way: false,
            session: None,
            awaited: VecDeque::new(),
            types_until: None,
            shown: None,
        }
    }

    /// Keeps a message for sending; false when too many wait.
    pub fn push(&mut self, outgoing: Outgoing) -> bool {
        let room = self.queue.len() < MAX_QUEUED;
        if room {
            self.queue.push_back(outgoing);
        }
        room
    }

    /// The message that may leave now; it is under way from here on.
    pub fn next(&mut self, now: Time) -> Option<&mut Outgoing> {
        let first = self.queue.front_mut().filter(|o| !self.under_way && o.not_before <= now)?;
        self.under_way = true;
        Some(first)
    }

    /// The message that may leave now, for looking at.
    pub fn ready(&self, now: Time) -> Option<&Outgoing> {
        self.queue.front().filter(|o| !self.under_way && o.not_before <= now)
    }

    /// The name that notices give the one under way.
    pub fn under_way_name(&self) -> Option<&str> {
        self.queue.front().filter(|_| self.under_way)?.notice.as_deref()
    }

    /// How often the one under way was tried before.
    pub fn tries(&self) -> usize {
        self.queue.front().map_or(0, |o| o.tries)
    }

    /// The one under way leaves again, not before this time.
    pub fn try_again(&mut self, at: Time) {
        self.under_way = false;
        if let Some(first) = self.queue.front_mut() {
            first.tries += 1;
            first.not_before = at;
        }
    }

    /// A server finds the one under way too long: it leaves again in parts. False when that is of no use.
    pub fn shorten(&mut self, now: Time) -> bool {
        let Some(first) = self.queue.front_mut().filter(|f| f.is_cuttable()) else { return false };
        first.too_long = true;
        self.try_again(now);
        true
    }

    /// The part under way has arrived, or a server keeps it; whether another one follows.
    pub fn part_arrived(&mut self, now: Time, kept: bool) -> bool {
        let Some(first) = self.queue.front_mut() else { return false };
        let Some(parts) = &mut first.parts else { return false };
        parts.kept |= kept;
        if !parts.arrived() {
            return false;
        }
        (self.under_way, first.tries, first.not_before) = (false, 0, now + PART_PACE);
        true
    }

    /// Whether a server keeps some of the one under way.
    pub fn is_partly_kept(&self) -> bool {
        self.queue.front().and_then(|f| f.parts.as_ref()).is_some_and(|p| p.kept)
    }

    /// The one under way got so far, and goes on.
    pub fn tell(&self, ctx: &mut Ctx<'_>, state: Delivery) {
        if let Some(first) = self.queue.front() {
            Messages::emit_state(ctx, &self.id, &first.message, state);
        }
    }

    /// The one under way got so far.
    pub fn finish(&mut self, ctx: &mut Ctx<'_>, state: Delivery) {
        self.under_way = false;
        let Some(done) = self.queue.pop_front() else { return };
        let state = match (state, &done.parts) {
            (Delivery::Failed(why), Some(parts)) => Delivery::Failed(parts.broken(why)),
            (state, _) => state,
        };
        if let (Some(notice), Delivery::Sent | Delivery::Delivered) = (done.notice, &state) {
            self.awaited.push_back((notice, done.message.clone()));
            self.awaited.drain(..self.awaited.len().saturating_sub(AWAITED));
        }
        Messages::emit_state(ctx, &self.id, &done.message, state);
    }

    /// The server has the one under way and sees to it from here on.
    pub fn kept(&mut self, ctx: &mut Ctx<'_>) {
        let message = self.queue.front().map(|o| o.message.clone());
        self.finish(ctx, Delivery::Sent);
        if let Some(message) = message {
            ctx.emit(Event::Kept { conversation: self.id.clone(), message });
        }
    }

    /// A notice came for one of our messages.
    pub fn noticed(&mut self, ctx: &mut Ctx<'_>, notice: &str, state: Delivery) -> bool {
        let Some((_, message)) = self.awaited.iter().find(|a| a.0 == notice) else { return false };
        Messages::emit_state(ctx, &self.id, message, state);
        true
    }

    /// The link is gone. What was under way has been told; what waits leaves over the next one.
    pub fn link_lost(&mut self, ctx: &mut Ctx<'_>) {
        (self.typing, self.types_until) = (None, None);
        self.publish(ctx);
    }

    /// Nothing of ours waits here.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// It is over: the user closes it, or `why`.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, reason: Option<String>) {
        self.give_up(ctx, "the conversation was ended before it arrived");
        let ended = Conversation { state: ConversationState::Terminated, end_reason: reason, ..self.conversation() };
        ctx.emit(Event::Conversation(Box::new(ended)));
    }

    /// What waits does not leave any more.
    pub fn give_up(&mut self, ctx: &mut Ctx<'_>, why: &str) {
        while let Some(o) = self.queue.pop_front() {
            Messages::emit_state(ctx, &self.id, &o.message, Delivery::Failed(why.into()));
        }
    }

    /// The other side types, or stopped.
    pub fn set_typing(&mut self, ctx: &mut Ctx<'_>, lasts: Option<Duration>) {
        self.types_until = lasts.map(|d| ctx.now + d);
        self.publish(ctx);
    }

    pub fn expire(&mut self, ctx: &mut Ctx<'_>) {
        if self.types_until.is_some_and(|t| t <= ctx.now) {
            self.set_typing(ctx, None);
        }
    }

    pub fn deadline(&self) -> Option<Time> {
        let typing = self.typing.map(|(told, key)| (told + COMPOSING_REFRESH).min(key + COMPOSING_IDLE));
        let waits = |o: &&Outgoing| !self.under_way && (o.tries > 0 || o.in_parts());
        let waits = self.queue.front().filter(waits).map(|o| o.not_before);
        [typing, waits, self.types_until].into_iter().flatten().min()
    }

    fn conversation(&self) -> Conversation {
        Conversation {
            id: self.id.clone(),
            state: ConversationState::Established,
            subject: self.subject.clone(),
            participants: vec![Participant {
                has_messages: true,
                typing: self.types_until.is_some(),
                ..Participant::new(self.with.clone())
            }],
            focus: None,
            my_role: None,
            locked: false,
            meeting: Box::default(),
            invitation: None,
            end_reason: None,
            priority: Default::default(),
            recovering: false,
            derived_from: None,
            context: None,
        }
    }

    /// Says how it looks, if that changed.
    pub fn publish(&mut self, ctx: &mut Ctx<'_>) {
        let looks = self.conversation();
        if self.shown.as_ref() != Some(&looks) {
            self.shown = Some(looks.clone());
            ctx.emit(Event::Conversation(Box::new(looks)));
        }
    }
}
