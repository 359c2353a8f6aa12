//! Two people and a relay in memory, on the virtual clock.

use crate::domain::conversation::{ConversationId, Delivery, MessageId};
use crate::domain::file::{TransferId, TransferState};
use crate::domain::{Address, Rng};
use crate::endpoint::beside::{Beside, FileAsk, FileNews, PipeAsk, PipeId, PipeNews};
use crate::endpoint::config::Config;
use crate::endpoint::service::{Reply, Service, ServiceId, Token};
use crate::endpoint::simple::messages::Messages;
use crate::endpoint::testkit::Bench;
use crate::endpoint::{Event, Operation};
use crate::msrp::{Frame, Framer, Kind, Method, MsrpUri};
use crate::sip::{Method as Sip, Request, Response, Server, ServerTx, Transport};
use std::collections::BTreeMap;
use std::time::Duration;

mod lasting;

/// One of both: the service, and what surrounds it.
struct Side {
    bench: Bench,
    s: Messages,
    asked: Vec<(Token, Request)>,
    /// What lies on the disk to be sent.
    content: Vec<u8>,
    /// What came, and whether it was kept.
    came: Vec<u8>,
    kept: bool,
    dropped: usize,
}

struct World {
    sides: [Side; 2],
    /// Connections to the relay, and what they have told so far.
    pipes: BTreeMap<(usize, PipeId), Framer>,
    /// Names the relay gave.
    names: BTreeMap<String, (usize, PipeId)>,
    /// Frames that may still pass before the relay dies.
    left: usize,
    /// INVITEs are answered with this in place of the other side.
    refuse: Option<u16>,
    /// Refreshes are answered with this; 0: they get lost.
    refuse_refresh: Option<u16>,
    next: u64,
    rng: Rng,
}

fn address(who: &str) -> Address {
    Address::parse(&format!("{who}@contoso.com")).unwrap()
}

fn side(who: &str) -> Side {
    let mut bench = Bench::new(ServiceId::Conversations);
    bench.me.uri = address(who);
    bench.me.contact = format!("sip:{who}@192.0.2.1");
    bench.me.server = Some((Server { host: "relay".into(), port: 1, transport: Transport::Tcp }, Vec::new()));
    let s = Messages::new(&Config::new(address(who), "secret"));
    Side { bench, s, asked: Vec::new(), content: Vec::new(), came: Vec::new(), kept: false, dropped: 0 }
}

fn world(seed: u64) -> World {
    let (mut alice, bob) = (side("alice"), side("bob"));
    let start = Operation::StartConversation { id: talk(), with: address("bob"), subject: String::new() };
    alice.bench.operate(&mut alice.s, start);
    let mut w = World {
        sides: [alice, bob],
        pipes: BTreeMap::new(),
        names: BTreeMap::new(),
        left: usize::MAX,
        refuse: None,
        refuse_refresh: None,
        next: 1,
        rng: Rng::seeded(seed),
    };
    w.run();
    w
}

fn talk() -> ConversationId {
    ConversationId("c".into())
}

fn file() -> TransferId {
    TransferId("f".into())
}

impl World {
    fn alice(&mut self, operation: Operation) {
        let a = &mut self.sides[0];
        a.bench.operate(&mut a.s, operation);
    }

    fn bob(&mut self, operation: Operation) {
        let b = &mut self.sides[1];
        b.bench.operate(&mut b.s, operation);
    }

    fn say(&mut self, name: &str, text: &str) {
        self.alice(Operation::SendMessage { conversation: talk(), message: MessageId(name.into()), text: text.into() });
    }

    fn offer(&mut self, content: Vec<u8>) {
        self.sides[0].content = content;
        self.alice(Operation::SendFile { conversation: talk(), transfer: file(), path: "/home/alice/a.bin".into() });
        self.run();
    }

    /// Bob's name of the transfer.
    fn offered(&self) -> TransferId {
        let all = self.sides[1].bench.events.iter();
        let mut all = all.filter_map(|e| if let Event::Transfer(t) = e { Some(t.id.clone()) } else { None });
        all.next().expect("no file was offered")
    }

    fn last(&self, side: usize) -> TransferState {
        let all = self.sides[side].bench.events.iter().rev();
        let mut all = all.filter_map(|e| if let Event::Transfer(t) = e { Some(t.state.clone()) } else { None });
        all.next().expect("no transfer")
    }

    fn state_of(&self, name: &str) -> Option<Delivery> {
        let all = self.sides[0].bench.events.iter().rev();
        let mut all = all.filter_map(|e| match e {
            Event::MessageState { message, state, .. } if message.0 == name => Some(state.clone()),
            _ => None,
        });
        all.next()
    }

    fn texts_at_bob(&self) -> Vec<String> {
        let all = self.sides[1].bench.events.iter();
        all.filter_map(|e| if let Event::Message { message, .. } = e { Some(message.body.clone()) } else { None }).collect()
    }

    fn sent(&self, method: &Sip) -> usize {
        self.sides[0].asked.iter().filter(|r| r.1.method == *method).count()
    }

    /// Lets everything happen that is ready, in an order of chance.
    fn run(&mut self) {
        loop {
            let first = usize::try_from(self.rng.below(2)).unwrap();
            let moved = [first, 1 - first].map(|side| self.requests(side) | self.beside(side));
            if moved == [false, false] {
                return;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        for side in 0..2 {
            let s = &mut self.sides[side];
            s.bench.pass(&mut s.s, time);
        }
        self.run();
    }

    fn requests(&mut self, from: usize) -> bool {
        let all = std::mem::take(&mut self.sides[from].bench.sent);
        let some = !all.is_empty();
        for (token, request) in all {
            self.sides[from].asked.push((token, request.clone()));
            if let Some(status) = self.refuse.filter(|_| request.method == Sip::Invite) {
                let s = &mut self.sides[from];
                s.bench.answer(&mut s.s, &(token, request), status, "", "");
                continue;
            }
            if let Some(status) = self.refuse_refresh.filter(|_| request.method == Sip::Update) {
                if status > 0 {
                    let s = &mut self.sides[from];
                    s.bench.answer(&mut s.s, &(token, request), status, "", "");
                }
                continue;
            }
            self.next += 1;
            let tx = (request.method != Sip::Ack).then_some(ServerTx(self.next));
            let to = &mut self.sides[1 - from];
            to.bench.call(&mut to.s, |s, ctx| s.on_request(ctx, tx, request));
        }
        let answers = std::mem::take(&mut self.sides[from].bench.answers);
        for answer in &answers {
            self.answer(1 - from, answer);
        }
        some || !answers.is_empty()
    }

    fn answer(&mut self, to: usize, answer: &Response) {
        let mine = |r: &&(Token, Request)| {
            r.1.headers.call_id() == answer.headers.call_id() && r.1.headers.cseq() == answer.headers.cseq()
        };
        let Some(token) = self.sides[to].asked.iter().find(mine).map(|r| r.0) else { return };
        let (side, reply) = (&mut self.sides[to], Reply::Response(answer.clone()));
        side.bench.call(&mut side.s, |s, ctx| s.on_reply(ctx, token, reply));
    }

    fn beside(&mut self, side: usize) -> bool {
        let all = std::mem::take(&mut self.sides[side].bench.beside);
        let some = !all.is_empty();
        for ask in all {
            match ask {
                Beside::Pipe(pipe, PipeAsk::Open { .. }) => {
                    self.pipes.insert((side, pipe), Framer::default());
                    self.tell(side, pipe, PipeNews::Opened(format!("192.0.2.{side}:7")));
                }
                Beside::Pipe(pipe, PipeAsk::Send(bytes)) => self.relay(side, pipe, &bytes),
                Beside::Pipe(pipe, PipeAsk::Close) => drop(self.pipes.remove(&(side, pipe))),
                Beside::File(id, ask) => self.disk(side, &id, ask),
            }
        }
        some
    }

    fn tell(&mut self, side: usize, pipe: PipeId, news: PipeNews) {
        let s = &mut self.sides[side];
        s.bench.call(&mut s.s, |s, ctx| s.on_pipe(ctx, pipe, news));
    }

    fn relay(&mut self, side: usize, pipe: PipeId, bytes: &[u8]) {
        let Some(framer) = self.pipes.get_mut(&(side, pipe)) else { return };
        framer.push(bytes);
        let frames: Vec<Frame> = std::iter::from_fn(|| framer.next()).map(|f| f.unwrap().frame).collect();
        for frame in frames {
            if self.left == 0 {
                for (side, pipe) in std::mem::take(&mut self.pipes).into_keys() {
                    self.tell(side, pipe, PipeNews::Closed("the relay died".into()));
                }
                return;
            }
            self.left -= 1;
            self.pass_on(side, pipe, frame);
        }
    }

    /// What a relay does with one frame: it answers for itself and passes it on.
    fn pass_on(&mut self, side: usize, pipe: PipeId, mut frame: Frame) {
        match &frame.kind {
            Kind::Response(..) => {}
            Kind::Request(Method::Auth) => {
                let name = format!("n{}", self.names.len());
                self.names.insert(name.clone(), (side, pipe));
                let answer =
                    frame.response(200, "OK").with("Use-Path", format!("msrp://relay:1/{name};tcp")).with("Expires", "900");
                self.tell(side, pipe, PipeNews::Bytes(answer.to_bytes()));
            }
            Kind::Request(method) => {
                if *method == Method::Send {
                    self.tell(side, pipe, PipeNews::Bytes(frame.response(200, "OK").to_bytes()));
                }
                let mut to = (side, pipe);
                while frame.to.first().is_some_and(|u| u.host() == "relay") {
                    let hop: MsrpUri = frame.to.remove(0);
                    to = self.names[hop.session()];
                    frame.from.insert(0, hop);
                }
                self.tell(to.0, to.1, PipeNews::Bytes(frame.to_bytes()));
            }
        }
    }

    fn disk(&mut self, side: usize, id: &TransferId, ask: FileAsk) {
        let s = &mut self.sides[side];
        let news = match ask {
            FileAsk::Look { .. } => FileNews::Looked { name: "a.bin".into(), size: s.content.len() as u64, sha1: [7; 20] },
            FileAsk::Read { offset, octets } => {
                let from = usize::try_from(offset).unwrap();
                FileNews::Read(s.content[from..from + octets].to_vec())
            }
            FileAsk::Receive { .. } => FileNews::Ready,
            FileAsk::Write(data) => {
                s.came.extend(data);
                FileNews::Written(s.came.len() as u64)
            }
            FileAsk::Keep { sha1 } => {
                assert_eq!(sha1, Some([7; 20]));
                s.kept = true;
                FileNews::Kept { path: "/home/bob/a.bin".into() }
            }
            FileAsk::Drop => {
                s.dropped += 1;
                return;
            }
        };
        s.bench.call(&mut s.s, |s, ctx| s.on_file(ctx, id, news));
    }
}

fn long() -> String {
    "grüße ".repeat(700)
}

#[test]
fn a_long_text_goes_in_a_session_and_what_follows_in_the_same_one() {
    let mut w = world(1);
    w.say("m1", &long());
    w.say("m2", "and a short one");
    w.run();
    assert_eq!(w.texts_at_bob(), [long(), "and a short one".into()]);
    assert_eq!((w.state_of("m1"), w.state_of("m2")), (Some(Delivery::Delivered), Some(Delivery::Delivered)));
    assert_eq!((w.sent(&Sip::Invite), w.sent(&Sip::Message)), (1, 0));
}

#[test]
fn who_takes_no_sessions_gets_a_request_and_is_not_asked_again() {
    let mut w = world(2);
    w.refuse = Some(488);
    for name in ["m1", "m2"] {
        w.say(name, &long());
        w.run();
        assert_eq!(w.state_of(name), None, "parts of it are still to leave");
        (0..30).for_each(|_| w.pass(Duration::from_millis(200)));
        assert_eq!(w.state_of(name), Some(Delivery::Delivered));
    }
    assert_eq!(w.sent(&Sip::Invite), 1);
    let came = w.texts_at_bob();
    let bare: String = came.iter().map(|t| t.split_once(") ").unwrap().1).collect();
    assert!(bare == long().repeat(2), "{came:?}");
    assert!(came[0].starts_with(&format!("(1/{}) grüße", came.len() / 2)));
    let messages = w.sides[0].asked.iter().filter(|r| r.1.method == Sip::Message);
    let most = messages.map(|r| crate::sip::Message::Request(r.1.clone()).to_bytes().len()).max();
    assert!(most <= Some(900), "with credentials, too, it is within 1300 octets: {most:?}");
}

#[test]
fn a_text_whose_session_breaks_leaves_as_a_request_and_is_shown_once() {
    for left in 2..12 {
        let mut w = world(left as u64);
        w.left = left;
        w.say("m1", &long());
        w.run();
        w.pass(Duration::from_secs(120));
        assert_eq!(w.texts_at_bob(), [long()], "{left} frames passed");
        assert_eq!(w.state_of("m1"), Some(Delivery::Delivered), "{left} frames passed");
    }
}

#[test]
fn a_quiet_session_ends_and_another_begins_when_it_is_needed() {
    let mut w = world(3);
    w.say("m1", &long());
    w.run();
    for _ in 0..40 {
        w.pass(Duration::from_secs(20));
    }
    // Both clocks strike at once, so both may say goodbye.
    let byes = w.sides.iter().flat_map(|s| &s.asked).filter(|r| r.1.method == Sip::Bye).count();
    assert!((1..=2).contains(&byes), "{byes}");
    w.say("m2", &long());
    w.run();
    assert_eq!((w.sent(&Sip::Invite), w.texts_at_bob().len()), (2, 2));
}

#[test]
fn a_file_arrives_whole_and_both_sides_see_it_move() {
    let mut w = world(4);
    let content: Vec<u8> = (0..700_000u32).map(|i| (i % 253) as u8).collect();
    w.offer(content.clone());
    assert_eq!((w.last(0), w.last(1)), (TransferState::Offered, TransferState::Offered));
    let transfer = w.offered();
    w.bob(Operation::AcceptFile { transfer });
    w.run();
    assert!(w.sides[1].came == content && w.sides[1].kept);
    assert_eq!(w.last(0), TransferState::Done { path: None });
    assert_eq!(w.last(1), TransferState::Done { path: Some("/home/bob/a.bin".into()) });
    for side in &w.sides {
        let steps = side
            .bench
            .events
            .iter()
            .filter(|e| matches!(e, Event::Transfer(t) if matches!(t.state, TransferState::Running { .. })));
        assert!((10..=120).contains(&steps.count()));
        assert!(side.dropped > 0);
    }
    let bye = |s: &Side| s.asked.iter().filter(|r| r.1.method == Sip::Bye).count();
    assert_eq!((bye(&w.sides[0]), bye(&w.sides[1])), (1, 0), "who sends ends it");
}

#[test]
fn an_empty_file_is_a_file() {
    let mut w = world(5);
    w.offer(Vec::new());
    let transfer = w.offered();
    w.bob(Operation::AcceptFile { transfer });
    w.run();
    assert!(w.sides[1].kept && w.sides[1].came.is_empty());
    assert_eq!(w.last(0), TransferState::Done { path: None });
}

#[test]
fn an_offer_is_declined_withdrawn_or_broken_off() {
    let mut w = world(6);
    w.offer(vec![1; 100]);
    let transfer = w.offered();
    w.bob(Operation::EndFile { transfer });
    w.run();
    assert_eq!((w.last(0), w.last(1)), (TransferState::Declined, TransferState::Declined));

    let mut w = world(7);
    w.offer(vec![1; 3_000_000]);
    let transfer = w.offered();
    w.left = 400;
    w.bob(Operation::AcceptFile { transfer });
    w.run();
    assert!(
        matches!((w.last(0), w.last(1)), (TransferState::Failed(_), TransferState::Failed(why)) if why.contains("broke off after"))
    );
    assert!(!w.sides[1].kept);
}

#[test]
fn wherever_the_relay_dies_no_half_file_is_kept_and_nobody_waits() {
    for seed in 0..60 {
        let mut w = world(seed);
        let content: Vec<u8> = (0..200_000u32).map(|i| (i % 249) as u8).collect();
        w.left = usize::try_from(Rng::seeded(seed).below(460)).unwrap();
        w.offer(content.clone());
        if w.sides[1].bench.events.iter().any(|e| matches!(e, Event::Transfer(_))) {
            let transfer = w.offered();
            w.bob(Operation::AcceptFile { transfer });
            w.run();
            w.pass(Duration::from_secs(200));
            assert!(w.last(1).is_over(), "seed {seed}: {:?}", w.last(1));
            assert_eq!(w.sides[1].kept, matches!(w.last(1), TransferState::Done { .. }), "seed {seed}");
            assert!(!w.sides[1].kept || w.sides[1].came == content, "seed {seed}");
            // What the sender takes for arrived has arrived.
            assert!(w.sides[1].kept || !matches!(w.last(0), TransferState::Done { .. }), "seed {seed}");
        }
        assert!(w.last(0).is_over(), "seed {seed}: {:?}", w.last(0));
    }
}

#[test]
fn a_file_that_is_not_there_is_told_at_once() {
    let mut w = world(8);
    w.alice(Operation::SendFile { conversation: talk(), transfer: file(), path: "/nowhere".into() });
    w.sides[0].bench.beside.clear();
    let s = &mut w.sides[0];
    let news = FileNews::Failed("there is no file /nowhere".into());
    s.bench.call(&mut s.s, |s, ctx| s.on_file(ctx, &file(), news));
    let told = s.bench.events.iter().any(|e| matches!(e, Event::Completed { result: Err(e), .. } if e.text.contains("no file")));
    assert!(told && !s.bench.events.iter().any(|e| matches!(e, Event::Transfer(_))));
}
