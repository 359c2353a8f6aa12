//! Which names of the DNS lead to the servers of a domain (RFC 3263; `lync.md` 1.1).

use crate::domain::Rng;
use crate::net::dns::{Naptr, Resolver, in_order};
use crate::sip::{Server, Transport};
use futures_util::future::join_all;

/// Names of a standard domain to ask for with SRV where it has no NAPTR, what encrypts first.
const STANDARD: [(Transport, &str); 3] =
    [(Transport::Tls, "_sips._tcp."), (Transport::Tcp, "_sip._tcp."), (Transport::Udp, "_sip._udp.")];

/// The same for Lync.
const LYNC: [(Transport, &str); 4] = [
    (Transport::Tls, "_sipinternaltls._tcp."),
    (Transport::Tcp, "_sipinternal._tcp."),
    (Transport::Tls, "_sip._tls."),
    (Transport::Tcp, "_sip._tcp."),
];

/// Hosts of a Lync domain that answers no SRV.
const LYNC_HOSTS: [(&str, u16); 4] = [("sipinternal.", 5061), ("sip.", 5061), ("sip.", 443), ("sipexternal.", 443)];

/// What NAPTR answers lead to, in their order; what is not SIP over a transport known here is left out.
fn services(mut answers: Vec<Naptr>) -> Vec<(Transport, String)> {
    answers.sort_by_key(|a| (a.order, a.preference));
    let known = |a: &Naptr| {
        let transport = match a.service.to_ascii_uppercase().as_str() {
            "SIPS+D2T" => Transport::Tls,
            "SIP+D2T" => Transport::Tcp,
            "SIP+D2U" => Transport::Udp,
            _ => return None,
        };
        a.flags.eq_ignore_ascii_case("s").then(|| (transport, a.replacement.clone()))
    };
    answers.iter().filter_map(known).collect()
}

/// The servers of a domain, best first: by NAPTR and SRV, else by SRV alone, else the domain itself. `wanted`: only those.
pub async fn servers(dns: &Resolver, domain: &str, lync: bool, wanted: Option<Transport>, rng: &mut Rng) -> Vec<Server> {
    let found = by_srv(dns, domain, lync, wanted, rng).await;
    if found.is_empty() { without_srv(domain, lync, wanted) } else { found }
}

/// Those that the DNS names.
pub async fn by_srv(dns: &Resolver, domain: &str, lync: bool, wanted: Option<Transport>, rng: &mut Rng) -> Vec<Server> {
    let fits = |t: Transport| wanted.is_none_or(|w| w == t);
    let mut names = if lync { Vec::new() } else { services(dns.naptr(domain).await) };
    names.retain(|n| fits(n.0));
    if names.is_empty() {
        let usual: &[(Transport, &str)] = if lync { &LYNC } else { &STANDARD };
        names = usual.iter().filter(|u| fits(u.0)).map(|(t, prefix)| (*t, format!("{prefix}{domain}"))).collect();
    }
    let mut found: Vec<Server> = Vec::new();
    // All at once: one that is not answered takes its time.
    let answers = join_all(names.iter().map(|(_, name)| dns.srv(name))).await;
    for ((transport, _), answers) in names.iter().zip(answers) {
        for answer in in_order(answers, rng) {
            let server = Server::new(answer.target, answer.port, *transport);
            if !found.contains(&server) {
                found.push(server);
            }
        }
    }
    found
}

/// Where a domain without SRV answers is looked for.
pub fn without_srv(domain: &str, lync: bool, wanted: Option<Transport>) -> Vec<Server> {
    let mut out = Vec::new();
    if lync && wanted.is_none_or(|t| t == Transport::Tls) {
        out.extend(LYNC_HOSTS.map(|(prefix, port)| Server::new(format!("{prefix}{domain}"), port, Transport::Tls)));
    }
    let all = [Transport::Tls, Transport::Tcp, Transport::Udp].into_iter().filter(|t| !lync || t.is_reliable());
    let plain = all.filter(|t| wanted.is_none_or(|w| w == *t));
    out.extend(plain.map(|t| Server::new(domain, t.port(), t)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::RData;
    use simple_dns::rdata::{NAPTR, SRV};
    use simple_dns::{CLASS, Name, Packet, PacketFlag};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UdpSocket;

    fn record(name: &str) -> Vec<RData<'static>> {
        let srv = |priority, port, target| RData::SRV(SRV { priority, weight: 0, port, target: Name::new_unchecked(target) });
        let naptr = |order, service: &'static str, replacement| {
            RData::NAPTR(NAPTR {
                order,
                preference: 1,
                flags: "s".try_into().unwrap(),
                services: service.try_into().unwrap(),
                regexp: "".try_into().unwrap(),
                replacement: Name::new_unchecked(replacement),
            })
        };
        match name {
            "full.example" => {
                vec![naptr(2, "SIP+D2T", "_sip._tcp.full.example"), naptr(1, "SIPS+D2T", "_sips._tcp.full.example")]
            }
            "_sips._tcp.full.example" => vec![srv(2, 5062, "b.full.example"), srv(1, 5061, "a.full.example")],
            "_sip._tcp.full.example" => vec![srv(1, 5060, "a.full.example")],
            "_sip._udp.plain.example" => vec![srv(1, 5080, "sip.plain.example")],
            "_sipinternaltls._tcp.lync.example" => vec![srv(0, 5061, "pool.lync.example")],
            "_sip._tls.lync.example" => vec![srv(0, 443, "edge.lync.example")],
            _ => Vec::new(),
        }
    }

    fn answer(question: &[u8], short: bool) -> Vec<u8> {
        let asked = Packet::parse(question).unwrap();
        let name = asked.questions[0].qname.to_string();
        let mut reply = Packet::new_reply(asked.id());
        if short {
            reply.set_flags(PacketFlag::TRUNCATION);
        } else {
            for data in record(name.trim_end_matches('.')) {
                reply.answers.push(ResourceRecord::new(asked.questions[0].qname.clone(), CLASS::IN, 60, data));
            }
        }
        reply.build_bytes_vec_compressed().unwrap()
    }

    /// A name server; `short`: its datagrams are too short for any answer.
    async fn name_server(short: bool) -> Resolver {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            loop {
                let (n, from) = udp.recv_from(&mut buffer).await.unwrap();
                // Something that is no answer to the question comes first.
                udp.send_to(b"xx", from).await.unwrap();
                udp.send_to(&answer(&buffer[..n], short), from).await.unwrap();
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut question = vec![0; usize::from(length)];
                stream.read_exact(&mut question).await.unwrap();
                let reply = answer(&question, false);
                stream.write_u16(u16::try_from(reply.len()).unwrap()).await.unwrap();
                stream.write_all(&reply).await.unwrap();
            }
        });
        Resolver::named(&address.to_string()).unwrap()
    }

    async fn found(resolver: &Resolver, domain: &str, lync: bool, transport: Option<Transport>) -> Vec<String> {
        let found = servers(resolver, domain, lync, transport, &mut Rng::seeded(1)).await;
        found.iter().map(|s| format!("{s} {}", s.transport)).collect()
    }

    #[tokio::test]
    async fn naptr_and_srv_lead_to_the_servers_and_without_them_the_domain_does() {
        let r = name_server(false).await;
        assert_eq!(
            found(&r, "full.example", false, None).await,
            ["a.full.example:5061 TLS", "b.full.example:5062 TLS", "a.full.example:5060 TCP"]
        );
        assert_eq!(found(&r, "full.example", false, Some(Transport::Tcp)).await, ["a.full.example:5060 TCP"]);
        assert_eq!(found(&r, "plain.example", false, None).await, ["sip.plain.example:5080 UDP"]);
        assert_eq!(found(&r, "plain.example", false, Some(Transport::Tls)).await, ["plain.example:5061 TLS"]);
        assert_eq!(found(&r, "lync.example", true, None).await, ["pool.lync.example:5061 TLS", "edge.lync.example:443 TLS"]);
    }

    #[tokio::test]
    async fn an_answer_too_long_for_a_datagram_comes_over_tcp() {
        let r = name_server(true).await;
        assert_eq!(r.srv("_sips._tcp.full.example").await.len(), 2);
    }

    #[test]
    fn naptr_answers_lead_on_by_order_and_preference() {
        let naptr = |order, preference, service: &str, flags: &str| Naptr {
            order,
            preference,
            flags: flags.into(),
            service: service.into(),
            replacement: format!("{service}.example.org").to_lowercase(),
        };
        let answers = vec![
            naptr(20, 1, "SIP+D2U", "s"),
            naptr(10, 2, "SIP+D2T", "S"),
            naptr(10, 1, "SIPS+D2T", "s"),
            naptr(5, 1, "E2U+sip", "u"),
            naptr(5, 1, "SIP+D2T", "a"),
        ];
        let found: Vec<Transport> = services(answers).into_iter().map(|s| s.0).collect();
        assert_eq!(found, [Transport::Tls, Transport::Tcp, Transport::Udp]);
    }

    #[test]
    fn without_srv_the_domain_itself_is_tried_and_for_lync_the_usual_hosts() {
        let hosts = |lync, wanted| -> Vec<String> { without_srv("x.org", lync, wanted).iter().map(Server::to_string).collect() };
        assert_eq!(hosts(false, None), ["x.org:5061", "x.org:5060", "x.org:5060"]);
        assert_eq!(hosts(false, Some(Transport::Udp)), ["x.org:5060"]);
        assert_eq!(hosts(true, None).len(), 6);
        assert_eq!(hosts(true, Some(Transport::Tcp)), ["x.org:5060"]);
    }
}
