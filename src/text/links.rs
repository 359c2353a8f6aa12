//! Links in sanitised text: the web, mail, and the addresses of this program.

use super::limits::LINKS;
use linkify::{LinkFinder, LinkKind};

/// A link inside a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// First octet.
    pub start: usize,
    /// One past the last octet.
    pub end: usize,
    /// What to open; `mailto:` is added to bare addresses.
    pub target: String,
}

/// Longest address that the terminal is told to open, in octets.
pub const HYPERLINK: usize = 136;

/// An address that may be handed to the terminal as a link (OSC 8): of a known scheme, short, and of visible ASCII only, so
/// that it cannot end the sequence it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hyperlink(String);

impl Hyperlink {
    /// Lets an address through, or not.
    pub fn new(target: &str) -> Option<Hyperlink> {
        let scheme = ["http://", "https://", "sip:", "sips:", "mailto:"]
            .iter()
            .any(|s| target.get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s)) && target.len() > s.len());
        let clean = target.len() <= HYPERLINK && target.bytes().all(|b| b.is_ascii_graphic());
        (scheme && clean).then(|| Hyperlink(target.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// All links of `line`, in order, not overlapping.
pub fn links(line: &str) -> Vec<Link> {
    if !line.contains(['/', '@', ':']) {
        return Vec::new();
    }
    let mut found: Vec<Link> = own_schemes(line);
    let mut finder = LinkFinder::new();
    finder.url_must_have_scheme(true);
    for l in finder.links(line).take(LINKS) {
        let (start, end) = (l.start(), l.end());
        if found.iter().any(|f| start < f.end && f.start < end) {
            continue;
        }
        let target = match l.kind() {
            LinkKind::Email => format!("mailto:{}", l.as_str()),
            _ if ["http://", "https://", "mailto:"].iter().any(|s| l.as_str().to_ascii_lowercase().starts_with(s)) => {
                l.as_str().to_owned()
            }
            _ => continue,
        };
        found.push(Link { start, end, target });
    }
    found.sort_by_key(|l| l.start);
    found
}

/// `sip:`, `sips:`, `tel:` and `conf:`, which the finder does not know.
fn own_schemes(line: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in line.split_inclusive(|c: char| c.is_whitespace() || "<>\"“”".contains(c)) {
        let inner = word.trim_end_matches(|c: char| c.is_whitespace() || "<>\"“”.,;:!?)".contains(c));
        let lead = inner.len() - inner.trim_start_matches('(').len();
        let target = &inner[lead..];
        let lower = target.get(..5).unwrap_or(target).to_ascii_lowercase();
        let own = ["sip:", "sips:", "tel:", "conf:"].iter().any(|s| lower.starts_with(s) && target.len() > s.len());
        if own && found.len() < LINKS {
            found.push(Link { start: at + lead, end: at + inner.len(), target: target.to_owned() });
        }
        at += word.len();
    }
    found
}
