//! The rows of the agenda: every meeting once, those that repeat once for each of their times.

use super::commands::Step;
use super::series::{self, SHOWN};
use super::state::State;
use super::state::meetings::{Computed, Meetings, Slot};
use crate::domain::Time;
use crate::domain::conference::Conference;
use std::time::Duration;

/// Times of a series that are over are shown for so long.
const PAST: Duration = Duration::from_secs(86_400);
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

impl Meetings {
    /// Rebuilds the rows when the list or the day has changed, and keeps something selected.
    pub fn settle(&mut self, now: Time) {
        let day = now.0 / DAY;
        if self.built_for == Some(day) {
            return;
        }
        self.built_for = Some(day);
        let known = std::mem::take(&mut self.series);
        for c in self.list.iter().chain(&self.kept) {
            match known.get(&c.id).filter(|k| c.settings.series.is_some() && k.day == day && k.settings == c.settings) {
                Some(k) => drop(self.series.insert(c.id.clone(), k.clone())),
                None if c.settings.series.is_some() => {
                    let known = Computed { day, settings: c.settings.clone(), slots: slots(c, now) };
                    self.series.insert(c.id.clone(), known);
                }
                None => {}
            }
        }
        let once = self.list.iter().chain(&self.kept).filter(|c| c.settings.series.is_none());
        self.agenda = once.flat_map(|c| slots(c, now)).collect();
        self.agenda.extend(self.series.values().flat_map(|k| k.slots.iter().cloned()));
        self.remind_at = Some(Time(0));
        // A meeting without a time stands last.
        self.agenda.sort_by_key(|s| (s.start.is_none(), s.start, s.id.clone()));
        let here = |s: &Slot| Some(&s.id) == self.selection.as_ref();
        let exact = self.agenda.iter().position(|s| here(s) && self.occurrence.is_none_or(|o| s.of == Some(o)));
        let at = exact.or_else(|| self.agenda.iter().position(here));
        let next = || self.agenda.iter().position(|s| s.end.or(s.start).is_some_and(|t| t >= now)).unwrap_or(0);
        let at = at.unwrap_or_else(next);
        self.select(at);
    }

    /// Selects a row.
    pub fn select(&mut self, at: usize) {
        let slot = self.agenda.get(at);
        (self.selection, self.occurrence) = (slot.map(|s| s.id.clone()), slot.and_then(|s| s.of));
    }

    /// Position of the selected row.
    pub fn at(&self) -> Option<usize> {
        let id = self.selection.as_ref()?;
        let exact = self.agenda.iter().position(|s| s.id == *id && s.of == self.occurrence);
        exact.or_else(|| self.agenda.iter().position(|s| s.id == *id))
    }
}

/// Moves the selection.
pub fn step(state: &mut State, step: Step) {
    let m = &mut state.meetings;
    let to = m.at().map_or(0, |at| step.apply(at, m.agenda.len(), state.view.metrics.meetings_rows));
    m.select(to);
}

fn slots(c: &Conference, now: Time) -> Vec<Slot> {
    let s = &c.settings;
    let slot = |of, start, end, subject: &str| Slot {
        id: c.id.clone(),
        of,
        start,
        end,
        subject: if subject.is_empty() { s.subject.clone() } else { subject.to_owned() },
    };
    if s.series.is_none() {
        return vec![slot(None, s.start, s.end, "")];
    }
    let from = Time(now.0.saturating_sub(u64::try_from(PAST.as_millis()).unwrap_or(0)));
    let mut times = series::occurrences(s, from, series::horizon(now), SHOWN);
    if times.is_empty() {
        // A series that is over, or far ahead, must still be found.
        times = series::occurrences(s, Time(0), Time(u64::MAX), 1);
    }
    times.iter().map(|o| slot(Some(o.of), Some(o.start), Some(o.end), &o.subject)).collect()
}
