//! Dial-out: the IM MCU calls somebody who does not come by itself (lync-conversations.md 5.6, `domain.md` 8.4).
//!
//! One INVITE of the MCU goes to every device of the person, the first 2xx wins, the others are cancelled. Who was called has
//! no dialog with the focus: the chat alone is its place in the conference. The leader who asked hears the result when the
//! call is decided.

use super::dialog::Dialog;
use super::live::{Call, Chat, Member, Stage};
use super::{Conferencing, Key, Kind, Place, Timer};
use crate::domain::Address;
use crate::domain::admission::entry_role;
use crate::domain::conversation::Role;
use crate::frontend::limits as L;
use crate::frontend::state::network_of;
use crate::frontend::{Ctx, Reach, RegistrationId, Reply, Token};
use crate::lync::cccp::{AddUser, C3pRequest, Command, DialOut, FailureReason};
use crate::lync::identity;
use crate::lync::im::{self, MessageSdp, sdp};
use crate::sip::{Method, Name, Response, Uri};
use std::collections::HashMap;

/// On the CANCEL of devices that were too late (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// INVITEs of MCUs that have no final answer.
pub(super) type Calls = HashMap<Token, Branch>;

/// One device that is called.
#[derive(Debug)]
pub(super) struct Branch {
    key: Key,
    who: Address,
    at: RegistrationId,
    /// As the INVITE left.
    dialog: Dialog,
}

impl Conferencing {
    /// `addUser` with `dialed-out`, answered 202 already. The result follows with the decision of the call.
    pub(super) fn dial_out(&mut self, ctx: &mut Ctx<'_>, place: &Place, request: C3pRequest) {
        let Command::AddUser(add) = &request.command else { return };
        let Some(wanted) = &add.dial_out else {
            return self.result(ctx, place, &request, Err(FailureReason::NotSupported));
        };
        match self.callable(ctx, place, add, wanted) {
            Ok(devices) => self.call(ctx, place, request, &devices),
            Err(reason) => self.result(ctx, place, &request, Err(reason)),
        }
    }

    /// The devices to call, or why nobody can be.
    fn callable(
        &self,
        ctx: &Ctx<'_>,
        place: &Place,
        add: &AddUser,
        wanted: &DialOut,
    ) -> Result<Vec<RegistrationId>, FailureReason> {
        let conf = self.confs.get(&place.key).ok_or(FailureReason::ConferenceDoesNotExist)?;
        let live = conf.live.as_ref().ok_or(FailureReason::ConferenceDoesNotExist)?;
        let chat = identity::mcu(&conf.scheduled.uri, "chat");
        if !wanted.mcu.is_empty() && !identity::same_uri(&wanted.mcu, &chat) {
            return Err(FailureReason::McuTypeNotAvailable);
        }
        let target = if wanted.target.is_empty() { add.user.as_str() } else { wanted.target.as_str() };
        let uri = Uri::parse(target).filter(|u| u.address().as_ref() == Some(&add.user));
        let uri = uri.ok_or(FailureReason::InvalidUserEntity)?;
        let named = (1..=super::focus::ENTITY_MAX).contains(&add.endpoint.len());
        if !named || ctx.user(&add.user).is_none() {
            return Err(FailureReason::InvalidUserEntity);
        }
        match live.members.get(&add.user) {
            Some(m) if m.waiting.is_some() || m.call.is_some() || m.has_chat() => return Err(FailureReason::UserExists),
            None if live.members.len() >= L::CONFERENCE_SIZE => return Err(FailureReason::MaximumMeetingSizeExceeded),
            _ => {}
        }
        match ctx.reach(&add.user, &place.who) {
            Reach::Allow => {}
            Reach::DoNotDisturb => return Err(FailureReason::UserBusy),
            // Who is blocked must not learn it.
            Reach::Blocked => return Err(FailureReason::UserUnavailable),
        }
        let devices: Vec<RegistrationId> = if uri.param("opaque").is_some() {
            ctx.registration_by_uri(&uri).map(|r| r.id).into_iter().collect()
        } else {
            ctx.registrations_of(&add.user).map(|r| r.id).collect()
        };
        if devices.is_empty() { Err(FailureReason::UserUnavailable) } else { Ok(devices) }
    }

    fn call(&mut self, ctx: &mut Ctx<'_>, place: &Place, request: C3pRequest, devices: &[RegistrationId]) {
        let Command::AddUser(add) = &request.command else { return };
        let (who, key) = (add.user.clone(), place.key.clone());
        let Some(conf) = self.confs.get_mut(&key) else { return };
        let subject: String = conf.scheduled.settings.subject.chars().filter(|c| !c.is_control()).collect();
        let chat = identity::mcu(&conf.scheduled.uri, "chat");
        let Some(target) = Uri::parse(who.as_str()) else { return };
        let dialog = Dialog::calling(ctx, &chat, &subject, &target);
        let conversation = ctx.rng.hex(24);
        let offer = MessageSdp { port: ctx.config.port, ..MessageSdp::offer(&ctx.config.host) }.to_bytes();
        let mut tokens = Vec::with_capacity(devices.len());
        for at in devices {
            let Some(target) = ctx.registration(*at).map(|r| r.contact.clone()) else { continue };
            let mut branch = dialog.clone();
            let mut invite = branch
                .invite(target)
                .with(Name::Contact, format!("<{chat}>"))
                .with(Name::Supported, "ms-sender")
                .with(Name::Supported, im::ONCE)
                .with(Name::MsConversationId, conversation.as_str());
            if !subject.is_empty() {
                invite = invite.with(Name::Subject, subject.as_str());
            }
            let token = ctx.send(*at, invite.with_body(sdp::CONTENT_TYPE, offer.clone()));
            self.calls.insert(token, Branch { key: key.clone(), who: who.clone(), at: *at, dialog: branch });
            tokens.push(token);
        }
        let due = ctx.now + L::DIAL_OUT_WAIT;
        self.timers.insert((due, Timer::Call(key.clone(), who.clone())));
        let call = Call { entity: add.endpoint.clone(), tag: dialog.tag, stage: Stage::Dialing };
        let (role, asker) = (add.role, place.clone());
        let asked = Asked { request, place: asker, tokens, due, best: None };
        self.asked.insert((key.clone(), who.clone()), asked);
        self.expect(ctx, &key, &who, role, call);
        self.notify_present(ctx, &key, &who);
    }

    /// Gives somebody who is called a place in the roster. A leader's word lets them in whatever the table says.
    fn expect(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, role: Role, call: Call) {
        let display = ctx.display_name(who);
        let network = network_of(ctx.config, who);
        let Some(conf) = self.confs.get_mut(key) else { return };
        let joiner = conf.joiner(who, network);
        let live = conf.begin();
        live.admitted.insert(who.clone());
        let entry = if role == Role::Leader { role } else { entry_role(joiner, network, live.leaders) };
        let role = live.roles.get(who).copied().unwrap_or(entry);
        let muted = live.mutes(who, role);
        let new =
            || Member { display, role, waiting: None, muted, recording: false, hidden: false, seats: Vec::new(), call: None };
        live.members.entry(who.clone()).or_insert_with(new).call = Some(call);
        conf.keep_running(ctx);
    }

    /// An answer to an INVITE of ours; `false` when the token is none of those.
    pub(super) fn call_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        let Some(branch) = self.calls.get(&token) else { return false };
        if let Reply::Response(r) = reply
            && !r.is_final()
        {
            let (key, who, tag) = (branch.key.clone(), branch.who.clone(), branch.dialog.tag.clone());
            if r.status > 100 {
                self.rings(ctx, &key, &who, &tag);
            }
            return true;
        }
        let Some(branch) = self.calls.remove(&token) else { return true };
        match reply {
            Reply::Response(r) if r.is_success() => self.answered(ctx, token, branch, r),
            Reply::Response(r) => self.refused(ctx, token, &branch, r.status),
            Reply::Timeout => self.refused(ctx, token, &branch, 408),
            Reply::Lost => self.refused(ctx, token, &branch, 480),
        }
        true
    }

    fn rings(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, tag: &str) {
        let call = self.confs.get_mut(key).and_then(|c| c.member_mut(who)).and_then(|m| m.call.as_mut());
        if let Some(call) = call.filter(|c| c.tag == tag && matches!(c.stage, Stage::Dialing)) {
            call.stage = Stage::Ringing;
            self.notify_present(ctx, key, who);
        }
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, token: Token, branch: Branch, r: &Response) {
        let Branch { key, who, at, dialog } = branch;
        let mut dialog = dialog.answered(r);
        let ack = dialog.ack();
        ctx.send_stateless(at, ack);
        let gruu = ctx.registration(at).map(|r| r.gruu.clone());
        let call = self.confs.get_mut(&key).and_then(|c| c.member_mut(&who)).and_then(|m| m.call.as_mut());
        let open = call.filter(|c| c.tag == dialog.tag && !matches!(c.stage, Stage::Up { .. }));
        let (Some(call), Some(gruu)) = (open, gruu) else {
            // Too late: it believes in a dialog, which must end.
            let bye = dialog.request(Method::Bye).with(Name::Reason, ELSEWHERE);
            ctx.send(at, bye);
            return;
        };
        let multipart = MessageSdp::parse(&r.body).is_some_and(|s| s.accepts(super::im_mcu::ALTERNATIVE));
        call.stage = Stage::Up { at, gruu, chat: Chat { dialog: dialog.clone(), multipart } };
        self.remember(&dialog, &key, &who, at, Kind::Call);
        self.of_endpoint.entry(at).or_default().insert(key.clone());
        self.decide(ctx, &key, &who, Some(token), Ok(()));
        self.notify_present(ctx, &key, &who);
        self.count_colleagues(ctx, &key);
    }

    /// A device does not take the call; when none is left, or one decided for all, the person does not come.
    fn refused(&mut self, ctx: &mut Ctx<'_>, token: Token, branch: &Branch, status: u16) {
        let place = (branch.key.clone(), branch.who.clone());
        let Some(asked) = self.asked.get_mut(&place).filter(|a| a.tokens.contains(&token)) else { return };
        asked.tokens.retain(|t| *t != token);
        asked.best = Some(asked.best.map_or(status, |b| if rank(status) < rank(b) { status } else { b }));
        let best = asked.best.unwrap_or(status);
        if asked.tokens.is_empty() || status >= 600 {
            self.give_up(ctx, &branch.key, &branch.who, why(best));
        }
    }

    /// Nobody took the call in time.
    pub(super) fn call_timeout(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address) {
        if self.asked.contains_key(&(key.clone(), who.clone())) {
            self.give_up(ctx, key, who, FailureReason::UserDoesNotAnswer);
        }
    }

    fn give_up(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, reason: FailureReason) {
        self.decide(ctx, key, who, None, Err(reason));
        self.drop_call(ctx, key, who);
    }

    /// The call is over or stands: the other devices stop ringing, and who asked hears of it.
    fn decide(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, winner: Option<Token>, result: Result<(), FailureReason>) {
        let Some(asked) = self.asked.remove(&(key.clone(), who.clone())) else { return };
        self.timers.remove(&(asked.due, Timer::Call(key.clone(), who.clone())));
        for token in asked.tokens.into_iter().filter(|t| Some(*t) != winner) {
            match winner {
                Some(_) => ctx.cancel_because(token, ELSEWHERE),
                None => ctx.cancel(token),
            }
        }
        self.result(ctx, &asked.place, &asked.request, result);
    }

    /// Hangs up on somebody without taking the person out.
    pub(super) fn hang_up(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address, call: Call, result: Result<(), FailureReason>) {
        self.decide(ctx, key, who, None, result);
        if let Stage::Up { at, mut chat, .. } = call.stage {
            let bye = chat.dialog.request(Method::Bye);
            ctx.send(at, bye);
            self.forget_call(key, who, at, &chat);
        }
    }

    /// The other side has hung up, or its device is gone: who has no other place here leaves.
    pub(super) fn drop_call(&mut self, ctx: &mut Ctx<'_>, key: &Key, who: &Address) {
        let Some(member) = self.confs.get_mut(key).and_then(|c| c.member_mut(who)) else { return };
        let Some(call) = member.call.take() else { return };
        let alone = member.seats.is_empty();
        if let Stage::Up { at, chat, .. } = call.stage {
            self.forget_call(key, who, at, &chat);
        }
        if alone { self.remove_member(ctx, key, who) } else { self.notify_present(ctx, key, who) }
    }

    fn forget_call(&mut self, key: &Key, who: &Address, at: RegistrationId, chat: &Chat) {
        self.forget(&chat.dialog);
        if self.confs.get_mut(key).and_then(|c| c.seat_mut(who, at)).is_none() {
            self.leave_endpoint(key, at);
        }
    }
}

/// Who asked for a call, and what has become of it.
#[derive(Debug)]
pub(super) struct Asked {
    request: C3pRequest,
    place: Place,
    /// Devices that have not answered.
    tokens: Vec<Token>,
    due: crate::domain::Time,
    /// The refusal that says most.
    best: Option<u16>,
}

/// Smaller says more.
fn rank(status: u16) -> u8 {
    match status {
        600.. => 0,
        486 => 1,
        415 | 488 => 2,
        480 | 430 => 4,
        408 | 487 => 5,
        _ => 3,
    }
}

/// A refusal as the one who asked hears it.
fn why(status: u16) -> FailureReason {
    match status {
        486 | 600 => FailureReason::UserBusy,
        603 | 605 => FailureReason::UserDeclined,
        415 | 488 | 606 => FailureReason::UserTakesNoMessages,
        408 | 487 => FailureReason::UserDoesNotAnswer,
        480 | 430 | 404 => FailureReason::UserUnavailable,
        _ => FailureReason::OtherFailure,
    }
}
