//! Endpoints: the services of UCMA over a dialect, sans-IO.
//!
//! [`UserEndpoint`](user::UserEndpoint) signs in one user and offers contacts, presence, conversations and conferences.
//! One says what should happen with an [`Operation`], and hears what happened as [`Event`]s. The services
//! ([`contacts`], [`publication`], [`subscription`], [`conversations`], [`conferences`]) never reach into each other:
//! each gets a [`service::Ctx`] and speaks through it.

pub mod conferences;
pub mod config;
pub mod contacts;
pub mod conversations;
pub mod directory;
pub mod event;
pub mod limits;
pub mod operation;
pub mod provisioning;
pub mod publication;
pub mod published;
pub mod registration;
pub mod roaming;
pub mod security;

pub mod service;
pub mod sight;
pub mod simple;
pub mod subscription;
#[cfg(test)]
pub(crate) mod testkit;
pub mod trace;
pub mod user;
pub mod why;

pub use crate::lync::contact_data;
pub use config::{Config, Output};
pub use event::{EndpointState, Error, ErrorKind, Event, Outcome, Reason};
pub use operation::{JoinTarget, Operation, OperationId};
pub use trace::{Direction, WireRecord};
pub use user::UserEndpoint;
