//! The Me pane: what I publish, from where, and to whom.

use super::Form;
use crate::domain::Time;
use crate::domain::presence::{Availability, SelfPresence};

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
    /// Instance id (lower case) of this device, once known.
    pub instance: Option<String>,
    /// Availability, activity, note, location.
    pub form: Form,
    /// First row of the lists below the form that is shown.
    pub scroll: usize,
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
