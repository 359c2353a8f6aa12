//! Conferences on a standard server: people join, leave, bring others in and take them out while connections break, from a
//! seed on a virtual clock; in the end every roster is the one of the focus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

#[path = "support/focus.rs"]
#[allow(dead_code, missing_docs)]
mod focus;

use adsum::domain::conversation::{Conversation, ConversationId, ConversationState, MessageId};
use adsum::domain::{Address, Rng, Time};
use adsum::endpoint::user::{Output, UserEndpoint};
use adsum::endpoint::{Config, Dialect, Event, JoinTarget, Operation, OperationId, Transport};
use focus::{DOMAIN, Focus};
use std::collections::{BTreeMap, VecDeque};

const ROOM: &str = "room";
const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// Somebody's endpoint and what it says.
struct Client {
    endpoint: UserEndpoint,
    flow: Option<u64>,
    conversations: BTreeMap<ConversationId, Conversation>,
    heard: Vec<String>,
    open: BTreeMap<OperationId, String>,
    failures: Vec<String>,
    next: u64,
}

struct Lab {
    now: u64,
    rng: Rng,
    focus: Focus,
    clients: Vec<Client>,
    /// When, whether to the server, over which connection, what; an empty text: the connection is gone.
    wire: VecDeque<(u64, bool, u64, Vec<u8>)>,
    half: BTreeMap<u64, Vec<u8>>,
    flows: u64,
    said: u64,
}

fn address(name: &str) -> Address {
    Address::parse(&format!("{name}@{DOMAIN}")).unwrap()
}

impl Lab {
    fn new(seed: u64) -> Lab {
        let mut rng = Rng::seeded(seed);
        let clients = NAMES.map(|name| {
            let mut config = Config::new(address(name), "x");
            (config.dialect, config.transport, config.host) = (Dialect::Simple, Transport::Tcp, "server".into());
            (config.publish, config.reconnect, config.trace) = (false, true, false);
            config.conference_factory = Some(format!("sip:factory@{DOMAIN}"));
            Client {
                endpoint: UserEndpoint::new(config, rng.fork()),
                flow: None,
                conversations: BTreeMap::new(),
                heard: Vec::new(),
                open: BTreeMap::new(),
                failures: Vec::new(),
                next: 0,
            }
        });
        let mut lab = Lab {
            now: 1_750_000_000_000,
            rng,
            focus: Focus::new(ROOM),
            clients: clients.into(),
            wire: VecDeque::new(),
            half: BTreeMap::new(),
            flows: 0,
            said: 0,
        };
        for at in 0..NAMES.len() {
            lab.ask(at, Operation::SignIn);
        }
        lab.run(5_000);
        lab
    }

    fn ask(&mut self, at: usize, operation: Operation) -> OperationId {
        let client = &mut self.clients[at];
        client.next += 1;
        let id = OperationId(client.next);
        client.open.insert(id, format!("{operation:?}"));
        client.endpoint.operate(Time(self.now), id, operation);
        self.drain(at);
        id
    }

    fn drain(&mut self, at: usize) {
        let now = self.now;
        while let Some(output) = self.clients[at].endpoint.poll_output() {
            match output {
                Output::Connect { .. } => {
                    self.flows += 1;
                    let flow = self.flows;
                    self.clients[at].flow = Some(flow);
                    self.clients[at].endpoint.handle_connected(Time(now), format!("10.0.0.{at}:{}", 1000 + flow));
                }
                Output::Send(octets) => {
                    if let Some(flow) = self.clients[at].flow {
                        self.put(true, flow, octets);
                    }
                }
                Output::Close => {
                    if let Some(flow) = self.clients[at].flow.take() {
                        self.put(true, flow, Vec::new());
                    }
                }
                _ => {}
            }
        }
        while let Some(event) = self.clients[at].endpoint.poll_event() {
            self.clients[at].take(event);
        }
    }

    fn put(&mut self, to_server: bool, flow: u64, octets: Vec<u8>) {
        let after = self.wire.iter().rev().find(|w| (w.1, w.2) == (to_server, flow)).map_or(0, |w| w.0);
        let at = (self.now + 1 + self.rng.below(40)).max(after);
        let place = self.wire.iter().position(|w| w.0 > at).unwrap_or(self.wire.len());
        self.wire.insert(place, (at, to_server, flow, octets));
    }

    /// Breaks somebody's connection; what was on its way is lost.
    fn cut(&mut self, at: usize) {
        let Some(flow) = self.clients[at].flow.take() else { return };
        self.wire.retain(|w| w.2 != flow);
        self.half.remove(&flow);
        self.put(true, flow, Vec::new());
        self.clients[at].endpoint.handle_disconnected(Time(self.now), "cut".into());
        self.drain(at);
    }

    fn deliver(&mut self, flow: u64, octets: &[u8]) {
        if octets.is_empty() {
            self.focus.closed(self.now, flow);
        } else {
            self.half.entry(flow).or_default().extend_from_slice(octets);
            while let Some(message) = self.half.get_mut(&flow).and_then(whole) {
                self.focus.handle(flow, &message);
            }
        }
        for (flow, message) in self.focus.take() {
            if self.clients.iter().any(|c| c.flow == Some(flow)) {
                self.put(false, flow, message.into_bytes());
            }
        }
    }

    fn run(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        loop {
            let timers = self.clients.iter().filter_map(|c| c.endpoint.poll_timeout()).map(|t| t.0).min();
            let next = self.wire.front().map(|w| w.0).into_iter().chain(timers).min().filter(|t| *t <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            if self.wire.front().is_some_and(|w| w.0 <= self.now) {
                let (_, to_server, flow, octets) = self.wire.pop_front().unwrap();
                let client = self.clients.iter().position(|c| c.flow == Some(flow));
                match (to_server, client) {
                    (true, _) => self.deliver(flow, &octets),
                    (false, Some(at)) => {
                        self.clients[at].endpoint.handle_bytes(Time(self.now), &octets);
                        self.drain(at);
                    }
                    (false, None) => {}
                }
                continue;
            }
            for at in 0..self.clients.len() {
                if self.clients[at].endpoint.poll_timeout().is_some_and(|t| t.0 <= self.now) {
                    self.clients[at].endpoint.handle_timeout(Time(self.now));
                    self.drain(at);
                }
            }
        }
        self.now = end;
        self.focus.expire(end);
        self.deliver(0, b"");
    }

    /// One thing that a person might do.
    fn act(&mut self) {
        let at = self.pick(self.clients.len());
        let other = address(NAMES[self.pick(NAMES.len())]);
        let meeting = self.clients[at].meeting();
        let invited = self.clients[at].invited();
        match (self.rng.below(12), meeting, invited) {
            (0..=3, _, Some(conversation)) => drop(self.ask(at, Operation::Accept { conversation })),
            (4, _, Some(conversation)) => drop(self.ask(at, Operation::Decline { conversation })),
            (0..=3, None, _) => {
                let id = ConversationId(format!("c{}", self.now));
                let target = JoinTarget::Link(format!("sip:{ROOM}@{DOMAIN}"));
                self.ask(at, Operation::JoinConference { id, target, passcode: None });
            }
            (4, Some(conversation), _) => drop(self.ask(at, Operation::EndConversation { conversation })),
            (5 | 6, Some(conversation), _) => drop(self.ask(at, Operation::Invite { conversation, uri: other })),
            (7, Some(conversation), _) => drop(self.ask(at, Operation::Eject { conversation, uri: other })),
            (8 | 9, Some(conversation), _) => {
                self.said += 1;
                let message = MessageId(format!("m{}", self.said));
                self.ask(at, Operation::SendMessage { conversation, message, text: format!("words {}", self.said) });
            }
            (10, _, _) => self.cut(at),
            _ => {}
        }
        let pause = self.rng.below(3_000);
        self.run(pause);
    }

    fn pick(&mut self, of: usize) -> usize {
        usize::try_from(self.rng.below(of as u64)).unwrap()
    }

    /// Every roster is the one of the focus.
    fn check(&self, seed: u64) {
        let everybody = self.focus.people(ROOM);
        for (client, name) in self.clients.iter().zip(NAMES) {
            let me = address(name).to_string();
            let is_in = everybody.contains(&me);
            match client.meeting().map(|id| &client.conversations[&id]) {
                Some(c) => {
                    assert!(is_in, "seed {seed}: {name} believes to be in, the focus has {everybody:?}");
                    let mut seen: Vec<String> = c.participants.iter().map(|p| p.uri.to_string()).chain([me]).collect();
                    seen.sort();
                    assert_eq!(seen, everybody, "seed {seed}: the roster of {name}");
                    assert!(!c.meeting.reconnecting, "seed {seed}: {name} is still on the way back");
                }
                None => assert!(!is_in, "seed {seed}: {name} has left, the focus has {everybody:?}"),
            }
            assert_eq!(client.open.values().collect::<Vec<_>>(), Vec::<&String>::new(), "seed {seed}: {name} waits");
            let mut heard = client.heard.clone();
            heard.sort();
            heard.dedup();
            assert_eq!(heard.len(), client.heard.len(), "seed {seed}: {name} read something twice");
        }
    }
}

impl Client {
    fn take(&mut self, event: Event) {
        match event {
            Event::Conversation(c) => drop(self.conversations.insert(c.id.clone(), *c)),
            Event::Message { message, .. } => self.heard.push(message.body),
            Event::Completed { id, result } => {
                assert!(self.open.remove(&id).is_some(), "an operation ended twice");
                if let Err(error) = result {
                    self.failures.push(error.text);
                }
            }
            _ => {}
        }
    }

    fn in_state(&self, states: &[ConversationState]) -> Option<ConversationId> {
        self.conversations.values().find(|c| states.contains(&c.state)).map(|c| c.id.clone())
    }

    fn meeting(&self) -> Option<ConversationId> {
        self.in_state(&[ConversationState::Conferenced, ConversationState::Conferencing])
    }

    fn invited(&self) -> Option<ConversationId> {
        self.in_state(&[ConversationState::Incoming])
    }
}

/// The next whole message of what has come.
fn whole(octets: &mut Vec<u8>) -> Option<String> {
    while octets.starts_with(b"\r\n") {
        octets.drain(..2);
    }
    let head = octets.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&octets[..head]).to_lowercase();
    let length: usize = text.lines().find_map(|l| l.strip_prefix("content-length:")).map_or(0, |l| l.trim().parse().unwrap());
    (octets.len() >= head + length).then(|| String::from_utf8(octets.drain(..head + length).collect()).unwrap())
}

fn story(seed: u64, steps: usize, forgetful: bool, brings_nobody: bool) -> Lab {
    let mut lab = Lab::new(seed);
    (lab.focus.forgetful, lab.focus.brings_nobody) = (forgetful, brings_nobody);
    for _ in 0..steps {
        lab.act();
    }
    // Nobody does anything any more: calls time out, dead legs end, everybody is back; the last change reaches everybody.
    lab.focus.forgetful = false;
    for _ in 0..8 {
        lab.run(60_000);
    }
    if forgetful {
        // A change that was lost last is seen with the next one.
        let id = ConversationId("last".into());
        let target = JoinTarget::Link(format!("sip:{ROOM}@{DOMAIN}"));
        let out = (0..NAMES.len()).find(|at| lab.clients[*at].meeting().is_none());
        if let Some(at) = out {
            lab.ask(at, Operation::JoinConference { id, target, passcode: None });
        }
        lab.run(60_000);
    }
    lab
}

#[test]
fn however_people_come_and_go_every_roster_is_the_one_of_the_focus() {
    let (mut heard, mut together) = (0, 0);
    for seed in 0..40 {
        let lab = story(seed, 60, false, false);
        lab.check(seed);
        heard += lab.clients.iter().map(|c| c.heard.len()).sum::<usize>();
        together += usize::from(lab.focus.people(ROOM).len() > 1);
    }
    assert!(heard > 100 && together > 10, "the stories are too quiet: {heard} words, {together} meetings");
}

#[test]
fn where_the_focus_brings_nobody_in_people_come_by_themselves() {
    for seed in 100..110 {
        story(seed, 60, false, true).check(seed);
    }
}

#[test]
fn a_roster_with_holes_is_fetched_whole() {
    let mut compared = 0;
    for seed in 200..220 {
        let lab = story(seed, 60, true, false);
        if lab.clients.iter().any(|c| c.conversations.contains_key(&ConversationId("last".into()))) {
            lab.check(seed);
            compared += 1;
        }
    }
    assert!(compared > 10, "only {compared} stories had somebody left to come");
}

#[test]
fn a_meeting_made_by_the_factory_has_everybody_who_accepted() {
    let mut lab = Lab::new(7);
    let id = ConversationId("made".into());
    let invite = vec![address("bob"), address("carol"), address("dave")];
    let op = lab.ask(0, Operation::MeetNow { id: id.clone(), subject: "Plans".into(), invite });
    lab.run(10_000);
    assert!(!lab.clients[0].open.contains_key(&op));
    for (at, accept) in [(1, true), (2, true), (3, false)] {
        let conversation = lab.clients[at].invited().expect("nobody has called");
        lab.ask(at, if accept { Operation::Accept { conversation } } else { Operation::Decline { conversation } });
    }
    lab.run(10_000);
    let room = lab.focus.rooms().into_iter().find(|r| r.starts_with("made")).unwrap();
    assert_eq!(lab.focus.people(&room), ["alice", "bob", "carol"].map(|n| address(n).to_string()));
    for (client, name) in lab.clients.iter().zip(NAMES).take(3) {
        let c = &client.conversations[&client.meeting().unwrap()];
        assert_eq!(c.participants.len(), 2, "{name}");
    }
    let say = Operation::SendMessage { conversation: id, message: MessageId("m".into()), text: "welcome".into() };
    lab.ask(0, say);
    lab.run(5_000);
    assert_eq!([1, 2].map(|at| lab.clients[at].heard.clone()), [vec!["welcome".to_owned()], vec!["welcome".into()]]);
}
