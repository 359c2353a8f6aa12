use super::*;

const INFO: &str = "02000e0043004f004e0054004f0053004f0001000c004c0059004e004300300031000400160063006f006e0074006f0073006f002e0063006f006d00030024006c0079006e006300300031002e0063006f006e0074006f0073006f002e0063006f006d0000000000";
const CHALLENGE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const CLIENT: [u8; 8] = [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8];
const TIME: [u8; 8] = [0x00, 0x90, 0xd3, 0x36, 0xb7, 0x34, 0xc3, 0x01];

fn exported() -> [u8; 16] {
    std::array::from_fn(|i| 0x10 + i as u8)
}

#[test]
fn vector_of_the_specification() {
    let hash = NtHash::from_password("Password");
    assert_eq!(hash.to_hex(), "a4f49c406510bdcab6824ee7c30fd852");
    assert_eq!(hex(&hash.ntowf_v2("User", "Domain", Casing::Ascii)), "0c868a403bfd7a93a3001ef22ef02e3f");
}

#[test]
fn vector_of_the_dialect() {
    let ntowf = NtHash::from_password("Passw0rd!").ntowf_v2("alice", "CONTOSO", Casing::Unicode);
    assert_eq!(hex(&ntowf), "2988dc3185213e4ab3c1689b177c6ac2");
    let blob = blob(TIME, CLIENT, &unhex(INFO).unwrap());
    let proof = proof(&ntowf, CHALLENGE, &blob);
    assert_eq!(hex(&proof), "abb465b239c067e7bcde773dea3c6322");
    assert_eq!(hex(&lm_response(&ntowf, CHALLENGE, CLIENT)), "1a9caa9db8bf85645f81a682ef43fcb1a1a2a3a4a5a6a7a8");
    let base = session_base_key(&ntowf, &proof);
    assert_eq!(hex(&base), "85a64ce3965c6713e1eb4398c7ffcecb");
    assert_eq!(hex(&exchange(&base, exported())), "7a3dddcc5431a3babff9cdf09cbbf4ba");
    assert_eq!(exchange(&base, exchange(&base, exported())), exported());
    let keys = Keys::new(&exported(), 0x6298_8255);
    assert_eq!(hex(&*keys.client.sign), "a14c3d1e1b365279873f7dcf51aed29d");
    assert_eq!(hex(&*keys.client.seal), "af22a2127a4b090cccdfa26c427969c7");
    assert_eq!(hex(&*keys.server.sign), "dbfeaa5883b889757ff1d849f31d6d53");
    assert_eq!(hex(&*keys.server.seal), "b9e4af6ccd5f5edeb067d13815036db5");
}

#[test]
fn filetime_counts_from_1601() {
    let since_1970 = (u64::from_le_bytes(TIME) / 10_000).checked_sub(11_644_473_600_000).unwrap();
    assert_eq!(filetime(Time(since_1970)), TIME);
}

#[test]
fn casings_differ_only_beyond_ascii() {
    let hash = NtHash::from_password("x");
    assert_eq!(hash.ntowf_v2("bob", "", Casing::Ascii), hash.ntowf_v2("BOB", "", Casing::Unicode));
    assert_ne!(hash.ntowf_v2("jörg", "", Casing::Ascii), hash.ntowf_v2("jörg", "", Casing::Unicode));
    assert_eq!(Casing::Unicode.upper("straße"), "STRAßE");
}

#[test]
fn secrets_do_not_show() {
    let hash = NtHash::from_password("Passw0rd!");
    assert_eq!(format!("{hash:?} {:?}", Keys::new(&exported(), 0)), "NtHash(…) Keys(…)");
}
