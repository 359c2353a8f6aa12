//! [`Store`] over SQLite, in a file or in memory.

use super::schema::MIGRATIONS;
use super::search::{expression, index};
use super::{AccountId, Answer, Cursor, Peer, Query, QueuedMessage, SavedConversation, Snapshot, Store, Stored, Tab, Write};
use crate::domain::conversation::{ConversationId, Delivery, InstantMessage, MessageId, TextFormat};
use crate::domain::{Address, Time};
use crate::store::Error;
use crate::store::db::Db;
use crate::store::limits::{INDEX_LAG, MAX_PAGE};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;
use std::path::Path;

type Sql<T> = rusqlite::Result<T>;

/// The client's database.
#[derive(Debug)]
pub struct Sqlite {
    db: Db,
}

impl Sqlite {
    /// Opens or makes the file (0600) and its directory (0700).
    pub fn open(path: &Path) -> Result<Sqlite, Error> {
        Ok(Sqlite { db: Db::open(path, MIGRATIONS)? })
    }

    /// Keeps everything until dropped.
    pub fn memory() -> Result<Sqlite, Error> {
        Ok(Sqlite { db: Db::memory(MIGRATIONS)? })
    }

    /// Lets the database grow by a few pages only, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&mut self) {
        let pages: i64 = self.db.conn.pragma_query_value(None, "page_count", |r| r.get(0)).unwrap_or(0);
        let _ = self.db.conn.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()));
    }
}

impl Store for Sqlite {
    fn snapshot(&mut self, account: &AccountId, tail: usize) -> Result<Snapshot, Error> {
        let read = || -> Sql<Snapshot> {
            // One read transaction, so that another instance's write cannot fall between two tables.
            let tx = self.db.conn.unchecked_transaction()?;
            match find_account(&tx, account)? {
                Some(id) => snapshot(&tx, id, tail.min(MAX_PAGE)),
                None => Ok(Snapshot::default()),
            }
        };
        read().map_err(|e| self.db.error(&e))
    }

    fn write(&mut self, writes: &[(AccountId, Write)]) -> Result<(), Error> {
        let mut run = || -> Sql<()> {
            let tx = self.db.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut ids: HashMap<&AccountId, i64> = HashMap::new();
            for (account, write) in writes {
                let id = match ids.get(account) {
                    Some(id) => *id,
                    None => {
                        let id = make_account(&tx, account)?;
                        ids.insert(account, id);
                        id
                    }
                };
                apply(&tx, id, write)?;
            }
            if writes.iter().any(|(_, w)| matches!(w, Write::Message { .. })) {
                index(&tx, INDEX_LAG)?;
            }
            tx.commit()
        };
        let result = run();
        result.map_err(|e| self.db.error(&e))
    }

    fn query(&mut self, account: &AccountId, query: &Query) -> Result<Answer, Error> {
        let conn = &self.db.conn;
        // An account without rows answers like an empty one.
        let ask = || -> Sql<Answer> {
            let id = find_account(conn, account)?.unwrap_or(-1);
            Ok(match query {
                Query::Page { peer, before, limit } => Answer::Page(page(conn, id, peer, *before, (*limit).min(MAX_PAGE))?),
                Query::Search { text, peer, limit } => {
                    // Where nothing can be written, what is indexed is found.
                    let _ = index_all(conn);
                    Answer::Found(search(conn, id, text, peer.as_ref(), (*limit).min(MAX_PAGE))?)
                }
                Query::Transcripts { limit } => Answer::Transcripts(transcripts(conn, id, (*limit).min(MAX_PAGE))?),
                Query::Sync => Answer::Synced,
            })
        };
        ask().map_err(|e| self.db.error(&e))
    }
}

fn index_all(conn: &Connection) -> Sql<()> {
    let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
    index(&tx, 1)?;
    tx.commit()
}

fn find_account(conn: &Connection, account: &AccountId) -> Sql<Option<i64>> {
    conn.prepare_cached("select id from account where name = ?")?.query_row([&account.0], |r| r.get(0)).optional()
}

fn make_account(conn: &Connection, account: &AccountId) -> Sql<i64> {
    if let Some(id) = find_account(conn, account)? {
        return Ok(id);
    }
    conn.prepare_cached("insert into account (name) values (?)")?.insert([&account.0])
}

fn apply(conn: &Connection, account: i64, write: &Write) -> Sql<()> {
    let run = |sql: &str, p: &[&dyn rusqlite::ToSql]| conn.prepare_cached(sql)?.execute(p).map(|_| ());
    match write {
        Write::Message { conversation, peer, message } => save_message(conn, account, conversation, peer, message),
        Write::Delivery { message, state } => {
            let (code, reason) = delivery_columns(state);
            run(
                "update message set delivery = ?3, reason = ?4 where account = ?1 and id = ?2",
                &[&account, &message.0, &code, &reason],
            )
        }
        Write::Conversation(c) => run(
            "insert or replace into conversation (account, id, peer, open, position, used, data) values (?, ?, ?, ?, ?, ?, ?)",
            &[&account, &c.id.0, &c.peer.0, &c.open, &c.position, &millis(c.used), &json(c)?],
        ),
        Write::ForgetConversation(id) => run("delete from conversation where account = ?1 and id = ?2", &[&account, &id.0]),
        Write::DeleteHistory { peer } => {
            let which = "from message where account = ?1 and peer = ?2";
            run(&format!("delete from message_text where rowid in (select row {which})"), &[&account, &peer.0])?;
            run(&format!("delete {which}"), &[&account, &peer.0])
        }
        Write::MovePeer { from, to } => {
            run("update message set peer = ?3, conversation = ?3 where account = ?1 and peer = ?2", &[&account, &from.0, &to.0])?;
            run("update outbox set peer = ?3, conversation = ?3 where account = ?1 and peer = ?2", &[&account, &from.0, &to.0])?;
            run(
                "update or replace draft set conversation = ?3 where account = ?1 and conversation = ?2",
                &[&account, &from.0, &to.0],
            )
        }
        Write::Draft { conversation, text } if text.is_empty() => {
            run("delete from draft where account = ?1 and conversation = ?2", &[&account, &conversation.0])
        }
        Write::Draft { conversation, text } => {
            run("insert or replace into draft (account, conversation, body) values (?, ?, ?)", &[&account, &conversation.0, text])
        }
        Write::Enqueue(q) => run(
            "insert or ignore into outbox (account, message, conversation, peer, body, at, alone) values (?, ?, ?, ?, ?, ?, ?)",
            &[
                &account,
                &q.message.0,
                &q.conversation.0,
                &q.peer.0,
                &q.text,
                &millis(q.at),
                &q.alone.as_ref().map(Address::as_str),
            ],
        ),
        Write::Dequeue(id) => run("delete from outbox where account = ?1 and message = ?2", &[&account, &id.0]),
        Write::ContactList { groups, contacts } => {
            clear_cached(conn, account, "group")?;
            clear_cached(conn, account, "contact")?;
            for g in groups {
                cache(conn, account, "group", &g.id.0.to_string(), g)?;
            }
            for c in contacts {
                cache(conn, account, "contact", c.uri.as_str(), c)?;
            }
            run(
                "delete from cached where account = ?1 and kind = 'presence'
                 and key not in (select key from cached where account = ?1 and kind = 'contact')",
                &[&account],
            )
        }
        Write::Contact(c) => cache(conn, account, "contact", c.uri.as_str(), c),
        Write::RemoveContact(uri) => run(
            "delete from cached where account = ?1 and kind in ('contact', 'presence') and key = ?2",
            &[&account, &uri.as_str()],
        ),
        Write::Presence { uri, presence } => cache(conn, account, "presence", uri.as_str(), presence),
        Write::Meetings(all) => {
            clear_cached(conn, account, "meeting")?;
            all.iter().try_for_each(|c| cache(conn, account, "meeting", &c.id.0, c))
        }
        Write::Setting { name, value: Some(value) } => {
            run("insert or replace into setting (account, name, value) values (?, ?, ?)", &[&account, name, value])
        }
        Write::Setting { name, value: None } => run("delete from setting where account = ?1 and name = ?2", &[&account, name]),
    }
}

/// Body and time of a known message stay: the first writer saw the original.
fn save_message(conn: &Connection, account: i64, at: &ConversationId, peer: &Peer, m: &InstantMessage) -> Sql<()> {
    let (code, reason) = delivery_columns(&m.state);
    let row: Option<i64> = conn
        .prepare_cached("select row from message where account = ?1 and id = ?2")?
        .query_row(params![account, m.id.0], |r| r.get(0))
        .optional()?;
    if let Some(row) = row {
        conn.prepare_cached("update message set delivery = ?2, reason = ?3 where row = ?1")?
            .execute(params![row, code, reason])?;
        return Ok(());
    }
    conn.prepare_cached(
        "insert into message (account, conversation, peer, id, author, at, body, format, delivery, reason, alone)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .insert(params![
        account,
        at.0,
        peer.0,
        m.id.0,
        m.author.as_str(),
        millis(m.at),
        m.body,
        format_code(m.format),
        code,
        reason,
        m.alone.as_ref().map(Address::as_str)
    ])?;
    Ok(())
}

fn cache<T: Serialize>(conn: &Connection, account: i64, kind: &str, key: &str, value: &T) -> Sql<()> {
    conn.prepare_cached("insert or replace into cached (account, kind, key, data) values (?, ?, ?, ?)")?
        .execute(params![account, kind, key, json(value)?])
        .map(|_| ())
}

fn clear_cached(conn: &Connection, account: i64, kind: &str) -> Sql<()> {
    conn.prepare_cached("delete from cached where account = ?1 and kind = ?2")?.execute(params![account, kind]).map(|_| ())
}

fn snapshot(conn: &Connection, account: i64, tail: usize) -> Sql<Snapshot> {
    Ok(Snapshot {
        groups: cached(conn, account, "group")?,
        contacts: cached(conn, account, "contact")?,
        presence: keyed(conn, account, "presence")?
            .into_iter()
            .filter_map(|(uri, p)| Some((Address::parse(&uri).ok()?, p)))
            .collect(),
        tabs: tabs(conn, account, tail)?,
        drafts: pairs(conn, "select conversation, body from draft where account = ?", account)?
            .into_iter()
            .map(|(c, t)| (ConversationId(c), t))
            .collect(),
        outbox: outbox(conn, account)?,
        meetings: cached(conn, account, "meeting")?,
        settings: pairs(conn, "select name, value from setting where account = ?", account)?,
    })
}

/// Rows that this version cannot read any more are left out: they are only caches.
fn keyed<T: DeserializeOwned>(conn: &Connection, account: i64, kind: &str) -> Sql<Vec<(String, T)>> {
    let mut statement = conn.prepare_cached("select key, data from cached where account = ?1 and kind = ?2")?;
    let mut rows = statement.query(params![account, kind])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        if let Ok(value) = serde_json::from_str(row.get_ref(1)?.as_str()?) {
            out.push((row.get(0)?, value));
        }
    }
    Ok(out)
}

fn cached<T: DeserializeOwned>(conn: &Connection, account: i64, kind: &str) -> Sql<Vec<T>> {
    Ok(keyed(conn, account, kind)?.into_iter().map(|p| p.1).collect())
}

fn pairs(conn: &Connection, sql: &str, account: i64) -> Sql<Vec<(String, String)>> {
    conn.prepare_cached(sql)?.query_map([account], |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
}

fn tabs(conn: &Connection, account: i64, tail: usize) -> Sql<Vec<Tab>> {
    let texts: Vec<String> = conn
        .prepare_cached("select data from conversation where account = ? and open = 1 order by position, used desc")?
        .query_map([account], |r| r.get(0))?
        .collect::<Sql<_>>()?;
    texts
        .iter()
        .filter_map(|t| serde_json::from_str::<SavedConversation>(t).ok())
        .map(|conversation| {
            let tail = page(conn, account, &conversation.peer, None, tail)?;
            Ok(Tab { conversation, tail })
        })
        .collect()
}

fn outbox(conn: &Connection, account: i64) -> Sql<Vec<QueuedMessage>> {
    conn.prepare_cached("select message, conversation, peer, body, at, alone from outbox where account = ? order by row")?
        .query_map([account], |r| {
            Ok(QueuedMessage {
                message: MessageId(r.get(0)?),
                conversation: ConversationId(r.get(1)?),
                peer: Peer(r.get(2)?),
                text: r.get(3)?,
                at: time(r.get(4)?),
                alone: address(r.get(5)?),
            })
        })?
        .collect()
}

const COLUMNS: &str =
    "m.row, m.conversation, m.peer, m.id, m.author, m.at, m.body, m.format, m.delivery, m.reason, m.alone from message m";

fn page(conn: &Connection, account: i64, peer: &Peer, before: Option<Cursor>, limit: usize) -> Sql<Vec<Stored>> {
    let before = before.unwrap_or(Cursor(i64::MAX as u64, i64::MAX));
    let sql = format!(
        "select {COLUMNS} where m.account = ?1 and m.peer = ?2 and (m.at, m.row) < (?3, ?4)
         order by m.at desc, m.row desc limit ?5"
    );
    let mut found =
        rows(conn, &sql, params![account, peer.0, i64::try_from(before.0).unwrap_or(i64::MAX), before.1, limit as i64])?;
    found.reverse();
    Ok(found)
}

/// Newest first by row: sorting by time would read every hit of a common word.
fn search(conn: &Connection, account: i64, text: &str, peer: Option<&Peer>, limit: usize) -> Sql<Vec<Stored>> {
    let Some(expression) = expression(text) else { return Ok(Vec::new()) };
    let sql = format!(
        "select {COLUMNS} join message_text f on f.rowid = m.row
         where f.message_text match ?2 and m.account = ?1 and (?3 is null or m.peer = ?3) order by f.rowid desc limit ?4"
    );
    rows(conn, &sql, params![account, expression, peer.map(|p| &p.0), limit as i64])
}

fn transcripts(conn: &Connection, account: i64, limit: usize) -> Sql<Vec<(Peer, Time, u64)>> {
    conn.prepare_cached(
        "select peer, max(at), count(*) from message where account = ?1 group by peer order by max(at) desc limit ?2",
    )?
    .query_map(params![account, limit as i64], |r| {
        let count: i64 = r.get(2)?;
        Ok((Peer(r.get(0)?), time(r.get(1)?), count.unsigned_abs()))
    })?
    .collect()
}

/// A row whose author is no address any more cannot be shown; it is skipped.
fn rows(conn: &Connection, sql: &str, p: &[&dyn rusqlite::ToSql]) -> Sql<Vec<Stored>> {
    let mut statement = conn.prepare_cached(sql)?;
    let found: Sql<Vec<Option<Stored>>> = statement.query_map(p, stored)?.collect();
    Ok(found?.into_iter().flatten().collect())
}

fn stored(r: &Row<'_>) -> Sql<Option<Stored>> {
    let Ok(author) = Address::parse(r.get_ref(4)?.as_str()?) else { return Ok(None) };
    let at = time(r.get(5)?);
    Ok(Some(Stored {
        conversation: ConversationId(r.get(1)?),
        peer: Peer(r.get(2)?),
        message: InstantMessage {
            id: MessageId(r.get(3)?),
            author,
            at,
            body: r.get(6)?,
            format: format(r.get(7)?),
            state: delivery(r.get(8)?, r.get(9)?),
            alone: address(r.get(10)?),
        },
        cursor: Cursor(at.0, r.get(0)?),
    }))
}

fn address(text: Option<String>) -> Option<Address> {
    text.and_then(|t| Address::parse(&t).ok())
}

pub(super) fn format(code: i64) -> TextFormat {
    match code {
        1 => TextFormat::Html,
        2 => TextFormat::Rtf,
        _ => TextFormat::Plain,
    }
}

fn format_code(format: TextFormat) -> i64 {
    match format {
        TextFormat::Plain => 0,
        TextFormat::Html => 1,
        TextFormat::Rtf => 2,
    }
}

fn delivery_columns(state: &Delivery) -> (i64, Option<&str>) {
    match state {
        Delivery::Queued => (0, None),
        Delivery::Sent => (1, None),
        Delivery::Delivered => (2, None),
        Delivery::Failed(reason) => (3, Some(reason)),
        Delivery::Received => (4, None),
    }
}

fn delivery(code: i64, reason: Option<String>) -> Delivery {
    match code {
        0 => Delivery::Queued,
        1 => Delivery::Sent,
        2 => Delivery::Delivered,
        3 => Delivery::Failed(reason.unwrap_or_default()),
        _ => Delivery::Received,
    }
}

fn millis(t: Time) -> i64 {
    i64::try_from(t.0).unwrap_or(i64::MAX)
}

fn time(ms: i64) -> Time {
    Time(u64::try_from(ms).unwrap_or(0))
}

fn json<T: Serialize>(value: &T) -> Sql<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}
