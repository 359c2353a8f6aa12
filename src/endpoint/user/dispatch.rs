//! The way of messages between link, transactions and services.

use super::wire::{Open, set_via};
use super::{UserEndpoint, simple};
use crate::endpoint::config::{EndpointKind, Output};
use crate::endpoint::limits::MAX_CHALLENGES;
use crate::endpoint::service::{Action, Handled, InternalEvent, Reply, ServiceId};
use crate::endpoint::{WebRequest, WireRecord};
use crate::sip::limits::T1_64;
use crate::sip::transaction::{self, Failure};
use crate::sip::{ClientTx, Message, Method, Name, Request, Response, ServerTx};

impl UserEndpoint {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Send { service, token, request } => {
                if !self.linked {
                    self.call(service, |s, ctx| s.on_reply(ctx, token, Reply::LinkLost));
                    return;
                }
                self.send(service, token, request, 0);
            }
            Action::Web(service, token, request) => {
                let request = self.web.send(service, token, request);
                self.ask_web(request);
            }
            Action::Beside(beside) => self.outputs.push_back(Output::Beside(beside)),
            Action::Note(text) => self.trace_note(text),
            Action::SendStateless(mut request) => {
                self.authorize(&mut request);
                self.layer.send_stateless(self.flow, Message::Request(request));
            }
            Action::Cancel(service, token) => {
                let found = self.sent.iter().find(|(_, v)| **v == (service, token)).map(|(tx, _)| *tx);
                if let Some(tx) = found {
                    self.layer.cancel(self.now, tx);
                }
            }
            Action::Respond(tx, response) => {
                if response.is_final() {
                    self.invites.remove(&tx);
                }
                self.layer.respond(self.now, tx, response);
            }
            Action::Emit(event) => self.events.push_back(event),
            Action::Internal(from, event) => self.tell(from, &event),
        }
    }

    pub(super) fn ask_web(&mut self, request: WebRequest) {
        self.trace_note(format!("HTTP {} {}:{}{}", request.method, request.host, request.port, request.path));
        self.outputs.push_back(Output::Web(request));
    }

    pub(super) fn tell(&mut self, from: ServiceId, event: &InternalEvent) {
        for s in self.services.iter().filter(|s| **s != from) {
            self.call(*s, |service, ctx| service.on_internal(ctx, event));
        }
    }

    pub(super) fn trace_note(&mut self, text: String) {
        if self.trace {
            self.outputs.push_back(Output::Trace(WireRecord::note(self.now, text)));
        }
    }

    pub(super) fn on_layer(&mut self, event: transaction::Event) {
        match event {
            transaction::Event::Request { tx, request, .. } => self.on_request(tx, request),
            transaction::Event::Cancelled { tx, cancel } => {
                if let Some(s) = self.invites.get(&tx).copied() {
                    self.call(s, |service, ctx| service.on_cancel(ctx, tx, &cancel));
                }
            }
            transaction::Event::Response { tx, response } => self.on_response(tx, response),
            transaction::Event::Failed { tx, failure } => self.on_failed(tx, failure),
        }
    }

    pub(super) fn on_failed(&mut self, tx: ClientTx, failure: Failure) {
        if self.register == Some(tx) {
            self.register = None;
            if failure == Failure::Timeout {
                self.registration.on_silence(self.now);
            }
            return;
        }
        if failure == Failure::Transport && self.send_after_all(tx) {
            return;
        }
        let reply = match failure {
            Failure::Timeout => Reply::Timeout,
            Failure::Transport => Reply::LinkLost,
        };
        self.open.remove(&tx);
        if let Some((s, token)) = self.sent.remove(&tx) {
            self.call(s, |service, ctx| service.on_reply(ctx, token, reply));
        }
    }

    /// Whether the server may ask for credentials with any request.
    pub(super) fn asked_by_request(&self) -> bool {
        self.simple.is_some() || self.kind == EndpointKind::Guest
    }

    /// On such a server: with the credentials that are known, before the transaction keeps it.
    pub(super) fn authorize(&mut self, request: &mut Request) {
        if self.asked_by_request() {
            self.registration.authorize(request);
        }
    }

    /// Standard servers ask for credentials request by request (`simple.md` 1.9): it leaves again with them, as another
    /// transaction. False when the answer is for the service.
    fn challenged(&mut self, tx: ClientTx, response: &Response) -> bool {
        if !response.is_final() {
            return false;
        }
        let Some(Open { mut request, tries, .. }) = self.open.remove(&tx) else { return false };
        if !matches!(response.status, 401 | 407) {
            self.registration.trusted_by_server();
            return false;
        }
        if tries >= MAX_CHALLENGES || !self.registration.challenged(&request, response) {
            return false;
        }
        let Some((service, token)) = self.sent.remove(&tx) else { return false };
        let cseq = request.headers.cseq().map_or(1, |c| c.number).saturating_add(1);
        request.headers.set(Name::CSeq, format!("{cseq} {}", request.method));
        set_via(&mut request, self.me.transport, Some(&self.rng.hex(20)));
        self.send(service, token, request, tries + 1);
        true
    }

    /// Transactions of answered INVITEs that are over in the layer, too.
    pub(super) fn forget_answered(&mut self) {
        while let Some((_, tx)) = self.answered.front().copied().filter(|a| a.0 <= self.now) {
            self.answered.pop_front();
            self.sent.remove(&tx);
        }
    }

    pub(super) fn on_response(&mut self, tx: ClientTx, response: Response) {
        if self.register == Some(tx) {
            if response.is_final() {
                self.register = None;
                self.registration.on_response(self.now, &response);
            }
            return;
        }
        if self.challenged(tx, &response) {
            return;
        }
        // A 2xx to INVITE may come again (another fork), so the entry of an INVITE stays as long as its transaction.
        let invite = response.headers.cseq().is_some_and(|c| c.method == Method::Invite);
        let more = invite && response.is_success();
        if more {
            self.answered.push_back((self.now + T1_64, tx));
        }
        let keep = !response.is_final() || more;
        let Some((s, token)) = (if keep { self.sent.get(&tx).copied() } else { self.sent.remove(&tx) }) else {
            return;
        };
        self.call(s, |service, ctx| service.on_reply(ctx, token, Reply::Response(response)));
    }

    pub(super) fn on_request(&mut self, tx: Option<ServerTx>, mut request: Request) {
        if is_registration_notice(&request) {
            if let Some(tx) = tx {
                self.layer.respond(self.now, tx, request.response(200, ""));
            }
            self.registration.on_notify(self.now, &request);
            return;
        }
        if let (Some(tx), true) = (tx, self.simple.is_some())
            && let Some(refusal) = request.refusal(simple::SUPPORTED, &self.rng.hex(10))
        {
            self.layer.respond(self.now, tx, refusal);
            return;
        }
        let invite = request.method == Method::Invite;
        for s in self.services {
            match self.call(*s, |service, ctx| service.on_request(ctx, tx, request)) {
                Handled::Yes => {
                    if let (true, Some(tx)) = (invite, tx) {
                        self.invites.insert(tx, *s);
                    }
                    return;
                }
                Handled::No(back) => request = back,
            }
        }
        if let Some(tx) = tx {
            let tag = self.rng.hex(10);
            let response = if self.simple.is_some() {
                simple::answer_to_stranger(&request, &tag)
            } else {
                answer_to_stranger(&request, &tag)
            };
            self.layer.respond(self.now, tx, response);
        }
    }
}

fn is_registration_notice(request: &Request) -> bool {
    let event = request.headers.get(&Name::Event).unwrap_or("");
    matches!(request.method, Method::Notify | Method::Benotify) && event.trim().eq_ignore_ascii_case("registration-notify")
}

/// What a request gets that no service wanted (`lync.md` 11, last lines).
fn answer_to_stranger(request: &Request, tag: &str) -> Response {
    match request.method {
        Method::Notify => request.response(200, tag),
        Method::Options => {
            request.response(200, tag).with("Allow", "INVITE, ACK, BYE, CANCEL, MESSAGE, INFO, OPTIONS, NOTIFY, BENOTIFY, REFER")
        }
        Method::Message | Method::Info | Method::Bye | Method::Refer | Method::Update => request.response(481, tag),
        Method::Invite => request.response(480, tag),
        _ => request.response(501, tag),
    }
}
