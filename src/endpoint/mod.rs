//! Endpoints: the services of UCMA over a dialect, sans-IO.
//!
//! [`UserEndpoint`](user::UserEndpoint) signs in one user and offers contacts, presence, conversations and conferences.
//! One says what should happen with an [`Operation`], and hears what happened as [`Event`]s. The services
//! ([`contacts`], [`publication`], [`subscription`], [`conversations`], [`conferences`]) never reach into each other:
//! each gets a [`service::Ctx`] and speaks through it.

pub mod event;
pub mod operation;
pub mod service;

pub use event::{EndpointState, Error, ErrorKind, Event, Outcome, Reason};
pub use operation::{JoinTarget, Operation, OperationId};
