//! What a conference's settings must satisfy before they are sent (`domain.md` 2.5, 8.6), and the names and times of new ones.

use super::conference::{AccessLevel, Capabilities, ConferenceId, ConferenceSettings};
use super::{Rng, Time};
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest subject, in characters (the limit Lync's own programming interfaces document).
pub const SUBJECT_MAX: usize = 250;
/// Longest description, in octets; the whole document must fit into one SIP message.
pub const DESCRIPTION_MAX: usize = 4096;
/// Longest data for programs, in octets, likewise.
pub const NOTIFICATION_DATA_MAX: usize = 4096;
/// Most invited people; the whole document must fit into one SIP message.
pub const PARTICIPANTS_MAX: usize = 250;
/// Longest passcode, in characters.
pub const PASSCODE_MAX: usize = 24;
/// An ad hoc conference is valid this long (`domain.md` 2.5).
pub const AD_HOC_VALID: Duration = Duration::from_secs(8 * 3600);
/// Expiry may lie this far back.
pub const EXPIRY_PAST: Duration = Duration::from_secs(366 * 86_400);
/// Expiry may lie this far ahead.
pub const EXPIRY_AHEAD: Duration = Duration::from_secs(3653 * 86_400);

/// Letters and digits of generated ids, without those that look alike.
const ID_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Length of generated ids; 40 bits keep one organizer's ids apart.
const ID_LENGTH: usize = 8;

/// A setting that cannot be, said so that its author can mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Subject too long.
    #[error("the subject is too long; use at most {SUBJECT_MAX} characters")]
    SubjectTooLong,
    /// Description too long.
    #[error("the description is too long; use at most {DESCRIPTION_MAX} characters")]
    DescriptionTooLong,
    /// Data for programs too long.
    #[error("the data for programs is too long; use at most {NOTIFICATION_DATA_MAX} characters")]
    NotificationDataTooLong,
    /// The rule of a series is no rule.
    #[error("the repetition cannot be read; write it like “every tue”, “every 2 weeks” or FREQ=WEEKLY;COUNT=4")]
    SeriesInvalid,
    /// A series without a first time.
    #[error("a meeting that repeats needs a first time; say when")]
    SeriesWithoutTime,
    /// The server calls nobody.
    #[error("this server has no phone numbers; take phone access out")]
    PhoneNotOffered,
    /// A passcode that must be said, and none is set.
    #[error("set the passcode that people must say, or make it optional")]
    PasscodeMissing,
    /// Only one of start and end, or the end is not after the start.
    #[error("a meeting needs a start and an end, and must end after it starts")]
    TimesWrong,
    /// Outside the window.
    #[error("the expiry must lie between one year ago and ten years ahead")]
    ExpiryOutOfRange,
    /// Expires before it is over.
    #[error("the meeting would expire before it ends; choose a later expiry")]
    ExpiresBeforeEnd,
    /// Empty, too long or with odd characters.
    #[error("a passcode has 1 to {PASSCODE_MAX} letters or digits")]
    PasscodeInvalid,
    /// Phone access needs access for everyone.
    #[error("phone access needs the access level Everyone")]
    PhoneNeedsEveryone,
    /// Phone access needs a passcode.
    #[error("phone access needs a passcode; set one")]
    PhoneNeedsPasscode,
    /// No MCU at all.
    #[error("a meeting needs at least one kind of media, such as chat")]
    NoMedia,
    /// Not among the capabilities.
    #[error("this server offers no “{0}” in meetings; take it out")]
    MediaNotOffered(String),
    /// The same person twice.
    #[error("{0} is invited twice; take one of them out")]
    DuplicateParticipant(String),
    /// More than [`PARTICIPANTS_MAX`].
    #[error("too many people are invited; at most {PARTICIPANTS_MAX} are possible")]
    TooManyParticipants,
    /// Everyone may come in, but the server lets nobody anonymous in.
    #[error("this server admits nobody from outside; choose another access level")]
    AnonymousNotOffered,
    /// Not 8 to 32 letters and digits.
    #[error("a conference id has 8 to 32 letters and digits")]
    IdInvalid,
}

/// Checks settings; `capabilities` are those of the server, if it has been asked already.
pub fn check(settings: &ConferenceSettings, capabilities: Option<&Capabilities>, now: Time) -> Result<(), RuleError> {
    check_texts(settings)?;
    check_times(settings, now)?;
    check_series(settings)?;
    check_phone(settings, capabilities)?;
    check_media(settings, capabilities)?;
    check_people(settings)
}

/// Checks a conference id.
pub fn check_id(id: &ConferenceId) -> Result<(), RuleError> {
    let ok = (8..=32).contains(&id.0.len()) && id.0.bytes().all(|b| b.is_ascii_alphanumeric());
    if ok { Ok(()) } else { Err(RuleError::IdInvalid) }
}

/// A new conference id.
pub fn new_id(rng: &mut Rng) -> ConferenceId {
    let pick = |rng: &mut Rng| {
        let at = usize::try_from(rng.below(ID_ALPHABET.len() as u64)).unwrap_or(0);
        char::from(ID_ALPHABET.get(at).copied().unwrap_or(b'A'))
    };
    ConferenceId((0..ID_LENGTH).map(|_| pick(rng)).collect())
}

/// Settings of a conference that starts now and is valid 8 hours.
pub fn ad_hoc(subject: &str, now: Time) -> ConferenceSettings {
    let subject = subject.chars().take(SUBJECT_MAX).collect();
    ConferenceSettings { subject, expiry: Some(now + AD_HOC_VALID), ..ConferenceSettings::default() }
}

fn check_texts(s: &ConferenceSettings) -> Result<(), RuleError> {
    if s.subject.chars().count() > SUBJECT_MAX {
        return Err(RuleError::SubjectTooLong);
    }
    if s.description.len() > DESCRIPTION_MAX {
        return Err(RuleError::DescriptionTooLong);
    }
    if s.notification_data.len() > NOTIFICATION_DATA_MAX {
        return Err(RuleError::NotificationDataTooLong);
    }
    match &s.passcode {
        Some(p) if p.is_empty() || p.len() > PASSCODE_MAX || !p.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Err(RuleError::PasscodeInvalid)
        }
        _ => Ok(()),
    }
}

fn check_times(s: &ConferenceSettings, now: Time) -> Result<(), RuleError> {
    match (s.start, s.end) {
        (None, None) => {}
        (Some(start), Some(end)) if end > start => {}
        _ => return Err(RuleError::TimesWrong),
    }
    let Some(expiry) = s.expiry else { return Ok(()) };
    if expiry < now - EXPIRY_PAST || expiry > now + EXPIRY_AHEAD {
        return Err(RuleError::ExpiryOutOfRange);
    }
    if s.end.is_some_and(|end| expiry < end) { Err(RuleError::ExpiresBeforeEnd) } else { Ok(()) }
}

fn check_series(s: &ConferenceSettings) -> Result<(), RuleError> {
    let Some(series) = &s.series else { return Ok(()) };
    if !series.is_plausible() {
        return Err(RuleError::SeriesInvalid);
    }
    if s.start.is_none() { Err(RuleError::SeriesWithoutTime) } else { Ok(()) }
}

fn check_phone(s: &ConferenceSettings, capabilities: Option<&Capabilities>) -> Result<(), RuleError> {
    if !s.passcode_optional && s.passcode.is_none() {
        return Err(RuleError::PasscodeMissing);
    }
    if !s.phone_access {
        return Ok(());
    }
    if capabilities.is_some_and(|c| c.phones.is_empty()) {
        return Err(RuleError::PhoneNotOffered);
    }
    if s.access != AccessLevel::Everyone {
        return Err(RuleError::PhoneNeedsEveryone);
    }
    if s.passcode.is_none() { Err(RuleError::PhoneNeedsPasscode) } else { Ok(()) }
}

fn check_media(s: &ConferenceSettings, capabilities: Option<&Capabilities>) -> Result<(), RuleError> {
    if s.mcus.is_empty() {
        return Err(RuleError::NoMedia);
    }
    let Some(c) = capabilities else { return Ok(()) };
    if let Some(missing) = s.mcus.iter().find(|m| !c.mcus.iter().any(|o| o.eq_ignore_ascii_case(m))) {
        return Err(RuleError::MediaNotOffered(missing.clone()));
    }
    if s.access == AccessLevel::Everyone && !c.anonymous { Err(RuleError::AnonymousNotOffered) } else { Ok(()) }
}

fn check_people(s: &ConferenceSettings) -> Result<(), RuleError> {
    if s.participants.len() > PARTICIPANTS_MAX {
        return Err(RuleError::TooManyParticipants);
    }
    let mut seen = BTreeSet::new();
    match s.participants.iter().find(|p| !seen.insert(&p.uri)) {
        Some(twice) => Err(RuleError::DuplicateParticipant(twice.uri.bare().to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Address;
    use crate::domain::conference::{Invitee, PhoneNumber};
    use crate::domain::conversation::Role;
    use crate::domain::series::Series;

    const NOW: Time = Time(1_800_000_000_000);

    fn broken(change: impl FnOnce(&mut ConferenceSettings)) -> RuleError {
        let mut s = ConferenceSettings::default();
        change(&mut s);
        let phones = vec![PhoneNumber { region: "Main".into(), number: "+15550100".into() }];
        let offered = Capabilities { mcus: vec!["chat".into()], anonymous: true, phones };
        check(&s, Some(&offered), NOW).unwrap_err()
    }

    #[test]
    fn defaults_and_ad_hoc_settings_pass() {
        assert_eq!(check(&ConferenceSettings::default(), None, NOW), Ok(()));
        let s = ad_hoc("Now", NOW);
        assert_eq!((check(&s, None, NOW), s.expiry), (Ok(()), Some(NOW + Duration::from_secs(28_800))));
    }

    #[test]
    fn each_broken_rule_is_named() {
        let hour = Duration::from_secs(3600);
        assert_eq!(broken(|s| s.subject = "x".repeat(251)), RuleError::SubjectTooLong);
        assert_eq!(broken(|s| s.description = "x".repeat(5000)), RuleError::DescriptionTooLong);
        assert_eq!(broken(|s| s.notification_data = "x".repeat(5000)), RuleError::NotificationDataTooLong);
        assert_eq!(broken(|s| s.start = Some(NOW)), RuleError::TimesWrong);
        assert_eq!(broken(|s| (s.start, s.end) = (Some(NOW), Some(NOW))), RuleError::TimesWrong);
        assert_eq!(broken(|s| s.expiry = Some(Time(0))), RuleError::ExpiryOutOfRange);
        assert_eq!(broken(|s| s.expiry = Some(NOW + EXPIRY_AHEAD + hour)), RuleError::ExpiryOutOfRange);
        assert_eq!(
            broken(|s| (s.start, s.end, s.expiry) = (Some(NOW), Some(NOW + hour), Some(NOW))),
            RuleError::ExpiresBeforeEnd
        );
        assert_eq!(broken(|s| s.passcode = Some("12 34".into())), RuleError::PasscodeInvalid);
        assert_eq!(broken(|s| s.phone_access = true), RuleError::PhoneNeedsEveryone);
        assert_eq!(broken(|s| (s.phone_access, s.access) = (true, AccessLevel::Everyone)), RuleError::PhoneNeedsPasscode);
        assert_eq!(broken(|s| s.passcode_optional = false), RuleError::PasscodeMissing);
        assert_eq!(broken(|s| s.series = Some(Series::new("FREQ=WEEKLY"))), RuleError::SeriesWithoutTime);
        assert_eq!(broken(|s| s.series = Some(Series::new("weekly\nX:1"))), RuleError::SeriesInvalid);
        assert_eq!(broken(|s| s.mcus.clear()), RuleError::NoMedia);
        assert_eq!(broken(|s| s.mcus = vec!["video".into()]), RuleError::MediaNotOffered("video".into()));
        let bob = Invitee { uri: Address::parse("bob@contoso.com").unwrap(), role: Role::Attendee };
        assert_eq!(
            broken(|s| s.participants = vec![bob.clone(), Invitee { role: Role::Leader, ..bob }]),
            RuleError::DuplicateParticipant("bob@contoso.com".into())
        );
    }

    #[test]
    fn everyone_needs_a_server_that_admits_strangers() {
        let s = ConferenceSettings { access: AccessLevel::Everyone, ..ConferenceSettings::default() };
        let closed = Capabilities { mcus: vec!["chat".into()], ..Capabilities::default() };
        assert_eq!(check(&s, Some(&closed), NOW), Err(RuleError::AnonymousNotOffered));
        let phone = ConferenceSettings { phone_access: true, ..ConferenceSettings::default() };
        assert_eq!(check(&phone, Some(&closed), NOW), Err(RuleError::PhoneNotOffered));
    }

    #[test]
    fn generated_ids_are_valid_and_differ() {
        let mut rng = Rng::seeded(1);
        let (a, b) = (new_id(&mut rng), new_id(&mut rng));
        assert!(a != b && check_id(&a).is_ok() && check_id(&b).is_ok());
        assert!(check_id(&ConferenceId("a-b-c-d-e".into())).is_err());
    }
}
