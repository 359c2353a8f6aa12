//! Endpoints: the services of UCMA over a dialect, sans-IO.
//!
//! [`UserEndpoint`](user::UserEndpoint) signs in one user and offers contacts, presence, conversations and conferences;
//! [`ApplicationEndpoint`](application::ApplicationEndpoint) is the same machine for a service that is trusted by its
//! certificate instead.
//! One says what should happen with an [`Operation`], and hears what happened as [`Event`]s. The services
//! ([`contacts`], [`publication`], [`subscription`], [`conversations`], [`conferences`]) never reach into each other:
//! each gets a [`service::Ctx`] and speaks through it.

pub mod application;
pub mod beside;
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
mod servers;
pub mod service;
pub mod sight;
pub mod simple;
mod standing;
pub mod subscription;
#[cfg(test)]
pub(crate) mod testkit;
pub mod trace;
mod trusted;
pub mod user;
pub mod web;
pub mod why;

pub use crate::lync::contact_data;
pub use crate::lync::identity::GUEST_HOST;
pub use crate::sip::{Server, Transport};
pub use application::ApplicationEndpoint;
pub use beside::{Beside, FileAsk, FileNews, PipeAsk, PipeId, PipeNews, RelayPlace};
pub use conferences::{focus_uri, parse_link};
pub use config::{Config, Dialect, EndpointKind, KnownList, KnownMeetings, Output};
pub use event::{EndpointState, Error, ErrorKind, Event, Feature, Outcome, Reason};
pub use operation::{JoinTarget, Operation, OperationId};
pub use simple::conferences::parse_conference;
pub use trace::{Direction, WireRecord};
pub use user::UserEndpoint;
pub use web::{WebAnswer, WebPlace, WebRequest};
