//! The agenda and its form.

use super::commands::dialog::ask_file;
use super::door::{Door, Pending, Then};
use super::effect::{Effect, StoreRequest};
use super::state::overlay::{Ask, Choice, Confirm, Deed, Overlay, Picker};
use super::state::{FieldId, Form, Pane, QuestionKind, State};
use super::{calendar_file, form, invitation, invited, kept, meeting_form, outlook, series, tabs, when};
use crate::domain::conference::{AccessLevel, Conference, ConferenceId, ConferenceSettings, Invitee};
use crate::domain::conversation::Role;
use crate::domain::{Address, Time};
use crate::endpoint::{self, Error, Feature, JoinTarget, Operation};

/// Meetings of others that are kept.
const KEPT: usize = 500;

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
pub fn heard(door: &mut Door<'_>, mut list: Vec<Conference>) {
    // An ad hoc conference has no start and stands last.
    list.sort_by_key(|c| (c.settings.start.is_none(), c.settings.start, c.id.clone()));
    let m = &mut door.state.meetings;
    (m.list, m.loaded, m.built_for) = (list, true, None);
    m.settle(door.now);
    keep(door);
}

/// Keeps the agenda for the next start.
pub fn keep(door: &mut Door<'_>) {
    let m = &door.state.meetings;
    let (own, kept) = (m.list.clone(), m.kept.clone());
    door.store(StoreRequest::SaveMeetings { own, kept });
}

/// Opens an empty form; `when` and `subject` may be filled in.
pub fn new_form(door: &mut Door<'_>, invitees: &[Address]) {
    let zone = door.state.view.zone.clone();
    let settings = ConferenceSettings {
        participants: invitees.iter().map(|u| Invitee { uri: u.clone(), role: Role::Attendee }).collect(),
        time_zone: when::zone_name(&zone),
        ..ConferenceSettings::default()
    };
    open_form(door, None, &settings, "");
}

/// Opens the form of the selected meeting; of one that repeats, asks first whether all of its times are meant.
pub fn edit(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    own(door.state, &c)?;
    let Some(of) = door.state.meetings.occurrence.filter(|_| c.settings.series.is_some()) else {
        return edit_form(door, &c.id);
    };
    let rows = which(door, of, &c);
    let choices = vec![Choice::EditOne(c.id.clone(), of), Choice::EditSeries(c.id)];
    door.state.overlays.push(Overlay::Picker(Picker { title: "Change".into(), rows, at: 0, choices }));
    Ok(())
}

/// The two rows of a question about a series.
fn which(door: &Door<'_>, of: Time, c: &Conference) -> Vec<(String, String)> {
    let zone = &door.state.view.zone;
    let slot = door.state.meetings.agenda.iter().find(|s| s.id == c.id && s.of == Some(of));
    let day =
        slot.and_then(|s| s.start).unwrap_or(of).timestamp().to_zoned(zone.clone()).strftime("%a %-d %b, %H:%M").to_string();
    let rule = c.settings.series.as_ref().map(|s| series::words(&s.rule)).unwrap_or_default();
    vec![("This one alone".into(), day), ("The whole series".into(), rule)]
}

/// Opens the form of one time of a series.
pub fn edit_one(door: &mut Door<'_>, id: &ConferenceId, of: Time) -> Result<(), String> {
    let c = door.state.meetings.find(id).cloned().ok_or("this meeting does not exist any more")?;
    let slot = door.state.meetings.agenda.iter().find(|s| s.id == *id && s.of == Some(of)).cloned();
    let slot = slot.ok_or("this time of the meeting does not exist any more")?;
    let fields = meeting_form::fields_of_one(&c, &slot);
    show_form(door, Form { editing: Some(c.id), occurrence: Some(of), fields, ..Form::default() });
    Ok(())
}

/// Opens the form of a whole meeting.
pub fn edit_form(door: &mut Door<'_>, id: &ConferenceId) -> Result<(), String> {
    let c = door.state.meetings.find(id).cloned().ok_or("this meeting does not exist any more")?;
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
    let rules = door.state.missing(Feature::MeetingRules).is_none();
    let fields = meeting_form::fields(s, time, door.state.meetings.capabilities.as_ref(), rules);
    show_form(door, Form { editing, fields, ..Form::default() });
}

fn show_form(door: &mut Door<'_>, form: Form) {
    if door.state.meetings.form.as_ref().is_some_and(|f| f.changed) {
        door.complain("A meeting with changes is open here: save it or leave it first");
    } else {
        door.state.meetings.form = Some(form);
    }
    (door.state.pane, door.state.main) = (Pane::Meetings, Pane::Meetings);
    check(door);
}

/// Shows under every field how it is understood.
pub fn check(door: &mut Door<'_>) {
    meeting_form::check(door);
}

/// Shows in full who will get in: by the open form, else by the selected meeting.
pub fn who_gets_in(door: &mut Door<'_>) -> Result<(), String> {
    let page = match &door.state.meetings.form {
        Some(form) => meeting_form::page(door.state, form),
        None => {
            let c = selected(door)?;
            outlook::page(&c.settings, &c.organizer, &|u| door.state.name(u).to_owned())
        }
    };
    let lines = page.into_iter().flat_map(|(heading, words)| [format!("{heading}:"), format!("  {words}"), String::new()]);
    let lines = lines.collect();
    door.state.overlays.push(Overlay::Details { title: "Who will get in".into(), lines, scroll: 0 });
    Ok(())
}

/// This server tells nobody of a meeting.
const NOT_TOLD: &str = "The meeting is scheduled; nobody is told of it yet: y copies the invitation, w writes it to a file";

/// Whether meetings can be made and changed now: where the server keeps none they are kept here, and who is invited is told later.
fn can_change(state: &State) -> bool {
    state.link.is_up() || state.missing(Feature::Meetings).is_some()
}

/// What became of a meeting, with what becomes of those invited while there is no server.
fn done(state: &State, what: &str, invited: bool) -> String {
    let later = if invited && !state.link.is_up() { "; those invited are told when you are signed in" } else { "" };
    format!("{what}{later}")
}

/// Saves the form: schedules or updates.
pub fn save(door: &mut Door<'_>) -> Result<(), String> {
    let Some(form) = door.state.meetings.form.clone() else { return Err("no form is open".into()) };
    if form.saving.is_some() {
        return Err("it is being saved already".into());
    }
    if !can_change(door.state) {
        return Err("saving needs the server, and the link is down; the form stays open".into());
    }
    let settings = match meeting_form::settings(door.state, &form, door.now) {
        Ok(s) => s,
        Err((field, reason)) => {
            check(door);
            if let Some(f) = door.state.meetings.form.as_mut() {
                form::mark(f, field, &reason);
            }
            return Err(reason);
        }
    };
    let invited = !settings.participants.is_empty();
    let (operation, what, done) = match form.editing.clone() {
        Some(id) => {
            let done = done(door.state, "The meeting is changed", invited);
            (Operation::UpdateConference { id, settings }, "Changing the meeting", done)
        }
        None => (
            Operation::ScheduleConference { settings },
            "Scheduling the meeting",
            match (door.state.missing(Feature::Meetings), form.text(FieldId::Invitees).trim()) {
                (_, "") => "The meeting is scheduled".into(),
                (Some(_), _) if door.state.link.is_up() => "The meeting is scheduled; those invited are being told".into(),
                (Some(_), _) => done(door.state, "The meeting is scheduled", invited),
                (None, _) => NOT_TOLD.into(),
            },
        ),
    };
    let id = door.ask(operation, Pending::new(what).done(done).then(Then::MeetingForm));
    if let Some(f) = door.state.meetings.form.as_mut() {
        (f.saving, f.error) = (Some(id), None);
    }
    Ok(())
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

/// Asks whether to cancel the selected meeting; of one that repeats, which of its times. A kept one is only forgotten.
pub fn cancel_asking(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    if door.state.account.address.as_ref() != Some(&c.organizer) {
        let text = format!("Take “{}” out of your agenda? Its organizer is not told.", subject(&c));
        door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Take it out", then: Deed::ForgetMeeting(c.id) }));
        return Ok(());
    }
    if !can_change(door.state) {
        return Err("this needs the server, and the link is down".into());
    }
    let Some(of) = door.state.meetings.occurrence.filter(|_| c.settings.series.is_some()) else {
        return cancel_series_asking(door, &c.id);
    };
    let rows = which(door, of, &c);
    let choices = vec![Choice::CancelOne(c.id.clone(), of), Choice::CancelSeries(c.id)];
    door.state.overlays.push(Overlay::Picker(Picker { title: "Cancel".into(), rows, at: 0, choices }));
    Ok(())
}

/// Asks whether to cancel a whole meeting.
pub fn cancel_series_asking(door: &mut Door<'_>, id: &ConferenceId) -> Result<(), String> {
    let c = door.state.meetings.find(id).cloned().ok_or("this meeting does not exist any more")?;
    let time = c.settings.start.map(|s| when::describe(s, c.settings.end, &door.state.view.zone)).unwrap_or_default();
    let all = c.settings.series.as_ref().map(|s| format!(", {}", series::words(&s.rule))).unwrap_or_default();
    let active = match door.state.missing(Feature::Meetings) {
        Some(_) if !c.settings.participants.is_empty() => " Those invited are told.",
        _ if c.is_active => " People are in it now; it ends for them.",
        _ => "",
    };
    let text = format!("Cancel “{}”, {time}{all}? This cannot be undone.{active}", subject(&c));
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Cancel it", then: Deed::CancelConference(c.id) }));
    Ok(())
}

/// Cancels one time of a series; the others stay.
pub fn cancel_one(door: &mut Door<'_>, id: &ConferenceId, of: Time) -> Result<(), String> {
    let c = door.state.meetings.find(id).cloned().ok_or("this meeting does not exist any more")?;
    let mut settings = c.settings.clone();
    let undo = vec![Operation::UpdateConference { id: c.id.clone(), settings: c.settings.clone() }];
    settings.series.as_mut().ok_or("this meeting does not repeat any more")?.cancel(of);
    let pending = Pending::new("Cancelling this one").done("This one is cancelled; the others take place").undo(undo);
    door.ask(Operation::UpdateConference { id: c.id, settings }, pending.then(Then::Series));
    Ok(())
}

/// Takes a meeting of somebody else out of the agenda.
pub fn forget(door: &mut Door<'_>, id: &ConferenceId) {
    let m = &mut door.state.meetings;
    m.kept.retain(|c| c.id != *id);
    m.built_for = None;
    m.settle(door.now);
    door.state.questions.retain(|q| !matches!(&q.kind, QuestionKind::Meeting { id: asked, .. } if asked == id));
    keep(door);
    if door.state.missing(Feature::Meetings).is_some() {
        door.ask_quietly(Operation::ForgetMeeting { id: id.clone() });
    }
}

pub use crate::domain::itip::subject;

/// Cancels a meeting.
pub fn cancel_now(door: &mut Door<'_>, id: ConferenceId) {
    let invited = door.state.meetings.find(&id).is_some_and(|c| !c.settings.participants.is_empty());
    let done = done(door.state, "The meeting is cancelled", invited);
    let pending = Pending::new("Cancelling the meeting").done(done).then(Then::Agenda);
    door.ask(Operation::CancelConference { id }, pending);
}

/// Joins the selected meeting.
pub fn join(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    join_slot(door, &c.id)
}

/// Joins a meeting of the agenda.
pub fn join_slot(door: &mut Door<'_>, id: &ConferenceId) -> Result<(), String> {
    let c = door.state.meetings.find(id).cloned().ok_or("this meeting does not exist any more")?;
    if !door.state.link.is_up() {
        return Err("joining needs the server, and the link is down".into());
    }
    if let Some(gone_to) = invited::join(door, &c) {
        return gone_to;
    }
    let passcode = c.settings.passcode.clone().filter(|_| door.state.account.address.as_ref() != Some(&c.organizer));
    tabs::join_with(door, JoinTarget::Link(c.uri.clone()), c.settings.subject, passcode)
}

/// Asks for the passcode of a meeting that was not entered without.
///
/// `typed`: the one that was wrong; it stays to be mended.
pub fn ask_passcode(door: &mut Door<'_>, target: JoinTarget, subject: String, typed: &str, error: &Error) {
    let hint = "It stands in the invitation; ask the organizer if not";
    super::commands::people::prompt(door, Ask::Passcode(target, subject), "Passcode", hint, typed);
    if let Some(Overlay::Prompt(p)) = door.state.overlays.last_mut() {
        p.error = Some(error.text.clone());
    }
}

/// Asks for a calendar file to read.
pub fn ask_read(door: &mut Door<'_>) {
    ask_file(door, Ask::ReadInvitation, "Read an invitation (.ics)", "");
}

/// A calendar file was read: asks what to do with its meeting.
pub fn file_read(door: &mut Door<'_>, path: &str, text: &str) {
    let invitation = match calendar_file::read(text, &door.state.view.zone) {
        Ok(i) => i,
        Err(reason) => return door.complain(format!("{path}: {reason}")),
    };
    let s = &invitation.settings;
    let time = s.start.or(invitation.of).map(|t| when::describe(t, s.end, &door.state.view.zone)).unwrap_or_default();
    let joinable = invitation.link.as_deref().and_then(endpoint::parse_link).is_some();
    let known = kept::known(door.state, &invitation);
    let older = known.is_some_and(|c| invitation.sequence < c.version);
    let one = kept::one_time(door.state, &invitation);
    // One time of a meeting that does not repeat here is that meeting, or it is not here.
    let meant = known.is_some_and(|c| one.is_some() || invitation.of.is_none_or(|of| c.settings.start == Some(of)));
    let mut rows = Vec::new();
    let mut choices = Vec::new();
    if invitation.cancelled {
        if !meant {
            return door.say(format!("“{}” was cancelled; it is not in your agenda", s.subject));
        }
        if older {
            return door.say(format!("“{}” was invited to again after this cancellation; nothing has changed", s.subject));
        }
        let row = match one {
            Some(_) => ("Take this time out of the agenda", "it was cancelled; the others stay"),
            None => ("Take it out of the agenda", "it was cancelled"),
        };
        rows.push((row.0.to_owned(), row.1.to_owned()));
        choices.push(Choice::ForgetInvitation);
    } else {
        if joinable {
            let remark = if older { "your agenda has a newer invitation" } else { "" };
            rows.push(("Join it now".into(), remark.into()));
            choices.push(Choice::JoinInvitation);
        }
        if !older && (joinable || one.is_some()) {
            let row = match one {
                Some(_) => ("Change this time in the agenda", "the others stay"),
                None => ("Keep it in the agenda", "with its reminders"),
            };
            rows.push((row.0.to_owned(), row.1.to_owned()));
            choices.push(Choice::KeepInvitation);
        }
        rows.push(("Schedule a meeting like it".into(), "with you as its organizer".into()));
        choices.push(Choice::ScheduleInvitation);
    }
    let title = format!("{} · {time}", s.subject);
    door.state.meetings.read = Some(Box::new(invitation));
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
}

/// Does what was chosen for an invitation from a file.
pub fn with_invitation(door: &mut Door<'_>, choice: &Choice) -> Result<(), String> {
    let invitation = *door.state.meetings.read.take().ok_or("no invitation was read")?;
    if let Some(of) = kept::one_time(door.state, &invitation)
        && matches!(choice, Choice::KeepInvitation | Choice::ForgetInvitation)
    {
        return one_time(door, of, &invitation);
    }
    let target = match choice {
        Choice::ForgetInvitation => kept::named(&invitation),
        _ => invitation.link.as_deref().and_then(endpoint::parse_link),
    };
    let mut settings = invitation.settings;
    match (choice, target) {
        (Choice::JoinInvitation, Some((organizer, id))) => {
            tabs::join_with(door, JoinTarget::Conference(organizer, id), settings.subject, settings.passcode)
        }
        (Choice::KeepInvitation, Some((organizer, id))) => {
            if door.state.account.address.as_ref() == Some(&organizer) {
                return Err("this meeting is your own; it is in the agenda already".into());
            }
            let uri = endpoint::focus_uri(&organizer, &id);
            let join_url = invitation.link.filter(|l| l.starts_with("http")).unwrap_or_default();
            let name = settings.subject.clone();
            let c = Conference {
                uri,
                join_url,
                organizer,
                version: invitation.sequence,
                last_update: None,
                is_active: false,
                phone_id: String::new(),
                answers: Default::default(),
                settings,
                id,
            };
            let m = &mut door.state.meetings;
            let mut c = c;
            if let Some(old) = m.kept.iter().find(|k| k.id == c.id && k.version == c.version) {
                kept::keep_exceptions(&mut c.settings, &old.settings);
            }
            if m.kept.len() >= KEPT {
                return Err("too many meetings of others are kept; take some out with x".into());
            }
            m.kept.retain(|k| k.id != c.id);
            (m.selection, m.occurrence, m.built_for) = (Some(c.id.clone()), None, None);
            m.kept.push(c);
            m.settle(door.now);
            (door.state.pane, door.state.main) = (Pane::Meetings, Pane::Meetings);
            keep(door);
            door.say(format!("“{name}” is in your agenda"));
            Ok(())
        }
        (Choice::ForgetInvitation, Some((_, id))) => {
            forget(door, &id);
            door.say("It is taken out of your agenda");
            Ok(())
        }
        _ => {
            let zone = when::zone_by_name(&settings.time_zone).unwrap_or_else(|| door.state.view.zone.clone());
            let time = settings.start.map(|s| when::write(s, settings.end, &zone)).unwrap_or_default();
            settings.participants.retain(|p| Some(&p.uri) != door.state.account.address.as_ref());
            settings.expiry = None;
            open_form(door, None, &settings, &time);
            if let Some(f) = door.state.meetings.form.as_mut() {
                f.changed = true;
            }
            Ok(())
        }
    }
}

/// Changes one time of a series that is kept, or takes it out.
fn one_time(door: &mut Door<'_>, of: Time, invitation: &calendar_file::Invitation) -> Result<(), String> {
    let id = kept::known(door.state, invitation).map(|c| c.id.clone());
    let m = &mut door.state.meetings;
    let c = m.kept.iter_mut().find(|c| Some(&c.id) == id.as_ref()).ok_or("this meeting is not in your agenda any more")?;
    kept::apply_one(c, of, invitation)?;
    let name = subject(c).to_owned();
    m.built_for = None;
    m.settle(door.now);
    keep(door);
    let what = if invitation.cancelled { "is taken out of" } else { "is changed in" };
    door.say(format!("One time of “{name}” {what} your agenda; the others stay"));
    Ok(())
}

/// Copies the invitation of the selected meeting.
pub fn copy_invitation(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    let organizer = door.name(&c.organizer);
    let text = invitation::text(&c, &organizer, &door.state.view.zone, door.state.meetings.phones());
    door.effects.push(Effect::Copy(text));
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

/// Asks where to write the calendar file that takes the selected meeting back.
pub fn ask_write_cancellation(door: &mut Door<'_>) -> Result<(), String> {
    let c = selected(door)?;
    own(door.state, &c)?;
    let name = format!("{}-cancelled.ics", file_name(subject(&c)));
    ask_file(door, Ask::SaveCancellation(c.id), "Write the cancellation", &name);
    Ok(())
}

/// Writes the calendar file of a meeting; `back`: the one that takes it back.
pub fn write_invitation(door: &mut Door<'_>, id: &ConferenceId, path: String, back: bool) -> Result<(), String> {
    let c = door.state.meetings.find(id).cloned().ok_or("this meeting does not exist any more")?;
    let names = |u: &Address| door.state.name(u).to_owned();
    let contents = match back {
        true => invitation::cancellation(&c, &names, door.now),
        false => invitation::calendar(&c, door.state.meetings.phones(), &names, door.now),
    };
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
        time_zone: when::zone_name(&slot.zone),
        participants: people,
        ..ConferenceSettings::default()
    };
    let told = match door.state.missing(Feature::Meetings) {
        None if !settings.participants.is_empty() => ". Nobody is told of it yet: y in Meetings copies the invitation",
        _ => "",
    };
    let done = format!("“{subject}” is scheduled: {time}{told}");
    let pending = Pending::new("Scheduling the meeting").done(done).then(Then::Agenda);
    door.ask(Operation::ScheduleConference { settings }, pending);
    Ok(())
}

/// "1 message", "3 messages"
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}
