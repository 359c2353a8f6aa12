use super::*;
use crate::app::state::FieldId;
use crate::domain::conference::{AccessLevel, Conference, ConferenceId, ConferenceSettings};

fn conference(id: &str, subject: &str, start: u64) -> Conference {
    Conference {
        id: ConferenceId(id.into()),
        uri: format!("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:{id}"),
        join_url: format!("https://contoso.example/alice/{id}"),
        organizer: a("alice"),
        version: 1,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: Default::default(),
        settings: ConferenceSettings {
            subject: subject.into(),
            start: Some(Time(start)),
            end: Some(Time(start + 3_600_000)),
            time_zone: "UTC".into(),
            ..ConferenceSettings::default()
        },
    }
}

fn with_agenda() -> Stage {
    let mut s = Stage::new();
    s.state.link.state = EndpointState::Idle;
    s.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
    assert_eq!(s.operations().last().unwrap().1, Operation::ListConferences);
    s.completes(Ok(Outcome::Conferences(vec![
        conference("B", "Later", NOW.0 + 90_000_000),
        conference("A", "Sooner", NOW.0 + 7_200_000),
    ])));
    s.effects.clear();
    s.keys("Alt-3");
    s
}

fn agenda(s: &Stage) -> String {
    let m = &s.state.meetings;
    let one = |c: &Conference| format!("{}{}", if m.selection.as_ref() == Some(&c.id) { ">" } else { "" }, c.settings.subject);
    m.list.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_agenda_is_sorted_and_the_next_meeting_selected() {
    let mut s = with_agenda();
    assert_eq!(agenda(&s), ">Sooner Later");
    s.keys("Down");
    assert_eq!(agenda(&s), "Sooner >Later");
}

#[test]
fn a_meeting_is_scheduled_from_the_form() {
    let mut s = with_agenda();
    s.keys("n \"Budget review\" Tab \"tomorrow 10:00 45m\"");
    let form = s.state.meetings.form.as_ref().unwrap();
    assert_eq!(form.field(FieldId::When).unwrap().reading.as_deref(), Some("Sun 22 Nov 2026, 10:00 to 10:45 (UTC)"));
    s.keys("Tab Ctrl-U \"Europe/Berlin\" Tab Tab Space Tab \"bob, !carol\" Ctrl-S");
    let asked = s.operations();
    let (_, Operation::ScheduleConference { settings }) = asked.last().unwrap() else { panic!("{asked:?}") };
    assert_eq!(
        (settings.subject.as_str(), settings.time_zone.as_str(), settings.access),
        ("Budget review", "Europe/Berlin", AccessLevel::Invited)
    );
    assert_eq!(settings.start.unwrap().timestamp().to_string(), "2026-11-22T09:00:00Z");
    assert_eq!(settings.participants.iter().map(|p| p.uri.user()).collect::<Vec<_>>(), ["bob", "carol"]);
    s.completes(Ok(Outcome::Conference(Box::new(conference("C", "Budget review", NOW.0 + 86_400_000)))));
    assert!(s.state.meetings.form.is_none());
    assert_eq!(agenda(&s), "Sooner >Budget review Later");
}

#[test]
fn what_is_wrong_in_the_form_is_said_beside_the_field() {
    let mut s = with_agenda();
    s.keys("n Ctrl-S");
    let at = |s: &Stage| {
        s.state.meetings.form.as_ref().map(|f| (f.fields[f.at].id, f.fields[f.at].error.clone().unwrap_or_default())).unwrap()
    };
    assert_eq!(at(&s), (FieldId::Subject, "a meeting needs a subject".into()));
    s.keys("\"x\" Tab \"tomorrow\" Ctrl-S");
    assert_eq!(at(&s), (FieldId::When, "add a time of day, such as 10:00".into()));
    s.keys("\" 10:00\" Tab Ctrl-U \"Mars/Olympus\" Ctrl-S");
    assert_eq!(at(&s).0, FieldId::Zone);
    assert!(s.asked().is_empty());
    s.keys("Esc");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Confirm(_))));
    s.keys("y");
    assert!(s.state.meetings.form.is_none());
}

#[test]
fn a_meeting_with_changes_is_not_replaced_by_a_new_one() {
    let mut s = with_agenda();
    s.keys("n \"Budget\" Ctrl-K \"new-meeting\" Enter");
    let form = s.state.meetings.form.as_ref().unwrap();
    assert_eq!(form.text(FieldId::Subject), "Budget");
    assert!(s.toast().contains("save it or leave it"), "{}", s.toast());
}

#[test]
fn a_failed_save_keeps_the_form_open_with_the_reason() {
    let mut s = with_agenda();
    s.keys("n \"x\" Tab \"in 2h\" Ctrl-S");
    s.completes(Err(Error::new(endpoint::ErrorKind::ConferenceFailed, "too many meetings")));
    let form = s.state.meetings.form.as_ref().unwrap();
    assert_eq!((form.error.as_deref(), form.saving), (Some("too many meetings"), None));
    assert_eq!(s.toast(), "Scheduling the meeting did not work: too many meetings");
}

#[test]
fn a_meeting_is_changed_and_cancelled() {
    let mut s = with_agenda();
    s.keys("e Ctrl-U \"Much sooner\" Ctrl-S");
    let asked = s.asked();
    let [Operation::UpdateConference { id, settings }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((id.0.as_str(), settings.subject.as_str(), settings.start), ("A", "Much sooner", Some(Time(NOW.0 + 7_200_000))));
    let mut s = with_agenda();
    s.keys("x");
    let Some(Overlay::Confirm(c)) = s.state.overlays.last() else { panic!() };
    assert!(c.text.starts_with("Cancel “Sooner”, Sat 21 Nov 2026, 10:30 to 11:30 (UTC)?"), "{}", c.text);
    s.keys("Enter");
    assert_eq!(s.operations().last().unwrap().1, Operation::CancelConference { id: ConferenceId("A".into()) });
    s.completes(Ok(Outcome::Done));
    assert_eq!(s.asked().last(), Some(&Operation::ListConferences));
}

#[test]
fn the_invitation_is_copied_and_written() {
    let mut s = with_agenda();
    s.keys("y");
    assert!(matches!(&s.effects[0], Effect::Copy(t) if t.contains("Join: https://contoso.example/alice/A")));
    s.effects.clear();
    s.keys("w Enter");
    assert!(
        matches!(&s.effects[0], Effect::WriteFile { path, contents } if path == "Sooner.ics" && contents.contains("BEGIN:VEVENT"))
    );
}

#[test]
fn a_meeting_planned_at_an_offset_keeps_its_hour() {
    let mut s = Stage::new();
    s.keys("j Enter \"/meet tomorrow 10:00 UTC+2 1h Call\" Enter");
    let asked = s.asked();
    let Some(Operation::ScheduleConference { settings }) = asked.last() else { panic!("{asked:?}") };
    let zone = crate::app::when::zone_by_name(&settings.time_zone).unwrap();
    let start = settings.start.unwrap().timestamp().to_zoned(zone);
    assert_eq!((settings.time_zone.as_str(), start.hour(), settings.subject.as_str()), ("UTC+02:00", 10, "Call"));
}

#[test]
fn joining_opens_a_tab_and_joining_again_shows_it() {
    let mut s = with_agenda();
    s.keys("Enter Enter");
    assert!(
        matches!(s.asked().as_slice(), [Operation::JoinConference { target: endpoint::JoinTarget::Link(l), .. }] if l.ends_with("id:A"))
    );
    assert_eq!((s.tabs().as_str(), s.state.pane), ("[Sooner]", Pane::Conversations));
    s.keys("Alt-3 j");
    assert_eq!((s.asked().len(), s.tabs().as_str()), (0, "[Sooner]"));
}

#[test]
fn a_slash_command_schedules_with_the_people_at_hand() {
    let mut s = Stage::new();
    s.keys("j Enter \"/meet tomorrow 10:00 1h Budget\" Enter");
    let asked = s.asked();
    let Some(Operation::ScheduleConference { settings }) = asked.last() else { panic!("{asked:?}") };
    assert_eq!((settings.subject.as_str(), settings.participants[0].uri.user()), ("Budget", "bob"));
}

#[test]
fn arrows_go_through_the_choices_of_a_form() {
    let mut s = with_agenda();
    s.keys("n Tab Tab Tab Tab Right Right Left");
    assert_eq!(s.state.meetings.form.as_ref().unwrap().choice(FieldId::Access), 1);
}
