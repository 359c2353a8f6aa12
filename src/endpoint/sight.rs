//! What others see of me: the same placing, filtering and reading that the front end and a watcher's endpoint do, over the
//! replica of my own presence. And what a change would make them see instead.

use crate::domain::access::{self, SourceNetwork};
use crate::domain::presence::{Container, Level, Member, Presence, Publication, SelfPresence};
use crate::domain::{Address, Time};
use crate::lync::Element;
use crate::lync::batch::DEFAULT_CATEGORIES;
use crate::lync::categories::{WatchedCategories, merge_categories};
use serde::Serialize;
use std::collections::BTreeSet;

/// Locale of words without one of their own (en-US).
const LCID: u32 = 1033;
/// Longest piece of a document shown as a fact, in characters.
const LONGEST: usize = 200;

/// Whose eyes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Viewer {
    /// A person, contact or stranger.
    Person {
        /// Who.
        uri: Address,
        /// Where they come from.
        network: SourceNetwork,
    },
    /// Anybody who resolves to this container: a level, or a container of one's own making.
    Container(u32),
}

/// What somebody sees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sight {
    /// Whose eyes.
    pub viewer: Viewer,
    /// The container that is seen.
    pub container: u32,
    /// Its level; `None`: a container of one's own making.
    pub level: Option<Level>,
    /// The member entry that put the person there; `None`: no entry names them, or a container was asked for.
    pub by: Option<Member>,
    /// Their picture of me, exactly as their endpoint holds it.
    pub presence: Presence,
    /// The same as labelled words; raw.
    pub facts: Vec<Fact>,
    /// What I publish and they do not see.
    pub hidden: Vec<Hidden>,
}

/// One thing that is seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fact {
    /// What it is: "Status", "Note", a category name.
    pub what: String,
    /// The words; raw.
    pub words: String,
}

/// One thing that is published, but not for this viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// What it is.
    pub what: String,
    /// The containers whose members see it.
    pub shown_in: Vec<u32>,
    /// Why not here, in words.
    pub why: String,
}

/// Where somebody comes from, as far as `owner` can tell: as the server said of a watcher, else by the domain.
pub fn network(owner: &Address, replica: &SelfPresence, who: &Address) -> SourceNetwork {
    let told = replica.subscribers.iter().find(|s| s.uri == *who).and_then(|s| s.network);
    told.unwrap_or(if owner.host() == who.host() { SourceNetwork::SameEnterprise } else { SourceNetwork::Federated })
}

/// What a viewer sees of `owner` now.
pub fn sight(owner: &Address, replica: &SelfPresence, viewer: Viewer, now: Time) -> Sight {
    let (container, by) = match &viewer {
        Viewer::Person { uri, network } => {
            let place = access::place(&replica.containers, uri, *network);
            (place.container, place.by)
        }
        Viewer::Container(id) => (*id, None),
    };
    let names = categories(&replica.publications);
    let (presence, facts) = seen(owner, &replica.publications, &names, container, now);
    let hidden = hidden(owner, replica, &names, container, &facts, now);
    Sight { viewer, container, level: Level::of_container(container), by, presence, facts, hidden }
}

/// All categories that watchers may be told of.
fn categories(publications: &[Publication]) -> BTreeSet<&str> {
    publications.iter().map(|p| p.key.category.as_str()).filter(|c| access::is_delivered(c)).collect()
}

fn seen(
    owner: &Address,
    publications: &[Publication],
    names: &BTreeSet<&str>,
    container: u32,
    now: Time,
) -> (Presence, Vec<Fact>) {
    let document = WatchedCategories::seen(owner.clone(), &DEFAULT_CATEGORIES, container, publications.iter());
    let mut presence = Presence::default();
    merge_categories(&mut presence, &document, now);
    let mut facts = facts(&presence);
    let more: Vec<&str> = names.iter().copied().filter(|n| !COVERED.contains(n)).collect();
    let rest = WatchedCategories::seen(owner.clone(), &more, container, publications.iter());
    for c in rest.categories {
        if let Some(fact) = c.value.as_ref().and_then(|v| document_fact(&c.name, v)) {
            facts.push(fact);
        }
    }
    facts.dedup();
    (presence, facts)
}

/// Categories that [`facts`] tells from the presence they make, and the one that says the same as the state.
const COVERED: [&str; 5] = ["state", "note", "contactCard", "services", "legacyInterop"];

/// A presence as labelled words.
fn facts(p: &Presence) -> Vec<Fact> {
    let mut out = Vec::new();
    let mut add = |what: &str, words: Option<&str>| {
        if let Some(words) = words.filter(|w| !w.trim().is_empty()) {
            out.push(Fact { what: what.to_owned(), words: words.to_owned() });
        }
    };
    add("Status", p.availability.map(|a| a.class().text()));
    add("Activity", p.activity.as_ref().and_then(|a| a.text(LCID)));
    add("Note", p.note.as_ref().map(|n| n.text.as_str()));
    add("Out-of-office note", p.oof_note.as_ref().map(|n| n.text.as_str()));
    add("Location", p.location.as_deref());
    add("Device", p.device.as_deref());
    add("Meeting", p.meeting_subject.as_deref());
    add("Meeting place", p.meeting_location.as_deref());
    add("Last active", p.last_active.map(|_| "told while idle or away"));
    add("Name", p.card.display_name.as_deref());
    add("E-mail", p.card.email.as_deref());
    add("Title", p.card.title.as_deref());
    add("Company", p.card.company.as_deref());
    add("Department", p.card.department.as_deref());
    add("Office", p.card.office.as_deref());
    for phone in &p.card.phones {
        let number = if phone.display.is_empty() { phone.uri.trim_start_matches("tel:") } else { &phone.display };
        add(phone_label(&phone.kind), Some(number));
    }
    add("Can", Some(&p.capabilities.join(", ")));
    out
}

fn phone_label(kind: &str) -> &'static str {
    match kind {
        "work" => "Work phone",
        "mobile" => "Mobile phone",
        "home" => "Home phone",
        _ => "Other phone",
    }
}

/// A document of another category in a few words; `None` when it says nothing.
fn document_fact(category: &str, value: &Element) -> Option<Fact> {
    let what = match category {
        "calendarData" if value.child("WorkingHours").is_some() => "Working hours",
        "calendarData" if value.child("freeBusy").is_some() => "Free and busy times",
        "calendarData" => return None,
        "noteHistory" => "Past notes",
        other => other,
    };
    let text = all_text(value);
    let said = value.elements().next().is_some() || !text.is_empty();
    let words = match what {
        "Working hours" | "Free and busy times" => "shown".to_owned(),
        _ if text.is_empty() => "shown".to_owned(),
        _ => text.chars().take(LONGEST).collect(),
    };
    said.then(|| Fact { what: what.to_owned(), words })
}

fn all_text(e: &Element) -> String {
    let mut pieces = vec![e.text().trim().to_owned()];
    pieces.extend(e.elements().map(all_text));
    pieces.retain(|p| !p.is_empty());
    pieces.join(" ")
}

/// Everything some container shows and this one does not.
fn hidden(
    owner: &Address,
    replica: &SelfPresence,
    names: &BTreeSet<&str>,
    container: u32,
    facts: &[Fact],
    now: Time,
) -> Vec<Hidden> {
    let mut out: Vec<Hidden> = Vec::new();
    for other in visible_containers(replica).into_iter().filter(|c| *c != container) {
        for fact in seen(owner, &replica.publications, names, other, now).1 {
            if facts.iter().any(|f| f.what == fact.what) {
                continue;
            }
            match out.iter_mut().find(|h| h.what == fact.what) {
                Some(h) if h.shown_in.contains(&other) => {}
                Some(h) => h.shown_in.push(other),
                None => out.push(Hidden { what: fact.what, shown_in: vec![other], why: String::new() }),
            }
        }
    }
    for h in &mut out {
        let names: Vec<String> = h.shown_in.iter().map(|c| container_name(*c)).collect();
        h.why = match container {
            access::BLOCKED_CONTAINER => "blocked people see only your name, and you as offline".into(),
            _ => format!("only {} may see it", listed(&names)),
        };
    }
    out
}

/// Containers that watchers may resolve to, lowest first.
pub fn visible_containers(replica: &SelfPresence) -> Vec<u32> {
    let levels = [Level::Everyone, Level::External, Level::Colleagues, Level::Workgroup, Level::Personal, Level::Blocked];
    let used = replica.publications.iter().map(|p| p.key.container).chain(replica.containers.iter().map(|c| c.id));
    let all: BTreeSet<u32> =
        levels.map(Level::container).into_iter().chain(used.filter(|c| !access::is_local_only(*c))).collect();
    all.into_iter().collect()
}

/// A container in words.
pub fn container_name(id: u32) -> String {
    match Level::of_container(id) {
        Some(level) => level.text().to_owned(),
        None => format!("container {id}"),
    }
}

/// "A", "A and B", "A, B and C".
pub fn listed(names: &[String]) -> String {
    match names {
        [] => "nobody".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Who would see something else after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Affected {
    /// Everybody who sees one of these containers.
    Containers(Vec<u32>),
    /// A person who would see another container: before, after.
    Person(Address, u32, u32),
}

/// What somebody would see differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Who.
    pub who: Affected,
    /// What: label, words before and after; `None`: nothing.
    pub changes: Vec<FactChange>,
}

/// One thing that would look different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FactChange {
    /// What it is.
    pub what: String,
    /// Before; `None`: not seen.
    pub before: Option<String>,
    /// After; `None`: not seen any more.
    pub after: Option<String>,
}

/// Who would see what differently if `after` came in the place of `before`. `people` are the persons to look at by name;
/// those named in containers and the known watchers are looked at in any case.
pub fn differences(
    owner: &Address,
    before: &SelfPresence,
    after: &SelfPresence,
    people: impl IntoIterator<Item = Address>,
    now: Time,
) -> Vec<Difference> {
    let facts_of = |replica: &SelfPresence, container| {
        seen(owner, &replica.publications, &categories(&replica.publications), container, now).1
    };
    let mut out: Vec<Difference> = Vec::new();
    let containers: BTreeSet<u32> = visible_containers(before).into_iter().chain(visible_containers(after)).collect();
    for container in containers {
        let changes = compare(&facts_of(before, container), &facts_of(after, container));
        if changes.is_empty() {
            continue;
        }
        let same = out.iter_mut().find(|d| d.changes == changes);
        match same.map(|d| &mut d.who) {
            Some(Affected::Containers(list)) => list.push(container),
            _ => out.push(Difference { who: Affected::Containers(vec![container]), changes }),
        }
    }
    let named = [before, after].into_iter().flat_map(|r| named(&r.containers));
    let watchers = before.subscribers.iter().map(|s| s.uri.clone());
    let people: BTreeSet<Address> = people.into_iter().chain(named).chain(watchers).filter(|p| p != owner).collect();
    for person in people {
        let from = network(owner, before, &person);
        let old = access::resolve(&before.containers, &person, from);
        let new = access::resolve(&after.containers, &person, from);
        if old != new {
            let changes = compare(&facts_of(before, old), &facts_of(after, new));
            out.push(Difference { who: Affected::Person(person, old, new), changes });
        }
    }
    out
}

fn named(containers: &[Container]) -> impl Iterator<Item = Address> + '_ {
    containers.iter().flat_map(|c| &c.members).filter_map(|m| match m {
        Member::User(a) => Some(a.clone()),
        _ => None,
    })
}

fn compare(before: &[Fact], after: &[Fact]) -> Vec<FactChange> {
    let words = |facts: &[Fact], what: &str| {
        let all: Vec<&str> = facts.iter().filter(|f| f.what == what).map(|f| f.words.as_str()).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let mut labels: Vec<&str> = Vec::new();
    for f in before.iter().chain(after) {
        if !labels.contains(&f.what.as_str()) {
            labels.push(&f.what);
        }
    }
    let change = |what: &str| FactChange { what: what.to_owned(), before: words(before, what), after: words(after, what) };
    labels.into_iter().map(change).filter(|c| c.before != c.after).collect()
}

#[cfg(test)]
mod tests;
