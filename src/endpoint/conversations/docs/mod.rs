//! The bodies and headers this service writes and reads, in its own words.

mod conference;
mod im;

pub(super) use conference::*;
pub(super) use im::*;
