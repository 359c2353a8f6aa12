//! The conferences as somebody sees them who may see everything.

use super::Conferencing;
use super::live::Member;
use crate::domain::Address;
use crate::domain::conference::Conference;
use crate::domain::conversation::Participant;

/// One conference and who is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// As scheduled.
    pub conference: Conference,
    /// Everybody visible, those in the lobby included, by address.
    pub participants: Vec<Participant>,
    /// Locked against newcomers.
    pub locked: bool,
}

impl Conferencing {
    /// All conferences, by organizer and id.
    pub fn attendance(&self) -> impl Iterator<Item = Attendance> {
        self.confs.values().map(|c| {
            let members = c.live.iter().flat_map(|l| &l.members);
            Attendance {
                conference: c.conference(),
                participants: members.filter(|(_, m)| !m.hidden && m.is_there()).map(|(who, m)| participant(who, m)).collect(),
                locked: c.live.as_ref().is_some_and(|l| l.locked),
            }
        })
    }

    /// Dialogs of ours, and messages that not everybody has answered.
    pub fn under_way(&self) -> (usize, usize) {
        (self.dialogs.len(), self.messages.len())
    }
}

fn participant(who: &Address, m: &Member) -> Participant {
    Participant {
        uri: who.clone(),
        display_name: m.display.clone(),
        role: m.role,
        has_messages: m.has_chat(),
        in_lobby: m.waiting.is_some(),
        typing: false,
        muted: m.muted && m.has_chat(),
        recording: m.recording,
    }
}
