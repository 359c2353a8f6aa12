//! The Me pane: what I publish, from where, and to whom.

use super::Form;
use crate::domain::Time;
use crate::domain::calendar::{Appointment, CalendarNow, WorkingHours};
use crate::domain::presence::{Availability, CustomStatus, SelfPresence};
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
    /// The calendar that speaks for me.
    pub calendar: Calendar,
    /// Statuses from the configuration.
    pub custom: Vec<CustomStatus>,
    /// When I work, from the configuration.
    pub hours: Option<WorkingHours>,
    /// First row of the lists below the form that is shown.
    pub scroll: usize,
}

impl Own {
    /// Rows of the lists below the form: devices, other states, levels, watchers.
    pub fn lines(&self) -> usize {
        let levels: usize = self.replica.containers.iter().map(|c| c.members.len().max(1)).sum();
        self.endpoints.len() + self.states.len() + levels + self.replica.subscribers.len() + 7
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

/// The calendar from the configuration.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// File or folder; empty: none.
    pub path: String,
    /// The days around now.
    pub appointments: Vec<Appointment>,
    /// Why it could not be read last time.
    pub problem: Option<String>,
    /// It was read at least once.
    pub read: bool,
    /// Minute in which it was looked at last.
    pub looked: Option<u64>,
    /// What the endpoint was told last.
    pub told: Option<CalendarNow>,
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
