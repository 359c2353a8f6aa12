//! What a server cannot do, said where one would look for it.

use super::*;
use crate::app::Event as AppEvent;
use crate::app::state::own::Section;
use crate::domain::presence::{Level, SelfPresence, Subscriber};
use crate::endpoint::{ErrorKind, Feature};
use std::time::Duration;

fn without(features: &[Feature]) -> Stage {
    let mut s = Stage::new();
    for what in features {
        s.says(endpoint::Event::Missing { what: *what, why: Some(format!("This server has no {what:?}.")) });
    }
    s.effects.clear();
    s
}

fn watched(s: &mut Stage) {
    let own = SelfPresence { subscribers: vec![Subscriber::new(a("zed"), "Zed")], ..SelfPresence::default() };
    s.says(endpoint::Event::SelfPresence(Box::new(own)));
}

#[test]
fn without_a_directory_nothing_is_searched_and_the_whole_address_is_asked_for() {
    let mut s = without(&[Feature::Directory]);
    s.keys("a \"frank\"");
    s.now = s.now + Duration::from_secs(5);
    s.event(AppEvent::Tick);
    s.keys("Enter");
    assert_eq!(s.asked(), []);
    let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!("the dialog stays") };
    assert!(p.error.as_deref().unwrap_or("").contains("frank@contoso.example"), "{:?}", p.error);
    s.keys("\"@contoso.example\" Enter");
    assert!(matches!(s.asked()[..], [Operation::AddContact { .. }]));
    assert!(s.state.overlays.is_empty());
}

#[test]
fn a_search_that_is_refused_after_the_address_was_taken_opens_nothing() {
    let mut s = Stage::new();
    s.keys("a \"frank@contoso.example\"");
    s.now = s.now + Duration::from_secs(5);
    s.event(AppEvent::Tick);
    let search = OperationId(s.state.last_operation);
    s.keys("Enter");
    assert!(s.state.overlays.is_empty());
    let refused = Error::new(ErrorKind::InvalidOperation, "no directory");
    s.says(endpoint::Event::Completed { id: search, result: Err(refused) });
    assert!(s.state.overlays.is_empty());
}

#[test]
fn where_nobody_can_be_answered_nobody_is_asked_and_the_section_says_why() {
    let mut s = without(&[Feature::Levels, Feature::DefaultAccess]);
    watched(&mut s);
    assert!(s.state.questions.is_empty() && s.asked().is_empty());
    s.state.own.section = Section::Watchers;
    let words = |s: &mut Stage| {
        s.state.own.dirty = true;
        crate::app::access::settle(&mut s.state);
        s.state.own.list.iter().map(|l| l.words.clone()).collect::<Vec<_>>().join("\n")
    };
    assert!(words(&mut s).contains("cannot be answered from here"));
    s.state.own.section = Section::Access;
    assert!(words(&mut s).contains("no Levels"));
}

#[test]
fn where_an_acknowledgement_would_let_somebody_in_the_level_alone_is_the_answer() {
    let mut s = without(&[Feature::DefaultAccess]);
    watched(&mut s);
    assert_eq!(s.state.questions.len(), 1);
    s.keys("Alt-n y");
    assert_eq!(s.asked(), [Operation::SetLevel { uri: a("zed"), level: Some(Level::Blocked) }]);
    assert!(s.state.questions.is_empty());
    let mut s = without(&[Feature::DefaultAccess]);
    watched(&mut s);
    s.keys("Alt-y Enter");
    let [Operation::SetLevel { level: Some(Level::Colleagues), .. }, Operation::AddContact { .. }] = &s.asked()[..] else {
        panic!("{:?}", s.asked())
    };
}

#[test]
fn what_is_missing_can_be_read_up_and_goes_when_it_is_there() {
    let mut s = without(&[Feature::Meetings]);
    s.keys("Alt-3 n");
    assert!(s.state.meetings.form.is_some(), "they are kept here");
    s.keys("Esc");
    s.keys("Ctrl-K \"server cannot\" Enter");
    let Some(Overlay::Details { lines, .. }) = s.state.overlays.last() else { panic!("{:?}", s.state.overlays) };
    assert!(lines.iter().any(|l| l.contains("no Meetings")));
    s.says(endpoint::Event::Missing { what: Feature::Meetings, why: None });
    assert!(s.state.missing.is_empty());
}
