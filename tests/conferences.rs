//! Conferences of up to thirty endpoints, from seeds, on bad links: when the storm is over every roster is the focus's, and
//! every message was heard at most once, by those who were there all the time exactly once.
//!
//! `ADSUM_CONFERENCE_SEED=n` runs one seed, `ADSUM_CONFERENCE_SEEDS=n` the first n.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by failing

mod support;

use adsum::domain::conference::{AccessLevel, AutomaticLeaders, ConferenceSettings, Invitee};
use adsum::domain::conversation::{
    Conversation, ConversationId, ConversationState as S, Delivery, InstantMessage, MeetingChange, MessageId, Participant, Role,
    TextFormat,
};
use adsum::domain::{Address, Rng};
use adsum::endpoint::{EndpointState, JoinTarget, Operation, OperationId, Outcome};
use std::time::Duration;
use support::world::{FINE, Weather, World, address};

/// Seeds of one run.
const SEEDS: u64 = 6;
/// Deeds of one seed.
const DEEDS: u64 = 160;

struct Written {
    client: usize,
    conversation: ConversationId,
    message: MessageId,
    text: String,
    /// Who was in the chat then: with the number of breaks of their links, and by which conversation.
    hearers: Vec<(usize, u32, ConversationId)>,
}

struct Meeting {
    world: World,
    rng: Rng,
    focus: String,
    /// The conversation of each endpoint, and how many it has had.
    talks: Vec<(ConversationId, u32)>,
    written: Vec<Written>,
    asked: Vec<(usize, OperationId, String)>,
    log: Vec<String>,
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("p{i:02}")).collect()
}

impl Meeting {
    fn new(seed: u64) -> Meeting {
        let mut rng = Rng::seeded(seed);
        let people = 4 + usize::try_from(rng.below(27)).unwrap();
        let names = names(people);
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut world = World::new(seed, &all);
        world.wire_kept = 20;
        for name in &all {
            let i = world.endpoint(name);
            world.operate(i, Operation::SignIn);
        }
        world.settle();
        let levels = [AccessLevel::SameEnterprise, AccessLevel::Locked, AccessLevel::Invited, AccessLevel::Everyone];
        let leaders = [AutomaticLeaders::Disabled, AutomaticLeaders::SameEnterprise];
        let invited = (1..people / 2)
            .map(|i| Invitee { uri: address(&names[i]), role: if i % 3 == 0 { Role::Leader } else { Role::Attendee } });
        let settings = ConferenceSettings {
            subject: "Storm".into(),
            access: levels[usize::try_from(rng.below(4)).unwrap()],
            automatic_leaders: leaders[usize::try_from(rng.below(2)).unwrap()],
            participants: invited.collect(),
            ..ConferenceSettings::default()
        };
        let Ok(Outcome::Conference(c)) = world.done(0, Operation::ScheduleConference { settings }) else { panic!("no schedule") };
        let talks = (0..people).map(|i| (ConversationId(format!("c{i}-0")), 0)).collect();
        Meeting { world, rng, focus: c.uri, talks, written: Vec::new(), asked: Vec::new(), log: Vec::new() }
    }

    fn ask(&mut self, client: usize, operation: Operation) {
        let what = format!("{operation:?}");
        self.log.push(format!("{:>8} p{client:02} {what}", self.world.now.since(support::world::BEGIN).as_millis()));
        let id = self.world.operate(client, operation);
        self.asked.push((client, id, what));
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.rng.below(n as u64)).unwrap()
    }

    fn talk(&self, client: usize) -> Option<&Conversation> {
        self.world.view(client).conversations.get(&self.talks[client].0)
    }

    fn state(&self, client: usize) -> S {
        self.talk(client).map_or(S::Idle, |t| t.state)
    }

    fn join(&mut self, client: usize) {
        let n = self.talks[client].1 + 1;
        let id = ConversationId(format!("c{client}-{n}"));
        self.talks[client] = (id.clone(), n);
        let target = JoinTarget::Link(self.focus.clone());
        self.ask(client, Operation::JoinConference { id, target, passcode: None });
    }

    fn someone(&mut self, conversation: &Conversation) -> Option<Address> {
        let all = &conversation.participants;
        if all.is_empty() { None } else { Some(all[self.below(all.len())].uri.clone()) }
    }

    fn deed(&mut self) {
        let people = self.talks.len();
        let who = self.below(people);
        if self.rng.below(12) == 0 {
            return self.mishap(who);
        }
        let Some(t) = self.talk(who).cloned().filter(|t| matches!(t.state, S::Conferenced | S::InLobby)) else {
            if matches!(self.state(who), S::Idle | S::Terminated) {
                self.join(who);
            }
            return;
        };
        if t.state == S::InLobby {
            if self.rng.below(4) == 0 {
                self.ask(who, Operation::EndConversation { conversation: t.id });
            }
            return;
        }
        let conversation = t.id.clone();
        let Some(uri) = self.someone(&t) else { return self.say(who) };
        let flag = self.rng.below(2) == 0;
        let operation = match self.below(24) {
            0..10 => return self.say(who),
            10 => Operation::EndConversation { conversation },
            11 => Operation::Eject { conversation, uri },
            12 | 13 => Operation::SetRole { conversation, uri, role: if flag { Role::Leader } else { Role::Attendee } },
            14 => Operation::LockConference { conversation, locked: flag },
            15 => Operation::Mute { conversation, uri, muted: flag },
            16 => Operation::ChangeConference {
                conversation,
                change: MeetingChange { mute_all: Some(flag), self_unmute: Some(true), ..MeetingChange::default() },
            },
            17 => {
                let levels = [AccessLevel::SameEnterprise, AccessLevel::Invited, AccessLevel::Everyone, AccessLevel::Locked];
                let access = Some(levels[self.below(4)]);
                Operation::ChangeConference { conversation, change: MeetingChange { access, ..MeetingChange::default() } }
            }
            18 => Operation::ChangeConference {
                conversation,
                change: MeetingChange { recording: Some(flag), ..MeetingChange::default() },
            },
            _ => {
                let uris: Vec<Address> = t.participants.iter().filter(|p| p.in_lobby).map(|p| p.uri.clone()).collect();
                if uris.is_empty() {
                    return self.say(who);
                }
                Operation::Admit { conversation, uris, admit: self.rng.below(4) > 0 }
            }
        };
        self.ask(who, operation);
    }

    fn mishap(&mut self, who: usize) {
        match self.below(7) {
            6 => {
                self.log.push("the IM MCU dies".into());
                self.world.fail_im_mcu();
                // Everybody's way to it is gone: who is back later than a text does not hear it, as after a cut.
                self.world.clients.iter_mut().for_each(|c| c.breaks += 1);
            }
            0..3 => {
                self.log.push(format!("p{who:02} is cut off"));
                self.world.cut(who);
            }
            3 => {
                self.log.push("the front end crashes".into());
                self.world.crash();
            }
            _ => {
                let weather = [
                    FINE,
                    Weather { delay: (1, 300), pieces: 3, ..FINE },
                    Weather { delay: (1, 200), break_one_in: 80, refuse_one_in: 4, ..FINE },
                ];
                self.world.weather = weather[self.below(3)];
            }
        }
    }

    fn say(&mut self, client: usize) {
        let n = self.written.len();
        let (message, text) = (MessageId(format!("m{n}")), format!("text {n}"));
        let conversation = self.talks[client].0.clone();
        let me = self.world.clients[client].address.clone();
        let hearers = (0..self.talks.len()).filter(|i| *i != client && self.in_chat(*i) && self.in_chat(client));
        let hearers = hearers.map(|i| (i, self.world.clients[i].breaks, self.talks[i].0.clone())).collect();
        let written = InstantMessage {
            alone: None,
            id: message.clone(),
            author: me,
            at: self.world.now,
            body: text.clone(),
            format: TextFormat::Plain,
            state: Delivery::Queued,
        };
        self.world.clients[client].view.messages.entry(conversation.clone()).or_default().push(written);
        let (c, m, t) = (conversation.clone(), message.clone(), text.clone());
        self.written.push(Written { client, conversation, message, text, hearers });
        self.ask(client, Operation::SendMessage { conversation: c, message: m, text: t });
    }

    /// In the chat, as the server and the endpoint itself know.
    fn in_chat(&self, client: usize) -> bool {
        let me = &self.world.clients[client].address;
        let there = self.world.server.conferences();
        let seated = there.iter().flat_map(|a| &a.participants).any(|p| p.uri == *me && p.has_messages);
        seated
            && self.state(client) == S::Conferenced
            && self.world.clients[client].endpoint.state() == EndpointState::Established
    }

    fn run(&mut self) -> Vec<String> {
        for _ in 0..DEEDS {
            self.deed();
            let pause = [0, 5, 40, 400, 3000][self.below(5)];
            self.world.run(Duration::from_millis(pause));
        }
        self.world.weather = FINE;
        for _ in 0..3 {
            self.world.run(Duration::from_secs(75));
            for i in 0..self.talks.len() {
                if self.world.clients[i].endpoint.state() != EndpointState::Established {
                    self.ask(i, Operation::SignIn);
                }
            }
        }
        self.world.run(Duration::from_secs(20 * 60));
        let mut wrong = Vec::new();
        self.rosters(&mut wrong);
        self.messages(&mut wrong);
        for (client, id, what) in &self.asked {
            if self.world.result(*client, *id).is_none() {
                wrong.push(format!("p{client:02} never heard of {what}"));
            }
        }
        wrong
    }

    fn rosters(&self, wrong: &mut Vec<String>) {
        let all = self.world.server.conferences();
        let there = all.iter().find(|a| a.conference.uri == self.focus);
        for i in 0..self.talks.len() {
            let Some(t) = self.talk(i).filter(|t| matches!(t.state, S::Conferenced | S::InLobby)) else {
                if there.is_some_and(|a| a.participants.iter().any(|p| p.uri == self.world.clients[i].address)) {
                    wrong.push(format!("the focus counts p{i:02} in, who does not know"));
                }
                continue;
            };
            let Some(a) = there else {
                wrong.push(format!("p{i:02} is in a conference that is not there"));
                continue;
            };
            let me = &self.world.clients[i].address;
            let Some(mine) = a.participants.iter().find(|p| p.uri == *me) else {
                wrong.push(format!("p{i:02} believes to be in, the focus does not"));
                continue;
            };
            if mine.in_lobby != (t.state == S::InLobby) {
                wrong.push(format!("p{i:02}: lobby {} at the focus, {:?} here", mine.in_lobby, t.state));
            }
            if mine.in_lobby {
                continue;
            }
            let plain = |p: &Participant| Participant { typing: false, ..p.clone() };
            let mut known: Vec<Participant> = t.participants.iter().map(plain).collect();
            known.sort_by(|x, y| x.uri.cmp(&y.uri));
            let right: Vec<Participant> = a.participants.iter().filter(|p| p.uri != *me).map(plain).collect();
            if known != right {
                wrong.push(format!("roster of p{i:02}\n  is        {known:?}\n  should be {right:?}"));
            }
            let own = (t.my_role, t.locked, t.meeting.muted, t.meeting.recording);
            if own != (Some(mine.role), a.locked, mine.muted, mine.recording) {
                wrong.push(format!("p{i:02} itself: {own:?}, at the focus {mine:?} locked {}", a.locked));
            }
        }
    }

    fn messages(&self, wrong: &mut Vec<String>) {
        let times = |i: usize, text: &str| self.world.view(i).heard.iter().filter(|(_, m)| m.body == text).count();
        for w in &self.written {
            let all = &self.world.view(w.client).messages[&w.conversation];
            let state = all.iter().find(|m| m.id == w.message).map(|m| m.state.clone());
            for i in 0..self.talks.len() {
                if times(i, &w.text) > 1 {
                    wrong.push(format!("{} of p{:02} was heard {} times by p{i:02}", w.text, w.client, times(i, &w.text)));
                }
            }
            match state {
                Some(Delivery::Delivered) => {
                    for (i, breaks, talk) in &w.hearers {
                        let stayed = self.world.clients[*i].breaks == *breaks && self.talks[*i].0 == *talk;
                        if stayed && self.state(*i) == S::Conferenced && times(*i, &w.text) != 1 {
                            wrong.push(format!("{} of p{:02} did not reach p{i:02}", w.text, w.client));
                        }
                    }
                }
                Some(Delivery::Failed(_)) => {}
                _ if self.refused(w) => {}
                other => wrong.push(format!("{} of p{:02} ended as {other:?}", w.text, w.client)),
            }
        }
    }

    fn refused(&self, w: &Written) -> bool {
        let named = format!("MessageId(\"{}\")", w.message.0);
        let mut asked = self.asked.iter().filter(|a| a.0 == w.client && a.2.contains(&named));
        asked.any(|a| matches!(self.world.result(a.0, a.1), Some(Err(_))))
    }
}

#[test]
fn storms_over_conferences_leave_every_roster_right_and_no_message_twice() {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("ADSUM_CONFERENCE_SEED") {
        Some(one) => vec![one],
        None => (1..=number("ADSUM_CONFERENCE_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    for seed in seeds {
        let mut meeting = Meeting::new(seed);
        let wrong = meeting.run();
        assert!(wrong.is_empty(), "seed {seed}\n{}\n---\n{}", wrong.join("\n"), meeting.log.join("\n"));
    }
}
