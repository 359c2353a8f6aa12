//! One request on its way to one or more endpoints, and the one answer that goes back (RFC 3261 §16.7).

use super::dialogs::{Made, Side};
use super::towards;
use crate::frontend::{Ctx, Incoming, RegistrationId, Reply, Token};
use crate::sip::{Method, Name, NameAddr, Request, Response, ServerTx, Uri};
use std::collections::{HashMap, VecDeque};

/// On the CANCEL of endpoints that were too late, so that they log no missed conversation (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";
/// On the CANCEL of the other endpoints when one declined for all.
const DECLINED: &str = "SIP;cause=603;text=\"Declined elsewhere\"";

/// All requests under way.
#[derive(Debug, Default)]
pub(super) struct Forks {
    forks: HashMap<u64, Fork>,
    by_token: HashMap<Token, u64>,
    by_tx: HashMap<ServerTx, u64>,
    /// Unanswered INVITEs by Call-ID and From tag.
    by_call: HashMap<(String, String), u64>,
    last: u64,
}

#[derive(Debug)]
struct Fork {
    tx: Option<ServerTx>,
    caller: RegistrationId,
    /// Headers that answers of our own, ACK and BYE are made of.
    origin: Request,
    user: crate::domain::Address,
    branches: Vec<Branch>,
    best: Option<Response>,
    /// The caller has its final answer.
    answered: bool,
    /// A dialog comes of a 2xx.
    makes_dialog: bool,
    /// Instances of an application that are asked when the present one cannot, and the request for them.
    rest: VecDeque<RegistrationId>,
    whole: Option<Request>,
}

#[derive(Debug)]
struct Branch {
    token: Token,
    target: RegistrationId,
    pending: bool,
}

impl Forks {
    /// Sends the request to all targets; at least one must be given.
    pub fn relay(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, targets: &[RegistrationId]) {
        let Incoming { tx, from, caller, request, .. } = incoming;
        let origin = skeleton(&request);
        self.last += 1;
        let id = self.last;
        let invite = request.method == Method::Invite;
        let makes_dialog = invite && origin.headers.to().is_some_and(|t| t.tag().is_none());
        let mut branches = Vec::with_capacity(targets.len());
        let mut request = Some(request);
        for (i, target) in targets.iter().enumerate() {
            let last = i + 1 == targets.len();
            let Some(copy) = (if last { request.take() } else { request.clone() }) else { break };
            let copy = towards(ctx, copy, *target);
            let token = ctx.send(*target, copy);
            self.by_token.insert(token, id);
            branches.push(Branch { token, target: *target, pending: true });
        }
        if invite {
            if let Some(tx) = tx {
                self.by_tx.insert(tx, id);
            }
            self.by_call.insert(call_key(&origin), id);
        }
        let (best, answered, rest, whole) = (None, false, VecDeque::new(), None);
        let fork = Fork { tx, caller: from, origin, user: caller, branches, best, answered, makes_dialog, rest, whole };
        self.forks.insert(id, fork);
    }

    /// Sends the request to the first target; when that one drains, is full or goes away, to the next.
    pub fn hunt(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming, mut targets: Vec<RegistrationId>) {
        if targets.is_empty() {
            return;
        }
        let first = targets.remove(0);
        let whole = (!targets.is_empty()).then(|| incoming.request.clone());
        self.relay(ctx, incoming, &[first]);
        if let Some(fork) = self.forks.get_mut(&self.last) {
            (fork.rest, fork.whole) = (targets.into(), whole);
        }
    }

    /// Asks the next instance, if the last one could not and there is one.
    fn ask_next(&mut self, ctx: &mut Ctx<'_>, id: u64) {
        let Some(fork) = self.forks.get_mut(&id) else { return };
        let passed_on = fork.best.as_ref().is_some_and(|b| matches!(b.status, 408 | 430 | 480 | 500..=599));
        if fork.answered || !passed_on || fork.branches.iter().any(|b| b.pending) {
            return;
        }
        let (Some(target), Some(whole)) = (fork.rest.pop_front(), fork.whole.clone()) else { return };
        fork.best = None;
        let request = towards(ctx, whole, target);
        let token = ctx.send(target, request);
        fork.branches.push(Branch { token, target, pending: true });
        self.by_token.insert(token, id);
    }

    /// Whose request a reply is for, and its headers.
    pub fn asked(&self, token: Token) -> Option<(&crate::domain::Address, &Request)> {
        let fork = self.forks.get(self.by_token.get(&token)?)?;
        Some((&fork.user, &fork.origin))
    }

    /// A reply of a branch. Returns the dialog a 2xx made.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) -> Option<Made> {
        let id = *self.by_token.get(&token)?;
        let fork = self.forks.get_mut(&id)?;
        let response = match reply {
            Reply::Response(response) => response,
            Reply::Timeout => fork.origin.response(408, &ctx.rng.hex(16)),
            Reply::Lost => fork.origin.response(480, &ctx.rng.hex(16)),
        };
        if !response.is_final() {
            if response.status > 100 && !fork.answered {
                ctx.respond(fork.tx, fork.restored(response));
            }
            return None;
        }
        let made = fork.final_response(ctx, token, response);
        self.by_token.remove(&token);
        self.ask_next(ctx, id);
        self.settle(ctx, id);
        made
    }

    /// CANCEL by the caller.
    pub fn cancel(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, reason: Option<&str>) {
        if let Some(fork) = self.by_tx.get(&tx).and_then(|id| self.forks.get_mut(id)) {
            fork.give_up(ctx, reason);
        }
        self.by_tx.remove(&tx);
    }

    /// BYE for an INVITE without answer. `false` when there is none.
    pub fn hang_up(&mut self, ctx: &mut Ctx<'_>, call_id: &str, tag: &str) -> bool {
        let key = (call_id.to_owned(), tag.to_owned());
        let Some(fork) = self.by_call.get(&key).and_then(|id| self.forks.get_mut(id)) else { return false };
        if fork.answered {
            return false;
        }
        fork.give_up(ctx, None);
        true
    }

    /// The caller's endpoint is gone: nobody waits for its INVITEs any more.
    pub fn caller_gone(&mut self, ctx: &mut Ctx<'_>, caller: RegistrationId) {
        for fork in self.forks.values_mut().filter(|f| f.caller == caller && f.origin.method == Method::Invite) {
            fork.tx = None;
            fork.give_up(ctx, None);
        }
    }

    /// Answers the caller when all branches have ended, and forgets what is over.
    fn settle(&mut self, ctx: &mut Ctx<'_>, id: u64) {
        let Some(fork) = self.forks.get_mut(&id) else { return };
        if fork.branches.iter().any(|b| b.pending) {
            return;
        }
        if !fork.answered
            && let Some(best) = fork.best.take()
        {
            ctx.respond(fork.tx, best);
        }
        if let Some(fork) = self.forks.remove(&id)
            && fork.origin.method == Method::Invite
        {
            if let Some(tx) = fork.tx {
                self.by_tx.remove(&tx);
            }
            let key = call_key(&fork.origin);
            // The same Call-ID may have been used for a newer INVITE meanwhile.
            if self.by_call.get(&key) == Some(&id) {
                self.by_call.remove(&key);
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.forks.len()
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.forks.is_empty() && self.by_token.is_empty() && self.by_tx.is_empty() && self.by_call.is_empty()
    }
}

impl Fork {
    fn final_response(&mut self, ctx: &mut Ctx<'_>, token: Token, response: Response) -> Option<Made> {
        let branch = self.branches.iter_mut().find(|b| b.token == token)?;
        branch.pending = false;
        let target = branch.target;
        if response.is_success() {
            return self.success(ctx, target, response);
        }
        if self.answered {
            return None;
        }
        let response = self.restored(response);
        if response.status >= 600 && self.origin.method == Method::Invite {
            self.answered = true;
            ctx.respond(self.tx, response);
            self.cancel_rest(ctx, Some(DECLINED));
        } else if self.best.as_ref().is_none_or(|b| rank(response.status) < rank(b.status)) {
            self.best = Some(response);
        }
        None
    }

    fn success(&mut self, ctx: &mut Ctx<'_>, target: RegistrationId, response: Response) -> Option<Made> {
        if self.answered {
            if self.makes_dialog {
                self.refuse_late(ctx, target, &response);
            }
            return None;
        }
        self.answered = true;
        let made = self.makes_dialog.then(|| self.dialog(ctx, target, &response)).flatten();
        let response = self.restored(response);
        ctx.respond(self.tx, response);
        self.cancel_rest(ctx, Some(ELSEWHERE));
        made
    }

    /// The caller does not want it any more.
    fn give_up(&mut self, ctx: &mut Ctx<'_>, reason: Option<&str>) {
        if !self.answered {
            self.answered = true;
            let response = ctx.response(&self.origin, 487);
            ctx.respond(self.tx, response);
            self.cancel_rest(ctx, reason);
        }
    }

    fn cancel_rest(&self, ctx: &mut Ctx<'_>, reason: Option<&str>) {
        if self.origin.method != Method::Invite {
            return;
        }
        for branch in self.branches.iter().filter(|b| b.pending) {
            match reason {
                Some(reason) => ctx.cancel_because(branch.token, reason),
                None => ctx.cancel(branch.token),
            }
        }
    }

    /// The response as the caller must see it: its own Via lines, and nothing the callee said to this front end alone.
    fn restored(&self, mut response: Response) -> Response {
        let headers = &mut response.headers;
        for name in [Name::Via, Name::RecordRoute, Name::AuthenticationInfo, Name::ProxyAuthenticationInfo, Name::WwwAuthenticate]
        {
            headers.remove(&name);
        }
        let vias: Vec<&str> = self.origin.headers.all(&Name::Via).collect();
        for via in vias.into_iter().rev() {
            headers.push_front(Name::Via, via);
        }
        response
    }

    fn dialog(&self, ctx: &Ctx<'_>, target: RegistrationId, response: &Response) -> Option<Made> {
        let to = response.headers.to()?;
        let from = self.origin.headers.from()?;
        let callee = ctx.registration(target)?.user.clone();
        let side = |name: &NameAddr, user, registration, cseq| Side {
            user,
            registration,
            tag: name.tag().unwrap_or("").to_owned(),
            name: name.to_string(),
            cseq,
            returned: false,
        };
        let number = self.origin.headers.cseq().map_or(1, |c| c.number);
        Some(Made {
            call_id: self.origin.headers.call_id().to_owned(),
            caller: side(&from, self.user.clone(), self.caller, number),
            callee: side(&to, callee, target, 0),
        })
    }

    /// A 2xx after the race was decided: the endpoint believes in a dialog, so it is acknowledged and ended at once.
    fn refuse_late(&self, ctx: &mut Ctx<'_>, target: RegistrationId, response: &Response) {
        let Some(registered) = ctx.registration(target).map(|r| r.contact.clone()) else { return };
        let uri: Uri = response.headers.contact().map_or(registered, |c| c.uri);
        let number = self.origin.headers.cseq().map_or(1, |c| c.number);
        let make = |method: Method, number: u32| {
            let mut r = Request::new(method.clone(), uri.clone());
            r.headers.push(Name::MaxForwards, "70");
            r.headers.push(Name::From, self.origin.headers.get(&Name::From).unwrap_or(""));
            r.headers.push(Name::To, response.headers.get(&Name::To).unwrap_or(""));
            r.headers.push(Name::CallId, self.origin.headers.call_id());
            r.headers.push(Name::CSeq, format!("{number} {method}"));
            r
        };
        ctx.send_stateless(target, make(Method::Ack, number));
        ctx.send(target, make(Method::Bye, number.saturating_add(1)).with(Name::Reason, ELSEWHERE));
    }
}

/// Smaller is better: a decision for everybody, a decision of one person, other refusals, then “not there” and “no answer”.
fn rank(status: u16) -> u8 {
    match status {
        600.. => 0,
        486 => 1,
        480 | 430 => 4,
        408 => 5,
        487 => 6,
        500..=599 => 3,
        _ => 2,
    }
}

fn call_key(request: &Request) -> (String, String) {
    let tag = request.headers.from().and_then(|f| f.tag().map(str::to_owned)).unwrap_or_default();
    (request.headers.call_id().to_owned(), tag)
}

/// A request with no more than responses are made of.
fn skeleton(request: &Request) -> Request {
    let mut out = Request::new(request.method.clone(), request.uri.clone());
    for (name, value) in request.headers.iter() {
        if matches!(name, Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq) {
            out.headers.push(name.clone(), value);
        }
    }
    out
}
