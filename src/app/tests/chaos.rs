//! Any keys, any words of the endpoint, in any order: nothing panics and the state stays sound.

use super::*;
use crate::app::event::{Key, KeyCode, StoreReply};
use crate::app::keymap::{DEFAULTS, bindings_of};
use crate::app::state::Metrics;
use std::time::Duration;

struct Play {
    stage: Stage,
    dice: Rng,
    keys: Vec<Key>,
}

impl Play {
    fn new(seed: u64) -> Play {
        let quits = ["quit", "suspend"];
        let bound = bindings_of(DEFAULTS).unwrap().into_iter().filter(|b| !quits.contains(&b.command.as_str()));
        let mut keys: Vec<Key> = bound.flat_map(|b| b.keys.split(' ').filter_map(parse_key).collect::<Vec<_>>()).collect();
        keys.extend("abc@:/ 19é漢👍\u{301}".chars().map(Key::char));
        keys.push(Key::plain(KeyCode::Enter));
        keys.sort();
        keys.dedup();
        Play { stage: Stage::new(), dice: Rng::seeded(seed), keys }
    }

    fn roll(&mut self, n: u64) -> u64 {
        self.dice.below(n)
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(len as u64)).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.index(from.len())]
    }

    fn step(&mut self) {
        self.stage.now = self.stage.now + Duration::from_millis(self.dice.below(3000));
        match self.roll(10) {
            0..=5 => {
                let at = self.index(self.keys.len());
                let key = self.keys[at];
                self.stage.event(Event::Key(key));
            }
            6 => self.completion(),
            7 => self.endpoint(),
            8 => self.talk(),
            _ => self.outside(),
        }
        self.check();
    }

    /// Ends some operation, well or badly.
    fn completion(&mut self) {
        let open: Vec<OperationId> = self.stage.state.pending.keys().copied().collect();
        if open.is_empty() {
            return;
        }
        let id = open[self.index(open.len())];
        let result = match self.roll(4) {
            0 => Err(Error::new(endpoint::ErrorKind::Timeout, "nobody answered")),
            1 => Ok(Outcome::Group(GroupId(9))),
            2 => Ok(Outcome::Found(Vec::new())),
            _ => Ok(Outcome::Done),
        };
        self.stage.says(endpoint::Event::Completed { id, result });
    }

    fn endpoint(&mut self) {
        let who = self.pick(&["bob", "carol", "dan", "erin", "frank"]);
        match self.roll(7) {
            0 => self.stage.says(endpoint::Event::ContactRemoved(a(who))),
            1 => self.stage.says(endpoint::Event::ContactChanged(Contact { groups: vec![GroupId(3)], ..Contact::new(a(who)) })),
            2 => self.stage.says(endpoint::Event::GroupRemoved(GroupId(2))),
            3 => {
                let g = Group::new(GroupId(2), "Pinned");
                self.stage.says(endpoint::Event::GroupChanged(g));
            }
            4 => self.stage.says(endpoint::Event::State {
                state: EndpointState::Reestablishing,
                reason: Reason::None,
                retry_at: None,
            }),
            5 => self.stage.says(endpoint::Event::State {
                state: EndpointState::Established,
                reason: Reason::None,
                retry_at: None,
            }),
            _ => {
                let number = u32::try_from(self.roll(19_000)).unwrap();
                self.stage.presence(who, Availability(number));
            }
        }
    }

    fn talk(&mut self) {
        use ConversationState as S;
        let states =
            [S::Idle, S::Incoming, S::Establishing, S::Established, S::Conferencing, S::InLobby, S::Conferenced, S::Terminated];
        let who = self.pick(&["bob", "carol", "frank"]);
        let known: Vec<String> = self.stage.state.conversations.tabs.iter().map(|t| t.conversation.id.0.clone()).collect();
        let id = match self.roll(3) {
            0 if !known.is_empty() => known[self.index(known.len())].clone(),
            _ => self.pick(&["c1", "c2", "c3"]).to_owned(),
        };
        if self.roll(2) == 0 {
            let n = self.roll(60).to_string();
            return self.stage.message(&id, &n, who, "some @alice words");
        }
        let state = states[self.index(8)];
        let mut c = self.stage.conversation(&id, &[who], state);
        if state == S::Incoming {
            let invitation = crate::domain::conversation::Invitation {
                from: a(who),
                toast: String::new(),
                auto_accept: None,
                conference: false,
                priority: Default::default(),
            };
            c.invitation = Some(invitation);
        }
        if self.roll(3) == 0 {
            c.focus = Some(format!("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:{id}"));
        }
        self.stage.says(endpoint::Event::Conversation(Box::new(c)));
    }

    fn outside(&mut self) {
        match self.roll(6) {
            0 => {
                let (w, h) = (u16::try_from(self.roll(200)).unwrap(), u16::try_from(self.roll(60)).unwrap());
                self.stage.event(Event::Resize(w, h));
            }
            1 => self.stage.event(Event::Paste("a\r\nb\u{7}".into())),
            2 => {
                let focused = self.roll(2) == 0;
                self.stage.event(Event::Focus(focused));
            }
            3 => self.stage.state.measured(Metrics { at_top: true, overlay_rows: 5, overlay_max: 3, ..Metrics::default() }),
            4 => {
                let thread = "sip:bob@contoso.example".to_owned();
                self.stage.event(Event::Store(StoreReply::History { thread, messages: Vec::new(), more: true }));
            }
            _ => {
                self.stage.now = self.stage.state.next_deadline().unwrap();
                self.stage.event(Event::Tick);
                assert!(self.stage.state.next_deadline().unwrap() > self.stage.now, "a deadline that has passed wakes for ever");
            }
        }
    }

    fn check(&mut self) {
        let state = &mut self.stage.state;
        let c = &state.conversations;
        assert!(c.at < c.tabs.len().max(1));
        for (i, t) in c.tabs.iter().enumerate() {
            assert!(c.tabs.iter().skip(i + 1).all(|o| o.thread != t.thread), "two tabs of {:?}", t.thread);
            assert!(t.composer.text().is_char_boundary(t.composer.cursor()));
            assert!(t.mentions <= t.unread);
        }
        let people = &state.people;
        let selected = people.selection.as_ref().is_none_or(|id| people.rows.iter().any(|r| r.id() == *id));
        assert!(selected, "{:?} is not among the rows", people.selection);
        assert!(people.rows.is_empty() || people.selection.is_some());
        state.editor_mut();
        if self.dice.below(8) == 0 {
            crate::app::help::hints(state);
        }
    }
}

#[test]
fn nothing_breaks_whatever_happens() {
    for seed in 0..40 {
        let mut play = Play::new(seed);
        for _ in 0..400 {
            play.step();
        }
    }
}
