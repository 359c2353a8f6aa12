//! A conference of 300 on TCP loopback: `cargo bench --bench conference`.
//!
//! All figures are of a separate `adsum serve`; its processor time comes from `/proc`, so Linux only. The people are bare
//! clients in this process: each takes the roster, answers the messages of the IM MCU and measures when they came.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::domain::conference::{AccessLevel, Conference, ConferenceId, ConferenceSettings};
use adsum::domain::{Address, Rng};
use adsum::faces::accounts::{SERVER_DATABASE, record};
use adsum::frontend::StoreOp;
use adsum::lync::cccp::{self, AddUser, C3pRequest, Command};
use adsum::lync::identity;
use adsum::lync::im::MessageSdp;
use adsum::sip::auth::DigestClient;
use adsum::sip::{Frame, Framer, Message, Method, Name, Request, Response, Uri};
use adsum::store::server::FrontendStore;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const DOMAIN: &str = "bench.example";
const PASSWORD: &str = "a password";
const ID: &str = "BENCH2027";

/// People in the conference.
const PEOPLE: usize = 300;
/// Messages sent one after another, each when everybody has the one before.
const ALONE: usize = 100;
/// Senders at the same time, each with one message that not everybody has yet, and for how long.
const SENDERS: usize = 10;
const SPAN: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    prepare(directory.path())?;
    let mut server = Served::start(directory.path())?;
    let told = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&server));
    server.child.kill()?;
    server.child.wait()?;
    told
}

async fn measure(server: &Served) -> Result<()> {
    let (heard, mut ears) = mpsc::unbounded_channel();
    let empty = server.resident()?;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(Person::sign_in(server.address, n, heard.clone()).await?);
    }
    let signed_in = server.resident()?;
    let (begin, before) = (Instant::now(), server.processor_time()?);
    for person in &mut people {
        person.join().await?;
    }
    let (took, spent) = (begin.elapsed(), server.processor_time()? - before);
    println!("joining: {PEOPLE} people in {:.2} s, {:.2} s of the front end's processor time", seconds(took), seconds(spent));
    println!(
        "memory: {empty:.1} MiB with {PEOPLE} accounts, {signed_in:.1} signed in, {:.1} in the conference: {:.1} KiB a participant",
        server.resident()?,
        (server.resident()? - signed_in) * 1024.0 / PEOPLE as f64
    );
    one_by_one(&mut people, &mut ears).await?;
    at_once(server, &mut people, &mut ears).await
}

/// How long it takes until everybody has a message when nothing else happens.
async fn one_by_one(people: &mut [Person], ears: &mut mpsc::UnboundedReceiver<Instant>) -> Result<()> {
    let (mut each, mut last) = (Vec::new(), Vec::new());
    for n in 0..ALONE {
        let sent = Instant::now();
        people[n % PEOPLE].write().await?;
        for _ in 1..PEOPLE {
            each.push(ears.recv().await.ok_or("a client ended")?.saturating_duration_since(sent));
        }
        last.push(each[each.len() + 1 - PEOPLE..].iter().copied().max().unwrap_or_default());
    }
    each.sort();
    last.sort();
    let ms = |all: &[Duration], percent: usize| seconds(all[(all.len() - 1) * percent / 100]) * 1000.0;
    println!(
        "fan-out: a receiver has a message after {:.1} ms (99 %: {:.1}), all {} after {:.1} ms (99 %: {:.1})",
        ms(&each, 50),
        ms(&each, 99),
        PEOPLE - 1,
        ms(&last, 50),
        ms(&last, 99)
    );
    Ok(())
}

/// How many messages pass when several people write all the time.
async fn at_once(server: &Served, people: &mut [Person], ears: &mut mpsc::UnboundedReceiver<Instant>) -> Result<()> {
    let (begin, before) = (Instant::now(), server.processor_time()?);
    let (mut written, mut read) = (0usize, 0usize);
    while begin.elapsed() < SPAN {
        for person in people.iter_mut().take(SENDERS) {
            person.write().await?;
        }
        written += SENDERS;
        for _ in 0..SENDERS * (PEOPLE - 1) {
            ears.recv().await.ok_or("a client ended")?;
            read += 1;
        }
    }
    let (took, spent) = (begin.elapsed(), server.processor_time()? - before);
    println!(
        "IM MCU: {:.0} messages a second, {:.0} copies; per core second of the front end {:.0} messages, {:.0} copies",
        written as f64 / seconds(took),
        read as f64 / seconds(took),
        written as f64 / seconds(spent),
        read as f64 / seconds(spent)
    );
    Ok(())
}

fn seconds(d: Duration) -> f64 {
    d.as_secs_f64()
}

/// The accounts and the conference.
fn prepare(directory: &Path) -> Result<()> {
    let people = (0..PEOPLE).map(|n| Ok(record(Address::parse(&address(n))?, &format!("User {n}"), "", "", PASSWORD)));
    let mut ops: Vec<StoreOp> = people.map(|r: Result<_>| r.map(StoreOp::PutUser)).collect::<Result<_>>()?;
    let organizer = Address::parse(&address(0))?;
    let id = ConferenceId(ID.into());
    ops.push(StoreOp::PutConference(Conference {
        uri: identity::focus(&organizer, &id),
        join_url: String::new(),
        id,
        organizer,
        version: 1,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: Default::default(),
        settings: ConferenceSettings { access: AccessLevel::SameEnterprise, ..ConferenceSettings::default() },
    }));
    FrontendStore::open(&directory.join(SERVER_DATABASE))?.apply(&ops)?;
    Ok(())
}

fn login(n: usize) -> String {
    format!("user{n:04}")
}

fn address(n: usize) -> String {
    format!("{}@{DOMAIN}", login(n))
}

/// A running `adsum serve`.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(directory: &Path) -> Result<Served> {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_adsum"))
            .args(["--data".as_ref(), directory.as_os_str()])
            .args(["--log", "warn", "serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.split_whitespace().rev().nth(1).ok_or("no address in what the front end says")?.parse()?;
        Ok(Served { child, address })
    }

    /// Resident memory, MiB.
    fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
    }

    /// Processor time of all its threads.
    fn processor_time(&self) -> Result<Duration> {
        let mut sum = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            sum += text.split_whitespace().next().ok_or("schedstat is empty")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

/// One of the people: writes here, while a task of its own reads, answers and passes on what must be waited for.
struct Person {
    number: usize,
    out: mpsc::UnboundedSender<Vec<u8>>,
    responses: mpsc::UnboundedReceiver<Response>,
    digest: DigestClient,
    rng: Rng,
    local: SocketAddr,
    cseq: u32,
    chat: Option<(String, String)>,
}

impl Person {
    async fn sign_in(to: SocketAddr, number: usize, heard: mpsc::UnboundedSender<Instant>) -> Result<Person> {
        let socket = TcpStream::connect(to).await?;
        socket.set_nodelay(true)?;
        let local = socket.local_addr()?;
        let (out, sending) = mpsc::unbounded_channel();
        let (answers, responses) = mpsc::unbounded_channel();
        tokio::spawn(converse(socket, sending, answers, heard));
        let digest = DigestClient::new(&login(number), PASSWORD);
        let rng = Rng::seeded(number as u64);
        let mut person = Person { number, out, responses, digest, rng, local, cseq: 0, chat: None };
        let uri = format!("sip:{DOMAIN}");
        let mut register = person.request(Method::Register, &uri, &format!("sip:{}", address(number)), None)?;
        register.headers.push(Name::Expires, "3600");
        let challenge = person.ask(register.clone()).await?;
        person.digest.challenged(&challenge)?;
        person.digest.authorize(&mut register, &mut person.rng);
        register.headers.set(Name::CSeq, "2 REGISTER");
        register.headers.set(Name::Via, format!("SIP/2.0/TCP {local};branch=z9hG4bK{}", person.rng.hex(16)));
        person.accepted(register).await?;
        person.cseq = 2;
        Ok(person)
    }

    fn request(&mut self, method: Method, uri: &str, to: &str, dialog: Option<&(String, String)>) -> Result<Request> {
        self.cseq += 1;
        let branch = self.rng.hex(16);
        let (call_id, tag) = dialog.map_or_else(|| (branch.clone(), String::new()), |d| (d.0.clone(), format!(";tag={}", d.1)));
        let mut request = Request::new(method.clone(), Uri::parse(uri).ok_or("malformed URI")?);
        request
            .headers
            .push(Name::Via, format!("SIP/2.0/TCP {};branch=z9hG4bK{branch}", self.local))
            .push(Name::MaxForwards, "70")
            .push(Name::From, format!("<sip:{}>;tag=t{}", address(self.number), self.number))
            .push(Name::To, format!("<{to}>{tag}"))
            .push(Name::CallId, call_id)
            .push(Name::CSeq, format!("{} {method}", self.cseq))
            .push(Name::Contact, format!("<sip:{}@{};transport=tcp>", login(self.number), self.local));
        Ok(request)
    }

    /// Focus, roster, chat.
    async fn join(&mut self) -> Result<()> {
        let organizer = Address::parse(&address(0))?;
        let focus = identity::focus(&organizer, &ConferenceId(ID.into()));
        let me = Address::parse(&address(self.number))?;
        let add = AddUser::join(&focus, &me, "", &format!("{{{}}}", self.number));
        let body = C3pRequest::new(1, &focus, me.as_str(), Command::AddUser(Box::new(add))).to_bytes();
        let invite = self.request(Method::Invite, &focus, &focus, None)?.with_body(cccp::CONTENT_TYPE, body);
        self.invite(invite).await?;
        let subscribe = self.request(Method::Subscribe, &focus, &focus, None)?;
        let subscribe = subscribe
            .with(Name::Event, "conference")
            .with(Name::Supported, "ms-benotify")
            .with(Name::Supported, "ms-piggyback-first-notify");
        self.accepted(subscribe).await?;
        let chat = identity::mcu(&focus, "chat");
        let offer = MessageSdp::offer("127.0.0.1").to_bytes();
        let invite = self.request(Method::Invite, &chat, &chat, None)?.with_body("application/sdp", offer);
        self.chat = Some(self.invite(invite).await?);
        Ok(())
    }

    /// An INVITE and its ACK; Call-ID and tag of the dialog.
    async fn invite(&mut self, invite: Request) -> Result<(String, String)> {
        let uri = invite.uri.to_string();
        let call_id = invite.headers.call_id().to_owned();
        let number = self.cseq;
        let ok = self.accepted(invite).await?;
        let tag = ok.headers.to().and_then(|t| t.tag().map(str::to_owned)).ok_or("no tag")?;
        let dialog = (call_id, tag);
        let mut ack = self.request(Method::Ack, &uri, &uri, Some(&dialog))?;
        ack.headers.set(Name::CSeq, format!("{number} ACK"));
        self.send(ack)?;
        Ok(dialog)
    }

    /// Writes into the conference; completes when the MCU has taken it.
    async fn write(&mut self) -> Result<()> {
        let organizer = Address::parse(&address(0))?;
        let chat = identity::mcu(&identity::focus(&organizer, &ConferenceId(ID.into())), "chat");
        let dialog = self.chat.clone().ok_or("not in the chat")?;
        let text = "the quick brown fox jumps over the lazy dog";
        let message = self.request(Method::Message, &chat, &chat, Some(&dialog))?.with_body("text/plain; charset=UTF-8", text);
        self.accepted(message).await.map(drop)
    }

    async fn accepted(&mut self, request: Request) -> Result<Response> {
        let what = request.method.clone();
        let response = self.ask(request).await?;
        if response.is_success() { Ok(response) } else { Err(format!("{what}: {} {}", response.status, response.reason).into()) }
    }

    async fn ask(&mut self, request: Request) -> Result<Response> {
        self.send(request)?;
        loop {
            let response = self.responses.recv().await.ok_or("the front end closed the connection")?;
            if response.is_final() {
                return Ok(response);
            }
        }
    }

    fn send(&self, request: Request) -> Result<()> {
        Ok(self.out.send(Message::Request(request).to_bytes())?)
    }
}

/// A connection's life: octets out, messages in.
async fn converse(
    mut socket: TcpStream,
    mut sending: mpsc::UnboundedReceiver<Vec<u8>>,
    answers: mpsc::UnboundedSender<Response>,
    heard: mpsc::UnboundedSender<Instant>,
) -> Result<()> {
    let (mut framer, mut buffer) = (Framer::new(), vec![0; 64 * 1024]);
    loop {
        let n = tokio::select! {
            out = sending.recv() => match out {
                Some(octets) => {
                    socket.write_all(&octets).await?;
                    continue;
                }
                None => return Ok(()),
            },
            n = socket.read(&mut buffer) => n?,
        };
        if n == 0 {
            return Err("the front end closed the connection".into());
        }
        framer.push(buffer.get(..n).unwrap_or_default());
        while let Some(frame) = framer.next() {
            match frame? {
                Frame::KeepAlive => {}
                Frame::Message(message) => match *message {
                    Message::Response(response) => answers.send(response)?,
                    Message::Request(request) if request.method == Method::Message => {
                        heard.send(Instant::now())?;
                        socket.write_all(&Message::Response(request.response(200, "here")).to_bytes()).await?;
                    }
                    Message::Request(_) => {}
                },
            }
        }
    }
}
