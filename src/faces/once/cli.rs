//! The words and options of commands that sign in, do one thing and leave.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// How the answer is printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// One JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done without the screen.
#[derive(Debug, Subcommand)]
pub enum Once {
    /// The contact list: show, change, search, import and export
    Contacts {
        /// What to do
        #[command(subcommand)]
        what: Contacts,
    },
    /// The groups of the contact list
    Groups {
        /// What to do
        #[command(subcommand)]
        what: Groups,
    },
    /// Ask for somebody's presence
    Presence {
        /// Addresses; without any, everybody on the list
        addresses: Vec<String>,
        /// Go on printing changes until Ctrl-C
        #[arg(long)]
        watch: bool,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Your own status
    Status {
        /// What to do [default: show]
        #[command(subcommand)]
        what: Option<Status>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Your own note
    Note {
        /// What to do [default: show]
        #[command(subcommand)]
        what: Option<Note>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Where others see your devices
    Location {
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Put somebody on a privacy level
    Level {
        /// Who
        address: String,
        /// personal, workgroup, colleagues, external, blocked, or automatic (what their network gets)
        level: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Block somebody: they see you offline and cannot write
    Block {
        /// Who
        address: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Take a block back
    Unblock {
        /// Who
        address: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Who watches your presence
    Watchers {
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Who is in which container
    Containers {
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// What you publish, as the server keeps it
    Publications {
        /// Only this category
        category: Option<String>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Publish a category instance; the XML comes from --value or standard input
    Publish {
        /// Which
        #[command(flatten)]
        key: Key,
        /// The XML; without it, it is read from standard input
        #[arg(long)]
        value: Option<String>,
        /// static, user (until your last device signs out), or seconds
        #[arg(long, default_value = "static")]
        expires: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Take a category instance back
    Unpublish {
        /// Which
        #[command(flatten)]
        key: Key,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Your meetings: list, schedule, change, cancel
    Meet {
        /// What to do
        #[command(subcommand)]
        what: super::words::Meet,
    },
    /// Send one message and wait until it is delivered, or kept by the server for somebody who is not signed in
    Send {
        /// To whom
        address: String,
        /// The words; “-” reads them from standard input
        text: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
}

/// Names one publication.
#[derive(Clone, Debug, Args)]
pub struct Key {
    /// Category, such as note
    pub category: String,
    /// Instance
    #[arg(long, default_value_t = 0)]
    pub instance: u32,
    /// Container
    #[arg(long, default_value_t = 200)]
    pub container: u32,
}

/// What can be done with contacts.
#[derive(Debug, Subcommand)]
pub enum Contacts {
    /// Everybody on the list
    List {
        /// Only this group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// One contact with everything known
    Show {
        /// Who
        address: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Put somebody on the list
    Add {
        /// Who
        address: String,
        /// Your own name for them
        #[arg(long, default_value = "")]
        alias: String,
        /// Group; may be given several times
        #[arg(long, value_name = "NAME")]
        group: Vec<String>,
        /// personal, workgroup, colleagues, external or blocked
        #[arg(long)]
        level: Option<String>,
        /// Do not subscribe to their presence
        #[arg(long)]
        no_presence: bool,
        /// A sentence for them
        #[arg(long, default_value = "")]
        note: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Take somebody off the list, out of all groups
    Remove {
        /// Who
        address: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Give somebody a name of your own; without one their own name is shown
    Rename {
        /// Who
        address: String,
        /// The name
        #[arg(default_value = "")]
        alias: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Move somebody to a group
    Move {
        /// Who
        address: String,
        /// Into which group
        to: String,
        /// Out of this group [default: out of all]
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Put somebody into one more group
    Copy {
        /// Who
        address: String,
        /// Into which group
        to: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Tag somebody, so that you are told about them on all devices
    Tag {
        /// Who
        address: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Take a tag back
    Untag {
        /// Who
        address: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Search the directory
    Search {
        /// A name, or the beginning of an address
        query: Vec<String>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Take a contact list from a file (JSON or vCard)
    Import {
        /// File; “-” is standard input
        file: PathBuf,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Write the contact list to a file; vCard when its name ends in .vcf
    Export {
        /// File; “-” is standard output
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Write vCard whatever the name
        #[arg(long)]
        vcard: bool,
    },
}

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub enum Groups {
    /// All groups
    List {
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Make a group
    Add {
        /// Its name
        name: String,
        /// Mail address of a distribution group of the directory
        #[arg(long, value_name = "ADDRESS")]
        distribution: Option<String>,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Give a group another name
    Rename {
        /// Its name, or # and its number
        name: String,
        /// The new name
        to: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// Delete a group; its contacts stay
    Remove {
        /// Its name, or # and its number
        name: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
    /// The members of a distribution group, one level
    Expand {
        /// Its name, # and its number, or a mail address
        name: String,
        /// How the answer is printed
        #[command(flatten)]
        out: Output,
    },
}

/// What can be done with the own status.
#[derive(Debug, Subcommand)]
pub enum Status {
    /// What others see
    Show,
    /// Set it by hand
    Set {
        /// available, busy, dnd, brb, away, off-work or offline
        status: String,
        /// Your own words for what you do
        #[arg(long, default_value = "")]
        activity: String,
        /// For so long, such as 45m or 2h
        #[arg(long = "for", value_name = "TIME")]
        lasting: Option<String>,
        /// Until then, such as 15:00 or “tomorrow 9”
        #[arg(long, value_name = "TIME", conflicts_with = "lasting")]
        until: Option<String>,
    },
    /// Take the hand-set status back
    Reset,
}

/// What can be done with the own note.
#[derive(Debug, Subcommand)]
pub enum Note {
    /// What others see
    Show,
    /// Set it
    Set {
        /// The sentence
        text: Vec<String>,
        /// Until then, such as 15:00 or “tomorrow 9”
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// An out-of-office note
        #[arg(long)]
        out_of_office: bool,
    },
    /// Take it back
    Clear,
}
