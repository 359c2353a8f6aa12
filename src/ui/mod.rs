//! The screen: drawing as a function of the state, and the terminal under it.

pub mod terminal;
