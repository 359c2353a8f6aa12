//! adsum ("I am here"): a full-screen terminal messenger for SIP unified communications.
//!
//! The rooms and the direction of imports between them are described in `docs/architecture.md`
//! and guarded by `tests/architecture.rs`:
//! `faces → ui → app → endpoint → lync → sip`; everyone may use [`domain`] and [`text`], the dialects [`xml`];
//! [`frontend`] uses `lync`, `sip` and `domain`; `net` and `store` are adapters that only `faces` names.

pub mod app;
pub mod domain;
pub mod endpoint;
pub mod faces;
pub mod frontend;
pub mod lync;
pub mod msrp;
pub mod net;
pub mod simple;
pub mod sip;
pub mod store;
pub mod text;
pub mod ui;
pub mod xml;
