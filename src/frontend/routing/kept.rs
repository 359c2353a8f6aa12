//! Messages for people who are not signed in, kept until they are (`docs/decisions/conversations.md`).
//!
//! A client whose INVITE was refused because nobody is there sends the text as a MESSAGE outside dialogs. It is answered 202
//! with a `Message-Id`, delivered to the first endpoint that signs in, oldest first, with the `Date` of its writing, and then
//! reported to its author's endpoints under that id.

use super::{Incoming, towards};
use crate::domain::Address;
use crate::frontend::limits::{KEPT_BYTES, KEPT_FOR, KEPT_PER_USER};
use crate::frontend::{Ctx, KeptMessage, RegistrationId, Reply, StoreOp, Token};
use crate::lync::im::{self, DeliveryReport, FailedRecipient};
use crate::lync::time;
use crate::sip::{Method, Name, Request, Uri, multipart};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Content types that are kept: what a person wrote.
const TYPES: [&str; 4] = ["text/plain", "text/html", "text/rtf", "multipart/alternative"];

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    of: BTreeMap<Address, VecDeque<KeptMessage>>,
    /// On their way: one at a time for each person, so that they arrive in order.
    flying: HashMap<Token, (Address, RegistrationId)>,
}

impl Kept {
    /// What was kept when the front end ended last.
    pub fn load(&mut self, messages: Vec<KeptMessage>) {
        for m in messages {
            self.of.entry(m.to.clone()).or_default().push_back(m);
        }
        self.of.values_mut().for_each(|all| all.make_contiguous().sort_by_key(|m| m.at));
    }

    /// How many are on their way.
    pub fn len(&self) -> usize {
        self.flying.len()
    }

    /// Whether a message is of the kind that is kept.
    pub fn takes(request: &Request) -> bool {
        let kind = request.headers.get(&Name::ContentType).unwrap_or("text/plain");
        request.method == Method::Message && TYPES.iter().any(|t| multipart::is_type(kind, t))
    }

    /// Takes a message in. A blocked author hears the same and nothing is kept.
    pub fn take(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, to: &Address, blocked: bool) {
        let request = &incoming.request;
        if request.body.len() > KEPT_BYTES {
            return ctx.refuse(incoming, 413, 4010, "The message is too long to be kept");
        }
        self.expire(ctx, to);
        let waiting = self.of.entry(to.clone()).or_default();
        if waiting.len() >= KEPT_PER_USER && !blocked {
            return ctx.refuse(incoming, 480, 4011, "Too many messages wait for this user");
        }
        let id = ctx.rng.hex(24);
        if !blocked {
            let header = |name: &Name| request.headers.get(name).unwrap_or("").to_owned();
            let message = KeptMessage {
                id: id.clone(),
                from: incoming.caller.clone(),
                to: to.clone(),
                at: ctx.now,
                conversation: header(&Name::MsConversationId),
                content_type: header(&Name::ContentType),
                body: request.body.clone(),
            };
            waiting.push_back(message.clone());
            ctx.store(StoreOp::PutKept(message));
        }
        let answer = ctx.response(request, 202).with(Name::MessageId, id);
        ctx.respond(incoming.tx, answer);
    }

    /// Somebody signed in: the oldest message leaves; the answer brings the next.
    pub fn deliver(&mut self, ctx: &mut Ctx<'_>, at: RegistrationId) {
        let Some((user, contact)) = ctx.registration(at).map(|r| (r.user.clone(), r.contact.clone())) else { return };
        if self.is_flying(&user) {
            return;
        }
        self.expire(ctx, &user);
        let Some(waiting) = self.of.get_mut(&user) else { return };
        let Some(m) = waiting.front().cloned() else {
            self.of.remove(&user);
            return;
        };
        let author = from_of(ctx, &m.from);
        let mut request = ctx.request(Method::Message, &contact, m.from.as_str(), user.as_str());
        let tag = request.headers.from().and_then(|f| f.tag().map(str::to_owned)).unwrap_or_default();
        request.headers.set(Name::From, format!("{author};tag={tag}"));
        request.headers.push(Name::Date, time::seconds_z(m.at));
        // An answer may get lost on a bad link; the same name tells that the message comes again.
        request.headers.push(im::message_name(), m.id);
        if !m.conversation.is_empty() {
            request.headers.push(Name::MsConversationId, m.conversation);
        }
        let request = towards(ctx, request.with_body(&m.content_type, m.body), at);
        let token = ctx.send(at, request);
        self.flying.insert(token, (user, at));
    }

    fn is_flying(&self, user: &Address) -> bool {
        self.flying.values().any(|f| f.0 == *user)
    }

    /// What has waited too long goes, but not the first of all while it is on its way.
    fn expire(&mut self, ctx: &mut Ctx<'_>, user: &Address) {
        if self.is_flying(user) {
            return;
        }
        let Some(waiting) = self.of.get_mut(user) else { return };
        while waiting.front().is_some_and(|m| m.at + KEPT_FOR <= ctx.now) {
            if let Some(old) = waiting.pop_front() {
                ctx.store(StoreOp::DeleteKept { to: old.to, id: old.id });
            }
        }
    }

    /// An endpoint answered. False when the answer is to something else.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, token: Token, reply: &Reply) -> bool {
        let Some((user, at)) = self.flying.get(&token).cloned() else { return false };
        let status = match reply {
            Reply::Response(r) if !r.is_final() => return true,
            Reply::Response(r) => r.status,
            Reply::Timeout | Reply::Lost => 480,
        };
        self.flying.remove(&token);
        // Not there after all: it waits for the next sign-in.
        if matches!(status, 408 | 430 | 480 | 481 | 500..=599) {
            return true;
        }
        let Some(m) = self.of.get_mut(&user).and_then(VecDeque::pop_front) else { return true };
        ctx.store(StoreOp::DeleteKept { to: m.to.clone(), id: m.id.clone() });
        report(ctx, &m, status);
        self.deliver(ctx, at);
        true
    }

    /// An account is gone, and with it what waits for it.
    pub fn remove_user(&mut self, ctx: &mut Ctx<'_>, user: &Address) {
        for m in self.of.remove(user).into_iter().flatten() {
            ctx.store(StoreOp::DeleteKept { to: m.to, id: m.id });
        }
    }
}

fn from_of(ctx: &Ctx<'_>, who: &Address) -> String {
    format!("\"{}\" <{who}>", ctx.display_name(who).replace(['"', '\\'], "'"))
}

/// Tells the author's endpoints what became of a kept message.
fn report(ctx: &mut Ctx<'_>, m: &KeptMessage, status: u16) {
    let failed = (status >= 300).then(|| FailedRecipient { uri: m.to.clone(), status, diagnostics: String::new() });
    let body = DeliveryReport { message_id: m.id.clone(), failed: failed.into_iter().collect() }.to_bytes();
    let endpoints: Vec<(RegistrationId, Uri)> = ctx.registrations_of(&m.from).map(|r| (r.id, r.contact.clone())).collect();
    for (at, contact) in endpoints {
        let request = ctx.request(Method::Message, &contact, m.to.as_str(), m.from.as_str());
        let request = request.with_body(im::report::CONTENT_TYPE, body.clone());
        ctx.send(at, request);
    }
}
