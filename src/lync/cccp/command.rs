//! The commands of C3P requests.

use super::record::{autopromote, policy, read_autopromote, read_policy};
use super::{C3P, C3P_EXT, ConferenceRecord, EXT, EXT2, INFO, OWN, SEPARATOR, read_role, role_name};
use crate::domain::Address;
use crate::domain::conference::{AccessLevel, AutomaticLeaders, ConferenceId};
use crate::domain::conversation::Role;
use crate::lync::identity;
use crate::lync::xml::{Element, XmlError, parse_bool};

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// What can be scheduled here.
    GetConferencingCapabilities,
    /// MCU types only.
    GetAvailableMcuTypes,
    /// Schedule.
    AddConference(Box<ConferenceRecord>),
    /// Replace the whole stored document.
    ModifyConference(Box<ConferenceRecord>),
    /// Summaries of all own ones.
    GetConferences,
    /// One, whole.
    GetConference(ConferenceId),
    /// What others may know of the one with this number for callers (our own key).
    FindConference(String),
    /// Whether the sender would get in with this passcode, or without one (our own command, to the sender's factory).
    VerifyPasscode {
        /// Focus URI.
        conference: String,
        /// The passcode, if one is given.
        passcode: Option<String>,
    },
    /// Take one off the schedule (to the factory).
    CancelConference(ConferenceId),
    /// End one for everybody (to the focus).
    EndConference {
        /// Focus URI.
        conference: String,
    },
    /// Join, or have somebody dialled.
    AddUser(Box<AddUser>),
    /// Throw somebody out.
    DeleteUser {
        /// Focus URI.
        conference: String,
        /// Who.
        user: Address,
    },
    /// Lock or unlock.
    ModifyConferenceLock {
        /// Focus URI.
        conference: String,
        /// Locked.
        locked: bool,
    },
    /// Promote or demote.
    ModifyUserRoles {
        /// Focus URI.
        conference: String,
        /// Who.
        user: Address,
        /// New role.
        role: Role,
    },
    /// Let in from the lobby, or not.
    SetLobbyAccess {
        /// Focus URI.
        conference: String,
        /// Who.
        users: Vec<Address>,
        /// Let in.
        granted: bool,
    },
    /// Change a running conference until nobody is in it.
    Change(Box<Change>),
    /// Mute or unmute one medium of somebody's endpoint.
    Mute(Box<Mute>),
    /// Any other command, whole.
    Other(Element),
}

/// `modifyConference` to a focus: what shall be otherwise while the conference runs; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Focus URI.
    pub conference: String,
    /// Who gets in.
    pub access: Option<AccessLevel>,
    /// Phone callers skip the lobby.
    pub lobby_bypass: Option<bool>,
    /// Who becomes leader.
    pub leaders: Option<AutomaticLeaders>,
    /// Announce comings and goings.
    pub announcements: Option<bool>,
    /// Mute everybody but leaders, newcomers too; or end that.
    pub mute_all: Option<bool>,
    /// Attendees may unmute themselves while all are muted.
    pub self_unmute: Option<bool>,
    /// The sender says that it records, or not any more.
    pub recording: Option<bool>,
    /// People a leader has invited from inside.
    pub invited: Vec<Address>,
}

/// `modifyEndpointMedia` of a mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Focus URI.
    pub conference: String,
    /// MCU whose medium it is.
    pub mcu: String,
    /// Who.
    pub user: Address,
    /// GUID of the device; empty: all of them.
    pub endpoint: String,
    /// Name of the medium.
    pub media: String,
    /// `chat`, `audio`
    pub kind: String,
    /// Muted.
    pub muted: bool,
}

impl Change {
    fn write(&self) -> Element {
        let own = |name: &str, value: Option<bool>| value.map(|v| Element::in_ns(name, OWN).with_text(v.to_string()));
        let ext = |name: &str, value: Option<String>| value.map(|v| Element::in_ns(name, EXT).with_text(v));
        let description = Element::in_ns("conference-description", INFO)
            .with_opt(ext("admission-policy", self.access.map(|a| policy(a).to_owned())))
            .with_opt(ext("autopromote", self.leaders.map(|l| autopromote(l).to_owned())))
            .with_opt(ext("pstn-lobby-bypass", self.lobby_bypass.map(|b| b.to_string())))
            .with_opt(own("announcements", self.announcements))
            .with_opt(own("mute-all", self.mute_all))
            .with_opt(own("self-unmute", self.self_unmute))
            .with_opt(own("recording", self.recording));
        let locked = (self.access == Some(AccessLevel::Locked))
            .then(|| Element::in_ns("conference-state", INFO).with_leaf("locked", "true"));
        let user = |u: &Address| Element::in_ns("user", INFO).with_attr("entity", u).with_attr("state", "partial");
        let users = (!self.invited.is_empty())
            .then(|| Element::in_ns("users", INFO).with_attr("state", "partial").with_all(self.invited.iter().map(user)));
        Element::in_ns("conference-info", INFO)
            .with_attr("entity", &self.conference)
            .with_attr("state", "partial")
            .with(description)
            .with_opt(locked)
            .with_opt(users)
    }

    /// Reads `conference-info` with `state="partial"`.
    fn read(e: &Element) -> Change {
        let empty = Element::default();
        let d = e.child("conference-description").unwrap_or(&empty);
        let flag = |name: &str| d.child_value(name).and_then(|t| parse_bool(&t));
        let locked = e.child("conference-state").and_then(|s| s.child_value("locked")).and_then(|t| parse_bool(&t));
        let policy = d.child_value("admission-policy").map(|p| read_policy(Some(&p)));
        let users = e.child("users").map(|u| u.children_named("user").filter_map(|u| Address::parse(u.attr("entity")?).ok()));
        Change {
            conference: e.attr("entity").unwrap_or("").to_owned(),
            access: if locked == Some(true) { Some(AccessLevel::Locked) } else { policy },
            lobby_bypass: flag("pstn-lobby-bypass"),
            leaders: d.child_value("autopromote").map(|a| read_autopromote(Some(&a))),
            announcements: flag("announcements"),
            mute_all: flag("mute-all"),
            self_unmute: flag("self-unmute"),
            recording: flag("recording"),
            invited: users.map(|u| u.collect()).unwrap_or_default(),
        }
    }
}

impl Mute {
    fn write(&self) -> Element {
        let (status, filter) = if self.muted { ("recvonly", "block") } else { ("sendrecv", "unblock") };
        let keys = Element::in_ns("mediaKeys", C3P)
            .with_attr("confEntity", &self.conference)
            .with_attr("userEntity", &self.user)
            .with_attr("endpointEntity", &self.endpoint)
            .with_attr("mediaId", &self.media);
        let media = Element::in_ns("media", INFO)
            .with_attr("id", &self.media)
            .with_leaf("type", self.kind.as_str())
            .with_leaf("status", status)
            .with(Element::in_ns("media-ingress-filter", EXT).with_text(filter));
        Element::in_ns("modifyEndpointMedia", C3P).with_attr(&format!("{{{C3P_EXT}}}mcuUri"), &self.mcu).with(keys).with(media)
    }

    fn read(e: &Element) -> Result<Mute, XmlError> {
        let keys = e.child("mediaKeys").ok_or(XmlError::Missing("mediaKeys"))?;
        let media = e.child("media").ok_or(XmlError::Missing("media"))?;
        let filter = media.child_value("media-ingress-filter");
        let status = media.child_value("status");
        Ok(Mute {
            conference: keys.attr("confEntity").ok_or(XmlError::Missing("confEntity"))?.to_owned(),
            mcu: e.attr("mcuUri").unwrap_or("").to_owned(),
            user: address(keys.attr("userEntity"))?,
            endpoint: keys.attr("endpointEntity").unwrap_or("").to_owned(),
            media: keys.attr("mediaId").unwrap_or("").to_owned(),
            kind: media.child_value("type").unwrap_or_default(),
            muted: match filter {
                Some(f) => f.eq_ignore_ascii_case("block"),
                None => status.is_some_and(|s| s.eq_ignore_ascii_case("recvonly") || s.eq_ignore_ascii_case("inactive")),
            },
        })
    }
}

/// `addUser`: a join towards a focus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddUser {
    /// Focus URI.
    pub conference: String,
    /// Who.
    pub user: Address,
    /// Name to show; may be empty.
    pub display_name: String,
    /// Role asked for.
    pub role: Role,
    /// GUID in braces.
    pub endpoint: String,
    /// Can wait in a lobby.
    pub lobby_capable: bool,
    /// Passcode, for those who need one.
    pub pass_code: Option<String>,
    /// Set when an MCU shall call somebody instead.
    pub dial_out: Option<DialOut>,
}

/// `addUser` with `dialed-out`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialOut {
    /// MCU that shall call.
    pub mcu: String,
    /// Whom (`sip:` or `tel:`).
    pub target: String,
}

impl AddUser {
    /// An ordinary join.
    pub fn join(focus: &str, user: &Address, display_name: &str, endpoint: &str) -> AddUser {
        AddUser {
            conference: focus.into(),
            user: user.clone(),
            display_name: display_name.into(),
            role: Role::Attendee,
            endpoint: endpoint.into(),
            lobby_capable: true,
            pass_code: None,
            dial_out: None,
        }
    }

    fn write(&self) -> Element {
        let lobby = self.lobby_capable.then(|| {
            Element::in_ns("clientInfo", EXT)
                .with(Element::in_ns("separator", SEPARATOR))
                .with(Element::in_ns("lobby-capable", EXT2).with_text("true"))
        });
        let name =
            (!self.display_name.is_empty()).then(|| Element::in_ns("display-text", INFO).with_text(self.display_name.as_str()));
        let mut endpoint = Element::in_ns("endpoint", INFO).with_attr("entity", &self.endpoint);
        let mut command = Element::in_ns("addUser", C3P);
        if let Some(d) = &self.dial_out {
            command = command.with_attr(&format!("{{{C3P_EXT}}}mcuUri"), &d.mcu);
            endpoint = endpoint.with_attr("endpoint-uri", &d.target).with_leaf("joining-method", "dialed-out");
        }
        let user = Element::in_ns("user", INFO)
            .with_attr("entity", &self.user)
            .with_opt(name)
            .with(Element::in_ns("roles", INFO).with_leaf("entry", role_name(self.role)))
            .with(endpoint.with_opt(lobby));
        let code = self.pass_code.as_ref().map(|c| Element::in_ns("pass-code", OWN).with_text(c.as_str()));
        command.with(conference_keys(&self.conference)).with(user).with_opt(code)
    }

    fn read(e: &Element) -> Result<AddUser, XmlError> {
        let mut users = e.children_named("user");
        let user = users.next().ok_or(XmlError::Missing("user"))?;
        if users.next().is_some() {
            return Err(XmlError::Malformed("addUser names more than one user".into()));
        }
        let endpoint = user.child("endpoint");
        let method = endpoint.and_then(|p| p.child_value("joining-method"));
        let dialled = method.is_some_and(|m| m.eq_ignore_ascii_case("dialed-out"));
        let dial_out = dialled.then(|| DialOut {
            mcu: e.attr("mcuUri").unwrap_or("").to_owned(),
            target: endpoint.and_then(|p| p.attr("endpoint-uri").or_else(|| p.attr("refer-to-uri"))).unwrap_or("").to_owned(),
        });
        let lobby = endpoint.and_then(|p| p.child("clientInfo")).and_then(|c| c.child_value("lobby-capable"));
        let role = user.child("roles").and_then(|r| r.child_value("entry"));
        Ok(AddUser {
            conference: entity(e, "conferenceKeys")?,
            user: address(user.attr("entity"))?,
            display_name: user.child_text("display-text").unwrap_or_default(),
            role: role.map_or(Role::Attendee, |r| read_role(&r)),
            endpoint: endpoint.and_then(|p| p.attr("entity")).unwrap_or("").to_owned(),
            lobby_capable: lobby.and_then(|l| parse_bool(&l)).unwrap_or(false),
            pass_code: e.child_value("pass-code"),
            dial_out,
        })
    }
}

impl Command {
    /// Name on the wire.
    pub fn name(&self) -> &str {
        match self {
            Command::GetConferencingCapabilities => "getConferencingCapabilities",
            Command::GetAvailableMcuTypes => "getAvailableMcuTypes",
            Command::AddConference(_) => "addConference",
            Command::ModifyConference(_) => "modifyConference",
            Command::GetConferences => "getConferences",
            Command::GetConference(_) | Command::FindConference(_) => "getConference",
            Command::VerifyPasscode { .. } => "verifyPassCode",
            Command::CancelConference(_) | Command::EndConference { .. } => "deleteConference",
            Command::AddUser(_) => "addUser",
            Command::DeleteUser { .. } => "deleteUser",
            Command::ModifyConferenceLock { .. } => "modifyConferenceLock",
            Command::ModifyUserRoles { .. } => "modifyUserRoles",
            Command::SetLobbyAccess { .. } => "setLobbyAccess",
            Command::Change(_) => "modifyConference",
            Command::Mute(_) => "modifyEndpointMedia",
            Command::Other(e) => &e.name,
        }
    }

    /// Focus URI a control command is about.
    pub fn conference(&self) -> Option<&str> {
        match self {
            Command::AddUser(a) => Some(&a.conference),
            Command::Change(c) => Some(&c.conference),
            Command::Mute(m) => Some(&m.conference),
            Command::EndConference { conference }
            | Command::VerifyPasscode { conference, .. }
            | Command::DeleteUser { conference, .. }
            | Command::ModifyConferenceLock { conference, .. }
            | Command::ModifyUserRoles { conference, .. }
            | Command::SetLobbyAccess { conference, .. } => Some(conference),
            _ => None,
        }
    }

    /// What a response repeats.
    pub(super) fn keys(&self) -> Option<Element> {
        match self {
            Command::DeleteUser { conference, user } | Command::ModifyUserRoles { conference, user, .. } => {
                Some(user_keys(conference, user))
            }
            Command::EndConference { conference } => {
                Some(Element::in_ns("conference-info", INFO).with_attr("entity", conference))
            }
            Command::CancelConference(id) => Some(id_keys(id)),
            Command::Mute(m) => Some(user_keys(&m.conference, &m.user)),
            _ => self.conference().map(conference_keys),
        }
    }

    pub(super) fn write(&self) -> Element {
        let e = Element::in_ns(self.name(), C3P);
        match self {
            Command::GetConferencingCapabilities | Command::GetAvailableMcuTypes | Command::GetConferences => e,
            Command::AddConference(r) | Command::ModifyConference(r) => e.with(r.write(true)),
            Command::GetConference(id) | Command::CancelConference(id) => e.with(id_keys(id)),
            Command::FindConference(number) => {
                e.with(Element::in_ns("conferenceKeys", C3P).with_attr(&format!("{{{OWN}}}phone-id"), number))
            }
            Command::VerifyPasscode { conference, passcode } => {
                let code = passcode.as_ref().map(|c| Element::in_ns("pass-code", OWN).with_text(c.as_str()));
                e.with(conference_keys(conference)).with_opt(code)
            }
            Command::EndConference { conference } => e.with(conference_keys(conference)),
            Command::AddUser(a) => a.write(),
            Command::DeleteUser { conference, user } => e.with(user_keys(conference, user)),
            Command::ModifyConferenceLock { conference, locked } => {
                e.with(conference_keys(conference)).with_leaf("locked", locked.to_string())
            }
            Command::ModifyUserRoles { conference, user, role } => {
                e.with(user_keys(conference, user)).with(Element::in_ns("user-roles", INFO).with_leaf("entry", role_name(*role)))
            }
            Command::SetLobbyAccess { conference, users, granted } => {
                let e = users.iter().fold(e.with(conference_keys(conference)), |e, u| e.with_leaf("userEntity", u.as_str()));
                e.with_leaf("access", if *granted { "granted" } else { "denied" })
            }
            Command::Change(c) => e.with(c.write()),
            Command::Mute(m) => m.write(),
            Command::Other(e) => e.clone(),
        }
    }

    pub(super) fn read(e: &Element) -> Result<Command, XmlError> {
        let record = || e.child("conference-info").map(ConferenceRecord::read).ok_or(XmlError::Missing("conference-info"));
        Ok(match e.name.as_str() {
            "getConferencingCapabilities" => Command::GetConferencingCapabilities,
            "getAvailableMcuTypes" => Command::GetAvailableMcuTypes,
            "addConference" => Command::AddConference(Box::new(record()?)),
            "modifyConference" if e.child("conference-info").is_some_and(|i| i.attr("state") == Some("partial")) => {
                Command::Change(Box::new(e.child("conference-info").map(Change::read).unwrap_or_default()))
            }
            "modifyEndpointMedia" => Command::Mute(Box::new(Mute::read(e)?)),
            "modifyConference" if e.child("conference-info").is_some_and(|i| i.child("conference-description").is_some()) => {
                Command::ModifyConference(Box::new(record()?))
            }
            "getConferences" => Command::GetConferences,
            "getConference" => match e.child("conferenceKeys").and_then(|k| k.attr("phone-id")) {
                Some(number) => Command::FindConference(number.trim().to_owned()),
                None => Command::GetConference(id(e)?),
            },
            "verifyPassCode" => {
                Command::VerifyPasscode { conference: entity(e, "conferenceKeys")?, passcode: e.child_value("pass-code") }
            }
            "deleteConference" => match entity(e, "conferenceKeys") {
                Ok(conference) => Command::EndConference { conference },
                Err(_) => Command::CancelConference(id(e)?),
            },
            "addUser" => Command::AddUser(Box::new(AddUser::read(e)?)),
            "deleteUser" => Command::DeleteUser { conference: entity(e, "userKeys")?, user: user(e)? },
            "modifyConferenceLock" => Command::ModifyConferenceLock {
                conference: entity(e, "conferenceKeys")?,
                locked: e.child_value("locked").and_then(|l| parse_bool(&l)).ok_or(XmlError::Missing("locked"))?,
            },
            "modifyUserRoles" => Command::ModifyUserRoles {
                conference: entity(e, "userKeys")?,
                user: user(e)?,
                role: read_role(&e.child("user-roles").and_then(|r| r.child_value("entry")).ok_or(XmlError::Missing("role"))?),
            },
            "setLobbyAccess" => Command::SetLobbyAccess {
                conference: entity(e, "conferenceKeys")?,
                users: e.children_named("userEntity").filter_map(|u| Address::parse(&u.text()).ok()).collect(),
                granted: e.child_value("access").is_some_and(|a| a.eq_ignore_ascii_case("granted")),
            },
            _ => Command::Other(e.clone()),
        })
    }
}

fn conference_keys(focus: &str) -> Element {
    Element::in_ns("conferenceKeys", C3P).with_attr("confEntity", focus)
}

fn user_keys(focus: &str, user: &Address) -> Element {
    Element::in_ns("userKeys", C3P).with_attr("confEntity", focus).with_attr("userEntity", user)
}

fn id_keys(id: &ConferenceId) -> Element {
    Element::in_ns("conferenceKeys", C3P).with_attr(&format!("{{{EXT}}}conference-id"), &id.0)
}

fn entity(e: &Element, keys: &str) -> Result<String, XmlError> {
    let found = e.child(keys).and_then(|k| k.attr("confEntity")).filter(|u| !u.is_empty());
    found.map(str::to_owned).ok_or(XmlError::Missing("confEntity"))
}

fn id(e: &Element) -> Result<ConferenceId, XmlError> {
    let text = e.child("conferenceKeys").and_then(|k| k.attr("conference-id"));
    text.and_then(identity::conference_id).ok_or(XmlError::Missing("conference-id"))
}

fn address(text: Option<&str>) -> Result<Address, XmlError> {
    text.and_then(|t| Address::parse(t).ok()).ok_or(XmlError::Missing("entity"))
}

fn user(e: &Element) -> Result<Address, XmlError> {
    address(e.child("userKeys").and_then(|k| k.attr("userEntity")))
}
