use super::*;
use crate::app::state::FieldId;
use crate::app::state::meetings::Slot;
use crate::domain::conference::{Conference, ConferenceId, ConferenceSettings};
use crate::domain::series::Series;
use std::time::Duration;

fn conference(id: &str, subject: &str, minutes_ahead: u64, rule: Option<&str>) -> Conference {
    let start = Time(NOW.0 / 60_000 * 60_000 + minutes_ahead * 60_000);
    Conference {
        id: ConferenceId(id.into()),
        uri: format!("sip:alice@contoso.example;gruu;opaque=app:conf:focus:id:{id}"),
        join_url: String::new(),
        organizer: a("alice"),
        version: 1,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: Default::default(),
        settings: ConferenceSettings {
            subject: subject.into(),
            start: Some(start),
            end: Some(start + Duration::from_secs(1800)),
            time_zone: "UTC".into(),
            series: rule.map(Series::new),
            ..ConferenceSettings::default()
        },
    }
}

fn with(list: Vec<Conference>) -> Stage {
    let mut s = Stage::new();
    s.state.link.state = EndpointState::Idle;
    s.says(endpoint::Event::State { state: EndpointState::Established, reason: Reason::None, retry_at: None });
    s.completes(Ok(Outcome::Conferences(list)));
    s.effects.clear();
    s.keys("Alt-3");
    s
}

fn rows(s: &Stage) -> Vec<&str> {
    s.state.meetings.agenda.iter().map(|r| r.subject.as_str()).collect()
}

fn changed(s: &mut Stage) -> ConferenceSettings {
    let asked = s.asked();
    let Some(Operation::UpdateConference { settings, .. }) = asked.last() else { panic!("{asked:?}") };
    settings.clone()
}

#[test]
fn a_series_stands_in_the_agenda_once_for_each_time() {
    let s = with(vec![
        conference("WEEKLY22", "Sync", 60, Some("FREQ=WEEKLY;COUNT=3")),
        conference("ONCE2222", "Once", 3 * 1440, None),
    ]);
    assert_eq!(rows(&s), ["Sync", "Once", "Sync", "Sync"]);
}

#[test]
fn one_time_of_a_series_is_changed_and_the_others_stay() {
    let mut s = with(vec![conference("WEEKLY22", "Sync", 60, Some("FREQ=WEEKLY;COUNT=3"))]);
    s.keys("Down e");
    let Some(Overlay::Picker(p)) = s.state.overlays.last() else { panic!() };
    assert_eq!(p.rows[0].0, "This one alone");
    s.keys("Enter");
    let form = s.state.meetings.form.as_ref().unwrap();
    assert_eq!(form.fields.len(), 2, "of one time only title and time can be changed");
    s.keys("Ctrl-U \"Sync, longer\" Tab Ctrl-U \"2026-11-29 14:00 2h\" Ctrl-S");
    let settings = changed(&mut s);
    let series = settings.series.unwrap();
    assert_eq!((settings.subject.as_str(), series.moved.len(), series.moved[0].subject.as_str()), ("Sync", 1, "Sync, longer"));
    assert_eq!(series.moved[0].start.timestamp().to_string(), "2026-11-29T14:00:00Z");
    assert_eq!(series.moved[0].of, Time(NOW.0 / 60_000 * 60_000 + 3_600_000 + 7 * 86_400_000));
}

#[test]
fn one_time_of_a_series_is_cancelled_and_brought_back() {
    let mut s = with(vec![conference("WEEKLY22", "Sync", 60, Some("FREQ=WEEKLY;COUNT=3"))]);
    s.keys("Down x Enter");
    assert_eq!(changed(&mut s).series.unwrap().cancelled.len(), 1);
    s.keys("x Down Enter");
    let Some(Overlay::Confirm(c)) = s.state.overlays.last() else { panic!() };
    assert!(c.text.contains("every week, 3 times"), "{}", c.text);
    s.keys("Enter");
    assert_eq!(s.asked(), [Operation::CancelConference { id: ConferenceId("WEEKLY22".into()) }]);
}

#[test]
fn a_change_of_the_series_keeps_its_exceptions_while_the_times_stay() {
    let mut c = conference("WEEKLY22", "Sync", 60, Some("FREQ=WEEKLY;COUNT=3"));
    let of = Time(c.settings.start.unwrap().0 + 7 * 86_400_000);
    c.settings.series.as_mut().unwrap().cancel(of);
    let mut s = with(vec![c]);
    s.keys("e Down Enter Ctrl-U \"Sync 2\" Ctrl-S");
    let settings = changed(&mut s);
    assert_eq!((settings.subject.as_str(), settings.series.unwrap().cancelled), ("Sync 2", vec![of]));
    let mut s = with(vec![conference("WEEKLY22", "Sync", 60, Some("FREQ=WEEKLY;COUNT=3"))]);
    s.keys("e Down Enter Tab Tab Tab Ctrl-U \"every day 5 times\" Ctrl-S");
    assert_eq!(changed(&mut s).series.unwrap().rule, "FREQ=DAILY;COUNT=5");
}

#[test]
fn a_choice_says_at_once_what_it_means() {
    let mut s = with(Vec::new());
    s.keys("n Tab Tab Tab Tab");
    let meaning = |s: &super::Stage| s.state.meetings.form.as_ref().unwrap().fields[4].reading.clone().unwrap();
    assert!(meaning(&s).starts_with("Everyone of your company"));
    s.keys("Right");
    assert!(meaning(&s).starts_with("Only the invited"));
    s.keys("Space");
    assert_eq!(meaning(&s), "Everyone with the link gets in.");
}

#[test]
fn every_field_of_the_form_reaches_the_server() {
    let mut s = with(Vec::new());
    s.keys("n \"Review\" Tab \"tomorrow 10:00 45m\" Tab Tab \"every tue 4 times\" Tab Right Right Tab \"!bob, carol\"");
    s.keys("Tab Right Tab \"4711\" Tab Right Tab Right Tab \"2027-06-01\" Tab \"Bring cake\" Ctrl-S");
    let asked = s.asked();
    let Some(Operation::ScheduleConference { settings: got }) = asked.last() else {
        panic!("{asked:?} {:?}", s.state.meetings.form)
    };
    use crate::domain::conference::{AccessLevel, AutomaticLeaders};
    assert_eq!((got.access, got.automatic_leaders), (AccessLevel::Everyone, AutomaticLeaders::SameEnterprise));
    assert_eq!((got.passcode.as_deref(), got.passcode_optional, got.announcements), (Some("4711"), false, true));
    assert_eq!(got.series.as_ref().unwrap().rule, "FREQ=WEEKLY;COUNT=4;BYDAY=TU".replace("COUNT=4;BYDAY=TU", "BYDAY=TU;COUNT=4"));
    assert_eq!(got.expiry.unwrap().timestamp().to_string(), "2027-06-01T23:59:00Z");
    assert_eq!((got.description.as_str(), got.participants.len()), ("Bring cake", 2));
}

#[test]
fn a_broken_rule_is_told_beside_the_field_that_mends_it_and_nothing_typed_is_lost() {
    let mut s = with(Vec::new());
    s.keys("n \"Review\" Tab \"tomorrow 10:00 45m\" Tab Tab Tab Tab Tab Tab \"no good!\" Ctrl-S");
    let form = s.state.meetings.form.as_ref().unwrap();
    let wrong = &form.fields[form.at];
    assert_eq!(wrong.id, FieldId::Passcode);
    assert!(wrong.error.as_ref().unwrap().contains("letters or digits"), "{wrong:?}");
    assert_eq!((form.text(FieldId::Subject), form.text(FieldId::Passcode)), ("Review", "no good!"));
    assert!(s.asked().is_empty());
}

#[test]
fn who_will_get_in_is_told_for_the_form_as_it_stands() {
    let mut s = with(Vec::new());
    s.keys("n \"Review\" Tab Tab Tab Tab Right Ctrl-G");
    let Some(Overlay::Details { lines, .. }) = s.state.overlays.last() else { panic!() };
    let lobby = lines.iter().position(|l| l.starts_with("Wait in the lobby")).unwrap();
    assert!(lines[lobby + 1].contains("everybody of contoso.example"), "{lines:?}");
}

#[test]
fn cards_come_before_a_meeting_and_lead_into_it() {
    let mut s = with(vec![conference("ONCE2222", "Budget", 20, None)]);
    assert!(s.state.questions.is_empty());
    let first = crate::app::reminders::deadline(&s.state).unwrap();
    assert_eq!(first, Time(s.state.meetings.agenda[0].start.unwrap().0 - 15 * 60_000), "nothing wakes before");
    s.now = first;
    s.event(Event::Tick);
    let [Question { kind: QuestionKind::Reminder { slot }, .. }] = s.state.questions.as_slice() else { panic!() };
    assert_eq!(crate::app::reminders::words(slot, s.now), "begins in 15 minutes");
    s.keys("Alt-l");
    s.event(Event::Tick);
    assert!(s.state.question().is_none(), "put off means put off");
    s.now = Time(first.0 + 10 * 60_000);
    s.event(Event::Tick);
    assert!(s.state.question().is_some(), "five minutes before it comes back");
    s.effects.clear();
    s.keys("Alt-y");
    assert!(s.asked().iter().any(|o| matches!(o, Operation::JoinConference { .. })));
    s.event(Event::Tick);
    assert!(s.state.questions.is_empty() && crate::app::reminders::deadline(&s.state).is_none());
}

#[test]
fn a_card_goes_when_its_meeting_is_cancelled_or_over() {
    let mut s = with(vec![conference("ONCE2222", "Budget", 4, None)]);
    s.event(Event::Tick);
    assert_eq!(s.state.questions.len(), 1);
    let list = Vec::new();
    s.keys("Alt-3");
    s.state.meetings.list = list;
    s.state.meetings.built_for = None;
    s.event(Event::Tick);
    assert!(s.state.questions.is_empty());
}

fn file(method: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\n\
         SUMMARY:Of Bob\r\nORGANIZER:sip:bob@contoso.example\r\nATTENDEE:sip:alice@contoso.example\r\n\
         DESCRIPTION:Passcode: 4711\r\nLOCATION:conf:sip:bob@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn read(s: &mut Stage, text: String) {
    s.event(Event::FileRead { path: "x.ics".into(), contents: Ok(text) });
}

#[test]
fn an_invitation_in_a_file_is_joined_kept_or_made_ones_own() {
    let mut s = with(Vec::new());
    s.keys("o \"x.ics\" Enter");
    assert!(matches!(s.effects.last(), Some(Effect::ReadFile { path }) if path == "x.ics"));
    s.effects.clear();
    read(&mut s, file("REQUEST"));
    s.keys("Enter");
    let asked = s.asked();
    assert!(
        matches!(&asked[..], [Operation::JoinConference { passcode: Some(p), .. }] if p == "4711"),
        "the passcode of the file is used: {asked:?}"
    );
    let mut s = with(Vec::new());
    read(&mut s, file("REQUEST"));
    s.keys("Down Enter");
    assert_eq!(rows(&s), ["Of Bob"]);
    assert!(s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::SaveMeetings { kept, .. }) if kept.len() == 1)));
    read(&mut s, file("CANCEL"));
    s.keys("Enter");
    assert!(rows(&s).is_empty());
    read(&mut s, file("REQUEST"));
    s.keys("Down Down Enter");
    let form = s.state.meetings.form.as_ref().unwrap();
    assert_eq!((form.text(FieldId::Subject), form.editing.is_none()), ("Of Bob", true));
}

#[test]
fn a_file_that_is_none_gets_a_sentence() {
    let mut s = with(Vec::new());
    read(&mut s, "hello".into());
    assert!(s.toast().starts_with("x.ics: "), "{}", s.toast());
    s.event(Event::FileRead { path: "y.ics".into(), contents: Err("no such file".into()) });
    assert_eq!(s.toast(), "y.ics could not be read: no such file");
}

#[test]
fn a_meeting_that_wants_its_passcode_asks_for_it_and_joins_with_it() {
    let mut s = with(Vec::new());
    s.keys("J \"conf:sip:bob@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX\" Enter");
    let wrong = || Error::new(endpoint::ErrorKind::AuthenticationFailed, "this is not the passcode of the meeting");
    s.completes(Err(wrong()));
    let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!() };
    assert!(p.error.as_ref().unwrap().contains("not the passcode"));
    s.effects.clear();
    s.keys("\"4712\" Enter");
    assert!(matches!(&s.asked()[..], [Operation::VerifyPasscode { passcode: Some(p), .. }] if p == "4712"), "before the join");
    s.finishes(Err(wrong()));
    let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!("asked again") };
    assert!(p.error.is_some() && p.line.text() == "4712", "what was typed is there to be mended");
    assert!(s.state.toast.is_none(), "the prompt says it already");
    s.keys("Ctrl-U \"4711\" Enter");
    s.finishes(Ok(Outcome::Done));
    assert!(matches!(s.asked().last(), Some(Operation::JoinConference { passcode: Some(p), .. }) if p == "4711"));
}

#[test]
fn where_passcodes_are_not_looked_at_the_join_decides() {
    let mut s = with(Vec::new());
    s.keys("J \"conf:sip:bob@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX\" Enter");
    s.completes(Err(Error::new(endpoint::ErrorKind::AuthenticationFailed, "this meeting needs its passcode")));
    s.effects.clear();
    s.keys("\"4711\" Enter");
    s.finishes(Err(Error::new(endpoint::ErrorKind::InvalidOperation, "this server looks at passcodes only when somebody joins")));
    assert!(matches!(s.asked().last(), Some(Operation::JoinConference { passcode: Some(p), .. }) if p == "4711"));
}

#[test]
fn a_number_for_callers_leads_to_its_meeting() {
    let mut s = with(Vec::new());
    s.keys("J \"123 456\" Enter");
    assert_eq!(s.asked(), [Operation::FindConference { phone_id: "123456".into() }]);
    s.finishes(Err(Error::new(endpoint::ErrorKind::ConferenceFailed, "no meeting has the number 123456")));
    assert!(s.toast().contains("no meeting has the number"), "{}", s.toast());
    s.keys("J");
    let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!() };
    assert_eq!(p.line.text(), "123 456", "what was typed is there to be mended");
    s.keys("Ctrl-U \"123456\" Enter");
    let found = conference("K7M2Q9TX", "Budget", 60, None);
    s.finishes(Ok(Outcome::Conference(Box::new(found.clone()))));
    let asked = s.asked();
    assert!(
        matches!(asked.last(), Some(Operation::JoinConference { target: endpoint::JoinTarget::Link(l), .. }) if *l == found.uri),
        "{asked:?}"
    );
}

#[test]
fn what_is_no_link_is_told_where_it_was_typed() {
    let mut s = with(Vec::new());
    for words in ["hello world", "12", "https://meet.contoso.example/", "bob K7M2Q9TX", "sip:bob@contoso.example"] {
        s.keys(&format!("J \"{words}\" Enter"));
        let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!("{words}") };
        assert!(p.error.as_ref().unwrap().contains("no meeting link") && p.line.text() == words, "{words}");
        s.keys("Esc");
    }
    assert!(s.asked().is_empty() && s.state.conversations.tabs.is_empty(), "nothing was tried with it");
    s.keys("J \"conf:sip:bob@contoso.example;gruu;opaque=app:conf:focus:id:K7M2Q9TX\" Enter");
    s.finishes(Ok(Outcome::Done));
    s.keys("Alt-3 J");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Prompt(p)) if p.line.is_empty()), "a link that worked is done with");
}

#[test]
fn a_slot_knows_its_words() {
    let slot =
        |start: u64| Slot { id: ConferenceId("X".into()), of: None, start: Some(Time(start)), end: None, subject: String::new() };
    let words = |start: u64| crate::app::reminders::words(&slot(start), NOW);
    assert_eq!(words(NOW.0 + 60_000), "begins in 1 minute");
    assert_eq!(words(NOW.0), "begins now");
    assert_eq!(words(NOW.0 - 120_000), "began 2 minutes ago");
}
