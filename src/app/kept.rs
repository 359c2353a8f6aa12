//! Meetings of others in the agenda: what a later file says about one of their times, or about all of them again.

use super::calendar_file::Invitation;
use super::state::State;
use crate::domain::conference::{Conference, ConferenceId, ConferenceSettings};
use crate::domain::series::{EXCEPTIONS_MAX, Moved, Series};
use crate::domain::{Address, Time, itip};
use crate::endpoint;

/// The meeting a file is about: by the link in it, else by its name for all calendars.
pub fn named(i: &Invitation) -> Option<(Address, ConferenceId)> {
    let by_name = || {
        let organizer = i.organizer.clone().filter(|_| !i.uid.is_empty())?;
        let id = itip::id_of(&i.uid, &organizer);
        Some((organizer, id))
    };
    i.link.as_deref().and_then(endpoint::parse_link).or_else(by_name)
}

/// The meeting of somebody else that a file is about, if it is in the agenda.
pub fn known<'a>(state: &'a State, i: &Invitation) -> Option<&'a Conference> {
    let (_, id) = named(i)?;
    state.meetings.kept.iter().find(|c| c.id == id)
}

/// The time that a file takes out of, or changes in, a series of the agenda.
pub fn one_time(state: &State, i: &Invitation) -> Option<Time> {
    i.of.filter(|_| known(state, i).is_some_and(|c| c.settings.series.is_some()))
}

/// Changes one time of a series, or takes it out; the others stay.
///
/// # Errors
/// A sentence when there are too many exceptions already.
pub fn apply_one(c: &mut Conference, of: Time, i: &Invitation) -> Result<(), String> {
    let own = c.settings.subject.clone();
    let series = c.settings.series.as_mut().ok_or("this meeting does not repeat any more")?;
    let there = series.cancelled.contains(&of) || series.moved(of).is_some();
    if !there && series.cancelled.len() + series.moved.len() >= EXCEPTIONS_MAX {
        return Err("too many times of this series are exceptions; ask its organizer for a new invitation".into());
    }
    match (i.settings.start, i.settings.end) {
        _ if i.cancelled => series.cancel(of),
        (Some(start), Some(end)) => {
            let subject = if i.settings.subject == own { String::new() } else { i.settings.subject.clone() };
            series.change(Moved { of, start, end, subject });
        }
        _ => return Err("the file does not say when this time takes place".into()),
    }
    Ok(())
}

/// The same invitation once more: what was learnt since about single times holds on.
pub fn keep_exceptions(new: &mut ConferenceSettings, old: &ConferenceSettings) {
    let same = new.start == old.start;
    let (Some(new), Some(old)) = (new.series.as_mut().filter(|_| same), &old.series) else { return };
    if new.rule != old.rule {
        return;
    }
    let said = |new: &Series, of: Time| new.cancelled.contains(&of) || new.moved(of).is_some();
    for of in &old.cancelled {
        if !said(new, *of) {
            new.cancel(*of);
        }
    }
    for m in &old.moved {
        if !said(new, m.of) {
            new.change(m.clone());
        }
    }
}
