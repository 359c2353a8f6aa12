//! The services of an endpoint on a SIP/SIMPLE server: presence of others and one's own, messages one by one, a contact list
//! that is kept here. They answer the same operations with the same events as those of the other dialect; what this wire
//! cannot carry is refused with a sentence (`simple.md`, `docs/decisions/simple.md`).

mod access;
#[cfg(test)]
mod access_tests;
mod book;
mod calls;
pub mod conferences;
pub mod contacts;
mod event;
mod files;
mod lasting;
mod list;
mod listing;
#[cfg(test)]
mod lists_tests;
pub mod messages;
mod own;
#[cfg(test)]
mod own_tests;
pub mod publishing;
mod remote;
mod request;
pub mod scheduling;
mod talks;
#[cfg(test)]
mod tests;
pub mod watching;

use super::config::Config;
use super::service::{Service, ServiceId};
use super::{Error, ErrorKind};
use crate::sip::{Method, Name, Request, Response};

/// All of them.
#[derive(Debug)]
pub struct Services {
    contacts: contacts::Contacts,
    publishing: publishing::Publishing,
    watching: watching::Watching,
    messages: messages::Messages,
    conferences: conferences::Conferences,
    scheduling: scheduling::Scheduling,
}

impl Services {
    /// With the contact list of last time.
    pub fn new(config: &Config) -> Services {
        let list = config.list.clone();
        Services {
            contacts: contacts::Contacts::new(list.groups, list.contacts, config.xcap.clone()),
            publishing: publishing::Publishing::new(config.xcap.clone()),
            watching: watching::Watching::default(),
            messages: messages::Messages::new(config),
            conferences: conferences::Conferences::new(config),
            scheduling: scheduling::Scheduling::new(config),
        }
    }

    /// The one that stands in this place.
    pub fn service(&mut self, id: ServiceId) -> &mut dyn Service {
        match id {
            ServiceId::Contacts => &mut self.contacts,
            ServiceId::Publication => &mut self.publishing,
            ServiceId::Subscription => &mut self.watching,
            ServiceId::Conferences => &mut self.conferences,
            ServiceId::Scheduling => &mut self.scheduling,
            _ => &mut self.messages,
        }
    }

    /// Each of them.
    pub fn all(&self) -> [&dyn Service; 6] {
        [&self.contacts, &self.publishing, &self.watching, &self.messages, &self.conferences, &self.scheduling]
    }
}

/// What this dialect cannot do, said in a sentence.
fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("This server speaks standard SIP, which has no {what}."))
}

/// Options that a request may require of us (RFC 3261 8.2.2.3).
pub const SUPPORTED: &[&str] = &["eventlist", "path", "outbound", "timer"];

/// Bodies we take.
const ACCEPT: &str = "text/plain, text/calendar, message/cpim, message/imdn+xml, application/im-iscomposing+xml, \
                      application/pidf+xml, application/conference-info+xml, application/sdp";

/// What a request gets that no service wanted.
pub fn answer_to_stranger(request: &Request, tag: &str) -> Response {
    let in_dialog = request.headers.to().is_some_and(|t| t.tag().is_some());
    let status = match request.method {
        Method::Options => 200,
        Method::Notify | Method::Bye | Method::Info | Method::Update => 481,
        _ if in_dialog => 481,
        Method::Subscribe => 489,
        Method::Register | Method::Publish | Method::Refer | Method::Prack => 405,
        _ => 501,
    };
    let response = request.response(status, tag);
    match status {
        200 => response.with(Name::Allow, request::ALLOW).with(Name::Accept, ACCEPT),
        405 | 501 => response.with(Name::Allow, request::ALLOW),
        _ => response,
    }
}
