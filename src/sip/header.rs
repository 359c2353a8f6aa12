//! Header names, the ordered list of headers, and the typed values that most code needs.

use super::{Method, Uri};
use std::fmt;

macro_rules! names {
    ($($variant:ident $text:literal $compact:literal,)*) => {
        /// A header's name; known ones as variants, others as text. Compares without case.
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum Name { $($variant,)* Other(Box<str>) }

        #[derive(Clone, Copy)]
        enum Known { $($variant,)* }

        const SPELLINGS: &[(&str, Known)] = &[$(($text, Known::$variant), ($compact, Known::$variant),)*];

        impl Name {
            fn known(known: Known) -> Name {
                match known { $(Known::$variant => Name::$variant,)* }
            }

            /// The canonical spelling.
            pub fn as_str(&self) -> &str {
                match self { $(Name::$variant => $text,)* Name::Other(t) => t }
            }
        }
    };
}

names! {
    Via "Via" "v",
    From "From" "f",
    To "To" "t",
    CallId "Call-ID" "i",
    CSeq "CSeq" "",
    MaxForwards "Max-Forwards" "",
    Contact "Contact" "m",
    RecordRoute "Record-Route" "",
    Route "Route" "",
    Expires "Expires" "",
    MinExpires "Min-Expires" "",
    Event "Event" "o",
    AllowEvents "Allow-Events" "u",
    SubscriptionState "Subscription-State" "",
    Supported "Supported" "k",
    Require "Require" "",
    ProxyRequire "Proxy-Require" "",
    Unsupported "Unsupported" "",
    Allow "Allow" "",
    Accept "Accept" "",
    ContentType "Content-Type" "c",
    ContentLength "Content-Length" "l",
    ContentEncoding "Content-Encoding" "e",
    UserAgent "User-Agent" "",
    Server "Server" "",
    Date "Date" "",
    Warning "Warning" "",
    RetryAfter "Retry-After" "",
    Subject "Subject" "s",
    Priority "Priority" "",
    Reason "Reason" "",
    ReferTo "Refer-To" "r",
    ReferredBy "Referred-By" "b",
    SessionExpires "Session-Expires" "x",
    MinSe "Min-SE" "",
    WwwAuthenticate "WWW-Authenticate" "",
    ProxyAuthenticate "Proxy-Authenticate" "",
    Authorization "Authorization" "",
    ProxyAuthorization "Proxy-Authorization" "",
    AuthenticationInfo "Authentication-Info" "",
    ProxyAuthenticationInfo "Proxy-Authentication-Info" "",
    PAssertedIdentity "P-Asserted-Identity" "",
    PPreferredIdentity "P-Preferred-Identity" "",
    MsDiagnostics "ms-diagnostics" "",
    MsDiagnosticsPublic "ms-diagnostics-public" "",
    MsKeepAlive "ms-keep-alive" "",
    MsPiggybackCseq "ms-piggyback-cseq" "",
    MsTextFormat "ms-text-format" "",
    MsConversationId "Ms-Conversation-ID" "",
    MsSender "Ms-Sender" "",
    MessageId "Message-Id" "",
    PresenceState "presence-state" "",
    RosterManager "Roster-Manager" "",
    EndPoints "EndPoints" "",
}

const SLOTS: usize = 256;

/// Where a spelling is looked for first: cheap, and spread well enough over the known names.
const fn slot(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let first = (name[0] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    (name.len() * 37 + first * 11 + last * 5 + middle * 3) % SLOTS
}

/// Open addressing over [`SPELLINGS`]: 0 is empty, else the index plus one.
const TABLE: [u8; SLOTS] = {
    let mut table = [0; SLOTS];
    let mut i = 0;
    while i < SPELLINGS.len() {
        let name = SPELLINGS[i].0.as_bytes();
        if !name.is_empty() {
            let mut at = slot(name);
            while table[at] != 0 {
                at = (at + 1) % SLOTS;
            }
            table[at] = i as u8 + 1;
        }
        i += 1;
    }
    table
};

impl Name {
    /// From the wire: any case, compact forms too (RFC 3261 §7.3.3).
    pub fn parse(text: &str) -> Name {
        let mut at = slot(text.as_bytes());
        while let Some((spelling, known)) = usize::from(TABLE[at]).checked_sub(1).and_then(|i| SPELLINGS.get(i)) {
            if text.eq_ignore_ascii_case(spelling) {
                return Name::known(*known);
            }
            at = (at + 1) % SLOTS;
        }
        Name::Other(text.into())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        match (self, other) {
            (Name::Other(_), _) | (_, Name::Other(_)) => self.as_str().eq_ignore_ascii_case(other.as_str()),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for Name {}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::parse(text)
    }
}

/// Headers in order, values verbatim (folding already undone).
///
/// All values live in one text, so that reading a message costs one copy; a replaced value leaves its old one behind there.
#[derive(Clone, Default)]
pub struct Headers {
    text: String,
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    name: Name,
    span: Span,
}

/// Where a value stands in the text.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Headers {
    /// None yet.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// Values by their places in `text`; the parser made sure that none holds a line break.
    pub(super) fn from_spans(text: String, lines: Vec<(Name, Span)>) -> Headers {
        Headers { text, lines: lines.into_iter().map(|(name, span)| Line { name, span }).collect() }
    }

    fn value(&self, line: &Line) -> &str {
        self.text.get(line.span.start..line.span.end).unwrap_or("")
    }

    /// Puts a value into the text. CR, LF and other controls but TAB become spaces.
    fn store(&mut self, value: &str) -> Span {
        let start = self.text.len();
        if value.bytes().any(|b| b < 0x20 && b != b'\t') {
            self.text.extend(value.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }));
        } else {
            self.text.push_str(value);
        }
        Span { start, end: self.text.len() }
    }

    /// Adds one at the end. CR, LF and other controls but TAB in `value` become spaces, so that no value can start a line of its own.
    pub fn push(&mut self, name: impl Into<Name>, value: impl AsRef<str>) -> &mut Self {
        let span = self.store(value.as_ref());
        self.lines.push(Line { name: name.into(), span });
        self
    }

    /// Number of header lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds one at the front (Via of a proxy).
    pub fn push_front(&mut self, name: impl Into<Name>, value: impl AsRef<str>) -> &mut Self {
        let span = self.store(value.as_ref());
        self.lines.insert(0, Line { name: name.into(), span });
        self
    }

    /// Replaces all of this name by one, keeping the first one's place.
    pub fn set(&mut self, name: impl Into<Name>, value: impl AsRef<str>) -> &mut Self {
        let name = name.into();
        let span = self.store(value.as_ref());
        let mut placed = false;
        self.lines.retain_mut(|line| {
            if line.name != name {
                return true;
            }
            line.span = span;
            !std::mem::replace(&mut placed, true)
        });
        if !placed {
            self.lines.push(Line { name, span });
        }
        self
    }

    /// Takes all of this name out.
    pub fn remove(&mut self, name: &Name) {
        self.lines.retain(|line| line.name != *name);
    }

    /// Takes the first of this name out and returns its value.
    pub fn remove_first(&mut self, name: &Name) -> Option<String> {
        let at = self.lines.iter().position(|line| line.name == *name)?;
        let line = self.lines.remove(at);
        Some(self.value(&line).to_owned())
    }

    /// Gives the first of this name another value; adds one when there is none.
    pub fn replace_first(&mut self, name: &Name, value: impl AsRef<str>) {
        let span = self.store(value.as_ref());
        match self.lines.iter_mut().find(|line| line.name == *name) {
            Some(line) => line.span = span,
            None => self.lines.push(Line { name: name.clone(), span }),
        }
    }

    /// First value of this name.
    pub fn get(&self, name: &Name) -> Option<&str> {
        self.lines.iter().find(|line| line.name == *name).map(|line| self.value(line))
    }

    /// All values of this name, a header line each.
    pub fn all<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |line| line.name == *name).map(|line| self.value(line))
    }

    /// Whether some header of this name lists the token (comma separated, without case).
    pub fn has_token(&self, name: &Name, token: &str) -> bool {
        self.all(name).any(|v| v.split(',').any(|t| t.trim().eq_ignore_ascii_case(token)))
    }

    /// All in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.lines.iter().map(|line| (&line.name, self.value(line)))
    }

    /// `Call-ID`, or an empty text.
    pub fn call_id(&self) -> &str {
        self.get(&Name::CallId).unwrap_or("")
    }

    /// Parsed `CSeq`.
    pub fn cseq(&self) -> Option<CSeq> {
        CSeq::parse(self.get(&Name::CSeq)?)
    }

    /// Parsed `From`.
    pub fn from(&self) -> Option<NameAddr> {
        NameAddr::parse(self.get(&Name::From)?)
    }

    /// Parsed `To`.
    pub fn to(&self) -> Option<NameAddr> {
        NameAddr::parse(self.get(&Name::To)?)
    }

    /// Parsed first `Contact`.
    pub fn contact(&self) -> Option<NameAddr> {
        NameAddr::parse(self.get(&Name::Contact)?)
    }

    /// `Expires` as a number of seconds; numbers beyond 32 bits count as the largest (RFC 4475 §3.1.2.4).
    pub fn expires(&self) -> Option<u32> {
        self.seconds(&Name::Expires)
    }

    /// `Retry-After` in seconds, without the comment and the parameters that may follow (RFC 3261 20.33).
    pub fn retry_after(&self) -> Option<u32> {
        let text = self.get(&Name::RetryAfter)?.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let digits = text.get(..end).filter(|d| !d.is_empty())?;
        Some(digits.parse().unwrap_or(u32::MAX))
    }

    fn seconds(&self, name: &Name) -> Option<u32> {
        let text = self.get(name)?.trim();
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u32::MAX))
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(n, v)| (n.as_str(), v))).finish()
    }
}

/// `;name=value` parameters in order. Quoted values are kept without their quotes and escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(String, Option<String>)>);

impl Params {
    /// Reads `;a;b=c;d="e;f"`; anything before the first `;` is left out.
    pub fn parse(text: &str) -> Params {
        let mut out = Vec::new();
        for part in split_quoted(text, ';').into_iter().skip(1) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            match part.split_once('=') {
                Some((n, v)) => out.push((n.trim().to_owned(), Some(unquote(v.trim())))),
                None => out.push((part.to_owned(), None)),
            }
        }
        Params(out)
    }

    /// Value (names compare without case); `Some("")` for one without value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|p| p.0.eq_ignore_ascii_case(name)).map(|p| p.1.as_deref().unwrap_or(""))
    }

    /// Sets or adds.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match self.0.iter_mut().find(|p| p.0.eq_ignore_ascii_case(name)) {
            Some(p) => p.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, v) in &self.0 {
            match v {
                None => write!(f, ";{n}")?,
                Some(v) if !v.is_empty() && v.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~:[]".contains(&b)) => {
                    write!(f, ";{n}={v}")?
                }
                Some(v) => write!(f, ";{n}=\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))?,
            }
        }
        Ok(())
    }
}

/// `"Display" <uri>;param=value` (RFC 3261 §20.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// Display name without quotes; empty when absent.
    pub display: String,
    /// The URI between the angle brackets.
    pub uri: Uri,
    /// Header parameters after it.
    pub params: Params,
}

impl NameAddr {
    /// A bare URI.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: String::new(), uri, params: Params::default() }
    }

    /// Reads one value. Without angle brackets everything after `;` belongs to the header.
    pub fn parse(text: &str) -> Option<NameAddr> {
        let text = text.trim();
        let open = find_unquoted(text, '<');
        let (display, uri, rest) = match open {
            Some(at) => {
                let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
                let (uri, rest) = after.split_once('>')?;
                (unquote(before.trim()), uri, rest)
            }
            None => {
                let end = text.find(';').unwrap_or(text.len());
                (String::new(), text.get(..end)?, text.get(end..)?)
            }
        };
        Some(NameAddr { display, uri: Uri::parse(uri.trim())?, params: Params::parse(rest) })
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    /// With another tag.
    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.params.set("tag", Some(tag));
        self
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.display.is_empty() {
            write!(f, "\"{}\" ", self.display.replace('\\', "\\\\").replace('"', "\\\""))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// `CSeq` value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31.
    pub number: u32,
    /// Method.
    pub method: Method,
}

impl CSeq {
    /// Reads `314159 INVITE`.
    pub fn parse(text: &str) -> Option<CSeq> {
        let (n, m) = text.trim().split_once([' ', '\t'])?;
        Some(CSeq { number: n.parse().ok().filter(|n| *n < 1 << 31)?, method: Method::parse(m.trim())? })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// One `Via` value (RFC 3261 §20.42).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// TCP, TLS, UDP, … as written.
    pub transport: String,
    /// `host[:port]` as written.
    pub sent_by: String,
    /// Parameters.
    pub params: Params,
}

impl Via {
    /// Reads one value (of a comma list, split first).
    pub fn parse(text: &str) -> Option<Via> {
        let mut slash = text.trim().splitn(3, '/');
        let (name, version) = (slash.next()?.trim(), slash.next()?.trim());
        let rest = slash.next()?.trim();
        (name.eq_ignore_ascii_case("SIP") && version == "2.0").then_some(())?;
        let (transport, rest) = rest.split_once([' ', '\t'])?;
        let rest = rest.trim();
        let end = rest.find(';').unwrap_or(rest.len());
        Some(Via {
            transport: transport.to_owned(),
            sent_by: rest.get(..end)?.trim().to_owned(),
            params: Params::parse(rest.get(end..)?),
        })
    }

    /// The `branch` parameter.
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}{}", self.transport, self.sent_by, self.params)
    }
}

/// Splits at `sep` outside quotes and angle brackets.
pub fn split_quoted(text: &str, sep: char) -> Vec<&str> {
    let (mut out, mut start, mut quoted, mut escaped, mut angle) = (Vec::new(), 0, false, false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            c if c == sep && !quoted && !angle => {
                out.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out
}

fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == wanted && !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

pub(super) fn unquote(text: &str) -> String {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        None => text.to_owned(),
        Some(inner) => {
            let mut out = String::with_capacity(inner.len());
            let mut chars = inner.chars();
            while let Some(c) = chars.next() {
                out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
            }
            out
        }
    }
}
