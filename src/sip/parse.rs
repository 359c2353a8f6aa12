//! From octets to messages (RFC 3261 §7, RFC 4475 as the yardstick).
//!
//! One pass over the head: lines by their CRLF, names into [`Name`], values as they stand (folding undone). A fault does not
//! stop the pass, so that a broken request can still be answered; the first fault is the one reported.

use super::header::{Headers, Name, Span};
use super::limits::{BODY_RESERVE, MAX_BODY, MAX_HEAD, MAX_HEADERS};
use super::{Message, Method, Request, Response, Uri, syntax};
use memchr::{memchr, memchr2, memmem};
use std::borrow::Cow;

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No empty line ends the head.
    #[error("the message has no end of head")]
    NoHead,
    /// Neither a request line nor a status line.
    #[error("the first line is neither a request nor a status line")]
    StartLine,
    /// A request URI that is none, or one with headers (RFC 3261 §19.1.1).
    #[error("the request URI is malformed")]
    RequestUri,
    /// Another version than SIP/2.0.
    #[error("the SIP version is not 2.0")]
    Version,
    /// CR or LF on its own.
    #[error("a line break is not CR LF")]
    LineBreak,
    /// A line without colon or with a name that is no token.
    #[error("a header line is malformed")]
    HeaderLine,
    /// A value that breaks its grammar.
    #[error("the {0} header is malformed")]
    HeaderValue(&'static str),
    /// CSeq names another method than the request line.
    #[error("CSeq names another method")]
    Method,
    /// Not digits, or several that differ.
    #[error("the Content-Length header is malformed")]
    Length,
    /// A body on a stream without `Content-Length`.
    #[error("a body on a stream has no Content-Length")]
    LengthMissing,
    /// Fewer octets than `Content-Length` says.
    #[error("the body is shorter than its Content-Length")]
    Truncated,
    /// More than [`MAX_HEAD`].
    #[error("the head is too long")]
    HeadTooLong,
    /// More than [`MAX_HEADERS`].
    #[error("there are too many headers")]
    TooManyHeaders,
    /// More than [`MAX_BODY`].
    #[error("the body is too long")]
    BodyTooLong,
}

impl Fault {
    /// The status that answers it.
    pub fn status(&self) -> u16 {
        match self {
            Fault::Version => 505,
            Fault::HeadTooLong | Fault::TooManyHeaders | Fault::BodyTooLong => 513,
            _ => 400,
        }
    }
}

/// A refused message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    /// Why.
    pub fault: Fault,
    /// What to send back: there for requests (but ACK) that have Via, From, To, Call-ID and CSeq. It has no To tag of its own.
    pub answer: Option<Box<Response>>,
}

impl From<Fault> for ParseError {
    fn from(fault: Fault) -> ParseError {
        ParseError { fault, answer: None }
    }
}

/// `Content-Length` of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Absent,
    Is(usize),
    Bad,
}

/// A head taken apart.
pub(super) struct Head {
    /// The message without its body, or why not.
    pub message: Result<Message, ParseError>,
    /// Known even where the message is refused, so that a stream can go on behind it.
    pub length: Length,
    pub has_content_type: bool,
}

impl Message {
    /// Reads one message from a datagram. The body is cut at `Content-Length`; without the header it is all the rest.
    pub fn parse(bytes: &[u8]) -> Result<Message, ParseError> {
        let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
        let bytes = bytes.get(start..).unwrap_or_default();
        let limit = bytes.len().min(MAX_HEAD);
        let end = match memmem::find(bytes.get(..limit).unwrap_or_default(), b"\r\n\r\n") {
            Some(at) => at + 4,
            None if bytes.len() > MAX_HEAD => return Err(Fault::HeadTooLong.into()),
            None => return Err(Fault::NoHead.into()),
        };
        let (head, rest) = bytes.split_at(end);
        let head = parse_head(head);
        let mut message = head.message?;
        let body = match head.length {
            Length::Absent => Some(rest),
            Length::Is(n) if n > rest.len() => None,
            Length::Is(n) => rest.get(..n),
            Length::Bad => return Err(refuse(Fault::Length, &message)),
        };
        let Some(body) = body else { return Err(refuse(Fault::Truncated, &message)) };
        if body.len() > MAX_BODY {
            return Err(refuse(Fault::BodyTooLong, &message));
        }
        message.set_body(body.to_vec());
        Ok(message)
    }
}

/// The error for a message whose head was fine.
pub(super) fn refuse(fault: Fault, message: &Message) -> ParseError {
    let answer = match message {
        Message::Request(r) => answer(&fault, Some(&r.method), &r.headers),
        Message::Response(_) => None,
    };
    ParseError { fault, answer }
}

/// Memory to set aside for a body of the announced length.
pub(super) fn reserve(length: usize) -> usize {
    length.min(BODY_RESERVE)
}

enum Start {
    Request(Method, Uri),
    Response(u16, String),
    /// A request line that is refused; the method, if it can be told, decides on the answer.
    BadRequest(Fault, Option<Method>),
    BadResponse(Fault),
}

/// Takes a head apart; `bytes` ends with the empty line.
pub(super) fn parse_head(bytes: &[u8]) -> Head {
    // Names in old character sets must not cost the whole message; the rest of it is ASCII.
    let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let text: &str = &text;
    let mut lines = Lines { text, at: 0, fault: None };
    let start = start_line(lines.next_line().unwrap_or(""));
    let mut fault = None;
    let mut note = |f: Fault| {
        fault.get_or_insert(f);
    };
    let mut found = Vec::with_capacity(24);
    // Values that stood on several lines.
    let mut unfolded = String::new();
    let mut length = Length::Absent;
    let mut has_content_type = false;
    let mut method = None;
    while let Some((at, line)) = lines.next_header() {
        if found.len() >= MAX_HEADERS {
            note(Fault::TooManyHeaders);
            length = Length::Bad;
            break;
        }
        let Some((name, offset, value)) = split_header(&line) else {
            note(Fault::HeaderLine);
            continue;
        };
        match name {
            Name::ContentLength => {
                length = read_length(length, value);
                if length == Length::Bad {
                    note(Fault::Length);
                }
                continue;
            }
            Name::ContentType => has_content_type = true,
            Name::CSeq => method = method.or_else(|| super::CSeq::parse(value).map(|c| c.method)),
            _ => {}
        }
        if let Err(f) = syntax::check(&name, value) {
            note(f);
        }
        let start = match line {
            Cow::Borrowed(_) => at + offset,
            Cow::Owned(_) => {
                unfolded.push_str(value);
                text.len() + unfolded.len() - value.len()
            }
        };
        found.push((name, Span { start, end: start + value.len() }));
    }
    if let Some(f) = lines.fault {
        // Nobody knows where the peer thinks its head ends.
        length = Length::Bad;
        fault = Some(f);
    }
    let headers = Headers::from_spans([text, &unfolded].concat(), found);
    let message = match (start, fault) {
        (Start::Request(m, uri), None) => match method {
            Some(named) if named != m => {
                Err(ParseError { answer: answer(&Fault::Method, Some(&m), &headers), fault: Fault::Method })
            }
            _ => Ok(Message::Request(Request { method: m, uri, headers, body: Vec::new() })),
        },
        (Start::Request(m, _), Some(f)) => Err(ParseError { answer: answer(&f, Some(&m), &headers), fault: f }),
        (Start::BadRequest(f, m), _) => Err(ParseError { answer: answer(&f, m.as_ref(), &headers), fault: f }),
        (Start::Response(status, reason), None) => Ok(Message::Response(Response { status, reason, headers, body: Vec::new() })),
        (Start::Response(..), Some(f)) | (Start::BadResponse(f), _) => Err(f.into()),
    };
    Head { message, length, has_content_type }
}

fn answer(fault: &Fault, method: Option<&Method>, headers: &Headers) -> Option<Box<Response>> {
    if method.is_none_or(|m| matches!(m, Method::Ack | Method::Benotify)) {
        return None;
    }
    let needed = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];
    if needed.iter().any(|n| headers.get(n).is_none()) {
        return None;
    }
    let mut response = Response::new(fault.status());
    for (name, value) in headers.iter().filter(|h| needed.contains(h.0)) {
        // A repeated single-valued header goes back once.
        if *name == Name::Via || response.headers.get(name).is_none() {
            response.headers.push(name.clone(), value);
        }
    }
    Some(Box::new(response))
}

fn start_line(line: &str) -> Start {
    if line.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("SIP/")) {
        return status_line(line);
    }
    let Some((method, rest)) = line.split_once(' ') else { return Start::BadRequest(Fault::StartLine, None) };
    let method = Method::parse(method);
    let Some((uri, version)) = rest.rsplit_once(' ') else { return Start::BadRequest(Fault::StartLine, method) };
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        let fault = if is_version(version) { Fault::Version } else { Fault::StartLine };
        return Start::BadRequest(fault, method);
    }
    let Some(method) = method else { return Start::BadRequest(Fault::StartLine, None) };
    match Uri::parse(uri).filter(|u| !u.has_headers()) {
        Some(uri) => Start::Request(method, uri),
        None => Start::BadRequest(Fault::RequestUri, Some(method)),
    }
}

fn is_version(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let numbers = text.split_once('/').filter(|p| p.0.eq_ignore_ascii_case("SIP")).and_then(|p| p.1.split_once('.'));
    numbers.is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn status_line(line: &str) -> Start {
    let Some((version, rest)) = line.split_once(' ') else { return Start::BadResponse(Fault::StartLine) };
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Start::BadResponse(if is_version(version) { Fault::Version } else { Fault::StartLine });
    }
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let digits = code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
    match code.parse() {
        Ok(status @ 100..=699) if digits => Start::Response(status, reason.to_owned()),
        _ => Start::BadResponse(Fault::StartLine),
    }
}

/// Name, offset of the value, value.
fn split_header(line: &str) -> Option<(Name, usize, &str)> {
    let colon = memchr(b':', line.as_bytes())?;
    let name = Name::parse(line.get(..colon)?.trim_ascii_end());
    let value = line.get(colon + 1..)?.trim_ascii_start();
    let offset = line.len() - value.len();
    match &name {
        Name::Other(text) if !syntax::is_token(text) => None,
        _ => Some((name, offset, value.trim_ascii_end())),
    }
}

fn read_length(before: Length, value: &str) -> Length {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let Some(n) = value.parse().ok().filter(|_| digits) else { return Length::Bad };
    match before {
        Length::Absent => Length::Is(n),
        Length::Is(m) if m == n => before,
        _ => Length::Bad,
    }
}

struct Lines<'a> {
    text: &'a str,
    at: usize,
    fault: Option<Fault>,
}

impl<'a> Lines<'a> {
    /// The next physical line without its CRLF; `None` at the empty line.
    fn next_line(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let end = memchr2(b'\r', b'\n', rest.as_bytes())?;
        if rest.as_bytes().get(end..end + 2) != Some(b"\r\n".as_slice()) {
            self.fault = Some(Fault::LineBreak);
            return None;
        }
        self.at += end + 2;
        rest.get(..end).filter(|l| !l.is_empty())
    }

    /// Where the next header line begins, and the line, continuation lines joined by one space (RFC 3261 §7.3.1).
    fn next_header(&mut self) -> Option<(usize, Cow<'a, str>)> {
        let start = self.at;
        let mut line = Cow::Borrowed(self.next_line()?);
        while self.text.as_bytes().get(self.at).is_some_and(|b| matches!(b, b' ' | b'\t')) {
            let more = self.next_line()?;
            let joined = line.to_mut();
            joined.truncate(joined.trim_ascii_end().len());
            joined.push(' ');
            joined.push_str(more.trim_ascii());
        }
        Some((start, line))
    }
}
