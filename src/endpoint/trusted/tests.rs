//! The recovery policies of `domain.md` 4.2 and the rows of 3.1, as scripts on a virtual clock.

use crate::domain::{Address, Rng, Time};
use crate::endpoint::config::EndpointKind;
use crate::endpoint::user::{Config, Output, UserEndpoint};
use crate::endpoint::{EndpointState as S, Error, ErrorKind, Event, Operation, OperationId, Reason};
use crate::sip::framing::{Frame, Framer};
use crate::sip::{Message, Request};
use std::time::Duration;

const START: Time = Time(1_000_000);

/// An endpoint without a network: the script says what the network does.
struct Script {
    now: Time,
    endpoint: UserEndpoint,
    framer: Framer,
    sent: Vec<Request>,
    connects: Vec<(u64, String)>,
    states: Vec<(S, Reason)>,
    done: Vec<(u64, Result<(), ErrorKind>)>,
    closed: bool,
}

fn script(kind: EndpointKind, hosts: &[&str], seed: u64) -> Script {
    let mut config = Config::new(Address::parse("echo@contoso.com").unwrap(), "secret");
    config.kind = kind;
    config.host = hosts[0].to_owned();
    config.others = hosts[1..].iter().map(|h| ((*h).to_owned(), 5061)).collect();
    config.trace = false;
    let endpoint = UserEndpoint::new(config, Rng::seeded(seed));
    let (sent, connects, states, done) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Script { now: START, endpoint, framer: Framer::new(), sent, connects, states, done, closed: false }
}

impl Script {
    fn operate(&mut self, id: u64, operation: Operation) {
        self.endpoint.operate(self.now, OperationId(id), operation);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Connect { host, .. } => self.connects.push((self.now.since(START).as_millis() as u64, host)),
                Output::Send(bytes) => self.framer.push(&bytes),
                Output::Close => self.closed = true,
                Output::Trace(_)
                | Output::Beside(_)
                | Output::Web(_)
                | Output::Locate { .. }
                | Output::SendAside { .. }
                | Output::CloseAside => {}
            }
        }
        while let Some(Ok(frame)) = self.framer.next() {
            if let Frame::Message(m) = frame
                && let Message::Request(r) = *m
            {
                self.sent.push(r);
            }
        }
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::State { state, reason, .. } => self.states.push((state, reason)),
                Event::Completed { id, result } => self.done.push((id.0, result.map(|_| ()).map_err(|e| e.kind))),
                _ => {}
            }
        }
    }

    fn connected(&mut self) {
        self.endpoint.handle_connected(self.now, "192.0.2.1:40000".into());
        self.drain();
    }

    fn refused(&mut self) {
        self.endpoint.handle_connect_failed(self.now, Error::new(ErrorKind::ConnectionFailed, "nobody there"));
        self.drain();
    }

    fn cut(&mut self) {
        self.endpoint.handle_disconnected(self.now, "cut".into());
        self.drain();
    }

    fn answer(&mut self, status: u16) {
        let request = self.sent.pop().expect("a request to answer");
        let response = request.response(status, "fe").with("Contact", "<sip:echo@contoso.com;opaque=srvr:adsum:1;gruu>");
        self.endpoint.handle_bytes(self.now, &Message::Response(response).to_bytes());
        self.drain();
    }

    /// Lets time pass; whoever connects is refused.
    fn pass_refusing(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.endpoint.poll_timeout().filter(|t| *t <= end) {
            self.now = at.max(self.now);
            let before = self.connects.len();
            self.endpoint.handle_timeout(self.now);
            self.drain();
            while self.connects.len() > before && self.is_connecting() {
                let n = self.connects.len();
                self.refused();
                if self.connects.len() == n {
                    break;
                }
            }
        }
        self.now = end;
    }

    fn is_connecting(&self) -> bool {
        matches!(self.endpoint.state(), S::Establishing | S::Reestablishing | S::Idle | S::Draining)
    }

    /// Lets time pass up to and including the next timer.
    fn tick(&mut self) {
        if let Some(at) = self.endpoint.poll_timeout() {
            self.now = at.max(self.now);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
    }

    fn states(&mut self) -> Vec<S> {
        std::mem::take(&mut self.states).into_iter().map(|s| s.0).collect()
    }

    fn up(kind: EndpointKind, hosts: &[&str], seed: u64) -> Script {
        let mut s = script(kind, hosts, seed);
        s.operate(1, Operation::SignIn);
        s.connected();
        s.answer(200);
        assert_eq!(s.states(), [S::Establishing, S::Established]);
        assert_eq!(s.done, [(1, Ok(()))]);
        s.connects.clear();
        s
    }
}

#[test]
fn an_application_that_no_front_end_takes_is_idle_again_after_all_were_tried() {
    let mut s = script(EndpointKind::Application, &["a", "b", "c"], 3);
    s.operate(1, Operation::SignIn);
    for _ in 0..3 {
        s.refused();
    }
    let mut hosts: Vec<String> = s.connects.iter().map(|c| c.1.clone()).collect();
    hosts.sort();
    assert_eq!(hosts, ["a", "b", "c"]);
    assert_eq!(s.states(), [S::Establishing, S::Idle]);
    assert_eq!(s.done, [(1, Err(ErrorKind::ConnectionFailed))]);
    assert_eq!(s.endpoint.poll_timeout(), None);
}

#[test]
fn an_application_comes_back_for_as_long_as_it_takes_with_growing_waits() {
    let mut s = Script::up(EndpointKind::Application, &["a"], 1);
    s.cut();
    assert_eq!(s.states(), [S::Reestablishing]);
    s.pass_refusing(Duration::from_secs(24 * 3600));
    let waits: Vec<u64> =
        std::iter::once(0).chain(s.connects.iter().map(|c| c.0)).collect::<Vec<_>>().windows(2).map(|w| w[1] - w[0]).collect();
    for (wait, least) in waits.iter().zip([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
        assert!((least..=least * 12 / 10).contains(wait), "{wait} for {least}");
    }
    assert!(s.connects.len() > 24 * 3600 / 72, "it never gives up: {}", s.connects.len());
    s.states();
    while s.connects.last().is_none_or(|c| START + Duration::from_millis(c.0) < s.now) {
        s.tick();
    }
    s.connected();
    s.answer(200);
    assert_eq!(s.states.last(), Some(&(S::Established, Reason::RegistrationRefreshSucceeded)));
}

#[test]
fn an_application_goes_to_another_front_end_and_the_dead_one_rests_ten_minutes() {
    let mut s = Script::up(EndpointKind::Application, &["a", "b"], 7);
    let first = s.endpoint_host();
    s.cut();
    s.tick();
    let second = s.connects.last().unwrap().1.clone();
    assert_ne!(first, second);
    s.connected();
    s.answer(200);
    // The second dies before the first has rested: it is tried all the same, since every front end has failed by then.
    s.cut();
    s.tick();
    assert_eq!(s.connects.last().unwrap().1, first);
}

impl Script {
    /// Where an endpoint that is up came up: what a fresh one from the same seed would choose first.
    fn endpoint_host(&self) -> String {
        let mut again = script(EndpointKind::Application, &["a", "b"], 7);
        again.operate(1, Operation::SignIn);
        again.connects[0].1.clone()
    }
}

#[test]
fn a_user_tries_its_registrar_then_the_others_once_and_then_ends() {
    let mut s = Script::up(EndpointKind::User, &["a", "b", "c"], 1);
    s.cut();
    s.refused();
    s.refused();
    s.refused();
    assert_eq!(s.connects, [(0, "a".into()), (0, "b".into()), (0, "c".into())]);
    assert_eq!(s.states(), [S::Reestablishing, S::Terminating, S::Terminated]);
    assert_eq!(s.endpoint.poll_timeout(), None);
}

#[test]
fn a_user_fails_over_to_another_front_end() {
    let mut s = Script::up(EndpointKind::User, &["a", "b"], 1);
    s.cut();
    s.refused();
    s.connected();
    s.answer(200);
    assert_eq!(s.connects.last().unwrap().1, "b");
    assert_eq!(s.states.last(), Some(&(S::Established, Reason::RegistrationRefreshSucceeded)));
}

#[test]
fn a_front_end_that_is_there_but_silent_is_noticed_by_the_probe() {
    let mut s = Script::up(EndpointKind::Application, &["a", "b"], 7);
    s.sent.clear();
    while s.sent.is_empty() {
        s.tick();
    }
    assert_eq!(s.sent[0].method, crate::sip::Method::Options);
    while s.endpoint.state() == S::Established {
        s.tick();
    }
    assert!(s.closed);
    assert_eq!(s.states(), [S::Reestablishing]);
}

#[test]
fn an_application_that_is_not_trusted_hears_what_to_do_and_one_that_was_removed_ends() {
    let mut s = script(EndpointKind::Application, &["a", "b"], 1);
    s.operate(1, Operation::SignIn);
    s.connected();
    s.answer(403);
    assert_eq!(s.done, [(1, Err(ErrorKind::AuthenticationFailed))]);
    let Some((S::Idle, Reason::Failed(e))) = s.states.pop() else { panic!("{:?}", s.states) };
    assert!(e.text.contains("adsum trust add echo@contoso.com"), "{}", e.text);

    let mut s = Script::up(EndpointKind::Application, &["a"], 1);
    s.cut();
    s.tick();
    s.connected();
    s.answer(403);
    assert_eq!(s.states.last(), Some(&(S::Terminated, Reason::OwnerDisabledOrRemoved)));
}

#[test]
fn draining_with_nothing_to_finish_ends_at_once_in_every_state_that_allows_it() {
    let mut s = script(EndpointKind::Application, &["a"], 1);
    s.operate(1, Operation::Drain);
    assert_eq!(s.done, [(1, Err(ErrorKind::InvalidOperation))]);

    let mut s = Script::up(EndpointKind::Application, &["a"], 1);
    s.operate(2, Operation::Drain);
    assert_eq!(s.states(), [S::Draining, S::Terminating]);
    s.answer(200);
    assert_eq!(s.states(), [S::Terminated]);
    assert_eq!(s.done.last(), Some(&(2, Ok(()))));

    let mut s = Script::up(EndpointKind::Application, &["a"], 1);
    s.cut();
    s.operate(2, Operation::Drain);
    assert_eq!(s.states(), [S::Reestablishing, S::Draining, S::Terminating, S::Terminated]);
    assert_eq!(s.done.last(), Some(&(2, Ok(()))));
    assert_eq!(s.endpoint.poll_timeout(), None);
}

#[test]
fn contacts_and_own_presence_are_refused_and_a_user_neither_drains_nor_impersonates() {
    let refused = |kind, operation| {
        let mut s = Script::up(kind, &["a"], 1);
        s.operate(9, operation);
        s.done.contains(&(9, Err(ErrorKind::InvalidOperation)))
    };
    let who = Address::parse("bob@contoso.com").unwrap();
    for operation in [
        Operation::RefreshContacts,
        Operation::DeleteContact { uri: who.clone() },
        Operation::ResetStatus,
        Operation::SetNote { note: None },
        Operation::AcknowledgeSubscriber { uri: who.clone() },
    ] {
        assert!(refused(EndpointKind::Application, operation.clone()), "{operation:?}");
    }
    let conversation = crate::domain::conversation::ConversationId("c".into());
    let impersonate = Operation::Impersonate { conversation, uri: who, name: String::new(), phone: String::new() };
    assert!(refused(EndpointKind::User, Operation::Drain));
    assert!(refused(EndpointKind::User, impersonate));
}
