//! The services of an endpoint on a SIP/SIMPLE server: presence of others and one's own, messages one by one, a contact list
//! that is kept here. They answer the same operations with the same events as those of the other dialect; what this wire
//! cannot carry is refused with a sentence (`simple.md`, `docs/decisions/simple.md`).

mod access;
#[cfg(test)]
mod access_tests;
mod book;
pub mod contacts;
mod event;
mod list;
mod listing;
#[cfg(test)]
mod lists_tests;
pub mod messages;
pub mod publishing;
mod remote;
mod request;
#[cfg(test)]
mod tests;
pub mod watching;

use super::config::Config;
use super::service::{Service, ServiceId};
use super::{Error, ErrorKind};

/// All of them.
#[derive(Debug)]
pub struct Services {
    contacts: contacts::Contacts,
    publishing: publishing::Publishing,
    watching: watching::Watching,
    messages: messages::Messages,
}

impl Services {
    /// With the contact list of last time.
    pub fn new(config: &Config) -> Services {
        let list = config.list.clone();
        Services {
            contacts: contacts::Contacts::new(list.groups, list.contacts, config.xcap.clone()),
            publishing: publishing::Publishing::new(config.xcap.clone()),
            watching: watching::Watching::default(),
            messages: messages::Messages::default(),
        }
    }

    /// The one that stands in this place.
    pub fn service(&mut self, id: ServiceId) -> &mut dyn Service {
        match id {
            ServiceId::Contacts => &mut self.contacts,
            ServiceId::Publication => &mut self.publishing,
            ServiceId::Subscription => &mut self.watching,
            _ => &mut self.messages,
        }
    }

    /// Each of them.
    pub fn all(&self) -> [&dyn Service; 4] {
        [&self.contacts, &self.publishing, &self.watching, &self.messages]
    }
}

/// What this dialect cannot do, said in a sentence.
fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("This server speaks standard SIP, which has no {what}."))
}
