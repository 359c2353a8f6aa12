//! Size, options and clock of the screen.

use super::{Pane, Scroll};
use crate::app::limits::{MIN_COLUMNS, MIN_ROWS, NORMAL_COLUMNS, WIDE_COLUMNS};
use crate::domain::Time;
use crate::domain::conversation::MessageId;
use crate::domain::presence::LCID_EN_US;
use jiff::tz::TimeZone;

/// How much fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// Below 40×10: one sentence instead of panes.
    TooSmall,
    /// One pane at a time.
    Narrow,
    /// People (26 columns) and one pane.
    Normal,
    /// People, one pane, and perhaps a third column.
    Wide,
}

/// Size, options and clock.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Columns of the terminal.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// People hidden with Alt-0.
    pub people_hidden: bool,
    /// The third column (roster or card) is wanted.
    pub third_column: bool,
    /// ASCII stand-ins instead of Unicode signs.
    pub ascii: bool,
    /// No colours (NO_COLOR).
    pub no_color: bool,
    /// Name of the theme.
    pub theme: String,
    /// Zone of all shown times.
    pub zone: TimeZone,
    /// Windows id of the locale in which others' own words are preferred.
    pub locale: u32,
    /// Time of the last event.
    pub now: Time,
    /// The terminal window has the focus.
    pub focused: bool,
    /// What the screen measured last.
    pub metrics: Metrics,
    /// Name of the group whose people get through do-not-disturb.
    pub pinned_group: String,
}

impl Default for View {
    fn default() -> View {
        View {
            columns: 80,
            rows: 24,
            people_hidden: false,
            third_column: false,
            ascii: false,
            no_color: false,
            theme: "default".into(),
            zone: TimeZone::UTC,
            locale: crate::domain::presence::LCID_EN_US,
            now: Time(0),
            focused: true,
            metrics: Metrics::default(),
            pinned_group: "Pinned Contacts".into(),
        }
    }
}

impl View {
    /// The layout for the present size.
    pub fn layout(&self) -> Layout {
        match self.columns {
            _ if self.columns < MIN_COLUMNS || self.rows < MIN_ROWS => Layout::TooSmall,
            c if c < NORMAL_COLUMNS || self.people_hidden => Layout::Narrow,
            c if c < WIDE_COLUMNS => Layout::Normal,
            _ => Layout::Wide,
        }
    }

    /// Whether a pane is on the screen when `pane` has the keys and `main` fills the rest.
    pub fn shows(&self, which: Pane, pane: Pane, main: Pane) -> bool {
        match self.layout() {
            Layout::TooSmall => false,
            Layout::Narrow => which == pane,
            Layout::Normal | Layout::Wide => which == Pane::People || which == main,
        }
    }
}

/// What people chose in the config about behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Ring the bell for messages that are not in sight.
    pub bell: bool,
    /// Notify outside the screen (OSC 9 / 777).
    pub notify: bool,
    /// Show the beginning of messages in notifications.
    pub notify_text: bool,
    /// Put the unread count into the window title.
    pub title: bool,
    /// Tell others that I am typing.
    pub typing: bool,
    /// Windows locale id of the texts we write and prefer.
    pub lcid: u32,
    /// The composer has vi's keys.
    pub vi: bool,
    /// Names besides my own that count as a mention.
    pub mention: Vec<String>,
    /// Minutes before a meeting at which a card reminds of it.
    pub remind: Vec<u32>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            bell: true,
            notify: true,
            notify_text: true,
            title: true,
            typing: true,
            lcid: LCID_EN_US,
            vi: false,
            mention: Vec::new(),
            remind: vec![15, 5],
        }
    }
}

/// What the screen measured while drawing, for page keys and to keep what is selected in sight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Rows of the People list.
    pub people_rows: u16,
    /// First People row shown.
    pub people_top: usize,
    /// Rows of the transcript.
    pub transcript_rows: u16,
    /// The transcript position actually drawn (clamped, and moved so that the cursor is in sight).
    pub transcript_scroll: Option<Scroll>,
    /// The lower edge of the transcript window, also while the end is followed; `up` is negative when rows are free
    /// below the last message. Paging starts from here.
    pub transcript_bottom: Option<Scroll>,
    /// First message (partly) in sight.
    pub first_visible: Option<MessageId>,
    /// Rows of it are above the window.
    pub first_cut: bool,
    /// Last message (partly) in sight.
    pub last_visible: Option<MessageId>,
    /// The first row of the whole loaded transcript is in sight.
    pub at_top: bool,
    /// Rows of the agenda.
    pub meetings_rows: u16,
    /// First agenda row shown.
    pub meetings_top: usize,
    /// Rows of the wire list.
    pub wire_rows: u16,
    /// First wire row shown.
    pub wire_top: usize,
    /// Rows of the topmost overlay's list or text.
    pub overlay_rows: u16,
    /// How far the topmost overlay's text (help, card, opened wire record) can be scrolled.
    pub overlay_max: u16,
}
