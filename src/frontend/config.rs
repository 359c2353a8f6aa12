//! What a front end is called and what it grants.

use super::limits;

/// Settings of one front end; fixed while it runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Host name as clients see it: `targetname` of NTLM, Via and Contact of the server.
    pub host: String,
    /// Port written into Contact, and into Via on TLS connections.
    pub port: u16,
    /// Port without TLS, for Contact and Via on such connections.
    pub tcp_port: u16,
    /// SIP domains whose users live here, lower case, at least one.
    pub domains: Vec<String>,
    /// NetBIOS name of the domain for the NTLM challenge.
    pub netbios_domain: String,
    /// Federated domains (people from them resolve to the `federated` members).
    pub federated: Vec<String>,
    /// Seconds of a registration.
    pub registration_expires: u32,
    /// Seconds of a subscription.
    pub subscription_expires: u32,
    /// The administrator's word on privacy mode (`domain.md` 3.12); `None`: everybody chooses.
    pub privacy: Option<bool>,
    /// How long contact lists may get.
    pub lists: ListLimits,
    /// Base of join URLs, such as `https://meet.contoso.com`; empty: none.
    pub join_base: String,
}

/// How long one owner's contact list may get (`domain.md` 6, rules 13 and 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Contacts.
    pub contacts: usize,
    /// Groups of all kinds, `~` included.
    pub groups: usize,
    /// Distribution groups among them.
    pub distribution_groups: usize,
}

impl Default for ListLimits {
    fn default() -> ListLimits {
        ListLimits { contacts: limits::CONTACTS, groups: limits::GROUPS, distribution_groups: limits::DISTRIBUTION_GROUPS }
    }
}

impl Config {
    /// Usual settings for one domain on one host.
    pub fn new(host: &str, port: u16, domain: &str) -> Config {
        let domain = domain.to_lowercase();
        Config {
            host: host.to_owned(),
            port,
            tcp_port: port,
            netbios_domain: domain.split('.').next().unwrap_or("").chars().take(15).collect::<String>().to_uppercase(),
            domains: vec![domain],
            federated: Vec::new(),
            registration_expires: limits::REGISTRATION_EXPIRES,
            subscription_expires: limits::SUBSCRIPTION_EXPIRES,
            privacy: None,
            lists: ListLimits::default(),
            join_base: String::new(),
        }
    }

    /// Whether users of this domain live here.
    pub fn is_local(&self, domain: &str) -> bool {
        self.domains.iter().any(|d| d.eq_ignore_ascii_case(domain))
    }

    /// `sip:host:port;transport=…`, the Contact of the server on a flow.
    pub fn contact(&self, secure: bool) -> String {
        let (port, transport) = if secure { (self.port, "tls") } else { (self.tcp_port, "tcp") };
        format!("sip:{}:{port};transport={transport}", self.host)
    }
}
