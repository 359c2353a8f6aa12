//! "Another adsum uses this account": an advisory lock that informs and never forbids.
//!
//! Both instances may write (SQLite orders them); the second one only tells its user.

use super::{Error, private_file};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Held as long as this value lives; the system releases it when the process dies.
#[derive(Debug)]
pub struct AccountLock {
    _file: File,
    first: bool,
}

impl AccountLock {
    /// Takes the lock `name.lock` in `dir`; characters that do not belong into a file name are replaced.
    pub fn take(dir: &Path, name: &str) -> Result<AccountLock, Error> {
        let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "@.-_".contains(c) { c } else { '_' }).collect();
        let path = dir.join(format!("{safe}.lock"));
        let file = private_file(&path)?;
        let first = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            // File systems without locks: nobody can be seen, so nobody is reported.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => true,
            Err(TryLockError::Error(e)) => return Err(Error::io(&path, &e)),
        };
        Ok(AccountLock { _file: file, first })
    }

    /// Whether another instance had it already.
    pub fn is_shared(&self) -> bool {
        !self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_instance_is_told_and_still_works() {
        let dir = tempfile::tempdir().unwrap();
        let first = AccountLock::take(dir.path(), "sip:alice@contoso.com").unwrap();
        assert!(!first.is_shared());
        assert!(AccountLock::take(dir.path(), "sip:alice@contoso.com").unwrap().is_shared());
        assert!(!AccountLock::take(dir.path(), "sip:bob@contoso.com").unwrap().is_shared());
        drop(first);
        assert!(!AccountLock::take(dir.path(), "sip:alice@contoso.com").unwrap().is_shared());
    }
}
