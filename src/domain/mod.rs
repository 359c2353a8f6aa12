//! The words of the field: endpoints, contacts, presence, conversations and conferences, and the rules
//! between them that need no wire, no clock and no store. Everyone may import this room; it imports nobody.

pub mod access;
pub mod address;
pub mod admission;
pub mod aggregation;
pub mod calendar;
pub mod conference;
pub mod conference_rules;
pub mod contact;
pub mod conversation;
pub mod file;
pub mod instances;
pub mod itip;
pub mod locale;
pub mod manifest;
pub mod outlook;
pub mod presence;
pub mod privacy;
pub mod rng;
pub mod series;
pub mod time;
pub mod watching;
pub mod zone;

pub use address::Address;
pub use rng::Rng;
pub use time::Time;
