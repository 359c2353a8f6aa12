//! `text/html` of other clients to plain text: block ends and `<br>` break lines, scripts and styles vanish, a link
//! shows its address when its words do not. Written for the small HTML of messengers, in one pass without recursion.

use super::limits::TAG_CHARS;

/// Plain text with `\n`; not yet sanitised.
pub fn to_text(html: &str) -> String {
    let mut r = Reader::default();
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '<' => r.tag(rest),
            '&' => r.entity(rest),
            _ => {
                r.character(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    r.close_link();
    r.out
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Inside `<script>` and its like: the name that ends it.
    hidden: Option<String>,
    preformatted: bool,
    space: bool,
    link: Option<(String, usize)>,
}

impl Reader {
    fn character(&mut self, c: char) {
        if self.hidden.is_some() {
            return;
        }
        // CR and LF of the source are spaces (HTML 4.01 §9.1).
        if c.is_ascii_whitespace() && !self.preformatted {
            self.space = true;
        } else {
            self.push(c);
        }
    }

    fn push(&mut self, c: char) {
        if std::mem::take(&mut self.space) && !self.out.is_empty() && !self.out.ends_with(['\n', ' ']) {
            self.out.push(' ');
        }
        self.out.push(c);
    }

    fn line_break(&mut self) {
        self.space = false;
        self.out.push('\n');
    }

    fn block(&mut self) {
        self.space = false;
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// Reads one tag or comment at the start of `rest`; what follows it.
    fn tag<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(after) = rest.strip_prefix("<!--") {
            return after.find("-->").map_or("", |i| &after[i + 3..]);
        }
        let starts = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        let end = rest.char_indices().take(TAG_CHARS).find(|(_, c)| *c == '>').map(|(i, _)| i);
        let (true, Some(end)) = (starts, end) else {
            self.character('<');
            return &rest[1..];
        };
        let inner = &rest[1..end];
        let closing = inner.starts_with('/');
        let body = inner.trim_start_matches('/');
        let name: String = body.chars().take_while(char::is_ascii_alphanumeric).take(16).collect::<String>().to_ascii_lowercase();
        if let Some(hidden) = &self.hidden {
            if closing && *hidden == name {
                self.hidden = None;
            }
        } else {
            self.element(&name, closing, body);
        }
        &rest[end + 1..]
    }

    fn element(&mut self, name: &str, closing: bool, body: &str) {
        match name {
            "script" | "style" | "head" | "title" | "object" | "template" | "noscript" if !closing && !body.ends_with('/') => {
                self.hidden = Some(name.to_owned());
            }
            "br" => self.line_break(),
            "pre" => {
                self.preformatted = !closing;
                self.block();
            }
            "li" if !closing => {
                self.block();
                self.out.push_str("• ");
            }
            "p" | "div" | "ul" | "ol" | "li" | "tr" | "table" | "blockquote" | "hr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.block();
            }
            "td" | "th" if closing => self.space = true,
            "img" => {
                for c in attribute(body, "alt").unwrap_or_default().chars() {
                    self.character(c);
                }
            }
            "a" if closing => self.close_link(),
            "a" => {
                self.close_link();
                let start = self.out.len();
                self.link = attribute(body, "href").map(|h| (h, start));
            }
            _ => {}
        }
    }

    /// Adds the address after the words of a link unless they are the address.
    fn close_link(&mut self) {
        let Some((href, start)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or("").trim().to_owned();
        let bare = href.trim_start_matches("mailto:").trim_end_matches('/');
        let web = ["http://", "https://", "mailto:", "sip:", "tel:", "conf:"].iter().any(|s| href.starts_with(s));
        if web && !shown.contains(bare) && shown.trim_end_matches('/') != href.trim_end_matches('/') {
            self.space = false;
            self.out.push_str(if shown.is_empty() { "" } else { " (" });
            self.out.push_str(&href);
            self.out.push_str(if shown.is_empty() { "" } else { ")" });
        }
    }

    /// Reads one entity at the start of `rest`; what follows it.
    fn entity<'a>(&mut self, rest: &'a str) -> &'a str {
        match entity(rest) {
            Some((c, len)) => {
                if self.hidden.is_none() {
                    self.push(c);
                }
                &rest[len..]
            }
            None => {
                self.character('&');
                &rest[1..]
            }
        }
    }
}

/// The character that an entity at the start of `text` names, and the octets it takes.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.char_indices().take(12).find(|(_, c)| *c == ';').map(|(i, _)| i)?;
    let name = text.get(1..end)?;
    let c = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code).unwrap_or('\u{fffd}')
    } else {
        named(name)?
    };
    Some((c, end + 1))
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "pound" => '£',
        "deg" => '°',
        "times" => '×',
        "rarr" => '→',
        "larr" => '←',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        _ => return None,
    })
}

/// The value of an attribute in the inside of a tag, entities read.
fn attribute(body: &str, name: &str) -> Option<String> {
    let lower = body.to_ascii_lowercase();
    let mut from = 0;
    let at = loop {
        let i = lower.get(from..)?.find(name)? + from;
        let before = lower[..i].chars().next_back();
        let after = lower[i + name.len()..].trim_start();
        if before.is_some_and(char::is_whitespace) && after.starts_with('=') {
            break i + name.len();
        }
        from = i + name.len();
    };
    let value = body[at..].trim_start().strip_prefix('=')?.trim_start();
    let raw = match value.chars().next()? {
        q @ ('"' | '\'') => value[1..].split(q).next()?,
        _ => value.split(|c: char| c.is_whitespace()).next()?,
    };
    let mut out = String::new();
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        match (c, entity(rest)) {
            ('&', Some((e, len))) => {
                out.push(e);
                rest = &rest[len..];
            }
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Some(out)
}
