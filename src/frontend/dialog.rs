//! A subscription dialog as the server holds it: what is needed to notify (lync.md 4 and 8.3).

use super::timers::Timers;
use super::{Ctx, Incoming, RegistrationId, Reply, Token};
use crate::domain::{Address, Time};
use crate::sip::{Method, Name, Request, Response, Uri};
use std::collections::HashMap;
use std::time::Duration;

/// Names a dialog: the endpoint, its Call-ID and its From tag.
pub type DialogKey = (RegistrationId, String, String);

/// One dialog made by SUBSCRIBE.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// The endpoint.
    pub registration: RegistrationId,
    /// Call-ID.
    pub call_id: String,
    /// `To` of the SUBSCRIBE with our tag: From of what we send.
    local: String,
    /// `From` of the SUBSCRIBE: To of what we send.
    remote: String,
    /// Contact of the subscriber.
    target: Uri,
    /// `Event` verbatim.
    event: String,
    /// CSeq of the last notification, or the one that rode in the 200.
    cseq: u32,
    /// Notifications are never answered (`Supported: ms-benotify`).
    benotify: bool,
    /// The body may ride in the 200 (`Supported: ms-piggyback-first-notify`).
    piggyback: bool,
    /// Seconds granted.
    pub expires: u32,
}

impl Dialog {
    /// The dialog a SUBSCRIBE makes.
    pub fn new(ctx: &mut Ctx<'_>, from: RegistrationId, request: &Request, expires: u32) -> Dialog {
        let h = &request.headers;
        let to = h.get(&Name::To).unwrap_or("").to_owned();
        let tagged = h.to().is_some_and(|t| t.tag().is_some());
        let local = if tagged { to } else { format!("{to};tag={}", ctx.rng.hex(16)) };
        let mut dialog = Dialog {
            registration: from,
            call_id: h.call_id().to_owned(),
            local,
            remote: String::new(),
            target: request.uri.clone(),
            event: String::new(),
            cseq: 0,
            benotify: false,
            piggyback: false,
            expires,
        };
        dialog.refresh(request, expires);
        dialog
    }

    /// Takes over what a later SUBSCRIBE in the dialog says.
    pub fn refresh(&mut self, request: &Request, expires: u32) {
        let h = &request.headers;
        self.remote = h.get(&Name::From).unwrap_or("").to_owned();
        if let Some(contact) = h.contact() {
            self.target = contact.uri;
        }
        self.event = h.get(&Name::Event).unwrap_or("").to_owned();
        self.benotify = h.has_token(&Name::Supported, "ms-benotify") || h.has_token(&Name::ProxyRequire, "ms-benotify");
        self.piggyback = h.has_token(&Name::Supported, "ms-piggyback-first-notify");
        self.expires = expires;
    }

    /// Name of the dialog a SUBSCRIBE belongs to.
    pub fn key(from: RegistrationId, request: &Request) -> DialogKey {
        let tag = request.headers.from().and_then(|f| f.tag().map(str::to_owned)).unwrap_or_default();
        (from, request.headers.call_id().to_owned(), tag)
    }

    /// Answers the SUBSCRIBE with the state; where the body may not ride in the 200, a notification follows.
    /// With `expires` 0 the subscription is over after this. A token when the notification will be answered.
    pub fn accept(
        &mut self,
        ctx: &mut Ctx<'_>,
        tx: Option<crate::sip::ServerTx>,
        request: &Request,
        doc: Document<'_>,
    ) -> Option<Token> {
        let secure = ctx.registration(self.registration).is_none_or(|r| r.secure);
        let state = self.subscription_state();
        let mut r = request.response(200, "");
        r.headers.set(Name::To, self.local.clone());
        r.headers
            .push(Name::Contact, format!("<{}>", ctx.config.contact(secure)))
            .push(Name::Expires, self.expires.to_string())
            .push(Name::Event, self.event.clone())
            .push(Name::SubscriptionState, state);
        for token in ["ms-benotify", "ms-piggyback-first-notify", "com.microsoft.autoextend"] {
            r.headers.push(Name::Supported, token);
        }
        self.cseq += 1;
        if self.piggyback || doc.body.is_empty() {
            if !doc.body.is_empty() {
                r.headers.push(Name::Other("ms-piggyback-cseq".into()), self.cseq.to_string());
            }
            let r = doc.put_into(r);
            ctx.respond(tx, r);
            return None;
        }
        ctx.respond(tx, r);
        self.cseq -= 1;
        self.notify(ctx, doc)
    }

    /// Sends a document in the dialog; a token when an answer will come.
    pub fn notify(&mut self, ctx: &mut Ctx<'_>, doc: Document<'_>) -> Option<Token> {
        self.cseq += 1;
        let method = if self.benotify { Method::Benotify } else { Method::Notify };
        let mut r = Request::new(method.clone(), self.target.clone());
        r.headers
            .push(Name::MaxForwards, "70")
            .push(Name::To, self.remote.clone())
            .push(Name::From, self.local.clone())
            .push(Name::CallId, self.call_id.clone())
            .push(Name::CSeq, format!("{} {method}", self.cseq));
        if !self.benotify {
            let secure = ctx.registration(self.registration).is_none_or(|r| r.secure);
            r.headers.push(Name::Contact, format!("<{}>", ctx.config.contact(secure)));
        }
        r.headers.push(Name::Event, self.event.clone()).push(Name::SubscriptionState, self.subscription_state());
        if let Some(require) = doc.require {
            r.headers.push(Name::Require, require);
        }
        if !doc.body.is_empty() {
            r.headers.push(Name::ContentType, doc.content_type);
            r.body = doc.body.to_vec();
        }
        if self.benotify {
            ctx.send_stateless(self.registration, r);
            return None;
        }
        Some(ctx.send(self.registration, r))
    }

    fn subscription_state(&self) -> String {
        if self.expires == 0 { "terminated;expires=0".into() } else { format!("active;expires={}", self.expires) }
    }
}

/// What a notification carries.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// `Content-Type`.
    pub content_type: &'a str,
    /// Octets; empty means no body.
    pub body: &'a [u8],
    /// `Require`, such as `eventlist`.
    pub require: Option<&'a str>,
}

impl<'a> Document<'a> {
    /// No body at all.
    pub const NONE: Document<'static> = Document { content_type: "", body: &[], require: None };

    /// A body and its type.
    pub fn new(content_type: &'a str, body: &'a [u8]) -> Document<'a> {
        Document { content_type, body, require: None }
    }

    /// The same with `Require: eventlist`.
    pub fn eventlist(self) -> Document<'a> {
        Document { require: Some("eventlist"), ..self }
    }

    fn put_into(self, mut response: Response) -> Response {
        if let Some(require) = self.require {
            response.headers.push(Name::Require, require);
        }
        if self.body.is_empty() { response } else { response.with_body(self.content_type, self.body) }
    }
}

/// How long to grant: what was asked for, within limits; `None` asked means the default.
pub fn granted(ctx: &Ctx<'_>, request: &Request) -> u32 {
    let most = ctx.config.subscription_expires;
    match request.headers.expires() {
        Some(0) => 0,
        Some(n) => n.clamp(super::limits::SUBSCRIPTION_MIN_EXPIRES.min(most), most),
        None => most,
    }
}

/// All dialogs of one event, by owner.
#[derive(Debug, Default)]
pub struct Dialogs {
    held: HashMap<DialogKey, Held>,
    by_owner: HashMap<Address, Vec<DialogKey>>,
    timers: Timers<DialogKey>,
    asked: HashMap<Token, DialogKey>,
}

#[derive(Debug)]
struct Held {
    dialog: Dialog,
    owner: Address,
    until: Time,
    /// The wake-up that stands for it.
    armed: Option<Time>,
}

impl Dialogs {
    /// Whether the dialog of a SUBSCRIBE is known.
    pub fn knows(&self, key: &DialogKey) -> bool {
        self.held.contains_key(key)
    }

    /// Makes, renews or (with `expires` 0) ends the dialog of a SUBSCRIBE and answers it with the document.
    pub fn subscribe(&mut self, ctx: &mut Ctx<'_>, incoming: &Incoming, expires: u32, doc: Document<'_>) {
        let key = Dialog::key(incoming.from, &incoming.request);
        let mut held = match self.held.remove(&key) {
            Some(mut held) => {
                held.dialog.refresh(&incoming.request, expires);
                held
            }
            None => {
                let dialog = Dialog::new(ctx, incoming.from, &incoming.request, expires);
                self.by_owner.entry(incoming.caller.clone()).or_default().push(key.clone());
                Held { dialog, owner: incoming.caller.clone(), until: ctx.now, armed: None }
            }
        };
        if let Some(token) = held.dialog.accept(ctx, incoming.tx, &incoming.request, doc) {
            self.asked.insert(token, key.clone());
        }
        held.until = ctx.now + grace(expires);
        if held.armed.is_none_or(|t| t > held.until) {
            held.armed = Some(held.until);
            self.timers.arm(held.until, key.clone());
        }
        let owner = held.owner.clone();
        self.held.insert(key.clone(), held);
        if expires == 0 {
            self.end(&key, &owner);
        }
    }

    /// How many dialogs an endpoint of this owner has.
    pub fn count(&self, owner: &Address, of: RegistrationId) -> usize {
        self.by_owner.get(owner).map_or(0, |keys| keys.iter().filter(|k| k.0 == of).count())
    }

    /// Whether anybody hears of this owner's changes.
    pub fn any(&self, owner: &Address) -> bool {
        self.by_owner.contains_key(owner)
    }

    /// Tells all endpoints of the owner (but `except`).
    pub fn notify(&mut self, ctx: &mut Ctx<'_>, owner: &Address, except: Option<RegistrationId>, doc: Document<'_>) {
        for key in self.by_owner.get(owner).into_iter().flatten().filter(|k| Some(k.0) != except) {
            if let Some(held) = self.held.get_mut(key) {
                // com.microsoft.autoextend: every notification restarts the clock.
                held.until = held.until.max(ctx.now + grace(held.dialog.expires));
                if let Some(token) = held.dialog.notify(ctx, doc) {
                    self.asked.insert(token, key.clone());
                }
            }
        }
    }

    /// An answer to a NOTIFY; one that refuses ends the dialog.
    pub fn on_reply(&mut self, token: Token, reply: &Reply) {
        let refused = match reply {
            Reply::Response(r) if !r.is_final() => return,
            Reply::Response(r) => !r.is_success() && r.status != 401,
            Reply::Timeout | Reply::Lost => true,
        };
        if let Some(key) = self.asked.remove(&token)
            && refused
            && let Some(owner) = self.held.get(&key).map(|h| h.owner.clone())
        {
            self.end(&key, &owner);
        }
    }

    /// An endpoint is gone: so are its dialogs.
    pub fn end_registration(&mut self, registration: RegistrationId, owner: &Address) {
        let keys: Vec<_> = self.by_owner.get(owner).into_iter().flatten().filter(|k| k.0 == registration).cloned().collect();
        for key in keys {
            self.end(&key, owner);
        }
    }

    fn end(&mut self, key: &DialogKey, owner: &Address) {
        self.held.remove(key);
        if let Some(keys) = self.by_owner.get_mut(owner) {
            keys.retain(|k| k != key);
            if keys.is_empty() {
                self.by_owner.remove(owner);
            }
        }
    }

    /// Dialogs that were not renewed end.
    pub fn expire(&mut self, now: Time) {
        while let Some(key) = self.timers.pop_due(now) {
            let Some(held) = self.held.get_mut(&key) else { continue };
            if held.until > now {
                held.armed = Some(held.until);
                self.timers.arm(held.until, key);
            } else {
                let owner = held.owner.clone();
                self.end(&key, &owner);
            }
        }
    }

    /// When to call [`Dialogs::expire`].
    pub fn next(&self) -> Option<Time> {
        self.timers.next()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

/// The time granted and some more, for renewals on the way.
fn grace(expires: u32) -> Duration {
    Duration::from_secs(u64::from(expires) + 32)
}
