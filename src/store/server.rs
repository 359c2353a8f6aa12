//! The front end's store: accounts, contact lists, publications, containers, watchers, conferences.
//!
//! The front end's core holds everything in memory and tells each change as a [`StoreOp`]; this keeps them and brings them
//! back at the next start. Rows are JSON under the keys that operations name, so a new field needs no migration.

use super::Error;
use super::db::Db;
use super::limits::{MAX_BATCH, MAX_RETAINED, RETRY_AFTER};
use crate::domain::Address;
use crate::domain::contact::DistributionGroup;
use crate::domain::presence::Delegates;
use crate::frontend::{ContactList, Data, StoreOp, TrustedApplication, UserData, UserRecord};
use rusqlite::{Connection, TransactionBehavior};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

type Sql<T> = rusqlite::Result<T>;

/// Steps in order; only ever add one at the end.
const MIGRATIONS: &[&str] = &["
create table user (address text primary key, data text not null) without rowid;
create table contacts (owner text primary key, data text not null) without rowid;
create table publication (
    owner text not null, category text not null, instance integer not null, container integer not null, data text not null,
    primary key (owner, category, instance, container)
) without rowid;
create table container (owner text not null, id integer not null, data text not null, primary key (owner, id)) without rowid;
create table subscriber (owner text not null, uri text not null, data text not null, primary key (owner, uri)) without rowid;
create table conference (organizer text not null, id text not null, data text not null, primary key (organizer, id)) without rowid;
", "create table delegates (owner text primary key, data text not null) without rowid;
", "
create table distribution_group (address text primary key, data text not null) without rowid;
", "create table category (name text primary key) without rowid;", "
create table application (address text primary key, data text not null) without rowid;
", "
create table kept (recipient text not null, id text not null, data text not null, primary key (recipient, id)) without rowid;
", "
create table running (organizer text not null, id text not null, data text not null, primary key (organizer, id)) without rowid;
"];

/// The front end's database.
#[derive(Debug)]
pub struct FrontendStore {
    db: Db,
}

impl FrontendStore {
    /// Opens or makes the file (0600: it holds password hashes) and its directory (0700).
    pub fn open(path: &Path) -> Result<FrontendStore, Error> {
        Ok(FrontendStore { db: Db::open(path, MIGRATIONS)? })
    }

    /// Keeps everything until dropped.
    pub fn memory() -> Result<FrontendStore, Error> {
        Ok(FrontendStore { db: Db::memory(MIGRATIONS)? })
    }

    /// Everything kept. A row that cannot be read is an error, not a loss: an account list with holes must not go to work.
    pub fn load(&self) -> Result<Data, Error> {
        let read = || -> Sql<Data> {
            let tx = self.db.conn.unchecked_transaction()?;
            load(&tx)
        };
        read().map_err(|e| self.db.error(&e))
    }

    /// Keeps all changes or none.
    pub fn apply(&mut self, ops: &[StoreOp]) -> Result<(), Error> {
        let mut run = || -> Sql<()> {
            let tx = self.db.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            ops.iter().try_for_each(|op| apply(&tx, op))?;
            tx.commit()
        };
        let result = run();
        result.map_err(|e| self.db.error(&e))
    }

    /// The accounts only, for `adsum user list`.
    pub fn users(&self) -> Result<Vec<UserRecord>, Error> {
        all(&self.db.conn, "select data from user order by address").map_err(|e| self.db.error(&e))
    }

    /// The distribution groups only, for `adsum group list`.
    pub fn groups(&self) -> Result<Vec<DistributionGroup>, Error> {
        all(&self.db.conn, "select data from distribution_group order by address").map_err(|e| self.db.error(&e))
    }

    /// Registered category names, for `adsum category list`.
    pub fn categories(&self) -> Result<Vec<String>, Error> {
        categories(&self.db.conn).map_err(|e| self.db.error(&e))
    }

    /// The trusted applications only.
    pub fn applications(&self) -> Result<Vec<TrustedApplication>, Error> {
        all(&self.db.conn, "select data from application order by address").map_err(|e| self.db.error(&e))
    }

    /// A number that differs after another process has changed the file (`adsum user add` beside a running front end).
    pub fn data_version(&self) -> Result<i64, Error> {
        self.db.conn.pragma_query_value(None, "data_version", |r| r.get(0)).map_err(|e| self.db.error(&e))
    }
}

fn load(conn: &Connection) -> Sql<Data> {
    let records: Vec<UserRecord> = all(conn, "select data from user order by address")?;
    let mut contacts: HashMap<String, ContactList> = keyed(conn, "select owner, data from contacts")?.into_iter().collect();
    let mut delegates: HashMap<String, Delegates> = keyed(conn, "select owner, data from delegates")?.into_iter().collect();
    let mut publications = grouped(conn, "select owner, data from publication order by owner, category, instance, container")?;
    let mut containers = grouped(conn, "select owner, data from container order by owner, id")?;
    let mut subscribers = grouped(conn, "select owner, data from subscriber order by owner, uri")?;
    let users = records
        .into_iter()
        .map(|record| {
            let owner = record.address.as_str();
            UserData {
                contacts: contacts.remove(owner).unwrap_or_default(),
                publications: publications.remove(owner).unwrap_or_default(),
                containers: containers.remove(owner).unwrap_or_default(),
                subscribers: subscribers.remove(owner).unwrap_or_default(),
                delegates: delegates.remove(owner).unwrap_or_default(),
                record,
            }
        })
        .collect();
    Ok(Data {
        users,
        conferences: all(conn, "select data from conference order by organizer, id")?,
        groups: all(conn, "select data from distribution_group order by address")?,
        categories: categories(conn)?,
        applications: all(conn, "select data from application order by address")?,
        kept: all(conn, "select data from kept order by recipient, id")?,
        running: all(conn, "select data from running order by organizer, id")?,
    })
}

fn apply(conn: &Connection, op: &StoreOp) -> Sql<()> {
    let run = |sql: &str, p: &[&dyn rusqlite::ToSql]| conn.prepare_cached(sql)?.execute(p).map(|_| ());
    match op {
        StoreOp::PutUser(r) => {
            run("insert or replace into user (address, data) values (?, ?)", &[&r.address.as_str(), &json(r)?])
        }
        StoreOp::RemoveUser(a) => remove_user(conn, a),
        StoreOp::PutApplication(a) => {
            run("insert or replace into application (address, data) values (?, ?)", &[&a.address.as_str(), &json(a)?])
        }
        StoreOp::RemoveApplication(a) => run("delete from application where address = ?", &[&a.as_str()]),
        StoreOp::PutContacts { owner, list } => {
            run("insert or replace into contacts (owner, data) values (?, ?)", &[&owner.as_str(), &json(list)?])
        }
        StoreOp::PutPublication { owner, publication: p } => run(
            "insert or replace into publication (owner, category, instance, container, data) values (?, ?, ?, ?, ?)",
            &[&owner.as_str(), &p.key.category, &p.key.instance, &p.key.container, &json(p)?],
        ),
        StoreOp::DeletePublication { owner, key } => run(
            "delete from publication where owner = ?1 and category = ?2 and instance = ?3 and container = ?4",
            &[&owner.as_str(), &key.category, &key.instance, &key.container],
        ),
        StoreOp::PutContainer { owner, container } => run(
            "insert or replace into container (owner, id, data) values (?, ?, ?)",
            &[&owner.as_str(), &container.id, &json(container)?],
        ),
        StoreOp::PutSubscriber { owner, subscriber } => run(
            "insert or replace into subscriber (owner, uri, data) values (?, ?, ?)",
            &[&owner.as_str(), &subscriber.uri.as_str(), &json(subscriber)?],
        ),
        StoreOp::DeleteSubscriber { owner, uri } => {
            run("delete from subscriber where owner = ?1 and uri = ?2", &[&owner.as_str(), &uri.as_str()])
        }
        StoreOp::PutDelegates { owner, delegates } => {
            run("insert or replace into delegates (owner, data) values (?, ?)", &[&owner.as_str(), &json(delegates)?])
        }
        StoreOp::PutCategory(name) => run("insert or ignore into category (name) values (?)", &[name]),
        StoreOp::DeleteCategory(name) => run("delete from category where name = ?", &[name]),
        StoreOp::PutKept(m) => {
            run("insert or replace into kept (recipient, id, data) values (?, ?, ?)", &[&m.to.as_str(), &m.id, &json(m)?])
        }
        StoreOp::DeleteKept { to, id } => run("delete from kept where recipient = ?1 and id = ?2", &[&to.as_str(), id]),
        StoreOp::PutConference(c) => run(
            "insert or replace into conference (organizer, id, data) values (?, ?, ?)",
            &[&c.organizer.as_str(), &c.id.0.to_lowercase(), &json(c)?],
        ),
        StoreOp::PutGroup(g) => {
            run("insert or replace into distribution_group (address, data) values (?, ?)", &[&g.address.as_str(), &json(g)?])
        }
        StoreOp::DeleteGroup(a) => run("delete from distribution_group where address = ?", &[&a.as_str()]),
        StoreOp::PutRunning(r) => run(
            "insert or replace into running (organizer, id, data) values (?, ?, ?)",
            &[&r.organizer.as_str(), &r.id.0.to_lowercase(), &json(r)?],
        ),
        StoreOp::DeleteRunning { organizer, id } => {
            run("delete from running where organizer = ?1 and id = ?2", &[&organizer.as_str(), &id.0.to_lowercase()])
        }
        StoreOp::DeleteConference { organizer, id } => {
            run("delete from running where organizer = ?1 and id = ?2", &[&organizer.as_str(), &id.0.to_lowercase()])?;
            run("delete from conference where organizer = ?1 and id = ?2", &[&organizer.as_str(), &id.0.to_lowercase()])
        }
    }
}

fn categories(conn: &Connection) -> Sql<Vec<String>> {
    conn.prepare("select name from category order by name")?.query_map([], |row| row.get(0))?.collect()
}

fn remove_user(conn: &Connection, address: &Address) -> Sql<()> {
    const OF_USER: [&str; 9] = [
        "delete from running where organizer = ?",
        "delete from kept where recipient = ?",
        "delete from user where address = ?",
        "delete from contacts where owner = ?",
        "delete from publication where owner = ?",
        "delete from container where owner = ?",
        "delete from subscriber where owner = ?",
        "delete from delegates where owner = ?",
        "delete from conference where organizer = ?",
    ];
    OF_USER.iter().try_for_each(|sql| conn.prepare_cached(sql)?.execute([address.as_str()]).map(|_| ()))
}

fn keyed<T: DeserializeOwned>(conn: &Connection, sql: &str) -> Sql<Vec<(String, T)>> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push((row.get(0)?, parse(row.get_ref(1)?.as_str()?, 1)?));
    }
    Ok(out)
}

fn grouped<T: DeserializeOwned>(conn: &Connection, sql: &str) -> Sql<HashMap<String, Vec<T>>> {
    let mut out: HashMap<String, Vec<T>> = HashMap::new();
    for (owner, value) in keyed(conn, sql)? {
        out.entry(owner).or_default().push(value);
    }
    Ok(out)
}

fn all<T: DeserializeOwned>(conn: &Connection, sql: &str) -> Sql<Vec<T>> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(parse(row.get_ref(0)?.as_str()?, 0)?);
    }
    Ok(out)
}

fn parse<T: DeserializeOwned>(text: &str, column: usize) -> Sql<T> {
    serde_json::from_str(text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e)))
}

fn json<T: Serialize>(value: &T) -> Sql<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// A [`FrontendStore`] on a thread of its own, so that the machine's loop never waits for the disk. Changes that wait together
/// are one transaction; on a full disk they wait, in order. Dropping it saves what waits.
#[derive(Debug)]
pub struct FrontendWriter {
    ops: Option<Sender<StoreOp>>,
    thread: Option<JoinHandle<()>>,
}

impl FrontendWriter {
    /// Starts the thread. `on_error` is called on it for each new trouble.
    pub fn start(store: FrontendStore, on_error: impl FnMut(Error) + Send + 'static) -> std::io::Result<FrontendWriter> {
        let (ops, queue) = channel();
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || write_all(store, &queue, on_error))?;
        Ok(FrontendWriter { ops: Some(ops), thread: Some(thread) })
    }

    /// Keeps a change; never waits.
    pub fn apply(&self, op: StoreOp) {
        if let Some(ops) = &self.ops {
            // Without its thread the writer has reported its trouble already.
            let _ = ops.send(op);
        }
    }
}

impl Drop for FrontendWriter {
    fn drop(&mut self) {
        self.ops = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(mut store: FrontendStore, queue: &Receiver<StoreOp>, mut on_error: impl FnMut(Error)) {
    let mut waiting: VecDeque<StoreOp> = VecDeque::new();
    let (mut troubled, mut open) = (false, true);
    while open {
        let first = if waiting.is_empty() {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            queue.recv_timeout(RETRY_AFTER)
        };
        match first {
            Ok(op) => waiting.push_back(op),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => open = false,
        }
        while waiting.len() < MAX_RETAINED
            && let Ok(op) = queue.try_recv()
        {
            waiting.push_back(op);
        }
        while !waiting.is_empty() {
            let batch: Vec<StoreOp> = waiting.drain(..waiting.len().min(MAX_BATCH)).collect();
            match store.apply(&batch) {
                Ok(()) => troubled = false,
                Err(e) => {
                    if e.is_temporary() {
                        batch.into_iter().rev().for_each(|op| waiting.push_front(op));
                    }
                    if !std::mem::replace(&mut troubled, true) {
                        on_error(e);
                    }
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::{AccessLevel, AutomaticLeaders, Conference, ConferenceId, ConferenceSettings};
    use crate::domain::conversation::Role;
    use crate::domain::presence::{Container, Expiry, Member, Publication, PublicationKey, Subscriber};
    use crate::frontend::Running;

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@contoso.com")).unwrap()
    }

    fn user(name: &str) -> UserRecord {
        UserRecord {
            address: address(name),
            display_name: name.into(),
            email: String::new(),
            title: "Tester".into(),
            company: String::new(),
            department: String::new(),
            office: String::new(),
            phone: String::new(),
            automaton: false,
            nt_hash: [7; 16],
            ha1_md5: "aa".into(),
            ha1_sha256: "bb".into(),
        }
    }

    fn conference(id: &str) -> Conference {
        Conference {
            id: ConferenceId(id.into()),
            uri: format!("sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:{id}"),
            join_url: String::new(),
            organizer: address("alice"),
            version: 1,
            last_update: None,
            is_active: false,
            phone_id: String::new(),
            answers: Default::default(),
            settings: ConferenceSettings::default(),
        }
    }

    fn running(id: &str) -> Running {
        Running {
            organizer: address("alice"),
            id: ConferenceId(id.into()),
            locked: true,
            access: AccessLevel::Invited,
            lobby_bypass: false,
            leaders: AutomaticLeaders::Disabled,
            announcements: false,
            mute_all: false,
            self_unmute: false,
            invited: Default::default(),
            admitted: [address("bob")].into(),
            muted: Default::default(),
            roles: vec![(address("bob"), Role::Leader)],
        }
    }

    fn some_ops() -> Vec<StoreOp> {
        let owner = address("alice");
        let publication = Publication {
            key: PublicationKey { category: "note".into(), instance: 1, container: 200 },
            version: 3,
            expiry: Expiry::Static,
            publish_time: None,
            endpoint_id: None,
            value: "<note/>".into(),
        };
        vec![
            StoreOp::PutUser(user("alice")),
            StoreOp::PutUser(user("bob")),
            StoreOp::PutContacts { owner: owner.clone(), list: ContactList { delta: 9, ..ContactList::default() } },
            StoreOp::PutPublication { owner: owner.clone(), publication },
            StoreOp::PutContainer {
                owner: owner.clone(),
                container: Container { id: 300, version: 2, members: vec![Member::User(address("bob"))] },
            },
            StoreOp::PutSubscriber { owner, subscriber: Subscriber::new(address("bob"), "Bob") },
            StoreOp::PutConference(conference("K7M2Q9TX")),
            StoreOp::PutRunning(running("K7M2Q9TX")),
            StoreOp::PutRunning(running("GONE2222")),
            StoreOp::DeleteRunning { organizer: address("alice"), id: ConferenceId("gone2222".into()) },
            StoreOp::PutGroup(DistributionGroup {
                address: address("team"),
                name: "The team".into(),
                members: vec![address("bob")],
            }),
            StoreOp::PutCategory("mood".into()),
            StoreOp::PutCategory("gone".into()),
            StoreOp::DeleteCategory("gone".into()),
        ]
    }

    #[test]
    fn everything_is_there_after_a_restart_and_repeating_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frontend.db");
        FrontendStore::open(&path).unwrap().apply(&some_ops()).unwrap();
        let before = FrontendStore::open(&path).unwrap().load().unwrap();
        FrontendStore::open(&path).unwrap().apply(&some_ops()).unwrap();
        let data = FrontendStore::open(&path).unwrap().load().unwrap();
        assert_eq!(before, data);
        assert_eq!(data.users.len(), 2);
        let alice = &data.users[0];
        assert_eq!((alice.record.nt_hash, alice.contacts.delta, alice.publications[0].version), ([7; 16], 9, 3));
        assert_eq!((alice.containers.len(), alice.subscribers.len(), data.conferences.len()), (1, 1, 1));
        assert_eq!(data.users[1].contacts, ContactList::default());
        assert_eq!(data.categories, ["mood"]);
        assert_eq!(data.running, [running("K7M2Q9TX")]);
        assert_eq!(data.groups.len(), 1);
        let mut store = FrontendStore::open(&path).unwrap();
        store.apply(&[StoreOp::DeleteGroup(address("team"))]).unwrap();
        assert_eq!(store.groups().unwrap(), []);
    }

    #[test]
    fn removing_a_user_takes_everything_of_it() {
        let mut store = FrontendStore::memory().unwrap();
        store.apply(&some_ops()).unwrap();
        store.apply(&[StoreOp::RemoveUser(address("alice"))]).unwrap();
        let data = store.load().unwrap();
        assert_eq!((data.users.len(), data.conferences.len(), data.running.len()), (1, 0, 0));
        store.apply(&[StoreOp::PutUser(user("alice"))]).unwrap();
        assert!(store.load().unwrap().users[0].publications.is_empty());
    }

    #[test]
    fn the_writer_saves_what_waits_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frontend.db");
        let writer = FrontendWriter::start(FrontendStore::open(&path).unwrap(), |e| panic!("{e}")).unwrap();
        let reader = FrontendStore::open(&path).unwrap();
        let version = reader.data_version().unwrap();
        some_ops().into_iter().for_each(|op| writer.apply(op));
        writer.apply(StoreOp::DeleteConference { organizer: address("alice"), id: ConferenceId("k7m2q9tx".into()) });
        drop(writer);
        assert_ne!(reader.data_version().unwrap(), version);
        let data = reader.load().unwrap();
        assert_eq!((data.users.len(), data.conferences.len()), (2, 0));
    }
}
