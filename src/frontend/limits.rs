//! Limits of the front end: sizes, counts, timers.

use std::time::Duration;

/// Active endpoints of one owner (`domain.md` 2.1).
pub const ENDPOINTS_PER_OWNER: usize = 8;
/// Seconds of a registration granted by default.
pub const REGISTRATION_EXPIRES: u32 = 7200;
/// Shortest registration granted.
pub const REGISTRATION_MIN_EXPIRES: u32 = 60;
/// Seconds of a subscription granted by default.
pub const SUBSCRIPTION_EXPIRES: u32 = 28_800;
/// Shortest subscription granted.
pub const SUBSCRIPTION_MIN_EXPIRES: u32 = 60;
/// Seconds after which a client sends CRLFCRLF (`ms-keep-alive`).
pub const KEEP_ALIVE: u32 = 300;
/// A flow without any octet for this long is closed.
pub const FLOW_IDLE: Duration = Duration::from_secs(2 * KEEP_ALIVE as u64 + 30);
/// A flow nobody has signed in on is closed after this.
pub const FLOW_UNREGISTERED: Duration = Duration::from_secs(60);
/// A half-open security association ends after this (lync.md 3.3).
pub const HALF_OPEN: Duration = Duration::from_secs(30);
/// Security associations end after this (lync.md 3.11).
pub const SA_LIFETIME: Duration = Duration::from_secs(8 * 3600);
/// Messages of an association that is over are still taken for so long, while its successor is made.
pub const SA_GRACE: Duration = Duration::from_secs(3600);
/// Signed-in endpoints on one flow.
pub const ENDPOINTS_PER_FLOW: usize = 16;
/// Refused requests on one flow before it is closed.
pub const FAULTS_PER_FLOW: u32 = 50;
/// Contacts of one owner (`domain.md` 6, rule 16).
pub const CONTACTS: usize = 250;
/// Groups of one owner.
pub const GROUPS: usize = 64;
/// Octets of a contact's or group's name.
pub const NAME: usize = 256;
/// Octets of `externalURI`.
pub const EXTERNAL_URI: usize = 1024;
/// Octets of a contact extension.
pub const CONTACT_EXTENSION: usize = 1024;
/// Publications in one request.
pub const PUBLICATIONS_PER_REQUEST: usize = 100;
/// Publications of one owner.
pub const PUBLICATIONS: usize = 500;
/// Octets of one publication's value.
pub const PUBLICATION_VALUE: usize = 32 * 1024;
/// Containers of one owner.
pub const CONTAINERS: usize = 100;
/// Members of one container.
pub const MEMBERS: usize = 1000;
/// Watched categories of one presentity (`domain.md` 5.10).
pub const CATEGORY_SUBSCRIPTIONS: usize = 1000;
/// Entries in the list of subscribers of one owner (`domain.md` 5.10).
pub const PROMPTED_SUBSCRIBERS: usize = 200;
/// Resources of one batch request.
pub const BATCH_RESOURCES: usize = 1000;
/// Subscription dialogs of one endpoint.
pub const SUBSCRIPTIONS_PER_ENDPOINT: usize = 300;
/// Rows of one directory search.
pub const SEARCH_ROWS: usize = 100;
/// Entries of the note history (`domain.md` 5.5).
pub const NOTE_HISTORY: usize = 3;
/// A note published sooner than this after the last replaces the newest history entry.
pub const NOTE_HISTORY_MERGE: Duration = Duration::from_secs(30);
/// Dialogs with other users that one endpoint may have open.
pub const DIALOGS_PER_ENDPOINT: usize = 2000;
/// How long a dialog waits for an endpoint that lost its connection (lync-conversations.md 1.8).
pub const DIALOG_ORPHAN: Duration = Duration::from_secs(60);
