//! What all modules share: the accounts with their data, and who is signed in.

use super::data::{ContactList, UserData, UserRecord};
use super::presence::own::OwnPresence;
use super::{Config, Registrations, TrustedApplication};
use crate::domain::Address;
use crate::domain::access::{self, SourceNetwork};
use crate::domain::contact::DistributionGroup;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use crate::domain::access::Reach;

/// One account while the front end runs.
#[derive(Debug)]
pub struct User {
    /// The account.
    pub record: UserRecord,
    /// Contacts and groups.
    pub contacts: ContactList,
    /// What it publishes, and to whom.
    pub presence: OwnPresence,
}

/// Everything the modules share.
#[derive(Debug, Default)]
pub struct State {
    /// Accounts by address.
    pub users: HashMap<Address, User>,
    /// Distribution groups by address.
    pub groups: BTreeMap<Address, DistributionGroup>,
    /// Trusted applications by address.
    pub applications: HashMap<Address, TrustedApplication>,
    /// Who is signed in where.
    pub registrations: Registrations,
    /// Category names the administrator has registered.
    pub categories: BTreeSet<String>,
}

impl User {
    /// An account as loaded.
    pub fn new(data: UserData) -> User {
        let mut presence = OwnPresence::new(data.publications, data.containers, data.subscribers);
        presence.delegates = data.delegates;
        User { record: data.record, contacts: data.contacts, presence }
    }

    /// The container `watcher` sees.
    pub fn container_for(&self, config: &Config, watcher: &Address) -> u32 {
        access::resolve(&self.presence.containers, watcher, network_of(config, watcher))
    }

    /// Whether an invitation of `caller` gets through.
    pub fn reach(&self, config: &Config, caller: &Address) -> Reach {
        if *caller == self.record.address {
            return Reach::Allow;
        }
        let container = self.container_for(config, caller);
        let seen = if container == 300 { self.presence.seen_by_workgroup } else { self.presence.seen };
        access::reach(container, network_of(config, caller), seen)
    }
}

/// Where somebody comes from: the domains of the front end are one enterprise.
pub fn network_of(config: &Config, who: &Address) -> SourceNetwork {
    if config.is_local(who.host()) {
        SourceNetwork::SameEnterprise
    } else if config.federated.iter().any(|d| d.eq_ignore_ascii_case(who.host())) {
        SourceNetwork::Federated
    } else {
        SourceNetwork::Everyone
    }
}
