//! A meeting in words, to paste.

use super::when;
use crate::domain::conference::{Conference, PhoneNumber};
use crate::domain::itip::subject;
pub use crate::domain::itip::write::{calendar, cancellation};
pub use crate::domain::itip::{by_phone, link};
use jiff::tz::TimeZone;

/// The invitation as text.
pub fn text(c: &Conference, organizer: &str, zone: &TimeZone, phones: &[PhoneNumber]) -> String {
    let own = when::zone_by_name(&c.settings.time_zone).unwrap_or_else(|| zone.clone());
    let mut out = format!("{}\n", subject(c));
    if let Some(start) = c.settings.start {
        out.push_str(&format!("When: {}\n", when::describe(start, c.settings.end, &own)));
    }
    if let Some(series) = &c.settings.series {
        out.push_str(&format!("Repeats: {}\n", super::series::words(&series.rule)));
    }
    out.push_str(&format!("Organizer: {organizer} ({})\n", c.organizer.bare()));
    out.push_str(&format!("Join: {}\n", link(c)));
    if !c.phone_id.is_empty() {
        out.push_str(&format!("By phone: {}\n", by_phone(c, phones)));
    }
    if let Some(passcode) = &c.settings.passcode {
        out.push_str(&format!("Passcode: {passcode}\n"));
    }
    if !c.settings.description.is_empty() {
        out.push_str(&format!("\n{}\n", c.settings.description));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conference::{ConferenceId, ConferenceSettings, Invitee};
    use crate::domain::conversation::Role;
    use crate::domain::{Address, Time};

    fn conference() -> Conference {
        let a = |t: &str| Address::parse(t).unwrap();
        Conference {
            id: ConferenceId("7FQ3K2".into()),
            uri: "sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:7FQ3K2".into(),
            join_url: "https://contoso.example/alice/7FQ3K2".into(),
            organizer: a("alice@contoso.example"),
            version: 2,
            last_update: None,
            is_active: false,
            phone_id: String::new(),
            answers: Default::default(),
            settings: ConferenceSettings {
                subject: "Budget; next steps, äöü and a rather long title that must be folded somewhere".into(),
                description: "Bring numbers\nand cake".into(),
                start: Some(Time(1_796_119_200_000)),
                end: Some(Time(1_796_121_900_000)),
                time_zone: "Europe/Berlin".into(),
                participants: vec![
                    Invitee { uri: a("bob@contoso.example"), role: Role::Attendee },
                    Invitee { uri: a("carol@contoso.example"), role: Role::Leader },
                ],
                ..ConferenceSettings::default()
            },
        }
    }

    #[test]
    fn the_words_name_time_zone_and_link() {
        let text = text(&conference(), "Alice Adams", &TimeZone::UTC, &[]);
        assert!(text.contains("When: Tue 1 Dec 2026, 11:00 to 11:45 (Europe/Berlin)"), "{text}");
        assert!(text.contains("Join: https://contoso.example/alice/7FQ3K2\n"));
        assert!(text.ends_with("\nBring numbers\nand cake\n"));
    }
}
