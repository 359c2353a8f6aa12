//! Commands without the screen: each (but [`history`], which reads what is here) signs in with the configured account, does one thing, waits for its end, prints and
//! leaves. Exit codes are those of [`super::failure`].

pub mod cli;
mod contacts;
mod groups;
pub mod history;
mod import;
mod meet;
mod output;
mod presence;
mod publications;
mod seen;
mod send;
mod session;
mod sharing;
mod status;
mod view;
pub mod words;

use super::failure::Failure;
use super::paths::Paths;
use crate::domain::Address;
use crate::domain::presence::Level;
use cli::Once;
use session::Session;

/// Carries out one command.
///
/// # Errors
/// One sentence that says what failed.
pub fn run(paths: &Paths, account: Option<&str>, command: Once) -> Result<(), Failure> {
    // What is wrong with the words is told before anybody signs in.
    let job = prepare(command)?;
    let mut session = Session::open(paths, account)?;
    let result = job(&mut session);
    session.close();
    result
}

type Job = Box<dyn FnOnce(&mut Session) -> Result<(), Failure>>;

/// Something to do whose failure is one.
fn job(work: impl FnOnce(&mut Session) -> Result<(), String> + 'static) -> Job {
    Box::new(move |s| work(s).map_err(Failure::from))
}

fn prepare(command: Once) -> Result<Job, String> {
    Ok(match command {
        Once::Contacts { what } => contacts::prepare(what)?,
        Once::Groups { what } => groups::prepare(what)?,
        Once::Presence { addresses, watch, out } => {
            let who = addresses.iter().map(|a| address(a)).collect::<Result<Vec<_>, _>>()?;
            job(move |s| presence::run(s, who, watch, out.json))
        }
        Once::Status { what, out } => status::status(what, out.json)?,
        Once::Note { what, out } => status::note(what, out.json)?,
        Once::Location { out } => job(move |s| status::location(s, out.json)),
        Once::Level { address: who, level: wanted, out } => {
            let (who, level) = (address(&who)?, level(&wanted)?);
            job(move |s| sharing::level(s, &who, level, out.json))
        }
        Once::Block { address: who, out } => {
            let who = address(&who)?;
            job(move |s| sharing::level(s, &who, Some(Level::Blocked), out.json))
        }
        Once::Unblock { address: who, out } => {
            let who = address(&who)?;
            job(move |s| sharing::level(s, &who, None, out.json))
        }
        Once::Watchers { out } => job(move |s| sharing::watchers(s, out.json)),
        Once::Containers { out } => job(move |s| sharing::containers(s, out.json)),
        Once::Publications { category, out } => job(move |s| publications::list(s, category.as_deref(), out.json)),
        Once::Publish { key, value, expires, out } => publications::publish(key, value, &expires, out.json)?,
        Once::Unpublish { key, out } => job(move |s| publications::unpublish(s, &key, out.json)),
        Once::Meet { what } => meet::prepare(what)?,
        Once::Send { address: who, text, out } => {
            let (who, text) = (address(&who)?, send::words(text)?);
            Box::new(move |s| send::run(s, &who, text, out.json))
        }
    })
}

/// An address from the command line.
fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|e| e.to_string())
}

/// A level from the command line; `None`: automatic.
fn level(word: &str) -> Result<Option<Level>, String> {
    if word.eq_ignore_ascii_case("automatic") {
        return Ok(None);
    }
    let wrong = || format!("“{word}” is no level; use personal, workgroup, colleagues, external, blocked or automatic");
    crate::app::addressbook::level_named(word).filter(|l| *l != Level::Everyone).map(Some).ok_or_else(wrong)
}
