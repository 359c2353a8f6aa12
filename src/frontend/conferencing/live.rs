//! A running conference: who is in it, from which endpoints, and who waits outside.

use super::dialog::Dialog;
use crate::domain::access::SourceNetwork;
use crate::domain::admission::{Joiner, effective};
use crate::domain::conference::{AccessLevel, AutomaticLeaders, Conference, ConferenceSettings};
use crate::domain::conversation::Role;
use crate::domain::{Address, Time};
use crate::frontend::limits::CONFERENCE_NAMED_MESSAGES;
use crate::frontend::{Ctx, RegistrationId, Running, StoreOp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A scheduled conference and, while somebody is in it, its running state.
#[derive(Debug)]
pub(super) struct Conf {
    pub scheduled: Conference,
    pub live: Option<Live>,
    /// What the store has of the running state.
    pub kept: Option<Running>,
    /// Elements of other clients, given back unchanged.
    pub extra: Vec<crate::lync::Element>,
}

/// What is forgotten when a conference becomes inactive (`domain.md` 8.1).
#[derive(Debug)]
pub(super) struct Live {
    pub locked: bool,
    /// The level apart from the lock.
    pub access: AccessLevel,
    pub lobby_bypass: bool,
    pub leaders: AutomaticLeaders,
    pub announcements: bool,
    /// Newcomers who do not lead are muted.
    pub mute_all: bool,
    /// Attendees may unmute themselves all the same.
    pub self_unmute: bool,
    /// Invited by a leader from inside.
    pub invited: BTreeSet<Address>,
    /// The last colleague has left: it ends then.
    pub ends_at: Option<Time>,
    pub members: BTreeMap<Address, Member>,
    /// Roles given during the conference; they survive leaving and coming back.
    pub roles: BTreeMap<Address, Role>,
    /// Let in from the lobby once; they need not wait again.
    pub admitted: BTreeSet<Address>,
    /// Muted, also those who are away for a moment.
    pub muted: BTreeSet<Address>,
    /// Number of the last message of the IM MCU.
    pub last_message: u64,
    /// Names of the last messages, to know one that comes again.
    pub named: VecDeque<(Address, String)>,
    /// When it becomes inactive if nobody comes.
    pub idle_at: Option<Time>,
}

impl Live {
    /// Notes the name of a message; `false` when it is known already.
    pub fn remember(&mut self, who: &Address, name: String) -> bool {
        let key = (who.clone(), name);
        if self.named.contains(&key) {
            return false;
        }
        if self.named.len() >= CONFERENCE_NAMED_MESSAGES {
            self.named.pop_front();
        }
        self.named.push_back(key);
        true
    }

    /// What a conference begins with.
    fn new(settings: &ConferenceSettings) -> Live {
        Live {
            locked: settings.access == AccessLevel::Locked,
            access: effective(settings.access, false),
            lobby_bypass: settings.lobby_bypass,
            leaders: settings.automatic_leaders,
            announcements: settings.announcements,
            mute_all: false,
            self_unmute: false,
            invited: BTreeSet::new(),
            ends_at: None,
            members: BTreeMap::new(),
            roles: BTreeMap::new(),
            admitted: BTreeSet::new(),
            muted: BTreeSet::new(),
            last_message: 0,
            named: VecDeque::new(),
            idle_at: None,
        }
    }

    /// What was kept of it when the front end stopped.
    pub fn again(settings: &ConferenceSettings, r: Running) -> Live {
        Live {
            locked: r.locked,
            access: r.access,
            lobby_bypass: r.lobby_bypass,
            leaders: r.leaders,
            announcements: r.announcements,
            mute_all: r.mute_all,
            self_unmute: r.self_unmute,
            invited: r.invited,
            admitted: r.admitted,
            muted: r.muted,
            roles: r.roles.into_iter().collect(),
            ..Live::new(settings)
        }
    }

    /// What is kept of it; nothing while it runs as it was scheduled.
    fn kept(&self, c: &Conference) -> Option<Running> {
        let kept = |l: &Live| Running {
            organizer: c.organizer.clone(),
            id: c.id.clone(),
            locked: l.locked,
            access: l.access,
            lobby_bypass: l.lobby_bypass,
            leaders: l.leaders,
            announcements: l.announcements,
            mute_all: l.mute_all,
            self_unmute: l.self_unmute,
            invited: l.invited.clone(),
            admitted: l.admitted.clone(),
            muted: l.muted.clone(),
            roles: l.roles.iter().map(|(who, role)| (who.clone(), *role)).collect(),
        };
        let now = kept(self);
        (now != kept(&Live::new(&c.settings))).then_some(now)
    }

    /// Mutes somebody inside, or gives the word back; `false` when nothing changes.
    pub fn mute(&mut self, who: &Address, muted: bool) -> bool {
        if muted {
            self.muted.insert(who.clone());
        } else {
            self.muted.remove(who);
        }
        self.members.get_mut(who).is_some_and(|m| std::mem::replace(&mut m.muted, muted) != muted)
    }

    /// It becomes harder to get in: those inside may come back all the same, as after a broken link.
    pub fn spare_those_inside(&mut self) {
        let inside = self.members.iter().filter(|(_, m)| m.is_inside());
        self.admitted.extend(inside.map(|(who, _)| who.clone()));
    }

    /// Whether somebody who comes in is muted.
    pub fn mutes(&mut self, who: &Address, role: Role) -> bool {
        if self.mute_all && role == Role::Attendee {
            self.muted.insert(who.clone());
        }
        self.muted.contains(who)
    }

    /// Takes over settings that were scheduled anew in place of those with the level `old`.
    pub fn follow(&mut self, old: AccessLevel, settings: &ConferenceSettings) {
        let fresh = Live::new(settings);
        if settings.access != old {
            (self.access, self.locked) = (fresh.access, fresh.locked);
        }
        (self.lobby_bypass, self.leaders, self.announcements) = (fresh.lobby_bypass, fresh.leaders, fresh.announcements);
    }

    /// The level in force.
    pub fn level(&self) -> AccessLevel {
        effective(self.access, self.locked)
    }
}

/// A person.
#[derive(Debug)]
pub(super) struct Member {
    pub display: String,
    pub role: Role,
    /// In the lobby, until this time at most.
    pub waiting: Option<Time>,
    /// May not write.
    pub muted: bool,
    /// Records, and says so.
    pub recording: bool,
    /// A trusted participant: leads, and is seen by its like alone (`domain.md` 2.4).
    pub hidden: bool,
    /// One for each device.
    pub seats: Vec<Seat>,
    /// The IM MCU calls this person, or has.
    pub call: Option<Call>,
}

/// A call of the IM MCU to a person.
#[derive(Debug)]
pub(super) struct Call {
    /// Name of the device to come, chosen by who asked.
    pub entity: String,
    /// Our tag in all its INVITEs.
    pub tag: String,
    pub stage: Stage,
}

/// How far a call got.
#[derive(Debug)]
pub(super) enum Stage {
    Dialing,
    Ringing,
    Up { at: RegistrationId, gruu: String, chat: Chat },
}

impl Member {
    /// In the conference for all to see.
    pub fn is_inside(&self) -> bool {
        self.waiting.is_none() && !self.hidden
    }

    /// Everywhere this person reads.
    pub fn chats_mut(&mut self) -> impl Iterator<Item = (RegistrationId, &mut Chat)> {
        let called = match &mut self.call {
            Some(Call { stage: Stage::Up { at, chat, .. }, .. }) => Some((*at, chat)),
            _ => None,
        };
        self.seats.iter_mut().filter_map(|s| Some((s.registration, s.chat.as_mut()?))).chain(called)
    }

    /// Somewhere this person reads.
    pub fn has_chat(&self) -> bool {
        self.seats.iter().any(|s| s.chat.is_some()) || self.is_called()
    }

    fn is_called(&self) -> bool {
        matches!(self.call, Some(Call { stage: Stage::Up { .. }, .. }))
    }

    /// There at all; who is still being called is not.
    pub fn is_there(&self) -> bool {
        !self.seats.is_empty() || self.is_called()
    }

    /// Something of this person hangs on an endpoint.
    pub fn is_at(&self, endpoint: RegistrationId) -> bool {
        let called = matches!(&self.call, Some(Call { stage: Stage::Up { at, .. }, .. }) if *at == endpoint);
        called || self.seats.iter().any(|s| s.registration == endpoint)
    }
}

/// One device of a person.
#[derive(Debug)]
pub(super) struct Seat {
    /// Name chosen by the client, a GUID in braces.
    pub entity: String,
    pub registration: RegistrationId,
    pub gruu: String,
    pub focus: Dialog,
    pub subscription: Option<Subscription>,
    pub chat: Option<Chat>,
    /// When the session timer of the focus dialog runs out, if the device offered one.
    pub session_ends: Option<Time>,
}

/// Notifications to one device.
#[derive(Debug)]
pub(super) struct Subscription {
    pub dialog: Dialog,
    /// The focus URI as this client spells it; it finds its conference by that very text.
    pub entity: String,
    /// Of the last document.
    pub version: u32,
    /// BENOTIFY instead of NOTIFY.
    pub best_effort: bool,
}

/// The dialog of one device with the IM MCU.
#[derive(Debug)]
pub(super) struct Chat {
    pub dialog: Dialog,
    /// Takes `multipart/alternative` whole.
    pub multipart: bool,
}

impl Conf {
    pub fn new(mut scheduled: Conference) -> Conf {
        scheduled.is_active = false;
        Conf { scheduled, live: None, kept: None, extra: Vec::new() }
    }

    /// Goes on where a front end stopped.
    pub fn resume(&mut self, running: Running) {
        self.live = Some(Live::again(&self.scheduled.settings, running.clone()));
        self.kept = Some(running);
    }

    /// Keeps what has changed of the running state.
    pub fn keep_running(&mut self, ctx: &mut Ctx<'_>) {
        let now = self.live.as_ref().and_then(|l| l.kept(&self.scheduled));
        if now == self.kept {
            return;
        }
        let (organizer, id) = (self.scheduled.organizer.clone(), self.scheduled.id.clone());
        ctx.store(now.clone().map_or(StoreOp::DeleteRunning { organizer, id }, StoreOp::PutRunning));
        self.kept = now;
    }

    /// The conference as it is told to others.
    pub fn conference(&self) -> Conference {
        Conference { is_active: self.live.as_ref().is_some_and(|l| !l.members.is_empty()), ..self.scheduled.clone() }
    }

    /// The running state, begun if need be.
    pub fn begin(&mut self) -> &mut Live {
        self.live.get_or_insert_with(|| Live::new(&self.scheduled.settings))
    }

    /// What somebody is to this conference.
    pub fn joiner(&self, who: &Address, network: SourceNetwork) -> Joiner {
        let joiner = Joiner::of(&self.scheduled.settings, &self.scheduled.organizer, who, network);
        let asked_in = self.live.as_ref().is_some_and(|l| l.invited.contains(who));
        match joiner {
            Joiner::Colleague | Joiner::Federated | Joiner::Anonymous if asked_in => Joiner::InvitedInside,
            joiner => joiner,
        }
    }

    pub fn member(&self, who: &Address) -> Option<&Member> {
        self.live.as_ref()?.members.get(who)
    }

    pub fn member_mut(&mut self, who: &Address) -> Option<&mut Member> {
        self.live.as_mut()?.members.get_mut(who)
    }

    pub fn seat_mut(&mut self, who: &Address, at: RegistrationId) -> Option<&mut Seat> {
        self.member_mut(who)?.seats.iter_mut().find(|s| s.registration == at)
    }

    /// The chat dialog of this tag.
    pub fn chat_mut(&mut self, who: &Address, tag: &str) -> Option<&mut Chat> {
        self.member_mut(who)?.chats_mut().map(|c| c.1).find(|c| c.dialog.tag == tag)
    }

    /// In the conference (not waiting), and a leader.
    pub fn is_leader(&self, who: &Address) -> bool {
        self.member(who).is_some_and(|m| m.waiting.is_none() && m.role == Role::Leader)
    }
}
