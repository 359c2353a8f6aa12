//! The times of a calendar file: in the zones it names, in those it describes itself, or without one.

use crate::domain::Time;
use crate::domain::zone::zone_by_name;
use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarEntry, ICalendarProperty as P, ICalendarValue};
use jiff::civil::{Date, Time as Clocktime};
use jiff::tz::{Offset, TimeZone};
use std::time::Duration;

/// Length of a meeting whose file does not say it.
const LENGTH: Duration = Duration::from_secs(3600);

/// What reads the times of one file.
pub struct Clock<'a> {
    calendar: &'a ICalendar,
    zones: TzResolver<&'a str>,
    /// The zone of times that name none.
    here: &'a TimeZone,
}

impl<'a> Clock<'a> {
    /// A clock for a file; times without a zone are those of `here`.
    pub fn new(calendar: &'a ICalendar, here: &'a TimeZone) -> Clock<'a> {
        Clock { calendar, zones: calendar.build_tz_resolver(), here }
    }

    /// All values of a property as moments; those in a zone that nobody knows are left out.
    pub fn moments<'e>(&self, entry: &'e ICalendarEntry) -> impl Iterator<Item = Time> + use<'e> {
        let zone = self.zone_of(entry);
        entry.values.iter().filter_map(move |v| moment(v.as_partial_date_time()?, zone.as_ref()?))
    }

    /// The first value of a property.
    pub fn moment(&self, c: &ICalendarComponent, property: &P) -> Option<Time> {
        self.moments(c.property(property)?).next()
    }

    /// Beginning and end of an event.
    pub fn span(&self, c: &ICalendarComponent) -> Option<(Time, Time)> {
        let start = self.moment(c, &P::Dtstart)?;
        let duration = c.property(&P::Duration).and_then(|e| match e.values.first()? {
            ICalendarValue::Duration(d) => u64::try_from(d.as_seconds()).ok().map(Duration::from_secs),
            _ => None,
        });
        let end = self.moment(c, &P::Dtend).or(duration.map(|d| start + d)).unwrap_or(start + LENGTH);
        Some((start, end))
    }

    /// Name of the zone an event is planned in.
    pub fn zone(&self, c: &ICalendarComponent) -> String {
        let begin = c.property(&P::Dtstart);
        let utc = begin.and_then(|e| e.values.first()?.as_partial_date_time()).is_some_and(|p| p.tz_hour.is_some());
        let zone = begin.filter(|_| !utc).and_then(|e| self.zone_of(e));
        let name = zone.and_then(|z| match z.iana_name() {
            Some(name) => Some(name.to_owned()),
            None => z.to_fixed_offset().ok().map(|o| offset_name(o.seconds())),
        });
        name.filter(|n| zone_by_name(n).is_some()).unwrap_or_else(|| "UTC".into())
    }

    /// The name of a zone this event needs and nobody knows.
    pub fn unknown_zone<'e>(&self, c: &'e ICalendarComponent) -> Option<&'e str> {
        let times = [P::Dtstart, P::Dtend, P::RecurrenceId];
        let named = times.iter().filter_map(|p| c.property(p));
        named.filter(|e| self.zone_of(e).is_none()).find_map(ICalendarEntry::tz_id)
    }

    fn zone_of(&self, entry: &ICalendarEntry) -> Option<TimeZone> {
        let Some(id) = entry.tz_id() else { return Some(self.here.clone()) };
        let known = self.zones.resolve(id).and_then(|tz| match tz {
            Tz::Fixed(o) => Offset::from_seconds(o.local_minus_utc()).ok().map(TimeZone::fixed),
            tz => TimeZone::get(&tz.name()?).ok(),
        });
        known.or_else(|| self.described(id))
    }

    /// A zone that only its description in the file (VTIMEZONE) tells: known when it has one offset all the year.
    fn described(&self, id: &str) -> Option<TimeZone> {
        let named = |c: &&ICalendarComponent| {
            c.property(&P::Tzid).and_then(|e| e.values.first()?.as_text()).is_some_and(|name| name == id)
        };
        let zone = self.calendar.timezones().find(named)?;
        let parts = zone.component_ids.iter().filter_map(|n| self.calendar.components.get(usize::try_from(*n).ok()?));
        let offset = |c: &ICalendarComponent| offset(c.property(&P::Tzoffsetto)?.values.first()?.as_partial_date_time()?);
        let mut offsets = parts.map(offset);
        let first = offsets.next()??;
        offsets.all(|o| o == Some(first)).then(|| TimeZone::fixed(first))
    }
}

fn moment(p: &PartialDateTime, zone: &TimeZone) -> Option<Time> {
    let small = |n: u8| i8::try_from(n).ok();
    let date = Date::new(i16::try_from(p.year?).ok()?, small(p.month?)?, small(p.day?)?).ok()?;
    // A leap second counts as the one before it.
    let second = p.second.unwrap_or(0).min(59);
    let time = Clocktime::new(small(p.hour.unwrap_or(0))?, small(p.minute.unwrap_or(0))?, small(second)?, 0).ok()?;
    let zone = if p.tz_hour.is_some() { TimeZone::fixed(offset(p)?) } else { zone.clone() };
    let at = date.to_datetime(time).to_zoned(zone).ok()?.timestamp();
    u64::try_from(at.as_millisecond()).ok().map(Time)
}

fn offset(p: &PartialDateTime) -> Option<Offset> {
    let seconds = i32::from(p.tz_hour?) * 3600 + i32::from(p.tz_minute.unwrap_or(0)) * 60;
    Offset::from_seconds(if p.tz_minus { -seconds } else { seconds }).ok()
}

/// An offset as [`zone_by_name`] reads it.
fn offset_name(seconds: i32) -> String {
    let minutes = seconds.unsigned_abs() / 60;
    format!("UTC{}{:02}:{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}
