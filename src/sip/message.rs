//! Requests and responses: parse, build, serialise (RFC 3261 §7).

use super::Uri;
use super::header::{Headers, Name, NameAddr};
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

/// A method; extension methods are open (SERVICE, BENOTIFY, …). Case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Register,
    Options,
    Message,
    Info,
    Subscribe,
    Notify,
    Benotify,
    Service,
    Publish,
    Refer,
    Update,
    Prack,
    Other(Box<str>),
}

impl Method {
    /// From a token; `None` when it is no token.
    pub fn parse(text: &str) -> Option<Method> {
        Some(match text {
            "INVITE" => Method::Invite,
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            "CANCEL" => Method::Cancel,
            "REGISTER" => Method::Register,
            "OPTIONS" => Method::Options,
            "MESSAGE" => Method::Message,
            "INFO" => Method::Info,
            "SUBSCRIBE" => Method::Subscribe,
            "NOTIFY" => Method::Notify,
            "BENOTIFY" => Method::Benotify,
            "SERVICE" => Method::Service,
            "PUBLISH" => Method::Publish,
            "REFER" => Method::Refer,
            "UPDATE" => Method::Update,
            "PRACK" => Method::Prack,
            t if !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)) => {
                Method::Other(t.into())
            }
            _ => return None,
        })
    }

    /// As on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Register => "REGISTER",
            Method::Options => "OPTIONS",
            Method::Message => "MESSAGE",
            Method::Info => "INFO",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Benotify => "BENOTIFY",
            Method::Service => "SERVICE",
            Method::Publish => "PUBLISH",
            Method::Refer => "REFER",
            Method::Update => "UPDATE",
            Method::Prack => "PRACK",
            Method::Other(t) => t,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Request-URI.
    pub uri: Uri,
    /// Headers without `Content-Length`, which is written from the body.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Headers without `Content-Length`.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

/// Either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, uri: Uri) -> Request {
        Request { method, uri, headers: Headers::new(), body: Vec::new() }
    }

    /// Adds a header.
    pub fn with(mut self, name: impl Into<Name>, value: impl AsRef<str>) -> Request {
        self.headers.push(name, value);
        self
    }

    /// Sets body and `Content-Type`.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        self.headers.set(Name::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// A response with Via, From, To, Call-ID and CSeq of this request (RFC 3261 §8.2.6). The To tag is `to_tag`
    /// unless the request has one already; none is added when `to_tag` is empty.
    pub fn response(&self, status: u16, to_tag: &str) -> Response {
        let mut r = Response::new(status);
        for (name, value) in self.headers.iter() {
            match name {
                Name::Via | Name::From | Name::CallId | Name::CSeq => {
                    r.headers.push(name.clone(), value);
                }
                Name::To => {
                    let tagged = NameAddr::parse(value).is_some_and(|t| t.tag().is_some());
                    let v = if tagged || to_tag.is_empty() { value.to_owned() } else { format!("{value};tag={to_tag}") };
                    r.headers.push(Name::To, v);
                }
                _ => {}
            }
        }
        r
    }
}

impl Request {
    /// Like [`Request::response`], with the `epid` of the answering endpoint beside the To tag.
    pub fn response_of(&self, status: u16, to_tag: &str, epid: &str) -> Response {
        let mut r = self.response(status, to_tag);
        if let Some(to) = r.headers.get(&Name::To).filter(|t| !epid.is_empty() && !t.contains(";epid=")) {
            let to = format!("{to};epid={epid}");
            r.headers.set(Name::To, to);
        }
        r
    }
}

impl Response {
    /// A response with the standard reason phrase and no headers.
    pub fn new(status: u16) -> Response {
        Response { status, reason: reason_phrase(status).to_owned(), headers: Headers::new(), body: Vec::new() }
    }

    /// Adds a header.
    pub fn with(mut self, name: impl Into<Name>, value: impl AsRef<str>) -> Response {
        self.headers.push(name, value);
        self
    }

    /// Sets body and `Content-Type`.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        self.headers.set(Name::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// 200 and up.
    pub fn is_final(&self) -> bool {
        self.status >= 200
    }
}

impl Message {
    /// Headers of either.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(r) => &r.headers,
            Message::Response(r) => &r.headers,
        }
    }

    /// Headers of either.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Message::Request(r) => &mut r.headers,
            Message::Response(r) => &mut r.headers,
        }
    }

    /// Body of either.
    pub fn body(&self) -> &[u8] {
        match self {
            Message::Request(r) => &r.body,
            Message::Response(r) => &r.body,
        }
    }

    pub(super) fn set_body(&mut self, body: Vec<u8>) {
        match self {
            Message::Request(r) => r.body = body,
            Message::Response(r) => r.body = body,
        }
    }

    pub(super) fn extend_body(&mut self, more: &[u8]) {
        match self {
            Message::Request(r) => r.body.extend_from_slice(more),
            Message::Response(r) => r.body.extend_from_slice(more),
        }
    }

    /// The octets for the wire, with `Content-Length`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let headers = self.headers();
        let estimate: usize = headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
        let mut out = Vec::with_capacity(estimate + self.body().len() + 256);
        // Writing into memory cannot fail.
        let _ = match self {
            Message::Request(r) => write!(out, "{} {} SIP/2.0\r\n", r.method.as_str(), r.uri.as_str()),
            Message::Response(r) => write!(out, "SIP/2.0 {:03} {}\r\n", r.status, one_line(&r.reason)),
        };
        for (name, value) in headers.iter() {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let _ = write!(out, "Content-Length: {}\r\n\r\n", self.body().len());
        out.extend_from_slice(self.body());
        out
    }
}

fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\r', '\n']) { text.replace(['\r', '\n'], " ").into() } else { text.into() }
}

/// Standard reason phrases (RFC 3261 §21 and later).
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        430 => "Flow Failed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => "Unknown",
    }
}
