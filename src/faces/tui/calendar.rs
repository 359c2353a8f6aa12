//! The calendar file or folder: looked at when asked, read aside when it has changed.

use super::Input;
use crate::app::event::Event;
use crate::domain::Time;
use crate::domain::calendar::{Appointment, FREE_BUSY_AHEAD, ics};
use crate::faces::link::files::expanded;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::UnboundedSender;

/// Octets of one calendar file.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Files of one folder.
const MAX_FILES: usize = 2_000;
/// How far back appointments are kept: a long one may still go on.
const BEFORE: Duration = Duration::from_secs(86_400);
/// One day, after which the days ahead are others.
const DAY: u64 = 86_400_000;

/// A file's name, size and time of change.
type Seen = (PathBuf, u64, Option<SystemTime>);

/// The calendar of an account.
pub struct Source {
    path: PathBuf,
    zone: String,
    /// What was there when it was read last, and the day.
    seen: Option<(Vec<Seen>, u64)>,
}

impl Source {
    /// A calendar at `path`; `zone` (IANA) is the zone of times without one.
    pub fn new(path: &str, zone: String) -> Source {
        Source { path: expanded(path), zone, seen: None }
    }

    /// Reads it on a thread of its own if it has changed since the last time.
    pub fn look(&mut self, now: Time, said: &UnboundedSender<Input>) {
        let now_there = (files(&self.path), now.0 / DAY);
        if self.seen.as_ref() == Some(&now_there) {
            return;
        }
        let files: Vec<Seen> = now_there.0.clone();
        self.seen = Some(now_there);
        let (path, zone, said) = (self.path.clone(), self.zone.clone(), said.clone());
        std::thread::spawn(move || {
            // The screen is gone only when the program ends.
            let _ = said.send(Input::App(Event::Calendar(read(&path, &files, &zone, now))));
        });
    }
}

/// The file itself, or the `.ics` files of the folder, in order of their names.
fn files(path: &Path) -> Vec<Seen> {
    let one = |path: PathBuf| {
        let known = std::fs::metadata(&path).ok().filter(|m| m.is_file());
        known.map(|m| (path, m.len(), m.modified().ok()))
    };
    if !path.is_dir() {
        return one(path.to_owned()).into_iter().collect();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path());
    let calendars = entries.filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("ics")));
    let mut all: Vec<Seen> = calendars.filter_map(one).collect();
    all.sort();
    all.truncate(MAX_FILES);
    all
}

fn read(path: &Path, files: &[Seen], zone: &str, now: Time) -> Result<Vec<Appointment>, String> {
    if files.is_empty() && !path.is_dir() {
        return Err(format!("the calendar {} is not there; see account.calendar in the configuration", path.display()));
    }
    let mut out = Vec::new();
    for (file, size, _) in files {
        let wrong = |why: &str| format!("the calendar {} {why}", file.display());
        if *size > MAX_FILE {
            return Err(wrong("is too large"));
        }
        let octets = std::fs::read(file).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
        let from = Time(now.0.saturating_sub(u64::try_from(BEFORE.as_millis()).unwrap_or(0)));
        let found = ics::read(&String::from_utf8_lossy(&octets), zone, from, now + FREE_BUSY_AHEAD + BEFORE);
        out.extend(found.map_err(|why| wrong(&why))?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_772_528_400_000); // 2026-03-03 09:00 UTC

    fn event(subject: &str) -> String {
        let lines = ["DTSTART:20260303T090000Z", "DTEND:20260303T100000Z"].join("\r\n");
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nSUMMARY:{subject}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    fn subjects(path: &Path) -> Result<Vec<String>, String> {
        read(path, &files(path), "UTC", NOW).map(|all| all.into_iter().map(|a| a.subject).collect())
    }

    #[test]
    fn a_file_or_the_calendars_of_a_folder_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("a.ics"), dir.path().join("b.ICS"));
        std::fs::write(&one, event("one")).unwrap();
        std::fs::write(&two, event("two")).unwrap();
        std::fs::write(dir.path().join("notes.txt"), "no calendar").unwrap();
        assert_eq!(subjects(&one).unwrap(), ["one"]);
        assert_eq!(subjects(dir.path()).unwrap(), ["one", "two"]);
        std::fs::write(&two, "broken").unwrap();
        assert!(subjects(dir.path()).unwrap_err().ends_with("b.ICS is no iCalendar file"));
        assert!(subjects(&dir.path().join("gone.ics")).unwrap_err().contains("is not there"));
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ics");
        std::fs::write(&path, event("one")).unwrap();
        let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let mut source = Source::new(&path.display().to_string(), "UTC".into());
        let hear = |source: &mut Source, now| {
            source.look(now, &said);
            source.seen.clone()
        };
        let first = hear(&mut source, NOW);
        assert!(matches!(heard.blocking_recv(), Some(Input::App(Event::Calendar(Ok(a)))) if a.len() == 1));
        assert_eq!(hear(&mut source, NOW + Duration::from_secs(60)), first);
        std::fs::write(&path, event("a longer title")).unwrap();
        assert_ne!(hear(&mut source, NOW), first);
        assert!(matches!(heard.blocking_recv(), Some(Input::App(Event::Calendar(Ok(a)))) if a[0].subject == "a longer title"));
        assert!(heard.try_recv().is_err());
    }
}
