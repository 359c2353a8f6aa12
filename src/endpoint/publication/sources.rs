//! What calendars and phones say, and when the owner works, as publications (`domain.md` 5.3, 5.5).

use super::intent::{Ground, NOTE_SHOWN};
use crate::domain::Time;
use crate::domain::calendar::{Appointment, CalendarNow, FreeBusy, WorkingHours};
use crate::domain::instances;
use crate::domain::presence::{Activity, Availability, Expiry, PhoneCall, PhoneLine, PublicationKey};
use crate::lync::categories::calendar::{CalendarContent, CalendarData, OwnWorkingHours};
use crate::lync::categories::state::{StateKind, StateValue};
use crate::lync::categories::value::Value;
use crate::lync::publish::PublishItem;

/// 7000, the number of a conference (`domain.md` 5.1).
const IN_CONFERENCE: Availability = Availability(7000);

impl Ground<'_> {
    fn mailbox(&self) -> &str {
        self.me.uri.bare()
    }

    /// States of the phones that are in a call; those that are no longer are taken away.
    pub(super) fn phone_states(&self, line: &PhoneLine, call: Option<PhoneCall>) -> Vec<PublishItem> {
        let instance = match line {
            PhoneLine::Voip => instances::voice_call(&self.me.uri.to_string(), &self.me.contact),
            PhoneLine::Gateway(uri) => instances::gateway_call(uri, &self.me.contact),
            PhoneLine::Desk(uri) => instances::desk_phone(uri),
        };
        let Some(call) = call else {
            return self.delete(|p| p.key.category == "state" && p.key.instance == instance);
        };
        let (number, token) = match call {
            PhoneCall::Call => (Availability::BUSY, "on-the-phone"),
            PhoneCall::Conference => (IN_CONFERENCE, "in-a-conference"),
        };
        let mut value = StateValue::new(StateKind::Phone);
        (value.manual, value.availability, value.activity) = (Some(false), Some(number), Some(Activity::token(token)));
        self.source(instance, Expiry::Endpoint, &value)
    }

    /// What differs between the calendar and what is published of it. What stays the same is not written again: the time
    /// at which a meeting was published decides whether it outweighs a status set by hand.
    pub(super) fn calendar(&self, calendar: &CalendarNow) -> Vec<PublishItem> {
        let meeting = calendar.meeting.as_ref().map(|m| (m, self.meeting_state(m)));
        let away = calendar.out_of_office.as_ref().map(|o| (o, self.out_of_office_state(o)));
        let mut items = self.calendar_state(instances::meeting(self.mailbox()), meeting);
        items.extend(self.calendar_state(instances::out_of_office_period(self.mailbox()), away));
        if let Some(free) = &calendar.free_busy {
            items.extend(self.free_busy(free));
        }
        items
    }

    fn calendar_state(&self, instance: u32, wanted: Option<(&Appointment, StateValue)>) -> Vec<PublishItem> {
        let Some((appointment, value)) = wanted.filter(|(a, _)| a.end > self.now) else {
            return self.delete(|p| p.key.category == "state" && p.key.instance == instance);
        };
        let there = self.published("state", instance, 2).and_then(StateValue::parse);
        if there.as_ref() == Some(&value) {
            return Vec::new();
        }
        self.source(instance, Expiry::Time(self.seconds_until(appointment.end)), &value)
    }

    fn meeting_state(&self, m: &Appointment) -> StateValue {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        let mut value = self.calendar_value(m);
        value.availability = Some(Availability::BUSY);
        value.activity = Some(Activity::token("in-a-meeting"));
        (value.meeting_subject, value.meeting_location) = (some(&m.subject), some(&m.place));
        value
    }

    fn out_of_office_state(&self, o: &Appointment) -> StateValue {
        let mut value = self.calendar_value(o);
        value.activity = Some(Activity::token("out-of-office"));
        value
    }

    fn calendar_value(&self, a: &Appointment) -> StateValue {
        let mut value = StateValue::new(StateKind::Calendar);
        value.manual = Some(false);
        value.uri = Some(self.mailbox().to_owned());
        value.start = Some(Time(a.start.0 - a.start.0 % 1000));
        value
    }

    /// Free-busy time, unless it is published so already.
    pub(super) fn free_busy(&self, free: &FreeBusy) -> Vec<PublishItem> {
        let instance = instances::free_busy(self.mailbox());
        let value = CalendarData { mailbox: self.mailbox().to_owned(), content: CalendarContent::FreeBusy(free.clone()) };
        if self.published("calendarData", instance, NOTE_SHOWN[0]).and_then(CalendarData::parse).as_ref() == Some(&value) {
            return Vec::new();
        }
        let slots = u64::try_from(free.slots.len()).unwrap_or(0);
        let end = Time(free.start.0 + slots * u64::from(free.slot_minutes) * 60_000);
        let expiry = Expiry::Time(self.seconds_until(end));
        let empty = CalendarData { content: CalendarContent::Empty, ..value.clone() }.to_xml();
        let shown = NOTE_SHOWN.map(|c| self.put("calendarData", instance, c, expiry, value.to_xml()));
        shown.into_iter().chain(self.hidden("calendarData", instance, &empty)).collect()
    }

    /// Working hours for those who may see them, and for the own endpoints; nothing when they are published already.
    pub(super) fn working_hours(&self, hours: &WorkingHours) -> Vec<PublishItem> {
        let own = OwnWorkingHours(hours.clone());
        if self.published("workingHours", 0, 1).and_then(OwnWorkingHours::parse).as_ref() == Some(&own) {
            return Vec::new();
        }
        let value = CalendarData { mailbox: self.mailbox().to_owned(), content: CalendarContent::Hours(hours.clone()) };
        let empty = CalendarData { content: CalendarContent::Empty, ..value.clone() }.to_xml();
        let seen = [1, 200, 300, 400].map(|c| self.put("calendarData", 0, c, Expiry::Static, value.to_xml()));
        let own = self.put("workingHours", 0, 1, Expiry::Static, own.to_xml());
        seen.into_iter().chain([own]).chain(self.hidden("calendarData", 0, &empty)).collect()
    }

    /// Takes the working hours back.
    pub(super) fn no_working_hours(&self) -> Vec<PublishItem> {
        self.delete(|p| p.key.instance == 0 && matches!(p.key.category.as_str(), "calendarData" | "workingHours"))
    }

    /// The value of one of our publications.
    pub(super) fn published(&self, category: &str, instance: u32, container: u32) -> Option<&str> {
        let key = PublicationKey { category: category.into(), instance, container };
        self.known.publications.iter().find(|p| p.key == key).map(|p| p.value.as_str())
    }

    /// Seconds from now, at least one.
    pub(super) fn seconds_until(&self, end: Time) -> u32 {
        u32::try_from(end.since(self.now).as_secs().max(1)).unwrap_or(u32::MAX)
    }
}
