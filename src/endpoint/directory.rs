//! Directory search (`lync.md` 9.1): rows of one request must match in all attributes, so one word is asked for as given
//! name, as surname and as beginning of an address, and the answers are put together.

use super::event::DirectoryEntry;
use super::limits::{DIRECTORY_ROWS, MAX_QUEUED};
use super::registration::diagnostics_reason;
use super::service::{Ctx, Reply, Service, Token};
use super::{Error, ErrorKind, Operation, OperationId, Outcome};
use crate::domain::Address;
use crate::lync::expansion::{ExpandGroup, GroupMembers};
use crate::lync::search::{DirectoryAnswer, DirectoryRow, DirectorySearch};
use crate::lync::soap;
use crate::sip::{Method, Uri};
use std::collections::BTreeMap;

const ADDRESS: &str = "msRTCSIP-PrimaryUserAddress";

#[derive(Debug)]
struct Search {
    id: OperationId,
    open: Vec<Token>,
    rows: BTreeMap<Address, DirectoryEntry>,
    error: Option<Error>,
    answered: bool,
}

/// The service.
#[derive(Debug, Default)]
pub struct Directory {
    searches: Vec<Search>,
    expansions: Vec<(Token, OperationId)>,
}

impl Directory {
    /// Members come one level at a time (`domain.md` 6, rule 13).
    fn expand(&mut self, ctx: &mut Ctx<'_>, id: OperationId, address: &Address) {
        if !ctx.online {
            let text = "You are not connected to the server just now; open the group again when you are signed in.";
            return ctx.complete(id, Err(Error::new(ErrorKind::Retryable, text)));
        }
        let to = Uri::of_domain(&ctx.me.uri);
        let body = ExpandGroup { email: address.clone() }.to_bytes();
        let request = ctx.request(Method::Service, &to).with_body(soap::CONTENT_TYPE, body);
        self.expansions.push((ctx.send(request), id));
    }

    fn start(&mut self, ctx: &mut Ctx<'_>, id: OperationId, query: &str) {
        let query = query.trim();
        if query.is_empty() || query.len() > 200 {
            ctx.complete(id, Err(Error::new(ErrorKind::InvalidArgument, "Write a name or the beginning of an address.")));
        } else if !ctx.online {
            let text = "You are not connected to the server just now; search again when you are signed in.";
            ctx.complete(id, Err(Error::new(ErrorKind::Retryable, text)));
        } else if self.searches.len() >= MAX_QUEUED {
            ctx.complete(id, Err(Error::new(ErrorKind::Retryable, "Too many searches are under way.")));
        } else {
            let to = Uri::of_domain(&ctx.me.uri);
            let mut open = Vec::new();
            for terms in terms(query) {
                let body = DirectorySearch { terms, max: DIRECTORY_ROWS }.to_bytes();
                let request = ctx.request(Method::Service, &to).with_body(soap::CONTENT_TYPE, body);
                open.push(ctx.send(request));
            }
            self.searches.push(Search { id, open, rows: BTreeMap::new(), error: None, answered: false });
        }
    }
}

fn entry(row: DirectoryRow) -> DirectoryEntry {
    let place = [row.city, row.state, row.country].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ");
    DirectoryEntry {
        title: row.title,
        email: row.email,
        office: row.office,
        phone: row.phone,
        company: row.company,
        place,
        group: row.group,
        ..DirectoryEntry::new(row.uri, row.display_name)
    }
}

/// The requests that answer a query together.
fn terms(query: &str) -> Vec<Vec<(String, String)>> {
    let term = |attribute: &str, value: &str| (attribute.to_owned(), value.to_owned());
    let words: Vec<&str> = query.split_whitespace().collect();
    match words.as_slice() {
        [one] => {
            let bare = one.strip_prefix("sip:").unwrap_or(one);
            let address = vec![term(ADDRESS, &format!("sip:{bare}"))];
            if bare.contains('@') {
                return vec![address, vec![term("mail", bare)]];
            }
            vec![vec![term("givenName", bare)], vec![term("sn", bare)], address]
        }
        [first, .., last] => vec![
            vec![term("givenName", first), term("sn", last)],
            vec![term("givenName", last.trim_end_matches(',')), term("sn", first.trim_end_matches(','))],
        ],
        [] => Vec::new(),
    }
}

fn members(reply: Reply) -> Result<Outcome, Error> {
    match reply {
        Reply::Response(r) if r.is_success() => {
            let answer = GroupMembers::parse(&r.body)
                .map_err(|e| Error::new(ErrorKind::Parsing, format!("The members cannot be read: {e}.")))?;
            let entry = |m: crate::lync::expansion::GroupMember| DirectoryEntry {
                title: m.title,
                group: m.group,
                ..DirectoryEntry::new(m.uri, m.display_name)
            };
            Ok(Outcome::Found(answer.members.into_iter().map(entry).collect()))
        }
        Reply::Response(r) if r.status == 404 => {
            Err(Error { status: Some(404), ..Error::new(ErrorKind::Contact, "The directory does not know this group any more.") })
        }
        Reply::Response(r) => {
            let why = diagnostics_reason(&r.headers).unwrap_or_else(|| r.reason.clone());
            let text = format!("This server does not show the members of distribution groups over SIP: {why} ({}).", r.status);
            Err(Error { status: Some(r.status), ..Error::new(ErrorKind::FailureResponse, text) })
        }
        Reply::Timeout => Err(Error::new(ErrorKind::Timeout, "The server did not answer; open the group again.")),
        Reply::LinkLost => {
            Err(Error::new(ErrorKind::Retryable, "The connection was lost; open the group again when you are signed in."))
        }
    }
}

impl Search {
    fn hear(&mut self, reply: &Reply) {
        match reply {
            Reply::Response(r) if r.is_success() => {
                self.answered = true;
                let rows = DirectoryAnswer::parse(&r.body).map(|a| a.rows).unwrap_or_default();
                let rows = rows.into_iter().take(DIRECTORY_ROWS as usize);
                self.rows.extend(rows.map(|row| (row.uri.clone(), entry(row))));
            }
            Reply::Response(r) => {
                let why = diagnostics_reason(&r.headers).unwrap_or_else(|| r.reason.clone());
                let text = format!("The server cannot search its directory: {why} ({}).", r.status);
                self.error = Some(Error { status: Some(r.status), ..Error::new(ErrorKind::FailureResponse, text) });
            }
            Reply::Timeout => self.error = Some(Error::new(ErrorKind::Timeout, "The server did not answer; search again.")),
            Reply::LinkLost => {
                self.error =
                    Some(Error::new(ErrorKind::Retryable, "The connection was lost; search again when you are signed in."));
            }
        }
    }
}

impl Service for Directory {
    fn on_operation(&mut self, ctx: &mut Ctx<'_>, id: OperationId, operation: &Operation) -> bool {
        match operation {
            Operation::SearchDirectory { query } => self.start(ctx, id, query),
            Operation::ExpandGroup { address } => self.expand(ctx, id, address),
            _ => return false,
        }
        true
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if matches!(&reply, Reply::Response(r) if !r.is_final()) {
            return;
        }
        if let Some(at) = self.expansions.iter().position(|e| e.0 == token) {
            let (_, id) = self.expansions.remove(at);
            return ctx.complete(id, members(reply));
        }
        let Some(at) = self.searches.iter().position(|s| s.open.contains(&token)) else { return };
        let search = &mut self.searches[at];
        search.open.retain(|t| *t != token);
        search.hear(&reply);
        if search.open.is_empty() {
            let search = self.searches.remove(at);
            let result = match search.error {
                Some(error) if !search.answered => Err(error),
                _ => {
                    let mut rows: Vec<DirectoryEntry> = search.rows.into_values().collect();
                    rows.sort_by_key(|r| (r.display_name.to_lowercase(), r.uri.clone()));
                    Ok(Outcome::Found(rows))
                }
            };
            ctx.complete(search.id, result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::service::ServiceId;
    use crate::endpoint::testkit::Bench;

    #[test]
    fn one_word_is_asked_for_in_three_ways_and_rows_are_put_together() {
        let mut bench = Bench::new(ServiceId::Directory);
        let mut directory = Directory::default();
        let id = bench.operate(&mut directory, Operation::SearchDirectory { query: " bo ".into() });
        let row = r##"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/winrtc/2002/11/sip"><s:Body><m:directorySearch><m:moreAvailable>false</m:moreAvailable><m:returned>1</m:returned><m:value m:href="#rows"/></m:directorySearch><m:Array m:id="rows"><m:row m:uri="sip:bob@contoso.com" m:displayName="Bob Example" m:title="Engineer" m:email="bob@contoso.com"/></m:Array></s:Body></s:Envelope>"##;
        for i in 0..3 {
            let sent = bench.request();
            assert_eq!(sent.1.uri.as_str(), "sip:contoso.com");
            bench.answer(&mut directory, &sent, if i == 1 { 500 } else { 200 }, "", row);
        }
        let Some(Ok(Outcome::Found(rows))) = bench.result(id) else { panic!() };
        assert_eq!((rows.len(), rows[0].title.as_str()), (1, "Engineer"));
    }

    #[test]
    fn a_distribution_group_is_opened_one_level_at_a_time() {
        use crate::lync::expansion::GroupMember;
        let mut bench = Bench::new(ServiceId::Directory);
        let mut directory = Directory::default();
        let team = Address::parse("team@contoso.com").unwrap();
        let id = bench.operate(&mut directory, Operation::ExpandGroup { address: team.clone() });
        let sent = bench.request();
        assert_eq!(ExpandGroup::parse(&sent.1.body).unwrap().email, team);
        let member = |uri: &str, group| GroupMember {
            uri: Address::parse(uri).unwrap(),
            display_name: String::new(),
            title: String::new(),
            group,
        };
        let members = vec![member("bob@contoso.com", false), member("leads@contoso.com", true)];
        let body = String::from_utf8(GroupMembers { name: "Team".into(), members }.to_bytes()).unwrap();
        bench.answer(&mut directory, &sent, 200, "", &body);
        let Some(Ok(Outcome::Found(rows))) = bench.result(id) else { panic!() };
        assert_eq!(rows.iter().map(|r| r.group).collect::<Vec<_>>(), [false, true]);
        // Nothing was asked about the group inside.
        assert!(bench.sent.is_empty());
        let id = bench.operate(&mut directory, Operation::ExpandGroup { address: team });
        let sent = bench.request();
        bench.answer(&mut directory, &sent, 501, "", "");
        assert!(bench.result(id).unwrap().unwrap_err().text.contains("distribution groups over SIP"));
    }
}
