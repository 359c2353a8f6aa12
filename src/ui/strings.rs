//! Sentences that more than one place of the screen uses.

/// The terminal is too small.
pub const TOO_SMALL: &str = "adsum needs 40×10; make the window larger";
/// The contact list is not here.
pub const PEOPLE_WAITING: [&str; 2] = ["Your contacts have", "not arrived yet."];
/// The contact list is empty.
pub const PEOPLE_EMPTY: [&str; 3] = ["Nobody here yet.", "a  add a person", "n  new group"];
/// The account is an application's: the People pane.
pub const PEOPLE_APPLICATION: [&str; 4] =
    ["An application has no", "contacts: nobody keeps", "a list for it.", "Ctrl-K  conversations"];
/// The account is an application's: the Me pane.
pub const ME_APPLICATION: [&str; 2] = [
    "This account is an application's (kind = \"application\"). It is known by its certificate and publishes no presence, \
     so there is no status, note or access level to set here.",
    "Conversations and meetings work as usual.",
];
/// Somebody without an account: the people's list.
pub const PEOPLE_GUEST: [&str; 3] = ["You are a guest here:", "nobody keeps a list", "for you."];
/// Somebody without an account: the Me pane.
pub const ME_GUEST: [&str; 2] = [
    "You are here as a guest, without an account. A guest takes part in the meeting and has no presence, \
     so there is no status, note or access level to set here.",
    "Ctrl-Q leaves.",
];
/// The filter lets nobody through.
pub const PEOPLE_FILTERED: [&str; 2] = ["Nobody matches.", "Esc  show all"];
/// No tab is open.
pub const NO_CONVERSATION: [&str; 3] =
    ["No conversation is open.", "Choose a person (Alt-1) and press Enter,", "or press Ctrl-K and type a name."];
/// A tab without messages.
pub const NO_MESSAGES: &str = "No messages yet. Write the first one below.";
/// No meeting.
pub const NO_MEETINGS: [&str; 2] = ["No meetings are planned.", "Press n to schedule one."];
/// The server keeps no meetings, and none is kept here.
pub const MEETINGS_HERE: [&str; 3] = [
    "n  schedule a meeting and invite people to it",
    "o  read an invitation from a calendar file",
    "/limits  what this server cannot do",
];
/// Meetings not here.
pub const MEETINGS_WAITING: &str = "Meetings have not arrived yet.";
/// No traffic.
pub const NO_WIRE: [&str; 2] = ["No SIP message has gone over the wire yet.", "They appear here as they come and go."];
/// The composer is empty.
pub const WRITE_HERE: &str = "Write a message";
/// The composer is empty and nothing can be sent.
pub const WRITE_OFFLINE: &str = "Write a message; it is sent when the link is back";
