//! Directory search (`lync.md` 9.1): rows of one request must match in all attributes, so one word is asked for as given
//! name, as surname and as beginning of an address, and the answers are put together.

use super::event::DirectoryEntry;
use super::limits::{DIRECTORY_ROWS, MAX_QUEUED};
use super::registration::diagnostics_reason;
use super::service::{Ctx, Reply, Service, Token};
use super::{Error, ErrorKind, Operation, OperationId, Outcome};
use crate::domain::Address;
use crate::lync::search::{DirectoryAnswer, DirectorySearch};
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
}

impl Directory {
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

impl Search {
    fn hear(&mut self, reply: &Reply) {
        match reply {
            Reply::Response(r) if r.is_success() => {
                self.answered = true;
                let rows = DirectoryAnswer::parse(&r.body).map(|a| a.rows).unwrap_or_default();
                for row in rows.into_iter().take(DIRECTORY_ROWS as usize) {
                    let entry = DirectoryEntry {
                        uri: row.uri.clone(),
                        display_name: row.display_name,
                        title: row.title,
                        email: row.email,
                    };
                    self.rows.insert(row.uri, entry);
                }
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
            _ => return false,
        }
        true
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if matches!(&reply, Reply::Response(r) if !r.is_final()) {
            return;
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
}
