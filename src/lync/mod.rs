//! The Lync / Skype for Business dialect: documents and operations on the wire, both directions, and NTLM signing.
//! Pure functions between bytes and domain types; used by `endpoint` (client side) and `frontend` (server side).

pub mod aggregate;
pub mod batch;
pub mod categories;
pub mod cccp;
pub mod confinfo;
pub mod contact_data;
pub mod contacts;
pub mod containers;
pub mod delegates;
pub mod diagnostics;
pub mod expansion;
pub mod identity;
pub mod im;
pub mod limits;
pub mod provisioning;
pub mod publish;
pub mod registration;
pub mod roaming;
pub mod search;
pub mod soap;
pub mod time;

pub use crate::xml;
pub use xml::{Element, Node, XmlError};
