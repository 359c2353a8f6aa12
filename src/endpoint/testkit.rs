//! A bench for one service in tests: gives it a context, keeps what it sends and says.

use super::service::{Action, Ctx, Handled, Identity, InternalEvent, Reply, Service, ServiceId, Token};
use super::{Beside, Error, Event, Operation, OperationId, Outcome, WebAnswer, WebRequest};
use crate::domain::{Address, Rng, Time};
use crate::sip::{Method, Request, Response};
use std::time::Duration;

pub(crate) struct Bench {
    pub now: Time,
    rng: Rng,
    pub me: Identity,
    pub online: bool,
    service: ServiceId,
    next_token: u64,
    next_operation: u64,
    pub sent: Vec<(Token, Request)>,
    pub events: Vec<Event>,
    pub told: Vec<InternalEvent>,
    pub answers: Vec<Response>,
    pub web: Vec<(Token, WebRequest)>,
    pub beside: Vec<Beside>,
}

impl Bench {
    /// Alice of the guide, signed in at 1000 s.
    pub fn new(service: ServiceId) -> Bench {
        let me = Identity {
            uri: Address::parse("sip:alice@contoso.com").unwrap(),
            display_name: "Alice".into(),
            epid: "6c801b691b".into(),
            instance: "b143f5ff-8f08-50a3-b656-3cfc251b5b28".into(),
            contact: "sip:alice@contoso.com;opaque=user:epid:__VDsQiPo1C2Vjz8JRtbKAAA;gruu".into(),
            sent_by: "192.0.2.10:50001".into(),
            transport: crate::sip::Transport::Tls,
            user_agent: "adsum/test".into(),
            routes: Vec::new(),
            events: None,
            machine_name: "HOST1".into(),
            utc_offset_minutes: 60,
            publish: true,
            talks: true,
            custom_statuses: Vec::new(),
            lcid: crate::domain::presence::LCID_EN_US,
            server: None,
        };
        Bench {
            now: Time(1_000_000),
            rng: Rng::seeded(1),
            me,
            online: true,
            service,
            next_token: 0,
            next_operation: 0,
            sent: Vec::new(),
            events: Vec::new(),
            told: Vec::new(),
            answers: Vec::new(),
            web: Vec::new(),
            beside: Vec::new(),
        }
    }

    pub fn call<S: Service, R>(&mut self, s: &mut S, f: impl FnOnce(&mut S, &mut Ctx<'_>) -> R) -> R {
        let mut actions = Vec::new();
        let mut ctx = Ctx {
            now: self.now,
            rng: &mut self.rng,
            me: &self.me,
            service: self.service,
            online: self.online,
            actions: &mut actions,
            next_token: &mut self.next_token,
        };
        let r = f(s, &mut ctx);
        for action in actions {
            match action {
                Action::Send { token, request, .. } => self.sent.push((token, request)),
                Action::Web(_, token, request) => self.web.push((token, request)),
                Action::SendStateless(request) => self.sent.push((Token(0), request)),
                Action::Emit(event) => self.events.push(event),
                Action::Internal(_, event) => self.told.push(event),
                Action::Respond(_, response) => self.answers.push(response),
                Action::Beside(beside) => self.beside.push(beside),
                Action::Cancel(..) | Action::Note(_) => {}
            }
        }
        r
    }

    /// Starts an operation.
    pub fn operate<S: Service>(&mut self, s: &mut S, operation: Operation) -> OperationId {
        self.next_operation += 1;
        let id = OperationId(self.next_operation);
        assert!(self.call(s, |s, ctx| s.on_operation(ctx, id, &operation)), "not taken: {operation:?}");
        id
    }

    /// The next request that was sent.
    pub fn request(&mut self) -> (Token, Request) {
        assert!(!self.sent.is_empty(), "nothing was sent");
        self.sent.remove(0)
    }

    /// Answers a request; headers as `Name: value` lines.
    pub fn answer<S: Service>(&mut self, s: &mut S, sent: &(Token, Request), status: u16, headers: &str, body: &str) {
        let mut response = sent.1.response(status, "srv1");
        for line in headers.lines().filter(|l| !l.trim().is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            response.headers.push(name.trim(), value.trim());
        }
        response.body = body.as_bytes().to_vec();
        self.call(s, |s, ctx| s.on_reply(ctx, sent.0, Reply::Response(response)));
    }

    /// The next HTTP request, as method, path and body.
    pub fn web(&mut self) -> (Token, WebRequest) {
        assert!(!self.web.is_empty(), "nothing was asked over HTTP");
        self.web.remove(0)
    }

    /// Answers an HTTP request.
    pub fn answer_web<S: Service>(&mut self, s: &mut S, asked: &(Token, WebRequest), status: u16, etag: &str, body: &str) {
        let headers = if etag.is_empty() { Vec::new() } else { vec![("ETag".to_owned(), etag.to_owned())] };
        let answer = WebAnswer { status, headers, body: body.into() };
        self.call(s, |s, ctx| s.on_web(ctx, asked.0, Ok(answer)));
    }

    /// A BENOTIFY in the dialog that `subscribe` began.
    pub fn notify<S: Service>(&mut self, s: &mut S, subscribe: &Request, content_type: &str, body: &str) {
        let uri = crate::sip::Uri::parse(&self.me.contact).unwrap();
        let mut r = Request::new(Method::Benotify, uri);
        r.headers
            .push("To", subscribe.headers.get(&"From".into()).unwrap())
            .push("From", "<sip:alice@contoso.com>;tag=srv1")
            .push("Call-ID", subscribe.headers.call_id())
            .push("CSeq", "2 BENOTIFY")
            .push("Event", subscribe.headers.get(&"Event".into()).unwrap())
            .push("subscription-state", "active;expires=28800")
            .push("Content-Type", content_type);
        r.body = body.as_bytes().to_vec();
        let handled = self.call(s, |s, ctx| s.on_request(ctx, None, r));
        assert!(matches!(handled, Handled::Yes));
    }

    /// Lets time pass, firing the service's timers.
    pub fn pass<S: Service>(&mut self, s: &mut S, time: Duration) {
        let end = self.now + time;
        while let Some(at) = s.poll_timeout().filter(|t| *t <= end) {
            self.now = at.max(self.now);
            self.call(s, |s, ctx| s.on_timeout(ctx));
        }
        self.now = end;
    }

    /// Events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The result of an operation, if it has ended; it must have ended at most once.
    pub fn result(&self, id: OperationId) -> Option<Result<Outcome, Error>> {
        let mut ended = self.events.iter().filter_map(|e| match e {
            Event::Completed { id: i, result } if *i == id => Some(result.clone()),
            _ => None,
        });
        let first = ended.next();
        assert!(ended.next().is_none(), "completed twice");
        first
    }
}
