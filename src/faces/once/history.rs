//! What was written, as this machine keeps it.

use crate::app::state::Thread;
use crate::domain::Address;
use crate::domain::conversation::{ConversationId, InstantMessage};
use crate::faces::tui::start::DATABASE;
use crate::store::client::{AccountId, Peer, Sqlite, Store, Write};
use crate::store::private_dir;
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
