//! What comes: chunks put together, or handed on in order; receipts for who wants them.

use super::Event;
use crate::domain::Time;
use crate::msrp::frame::{Flag, Frame};
use crate::msrp::limits::{INCOMING_MOST, PAUSE_MOST, REPORT_EVERY};
use crate::msrp::uri::MsrpUri;
use std::collections::{BTreeMap, VecDeque};

/// What the other side is to be told.
#[derive(Debug)]
pub(super) struct Report {
    pub id: String,
    pub octets: u64,
    pub total: Option<u64>,
    pub back: Vec<MsrpUri>,
}

#[derive(Debug)]
struct Message {
    id: String,
    media: String,
    /// Octets by their place, put together at the end; empty where parts are handed on.
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Octets that came without a gap.
    next: u64,
    total: Option<u64>,
    report: bool,
    back: Vec<MsrpUri>,
    /// Octets reported last.
    told: u64,
    /// The last chunk has come.
    ended: bool,
    until: Time,
}

/// All that comes by one session.
#[derive(Debug)]
pub(super) struct Incoming {
    most: u64,
    parts: bool,
    messages: Vec<Message>,
    /// Given up: what still comes of them is refused.
    refused: VecDeque<String>,
}

impl Incoming {
    /// Puts messages of at most so many octets together.
    pub fn new(most: u64) -> Incoming {
        Incoming { most, parts: false, messages: Vec::new(), refused: VecDeque::new() }
    }

    /// Hands parts on.
    pub fn in_parts(most: u64) -> Incoming {
        Incoming { parts: true, ..Incoming::new(most) }
    }

    /// Takes a chunk; says how it is answered, and what is reported.
    pub fn take(&mut self, now: Time, mut frame: Frame, events: &mut VecDeque<Event>) -> (u16, Option<Report>) {
        let Some(body) = frame.body.take() else { return (200, None) };
        let id = frame.message().to_owned();
        let Some(range) = frame.range().filter(|_| !id.is_empty()) else { return (400, None) };
        if self.refused.contains(&id) {
            return (413, None);
        }
        let Some(at) = self.message(now, &id, &frame) else { return (413, None) };
        if frame.flag == Flag::Abort {
            self.messages.remove(at);
            events.push_back(Event::Broken { id, why: "the other side gave it up" });
            return (200, None);
        }
        let offset = range.start - 1;
        let end = offset.saturating_add(body.len() as u64);
        let m = &mut self.messages[at];
        m.until = now + PAUSE_MOST;
        m.total = range.total.or(m.total);
        if end.max(range.total.unwrap_or(0)) > self.most {
            return self.broken(at, "it is larger than agreed", events);
        }
        // One octet a chunk would cost far more memory than it holds.
        if !self.parts && m.pieces.len() as u64 > 64 + self.most / 256 {
            return self.broken(at, "it comes in too many pieces", events);
        }
        let last = frame.flag == Flag::End;
        m.ended |= last;
        if self.parts {
            if offset > m.next {
                return self.broken(at, "a part of it is missing", events);
            }
            let fresh = usize::try_from(m.next - offset).unwrap_or(usize::MAX).min(body.len());
            let (data, offset) = (body[fresh..].to_vec(), m.next);
            m.next += data.len() as u64;
            events.push_back(Event::Part { id, offset, total: m.total, data, last });
            return (200, None);
        }
        m.pieces.insert(offset, body);
        m.whole(last, end);
        self.complete(at, events)
    }

    /// The message of a chunk, made where it is the first one; `None` when too many are coming in.
    fn message(&mut self, now: Time, id: &str, frame: &Frame) -> Option<usize> {
        if let Some(at) = self.messages.iter().position(|m| m.id == id) {
            return Some(at);
        }
        if self.messages.len() >= INCOMING_MOST {
            return None;
        }
        self.messages.push(Message {
            id: id.to_owned(),
            media: frame.header("Content-Type").unwrap_or("text/plain").to_owned(),
            pieces: BTreeMap::new(),
            next: 0,
            total: None,
            report: frame.header("Success-Report") == Some("yes"),
            back: frame.from.clone(),
            told: 0,
            ended: false,
            until: now + PAUSE_MOST,
        });
        Some(self.messages.len() - 1)
    }

    fn broken(&mut self, at: usize, why: &'static str, events: &mut VecDeque<Event>) -> (u16, Option<Report>) {
        let id = self.messages.remove(at).id;
        self.note_refused(id.clone());
        events.push_back(Event::Broken { id, why });
        (413, None)
    }

    fn note_refused(&mut self, id: String) {
        self.refused.push_back(id);
        self.refused.drain(..self.refused.len().saturating_sub(INCOMING_MOST));
    }

    fn complete(&mut self, at: usize, events: &mut VecDeque<Event>) -> (u16, Option<Report>) {
        let m = &self.messages[at];
        if !m.ended || m.total.is_none_or(|t| m.together() < t) {
            return (200, None);
        }
        let m = self.messages.remove(at);
        let total = m.total.unwrap_or(0);
        let mut body = vec![0; usize::try_from(total).unwrap_or(0)];
        for (offset, piece) in &m.pieces {
            let from = usize::try_from(*offset).unwrap_or(usize::MAX);
            let fits = piece.len().min(body.len().saturating_sub(from));
            if let Some(place) = body.get_mut(from..from + fits) {
                place.copy_from_slice(&piece[..fits]);
            }
        }
        let report = m.report.then(|| Report { id: m.id.clone(), octets: total, total: Some(total), back: m.back });
        events.push_back(Event::Message { id: m.id, media: m.media, body });
        (200, report)
    }

    /// Parts up to here are dealt with.
    pub fn settled(&mut self, id: &str, octets: u64) -> Option<Report> {
        let at = self.messages.iter().position(|m| m.id == id)?;
        let m = &mut self.messages[at];
        let all = m.ended && octets >= m.next;
        if !all && octets < m.told + REPORT_EVERY {
            return None;
        }
        m.told = octets;
        let total = if all { Some(octets) } else { m.total };
        let report = m.report.then(|| Report { id: m.id.clone(), octets, total, back: m.back.clone() });
        if all {
            self.messages.remove(at);
        }
        report
    }

    pub fn refuse(&mut self, id: &str) {
        self.messages.retain(|m| m.id != id);
        self.note_refused(id.to_owned());
    }

    pub fn busy(&self) -> bool {
        !self.messages.is_empty()
    }

    pub fn expire(&mut self, now: Time, events: &mut VecDeque<Event>) {
        while let Some(at) = self.messages.iter().position(|m| m.until <= now && !(self.parts && m.ended)) {
            self.broken(at, "it stopped coming", events);
        }
    }

    pub fn deadline(&self) -> Option<Time> {
        self.messages.iter().filter(|m| !(self.parts && m.ended)).map(|m| m.until).min()
    }
}

impl Message {
    /// The last chunk says how long the whole is where nobody said it before.
    fn whole(&mut self, last: bool, end: u64) {
        if last && self.total.is_none() {
            self.total = Some(end);
        }
    }

    /// Octets from the beginning without a gap.
    fn together(&self) -> u64 {
        let mut reach = 0;
        for (offset, piece) in &self.pieces {
            if *offset > reach {
                break;
            }
            reach = reach.max(offset.saturating_add(piece.len() as u64));
        }
        reach
    }
}
