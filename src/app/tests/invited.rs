//! Meetings that people keep among themselves.

use super::*;
use crate::domain::conference::{Answer, Conference, ConferenceId, ConferenceSettings, Invitee, News};
use crate::domain::conversation::Role;
use crate::endpoint::{EndpointState, ErrorKind, Feature, Outcome, Reason};
use std::time::Duration;

const HOUR: u64 = 3_600_000;

fn kept_here() -> Stage {
    let mut s = Stage::new();
    for what in [Feature::Meetings, Feature::MeetingRules] {
        s.says(endpoint::Event::Missing { what, why: Some(format!("no {what:?}")) });
    }
    s.effects.clear();
    s
}

fn meeting(s: &Stage, organizer: &str, hours: u64, answers: &[(&str, Answer)]) -> Conference {
    Conference {
        id: ConferenceId("B0B5MEET".into()),
        uri: a(organizer).to_string(),
        join_url: String::new(),
        organizer: a(organizer),
        version: 0,
        last_update: None,
        is_active: false,
        phone_id: String::new(),
        answers: answers.iter().map(|(u, x)| (a(u), *x)).collect(),
        settings: ConferenceSettings {
            subject: "Review".into(),
            start: Some(s.now + Duration::from_millis(hours * HOUR)),
            end: Some(s.now + Duration::from_millis((hours + 1) * HOUR)),
            participants: answers.iter().map(|(u, _)| Invitee { uri: a(u), role: Role::Attendee }).collect(),
            ..ConferenceSettings::default()
        },
    }
}

fn hears(s: &mut Stage, c: &Conference, news: News) {
    s.says(endpoint::Event::Meeting { meeting: Box::new(c.clone()), news });
}

fn last(s: &Stage) -> OperationId {
    OperationId(s.state.last_operation)
}

#[test]
fn an_invitation_is_a_card_and_stands_in_the_agenda_until_it_is_called_off() {
    let mut s = kept_here();
    let c = meeting(&s, "bob", 2, &[("alice", Answer::Waiting)]);
    hears(&mut s, &c, News::Invited);
    assert!(matches!(&s.state.questions[..], [q] if matches!(&q.kind, QuestionKind::Meeting { changed: false, .. })));
    assert_eq!(s.state.meetings.agenda.len(), 1);
    assert!(s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::SaveMeetings { kept, .. }) if kept.len() == 1)));
    hears(&mut s, &c, News::Cancelled);
    assert!(s.state.questions.is_empty() && s.state.meetings.agenda.is_empty());
    assert!(s.toast().contains("has cancelled “Review”"), "{}", s.toast());
}

#[test]
fn each_key_sends_its_answer_and_one_that_does_not_arrive_is_asked_for_again() {
    for (key, answer) in [("Alt-y", Answer::Accepted), ("Alt-n", Answer::Declined), ("Alt-t", Answer::Tentative)] {
        let mut s = kept_here();
        let c = meeting(&s, "bob", 2, &[("alice", Answer::Waiting)]);
        hears(&mut s, &c, News::Invited);
        s.effects.clear();
        s.keys(key);
        assert_eq!(s.asked(), [Operation::AnswerMeeting { id: c.id.clone(), answer }]);
        assert!(s.state.questions.is_empty());
        let id = last(&s);
        s.says(endpoint::Event::Completed { id, result: Err(Error::new(ErrorKind::FailureResponse, "not there")) });
        assert_eq!(s.state.questions.len(), 1);
        s.keys(key);
        let id = last(&s);
        s.says(endpoint::Event::Completed { id, result: Ok(Outcome::Done) });
        assert_eq!(s.state.meetings.kept[0].answers[&a("alice")], answer);
        assert!(s.state.questions.is_empty());
    }
}

#[test]
fn perhaps_is_no_answer_to_other_questions() {
    let mut s = Stage::new();
    s.now = s.now + Duration::from_secs(1);
    let mut c = meeting(&s, "alice", 0, &[]);
    c.settings.start = Some(s.now + Duration::from_secs(60));
    s.state.meetings.list = vec![c];
    s.state.meetings.built_for = None;
    s.event(crate::app::Event::Tick);
    assert_eq!(s.state.questions.len(), 1, "a reminder");
    s.keys("Alt-t");
    assert_eq!(s.state.questions.len(), 1);
}

#[test]
fn who_does_not_come_is_not_reminded() {
    for (answer, cards) in [(Answer::Accepted, 1), (Answer::Declined, 0)] {
        let mut s = kept_here();
        let mut c = meeting(&s, "bob", 0, &[("alice", answer)]);
        c.settings.start = Some(s.now + Duration::from_secs(60));
        hears(&mut s, &c, News::Changed { again: false });
        s.event(crate::app::Event::Tick);
        let reminders = s.state.questions.iter().filter(|q| matches!(q.kind, QuestionKind::Reminder { .. })).count();
        assert_eq!(reminders, cards);
    }
}

#[test]
fn the_organizer_hears_who_comes() {
    let mut s = kept_here();
    let c = meeting(&s, "alice", 2, &[("bob", Answer::Waiting), ("carol", Answer::Waiting)]);
    s.state.meetings.list = vec![c.clone()];
    let mut yes = c.clone();
    yes.answers.insert(a("bob"), Answer::Accepted);
    hears(&mut s, &yes, News::Answered(a("bob")));
    assert!(s.toast().contains("comes to “Review”"), "{}", s.toast());
    assert_eq!(crate::app::invited::count(&s.state.meetings.list[0]), "1 of 2 come");
}

#[test]
fn a_meeting_at_somebodys_address_is_a_conversation_with_them() {
    let mut s = kept_here();
    let c = meeting(&s, "bob", 2, &[("alice", Answer::Accepted)]);
    hears(&mut s, &c, News::Changed { again: false });
    s.effects.clear();
    s.keys("Alt-3 j");
    assert!(s.asked().iter().all(|o| !matches!(o, Operation::JoinConference { .. })));
    assert!(s.state.conversations.tabs.iter().any(|t| t.thread == crate::app::state::Thread::Person(a("bob"))));
}

#[test]
fn the_form_offers_only_what_an_invitation_can_say() {
    let mut s = kept_here();
    s.keys("Alt-3 n");
    let form = s.state.meetings.form.as_ref().unwrap();
    assert!(
        form.field(crate::app::state::FieldId::Passcode).is_none() && form.field(crate::app::state::FieldId::Access).is_none()
    );
    assert!(form.field(crate::app::state::FieldId::Invitees).is_some());
    s.keys("\"Review\" Tab \"tomorrow 10:00 1h\" Tab Tab Tab \"bob@contoso.example\" Ctrl-S");
    let asked = s.asked();
    let [.., Operation::ScheduleConference { settings }] = &asked[..] else { panic!("{asked:?} {}", s.toast()) };
    assert_eq!((settings.subject.as_str(), settings.participants[0].uri.clone()), ("Review", a("bob")));
    assert_eq!((settings.passcode.clone(), settings.phone_access), (None, false));
}

#[test]
fn a_meeting_taken_out_is_forgotten_and_its_card_with_it() {
    let mut s = kept_here();
    let c = meeting(&s, "bob", 2, &[("alice", Answer::Waiting)]);
    hears(&mut s, &c, News::Invited);
    s.effects.clear();
    s.keys("Alt-3 x y");
    assert_eq!(s.asked(), [Operation::ForgetMeeting { id: c.id }]);
    assert!(s.state.questions.is_empty() && s.state.meetings.kept.is_empty());
}

#[test]
fn what_is_still_to_be_said_of_meetings_is_kept() {
    let mut s = kept_here();
    let letter = crate::domain::conference::Letter {
        to: a("bob"),
        meeting: ConferenceId("M".into()),
        says: crate::domain::conference::Says::Answered(Answer::Accepted),
    };
    s.says(endpoint::Event::Letters(vec![letter.clone()]));
    assert!(
        s.effects.iter().any(|e| matches!(e, Effect::Store(_, StoreRequest::SaveLetters(all)) if all[..] == [letter.clone()]))
    );
}

#[test]
fn own_meetings_that_are_kept_here_are_cancelled_without_the_server() {
    let mut s = kept_here();
    let c = meeting(&s, "alice", 2, &[("bob", Answer::Accepted)]);
    s.state.meetings.list = vec![c.clone()];
    s.state.meetings.built_for = None;
    s.event(crate::app::Event::Tick);
    s.says(endpoint::Event::State { state: EndpointState::Reestablishing, reason: Reason::None, retry_at: None });
    s.keys("Alt-3 g x y");
    assert_eq!(s.asked(), [Operation::CancelConference { id: c.id }], "{}", s.toast());
    s.finishes(Ok(Outcome::Done));
    assert_eq!(s.toast(), "The meeting is cancelled; those invited are told when you are signed in");
}
