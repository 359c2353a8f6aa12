//! The words and options of `adsum history` and `adsum meet`.

use super::cli::Output;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What can be done with what was written.
#[derive(Debug, Subcommand)]
pub enum History {
    /// Conversations, the last one first
    List {
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Messages that contain all words, the newest first; beginnings of words count
    Search {
        /// Words
        #[arg(required = true)]
        words: Vec<String>,
        /// Only in this conversation: an address, or its name as history list prints it
        #[arg(long, value_name = "WHO")]
        with: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Everything of one conversation, the oldest first
    Export {
        /// An address, or the name of a conversation as history list prints it
        with: String,
        /// File; “-” is standard output
        #[arg(default_value = "-")]
        file: PathBuf,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
}

/// What can be done with meetings.
#[derive(Debug, Subcommand)]
pub enum Meet {
    /// The meetings you have scheduled
    List {
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// One meeting, as an invitation to paste
    Show {
        /// Its id, as meet list prints it
        id: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Schedule a meeting
    Schedule {
        /// When, then what about: tomorrow 10:00 1h Budget
        #[arg(required = true)]
        words: Vec<String>,
        /// What else is wished
        #[command(flatten)]
        wishes: Wishes,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Change a meeting; what is not named stays
    Update {
        /// Its id, as meet list prints it
        id: String,
        /// Another time, such as “tomorrow 10:00 1h”
        #[arg(long, value_name = "TIME")]
        when: Option<String>,
        /// Another subject
        #[arg(long, value_name = "TEXT")]
        subject: Option<String>,
        /// Somebody who is no longer invited; may be given several times
        #[arg(long, value_name = "WHO")]
        uninvite: Vec<String>,
        /// What else is wished
        #[command(flatten)]
        wishes: Wishes,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Cancel a meeting with all of its times
    Cancel {
        /// Its id, as meet list prints it
        id: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
}

/// How a meeting shall be.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct Wishes {
    /// Somebody to invite: an address, or a name from the list; ! before it makes a leader; may be given several times
    #[arg(long, value_name = "WHO")]
    pub invite: Vec<String>,
    /// Such as “every tue”, “weekdays until 2027-06-30”, “monthly 10 times”; “no” ends the repetition
    #[arg(long, value_name = "WORDS")]
    pub repeat: Option<String>,
    /// Who gets in directly
    #[arg(long)]
    pub access: Option<Entry>,
    /// Who leads by coming in
    #[arg(long)]
    pub leaders: Option<Leading>,
    /// What strangers must say; empty: nothing
    #[arg(long, value_name = "LETTERS")]
    pub passcode: Option<String>,
    /// Colleagues must say the passcode, too
    #[arg(long)]
    pub passcode_for_all: Option<Yes>,
    /// Announce who comes and goes
    #[arg(long)]
    pub announce: Option<Yes>,
    /// People may call; needs --access everyone and a passcode
    #[arg(long)]
    pub phone: Option<Yes>,
    /// Callers by phone skip the lobby
    #[arg(long)]
    pub skip_lobby: Option<Yes>,
    /// When the server may forget it: 2027-01-31, “in 3 weeks”; empty: as the server does
    #[arg(long, value_name = "WORDS")]
    pub forget_after: Option<String>,
    /// More about it
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// For programs that read meetings
    #[arg(long, value_name = "TEXT")]
    pub data: Option<String>,
    /// Zone of the times, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
}

/// Whether; in the order of the form on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Yes {
    /// It is not so
    No,
    /// It is so
    Yes,
}

/// Who gets in; in the order of the form on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Entry {
    /// Everybody of your company
    Company,
    /// Only those invited
    Invited,
    /// Everyone with the link
    Everyone,
    /// Nobody without being let in
    Locked,
}

/// Who leads; in the order of the form on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Leading {
    /// Those who are named with !
    Named,
    /// Everybody of your company
    Company,
    /// Everybody
    Everyone,
}
