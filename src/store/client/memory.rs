//! A store that keeps nothing, for accounts that want no history on this machine.

use super::{AccountId, Answer, Query, Snapshot, Store, Write};
use crate::store::Error;

/// Takes every write and remembers none. (In-memory with memory: [`super::Sqlite::memory`].)
#[derive(Debug, Default)]
pub struct Forgetful;

impl Store for Forgetful {
    fn snapshot(&mut self, _: &AccountId, _: usize) -> Result<Snapshot, Error> {
        Ok(Snapshot::default())
    }

    fn write(&mut self, _: &[(AccountId, Write)]) -> Result<(), Error> {
        Ok(())
    }

    fn query(&mut self, _: &AccountId, query: &Query) -> Result<Answer, Error> {
        Ok(match query {
            Query::Page { .. } => Answer::Page(Vec::new()),
            Query::Search { .. } => Answer::Found(Vec::new()),
            Query::Transcripts { .. } => Answer::Transcripts(Vec::new()),
            Query::Sync => Answer::Synced,
        })
    }
}
