//! The contacts watched by one subscription (RFC 4662; `simple.md` 4.7): what its notifications say of each of them.

use crate::domain::{Address, Time};
use crate::endpoint::limits::LIST_SILENCE;
use crate::endpoint::service::Ctx;
use crate::endpoint::simple::event::{Heard, Package, Subscription};
use crate::simple::rlmi::{self, Resource};
use std::collections::{BTreeMap, BTreeSet};

const PACKAGE: Package =
    Package { event: "presence", accept: "application/pidf+xml, application/rlmi+xml, multipart/related", list: true };
/// Failures in a row after which people are subscribed to one by one.
const FAILURES: u32 = 2;

/// What the list says of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// These documents, one of each device.
    Documents(Vec<Vec<u8>>),
    /// Not agreed yet.
    Pending,
    /// They do not let us see it.
    Refused,
    /// Nothing for a while: nothing is published.
    Silent,
}

/// What came of a reply, a notification or a timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// This of these people; may be empty.
    People(Vec<(Address, Said)>),
    /// What was known is not any more; it is asked for again.
    Lost,
    /// This server has no such lists for us.
    Unsupported,
}

/// The list.
#[derive(Debug)]
pub struct List {
    service: Address,
    members: BTreeSet<Address>,
    pub subscription: Subscription,
    version: Option<u32>,
    /// Of whom something was said.
    heard_of: BTreeSet<Address>,
    /// Everybody else is offline then.
    silent_at: Option<Time>,
    failures: u32,
}

impl List {
    /// Not asked yet.
    pub fn new(service: Address, members: BTreeSet<Address>) -> List {
        List {
            subscription: Subscription::new(PACKAGE, &service),
            service,
            members,
            version: None,
            heard_of: BTreeSet::new(),
            silent_at: None,
            failures: 0,
        }
    }

    pub fn is(&self, service: &Address) -> bool {
        self.service == *service
    }

    pub fn covers(&self, who: &Address) -> bool {
        self.members.contains(who)
    }

    /// Other people are on it now; the server is asked what it has of them.
    pub fn set_members(&mut self, ctx: &Ctx<'_>, members: BTreeSet<Address>) {
        if self.members != members {
            self.members = members;
            self.silent_at = Some(ctx.now + LIST_SILENCE);
            self.subscription.refresh_at(ctx.now);
        }
    }

    /// The link is gone.
    pub fn reset(&mut self) {
        self.subscription.reset();
        (self.version, self.silent_at, self.failures) = (None, None, 0);
        self.heard_of.clear();
    }

    /// When [`List::on_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.subscription.poll_timeout(), self.silent_at].into_iter().flatten().min()
    }

    /// Asks, refreshes, or takes silence for an answer.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>) -> Told {
        let heard = self.subscription.on_timeout(ctx);
        if heard != Heard::Nothing {
            return self.hear(ctx, heard);
        }
        if self.silent_at.take_if(|t| *t <= ctx.now).is_none() {
            return Told::People(Vec::new());
        }
        let silent = self.members.iter().filter(|m| !self.heard_of.contains(*m));
        Told::People(silent.map(|m| (m.clone(), Said::Silent)).collect())
    }

    /// What a reply or a notification brought.
    pub fn hear(&mut self, ctx: &Ctx<'_>, heard: Heard) -> Told {
        match heard {
            Heard::Nothing => Told::People(Vec::new()),
            Heard::Document(_, body) if body.is_empty() => Told::People(Vec::new()),
            Heard::Document(media, body) => match rlmi::parse(&media, &body) {
                Some(list) => Told::People(self.notified(ctx, list)),
                None => Told::People(Vec::new()),
            },
            Heard::Refused(_) => Told::Unsupported,
            Heard::Lost => {
                self.failures += 1;
                (self.version, self.silent_at) = (None, None);
                // One that has never told anything is not waited for.
                let never = self.heard_of.is_empty();
                if never || self.failures >= FAILURES { Told::Unsupported } else { Told::Lost }
            }
        }
    }

    fn notified(&mut self, ctx: &Ctx<'_>, list: rlmi::List) -> Vec<(Address, Said)> {
        self.failures = 0;
        if list.full {
            self.silent_at = Some(ctx.now + LIST_SILENCE);
        } else if self.version.is_some_and(|v| list.version != v.wrapping_add(1)) {
            // Something is missing in between: what is here is right, and the rest is asked for.
            self.subscription.refresh_at(ctx.now);
        }
        self.version = Some(list.version);
        let mut said: BTreeMap<Address, Said> = BTreeMap::new();
        for (who, resource) in list.resources {
            let new = match resource {
                Resource::Unchanged => continue,
                Resource::Active(part) => match said.remove(&who) {
                    Some(Said::Documents(mut all)) => {
                        all.push(part.body);
                        Said::Documents(all)
                    }
                    _ => Said::Documents(vec![part.body]),
                },
                Resource::Pending => Said::Pending,
                Resource::Terminated(reason) if reason == "rejected" => Said::Refused,
                Resource::Terminated(_) => Said::Silent,
            };
            // One device that is there outweighs another that is not.
            if !matches!((said.get(&who), &new), (Some(Said::Documents(_)), Said::Pending | Said::Refused | Said::Silent)) {
                said.insert(who.clone(), new);
            }
            self.heard_of.insert(who);
        }
        said.into_iter().collect()
    }
}
