//! The one registry of commands: keys, palette, slash commands, help and hints all come from here.

pub mod alerts;
mod composer;
pub mod dialog;
mod edit;
mod files;
mod general;
mod meetings;
mod motion;
mod own;
pub mod people;
pub mod roster;
pub mod slash;
mod transcript;
mod wire;

pub use general::{STATUSES, go, quit_now};
pub use motion::{Step, step as motion_step};

use super::door::Door;
use super::keymap::Mode;
use super::state::State;
use crate::endpoint::Feature;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One thing a person can do.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name, as keymaps write it.
    pub name: &'static str,
    /// One line: what it does.
    pub help: &'static str,
    /// The word after the slash, if it can be typed in the composer.
    pub slash: Option<&'static str>,
    /// What it takes.
    pub args: Arg,
    /// Where it applies; [`Mode::Anywhere`] for everywhere.
    pub places: &'static [Mode],
    /// Whether it can be done now, and why not.
    pub available: fn(&State) -> Result<(), &'static str>,
    /// What the server must be able to do for it.
    pub needs: Option<Feature>,
    /// Does it.
    pub run: fn(&mut Door<'_>, &str) -> Result<(), String>,
}

/// What a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Nothing.
    None,
    /// Words, named so in the help; needed or not.
    Words(&'static str, bool),
    /// A person: address or name; needed or not.
    Person(bool),
    /// Somebody in this conversation, and words for them.
    PersonAndWords,
    /// A file, by its path; needed or not.
    File(bool),
    /// A status with an optional end and words.
    Status,
    /// A time with a length, and a subject.
    Meeting,
}

impl Arg {
    /// As shown after the command in the help.
    pub fn usage(self) -> String {
        match self {
            Arg::None => String::new(),
            Arg::Words(name, true) => name.to_owned(),
            Arg::Words(name, false) => format!("[{name}]"),
            Arg::Person(true) => "name or address".into(),
            Arg::Person(false) => "[name or address]".into(),
            Arg::PersonAndWords => "name words".into(),
            Arg::File(true) => "file".into(),
            Arg::File(false) => "[file]".into(),
            Arg::Status => "status [until time] [activity]".into(),
            Arg::Meeting => "time [length] [subject]".into(),
        }
    }

    /// Whether it cannot be left out.
    pub fn needed(self) -> bool {
        use Arg::{File, Meeting, Person, PersonAndWords, Status, Words};
        matches!(self, Words(_, true) | Person(true) | PersonAndWords | File(true) | Status | Meeting)
    }
}

impl Command {
    /// A command without arguments that is always available.
    const fn new(name: &'static str, help: &'static str, places: &'static [Mode], run: Run) -> Command {
        Command { name, help, slash: None, args: Arg::None, places, available: always, needs: None, run }
    }

    const fn when(mut self, available: fn(&State) -> Result<(), &'static str>) -> Command {
        self.available = available;
        self
    }

    const fn needs(mut self, feature: Feature) -> Command {
        self.needs = Some(feature);
        self
    }

    const fn typed(mut self, slash: &'static str, args: Arg) -> Command {
        self.slash = Some(slash);
        self.args = args;
        self
    }
}

impl Command {
    /// Whether it can be done now.
    ///
    /// # Errors
    /// Why not: what this server has not, or what is not the case just now.
    pub fn check(&self, state: &State) -> Result<(), String> {
        if let Some(why) = self.needs.and_then(|f| state.missing(f)) {
            return Err(why.to_owned());
        }
        (self.available)(state).map_err(str::to_owned)
    }
}

type Run = fn(&mut Door<'_>, &str) -> Result<(), String>;

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({})", self.name)
    }
}

const TABLES: [&[Command]; 14] = [
    general::COMMANDS,
    motion::COMMANDS,
    people::COMMANDS,
    alerts::COMMANDS,
    transcript::COMMANDS,
    files::COMMANDS,
    composer::COMMANDS,
    slash::COMMANDS,
    roster::COMMANDS,
    meetings::COMMANDS,
    own::COMMANDS,
    wire::COMMANDS,
    dialog::COMMANDS,
    edit::COMMANDS,
];

/// Every command.
pub fn all() -> impl Iterator<Item = &'static Command> {
    TABLES.into_iter().flatten()
}

/// A command by name.
pub fn find(name: &str) -> Option<&'static Command> {
    static BY_NAME: LazyLock<HashMap<&str, &Command>> = LazyLock::new(|| all().map(|c| (c.name, c)).collect());
    BY_NAME.get(name).copied()
}

/// The command that a line in the composer names, and what stands behind it.
pub fn of_line(line: &str) -> Option<(&'static Command, &str)> {
    let (word, args) = line.strip_prefix('/')?.split_once(char::is_whitespace)?;
    let word = word.to_lowercase();
    Some((all().find(|c| c.slash == Some(&word))?, args))
}

/// Runs a command by name; what stands against it is said in a toast.
pub fn run(door: &mut Door<'_>, name: &str, args: &str) {
    if let Err(reason) = try_run(door, name, args) {
        door.complain(reason);
    }
}

/// Runs a command by name, or says why not.
pub fn try_run(door: &mut Door<'_>, name: &str, args: &str) -> Result<(), String> {
    let command = find(name).ok_or_else(|| format!("there is no command “{name}”"))?;
    command.check(door.state)?;
    (command.run)(door, args)
}

/// The most similar of some names, if any is similar enough.
pub fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).max(1) + 1;
    let best = among.map(|n| (distance(name, n), n)).min_by_key(|(d, n)| (*d, n.len()))?;
    (best.0 <= most).then_some(best.1)
}

/// Damerau-Levenshtein distance (optimal string alignment): a swap of neighbours counts as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        rows[i][0] = i;
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = d;
        }
    }
    rows[a.len()][b.len()]
}

fn always(_: &State) -> Result<(), &'static str> {
    Ok(())
}

/// Needs a link to the server.
pub(super) fn require_online(state: &State) -> Result<(), &'static str> {
    online(state)
}

/// Needs a link to the server.
fn online(state: &State) -> Result<(), &'static str> {
    if state.link.is_up() { Ok(()) } else { Err("this needs the server, and the link is down") }
}

/// Needs the server and a list of people on it.
fn listing(state: &State) -> Result<(), &'static str> {
    if state.account.application {
        return Err("an application has no contacts: nobody keeps a list for it");
    }
    if state.account.guest.is_some() {
        return Err("you are a guest here: nobody keeps a list for you");
    }
    online(state)
}

/// Needs an open tab.
fn in_tab(state: &State) -> Result<(), &'static str> {
    state.conversations.current().map(|_| ()).ok_or("no conversation is open")
}

/// Needs a person under the cursor.
fn on_person(state: &State) -> Result<(), &'static str> {
    state.subject().map(|_| ()).ok_or("no person is selected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_slashes_are_unique_and_helped() {
        let mut seen = std::collections::HashSet::new();
        for c in all() {
            assert!(seen.insert(c.name.to_owned()), "{} twice", c.name);
            assert!(!c.help.is_empty() && !c.help.ends_with('.'), "{}", c.name);
            if let Some(s) = c.slash {
                assert!(seen.insert(format!("/{s}")), "/{s} twice");
            }
        }
    }

    #[test]
    fn the_nearest_name_is_offered() {
        let names = ["status", "note", "away", "invite"];
        assert_eq!(nearest("stauts", names.into_iter()), Some("status"));
        assert_eq!(nearest("invtie", names.into_iter()), Some("invite"));
        assert_eq!(nearest("xyzzy", names.into_iter()), None);
    }
}
