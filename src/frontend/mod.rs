//! The embedded front end: registrar, presence, contact store, message routing, focus factory, focus and IM MCU.
//! A sans-IO machine like the endpoints it serves.
//!
//! [`Server`] owns the flows, the transactions and the security associations and hands each authenticated request to one
//! module; modules speak through [`Ctx`] only and never reach into each other. What they share is [`State`].

pub mod applications;
#[cfg(test)]
mod bench;
pub mod conferencing;
pub mod config;
pub mod contacts;
pub mod ctx;
pub mod data;
pub mod dialog;
pub mod guests;
pub mod limits;
pub mod presence;
pub mod registrar;
pub mod registrations;
pub mod routing;
pub mod search;
pub mod security;
pub mod server;
pub mod state;
#[cfg(test)]
mod testing;
pub mod timers;

pub use applications::TrustedApplication;
pub use config::{Config, ListLimits, Policy, read_phone};
pub use ctx::{Action, Ctx, Incoming, LogLevel, Module, ModuleId, Reply, Token};
pub use data::{ContactList, Data, KeptMessage, Running, StoreOp, UserData, UserRecord};
pub use registrations::{Registration, RegistrationId, Registrations};
pub use server::{Output, Server};
pub use state::{Reach, State, User};
