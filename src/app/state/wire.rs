//! The SIP traffic of this session.

use crate::app::Editor;
use crate::app::limits::{WIRE_BYTES, WIRE_RECORD_BYTES, WIRE_RECORDS};
use crate::domain::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// One SIP message that went over the link, secrets masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRecord {
    /// Running number, given by the pane.
    pub number: u64,
    /// When.
    pub at: Time,
    /// Sent by us.
    pub sent: bool,
    /// `INVITE`, `200 OK`
    pub title: String,
    /// Method of the request, or of the CSeq of the response.
    pub method: String,
    /// The other end's address, if known.
    pub peer: String,
    /// Call-ID.
    pub call: String,
    /// Octets on the wire.
    pub size: usize,
    /// The message, raw, at most [`WIRE_RECORD_BYTES`] octets.
    pub text: Arc<str>,
}

/// The Wire pane.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// Records, oldest first.
    pub records: VecDeque<WireRecord>,
    /// Number of the next record.
    pub next: u64,
    /// Number of the selected record; `None`: the newest.
    pub selection: Option<u64>,
    /// First row shown.
    pub top: usize,
    /// The selected record is shown in full, scrolled by so many rows.
    pub open: Option<u16>,
    /// Filter; empty: none.
    pub filter: Editor,
    /// The filter line has the keys.
    pub filtering: bool,
    /// New records are not taken.
    pub paused: bool,
    /// Records missed while paused.
    pub missed: usize,
    /// Octets of all records.
    bytes: usize,
}

impl WireRecord {
    /// Reads what the list needs out of the message text (secrets already masked).
    pub fn new(at: Time, sent: bool, text: &str) -> WireRecord {
        let mut lines = text.lines();
        let start = lines.next().unwrap_or("");
        let header = |names: [&str; 2]| {
            text.lines().take_while(|l| !l.is_empty()).find_map(|l| {
                let (n, v) = l.split_once(':')?;
                names.iter().any(|k| n.trim().eq_ignore_ascii_case(k)).then(|| v.trim().to_owned())
            })
        };
        let response = start.strip_prefix("SIP/2.0 ");
        let method = match response {
            Some(_) => header(["cseq", "cseq"]).and_then(|v| v.split_whitespace().nth(1).map(str::to_owned)).unwrap_or_default(),
            None => start.split(' ').next().unwrap_or("").to_owned(),
        };
        let other = if sent == response.is_none() { ["to", "t"] } else { ["from", "f"] };
        let peer = header(other).map(|v| between(&v).to_owned()).unwrap_or_default();
        let end = (0..=WIRE_RECORD_BYTES.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        WireRecord {
            number: 0,
            at,
            sent,
            title: response.unwrap_or(&method).to_owned(),
            method: method.clone(),
            peer,
            call: header(["call-id", "i"]).unwrap_or_default(),
            size: text.len(),
            text: text.get(..end).unwrap_or("").into(),
        }
    }
}

impl Wire {
    /// Takes a record, dropping the oldest when full.
    pub fn push(&mut self, mut record: WireRecord) {
        if self.paused {
            self.missed += 1;
            return;
        }
        record.number = self.next;
        self.next += 1;
        self.bytes += record.text.len();
        self.records.push_back(record);
        while self.records.len() > WIRE_RECORDS || (self.bytes > WIRE_BYTES && self.records.len() > 1) {
            let gone = self.records.pop_front().map_or(0, |r| r.text.len());
            self.bytes = self.bytes.saturating_sub(gone);
        }
    }

    /// The records the filter lets through, oldest first.
    pub fn shown(&self) -> impl DoubleEndedIterator<Item = &WireRecord> {
        let words: Vec<String> = self.filter.text().split_whitespace().map(str::to_lowercase).collect();
        self.records.iter().filter(move |r| {
            words.is_empty() || {
                let hay = format!("{} {} {} {} {}", r.title, r.method, r.peer, r.call, r.text).to_lowercase();
                words.iter().all(|w| hay.contains(w.as_str()))
            }
        })
    }

    /// The selected record, the newest shown one if none is selected.
    pub fn selected(&self) -> Option<&WireRecord> {
        match self.selection {
            Some(n) => self.records.iter().find(|r| r.number == n),
            None => self.shown().next_back(),
        }
    }
}

fn between(value: &str) -> &str {
    let inner = value.split_once('<').and_then(|(_, r)| r.split_once('>')).map_or(value, |(i, _)| i);
    inner.split(';').next().unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_push_old_ones_out_before_there_are_many() {
        let mut wire = Wire::default();
        let long = format!("NOTIFY sip:a@b SIP/2.0\r\n\r\n{}", "x".repeat(WIRE_BYTES / 4));
        (0..10).for_each(|_| wire.push(WireRecord::new(Time(0), false, &long)));
        assert!(wire.records.iter().map(|r| r.text.len()).sum::<usize>() <= WIRE_BYTES);
        (0..2 * WIRE_RECORDS).for_each(|_| wire.push(WireRecord::new(Time(0), true, "OPTIONS sip:a@b SIP/2.0")));
        assert_eq!(wire.records.len(), WIRE_RECORDS);
        assert_eq!(wire.bytes, WIRE_RECORDS * "OPTIONS sip:a@b SIP/2.0".len());
    }
}
