//! Calls: none can be taken yet. Whoever calls hears why, and the person called is told; other devices go on ringing, so
//! nothing above 499 is answered.

use crate::domain::{Address, Time};
use crate::endpoint::Event;
use crate::endpoint::limits::{CALL_TOLD_AGAIN, MAX_CALLERS};
use crate::endpoint::service::Ctx;
use crate::sip::{Name, Request, ServerTx};
use std::collections::VecDeque;

/// The reason phrase; phones show it.
const REASON: &str = "This program takes no calls yet";

/// Who called lately.
#[derive(Debug, Default)]
pub(super) struct Calls {
    told: VecDeque<(Address, Time)>,
}

impl Calls {
    /// Declines an INVITE.
    pub fn decline(&mut self, ctx: &mut Ctx<'_>, tx: Option<ServerTx>, request: &Request) {
        let Some(tx) = tx else { return };
        let tag = ctx.rng.hex(16);
        if request.headers.to().is_some_and(|t| t.tag().is_some()) {
            let gone = request.response(481, &tag);
            return ctx.respond(tx, gone);
        }
        let mut response = request.response(488, &tag);
        response.reason = REASON.into();
        response.headers.push(Name::Warning, format!("399 adsum \"{REASON}; write a message instead\""));
        ctx.respond(tx, response);
        if let Some(from) = request.headers.from().and_then(|f| f.uri.address()) {
            self.tell(ctx, from);
        }
    }

    fn tell(&mut self, ctx: &mut Ctx<'_>, from: Address) {
        let now = ctx.now;
        self.told.retain(|t| t.1 + CALL_TOLD_AGAIN > now);
        if self.told.iter().any(|t| t.0 == from) || self.told.len() >= MAX_CALLERS {
            return;
        }
        self.told.push_back((from.clone(), now));
        ctx.emit(Event::Notice(format!("{} called you. Calls cannot be taken here yet; write to them.", from.bare())));
        ctx.emit(Event::Missed { from, toast: "called; calls cannot be taken here yet".into() });
    }
}
