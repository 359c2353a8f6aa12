//! The agenda and its form.

use super::commands::dialog::ask_file;
use super::door::{Door, Pending, Then};
use super::effect::Effect;
use super::limits::FIELD_CHARS;
use super::people::person_by_words;
use super::state::overlay::{Ask, Confirm, Deed, Overlay};
use super::state::{Field, FieldId, FieldValue, Form, Pane, State};
use super::{Editor, form, invitation, tabs, when};
use crate::domain::conference::{AccessLevel, Conference, ConferenceId, ConferenceSettings, Invitee};
use crate::domain::conversation::Role;
use crate::domain::{Address, Time};
use crate::endpoint::{JoinTarget, Operation};
use jiff::tz::TimeZone;

/// Access levels in the order of the form, with their words.
pub const ACCESS: [(AccessLevel, &str); 4] = [
    (AccessLevel::SameEnterprise, "Everybody of my company"),
    (AccessLevel::Invited, "Only those invited"),
    (AccessLevel::Everyone, "Everyone with the link"),
    (AccessLevel::Locked, "Nobody without being let in"),
];

/// Asks for the agenda.
pub fn refresh(door: &mut Door<'_>) {
    door.ask(Operation::ListConferences, Pending::new("Fetching your meetings").then(Then::AgendaList));
}

/// Takes the agenda.
pub fn heard(state: &mut State, mut list: Vec<Conference>) {
    // An ad hoc conference has no start and stands last.
    list.sort_by_key(|c| (c.settings.start.is_none(), c.settings.start, c.id.clone()));
    let m = &mut state.meetings;
    let before = m.selection.as_ref().and_then(|id| m.list.iter().position(|c| c.id == *id));
    (m.list, m.loaded) = (list, true);
    let there = m.selection.as_ref().is_some_and(|id| m.list.iter().any(|c| c.id == *id));
    if !there {
        let now = state.view.now;
        let next = m.list.iter().position(|c| c.settings.end.or(c.settings.start).is_some_and(|t| t >= now)).unwrap_or(0);
        let at = before.unwrap_or(next).min(m.list.len().saturating_sub(1));
        m.selection = m.list.get(at).map(|c| c.id.clone());
    }
}

/// Opens an empty form; `when` and `subject` may be filled in.
pub fn new_form(door: &mut Door<'_>, invitees: &[Address]) {
    let zone = door.state.view.zone.clone();
    let settings = ConferenceSettings {
        participants: invitees.iter().map(|u| Invitee { uri: u.clone(), role: Role::Attendee }).collect(),
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        ..ConferenceSettings::default()
    };
    open_form(door, None, &settings, "");
}

/// Opens the form of an existing meeting.
pub fn edit_form(door: &mut Door<'_>, id: &ConferenceId) -> Result<(), String> {
    let c = door.state.meetings.list.iter().find(|c| c.id == *id).cloned().ok_or("this meeting does not exist any more")?;
    own(door.state, &c)?;
    let zone = when::zone_by_name(&c.settings.time_zone).unwrap_or_else(|| door.state.view.zone.clone());
    let time = c.settings.start.map(|s| when::write(s, c.settings.end, &zone)).unwrap_or_default();
    open_form(door, Some(c.id), &c.settings, &time);
    Ok(())
}

fn own(state: &State, c: &Conference) -> Result<(), String> {
    if state.account.address.as_ref() == Some(&c.organizer) {
        Ok(())
    } else {
        Err("only the organizer can change a meeting".into())
    }
}

fn open_form(door: &mut Door<'_>, editing: Option<ConferenceId>, s: &ConferenceSettings, time: &str) {
    let text = |id, label, help, value: &str| Field {
        id,
        label,
        help,
        value: FieldValue::Text(Editor::limited(value, FIELD_CHARS)),
        error: None,
        reading: None,
    };
    let invitees: Vec<&str> = s.participants.iter().map(|p| p.uri.bare()).collect();
    let fields = vec![
        text(FieldId::Subject, "Subject", "What the meeting is about", &s.subject),
        text(FieldId::When, "When", "tomorrow 10:00 1h · next tue 9 · 2026-12-01 14:00 45m · in 2h", time),
        text(FieldId::Zone, "Time zone", "Such as Europe/Berlin, America/New_York, UTC", &s.time_zone),
        Field {
            id: FieldId::Access,
            label: "Who gets in",
            help: "Left and right go through the choices",
            value: FieldValue::Choice {
                options: ACCESS.iter().map(|a| a.1.to_owned()).collect(),
                at: ACCESS.iter().position(|a| a.0 == s.access).unwrap_or(0),
            },
            error: None,
            reading: None,
        },
        text(
            FieldId::Invitees,
            "Invite",
            "Addresses or names from the list, with commas; ! before one makes a leader",
            &invitees_text(s, &invitees),
        ),
        text(FieldId::Description, "Description", "More about it; may be empty", &s.description),
    ];
    door.state.meetings.form = Some(Form { editing, fields, ..Form::default() });
    (door.state.pane, door.state.main) = (Pane::Meetings, Pane::Meetings);
    check(door);
}

fn invitees_text(s: &ConferenceSettings, bare: &[&str]) -> String {
    let one = |(p, b): (&Invitee, &&str)| if p.role == Role::Leader { format!("!{b}") } else { (*b).to_owned() };
    s.participants.iter().zip(bare).map(one).collect::<Vec<_>>().join(", ")
}

/// Shows under every field how it is understood.
pub fn check(door: &mut Door<'_>) {
    let now = door.now;
    let Some(form) = door.state.meetings.form.clone() else { return };
    let zone = read_zone(&form);
    let time = match &zone {
        Ok(z) => read_when(&form, now, z).map(|s| s.map(|(start, end)| when::describe(start, Some(end), z))),
        Err(_) => Ok(None),
    };
    let people = read_invitees(door.state, &form).map(|list| {
        let names: Vec<&str> = list.iter().map(|i| door.state.name(&i.uri)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    });
    // An empty subject is only wrong once it is saved.
    if let Some(f) = door.state.meetings.form.as_mut() {
        f.check(FieldId::Subject, Ok(None));
        f.check(FieldId::When, if form.text(FieldId::When).trim().is_empty() { Ok(None) } else { time });
        f.check(FieldId::Zone, zone.map(|_| None));
        f.check(FieldId::Invitees, people);
    }
}

fn read_zone(form: &Form) -> Result<TimeZone, String> {
    let name = form.text(FieldId::Zone).trim();
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    when::zone_by_name(name).ok_or_else(|| format!("“{name}” is no time zone; write one such as Europe/Berlin, or UTC"))
}

fn read_when(form: &Form, now: Time, zone: &TimeZone) -> Result<Option<(Time, Time)>, String> {
    let text = form.text(FieldId::When).trim();
    let (slot, rest) = when::slot(text, now, zone)?;
    if rest.is_empty() { Ok(Some((slot.start, slot.end))) } else { Err(format!("“{rest}” is no time")) }
}

fn read_invitees(state: &State, form: &Form) -> Result<Vec<Invitee>, String> {
    let mut out: Vec<Invitee> = Vec::new();
    for word in form.text(FieldId::Invitees).split([',', ';', '\n']).map(str::trim).filter(|w| !w.is_empty()) {
        let (role, who) = word.strip_prefix('!').map_or((Role::Attendee, word), |w| (Role::Leader, w));
        let uri = person_by_words(state, who)?;
        if state.account.address.as_ref() != Some(&uri) && !out.iter().any(|i| i.uri == uri) {
            out.push(Invitee { uri, role });
        }
    }
    Ok(out)
}

/// Saves the form: schedules or updates.
pub fn save(door: &mut Door<'_>) -> Result<(), String> {
    let Some(form) = door.state.meetings.form.clone() else { return Err("no form is open".into()) };
    if form.saving.is_some() {
        return Err("it is being saved already".into());
    }
    if !door.state.link.is_up() {
        return Err("saving needs the server, and the link is down; the form stays open".into());
    }
    let settings = match settings(door, &form) {
        Ok(s) => s,
        Err((field, reason)) => {
            if let Some(f) = door.state.meetings.form.as_mut() {
                form::mark(f, field, &reason);
            }
            return Err(reason);
        }
    };
    let (operation, what, done) = match form.editing.clone() {
        Some(id) => (Operation::UpdateConference { id, settings }, "Changing the meeting", "The meeting is changed"),
        None => (
            Operation::ScheduleConference { settings },
            "Scheduling the meeting",
            "The meeting is scheduled; y copies the invitation",
        ),
    };
    let id = door.ask(operation, Pending::new(what).done(done).then(Then::MeetingForm));
    if let Some(f) = door.state.meetings.form.as_mut() {
        (f.saving, f.error) = (Some(id), None);
    }
    Ok(())
}

fn settings(door: &Door<'_>, form: &Form) -> Result<ConferenceSettings, (FieldId, String)> {
    let mut s = form
        .editing
        .as_ref()
        .and_then(|id| door.state.meetings.list.iter().find(|c| c.id == *id))
        .map_or_else(ConferenceSettings::default, |c| c.settings.clone());
    s.subject = form.text(FieldId::Subject).trim().to_owned();
    if s.subject.is_empty() {
        return Err((FieldId::Subject, "a meeting needs a subject".into()));
    }
    let zone = read_zone(form).map_err(|e| (FieldId::Zone, e))?;
    let unchanged = s.start.is_some_and(|start| when::write(start, s.end, &zone) == form.text(FieldId::When).trim());
    if !unchanged {
        // A meeting whose time was not touched may lie in the past; a new time may not.
        let times = read_when(form, door.now, &zone).map_err(|e| (FieldId::When, e))?;
        (s.start, s.end) = times.map_or((None, None), |(a, b)| (Some(a), Some(b)));
    }
    s.time_zone = form.text(FieldId::Zone).trim().to_owned();
    s.access = ACCESS.get(form.choice(FieldId::Access)).map_or(AccessLevel::SameEnterprise, |a| a.0);
    s.participants = read_invitees(door.state, form).map_err(|e| (FieldId::Invitees, e))?;
    s.description = form.text(FieldId::Description).trim().to_owned();
    Ok(s)
}

/// Leaves the form, asking if something would be lost.
pub fn leave_form(door: &mut Door<'_>) -> Result<(), String> {
    if door.state.meetings.form.as_ref().is_some_and(|f| f.changed) {
        let text = "Leave the form? What was changed in it is lost.".into();
        door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Leave", then: Deed::LeaveForm }));
    } else {
        door.state.meetings.form = None;
    }
    Ok(())
}

fn selected(door: &Door<'_>) -> Result<Conference, String> {
    door.state.meetings.selected().cloned().ok_or_else(|| "no meeting is selected; n makes one".into())
}

/// Asks whether to cancel the selected meeting.
pub fn cancel_asking(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    own(door.state, &c)?;
    let time = c.settings.start.map(|s| when::describe(s, c.settings.end, &door.state.view.zone)).unwrap_or_default();
    let active = if c.is_active { " People are in it now; it ends for them." } else { "" };
    let text = format!("Cancel “{}”, {time}? This cannot be undone.{active}", subject(&c));
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Cancel it", then: Deed::CancelConference(c.id) }));
    Ok(())
}

/// A meeting's title, raw.
pub fn subject(c: &Conference) -> &str {
    if c.settings.subject.is_empty() { "Meeting without a subject" } else { &c.settings.subject }
}

/// Cancels a meeting.
pub fn cancel_now(door: &mut Door<'_>, id: ConferenceId) {
    let pending = Pending::new("Cancelling the meeting").done("The meeting is cancelled").then(Then::Agenda);
    door.ask(Operation::CancelConference { id }, pending);
}

/// Joins the selected meeting.
pub fn join(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    tabs::join(door, JoinTarget::Link(c.uri.clone()), c.settings.subject)
}

/// Copies the invitation of the selected meeting.
pub fn copy_invitation(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    let organizer = door.name(&c.organizer);
    door.effects.push(Effect::Copy(invitation::text(&c, &organizer, &door.state.view.zone)));
    door.say("The invitation is copied");
    Ok(())
}

/// Asks where to write the calendar file of the selected meeting.
pub fn ask_write(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    let name = format!("{}.ics", file_name(subject(&c)));
    ask_file(door, Ask::SaveInvitation(c.id), "Write the invitation", &name);
    Ok(())
}

/// Writes the calendar file of a meeting.
pub fn write_invitation(door: &mut Door<'_>, id: &ConferenceId, path: String) -> Result<(), String> {
    let c = door.state.meetings.list.iter().find(|c| c.id == *id).cloned().ok_or("this meeting does not exist any more")?;
    let names = |u: &Address| door.state.name(u).to_owned();
    let contents = invitation::calendar(&c, &names, door.now);
    door.effects.push(Effect::WriteFile { path, contents });
    Ok(())
}

/// A harmless file name from a title.
pub fn file_name(title: &str) -> String {
    let mut name: String = title.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(60).collect();
    while name.contains("--") {
        name = name.replace("--", "-");
    }
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() { "meeting".into() } else { name }
}

/// `/meet tomorrow 10:00 1h Budget`: schedules with the people of the present conversation.
pub fn meet(door: &mut Door<'_>, args: &str) -> Result<(), String> {
    let zone = door.state.view.zone.clone();
    let (slot, rest) = when::slot(args, door.now, &zone)?;
    let tab = door.state.conversations.current();
    let people: Vec<Invitee> = tab
        .map(|t| t.conversation.participants.iter().map(|p| Invitee { uri: p.uri.clone(), role: Role::Attendee }).collect())
        .unwrap_or_default();
    let subject = if rest.trim().is_empty() {
        tab.map_or_else(|| "Meeting".to_owned(), |t| format!("Meeting with {}", door.state.title(t)))
    } else {
        rest.trim().to_owned()
    };
    let time = when::describe(slot.start, Some(slot.end), &slot.zone);
    let settings = ConferenceSettings {
        subject: subject.clone(),
        start: Some(slot.start),
        end: Some(slot.end),
        time_zone: slot.zone.iana_name().unwrap_or("UTC").to_owned(),
        participants: people,
        ..ConferenceSettings::default()
    };
    let pending = Pending::new("Scheduling the meeting").done(format!("“{subject}” is scheduled: {time}")).then(Then::Agenda);
    door.ask(Operation::ScheduleConference { settings }, pending);
    Ok(())
}

/// "1 message", "3 messages"
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}
