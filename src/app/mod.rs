//! The messenger without a terminal: a [`State`], and [`update`] that turns an [`Event`] into changes and [`Effect`]s.
//!
//! Contract: `update(&mut state, now, event)` does no I/O and reads no clock; what should happen outside is returned as plain
//! data, and its answer comes back as an event with the same id. Before drawing, call [`State::settle`] once: it rebuilds the
//! derived rows that went stale. After drawing, hand the measured sizes back through [`State::measured`].
//! Texts of other people stay raw here; only `text` makes them fit for a screen.

pub mod access;
pub mod addressbook;
pub mod agenda;
pub mod alerts;
pub mod alone;
pub mod calendar;
pub mod calendar_file;
pub mod commands;
mod completion;
pub mod config;
mod contact_form;
pub mod door;
pub mod editor;
pub mod effect;
pub mod event;
pub mod exchange;
pub mod files;
mod form;
mod heard;
pub mod help;
pub mod hours;
mod idle;
pub mod invitation;
pub mod invited;
pub mod kept;
pub mod keymap;
mod keys;
pub mod limits;
pub mod lists;
pub mod meeting_form;
pub mod meetings;
pub mod outlook;
pub mod own;
mod palette;
pub mod password;
mod past;
pub mod people;
mod publishing;
mod questions;
mod recall;
mod recording;
pub mod reminders;
pub mod roster;
mod scroll;
mod sending;
pub mod series;
pub mod state;
mod stored;
mod tabs;
mod talk;
mod typing;
mod update;
pub mod when;
mod wire;

pub use editor::Editor;
pub use effect::Effect;
pub use event::Event;
pub use state::State;
pub use update::{shows, update};

#[cfg(test)]
mod tests;
