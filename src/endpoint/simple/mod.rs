//! The services of an endpoint on a SIP/SIMPLE server: presence of others and one's own, messages one by one, a contact list
//! that is kept here. They answer the same operations with the same events as those of the other dialect; what this wire
//! cannot carry is refused with a sentence (`simple.md`, `docs/decisions/simple.md`).

pub mod contacts;
mod event;
pub mod messages;
pub mod publishing;
mod request;
#[cfg(test)]
mod tests;
pub mod watching;

use super::{Error, ErrorKind};

/// What this dialect cannot do, said in a sentence.
fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("This server speaks standard SIP, which has no {what}."))
}
