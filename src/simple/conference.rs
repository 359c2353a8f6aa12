//! `application/conference-info+xml` (RFC 4575): who is in a conference, whole or as changes. [`Conference::apply`] takes a
//! document into what is known, by the version rules of `simple.md` 5.2.

mod read;
#[cfg(test)]
mod tests;

use super::limits::{CONFERENCE_ENDPOINTS_MAX, CONFERENCE_MEDIA_MAX, CONFERENCE_USERS_MAX};

/// Media type.
pub const CONTENT_TYPE: &str = "application/conference-info+xml";
/// Event package.
pub const EVENT: &str = "conference";

/// How much an element says of its thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    #[default]
    Full,
    /// What changed.
    Partial,
    /// It is gone.
    Deleted,
}

/// One document, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// URI of the conference.
    pub entity: String,
    /// Whole, changes, or the end.
    pub extent: Extent,
    /// Counts the documents of one subscription; `None`: the document is whole.
    pub version: Option<u32>,
    description: Option<Description>,
    status: Option<Status>,
    web_page: Option<String>,
    users: Option<(Extent, Vec<UserChange>)>,
}

/// What the conference is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Title; may be empty.
    pub subject: String,
    /// Name; may be empty.
    pub display_text: String,
    /// So many people fit.
    pub maximum: Option<u32>,
}

/// How the conference stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// So many people are in it, hidden ones too.
    pub count: Option<u32>,
    /// It runs.
    pub active: Option<bool>,
    /// Nobody gets in.
    pub locked: bool,
}

/// One person, as a document has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct UserChange {
    entity: String,
    extent: Extent,
    display_text: Option<String>,
    nickname: Option<String>,
    roles: Option<Vec<String>>,
    endpoints: Vec<EndpointChange>,
}

/// One device, as a document has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct EndpointChange {
    entity: String,
    extent: Extent,
    standing: Option<Standing>,
    left_by: Option<String>,
    /// Media always come whole by their id.
    media: Vec<Media>,
}

/// One person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// URI of the person.
    pub entity: String,
    /// Name; may be empty.
    pub display_text: String,
    /// Name they chose here; may be empty.
    pub nickname: String,
    /// What they may do, in the words of the server.
    pub roles: Vec<String>,
    /// Their devices.
    pub endpoints: Vec<Endpoint>,
}

/// One device of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// URI of the device.
    pub entity: String,
    /// How far it got.
    pub standing: Standing,
    /// How it left: `departed`, `booted`, `failed` or `busy`; may be empty.
    pub left_by: String,
    /// What it sends and receives.
    pub media: Vec<Media>,
}

/// One medium of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Its id in the conference.
    pub id: String,
    /// `audio`, `video`, `message`.
    pub kind: String,
    /// `sendrecv`, `sendonly`, `recvonly` or `inactive`; may be empty.
    pub status: String,
}

/// How far a device got (RFC 4575 5.7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It was invited, or something newer is the case.
    Pending,
    /// The conference calls it.
    DialingOut,
    /// It calls.
    DialingIn,
    /// It rings.
    Alerting,
    /// It is in, and holds.
    OnHold,
    /// It is in.
    #[default]
    Connected,
    /// It is in, and the conference has muted it.
    Muted,
    /// It is leaving.
    Disconnecting,
    /// It has left.
    Disconnected,
}

impl User {
    /// Whether some device is in.
    pub fn is_in(&self) -> bool {
        let inside = |e: &Endpoint| matches!(e.standing, Standing::OnHold | Standing::Connected | Standing::Muted);
        // Some servers name no devices at all.
        self.endpoints.is_empty() || self.endpoints.iter().any(inside)
    }

    /// Whether some device is on its way in.
    pub fn is_coming(&self) -> bool {
        let coming = |e: &Endpoint| {
            matches!(e.standing, Standing::Pending | Standing::DialingOut | Standing::DialingIn | Standing::Alerting)
        };
        !self.is_in() && self.endpoints.iter().any(coming)
    }
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is in.
    Applied,
    /// It was old, or of another conference.
    Ignored,
    /// Something before it was missed: ask for a whole one.
    Gap,
    /// The conference is over.
    Over,
}

/// What is known of a conference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conference {
    /// URI of the conference.
    pub entity: String,
    /// What it is.
    pub description: Description,
    /// How it stands.
    pub status: Status,
    /// Page for people; may be empty.
    pub web_page: String,
    /// Everybody in it or on the way.
    pub users: Vec<User>,
    version: Option<u32>,
    known: bool,
}

impl Conference {
    /// Whether a whole document has come.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// A new subscription counts from anew: what is known stays until its first document.
    pub fn renew(&mut self) {
        self.version = None;
    }

    /// Takes a document in.
    pub fn apply(&mut self, document: Document) -> Applied {
        if self.known && !self.entity.eq_ignore_ascii_case(&document.entity) {
            return Applied::Ignored;
        }
        if let (Some(last), Some(version)) = (self.version, document.version)
            && (version < last || (version == last && document.extent == Extent::Partial))
        {
            return Applied::Ignored;
        }
        match (document.extent, document.version) {
            (Extent::Deleted, _) => return Applied::Over,
            (Extent::Partial, Some(version)) => {
                if !self.known || self.version.and_then(|last| last.checked_add(1)) != Some(version) {
                    return Applied::Gap;
                }
            }
            (Extent::Full, _) | (Extent::Partial, None) => *self = Conference { known: true, ..Conference::default() },
        }
        self.entity = document.entity;
        self.version = document.version;
        self.description = document.description.unwrap_or_else(|| std::mem::take(&mut self.description));
        self.status = document.status.unwrap_or(self.status);
        self.web_page = document.web_page.unwrap_or_else(|| std::mem::take(&mut self.web_page));
        if let Some((extent, changes)) = document.users {
            if extent != Extent::Partial {
                self.users.clear();
            }
            changes.into_iter().for_each(|c| merge_user(&mut self.users, c));
        }
        Applied::Applied
    }
}

fn merge_user(users: &mut Vec<User>, change: UserChange) {
    let at = users.iter().position(|u| u.entity.eq_ignore_ascii_case(&change.entity));
    match (change.extent, at) {
        (Extent::Deleted, _) => users.retain(|u| !u.entity.eq_ignore_ascii_case(&change.entity)),
        (Extent::Full, Some(at)) => users[at] = whole(change),
        (Extent::Partial, Some(at)) => merge_into(&mut users[at], change),
        (_, None) if users.len() < CONFERENCE_USERS_MAX => users.push(whole(change)),
        (_, None) => {}
    }
}

fn whole(change: UserChange) -> User {
    let mut user = User { entity: change.entity.clone(), ..User::default() };
    merge_into(&mut user, change);
    user
}

fn merge_into(user: &mut User, change: UserChange) {
    user.display_text = change.display_text.unwrap_or_else(|| std::mem::take(&mut user.display_text));
    user.nickname = change.nickname.unwrap_or_else(|| std::mem::take(&mut user.nickname));
    user.roles = change.roles.unwrap_or_else(|| std::mem::take(&mut user.roles));
    for e in change.endpoints {
        let at = user.endpoints.iter().position(|o| o.entity.eq_ignore_ascii_case(&e.entity));
        match (e.extent, at) {
            (Extent::Deleted, Some(at)) => drop(user.endpoints.remove(at)),
            (Extent::Deleted, None) => {}
            (Extent::Partial, Some(at)) => merge_endpoint(&mut user.endpoints[at], e),
            (_, at) => {
                let mut fresh = Endpoint { entity: e.entity.clone(), ..Endpoint::default() };
                merge_endpoint(&mut fresh, e);
                match at {
                    Some(at) => user.endpoints[at] = fresh,
                    None if user.endpoints.len() < CONFERENCE_ENDPOINTS_MAX => user.endpoints.push(fresh),
                    None => {}
                }
            }
        }
    }
}

fn merge_endpoint(known: &mut Endpoint, change: EndpointChange) {
    known.standing = change.standing.unwrap_or(known.standing);
    known.left_by = change.left_by.unwrap_or_else(|| std::mem::take(&mut known.left_by));
    for m in change.media {
        match known.media.iter().position(|k| k.id == m.id) {
            Some(at) => known.media[at] = m,
            None if known.media.len() < CONFERENCE_MEDIA_MAX => known.media.push(m),
            None => {}
        }
    }
}
