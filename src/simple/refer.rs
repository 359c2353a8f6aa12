//! REFER and what comes of it (RFC 3515), the feature tag of a focus (RFC 4579), the people of a new conference (RFC 5366).

use crate::domain::Address;
use crate::sip::{Headers, Name, Uri};
use crate::xml::Element;

/// Media type of progress.
pub const SIPFRAG: &str = "message/sipfrag;version=2.0";
/// Event package of progress.
pub const EVENT: &str = "refer";
/// `Content-Disposition` of a list of people to invite.
pub const RECIPIENT_LIST: &str = "recipient-list";
/// Option tag of such a list.
pub const LIST_INVITE: &str = "recipient-list-invite";

const LISTS: &str = "urn:ietf:params:xml:ns:resource-lists";
const COPY_CONTROL: &str = "urn:ietf:params:xml:ns:copycontrol";

/// What somebody asks us to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTo {
    /// Whom to turn to, without method and headers.
    pub uri: Uri,
    /// To take leave there instead of going there.
    pub bye: bool,
}

/// The value that asks to bring somebody in.
pub fn invite(who: &Uri) -> String {
    format!("<{who}>")
}

/// The value that asks to take somebody (or, with the address of the conference, everybody) out.
pub fn remove(who: &Uri) -> String {
    format!("<{who};method=BYE>")
}

/// Reads `Refer-To`; `None` when it is missing, no SIP address, or asks for something else than coming or going.
pub fn refer_to(headers: &Headers) -> Option<ReferTo> {
    let value = headers.get(&Name::ReferTo)?.trim();
    // Without angle brackets the parameters are the header's.
    let text = match value.split_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0,
        None => value.split(';').next()?,
    };
    let whole = Uri::parse(text.trim())?;
    if !["sip", "sips"].iter().any(|s| whole.scheme().eq_ignore_ascii_case(s)) {
        return None;
    }
    let method = whole.param("method").unwrap_or("INVITE").to_ascii_uppercase();
    if !matches!(method.as_str(), "INVITE" | "BYE") {
        return None;
    }
    let uri = Uri::parse(&without(text.trim(), "method"))?;
    Some(ReferTo { uri, bye: method == "BYE" })
}

/// A URI without its headers and without one parameter.
fn without(uri: &str, parameter: &str) -> String {
    let uri = uri.split('?').next().unwrap_or(uri);
    let mut parts = uri.split(';');
    let first = parts.next().unwrap_or("");
    let kept = parts.filter(|p| !p.split('=').next().unwrap_or("").trim().eq_ignore_ascii_case(parameter));
    std::iter::once(first).chain(kept).collect::<Vec<_>>().join(";")
}

/// Status and words of the first line of a progress body.
pub fn progress(body: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(body);
    let rest = text.trim_start().lines().next()?.strip_prefix("SIP/2.0 ")?;
    let (status, words) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = status.trim().parse().ok().filter(|s| (100..700).contains(s))?;
    Some((status, words.trim().to_owned()))
}

/// A progress body.
pub fn write_progress(status: u16) -> Vec<u8> {
    format!("SIP/2.0 {status} {}\r\n", crate::sip::message::reason_phrase(status)).into_bytes()
}

/// Whether the other side is a focus; some write the tag into the URI (`simple.md` 5.1).
pub fn is_focus(headers: &Headers) -> bool {
    let contact = headers.get(&Name::Contact).unwrap_or("");
    contact.split([';', '>']).skip(1).any(|p| p.trim().eq_ignore_ascii_case("isfocus"))
}

/// The address of the conference as a focus says it in its Contact.
pub fn conference_uri(headers: &Headers) -> Option<Uri> {
    let contact = headers.contact()?;
    Uri::parse(&without(contact.uri.as_str(), "isfocus"))
}

/// The list of people whom a new conference is to invite.
pub fn recipients(people: &[Address]) -> Vec<u8> {
    let entry = |who: &Address| {
        Element::in_ns("entry", LISTS).with_attr("uri", who).with_attr(&format!("{{{COPY_CONTROL}}}copyControl"), "to")
    };
    let list = Element::in_ns("list", LISTS).with_all(people.iter().map(entry));
    let root = Element::in_ns("resource-lists", LISTS).with(list);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n{root}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: Name, value: &str) -> Headers {
        let mut h = Headers::new();
        h.push(name, value);
        h
    }

    fn read(value: &str) -> Option<(String, bool)> {
        refer_to(&headers(Name::ReferTo, value)).map(|r| (r.uri.to_string(), r.bye))
    }

    #[test]
    fn who_is_to_come_or_to_go_reads_back() {
        let carol = Uri::parse("sip:carol@example.com;transport=tls").unwrap();
        assert_eq!(read(&invite(&carol)), Some(("sip:carol@example.com;transport=tls".into(), false)));
        assert_eq!(read(&remove(&carol)), Some(("sip:carol@example.com;transport=tls".into(), true)));
        assert_eq!(read("sip:carol@example.com;x=1"), Some(("sip:carol@example.com".into(), false)));
        assert_eq!(
            read("\"C\" <sips:carol@example.com?Replaces=a%3Bto-tag%3Db&Body=x>;p"),
            Some(("sips:carol@example.com".into(), false))
        );
    }

    #[test]
    fn other_schemes_and_methods_are_not_followed() {
        for bad in ["", "<tel:+1900>", "<http://example.com>", "<sip:a@b;method=MESSAGE>", "<sip:a@b", "x y"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn progress_reads_back_and_other_texts_are_none() {
        assert_eq!(progress(&write_progress(180)), Some((180, "Ringing".into())));
        assert_eq!(progress(b"SIP/2.0 603\r\nContact: <sip:x>\r\n"), Some((603, String::new())));
        for bad in [&b""[..], b"SIP/2.0 OK", b"HTTP/1.1 200 OK", b"SIP/2.0 99 x", b"SIP/2.0 70000 x", b"\xff\xfe"] {
            assert_eq!(progress(bad), None);
        }
    }

    #[test]
    fn the_tag_of_a_focus_is_found_outside_and_inside_the_address() {
        for yes in ["<sip:c@h>;isfocus", "<sip:c@h;transport=tcp>;expires=3;ISFOCUS", "<sip:c@h;isfocus>", "sip:c@h;isfocus;q=1"]
        {
            assert!(is_focus(&headers(Name::Contact, yes)), "{yes}");
        }
        for no in ["<sip:isfocus@h>", "\"isfocus\" <sip:c@h>", "<sip:c@h>;isfocus2", ""] {
            assert!(!is_focus(&headers(Name::Contact, no)), "{no}");
        }
        let uri = conference_uri(&headers(Name::Contact, "<sip:c@h:5070;isfocus;transport=tcp>")).unwrap();
        assert_eq!(uri.as_str(), "sip:c@h:5070;transport=tcp");
    }

    #[test]
    fn the_list_of_people_is_the_one_of_the_guide() {
        let people = ["bob", "carol"].map(|n| Address::parse(&format!("{n}@example.com")).unwrap());
        let text = String::from_utf8(recipients(&people)).unwrap();
        let read = Element::parse_root(text.as_bytes(), "resource-lists").unwrap();
        let list = read.child("list").unwrap();
        let entries: Vec<_> = list.children_named("entry").map(|e| (e.attr("uri"), e.attr("copyControl"))).collect();
        assert_eq!(entries, [(Some("sip:bob@example.com"), Some("to")), (Some("sip:carol@example.com"), Some("to"))]);
    }
}
