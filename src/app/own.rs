//! My own presence: what my devices and I say, which of it wins, and what I publish.

use super::access::trial;
use super::door::{Door, Pending, Then};
use super::state::{Field, FieldId, FieldValue, Form, OwnEndpoint, State};
use super::{Editor, form, when};
use crate::domain::access::AGGREGATION_CONTAINER;
use crate::domain::presence::{
    Activity, Availability, AvailabilityClass, LCID_EN_US, Level, Member, Note, Publication, SelfPresence, UserStatus,
};
use crate::domain::{Address, Time, instances};
use crate::endpoint::published::{self, PublishedState, Source};
use crate::endpoint::why::why;
use crate::endpoint::{Feature, Operation};

use super::commands::STATUSES;

/// Words of the status field: all statuses, then "as my devices say".
const AUTOMATIC: &str = "As my devices say";
/// Locale of texts we write and prefer (en-US).
const LCID: u32 = LCID_EN_US;
/// Words of the field that says what kind of note it is.
const NOTE_KINDS: [&str; 2] = ["Personal", "Out of office"];

/// The level a person was put on by name.
pub fn level_of(own: &SelfPresence, uri: &Address) -> Option<Level> {
    let named = own.containers.iter().filter(|c| c.members.iter().any(|m| matches!(m, Member::User(u) if u == uri)));
    named.map(|c| c.id).max().and_then(Level::of_container)
}

/// Sets the own status.
pub fn set_status(door: &mut Door<'_>, status: UserStatus, activity: String, until: Option<Time>) {
    let word = STATUSES.iter().find(|s| s.0 == status).map_or("", |s| s.1);
    let end = until
        .map(|t| t.timestamp().to_zoned(door.state.view.zone.clone()).strftime(" until %H:%M").to_string())
        .unwrap_or_default();
    let pending = Pending::new("Setting your status").done(format!("You are now: {word}{end}"));
    trial::send(door, vec![Operation::SetStatus { status, activity, until }], pending);
}

/// Sets the own status by the id of a custom one.
pub fn set_custom_status(door: &mut Door<'_>, id: String, until: Option<Time>) {
    let lcid = door.state.options.lcid;
    let words = door.state.own.custom.iter().find(|c| c.id == id).map_or(id.as_str(), |c| c.text(lcid)).to_owned();
    let pending = Pending::new("Setting your status").done(format!("You are now: {words}"));
    trial::send(door, vec![Operation::SetCustomStatus { id, until }], pending);
}

/// Takes the hand-set status back.
pub fn reset_status(door: &mut Door<'_>) {
    let pending = Pending::new("Resetting your status").done("Your devices say again how available you are");
    trial::send(door, vec![Operation::ResetStatus], pending);
}

/// Takes the server's word about ourselves.
pub fn heard(state: &mut State, replica: SelfPresence) {
    state.own.replica = replica;
    (state.own.loaded, state.own.dirty) = (true, true);
    derive(state);
    if !state.own.editing && !state.own.form.changed {
        fill_form(state);
    }
}

fn derive(state: &mut State) {
    own_name(state);
    let gruu = state.own.gruu.clone();
    let sources: Vec<(Publication, PublishedState)> = states(&state.own.replica, AGGREGATION_CONTAINER);
    let aggregate = aggregate(&state.own.replica);
    state.account.availability = aggregate.as_ref().and_then(|a| a.availability);
    state.account.activity = aggregate.and_then(|a| a.activity);
    state.account.note = own_note(&state.own.replica);
    let why = why(&state.own.replica, &gruu, state.view.now);
    let deciding = why.decider().map(|d| d.keys.clone()).unwrap_or_default();
    let row = |(p, v): &(Publication, PublishedState)| OwnEndpoint {
        instance: p.endpoint_id.clone().unwrap_or_default().to_lowercase(),
        source: v.source.as_str().to_owned(),
        availability: v.availability.unwrap_or(Availability(0)),
        activity: v.activity.as_ref().and_then(|a| a.text(LCID)).unwrap_or("").to_owned(),
        device: [v.device.as_deref(), v.location.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" · "),
        since: p.publish_time,
        here: is_here(&gruu, p),
        wins: deciding.contains(&p.key),
    };
    let machine = |s: &&(Publication, PublishedState)| s.1.source == Source::Machine;
    let mut endpoints: Vec<OwnEndpoint> = sources.iter().filter(machine).map(row).collect();
    endpoints.sort_by_key(|e| (e.availability, std::cmp::Reverse(e.since), e.instance.clone()));
    let states: Vec<OwnEndpoint> = sources.iter().filter(|s| !machine(s)).map(row).collect();
    let reason = reason(&endpoints, &states, state.account.availability);
    (state.own.endpoints, state.own.states, state.own.reason) = (endpoints, states, reason);
}

/// The name of the own contact card, unless another is configured.
fn own_name(state: &mut State) {
    if !state.account.name.is_empty() && !state.account.name_from_card {
        return;
    }
    if let Some(name) = published::card_name(&state.own.replica.publications) {
        (state.account.name, state.account.name_from_card) = (name, true);
    }
}

/// Why the source that decides does, in one sentence (`domain.md` 5.4).
fn reason(endpoints: &[OwnEndpoint], states: &[OwnEndpoint], result: Option<Availability>) -> String {
    if endpoints.is_empty() {
        return "No device is signed in, so others see you offline.".into();
    }
    if let Some(decider) = states.iter().find(|s| s.wins) {
        let idle = result.map(Availability::class) == Some(AvailabilityClass::BusyIdle);
        let more = if idle { "; it shows as idle because no device is in use" } else { "" };
        return format!("{} decides{more}.", source_words(&decider.source));
    }
    let others = states.iter().filter(|s| s.availability.0 > 0).count();
    match (others, endpoints.len()) {
        (0, 1) => "Your only device decides.".into(),
        (0, _) => "The most active device decides.".into(),
        _ => "The most active device decides, because nothing else outweighs it.".into(),
    }
}

/// A source of availability in words.
pub fn source_words(source: &str) -> &'static str {
    match source {
        "userState" => "What you set by hand",
        "calendarState" => "Your calendar",
        "phoneState" => "A call",
        "machineState" => "A device",
        _ => "Another source",
    }
}

fn states(own: &SelfPresence, container: u32) -> Vec<(Publication, PublishedState)> {
    let all = own.publications.iter().filter(|p| p.key.category == "state" && p.key.container == container);
    let read = all.filter_map(|p| Some((p.clone(), published::state(p)?)));
    read.filter(|(_, v)| matches!(v.source.as_str(), "machineState" | "userState" | "calendarState" | "phoneState")).collect()
}

fn aggregate(own: &SelfPresence) -> Option<PublishedState> {
    let of = |container: u32| {
        let all = own.publications.iter().filter(|p| p.key.category == "state" && p.key.container == container);
        all.filter_map(published::state).find(|v| v.source == Source::Aggregate)
    };
    of(AGGREGATION_CONTAINER).or_else(|| of(Level::Personal.container())).or_else(|| of(Level::Colleagues.container()))
}

fn own_note(own: &SelfPresence) -> Option<Note> {
    notes(own).find(|n| !n.out_of_office)
}

/// The note that others see.
pub fn note(state: &State) -> Option<Note> {
    state.account.note.clone().or_else(|| notes(&state.own.replica).next())
}

fn notes(own: &SelfPresence) -> impl Iterator<Item = Note> {
    let all = own.publications.iter().filter(|p| p.key.category == "note" && p.key.container >= Level::Colleagues.container());
    all.filter_map(published::note)
}

/// Whether a publication is this very device's: its endpoint, or its machine state, belongs to our GRUU.
fn is_here(gruu: &str, p: &Publication) -> bool {
    !gruu.is_empty() && (p.key.instance == instances::machine_state(gruu) || published::is_by(gruu, p))
}

/// The hand-set status, its own words, and the location of this device.
fn set_by_hand(state: &State) -> (Option<UserStatus>, String, String) {
    let sources = states(&state.own.replica, AGGREGATION_CONTAINER);
    let user = sources.iter().find(|(_, v)| v.source == Source::User).map(|(_, v)| v);
    let status = user.and_then(|v| match v.availability?.class() {
        AvailabilityClass::Available | AvailabilityClass::AvailableIdle => Some(UserStatus::Available),
        AvailabilityClass::Busy | AvailabilityClass::BusyIdle => Some(UserStatus::Busy),
        AvailabilityClass::DoNotDisturb => Some(UserStatus::DoNotDisturb),
        AvailabilityClass::BeRightBack => Some(UserStatus::BeRightBack),
        AvailabilityClass::Away if v.activity.as_ref().is_some_and(|a| a.token.as_deref() == Some("off-work")) => {
            Some(UserStatus::OffWork)
        }
        AvailabilityClass::Away => Some(UserStatus::Away),
        AvailabilityClass::Offline => Some(UserStatus::AppearOffline),
        AvailabilityClass::Unknown => None,
    });
    let own_words = |a: &Activity| if a.token.is_none() { a.text(LCID).map(str::to_owned) } else { None };
    let activity = user.and_then(|v| v.activity.as_ref()).and_then(own_words).unwrap_or_default();
    let machines: Vec<_> = sources.iter().filter(|(_, v)| v.source == Source::Machine).collect();
    let device = machines.iter().find(|(p, _)| is_here(&state.own.gruu, p)).or(machines.first().filter(|_| machines.len() == 1));
    (status, activity, device.and_then(|(_, v)| v.location.clone()).unwrap_or_default())
}

/// The custom status whose words are published.
fn custom_at(state: &State) -> Option<usize> {
    let sources = states(&state.own.replica, AGGREGATION_CONTAINER);
    let user = sources.into_iter().find(|(_, v)| v.source == Source::User)?.1.activity?;
    state.own.custom.iter().position(|c| user.token.is_none() && c.texts == user.custom)
}

/// Whether the server takes a presence.
///
/// # Errors
/// Why not.
pub fn takes(state: &State) -> Result<(), String> {
    state.missing(Feature::OwnPresence).map_or(Ok(()), |why| Err(why.to_owned()))
}

/// Fills the form with what is published.
pub fn fill_form(state: &mut State) {
    if state.missing(Feature::OwnPresence).is_some() {
        // Nothing that is written there would go anywhere.
        state.own.form = Form::default();
        state.own.baseline = Form::default();
        state.own.editing = false;
        return;
    }
    let (status, activity, location) = set_by_hand(state);
    let mut options: Vec<String> = STATUSES.iter().map(|s| s.1.to_owned()).collect();
    options.extend(state.own.custom.iter().map(|c| c.text(state.options.lcid).to_owned()));
    options.push(AUTOMATIC.into());
    let custom = custom_at(state);
    let by_hand = custom.map(|c| STATUSES.len() + c).or(status.and_then(|s| STATUSES.iter().position(|x| x.0 == s)));
    let at = by_hand.unwrap_or(options.len() - 1);
    let activity = if custom.is_some() { String::new() } else { activity };
    let zone = state.view.zone.clone();
    let note = note(state);
    let moment = |t: Option<Time>| {
        let t = t.filter(|e| *e > state.view.now).map(|t| t.timestamp().to_zoned(zone.clone()));
        t.map(|t| t.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
    };
    let (from, until) = (moment(note.as_ref().and_then(|n| n.start)), moment(note.as_ref().and_then(|n| n.end)));
    let kind = usize::from(note.as_ref().is_some_and(|n| n.out_of_office));
    let text = |id, label, help, value: &str| Field {
        id,
        label,
        help,
        value: FieldValue::Text(Editor::limited(value, super::limits::FIELD_CHARS)),
        error: None,
        reading: None,
    };
    let focus = state.own.form.at;
    let fields = vec![
        Field {
            id: FieldId::Status,
            label: "Status",
            help: "Space goes through the choices; Busy and Do not disturb end by themselves after 24 hours",
            value: FieldValue::Choice { options, at },
            error: None,
            reading: None,
        },
        text(FieldId::Activity, "Activity", "Your own words, such as “In the lab”", &activity),
        text(FieldId::Until, "Until", "15:00, 2h, mon 9; empty: as usual", ""),
        text(FieldId::Note, "Note", "Beside your name; empty clears it", &note.map(|n| n.text).unwrap_or_default()),
        Field {
            id: FieldId::NoteKind,
            label: "Kind of note",
            help: "Space goes through the choices",
            value: FieldValue::Choice { options: NOTE_KINDS.map(str::to_owned).into(), at: kind },
            error: None,
            reading: None,
        },
        text(FieldId::NoteFrom, "Note from", "15:00, tomorrow 9; empty: now", &from),
        text(FieldId::NoteUntil, "Note until", "15:00, fri 17:00; empty: no end", &until),
        text(FieldId::Location, "Location", "office, home, mobile, or other words", &location),
    ];
    let at = focus.min(fields.len() - 1);
    state.own.form = Form { fields, at, ..Form::default() };
    state.own.baseline = state.own.form.clone();
}

/// Publishes what differs from what is published.
pub fn publish(door: &mut Door<'_>) -> Result<(), String> {
    takes(door.state)?;
    if !door.state.link.is_up() {
        return Err("publishing needs the server, and the link is down; what you wrote stays here".into());
    }
    let (now, zone) = (door.now, door.state.view.zone.clone());
    let (form, base) = (door.state.own.form.clone(), door.state.own.baseline.clone());
    let until = moment(door, FieldId::Until, now, &zone)?;
    let note_from = moment(door, FieldId::NoteFrom, now, &zone)?;
    let note_until = moment(door, FieldId::NoteUntil, now, &zone)?;
    if note_from.zip(note_until).is_some_and(|(from, until)| until <= from) {
        let error = "the note would end before it begins";
        form::mark(&mut door.state.own.form, FieldId::NoteUntil, error);
        return Err(error.into());
    }
    let differs = |ids: &[FieldId]| ids.iter().any(|id| form.field(*id).map(|f| &f.value) != base.field(*id).map(|f| &f.value));
    let mut operations = Vec::new();
    if differs(&[FieldId::Status, FieldId::Activity, FieldId::Until]) {
        let activity = form.text(FieldId::Activity).trim().to_owned();
        let at = form.choice(FieldId::Status);
        let custom = at.checked_sub(STATUSES.len()).and_then(|c| door.state.own.custom.get(c));
        operations.push(match (STATUSES.get(at), custom) {
            (Some((status, _)), _) => Operation::SetStatus { status: *status, activity, until },
            (None, Some(custom)) => Operation::SetCustomStatus { id: custom.id.clone(), until },
            (None, None) => Operation::ResetStatus,
        });
    }
    if differs(&[FieldId::Note, FieldId::NoteKind, FieldId::NoteFrom, FieldId::NoteUntil]) {
        let text = form.text(FieldId::Note).trim().to_owned();
        let out_of_office = form.choice(FieldId::NoteKind) == 1;
        let note = (!text.is_empty()).then_some(Note { text, out_of_office, start: note_from, end: note_until });
        operations.push(Operation::SetNote { note });
    }
    if differs(&[FieldId::Location]) {
        operations.push(Operation::SetLocation { location: form.text(FieldId::Location).trim().to_owned() });
    }
    door.state.own.editing = false;
    if operations.is_empty() {
        door.state.own.form.changed = false;
        door.say("Nothing has changed");
        return Ok(());
    }
    trial::send(door, operations, Pending::new("Publishing").done("Published").then(Then::OwnForm));
    Ok(())
}

fn moment(door: &mut Door<'_>, id: FieldId, now: Time, zone: &jiff::tz::TimeZone) -> Result<Option<Time>, String> {
    let text = door.state.own.form.text(id).trim().to_owned();
    if text.is_empty() {
        return Ok(None);
    }
    let read = when::until(&text, now, zone).map(|(t, _)| Some(t));
    read.inspect_err(|e| form::mark(&mut door.state.own.form, id, e))
}
