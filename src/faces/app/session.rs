//! One attachment of a script to an endpoint: what is known, what is asked, what waits. Pure, like the protocol.

use super::limits::{MAX_ENDED, MAX_OUTPUT, MAX_OUTSTANDING, MAX_WAITS};
use super::protocol::{self, Line, Request};
use crate::domain::conversation::{Conversation, ConversationId, ConversationState};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::{EndpointState, Error, ErrorKind, Event, Operation, OperationId};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Operations of the program's own; their answers are nobody's.
pub const OWN: OperationId = OperationId(0);

struct Wait {
    id: Value,
    pattern: Value,
    until: Option<Time>,
}

/// What the script and the endpoint say to each other.
pub struct Session {
    me: Address,
    rng: Rng,
    state: EndpointState,
    gruu: Option<String>,
    conversations: BTreeMap<ConversationId, Conversation>,
    ended: VecDeque<ConversationId>,
    outstanding: BTreeMap<OperationId, (Value, Map<String, Value>)>,
    waits: Vec<Wait>,
    next: u64,
    output: VecDeque<String>,
    lost: u64,
}

impl Session {
    /// Attached; the first line out is the snapshot.
    pub fn new(me: Address, rng: Rng) -> Session {
        let mut session = Session {
            me,
            rng,
            state: EndpointState::Idle,
            gruu: None,
            conversations: BTreeMap::new(),
            ended: VecDeque::new(),
            outstanding: BTreeMap::new(),
            waits: Vec::new(),
            next: OWN.0,
            output: VecDeque::new(),
            lost: 0,
        };
        let mut first = session.snapshot();
        if let Value::Object(map) = &mut first {
            map.insert("event".into(), "snapshot".into());
        }
        session.say(&first);
        session
    }

    /// Where the endpoint stands.
    pub fn state(&self) -> EndpointState {
        self.state
    }

    /// Whether more lines can be taken: the reader keeps up, and answers to earlier lines come.
    pub fn is_ready(&self) -> bool {
        self.output.len() < MAX_OUTPUT
    }

    /// The next line out.
    pub fn poll_line(&mut self) -> Option<String> {
        let line = self.output.pop_front();
        if self.output.is_empty() && self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            self.say(&json!({ "event": "lost", "count": lost }));
        }
        line
    }

    /// Whether lines wait to go out.
    pub fn has_lines(&self) -> bool {
        !self.output.is_empty()
    }

    /// A line came in. Gives what is to be done.
    pub fn on_line(&mut self, now: Time, text: &str) -> Option<(OperationId, Operation)> {
        if text.trim().is_empty() {
            return None;
        }
        let rng = &mut self.rng;
        let Line { id, request } = protocol::read(text, || rng.hex(16));
        match request {
            Err(error) => self.answer(&id, Map::new(), Err(error)),
            Ok(Request::Snapshot) => {
                let snapshot = self.snapshot();
                self.answer(&id, Map::new(), Ok(snapshot));
            }
            Ok(Request::Wait(..)) if self.waits.len() >= MAX_WAITS => {
                self.answer(&id, Map::new(), Err(busy("too many waits at once; let one end first")));
            }
            Ok(Request::Wait(pattern, timeout)) => {
                let until = timeout.map(|ms| now + Duration::from_millis(ms));
                self.waits.push(Wait { id, pattern, until });
            }
            Ok(Request::Operate(..)) if self.outstanding.len() >= MAX_OUTSTANDING => {
                self.answer(&id, Map::new(), Err(busy("too many requests have no answer yet; wait for some")));
            }
            Ok(Request::Operate(operation, named)) => {
                self.next += 1;
                let op = OperationId(self.next);
                self.outstanding.insert(op, (id, named));
                return Some((op, *operation));
            }
        }
        None
    }

    /// A line that was too long was skipped.
    pub fn on_long_line(&mut self) {
        let text = format!("a line was longer than {} octets and was skipped", super::limits::MAX_LINE);
        self.answer(&Value::Null, Map::new(), Err(Error::new(ErrorKind::Parsing, text)));
    }

    /// The endpoint spoke.
    pub fn on_event(&mut self, event: &Event) {
        match event {
            Event::Completed { id, result } => {
                if let Some((id, named)) = self.outstanding.remove(id) {
                    let result = result.as_ref().map(protocol::outcome).map_err(Clone::clone);
                    self.answer(&id, named, result);
                }
                return;
            }
            Event::State { state, .. } => self.state = *state,
            Event::SignedIn { gruu, .. } => self.gruu = Some(gruu.clone()),
            Event::Conversation(c) => self.keep(c),
            _ => {}
        }
        let line = protocol::event(event);
        self.tell(&line);
        let (met, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waits).into_iter().partition(|w| protocol::fits(&w.pattern, &line));
        self.waits = rest;
        for wait in met {
            self.answer(&wait.id, Map::new(), Ok(line.clone()));
        }
    }

    fn keep(&mut self, c: &Conversation) {
        self.ended.retain(|id| *id != c.id);
        if c.state == ConversationState::Terminated {
            self.ended.push_back(c.id.clone());
        }
        self.conversations.insert(c.id.clone(), c.clone());
        while self.ended.len() > MAX_ENDED {
            if let Some(old) = self.ended.pop_front() {
                self.conversations.remove(&old);
            }
        }
    }

    /// Waits that are over.
    pub fn on_time(&mut self, now: Time) {
        let (over, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waits).into_iter().partition(|w| w.until.is_some_and(|t| t <= now));
        self.waits = rest;
        for wait in over {
            let error = Error::new(ErrorKind::Timeout, "no such event came in time");
            self.answer(&wait.id, Map::new(), Err(error));
        }
    }

    /// When to call [`Session::on_time`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.waits.iter().filter_map(|w| w.until).min()
    }

    /// The program ends: what still waits is answered.
    pub fn close(&mut self) {
        let error = || Error::new(ErrorKind::OperationFailed, "the endpoint has ended");
        for wait in std::mem::take(&mut self.waits) {
            self.answer(&wait.id, Map::new(), Err(error()));
        }
        for (_, (id, named)) in std::mem::take(&mut self.outstanding) {
            self.answer(&id, named, Err(error()));
        }
    }

    fn snapshot(&self) -> Value {
        json!({
            "protocol": 1,
            "version": env!("CARGO_PKG_VERSION"),
            "address": self.me,
            "gruu": self.gruu,
            "state": self.state,
            "conversations": self.conversations.values().collect::<Vec<_>>(),
        })
    }

    fn answer(&mut self, id: &Value, named: Map<String, Value>, result: Result<Value, Error>) {
        self.say(&protocol::answer(id, named, result));
    }

    /// An event; when nobody reads it is counted instead of kept.
    fn tell(&mut self, line: &Value) {
        if self.output.len() >= MAX_OUTPUT {
            self.lost += 1;
        } else {
            self.say(line);
        }
    }

    fn say(&mut self, line: &Value) {
        self.output.push_back(line.to_string());
    }
}

fn busy(text: &str) -> Error {
    Error::new(ErrorKind::Retryable, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Outcome, Reason};

    fn session() -> Session {
        let mut s = Session::new(Address::parse("echo@contoso.com").unwrap(), Rng::seeded(1));
        assert!(s.poll_line().unwrap().contains("\"event\":\"snapshot\""));
        s
    }

    fn lines(s: &mut Session) -> Vec<Value> {
        std::iter::from_fn(|| s.poll_line()).map(|l| serde_json::from_str(&l).unwrap()).collect()
    }

    #[test]
    fn an_answer_carries_the_senders_name_of_the_request() {
        let mut s = session();
        let (op, _) =
            s.on_line(Time(0), r#"{"id":"a7","op":"start_conversation","conversation":"c","with":"b@contoso.com"}"#).unwrap();
        s.on_event(&Event::Completed { id: op, result: Ok(Outcome::Done) });
        assert_eq!(lines(&mut s), [json!({"id": "a7", "ok": true, "conversation": "c"})]);
        s.on_event(&Event::Completed { id: op, result: Ok(Outcome::Done) });
        s.on_event(&Event::Completed { id: OWN, result: Ok(Outcome::Done) });
        assert!(lines(&mut s).is_empty());
    }

    #[test]
    fn a_wait_ends_with_the_event_or_with_its_time() {
        let mut s = session();
        s.on_line(Time(0), r#"{"id":1,"op":"wait","for":{"event":"state","state":"Established"}}"#);
        s.on_line(Time(0), r#"{"id":2,"op":"wait","for":{"event":"never"},"timeout_ms":50}"#);
        s.on_event(&Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
        let said = lines(&mut s);
        assert_eq!((said[0]["event"].as_str(), said[1]["id"].as_u64()), (Some("state"), Some(1)));
        assert_eq!(s.poll_timeout(), Some(Time(50)));
        s.on_time(Time(49));
        assert!(lines(&mut s).is_empty());
        s.on_time(Time(50));
        assert_eq!(lines(&mut s)[0]["error"]["kind"], "Timeout");
    }

    #[test]
    fn a_reader_that_does_not_read_loses_events_but_no_answers_and_hears_how_many() {
        let mut s = session();
        for _ in 0..MAX_OUTPUT + 7 {
            s.on_event(&Event::Notice("x".into()));
        }
        assert!(!s.is_ready());
        s.on_line(Time(0), r#"{"id":3,"op":"snapshot"}"#);
        let said = lines(&mut s);
        assert_eq!(said.len(), MAX_OUTPUT + 2);
        assert_eq!(said[MAX_OUTPUT]["id"], 3);
        assert_eq!(said[MAX_OUTPUT + 1], json!({"event": "lost", "count": 7}));
        assert!(s.is_ready());
    }

    #[test]
    fn too_many_requests_are_refused_and_the_end_answers_all() {
        let mut s = session();
        for _ in 0..MAX_OUTSTANDING {
            assert!(s.on_line(Time(0), r#"{"op":"list_conferences"}"#).is_some());
        }
        assert!(s.on_line(Time(0), r#"{"id":9,"op":"list_conferences"}"#).is_none());
        assert_eq!(lines(&mut s)[0]["error"]["kind"], "Retryable");
        s.close();
        assert_eq!(lines(&mut s).len(), MAX_OUTSTANDING);
    }
}
