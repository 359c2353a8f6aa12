use super::*;
use crate::app::state::FieldId;
use crate::app::state::overlay::FormDialog;
use crate::domain::calendar::{Appointment, Busyness};
use crate::domain::presence::{CustomStatus, Expiry, Note, Phone, Publication, PublicationKey, SelfPresence, UserStatus};
use crate::endpoint::ErrorKind;
use std::time::Duration;

fn mood(container: u32) -> Publication {
    Publication {
        key: PublicationKey { category: "mood".into(), instance: 0, container },
        version: 4,
        expiry: Expiry::Static,
        publish_time: Some(NOW),
        endpoint_id: None,
        value: "<mood>fine</mood>".into(),
    }
}

fn with(publications: Vec<Publication>) -> Stage {
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::new(SelfPresence { publications, ..SelfPresence::default() })));
    s.keys("Alt-4");
    s
}

fn dialog(s: &Stage) -> &FormDialog {
    match s.state.overlays.last() {
        Some(Overlay::Form(d)) => d,
        other => panic!("no form: {other:?}"),
    }
}

fn refused(status: u16, text: &str) -> Result<Outcome, Error> {
    Err(Error { status: Some(status), ..Error::new(ErrorKind::FailureResponse, text) })
}

#[test]
fn a_category_of_the_own_making_is_published_with_everything_given() {
    let mut s = with(Vec::new());
    s.keys("c \"mood\" Tab Ctrl-U \"7\" Tab Ctrl-U \"200, 400\" Tab Space Space Space Tab \"1h\" Tab");
    s.event(Event::Paste("<mood>\nfine</mood>".into()));
    s.keys("Ctrl-S");
    let [Operation::Publish { publications }] = &s.asked()[..] else { panic!() };
    let seen: Vec<_> =
        publications.iter().map(|p| (p.key.category.as_str(), p.key.instance, p.key.container, p.expiry)).collect();
    assert_eq!(seen, [("mood", 7, 200, Expiry::Time(3600)), ("mood", 7, 400, Expiry::Time(3600))]);
    assert_eq!(publications[0].value, "<mood>\nfine</mood>", "lines stay lines");
}

#[test]
fn broken_xml_and_bad_numbers_are_marked_in_their_field_and_nothing_is_lost() {
    let mut s = with(Vec::new());
    s.keys("c \"mood\" Tab Tab Tab Tab Tab \"<mood>\"");
    assert!(dialog(&s).form.field(FieldId::Value).unwrap().error.is_some(), "told while typing");
    s.keys("Ctrl-S");
    assert!(s.asked().is_empty() && dialog(&s).form.text(FieldId::Value) == "<mood>");
    s.keys("\"</mood>\" Shift-Tab Shift-Tab Shift-Tab Ctrl-U \"32768\" Ctrl-S");
    assert!(s.asked().is_empty());
    let form = &dialog(&s).form;
    assert!(form.fields[form.at].id == FieldId::Containers && form.fields[form.at].error.is_some());
    s.keys("Ctrl-U \"200\" Shift-Tab Ctrl-U \"x\" Ctrl-S");
    let form = &dialog(&s).form;
    assert!(s.toast().contains("an instance is a number") && form.fields[form.at].id == FieldId::Instance);
    s.keys("Ctrl-U \"0x10\" Ctrl-S");
    assert!(matches!(&s.asked()[..], [Operation::Publish { publications }] if publications[0].key.instance == 16));
}

#[test]
fn a_refusal_stands_in_the_form_and_what_was_typed_stays() {
    let mut s = with(Vec::new());
    s.keys("c \"mood\" Tab Tab Tab Tab Tab \"<mood/>\" Ctrl-S");
    s.completes(refused(400, "The server refused to publish this: Category mood is not registered with the server (400)."));
    let form = &dialog(&s).form;
    assert!(form.error.as_ref().unwrap().contains("adsum category add mood"), "{:?}", form.error);
    assert_eq!((form.text(FieldId::Value), form.saving), ("<mood/>", None));
    s.effects.clear();
    s.keys("Ctrl-S");
    s.completes(refused(409, "Your presence is being changed elsewhere at the same time; try again in a moment."));
    assert!(dialog(&s).form.error.as_ref().unwrap().contains("changed elsewhere"));
    s.effects.clear();
    s.keys("Ctrl-S");
    s.completes(Ok(Outcome::Done));
    assert!(s.state.overlays.is_empty() && s.toast() == "Published");
}

#[test]
fn a_name_in_the_wrong_case_is_told_before_the_server_refuses_it() {
    let mut s = with(Vec::new());
    s.keys("c \"Contactcard\" Ctrl-S");
    assert!(s.asked().is_empty() && s.toast().contains("contactCard"));
}

#[test]
fn publications_are_listed_changed_and_deleted() {
    let mut s = with(vec![mood(400), mood(200)]);
    s.keys("p j Enter");
    let form = &dialog(&s).form;
    assert_eq!((form.text(FieldId::Category), form.text(FieldId::Containers)), ("mood", "200"));
    assert_eq!(form.text(FieldId::Value), "<mood>fine</mood>");
    s.keys("Ctrl-U \"<mood>sad</mood>\" Ctrl-S");
    assert!(matches!(&s.asked()[..], [Operation::Publish { publications }] if publications[0].value == "<mood>sad</mood>"));
    s.keys("Esc y p j j D y");
    assert_eq!(s.asked(), [Operation::Unpublish { keys: vec![mood(400).key] }]);
    let Some(Overlay::Picker(p)) = s.state.overlays.last() else { panic!() };
    assert_eq!(p.rows.len(), 2, "the new one, and the one that is left");
}

#[test]
fn a_deleted_publication_can_be_brought_back() {
    let mut s = with(vec![mood(400)]);
    s.keys("p j D y");
    s.completes(Ok(Outcome::Done));
    s.effects.clear();
    s.keys("Esc Alt-u");
    assert!(matches!(&s.asked()[..], [Operation::Publish { publications }] if publications[0].key == mood(400).key));
}

#[test]
fn leaving_the_editor_asks_only_when_something_was_typed() {
    let mut s = with(Vec::new());
    s.keys("c Esc");
    assert!(s.state.overlays.is_empty());
    s.keys("c \"mood\" Esc n");
    assert_eq!(dialog(&s).form.text(FieldId::Category), "mood");
    s.keys("Esc y");
    assert!(s.state.overlays.is_empty());
}

#[test]
fn phone_numbers_are_checked_and_published() {
    let mut s = with(Vec::new());
    s.keys("t Tab \"call me\" Ctrl-S");
    assert!(s.asked().is_empty() && s.toast().contains("digits"));
    s.keys("Ctrl-U \"+49 (30) 123-45\" Ctrl-S");
    let phone = Phone { kind: "mobile".into(), uri: "tel:+493012345".into(), display: "+49 (30) 123-45".into() };
    assert_eq!(s.asked(), [Operation::SetPhones { phones: vec![phone] }]);
}

#[test]
fn a_custom_status_is_in_the_menu_in_the_form_and_typed_by_its_id() {
    let texts = vec![(1031, "Im Labor".to_owned()), (1033, "In the lab".to_owned())];
    let lab = CustomStatus { id: "lab".into(), status: UserStatus::Busy, texts };
    let mut s = Stage::new();
    s.state.own.custom = vec![lab];
    s.keys("Alt-s G k Enter");
    assert_eq!(s.asked(), [Operation::SetCustomStatus { id: "lab".into(), until: None }]);
    s.keys("Alt-4 h Ctrl-S");
    assert_eq!(s.asked(), [Operation::SetCustomStatus { id: "lab".into(), until: None }], "before “as my devices say”");
    s.keys("Alt-1 j Enter \"/status lab for 1h\" Enter");
    let until = Some(NOW + Duration::from_secs(3600));
    assert_eq!(s.asked(), [Operation::SetCustomStatus { id: "lab".into(), until }]);
}

#[test]
fn an_out_of_office_note_has_a_beginning_and_an_end() {
    let mut s = with(Vec::new());
    s.keys("j j j Enter \"Ask Dave\" Enter Space j Enter \"tomorrow 9\" Enter Enter \"tomorrow 18:00\" Ctrl-S");
    let day = 86_400_000 - 30 * 60_000;
    let (start, end) = (Some(Time(NOW.0 + day + 3_600_000)), Some(Time(NOW.0 + day + 10 * 3_600_000)));
    let note = Note { text: "Ask Dave".into(), out_of_office: true, start, end };
    assert_eq!(s.asked(), [Operation::SetNote { note: Some(note) }]);
    let mut s = with(Vec::new());
    s.keys("j j j Enter \"x\" Enter j Enter \"tomorrow 9\" Enter Enter \"10:00\" Ctrl-S");
    assert!(s.asked().is_empty() && s.toast().contains("end before it begins"));
}

#[test]
fn the_calendar_is_looked_at_once_a_minute_and_speaks_at_every_start_and_end() {
    let mut s = Stage::new();
    s.state.own.calendar.path = "cal.ics".into();
    let looks = |s: &Stage| s.effects.iter().filter(|e| **e == Effect::LookAtCalendar).count();
    for _ in 0..5 {
        s.event(Event::Tick);
    }
    assert_eq!(looks(&s), 1);
    s.effects.clear();
    let meeting = Appointment {
        start: NOW + Duration::from_secs(90),
        end: NOW + Duration::from_secs(3600),
        busy: Busyness::Busy,
        subject: "Budget".into(),
        place: String::new(),
    };
    s.event(Event::Calendar(Ok(vec![meeting.clone()])));
    let told = |s: &mut Stage| -> Vec<Option<String>> {
        let subject = |o: Operation| match o {
            Operation::SetCalendar { calendar } => Some(calendar.meeting.map(|m| m.subject)),
            _ => None,
        };
        s.asked().into_iter().filter_map(subject).collect()
    };
    assert_eq!(told(&mut s), [None]);
    s.now = s.now + Duration::from_secs(89);
    s.event(Event::Tick);
    assert_eq!(told(&mut s), []);
    assert_eq!(s.state.next_deadline(), Some(meeting.start));
    s.now = meeting.start;
    s.event(Event::Tick);
    assert_eq!(told(&mut s), [Some("Budget".into())]);
    s.event(Event::Calendar(Err("the calendar cal.ics is not there".into())));
    s.event(Event::Calendar(Err("the calendar cal.ics is not there".into())));
    assert!(s.toast().contains("is not there") && told(&mut s).is_empty(), "what it said last goes on");
    s.now = meeting.end;
    s.event(Event::Tick);
    assert_eq!(told(&mut s), [None]);
}

#[test]
fn a_new_registration_is_told_of_the_calendar_again() {
    let mut s = Stage::new();
    s.state.own.calendar.path = "cal.ics".into();
    s.event(Event::Calendar(Ok(Vec::new())));
    assert_eq!(s.asked().len(), 1);
    for state in [EndpointState::Reestablishing, EndpointState::Established] {
        s.says(endpoint::Event::State { state, reason: Reason::None, retry_at: None });
    }
    assert!(s.asked().iter().any(|o| matches!(o, Operation::SetCalendar { .. })));
}
