//! `adsum history …`: what was written, as this machine keeps it. Nobody signs in for it.

use super::output;
use super::words::History;
use crate::app::meetings::plural;
use crate::app::state::Thread;
use crate::domain::conversation::{ConversationId, Delivery, InstantMessage};
use crate::domain::{Address, Time};
use crate::faces::paths::Paths;
use crate::faces::tui::start::{self, DATABASE};
use crate::store::client::{AccountId, Answer, Cursor, Peer, Query, Sqlite, Store, Stored, Write};
use crate::store::limits::MAX_PAGE;
use crate::store::private_dir;
use crate::text::{Line, Text};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// Keeps a message to a person where the screen keeps what is written there.
///
/// # Errors
/// One sentence: why it cannot be kept.
pub fn keep(data: &Path, owner: &Address, with: &Address, message: InstantMessage) -> Result<(), String> {
    private_dir(data).map_err(|e| e.to_string())?;
    let mut store = Sqlite::open(&data.join(DATABASE)).map_err(|e| e.to_string())?;
    let thread = Thread::Person(with.clone()).key();
    let write = Write::Message { conversation: ConversationId(thread.clone()), peer: Peer(thread), message };
    store.write(&[(AccountId::from(owner), write)]).map_err(|e| e.to_string())
}

/// `adsum history …` of the named account, or of the first one.
///
/// # Errors
/// One sentence that says what failed.
pub fn run(paths: &Paths, account: Option<&str>, what: History) -> Result<(), String> {
    let owner = start::account(paths, account)?.address;
    let mut past = Past::open(&paths.data, &owner, start::zone(&start::load(paths)?.ui))?;
    match what {
        History::List { limit, out } => past.list(limit.into(), out.json),
        History::Search { words, with, limit, out } => {
            let with = with.map(|w| thread(&w)).transpose()?;
            past.search(words.join(" "), with, limit.into(), out.json)
        }
        History::Export { with, file, out } => past.export(&with, &file, out.json),
    }
}

/// One account's history and how its people are called.
struct Past {
    store: Sqlite,
    owner: AccountId,
    names: HashMap<Address, String>,
    zone: TimeZone,
}

/// A conversation as it was named: an address, or what `history list` prints for a meeting.
fn thread(text: &str) -> Result<Thread, String> {
    let named = text.starts_with("conf:") || text.starts_with("conv:");
    match named.then(|| Thread::from_key(text)).flatten() {
        Some(thread) => Ok(thread),
        None => Address::parse(text).map(Thread::Person).map_err(|e| format!("{e}; adsum history list names conversations")),
    }
}

/// The name of a conversation as it is printed and taken again.
fn name(peer: &Peer) -> String {
    match Thread::from_key(&peer.0) {
        Some(Thread::Person(who)) => who.bare().to_owned(),
        _ => peer.0.clone(),
    }
}

impl Past {
    fn open(data: &Path, owner: &Address, zone: TimeZone) -> Result<Past, String> {
        let file = data.join(DATABASE);
        if !file.exists() {
            return Err(format!("there is no history in {} yet; the screen and adsum send write it", data.display()));
        }
        let mut store = Sqlite::open(&file).map_err(|e| e.to_string())?;
        let owner = AccountId::from(owner);
        let known = store.snapshot(&owner, 0).map_err(|e| e.to_string())?;
        let cards = known.presence.into_iter().filter_map(|(who, p)| Some((who, p.card.display_name?)));
        let aliases = known.contacts.into_iter().map(|c| (c.uri, c.name));
        let names = cards.chain(aliases).filter(|(_, name)| !name.is_empty()).collect();
        Ok(Past { store, owner, names, zone })
    }

    fn ask(&mut self, query: &Query) -> Result<Answer, String> {
        self.store.query(&self.owner, query).map_err(|e| e.to_string())
    }

    fn list(&mut self, limit: usize, json: bool) -> Result<(), String> {
        let Answer::Transcripts(all) = self.ask(&Query::Transcripts { limit })? else { return Ok(()) };
        for (peer, last, count) in all {
            let name = name(&peer);
            let row = format!(
                "{}  {:>14}  {}",
                self.moment(last),
                plural(usize::try_from(count).unwrap_or(usize::MAX), "message"),
                Line::new(&name)
            );
            let value = json!({ "conversation": name, "last": last.timestamp().to_string(), "messages": count });
            output::print(json, &row, &value)?;
        }
        Ok(())
    }

    fn search(&mut self, text: String, with: Option<Thread>, limit: usize, json: bool) -> Result<(), String> {
        let peer = with.map(|t| Peer(t.key()));
        let Answer::Found(found) = self.ask(&Query::Search { text, peer, limit })? else { return Ok(()) };
        for stored in found {
            let row = format!("[{}] {}", Line::new(&name(&stored.peer)), self.row(&stored.message));
            output::print(json, &row, &value(&stored))?;
        }
        Ok(())
    }

    fn export(&mut self, with: &str, file: &Path, json: bool) -> Result<(), String> {
        let peer = Peer(thread(with)?.key());
        let all = whole(|before| match self.ask(&Query::Page { peer: peer.clone(), before, limit: MAX_PAGE })? {
            Answer::Page(page) => Ok(page),
            _ => Ok(Vec::new()),
        })?;
        if all.is_empty() {
            return Err(format!("nothing was written with {with}; adsum history list names all conversations"));
        }
        let mut text = String::new();
        for stored in &all {
            // Writing into a string does not fail.
            let _ = if json { writeln!(text, "{}", value(stored)) } else { writeln!(text, "{}", self.row(&stored.message)) };
        }
        if file.as_os_str() == "-" {
            return crate::faces::print(text.as_bytes());
        }
        std::fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))?;
        output::print(false, &format!("{} written to {}.", plural(all.len(), "message"), file.display()), &json!(null))
    }

    fn moment(&self, at: Time) -> String {
        at.timestamp().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Day, time, name, words; further lines are indented.
    fn row(&self, m: &InstantMessage) -> String {
        let name = self.names.get(&m.author).map_or_else(|| m.author.bare(), String::as_str);
        let mark = if matches!(m.state, Delivery::Failed(_)) { " (not delivered)" } else { "" };
        let alone = match &m.alone {
            Some(to) if AccountId::from(to) == self.owner => " (to you alone)".to_owned(),
            Some(to) => format!(" (to {} alone)", self.names.get(to).map_or_else(|| to.bare(), String::as_str)),
            None => String::new(),
        };
        let name = format!("{name}{alone}");
        format!("{} {}{mark}: {}", self.moment(m.at), Line::new(&name), words(m).as_str().replace('\n', "\n    "))
    }
}

fn words(m: &InstantMessage) -> Text {
    Text::message(&m.body, m.format)
}

/// A whole transcript, the oldest message first: `page` reads the messages before a place.
fn whole(mut page: impl FnMut(Option<Cursor>) -> Result<Vec<Stored>, String>) -> Result<Vec<Stored>, String> {
    // The newest page first.
    let mut read: Vec<Vec<Stored>> = Vec::new();
    loop {
        let oldest = read.last().and_then(|p| p.first()).map(|s| s.cursor);
        let older = page(oldest)?;
        let full = older.len() >= MAX_PAGE;
        read.push(older);
        if !full {
            return Ok(read.into_iter().rev().flatten().collect());
        }
    }
}

/// A message for scripts.
fn value(stored: &Stored) -> Value {
    let m = &stored.message;
    let (state, reason) = match &m.state {
        Delivery::Queued => ("queued", None),
        Delivery::Sent => ("sent", None),
        Delivery::Delivered => ("delivered", None),
        Delivery::Failed(reason) => ("failed", Some(reason)),
        Delivery::Received => ("received", None),
    };
    json!({
        "conversation": name(&stored.peer),
        "message": m.id.0,
        "at": m.at.timestamp().to_string(),
        "author": m.author.bare(),
        "text": words(m).as_str(),
        "state": state,
        "reason": reason,
        "to": m.alone.as_ref().map(Address::bare),
    })
}
