//! The roster of a focus in the words of the domain.

use crate::domain::Address;
use crate::domain::conversation::{InvitationState, Invitee, Participant, Role};
use crate::endpoint::limits::{MAX_NAME, MAX_PARTICIPANTS};
use crate::simple::conference::{Conference, Standing, User};

/// Words of servers for those who lead (RFC 4575 names none).
const LEADERS: [&str; 9] = ["moderator", "leader", "organizer", "presenter", "host", "owner", "chair", "admin", "administrator"];

/// The domain of people who have no SIP address, such as phone callers.
const ELSEWHERE: &str = "elsewhere.invalid";

/// Somebody's address; those who have none of SIP get one that can be shown and told apart.
fn address(user: &User) -> Option<Address> {
    Address::parse(&user.entity).ok().or_else(|| {
        let rest = user.entity.split_once(':').map_or(user.entity.as_str(), |p| p.1);
        let name: String = rest.chars().filter(|c| c.is_alphanumeric() || "+-._".contains(*c)).take(64).collect();
        Address::parse(&format!("{name}@{ELSEWHERE}")).ok()
    })
}

/// What somebody is called: a name chosen for this meeting stands behind the one that they have everywhere, so that nobody is
/// taken for somebody else.
fn name(user: &User) -> String {
    match (user.display_text.as_str(), user.nickname.as_str()) {
        (name, "") | ("", name) => name.to_owned(),
        (name, nickname) if name == nickname => name.to_owned(),
        (name, nickname) => format!("{name} ({nickname})"),
    }
}

fn role(user: &User) -> Option<Role> {
    let leads = |r: &String| LEADERS.iter().any(|l| r.eq_ignore_ascii_case(l));
    match user.roles.as_slice() {
        [] => None,
        roles if roles.iter().any(leads) => Some(Role::Leader),
        _ => Some(Role::Attendee),
    }
}

/// Everybody inside but ourselves, each once.
pub(super) fn participants(c: &Conference, me: &Address) -> Vec<Participant> {
    let mut out: Vec<Participant> = Vec::new();
    for user in c.users.iter().filter(|u| u.is_in()) {
        let Some(uri) = address(user).filter(|a| a != me && !out.iter().any(|p| p.uri == *a)) else { continue };
        let mut media = user.endpoints.iter().flat_map(|e| &e.media).peekable();
        let has_messages = media.peek().is_none() || media.any(|m| m.kind.eq_ignore_ascii_case("message"));
        out.push(Participant {
            display_name: name(user).chars().take(MAX_NAME).collect(),
            role: role(user).unwrap_or(Role::Attendee),
            has_messages,
            muted: user.endpoints.iter().any(|e| e.standing == Standing::Muted),
            ..Participant::new(uri)
        });
        if out.len() >= MAX_PARTICIPANTS {
            break;
        }
    }
    out
}

/// People the focus itself is calling.
pub(super) fn called(c: &Conference, me: &Address) -> Vec<Invitee> {
    let coming = c.users.iter().filter(|u| u.is_coming());
    let invitee = |u: &User| {
        let rings = u.endpoints.iter().any(|e| e.standing == Standing::Alerting);
        let reason = if rings { "ringing" } else { "called" }.to_owned();
        Some(Invitee { uri: address(u).filter(|a| a != me)?, state: InvitationState::Delivering, reason })
    };
    coming.filter_map(invitee).take(MAX_PARTICIPANTS).collect()
}

/// Whether somebody is inside.
pub(super) fn has(c: &Conference, who: &Address) -> bool {
    c.users.iter().any(|u| u.is_in() && address(u).as_ref() == Some(who))
}

/// One's own role: as told; who made the conference leads it; where no roles are told at all, nobody knows.
pub(super) fn own_role(c: &Conference, me: &Address, made: bool) -> Option<Role> {
    let own = c.users.iter().find(|u| address(u).as_ref() == Some(me)).and_then(role);
    let told = c.users.iter().any(|u| !u.roles.is_empty());
    match own {
        Some(role) => Some(role),
        None if made => Some(Role::Leader),
        None => told.then_some(Role::Attendee),
    }
}

/// Whether the last document says that we were thrown out.
pub(super) fn thrown_out(c: &Conference, me: &Address) -> bool {
    let own = c.users.iter().find(|u| address(u).as_ref() == Some(me));
    own.is_some_and(|u| u.endpoints.iter().any(|e| e.left_by.eq_ignore_ascii_case("booted")))
}

/// Title; `None` when it has none.
pub(super) fn subject(c: &Conference) -> Option<String> {
    let of = |t: &String| (!t.is_empty()).then(|| t.chars().take(MAX_NAME).collect());
    of(&c.description.subject).or_else(|| of(&c.description.display_text))
}
