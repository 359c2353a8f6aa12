//! The directory: search over accounts and distribution groups (lync.md 9.1), and members of a group.

use super::{Ctx, Incoming, Module, State, UserRecord, limits};
use crate::domain::Address;
use crate::domain::contact::DistributionGroup;
use crate::lync::expansion::{self, ExpandGroup, GroupMember, GroupMembers};
use crate::lync::search::{DirectoryAnswer, DirectoryRow, DirectorySearch};
use crate::lync::soap;

/// The directory.
#[derive(Debug)]
pub struct Search;

impl Module for Search {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        if soap::method_name(&incoming.request.body).as_deref() == Some(expansion::METHOD) {
            return expand(ctx, &incoming);
        }
        let search = match DirectorySearch::parse(&incoming.request.body) {
            Ok(search) => search,
            Err(error) => return ctx.refuse(&incoming, 400, 2008, &error.to_string().replace('"', "'")),
        };
        let body = find(ctx.state.users.values().map(|u| &u.record), ctx.state.groups.values(), &search).to_bytes();
        let response = ctx.response(&incoming.request, 200).with_body(soap::CONTENT_TYPE, body);
        ctx.respond(incoming.tx, response);
    }
}

/// Answers with the members of one group; groups inside are named, not opened (`domain.md` 6, rule 13).
fn expand(ctx: &mut Ctx<'_>, incoming: &Incoming) {
    let email = match ExpandGroup::parse(&incoming.request.body) {
        Ok(ask) => ask.email,
        Err(error) => return ctx.refuse(incoming, 400, 2060, &error.to_string().replace('"', "'")),
    };
    let Some(group) = ctx.state.groups.get(&email) else {
        return ctx.refuse(incoming, 404, 2061, "There is no such distribution group");
    };
    let members = group.members.iter().filter_map(|m| member(ctx.state, m)).collect();
    let body = GroupMembers { name: group.name.clone(), members }.to_bytes();
    let response = ctx.response(&incoming.request, 200).with_body(soap::CONTENT_TYPE, body);
    ctx.respond(incoming.tx, response);
}

/// What is told of a member; those who are no more are left out.
fn member(state: &State, uri: &Address) -> Option<GroupMember> {
    if let Some(group) = state.groups.get(uri) {
        let display_name = group.name.clone();
        return Some(GroupMember { uri: uri.clone(), display_name, title: String::new(), group: true });
    }
    let record = &state.users.get(uri)?.record;
    let (display_name, title) = (record.display_name.clone(), record.title.clone());
    Some(GroupMember { uri: uri.clone(), display_name, title, group: false })
}

/// People and groups all of whose named attributes begin as wanted, in order of their names.
fn find<'a>(
    users: impl Iterator<Item = &'a UserRecord>,
    groups: impl Iterator<Item = &'a DistributionGroup>,
    search: &DirectorySearch,
) -> DirectoryAnswer {
    let terms: Vec<(String, String)> =
        search.terms.iter().map(|t| (t.0.to_lowercase(), t.1.trim().to_lowercase())).filter(|t| !t.1.is_empty()).collect();
    let most = usize::try_from(search.max).unwrap_or(limits::SEARCH_ROWS).min(limits::SEARCH_ROWS);
    if terms.is_empty() {
        return DirectoryAnswer { more: false, rows: Vec::new() };
    }
    let people = users.filter(|u| terms.iter().all(|t| begins(u, &t.0, &t.1))).map(row);
    let groups = groups.filter(|g| terms.iter().all(|t| group_begins(g, &t.0, &t.1))).map(group_row);
    let mut rows: Vec<DirectoryRow> = people.chain(groups).collect();
    rows.sort_by_cached_key(|r| (r.display_name.to_lowercase(), r.uri.clone()));
    let more = rows.len() > most;
    rows.truncate(most);
    DirectoryAnswer { more, rows }
}

fn group_begins(group: &DistributionGroup, attribute: &str, beginning: &str) -> bool {
    let is = |text: &str| text.to_lowercase().starts_with(beginning);
    match attribute {
        "givenname" => is(&group.name) || group.name.split_whitespace().any(is),
        "sn" => group.name.split_whitespace().skip(1).any(is),
        "mail" => is(group.address.bare()),
        "msrtcsip-primaryuseraddress" => is(group.address.as_str()),
        _ => false,
    }
}

fn group_row(group: &DistributionGroup) -> DirectoryRow {
    let title = format!("group of {}", group.members.len());
    let email = group.address.bare().to_owned();
    DirectoryRow { display_name: group.name.clone(), title, email, group: true, ..empty_row(&group.address) }
}

fn empty_row(uri: &Address) -> DirectoryRow {
    let none = String::new;
    DirectoryRow {
        uri: uri.clone(),
        display_name: none(),
        title: none(),
        office: none(),
        phone: none(),
        company: none(),
        city: none(),
        state: none(),
        country: none(),
        email: none(),
        group: false,
    }
}

/// Names are kept whole, so a given name or surname may be any word of it.
fn begins(user: &UserRecord, attribute: &str, beginning: &str) -> bool {
    let is = |text: &str| text.to_lowercase().starts_with(beginning);
    match attribute {
        "givenname" => is(&user.display_name) || user.display_name.split_whitespace().any(is) || is(user.address.user()),
        "sn" => user.display_name.split_whitespace().skip(1).any(is),
        "mail" => is(&user.email) || is(user.address.bare()),
        "company" => is(&user.company),
        "msrtcsip-primaryuseraddress" => is(user.address.as_str()) || is(user.address.bare()),
        _ => false,
    }
}

fn row(user: &UserRecord) -> DirectoryRow {
    let email = if user.email.is_empty() { user.address.bare().to_owned() } else { user.email.clone() };
    DirectoryRow {
        display_name: user.display_name.clone(),
        title: user.title.clone(),
        office: user.office.clone(),
        phone: user.phone.clone(),
        company: user.company.clone(),
        email,
        ..empty_row(&user.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_must_match_the_beginning_of_a_word() {
        let user = |a: &str, name: &str| UserRecord::new(Address::parse(a).unwrap(), name, "x");
        let users =
            [user("bob@contoso.com", "Bob Example"), user("bea@contoso.com", "Bea Exner"), user("x@contoso.com", "Xaver Bold")];
        let groups = [DistributionGroup {
            address: Address::parse("team@contoso.com").unwrap(),
            name: "The Team".into(),
            members: vec![users[0].address.clone()],
        }];
        let search = |terms: &[(&str, &str)], max| {
            let terms = terms.iter().map(|t| (t.0.to_owned(), t.1.to_owned())).collect();
            let answer = find(users.iter(), groups.iter(), &DirectorySearch { terms, max });
            (answer.rows.iter().map(|r| r.uri.user().to_owned()).collect::<Vec<_>>(), answer.more)
        };
        assert_eq!(search(&[("givenName", "bo")], 100), (vec!["bob".into(), "x".into()], false));
        assert_eq!(search(&[("givenName", "b"), ("sn", "exa")], 100), (vec!["bob".into()], false));
        assert_eq!(search(&[("givenName", "b")], 1), (vec!["bea".into()], true));
        assert_eq!(search(&[("msRTCSIP-PrimaryUserAddress", "sip:bea@")], 5), (vec!["bea".into()], false));
        assert_eq!(search(&[("givenName", "tea")], 5), (vec!["team".into()], false));
        assert_eq!(search(&[], 5).0.len(), 0);
    }
}
