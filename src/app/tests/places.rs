//! Keys in their places: none does silently nothing, and one is where one was.

use super::*;
use crate::app::state::own::Section;
use crate::endpoint::{ErrorKind, Feature};

fn toast(s: &Stage) -> String {
    s.state.toast.as_ref().map(|t| t.text.clone()).unwrap_or_default()
}

fn lacks(s: &mut Stage, what: Feature, why: &str) {
    s.says(endpoint::Event::Missing { what, why: Some(why.into()) });
}

#[test]
fn a_key_without_a_meaning_says_so_and_in_a_field_how_to_write() {
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::default()));
    s.keys("Alt-4 j W");
    assert!(toast(&s).contains("Enter"), "{}", toast(&s));
    assert!(!s.state.own.editing && !s.state.own.form.changed);
    s.keys("Alt-1 Z");
    assert!(toast(&s).contains('Z') && toast(&s).contains('?'), "{}", toast(&s));
    s.keys("Alt-F9");
    assert!(toast(&s).contains("Alt-F9"), "{}", toast(&s));
}

#[test]
fn back_from_the_eyes_of_somebody_leads_to_their_row() {
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::default()));
    s.keys("Alt-1 / \"carol\" Enter");
    let before = s.state.people.selection.clone();
    s.keys("v");
    assert_eq!((s.state.pane, s.state.own.section), (Pane::Me, Section::View));
    s.keys("Esc");
    assert_eq!((s.state.pane, s.state.people.selection.clone()), (Pane::People, before));
    s.keys("v v");
    assert!(s.state.overlays.last().is_some(), "other eyes");
    s.keys("Esc Esc");
    assert_eq!(s.state.pane, Pane::People);
    s.keys("Alt-4");
    assert_eq!(s.state.own.section, Section::Status, "Me opens where one looks for it");
}

#[test]
fn without_the_filter_the_cursor_stays_on_its_person() {
    for clear in ["Enter Esc", "Esc"] {
        let mut s = Stage::new();
        s.keys("Alt-1 g / \"dan\"").keys(clear);
        assert_eq!(s.state.people.selected_person(), Some(&a("dan")), "{clear}");
        assert!(s.state.people.filter.is_empty() && s.state.people.rows.len() > 4);
        s.keys("h / \"dan\"").keys(clear);
        assert_eq!(s.state.people.selected_person(), Some(&a("dan")), "{clear}: in a group that was closed");
    }
}

#[test]
fn what_this_server_has_not_is_said_by_the_key_and_named_in_no_hint() {
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::default()));
    for (what, keys) in [
        (Feature::Phones, "Alt-4 t"),
        (Feature::Categories, "Alt-4 c"),
        (Feature::Categories, "Alt-4 p"),
        (Feature::Containers, "Alt-4 C n"),
        (Feature::Containers, "m"),
        (Feature::Levels, "Alt-1 g j b"),
        (Feature::Levels, "Alt-1 g j p"),
        (Feature::DistributionGroups, "Alt-1 N"),
        (Feature::OwnPresence, "Alt-s"),
        (Feature::OwnPresence, "Alt-4 s x"),
    ] {
        let why = format!("There is no {what:?} here.");
        lacks(&mut s, what, &why);
        s.effects.clear();
        s.keys(keys);
        assert_eq!(toast(&s), why, "{keys}");
        assert!(s.state.overlays.is_empty() && s.asked().is_empty(), "{keys}");
    }
    s.keys("Alt-4 C");
    let hints: Vec<String> = crate::app::help::hints(&s.state).into_iter().map(|h| h.1).collect();
    assert!(!hints.iter().any(|h| h == "privacy" || h == "new"), "{hints:?}");
}

#[test]
fn where_no_presence_is_taken_there_is_no_form_for_it_and_every_key_of_it_says_why() {
    let mut s = Stage::new();
    s.says(endpoint::Event::SelfPresence(Box::default()));
    lacks(&mut s, Feature::OwnPresence, "This server takes no presence.");
    s.keys("Alt-4");
    assert!(s.state.own.form.fields.is_empty());
    for keys in ["Enter", "Space", "Ctrl-S", "T"] {
        s.state.toast = None;
        s.keys(keys);
        assert_eq!(toast(&s), "This server takes no presence.", "{keys}");
        assert!(!s.state.own.editing);
    }
    s.says(endpoint::Event::Missing { what: Feature::OwnPresence, why: None });
    assert!(!s.state.own.form.fields.is_empty());
}

#[test]
fn details_of_an_error_are_words_for_people() {
    let mut s = Stage::new();
    s.keys("Alt-1 a \"zed@contoso.example\" Enter");
    let error = Error { status: Some(503), detail: Some("try later".into()), ..Error::new(ErrorKind::FailureResponse, "No.") };
    s.completes(Err(error));
    s.keys("Alt-i");
    let Some(Overlay::Details { lines, .. }) = s.state.overlays.last() else { panic!("{:?}", s.state.overlays) };
    let all = lines.join("\n");
    assert!(all.contains("503") && all.contains("try later"), "{all}");
    assert!(!all.contains("FailureResponse") && !all.contains("Kind"), "{all}");
}
