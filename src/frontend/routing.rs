//! Requests between users: the IM proxy with forking (lync-conversations.md 1, lync.md 11).
//!
//! An INVITE or MESSAGE outside dialogs goes to every endpoint of the callee; the best answer goes back ([`fork`]). A 2xx to an
//! INVITE binds the dialog to the endpoint that gave it ([`dialogs`]); later requests go there alone. The proxy leaves no
//! Record-Route: clients send all they have to their one connection anyway (lync.md 1.6).

mod dialogs;
mod fork;
mod kept;
#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod tests;

use super::{Ctx, Incoming, LogLevel, Module, Reach, Registration, RegistrationId, Reply, Token};
use crate::domain::{Address, Time};
use crate::lync::im;
use crate::sip::{Method, Name, Request, ServerTx};
use dialogs::Dialogs;
use fork::Forks;
use kept::Kept;

/// The proxy between users.
#[derive(Debug, Default)]
pub struct Routing {
    forks: Forks,
    dialogs: Dialogs,
    kept: Kept,
}

impl Module for Routing {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, mut incoming: Incoming) {
        if !strip(&mut incoming.request) {
            return ctx.respond_status(&incoming, 483);
        }
        let in_dialog = incoming.request.headers.to().is_some_and(|t| t.tag().is_some());
        match (&incoming.request.method, in_dialog) {
            (Method::Ack, _) => self.ack(ctx, incoming),
            (Method::Bye, false) => self.early_bye(ctx, &incoming),
            (_, true) => self.within_dialog(ctx, incoming),
            (_, false) => self.outside_dialog(ctx, incoming),
        }
    }

    fn on_cancel(&mut self, ctx: &mut Ctx<'_>, tx: ServerTx, cancel: Request) {
        let reason = cancel.headers.get(&Name::Reason).map(str::to_owned);
        self.forks.cancel(ctx, tx, reason.as_deref());
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        if self.kept.on_reply(ctx, token, &reply) {
            return;
        }
        if let Some((user, request)) = self.forks.asked(token).filter(|_| unknown_there(&reply)) {
            self.dialogs.remove(user, request);
        }
        if let Some(made) = self.forks.on_reply(ctx, token, reply) {
            self.dialogs.add(made);
        }
    }

    fn on_registration_added(&mut self, ctx: &mut Ctx<'_>, id: RegistrationId) {
        if let Some(registration) = ctx.registration(id) {
            self.dialogs.rebind(registration);
        }
        self.kept.deliver(ctx, id);
    }

    fn on_registration_lost(&mut self, ctx: &mut Ctx<'_>, registration: &Registration) {
        self.forks.caller_gone(ctx, registration.id);
        self.dialogs.lost(ctx, registration);
    }

    fn on_user_removed(&mut self, ctx: &mut Ctx<'_>, user: &Address) {
        self.kept.remove_user(ctx, user);
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        self.dialogs.on_timeout(ctx);
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.dialogs.poll_timeout()
    }
}

impl Routing {
    /// With the messages that wait for people.
    pub fn new(kept: Vec<super::KeptMessage>) -> Routing {
        let mut routing = Routing::default();
        routing.kept.load(kept);
        routing
    }

    /// Requests on their way, and dialogs.
    pub fn under_way(&self) -> (usize, usize) {
        (self.forks.len() + self.kept.len(), self.dialogs.len())
    }

    /// The ACK of a 2xx travels on its own and is never answered.
    fn ack(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        let target = match self.dialogs.peer(ctx, &incoming) {
            Some(peer) => peer,
            None => ctx.registration_by_uri(&incoming.request.uri).map(|r| r.id),
        };
        if let Some(target) = target {
            let request = towards(ctx, incoming.request, target);
            ctx.send_stateless(target, request);
        }
    }

    /// A client that never CANCELs ends its unanswered INVITE with a BYE without To tag (lync-conversations.md 0.5, rule 6).
    /// When the answer crossed it, the dialog stands and must end at the other side too.
    fn early_bye(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming) {
        let call_id = incoming.request.headers.call_id();
        let tag = incoming.request.headers.from().and_then(|f| f.tag().map(str::to_owned)).unwrap_or_default();
        let known = self.forks.hang_up(ctx, call_id, &tag) || self.dialogs.end_of_caller(ctx, incoming.from, call_id, &tag);
        ctx.respond_status(incoming, if known { 200 } else { 481 });
    }

    fn within_dialog(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        let bye = incoming.request.method == Method::Bye;
        let target = match self.dialogs.peer(ctx, &incoming) {
            // The dialog is ours. Its other side may be away for a moment: the flow to it failed (RFC 5626 §11.6).
            Some(peer) => peer.ok_or(430),
            None => stranger_target(ctx, &incoming),
        };
        if bye {
            self.dialogs.remove(&incoming.caller, &incoming.request);
        }
        match target {
            Ok(target) => self.forks.relay(ctx, incoming, &[target]),
            // Nobody is left to hear it, and the sender is done with the dialog in any case.
            Err(_) if bye => ctx.respond_status(&incoming, 200),
            Err(status) => ctx.refuse(&incoming, status, 4006, "The other side of the conversation is gone"),
        }
    }

    fn outside_dialog(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        if incoming.request.method == Method::Invite && self.dialogs.count(incoming.from) >= super::limits::DIALOGS_PER_ENDPOINT {
            ctx.log(LogLevel::Warn, format!("{} has too many dialogs", incoming.caller));
            return ctx.refuse(&incoming, 503, 4007, "Too many conversations are open at this endpoint");
        }
        let Some(owner) = callee(ctx, &incoming) else {
            return ctx.refuse(&incoming, 404, 4005, "Destination URI either not enabled for SIP or does not exist");
        };
        // A blocked caller must not learn that it is blocked.
        let blocked = match ctx.reach(&owner, &incoming.caller) {
            Reach::Allow => false,
            Reach::DoNotDisturb => return ctx.refuse(&incoming, 486, 4008, "The user does not want to be disturbed"),
            Reach::Blocked => true,
        };
        let targets = if blocked { Vec::new() } else { targets(ctx, &incoming, &owner) };
        let application = ctx.is_application(&owner);
        match targets.as_slice() {
            [] if Kept::takes(&incoming.request) && owner != incoming.caller && !application => {
                self.kept.take(ctx, &incoming, &owner, blocked);
            }
            [] => unavailable(ctx, &incoming),
            // One instance of an application is asked after the other; all devices of a person ring at once.
            all if application => self.forks.hunt(ctx, incoming, self.dialogs.least_busy(all)),
            all => self.forks.relay(ctx, incoming, all),
        }
    }
}

/// The other side has no such dialog (any more): for the sender it is over, too (RFC 3261 §12.2.1.2).
fn unknown_there(reply: &Reply) -> bool {
    matches!(reply, Reply::Response(r) if r.status == 481)
}

fn unavailable(ctx: &mut Ctx<'_>, incoming: &Incoming) {
    ctx.refuse_with(incoming, 480, 4009, "The user is not signed in", (Name::Supported, im::KEEPS_MESSAGES));
}

/// The account a request is for. A Contact in IP form (`sip:bob@192.0.2.4:50000`) belongs to nobody here.
fn callee(ctx: &Ctx<'_>, incoming: &Incoming) -> Option<Address> {
    let owner = incoming.request.uri.address()?;
    (ctx.user(&owner).is_some() || ctx.is_application(&owner)).then_some(owner)
}

/// All endpoints of the owner but the sender itself; a GRUU names one.
fn targets(ctx: &Ctx<'_>, incoming: &Incoming, owner: &Address) -> Vec<RegistrationId> {
    if incoming.request.uri.param("opaque").is_some() {
        return ctx.registration_by_uri(&incoming.request.uri).map(|r| r.id).into_iter().collect();
    }
    ctx.registrations_of(owner).map(|r| r.id).filter(|id| *id != incoming.from).collect()
}

/// Where a request of a dialog goes that this front end does not know (it was restarted, or the request is forged): only to
/// a named endpoint, and only if an invitation would get there too.
fn stranger_target(ctx: &Ctx<'_>, incoming: &Incoming) -> Result<RegistrationId, u16> {
    let target = ctx.registration_by_uri(&incoming.request.uri).ok_or(481u16)?;
    if ctx.reach(&target.user, &incoming.caller) == Reach::Blocked { Err(481) } else { Ok(target.id) }
}

/// Takes out what concerns only the hop to us. `false` when the request has made too many hops.
fn strip(request: &mut Request) -> bool {
    let left = request.headers.get(&Name::MaxForwards).map_or(Some(70), |v| v.trim().parse::<u32>().ok());
    let Some(left) = left.unwrap_or(70).checked_sub(1) else { return false };
    let headers = &mut request.headers;
    headers.set(Name::MaxForwards, left.min(255).to_string());
    for name in [Name::Route, Name::RecordRoute, Name::Authorization, Name::ProxyAuthorization] {
        headers.remove(&name);
    }
    true
}

/// The request for one endpoint: its registered Contact is the Request-URI.
fn towards(ctx: &Ctx<'_>, mut request: Request, target: RegistrationId) -> Request {
    if let Some(r) = ctx.registration(target) {
        request.uri = r.contact.clone();
    }
    request
}
