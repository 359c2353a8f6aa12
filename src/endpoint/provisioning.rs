//! Provisioning: asked once at sign-in (`lync.md` 4.2); it tells where conferences are made.

use super::roaming::{Heard, Roaming, Topic};
use super::service::{Ctx, InternalEvent, Reply, Service, Token};
use crate::domain::Time;
use crate::lync::provisioning as wire;
use crate::sip::Uri;

const TOPIC: Topic = Topic { event: wire::EVENT, accept: wire::CONTENT_TYPE, extra: &[], content_type: wire::CONTENT_TYPE };

/// The service.
#[derive(Debug)]
pub struct Provisioning {
    roaming: Roaming,
}

impl Default for Provisioning {
    fn default() -> Provisioning {
        Provisioning { roaming: Roaming::new(TOPIC) }
    }
}

impl Provisioning {
    fn ask(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.online && ctx.me.allows(TOPIC.event) {
            let me = Uri::from(&ctx.me.uri);
            self.roaming.subscribe(ctx, &me, wire::request_body(), Some(0));
        }
    }
}

impl Service for Provisioning {
    fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: Reply) {
        let Some(Heard::Document(document)) = self.roaming.on_reply(ctx.now, token, &reply) else { return };
        let told = wire::Provisioning::parse(&document.body).unwrap_or_default();
        ctx.tell(InternalEvent::Privacy(told.privacy));
        let factory = told.focus_factory;
        if let Some(factory) = factory.filter(|f| Uri::parse(f).is_some()) {
            ctx.tell(InternalEvent::FocusFactory(factory));
        }
    }

    fn on_online(&mut self, ctx: &mut Ctx<'_>) {
        self.roaming.reset();
        self.ask(ctx);
    }

    fn on_offline(&mut self, _ctx: &mut Ctx<'_>) {
        self.roaming.reset();
    }

    fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.roaming.is_due(ctx.now) {
            self.ask(ctx);
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        if self.roaming.is_pending() { None } else { self.roaming.poll_timeout() }
    }
}
