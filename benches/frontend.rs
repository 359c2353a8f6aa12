//! The front end on TCP loopback: `cargo bench --bench frontend`.
//!
//! Rates are per second of one core: requests divided by the processor time of the server's own thread (from
//! `/proc/PID/task/TID/schedstat`, so Linux only); the clients and whatever else the machine does are not in it. Memory is that
//! of a separate `adsum serve`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::domain::{Address, Rng};
use adsum::faces::accounts::{SERVER_DATABASE, record};
use adsum::faces::server::{Host, Sockets};
use adsum::frontend::{Config, Data, StoreOp, UserData, UserRecord};
use adsum::net::Clock;
use adsum::sip::auth::DigestClient;
use adsum::sip::{Frame, Framer, Message, Method, Name, Request, Response, Uri};
use adsum::store::server::FrontendStore;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const DOMAIN: &str = "bench.example";
const PASSWORD: &str = "a password";

/// Accounts, and endpoints signed in for the memory figure.
const USERS: usize = 1_000;

/// Connections that are busy at the same time; each has one request open.
const BUSY: usize = 100;

/// How long each rate is measured, and how often; the median is told.
const SPAN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let server = start()?;
    let mut clients = (0..BUSY).map(|n| Client::connect(server.address, n)).collect::<Result<Vec<_>>>()?;
    sign_in(&mut clients)?;
    rate("registrations", &server, || refresh(&mut clients))?;
    rate("relayed messages", &server, || converse(&mut clients))?;
    drop(clients);
    memory()
}

/// A front end on a thread of its own.
struct Running {
    address: SocketAddr,
    /// `/proc` file with the processor time of its thread.
    schedstat: String,
    /// Dropping it ends the front end.
    _stop: oneshot::Sender<()>,
}

fn start() -> Result<Running> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // The other side sees a closed channel when this fails.
        let _ = serve(&ready, stopped);
    });
    let (address, schedstat) = started.recv()?;
    Ok(Running { address, schedstat, _stop: stop })
}

fn serve(ready: &std::sync::mpsc::Sender<(SocketAddr, String)>, stopped: oneshot::Receiver<()>) -> Result<()> {
    let thread = std::fs::read_link("/proc/thread-self")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        ready.send((listener.local_addr()?, format!("/proc/{}/schedstat", thread.display())))?;
        let users = accounts()?.into_iter().map(UserData::new).collect();
        let data = Data { users, ..Data::default() };
        let host = Host::new(Config::new("localhost", 5061, DOMAIN), data, Rng::seeded(1), Clock::new(), drop);
        host.run(Sockets { tcp: Some(listener), ..Sockets::default() }, stopped).await;
        Ok(())
    })
}

fn accounts() -> Result<Vec<UserRecord>> {
    (0..USERS).map(|n| Ok(record(Address::parse(&address(n))?, &format!("User {n}"), "", "", PASSWORD))).collect()
}

fn address(n: usize) -> String {
    format!("{}@{DOMAIN}", login(n))
}

fn login(n: usize) -> String {
    format!("user{n:04}")
}

/// Repeats `work`, which gives the number of requests it made, and tells the rate per second of the server's processor time.
fn rate(what: &str, server: &Running, mut work: impl FnMut() -> Result<usize>) -> Result<()> {
    work()?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let (begin, before, mut n) = (Instant::now(), server.processor_time()?, 0);
        while begin.elapsed() < SPAN {
            n += work()?;
        }
        let spent = server.processor_time()? - before;
        rates.push(n as f64 / spent.as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    let (least, most) = (rates.first().copied().unwrap_or(0.0), rates.last().copied().unwrap_or(0.0));
    println!("{what}: {:.0} per core second ({least:.0} to {most:.0})", rates.get(ROUNDS / 2).copied().unwrap_or(0.0));
    Ok(())
}

impl Running {
    fn processor_time(&self) -> Result<Duration> {
        let text = std::fs::read_to_string(&self.schedstat)?;
        Ok(Duration::from_nanos(text.split_whitespace().next().ok_or("schedstat is empty")?.parse()?))
    }
}

/// One raw client without a runtime.
struct Client {
    socket: TcpStream,
    framer: Framer,
    digest: DigestClient,
    rng: Rng,
    number: usize,
    local: SocketAddr,
    cseq: u32,
}

impl Client {
    fn connect(to: SocketAddr, number: usize) -> Result<Client> {
        let socket = TcpStream::connect(to)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let local = socket.local_addr()?;
        let digest = DigestClient::new(&login(number), PASSWORD);
        Ok(Client { socket, framer: Framer::new(), digest, rng: Rng::seeded(number as u64), number, local, cseq: 0 })
    }

    fn request(&mut self, method: Method, to: &str, uri: &str) -> Result<Request> {
        self.cseq += 1;
        let (branch, tag) = (self.rng.hex(16), self.rng.hex(10));
        let mut request = Request::new(method.clone(), Uri::parse(uri).ok_or("malformed URI")?);
        request
            .headers
            .push(Name::Via, format!("SIP/2.0/TCP {};branch=z9hG4bK{branch}", self.local))
            .push(Name::MaxForwards, "70")
            .push(Name::From, format!("<sip:{}>;tag={tag}", address(self.number)))
            .push(Name::To, format!("<sip:{to}>"))
            .push(Name::CallId, format!("{branch}{method}"))
            .push(Name::CSeq, format!("{} {method}", self.cseq))
            .push(Name::Contact, format!("<sip:{}@{};transport=tcp>", login(self.number), self.local));
        Ok(request)
    }

    fn send_register(&mut self) -> Result<()> {
        let me = address(self.number);
        let mut request = self.request(Method::Register, &me, &format!("sip:{DOMAIN}"))?.with(Name::Expires, "3600");
        self.digest.authorize(&mut request, &mut self.rng);
        self.send(&Message::Request(request))
    }

    fn send_message(&mut self, to: usize) -> Result<()> {
        let to = address(to);
        let text = "the quick brown fox jumps over the lazy dog";
        let request = self.request(Method::Message, &to, &format!("sip:{to}"))?.with_body("text/plain", text);
        self.send(&Message::Request(request))
    }

    fn send(&mut self, message: &Message) -> Result<()> {
        Ok(self.socket.write_all(&message.to_bytes())?)
    }

    fn read(&mut self) -> Result<Message> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.framer.next() {
                Some(Ok(Frame::Message(message))) => return Ok(*message),
                Some(Ok(Frame::KeepAlive)) => {}
                Some(Err(e)) => return Err(e.into()),
                None => match self.socket.read(&mut buffer)? {
                    0 => return Err("the front end closed the connection".into()),
                    n => self.framer.push(buffer.get(..n).unwrap_or_default()),
                },
            }
        }
    }

    fn response(&mut self) -> Result<Response> {
        match self.read()? {
            Message::Response(response) => Ok(response),
            Message::Request(request) => Err(format!("an unexpected {}", request.method).into()),
        }
    }
}

fn sign_in(clients: &mut [Client]) -> Result<()> {
    for client in clients {
        client.send_register()?;
        let challenge = client.response()?;
        client.digest.challenged(&challenge)?;
        client.send_register()?;
        accepted(&client.response()?)?;
        client.digest.accepted();
    }
    Ok(())
}

fn accepted(response: &Response) -> Result<()> {
    if response.is_success() { Ok(()) } else { Err(format!("{} {}", response.status, response.reason).into()) }
}

/// Each client registers again, with the nonce it has.
fn refresh(clients: &mut [Client]) -> Result<usize> {
    clients.iter_mut().try_for_each(Client::send_register)?;
    clients.iter_mut().try_for_each(|c| accepted(&c.response()?))?;
    Ok(clients.len())
}

/// Each client of the first half writes to one of the second, which answers: four messages pass the front end each time.
fn converse(clients: &mut [Client]) -> Result<usize> {
    let (writers, readers) = clients.split_at_mut(clients.len() / 2);
    for (writer, reader) in writers.iter_mut().zip(readers.iter()) {
        writer.send_message(reader.number)?;
    }
    for reader in readers.iter_mut() {
        match reader.read()? {
            Message::Request(request) => reader.send(&Message::Response(request.response(200, "callee")))?,
            Message::Response(response) => return Err(format!("an unexpected {}", response.status).into()),
        }
    }
    writers.iter_mut().try_for_each(|w| accepted(&w.response()?))?;
    Ok(writers.len())
}

/// Resident memory of `adsum serve` before anybody and with everybody signed in.
fn memory() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let ops: Vec<StoreOp> = accounts()?.into_iter().map(StoreOp::PutUser).collect();
    FrontendStore::open(&directory.path().join(SERVER_DATABASE))?.apply(&ops)?;
    let mut child = Command::new(env!("CARGO_BIN_EXE_adsum"))
        .args(["--data".as_ref(), directory.path().as_os_str()])
        .args(["--log", "warn", "serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let told = match child.stdout.take() {
        Some(out) => with_everybody(child.id(), out),
        None => Err("no output".into()),
    };
    child.kill()?;
    child.wait()?;
    let (before, after) = told?;
    println!("memory: {before:.1} MiB with {USERS} accounts, {after:.1} MiB with {USERS} endpoints signed in");
    Ok(())
}

fn with_everybody(process: u32, out: impl Read) -> Result<(f64, f64)> {
    let (mut line, mut out) = (String::new(), BufReader::new(out));
    out.read_line(&mut line)?;
    let plain = line.split_whitespace().rev().nth(1).ok_or("no address in what the front end says")?.parse()?;
    let before = resident(process)?;
    let mut clients = (0..USERS).map(|n| Client::connect(plain, n)).collect::<Result<Vec<_>>>()?;
    sign_in(&mut clients)?;
    refresh(&mut clients)?;
    Ok((before, resident(process)?))
}

/// Resident memory of a process, MiB.
fn resident(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
}
