//! The door for guests.

use super::super::ctx::Incoming;
use super::super::guests::{self, Guest};
use super::super::limits;
use super::{LogLevel, Output, Server};
use crate::domain::{Address, Time};
use crate::frontend::{Registration, RegistrationId};
use crate::lync::cccp::{C3pRequest, Command};
use crate::lync::diagnostics;
use crate::lync::diagnostics::Diagnostics;
use crate::sip::auth::{AuthHeader, DigestError};
use crate::sip::{FlowId, Method, Name, Request, ServerTx};

impl Server {
    /// A request of somebody without an account.
    pub(super) fn on_guest(&mut self, now: Time, flow: FlowId, tx: Option<ServerTx>, request: Request, user: Address) {
        let Some(f) = self.flows.get(&flow) else { return };
        if let Some(guest) = &f.guest {
            let allowed = guest.user == user && guest.may_send(&request);
            let from = self.state.registrations.on_flow(flow).next().map(|r| r.id);
            return match from.filter(|_| allowed) {
                Some(from) => self.let_through(now, flow, tx, request, user, from),
                None => self.refuse(now, flow, tx, &request, 403),
            };
        }
        let (Some(tx), Some((organizer, conference)), Method::Invite) = (tx, guests::conference_of(&request), &request.method)
        else {
            return self.refuse(now, flow, tx, &request, 403);
        };
        let Some(secret) = self.conferencing.secret_for_guests(&organizer, &conference) else {
            return self.turn_away(now, flow, tx, &request, 404, 3003, "This conference does not exist or has ended");
        };
        let Some(given) = request.headers.get(&Name::ProxyAuthorization).and_then(AuthHeader::parse) else {
            return self.ask_guest(now, tx, &request, false);
        };
        let focus = request.uri.to_string();
        match self.security.judge_guest(now, &given, &focus, &secret) {
            Ok(()) => self.seat_guest(now, flow, tx, request, Guest { user, organizer, conference }),
            Err(DigestError::Stale | DigestError::Replayed) => self.ask_guest(now, tx, &request, true),
            Err(_) if said_passcode(&request) => {
                self.turn_away(now, flow, tx, &request, 403, diagnostics::PASSCODE_WRONG, "The passcode is wrong");
            }
            Err(_) => {
                self.turn_away(now, flow, tx, &request, 403, diagnostics::PASSCODE_MISSING, "This conference needs a passcode")
            }
        }
    }

    fn seat_guest(&mut self, now: Time, flow: FlowId, tx: ServerTx, request: Request, guest: Guest) {
        let Some(contact) = request.headers.contact().map(|c| c.uri) else {
            return self.turn_away(now, flow, tx, &request, 400, 3007, "The request has no Contact");
        };
        let many = self.flows.values().filter(|f| f.guest.is_some()).count() >= limits::GUESTS;
        // An address belongs to the connection that made it.
        if many || self.state.registrations.count(&guest.user) > 0 {
            return self.turn_away(now, flow, tx, &request, 503, 3014, "No place for this guest now");
        }
        let user = guest.user.clone();
        let Some(f) = self.flows.get_mut(&flow) else { return };
        f.guest = Some(guest);
        let from = self.state.registrations.add(Registration {
            id: RegistrationId(0),
            user: user.clone(),
            epid: String::new(),
            instance: String::new(),
            gruu: format!("{user};opaque=user:epid:{};gruu", self.rng.hex(16)),
            contact,
            flow,
            secure: f.secure,
            expires: Time(u64::MAX),
            lync: true,
            trusted: false,
            call_id: request.headers.call_id().to_owned(),
            dialog_from: request.headers.get(&Name::From).unwrap_or("").to_owned(),
            cseq: 0,
            user_agent: request.headers.get(&Name::UserAgent).unwrap_or("").chars().take(200).collect(),
            since: now,
        });
        self.outputs.push_back(Output::Log(LogLevel::Info, format!("{user} comes as a guest")));
        self.let_through(now, flow, Some(tx), request, user, from);
    }

    fn let_through(
        &mut self,
        now: Time,
        flow: FlowId,
        tx: Option<ServerTx>,
        mut request: Request,
        caller: Address,
        from: RegistrationId,
    ) {
        for name in [Name::Authorization, Name::ProxyAuthorization, Name::PAssertedIdentity] {
            request.headers.remove(&name);
        }
        self.hand_to_module(now, Incoming { flow, tx, from, caller, request });
    }

    fn ask_guest(&mut self, now: Time, tx: ServerTx, request: &Request, stale: bool) {
        let mut response = request.response(407, &self.rng.hex(16));
        for (_, value) in self.security.challenges(now, false, stale, &mut self.rng) {
            response.headers.push(Name::ProxyAuthenticate, value);
        }
        self.layer.respond(now, tx, response);
    }

    #[allow(clippy::too_many_arguments)] // what a refusal says, and to whom
    fn turn_away(&mut self, now: Time, flow: FlowId, tx: ServerTx, request: &Request, status: u16, code: u32, reason: &str) {
        self.count_fault(flow);
        let why = Diagnostics::new(code, reason).from_source(&self.config.host).to_string();
        let response = request.response(status, &self.rng.hex(16)).with(Name::MsDiagnostics, why);
        self.layer.respond(now, tx, response);
    }
}

/// Whether a join carries a passcode at all.
fn said_passcode(request: &Request) -> bool {
    match C3pRequest::parse(&request.body).map(|r| r.command) {
        Ok(Command::AddUser(add)) => add.pass_code.is_some_and(|c| !c.trim().is_empty()),
        _ => false,
    }
}
