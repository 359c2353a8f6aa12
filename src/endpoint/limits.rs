//! Limits and times of this room, in one place.

use std::time::Duration;

/// Digits of a conference's number for callers.
pub const PHONE_ID_MAX: usize = 12;
/// Back-off between sign-in attempts after a lost link (`lync.md` 13.1); the last one repeats.
pub const BACK_OFF: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(60)];
/// A front end that failed is not tried for so long while there is another (`domain.md` 4.2).
pub const DEAD_SERVER_REST: Duration = Duration::from_secs(600);
/// Waits of an application endpoint before it tries the next front end; the last one repeats (`domain.md` 4.2).
pub const APPLICATION_BACK_OFF: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
    Duration::from_secs(60),
];
/// How often an application endpoint asks its front end whether it is still there.
pub const APPLICATION_PROBE: Duration = Duration::from_secs(120);
/// Front ends of one pool.
pub const MAX_SERVERS: usize = 32;
/// Largest addition of chance to a back-off, in parts of a hundred.
pub const BACK_OFF_JITTER_PERCENT: u64 = 20;
/// A registration is refreshed this long before it ends.
pub const REFRESH_BEFORE: Duration = Duration::from_secs(30);
/// A registration shorter than this is refreshed at half its time.
pub const SHORT_REGISTRATION: Duration = Duration::from_secs(60);
/// Life of a security association (`lync.md` 3.11): 8 h less the safety margin.
pub const ASSOCIATION_LIFE: Duration = Duration::from_secs(8 * 3600 - 5 * 60);
/// Redirects followed in one sign-in.
pub const MAX_REDIRECTS: u32 = 5;
/// Keep-alive before the server has said a number (`lync.md` 1.3).
pub const FIRST_KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a sign-out waits for the answer.
pub const SIGN_OUT_WAIT: Duration = Duration::from_secs(3);
/// How long a connection may take (the link reports failure; this guards against one that never does).
pub const CONNECT_WAIT: Duration = Duration::from_secs(30);
/// A subscription longer than this is renewed [`RENEW_BEFORE`] its end, a shorter one at its end (`lync.md` 4).
pub const LONG_SUBSCRIPTION: Duration = Duration::from_secs(240);
/// See [`LONG_SUBSCRIPTION`].
pub const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// How long an accepted write waits for its notification before the whole list is fetched.
pub const SETTLE_WAIT: Duration = Duration::from_secs(5);
/// Wait before a refused or ended subscription is tried again (`domain.md` 3.9, 3.10).
pub const RESUBSCRIBE_WAIT: Duration = Duration::from_secs(10);
/// Wait when the server names a longer trouble.
pub const RESUBSCRIBE_SLOW: Duration = Duration::from_secs(60);
/// Automatic publication is tried again after this (`domain.md` 3.11).
pub const PUBLISH_RETRY: Duration = Duration::from_secs(15 * 60);
/// Refusals of one publication after which a conflict is reported (`domain.md` 5.6 rule 2).
pub const MAX_CONFLICTS: u32 = 3;
/// People in one batch subscription (`lync.md` 8.4).
pub const BATCH_SIZE: usize = 100;
/// Shortest time between two questions of a polling view.
pub const MIN_POLLING_INTERVAL: Duration = Duration::from_secs(10);
/// Requests to the servers of single people and other pools that may be under way at once.
pub const MAX_ELSEWHERE: usize = 10;
/// Views of one endpoint.
pub const MAX_VIEWS: usize = 64;
/// People of one query.
pub const MAX_QUERIED: usize = 500;
/// Categories of one view or query.
pub const MAX_CATEGORIES: usize = 50;
/// Octets of a notification that are kept to know its like again.
pub const MAX_REMEMBERED: usize = 64 * 1024;
/// Operations that may wait in one service.
pub const MAX_QUEUED: usize = 256;
/// Rows asked of the directory.
pub const DIRECTORY_ROWS: u32 = 100;
/// Octets of one wire record kept for the Wire pane.
pub const MAX_TRACE_BYTES: usize = 64 * 1024;
/// Octets of one incoming message.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Publications of ours accepted from the server.
pub const MAX_PUBLICATIONS: usize = 2_000;
/// Contacts accepted from the server.
pub const MAX_CONTACTS: usize = 10_000;
/// Groups accepted from the server.
pub const MAX_GROUPS: usize = 1_000;
/// Busy and Do Not Disturb by hand last this long (`domain.md` 9).
pub const TIMED_STATUS_SECS: u32 = 24 * 3600;

/// Largest number of a container (`domain.md` 2.6).
pub const MAX_CONTAINER: u32 = 32_767;
/// Entries of the note history (`domain.md` 5.5).
pub const NOTE_HISTORY: usize = 3;
/// A note published sooner than this after the last replaces the newest entry of the history.
pub const NOTE_HISTORY_MERGE: Duration = Duration::from_secs(30);
/// Quieting of a lively device (`domain.md` 5.3): so many active states …
pub const LIVELY_STATES: usize = 3;
/// … in so long a time.
pub const LIVELY_WINDOW: Duration = Duration::from_secs(3 * 60);

// Conversations and conferences (`domain.md` 7, 8, 9; `lync-conversations.md` 1.4, 9).

/// Octets of UTF-8 in one MESSAGE; longer texts leave in parts.
pub const MAX_PART_BYTES: usize = 8_000;
/// How often a part refused as too long is halved.
pub const MAX_SPLITS: u8 = 3;
/// Octets of text in the toast of an INVITE.
pub const MAX_TOAST_BYTES: usize = 1_024;
/// Octets of an incoming text that are kept.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Messages that may wait in one conversation.
pub const MAX_WAITING_MESSAGES: usize = 200;
/// An unanswered MESSAGE has failed.
pub const MESSAGE_WAIT: Duration = Duration::from_secs(60);
/// The IM MCU's report is not waited for any longer.
pub const REPORT_WAIT: Duration = Duration::from_secs(5 * 60);
/// An unanswered INVITE is cancelled.
pub const INVITE_WAIT: Duration = Duration::from_secs(120);
/// An incoming invitation nobody answers is over.
pub const RING_WAIT: Duration = Duration::from_secs(60);
/// The most active endpoint accepts by itself.
pub const IM_AUTO_ACCEPT: Duration = Duration::from_secs(10);
/// The same where no endpoint was used just now: a little later, so that one in use comes first.
pub const IM_AUTO_ACCEPT_UNUSED: Duration = Duration::from_secs(12);
/// A conference invitation is accepted by itself.
pub const CONFERENCE_AUTO_ACCEPT: Duration = Duration::from_secs(15);
/// An accepted INVITE without ACK is given up (64*T1, RFC 3261 §13.3.1.4).
pub const ACK_WAIT: Duration = Duration::from_secs(32);
/// Own typing is told again while it goes on.
pub const TYPING_REFRESH: Duration = Duration::from_secs(5);
/// Own typing ends without a key.
pub const TYPING_LOCAL_END: Duration = Duration::from_secs(3);
/// The other side's typing ends without a notice.
pub const TYPING_REMOTE_END: Duration = Duration::from_secs(6);
/// People shown typing at once.
pub const MAX_TYPING: usize = 32;
/// Conversations kept; ended ones go first.
pub const MAX_CONVERSATIONS: usize = 500;
/// Further dialogs of one conversation (crossing or replaced ones) that may still bring messages.
pub const MAX_SPARE_DIALOGS: usize = 3;
/// Longest conversation id taken from the network.
pub const MAX_CONVERSATION_ID: usize = 128;
/// Longest name or subject taken from the network, in characters.
pub const MAX_NAME: usize = 256;
/// Longest title we give a conversation, in characters (`lync-conversations.md` 1.4).
pub const MAX_SUBJECT: usize = 250;
/// Waits between attempts to reach the other side of a broken route (`domain.md` 7.4); the last one repeats.
pub const RECOVERY_WAIT: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
    Duration::from_secs(60),
];
/// Messages with the server whose arrival is still reported to us.
pub const MAX_KEPT: usize = 500;
/// An unanswered word on a context channel has failed.
pub const CONTEXT_WAIT: Duration = Duration::from_secs(32);
/// Participants of a conference that are shown.
pub const MAX_PARTICIPANTS: usize = 1_000;
/// The dialog of an invitation into a conference is freed by the invited side.
pub const INVITATION_FREE: Duration = Duration::from_secs(30);
/// Invitation dialogs held at once.
pub const MAX_INVITATIONS: usize = 64;
/// A factory or focus answer is not waited for any longer.
pub const COMMAND_WAIT: Duration = Duration::from_secs(60);
/// Commands of one conference that may be pending; servers refuse more (`domain.md` 9).
pub const MAX_COMMANDS: usize = 20;
/// Session timer asked of a focus, in seconds (`lync-conversations.md` 9).
pub const FOCUS_SESSION: u64 = 1800;
/// Names of received messages kept to recognise one that comes twice, in conferences.
pub const MAX_SEEN: usize = 2_000;
/// Invitations into one conference whose outcome is remembered.
pub const MAX_ASKED: usize = 100;
/// The wait before a lost chat dialog of a conference is invited again.
pub const CHAT_RETRY: Duration = Duration::from_secs(2);
/// Attempts to bring the chat of a conference up.
pub const MAX_CHAT_TRIES: u32 = 3;
/// Somebody was to be brought in or taken out, and the server says nothing of it for so long (`simple.md` 6.5).
pub const REFER_WAIT: Duration = Duration::from_secs(32);
/// A roster that has not come by then is not waited for.
pub const ROSTER_WAIT: Duration = Duration::from_secs(5);
/// Waits before a join is tried again when the conference's server is not available.
pub const JOIN_RETRY: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];
/// A goodbye nobody answers.
pub const GOODBYE_WAIT: Duration = Duration::from_secs(5);
/// Conferences of one list that are fetched.
pub const MAX_CONFERENCES: usize = 500;
/// An endpoint used this recently takes itself for the most active one (`lync-conversations.md` 1.7).
pub const ACTIVE_WITHIN: Duration = Duration::from_secs(60);
/// A chat dialog that stood this long may be brought up anew as often as the first one.
pub const CHAT_STABLE: Duration = Duration::from_secs(60);
/// The wait before a lost conference subscription is made again.
pub const ROSTER_RETRY: Duration = Duration::from_secs(5);
/// Changes of members in one request.
pub const MAX_MEMBER_CHANGES: usize = 200;
/// Seconds a subscription to a standard server is asked for (`simple.md` 4.1).
pub const EVENT_EXPIRES: u32 = 3600;
/// A first notification is waited for so long (RFC 6665, Timer N).
pub const EVENT_NOTIFY_WAIT: Duration = Duration::from_secs(32);
/// A subscription that ended is asked for again after so long; doubled with each failure.
pub const EVENT_AGAIN: Duration = Duration::from_secs(30);
/// Longest wait before a subscription is asked for again.
pub const EVENT_AGAIN_MOST: Duration = Duration::from_secs(3600);
/// Somebody who refuses is asked again, quietly, after a day.
pub const EVENT_REJECTED_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// Somebody who is not reachable is asked again after so long.
pub const EVENT_UNREACHABLE_AGAIN: Duration = Duration::from_secs(300);
/// First subscriptions to single people leave one by one, so far apart (servers ban bursts; `simple.md` 1.11).
pub const EVENT_PACE: Duration = Duration::from_millis(200);
/// Changes of one's own presence are collected for so long.
pub const PUBLISH_SETTLE: Duration = Duration::from_millis(500);
/// Two publications are at least so far apart (`simple.md` 4.3).
pub const PUBLISH_PACE: Duration = Duration::from_secs(3);
/// Seconds a publication is asked to last (`simple.md` 4.5): what a program that died leaves behind hides the next one no longer.
pub const PUBLISH_EXPIRES: u32 = 600;
/// Waits before a message that a server could not take just now is sent again (`simple.md` 3.1).
pub const MESSAGE_AGAIN: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];
/// The same message that comes twice within this time is shown once.
pub const MESSAGE_REMEMBERED: Duration = Duration::from_secs(600);
/// Messages remembered to find those that come twice.
pub const MESSAGES_REMEMBERED: usize = 1_000;
/// People of whom it is remembered what their programs take.
pub const HABITS_REMEMBERED: usize = 2 * MAX_CONVERSATIONS;
/// A format that somebody does not take is not tried again for so long.
pub const FORMAT_REFUSED: Duration = Duration::from_secs(24 * 3600);
/// Typing is told again after so long (RFC 3994: at least 60 s).
pub const COMPOSING_REFRESH: Duration = Duration::from_secs(90);
/// Without a key for so long nobody types any more (RFC 3994).
pub const COMPOSING_IDLE: Duration = Duration::from_secs(15);
/// A message that is known by name is sent again within this time after it left first; later nobody would expect it.
pub const AGAIN_WITHIN: Duration = Duration::from_secs(5 * 60);
/// A request leaves with new credentials so often (`simple.md` 1.9).
pub const MAX_CHALLENGES: u32 = 3;
/// Documents on an XCAP server are looked at so often, as most servers tell nobody of changes (`simple.md` 4.8).
pub const XCAP_AGAIN: Duration = Duration::from_secs(15 * 60);
/// A longer document that is not answered was perhaps too long for the server (`simple.md` 4.8).
pub const XCAP_CAREFUL_OCTETS: usize = 900;
/// Somebody of whom a list says nothing for so long is offline (`simple.md` 4.7).
pub const LIST_SILENCE: Duration = Duration::from_secs(15);

/// How long the DNS may take to name the servers of a domain.
pub const LOCATE_WAIT: Duration = Duration::from_secs(15);

/// Without a word of the server: how often a link to a standard server is kept alive (RFC 5626 4.4.1; some cut idle
/// connections after a minute, some routers forget datagrams after half of one).
pub const STREAM_KEEP_ALIVE: Duration = Duration::from_secs(50);
/// The same for datagrams.
pub const DATAGRAM_KEEP_ALIVE: Duration = Duration::from_secs(25);

/// How long an answer to a keep-alive may take (RFC 5626 4.4.1).
pub const PONG_WAIT: Duration = Duration::from_secs(10);

/// The longest wait that a server may ask for with `Retry-After`.
pub const RETRY_AFTER_MOST: Duration = Duration::from_secs(300);

/// Requests above this leave over a stream (RFC 3261 18.1.1).
pub const DATAGRAM_MOST: usize = 1300;
/// Where there is no stream, requests up to this leave as datagrams all the same.
pub const DATAGRAM_LIMIT: usize = 8_000;

/// How long a question for somebody's presence may take on a standard server.
pub const QUERY_WAIT: Duration = Duration::from_secs(5);
/// Meetings of ours, and of others, that are kept on this computer.
pub const MAX_MEETINGS: usize = 500;
/// How long a meeting that is over is kept here.
pub const MEETING_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Octets of a calendar that somebody sends.
pub const CALENDAR_OCTETS: usize = 64 * 1024;
/// Octets of a place in such a calendar.
pub const CALENDAR_LINK: usize = 1024;

/// Repeated calls of one person are told once in this time.
pub const CALL_TOLD_AGAIN: Duration = Duration::from_secs(30);
/// Callers that are told of in that time.
pub const MAX_CALLERS: usize = 50;

/// A relay for sessions that is not there is asked for again after so long.
pub const RELAY_AGAIN: Duration = Duration::from_secs(600);
/// How long a relay may take to answer `AUTH`; a SIP server that is none says nothing at all, perhaps.
pub const RELAY_WAIT: Duration = Duration::from_secs(8);
/// Seconds a path of a relay lasts that says nothing about it.
pub const RELAY_EXPIRES: u64 = 900;
/// A connection for sessions that nobody uses is closed after so long.
pub const RELAY_IDLE: Duration = Duration::from_secs(60);
/// Sessions at once.
pub const MAX_TALKS: usize = 64;
/// How long the other side may take to come into a session for messages; then they go another way.
pub const TALK_WAIT: Duration = Duration::from_secs(15);
/// How long somebody may take to answer the offer of a file; servers end such requests after two or three minutes.
pub const OFFER_WAIT: Duration = Duration::from_secs(170);
/// A session for messages that carries none ends after so long.
pub const TALK_IDLE: Duration = Duration::from_secs(600);
/// A transfer in which nothing moves is given up after so long.
pub const FILE_PAUSE: Duration = Duration::from_secs(90);
/// A session in which all is said is ended by the receiver after so long, if the sender does not.
pub const TALK_LINGER: Duration = Duration::from_secs(10);
/// A quiet session is touched so often, so that its connection stays open (`simple.md` 3.5).
pub const TALK_TOUCH: Duration = Duration::from_secs(50);
/// Somebody whose program takes no sessions is not asked for one again for so long …
pub const SESSIONS_REFUSED: Duration = Duration::from_secs(24 * 3600);
/// … and not for so long where it was for another reason.
pub const SESSIONS_FAILED: Duration = Duration::from_secs(120);
/// Octets of a text that no longer goes as a single request: the request around it takes about half of [`DATAGRAM_MOST`].
pub const PAGE_TEXT: usize = 700;
/// Words about meetings that are kept until they have arrived; more are only sent.
pub const MAX_LETTERS: usize = 1_000;
/// Parts of a text that goes in no session; a longer one is not sent.
pub const MAX_TEXT_PARTS: usize = 40;
/// One part after the other, at most so fast: servers take a burst of requests for an attack (`simple.md` 1.11).
pub const PART_PACE: Duration = Duration::from_millis(200);
/// Octets left free in a request with a part for the credentials that a server may want.
pub const PART_CREDENTIALS: usize = 400;
/// Octets of a part, also where addresses are so long that the request becomes larger.
pub const PART_LEAST: usize = 100;
/// The largest file that is taken or sent.
pub const MAX_FILE: u64 = 8 * 1024 * 1024 * 1024;
/// Transfers that are remembered; finished ones go first.
pub const MAX_TRANSFERS: usize = 100;
/// Offers of files by one person that may wait for an answer.
pub const MAX_OFFERS: usize = 8;
