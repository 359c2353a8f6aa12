//! What publications say, read out of the documents they travel in, for those who show them.

use crate::domain::presence::{Activity, Availability, Note, Publication};
use crate::lync::categories::{note as notes, state as states};
use crate::lync::identity;

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

/// Whether a publication was made by the endpoint whose GRUU is `gruu`.
pub fn is_by(gruu: &str, publication: &Publication) -> bool {
    let token = publication.endpoint_id.as_deref().and_then(identity::gruu_token);
    token.is_some_and(|t| gruu.contains(&format!("epid:{t}")))
}
