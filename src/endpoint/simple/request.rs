//! Requests as standard servers like them (`simple.md` 1.1).

use crate::endpoint::limits::RETRY_AFTER_MOST;
use crate::endpoint::service::Ctx;
use crate::sip::{Method, Name, NameAddr, Request, Response, Uri};
use std::time::Duration;

/// Methods we answer.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, NOTIFY, INFO, REFER, UPDATE";

/// How long the server wants to be left alone.
pub fn retry_after(response: &Response) -> Duration {
    Duration::from_secs(response.headers.retry_after().unwrap_or(0).into()).min(RETRY_AFTER_MOST)
}

/// The program that answered, as it calls itself; may be empty.
pub fn product(response: &Response) -> &str {
    let of = |name| response.headers.get(&name);
    of(Name::Server).or_else(|| of(Name::UserAgent)).unwrap_or("")
}

/// The Via of a new request; answers come back on the flow it leaves by.
pub fn via(ctx: &mut Ctx<'_>) -> String {
    format!("SIP/2.0/{} {};branch=z9hG4bK{};rport", ctx.me.transport, ctx.me.sent_by, ctx.rng.hex(20))
}

/// A request outside any dialog; Contact only where it begins one.
pub fn request(ctx: &mut Ctx<'_>, method: Method, to: &Uri) -> Request {
    let dialog = matches!(method, Method::Subscribe | Method::Invite | Method::Refer);
    let mut r = Request::new(method.clone(), to.clone());
    let me = ctx.me;
    let name = me.display_name.replace(['"', '\\'], "");
    let name = if name.is_empty() { String::new() } else { format!("\"{name}\" ") };
    r.headers
        .push(Name::Via, via(ctx))
        .push(Name::From, format!("{name}<{}>;tag={}", me.uri, ctx.rng.hex(16)))
        .push(Name::To, NameAddr::new(to.clone()).to_string())
        .push(Name::MaxForwards, "70")
        .push(Name::CallId, ctx.rng.hex(32))
        .push(Name::CSeq, format!("1 {method}"))
        .push(Name::UserAgent, me.user_agent.as_str())
        .push(Name::Allow, ALLOW);
    for route in &me.routes {
        r.headers.push(Name::Route, route.as_str());
    }
    if dialog {
        r.headers.push(Name::Contact, format!("<{}>", me.contact));
    }
    r
}
