//! Multipart bodies (RFC 2046 §5.1): `multipart/related` of presence lists, `multipart/alternative` of messages.

use super::Params;
use super::limits::{BOUNDARY_MAX, MULTIPART_MAX_PARTS, PART_HEAD_MAX};

/// One part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// `Content-Type` with its parameters; empty when missing.
    pub content_type: String,
    /// `Content-ID` without angle brackets; empty when missing.
    pub content_id: String,
    /// Other headers.
    pub headers: Vec<(String, String)>,
    /// Content.
    pub body: Vec<u8>,
}

impl Part {
    /// A part with a type and content.
    pub fn new(content_type: &str, body: Vec<u8>) -> Part {
        Part { content_type: content_type.into(), body, ..Part::default() }
    }

    /// Sets the `Content-ID`.
    pub fn with_id(mut self, id: &str) -> Part {
        self.content_id = id.into();
        self
    }

    /// Whether the media type is this one.
    pub fn is(&self, media_type: &str) -> bool {
        is_type(&self.content_type, media_type)
    }
}

/// Whether a `Content-Type` value names this media type, whatever its parameters and case.
pub fn is_type(content_type: &str, media_type: &str) -> bool {
    content_type.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(media_type)
}

/// Whether a `Content-Type` value names any multipart type.
pub fn is_multipart(content_type: &str) -> bool {
    content_type.trim_start().get(..10).is_some_and(|t| t.eq_ignore_ascii_case("multipart/"))
}

/// Takes a body apart. Line ends may be CR LF or LF, the last delimiter may be missing; `None` without a usable
/// boundary or with too many parts.
pub fn parse(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let params = Params::parse(content_type);
    let boundary = params.get("boundary").map(str::trim).filter(|b| !b.is_empty() && b.len() <= BOUNDARY_MAX)?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = after_delimiter(body, delimiter.as_bytes(), true)?.1;
    loop {
        if rest.starts_with(b"--") {
            break;
        }
        let content = after_line(rest);
        let (end, next) = match after_delimiter(content, delimiter.as_bytes(), false) {
            Some((end, next)) => (end, Some(next)),
            None => (content.len(), None),
        };
        if parts.len() >= MULTIPART_MAX_PARTS {
            return None;
        }
        parts.push(part(content.get(..end)?));
        match next {
            Some(n) => rest = n,
            None => break,
        }
    }
    Some(parts)
}

/// Position where the content before the next delimiter line ends, and what follows the delimiter.
fn after_delimiter<'a>(text: &'a [u8], delimiter: &[u8], at_start: bool) -> Option<(usize, &'a [u8])> {
    let mut from = 0;
    loop {
        let found = from + memchr::memmem::find(text.get(from..)?, delimiter)?;
        let rest = text.get(found + delimiter.len()..)?;
        let line_start = found == 0 || text.get(found - 1) == Some(&b'\n');
        // `--abc` must not match the boundary `--ab`.
        let ends = rest.first().is_none_or(|c| matches!(c, b'\r' | b'\n' | b'-' | b' ' | b'\t'));
        if line_start && ends {
            let mut end = found;
            if !at_start && end > 0 {
                end -= 1;
                if end > 0 && text.get(end - 1) == Some(&b'\r') {
                    end -= 1;
                }
            }
            return Some((end, rest));
        }
        from = found + 1;
    }
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).and_then(|at| text.get(at + 1..)).unwrap_or(&[])
}

fn part(content: &[u8]) -> Part {
    let (head, body) = split_head(content);
    let mut p = Part { body: body.to_vec(), ..Part::default() };
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            n if n.eq_ignore_ascii_case("Content-Type") => p.content_type = value.to_owned(),
            n if n.eq_ignore_ascii_case("Content-ID") => {
                p.content_id = value.trim_start_matches('<').trim_end_matches('>').to_owned();
            }
            n => p.headers.push((n.to_owned(), value.to_owned())),
        }
    }
    p
}

/// Head and content; a part that begins with an empty line has no head.
fn split_head(content: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < content.len().min(PART_HEAD_MAX) {
        let rest = &content[at..];
        let next = at + memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        let line = &content[at..next];
        if line == b"\n" || line == b"\r\n" {
            return (&content[..at], &content[next..]);
        }
        at = next;
    }
    (content, &[])
}

/// Puts parts together; returns the body. `boundary` must not occur in any part: see [`boundary`].
pub fn build(boundary: &str, parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::new();
    for p in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        if !p.headers.iter().any(|h| h.0.eq_ignore_ascii_case("Content-Transfer-Encoding")) {
            out.extend_from_slice(b"Content-Transfer-Encoding: binary\r\n");
        }
        for (name, value) in &p.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !p.content_id.is_empty() {
            out.extend_from_slice(format!("Content-ID: {}\r\n", p.content_id).as_bytes());
        }
        out.extend_from_slice(format!("Content-Type: {}\r\n\r\n", p.content_type).as_bytes());
        out.extend_from_slice(&p.body);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

/// A boundary that occurs in none of the parts, made from `seed` (hexadecimal digits).
pub fn boundary(seed: &str, parts: &[Part]) -> String {
    let mut n = 0u32;
    loop {
        let candidate = if n == 0 { format!("part-{seed}") } else { format!("part-{seed}-{n}") };
        if !parts.iter().any(|p| memchr::memmem::find(&p.body, candidate.as_bytes()).is_some()) {
            return candidate;
        }
        n += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_round_trip() {
        let parts = [
            Part::new("text/plain", b"--part-ab is no boundary\r\nline".to_vec()).with_id("a@b"),
            Part::new("application/xml", b"<a/>".to_vec()),
            Part::new("text/plain", Vec::new()),
        ];
        let b = boundary("ab", &parts);
        assert_eq!(b, "part-ab-1");
        let body = build(&b, &parts);
        let read = parse(&format!("multipart/related;type=\"x\";boundary=\"{b}\""), &body).unwrap();
        assert_eq!(read.len(), 3);
        for (r, p) in read.iter().zip(&parts) {
            assert_eq!((&r.content_type, &r.content_id, &r.body), (&p.content_type, &p.content_id, &p.body));
        }
    }

    #[test]
    fn sloppy_bodies_read() {
        let body = b"preamble\n--b\nContent-Type: text/plain\n\none\n--b\n\ntwo\n--bb\n--b  \nContent-ID: <x>\n\nthree";
        let read = parse("Multipart/Mixed; Boundary=b", body).unwrap();
        let texts: Vec<_> = read.iter().map(|p| String::from_utf8_lossy(&p.body).into_owned()).collect();
        assert_eq!(texts, ["one", "two\n--bb", "three"]);
        assert_eq!(read[2].content_id, "x");
        assert!(parse("multipart/mixed", body).is_none());
        assert!(parse("multipart/mixed;boundary=zzz", body).is_none());
        assert_eq!(parse("multipart/mixed;boundary=b", b"--b--").unwrap(), []);
        assert_eq!(parse("multipart/mixed;boundary=b", b"--b").unwrap().len(), 1);
    }
}
