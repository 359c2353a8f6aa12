//! Dialogs (RFC 3261 §12): what both ends have to remember to talk on.
//!
//! From and To are kept as texts and repeated exactly, with `epid` and everything else, because the signature of a
//! message covers them. Sequence numbers of the peer may leave gaps (§12.2.2); a lower one is refused.

use super::header::{Headers, Name, NameAddr, split_quoted};
use super::{Method, Request, Response, Uri, syntax};

/// What tells dialogs apart, seen from one end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// `Call-ID`.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag; empty for peers of RFC 2543.
    pub remote_tag: String,
}

impl DialogId {
    /// Of a request that came in.
    pub fn of_request(request: &Request) -> DialogId {
        DialogId::new(&request.headers, &Name::To, &Name::From)
    }

    /// Of a response that came in.
    pub fn of_response(response: &Response) -> DialogId {
        DialogId::new(&response.headers, &Name::From, &Name::To)
    }

    fn new(headers: &Headers, local: &Name, remote: &Name) -> DialogId {
        let tag = |name: &Name| syntax::raw_tag(headers.get(name).unwrap_or("")).to_owned();
        DialogId { call_id: headers.call_id().to_owned(), local_tag: tag(local), remote_tag: tag(remote) }
    }
}

/// A request that does not fit into its dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Another dialog: 481.
    #[error("the request belongs to another dialog")]
    OtherDialog,
    /// A sequence number lower than one seen: 500.
    #[error("the request is out of order")]
    OutOfOrder,
}

impl Misfit {
    /// The status that answers it.
    pub fn status(self) -> u16 {
        match self {
            Misfit::OtherDialog => 481,
            Misfit::OutOfOrder => 500,
        }
    }
}

/// One end of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    id: DialogId,
    local: String,
    remote: String,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    routes: Vec<String>,
    target: Uri,
    early: bool,
}

impl Dialog {
    /// Our request was answered with a 101–299 that has a To tag. `None` if essential headers are missing.
    pub fn uac(request: &Request, response: &Response) -> Option<Dialog> {
        let mut routes = route_values(&response.headers, &Name::RecordRoute);
        routes.reverse();
        let id = DialogId::of_response(response);
        if id.remote_tag.is_empty() && !response.is_success() {
            return None;
        }
        Some(Dialog {
            id,
            local: request.headers.get(&Name::From)?.to_owned(),
            remote: response.headers.get(&Name::To)?.to_owned(),
            local_cseq: request.headers.cseq()?.number,
            remote_cseq: None,
            routes,
            target: response.headers.contact().map_or_else(|| request.uri.clone(), |c| c.uri),
            early: !response.is_final(),
        })
    }

    /// We answer a request with this response, whose To has our tag. `None` if essential headers are missing.
    pub fn uas(request: &Request, response: &Response) -> Option<Dialog> {
        let local = response.headers.get(&Name::To)?.to_owned();
        let remote = request.headers.get(&Name::From)?.to_owned();
        let peer = NameAddr::parse(&remote)?.uri;
        Some(Dialog {
            id: DialogId {
                call_id: request.headers.call_id().to_owned(),
                local_tag: syntax::raw_tag(&local).to_owned(),
                remote_tag: syntax::raw_tag(&remote).to_owned(),
            },
            local,
            remote,
            local_cseq: 0,
            remote_cseq: request.headers.cseq().map(|c| c.number),
            routes: route_values(&request.headers, &Name::RecordRoute),
            target: request.headers.contact().map_or(peer, |c| c.uri),
            early: !response.is_final(),
        })
    }

    /// Call-ID and tags.
    pub fn id(&self) -> &DialogId {
        &self.id
    }

    /// Our From (or To) as it stands in every request of ours.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The peer's address with its parameters, as it stands in every request of ours.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    /// The peer's URI.
    pub fn remote_uri(&self) -> Option<Uri> {
        NameAddr::parse(&self.remote).map(|a| a.uri)
    }

    /// Where our requests go.
    pub fn target(&self) -> &Uri {
        &self.target
    }

    /// Whether no final response made it firm yet.
    pub fn is_early(&self) -> bool {
        self.early
    }

    /// Number of our last request.
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// Starts our numbers above `cseq`: a notification that rode in a response (`ms-piggyback-cseq`) used it up.
    pub fn skip_local_cseq(&mut self, cseq: u32) {
        self.local_cseq = self.local_cseq.max(cseq);
    }

    /// The next request of ours: Via, From, To, Max-Forwards, Call-ID, CSeq and Route. The caller adds Contact, User-Agent and body.
    pub fn request(&mut self, method: Method, via: impl Into<String>) -> Request {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.build(method, via.into(), self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with this CSeq number.
    pub fn ack(&self, invite_cseq: u32, via: impl Into<String>) -> Request {
        self.build(Method::Ack, via.into(), invite_cseq)
    }

    fn build(&self, method: Method, via: String, cseq: u32) -> Request {
        let (uri, routes) = self.routing();
        let mut r = Request::new(method.clone(), uri);
        r.headers.push(Name::Via, via);
        for route in routes {
            r.headers.push(Name::Route, route);
        }
        r.headers
            .push(Name::From, self.local.as_str())
            .push(Name::To, self.remote.as_str())
            .push(Name::MaxForwards, "70")
            .push(Name::CallId, self.id.call_id.as_str())
            .push(Name::CSeq, format!("{cseq} {method}"));
        r
    }

    /// Request-URI and Route values; a first route without `lr` wants strict routing (RFC 3261 §12.2.1.1).
    fn routing(&self) -> (Uri, Vec<String>) {
        let first = self.routes.first().and_then(|r| NameAddr::parse(r));
        match first {
            Some(first) if first.uri.param("lr").is_none() => {
                let rest = self.routes.iter().skip(1).cloned();
                let last = std::iter::once(format!("<{}>", self.target));
                (first.uri, rest.chain(last).collect())
            }
            _ => (self.target.clone(), self.routes.clone()),
        }
    }

    /// Takes a request of the peer into account: order, and a new target where the method may change it.
    pub fn receive(&mut self, request: &Request) -> Result<(), Misfit> {
        let id = DialogId::of_request(request);
        if id != self.id {
            return Err(Misfit::OtherDialog);
        }
        let Some(cseq) = request.headers.cseq() else { return Err(Misfit::OutOfOrder) };
        if request.method != Method::Ack {
            if self.remote_cseq.is_some_and(|seen| cseq.number < seen) {
                return Err(Misfit::OutOfOrder);
            }
            self.remote_cseq = Some(cseq.number);
        }
        if refreshes_target(&request.method) {
            self.retarget(&request.headers);
        }
        Ok(())
    }

    /// Takes a response to a request of ours in this dialog into account.
    pub fn answered(&mut self, response: &Response) {
        if !response.is_success() {
            return;
        }
        self.early = false;
        if response.headers.cseq().is_some_and(|c| refreshes_target(&c.method)) {
            self.retarget(&response.headers);
        }
    }

    /// We gave a final answer to the request that made the dialog.
    pub fn confirm(&mut self) {
        self.early = false;
    }

    fn retarget(&mut self, headers: &Headers) {
        if let Some(contact) = headers.contact() {
            self.target = contact.uri;
        }
    }
}

fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Subscribe | Method::Notify | Method::Refer | Method::Update)
}

fn route_values(headers: &Headers, name: &Name) -> Vec<String> {
    headers.all(name).flat_map(|v| split_quoted(v, ',')).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).collect()
}

#[cfg(test)]
#[path = "dialog_tests.rs"]
mod tests;
