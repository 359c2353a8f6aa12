//! What the front end still waits for, and what its conferences look like: for tests and for `doctor`.

use super::Server;
use crate::frontend::conferencing::Attendance;

/// Counts of what is open. When nobody talks all of them are zero soon after the last thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Transactions, those included that only absorb repetitions.
    pub transactions: usize,
    /// Requests whose answer a module waits for.
    pub requests: usize,
    /// INVITEs that a module has not answered.
    pub invitations: usize,
    /// Requests between users on their way.
    pub forks: usize,
    /// Dialogs between users.
    pub dialogs: usize,
    /// Dialogs with conferences.
    pub conference_dialogs: usize,
    /// Messages of conferences that not everybody has answered.
    pub messages: usize,
}

impl Server {
    /// What is open just now.
    pub fn under_way(&self) -> UnderWay {
        let (conference_dialogs, messages) = self.conferencing.under_way();
        let (forks, dialogs) = self.routing.under_way();
        UnderWay {
            transactions: self.layer.len(),
            requests: self.sent.len(),
            invitations: self.owners.len(),
            forks,
            dialogs,
            conference_dialogs,
            messages,
        }
    }

    /// All conferences and who is in them.
    pub fn conferences(&self) -> Vec<Attendance> {
        self.conferencing.attendance().collect()
    }
}
