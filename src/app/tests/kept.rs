//! Meetings of others: what later files say about them.

use super::*;
use crate::app::state::overlay::Picker;

/// A file about the weekly meeting of Bob.
fn file(method: &str, sequence: u32, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:K7M2Q9TX@contoso.example\r\nSEQUENCE:{sequence}\r\n\
         ORGANIZER:sip:bob@contoso.example\r\nLOCATION:https://meet.contoso.example/bob/K7M2Q9TX\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

const WEEKLY: &str = "SUMMARY:Sync\r\nDTSTART:20261123T100000Z\r\nDTEND:20261123T103000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3";
const SECOND: &str = "SUMMARY:Sync\r\nRECURRENCE-ID:20261130T100000Z";

fn reads(s: &mut Stage, text: String) -> Vec<String> {
    s.state.overlays.clear();
    s.state.toast = None;
    s.event(Event::FileRead { path: "x.ics".into(), contents: Ok(text) });
    match s.state.overlays.last() {
        Some(Overlay::Picker(Picker { rows, .. })) => rows.iter().map(|r| r.0.clone()).collect(),
        _ => Vec::new(),
    }
}

fn chooses(s: &mut Stage, text: String, row: &str) {
    let rows = reads(s, text);
    let at = rows.iter().position(|r| r == row).unwrap_or_else(|| panic!("{row}: {rows:?} {}", s.toast()));
    if let Some(Overlay::Picker(p)) = s.state.overlays.last_mut() {
        p.at = at;
    }
    s.keys("Enter");
}

fn kept(sequence: u32) -> Stage {
    let mut s = Stage::new();
    chooses(&mut s, file("REQUEST", sequence, WEEKLY), "Keep it in the agenda");
    assert_eq!(starts(&s), ["23 10:00", "30 10:00", "07 10:00"]);
    s
}

fn starts(s: &Stage) -> Vec<String> {
    s.state.meetings.agenda.iter().filter_map(|x| Some(x.start?.timestamp().strftime("%d %H:%M").to_string())).collect()
}

#[test]
fn the_cancellation_of_one_time_leaves_the_others() {
    let mut s = kept(1);
    chooses(&mut s, file("CANCEL", 1, SECOND), "Take this time out of the agenda");
    assert_eq!(starts(&s), ["23 10:00", "07 10:00"]);
    chooses(&mut s, file("CANCEL", 2, WEEKLY), "Take it out of the agenda");
    assert!(starts(&s).is_empty());
}

#[test]
fn the_change_of_one_time_leaves_the_others() {
    let mut s = kept(1);
    let moved = format!("{SECOND}\r\nDTSTART:20261201T140000Z\r\nDTEND:20261201T150000Z");
    chooses(&mut s, file("REQUEST", 1, &moved), "Change this time in the agenda");
    assert_eq!(starts(&s), ["23 10:00", "01 14:00", "07 10:00"]);
    chooses(&mut s, file("REQUEST", 1, WEEKLY), "Keep it in the agenda");
    assert_eq!(starts(&s), ["23 10:00", "01 14:00", "07 10:00"], "the same invitation once more");
}

#[test]
fn an_older_file_changes_nothing() {
    let mut s = kept(4);
    assert!(!reads(&mut s, file("REQUEST", 3, WEEKLY)).contains(&"Keep it in the agenda".to_owned()));
    assert!(!reads(&mut s, file("REQUEST", 3, SECOND)).iter().any(|r| r.starts_with("Change")));
    assert!(reads(&mut s, file("CANCEL", 3, WEEKLY)).is_empty());
    assert!(s.toast().contains("nothing has changed"), "{}", s.toast());
    assert_eq!(starts(&s).len(), 3);
}

#[test]
fn one_time_of_a_series_that_is_not_here_takes_nothing_away() {
    let mut s = Stage::new();
    assert!(reads(&mut s, file("CANCEL", 1, SECOND)).is_empty());
    assert!(s.toast().contains("not in your agenda"), "{}", s.toast());
}
