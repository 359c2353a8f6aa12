//! Bodies of two-party conversations (`lync-conversations.md` 1.2 to 1.5).

use super::{CONFERENCE_INVITE, ConferenceOffer, conference_offer};
use crate::domain::Address;
use crate::domain::conversation::TextFormat;
use crate::endpoint::limits::{MAX_NAME, MAX_TOAST_BYTES};
use crate::endpoint::service::Identity;
use crate::lync::Element;
use crate::sip::{Name, NameAddr, Params, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Types a MESSAGE may have, as `accept-types` lists them.
pub(in super::super) const ACCEPT_TYPES: &str =
    "text/plain text/html text/rtf multipart/alternative application/im-iscomposing+xml application/ms-imdn+xml";
/// Most parts of a multipart message that are looked at.
const MAX_PARTS: usize = 16;

/// What an INVITE offers.
pub(in super::super) enum Offer {
    /// Messages.
    Messages,
    /// A place in a conference.
    Conference(ConferenceOffer),
    /// Something we do not have, such as audio.
    Other,
}

/// What a MESSAGE brings.
pub(in super::super) enum Content {
    /// Words.
    Text {
        /// How they are written.
        format: TextFormat,
        /// The words as they came.
        body: String,
    },
    /// The author types, or stopped.
    Typing(bool),
    /// The IM MCU's report.
    Report(Report),
    /// Nothing we can read.
    Unsupported,
}

/// Whom a message did not reach.
pub(in super::super) struct Report {
    /// `Message-Id` of the 202.
    pub message_id: String,
    /// Those without it.
    pub failed: Vec<Address>,
}

/// Content type of a text.
pub(in super::super) fn text_type(bare: bool) -> &'static str {
    if bare { "text/plain" } else { "text/plain; charset=UTF-8" }
}

/// `ms-text-format` for the first words.
pub(in super::super) fn toast(text: &str) -> String {
    let mut end = text.len().min(MAX_TOAST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("text/plain; charset=UTF-8;ms-body={}", STANDARD.encode(text.get(..end).unwrap_or("")))
}

/// First words of an INVITE; empty when it has none.
pub(in super::super) fn toast_of(request: &Request) -> String {
    let Some(value) = request.headers.get(&Name::MsTextFormat) else { return String::new() };
    let body = value.split(';').filter_map(|p| p.trim().strip_prefix("ms-body=")).next().unwrap_or("").trim_matches('"');
    let octets = STANDARD.decode(body).unwrap_or_default();
    String::from_utf8_lossy(octets.get(..MAX_TOAST_BYTES).unwrap_or(&octets)).into_owned()
}

/// Our SDP as the caller.
pub(in super::super) fn offer(me: &Identity) -> String {
    sdp(me, "null")
}

/// Our SDP as the called side.
pub(in super::super) fn answer(me: &Identity) -> String {
    sdp(me, me.uri.as_str())
}

fn sdp(me: &Identity, who: &str) -> String {
    let host = me.sent_by.rsplit_once(':').map_or(me.sent_by.as_str(), |h| h.0);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let net = if host.contains(':') { "IP6" } else { "IP4" };
    format!(
        "v=0\r\no=- 0 0 IN {net} {host}\r\ns=session\r\nc=IN {net} {host}\r\nt=0 0\r\nm=message 5060 sip {who}\r\n\
         a=accept-types:{ACCEPT_TYPES}\r\n"
    )
}

/// What an INVITE offers.
pub(in super::super) fn offer_of(request: &Request) -> Offer {
    let kind = content_type(request);
    if kind == CONFERENCE_INVITE {
        return conference_offer(&request.body).map_or(Offer::Other, Offer::Conference);
    }
    let body = String::from_utf8_lossy(&request.body);
    let messages =
        kind == "application/sdp" && body.lines().any(|l| l.starts_with("m=message") || l.starts_with("m=x-ms-message"));
    if messages { Offer::Messages } else { Offer::Other }
}

/// The body of a typing notice.
pub(in super::super) fn typing(active: bool) -> String {
    let status = if active { "type" } else { "idle" };
    format!("<?xml version=\"1.0\"?><KeyboardActivity> <status status=\"{status}\" /></KeyboardActivity>")
}

/// Reads a typing notice.
pub(in super::super) fn typing_of(request: &Request) -> Option<bool> {
    let root = Element::parse(&request.body).ok().filter(|r| r.name == "KeyboardActivity")?;
    Some(root.child("status")?.attr("status")? == "type")
}

/// Reads the subject another INFO carries.
pub(in super::super) fn subject_of(request: &Request) -> Option<String> {
    let root = Element::parse(&request.body).ok().filter(|r| r.name == "ConversationInfo")?;
    Some(root.child_text("Subject")?.chars().take(MAX_NAME).collect())
}

/// Reads a MESSAGE.
pub(in super::super) fn content(request: &Request) -> Content {
    let full = request.headers.get(&Name::ContentType).unwrap_or("text/plain");
    match content_type(request).as_str() {
        "application/im-iscomposing+xml" => composing(&request.body),
        "application/ms-imdn+xml" => report(&request.body).map_or(Content::Unsupported, Content::Report),
        kind if kind.starts_with("multipart/") => multipart(full, &request.body).unwrap_or(Content::Unsupported),
        kind => text(kind, &request.body).unwrap_or(Content::Unsupported),
    }
}

fn content_type(request: &Request) -> String {
    let value = request.headers.get(&Name::ContentType).unwrap_or("text/plain");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn text(kind: &str, body: &[u8]) -> Option<Content> {
    let format = match kind {
        "text/plain" => TextFormat::Plain,
        "text/html" => TextFormat::Html,
        "text/rtf" => TextFormat::Rtf,
        _ => return None,
    };
    Some(Content::Text { format, body: String::from_utf8_lossy(body).into_owned() })
}

fn composing(body: &[u8]) -> Content {
    match Element::parse(body) {
        Ok(root) => Content::Typing(root.child_text("state").is_some_and(|s| s.eq_ignore_ascii_case("active"))),
        Err(_) => Content::Unsupported,
    }
}

fn report(body: &[u8]) -> Option<Report> {
    let root = Element::parse(body).ok().filter(|r| r.name == "imdn")?;
    let failed = root.children_named("recipient").filter(|r| {
        // A status missing, 0 or from 300 on is a failure (4.6).
        let status: u32 = r.child_text("status").and_then(|s| s.parse().ok()).unwrap_or(0);
        status == 0 || status >= 300
    });
    let failed = failed.filter_map(|r| NameAddr::parse(r.attr("uri")?)?.uri.address()).collect();
    Some(Report { message_id: root.child_text("message-id")?, failed })
}

/// Takes the HTML part, else RTF, else plain text.
fn multipart(full: &str, body: &[u8]) -> Option<Content> {
    let params = Params::parse(full);
    let boundary = params.get("boundary").filter(|b| !b.is_empty())?;
    let body = String::from_utf8_lossy(body);
    let delimiter = format!("--{boundary}");
    let parts = body.split(delimiter.as_str()).skip(1).take(MAX_PARTS).filter_map(part);
    let rank = |k: &str| ["text/html", "text/rtf", "text/plain"].iter().position(|w| *w == k);
    let best = parts.filter_map(|(k, b)| Some((rank(&k)?, k, b))).min_by_key(|p| p.0)?;
    text(&best.1, best.2.as_bytes())
}

fn part(piece: &str) -> Option<(String, String)> {
    let piece = piece.strip_prefix("\r\n").or_else(|| piece.strip_prefix('\n'))?;
    let (head, body) = piece.split_once("\r\n\r\n").or_else(|| piece.split_once("\n\n"))?;
    let value = |name: &str| {
        let line = head.lines().find(|l| l.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
        Some(line.get(name.len()..)?.trim().to_ascii_lowercase())
    };
    let kind = value("content-type:").unwrap_or_else(|| "text/plain".into());
    let kind = kind.split(';').next().unwrap_or("").trim().to_owned();
    let body = body.strip_suffix("\r\n").or_else(|| body.strip_suffix('\n')).unwrap_or(body);
    if value("content-transfer-encoding:").as_deref() == Some("base64") {
        let packed: String = body.split_whitespace().collect();
        return Some((kind, String::from_utf8_lossy(&STANDARD.decode(packed).ok()?).into_owned()));
    }
    Some((kind, body.to_owned()))
}
