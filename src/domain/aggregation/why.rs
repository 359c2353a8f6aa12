//! Why the aggregate is what it is: which step of `domain.md` 5.4 decided, and what became of every source.
//! Made by the run that computes the value; nothing here computes it again.

use super::{Source, SourceKind};
use serde::{Deserialize, Serialize};

/// The step that fixed the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// 1: no device says anything.
    NoDevice,
    /// 2: every device says that it is off.
    DevicesOff,
    /// 4: a status set by hand of 6900 or more.
    SetByHand,
    /// 5: nothing but devices.
    Device,
    /// 5 and 6: the highest number of what was set by hand, meetings and calls, and a device in use.
    Highest,
    /// 6: Available was set by hand, but no device is in use.
    DeviceNotInUse,
    /// 6: busy, and no device is in use.
    BusyWithoutDevice,
}

impl Step {
    /// Its number in `domain.md` 5.4.
    pub fn number(self) -> u8 {
        match self {
            Step::NoDevice => 1,
            Step::DevicesOff => 2,
            Step::SetByHand => 4,
            Step::Device => 5,
            Step::Highest | Step::DeviceNotInUse | Step::BusyWithoutDevice => 6,
        }
    }
}

/// What became of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// Its number is the result, or made it.
    Decides,
    /// A device: the most active one; location and time zone are its.
    InUse,
    /// A device: another one is more active.
    LessActive,
    /// A device: as active as another one that spoke later.
    SpokeEarlier,
    /// A device that says it is off.
    Off,
    /// Nothing counts while no device is there.
    NobodyThere,
    /// A newer one of the same kind replaced it.
    Replaced,
    /// Step 3: a meeting that had begun before the status was set by hand.
    BeforeHand,
    /// Step 4: what was set by hand stands above it.
    BelowHand,
    /// Step 5: another number is higher (or equal, and said by something that counts more).
    Lower,
    /// Step 6: it says available, and no device is in use.
    NoDeviceInUse,
    /// Out of office has no number; its words are shown.
    GivesWords,
    /// Out of office has no number, and its words do not go with the result.
    WordsDoNotFit,
}

/// The whole explanation; positions count the sources as they were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What decided.
    pub step: Step,
    /// The most active device.
    pub machine: Option<usize>,
    /// Whose number the result comes from: `None` when nobody is there.
    pub base: Option<usize>,
    /// Whose words are shown.
    pub words: Option<usize>,
    /// What became of each source, in their order.
    pub fates: Vec<Fate>,
}

/// What the run found, before it is told.
pub(super) struct Found<'a> {
    pub step: Step,
    pub machine: Option<&'a Source>,
    pub user: Option<&'a Source>,
    pub meeting: Option<&'a Source>,
    /// Kind and instance of the source that gave the number; a status for the workgroup is a copy.
    pub base: Option<(SourceKind, u32)>,
    pub words: Option<(SourceKind, u32)>,
}

impl Found<'_> {
    pub fn explain(&self, sources: &[Source]) -> Explanation {
        let at = |wanted: Option<(SourceKind, u32)>| sources.iter().position(|s| Some((s.kind, s.instance)) == wanted);
        let machine = self.machine.map(|m| (m.kind, m.instance));
        let base = if self.step == Step::Device { machine } else { self.base };
        Explanation {
            step: self.step,
            machine: at(machine),
            base: at(base),
            words: at(self.words),
            fates: sources.iter().map(|s| self.fate(s)).collect(),
        }
    }

    fn fate(&self, s: &Source) -> Fate {
        let name = Some((s.kind, s.instance));
        if s.kind == SourceKind::Machine {
            return self.device(s);
        }
        if s.availability.is_none() {
            return if self.words == name { Fate::GivesWords } else { Fate::WordsDoNotFit };
        }
        let Some(_) = self.machine else { return Fate::NobodyThere };
        if s.kind == SourceKind::User && self.user.is_some_and(|u| u.instance != s.instance) {
            return Fate::Replaced;
        }
        if self.base == name {
            return if self.step == Step::DeviceNotInUse { Fate::NoDeviceInUse } else { Fate::Decides };
        }
        let is_meeting = self.meeting.is_some_and(|m| m.instance == s.instance);
        if s.kind == SourceKind::Calendar && !is_meeting && self.user.is_some_and(|u| s.published <= u.published) {
            return Fate::BeforeHand;
        }
        if self.step == Step::SetByHand { Fate::BelowHand } else { Fate::Lower }
    }

    fn device(&self, s: &Source) -> Fate {
        let Some(m) = self.machine else { return Fate::Off };
        if m.instance == s.instance {
            return if matches!(self.step, Step::Device | Step::DeviceNotInUse) { Fate::Decides } else { Fate::InUse };
        }
        if s.availability == m.availability { Fate::SpokeEarlier } else { Fate::LessActive }
    }
}
