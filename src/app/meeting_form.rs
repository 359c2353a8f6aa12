//! The form of a meeting: its fields, what is wrong with them, and the settings they make.

use super::door::Door;
use super::limits::FIELD_CHARS;
use super::meetings::ACCESS;
use super::people::person_by_words;
use super::state::meetings::Slot;
use super::state::{Field, FieldId, FieldValue, Form, State};
use super::{Editor, outlook, series, when};
use crate::domain::Time;
use crate::domain::conference::{AccessLevel, AutomaticLeaders, Capabilities, Conference, ConferenceSettings, Invitee};
use crate::domain::conference_rules::{self, RuleError};
use crate::domain::conversation::Role;
use crate::domain::series::Moved;
use jiff::tz::TimeZone;

const LEADERS: [(AutomaticLeaders, &str); 3] = [
    (AutomaticLeaders::Disabled, "Those I name"),
    (AutomaticLeaders::SameEnterprise, "My company"),
    (AutomaticLeaders::Everyone, "Everybody"),
];

/// What an invitation from person to person can say.
const PLAIN: [FieldId; 6] =
    [FieldId::Subject, FieldId::When, FieldId::Zone, FieldId::Repeat, FieldId::Invitees, FieldId::Description];

/// Why settings cannot be saved, and where.
pub type Fault = (FieldId, String);

fn text(id: FieldId, label: &'static str, help: &'static str, value: &str) -> Field {
    Field { id, label, help, value: FieldValue::Text(Editor::limited(value, FIELD_CHARS)), error: None, reading: None }
}

fn choice(id: FieldId, label: &'static str, help: &'static str, options: &[&str], at: usize) -> Field {
    let options = options.iter().map(|o| (*o).to_owned()).collect();
    Field { id, label, help, value: FieldValue::Choice { options, at }, error: None, reading: None }
}

fn yes(id: FieldId, label: &'static str, help: &'static str, is: bool) -> Field {
    choice(id, label, help, &["no", "yes"], usize::from(is))
}

/// The fields of a whole meeting.
///
/// `rules`: the server can say who gets in, who leads and what they must know.
pub fn fields(s: &ConferenceSettings, time: &str, capabilities: Option<&Capabilities>, rules: bool) -> Vec<Field> {
    let access: Vec<&str> = ACCESS.iter().map(|a| a.1).collect();
    let leaders: Vec<&str> = LEADERS.iter().map(|l| l.1).collect();
    let repeat = s.series.as_ref().map(|x| series::write(&x.rule)).unwrap_or_default();
    let zone = when::zone_by_name(&s.time_zone).unwrap_or(TimeZone::UTC);
    let expiry = s.expiry.map(|t| t.timestamp().to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
    let mut out = vec![
        text(FieldId::Subject, "Subject", "What the meeting is about", &s.subject),
        text(FieldId::When, "When", "tomorrow 10:00 1h · next tue 9 · 2026-12-01 14:00 45m · in 2h", time),
        text(FieldId::Zone, "Time zone", "Such as Europe/Berlin, America/New_York, UTC", &s.time_zone),
        text(
            FieldId::Repeat,
            "Repeat",
            "every tue · weekdays · every 2 weeks 10 times · monthly until 2027-06-30 · FREQ=…",
            &repeat,
        ),
        choice(
            FieldId::Access,
            "Who gets in",
            "Left and right go through the choices; Ctrl-G tells in full who will get in",
            &access,
            ACCESS.iter().position(|a| a.0 == s.access).unwrap_or(0),
        ),
        text(
            FieldId::Invitees,
            "Invite",
            "Addresses or names from the list, with commas; ! before one makes a leader",
            &invitees_text(s),
        ),
        choice(
            FieldId::Leaders,
            "Who leads",
            "Who becomes a leader by coming in",
            &leaders,
            LEADERS.iter().position(|l| l.0 == s.automatic_leaders).unwrap_or(0),
        ),
        text(FieldId::Passcode, "Passcode", "Letters or digits; strangers must say it", s.passcode.as_deref().unwrap_or("")),
        yes(FieldId::PasscodeNeeded, "Asked of all", "Colleagues must say the passcode, too", !s.passcode_optional),
        yes(FieldId::Announcements, "Announce", "Announce who comes and goes", s.announcements),
    ];
    if capabilities.is_some_and(|c| !c.phones.is_empty()) || s.phone_access {
        out.push(yes(FieldId::Phone, "Phone", "People may call; needs everyone's access and a passcode", s.phone_access));
        out.push(yes(FieldId::Bypass, "Skip lobby", "Callers by phone skip the lobby", s.lobby_bypass));
    }
    if capabilities.is_some_and(|c| c.mcus.len() > 1) || s.mcus.len() > 1 {
        let help = "Media with commas, such as chat, audio-video";
        out.push(text(FieldId::Media, "Media", help, &s.mcus.join(", ")));
    }
    out.push(text(FieldId::ForgetAfter, "Forget after", "Empty: as the server does; 2027-01-31, in 3 weeks", &expiry));
    out.push(text(FieldId::Description, "Description", "More about it; may be empty", &s.description));
    out.push(text(FieldId::Data, "Data", "For programs that read meetings; may be empty", &s.notification_data));
    if !rules {
        out.retain(|f| PLAIN.contains(&f.id));
    }
    out
}

/// The fields of one time of a series.
pub fn fields_of_one(c: &Conference, slot: &Slot) -> Vec<Field> {
    let zone = when::zone_by_name(&c.settings.time_zone).unwrap_or(TimeZone::UTC);
    let time = slot.start.map(|s| when::write(s, slot.end, &zone)).unwrap_or_default();
    vec![
        text(FieldId::Subject, "Subject", "Of this one time alone", &slot.subject),
        text(FieldId::When, "When", "When this one takes place; the others stay", &time),
    ]
}

fn invitees_text(s: &ConferenceSettings) -> String {
    let one = |p: &Invitee| if p.role == Role::Leader { format!("!{}", p.uri.bare()) } else { p.uri.bare().to_owned() };
    s.participants.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Shows under every field how it is understood, or what is wrong with it.
pub fn check(door: &mut Door<'_>) {
    let Some(form) = door.state.meetings.form.clone() else { return };
    let readings = readings(door.state, &form, door.now);
    let fault = settings(door.state, &form, door.now).err();
    let Some(f) = door.state.meetings.form.as_mut() else { return };
    for (id, reading) in readings {
        f.check(id, reading);
    }
    // What one field asks of another is said where it can be mended; what is merely not written yet is wrong only when saved.
    if let Some((id, reason)) = fault.filter(|(id, _)| written(&form, *id)) {
        f.check(id, Err(reason));
    }
}

fn written(form: &Form, id: FieldId) -> bool {
    !form.text(id).trim().is_empty() || matches!(form.field(id).map(|f| &f.value), Some(FieldValue::Choice { .. }))
}

type Reading = (FieldId, Result<Option<String>, String>);

fn readings(state: &State, form: &Form, now: Time) -> Vec<Reading> {
    let zone = read_zone(state, form);
    let time = match &zone {
        _ if form.text(FieldId::When).trim().is_empty() => Ok(None),
        Ok(z) => read_when(form, now, z).map(|(start, end)| Some(when::describe(start, Some(end), z))),
        Err(_) => Ok(None),
    };
    let people = read_invitees(state, form).map(|list| {
        let leads = |i: &Invitee| if i.role == Role::Leader { " (leads)" } else { "" };
        let names: Vec<String> = list.iter().map(|i| format!("{}{}", state.name(&i.uri), leads(i))).collect();
        (!names.is_empty()).then(|| names.join(", "))
    });
    let repeat = match &zone {
        Ok(z) => series::read(form.text(FieldId::Repeat), now, z).map(|s| s.map(|s| series::words(&s.rule))),
        Err(_) => Ok(None),
    };
    let expiry = match &zone {
        Ok(z) => read_expiry(form, now, z).map(|t| t.map(|t| when::describe(t, None, z))),
        Err(_) => Ok(None),
    };
    let plain = [
        FieldId::Passcode,
        FieldId::PasscodeNeeded,
        FieldId::Phone,
        FieldId::Bypass,
        FieldId::Media,
        FieldId::Leaders,
        FieldId::Description,
        FieldId::Data,
        FieldId::Announcements,
    ];
    let mut out: Vec<Reading> = plain.into_iter().map(|id| (id, Ok(None))).collect();
    out.extend([
        // An empty subject is only wrong once it is saved.
        (FieldId::Subject, Ok(None)),
        (FieldId::When, time),
        (FieldId::Zone, zone.map(|_| None)),
        (FieldId::Invitees, people),
        (FieldId::Repeat, repeat),
        (FieldId::ForgetAfter, expiry),
        (FieldId::Access, Ok(Some(outlook::sentence(&rough(state, form)).to_owned()))),
    ]);
    out
}

/// The settings as far as the choices tell them, for sentences.
fn rough(state: &State, form: &Form) -> ConferenceSettings {
    let passcode = form.text(FieldId::Passcode).trim().to_owned();
    ConferenceSettings {
        access: ACCESS.get(form.choice(FieldId::Access)).map_or(AccessLevel::SameEnterprise, |a| a.0),
        automatic_leaders: LEADERS.get(form.choice(FieldId::Leaders)).map_or(AutomaticLeaders::Disabled, |l| l.0),
        passcode_optional: form.choice(FieldId::PasscodeNeeded) == 0,
        passcode: (!passcode.is_empty()).then_some(passcode),
        phone_access: form.choice(FieldId::Phone) == 1,
        lobby_bypass: form.choice(FieldId::Bypass) == 1,
        announcements: form.choice(FieldId::Announcements) == 1,
        participants: read_invitees(state, form).unwrap_or_default(),
        ..ConferenceSettings::default()
    }
}

/// Who would get in by what the form says now.
pub fn page(state: &State, form: &Form) -> Vec<(&'static str, String)> {
    let Some(me) = state.account.address.clone() else { return Vec::new() };
    outlook::page(&rough(state, form), &me, &|u| state.name(u).to_owned())
}

fn read_zone(state: &State, form: &Form) -> Result<TimeZone, String> {
    if form.field(FieldId::Zone).is_none() {
        // One time of a series keeps the zone of the series.
        let zone = form.editing.as_ref().and_then(|id| state.meetings.find(id)).map(|c| c.settings.time_zone.clone());
        return Ok(zone.and_then(|z| when::zone_by_name(&z)).unwrap_or(TimeZone::UTC));
    }
    let name = form.text(FieldId::Zone).trim();
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    when::zone_by_name(name).ok_or_else(|| format!("“{name}” is no time zone; write one such as Europe/Berlin, or UTC"))
}

fn read_when(form: &Form, now: Time, zone: &TimeZone) -> Result<(Time, Time), String> {
    let text = form.text(FieldId::When).trim();
    let (slot, rest) = when::slot(text, now, zone)?;
    if rest.is_empty() { Ok((slot.start, slot.end)) } else { Err(format!("“{rest}” is no time")) }
}

fn read_expiry(form: &Form, now: Time, zone: &TimeZone) -> Result<Option<Time>, String> {
    let text = form.text(FieldId::ForgetAfter).trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (at, rest) = when::until(text, now, zone)?;
    if rest.is_empty() { Ok(Some(at)) } else { Err(format!("“{rest}” is no time")) }
}

fn read_invitees(state: &State, form: &Form) -> Result<Vec<Invitee>, String> {
    let mut out: Vec<Invitee> = Vec::new();
    for word in form.text(FieldId::Invitees).split([',', ';', '\n']).map(str::trim).filter(|w| !w.is_empty()) {
        let (role, who) = word.strip_prefix('!').map_or((Role::Attendee, word), |w| (Role::Leader, w));
        let uri = person_by_words(state, who)?;
        if state.account.address.as_ref() == Some(&uri) {
            continue;
        }
        if out.iter().any(|i| i.uri == uri) {
            return Err(RuleError::DuplicateParticipant(uri.bare().to_owned()).to_string());
        }
        out.push(Invitee { uri, role });
    }
    Ok(out)
}

/// The settings a form makes; of one time of a series the whole series with that time changed.
pub fn settings(state: &State, form: &Form, now: Time) -> Result<ConferenceSettings, Fault> {
    let old = form.editing.as_ref().and_then(|id| state.meetings.find(id)).map(|c| c.settings.clone());
    if let (Some(of), Some(old)) = (form.occurrence, old.clone()) {
        return one_time(state, form, now, old, of);
    }
    let mut s = ConferenceSettings { ..rough(state, form) };
    let kept = old.clone().unwrap_or_default();
    s.template = kept.template;
    s.notification_data = match form.field(FieldId::Data) {
        Some(_) => form.text(FieldId::Data).trim().to_owned(),
        None => kept.notification_data.clone(),
    };
    s.subject = form.text(FieldId::Subject).trim().to_owned();
    if s.subject.is_empty() {
        return Err((FieldId::Subject, "a meeting needs a subject".into()));
    }
    let zone = read_zone(state, form).map_err(|e| (FieldId::Zone, e))?;
    let unchanged = kept.start.is_some_and(|start| when::write(start, kept.end, &zone) == form.text(FieldId::When).trim());
    (s.start, s.end) = if unchanged {
        // A meeting whose time was not touched may lie in the past; a new time may not.
        (kept.start, kept.end)
    } else {
        read_when(form, now, &zone).map(|(a, b)| (Some(a), Some(b))).map_err(|e| (FieldId::When, e))?
    };
    s.time_zone = form.text(FieldId::Zone).trim().to_owned();
    s.series = series::read(form.text(FieldId::Repeat), now, &zone).map_err(|e| (FieldId::Repeat, e))?;
    if let (Some(new), Some(before)) = (s.series.as_mut(), kept.series.as_ref())
        && new.rule == before.rule
        && s.start == kept.start
    {
        // The exceptions belong to the same times as before.
        *new = before.clone();
    }
    if let (Some(first), Some(start), Some(end)) = (series::first(&s), s.start, s.end) {
        (s.start, s.end) = (Some(first), Some(first + end.since(start)));
    }
    s.participants = read_invitees(state, form).map_err(|e| (FieldId::Invitees, e))?;
    s.description = form.text(FieldId::Description).trim().to_owned();
    s.expiry = match form.text(FieldId::ForgetAfter).trim() {
        text if kept
            .expiry
            .is_some_and(|t| t.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string() == text) =>
        {
            kept.expiry
        }
        _ => read_expiry(form, now, &zone).map_err(|e| (FieldId::ForgetAfter, e))?,
    };
    s.mcus = match form.field(FieldId::Media) {
        None => kept.mcus.clone(),
        Some(_) => form.text(FieldId::Media).split(',').map(|m| m.trim().to_lowercase()).filter(|m| !m.is_empty()).collect(),
    };
    if form.field(FieldId::Phone).is_none() {
        (s.phone_access, s.lobby_bypass) = (kept.phone_access, kept.lobby_bypass);
    }
    conference_rules::check(&s, state.meetings.capabilities.as_ref(), now).map_err(|e| (field_of(&e), e.to_string()))?;
    Ok(s)
}

fn one_time(state: &State, form: &Form, now: Time, mut s: ConferenceSettings, of: Time) -> Result<ConferenceSettings, Fault> {
    let subject = form.text(FieldId::Subject).trim().to_owned();
    let zone = read_zone(state, form).map_err(|e| (FieldId::Zone, e))?;
    let before = state.meetings.agenda.iter().find(|x| x.of == Some(of) && Some(&x.id) == form.editing.as_ref());
    let same = before.and_then(|b| Some((b.start?, b.end?)));
    let same = same.filter(|(a, b)| when::write(*a, Some(*b), &zone) == form.text(FieldId::When).trim());
    let (start, end) = match same {
        Some(times) => times,
        None => read_when(form, now, &zone).map_err(|e| (FieldId::When, e))?,
    };
    let subject = if subject == s.subject { String::new() } else { subject };
    let Some(x) = s.series.as_mut() else { return Err((FieldId::When, "this meeting does not repeat any more".into())) };
    x.change(Moved { of, start, end, subject });
    Ok(s)
}

/// The field where a broken rule is mended.
fn field_of(e: &RuleError) -> FieldId {
    use RuleError as R;
    match e {
        R::SubjectTooLong => FieldId::Subject,
        R::DescriptionTooLong => FieldId::Description,
        R::NotificationDataTooLong => FieldId::Data,
        R::TimesWrong | R::SeriesWithoutTime => FieldId::When,
        R::SeriesInvalid => FieldId::Repeat,
        R::ExpiryOutOfRange | R::ExpiresBeforeEnd => FieldId::ForgetAfter,
        R::PasscodeInvalid | R::PasscodeMissing | R::PhoneNeedsPasscode => FieldId::Passcode,
        R::PhoneNeedsEveryone | R::PhoneNotOffered => FieldId::Phone,
        R::NoMedia | R::MediaNotOffered(_) => FieldId::Media,
        R::DuplicateParticipant(_) | R::TooManyParticipants => FieldId::Invitees,
        R::AnonymousNotOffered => FieldId::Access,
        R::IdInvalid => FieldId::Subject,
    }
}
