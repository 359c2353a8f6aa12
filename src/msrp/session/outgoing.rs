//! What leaves: messages in chunks of one size, a window of chunks without an answer, receipts.

use super::Event;
use crate::domain::{Rng, Time};
use crate::msrp::frame::{Flag, Frame};
use crate::msrp::limits::{AHEAD, ANSWER_WAIT, CHUNK, OUTGOING_MOST, PIECE, REPORT_WAIT, WINDOW};
use crate::msrp::range::ByteRange;
use std::collections::{BTreeMap, VecDeque};

/// One message of ours.
#[derive(Debug)]
struct Message {
    id: String,
    media: String,
    total: u64,
    /// The content from `sent` on, as far as it is here.
    data: VecDeque<u8>,
    /// Octets that left.
    sent: u64,
    /// Octets the next hop has taken.
    taken: u64,
    /// Octets the other side has reported, once it reports as it goes.
    reported: Option<u64>,
    /// A piece was asked for and has not come.
    asked: bool,
    report: bool,
    aborted: bool,
    /// It has left; the receipt is awaited until then.
    receipt: Option<Time>,
    /// Chunks without an answer.
    open: usize,
}

impl Message {
    fn left(&self) -> bool {
        self.sent >= self.total
    }

    /// Octets that can leave in the next chunk; `None`: not now.
    fn next(&self) -> Option<usize> {
        if self.receipt.is_some() || self.aborted && self.sent == 0 {
            return None;
        }
        if self.aborted {
            return Some(0);
        }
        let most = usize::try_from(self.total - self.sent).unwrap_or(CHUNK).min(CHUNK);
        let near = self.reported.is_none_or(|r| self.sent < r + AHEAD);
        (near && self.data.len() >= most).then_some(most)
    }
}

/// All that leaves by one session.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    messages: VecDeque<Message>,
    /// Chunks without an answer: message, octets and the end of the patience.
    open: BTreeMap<String, (String, u64, Time)>,
    /// Other requests without an answer.
    asked: BTreeMap<String, Time>,
}

impl Outgoing {
    /// Takes a message; false when too many wait.
    pub fn push(&mut self, id: &str, media: &str, body: Option<Vec<u8>>, octets: u64, report: bool) -> bool {
        if self.messages.len() >= OUTGOING_MOST {
            return false;
        }
        let total = body.as_ref().map_or(octets, |b| b.len() as u64);
        self.messages.push_back(Message {
            id: id.to_owned(),
            media: media.to_owned(),
            total,
            data: body.unwrap_or_default().into(),
            sent: 0,
            taken: 0,
            reported: None,
            asked: false,
            report,
            aborted: false,
            receipt: None,
            open: 0,
        });
        true
    }

    pub fn feed(&mut self, id: &str, data: &[u8]) {
        if let Some(m) = self.messages.iter_mut().find(|m| m.id == id) {
            m.asked = false;
            let room = m.total - m.sent - m.data.len() as u64;
            let fits = usize::try_from(room).map_or(data.len(), |room| room.min(data.len()));
            m.data.extend(&data[..fits]);
        }
    }

    pub fn abort(&mut self, id: &str) {
        if let Some(m) = self.messages.iter_mut().find(|m| m.id == id) {
            m.aborted = true;
            m.data.clear();
        }
        self.messages.retain(|m| !(m.id == id && (m.sent == 0 || m.left())));
    }

    /// A request is on its way that is no chunk.
    pub fn expect(&mut self, now: Time, tid: &str) {
        self.asked.insert(tid.to_owned(), now + ANSWER_WAIT);
    }

    /// Whether a chunk can leave.
    pub fn ready(&self) -> bool {
        self.open.len() < WINDOW && self.messages.iter().any(|m| m.next().is_some())
    }

    /// Asks for what long messages need next.
    pub fn want(&mut self, events: &mut VecDeque<Event>) {
        let Some(m) = self.messages.iter_mut().find(|m| m.receipt.is_none()) else { return };
        let here = m.sent + m.data.len() as u64;
        if m.asked || m.aborted || here >= m.total || m.data.len() >= PIECE {
            return;
        }
        m.asked = true;
        let octets = usize::try_from(m.total - here).map_or(PIECE, |left| left.min(PIECE));
        events.push_back(Event::Wants { id: m.id.clone(), offset: here, octets });
    }

    /// The next chunk; one message after the other.
    pub fn next(&mut self, now: Time, blank: Frame, rng: &mut Rng) -> Option<Frame> {
        let m = self.messages.iter_mut().find(|m| m.next().is_some())?;
        let octets = m.next()?;
        let body: Vec<u8> = m.data.drain(..octets).collect();
        let start = m.sent + 1;
        m.sent += octets as u64;
        let range = ByteRange { start, end: Some(m.sent), total: Some(m.total) };
        let flag = match (m.aborted, m.left()) {
            (true, _) => Flag::Abort,
            (false, true) => Flag::End,
            (false, false) => Flag::More,
        };
        let mut frame = blank.with("Message-ID", &m.id).with("Byte-Range", range.to_string());
        if m.report {
            frame = frame.with("Success-Report", "yes");
        }
        let frame = frame.chunk(rng, &m.media, body, flag);
        self.open.insert(frame.tid.clone(), (m.id.clone(), octets as u64, now + ANSWER_WAIT));
        m.open += 1;
        match flag {
            Flag::More => {}
            Flag::End => m.receipt = Some(now + REPORT_WAIT),
            Flag::Abort => {
                let id = m.id.clone();
                self.messages.retain(|m| m.id != id);
            }
        }
        Some(frame)
    }

    pub fn answered(&mut self, tid: &str, code: u16, words: &str, events: &mut VecDeque<Event>) {
        if self.asked.remove(tid).is_some() {
            events.push_back(Event::Answered { tid: tid.to_owned(), code, words: words.to_owned() });
            return;
        }
        // Relays may answer and pass the far answer on as well: only the first one counts.
        let Some((id, octets, _)) = self.open.remove(tid) else { return };
        if code != 200 {
            return self.fail(&id, code, words, events);
        }
        let Some(at) = self.messages.iter().position(|m| m.id == id) else { return };
        let m = &mut self.messages[at];
        m.taken += octets;
        m.open -= 1;
        if m.reported.is_none() {
            events.push_back(Event::Progress { id: id.clone(), octets: m.taken });
        }
        if m.left() && m.open == 0 {
            events.push_back(Event::Sent { id });
            if !m.report {
                self.messages.remove(at);
            }
        }
    }

    pub fn reported(&mut self, now: Time, frame: &Frame, events: &mut VecDeque<Event>) {
        let Some(m) = self.messages.iter_mut().find(|m| m.id == frame.message()) else { return };
        let mut status = frame.header("Status").unwrap_or("").split_whitespace();
        if status.next() != Some("000") {
            return;
        }
        let code: u16 = status.next().and_then(|c| c.parse().ok()).unwrap_or(400);
        let words = status.collect::<Vec<_>>().join(" ");
        if code != 200 {
            let id = m.id.clone();
            return self.fail(&id, code, &words, events);
        }
        let end = frame.range().and_then(|r| (r.start <= 1 + m.reported.unwrap_or(0)).then_some(r.end).flatten());
        let Some(end) = end.filter(|e| *e <= m.sent) else { return };
        let id = m.id.clone();
        if end >= m.total {
            self.messages.retain(|m| m.id != id);
            self.open.retain(|_, o| o.0 != id);
            events.push_back(Event::Delivered { id });
        } else {
            m.reported = Some(end.max(m.reported.unwrap_or(0)));
            m.receipt = m.receipt.map(|_| now + REPORT_WAIT);
            events.push_back(Event::Progress { id, octets: end });
        }
    }

    fn fail(&mut self, id: &str, code: u16, words: &str, events: &mut VecDeque<Event>) {
        self.open.retain(|_, o| o.0 != id);
        let had = self.messages.len();
        // Whoever wants it stopped has to be told that it stops.
        let begun = self.messages.iter_mut().find(|m| m.id == id && !m.left() && code == 413);
        match begun {
            Some(m) if !m.aborted => {
                m.aborted = true;
                m.data.clear();
                events.push_back(Event::Failed { id: id.to_owned(), code, words: words.to_owned() });
            }
            Some(_) => {}
            None => {
                self.messages.retain(|m| m.id != id);
                if self.messages.len() < had {
                    events.push_back(Event::Failed { id: id.to_owned(), code, words: words.to_owned() });
                }
            }
        }
    }

    pub fn busy(&self) -> bool {
        !self.messages.is_empty()
    }

    pub fn expire(&mut self, now: Time, events: &mut VecDeque<Event>) {
        let late: Vec<String> = self.asked.iter().filter(|a| *a.1 <= now).map(|a| a.0.clone()).collect();
        for tid in late {
            self.asked.remove(&tid);
            events.push_back(Event::Answered { tid, code: 408, words: String::new() });
        }
        while let Some(id) = self.open.values().find(|o| o.2 <= now).map(|o| o.0.clone()) {
            self.fail(&id, 408, "", events);
        }
        while let Some(id) = self.messages.iter().find(|m| m.receipt.is_some_and(|t| t <= now)).map(|m| m.id.clone()) {
            self.fail(&id, 408, "", events);
        }
    }

    pub fn deadline(&self) -> Option<Time> {
        let chunks = self.open.values().map(|o| o.2);
        chunks.chain(self.asked.values().copied()).chain(self.messages.iter().filter_map(|m| m.receipt)).min()
    }
}
