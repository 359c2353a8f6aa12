//! What one may ask of an endpoint, in the words of the domain.

use crate::domain::access::Change;
use crate::domain::calendar::{CalendarNow, WorkingHours};
use crate::domain::conference::{Answer, ConferenceId, ConferenceSettings};
use crate::domain::contact::{AddOptions, GroupId};
use crate::domain::conversation::{ConversationId, MeetingChange, MessageId, Priority, Role};
use crate::domain::file::TransferId;
use crate::domain::presence::{
    GrammarValue, Level, MachineState, Note, Phone, PhoneCall, PhoneLine, Publication, PublicationKey, UserStatus,
};
use crate::domain::privacy::Preference;
use crate::domain::watching::{ViewId, ViewOptions};
use crate::domain::{Address, Time};
use serde::{Deserialize, Serialize};

/// Names one operation; its [`super::Event::Completed`] carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId(pub u64);

/// Where to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinTarget {
    /// A focus URI (`sip:…;gruu;opaque=app:conf:focus:id:…`), `conf:`, or `https://host/organizer/id`.
    Link(String),
    /// Organizer and conference id.
    Conference(Address, ConferenceId),
}

/// One request to an endpoint. Every operation ends with exactly one [`super::Event::Completed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Connect and register.
    SignIn,
    /// End everything and deregister.
    SignOut,
    /// Take no new work, finish what runs, then end (application endpoints; `domain.md` 3.1). Completes at the end.
    Drain,
    /// Speak as somebody else in a conversation that nothing has been done in yet (application endpoints).
    Impersonate {
        /// Its name, chosen by the caller; the conversation begins with this.
        conversation: ConversationId,
        /// As whom.
        uri: Address,
        /// Name that others see; may be empty.
        #[serde(default)]
        name: String,
        /// Phone of that identity as a `tel:` URI; empty: none.
        #[serde(default)]
        phone: String,
    },

    /// Fetch the full list again.
    RefreshContacts,
    /// Put a person on the list (and subscribe to their presence).
    AddContact {
        /// Who.
        uri: Address,
        /// Alias; empty: none.
        name: String,
        /// Groups; empty: Other Contacts.
        groups: Vec<GroupId>,
        /// What else is wished.
        options: AddOptions,
    },
    /// Change the alias.
    RenameContact {
        /// Who.
        uri: Address,
        /// New alias; empty: none.
        name: String,
    },
    /// Copy, move, or take out: joins some groups and leaves others, whatever else was changed meanwhile (`domain.md` 6
    /// rule 10).
    Regroup {
        /// Who.
        uri: Address,
        /// Groups they come into.
        join: Vec<GroupId>,
        /// Groups they leave.
        leave: Vec<GroupId>,
    },
    /// Tag or untag: the other XML of the contact is kept (`domain.md` 6 rule 14).
    TagContact {
        /// Who.
        uri: Address,
        /// Tagged or not.
        tagged: bool,
    },
    /// Subscribe to a contact's presence, or leave it.
    SetContactPresence {
        /// Who.
        uri: Address,
        /// Wanted or not.
        wanted: bool,
    },
    /// Replace the free data of a contact.
    SetContactData {
        /// Who.
        uri: Address,
        /// `externalURI`.
        data: String,
        /// `contactExtension` as XML; `None`: none.
        extension: Option<String>,
    },
    /// Replace the set of groups (import; people's own changes are [`Operation::Regroup`]).
    SetContactGroups {
        /// Who.
        uri: Address,
        /// The complete new set.
        groups: Vec<GroupId>,
    },
    /// Take a person off the list.
    DeleteContact {
        /// Who.
        uri: Address,
    },
    /// New group; completes with [`super::Outcome::Group`].
    AddGroup {
        /// Name.
        name: String,
    },
    /// Put a distribution group on the list; completes with [`super::Outcome::Group`].
    AddDistributionGroup {
        /// Name on the list.
        name: String,
        /// Its mail address.
        address: Address,
    },
    /// Read the members of a distribution group, one level; completes with [`super::Outcome::Found`].
    ExpandGroup {
        /// Its mail address.
        address: Address,
    },
    /// Rename a group.
    RenameGroup {
        /// Which.
        id: GroupId,
        /// New name.
        name: String,
    },
    /// Delete a group; its contacts stay.
    DeleteGroup {
        /// Which.
        id: GroupId,
    },
    /// Search the server's directory; completes with [`super::Outcome::Found`].
    SearchDirectory {
        /// Name, or the beginning of an address.
        query: String,
    },

    /// Set the own status by hand.
    SetStatus {
        /// What.
        status: UserStatus,
        /// Own words for the activity; empty: none.
        activity: String,
        /// Until when; `None`: Busy and Do Not Disturb last 24 h, others until changed.
        until: Option<Time>,
    },
    /// Set the own status by hand to one of [`super::user::Config::custom_statuses`]; an unknown id is not found.
    SetCustomStatus {
        /// Its id.
        id: String,
        /// Until when; `None` as with [`Operation::SetStatus`].
        until: Option<Time>,
    },
    /// Take the hand-set status back.
    ResetStatus,
    /// Personal note; `None` clears it.
    SetNote {
        /// The note.
        note: Option<Note>,
    },
    /// Where this device is; empty clears it.
    SetLocation {
        /// office, home, mobile or free text.
        location: String,
    },
    /// What this device does.
    SetMachineState {
        /// Active, idle or away.
        state: MachineState,
    },
    /// A phone is in a call, or no longer.
    SetPhoneState {
        /// Which phone.
        line: PhoneLine,
        /// What it does; `None`: nothing any more.
        call: Option<PhoneCall>,
    },
    /// What the calendar says now: meeting, out of office, free-busy time. Repeated with every change.
    SetCalendar {
        /// All of it.
        calendar: Box<CalendarNow>,
    },
    /// When the user works; `None` takes it back.
    SetWorkingHours {
        /// The hours.
        hours: Option<WorkingHours>,
    },
    /// Publish category and value only; containers and instances follow the grammar (`domain.md` 5.6, rule 6).
    PublishValues {
        /// One after another, all or nothing.
        values: Vec<GrammarValue>,
    },
    /// Own phones of the contact card (instance 1).
    SetPhones {
        /// All of them.
        phones: Vec<Phone>,
    },
    /// Publish anything, everything given (grammar-free). Versions are filled in and conflicts retried by the endpoint.
    Publish {
        /// Instances; `version`, `publish_time` and `endpoint_id` are ignored.
        publications: Vec<Publication>,
    },
    /// Delete publications.
    Unpublish {
        /// Which.
        keys: Vec<PublicationKey>,
    },
    /// Put one person on a level ([`None`]: back to what their network gets).
    SetLevel {
        /// Who.
        uri: Address,
        /// The level.
        level: Option<Level>,
    },
    /// Put members into containers and take them out; containers of one's own making come into being so.
    ChangeMembers {
        /// In order.
        changes: Vec<Change>,
    },
    /// Let people act for the owner, or no longer.
    SetDelegates {
        /// Who comes.
        add: Vec<Address>,
        /// Who goes.
        remove: Vec<Address>,
    },
    /// Choose privacy mode; the containers follow.
    SetPrivacyMode {
        /// The wish.
        preference: Preference,
    },
    /// Work out what the server would hold after these operations, without asking it; completes with
    /// [`super::Outcome::Preview`]. Only operations on the own presence can be tried so.
    Preview {
        /// In order.
        operations: Vec<Operation>,
    },
    /// Answer a new watcher.
    AcknowledgeSubscriber {
        /// Who.
        uri: Address,
    },
    /// Make a view of other people's presence, or change how it asks. Only a polling view chooses its categories.
    OpenView {
        /// Which.
        view: ViewId,
        /// How it asks.
        options: ViewOptions,
    },
    /// End a view with everybody in it.
    CloseView {
        /// Which.
        view: ViewId,
    },
    /// Put people into a view (counted by reference); one that was not opened asks as [`ViewOptions::default`] says.
    Watch {
        /// Which view.
        view: ViewId,
        /// Who.
        uris: Vec<Address>,
    },
    /// End one [`Operation::Watch`].
    Unwatch {
        /// Which view.
        view: ViewId,
        /// Who.
        uris: Vec<Address>,
    },
    /// Ask for presence once; completes with [`super::Outcome::Presence`].
    QueryPresence {
        /// Whose.
        uris: Vec<Address>,
        /// What of it; empty: the default categories.
        categories: Vec<String>,
    },

    /// Open a two-party conversation (no invitation leaves before the first message).
    StartConversation {
        /// Its name, chosen by the caller.
        id: ConversationId,
        /// The other person.
        with: Address,
        /// Title; may be empty.
        #[serde(default)]
        subject: String,
    },
    /// Send a text; it queues until the conversation is up. Delivery comes as [`super::Event::MessageState`].
    SendMessage {
        /// Where.
        conversation: ConversationId,
        /// Its name.
        message: MessageId,
        /// Plain text.
        text: String,
    },
    /// Send a text to one person of a conference, so that the others do not get it; only where
    /// [`crate::domain::conversation::MeetingState::private_messages`] says so. Delivery as with [`Operation::SendMessage`].
    SendPrivately {
        /// Where.
        conversation: ConversationId,
        /// Who alone gets it.
        to: Address,
        /// Its name.
        message: MessageId,
        /// Plain text.
        text: String,
    },
    /// Offer a file to the other person of a two-party conversation; completes when the offer has left. How it goes on comes
    /// as [`super::Event::Transfer`].
    SendFile {
        /// Where.
        conversation: ConversationId,
        /// Its name.
        transfer: TransferId,
        /// The file on this machine.
        path: String,
    },
    /// Take an offered file.
    AcceptFile {
        /// Which.
        transfer: TransferId,
    },
    /// Decline an offered file, take an own offer back, or break a transfer off.
    EndFile {
        /// Which.
        transfer: TransferId,
    },
    /// The user is typing (call with every key; the endpoint limits the notices).
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Typing, or stopped.
        active: bool,
    },
    /// Accept an invitation.
    Accept {
        /// Which.
        conversation: ConversationId,
    },
    /// Decline an invitation.
    Decline {
        /// Which.
        conversation: ConversationId,
    },
    /// Invite one more person; a two-party conversation becomes a conference (`domain.md` 7.3).
    Invite {
        /// Where.
        conversation: ConversationId,
        /// Who.
        uri: Address,
    },
    /// Have the IM MCU of a conference call somebody who does not come by an invitation (`domain.md` 8.4).
    CallIn {
        /// Where.
        conversation: ConversationId,
        /// Whom.
        uri: Address,
    },
    /// Take a name of one's own in a chat room; an empty one gives it back (RFC 7701).
    SetNickname {
        /// Where.
        conversation: ConversationId,
        /// The name.
        name: String,
    },
    /// Change the title; the other side is told where the conversation stands.
    SetSubject {
        /// Where.
        conversation: ConversationId,
        /// The new title.
        subject: String,
    },
    /// Change how much it matters; said with the next invitation that leaves.
    SetPriority {
        /// Where.
        conversation: ConversationId,
        /// How much.
        priority: Priority,
    },
    /// Open a context channel (`domain.md` 3.8); completes when the other side took it.
    OpenContext {
        /// Where.
        conversation: ConversationId,
        /// Name of the application; at most 50 characters.
        application: String,
        /// One line for a person; at most 80 characters, may be empty.
        toast: String,
        /// First data, well-formed XML, at most 4 KB in base64; may be empty.
        data: String,
    },
    /// Send data on the context channel; completes when the other side has it.
    SendContext {
        /// Where.
        conversation: ConversationId,
        /// The data.
        data: String,
    },
    /// End the context channel.
    CloseContext {
        /// Where.
        conversation: ConversationId,
    },
    /// Leave or end the conversation.
    EndConversation {
        /// Which.
        conversation: ConversationId,
    },

    /// Ask what the server can do; completes with [`super::Outcome::Capabilities`].
    ConferenceCapabilities,
    /// Schedule; completes with [`super::Outcome::Conference`].
    ScheduleConference {
        /// Settings.
        settings: ConferenceSettings,
    },
    /// Replace the settings; completes with [`super::Outcome::Conference`].
    UpdateConference {
        /// Which (own).
        id: ConferenceId,
        /// New settings.
        settings: ConferenceSettings,
    },
    /// Delete; an active one ends.
    CancelConference {
        /// Which (own).
        id: ConferenceId,
    },
    /// Fetch one; completes with [`super::Outcome::Conference`].
    GetConference {
        /// Which (own).
        id: ConferenceId,
    },
    /// Answer an invitation that came as a calendar; completes when the organizer's program has the answer.
    AnswerMeeting {
        /// Which (of somebody else).
        id: ConferenceId,
        /// Accepted, tentative or declined.
        answer: Answer,
    },
    /// Forget a meeting of somebody else; its organizer is not told.
    ForgetMeeting {
        /// Which.
        id: ConferenceId,
    },
    /// Fetch all own ones whole (list, then get); completes with [`super::Outcome::Conferences`].
    ListConferences,
    /// Join; completes when the roster is here (or in the lobby).
    JoinConference {
        /// Name for the conversation.
        id: ConversationId,
        /// Where.
        target: JoinTarget,
        /// The passcode, for conferences that want one; a join without it fails with
        /// [`super::ErrorKind::AuthenticationFailed`].
        passcode: Option<String>,
    },
    /// Look up a conference by its number for callers; ends with [`super::Outcome::Conference`] that says what others may
    /// know (`domain.md` 8.6, uri_by_phone_id).
    FindConference {
        /// Digits.
        phone_id: String,
    },
    /// Ask whether a passcode, or none, would do to join a conference (`domain.md` 8.6, verify_passcode and
    /// passcode_is_optional); fails with [`super::ErrorKind::AuthenticationFailed`] when not.
    VerifyPasscode {
        /// Which.
        target: JoinTarget,
        /// The passcode.
        passcode: Option<String>,
    },
    /// Schedule an ad hoc conference, join it and invite people.
    MeetNow {
        /// Name for the conversation.
        id: ConversationId,
        /// Title; may be empty.
        #[serde(default)]
        subject: String,
        /// Whom to invite.
        invite: Vec<Address>,
    },
    /// Lock or unlock (leader).
    LockConference {
        /// Which.
        conversation: ConversationId,
        /// Locked.
        locked: bool,
    },
    /// Throw somebody out (leader).
    Eject {
        /// Which.
        conversation: ConversationId,
        /// Who.
        uri: Address,
    },
    /// Promote or demote (leader).
    SetRole {
        /// Which.
        conversation: ConversationId,
        /// Who.
        uri: Address,
        /// New role.
        role: Role,
    },
    /// Let people in from the lobby, or not (leader).
    Admit {
        /// Which.
        conversation: ConversationId,
        /// Who; at least one.
        uris: Vec<Address>,
        /// Let in, or deny.
        admit: bool,
    },
    /// Mute somebody (leader; oneself: everybody) or unmute.
    Mute {
        /// Which.
        conversation: ConversationId,
        /// Who; may be oneself.
        uri: Address,
        /// Muted.
        muted: bool,
    },
    /// Change the running conference (leader; to say that one records: everybody).
    ChangeConference {
        /// Which.
        conversation: ConversationId,
        /// What.
        change: MeetingChange,
    },
    /// End the conference for everyone (leader).
    EndConference {
        /// Which.
        conversation: ConversationId,
    },
}

impl Operation {
    /// Whether it is about files.
    pub fn is_about_files(&self) -> bool {
        matches!(self, Operation::SendFile { .. } | Operation::AcceptFile { .. } | Operation::EndFile { .. })
    }
}
