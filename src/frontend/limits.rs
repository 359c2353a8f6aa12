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
/// Distribution groups on one owner's list (`domain.md` 6, rule 13).
pub const DISTRIBUTION_GROUPS: usize = 10;
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
/// Delegates of one owner.
pub const DELEGATES: usize = 25;
/// Members of one container.
pub const MEMBERS: usize = 1000;
/// Watched categories of one presentity (`domain.md` 5.10).
pub const CATEGORY_SUBSCRIPTIONS: usize = 1000;
/// The most an administrator may grant, and what a service has.
pub const MAX_CATEGORY_SUBSCRIPTIONS: usize = 3000;
/// Entries in the list of subscribers of one owner (`domain.md` 5.10).
pub const PROMPTED_SUBSCRIBERS: usize = 200;
/// The most an administrator may grant; a service has none.
pub const MAX_PROMPTED_SUBSCRIBERS: usize = 500;
/// Resources of one batch request.
pub const BATCH_RESOURCES: usize = 1000;
/// Subscription dialogs of one endpoint.
pub const SUBSCRIPTIONS_PER_ENDPOINT: usize = 300;
/// Rows of one directory search.
pub const SEARCH_ROWS: usize = 100;
/// Dialogs with other users that one endpoint may have open.
pub const DIALOGS_PER_ENDPOINT: usize = 2000;
/// How long a dialog waits for an endpoint that lost its connection (lync-conversations.md 1.8).
pub const DIALOG_ORPHAN: Duration = Duration::from_secs(60);
/// Messages kept for one person who is not signed in.
pub const KEPT_PER_USER: usize = 200;
/// Octets of a message that is kept.
pub const KEPT_BYTES: usize = 64 * 1024;
/// A kept message nobody came for is dropped after this.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// Scheduled conferences of one organizer.
pub const CONFERENCES_PER_ORGANIZER: usize = 1000;
/// Invited people of one conference.
pub const CONFERENCE_INVITEES: usize = 250;
/// People in a running conference, those in the lobby included.
pub const CONFERENCE_SIZE: usize = 500;
/// People without an account at the same time, in all conferences.
pub const GUESTS: usize = 1000;
/// Devices of one person in a conference.
pub const CONFERENCE_SEATS: usize = 8;
/// Characters of a title.
pub const CONFERENCE_SUBJECT: usize = 250;
/// Octets of a description.
pub const CONFERENCE_DESCRIPTION: usize = 8 * 1024;
/// Digits of a conference's number for callers.
pub const PHONE_ID_DIGITS: u32 = 6;
/// Numbers that may be taken before a longer one is tried.
pub const PHONE_ID_TRIES: u32 = 50;
/// Octets of a passcode.
pub const CONFERENCE_PASSCODE: usize = 64;
/// How far back an expiry may lie (`domain.md` 2.5).
pub const CONFERENCE_EXPIRY_PAST: Duration = Duration::from_secs(366 * 86_400);
/// How far ahead an expiry may lie.
pub const CONFERENCE_EXPIRY_AHEAD: Duration = Duration::from_secs(3653 * 86_400);
/// A conference with a planned end stays this long after it (lync-conversations.md 3.3).
pub const CONFERENCE_AFTER_END: Duration = Duration::from_secs(14 * 86_400);
/// A conference without any time stays this long after its last change.
pub const CONFERENCE_AD_HOC: Duration = Duration::from_secs(86_400);
/// An empty conference becomes inactive after this (lync-conversations.md 9).
pub const CONFERENCE_IDLE: Duration = Duration::from_secs(60);
/// How long a conference that ran when the front end stopped waits for its people.
pub const CONFERENCE_RESUME: Duration = Duration::from_secs(15 * 60);
/// Longest wait in a lobby (`domain.md` 8.2).
pub const LOBBY_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long the IM MCU lets somebody's devices ring; shorter than the minute in which whoever asked wants to hear.
pub const DIAL_OUT_WAIT: Duration = Duration::from_secs(45);
/// Time receivers have to answer a message of the IM MCU (lync-conversations.md 4.6).
pub const MESSAGE_PATIENCE: Duration = Duration::from_secs(60);
/// Seconds of a conference subscription.
pub const CONFERENCE_SUBSCRIPTION: u32 = 3600;
/// Seconds of the session timer of a focus dialog.
pub const FOCUS_SESSION: u32 = 1800;
/// How late a refresh of that session may be.
pub const FOCUS_SESSION_GRACE: Duration = Duration::from_secs(60);
/// A conference ends so long after its last colleague has left the others alone (`domain.md` 8.3).
pub const CONFERENCE_COUNTDOWN: Duration = Duration::from_secs(10 * 60);
/// People a leader may invite from inside.
pub const CONFERENCE_INVITED_INSIDE: usize = 500;
/// Messages of a conference that are known when they come again.
pub const CONFERENCE_NAMED_MESSAGES: usize = 500;
