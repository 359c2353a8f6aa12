//! Commands of a leader: INFO in the focus dialog, 202 at once, the result in an INFO of the focus (5.1).

use super::desk::{Desk, Purpose};
use super::docs::{self, Order};
use super::failure;
use super::session::{Leg, Stage};
use super::talk::Talk;
use crate::domain::conversation::Role;
use crate::endpoint::limits::MAX_COMMANDS;
use crate::endpoint::service::Reply;
use crate::endpoint::{Error, ErrorKind, OperationId, Outcome};
use crate::sip::{Method, Name};

impl Talk {
    /// Sends a command to the focus.
    pub fn command(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, order: &Order<'_>) {
        if let Err(error) = self.may_command(desk) {
            return self.complete(desk, Some(op), Err(error));
        }
        let request_id = desk.request_id();
        let (me, now) = (desk.speaker(&self.id).uri, desk.now());
        let Some(s) = &mut self.session else { return };
        let body = docs::order(s.focus.as_str(), &me, request_id, order);
        let Some(dialog) = s.call.dialog() else { return };
        let request = dialog.request(desk.ctx, Method::Info).with(Name::Supported, "ms-sender").with_body(docs::CCCP, body);
        s.command(request_id, op, matches!(order, Order::End), now);
        desk.send(&self.id, Purpose::Command(request_id), request);
    }

    fn may_command(&self, desk: &Desk<'_, '_>) -> Result<(), Error> {
        let invalid = |text: &str| Err(Error::new(ErrorKind::InvalidOperation, text));
        let Some(s) = &self.session else { return invalid("this is no meeting") };
        if s.stage == Stage::Reconnecting || !desk.ctx.online {
            return Err(Error::new(ErrorKind::Retryable, "the meeting is being joined again; try again in a moment"));
        }
        if s.stage != Stage::Connected || !matches!(s.call, Leg::Up(_)) {
            return invalid("you are not in the meeting yet");
        }
        if s.my_role == Some(Role::Attendee) {
            return invalid("only leaders may do this");
        }
        if s.commands.len() >= MAX_COMMANDS {
            return Err(Error::new(ErrorKind::Retryable, "too many requests are pending; try again in a moment"));
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
            Reply::LinkLost => Error::new(ErrorKind::Retryable, "the connection was lost; try again when you are signed in"),
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
        let command = self.session.as_mut().and_then(|s| s.commands.remove(&request_id));
        self.complete(desk, command.map(|c| c.op), result);
    }
}
