//! Opening a database: permissions, settings, migrations.

use super::limits::{BUSY_TIMEOUT, PAGE_CACHE_KIB};
use super::{Error, private_file};
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};

/// An open database that knows its file, for error sentences.
#[derive(Debug)]
pub(super) struct Db {
    pub conn: Connection,
    pub path: PathBuf,
}

impl Db {
    /// Opens or makes the file and brings its schema up to date. `migrations` are only ever added to.
    pub fn open(path: &Path, migrations: &[&str]) -> Result<Db, Error> {
        private_file(path)?;
        let conn = Connection::open(path).map_err(|e| Error::sqlite(path, &e))?;
        Db { conn, path: path.into() }.prepare(migrations)
    }

    /// A database that ends with this value.
    pub fn memory(migrations: &[&str]) -> Result<Db, Error> {
        let path = PathBuf::from("(memory)");
        let conn = Connection::open_in_memory().map_err(|e| Error::sqlite(&path, &e))?;
        Db { conn, path }.prepare(migrations)
    }

    fn prepare(mut self, migrations: &[&str]) -> Result<Db, Error> {
        self.settings()
            .and_then(|()| self.schema_version())
            .map_err(|e| self.error(&e))
            .and_then(|v| self.migrate(v, migrations))?;
        Ok(self)
    }

    fn settings(&self) -> rusqlite::Result<()> {
        self.conn.busy_timeout(BUSY_TIMEOUT)?;
        // WAL lets a second instance read while the first writes. File systems without shared memory keep the old journal:
        // slower, equally safe, so the answer is not looked at.
        self.conn.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        self.conn.pragma_update(None, "synchronous", "normal")?;
        // Negative: KiB. The system caches the file, too.
        self.conn.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
        self.conn.pragma_update(None, "foreign_keys", true)?;
        self.conn.set_prepared_statement_cache_capacity(64);
        Ok(())
    }

    fn schema_version(&self) -> rusqlite::Result<u32> {
        self.conn.pragma_query_value(None, "user_version", |r| r.get(0))
    }

    fn migrate(&mut self, version: u32, migrations: &[&str]) -> Result<(), Error> {
        let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
        if version > known {
            return Err(Error::Newer { path: self.path.clone(), found: version, known });
        }
        if version == known {
            return Ok(());
        }
        let path = self.path.clone();
        self.conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|tx| {
                // Another instance may have migrated while this one waited for the lock.
                let from: u32 = tx.pragma_query_value(None, "user_version", |r| r.get(0))?;
                for step in migrations.iter().skip(from as usize) {
                    tx.execute_batch(step)?;
                }
                tx.pragma_update(None, "user_version", known.max(from))?;
                tx.commit()
            })
            .map_err(|e| Error::sqlite(&path, &e))
    }

    pub fn error(&self, e: &rusqlite::Error) -> Error {
        Error::sqlite(&self.path, e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_run_once_and_a_newer_schema_is_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let steps = ["create table a (x)", "create table b (x)"];
        drop(Db::open(&path, &steps[..1]).unwrap());
        drop(Db::open(&path, &steps).unwrap());
        drop(Db::open(&path, &steps).unwrap());
        let error = Db::open(&path, &steps[..1]).unwrap_err();
        assert_eq!(error, Error::Newer { path: path.clone(), found: 2, known: 1 });
        assert!(error.to_string().contains("newer adsum"));
    }

    #[test]
    fn a_failing_migration_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        assert!(Db::open(&path, &["create table a (x); create table a (x)"]).is_err());
        drop(Db::open(&path, &["create table a (x)"]).unwrap());
    }

    #[test]
    fn a_damaged_file_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        std::fs::write(&path, vec![7u8; 8192]).unwrap();
        assert_eq!(Db::open(&path, &["create table a (x)"]).unwrap_err(), Error::Corrupt(path));
    }

    #[test]
    fn two_instances_may_start_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || Db::open(&path, &["create table a (x)", "create table b (x)"]).map(|_| ()))
            })
            .collect();
        for t in threads {
            t.join().unwrap().unwrap();
        }
    }
}
