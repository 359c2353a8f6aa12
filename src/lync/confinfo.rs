//! The state of a running conference: `conference-info` notifications (RFC 4575, conversations guide 4.3).
//!
//! The same structure is a notification and the state it builds: [`apply`] takes notifications into a state,
//! [`ConferenceInfo::to_bytes`] prints either.

mod read;
mod write;

use crate::domain::Address;
use crate::domain::conversation::Role;
use crate::lync::limits::ROSTER_MAX;

/// Event package.
pub const EVENT: &str = "conference";
/// `Content-Type` and `Accept`.
pub const CONTENT_TYPE: &str = "application/conference-info+xml";

/// `state` attribute of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ElementState {
    /// Everything is here.
    #[default]
    Full,
    /// Only what changed.
    Partial,
    /// It is gone.
    Deleted,
}

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConferenceInfo {
    /// Focus URI, spelled as the subscriber spelled it.
    pub entity: String,
    /// Whole state, or changes.
    pub state: ElementState,
    /// Rises by one with each document of a subscription.
    pub version: u32,
    /// Description, if told.
    pub description: Option<Description>,
    /// Conference-wide state, if told.
    pub conference: Option<ConferenceState>,
    /// People, if told.
    pub users: Option<Users>,
    /// MCUs, if told.
    pub views: Option<Vec<EntityView>>,
}

/// What the conference is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Title.
    pub subject: Option<String>,
    /// MCU URIs; empty in the lobby.
    pub uris: Option<Vec<McuUri>>,
    /// Its id.
    pub conference_id: Option<String>,
    /// `openAuthenticated`, `closedAuthenticated`, `anonymous`
    pub admission_policy: Option<String>,
    /// Who scheduled it.
    pub organizer: Option<Organizer>,
    /// Link for people.
    pub join_url: Option<String>,
    /// Dial-in number of the conference.
    pub phone_id: Option<String>,
    /// Bit mask: who becomes leader on entry.
    pub autopromote: Option<String>,
    /// Phone callers skip the lobby.
    pub lobby_bypass: Option<bool>,
    /// Comings and goings are announced (our own element).
    pub announcements: Option<bool>,
    /// Newcomers are muted (our own element).
    pub mute_all: Option<bool>,
    /// Attendees may unmute themselves all the same (our own element).
    pub self_unmute: Option<bool>,
    /// The conference ends then, unless a colleague comes back (our own element); empty: it does not.
    pub ends_at: Option<String>,
}

/// One MCU of the conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McuUri {
    /// Its URI.
    pub uri: String,
    /// Its type, `chat` for messages.
    pub purpose: String,
}

/// Who scheduled the conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organizer {
    /// Name; may be empty.
    pub display_name: String,
    /// Address.
    pub uri: Address,
}

/// Conference-wide state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConferenceState {
    /// People visible in it.
    pub user_count: Option<u32>,
    /// It runs.
    pub active: Option<bool>,
    /// Nobody gets in directly.
    pub locked: Option<bool>,
}

/// The people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// All, or those who changed.
    pub state: ElementState,
    /// People.
    pub users: Vec<User>,
}

/// One person. A sender must always list all endpoints of a person who changed (conversations guide 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub entity: Address,
    /// Complete, changed, or gone.
    pub state: ElementState,
    /// Name; may be empty.
    pub display_text: String,
    /// Role; `None` when not told.
    pub role: Option<Role>,
    /// Devices and what they are connected to.
    pub endpoints: Vec<Endpoint>,
    /// Records, and says so (our own element).
    pub recording: bool,
}

/// One connection of a person's device to the focus or an MCU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// GUID of the device; the same at focus and MCUs.
    pub entity: String,
    /// Complete, changed, or gone.
    pub state: ElementState,
    /// `focus`, `chat`, `audio-video`
    pub session: String,
    /// GRUU, if told.
    pub uri: Option<String>,
    /// How far it got.
    pub status: EndpointStatus,
    /// `dialed-in`, `dialed-out`
    pub joining_method: Option<String>,
    /// Media of this connection.
    pub media: Vec<Media>,
}

/// One medium of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Names it for mute commands.
    pub id: String,
    /// `chat`, `audio`
    pub kind: String,
    /// `sendrecv`, `recvonly`
    pub status: Option<String>,
}

/// `status` of an endpoint (RFC 4575 §5.7.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EndpointStatus {
    /// Not there yet.
    Pending,
    /// An MCU calls it.
    DialingOut,
    /// It calls.
    DialingIn,
    /// It rings.
    Alerting,
    /// In the lobby.
    OnHold,
    /// There.
    #[default]
    Connected,
    /// Muted by the focus.
    MutedViaFocus,
    /// Leaving.
    Disconnecting,
    /// Left.
    Disconnected,
    /// Something newer.
    Other(String),
}

/// State of one MCU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityView {
    /// MCU URI.
    pub entity: String,
    /// Complete, changed, or gone.
    pub state: ElementState,
    /// Media types, `chat` for messages.
    pub media: Vec<String>,
    /// Locked.
    pub locked: Option<bool>,
}

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is in the state now.
    Applied,
    /// It is old: nothing happened.
    Discarded,
    /// Something before it was missed: subscribe again for a full document.
    Gap,
}

impl User {
    /// A whole user without endpoints.
    pub fn new(entity: Address, display_text: &str, role: Role) -> User {
        User {
            entity,
            state: ElementState::Full,
            display_text: display_text.into(),
            role: Some(role),
            endpoints: Vec::new(),
            recording: false,
        }
    }

    /// Somebody who left.
    pub fn gone(entity: Address) -> User {
        User {
            entity,
            state: ElementState::Deleted,
            display_text: String::new(),
            role: None,
            endpoints: Vec::new(),
            recording: false,
        }
    }

    /// Whether some device is connected to this session (`focus`, `chat`).
    pub fn connected_to(&self, session: &str) -> bool {
        self.endpoints.iter().any(|e| e.session.eq_ignore_ascii_case(session) && e.status == EndpointStatus::Connected)
    }

    /// Whether some medium of theirs is muted by the conference.
    pub fn is_muted(&self) -> bool {
        let media = self.endpoints.iter().flat_map(|e| &e.media);
        media.into_iter().any(|m| m.status.as_deref().is_some_and(|s| s.eq_ignore_ascii_case("recvonly")))
    }

    /// The device and medium of a session (`chat`), for mute commands.
    pub fn medium(&self, session: &str) -> Option<(&str, &Media)> {
        let endpoint = self.endpoints.iter().find(|e| e.session.eq_ignore_ascii_case(session))?;
        Some((&endpoint.entity, endpoint.media.first()?))
    }

    /// Whether all that is known of them waits in the lobby.
    pub fn in_lobby(&self) -> bool {
        !self.endpoints.is_empty() && self.endpoints.iter().all(|e| e.status == EndpointStatus::OnHold)
    }
}

impl Endpoint {
    /// A connected endpoint that dialled in.
    pub fn connected(entity: &str, session: &str) -> Endpoint {
        Endpoint {
            entity: entity.into(),
            state: ElementState::Full,
            session: session.into(),
            uri: None,
            status: EndpointStatus::Connected,
            joining_method: Some("dialed-in".into()),
            media: Vec::new(),
        }
    }

    /// Adds its message medium.
    pub fn with_chat(mut self) -> Endpoint {
        self.media.push(Media { id: "1".into(), kind: "chat".into(), status: None });
        self
    }
}

impl ConferenceInfo {
    /// A document of changes.
    pub fn partial(entity: &str, version: u32) -> ConferenceInfo {
        ConferenceInfo { entity: entity.into(), state: ElementState::Partial, version, ..ConferenceInfo::default() }
    }

    /// Changes of some people.
    pub fn user_changes(entity: &str, version: u32, users: Vec<User>) -> ConferenceInfo {
        let users = Some(Users { state: ElementState::Partial, users });
        ConferenceInfo { users, ..ConferenceInfo::partial(entity, version) }
    }

    /// URI of the MCU of a type.
    pub fn mcu(&self, purpose: &str) -> Option<&str> {
        let uris = self.description.as_ref()?.uris.as_ref()?;
        uris.iter().find(|u| u.purpose.eq_ignore_ascii_case(purpose)).map(|u| u.uri.as_str())
    }

    /// People in the state.
    pub fn people(&self) -> &[User] {
        self.users.as_ref().map_or(&[], |u| &u.users)
    }

    /// One person of the state.
    pub fn user(&self, who: &Address) -> Option<&User> {
        self.people().iter().find(|u| u.entity == *who)
    }

    /// Whether the conference is locked, as the message MCU or the focus says.
    pub fn locked(&self) -> bool {
        let chat = self.views.iter().flatten().find(|v| v.media.iter().any(|m| m.eq_ignore_ascii_case("chat")));
        let state = self.conference.as_ref().and_then(|c| c.locked);
        state.or(chat.and_then(|v| v.locked)).unwrap_or(false)
    }

    /// `conference-state` and the message MCU's view of a lock, as a notification: both must say it.
    pub fn lock_change(entity: &str, version: u32, chat_mcu: &str, locked: bool) -> ConferenceInfo {
        let view =
            EntityView { entity: chat_mcu.into(), state: ElementState::Full, media: vec!["chat".into()], locked: Some(locked) };
        ConferenceInfo {
            conference: Some(ConferenceState { locked: Some(locked), ..ConferenceState::default() }),
            views: Some(vec![view]),
            ..ConferenceInfo::partial(entity, version)
        }
    }
}

/// Takes a notification into the state by the version rule of RFC 4575 §4.6: full documents always replace, partial
/// ones only right after the last. A document about another conference is discarded.
pub fn apply(known: &mut Option<ConferenceInfo>, doc: ConferenceInfo) -> Applied {
    let Some(state) = known else {
        return match doc.state {
            ElementState::Full => {
                *known = Some(normalised(doc));
                Applied::Applied
            }
            _ => Applied::Gap,
        };
    };
    if !crate::lync::identity::same_uri(&state.entity, &doc.entity) {
        return Applied::Discarded;
    }
    match doc.state {
        ElementState::Full => {
            *state = normalised(doc);
            Applied::Applied
        }
        ElementState::Deleted => {
            *known = None;
            Applied::Applied
        }
        ElementState::Partial if doc.version <= state.version => Applied::Discarded,
        ElementState::Partial if doc.version > state.version.saturating_add(1) => Applied::Gap,
        ElementState::Partial => {
            state.version = doc.version;
            merge(state, doc);
            Applied::Applied
        }
    }
}

/// A full document as a state: whoever it calls gone is not in it.
fn normalised(mut doc: ConferenceInfo) -> ConferenceInfo {
    if let Some(users) = &mut doc.users {
        users.state = ElementState::Full;
        users.users.retain(|u| u.state != ElementState::Deleted);
        users.users.iter_mut().for_each(settle);
    }
    if let Some(views) = &mut doc.views {
        views.retain(|v| v.state != ElementState::Deleted);
        views.iter_mut().for_each(|v| v.state = ElementState::Full);
    }
    doc
}

fn settle(u: &mut User) {
    u.state = ElementState::Full;
    u.endpoints.retain(|e| e.state != ElementState::Deleted);
    u.endpoints.iter_mut().for_each(|e| e.state = ElementState::Full);
}

fn merge(state: &mut ConferenceInfo, doc: ConferenceInfo) {
    if let Some(d) = doc.description {
        merge_description(state.description.get_or_insert_default(), d);
    }
    if let Some(c) = doc.conference {
        let known = state.conference.get_or_insert_default();
        known.user_count = c.user_count.or(known.user_count);
        known.active = c.active.or(known.active);
        known.locked = c.locked.or(known.locked);
    }
    if let Some(users) = doc.users {
        let known = state.users.get_or_insert_default();
        if users.state == ElementState::Full {
            known.users.clear();
        }
        users.users.into_iter().for_each(|u| merge_user(&mut known.users, u));
    }
    for v in doc.views.into_iter().flatten() {
        merge_view(state.views.get_or_insert_default(), v);
    }
}

fn merge_description(known: &mut Description, d: Description) {
    known.subject = d.subject.or(known.subject.take());
    known.uris = d.uris.or(known.uris.take());
    known.conference_id = d.conference_id.or(known.conference_id.take());
    known.admission_policy = d.admission_policy.or(known.admission_policy.take());
    known.organizer = d.organizer.or(known.organizer.take());
    known.join_url = d.join_url.or(known.join_url.take());
    known.phone_id = d.phone_id.or(known.phone_id.take());
    known.autopromote = d.autopromote.or(known.autopromote.take());
    known.lobby_bypass = d.lobby_bypass.or(known.lobby_bypass);
    known.announcements = d.announcements.or(known.announcements);
    known.mute_all = d.mute_all.or(known.mute_all);
    known.self_unmute = d.self_unmute.or(known.self_unmute);
    known.ends_at = d.ends_at.or(known.ends_at.take());
}

fn merge_user(known: &mut Vec<User>, mut user: User) {
    let at = known.iter().position(|k| k.entity == user.entity);
    match (user.state, at) {
        (ElementState::Deleted, Some(at)) => {
            known.remove(at);
        }
        (ElementState::Deleted, None) => {}
        (ElementState::Partial, Some(at)) => {
            let Some(k) = known.get_mut(at) else { return };
            if !user.display_text.is_empty() {
                k.display_text = user.display_text;
            }
            k.role = user.role.or(k.role);
            k.recording = user.recording;
            for e in user.endpoints {
                k.endpoints.retain(|o| !(o.entity.eq_ignore_ascii_case(&e.entity) && o.session == e.session));
                if e.state != ElementState::Deleted {
                    k.endpoints.push(Endpoint { state: ElementState::Full, ..e });
                }
            }
        }
        (_, at) => {
            settle(&mut user);
            if let Some(k) = at.and_then(|at| known.get_mut(at)) {
                *k = user;
            } else if known.len() < ROSTER_MAX {
                known.push(user);
            }
        }
    }
}

fn merge_view(known: &mut Vec<EntityView>, view: EntityView) {
    let at = known.iter().position(|k| k.entity.eq_ignore_ascii_case(&view.entity));
    match (view.state, at.and_then(|at| known.get_mut(at))) {
        (ElementState::Deleted, _) => known.retain(|k| !k.entity.eq_ignore_ascii_case(&view.entity)),
        (ElementState::Partial, Some(k)) => {
            k.locked = view.locked.or(k.locked);
            if !view.media.is_empty() {
                k.media = view.media;
            }
        }
        (_, Some(k)) => *k = EntityView { state: ElementState::Full, ..view },
        (_, None) => known.push(EntityView { state: ElementState::Full, ..view }),
    }
}

#[cfg(test)]
mod tests;
