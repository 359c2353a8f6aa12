//! What a service of an endpoint may do: send, answer, say. The endpoint owns transactions, signing and the link.

use super::beside::{Beside, FileAsk, FileNews, PipeAsk, PipeId, PipeNews};
use super::web::{WebAnswer, WebRequest};
use super::{Error, Event, Operation, OperationId, Outcome};
use crate::domain::conversation::ConversationId;
use crate::domain::file::TransferId;
use crate::domain::presence::{CustomStatus, Level};
use crate::domain::{Address, Rng, Time};
use crate::sip::{Method, Name, NameAddr, Request, Response, Server, ServerTx, Transport, Uri};

/// Which service a response or a timer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ServiceId {
    Contacts,
    Publication,
    Subscription,
    Conversations,
    Conferences,
    Directory,
    Provisioning,
    Scheduling,
}

/// What one service tells the others; the endpoint hands it to every service but the sender, after the call that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InternalEvent {
    /// Provisioning named the focus factory (`lync.md` 4.2).
    FocusFactory(String),
    /// The administrator's word on privacy mode; `None`: there is none. From provisioning, once a registration.
    Privacy(Option<bool>),
    /// The contact list as presence needs it: everybody whose presence is wanted. From contacts.
    Wanted(Vec<Address>),
    /// These people can be watched by one subscription to this address (RFC 4662); `None`: they cannot. From contacts.
    List {
        /// The list.
        service: Option<Address>,
        /// Who is on it.
        members: Vec<Address>,
    },
    /// The user is putting this person on the list: the subscription carries `<context/>`, so that they are told. From
    /// contacts.
    ContactAdded {
        /// Who.
        uri: Address,
        /// What they are told; may be empty.
        words: String,
    },
    /// This person is on the list now: they are put on the level, or where the privacy mode wants them (`domain.md` 6
    /// rule 15). From contacts.
    ContactPlaced {
        /// Who.
        uri: Address,
        /// The level wished; `None`: what their network gets.
        level: Option<Level>,
    },
    /// This person was taken off the list: their user entries leave the containers (`domain.md` 6 rule 8). From contacts.
    ContactDeleted(Address),
    /// A conversation of two is to become a conference with these people; this operation ends with it. From conversations.
    Widen {
        /// The operation.
        op: OperationId,
        /// Which conversation.
        conversation: ConversationId,
        /// Its title; may be empty.
        subject: String,
        /// Everybody who is to come.
        people: Vec<Address>,
    },
    /// The conversation of this name is a conference now. From conferences.
    Moved(ConversationId),
    /// The endpoint drains: no new conversations. From the endpoint itself.
    Draining,
    /// A calendar that came inside something else, such as an envelope or a session.
    Calendar {
        /// From whom, as the server says.
        from: Address,
        /// The calendar.
        text: String,
    },
    /// The owner's endpoints as roaming-self shows them. From publication.
    OwnDevices {
        /// How many there are.
        count: usize,
        /// The server takes this one for the most active.
        most_active: bool,
    },
}

/// Whether a service takes a request from the network.
#[derive(Debug)]
pub enum Handled {
    /// It is mine and dealt with.
    Yes,
    /// Not mine: ask the next.
    No(Request),
}

/// A service of an endpoint. It is called with a fresh [`Ctx`] and never blocks; every method has an empty default.
pub trait Service {
    /// Somebody wants something. Returns false when the operation is not for this service (or not for this conversation).
    fn on_operation(&mut self, _ctx: &mut Ctx<'_>, _id: OperationId, _operation: &Operation) -> bool {
        false
    }

    /// A request came. `tx` is `None` for ACK and BENOTIFY, which are never answered.
    fn on_request(&mut self, _ctx: &mut Ctx<'_>, _tx: Option<ServerTx>, request: Request) -> Handled {
        Handled::No(request)
    }

    /// The INVITE of this transaction was cancelled (the CANCEL is answered already); answer the INVITE 487.
    fn on_cancel(&mut self, _ctx: &mut Ctx<'_>, _tx: ServerTx, _cancel: &Request) {}

    /// A reply to a request this service sent; provisional ones too.
    fn on_reply(&mut self, _ctx: &mut Ctx<'_>, _token: Token, _reply: Reply) {}

    /// The answer to an HTTP request of this service, or the sentence that says why there is none.
    fn on_web(&mut self, _ctx: &mut Ctx<'_>, _token: Token, _answer: Result<WebAnswer, String>) {}

    /// Something is heard of a connection that was asked for.
    fn on_pipe(&mut self, _ctx: &mut Ctx<'_>, _pipe: PipeId, _news: PipeNews) {}

    /// Something is heard of a file that was asked for.
    fn on_file(&mut self, _ctx: &mut Ctx<'_>, _transfer: &TransferId, _news: FileNews) {}

    /// Another service said something.
    fn on_internal(&mut self, _ctx: &mut Ctx<'_>, _event: &InternalEvent) {}

    /// The registration stands (again). All dialogs of an earlier link are dead.
    fn on_online(&mut self, _ctx: &mut Ctx<'_>) {}

    /// The link or the registration is gone; pending requests have had [`Reply::LinkLost`] already.
    fn on_offline(&mut self, _ctx: &mut Ctx<'_>) {}

    /// The user signs out and the link still stands: say goodbye (BYE, unsubscribe). What is sent here leaves before the deregistration.
    fn on_sign_out(&mut self, _ctx: &mut Ctx<'_>) {}

    /// Time of [`Service::poll_timeout`] has come (or earlier: check).
    fn on_timeout(&mut self, _ctx: &mut Ctx<'_>) {}

    /// When to call [`Service::on_timeout`].
    fn poll_timeout(&self) -> Option<Time> {
        None
    }
}

/// A service's own name for a request it sent; comes back with the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Who we are on this registration.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Owner.
    pub uri: Address,
    /// Own display name; may be empty.
    pub display_name: String,
    /// `epid`, 10 hexadecimal digits.
    pub epid: String,
    /// Instance UUID, lower case.
    pub instance: String,
    /// GRUU (as text without brackets); before registration the IP contact.
    pub contact: String,
    /// `host:port` of our side for Via.
    pub sent_by: String,
    /// For Via.
    pub transport: Transport,
    /// `User-Agent`.
    pub user_agent: String,
    /// `Route` values of requests outside dialogs (RFC 3608).
    pub routes: Vec<String>,
    /// Events the server grants, lower case; `None`: it did not say.
    pub events: Option<Vec<String>>,
    /// Name of this computer.
    pub machine_name: String,
    /// Minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// Publish device and machine state at sign-in.
    pub publish: bool,
    /// Take calls and messages of others.
    pub talks: bool,
    /// Statuses that may be set by their id.
    pub custom_statuses: Vec<CustomStatus>,
    /// Windows locale id of own texts.
    pub lcid: u32,
    /// Where the link leads, and the names its certificate may be for.
    pub server: Option<(Server, Vec<String>)>,
}

impl Identity {
    /// Whether the server lets us subscribe to this event.
    pub fn allows(&self, event: &str) -> bool {
        self.events.as_ref().is_none_or(|all| all.iter().any(|e| e.eq_ignore_ascii_case(event)))
    }
}

/// What a service wants done after a call.
#[derive(Debug)]
pub enum Action {
    /// Send a request in a transaction of its own.
    Send {
        /// Who gets the response.
        service: ServiceId,
        /// Its name.
        token: Token,
        /// The request.
        request: Request,
    },
    /// Something beside the link; the services of conversations and, on standard servers, of conferences hear of it.
    Beside(Beside),
    /// For the Wire pane.
    Note(String),
    /// Ask over HTTP.
    Web(ServiceId, Token, WebRequest),
    /// Send without transaction (ACK of a 2xx, BENOTIFY).
    SendStateless(Request),
    /// CANCEL a pending INVITE sent with this token.
    Cancel(ServiceId, Token),
    /// Answer.
    Respond(ServerTx, Response),
    /// Tell the user of the endpoint.
    Emit(Event),
    /// Tell the other services.
    Internal(ServiceId, InternalEvent),
}

/// A reply to a sent request.
#[derive(Debug)]
pub enum Reply {
    /// Provisional or final.
    Response(Response),
    /// Timed out after 32 s (RFC 3261 Timer B/F).
    Timeout,
    /// The link went.
    LinkLost,
}

/// The door between a service and its endpoint; made anew for each call.
pub struct Ctx<'a> {
    /// The time of this call.
    pub now: Time,
    /// Randomness.
    pub rng: &'a mut Rng,
    /// Who we are.
    pub me: &'a Identity,
    /// Whose answers come back.
    pub service: ServiceId,
    /// Whether the registration stands (nothing can be sent otherwise).
    pub online: bool,
    /// What is to be done, in order.
    pub actions: &'a mut Vec<Action>,
    /// Source of tokens.
    pub next_token: &'a mut u64,
}

impl Ctx<'_> {
    /// Sends a request; the reply comes to the service's `on_reply` with the token.
    pub fn send(&mut self, request: Request) -> Token {
        *self.next_token += 1;
        let token = Token(*self.next_token);
        self.actions.push(Action::Send { service: self.service, token, request });
        token
    }

    /// Asks over HTTP; the answer comes to the service's `on_web` with the token.
    pub fn ask_web(&mut self, request: WebRequest) -> Token {
        *self.next_token += 1;
        let token = Token(*self.next_token);
        self.actions.push(Action::Web(self.service, token, request));
        token
    }

    /// Opens a connection beside the link.
    pub fn open_pipe(&mut self, ask: PipeAsk) -> PipeId {
        *self.next_token += 1;
        let pipe = PipeId(*self.next_token);
        self.pipe(pipe, ask);
        pipe
    }

    /// Wants something of a connection.
    pub fn pipe(&mut self, pipe: PipeId, ask: PipeAsk) {
        self.actions.push(Action::Beside(Beside::Pipe(pipe, ask)));
    }

    /// Wants something of a file.
    pub fn file(&mut self, transfer: &TransferId, ask: FileAsk) {
        self.actions.push(Action::Beside(Beside::File(transfer.clone(), ask)));
    }

    /// Leaves a note for those who look at the wire.
    pub fn note(&mut self, text: impl Into<String>) {
        self.actions.push(Action::Note(text.into()));
    }

    /// Sends without transaction.
    pub fn send_stateless(&mut self, request: Request) {
        self.actions.push(Action::SendStateless(request));
    }

    /// Cancels a pending INVITE.
    pub fn cancel(&mut self, token: Token) {
        self.actions.push(Action::Cancel(self.service, token));
    }

    /// Answers a request.
    pub fn respond(&mut self, tx: ServerTx, response: Response) {
        self.actions.push(Action::Respond(tx, response));
    }

    /// Tells the other services.
    pub fn tell(&mut self, event: InternalEvent) {
        self.actions.push(Action::Internal(self.service, event));
    }

    /// Says something.
    pub fn emit(&mut self, event: Event) {
        self.actions.push(Action::Emit(event));
    }

    /// Ends an operation.
    pub fn complete(&mut self, id: OperationId, result: Result<Outcome, Error>) {
        self.emit(Event::Completed { id, result });
    }

    /// A request outside any dialog with Via, From (fresh tag, epid), To, Max-Forwards, Call-ID, CSeq 1, User-Agent and Contact.
    pub fn request(&mut self, method: Method, to: &Uri) -> Request {
        let from = self.from_header();
        let mut r = Request::new(method.clone(), to.clone());
        r.headers
            .push(Name::Via, format!("SIP/2.0/{} {};branch=z9hG4bK{}", self.me.transport, self.me.sent_by, self.rng.hex(20)))
            .push(Name::From, from)
            .push(Name::To, NameAddr::new(to.clone()).to_string())
            .push(Name::MaxForwards, "70")
            .push(Name::CallId, self.rng.hex(32))
            .push(Name::CSeq, format!("1 {method}"))
            .push(Name::UserAgent, self.me.user_agent.clone())
            .push(Name::Contact, format!("<{}>", self.me.contact));
        r
    }

    /// `"Name" <sip:me>;tag=…;epid=…` with a fresh tag.
    pub fn from_header(&mut self) -> String {
        let tag = self.rng.hex(10);
        format!("<{}>;tag={};epid={}", self.me.uri, tag, self.me.epid)
    }
}
