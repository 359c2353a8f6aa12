//! Being told when somebody becomes available, goes offline, or changes.

use super::Command;
use crate::app::alerts::{self, Act, When, Whom};
use crate::app::door::Door;
use crate::app::keymap::Mode;
use crate::app::state::overlay::{Choice, Overlay, Picker};
use crate::app::state::{RowId, State, Thread};
use crate::domain::contact::{DEFAULT_GROUP, GroupId};
use crate::endpoint::contact_data;

/// The commands of this file.
pub const COMMANDS: &[Command] = &[
    Command::new(
        "tell-me",
        "Tell me when this person, or the first of this group, becomes available",
        &[Mode::People],
        |d, _| conditions(d),
    )
    .when(on_somebody),
    Command::new("alerts", "Show what I wait for, and cancel it", &[Mode::Anywhere], |d, _| list(d))
        .typed("alerts", super::Arg::None),
];

fn on_somebody(state: &State) -> Result<(), &'static str> {
    state.people.selection.as_ref().map(|_| ()).ok_or("nobody is selected")
}

fn whom(door: &Door<'_>) -> Result<Whom, String> {
    match door.state.people.selection.clone() {
        Some(RowId::Contact(_, uri)) => Ok(Whom::Person(uri)),
        Some(RowId::Group(DEFAULT_GROUP) | RowId::List(..)) | None => Err("select a person or a group of yours".into()),
        Some(RowId::Group(group)) if is_distribution(door.state, group) => {
            Err("the people of a distribution group are not watched while it is closed; select one of them".into())
        }
        Some(RowId::Group(group)) => Ok(Whom::Group(group)),
    }
}

fn is_distribution(state: &State, group: GroupId) -> bool {
    state.people.groups.iter().any(|g| g.id == group && contact_data::distribution_address(g).is_some())
}

/// First question: when.
fn conditions(door: &mut Door<'_>) -> Result<(), String> {
    let whom = whom(door)?;
    let (title, all): (String, &[When]) = match &whom {
        Whom::Person(uri) => {
            (format!("Tell me when {}", door.name(uri)), &[When::Available, When::Quiet, When::Offline, When::Changes])
        }
        Whom::Group(g) => {
            (format!("Tell me when the first of {}", crate::app::people::group_name(&door.state.people, *g)), &[When::Available])
        }
    };
    let rows = all.iter().map(|w| (w.words().to_owned(), String::new())).collect();
    let choices = all.iter().map(|w| Choice::AlertWhen(whom.clone(), *w)).collect();
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

/// Second question: what is done then.
pub fn actions(door: &mut Door<'_>, whom: Whom, when: When) {
    let draft = match &whom {
        Whom::Person(uri) => draft(door.state, uri),
        Whom::Group(_) => None,
    };
    let mut all = vec![(Act::Notify, true), (Act::Notify, false), (Act::OpenChat, true), (Act::OpenChat, false)];
    all.extend(draft.map(|text| (Act::Send(text), true)));
    let words = |(act, once): &(Act, bool)| {
        let often = if *once { "once" } else { "every time" };
        match act {
            Act::Notify => (format!("Tell me, {often}"), String::new()),
            Act::OpenChat => (format!("Tell me and open the conversation, {often}"), String::new()),
            Act::Send(text) => ("Send what I have written".to_owned(), text.clone()),
        }
    };
    let rows = all.iter().map(words).collect();
    let choices = all.into_iter().map(|(act, once)| Choice::AlertAct(whom.clone(), when, act, once)).collect();
    let title = format!("When that {}", when.words().trim_start_matches("is ").trim_start_matches("becomes "));
    let title = if title.len() > 40 { "What to do then".into() } else { title };
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
}

/// The text that stands in the composer for somebody.
fn draft(state: &State, who: &crate::domain::Address) -> Option<String> {
    let tab = state.conversations.tabs.iter().find(|t| matches!(&t.thread, Thread::Person(w) if w == who))?;
    let text = tab.composer.text().trim();
    (!text.is_empty() && !text.starts_with('/')).then(|| text.to_owned())
}

/// The answers are complete: the alert is made, and takes the prepared text with it.
pub fn make(door: &mut Door<'_>, whom: Whom, when: When, act: Act, once: bool) -> Result<(), String> {
    let takes = matches!(act, Act::Send(_));
    alerts::add(door, whom.clone(), when, act, once)?;
    if let (true, Whom::Person(who)) = (takes, &whom) {
        let at = door.state.conversations.tabs.iter().position(|t| matches!(&t.thread, Thread::Person(w) if w == who));
        if let Some(at) = at {
            door.state.conversations.tabs[at].composer.take();
            crate::app::tabs::save_draft(door, at);
        }
    }
    Ok(())
}

fn list(door: &mut Door<'_>) -> Result<(), String> {
    let all = &door.state.alerts.list;
    if all.is_empty() {
        let key = door.state.keymap.any_keys_of("tell-me").unwrap_or("t").to_owned();
        return Err(format!("you wait for nobody; {key} on a person or a group of the list makes an alert"));
    }
    let rows = all.iter().map(|a| (alerts::describe(door.state, a), alerts::remark(a))).collect();
    let choices = all.iter().map(|a| Choice::CancelAlert(a.id)).collect();
    let title = "Alerts (Enter cancels one)".into();
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}
