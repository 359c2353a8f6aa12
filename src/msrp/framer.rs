//! Octets of a stream into frames. A chunk of any length is taken: what is longer than [`PART`] comes out in parts, so that
//! nobody can fill the memory.

use super::frame::{Flag, Frame, Kind};
use super::limits::{HEAD_MOST, PART};
use super::range::ByteRange;
use memchr::memmem;

/// A stream that cannot be understood any more; the connection should be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side does not speak MSRP as it should: {0}")]
pub struct Fault(pub &'static str);

/// What came out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// The frame, or a part of it.
    pub frame: Frame,
    /// More of the same frame follows: it is not to be answered yet.
    pub partial: bool,
}

/// Puts frames together.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// The head of the frame that is coming, and how much of its content was handed on.
    open: Option<(Frame, u64)>,
    broken: Option<Fault>,
}

/// How a frame's first octets look.
enum Head {
    Incomplete,
    /// With content behind the empty line after so many octets.
    Content(usize),
    /// Without content: octets of the head, of the whole frame, and the flag.
    Bare(usize, usize, Flag),
}

impl Framer {
    /// More octets came.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame, or part of one; `None` until more octets come.
    ///
    /// # Errors
    /// Once the stream is no MSRP; from then on always.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<Framed, Fault>> {
        if let Some(fault) = self.broken {
            return Some(Err(fault));
        }
        match self.step() {
            Ok(out) => out.map(Ok),
            Err(why) => {
                self.broken = Some(Fault(why));
                (self.buffer, self.open) = (Vec::new(), None);
                Some(Err(Fault(why)))
            }
        }
    }

    fn step(&mut self) -> Result<Option<Framed>, &'static str> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => match self.head()? {
                Head::Incomplete => return Ok(None),
                Head::Bare(head, whole, flag) => {
                    let mut frame = Frame::parse_head(&self.buffer[..head])?;
                    frame.flag = flag;
                    self.buffer.drain(..whole);
                    return Ok(Some(Framed { frame, partial: false }));
                }
                Head::Content(head) => {
                    let frame = Frame::parse_head(&self.buffer[..head])?;
                    if matches!(frame.kind, Kind::Request(_)) && frame.range().is_none() {
                        return Err("a range of octets is malformed");
                    }
                    self.buffer.drain(..head + 2);
                    (frame, 0)
                }
            },
        };
        let out = self.content(&mut open);
        if out.as_ref().is_none_or(|framed| framed.partial) {
            self.open = Some(open);
        }
        Ok(out)
    }

    /// Looks at the beginning of a frame.
    fn head(&self) -> Result<Head, &'static str> {
        let b = &self.buffer;
        if !b.starts_with(&b"MSRP "[..b.len().min(5)]) {
            return Err("a frame does not begin with its name");
        }
        let within = &b[..b.len().min(HEAD_MOST)];
        let Some(line) = memmem::find(within, b"\r\n") else { return too_long(b, Head::Incomplete) };
        let first = std::str::from_utf8(&b[..line]).map_err(|_| "the first line is not UTF-8")?;
        let (tid, _) = super::frame::start_line(first)?;
        let end = format!("\r\n-------{tid}");
        let blank = memmem::find(within, b"\r\n\r\n").map(|at| at + 2);
        match memmem::find(within, end.as_bytes()).map(|at| at + 2) {
            // An empty line without content behind it is as good as none.
            Some(at) if blank.is_none_or(|blank| at <= blank + 2) => {
                let whole = at + end.len() + 1;
                let Some(rest) = b.get(whole - 3..whole) else { return Ok(Head::Incomplete) };
                let flag = Flag::from_octet(rest[0]).ok_or("a frame ends without its flag")?;
                if &rest[1..] != b"\r\n" { Err("a frame ends without a line break") } else { Ok(Head::Bare(at, whole, flag)) }
            }
            _ => match blank {
                Some(blank) => Ok(Head::Content(blank)),
                None => too_long(b, Head::Incomplete),
            },
        }
    }

    /// Hands on the content that is here.
    fn content(&mut self, open: &mut (Frame, u64)) -> Option<Framed> {
        let end = format!("\r\n-------{}", open.0.tid);
        let (mut from, within) = (0, self.buffer.len().min(PART + end.len()));
        while let Some(at) = memmem::find(&self.buffer[from..within], end.as_bytes()).map(|at| at + from) {
            let rest = self.buffer.get(at + end.len()..at + end.len() + 3)?;
            match Flag::from_octet(rest[0]) {
                Some(flag) if &rest[1..] == b"\r\n" => {
                    let out = self.cut(open, at, flag);
                    self.buffer.drain(..end.len() + 3);
                    return Some(Framed { frame: out, partial: false });
                }
                // The content only looks like an end.
                _ => from = at + 1,
            }
        }
        // What may be the beginning of the end line stays.
        (self.buffer.len() >= PART + end.len()).then(|| Framed { frame: self.cut(open, PART, Flag::More), partial: true })
    }

    fn cut(&mut self, open: &mut (Frame, u64), octets: usize, flag: Flag) -> Frame {
        let mut out = open.0.clone();
        advance(&mut out, open.1);
        open.1 += octets as u64;
        (out.body, out.flag) = (Some(self.buffer.drain(..octets).collect()), flag);
        out
    }
}

fn too_long(buffer: &[u8], fine: Head) -> Result<Head, &'static str> {
    if buffer.len() >= HEAD_MOST { Err("the headers are too long") } else { Ok(fine) }
}

/// The range of what follows after `done` octets of the chunk.
fn advance(frame: &mut Frame, done: u64) {
    if done == 0 {
        return;
    }
    let range = frame.range().unwrap_or(ByteRange::WHOLE);
    let moved = ByteRange { start: range.start.saturating_add(done), ..range }.to_string();
    match frame.headers.iter_mut().find(|h| h.0 == "Byte-Range") {
        Some(header) => header.1 = moved,
        None => frame.headers.push(("Byte-Range".into(), moved)),
    }
}

#[cfg(test)]
#[path = "framer_tests.rs"]
mod tests;
