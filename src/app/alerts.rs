//! Alerts: being told when somebody, or the first of a group, becomes available, stays so, goes offline or changes, with
//! something done at that moment. They are kept in the store; a restart in between loses none.
//!
//! An alert is armed while its condition does not hold, and fires when it then does. What is not known (no link, nothing
//! told yet) neither arms nor fires it.

use super::door::{Door, Pending};
use super::effect::{Effect, StoreRequest};
use super::limits::{ALERTS, CHAT_NOT_WHILE_TYPING, QUIET_MINUTES};
use super::state::{State, Thread, ToastKind};
use super::{sending, tabs};
use crate::domain::contact::GroupId;
use crate::domain::presence::{AvailabilityClass, Freshness, Level, Member};
use crate::domain::watching::{Standing, ViewId};
use crate::domain::{Address, Time};
use crate::endpoint::Operation;
use crate::endpoint::published::{self, AlertOptions, WhenDoNotDisturb};
use serde::{Deserialize, Serialize};

/// For whom somebody waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// One person.
    Person(Address),
    /// The first of a group.
    Group(GroupId),
}

/// For what somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// Becomes available.
    Available,
    /// Has been available for two minutes.
    Quiet,
    /// Goes offline.
    Offline,
    /// Any other state than before.
    Changes,
}

/// What is done then, besides telling it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Nothing more.
    Notify,
    /// The conversation is opened.
    OpenChat,
    /// This text is sent.
    Send(String),
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number, from 1.
    pub id: u64,
    /// For whom.
    pub whom: Whom,
    /// For what.
    pub when: When,
    /// What is done.
    pub act: Act,
    /// It is over when it has fired.
    pub once: bool,
    /// The condition did not hold when it was looked at last.
    armed: bool,
    /// The state that was seen last, by its text ([`When::Changes`]).
    #[serde(default)]
    seen: String,
    /// Available since ([`When::Quiet`]).
    #[serde(skip)]
    since: Option<Time>,
}

/// All alerts of the account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerts {
    /// In the order they were made.
    pub list: Vec<Alert>,
}

/// What is known of the condition of an alert.
struct Seen {
    holds: bool,
    /// Who makes it hold.
    who: Option<Address>,
}

impl When {
    /// As it is told: `becomes available`.
    pub fn words(self) -> &'static str {
        match self {
            When::Available => "becomes available",
            When::Quiet => "is available for two quiet minutes",
            When::Offline => "goes offline",
            When::Changes => "changes status",
        }
    }
}

/// The state of somebody, if it is known now.
fn class(state: &State, who: &Address) -> Option<AvailabilityClass> {
    let p = state.people.presence.get(who).filter(|p| matches!(p.freshness, Freshness::Known { .. }))?;
    p.availability.map(|a| a.class()).filter(|_| state.link.is_up())
}

/// Whether somebody's state is known, or never will be.
fn is_known(state: &State, who: &Address) -> bool {
    let told = state.people.standing.get(who).is_none_or(|s| matches!(s, Standing::Told | Standing::Polled { .. }));
    let comes = told && state.people.contacts.get(who).is_some_and(|c| c.subscribed);
    !comes || state.people.presence.get(who).is_some_and(|p| matches!(p.freshness, Freshness::Known { .. }))
}

impl Alert {
    fn look(&mut self, state: &State) -> Option<Seen> {
        match self.whom.clone() {
            Whom::Person(who) => self.look_at(state, who),
            Whom::Group(group) if state.link.is_up() => {
                let member = |uri: &&Address| state.people.contacts.get(*uri).is_some_and(|c| c.groups.contains(&group));
                let members = || state.people.contacts.keys().filter(member);
                let who = members().find(|u| class(state, u) == Some(AvailabilityClass::Available)).cloned();
                // Before all are known nobody can say that none is available.
                (who.is_some() || members().all(|u| is_known(state, u))).then_some(Seen { holds: who.is_some(), who })
            }
            Whom::Group(_) => None,
        }
    }

    fn look_at(&mut self, state: &State, who: Address) -> Option<Seen> {
        let Some(class) = class(state, &who) else {
            self.since = None;
            return None;
        };
        let available = class == AvailabilityClass::Available;
        let holds = match self.when {
            When::Available => available,
            When::Offline => class == AvailabilityClass::Offline,
            When::Quiet => {
                self.since = available.then(|| self.since.unwrap_or(state.view.now));
                self.since.is_some_and(|t| state.view.now >= t + QUIET_MINUTES)
            }
            When::Changes => {
                let before = std::mem::replace(&mut self.seen, class.text().to_owned());
                self.armed = true;
                !before.is_empty() && before != class.text()
            }
        };
        Some(Seen { holds, who: Some(who) })
    }
}

/// Looks at all alerts; called after every event.
pub fn watch(door: &mut Door<'_>) {
    if door.state.alerts.list.is_empty() || silenced(door.state) {
        return;
    }
    let mut list = std::mem::take(&mut door.state.alerts.list);
    let before: Vec<(u64, bool, String)> = list.iter().map(|a| (a.id, a.armed, a.seen.clone())).collect();
    let mut due = Vec::new();
    for alert in &mut list {
        let Some(seen) = alert.look(door.state) else { continue };
        if seen.holds && alert.armed {
            due.extend(seen.who.map(|who| (alert.clone(), who)));
        }
        alert.armed = !seen.holds;
    }
    list.retain(|a| !(a.once && due.iter().any(|(d, _)| d.id == a.id)));
    let changed = before != list.iter().map(|a| (a.id, a.armed, a.seen.clone())).collect::<Vec<_>>();
    door.state.alerts.list = list;
    for (alert, who) in due {
        fire(door, &alert, &who);
    }
    if changed {
        keep(door);
    }
}

/// When [`watch`] wants to be called though nothing happens.
pub fn deadline(state: &State) -> Option<Time> {
    let quiet = state.alerts.list.iter().filter(|a| a.armed).filter_map(|a| a.since);
    quiet.map(|t| t + QUIET_MINUTES).filter(|t| *t > state.view.now).min()
}

fn fire(door: &mut Door<'_>, alert: &Alert, who: &Address) {
    if let (Whom::Person(_), true) = (&alert.whom, alert.once) {
        unwatch(door, who);
    }
    let name = door.name(who);
    let now = class(door.state, who).map_or("unknown", AvailabilityClass::text).to_lowercase();
    let text = match (&alert.whom, alert.when) {
        (Whom::Group(g), _) => format!("{name} of {} is available", super::people::group_name(&door.state.people, *g)),
        (_, When::Quiet) => format!("{name} has been available for two minutes"),
        _ => format!("{name} is now {now}"),
    };
    let done = match &alert.act {
        Act::Notify => String::new(),
        Act::OpenChat => open_chat(door, who),
        Act::Send(words) => send(door, who, words),
    };
    if door.state.options.bell {
        door.effects.push(Effect::Bell);
    }
    if door.state.options.notify && !door.state.view.focused {
        door.effects.push(Effect::Notify { title: text.clone(), body: done.clone() });
    }
    let text = if done.is_empty() { text } else { format!("{text}: {done}") };
    door.toast(ToastKind::Info, text, Vec::new(), Vec::new());
}

/// Opens the conversation, but takes the keys from nobody who is writing.
fn open_chat(door: &mut Door<'_>, who: &Address) -> String {
    let typing = door.state.last_input.is_some_and(|t| door.now.since(t) < CHAT_NOT_WHILE_TYPING);
    let writing = door.state.conversations.current().is_some_and(|t| !t.composer.is_empty());
    if typing || writing || !door.state.overlays.is_empty() {
        tabs::tab_of(door, Thread::Person(who.clone()), None);
        return "the conversation is open".into();
    }
    match tabs::open_person(door, who) {
        Ok(()) => String::new(),
        Err(why) => why,
    }
}

fn send(door: &mut Door<'_>, who: &Address, text: &str) -> String {
    let shown = door.state.conversations.current().map(|t| t.conversation.id.clone());
    let at = tabs::tab_of(door, Thread::Person(who.clone()), None);
    let before = std::mem::replace(&mut door.state.conversations.at, at);
    let said = sending::say(door, text);
    let back = shown.and_then(|id| door.state.conversations.find(&id));
    door.state.conversations.at = back.unwrap_or(before);
    match said {
        Ok(()) => "your message was sent".into(),
        Err(why) => why,
    }
}

/// Makes an alert; what is the case already is said at once.
pub fn add(door: &mut Door<'_>, whom: Whom, when: When, act: Act, once: bool) -> Result<(), String> {
    if door.state.alerts.list.len() >= ALERTS {
        return Err(format!("there are {ALERTS} alerts already; cancel one first"));
    }
    let id = door.state.alerts.list.iter().map(|a| a.id).max().unwrap_or(0) + 1;
    let mut alert = Alert { id, whom, when, act, once, armed: true, seen: String::new(), since: None };
    let holds = alert.look(door.state).is_some_and(|s| s.holds);
    alert.armed = !holds;
    if let Whom::Person(who) = &alert.whom {
        door.ask_quietly(Operation::Watch { view: ViewId::alerts(), uris: vec![who.clone()] });
    }
    let text = format!("You will be told when {}{}", describe(door.state, &alert), if holds { " again" } else { "" });
    door.state.alerts.list.push(alert);
    door.say(text);
    keep(door);
    Ok(())
}

/// Takes an alert back; a prepared text goes back into its composer.
pub fn cancel(door: &mut Door<'_>, id: u64) {
    let Some(at) = door.state.alerts.list.iter().position(|a| a.id == id) else { return };
    let alert = door.state.alerts.list.remove(at);
    if let Whom::Person(who) = &alert.whom {
        unwatch(door, who);
        if let Act::Send(text) = &alert.act {
            let at = tabs::tab_of(door, Thread::Person(who.clone()), None);
            let tab = &mut door.state.conversations.tabs[at];
            if tab.composer.is_empty() {
                tab.composer.set(text);
                tab.draft_changed = Some(door.now);
            }
        }
    }
    let text = format!("You will not be told when {}", describe(door.state, &alert));
    door.say(text);
    keep(door);
}

/// What was kept by an earlier run.
pub fn restore(door: &mut Door<'_>, list: Vec<Alert>) {
    let people = list.iter().filter_map(|a| match &a.whom {
        Whom::Person(who) => Some(who.clone()),
        Whom::Group(_) => None,
    });
    let people: Vec<Address> = people.collect();
    if !people.is_empty() {
        door.ask_quietly(Operation::Watch { view: ViewId::alerts(), uris: people });
    }
    door.state.alerts.list = list.into_iter().take(ALERTS).collect();
}

fn unwatch(door: &mut Door<'_>, who: &Address) {
    door.ask(Operation::Unwatch { view: ViewId::alerts(), uris: vec![who.clone()] }, Pending::new(""));
}

fn keep(door: &mut Door<'_>) {
    door.store(StoreRequest::SaveAlerts(door.state.alerts.list.clone()));
}

/// Whether an alert waits for this person.
pub fn waits_for(state: &State, who: &Address) -> bool {
    state.alerts.list.iter().any(|a| matches!(&a.whom, Whom::Person(w) if w == who))
}

/// `Bob Kelly goes offline`, `the first of Support becomes available`; raw.
pub fn describe(state: &State, alert: &Alert) -> String {
    match &alert.whom {
        Whom::Person(who) => format!("{} {}", state.name(who), alert.when.words()),
        Whom::Group(g) => format!("the first of {} {}", super::people::group_name(&state.people, *g), alert.when.words()),
    }
}

/// `once, opens the conversation`; raw.
pub fn remark(alert: &Alert) -> String {
    let act = match &alert.act {
        Act::Notify => "tells you".to_owned(),
        Act::OpenChat => "opens the conversation".to_owned(),
        Act::Send(text) => format!("sends “{text}”"),
    };
    format!("{}, {act}", if alert.once { "once" } else { "every time" })
}

/// What I published about alerts; `None`: nothing.
pub fn options(state: &State) -> Option<AlertOptions> {
    published::alert_options(&state.own.replica)
}

fn in_do_not_disturb(state: &State) -> bool {
    state.account.availability.is_some_and(|a| a.class() == AvailabilityClass::DoNotDisturb)
}

/// Whether Do Not Disturb keeps alerts about presence back: they are no conversations (`domain.md` 5.9).
fn silenced(state: &State) -> bool {
    in_do_not_disturb(state) && options(state).is_none_or(|o| o.when_do_not_disturb != WhenDoNotDisturb::All)
}

/// Whether somebody's message or invitation may ring (`domain.md` 5.9). Who has published nothing is reached by pinned people.
pub fn may_ring(state: &State, from: &Address, pinned: bool) -> bool {
    if !in_do_not_disturb(state) {
        return true;
    }
    match options(state).map(|o| o.when_do_not_disturb) {
        Some(WhenDoNotDisturb::All) => true,
        Some(WhenDoNotDisturb::FromWorkgroup) => in_workgroup(state, from),
        Some(WhenDoNotDisturb::None) => false,
        None => pinned,
    }
}

fn in_workgroup(state: &State, who: &Address) -> bool {
    let workgroup = Level::Workgroup.container();
    let container = state.own.replica.containers.iter().find(|c| c.id == workgroup);
    container.is_some_and(|c| c.members.iter().any(|m| matches!(m, Member::User(u) if u == who)))
}

/// Whether the first words of an invitation may be shown (`domain.md` 5.9).
pub fn shows_text(state: &State) -> bool {
    options(state).is_none_or(|o| o.message_text)
}

/// Whether somebody who put me on a list is announced (`domain.md` 5.9).
pub fn shows_additions(state: &State) -> bool {
    options(state).is_none_or(|o| o.additions)
}
