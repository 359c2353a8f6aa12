//! `adsum demo`: a front end on loopback, a cast of people who really sign in, and the screen signed in as one of them.

pub mod actor;
pub mod script;
pub mod stage;
