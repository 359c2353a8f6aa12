//! `message/cpim` (RFC 3862): a message in an envelope with its own headers, among them the wish for notices (RFC 5438).

use super::limits::{CPIM_MAX_HEADERS, CPIM_MAX_LINE, MESSAGE_ID_MAX};
use super::time;
use crate::domain::{Address, Time};
use crate::sip::NameAddr;

/// Media type.
pub const CONTENT_TYPE: &str = "message/cpim";
const IMDN: &str = "urn:ietf:params:imdn";

/// What the sender wants to hear about the message (RFC 5438 §6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// That it arrived.
    pub delivery: bool,
    /// That it did not arrive.
    pub failure: bool,
    /// That it was read.
    pub display: bool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// From whom; `None` when it is no SIP address.
    pub from: Option<Address>,
    /// To whom.
    pub to: Option<Address>,
    /// When it was written.
    pub at: Option<Time>,
    /// `imdn.Message-ID`.
    pub id: Option<String>,
    /// Notices wanted.
    pub wishes: Wishes,
    /// The content is itself a notice (`Content-Disposition: notification`).
    pub notification: bool,
    /// Media type of the content with its parameters.
    pub content_type: String,
    /// The content.
    pub content: Vec<u8>,
}

/// Why octets are no message of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpimError {
    /// No blank line after the headers, or a line that is no header.
    #[error("the message envelope (CPIM) is broken")]
    Malformed,
    /// It requires something unknown.
    #[error("the message requires something that is not known here")]
    Required,
}

/// The message as octets.
pub fn write(e: &Envelope) -> Vec<u8> {
    let mut head = String::with_capacity(256);
    let mut line = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
    let address = |a: &Option<Address>| a.as_ref().map_or("<sip:anonymous@anonymous.invalid>".to_owned(), |a| format!("<{a}>"));
    line("From", &address(&e.from));
    line("To", &address(&e.to));
    if let Some(at) = e.at {
        line("DateTime", &time::write(at));
    }
    if let Some(id) = &e.id {
        line("NS", &format!("imdn <{IMDN}>"));
        line("imdn.Message-ID", id);
        let wishes =
            [(e.wishes.delivery, "positive-delivery"), (e.wishes.failure, "negative-delivery"), (e.wishes.display, "display")];
        let wanted: Vec<&str> = wishes.iter().filter(|w| w.0).map(|w| w.1).collect();
        if !wanted.is_empty() {
            line("imdn.Disposition-Notification", &wanted.join(", "));
        }
    }
    head.push_str(&format!("\r\nContent-Type: {}\r\n", e.content_type));
    if e.notification {
        head.push_str("Content-Disposition: notification\r\n");
    }
    head.push_str("\r\n");
    let mut out = head.into_bytes();
    out.extend_from_slice(&e.content);
    out
}

/// Reads a message.
pub fn parse(octets: &[u8]) -> Result<Envelope, CpimError> {
    let (head, rest) = headers(octets)?;
    let (inner, content) = headers(rest)?;
    let get = |name: &str| head.iter().find(|h| h.0 == name).map(|h| h.1.as_str());
    let prefix = head.iter().filter(|h| h.0 == "NS").find_map(|h| {
        let (prefix, uri) = h.1.split_once(' ')?;
        (uri.trim() == format!("<{IMDN}>")).then(|| prefix.to_owned())
    });
    let notices = |name: &str| prefix.as_ref().and_then(|p| get(&format!("{p}.{name}")));
    if get("Require").is_some_and(|r| !r.trim().is_empty()) {
        return Err(CpimError::Required);
    }
    let wanted = notices("Disposition-Notification").unwrap_or("");
    let wants = |what: &str| wanted.split(',').any(|w| w.trim() == what);
    let inside = |name: &str| inner.iter().find(|h| h.0.eq_ignore_ascii_case(name)).map(|h| h.1.as_str());
    Ok(Envelope {
        from: get("From").and_then(address),
        to: get("To").and_then(address),
        at: get("DateTime").and_then(time::parse),
        id: notices("Message-ID").filter(|id| id.len() <= MESSAGE_ID_MAX && !id.is_empty()).map(str::to_owned),
        wishes: Wishes { delivery: wants("positive-delivery"), failure: wants("negative-delivery"), display: wants("display") },
        notification: inside("Content-Disposition").is_some_and(|d| d.trim().eq_ignore_ascii_case("notification")),
        content_type: inside("Content-Type").unwrap_or("text/plain").to_owned(),
        content: content.to_vec(),
    })
}

fn address(value: &str) -> Option<Address> {
    let uri = NameAddr::parse(value).map(|a| a.uri.to_string())?;
    Address::parse(&uri).ok().filter(|a| a.host() != "anonymous.invalid")
}

type Header = (String, String);

/// The headers up to the blank line, and what follows it.
fn headers(octets: &[u8]) -> Result<(Vec<Header>, &[u8]), CpimError> {
    let mut out = Vec::new();
    let mut rest = octets;
    loop {
        let end = memchr::memchr(b'\n', rest).ok_or(CpimError::Malformed)?;
        let (line, after) = (rest.get(..end).unwrap_or(b""), rest.get(end + 1..).unwrap_or(b""));
        rest = after;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok((out, rest));
        }
        if out.len() >= CPIM_MAX_HEADERS || line.len() > CPIM_MAX_LINE {
            return Err(CpimError::Malformed);
        }
        let line = std::str::from_utf8(line).map_err(|_| CpimError::Malformed)?;
        let (name, value) = line.split_once(':').ok_or(CpimError::Malformed)?;
        out.push((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            from: Address::parse("alice@example.com").ok(),
            to: Address::parse("bob@example.com").ok(),
            at: time::parse("2026-03-03T09:15:04Z"),
            id: Some("5rT8yUq2LmXw".into()),
            wishes: Wishes { delivery: true, failure: false, display: true },
            notification: false,
            content_type: "text/plain; charset=utf-8".into(),
            content: "Build 118 is green: ✓\r\n\r\nreally".into(),
        }
    }

    #[test]
    fn a_message_reads_back() {
        assert_eq!(parse(&write(&envelope())), Ok(envelope()));
        let notice = Envelope { notification: true, wishes: Wishes::default(), id: None, ..envelope() };
        assert_eq!(parse(&write(&notice)), Ok(notice));
    }

    #[test]
    fn any_prefix_may_stand_for_the_namespace_of_notices() {
        let text = "From: Alice <sip:alice@example.com>\r\nTo: <sip:bob@example.com>\r\nNS: x <urn:ietf:params:imdn>\r\n\
                    x.Message-ID: 17\r\nx.Disposition-Notification: positive-delivery, negative-delivery\r\n\r\n\
                    Content-type: text/plain\r\n\r\nhello";
        let e = parse(text.as_bytes()).unwrap();
        assert_eq!((e.id.as_deref(), e.wishes.delivery, e.wishes.failure, e.wishes.display), (Some("17"), true, true, false));
        assert_eq!((e.from.unwrap().user(), e.content.as_slice()), ("alice", b"hello".as_slice()));
    }

    #[test]
    fn broken_envelopes_are_refused() {
        for bad in ["", "From: x\r\n", "no header\r\n\r\n\r\n", "From: <sip:a@b>\r\n\r\nContent-Type: text/plain\r\n"] {
            assert_eq!(parse(bad.as_bytes()), Err(CpimError::Malformed), "{bad:?}");
        }
        let required = "From: <sip:a@b>\r\nRequire: magic\r\n\r\nContent-Type: text/plain\r\n\r\nx";
        assert_eq!(parse(required.as_bytes()), Err(CpimError::Required));
        assert!(parse("A: b\r\n".repeat(1000).as_bytes()).is_err());
    }

    #[test]
    fn anonymous_senders_have_no_address() {
        let anonymous = Envelope { from: None, ..envelope() };
        assert_eq!(parse(&write(&anonymous)), Ok(anonymous));
    }
}
