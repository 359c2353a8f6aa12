//! What people do, and what happens to them.

use crate::company::{CUSTOM, Company};
use crate::support::world::{FINE, Weather, address};
use adsum::domain::Address;
use adsum::domain::conference::{AccessLevel, AutomaticLeaders, ConferenceId, ConferenceSettings, Invitee};
use adsum::domain::contact::AddOptions;
use adsum::domain::contact::GroupId;
use adsum::domain::conversation::{ConversationId, ConversationState, MeetingChange, Role};
use adsum::domain::presence::{Expiry, Level, MachineState, Note, Phone, Publication, PublicationKey, UserStatus};
use adsum::domain::watching::ViewId;
use adsum::endpoint::{EndpointState, JoinTarget, Operation};
use std::time::Duration;

/// One deed or mishap.
pub fn any(c: &mut Company) {
    if c.one_in(2) && (1..5).contains(&c.mood) {
        return [contacts, presence, talk, meet][c.mood as usize - 1](c);
    }
    match c.rng.below(100) {
        0..22 => contacts(c),
        22..42 => presence(c),
        42..66 => talk(c),
        66..84 => meet(c),
        84..88 => sign(c),
        _ => mishap(c),
    }
}

/// The links behave otherwise from now on.
pub fn change_weather(c: &mut Company) {
    let (calm, breaks) = if c.mood == 5 { (6, 6) } else { (4, 20) };
    let weather = match c.rng.below(calm) {
        0 => FINE,
        1 => Weather { delay: (20, 300), ..FINE },
        2 => Weather { delay: (1, 40), pieces: 1 + c.rng.below(6), ..FINE },
        _ => Weather {
            delay: (1, 1 + c.rng.below(900)),
            pieces: 1 + c.rng.below(4),
            break_one_in: breaks + c.rng.below(100),
            refuse_one_in: c.rng.below(4),
            notice: c.rng.below(2) * c.rng.below(60_000),
        },
    };
    c.note(format!("{weather:?}"));
    c.world.weather = weather;
}

fn mishap(c: &mut Company) {
    match c.rng.below(10) {
        0..4 => {
            let who = c.somebody();
            c.note(format!("{} loses the connection", c.name(who)));
            c.world.cut(who);
        }
        4..8 => change_weather(c),
        8 => {
            c.note("the front end crashes".into());
            c.world.crash();
            let away = c.rng.below(3) * c.rng.below(40_000);
            if away > 0 {
                c.world.down = true;
                c.back_at = Some(c.world.now + Duration::from_millis(away));
            }
        }
        _ => {
            c.note("nobody can connect".into());
            c.world.down = true;
            c.back_at = Some(c.world.now + Duration::from_millis(c.rng.below(30_000)));
        }
    }
}

fn sign(c: &mut Company) {
    let who = c.somebody();
    let up = c.world.clients[who].endpoint.state() == EndpointState::Established;
    let operation = if up && c.one_in(2) { Operation::SignOut } else { Operation::SignIn };
    c.operate(who, operation);
}

fn somebody_else(c: &mut Company, who: usize) -> Address {
    let mine = c.world.clients[who].address.clone();
    let others: Vec<Address> = c.people.iter().map(|p| address(p)).filter(|a| *a != mine).collect();
    c.one_of(&others).unwrap_or(mine)
}

/// Mostly somebody else, rarely oneself or somebody who does not exist.
fn anybody(c: &mut Company, who: usize) -> Address {
    match c.rng.below(20) {
        0 => address("nobody"),
        1 => c.world.clients[who].address.clone(),
        _ => somebody_else(c, who),
    }
}

fn contacts(c: &mut Company) {
    let who = c.somebody();
    contact_deed(c, who);
    // The person's other device at the same moment.
    let mine = c.world.clients[who].address.clone();
    let other = (0..c.world.clients.len()).find(|i| *i != who && c.world.clients[*i].address == mine);
    if let Some(other) = other.filter(|_| c.one_in(2)) {
        contact_deed(c, other);
    }
}

fn contact_deed(c: &mut Company, who: usize) {
    let operation = match c.rng.below(12) {
        0..4 => {
            let name = if c.one_in(3) { "Nick".to_owned() } else { String::new() };
            Operation::AddContact { uri: anybody(c, who), name, groups: some_groups(c, who), options: AddOptions::default() }
        }
        4 => Operation::RenameContact { uri: a_contact(c, who), name: format!("Name {}", c.rng.below(5)) },
        5 => Operation::SetContactGroups { uri: a_contact(c, who), groups: some_groups(c, who) },
        6 => Operation::DeleteContact { uri: a_contact(c, who) },
        7 | 8 => Operation::AddGroup { name: format!("Group {}", c.rng.below(6)) },
        9 => Operation::RenameGroup { id: a_group(c, who), name: format!("Group {}", c.rng.below(6)) },
        10 => Operation::DeleteGroup { id: a_group(c, who) },
        _ if c.one_in(2) => Operation::RefreshContacts,
        _ => Operation::SearchDirectory { query: "a".into() },
    };
    c.operate(who, operation);
}

fn a_contact(c: &mut Company, who: usize) -> Address {
    let all: Vec<Address> = c.world.view(who).contacts.keys().cloned().collect();
    c.one_of(&all).unwrap_or_else(|| somebody_else(c, who))
}

fn a_group(c: &mut Company, who: usize) -> GroupId {
    let all: Vec<GroupId> = c.world.view(who).groups.keys().copied().collect();
    c.one_of(&all).unwrap_or(GroupId(7))
}

fn some_groups(c: &mut Company, who: usize) -> Vec<GroupId> {
    let all: Vec<GroupId> = c.world.view(who).groups.keys().copied().collect();
    all.into_iter().filter(|_| c.one_in(2)).collect()
}

fn presence(c: &mut Company) {
    let who = c.somebody();
    presence_deed(c, who);
    // The person's other device at the same moment.
    let mine = c.world.clients[who].address.clone();
    let other = (0..c.world.clients.len()).find(|i| *i != who && c.world.clients[*i].address == mine);
    if let Some(other) = other.filter(|_| c.one_in(2)) {
        presence_deed(c, other);
    }
}

/// Something published by hand: everything given.
fn publication(c: &mut Company, who: usize) -> Operation {
    let container = [100, 200, 300, 400][c.rng.below(4) as usize];
    let key = PublicationKey { category: CUSTOM.into(), instance: c.rng.below(3) as u32, container };
    if c.one_in(4) {
        return Operation::Unpublish { keys: vec![key] };
    }
    let expiry = [Expiry::Static, Expiry::User, Expiry::Endpoint, Expiry::Time(60)][c.rng.below(4) as usize];
    let value = format!("<desk xmlns=\"urn:example:desk\" by=\"{who}\">{}</desk>", c.rng.below(9));
    let publication = Publication { key, version: 0, expiry, publish_time: None, endpoint_id: None, value };
    Operation::Publish { publications: vec![publication] }
}

fn presence_deed(c: &mut Company, who: usize) {
    let operation = match c.rng.below(20) {
        0..4 => {
            use UserStatus as U;
            let all = [U::Available, U::Busy, U::DoNotDisturb, U::BeRightBack, U::Away, U::OffWork, U::AppearOffline];
            let status = c.one_of(&all).unwrap_or(U::Busy);
            let activity = if c.one_in(4) { "Thinking".to_owned() } else { String::new() };
            let until = c.one_in(4).then(|| c.world.now + Duration::from_secs(60 + c.rng.below(600)));
            Operation::SetStatus { status, activity, until }
        }
        4 => Operation::ResetStatus,
        5..8 => {
            let text = format!("Note {}", c.rng.below(9));
            let note = (!c.one_in(4)).then(|| Note { text, out_of_office: c.one_in(6), start: None, end: None });
            Operation::SetNote { note }
        }
        8 => Operation::SetLocation { location: ["office", "home", ""][c.rng.below(3) as usize].into() },
        9 => Operation::SetMachineState {
            state: [MachineState::Active, MachineState::Idle, MachineState::Away][c.rng.below(3) as usize],
        },
        10 => {
            let phone = Phone { kind: "mobile".into(), uri: format!("tel:+1555{}", c.rng.below(9)), display: String::new() };
            Operation::SetPhones { phones: if c.one_in(3) { Vec::new() } else { vec![phone] } }
        }
        11 | 12 => {
            let all = [Level::External, Level::Colleagues, Level::Workgroup, Level::Personal, Level::Blocked];
            Operation::SetLevel { uri: somebody_else(c, who), level: if c.one_in(4) { None } else { c.one_of(&all) } }
        }
        13 => {
            let all = c.world.view(who).own.as_ref().map(|o| o.subscribers.clone()).unwrap_or_default();
            let uri = c.one_of(&all).map_or_else(|| somebody_else(c, who), |s| s.uri);
            Operation::AcknowledgeSubscriber { uri }
        }
        14 => {
            let uri = anybody(c, who);
            // The view of searches polls.
            let view = if c.one_in(3) { ViewId::search() } else { ViewId::conversations() };
            c.watched.push((who, uri.clone(), view.clone()));
            Operation::Watch { view, uris: vec![uri] }
        }
        15 => {
            let Some(at) = c.watched.iter().position(|w| w.0 == who) else { return };
            let (_, uri, view) = c.watched.remove(at);
            Operation::Unwatch { view, uris: vec![uri] }
        }
        16 => Operation::QueryPresence { uris: vec![anybody(c, who), anybody(c, who)], categories: Vec::new() },
        _ => publication(c, who),
    };
    c.operate(who, operation);
}

/// A conversation of this endpoint in one of these states.
fn conversation(c: &mut Company, who: usize, states: &[ConversationState]) -> Option<ConversationId> {
    let all = c.world.view(who).conversations.values();
    let fit: Vec<_> = all.filter(|t| states.contains(&t.state)).map(|t| t.id.clone()).collect();
    c.one_of(&fit)
}

const TALKING: [ConversationState; 5] = [
    ConversationState::Idle,
    ConversationState::Incoming,
    ConversationState::Establishing,
    ConversationState::Established,
    ConversationState::Conferenced,
];

fn talk(c: &mut Company) {
    let who = c.somebody();
    let going = conversation(c, who, &TALKING);
    let Some(id) = going.filter(|_| !c.one_in(3)) else { return start(c, who) };
    match c.rng.below(12) {
        0..6 => c.say(who, &id),
        6 | 7 => {
            let active = !c.one_in(4);
            c.operate(who, Operation::Typing { conversation: id, active });
        }
        8 => {
            let ringing = conversation(c, who, &[ConversationState::Incoming]).unwrap_or(id);
            c.operate(who, Operation::Accept { conversation: ringing });
        }
        9 => {
            let ringing = conversation(c, who, &[ConversationState::Incoming]).unwrap_or(id);
            c.operate(who, Operation::Decline { conversation: ringing });
        }
        10 => {
            c.operate(who, Operation::EndConversation { conversation: id });
        }
        _ => {
            let uri = anybody(c, who);
            c.operate(who, Operation::Invite { conversation: id, uri });
        }
    }
}

fn start(c: &mut Company, who: usize) {
    c.count += 1;
    let id = ConversationId(format!("c{}", c.count));
    let with = anybody(c, who);
    let subject = if c.one_in(3) { "Lunch".to_owned() } else { String::new() };
    c.operate(who, Operation::StartConversation { id: id.clone(), with, subject });
    if !c.one_in(5) {
        c.say(who, &id);
    }
    if c.one_in(3) {
        c.say(who, &id);
    }
}

fn meet(c: &mut Company) {
    use ConversationState::{Conferenced, Conferencing, InLobby};
    let who = c.somebody();
    let inside = conversation(c, who, &[Conferenced]);
    if let Some(id) = inside.filter(|_| !c.one_in(3)) {
        return inside_deed(c, who, id);
    }
    match c.rng.below(12) {
        0 => {
            c.operate(who, Operation::ConferenceCapabilities);
        }
        1..4 => {
            let settings = settings(c, who);
            c.operate(who, Operation::ScheduleConference { settings });
        }
        4 => {
            let settings = settings(c, who);
            if let Some(id) = own_conference(c, who) {
                c.operate(who, Operation::UpdateConference { id, settings });
            }
        }
        5 => {
            if let Some(id) = own_conference(c, who) {
                let gone = c.one_in(2);
                c.operate(who, if gone { Operation::CancelConference { id } } else { Operation::GetConference { id } });
            }
        }
        6 => {
            c.operate(who, Operation::ListConferences);
        }
        7 => {
            c.count += 1;
            let id = ConversationId(format!("n{}", c.count));
            let invite = (0..c.rng.below(3)).map(|_| somebody_else(c, who)).collect();
            c.operate(who, Operation::MeetNow { id, subject: "Now".into(), invite });
        }
        8 => {
            if let Some(conversation) = conversation(c, who, &[Conferencing, InLobby]) {
                c.operate(who, Operation::EndConversation { conversation });
            }
        }
        _ => {
            let newest = c.meetings.last().cloned().filter(|_| c.one_in(2));
            let Some(link) = newest.or_else(|| c.one_of(&c.meetings.clone())) else { return };
            c.count += 1;
            let id = ConversationId(format!("j{}", c.count));
            c.operate(who, Operation::JoinConference { id, target: JoinTarget::Link(link), passcode: None });
        }
    }
}

fn own_conference(c: &mut Company, who: usize) -> Option<ConferenceId> {
    let mine = format!("sip:{};", c.world.clients[who].address.bare());
    let own: Vec<String> = c.meetings.iter().filter(|m| m.starts_with(&mine)).cloned().collect();
    let uri = c.one_of(&own)?;
    uri.rsplit(':').next().map(|id| ConferenceId(id.to_owned()))
}

fn settings(c: &mut Company, who: usize) -> ConferenceSettings {
    let access = [AccessLevel::SameEnterprise, AccessLevel::Locked, AccessLevel::Invited, AccessLevel::Everyone];
    let leaders = [AutomaticLeaders::Disabled, AutomaticLeaders::SameEnterprise, AutomaticLeaders::Everyone];
    let guest = somebody_else(c, who);
    let role = if c.one_in(2) { Role::Leader } else { Role::Attendee };
    let start = c.one_in(2).then(|| c.world.now + Duration::from_secs(c.rng.below(100_000)));
    ConferenceSettings {
        subject: format!("Subject {}", c.rng.below(9)),
        start,
        end: start.map(|s| s + Duration::from_secs(1800)),
        access: c.one_of(&access).unwrap_or(AccessLevel::SameEnterprise),
        automatic_leaders: c.one_of(&leaders).unwrap_or(AutomaticLeaders::Disabled),
        participants: vec![Invitee { uri: guest, role }],
        ..ConferenceSettings::default()
    }
}

fn inside_deed(c: &mut Company, who: usize, conversation: ConversationId) {
    let others: Vec<Address> =
        c.world.view(who).conversations[&conversation].participants.iter().map(|p| p.uri.clone()).collect();
    let uri = c.one_of(&others).unwrap_or_else(|| somebody_else(c, who));
    let operation = match c.rng.below(18) {
        0..5 => return c.say(who, &conversation),
        5 => Operation::Typing { conversation, active: true },
        6 => Operation::LockConference { conversation, locked: c.one_in(2) },
        7 => Operation::Eject { conversation, uri },
        8 => Operation::SetRole { conversation, uri, role: if c.one_in(2) { Role::Leader } else { Role::Attendee } },
        9 | 10 => Operation::Admit { conversation, uris: vec![uri], admit: !c.one_in(4) },
        11 => Operation::Invite { conversation, uri: somebody_else(c, who) },
        12 => Operation::EndConversation { conversation },
        13 => Operation::CallIn { conversation, uri: anybody(c, who) },
        14 => Operation::Mute { conversation, uri, muted: c.one_in(2) },
        15 | 16 => Operation::ChangeConference { conversation, change: a_change(c) },
        _ if c.one_in(3) => Operation::EndConference { conversation },
        _ => Operation::SetRole { conversation, uri, role: Role::Leader },
    };
    c.operate(who, operation);
}

/// What a leader changes while a meeting runs.
fn a_change(c: &mut Company) -> MeetingChange {
    let access = [AccessLevel::SameEnterprise, AccessLevel::Locked, AccessLevel::Invited, AccessLevel::Everyone];
    match c.rng.below(4) {
        0 => MeetingChange { access: c.one_of(&access), ..MeetingChange::default() },
        1 => MeetingChange { mute_all: Some(c.one_in(2)), ..MeetingChange::default() },
        2 => MeetingChange { recording: Some(c.one_in(2)), ..MeetingChange::default() },
        _ => MeetingChange { automatic_leaders: Some(AutomaticLeaders::SameEnterprise), ..MeetingChange::default() },
    }
}
