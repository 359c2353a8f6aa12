//! What the endpoint says.

use super::door::{Door, Then, Undo, details_of};
use super::effect::StoreRequest;
use super::limits::UNDO;
use super::state::people::Loaded;
use super::state::{Overlay, State, ToastKind};
use super::{exchange, files, lists, meetings, own, people, publishing, questions, recall, recording, talk};
use crate::domain::contact::{Contact, Group};
use crate::domain::presence::{Freshness, Presence};
use crate::domain::{Address, Time};
use crate::endpoint::{EndpointState, Error, ErrorKind, Event, Feature, JoinTarget, Operation, OperationId, Outcome, Reason};

/// Takes an event of the shown account's endpoint.
pub fn event(door: &mut Door<'_>, event: Event) {
    match event {
        Event::State { state, reason, retry_at } => link(door, state, reason, retry_at),
        Event::SignedIn { gruu, server } => signed_in(door.state, &gruu, server),
        Event::ContactList { groups, contacts } => contact_list(door, groups, contacts),
        Event::ContactChanged(c) => {
            door.state.people.contacts.insert(c.uri.clone(), c.clone());
            door.store(StoreRequest::SaveContact(c));
            contacts_changed(door);
        }
        Event::ContactRemoved(uri) => {
            door.state.people.contacts.remove(&uri);
            door.state.people.marks.remove(&uri);
            door.store(StoreRequest::RemoveContact(uri));
            contacts_changed(door);
        }
        Event::GroupChanged(g) => {
            let groups = &mut door.state.people.groups;
            match groups.iter_mut().find(|x| x.id == g.id) {
                Some(x) => *x = g,
                None => groups.push(g),
            }
            list_changed(door);
        }
        Event::GroupRemoved(id) => {
            door.state.people.groups.retain(|g| g.id != id);
            door.state.people.folded.remove(&id);
            door.state.people.contacts.values_mut().for_each(|c| c.groups.retain(|g| *g != id));
            list_changed(door);
        }
        Event::Presence { uri, presence } => presence_of(door, uri, presence),
        Event::Watching { uri, standing } => {
            door.state.people.standing.insert(uri, standing);
        }
        // The standing of the person says the reason where they are shown.
        Event::TargetLeft { .. } => {}
        Event::SelfPresence(replica) => {
            own::heard(door.state, *replica);
            questions::watchers(door);
        }
        Event::Privacy { preference, administrator, mode } => {
            door.state.own.privacy = super::state::own::Privacy { preference, administrator, mode };
            door.state.own.dirty = true;
        }
        Event::Conversation(c) => talk::conversation(door, *c),
        Event::Message { conversation, message } => talk::message(door, &conversation, message),
        Event::MessageState { conversation, message, state } => talk::delivery(door, &conversation, &message, state),
        // One tick stands for it.
        Event::Kept { .. } => {}
        Event::Recipients { message, recipients, .. } => recall::recipients(door, message, recipients),
        Event::Transfer(transfer) => files::heard(door, *transfer),
        Event::Missed { from, toast } => talk::missed(door, from, &toast),
        Event::Missing { what, why } => {
            match why {
                Some(why) => door.state.missing.insert(what, why),
                None => door.state.missing.remove(&what),
            };
            (door.state.people.dirty, door.state.own.dirty) = (true, true);
            if what == Feature::OwnPresence {
                super::own::fill_form(door.state);
            }
        }
        Event::Meeting { meeting, news } => super::invited::news(door, *meeting, news),
        Event::Letters(letters) => door.store(StoreRequest::SaveLetters(letters)),
        Event::Notice(text) => door.say(text),
        Event::Completed { id, result } => completed(door, id, result),
    }
}

fn link(door: &mut Door<'_>, to: EndpointState, reason: Reason, retry_at: Option<Time>) {
    let link = &mut door.state.link;
    let was_up = link.is_up();
    let mut refused = false;
    link.state = to;
    link.retry_at = retry_at;
    link.problem = match reason {
        Reason::None | Reason::RegistrationRefreshSucceeded => None,
        Reason::OwnerDisabledOrRemoved => Some("this account was disabled or removed".into()),
        Reason::RegistrationRefreshFailed => Some("signing in again did not work".into()),
        Reason::TooManyActiveEndpoints => Some("you are signed in on too many devices; sign out on one of them".into()),
        Reason::Failed(e) => {
            refused = e.kind == ErrorKind::AuthenticationFailed && retry_at.is_none();
            door.state.last_error = details_of(e.text.clone(), &e);
            Some(e.text)
        }
    };
    tell_problem(door);
    if refused {
        super::password::refused(door);
    }
    let up = door.state.link.is_up();
    if up && !was_up {
        let link = &mut door.state.link;
        (link.problem, link.told, link.retry_at, link.down_since) = (None, None, None, None);
        link.was_up = true;
        super::idle::signed_in(door.state);
        super::calendar::signed_in(door);
        send_outbox(door);
        door.ask(Operation::ConferenceCapabilities, super::door::Pending::new("").then(Then::Capabilities));
        match door.state.account.guest.clone() {
            None => meetings::refresh(door),
            Some(link) if door.state.conversations.tabs.is_empty() => {
                if let Err(why) = super::tabs::join(door, JoinTarget::Link(link), String::new()) {
                    door.complain(why);
                }
            }
            // The endpoint goes back in by itself.
            Some(_) => {}
        }
    }
    if was_up && !up {
        door.state.link.down_since = Some(door.now);
        door.state.link.round_trip = None;
        stale(door.state, door.now);
    }
}

/// Says once in full what is wrong; the status line may have to cut it.
fn tell_problem(door: &mut Door<'_>) {
    let link = &mut door.state.link;
    if link.problem.is_none() || link.problem == link.told {
        return;
    }
    link.told = link.problem.clone();
    let text = link.problem.clone().unwrap_or_default();
    let detail = door.state.last_error.clone();
    let detail = if detail.first() == Some(&text) { detail } else { Vec::new() };
    door.toast(ToastKind::Error, text, Vec::new(), detail);
}

/// Nothing is known for sure any more about others.
fn stale(state: &mut State, now: Time) {
    for p in state.people.presence.values_mut() {
        if let Freshness::Known { .. } = p.freshness {
            p.freshness = Freshness::Stale { since: now };
        }
    }
    state.people.dirty = true;
}

fn signed_in(state: &mut State, gruu: &str, server: String) {
    // A GRUU of this dialect names the endpoint: ;opaque=user:epid:…
    if state.link.server.is_empty() {
        state.link.server = server;
    }
    state.own.gruu = gruu.to_owned();
}

/// Sends what an earlier run could not, once the link stands.
pub fn send_outbox(door: &mut Door<'_>) {
    if !door.state.link.is_up() {
        return;
    }
    for (thread, message) in std::mem::take(&mut door.state.outbox) {
        talk::resend(door, &thread, message);
    }
}

fn contact_list(door: &mut Door<'_>, groups: Vec<Group>, contacts: Vec<Contact>) {
    let people = &mut door.state.people;
    people.groups = groups;
    people.contacts = contacts.into_iter().map(|c| (c.uri.clone(), c)).collect();
    people.loaded = Loaded::Known;
    let kept: Vec<Address> = people.marks.iter().filter(|u| people.contacts.contains_key(u)).cloned().collect();
    people.marks = kept.into_iter().collect();
    list_changed(door);
}

fn contacts_changed(door: &mut Door<'_>) {
    (door.state.people.dirty, door.state.own.dirty) = (true, true);
    questions::watchers(door);
}

/// The groups or the whole list are new.
fn list_changed(door: &mut Door<'_>) {
    contacts_changed(door);
    let people = &door.state.people;
    let (groups, contacts) = (people.groups.clone(), people.contacts.values().cloned().collect());
    door.store(StoreRequest::SaveContacts { groups, contacts });
}

fn presence_of(door: &mut Door<'_>, uri: Address, presence: Box<Presence>) {
    let people = &mut door.state.people;
    let old = people.presence_of(&uri);
    people.dirty |= people::moves_rows(people.sort, old, &presence);
    if people.contacts.contains_key(&uri) {
        door.store(StoreRequest::SavePresence { uri: uri.clone(), presence: presence.clone() });
    }
    door.state.people.presence.insert(uri, presence);
}

fn completed(door: &mut Door<'_>, id: OperationId, result: Result<Outcome, Error>) {
    let Some(pending) = door.state.pending.remove(&id) else { return };
    match result {
        Ok(outcome) => {
            if !pending.undo.is_empty() {
                let undo = Undo { what: pending.done.clone(), operations: pending.undo.clone(), members: pending.members };
                let surplus = (door.state.undo.len() + 1).saturating_sub(UNDO);
                door.state.undo.drain(..surplus);
                door.state.undo.push(undo);
            }
            if !pending.done.is_empty() {
                door.toast(super::state::ToastKind::Info, pending.done, pending.undo, Vec::new());
            }
            then(door, id, pending.then, outcome);
        }
        Err(error) => {
            not_done(door, id, &pending.then, &error);
            // The prompt for the passcode says it already.
            let asked = error.kind == ErrorKind::AuthenticationFailed
                && matches!(pending.then, Then::JoinBy(..) | Then::Verified(..))
                && matches!(door.state.overlays.last(), Some(Overlay::Prompt(_)));
            if !pending.what.is_empty() && !asked {
                door.failed(&pending.what, &error);
            }
        }
    }
}

fn then(door: &mut Door<'_>, id: OperationId, then: Then, outcome: Outcome) {
    match (then, outcome) {
        (Then::Directory, Outcome::Found(rows)) => {
            let found = door.state.overlays.iter_mut().rev().find_map(|o| match o {
                Overlay::Prompt(p) if p.searching == Some(id) => Some(p),
                _ => None,
            });
            if let Some(p) = found {
                p.searching = None;
                p.error = rows.is_empty().then(|| format!("The directory knows nobody called “{}”", p.searched));
                // Who has written a whole address means that.
                let address = p.line.text().contains('@');
                p.at = (!rows.is_empty() && !address).then_some(0);
                p.error = p.error.take().filter(|_| !address);
                p.found = rows;
            }
        }
        (Then::Record(conversation, path), _) => recording::begin(door, &conversation, path),
        (Then::Import, _) => exchange::stepped(door, true),
        (Then::Members(address), Outcome::Found(rows)) => lists::members(door, &address, rows),
        (Then::AgendaList, Outcome::Conferences(list)) => meetings::heard(door, list),
        (Then::Agenda | Then::Series, _) => meetings::refresh(door),
        (Then::MeetingAnswer(id, answer), _) => super::invited::answered(door, &id, answer),
        (Then::Capabilities, Outcome::Capabilities(c)) => {
            door.state.meetings.capabilities = Some(c);
            meetings::check(door);
        }
        (Then::JoinBy(..), _) => door.state.conversations.link.clear(),
        (Then::JoinFound, Outcome::Conference(c)) => {
            let target = crate::endpoint::JoinTarget::Link(c.uri.clone());
            if let Err(e) = super::tabs::join(door, target, c.settings.subject.clone()) {
                door.complain(e);
            }
        }
        (Then::Verified(target, subject, passcode), _) => {
            if let Err(e) = super::tabs::join_with(door, target, subject, Some(passcode)) {
                door.complain(e);
            }
        }
        (Then::Trial(trial), Outcome::Preview(after)) => super::access::trial::worked_out(door, *trial, &after),
        (Then::MeetingForm, outcome) => {
            if door.state.meetings.form.as_ref().is_some_and(|f| f.saving == Some(id)) {
                door.state.meetings.form = None;
            }
            if let Outcome::Conference(c) = outcome {
                door.state.meetings.selection = Some(c.id.clone());
                let mut list = door.state.meetings.list.clone();
                list.retain(|x| x.id != c.id);
                list.push(*c);
                meetings::heard(door, list);
            }
            meetings::refresh(door);
        }
        (Then::Dialog, _) => publishing::done(door, id),
        (Then::OwnForm, _) => {
            (door.state.own.form.changed, door.state.own.form.saving) = (false, None);
            own::fill_form(door.state);
        }
        (Then::IntoGroup(marked), Outcome::Group(group)) => {
            for uri in marked {
                let into = Operation::Regroup { uri, join: vec![group], leave: Vec::new() };
                door.ask(into, super::door::Pending::new("Filling the group"));
            }
            door.state.people.marks.clear();
            (door.state.people.wanted, door.state.people.dirty) = (Some(super::state::RowId::Group(group)), true);
        }
        _ => {}
    }
}

fn not_done(door: &mut Door<'_>, id: OperationId, then: &Then, error: &Error) {
    match then {
        Then::Directory => {
            for o in &mut door.state.overlays {
                if let Overlay::Prompt(p) = o
                    && p.searching == Some(id)
                {
                    (p.searching, p.error) = (None, Some(error.text.clone()));
                }
            }
        }
        Then::MeetingForm => {
            if let Some(f) = door.state.meetings.form.as_mut().filter(|f| f.saving == Some(id)) {
                (f.saving, f.error) = (None, Some(error.text.clone()));
            }
        }
        Then::Dialog => publishing::not_done(door, id, error),
        Then::OwnForm => (door.state.own.form.saving, door.state.own.form.error) = (None, Some(error.text.clone())),
        Then::Import => exchange::stepped(door, false),
        Then::Members(address) => lists::failed(door, address, &error.text),
        Then::Message(conversation, id) => talk::not_sent(door, conversation, id, &error.text),
        Then::Join(id) => talk::not_joined(door, id, &error.text),
        Then::JoinBy(id, target, subject) => {
            talk::not_joined(door, id, &error.text);
            if error.kind == ErrorKind::AuthenticationFailed {
                let tab = door.state.conversations.find(id).and_then(|at| door.state.conversations.tabs.get(at));
                let typed = tab.and_then(|t| t.passcode.clone()).unwrap_or_default();
                meetings::ask_passcode(door, target.clone(), subject.clone(), &typed, error);
            }
        }
        Then::Verified(target, subject, typed) if error.kind == ErrorKind::AuthenticationFailed => {
            meetings::ask_passcode(door, target.clone(), subject.clone(), typed, error);
        }
        Then::Verified(..) if matches!(error.kind, ErrorKind::Retryable | ErrorKind::Timeout) => {}
        // It is looked at by joining.
        Then::Verified(target, subject, passcode) => {
            if let Err(e) = super::tabs::join_with(door, target.clone(), subject.clone(), Some(passcode.clone())) {
                door.complain(e);
            }
        }
        Then::JoinFound | Then::Capabilities => {}
        Then::MeetingAnswer(id, _) => super::invited::not_answered(door, id),
        Then::Record(..)
        | Then::Trial(_)
        | Then::Nothing
        | Then::AgendaList
        | Then::Agenda
        | Then::Series
        | Then::IntoGroup(_) => {}
    }
}
