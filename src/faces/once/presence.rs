//! `adsum presence`

use super::output;
use super::session::Session;
use crate::domain::Address;
use crate::domain::watching::ViewId;
use crate::endpoint::{Event, Operation, Outcome};
use std::time::Duration;

/// How long somebody's presence may take before it counts as unknown.
const WAIT: Duration = Duration::from_secs(5);

/// Prints the presence of these people (of all contacts when none is named), then changes when `watch`.
pub fn run(s: &mut Session, who: Vec<Address>, watch: bool, json: bool) -> Result<(), String> {
    s.list()?;
    let own = who.contains(&s.account.address);
    if own {
        return Err("this is your own address; use adsum status".into());
    }
    let everybody = who.is_empty();
    let who = if everybody { s.view.contacts.keys().cloned().collect() } else { who };
    if watch {
        s.ask(Operation::Watch { view: ViewId::alerts(), uris: who.clone() })?;
        s.within(WAIT, |v| who.iter().all(|a| v.presence.contains_key(a)).then_some(()))?;
    } else if !who.is_empty()
        && let Outcome::Presence(found) = s.ask(Operation::QueryPresence { uris: who.clone(), categories: Vec::new() })?
    {
        s.view.presence.extend(found);
    }
    for a in &who {
        tell(s.view.presence.get(a), a, &s.view.name(a), json)?;
    }
    if !watch {
        return Ok(());
    }
    s.listen(|view, event| match event {
        Event::Presence { uri, presence } if who.contains(uri) || everybody => tell(Some(presence), uri, &view.name(uri), json),
        _ => Ok(()),
    })
}

fn tell(p: Option<&crate::domain::presence::Presence>, who: &Address, name: &str, json: bool) -> Result<(), String> {
    output::print(json, &output::presence_row(who, name, p), &output::presence(who, name, p))
}
