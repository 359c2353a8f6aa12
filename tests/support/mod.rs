//! Shared by the tests of whole worlds.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod view;
pub mod world;
