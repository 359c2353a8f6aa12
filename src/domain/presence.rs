//! Presence: availability, activity, notes, cards, publications, containers (`domain.md` 2.6 and 5).

use super::access::SourceNetwork;
use super::calendar::{FreeBusy, WorkingHours};
use super::{Address, Time};
use serde::{Deserialize, Serialize};

/// Windows locale id of texts whose language is not known: American English.
pub const LCID_EN_US: u32 = 1033;

/// The availability number; smaller means more available (`domain.md` 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Availability(pub u32);

/// The ranges of `domain.md` 5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AvailabilityClass {
    /// 0-2999
    Unknown,
    /// 3000-4499
    Available,
    /// 4500-5999
    AvailableIdle,
    /// 6000-7499
    Busy,
    /// 7500-8999
    BusyIdle,
    /// 9000-11999
    DoNotDisturb,
    /// 12000-14999
    BeRightBack,
    /// 15000-17999
    Away,
    /// 18000 and up
    Offline,
}

impl Availability {
    /// 3500
    pub const AVAILABLE: Availability = Availability(3500);
    /// 5000
    pub const IDLE: Availability = Availability(5000);
    /// 6500
    pub const BUSY: Availability = Availability(6500);
    /// 6900, what Workgroup sees of Do Not Disturb
    pub const URGENT_ONLY: Availability = Availability(6900);
    /// 8000
    pub const BUSY_IDLE: Availability = Availability(8000);
    /// 9500
    pub const DO_NOT_DISTURB: Availability = Availability(9500);
    /// 12500
    pub const BE_RIGHT_BACK: Availability = Availability(12500);
    /// 15500
    pub const AWAY: Availability = Availability(15500);
    /// 18500
    pub const OFFLINE: Availability = Availability(18500);

    /// The range the number lies in.
    pub fn class(self) -> AvailabilityClass {
        match self.0 {
            0..=2999 => AvailabilityClass::Unknown,
            3000..=4499 => AvailabilityClass::Available,
            4500..=5999 => AvailabilityClass::AvailableIdle,
            6000..=7499 => AvailabilityClass::Busy,
            7500..=8999 => AvailabilityClass::BusyIdle,
            9000..=11999 => AvailabilityClass::DoNotDisturb,
            12000..=14999 => AvailabilityClass::BeRightBack,
            15000..=17999 => AvailabilityClass::Away,
            _ => AvailabilityClass::Offline,
        }
    }
}

impl AvailabilityClass {
    /// Default text of the range.
    pub fn text(self) -> &'static str {
        match self {
            AvailabilityClass::Unknown => "Presence unknown",
            AvailabilityClass::Available => "Available",
            AvailabilityClass::AvailableIdle => "Inactive",
            AvailabilityClass::Busy | AvailabilityClass::BusyIdle => "Busy",
            AvailabilityClass::DoNotDisturb => "Do not disturb",
            AvailabilityClass::BeRightBack => "Be right back",
            AvailabilityClass::Away => "Away",
            AvailabilityClass::Offline => "Offline",
        }
    }
}

/// An activity: a token and/or texts, valid within limits (`domain.md` 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Activity {
    /// Case-sensitive token such as `in-a-meeting`.
    pub token: Option<String>,
    /// Own texts: (Windows locale id, text).
    pub custom: Vec<(u32, String)>,
    /// Lowest availability it goes with; 0 by default.
    pub min: u32,
    /// Highest availability it goes with; `u32::MAX` by default.
    pub max: u32,
}

impl Activity {
    /// A token with the usual limits of `domain.md` 5.2.
    pub fn token(token: &str) -> Activity {
        let (min, max) = match token {
            "on-the-phone" | "in-a-meeting" => (6500, 8999),
            "in-a-conference" => (7000, 8999),
            "urgent-interruptions-only" => (6900, 8999),
            "out-of-office" => (12000, u32::MAX),
            "off-work" => (15000, 17999),
            "in-presentation" => (9000, 11999),
            _ => (0, u32::MAX),
        };
        Activity { token: Some(token.into()), custom: Vec::new(), min, max }
    }

    /// Whether it may be shown with this availability.
    pub fn fits(&self, a: Availability) -> bool {
        (self.min..=self.max).contains(&a.0)
    }

    /// The words for a viewer of locale `lcid`: the token's text, else the given text in that language.
    pub fn text(&self, lcid: u32) -> Option<&str> {
        let known = match self.token.as_deref() {
            Some("on-the-phone") => Some("In a call"),
            Some("in-a-conference") => Some("In a conference"),
            Some("in-a-meeting") => Some("In a meeting"),
            Some("out-of-office") => Some("Out of office"),
            Some("urgent-interruptions-only") => Some("Urgent interruptions only"),
            Some("off-work") => Some("Off work"),
            Some("in-presentation") => Some("Presenting"),
            _ => None,
        };
        known.or_else(|| super::locale::choose(&self.custom, lcid))
    }
}

/// A personal or out-of-office note.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Note {
    /// The words.
    pub text: String,
    /// `true`: out of office (`type="OOF"`); `false`: personal.
    pub out_of_office: bool,
    /// Valid from.
    pub start: Option<Time>,
    /// Valid until.
    pub end: Option<Time>,
}

/// A phone number of a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Phone {
    /// work, home, mobile, other, custom1
    pub kind: String,
    /// `tel:` URI.
    pub uri: String,
    /// As shown.
    pub display: String,
}

/// A postal address of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PostalAddress {
    /// work, home, other
    pub kind: String,
    /// Street and number; like all fields it may be empty.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub zip: String,
    /// Country, usually its code.
    pub country: String,
}

/// A link of a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CardLink {
    /// sharepoint, voicemail, photo, other
    pub kind: String,
    /// Where it leads.
    pub uri: String,
}

/// The contact card, all instances merged (`domain.md` 5.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Display name.
    pub display_name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Office.
    pub office: Option<String>,
    /// Phones.
    pub phones: Vec<Phone>,
    /// Postal addresses.
    #[serde(default)]
    pub addresses: Vec<PostalAddress>,
    /// Links, voice mail and photo among them.
    #[serde(default)]
    pub links: Vec<CardLink>,
    /// person, huntgroup, autoattendant, automaton; `None`: not told.
    #[serde(default)]
    pub entity: Option<String>,
    /// A bot.
    pub automaton: bool,
}

/// How good our knowledge of somebody's presence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Freshness {
    /// Nothing arrived yet.
    Unknown,
    /// Was true until the link went.
    Stale {
        /// Since when it may be wrong.
        since: Time,
    },
    /// Arrived over the wire.
    Known {
        /// When.
        at: Time,
    },
}

/// One person's presence as a watcher sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The number; `None`: not told.
    pub availability: Option<Availability>,
    /// The activity.
    pub activity: Option<Activity>,
    /// Since when this state holds (publish time).
    pub since: Option<Time>,
    /// Last activity, with idle and away states.
    pub last_active: Option<Time>,
    /// Where.
    pub location: Option<String>,
    /// computer, mobile, deskphone, web
    pub device: Option<String>,
    /// Title of the meeting they are in.
    pub meeting_subject: Option<String>,
    /// Place of the meeting.
    pub meeting_location: Option<String>,
    /// Personal note.
    pub note: Option<Note>,
    /// Out-of-office note.
    pub oof_note: Option<Note>,
    /// Card.
    pub card: Card,
    /// Capabilities named by their tokens (text, voice, …) that some device renders.
    pub capabilities: Vec<String>,
    /// How available their best device for instant messages is; `None`: not told.
    #[serde(default)]
    pub im: Option<Availability>,
    /// Minutes their clock is behind UTC (west positive); `None`: not told.
    #[serde(default)]
    pub time_zone_bias: Option<i32>,
    /// When they are free, as their calendar says.
    #[serde(default)]
    pub free_busy: Option<FreeBusy>,
    /// When they work.
    #[serde(default)]
    pub working_hours: Option<WorkingHours>,
    /// How good this knowledge is.
    pub freshness: Freshness,
}

impl Default for Presence {
    fn default() -> Self {
        Presence {
            availability: None,
            activity: None,
            since: None,
            last_active: None,
            location: None,
            device: None,
            meeting_subject: None,
            meeting_location: None,
            note: None,
            oof_note: None,
            card: Card::default(),
            capabilities: Vec::new(),
            im: None,
            time_zone_bias: None,
            free_busy: None,
            working_hours: None,
            freshness: Freshness::Unknown,
        }
    }
}

impl Presence {
    /// What is said behind the state (`domain.md` 5.2): how the person can, or cannot, be reached.
    pub fn suffix(&self) -> Option<&'static str> {
        let class = self.availability.map_or(AvailabilityClass::Unknown, Availability::class);
        if matches!(class, AvailabilityClass::Offline | AvailabilityClass::Unknown) {
            return None;
        }
        if self.im.is_some_and(|im| im.class() == AvailabilityClass::Offline) {
            let here = matches!(class, AvailabilityClass::Available | AvailabilityClass::AvailableIdle);
            return Some(if here { "Voice Only" } else { "No IM" });
        }
        self.device.as_deref().filter(|d| d.eq_ignore_ascii_case("mobile")).map(|_| "Mobile")
    }
}

/// When a publication ends by itself (`domain.md` 5.6, rule 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expiry {
    /// With the publishing endpoint.
    Endpoint,
    /// Never.
    Static,
    /// When the owner's last endpoint signs out.
    User,
    /// After so many seconds.
    Time(u32),
}

/// Names one publication of a user (`domain.md` 2.6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicationKey {
    /// Registered category name.
    pub category: String,
    /// Which of the category.
    pub instance: u32,
    /// Which container.
    pub container: u32,
}

/// One published category instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Its name.
    pub key: PublicationKey,
    /// Kept by the server; 0 means it does not exist yet.
    pub version: u32,
    /// When it ends.
    pub expiry: Expiry,
    /// Set by the server.
    pub publish_time: Option<Time>,
    /// The endpoint (instance UUID) it is bound to, for [`Expiry::Endpoint`].
    pub endpoint_id: Option<String>,
    /// Well-formed XML or empty.
    pub value: String,
}

/// Relationship levels (`domain.md` 5.8); the numbers are the container ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// 0
    Everyone,
    /// 100
    External,
    /// 200
    Colleagues,
    /// 300
    Workgroup,
    /// 400
    Personal,
    /// 32000
    Blocked,
}

/// Whom a container names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Member {
    /// One person.
    User(Address),
    /// A domain.
    Domain(String),
    /// Everybody of the own enterprise.
    SameEnterprise,
    /// Federated partners.
    Federated,
    /// Public cloud.
    PublicCloud,
    /// Everyone.
    Everyone,
}

/// A numbered access-control list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// 0 to 32767.
    pub id: u32,
    /// Kept by the server.
    pub version: u32,
    /// Members.
    pub members: Vec<Member>,
}

/// Somebody who watches the owner (`domain.md` 5.10, prompt).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Who.
    pub uri: Address,
    /// Name.
    pub display_name: String,
    /// Whether the owner has answered.
    pub acknowledged: bool,
    /// Where they come from, if the server says so.
    #[serde(default)]
    pub network: Option<SourceNetwork>,
    /// Since when they watch, if the server says so.
    #[serde(default)]
    pub since: Option<Time>,
    /// What they said when they added the owner; may be empty.
    #[serde(default)]
    pub words: String,
}

impl Subscriber {
    /// Somebody who has just begun and waits for an answer.
    pub fn new(uri: Address, display_name: impl Into<String>) -> Subscriber {
        Subscriber {
            uri,
            display_name: display_name.into(),
            acknowledged: false,
            network: None,
            since: None,
            words: String::new(),
        }
    }
}

/// Who may act for the owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegates {
    /// Kept by the server.
    pub version: u32,
    /// Who.
    pub members: Vec<Address>,
}

/// What a person may set by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UserStatus {
    /// 3500
    Available,
    /// 6500
    Busy,
    /// 9500; 6900 in container 3
    DoNotDisturb,
    /// 12500
    BeRightBack,
    /// 15500
    Away,
    /// 15500 with the activity `off-work`
    OffWork,
    /// 18500
    AppearOffline,
}

impl UserStatus {
    /// The number that is published for it, and the activity token beside it (`domain.md` 5.6).
    pub fn state(self) -> (Availability, Option<&'static str>) {
        match self {
            UserStatus::Available => (Availability::AVAILABLE, None),
            UserStatus::Busy => (Availability::BUSY, None),
            UserStatus::DoNotDisturb => (Availability::DO_NOT_DISTURB, None),
            UserStatus::BeRightBack => (Availability::BE_RIGHT_BACK, None),
            UserStatus::Away => (Availability::AWAY, None),
            UserStatus::OffWork => (Availability::AWAY, Some("off-work")),
            UserStatus::AppearOffline => (Availability::OFFLINE, None),
        }
    }
}

/// A status of the administrator's or the user's own making (`domain.md` 5.6): published by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomStatus {
    /// Its name.
    pub id: String,
    /// Available, Busy or Do Not Disturb.
    pub status: UserStatus,
    /// Texts: (Windows locale id, text).
    pub texts: Vec<(u32, String)>,
}

impl CustomStatus {
    /// The words for a viewer of locale `lcid`, else the first.
    pub fn text(&self, lcid: u32) -> &str {
        self.texts.iter().find(|t| t.0 == lcid).or(self.texts.first()).map_or(&self.id, |t| &t.1)
    }
}

/// Whose call a phone state speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PhoneLine {
    /// A voice call of this endpoint.
    Voip,
    /// A gateway call of this endpoint, by its URI.
    Gateway(String),
    /// A desk phone, by its `tel:` URI.
    Desk(String),
}

/// What a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PhoneCall {
    /// 6500, `on-the-phone`
    Call,
    /// 7000, `in-a-conference`
    Conference,
}

/// Something to publish by the grammar: category and value (`domain.md` 5.6, rule 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrammarValue {
    /// Category name.
    pub category: String,
    /// Only for the contact card; others are supplied.
    pub instance: Option<u32>,
    /// Well-formed XML.
    pub value: String,
}

/// What a device says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MachineState {
    /// 3500
    Active,
    /// 5000, after 5 minutes
    Idle,
    /// 15500, after 10 minutes
    Away,
}

/// The owner's own presence: everything the server keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfPresence {
    /// All publications.
    pub publications: Vec<Publication>,
    /// All containers.
    pub containers: Vec<Container>,
    /// Watchers, acknowledged or not.
    pub subscribers: Vec<Subscriber>,
    /// Who may act for the owner.
    #[serde(default)]
    pub delegates: Delegates,
}
