//! C3P: commands about conferences and their answers (conversations guide 3 to 5).
//!
//! Requests to the focus factory travel in SERVICE, the join in INVITE, control in INFO; the documents are the same.

pub mod command;
pub mod failure;
pub mod record;

pub use command::{AddUser, Change, Command, DialOut, Mute};
pub use failure::FailureReason;
pub use record::ConferenceRecord;

use super::xml::{Element, XmlError, parse_bool};
use crate::domain::conference::{Capabilities, PhoneNumber};
use crate::domain::conversation::Role;

/// `Content-Type` of requests and responses.
pub const CONTENT_TYPE: &str = "application/cccp+xml";

pub(super) const C3P: &str = "urn:ietf:params:xml:ns:cccp";
pub(super) const INFO: &str = "urn:ietf:params:xml:ns:conference-info";
pub(super) const SEPARATOR: &str = "urn:ietf:params:xml:ns:conference-info-separator";
pub(super) const EXT: &str = "http://schemas.microsoft.com/rtc/2005/08/confinfoextensions";
pub(super) const EXT2: &str = "http://schemas.microsoft.com/rtc/2008/12/confinfoextensions";
pub(super) const C3P_EXT: &str = "http://schemas.microsoft.com/rtc/2005/08/cccpextensions";
/// Our own elements, at the end of `conference-description`; other servers keep them as they are.
pub(super) const OWN: &str = "urn:adsum:conference";

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct C3pRequest {
    /// Decimal, unique per client; copied into the response.
    pub request_id: String,
    /// Factory or focus URI.
    pub to: String,
    /// URI of the one who asks.
    pub from: String,
    /// What.
    pub command: Command,
}

/// `code` of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Done.
    Success,
    /// Refused.
    Failure,
    /// Still running.
    Pending,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct C3pResponse {
    /// Of the request.
    pub request_id: String,
    /// `to` of the request.
    pub from: String,
    /// `from` of the request.
    pub to: String,
    /// How it went.
    pub code: Code,
    /// Name of the command, as on the wire.
    pub command: String,
    /// What it brought.
    pub answer: Answer,
}

/// What a response brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To `getConferencingCapabilities`.
    Capabilities(Capabilities),
    /// To `getAvailableMcuTypes`.
    McuTypes(Vec<String>),
    /// To `addConference`, `modifyConference`, `getConference`.
    Conference(Box<ConferenceRecord>),
    /// To `getConferences`: summaries.
    Conferences(Vec<ConferenceRecord>),
    /// To `addUser` at a focus.
    User {
        /// Focus URI.
        conference: String,
        /// Who joined.
        user: String,
        /// Role granted.
        role: Role,
    },
    /// Nothing but success; the keys of the request come back.
    Done {
        /// `conferenceKeys`, `userKeys` or `conference-info`.
        keys: Option<Element>,
    },
    /// Why not.
    Failed(FailureReason),
}

impl C3pRequest {
    /// A request.
    pub fn new(request_id: u64, to: &str, from: &str, command: Command) -> C3pRequest {
        C3pRequest { request_id: request_id.to_string(), to: to.into(), from: from.into(), command }
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        Element::in_ns("request", C3P)
            .with_attr("C3PVersion", 1)
            .with_attr("to", &self.to)
            .with_attr("from", &self.from)
            .with_attr("requestId", &self.request_id)
            .with(self.command.write())
            .to_bytes()
    }

    /// Reads the document. A command that is not known becomes [`Command::Other`].
    pub fn parse(octets: &[u8]) -> Result<C3pRequest, XmlError> {
        let root = Element::parse_root(octets, "request")?;
        let command = root.elements().next().ok_or(XmlError::Missing("command"))?;
        Ok(C3pRequest {
            request_id: root.attr("requestId").ok_or(XmlError::Missing("requestId"))?.to_owned(),
            to: root.attr("to").unwrap_or("").to_owned(),
            from: root.attr("from").unwrap_or("").to_owned(),
            command: Command::read(command)?,
        })
    }

    /// A successful response.
    pub fn answer(&self, answer: Answer) -> C3pResponse {
        self.respond(Code::Success, answer)
    }

    /// A successful response that only repeats the keys.
    pub fn done(&self) -> C3pResponse {
        self.answer(Answer::Done { keys: self.command.keys() })
    }

    /// A refusal.
    pub fn fail(&self, reason: FailureReason) -> C3pResponse {
        self.respond(Code::Failure, Answer::Failed(reason))
    }

    fn respond(&self, code: Code, answer: Answer) -> C3pResponse {
        C3pResponse {
            request_id: self.request_id.clone(),
            from: self.to.clone(),
            to: self.from.clone(),
            code,
            command: self.command.name().to_owned(),
            answer,
        }
    }
}

impl C3pResponse {
    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let code = match self.code {
            Code::Success => "success",
            Code::Failure => "failure",
            Code::Pending => "pending",
        };
        Element::in_ns("response", C3P)
            .with_attr("C3PVersion", 1)
            .with_attr("requestId", &self.request_id)
            .with_attr("from", &self.from)
            .with_attr("to", &self.to)
            .with_attr("code", code)
            .with(self.answer.write(&self.command))
            .to_bytes()
    }

    /// Reads the document.
    pub fn parse(octets: &[u8]) -> Result<C3pResponse, XmlError> {
        let root = Element::parse_root(octets, "response")?;
        let code = match root.attr("code") {
            Some(c) if c.eq_ignore_ascii_case("success") => Code::Success,
            Some(c) if c.eq_ignore_ascii_case("pending") => Code::Pending,
            _ => Code::Failure,
        };
        let body = root.elements().next().cloned().unwrap_or_default();
        let answer = match code {
            Code::Failure => Answer::Failed(FailureReason::read(&root, &body)),
            _ => Answer::read(&body),
        };
        let attr = |n: &str| root.attr(n).unwrap_or("").to_owned();
        Ok(C3pResponse { request_id: attr("requestId"), from: attr("from"), to: attr("to"), code, command: body.name, answer })
    }

    /// The answer, or why there is none.
    pub fn into_result(self) -> Result<Answer, FailureReason> {
        match self.answer {
            Answer::Failed(reason) => Err(reason),
            answer => Ok(answer),
        }
    }
}

/// Whether a document is a request (`Some(true)`), a response (`Some(false)`) or neither.
pub fn is_request(octets: &[u8]) -> Option<bool> {
    match Element::parse(octets).ok()?.name.as_str() {
        "request" => Some(true),
        "response" => Some(false),
        _ => None,
    }
}

impl Answer {
    fn write(&self, command: &str) -> Element {
        let e = Element::in_ns(command, C3P);
        match self {
            Answer::Capabilities(c) => e
                .with_attr("capability-version", 0)
                .with(write_mcu_types(&c.mcus))
                .with_leaf("anonymous-scheduling", c.anonymous.to_string())
                .with_opt(write_phones(&c.phones)),
            Answer::McuTypes(types) => e.with(write_mcu_types(types)),
            Answer::Conference(r) => e.with(r.write(false)),
            Answer::Conferences(all) => e.with_all(all.iter().map(|r| r.write(false))),
            Answer::User { conference, user, role } => {
                let roles = Element::in_ns("roles", INFO).with_leaf("entry", role_name(*role));
                e.with(Element::in_ns("conferenceKeys", C3P).with_attr("confEntity", conference))
                    .with(Element::in_ns("user", INFO).with_attr("entity", user).with(roles))
            }
            Answer::Done { keys } => e.with_opt(keys.clone()),
            Answer::Failed(reason) => e.with_attr("reason", reason.as_str()),
        }
    }

    fn read(e: &Element) -> Answer {
        match e.name.as_str() {
            "getConferencingCapabilities" => Answer::Capabilities(Capabilities {
                mcus: read_mcu_types(e),
                anonymous: e.child_value("anonymous-scheduling").and_then(|a| parse_bool(&a)).unwrap_or(false),
                phones: e.path(&["pstn-bridging", "access-numbers"]).map(read_phones).unwrap_or_default(),
            }),
            "getAvailableMcuTypes" => Answer::McuTypes(read_mcu_types(e)),
            "getConferences" => Answer::Conferences(e.children_named("conference-info").map(ConferenceRecord::read).collect()),
            "addConference" | "modifyConference" | "getConference" if e.child("conference-info").is_some() => {
                let record = e.child("conference-info").map(ConferenceRecord::read).unwrap_or_default();
                Answer::Conference(Box::new(record))
            }
            "addUser" => Answer::User {
                conference: e.child("conferenceKeys").and_then(|k| k.attr("confEntity")).unwrap_or("").to_owned(),
                user: e.child("user").and_then(|u| u.attr("entity")).unwrap_or("").to_owned(),
                role: e.path(&["user", "roles"]).and_then(|r| r.child_value("entry")).map_or(Role::Attendee, |r| read_role(&r)),
            },
            _ => Answer::Done { keys: e.elements().next().cloned() },
        }
    }
}

fn write_phones(all: &[PhoneNumber]) -> Option<Element> {
    let region = |p: &PhoneNumber| {
        let number = Element::in_ns("access-number", C3P).with_leaf("number", p.number.as_str());
        Element::in_ns("region", C3P).with_attr("name", &p.region).with(number)
    };
    let first = all.first()?;
    let numbers = Element::in_ns("access-numbers", C3P).with_leaf("default-region", first.region.as_str());
    Some(Element::in_ns("pstn-bridging", C3P).with(numbers.with_all(all.iter().map(region))))
}

fn read_phones(e: &Element) -> Vec<PhoneNumber> {
    let numbers = |r: &Element| -> Vec<PhoneNumber> {
        let region = r.attr("name").unwrap_or("").to_owned();
        let number = |n: &Element| Some(PhoneNumber { region: region.clone(), number: n.child_value("number")? });
        r.children_named("access-number").filter_map(number).collect()
    };
    e.children_named("region").flat_map(numbers).take(super::limits::PHONES_MAX).collect()
}

fn write_mcu_types(types: &[String]) -> Element {
    types.iter().fold(Element::in_ns("mcu-types", C3P), |e, t| e.with_leaf("mcuType", t.as_str()))
}

fn read_mcu_types(e: &Element) -> Vec<String> {
    let types = e.child("mcu-types");
    types.map(|t| t.children_named("mcuType").map(|m| m.text().trim().to_owned()).collect()).unwrap_or_default()
}

/// Role as on the wire.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Leader => "presenter",
        Role::Attendee => "attendee",
    }
}

/// Role from the wire; an unknown one is an attendee.
pub fn read_role(text: &str) -> Role {
    if text.trim().eq_ignore_ascii_case("presenter") { Role::Leader } else { Role::Attendee }
}

#[cfg(test)]
mod tests;
