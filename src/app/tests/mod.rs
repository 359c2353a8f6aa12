//! Reducer tests as triples: a sketch of the state, keys, the sketch that is expected.

mod alerts;
mod alone;
mod chaos;
mod contacts;
mod dialogs;
mod files;
mod invited;
mod kept;
mod limits;
mod meetings;
mod own;
mod places;
mod publishing;
mod recall;
mod roster;
mod series;
mod start;
mod talk;

use super::effect::StoreRequest;
use super::keymap::parse_key;
use super::state::{Account, AccountId, Entry, Overlay, Pane, Question, QuestionKind, Row, RowId, Tab, Thread, View};
use super::{Effect, Event, State, update};
use crate::domain::contact::{Contact, Group, GroupId};
use crate::domain::conversation::{
    Conversation, ConversationId, ConversationState, Delivery, InstantMessage, MessageId, TextFormat,
};
use crate::domain::presence::{Availability, Freshness, Presence};
use crate::domain::{Address, Rng, Time};
use crate::endpoint::{self, EndpointState, Error, Operation, OperationId, Outcome, Reason};
use jiff::tz::TimeZone;

/// Saturday 21 November 2026, 08:30 UTC.
pub const NOW: Time = Time(1_795_249_800_000);

/// A state under test, with its own clock and everything that came out of it.
pub struct Stage {
    pub state: State,
    pub now: Time,
    pub effects: Vec<Effect>,
}

pub fn a(user: &str) -> Address {
    Address::parse(&format!("{user}@contoso.example")).unwrap()
}

impl Stage {
    /// Signed in as Alice; nobody on the list.
    pub fn empty() -> Stage {
        let account =
            Account { id: AccountId("work".into()), address: Some(a("alice")), name: "Alice Adams".into(), ..Account::default() };
        let view = View { columns: 120, rows: 40, zone: TimeZone::UTC, now: NOW, ..View::default() };
        let mut stage = Stage { state: State::new(account, view, Rng::seeded(7)), now: NOW, effects: Vec::new() };
        stage.state.people.sort = crate::app::state::Sort::Status;
        stage.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
        stage.effects.clear();
        stage
    }

    /// Alice's list: Pinned (bob), Team (bob, carol, dan), and erin in no group.
    pub fn new() -> Stage {
        let mut stage = Stage::empty();
        let group = |id, name: &str| Group::new(GroupId(id), name);
        let contact = |user, name: &str, groups: &[u32]| Contact {
            name: name.into(),
            groups: groups.iter().map(|g| GroupId(*g)).collect(),
            ..Contact::new(a(user))
        };
        stage.says(endpoint::Event::ContactList {
            groups: vec![group(1, "~"), group(2, "Pinned"), group(3, "Team")],
            contacts: vec![
                contact("bob", "Bob Kelly", &[2, 3]),
                contact("carol", "Carol Diaz", &[3]),
                contact("dan", "", &[3]),
                contact("erin", "", &[]),
            ],
        });
        stage.presence("bob", Availability::BUSY);
        stage.presence("carol", Availability::AVAILABLE);
        stage.presence("dan", Availability::OFFLINE);
        stage.effects.clear();
        stage
    }

    pub fn event(&mut self, event: Event) {
        self.effects.extend(update(&mut self.state, self.now, event));
        self.state.settle();
    }

    pub fn says(&mut self, event: endpoint::Event) {
        let account = self.state.account.id.clone();
        self.event(Event::Endpoint { account, event });
    }

    pub fn presence(&mut self, user: &str, availability: Availability) {
        let presence =
            Presence { availability: Some(availability), freshness: Freshness::Known { at: self.now }, ..Presence::default() };
        self.says(endpoint::Event::Presence { uri: a(user), presence: Box::new(presence) });
    }

    /// Keys by name, text in quotes: `j Enter "hello there" Enter`.
    pub fn keys(&mut self, keys: &str) -> &mut Stage {
        let mut rest = keys.trim_start();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (text, after) = quoted.split_once('"').expect("closing quote");
                for c in text.chars() {
                    self.event(Event::Key(super::event::Key::char(c)));
                }
                rest = after.trim_start();
            } else {
                let (key, after) = rest.split_once(' ').unwrap_or((rest, ""));
                let key = parse_key(key).unwrap_or_else(|| panic!("no key: {key}"));
                self.event(Event::Key(key));
                rest = after.trim_start();
            }
        }
        self
    }

    /// The operations asked since the last look.
    pub fn asked(&mut self) -> Vec<Operation> {
        let out = self.operations().into_iter().map(|(_, o)| o).collect();
        self.effects.clear();
        out
    }

    pub fn operations(&self) -> Vec<(OperationId, Operation)> {
        let of = |e: &Effect| match e {
            Effect::Endpoint { id, operation, .. } => Some((*id, operation.clone())),
            _ => None,
        };
        self.effects.iter().filter_map(of).collect()
    }

    /// Ends the last operation asked.
    pub fn completes(&mut self, result: Result<Outcome, Error>) {
        let id = self.operations().last().expect("an operation").0;
        self.says(endpoint::Event::Completed { id, result });
    }

    /// Ends the operation asked last, though it was looked at already.
    pub fn finishes(&mut self, result: Result<Outcome, Error>) {
        let id = OperationId(self.state.last_operation);
        self.says(endpoint::Event::Completed { id, result });
    }

    pub fn conversation(&mut self, id: &str, with: &[&str], state: ConversationState) -> Conversation {
        let mut c = super::tabs::idle(ConversationId(id.into()), None, String::new());
        c.state = state;
        c.participants = with
            .iter()
            .map(|u| super::tabs::idle(ConversationId(String::new()), Some(&a(u)), String::new()).participants.remove(0))
            .collect();
        c
    }

    pub fn message(&mut self, conversation: &str, id: &str, from: &str, body: &str) {
        let state = if from == "alice" { Delivery::Sent } else { Delivery::Received };
        let message = InstantMessage {
            alone: None,
            id: MessageId(id.into()),
            author: a(from),
            at: self.now,
            body: body.into(),
            format: TextFormat::Plain,
            state,
        };
        self.says(endpoint::Event::Message { conversation: ConversationId(conversation.into()), message });
    }

    /// The id of the shown tab's conversation.
    pub fn current_id(&self) -> ConversationId {
        self.state.conversations.current().expect("a tab").conversation.id.clone()
    }

    /// The rows of People, the selected one with `>`, marked ones with `*`.
    pub fn people(&self) -> String {
        let people = &self.state.people;
        let row = |r: &Row| {
            let chosen = if people.selection.as_ref() == Some(&r.id()) { ">" } else { " " };
            match r {
                Row::Group { name, online, total, folded, .. } => {
                    format!("{chosen}{} {name} {online}/{total}", if *folded { "+" } else { "-" })
                }
                Row::List { name, folded, .. } => format!("{chosen}  {} {name}", if *folded { "+" } else { "-" }),
                Row::Contact { uri, .. } => {
                    format!("{chosen}{} {}", if people.marks.contains(uri) { "*" } else { " " }, uri.user())
                }
            }
        };
        people.rows.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    /// The tabs in one line, the shown one in brackets, unread counts behind.
    pub fn tabs(&self) -> String {
        let c = &self.state.conversations;
        let one = |(i, t): (usize, &Tab)| {
            let unread = if t.unread > 0 { format!("({})", t.unread) } else { String::new() };
            let text = format!("{}{unread}", self.state.title(t));
            if i == c.at { format!("[{text}]") } else { text }
        };
        c.tabs.iter().enumerate().map(one).collect::<Vec<_>>().join(" ")
    }

    /// The shown transcript: `name: text` with the state of own messages, `-- text` for notices, `---` for the unread line.
    pub fn transcript(&self) -> String {
        let Some(tab) = self.state.conversations.current() else { return String::new() };
        let mut out = Vec::new();
        for e in &tab.entries {
            if tab.unread_from.as_ref() == Some(e.id()) {
                out.push("---".to_owned());
            }
            let cursor = if tab.cursor.as_ref() == Some(e.id()) { ">" } else { "" };
            out.push(match e {
                Entry::Notice { text, .. } => format!("{cursor}-- {text}"),
                Entry::Transfer { transfer, .. } => format!("{cursor}== {}", crate::app::files::plain(&self.state, transfer)),
                Entry::Message { message, mention } => {
                    let mark = match &message.state {
                        Delivery::Queued => " …",
                        Delivery::Sent => " ✓",
                        Delivery::Delivered => " ✓✓",
                        Delivery::Failed(_) => " ✗",
                        Delivery::Received => "",
                    };
                    format!("{cursor}{}: {}{mark}{}", message.author.user(), message.body, if *mention { " !" } else { "" })
                }
            });
        }
        out.join("\n")
    }

    pub fn composer(&self) -> &str {
        self.state.conversations.current().map_or("", |t| t.composer.text())
    }

    pub fn toast(&self) -> &str {
        self.state.toast.as_ref().map_or("", |t| t.text.as_str())
    }
}

/// Lines without the indentation of the source.
pub fn sketch(text: &str) -> String {
    text.lines()
        .map(|l| l.trim_start().strip_prefix('|').unwrap_or("").to_owned())
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
