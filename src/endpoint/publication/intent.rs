//! What is to be published, as requests: the grammar of `domain.md` 5.3 and 5.6, built from what the server has now.

use super::grammar;
use crate::domain::calendar::CalendarNow;
use crate::domain::presence::{
    Activity, Availability, Card, Expiry, Level, MachineState, Member, Phone, PhoneCall, PhoneLine, Publication, PublicationKey,
    SelfPresence, UserStatus,
};
use crate::domain::privacy::wants_private;
use crate::domain::{Address, Time, instances};
use crate::endpoint::limits::{MAX_CONTAINER, MAX_PUBLICATIONS, TIMED_STATUS_SECS};
use crate::endpoint::service::Identity;
use crate::endpoint::{Error, ErrorKind, Operation};
use crate::lync::categories::card;
use crate::lync::categories::device::{Capability, Device};
use crate::lync::categories::own_data::{OwnPhone, UserInformation};
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::categories::value::Value;
use crate::lync::containers::{
    ContainerChange, MEMBERS_TYPE, MemberChange, SUBSCRIBERS_TYPE, SetContainerMembers, SetSubscribers,
};
use crate::lync::delegates::{self, SetDelegates};
use crate::lync::publish::{self, PublishItem, PublishRequest};
use std::collections::BTreeMap;

/// Where sources of one's state go.
pub(super) const SOURCES: [u32; 2] = [2, 3];
/// Where a note is seen, and where an empty one hides it (`domain.md` 5.6 rule 7).
pub(super) const NOTE_SHOWN: [u32; 3] = [200, 300, 400];
pub(super) const NOTE_HIDDEN: [u32; 2] = [100, 32_000];
/// Longest note and location in octets.
const MAX_TEXT: usize = 4096;

/// Something to publish. It is built anew for every try.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Intent {
    /// Device and machine state at sign-in.
    Automatic,
    /// What a new account lacks (`domain.md` 5.6 rule 8).
    BootstrapMembers,
    /// See [`Intent::BootstrapMembers`].
    BootstrapBlocked,
    /// Machine state alone.
    Machine,
    /// A person left the contact list.
    Forget(Address),
    /// What the manifest wants changed (`domain.md` 5.8).
    Manifest,
    /// Somebody's wish.
    Operation(Box<Operation>),
}

/// What intents are made from.
pub(super) struct Ground<'a> {
    pub me: &'a Identity,
    pub now: Time,
    pub known: &'a SelfPresence,
    pub machine: MachineState,
    pub location: &'a str,
    /// Phones in a call.
    pub phones: &'a BTreeMap<PhoneLine, PhoneCall>,
    /// What the calendar said last.
    pub calendar: Option<&'a CalendarNow>,
    /// Versions the server named in a refusal; they are newer than those of `known`.
    pub publication_versions: &'a BTreeMap<PublicationKey, u32>,
    /// Likewise of containers.
    pub container_versions: &'a BTreeMap<u32, u32>,
    /// Likewise of the delegates.
    pub delegates_version: Option<u32>,
    /// The contact list.
    pub contacts: &'a [Address],
    /// The administrator's word on privacy mode.
    pub administrator: Option<bool>,
}

/// A request and what it touches.
#[derive(Debug, PartialEq)]
pub(super) enum Built {
    Publish(Vec<PublishItem>),
    Members(Vec<ContainerChange>),
    Acknowledge(Address),
    Delegates(SetDelegates),
}

impl Built {
    pub fn content_type(&self) -> &'static str {
        match self {
            Built::Publish(_) => publish::CONTENT_TYPE,
            Built::Members(_) => MEMBERS_TYPE,
            Built::Acknowledge(_) => SUBSCRIBERS_TYPE,
            Built::Delegates(_) => delegates::CONTENT_TYPE,
        }
    }

    pub fn to_bytes(&self, owner: &Address) -> Vec<u8> {
        match self {
            Built::Publish(items) => PublishRequest { owner: owner.clone(), items: items.clone() }.to_bytes(),
            Built::Members(containers) => SetContainerMembers { containers: containers.clone() }.to_bytes(),
            Built::Acknowledge(who) => SetSubscribers::acknowledge(who).to_bytes(),
            Built::Delegates(set) => set.to_bytes(),
        }
    }
}

/// The request for an intent; `None` when everything is as wanted.
pub(super) fn build(intent: &Intent, ground: &Ground<'_>) -> Result<Option<Built>, Error> {
    let built = match intent {
        Intent::Automatic => Built::Publish(ground.automatic()),
        Intent::Machine => Built::Publish(ground.machine()),
        Intent::BootstrapMembers => Built::Members(ground.missing_members()),
        Intent::BootstrapBlocked => Built::Publish(ground.missing_blocked()),
        Intent::Forget(uri) => Built::Members(ground.forget(uri)),
        Intent::Manifest => Built::Members(ground.corrections()),
        Intent::Operation(operation) => match operation.as_ref() {
            Operation::SetDelegates { add, remove } => return ground.delegates(add, remove),
            operation => of_operation(operation, ground)?,
        },
    };
    let empty = match &built {
        Built::Publish(items) => items.is_empty(),
        Built::Members(containers) => containers.is_empty(),
        Built::Acknowledge(_) | Built::Delegates(_) => false,
    };
    Ok((!empty).then_some(built))
}

fn of_operation(operation: &Operation, ground: &Ground<'_>) -> Result<Built, Error> {
    Ok(match operation {
        Operation::SetStatus { status, activity, until } => {
            check_text(activity)?;
            Built::Publish(ground.status(user_state(*status, activity, ground.me.lcid), *status, *until)?)
        }
        Operation::SetCustomStatus { id, until } => Built::Publish(ground.custom_status(id, *until)?),
        Operation::ResetStatus => Built::Publish(ground.delete(is_user_state)),
        Operation::SetNote { note } => {
            check_text(note.as_ref().map_or("", |n| &n.text))?;
            Built::Publish(ground.note(note.as_ref())?)
        }
        Operation::SetPhones { phones } => Built::Publish(ground.phones(phones)),
        Operation::SetPhoneState { line, call } => Built::Publish(ground.phone_states(line, *call)),
        Operation::SetCalendar { calendar } => Built::Publish(ground.calendar(calendar)),
        Operation::SetWorkingHours { hours: Some(hours) } => Built::Publish(ground.working_hours(hours)),
        Operation::SetWorkingHours { hours: None } => Built::Publish(ground.no_working_hours()),
        Operation::PublishValues { values } => Built::Publish(grammar::items(ground, values)?),
        Operation::Publish { publications } => Built::Publish(ground.given(publications)?),
        Operation::Unpublish { keys } => Built::Publish(ground.delete(|p| keys.contains(&p.key))),
        Operation::SetLevel { uri, level } => Built::Members(ground.level(uri, *level)?),
        Operation::ChangeMembers { changes } => Built::Members(ground.members(changes)?),
        Operation::SetPrivacyMode { preference } => Built::Publish(ground.privacy(*preference)),
        Operation::AcknowledgeSubscriber { uri } => Built::Acknowledge(uri.clone()),
        Operation::SetLocation { .. } | Operation::SetMachineState { .. } => Built::Publish(ground.machine()),
        _ => Built::Publish(Vec::new()),
    })
}

/// Text that goes on the wire as it is must at least be of sensible size.
pub(super) fn check_text(text: &str) -> Result<(), Error> {
    if text.len() > MAX_TEXT {
        return Err(Error::new(ErrorKind::InvalidArgument, format!("The text is too long; at most {MAX_TEXT} characters.")));
    }
    Ok(())
}

fn is_user_state(p: &Publication) -> bool {
    p.key.category == "state"
        && (matches!(p.key.instance, instances::USER_STATE | instances::TIMED_USER_STATE)
            || StateValue::parse(&p.value).is_some_and(|s| s.kind == StateKind::User))
}

impl Ground<'_> {
    fn version(&self, key: &PublicationKey) -> u32 {
        let known = || self.known.publications.iter().find(|p| p.key == *key).map_or(0, |p| p.version);
        self.publication_versions.get(key).copied().unwrap_or_else(known)
    }

    pub(super) fn put(&self, category: &str, instance: u32, container: u32, expiry: Expiry, value: String) -> PublishItem {
        let key = PublicationKey { category: category.into(), instance, container };
        let version = self.version(&key);
        PublishItem {
            publication: Publication { key, version, expiry, publish_time: None, endpoint_id: None, value },
            delete: false,
        }
    }

    pub(super) fn delete(&self, which: impl Fn(&Publication) -> bool) -> Vec<PublishItem> {
        let found = self.known.publications.iter().filter(|p| which(p));
        found.filter(|p| self.version(&p.key) > 0).map(|p| self.deletion(p)).collect()
    }

    fn deletion(&self, p: &Publication) -> PublishItem {
        let publication = Publication { version: self.version(&p.key), value: String::new(), ..p.clone() };
        PublishItem { publication, delete: true }
    }

    fn device(&self) -> Vec<PublishItem> {
        let device = Device {
            endpoint_id: self.me.instance.clone(),
            uri: self.me.uri.to_string(),
            capabilities: vec![Capability::both("text")],
            timezone: format!("00:00:00{}", offset(self.me.utc_offset_minutes)),
            machine_name: self.me.machine_name.clone(),
        };
        vec![self.put("device", instances::device(&self.me.contact), 2, Expiry::Endpoint, device.to_xml())]
    }

    fn machine(&self) -> Vec<PublishItem> {
        let number = match self.machine {
            MachineState::Active => Availability::AVAILABLE,
            MachineState::Idle => Availability::IDLE,
            MachineState::Away => Availability::AWAY,
        };
        let mut value = StateValue::machine(number);
        value.location = (!self.location.is_empty()).then(|| self.location.to_owned());
        value.device = Some("computer".into());
        value.time_zone_bias = Some(-self.me.utc_offset_minutes);
        let instance = instances::machine_state(&self.me.contact);
        SOURCES.map(|c| self.put("state", instance, c, Expiry::Endpoint, value.to_xml())).into()
    }

    /// Everything this device says by itself.
    fn automatic(&self) -> Vec<PublishItem> {
        let phones = self.phones.iter().flat_map(|(line, call)| self.phone_states(line, Some(*call)));
        let calendar = self.calendar.map(|c| self.calendar(c)).unwrap_or_default();
        self.device().into_iter().chain(self.machine()).chain(phones).chain(calendar).collect()
    }

    fn status(&self, value: StateValue, status: UserStatus, until: Option<Time>) -> Result<Vec<PublishItem>, Error> {
        let timed = match (until, status) {
            (Some(until), _) if until <= self.now => {
                return Err(Error::new(ErrorKind::InvalidArgument, "That time is already over."));
            }
            (Some(until), _) => Some(self.seconds_until(until)),
            (None, UserStatus::Busy | UserStatus::DoNotDisturb) => Some(TIMED_STATUS_SECS),
            (None, _) => None,
        };
        Ok(self.user_state(&value, timed))
    }

    fn custom_status(&self, id: &str, until: Option<Time>) -> Result<Vec<PublishItem>, Error> {
        let all = &self.me.custom_statuses;
        let Some(custom) = all.iter().find(|c| c.id == id) else {
            let names: Vec<&str> = all.iter().map(|c| c.id.as_str()).collect();
            let known = if names.is_empty() { "none is configured".into() } else { format!("there are {}", names.join(", ")) };
            return Err(Error::new(ErrorKind::NotFound, format!("There is no custom status “{id}”; {known}.")));
        };
        let mut value = user_state(custom.status, "", self.me.lcid);
        value.activity = Some(Activity { token: None, custom: custom.texts.clone(), min: 0, max: u32::MAX });
        self.status(value, custom.status, until)
    }

    /// A status set by hand; the other kind of it goes (`domain.md` 5.3).
    pub(super) fn user_state(&self, value: &StateValue, timed: Option<u32>) -> Vec<PublishItem> {
        let (instance, other, expiry) = match timed {
            Some(seconds) => (instances::TIMED_USER_STATE, instances::USER_STATE, Expiry::Time(seconds)),
            None => (instances::USER_STATE, instances::TIMED_USER_STATE, Expiry::Static),
        };
        let mut items = self.source(instance, expiry, value);
        items.extend(self.delete(|p| p.key.category == "state" && p.key.instance == other && SOURCES.contains(&p.key.container)));
        items
    }

    /// A state for both aggregations, Do Not Disturb rewritten for the second.
    pub(super) fn source(&self, instance: u32, expiry: Expiry, value: &StateValue) -> Vec<PublishItem> {
        let of = |container| if container == 3 { for_workgroup(value) } else { value.to_xml() };
        SOURCES.map(|c| self.put("state", instance, c, expiry, of(c))).into()
    }

    /// The phones on the card, and among the owner's own data.
    fn phones(&self, phones: &[Phone]) -> Vec<PublishItem> {
        let known = self.published("userInformation", 0, 1).unwrap_or("");
        let before = UserInformation::parse(known).unwrap_or_default();
        let own = |p: &Phone| {
            let old = before.phones.iter().find(|o| o.kind == p.kind && o.uri == p.uri);
            let (publish, read_only) = old.map_or((true, false), |o| (o.publish, o.read_only));
            OwnPhone { kind: p.kind.clone(), publish, read_only, text: p.display.clone(), uri: p.uri.clone() }
        };
        let information = UserInformation { phones: phones.iter().map(own).collect() };
        let mut items = self.phone_items(phones);
        items.push(self.put("userInformation", 0, 1, Expiry::Static, information.edit(known)));
        items
    }

    /// Instance 1 of the contact card: who sees which kind of phone (`domain.md` 5.7, 5.8).
    pub(super) fn phone_items(&self, phones: &[Phone]) -> Vec<PublishItem> {
        let seen = |kinds: &[&str]| {
            let phones: Vec<Phone> = phones.iter().filter(|p| kinds.contains(&p.kind.as_str())).cloned().collect();
            if phones.is_empty() { String::new() } else { card::to_xml(&Card { phones, ..Card::default() }) }
        };
        let by_container = [
            (100, seen(&[])),
            (200, seen(&["work"])),
            (300, seen(&["work", "mobile"])),
            (400, seen(&["work", "mobile", "home", "other", "custom1"])),
            (32_000, seen(&[])),
        ];
        by_container.map(|(c, value)| self.put("contactCard", 1, c, Expiry::Static, value)).into()
    }

    fn given(&self, publications: &[Publication]) -> Result<Vec<PublishItem>, Error> {
        if publications.is_empty() || publications.len() > MAX_PUBLICATIONS {
            return Err(Error::new(ErrorKind::InvalidArgument, "Name what is to be published."));
        }
        let mut keys: Vec<&PublicationKey> = publications.iter().map(|p| &p.key).collect();
        keys.sort();
        if keys.windows(2).any(|w| w[0] == w[1]) {
            return Err(Error::new(ErrorKind::InvalidArgument, "The same category instance is named twice."));
        }
        for p in publications {
            if p.key.category.trim().is_empty() {
                return Err(Error::new(ErrorKind::InvalidArgument, "A category needs its name."));
            }
            if p.key.container > MAX_CONTAINER {
                let text = format!("Containers are numbered from 0 to {MAX_CONTAINER}.");
                return Err(Error::new(ErrorKind::InvalidArgument, text));
            }
            if let Err(why) = crate::endpoint::published::check_value(&p.value) {
                let text = format!("The value of {} is no well-formed XML: {why}.", p.key.category);
                return Err(Error::new(ErrorKind::InvalidArgument, text));
            }
        }
        let put = |p: &Publication| self.put(&p.key.category, p.key.instance, p.key.container, p.expiry, p.value.clone());
        Ok(publications.iter().map(put).collect())
    }

    pub(super) fn container_version(&self, id: u32) -> u32 {
        let known = || self.known.containers.iter().find(|c| c.id == id).map_or(0, |c| c.version);
        self.container_versions.get(&id).copied().unwrap_or_else(known)
    }

    fn change(&self, id: u32, change: MemberChange) -> ContainerChange {
        ContainerChange { id, version: self.container_version(id), changes: vec![change] }
    }

    fn removals(&self, uri: &Address, keep: impl Fn(u32) -> bool) -> Vec<ContainerChange> {
        let member = Member::User(uri.clone());
        let found = self.known.containers.iter().filter(|c| !keep(c.id) && c.members.contains(&member));
        found.map(|c| self.change(c.id, MemberChange::Remove(member.clone()))).collect()
    }

    /// Out of the old container and into the new one, in one request (`lync.md` 7.2).
    fn level(&self, uri: &Address, level: Option<Level>) -> Result<Vec<ContainerChange>, Error> {
        if *uri == self.me.uri {
            return Err(Error::new(ErrorKind::InvalidArgument, "This is your own address."));
        }
        if self.known.delegates.members.contains(uri) && level != Some(Level::Workgroup) {
            let text = "A delegate stands in the workgroup; take the person off the delegates first.";
            return Err(Error::new(ErrorKind::InvalidOperation, text));
        }
        let target = level.map(Level::container).filter(|c| *c != 0);
        let mut changes = self.removals(uri, |id| Some(id) == target);
        let member = Member::User(uri.clone());
        if let Some(id) = target {
            let there = self.known.containers.iter().any(|c| c.id == id && c.members.contains(&member));
            if !there {
                changes.push(self.change(id, MemberChange::Add(member)));
            }
        }
        Ok(changes)
    }

    fn forget(&self, uri: &Address) -> Vec<ContainerChange> {
        self.removals(uri, |id| id == Level::Blocked.container())
    }

    fn missing_members(&self) -> Vec<ContainerChange> {
        if wants_private(super::sharing::preference(self.known), self.administrator) {
            return Vec::new();
        }
        let wanted = [(200, Member::SameEnterprise), (100, Member::Federated)];
        let missing = wanted.into_iter().filter(|(_, m)| !self.known.containers.iter().any(|c| c.members.contains(m)));
        missing.map(|(id, m)| self.change(id, MemberChange::Add(m))).collect()
    }

    fn missing_blocked(&self) -> Vec<PublishItem> {
        let there = self.known.publications.iter().any(|p| p.key.category == "state" && p.key.container == 32_000);
        if there {
            return Vec::new();
        }
        let value = StateValue::aggregate(Availability::OFFLINE).to_xml();
        vec![self.put("state", instances::BLOCKED_STATE, 32_000, Expiry::Static, value)]
    }
}

fn user_state(status: UserStatus, activity: &str, lcid: u32) -> StateValue {
    let (number, token) = status.state();
    let mut value = StateValue::user(number);
    value.activity = match (token, activity.trim()) {
        (None, "") => None,
        (Some(token), "") => Some(Activity::token(token)),
        (_, words) => Some(Activity { token: None, custom: vec![(lcid, words.to_owned())], min: 0, max: u32::MAX }),
    };
    value
}

/// Do Not Disturb as Workgroup sees it (`domain.md` 5.3).
fn for_workgroup(value: &StateValue) -> String {
    let dnd = value.availability.is_some_and(|a| (9000..12_000).contains(&a.0));
    if !dnd {
        return value.to_xml();
    }
    let activity = Some(Activity::token("urgent-interruptions-only"));
    StateValue { availability: Some(Availability::URGENT_ONLY), activity, ..value.clone() }.to_xml()
}

/// `+01:00`
fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60 % 24, minutes.unsigned_abs() % 60)
}
