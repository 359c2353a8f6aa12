//! The Me pane: what I publish, from where, and to whom.

use super::Form;
use crate::domain::Time;
use crate::domain::presence::{Availability, SelfPresence};
use crate::domain::privacy::{Mode, Preference};

/// The Me pane.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// It came from the server.
    pub loaded: bool,
    /// Everything the server keeps, whole.
    pub replica: SelfPresence,
    /// My devices; derived from the replica.
    pub endpoints: Vec<OwnEndpoint>,
    /// The hand-set status and other states beside the devices; derived from the replica.
    pub states: Vec<OwnEndpoint>,
    /// Why the winner wins; one sentence.
    pub reason: String,
    /// Our GRUU, once signed in.
    pub gruu: String,
    /// Availability, activity, note, location.
    pub form: Form,
    /// The form as it was when it was filled; what differs is published.
    pub baseline: Form,
    /// A field of the form is being edited.
    pub editing: bool,
    /// Privacy mode.
    pub privacy: Privacy,
    /// First row of the lists below the form that is shown.
    pub scroll: usize,
}

impl Own {
    /// Rows of the lists below the form: devices, other states, levels, watchers.
    pub fn lines(&self) -> usize {
        let levels: usize = self.replica.containers.iter().map(|c| c.members.len().max(1)).sum();
        self.endpoints.len() + self.states.len() + levels + self.replica.subscribers.len() + 4
    }
}

/// Privacy mode as the endpoint tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    /// What I chose.
    pub preference: Preference,
    /// The administrator's word; `None`: none.
    pub administrator: Option<bool>,
    /// What is so.
    pub mode: Mode,
}

/// One of my devices, or one other source of my availability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEndpoint {
    /// Instance of the device; empty for sources without one.
    pub instance: String,
    /// What it is: `machineState`, `userState`, `calendarState`, `phoneState`.
    pub source: String,
    /// What it says.
    pub availability: Availability,
    /// Activity text, if any.
    pub activity: String,
    /// Device word or location; may be empty.
    pub device: String,
    /// Since when.
    pub since: Option<Time>,
    /// This very device.
    pub here: bool,
    /// This one decides what others see.
    pub wins: bool,
}
