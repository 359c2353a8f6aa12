//! Grammar checks of the headers every element depends on, without taking them apart (RFC 3261 §25.1).
//!
//! As lenient as RFC 4475 allows where a real peer could need it, strict where a lenient reading would be a guess.

use super::CSeq;
use super::header::Name;
use super::parse::Fault;

/// RFC 3261 `token`.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0u8;
    while b < 128 {
        table[b as usize] =
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        b += 1;
    }
    table
};

fn is_token_byte(b: u8) -> bool {
    TOKEN[usize::from(b)]
}

/// Whether the value of a core header holds its grammar; other headers are not looked at.
pub(super) fn check(name: &Name, value: &str) -> Result<(), Fault> {
    let (ok, label) = match name {
        Name::From => (address(value) == Some(""), "From"),
        Name::To => (address(value) == Some(""), "To"),
        Name::Contact => (value == "*" || addresses(value), "Contact"),
        Name::Route => (addresses(value), "Route"),
        Name::RecordRoute => (addresses(value), "Record-Route"),
        Name::Via => (vias(value), "Via"),
        Name::CSeq => (CSeq::parse(value).is_some(), "CSeq"),
        Name::CallId => (!value.is_empty() && !value.bytes().any(is_blank), "Call-ID"),
        Name::MaxForwards => (value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u8>().is_ok(), "Max-Forwards"),
        _ => return Ok(()),
    };
    if ok { Ok(()) } else { Err(Fault::HeaderValue(label)) }
}

/// What follows the display name of an address: from `<` on, or the whole of a bare one.
fn after_display(value: &str) -> &str {
    let value = value.trim_start();
    let rest = match value.strip_prefix('"').and_then(|inner| inner.get(quoted_end(inner)?..)) {
        Some(rest) => rest,
        None => value,
    };
    rest.find('<').and_then(|at| rest.get(at..)).unwrap_or(value)
}

/// The URI of an address exactly as written.
pub(super) fn raw_uri(value: &str) -> &str {
    let rest = after_display(value);
    match rest.strip_prefix('<') {
        Some(inner) => inner.split('>').next().unwrap_or(""),
        None => rest.split(';').next().unwrap_or("").trim(),
    }
}

/// The `tag` of an address exactly as written; empty if there is none.
pub(super) fn raw_tag(value: &str) -> &str {
    let rest = after_display(value);
    let params = if rest.starts_with('<') { rest.split_once('>').map_or("", |p| p.1) } else { rest };
    let found = params.split(';').skip(1).find_map(|p| {
        let (name, value) = p.split_once('=')?;
        name.trim().eq_ignore_ascii_case("tag").then(|| value.trim())
    });
    found.unwrap_or("")
}

/// Offset of the first octet of a kind, or the length.
fn until(text: &str, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(kind).unwrap_or(text.len())
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

fn addresses(value: &str) -> bool {
    let mut rest = value;
    loop {
        rest = match address(rest) {
            Some("") => return true,
            Some(more) => more,
            None => return false,
        };
    }
}

/// One name-addr or addr-spec with parameters; gives what follows its comma, or an empty text at the end.
fn address(value: &str) -> Option<&str> {
    let value = value.trim_ascii_start();
    let after_name = match value.strip_prefix('"') {
        Some(inner) => Some(inner.get(quoted_end(inner)?..)?.trim_ascii_start()),
        None => unquoted_name(value)?,
    };
    let Some(bracketed) = after_name else {
        // Without brackets `;` belongs to the header and `?` is not allowed (RFC 3261 §20.10).
        let end = until(value, |b| matches!(b, b';' | b',') || is_blank(b));
        let uri = value.get(..end)?;
        (has_scheme(uri) && !uri.contains('?')).then_some(())?;
        return params(value.get(end..)?);
    };
    let inner = bracketed.strip_prefix('<')?;
    let end = inner.find('>')?;
    let uri = inner.get(..end)?;
    (has_scheme(uri) && !uri.bytes().any(|b| matches!(b, b'<' | b'"') || is_blank(b))).then_some(())?;
    params(inner.get(end + 1..)?)
}

/// Display name of tokens: what follows it from `<` on; `Some(None)` for a bare URI.
fn unquoted_name(value: &str) -> Option<Option<&str>> {
    let Some(open) = value.find('<') else { return Some(None) };
    let name = value.get(..open)?;
    if name.bytes().any(|b| matches!(b, b',' | b';' | b'?' | b'"' | b':')) {
        // The bracket belongs to a later value or parameter, or the name should have been quoted.
        let scheme = name.split(':').next().unwrap_or("");
        return (name.contains(':') && is_token(scheme)).then_some(None);
    }
    let plain = |b: u8| is_token_byte(b) || b == b' ' || b == b'\t' || b >= 0x80;
    name.bytes().all(plain).then_some(value.get(open..))
}

fn has_scheme(uri: &str) -> bool {
    uri.split_once(':')
        .is_some_and(|(s, rest)| s.starts_with(|c: char| c.is_ascii_alphabetic()) && is_token(s) && !rest.is_empty())
}

/// Offset behind the closing quote of a quoted string that was opened before `text`.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// `;name=value` up to the end or a comma; gives what follows the comma. An empty parameter is only accepted at the end.
fn params(text: &str) -> Option<&str> {
    let mut rest = text.trim_ascii_start();
    loop {
        if rest.is_empty() {
            return Some("");
        }
        if let Some(more) = rest.strip_prefix(',') {
            let more = more.trim_ascii_start();
            return (!more.is_empty() && !more.starts_with([',', ';'])).then_some(more);
        }
        rest = rest.strip_prefix(';')?.trim_ascii_start();
        if rest.starts_with([';', ',']) {
            return None;
        }
        rest = one_param(rest)?;
    }
}

fn one_param(text: &str) -> Option<&str> {
    let mut i = 0;
    let bytes = text.as_bytes();
    while let Some(&b) = bytes.get(i) {
        match b {
            b';' | b',' => break,
            b'"' => i += quoted_end(text.get(i + 1..)?)?,
            _ => {}
        }
        i += 1;
    }
    text.get(i..)
}

fn vias(value: &str) -> bool {
    let mut rest = value;
    loop {
        rest = match via(rest) {
            Some("") => return true,
            Some(more) => more,
            None => return false,
        };
    }
}

/// `SIP / 2.0 / TCP host:port;params`.
fn via(value: &str) -> Option<&str> {
    let (name, rest) = value.split_once('/')?;
    let (version, rest) = rest.split_once('/')?;
    (name.trim_ascii().eq_ignore_ascii_case("SIP") && version.trim_ascii() == "2.0").then_some(())?;
    let rest = rest.trim_ascii_start();
    let (transport, rest) = rest.split_at_checked(until(rest, is_blank))?;
    (is_token(transport) && !rest.is_empty()).then_some(())?;
    let rest = rest.trim_ascii_start();
    let end = until(rest, |b| matches!(b, b';' | b','));
    let host = rest.get(..end)?.trim_ascii_end();
    (!host.is_empty()).then_some(())?;
    params(rest.get(end..)?)
}
