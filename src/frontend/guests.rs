//! Guests: people without an account in one conference (lync-conversations.md 4.9). They do not register. The first INVITE to a
//! focus is challenged with Digest, user name the focus URI, password the passcode or, where none is set, the conference id;
//! whoever knows it may reach that focus and its MCUs on this connection, and nothing else.

use crate::domain::Address;
use crate::domain::conference::ConferenceId;
use crate::lync::identity::{ConferenceUri, GUEST_HOST, parse_conference_uri};
use crate::sip::Request;

/// Characters of the name a guest gives itself.
const NAME_MAX: usize = 80;

/// Who sits at a connection, and in which conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The address it made for itself.
    pub user: Address,
    /// Organizer of the conference.
    pub organizer: Address,
    /// Its id.
    pub conference: ConferenceId,
}

impl Guest {
    /// Whether a request is to this guest's conference.
    pub fn may_send(&self, request: &Request) -> bool {
        let own = |(who, id): (Address, ConferenceId)| who == self.organizer && id.0.eq_ignore_ascii_case(&self.conference.0);
        conference_of(request).is_some_and(own)
    }
}

/// Whether an address is a guest's.
pub fn is_guest(who: &Address) -> bool {
    who.host().eq_ignore_ascii_case(GUEST_HOST)
}

/// The guest a request says it is from.
pub fn sender(request: &Request) -> Option<Address> {
    request.headers.from()?.uri.address().filter(is_guest)
}

/// The conference whose focus or MCU a request is for.
pub fn conference_of(request: &Request) -> Option<(Address, ConferenceId)> {
    match parse_conference_uri(request.uri.as_str())? {
        ConferenceUri::Focus(who, id) | ConferenceUri::Mcu(who, id, _) => Some((who, id)),
        ConferenceUri::Factory(_) => None,
    }
}

/// The name others see.
pub fn name(given: &str) -> String {
    let name: String = given.trim().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    if name.is_empty() { "Guest".into() } else { name }
}
