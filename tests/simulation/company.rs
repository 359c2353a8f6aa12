//! One company through its day: signing in, deeds and mishaps, the calm after, and the end of the day.

use crate::support::world::{DOMAIN, FINE, Weather, World};
use crate::{deeds, verdict};
use adsum::domain::conversation::{ConversationId, Delivery, InstantMessage, MessageId, TextFormat};
use adsum::domain::watching::{Mode, ViewId, ViewOptions};
use adsum::domain::{Rng, Time};
use adsum::endpoint::{EndpointState, Operation, OperationId, Outcome};
use adsum::frontend;
use std::time::Duration;

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
/// Endpoints of one company at most.
const ENDPOINTS: usize = 8;
/// A category that the administrator has registered.
pub const CUSTOM: &str = "desk";
/// In some companies only so many categories of a person may be watched: three watch, the others ask now and then.
const FEW_SUBSCRIPTIONS: usize = 15;

/// An operation somebody started.
pub struct Asked {
    pub client: usize,
    pub id: OperationId,
    pub what: String,
}

/// A message somebody wrote.
pub struct Written {
    pub client: usize,
    pub conversation: ConversationId,
    pub message: MessageId,
    pub text: String,
    /// Breaks of the link so far, for each endpoint.
    pub breaks: Vec<u32>,
    /// Endpoints that were in the chat of the conference then.
    pub hearers: Vec<usize>,
}

/// A company and everything that was done in it.
pub struct Company {
    pub world: World,
    pub rng: Rng,
    pub people: Vec<&'static str>,
    pub trace: Vec<String>,
    pub asked: Vec<Asked>,
    pub written: Vec<Written>,
    /// Focus URIs that were heard of.
    pub meetings: Vec<String>,
    /// Whom somebody watches without having them on the list.
    pub watched: Vec<(usize, adsum::domain::Address, ViewId)>,
    /// The front end comes back then.
    pub back_at: Option<Time>,
    pub count: u64,
    /// What people mostly do today; 5: everything, for long, in foul weather.
    pub mood: u64,
}

impl Company {
    /// A company whose people have not come yet.
    pub fn new(seed: u64) -> Company {
        let mut rng = Rng::seeded(seed ^ 0x5eed);
        // Mostly few: what goes wrong rarely needs many.
        let people = NAMES[..4 + rng.below(5).min(rng.below(5)).min(rng.below(5)) as usize].to_vec();
        let mut config = frontend::Config::new("fe.contoso.com", 5061, DOMAIN);
        if seed % 4 == 3 {
            config.user_policy = frontend::Policy::new(FEW_SUBSCRIPTIONS, 2);
        }
        let mut world = World::with_config(seed, &people, config);
        world.kept.categories.push(CUSTOM.into());
        world.crash();
        let wire = std::env::var("ADSUM_WIRE").is_ok();
        world.wire_kept = 100_000;
        let mut places = people.clone();
        for name in &people {
            if places.len() < ENDPOINTS && rng.below(5) < 2 {
                places.push(name);
            }
        }
        for name in places {
            world.endpoint_with(name, |c| c.trace = wire);
        }
        Company {
            world,
            rng,
            people,
            trace: Vec::new(),
            asked: Vec::new(),
            written: Vec::new(),
            meetings: Vec::new(),
            watched: Vec::new(),
            back_at: None,
            count: 0,
            mood: seed % 6,
        }
    }

    /// The whole day; what is wrong at its end.
    pub fn live(&mut self) -> Vec<String> {
        self.morning();
        let deeds = if self.mood == 5 { 60 } else { 20 } + self.rng.below(20);
        for _ in 0..deeds {
            deeds::any(self);
            self.pause();
        }
        self.calm();
        let mut wrong = verdict::agreement(self);
        wrong.extend(verdict::schedules(self));
        wrong.extend(verdict::words(self));
        if wrong.is_empty() {
            self.evening();
            wrong = verdict::rest(self);
            wrong.extend(verdict::night(self));
        }
        wrong
    }

    /// Who is at this endpoint.
    pub fn name(&self, client: usize) -> String {
        format!("{}#{client}", self.world.clients[client].address.user())
    }

    /// A line of the report.
    pub fn note(&mut self, line: String) {
        let at = self.world.now.since(crate::support::world::BEGIN);
        self.trace.push(format!("{:>9.3} {line}", at.as_secs_f64()));
    }

    /// Starts an operation.
    pub fn operate(&mut self, client: usize, operation: Operation) -> OperationId {
        let what = format!("{operation:?}");
        self.note(format!("{} {what}", self.name(client)));
        let id = self.world.operate(client, operation);
        self.asked.push(Asked { client, id, what });
        id
    }

    /// Writes a text nobody else writes.
    pub fn say(&mut self, client: usize, conversation: &ConversationId) {
        self.count += 1;
        let (message, text) = (MessageId(format!("m{}", self.count)), format!("text {}", self.count));
        let hearers = self.hearers(client, conversation);
        let breaks = self.world.clients.iter().map(|c| c.breaks).collect();
        let (at, c) = (self.world.now, &mut self.world.clients[client]);
        let written = InstantMessage {
            alone: None,
            id: message.clone(),
            author: c.address.clone(),
            at,
            body: text.clone(),
            format: TextFormat::Plain,
            state: Delivery::Queued,
        };
        c.view.messages.entry(conversation.clone()).or_default().push(written);
        let conversation = conversation.clone();
        let operation =
            Operation::SendMessage { conversation: conversation.clone(), message: message.clone(), text: text.clone() };
        self.written.push(Written { client, conversation, message, text, breaks, hearers });
        self.operate(client, operation);
    }

    /// The other endpoints in the chat of the same conference, as the server and they themselves know.
    fn hearers(&self, client: usize, conversation: &ConversationId) -> Vec<usize> {
        use adsum::domain::conversation::ConversationState::Conferenced;
        let Some(mine) = self.world.view(client).conversations.get(conversation) else { return Vec::new() };
        let Some(focus) = mine.focus.as_ref().filter(|_| mine.state == Conferenced) else { return Vec::new() };
        let Some(meeting) = self.world.server.conferences().into_iter().find(|a| a.conference.uri == *focus) else {
            return Vec::new();
        };
        let there = |i: &usize| {
            let c = &self.world.clients[*i];
            let seated = meeting.participants.iter().any(|p| p.uri == c.address && p.has_messages);
            let knows = c.view.conversations.values().any(|t| t.state == Conferenced && t.focus.as_ref() == Some(focus));
            seated && knows && c.endpoint.state() == EndpointState::Established
        };
        if !there(&client) {
            return Vec::new();
        }
        (0..self.world.clients.len()).filter(|i| *i != client && there(i)).collect()
    }

    /// Some endpoint.
    pub fn somebody(&mut self) -> usize {
        self.rng.below(self.world.clients.len() as u64) as usize
    }

    /// One of a list.
    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.rng.below(all.len() as u64) as usize).cloned()
    }

    /// A chance.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    fn morning(&mut self) {
        if self.one_in(3) {
            deeds::change_weather(self);
        }
        for client in 0..self.world.clients.len() {
            self.operate(client, Operation::SignIn);
            let options = ViewOptions { mode: Mode::Polling, ..ViewOptions::default() };
            self.operate(client, Operation::OpenView { view: ViewId::search(), options });
        }
        self.run(Duration::from_secs(2));
    }

    /// Between two deeds: often nothing, mostly a moment, sometimes long enough for the slow timers.
    fn pause(&mut self) {
        let ms = match self.rng.below(20) {
            0..5 => 0,
            5..16 => self.rng.below(1500),
            16..19 => self.rng.below(12_000),
            _ => self.rng.below(90_000),
        };
        self.run(Duration::from_millis(ms));
    }

    /// Lets time pass; a front end that is away comes back when it is time.
    pub fn run(&mut self, time: Duration) {
        let end = self.world.now + time;
        if let Some(back) = self.back_at.filter(|t| *t <= end) {
            self.world.run(back.since(self.world.now));
            self.back_at = None;
            self.world.down = false;
            self.note("the front end is back".into());
        }
        self.world.run(end.since(self.world.now));
        self.learn();
    }

    /// Conferences that results and invitations named.
    fn learn(&mut self) {
        let views = self.world.clients.iter().map(|c| &c.view);
        let known = views.flat_map(|v| {
            let made = v.results.values().filter_map(|r| match r {
                Ok(Outcome::Conference(c)) => Some(c.uri.clone()),
                _ => None,
            });
            made.chain(v.conversations.values().filter_map(|c| c.focus.clone()))
        });
        let new: Vec<String> = known.filter(|uri| !self.meetings.contains(uri)).collect();
        for uri in new {
            if !self.meetings.contains(&uri) {
                self.meetings.push(uri);
            }
        }
    }

    /// The links heal and everybody is at work again.
    fn calm(&mut self) {
        self.note("calm".into());
        self.world.weather = Weather { ..FINE };
        self.world.down = false;
        self.back_at = None;
        for _ in 0..4 {
            self.run(Duration::from_secs(75));
            for client in 0..self.world.clients.len() {
                if self.world.clients[client].endpoint.state() != EndpointState::Established {
                    self.operate(client, Operation::SignIn);
                }
            }
        }
        self.run(Duration::from_secs(20 * 60));
    }

    /// Everybody ends every conversation.
    fn evening(&mut self) {
        self.note("evening".into());
        for client in 0..self.world.clients.len() {
            let all: Vec<_> = self.world.view(client).conversations.keys().cloned().collect();
            for conversation in all {
                self.operate(client, Operation::EndConversation { conversation });
            }
        }
        self.run(Duration::from_secs(6 * 60));
    }

    /// The traffic of all endpoints, in order.
    pub fn print_wire(&self) {
        let mut all: Vec<(u64, usize, &String)> = Vec::new();
        for (i, c) in self.world.clients.iter().enumerate() {
            let at = |line: &String| line.split(' ').next().and_then(|t| t.parse().ok()).unwrap_or(0);
            all.extend(c.wire.iter().map(|line| (at(line), i, line)));
        }
        all.sort_by_key(|e| e.0);
        for (_, i, line) in all {
            println!("[{}] {line}", self.name(i));
        }
        for line in &self.world.log {
            println!("[server] {line}");
        }
    }
}
