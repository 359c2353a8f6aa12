//! Requests between users: IM proxy and forking (lync-conversations.md 1).

use super::{Ctx, Incoming, Module};

/// The proxy between users.
#[derive(Debug, Default)]
pub struct Routing {}

impl Module for Routing {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        ctx.respond_status(&incoming, 480);
    }
}
