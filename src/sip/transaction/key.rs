//! What makes two messages belong to the same transaction.

use super::FlowId;
use crate::sip::header::{Headers, Name};
use crate::sip::syntax::raw_tag;
use crate::sip::{Method, Request};

/// Begins every branch made after RFC 3261.
pub(super) const COOKIE: &str = "z9hG4bK";

/// First value of the top `Via` line.
pub(super) fn top_via(headers: &Headers) -> &str {
    let line = headers.get(&Name::Via).unwrap_or("");
    let mut quoted = false;
    let end = line.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b',' && !quoted
    });
    line.get(..end.unwrap_or(line.len())).unwrap_or("").trim()
}

/// The `branch` of a Via value; `None` when absent or empty.
pub(super) fn branch(via: &str) -> Option<&str> {
    let found = via.split(';').skip(1).find_map(|p| {
        let (name, value) = p.split_once('=')?;
        name.trim().eq_ignore_ascii_case("branch").then(|| value.trim())
    });
    found.filter(|b| !b.is_empty())
}

/// Whether a branch was made by the rules of RFC 3261: the cookie and something behind it (RFC 4475 §3.2.1).
pub(super) fn is_unique(branch: &str) -> bool {
    branch.strip_prefix(COOKIE).is_some_and(|rest| !rest.is_empty())
}

/// Key of a client transaction: flow, branch, and whether it is the CANCEL of that branch.
pub(super) fn client(flow: FlowId, branch: &str, method: &Method) -> String {
    let cancel = if *method == Method::Cancel { 'c' } else { 'r' };
    format!("{}{cancel}{branch}", flow.0)
}

/// Key of a server transaction (RFC 3261 §17.2.3). ACK and CANCEL get the key of their INVITE.
///
/// Requests without the magic cookie are told apart by Call-ID, CSeq number, From tag and the whole top Via, since peers
/// exist that put no branch on requests inside a dialog.
pub(super) fn server(flow: FlowId, request: &Request) -> String {
    let method = match request.method {
        Method::Ack | Method::Cancel => "INVITE",
        ref m => m.as_str(),
    };
    let via = top_via(&request.headers);
    match branch(via) {
        Some(b) if is_unique(b) => {
            let sent_by = via.split(';').next().unwrap_or("").split_ascii_whitespace().last().unwrap_or("");
            format!("{} {method} {b} {}", flow.0, sent_by.to_ascii_lowercase())
        }
        _ => {
            let (call, number) = (request.headers.call_id(), request.headers.cseq().map_or(0, |c| c.number));
            format!("{} {method} {call} {number} {} {via}", flow.0, raw_tag(request.headers.get(&Name::From).unwrap_or("")))
        }
    }
}
