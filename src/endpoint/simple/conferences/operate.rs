//! What one may ask of conferences.

use super::meeting::{Meeting, Stage};
use super::{Conferences, NO_FACTORY, cannot};
use crate::domain::Address;
use crate::domain::conversation::ConversationId;
use crate::endpoint::service::Ctx;
use crate::endpoint::{Error, ErrorKind, JoinTarget, Operation, OperationId, Outcome};
use crate::sip::Uri;

/// People whom a factory is asked to invite at once; more are asked one by one.
const LIST_MOST: usize = 50;

/// The address of a conference in whatever names it: `sip:…`, `conf:…`, `name@host`, in angle brackets or not.
pub fn parse_conference(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let text = text.strip_prefix("conf:").unwrap_or(text);
    let has_scheme = ["sip:", "sips:"].iter().any(|s| text.get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s)));
    let uri = if has_scheme { Uri::parse(text)? } else { Uri::parse(&format!("sip:{text}"))? };
    let sound = uri.user().is_some() && !uri.has_headers() && uri.address().is_some();
    sound.then(|| uri.to_string())
}

impl Conferences {
    pub(super) fn operate(&mut self, ctx: &mut Ctx<'_>, op: OperationId, operation: &Operation) -> bool {
        use Operation as O;
        let result = match operation {
            O::JoinConference { id, target, .. } => self.join(ctx, op, id, target),
            O::MeetNow { id, subject, invite } => self.meet_now(ctx, op, id, subject, invite),
            _ => {
                let Some(id) = of(operation).filter(|id| self.meetings.get(*id).is_some_and(|m| !m.silent)) else { return false };
                let id = id.clone();
                self.with(ctx, &id, |m, ctx| m.command(ctx, op, operation)).unwrap_or(Ok(()))
            }
        };
        if let Err(error) = result {
            ctx.complete(op, Err(error));
        }
        true
    }

    fn join(&mut self, ctx: &mut Ctx<'_>, op: OperationId, id: &ConversationId, target: &JoinTarget) -> Result<(), Error> {
        let wrong = |text: &str| Error::new(ErrorKind::InvalidArgument, text);
        let JoinTarget::Link(link) = target else {
            return Err(wrong("on this server a meeting is joined by its address, such as sip:room@conference.example.org"));
        };
        let uri = parse_conference(link).and_then(|u| Uri::parse(&u));
        let uri = uri.ok_or_else(|| wrong("this is no address of a meeting; it looks like sip:room@conference.example.org"))?;
        online(ctx)?;
        if let Some(known) = self.find(|m| m.name == uri && !m.silent) {
            // Joining one that has asked us in is answering it.
            self.with(ctx, &known, |m, ctx| m.accept(ctx, op));
            return Ok(());
        }
        let mut meeting = Meeting::new(id.clone(), uri, "", Stage::Over(None));
        meeting.joins.push(op);
        self.begin(ctx, meeting);
        Ok(())
    }

    fn begin(&mut self, ctx: &mut Ctx<'_>, mut meeting: Meeting) {
        let id = meeting.id.clone();
        meeting.ask(ctx);
        self.meetings.insert(id.clone(), meeting);
        self.settle(ctx, &id);
    }

    fn meet_now(
        &mut self,
        ctx: &mut Ctx<'_>,
        op: OperationId,
        id: &ConversationId,
        subject: &str,
        invite: &[Address],
    ) -> Result<(), Error> {
        let mut meeting = self.fresh(ctx, id, subject, invite)?;
        meeting.joins.push(op);
        self.begin(ctx, meeting);
        Ok(())
    }

    fn fresh(&self, ctx: &Ctx<'_>, id: &ConversationId, subject: &str, invite: &[Address]) -> Result<Meeting, Error> {
        let factory = self.factory.clone().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, NO_FACTORY))?;
        online(ctx)?;
        let mut meeting = Meeting::new(id.clone(), factory, subject, Stage::Over(None));
        meeting.made = true;
        let people: Vec<Address> = invite.iter().filter(|a| **a != ctx.me.uri).cloned().collect();
        if (1..=LIST_MOST).contains(&people.len()) {
            meeting.attempt.list = people;
        } else {
            meeting.guests = people.into_iter().map(|p| (p, None)).collect();
        }
        Ok(meeting)
    }

    /// A conversation of two becomes a conference under the same name; until it stands, nothing is said of it.
    pub(super) fn widen(&mut self, ctx: &mut Ctx<'_>, op: OperationId, id: &ConversationId, subject: &str, people: Vec<Address>) {
        if let Some(meeting) = self.meetings.get_mut(id) {
            // It is being made already: one more comes.
            meeting.guests.extend(people.into_iter().next_back().map(|p| (p, Some(op))));
            return;
        }
        match self.fresh(ctx, id, subject, &people) {
            Ok(mut meeting) => {
                meeting.silent = true;
                meeting.joins.push(op);
                self.begin(ctx, meeting);
            }
            Err(error) => ctx.complete(op, Err(error)),
        }
    }
}

impl Meeting {
    fn command(&mut self, ctx: &mut Ctx<'_>, op: OperationId, operation: &Operation) -> Result<(), Error> {
        use Operation as O;
        match operation {
            O::SetNickname { name, .. } => return self.take_nickname(ctx, op, name),
            O::SendMessage { message, text, .. } => self.say(ctx, message, text, None)?,
            O::SendPrivately { to, message, text, .. } => self.say(ctx, message, text, Some(to))?,
            O::Typing { active, .. } => self.type_here(ctx, *active),
            O::Accept { .. } => {
                self.accept(ctx, op);
                return Ok(());
            }
            O::Decline { .. } => {
                self.decline(ctx, op);
                return Ok(());
            }
            O::EndConversation { .. } => {
                self.leave(ctx, Some(op));
                return Ok(());
            }
            // A focus always calls those whom it is to bring in.
            O::Invite { uri, .. } | O::CallIn { uri, .. } => {
                if *uri == ctx.me.uri {
                    return Err(Error::new(ErrorKind::InvalidArgument, "you are in this meeting already"));
                }
                self.bring(ctx, uri, Some(op));
                return Ok(());
            }
            O::Eject { uri, .. } => {
                self.remove(ctx, uri, op);
                return Ok(());
            }
            O::EndConference { .. } => {
                self.end_for_all(ctx, op);
                return Ok(());
            }
            O::LockConference { .. } => return Err(cannot("be locked from here")),
            O::SetRole { .. } => return Err(cannot("be told who leads")),
            O::Admit { .. } => return Err(cannot("have a lobby")),
            O::Mute { .. } => return Err(cannot("mute people")),
            O::ChangeConference { .. } => return Err(cannot("be changed while they run")),
            O::SetSubject { .. } => return Err(cannot("be given another title")),
            O::SetPriority { .. } => return Err(cannot("say how much they matter")),
            _ => return Err(cannot("carry data of applications")),
        }
        self.complete(Some(op), Ok(Outcome::Done));
        Ok(())
    }
}

fn online(ctx: &Ctx<'_>) -> Result<(), Error> {
    if ctx.online { Ok(()) } else { Err(Error::new(ErrorKind::Retryable, "you are not signed in; try again when you are")) }
}

/// The conversation an operation is about.
fn of(operation: &Operation) -> Option<&ConversationId> {
    use Operation as O;
    match operation {
        O::SendMessage { conversation, .. }
        | O::SendPrivately { conversation, .. }
        | O::SetNickname { conversation, .. }
        | O::Typing { conversation, .. }
        | O::Accept { conversation }
        | O::Decline { conversation }
        | O::Invite { conversation, .. }
        | O::CallIn { conversation, .. }
        | O::SetSubject { conversation, .. }
        | O::SetPriority { conversation, .. }
        | O::OpenContext { conversation, .. }
        | O::SendContext { conversation, .. }
        | O::CloseContext { conversation }
        | O::EndConversation { conversation }
        | O::LockConference { conversation, .. }
        | O::Eject { conversation, .. }
        | O::SetRole { conversation, .. }
        | O::Admit { conversation, .. }
        | O::Mute { conversation, .. }
        | O::ChangeConference { conversation, .. }
        | O::EndConference { conversation } => Some(conversation),
        _ => None,
    }
}
