//! Two hundred days at the office: random people, random operations, links that delay, tear and refuse, a server that
//! crashes. Afterwards the weather is fine, and everybody must agree with everybody and with the server.
//!
//! A failing seed replays exactly: `ADSUM_SEED=17 cargo test --test simulation replay -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::conference::ConferenceSettings;
use adsum::domain::contact::GroupId;
use adsum::domain::conversation::{ConversationId, ConversationState, Delivery, InstantMessage, MessageId, TextFormat};
use adsum::domain::presence::{Level, MachineState, Note, UserStatus};
use adsum::domain::{Address, Rng};
use adsum::endpoint::{EndpointState, JoinTarget, Operation, OperationId};
use adsum::lync::categories::state::StateValue;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use support::world::{FINE, Weather, World, address};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

struct Play {
    seed: u64,
    w: World,
    rng: Rng,
    asked: Vec<(usize, OperationId, String)>,
    names: u64,
    /// Message, conversation of the sender, sender, operation, text.
    written: Vec<(MessageId, ConversationId, usize, OperationId, String)>,
}

impl Play {
    fn new(seed: u64) -> Play {
        let mut w = World::signed_in(seed, &PEOPLE);
        let second = w.endpoint("alice");
        w.operate(second, Operation::SignIn);
        w.settle();
        Play { seed, w, rng: Rng::seeded(seed ^ 0xADAD), asked: Vec::new(), names: 0, written: Vec::new() }
    }

    fn operate(&mut self, who: usize, operation: Operation) {
        if std::env::var_os("ADSUM_LONG").is_some() {
            let at = self.w.now.since(support::world::BEGIN).as_millis();
            self.w.clients[who].wire.push_back(format!("{at} === {operation:?}"));
        }
        let id = self.w.operate(who, operation.clone());
        self.asked.push((who, id, format!("{operation:?}")));
    }

    fn any(&mut self) -> usize {
        self.rng.below(self.w.clients.len() as u64) as usize
    }

    fn person(&mut self) -> Address {
        address(PEOPLE[self.rng.below(PEOPLE.len() as u64) as usize])
    }

    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}x{}", self.seed, self.names)
    }

    fn group(&mut self, who: usize) -> GroupId {
        let ids: Vec<GroupId> = self.w.view(who).groups.keys().copied().collect();
        if ids.is_empty() { GroupId(1) } else { ids[self.rng.below(ids.len() as u64) as usize] }
    }

    fn act(&mut self) {
        let who = self.any();
        match self.rng.below(12) {
            0..=2 => self.change_list(who),
            3..=5 => self.change_presence(who),
            6..=8 => self.talk(who),
            9 => self.meet(who),
            10 => self.w.cut(who),
            _ if self.rng.below(6) == 0 => self.w.crash(),
            _ => self.come_and_go(who),
        }
    }

    fn change_list(&mut self, who: usize) {
        let (uri, group) = (self.person(), self.group(who));
        let name = self.name("g");
        let operation = match self.rng.below(8) {
            0..=2 => Operation::AddContact { uri, name: String::new(), groups: vec![group] },
            3 => Operation::DeleteContact { uri },
            4 => Operation::RenameContact { uri, name },
            5 => Operation::SetContactGroups { uri, groups: vec![group] },
            6 => Operation::AddGroup { name },
            _ if self.rng.below(2) == 0 => Operation::RenameGroup { id: group, name },
            _ => Operation::DeleteGroup { id: group },
        };
        self.operate(who, operation);
    }

    fn change_presence(&mut self, who: usize) {
        const STATUS: [UserStatus; 6] = [
            UserStatus::Available,
            UserStatus::Busy,
            UserStatus::DoNotDisturb,
            UserStatus::BeRightBack,
            UserStatus::OffWork,
            UserStatus::AppearOffline,
        ];
        const LEVELS: [Option<Level>; 4] = [Some(Level::Workgroup), Some(Level::Personal), Some(Level::Blocked), None];
        const MACHINE: [MachineState; 3] = [MachineState::Active, MachineState::Idle, MachineState::Away];
        let text = self.name("n");
        let operation = match self.rng.below(8) {
            0 | 1 => {
                let status = STATUS[self.rng.below(6) as usize];
                Operation::SetStatus { status, activity: String::new(), until: None }
            }
            2 => Operation::ResetStatus,
            3 => Operation::SetNote { note: Some(Note { text, out_of_office: false, start: None, end: None }) },
            4 => Operation::SetNote { note: None },
            5 => Operation::SetMachineState { state: MACHINE[self.rng.below(3) as usize] },
            6 => Operation::SetLocation { location: text },
            _ => Operation::SetLevel { uri: self.person(), level: LEVELS[self.rng.below(4) as usize] },
        };
        self.operate(who, operation);
    }

    /// A conversation of this endpoint in one of these states.
    fn conversation(&mut self, who: usize, states: &[ConversationState]) -> Option<ConversationId> {
        let all = self.w.view(who).conversations.values().filter(|c| states.contains(&c.state));
        let all: Vec<ConversationId> = all.map(|c| c.id.clone()).collect();
        (!all.is_empty()).then(|| all[self.rng.below(all.len() as u64) as usize].clone())
    }

    fn talk(&mut self, who: usize) {
        use ConversationState as S;
        if let Some(id) = self.conversation(who, &[S::Incoming]) {
            let operation = match self.rng.below(3) {
                0 => Operation::Decline { conversation: id },
                _ => Operation::Accept { conversation: id },
            };
            self.operate(who, operation);
            return;
        }
        let there = self.conversation(who, &[S::Idle, S::Establishing, S::Established, S::Conferenced]);
        match (there, self.rng.below(8)) {
            (Some(id), 0) => self.operate(who, Operation::EndConversation { conversation: id }),
            (Some(id), 1) => {
                let uri = self.person();
                self.operate(who, Operation::Invite { conversation: id, uri });
            }
            (Some(id), 2) => self.operate(who, Operation::Typing { conversation: id, active: true }),
            (Some(id), _) => self.say(who, id),
            (None, _) => {
                let with = self.person();
                let id = ConversationId(self.name("c"));
                self.operate(who, Operation::StartConversation { id: id.clone(), with, subject: String::new() });
                self.say(who, id);
            }
        }
    }

    fn say(&mut self, who: usize, id: ConversationId) {
        let (message, text) = (MessageId(self.name("m")), self.name("text"));
        let (at, client) = (self.w.now, &mut self.w.clients[who]);
        let written = InstantMessage {
            id: message.clone(),
            author: client.address.clone(),
            at,
            body: text.clone(),
            format: TextFormat::Plain,
            state: Delivery::Queued,
        };
        client.view.messages.entry(id.clone()).or_default().push(written);
        self.operate(who, Operation::SendMessage { conversation: id.clone(), message: message.clone(), text: text.clone() });
        let operation = self.asked.last().map_or(OperationId(0), |a| a.1);
        self.written.push((message, id, who, operation, text));
    }

    fn meet(&mut self, who: usize) {
        let id = ConversationId(self.name("meeting"));
        let running: Vec<String> =
            self.w.clients.iter().flat_map(|c| c.view.conversations.values().filter_map(|v| v.focus.clone())).collect();
        let operation = match self.rng.below(4) {
            0 => Operation::ScheduleConference {
                settings: ConferenceSettings { subject: self.name("s"), ..ConferenceSettings::default() },
            },
            1 => Operation::ListConferences,
            2 if !running.is_empty() => {
                let link = running[self.rng.below(running.len() as u64) as usize].clone();
                Operation::JoinConference { id, target: JoinTarget::Link(link) }
            }
            _ => Operation::MeetNow { id, subject: String::new(), invite: vec![self.person()] },
        };
        self.operate(who, operation);
    }

    fn come_and_go(&mut self, who: usize) {
        let operation = match self.w.view(who).state {
            Some(EndpointState::Established) => Operation::SignOut,
            _ => Operation::SignIn,
        };
        self.operate(who, operation);
    }

    fn day(&mut self) {
        self.w.weather = Weather {
            delay: (1, 20 + self.rng.below(600)),
            piece: 50 + self.rng.below(2000),
            break_one_in: 30 + self.rng.below(300),
            refuse_one_in: 2 + self.rng.below(4),
        };
        for _ in 0..20 + self.rng.below(15) {
            self.act();
            let pause = Duration::from_millis(self.rng.below(1500));
            self.w.run(pause);
        }
        self.w.run(Duration::from_secs(30));
    }

    fn evening(&mut self) {
        self.w.weather = FINE;
        // The longest back-off, the longest wait of a transaction and of an invitation.
        self.w.run(Duration::from_secs(180));
        for who in 0..self.w.clients.len() {
            if self.w.view(who).state != Some(EndpointState::Established) {
                self.operate(who, Operation::SignIn);
            }
        }
        self.w.run(Duration::from_secs(180));
        self.w.settle();
    }

    fn fail(&self, who: usize, what: &str) -> ! {
        if std::env::var_os("ADSUM_LONG").is_some() {
            for (i, c) in self.w.clients.iter().enumerate().filter(|(i, _)| *i != who) {
                println!("##### {i} {}\n{}", c.address, c.wire.iter().cloned().collect::<Vec<_>>().join("\n"));
            }
        }
        panic!("seed {}: {}: {what}\n{}", self.seed, self.w.clients[who].address, self.w.report(who))
    }

    fn check(&mut self) {
        for who in 0..self.w.clients.len() {
            if self.w.view(who).state != Some(EndpointState::Established) {
                self.fail(who, "is not signed in");
            }
        }
        for (who, id, what) in &self.asked {
            if self.w.result(*who, *id).is_none() {
                self.fail(*who, &format!("{what} never ended"));
            }
        }
        self.check_lists();
        self.check_presence();
        self.check_talk();
        self.check_meetings();
    }

    fn check_lists(&self) {
        for who in 0..self.w.clients.len() {
            let (v, owner) = (self.w.view(who), &self.w.clients[who].address);
            let user = &self.w.server.state().users[owner];
            let contacts: BTreeMap<_, _> = user.contacts.contacts.iter().map(|c| (c.uri.clone(), c.clone())).collect();
            let groups: BTreeMap<_, _> = user.contacts.groups.iter().map(|g| (g.id, g.clone())).collect();
            if v.contacts != contacts || v.groups != groups {
                self.fail(who, "knows another contact list than the server");
            }
            let kept = self.w.kept.users.iter().find(|u| u.record.address == *owner).map(|u| &u.contacts);
            assert_eq!(kept, Some(&user.contacts), "seed {}: not everything was kept", self.seed);
        }
    }

    fn check_presence(&self) {
        let config = adsum::frontend::Config::new("fe.contoso.com", 5061, support::world::DOMAIN);
        for who in 0..self.w.clients.len() {
            let (v, watcher) = (self.w.view(who), &self.w.clients[who].address);
            for other in v.contacts.keys() {
                let Some(owner) = self.w.clients.iter().position(|c| c.address == *other) else { continue };
                let container = self.w.server.state().users[other].container_for(&config, watcher);
                let own = self.w.view(owner).own.as_ref().unwrap();
                let state = own.publications.iter().filter(|p| p.key.category == "state" && p.key.container == container);
                let number = state.filter_map(|p| StateValue::parse(&p.value)?.availability).map(|a| a.0).next();
                if v.availability(other) != number {
                    let seen = v.availability(other);
                    self.fail(who, &format!("sees {seen:?} of {other}, who publishes {number:?} in {container}"));
                }
                let notes = own.publications.iter().filter(|p| p.key.category == "note" && p.key.container == container);
                let note = notes.filter_map(|p| adsum::lync::categories::note::parse(&p.value)).map(|n| n.text).next();
                if v.note(other) != note.as_deref() {
                    self.fail(who, &format!("sees the note {:?} of {other}, which is {note:?}", v.note(other)));
                }
            }
        }
        let (first, second) = (self.w.view(0).own.as_ref().unwrap(), self.w.view(PEOPLE.len()).own.as_ref().unwrap());
        if first.publications != second.publications || first.containers != second.containers {
            self.fail(0, "two devices differ about themselves");
        }
    }

    fn check_talk(&self) {
        use ConversationState as S;
        for who in 0..self.w.clients.len() {
            for c in self.w.view(who).conversations.values() {
                if matches!(c.state, S::Incoming | S::Establishing | S::Conferencing | S::Terminating) {
                    self.fail(who, &format!("{:?} is stuck in {:?}", c.id, c.state));
                }
            }
        }
        for (message, conversation, who, operation, text) in &self.written {
            let v = self.w.view(*who);
            let state = v.messages.get(conversation).and_then(|all| all.iter().find(|m| m.id == *message)).map(|m| &m.state);
            let refused = matches!(self.w.result(*who, *operation), Some(Err(_)));
            // A meeting's message stays Sent when the link tore before the report of the MCU.
            let unreported =
                state == Some(&Delivery::Sent) && v.conversations.get(conversation).is_some_and(|c| c.focus.is_some());
            if !refused && !unreported && !matches!(state, Some(Delivery::Delivered | Delivery::Failed(_))) {
                self.fail(*who, &format!("{text} in {:?} stays {state:?}", v.conversations.get(conversation)));
            }
            let heard = |other: usize| {
                let all = self.w.view(other).messages.values().flatten();
                all.filter(|m| m.body == *text && m.state == Delivery::Received).count()
            };
            let ears: usize = (0..self.w.clients.len()).map(heard).sum();
            let alone = v.conversations.get(conversation).is_some_and(|c| c.focus.is_some());
            if state == Some(&Delivery::Delivered) && ears == 0 && !alone {
                self.fail(*who, &format!("{text} was delivered to nobody"));
            }
            if let Some(other) = (0..self.w.clients.len()).find(|o| heard(*o) > 1) {
                self.fail(other, &format!("heard {text} {} times", heard(other)));
            }
        }
    }

    fn check_meetings(&self) {
        let mut there: BTreeMap<String, BTreeSet<Address>> = BTreeMap::new();
        let in_meeting = |who: usize| {
            let all = self.w.view(who).conversations.values().filter(|c| c.state == ConversationState::Conferenced);
            all.filter_map(|c| Some((c.focus.clone()?.to_lowercase(), c)))
        };
        for who in 0..self.w.clients.len() {
            for (focus, _) in in_meeting(who) {
                there.entry(focus).or_default().insert(self.w.clients[who].address.clone());
            }
        }
        for who in 0..self.w.clients.len() {
            for (focus, c) in in_meeting(who) {
                let mut roster: BTreeSet<Address> =
                    c.participants.iter().filter(|p| !p.in_lobby).map(|p| p.uri.clone()).collect();
                roster.insert(self.w.clients[who].address.clone());
                if roster != there[&focus] {
                    self.fail(who, &format!("sees {roster:?} in {focus}, where {:?} are", there[&focus]));
                }
            }
        }
    }

    fn night(&mut self) {
        for who in 0..self.w.clients.len() {
            self.operate(who, Operation::SignOut);
        }
        self.w.settle();
        for who in 0..self.w.clients.len() {
            let c = &self.w.clients[who];
            if c.endpoint.poll_timeout().is_some() || c.view.state != Some(EndpointState::Terminated) {
                self.fail(who, &format!("signed out, but {:?} at {:?}", c.view.state, c.endpoint.poll_timeout()));
            }
        }
        for name in PEOPLE {
            assert_eq!(self.w.server.state().registrations.of_user(&address(name)).count(), 0, "seed {}", self.seed);
        }
    }
}

fn simulate(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut play = Play::new(seed);
        play.day();
        play.evening();
        play.check();
        play.night();
    }
}

#[test]
fn seeds_0_to_49() {
    simulate(0..50);
}

#[test]
fn seeds_50_to_99() {
    simulate(50..100);
}

#[test]
fn seeds_100_to_149() {
    simulate(100..150);
}

#[test]
fn seeds_150_to_199() {
    simulate(150..200);
}

/// The seed of `ADSUM_SEED`, or the seeds of `ADSUM_SEED=1000..2000`, if it is set.
#[test]
fn replay() {
    let Ok(wanted) = std::env::var("ADSUM_SEED") else { return };
    let (first, end) = wanted.split_once("..").map_or((wanted.as_str(), None), |(a, b)| (a, Some(b)));
    let first: u64 = first.parse().unwrap();
    simulate(first..end.map_or(first + 1, |e| e.parse().unwrap()));
}

#[test]
fn a_seed_replays_exactly() {
    let run = || {
        let mut play = Play::new(4711);
        play.day();
        let counts: Vec<usize> = play.w.clients.iter().map(|c| c.view.count).collect();
        (counts, play.w.now, play.w.report(0))
    };
    let (first, second) = (run(), run());
    assert!(first == second, "two runs of one seed differ");
}
