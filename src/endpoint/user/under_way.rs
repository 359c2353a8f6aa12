//! What an endpoint still waits for: tests and `doctor` look here for things nobody ends.

use super::UserEndpoint;

/// Counts of what is open. Without a conversation all of them are zero soon after the last thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Transactions, those included that only absorb repetitions.
    pub transactions: usize,
    /// Requests whose answer a service waits for.
    pub requests: usize,
    /// Invitations that nobody has answered.
    pub invitations: usize,
    /// What the conversations remember of their requests.
    pub remembered: usize,
    /// Dialogs with other people, without those with a conference.
    pub dialogs: usize,
}

impl UserEndpoint {
    /// What is open just now.
    pub fn under_way(&self) -> UnderWay {
        UnderWay {
            transactions: self.layer.len(),
            requests: self.sent.len(),
            invitations: self.invites.len(),
            remembered: self.conversations.remembered(),
            dialogs: self.conversations.dialogs(),
        }
    }
}
