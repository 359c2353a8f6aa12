//! The DNS as far as SIP needs it beyond addresses: SRV and NAPTR, asked of the system's name servers (RFC 1035, 2782, 3403).
//! Addresses of hosts come from the system itself.

use crate::domain::Rng;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, TYPE};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// Where the system names its name servers.
const SYSTEM: &str = "/etc/resolv.conf";

/// How long one name server may take.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How often all name servers are asked.
const ROUNDS: usize = 2;

/// Name servers that are asked.
const MOST_SERVERS: usize = 3;

/// The largest answer by datagram.
const MOST_OCTETS: usize = 4096;

/// Servers of one name that are looked at.
const MOST_ANSWERS: usize = 16;

/// An answer about a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Smaller first.
    pub priority: u16,
    /// Share among those of the same priority.
    pub weight: u16,
    /// Port.
    pub port: u16,
    /// Host without the dot at its end; empty: the service is not offered.
    pub target: String,
}

/// An answer about what a domain offers (RFC 3403).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Smaller first.
    pub order: u16,
    /// Smaller first within an order.
    pub preference: u16,
    /// `s`: the replacement is to be asked for with SRV.
    pub flags: String,
    /// `SIPS+D2T`, …
    pub service: String,
    /// The name to go on with.
    pub replacement: String,
}

/// Asks name servers.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
}

impl Resolver {
    /// The system's name servers.
    pub fn system() -> Resolver {
        let servers = name_servers(&std::fs::read_to_string(SYSTEM).unwrap_or_default());
        Resolver { servers }
    }

    /// One name server, as `ADDRESS` or `ADDRESS:PORT`.
    ///
    /// # Errors
    /// When it is no address.
    pub fn named(text: &str) -> Result<Resolver, String> {
        let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
        let wrong = format!("“{text}” is no address of a name server; write it like 192.0.2.53 or 127.0.0.1:5353");
        address.map(|a| Resolver { servers: vec![a] }).map_err(|_| wrong)
    }

    /// Where a service is.
    pub async fn srv(&self, name: &str) -> Vec<Srv> {
        let answer = self.ask(name, TYPE::SRV).await.unwrap_or_default();
        let Ok(packet) = Packet::parse(&answer) else { return Vec::new() };
        let read = |data: &RData<'_>| match data {
            RData::SRV(s) => Some(Srv { priority: s.priority, weight: s.weight, port: s.port, target: host(&s.target) }),
            _ => None,
        };
        packet.answers.iter().filter_map(|a| read(&a.rdata)).collect()
    }

    /// What a domain offers.
    pub async fn naptr(&self, name: &str) -> Vec<Naptr> {
        let answer = self.ask(name, TYPE::NAPTR).await.unwrap_or_default();
        let Ok(packet) = Packet::parse(&answer) else { return Vec::new() };
        let read = |data: &RData<'_>| match data {
            RData::NAPTR(n) if !host(&n.replacement).is_empty() => Some(Naptr {
                order: n.order,
                preference: n.preference,
                flags: n.flags.to_string(),
                service: n.services.to_string(),
                replacement: host(&n.replacement),
            }),
            _ => None,
        };
        packet.answers.iter().filter_map(|a| read(&a.rdata)).collect()
    }

    async fn ask(&self, name: &str, kind: TYPE) -> Option<Vec<u8>> {
        for server in std::iter::repeat_n(&self.servers, ROUNDS).flatten() {
            let mut id = [0; 2];
            getrandom::fill(&mut id).ok()?;
            let id = u16::from_be_bytes(id);
            let question = question(name, kind, id)?;
            // One that does not answer, or not as it should, is passed over: the next may.
            if let Ok(Ok(answer)) = timeout(PATIENCE, exchange(*server, id, &question)).await {
                return Some(answer);
            }
        }
        None
    }
}

/// In the order in which they are tried: by priority, within one by chance as the weights say (RFC 2782).
pub fn in_order(mut answers: Vec<Srv>, rng: &mut Rng) -> Vec<Srv> {
    answers.retain(|a| !a.target.is_empty() && a.port > 0);
    // Those without weight first, so that they have a small chance, too.
    answers.sort_by_key(|a| (a.priority, a.weight));
    let mut out = Vec::new();
    while let Some(priority) = answers.first().map(|a| a.priority).filter(|_| out.len() < MOST_ANSWERS) {
        let group = answers.iter().take_while(|a| a.priority == priority);
        let total: u64 = group.clone().map(|a| u64::from(a.weight)).sum();
        let mut left = rng.below(total + 1);
        let mut chosen = 0;
        for (i, a) in group.enumerate() {
            chosen = i;
            match left.checked_sub(u64::from(a.weight)) {
                Some(rest) if rest > 0 => left = rest,
                _ => break,
            }
        }
        out.push(answers.remove(chosen));
    }
    out
}

fn question(name: &str, kind: TYPE, id: u16) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).ok()?;
    packet.questions.push(Question::new(name, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().ok()
}

async fn exchange(server: SocketAddr, id: u16, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let local: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; MOST_OCTETS];
    loop {
        let n = socket.recv(&mut answer).await?;
        let Some(bytes) = answer.get(..n).filter(|b| b.get(..2) == Some(&id.to_be_bytes())) else { continue };
        let Ok(packet) = Packet::parse(bytes) else { continue };
        if packet.has_flags(PacketFlag::TRUNCATION) {
            return over_tcp(server, question).await;
        }
        return Ok(bytes.to_vec());
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// A name without the dot at its end; empty when it is none that a host could have: whoever answers may write anything into
/// a name, and it is told to people and to other machines.
fn host(name: &Name<'_>) -> String {
    let text = name.to_string();
    if text.bytes().all(|b| b.is_ascii_graphic()) { text.trim_end_matches('.').to_owned() } else { String::new() }
}

/// The addresses of `nameserver` lines; this machine itself when there are none.
fn name_servers(text: &str) -> Vec<SocketAddr> {
    let of = |line: &str| line.trim().strip_prefix("nameserver").and_then(|a| a.trim().parse::<IpAddr>().ok());
    let found: Vec<SocketAddr> = text.lines().filter_map(of).take(MOST_SERVERS).map(|ip| SocketAddr::new(ip, 53)).collect();
    if found.is_empty() { vec![(Ipv4Addr::LOCALHOST, 53).into()] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    fn order(answers: &[Srv], seed: u64) -> String {
        in_order(answers.to_vec(), &mut Rng::seeded(seed)).into_iter().map(|s| s.target).collect()
    }

    #[test]
    fn priorities_are_kept_and_weights_are_shares() {
        let answers = [srv(20, 0, "z"), srv(10, 90, "a"), srv(10, 10, "b"), srv(10, 0, "c"), srv(30, 1, "")];
        let orders: Vec<String> = (0..400).map(|seed| order(&answers, seed)).collect();
        assert!(orders.iter().all(|o| o.ends_with('z') && o.len() == 4));
        let first = |host: char| orders.iter().filter(|o| o.starts_with(host)).count();
        assert!((320..390).contains(&first('a')), "{}", first('a'));
        assert!((15..70).contains(&first('b')), "{}", first('b'));
        assert!(first('c') < 20, "{}", first('c'));
    }

    #[test]
    fn a_name_that_could_steer_a_terminal_is_no_host() {
        assert_eq!(host(&Name::new_unchecked("sip.example.org")), "sip.example.org");
        assert_eq!(host(&Name::new_unchecked("_sip._tcp.example.org")), "_sip._tcp.example.org");
        for evil in ["sip\u{1b}[2J.example.org", "sip\r\n.example.org", "s ip.example.org", "sip\u{202e}.example.org"] {
            assert_eq!(host(&Name::new_unchecked(evil)), "", "{evil:?}");
        }
    }

    #[test]
    fn the_system_names_its_servers() {
        let text =
            "# made by hand\nsearch example.org\nnameserver 192.0.2.1\nnameserver  2001:db8::1 \nnameserver fe80::1%eth0\n";
        let found: Vec<String> = name_servers(text).iter().map(SocketAddr::to_string).collect();
        assert_eq!(found, ["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert_eq!(name_servers("").len(), 1);
        assert!(Resolver::named("dns.example.org").unwrap_err().contains("no address of a name server"));
    }
}
