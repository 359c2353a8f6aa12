//! The real program in a pseudo-terminal: the demo, screens against a front end on loopback, and what can go wrong.

#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "terminal/bad.rs"]
mod bad;
#[path = "terminal/commands.rs"]
mod commands;
#[path = "terminal/contacts.rs"]
mod contacts;
#[path = "terminal/demo.rs"]
mod demo;
#[path = "support/place.rs"]
mod place;
#[path = "support/pty.rs"]
mod pty;
#[path = "terminal/restart.rs"]
mod restart;
#[path = "terminal/sizes.rs"]
mod sizes;
#[path = "terminal/two.rs"]
mod two;
