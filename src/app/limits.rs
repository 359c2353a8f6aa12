//! Limits of the application layer.

use std::time::Duration;

/// Messages kept in memory for one tab that is read at its end; older ones are fetched again when scrolled to.
pub const TAB_MESSAGES: usize = 12_000;
/// Messages fetched from the store in one go.
pub const HISTORY_PAGE: usize = 200;
/// Messages kept in memory for a tab in which somebody looks back.
pub const LOOKED_BACK: usize = 60_000;
/// Messages fetched in one go on the way to an older one.
pub const GO_TO_PAGE: usize = 500;
/// Entries of one recording; then it is written and ends.
pub const RECORDED: usize = 100_000;
/// Wire records kept for the Wire pane.
pub const WIRE_RECORDS: usize = 2_000;
/// Octets of all wire records together; the oldest go first.
pub const WIRE_BYTES: usize = 1024 * 1024;
/// Octets kept of one wire record.
pub const WIRE_RECORD_BYTES: usize = 64 * 1024;
/// Characters of one composer.
pub const COMPOSER_CHARS: usize = 8_000;
/// Characters of one form field.
pub const FIELD_CHARS: usize = 2_000;
/// Characters of a publication's value; the server takes 32 KiB.
pub const VALUE_CHARS: usize = 32 * 1024;
/// Lines recalled with the arrow-up key, per tab.
pub const RECALL: usize = 100;
/// Undo steps of one editor.
pub const UNDO_STEPS: usize = 100;
/// Rows the palette shows at most.
pub const PALETTE_ROWS: usize = 50;
/// Questions (invitations, new watchers) waiting at the same time; the oldest falls away.
pub const QUESTIONS: usize = 50;
/// Missed conversations that are listed.
pub const MISSED: usize = 100;
/// Own messages whose recipients are remembered one by one.
pub const RECIPIENTS: usize = 500;
/// Open conversation tabs.
pub const TABS: usize = 200;
/// How long a toast stays.
pub const TOAST: Duration = Duration::from_secs(6);
/// Typing pauses so long before the directory is asked.
pub const SEARCH_PAUSE: Duration = Duration::from_millis(250);
/// The directory is asked from so many characters on.
pub const SEARCH_CHARS: usize = 2;
/// Deeds that can be taken back.
pub const UNDO: usize = 20;
/// How long a toast that offers an undo stays.
pub const TOAST_UNDO: Duration = Duration::from_secs(12);
/// Smallest usable screen.
pub const MIN_COLUMNS: u16 = 40;
/// Smallest usable screen.
pub const MIN_ROWS: u16 = 10;
/// From this width on two panes stand side by side.
pub const NORMAL_COLUMNS: u16 = 80;
/// From this width on a third column may open.
pub const WIDE_COLUMNS: u16 = 120;
/// Own typing is told to the endpoint at most this often (it has its own, longer rhythm: `domain.md` 7.1).
pub const TYPING_RESEND: Duration = Duration::from_secs(1);
/// A draft is kept in the store after this pause.
pub const DRAFT_PAUSE: Duration = Duration::from_secs(1);
/// Characters of a notification's text.
pub const NOTIFY_CHARS: usize = 200;
/// Newest entries of a tab among which a repeated message is looked for.
pub const REPEATED: usize = 500;
/// Without a key for so long this device says that it is idle (`domain.md` 5.3).
pub const IDLE_AFTER: Duration = Duration::from_secs(5 * 60);
/// Without a key for so long this device says that its user is away.
pub const AWAY_AFTER: Duration = Duration::from_secs(10 * 60);
/// Alerts that may wait.
pub const ALERTS: usize = 200;
/// How long somebody must stay available for a quiet alert.
pub const QUIET_MINUTES: Duration = Duration::from_secs(120);
/// An alert takes the keys from nobody who has touched one this recently.
pub const CHAT_NOT_WHILE_TYPING: Duration = Duration::from_secs(10);

/// Names of people who are on no list, kept from rosters.
pub const NAMES: usize = 5000;
/// A question that took another's place by itself is not answered by a key pressed sooner than this.
pub const NEW_QUESTION: Duration = Duration::from_secs(1);
