//! Changes on trial: before anything is published a card shows who would see what differently; it is sent or dropped.

use crate::app::door::{Door, Pending, Then};
use crate::app::state::overlay::DryRun;
use crate::app::state::{Overlay, State};
use crate::app::{publishing, questions};
use crate::domain::Address;
use crate::domain::presence::SelfPresence;
use crate::endpoint::Operation;
use crate::endpoint::sight::{self, Affected, Difference, FactChange, container_name, listed};

/// What waits for the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What would be sent, in order.
    pub operations: Vec<Operation>,
    /// What is done with the answer to the last one.
    pub pending: Pending,
}

/// Publishes a change of the own presence; first shows what it would do, when that is wanted. `pending` goes with the last
/// operation.
pub fn send(door: &mut Door<'_>, operations: Vec<Operation>, pending: Pending) {
    let wanted = is_wanted(door.state);
    door.state.own.once = false;
    let trial = Trial { operations, pending };
    if !wanted {
        return send_now(door, trial);
    }
    let what = Pending::new("Working out who would see what");
    let operations = trial.operations.clone();
    door.ask(Operation::Preview { operations }, what.then(Then::Trial(Box::new(trial))));
}

/// Whether the next change is shown before it is sent.
pub fn is_wanted(state: &State) -> bool {
    state.own.preview || state.own.once
}

/// Publishes without asking.
pub fn send_now(door: &mut Door<'_>, trial: Trial) {
    let Trial { mut operations, pending } = trial;
    let Some(last) = operations.pop() else { return };
    for operation in operations {
        questions::settled(door, &operation);
        // That somebody waits no longer is nobody's business when it fails: they are asked about again.
        let what = if matches!(operation, Operation::AcknowledgeSubscriber { .. }) { "" } else { pending.what.as_str() };
        door.ask(operation, Pending::new(what));
    }
    questions::settled(door, &last);
    let then = pending.then.clone();
    let id = door.ask(last, pending);
    match then {
        Then::OwnForm => door.state.own.form.saving = Some(id),
        Then::Dialog => publishing::saving(door, id),
        _ => {}
    }
}

/// The own presence as it would be has arrived: the card.
pub fn worked_out(door: &mut Door<'_>, trial: Trial, after: &SelfPresence) {
    let Some(owner) = door.state.account.address.clone() else { return };
    let people: Vec<Address> = door.state.people.contacts.keys().cloned().collect();
    let differences = sight::differences(&owner, &door.state.own.replica, after, people, door.now);
    let lines = told(door, &differences);
    door.state.overlays.push(Overlay::DryRun(DryRun { trial, lines, scroll: 0 }));
}

/// Label and words; headings have no words.
fn told(door: &Door<'_>, differences: &[Difference]) -> Vec<(String, String)> {
    if differences.is_empty() {
        return vec![("Nobody".into(), String::new()), (String::new(), "would see anything else than now.".into())];
    }
    let mut out = Vec::new();
    for d in differences {
        let head = match &d.who {
            Affected::Containers(ids) => listed(&ids.iter().map(|c| container_name(*c)).collect::<Vec<_>>()),
            Affected::Person(uri, before, after) => {
                format!("{}: {} → {}", door.state.name(uri), container_name(*before), container_name(*after))
            }
        };
        out.push((head, String::new()));
        if d.changes.is_empty() {
            out.push((String::new(), "sees the same as now".into()));
        }
        out.extend(d.changes.iter().map(change));
    }
    out
}

fn change(c: &FactChange) -> (String, String) {
    let words = match (&c.before, &c.after) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (None, Some(after)) => format!("{after} (not seen before)"),
        (Some(before), None) => format!("no longer seen (was {before})"),
        (None, None) => String::new(),
    };
    (c.what.clone(), words)
}
