//! Connections: octets in, signed octets out, idle ones closed.

use super::super::guests::Guest;
use super::super::limits;
use super::super::security::Associations;
use crate::domain::{Address, Time};
use crate::sip::FlowId;
use crate::sip::framing::Framer;
use std::collections::HashMap;

/// One connection.
#[derive(Debug)]
pub struct Flow {
    /// Who is at the other end, for the log.
    pub peer: String,
    /// TLS.
    pub secure: bool,
    /// Cuts the stream into messages.
    pub framer: Framer,
    /// When it was opened.
    pub opened: Time,
    /// When the last octet came.
    pub seen: Time,
    /// Refused requests so far.
    pub faults: u32,
    /// The application whose certificate this connection showed.
    pub application: Option<Address>,
    /// The guest who came in on this connection.
    pub guest: Option<Guest>,
    /// Who has proven what here.
    pub associations: Associations,
}

/// All connections.
pub type Flows = HashMap<FlowId, Flow>;

impl Flow {
    /// A fresh one.
    pub fn new(now: Time, peer: String, secure: bool) -> Flow {
        Flow {
            peer,
            secure,
            framer: Framer::new(),
            opened: now,
            seen: now,
            faults: 0,
            application: None,
            guest: None,
            associations: Associations::default(),
        }
    }

    /// When to look at it again: nobody has signed in, or nothing came for long.
    pub fn deadline(&self, signed_in: bool) -> Time {
        if signed_in {
            self.seen + limits::FLOW_IDLE
        } else {
            self.opened.max(self.seen_unregistered()) + limits::FLOW_UNREGISTERED
        }
    }

    /// Somebody who signed out may stay as long as somebody who has not signed in yet.
    fn seen_unregistered(&self) -> Time {
        if self.associations.is_empty() { self.opened } else { self.seen }
    }
}
