//! What session descriptions say about MSRP (RFC 4975 §8, RFC 6135), about files (RFC 5547) and chat rooms (RFC 7701). Other
//! media are kept only as far as an answer needs them.

use super::limits::{MEDIA_MOST, SDP_MOST};
use super::uri::{self, MsrpUri};

/// `Content-Type` of session descriptions.
pub const CONTENT_TYPE: &str = "application/sdp";

/// Who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The one who says it.
    Active,
    /// The other one.
    Passive,
    /// As the other one likes.
    Either,
}

impl Setup {
    const ALL: [(Setup, &'static str); 3] = [(Setup::Active, "active"), (Setup::Passive, "passive"), (Setup::Either, "actpass")];

    fn text(self) -> &'static str {
        Setup::ALL.iter().find(|s| s.0 == self).map_or("", |s| s.1)
    }
}

/// Which way messages go, seen by the one who says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Direction {
    #[default]
    Both,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

impl Direction {
    const ALL: [(Direction, &'static str); 4] = [
        (Direction::Both, "sendrecv"),
        (Direction::SendOnly, "sendonly"),
        (Direction::ReceiveOnly, "recvonly"),
        (Direction::Inactive, "inactive"),
    ];

    fn text(self) -> &'static str {
        Direction::ALL.iter().find(|d| d.0 == self).map_or("", |d| d.1)
    }
}

/// A file that is offered or asked for; all text is raw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Its name, decoded.
    pub name: Option<String>,
    /// Its type.
    pub media: Option<String>,
    /// Octets.
    pub size: Option<u64>,
    /// SHA-1.
    pub sha1: Option<[u8; 20]>,
    /// `file-transfer-id`.
    pub transfer: Option<String>,
    /// First and last octet wanted of it (`file-range`), from 1.
    pub range: Option<(u64, Option<u64>)>,
}

/// One `m=message` line and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Port; 0 refuses the medium.
    pub port: u16,
    /// Over TLS.
    pub tls: bool,
    /// How to reach the one who says it: relays first.
    pub path: Vec<MsrpUri>,
    /// `accept-types`; `*` is everything.
    pub accept: Vec<String>,
    /// `accept-wrapped-types`.
    pub wrapped: Vec<String>,
    /// Who connects; `None`: the one who offers.
    pub setup: Option<Setup>,
    /// Which way.
    pub direction: Direction,
    /// Largest message.
    pub max_size: Option<u64>,
    /// Fingerprint of the certificate, hash and octets as written.
    pub fingerprint: Option<String>,
    /// What a chat room can do (RFC 7701); `None`: it is none.
    pub chatroom: Option<Vec<String>>,
    /// The file this is about.
    pub file: Option<File>,
}

impl Media {
    /// Both ways, with nothing special.
    pub fn new(path: Vec<MsrpUri>, accept: &[&str], wrapped: &[&str]) -> Media {
        let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect();
        Media {
            port: path.first().map_or(9, MsrpUri::port),
            tls: path.first().is_some_and(MsrpUri::tls),
            path,
            accept: words(accept),
            wrapped: words(wrapped),
            setup: None,
            direction: Direction::Both,
            max_size: None,
            fingerprint: None,
            chatroom: None,
            file: None,
        }
    }

    /// Whether messages of this type are taken as they are.
    pub fn takes(&self, media: &str) -> bool {
        listed(&self.accept, media)
    }

    /// Whether messages of this type are taken within an envelope.
    pub fn takes_wrapped(&self, media: &str) -> bool {
        self.takes("message/cpim") && (listed(&self.wrapped, media) || listed(&self.accept, media))
    }

    fn write(&self, out: &mut String) {
        let mut line = |text: String| {
            out.push_str(&text);
            out.push_str("\r\n");
        };
        line(format!("m=message {} TCP/{}MSRP *", self.port, if self.tls { "TLS/" } else { "" }));
        if self.port == 0 {
            return;
        }
        line(format!("a=path:{}", uri::write_path(&self.path)));
        if let Some(setup) = self.setup {
            line(format!("a=setup:{}", setup.text()));
        }
        line(format!("a=accept-types:{}", self.accept.join(" ")));
        if !self.wrapped.is_empty() {
            line(format!("a=accept-wrapped-types:{}", self.wrapped.join(" ")));
        }
        if let Some(size) = self.max_size {
            line(format!("a=max-size:{size}"));
        }
        if self.direction != Direction::Both {
            line(format!("a={}", self.direction.text()));
        }
        if let Some(room) = &self.chatroom {
            line(format!("a=chatroom{}{}", if room.is_empty() { "" } else { ":" }, room.join(" ")));
        }
        if let Some(file) = &self.file {
            line(format!("a=file-selector:{}", selector(file)));
            if let Some(id) = &file.transfer {
                line(format!("a=file-transfer-id:{id}"));
            }
            line("a=file-disposition:attachment".into());
        }
    }
}

fn listed(all: &[String], media: &str) -> bool {
    let bare = media.split(';').next().unwrap_or("").trim();
    let group = bare.split('/').next().unwrap_or("");
    all.iter()
        .any(|a| a == "*" || a.eq_ignore_ascii_case(bare) || a.strip_suffix("/*").is_some_and(|g| g.eq_ignore_ascii_case(group)))
}

/// One media line of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Messages.
    Message(Box<Media>),
    /// Something else: its kind and transport, for refusing it.
    Other(String),
}

/// A session description, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Media in order.
    pub lines: Vec<Line>,
}

impl Description {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(body: &[u8]) -> Result<Description, &'static str> {
        if body.len() > SDP_MOST {
            return Err("the session description is too long");
        }
        let text = std::str::from_utf8(body).map_err(|_| "the session description is not UTF-8")?;
        let lines: Vec<&str> = text.lines().map(|l| l.trim_end_matches('\r')).filter(|l| !l.is_empty()).collect();
        if lines.first().is_none_or(|l| *l != "v=0") {
            return Err("this is no session description");
        }
        let mut out = Description::default();
        let mut starts: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].starts_with("m=")).collect();
        if starts.len() > MEDIA_MOST {
            return Err("the session description has too many media");
        }
        let session = &lines[..starts.first().copied().unwrap_or(lines.len())];
        starts.push(lines.len());
        for pair in starts.windows(2) {
            out.lines.push(media(session, &lines[pair[0]..pair[1]])?);
        }
        Ok(out)
    }

    /// The first line for messages that is not refused, and its place.
    pub fn message(&self) -> Option<(usize, &Media)> {
        self.lines.iter().enumerate().find_map(|(at, line)| match line {
            Line::Message(media) if media.port != 0 => Some((at, media.as_ref())),
            _ => None,
        })
    }

    /// An answer to this offer that takes one line and refuses the others.
    pub fn answer(&self, at: usize, ours: Media) -> Description {
        let lines = self.lines.iter().enumerate().map(|(n, line)| match line {
            Line::Message(_) if n == at => Line::Message(Box::new(ours.clone())),
            Line::Message(theirs) => Line::Message(Box::new(Media { port: 0, ..theirs.as_ref().clone() })),
            Line::Other(what) => Line::Other(what.clone()),
        });
        Description { lines: lines.collect() }
    }

    /// Writes it; `host` is our address, `id` and `version` name it (RFC 4566 §5.2).
    pub fn write(&self, host: &str, id: u64, version: u64) -> Vec<u8> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let net = if host.contains(':') { "IP6" } else { "IP4" };
        let mut out = format!("v=0\r\no=- {id} {version} IN {net} {host}\r\ns=-\r\nc=IN {net} {host}\r\nt=0 0\r\n");
        for line in &self.lines {
            match line {
                Line::Message(media) => media.write(&mut out),
                Line::Other(what) => out.push_str(&format!("m={what}\r\n")),
            }
        }
        out.into_bytes()
    }
}

fn media(session: &[&str], lines: &[&str]) -> Result<Line, &'static str> {
    let first = lines.first().and_then(|l| l.strip_prefix("m=")).unwrap_or("");
    let words: Vec<&str> = first.split_whitespace().collect();
    let [kind, port, transport, formats @ ..] = words.as_slice() else { return Err("a line for media is malformed") };
    let tls = match transport.to_ascii_uppercase().as_str() {
        "TCP/MSRP" => false,
        "TCP/TLS/MSRP" => true,
        _ => return Ok(Line::Other(format!("{kind} 0 {transport} {}", formats.join(" ")))),
    };
    if !kind.eq_ignore_ascii_case("message") {
        return Ok(Line::Other(format!("{kind} 0 {transport} {}", formats.join(" "))));
    }
    let value = |name: &str| {
        let mine = lines.iter().skip(1).find_map(|l| attribute(l, name));
        mine.or_else(|| session.iter().find_map(|l| attribute(l, name)))
    };
    let flag = |name: &str| lines.iter().chain(session).any(|l| *l == format!("a={name}"));
    let list = |name: &str| value(name).map(|v| v.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let port = port.split('/').next().and_then(|p| p.parse().ok()).ok_or("a port is malformed")?;
    let path = match value("path") {
        Some(text) => uri::path(text.trim()).ok_or("a path is malformed")?,
        None if port == 0 => Vec::new(),
        None => return Err("a medium for messages has no path"),
    };
    let setup = value("setup").and_then(|v| Setup::ALL.iter().find(|s| s.1 == v.trim()).map(|s| s.0));
    let direction = Direction::ALL.iter().find(|d| flag(d.1)).map_or(Direction::Both, |d| d.0);
    let file = value("file-selector").map(|text| File {
        transfer: value("file-transfer-id").map(|v| v.trim().to_owned()),
        range: value("file-range").and_then(range),
        ..read_selector(text)
    });
    let chatroom = list("chatroom").or_else(|| flag("chatroom").then(Vec::new));
    Ok(Line::Message(Box::new(Media {
        port,
        tls,
        path,
        accept: list("accept-types").unwrap_or_default(),
        wrapped: list("accept-wrapped-types").unwrap_or_default(),
        setup,
        direction,
        max_size: value("max-size").and_then(|v| v.trim().parse().ok()),
        fingerprint: value("fingerprint").map(|v| v.trim().to_owned()),
        chatroom,
        file,
    })))
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':')
}

fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (start, end) = text.trim().split_once('-')?;
    let end = if end == "*" { None } else { Some(end.parse().ok()?) };
    Some((start.parse().ok()?, end))
}

fn selector(file: &File) -> String {
    let mut out = Vec::new();
    if let Some(name) = &file.name {
        let safe: String =
            name.chars().map(|c| if c.is_control() || matches!(c, '"' | '%') { escaped(c) } else { c.to_string() }).collect();
        out.push(format!("name:\"{safe}\""));
    }
    out.extend(file.media.as_ref().map(|m| format!("type:{m}")));
    out.extend(file.size.map(|s| format!("size:{s}")));
    out.extend(file.sha1.map(|h| {
        let octets: Vec<String> = h.iter().map(|b| format!("{b:02X}")).collect();
        format!("hash:sha-1:{}", octets.join(":"))
    }));
    out.join(" ")
}

fn escaped(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|b| format!("%{b:02X}")).collect()
}

fn read_selector(text: &str) -> File {
    let mut file = File::default();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((key, after)) = rest.split_once(':') else { break };
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(' ').unwrap_or((after, "")),
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => file.name = Some(decode(value)),
            "type" => file.media = Some(value.to_owned()),
            "size" => file.size = value.parse().ok(),
            "hash" => file.sha1 = value.get(..6).filter(|n| n.eq_ignore_ascii_case("sha-1:")).and_then(|_| octets(&value[6..])),
            _ => {}
        }
        rest = next.trim_start();
    }
    file
}

fn octets(text: &str) -> Option<[u8; 20]> {
    let all: Option<Vec<u8>> = text.split(':').map(|b| u8::from_str_radix(b, 16).ok().filter(|_| b.len() == 2)).collect();
    all?.try_into().ok()
}

fn decode(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let escaped =
            (bytes[at] == b'%').then(|| text.get(at + 1..at + 3).and_then(|d| u8::from_str_radix(d, 16).ok())).flatten();
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "v=0\r\no=- 8801 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0 8\r\na=sendrecv\r\n\
        m=message 2855 TCP/TLS/MSRP *\r\na=path:msrps://r.example.com:2855/j;tcp msrps://198.51.100.7:2855/k9Qx;tcp\r\n\
        a=setup:actpass\r\na=accept-types:message/cpim text/*\r\na=accept-wrapped-types:*\r\na=max-size:1048576\r\n\
        a=sendonly\r\na=file-selector:name:\"a%22b %25.pdf\" type:application/pdf size:49113 hash:sha-1:58:23:1F:E8:65:3B:BC:F3:71:36:2F:86:D4:71:91:3E:E4:B1:DF:2F\r\n\
        a=file-transfer-id:8fQ2\r\na=file-range:1-49113\r\n";

    #[test]
    fn an_offer_of_a_file_is_read_and_answered() {
        let d = Description::parse(OFFER.as_bytes()).unwrap();
        let (at, m) = d.message().unwrap();
        assert_eq!((at, m.port, m.tls, m.path.len()), (1, 2855, true, 2));
        assert_eq!((m.setup, m.direction, m.max_size), (Some(Setup::Either), Direction::SendOnly, Some(1_048_576)));
        assert!(m.takes("text/plain;charset=utf-8") && m.takes_wrapped("image/png") && !m.takes("image/png"));
        let file = m.file.clone().unwrap();
        assert_eq!((file.name.as_deref(), file.size, file.sha1.map(|h| h[0])), (Some("a\"b %.pdf"), Some(49_113), Some(0x58)));
        let ours = Media { direction: Direction::ReceiveOnly, ..m.clone() };
        let answer = Description::parse(&d.answer(at, ours.clone()).write("10.0.0.1", 1, 1)).unwrap();
        assert_eq!(answer.lines[0], Line::Other("audio 0 RTP/AVP 0 8".into()));
        let (_, again) = answer.message().unwrap();
        assert_eq!(again.file.as_ref().unwrap().name, file.name);
        assert_eq!(again.direction, Direction::ReceiveOnly);
    }

    #[test]
    fn bad_descriptions_are_refused_with_a_reason() {
        for bad in [
            "",
            "hello",
            "v=0\r\nm=message\r\n",
            "v=0\r\nm=message 1 TCP/MSRP *\r\n",
            "v=0\r\nm=message x TCP/MSRP *\r\n",
            "v=0\r\nm=message 1 TCP/MSRP *\r\na=path:sip:a@b\r\n",
        ] {
            assert!(Description::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(Description::parse(&[b"v=0\r\n".to_vec(), b"m=audio 0 RTP/AVP 0\r\n".repeat(40)].concat()).is_err());
    }

    #[test]
    fn a_chat_room_says_what_it_can() {
        let text = "v=0\r\nm=message 1 TCP/MSRP *\r\na=path:msrp://r:1/a;tcp\r\na=chatroom:nickname private-messages\r\n";
        let d = Description::parse(text.as_bytes()).unwrap();
        assert_eq!(d.message().unwrap().1.chatroom.as_deref(), Some(&["nickname".to_owned(), "private-messages".into()][..]));
    }

    proptest! {
        #[test]
        fn a_file_comes_back_as_it_was(name in "[^\u{0}]{1,40}", size: u64, sha1: [u8; 20]) {
            let path = vec![MsrpUri::new(false, "a:1", "x").unwrap()];
            let file = File { name: Some(name), media: Some("a/b".into()), size: Some(size), sha1: Some(sha1), transfer: Some("t".into()), range: None };
            let media = Media { file: Some(file), ..Media::new(path, &["*"], &[]) };
            let d = Description { lines: vec![Line::Message(Box::new(media))] };
            prop_assert_eq!(Description::parse(&d.write("::1", 1, 2)).unwrap(), d);
        }

        #[test]
        fn nothing_makes_it_panic(text in "(v=0\r\n)?[a-z=:/ 0-9\"%\r\n-]{0,200}") {
            let _ = Description::parse(text.as_bytes());
        }
    }
}
