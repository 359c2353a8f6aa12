//! Bodies of conferences (`lync-conversations.md` 2.2, 3, 4, 5).

use crate::domain::conference::{ConferenceId, ConferenceSettings};
use crate::domain::conversation::{MeetingChange, Role};
use crate::domain::{Address, Rng};
use crate::endpoint::limits::MAX_NAME;
use crate::endpoint::{Error, ErrorKind, JoinTarget};
use crate::lync::cccp::{
    self, AddUser, C3pRequest, C3pResponse, Change, Code, Command, ConferenceRecord, DialOut, FailureReason, Mute,
};
use crate::lync::identity;
use crate::lync::im::ConferenceInvitation;

/// Content type of C3P.
pub(in super::super) const CCCP: &str = cccp::CONTENT_TYPE;
/// Content type of conference state.
pub(in super::super) const CONFERENCE_INFO: &str = "application/conference-info+xml";
/// Content type of an invitation into a conference.
pub(in super::super) const CONFERENCE_INVITE: &str = "application/ms-conf-invite+xml";

pub(in super::super) use identity::same_uri;

/// An invitation into a conference.
pub(in super::super) struct ConferenceOffer {
    /// The focus.
    pub focus: String,
    /// Title.
    pub subject: String,
    /// Messages are offered.
    pub messages: bool,
    /// Audio is offered.
    pub audio: bool,
}

/// A command to the focus.
pub(in super::super) enum Order<'a> {
    /// Lock or unlock.
    Lock(bool),
    /// Throw out.
    Eject(&'a Address),
    /// Promote or demote.
    Role(&'a Address, Role),
    /// Let in or deny.
    Admit(&'a [Address], bool),
    /// Mute or unmute one medium.
    Mute(&'a Address, Medium<'a>, bool),
    /// Change the running conference.
    Change(&'a MeetingChange),
    /// Somebody was invited from inside.
    Invited(&'a Address),
    /// Let the MCU call somebody: whom, the MCU, a fresh GUID.
    DialOut(&'a Address, &'a str, &'a str),
    /// End for everyone.
    End,
}

/// A medium of somebody's device, as the roster names it.
#[derive(Clone, Copy)]
pub(in super::super) struct Medium<'a> {
    /// MCU.
    pub mcu: &'a str,
    /// Device.
    pub endpoint: &'a str,
    /// Its name.
    pub media: &'a str,
    /// `chat`, `audio`
    pub kind: &'a str,
}

/// A C3P response.
pub(in super::super) struct Answer {
    /// Of which request.
    pub request_id: u32,
    /// More will come.
    pub is_pending: bool,
    /// Granted role, in the answer to addUser.
    pub role: Option<Role>,
    failure: Option<FailureReason>,
}

impl Answer {
    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<Error> {
        self.failure.as_ref().map(refusal)
    }
}

/// What the factory made of our wish.
pub(in super::super) enum Scheduled {
    /// The conference stands: its focus.
    Focus(String),
    /// The id is in use.
    IdTaken,
    /// It cannot be.
    Failed(Error),
}

/// Reads an invitation; only one that names a focus is one.
pub(in super::super) fn conference_offer(body: &[u8]) -> Option<ConferenceOffer> {
    let i = ConferenceInvitation::parse(body).ok()?;
    identity::parse_focus(&i.focus)?;
    let subject = i.subject.chars().take(MAX_NAME).collect();
    Some(ConferenceOffer { focus: i.focus, subject, messages: i.im, audio: i.audio })
}

/// Writes an invitation.
pub(in super::super) fn conference_invitation(focus: &str, subject: &str) -> Vec<u8> {
    ConferenceInvitation { focus: focus.into(), subject: subject.into(), im: true, audio: false }.to_bytes()
}

/// A GUID in braces, as endpoints of a roster are named.
pub(in super::super) fn guid(rng: &mut Rng) -> String {
    let h = rng.hex(30).to_uppercase();
    let part = |a: usize, b: usize| h.get(a..b).unwrap_or("0");
    format!("{{{}-{}-4{}-9{}-{}}}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

/// The request to join a focus.
pub(in super::super) fn add_user(
    focus: &str,
    me: &Address,
    guid: &str,
    name: &str,
    passcode: Option<String>,
    id: u32,
) -> Vec<u8> {
    let join = AddUser { pass_code: passcode, ..AddUser::join(focus, me, name, guid) };
    request(focus, me, id, Command::AddUser(Box::new(join)))
}

/// The request to schedule.
pub(in super::super) fn add_conference(
    factory: &str,
    me: &Address,
    id: u32,
    conference: &ConferenceId,
    settings: &ConferenceSettings,
) -> Vec<u8> {
    request(factory, me, id, Command::AddConference(Box::new(ConferenceRecord::request(conference, settings))))
}

/// A command to the focus.
pub(in super::super) fn order(focus: &str, me: &Address, id: u32, order: &Order<'_>) -> Vec<u8> {
    let conference = focus.to_owned();
    let command = match order {
        Order::Lock(locked) => Command::ModifyConferenceLock { conference, locked: *locked },
        Order::Eject(user) => Command::DeleteUser { conference, user: (*user).clone() },
        Order::Role(user, role) => Command::ModifyUserRoles { conference, user: (*user).clone(), role: *role },
        Order::Admit(users, granted) => Command::SetLobbyAccess { conference, users: users.to_vec(), granted: *granted },
        Order::Mute(user, m, muted) => Command::Mute(Box::new(Mute {
            conference,
            mcu: m.mcu.to_owned(),
            user: (*user).clone(),
            endpoint: m.endpoint.to_owned(),
            media: m.media.to_owned(),
            kind: m.kind.to_owned(),
            muted: *muted,
        })),
        Order::Change(c) => Command::Change(Box::new(Change {
            conference,
            access: c.access,
            lobby_bypass: c.lobby_bypass,
            leaders: c.automatic_leaders,
            announcements: c.announcements,
            mute_all: c.mute_all,
            self_unmute: c.self_unmute,
            recording: c.recording,
            invited: Vec::new(),
        })),
        Order::Invited(who) => {
            Command::Change(Box::new(Change { conference, invited: vec![(*who).clone()], ..Change::default() }))
        }
        Order::DialOut(who, mcu, guid) => {
            let dial_out = Some(DialOut { mcu: (*mcu).to_owned(), target: who.to_string() });
            Command::AddUser(Box::new(AddUser { dial_out, ..AddUser::join(focus, who, "", guid) }))
        }
        Order::End => Command::EndConference { conference },
    };
    request(focus, me, id, command)
}

fn request(to: &str, me: &Address, id: u32, command: Command) -> Vec<u8> {
    C3pRequest::new(u64::from(id), to, me.as_str(), command).to_bytes()
}

/// Reads a response.
pub(in super::super) fn response(body: &[u8]) -> Option<Answer> {
    let r = C3pResponse::parse(body).ok()?;
    let (mut role, mut failure) = (None, None);
    match r.answer {
        cccp::Answer::User { role: granted, .. } => role = Some(granted),
        cccp::Answer::Failed(reason) => failure = Some(reason),
        _ => {}
    }
    Some(Answer { request_id: r.request_id.trim().parse().ok()?, is_pending: r.code == Code::Pending, role, failure })
}

/// Reads the factory's answer.
pub(in super::super) fn scheduled(body: &[u8]) -> Scheduled {
    match C3pResponse::parse(body).map(C3pResponse::into_result) {
        Ok(Ok(cccp::Answer::Conference(record))) if identity::parse_focus(&record.uri).is_some() => Scheduled::Focus(record.uri),
        Ok(Err(FailureReason::ConferenceExists)) => Scheduled::IdTaken,
        Ok(Err(reason)) => Scheduled::Failed(refusal(&reason)),
        _ => Scheduled::Failed(Error::new(ErrorKind::Parsing, "the meeting's server answered with something unreadable")),
    }
}

/// The focus somebody wants to join.
pub(in super::super) fn focus_of(target: &JoinTarget, me: &Address) -> Result<String, Error> {
    let named = match target {
        JoinTarget::Conference(organizer, id) => Some((organizer.clone(), id.clone())),
        JoinTarget::Link(text) => {
            let own = || Some((me.clone(), identity::conference_id(text.trim())?));
            identity::parse_join(text).or_else(own)
        }
    };
    let (organizer, id) = named.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, NO_LINK))?;
    Ok(identity::focus(&organizer, &id))
}

const NO_LINK: &str = "this is no meeting link; paste the whole link, or write the organizer and the id";

fn refusal(reason: &FailureReason) -> Error {
    let mut error = Error::new(ErrorKind::ConferenceFailed, reason.text());
    error.detail = Some(reason.as_str().to_owned());
    error
}
