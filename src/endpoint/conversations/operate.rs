//! What one may ask of conversations.

use super::desk::{Desk, Speaker};
use super::docs::{self, Order};
use super::talk::{Person, Talk};
use super::{Conversations, no_such};
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, ConversationState as S, MessageId, Priority};
use crate::endpoint::limits::{MAX_NAME, MAX_SUBJECT};
use crate::endpoint::{Error, ErrorKind, JoinTarget, Operation, OperationId, Outcome};

type Answer = Result<Outcome, Error>;

impl Conversations {
    /// Takes an operation. False when it is not for this service.
    pub(super) fn operate(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, operation: &Operation) -> bool {
        use Operation as O;
        let (id, answer) = match operation {
            O::Impersonate { conversation, uri, name, phone } => {
                let speaker = Speaker { uri: uri.clone(), name: name.clone(), phone: phone.clone() };
                (conversation, Some(self.impersonate(desk, conversation, speaker)))
            }
            O::StartConversation { id, with, subject } => (id, Some(self.start(desk, id, with, subject))),
            O::SendMessage { conversation, message, text } => (conversation, Some(self.say(desk, conversation, message, text))),
            O::Typing { conversation, active } => (conversation, Some(self.type_at(desk, conversation, *active))),
            O::Accept { conversation } => (conversation, Some(self.accept(desk, conversation))),
            O::Decline { conversation } => (conversation, Some(self.decline(desk, conversation))),
            O::SetSubject { conversation, subject } => (conversation, Some(self.set_subject(desk, conversation, subject))),
            O::SetPriority { conversation, priority } => (conversation, Some(self.set_priority(conversation, *priority))),
            O::OpenContext { conversation, application, toast, data } => {
                (conversation, self.on_talk(conversation, |talk| talk.open_context(desk, op, application, toast, data)))
            }
            O::SendContext { conversation, data } => {
                (conversation, self.on_talk(conversation, |talk| talk.send_context(desk, op, data)))
            }
            O::CloseContext { conversation } => (conversation, self.on_talk(conversation, |talk| talk.close_context(desk, op))),
            O::EndConversation { conversation } => (conversation, Some(self.end(desk, conversation))),
            O::Invite { conversation, uri } => {
                (conversation, self.on_talk(conversation, |talk| talk.invite_person(desk, op, uri)))
            }
            O::CallIn { conversation, uri } => (conversation, self.on_talk(conversation, |talk| talk.call_in(desk, op, uri))),
            O::JoinConference { id, target, passcode } => (id, self.join(desk, op, id, target, passcode.clone())),
            O::MeetNow { id, subject, invite } => (id, self.meet_now(desk, op, id, subject, invite)),
            O::LockConference { conversation, locked } => self.order(desk, op, conversation, &Order::Lock(*locked)),
            O::Eject { conversation, uri } => self.order(desk, op, conversation, &Order::Eject(uri)),
            O::SetRole { conversation, uri, role } => self.order(desk, op, conversation, &Order::Role(uri, *role)),
            O::Admit { conversation, uris, .. } if uris.is_empty() => {
                let nobody = Error::new(ErrorKind::InvalidArgument, "nobody is named; choose who waits in the lobby");
                (conversation, Some(Err(nobody)))
            }
            O::Admit { conversation, uris, admit } => self.order(desk, op, conversation, &Order::Admit(uris, *admit)),
            O::Mute { conversation, uri, muted } => {
                (conversation, self.on_talk(conversation, |talk| talk.mute(desk, op, uri, *muted)))
            }
            O::ChangeConference { conversation, change } => self.order(desk, op, conversation, &Order::Change(change)),
            O::EndConference { conversation } => self.order(desk, op, conversation, &Order::End),
            _ => return false,
        };
        desk.facts.used = Some(desk.now());
        self.publish(desk, id);
        if let Some(answer) = answer {
            desk.ctx.complete(op, answer);
        }
        true
    }

    /// Runs `f` on a conversation, which completes the operation itself; or says that there is none.
    fn on_talk(&mut self, id: &ConversationId, f: impl FnOnce(&mut Talk)) -> Option<Answer> {
        match self.talks.get_mut(id) {
            Some(talk) => {
                f(talk);
                None
            }
            None => Some(Err(no_such())),
        }
    }

    fn order<'o>(
        &mut self,
        desk: &mut Desk<'_, '_>,
        op: OperationId,
        id: &'o ConversationId,
        order: &Order<'_>,
    ) -> (&'o ConversationId, Option<Answer>) {
        (id, self.on_talk(id, |talk| talk.command(desk, op, order)))
    }

    /// As whom a conversation is led is decided before anything happens in it.
    fn impersonate(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, speaker: Speaker) -> Answer {
        check_name(id)?;
        if !speaker.phone.is_empty() && !is_phone(&speaker.phone) {
            return Err(Error::new(ErrorKind::InvalidArgument, "this is no phone; write it like tel:+4930123456"));
        }
        match self.talks.get(id) {
            Some(talk) if talk.state != S::Idle || talk.plan.is_some() || !talk.outbox.is_empty() => {
                return Err(Error::new(ErrorKind::InvalidOperation, "this conversation has begun; impersonate before that"));
            }
            Some(_) => {}
            None if desk.facts.draining => return Err(draining()),
            None => {
                let talk = Talk::new(id.clone(), None, desk.now());
                self.insert(desk, talk);
            }
        }
        desk.facts.acting.insert(id.clone(), Speaker { name: speaker.name.chars().take(MAX_NAME).collect(), ..speaker });
        Ok(Outcome::Done)
    }

    fn start(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, with: &Address, subject: &str) -> Answer {
        if *with == desk.speaker(id).uri {
            return Err(Error::new(ErrorKind::InvalidArgument, "this is your own address; choose somebody else"));
        }
        check_name(id)?;
        let subject: String = subject.chars().take(MAX_NAME).collect();
        if let Some(talk) = self.talks.get_mut(id) {
            let blank = talk.peer.is_none() && talk.session.is_none() && talk.plan.is_none();
            if !talk.is_with(with) && !talk.is_over() && !blank {
                return Err(Error::new(ErrorKind::InvalidOperation, "this conversation is with somebody else"));
            }
            talk.revive();
            talk.closed = false;
            if talk.peer.is_none() {
                talk.peer = Some(Person { uri: with.clone(), name: String::new() });
                talk.focus = None;
            }
            if !subject.is_empty() {
                talk.subject = subject;
            }
            return Ok(Outcome::Done);
        }
        if desk.facts.draining {
            return Err(draining());
        }
        let mut talk = Talk::new(id.clone(), Some(Person { uri: with.clone(), name: String::new() }), desk.now());
        talk.subject = subject;
        self.insert(desk, talk);
        Ok(Outcome::Done)
    }

    fn say(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, message: &MessageId, text: &str) -> Answer {
        self.accept_ring(desk, id);
        let talk = self.talks.get_mut(id).ok_or_else(no_such)?;
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "there is nothing to send"));
        }
        if talk.peer.is_none() && talk.session.is_none() && talk.plan.is_none() && talk.call.is_none() {
            return Err(Error::new(ErrorKind::InvalidOperation, "this meeting is over for you; join it again to write"));
        }
        let now = desk.now();
        if talk.session.as_mut().is_some_and(|s| !s.revive_chat(now)) {
            return Err(Error::new(ErrorKind::InvalidOperation, "this meeting has no chat"));
        }
        talk.used = now;
        talk.closed = false;
        if talk.outbox.push(message.clone(), text) {
            Ok(Outcome::Done)
        } else {
            Err(Error::new(ErrorKind::Retryable, "too many messages are waiting here; send it again when they have left"))
        }
    }

    fn type_at(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, active: bool) -> Answer {
        if active {
            self.accept_ring(desk, id);
        }
        let talk = self.talks.get_mut(id).ok_or_else(no_such)?;
        if talk.route().is_none() {
            // Nothing is told before the dialog stands (1.5).
            talk.local.sent();
            return Ok(Outcome::Done);
        }
        let notice = if active { talk.local.key(desk.now()) } else { talk.local.stop() };
        talk.send_typing(desk, notice);
        Ok(Outcome::Done)
    }

    fn accept(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId) -> Answer {
        if self.accept_ring(desk, id) { Ok(Outcome::Done) } else { Err(no_invitation()) }
    }

    fn decline(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId) -> Answer {
        let talk = self.talks.get_mut(id).filter(|t| t.ring.is_some()).ok_or_else(no_invitation)?;
        talk.end_ring(desk, 603, false);
        Ok(Outcome::Done)
    }

    fn set_subject(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId, subject: &str) -> Answer {
        let talk = self.talks.get_mut(id).ok_or_else(no_such)?;
        talk.subject = subject.trim().chars().take(MAX_SUBJECT).collect();
        talk.send_subject(desk);
        Ok(Outcome::Done)
    }

    fn set_priority(&mut self, id: &ConversationId, priority: Priority) -> Answer {
        self.talks.get_mut(id).ok_or_else(no_such)?.priority = priority;
        Ok(Outcome::Done)
    }

    fn end(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId) -> Answer {
        // Ending what is over already is harmless (`domain.md` 4.4).
        let Some(talk) = self.talks.get_mut(id) else { return Ok(Outcome::Done) };
        talk.closed = true;
        let news = talk.outbox.fail_all("the conversation was ended before it arrived");
        talk.tell(desk, news);
        talk.end_ring(desk, 603, false);
        talk.terminate(desk, None);
        Ok(Outcome::Done)
    }

    fn join(
        &mut self,
        desk: &mut Desk<'_, '_>,
        op: OperationId,
        id: &ConversationId,
        target: &JoinTarget,
        passcode: Option<String>,
    ) -> Option<Answer> {
        let focus = match docs::focus_of(target, desk.me()) {
            Ok(focus) => focus,
            Err(error) => return Some(Err(error)),
        };
        if let Some(there) = self.talks.values().find(|t| t.is_in(&focus)) {
            let same = there.id == *id;
            let text = "you are in this meeting already";
            return Some(if same { Ok(Outcome::Done) } else { Err(Error::new(ErrorKind::InvalidOperation, text)) });
        }
        if let Err(error) = self.prepare(desk, id) {
            return Some(Err(error));
        }
        let answer = self.on_talk(id, |talk| talk.join_with(desk, &focus, passcode, Some(op), Vec::new()));
        self.end_rings_for(desk, &focus, id);
        answer
    }

    fn meet_now(
        &mut self,
        desk: &mut Desk<'_, '_>,
        op: OperationId,
        id: &ConversationId,
        subject: &str,
        invite: &[Address],
    ) -> Option<Answer> {
        if let Err(error) = self.prepare(desk, id) {
            return Some(Err(error));
        }
        let me = desk.me().clone();
        let guests = invite.iter().filter(|a| **a != me).map(|a| (a.clone(), None)).collect();
        self.on_talk(id, |talk| {
            talk.subject = subject.chars().take(MAX_NAME).collect();
            talk.schedule(desk, Some(op), guests);
        })
    }

    /// Makes sure that a conversation of this name can become a conference.
    fn prepare(&mut self, desk: &mut Desk<'_, '_>, id: &ConversationId) -> Result<(), Error> {
        check_name(id)?;
        match self.talks.get_mut(id) {
            Some(talk) if talk.state == S::Idle && talk.peer.is_none() && talk.plan.is_none() => {}
            _ if desk.facts.draining => return Err(draining()),
            Some(talk) if talk.state == S::Terminated => {
                talk.revive();
                talk.peer = None;
            }
            Some(_) => return Err(Error::new(ErrorKind::InvalidOperation, "this conversation is going on already")),
            None => {
                let talk = Talk::new(id.clone(), None, desk.now());
                self.insert(desk, talk);
            }
        }
        Ok(())
    }
}

fn draining() -> Error {
    Error::new(ErrorKind::InvalidOperation, "this endpoint drains: it finishes what runs and takes nothing new")
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix("tel:").is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit() || "+-().;=".contains(c)))
}

/// A name that can stand in a header.
fn check_name(id: &ConversationId) -> Result<(), Error> {
    let ok = !id.0.trim().is_empty()
        && id.0.len() <= crate::endpoint::limits::MAX_CONVERSATION_ID
        && !id.0.chars().any(char::is_control);
    if ok { Ok(()) } else { Err(Error::new(ErrorKind::InvalidArgument, "this conversation id cannot be used")) }
}

fn no_invitation() -> Error {
    Error::new(ErrorKind::InvalidOperation, "there is no invitation to answer any more")
}
