use super::*;
use crate::app::keymap::{Binding, Keymap};
use crate::app::state::WireRecord;

fn palette(s: &Stage) -> Vec<String> {
    let Some(Overlay::Palette(p)) = s.state.overlays.last() else { panic!("no palette") };
    p.rows.iter().take(3).map(|r| r.label.clone()).collect()
}

#[test]
fn the_palette_finds_people_tabs_and_commands() {
    let mut s = Stage::new();
    s.keys("Ctrl-K \"caro\"");
    assert_eq!(palette(&s)[0], "Carol Diaz");
    s.keys("Enter");
    assert_eq!(s.tabs(), "[Carol Diaz]");
    s.keys("Ctrl-K \"pause\" Enter");
    assert!(s.state.wire.paused);
    s.keys("Ctrl-K \"zzzz\"");
    assert!(palette(&s).is_empty());
    s.keys("Esc");
    assert!(s.state.overlays.is_empty());
}

#[test]
fn the_palette_takes_the_name_of_a_command_before_letters_strewn_over_its_explanation() {
    let mut s = Stage::new();
    s.keys("Ctrl-K \"blo\"");
    assert!(palette(&s)[0].starts_with("block: "), "{:?}", palette(&s));
    assert!(!palette(&s).iter().any(|row| row.starts_with("join-link")), "{:?}", palette(&s));
    s.keys("Esc Ctrl-K \"meeting link\"");
    assert!(palette(&s)[0].starts_with("join-link: "), "{:?}", palette(&s));
}

#[test]
fn whoever_is_not_on_the_list_is_found_by_the_whole_address() {
    let mut s = Stage::new();
    s.keys("Ctrl-K \"help@contoso.example\"");
    assert_eq!(palette(&s), ["Write to help@contoso.example"]);
    s.keys("Enter");
    assert_eq!(s.tabs(), "[help@contoso.example]");
}

#[test]
fn a_command_that_needs_words_is_put_into_the_composer() {
    let mut s = Stage::new();
    s.keys("j Enter Ctrl-K \"promote\" Esc Ctrl-K \"everything that\"");
    assert!(palette(&s)[0].starts_with("search: "), "{:?}", palette(&s));
    s.keys("Enter");
    assert_eq!(s.composer(), "/search ");
}

#[test]
fn help_is_made_from_the_live_keymap() {
    let mut s = Stage::new();
    let own = Binding { line: 1, place: "people".into(), keys: "M".into(), command: "message".into() };
    s.state.keymap = std::sync::Arc::new(Keymap::with_overrides(&[own]).unwrap());
    s.keys("?");
    let Some(Overlay::Help(h)) = s.state.overlays.last() else { panic!() };
    assert_eq!(h.sections[0].0, "People");
    assert!(h.sections[0].1.iter().any(|(k, w)| k.contains('M') && w.starts_with("Write to this person")));
    assert!(h.sections.iter().any(|(t, rows)| t == "In the composer" && rows.iter().any(|(k, _)| k.starts_with("/status"))));
}

#[test]
fn the_help_is_filtered_by_words() {
    let mut s = Stage::new();
    s.keys("F1 / \"mute all\"");
    let shown = |s: &Stage| match s.state.overlays.last() {
        Some(Overlay::Help(h)) => h.shown().into_iter().flat_map(|(_, rows)| rows).cloned().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    assert!(!shown(&s).is_empty() && shown(&s).len() < 5, "{:?}", shown(&s));
    assert!(shown(&s).iter().all(|(k, w)| format!("{k} {w}").to_lowercase().contains("mute")));
    s.keys("Enter j Esc");
    assert!(shown(&s).len() > 100, "Esc first takes the filter away");
    s.keys("Esc");
    assert!(s.state.overlays.is_empty());
}

#[test]
fn hints_name_only_keys_that_work_now() {
    let mut s = Stage::empty();
    let words = |s: &Stage| crate::app::help::hints(&s.state).into_iter().map(|(k, w)| format!("{k} {w}")).collect::<Vec<_>>();
    assert!(words(&s).contains(&"a add".to_owned()) && !words(&s).contains(&"i card".to_owned()));
    s.says(endpoint::Event::State { state: EndpointState::Idle, reason: Reason::None, retry_at: None });
    assert!(!words(&s).contains(&"a add".to_owned()));
}

#[test]
fn an_unfinished_chord_shows_what_may_follow() {
    let mut s = Stage::new();
    let chord = Binding { line: 1, place: "people".into(), keys: "z z".into(), command: "sort".into() };
    s.state.keymap = std::sync::Arc::new(Keymap::with_overrides(&[chord]).unwrap());
    s.keys("z");
    assert_eq!(crate::app::help::hints(&s.state), [("z".to_owned(), "Sort by status, name, or last talk".to_owned())]);
    s.keys("z");
    assert_eq!(s.toast(), "Sorted by name");
    s.keys("z j");
    assert_eq!(s.state.people.selected_person(), Some(&a("bob")));
}

#[test]
fn a_toast_goes_by_itself_and_the_details_stay_readable() {
    let mut s = Stage::new();
    s.keys("j D Enter");
    s.completes(Err(Error {
        status: Some(403),
        detail: Some("4002".into()),
        ..Error::new(endpoint::ErrorKind::FailureResponse, "not allowed")
    }));
    assert_eq!(s.toast(), "Deleting Bob Kelly did not work: not allowed");
    s.now = s.state.next_deadline().unwrap();
    s.event(Event::Tick);
    assert_eq!(s.toast(), "");
    s.keys("Alt-i");
    let Some(Overlay::Details { lines, .. }) = s.state.overlays.last() else { panic!() };
    assert!(lines.iter().any(|l| l.contains("status 403")) && lines.iter().any(|l| l.ends_with("words: 4002")));
}

#[test]
fn the_wire_is_filtered_paused_opened_and_saved() {
    let mut s = Stage::new();
    let invite =
        "INVITE sip:bob@contoso.example SIP/2.0\r\nTo: <sip:bob@contoso.example>\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\n\r\n";
    let ok = "SIP/2.0 200 OK\r\nFrom: <sip:alice@contoso.example>\r\nTo: <sip:bob@contoso.example>\r\nCall-ID: abc\r\nCSeq: 1 INVITE\r\n\r\n";
    s.event(Event::Wire(WireRecord::new(NOW, true, invite)));
    s.event(Event::Wire(WireRecord::new(NOW, false, ok)));
    s.keys("Alt-5 / \"200\" Enter");
    let shown: Vec<&str> = s.state.wire.shown().map(|r| r.title.as_str()).collect();
    assert_eq!(shown, ["200 OK"]);
    s.keys("Enter Esc Esc Space");
    s.event(Event::Wire(WireRecord::new(NOW, true, invite)));
    assert_eq!((s.state.wire.records.len(), s.state.wire.missed), (2, 1));
    s.keys("w Enter");
    assert!(
        matches!(s.effects.last(), Some(Effect::WriteFile { path, contents }) if path == "adsum-wire-20261121-0830.log" && contents.contains(">>>"))
    );
}

#[test]
fn panes_and_the_people_column_come_and_go() {
    let mut s = Stage::new();
    s.keys("Alt-5 Alt-1 Tab");
    assert_eq!(s.state.pane, Pane::Wire);
    s.keys("Alt-1 Alt-0");
    assert_eq!((s.state.pane, s.state.view.people_hidden), (Pane::Wire, true));
    s.keys("Alt-1");
    assert_eq!((s.state.pane, s.state.view.people_hidden), (Pane::People, false));
}

#[test]
fn ctrl_c_asks_before_it_throws_a_filled_form_away() {
    let mut s = Stage::new();
    s.keys("j E \"x\" Ctrl-C");
    assert!(matches!(s.state.overlays.last(), Some(Overlay::Confirm(_))));
    s.keys("y");
    assert!(s.state.overlays.is_empty());
}

#[test]
fn the_view_as_menu_begins_at_the_first_person() {
    let mut s = Stage::new();
    s.keys("Alt-4 v");
    let Some(Overlay::Picker(p)) = s.state.overlays.last() else { panic!("{:?}", s.state.overlays) };
    assert_eq!(p.rows[p.at].0, "Bob Kelly");
}
