//! Commands to a conference: INFO in the focus dialog, 202 at once, the result in an INFO of the focus (5.1).

use super::desk::{Desk, Purpose};
use super::docs::{self, Medium, Order};
use super::failure;
use super::mcu::Mcu;
use super::session::{Leg, Session, Stage};
use super::talk::Talk;
use crate::domain::Address;
use crate::domain::conversation::{MeetingChange, Role};
use crate::endpoint::limits::MAX_COMMANDS;
use crate::endpoint::service::Reply;
use crate::endpoint::{Error, ErrorKind, OperationId, Outcome};
use crate::sip::{Method, Name};

impl Talk {
    /// Sends a command to the focus.
    pub fn command(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, order: &Order<'_>) {
        match self.may_command(desk, order) {
            Ok(()) => self.send_command(desk, Some(op), order),
            Err(error) => self.complete(desk, Some(op), Err(error)),
        }
    }

    /// Mutes or unmutes somebody's messages.
    pub fn mute(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, who: &Address, muted: bool) {
        let medium = self.session.as_ref().map(|s| (s.mcu, chat_of(s, who)));
        let refusal = match &medium {
            Some((_, Some(_))) | None => None,
            Some((Mcu::Retrying | Mcu::Idle, None)) => Some("the chat of this meeting is being set up; try again in a moment"),
            Some((_, None)) => Some("this person does not write in this meeting, so there is nothing to mute"),
        };
        if let Some(text) = refusal {
            return self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidOperation, text)));
        }
        let Some((mcu, endpoint, media, kind)) = medium.and_then(|m| m.1) else {
            return self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidOperation, "this is no meeting")));
        };
        let medium = Medium { mcu: &mcu, endpoint: &endpoint, media: &media, kind: &kind };
        self.command(desk, op, &Order::Mute(who, medium, muted));
    }

    /// Sends a command that nobody waits for, if it may be sent.
    pub fn command_quietly(&mut self, desk: &mut Desk<'_, '_>, order: &Order<'_>) {
        if self.may_command(desk, order).is_ok() {
            self.send_command(desk, None, order);
        }
    }

    fn send_command(&mut self, desk: &mut Desk<'_, '_>, op: Option<OperationId>, order: &Order<'_>) {
        let request_id = desk.request_id();
        let (me, now) = (desk.speaker(&self.id).uri, desk.now());
        let Some(s) = &mut self.session else { return };
        let body = docs::order(s.focus.as_str(), &me, request_id, order);
        let Some(dialog) = s.call.dialog() else { return };
        let request = dialog.request(desk.ctx, Method::Info).with(Name::Supported, "ms-sender").with_body(docs::CCCP, body);
        let calls = if let Order::DialOut(who, ..) = order { Some((*who).clone()) } else { None };
        s.command(request_id, op, matches!(order, Order::End), calls, now);
        desk.send(&self.id, Purpose::Command(request_id), request);
    }

    pub(super) fn may_command(&self, desk: &Desk<'_, '_>, order: &Order<'_>) -> Result<(), Error> {
        let invalid = |text: &str| Err(Error::new(ErrorKind::InvalidOperation, text));
        let Some(s) = &self.session else { return invalid("this is no meeting") };
        if s.stage == Stage::Reconnecting || !desk.ctx.online {
            return Err(Error::new(ErrorKind::Retryable, "the meeting is being joined again; try again in a moment"));
        }
        if s.stage != Stage::Connected || !matches!(s.call, Leg::Up(_)) {
            return invalid("you are not in the meeting yet");
        }
        if s.my_role == Some(Role::Attendee) && !for_attendees(order, desk.me()) {
            return invalid("only leaders may do this");
        }
        if s.commands.len() >= MAX_COMMANDS {
            let text = format!("{MAX_COMMANDS} requests to this meeting are unanswered; try again when one has been answered");
            return Err(Error::new(ErrorKind::Retryable, text));
        }
        Ok(())
    }

    /// The first answer to a command.
    pub fn on_command_reply(&mut self, desk: &mut Desk<'_, '_>, request_id: u32, reply: Reply) {
        let error = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) if r.is_success() => {
                // Some servers put the result here at once.
                if !r.body.is_empty() {
                    self.on_command_result(desk, &r.body);
                }
                return;
            }
            Reply::Response(r) => failure::conference(&r),
            Reply::Timeout => Error::new(ErrorKind::Timeout, "the meeting's server did not answer; try again"),
            Reply::LinkLost => Error::link_lost(),
        };
        self.command_done(desk, request_id, Err(error));
    }

    /// The focus reports a result.
    pub fn on_command_result(&mut self, desk: &mut Desk<'_, '_>, body: &[u8]) {
        let Some(answer) = docs::response(body) else { return };
        if answer.is_pending {
            return;
        }
        let result = answer.refusal().map_or(Ok(Outcome::Done), Err);
        self.command_done(desk, answer.request_id, result);
    }

    fn command_done(&mut self, desk: &mut Desk<'_, '_>, request_id: u32, result: Result<Outcome, Error>) {
        let failure = result.as_ref().err().map(|e| e.text.clone());
        let command = self.session.as_mut().and_then(|s| s.command_over(request_id, failure.as_deref()));
        self.complete(desk, command.and_then(|c| c.op), result);
    }
}

/// What attendees may do, too (`domain.md` 8.3).
fn for_attendees(order: &Order<'_>, me: &Address) -> bool {
    match order {
        Order::Mute(who, ..) => *who == me,
        Order::Change(change) => {
            **change == MeetingChange { recording: change.recording, ..MeetingChange::default() } && change.recording.is_some()
        }
        _ => false,
    }
}

/// MCU, device, name and kind of somebody's chat medium.
fn chat_of(s: &Session, who: &Address) -> Option<(String, String, String, String)> {
    let mcu = s.roster.chat_uri(s.focus.as_str())?;
    let (endpoint, media, kind) = s.roster.chat_of(who)?;
    Some((mcu.to_owned(), endpoint.to_owned(), media.to_owned(), kind.to_owned()))
}
