//! Names of endpoints and conferences: epid, instance, GRUU (guide 1.4), focus, factory and MCU URIs, join links
//! (conversations guide 0.4 and 4.8).

use super::limits::{CONFERENCE_ID_MAX, CONFERENCE_ID_MIN};
use crate::domain::Address;
use crate::domain::conference::ConferenceId;
use crate::sip::Uri;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use sha1::{Digest, Sha1};

/// Namespace GUID `fcacfb03-8a73-46ef-91b1-e5ebeeaba4fe` in little-endian layout (MS-SIPREGE).
const EPID_NAMESPACE: [u8; 16] = [0x03, 0xfb, 0xac, 0xfc, 0x73, 0x8a, 0xef, 0x46, 0x91, 0xb1, 0xe5, 0xeb, 0xee, 0xab, 0xa4, 0xfe];

/// The host in the addresses of people without an account (conversations guide 4.9).
pub const GUEST_HOST: &str = "anonymous.invalid";

/// The instance UUID of an epid, lower case with hyphens (guide 1.4, vectors 13.3).
pub fn instance_id(epid: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(EPID_NAMESPACE);
    hash.update(epid.as_bytes());
    let digest = hash.finalize();
    let mut le = [0u8; 16];
    le.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    // In the little-endian layout the version nibble sits in octet 7, the variant in octet 8.
    le[7] = (le[7] & 0x0f) | 0x50;
    le[8] = (le[8] & 0x3f) | 0x80;
    let h = hex(&swap(le));
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

/// The `X` of `opaque=user:epid:X`; `None` when `instance` is no UUID.
pub fn gruu_token(instance: &str) -> Option<String> {
    let digits: Vec<u8> =
        instance.chars().filter(|c| *c != '-').map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let mut id = [0u8; 16];
    if digits.len() != 32 {
        return None;
    }
    for (octet, pair) in id.iter_mut().zip(digits.chunks(2)) {
        *octet = pair.iter().fold(0, |a, d| (a << 4) | d);
    }
    let mut raw = swap(id).to_vec();
    raw.extend([0, 0]);
    Some(URL_SAFE.encode(raw))
}

/// The GRUU a server gives to an instance (guide 1.4); an instance that is no UUID is put in as it is.
pub fn gruu(user: &Address, instance: &str) -> String {
    let token = gruu_token(instance).unwrap_or_else(|| instance.chars().filter(char::is_ascii_alphanumeric).collect());
    format!("{user};opaque=user:epid:{token};gruu")
}

/// Big-endian GUID octets to little-endian layout and back.
fn swap(mut id: [u8; 16]) -> [u8; 16] {
    id[..4].reverse();
    id[4..6].reverse();
    id[6..8].reverse();
    id
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

/// What a conference-related URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConferenceUri {
    /// The focus factory of an organizer.
    Factory(Address),
    /// A focus.
    Focus(Address, ConferenceId),
    /// An MCU of a conference; the type is in lower case (`chat`, `audio-video`).
    Mcu(Address, ConferenceId, String),
}

/// URI of an organizer's focus factory.
pub fn focus_factory(organizer: &Address) -> String {
    format!("{organizer};gruu;opaque=app:conf:focusfactory")
}

/// URI of a focus.
pub fn focus(organizer: &Address, id: &ConferenceId) -> String {
    format!("{organizer};gruu;opaque=app:conf:focus:id:{}", id.0)
}

/// URI of one MCU of a focus; text without `:focus:` comes back unchanged.
pub fn mcu(focus_uri: &str, kind: &str) -> String {
    match focus_uri.to_ascii_lowercase().find("app:conf:focus:") {
        Some(at) => {
            let cut = at + "app:conf:".len();
            format!("{}{kind}{}", &focus_uri[..cut], &focus_uri[cut + "focus".len()..])
        }
        None => focus_uri.to_owned(),
    }
}

/// Takes a factory, focus or MCU URI apart. Tolerates any parameter order and case, angle brackets, `conf:` and `meet:`
/// in front and a query behind.
pub fn parse_conference_uri(text: &str) -> Option<ConferenceUri> {
    let mut t = text.trim().trim_start_matches('<').trim_end_matches('>');
    for scheme in ["conf:", "meet:"] {
        if t.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)) {
            t = &t[scheme.len()..];
        }
    }
    let t = t.split('?').next().unwrap_or(t);
    let uri = Uri::parse(t)?;
    let organizer = uri.address()?;
    let opaque = uri.param("opaque")?;
    let mut parts = opaque.split(':');
    let app = (parts.next()?, parts.next()?);
    if !app.0.eq_ignore_ascii_case("app") || !app.1.eq_ignore_ascii_case("conf") {
        return None;
    }
    let kind = parts.next()?.to_ascii_lowercase();
    match (kind.as_str(), parts.next()) {
        ("focusfactory", None) => Some(ConferenceUri::Factory(organizer)),
        (_, Some(id)) if id.eq_ignore_ascii_case("id") => {
            let id = conference_id(parts.next()?)?;
            Some(if kind == "focus" { ConferenceUri::Focus(organizer, id) } else { ConferenceUri::Mcu(organizer, id, kind) })
        }
        _ => None,
    }
}

/// Organizer and id of a focus URI.
pub fn parse_focus(text: &str) -> Option<(Address, ConferenceId)> {
    match parse_conference_uri(text)? {
        ConferenceUri::Focus(a, id) => Some((a, id)),
        _ => None,
    }
}

/// Whether a URI names an MCU.
pub fn is_mcu(text: &str) -> bool {
    matches!(parse_conference_uri(text), Some(ConferenceUri::Mcu(..)))
}

/// An id of 8 to 32 ASCII letters and digits.
pub fn conference_id(text: &str) -> Option<ConferenceId> {
    let ok = (CONFERENCE_ID_MIN..=CONFERENCE_ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    ok.then(|| ConferenceId(text.to_owned()))
}

/// Whether two focus or MCU URIs are the same (they compare without case).
pub fn same_uri(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || parse_conference_uri(a).zip(parse_conference_uri(b)).is_some_and(|(a, b)| key(&a) == key(&b))
}

fn key(u: &ConferenceUri) -> (String, String, String) {
    match u {
        ConferenceUri::Factory(a) => (a.to_string(), String::new(), "focusfactory".into()),
        ConferenceUri::Focus(a, id) => (a.to_string(), id.0.to_ascii_lowercase(), "focus".into()),
        ConferenceUri::Mcu(a, id, k) => (a.to_string(), id.0.to_ascii_lowercase(), k.clone()),
    }
}

/// `https://HOST/organizer/id`; the usual host is `meet.` and the SIP domain.
pub fn join_url(host: &str, organizer: &Address, id: &ConferenceId) -> String {
    format!("https://{host}/{}/{}", organizer.user(), id.0)
}

/// The usual host of join links of a SIP domain.
pub fn join_host(domain: &str) -> String {
    format!("meet.{domain}")
}

/// Everything a person may paste to name a conference: a focus URI (also with `conf:` or `meet:`), a join link, or
/// `organizer id`.
pub fn parse_join(text: &str) -> Option<(Address, ConferenceId)> {
    let t = text.trim().trim_start_matches('<').trim_end_matches('>');
    parse_focus(t).or_else(|| parse_link(t)).or_else(|| {
        let (who, id) = t.split_once(char::is_whitespace)?;
        Some((Address::parse(who).ok()?, conference_id(id.trim())?))
    })
}

fn parse_link(text: &str) -> Option<(Address, ConferenceId)> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let rest = rest.split(['?', '#']).next()?;
    let mut parts = rest.split('/').filter(|p| !p.is_empty());
    let host = parts.next()?.split(':').next()?;
    let path: Vec<&str> = parts.collect();
    // A shared host writes https://meet.host/domain/organizer/id; one that does more than meetings says so in the path:
    // https://host.domain/Meet/organizer/id or https://host/domain/Meet/organizer/id.
    let (place, user, id) = match path.as_slice() {
        [place @ .., user, id] => (place, *user, *id),
        _ => return None,
    };
    let behind = |host: &'_ str| host.split_once('.').filter(|(_, rest)| rest.contains('.')).map(|(_, rest)| rest.to_owned());
    let domain = match place {
        [] => host.get(..5).filter(|m| m.eq_ignore_ascii_case("meet.")).map_or(host, |_| &host[5..]).to_owned(),
        [meet] if meet.eq_ignore_ascii_case("meet") => behind(host).unwrap_or_else(|| host.to_owned()),
        [domain] => (*domain).to_owned(),
        [domain, meet] if meet.eq_ignore_ascii_case("meet") => (*domain).to_owned(),
        _ => return None,
    };
    Some((Address::parse(&format!("{}@{domain}", unescape(user)?)).ok()?, conference_id(id)?))
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(b) = octets.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16).map(|d| d as u8);
        out.push(digit(octets.next())? << 4 | digit(octets.next())?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Address {
        Address::parse("alice@contoso.com").unwrap()
    }

    #[test]
    fn vectors_of_the_guide() {
        for (epid, instance, token) in [
            ("492a7ce35f", "b43b3d1d-9f8f-5fdc-9f74-3ca273cadb97", "HT07tI-f3F-fdDyic8rblwAA"),
            ("8248ca9ebb", "4233fd41-093b-5fd6-b5d2-651ed55969e6", "Qf0zQjsJ1l-10mUe1Vlp5gAA"),
            ("6c801b691b", "b143f5ff-8f08-50a3-b656-3cfc251b5b28", "__VDsQiPo1C2Vjz8JRtbKAAA"),
            ("c8ca638a15", "34d859db-6585-5f91-a3b4-de853c15347d", "21nYNIVlkV-jtN6FPBU0fQAA"),
        ] {
            assert_eq!(instance_id(epid), instance);
            assert_eq!(gruu(&alice(), instance), format!("sip:alice@contoso.com;opaque=user:epid:{token};gruu"));
        }
        assert_eq!(gruu_token("nonsense"), None);
    }

    #[test]
    fn conference_uris_come_apart_in_any_shape() {
        let id = ConferenceId("K7M2Q9TX".into());
        let uri = focus(&alice(), &id);
        assert_eq!(uri, "sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:K7M2Q9TX");
        for text in [
            uri.clone(),
            format!("conf:{uri}?required-media=audio"),
            format!("meet:{uri}"),
            "<SIP:Alice@Contoso.com;opaque=app:conf:FOCUS:id:K7M2Q9TX;gruu>".into(),
        ] {
            assert_eq!(parse_focus(&text), Some((alice(), id.clone())), "{text}");
        }
        let chat = mcu(&uri, "chat");
        assert_eq!(chat, "sip:alice@contoso.com;gruu;opaque=app:conf:chat:id:K7M2Q9TX");
        assert_eq!(parse_conference_uri(&chat), Some(ConferenceUri::Mcu(alice(), id.clone(), "chat".into())));
        assert_eq!(parse_conference_uri(&focus_factory(&alice())), Some(ConferenceUri::Factory(alice())));
        assert!(same_uri(&uri, &uri.to_lowercase()) && !same_uri(&uri, &chat));
        for bad in
            ["sip:alice@contoso.com", "sip:a@b;opaque=app:conf:focus:id:short", "sip:a@b;opaque=app:conf:focus:id:K7M2-9TX", ""]
        {
            assert_eq!(parse_conference_uri(bad), None);
        }
    }

    #[test]
    fn join_links_lead_to_the_focus() {
        let id = ConferenceId("K7M2Q9TX".into());
        let url = join_url(&join_host("contoso.com"), &alice(), &id);
        assert_eq!(url, "https://meet.contoso.com/alice/K7M2Q9TX");
        for text in [
            url.as_str(),
            "https://meet.contoso.com/alice/K7M2Q9TX?sl=1",
            "https://contoso.com:443/al%69ce/K7M2Q9TX/",
            "alice@contoso.com K7M2Q9TX",
        ] {
            assert_eq!(parse_join(text), Some((alice(), id.clone())), "{text}");
        }
        for link in [
            "https://meet.host.example/contoso.com/alice/K7M2Q9TX",
            "https://lync.contoso.com/Meet/alice/K7M2Q9TX",
            "https://web.host.example/contoso.com/meet/alice/K7M2Q9TX",
        ] {
            assert_eq!(parse_join(link), Some((alice(), id.clone())), "{link}");
        }
        assert_eq!(parse_join("https://host.example/a/b/c/alice/K7M2Q9TX"), None);
        assert_eq!(parse_join("https://meet.contoso.com/é"), None);
    }
}
