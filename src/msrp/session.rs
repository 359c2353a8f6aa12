//! One MSRP session: what leaves is cut into chunks, what comes is put together or handed on as it comes (RFC 4975 §7).
//!
//! Contract: after every call drain [`Session::poll_frame`] and [`Session::poll_event`]; call [`Session::handle_timeout`] at
//! [`Session::poll_timeout`]. Chunks leave one at a time with every `poll_frame`, so that whoever carries several sessions
//! on one connection can let them take turns.

mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

use super::frame::{Frame, Kind, Method};
use super::limits::MESSAGE_MOST;
use super::uri::MsrpUri;
use crate::domain::{Rng, Time};
use incoming::Incoming;
use outgoing::Outgoing;
use std::collections::VecDeque;

/// What a session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message came whole.
    Message {
        /// Its name.
        id: String,
        /// Its type.
        media: String,
        /// Its content.
        body: Vec<u8>,
    },
    /// A part of a message came, in a session that hands them on. Parts follow each other without gaps.
    Part {
        /// The message.
        id: String,
        /// Octets that came before.
        offset: u64,
        /// Octets of all.
        total: Option<u64>,
        /// These.
        data: Vec<u8>,
        /// It is the last part.
        last: bool,
    },
    /// The other side gave a message up, or it stopped coming: why.
    Broken {
        /// The message.
        id: String,
        /// Why, in words.
        why: &'static str,
    },
    /// So many octets of our message are known to be there, or at least at the next hop.
    Progress {
        /// The message.
        id: String,
        /// Octets.
        octets: u64,
    },
    /// The next hop has taken all of our message.
    Sent {
        /// The message.
        id: String,
    },
    /// The other side has our message.
    Delivered {
        /// The message.
        id: String,
    },
    /// Our message did not get there.
    Failed {
        /// The message.
        id: String,
        /// The code of RFC 4975 §10; 408: nobody answered.
        code: u16,
        /// Words of the other side; may be empty.
        words: String,
    },
    /// The next octets of a long message are wanted: [`Session::feed`].
    Wants {
        /// The message.
        id: String,
        /// From here.
        offset: u64,
        /// At most so many.
        octets: usize,
    },
    /// A request of [`Session::ask`] was answered; 408: it was not.
    Answered {
        /// Its transaction.
        tid: String,
        /// The code.
        code: u16,
        /// Words; may be empty.
        words: String,
    },
}

/// One session, from its two paths.
#[derive(Debug)]
pub struct Session {
    here: Vec<MsrpUri>,
    there: Vec<MsrpUri>,
    rng: Rng,
    outgoing: Outgoing,
    incoming: Incoming,
    /// Answers and reports; they go before chunks.
    replies: VecDeque<Frame>,
    events: VecDeque<Event>,
    /// Something crossed the wire last at this time.
    touched: Time,
}

impl Session {
    /// A session between our path (relays first, then our own URI) and that of the other side (in the same order).
    pub fn new(here: Vec<MsrpUri>, there: Vec<MsrpUri>, rng: Rng) -> Session {
        Session {
            here,
            there,
            rng,
            outgoing: Outgoing::default(),
            incoming: Incoming::new(MESSAGE_MOST),
            replies: VecDeque::new(),
            events: VecDeque::new(),
            touched: Time::default(),
        }
    }

    /// Hands content on as it comes, up to `most` octets a message, in place of putting it together.
    #[must_use]
    pub fn in_parts(mut self, most: u64) -> Session {
        self.incoming = Incoming::in_parts(most);
        self
    }

    /// It begins now.
    #[must_use]
    pub fn begun(mut self, now: Time) -> Session {
        self.touched = now;
        self
    }

    /// Name of our end: the last part of our own URI.
    pub fn name(&self) -> &str {
        self.here.last().map_or("", MsrpUri::session)
    }

    /// When the last frame crossed the wire.
    pub fn touched(&self) -> Time {
        self.touched
    }

    /// Begins to send a message; `report` asks the other side to confirm it. False when too many wait.
    pub fn send(&mut self, now: Time, id: &str, media: &str, body: Vec<u8>, report: bool) -> bool {
        self.touched = now;
        self.outgoing.push(id, media, Some(body), 0, report)
    }

    /// Begins to send a message whose content is asked for as it leaves.
    pub fn send_long(&mut self, now: Time, id: &str, media: &str, octets: u64) -> bool {
        self.touched = now;
        self.outgoing.push(id, media, None, octets, true)
    }

    /// The next octets of a long message.
    pub fn feed(&mut self, id: &str, data: &[u8]) {
        self.outgoing.feed(id, data);
    }

    /// Gives a message of ours up.
    pub fn abort(&mut self, id: &str) {
        self.outgoing.abort(id);
    }

    /// Sends nothing, so that the connection is bound to the session and stays open.
    pub fn touch(&mut self, now: Time) {
        self.touched = now;
        let frame = self.request(Method::Send);
        let id = self.rng.hex(16);
        let frame = frame.with("Message-ID", id).with("Byte-Range", "1-0/0");
        self.outgoing.expect(now, &frame.tid);
        self.replies.push_back(frame);
    }

    /// Sends a request without content, such as `NICKNAME`; gives its transaction for [`Event::Answered`].
    pub fn ask(&mut self, now: Time, method: Method, headers: &[(&str, String)]) -> String {
        let mut frame = self.request(method);
        frame.headers.extend(headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())));
        let tid = frame.tid.clone();
        self.outgoing.expect(now, &tid);
        self.replies.push_back(frame);
        tid
    }

    /// Parts of a message up to this octet are dealt with (written, for example): the other side may be told.
    pub fn settled(&mut self, id: &str, octets: u64) {
        let report = self.incoming.settled(id, octets);
        self.report(report);
    }

    /// A message that is coming in is not wanted any more.
    pub fn refuse(&mut self, id: &str) {
        self.incoming.refuse(id);
    }

    /// A frame came for this session; `partial` says that more of it follows.
    pub fn handle_frame(&mut self, now: Time, frame: Frame, partial: bool) {
        self.touched = now;
        match &frame.kind {
            Kind::Response(code, words) => self.outgoing.answered(&frame.tid, *code, words, &mut self.events),
            Kind::Request(Method::Report) => self.outgoing.reported(now, &frame, &mut self.events),
            Kind::Request(Method::Send) => self.on_send(now, frame, partial),
            Kind::Request(_) => self.replies.push_back(frame.response(501, "Unknown method")),
        }
    }

    fn on_send(&mut self, now: Time, frame: Frame, partial: bool) {
        let answer = frame.response(200, "OK");
        let wish = frame.header("Failure-Report").unwrap_or("yes").to_owned();
        let (code, report) = self.incoming.take(now, frame, &mut self.events);
        let wanted = match wish.as_str() {
            "no" => false,
            "partial" => code != 200,
            _ => true,
        };
        if wanted && !(partial && code == 200) {
            let words = WORDS.iter().find(|w| w.0 == code).map_or("", |w| w.1);
            self.replies.push_back(Frame { kind: Kind::Response(code, words.to_owned()), ..answer });
        }
        self.report(report);
    }

    fn report(&mut self, report: Option<incoming::Report>) {
        let Some(report) = report else { return };
        let range = super::ByteRange { start: 1, end: Some(report.octets), total: report.total };
        let own = self.own();
        let frame = Frame::request(Method::Report, &mut self.rng, report.back, own);
        let frame = frame.with("Message-ID", report.id).with("Byte-Range", range.to_string()).with("Status", "000 200 OK");
        self.replies.push_back(frame);
    }

    /// The next frame to put on the wire.
    pub fn poll_frame(&mut self, now: Time) -> Option<Frame> {
        if let Some(frame) = self.replies.pop_front() {
            return Some(frame);
        }
        if !self.outgoing.ready() {
            self.outgoing.want(&mut self.events);
            return None;
        }
        let blank = self.request(Method::Send);
        let frame = self.outgoing.next(now, blank, &mut self.rng)?;
        self.outgoing.want(&mut self.events);
        self.touched = now;
        Some(frame)
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether something of ours is still on its way or has no receipt.
    pub fn busy(&self) -> bool {
        self.outgoing.busy() || self.incoming.busy()
    }

    /// The time of [`Session::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        self.outgoing.expire(now, &mut self.events);
        self.incoming.expire(now, &mut self.events);
    }

    /// When something is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.outgoing.deadline(), self.incoming.deadline()].into_iter().flatten().min()
    }

    fn own(&self) -> Vec<MsrpUri> {
        self.here.last().cloned().into_iter().collect()
    }

    fn request(&mut self, method: Method) -> Frame {
        // Our relays in the order of the way out, then theirs (`simple.md` 3.5).
        let relays = self.here[..self.here.len().saturating_sub(1)].iter().rev();
        let to = relays.chain(&self.there).cloned().collect();
        let own = self.own();
        Frame::request(method, &mut self.rng, to, own)
    }
}

/// What codes of our own answers mean.
const WORDS: &[(u16, &str)] =
    &[(200, "OK"), (400, "Malformed"), (403, "Not allowed"), (413, "Stop sending this message"), (415, "Unknown type")];
