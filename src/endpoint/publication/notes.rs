//! Notes and the history of notes (`domain.md` 5.5, 5.6 rule 7).

use super::grammar::shown_and_hidden;
use super::intent::{Ground, NOTE_SHOWN};
use crate::domain::Time;
use crate::domain::instances;
use crate::domain::presence::{Expiry, Note, Publication};
use crate::endpoint::limits::{NOTE_HISTORY, NOTE_HISTORY_MERGE};
use crate::endpoint::{Error, ErrorKind};
use crate::lync::categories::note;
use crate::lync::publish::PublishItem;

/// Instance of the personal note.
const PERSONAL: u32 = 0;

impl Ground<'_> {
    /// A note set by hand, with its place in the history; `None` takes notes of both kinds away.
    pub(super) fn note(&self, wanted: Option<&Note>) -> Result<Vec<PublishItem>, Error> {
        let Some(wanted) = wanted.filter(|n| !n.text.trim().is_empty()) else { return Ok(self.no_note()) };
        if wanted.end.is_some_and(|e| e <= self.now) {
            return Err(Error::new(ErrorKind::InvalidArgument, "The note's time is already over."));
        }
        if wanted.end.zip(wanted.start).is_some_and(|(end, start)| end <= start) {
            return Err(Error::new(ErrorKind::InvalidArgument, "The note would end before it begins."));
        }
        let mut items = self.note_value(wanted.out_of_office, wanted.end, note::to_xml(Some(wanted)));
        if !wanted.out_of_office {
            items.extend(self.history(wanted));
        }
        Ok(items)
    }

    /// The value of a note: to 200, 300 and 400; empty ones to 100 and 32000. It ends by itself if it has an end.
    pub(super) fn note_value(&self, out_of_office: bool, end: Option<Time>, value: String) -> Vec<PublishItem> {
        let instance = if out_of_office { instances::out_of_office_note(self.me.uri.bare()) } else { PERSONAL };
        let expiry = end.map_or(Expiry::Static, |e| Expiry::Time(self.seconds_until(e)));
        let shown = NOTE_SHOWN.map(|c| self.put("note", instance, c, expiry, value.clone()));
        shown.into_iter().chain(self.hidden("note", instance, &note::to_xml(None))).collect()
    }

    /// Takes both kinds of note away.
    pub(super) fn no_note(&self) -> Vec<PublishItem> {
        let oof = instances::out_of_office_note(self.me.uri.bare());
        let by_hand = |p: &Publication| p.key.category == "note" && (p.key.instance == PERSONAL || p.key.instance == oof);
        self.delete(|p| by_hand(p) && NOTE_SHOWN.contains(&p.key.container))
    }

    /// The history with `new` as its newest entry. It takes the place of an entry that is younger than half a minute.
    fn history(&self, new: &Note) -> Vec<PublishItem> {
        let old = |order: usize| {
            let instance = u32::try_from(order).ok()?;
            note::parse(self.published("noteHistory", instance, NOTE_SHOWN[0])?)
        };
        let mut entries: Vec<Note> = (0..NOTE_HISTORY).map_while(old).collect();
        let newest = self
            .known
            .publications
            .iter()
            .find(|p| p.key.category == "noteHistory" && p.key.instance == 0 && p.key.container == NOTE_SHOWN[0]);
        let young = newest.and_then(|p| p.publish_time).is_some_and(|t| self.now.since(t) < NOTE_HISTORY_MERGE);
        let entry = Note { start: None, end: None, ..new.clone() };
        match entries.first_mut() {
            Some(first) if young || *first == entry => *first = entry,
            _ => entries.insert(0, entry),
        }
        let entries = entries.iter().take(NOTE_HISTORY).enumerate();
        let changed = entries.filter(|(order, e)| *order == 0 || old(*order).as_ref() != Some(e));
        let write = |(order, e): (usize, &Note)| {
            let instance = u32::try_from(order).unwrap_or(0);
            shown_and_hidden(self, "noteHistory", instance, &note::to_xml(Some(e)), &note::to_xml(None))
        };
        changed.flat_map(write).collect()
    }
}
