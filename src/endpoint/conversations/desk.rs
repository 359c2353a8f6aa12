//! What every part of this service works with: the door of the endpoint, the requests that wait for answers, and facts
//! about ourselves.

use crate::domain::conversation::{ConversationId, MessageId};
use crate::domain::{Address, Time};
use crate::endpoint::limits::{ACTIVE_WITHIN, IM_AUTO_ACCEPT, IM_AUTO_ACCEPT_UNUSED, MAX_NAME, MAX_SEEN};
use crate::endpoint::service::{Ctx, Identity, Token};
use crate::lync::{identity, im};
use crate::sip::{Method, Name, Request, ServerTx};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// INVITEs with a 2xx whose further 2xx (of other forks) are still recognised.
const ANSWERED_KEPT: usize = 64;

/// What a sent request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The INVITE of a two-party conversation.
    Invite,
    /// A MESSAGE, on whatever dialog.
    Message,
    /// A typing notice, on whatever dialog.
    Typing,
    /// Whether the other side can be reached again.
    Probe,
    /// Something on the context channel.
    Context,
    /// A BYE or the end of a subscription.
    Goodbye,
    /// The INVITE to a focus.
    Focus,
    /// A SUBSCRIBE to a focus.
    Subscribe,
    /// The INVITE to a chat MCU.
    Chat,
    /// A command in the focus dialog, by its request id.
    Command(u32),
    /// The UPDATE that keeps the session of a focus dialog alive.
    Refresh,
    /// The SERVICE that schedules an ad hoc conference.
    Schedule,
    /// The INVITE that asks somebody into a conference.
    Invitation,
}

/// Requests that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Sent {
    waiting: HashMap<Token, (ConversationId, Purpose)>,
    answered: VecDeque<(Token, Request, String)>,
    requests: HashMap<Token, Request>,
}

impl Sent {
    /// How many wait, further answers to old INVITEs apart.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.requests.len()
    }

    /// Whose request this was; a final answer forgets it.
    pub fn owner(&mut self, token: Token, last: bool) -> Option<(ConversationId, Purpose)> {
        if last { self.waiting.remove(&token) } else { self.waiting.get(&token).cloned() }
    }

    /// The INVITE of this token; its first 2xx, from the side with this tag, has come.
    pub fn answered(&mut self, token: Token, remote_tag: &str) -> Option<Request> {
        let request = self.requests.remove(&token)?;
        self.keep_answered(token, &request, remote_tag);
        Some(request)
    }

    /// Further 2xx to this INVITE will be recognised.
    pub fn keep_answered(&mut self, token: Token, request: &Request, remote_tag: &str) {
        if self.answered.len() >= ANSWERED_KEPT {
            self.answered.pop_front();
        }
        self.answered.push_back((token, request.clone(), remote_tag.to_owned()));
    }

    /// The INVITE of a token that has had a 2xx already, and the tag of that one.
    pub fn earlier(&self, token: Token) -> Option<(&Request, &str)> {
        self.answered.iter().find(|a| a.0 == token).map(|a| (&a.1, a.2.as_str()))
    }

    /// The request of this token; it is not needed again.
    pub fn take_request(&mut self, token: Token) -> Option<Request> {
        self.requests.remove(&token)
    }

    /// Forgets an INVITE that failed.
    pub fn forget(&mut self, token: Token) {
        self.requests.remove(&token);
        self.waiting.remove(&token);
    }

    /// Forgets everything: the link is gone.
    pub fn clear(&mut self) {
        *self = Sent::default();
    }
}

/// Somebody we speak as (`domain.md` 2.3, local participant).
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    /// Who.
    pub uri: Address,
    /// Name for others; may be empty.
    pub name: String,
    /// `tel:` URI; may be empty.
    pub phone: String,
}

impl Speaker {
    /// Makes a request outside any dialog this person's: From keeps its tag and our epid.
    fn sign(&self, request: &mut Request) {
        let from = request.headers.from().map(|f| f.params).unwrap_or_default();
        let name = if self.name.is_empty() { String::new() } else { format!("{} ", quote(&self.name)) };
        let params: String = ["tag", "epid"].iter().filter_map(|p| Some(format!(";{p}={}", from.get(p)?))).collect();
        request.headers.set(Name::From, format!("{name}<{}>{params}", self.uri));
        request.headers.push(Name::PAssertedIdentity, format!("{name}<{}>", self.uri));
        if !self.phone.is_empty() {
            request.headers.push(Name::PAssertedIdentity, format!("<{}>", self.phone));
        }
    }
}

fn quote(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
    format!("\"{plain}\"")
}

/// What the service knows of ourselves.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Endpoints the owner is signed in with, as far as known.
    pub devices: usize,
    /// The server takes this endpoint for the most active one.
    pub most_active: bool,
    /// The last moment somebody used this endpoint.
    pub used: Option<Time>,
    /// The focus factory as provisioning named it.
    pub focus_factory: Option<String>,
    /// As whom an application speaks, where it is not itself.
    pub acting: BTreeMap<ConversationId, Speaker>,
    /// No new conversations.
    pub draining: bool,
    /// Messages that the server keeps for people who are not signed in: its name for each, where it was written, ours.
    pub kept: VecDeque<(String, ConversationId, MessageId)>,
    /// Last request id of a conference command.
    pub request_id: u32,
    /// Names of messages received in conferences, newest last; also of those we have left and joined again.
    pub seen: VecDeque<(Address, String)>,
}

impl Facts {
    /// Whether an invitation concerns nobody but this endpoint.
    pub fn is_only_device(&self) -> bool {
        self.devices <= 1
    }

    /// The focus factory: as provisioned, else where the dialect puts it.
    pub fn factory(&self, me: &Identity) -> String {
        self.focus_factory.clone().unwrap_or_else(|| identity::focus_factory(&me.uri))
    }

    /// Whether a message with a name of its own was received already; such a one is sent again after a broken link.
    pub fn came_before(&mut self, request: &Request, author: &Address) -> bool {
        let Some(name) = request.headers.get(&im::message_name()).filter(|_| request.method == Method::Message) else {
            return false;
        };
        let key = (author.clone(), name.chars().take(MAX_NAME).collect::<String>());
        if self.seen.contains(&key) {
            return true;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(key);
        false
    }

    /// After which wait this endpoint takes an invitation that nobody answers, if it does: one that was just used before
    /// the one that is the most active by what all have published.
    pub fn accepts_after(&self, now: Time) -> Option<Duration> {
        let used = self.used.is_some_and(|t| now.since(t) <= ACTIVE_WITHIN);
        used.then_some(IM_AUTO_ACCEPT).or_else(|| self.most_active.then_some(IM_AUTO_ACCEPT_UNUSED))
    }
}

/// The working place of one call.
pub(super) struct Desk<'d, 'c> {
    /// The endpoint's door.
    pub ctx: &'d mut Ctx<'c>,
    /// Requests that wait.
    pub sent: &'d mut Sent,
    /// Ourselves.
    pub facts: &'d mut Facts,
}

impl Desk<'_, '_> {
    /// The time of this call.
    pub fn now(&self) -> Time {
        self.ctx.now
    }

    /// Sends for a conversation.
    pub fn send(&mut self, talk: &ConversationId, purpose: Purpose, mut request: Request) -> Token {
        if let Some(speaker) = self.facts.acting.get(talk)
            && request.headers.to().is_some_and(|t| t.tag().is_none())
        {
            speaker.sign(&mut request);
        }
        let keep = matches!(purpose, Purpose::Invite | Purpose::Focus | Purpose::Chat | Purpose::Invitation | Purpose::Subscribe);
        let copy = keep.then(|| request.clone());
        let token = self.ctx.send(request);
        self.sent.waiting.insert(token, (talk.clone(), purpose));
        if let Some(copy) = copy {
            self.sent.requests.insert(token, copy);
        }
        token
    }

    /// Answers with a status and nothing else.
    pub fn answer(&mut self, tx: Option<ServerTx>, request: &Request, status: u16) {
        let Some(tx) = tx else { return };
        let tag = self.tag();
        self.ctx.respond(tx, request.response(status, &tag));
    }

    /// A fresh To tag, with our `epid` behind it as the dialect wants.
    pub fn tag(&mut self) -> String {
        format!("{};epid={}", self.ctx.rng.hex(10), self.ctx.me.epid)
    }

    /// Ourselves.
    pub fn me(&self) -> &Address {
        &self.ctx.me.uri
    }

    /// Ourselves in this conversation: the owner, or the one an application speaks as.
    pub fn speaker(&self, talk: &ConversationId) -> Speaker {
        let own = || Speaker { uri: self.me().clone(), name: self.ctx.me.display_name.clone(), phone: String::new() };
        self.facts.acting.get(talk).cloned().unwrap_or_else(own)
    }

    /// The next request id.
    pub fn request_id(&mut self) -> u32 {
        self.facts.request_id = self.facts.request_id.wrapping_add(1) & 0x7fff_ffff;
        self.facts.request_id
    }
}
