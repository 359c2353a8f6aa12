//! What a front end is called and what it grants.

use super::limits;
use crate::domain::conference::PhoneNumber;

/// How much of somebody's presence may be watched (`domain.md` 5.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    category_subscriptions: usize,
    prompted_subscribers: usize,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::new(limits::CATEGORY_SUBSCRIPTIONS, limits::PROMPTED_SUBSCRIBERS)
    }
}

/// "Berlin=+49 30 1234": a number to call, with its region.
///
/// # Errors
/// One sentence that says how it is written.
pub fn read_phone(text: &str) -> Result<PhoneNumber, String> {
    let (region, number) = text.split_once('=').unwrap_or(("", text));
    let number = number.trim();
    let ok = number.bytes().any(|b| b.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c));
    if ok {
        Ok(PhoneNumber { region: region.trim().to_owned(), number: number.to_owned() })
    } else {
        Err("write it like Berlin=+49 30 1234".into())
    }
}

impl Policy {
    /// What services have: many watchers, and no questions about them.
    pub const SERVICE: Policy = Policy { category_subscriptions: limits::MAX_CATEGORY_SUBSCRIPTIONS, prompted_subscribers: 0 };

    /// Watched categories (0 to 3000) and questions that may wait (0 to 500); more counts as the most.
    pub fn new(category_subscriptions: usize, prompted_subscribers: usize) -> Policy {
        Policy {
            category_subscriptions: category_subscriptions.min(limits::MAX_CATEGORY_SUBSCRIPTIONS),
            prompted_subscribers: prompted_subscribers.min(limits::MAX_PROMPTED_SUBSCRIBERS),
        }
    }

    /// Whether one more watcher of so many categories may come to those there are (`watched`: their categories, summed up).
    pub fn takes(&self, watched: usize, categories: usize) -> bool {
        watched + categories.max(1) <= self.category_subscriptions
    }

    /// Whether one more question may wait.
    pub fn asks(&self, waiting: usize) -> bool {
        waiting < self.prompted_subscribers
    }
}

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
    /// What others may take of a person's presence.
    pub user_policy: Policy,
    /// What others may take of a service's presence.
    pub service_policy: Policy,
    /// Base of join URLs, such as `https://meet.contoso.com`; empty: none.
    pub join_base: String,
    /// Numbers by which conferences can be called, if there is a gateway; told to those who schedule.
    pub phones: Vec<PhoneNumber>,
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
            user_policy: Policy::default(),
            service_policy: Policy::SERVICE,
            join_base: String::new(),
            phones: Vec::new(),
        }
    }

    /// The policy of an account: bots are services.
    pub fn policy(&self, record: &super::UserRecord) -> Policy {
        if record.automaton { self.service_policy } else { self.user_policy }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watching::watchers_allowed;

    #[test]
    fn category_subscriptions_and_prompts_have_the_bounds_of_5_10() {
        assert_eq!(Policy::default(), Policy { category_subscriptions: 1000, prompted_subscribers: 200 });
        assert_eq!(Policy::new(9999, 9999), Policy { category_subscriptions: 3000, prompted_subscribers: 500 });
        assert_eq!(Policy::SERVICE, Policy { category_subscriptions: 3000, prompted_subscribers: 0 });
        assert!(!Policy::new(0, 0).takes(0, 5));
    }

    #[test]
    fn numbers_to_call_are_written_with_their_region_or_alone() {
        let phone = |region: &str, number: &str| Ok(PhoneNumber { region: region.into(), number: number.into() });
        assert_eq!(read_phone("Berlin = +49 30 1234"), phone("Berlin", "+49 30 1234"));
        assert_eq!(read_phone("+1 (555) 0100"), phone("", "+1 (555) 0100"));
        assert!(["", "Berlin=", "Berlin=call us"].iter().all(|t| read_phone(t).is_err()));
    }

    #[test]
    fn watchers_per_presentity_are_category_subscriptions_by_categories() {
        for (budget, categories) in [(1000, 5), (1000, 6), (3000, 7), (4, 5), (10, 1)] {
            let policy = Policy::new(budget, 0);
            let watchers = (0..).take_while(|n| policy.takes(n * categories, categories)).count();
            assert_eq!(watchers, watchers_allowed(budget, categories), "{budget} by {categories}");
        }
    }
}
