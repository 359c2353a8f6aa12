//! CHALLENGE and AUTHENTICATE messages (`[MS-NLMP]` 2.2.1.2, 2.2.1.3), offsets never trusted.

use super::AuthError;
use super::ntlm::utf16;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// What a peer has to offer: Unicode, sign, datagram, NTLM, always sign, extended session security, identify, target
/// info, key exchange.
pub(super) const REQUIRED: u32 = 0x4098_8251;
/// What our challenges offer: the above, request target, version, 128 and 56 bit.
pub(super) const OFFERED: u32 = 0xE298_8255;
/// What our answers choose, without the key length.
pub(super) const CHOSEN: u32 = REQUIRED | 0x0200_0004;
pub(super) const BITS_128: u32 = 0x2000_0000;
pub(super) const BITS_56: u32 = 0x8000_0000;
pub(super) const UNICODE: u32 = 1;
pub(super) const KEY_EXCHANGE: u32 = 0x4000_0000;
const CHALLENGE_HEAD: usize = 56;
const AUTHENTICATE_HEAD: usize = 72;
/// Tokens beyond it are refused unread.
const MAX_TOKEN: usize = 16 * 1024;

/// AV pair with the time of the server.
const AV_TIMESTAMP: u16 = 7;

/// The server's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub flags: u32,
    pub server_challenge: [u8; 8],
    pub target_name: Vec<u8>,
    pub target_info: Vec<u8>,
    pub version: [u8; 8],
}

impl Challenge {
    pub fn parse(bytes: &[u8]) -> Result<Challenge, AuthError> {
        check(bytes, 2)?;
        let (target_name, target_info) = (field(bytes, 12)?, field(bytes, 40)?);
        Ok(Challenge {
            flags: u32_at(bytes, 20)?,
            server_challenge: array_at(bytes, 24)?,
            target_name: target_name.to_vec(),
            target_info: target_info.to_vec(),
            // Very old servers leave it out.
            version: array_at(bytes, 48).unwrap_or_default(),
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new(2, CHALLENGE_HEAD);
        out.field(12, &self.target_name);
        out.put(20, &self.flags.to_le_bytes());
        out.put(24, &self.server_challenge);
        out.field(40, &self.target_info);
        out.put(48, &self.version);
        out.0
    }

    /// The server's time, where it sends one.
    pub fn timestamp(&self) -> Option<[u8; 8]> {
        let mut rest = self.target_info.as_slice();
        loop {
            let (id, length) = (u16_at(rest, 0).ok()?, usize::from(u16_at(rest, 2).ok()?));
            let value = rest.get(4..4 + length)?;
            match id {
                0 => return None,
                AV_TIMESTAMP => return value.try_into().ok(),
                _ => rest = rest.get(4 + length..)?,
            }
        }
    }
}

/// `TargetInfo` from pairs of id and text, with its end mark.
pub(super) fn target_info(pairs: &[(u16, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, text) in pairs {
        let value = utf16(text);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&value);
    }
    out.extend_from_slice(&[0; 4]);
    out
}

/// The client's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authenticate {
    pub flags: u32,
    pub domain: String,
    pub user: String,
    pub workstation: String,
    pub lm: Vec<u8>,
    pub nt: Vec<u8>,
    pub session_key: Vec<u8>,
    pub version: [u8; 8],
}

impl Authenticate {
    pub fn parse(bytes: &[u8]) -> Result<Authenticate, AuthError> {
        check(bytes, 3)?;
        let flags = u32_at(bytes, 60)?;
        Ok(Authenticate {
            flags,
            lm: field(bytes, 12)?.to_vec(),
            nt: field(bytes, 20)?.to_vec(),
            domain: text(field(bytes, 28)?, flags)?,
            user: text(field(bytes, 36)?, flags)?,
            workstation: text(field(bytes, 44)?, flags)?,
            session_key: field(bytes, 52)?.to_vec(),
            version: array_at(bytes, 64).unwrap_or_default(),
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new(3, AUTHENTICATE_HEAD);
        out.field(28, &utf16(&self.domain));
        out.field(36, &utf16(&self.user));
        out.field(44, &utf16(&self.workstation));
        out.field(12, &self.lm);
        out.field(20, &self.nt);
        out.field(52, &self.session_key);
        out.put(60, &self.flags.to_le_bytes());
        out.put(64, &self.version);
        out.0
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new(kind: u32, head: usize) -> Writer {
        let mut out = Writer(vec![0; head]);
        out.put(0, SIGNATURE);
        out.put(8, &kind.to_le_bytes());
        out
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn field(&mut self, at: usize, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes();
        let offset = u32::try_from(self.0.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.put(at, &length);
        self.put(at + 2, &length);
        self.put(at + 4, &offset);
        self.0.extend_from_slice(value);
    }
}

fn check(bytes: &[u8], kind: u32) -> Result<(), AuthError> {
    let ok = bytes.len() <= MAX_TOKEN && bytes.starts_with(SIGNATURE) && u32_at(bytes, 8) == Ok(kind);
    if ok { Ok(()) } else { Err(AuthError::Malformed) }
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], AuthError> {
    bytes.get(at..at + N).and_then(|s| s.try_into().ok()).ok_or(AuthError::Malformed)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, AuthError> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, AuthError> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

/// A field by its length and offset; an empty one may point anywhere.
fn field(bytes: &[u8], at: usize) -> Result<&[u8], AuthError> {
    let length = usize::from(u16_at(bytes, at)?);
    let offset = usize::try_from(u32_at(bytes, at + 4)?).map_err(|_| AuthError::Malformed)?;
    if length == 0 {
        return Ok(&[]);
    }
    let end = offset.checked_add(length).ok_or(AuthError::Malformed)?;
    bytes.get(offset..end).ok_or(AuthError::Malformed)
}

fn text(bytes: &[u8], flags: u32) -> Result<String, AuthError> {
    if flags & UNICODE == 0 {
        return String::from_utf8(bytes.to_vec()).map_err(|_| AuthError::Malformed);
    }
    if !bytes.len().is_multiple_of(2) {
        return Err(AuthError::Malformed);
    }
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|p| p.try_into().ok().map(u16::from_le_bytes)).collect();
    String::from_utf16(&units).map_err(|_| AuthError::Malformed)
}
