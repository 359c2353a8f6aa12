//! One frame: a request with at most one chunk, or a response (RFC 4975 §7, §9).

use super::limits::{HEADERS_MOST, IDENT};
use super::range::ByteRange;
use super::uri::{self, MsrpUri};
use crate::domain::Rng;
use memchr::memmem;
use std::fmt;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// A chunk of a message, or nothing to keep the way open.
    Send,
    /// How far a message got.
    Report,
    /// A relay is asked for a path.
    Auth,
    /// A name in a chat room (RFC 7701).
    Nickname,
    /// Anything else.
    Other(String),
}

impl Method {
    /// As on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Send => "SEND",
            Method::Report => "REPORT",
            Method::Auth => "AUTH",
            Method::Nickname => "NICKNAME",
            Method::Other(name) => name,
        }
    }

    fn parse(text: &str) -> Option<Method> {
        Some(match text {
            "SEND" => Method::Send,
            "REPORT" => Method::Report,
            "AUTH" => Method::Auth,
            "NICKNAME" => Method::Nickname,
            other if !other.is_empty() && other.bytes().all(|b| b.is_ascii_uppercase()) => Method::Other(other.to_owned()),
            _ => return None,
        })
    }
}

/// Request or response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request(Method),
    /// A response: its code and words.
    Response(u16, String),
}

/// How a chunk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `$`: the message is complete.
    End,
    /// `+`: more of it follows.
    More,
    /// `#`: the sender gave it up.
    Abort,
}

impl Flag {
    /// As on the wire.
    pub fn octet(self) -> u8 {
        match self {
            Flag::End => b'$',
            Flag::More => b'+',
            Flag::Abort => b'#',
        }
    }

    /// Reads it.
    pub fn from_octet(octet: u8) -> Option<Flag> {
        [Flag::End, Flag::More, Flag::Abort].into_iter().find(|f| f.octet() == octet)
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Transaction id.
    pub tid: String,
    /// What it is.
    pub kind: Kind,
    /// Where it goes, the next hop first.
    pub to: Vec<MsrpUri>,
    /// Where it comes from, the last hop first.
    pub from: Vec<MsrpUri>,
    /// All further headers in order, `Content-Type` last.
    pub headers: Vec<(String, String)>,
    /// Content; `None`: there is none.
    pub body: Option<Vec<u8>>,
    /// How it ends.
    pub flag: Flag,
}

impl Frame {
    /// A request without content.
    pub fn request(method: Method, rng: &mut Rng, to: Vec<MsrpUri>, from: Vec<MsrpUri>) -> Frame {
        let kind = Kind::Request(method);
        Frame { tid: rng.hex(16), kind, to, from, headers: Vec::new(), body: None, flag: Flag::End }
    }

    /// The answer to this request: it goes back one hop only.
    pub fn response(&self, code: u16, words: &str) -> Frame {
        Frame {
            tid: self.tid.clone(),
            kind: Kind::Response(code, words.to_owned()),
            to: self.from.first().cloned().into_iter().collect(),
            from: self.to.first().cloned().into_iter().collect(),
            headers: Vec::new(),
            body: None,
            flag: Flag::End,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Frame {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|h| h.0 == name).map(|h| h.1.as_str())
    }

    /// The message it belongs to; empty where none is named.
    pub fn message(&self) -> &str {
        self.header("Message-ID").unwrap_or("")
    }

    /// The range of the chunk; the whole message where none is written. `None` when it is malformed.
    pub fn range(&self) -> Option<ByteRange> {
        self.header("Byte-Range").map_or(Some(ByteRange::WHOLE), ByteRange::parse)
    }

    /// Gives it a chunk; the transaction id changes where the content holds its end line.
    #[must_use]
    pub fn chunk(mut self, rng: &mut Rng, media: &str, body: Vec<u8>, flag: Flag) -> Frame {
        while memmem::find(&body, format!("-------{}", self.tid).as_bytes()).is_some() {
            self.tid = rng.hex(16);
        }
        self.headers.push(("Content-Type".into(), media.to_owned()));
        (self.body, self.flag) = (Some(body), flag);
        self
    }

    /// Its octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.head().into_bytes();
        if let Some(body) = &self.body {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(body);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("-------{}{}\r\n", self.tid, char::from(self.flag.octet())).as_bytes());
        out
    }

    fn head(&self) -> String {
        let first = match &self.kind {
            Kind::Request(method) => format!("MSRP {} {}\r\n", self.tid, method.as_str()),
            Kind::Response(code, words) if words.is_empty() => format!("MSRP {} {code:03}\r\n", self.tid),
            Kind::Response(code, words) => format!("MSRP {} {code:03} {words}\r\n", self.tid),
        };
        // Relays find these two by their place (`simple.md` 3.5).
        let paths = format!("To-Path: {}\r\nFrom-Path: {}\r\n", uri::write_path(&self.to), uri::write_path(&self.from));
        let headers: String = self.headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        first + &paths + &headers
    }

    /// Reads start line and headers, without the empty line behind them; the content is for the caller.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse_head(head: &[u8]) -> Result<Frame, &'static str> {
        let text = std::str::from_utf8(head).map_err(|_| "the headers are not UTF-8")?;
        let mut lines = text.split("\r\n").filter(|l| !l.is_empty());
        let (tid, kind) = start_line(lines.next().unwrap_or(""))?;
        let (mut to, mut from, mut headers) = (None, None, Vec::new());
        for line in lines {
            let (name, value) = line.split_once(':').ok_or("a header has no colon")?;
            let value = value.trim_matches([' ', '\t']);
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) || value.chars().any(char::is_control) {
                return Err("a header is malformed");
            }
            match name {
                "To-Path" => to = Some(uri::path(value).ok_or("To-Path is malformed")?),
                "From-Path" => from = Some(uri::path(value).ok_or("From-Path is malformed")?),
                _ if headers.len() >= HEADERS_MOST => return Err("there are too many headers"),
                _ => headers.push((name.to_owned(), value.to_owned())),
            }
        }
        let (to, from) = (to.ok_or("To-Path is missing")?, from.ok_or("From-Path is missing")?);
        Ok(Frame { tid, kind, to, from, headers, body: None, flag: Flag::End })
    }

    /// One line for people who look at the wire: no content, no credentials.
    pub fn summary(&self) -> String {
        let octets = self.body.as_ref().map_or(0, Vec::len);
        let range = self.header("Byte-Range").map_or(String::new(), |r| format!(" {r}"));
        let status = self.header("Status").map_or(String::new(), |s| format!(" ({s})"));
        let size = if octets > 0 { format!(", {octets} octets") } else { String::new() };
        match &self.kind {
            Kind::Request(m) => format!("MSRP {}{range}{status}{size}", m.as_str()),
            Kind::Response(code, words) => format!("MSRP {code:03} {words}"),
        }
    }
}

/// Transaction id and what the frame is.
pub(super) fn start_line(line: &str) -> Result<(String, Kind), &'static str> {
    let mut words = line.splitn(4, ' ');
    if words.next() != Some("MSRP") {
        return Err("this is no MSRP");
    }
    let tid = words.next().unwrap_or("");
    if !is_ident(tid) {
        return Err("the transaction id is malformed");
    }
    let what = words.next().unwrap_or("");
    let rest = words.next().unwrap_or("");
    let code = (what.len() == 3 && what.bytes().all(|b| b.is_ascii_digit())).then(|| what.parse().ok()).flatten();
    let kind = match code {
        Some(code) => Kind::Response(code, rest.chars().filter(|c| !c.is_control()).collect()),
        None => Kind::Request(Method::parse(what).ok_or("the method is malformed")?),
    };
    Ok((tid.to_owned(), kind))
}

fn is_ident(text: &str) -> bool {
    IDENT.contains(&text.len())
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+' | b'%' | b'='))
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}
