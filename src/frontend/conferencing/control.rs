//! Commands in a running conference (lync-conversations.md 5, the table of `domain.md` 8.3): INFO, 202, the deed, and its
//! result in an INFO of ours.

use super::{Conferencing, Key, Place, Timer};
use crate::domain::Address;
use crate::domain::conference::AccessLevel;
use crate::domain::conversation::Role;
use crate::frontend::limits as L;
use crate::frontend::{Ctx, Incoming};
use crate::lync::cccp::{self, C3pRequest, Change, Command, FailureReason, Mute};
use crate::lync::identity;
use crate::sip::Method;

impl Conferencing {
    /// INFO with a command.
    pub(super) fn command(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, place: &Place) {
        let request = match C3pRequest::parse(&incoming.request.body) {
            Ok(r) => r,
            Err(e) => return ctx.refuse(&incoming, 400, 3006, &format!("The request cannot be read: {e}")),
        };
        let Some(conf) = self.confs.get(&place.key) else { return ctx.respond_status(&incoming, 481) };
        let known = !matches!(request.command, Command::Other(_));
        let Some(target) = request.command.conference().filter(|_| known) else {
            return ctx.refuse(&incoming, 603, 3004, "This command is not implemented");
        };
        if !identity::same_uri(target, &conf.scheduled.uri) {
            return ctx.refuse(&incoming, 400, 3003, "The command names another conference");
        }
        if conf.member(&place.who).is_none_or(|m| m.waiting.is_some()) {
            return ctx.refuse(&incoming, 403, 3014, "You are not in the conference");
        }
        if !conf.is_leader(&place.who) && !for_attendees(&request.command, &place.who) {
            // A call that an attendee may not have made has a number of its own (lync-conversations.md 5.6).
            let code = if matches!(request.command, Command::AddUser(_)) { 3015 } else { 3014 };
            return ctx.refuse(&incoming, 403, code, "Only a presenter may do this");
        }
        let accepted = ctx.response(&incoming.request, 202);
        ctx.respond(incoming.tx, accepted);
        if matches!(request.command, Command::AddUser(_)) {
            return self.dial_out(ctx, place, request);
        }
        // Who ends the conference or leaves it must hear the result before the dialog is gone.
        let leaves = matches!(&request.command, Command::DeleteUser { user, .. } if *user == place.who);
        let last = leaves || matches!(request.command, Command::EndConference { .. });
        if last {
            self.result(ctx, place, &request, Ok(()));
        }
        let result = self.execute(ctx, place, &request.command);
        self.keep_running(ctx, &place.key);
        if !last {
            self.result(ctx, place, &request, result);
        }
    }

    pub(super) fn result(&mut self, ctx: &mut Ctx<'_>, place: &Place, request: &C3pRequest, result: Result<(), FailureReason>) {
        let response = match result {
            Ok(()) => request.done(),
            Err(reason) => request.fail(reason),
        };
        let Some(seat) = self.confs.get_mut(&place.key).and_then(|c| c.seat_mut(&place.who, place.at)) else { return };
        let info = seat.focus.request(Method::Info).with_body(cccp::CONTENT_TYPE, response.to_bytes());
        ctx.send(place.at, info);
    }

    fn execute(&mut self, ctx: &mut Ctx<'_>, place: &Place, command: &Command) -> Result<(), FailureReason> {
        let key = &place.key;
        match command {
            Command::ModifyConferenceLock { locked, .. } => {
                let live = self.confs.get_mut(key).and_then(|c| c.live.as_mut());
                let live = live.ok_or(FailureReason::ConferenceDoesNotExist)?;
                live.spare_those_inside();
                live.locked = *locked;
                self.notify_lock(ctx, key);
                Ok(())
            }
            Command::ModifyUserRoles { user, role, .. } => self.set_role(ctx, key, user, *role),
            Command::SetLobbyAccess { users, granted, .. } => self.lobby_access(ctx, key, users, *granted),
            Command::Change(change) => self.change(ctx, place, change),
            Command::Mute(mute) => self.mute(ctx, place, mute),
            Command::DeleteUser { user, .. } if *user == place.who => {
                self.kick(ctx, key, user, "You left the conference");
                Ok(())
            }
            Command::DeleteUser { user, .. } if *user == key.0 => Err(FailureReason::Forbidden),
            Command::DeleteUser { user, .. } => {
                if self.kick(ctx, key, user, "A presenter removed you from the conference") {
                    Ok(())
                } else {
                    Err(FailureReason::UserDoesNotExist)
                }
            }
            Command::EndConference { .. } => {
                self.end(ctx, key, "A presenter ended the conference");
                Ok(())
            }
            _ => Err(FailureReason::NotSupported),
        }
    }

    fn set_role(&mut self, ctx: &mut Ctx<'_>, key: &Key, user: &Address, role: Role) -> Result<(), FailureReason> {
        if *user == key.0 && role != Role::Leader {
            return Err(FailureReason::Forbidden);
        }
        let live = self.confs.get_mut(key).and_then(|c| c.live.as_mut()).ok_or(FailureReason::ConferenceDoesNotExist)?;
        let member = live.members.get_mut(user).filter(|m| m.is_inside()).ok_or(FailureReason::UserDoesNotExist)?;
        if member.role == role {
            return Ok(());
        }
        member.role = role;
        live.roles.insert(user.clone(), role);
        self.notify_present(ctx, key, user);
        Ok(())
    }

    fn lobby_access(&mut self, ctx: &mut Ctx<'_>, key: &Key, users: &[Address], granted: bool) -> Result<(), FailureReason> {
        let mut done = false;
        for user in users {
            let Some(live) = self.confs.get_mut(key).and_then(|c| c.live.as_mut()) else { break };
            let Some(member) = live.members.get_mut(user) else { continue };
            let Some(until) = member.waiting else { continue };
            done = true;
            if granted {
                member.waiting = None;
                let role = member.role;
                live.admitted.insert(user.clone());
                let muted = live.mutes(user, role);
                live.mute(user, muted);
                self.timers.remove(&(until, Timer::Lobby(key.clone(), user.clone())));
                // The newcomer hears of everybody before it hears that it is in.
                self.notify_whole(ctx, key, user);
                self.notify_present(ctx, key, user);
                self.count_colleagues(ctx, key);
            } else {
                self.kick(ctx, key, user, "A presenter did not let you in");
            }
        }
        if done { Ok(()) } else { Err(FailureReason::UserDoesNotExist) }
    }

    /// Settings of the running conference; they are gone when nobody is in it any more. Opening the access level does not
    /// admit those who wait already (`domain.md` 8.2).
    fn change(&mut self, ctx: &mut Ctx<'_>, place: &Place, change: &Change) -> Result<(), FailureReason> {
        let key = &place.key;
        let conf = self.confs.get_mut(key).ok_or(FailureReason::ConferenceDoesNotExist)?;
        let live = conf.live.as_mut().ok_or(FailureReason::ConferenceDoesNotExist)?;
        if live.invited.len() + change.invited.len() > L::CONFERENCE_INVITED_INSIDE {
            return Err(FailureReason::MaximumMeetingSizeExceeded);
        }
        live.invited.extend(change.invited.iter().cloned());
        let was_locked = live.locked;
        if change.access.is_some() {
            live.spare_those_inside();
        }
        match change.access {
            Some(AccessLevel::Locked) => live.locked = true,
            Some(level) => (live.access, live.locked) = (level, false),
            None => {}
        }
        live.lobby_bypass = change.lobby_bypass.unwrap_or(live.lobby_bypass);
        live.leaders = change.leaders.unwrap_or(live.leaders);
        live.announcements = change.announcements.unwrap_or(live.announcements);
        live.self_unmute = change.self_unmute.unwrap_or(live.self_unmute);
        let locked = live.locked;
        self.notify_settings(ctx, key);
        if was_locked != locked {
            self.notify_lock(ctx, key);
        }
        if let Some(muted) = change.mute_all {
            self.mute_everybody(ctx, place, muted);
        }
        if let Some(recording) = change.recording {
            let member = self.confs.get_mut(key).and_then(|c| c.member_mut(&place.who));
            if let Some(member) = member.filter(|m| m.recording != recording) {
                member.recording = recording;
                self.notify_present(ctx, key, &place.who);
            }
        }
        Ok(())
    }

    /// All but the caller are muted, newcomers too; at the end everybody stays as they are, may unmute themselves, and
    /// newcomers are not muted.
    fn mute_everybody(&mut self, ctx: &mut Ctx<'_>, place: &Place, muted: bool) {
        let Some(live) = self.confs.get_mut(&place.key).and_then(|c| c.live.as_mut()) else { return };
        live.mute_all = muted;
        let mut changed: Vec<Address> = Vec::new();
        if muted {
            let inside = live.members.iter().filter(|(who, m)| **who != place.who && m.is_inside());
            changed = inside.map(|(who, _)| who.clone()).collect();
            changed.retain(|who| live.mute(who, true));
        }
        self.notify_settings(ctx, &place.key);
        for who in changed {
            self.notify_present(ctx, &place.key, &who);
        }
    }

    fn mute(&mut self, ctx: &mut Ctx<'_>, place: &Place, mute: &Mute) -> Result<(), FailureReason> {
        let key = &place.key;
        let conf = self.confs.get_mut(key).ok_or(FailureReason::ConferenceDoesNotExist)?;
        let leads = conf.is_leader(&place.who);
        let live = conf.live.as_mut().ok_or(FailureReason::ConferenceDoesNotExist)?;
        let unmutes_self = !mute.muted && mute.user == place.who;
        if unmutes_self && !leads && live.mute_all && !live.self_unmute {
            return Err(FailureReason::Forbidden);
        }
        let member = live.members.get_mut(&mute.user).filter(|m| m.is_inside()).ok_or(FailureReason::UserDoesNotExist)?;
        if !member.has_chat() || !(mute.kind.is_empty() || mute.kind.eq_ignore_ascii_case("chat")) {
            return Err(FailureReason::MediaDoesNotExist);
        }
        if live.mute(&mute.user, mute.muted) {
            self.notify_present(ctx, key, &mute.user);
        }
        Ok(())
    }
}

/// What everybody inside may do: leave, mute and unmute oneself, say that one records.
fn for_attendees(command: &Command, who: &Address) -> bool {
    match command {
        Command::DeleteUser { user, .. } => user == who,
        Command::Mute(mute) => mute.user == *who,
        Command::Change(change) => {
            let own = Change { conference: change.conference.clone(), recording: change.recording, ..Change::default() };
            **change == own
        }
        _ => false,
    }
}
