//! The server's side of a dialog with one endpoint.

use crate::frontend::{Ctx, Incoming};
use crate::sip::{Method, Name, Request, Response, Uri};

/// What is needed to send requests in a dialog that an endpoint opened to us.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub call_id: String,
    /// Our tag; unique over all dialogs.
    pub tag: String,
    /// Our end as it stands in From.
    local: String,
    /// The endpoint's end as it stands in To.
    remote: String,
    /// CSeq of our last request.
    cseq: u32,
    target: Uri,
}

impl Dialog {
    /// The dialog that a 2xx to this request makes. `None` when the endpoint is gone or From or To is missing.
    pub fn open(ctx: &mut Ctx<'_>, incoming: &Incoming) -> Option<Dialog> {
        let tag = ctx.rng.hex(16);
        let headers = &incoming.request.headers;
        Some(Dialog {
            call_id: headers.call_id().to_owned(),
            local: format!("{};tag={tag}", headers.get(&Name::To)?),
            remote: headers.get(&Name::From)?.to_owned(),
            cseq: 0,
            target: ctx.registration(incoming.from)?.contact.clone(),
            tag,
        })
    }

    /// A dialog of ours to come: we call.
    pub fn calling(ctx: &mut Ctx<'_>, local: &str, name: &str, remote: &Uri) -> Dialog {
        let (tag, call_id) = (ctx.rng.hex(16), ctx.rng.hex(32));
        let name = name.replace(['"', '\\'], "");
        let local = if name.is_empty() { format!("<{local}>;tag={tag}") } else { format!("\"{name}\" <{local}>;tag={tag}") };
        Dialog { call_id, local, remote: format!("<{remote}>"), cseq: 0, target: remote.clone(), tag }
    }

    /// The INVITE to one device; the others get the same with their own targets.
    pub fn invite(&mut self, target: Uri) -> Request {
        self.target = target;
        self.request(Method::Invite)
    }

    /// The dialog that a 2xx to our INVITE makes.
    pub fn answered(mut self, response: &Response) -> Dialog {
        if let Some(to) = response.headers.get(&Name::To) {
            self.remote = to.to_owned();
        }
        self
    }

    /// ACK of that 2xx.
    pub fn ack(&self) -> Request {
        Dialog { cseq: self.cseq.saturating_sub(1), ..self.clone() }.request(Method::Ack)
    }

    /// The next request of ours.
    pub fn request(&mut self, method: Method) -> Request {
        self.cseq += 1;
        Request::new(method.clone(), self.target.clone())
            .with(Name::MaxForwards, "70")
            .with(Name::From, self.local.clone())
            .with(Name::To, self.remote.clone())
            .with(Name::CallId, self.call_id.clone())
            .with(Name::CSeq, format!("{} {method}", self.cseq))
    }

    /// A response in this dialog.
    pub fn response(&self, request: &Request, status: u16) -> Response {
        request.response(status, &self.tag)
    }

    /// Counts a notification that went out inside a 2xx (`ms-piggyback-cseq`).
    pub fn piggyback(&mut self) -> u32 {
        self.cseq += 1;
        self.cseq
    }
}
