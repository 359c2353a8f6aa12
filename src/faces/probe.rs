//! Finds out where an address signs in and what is spoken there: candidates from the DNS or the command line, each asked with
//! a REGISTER that registers nothing, until one answers.

use super::link::over;
use super::locate;
use crate::app::config::Dialect;
use crate::domain::{Address, Rng};
use crate::net::dns::Resolver;
use crate::net::judge::Facts;
use crate::net::tls::Trust;
use crate::net::{ConnectError, Incoming, Outgoing, dial};
use crate::sip::auth::AuthHeader;
use crate::sip::framing::{Frame, Framer};
use crate::sip::{Message, Method, Name, NameAddr, Request, Response, Server, Transport, Uri};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// How long one server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A datagram is sent again after these.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_millis(1500), Duration::from_millis(3500)];

/// A server that may be the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub server: Server,
    /// The DNS named it, so that the account need not.
    pub discovered: bool,
}

/// What a server turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub candidate: Candidate,
    /// What it speaks.
    pub dialect: Dialect,
    /// What it calls itself; may be empty.
    pub program: String,
}

/// Why a server was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// One sentence.
    pub why: String,
    /// There is no such host.
    pub no_host: bool,
    /// The certificate that was refused.
    pub certificate: Option<Box<Facts>>,
}

impl Miss {
    /// For this reason alone.
    pub fn new(why: String) -> Miss {
        Miss { why, no_host: false, certificate: None }
    }
}

/// The servers that come into question, best first. `named`: host and perhaps port from the command line.
pub async fn candidates(
    address: &Address,
    named: Option<(String, Option<u16>)>,
    wanted: Option<Transport>,
    dns: &Resolver,
    rng: &mut Rng,
) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    let mut add = |servers: Vec<Server>, discovered: bool| {
        for server in servers {
            if !out.iter().any(|c| c.server == server) {
                out.push(Candidate { server, discovered });
            }
        }
    };
    if let Some((host, port)) = named {
        let all = [Transport::Tls, Transport::Tcp, Transport::Udp].into_iter().filter(|t| wanted.is_none_or(|w| w == *t));
        // The usual port without encryption is not tried with it.
        let fits = all.filter(|t| wanted.is_some() || port != Some(Transport::Tcp.port()) || *t != Transport::Tls);
        add(fits.map(|t| Server::new(host.clone(), port.unwrap_or(t.port()), t)).collect(), false);
        return out;
    }
    let domain = address.host();
    add(locate::by_srv(dns, domain, false, wanted, rng).await, true);
    add(locate::by_srv(dns, domain, true, wanted, rng).await, true);
    add(locate::without_srv(domain, true, wanted), false);
    add(locate::without_srv(domain, false, wanted), false);
    out
}

/// Asks one server.
///
/// # Errors
/// Why it is none.
pub async fn ask(candidate: &Candidate, address: &Address, trust: Option<&Trust>, rng: &mut Rng) -> Result<Found, Miss> {
    let server = &candidate.server;
    let end = Instant::now() + PATIENCE;
    let (deliver, came) = mpsc::channel(16);
    let opened = timeout_at(end, open(server, address, trust, deliver)).await;
    let silent = || Miss::new(format!("{server} does not answer over {}", server.transport));
    let (out, local) = opened.map_err(|_| silent())??;
    let request = register(address, &local, server.transport, rng);
    out.send(Message::Request(request.clone()).to_bytes());
    let response = answer(&out, came, &request, server, end).await.map_err(Miss::new)?;
    let program = response.headers.get(&Name::Server).or_else(|| response.headers.get(&Name::UserAgent)).unwrap_or("");
    let program = program.chars().filter(|c| !c.is_control()).take(80).collect();
    Ok(Found { candidate: candidate.clone(), dialect: dialect(&response), program })
}

type Queue = mpsc::Receiver<((), Incoming)>;

async fn open(
    server: &Server,
    address: &Address,
    trust: Option<&Trust>,
    deliver: mpsc::Sender<((), Incoming)>,
) -> Result<(Outgoing, String), Miss> {
    let names = [server.host.clone(), address.host().to_owned()];
    let over = over(server.transport, &names, trust);
    let (out, ends) = dial(over, &server.host, server.port, (), deliver).await.map_err(|refused| Miss {
        why: refused.error.to_string(),
        no_host: matches!(refused.error, ConnectError::NoHost(_)),
        certificate: refused.certificate,
    })?;
    Ok((out, ends.local.to_string()))
}

/// A REGISTER that asks for nothing.
fn register(address: &Address, local: &str, transport: Transport, rng: &mut Rng) -> Request {
    let mut r = Request::new(Method::Register, Uri::of_domain(address));
    let me = NameAddr::new(Uri::from(address));
    r.headers
        .push(Name::Via, format!("SIP/2.0/{transport} {local};branch=z9hG4bK{};rport", rng.hex(20)))
        .push(Name::From, me.clone().with_tag(&rng.hex(16)).to_string())
        .push(Name::To, me.to_string())
        .push(Name::MaxForwards, "70")
        .push(Name::CallId, rng.hex(32))
        .push(Name::CSeq, "1 REGISTER")
        .push(Name::UserAgent, concat!("adsum/", env!("CARGO_PKG_VERSION")));
    r
}

/// The final response.
async fn answer(out: &Outgoing, mut came: Queue, request: &Request, server: &Server, end: Instant) -> Result<Response, String> {
    let mut framer = Framer::new();
    let start = Instant::now();
    let reliable = server.transport.is_reliable();
    let mut again = AGAIN.iter().map(|a| start + *a).filter(|_| !reliable);
    let mut next = again.next();
    loop {
        let wait = next.unwrap_or(end).min(end);
        let bytes = match timeout_at(wait, came.recv()).await {
            Ok(Some(((), Incoming::Bytes(bytes)))) => bytes,
            Ok(Some(((), Incoming::Closed(why)))) => {
                let why = why.unwrap_or_else(|| "it closed the connection".into());
                return Err(format!("{server} does not speak SIP over {} ({why})", server.transport));
            }
            Err(_) if Instant::now() < end => {
                next = again.next();
                out.send(Message::Request(request.clone()).to_bytes());
                continue;
            }
            Ok(None) | Err(_) => return Err(format!("{server} does not answer over {}", server.transport)),
        };
        framer.push(&bytes);
        while let Some(frame) = framer.next() {
            match frame {
                Ok(Frame::Message(message)) => {
                    if let Message::Response(r) = *message
                        && r.is_final()
                        && r.headers.call_id() == request.headers.call_id()
                    {
                        return Ok(r);
                    }
                }
                Ok(Frame::KeepAlive) => {}
                Err(_) => return Err(format!("{server} speaks something else than SIP")),
            }
        }
    }
}

/// What is spoken there, as the answer to a REGISTER without credentials shows it.
fn dialect(response: &Response) -> Dialect {
    let headers = &response.headers;
    let schemes = [Name::WwwAuthenticate, Name::ProxyAuthenticate];
    let mut offered = schemes.iter().flat_map(|n| headers.all(n)).filter_map(AuthHeader::parse);
    let microsoft = offered.any(|h| ["NTLM", "Kerberos", "TLS-DSK"].iter().any(|s| h.scheme().eq_ignore_ascii_case(s)));
    let named = headers.get(&Name::Server).is_some_and(|s| s.starts_with("RTC/"));
    let own = headers.iter().any(|(n, v)| n.as_str().to_ascii_lowercase().starts_with("ms-") || v.contains("msrtc"));
    if microsoft || named || own { Dialect::Lync } else { Dialect::Sip }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn alice() -> Address {
        Address::parse("alice@example.org").unwrap()
    }

    #[test]
    fn the_challenge_tells_the_dialects_apart() {
        let with = |name: &str, value: &str| dialect(&Response::new(401).with(name, value));
        assert_eq!(with("WWW-Authenticate", "NTLM realm=\"x\", targetname=\"y\", version=4"), Dialect::Lync);
        assert_eq!(with("Server", "RTC/6.0"), Dialect::Lync);
        assert_eq!(with("ms-diagnostics", "1000;reason=\"x\""), Dialect::Lync);
        assert_eq!(with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"y\""), Dialect::Sip);
        assert_eq!(with("Server", "kamailio (5.6.3)"), Dialect::Sip);
    }

    #[tokio::test]
    async fn a_named_server_is_tried_over_what_its_port_may_speak() {
        let dns = Resolver::named("127.0.0.1:1").unwrap();
        let all = async |port, wanted| -> Vec<String> {
            let found = candidates(&alice(), Some(("sip".into(), port)), wanted, &dns, &mut Rng::seeded(1)).await;
            found.iter().map(|c| format!("{} {}", c.server, c.server.transport)).collect()
        };
        assert_eq!(all(None, None).await, ["sip:5061 TLS", "sip:5060 TCP", "sip:5060 UDP"]);
        assert_eq!(all(Some(5060), None).await, ["sip:5060 TCP", "sip:5060 UDP"]);
        assert_eq!(all(Some(7000), Some(Transport::Udp)).await, ["sip:7000 UDP"]);
    }

    /// A server that answers everything with these octets.
    async fn says(text: &'static str) -> Candidate {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let n = socket.read(&mut buffer).await.unwrap();
            let asked = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let call = asked.lines().find_map(|l| l.strip_prefix("Call-ID: ")).unwrap();
            socket.write_all(text.replace("CALL", call).as_bytes()).await.unwrap();
        });
        Candidate { server: Server::new("127.0.0.1", port, Transport::Tcp), discovered: false }
    }

    #[tokio::test]
    async fn what_answers_is_found_and_what_is_no_sip_is_said() {
        let good = says("SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nCall-ID: CALL\r\nCSeq: 1 REGISTER\r\nServer: test\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n").await;
        let found = ask(&good, &alice(), None, &mut Rng::seeded(1)).await.unwrap();
        assert_eq!((found.dialect, found.program.as_str()), (Dialect::Sip, "test"));
        let other = says("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let miss = ask(&other, &alice(), None, &mut Rng::seeded(1)).await.unwrap_err();
        assert!(miss.why.contains("SIP"), "{}", miss.why);
        let closed = Candidate { server: Server::new("127.0.0.1", 1, Transport::Tcp), discovered: false };
        let miss = ask(&closed, &alice(), None, &mut Rng::seeded(1)).await.unwrap_err();
        assert!(miss.why.contains("nothing listens"), "{}", miss.why);
    }
}
