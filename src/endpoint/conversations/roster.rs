//! Who is in a conference, kept from its documents (`lync-conversations.md` 4.3).

use crate::domain::Address;
use crate::domain::conference::AccessLevel;
use crate::domain::conversation::{MeetingState, Participant, Role};
use crate::endpoint::limits::{MAX_NAME, MAX_PARTICIPANTS};
use crate::lync::cccp::record::{read_autopromote, read_policy};
use crate::lync::confinfo::{self, ConferenceInfo, EndpointStatus, User};
use crate::lync::{identity, time};

/// What became of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// It is in.
    Merged,
    /// Known already, not for us, or no document.
    Ignored,
    /// Something before it is missing: subscribe again for a full one.
    Gap,
}

/// The roster of one conference.
#[derive(Debug, Default)]
pub(super) struct Roster {
    info: Option<ConferenceInfo>,
    /// A new subscription counts its documents anew.
    fresh: bool,
}

impl Roster {
    /// Whether a full document has come.
    pub fn is_known(&self) -> bool {
        self.info.is_some()
    }

    /// The next document belongs to a new subscription: only a full one will do.
    pub fn renew(&mut self) {
        self.fresh = true;
    }

    /// Takes a document in.
    pub fn apply(&mut self, focus: &str, body: &[u8]) -> Applied {
        let Ok(doc) = ConferenceInfo::parse(body) else { return Applied::Ignored };
        if !identity::same_uri(focus, &doc.entity) {
            return Applied::Ignored;
        }
        if self.fresh && doc.state == confinfo::ElementState::Partial {
            return Applied::Gap;
        }
        match confinfo::apply(&mut self.info, doc) {
            confinfo::Applied::Applied => {
                self.fresh = false;
                Applied::Merged
            }
            confinfo::Applied::Discarded => Applied::Ignored,
            confinfo::Applied::Gap => Applied::Gap,
        }
    }

    /// Everybody visible but ourselves.
    pub fn participants(&self, me: &Address) -> Vec<Participant> {
        let people = self.info.iter().flat_map(|i| i.people());
        people.filter(|u| u.entity != *me && is_here(u)).take(MAX_PARTICIPANTS).map(participant).collect()
    }

    /// Locked against newcomers.
    pub fn is_locked(&self) -> bool {
        self.info.as_ref().is_some_and(|i| i.locked())
    }

    /// Whether somebody is in it, in the lobby or on the way in.
    pub fn has(&self, who: &Address) -> bool {
        self.info.as_ref().and_then(|i| i.user(who)).is_some_and(is_here)
    }

    /// Device and medium of somebody's chat, for mute commands.
    pub fn chat_of(&self, who: &Address) -> Option<(&str, &str, &str)> {
        let (device, media) = self.info.as_ref()?.user(who)?.medium("chat")?;
        Some((device, &media.id, &media.kind))
    }

    /// What the documents say of the conference as a whole.
    pub fn meeting(&self, me: &Address) -> MeetingState {
        let Some(info) = &self.info else { return MeetingState::default() };
        let own = info.user(me);
        let Some(d) = &info.description else { return MeetingState::default() };
        let level = d.admission_policy.as_deref().map(|p| read_policy(Some(p)));
        MeetingState {
            access: if info.locked() { Some(AccessLevel::Locked) } else { level },
            lobby_bypass: d.lobby_bypass.unwrap_or(false),
            automatic_leaders: d.autopromote.as_deref().map(|a| read_autopromote(Some(a))),
            announcements: d.announcements.unwrap_or(false),
            mute_all: d.mute_all.unwrap_or(false),
            self_unmute: d.self_unmute.unwrap_or(false),
            muted: own.is_some_and(User::is_muted),
            recording: own.is_some_and(|u| u.recording),
            ends_at: d.ends_at.as_deref().and_then(time::parse),
            organizer: d.organizer.as_ref().map(|o| o.uri.clone()),
            join_url: d.join_url.as_deref().unwrap_or("").chars().take(MAX_NAME).collect(),
            ..MeetingState::default()
        }
    }

    /// Somebody's role.
    pub fn role_of(&self, who: &Address) -> Option<Role> {
        self.info.as_ref()?.user(who)?.role
    }

    /// Title.
    pub fn subject(&self) -> Option<String> {
        let subject = self.info.as_ref()?.description.as_ref()?.subject.as_ref()?;
        Some(subject.chars().take(MAX_NAME).collect())
    }

    /// Whether this device of ours waits in the lobby.
    pub fn is_in_lobby(&self, me: &Address, guid: &str) -> bool {
        let Some(user) = self.info.as_ref().and_then(|i| i.user(me)) else { return false };
        let device =
            user.endpoints.iter().find(|e| e.entity.eq_ignore_ascii_case(guid) && e.session.eq_ignore_ascii_case("focus"));
        device.map_or_else(|| user.in_lobby(), |d| d.status == EndpointStatus::OnHold)
    }

    /// The chat MCU, if it belongs to this focus.
    pub fn chat_uri(&self, focus: &str) -> Option<&str> {
        let uri = self.info.as_ref()?.mcu("chat")?;
        // An MCU of somewhere else would send our words there.
        match (identity::parse_conference_uri(uri)?, identity::parse_focus(focus)?) {
            (identity::ConferenceUri::Mcu(who, id, _), (organizer, conference)) => {
                (who == organizer && id.0.eq_ignore_ascii_case(&conference.0)).then_some(uri)
            }
            _ => None,
        }
    }

    /// Whether the MCUs have been named (they are not to those in the lobby).
    pub fn names_mcus(&self) -> bool {
        self.info.as_ref().and_then(|i| i.description.as_ref()).is_some_and(|d| d.uris.is_some())
    }
}

fn is_here(u: &User) -> bool {
    u.endpoints
        .iter()
        .any(|e| matches!(e.status, EndpointStatus::Connected | EndpointStatus::OnHold | EndpointStatus::MutedViaFocus))
}

fn participant(u: &User) -> Participant {
    Participant {
        uri: u.entity.clone(),
        display_name: u.display_text.chars().take(MAX_NAME).collect(),
        role: u.role.unwrap_or(Role::Attendee),
        has_messages: u.connected_to("chat"),
        in_lobby: u.in_lobby(),
        typing: false,
        muted: u.is_muted(),
        recording: u.recording,
    }
}
