//! Publishing anything by hand: the list of what is published, the editor of one publication, the own phones.

use super::access::trial;
use super::commands::nearest;
use super::door::{Door, Pending, Then};
use super::editor::Editor;
use super::limits::{FIELD_CHARS, VALUE_CHARS};
use super::state::overlay::{Choice, Confirm, Deed, FormDialog, FormKind, Overlay, Picker};
use super::state::{Field, FieldId, FieldValue, Form, State};
use super::{form, when};
use crate::domain::Time;
use crate::domain::presence::{Expiry, Phone, Publication, PublicationKey};
use crate::endpoint::{Error, Operation, OperationId, published};

/// Categories that may be published by hand, for the hint after a typing mistake.
const KNOWN: [&str; 12] = [
    "state",
    "note",
    "noteHistory",
    "contactCard",
    "calendarData",
    "workingHours",
    "device",
    "routing",
    "rccOptions",
    "userInformation",
    "alerts",
    "otherOptions",
];
/// Words of the expiry field, in the order of [`expiry_at`].
const EXPIRIES: [&str; 4] = ["Never", "With this device", "With my last device", "After a time"];
/// Phones of the card that a person sets: field, label, type.
const PHONES: [(FieldId, &str, &str); 4] = [
    (FieldId::PhoneWork, "Work", "work"),
    (FieldId::PhoneMobile, "Mobile", "mobile"),
    (FieldId::PhoneHome, "Home", "home"),
    (FieldId::PhoneOther, "Other", "other"),
];
/// Largest number of a container.
const MAX_CONTAINER: u32 = 32_767;

/// Shows everything that is published, to be changed or deleted.
pub fn list(door: &mut Door<'_>) -> Result<(), String> {
    if !door.state.own.loaded {
        return Err("what you publish has not arrived from the server yet".into());
    }
    let mut all: Vec<&Publication> = door.state.own.replica.publications.iter().collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    let mut rows = vec![("New publication…".to_owned(), String::new())];
    rows.extend(all.iter().map(|p| (title(&p.key), remark(door.state, p))));
    let mut choices = vec![Choice::NewPublication];
    choices.extend(all.iter().map(|p| Choice::Publication(p.key.clone())));
    let title = "What I publish: Enter changes, D deletes".into();
    door.state.overlays.push(Overlay::Picker(Picker { title, rows, at: 0, choices }));
    Ok(())
}

fn title(key: &PublicationKey) -> String {
    let instance = if key.instance > 9 { format!("{:#x}", key.instance) } else { key.instance.to_string() };
    format!("{} {instance} → {}", key.category, key.container)
}

fn remark(state: &State, p: &Publication) -> String {
    let ends = match p.expiry {
        Expiry::Static => "stays".to_owned(),
        Expiry::Endpoint => "with its device".to_owned(),
        Expiry::User => "with the last device".to_owned(),
        Expiry::Time(seconds) => {
            let end = p.publish_time.map(|t| t + std::time::Duration::from_secs(u64::from(seconds)));
            end.map_or_else(|| "timed".to_owned(), |t| format!("until {}", clock(state, t)))
        }
    };
    format!("v{} · {ends}{}", p.version, if p.value.is_empty() { " · empty" } else { "" })
}

fn clock(state: &State, t: Time) -> String {
    t.timestamp().to_zoned(state.view.zone.clone()).strftime("%a %H:%M").to_string()
}

/// Opens the editor for something new.
pub fn new(door: &mut Door<'_>) {
    open(door, None);
}

/// Opens the editor for a publication.
pub fn edit(door: &mut Door<'_>, key: &PublicationKey) {
    let known = door.state.own.replica.publications.iter().find(|p| p.key == *key).cloned();
    match known {
        Some(p) => open(door, Some(p)),
        None => door.complain("This publication is gone; it has ended or was deleted on another device"),
    }
}

fn open(door: &mut Door<'_>, p: Option<Publication>) {
    let text = |id, label, help, value: &str, chars| Field {
        id,
        label,
        help,
        value: FieldValue::Text(Editor::limited(value, chars)),
        error: None,
        reading: None,
    };
    let key = p.as_ref().map(|p| p.key.clone());
    let shown = |n: fn(&PublicationKey) -> u32, or: &str| key.as_ref().map_or(or.to_owned(), |k| n(k).to_string());
    let lasts = match p.as_ref().map(|p| p.expiry) {
        Some(Expiry::Time(seconds)) => format!("{}m", seconds.div_ceil(60)),
        _ => String::new(),
    };
    let value = p.as_ref().map_or("", |p| p.value.as_str());
    let category = key.as_ref().map_or("", |k| k.category.as_str());
    let fields = vec![
        text(FieldId::Category, "Category", "A registered name; your administrator registers new ones", category, FIELD_CHARS),
        text(FieldId::Instance, "Instance", "Which of the category: a number, 0 for the first", &shown(|k| k.instance, "0"), 20),
        text(
            FieldId::Containers,
            "Containers",
            "Who sees it: 200 colleagues, 300 workgroup, 400 personal, 100 external; several with commas",
            &shown(|k| k.container, "200, 300, 400"),
            200,
        ),
        Field {
            id: FieldId::Expiry,
            label: "Ends",
            help: "Space goes through the choices",
            value: FieldValue::Choice {
                options: EXPIRIES.map(str::to_owned).into(),
                at: p.as_ref().map_or(0, |p| expiry_at(p.expiry)),
            },
            error: None,
            reading: None,
        },
        text(FieldId::Lasts, "Lasts until", "15:00, 2h, tomorrow 9; with “After a time” only", &lasts, 100),
        text(FieldId::Value, "Value", "Well-formed XML, or nothing; Enter makes a new line", value, VALUE_CHARS),
    ];
    let title = if key.is_some() { "Change a publication" } else { "Publish a category" };
    let at = if key.is_some() { fields.len() - 1 } else { 0 };
    let form = Form { fields, at, ..Form::default() };
    push(door, title, FormKind::Publication(key), form);
}

fn push(door: &mut Door<'_>, title: &str, kind: FormKind, form: Form) {
    door.state.overlays.push(Overlay::Form(FormDialog { title: title.into(), kind, form }));
}

fn expiry_at(expiry: Expiry) -> usize {
    match expiry {
        Expiry::Static => 0,
        Expiry::Endpoint => 1,
        Expiry::User => 2,
        Expiry::Time(_) => 3,
    }
}

/// Opens the form of the own phones.
pub fn phones(door: &mut Door<'_>) -> Result<(), String> {
    if !door.state.own.loaded {
        return Err("your card has not arrived from the server yet".into());
    }
    let known = published::own_phones(&door.state.own.replica);
    let field = |(id, label, kind): &(FieldId, &'static str, &str)| {
        let phone = known.iter().find(|p| p.kind == *kind);
        let number = phone.map(|p| if p.display.is_empty() { p.uri.trim_start_matches("tel:") } else { &p.display });
        Field {
            id: *id,
            label,
            help: "Such as +49 30 1234567; empty: none",
            value: FieldValue::Text(Editor::limited(number.unwrap_or(""), 64)),
            error: None,
            reading: None,
        }
    };
    let form = Form { fields: PHONES.iter().map(field).collect(), ..Form::default() };
    push(door, "My phone numbers", FormKind::Phones, form);
    Ok(())
}

/// Publishes what the form over the panes says. A mistake is marked in its field, and everything typed stays.
pub fn save(door: &mut Door<'_>) -> Result<(), String> {
    if !door.state.link.is_up() {
        return Err("publishing needs the server, and the link is down; what you wrote stays here".into());
    }
    let Some(Overlay::Form(dialog)) = door.state.overlays.last() else { return Ok(()) };
    let (kind, filled) = (dialog.kind.clone(), dialog.form.clone());
    let wanted = match kind {
        FormKind::Publication(_) => {
            publications(&filled, door.now, door.state).map(|publications| Operation::Publish { publications })
        }
        FormKind::Phones => own_phones(&filled).map(|phones| Operation::SetPhones { phones }),
        FormKind::Contact { .. } => return super::contact_form::save(door),
    };
    match wanted {
        Ok(operation) => {
            trial::send(door, vec![operation], Pending::new("Publishing").done("Published").then(Then::Dialog));
            Ok(())
        }
        Err((field, error)) => {
            with_form(door, |f| form::mark(f, field, &error));
            Err(error)
        }
    }
}

/// What the form over the panes says is on its way.
pub fn saving(door: &mut Door<'_>, id: OperationId) {
    with_form(door, |f| (f.saving, f.error) = (Some(id), None));
}

/// Changes the form over the panes.
pub fn with_form(door: &mut Door<'_>, change: impl FnOnce(&mut Form)) {
    if let Some(Overlay::Form(d)) = door.state.overlays.last_mut() {
        change(&mut d.form);
    }
}

fn publications(form: &Form, now: Time, state: &State) -> Result<Vec<Publication>, (FieldId, String)> {
    let category = form.text(FieldId::Category).trim().to_owned();
    if category.is_empty() || category.contains(char::is_whitespace) {
        return Err((FieldId::Category, "a category is one word".into()));
    }
    let low = category.to_lowercase();
    if let Some(near) = KNOWN.iter().find(|k| k.to_lowercase() == low && **k != category) {
        return Err((FieldId::Category, format!("categories are written exactly so: {near}")));
    }
    let number = |text: &str| match text.trim().strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.trim().parse::<u32>().ok(),
    };
    let instance = number(form.text(FieldId::Instance));
    let instance = instance.ok_or((FieldId::Instance, "an instance is a number from 0 to 4294967295".to_owned()))?;
    let wrong = || (FieldId::Containers, format!("containers are numbers from 0 to {MAX_CONTAINER}, with commas between them"));
    let containers = form.text(FieldId::Containers).split(',').map(|c| number(c).filter(|n| *n <= MAX_CONTAINER));
    let containers: Vec<u32> = containers.collect::<Option<_>>().ok_or_else(wrong)?;
    let value = form.text(FieldId::Value).trim().to_owned();
    published::check_value(&value).map_err(|e| (FieldId::Value, e))?;
    let expiry = match form.choice(FieldId::Expiry) {
        0 => Expiry::Static,
        1 => Expiry::Endpoint,
        2 => Expiry::User,
        _ => {
            let text = form.text(FieldId::Lasts).trim();
            let (end, _) = when::until(text, now, &state.view.zone).map_err(|e| (FieldId::Lasts, e))?;
            Expiry::Time(u32::try_from(end.since(now).as_secs().max(1)).unwrap_or(u32::MAX))
        }
    };
    let one = |container| Publication {
        key: PublicationKey { category: category.clone(), instance, container },
        version: 0,
        expiry,
        publish_time: None,
        endpoint_id: None,
        value: value.clone(),
    };
    Ok(containers.into_iter().map(one).collect())
}

fn own_phones(form: &Form) -> Result<Vec<Phone>, (FieldId, String)> {
    let mut out = Vec::new();
    for (id, _, kind) in PHONES {
        let text = form.text(id).trim();
        if text.is_empty() {
            continue;
        }
        let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+' || *c == '*' || *c == '#').collect();
        let strange = text.chars().any(|c| !(c.is_ascii_digit() || " +-()/.*#".contains(c)));
        if strange || !digits.chars().any(|c| c.is_ascii_digit()) {
            return Err((id, "a phone number has digits, blanks and + - ( ) / . only".into()));
        }
        out.push(Phone { kind: kind.into(), uri: format!("tel:{digits}"), display: text.to_owned() });
    }
    Ok(out)
}

/// The form over the panes is published.
pub fn done(door: &mut Door<'_>, id: OperationId) {
    door.state.overlays.retain(|o| !matches!(o, Overlay::Form(d) if d.form.saving == Some(id)));
}

/// It was not, or an earlier one of the requests that save it; the form stays with the reason.
pub fn not_done(door: &mut Door<'_>, id: OperationId, error: &Error) {
    for o in &mut door.state.overlays {
        if let Overlay::Form(d) = o
            && d.form.saving.is_some_and(|last| id <= last)
        {
            (d.form.saving, d.form.error) = (None, Some(advice(&d.form, error)));
        }
    }
}

/// The server's reason, with what to do about it where that is known.
fn advice(form: &Form, error: &Error) -> String {
    let category = form.text(FieldId::Category).trim();
    if error.status != Some(400) || !error.text.contains("not registered") {
        return error.text.clone();
    }
    match nearest(category, KNOWN.into_iter()) {
        Some(near) => format!("The server knows no category {category}; did you mean {near}?"),
        None => format!("The server knows no category {category}. Its administrator can run: adsum category add {category}"),
    }
}

/// Leaves the form over the panes; asks first when something was typed.
pub fn leave(door: &mut Door<'_>) {
    let changed = matches!(door.state.overlays.last(), Some(Overlay::Form(d)) if d.form.changed);
    if changed {
        let text = "Leave without publishing what you typed?".into();
        door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Leave", then: Deed::LeaveDialog }));
    } else {
        door.state.overlays.pop();
    }
}

/// Asks whether the selected publication is to be deleted.
pub fn delete_asking(door: &mut Door<'_>) -> Result<(), String> {
    super::commands::require_online(door.state)?;
    let Some(Overlay::Picker(p)) = door.state.overlays.last() else { return Ok(()) };
    let Some(Choice::Publication(key)) = p.choices.get(p.at) else { return Ok(()) };
    let (key, name) = (key.clone(), title(key));
    let text = format!("Delete the publication {name}?");
    door.state.overlays.push(Overlay::Confirm(Confirm { text, yes: "Delete", then: Deed::Unpublish(key) }));
    Ok(())
}

/// Deletes a publication and takes its row away.
pub fn delete_now(door: &mut Door<'_>, key: PublicationKey) {
    let trial = trial::is_wanted(door.state);
    if let Some(Overlay::Picker(p)) = door.state.overlays.last_mut().filter(|_| !trial)
        && let Some(at) = p.choices.iter().position(|c| *c == Choice::Publication(key.clone()))
    {
        p.choices.remove(at);
        p.rows.remove(at);
        p.at = p.at.min(p.rows.len().saturating_sub(1));
    }
    let known = door.state.own.replica.publications.iter().find(|p| p.key == key).cloned();
    let undo = known.map(|p| Operation::Publish { publications: vec![p] }).into_iter().collect();
    let pending = Pending::new("Deleting the publication").done(format!("Deleted: {}", title(&key))).undo(undo);
    trial::send(door, vec![Operation::Unpublish { keys: vec![key] }], pending);
}
