//! Scheduled conferences (`domain.md` 2.5, 8).

use super::conversation::Role;
use super::series::Series;
use super::{Address, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A conference's name among those of its organizer: 8 to 32 ASCII letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConferenceId(pub String);

/// Who gets in directly (`domain.md` 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessLevel {
    /// Everybody of the own enterprise.
    SameEnterprise,
    /// Nobody but organizer and leaders.
    Locked,
    /// Those invited.
    Invited,
    /// Everyone, anonymous people too.
    Everyone,
}

/// Who becomes leader on entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AutomaticLeaders {
    /// 0
    Disabled,
    /// 32768
    SameEnterprise,
    /// 2147483648
    Everyone,
}

/// One invited person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitee {
    /// Who.
    pub uri: Address,
    /// Role on entry.
    pub role: Role,
}

/// What the organizer decides; the body of schedule and update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceSettings {
    /// Title.
    pub subject: String,
    /// Longer text.
    pub description: String,
    /// When it begins; `None` for an ad hoc conference. Kept in our private namespace inside `notification-data`.
    pub start: Option<Time>,
    /// When it ends.
    pub end: Option<Time>,
    /// Time zone the organizer meant (IANA name); empty: UTC.
    pub time_zone: String,
    /// After this the server may delete it (from now minus 1 year to now plus 10 years).
    pub expiry: Option<Time>,
    /// Who gets in directly.
    pub access: AccessLevel,
    /// Phone callers skip the lobby.
    pub lobby_bypass: bool,
    /// Who becomes leader.
    pub automatic_leaders: AutomaticLeaders,
    /// Announce entry and exit.
    pub announcements: bool,
    /// Needed by phone and anonymous joiners.
    pub passcode: Option<String>,
    /// Whether joiners may leave the passcode out.
    pub passcode_optional: bool,
    /// Phone access (only with [`AccessLevel::Everyone`] and a passcode).
    pub phone_access: bool,
    /// Invited people.
    pub participants: Vec<Invitee>,
    /// MCU types: `chat`, `audio-video`.
    pub mcus: Vec<String>,
    /// It repeats; `start` and `end` are those of the first time.
    #[serde(default)]
    pub series: Option<Series>,
    /// Data for the organizer's other programs; kept as it is.
    #[serde(default)]
    pub notification_data: String,
    /// Where the settings come from.
    #[serde(default)]
    pub template: Template,
}

/// Where a conference's settings come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Template {
    /// The organizer chooses all.
    #[default]
    OrganizerSupplied,
    /// The user's one permanent conference; most settings are the administrator's.
    AdministratorSupplied,
}

impl Default for ConferenceSettings {
    /// The defaults of `domain.md` 2.5.
    fn default() -> Self {
        ConferenceSettings {
            subject: String::new(),
            description: String::new(),
            start: None,
            end: None,
            time_zone: String::new(),
            expiry: None,
            access: AccessLevel::SameEnterprise,
            lobby_bypass: false,
            automatic_leaders: AutomaticLeaders::Disabled,
            announcements: false,
            passcode: None,
            passcode_optional: true,
            phone_access: false,
            participants: Vec::new(),
            mcus: vec!["chat".into()],
            series: None,
            notification_data: String::new(),
            template: Template::OrganizerSupplied,
        }
    }
}

/// A conference as the server keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conference {
    /// Its name.
    pub id: ConferenceId,
    /// Focus URI: `sip:organizer;gruu;opaque=app:conf:focus:id:ID`.
    pub uri: String,
    /// `https://host/organizer/id`; may be empty.
    pub join_url: String,
    /// Who scheduled it; only the organizer may change or cancel.
    pub organizer: Address,
    /// Server-kept number for conflict detection.
    pub version: u32,
    /// Last change.
    pub last_update: Option<Time>,
    /// Somebody is in it.
    pub is_active: bool,
    /// Digits to type when calling by phone; empty: none.
    #[serde(default)]
    pub phone_id: String,
    /// What those invited have answered, where answers come to the organizer; our own one in a meeting of somebody else.
    #[serde(default)]
    pub answers: BTreeMap<Address, Answer>,
    /// Everything else.
    pub settings: ConferenceSettings,
}

/// How far an invitation got with one person (RFC 5545 3.2.12, and what happens before anybody can answer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The invitation has not left yet.
    #[default]
    Unsent,
    /// It was delivered, or is kept for them.
    Waiting,
    /// Their program knows no calendars; they were told in words and cannot answer by it.
    Told,
    /// It did not arrive.
    Failed,
    /// They come.
    Accepted,
    /// They may come.
    Tentative,
    /// They do not come.
    Declined,
}

impl Answer {
    /// Value of PARTSTAT.
    pub fn participation(self) -> &'static str {
        match self {
            Answer::Accepted => "ACCEPTED",
            Answer::Tentative => "TENTATIVE",
            Answer::Declined => "DECLINED",
            _ => "NEEDS-ACTION",
        }
    }

    /// From PARTSTAT; any case. What is not known waits.
    pub fn of_participation(text: &str) -> Answer {
        let all = [Answer::Accepted, Answer::Tentative, Answer::Declined];
        all.into_iter().find(|a| a.participation().eq_ignore_ascii_case(text)).unwrap_or(Answer::Waiting)
    }

    /// Whether a person has said it.
    pub fn is_answer(self) -> bool {
        matches!(self, Answer::Accepted | Answer::Tentative | Answer::Declined)
    }

    /// "accepted", "not reached"
    pub fn words(self) -> &'static str {
        match self {
            Answer::Unsent => "not invited yet",
            Answer::Waiting => "no answer yet",
            Answer::Told => "told in words",
            Answer::Failed => "not reached",
            Answer::Accepted => "accepted",
            Answer::Tentative => "tentative",
            Answer::Declined => "declined",
        }
    }
}

/// What is new about a meeting that people keep among themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// Somebody invites us.
    Invited,
    /// Its organizer has changed it; `again`: so that we must be asked again.
    Changed {
        /// The time is another.
        again: bool,
    },
    /// Its organizer has called it off, or taken us out.
    Cancelled,
    /// Somebody has answered our invitation.
    Answered(Address),
    /// An invitation of ours got further, or not.
    Delivery(Address),
}

/// A word about a meeting that has not reached its receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// For whom.
    pub to: Address,
    /// Which meeting.
    pub meeting: ConferenceId,
    /// What it says.
    pub says: Says,
}

/// What a [`Letter`] says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Says {
    /// How a meeting of ours is when the letter leaves.
    Invitation,
    /// A meeting of ours is called off, or its receiver is not invited any more: the meeting as they know it.
    Cancelled(Box<Conference>),
    /// Our answer to an invitation.
    Answered(Answer),
}

/// What a server offers for conferences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// MCU types, `chat` among them.
    pub mcus: Vec<String>,
    /// Whether anonymous people can be let in.
    pub anonymous: bool,
    /// Numbers to call, with their regions; none: no phone access.
    #[serde(default)]
    pub phones: Vec<PhoneNumber>,
}

/// A number by which conferences can be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneNumber {
    /// Region, such as a town.
    pub region: String,
    /// The number.
    pub number: String,
}
