//! Focus factory, focus and IM MCU (lync-conversations.md 3 and later).

use super::{Ctx, Incoming, Module};
use crate::domain::conference::Conference;

/// All conferences of this front end.
#[derive(Debug, Default)]
pub struct Conferencing {}

impl Conferencing {
    /// With what was kept.
    pub fn new(_conferences: Vec<Conference>) -> Conferencing {
        Conferencing::default()
    }
}

impl Module for Conferencing {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, incoming: Incoming) {
        ctx.respond_status(&incoming, 404);
    }
}
