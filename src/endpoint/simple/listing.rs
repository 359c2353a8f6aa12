//! The contacts as one list that can be subscribed to (`rls-services`, RFC 4826): kept up to date on the server, and told to
//! presence when it stands there.

use super::remote::{News, Remote};
use crate::domain::{Address, Time};
use crate::endpoint::service::{Ctx, InternalEvent, Token};
use crate::endpoint::web::{WebAnswer, WebPlace};
use crate::simple::rls_services::RlsServices;
use crate::simple::xcap::Document;

/// The list as a service.
#[derive(Debug)]
pub struct Listing {
    remote: Remote,
    document: Option<RlsServices>,
    /// Who is to be on it.
    wanted: Option<Vec<Address>>,
    writing: Option<RlsServices>,
    tried: bool,
    /// This server takes no such lists.
    unsupported: bool,
}

/// The address of our list: no user has it, and other programs have other ones.
fn service_of(me: &Address) -> Option<Address> {
    Address::parse(&format!("{}-adsum@{}", me.user(), me.host())).ok()
}

impl Listing {
    /// Not known yet.
    pub fn new(place: WebPlace) -> Listing {
        let remote = Remote::new(place, Document::RlsServices);
        Listing { remote, document: None, wanted: None, writing: None, tried: false, unsupported: false }
    }

    /// Begins anew with the next registration.
    pub fn reset(&mut self) {
        self.remote.reset();
        (self.document, self.wanted, self.writing, self.tried, self.unsupported) = (None, None, None, false, false);
    }

    /// Whether anybody has been wanted on this registration.
    pub fn was_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// These people are to be on it. Presence is told when they are, or cannot be.
    pub fn want(&mut self, ctx: &mut Ctx<'_>, wanted: Vec<Address>) {
        let first = self.wanted.is_none();
        self.wanted = Some(wanted);
        self.tried = false;
        if self.unsupported {
            self.ready(ctx, None);
        } else if self.document.is_some() {
            self.settle(ctx);
        } else if first && !self.remote.is_busy() {
            self.remote.fetch(ctx);
        }
    }

    fn ready(&self, ctx: &mut Ctx<'_>, service: Option<Address>) {
        let wanted = self.wanted.clone().unwrap_or_default();
        ctx.tell(InternalEvent::List { members: service.iter().flat_map(|_| wanted.clone()).collect(), service });
        ctx.tell(InternalEvent::Wanted(wanted));
    }

    /// Writes what differs, or says that it stands.
    fn settle(&mut self, ctx: &mut Ctx<'_>) {
        if self.remote.is_busy() {
            return;
        }
        let (Some(document), Some(wanted), Some(service)) = (&self.document, &self.wanted, service_of(&ctx.me.uri)) else {
            return;
        };
        let there = document.members(&service);
        if there.as_ref() == Some(wanted) || (there.is_none() && wanted.is_empty()) {
            let service = (!wanted.is_empty()).then_some(service);
            return self.ready(ctx, service);
        }
        let mut changed = document.clone();
        changed.set(&service, wanted);
        self.remote.write(ctx, changed.to_bytes());
        self.writing = Some(changed);
    }

    /// An answer, if it is one to this list.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_>, token: Token, answer: &Result<WebAnswer, String>) {
        let Some(news) = self.remote.on_web(ctx, token, answer) else { return };
        let writing = self.writing.take();
        match news {
            News::Fetched(body) => match body.map_or(Ok(RlsServices::default()), |b| RlsServices::parse(&b)) {
                Ok(document) => {
                    self.document = Some(document);
                    self.settle(ctx);
                }
                Err(_) => self.give_up(ctx),
            },
            News::Unchanged => self.settle(ctx),
            News::Written => {
                self.document = writing;
                self.settle(ctx);
            }
            News::Conflict(_) if !self.tried => {
                self.tried = true;
                self.remote.fetch(ctx);
            }
            News::Conflict(_) | News::Refused(_) | News::Away(_) => self.give_up(ctx),
        }
    }

    /// People are subscribed to one by one on this registration.
    fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        self.unsupported = true;
        self.remote.reset();
        self.ready(ctx, None);
    }

    /// Looks whether somebody else changed it.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>) {
        if self.remote.is_due(ctx.now) && !self.unsupported {
            self.remote.fetch(ctx);
        }
    }

    /// When to look.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.remote.poll_timeout().filter(|_| !self.unsupported)
    }
}
