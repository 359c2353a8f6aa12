//! What lies over the panes: dialogs, questions, the toast.

use super::{Form, Thread};
use crate::app::Editor;
use crate::app::access::trial::Trial;
use crate::app::alerts::{Act, When, Whom};
use crate::domain::conference::{Answer, ConferenceId};
use crate::domain::contact::GroupId;
use crate::domain::conversation::{ConversationId, Priority};
use crate::domain::presence::{Level, Member, PublicationKey, UserStatus};
use crate::domain::privacy::Preference;
use crate::domain::{Address, Time};
use crate::endpoint::OperationId;
use crate::endpoint::event::DirectoryEntry;
use crate::endpoint::sight::Viewer;

/// A dialog; the topmost one has the keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// Go to anything.
    Palette(Palette),
    /// Keys and commands of a place.
    Help(Help),
    /// Yes or no, naming exactly what goes.
    Confirm(Confirm),
    /// One line of text.
    Prompt(Prompt),
    /// One of several.
    Picker(Picker),
    /// A contact's card.
    Card {
        /// Who.
        uri: Address,
        /// Rows scrolled.
        scroll: u16,
    },
    /// A form of its own, such as the editor of a publication.
    Form(FormDialog),
    /// What a change would do, before it is sent.
    DryRun(DryRun),
    /// The details of an error: SIP code, diagnostics.
    Details {
        /// Title.
        title: String,
        /// Raw lines.
        lines: Vec<String>,
        /// Rows scrolled.
        scroll: u16,
    },
}

/// A form over the panes.
#[derive(Clone, Debug, PartialEq)]
pub struct FormDialog {
    /// Title.
    pub title: String,
    /// What it is for.
    pub kind: FormKind,
    /// The fields.
    pub form: Form,
}

/// What a form over the panes is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// A publication; the one that is changed, if it exists already.
    Publication(Option<PublicationKey>),
    /// The own phones.
    Phones,
    /// Everything about one contact.
    Contact {
        /// Who.
        uri: Address,
        /// They are not on the list yet.
        adding: bool,
    },
}

/// Fuzzy search over people, conversations, meetings and commands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Palette {
    /// What is typed.
    pub query: Editor,
    /// Best first.
    pub rows: Vec<PaletteRow>,
    /// Selected row.
    pub at: usize,
}

/// One row of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct PaletteRow {
    /// Where it leads.
    pub target: PaletteTarget,
    /// What is shown, raw.
    pub label: String,
    /// Its key, or more about it, raw.
    pub detail: String,
    /// Why it cannot be done now.
    pub unavailable: Option<String>,
    /// Character positions in `label` that matched.
    pub matched: Vec<u32>,
}

/// Where a palette row leads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PaletteTarget {
    Person(Address),
    Tab(ConversationId),
    Meeting(ConferenceId),
    Command(&'static str),
}

/// The help screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Help {
    /// Sections: title, then rows of key and words; made from the live keymap.
    pub sections: Vec<(String, Vec<(String, String)>)>,
    /// Rows scrolled.
    pub scroll: u16,
    /// Words that rows have to contain.
    pub filter: Editor,
    /// The filter has the keys.
    pub filtering: bool,
}

impl Help {
    /// The sections with the rows whose keys and words together contain every word of the filter, in any case.
    pub fn shown(&self) -> Vec<(&str, Vec<&(String, String)>)> {
        let wanted: Vec<String> = self.filter.text().split_whitespace().map(str::to_lowercase).collect();
        let fits = |(keys, words): &(String, String)| {
            let row = format!("{keys} {words}").to_lowercase();
            wanted.iter().all(|w| row.contains(w))
        };
        let all = self.sections.iter().map(|(title, rows)| (title.as_str(), rows.iter().filter(|r| fits(r)).collect::<Vec<_>>()));
        all.filter(|(_, rows)| !rows.is_empty()).collect()
    }
}

/// A change on trial.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// What would be sent.
    pub trial: Trial,
    /// Label and words of each row; a row without words is a heading; raw.
    pub lines: Vec<(String, String)>,
    /// Rows scrolled.
    pub scroll: u16,
}

/// A confirmation.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// The question, naming what goes; raw.
    pub text: String,
    /// The word for yes ("Delete").
    pub yes: &'static str,
    /// What is done then.
    pub then: Deed,
}

/// What is done after a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Deed {
    DeleteContact(Address),
    DeleteGroup(GroupId),
    Block(Address),
    /// Delete these sources of my state; the words name them.
    Clear(Vec<PublicationKey>, String),
    Import,
    CancelConference(ConferenceId),
    ForgetMeeting(ConferenceId),
    LeaveForm,
    LeaveDialog,
    /// Delete what was written in a thread.
    DeleteHistory(Thread),
    Unpublish(PublicationKey),
    CloseTab(ConversationId),
    EndConference(ConversationId),
    Eject(ConversationId, Vec<Address>),
    Quit,
}

/// A one-line question.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What is asked for.
    pub ask: Ask,
    /// Title.
    pub title: String,
    /// One line of help under the line.
    pub hint: String,
    /// The line.
    pub line: Editor,
    /// Why the last answer was not taken.
    pub error: Option<String>,
    /// Directory rows ([`Ask::AddContact`], [`Ask::Invite`]).
    pub found: Vec<DirectoryEntry>,
    /// Selected row of `found`; `None`: the line itself is meant.
    pub at: Option<usize>,
    /// The search that is running.
    pub searching: Option<OperationId>,
    /// What `found` answers.
    pub searched: String,
}

/// What a prompt asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The password of the account; what is typed is not shown.
    Password,
    /// Whom to add, into which group.
    AddContact(Option<GroupId>),
    /// A contact's alias.
    Alias(Address),
    /// Name of a new group.
    NewGroup,
    /// New name of a group.
    RenameGroup(GroupId),
    /// Name and address of a distribution group.
    DistributionGroup,
    /// Which file to take contacts from.
    ImportContacts,
    /// Where to write the contact list.
    ExportContacts,
    /// Whom to invite.
    Invite(ConversationId),
    /// Whom the meeting shall call.
    CallIn(ConversationId),
    /// Address to write to.
    MessageTo,
    /// Whose eyes to look through.
    ViewAs,
    /// Who goes into a container.
    Member(u32),
    /// Which domain goes into a container.
    Domain(u32),
    /// The number of a container of one's own making.
    NewContainer,
    /// Who acts for me.
    Delegate,
    /// A link to join.
    Join,
    /// The passcode of a meeting, and its title.
    Passcode(crate::endpoint::JoinTarget, String),
    /// A calendar file to read.
    ReadInvitation,
    /// What to look for in all conversations.
    Search,
    /// The day to go to in a transcript.
    Day,
    /// The title of a conversation.
    Subject(ConversationId),
    /// Where to write the wire log.
    SaveWire,
    /// Where to write the calendar file of a meeting.
    SaveInvitation(ConferenceId),
    /// Where to write the calendar file that takes it back.
    SaveCancellation(ConferenceId),
}

impl Ask {
    /// Whether what is typed is searched in the directory.
    pub fn searches(&self) -> bool {
        matches!(self, Ask::AddContact(_) | Ask::Invite(_) | Ask::CallIn(_) | Ask::MessageTo | Ask::DistributionGroup)
    }
}

/// One of several.
#[derive(Clone, Debug, PartialEq)]
pub struct Picker {
    /// Title.
    pub title: String,
    /// Rows, raw: words and a remark.
    pub rows: Vec<(String, String)>,
    /// Selected row.
    pub at: usize,
    /// What each row does; as long as `rows`.
    pub choices: Vec<Choice>,
}

impl Picker {
    /// Whether its rows publish something, which can be tried first.
    pub fn tries(&self) -> bool {
        let publishes = |c: &Choice| {
            matches!(
                c,
                Choice::Status(_)
                    | Choice::CustomStatus(_)
                    | Choice::ResetStatus
                    | Choice::Level(..)
                    | Choice::Member(..)
                    | Choice::Privacy(_)
            )
        };
        self.choices.iter().any(publishes)
    }
}

/// What a picker's row does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Set the own status.
    Status(UserStatus),
    /// Set a status by its id.
    CustomStatus(String),
    /// Edit a publication.
    Publication(PublicationKey),
    /// Publish something new.
    NewPublication,
    /// Take the hand-set status back.
    ResetStatus,
    /// Answer an invitation that came as a calendar.
    AnswerMeeting(ConferenceId, Answer),
    /// Put a person on a level.
    Level(Address, Option<Level>),
    /// Move a person: from, to.
    Move(Address, GroupId, GroupId),
    /// Copy a person to a group.
    Copy(Address, GroupId),
    /// Change one time of a series, named by its beginning as the rule gives it.
    EditOne(ConferenceId, Time),
    /// Change a whole series.
    EditSeries(ConferenceId),
    /// Cancel one time of a series.
    CancelOne(ConferenceId, Time),
    /// Cancel a whole series.
    CancelSeries(ConferenceId),
    /// Join the meeting whose invitation was read.
    JoinInvitation,
    /// Keep it in the agenda.
    KeepInvitation,
    /// Schedule one like it.
    ScheduleInvitation,
    /// Take it out of the agenda: it was cancelled.
    ForgetInvitation,
    /// Who gets into the present meeting.
    Access(crate::domain::conference::AccessLevel),
    /// Choose what is done when somebody does this.
    AlertWhen(Whom, When),
    /// Make an alert; true: it fires once.
    AlertAct(Whom, When, Act, bool),
    /// Take an alert back.
    CancelAlert(u64),
    /// Open a link.
    Open(String),
    /// Write to a person.
    Write(Address),
    /// Show what these eyes see of me.
    ViewAs(Viewer),
    /// Ask for an address to look from.
    AskViewer,
    /// Ask which person goes into a container.
    AskMember(u32),
    /// Ask which domain goes into a container.
    AskDomain(u32),
    /// Put a member into a container.
    Member(u32, Member),
    /// Choose privacy mode.
    Privacy(Preference),
    /// Answer a new watcher: acknowledged at a level ([`None`]: as it is), and on my list too or not.
    Watcher {
        /// Who.
        uri: Address,
        /// At this level.
        level: Option<Level>,
        /// Also a contact of mine.
        add: bool,
    },
    /// Go to a message found in the history: thread key and time.
    GoTo(String, Time),
}

/// Something that waits for an answer; never steals keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub kind: QuestionKind,
    /// Alt-l was pressed: not shown until asked for.
    pub postponed: bool,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// Somebody invites us.
    Invitation {
        /// Into this.
        conversation: ConversationId,
        /// Who.
        from: Address,
        /// First words; raw, may be empty.
        toast: String,
        /// Title; raw, may be empty.
        subject: String,
        /// A conference.
        conference: bool,
        /// It is accepted by itself then.
        auto_accept: Option<Time>,
        /// How much it matters to them.
        priority: Priority,
    },
    /// Somebody offers a file.
    File {
        /// The file; its texts are raw.
        transfer: Box<crate::domain::file::Transfer>,
    },
    /// A meeting begins soon.
    Reminder {
        /// Which of its times.
        slot: super::meetings::Slot,
    },
    /// Somebody invites us by a calendar.
    Meeting {
        /// To this, which is in the agenda.
        id: ConferenceId,
        /// Its time is another than the one we answered.
        changed: bool,
    },
    /// Somebody added us.
    Watcher {
        /// Who.
        uri: Address,
        /// Name; raw, may be empty.
        name: String,
    },
}

/// Tone of a toast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToastKind {
    /// It worked.
    Info,
    /// It did not.
    Error,
}

/// One line over the hint line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Tone.
    pub kind: ToastKind,
    /// Words; raw names inside.
    pub text: String,
    /// It goes then.
    pub until: Time,
    /// What undoing asks the endpoint.
    pub undo: Vec<crate::endpoint::Operation>,
    /// SIP code and diagnostics, one key away.
    pub detail: Vec<String>,
}
