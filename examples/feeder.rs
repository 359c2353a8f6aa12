//! The people of `benches/terminal/run`: real endpoints on a real wire that do what standard input says.
//!
//! `feeder people DIR N` makes the accounts of a front end: `me`, whose list holds the N others. `feeder feed PORT N` signs
//! the others in over TCP on loopback and takes one command a line, each answered by `ok`:
//!
//!     ready                       when everybody is signed in
//!     hello WHO                   WHO opens a conversation with me and writes message 0
//!     msgs N INTERVAL FIRST WHO   N messages to me, numbered from FIRST, one every INTERVAL milliseconds
//!     storm N INTERVAL AMONG      N changes of status, by the first AMONG people in turn

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

use adsum::domain::contact::Contact;
use adsum::domain::conversation::{ConversationId, Delivery, MessageId};
use adsum::domain::presence::UserStatus;
use adsum::domain::{Address, Rng};
use adsum::endpoint::user::Config;
use adsum::endpoint::{EndpointState, Event, Operation, OperationId};
use adsum::faces::accounts::{SERVER_DATABASE, record};
use adsum::faces::link::{Link, LinkEvent, Operations};
use adsum::frontend::{ContactList, StoreOp};
use adsum::net::Clock;
use adsum::sip::Transport;
use adsum::store::server::FrontendStore;
use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const DOMAIN: &str = "bench.example";
const PASSWORD: &str = "a password";

/// Sign-ins under way at the same time, and messages that may be without an answer.
const AT_ONCE: usize = 20;

const WORDS: &str =
    "the build is green again and the release notes are nearly done so could somebody read them before lunch please ";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["people", directory, n] => people(Path::new(directory), n.parse()?),
        ["feed", port, n] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(feed(port.parse()?, n.parse()?))
        }
        _ => Err("feeder people DIR N, or feeder feed PORT N".into()),
    }
}

fn address(user: &str) -> Result<Address> {
    Ok(Address::parse(&format!("{user}@{DOMAIN}"))?)
}

fn person(n: usize) -> Result<Address> {
    address(&format!("c{n:04}"))
}

/// Makes the accounts and the list.
fn people(directory: &Path, n: usize) -> Result<()> {
    let mut store = FrontendStore::open(&directory.join(SERVER_DATABASE))?;
    let me = address("me")?;
    let mut ops = vec![StoreOp::PutUser(record(me.clone(), "Me Myself", "", "", PASSWORD))];
    let mut list = ContactList::default();
    for i in 0..n {
        ops.push(StoreOp::PutUser(record(person(i)?, &format!("Contact {i:04}"), "", "", PASSWORD)));
        list.contacts.push(Contact::new(person(i)?));
    }
    ops.push(StoreOp::PutContacts { owner: me, list });
    Ok(store.apply(&ops)?)
}

/// Everybody who is signed in, and what they wait for.
struct Crowd {
    people: Vec<Operations>,
    heard: mpsc::UnboundedReceiver<Event>,
    online: usize,
    operations: u64,
    /// Operations and messages without an answer yet.
    open: usize,
    undelivered: usize,
}

async fn feed(port: u16, n: usize) -> Result<()> {
    let (say, heard) = mpsc::unbounded_channel();
    let mut crowd = Crowd { people: Vec::new(), heard, online: 0, operations: 0, open: 0, undelivered: 0 };
    let mut commands = commands();
    for i in 0..n {
        let mut config = Config::new(person(i)?, PASSWORD);
        (config.host, config.port, config.transport, config.epid) =
            ("127.0.0.1".into(), port, Transport::Tcp, format!("{i:010x}"));
        let (operations, wanted) = mpsc::unbounded_channel();
        let say = say.clone();
        tokio::spawn(Link::new(config, Rng::seeded(i as u64), Clock::new(), None).run(wanted, move |event| {
            if let LinkEvent::Endpoint(event) = event {
                // Nobody listens any more when the feeder ends.
                let _ = say.send(event);
            }
        }));
        crowd.people.push(operations);
        crowd.ask(i, Operation::SignIn)?;
        crowd.hear_until(|c| c.people.len() - c.online < AT_ONCE).await?;
    }
    crowd.hear_until(|c| c.online >= n && c.open == 0).await?;
    while let Some(line) = crowd.next(&mut commands).await? {
        match crowd.obey(&line).await {
            Ok(()) => println!("ok"),
            Err(e) => println!("failed {e}"),
        }
    }
    Ok(())
}

/// Lines of standard input.
fn commands() -> mpsc::UnboundedReceiver<String> {
    let (say, heard) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
            if say.send(line).is_err() {
                return;
            }
        }
    });
    heard
}

impl Crowd {
    /// The next command; what is heard meanwhile is taken note of.
    async fn next(&mut self, commands: &mut mpsc::UnboundedReceiver<String>) -> Result<Option<String>> {
        loop {
            tokio::select! {
                line = commands.recv() => return Ok(line),
                event = self.heard.recv() => self.note(event.ok_or("everybody is gone")?),
            }
        }
    }

    async fn obey(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["ready"] => Ok(()),
            ["hello", who] => self.hello(who.parse()?),
            ["msgs", n, interval, first, who] => self.msgs(n.parse()?, interval.parse()?, first.parse()?, who.parse()?).await,
            ["storm", n, interval, among] => self.storm(n.parse()?, interval.parse()?, among.parse()?).await,
            _ => Err(format!("what is “{line}”?").into()),
        }
    }

    fn hello(&mut self, who: usize) -> Result<()> {
        let with = address("me")?;
        self.ask(who, Operation::StartConversation { id: conversation(who), with, subject: String::new() })?;
        self.write(who, 0)
    }

    fn write(&mut self, who: usize, number: usize) -> Result<()> {
        self.undelivered += 1;
        let message = MessageId(format!("{who}-{number}-{}", self.operations));
        self.ask(who, Operation::SendMessage { conversation: conversation(who), message, text: text(number) })
    }

    async fn msgs(&mut self, n: usize, interval: u64, first: usize, who: usize) -> Result<()> {
        let begin = Instant::now();
        for i in 0..n {
            self.hear_till(begin + Duration::from_millis(interval * i as u64)).await?;
            self.hear_until(|c| c.undelivered < AT_ONCE).await?;
            self.write(who, first + i)?;
        }
        self.hear_until(|c| c.undelivered == 0).await
    }

    async fn storm(&mut self, n: usize, interval: u64, among: usize) -> Result<()> {
        let begin = Instant::now();
        for i in 0..n {
            self.hear_till(begin + Duration::from_millis(interval * i as u64)).await?;
            let status = if (i / among).is_multiple_of(2) { UserStatus::Busy } else { UserStatus::Available };
            self.ask(i % among, Operation::SetStatus { status, activity: String::new(), until: None })?;
        }
        self.hear_until(|c| c.open == 0).await
    }

    fn ask(&mut self, who: usize, operation: Operation) -> Result<()> {
        self.operations += 1;
        self.open += 1;
        Ok(self.people.get(who).ok_or("nobody has this number")?.send((OperationId(self.operations), operation))?)
    }

    async fn hear_until(&mut self, enough: impl Fn(&Crowd) -> bool) -> Result<()> {
        while !enough(self) {
            let event = self.heard.recv().await.ok_or("everybody is gone")?;
            self.note(event);
        }
        Ok(())
    }

    async fn hear_till(&mut self, due: Instant) -> Result<()> {
        while let Ok(event) = tokio::time::timeout_at(due, self.heard.recv()).await {
            self.note(event.ok_or("everybody is gone")?);
        }
        Ok(())
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::State { state: EndpointState::Established, .. } => self.online += 1,
            Event::Completed { result, .. } => {
                self.open -= 1;
                if let Err(e) = result {
                    eprintln!("feeder: {e}");
                }
            }
            Event::MessageState { state: Delivery::Delivered, .. } => self.undelivered = self.undelivered.saturating_sub(1),
            Event::MessageState { state: Delivery::Failed(why), .. } => {
                self.undelivered = self.undelivered.saturating_sub(1);
                eprintln!("feeder: {why}");
            }
            _ => {}
        }
    }
}

fn conversation(who: usize) -> ConversationId {
    ConversationId(format!("bench{who:04}"))
}

/// Message `i`: its number and 24 to 83 characters of varied text.
fn text(i: usize) -> String {
    let words: String = WORDS.chars().cycle().skip(i * 37 % WORDS.len()).take(24 + i * 53 % 60).collect();
    format!("message {i:06}: {}", words.trim())
}
