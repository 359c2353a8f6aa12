//! Text in messages: `ms-text-format` with its embedded first message, and the bodies of MESSAGE
//! (conversations guide 1.2, 1.4).

use crate::domain::conversation::TextFormat;
use crate::lync::diagnostics::pairs;
use crate::lync::limits::TOAST_MAX_OCTETS;
use crate::sip::multipart;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;

/// Padding may be there or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// `ms-text-format`: what the caller wants to say first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFormatHeader {
    /// Media type and charset.
    pub content_type: String,
    /// Font line (`X-MMS-IM-Format: …`), decoded; may be empty.
    pub format: String,
    /// The text; `None` when the header carries none.
    pub body: Option<String>,
}

impl TextFormatHeader {
    /// For a plain text, cut for the toast at a character's border (the whole text follows as MESSAGE).
    pub fn plain(text: &str) -> TextFormatHeader {
        let mut end = text.len().min(TOAST_MAX_OCTETS);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let body = text.get(..end).map(str::to_owned);
        TextFormatHeader { content_type: "text/plain; charset=UTF-8".into(), format: String::new(), body }
    }

    /// Reads a header value; unreadable base64 counts as absent.
    pub fn parse(value: &str) -> TextFormatHeader {
        let (kind, rest) = value.split_once(';').unwrap_or((value, ""));
        let mut h = TextFormatHeader { content_type: kind.trim().to_owned(), ..TextFormatHeader::default() };
        for (name, value) in pairs(rest) {
            match name.to_ascii_lowercase().as_str() {
                "ms-body" => h.body = decode(&value).map(|b| String::from_utf8_lossy(&b).into_owned()),
                "msgr" => h.format = decode_msgr(&value).unwrap_or_default(),
                _ => h.content_type = format!("{}; {name}={value}", h.content_type),
            }
        }
        h
    }

    /// What `body` is.
    pub fn text_format(&self) -> TextFormat {
        text_format(&self.content_type).unwrap_or(TextFormat::Plain)
    }
}

impl fmt::Display for TextFormatHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.content_type)?;
        if !self.format.is_empty() {
            write!(f, ";msgr={}", encode_msgr(&self.format))?;
        }
        match &self.body {
            Some(b) => write!(f, ";ms-body={}", BASE64.encode(b.as_bytes())),
            None => Ok(()),
        }
    }
}

/// The font line as `msgr`: UTF-16LE in base64 without padding.
pub fn encode_msgr(format: &str) -> String {
    let octets: Vec<u8> = format!("{format}\r\n\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    BASE64.encode(octets).trim_end_matches('=').to_owned()
}

/// The font line of a `msgr` value.
pub fn decode_msgr(value: &str) -> Option<String> {
    let octets = decode(value)?;
    let units: Vec<u16> = octets.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
    Some(String::from_utf16_lossy(&units).trim().to_owned())
}

fn decode(value: &str) -> Option<Vec<u8>> {
    let clean: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64.decode(clean.trim_end_matches('=')).ok()
}

/// What a media type means for a text; `None` when it is no text we show.
pub fn text_format(content_type: &str) -> Option<TextFormat> {
    let is = |t: &str| multipart::is_type(content_type, t);
    if is("text/plain") {
        Some(TextFormat::Plain)
    } else if is("text/html") {
        Some(TextFormat::Html)
    } else if is("text/rtf") || is("application/rtf") {
        Some(TextFormat::Rtf)
    } else {
        None
    }
}

/// The text of a MESSAGE: of `multipart/alternative` or `multipart/related` the plain part if there is one, else HTML,
/// else RTF. `None`: answer 415.
pub fn message_text(content_type: &str, body: &[u8]) -> Option<(TextFormat, String)> {
    if !multipart::is_multipart(content_type) {
        let format = text_format(content_type)?;
        return Some((format, decode_text(content_type, body, format)));
    }
    let parts = multipart::parse(content_type, body)?;
    let rank = |f: TextFormat| match f {
        TextFormat::Plain => 0,
        TextFormat::Html => 1,
        TextFormat::Rtf => 2,
    };
    let readable = parts.iter().filter_map(|p| Some((text_format(&p.content_type)?, p)));
    let (format, part) = readable.min_by_key(|(f, _)| rank(*f))?;
    let encoding = part.headers.iter().find(|h| h.0.eq_ignore_ascii_case("Content-Transfer-Encoding"));
    let base64 = encoding.is_some_and(|h| h.1.eq_ignore_ascii_case("base64"));
    let decoded = if base64 { decode(&String::from_utf8_lossy(&part.body)) } else { None };
    Some((format, decode_text(&part.content_type, decoded.as_deref().unwrap_or(&part.body), format)))
}

/// UTF-8, or Latin-1 when the type says so; line ends of HTML mean nothing.
fn decode_text(content_type: &str, body: &[u8], format: TextFormat) -> String {
    let latin = content_type.to_ascii_lowercase().contains("iso-8859-1");
    let text = if latin && std::str::from_utf8(body).is_err() {
        body.iter().map(|b| char::from(*b)).collect()
    } else {
        String::from_utf8_lossy(body).into_owned()
    };
    if format == TextFormat::Html { text.replace(['\r', '\n'], "") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_the_guide_reads() {
        let h = TextFormatHeader::parse(
            "text/plain; charset=UTF-8;msgr=WAAtAE0ATQBTAC0ASQBNAC0ARgBvAHIAbQBhAHQAOgAgAEYATgA9AE0AUwAlADIAMABTAGEAbgBzACUAMgAwAFMAZQByAGkAZgA7ACAARQBGAD0AOwAgAEMATwA9ADAAOwAgAFAARgA9ADAAOwAgAFIATAA9ADAADQAKAA0ACgA; ms-body=aGVsbG8gYm9i",
        );
        assert_eq!(h.format, "X-MMS-IM-Format: FN=MS%20Sans%20Serif; EF=; CO=0; PF=0; RL=0");
        assert_eq!((h.body.as_deref(), h.content_type.as_str()), (Some("hello bob"), "text/plain; charset=UTF-8"));
        assert_eq!(TextFormatHeader::parse(&h.to_string()), h);
        assert_eq!(TextFormatHeader::parse("text/html;ms-body=%%%").body, None);
        assert_eq!(TextFormatHeader::parse("text/html").text_format(), TextFormat::Html);
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let h = TextFormatHeader::plain(&"ä".repeat(TOAST_MAX_OCTETS));
        assert_eq!(h.body.as_ref().unwrap().len(), TOAST_MAX_OCTETS);
        let h = TextFormatHeader::plain(&format!("x{}", "ä".repeat(TOAST_MAX_OCTETS)));
        assert_eq!(h.body.unwrap().len(), TOAST_MAX_OCTETS - 1);
    }

    #[test]
    fn the_best_part_is_taken() {
        let body = b"--part9b1\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n<p>a\r\nb</p>\r\n--part9b1\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nNumbers look fine.\r\n--part9b1--\r\n";
        let kind = "multipart/alternative;boundary=\"part9b1\"";
        assert_eq!(message_text(kind, body), Some((TextFormat::Plain, "Numbers look fine.".into())));
        let html = String::from_utf8_lossy(body).replace("text/plain", "image/gif");
        assert_eq!(message_text(kind, html.as_bytes()), Some((TextFormat::Html, "<p>ab</p>".into())));
        assert_eq!(message_text("text/plain;charset=iso-8859-1", b"\xe4"), Some((TextFormat::Plain, "ä".into())));
        assert_eq!(message_text("image/gif", b"x"), None);
        assert_eq!(message_text("multipart/alternative", b"x"), None);
    }
}
