//! What an endpoint is made from, and what it wants from the world.

use super::{Beside, RelayPlace, WebPlace, WebRequest, WireRecord};
use crate::domain::Address;
use crate::domain::conference::{Conference, Letter};
use crate::domain::contact::{Contact, Group};
use crate::domain::presence::{CustomStatus, LCID_EN_US};
use crate::domain::watching::DEFAULT_CATEGORIES;
use crate::sip::Transport;
use zeroize::Zeroizing;

/// Whose endpoint it is (`domain.md` 2.1, 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointKind {
    /// A person's: registers with a password.
    #[default]
    User,
    /// A service's: does not register, the certificate of its TLS connection proves who it is.
    Application,
    /// A guest's: without an account, in the conferences whose link and passcode it knows.
    Guest,
}

/// What is spoken with the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Lync, Skype for Business, and our own front end.
    #[default]
    Lync,
    /// Standard SIP/SIMPLE.
    Simple,
}

/// A contact list as it was last known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownList {
    /// Groups.
    pub groups: Vec<Group>,
    /// Contacts.
    pub contacts: Vec<Contact>,
}

/// Meetings as they were last known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownMeetings {
    /// Own ones.
    pub own: Vec<Conference>,
    /// Those of others.
    pub invited: Vec<Conference>,
    /// What is still to be said of them.
    pub letters: Vec<Letter>,
}

/// Everything an endpoint must know to sign in.
#[derive(Clone)]
pub struct Config {
    /// A user or an application.
    pub kind: EndpointKind,
    /// What the server speaks.
    pub dialect: Dialect,
    /// The contact list of last time, for servers that keep none.
    pub list: KnownList,
    /// Where a standard server keeps lists and rules (RFC 4825), if it does.
    pub xcap: Option<WebPlace>,
    /// Where a standard server makes conferences, as a SIP URI (RFC 4579), if it does.
    pub conference_factory: Option<String>,
    /// Meetings of last time, for servers that keep none.
    pub meetings: KnownMeetings,
    /// URI of the room in which own meetings are held, on such servers; `None`: at the own address.
    pub meeting_place: Option<String>,
    /// Where a standard server's relay for sessions is.
    pub relay: RelayPlace,
    /// Own address.
    pub uri: Address,
    /// `DOMAIN\user` or `user@domain`; `None`: the address.
    pub login: Option<String>,
    /// The password; wiped when dropped.
    pub password: Zeroizing<String>,
    /// Server host.
    pub host: String,
    /// Server port.
    pub port: u16,
    /// Further front ends of the same pool, host and port.
    pub others: Vec<(String, u16)>,
    /// How the servers are spoken to.
    pub transport: Transport,
    /// Ask the DNS for the servers of the address's domain at every sign-in; host and port stand in when it knows none.
    pub discover: bool,
    /// Name server to ask, `address` or `address:port`; empty: the system's.
    pub name_server: String,
    /// 10 hexadecimal digits, chosen once per installation (`lync.md` 1.4).
    pub epid: String,
    /// Own name for others; may be empty.
    pub display_name: String,
    /// `User-Agent`.
    pub user_agent: String,
    /// Name of this computer, in the NTLM message and in the device publication.
    pub machine_name: String,
    /// Minutes east of UTC, for the device publication.
    pub utc_offset_minutes: i32,
    /// Publish device and machine state at sign-in (`domain.md` 3.11).
    pub publish: bool,
    /// Categories of others that persistent views ask for; fixed for the endpoint's life (`domain.md` 5.10).
    pub categories: Vec<String>,
    /// Take calls and messages of others; without it they go to the owner's other devices.
    pub talks: bool,
    /// Statuses that may be set by their id.
    pub custom_statuses: Vec<CustomStatus>,
    /// Windows locale id of own texts.
    pub lcid: u32,
    /// Sign in again by itself, with back-off, after a lost link or an unreachable server.
    pub reconnect: bool,
    /// Make [`Output::Trace`] records.
    pub trace: bool,
}

impl Config {
    /// The usual settings for TLS on 5061 of the address's own domain.
    pub fn new(uri: Address, password: &str) -> Config {
        Config {
            kind: EndpointKind::User,
            dialect: Dialect::Lync,
            list: KnownList::default(),
            xcap: None,
            conference_factory: None,
            meetings: KnownMeetings::default(),
            meeting_place: None,
            relay: RelayPlace::Server,
            host: uri.host().to_owned(),
            uri,
            login: None,
            password: Zeroizing::new(password.to_owned()),
            port: 5061,
            others: Vec::new(),
            transport: Transport::Tls,
            discover: false,
            name_server: String::new(),
            epid: "0000000000".into(),
            display_name: String::new(),
            user_agent: concat!("adsum/", env!("CARGO_PKG_VERSION")).into(),
            machine_name: "terminal".into(),
            utc_offset_minutes: 0,
            publish: true,
            categories: DEFAULT_CATEGORIES.map(String::from).to_vec(),
            talks: true,
            custom_statuses: Vec::new(),
            lcid: LCID_EN_US,
            reconnect: false,
            trace: true,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("kind", &self.kind)
            .field("uri", &self.uri)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// What the machine wants from the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open the link.
    Connect {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// How.
        transport: Transport,
        /// Names a TLS certificate may be for; the first is the one to ask for.
        names: Vec<String>,
    },
    /// Ask the DNS for the servers of a domain; answered by [`super::UserEndpoint::handle_located`].
    Locate {
        /// The domain.
        domain: String,
        /// What the servers speak.
        dialect: Dialect,
        /// How they are to be spoken to.
        transport: Transport,
    },
    /// Send a request that is too large for a datagram over a connection beside the link (RFC 3261 18.1.1), which is opened
    /// when there is none; what comes on it is given to [`super::UserEndpoint::handle_aside`].
    SendAside {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close the connection beside the link; nothing is said of its end.
    CloseAside,
    /// Send octets on the link.
    Send(Vec<u8>),
    /// Close the link.
    Close,
    /// Ask over HTTP, apart from the link.
    Web(WebRequest),
    /// Connections and files beside the link.
    Beside(Beside),
    /// For the Wire pane.
    Trace(WireRecord),
}
