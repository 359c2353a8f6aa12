//! Reading an invitation from a file, with the links this program can open.

pub use crate::domain::itip::Invitation;
use crate::domain::itip::read as document;
use crate::endpoint::parse_link;
use jiff::tz::TimeZone;

/// Reads a file; its times without a zone are those of `here`.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read(text: &str, here: &TimeZone) -> Result<Invitation, String> {
    let invitation = document::read_in(text, here, &|word| parse_link(word).is_some())?;
    match invitation.odd {
        Some(why) => Err(format!("this cannot be taken as it is meant: {why}")),
        None if invitation.settings.start.is_none() && invitation.of.is_none() && !invitation.cancelled => {
            Err("the meeting in this file has no time".into())
        }
        None => Ok(invitation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::invitation;
    use crate::domain::conference::{Conference, ConferenceId, ConferenceSettings, Invitee};
    use crate::domain::conversation::Role;
    use crate::domain::series::{Moved, Series};
    use crate::domain::{Address, Time};
    use crate::endpoint::parse_link;

    fn a(user: &str) -> Address {
        Address::parse(&format!("{user}@contoso.example")).unwrap()
    }

    fn at(text: &str) -> Time {
        Time::from_timestamp(text.parse().unwrap())
    }

    fn conference() -> Conference {
        Conference {
            id: ConferenceId("7FQ3K2AB".into()),
            uri: "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:7FQ3K2AB".into(),
            join_url: String::new(),
            organizer: a("alice"),
            version: 3,
            last_update: None,
            is_active: false,
            phone_id: String::new(),
            answers: Default::default(),
            settings: ConferenceSettings {
                subject: "Budget; next, äöü".into(),
                description: "Bring numbers\nand cake".into(),
                start: Some(at("2026-12-01T10:00:00Z")),
                end: Some(at("2026-12-01T10:45:00Z")),
                time_zone: "Europe/Berlin".into(),
                passcode: Some("4711".into()),
                participants: vec![
                    Invitee { uri: a("bob"), role: Role::Attendee },
                    Invitee { uri: a("carol"), role: Role::Leader },
                ],
                ..ConferenceSettings::default()
            },
        }
    }

    fn written(c: &Conference) -> Invitation {
        let text = invitation::calendar(c, &[], &|u| u.user().to_owned(), Time(0));
        read(&text, &TimeZone::UTC).unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let c = conference();
        let i = written(&c);
        assert_eq!(i.settings, c.settings);
        assert_eq!((i.organizer, i.sequence, i.cancelled), (Some(a("alice")), 3, false));
        assert_eq!(parse_link(&i.link.unwrap()), Some((a("alice"), c.id)));
    }

    #[test]
    fn a_series_is_read_back_with_its_exceptions() {
        let mut c = conference();
        let mut s = Series::new("FREQ=WEEKLY;COUNT=5;BYDAY=TU");
        s.cancel(at("2026-12-08T10:00:00Z"));
        let (of, start, end) = (at("2026-12-15T10:00:00Z"), at("2026-12-16T12:00:00Z"), at("2026-12-16T13:00:00Z"));
        s.change(Moved { of, start, end, subject: "Later this time".into() });
        c.settings.series = Some(s.clone());
        let mut read = written(&c).settings.series.unwrap();
        // The order of a rule's parts has no meaning.
        let parts = |r: &str| r.split(';').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(parts(&read.rule), parts(&s.rule));
        read.rule = s.rule.clone();
        assert_eq!(read, s);
    }

    #[test]
    fn a_file_of_another_program_is_understood() {
        let text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n\
            DTSTART;TZID=W. Europe Standard Time:20261201T110000\r\nDURATION:PT30M\r\nSUMMARY:Sync\r\n\
            ORGANIZER;CN=Alice:mailto:alice@contoso.example\r\nATTENDEE;ROLE=REQ-PARTICIPANT:MAILTO:bob@contoso.example\r\n\
            DESCRIPTION:Join online <https://meet.contoso.example/alice/K7M2Q9TX>\\nbye\r\n\
            END:VEVENT\r\nEND:VCALENDAR\r\n";
        let i = read(text, &TimeZone::UTC).unwrap();
        assert_eq!(i.link.as_deref(), Some("https://meet.contoso.example/alice/K7M2Q9TX"));
        let s = &i.settings;
        assert_eq!((s.start, s.end), (Some(at("2026-12-01T10:00:00Z")), Some(at("2026-12-01T10:30:00Z"))));
        assert_eq!((s.subject.as_str(), s.participants[0].uri.user(), s.time_zone.as_str()), ("Sync", "bob", "Europe/Berlin"));
    }

    #[test]
    fn a_cancellation_says_so() {
        let text = invitation::cancellation(&conference(), &|u| u.user().to_owned(), Time(0));
        assert!(read(&text, &TimeZone::UTC).unwrap().cancelled);
    }

    #[test]
    fn what_is_no_invitation_gets_a_sentence() {
        for bad in ["", "hello", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nEND:VCARD\r\n", "\0\u{1b}[2J"] {
            assert!(!read(bad, &TimeZone::UTC).unwrap_err().is_empty(), "{bad:?}");
        }
        let no_time = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(read(no_time, &TimeZone::UTC).unwrap_err(), "the meeting in this file has no time");
    }

    fn file(lines: &str) -> String {
        format!("BEGIN:VCALENDAR\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    }

    #[test]
    fn times_without_a_zone_are_those_of_the_reader() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let i = read(&file("BEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:20261201T110000\r\nRRULE:FREQ=DAILY"), &berlin).unwrap();
        assert_eq!((i.settings.start, i.settings.time_zone.as_str()), (Some(at("2026-12-01T10:00:00Z")), "Europe/Berlin"));
        let i = read(&file("BEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:20261201T110000Z"), &berlin).unwrap();
        assert_eq!((i.settings.start, i.settings.time_zone.as_str()), (Some(at("2026-12-01T11:00:00Z")), "UTC"));
    }

    #[test]
    fn a_zone_of_its_own_counts_by_its_description_and_an_unknown_one_is_refused() {
        let zone = |standard: &str, daylight: &str| {
            let part = |name: &str, to: &str| {
                format!("BEGIN:{name}\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:{to}\r\nTZOFFSETTO:{to}\r\nEND:{name}\r\n")
            };
            file(&format!(
                "BEGIN:VTIMEZONE\r\nTZID:Ours\r\n{}{}END:VTIMEZONE\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART;TZID=Ours:20261201T110000",
                part("STANDARD", standard),
                part("DAYLIGHT", daylight)
            ))
        };
        let i = read(&zone("+0330", "+0330"), &TimeZone::UTC).unwrap();
        assert_eq!((i.settings.start, i.settings.time_zone.as_str()), (Some(at("2026-12-01T07:30:00Z")), "UTC+03:30"));
        for text in [zone("+0100", "+0200"), file("BEGIN:VEVENT\r\nDTSTART;TZID=Nowhere:20261201T110000")] {
            let why = read(&text, &TimeZone::UTC).unwrap_err();
            assert!(why.contains("is not known here") && why.contains("Europe/Berlin"), "{why}");
        }
    }

    #[test]
    fn a_rule_with_lists_of_hours_is_refused_with_a_sentence() {
        let list = |n: u32| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        let rule = format!("FREQ=YEARLY;BYHOUR={};BYMINUTE={};BYSECOND={}", list(24), list(60), list(60));
        let text = file(&format!("BEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:20261201T110000Z\r\nRRULE:{rule}"));
        assert!(read(&text, &TimeZone::UTC).unwrap_err().contains("repeats in a way"));
    }
}
