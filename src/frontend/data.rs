//! What a front end keeps for ever: loaded at the start, every change told as a [`StoreOp`].

use super::applications::TrustedApplication;
use crate::domain::access::default_containers;
use crate::domain::conference::{AccessLevel, AutomaticLeaders, Conference, ConferenceId};
use crate::domain::contact::{Contact, DEFAULT_GROUP, DEFAULT_GROUP_NAME, DistributionGroup, Group};
use crate::domain::conversation::Role;
use crate::domain::presence::{Container, Delegates, Publication, PublicationKey, Subscriber};
use crate::domain::{Address, Time};
use crate::sip::auth::{Algorithm, Ha1, NtHash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An account. Passwords are kept as the hashes that NTLM and Digest need, never themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// Who.
    pub address: Address,
    /// Name in the directory and on the card.
    pub display_name: String,
    /// Mail address; empty: the SIP address.
    #[serde(default)]
    pub email: String,
    /// Title.
    #[serde(default)]
    pub title: String,
    /// Company.
    #[serde(default)]
    pub company: String,
    /// Department.
    #[serde(default)]
    pub department: String,
    /// Office.
    #[serde(default)]
    pub office: String,
    /// Work phone as a `tel:` URI.
    #[serde(default)]
    pub phone: String,
    /// A bot (`automaton`).
    #[serde(default)]
    pub automaton: bool,
    /// MD4 of the UTF-16LE password.
    pub nt_hash: [u8; 16],
    /// Digest HA1 with MD5, lower-case hexadecimal.
    pub ha1_md5: String,
    /// Digest HA1 with SHA-256, lower-case hexadecimal.
    pub ha1_sha256: String,
}

impl UserRecord {
    /// An account with a name and a password and nothing else.
    pub fn new(address: Address, display_name: &str, password: &str) -> UserRecord {
        let mut record = UserRecord {
            address,
            display_name: display_name.to_owned(),
            email: String::new(),
            title: String::new(),
            company: String::new(),
            department: String::new(),
            office: String::new(),
            phone: String::new(),
            automaton: false,
            nt_hash: [0; 16],
            ha1_md5: String::new(),
            ha1_sha256: String::new(),
        };
        record.set_password(password);
        record
    }

    /// Keeps the hashes of a new password. The Digest realm is the domain, its user name the part before the `@`.
    pub fn set_password(&mut self, password: &str) {
        let (user, realm) = (self.address.user(), self.address.host());
        let ha1 = |algorithm| Ha1::new(algorithm, user, realm, password).as_hex().to_owned();
        let hashes = (ha1(Algorithm::Md5), ha1(Algorithm::Sha256));
        (self.ha1_md5, self.ha1_sha256) = hashes;
        self.nt_hash = NtHash::from_password(password).to_bytes();
    }
}

impl UserData {
    /// A new account: the group `~` and the default containers (`domain.md` 5.6, rule 8).
    pub fn new(record: UserRecord) -> UserData {
        UserData {
            record,
            contacts: ContactList::default(),
            publications: Vec::new(),
            containers: default_containers(),
            subscribers: Vec::new(),
            delegates: Delegates::default(),
        }
    }
}

/// One owner's contacts and groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactList {
    /// Version of the list, never 0.
    pub delta: u32,
    /// The next group id to give; ids are not used twice (`domain.md` 6, rule 4).
    pub next_group: u32,
    /// Groups in order of creation, `~` first.
    pub groups: Vec<Group>,
    /// Contacts in order of addition.
    pub contacts: Vec<Contact>,
}

impl Default for ContactList {
    /// Nobody, and the group `~`.
    fn default() -> Self {
        let first = Group::new(DEFAULT_GROUP, DEFAULT_GROUP_NAME);
        ContactList { delta: 1, next_group: 2, groups: vec![first], contacts: Vec::new() }
    }
}

/// Everything of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserData {
    /// The account.
    pub record: UserRecord,
    /// Contacts and groups.
    pub contacts: ContactList,
    /// Publications that outlive sessions ([`Expiry::Static`](crate::domain::presence::Expiry::Static) and timed ones).
    pub publications: Vec<Publication>,
    /// Containers.
    pub containers: Vec<Container>,
    /// Watchers, acknowledged or not.
    pub subscribers: Vec<Subscriber>,
    /// Who may act for the owner.
    #[serde(default)]
    pub delegates: Delegates,
}

/// A message for somebody who is not signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMessage {
    /// Its name; the author knows it from the 202.
    pub id: String,
    /// The author.
    pub from: Address,
    /// Whom it is for.
    pub to: Address,
    /// When it came.
    pub at: Time,
    /// `Ms-Conversation-ID`; may be empty.
    pub conversation: String,
    /// `Content-Type`.
    pub content_type: String,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// What leaders have changed of a conference that runs, and whom they let in, muted or gave a role: a front end that takes
/// over goes on with it (`domain.md` 8.5). Who is in it is not kept; everybody joins again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its organizer.
    pub organizer: Address,
    /// Its name.
    pub id: ConferenceId,
    /// Locked.
    pub locked: bool,
    /// The access level apart from the lock.
    pub access: AccessLevel,
    /// Phone callers skip the lobby.
    pub lobby_bypass: bool,
    /// Who becomes a leader by coming in.
    pub leaders: AutomaticLeaders,
    /// Comings and goings are announced.
    pub announcements: bool,
    /// Newcomers who do not lead are muted.
    pub mute_all: bool,
    /// Attendees may unmute themselves all the same.
    pub self_unmute: bool,
    /// Invited by a leader from inside.
    pub invited: BTreeSet<Address>,
    /// Let in from the lobby.
    pub admitted: BTreeSet<Address>,
    /// Muted.
    pub muted: BTreeSet<Address>,
    /// Roles given while it ran.
    pub roles: Vec<(Address, Role)>,
}

/// Everything kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Accounts.
    pub users: Vec<UserData>,
    /// Trusted applications.
    #[serde(default)]
    pub applications: Vec<TrustedApplication>,
    /// Scheduled conferences of everybody.
    pub conferences: Vec<Conference>,
    /// Distribution groups of the directory.
    pub groups: Vec<DistributionGroup>,
    /// Category names the administrator has registered (`domain.md` 5.6, rule 10).
    #[serde(default)]
    pub categories: Vec<String>,
    /// Messages for people who are not signed in.
    #[serde(default)]
    pub kept: Vec<KeptMessage>,
    /// What running conferences go on with.
    #[serde(default)]
    pub running: Vec<Running>,
}

/// One change of what is kept. Applying the same twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreOp {
    /// A new account, or new values (password hashes too) of one.
    PutUser(UserRecord),
    /// An account and everything of it is gone.
    RemoveUser(Address),
    /// A trusted application, new or changed.
    PutApplication(TrustedApplication),
    /// An application is not trusted any more.
    RemoveApplication(Address),
    /// The whole contact list of one owner.
    PutContacts {
        /// Whose.
        owner: Address,
        /// The list.
        list: ContactList,
    },
    /// One publication that outlives sessions.
    PutPublication {
        /// Whose.
        owner: Address,
        /// The publication with its key.
        publication: Publication,
    },
    /// A publication is gone.
    DeletePublication {
        /// Whose.
        owner: Address,
        /// Its name.
        key: PublicationKey,
    },
    /// One container, complete.
    PutContainer {
        /// Whose.
        owner: Address,
        /// Its id, version and members.
        container: Container,
    },
    /// One watcher.
    PutSubscriber {
        /// Whose watcher.
        owner: Address,
        /// The watcher.
        subscriber: Subscriber,
    },
    /// A watcher is gone.
    DeleteSubscriber {
        /// Whose watcher.
        owner: Address,
        /// Who.
        uri: Address,
    },
    /// The delegates of one owner, complete.
    PutDelegates {
        /// Whose.
        owner: Address,
        /// Version and members.
        delegates: Delegates,
    },
    /// A distribution group, new or changed.
    PutGroup(DistributionGroup),
    /// A distribution group is gone.
    DeleteGroup(Address),
    /// A category name is registered.
    PutCategory(String),
    /// A category name is registered no longer.
    DeleteCategory(String),
    /// A message for somebody who is not signed in.
    PutKept(KeptMessage),
    /// It was delivered, or has waited too long.
    DeleteKept {
        /// Whom it was for.
        to: Address,
        /// Its name.
        id: String,
    },
    /// A conference, new or changed.
    PutConference(Conference),
    /// What a running conference goes on with after a restart.
    PutRunning(Running),
    /// It runs no longer, or as it was scheduled.
    DeleteRunning {
        /// Its organizer.
        organizer: Address,
        /// Its name.
        id: ConferenceId,
    },
    /// A conference is gone, also as it ran.
    DeleteConference {
        /// Its organizer.
        organizer: Address,
        /// Its name.
        id: ConferenceId,
    },
}
