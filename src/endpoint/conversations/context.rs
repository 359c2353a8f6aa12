//! The context channel: what an application says beside the words (`domain.md` 3.8).

use super::desk::{Desk, Purpose};
use super::talk::Talk;
use crate::domain::Time;
use crate::domain::conversation::{ContextChannel, ContextState as C, ConversationState as S};
use crate::endpoint::limits::CONTEXT_WAIT;
use crate::endpoint::service::{Reply, Token};
use crate::endpoint::{Error, ErrorKind, OperationId, Outcome};
use crate::lync::im::context::{CONTENT_TYPE, ContextAction, ContextFault, ContextMessage};
use crate::sip::{Method, Request, ServerTx};

/// What can happen to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is asked for.
    Establish,
    /// The other side took it.
    Succeed,
    /// It did not.
    Fail,
    /// The way to the other side is lost.
    Lose,
    /// It is back.
    Restore,
    /// Ended by either side, by a fatal error, or with the conversation.
    Terminate,
    /// Cleaned up.
    Done,
}

const ROWS: &[(C, Turn, C)] = &[
    (C::Idle, Turn::Establish, C::Establishing),
    (C::Idle, Turn::Terminate, C::Terminating),
    (C::Establishing, Turn::Succeed, C::Established),
    (C::Establishing, Turn::Fail, C::Terminating),
    (C::Established, Turn::Lose, C::Recovering),
    (C::Established, Turn::Terminate, C::Terminating),
    (C::Recovering, Turn::Restore, C::Established),
    (C::Recovering, Turn::Terminate, C::Terminating),
    (C::Terminating, Turn::Done, C::Terminated),
];

/// The state after a turn; `None` for one that is not possible.
fn next(state: C, turn: Turn) -> Option<C> {
    ROWS.iter().find(|r| r.0 == state && r.1 == turn).map(|r| r.2)
}

/// One channel.
#[derive(Debug)]
pub(super) struct Channel {
    id: String,
    state: C,
    application: String,
    toast: String,
    data: String,
    /// Completed when the other side has taken it; given up then.
    opening: Option<(OperationId, Time)>,
    /// Data on their way.
    sends: Vec<(Token, OperationId)>,
}

impl Channel {
    fn new(id: String, application: &str, toast: &str) -> Channel {
        let (application, toast) = (application.to_owned(), toast.to_owned());
        Channel { id, state: C::Idle, application, toast, data: String::new(), opening: None, sends: Vec::new() }
    }

    fn turn(&mut self, turn: Turn) -> bool {
        next(self.state, turn).map(|s| self.state = s).is_some()
    }

    fn is_over(&self) -> bool {
        matches!(self.state, C::Terminating | C::Terminated)
    }

    /// How it looks from outside.
    pub fn view(&self) -> ContextChannel {
        ContextChannel {
            state: self.state,
            application: self.application.clone(),
            toast: self.toast.clone(),
            data: self.data.clone(),
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        self.opening.map(|o| o.1)
    }
}

impl Talk {
    /// Asks the other side for a channel.
    pub fn open_context(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, application: &str, toast: &str, data: &str) {
        let stands = matches!(self.state, S::Established | S::Conferenced) && self.route().is_some();
        if !stands {
            let text = "a context channel needs a conversation that stands; write something first";
            return self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidOperation, text)));
        }
        if self.context.as_ref().is_some_and(|c| !c.is_over()) {
            let text = "this conversation has a context channel already";
            return self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidOperation, text)));
        }
        let mut channel = Channel::new(desk.ctx.rng.hex(16), application, toast);
        let said = self.word(&channel, ContextAction::Establish, data);
        if let Err(fault) = said.check() {
            return self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidArgument, fault.to_string())));
        }
        channel.turn(Turn::Establish);
        channel.opening = Some((op, desk.now() + CONTEXT_WAIT));
        self.context = Some(channel);
        self.say_context(desk, &said);
    }

    /// Sends data.
    pub fn send_context(&mut self, desk: &mut Desk<'_, '_>, op: OperationId, data: &str) {
        let Some(channel) = self.context.as_ref().filter(|c| c.state == C::Established) else {
            let recovering = self.context.as_ref().is_some_and(|c| c.state == C::Recovering);
            let error = if recovering {
                Error::new(ErrorKind::Retryable, "the way to the other side is being repaired; try again in a moment")
            } else {
                Error::new(ErrorKind::InvalidOperation, "there is no context channel here")
            };
            return self.complete(desk, Some(op), Err(error));
        };
        let said = self.word(channel, ContextAction::Data, data);
        if let Err(fault) = said.check() {
            return self.complete(desk, Some(op), Err(Error::new(ErrorKind::InvalidArgument, fault.to_string())));
        }
        match self.say_context(desk, &said) {
            Some(token) => {
                if let Some(c) = &mut self.context {
                    c.sends.push((token, op));
                }
            }
            None => {
                let error = Error::new(ErrorKind::Retryable, "the way to the other side is being repaired; try again");
                self.complete(desk, Some(op), Err(error));
            }
        }
    }

    /// Ends the channel by wish. Ending what is over is harmless.
    pub fn close_context(&mut self, desk: &mut Desk<'_, '_>, op: OperationId) {
        self.end_context(desk);
        self.complete(desk, Some(op), Ok(Outcome::Done));
    }

    /// Ends the channel, and says so where that can be said.
    pub fn end_context(&mut self, desk: &mut Desk<'_, '_>) {
        let Some(channel) = self.context.as_ref().filter(|c| !c.is_over()) else { return };
        let said = self.word(channel, ContextAction::End, "");
        self.say_context(desk, &said);
        self.context_over(desk, &Error::new(ErrorKind::OperationFailed, "the context channel has ended"));
    }

    /// The link went: what was on its way has failed; the channel waits for the conversation to stand again.
    pub fn lose_context(&mut self, desk: &mut Desk<'_, '_>) {
        let error = Error::link_lost();
        match self.context.as_mut().map(|c| c.state) {
            Some(C::Establishing) => self.context_over(desk, &error),
            Some(_) => {
                let ops = self.context.iter_mut().flat_map(|c| c.sends.drain(..)).map(|s| s.1).collect();
                self.complete_all(desk, ops, Err(error));
            }
            None => {}
        }
    }

    /// Brings the channel in line with the conversation's way to the other side.
    pub fn settle_context(&mut self) {
        let there = self.route().is_some();
        if let Some(c) = &mut self.context {
            c.turn(if there { Turn::Restore } else { Turn::Lose });
        }
    }

    /// The other side of the channel was silent for too long.
    pub fn context_on_time(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        if self.context.as_ref().is_some_and(|c| c.opening.is_some_and(|o| o.1 <= now)) {
            let text = "the other side has no use for a context channel";
            self.context_over(desk, &Error::new(ErrorKind::Timeout, text));
        }
    }

    /// The answer to something that was said on the channel.
    pub fn on_context_reply(&mut self, desk: &mut Desk<'_, '_>, token: Token, reply: &Reply) {
        let failed = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) if r.is_success() => None,
            Reply::Response(r) => {
                Some(super::failure::with_wire(ErrorKind::FailureResponse, "the other side did not take it".into(), r))
            }
            Reply::Timeout => Some(Error::new(ErrorKind::Timeout, "the other side did not answer")),
            Reply::LinkLost => return,
        };
        let Some(channel) = &mut self.context else { return };
        if let Some(at) = channel.sends.iter().position(|s| s.0 == token) {
            let (_, op) = channel.sends.swap_remove(at);
            return self.complete(desk, Some(op), failed.map_or(Ok(Outcome::Done), Err));
        }
        if let (C::Establishing, Some(error)) = (channel.state, failed) {
            self.context_over(desk, &error);
        }
    }

    /// The other side said something on the channel.
    pub fn on_context(
        &mut self,
        desk: &mut Desk<'_, '_>,
        tx: Option<ServerTx>,
        request: &Request,
        said: Result<ContextMessage, ContextFault>,
    ) {
        let status = match said {
            Ok(said) => self.context_said(desk, said),
            Err(ContextFault::TooLong { .. }) => 413,
            Err(_) => 400,
        };
        desk.answer(tx, request, status);
    }

    fn context_said(&mut self, desk: &mut Desk<'_, '_>, said: ContextMessage) -> u16 {
        let known = self.context.as_ref().is_some_and(|c| c.id == said.id && !c.is_over());
        match said.action {
            ContextAction::Establish => return self.context_offered(desk, said),
            _ if !known => return 481,
            ContextAction::Accept => {
                let op = self.context.as_mut().and_then(|c| {
                    c.turn(Turn::Succeed);
                    c.opening.take()
                });
                self.complete(desk, op.map(|o| o.0), Ok(Outcome::Done));
            }
            ContextAction::Data => {
                if let Some(c) = &mut self.context {
                    c.turn(Turn::Restore);
                    c.data = said.data;
                }
            }
            ContextAction::End => {
                let error = Error::new(ErrorKind::OperationFailed, "the other side ended the context channel");
                self.context_over(desk, &error);
            }
        }
        200
    }

    fn context_offered(&mut self, desk: &mut Desk<'_, '_>, said: ContextMessage) -> u16 {
        if !matches!(self.state, S::Established | S::Conferenced) || self.context.as_ref().is_some_and(|c| !c.is_over()) {
            return 486;
        }
        let mut channel = Channel::new(said.id, &said.application, &said.toast);
        channel.data = said.data;
        channel.turn(Turn::Establish);
        channel.turn(Turn::Succeed);
        let answer = self.word(&channel, ContextAction::Accept, "");
        self.context = Some(channel);
        self.say_context(desk, &answer);
        200
    }

    fn word(&self, channel: &Channel, action: ContextAction, data: &str) -> ContextMessage {
        let first = action == ContextAction::Establish;
        let only_first = |text: &str| if first { text.to_owned() } else { String::new() };
        ContextMessage {
            action,
            id: channel.id.clone(),
            application: only_first(&channel.application),
            toast: only_first(&channel.toast),
            data: data.to_owned(),
        }
    }

    fn say_context(&mut self, desk: &mut Desk<'_, '_>, said: &ContextMessage) -> Option<Token> {
        if !desk.ctx.online {
            return None;
        }
        let request = self.route()?.request(desk.ctx, Method::Info).with_body(CONTENT_TYPE, said.to_bytes());
        Some(desk.send(&self.id, Purpose::Context, request))
    }

    fn context_over(&mut self, desk: &mut Desk<'_, '_>, error: &Error) {
        let Some(c) = &mut self.context else { return };
        if !c.turn(Turn::Fail) {
            c.turn(Turn::Terminate);
        }
        c.turn(Turn::Done);
        let ops = c.opening.take().map(|o| o.0).into_iter().chain(c.sends.drain(..).map(|s| s.1)).collect();
        self.complete_all(desk, ops, Err(error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [C; 6] = [C::Idle, C::Establishing, C::Established, C::Recovering, C::Terminating, C::Terminated];
    const TURNS: [Turn; 7] = [Turn::Establish, Turn::Succeed, Turn::Fail, Turn::Lose, Turn::Restore, Turn::Terminate, Turn::Done];

    macro_rules! rows {
        ($($name:ident: $from:ident, $by:ident => $to:ident;)*) => {
            $(#[test] fn $name() { assert_eq!(next(C::$from, Turn::$by), Some(C::$to)); })*

            #[test]
            fn anything_not_listed_changes_nothing() {
                let listed = [$((C::$from, Turn::$by)),*];
                for (state, turn) in STATES.into_iter().flat_map(|s| TURNS.map(|t| (s, t))) {
                    assert_eq!(next(state, turn).is_some(), listed.contains(&(state, turn)), "{state:?} {turn:?}");
                }
            }
        };
    }

    rows! {
        idle_establish: Idle, Establish => Establishing;
        idle_terminate: Idle, Terminate => Terminating;
        establishing_success: Establishing, Succeed => Established;
        establishing_failure: Establishing, Fail => Terminating;
        established_connection_lost: Established, Lose => Recovering;
        established_ended: Established, Terminate => Terminating;
        recovering_restored: Recovering, Restore => Established;
        recovering_ended: Recovering, Terminate => Terminating;
        terminating_done: Terminating, Done => Terminated;
    }
}
