//! The session description of a message session; it carries no usable address (conversations guide 1.2, 1.3).

/// `Content-Type` of a session description.
pub const CONTENT_TYPE: &str = "application/sdp";

/// Types our client takes.
pub const ACCEPT_TYPES: &str = "text/plain text/html text/rtf multipart/alternative application/im-iscomposing+xml application/ms-imdn+xml text/x-msmsgsinvite";

/// What matters of a message session's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSdp {
    /// Own host, for `o=` and `c=`.
    pub host: String,
    /// Port of the `m=` line; informative.
    pub port: u16,
    /// `null` in an offer, the own URI in an answer.
    pub path: String,
    /// `accept-types`, in order.
    pub accept_types: Vec<String>,
}

impl MessageSdp {
    /// An offer.
    pub fn offer(host: &str) -> MessageSdp {
        MessageSdp { host: host.into(), port: 5060, path: "null".into(), accept_types: default_types() }
    }

    /// An answer of `uri`.
    pub fn answer(host: &str, uri: &str) -> MessageSdp {
        MessageSdp { path: uri.into(), ..MessageSdp::offer(host) }
    }

    /// The body, with CR LF at every line's end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let family = if self.host.contains(':') { "IP6" } else { "IP4" };
        let host = clean(&self.host);
        let lines = [
            "v=0".to_owned(),
            format!("o=- 0 0 IN {family} {host}"),
            "s=session".to_owned(),
            format!("c=IN {family} {host}"),
            "t=0 0".to_owned(),
            format!("m=message {} sip {}", self.port, clean(&self.path)),
            format!("a=accept-types:{}", clean(&self.accept_types.join(" "))),
        ];
        lines.map(|l| l + "\r\n").concat().into_bytes()
    }

    /// Reads a description that has `m=message` or the older `m=x-ms-message`; `None` for any other media.
    pub fn parse(octets: &[u8]) -> Option<MessageSdp> {
        let text = std::str::from_utf8(octets).ok()?;
        let mut host = String::new();
        let mut media: Option<MessageSdp> = None;
        let mut in_media = false;
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            match key {
                "c" if host.is_empty() => host = value.split_whitespace().nth(2).unwrap_or("").to_owned(),
                "m" => {
                    let mut words = value.split_whitespace();
                    let kind = words.next().unwrap_or("");
                    in_media = media.is_none() && (kind == "message" || kind == "x-ms-message");
                    if in_media {
                        let port = words.next().and_then(|p| p.parse().ok()).unwrap_or(0);
                        let path = words.nth(1).unwrap_or("null").to_owned();
                        media = Some(MessageSdp { host: String::new(), port, path, accept_types: Vec::new() });
                    }
                }
                "a" if in_media => {
                    if let (Some(types), Some(m)) = (value.strip_prefix("accept-types:"), media.as_mut()) {
                        m.accept_types = types.split_whitespace().map(str::to_owned).collect();
                    }
                }
                _ => {}
            }
        }
        media.map(|m| MessageSdp { host, ..m })
    }

    /// Whether the other side takes this media type; with no list, only plain text.
    pub fn accepts(&self, media_type: &str) -> bool {
        if self.accept_types.is_empty() {
            return media_type.eq_ignore_ascii_case("text/plain");
        }
        self.accept_types.iter().any(|t| t == "*" || t.eq_ignore_ascii_case(media_type))
    }
}

fn default_types() -> Vec<String> {
    ACCEPT_TYPES.split(' ').map(str::to_owned).collect()
}

/// No line may be started by a value.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_and_answers_round_trip() {
        let o = MessageSdp::offer("192.0.2.10");
        let text = String::from_utf8(o.to_bytes()).unwrap();
        assert!(
            text.starts_with("v=0\r\no=- 0 0 IN IP4 192.0.2.10\r\n") && text.contains("m=message 5060 sip null\r\n"),
            "{text}"
        );
        assert_eq!(MessageSdp::parse(text.as_bytes()), Some(o));
        let a = MessageSdp::answer("2001:db8::1", "sip:bob@contoso.com");
        assert_eq!(MessageSdp::parse(&a.to_bytes()), Some(a));
    }

    #[test]
    fn the_older_media_name_counts_and_others_do_not() {
        let m = MessageSdp::parse(b"v=0\nm=x-ms-message 5060 sip null\n").unwrap();
        assert!(m.accepts("text/plain") && !m.accepts("text/html"));
        assert_eq!(MessageSdp::parse(b"v=0\r\nm=audio 50052 RTP/AVP 0\r\n"), None);
        assert_eq!(MessageSdp::parse(b"\xff"), None);
    }
}
