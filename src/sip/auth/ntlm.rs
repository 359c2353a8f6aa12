//! NTLMv2 arithmetic (`[MS-NLMP]` 3.3.2, 3.4) as the connectionless mode of Lync uses it.

use super::hash::{hex, hmac_md5, md5, rc4, unhex};
use crate::domain::Time;
use md4::{Digest, Md4};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The sequence number under every signature: connectionless NTLM in Lync never counts.
const SEQUENCE: [u8; 4] = 100u32.to_le_bytes();
const NEGOTIATE_128: u32 = 0x2000_0000;
const NEGOTIATE_56: u32 = 0x8000_0000;

/// NTOWFv1: MD4 of the password in UTF-16. As good as the password itself; the only thing a server has to store.
#[derive(Clone)]
pub struct NtHash(Zeroizing<[u8; 16]>);

impl NtHash {
    /// From a password.
    pub fn from_password(password: &str) -> NtHash {
        let mut utf16 = utf16(password);
        let hash: [u8; 16] = Md4::digest(&utf16).into();
        utf16.zeroize();
        NtHash(hash.into())
    }

    /// From its 16 octets.
    pub fn from_bytes(bytes: [u8; 16]) -> NtHash {
        NtHash(bytes.into())
    }

    /// Its 16 octets, for storing.
    pub fn to_bytes(&self) -> [u8; 16] {
        *self.0
    }

    /// From 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<NtHash> {
        let bytes: [u8; 16] = unhex(text)?.try_into().ok()?;
        Some(NtHash(bytes.into()))
    }

    /// 32 hexadecimal digits, for storing.
    pub fn to_hex(&self) -> String {
        hex(&*self.0)
    }

    /// NTOWFv2 for user and domain as they stand in the AUTHENTICATE message.
    pub(super) fn ntowf_v2(&self, user: &str, domain: &str, casing: Casing) -> [u8; 16] {
        let mut text = casing.upper(user);
        text.push_str(domain);
        hmac_md5(&self.0, &[&utf16(&text)])
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(…)")
    }
}

/// How a user name is upper-cased: Windows knows Unicode, pidgin-sipe only ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Casing {
    Unicode,
    Ascii,
}

impl Casing {
    fn upper(self, text: &str) -> String {
        match self {
            Casing::Ascii => text.to_ascii_uppercase(),
            Casing::Unicode => text.chars().map(simple_upper).collect(),
        }
    }
}

/// Windows maps single code units; letters that would grow stay as they are.
fn simple_upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(u), None) => u,
        _ => c,
    }
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// 100 ns since 1601, little endian.
pub(super) fn filetime(now: Time) -> [u8; 8] {
    now.0.saturating_add(11_644_473_600_000).saturating_mul(10_000).to_le_bytes()
}

/// The `temp` of NTLMv2: what the proof covers beside the server's challenge.
pub(super) fn blob(filetime: [u8; 8], client_challenge: [u8; 8], target_info: &[u8]) -> Vec<u8> {
    let mut out = vec![1, 1, 0, 0, 0, 0, 0, 0];
    out.extend_from_slice(&filetime);
    out.extend_from_slice(&client_challenge);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(target_info);
    out.extend_from_slice(&[0; 4]);
    out
}

/// NTProofStr.
pub(super) fn proof(ntowf: &[u8; 16], server_challenge: [u8; 8], blob: &[u8]) -> [u8; 16] {
    hmac_md5(ntowf, &[&server_challenge, blob])
}

/// LMv2 response.
pub(super) fn lm_response(ntowf: &[u8; 16], server_challenge: [u8; 8], client_challenge: [u8; 8]) -> [u8; 24] {
    let mut out = [0; 24];
    out[..16].copy_from_slice(&hmac_md5(ntowf, &[&server_challenge, &client_challenge]));
    out[16..].copy_from_slice(&client_challenge);
    out
}

/// SessionBaseKey.
pub(super) fn session_base_key(ntowf: &[u8; 16], proof: &[u8; 16]) -> [u8; 16] {
    hmac_md5(ntowf, &[proof])
}

/// Encrypts the exported session key, or decrypts it.
pub(super) fn exchange(base_key: &[u8; 16], mut session_key: [u8; 16]) -> [u8; 16] {
    rc4(base_key, &mut session_key);
    session_key
}

/// Keys of one direction.
#[derive(Clone)]
pub(super) struct DirectionKeys {
    pub sign: Zeroizing<[u8; 16]>,
    pub seal: Zeroizing<[u8; 16]>,
}

impl DirectionKeys {
    fn new(session_key: &[u8; 16], flags: u32, direction: &str) -> DirectionKeys {
        let strength = match flags {
            f if f & NEGOTIATE_128 != 0 => 16,
            f if f & NEGOTIATE_56 != 0 => 7,
            _ => 5,
        };
        let magic = |what: &str| format!("session key to {direction} {what} key magic constant\0");
        DirectionKeys {
            sign: md5(&[session_key, magic("signing").as_bytes()]).into(),
            seal: md5(&[&session_key[..strength], magic("sealing").as_bytes()]).into(),
        }
    }

    /// The NTLMSSP signature of `text`; RC4 is keyed anew for every message.
    pub fn mac(&self, text: &[u8]) -> [u8; 16] {
        let mut sum = hmac_md5(&self.sign, &[&SEQUENCE, text]);
        let key = md5(&[&*self.seal, &SEQUENCE]);
        rc4(&key, &mut sum[..8]);
        let mut out = [0; 16];
        out[0] = 1;
        out[4..12].copy_from_slice(&sum[..8]);
        out[12..].copy_from_slice(&SEQUENCE);
        out
    }
}

/// Keys of both directions.
#[derive(Clone)]
pub(super) struct Keys {
    pub client: DirectionKeys,
    pub server: DirectionKeys,
}

impl Keys {
    pub fn new(session_key: &[u8; 16], flags: u32) -> Keys {
        Keys {
            client: DirectionKeys::new(session_key, flags, "client-to-server"),
            server: DirectionKeys::new(session_key, flags, "server-to-client"),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[cfg(test)]
#[path = "ntlm_tests.rs"]
mod tests;
