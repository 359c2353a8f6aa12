//! Messages out of a byte stream (RFC 3261 §18.3, RFC 5626 keep-alives).
//!
//! Push what was read, then take frames until there are none. After a fatal error the framer gives nothing more: the
//! position in the stream is lost, the connection has to be closed (after sending the answer, if the error carries one).

use super::limits::{MAX_BODY, MAX_HEAD};
use super::parse::{Fault, Length, ParseError, parse_head, refuse, reserve};
use super::{Message, Response};
use memchr::memmem;

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message.
    Message(Box<Message>),
    /// CR LF CR LF between messages.
    KeepAlive,
}

/// A refused message of a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct FrameError {
    /// Why.
    pub fault: Fault,
    /// What to send back, if it can be answered.
    pub answer: Option<Box<Response>>,
    /// Whether the connection is of no more use.
    pub fatal: bool,
}

impl FrameError {
    fn new(error: ParseError, fatal: bool) -> FrameError {
        FrameError { fault: error.fault, answer: error.answer, fatal }
    }
}

#[derive(Debug, Default)]
enum State {
    /// Looking for the end of a head; so many octets were looked at.
    #[default]
    Head,
    /// The head is read, the body is not complete.
    Body(Box<Message>, usize),
    /// The body of a refused message.
    Skip(usize),
    Broken,
}

/// Cuts a stream into messages.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    start: usize,
    scanned: usize,
    max_body: usize,
    state: State,
}

impl Default for Framer {
    fn default() -> Framer {
        Framer::new()
    }
}

impl Framer {
    /// With the usual limits.
    pub fn new() -> Framer {
        Framer::with_max_body(MAX_BODY)
    }

    /// With another limit for bodies, in octets.
    pub fn with_max_body(max_body: usize) -> Framer {
        Framer { buffer: Vec::new(), start: 0, scanned: 0, max_body, state: State::Head }
    }

    /// Adds octets as they were read.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Broken) {
            return;
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Octets waiting for the rest of their message.
    pub fn pending(&self) -> usize {
        self.rest().len()
    }

    /// The next frame, if it is complete.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<Frame, FrameError>> {
        loop {
            match &mut self.state {
                State::Broken => return None,
                State::Skip(left) => {
                    let n = (*left).min(self.buffer.len() - self.start);
                    *left -= n;
                    let done = *left == 0;
                    self.consume(n);
                    if !done {
                        return None;
                    }
                    self.state = State::Head;
                }
                State::Body(message, left) => {
                    let n = (*left).min(self.buffer.len() - self.start);
                    message.extend_body(self.buffer.get(self.start..self.start + n).unwrap_or_default());
                    *left -= n;
                    let done = *left == 0;
                    self.consume(n);
                    if !done {
                        return None;
                    }
                    if let State::Body(message, _) = std::mem::take(&mut self.state) {
                        return Some(Ok(Frame::Message(message)));
                    }
                }
                State::Head => match self.head()? {
                    Ok(Some(frame)) => return Some(Ok(frame)),
                    Ok(None) => {}
                    Err(e) => return Some(Err(self.fail(e))),
                },
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn consume(&mut self, n: usize) {
        self.start += n;
        self.scanned = 0;
        if self.start >= self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
    }

    fn fail(&mut self, error: FrameError) -> FrameError {
        if error.fatal {
            self.state = State::Broken;
            self.buffer = Vec::new();
            self.start = 0;
        }
        error
    }

    /// `None`: more octets are needed. `Ok(None)`: the state has moved on.
    fn head(&mut self) -> Option<Result<Option<Frame>, FrameError>> {
        let breaks = self.rest().iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if breaks > 0 {
            return self.line_breaks(breaks);
        }
        if self.rest().is_empty() {
            return None;
        }
        let from = self.scanned.saturating_sub(3);
        let Some(found) = memmem::find(self.rest().get(from..).unwrap_or_default(), b"\r\n\r\n") else {
            self.scanned = self.rest().len();
            return (self.scanned > MAX_HEAD).then(|| Err(FrameError::new(Fault::HeadTooLong.into(), true)));
        };
        let end = from + found + 4;
        if end > MAX_HEAD {
            return Some(Err(FrameError::new(Fault::HeadTooLong.into(), true)));
        }
        let head = parse_head(self.rest().get(..end).unwrap_or_default());
        self.consume(end);
        let length = match head.length {
            Length::Is(n) => n,
            Length::Absent if !head.has_content_type => 0,
            Length::Absent => {
                let error = head.message.map_or_else(|e| e, |m| refuse(Fault::LengthMissing, &m));
                return Some(Err(FrameError::new(error, true)));
            }
            Length::Bad => {
                let error = head.message.map_or_else(|e| e, |m| refuse(Fault::Length, &m));
                return Some(Err(FrameError::new(error, true)));
            }
        };
        Some(self.body(head.message, length))
    }

    fn body(&mut self, message: Result<Message, ParseError>, length: usize) -> Result<Option<Frame>, FrameError> {
        match message {
            Err(e) if length > self.max_body => Err(FrameError::new(e, true)),
            Err(e) => {
                self.state = State::Skip(length);
                Err(FrameError::new(e, false))
            }
            Ok(m) if length > self.max_body => Err(FrameError::new(refuse(Fault::BodyTooLong, &m), true)),
            Ok(m) if length == 0 => Ok(Some(Frame::Message(Box::new(m)))),
            Ok(mut m) => {
                m.set_body(Vec::with_capacity(reserve(length)));
                self.state = State::Body(Box::new(m), length);
                Ok(None)
            }
        }
    }

    /// Line breaks before a head: every CR LF CR LF is a keep-alive, others are dropped.
    fn line_breaks(&mut self, count: usize) -> Option<Result<Option<Frame>, FrameError>> {
        if self.rest().starts_with(b"\r\n\r\n") {
            self.consume(4);
            return Some(Ok(Some(Frame::KeepAlive)));
        }
        let rest = self.rest();
        if count == rest.len() && b"\r\n\r\n".starts_with(rest) {
            // Perhaps the first half of a keep-alive.
            return None;
        }
        let n = if rest.starts_with(b"\r\n") { 2 } else { 1 };
        self.consume(n);
        Some(Ok(None))
    }
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
