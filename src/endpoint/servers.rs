//! The front ends of a pool: in which order they are tried, and which of them rest (`domain.md` 4.2).

use super::config::{Config, EndpointKind};
use super::limits::{DEAD_SERVER_REST, MAX_SERVERS};
use crate::domain::{Rng, Time};
use crate::sip::Server;
use std::collections::VecDeque;

/// All front ends an endpoint knows.
#[derive(Debug)]
pub(super) struct Servers {
    all: Vec<(Server, Option<Time>)>,
}

impl Servers {
    /// Those of the configuration. Applications spread over them by chance; a user begins with the first, so that all devices
    /// of a person are found in one place.
    pub fn new(config: &Config, rng: &mut Rng) -> Servers {
        let mut all: Vec<(Server, Option<Time>)> = Vec::new();
        for (host, port) in std::iter::once((config.host.clone(), config.port)).chain(config.others.iter().cloned()) {
            let server = Server::new(host, port, config.transport);
            if all.len() < MAX_SERVERS && !all.iter().any(|s| s.0 == server) {
                all.push((server, None));
            }
        }
        if config.kind == EndpointKind::Application {
            for i in (1..all.len()).rev() {
                all.swap(i, usize::try_from(rng.below(i as u64 + 1)).unwrap_or(0));
            }
        }
        Servers { all }
    }

    /// These were found in the DNS, in this order, and take the place of those that were known.
    pub fn replace(&mut self, found: Vec<Server>) {
        let rests = |server: &Server| self.all.iter().find(|s| s.0 == *server).and_then(|s| s.1);
        self.all = found.into_iter().take(MAX_SERVERS).map(|s| (s.clone(), rests(&s))).collect();
    }

    /// All of them in the order in which they should be tried: `first`, then those that are well, then those that rest, the
    /// one that failed longest ago before the others.
    pub fn round(&self, now: Time, first: Option<&Server>) -> VecDeque<Server> {
        let rests = |failed: &Option<Time>| failed.filter(|t| now.since(*t) < DEAD_SERVER_REST);
        let mut order: Vec<_> = self.all.iter().filter(|s| Some(&s.0) != first).collect();
        order.sort_by_key(|s| rests(&s.1));
        first.into_iter().cloned().chain(order.into_iter().map(|s| s.0.clone())).collect()
    }

    /// This one did not work.
    pub fn failed(&mut self, now: Time, server: &Server) {
        self.all.iter_mut().filter(|s| s.0 == *server).for_each(|s| s.1 = Some(now));
    }

    /// This one works.
    pub fn stood(&mut self, server: &Server) {
        self.all.iter_mut().filter(|s| s.0 == *server).for_each(|s| s.1 = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Address;
    use std::time::Duration;

    fn servers(kind: EndpointKind, seed: u64) -> Servers {
        let mut config = Config::new(Address::parse("echo@contoso.com").unwrap(), "");
        config.kind = kind;
        config.host = "a".into();
        config.others = ["b", "c", "a"].map(|h| (h.to_owned(), 5061)).to_vec();
        Servers::new(&config, &mut Rng::seeded(seed))
    }

    fn names(round: VecDeque<Server>) -> String {
        round.into_iter().map(|s| s.host).collect()
    }

    fn at(host: &str, port: u16) -> Server {
        Server::new(host, port, crate::sip::Transport::Tls)
    }

    #[test]
    fn a_dead_front_end_rests_ten_minutes_while_there_is_another() {
        let mut s = servers(EndpointKind::User, 1);
        let time = |secs| Time(1_000_000) + Duration::from_secs(secs);
        assert_eq!(names(s.round(time(0), None)), "abc");
        s.failed(time(0), &at("a", 5061));
        s.failed(time(5), &at("b", 5061));
        assert_eq!(names(s.round(time(6), None)), "cab");
        assert_eq!(names(s.round(time(599), None)), "cab");
        assert_eq!(names(s.round(time(600), None)), "acb");
        s.failed(time(601), &at("c", 5061));
        s.failed(time(602), &at("a", 5061));
        assert_eq!(names(s.round(time(604), None)), "bca", "b is the one that failed longest ago");
        s.stood(&at("a", 5061));
        assert_eq!(names(s.round(time(606), None)), "abc");
    }

    #[test]
    fn the_registrar_comes_first_even_when_it_is_on_no_list() {
        let s = servers(EndpointKind::User, 1);
        assert_eq!(names(s.round(Time(0), Some(&at("b", 5061)))), "bac");
        assert_eq!(names(s.round(Time(0), Some(&at("z", 1)))), "zabc");
    }

    #[test]
    fn applications_spread_by_chance() {
        let firsts: std::collections::BTreeSet<String> =
            (0..20).map(|seed| names(servers(EndpointKind::Application, seed).round(Time(0), None))).collect();
        assert!(firsts.len() > 3, "{firsts:?}");
    }
}
