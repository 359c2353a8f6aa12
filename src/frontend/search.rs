//! Directory search over the accounts (lync.md 9.1).

use super::{Ctx, Incoming, Module, UserRecord, limits};
use crate::lync::search::{DirectoryAnswer, DirectoryRow, DirectorySearch};
use crate::lync::soap;

/// The directory.
#[derive(Debug)]
pub struct Search;

impl Module for Search {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        let search = match DirectorySearch::parse(&incoming.request.body) {
            Ok(search) => search,
            Err(error) => return ctx.refuse(&incoming, 400, 2008, &error.to_string().replace('"', "'")),
        };
        let body = find(ctx.state.users.values().map(|u| &u.record), &search).to_bytes();
        let response = ctx.response(&incoming.request, 200).with_body(soap::CONTENT_TYPE, body);
        ctx.respond(incoming.tx, response);
    }
}

/// People all of whose named attributes begin as wanted, in order of their names.
fn find<'a>(users: impl Iterator<Item = &'a UserRecord>, search: &DirectorySearch) -> DirectoryAnswer {
    let terms: Vec<(String, String)> =
        search.terms.iter().map(|t| (t.0.to_lowercase(), t.1.trim().to_lowercase())).filter(|t| !t.1.is_empty()).collect();
    let most = usize::try_from(search.max).unwrap_or(limits::SEARCH_ROWS).min(limits::SEARCH_ROWS);
    if terms.is_empty() {
        return DirectoryAnswer { more: false, rows: Vec::new() };
    }
    let mut found: Vec<&UserRecord> = users.filter(|u| terms.iter().all(|t| begins(u, &t.0, &t.1))).collect();
    found.sort_by_key(|u| (u.display_name.to_lowercase(), u.address.clone()));
    let more = found.len() > most;
    found.truncate(most);
    DirectoryAnswer { more, rows: found.into_iter().map(row).collect() }
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
        uri: user.address.clone(),
        display_name: user.display_name.clone(),
        title: user.title.clone(),
        office: user.office.clone(),
        phone: user.phone.clone(),
        company: user.company.clone(),
        city: String::new(),
        state: String::new(),
        country: String::new(),
        email,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Address;

    #[test]
    fn every_term_must_match_the_beginning_of_a_word() {
        let user = |a: &str, name: &str| UserRecord::new(Address::parse(a).unwrap(), name, "x");
        let users =
            [user("bob@contoso.com", "Bob Example"), user("bea@contoso.com", "Bea Exner"), user("x@contoso.com", "Xaver Bold")];
        let search = |terms: &[(&str, &str)], max| {
            let terms = terms.iter().map(|t| (t.0.to_owned(), t.1.to_owned())).collect();
            let answer = find(users.iter(), &DirectorySearch { terms, max });
            (answer.rows.iter().map(|r| r.uri.user().to_owned()).collect::<Vec<_>>(), answer.more)
        };
        assert_eq!(search(&[("givenName", "bo")], 100), (vec!["bob".into(), "x".into()], false));
        assert_eq!(search(&[("givenName", "b"), ("sn", "exa")], 100), (vec!["bob".into()], false));
        assert_eq!(search(&[("givenName", "b")], 1), (vec!["bea".into()], true));
        assert_eq!(search(&[("msRTCSIP-PrimaryUserAddress", "sip:bea@")], 5), (vec!["bea".into()], false));
        assert_eq!(search(&[], 5).0.len(), 0);
    }
}
