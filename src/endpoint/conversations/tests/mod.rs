//! Scripts for the service: literal messages, a virtual clock, every answer written down.

mod conference;
mod context;
mod escalation;
mod incoming;
mod recovery;
mod two_party;

use super::Conversations;
use crate::domain::conversation::{Conversation, ConversationId, ConversationState, Delivery, InstantMessage, MessageId};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::service::{Action, Ctx, Handled, Identity, InternalEvent, Reply, Service, ServiceId, Token};
use crate::endpoint::{Error, Event, Operation, OperationId, Outcome};
use crate::sip::{Message, Request, Response, ServerTx};
use std::collections::VecDeque;
use std::time::Duration;

pub(super) const BOB: &str = "<sip:bob@contoso.com>;tag=b0b;epid=6b2f90aa13";
const GRUU: &str = "sip:alice@contoso.com;opaque=user:epid:__VDsQiPo1C2Vjz8JRtbKAAA;gruu";

/// Alice's service on a bench.
pub(super) struct Rig {
    pub s: Conversations,
    pub now: Time,
    rng: Rng,
    me: Identity,
    pub online: bool,
    next_token: u64,
    next_tx: u64,
    next_op: u64,
    pub sent: VecDeque<(Token, Request)>,
    pub acks: VecDeque<Request>,
    pub cancelled: Vec<Token>,
    pub answers: VecDeque<(ServerTx, Response)>,
    pub events: VecDeque<Event>,
}

pub(super) fn who(name: &str) -> Address {
    Address::parse(&format!("{name}@contoso.com")).unwrap()
}

pub(super) fn talk() -> ConversationId {
    ConversationId("c1".into())
}

impl Rig {
    pub fn new() -> Rig {
        let me = Identity {
            uri: who("alice"),
            display_name: "Alice".into(),
            epid: "6c801b691b".into(),
            instance: "b143f5ff-8f08-50a3-b656-3cfc251b5b28".into(),
            contact: GRUU.into(),
            sent_by: "192.0.2.10:50001".into(),
            transport: crate::sip::Transport::Tls,
            user_agent: "adsum/test".into(),
            routes: Vec::new(),
            events: None,
            machine_name: "HOST1".into(),
            utc_offset_minutes: 60,
            talks: true,
            publish: true,
            custom_statuses: Vec::new(),
            lcid: crate::domain::presence::LCID_EN_US,
            server: None,
        };
        Rig {
            s: Conversations::default(),
            now: Time(1_000_000),
            rng: Rng::seeded(7),
            me,
            online: true,
            next_token: 0,
            next_tx: 0,
            next_op: 0,
            sent: VecDeque::new(),
            acks: VecDeque::new(),
            cancelled: Vec::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// With several own endpoints.
    pub fn with_devices(n: usize) -> Rig {
        let mut rig = Rig::new();
        rig.most_active_of(n, false);
        rig
    }

    /// Among `n` own endpoints this is the most active, or it is not.
    pub fn most_active_of(&mut self, count: usize, most_active: bool) {
        self.call(|s, ctx| s.on_internal(ctx, &InternalEvent::OwnDevices { count, most_active }));
    }

    pub fn call<R>(&mut self, f: impl FnOnce(&mut Conversations, &mut Ctx<'_>) -> R) -> R {
        let mut actions = Vec::new();
        let mut ctx = Ctx {
            now: self.now,
            rng: &mut self.rng,
            me: &self.me,
            service: ServiceId::Conversations,
            online: self.online,
            actions: &mut actions,
            next_token: &mut self.next_token,
        };
        let r = f(&mut self.s, &mut ctx);
        for action in actions {
            match action {
                Action::Send { token, request, .. } => self.sent.push_back((token, request)),
                Action::SendStateless(request) => self.acks.push_back(request),
                Action::Cancel(_, token) => self.cancelled.push(token),
                Action::Respond(tx, response) => self.answers.push_back((tx, response)),
                Action::Emit(event) => self.events.push_back(event),
                Action::Internal(..) | Action::Web(..) | Action::Beside(_) | Action::Note(_) => {}
            }
        }
        r
    }

    pub fn op(&mut self, operation: Operation) -> OperationId {
        self.next_op += 1;
        let id = OperationId(self.next_op);
        assert!(self.call(|s, ctx| s.on_operation(ctx, id, &operation)), "not taken: {operation:?}");
        id
    }

    /// An operation that is done at once.
    pub fn done(&mut self, operation: Operation) {
        let id = self.op(operation);
        assert_eq!(self.result(id), Some(Ok(Outcome::Done)));
    }

    pub fn result(&mut self, id: OperationId) -> Option<Result<Outcome, Error>> {
        let at = self.events.iter().position(|e| matches!(e, Event::Completed { id: i, .. } if *i == id))?;
        match self.events.remove(at) {
            Some(Event::Completed { result, .. }) => Some(result),
            _ => None,
        }
    }

    pub fn start(&mut self, with: &str) {
        self.done(Operation::StartConversation { id: talk(), with: who(with), subject: String::new() });
    }

    pub fn say(&mut self, n: u32, text: &str) {
        let (conversation, message) = (talk(), MessageId(n.to_string()));
        self.done(Operation::SendMessage { conversation, message, text: text.into() });
    }

    /// The next request sent; its method and target must be these.
    pub fn sends(&mut self, start: &str) -> (Token, Request) {
        let (token, request) = self.sent.pop_front().unwrap_or_else(|| panic!("nothing sent, wanted {start}"));
        let line = format!("{} {}", request.method, request.uri);
        assert!(line.starts_with(start), "sent {line}, wanted {start}");
        (token, request)
    }

    pub fn acks(&mut self) -> Request {
        self.acks.pop_front().expect("no ACK")
    }

    /// Answers one of our requests; `head` are further header lines.
    pub fn reply(&mut self, sent: &(Token, Request), status: u16, head: &str, body: &str) {
        let mut r = sent.1.response(status, "srv");
        for line in head.lines().filter(|l| !l.trim().is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            r.headers.push(name.trim(), value.trim());
        }
        r.body = body.into();
        self.call(|s, ctx| s.on_reply(ctx, sent.0, Reply::Response(r)));
    }

    pub fn ok(&mut self, sent: &(Token, Request)) {
        let contact = format!("Contact: <{}>", sent.1.uri);
        self.reply(sent, 200, &contact, "");
    }

    pub fn fails(&mut self, sent: &(Token, Request), reply: Reply) {
        self.call(|s, ctx| s.on_reply(ctx, sent.0, reply));
    }

    /// Takes a request literally: LF for line ends, the length is filled in.
    pub fn receive(&mut self, text: &str) -> ServerTx {
        let (handled, tx) = self.offer(text);
        assert!(matches!(handled, Handled::Yes), "not taken: {text}");
        tx
    }

    pub fn offer(&mut self, text: &str) -> (Handled, ServerTx) {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let head: Vec<&str> = head.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let body = body.replace('\n', "\r\n");
        let via = "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKx\r\nMax-Forwards: 70";
        let raw = format!("{}\r\n{via}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len());
        let Message::Request(request) = Message::parse(raw.as_bytes()).unwrap_or_else(|e| panic!("{e}: {raw}")) else { panic!() };
        self.next_tx += 1;
        let tx = ServerTx(self.next_tx);
        let answered = !matches!(request.method.as_str(), "ACK" | "BENOTIFY");
        (self.call(|s, ctx| s.on_request(ctx, answered.then_some(tx), request)), tx)
    }

    /// A request of the other side in a dialog that we began with `invite`.
    pub fn in_dialog(&mut self, method: &str, invite: &Request, head: &str, body: &str) -> ServerTx {
        let from = invite.headers.get(&"To".into()).unwrap();
        let to = invite.headers.get(&"From".into()).unwrap();
        let call = invite.headers.call_id();
        self.receive(&format!(
            "{method} {GRUU} SIP/2.0\nFrom: {from};tag=srv\nTo: {to}\nCall-ID: {call}\nCSeq: 7 {method}\n{head}\n\n{body}"
        ))
    }

    /// The answer given to a request.
    pub fn answered(&mut self, tx: ServerTx) -> Response {
        let at = self.answers.iter().position(|a| a.0 == tx).unwrap_or_else(|| panic!("{tx:?} has no answer"));
        self.answers.remove(at).unwrap().1
    }

    pub fn cancel(&mut self, tx: ServerTx, reason: &str) {
        let mut cancel = Request::new(crate::sip::Method::Cancel, crate::sip::Uri::parse(GRUU).unwrap());
        if !reason.is_empty() {
            cancel.headers.push("Reason", reason);
        }
        self.call(|s, ctx| s.on_cancel(ctx, tx, &cancel));
    }

    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.s.poll_timeout().filter(|t| *t <= end) {
            assert!(at > self.now || self.s.poll_timeout().is_some(), "a timer that is never done");
            self.now = at.max(self.now);
            self.call(|s, ctx| s.on_timeout(ctx));
        }
        self.now = end;
    }

    pub fn link_lost(&mut self) {
        let waiting: Vec<Token> = self.sent.drain(..).map(|s| s.0).collect();
        self.online = false;
        for token in waiting {
            self.call(|s, ctx| s.on_reply(ctx, token, Reply::LinkLost));
        }
        self.call(|s, ctx| s.on_offline(ctx));
    }

    pub fn back_online(&mut self) {
        self.online = true;
        self.call(|s, ctx| s.on_online(ctx));
    }

    /// The last word on the conversation; everything about it until now is taken.
    pub fn view(&mut self) -> Conversation {
        let mut last = None;
        self.events.retain(|e| match e {
            Event::Conversation(c) => {
                last = Some((**c).clone());
                false
            }
            _ => true,
        });
        last.expect("nothing was said about a conversation")
    }

    pub fn state(&mut self) -> ConversationState {
        self.view().state
    }

    /// How our messages got on since the last call.
    pub fn deliveries(&mut self) -> Vec<(String, Delivery)> {
        let mut out = Vec::new();
        self.events.retain(|e| match e {
            Event::MessageState { message, state, .. } => {
                out.push((message.0.clone(), state.clone()));
                false
            }
            _ => true,
        });
        out
    }

    /// What others wrote since the last call.
    pub fn messages(&mut self) -> Vec<InstantMessage> {
        let mut out = Vec::new();
        self.events.retain(|e| match e {
            Event::Message { message, .. } => {
                out.push(message.clone());
                false
            }
            _ => true,
        });
        out
    }

    /// A conversation with bob that stands; gives back our INVITE.
    pub fn established(&mut self) -> Request {
        self.start("bob");
        self.say(0, "hi");
        let invite = self.sends("INVITE sip:bob@contoso.com");
        self.ok(&invite);
        self.acks();
        let message = self.sends("MESSAGE");
        self.ok(&message);
        assert_eq!(self.state(), ConversationState::Established);
        self.deliveries();
        invite.1
    }
}

pub(super) fn failed(n: u32, state: &(String, Delivery)) -> String {
    match state {
        (id, Delivery::Failed(why)) if *id == n.to_string() => why.clone(),
        other => panic!("{n} has not failed: {other:?}"),
    }
}

pub(super) fn tell(n: u32, state: Delivery) -> (String, Delivery) {
    (n.to_string(), state)
}
