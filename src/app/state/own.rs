//! The Me pane: what I publish, from where, and to whom.

use super::{Form, Pane};
use crate::domain::calendar::{Appointment, CalendarNow, WorkingHours};
use crate::domain::presence::{Availability, CustomStatus, Member, PublicationKey, SelfPresence};
use crate::domain::privacy::{Mode, Preference};
use crate::domain::{Address, Time};
use crate::endpoint::sight::Viewer;

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
    /// What the pane shows.
    pub section: Section,
    /// Lines of the section; derived by [`super::State::settle`].
    pub list: Vec<Line>,
    /// The selected line.
    pub at: usize,
    /// How far the lists below the status form are scrolled, in rows.
    pub scroll: usize,
    /// The lines went stale.
    pub dirty: bool,
    /// The minute the lines were made in.
    pub minute: u64,
    /// A line that is selected as soon as it appears.
    pub wanted: Option<About>,
    /// Whose eyes "View as" looks through.
    pub viewer: Option<Viewer>,
    /// Where Esc goes back to.
    pub back: Option<Pane>,
    /// Every change is shown on trial before it is sent.
    pub preview: bool,
    /// The next change is.
    pub once: bool,
}

/// What the Me pane shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// The form, and my devices.
    #[default]
    Status,
    /// Levels, containers, members, delegates, privacy mode.
    Access,
    /// Who watches me.
    Watchers,
    /// What somebody sees of me.
    View,
    /// Why I am shown as I am.
    Why,
}

impl Section {
    /// All, in order.
    pub const ALL: [Section; 5] = [Section::Status, Section::Access, Section::Watchers, Section::View, Section::Why];

    /// The word on the bar, a shorter one, and the command that goes there.
    pub fn title(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Section::Status => ("Status", "Status", "me-status"),
            Section::Access => ("Who sees what", "Access", "me-containers"),
            Section::Watchers => ("Watchers", "Watch", "me-watchers"),
            Section::View => ("View as", "View", "me-view"),
            Section::Why => ("Why", "Why", "me-why"),
        }
    }
}

/// One line of a section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// How it looks.
    pub tone: Tone,
    /// Its sign.
    pub mark: Mark,
    /// Left; raw, may be empty.
    pub label: String,
    /// Right of it; raw.
    pub words: String,
    /// What it is about.
    pub about: About,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As text.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// Of less weight.
    Quiet,
    /// What decides.
    Strong,
    /// What wants attention.
    Warning,
}

/// The sign before a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// None.
    #[default]
    None,
    /// A presence.
    Presence(Availability),
    /// Blocked.
    Blocked,
}

/// What a line is about, and so what can be done with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// Just words.
    #[default]
    Nothing,
    /// Privacy mode.
    Privacy,
    /// A container.
    Container(u32),
    /// A member of a container.
    Member(u32, Member),
    /// The delegates.
    Delegates,
    /// One delegate.
    Delegate(Address),
    /// Somebody who watches me.
    Watcher(Address),
    /// A source of my state.
    Source {
        /// Its publications.
        keys: Vec<PublicationKey>,
        /// It is this device.
        here: bool,
        /// What it is called; raw.
        who: String,
    },
}

impl About {
    /// The person it is about, if it is one.
    pub fn person(&self) -> Option<&Address> {
        match self {
            About::Member(_, Member::User(uri)) | About::Delegate(uri) | About::Watcher(uri) => Some(uri),
            _ => None,
        }
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
