//! Operations of the list as requests: checked against the replica, then written.

use super::replica::Replica;
use crate::domain::Address;
use crate::domain::contact::{Contact, ContactError, DEFAULT_GROUP, DEFAULT_GROUP_NAME, Group, GroupId};
use crate::endpoint::registration::{diagnostics, diagnostics_reason};
use crate::endpoint::{Error, ErrorKind, Operation, Outcome};
use crate::lync::soap::{self, ContactRequest, ContactWrite};
use crate::sip::Response;

/// Longest name of a group, and of an alias, in octets (`lync.md` 5.3).
const MAX_NAME: usize = 256;

/// Whether the operation changes the list.
pub(super) fn is_mine(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::AddContact { .. }
            | Operation::RenameContact { .. }
            | Operation::SetContactGroups { .. }
            | Operation::DeleteContact { .. }
            | Operation::AddGroup { .. }
            | Operation::RenameGroup { .. }
            | Operation::DeleteGroup { .. }
    )
}

/// The request's body; `None` when the list is already as wanted.
pub(super) fn build(operation: &Operation, replica: &Replica, me: &Address) -> Result<Option<Vec<u8>>, Error> {
    let write = match operation {
        Operation::AddContact { uri, name, groups } => add_contact(replica, me, uri, name, groups)?,
        Operation::RenameContact { uri, name } => {
            check_alias(name)?;
            let contact = known(replica, uri)?;
            if contact.name == *name {
                return Ok(None);
            }
            ContactWrite::SetContact(Contact { name: name.clone(), ..contact.clone() })
        }
        Operation::SetContactGroups { uri, groups } => {
            let contact = known(replica, uri)?;
            let groups = known_groups(replica, groups)?;
            if contact.groups == groups {
                return Ok(None);
            }
            ContactWrite::SetContact(Contact { groups, ..contact.clone() })
        }
        Operation::DeleteContact { uri } => ContactWrite::DeleteContact(known(replica, uri)?.uri.clone()),
        Operation::AddGroup { name } => {
            check_group_name(replica, name, None)?;
            ContactWrite::AddGroup { name: name.clone(), external_uri: String::new() }
        }
        Operation::RenameGroup { id, name } => {
            let group = custom_group(replica, *id)?;
            check_group_name(replica, name, Some(*id))?;
            if group.name == *name {
                return Ok(None);
            }
            ContactWrite::ModifyGroup(Group { name: name.clone(), ..group })
        }
        Operation::DeleteGroup { id } => {
            custom_group(replica, *id)?;
            ContactWrite::DeleteGroup(*id)
        }
        _ => return Ok(None),
    };
    Ok(Some(ContactRequest { write, delta: replica.delta() }.to_bytes()))
}

/// What a success means.
pub(super) fn outcome(operation: &Operation, response: &Response) -> Outcome {
    match operation {
        Operation::AddGroup { .. } => soap::parse_add_group_answer(&response.body).map_or(Outcome::Done, Outcome::Group),
        _ => Outcome::Done,
    }
}

/// A write that was refused twice.
pub(super) fn failure(operation: &Operation, response: &Response) -> Error {
    let group = matches!(operation, Operation::AddGroup { .. } | Operation::RenameGroup { .. } | Operation::DeleteGroup { .. });
    let known = match response.status {
        404 if group => Some(ContactError::GroupNotFound),
        404 => Some(ContactError::ContactNotFound),
        409 => Some(ContactError::StaleDelta),
        403 if matches!(operation, Operation::AddGroup { .. }) => Some(ContactError::TooManyGroups),
        403 if matches!(operation, Operation::AddContact { .. }) => Some(ContactError::TooManyContacts),
        403 if group => Some(ContactError::NotAllowedForGroup),
        _ => None,
    };
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

fn add_contact(replica: &Replica, me: &Address, uri: &Address, name: &str, groups: &[GroupId]) -> Result<ContactWrite, Error> {
    check_alias(name)?;
    if uri == me {
        return Err(ContactError::OwnAddress.into());
    }
    if replica.contact(uri).is_some() {
        return Err(ContactError::DuplicateContact.into());
    }
    let contact = Contact { name: name.to_owned(), groups: known_groups(replica, groups)?, ..Contact::new(uri.clone()) };
    Ok(ContactWrite::SetContact(contact))
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

/// A group that may be changed.
fn custom_group(replica: &Replica, id: GroupId) -> Result<Group, ContactError> {
    let group = replica.group(id).ok_or(ContactError::GroupNotFound)?;
    if id == DEFAULT_GROUP || group.name == DEFAULT_GROUP_NAME {
        return Err(ContactError::NotAllowedForGroup);
    }
    Ok(group.clone())
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
