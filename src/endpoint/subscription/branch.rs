//! One subscription dialog at a place: the own server, another pool, or one person's server (`lync.md` 8.1, 8.2, 8.5).

use super::target::Place;
use crate::domain::Address;
use crate::endpoint::roaming::{Roaming, Topic};
use crate::lync::batch as wire;
use crate::sip::Uri;
use std::collections::BTreeSet;

const REQUIRE: &[(&str, &str)] = &[("Require", "adhoclist, categoryList"), ("Supported", "eventlist")];
/// To the own server and to pools.
pub(super) const LIST: Topic =
    Topic { event: wire::EVENT, accept: wire::ACCEPT, extra: REQUIRE, content_type: wire::CONTENT_TYPE };
/// To somebody's own server there is no list to require (`lync.md` 8.5).
const DIRECT: Topic = Topic { extra: &[], ..LIST };

/// The dialog and who is in it.
#[derive(Debug)]
pub(super) struct Branch {
    pub roaming: Roaming,
    /// In the request under way.
    pub asked: Vec<Address>,
    /// Subscribed, or asked for.
    pub members: BTreeSet<Address>,
    /// To be taken from the server's list.
    pub removals: BTreeSet<Address>,
}

impl Branch {
    pub fn new(place: &Place) -> Branch {
        Branch { roaming: Roaming::eager(topic(place)), asked: Vec::new(), members: BTreeSet::new(), removals: BTreeSet::new() }
    }
}

/// How one asks there.
pub(super) fn topic(place: &Place) -> Topic {
    if matches!(place, Place::Person(_)) { DIRECT } else { LIST }
}

/// Whom one asks there.
pub(super) fn uri(place: &Place, me: &Address) -> Uri {
    match place {
        Place::Home => Uri::from(me),
        Place::Person(who) => Uri::from(who),
        // What does not read as a URI was not taken as a pool.
        Place::Pool(pool) => Uri::parse(pool).unwrap_or_else(|| Uri::from(me)),
    }
}
