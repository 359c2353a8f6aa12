//! The part one takes in a conference: three dialogs (focus, subscription, chat MCU), the roster, pending commands, and
//! the states of `domain.md` 3.5.

use super::dialog::Dialog;
use super::invitation::{self, Reason};
use super::mcu::{self, Mcu, Turn};
use super::roster::Roster;
use super::talk::Person;
use crate::domain::conversation::{InvitationState, Invitee, MeetingState, Participant, Role};
use crate::domain::{Address, Time};
use crate::endpoint::OperationId;
use crate::endpoint::limits::{CHAT_RETRY, CHAT_STABLE, COMMAND_WAIT, INVITE_WAIT, MAX_ASKED, MAX_CHAT_TRIES};
use crate::endpoint::service::Token;
use crate::sip::{Request, Uri};
use std::collections::BTreeMap;

/// States of a conference session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not joined.
    Idle,
    /// Joining.
    Connecting,
    /// Waiting for a leader.
    InLobby,
    /// In.
    Connected,
    /// Joining again after a lost link.
    Reconnecting,
    /// Leaving.
    Disconnecting,
    /// Left.
    Disconnected,
}

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Join.
    Join,
    /// The join is complete, or again.
    Complete,
    /// Placed in the lobby, or still there.
    Lobby,
    /// The join failed.
    Fail,
    /// The link went.
    Recover,
    /// Left, ended, ejected, denied.
    End,
    /// Cleaned up.
    Done,
    /// Cleaned up after a failed escalation.
    DoneAfterEscalation,
}

const ROWS: &[(Stage, Move, Stage)] = &[
    (Stage::Idle, Move::Join, Stage::Connecting),
    (Stage::Connecting, Move::Complete, Stage::Connected),
    (Stage::Connecting, Move::Lobby, Stage::InLobby),
    (Stage::Connecting, Move::Fail, Stage::Idle),
    (Stage::InLobby, Move::Complete, Stage::Connected),
    (Stage::InLobby, Move::Recover, Stage::Reconnecting),
    (Stage::InLobby, Move::End, Stage::Disconnecting),
    (Stage::Connected, Move::Recover, Stage::Reconnecting),
    (Stage::Connected, Move::End, Stage::Disconnecting),
    (Stage::Reconnecting, Move::Complete, Stage::Connected),
    (Stage::Reconnecting, Move::Lobby, Stage::InLobby),
    (Stage::Reconnecting, Move::Fail, Stage::Disconnecting),
    (Stage::Disconnecting, Move::Done, Stage::Disconnected),
    (Stage::Disconnecting, Move::DoneAfterEscalation, Stage::Idle),
];

/// The stage after a move; `None` for one that is not possible.
pub(super) fn next(stage: Stage, by: Move) -> Option<Stage> {
    ROWS.iter().find(|r| r.0 == stage && r.1 == by).map(|r| r.2)
}

/// The INVITE dialog with the focus or the chat MCU.
#[derive(Debug, Default)]
pub(super) enum Leg {
    /// None.
    #[default]
    None,
    /// Our INVITE waits.
    Inviting(Token),
    /// It stands.
    Up(Box<Dialog>),
    /// It cannot be.
    Dead,
}

impl Leg {
    /// The dialog, if it stands.
    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match self {
            Leg::Up(d) => Some(d),
            _ => None,
        }
    }

    /// Whether its INVITE is this one.
    pub fn awaits(&self, token: Token) -> bool {
        matches!(self, Leg::Inviting(t) if *t == token)
    }

    fn owns(&self, request: &Request) -> bool {
        matches!(self, Leg::Up(d) if d.matches(request))
    }
}

/// A command the focus works on.
#[derive(Debug)]
pub(super) struct Command {
    /// Who asked; `None`: nobody waits.
    pub op: Option<OperationId>,
    /// When it is given up.
    pub until: Time,
    /// It ends the conference, so that our own disconnection means success.
    pub ends: bool,
    /// Whom the MCU is to call.
    pub calls: Option<Address>,
}

/// Somebody who is being invited.
#[derive(Debug)]
pub(super) struct Invited {
    /// Who.
    pub who: Address,
    /// Who asked; `None` for the peer of an escalation.
    pub op: Option<OperationId>,
    /// When it is given up.
    pub until: Time,
}

/// An ad hoc conference that is being scheduled.
#[derive(Debug)]
pub(super) struct Plan {
    /// The factory's answer is awaited.
    pub token: Token,
    /// Completed when the conference is joined.
    pub op: Option<OperationId>,
    /// Whom to invite then.
    pub guests: Vec<(Address, Option<OperationId>)>,
    /// The id was taken once already.
    pub again: bool,
}

/// One conference as we take part in it.
#[derive(Debug)]
pub(super) struct Session {
    /// The focus.
    pub focus: Uri,
    /// Where it stands.
    pub stage: Stage,
    /// Our endpoint id in the roster, new with every join.
    pub guid: String,
    /// The focus dialog.
    pub call: Leg,
    /// The subscription.
    pub subscription: Option<Dialog>,
    /// A SUBSCRIBE waits.
    pub subscribing: Option<Token>,
    /// When to subscribe again.
    pub subscribe_at: Option<Time>,
    /// The chat dialog.
    pub chat: Leg,
    /// Attempts to bring the chat up.
    pub chat_tries: u32,
    /// When to invite the chat MCU again.
    pub chat_at: Option<Time>,
    /// Since when the chat stands.
    pub chat_since: Option<Time>,
    /// Who is there.
    pub roster: Roster,
    /// Our role, as granted or as the roster says.
    pub my_role: Option<Role>,
    /// Commands on their way, by request id.
    pub commands: BTreeMap<u32, Command>,
    /// Operations that end when the join does.
    pub joins: Vec<OperationId>,
    /// People to invite when we are in.
    pub guests: Vec<(Address, Option<OperationId>)>,
    /// People being invited.
    pub invited: BTreeMap<Token, Invited>,
    /// The other side of the two-party call that moves here.
    pub moving: Option<Person>,
    /// Attempts to join while the server was not available.
    pub tries: usize,
    /// When to try again.
    pub join_at: Option<Time>,
    /// Passcode to join with, also again.
    pub passcode: Option<String>,
    /// When the session of the focus dialog is refreshed.
    pub refresh_at: Option<Time>,
    /// Our part at the IM MCU.
    pub mcu: Mcu,
    /// The IM MCU drops a message that comes again under its name.
    pub once: bool,
    /// Whom we asked to come, and how far that got.
    pub asked: Vec<Invitee>,
}

impl Session {
    /// A session about to join.
    pub fn new(focus: Uri, moving: Option<Person>) -> Session {
        Session {
            focus,
            stage: Stage::Idle,
            guid: String::new(),
            call: Leg::None,
            subscription: None,
            subscribing: None,
            subscribe_at: None,
            chat: Leg::None,
            chat_tries: 0,
            chat_at: None,
            chat_since: None,
            roster: Roster::default(),
            my_role: None,
            commands: BTreeMap::new(),
            joins: Vec::new(),
            guests: Vec::new(),
            invited: BTreeMap::new(),
            moving,
            tries: 0,
            join_at: None,
            passcode: None,
            refresh_at: None,
            mcu: Mcu::default(),
            once: false,
            asked: Vec::new(),
        }
    }

    /// Moves on; an impossible move changes nothing.
    pub fn go(&mut self, by: Move) -> bool {
        match next(self.stage, by) {
            Some(stage) => {
                self.stage = stage;
                true
            }
            None => false,
        }
    }

    /// Whether a request belongs to one of the three dialogs.
    pub fn owns(&self, request: &Request) -> bool {
        self.call.owns(request) || self.chat.owns(request) || self.owns_subscription(request)
    }

    /// Whether it is a notification of ours.
    pub fn owns_subscription(&self, request: &Request) -> bool {
        self.subscription.as_ref().is_some_and(|d| d.matches(request))
    }

    /// Whether it comes through the chat MCU.
    pub fn owns_chat(&self, request: &Request) -> bool {
        self.chat.owns(request)
    }

    /// The dialog for messages.
    pub fn chat_dialog(&mut self) -> Option<&mut Dialog> {
        self.chat.dialog()
    }

    /// Whether a roster has come.
    pub fn has_roster(&self) -> bool {
        self.roster.is_known()
    }

    /// Those whom a message through the chat reaches.
    pub fn audience(&self, me: &Address) -> Vec<Address> {
        let others = self.roster.participants(me).into_iter();
        others.filter(|p| p.has_messages && !p.in_lobby).map(|p| p.uri).collect()
    }

    /// The others.
    pub fn participants(&self, me: &Address) -> Vec<Participant> {
        self.roster.participants(me)
    }

    /// Locked against newcomers.
    pub fn is_locked(&self) -> bool {
        self.roster.is_locked()
    }

    /// What is true of the conference as a whole.
    pub fn meeting(&self, me: &Address) -> MeetingState {
        MeetingState { reconnecting: self.stage == Stage::Reconnecting, invited: self.asked.clone(), ..self.roster.meeting(me) }
    }

    /// Something happened to the IM MCU.
    pub fn turn(&mut self, turn: Turn) {
        self.mcu = mcu::next(self.mcu, turn);
    }

    /// An invitation got further.
    pub fn asked(&mut self, who: &Address, reason: Reason, words: Option<&str>) {
        let at = self.asked.iter().position(|a| a.uri == *who);
        let old = at.map_or(InvitationState::Idle, |at| self.asked[at].state);
        // Asking once more begins anew.
        let from = if reason == Reason::Delivering { InvitationState::Idle } else { old };
        let Some(state) = invitation::next(from, reason) else { return };
        let invitee = Invitee { uri: who.clone(), state, reason: words.unwrap_or(reason.words()).to_owned() };
        match at {
            Some(at) => self.asked[at] = invitee,
            None if self.asked.len() >= MAX_ASKED => {}
            None => self.asked.push(invitee),
        }
    }

    /// Whoever is in has answered the invitation by coming; when they leave again, they are not invited any more.
    pub fn arrived(&mut self) {
        self.asked.retain(|a| !self.roster.has(&a.uri));
    }

    /// The chat dialog is gone: it is invited again soon, unless that failed too often.
    pub fn lose_chat(&mut self, now: Time) {
        if self.chat_since.is_some_and(|t| t + CHAT_STABLE <= now) {
            self.chat_tries = 0;
        }
        self.chat_since = None;
        self.turn(Turn::Failed);
        let again = self.chat_tries < MAX_CHAT_TRIES;
        self.chat = if again { Leg::None } else { Leg::Dead };
        self.chat_at = again.then(|| now + CHAT_RETRY);
    }

    /// A text is to be sent: a chat that was given up is tried anew. Tells whether this conference has one.
    pub fn revive_chat(&mut self, now: Time) -> bool {
        if !matches!(self.chat, Leg::Dead) {
            return true;
        }
        let there = self.roster.chat_uri(self.focus.as_str()).is_some();
        if there {
            (self.chat, self.chat_tries, self.chat_at) = (Leg::None, 0, Some(now));
        }
        there
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let commands = self.commands.values().map(|c| c.until);
        let invited = self.invited.values().map(|i| i.until);
        commands
            .chain(invited)
            .chain([self.subscribe_at, self.chat_at, self.join_at, self.refresh_at].into_iter().flatten())
            .min()
    }

    /// Notes a command.
    pub fn command(&mut self, request: u32, op: Option<OperationId>, ends: bool, calls: Option<Address>, now: Time) {
        self.commands.insert(request, Command { op, until: now + COMMAND_WAIT, ends, calls });
    }

    /// A command has ended; with it the invitation of somebody the MCU was to call.
    pub fn command_over(&mut self, request: u32, failure: Option<&str>) -> Option<Command> {
        let command = self.commands.remove(&request)?;
        if let Some(who) = &command.calls {
            let reason = if failure.is_none() { Reason::Accepted } else { Reason::DeliverFailed };
            self.asked(who, reason, failure);
        }
        Some(command)
    }

    /// Notes an invitation.
    pub fn invite(&mut self, token: Token, who: Address, op: Option<OperationId>, now: Time) {
        self.asked(&who, Reason::Delivering, None);
        self.invited.insert(token, Invited { who, op, until: now + INVITE_WAIT });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! rows {
        ($($name:ident: $from:ident, $by:ident => $to:ident;)*) => {
            $(#[test] fn $name() { assert_eq!(next(Stage::$from, Move::$by), Some(Stage::$to)); })*

            #[test]
            fn anything_not_listed_is_impossible() {
                let listed = [$((Stage::$from, Move::$by)),*];
                let stages = [Stage::Idle, Stage::Connecting, Stage::InLobby, Stage::Connected, Stage::Reconnecting,
                    Stage::Disconnecting, Stage::Disconnected];
                let moves = [Move::Join, Move::Complete, Move::Lobby, Move::Fail, Move::Recover, Move::End, Move::Done,
                    Move::DoneAfterEscalation];
                for stage in stages {
                    for by in moves {
                        assert_eq!(next(stage, by).is_some(), listed.contains(&(stage, by)), "{stage:?} {by:?}");
                    }
                }
            }
        };
    }

    rows! {
        idle_join: Idle, Join => Connecting;
        connecting_join_complete: Connecting, Complete => Connected;
        connecting_placed_in_lobby: Connecting, Lobby => InLobby;
        connecting_fails: Connecting, Fail => Idle;
        in_lobby_admitted_by_a_leader: InLobby, Complete => Connected;
        in_lobby_path_recovery: InLobby, Recover => Reconnecting;
        in_lobby_ejected_denied_ended: InLobby, End => Disconnecting;
        connected_path_recovery: Connected, Recover => Reconnecting;
        connected_terminate_ended_ejected: Connected, End => Disconnecting;
        reconnecting_succeeds: Reconnecting, Complete => Connected;
        reconnecting_still_in_lobby: Reconnecting, Lobby => InLobby;
        reconnecting_fails: Reconnecting, Fail => Disconnecting;
        disconnecting_clean_up_done: Disconnecting, Done => Disconnected;
        disconnecting_done_after_failed_escalation: Disconnecting, DoneAfterEscalation => Idle;
    }
}
