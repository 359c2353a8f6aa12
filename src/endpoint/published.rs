//! What publications say, read out of the documents they travel in, for those who show them.

use crate::domain::presence::{Activity, Availability, Note, Phone, Publication, PublicationKey, SelfPresence};
use crate::lync::categories::own_data::UserInformation;
use crate::lync::categories::value::Value;
use crate::lync::categories::{card, note as notes, state as states};
use crate::lync::identity;

pub use crate::lync::categories::alerts::{Alerts as AlertOptions, WhenDoNotDisturb};
pub use crate::lync::categories::state::StateKind as Source;

/// A published state (`domain.md` 5.3).
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedState {
    /// Who says it.
    pub source: Source,
    /// The number.
    pub availability: Option<Availability>,
    /// The activity.
    pub activity: Option<Activity>,
    /// Where, in words.
    pub location: Option<String>,
    /// computer, mobile, deskphone, web.
    pub device: Option<String>,
}

/// The state a publication holds; `None` when it holds something else.
pub fn state(publication: &Publication) -> Option<PublishedState> {
    if publication.key.category != "state" {
        return None;
    }
    let value = states::StateValue::parse(&publication.value)?;
    Some(PublishedState {
        source: value.kind,
        availability: value.availability,
        activity: value.activity,
        location: value.location,
        device: value.device,
    })
}

/// The note a publication holds; `None` when it holds something else.
pub fn note(publication: &Publication) -> Option<Note> {
    if publication.key.category == "note" { notes::parse(&publication.value) } else { None }
}

/// The phones the owner has set: those of the own data, else those on the card.
pub fn own_phones(own: &SelfPresence) -> Vec<Phone> {
    let find = |category: &str, instance, container| {
        let key = PublicationKey { category: category.into(), instance, container };
        own.publications.iter().find(|p| p.key == key).map(|p| p.value.as_str())
    };
    let information = find("userInformation", 0, 1).and_then(UserInformation::parse);
    let phones = information.map(|i| i.phones).unwrap_or_default();
    if phones.is_empty() {
        return find("contactCard", card::OWN_PHONES, 400).map(|v| card::parse(v).phones).unwrap_or_default();
    }
    phones.into_iter().map(|p| Phone { kind: p.kind, uri: p.uri, display: p.text }).collect()
}

/// The name on the contact card that these publications make.
pub fn card_name(publications: &[Publication]) -> Option<String> {
    let cards = publications.iter().filter(|p| p.key.category == "contactCard" && !p.value.is_empty());
    let named = cards.filter_map(|p| Some((p.key.instance, card::parse(&p.value).display_name?)));
    named.filter(|n| !n.1.trim().is_empty()).max_by_key(|n| n.0).map(|n| n.1)
}

/// Whether a publication was made by the endpoint whose GRUU is `gruu`.
pub fn is_by(gruu: &str, publication: &Publication) -> bool {
    let token = publication.endpoint_id.as_deref().and_then(identity::gruu_token);
    token.is_some_and(|t| gruu.contains(&format!("epid:{t}")))
}

/// Whether a value may be published: well-formed XML, or nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check_value(value: &str) -> Result<(), String> {
    if value.trim().is_empty() {
        return Ok(());
    }
    crate::lync::Element::parse(value.as_bytes()).map(|_| ()).map_err(|e| e.to_string())
}

/// The `alerts` category of one's own; `None`: nothing is published, or nothing that reads.
pub fn alert_options(own: &SelfPresence) -> Option<AlertOptions> {
    AlertOptions::parse(&own.publications.iter().find(|p| p.key.category == "alerts" && !p.value.is_empty())?.value)
}
