//! One document on an XCAP server (RFC 4825): fetched whole, written whole, never over what somebody else wrote meanwhile.

use crate::domain::Time;
use crate::endpoint::limits::{EVENT_AGAIN, EVENT_AGAIN_MOST, XCAP_AGAIN, XCAP_CAREFUL_OCTETS};
use crate::endpoint::service::{Ctx, Token};
use crate::endpoint::web::{WebAnswer, WebPlace, WebRequest};
use crate::endpoint::{Error, ErrorKind};
use crate::simple::xcap::{self, Document};
use std::time::Duration;

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Fetch,
    Write,
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The document; `None`: there is none yet.
    Fetched(Option<Vec<u8>>),
    /// It is what it was.
    Unchanged,
    /// What was written stands.
    Written,
    /// Somebody else wrote meanwhile, or the server does not like it: its words, which may be empty. To be fetched anew.
    Conflict(String),
    /// The server could not be asked, or keeps no such documents.
    Away(Error),
    /// What was written is refused.
    Refused(Error),
}

/// The document as it is kept there.
#[derive(Debug)]
pub struct Remote {
    place: WebPlace,
    kind: Document,
    etag: Option<String>,
    under_way: Option<(Token, Work, usize)>,
    /// It is to be fetched then.
    due: Option<Time>,
    failures: u32,
}

impl Remote {
    /// Not fetched yet.
    pub fn new(place: WebPlace, kind: Document) -> Remote {
        Remote { place, kind, etag: None, under_way: None, due: None, failures: 0 }
    }

    /// Where documents are kept.
    pub fn place(&self) -> &WebPlace {
        &self.place
    }

    /// Whether an answer is waited for.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// When it is to be fetched again.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.due.filter(|_| self.under_way.is_none())
    }

    /// Whether that time has come.
    pub fn is_due(&self, now: Time) -> bool {
        self.poll_timeout().is_some_and(|t| t <= now)
    }

    /// Nothing is waited for any more.
    pub fn reset(&mut self) {
        (self.under_way, self.due) = (None, None);
    }

    /// Asks for it; where it is known, only for what is newer.
    pub fn fetch(&mut self, ctx: &mut Ctx<'_>) {
        let newer = self.etag.iter().map(|e| ("If-None-Match".to_owned(), e.clone())).collect();
        self.ask(ctx, Work::Fetch, "GET", newer, Vec::new());
    }

    /// Writes it over what was fetched last, or as the first one.
    pub fn write(&mut self, ctx: &mut Ctx<'_>, body: Vec<u8>) {
        let condition = match &self.etag {
            Some(etag) => ("If-Match".to_owned(), etag.clone()),
            None => ("If-None-Match".to_owned(), "*".to_owned()),
        };
        let media = ("Content-Type".to_owned(), self.kind.content_type().to_owned());
        self.ask(ctx, Work::Write, "PUT", vec![condition, media], body);
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, work: Work, method: &'static str, headers: Vec<(String, String)>, body: Vec<u8>) {
        let octets = body.len();
        let request = WebRequest {
            id: 0,
            host: self.place.host.clone(),
            port: self.place.port,
            tls: self.place.tls,
            method,
            path: self.kind.path(&self.place.path, &ctx.me.uri),
            headers,
            body,
        };
        self.due = None;
        self.under_way = Some((ctx.ask_web(request), work, octets));
    }

    /// An answer; `None`: to something else.
    pub fn on_web(&mut self, ctx: &Ctx<'_>, token: Token, answer: &Result<WebAnswer, String>) -> Option<News> {
        let (_, work, octets) = self.under_way.take_if(|u| u.0 == token)?;
        let news = match (work, answer) {
            (Work::Fetch, Ok(a)) => self.fetched(a),
            (Work::Write, Ok(a)) => self.written(a),
            (Work::Write, Err(why)) if octets > XCAP_CAREFUL_OCTETS => {
                let text = format!(
                    "{why}. Perhaps the document of {octets} octets is too long for this server; its administrator can raise the limit (buf_size of xcap_server in Kamailio)."
                );
                News::Refused(Error::new(ErrorKind::FailureResponse, text))
            }
            (_, Err(why)) => {
                News::Away(Error::new(ErrorKind::ConnectionFailed, format!("{} cannot be reached: {why}.", self.place)))
            }
        };
        let wait = match &news {
            News::Away(_) => {
                self.failures += 1;
                (EVENT_AGAIN * (1 << self.failures.min(7))).min(EVENT_AGAIN_MOST)
            }
            News::Conflict(_) => Duration::ZERO,
            _ => {
                self.failures = 0;
                XCAP_AGAIN
            }
        };
        self.due = Some(ctx.now + wait);
        Some(news)
    }

    fn fetched(&mut self, answer: &WebAnswer) -> News {
        match answer.status {
            200..=299 => {
                self.etag = answer.header("ETag").map(str::to_owned);
                News::Fetched(Some(answer.body.clone()))
            }
            304 => News::Unchanged,
            404 => {
                self.etag = None;
                News::Fetched(None)
            }
            status => News::Away(self.refusal(status)),
        }
    }

    fn written(&mut self, answer: &WebAnswer) -> News {
        match answer.status {
            200..=299 => {
                // Without the new tag the next write goes over what is fetched before it.
                self.etag = answer.header("ETag").map(str::to_owned);
                News::Written
            }
            412 => {
                self.etag = None;
                News::Conflict(String::new())
            }
            409 => {
                self.etag = None;
                News::Conflict(xcap::conflict(&answer.body))
            }
            status @ (401 | 408 | 500..=599) => News::Away(self.refusal(status)),
            status => News::Refused(self.refusal(status)),
        }
    }

    fn refusal(&self, status: u16) -> Error {
        let text = match status {
            401 => format!("{} does not take your password. Ask its administrator.", self.place),
            403 => format!("{} does not let you read or write your own documents. Ask its administrator.", self.place),
            405 | 501 => format!("{} keeps no documents of this kind.", self.place),
            413 => format!("The document is too long for {}.", self.place),
            _ => format!("{} answers {status}.", self.place),
        };
        Error { status: Some(status), ..Error::new(ErrorKind::FailureResponse, text) }
    }
}
