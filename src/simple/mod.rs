//! The standard dialect, SIP/SIMPLE: presence documents, messages, delivery notices, lists and rules, both directions.
//! Pure functions between octets and domain types; `docs/decisions/simple.md` says how the two dialects correspond.

pub mod composing;
pub mod conference;
pub mod cpim;
pub mod imdn;
pub mod limits;
pub mod mapping;
pub mod pidf;
pub mod pres_rules;
pub mod quirks;
pub mod refer;
pub mod resource_lists;
pub mod rlmi;
pub mod rls_services;
pub mod time;
pub mod winfo;
pub mod xcap;
