//! The few hash constructions both schemes need.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};
use sha2::{Sha256, Sha512_256};

/// MD5 of the parts in a row.
pub(super) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut h = Md5::new();
    parts.iter().for_each(|p| h.update(p));
    h.finalize().into()
}

/// SHA-256 of the parts in a row.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut h = Sha256::new();
    parts.iter().for_each(|p| h.update(p));
    h.finalize().into()
}

/// SHA-512/256 of the parts in a row: a function of its own, not a part of SHA-512.
pub(super) fn sha512_256(parts: &[&[u8]]) -> [u8; 32] {
    let mut h = Sha512_256::new();
    parts.iter().for_each(|p| h.update(p));
    h.finalize().into()
}

/// HMAC-MD5 with a key of 16 octets (shorter than the block, so filled up with zeros).
pub(super) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut block = [0; 64];
    block[..16].copy_from_slice(key);
    let mut h = Hmac::<Md5>::new(&block.into());
    parts.iter().for_each(|p| h.update(p));
    h.finalize().into_bytes().into()
}

/// HMAC-SHA-256 with a key of 32 octets.
pub(super) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut h = Hmac::<Sha256>::new(&block.into());
    parts.iter().for_each(|p| h.update(p));
    h.finalize().into_bytes().into()
}

/// RC4 over `data` in place.
pub(super) fn rc4(key: &[u8; 16], data: &mut [u8]) {
    // The key schedule repeats its key, so 16 octets twice are the same key; this constructor cannot fail.
    let mut twice = [0; 32];
    twice[..16].copy_from_slice(key);
    twice[16..].copy_from_slice(key);
    Rc4::new(&twice.into()).apply_keystream(data);
}

/// Equality in time that does not depend on the content.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// From hexadecimal of any case.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks_exact(2).map(|p| Some((digit(*p.first()?)? << 4) | digit(*p.get(1)?)?)).collect()
}
