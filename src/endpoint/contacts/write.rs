//! Operations of the list as requests: checked against the replica, then written.

use super::replica::Replica;
use crate::domain::Address;
use crate::domain::contact::{AddOptions, Contact, ContactError, DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::endpoint::registration::{diagnostics, diagnostics_reason};
use crate::endpoint::{Error, ErrorKind, Operation, Outcome};
use crate::lync::contact_data;
use crate::lync::soap::{self, ContactRequest, ContactWrite, SoapFault};
use crate::sip::Response;

/// Longest name of a group, and of an alias, in octets (`lync.md` 5.3).
const MAX_NAME: usize = 256;

/// Longest free data (`externalURI`) in octets (`lync.md` 5.3).
const MAX_DATA: usize = 1024;

/// Whether the operation changes the list.
pub(super) fn is_mine(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::AddContact { .. }
            | Operation::RenameContact { .. }
            | Operation::SetContactGroups { .. }
            | Operation::Regroup { .. }
            | Operation::TagContact { .. }
            | Operation::SetContactPresence { .. }
            | Operation::SetContactData { .. }
            | Operation::AddDistributionGroup { .. }
            | Operation::DeleteContact { .. }
            | Operation::AddGroup { .. }
            | Operation::RenameGroup { .. }
            | Operation::DeleteGroup { .. }
    )
}

/// The request's body; `None` when the list is already as wanted.
pub(super) fn build(operation: &Operation, replica: &Replica, me: &Address) -> Result<Option<Vec<u8>>, Error> {
    let write = match operation {
        Operation::AddContact { uri, name, groups, options } => add_contact(replica, me, uri, name, groups, options)?,
        Operation::RenameContact { .. }
        | Operation::SetContactGroups { .. }
        | Operation::Regroup { .. }
        | Operation::TagContact { .. }
        | Operation::SetContactPresence { .. }
        | Operation::SetContactData { .. } => match changed(operation, replica)? {
            Some(contact) => ContactWrite::SetContact(contact),
            None => return Ok(None),
        },
        Operation::DeleteContact { uri } => ContactWrite::DeleteContact(known(replica, uri)?.uri.clone()),
        Operation::AddGroup { name } => {
            check_group_name(replica, name, None)?;
            ContactWrite::AddGroup(Group::new(GroupId(0), name.clone()))
        }
        Operation::AddDistributionGroup { name, address } => {
            check_group_name(replica, name, None)?;
            let extension = Some(contact_data::distribution(address));
            ContactWrite::AddGroup(Group { extension, ..Group::new(GroupId(0), name.clone()) })
        }
        Operation::RenameGroup { id, name } => {
            let group = replica.group(*id).ok_or(ContactError::GroupNotFound)?;
            if !group.kind().can_rename() {
                return Err(ContactError::NotAllowedForGroup.into());
            }
            check_group_name(replica, name, Some(*id))?;
            if group.name == *name {
                return Ok(None);
            }
            ContactWrite::ModifyGroup(Group { name: name.clone(), ..group.clone() })
        }
        Operation::DeleteGroup { id } => {
            if !replica.group(*id).ok_or(ContactError::GroupNotFound)?.kind().can_delete() {
                return Err(ContactError::NotAllowedForGroup.into());
            }
            ContactWrite::DeleteGroup(*id)
        }
        _ => return Ok(None),
    };
    Ok(Some(ContactRequest { write, delta: replica.delta() }.to_bytes()))
}

/// What a success means.
pub(super) fn outcome(operation: &Operation, response: &Response) -> Outcome {
    match operation {
        Operation::AddGroup { .. } | Operation::AddDistributionGroup { .. } => {
            soap::parse_add_group_answer(&response.body).map_or(Outcome::Done, Outcome::Group)
        }
        _ => Outcome::Done,
    }
}

/// A write that was refused twice.
pub(super) fn failure(operation: &Operation, response: &Response) -> Error {
    let group = matches!(operation, Operation::AddGroup { .. } | Operation::RenameGroup { .. } | Operation::DeleteGroup { .. });
    let said = SoapFault::parse(&response.body).and_then(|f| soap::refused(&f));
    // Other servers' words are not known: the status says what is most likely.
    let known = said.or(match response.status {
        404 if group => Some(ContactError::GroupNotFound),
        404 => Some(ContactError::ContactNotFound),
        409 => Some(ContactError::StaleDelta),
        403 if matches!(operation, Operation::AddGroup { .. }) => Some(ContactError::TooManyGroups),
        403 if matches!(operation, Operation::AddContact { .. }) => Some(ContactError::TooManyContacts),
        403 if matches!(operation, Operation::AddDistributionGroup { .. }) => Some(ContactError::TooManyDistributionGroups),
        403 if group => Some(ContactError::NotAllowedForGroup),
        _ => None,
    });
    let text = match known {
        Some(error) => error.to_string(),
        None => {
            let why = diagnostics_reason(&response.headers).unwrap_or_else(|| response.reason.clone());
            format!("The server refused to change the contact list: {why} ({}).", response.status)
        }
    };
    let kind = if known.is_some() { ErrorKind::Contact } else { ErrorKind::FailureResponse };
    Error { kind, text, status: Some(response.status), detail: diagnostics(&response.headers).map(str::to_owned) }
}

fn add_contact(
    replica: &Replica,
    me: &Address,
    uri: &Address,
    name: &str,
    groups: &[GroupId],
    options: &AddOptions,
) -> Result<ContactWrite, Error> {
    check_alias(name)?;
    check_data(&options.data, options.extension.as_deref())?;
    if uri == me {
        return Err(ContactError::OwnAddress.into());
    }
    if replica.contact(uri).is_some() {
        return Err(ContactError::DuplicateContact.into());
    }
    let groups = known_groups(replica, groups)?;
    check_membership(replica, &[], &groups)?;
    Ok(ContactWrite::SetContact(Contact {
        uri: uri.clone(),
        name: name.to_owned(),
        groups,
        subscribed: !options.without_presence,
        external_uri: options.data.clone(),
        extension: options.extension.clone(),
    }))
}

/// The contact as an operation wants it, made from the copy we hold; `None` when it is so already.
fn changed(operation: &Operation, replica: &Replica) -> Result<Option<Contact>, ContactError> {
    let (before, after) = match operation {
        Operation::RenameContact { uri, name } => {
            check_alias(name)?;
            let contact = known(replica, uri)?;
            (contact, Contact { name: name.clone(), ..contact.clone() })
        }
        Operation::SetContactGroups { uri, groups } => {
            let contact = known(replica, uri)?;
            (contact, Contact { groups: known_groups(replica, groups)?, ..contact.clone() })
        }
        Operation::Regroup { uri, join, leave } => {
            let contact = known(replica, uri)?;
            let mut groups = contact.groups.clone();
            groups.retain(|g| !leave.contains(g) && replica.group(*g).is_some());
            groups.extend(join);
            if !join.is_empty() {
                // Whoever is in a group of one's own needs none to stand for "no group".
                groups.retain(|g| *g != DEFAULT_GROUP || join.contains(g));
            }
            (contact, Contact { groups: known_groups(replica, &groups)?, ..contact.clone() })
        }
        Operation::TagContact { uri, tagged } => {
            let contact = known(replica, uri)?;
            let extension = contact_data::with_tag(contact.extension.as_deref(), *tagged).ok_or(ContactError::InvalidData)?;
            (contact, Contact { extension, ..contact.clone() })
        }
        Operation::SetContactPresence { uri, wanted } => {
            let contact = known(replica, uri)?;
            (contact, Contact { subscribed: *wanted, ..contact.clone() })
        }
        Operation::SetContactData { uri, data, extension } => {
            check_data(data, extension.as_deref())?;
            let contact = known(replica, uri)?;
            (contact, Contact { external_uri: data.clone(), extension: extension.clone(), ..contact.clone() })
        }
        _ => return Ok(None),
    };
    check_membership(replica, &before.groups, &after.groups)?;
    Ok((after != *before).then_some(after))
}

/// Groups that take no contacts are neither joined nor left (`domain.md` 6, rule 11).
fn check_membership(replica: &Replica, before: &[GroupId], after: &[GroupId]) -> Result<(), ContactError> {
    let changed = |id: &&GroupId| before.contains(id) != after.contains(id);
    let fixed = |id: &GroupId| replica.group(*id).is_some_and(|g| !g.kind().takes_contacts());
    if before.iter().chain(after).filter(changed).any(fixed) { Err(ContactError::NotAllowedForGroup) } else { Ok(()) }
}

fn check_data(data: &str, extension: Option<&str>) -> Result<(), ContactError> {
    let good = data.len() <= MAX_DATA && extension.is_none_or(contact_data::is_extension);
    if good { Ok(()) } else { Err(ContactError::InvalidData) }
}

fn known<'a>(replica: &'a Replica, uri: &Address) -> Result<&'a Contact, ContactError> {
    replica.contact(uri).ok_or(ContactError::ContactNotFound)
}

/// The set, sorted and each once; the default group where none is named (clients differ about an empty set).
fn known_groups(replica: &Replica, groups: &[GroupId]) -> Result<Vec<GroupId>, ContactError> {
    let mut set = groups.to_vec();
    set.sort();
    set.dedup();
    if set.iter().any(|g| replica.group(*g).is_none()) {
        return Err(ContactError::GroupNotFound);
    }
    if set.is_empty() && replica.group(DEFAULT_GROUP).is_some() {
        set.push(DEFAULT_GROUP);
    }
    Ok(set)
}

fn check_group_name(replica: &Replica, name: &str, except: Option<GroupId>) -> Result<(), ContactError> {
    if name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(ContactError::InvalidName);
    }
    if name == DEFAULT_GROUP_NAME {
        return Err(ContactError::NotAllowedForGroup);
    }
    match replica.group_named(name) {
        Some(group) if Some(group.id) != except => Err(ContactError::DuplicateGroup),
        _ => Ok(()),
    }
}

fn check_alias(name: &str) -> Result<(), ContactError> {
    if name.len() > MAX_NAME || name.chars().any(char::is_control) { Err(ContactError::InvalidName) } else { Ok(()) }
}
