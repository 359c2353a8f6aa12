//! Instance ids of state and device publications (`domain.md` 5.3).
//!
//! The kind stands in the top four bits, the low 28 bits are the end of an MD5 digest of the thing's name.

use md5::{Digest, Md5};

/// `userState` set by hand to anything but Busy and Do Not Disturb.
pub const USER_STATE: u32 = 0x2000_0000;
/// `userState` Busy or Do Not Disturb, which ends by itself.
pub const TIMED_USER_STATE: u32 = 0x2400_0000;
/// The `aggregateState` everybody sees.
pub const AGGREGATE_STATE: u32 = 1;
/// The `aggregateState` blocked people see.
pub const BLOCKED_STATE: u32 = 0;
/// `aggregateMachineState`.
pub const AGGREGATE_MACHINE_STATE: u32 = 0x1000_0000;
/// `legacyInterop`.
pub const LEGACY_INTEROP: u32 = 1;

/// `machineState` of an endpoint.
pub fn machine_state(gruu: &str) -> u32 {
    0x3000_0000 | ls28(gruu)
}

/// `calendarState` of a meeting.
pub fn meeting(mailbox: &str) -> u32 {
    0x4000_0000 | ls28(mailbox)
}

/// `calendarState` of an out-of-office appointment.
pub fn out_of_office_period(mailbox: &str) -> u32 {
    0x5000_0000 | ls28(mailbox)
}

/// `calendarState` while automatic replies are on.
pub fn out_of_office_message(mailbox: &str) -> u32 {
    0x6000_0000 | ls28(mailbox)
}

/// `phoneState` of a desk phone.
pub fn desk_phone(tel_uri: &str) -> u32 {
    0x7000_0000 | ls28(tel_uri)
}

/// `phoneState` of a voice call of an endpoint.
pub fn voice_call(sip_uri: &str, gruu: &str) -> u32 {
    0x8000_0000 | ls28(&format!("{sip_uri},{gruu}"))
}

/// `phoneState` of a gateway call of an endpoint.
pub fn gateway_call(pstn_uri: &str, gruu: &str) -> u32 {
    0x9000_0000 | ls28(&format!("{pstn_uri},{gruu}"))
}

/// `note` of an out-of-office message.
pub fn out_of_office_note(mailbox: &str) -> u32 {
    0x4000_0000 | ls28(mailbox)
}

/// `calendarData` with free-busy slots.
pub fn free_busy(mailbox: &str) -> u32 {
    0x4000_0000 | (low32(mailbox) & 0x3FFF_FFFF)
}

/// `device` of an endpoint.
pub fn device(gruu: &str) -> u32 {
    low32(gruu)
}

/// The low 28 bits of MD5.
pub fn ls28(name: &str) -> u32 {
    low32(name) & 0x0FFF_FFFF
}

fn low32(name: &str) -> u32 {
    Md5::digest(name.as_bytes()).iter().skip(12).fold(0, |n, b| n << 8 | u32::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_their_kind_and_the_end_of_the_digest() {
        // MD5("abc") = 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(device("abc"), 0x28e1_7f72);
        assert_eq!(ls28("abc"), 0x08e1_7f72);
        assert_eq!(machine_state("abc"), 0x38e1_7f72);
        assert_eq!(meeting("abc") >> 28, 4);
        assert_eq!(out_of_office_period("abc") >> 28, 5);
        assert_eq!(out_of_office_message("abc") >> 28, 6);
        assert_eq!(desk_phone("abc") >> 28, 7);
        assert_eq!(voice_call("a", "b"), 0x8000_0000 | ls28("a,b"));
        assert_eq!(gateway_call("a", "b") >> 28, 9);
        assert_eq!(free_busy("abc"), 0x68e1_7f72);
    }
}
