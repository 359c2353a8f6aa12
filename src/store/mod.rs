//! What must survive a restart: history, drafts, outbox and last known things of the client, and the front end's own data,
//! all in SQLite; and passwords, in the keyring.
//!
//! An adapter: only `faces` names it. The reducer never waits for it: [`client::Worker`] has a thread of its own and answers by
//! a callback. Every change is one transaction, so a full disk or a crash leaves nothing half-written.

pub mod client;
mod db;
mod files;
pub mod limits;
pub mod lock;
pub mod secrets;
pub mod server;

pub use files::{private_dir, private_file};

use std::path::{Path, PathBuf};

/// Why a database cannot be used: one sentence that names the file and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No space left.
    #[error("the disk is full, {} cannot be saved; free some space and it is saved by itself", .0.display())]
    Full(PathBuf),
    /// Not a database, or a damaged one.
    #[error("{} is damaged; move it away and adsum starts a new one", .0.display())]
    Corrupt(PathBuf),
    /// Written by a later version.
    #[error("{} was written by a newer adsum (schema {found}, this one knows {known}); use that version or another data directory", path.display())]
    Newer {
        /// File.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The highest one known here.
        known: u32,
    },
    /// Another process holds it for too long.
    #[error("{} is held by another program; close it and try again", .0.display())]
    Busy(PathBuf),
    /// No right to read or write it.
    #[error("{} cannot be written; check its owner and permissions", .0.display())]
    Denied(PathBuf),
    /// Anything else.
    #[error("{}: {reason}", path.display())]
    Other {
        /// File.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
}

impl Error {
    /// Whether the same write may succeed later without anybody changing the program or the file.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Error::Full(_) | Error::Busy(_))
    }

    fn io(path: &Path, e: &std::io::Error) -> Error {
        match e.kind() {
            std::io::ErrorKind::PermissionDenied => Error::Denied(path.into()),
            std::io::ErrorKind::StorageFull => Error::Full(path.into()),
            _ => Error::Other { path: path.into(), reason: e.to_string() },
        }
    }

    fn sqlite(path: &Path, e: &rusqlite::Error) -> Error {
        use rusqlite::ErrorCode as C;
        match e.sqlite_error_code() {
            Some(C::DiskFull) => Error::Full(path.into()),
            Some(C::DatabaseCorrupt | C::NotADatabase) => Error::Corrupt(path.into()),
            Some(C::DatabaseBusy | C::DatabaseLocked) => Error::Busy(path.into()),
            Some(C::ReadOnly | C::CannotOpen | C::PermissionDenied) => Error::Denied(path.into()),
            _ => Error::Other { path: path.into(), reason: e.to_string() },
        }
    }
}
