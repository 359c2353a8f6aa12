//! A dialog as conversations need it (RFC 3261 §12), with the tolerance of `lync-conversations.md` 0.5: requests are
//! matched on Call-ID and both tags, a gap in CSeq is no error.

use crate::endpoint::service::Ctx;
use crate::sip::header::split_quoted;
use crate::sip::{Method, Name, NameAddr, Request, Response, Uri};

/// Routes taken from one message; more is hostile.
const MAX_ROUTES: usize = 16;

/// One established dialog.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    call_id: String,
    /// Our side as it stands in From.
    local: String,
    local_tag: String,
    /// The other side as it stands in To.
    remote: String,
    remote_tag: String,
    target: Uri,
    routes: Vec<String>,
    cseq: u32,
}

impl Dialog {
    /// The caller's side, from its request and a 2xx.
    pub fn caller(request: &Request, response: &Response) -> Option<Dialog> {
        let mut routes = route_values(&response.headers);
        routes.reverse();
        Some(Dialog {
            call_id: request.headers.call_id().to_owned(),
            local: request.headers.get(&Name::From)?.to_owned(),
            local_tag: request.headers.from()?.tag()?.to_owned(),
            remote: response.headers.get(&Name::To)?.to_owned(),
            remote_tag: response.headers.to()?.tag().unwrap_or("").to_owned(),
            target: response.headers.contact().map_or_else(|| request.uri.clone(), |c| c.uri),
            routes,
            cseq: request.headers.cseq()?.number,
        })
    }

    /// The called side, from the request and the 2xx that answers it.
    pub fn callee(request: &Request, response: &Response) -> Option<Dialog> {
        let from = request.headers.from()?;
        Some(Dialog {
            call_id: request.headers.call_id().to_owned(),
            local: response.headers.get(&Name::To)?.to_owned(),
            local_tag: response.headers.to()?.tag()?.to_owned(),
            remote: request.headers.get(&Name::From)?.to_owned(),
            remote_tag: from.tag().unwrap_or("").to_owned(),
            target: request.headers.contact().map_or(from.uri, |c| c.uri),
            routes: route_values(&request.headers),
            cseq: 0,
        })
    }

    /// Whether a request of the other side belongs here.
    pub fn matches(&self, request: &Request) -> bool {
        let tag = |n: Option<NameAddr>| n.and_then(|n| n.tag().map(str::to_owned)).unwrap_or_default();
        self.call_id == request.headers.call_id()
            && self.local_tag == tag(request.headers.to())
            && self.remote_tag == tag(request.headers.from())
    }

    /// The other side's tag.
    pub fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    /// The other side's target has moved (re-INVITE, or a 2xx to one of ours).
    pub fn refresh(&mut self, contact: Option<NameAddr>) {
        if let Some(c) = contact {
            self.target = c.uri;
        }
    }

    /// The next request of our side.
    pub fn request(&mut self, ctx: &mut Ctx<'_>, method: Method) -> Request {
        self.cseq = self.cseq.saturating_add(1);
        self.build(ctx, method, self.cseq)
    }

    /// The ACK for a 2xx to the INVITE that made (or refreshed) this dialog.
    pub fn ack(&self, ctx: &mut Ctx<'_>, cseq: u32) -> Request {
        self.build(ctx, Method::Ack, cseq)
    }

    fn build(&self, ctx: &mut Ctx<'_>, method: Method, cseq: u32) -> Request {
        let strict = self.routes.first().and_then(|r| NameAddr::parse(r)).filter(|r| r.uri.param("lr").is_none());
        let (uri, routes): (Uri, Vec<String>) = match strict {
            // A strict router takes the request URI's place, the target goes last (RFC 3261 §12.2.1.1).
            Some(first) => {
                let rest = self.routes.iter().skip(1).cloned();
                (first.uri, rest.chain([format!("<{}>", self.target)]).collect())
            }
            None => (self.target.clone(), self.routes.clone()),
        };
        let mut r = ctx.request(method.clone(), &uri);
        for route in routes {
            r.headers.push(Name::Route, route);
        }
        r.headers
            .set(Name::From, self.local.clone())
            .set(Name::To, self.remote.clone())
            .set(Name::CallId, self.call_id.clone())
            .set(Name::CSeq, format!("{cseq} {method}"));
        r
    }
}

fn route_values(headers: &crate::sip::Headers) -> Vec<String> {
    let lines = headers.all(&Name::RecordRoute).flat_map(|v| split_quoted(v, ','));
    lines.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty()).take(MAX_ROUTES).collect()
}
