//! A dialog as conversations need it: the room `sip` keeps it, this adds our Via, Contact and User-Agent. Requests are
//! matched on Call-ID and both tags; a wrong order is no reason to lose a message (`lync-conversations.md` 0.5).

use crate::endpoint::service::Ctx;
use crate::sip::dialog::{self, DialogId};
use crate::sip::{Method, Name, Request, Response};

/// One established dialog.
#[derive(Clone, Debug)]
pub(super) struct Dialog(dialog::Dialog);

impl Dialog {
    /// The caller's side, from its request and a 2xx.
    pub fn caller(request: &Request, response: &Response) -> Option<Dialog> {
        dialog::Dialog::uac(request, response).map(Dialog)
    }

    /// The called side, from the request and the 2xx that answers it.
    pub fn callee(request: &Request, response: &Response) -> Option<Dialog> {
        dialog::Dialog::uas(request, response).map(Dialog)
    }

    /// Whether a request of the other side belongs here.
    pub fn matches(&self, request: &Request) -> bool {
        DialogId::of_request(request) == *self.0.id()
    }

    /// Its Call-ID.
    pub fn call_id(&self) -> &str {
        &self.0.id().call_id
    }

    /// The other side's tag.
    pub fn remote_tag(&self) -> &str {
        &self.0.id().remote_tag
    }

    /// A request of the other side may move its target; its order does not matter here.
    pub fn refresh(&mut self, request: &Request) {
        let _ = self.0.receive(request);
    }

    /// The next request of our side.
    pub fn request(&mut self, ctx: &mut Ctx<'_>, method: Method) -> Request {
        let via = via(ctx);
        dressed(ctx, self.0.request(method, via))
    }

    /// The ACK for a 2xx to the INVITE with this number.
    pub fn ack(&self, ctx: &mut Ctx<'_>, cseq: u32) -> Request {
        let via = via(ctx);
        dressed(ctx, self.0.ack(cseq, via))
    }
}

fn via(ctx: &mut Ctx<'_>) -> String {
    format!("SIP/2.0/{} {};branch=z9hG4bK{}", ctx.me.transport, ctx.me.sent_by, ctx.rng.hex(20))
}

fn dressed(ctx: &Ctx<'_>, request: Request) -> Request {
    request.with(Name::UserAgent, ctx.me.user_agent.clone()).with(Name::Contact, format!("<{}>", ctx.me.contact))
}
