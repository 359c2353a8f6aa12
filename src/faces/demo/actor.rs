//! One of the cast: hears the events of an endpoint and decides what to do, on a clock and a seed that are handed in.

use super::script::{Mood, Person, Scene, Script};
use crate::domain::contact::AddOptions;
use crate::domain::conversation::{ConversationId, ConversationState, MessageId};
use crate::domain::presence::{Note, Phone, UserStatus};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::{EndpointState, Event, Operation};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// Something planned.
#[derive(Clone, Debug)]
enum Plan {
    Do(Operation),
    Scene(Scene),
    Mood,
}

/// One of the cast.
#[derive(Debug)]
pub struct Actor {
    person: Person,
    domain: String,
    star: Address,
    rng: Rng,
    plans: BTreeMap<(Time, u64), Plan>,
    counter: u64,
    dressed: bool,
    greeted: HashSet<ConversationId>,
    people: HashMap<ConversationId, usize>,
    with_star: Option<ConversationId>,
    mood: usize,
}

impl Actor {
    /// Somebody of `script`, who plays for the person at the screen.
    pub fn new(person: &Person, script: &Script, star: Address, start: Time, mut rng: Rng) -> Actor {
        let mut actor = Actor {
            person: person.clone(),
            domain: script.domain.clone(),
            star,
            plans: BTreeMap::new(),
            counter: 0,
            dressed: false,
            greeted: HashSet::new(),
            people: HashMap::new(),
            with_star: None,
            mood: 0,
            rng: rng.fork(),
        };
        for scene in script.scene.iter().filter(|s| s.who == person.id) {
            let at = start + Duration::from_secs(scene.at) + actor.jitter(1500);
            actor.plan(at, Plan::Scene(scene.clone()));
        }
        let first = actor.mood_pause();
        actor.plan(start + Duration::from_secs(120) + first, Plan::Mood);
        actor
    }

    /// Address of somebody in the play.
    fn address(&self, id: &str) -> Option<Address> {
        Address::parse(&format!("{id}@{}", self.domain)).ok()
    }

    /// When [`Actor::on_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.plans.first_key_value().map(|(k, _)| k.0)
    }

    /// Does what is due.
    pub fn on_timeout(&mut self, now: Time) -> Vec<Operation> {
        let mut out = Vec::new();
        while let Some(entry) = self.plans.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                Plan::Do(op) => out.push(op),
                Plan::Scene(scene) => out.extend(self.play(now, &scene)),
                Plan::Mood => out.extend(self.wander(now)),
            }
        }
        out
    }

    /// Hears what the endpoint says.
    pub fn on_event(&mut self, now: Time, event: &Event) -> Vec<Operation> {
        match event {
            Event::State { state: EndpointState::Established, .. } if !self.dressed => self.dress(),
            Event::SelfPresence(me) => {
                let new = me.subscribers.iter().filter(|s| !s.acknowledged);
                new.map(|s| Operation::AcknowledgeSubscriber { uri: s.uri.clone() }).collect()
            }
            Event::Conversation(c) => {
                self.people.insert(c.id.clone(), c.participants.len());
                match c.state {
                    ConversationState::Incoming => vec![Operation::Accept { conversation: c.id.clone() }],
                    ConversationState::Conferenced if self.greeted.insert(c.id.clone()) => {
                        self.greet(now, &c.id);
                        Vec::new()
                    }
                    ConversationState::Terminated | ConversationState::Idle => {
                        self.people.remove(&c.id);
                        Vec::new()
                    }
                    _ => Vec::new(),
                }
            }
            Event::Message { conversation, message } => {
                self.answer(now, conversation, &message.author, &message.body);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn dress(&mut self) -> Vec<Operation> {
        self.dressed = true;
        let mut out = vec![status(self.person.status, &self.person.activity)];
        if !self.person.note.is_empty() {
            out.push(note(&self.person.note));
        }
        if !self.person.phone.is_empty() {
            let phone = self.person.phone.clone();
            out.push(Operation::SetPhones {
                phones: vec![Phone { kind: "mobile".into(), uri: format!("tel:{phone}"), display: phone }],
            });
        }
        out
    }

    fn play(&mut self, now: Time, scene: &Scene) -> Vec<Operation> {
        let mut out = Vec::new();
        if let Some(mood) = scene.status {
            out.push(status(mood, ""));
        }
        if let Some(text) = &scene.note {
            out.push(note(text));
        }
        if scene.add {
            out.push(Operation::AddContact {
                uri: self.star.clone(),
                name: String::new(),
                groups: Vec::new(),
                options: AddOptions::default(),
            });
        }
        if let Some(text) = &scene.say {
            let id = match self.with_star.clone() {
                Some(id) if self.people.contains_key(&id) => id,
                _ => {
                    let id = self.conversation();
                    out.push(Operation::StartConversation { id: id.clone(), with: self.star.clone(), subject: String::new() });
                    self.with_star = Some(id.clone());
                    id
                }
            };
            self.type_and_say(now, &id, text.clone());
        }
        if let Some(subject) = &scene.meet {
            let mut invite: Vec<Address> = scene.invite.iter().filter_map(|p| self.address(p)).collect();
            invite.insert(0, self.star.clone());
            out.push(Operation::MeetNow { id: self.conversation(), subject: subject.clone(), invite });
        }
        out
    }

    fn wander(&mut self, now: Time) -> Vec<Operation> {
        let pause = self.mood_pause();
        self.plan(now + pause, Plan::Mood);
        if self.person.moods.is_empty() {
            return Vec::new();
        }
        self.mood = (self.mood + 1) % self.person.moods.len();
        let mood = self.person.moods[self.mood];
        let words = if mood == self.person.status { self.person.activity.clone() } else { String::new() };
        vec![status(mood, &words)]
    }

    fn greet(&mut self, now: Time, id: &ConversationId) {
        if let Some(text) = self.pick(&self.person.meets.clone()) {
            let wait = Duration::from_secs(2) + self.jitter(6000);
            self.type_and_say(now + wait, id, text);
        }
    }

    fn answer(&mut self, now: Time, id: &ConversationId, author: &Address, text: &str) {
        // In company only the person at the screen is answered, and not by everybody; otherwise the cast would chat for ever.
        let crowd = self.people.get(id).is_some_and(|n| *n > 1);
        let lower = text.to_lowercase();
        let named = lower.contains(&self.person.id) || lower.contains(&self.person.name.to_lowercase());
        if *author != self.star || (crowd && !named && self.rng.below(2) == 0) {
            return;
        }
        if !crowd {
            self.with_star = Some(id.clone());
        }
        let known = self.person.answers.iter().find(|a| a.on.iter().any(|w| lower.contains(w.as_str())));
        let lines = known.map_or_else(|| self.person.says.clone(), |a| a.say.clone());
        if let Some(line) = self.pick(&lines) {
            let read = Duration::from_millis(900) + self.jitter(1600);
            self.type_and_say(now + read, id, line);
        }
    }

    /// Types as long as the text deserves, then sends it.
    fn type_and_say(&mut self, from: Time, id: &ConversationId, text: String) {
        self.counter += 1;
        let message = MessageId(format!("{}-{}-{}", self.person.id, from.0, self.counter));
        let typing = Duration::from_millis(800 + 35 * text.chars().count() as u64);
        self.plan(from, Plan::Do(Operation::Typing { conversation: id.clone(), active: true }));
        self.plan(from + typing, Plan::Do(Operation::SendMessage { conversation: id.clone(), message, text }));
    }

    fn plan(&mut self, at: Time, plan: Plan) {
        self.counter += 1;
        self.plans.insert((at, self.counter), plan);
    }

    fn conversation(&mut self) -> ConversationId {
        ConversationId(self.rng.hex(24))
    }

    fn pick(&mut self, lines: &[String]) -> Option<String> {
        lines.get(self.rng.below(lines.len() as u64) as usize).cloned()
    }

    fn jitter(&mut self, ms: u64) -> Duration {
        Duration::from_millis(self.rng.below(ms))
    }

    fn mood_pause(&mut self) -> Duration {
        Duration::from_secs(45) + self.jitter(90_000)
    }
}

fn status(mood: Mood, activity: &str) -> Operation {
    let status = match mood {
        Mood::Available => UserStatus::Available,
        Mood::Busy => UserStatus::Busy,
        Mood::Dnd => UserStatus::DoNotDisturb,
        Mood::Brb => UserStatus::BeRightBack,
        Mood::Away => UserStatus::Away,
        Mood::Offline => UserStatus::AppearOffline,
    };
    Operation::SetStatus { status, activity: activity.to_owned(), until: None }
}

fn note(text: &str) -> Operation {
    Operation::SetNote { note: Some(Note { text: text.to_owned(), out_of_office: false, start: None, end: None }) }
}
