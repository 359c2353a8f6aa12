//! A whole company in one process: a front end, endpoints and the links between them, on one virtual clock, from a seed.
//!
//! Time passes only in [`World::run`] and [`World::settle`]. Links keep the order of octets like TCP, but delay them, cut
//! them into pieces, and break: what was under way in the direction of the break may be lost.

use super::view::View;
use adsum::domain::conversation::ConversationState;
use adsum::domain::{Address, Rng, Time};
use adsum::endpoint::EndpointKind;
use adsum::endpoint::user::{Config, Output, UserEndpoint};
use adsum::endpoint::{Error, ErrorKind, Event, Operation, OperationId, Outcome};
use adsum::frontend::{self, Data, Server, StoreOp, TrustedApplication, UserData, UserRecord};
use adsum::sip::FlowId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The company's domain.
pub const DOMAIN: &str = "contoso.com";
/// When every world begins.
pub const BEGIN: Time = Time(1_750_000_000_000);

/// How links behave from now on.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Shortest and longest delay of a piece, in milliseconds.
    pub delay: (u64, u64),
    /// Pieces into which what is sent at once may be cut; 0: none.
    pub pieces: u64,
    /// One of so many pieces breaks its connection; 0: none.
    pub break_one_in: u64,
    /// One of so many attempts to connect fails; 0: none.
    pub refuse_one_in: u64,
    /// A side may notice a break this many milliseconds late.
    pub notice: u64,
}

/// A good local network.
pub const FINE: Weather = Weather { delay: (1, 3), pieces: 0, break_one_in: 0, refuse_one_in: 0, notice: 0 };
/// A bad one.
pub const STORM: Weather = Weather { delay: (1, 400), pieces: 6, break_one_in: 60, refuse_one_in: 3, notice: 0 };

/// One user's endpoint with what it said.
pub struct Client {
    pub address: Address,
    pub endpoint: UserEndpoint,
    pub view: View,
    /// The trace, for a failing test's report.
    pub wire: VecDeque<String>,
    /// How often its connection was lost, by whomever.
    pub breaks: u32,
    /// When its timers are due, as of the last call.
    due: Option<Time>,
    touched: bool,
    /// An application's: the fingerprint of what it shows.
    certificate: Option<String>,
    link: Option<FlowId>,
    opening: Option<(Time, Option<FlowId>)>,
    next_operation: u64,
}

enum Piece {
    Octets(Vec<u8>),
    End,
}

struct Link {
    client: usize,
    to_server: VecDeque<(Time, Piece)>,
    to_client: VecDeque<(Time, Piece)>,
    /// The client still listens.
    client_there: bool,
    server_there: bool,
}

/// Everything.
pub struct World {
    pub now: Time,
    pub server: Server,
    pub clients: Vec<Client>,
    pub weather: Weather,
    /// What the server wanted kept, applied: the state after a crash.
    pub kept: Data,
    pub log: Vec<String>,
    /// Nobody can connect for now.
    pub down: bool,
    /// How often anything happened.
    pub steps: u64,
    /// Lines of each endpoint's trace that are kept.
    pub wire_kept: usize,
    pub server_config: frontend::Config,
    links: BTreeMap<FlowId, Link>,
    next_flow: u64,
    rng: Rng,
}

impl World {
    /// A front end with these people; their passwords are their names.
    pub fn new(seed: u64, people: &[&str]) -> World {
        World::with_config(seed, people, frontend::Config::new("fe.contoso.com", 5061, DOMAIN))
    }

    /// Likewise with other settings.
    pub fn with_config(seed: u64, people: &[&str], server_config: frontend::Config) -> World {
        let mut rng = Rng::seeded(seed);
        let users = people.iter().map(|name| {
            let mut display: String = (*name).to_owned();
            display.get_mut(..1).map(str::make_ascii_uppercase);
            UserData::new(UserRecord::new(address(name), &format!("{display} Example"), name))
        });
        let kept = Data { users: users.collect(), ..Data::default() };
        World {
            now: BEGIN,
            server: Server::new(server_config.clone(), kept.clone(), rng.fork()),
            clients: Vec::new(),
            weather: FINE,
            kept,
            log: Vec::new(),
            down: false,
            steps: 0,
            wire_kept: 60,
            links: BTreeMap::new(),
            next_flow: 0,
            rng,
            server_config,
        }
    }

    /// An endpoint of somebody; each has its own `epid`. Its number names it from now on.
    pub fn endpoint(&mut self, name: &str) -> usize {
        self.endpoint_with(name, |_| {})
    }

    /// Likewise with other settings.
    pub fn endpoint_with(&mut self, name: &str, change: impl FnOnce(&mut Config)) -> usize {
        let mut config = Config::new(address(name), name);
        config.host = "fe.contoso.com".into();
        config.display_name = name.to_owned();
        config.epid = self.rng.hex(10);
        config.reconnect = true;
        change(&mut config);
        let endpoint = UserEndpoint::new(config, self.rng.fork());
        self.clients.push(Client {
            address: address(name),
            endpoint,
            view: View::default(),
            wire: VecDeque::new(),
            breaks: 0,
            due: None,
            touched: true,
            certificate: None,
            link: None,
            opening: None,
            next_operation: 0,
        });
        self.clients.len() - 1
    }

    /// An endpoint of a trusted application; all instances of one show the same certificate.
    pub fn application(&mut self, name: &str) -> usize {
        let application = TrustedApplication {
            address: address(name),
            display_name: name.to_owned(),
            fingerprints: vec![format!("certificate of {name}")],
            until: None,
        };
        if self.server.state().applications.get(&application.address) != Some(&application) {
            self.server.put_application(self.now, application.clone());
            self.drain();
        }
        let i = self.endpoint_with(name, |c| {
            c.kind = EndpointKind::Application;
            c.others = vec![("fe2.contoso.com".into(), 5061), ("fe3.contoso.com".into(), 5061)];
            c.reconnect = false;
        });
        self.clients[i].certificate = application.fingerprints.first().cloned();
        i
    }

    /// An application is trusted no longer.
    pub fn distrust(&mut self, name: &str) {
        self.server.remove_application(self.now, &address(name));
        self.drain();
    }

    /// Endpoints of these people, signed in.
    pub fn signed_in(seed: u64, people: &[&str]) -> World {
        let mut world = World::new(seed, people);
        for name in people {
            let i = world.endpoint(name);
            world.operate(i, Operation::SignIn);
        }
        world.settle();
        world
    }

    /// Starts an operation.
    pub fn operate(&mut self, client: usize, operation: Operation) -> OperationId {
        let now = self.now;
        let c = &mut self.clients[client];
        c.next_operation += 1;
        let id = OperationId(c.next_operation);
        c.touched = true;
        c.endpoint.operate(now, id, operation);
        self.drain();
        id
    }

    /// Starts an operation, lets the world come to rest and gives the result.
    pub fn done(&mut self, client: usize, operation: Operation) -> Result<Outcome, Error> {
        let id = self.operate(client, operation.clone());
        self.settle();
        match self.result(client, id) {
            Some(result) => result.clone(),
            None => panic!("{operation:?} did not end\n{}", self.report(client)),
        }
    }

    /// As [`World::done`], while everybody else accepts what they are invited to.
    pub fn agreed(&mut self, client: usize, operation: Operation) -> Result<Outcome, Error> {
        let id = self.operate(client, operation.clone());
        self.settle();
        for other in 0..self.clients.len() {
            let waiting = self.view(other).conversations.values().filter(|c| c.state == ConversationState::Incoming);
            for conversation in waiting.map(|c| c.id.clone()).collect::<Vec<_>>() {
                self.operate(other, Operation::Accept { conversation });
            }
        }
        self.settle();
        match self.result(client, id) {
            Some(result) => result.clone(),
            None => panic!("{operation:?} did not end\n{}", self.report(client)),
        }
    }

    /// How an operation ended, if it has.
    pub fn result(&self, client: usize, id: OperationId) -> Option<&Result<Outcome, Error>> {
        self.clients[client].view.results.get(&id)
    }

    /// What somebody knows.
    pub fn view(&self, client: usize) -> &View {
        &self.clients[client].view
    }

    /// Breaks an endpoint's connection; both sides hear of it.
    pub fn cut(&mut self, client: usize) {
        if let Some(flow) = self.clients[client].link {
            self.break_link(flow);
            self.drain();
        }
    }

    /// The server stops without a word and starts again from what it kept.
    pub fn crash(&mut self) {
        for flow in self.links.keys().copied().collect::<Vec<_>>() {
            self.break_link(flow);
        }
        self.server = Server::new(self.server_config.clone(), self.kept.clone(), self.rng.fork());
        self.drain();
    }

    /// The IM MCU dies alone and starts again.
    pub fn fail_im_mcu(&mut self) {
        self.server.fail_im_mcu(self.now);
        self.drain();
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0u32;
        while let Some(at) = self.next().filter(|t| *t <= end) {
            steps = if at > self.now { 0 } else { steps + 1 };
            assert!(steps < 10_000, "the world never rests at {}\n{}", at.since(BEGIN).as_millis(), self.restless());
            self.now = self.now.max(at);
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Lets time pass until nothing is under way on any link and no timer is due within a second.
    pub fn settle(&mut self) {
        for _ in 0..600 {
            let busy = self.links.values().any(|l| !l.to_server.is_empty() || !l.to_client.is_empty());
            let opening = self.clients.iter().any(|c| c.opening.is_some());
            let due = self.next().is_some_and(|t| t <= self.now + Duration::from_secs(1));
            if !busy && !opening && !due {
                return;
            }
            self.run(Duration::from_millis(500));
        }
        panic!("the world does not come to rest");
    }

    /// The last of an endpoint's trace.
    pub fn report(&self, client: usize) -> String {
        let log = self.log.iter().rev().take(20).rev().cloned().collect::<Vec<_>>().join("\n");
        format!("{}\n--- server\n{log}", self.clients[client].wire.iter().cloned().collect::<Vec<_>>().join("\n"))
    }

    fn next(&mut self) -> Option<Time> {
        for c in self.clients.iter_mut().filter(|c| c.touched) {
            c.due = c.endpoint.poll_timeout();
            c.touched = false;
        }
        let links = self.links.values().flat_map(|l| [l.to_server.front(), l.to_client.front()]).flatten().map(|p| p.0);
        let clients = self.clients.iter().flat_map(|c| [c.due, c.opening.map(|o| o.0)]).flatten();
        links.chain(clients).chain(self.server.poll_timeout()).min()
    }

    /// The wire of those who have something to do at once; without any, it is the server's.
    fn restless(&self) -> String {
        let who = (0..self.clients.len()).filter(|i| self.clients[*i].endpoint.poll_timeout().is_some_and(|t| t <= self.now));
        who.map(|i| format!("client {i}\n{}", self.report(i))).collect()
    }

    fn step(&mut self) {
        let now = self.now;
        self.steps += 1;
        for i in 0..self.clients.len() {
            if let Some((_, flow)) = self.clients[i].opening.filter(|o| o.0 <= now) {
                self.clients[i].opening = None;
                self.open(i, flow);
            }
        }
        for flow in self.links.keys().copied().collect::<Vec<_>>() {
            self.deliver(flow);
        }
        self.links.retain(|_, l| l.client_there || l.server_there || !l.to_client.is_empty() || !l.to_server.is_empty());
        if self.server.poll_timeout().is_some_and(|t| t <= now) {
            self.server.handle_timeout(now);
        }
        for c in &mut self.clients {
            if c.endpoint.poll_timeout().is_some_and(|t| t <= now) {
                c.endpoint.handle_timeout(now);
                c.touched = true;
            }
        }
        self.drain();
    }

    fn open(&mut self, client: usize, flow: Option<FlowId>) {
        let now = self.now;
        self.clients[client].touched = true;
        match flow.filter(|_| !self.down) {
            None => {
                let error = Error::new(ErrorKind::ConnectionFailed, "The server cannot be reached.");
                self.clients[client].endpoint.handle_connect_failed(now, error);
            }
            Some(flow) => {
                let link = Link {
                    client,
                    to_server: VecDeque::new(),
                    to_client: VecDeque::new(),
                    client_there: true,
                    server_there: true,
                };
                self.links.insert(flow, link);
                self.clients[client].link = Some(flow);
                let peer = format!("192.0.2.{client}:{}", 50_000 + flow.0 % 10_000);
                match &self.clients[client].certificate {
                    Some(certificate) => self.server.handle_open_with(now, flow, peer, certificate),
                    None => self.server.handle_open(now, flow, peer, true),
                }
                self.clients[client].endpoint.handle_connected(now, format!("192.0.2.{client}:{}", 50_000 + flow.0 % 10_000));
            }
        }
        self.drain();
    }

    fn deliver(&mut self, flow: FlowId) {
        let now = self.now;
        while let Some(piece) = self.links.get_mut(&flow).and_then(|l| due(&mut l.to_server, now)) {
            let Some(link) = self.links.get_mut(&flow).filter(|l| l.server_there) else { break };
            match piece {
                Piece::Octets(bytes) => self.server.handle_bytes(now, flow, &bytes),
                Piece::End => {
                    link.server_there = false;
                    self.server.handle_closed(now, flow);
                }
            }
            self.drain();
        }
        while let Some(piece) = self.links.get_mut(&flow).and_then(|l| due(&mut l.to_client, now)) {
            let Some(link) = self.links.get_mut(&flow).filter(|l| l.client_there) else { break };
            let c = &mut self.clients[link.client];
            c.touched = true;
            match piece {
                Piece::Octets(bytes) => c.endpoint.handle_bytes(now, &bytes),
                Piece::End => {
                    link.client_there = false;
                    c.link = None;
                    c.breaks += 1;
                    c.endpoint.handle_disconnected(now, "connection closed".into());
                }
            }
            self.drain();
        }
    }

    fn drain(&mut self) {
        loop {
            let mut idle = true;
            while let Some(output) = self.server.poll_output() {
                idle = false;
                self.on_server_output(output);
            }
            for i in 0..self.clients.len() {
                while let Some(event) = self.clients[i].endpoint.poll_event() {
                    self.hear(i, event);
                }
                while let Some(output) = self.clients[i].endpoint.poll_output() {
                    idle = false;
                    self.on_client_output(i, output);
                }
            }
            if idle {
                return;
            }
        }
    }

    fn hear(&mut self, client: usize, event: Event) {
        self.clients[client].view.apply(event);
    }

    fn on_server_output(&mut self, output: frontend::Output) {
        match output {
            frontend::Output::Send(flow, bytes) => self.send(flow, false, bytes),
            frontend::Output::Close(flow) => {
                if let Some(link) = self.links.get_mut(&flow) {
                    link.server_there = false;
                    let at = link.to_client.back().map_or(self.now, |p| p.0);
                    link.to_client.push_back((at, Piece::End));
                }
            }
            frontend::Output::Store(op) => keep(&mut self.kept, op),
            frontend::Output::Log(level, text) => self.log.push(format!("{level:?} {text}")),
        }
    }

    fn on_client_output(&mut self, client: usize, output: Output) {
        match output {
            Output::Connect { .. } => {
                let refused = self.down || one_in(&mut self.rng, self.weather.refuse_one_in);
                self.next_flow += 1;
                let at = self.now + self.delay();
                self.clients[client].opening = Some((at, (!refused).then_some(FlowId(self.next_flow))));
            }
            Output::Send(bytes) => {
                if let Some(flow) = self.clients[client].link {
                    self.send(flow, true, bytes);
                }
            }
            Output::Close => {
                self.clients[client].opening = None;
                self.clients[client].breaks += 1;
                if let Some(link) = self.clients[client].link.take().and_then(|f| self.links.get_mut(&f)) {
                    link.client_there = false;
                    let at = link.to_server.back().map_or(self.now, |p| p.0);
                    link.to_server.push_back((at, Piece::End));
                }
            }
            Output::Beside(_) => unreachable!("this dialect has no sessions beside the link"),
            Output::Web(_) | Output::Locate { .. } | Output::SendAside { .. } | Output::CloseAside => {
                unreachable!("this dialect asks nothing over HTTP")
            }
            Output::Trace(record) => {
                let c = &mut self.clients[client];
                c.wire.push_back(format!("{} {:?} {}", record.at.since(BEGIN).as_millis(), record.direction, record.text));
                if c.wire.len() > self.wire_kept {
                    c.wire.pop_front();
                }
            }
        }
    }

    fn delay(&mut self) -> Duration {
        let (least, most) = self.weather.delay;
        Duration::from_millis(least + self.rng.below(most.saturating_sub(least) + 1))
    }

    fn send(&mut self, flow: FlowId, to_server: bool, bytes: Vec<u8>) {
        let mut rest = bytes.as_slice();
        for left in (0..self.weather.pieces.max(1)).rev() {
            let here = if left == 0 { rest.len() } else { 1 + self.rng.below(rest.len() as u64) as usize };
            let (piece, after) = rest.split_at(here.min(rest.len()));
            rest = after;
            if piece.is_empty() {
                break;
            }
            if one_in(&mut self.rng, self.weather.break_one_in) {
                self.break_link(flow);
                return;
            }
            let delay = self.delay();
            let Some(link) = self.links.get_mut(&flow) else { return };
            let queue = if to_server { &mut link.to_server } else { &mut link.to_client };
            let at = queue.back().map_or(self.now, |p| p.0).max(self.now + delay);
            queue.push_back((at, Piece::Octets(piece.to_vec())));
        }
    }

    /// Some of what was under way arrives before each side notices.
    fn break_link(&mut self, flow: FlowId) {
        let (keep_up, keep_down) = (self.rng.below(4) as usize, self.rng.below(4) as usize);
        let late = [self.rng.below(self.weather.notice + 1), self.rng.below(self.weather.notice + 1)];
        let [hear_up, hear_down] = late.map(|ms| self.delay() + Duration::from_millis(ms));
        let now = self.now;
        let Some(link) = self.links.get_mut(&flow) else { return };
        self.clients[link.client].breaks += 1;
        for (queue, keep, hear) in [(&mut link.to_server, keep_up, hear_up), (&mut link.to_client, keep_down, hear_down)] {
            queue.truncate(keep);
            if let Some((_, Piece::Octets(last))) = queue.back_mut() {
                let kept = self.rng.below(last.len() as u64 + 1) as usize;
                last.truncate(kept);
            }
            let at = queue.back().map_or(now, |p| p.0).max(now + hear);
            queue.push_back((at, Piece::End));
        }
    }
}

/// `alice@contoso.com` of `alice`; full addresses stay.
pub fn address(name: &str) -> Address {
    let full = if name.contains('@') { name.to_owned() } else { format!("{name}@{DOMAIN}") };
    Address::parse(&full).unwrap()
}

fn due(queue: &mut VecDeque<(Time, Piece)>, now: Time) -> Option<Piece> {
    if queue.front()?.0 <= now { queue.pop_front().map(|p| p.1) } else { None }
}

fn one_in(rng: &mut Rng, n: u64) -> bool {
    n > 0 && rng.below(n) == 0
}

/// What a store does with a change.
pub fn keep(data: &mut Data, op: StoreOp) {
    let user = |data: &mut Data, a: &Address, f: &mut dyn FnMut(&mut UserData)| {
        data.users.iter_mut().filter(|u| u.record.address == *a).for_each(f);
    };
    match op {
        StoreOp::PutUser(record) => match data.users.iter_mut().find(|u| u.record.address == record.address) {
            Some(u) => u.record = record,
            None => data.users.push(UserData::new(record)),
        },
        StoreOp::PutApplication(application) => {
            data.applications.retain(|a| a.address != application.address);
            data.applications.push(application);
        }
        StoreOp::RemoveApplication(a) => data.applications.retain(|x| x.address != a),
        StoreOp::RemoveUser(a) => data.users.retain(|u| u.record.address != a),
        StoreOp::PutContacts { owner, list } => user(data, &owner, &mut |u| u.contacts = list.clone()),
        StoreOp::PutPublication { owner, publication } => user(data, &owner, &mut |u| {
            u.publications.retain(|p| p.key != publication.key);
            u.publications.push(publication.clone());
        }),
        StoreOp::DeletePublication { owner, key } => user(data, &owner, &mut |u| u.publications.retain(|p| p.key != key)),
        StoreOp::PutContainer { owner, container } => user(data, &owner, &mut |u| {
            u.containers.retain(|c| c.id != container.id);
            u.containers.push(container.clone());
        }),
        StoreOp::PutSubscriber { owner, subscriber } => user(data, &owner, &mut |u| {
            u.subscribers.retain(|s| s.uri != subscriber.uri);
            u.subscribers.push(subscriber.clone());
        }),
        StoreOp::DeleteSubscriber { owner, uri } => user(data, &owner, &mut |u| u.subscribers.retain(|s| s.uri != uri)),
        StoreOp::PutDelegates { owner, delegates } => user(data, &owner, &mut |u| u.delegates = delegates.clone()),
        StoreOp::PutKept(message) => {
            data.kept.retain(|m| m.id != message.id);
            data.kept.push(message);
        }
        StoreOp::DeleteKept { to, id } => data.kept.retain(|m| m.to != to || m.id != id),
        StoreOp::PutConference(conference) => {
            data.conferences.retain(|c| c.id != conference.id || c.organizer != conference.organizer);
            data.conferences.push(conference);
        }
        StoreOp::PutRunning(running) => {
            data.running.retain(|r| r.id != running.id || r.organizer != running.organizer);
            data.running.push(running);
        }
        StoreOp::DeleteRunning { organizer, id } => data.running.retain(|r| r.id != id || r.organizer != organizer),
        StoreOp::DeleteConference { organizer, id } => {
            data.running.retain(|r| r.id != id || r.organizer != organizer);
            data.conferences.retain(|c| c.id != id || c.organizer != organizer);
        }
        StoreOp::PutGroup(group) => {
            data.groups.retain(|g| g.address != group.address);
            data.groups.push(group);
        }
        StoreOp::DeleteGroup(address) => data.groups.retain(|g| g.address != address),
        StoreOp::PutCategory(name) => {
            data.categories.retain(|c| *c != name);
            data.categories.push(name);
        }
        StoreOp::DeleteCategory(name) => data.categories.retain(|c| *c != name),
    }
}
