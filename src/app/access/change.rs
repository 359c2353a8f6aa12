//! Changing who may see what from the lines of the Me pane.

use super::trial::send;
use crate::app::commands::people::{pick_level_of, prompt};
use crate::app::door::{Door, Pending};
use crate::app::questions;
use crate::app::state::overlay::{Ask, Choice, Confirm, Deed, Overlay, Picker};
use crate::app::state::own::{About, Section};
use crate::domain::Address;
use crate::domain::access::{Change, may_change};
use crate::domain::presence::{Container, Level, Member};
use crate::domain::privacy::Preference;
use crate::endpoint::Operation;
use crate::endpoint::sight::{Viewer, container_name, visible_containers};

fn line(door: &Door<'_>) -> Result<About, String> {
    door.state.own_line().map(|l| l.about.clone()).ok_or_else(|| "nothing is selected".into())
}

/// Enter: what suits the line.
pub fn open(door: &mut Door<'_>) -> Result<(), String> {
    match line(door)? {
        About::Container(id) => pick_kind(door, id),
        About::Member(_, Member::User(uri)) => pick_level_of(door, uri),
        About::Member(id, m) => pick_container(door, id, m),
        About::Delegates => ask_delegate(door),
        About::Privacy => pick_privacy(door),
        About::Delegate(uri) => super::view_as_person(door, uri),
        About::Watcher(uri) => {
            let waits = door.state.own.replica.subscribers.iter().any(|s| s.uri == uri && !s.acknowledged);
            if waits { questions::pick_answer(door, uri) } else { pick_level_of(door, uri) }
        }
        About::Source { .. } => clear(door),
        About::Nothing if door.state.own.section == Section::View => pick_viewer(door),
        About::Nothing => Ok(()),
    }
}

/// Puts somebody into the container of the line.
pub fn add(door: &mut Door<'_>) -> Result<(), String> {
    match line(door)? {
        About::Container(id) | About::Member(id, _) => pick_kind(door, id),
        About::Delegates | About::Delegate(_) => ask_delegate(door),
        _ => Err("choose a level or the delegates first; n makes a container of your own".into()),
    }
}

/// Takes the member, delegate or stuck source of the line away.
pub fn remove(door: &mut Door<'_>) -> Result<(), String> {
    match line(door)? {
        About::Member(id, m) => {
            let what = member_name(door, &m);
            let change = Change::Remove(id, m);
            members(door, vec![change], format!("{what} is out of {}", container_name(id)));
            Ok(())
        }
        About::Delegate(uri) => {
            let name = door.name(&uri);
            let pending = Pending::new(format!("Taking {name} off the delegates"))
                .done(format!("{name} no longer acts for you"))
                .undo(vec![Operation::SetDelegates { add: vec![uri.clone()], remove: Vec::new() }]);
            send(door, vec![Operation::SetDelegates { add: Vec::new(), remove: vec![uri] }], pending);
            Ok(())
        }
        About::Source { .. } => clear(door),
        _ => Err("there is nothing to take away on this line".into()),
    }
}

/// Clears a stuck source of the state.
fn clear(door: &mut Door<'_>) -> Result<(), String> {
    let About::Source { keys, here, who } = line(door)? else { return Err("choose a source first".into()) };
    if here {
        return Err("this device speaks for itself and would say the same again; Alt-s sets a status".into());
    }
    let text = format!("Clear what “{who}” says? If it is still running, it may say it again.");
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Clear", then: Deed::Clear(keys, who) }));
    Ok(())
}

fn member_name(door: &Door<'_>, m: &Member) -> String {
    match m {
        Member::User(u) => door.name(u),
        Member::Domain(d) => format!("everyone at {d}"),
        Member::SameEnterprise => "my organisation".into(),
        Member::Federated => "federated partners".into(),
        Member::PublicCloud => "public networks".into(),
        Member::Everyone => "everyone".into(),
    }
}

/// Changes members, offering to take it back.
pub fn members(door: &mut Door<'_>, changes: Vec<Change>, done: String) {
    let undo = changes.iter().rev().map(Change::undone).collect();
    let pending = Pending::new("Changing who may see what").done(done).undo(vec![Operation::ChangeMembers { changes: undo }]);
    send(door, vec![Operation::ChangeMembers { changes }], pending);
}

/// Puts a member into a container.
pub fn put(door: &mut Door<'_>, id: u32, m: Member) {
    let what = member_name(door, &m);
    let holding = |c: &&Container| may_change(c.id) && c.id != id && c.members.contains(&m);
    // Whoever is named stands in one container.
    let old: Vec<u32> = door.state.own.replica.containers.iter().filter(holding).map(|c| c.id).collect();
    let mut changes: Vec<Change> = old.into_iter().map(|c| Change::Remove(c, m.clone())).collect();
    changes.push(Change::Add(id, m.clone()));
    door.state.own.wanted = Some(About::Member(id, m));
    members(door, changes, format!("{what} sees {}", container_name(id)));
}

fn pick_kind(door: &mut Door<'_>, id: u32) -> Result<(), String> {
    let kinds: [(&str, &str, Choice); 5] = [
        ("A person…", "by name or address", Choice::AskMember(id)),
        ("Domain…", "everybody of a domain", Choice::AskDomain(id)),
        ("My organisation", "everybody not named more exactly", Choice::Member(id, Member::SameEnterprise)),
        ("Federated partners", "everybody not named more exactly", Choice::Member(id, Member::Federated)),
        ("Public networks", "everybody not named more exactly", Choice::Member(id, Member::PublicCloud)),
    ];
    let rows = kinds.iter().map(|k| (k.0.to_owned(), k.1.to_owned())).collect();
    let choices = kinds.into_iter().map(|k| k.2).collect();
    let title = format!("Who is to see {}", container_name(id));
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

fn pick_container(door: &mut Door<'_>, from: u32, m: Member) -> Result<(), String> {
    let ids: Vec<u32> = visible_containers(&door.state.own.replica).into_iter().filter(|c| may_change(*c)).collect();
    let rows = ids
        .iter()
        .map(|c| (container_name(*c), Level::of_container(*c).map_or("", |l| super::level_shows(door.state, l)).to_owned()));
    let rows = rows.collect();
    let at = ids.iter().position(|c| *c == from).unwrap_or(0);
    let choices = ids.into_iter().map(|c| Choice::Member(c, m.clone())).collect();
    let title = format!("What {} may see", member_name(door, &m));
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at, choices }));
    Ok(())
}

/// Asks for the number of a container of one's own making.
pub fn ask_container(door: &mut Door<'_>) -> Result<(), String> {
    let taken = |id: &u32| door.state.own.replica.containers.iter().any(|c| c.id == *id);
    let free = (500..32_000).step_by(100).find(|id| !taken(id)).unwrap_or(500);
    let hint = "A number from 101 to 32767; its members see only what you publish into it";
    prompt(door, Ask::NewContainer, "Own container", hint, &free.to_string());
    Ok(())
}

/// The number was typed.
pub fn container_typed(door: &mut Door<'_>, text: &str) -> Result<(), String> {
    let id: u32 = text.trim().parse().map_err(|_| "A container is a number from 101 to 32767")?;
    if !may_change(id) {
        return Err("A container is a number from 101 to 32767".into());
    }
    pick_kind(door, id)
}

fn ask_delegate(door: &mut Door<'_>) -> Result<(), String> {
    prompt(door, Ask::Delegate, "Who acts for you", "Name or address; delegates stand in Workgroup", "");
    Ok(())
}

/// Makes somebody a delegate.
pub fn delegate(door: &mut Door<'_>, uri: Address) {
    let name = door.name(&uri);
    let pending = Pending::new(format!("Making {name} a delegate"))
        .done(format!("{name} may act for you and stands in Workgroup"))
        .undo(vec![Operation::SetDelegates { add: Vec::new(), remove: vec![uri.clone()] }]);
    door.state.own.wanted = Some(About::Delegate(uri.clone()));
    send(door, vec![Operation::SetDelegates { add: vec![uri], remove: Vec::new() }], pending);
}

/// Asks for privacy mode.
pub fn pick_privacy(door: &mut Door<'_>) -> Result<(), String> {
    let admin = match door.state.own.privacy.administrator {
        Some(true) => "contacts only, on this server",
        Some(false) => "open, on this server",
        None => "open; this server leaves it to you",
    };
    let rows = vec![
        ("Contacts only".to_owned(), "nobody beyond your list sees more than your name".to_owned()),
        ("Open".to_owned(), "everybody sees what their network gets".to_owned()),
        ("As the administrator says".to_owned(), admin.to_owned()),
    ];
    let all = [Preference::Private, Preference::Standard, Preference::None];
    let at = all.iter().position(|p| *p == door.state.own.privacy.preference).unwrap_or(0);
    let choices = all.map(Choice::Privacy).to_vec();
    door.state.overlays.push(Overlay::Picker(Picker { title: "Privacy mode".into(), rows, at, choices }));
    Ok(())
}

/// Chooses privacy mode.
pub fn privacy(door: &mut Door<'_>, preference: Preference) {
    let before = door.state.own.privacy.preference;
    let done = match preference {
        Preference::Private => "Only your contacts see more than your name",
        Preference::Standard => "Everybody sees what their network gets",
        Preference::None => "Privacy is as the administrator says",
    };
    let pending =
        Pending::new("Changing the privacy mode").done(done).undo(vec![Operation::SetPrivacyMode { preference: before }]);
    send(door, vec![Operation::SetPrivacyMode { preference }], pending);
}

/// Asks whose eyes: levels, containers of one's own making, contacts, or an address.
pub fn pick_viewer(door: &mut Door<'_>) -> Result<(), String> {
    let mut rows = vec![("Somebody else…".to_owned(), "type a name or an address".to_owned())];
    let mut choices = vec![Choice::AskViewer];
    for id in visible_containers(&door.state.own.replica) {
        rows.push((container_name(id), Level::of_container(id).map_or("container", |_| "level").to_owned()));
        choices.push(Choice::ViewAs(Viewer::Container(id)));
    }
    let mut people: Vec<(String, Address)> =
        door.state.people.contacts.keys().map(|u| (door.state.name(u).to_owned(), u.clone())).collect();
    people.sort_by_key(|(n, _)| n.to_lowercase());
    let first_person = rows.len();
    for (name, uri) in people {
        rows.push((name, uri.bare().to_owned()));
        let network = door.state.network_of(&uri);
        choices.push(Choice::ViewAs(Viewer::Person { uri, network }));
    }
    let at = first_person.min(rows.len().saturating_sub(1));
    door.state.overlays.push(Overlay::Picker(Picker { title: "View me as".into(), rows, at, choices }));
    Ok(())
}

/// Asks for an address to look from.
pub fn ask_viewer(door: &mut Door<'_>) -> Result<(), String> {
    prompt(door, Ask::ViewAs, "View me as", "Name, or any address: name@domain", "");
    Ok(())
}
